"""Columns of words in our words: regions, choices, yes and no, codes of customs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import polars as pl

from withstand.model.findings import make_finding, shorten
from withstand.readers.mapping.evidence import choice_words
from withstand.readers.mapping.region_names import region_of, same_codes, suggested_region
from withstand.readers.mapping.vocabulary import fold

if TYPE_CHECKING:
    from withstand.readers.mapping.converted import Converted, Terms
    from withstand.readers.mapping.targets import TargetColumn
    from withstand.readers.messy.blocks import Block


def decided(cells: pl.Series, ours: str, terms: Terms, out: Converted) -> pl.Series:
    """Put in the values that were decided upon."""
    known = terms.codes.get(ours, {})
    if not known:
        return cells
    used = {c: known[c] for c in cells.drop_nulls().unique().to_list() if c in known}
    out.codes[ours] = used
    if used:
        shown = ", ".join(f"{shorten(a)} -> {shorten(b)}" for a, b in list(used.items())[:3])
        out.said[ours] = f"decided before: {shown}"
    return cells.replace(used) if used else cells


def region_column(
    block: Block, i: int, column: TargetColumn, terms: Terms, out: Converted
) -> tuple[str, pl.Series]:
    """Return codes of regions: known names become codes, near ones are suggested."""
    cells = decided(block.cells[i], column.name, terms, out)
    home = terms.settings.home
    values = cells.drop_nulls().unique(maintain_order=True).to_list()
    known = {v: region_of(v) for v in values if v != home}
    coded = same_codes({v: c for v, c in known.items() if c is not None})
    changed = {v: c for v, c in coded.items() if c != v}
    unknown = [v for v, c in known.items() if c is None]
    guesses = {v: suggested_region(v) for v in unknown}
    if "E104" in terms.accepted:
        taken = {v: g for v, g in guesses.items() if g is not None}
        changed |= taken
        out.codes.setdefault(column.name, {}).update(taken)
        unknown = [v for v in unknown if v not in taken]
    if changed:
        shown = ", ".join(f"{shorten(v)} -> {c}" for v, c in list(changed.items())[:3])
        before = out.said.get(column.name)
        said = f"{len(changed)} names -> codes ({shown})"
        out.said[column.name] = f"{before}; {said}" if before else said
        out.findings.append(
            make_finding("N722", f"names of countries became codes: {shown}", origin=out.origin,
                         column=column.name, count=int(cells.is_in(list(changed)).sum()))
        )  # fmt: skip
    judged = [v for v in unknown if _may_be_country(v, guesses)]
    if column.name != "region" or out.table != "regions":
        out.each(
            "E104", column.name, cells.is_in(judged), cells,
            lambda v: ("not a country code or known name", guesses.get(v)),
        )  # fmt: skip
    return column.name, cells.replace(changed) if changed else cells


def _may_be_country(value: str, guesses: Mapping[str, str | None]) -> bool:
    """Tell whether an unknown label must be judged: labels of regions of one's own are let be."""
    return guesses.get(value) is not None or not (value.isupper() and value.isascii())


def choice_column(
    block: Block, i: int, column: TargetColumn, terms: Terms, out: Converted
) -> tuple[str, pl.Series]:
    """Return a choice in our words."""
    cells = decided(block.cells[i], column.name, terms, out)
    words = choice_words()[column.kind]
    is_text = column.rule.type == "text"
    values = cells.drop_nulls().unique(maintain_order=True).to_list()
    changed = {}
    unknown = []
    for value in values:
        meant = words.get(fold(value))
        if is_text and "hour" in value.casefold():
            continue
        if meant is None:
            unknown.append(value)
        elif meant != value and not (column.kind == "class" and value in "012"):
            changed[value] = meant
    guesses = {v: _near_word(v, words) for v in unknown}
    if "E109" in terms.accepted:
        taken = {v: g for v, g in guesses.items() if g is not None}
        changed |= taken
        out.codes.setdefault(column.name, {}).update(taken)
        unknown = [v for v in unknown if v not in taken]
    expected = ", ".join(column.rule.choices) or "consumed, hours, hosted"
    out.each("E109", column.name, cells.is_in(unknown), cells,
             lambda v: (f"expected one of {expected}", guesses.get(v)))  # fmt: skip
    if changed:
        shown = ", ".join(f"{shorten(v)} -> {c}" for v, c in list(changed.items())[:3])
        out.said[column.name] = f"words of ours: {shown}"
    return column.name, cells.replace(changed) if changed else cells


def _near_word(value: str, words: Mapping[str, str]) -> str | None:
    from rapidfuzz import fuzz, process

    best = process.extractOne(fold(value), list(words), scorer=fuzz.ratio, score_cutoff=80)
    return None if best is None else words[best[0]]


def yesno_column(
    block: Block, i: int, column: TargetColumn, terms: Terms, out: Converted
) -> tuple[str, pl.Series]:
    """Return yes and no."""
    cells = block.cells[i]
    found = block.yesno(i)
    bad = found.is_null() & cells.is_not_null()
    out.each("E109", column.name, bad, cells, lambda _: ("expected yes or no", None))
    words = {True: "yes", False: "no"}
    return column.name, found.replace_strict(words, default=None, return_dtype=pl.String)


def customs_column(
    block: Block, i: int, column: TargetColumn, terms: Terms, out: Converted
) -> tuple[str, pl.Series]:
    """Return codes of the Harmonized System without marks; a lost zero is pointed at."""
    cells = decided(block.cells[i], column.name, terms, out)
    marked = cells.str.contains(r"^\d{2,4}([. ]\d{2}){1,4}$").fill_null(value=False)
    plain = cells.zip_with(~marked, cells.str.replace_all(r"[. ]", ""))
    if marked.any():
        out.said[column.name] = "points taken out of codes"
    short = plain.str.contains(r"^[1-9]\d{2}(\d{2}){0,3}$").fill_null(value=False)
    if "W724" in terms.accepted:
        values = plain.filter(short).unique().to_list()
        out.codes.setdefault(column.name, {}).update({v: "0" + v for v in values})
        return column.name, plain.zip_with(~short, "0" + plain)
    out.each("W724", column.name, short, plain,
             lambda v: ("the code has an odd number of digits", "0" + v))  # fmt: skip
    return column.name, plain


def unit_column(
    block: Block, i: int, column: TargetColumn, terms: Terms, out: Converted
) -> tuple[str, pl.Series]:
    """Return units as they stand."""
    return column.name, decided(block.cells[i], column.name, terms, out)
