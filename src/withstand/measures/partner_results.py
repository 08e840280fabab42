"""The answer about partners: who covers most, who contributes what, and what each relieves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from withstand.errors import UsageError
from withstand.measures.channels import new_channels
from withstand.measures.complementarities import advantages_of_products, in_network, in_trade
from withstand.measures.flow_frames import Flows, read_flows, stands_for_home
from withstand.measures.partner_reasons import relieved, with_only
from withstand.measures.partner_searches import BestSet, best_sets
from withstand.measures.partner_sets import (
    TOLERANCE,
    PhysicalCoverage,
    ValueCoverage,
    members_of,
    set_of,
)
from withstand.measures.partner_tables import (
    contributions,
    curve_frame,
    interaction_frame,
    shapley_frame,
)
from withstand.measures.reliabilities import expected_value
from withstand.measures.selections import node_rows, unknown_label
from withstand.model.findings import listed

if TYPE_CHECKING:
    import pandas as pd

    from withstand.measures.coverages import Coverage, Slack
    from withstand.measures.partner_candidates import Side
    from withstand.measures.shapley import ShapleyShares
    from withstand.model.network import ProductionNetwork
    from withstand.model.provenance import Provenance


@dataclass(frozen=True, kw_only=True)
class Asked:
    """How coverage is counted and searched: the arguments of `partners`."""

    assume_recipe: str
    slack: Slack
    limit: str
    best: str
    samples: int
    seed: int
    time_limit: float


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Partners:
    """Which partners help home most.

    Parameters
    ----------
    kind : {"physical", "value"}
        Coverage is the share of final demand that can be met, or of value that arises, with home
        and a set of partners only; 0 to 1.
    home : tuple of str
        Regions that always supply.
    candidates : tuple of str
    excluded : polars.DataFrame
        candidate, region, reason: who is in no set (home, not allowed by law, makes nothing).
    sets : tuple of BestSet
        The best set of each size, from nobody on.
    reliability : mapping of candidate to float or None
        0 to 1; None where not known.
    provenance : Provenance
    """

    kind: str
    home: tuple[str, ...]
    candidates: tuple[str, ...]
    excluded: pl.DataFrame
    sets: tuple[BestSet, ...]
    reliability: Mapping[str, float | None]
    provenance: Provenance
    _asked: Asked
    _network: ProductionNetwork
    _side: Side
    _covers: PhysicalCoverage | ValueCoverage
    _reliability_by_region: Mapping[str, float]

    # sets

    def best(self, k: int | None = None) -> BestSet:
        """Return the best set of k partners; of the largest size asked for if k is left out.

        Raises
        ------
        UsageError
            If k was not asked for.
        """
        size = len(self.sets) - 1 if k is None else k
        if not 0 <= size < len(self.sets):
            raise UsageError(
                f"Sets were looked for up to {len(self.sets) - 1} partners; ask with most={k}."
            )
        return self.sets[size]

    @cached_property
    def curve(self) -> pl.DataFrame:
        """Best coverage by number of partners.

        k, coverage, gain (over one partner fewer), bound (no set of k covers more), gap, ties (sets
        of k that cover as much; empty if not all were looked for), expected (coverage when partners
        fail by themselves), method, partners.
        """
        return curve_frame(self.sets)

    def coverage(self, *partners: str) -> float:
        """Return the coverage of home and these partners, 0 to 1."""
        return self._covers.value(self._members(partners))

    def in_detail(self, *partners: str) -> Coverage:
        """Return all that `coverage` says when only home and these supply: what binds then.

        Raises
        ------
        UsageError
            If coverage is counted by value.
        """
        members = members_of(self._members(partners))
        if self.kind == "value":
            raise UsageError("By value nothing binds; ask partners(..., kind='physical').")
        asked = self._asked
        return with_only(
            self._network,
            self._side,
            members,
            assume_recipe=asked.assume_recipe,
            slack=asked.slack,
            limit=asked.limit,
        )

    def expected(self, *partners: str) -> tuple[float, float]:
        """Return the coverage expected when each partner fails by itself, and its standard error.

        A partner is there with its reliability, all of it or nothing of it. The error is 0 up to
        twelve partners (all cases are gone through).

        Raises
        ------
        UsageError
            If the reliability of one is not known.
        """
        missing = [p for p in partners if self.reliability.get(p, 1.0) is None]
        members = self._members(partners)
        if missing:
            raise UsageError(
                f"The reliability of {listed(missing)} is not known; give reliability={{...}}, or "
                "fill the column reliability of the table regions."
            )
        index = self._index
        known = {index[p]: float(self.reliability[p] or 0.0) for p in partners}
        return expected_value(
            members_of(members),
            known,
            self._covers.value,
            samples=self._asked.samples,
            rng=np.random.default_rng([self._asked.seed, 1]),
        )

    def marginal(self, *partners: str) -> pl.DataFrame:
        """Return what each other candidate would add to these partners: partner, gain, coverage."""
        members = self._members(partners)
        now = self._covers.value(members)
        rows = [
            (
                label,
                self._covers.value(members | 1 << i) - now,
                self._covers.value(members | 1 << i),
            )
            for i, label in enumerate(self.candidates)
            if not members >> i & 1
        ]
        schema = {"partner": pl.String, "gain": pl.Float64, "coverage": pl.Float64}
        return pl.DataFrame(rows, schema=schema, orient="row").sort(
            ["gain", "partner"], descending=[True, False]
        )

    def needed(self, level: float = 1.0) -> BestSet | None:
        """Return the smallest best set that covers at least `level`; None if all together do not.

        Raises
        ------
        UsageError
            If the level is not between 0 and 1.
        """
        if not 0.0 <= level <= 1.0:
            raise UsageError(f"level={level:g} must lie between 0 and 1: a share of demand.")
        if self._covers.bound(0, range(self._side.n), self._side.n) < level - TOLERANCE:
            return None
        for found in self.sets:
            if found.coverage >= level - TOLERANCE:
                return found
        more = best_sets(
            self._covers,
            self.candidates,
            self._side.n,
            best=self._asked.best,
            time_limit=self._asked.time_limit,
            first=len(self.sets),
            level=level,
            with_ties=False,
        )
        return more[-1] if more and more[-1].coverage >= level - TOLERANCE else None

    # what each contributes

    @cached_property
    def _shapley(self) -> ShapleyShares:
        return contributions(self._covers, self._asked.samples, self._asked.seed)

    @cached_property
    def shapley(self) -> pl.DataFrame:
        """What each candidate contributes, over all orders in which partners could be won.

        partner, shapley (they sum to what all candidates add to home), standard_error (0 if every
        set was gone through), share_of_gain, alone (added to home alone), last (lost without it
        when all others are there). Largest first.
        """
        return shapley_frame(self._shapley, self._covers, self.candidates)

    @cached_property
    def interactions(self) -> pl.DataFrame:
        """How candidates work together, in pairs, strongest first.

        partner, other, interaction (what both add together beyond what each adds, over all sets of
        the others), standard_error, relation: complements (above 0), substitutes (below 0),
        neither; `not sure` where a drawn one lies within two standard errors of 0.
        """
        return interaction_frame(self._shapley, self.candidates)

    def to_frame(self) -> pl.DataFrame:
        """Return a row for each candidate.

        The columns of `shapley`, with name, reliability (0 to 1, empty if not known) and is_best
        (in the best set of the largest size asked for).
        """
        names = dict(zip(self._network.region_labels, self._network.region_names, strict=True))
        best = self.best().partners
        return self.shapley.with_columns(
            pl.Series("name", [str(names.get(p, p)) for p in self.shapley["partner"]]),
            pl.Series(
                "reliability",
                [self.reliability[p] for p in self.shapley["partner"]],
                dtype=pl.Float64,
            ),
            pl.col("partner").is_in(list(best)).alias("is_best"),
        ).select("partner", "name", pl.exclude("partner", "name"))

    def to_pandas(self) -> pd.DataFrame:
        """Return the same as a pandas frame."""
        return self.to_frame().to_pandas()

    def why(self, partner: str, among: Sequence[str] | None = None) -> pl.DataFrame:
        """Return what a partner relieves.

        Physical: the products it supplies, with share (of supply at rest), covered_without and
        covered_with (share of need that home and the others, and it, can supply), is_binding and
        gain (binding without it, and what a tenth of its need more would be worth). Value: the
        nodes in which its value arises, with their share.

        Parameters
        ----------
        partner : str
        among : sequence of str, optional
            The other partners; default: all candidates.
        """
        self._members([partner])
        if isinstance(self._covers, ValueCoverage):
            at = np.isin(self._network.node_region, self._side.regions[self._index[partner]])
            rows = node_rows(self._network).with_columns(pl.Series("share", self._covers.by_node))
            return rows.filter(pl.Series(at) & (pl.col("share") != 0)).sort(
                ["share", "node"], descending=[True, False]
            )
        others = self.candidates if among is None else among
        self._members(others)
        asked = self._asked
        return relieved(
            self._network,
            self._side,
            self._index[partner],
            [self._index[p] for p in others if p != partner],
            assume_recipe=asked.assume_recipe,
            slack=asked.slack,
            limit=asked.limit,
        )

    # beyond the sets

    def channels(
        self,
        production: Flows | None = None,
        *,
        products: Sequence[str] | None = None,
        year: int | None = None,
        home: str | Sequence[str] | None = None,
        coordinates: pl.DataFrame | None = None,
        negligible: float = 0.001,
    ) -> pl.DataFrame:
        """Return who makes what home buys abroad, and does not supply home yet.

        product, name, from_abroad (share of purchases), region, size (capacity, output or exports),
        share (of all makers), concentration (Herfindahl index of all makers), reliability, distance
        (km, if coordinates are known), source. Regions that are not allowed are left out.

        Parameters
        ----------
        production : polars.DataFrame or object with to_frame(), optional
            exporter (or region), product, value, and year, importer: production, exports or trade.
            Products are found by label or by their code of goods (column hs). Default: the
            nodes of the network itself.
        products : sequence of str, optional
            Default: all that home buys abroad.
        year : int, optional
            Of the frame; default: its last.
        home : str or sequence of str, optional
            What home is called in the frame.
        coordinates : polars.DataFrame, optional
            region, latitude, longitude; default: those of the nodes.
        negligible : float
            A region with at most this share of what home buys counts as no supplier.
        """
        trade = None if production is None else read_flows(production, year, "production")
        if trade is None and year is not None:
            raise UsageError("year is of the frame of production, and none is given.")
        if not 0.0 <= negligible < 1.0:
            raise UsageError(f"negligible={negligible:g} is a share: 0 or more, below 1.")
        return new_channels(
            self._network,
            self._side.home,
            trade=trade,
            products=products,
            trade_home=home,
            reliability=self._reliability_by_region,
            coordinates=coordinates,
            negligible=negligible,
        )

    def gives(
        self,
        trade: Flows | None = None,
        *,
        year: int | None = None,
        home: str | Sequence[str] | None = None,
        least: float = 1.0,
    ) -> pl.DataFrame:
        """Return what home can give each partner in return: what it makes and the partner lacks.

        partner, product, name, bought_abroad, from_abroad (share of all the partner buys),
        concentration (Herfindahl index of its sources), largest (source), from_home (share),
        capability (how far home is specialised; above 1: more than others), basis, note (where
        nothing is known, as of suppliers of a plant whose recipes are not). The largest and most
        concentrated need first.

        Parameters
        ----------
        trade : polars.DataFrame or object with to_frame(), optional
            exporter, product, value, and year, importer. With importers, needs and capability are
            read from it; without, only capability. Default: the flows of the network.
        year : int, optional
        home : str or sequence of str, optional
            What home is called in the frame.
        least : float
            Smallest revealed comparative advantage to list, where trade has importers.
        """
        if trade is None:
            if year is not None:
                raise UsageError("year is of the frame of trade, and none is given.")
            return in_network(self._network, self._side, None)
        flows = read_flows(trade, year, "trade")
        ours = stands_for_home(self._network, flows, self._side.home.tolist(), home)
        if flows.has_importer:
            return in_trade(self._network, self._side, flows, ours, least)
        known = advantages_of_products(self._network, flows, ours)
        return in_network(self._network, self._side, known)

    def summary(self) -> str:
        """Return one sentence."""
        best, n = self.best(), self._side.n
        home, alone = listed(self.home, 3), self.sets[0].coverage
        if self.kind == "physical":
            first = f"{home} alone can meet {alone:.1%} of demand"
        else:
            first = f"{alone:.1%} of the value arises in {home}"
        every = self._covers.value((1 << n) - 1)
        return (
            f"{first}; with {listed(best.partners, 4)} {best.coverage:.1%}, "
            f"with all {n} candidates {every:.1%}."
        )

    def __repr__(self) -> str:
        """Return one line."""
        return f"<Partners of {self.provenance.network!r} ({self.kind}): {self.summary()}>"

    # labels

    @cached_property
    def _index(self) -> dict[str, int]:
        return {label: i for i, label in enumerate(self.candidates)}

    def _members(self, partners: Sequence[str]) -> int:
        """Return the set of some candidates, or refuse: unknown, or ruled out and why."""
        if isinstance(partners, str):
            raise UsageError(f"Partners are a list of labels: ['{partners[:40]}'].")
        for label in partners:
            if label not in self._index:
                ruled_out = self.excluded.filter(
                    (pl.col("region") == label) | (pl.col("candidate") == label)
                )
                if ruled_out.height:
                    raise UsageError(f"{label[:60]} is no candidate: {ruled_out['reason'][0]}.")
                raise unknown_label("candidate", str(label), self.candidates)
        return set_of([self._index[label] for label in partners])
