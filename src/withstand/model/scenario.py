"""Scenarios: named sets of shocks, as data in TOML and in Python."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from withstand.errors import ScenarioError, UsageError
from withstand.model.findings import Finding, Origin, make_finding, nearest, shorten
from withstand.model.units import periods_of, share_of

Duration = str | float
CURVES = ("none", "linear", "exponential", "s-shaped")
WHAT = ("capacity", "demand")
TARGETS = ("region", "node", "product", "site", "company", "bloc", "link", "route", "to")
LINK_TARGETS = frozenset({"link", "route", "to"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Shock:
    """One change: where, how large, from when, how long, and how it recovers.

    All targets that are given must hold together: region "JP" with product "RV" hits the Japanese
    producers of RV. A link is written "supplier>buyer"; a link or route shock limits what passes.
    With `to`, what is hit are the links to buyers there: region "CN" with product "RV" and to "EU"
    is an export ban on RV. Flows within a region are no exports and pass; what goes straight to
    final users is no link and passes too.

    Parameters
    ----------
    region, node, product, site, company, bloc, link, route : str, optional
        What is hit.
    to : str, optional
        Region, bloc or node of the buyers: only what is sold to them is hit.
    share : float, 0 to 1
        Share lost, of capacity (or of final demand with `what="demand"`, or of the link's flow).
    start, duration : str or float
        Text with a unit ("12w", "3 months") or a number of periods. Without a duration the loss
        lasts for ever.
    recovery : str or float
        Time from the end of the full loss back to the whole (0: at once). Nodes with
        recovery_periods of their own use the larger of the two.
    curve : {"none", "linear", "exponential", "s-shaped"}
        Shape of the recovery; "none" stays at the loss and comes back at its end.
    what : {"capacity", "demand"}
    label : str
        What people call it ("earthquake"); it changes no number.

    Raises
    ------
    ScenarioError
        With every share, time, word or target that cannot be.

    Examples
    --------
    >>> half = Shock(region="JP", share=0.5, duration="12w", recovery="8w")
    >>> half.region, half.share, half.what
    ('JP', 0.5, 'capacity')
    """

    region: str | None = None
    node: str | None = None
    product: str | None = None
    site: str | None = None
    company: str | None = None
    bloc: str | None = None
    link: str | None = None
    route: str | None = None
    to: str | None = None
    share: float = 1.0  # text such as "50%" is taken too, and kept as a number
    start: Duration = 0.0
    duration: Duration | None = None
    recovery: Duration = 0.0
    curve: str = "linear"
    what: str = "capacity"
    label: str = ""

    def __post_init__(self) -> None:
        """Refuse shares, times, labels and words that cannot be, all at once."""
        findings = [
            *self._impossible_numbers(),
            *self._unknown_words(),
            *(
                make_finding("E302", f"{t} must be text", column=t, value=label)
                for t, label in {**self.targets, "label": self.label}.items()
                if not isinstance(label, str)
            ),
        ]
        if not self.targets:
            findings.append(
                make_finding("E303", f"a shock needs a target: one of {', '.join(TARGETS)}")
            )
        if self.what == "demand" and not LINK_TARGETS.isdisjoint(self.targets):
            findings.append(
                make_finding(
                    "E302", "a link or route has no final demand, nor has `to`", column="what"
                )
            )
        if findings:
            raise ScenarioError(findings)
        object.__setattr__(self, "share", share_of(self.share))

    def _impossible_numbers(self) -> list[Finding]:
        findings = []
        for name in ("share", "start", "duration", "recovery"):
            value = getattr(self, name)
            if name == "duration" and value is None:
                continue
            try:
                share_of(value) if name == "share" else periods_of(value, "week")
            except (UsageError, TypeError, ValueError, OverflowError) as error:
                what = str(error) if isinstance(error, UsageError) else f"{name} is no number"
                findings.append(make_finding("E302", what, column=name, value=value))
        return findings

    def _unknown_words(self) -> list[Finding]:
        return [
            make_finding(
                "E302",
                f"{name} must be one of {', '.join(valid)}",
                column=name,
                value=value,
                suggestion=nearest(str(value), valid),
            )
            for name, value, valid in (("curve", self.curve, CURVES), ("what", self.what, WHAT))
            if value not in valid
        ]

    @property
    def targets(self) -> dict[str, str]:
        """The targets that are given."""
        return {t: getattr(self, t) for t in TARGETS if getattr(self, t) is not None}

    def title(self) -> str:
        """Return the shock in words."""
        where = ", ".join(f"{k} {v}" for k, v in self.targets.items())
        how_long = "for ever" if self.duration is None else f"for {_spoken(self.duration)}"
        noun = "" if self.what == "capacity" else f" of {self.what}"
        return f"{where} loses {100 * self.share:.6g}%{noun} {how_long}"


def _spoken(duration: Duration) -> str:
    return duration if isinstance(duration, str) else f"{duration:g} periods"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """A named set of shocks with a probability.

    Parameters
    ----------
    name : str
    shocks : tuple of Shock
        Empty for the baseline, in which nothing happens.
    probability : float, per year, 0 to 1

    Raises
    ------
    ScenarioError
        If the probability does not lie between 0 and 1.

    Examples
    --------
    >>> Scenario.lose(region="JP", share=.5, duration="12w").name
    'region JP loses 50% for 12w'
    """

    name: str
    shocks: tuple[Shock, ...]
    probability: float = 1.0

    def __post_init__(self) -> None:
        """Refuse a probability that cannot be."""
        object.__setattr__(self, "shocks", tuple(self.shocks))
        findings = _impossible_probability(self.probability)
        if findings:
            raise ScenarioError(findings)

    @staticmethod
    def lose(
        *,
        region: str | None = None,
        node: str | None = None,
        product: str | None = None,
        site: str | None = None,
        company: str | None = None,
        bloc: str | None = None,
        link: str | None = None,
        route: str | None = None,
        to: str | None = None,
        share: float | str = 1.0,
        start: Duration = 0.0,
        duration: Duration | None = None,
        recovery: Duration = 0.0,
        curve: str = "linear",
        name: str | None = None,
        probability: float = 1.0,
    ) -> Scenario:
        """Return a scenario of one shock; arguments as in Shock."""
        shock = Shock(
            region=region,
            node=node,
            product=product,
            site=site,
            company=company,
            bloc=bloc,
            link=link,
            route=route,
            to=to,
            share=share,  # type: ignore[arg-type]
            start=start,
            duration=duration,
            recovery=recovery,
            curve=curve,
        )
        return Scenario(name=name or shock.title(), shocks=(shock,), probability=probability)


def read_scenario(path: str | os.PathLike[str]) -> Scenario:
    """Return the scenario of a TOML file.

    The file has `name`, `probability` and one `[[shock]]` section a shock, with the keys of Shock.

    Raises
    ------
    ScenarioError
        With every fault in the file.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     file = Path(folder) / "quake.toml"
    ...     _ = file.write_text('''
    ... [[shock]]
    ... region = "JP"
    ... duration = "12w"
    ... ''')
    ...     read_scenario(file).name
    'quake'
    """
    file = Path(path)
    origin = Origin(shorten(file.name))
    try:
        data = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:  # not text, not TOML, absurd numbers
        reason = getattr(error, "strerror", None) or str(error)
        raise ScenarioError([make_finding("E304", shorten(reason), origin=origin)]) from error
    return scenario_from(data, origin, default_name=file.stem)


def scenario_from(data: Mapping[str, Any], origin: Origin, default_name: str) -> Scenario:
    """Return the scenario of parsed TOML; every unknown key and impossible value is a finding."""
    findings = _unknown_keys(data, ("name", "probability", "shock"), "", origin)
    sections = data.get("shock", [])
    if not isinstance(sections, list) or not sections:
        findings.append(make_finding("E304", "there is no [[shock]] section", origin=origin))
        sections = []
    words = tuple(f.name for f in fields(Shock))
    shocks = []
    for number, section in enumerate(sections, 1):
        if not isinstance(section, Mapping):
            what = f"shock {number} is no section: write [[shock]]"
            findings.append(make_finding("E304", what, origin=origin, column="shock"))
            continue
        unknown = _unknown_keys(section, words, f" in shock {number}", origin)
        findings += unknown
        if unknown:
            continue
        try:
            shocks.append(Shock(**section))
        except ScenarioError as error:
            findings += [
                replace(f, file=origin.file, what=f"shock {number}: {f.what}")
                for f in error.findings
            ]
    name, probability = data.get("name", default_name), data.get("probability", 1.0)
    if not isinstance(name, str):
        findings.append(make_finding("E304", "name must be text", origin=origin, column="name"))
    findings += [replace(f, file=origin.file) for f in _impossible_probability(probability)]
    if findings:
        raise ScenarioError(findings)
    return Scenario(name=name, shocks=tuple(shocks), probability=float(probability))


def scenario_to_dict(scenario: Scenario) -> dict[str, Any]:
    """Return the scenario as plain values, defaults left out; `scenario_from` reads them back.

    Examples
    --------
    >>> scenario_to_dict(Scenario.lose(region="JP", duration="12w", name="Japan"))
    {'name': 'Japan', 'probability': 1.0, 'shock': [{'region': 'JP', 'duration': '12w'}]}
    """
    sections = []
    for shock in scenario.shocks:
        values = {f.name: getattr(shock, f.name) for f in fields(Shock)}
        sections.append(
            {f.name: values[f.name] for f in fields(Shock) if values[f.name] != f.default}
        )
    return {"name": scenario.name, "probability": scenario.probability, "shock": sections}


def _unknown_keys(
    data: Mapping[str, Any], known: tuple[str, ...], where: str, origin: Origin
) -> list[Finding]:
    return [
        make_finding(
            "E304",
            f"unknown key '{key[:40]}'{where}",
            origin=origin,
            column=key,
            suggestion=nearest(key, known),
        )
        for key in data
        if key not in known
    ]


def _impossible_probability(value: object) -> list[Finding]:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if is_number and 0 <= value <= 1:  # type: ignore[operator]
        return []
    what = "probability must lie between 0 and 1"
    return [make_finding("E302", what, column="probability", value=value)]
