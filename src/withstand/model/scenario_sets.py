"""Sets of scenarios: every region, product or node in turn, pairs of regions, years drawn."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from withstand.errors import UsageError
from withstand.model.findings import nearest
from withstand.model.hazards import Hazard, duration_of, hazards_of
from withstand.model.scenario import Duration, Scenario, Shock
from withstand.model.units import PERIODS_PER_YEAR

if TYPE_CHECKING:
    from withstand.model.network import ProductionNetwork

Array = np.ndarray
SETS = ("nodes", "regions", "products", "region_pairs")
"""What can fail in turn."""


def single_failures(
    network: ProductionNetwork,
    what: str = "regions",
    *,
    share: float | str = 1.0,
    start: Duration = 0.0,
    duration: Duration | None = "26w",
    recovery: Duration = 0.0,
    curve: str = "linear",
) -> list[Scenario]:
    """Return one scenario for each region outside home, or for each product or node with output.

    Parameters
    ----------
    network : ProductionNetwork
    what : {"regions", "products", "nodes"}
    share, start, duration, recovery, curve
        As in Shock.

    Raises
    ------
    UsageError
        If there is no such set.

    Examples
    --------
    >>> from withstand.examples import tiny
    >>> [s.name for s in single_failures(tiny())]
    ['region JP loses 100% for 26w']
    """
    if what == "regions":
        labels = _regions(network)
    elif what == "nodes":
        labels = [str(x) for x in network.node_labels[network.output > 0]]
    elif what == "products":
        made = np.bincount(network.node_product, network.output, network.n_products) > 0
        labels = [str(x) for x in network.product_labels[made]]
    else:
        raise UsageError(
            f"'{str(what)[:40]}' cannot fail one at a time; use regions, products or nodes."
        )
    kind = what.removesuffix("s")
    return [
        _scenario(
            Shock(
                **{kind: label},  # type: ignore[arg-type]
                share=share,  # type: ignore[arg-type]
                start=start,
                duration=duration,
                recovery=recovery,
                curve=curve,
            )
        )
        for label in labels
    ]


def region_pairs(
    network: ProductionNetwork,
    *,
    share: float | str = 1.0,
    start: Duration = 0.0,
    duration: Duration | None = "26w",
    recovery: Duration = 0.0,
    curve: str = "linear",
) -> list[Scenario]:
    """Return one scenario for each pair of regions outside home that fail together."""
    scenarios = []
    for pair in itertools.combinations(_regions(network), 2):
        shocks = tuple(
            Shock(
                region=region,
                share=share,  # type: ignore[arg-type]
                start=start,
                duration=duration,
                recovery=recovery,
                curve=curve,
            )
            for region in pair
        )
        both = f"regions {pair[0]} and {pair[1]}"
        words = shocks[0].title().removeprefix(f"region {pair[0]} loses ")
        scenarios.append(Scenario(name=f"{both} lose {words}", shocks=shocks))
    return scenarios


def every(
    network: ProductionNetwork,
    what: str,
    *,
    share: float | str = 1.0,
    start: Duration = 0.0,
    duration: Duration | None = "26w",
    recovery: Duration = 0.0,
    curve: str = "linear",
) -> list[Scenario]:
    """Return the set of that name: each of nodes, regions or products in turn, or region_pairs.

    Raises
    ------
    UsageError
        If there is no such set.

    Examples
    --------
    >>> from withstand.examples import tiny
    >>> len(every(tiny(), "nodes")), len(every(tiny(), "region_pairs"))
    (3, 0)
    """
    if what not in SETS:
        near = nearest(str(what), SETS)
        raise UsageError(
            f"'{str(what)[:40]}' cannot fail in turn; use one of {', '.join(SETS)}."
            + (f" Did you mean {near}?" if near else "")
        )
    if what == "region_pairs":
        return region_pairs(
            network, share=share, start=start, duration=duration, recovery=recovery, curve=curve
        )
    return single_failures(
        network, what, share=share, start=start, duration=duration, recovery=recovery, curve=curve
    )


def _regions(network: ProductionNetwork) -> list[str]:
    used = np.bincount(network.node_region, minlength=network.n_regions) > 0
    return [str(r) for r in network.region_labels[used & ~network.is_home]]


def _scenario(shock: Shock) -> Scenario:
    return Scenario(name=shock.title(), shocks=(shock,))


def draw_years(
    hazards: pl.DataFrame | Sequence[Hazard], n_samples: int, *, period: str, seed: int = 0
) -> list[Scenario]:
    """Draw years from hazards that strike independently of one another, once a year at most.

    Sample k depends on the seed and on k only (a spawned stream each), so that a longer run begins
    with the same years, and every number of workers sees the same ones. Within a year each hazard
    has three uniform numbers of its own (whether, when, how long), so that two networks, or a
    table with another probability or duration, are compared on the same luck.

    Parameters
    ----------
    hazards : polars.DataFrame or sequence of Hazard
        A table with the columns of `withstand.model.hazards.HAZARDS`, one row a hazard: targets
        (region, node, product ...; all that are filled must hold together), `probability` (per
        year, 0 to 1), `share` (lost, 0 to 1), `duration` (periods, or text with a unit) and its
        `distribution`, optionally `recovery` and `label`.
    n_samples : int
        Number of years.
    period : str
        Period of the network, for durations and for the day of the year a hazard strikes.
    seed : int, at least 0

    Returns
    -------
    list of Scenario
        One a year, each with probability 1 / n_samples; years in which nothing strikes too.

    Raises
    ------
    ScenarioError
        With every fault in the table.

    Examples
    --------
    >>> table = pl.DataFrame({"region": ["JP"], "probability": [1.0], "share": [0.5],
    ...                       "duration": ["12w"]})
    >>> [len(s.shocks) for s in draw_years(table, 2, period="week")]
    [1, 1]
    """
    rows = hazards_of(hazards, period)[0] if isinstance(hazards, pl.DataFrame) else tuple(hazards)
    _whole(n_samples, "n_samples", 1)
    _whole(seed, "seed", 0)
    per_year = PERIODS_PER_YEAR[period]
    scenarios = []
    for number, stream in enumerate(np.random.SeedSequence(seed).spawn(n_samples), 1):
        draws = np.random.default_rng(stream).random((len(rows), 3))
        shocks = tuple(
            hazard.shock(
                start=float(np.floor(draw[1] * per_year)),
                duration=duration_of(hazard, float(draw[2]), period),
            )
            for hazard, draw in zip(rows, draws, strict=True)
            if draw[0] < hazard.probability
        )
        scenarios.append(
            Scenario(name=f"year {number}", shocks=shocks, probability=1.0 / n_samples)
        )
    return scenarios


def _whole(number: object, name: str, least: int) -> None:
    is_whole = isinstance(number, int | np.integer) and not isinstance(number, bool)
    if not is_whole or number < least:  # type: ignore[operator]
        raise UsageError(f"{name} must be a whole number of at least {least}, not {number!r}.")


def names_of(scenarios: Sequence[Scenario]) -> list[str]:
    """Return the names, made different where they repeat.

    Examples
    --------
    >>> twins = [Scenario.lose(region="JP", name="x"), Scenario.lose(region="CN", name="x")]
    >>> names_of(twins)
    ['x', 'x (2)']
    """
    seen: dict[str, int] = {}
    names = []
    for scenario in scenarios:
        seen[scenario.name] = seen.get(scenario.name, 0) + 1
        count = seen[scenario.name]
        names.append(scenario.name if count == 1 else f"{scenario.name} ({count})")
    return names
