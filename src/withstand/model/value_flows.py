"""What nodes buy from each other in currency, whichever way the network holds its links."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

from withstand.errors import UsageError
from withstand.model.recipe_inputs import HOSTED

if TYPE_CHECKING:
    from withstand.model.network import ProductionNetwork

Array = np.ndarray


def value_flows(network: ProductionNetwork) -> tuple[Array | sparse.csr_array, Array]:
    """Return the value of every flow at rest, and the value of every output.

    Parameters
    ----------
    network : ProductionNetwork
        An economy, or a network of links whose nodes have prices.

    Returns
    -------
    flows : ndarray or scipy sparse array of float64, shape (n_nodes, n_nodes), currency per period
        Z: the row sells to the column. The matrix of an economy is handed out itself, not a copy.
    output : ndarray of float64, shape (n_nodes,), currency per period
        x; zero for nodes that make nothing or have no price.

    Raises
    ------
    UsageError
        If nothing that is made has a price.

    Examples
    --------
    >>> import withstand as ws
    >>> flows, output = value_flows(ws.examples.tiny())
    >>> round(float(output.sum() - flows.sum()), 6) > 0
    True
    """
    if network.flow_table is not None:
        return network.flow_table.flows, network.output
    price = np.nan_to_num(network.price)
    output = network.output * price
    if output.sum() <= 0:
        raise UsageError(
            "Nothing that this network makes has a price, so its value cannot be followed. Give "
            "the nodes a price (column price), or links with values."
        )
    supplier, buyer = network.link_supplier, network.input_buyer[network.link_input]
    is_bought = network.input_use[network.link_input] != HOSTED
    value = np.where(is_bought & (output[buyer] > 0), network.link_flow * price[supplier], 0.0)
    shape = (network.n_nodes, network.n_nodes)
    flows = sparse.coo_array((value, (supplier, buyer)), shape=shape).tocsr()
    flows.eliminate_zeros()
    return flows, output
