"""Labels of products, units of recipes, names of companies, judged across an import."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import polars as pl

from withstand.model.findings import make_finding, shorten
from withstand.readers.mapping.measures_of_units import amount_factor
from withstand.readers.mapping.names import same_names
from withstand.readers.mapping.vocabulary import fold
from withstand.readers.messy.units import canonical_unit

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from withstand.readers.mapping.converted import Converted, Terms

REFERENCES = {
    "recipes": ("parent", "child"),
    "suppliers": ("item",),
    "stocks": ("product",),
    "nodes": ("product",),
    "links": ("product",),
}
"""Columns that name products, by table."""
NAMED = {"suppliers": ("supplier", "company", "site"), "nodes": ("company", "site")}
"""Columns that hold names of companies and sites, by table."""
LEAST_LIKE = 82.0
MOST_VALUES = 10


def mend_references(converted: Converted, known: Collection[str], terms: Terms) -> None:
    """Report labels of products that nobody knows, and take the suggestions that were accepted.

    Parameters
    ----------
    converted : Converted
        Changed in place.
    known : collection of str
        Labels that the project and this import list as products; empty where none are listed yet.
    terms : Terms
    """
    if not known:
        return
    for column in REFERENCES.get(converted.table, ()):
        if column not in converted.frame.columns:
            continue
        labels = converted.frame[column].cast(pl.String)
        unknown = labels.is_not_null() & ~labels.is_in(list(known)) & (labels != "*")
        values = labels.filter(unknown).unique(maintain_order=True).to_list()
        guesses = _nearest_labels(values, known)
        if "E104" in terms.accepted:
            taken = {v: g for v, g in guesses.items() if g is not None}
            converted.frame = converted.frame.with_columns(labels.replace(taken).alias(column))
            converted.codes.setdefault(column, {}).update(taken)
            unknown &= ~labels.is_in(list(taken))
        converted.each(
            "E104", column, unknown, labels,
            partial(_unlisted, guesses),
        )  # fmt: skip


def _unlisted(guesses: Mapping[str, str | None], value: str) -> tuple[str, str | None]:
    return "no such product is listed", guesses.get(value)


def _perhaps_same(pairs: Mapping[str, str], value: str) -> tuple[str, str | None]:
    return f"may be the same as {shorten(pairs[value])}", pairs[value]


def _nearest_labels(values: list[str], known: Collection[str]) -> dict[str, str | None]:
    """Return the known label that each value is nearest to: a lost zero, another case, a slip."""
    from rapidfuzz import fuzz, process

    folded: dict[str, list[str]] = {}
    bare: dict[str, list[str]] = {}
    for label in known:
        folded.setdefault(fold(label), []).append(label)
        bare.setdefault(fold(label).lstrip("0"), []).append(label)
    keys = list(folded)
    found: dict[str, str | None] = {}
    for value in values:
        key = fold(value)
        same = folded.get(key) or bare.get(key.lstrip("0") or "0") or []
        if len(same) == 1:
            found[value] = same[0]
            continue
        digits = "".join(c for c in key if c.isdigit())
        near = process.extract(key, keys, scorer=fuzz.ratio, score_cutoff=LEAST_LIKE, limit=2)
        near = [n for n in near if "".join(c for c in n[0] if c.isdigit()) == digits]
        alone = len(near) == 1 or (len(near) == 2 and near[0][1] > near[1][1])
        found[value] = folded[near[0][0]][0] if near and alone else None
    return found


def mend_recipe_units(converted: Converted, units: Mapping[str, str]) -> None:
    """Convert quantities of recipes into the unit of their item; a clash is an error.

    Parameters
    ----------
    converted : Converted
        Changed in place.
    units : mapping of str to str
        Unit of each product.
    """
    frame = converted.frame
    if converted.table != "recipes" or not {"unit", "child", "qty_per_unit"} <= set(frame.columns):
        return
    stated = frame["unit"].to_list()
    quantities = frame["qty_per_unit"].to_list()
    changed, clash = [], []
    new_units = list(stated)
    for row, (child, unit) in enumerate(zip(frame["child"].to_list(), stated, strict=True)):
        ours = units.get(child)
        if unit is None or ours is None or fold(unit) == fold(ours):
            continue
        one, two = canonical_unit(unit), canonical_unit(ours)
        if one is None or two is None:
            continue
        factor = amount_factor(one, two)
        if factor is None:
            clash.append(row)
        else:
            new_units[row] = ours
            if factor != 1.0 and quantities[row] is not None:
                quantities[row] *= factor
                changed.append(row)
    converted.frame = frame.with_columns(
        pl.Series("qty_per_unit", quantities, dtype=pl.Float64),
        pl.Series("unit", new_units, dtype=pl.String),
    )
    if changed:
        what = "quantities were converted into the unit of their item"
        converted.findings.append(
            make_finding("N723", what, origin=converted.origin, index=changed[0],
                         column="qty_per_unit", count=len(changed))
        )  # fmt: skip
        converted.said["qty_per_unit"] = f"{len(changed)} converted into the unit of the item"
    where = pl.Series([i in set(clash) for i in range(frame.height)], dtype=pl.Boolean)
    converted.report(
        "E205", "the item is counted in a unit of another kind", "unit", where, frame["unit"]
    )


def suggest_names(
    converted: Converted, trusted: Mapping[str, Collection[str]], terms: Terms
) -> None:
    """Report names that may be other spellings of one company or site; take those accepted.

    Parameters
    ----------
    converted : Converted
        Changed in place.
    trusted : mapping of str to (collection of str)
        Names that the project has already, by column.
    terms : Terms
    """
    for column in NAMED.get(converted.table, ()):
        if column not in converted.frame.columns:
            continue
        names = converted.frame[column].cast(pl.String)
        pairs = {
            s.name: s.other
            for s in same_names(names.drop_nulls().to_list(), trusted.get(column, ()))
        }
        if not pairs:
            continue
        if "W723" in terms.accepted:
            converted.frame = converted.frame.with_columns(names.replace(pairs).alias(column))
            converted.codes.setdefault(column, {}).update(pairs)
            converted.said[column] = f"{len(pairs)} spellings put together"
            continue
        converted.each(
            "W723", column, names.is_in(list(pairs)), names,
            partial(_perhaps_same, pairs),
        )  # fmt: skip
