"""What withstand.toml says of a network: its name, lens, viewpoint, period and currency."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from withstand.model.ceilings import bytes_of
from withstand.model.findings import Finding, Origin, make_finding, nearest
from withstand.model.project_formats import current_settings, fault_of, newest
from withstand.model.units import PERIODS_PER_YEAR

FORMAT = newest()
LENSES = ("plant", "firms", "economy")
RULES = ("none", "shared")

_CHOICES: dict[str, tuple[str, ...]] = {
    "lens": LENSES,
    "period": tuple(PERIODS_PER_YEAR),
    "assume_recipe": RULES,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Settings of a network.

    Parameters
    ----------
    name : str
        Name of the network.
    lens : {"plant", "firms", "economy"}
        Only changes the nouns on screen, and whether cycles are allowed (not in plants).
    home : str, optional
        Home region; regions marked home in their table count too.
    viewpoint : str, optional
        Product (or node) that is looked at; default: everything with final demand.
    currency : str
        Currency of all prices and values.
    period : {"day", "week", "month", "quarter", "year"}
        Period of all flows and times.
    assume_recipe : {"none", "shared"}
        What producers outside home need: nothing (they always deliver), or the same recipe.
    final_demand : mapping of str to float, units per year
        Yearly final demand by product or node.
    thresholds : mapping of str to float
        Limits that the user wants to be told about.
    limits : mapping of str to float
        `memory`, bytes: the most that one allocation may take (`[limits] memory = "4 GB"`).
    """

    name: str = "network"
    lens: str = "plant"
    home: str | None = None
    viewpoint: str | None = None
    currency: str = ""
    period: str = "week"
    assume_recipe: str = "none"
    final_demand: Mapping[str, float] = field(default_factory=dict)
    thresholds: Mapping[str, float] = field(default_factory=dict)
    limits: Mapping[str, float] = field(default_factory=dict)

    @property
    def most_memory(self) -> float | None:
        """Bytes that one allocation may take, None where nothing is stated."""
        return self.limits.get("memory")


_READ_ELSEWHERE = ("database", "format")
"""No part of a network: readers.databases and model.project_formats read them."""
_MAY_BE_EMPTY = ("home", "viewpoint")


def read_settings(data: Mapping[str, Any], origin: Origin) -> tuple[Settings, list[Finding]]:
    """Return the settings of a parsed withstand.toml, with every fault found in it."""
    findings: list[Finding] = []
    known = [f.name for f in fields(Settings)]
    values: dict[str, Any] = {}

    def fault(key: str, value: object, what: str, suggestion: str | None = None) -> None:
        findings.append(
            make_finding(
                "E118", what, origin=origin, column=key, value=value, suggestion=suggestion
            )
        )

    stated, data = data.get("format"), current_settings(data)
    why_not = fault_of(data)
    if why_not is not None:
        fault("format", stated, why_not)
    for key, value in data.items():
        if key in _READ_ELSEWHERE or (key in _MAY_BE_EMPTY and value == ""):
            continue
        if key not in known:
            is_secret = "pass" in key.casefold()  # its value is not repeated
            shown = None if is_secret else value
            fault(key, shown, f"unknown setting '{key[:40]}'", nearest(key, known))
        elif key in _SECTIONS:
            values[key] = _SECTIONS[key](key, value, fault)
        elif not isinstance(value, str):
            fault(key, value, f"{key} must be text in quotation marks")
        elif key in _CHOICES and value not in _CHOICES[key]:
            words = ", ".join(_CHOICES[key])
            fault(key, value, f"{key} must be one of {words}", nearest(value, _CHOICES[key]))
        else:
            values[key] = value
    return Settings(**values), findings


def _numbers(key: str, value: object, fault: Any) -> dict[str, float]:
    if not isinstance(value, Mapping):
        fault(key, value, f"{key} must be a section of numbers: [{key}]")
        return {}
    good: dict[str, float] = {}
    for label, number in value.items():
        is_number = isinstance(number, int | float) and not isinstance(number, bool)
        if not is_number or not abs(number) < 1e15:
            fault(f"{key}.{label}", number, "must be a finite number")
        elif key == "final_demand" and number < 0:
            fault(f"{key}.{label}", number, "final demand may not be negative")
        else:
            good[str(label)] = float(number)
    return good


def _limits(key: str, value: object, fault: Any) -> dict[str, float]:
    if not isinstance(value, Mapping):
        fault(key, value, f"{key} must be a section: [{key}]")
        return {}
    good: dict[str, float] = {}
    for name, limit in value.items():
        is_number = isinstance(limit, int | float) and not isinstance(limit, bool)
        size = bytes_of(limit) if isinstance(limit, str) else limit if is_number else None
        if name != "memory":
            fault(f"limits.{name}", None, f"unknown limit '{name[:40]}'", "memory")
        elif size is None or not 0 < size < 1e15:
            fault("limits.memory", limit, 'must be a size: memory = "4 GB"')
        else:
            good["memory"] = float(size)
    return good


_SECTIONS = {"final_demand": _numbers, "thresholds": _numbers, "limits": _limits}


def settings_to_dict(settings: Settings) -> dict[str, Any]:
    """Return the settings as plain values, without those that are empty."""
    values: dict[str, Any] = {"name": settings.name, "format": newest()}
    for f in fields(Settings):
        value = getattr(settings, f.name)
        if f.name != "name" and value not in (None, "", {}):
            values[f.name] = dict(value) if isinstance(value, Mapping) else value
    return values
