"""Criticality: exposure to regions through the inputs that production cannot do without."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from withstand.errors import UsageError
from withstand.measures.selections import node_index, sum_by, unknown_label
from withstand.model.provenance import Provenance, provenance_of
from withstand.model.recipe_inputs import HOSTED
from withstand.model.tables import CLASSES

if TYPE_CHECKING:
    import pandas as pd

    from withstand.model.network import ProductionNetwork

Array = np.ndarray
ESSENTIAL = CLASSES.index("essential")
WEIGHTS = {"essential": 1.0, "important": 0.5, "minor": 0.0}
"""Weight of an input by its class, as Pichler and others (2022) rate them."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Criticality:
    """How exposed every node is to every region, weighted by what happens without the input.

    Parameters
    ----------
    weights : mapping of str to float
        Weight of each class.
    share : ndarray of float64, shape (n_nodes, n_regions)
        Share of a node's purchases that comes from a region, all inputs alike, 0 to 1.
    weighted : ndarray of float64, shape (n_nodes, n_regions)
        The same with every purchase times the weight of its class, 0 to 1; NaN where a node buys
        nothing that counts.
    per_output : ndarray of float64, shape (n_nodes, n_regions)
        Weighted purchases from a region per unit of the node's output.
    essential : ndarray of float64, shape (n_nodes, n_regions)
        The largest part that a region has in any one essential input, 0 to 1: what would be short
        at once if the region stopped.
    provenance : Provenance
    """

    weights: Mapping[str, float]
    share: Array = field(repr=False)
    weighted: Array = field(repr=False)
    per_output: Array = field(repr=False)
    essential: Array = field(repr=False)
    provenance: Provenance
    _network: ProductionNetwork = field(repr=False)

    def to_frame(self) -> pl.DataFrame:
        """Return one row for each node and source region it buys from, in the order of nodes."""
        network = self._network
        node, region = np.nonzero(self.share > 0)
        return pl.DataFrame(
            {
                "node": network.node_labels[node],
                "source": network.region_labels[region],
                "share": self.share[node, region],
                "weighted_share": self.weighted[node, region],
                "weighted_per_output": self.per_output[node, region],
                "largest_essential": self.essential[node, region],
            }
        ).with_columns(pl.col("weighted_share").fill_nan(None))

    def to_pandas(self) -> pd.DataFrame:
        """Return the same as a pandas frame."""
        return self.to_frame().to_pandas()

    def why(self, node: str, source: str) -> pl.DataFrame:
        """Return the inputs of a node: class, weight, value, and how much a region has of each."""
        network = self._network
        buyer = node_index(network, node)
        if source not in network.index("regions"):
            raise unknown_label("region", source, list(network.index("regions")))
        bought, total = _purchases_of(network, buyer, network.index("regions")[source])
        own = slice(network.inputs_indptr[buyer], network.inputs_indptr[buyer + 1])
        classes = [CLASSES[c] for c in network.input_class[own]]
        value = total.sum()
        weight = np.array([self.weights[c] for c in classes])
        with np.errstate(invalid="ignore", divide="ignore"):
            part = np.where(total > 0, bought / total, np.nan)
        return (
            pl.DataFrame(
                {
                    "product": network.product_labels[network.input_product[own]],
                    "class": pl.Series(classes, dtype=pl.String),
                    "weight": weight,
                    "share_of_purchases": total / value if value > 0 else np.zeros(len(total)),
                    "share_of_source": part,
                    "weighted": weight * bought,
                }
            )
            .with_columns(pl.col("share_of_source").fill_nan(None))
            .sort(["weighted", "product"], descending=[True, False])
        )

    def summary(self) -> str:
        """Return one sentence: the region that most nodes hang on through an essential input."""
        network = self._network
        if not (network.input_class == ESSENTIAL).any():
            return "No input is classed essential here, so no node hangs on one."
        abroad = np.arange(network.n_regions) != network.node_region[:, None]
        hangs = (self.essential >= 0.5) & abroad
        if not hangs.any():
            return "No node buys half or more of an essential input from one other region."
        worst = int(hangs.sum(axis=0).argmax())
        n_nodes = int(hangs[:, worst].sum())
        return (
            f"{int(hangs.any(axis=1).sum())} of {network.n_nodes} nodes buy half or more of an "
            f"essential input from one other region; {n_nodes} from "
            f"{network.region_labels[worst]}, the most."
        )

    def __repr__(self) -> str:
        """Return what it holds, not the numbers."""
        n_nodes, n_regions = self.share.shape
        return f"Criticality({n_nodes} nodes x {n_regions} source regions)"


