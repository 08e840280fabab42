"""Where labels meet arrays for the cascade: link values, market sizes, slots of inputs."""

from __future__ import annotations

import weakref
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from withstand.errors import UsageError
from withstand.kernels import cascade_memory as memory
from withstand.model.findings import nearest
from withstand.model.recipe_inputs import HOSTED
from withstand.model.returning import return_unused

if TYPE_CHECKING:
    from withstand.model.network import ProductionNetwork

Array = np.ndarray
PerNode = Array | Sequence[float] | Mapping[str, float]
ESSENTIAL, MINOR = 2, 0


@dataclass(frozen=True, kw_only=True, eq=False)
class Prepared:
    """A network made ready for cascades.

    Parameters
    ----------
    arrays : CascadeArrays
    share_down, share_up : ndarray of float64, shape (n_links,)
        Ld and Lu of each link.
    slot : ndarray of int32, shape (n_links,)
        Slot each link serves; -1 for minor inputs.
    weight : ndarray of float64, shape (n_nodes,)
        What each node weighs by default: link sales, or output by value.
    """

    arrays: memory.CascadeArrays
    share_down: Array
    share_up: Array
    slot: Array
    weight: Array


_PREPARED: weakref.WeakKeyDictionary[ProductionNetwork, Prepared] = weakref.WeakKeyDictionary()


def prepare(
    network: ProductionNetwork, revenue: PerNode | None = None, costs: PerNode | None = None
) -> Prepared:
    """Return the network ready for cascades; kept with it when neither revenue nor costs is given.

    Link values W are those stated in the table of links, else the flow at rest times the price of
    the supplier (or the mean price of its product). Firm networks: s = link sales. Plants and
    economies: Lu = W over output by value including final demand, and markets by output.
    """
    if revenue is None and costs is None:
        if network not in _PREPARED:
            _PREPARED[network] = _prepare(network, None, None)
        return _PREPARED[network]
    return _prepare(
        network,
        None if revenue is None else per_node(network, revenue, "revenue"),
        None if costs is None else per_node(network, costs, "costs"),
    )


def forget(network: ProductionNetwork) -> None:
    """Let go of what `prepare` keeps with a network: 40 bytes a link, made again in no time."""
    _PREPARED.pop(network, None)
    return_unused()


def _prepare(network: ProductionNetwork, revenue: Array | None, costs: Array | None) -> Prepared:
    n = network.n_nodes
    value = link_values(network)
    link_input = _link_input(network)
    buyer = network.input_buyer[link_input]
    sales = np.bincount(network.link_supplier, value, n)
    bought = np.bincount(buyer, value, n)
    is_firms = network.settings.lens == "firms"
    if is_firms:
        size, weight, total = sales, sales, sales
    else:
        worth = _worth(network)
        size, weight, total = network.output, worth, np.maximum(worth, sales)
    if revenue is not None:
        total = revenue
    share_up = value / np.where(total > 0, total, 1.0)[network.link_supplier]
    share_down = _shares_down(network, link_input, value, bought)
    if costs is not None:
        factor = np.where(costs > 0, bought / np.where(costs > 0, costs, 1.0), 1.0)
        share_down = share_down * factor[buyer]
    of_input, slot_indptr = _slots(network)
    slot = of_input[link_input]
    del value, buyer, link_input
    arrays = _arrays(network, size, share_up, share_down, slot, slot_indptr)
    return_unused()
    return Prepared(
        arrays=arrays,
        share_down=share_down,
        share_up=share_up,
        slot=slot,
        weight=weight,
    )


def _worth(network: ProductionNetwork) -> Array:
    """Output by value; 0 where no node of the product has a price."""
    price = np.where(
        np.isnan(network.price), network.product_price[network.node_product], network.price
    )
    return network.output * np.nan_to_num(price)


def _link_input(network: ProductionNetwork) -> Array:
    """Return the input each link serves; not kept with the network, which has it in 64 bits."""
    number = np.arange(network.n_inputs, dtype=np.int32)
    return np.repeat(number, np.diff(network.links_indptr))


def link_values(network: ProductionNetwork) -> Array:
    """Return W of each link: as stated, else flow times price; 0 for hosted inputs or no price."""
    stated = _stated_values(network)
    if stated is not None and not np.isnan(stated).any():
        return np.maximum(stated, 0.0)
    price = network.price[network.link_supplier]
    mean = network.product_price[network.input_product[network.link_input]]
    value = network.link_flow * np.nan_to_num(np.where(np.isnan(price), mean, price))
    value[(network.input_use == HOSTED)[network.link_input]] = 0.0
    if stated is not None:
        # stated values are free of the rounding of value / output * output
        value = np.where(np.isnan(stated), value, stated)
    return np.maximum(value, 0.0)


def _stated_values(network: ProductionNetwork) -> Array | None:
    """Return the value of each link in the table of links, NaN where there is none."""
    if "links" not in network.tables or "value" not in network.tables["links"].columns:
        return None
    column = network.column("links", "value").fill_null(float("nan")).to_numpy()
    values = column[np.maximum(network.link_row, 0)]
    values[network.link_row < 0] = np.nan
    return values


