"""Make a frame obey its table of the data dictionary; every fault becomes a finding."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from withstand.model.cells import MOST_VALUES, as_text, conform_column
from withstand.model.findings import Finding, Origin, listed, make_finding, nearest, shorten
from withstand.model.tables import Column, Table, is_annotation

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, kw_only=True, eq=False)
class Conformed:
    """A frame in the form of its table, and what was wrong with it.

    Parameters
    ----------
    frame : polars.DataFrame
        Known columns that were present, in dictionary order, then annotations and unknown columns
        (as text). Empty cells are null, and so is what could not be understood.
    findings : tuple of Finding
        Everything that was wrong.
    is_lost, is_flawed : polars.Series of bool, or None for nowhere
        Rows without which a required cell (or the key) is missing or wrong; rows with any fault.
    is_usable : bool
        Whether every required column is there.
    """

    frame: pl.DataFrame
    findings: tuple[Finding, ...]
    is_lost: pl.Series | None = None
    is_flawed: pl.Series | None = None
    is_usable: bool = True


def fold_header(header: str) -> str:
    """Return a header as the dictionary writes it: `Lead time ` becomes `lead_time`."""
    return "_".join(header.strip().casefold().split())


def renamed(frame: pl.DataFrame, names: Mapping[str, str]) -> pl.DataFrame:
    """Return some columns under new names; a header such as `*` or `^a$` is only a name here."""
    return pl.DataFrame([frame.get_column(old).rename(new) for old, new in names.items()])


def conform_rows(frame: pl.DataFrame, table: Table, origin: Origin) -> Conformed:
    """Return the frame with the table's columns and types, and all that was wrong with it.

    Parameters
    ----------
    frame : polars.DataFrame
        Rows in the order of the file.
    table : Table
        The contract.
    origin : Origin
        Where the frame came from, for the findings.
    """
    frame, findings = _rename(frame, table, origin)
    missing = [c for c in table.required if c not in frame.columns]
    strangers = [c for c in frame.columns if c not in table.names and not is_annotation(c)]
    for name in missing:
        near = nearest(name, strangers)
        what = f"table {table.name} needs a column '{name}' ({table.names[name].meaning})"
        findings.append(make_finding("E101", what, origin=origin, column=name, suggestion=near))
    if frame.height == 0:
        if table.required and not missing:
            findings.append(make_finding("E112", f"table {table.name} has no rows", origin=origin))
        return Conformed(frame=frame, findings=tuple(findings), is_usable=not missing)
    done: list[pl.Series] = []
    lost: pl.Series | None = None
    flawed: pl.Series | None = None
    for name in [c for c in table.names if c in frame.columns] + [
        c for c in frame.columns if is_annotation(c) and c not in table.names
    ]:
        column = table.names.get(name) or Column(name=name, meaning="Where it comes from.")
        series, report = conform_column(frame[name], column, origin)
        done.append(series.rename(name))
        findings += report.findings
        if report.is_bad is not None:
            flawed = _either(flawed, report.is_bad)
            if column.required or name in table.key:
                lost = _either(lost, report.is_bad)
    done += [as_text(frame[c]).rename(c) for c in strangers]
    if strangers:
        what = f"columns not in the data dictionary of {table.name}: {listed(strangers, 12)}"
        findings.append(
            make_finding("N101", what, origin=origin, column=strangers[0], count=len(strangers))
        )
    result = pl.DataFrame(done)
    if not missing:
        found, repeated = _duplicates(result, table, origin)
        findings += found
        if repeated is not None:
            lost, flawed = _either(lost, repeated), _either(flawed, repeated)
    return Conformed(
        frame=result,
        findings=tuple(findings),
        is_lost=lost,
        is_flawed=flawed,
        is_usable=not missing,
    )


def _either(one: pl.Series | None, other: pl.Series) -> pl.Series:
    return other if one is None else one | other


def _rename(
    frame: pl.DataFrame, table: Table, origin: Origin
) -> tuple[pl.DataFrame, list[Finding]]:
    """Fold blanks and capitals of headers onto the names of the dictionary."""
    names: dict[str, str] = {}
    taken: dict[str, str] = {}
    findings: list[Finding] = []
    for name in frame.columns:
        folded = fold_header(name)
        target = folded if folded in table.names or is_annotation(folded) else name
        if target in taken:
            what = f"'{shorten(taken[target])}' and '{shorten(name)}' are the same column"
            findings.append(make_finding("E120", what, origin=origin, column=name))
            continue
        taken[target] = name
        names[name] = target
    return renamed(frame, names), findings


def _duplicates(
    frame: pl.DataFrame, table: Table, origin: Origin
) -> tuple[list[Finding], pl.Series | None]:
    """Report keys that stand more than once; hashes first, so that clean tables stay quick."""
    key = [c for c in table.key if c in frame.columns]
    if not key or frame.select(key).hash_rows().n_unique() == frame.height:
        return [], None
    keys = frame.select(key)
    filled = pl.all_horizontal(pl.col(c).is_not_null() for c in key if c in table.required)
    numbered = keys.with_row_index("row").filter(filled)
    groups = (
        numbered.group_by(key, maintain_order=True)
        .agg(pl.col("row"))
        .filter(pl.col("row").list.len() > 1)
    )
    if groups.height == 0:
        return [], None
    shown = " + ".join((origin.names or {}).get(c, c) for c in key)
    findings = []
    for *labels, rows in groups.head(MOST_VALUES).iter_rows():
        label = " / ".join("" if x is None else str(x) for x in labels)
        lines = listed([origin.row_of(r) for r in rows])
        findings.append(
            make_finding(
                "E106",
                f"{shown} must be unique; this one stands in rows {lines}",
                origin=origin,
                index=rows[1],
                column=key[0],
                value=label,
                count=len(rows) - 1,
            )
        )
    rest = groups.slice(MOST_VALUES)
    if rest.height:
        findings.append(
            make_finding(
                "E106",
                f"{rest.height:,} more keys ({shown}) stand more than once",
                origin=origin,
                index=rest["row"][0][1],
                column=key[0],
                count=int((rest["row"].list.len() - 1).sum()),
            )
        )
    again = groups["row"].list.slice(1).explode().cast(pl.Int64)
    repeated = pl.Series([False] * frame.height).scatter(again, values=True)
    return findings, repeated
