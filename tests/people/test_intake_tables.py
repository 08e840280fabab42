"""Faults in the tables of an intake come as findings with place, reason and mend."""

from __future__ import annotations

import math

import polars as pl
import pytest

from withstand.errors import DataError, UsageError
from withstand.people.intakes import optimise_intake

NEEDS = {"occupation": ["a", "a", "b", "b"], "year": [1, 2, 1, 2], "people": [5.0, 5.0, 5.0, 5.0]}
PEOPLE = {"occupation": ["a", "b"], "people": [9.0, 9.0], "exit_rate": [0.1, 0.1]}
SCHOOL = {"programme": ["p"], "occupation": ["a"], "duration": [1.0], "seats": [5.0]}
MOVE = {"from": ["a"], "to": ["b"], "limit": [5.0]}
LIMIT = {"what": ["recruits"], "limit": [5.0]}
INTAKE = {"programme": ["p"], "year": [0], "people": [5.0]}


def faults(**changed):
    """Return the findings of tables of which one cell or column is changed."""
    given = {"needs": NEEDS, "occupations": PEOPLE, "programmes": SCHOOL, "moves": MOVE,
             "limits": LIMIT, "intakes": INTAKE} | changed  # fmt: skip
    with pytest.raises(DataError) as caught:
        optimise_intake(**given)
    return [f for f in caught.value.findings if f.severity == "error"]


@pytest.mark.parametrize(
    ("table", "column", "values", "code", "row"),
    [
        ("needs", "people", [5.0, -1.0, 5.0, 5.0], "E107", 3),
        ("needs", "people", [5.0, math.nan, 5.0, 5.0], "E108", 3),
        ("needs", "people", [5.0, None, 5.0, 5.0], "E102", 3),
        ("needs", "people", ["5", "many", "5", "5"], "E103", 3),
        ("needs", "occupation", ["a", "a", "b", "c"], "E104", 5),
        ("needs", "year", [1, 1, 1, 2], "E106", 3),
        ("needs", "year", [1, 2, 1, 1.5], "E107", 5),
        ("needs", "year", [1, 2, 1, 3], "E102", None),
        ("needs", "year", [1, 2, 1, 2002], "E107", 5),
        ("needs", "probability", [2.0, None, None, None], "E107", 2),
        ("occupations", "exit_rate", [0.1, 1.1], "E107", 3),
        ("occupations", "transfer_rate", [0.1, 0.95], "E107", 3),
        ("occupations", "recruit_limit", [-5.0, 1.0], "E107", 2),
        ("occupations", "recruit_cost", [math.inf, 1.0], "E108", 2),
        ("occupations", "short_time_output", [1.5, 0.5], "E107", 2),
        ("occupations", "occupation", ["a", "a"], "E106", 3),
        ("programmes", "duration", [0.0], "E502", 2),
        ("programmes", "duration", [1e9], "E107", 2),
        ("moves", "duration", [1e12], "E107", 2),
        ("programmes", "seats", [-1.0], "E107", 2),
        ("programmes", "completion", [1.1], "E107", 2),
        ("programmes", "occupation", ["x"], "E104", 2),
        ("programmes", "trainer", ["x"], "E104", 2),
        ("moves", "to", ["a"], "E505", 2),
        ("moves", "from", ["x"], "E104", 2),
        ("moves", "limit_share", [-0.1], "E107", 2),
        ("moves", "success", [2.0], "E107", 2),
        ("limits", "what", ["people"], "E109", 2),
        ("limits", "limit", [-1.0], "E107", 2),
        ("limits", "year", [7], "E107", 2),
        ("limits", "programme", ["p"], "E109", 2),
        ("intakes", "year", [1], "E107", 2),
        ("intakes", "programme", ["q"], "E104", 2),
    ],
)
def test_a_wrong_cell_is_named_by_table_row_and_column(table, column, values, code, row):
    before = {"needs": NEEDS, "occupations": PEOPLE, "programmes": SCHOOL, "moves": MOVE,
              "limits": LIMIT, "intakes": INTAKE}[table]  # fmt: skip
    found = faults(**{table: {**before, column: values}})
    fault = next(f for f in found if f.code == code and f.column in (column, "occupation"))
    assert fault.file == table
    assert fault.row == row
    assert fault.why
    assert fault.fix