def _shares_down(
    network: ProductionNetwork, link_input: Array, value: Array, bought: Array
) -> Array:
    """Ld: share of the input if essential, of all purchases if important, 0 if minor."""
    of_input = np.bincount(link_input, value, network.n_inputs)[link_input]
    by_input = np.where(
        of_input > 0, value / np.where(of_input > 0, of_input, 1.0), network.link_share
    )
    purchases = bought[network.input_buyer[link_input]]
    # an important input without a price counts as if it were the buyer's only one
    by_purchases = np.where(
        of_input > 0, value / np.where(purchases > 0, purchases, 1.0), network.link_share
    )
    del of_input, purchases
    rank = network.input_class[link_input]
    share = np.where(rank == ESSENTIAL, by_input, by_purchases)
    return np.where(rank == MINOR, 0.0, share)


def _slots(network: ProductionNetwork) -> tuple[Array, Array]:
    """Return the slot of each input (-1 minor), and the slots grouped by buyer."""
    essential = network.input_class == ESSENTIAL
    linear = (network.input_class != ESSENTIAL) & (network.input_class != MINOR)
    n = network.n_nodes
    has_linear = np.bincount(network.input_buyer, linear, n) > 0
    count = np.bincount(network.input_buyer, essential, n).astype(np.int64) + has_linear
    indptr = np.concatenate([[0], np.cumsum(count)]).astype(np.int64)
    before = np.cumsum(essential) - essential
    first = (
        before[np.minimum(network.inputs_indptr[:-1], max(network.n_inputs - 1, 0))]
        if (network.n_inputs)
        else np.zeros(n)
    )
    of_input = np.full(network.n_inputs, -1, dtype=np.int64)
    buyer = network.input_buyer
    of_input[essential] = (indptr[buyer] + before - first[buyer])[essential]
    of_input[linear] = (indptr[1:][buyer] - 1)[linear]
    return of_input.astype(np.int32), indptr


def _arrays(
    network: ProductionNetwork,
    size: Array,
    share_up: Array,
    share_down: Array,
    slot: Array,
    slot_indptr: Array,
) -> memory.CascadeArrays:
    """Group the links by buyer (up) and by supplier (down), and nodes by market."""
    n, m = network.n_nodes, network.n_products
    by_supplier = network.supplier_link
    passes = slot[by_supplier] >= 0
    count = np.bincount(network.link_supplier[by_supplier[passes]], minlength=n)
    members = np.bincount(network.node_product, minlength=m)
    return memory.read_only(
        memory.CascadeArrays(
            size=size,
            market=network.node_product,
            market_size=np.bincount(network.node_product, size, m),
            market_indptr=np.concatenate([[0], np.cumsum(members)]).astype(np.int64),
            market_node=np.argsort(network.node_product, kind="stable").astype(np.int64),
            up_indptr=network.links_indptr[network.inputs_indptr],
            up_supplier=network.link_supplier,
            up_share=share_up,
            down_indptr=np.concatenate([[0], np.cumsum(count)]).astype(np.int64),
            down_slot=slot[by_supplier[passes]].astype(np.int64),
            down_share=share_down[by_supplier[passes]],
            slot_indptr=slot_indptr,
            slot_buyer=np.repeat(np.arange(n), np.diff(slot_indptr)),
        )
    )


def per_node(network: ProductionNetwork, values: PerNode, name: str) -> Array:
    """Return one non-negative number a node, from an array or from labels (others 0).

    Raises
    ------
    UsageError
        If a label is unknown, the length is wrong, or a number is negative or not finite.
    """
    if isinstance(values, Mapping):
        array = np.zeros(network.n_nodes)
        for label, value in values.items():
            array[index_of(network, str(label))] = float(value)
    else:
        array = np.array(values, dtype=np.float64)
    if array.shape != (network.n_nodes,):
        raise UsageError(f"{name} needs {network.n_nodes} numbers, one a node, not {array.shape}.")
    if not (np.isfinite(array) & (array >= 0)).all():
        raise UsageError(f"{name} must be finite numbers of 0 or more.")
    return array


def index_of(network: ProductionNetwork, label: str) -> int:
    """Return the index of a node, or say which one may be meant."""
    index = network.index("nodes")
    if label not in index:
        near = nearest(label, list(index))
        hint = f" Did you mean {near}?" if near else ""
        raise UsageError(f"There is no node '{label[:60]}'.{hint}")
    return index[label]


def indices_of(network: ProductionNetwork, nodes: Sequence[Any] | Array | None) -> Array:
    """Return node indices of labels or of whole numbers; None is all nodes."""
    if nodes is None:
        return np.arange(network.n_nodes)
    if isinstance(nodes, str):
        raise UsageError(f"nodes takes a list: nodes=['{nodes[:40]}'].")
    chosen = list(nodes)
    if all(isinstance(k, int | np.integer) and not isinstance(k, bool) for k in chosen):
        indices = np.array(chosen, dtype=np.int64)
        if len(indices) and not ((indices >= 0) & (indices < network.n_nodes)).all():
            raise UsageError(f"node numbers run from 0 to {network.n_nodes - 1}.")
        return indices
    return np.array([index_of(network, str(k)) for k in chosen], dtype=np.int64)


def frozen(array: Array) -> Array:
    """Return the array contiguous and read-only: one compiled signature per kernel."""
    view = np.ascontiguousarray(array).view()
    view.flags.writeable = False
    return view
