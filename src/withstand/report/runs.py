"""What the runs say: when deliveries are missed, which stocks run out, who limited whom."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from withstand.errors import UsageError
from withstand.model.units import periods_of
from withstand.report.chokepoints import product_name, region_name
from withstand.report.words import clean, duration, percent

if TYPE_CHECKING:
    from withstand.model.network import ProductionNetwork
    from withstand.stress.simulation import Simulation

SHORT = 0.005
"""Share of deliveries missed that is worth drawing."""
MARGIN = 4
"""Periods shown after the last one that moved."""


@dataclass(frozen=True, kw_only=True)
class Step:
    """One step of who limited whom: where, what was left there, and what limited it."""

    node: str
    name: str
    region: str
    period: int
    output: float
    because: str


def what_happens(run: Simulation) -> str:
    """Return the scenario as the first half of a sentence: `If Japan stopped for 26 weeks`."""
    shocks = run.scenario.shocks
    if len(shocks) != 1 or set(shocks[0].targets) != {"region"} or shocks[0].what != "capacity":
        return f"In the scenario “{clean(run.scenario.name)}”"
    shock = shocks[0]
    who = clean(region_name(run.network, shock.region))
    how_long = duration(shock.duration, run.network.settings.period)
    if shock.share >= 1:
        return f"If {who} stopped for {how_long}"
    return f"If {who} lost {percent(shock.share)} of its capacity for {how_long}"


def who_is_hit(run: Simulation) -> str:
    """Return what a run takes away, in a few words: `Japan`."""
    regions = [s.region for s in run.scenario.shocks if set(s.targets) == {"region"}]
    if len(regions) == len(run.scenario.shocks) == 1:
        return clean(region_name(run.network, regions[0]))
    return clean(run.scenario.name)


def window(run: Simulation) -> tuple[float, float]:
    """Return when the first shock starts and the last full loss ends, in periods."""
    period = run.network.settings.period
    starts = [periods_of(s.start, period) for s in run.scenario.shocks]
    ends = [
        run.n_periods if s.duration is None else start + periods_of(s.duration, period)
        for s, start in zip(run.scenario.shocks, starts, strict=True)
    ]
    return min(starts), float(min(max(ends), run.n_periods))


def last_shown(*runs: Simulation) -> int:
    """Return how many periods to draw: until deliveries are back, and a few more."""
    ends = []
    for run in runs:
        short = np.flatnonzero(run.met < 1.0 - SHORT)
        back = int(short[-1]) + 1 if len(short) else 0
        ends.append(min(max(back, int(np.ceil(window(run)[1]))) + MARGIN, run.n_periods))
    return max(ends, default=0)


def run_table(runs: tuple[Simulation, ...]) -> pl.DataFrame:
    """Return one row a run: who is hit, when deliveries are first missed and back, what is lost.

    `first_missed` and `back` are periods after the first shock; null where deliveries are never
    missed, or not met again in the time played.
    """
    rows = []
    for run in runs:
        lost = run.time_to_survive is not None
        rows.append(
            {
                "scenario": clean(run.scenario.name),
                "region": who_is_hit(run),
                "first_missed": run.time_to_survive,
                "back": run.time_to_recover if lost else None,
                "periods_lost": run.loss_in_periods,
                "money_lost": run.loss,
                "lowest": float(run.met.min(initial=1.0)),
                "periods": run.n_periods,
            }
        )
    schema = {"scenario": pl.String, "region": pl.String, "first_missed": pl.Int64,
              "back": pl.Int64, "periods_lost": pl.Float64, "money_lost": pl.Float64,
              "lowest": pl.Float64, "periods": pl.Int64}  # fmt: skip
    return pl.DataFrame(rows, schema=schema)


def deliveries(runs: tuple[Simulation, ...], shared: Simulation | None) -> pl.DataFrame:
    """Return the share of final demand met, one row a period and one column a run."""
    longest = max((run.n_periods for run in runs), default=0)
    if shared is not None and runs:
        longest = max(longest, shared.n_periods)
    columns: dict[str, object] = {"period": np.arange(longest)}
    for run in runs:
        columns[_unused(who_is_hit(run), columns)] = _padded(run, longest)
    if shared is not None and runs:
        name = f"{who_is_hit(shared)}, makers abroad need the same inputs"
        columns[_unused(name, columns)] = _padded(shared, longest)
    return pl.DataFrame(columns)


def _unused(name: str, taken: dict[str, object]) -> str:
    while name in taken:
        name += " (2)"
    return name


def _padded(run: Simulation, length: int) -> list[float | None]:
    values: list[float | None] = [float(v) for v in run.met]
    return values + [None] * (length - len(values))


def stocks_run_out(run: Simulation) -> pl.DataFrame | None:
    """Return the stocks that run out, earliest first, with names; None if not recorded.

    Returns
    -------
    polars.DataFrame
        period, input, input_name, buyer, buyer_name, buyer_region, stock (units).
    """
    try:
        found = run.stocks_run_out()
    except UsageError:
        return None
    network = run.network
    return found.select(
        "period",
        "input",
        _mapped(found["input"], "input_name", lambda x: product_name(network, x)),
        "buyer",
        _mapped(found["buyer"], "buyer_name", lambda x: _node_names(network, x)[0]),
        _mapped(found["buyer"], "buyer_region", lambda x: _node_names(network, x)[1]),
        stock="stock_at_rest",
    )


def _mapped(labels: pl.Series, name: str, named: object) -> pl.Series:
    assert callable(named)
    return pl.Series(name, [named(x) for x in labels], dtype=pl.String)


def _node_names(network: ProductionNetwork, node: str) -> tuple[str, str]:
    """Return the names for people of what a node makes and of its region."""
    at = network.index("nodes")[node]
    return (
        str(network.product_names[network.node_product[at]]),
        str(network.region_names[network.node_region[at]]),
    )


def chain(run: Simulation) -> tuple[Step, ...]:
    """Return who limited whom where most was missed, from the final node back to what was hit."""
    missed = run.unmet * np.nan_to_num(run.network.unmet_value, nan=1.0)
    if not (missed > 0).any():
        return ()
    starved = missed * (run.limited_by >= 0)  # one that was not hit itself tells more
    missed = starved if starved.any() else missed
    period, node = np.unravel_index(int(missed.argmax()), missed.shape)
    rows = run.why(str(run.network.node_labels[node]), int(period))
    steps = []
    for row in rows.iter_rows(named=True):
        name, region = _node_names(run.network, row["node"])
        because = row["limited_by"]
        if because == "capacity":
            because = "its own capacity"
        elif because != "demand":
            because = product_name(run.network, because)
        steps.append(
            Step(
                node=row["node"],
                name=name,
                region=region,
                period=row["period"],
                output=row["output"],
                because=because,
            )
        )
    return tuple(steps)
