"""What indicators are of one network: each worked out once, with what stands behind it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache, cached_property
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from withstand import measures, people, stress
from withstand.errors import FindingsError, SolverError, UsageError
from withstand.model.findings import nearest
from withstand.model.scenario import Scenario
from withstand.model.units import periods_of
from withstand.report import gathering
from withstand.report.people_gathering import YEARS, has_people

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from withstand.measures import Exposure
    from withstand.model.network import ProductionNetwork
    from withstand.people.projection_results import Projection
    from withstand.report.indicators import Asked
    from withstand.stress import Simulation

Found = tuple[float, str]
"""A value, and the label that stands behind it."""
DURATION, RECOVERY = "26w", "8w"
RULES = ("none", "shared")


@dataclass(frozen=True, kw_only=True)
class Reading:
    """The value of an indicator in one network.

    Parameters
    ----------
    asked : Asked
    value : float, optional
        In the unit of the indicator; None where it cannot be told.
    behind : str
        The region, product or node that the value is of, where it is one of several.
    why : str
        Why there is no value.
    """

    asked: Asked
    value: float | None
    behind: str = ""
    why: str = ""


class Measured:
    """The indicators of one network, each part of the work done once.

    Parameters
    ----------
    network : ProductionNetwork
    year : int
        The calendar year in which people are counted first.
    plan_cost : float, optional
        What it costs to come from the network of the tables to this one, currency.
    """

    def __init__(
        self, network: ProductionNetwork, *, year: int, plan_cost: float | None = None
    ) -> None:
        self.network = network
        self.year = year
        self.plan_cost = plan_cost
        self._projections: dict[tuple[int, int], Projection] = {}
        self.covered = cache(self._covered)
        self.swept = cache(self._swept)
        self.lost = cache(self._lost)

    def read(self, asked: Asked, year: int | None = None) -> Reading:
        """Return the value of an indicator; of projections, in a calendar year (default: now)."""
        try:
            if asked.indicator.by_year:
                value, behind = _of_people(self, asked, year or self.year)
            else:
                value, behind = _VALUES[asked.name](self, asked)
        except FindingsError as error:
            return Reading(asked=asked, value=None, why=" ".join(f.what for f in error.findings))
        except (UsageError, SolverError) as error:
            return Reading(asked=asked, value=None, why=str(error))
        if value is None or math.isnan(value):
            return Reading(asked=asked, value=None, why="Nothing is there to take it of.")
        return Reading(asked=asked, value=float(value), behind=behind)

    # the parts

    @cached_property
    def exposure(self) -> Exposure:
        """Value by region."""
        return measures.exposure(self.network)

    @cached_property
    def by_node(self) -> pl.DataFrame:
        """Concentration of products by producer."""
        return measures.concentration(self.network, by="node").table

    @cached_property
    def by_region(self) -> pl.DataFrame:
        """Concentration of products by region."""
        return measures.concentration(self.network).table

    @cached_property
    def lossable(self) -> list[str]:
        """Regions outside home that make something; of large networks, the largest."""
        regions, _ = gathering.regions_to_lose(self.network)
        if not regions:
            raise UsageError("All nodes are at home: no region can be lost.")
        return regions

    @cached_property
    def home(self) -> list[str]:
        """Labels of the home regions."""
        return [str(r) for r in self.network.region_labels[self.network.is_home]]

    @cached_property
    def times(self) -> tuple[np.ndarray, np.ndarray]:
        """Regions outside home, and their times to survive, periods."""
        if self.network.n_links > gathering.MOST_LINKS_SURVIVED:
            raise UsageError(
                f"Times to survive are worked out up to {gathering.MOST_LINKS_SURVIVED:,} links."
            )
        found = stress.survival(self.network, nodes=self.lossable, kind="region")
        return found.labels, found.tts

    @cached_property
    def risk(self) -> tuple[np.ndarray, np.ndarray]:
        """Nodes (without makers of a plant's final product), and their systemic risk."""
        if self.network.n_nodes > gathering.MOST_RANKED:
            raise UsageError(f"Risk is worked out up to {gathering.MOST_RANKED:,} nodes.")
        found = stress.esri(self.network)
        keep = np.isfinite(found.esri)
        if self.network.settings.lens == "plant":
            keep &= self.network.final_demand[found.nodes] <= 0
        return found.labels[keep], found.esri[keep]

    def _covered(self, without: tuple[str, ...], rule: str) -> measures.Coverage:
        gathering.check_size(self.network)
        return measures.coverage(self.network, without, rule)

    def _swept(self, rule: str) -> pl.DataFrame:
        gathering.check_size(self.network)
        return measures.coverage_by_region(self.network, self.lossable, rule)

    def _lost(self, region: str, duration: str) -> Simulation:
        lost = Scenario.lose(region=region, duration=duration, recovery=RECOVERY)
        return stress.simulate(self.network, lost)

    def projection(self, first: int, last: int) -> Projection:
        """Return the people of some years."""
        if not has_people(self.network):
            raise UsageError("There are no occupations.")
        if (first, last) not in self._projections:
            self._projections[first, last] = people.project(
                self.network, years=range(first, last + 1)
            )
        return self._projections[first, last]

    def checked(self, labels: Sequence[str], what: str) -> tuple[str, ...]:
        """Return labels that the network has; others are an error with the nearest one."""
        known = {
            "region": self.network.region_labels,
            "product": self.network.product_labels,
            "node": self.network.node_labels,
            "kind": np.unique(self.network.product_kinds),
        }[what]
        valid = {str(x) for x in known}
        for label in labels:
            if label not in valid:
                near = nearest(label, sorted(valid))
                raise UsageError(
                    f"There is no {what} '{label[:60]}' here."
                    + (f" Did you mean {near}?" if near else "")
                )
        return tuple(labels)

    def rows_of(self, frame: pl.DataFrame, asked: Asked) -> pl.DataFrame:
        """Return the rows of a table of products that a filter means."""
        for key in ("kind", "product"):
            labels = asked.parts.get(key)
            if labels:
                frame = frame.filter(pl.col(key).is_in(self.checked(labels, key)))
        return frame


def _one(asked: Asked, key: str, default: str, valid: Sequence[str] = ()) -> str:
    """Return the one word that a filter says for a key."""
    words = asked.parts.get(key, (default,))
    if len(words) > 1 or (valid and words[0] not in valid):
        raise UsageError(
            f"{asked.name}: {key}={', '.join(words)[:40]} is not possible"
            + (f"; use one of {', '.join(valid)}." if valid else "; name one.")
        )
    return words[0]


def _region_share(of: Measured, asked: Asked) -> Found:
    shares = of.exposure.shares
    regions = asked.parts.get("region")
    if regions:
        own = shares.filter(pl.col("region").is_in(of.checked(regions, "region")))
        return float(own["share"].sum()), ", ".join(regions)
    away = shares.filter(~pl.col("region").is_in(of.home))
    if not away.height:
        return 0.0, ""
    return float(away["share"][0]), str(away["region"][0])


def _single_sources(of: Measured, asked: Asked) -> Found:
    rows = of.rows_of(of.by_node, asked).filter(pl.col("single_source"))
    if _one(asked, "outside", "no", ("yes", "no")) == "yes":
        rows = rows.filter(pl.col("outside_home") > 0)
    return float(rows.height), ", ".join(rows["product"].sort().head(3))


def _largest_source(of: Measured, asked: Asked) -> Found:
    by = _one(asked, "by", "node", ("node", "region"))
    rows = of.rows_of(of.by_node if by == "node" else of.by_region, asked)
    if _one(asked, "outside", "no", ("yes", "no")) == "yes":
        home = set(of.home)
        if by == "node":
            regions = of.network.region_labels[of.network.node_region]
            home = set(of.network.node_labels[np.isin(regions, of.home)].tolist())
        rows = rows.filter(~pl.col("largest").is_in(sorted(home)))
    if not rows.height:
        return 0.0, ""
    first = rows.sort(["largest_share", "product"], descending=[True, False]).row(0, named=True)
    return float(first["largest_share"]), str(first["product"])


def _largest_hhi(of: Measured, asked: Asked) -> Found:
    rows = of.rows_of(of.by_region, asked).filter(pl.col("outside_home") > 0)
    if not rows.height:
        return 0.0, ""
    first = rows.sort(["hhi", "product"], descending=[True, False]).row(0, named=True)
    return float(first["hhi"]), str(first["product"])


def _without(of: Measured, asked: Asked) -> tuple[tuple[str, ...], str]:
    """Return the regions lost, and the recipe rule; the worst region where none is named."""
    rule = _one(asked, "rule", "none", RULES)
    named = asked.parts.get("without")
    if named:
        return of.checked(named, "region"), rule
    return (str(of.swept(rule)["region"][0]),), rule


def _feasible_output(of: Measured, asked: Asked) -> Found:
    lost, rule = _without(of, asked)
    return of.covered(lost, rule).feasible_output, ", ".join(lost)


def _covered(of: Measured, asked: Asked) -> Found:
    lost, rule = _without(of, asked)
    rows = of.rows_of(of.covered(lost, rule).products, asked)
    mean = rows["covered"].mean()
    return (math.nan if mean is None else float(mean)), ", ".join(lost)  # type: ignore[arg-type]


def _time_to_survive(of: Measured, asked: Asked) -> Found:
    labels, times = of.times
    named = asked.parts.get("region")
    if named:
        keep = np.isin(labels, of.checked(named, "region"))
        if not keep.any():
            raise UsageError(f"No region outside home is named {', '.join(named)[:60]}.")
        labels, times = labels[keep], times[keep]
    at = int(np.argmin(times))
    return float(times[at]), str(labels[at])


def _periods_lost(of: Measured, asked: Asked) -> Found:
    duration = _one(asked, "for", DURATION)
    periods_of(duration, of.network.settings.period)
    regions: Sequence[str] = asked.parts.get("region", ())
    if regions:
        of.checked(regions, "region")
    else:
        horizon = math.ceil(4 * periods_of(duration, of.network.settings.period))
        cost = of.network.n_links * max(horizon, 1)
        regions, _ = gathering.regions_to_lose(
            of.network, cost, gathering.LINK_PERIODS, gathering.FEWEST_REGIONS
        )
    if not regions:
        raise UsageError("All nodes are at home: no region can be lost.")
    losses = [of.lost(r, duration).loss_in_periods for r in regions]
    at = int(np.argmax(losses))
    return float(losses[at]), str(regions[at])


def _esri(of: Measured, asked: Asked) -> Found:
    labels, risk = of.risk
    named = asked.parts.get("node")
    if named:
        keep = np.isin(labels, of.checked(named, "node"))
        labels, risk = labels[keep], risk[keep]
    if not len(risk):
        raise UsageError("No node is left to rank.")
    at = int(np.argmax(risk))
    return float(risk[at]), str(labels[at])


def _plan_cost(of: Measured, asked: Asked) -> Found:
    return (0.0 if of.plan_cost is None else of.plan_cost), ""


def _missing(of: Measured, asked: Asked) -> Found:
    gaps = of.projection(of.year, of.year + YEARS - 1).gaps()
    total = gaps.group_by("year").agg(pl.col("gap").fill_nan(None).sum()).sort("year")
    at = int(np.argmax(total["gap"].to_numpy()))
    return float(total["gap"][at]), str(total["year"][at])


def _of_people(of: Measured, asked: Asked, year: int) -> Found:
    """Return an indicator of people in a year; graduates may be counted from an earlier one."""
    since = [int(x) for x in asked.parts.get("since", ()) if x.isdecimal() and len(x) == 4]
    first = min([of.year, *since])
    if year < first:
        raise UsageError(f"{year} is before the first year that is played, {first}.")
    goal = people.Target(asked.name, year, 0.0, asked.filter)
    projected = of.projection(first, max(year, of.year + YEARS - 1))
    found = people.attainment(projected, goal, of.network).to_frame()["projected"][0]
    return (math.nan if found is None else float(found)), str(year)


_VALUES: dict[str, Callable[[Measured, Asked], Found]] = {
    "home_share": lambda of, asked: (of.exposure.home_share, ""),
    "tier1_home_share": lambda of, asked: (of.exposure.tier1_home_share, ""),
    "region_share": _region_share,
    "single_sources": _single_sources,
    "largest_source": _largest_source,
    "largest_hhi": _largest_hhi,
    "feasible_output": _feasible_output,
    "covered": _covered,
    "time_to_survive": _time_to_survive,
    "periods_lost": _periods_lost,
    "esri": _esri,
    "plan_cost": _plan_cost,
    "missing": _missing,
}
