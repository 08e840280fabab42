"""Figures of people and plants: what they draw, at the edges too, and that names obey nothing."""

from __future__ import annotations

import plotly.graph_objects as go
import polars as pl
import pytest

from figure_texts import strings
from withstand import plants
from withstand.report import figures, people_figures, plant_figures

EVIL = "<img src=x onerror=alert(1)> %{x} <b>"


def machines(names):
    k = len(names)
    made = plants.line([0.1] * k, [0.01] * k, [5] * (k - 1), machines=names)
    return made, made.shares().with_columns(
        pl.Series("buffer_after", [*made.buffers.tolist(), None]),
        pl.Series("mean_level_after", [*made.run.levels.tolist(), None]),
    )


def stock(occupations, years, gap=10.0):
    rows = [
        (f"{name}", y, 100.0, 100.0 + gap * (i + 1) * (y - years[0]), 90.0, 110.0)
        for i, name in enumerate(occupations)
        for y in years
    ]
    schema = ["occupation", "year", "people", "needed", "low", "high"]
    return pl.DataFrame(rows, schema=schema, orient="row")


def flows(years, stage="in training"):
    rows = [
        row
        for y in years
        for row in (
            (y, "entrants", stage, 100.0 + y - years[0]),
            (y, stage, "graduates", 70.0),
            (y, stage, "dropouts", 20.0),
        )
    ]
    return pl.DataFrame(rows, schema=["year", "from", "to", "people"], orient="row")


def coverage(occupations, regions):
    rows = [
        (o, r, None if (i + j) % 7 == 6 else 0.1 * (i + j))
        for i, o in enumerate(occupations)
        for j, r in enumerate(regions)
    ]
    return pl.DataFrame(rows, schema=["occupation", "region", "coverage"], orient="row")


@pytest.mark.parametrize("k", [2, 5, 12])
def test_a_line_shows_every_machine_and_buffer(k):
    made, frame = machines([f"m{i}" for i in range(k)])
    drawn = plant_figures.line_diagram(frame, made.bottleneck)
    bars = [t for t in drawn.data if t.type == "bar"]
    for at in range(k):
        assert sum(b.y[at] for b in bars) == pytest.approx(100.0, abs=1e-3)
    boxes = [s for s in drawn.layout.shapes if s.type == "rect"]
    assert len(boxes) == k + 3 * (k - 1)  # a tank is its ground, its level and its rim
    assert sum("bottleneck" in (a.text or "") for a in drawn.layout.annotations) == 1


def test_a_tank_is_filled_up_to_its_mean_level():
    _, frame = machines(["a", "b"])
    drawn = plant_figures.line_diagram(frame)
    fill = next(s for s in drawn.layout.shapes if s.fillcolor == figures.GREEN)
    rim = next(s for s in drawn.layout.shapes if s.fillcolor == figures.PALE)
    share = (fill.y1 - fill.y0) / (rim.y1 - rim.y0)
    assert share == pytest.approx(frame["mean_level_after"][0] / 5)


def test_what_helps_draws_the_largest_gains_first():
    made, _ = machines([f"m{i}" for i in range(9)])
    helps = made.what_helps()
    drawn = plant_figures.what_helps(helps)
    by_row = {y: x for t in drawn.data for y, x in zip(t.y, t.x, strict=True)}
    assert [by_row[i] for i in sorted(by_row)] == helps["gain_per_hour"].head(12).to_list()


@pytest.mark.parametrize(
    ("cash", "said"),
    [
        ([-300.0, 100.0, 100.0, 100.0, 100.0], "paid back in year 3"),
        ([-300.0, 100.0], "not paid back"),
        ([50.0, 50.0], None),
    ],
)
def test_payback_says_when_the_sum_turns(cash, said):
    frame = pl.DataFrame({"year": list(range(len(cash))), "cash": cash}).with_columns(
        cumulated=pl.col("cash").cum_sum()
    )
    drawn = plant_figures.payback(frame, "EUR")
    texts = [a.text for a in drawn.layout.annotations if a.text]
    assert [t.startswith(said or "-") for t in texts] == [True] * (said is not None)
    assert list(drawn.layout.xaxis.categoryarray) == [str(y) for y in frame["year"]]


def test_one_year_of_flows_has_no_slider_and_more_have_one_step_each():
    one = people_figures.flow_sankey(flows([2025]))
    assert len(one.data) == 1
    assert not one.layout.sliders
    more = people_figures.flow_sankey(flows([2027, 2025, 2026]))
    steps = more.layout.sliders[0].steps
    assert [s.label for s in steps] == ["2025", "2026", "2027"]
    assert [t.visible for t in more.data] == [True, False, False]
    assert list(steps[1].args[0]["visible"]) == [False, True, False]
    assert sum(more.data[2].link.value) == pytest.approx(100 + 70 + 20)


