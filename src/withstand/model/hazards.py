"""Hazards: what may strike in a year, how likely, how hard, and for how long."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import ndtri

from withstand.errors import ScenarioError, UsageError
from withstand.model.conforming import conform_rows
from withstand.model.findings import Finding, Origin, has_errors, make_finding
from withstand.model.hits import resolve
from withstand.model.scenario import CURVES, TARGETS, Scenario, Shock
from withstand.model.tables import Column, Table
from withstand.model.units import PERIODS_PER_YEAR, periods_of

if TYPE_CHECKING:
    import polars as pl

    from withstand.model.network import ProductionNetwork

LONGEST_YEARS = 100.0
"""A duration that is drawn is cut here."""
_MEANINGS = {"to": "Region, bloc or node of the buyers: only what is sold to them is hit."}
_TIME = "a number of periods, or text with a unit: 12w"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hazard:
    """One thing that may strike once in a year.

    Parameters
    ----------
    targets : mapping of str to str
        What is hit, by kind: `{"region": "JP"}`; all must hold together.
    probability : float, per year, 0 to 1
    share : float, 0 to 1
        Share lost.
    distribution : {"fixed", "uniform", "exponential", "lognormal"}
    duration : float, periods
        The duration (fixed), or its mean (exponential, lognormal).
    shortest, longest : float, periods
        Ends of a uniform duration.
    spread : float
        Coefficient of variation of a log-normal duration: standard deviation over mean.
    recovery : float, periods
    curve : str
        As in Shock.
    label : str
        What people call it.
    """

    targets: Mapping[str, str]
    probability: float
    share: float
    distribution: str = "fixed"
    duration: float = 0.0
    shortest: float = 0.0
    longest: float = 0.0
    spread: float = 0.0
    recovery: float = 0.0
    curve: str = "linear"
    label: str = ""

    def shock(self, start: float, duration: float) -> Shock:
        """Return the shock when it strikes."""
        return Shock(
            **self.targets,
            share=self.share,
            start=start,
            duration=duration,
            recovery=self.recovery,
            curve=self.curve,
            label=self.label,
        )


def _fixed(hazard: Hazard, u: float) -> float:
    return hazard.duration


def _uniform(hazard: Hazard, u: float) -> float:
    return hazard.shortest + u * (hazard.longest - hazard.shortest)


def _exponential(hazard: Hazard, u: float) -> float:
    return float(-hazard.duration * np.log1p(-u))


def _lognormal(hazard: Hazard, u: float) -> float:
    sigma = np.sqrt(np.log1p(hazard.spread**2))
    return float(hazard.duration * np.exp(sigma * ndtri(u) - sigma**2 / 2.0))


DISTRIBUTIONS = {
    "fixed": _fixed,
    "uniform": _uniform,
    "exponential": _exponential,
    "lognormal": _lognormal,
}
"""From a hazard and a uniform number to a duration: the inverse of the distribution function."""
_NEEDED = {
    "fixed": ("duration",),
    "uniform": ("shortest", "longest"),
    "exponential": ("duration",),
    "lognormal": ("duration", "duration_spread"),
}


def duration_of(hazard: Hazard, u: float, period: str) -> float:
    """Return the duration of a hazard for a uniform number, in periods (at most 100 years).

    Examples
    --------
    >>> quake = Hazard(targets={"region": "JP"}, probability=0.1, share=1.0,
    ...                distribution="uniform", shortest=4.0, longest=12.0)
    >>> duration_of(quake, 0.25, "week")
    6.0
    """
    longest = LONGEST_YEARS * PERIODS_PER_YEAR[period]
    return min(DISTRIBUTIONS[hazard.distribution](hazard, u), longest)


def _time(name: str, meaning: str, example: str = "") -> Column:
    return Column(name=name, meaning=meaning, unit=_TIME, example=example)


HAZARDS = Table(
    name="hazards",
    meaning="What may strike in a year. One row a hazard; hazards strike independently.",
    columns=(
        Column(name="label", meaning="What people call it.", example="earthquake"),
        *(
            Column(
                name=target,
                meaning=_MEANINGS.get(target, f"The {target} that is hit; all filled must hold."),
                type="label",
            )
            for target in TARGETS
        ),
        Column(
            name="probability",
            meaning="Chance that it strikes in a year.",
            type="number",
            unit="per year",
            required=True,
            low=0.0,
            high=1.0,
            example="0.05",
        ),
        Column(
            name="share",
            meaning="Share of capacity (of a link: of its flow) that is lost.",
            type="number",
            unit="0 to 1",
            required=True,
            low=0.0,
            high=1.0,
            example="0.8",
        ),
        Column(
            name="distribution",
            meaning="Distribution of the duration.",
            type="choice",
            choices=tuple(DISTRIBUTIONS),
            default="lognormal where a spread is given, else fixed",
        ),
        _time("duration", "How long the full loss lasts: exactly (fixed), or on average.", "12w"),
        _time("shortest", "Shortest duration (uniform)."),
        _time("longest", "Longest duration (uniform)."),
        Column(
            name="duration_spread",
            meaning="Coefficient of variation of the duration (lognormal): deviation over mean.",
            type="number",
            low=0.0,
            high=10.0,
            example="0.5",
        ),
        Column(
            name="recovery",
            meaning="Time from the end of the full loss back to the whole.",
            unit=_TIME,
            default="0: at once",
            example="8w",
        ),
        Column(
            name="curve",
            meaning="Shape of the recovery.",
            type="choice",
            choices=CURVES,
            default="linear",
        ),
    ),
)
"""The columns of a table of hazards."""


def hazards_of(
    frame: pl.DataFrame,
    period: str,
    *,
    network: ProductionNetwork | None = None,
    origin: Origin | None = None,
) -> tuple[tuple[Hazard, ...], tuple[Finding, ...]]:
    """Return the hazards of a table and what is worth knowing, or raise every fault in it.

    Parameters
    ----------
    frame : polars.DataFrame
        One row a hazard, with the columns of `HAZARDS`.
    period : {"day", "week", "month", "quarter", "year"}
        Period of the network.
    network : ProductionNetwork, optional
        Look the targets up, too.
    origin : Origin, optional
        Where the table came from.

    Raises
    ------
    ScenarioError
        With every fault in the table.
    """
    origin = origin or Origin("hazards")
    conformed = conform_rows(frame, HAZARDS, origin)
    findings = list(conformed.findings)
    clean = conformed.frame
    if conformed.is_usable and not any(t in clean.columns for t in TARGETS):
        what = f"hazards need a column of what is hit: one of {', '.join(TARGETS)}"
        findings.append(make_finding("E101", what, origin=origin))
    elif conformed.is_usable:
        hazards = []
        flawed = conformed.is_flawed.to_list() if conformed.is_flawed is not None else []
        for index, row in enumerate(clean.iter_rows(named=True)):
            found = _unknown(row, index, network, origin)
            if not (flawed and flawed[index]):
                found += _faults(row, index, period, origin)
                hazards += [] if found else [_hazard(row, period)]
            findings += found
    if has_errors(findings):
        raise ScenarioError(findings)
    return tuple(hazards), tuple(findings)


def _distribution(row: Mapping[str, Any]) -> str:
    return row.get("distribution") or ("lognormal" if row.get("duration_spread") else "fixed")


def _faults(row: Mapping[str, Any], index: int, period: str, origin: Origin) -> list[Finding]:
    """Return what is wrong with one row whose cells are well formed."""
    findings = []
    times: dict[str, float] = {}
    for name in ("duration", "shortest", "longest", "recovery"):
        try:
            times[name] = periods_of(row.get(name) or 0.0, period)
        except UsageError as error:
            findings.append(
                make_finding(
                    "E302", str(error), origin=origin, index=index, column=name, value=row[name]
                )
            )
    kind = _distribution(row)
    needed = _NEEDED[kind]
    for name in needed:
        if row.get(name) is None:
            what = f"distribution {kind} needs {' and '.join(needed)}"
            findings.append(make_finding("E102", what, origin=origin, index=index, column=name))
    given = {n: times.get(n, 0.0) for n in ("duration", "shortest", "longest")}
    given["duration_spread"] = row.get("duration_spread") or 0.0
    for name, value in given.items():
        if name not in needed and value > 0.0:
            what = f"distribution {kind} takes no {name}; it needs {' and '.join(needed)}"
            findings.append(
                make_finding(
                    "E302",
                    what,
                    origin=origin,
                    index=index,
                    column=name,
                    value=row[name],
                    fix="Empty the cell, or name another distribution.",
                )
            )
    if kind == "uniform" and times.get("shortest", 0.0) > times.get("longest", np.inf):
        what = "the shortest duration is longer than the longest one"
        findings.append(
            make_finding(
                "E302", what, origin=origin, index=index, column="shortest", value=row["shortest"]
            )
        )
    return findings


def _hazard(row: Mapping[str, Any], period: str) -> Hazard:
    def time(name: str) -> float:
        return periods_of(row.get(name) or 0.0, period)

    return Hazard(
        targets={t: row[t] for t in TARGETS if row.get(t)},
        probability=row["probability"],
        share=row["share"],
        distribution=_distribution(row),
        duration=time("duration"),
        shortest=time("shortest"),
        longest=time("longest"),
        spread=row.get("duration_spread") or 0.0,
        recovery=time("recovery"),
        curve=row.get("curve") or "linear",
        label=row.get("label") or "",
    )


def _unknown(
    row: Mapping[str, Any], index: int, network: ProductionNetwork | None, origin: Origin
) -> list[Finding]:
    """Return what the network lacks of a hazard's targets."""
    targets = {t: row[t] for t in TARGETS if row.get(t)}
    if not targets:
        fix = f"Fill one of the columns {', '.join(TARGETS)}."
        what = "the row names nothing that is hit"
        return [make_finding("E303", what, origin=origin, index=index, fix=fix)]
    if network is None:
        return []
    try:
        resolve(Scenario(name="hazard", shocks=(Shock(**targets),)), network, 1)
    except ScenarioError as error:
        return [
            replace(f, what=f.what.removeprefix("shock 1: "), **origin.place(index, f.column))
            for f in error.findings
        ]
    return []
