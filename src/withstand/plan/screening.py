"""A smaller network to plan on: the products that matter by simulated loss, and all above them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from withstand.errors import UsageError
from withstand.model.encoding import numbers
from withstand.model.tables import EVERY_BUYER
from withstand.plan.verification import Verification, verify

if TYPE_CHECKING:
    from withstand.model.network import ProductionNetwork
    from withstand.model.option import Option
    from withstand.plan.solved import SolvedPlan

Array = np.ndarray


@dataclass(frozen=True, kw_only=True, eq=False)
class Screening:
    """A network without the products that matter little, and what was left out.

    Parameters
    ----------
    full, network : ProductionNetwork
        Before and after.
    left_out : polars.DataFrame
        product, loss, share_of_loss: what was left out, the largest loss first.
    covered : float, 0 to 1
        Share of all losses given that the kept products have.
    """

    full: ProductionNetwork
    network: ProductionNetwork
    left_out: pl.DataFrame
    covered: float

    def summary(self) -> str:
        """Return one sentence."""
        return (
            f"{self.network.n_products} of {self.full.n_products} products kept: they have "
            f"{self.covered:.1%} of the losses; the others are bought at a fixed price, unlimited."
        )

    def __repr__(self) -> str:
        """Return the summary."""
        return f"<Screening: {self.summary()}>"


@dataclass(frozen=True, kw_only=True)
class Certificate:
    """What a plan made on a screened network does on the full one.

    Parameters
    ----------
    screening : Screening
    on_screened, on_full : Verification
        The same plan, played on both.
    """

    screening: Screening
    on_screened: Verification
    on_full: Verification

    @property
    def missed(self) -> float:
        """Expected simulated loss under the plan that the screened network does not show."""
        full = self.on_full.expected("simulated_after")
        return full - self.on_screened.expected("simulated_after")

    @property
    def saved(self) -> float:
        """What the plan saves on the full network: expected simulated loss before, less after."""
        return self.on_full.expected("simulated_before") - self.on_full.expected("simulated_after")

    def to_frame(self) -> pl.DataFrame:
        """Return one row a strike: simulated loss before and after, screened and full."""
        columns = ["strike", "simulated_before", "simulated_after"]
        return self.on_screened.rows.select(columns).join(
            self.on_full.rows.select(columns), on="strike", suffix="_full", maintain_order="left"
        )

    def summary(self) -> str:
        """Return one sentence."""
        return (
            f"On the full network the plan saves {self.saved:,.0f} of expected loss; the screened "
            f"one does not show {self.missed:,.0f} of the loss that stays."
        )

    def __repr__(self) -> str:
        """Return the summary."""
        return f"<Certificate: {self.summary()}>"


def screened(
    network: ProductionNetwork,
    losses: Array | Sequence[float],
    options: Sequence[Option] = (),
    *,
    cover: float = 0.99,
    keep: Sequence[str] = (),
) -> Screening:
    """Return a network of the products that matter; the rest is bought at a fixed price, unlimited.

    Kept are the products with the largest losses until `cover` of the sum is reached, the products
    that options name, those in `keep`, final products, and every product on the way from any of
    these to final demand. What a product costs says nothing about what its loss costs, so spend is
    no guide (Simchi-Levi et al. 2015 on the suppliers of a car maker): simulate.

    Parameters
    ----------
    network : ProductionNetwork
    losses : array of float64, shape (n_products,) or (n_scenarios, n_products)
        Simulated loss when the product is hit, by product in the order of the network; of several
        scenarios the sum counts.
    options : sequence of Option
        That the plan will choose from.
    cover : float, 0 to 1
    keep : sequence of str
        Products to keep in any case.

    Returns
    -------
    Screening

    Raises
    ------
    UsageError
        If losses do not fit the network, or a label is unknown.

    Examples
    --------
    >>> import numpy as np
    >>> import withstand as ws
    >>> net = ws.examples.tiny()
    >>> found = screened(net, np.ones(net.n_products), cover=1.0)
    >>> found.network.n_products == net.n_products, found.covered
    (True, 1.0)
    """
    total = _total(network, losses)
    kept = _kept(network, total, options, cover, keep)
    small = network if kept.all() else _without(network, kept)
    out = np.flatnonzero(~kept)
    whole = float(total.sum())
    left_out = pl.DataFrame(
        {
            "product": network.product_labels[out].tolist(),
            "loss": total[out],
            "share_of_loss": total[out] / whole if whole > 0 else np.zeros(len(out)),
        },
        schema={"product": pl.String, "loss": pl.Float64, "share_of_loss": pl.Float64},
    ).sort("loss", descending=True, maintain_order=True)
    covered = float(total[kept].sum()) / whole if whole > 0 else 1.0
    return Screening(full=network, network=small, left_out=left_out, covered=covered)


def certify(plan: SolvedPlan, screening: Screening) -> Certificate:
    """Play a plan made on a screened network on the full one too.

    Raises
    ------
    UsageError
        If the plan was made on another network.

    Examples
    --------
    >>> import withstand as ws
    >>> net = ws.examples.tiny()
    >>> more = ws.Option(label="STOCK", kind="stockpile", cost_once=1000.0, effects=(
    ...     ws.Effect(effect="add_stock", product="STEEL", amount=6.0, unit="periods"),))
    >>> lost = ws.Scenario.lose(region="JP", duration="12w")
    >>> small = ws.plan.screened(net, [1.0] * net.n_products, [more])
    >>> plan = ws.plan.solve(small.network, [more], [lost], horizon=1)
    >>> ws.plan.certify(plan, small).on_full.to_frame()["simulated_after"].to_list()
    [0.0]
    """
    if plan.network.fingerprint() != screening.network.fingerprint():
        raise UsageError("The plan was not made on the network of this screening.")
    return Certificate(
        screening=screening,
        on_screened=verify(plan),
        on_full=verify(plan, screening.full),
    )


def _total(network: ProductionNetwork, losses: Array | Sequence[float]) -> Array:
    try:
        given = np.asarray(losses, dtype=np.float64)
    except (TypeError, ValueError):
        given = np.full(1, np.nan)
    total = given.sum(axis=0) if given.ndim == 2 else given
    n = network.n_products
    if total.shape != (n,) or not (np.isfinite(total).all() and (total >= 0).all()):
        raise UsageError(
            f"losses must be numbers of at least 0, one for each of {n} products "
            f"(or a row of them for each scenario); their shape is {given.shape}."
        )
    return np.asarray(total)


def _kept(
    network: ProductionNetwork,
    total: Array,
    options: Sequence[Option],
    cover: float,
    keep: Sequence[str],
) -> Array:
    """Return which products stay, shape (n_products,)."""
    if not 0.0 <= cover <= 1.0:
        raise UsageError(f"cover must lie between 0 and 1, not {cover}.")
    index, nodes = network.index("products"), network.index("nodes")
    named = [*keep, *(u.product for o in options for u in o.uses)]
    for e in (e for o in options for e in o.effects):
        named += [x for x in (e.product, e.input) if x is not None]
        for label in (e.node, e.buyer, e.to):
            if label in nodes:
                named.append(str(network.product_labels[network.node_product[nodes[label]]]))
            elif label in index:
                named.append(str(label))
    unknown = [x for x in keep if x not in index]
    if unknown:
        raise UsageError(f"keep names '{unknown[0][:40]}', which is no product.")
    kept = np.zeros(network.n_products, dtype=bool)
    kept[[index[x] for x in named if x in index]] = True
    kept[network.node_product[network.final_demand > 0]] = True
    order = np.argsort(-total, kind="stable")
    before = np.cumsum(total[order]) - total[order]
    whole = float(total.sum())
    kept[order[(before < cover * whole * (1 - 1e-12)) & (total[order] > 0)]] = True
    user = network.node_product[network.input_buyer]
    while True:  # every user of what is kept, tier by tier
        reached = np.zeros_like(kept)
        reached[user[kept[network.input_product]]] = True
        if not (reached & ~kept).any():
            return kept
        kept |= reached


def _without(network: ProductionNetwork, kept: Array) -> ProductionNetwork:
    """Return the network without the nodes of products that are not kept; outputs stay."""
    labels = set(network.product_labels[kept].tolist())
    is_in = kept[network.node_product]
    names = set(network.node_labels[is_in].tolist())
    known = labels | names
    tables = dict(network.tables)
    frame = tables["nodes"].with_columns(
        pl.Series("output", network.output),
        pl.Series("capacity", np.maximum(network.capacity, network.output)),
    )
    changed = {"nodes": frame.filter(pl.Series(is_in))}
    buyers = pl.col("buyer").is_in([*known, EVERY_BUYER])
    if "recipes" in tables:
        used = pl.col("input").is_in(list(labels))
        changed["recipes"] = tables["recipes"].filter(buyers & used)
    if "links" in tables:
        changed["links"] = tables["links"].filter(buyers & pl.col("supplier").is_in(list(names)))
    if "stocks" in tables:
        holders = pl.col("node").is_in([*known, EVERY_BUYER])
        changed["stocks"] = tables["stocks"].filter(holders & pl.col("product").is_in(list(labels)))
    if "products" in tables:
        changed["products"] = tables["products"].filter(pl.col("product").is_in(list(labels)))
    if "classes" in tables:
        columns = [
            c for c in ("supplier_product", "buyer_product") if c in tables["classes"].columns
        ]
        changed["classes"] = tables["classes"].filter(
            pl.all_horizontal(pl.col(c).is_in(list(labels)) for c in columns)
        )
    for name in ("options", "option_effects", "option_uses"):
        if name in tables:
            changed[name] = tables[name].clear()
    if np.isnan(numbers(changed["nodes"], "output")).any():
        raise UsageError("A network with outputs that are not numbers cannot be screened.")
    return network.with_changes(tables=changed)
