"""Seats beside the people that each region needs."""

from __future__ import annotations

import polars as pl
import pytest

from withstand.errors import DataError, UsageError
from withstand.people.seat_coverages import training_coverage

SEATS = pl.DataFrame(
    {
        "occupation": ["grinder", "grinder", "welder", "welder"],
        "region": ["N", "N", "N", "S"],
        "programme": ["college", "works", "college", "college"],
        "seats": [40.0, 20.0, 10.0, 30.0],
        "completion": [0.75, 0.5, 1.0, 0.9],
        "retention": [1.0, None, 0.5, 1.0],
    }
)
NEEDS = pl.DataFrame(
    {"occupation": ["grinder", "grinder", "welder"], "region": ["N", "S", "N"],
     "people": [80.0, 20.0, 4.0]}
)  # fmt: skip


def test_coverage_by_hand():
    frame = training_coverage(SEATS, NEEDS).to_frame()
    rows = {(r["occupation"], r["region"]): r for r in frame.iter_rows(named=True)}
    assert rows["grinder", "N"]["graduates"] == 40 * 0.75 + 20 * 0.5
    assert rows["grinder", "N"]["coverage"] == 0.5
    assert rows["grinder", "N"]["gap"] == 40.0
    assert rows["grinder", "S"]["coverage"] == 0.0
    assert rows["welder", "N"]["coverage"] == 1.25
    assert rows["welder", "S"]["coverage"] is None  # nobody is needed there
    assert rows["welder", "S"]["gap"] == -27.0


def test_sums_by_region_and_occupation():
    result = training_coverage(SEATS, NEEDS)
    north = result.by_region().row(0, named=True)
    assert (north["region"], north["graduates"], north["needed"]) == ("N", 45.0, 84.0)
    # Graduates 40 and 5 of 45, needs 80 and 4 of 84.
    assert north["mismatch"] == pytest.approx(80 / 84 - 40 / 45)
    south = result.by_region().row(1, named=True)
    assert south["mismatch"] == 1.0
    grinders = result.by_occupation().row(0, named=True)
    assert grinders["coverage"] == pytest.approx(40 / 100)
    total = result.by_occupation()["graduates"].sum()
    assert total == result.to_frame()["graduates"].sum() == result.by_region()["graduates"].sum()


def test_the_matrix_is_for_a_heat_map():
    wide = training_coverage(SEATS, NEEDS).matrix()
    assert wide.columns == ["occupation", "N", "S"]
    assert wide.rows() == [("grinder", 0.5, 0.0), ("welder", 1.25, None)]


def test_seats_that_nobody_needs_are_named_with_the_nearest_label():
    seats = SEATS.with_columns(pl.col("occupation").replace("grinder", "grnder"))
    result = training_coverage(seats, NEEDS)
    assert [(f.code, f.suggestion) for f in result.findings] == [("W535", "grinder")]
    with pytest.raises(DataError) as error:
        training_coverage(SEATS.with_columns(pl.col("region").str.to_lowercase()), NEEDS)
    assert {f.code for f in error.value.findings} == {"E104"}


@pytest.mark.parametrize(
    ("seats", "code"),
    [
        (pl.concat([SEATS, SEATS]), "E106"),
        (SEATS.with_columns(seats=-pl.col("seats")), "E107"),
        (SEATS.with_columns(completion=pl.col("completion") + 0.6), "E107"),
        (SEATS.drop("seats"), "E101"),
    ],
)
def test_faults_in_seats_are_findings(seats, code):
    with pytest.raises(DataError) as error:
        training_coverage(seats, NEEDS)
    assert code in {f.code for f in error.value.findings}


def test_without_needs_there_is_nothing_to_cover():
    with pytest.raises((UsageError, DataError)):
        training_coverage(SEATS, NEEDS.clear())
    idle = training_coverage(SEATS, NEEDS.with_columns(people=pl.lit(0.0)))
    assert "Nobody is needed" in idle.summary()
