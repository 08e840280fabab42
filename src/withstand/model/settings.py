"""What withstand.toml says of a network: its name, lens, viewpoint, period and currency."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from withstand.model.findings import Finding, Origin, make_finding, nearest
from withstand.model.units import PERIODS_PER_YEAR

FORMAT = 1
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

    for key, value in data.items():
        if key == "format":
            if value != FORMAT:
                fault(key, value, f"this version reads project format {FORMAT}")
        elif key not in known:
            fault(key, value, f"unknown setting '{key[:40]}'", nearest(key, known))
        elif key in ("final_demand", "thresholds"):
            values[key] = _numbers(key, value, fault)
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


def settings_to_dict(settings: Settings) -> dict[str, Any]:
    """Return the settings as plain values, without those that are empty."""
    values: dict[str, Any] = {"name": settings.name, "format": FORMAT}
    for f in fields(Settings):
        value = getattr(settings, f.name)
        if f.name != "name" and value not in (None, "", {}):
            values[f.name] = dict(value) if isinstance(value, Mapping) else value
    return values
