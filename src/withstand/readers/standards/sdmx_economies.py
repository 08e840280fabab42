"""Input-output tables in SDMX into economies: between countries, or national with imports."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from withstand.errors import DataError
from withstand.model.balances import rounding_of
from withstand.model.codes.code_lists import sections
from withstand.model.economy import build_economy
from withstand.model.findings import Finding, Origin, listed, make_finding
from withstand.model.national import NEGATIVE_FLOWS, REST, NationalTable, as_economy
from withstand.model.settings import Settings
from withstand.readers.standards.sdmx_table import MEASURE, MULTIPLIER, TIME, SdmxTable

if TYPE_CHECKING:
    from withstand.model.network import ProductionNetwork

Array = np.ndarray
SELLERS = ("ind_ava", "prd_ava", "row_pi", "rowii", "t_rows2", "row", "input_activity")
BUYERS = ("ind_use", "prd_use", "col_pi", "colii", "t_cols2", "column", "output_activity")
SELLER_REGIONS = ("c_orig", "refarea", "ref_area", "exporter")
BUYER_REGIONS = ("c_dest", "counterpartarea", "counterpart_area", "importer")
COUNTRY = ("geo", "ref_area", "reference_area")
STOCK_FLOW = "stk_flow"
FINAL = ("P3_S13", "P3_S14", "P3_S15", "P51G", "P52", "P53", "P5M", "P52_P53", "P6",
         "HFCE", "NPISH", "GGFC", "GFCF", "INVNT", "DPABR", "NONRES")  # fmt: skip
"""Final uses that are no sum of others; P3, P5 and P3_P5 hold others and count where none is."""
SUMS = ("P3", "P5")
UNITS = {
    "MIO_EUR": "million EUR",
    "THS_EUR": "thousand EUR",
    "MIO_NAC": "million national currency",
}


def economy_of_sdmx(
    table: SdmxTable,
    *,
    year: int | None = None,
    home: str | None = None,
    seller: str | None = None,
    buyer: str | None = None,
    seller_region: str | None = None,
    buyer_region: str | None = None,
) -> ProductionNetwork:
    """Return an input-output table in SDMX as an economy.

    Two shapes are known: tables between countries (a region of the seller and one of the buyer, as
    in `naio_10_fcp_...`) and national tables (one region, and `stk_flow` with DOM and IMP, as in
    naio_10_cp1750), whose imports come from one region ROW. Output is the sum of the row.

    Parameters
    ----------
    table : SdmxTable
    year : int, optional
        Needed where the file holds several.
    home : str, optional
        Home region; in national tables the country that is read.
    seller, buyer, seller_region, buyer_region : str, optional
        Dimensions, where their names are not the usual ones (ind_ava and ind_use, prd_ava and
        prd_use; c_orig and c_dest).

    Raises
    ------
    DataError
        If the dimensions do not say who sells to whom, or more than one table is left.
    """
    origin = Origin(table.structure or "SDMX table")
    sides = (_find(table, seller, SELLERS, "seller", origin),
             _find(table, buyer, BUYERS, "buyer", origin))  # fmt: skip
    regions = [
        table.named(given) if given else _usual(table, usual)
        for given, usual in ((seller_region, SELLER_REGIONS), (buyer_region, BUYER_REGIONS))
    ]
    between = regions[0] is not None and regions[1] is not None and regions[0] != regions[1]
    used = [*sides, *([x for x in regions if x] if between else [])]
    rows = table.frame.with_columns(table.values()).filter(pl.col(MEASURE).is_not_null())
    findings = list(table.findings)
    flow = None if between else _usual(table, (STOCK_FLOW,))
    country = None if between else _usual(table, COUNTRY)
    if flow is not None:
        used.append(flow)
        rows = rows.filter(pl.col(flow).is_in(["DOM", "IMP"]))
        if not (rows[flow] == "DOM").any():
            raise _unfit(
                f"{flow} has no DOM (domestic flows): imports cannot be told apart", origin
            )
    rows = _one_table(table, rows, used, country, year, home, origin)
    if between:
        return _inter_country(table, rows, sides, regions, home, origin, findings)
    return _national(table, rows, sides, flow, country, origin, findings)


def _unfit(what: str, origin: Origin) -> DataError:
    return DataError([make_finding("E746", what, origin=origin)])


def _usual(table: SdmxTable, usual: Sequence[str]) -> str | None:
    folded = {x.casefold(): x for x in table.dimensions}
    return next((folded[x] for x in usual if x in folded), None)


def _find(
    table: SdmxTable, given: str | None, usual: Sequence[str], said: str, origin: Origin
) -> str:
    found = table.named(given) if given else _usual(table, usual)
    if found is None:
        what = (
            f"no dimension says the {said} ({', '.join(usual[:3])} ...); there are "
            f"{', '.join(table.dimensions)}"
        )
        raise DataError([make_finding("E746", what, origin=origin, fix=f"Name it: {said}='...'.")])
    return found


def _one_table(  # noqa: C901  one refusal a kind of dimension
    table: SdmxTable, rows: pl.DataFrame, used: list[str], country: str | None,
    year: int | None, home: str | None, origin: Origin,
) -> pl.DataFrame:  # fmt: skip
    """Return the rows of one year, country and unit; refuse what leaves several tables."""
    time = next((x for x in table.dimensions if x.upper() == TIME), None)
    if time is not None and year is not None:
        rows = rows.filter(pl.col(time).str.head(4) == str(year))
        if rows.is_empty():
            raise _unfit(f"there are no observations of {year}", origin)
    if country is not None and home is not None:
        rows = rows.filter(pl.col(country) == home)
        if rows.is_empty():
            raise _unfit(f"{country} has no '{home}'", origin)
    for name in table.dimensions:
        if name not in used:
            codes = rows[name].drop_nulls().unique(maintain_order=True).to_list()
            if len(codes) > 1:
                what = f"several tables: {name} has the codes {listed(sorted(codes), 10)}"
                fix = f"Choose one: table.filter({{'{name}': '...'}})."
                if name == time:
                    fix = "Name the year: year=2020."
                elif name == country:
                    fix = "Name the country: home='AT'."
                raise DataError([make_finding("E746", what, origin=origin, fix=fix)])
    if rows.is_empty():
        raise _unfit("no observation is available", origin)
    return rows


def _codes(
    rows: pl.DataFrame, sides: tuple[str, str], origin: Origin, findings: list[Finding]
) -> tuple[list[str], list[str]]:
    """Return the industries or products (on both sides), and the final uses; sums are left out."""
    sellers = rows[sides[0]].drop_nulls().unique(maintain_order=True).to_list()
    buyers = rows[sides[1]].drop_nulls().unique(maintain_order=True).to_list()
    there = set(buyers)
    final = [x for x in FINAL if x in there]
    final += [x for x in SUMS if x in there and not any(y.startswith(x) for y in final)]
    either = list(dict.fromkeys([*sellers, *buyers]))
    both = [
        x for x in either if x not in final and ((x in there and x in sellers) or _is_industry(x))
    ]
    leaves = [x for x in both if not _is_sum(x, both)]
    if not leaves or not final:
        raise _unfit(
            f"{sides[0]} and {sides[1]} share {len(leaves)} codes, and {len(final)} of "
            f"{sides[1]} are final uses ({', '.join(FINAL[:5])} ...)", origin,
        )  # fmt: skip
    kept = {*leaves, *final}
    left = sorted({*sellers, *buyers} - kept)
    if left:
        what = f"codes that are sums or no industry are left out: {listed(left, 10)}"
        findings.append(make_finding("W745", what, origin=origin, count=len(left)))
    return leaves, final


def _is_industry(code: str) -> bool:
    """Tell whether a code is a section or division of NACE, and no account such as D21 or P51G.

    An industry may sell only, or buy only, and then stands on one side.
    """
    plain = code.removeprefix("CPA_")
    found = re.fullmatch(r"([A-U])(?:([0-9]{2})(?:[-_T][A-U]?[0-9]{2})?)?", plain)
    return found is not None and (found[2] is None or sections().get(found[2]) == found[1])


def _is_sum(code: str, others: Sequence[str]) -> bool:
    """Tell whether a code is a total, or a section of which divisions are there too."""
    plain = code.removeprefix("CPA_")
    if plain.upper() in ("TOTAL", "TOT", "_T", "TOT_IND"):
        return True
    if not re.fullmatch(r"[A-U](-[A-U])?", plain):
        return False
    first, _, last = plain.partition("-")
    letters = {chr(k) for k in range(ord(first), ord(last or first) + 1)}
    return any(
        x != code and (short := x.removeprefix("CPA_"))[:1] in letters and (
            short[1:2].isdigit() or ("-" in plain and len(short) == 1)
        )
        for x in others
    )  # fmt: skip


def _matrix(
    rows: pl.DataFrame, keys: list[pl.Expr], labels: tuple[dict[str, int], dict[str, int]]
) -> Array:
    """Return the values at two labels as a matrix; rows with other labels are passed over."""
    pairs = rows.select(keys[0].alias("a"), keys[1].alias("b"), MEASURE)
    at = [
        pairs[x].replace_strict(known, default=None, return_dtype=pl.Int64)
        for x, known in zip("ab", labels, strict=True)
    ]
    is_known = (at[0].is_not_null() & at[1].is_not_null()).to_numpy()
    out = np.zeros((len(labels[0]), len(labels[1])))
    where = tuple(x.fill_null(0).to_numpy()[is_known] for x in at)
    np.add.at(out, where, pairs[MEASURE].to_numpy()[is_known])
    return out


def _inter_country(
    table: SdmxTable, rows: pl.DataFrame, sides: tuple[str, str], regions: list[str | None],
    home: str | None, origin: Origin, findings: list[Finding],
) -> ProductionNetwork:  # fmt: skip
    codes, final = _codes(rows, sides, origin, findings)
    sellers = rows.filter(pl.col(sides[0]).is_in(codes))
    known = sellers[regions[0]].drop_nulls().unique(maintain_order=True).to_list()  # type: ignore[index]
    buyers = set(rows[regions[1]].drop_nulls())  # type: ignore[index]
    labels = [r for r in known if r in buyers]
    left = sorted({*known, *buyers} - set(labels))
    if left:
        what = f"regions on one side only are left out: {listed(left)}"
        findings.append(make_finding("W745", what, origin=origin, count=len(left)))
    if not labels:
        raise _unfit("no region sells and buys", origin)
    keys = [
        pl.concat_str(pl.col(str(region)), pl.col(side), separator="\x1f")
        for region, side in zip(regions, sides, strict=True)
    ]
    nodes = [(r, c) for r in labels for c in codes]
    uses = [(r, c) for r in labels for c in final]
    row_at = {"\x1f".join(x): k for k, x in enumerate(nodes)}
    use_at = {"\x1f".join(x): k for k, x in enumerate(uses)}
    frame = pl.DataFrame(
        {"product": _plain([c for _, c in nodes]), "region": [r for r, _ in nodes]}
    )
    return _build(
        table, _matrix(rows, keys, (row_at, row_at)), _matrix(rows, keys, (row_at, use_at)),
        frame, pl.DataFrame(uses, schema=["region", "category"], orient="row"),
        home, rows, origin, findings,
    )  # fmt: skip


def _plain(codes: list[str]) -> list[str]:
    return [x.removeprefix("CPA_") for x in codes] if all("CPA_" in x for x in codes) else codes


def _national(
    table: SdmxTable, rows: pl.DataFrame, sides: tuple[str, str], flow: str | None,
    country: str | None, origin: Origin, findings: list[Finding],
) -> ProductionNetwork:  # fmt: skip
    if flow is None:
        what = (
            f"neither two regions ({SELLER_REGIONS[0]}, {BUYER_REGIONS[0]}) nor {STOCK_FLOW} are "
            f"dimensions; there are {', '.join(table.dimensions)}"
        )
        raise _unfit(what, origin)
    codes, final = _codes(rows, sides, origin, findings)
    keys = [pl.col(sides[0]), pl.col(sides[1])]
    at = {c: k for k, c in enumerate(codes)}
    use_at = {c: k for k, c in enumerate(final)}
    part = {kind: rows.filter(pl.col(flow) == kind) for kind in ("DOM", "IMP")}
    found = {
        kind: (_matrix(x, keys, (at, at)), _matrix(x, keys, (at, use_at)))
        for kind, x in part.items()
    }
    output = found["DOM"][0].sum(axis=1) + found["DOM"][1].sum(axis=1)
    national = NationalTable(
        flows=found["DOM"][0], final=found["DOM"][1], imports=found["IMP"][0],
        final_imports=found["IMP"][1], output=output,
    )  # fmt: skip
    flows, uses, output, value_added = as_economy(national)
    place = str(rows[country][0]) if country is not None else "HOME"
    labels = _plain(codes)
    nodes = pl.DataFrame(
        {
            "product": labels * 2,
            "region": [place] * len(codes) + [REST] * len(codes),
            "output": output,
            "value_added": value_added,
        }
    )
    of_final = [REST if x == "P6" else place for x in final]
    n = len(codes)
    what = f"the {n} nodes of {REST} supply imports and buy nothing; exports are final demand there"
    findings.append(make_finding("N210", what, origin=origin, count=n))
    return _build(
        table, flows, uses, nodes, pl.DataFrame({"region": of_final, "category": final}), place,
        rows, origin, findings,
    )  # fmt: skip


def _build(
    table: SdmxTable, flows: Array, final: Array, nodes: pl.DataFrame, uses: pl.DataFrame,
    home: str | None, rows: pl.DataFrame, origin: Origin, findings: list[Finding],
) -> ProductionNetwork:  # fmt: skip
    negative = flows < 0
    if negative.any():
        row, column = np.nonzero(negative)
        moved = np.zeros((len(flows), 1))
        np.add.at(moved[:, 0], row, flows[row, column])
        what = f"{len(row):,} negative flows, {moved.sum():,.6g} in all, were moved to final demand"
        findings.append(make_finding("N207", what, origin=origin, count=len(row)))
        if "value_added" in nodes.columns:
            less = np.bincount(column, flows[row, column], len(flows))
            nodes = nodes.with_columns(value_added=pl.col("value_added") + pl.Series(less))
        flows = np.where(negative, 0.0, flows)
        final = np.hstack([final, moved])
        region = str(nodes["region"][0])
        more = pl.DataFrame({"region": [region], "category": [NEGATIVE_FLOWS]})
        uses = pl.concat([uses, more])
    time = next((x for x in table.dimensions if x.upper() == TIME), None)
    facts = [("layout", f"{table.structure}: SDMX"), ("valuation", _unit(table, rows))]
    facts += [("year", str(rows[time][0]))] if time is not None else []
    facts += [("updated", table.updated)] if table.updated else []
    sources = pl.DataFrame(facts, schema=["source", "statement"], orient="row")
    regions = dict.fromkeys([*nodes["region"].to_list(), *uses["region"].to_list()])
    return build_economy(
        flows, final,
        {"nodes": nodes, "sources": sources, "regions": pl.DataFrame({"region": list(regions)})},
        uses,
        Settings(name=table.structure or "SDMX", lens="economy", period="year",
                 currency=_unit(table, rows), home=home),
        tolerance=rounding_of(flows, final),
        origins=dict.fromkeys(("nodes", "flows", "final", "sources", "regions"), origin),
        findings=findings,
    )  # fmt: skip


def _unit(table: SdmxTable, rows: pl.DataFrame) -> str:
    name = next((x for x in rows.columns if x.casefold() in ("unit", "unit_measure")), None)
    code = "" if name is None else str(rows[name][0] or "")
    scaled = any(x.upper() == MULTIPLIER for x in rows.columns)
    return UNITS.get(code, code) if not scaled else code
