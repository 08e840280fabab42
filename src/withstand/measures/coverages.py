"""Coverage: how much can still be made without some regions, and what binds first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from withstand.errors import UsageError
from withstand.measures.feasible_output import Supply, feasible_output, supply_of
from withstand.model.findings import nearest
from withstand.model.provenance import Provenance, provenance_of
from withstand.model.tiers import needs_per_unit, tiers

if TYPE_CHECKING:
    import pandas as pd

    from withstand.model.network import ProductionNetwork

Array = np.ndarray
Slack = float | Mapping[str, float]
LIMITS = ("share", "capacity")


@dataclass(frozen=True, kw_only=True, eq=False)
class Coverage:
    """What can be made without some regions.

    Parameters
    ----------
    without : tuple of str
        Regions lost.
    feasible_output : float
        Largest share of final demand that can be met, 0 to 1 (best allocation).
    proportional : float
        The same when every supplier's loss is passed on in proportion, 0 to 1.
    binding : tuple of str
        Products that limit output, the one whose limits are worth most first.
    products : polars.DataFrame
        Per product: kind, tier, share of supply at rest that is left, covered share of need,
        availability under the proportional rule, gain of output when its limits rise by 10 % of
        need, dual (the gain per unit of need, at the margin). What is covered does not look at
        the inputs of the suppliers left; availability does.
    by_tier, by_kind : polars.DataFrame
        Mean coverage, unweighted and by value, 0 to 1.
    provenance : Provenance
    """

    without: tuple[str, ...]
    feasible_output: float
    proportional: float
    binding: tuple[str, ...]
    products: pl.DataFrame
    by_tier: pl.DataFrame
    by_kind: pl.DataFrame
    provenance: Provenance
    _suppliers: pl.DataFrame

    def to_frame(self) -> pl.DataFrame:
        """Return the table of products, binding ones first."""
        return self.products

    def to_pandas(self) -> pd.DataFrame:
        """Return the same as a pandas frame."""
        return self.products.to_pandas()

    def why(self, label: str) -> pl.DataFrame:
        """Return the suppliers behind one product: region, share, whether lost, and the basis."""
        rows = self._suppliers.filter(pl.col("product") == label)
        if rows.height == 0 and label not in self.products["product"]:
            raise UsageError(_unknown(label, self.products["product"].to_list(), "product"))
        return rows

    def summary(self) -> str:
        """Return one sentence."""
        first = f"; {self.binding[0]} binds first" if self.binding else ""
        if not self.without:
            return f"With every region, {self.feasible_output:.1%} of demand can be met{first}."
        lost = ", ".join(self.without)
        return f"Without {lost}, {self.feasible_output:.1%} of demand can still be met{first}."

    def __repr__(self) -> str:
        """Return the summary."""
        return f"<Coverage: {self.summary()}>"


def _unknown(label: str, valid: Sequence[str], what: str) -> str:
    near = nearest(label, valid)
    return f"There is no {what} '{label[:60]}'." + (f" Did you mean {near}?" if near else "")


def coverage(
    network: ProductionNetwork,
    without: Sequence[str] = (),
    assume_recipe: str = "none",
    slack: Slack = 1.0,
    limit: str = "share",
) -> Coverage:
    """Say how much of final demand can be met without some regions, and what binds.

    The largest theta such that every product with suppliers balances (supplies >= use by producers
    whose recipe is known + theta x final demand) and no supplier gives more than its limit:

        max theta,  sum_n x_n >= sum_m a_pm x_m + theta d_p,  0 <= x_n <= limit_n,  theta <= 1

    with limit_n = slack x output at rest (`share`) or capacity (`capacity`), and 0 where the region
    is lost. Inputs of class minor never bind, all others bind in full. Products whose suppliers
    are not stated are not limited by shares; products without suppliers are not limited at all.
    Machine and skilled hours count like goods.

    Beside the best allocation stands the proportional rule, in which nobody finds a better use
    for what is short: see `proportional`.

    Parameters
    ----------
    network : ProductionNetwork
    without : sequence of str
        Regions lost together.
    assume_recipe : {"none", "shared"}
        What producers outside home need: nothing (optimistic), or the same recipe (pessimistic).
    slack : float or mapping of product or kind to float
        How much more than its usual deliveries a surviving supplier can give; what a mapping does
        not name has 1. A product named wins over its kind. Not used with limit="capacity".
    limit : {"share", "capacity"}

    Returns
    -------
    Coverage

    Raises
    ------
    UsageError
        If a region, product, kind or choice is unknown.

    Examples
    --------
    >>> from withstand.examples import example
    >>> result = coverage(example("robot_maker"), without=["CN"])
    >>> round(result.feasible_output, 6), result.binding
    (0.4, ('LCD',))
    """
    _check(network, without, limit)
    factors = slack_of(network, slack)
    supply = supply_of(network, without, assume_recipe, factors, limit)
    answer = feasible_output(supply)
    available, final = proportional(supply)
    full = supply_of(network, without, "shared", factors, limit)
    covered = covered_share(full)
    products = _product_frame(
        network, surviving_shares(full), covered, available, answer.gain, answer.dual
    )
    return Coverage(
        without=tuple(without),
        feasible_output=answer.theta,
        proportional=final,
        binding=tuple(str(network.product_labels[p]) for p in answer.binding),
        products=products,
        by_tier=_group(products, "tier"),
        by_kind=_group(products, "kind"),
        provenance=provenance_of(
            "measures.coverage",
            network,
            {
                "without": list(without),
                "assume_recipe": assume_recipe,
                "slack": dict(slack) if isinstance(slack, Mapping) else slack,
                "limit": limit,
            },
        ),
        _suppliers=_supplier_frame(network, full),
    )


def coverage_by_region(
    network: ProductionNetwork,
    regions: Sequence[str] | None = None,
    assume_recipe: str = "none",
    slack: Slack = 1.0,
    limit: str = "share",
) -> pl.DataFrame:
    """Return the feasible output after the loss of each single region, worst first.

    Parameters
    ----------
    network, assume_recipe, slack, limit
        As in `coverage`.
    regions : sequence of str, optional
        Regions to lose one at a time; default: all that supply something, home left out.

    Returns
    -------
    polars.DataFrame
        region, name, feasible_output, proportional (0 to 1), binding (first binding product).

    Examples
    --------
    >>> from withstand.examples import example
    >>> coverage_by_region(example("robot_maker"))["region"][0]
    'JP'
    """
    if regions is None:
        has_nodes = np.bincount(network.node_region, minlength=network.n_regions) > 0
        regions = [str(r) for r in network.region_labels[has_nodes & ~network.is_home]]
    factors = slack_of(network, slack)
    rows = []
    for region in regions:
        _check(network, [region], limit)
        supply = supply_of(network, [region], assume_recipe, factors, limit)
        answer = feasible_output(supply)
        first = str(network.product_labels[answer.binding[0]]) if answer.binding else None
        name = str(network.region_names[network.index("regions")[region]])
        rows.append((region, name, answer.theta, proportional(supply)[1], first))
    schema = ["region", "name", "feasible_output", "proportional", "binding"]
    frame = pl.DataFrame(rows, schema=schema, orient="row", infer_schema_length=None)
    return frame.sort(["feasible_output", "region"]) if rows else frame


def _check(network: ProductionNetwork, without: Sequence[str], limit: str) -> None:
    if isinstance(without, str):
        raise UsageError(f"without takes a list of regions: without=['{without[:40]}'].")
    for label in without:
        if label not in network.index("regions"):
            raise UsageError(_unknown(label, list(network.index("regions")), "region"))
    if limit not in LIMITS:
        raise UsageError(f"limit '{limit}' is unknown; use one of {', '.join(LIMITS)}.")


def slack_of(network: ProductionNetwork, slack: Slack) -> Array:
    """Return the slack of every product: a product's own, its kind's, or 1."""
    given = slack.values() if isinstance(slack, Mapping) else [slack]
    if not all(isinstance(x, int | float | np.number) and 0 <= x < np.inf for x in given):
        raise UsageError("slack must be a finite number of 0 or more.")
    if not isinstance(slack, Mapping):
        values = np.full(network.n_products, float(slack))
    else:
        known = {*network.index("products"), *(str(k) for k in network.product_kinds)}
        for label in slack:
            if label not in known and label not in _kinds():
                raise UsageError(_unknown(str(label), sorted(known), "product or kind"))
        by_kind = [float(slack.get(str(k), 1.0)) for k in network.product_kinds]
        labels = network.product_labels
        values = np.array(
            [float(slack.get(str(p), v)) for p, v in zip(labels, by_kind, strict=True)]
        )
    return values


def _kinds() -> tuple[str, ...]:
    from withstand.model.tables import KINDS

    return KINDS


def surviving_shares(supply: Supply) -> Array:
    """Return the share of each product's suppliers that is left, shape (n_products,)."""
    network = supply.network
    total = np.bincount(network.node_product, supply.rest, network.n_products)
    left = np.bincount(
        network.node_product, np.where(supply.is_lost, 0.0, supply.rest), network.n_products
    )
    lost_all = np.bincount(network.node_product, ~supply.is_lost, network.n_products) == 0
    has_nodes = np.bincount(network.node_product, minlength=network.n_products) > 0
    with np.errstate(invalid="ignore", divide="ignore"):
        share = np.where(total > 0, left / total, 1.0)
    return np.where(has_nodes & lost_all, 0.0, share)


