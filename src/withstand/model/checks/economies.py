"""Rules about economies: do rows and columns balance, which cells are empty."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from withstand.model.balances import residuals
from withstand.model.findings import Finding, listed, make_finding

if TYPE_CHECKING:
    from withstand.model.network import ProductionNetwork


def check_economy(network: ProductionNetwork) -> list[Finding]:
    """Run every rule about a network that holds its flows as a matrix."""
    return [
        *unbalanced_economy(network),
        *purchases_above_output(network),
        *empty_cells(network),
    ]


def unbalanced_economy(network: ProductionNetwork) -> list[Finding]:
    """Find nodes whose sales or costs differ from their output by more than rounding explains."""
    gaps = residuals(network)
    bad = gaps.filter(gaps["is_beyond"])
    if bad.height == 0:
        return []
    node, output, sales, costs = bad.select("node", "output", "sales_gap", "cost_gap").row(0)
    is_sales = abs(sales) >= abs(costs)
    says, gap = ("sells", sales) if is_sales else ("buys and adds value of", costs)
    side = "sales" if is_sales else "costs"
    all_gaps = float(np.abs(gaps["sales_gap" if is_sales else "cost_gap"].to_numpy()).sum())
    share = all_gaps / max(float(network.output.sum()), 1e-300)
    what = (
        f"{node} {says} {output + gap:,.6g} and makes {output:,.6g}, and rounding explains "
        f"{bad['tolerance'][0]:,.3g} at most; all gaps of {side} together are {share:.3%} of output"
    )
    return [
        make_finding(
            "W213",
            what,
            origin=network.origins["nodes"],
            column="output",
            value=node,
            count=bad.height,
            fix="withstand.model.economy.residuals(network) lists every gap.",
        )
    ]


def purchases_above_output(network: ProductionNetwork) -> list[Finding]:
    """Find nodes that buy more than they make: what value reaches them cannot be told."""
    table = network.flow_table
    if table is None:
        return []
    bought = table.flows.sum(axis=0)
    bad = np.flatnonzero((bought > network.output * (1 + 1e-9)) & (network.output > 0))
    if len(bad) == 0:
        return []
    i = int(bad[np.argmax(bought[bad] / network.output[bad])])
    label = str(network.node_labels[i])
    what = f"{label} buys {bought[i]:,.6g} from other nodes and makes {network.output[i]:,.6g}"
    return [
        make_finding(
            "W204",
            what,
            origin=network.origins["nodes"],
            column="value_added",
            value=label,
            count=len(bad),
            fix="Check the output of the node, or add it to another one (withstand.aggregate).",
        )
    ]


def empty_cells(network: ProductionNetwork) -> list[Finding]:
    """Tell which nodes have no output, and whether they buy or sell all the same."""
    idle = np.flatnonzero(network.output <= 0)
    table = network.flow_table
    if len(idle) == 0 or table is None:
        return []
    traded = np.abs(table.flows[idle]).sum(axis=1) + np.abs(table.final[idle]).sum(axis=1)
    traded += table.flows[:, idle].sum(axis=0)
    what = f"without output: {listed(network.node_labels[idle].tolist())}"
    if (traded > 0).any():
        n = int((traded > 0).sum())
        what += f"; {n} of them buy or sell all the same, which their recipes cannot show"
    return [
        make_finding(
            "N208", what, origin=network.origins["nodes"], column="output", count=len(idle)
        )
    ]
