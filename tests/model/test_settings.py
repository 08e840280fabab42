"""withstand.toml: what it may say, and what is said when it says something else."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest

from withstand.model.findings import Origin
from withstand.model.settings import Settings, read_settings, settings_to_dict

ORIGIN = Origin("withstand.toml")
FULL = Settings(
    name="Gears", lens="economy", home="HOME", viewpoint="GEAR", currency="EUR", period="month",
    assume_recipe="shared", final_demand={"GEAR": 5200.0}, thresholds={"coverage": 0.5},
)  # fmt: skip


@pytest.mark.parametrize("settings", [Settings(), FULL])
def test_settings_read_back_the_same(settings: Settings) -> None:
    assert read_settings(settings_to_dict(settings), ORIGIN) == (settings, [])


def test_what_is_not_said_has_a_default() -> None:
    settings, findings = read_settings(tomllib.loads('name = "x"'), ORIGIN)
    assert settings == Settings(name="x")
    assert (settings.lens, settings.period, settings.assume_recipe) == ("plant", "week", "none")
    assert findings == []


@pytest.mark.parametrize(
    ("data", "column", "suggestion"),
    [
        ({"lense": "plant"}, "lense", "lens"),
        ({"lens": "plants"}, "lens", "plant"),
        ({"lens": 3}, "lens", None),
        ({"period": "weeks"}, "period", "week"),
        ({"assume_recipe": "share"}, "assume_recipe", "shared"),
        ({"format": 99}, "format", None),
        ({"format": "1"}, "format", None),
        ({"home": ["HOME"]}, "home", None),
        ({"final_demand": 3}, "final_demand", None),
        ({"final_demand": {"GEAR": "many"}}, "final_demand.GEAR", None),
        ({"final_demand": {"GEAR": True}}, "final_demand.GEAR", None),
        ({"final_demand": {"GEAR": -1}}, "final_demand.GEAR", None),
        ({"final_demand": {"GEAR": float("nan")}}, "final_demand.GEAR", None),
        ({"final_demand": {"GEAR": float("inf")}}, "final_demand.GEAR", None),
        ({"final_demand": {"GEAR": 10**400}}, "final_demand.GEAR", None),
        ({"thresholds": {"x": {}}}, "thresholds.x", None),
    ],
    ids=str,
)
def test_a_wrong_setting_is_named(
    data: dict[str, Any], column: str, suggestion: str | None
) -> None:
    settings, findings = read_settings({"name": "x", **data}, ORIGIN)
    (found,) = findings
    assert (found.code, found.file, found.column) == ("E118", "withstand.toml", column)
    assert found.suggestion == suggestion
    assert settings.name == "x"


def test_all_wrong_settings_are_named_at_once() -> None:
    data = {"lens": "x", "period": "x", "nonsense": 1, "home": 3, "final_demand": {"a": "b"}}
    assert len(read_settings(data, ORIGIN)[1]) == 5


def test_thresholds_may_be_negative_and_demand_may_be_whole() -> None:
    data = {"thresholds": {"drift": -0.1}, "final_demand": {"GEAR": 10}}
    settings, findings = read_settings(data, ORIGIN)
    assert findings == []
    assert settings.thresholds == {"drift": -0.1}
    assert settings.final_demand == {"GEAR": 10.0}
