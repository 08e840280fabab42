"""What a search for clusters answers: who is in which, what it gains and what it risks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from withstand.errors import UsageError
from withstand.model.findings import Finding, counted, nearest, shorten

if TYPE_CHECKING:
    import pandas as pd
    from scipy import sparse

Array = np.ndarray


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Clusters:
    """Groups of nodes that trade more with each other than chance would have them do.

    Parameters
    ----------
    labels : tuple of str, n
    regions : tuple of str, or empty
        Region of each node; empty if they have none.
    membership : ndarray of int64, shape (n,)
        Cluster of each node, from 1, the largest first; 0 for nodes without links.
    size : ndarray of float64, shape (n,), currency per period
        Output of each node; of a frame of links, what it sells or buys, whichever is more.
    modularity : float
        Share of links inside clusters beyond what chance puts there.
    resolution : float
    directed : bool
    seed : int
        The first; run k took seed + k.
    best_seed : int
        Of the run that is shown.
    modularities : ndarray of float64, shape (runs,)
    stability : float
        Mean adjusted Rand index of all pairs of runs: 1 if all runs agree, 0 as by chance; NaN for
        one run.
    findings : tuple of Finding
    """

    labels: tuple[str, ...]
    regions: tuple[str, ...]
    membership: Array
    size: Array
    modularity: float
    resolution: float
    directed: bool
    seed: int
    best_seed: int
    modularities: Array
    stability: float
    findings: tuple[Finding, ...]
    _links: sparse.csr_array

    @property
    def n_clusters(self) -> int:
        """Number of clusters."""
        return int(self.membership.max(initial=0))

    def to_frame(self) -> pl.DataFrame:
        """Return a row for each cluster, largest output first.

        cluster, members, size (currency per period), share (of all output), internal (links inside,
        currency), internal_share (of all links that touch it), bought_outside and sold_outside
        (shares of what its members buy and sell), main (member with most output), regions,
        main_region, main_region_share (of its output); then side by side

        - gain: share of what members buy that comes from members of the same region: short links.
        - risk: how many times wider the loss of a year spreads if all members in a region fail
          together instead of each for itself, the mean loss being the same:
          sqrt(sum_r (sum_i x_i)^2 / sum_i x_i^2), i in r.
        - at_stake: share of all output that one such failure takes at most.

        The last six but `regions` are empty where nodes have no regions.
        """
        n, c = self.n_clusters, self.membership
        a = self._links.tocoo()
        inside = (c[a.row] == c[a.col]) & (c[a.row] > 0)
        sold = np.bincount(c[a.row], a.data, n + 1)
        bought = np.bincount(c[a.col], a.data, n + 1)
        internal = np.bincount(c[a.row[inside]], a.data[inside], n + 1)
        size = np.bincount(c, self.size, n + 1)
        order = np.lexsort((np.arange(len(c)), -self.size, c))
        first = np.searchsorted(c[order], np.arange(n + 1))
        names = np.array(self.labels, dtype=str)
        total = self.size.sum()
        frame = pl.DataFrame(
            {
                "cluster": np.arange(n + 1),
                "members": np.bincount(c, minlength=n + 1),
                "size": size,
                "share": _ratio(size, np.full(n + 1, total)),
                "internal": internal,
                "internal_share": _ratio(internal, sold + bought - internal),
                "bought_outside": 1.0 - _ratio(internal, bought),
                "sold_outside": 1.0 - _ratio(internal, sold),
                "main": names[order[np.minimum(first, len(c) - 1)]],
            }
        )
        together = self._by_region(n, a.row, a.col, a.data, bought)
        frame = pl.concat([frame, together], how="horizontal")
        numbers = [x for x, t in frame.schema.items() if t.is_float()]
        return frame.filter(pl.col("cluster") > 0).with_columns(pl.col(numbers).fill_nan(None))

    def _by_region(
        self, n: int, row: Array, col: Array, data: Array, bought: Array
    ) -> pl.DataFrame:
        c = self.membership
        if not self.regions:
            none = {"regions": pl.Int64, "main_region": pl.String, "main_region_share": pl.Float64,
                    "gain": pl.Float64, "risk": pl.Float64, "at_stake": pl.Float64}  # fmt: skip
            return pl.DataFrame({k: pl.Series([None] * (n + 1), dtype=t) for k, t in none.items()})
        names, region = np.unique(np.array(self.regions, dtype=str), return_inverse=True)
        near = (c[row] == c[col]) & (region[row] == region[col])
        short = np.bincount(c[row[near]], data[near], n + 1)
        key, at = np.unique(c * len(names) + region, return_inverse=True)
        held = np.bincount(at, self.size, len(key))
        of = key // len(names)
        order = np.lexsort((key, -held, of))
        main = order[np.minimum(np.searchsorted(of[order], np.arange(n + 1)), len(order) - 1)]
        squares = np.bincount(of, held**2, n + 1)
        alone = np.bincount(c, self.size**2, n + 1)
        size = np.bincount(c, self.size, n + 1)
        return pl.DataFrame(
            {
                "regions": np.bincount(of, minlength=n + 1),
                "main_region": names[key[main] % len(names)],
                "main_region_share": _ratio(held[main], size),
                "gain": _ratio(short, bought),
                "risk": np.sqrt(_ratio(squares, alone)),
                "at_stake": _ratio(held[main], np.full(n + 1, self.size.sum())),
            }
        )

    def to_pandas(self) -> pd.DataFrame:
        """Return the same as a pandas frame."""
        return self.to_frame().to_pandas()

    def members(self) -> pl.DataFrame:
        """Return a row for each node: node, region, cluster, size, internal_share (of its links).

        Nodes without links have cluster 0.
        """
        a = self._links.tocoo()
        n = len(self.labels)
        inside = self.membership[a.row] == self.membership[a.col]
        all_links = np.bincount(a.row, a.data, n) + np.bincount(a.col, a.data, n)
        within = np.bincount(a.row[inside], a.data[inside], n)
        within = within + np.bincount(a.col[inside], a.data[inside], n)
        return pl.DataFrame(
            {
                "node": pl.Series(self.labels, dtype=pl.String),
                "region": pl.Series(self.regions or [None] * n, dtype=pl.String),
                "cluster": self.membership,
                "size": self.size,
                "internal_share": _ratio(within, all_links),
            }
        ).with_columns(pl.col("internal_share").fill_nan(None))

    def nodes_of(self, cluster: int, region: str | None = None) -> list[str]:
        """Return the labels of one cluster, in one region if given: what `plants.park` takes.

        Raises
        ------
        UsageError
            If there is no such cluster, or nobody of it stands there.
        """
        if not 1 <= cluster <= self.n_clusters:
            raise UsageError(
                f"There is no cluster {cluster}: they run from 1 to {self.n_clusters}."
            )
        rows = self.members().filter(pl.col("cluster") == cluster)
        if region is not None:
            known = rows["region"].drop_nulls().unique().sort().to_list()
            if region not in known:
                near = nearest(str(region), known)
                hint = f" Did you mean {near}?" if near else ""
                raise UsageError(f"Nobody of cluster {cluster} stands in {shorten(region)}.{hint}")
            rows = rows.filter(pl.col("region") == region)
        return rows["node"].to_list()

    def why(self, label: str, n: int = 10) -> pl.DataFrame:
        """Return whom a node trades with most: partner, cluster, is_inside, bought, sold, value.

        Raises
        ------
        UsageError
            If there is no such node.
        """
        if label not in self.labels:
            near = nearest(str(label), self.labels)
            hint = f" Did you mean {near}?" if near else ""
            raise UsageError(f"There is no node '{shorten(label)}' here.{hint}")
        i = self.labels.index(label)
        sold = self._links[[i]].toarray().ravel()
        bought = self._links[:, [i]].toarray().ravel()
        at = np.flatnonzero(sold + bought)
        frame = pl.DataFrame(
            {
                "partner": np.array(self.labels, dtype=str)[at],
                "cluster": self.membership[at],
                "is_inside": self.membership[at] == self.membership[i],
                "bought": bought[at],
                "sold": sold[at],
                "value": sold[at] + bought[at],
            }
        )
        return frame.sort(["value", "partner"], descending=[True, False]).head(n)

    def summary(self) -> str:
        """Return one sentence."""
        linked = int((self.membership > 0).sum())
        agree = (
            f"{counted(len(self.modularities), 'run')} agree by {self.stability:.2f}"
            if len(self.modularities) > 1
            else "one run"
        )
        return (
            f"{counted(linked, 'node')} in {counted(self.n_clusters, 'cluster')}, modularity "
            f"{self.modularity:.3f} at resolution {self.resolution:g}, seed {self.best_seed}; "
            f"{agree}."
        )

    def __repr__(self) -> str:
        """Return one line."""
        return f"<Clusters: {self.summary()}>"


def _ratio(part: Array, whole: Array) -> Array:
    ratio: Array = np.divide(part, whole, out=np.full(len(part), np.nan), where=whole > 0)
    return ratio
