"""Clusters in space: related industries that stand out together in one region."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from withstand.errors import UsageError
from withstand.measures.advantages import is_present
from withstand.measures.location_quotients import location_quotient
from withstand.measures.national_flows import NationalFlows, national_flows
from withstand.measures.related_densities import related_density
from withstand.measures.trade_quotients import trade_quotients
from withstand.model.encoding import encode
from withstand.model.findings import Finding, listed, make_finding, nearest, shorten

if TYPE_CHECKING:
    import pandas as pd

    from withstand.model.network import ProductionNetwork

Array = np.ndarray
LINKED, AKIN = 0.05, 0.5
"""Least relatedness by trade links, and by proximity, where none is asked for."""


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class RegionalClusters:
    """Groups of related industries that a region has more of than the nation.

    Parameters
    ----------
    rows : DataFrame
        As `to_frame` returns it.
    industries : DataFrame
        As `members` returns it.
    pairs : DataFrame
        region, cluster, industry, other, relatedness: what ties the members.
    least_quotient, least_share, relatedness : float
        The thresholds.
    basis : {"links", "proximity"}
        What relatedness was taken from.
    findings : tuple of Finding
    """

    rows: pl.DataFrame
    industries: pl.DataFrame
    pairs: pl.DataFrame
    least_quotient: float
    least_share: float
    relatedness: float
    basis: str
    findings: tuple[Finding, ...]

    def to_frame(self) -> pl.DataFrame:
        """Return a row for each cluster, by region and size.

        region, cluster (1 is the region's largest), members, size (employment or what the table
        holds), share_of_region, share_of_nation (of its industries' total: what the nation loses
        of them if the region is struck), lq, main (largest industry), internal_share (of what its
        members buy, products that its members make), outside_share (what they cannot buy in the
        region, from other regions or abroad), and side by side

        - gain: share of what they buy that members in the region supply: short links.
        - risk: how many times wider the loss of a year spreads if the region strikes all members
          together instead of each for itself, sum x / sqrt(sum x^2).

        internal_share, outside_share and gain are empty without an economy.
        """
        return self.rows

    def to_pandas(self) -> pd.DataFrame:
        """Return the same as a pandas frame."""
        return self.to_frame().to_pandas()

    def members(self) -> pl.DataFrame:
        """Return region, cluster, industry, value, lq: the industries of every cluster."""
        return self.industries

    def why(self, region: str, cluster: int = 1) -> pl.DataFrame:
        """Return industry, other, relatedness: the ties of one cluster, strongest first.

        Raises
        ------
        UsageError
            If there is no such cluster.
        """
        known = self.rows["region"].unique(maintain_order=True).to_list()
        if region not in known:
            near = nearest(str(region), known)
            hint = f" Did you mean {near}?" if near else ""
            raise UsageError(f"There is no cluster in '{shorten(region)}'.{hint}")
        found = self.pairs.filter((pl.col("region") == region) & (pl.col("cluster") == cluster))
        if found.height == 0:
            raise UsageError(f"{region} has no cluster {cluster}.")
        return found.drop("region", "cluster").sort(
            ["relatedness", "industry", "other"], descending=[True, False, False]
        )

    def summary(self) -> str:
        """Return one sentence."""
        if self.rows.height == 0:
            return "No region has related industries that stand out together."
        row = self.rows.sort(["size", "region"], descending=[True, False]).row(0, named=True)
        return (
            f"{self.rows.height:,} clusters in {self.rows['region'].n_unique():,} regions; the "
            f"largest is {row['main']} with {row['members'] - 1} more in {row['region']}."
        )

    def __repr__(self) -> str:
        """Return one line."""
        return (
            f"<RegionalClusters: {self.rows.height:,} from quotients of {self.least_quotient:g} "
            f"and relatedness of {self.relatedness:g} by {self.basis}>"
        )


def regional_clusters(
    table: pl.DataFrame,
    network: ProductionNetwork | None = None,
    *,
    region: str = "region",
    industry: str = "industry",
    value: str = "value",
    total: str | None = None,
    whole: pl.DataFrame | str | None = None,
    nation: str | None = None,
    proximity: pl.DataFrame | None = None,
    relatedness: float | None = None,
    least_quotient: float = 1.25,
    least_share: float = 0.0,
    least_members: int = 2,
    delta: float = 0.3,
) -> RegionalClusters:
    """Find the clusters of every region: related industries that it has more of than the nation.

    An industry counts in a region if its location quotient and its share of the region reach the
    thresholds. Two that count are tied if they are related enough; a cluster is a set of industries
    that ties hold together.

    Parameters
    ----------
    table : polars.DataFrame
        A row for each region and industry: employment or output.
    network : ProductionNetwork, optional
        An economy with the nation. Relatedness of i and j is then the largest of four shares:
        of what j buys from industries, what i supplies; of what i sells to industries, what j buys;
        and the two the other way round.
    region, industry, value, total, whole
        As in `location_quotient`.
    nation : str, optional
        Region of the economy; as in `regionalise`.
    proximity : polars.DataFrame, optional
        activity, other, proximity: relatedness from elsewhere, instead of links. Without it and
        without a network: how often regions that stand out in the one do in the other
        (`related_density`).
    relatedness : float, optional
        Least relatedness of two that are tied; default 0.05 by links, 0.5 by proximity.
    least_quotient : float
        Least location quotient.
    least_share : float, 0 to 1
        Least share of the region's total.
    least_members : int
        Smaller groups are left out.
    delta : float
        Of the FLQ that tells what the region can supply of its own.

    Returns
    -------
    RegionalClusters

    Raises
    ------
    UsageError
        Thresholds out of range; columns or labels that are not there; no economy.
    DataError
        Faults in a table.

    References
    ----------
    Feser and Bergman (2000), National industry cluster templates, Regional Studies 34: ties as the
    largest of four shares. Delgado, Porter and Stern (2016), Defining clusters of related
    industries, Journal of Economic Geography 16. Spread of losses that strike together: as in
    `plants.park`.

    Examples
    --------
    N has more of steel and of cars, and cars buy all their inputs from steel. The FLQ of N is
    (1.875 / 1.667) log2(1.4)^.3 = 1.125 x .805.

    >>> from withstand.measures.national_flows import national_economy
    >>> net = national_economy(
    ...     pl.DataFrame({"supplier": ["steel"], "buyer": ["cars"], "value": [40.0]}),
    ...     pl.DataFrame({"supplier": ["cars", "food"], "value": [100.0, 100.0]}))
    >>> people = pl.DataFrame({"region": ["N"] * 3 + ["S"] * 3,
    ...                        "industry": ["steel", "cars", "food"] * 2,
    ...                        "value": [30.0, 40.0, 10.0, 10.0, 20.0, 90.0]})
    >>> found = regional_clusters(people, net)
    >>> found.members().select("region", "industry").rows()
    [('N', 'cars'), ('N', 'steel')]
    >>> found.to_frame().select("size", pl.col("internal_share", "gain", "risk").round(3)).rows()
    [(70.0, 1.0, 0.906, 1.4)]
    """
    _check(least_quotient, least_share, least_members, relatedness)
    quotients = location_quotient(
        table, region=region, activity=industry, value=value, total=total, whole=whole
    )
    akin = related_density(quotients, proximity)
    findings = list(quotients.findings)
    home = None
    tied = akin.proximity
    if network is not None:
        home = national_flows(network, nation)
        if proximity is None:
            tied, more = _linked(home, akin.activities)
            findings += more
    basis = "links" if home is not None and proximity is None else "proximity"
    least = (LINKED if basis == "links" else AKIN) if relatedness is None else relatedness
    values = np.zeros(akin.lq.shape)
    at = (
        encode(pl.Series(akin.regions), quotients.rows["region"]),
        encode(pl.Series(akin.activities), quotients.rows["activity"]),
    )
    values[at] = quotients.rows["value"].fill_null(0.0).to_numpy()
    totals = _totals(quotients.table.regions, akin.regions)
    of_nation = _totals(quotients.table.activities.rename({"activity": "region"}), akin.activities)
    lq = np.nan_to_num(akin.lq)
    share = np.divide(values, totals[:, None], out=np.zeros_like(values), where=totals[:, None] > 0)
    counts = is_present(lq, least_quotient) & (share >= least_share) & (values > 0)
    rows, members, pairs = [], [], []
    for r, name in enumerate(akin.regions):
        groups = _groups(counts[r], tied >= least, least_members)
        groups.sort(key=lambda g: (-values[r, g].sum(), g[0]))
        buys = _purchases(home, akin.activities, lq[r], values[r], of_nation,
                          float(totals[r] / quotients.table.whole), delta)  # fmt: skip
        for k, group in enumerate(groups, start=1):
            x = values[r, group]
            order = np.argsort(-x, kind="stable")
            whole_size = of_nation[group].sum()
            rows.append(
                {
                    "region": name,
                    "cluster": k,
                    "members": len(group),
                    "size": float(x.sum()),
                    "share_of_region": float(x.sum() / totals[r]),
                    "share_of_nation": float(x.sum() / whole_size),
                    "lq": float(x.sum() / totals[r] / (whole_size / quotients.table.whole)),
                    "main": akin.activities[group[order[0]]],
                    **_ties(buys, group),
                    "risk": float(x.sum() / np.sqrt((x**2).sum())),
                }
            )
            members += [(name, k, akin.activities[i], values[r, i], lq[r, i]) for i in group[order]]
            pairs += [
                (name, k, akin.activities[i], akin.activities[j], float(tied[i, j]))
                for n, i in enumerate(group)
                for j in group[n + 1 :]
                if tied[i, j] >= least
            ]
    return RegionalClusters(
        rows=pl.DataFrame(rows, schema=_ROWS),
        industries=pl.DataFrame(members, schema=_MEMBERS, orient="row"),
        pairs=pl.DataFrame(pairs, schema=_PAIRS, orient="row"),
        least_quotient=least_quotient,
        least_share=least_share,
        relatedness=least,
        basis=basis,
        findings=tuple(findings),
    )


_ROWS = {
    "region": pl.String, "cluster": pl.Int64, "members": pl.Int64, "size": pl.Float64,
    "share_of_region": pl.Float64, "share_of_nation": pl.Float64, "lq": pl.Float64,
    "main": pl.String, "internal_share": pl.Float64, "outside_share": pl.Float64,
    "gain": pl.Float64, "risk": pl.Float64,
}  # fmt: skip
_MEMBERS = {"region": pl.String, "cluster": pl.Int64, "industry": pl.String,
            "value": pl.Float64, "lq": pl.Float64}  # fmt: skip
_PAIRS = {"region": pl.String, "cluster": pl.Int64, "industry": pl.String, "other": pl.String,
          "relatedness": pl.Float64}  # fmt: skip


def _check(quotient: float, share: float, members: int, relatedness: float | None) -> None:
    if not quotient > 0:
        raise UsageError(f"least_quotient = {quotient}: give a quotient above 0; 1.25 is usual.")
    if not 0 <= share < 1:
        raise UsageError(f"least_share = {share}: give a share of the region from 0 to below 1.")
    if members < 1:
        raise UsageError(f"least_members = {members}: give 1 or more.")
    if relatedness is not None and not relatedness > 0:
        raise UsageError(f"relatedness = {relatedness}: at 0 everything is tied to everything.")


def _linked(nation: NationalFlows, activities: tuple[str, ...]) -> tuple[Array, list[Finding]]:
    """Return the largest of four shares for every pair of activities; 0 where not in the nation."""
    z = nation.flows.copy()
    np.fill_diagonal(z, 0.0)
    bought, sold = z.sum(axis=0)[None, :], z.sum(axis=1)[:, None]
    ties = np.maximum(
        np.divide(z, bought, out=np.zeros_like(z), where=bought > 0),
        np.divide(z, sold, out=np.zeros_like(z), where=sold > 0),
    )
    ties = np.maximum(ties, ties.T)
    at = encode(pl.Series(nation.industries), pl.Series(activities))
    known = np.flatnonzero(at >= 0)
    if len(known) == 0:
        raise UsageError(
            f"The economy makes none of the industries of the table ({listed(activities)}); use "
            "the labels of its products."
        )
    found = []
    if len(known) < len(activities):
        names = [a for a, i in zip(activities, at, strict=True) if i < 0]
        what = f"industries {listed(names)} are not in the national table"
        found.append(make_finding("W672", what, value=names[0], count=len(names)))
    tied = np.zeros((len(activities), len(activities)))
    tied[np.ix_(known, known)] = ties[np.ix_(at[known], at[known])]
    return tied, found


def _groups(counts: Array, tied: Array, least_members: int) -> list[Array]:
    """Return the sets of industries that count and that ties hold together."""
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import connected_components

    at = np.flatnonzero(counts)
    if len(at) == 0:
        return []
    ties = csr_array(tied[np.ix_(at, at)])
    n, piece = connected_components(ties, directed=False)
    groups = [at[piece == k] for k in range(n)]
    return [g for g in groups if len(g) >= least_members]


def _purchases(
    nation: NationalFlows | None,
    activities: tuple[str, ...],
    lq: Array,
    values: Array,
    of_nation: Array,
    size: float,
    delta: float,
) -> tuple[Array, Array, Array] | None:
    """Return what industries of a region buy of each other's products, own part of it, and in all.

    Each industry of the region buys what its part of the national one buys.
    """
    if nation is None:
        return None
    at = encode(pl.Series(activities), pl.Series(nation.industries))
    known = at >= 0
    here = np.where(known, lq[at], 0.0)
    part = np.where(known & (of_nation[at] > 0), values[at] / np.maximum(of_nation[at], 1e-300), 0)
    bought = nation.flows * part[None, :]
    own = np.minimum(trade_quotients(here, min(size, 1.0), delta=delta), 1.0) * bought
    everything = bought.sum(axis=0) + nation.imports.sum(axis=0) * part
    n = len(activities)
    spread = np.zeros((n, len(nation.industries)))
    spread[at[known], np.flatnonzero(known)] = 1.0
    totals = np.vstack([spread @ everything, spread @ own.sum(axis=0)])
    return spread @ bought @ spread.T, spread @ own @ spread.T, totals


def _ties(buys: tuple[Array, Array, Array] | None, group: Array) -> dict[str, float | None]:
    if buys is None:
        return {"internal_share": None, "outside_share": None, "gain": None}
    bought, own, totals = buys
    everything = totals[0, group].sum()
    if not everything > 0:
        return {"internal_share": None, "outside_share": None, "gain": None}
    both = np.ix_(group, group)
    return {
        "internal_share": float(bought[both].sum() / everything),
        "outside_share": float(1.0 - totals[1, group].sum() / everything),
        "gain": float(own[both].sum() / everything),
    }


def _totals(frame: pl.DataFrame, labels: tuple[str, ...]) -> Array:
    """Return column total of each label, 0 where it is not known."""
    at = encode(frame["region"], pl.Series(labels))
    totals = frame["total"].fill_null(0.0).to_numpy().astype(np.float64)
    found: Array = np.where(at >= 0, totals[at], 0.0)
    return found
