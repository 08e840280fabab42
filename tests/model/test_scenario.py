"""Scenarios as data: what is refused, and the way from and to TOML."""

from __future__ import annotations

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from withstand.errors import ScenarioError
from withstand.model.findings import Origin
from withstand.model.scenario import (
    Scenario,
    Shock,
    read_scenario,
    scenario_from,
    scenario_to_dict,
)

HERE = Origin("quake.toml")
TEXT = """
name = "Quake and flood"
probability = 0.02

[[shock]]
region = "JP"
product = "RV"
share = 0.5
start = "2 weeks"
duration = "3 months"
recovery = 8
curve = "s-shaped"

[[shock]]
route = "STRAIT"
duration = 4
"""


def codes(error):
    return [f.code for f in error.value.findings]


def one_fault(error, code):
    assert codes(error) == [code]
    return error.value.findings[0]


# --- shocks and scenarios in Python ----------------------------------------------------------


def test_a_shock_is_spoken_in_words():
    assert Shock(region="JP", share="50%", duration="12w").title() == "region JP loses 50% for 12w"
    assert Shock(region="JP", product="RV").title() == "region JP, product RV loses 100% for ever"
    assert Shock(node="A", share=0.004, duration=3).title() == "node A loses 0.4% for 3 periods"
    demand = Shock(product="F", share=0.1, duration="1y", what="demand")
    assert demand.title() == "product F loses 10% of demand for 1y"


def test_a_share_is_kept_as_a_number():
    assert Shock(region="JP", share="50%") == Shock(region="JP", share=0.5)


def test_lose_is_a_scenario_of_one_shock():
    scenario = Scenario.lose(company="ACME", share=0.3, start="4w", duration="2w", curve="none",
                             recovery=2, probability=0.1)  # fmt: skip
    assert scenario.name == "company ACME loses 30% for 2w"
    assert scenario.shocks == (
        Shock(company="ACME", share=0.3, start="4w", duration="2w", curve="none", recovery=2),
    )
    assert scenario.probability == 0.1
    assert Scenario.lose(node="A", name="My own").name == "My own"


def test_a_scenario_without_shocks_is_the_baseline():
    assert Scenario(name="baseline", shocks=()).shocks == ()


def test_shocks_may_come_in_a_list():
    shock = Shock(region="JP")
    assert Scenario(name="x", shocks=[shock]) == Scenario(name="x", shocks=(shock,))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"share": 1.5}, "A share of 1.5 is not possible"),
        ({"share": -0.1}, "A share of -0.1 is not possible"),
        ({"share": "150%"}, "A share of 150% is not possible"),
        ({"share": "half"}, "'half' is not a share"),
        ({"share": float("nan")}, "A share of nan is not possible"),
        ({"share": None}, "share is no number"),
        ({"share": 10**400}, "share is no number"),
        ({"duration": -1}, "A duration of -1 is not possible"),
        ({"duration": "-1w"}, "'-1w' is not a duration"),
        ({"duration": "12 fortnights"}, "'12 fortnights' is not a duration"),
        ({"duration": float("inf")}, "A duration of inf is not possible"),
        ({"duration": [1]}, "duration is no number"),
        ({"duration": "9" * 400}, "is not possible"),
        ({"start": "soon"}, "'soon' is not a duration"),
        ({"start": None}, "start is no number"),
        ({"recovery": -2.0}, "A duration of -2.0 is not possible"),
        ({"curve": "logistic"}, "curve must be one of none, linear, exponential, s-shaped"),
        ({"curve": 5}, "curve must be one of"),
        ({"what": "demands"}, "what must be one of capacity, demand"),
        ({"region": 5}, "region must be text"),
        ({"what": "demand", "region": None, "route": "R"}, "a link or route has no final demand"),
    ],
)
def test_an_impossible_shock_is_refused(arguments, message):
    with pytest.raises(ScenarioError) as error:
        Shock(**{"region": "JP", **arguments})
    finding = one_fault(error, "E302")
    assert message in finding.what
    assert len(str(finding)) < 500


def test_a_near_word_is_suggested():
    with pytest.raises(ScenarioError) as error:
        Shock(region="JP", curve="exponental")
    assert one_fault(error, "E302").suggestion == "exponential"


def test_a_shock_needs_a_target():
    with pytest.raises(ScenarioError) as error:
        Shock(share=0.5)
    assert "a shock needs a target: one of region, node" in one_fault(error, "E303").what


def test_all_faults_of_a_shock_are_told_at_once():
    with pytest.raises(ScenarioError) as error:
        Shock(share=2, duration=-1, curve="x")
    assert codes(error) == ["E302", "E302", "E302", "E303"]


