"""Sets of scenarios: every region or node in turn, pairs of regions, draws from a hazard table."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from withstand.errors import ScenarioError, UsageError
from withstand.model.findings import Finding, Origin, make_finding
from withstand.model.scenario import TARGETS, Duration, Scenario, Shock
from withstand.model.units import PERIODS_PER_YEAR, periods_of

if TYPE_CHECKING:
    import polars as pl

    from withstand.model.network import ProductionNetwork

HAZARD_COLUMNS = ("probability", "share", "duration", "duration_spread", "recovery")


def single_failures(
    network: ProductionNetwork,
    what: str = "regions",
    *,
    share: float = 1.0,
    duration: Duration = "26w",
    recovery: Duration = 0.0,
) -> list[Scenario]:
    """Return one scenario for each region outside home, or for each node with output.

    Parameters
    ----------
    network : ProductionNetwork
    what : {"regions", "nodes"}
    share, duration, recovery
        As in Shock.

    Examples
    --------
    >>> from withstand.examples import tiny
    >>> [s.name for s in single_failures(tiny())]
    ['region JP loses 100% for 26w']
    """
    if what == "regions":
        targets = [{"region": label} for label in _regions(network)]
    elif what == "nodes":
        targets = [{"node": str(x)} for x in network.node_labels[network.output > 0]]
    else:
        raise UsageError(f"'{what}' cannot fail one at a time; use regions or nodes.")
    return [_scenario(t, share, duration, recovery) for t in targets]


def region_pairs(
    network: ProductionNetwork,
    *,
    share: float = 1.0,
    duration: Duration = "26w",
    recovery: Duration = 0.0,
) -> list[Scenario]:
    """Return one scenario for each pair of regions outside home that fail together."""
    scenarios = []
    for a, b in itertools.combinations(_regions(network), 2):
        shocks = tuple(
            Shock(region=r, share=share, duration=duration, recovery=recovery) for r in (a, b)
        )
        scenarios.append(Scenario(name=f"regions {a} and {b} lose {share:.0%}", shocks=shocks))
    return scenarios


def _regions(network: ProductionNetwork) -> list[str]:
    used = np.bincount(network.node_region, minlength=network.n_regions) > 0
    return [str(r) for r in network.region_labels[used & ~network.is_home]]


def _scenario(
    target: dict[str, str], share: float, duration: Duration, recovery: Duration
) -> Scenario:
    shock = Shock(**target, share=share, duration=duration, recovery=recovery)
    return Scenario(name=shock.title(), shocks=(shock,))


def draw_years(
    hazards: pl.DataFrame, n_samples: int, *, period: str, seed: int = 0
) -> list[Scenario]:
    """Draw years from a table of hazards that strike independently of one another.

    Sample k depends on the seed and on k only (a spawned stream each), so that a longer run begins
    with the same years, and every number of workers sees the same ones.

    Parameters
    ----------
    hazards : polars.DataFrame
        One row a hazard: one or more target columns (region, node, product, site, company, bloc,
        link, route; all that are filled must hold together), `probability` (per year, 0 to 1),
        `share` (lost, 0 to 1), `duration` (periods, or text with a unit), optionally
        `duration_spread` (coefficient of variation of a log-normal duration) and `recovery`.
    n_samples : int
        Number of years.
    period : str
        Period of the network, for durations and for the day of the year a hazard strikes.
    seed : int

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
    >>> import polars as pl
    >>> table = pl.DataFrame({"region": ["JP"], "probability": [1.0], "share": [0.5],
    ...                       "duration": ["12w"]})
    >>> [len(s.shocks) for s in draw_years(table, 2, period="week")]
    [1, 1]
    """
    rows = _hazards(hazards, period)
    if not isinstance(n_samples, int) or n_samples < 1:
        raise UsageError(f"n_samples must be a whole number of at least 1, not {n_samples!r}.")
    per_year = PERIODS_PER_YEAR[period]
    scenarios = []
    for number, stream in enumerate(np.random.SeedSequence(seed).spawn(n_samples)):
        draws = np.random.default_rng(stream).random((len(rows), 3))
        shocks = tuple(
            _struck(row, draw, per_year)
            for row, draw in zip(rows, draws, strict=True)
            if draw[0] < row["probability"]
        )
        scenarios.append(
            Scenario(name=f"year {number + 1}", shocks=shocks, probability=1.0 / n_samples)
        )
    return scenarios


def _struck(row: dict[str, object], draw: np.ndarray, per_year: float) -> Shock:
    """Return the shock of one hazard: when it strikes and how long, from uniform draws."""
    from scipy.special import ndtri

    mean, spread = float(row["duration"]), float(row["duration_spread"])  # type: ignore[arg-type]
    duration = mean
    if spread > 0:
        sigma = np.sqrt(np.log1p(spread**2))
        duration = mean * float(np.exp(sigma * ndtri(draw[2]) - sigma**2 / 2))
    targets = {t: row[t] for t in TARGETS if row.get(t)}
    return Shock(
        **targets,  # type: ignore[arg-type]
        share=float(row["share"]),  # type: ignore[arg-type]
        start=float(np.floor(draw[1] * per_year)),
        duration=duration,
        recovery=float(row["recovery"]),  # type: ignore[arg-type]
    )


def _hazards(frame: pl.DataFrame, period: str) -> list[dict[str, object]]:
    """Return the rows with numbers in periods, or raise every fault."""
    origin = Origin("hazards")
    findings: list[Finding] = []
    targets = [t for t in TARGETS if t in frame.columns]
    needed = [c for c in ("probability", "share", "duration") if c not in frame.columns]
    findings += [
        make_finding("E101", f"hazards need a column '{name}'", origin=origin, column=name)
        for name in needed
    ]
    if not targets:
        what = f"hazards need a column of targets: one of {', '.join(TARGETS)}"
        findings.append(make_finding("E101", what, origin=origin))
    rows: list[dict[str, object]] = []
    for index, row in enumerate(frame.iter_rows(named=True) if not findings else ()):
        clean = {t: row[t] for t in targets}
        for name in HAZARD_COLUMNS:
            try:
                clean[name] = _hazard_number(name, row.get(name), period)
            except (UsageError, TypeError, ValueError) as error:
                findings.append(
                    make_finding(
                        "E302",
                        f"{name}: {error}",
                        origin=origin,
                        index=index,
                        column=name,
                        value=row.get(name),
                    )
                )
        if not any(row[t] for t in targets):
            findings.append(
                make_finding("E303", "the row names no target", origin=origin, index=index)
            )
        rows.append(clean)
    if findings:
        raise ScenarioError(findings)
    return rows


def _hazard_number(name: str, value: object, period: str) -> float:
    if name in ("duration", "recovery"):
        return periods_of(0.0 if value is None else value, period)  # type: ignore[arg-type]
    number = float(0.0 if value is None else value)  # type: ignore[arg-type]
    most = 10.0 if name == "duration_spread" else 1.0
    if not 0.0 <= number <= most:
        raise UsageError(f"{number:g} does not lie between 0 and {most:g}")
    return number


def names_of(scenarios: Sequence[Scenario]) -> list[str]:
    """Return the names, made different where they repeat."""
    seen: dict[str, int] = {}
    names = []
    for scenario in scenarios:
        seen[scenario.name] = seen.get(scenario.name, 0) + 1
        count = seen[scenario.name]
        names.append(scenario.name if count == 1 else f"{scenario.name} ({count})")
    return names