def criticality(
    network: ProductionNetwork, *, weights: Mapping[str, float] | None = None
) -> Criticality:
    """Say how exposed every node is to every region through the inputs it cannot do without.

    For buyer j and region r, with z_pjr the value of input p from r and w_pj the weight of its
    class: weighted share = sum over p of w z_pjr / sum over p and r of w z_pjr.

    Parameters
    ----------
    network : ProductionNetwork
        With classes of inputs (table `classes`, or a recipe's column); without them every input is
        important, and weighted and plain shares agree.
    weights : mapping of str to float, optional
        Weight of "essential", "important" and "minor"; 1, 0.5 and 0 if not given.

    Returns
    -------
    Criticality

    Raises
    ------
    UsageError
        If a class is unknown, a weight is negative or missing, or nothing has a price.

    References
    ----------
    Pichler, Pangallo, del Rio-Chanona, Lafond and Farmer (2022), Journal of Economic Dynamics and
    Control 144 (ratings 1, 0.5 and 0 of inputs by industry analysts).

    Examples
    --------
    >>> import withstand as ws
    >>> result = criticality(ws.examples.tiny())
    >>> result.to_frame().select("node", "source", "largest_essential").row(0)
    ('GEAR@HOME', 'HOME', 0.2)
    """
    given = _checked(weights)
    by_class = np.array([given[c] for c in CLASSES])
    found = _from_links if network.flow_table is None else _from_matrix
    plain, weighted, essential = found(network, by_class)
    output = network.output * np.nan_to_num(network.price)
    with np.errstate(invalid="ignore", divide="ignore"):
        share = plain / plain.sum(axis=1, keepdims=True)
        weighted_share = weighted / weighted.sum(axis=1, keepdims=True)
        per_output = np.where(output[:, None] > 0, weighted / output[:, None], 0.0)
    return Criticality(
        weights=given,
        share=np.nan_to_num(share),
        weighted=weighted_share,
        per_output=per_output,
        essential=essential,
        provenance=provenance_of("measures.criticality", network, {"weights": given}),
        _network=network,
    )


def _checked(weights: Mapping[str, float] | None) -> dict[str, float]:
    given = dict(WEIGHTS if weights is None else weights)
    for label in given:
        if label not in CLASSES:
            raise unknown_label("class", label, CLASSES)
    missing = [c for c in CLASSES if c not in given]
    if missing:
        raise UsageError(f"weights has no '{missing[0]}'; give one for each of {CLASSES}.")
    for label, weight in given.items():
        if not 0 <= weight < np.inf:
            raise UsageError(f"The weight of '{label}' is {weight}; it must be 0 or more.")
    return given


def _from_matrix(network: ProductionNetwork, by_class: Array) -> Array:
    """Purchases, weighted purchases and largest essential part, by buyer and source region."""
    shape = (network.n_products, network.n_nodes)
    where = (network.input_product, network.input_buyer)
    weight, is_essential = np.zeros(shape), np.zeros(shape, dtype=bool)
    weight[where] = by_class[network.input_class]
    is_essential[where] = network.input_class == ESSENTIAL
    found = np.zeros((3, network.n_nodes, network.n_regions))
    sources = [np.flatnonzero(network.node_region == r) for r in range(network.n_regions)]
    total = sum((_by_product(network, rows) for rows in sources), np.zeros(shape))
    for region, rows in enumerate(sources):
        bought = _by_product(network, rows)
        part = np.divide(bought, total, out=np.zeros(shape), where=is_essential & (total > 0))
        found[0, :, region] = bought.sum(axis=0)
        found[1, :, region] = (weight * bought).sum(axis=0)
        found[2, :, region] = part.max(axis=0, initial=0.0)
    return found


def _by_product(network: ProductionNetwork, suppliers: Array) -> Array:
    """Add up what every node buys of each product here, shape (n_products, n_nodes)."""
    assert network.flow_table is not None
    return sum_by(
        network.node_product[suppliers], network.flow_table.flows[suppliers], network.n_products
    )


def _from_links(network: ProductionNetwork, by_class: Array) -> Array:
    """As `_from_matrix`, from the links."""
    of_input, region = network.link_input, network.node_region[network.link_supplier]
    buyer = network.input_buyer[of_input]
    value = _link_values(network)
    if not value.sum() > 0:
        raise UsageError(
            "Nothing that is bought here has a price, so purchases cannot be compared. Give the "
            "nodes a price (column price), or links with values."
        )
    n_regions = network.n_regions
    shape = (network.n_nodes, n_regions)
    place = buyer * n_regions + region
    found = np.zeros((3, *shape))
    n_places = network.n_nodes * n_regions
    found[0] = np.bincount(place, value, n_places).reshape(shape)
    weight = by_class[network.input_class[of_input]]
    found[1] = np.bincount(place, weight * value, n_places).reshape(shape)
    counts = (network.input_class[of_input] == ESSENTIAL) & (network.input_use[of_input] != HOSTED)
    key, group = np.unique(of_input[counts] * n_regions + region[counts], return_inverse=True)
    part = np.bincount(group, network.link_share[counts], len(key))
    np.maximum.at(found[2], (network.input_buyer[key // n_regions], key % n_regions), part)
    return found


def _link_values(network: ProductionNetwork) -> Array:
    """Value of each link at rest, 0 where the supplier has no price or the input is hosted."""
    price = np.nan_to_num(network.price)[network.link_supplier]
    is_bought = network.input_use[network.link_input] != HOSTED
    return np.where(is_bought, network.link_flow * price, 0.0)


def _purchases_of(network: ProductionNetwork, buyer: int, region: int) -> tuple[Array, Array]:
    """Value of each input of one buyer: from a region, and from all."""
    own = slice(network.inputs_indptr[buyer], network.inputs_indptr[buyer + 1])
    n = own.stop - own.start
    if network.flow_table is not None:
        paid = network.flow_table.flows[:, buyer]
        supplier = np.arange(network.n_nodes)
        place = np.full(network.n_products, n)  # one place more, for what is no input
        place[network.input_product[own]] = np.arange(n)
        group = place[network.node_product]
    else:
        links = slice(network.links_indptr[own.start], network.links_indptr[own.stop])
        paid, supplier = _link_values(network)[links], network.link_supplier[links]
        group = network.link_input[links] - own.start
    here = network.node_region[supplier] == region
    return (
        np.bincount(group[here], paid[here], n + 1)[:n],
        np.bincount(group, paid, n + 1)[:n],
    )
