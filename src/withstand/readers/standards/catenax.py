"""Catena-X bills as planned and stocks into a network of a plant."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from withstand.errors import DataError, UsageError
from withstand.model.building import build_network
from withstand.model.findings import Finding, Origin, listed, make_finding, shorten, sort_findings
from withstand.model.settings import Settings
from withstand.readers.firms import UNSTATED_REGION
from withstand.readers.standards.catenax_payloads import CatenaxTables, catenax_tables, moment
from withstand.readers.standards.catenax_units import UNITS, factor

if TYPE_CHECKING:
    from withstand.model.network import ProductionNetwork

ROOT = "own"
"""Stands for the company in the label of a part that nobody is said to supply."""


def read_catenax(
    path: str | os.PathLike[str],
    *,
    on: str | date | None = None,
    demand: float | Mapping[str, float] = 1.0,
    regions: Mapping[str, str] | None = None,
    home: str | None = None,
    name: str | None = None,
    period: str = "week",
) -> ProductionNetwork:
    """Read Catena-X payloads (SingleLevelBomAsPlanned, ItemStock) into a network of a plant.

    Each part and supplier becomes a node `part@BPNL`; a part that no bill names as a child is an
    end product. Several suppliers of a child share it equally, for the standard says no shares.
    Stocks of the customer (INBOUND, not blocked) become stocks of the nodes that use the part, in
    proportion to their use; finished goods of suppliers (OUTBOUND) and blocked goods are left out,
    with a finding.

    Parameters
    ----------
    path : str or path
        JSON file (one payload, a list, or a wrapper), JSON lines, or a folder of such files.
    on : str or date, optional
        Only lines of bills that are valid on this day. Default: all; of lines of one part and
        supplier whose periods follow each other the latest counts.
    demand : float or mapping of str to float, units per period
        Final demand of every end product, or of each by its id. Default 1.
    regions : mapping of str to str, optional
        Region of each BPNL: the payloads say none. Default "unstated".
    home : str, optional
        Home region; end products stand there.
    name : str, optional
        Default: the name of the file.
    period : {"day", "week", "month", "quarter", "year"}

    Returns
    -------
    ProductionNetwork
        With the lens "plant".

    Raises
    ------
    DataError
        With every fault: missing fields, a part made of itself.

    Examples
    --------
    >>> import json, tempfile
    >>> a, b = ("055c1128-0375-47c8-98de-7cf802c324%02d" % k for k in (1, 2))
    >>> bill = {"catenaXId": "urn:uuid:" + a, "childItems": [{
    ...     "catenaXId": "urn:uuid:" + b, "quantity": {"value": 20.0, "unit": "unit:piece"},
    ...     "createdOn": "2022-02-03T14:48:54.709Z", "businessPartner": "BPNL50096894aNXY"}]}
    >>> with tempfile.TemporaryDirectory() as place:
    ...     file = open(place + "/bill.json", "w")
    ...     _ = file.write(json.dumps(bill)); file.close()
    ...     network = read_catenax(place, demand=3.0)
    >>> network.output.tolist()
    [3.0, 60.0]
    """
    source = Path(path)
    tables = catenax_tables(source)
    origin = Origin(shorten(source.name))
    findings = list(tables.findings)
    bill = _valid(tables.bill, on, origin, findings)
    if bill.is_empty():
        raise DataError([make_finding("E741", "no line of a bill counts", origin=origin)])
    _refuse_cycles(bill, origin, findings)
    tables, bill = _split(tables, bill, origin, findings)
    units = _units(tables, bill, origin, findings)
    lines = _lines(bill, units, origin, findings)
    nodes = _nodes(tables, lines, demand, regions or {}, home, origin, findings)
    settings = Settings(name=name or shorten(source.stem), lens="plant", home=home, period=period)
    _tell_leaves(tables, lines, origin, findings)
    network = build_network(
        {
            "products": _products(tables, lines, units),
            "nodes": nodes.drop("item"),
            "recipes": _recipes(lines, nodes),
            "links": _links(lines, nodes, origin, findings),
        },
        settings,
        origins=dict.fromkeys(("products", "nodes", "recipes", "links", "stocks"), origin),
        findings=findings,
    )
    return _with_stocks(network, tables, units, origin)


def _valid(
    bill: pl.DataFrame, on: str | date | None, origin: Origin, findings: list[Finding]
) -> pl.DataFrame:
    """Return the lines that are valid on a day; without one, the latest of successive lines."""
    if on is not None:
        start, end = _day(on)
        kept = bill.filter(
            pl.col("valid_from").is_null() | (pl.col("valid_from") <= end),
            pl.col("valid_to").is_null() | (pl.col("valid_to") >= start),
        )
        if kept.height < bill.height:
            what = f"{bill.height - kept.height:,} lines of bills are not valid on {on}"
            findings.append(make_finding("N742", what, origin=origin, count=bill.height))
        return kept
    rows: list[dict[str, Any]] = []
    for key, group in bill.group_by("parent", "child", "supplier", maintain_order=True):
        lines = sorted(group.to_dicts(), key=lambda x: x["valid_from"] or _FIRST)
        last = lines[-1]
        overlapping = [
            x for x in lines if (x["valid_to"] or _LAST) >= (last["valid_from"] or _FIRST)
        ]
        rows += overlapping
        if len(overlapping) < len(lines):
            what = f"of {len(lines)} lines whose periods follow each other the latest counts"
            findings.append(make_finding("W746", what, origin=origin, value=f"{key[0]} {key[1]}"))
    return pl.DataFrame(rows, schema=bill.schema, orient="row")


_FIRST, _LAST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)


def _day(on: str | date) -> tuple[datetime, datetime]:
    text = on.isoformat()[:10] if isinstance(on, date) else str(on)
    try:
        return moment(text), moment(text, is_end=True)
    except ValueError:
        raise UsageError(f"on={text[:40]!r} is no day; write it as 2024-05-31.") from None


def _refuse_cycles(bill: pl.DataFrame, origin: Origin, findings: list[Finding]) -> None:
    """Raise with one ring of parts, if a part is made of itself."""
    below: dict[str, list[str]] = {}
    for parent, child in bill.select("parent", "child").unique(maintain_order=True).iter_rows():
        below.setdefault(parent, []).append(child)
    state: dict[str, int] = {}
    for start in below:
        if start in state:
            continue
        path, waiting = [start], [iter(below[start])]
        state[start] = 1
        while waiting:
            child = next(waiting[-1], None)
            if child is None:
                state[path.pop()] = 2
                waiting.pop()
            elif state.get(child) == 1:
                ring = [*path[path.index(child) :], child]
                what = f"a part is made of itself: {' < '.join(ring[:8])}"
                fault = make_finding("E742", what, origin=origin, value=child)
                raise DataError(sort_findings([*findings, fault]))
            elif child not in state:
                state[child] = 1
                path.append(child)
                waiting.append(iter(below.get(child, ())))


def _split(
    tables: CatenaxTables, bill: pl.DataFrame, origin: Origin, findings: list[Finding]
) -> tuple[CatenaxTables, pl.DataFrame]:
    """Tell parts apart that are counted in units that do not convert: one part for each.

    Nobody knows how many pieces a kilogram is, so the two amounts are never added; the bill of the
    part holds for both.
    """
    first: dict[str, list[str]] = {}
    label: dict[tuple[str, str], str] = {}
    named = [bill.select(pl.col("child").alias("item"), "unit"),
             tables.stocks.select("item", "unit")]  # fmt: skip
    for item, unit in pl.concat(named).unique(maintain_order=True).iter_rows():
        known = first.setdefault(item, [])
        same = next((x for x in known if factor(unit, x) is not None), None)
        if same is None:
            known.append(unit)
            label[item, unit] = item if len(known) == 1 else f"{item} [{unit}]"
        else:
            label[item, unit] = label[item, same]
    clashes = {item: units for item, units in first.items() if len(units) > 1}
    if not clashes:
        return tables, bill
    for item, units in clashes.items():
        what = f"counted in {listed(units)}, which do not convert: the part counts as two"
        findings.append(make_finding("W749", what, origin=origin, value=item))

    def split(frame: pl.DataFrame, column: str) -> pl.DataFrame:
        pairs = frame.select(column, "unit").iter_rows()
        return frame.with_columns(pl.Series(column, [label[pair] for pair in pairs], pl.String))

    children = split(bill, "child")
    more = [
        children.filter(pl.col("parent") == item).with_columns(parent=pl.lit(label[item, unit]))
        for item, units in clashes.items()
        for unit in units[1:]
    ]
    items = pl.concat([
        tables.items,
        *[tables.items.filter(pl.col("item") == item).with_columns(item=pl.lit(label[item, unit]))
          for item, units in clashes.items() for unit in units[1:]],
    ])  # fmt: skip
    stocks = split(tables.stocks, "item")
    return replace(tables, items=items, stocks=stocks), pl.concat([children, *more])


def _units(
    tables: CatenaxTables, bill: pl.DataFrame, origin: Origin, findings: list[Finding]
) -> dict[str, str]:
    """Return the unit each part is counted in: the one of the first bill, else of its stock."""
    units: dict[str, str] = {}
    others: dict[str, list[str]] = {}
    named = [bill.select(pl.col("child").alias("item"), "unit"),
             tables.stocks.select("item", "unit")]  # fmt: skip
    for item, unit in pl.concat(named).iter_rows():
        if units.setdefault(item, unit) != unit and unit not in others.setdefault(item, []):
            others[item].append(unit)
    for item, found in others.items():
        if found:
            what = f"counted in {listed([units[item], *found])}: all in {units[item]}"
            findings.append(make_finding("N744", what, origin=origin, value=item))
    return units


def _lines(
    bill: pl.DataFrame, units: Mapping[str, str], origin: Origin, findings: list[Finding]
) -> pl.DataFrame:
    """Return parent, child, supplier, quantity: positions added, in the unit of the child."""
    scale = [factor(unit, units[child]) for child, unit in bill.select("child", "unit").iter_rows()]
    keys = ["parent", "child", "supplier"]
    added = (
        bill.with_columns(quantity=pl.col("quantity") * pl.Series(scale, dtype=pl.Float64))
        .group_by(keys, maintain_order=True)
        .agg(pl.col("quantity").sum(), pl.len().alias("n"))
    )
    n = int((added["n"] - 1).sum())
    if n:
        what = f"{n:,} lines repeat a part and its supplier; their quantities were added"
        findings.append(make_finding("N205", what, origin=origin, count=n))
    empty = added.filter(pl.col("quantity") == 0)
    if empty.height:
        what = f"parts of which nothing is needed: {listed(empty['child'].to_list())}"
        findings.append(make_finding("W745", what, origin=origin, count=empty.height))
    if empty.height == added.height:
        raise DataError([*findings, make_finding("E741", "all quantities are 0", origin=origin)])
    nobody = int(added["supplier"].is_null().sum())
    if nobody:
        what = f"{nobody:,} lines name no supplier (businessPartner): '{ROOT}' stands for it"
        findings.append(make_finding("N742", what, origin=origin, count=nobody))
    return added.filter(pl.col("quantity") > 0).drop("n")


def _nodes(
    tables: CatenaxTables, lines: pl.DataFrame, demand: float | Mapping[str, float],
    regions: Mapping[str, str], home: str | None, origin: Origin, findings: list[Finding],
) -> pl.DataFrame:  # fmt: skip
    """Return item, node, product, region, company, site, final_demand; end products first."""
    made = lines.select(pl.col("child").alias("item"), pl.col("supplier").alias("company")).unique(
        maintain_order=True
    )
    children = set(made["item"])
    roots = [x for x in lines["parent"].unique(maintain_order=True).to_list() if x not in children]
    wanted = _demand(demand, roots, origin, findings)
    rows = [(x, None) for x in roots] + made.rows()
    sites = _sites(tables.stocks, made)
    unknown = sorted({c for _, c in made.rows() if c is not None and c not in regions})
    if unknown:
        what = f"{len(unknown):,} companies without a region stand in '{UNSTATED_REGION}'"
        fix = "Give the region of each company: regions={'BPNL...': 'DE'}."
        findings.append(make_finding("N742", what, origin=origin, count=len(unknown), fix=fix))
    away = home or UNSTATED_REGION
    return pl.DataFrame(
        [
            (
                item,
                f"{item}@{company or ROOT}",
                item,
                away if company is None else regions.get(company, UNSTATED_REGION),
                company,
                sites.get((item, company)),
                wanted.get(item, 0.0) if company is None else 0.0,
            )
            for item, company in rows
        ],
        schema={
            "item": pl.String, "node": pl.String, "product": pl.String, "region": pl.String,
            "company": pl.String, "site": pl.String, "final_demand": pl.Float64,
        },
        orient="row",
    )  # fmt: skip


def _demand(
    demand: float | Mapping[str, float], roots: list[str], origin: Origin, findings: list[Finding]
) -> dict[str, float]:
    if isinstance(demand, Mapping):
        plain = {str(k).removeprefix("urn:uuid:").lower(): float(v) for k, v in demand.items()}
        lost = sorted(set(plain) - set(roots))
        if lost:
            raise UsageError(f"demand= names {lost[0]}, which is no end product; there are "
                             f"{listed(roots)}.")  # fmt: skip
        return plain
    if demand == 1.0:
        what = f"final demand of the end products ({listed(roots, 3)}) is 1 a period"
        fix = "State it: demand={id: number}."
        findings.append(make_finding("N742", what, origin=origin, count=len(roots), fix=fix))
    return dict.fromkeys(roots, float(demand))


def _sites(stocks: pl.DataFrame, made: pl.DataFrame) -> dict[tuple[str, str | None], str]:
    """Return the site of parts that one supplier makes and keeps ready in one place."""
    ready = stocks.filter(pl.col("direction") == "OUTBOUND", pl.col("site").is_not_null())
    places = dict(
        ready.group_by("item").agg(pl.col("site").unique()).filter(pl.col("site").list.len() == 1)
        .select("item", pl.col("site").list.first()).iter_rows()
    )  # fmt: skip
    single = made.group_by("item").agg(pl.col("company"), pl.len()).filter(pl.col("len") == 1)
    return {
        (item, companies[0]): places[item]
        for item, companies in single.select("item", "company").iter_rows()
        if item in places
    }


def _products(tables: CatenaxTables, lines: pl.DataFrame, units: Mapping[str, str]) -> pl.DataFrame:
    used = pl.concat([lines["parent"], lines["child"]]).unique(maintain_order=True)
    names = dict(tables.items.select("item", "name").iter_rows())
    parents, children = set(lines["parent"]), set(lines["child"])
    return pl.DataFrame(
        {
            "product": used,
            "name": [names.get(x) or x for x in used],
            "kind": [
                "product" if x not in children else "assembly" if x in parents else "component"
                for x in used
            ],
            "unit": [UNITS[units[x]][2] if units.get(x) in UNITS else "piece" for x in used],
        }
    )


def _recipes(lines: pl.DataFrame, nodes: pl.DataFrame) -> pl.DataFrame:
    """Return the recipe of every maker of a parent: of one child from several, the first counts."""
    needs = lines.unique(["parent", "child"], keep="first", maintain_order=True)
    return (
        needs.join(nodes.select("item", "node"), left_on="parent", right_on="item",
                   maintain_order="left")
        .select(pl.col("node").alias("buyer"), pl.col("child").alias("input"), "quantity")
    )  # fmt: skip


def _links(
    lines: pl.DataFrame, nodes: pl.DataFrame, origin: Origin, findings: list[Finding]
) -> pl.DataFrame:
    by_child = lines.group_by("parent", "child", maintain_order=True)
    several = by_child.agg(pl.len(), pl.col("quantity").n_unique().alias("kinds"))
    shared = int((several["len"] > 1).sum())
    if shared:
        what = f"{shared:,} children with several suppliers: each supplies an equal share"
        fix = "State the shares: network.with_changes({'links': ...})."
        findings.append(make_finding("N742", what, origin=origin, count=shared, fix=fix))
    odd = several.filter(pl.col("kinds") > 1)
    if odd.height:
        what = "suppliers of one child with different quantities; the first counts"
        findings.append(
            make_finding("W746", what, origin=origin, value=odd["child"][0], count=odd.height)
        )
    made = nodes.select("item", "company", "node")
    buyers = made.select(pl.col("item").alias("parent"), pl.col("node").alias("buyer"))
    sellers = made.select(pl.col("item").alias("child"), pl.col("company").alias("supplier"),
                          pl.col("node").alias("seller"))  # fmt: skip
    return (
        lines.with_columns(share=1.0 / pl.len().over("parent", "child"))
        .join(sellers, on=["child", "supplier"], nulls_equal=True, maintain_order="left")
        .join(buyers, on="parent", maintain_order="left")
        .select(pl.col("seller").alias("supplier"), "buyer", pl.col("child").alias("product"),
                "share")
    )  # fmt: skip


def _tell_leaves(
    tables: CatenaxTables, lines: pl.DataFrame, origin: Origin, findings: list[Finding]
) -> None:
    stated = set(tables.items.filter(pl.col("has_bill"))["item"])
    leaves = [x for x in lines["child"].unique(maintain_order=True).to_list() if x not in stated]
    if leaves:
        what = f"{len(leaves):,} parts have no bill of their own: {listed(leaves, 3)}"
        findings.append(make_finding("N743", what, origin=origin, count=len(leaves)))


def _with_stocks(
    network: ProductionNetwork, tables: CatenaxTables, units: Mapping[str, str], origin: Origin
) -> ProductionNetwork:
    """Return the network with the stocks of its buyers, shared in proportion to their use."""
    stocks = tables.stocks
    if stocks.is_empty():
        return network
    findings: list[Finding] = []
    used = set(network.index("products"))
    is_kept = (pl.col("direction") == "INBOUND") & ~pl.col("blocked")
    reasons = (
        ("finished goods of suppliers (OUTBOUND)", pl.col("direction") == "OUTBOUND"),
        ("blocked stocks", (pl.col("direction") == "INBOUND") & pl.col("blocked")),
        ("stocks of parts that no bill has", is_kept & ~pl.col("item").is_in(list(used))),
    )
    for said, which in reasons:
        n = stocks.filter(which).height
        if n:
            what = f"{n:,} {said} are not taken as stocks of inputs"
            findings.append(make_finding("W745", what, origin=origin, count=n))
    kept = stocks.filter(is_kept, pl.col("item").is_in(list(used)))
    scale = [factor(unit, units[item]) for item, unit in kept.select("item", "unit").iter_rows()]
    held = (
        kept.with_columns(quantity=pl.col("quantity") * pl.Series(scale, dtype=pl.Float64))
        .group_by("item", maintain_order=True)
        .agg(pl.col("quantity").sum(), pl.col("updated").max(), pl.col("file").first())
    )
    use = network.input_coefficient * network.output[network.input_buyer]
    rows = []
    for item, quantity, updated, file in held.iter_rows():
        inputs = np.flatnonzero(network.input_product == network.index("products")[item])
        total = use[inputs].sum()
        for i in inputs if total > 0 else ():
            node = str(network.node_labels[network.input_buyer[i]])
            as_of = updated.date().isoformat() if updated else None
            rows.append((node, item, quantity * use[i] / total, file, as_of))
    changed = network
    if rows:
        frame = pl.DataFrame(
            rows, schema=["node", "product", "quantity", "source", "as_of"], orient="row"
        )
        changed = network.with_changes({"stocks": frame})
    told = sort_findings([*network.findings, *findings])
    return replace(changed, findings=tuple(told))