@pytest.mark.parametrize("probability", [2, -0.1, float("nan"), "often", True, None])
def test_a_probability_lies_between_0_and_1(probability):
    with pytest.raises(ScenarioError, match="probability must lie between 0 and 1"):
        Scenario.lose(region="JP", probability=probability)


# --- TOML ------------------------------------------------------------------------------------


def test_a_file_becomes_a_scenario(tmp_path):
    file = tmp_path / "quake.toml"
    file.write_text(TEXT, encoding="utf-8")
    assert read_scenario(file) == Scenario(
        name="Quake and flood",
        probability=0.02,
        shocks=(
            Shock(region="JP", product="RV", share=0.5, start="2 weeks", duration="3 months",
                  recovery=8, curve="s-shaped"),
            Shock(route="STRAIT", duration=4),
        ),
    )  # fmt: skip


def test_a_file_without_a_name_is_called_after_itself(tmp_path):
    file = tmp_path / "loss of japan.toml"
    file.write_text('[[shock]]\nregion = "JP"\n', encoding="utf-8")
    assert read_scenario(file).name == "loss of japan"
    assert read_scenario(file).probability == 1.0


def test_a_scenario_survives_the_way_to_plain_values_and_back():
    scenario = scenario_from(tomllib.loads(TEXT), HERE, "")
    assert scenario_from(scenario_to_dict(scenario), HERE, "") == scenario


times = st.none() | st.floats(0, 1e5) | st.integers(0, 1000) | st.sampled_from(["12w", "3 months"])


@given(
    targets=st.dictionaries(
        st.sampled_from(["region", "node", "product", "site", "company", "bloc"]),
        st.text(max_size=10),
        min_size=1,
    ),
    share=st.floats(0, 1),
    duration=times,
    recovery=times.filter(lambda t: t is not None),
    what=st.sampled_from(["capacity", "demand"]),
    probability=st.floats(0, 1),
)
def test_any_scenario_survives_the_way_to_plain_values_and_back(
    targets, share, duration, recovery, what, probability
):
    shock = Shock(**targets, share=share, duration=duration, recovery=recovery, what=what)
    scenario = Scenario(name="any", shocks=(shock, shock), probability=probability)
    assert scenario_from(scenario_to_dict(scenario), HERE, "") == scenario


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name = ", "Invalid value"),
        ("x = [" * 20_000, ""),
        ("x = " + "9" * 5000, ""),
        ('name = "empty"', "there is no [[shock]] section"),
        ("shock = 3", "there is no [[shock]] section"),
        ("shock = [3]", "shock 1 is no section"),
        ('shock = ["region"]', "shock 1 is no section"),
        ('[shock]\nregion = "JP"', "there is no [[shock]] section"),
        ('name = 3\n[[shock]]\nregion = "JP"', "name must be text"),
    ],
)
def test_a_file_that_is_no_scenario_is_refused(text, message, tmp_path):
    file = tmp_path / "broken.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ScenarioError) as error:
        read_scenario(file)
    finding = one_fault(error, "E304")
    assert message in finding.what
    assert finding.file == "broken.toml"


def test_a_file_that_is_not_there_is_said_without_its_folder(tmp_path):
    with pytest.raises(ScenarioError, match="No such file") as error:
        read_scenario(tmp_path / "missing.toml")
    assert str(tmp_path) not in str(error.value)


def test_a_file_that_is_not_text_is_refused(tmp_path):
    file = tmp_path / "binary.toml"
    file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ScenarioError):
        read_scenario(file)


def test_unknown_keys_are_named_with_the_nearest():
    with pytest.raises(ScenarioError) as error:
        scenario_from({"probabilty": 0.1, "shock": [{"regoin": "JP"}]}, HERE, "x")
    first, second = error.value.findings
    assert (first.column, first.suggestion) == ("probabilty", "probability")
    assert second.what == "unknown key 'regoin' in shock 1"
    assert second.suggestion == "region"
    assert {first.code, second.code} == {"E304"}


def test_every_fault_of_a_file_is_told_at_once_and_says_where():
    data = {
        "probability": 2,
        "shock": [{"region": "JP", "share": 7}, {"region": "JP"}, {"share": 0.5}, {"regio": "JP"}],
    }
    with pytest.raises(ScenarioError) as error:
        scenario_from(data, HERE, "x")
    found = error.value.findings
    assert sorted(codes(error)) == ["E302", "E302", "E303", "E304"]
    assert all(f.file == "quake.toml" for f in found)
    assert found[0].what.startswith("shock 1: A share of 7")
    assert found[1].what.startswith("shock 3: a shock needs a target")
