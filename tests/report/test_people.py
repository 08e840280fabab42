"""People in the report: numbers of the projection, flows that balance, hostile names harmless."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import re
from dataclasses import replace

import openpyxl
import polars as pl
import pytest

from figure_texts import strings
from pages_read import LOADS, Parsed
from withstand import examples, people
from withstand.model.network import ProductionNetwork
from withstand.people.projection_intakes import left_out, needs_of, projected_intake
from withstand.report import people_figures as figures
from withstand.report.people_contents import PeopleContents, flow_rows
from withstand.report.people_gathering import gather_people, people_of_report
from withstand.report.people_page import people_page, people_workbook
from withstand.report.people_said import intake_sentences, persons, sentences, title
from withstand.report.people_sections import (
    coverage_frame,
    intake_frame,
    need_frame,
    people_section,
)
from withstand.report.people_tables import people_tables

MADE_AT = "2026-11-22 10:00"
EVIL = "</script><img src=x onerror=\"document.title='broken into'\"> & '%{x}' <b>b</b>"
YEARS = range(2026, 2032)
TABLES = {
    "regions": {"region": ["NORTH", "SOUTH"]},
    "occupations": {
        "occupation": ["NURSE", "CARER", "GUIDE"], "name": ["Nurse", None, "Guide"],
        "exit_rate": [0.05, 0.1, 0.0], "people_needed": [150.0, 90.0, None],
        "transfer_rate": [0.03, None, None], "wage": [50_000.0, 30_000.0, 20_000.0],
    },
    "people": {
        "occupation": ["NURSE", "NURSE", "CARER", "GUIDE"],
        "region": ["NORTH", "SOUTH", "NORTH", "NORTH"], "people": [100.0, 50.0, 80.0, 5.0],
        "elsewhere": [20.0, 0.0, 4.0, 0.0], "return_rate": [0.3, 0.0, 0.1, 0.0],
        "arrivals": [1.0, 0.0, 2.0, 0.0],
    },
    "transfers": {"from": ["CARER"], "to": ["NURSE"], "share": [0.02]},
    "programmes": {
        "programme": ["SCHOOL", "UPSKILL"], "occupation": ["NURSE", "NURSE"],
        "region": ["SOUTH", "NORTH"], "duration": [3.0, 0.5], "completion": [0.7, 0.9],
        "retention": [0.8, 1.0], "seats": [30.0, 10.0], "cost": [9_000.0, 2_000.0],
        "from_occupation": [None, "CARER"],
    },
    "intakes": {"programme": ["SCHOOL"], "year": [2024], "people": [25.0]},
}  # fmt: skip


def network_of(tables: dict[str, dict[str, list]]) -> ProductionNetwork:
    """Put tables of people on the tiny network; its periods are years."""
    plain = examples.tiny()
    plain = replace(plain, settings=replace(plain.settings, period="year", home="NORTH"))
    frames = {name: pl.DataFrame(columns) for name, columns in tables.items()}
    return replace(plain, tables={**plain.tables, **frames})


@pytest.fixture(scope="module")
def care() -> PeopleContents:
    """Two regions, transfers, people elsewhere, training out of an occupation, half-year steps."""
    return contents_of(TABLES, runs=8)


def contents_of(tables: dict[str, dict[str, list]], **asked: object) -> PeopleContents:
    """Gather people from tables alone (the network only lends its name and period)."""
    network = network_of(tables)
    found = people.project(tables, years=YEARS, period="year")
    ranges = None
    if asked.get("runs"):
        played = people.simulate_people(found.pipeline, seed=3, runs=8)
        ranges = played.ranges((0.05, 0.5, 0.95), by=("occupation",))
    names = {
        o: n
        for o, n in zip(
            tables["occupations"]["occupation"], tables["occupations"]["name"], strict=True
        )
        if n
    }
    intake, left = None, ()
    if asked.get("aim"):
        intake = projected_intake(found, tables, aim=str(asked["aim"]), unmet_cost=1e5)
        left = left_out(tables)
    return PeopleContents(
        network=network, projection=found, made_at=MADE_AT, names=names, ranges=ranges,
        runs=8 if ranges is not None else 0, seed=3, intake=intake, intake_left_out=left,
    )  # fmt: skip


@pytest.fixture(scope="module")
def robots() -> PeopleContents:
    network = examples.example("robot_maker")
    return gather_people(
        network, range(2026, 2030), made_at=MADE_AT, output={2026: 1, 2029: 2}, aim="unmet",
        place_cost=1000.0,
    )  # fmt: skip


def test_in_every_year_as_many_enter_a_stage_as_leave_it(care: PeopleContents) -> None:
    p = care.projection
    assert p.pipeline.steps_per_year > 1
    for year, flows in flow_rows(p).group_by("year"):
        into = dict(flows.group_by("to").agg(pl.col("people").sum()).iter_rows())
        out = dict(flows.group_by("from").agg(pl.col("people").sum()).iter_rows())
        for stage in ("employed", "in training", "elsewhere", "graduates"):
            assert into[stage] == pytest.approx(out[stage], abs=1e-9), (year, stage)
        own = p.to_frame().filter(pl.col("year") == year[0])
        assert into["employed at the end"] == pytest.approx(own["people_end"].sum())
        assert out["employed at the start"] == pytest.approx(own["people_start"].sum())
        assert into["elsewhere at the end"] == pytest.approx(own["elsewhere_end"].sum())
        trained = p.programmes().filter(pl.col("year") == year[0])
        assert into["graduates"] == pytest.approx(trained["graduates"].sum())
        upskilled = trained.filter(pl.col("programme") == "UPSKILL")["entrants"].sum()
        assert out["entrants"] == pytest.approx(trained["entrants"].sum() - upskilled)


def test_the_lines_of_the_figure_are_the_projection(care: PeopleContents) -> None:
    frame = need_frame(care)
    drawn = figures.stock_against_need(frame)
    lines = {}
    for trace in drawn.data:
        if trace.name in ("people", "needed"):
            lines.setdefault(trace.name, []).append(sorted(trace.y))
    gaps = care.projection.gaps("occupation")
    for name in ("people", "needed"):
        own = [sorted(g[name].to_list()) for _, g in gaps.group_by("occupation")]
        assert sorted(lines[name]) == sorted(own)
    last = frame.filter((pl.col("occupation") == "Nurse") & (pl.col("year") == 2031))
    mine = care.ranges.filter((pl.col("occupation") == "NURSE") & (pl.col("year") == 2031))
    assert (last["low"][0], last["high"][0]) == (mine["p5"][0], mine["p95"][0])


def test_coverage_is_by_region_where_there_are_several_and_by_year_where_not(
    care: PeopleContents, robots: PeopleContents
) -> None:
    frame = coverage_frame(care)
    assert set(frame["region"]) == {"NORTH", "SOUTH"}
    worst = care.projection.gaps().filter(pl.col("year") == care.worst_year)
    row = worst.filter((pl.col("occupation") == "NURSE") & (pl.col("region") == "SOUTH"))
    own = frame.filter((pl.col("occupation") == "Nurse") & (pl.col("region") == "SOUTH"))
    assert own["coverage"][0] == pytest.approx(row["people"][0] / row["needed"][0])
    heat = figures.coverage_map(frame).data[0]
    drawn = {
        (c[0], c[1]): z
        for cells, values in zip(heat.customdata, heat.z, strict=True)
        for c, z in zip(cells, values, strict=True)
        if z is not None
    }
    known = frame.filter(pl.col("coverage").is_not_null())
    assert drawn == {(o, r): min(v, figures.FULL) for o, r, v in known.rows()}
    assert set(coverage_frame(robots)["region"]) == {"2026", "2027", "2028", "2029"}


def test_what_binds_is_what_the_library_says_binds() -> None:
    tables = TABLES | {"programmes": TABLES["programmes"] | {"duration": [3.0, 1.0]}}
    contents = contents_of(tables)
    assert contents.projection.pipeline.steps_per_year == 1
    own = people.allowed_output(contents.projection)
    assert contents.binding["occupation"].to_list() == own.binding()["occupation"].to_list()
    made = pl.min_horizontal("output", "possible")
    assert contents.binding.select(made).to_series().to_list() == pytest.approx(
        own.made()["made"].to_list()
    )


def test_by_year_adds_up_what_the_projection_says(care: PeopleContents) -> None:
    p = care.projection
    total = care.by_year
    known = pl.col("occupation") != "GUIDE"  # its need is not known
    assert total["gap"].to_list() == pytest.approx(
        p.gaps().group_by("year", maintain_order=True).agg(pl.col("gap").sum())["gap"].to_list()
    )
    for name in ("openings", "needed_entrants", "entrants", "exits", "people"):
        own = p.openings("occupation").filter(known).group_by("year", maintain_order=True)
        assert total[name].to_list() == pytest.approx(own.agg(pl.col(name).sum())[name].to_list())
    assert total["cost"].sum() == pytest.approx(p.total_cost)
    assert care.now == pytest.approx(230.0)


def test_sentences_give_the_numbers(care: PeopleContents) -> None:
    first = care.binding.filter(pl.col("occupation").is_not_null()).row(0, named=True)
    assert f"short first, in {first['year']}" in title(care)
    text = " ".join(sentences(care))
    worst = care.by_year.sort("gap", descending=True).row(0, named=True)
    assert f"{persons(worst['gap'])} of {persons(worst['needed'])} people needed" in text
    assert "1 occupation has no known need" in text
    assert "8 runs person by person" in text
    enough = TABLES | {"occupations": TABLES["occupations"] | {"people_needed": [1.0, 1.0, 1.0]}}
    assert title(contents_of(enough)) == "No occupation is short from 2026 to 2031"
    unknown = TABLES | {"occupations": TABLES["occupations"] | {"people_needed": [None] * 3}}
    assert title(contents_of(unknown)).endswith("what is needed is not known")
    assert people_page(contents_of(unknown)).startswith(b"<!doctype html>")


def test_the_intake_is_said_with_its_cost_and_what_it_leaves_out(care: PeopleContents) -> None:
    with_intake = contents_of(TABLES, aim="cost")
    intake = with_intake.intake
    said = " ".join(intake_sentences(with_intake, intake))
    assert "wages of all on the books" in said
    assert "moves of people on their own (transfers)" in said
    assert "arrivals" in said
    frame = intake_frame(with_intake)
    assert frame["needed"].sum() == pytest.approx(needs_of(with_intake.projection)["people"].sum())
    book = openpyxl.load_workbook(io.BytesIO(people_workbook(with_intake)))
    assert {"Intake people", "Intake cost"} <= set(book.sheetnames)
    assert 'id="intake"' in people_page(with_intake).decode()
    assert 'id="intake"' not in people_page(care).decode()


def test_people_at_work_of_the_intake_start_with_those_of_the_projection() -> None:
    tables = TABLES | {
        "people": {k: TABLES["people"][k] for k in ("occupation", "region", "people")}
    }
    tables = {k: v for k, v in tables.items() if k != "transfers"}
    found = people.project(tables, years=YEARS)
    plan = projected_intake(found, tables, aim="unmet")
    first = plan.stocks.filter(
        (pl.col("year") == 2026) & (pl.col("occupation") == "NURSE") & (pl.col("region") == "SOUTH")
    ).row(0, named=True)
    assert first["left"] == pytest.approx(50.0 * (0.05 + 0.03))
    assert first["people"] == pytest.approx(50.0 - first["left"] + first["graduates"])
    cost = plan.cost.filter((pl.col("year") == 2026) & (pl.col("kind") == "staff"))["cost"].sum()
    wage = {"NURSE": 50_000.0, "CARER": 30_000.0, "GUIDE": 20_000.0}
    year = plan.stocks.filter(pl.col("year") == 2026)
    paid = sum(wage[o] * n for o, n in year.select("occupation", "people").iter_rows())
    assert cost == pytest.approx(paid)


def test_targets_of_the_tables_are_shown() -> None:
    targets = pl.DataFrame(
        {
            "indicator": ["people", "people", "charm"], "filter": ["occupation=SK_GRIND", "", ""],
            "direction": ["at_least"] * 3, "year": [2028, 2050, 2028], "value": [40.0, 1.0, 1.0],
        }
    )  # fmt: skip
    network = examples.example("robot_maker").with_changes({"targets": targets})
    contents = gather_people(network, range(2026, 2030), made_at=MADE_AT)
    assert contents.attainment.to_frame().height == 1  # the others speak of something else
    page = Parsed(people_page(contents).decode())
    assert "0 of 1 targets are met" in page.text
    assert "people at least 40 by 2028" in page.text


def test_the_section_of_the_report_is_made_of_the_same_numbers(robots: PeopleContents) -> None:
    section = people_section(robots)
    assert section.anchor == "people"
    assert section.title == title(robots)
    text = re.sub(r"<[^>]+>", "", section.body)
    for sentence in sentences(robots)[1:]:
        assert sentence.split(";")[0][:40] in text
    for table in people_tables(robots):
        assert len(table.name) <= 31
        assert table.frame.width == len(table.columns)


def test_what_cannot_be_projected_is_said_and_the_report_goes_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert people_of_report(examples.tiny(), MADE_AT) == (None, ())
    table = pl.DataFrame({"indicator": ["people"], "filter": ["occupation=NOBODY"],
                          "direction": ["at_least"], "year": [2028], "value": [4.0]})  # fmt: skip
    network = examples.example("robot_maker").with_changes({"targets": table})
    found, why = people_of_report(network, MADE_AT)
    assert found is None
    assert "NOBODY" in why[0] or "occupation" in why[0]


def test_hostile_names_stay_text() -> None:
    plain = contents_of(TABLES, aim="cost", runs=8)
    p = plain.projection
    groups = p.groups.with_columns(pl.col("region") + EVIL)
    programmes = p.pipeline.programmes.with_columns(pl.col("programme") + EVIL)
    settings = replace(plain.network.settings, name=EVIL, currency=EVIL)
    hostile = replace(
        plain,
        projection=replace(p, groups=groups, pipeline=replace(p.pipeline, programmes=programmes)),
        names={"NURSE": EVIL, "CARER": "=1+1", "GUIDE": "@SUM(A1)"},
        network=replace(plain.network, settings=settings),
    )
    made = people_page(hostile).decode()
    parsed = Parsed(made)
    assert not [t for t, _ in parsed.elements if t in ("img", "b", "iframe")]
    for tag, attributes in parsed.elements:
        assert not [a for a in attributes if a.startswith("on")], tag
        for attribute in LOADS & set(attributes):
            assert str(attributes[attribute]).startswith("#")
    policy = re.search(r"script-src ([^;]+);", made)[1]
    run = [text for kind, text in parsed.scripts if kind.get("type") != "application/json"]
    for text in run:
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in policy
    for kind, text in parsed.scripts:
        if kind.get("type") == "application/json":
            for shown in strings(json.loads(text)):
                assert "<img" not in shown
                assert "<script" not in shown
    book = openpyxl.load_workbook(io.BytesIO(people_workbook(hostile)))
    cells = [c for sheet in book for row in sheet.iter_rows() for c in row]
    assert not [c for c in cells if c.data_type == "f" or c.hyperlink]
