"""From candidates to make at home to options of a plan, with the evidence that leads back."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from withstand.errors import DataError, OptionError, UsageError
from withstand.measures.candidate_evidence import network_products
from withstand.measures.concentrations import concentration
from withstand.model.checked_frames import checked_frame
from withstand.model.findings import Finding, listed, make_finding, nearest
from withstand.model.option import Effect, Option, check_options
from withstand.model.tables import Column, Table
from withstand.model.units import PERIODS_PER_YEAR, periods_of
from withstand.plan.localise_results import LocaliseOptions

if TYPE_CHECKING:
    from withstand.measures.candidate_results import LocaliseCandidates
    from withstand.measures.concentrations import Concentration
    from withstand.model.network import ProductionNetwork


def _number(name: str, meaning: str, high: float | None = None) -> Column:
    return Column(name=name, meaning=meaning, type="number", low=0.0, high=high)


def _text(name: str, meaning: str) -> Column:
    return Column(name=name, meaning=meaning, type="text")


_ASSUMPTIONS = Table(
    name="assumptions",
    meaning="What making a product at home takes, by those who say so.",
    key=("product",),
    columns=(
        Column(name="product", meaning="The candidate.", type="label", required=True),
        _text("basis", "Who says so, or on what it rests."),
        _number("cost_once", "Cost to start, currency."),
        _number("cost_ratio", "Cost to start over the value of a year's output."),
        _number("cost_per_period", "Running cost beside the price, currency per period."),
        _number("ready_periods", "From start to effect, periods."),
        _number("cover", "Share of what home buys outside that is made at home.", 1.0),
        _number("capacity", "The most that can be made, units per period."),
        _number("price", "Price of what is made, currency per unit."),
        _number("success_probability", "Chance that it works.", 1.0),
        _text("requires", "Options that must be chosen too, separated by a semicolon."),
        _text("excludes", "Options that cannot be chosen too, separated by a semicolon."),
        _text("option", "Label of the option."),
        _text("name", "Name for people."),
    ),
)


def localise_options(
    candidates: LocaliseCandidates,
    network: ProductionNetwork,
    assumptions: pl.DataFrame | None = None,
    *,
    products: Sequence[str] | int | None = None,
    cost_ratio: float | None = None,
    ready: str | float | None = None,
    cover: float | None = None,
    basis: str | None = None,
    region: str | None = None,
) -> LocaliseOptions:
    """Turn candidates to make at home into options of kind `localise`.

    Each option makes capacity at home (of the largest maker there, or of a new node) and moves
    `cover` of what every region outside home delivers to it. What it costs and how long it takes
    is for you to say, with its basis; nothing is filled in. Not said, a product is made at its
    usual price, works for sure and costs nothing to run beside its inputs: the note says so.

    Parameters
    ----------
    candidates : LocaliseCandidates
        Found in this network.
    network : ProductionNetwork
    assumptions : polars.DataFrame, optional
        A row a product: product, basis, cost_once or cost_ratio (cost to start over the value of a
        year's output), ready_periods, cover (0 to 1) or capacity (units per period), and if known
        cost_per_period, price, success_probability, requires, excludes, option, name.
    products : sequence of str, or int, optional
        Which candidates, or how many of the best; default: those in the table.
    cost_ratio, ready, cover, basis : optional
        For products whose cells of the table are empty; `ready` in periods, or text ("3y").
    region : str, optional
        Where new nodes stand; default: the only region of home.

    Returns
    -------
    LocaliseOptions
        W416 no recipe is known, W417 nobody at home buys it, W418 another network.

    Raises
    ------
    UsageError
        If a product is no candidate, or none is named.
    DataError
        With every assumption that is missing or not possible.
    OptionError
        If an option cannot be.

    Notes
    -----
    capacity, where only cover is given, is cover times what home buys outside at rest; if nobody at
    home buys the product, times what suppliers buy of each other (finding W417). The note of an
    option holds the evidence: rank, every factor, the screens with their thresholds, and the
    fingerprints of network, cube and capability. It goes with the option into the plan.

    Examples
    --------
    >>> import withstand as ws
    >>> net = ws.examples.tiny()
    >>> table = pl.DataFrame({"place": ["HOME", "JP", "CN"], "STEEL": [1.0, 6.0, 1.0],
    ...                       "GEAR": [4.0, 4.0, 0.0], "CLOTH": [0.0, 1.0, 8.0]})
    >>> capability = ws.measures.complexity(table)
    >>> found = ws.measures.localise_candidates(capability, "HOME", network=net)
    >>> made = localise_options(found, net, products=1, cost_ratio=0.5, ready="2y", cover=0.25,
    ...                         basis="two quotes")
    >>> made.to_frame().select("option", "node", "capacity", "cost_once").rows()
    [('LOCALISE_STEEL', 'STEEL@HOME', 24.0, 3744.0)]
    """
    period = network.settings.period
    keywords = {
        "cost_ratio": cost_ratio,
        "ready_periods": None if ready is None else periods_of(ready, period),
        "cover": cover,
        "basis": basis,
    }
    table = _table(assumptions, products, candidates)
    bought = {r["product"]: r for r in network_products(network).iter_rows(named=True)}
    _check_products([str(r["product"]) for r in table], candidates, network, bought)
    findings: list[Finding] = []
    if candidates.network_fingerprint != network.fingerprint():
        other = candidates.network_fingerprint or "none: they come from screens alone"
        what = f"the candidates were found in another network ({other[:40]})"
        findings.append(make_finding("W418", what))
    faults: list[Finding] = []
    plants = [
        _plant(row, keywords, network, bought[row["product"]], region, faults) for row in table
    ]
    if faults:
        raise DataError(faults)
    made = [x for x in plants if x is not None]
    shares = concentration(network)
    options = [_option(candidates, network, shares, x) for x in made]
    # what they require may be an option that comes later: the plan checks that
    alone = [replace(o, requires=(), excludes=()) for o in options]
    wrong = check_options(network, alone)
    if wrong:
        raise OptionError(wrong)
    findings += _doubts(network, [str(x["product"]) for x in made], bought)
    return LocaliseOptions(
        options=tuple(options),
        rows=_frame(candidates, made),
        findings=tuple(findings),
        _candidates=candidates,
    )


def _table(
    given: pl.DataFrame | None, products: Sequence[str] | int | None, found: LocaliseCandidates
) -> list[dict[str, Any]]:
    """Return a row of assumptions for each product asked for; cells may be empty."""
    rows: dict[str, dict[str, Any]] = {}
    if given is not None:
        frame, _ = checked_frame(given, _ASSUMPTIONS)
        rows = {str(r["product"]): r for r in frame.iter_rows(named=True)}
    if products is None:
        wanted = list(rows)
    elif isinstance(products, int):
        wanted = list(found.products[:products])
    else:
        wanted = [products] if isinstance(products, str) else list(dict.fromkeys(products))
    if not wanted:
        raise UsageError(
            "No product is named: give a table of assumptions, or products= (labels, or how many "
            "of the best)."
        )
    return [rows.get(p, {"product": p}) for p in wanted]


def _check_products(
    products: Sequence[str],
    found: LocaliseCandidates,
    network: ProductionNetwork,
    bought: dict[str, dict[str, Any]],
) -> None:
    """Refuse what is no candidate, or is not bought outside home here."""
    known = found.to_frame()["product"].to_list()
    for product in products:
        if product not in known:
            near = nearest(product, known)
            hint = f" Did you mean {near}?" if near else ""
            raise UsageError(f"'{product[:60]}' is no candidate.{hint}")
        if product not in bought:
            raise UsageError(
                f"{network.name} buys no '{product[:60]}' outside home. Find the candidates with "
                "network=, so that they are products of it."
            )


def _plant(
    row: dict[str, Any],
    keywords: dict[str, Any],
    network: ProductionNetwork,
    bought: dict[str, Any],
    region: str | None,
    faults: list[Finding],
) -> dict[str, Any] | None:
    """Return what is assumed of one option, complete, or None with the faults."""
    product = str(row["product"])
    cells = {k: v for k, v in row.items() if v is not None}
    for name, value in keywords.items():
        is_cost = name == "cost_ratio" and "cost_once" in cells
        is_size = name == "cover" and "capacity" in cells
        if value is not None and not is_cost and not is_size:
            cells.setdefault(name, value)
    for names in (("cost_once", "cost_ratio"), ("ready_periods",), ("cover", "capacity"),
                  ("basis",)):  # fmt: skip
        if not any(str(cells.get(x, "")).strip() for x in names):
            what = f"{product}: {' or '.join(names)} is not given, and nothing is made up"
            faults.append(make_finding("E102", what, column=names[0], value=product))
            return None
    use = bought["home_buyers"] if bought["home_buyers"] > 0 else bought["quantity"]
    share = float(cells.get("cover", min(1.0, cells.get("capacity", 0.0) / use)))
    capacity = float(cells.get("capacity", share * use))
    if not 0 < share <= 1 or not capacity > 0:
        what = f"{product}: cover must be above 0 and at most 1, capacity above 0"
        faults.append(make_finding("E107", what, column="cover", value=share))
        return None
    price = cells.get("price", network.product_price[network.index("products")[product]])
    if "cost_once" not in cells:
        value = capacity * float(price) * PERIODS_PER_YEAR[network.settings.period]
        if math.isnan(value):
            what = f"{product} has no price, so cost_ratio says nothing: give cost_once, or price"
            faults.append(make_finding("E102", what, column="price", value=product))
            return None
        cells["cost_once"] = float(cells["cost_ratio"]) * value
    node, is_new = _node(network, product, region)
    return {
        **cells,
        "product": product,
        "option": cells.get("option", f"LOCALISE_{product}"),
        "node": node,
        "is_new": is_new,
        "region": node.partition("@")[2] if is_new else None,
        "cover": share,
        "capacity": capacity,
    }


def _node(network: ProductionNetwork, product: str, region: str | None) -> tuple[str, bool]:
    """Return the node at home that makes more, the largest one, or the label of a new one."""
    p = network.index("products")[product]
    at_home = network.is_home[network.node_region]
    if region is not None:
        regions = network.index("regions")
        if region not in regions:
            near = nearest(region, list(regions))
            hint = f" Did you mean {near}?" if near else ""
            raise UsageError(f"There is no region '{region[:60]}' here.{hint}")
        if not network.is_home[regions[region]]:
            raise UsageError(f"{region} is not home: to localise is to make at home.")
        at_home = network.node_region == regions[region]
    own = np.flatnonzero((network.node_product == p) & at_home)
    if len(own):
        return str(network.node_labels[own[int(np.argmax(network.capacity[own]))]]), False
    homes = network.region_labels[network.is_home].tolist()
    if region is None and len(homes) != 1:
        raise UsageError(
            f"Nobody at home makes {product} yet, and home has {len(homes)} regions: say where "
            "with region=."
        )
    return f"{product}@{region or homes[0]}", True


def _option(
    found: LocaliseCandidates, network: ProductionNetwork, shares: Concentration, x: dict[str, Any]
) -> Option:
    """Return the option of one product, with its evidence in the note."""
    product, node = str(x["product"]), str(x["node"])
    if x["is_new"]:
        first = Effect(effect="add_node", product=product, region=x["region"],
                       amount=x["capacity"], price=x.get("price"))  # fmt: skip
    else:
        first = Effect(effect="add_capacity", node=node, amount=x["capacity"])
    moves = tuple(
        Effect(effect="shift_share", product=product, from_=source, to=node, amount=x["cover"],
               mode="scale")
        for source in _sources(network, shares, product)
    )  # fmt: skip
    said = [
        f"{x['basis']}: {x['cost_once']:,.6g} to start, ready in {x['ready_periods']:g} periods",
        f"{x['capacity']:,.6g} a period, {x['cover']:.3g} of what home buys outside",
    ]
    said += ["usual price"] if "price" not in x else [f"price {x['price']:g}"]
    said += ["works for sure"] if "success_probability" not in x else []
    said += ["no running cost beside inputs"] if "cost_per_period" not in x else []
    return Option(
        label=str(x["option"]),
        name=str(x.get("name") or f"Make {_name_of(network, product)} at home"),
        kind="localise",
        cost_once=float(x["cost_once"]),
        cost_per_period=float(x.get("cost_per_period", 0.0)),
        ready_periods=float(x["ready_periods"]),
        success_probability=float(x.get("success_probability", 1.0)),
        requires=_labels(x.get("requires")),
        excludes=_labels(x.get("excludes")),
        note=f"{found.evidence(product)} Assumed ({'; '.join(said)}).",
        effects=(first, *moves),
    )


def _name_of(network: ProductionNetwork, product: str) -> str:
    """Return the name of a product for people."""
    return str(network.product_names[network.index("products")[product]])


def _labels(text: str | None) -> tuple[str, ...]:
    return tuple(x.strip() for x in (text or "").split(";") if x.strip())


def _sources(network: ProductionNetwork, shares: Concentration, product: str) -> list[str]:
    """Return the regions outside home that deliver a product, largest share first."""
    home = set(network.region_labels[network.is_home].tolist())
    return [x for x in shares.why(product)["source"].to_list() if x not in home]


def _doubts(
    network: ProductionNetwork, products: Sequence[str], bought: dict[str, dict[str, Any]]
) -> list[Finding]:
    """Tell for whom no recipe is known, and whom nobody at home buys."""
    recipes = network.tables.get("recipes")
    buyers = set() if recipes is None else set(recipes["buyer"].to_list())
    nodes = set(network.node_labels[network.is_home[network.node_region]].tolist())
    made = network.product_labels[network.node_product]
    has = {str(made[i]) for i, n in enumerate(network.node_labels) if n in buyers & nodes}
    bare = [p for p in products if p not in buyers and p not in has]
    idle = [p for p in products if not bought[p]["home_buyers"] > 0]
    findings = []
    for code, labels, what in (
        ("W416", bare, "no recipe is known for"),
        ("W417", idle, "nobody at home buys"),
    ):
        if labels:
            text = f"{what} {listed(labels)}"
            findings.append(make_finding(code, text, value=labels[0], count=len(labels)))
    return findings


def _frame(found: LocaliseCandidates, made: Sequence[dict[str, Any]]) -> pl.DataFrame:
    """Return what is assumed beside the evidence."""
    columns = {
        "option": pl.String,
        "product": pl.String,
        "node": pl.String,
        "capacity": pl.Float64,
        "cover": pl.Float64,
        "cost_once": pl.Float64,
        "cost_per_period": pl.Float64,
        "ready_periods": pl.Float64,
        "success_probability": pl.Float64,
        "basis": pl.String,
    }
    usual = {"cost_per_period": 0.0, "success_probability": 1.0}
    frame = pl.DataFrame(
        [{name: x.get(name, usual.get(name)) for name in columns} for x in made], schema=columns
    )
    own = ["product", "rank", "score", "on_front", *found.groups, "missing"]
    frame = frame.join(
        found.to_frame().select(own), on="product", how="left", maintain_order="left"
    )
    return frame.with_columns(candidates=pl.lit(found.fingerprint()))
