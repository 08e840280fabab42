"""The report of a plan: numbers are those of the plan, nothing breaks out, limits are said."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import re
from dataclasses import replace
from pathlib import Path

import openpyxl
import polars as pl
import pytest

from figure_texts import strings
from pages_read import CHROMIUM, LOADS, Parsed, browse
from withstand import examples, measures, plan
from withstand.errors import SolverError, UsageError
from withstand.model.option import Effect, Option
from withstand.model.scenario import Scenario
from withstand.report import plan_figures as figures
from withstand.report import plan_gathering
from withstand.report.contents import Contents
from withstand.report.plan_contents import PlanContents
from withstand.report.plan_gathering import budgets_of, gather_plan, losses_of, own_budget
from withstand.report.plan_headline import sentences, title, worth_said
from withstand.report.plan_page import plan_document, plan_json, plan_page, plan_workbook
from withstand.report.plan_sections import plan_sections
from withstand.report.plan_tables import alternatives_frame, plan_tables

MADE_AT = "2026-11-22 10:00"
ANCHORS = {"headline", "calendar", "losses", "earns", "money", "output", "alternatives", "options",
           "beyond", "method"}  # fmt: skip
FIGURES = (
    figures.gantt, figures.spend_by_year, figures.earns, figures.frontier, figures.output,
    figures.side_by_side, figures.beyond, lambda c: figures.losses(c, "programme"),
    lambda c: figures.losses(c, "simulated"),
)  # fmt: skip


def options(node: str, product: str, name: str = "") -> list[Option]:
    """A stock, a larger mill at home, and something that is never worth it."""
    stock = Effect(effect="add_stock", product=product, amount=6.0, unit="periods")
    more = Effect(effect="add_capacity", node=node, amount=84.0)
    return [
        Option(label="STOCK", name=name + "More steel", kind="stockpile", cost_once=2000.0,
               ready_periods=4.0, effects=(stock,)),
        Option(label="MILL", name=name + "A larger mill", kind="expand_capacity", cost_once=500.0,
               cost_per_period=1.0, ready_periods=60.0, effects=(more,)),
        Option(label="GOLD", name=name + "A golden mill", kind="expand_capacity", cost_once=1e9,
               effects=(more,)),
    ]  # fmt: skip


def planned(network, region: str, product: str, node: str, name: str = "", **more) -> PlanContents:
    scenarios = [
        Scenario.lose(region=region, duration="20w", name=name + "long", probability=0.1),
        Scenario.lose(region=region, duration="10w", name=name + "short", probability=0.2),
    ]
    found = plan.solve(
        network, options(node, product, name), scenarios,
        **{"budget": 3000.0, "horizon": 2, "step": 1, "gap": 1e-9, **more},
    )  # fmt: skip
    return replace(gather_plan(found, n_budgets=4, n_alternatives=1), made_at=MADE_AT)


@pytest.fixture(scope="module")
def steel() -> PlanContents:
    """Three nodes, three options, two scenarios at two times, all that can be asked."""
    return planned(examples.tiny(), "JP", "STEEL", "STEEL@HOME")


@pytest.fixture(scope="module")
def idle() -> PlanContents:
    """The same without money: nothing is chosen, nothing simulated, no frontier."""
    found = plan.solve(
        examples.tiny(), options("STEEL@HOME", "STEEL"),
        [Scenario.lose(region="JP", duration="20w")], budget=0.0, horizon=2, step=1,
    )  # fmt: skip
    return replace(gather_plan(found, is_verified=False), made_at=MADE_AT)


@pytest.fixture(scope="module")
def evil(request: pytest.FixtureRequest) -> PlanContents:
    """Every name of network, options and scenarios tries to break out.

    The names of the network are put in afterwards: carrying out an option would refuse them.
    """
    hostile: Contents = request.getfixturevalue("hostile")
    text = hostile.network.settings.name
    made = planned(examples.tiny(), "JP", "STEEL", "STEEL@HOME", name=text)
    problem = made.plan.problem
    chain = replace(problem.chain, network=hostile.network)
    renamed = replace(made.plan, problem=replace(problem, chain=chain))

    def spoilt(frame: pl.DataFrame) -> pl.DataFrame:
        return frame.with_columns(pl.col("name") + text)

    return replace(
        made, plan=renamed, losses=spoilt(made.losses), earns=spoilt(made.earns),
        output=spoilt(made.output), strikes=spoilt(made.strikes), beyond=spoilt(made.beyond),
    )  # fmt: skip


@pytest.fixture(scope="module")
def pages(steel: PlanContents, idle: PlanContents, evil: PlanContents) -> dict[str, str]:
    found = {"steel": steel, "idle": idle, "evil": evil}
    return {name: plan_page(c).decode() for name, c in found.items()}


# --- what is gathered ----------------------------------------------------------------------------


def test_the_expected_loss_is_that_of_the_scenarios_by_their_probability(
    steel: PlanContents,
) -> None:
    assert set(steel.plan.chosen) == {"STOCK", "MILL"}
    for when, value in (
        ("before", steel.plan.expected_loss_before),
        ("after", steel.plan.expected_loss),
    ):
        mean = (steel.losses["probability"] * steel.losses[f"programme_{when}"]).sum()
        assert mean == pytest.approx(value)
    assert steel.verification is not None
    for when in ("before", "after"):
        mean = (steel.losses["probability"] * steel.losses[f"simulated_{when}"]).sum()
        assert mean == pytest.approx(steel.verification.expected(f"simulated_{when}"))
    assert steel.losses["probability"].to_list() == pytest.approx([0.2, 0.4])


def test_scenarios_without_a_chance_count_evenly() -> None:
    rows = {
        "scenario": ["a", "a"], "name": ["A", "A"], "probability": [0.0, 0.0],
        "programme_before": [1.0, 3.0], "programme_after": [0.0, 1.0],
        "simulated_before": [2.0, 4.0], "simulated_after": [None, None],
    }  # fmt: skip
    frame = losses_of(pl.DataFrame(rows, schema_overrides={"simulated_after": pl.Float64}))
    assert frame.row(0)[3:] == (2.0, 0.5, 3.0, None)


def test_what_an_option_earns_is_the_loss_that_comes_back_without_it(steel: PlanContents) -> None:
    total = steel.earns.group_by("option").agg(pl.col("expected").sum())
    contributed = steel.plan.contributions()
    for label, expected in total.iter_rows():
        own = contributed.filter(pl.col("option") == label)
        assert expected == pytest.approx((own["probability"] * own["saved"]).sum())
    by_scenario = steel.earns.join(steel.losses, on="scenario")
    assert (by_scenario["saved"] * by_scenario["probability"]).to_list() == pytest.approx(
        by_scenario["expected"].to_list()
    )


def test_output_is_that_of_the_measure_before_and_at_the_end_of_the_horizon(
    steel: PlanContents,
) -> None:
    before = measures.coverage(steel.network, ["JP"], limit="capacity").feasible_output
    after = measures.coverage(steel.plan.apply(2), ["JP"], limit="capacity").feasible_output
    (row,) = steel.output.iter_rows(named=True)
    assert (row["before"], row["after"]) == pytest.approx((before, after))
    assert after > before + 0.1


def test_the_frontier_goes_through_the_plan_and_never_up(steel: PlanContents) -> None:
    assert steel.frontier is not None
    frame = steel.frontier.to_frame()
    assert frame.height == 4
    assert frame["value"].is_sorted(descending=True)
    own = frame.filter(pl.col("budget") == steel.own_budget)
    assert own["expected_loss"].to_list() == pytest.approx([steel.plan.expected_loss])


def test_budgets_lie_between_nothing_and_well_above_the_own_one(
    steel: PlanContents, idle: PlanContents
) -> None:
    assert own_budget(steel.plan) == 3000.0  # more than four fifths of it are spent
    assert budgets_of(steel.plan, 4) == [0.0, 1500.0, 3000.0, 4500.0]
    assert budgets_of(idle.plan, 1)[0] == 0.0
    assert len(set(budgets_of(idle.plan, 6))) == 6


def test_where_money_is_left_the_frontier_is_drawn_to_what_is_spent() -> None:
    rich = plan.solve(
        examples.tiny(), options("STEEL@HOME", "STEEL"),
        [Scenario.lose(region="JP", duration="20w")], budget=1e6, horizon=1, step=1,
    )  # fmt: skip
    assert own_budget(rich) == pytest.approx(float(rich.spend()["spent"].sum()))
    by_year = plan.solve(
        examples.tiny(), options("STEEL@HOME", "STEEL"),
        [Scenario.lose(region="JP", duration="20w")], budget=[1e6, 1e6], horizon=2, step=1,
    )  # fmt: skip
    assert own_budget(by_year) == 2e6


def test_what_money_cannot_mend_is_never_more_than_what_the_plan_leaves(
    steel: PlanContents,
) -> None:
    beyond = steel.plan.beyond_money()
    total = (steel.losses.sort("name")["probability"] * steel.beyond.sort("name")["left"]).sum()
    assert total == pytest.approx(beyond.expected)
    assert steel.too_late == beyond.too_late
    assert (steel.beyond["left"] <= steel.beyond["after"] + 1e-6).all()


def test_the_other_plans_stand_beside_with_their_start_years(steel: PlanContents) -> None:
    frame = alternatives_frame(steel)
    if steel.alternatives:
        other = steel.alternatives[0]
        chosen = frame.filter(pl.col("plan_1").is_not_null())["option"].to_list()
        assert tuple(chosen) == other.chosen
    assert tuple(frame.filter(pl.col("plan_0").is_not_null())["option"]) == steel.plan.chosen


def test_a_plan_that_was_not_found_has_no_report() -> None:
    none = plan.solve(
        examples.tiny(), options("STEEL@HOME", "STEEL"),
        [Scenario.lose(region="JP", duration="20w")], budget=0.0, horizon=1, step=1,
        aim="cost", loss_limit=1.0,
    )  # fmt: skip
    assert not none.is_found
    with pytest.raises(UsageError, match="infeasible"):
        gather_plan(none)


def test_a_plan_is_not_lost_where_the_solver_fails_on_a_further_question(
    steel: PlanContents, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise SolverError("HiGHS stopped: Unknown")

    monkeypatch.setattr(plan_gathering, "alternatives", fails)
    monkeypatch.setattr(plan_gathering, "frontier", fails)
    made = gather_plan(steel.plan, is_verified=False, n_budgets=3, n_alternatives=2)
    assert made.frontier is None
    assert made.alternatives == ()
    assert len(made.left_out) == 2
    text = Parsed(plan_page(made).decode()).text
    assert "The frontier was not found. HiGHS stopped: Unknown." in text
    assert "Other plans were not found." in text


# --- words ---------------------------------------------------------------------------------------


def test_the_sentences_say_what_is_chosen_and_that_the_case_is_conditional(
    steel: PlanContents, idle: PlanContents
) -> None:
    assert title(steel).startswith("2 options for")
    assert "the case that one of them strikes" not in " ".join(sentences(steel))
    assert title(idle) == "The money is too little for anything that would help"
    assert "the case that one of them strikes" in " ".join(sentences(idle))
    assert worth_said(idle).startswith("The next thousand in year 1 would save")


def test_two_scenarios_on_one_region_keep_their_own_names(steel: PlanContents) -> None:
    assert steel.losses["name"].to_list() == ["long", "short"]
    assert steel.lost("long") == "“long”"


def test_one_scenario_a_region_is_called_by_the_region(idle: PlanContents) -> None:
    assert idle.losses["name"].to_list() == ["Japan"]
    assert idle.lost("Japan") == "the loss of Japan"


# --- the page ------------------------------------------------------------------------------------


def test_every_section_has_a_title_and_every_chart_a_place_of_its_own(
    pages: dict[str, str],
) -> None:
    for name, text in pages.items():
        parsed = Parsed(text)
        sections = [a["id"] for tag, a in parsed.elements if tag == "section"]
        assert sections[0] == "headline"
        assert set(sections) <= ANCHORS
        if name == "steel":
            assert set(sections) | {"alternatives"} == ANCHORS
        places = [a["id"] for tag, a in parsed.elements if a.get("class") == "chart"]
        ids = [a["id"] for _, a in parsed.elements if a.get("id")]
        assert len(ids) == len(set(ids))
        charts = {a["data-chart"]: t for a, t in parsed.scripts if "data-chart" in a}
        assert sorted(charts) == sorted(str(p) for p in places)
        for chart in charts.values():
            assert {"data", "layout"} <= set(json.loads(chart))


def test_nothing_is_loaded_and_the_policy_names_two_scripts(pages: dict[str, str]) -> None:
    for text in pages.values():
        parsed = Parsed(text)
        for tag, attributes in parsed.elements:
            for attribute in LOADS & set(attributes):
                assert (attributes[attribute] or "").startswith("#"), (tag, attributes)
            assert not [a for a in attributes if a.startswith("on")], attributes
        metas = [a for tag, a in parsed.elements if tag == "meta"]
        rules = next(
            a["content"] for a in metas if a.get("http-equiv") == "Content-Security-Policy"
        )
        assert rules is not None
        code = [t for a, t in parsed.scripts if "type" not in a]
        hashes = [base64.b64encode(hashlib.sha256(c.encode()).digest()).decode() for c in code]
        given = rules.split("script-src ")[1].split(";")[0].split()
        assert given == [f"'sha256-{h}'" for h in hashes]
        assert len(hashes) == 2


def test_hostile_names_are_text_everywhere(pages: dict[str, str], evil: PlanContents) -> None:
    """The parser would see an element more if one name broke out."""
    hostile, plain = Parsed(pages["evil"]), Parsed(pages["steel"])
    assert {tag for tag, _ in hostile.elements} <= {tag for tag, _ in plain.elements}
    assert "</script><img src=x" in hostile.text
    charts = [t for a, t in hostile.scripts if "data-chart" in a]
    assert all("<" not in t for t in charts)
    for draw in FIGURES:
        for text in strings(draw(evil)):
            assert "<img" not in text
            assert "'%{x}'" not in text


def test_the_numbers_of_the_page_are_those_of_the_plan(
    pages: dict[str, str], steel: PlanContents
) -> None:
    text = Parsed(pages["steel"]).text
    for row in steel.plan.calendar().iter_rows(named=True):
        assert row["name"] in text
        assert f"{row['cost_once']:,.0f}" in text
    for value in steel.losses["simulated_before"]:
        assert f"{value:,.0f}" in text or f"{value:,.1f}" in text


def test_parts_that_were_not_asked_for_say_so_or_are_left_out(idle: PlanContents) -> None:
    found = {s.anchor: f"{s.title} {s.body}" for s in plan_sections(idle)}
    assert "The plan starts nothing." in found["calendar"]
    assert "Nothing was simulated." in found["losses"]
    assert not {"earns", "alternatives"} & set(found)
    assert 'data-chart="frontier"' not in found["money"]


def test_the_same_contents_give_the_same_bytes(steel: PlanContents) -> None:
    assert plan_page(steel) == plan_page(steel)
    assert plan_workbook(steel) == plan_workbook(steel)
    assert plan_json(steel) == plan_json(steel)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["steel", "idle", "evil"])
def test_a_browser_draws_every_chart_without_a_complaint(
    pages: dict[str, str], name: str, tmp_path: Path
) -> None:
    if CHROMIUM is None:
        pytest.skip("no chromium on this machine")
    file = tmp_path / "plan.html"
    file.write_text(pages[name], encoding="utf-8")
    done = browse(file, tmp_path / "profile")
    assert [line for line in done.stderr.splitlines() if "CONSOLE" in line] == []
    dom = re.sub(r"<script.*?</script>", "", done.stdout, flags=re.DOTALL)
    drawn = Parsed(dom)
    assert 'data-drawn="yes"' in dom
    charts = [a for _, a in drawn.elements if "js-plotly-plot" in (a.get("class") or "")]
    assert len(charts) == len(re.findall(r"data-chart=", pages[name]))
    assert "img" not in {tag for tag, _ in drawn.elements}
    assert "<title>broken into" not in dom


# --- workbook and document -----------------------------------------------------------------------


def test_the_workbook_has_a_sheet_for_every_table_and_no_formula(evil: PlanContents) -> None:
    book = openpyxl.load_workbook(io.BytesIO(plan_workbook(evil)))
    assert book.sheetnames == ["Read me", *(t.name for t in plan_tables(evil))]
    for sheet in book:
        for row in sheet.iter_rows():
            assert {c.data_type for c in row} <= {"s", "n", "b", "inlineStr"}
            assert not [c for c in row if c.hyperlink]


def test_the_workbook_holds_the_calendar_as_numbers(steel: PlanContents) -> None:
    sheet = openpyxl.load_workbook(io.BytesIO(plan_workbook(steel)))["Calendar"]
    header = [c.value for c in sheet[1]]
    costs = [r[header.index("Cost, once (USD)")].value for r in sheet.iter_rows(min_row=2)]
    assert costs == steel.plan.calendar()["cost_once"].to_list()


def test_the_document_is_json_and_holds_what_the_plan_holds(
    steel: PlanContents, idle: PlanContents
) -> None:
    document = json.loads(plan_json(steel))
    assert document["chosen"] == list(steel.plan.chosen)
    assert document["expected_loss"] == steel.plan.expected_loss
    assert document["calendar"] == steel.plan.calendar().to_dicts()
    assert [r["budget"] for r in document["frontier"]] == list(budgets_of(steel.plan, 4))
    assert set(document) == set(plan_document(idle))
    nothing = json.loads(plan_json(idle))
    assert nothing["frontier"] is None
    assert nothing["simulated_loss"] is None
