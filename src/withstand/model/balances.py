"""Whether the rows and columns of an economy add up, judged against what its source printed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from withstand.errors import UsageError

if TYPE_CHECKING:
    from withstand.model.network import ProductionNetwork

Array = np.ndarray
RELATIVE = 1e-6
"""Share of a node's output by which its sides may differ in any table: single precision sums."""
BLOCK = 512
"""Rows of a matrix that are looked at together, so that no second matrix is made."""
MOST_DECIMALS = 4


def residuals(network: ProductionNetwork) -> pl.DataFrame:
    """Return by how much the sales and the costs of each node of an economy miss its output.

    Parameters
    ----------
    network : ProductionNetwork
        An economy: one that holds its flows as a matrix.

    Returns
    -------
    polars.DataFrame
        Largest gap first: `node`, `output`, `sales_gap` (sales to nodes and final users less
        output), `cost_gap` (purchases and value added less output), `share` (the larger gap over
        output; null without output), `tolerance` (what rounding in the source can explain),
        `is_beyond` (whether a gap is larger than that).

    Raises
    ------
    UsageError
        If the network is one of links.

    Examples
    --------
    >>> import numpy as np, polars as pl
    >>> from withstand.model.economy import build_economy
    >>> from withstand.model.settings import Settings
    >>> nodes = pl.DataFrame({"product": ["steel", "cars"], "region": ["DE", "DE"],
    ...     "output": [4.0, 12.0]})
    >>> net = build_economy(np.array([[0.0, 4.0], [0.0, 0.0]]), np.array([[0.0], [10.0]]),
    ...     {"nodes": nodes}, pl.DataFrame({"region": ["DE"], "category": ["households"]}),
    ...     Settings(lens="economy", period="year"))
    >>> residuals(net).select("node", "sales_gap", "cost_gap").rows()
    [('cars@DE', -2.0, 0.0), ('steel@DE', 0.0, 0.0)]
    """
    table = network.flow_table
    if table is None:
        raise UsageError("Residuals are those of an economy; this network is one of links.")
    output = network.output
    sales = table.flows.sum(axis=1) + table.final.sum(axis=1) - output
    costs = table.flows.sum(axis=0) + np.nan_to_num(network.value_added) - output
    size = np.maximum(np.abs(sales), np.abs(costs))
    floor = RELATIVE * max(float(output.max(initial=0.0)), 0.0)
    tolerance = table.tolerance + RELATIVE * np.maximum(output, floor)
    share = np.divide(size, output, out=np.full(len(size), np.nan), where=output > 0)
    frame = pl.DataFrame(
        {
            "node": network.node_labels,
            "output": output,
            "sales_gap": sales,
            "cost_gap": costs,
            "share": share,
            "tolerance": tolerance,
            "is_beyond": size > tolerance,
        }
    )
    order = np.argsort(-size, kind="stable")
    return frame[order].with_columns(pl.col("share").fill_nan(None))


def rounding_of(flows: Array, final: Array, *others: Array) -> float:
    """Return the largest gap that rounding of the entries of a table can explain, in its unit.

    If every number of the table is a multiple of 1, .1, ... .0001, it was printed so, each entry
    wrong by up to half of it, zeros included: a row of k entries by up to k / 2 units. Zero if the
    numbers are not rounded (or to more than four decimals).

    Parameters
    ----------
    flows : ndarray of float64, shape (n_nodes, n_nodes)
    final : ndarray of float64, shape (n_nodes, n_final)
    *others : ndarray of float64
        Output, value added: what the rows and columns are compared with.
    """
    decimals = 0
    for array in (*others, final, flows):
        for start in range(0, len(array), BLOCK):
            block = array[start : start + BLOCK]
            while decimals <= MOST_DECIMALS and not _is_rounded(block, decimals):
                decimals += 1
            if decimals > MOST_DECIMALS:
                return 0.0
    return 0.5 * 10.0**-decimals * (flows.shape[1] + final.shape[1] + 1)


def _is_rounded(block: Array, decimals: int) -> bool:
    scaled = block * 10.0**decimals
    # what the closest binary number to a decimal one is off by, and no more
    return bool((np.abs(scaled - np.rint(scaled)) <= 4e-16 * np.abs(scaled) + 1e-12).all())
