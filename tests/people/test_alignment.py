"""Graduates beside the need: hand-checked cases and what always holds."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from withstand import people
from withstand.errors import UsageError
from withstand.examples import example

YEARS = range(2026, 2030)
CLOSED = 1e-9


def two_fields(
    seats: list[float], exits: list[float], retention: list[float] | None = None, **more: Any
) -> dict[str, Any]:
    """Return two fields of 100 people each, with schools of a year that have been running."""
    return {
        "occupations": {
            "occupation": ["A", "B"],
            "people": [100.0, 100.0],
            "exit_rate": exits,
            "people_needed": [100.0, 100.0],
        },
        "programmes": {
            "programme": ["PA", "PB"],
            "occupation": ["A", "B"],
            "duration": [1, 1],
            "seats": seats,
            "retention": retention or [1.0, 1.0],
            "first_year": [2025, 2025],
            **more,
        },
    }


def test_graduates_of_the_wrong_field_are_wasted_and_the_right_one_lacks_them() -> None:
    """Ten leave A and thirty B; both schools send out twenty: half a quarter would have to move."""
    found = people.alignment(people.project(two_fields([20, 20], [0.1, 0.3]), years=[2026]))
    rows = found.to_frame()
    assert rows["needed"].to_list() == pytest.approx([10, 30])
    assert rows["used"].to_list() == pytest.approx([10, 20])
    assert rows["wasted"].to_list() == pytest.approx([10, 0])
    assert rows["unmet"].to_list() == pytest.approx([0, 10])
    assert rows["coverage"].to_list() == pytest.approx([2, 2 / 3])
    year = found.by_year().row(0, named=True)
    assert (year["coverage"], year["mismatch"]) == pytest.approx((1.0, 0.25))
    assert "10 entrants are missing" in found.summary()
    assert "Most beyond the need: A" in found.summary()


def test_a_field_that_counts_as_one_wastes_nobody() -> None:
    projection = people.project(two_fields([20, 20], [0.1, 0.3]), years=[2026])
    found = people.alignment(projection, by="region").to_frame()
    assert found["wasted"].to_list() == pytest.approx([0])


def test_those_without_a_place_are_elsewhere_and_wasted() -> None:
    projection = people.project(two_fields([20, 20], [0.3, 0.3], [0.5, 1.0]), years=[2026])
    rows = people.alignment(projection).to_frame()
    assert rows["elsewhere"].to_list() == pytest.approx([10, 0])
    assert rows["wasted"].to_list() == pytest.approx([10, 0])
    assert rows["used"].to_list() == pytest.approx([10, 20])


def test_posts_left_empty_count_again_as_vacancies() -> None:
    """Twenty are needed a year and ten come: a year later thirty posts are empty, less exits."""
    projection = people.project(two_fields([10, 10], [0.2, 0.2]), years=range(2026, 2028))
    flows = people.alignment(projection).to_frame()["needed"].to_list()
    posts = people.alignment(projection, against="vacancies").to_frame()["needed"].to_list()
    assert flows == pytest.approx([20, 18] * 2)
    assert posts == pytest.approx([20, 28] * 2)


def test_arrivals_are_taken_first() -> None:
    tables = two_fields([20, 20], [0.3, 0.3])
    tables["people"] = {"occupation": ["A", "B"], "region": ["X", "X"], "people": [100.0, 100.0],
                        "arrivals": [15.0, 0.0]}  # fmt: skip
    tables["programmes"]["region"] = ["X", "X"]
    rows = people.alignment(people.project(tables, years=[2026])).to_frame()
    assert rows["used"].to_list() == pytest.approx([15, 20])
    assert rows["unmet"].to_list() == pytest.approx([0, 10])


def test_mismatch_without_other_ways_in_is_that_of_the_projection() -> None:
    projection = people.project(two_fields([20, 35], [0.1, 0.3]), years=YEARS)
    ours = people.alignment(projection).by_year()["mismatch"].to_list()
    assert ours == pytest.approx(projection.mismatch("entrants")["mismatch"].to_list())


def test_the_need_of_a_network_is_that_of_its_employers() -> None:
    projection = people.project(example("robot_maker"), years=YEARS, output={2026: 1, 2029: 2})
    frame = people.alignment(projection).to_frame()
    openings = projection.openings()
    assert frame["needed"].to_list() == pytest.approx(openings["needed_entrants"].to_list())


@settings(max_examples=40, deadline=None)
@given(
    seats=st.lists(st.floats(0, 60), min_size=2, max_size=2),
    exits=st.lists(st.floats(0, 0.9), min_size=2, max_size=2),
    retention=st.lists(st.floats(0, 1), min_size=2, max_size=2),
    steps=st.sampled_from([1, 4]),
    against=st.sampled_from(["openings", "vacancies"]),
)
def test_used_and_wasted_are_all_graduates(
    seats: list[float], exits: list[float], retention: list[float], steps: int, against: str
) -> None:
    projection = people.project(
        two_fields(seats, exits, retention), years=YEARS, steps_per_year=steps
    )
    found = people.alignment(projection, against=against)
    frame = found.to_frame()
    both = (frame["used"] + frame["wasted"]).to_list()
    assert both == pytest.approx(frame["graduates"].to_list(), abs=CLOSED)
    total = projection.programmes()["graduates"].sum()
    assert frame["graduates"].sum() == pytest.approx(total, abs=CLOSED)
    for column in ("used", "wasted", "unmet", "beyond_need"):
        assert (frame[column] >= 0).all()
    mismatch = found.by_year()["mismatch"].drop_nulls()
    assert ((mismatch >= 0) & (mismatch <= 1)).all()


@given(size=st.floats(1, 50), share=st.floats(0.05, 0.9))
def test_equal_shares_have_no_mismatch(size: float, share: float) -> None:
    exits = [share, share / 2]
    projection = people.project(two_fields([2 * size, size], exits), years=[2026])
    found = people.alignment(projection).by_year()["mismatch"].item()
    assert found == pytest.approx(0, abs=1e-12)


def test_a_year_without_graduates_or_need_has_no_mismatch() -> None:
    tables = two_fields([0, 0], [0.1, 0.1])
    found = people.alignment(people.project(tables, years=[2026]))
    assert found.by_year()["mismatch"].to_list() == [None]
    assert found.summary().startswith("No graduates")
    idle = people.project(two_fields([10, 10], [0.0, 0.0]), years=[2026])
    assert people.alignment(idle).by_year()["mismatch"].to_list() == [None]


def test_what_cannot_be_asked_is_refused() -> None:
    projection = people.project(two_fields([20, 20], [0.1, 0.3]), years=[2026])
    with pytest.raises(UsageError, match="by must"):
        people.alignment(projection, by="sector")
    with pytest.raises(UsageError, match="against must"):
        people.alignment(projection, against="seats")
    tables = two_fields([20, 20], [0.1, 0.3])
    del tables["occupations"]["people_needed"]
    with pytest.raises(UsageError, match="No need is known"):
        people.alignment(people.project(tables, years=[2026]))
    assert isinstance(people.alignment(projection).to_pandas().shape, tuple)
    assert pl.DataFrame(people.alignment(projection).to_frame()).height == 2