@pytest.mark.parametrize("column", ["occupation", "year", "people"])
def test_a_missing_column_is_named(column):
    needs = {k: v for k, v in NEEDS.items() if k != column}
    found = faults(needs=needs)
    assert ("E101", column) in [(f.code, f.column) for f in found]


def test_a_near_miss_is_suggested():
    (fault,) = faults(needs={**NEEDS, "occupation": ["nurse", "nurse", "b", "b"]},
                      occupations={**PEOPLE, "occupation": ["nurses", "b"]},
                      programmes=None, intakes=None, moves=None)  # fmt: skip
    assert fault.suggestion == "nurses"
    assert fault.count == 2


def test_all_faults_of_a_pass_come_together():
    found = faults(
        needs={**NEEDS, "people": [-1.0, 5.0, 5.0, 5.0]},
        moves={**MOVE, "limit": [-1.0]},
        programmes={**SCHOOL, "seats": [-1.0]},
    )
    assert {f.file for f in found} == {"needs", "moves", "programmes"}


def test_probabilities_have_to_sum_to_one():
    needs = {"occupation": ["a"] * 2, "year": [1, 1], "people": [1, 2], "scenario": ["x", "y"]}
    (fault,) = faults(needs={**needs, "probability": [0.5, 0.6]}, limits=None, intakes=None)
    assert fault.what == "probabilities of x, y sum to 1.1, not to 1"
    (fault,) = faults(needs={**needs, "probability": [1.0, None]}, limits=None, intakes=None)
    assert "scenarios y have no probability" in fault.what


def test_a_region_has_to_be_named_where_there_are_several():
    people = {"occupation": ["a", "a", "b"], "region": ["N", "S", "N"]}
    (fault, *_) = faults(occupations=people, moves=None, limits=None, intakes=None,
                         programmes=None)  # fmt: skip
    assert (fault.code, fault.column) == ("E102", "region")
    assert "a is in N, S" in fault.what


def test_an_occupation_without_needs_is_worth_a_note():
    found = optimise_intake(
        {"occupation": ["a"], "year": [1], "people": [1]},
        {"occupation": ["a", "trainer"], "people": [1, 1]},
    )
    assert [f.code for f in found.findings] == ["N521"]
    assert found.is_found


def test_a_duration_between_years_is_rounded_up_with_a_warning():
    school = {"programme": ["p"], "occupation": ["a"], "duration": [78.0], "cost": [1.0]}
    needs = {"occupation": ["a"] * 3, "year": [1, 2, 3], "people": [0, 0, 1]}
    found = optimise_intake(needs, {"occupation": ["a"]}, programmes=school, period="week")
    (warning,) = found.findings
    assert (warning.code, warning.file, warning.row) == ("W501", "programmes", 2)
    assert "1.5 count as 2" in warning.what
    assert found.entrants["entrants"].to_list() == [1.0, 0.0, 0.0]


def test_needs_of_a_network_go_to_occupations_without_regions():
    needs = pl.DataFrame(
        {"occupation": ["a"] * 2, "region": ["HOME", "AWAY"], "year": [1, 1],
         "hours": [1.0, 1.0], "people": [2.0, 3.0]}
    )  # fmt: skip
    found = optimise_intake(needs, {"occupation": ["a"], "recruit_cost": [1]})
    assert found.objective == pytest.approx(5)
    assert found.findings == ()


def test_what_is_no_table_is_refused():
    with pytest.raises(UsageError, match="table needs must be a frame"):
        optimise_intake([1, 2], PEOPLE)
    with pytest.raises(UsageError, match="of one length"):
        optimise_intake({**NEEDS, "people": [1]}, {"occupation": ["a", "b"], "people": [1, 2, 3]})
