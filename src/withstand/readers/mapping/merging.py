"""What an import changes in a table: rows added, changed, removed, by the key of the table."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from withstand.errors import UsageError
from withstand.model.conforming import fold_header
from withstand.model.findings import listed
from withstand.readers.mapping.measures_of_units import time_factor

if TYPE_CHECKING:
    from withstand.model.settings import Settings
    from withstand.model.tables import Table

MODES = ("new", "update", "replace")
SHOWN = 5
_TIME = re.compile(r"(lead_time|inventory)_(day|week|month|year)s\Z")
_PRICE = re.compile(r"price_([a-z]{3})\Z")


@dataclass(frozen=True, kw_only=True, eq=False)
class Change:
    """What an import does to one table.

    Parameters
    ----------
    table, mode : str
    frame : polars.DataFrame
        The table as it will be, or the numbers and words of this import where it is new.
    added, changed, removed, unchanged : int
        Rows.
    examples : tuple of (str, str)
        The first changes: what is done, to which row.
    """

    table: str
    mode: str
    frame: pl.DataFrame
    added: int
    changed: int = 0
    removed: int = 0
    unchanged: int = 0
    examples: tuple[tuple[str, str], ...] = ()

    def __repr__(self) -> str:
        """Tell table and counts on one line."""
        return f"Change({self.table!r}, +{self.added} ~{self.changed} -{self.removed})"


def change_of(table: Table, old: pl.DataFrame | None, new: pl.DataFrame, mode: str) -> Change:
    """Return what becomes of a table.

    Parameters
    ----------
    table : Table
        Its key tells rows apart.
    old : polars.DataFrame or None
        Rows of the project, as text or typed; None for none.
    new : polars.DataFrame
        Rows of the import.
    mode : {"new", "update", "replace"}
        Whether the table must be empty so far, new rows go over and beside the old ones, or
        stand in their place.

    Raises
    ------
    UsageError
        If the table has rows and nobody said what to do with them; if it has no key to update by.
    """
    if old is None or old.height == 0:
        return Change(table=table.name, mode="new", frame=new, added=new.height)
    if mode == "new":
        raise UsageError(
            f"the table {table.name} holds {old.height:,} rows already. Say --update to put the "
            "new rows over and beside them, or --replace to put them in their place."
        )
    key = [k for k in table.key if k in new.columns and k in old.columns]
    if mode == "update" and (not key or not set(table.key) & set(table.required) <= set(key)):
        raise UsageError(
            f"the table {table.name} cannot be updated row by row, as its rows have no key"
            f"{' (' + ', '.join(table.key) + ')' if table.key else ''} in both. Use --replace."
        )
    key = key or list(new.columns)
    before, after = _texts(old), _texts(new)
    both = [c for c in new.columns if c in old.columns]
    keys_before = {k: r for r, k in enumerate(before.select(key).iter_rows())}
    keys_after = {k: r for r, k in enumerate(after.select(key).iter_rows())}
    rows_before = before.select(both).rows()
    rows_after = after.select(both).rows()
    only_new = [c for c in new.columns if c not in old.columns]
    fills = _any_filled(new.select(only_new)) if only_new else [False] * new.height
    examples: list[tuple[str, str]] = []
    added, changed, same = [], [], 0
    for k, r in keys_after.items():
        if k not in keys_before:
            added.append(r)
            _show(examples, "added", k)
            continue
        pairs = list(zip(rows_before[keys_before[k]], rows_after[r], both, strict=True))
        moved = [(c, x, y) for x, y, c in pairs if x != y and not (mode == "update" and y is None)]
        if moved or fills[r]:
            changed.append(k)
            shown = ", ".join(f"{c} {x or '-'} -> {y or '-'}" for c, x, y in moved[:3])
            _show(examples, "changed", k, shown)
        else:
            same += 1
    gone = [k for k in keys_before if k not in keys_after] if mode == "replace" else []
    for k in gone[:SHOWN]:
        _show(examples, "removed", k)
    frame = new if mode == "replace" else _updated(old, new, keys_before, keys_after)
    return Change(
        table=table.name, mode=mode, frame=frame, added=len(added), changed=len(changed),
        removed=len(gone), unchanged=same, examples=tuple(examples),
    )  # fmt: skip


def _show(
    examples: list[tuple[str, str]], what: str, key: tuple[str | None, ...], more: str = ""
) -> None:
    if sum(w == what for w, _ in examples) < SHOWN:
        label = " / ".join(k or "" for k in key)
        examples.append((what, label + (f": {more}" if more else "")))


def _any_filled(frame: pl.DataFrame) -> list[bool]:
    return frame.select(pl.any_horizontal(pl.all().is_not_null())).to_series().to_list()


def _texts(frame: pl.DataFrame) -> pl.DataFrame:
    """Return cells as text in which equal numbers are equal: 1.0, 1 and 1e0."""
    columns = []
    for name in frame.columns:
        series = frame[name]
        if series.dtype == pl.Boolean:
            series = series.replace_strict({True: "yes", False: "no"}, return_dtype=pl.String)
        text = series.cast(pl.String)
        number = text.cast(pl.Float64, strict=False)
        is_code = text.str.contains(r"^0\d").fill_null(value=False)
        shown = number.cast(pl.String)
        columns.append(text.zip_with(number.is_null() | is_code, shown.fill_null("")).rename(name))
    return pl.DataFrame(columns)


def _updated(
    old: pl.DataFrame,
    new: pl.DataFrame,
    before: dict[tuple[str | None, ...], int],
    after: dict[tuple[str | None, ...], int],
) -> pl.DataFrame:
    """Put new rows over old ones of the same key, and the others below."""
    columns = [*old.columns, *(c for c in new.columns if c not in old.columns)]
    pairs = [(before[k], r) for k, r in after.items() if k in before]
    extra = [r for k, r in after.items() if k not in before]
    done = []
    for name in columns:
        kept = old[name] if name in old.columns else None
        given = new[name] if name in new.columns else None
        if kept is not None and given is not None and kept.dtype != given.dtype:
            number = kept.cast(pl.Float64, strict=False) if given.dtype.is_numeric() else None
            if number is not None and number.null_count() == kept.null_count():
                kept = number
            else:
                kept, given = kept.cast(pl.String), given.cast(pl.String)
        dtype = (kept if kept is not None else given).dtype  # type: ignore[union-attr]
        values = kept.to_list() if kept is not None else [None] * old.height
        if given is not None:
            cells = given.to_list()
            for at, r in pairs:
                values[at] = cells[r] if cells[r] is not None else values[at]
            values += [cells[r] for r in extra]
        else:
            values += [None] * len(extra)
        done.append(pl.Series(name, values, dtype=dtype))
    return pl.DataFrame(done)


def plain_headers(frame: pl.DataFrame, settings: Settings) -> pl.DataFrame:
    """Return plant shorthand without units in its headers, so that two tables can be compared.

    `lead_time_days` becomes `lead_time` in periods, `price_usd` becomes `price` where that is the
    currency of the project; `capacity_per_year` stays.

    Raises
    ------
    UsageError
        If two columns say the same.
    """
    done: dict[str, pl.Series] = {}
    for header in frame.columns:
        name = fold_header(header)
        series = frame[header]
        if match := _TIME.match(name):
            factor = time_factor(match[2], settings.period) or 1.0
            name = match[1]
            numbers = series.cast(pl.Float64, strict=False)
            if numbers.null_count() == series.null_count():
                series = numbers * factor if factor != 1.0 else numbers
        elif (match := _PRICE.match(name)) and match[1].upper() == settings.currency:
            name = "price"
        if name in done:
            raise UsageError(f"columns {listed([name, header])} say the same; keep one of them.")
        done[name] = series.rename(name)
    return pl.DataFrame(list(done.values()))
