"""Multipliers and linkages: what one unit of final demand, or of primary input, sets in motion."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from withstand.errors import UsageError
from withstand.measures.selections import idle_findings, node_index, node_rows, unknown_label
from withstand.model.encoding import encode, numbers
from withstand.model.provenance import Provenance, provenance_of
from withstand.programming.leontief import leontief_of

if TYPE_CHECKING:
    import pandas as pd

    from withstand.model.findings import Finding
    from withstand.model.network import ProductionNetwork

Array = np.ndarray


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Multipliers:
    """What one unit of each node sets in motion; arrays of float64, shape (n_nodes,).

    Parameters
    ----------
    output : ndarray, output of all nodes per unit of final demand of this one
        Column sums of L = (I - A)^-1. The total backward linkage of Rasmussen.
    value_added : ndarray, value added of all nodes per unit of final demand of this one
        v'L with v the value added given by the table per unit of output; 1 where the table counts
        no taxes or margins apart.
    value_added_type1 : ndarray
        The same per unit of value added of the node itself (type I); NaN where it adds none.
    supply : ndarray, output of all nodes per unit of primary input of this one
        Row sums of the Ghosh inverse G = (I - B)^-1. The total forward linkage.
    direct_backward, direct_forward : ndarray
        Column sums of A; row sums of B: purchases, and sales to other nodes, per unit of output.
    backward, forward : ndarray
        Total linkages divided by their mean over all nodes: above 1, stronger than the average.
    extension : str or None
    per_demand : ndarray or None, units of the extension per unit of final demand
        e'L with e the extension per unit of output.
    findings : tuple of Finding
    provenance : Provenance
    """

    output: Array
    value_added: Array
    value_added_type1: Array
    supply: Array
    direct_backward: Array
    direct_forward: Array
    extension: str | None
    per_demand: Array | None
    findings: tuple[Finding, ...]
    provenance: Provenance
    _network: ProductionNetwork

    @property
    def backward(self) -> Array:
        """Total backward linkage over its mean."""
        return self.output / self.output.mean()

    @property
    def forward(self) -> Array:
        """Total forward linkage over its mean."""
        return self.supply / self.supply.mean()

    def to_frame(self) -> pl.DataFrame:
        """Return a row for each node, in node order."""
        columns = {
            "output_multiplier": self.output,
            "value_added_multiplier": self.value_added,
            "value_added_type1": self.value_added_type1,
            "supply_multiplier": self.supply,
            "direct_backward": self.direct_backward,
            "direct_forward": self.direct_forward,
            "backward": self.backward,
            "forward": self.forward,
        }
        if self.per_demand is not None:
            columns[f"{self.extension}_multiplier"] = self.per_demand
        frame = node_rows(self._network).with_columns(
            **{name: pl.Series(values).fill_nan(None) for name, values in columns.items()}
        )
        is_key = (pl.col("backward") > 1) & (pl.col("forward") > 1)
        return frame.with_columns(is_key.alias("is_key_sector"))

    def to_pandas(self) -> pd.DataFrame:
        """Return the same as a pandas frame."""
        return self.to_frame().to_pandas()

    def why(self, label: str) -> pl.DataFrame:
        """Return the nodes whose output makes up one node's multiplier, largest first.

        Raises
        ------
        UsageError
            If there is no such node.
        """
        i = node_index(self._network, label)
        unit = np.zeros(self._network.n_nodes)
        unit[i] = 1.0
        column = leontief_of(self._network).solve_once(unit)
        frame = node_rows(self._network).with_columns(
            pl.Series("output", column), pl.Series("share", column / column.sum())
        )
        frame = frame.filter(pl.col("output") != 0)
        return frame.sort(["output", "node"], descending=[True, False])

    def summary(self) -> str:
        """Return one sentence."""
        label = self._network.node_labels[int(np.argmax(self.output))]
        return (
            f"One unit of final demand sets {self.output.mean():.2f} units of output in motion on "
            f"average, most in {label} ({self.output.max():.2f})."
        )

    def __repr__(self) -> str:
        """Return one line."""
        return (
            f"<Multipliers of {self.provenance.network!r}: {len(self.output):,} nodes, "
            f"mean output multiplier {self.output.mean():.3f}>"
        )


def multipliers(network: ProductionNetwork, extension: str | None = None) -> Multipliers:
    """Say what one unit of final demand, or of primary input, sets in motion.

    With A = Z diag(1/x), B = diag(1/x) Z, L = (I - A)^-1 and G = (I - B)^-1: output multipliers
    are the column sums of L, value added multipliers v'L, supply multipliers (Ghosh) the row sums
    of G. G 1 = (L x) / x, so no second factor is needed.

    Parameters
    ----------
    network : ProductionNetwork
        An economy, or a network of links whose nodes have prices.
    extension : str, optional
        A name in the table `extensions` (employment, emissions ...).

    Returns
    -------
    Multipliers

    Raises
    ------
    UsageError
        If the table has no Leontief inverse, or the extension is unknown.

    Notes
    -----
    The supply multipliers follow demand-free accounting: read them as linkages, not as what a
    shock to primary inputs would do (Oosterhaven 1988).

    References
    ----------
    Miller and Blair (2009), Input-Output Analysis, chapters 6 and 12.

    Examples
    --------
    Miller and Blair (2009), table 2.3: two sectors, output multipliers 1.518 and 1.452.

    >>> import polars as pl
    >>> from withstand.model.economy import build_economy
    >>> from withstand.model.settings import Settings
    >>> net = build_economy(np.array([[150.0, 500.0], [200.0, 100.0]]),
    ...     np.array([[350.0], [1700.0]]),
    ...     {"nodes": pl.DataFrame({"product": ["one", "two"], "region": ["R", "R"]})},
    ...     pl.DataFrame({"region": ["R"], "category": ["all"]}),
    ...     Settings(lens="economy", period="year"))
    >>> multipliers(net).output.round(3).tolist()
    [1.518, 1.452]
    """
    system = leontief_of(network)
    output = system.output
    own = value_added_shares(network)
    is_all = np.array_equal(own, system.value_shares)  # (I - A)' 1 = v, so v'L = 1
    carried = np.ones(system.n) if is_all else system.solve_once(own, True)
    with np.errstate(invalid="ignore", divide="ignore"):
        type1 = np.where(own != 0, carried / own, np.nan)
    per_output = system.per_output
    per_demand = None
    if extension is not None:
        amounts = extension_of(network, extension)
        per_demand = system.solve_once(amounts * per_output, True)
    sold = system.flows @ np.where(output > 0, 1.0, 0.0)
    return Multipliers(
        output=system.multipliers,
        value_added=carried,
        value_added_type1=type1,
        supply=np.where(output > 0, system.solve_once(output) * per_output, 1.0),
        direct_backward=system.column_sums,
        direct_forward=sold * per_output,
        extension=extension,
        per_demand=per_demand,
        findings=idle_findings(network),
        provenance=provenance_of("measures.multipliers", network, {"extension": extension}),
        _network=network,
    )


def value_added_shares(network: ProductionNetwork) -> Array:
    """Return value added per unit of output: as the table gives it, else what purchases leave.

    ndarray of float64, shape (n_nodes,); 1 for a node that makes and buys nothing.
    """
    system = leontief_of(network)
    rest = system.value_shares
    if network.flow_table is None:
        return rest
    given = network.value_added
    known = ~np.isnan(given) & (system.output > 0)
    return np.where(known, np.where(known, given, 0.0) * system.per_output, rest)


def extension_of(network: ProductionNetwork, name: str) -> Array:
    """Return an extension by node: ndarray of float64, shape (n_nodes,), 0 where not stated.

    Raises
    ------
    UsageError
        If the network has no extension of this name.
    """
    table = network.tables.get("extensions")
    names = [] if table is None else table["name"].unique().sort().to_list()
    if table is None or name not in names:
        if not names:
            raise UsageError(f"This network has no table of extensions, so no '{name[:60]}'.")
        raise unknown_label("extension", name, names)
    rows = table.filter(pl.col("name") == name)
    at = encode(pl.Series(network.node_labels), rows["node"])
    return np.bincount(at, numbers(rows, "value", 0.0), network.n_nodes)