def test_a_year_may_be_chosen_and_equal_rows_are_added():
    twice = pl.concat([flows([2025]), flows([2025])])
    drawn = people_figures.flow_sankey(twice, 2025)
    assert max(drawn.data[0].link.value) == 200.0
    assert "Nobody moves." in strings(people_figures.flow_sankey(twice, 1999))


def test_the_worst_gaps_come_first_and_the_rest_is_added_together():
    frame = stock([f"o{i}" for i in range(60)], [2025, 2026])
    drawn = people_figures.stock_against_need(frame)
    titles = [a.text for a in drawn.layout.annotations]
    assert len(titles) == people_figures.MOST_PANELS
    assert titles[0].startswith("<b>o59</b>")
    assert titles[0].endswith("600 missing in 2026")
    assert titles[-1].startswith("<b>49 other occupations</b>")
    rest = [t for t in drawn.data if t.name == "people"][-1]
    assert list(rest.y) == [4900.0, 4900.0]


def test_only_what_is_missing_is_shaded():
    x, low, high = people_figures._missing_band([0, 1, 2], [10.0, 10.0, 10.0], [8.0, 12.0, 8.0])
    assert x == [0.0, 0.5, 1.0, 1.5, 2.0]
    assert [h - a for a, h in zip(low, high, strict=True)] == pytest.approx([0, 0, 2, 0, 0])
    drawn = people_figures.stock_against_need(stock(["a"], [2025]).drop("low", "high"))
    assert [t.name for t in drawn.data] == ["missing", "needed", "people"]


def test_the_map_shows_the_least_covered_first_and_says_how_many_are_left():
    names, regions = [f"o{i}" for i in range(60)], [f"r{j}" for j in range(20)]
    drawn = people_figures.coverage_map(coverage(names, regions))
    heat = drawn.data[0]
    assert len(heat.z) == people_figures.MOST_ROWS
    assert heat.z[0][0] == 0.0
    assert all(v is None or v <= people_figures.FULL for row in heat.z for v in row)
    assert "the 30 least covered of 60 occupations" in strings(drawn)
    assert set(heat.text[0]) == {""}  # too many regions to write into
    few = people_figures.coverage_map(coverage(["a"], ["x", "y", "z"])).data[0]
    assert list(few.text[0]) == ["0 %", "10 %", "20 %"]


def test_targets_mark_the_year_from_which_they_are_out_of_reach():
    frame = pl.DataFrame(
        {
            "year": [2025, 2026, 2027],
            "attained": [100.0, 90.0, 120.0],
            "target": [100.0, 100.0, 150.0],
            "best": [None, 100.0, 130.0],
        }
    )
    drawn = people_figures.target_attainment(frame, 2027)
    assert "out of reach from 2027" in strings(drawn)
    line = next(s for s in drawn.layout.shapes if s.type == "line")
    assert line.x0 == 2026.5
    colours = list(drawn.data[0].marker.color)
    assert colours == [figures.BLUE, figures.SKY, figures.SKY]
    calm = people_figures.target_attainment(frame.head(1))
    assert not calm.layout.shapes


def drawn_of(name):
    made, frame = machines([f"{name}1", f"{name}2", f"{name}3"])
    money = pl.DataFrame({"year": [0, 1], "cash": [-1.0, 2.0], "cumulated": [-1.0, 1.0]})
    target = pl.DataFrame({"year": [2025], "attained": [1.0], "target": [2.0]})
    return [
        plant_figures.line_diagram(frame, made.bottleneck),
        plant_figures.what_helps(made.what_helps()),
        plant_figures.payback(money, name),
        people_figures.flow_sankey(flows([2025, 2026], name)),
        people_figures.stock_against_need(stock([name, "b"], [2025, 2026])),
        people_figures.coverage_map(coverage([name, "b"], [name, "x"])),
        people_figures.target_attainment(target, 2025),
    ]


def test_hostile_names_hold_no_markup():
    own = ("<extra>", "</extra>", "<br>", "<b>", "</b>")
    for drawn in drawn_of(EVIL):
        for text in strings(drawn):
            for mark in own:
                text = text.replace(mark, "")
            assert "<" not in text


def test_every_colour_has_a_dark_twin():
    known = set(figures.dark_colours()) | {figures.WHITE, figures.BLACK, figures.CLEAR}
    for drawn in drawn_of("a"):
        found = {t for t in strings(drawn) if t.startswith(("#", "rgb"))}
        assert found <= known


@pytest.mark.parametrize(
    "drawn",
    [
        lambda: people_figures.stock_against_need(stock([], [])),
        lambda: people_figures.coverage_map(coverage([], [])),
        lambda: people_figures.target_attainment(
            pl.DataFrame({"year": [], "attained": [], "target": []})
        ),
    ],
)
def test_nothing_to_draw_is_said(drawn):
    figure = drawn()
    assert isinstance(figure, go.Figure)
    assert len(figure.data) == 0
    assert len(figure.layout.annotations) == 1
