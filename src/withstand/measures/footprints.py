"""Footprint: what the final demand of each region takes, by the region where it arises."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from withstand.errors import UsageError
from withstand.measures.linkages import extension_of, value_added_shares
from withstand.measures.selections import (
    idle_findings,
    node_rows,
    select_regions,
    sum_by,
    unknown_label,
)
from withstand.model.provenance import Provenance, provenance_of
from withstand.programming.leontief import leontief_of

if TYPE_CHECKING:
    import pandas as pd

    from withstand.model.findings import Finding
    from withstand.model.network import ProductionNetwork

Array = np.ndarray
VALUE_ADDED = "value_added"


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Footprint:
    """What arises where for whose final demand.

    Parameters
    ----------
    extension : str
        What is counted: value_added, or a name in the table `extensions`.
    users : tuple of str
        Regions of final users, in the order of the columns below.
    by_node : ndarray of float64, shape (n_nodes, n_users)
        What arises at each node for the final demand of each region: value added in currency per
        period, else in the unit of the extension.
    by_region : ndarray of float64, shape (n_regions, n_users)
        The same, summed over the nodes of each region of origin.
    stated : ndarray of float64, shape (n_regions,)
        The extension as the table states it, by region.
    residual : ndarray of float64, shape (n_regions,)
        Stated less the row sums of `by_region`: zero where the table balances.
    findings : tuple of Finding
    provenance : Provenance
    """

    extension: str
    users: tuple[str, ...]
    by_node: Array
    by_region: Array
    stated: Array
    residual: Array
    findings: tuple[Finding, ...]
    provenance: Provenance
    _network: ProductionNetwork

    @property
    def total(self) -> Array:
        """Footprint of each region of users: ndarray of float64, shape (n_users,)."""
        return self.by_region.sum(axis=0)

    def to_frame(self) -> pl.DataFrame:
        """Return a row for each origin and user: value, and share of the user's footprint."""
        n_regions, n_users = self.by_region.shape
        with np.errstate(invalid="ignore", divide="ignore"):
            share = self.by_region / self.total
        return pl.DataFrame(
            {
                "origin": np.repeat(self._network.region_labels, n_users),
                "user": np.tile(np.array(self.users), n_regions),
                "value": self.by_region.ravel(),
                "share": pl.Series(np.where(self.total != 0, share, np.nan).ravel()).fill_nan(None),
            }
        )

    def to_pandas(self) -> pd.DataFrame:
        """Return the same as a pandas frame."""
        return self.to_frame().to_pandas()

    def why(self, label: str) -> pl.DataFrame:
        """Return the nodes behind the footprint of one region of users, largest first.

        Raises
        ------
        UsageError
            If no final user stands in such a region.
        """
        if label not in self.users:
            raise unknown_label("region of final users", label, self.users)
        column = self.by_node[:, self.users.index(label)]
        frame = node_rows(self._network).with_columns(
            pl.Series("value", column), pl.Series("share", column / (column.sum() or 1.0))
        )
        frame = frame.filter(pl.col("value") != 0)
        return frame.sort(["value", "node"], descending=[True, False])

    def home_share(self) -> pl.DataFrame:
        """Return for each region of users the share of its footprint that arises at home."""
        frame = self.to_frame().filter(pl.col("origin") == pl.col("user"))
        return frame.select(pl.col("user").alias("region"), pl.col("share").alias("home_share"))

    def summary(self) -> str:
        """Return one sentence."""
        own = [(o, u) for u, user in enumerate(self.users) for o in self._region(user)]
        at_home = sum(self.by_region[o, u] for o, u in own) / (self.total.sum() or 1.0)
        gap = abs(self.residual).sum() / max(abs(self.stated).sum(), 1e-300)
        tail = f"; {gap:.2%} of it serves no final demand of the table" if gap > 5e-5 else ""
        return (
            f"Of the {self.extension.replace('_', ' ')} that final demand takes, {at_home:.1%} "
            f"arises in the region of the user{tail}."
        )

    def _region(self, label: str) -> list[int]:
        return [int(i) for i in select_regions(self._network, label)]

    def __repr__(self) -> str:
        """Return one line."""
        return (
            f"<Footprint of {self.provenance.network!r}: {self.extension}, "
            f"{self.by_region.shape[0]} origins x {len(self.users)} users>"
        )


def footprint(network: ProductionNetwork, extension: str = VALUE_ADDED) -> Footprint:
    """Say what the final demand of each region takes, by the region where it arises.

    F = diag(e / x) L Y, with e the extension by node and Y final demand by region of the user.
    With value added, rows sum to the value added of a region, columns to its final demand (less
    the taxes and margins that the table counts apart), where the table balances. What final users
    cause themselves (driving, heating) is no part of it.

    Parameters
    ----------
    network : ProductionNetwork
        An economy: final users must have a region.
    extension : str
        `value_added`, or a name in the table `extensions` (employment, emissions ...).

    Returns
    -------
    Footprint

    Raises
    ------
    UsageError
        If the network is none of an economy, the extension is unknown, or the factor of the table
        would not fit into the memory.

    References
    ----------
    Miller and Blair (2009), Input-Output Analysis, sections 3.4 and 10.2; Johnson and Noguera
    (2012), Accounting for intermediates: production sharing and trade in value added.

    Examples
    --------
    Steel of DE goes into cars of FR, all for users in FR: they take 4 of DE and 6 of FR.

    >>> from withstand.model.economy import build_economy
    >>> from withstand.model.settings import Settings
    >>> nodes = pl.DataFrame({"product": ["steel", "cars"], "region": ["DE", "FR"]})
    >>> net = build_economy(np.array([[0.0, 4.0], [0.0, 0.0]]), np.array([[0.0], [10.0]]),
    ...     {"nodes": nodes}, pl.DataFrame({"region": ["FR"], "category": ["households"]}),
    ...     Settings(lens="economy", period="year"))
    >>> footprint(net).by_region.round(9).tolist()
    [[4.0], [6.0]]
    """
    table = network.flow_table
    if table is None:
        raise UsageError(
            "A footprint needs the region of final users, which a network of links does not keep. "
            "Read a world table, or use measures.exposure."
        )
    system = leontief_of(network)
    regions, column = np.unique(table.final_region, return_inverse=True)
    demand = sum_by(column, table.final.T, len(regions)).T
    if extension == VALUE_ADDED:
        per_output = value_added_shares(network)
        stated = per_output * system.output
    else:
        stated = extension_of(network, extension)
        per_output = stated * system.per_output
    by_node = per_output[:, None] * system.solve(demand)
    by_region = sum_by(network.node_region, by_node, network.n_regions)
    totals = sum_by(network.node_region, stated, network.n_regions)
    return Footprint(
        extension=extension,
        users=tuple(network.region_labels[regions].tolist()),
        by_node=by_node,
        by_region=by_region,
        stated=totals,
        residual=totals - by_region.sum(axis=1),
        findings=idle_findings(network),
        provenance=provenance_of("measures.footprint", network, {"extension": extension}),
        _network=network,
    )
