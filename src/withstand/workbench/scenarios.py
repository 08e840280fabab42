"""What can happen: scenarios written on the command line, in files, or one for each of a kind."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from withstand.errors import UsageError
from withstand.model.scenario import TARGETS, Scenario, Shock
from withstand.model.scenario_files import read_scenarios
from withstand.model.scenario_sets import draw_years, every
from withstand.model.units import periods_of, share_of
from withstand.readers.hazards import read_hazards

if TYPE_CHECKING:
    from withstand.model.findings import Finding
    from withstand.model.network import ProductionNetwork


DEFAULT_SHARE = 1.0
DEFAULT_DURATION = "26w"
DEFAULT_RECOVERY = "8w"


def lossable(network: ProductionNetwork) -> list[str]:
    """Return the regions outside home that make something."""
    used = sorted({int(r) for r in network.node_region} - {*network.is_home.nonzero()[0].tolist()})
    return [str(network.region_labels[r]) for r in used]


def scenario_of(
    lose: str, *, share: float | str, start: str, duration: str, recovery: str
) -> Scenario:
    """Return the scenario of `region:JP` or `region:JP+product:RV` (both must hold).

    Raises
    ------
    UsageError
        If the text is not of this form.
    """
    targets: dict[str, str] = {}
    for part in lose.split("+"):
        kind, colon, label = part.partition(":")
        if not colon or kind.strip() not in TARGETS or not label.strip():
            raise UsageError(
                f"'{part[:60]}' is not a target. Write one of "
                f"{', '.join(TARGETS)}, a colon and the label: region:JP."
            )
        targets[kind.strip()] = label.strip()
    shock = Shock(
        **targets,
        share=share_of(share),
        start=time_of(start),
        duration=time_of(duration),
        recovery=time_of(recovery),
    )
    return Scenario(name=shock.title(), shocks=(shock,))


def time_of(text: str) -> str | float:
    """Return a duration; a bare number is a number of periods."""
    duration = float(text) if text.replace(".", "", 1).isdigit() else text
    periods_of(duration, "week")
    return duration


def scenarios_of(
    paths: Sequence[str | os.PathLike[str]], network: ProductionNetwork
) -> list[Scenario]:
    """Return the scenarios of TOML files, and of every TOML file in folders, by name."""
    return read_scenarios(paths, network)


def each_of(
    network: ProductionNetwork,
    what: str,
    *,
    share: float | str = DEFAULT_SHARE,
    start: str = "0",
    duration: str = DEFAULT_DURATION,
    recovery: str = "0",
) -> list[Scenario]:
    """Return the loss of each of nodes, regions or products in turn, or of region_pairs.

    Raises
    ------
    UsageError
        If there is no such set, or nothing in it.
    """
    scenarios = every(
        network,
        what,
        share=share_of(share),
        start=time_of(start),
        duration=time_of(duration),
        recovery=time_of(recovery),
    )
    if not scenarios:
        raise UsageError(
            f"There are no {what.replace('_', ' ')} to lose: "
            + ("all nodes are at home." if "region" in what else "nothing is made.")
        )
    return scenarios


def without_time(scenarios: Sequence[Scenario]) -> list[Scenario]:
    """Return scenarios of one shock each, or of one pair, named without their duration."""
    return [replace(s, name=s.name.rpartition(" for ")[0] or s.name) for s in scenarios]


def years_of(
    network: ProductionNetwork, path: str | os.PathLike[str], samples: int, seed: int
) -> tuple[list[Scenario], tuple[Finding, ...]]:
    """Draw years from a file of hazards; return them, and what is worth knowing of the file."""
    hazards, findings = read_hazards(path, network)
    return draw_years(hazards, samples, period=network.settings.period, seed=seed), findings
