"""National tables of the WIOD 2016 release: domestic and imported flows of 56 industries.

A row is a country, an industry and an origin (Domestic, Imports), or one of the totals rows
(II_fob, TXSP, EXP_adj, PURR, PURNR, VA, IntTTM, GO; origin TOT); columns are the industries, five
categories of final demand, EXP (exports) and GO (output). One country is read at a time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from withstand.model.blocs import country_of
from withstand.model.findings import listed, make_finding, nearest
from withstand.model.national import REST, NationalTable, as_economy
from withstand.readers.mrio_draft import Draft, Wanted, numbers_of, refuse
from withstand.readers.mrio_frames import read_frame

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np

FINAL = ("CONS_h", "CONS_np", "CONS_g", "GFCF", "INVEN")
EXPORTS, OUTPUT = "EXP", "GO"
KEYS = ("Code", "Origin")
COSTS = ("TXSP", "EXP_adj", "PURR", "PURNR", "VA", "IntTTM")
"""Rows that with the purchases make up output; II_fob is the sum of purchases."""
KEPT = {
    "VA": "value added at basic prices",
    "TXSP": "taxes less subsidies on products",
    "IntTTM": "international transport margins",
}


def read_niot(wanted: Wanted) -> Draft:
    """Read the table of one country: `home` names it where the file holds several."""
    frame = _rows_of(read_frame(wanted), wanted)
    missing = [c for c in (*KEYS, *FINAL, EXPORTS, OUTPUT) if c not in frame.columns]
    if missing:
        raise refuse(wanted, "E101", f"columns are missing: {listed(missing)}", column=missing[0])
    origin = frame["Origin"].cast(pl.String)
    home_rows, imported = frame.filter(origin == "Domestic"), frame.filter(origin == "Imports")
    codes = home_rows["Code"].cast(pl.String).to_list()
    _check_codes(codes, imported, frame, wanted)
    totals = {
        code: numbers_of(
            frame.filter(origin == "TOT", pl.col("Code") == code).select(codes), wanted
        )
        for code in (*COSTS, OUTPUT)
    }
    n = len(codes)
    table = NationalTable(
        flows=numbers_of(home_rows.select(codes), wanted),
        final=numbers_of(home_rows.select(*FINAL, EXPORTS), wanted),
        imports=numbers_of(imported.select(codes), wanted),
        final_imports=numbers_of(imported.select(*FINAL, EXPORTS), wanted),
        output=totals[OUTPUT][0],
    )
    flows, final, output, value_added = as_economy(table)
    value_added[:n] = sum(totals[code][0] for code in COSTS)
    country, year = _country(frame), _year(frame)
    nodes = {
        "product": codes * 2,
        "region": [country] * n + [REST] * n,
        "output": output,
        "value_added": value_added,
    }
    regions = [country] * len(FINAL) + [REST]
    draft = Draft(
        flows=flows,
        final=final,
        nodes=pl.DataFrame(nodes),
        final_columns=pl.DataFrame({"region": regions, "category": [*FINAL, EXPORTS]}),
        name=f"{country} {year}" if year else country,
        currency="million USD",
        year=year,
        home=country,
        product_names=_names(home_rows),
        region_names={REST: "Rest of the world (imports and exports)"},
        extensions=_kept(totals, codes, country),
        sources=[
            ("layout", f"{wanted.path.name}: WIOD 2016 national table, country {country}"),
            (
                "valuation",
                "basic prices, current million USD; value added of a node holds taxes less "
                "subsidies on products and international transport margins, so that purchases "
                "and value added make up output",
            ),
            ("imports", f"one region {REST} that supplies; its own inputs are not known"),
        ],
    )
    what = f"the {n} nodes of {REST} supply imports and buy nothing; exports are final demand there"
    draft.findings.append(make_finding("N210", what, origin=wanted.origin, count=n))
    return draft


def _rows_of(frame: pl.DataFrame, wanted: Wanted) -> pl.DataFrame:
    """Return the rows of one country and year."""
    if "country" in frame.columns:
        labels = frame["country"].cast(pl.String)
        known = labels.drop_nulls().unique(maintain_order=True).to_list()
        chosen = _chosen(wanted.home, known)
        if chosen is None:
            said = "no country was named" if wanted.home is None else f"none is '{wanted.home}'"
            raise refuse(
                wanted, "E126", f"the file holds the tables of {listed(known, 60)}; {said}",
                column="country", value=wanted.home,
                suggestion=nearest(wanted.home, known) if wanted.home else None,
                fix="Name one of them: home='DEU'.",
            )  # fmt: skip
        frame = frame.filter(labels == chosen)
    if "Year" not in frame.columns:
        return frame
    frame = frame.with_columns(pl.col("Year").cast(pl.Int64, strict=False))
    if frame["Year"].n_unique() > 1:
        years = sorted(frame["Year"].drop_nulls().unique().to_list())
        if wanted.year not in years:
            raise refuse(wanted, "E126", f"the file holds the years {listed(years, 60)}",
                         column="Year", value=wanted.year)  # fmt: skip
        frame = frame.filter(pl.col("Year") == wanted.year)
    return frame


def _chosen(home: str | None, known: Sequence[str]) -> str | None:
    if home is None:
        return known[0] if len(known) == 1 else None
    if home in known:
        return home
    country = country_of(home)
    same = [label for label in known if country is not None and country_of(label) == country]
    return same[0] if len(same) == 1 else None


def _check_codes(
    codes: list[str], imported: pl.DataFrame, frame: pl.DataFrame, wanted: Wanted
) -> None:
    if not codes:
        raise refuse(wanted, "E125", "no row has the origin 'Domestic'", column="Origin")
    missing = [code for code in codes if code not in frame.columns]
    if missing:
        what = f"industries without a column: {listed(missing)}"
        raise refuse(wanted, "E101", what, column=missing[0], count=len(missing))
    others = imported["Code"].cast(pl.String).to_list()
    if sorted(others) != sorted(codes) or others != codes:
        odd = [c for c in codes if c not in others] or [c for c in others if c not in codes]
        what = f"the rows of imports are not those of home: {listed(odd or ['their order'])}"
        raise refuse(wanted, "E125", what, column="Code", value=odd[0] if odd else None)
    totals = frame.filter(frame["Origin"].cast(pl.String) == "TOT")["Code"].cast(pl.String)
    lost = [code for code in (*COSTS, OUTPUT) if (totals == code).sum() != 1]
    if lost:
        what = f"one row each with the origin TOT is expected of {listed(lost, 10)}"
        raise refuse(wanted, "E101", what, column="Code", value=lost[0])


def _country(frame: pl.DataFrame) -> str:
    return str(frame["country"].cast(pl.String)[0]) if "country" in frame.columns else "HOME"


def _year(frame: pl.DataFrame) -> int | None:
    return frame["Year"][0] if "Year" in frame.columns else None


def _names(rows: pl.DataFrame) -> dict[str, str]:
    if "Description" not in rows.columns:
        return {}
    pairs = rows.select(pl.col("Code", "Description").cast(pl.String)).drop_nulls()
    return dict(pairs.iter_rows())


def _kept(totals: dict[str, np.ndarray], codes: list[str], country: str) -> pl.DataFrame:
    """Return the parts of value added as extensions of the home nodes."""
    nodes = [f"{code}@{country}" for code in codes]
    return pl.concat(
        pl.DataFrame({"node": nodes, "name": name, "value": totals[row][0], "unit": "million USD"})
        for row, name in KEPT.items()
    )
