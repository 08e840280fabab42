"""An economy as a state that lasts: what is made is sold.

Published tables do not balance to the last unit, and final demand may be negative where
inventories were run down. Measures keep the table as it is. A simulation needs a state that stays
as it is while nothing strikes, so it is played on the settled table: final demand is what output
leaves after sales to other nodes, at least 0; where these sales alone exceed output, output is
they. Flows stay as they are.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from withstand.model.flow_table import by_product

if TYPE_CHECKING:
    from withstand.model.network import ProductionNetwork

SETTLED = 1e-12
"""Relative gap between output and sales that counts as none."""


def settle(network: ProductionNetwork) -> ProductionNetwork:
    """Return the economy with output and final demand that balance; a balanced one as it is."""
    table = network.flow_table
    if table is None:
        return network
    sold = table.flows.sum(axis=1)
    left = network.output - sold
    final = np.where(left > SETTLED * network.output, left, 0.0)
    output = sold + final
    gap = np.abs(output - network.output) + np.abs(final - network.final_demand)
    if (gap <= SETTLED * np.maximum(network.output, 1e-300)).all():
        return network
    purchases = by_product(table.flows, network.node_product, network.n_products)
    buyer = network.input_buyer
    use = purchases[network.input_product, buyer]
    made = np.where(output > 0, output, 1.0)[buyer]
    return replace(
        network,
        output=output,
        final_demand=final,
        capacity=np.maximum(network.capacity, output),
        input_coefficient=np.where(output[buyer] > 0, use / made, 0.0),
    )