def covered_share(supply: Supply) -> Array:
    """Return min(1, limits of the surviving nodes / need) per product, shape (n_products,)."""
    limits = np.bincount(supply.network.node_product, supply.upper, supply.network.n_products)
    with np.errstate(invalid="ignore", divide="ignore"):
        covered = np.where(supply.need > 0, np.minimum(1.0, limits / supply.need), 1.0)
    return np.where((supply.need <= 0) & (surviving_shares(supply) == 0.0), 0.0, covered)


def proportional(supply: Supply) -> tuple[Array, float]:
    """Return what is available per product, and of final demand, when losses pass in proportion.

    avail(p) = min(1, sum over surviving nodes of limit / need x ability, largest ability), where
    ability is the least avail of a node's inputs, and limit / need is slack x share (or capacity
    over need). Slack makes up for lost peers and not for lost inputs, hence the last term. Where
    suppliers are not stated, the nodes left share the need among them.

    It is never above the best allocation while no limit is above the output at rest; with slack
    it can be, because who gives more than usual is not asked for more of its inputs.
    """
    network = supply.network
    n_products, need, made = network.n_products, supply.need, network.node_product
    binds = network.input_class > 0
    with np.errstate(invalid="ignore", divide="ignore"):
        share = np.where(need[made] > 0, supply.upper / need[made], 0.0)
    share = np.where(np.isinf(supply.upper), _shares_of_survivors(supply), share)
    is_free = ~supply.has_nodes | (need <= 0)
    has_inputs = np.flatnonzero(np.diff(network.inputs_indptr) > 0)
    available = np.ones(n_products)
    for _ in range(n_products + network.n_nodes + 1):
        ability = np.ones(network.n_nodes)
        if len(has_inputs):
            of_input = np.where(binds, available[network.input_product], 1.0)
            starts = network.inputs_indptr[has_inputs]
            ability[has_inputs] = np.minimum.reduceat(of_input, starts)
        best = np.zeros(n_products)
        np.maximum.at(best, made, np.where(share > 0, ability, 0.0))
        total = np.bincount(made, share * ability, n_products)
        following = np.where(is_free, 1.0, np.minimum(total, best))
        if np.array_equal(following, available):
            break
        available = following
    demand = np.bincount(made, np.maximum(network.final_demand, 0.0), n_products)
    wanted = np.flatnonzero(demand > 0)
    return available, float(available[wanted].min()) if len(wanted) else 1.0


def _shares_of_survivors(supply: Supply) -> Array:
    """Share of each surviving node in the output at rest of all that survive for its product."""
    made, n_products = supply.network.node_product, supply.network.n_products
    left = np.where(supply.is_lost, 0.0, supply.rest)
    total = np.bincount(made, left, n_products)[made]
    count = np.bincount(made, ~supply.is_lost, n_products)[made]
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(supply.is_lost, 0.0, np.where(total > 0, left / total, 1.0 / count))


def _product_frame(
    network: ProductionNetwork,
    left: Array,
    covered: Array,
    available: Array,
    gain: Array,
    dual: Array,
) -> pl.DataFrame:
    need = needs_per_unit(network)
    frame = pl.DataFrame(
        {
            "product": network.product_labels,
            "name": network.product_names,
            "kind": network.product_kinds,
            "tier": tiers(network),
            "share_left": left,
            "covered": covered,
            "available": available,
            "gain": gain,
            "dual": dual,
            "need": need,
            "value": need * network.product_price,
        }
    )
    return frame.with_columns(pl.col("value").fill_nan(None)).sort(
        ["gain", "covered", "product"], descending=[True, False, False]
    )


def _group(products: pl.DataFrame, by: str) -> pl.DataFrame:
    """Mean coverage of the products in the viewpoint's recipe tree, by tier or by kind."""
    inside = products.filter(pl.col("tier") >= 0)
    priced = pl.col("value").is_not_null()
    weighted = (pl.col("covered") * pl.col("value")).filter(priced).sum()
    total = pl.col("value").filter(priced).sum()
    return (
        inside.group_by(by)
        .agg(
            pl.len().alias("products"),
            (pl.col("covered") < 1).sum().alias("not_fully_covered"),
            pl.col("covered").mean().alias("coverage"),
            pl.when(total > 0).then(weighted / total).alias("coverage_by_value"),
            pl.col("value").is_null().sum().alias("without_price"),
        )
        .sort(by)
    )


def _supplier_frame(network: ProductionNetwork, supply: Supply) -> pl.DataFrame:
    total = np.bincount(network.node_product, supply.rest, network.n_products)
    with np.errstate(invalid="ignore", divide="ignore"):
        share = supply.rest / total[network.node_product]
    frame = pl.DataFrame(
        {
            "product": network.product_labels[network.node_product],
            "supplier": network.node_labels,
            "region": network.region_labels[network.node_region],
            "share": np.nan_to_num(share),
            "lost": supply.is_lost,
        }
    )
    links = network.tables.get("links")
    if links is not None and "share_basis" in links.columns:
        basis = links.select("supplier", "share_basis").unique("supplier", keep="first")
        frame = frame.join(basis, on="supplier", how="left", maintain_order="left")
    return frame
