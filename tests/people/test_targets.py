"""Targets: what is reached, until when it can be, and what mends it, against slow twins."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from withstand import people
from withstand.errors import DataError, UsageError
from withstand.examples import example
from withstand.people import Target

YEARS = range(2026, 2031)
SOLVED = 1e-7
"""Of the solver: bounds and rows may be missed by this much."""


def one_school(**changes: object) -> dict[str, Any]:
    """Return nurses, ten in a hundred of whom leave, and a school of two years."""
    school = {
        "programme": ["SCHOOL"],
        "occupation": ["NURSE"],
        "duration": [2],
        "completion": [0.5],
        "seats": [20],
        "cost": [7.0],
    }
    school.update({k: [v] for k, v in changes.items()})
    return {
        "occupations": {
            "occupation": ["NURSE"],
            "people": [100.0],
            "exit_rate": [0.1],
            "people_needed": [120.0],
            "code": ["29-1141"],
        },
        "programmes": school,
    }


def with_upskilling(**changes: object) -> dict[str, Any]:
    """Return nurses and carers: one school for each, and a course from carer to nurse."""
    programmes = {
        "programme": ["SCHOOL", "CARE", "UP"],
        "occupation": ["NURSE", "CARER", "NURSE"],
        "from_occupation": [None, None, "CARER"],
        "duration": [2, 1, 1],
        "completion": [0.5, 1.0, 0.9],
        "seats": [20, 3, 30],
        "seat_growth": [0.1, 0.2, 0.0],
        "intake": [20, 3, 0],
        "cost": [10.0, 4.0, 6.0],
    }
    programmes.update(changes)
    return {
        "occupations": {
            "occupation": ["NURSE", "CARER"],
            "people": [100.0, 50.0],
            "people_needed": [120.0, 50.0],
            "exit_rate": [0.1, 0.05],
            "code": ["29-1141", "31-1120"],
        },
        "programmes": programmes,
    }


def played(tables: dict[str, Any], years: range = YEARS, **more: Any) -> people.Projection:
    return people.project(tables, years=years, **more)


def entered(
    tables: dict[str, Any], intakes: dict[tuple[str, int], float], years: range = YEARS, **more: Any
) -> people.Projection:
    """Project the tables with other entrants in some years, the slow way."""
    table = {
        "programme": [p for p, _ in intakes],
        "year": [y for _, y in intakes],
        "people": list(intakes.values()),
    }
    return played({**tables, "intakes": table}, years, **more)


def value(projection: people.Projection, target: Target, source: Any = None) -> float:
    found = people.attainment(projection, target, source).to_frame()["projected"].item()
    return float(found)


# --- what is reached -----------------------------------------------------------------------------


def test_graduates_are_counted_from_a_year_to_a_year() -> None:
    found = played(one_school())
    assert value(found, Target("graduates", 2030, 50)) == pytest.approx(30)
    assert value(found, Target("graduates", 2029, 50)) == pytest.approx(20)
    assert value(found, Target("graduates", 2030, 50, "since=2030")) == pytest.approx(10)


def test_indicators_are_those_of_the_projection() -> None:
    tables = with_upskilling(intake=[20, 3, 5])
    found = played(tables)
    gaps = found.gaps().filter(pl.col("year") == 2030)
    carer = gaps.filter(pl.col("occupation") == "CARER").row(0, named=True)
    ends = found.to_frame().filter(pl.col("year") == 2030)["people_end"].sum()
    met = 1 - gaps["gap"].sum() / gaps["needed"].sum()
    assert value(found, Target("people", 2030, 1)) == pytest.approx(ends)
    assert value(found, Target("needs_met", 2030, 1)) == pytest.approx(met)
    of_carers = Target("coverage", 2030, 1, "occupation=CARER")
    assert value(found, of_carers) == pytest.approx(carer["coverage"])
    openings = found.openings()
    for year in YEARS:
        rows = openings.filter(pl.col("year") == year)
        wanted = rows["entrants"].sum() / rows["needed_entrants"].sum()
        assert value(found, Target("coverage", year, 1)) == pytest.approx(wanted)


def test_vacancies_filled_are_those_that_entrants_close() -> None:
    """Summed over years and groups they are the vacancy-years that the projection reports."""
    found = played(one_school())
    without = np.maximum(found.needed[:-1] - found.people_without, 0).sum(axis=1)
    shares = [value(found, Target("vacancies_filled", y, 1)) for y in YEARS]
    assert without[0] == pytest.approx(20)
    assert float(np.dot(shares, without)) == pytest.approx(found.vacancies_closed)


def test_groups_add_up_to_the_whole() -> None:
    found = people.attainment(
        played(with_upskilling()), [Target("graduates", 2030, 50), Target("people", 2030, 1)]
    )
    sums = found.by_group().group_by("target", "year").agg(pl.col("projected").sum())
    both = found.by_year().join(sums, on=["target", "year"], suffix="_sum")
    assert both["projected"].to_list() == pytest.approx(both["projected_sum"].to_list())


def test_a_missed_target_says_by_how_much_and_a_met_one_since_when() -> None:
    found = people.attainment(
        played(one_school()),
        [
            Target("graduates", 2030, 50),
            Target("graduates", 2030, 20),
            Target("people", 2030, 80, direction="at_most"),
        ],
    )
    frame = found.to_frame()
    assert frame["gap"].to_list() == pytest.approx([20, 0, 6.149])
    assert frame["is_met"].to_list() == [False, True, False]
    assert frame["first_met"].to_list()[:2] == [None, 2029]
    assert "20 short" in found.summary()
    assert "too many" in found.summary()


def test_a_share_of_nothing_is_empty_and_meets_nothing() -> None:
    tables = one_school()
    tables["occupations"]["exit_rate"] = [0.0]
    tables["occupations"]["people_needed"] = [100.0]
    found = people.attainment(played(tables), Target("coverage", 2030, 1))
    assert found.to_frame()["projected"].to_list() == [None]
    assert not found.is_met
    assert "nothing is needed" in found.summary()
    reach = people.reachability(played(tables), Target("coverage", 2030, 1), tables)
    assert reach.to_frame()["last_start"].to_list() == [None]
    assert not people.cheapest_intake(played(tables), Target("coverage", 2030, 1), tables).is_found


@pytest.mark.parametrize(
    ("text", "counted"),
    [
        ("", 60 + 12),
        ("occupation=NURSE", 60),
        ("code=29-", 60),
        ("code=29-, 31", 60 + 12),
        ("occupation=C*", 12),
        ("region=NORTH, SOUTH", 60 + 12),
        ("region=SOUTH", 30),
        ("programme=CARE", 12),
        ("occupation=NURSE; region=NORTH; since=2030", 10),
    ],
)
def test_filters_choose_by_label_code_beginning_region_and_programme(
    text: str, counted: float
) -> None:
    tables = with_upskilling(
        programme=["SCHOOL", "CARE", "SOUTHERN"],
        from_occupation=[None] * 3,
        duration=[2, 1, 2],
        completion=[0.5, 1.0, 0.5],
        seats=[20, 3, 20],
        intake=[20, 3, 20],
    )
    tables["programmes"]["region"] = ["NORTH", "NORTH", "SOUTH"]
    tables["regions"] = {"region": ["NORTH", "SOUTH"]}
    found = played(tables)
    assert value(found, Target("graduates", 2030, 1, text), tables) == pytest.approx(counted)


def test_targets_are_read_from_a_table_or_a_network() -> None:
    tables = one_school()
    tables["targets"] = {
        "indicator": ["graduates", "dependence"],
        "year": [2030, 2030],
        "value": [30, 1],
    }
    found = people.attainment(played(tables), None, tables)
    assert found.is_met
    assert [f.code for f in found.findings if f.code[1:3] == "54"] == ["N541"]
    network = example("robot_maker")
    wanted = pl.DataFrame({"indicator": ["needs_met"], "year": [2030], "value": [0.99]})
    changed = network.with_changes({"targets": wanted})
    found = people.attainment(people.project(changed, years=YEARS), None, changed)
    assert found.targets == (Target("needs_met", 2030, 0.99),)


@pytest.mark.parametrize(
    ("target", "code", "hint"),
    [
        (Target("gradutes", 2030, 1), "E109", "graduates"),
        (Target("graduates", 2031, 1), "E542", "2026 to 2030"),
        (Target("graduates", 2030, -1), "E107", "at least 0"),
        (Target("needs_met", 2030, 95), "E107", "share"),
        (Target("graduates", 2030, float("nan")), "E108", "finite"),
        (Target("graduates", "x", 1), "E103", "number"),  # type: ignore[arg-type]
        (Target("graduates", None, 1), "E102", "empty"),  # type: ignore[arg-type]
        (Target("graduates", 2030, 1, "occupation=NURS"), "E104", "NURSE"),
        (Target("graduates", 2030, 1, "region=HOMEE"), "E104", "HOME"),
        (Target("graduates", 2030, 1, "code=99"), "E104", "29-1141"),
        (Target("graduates", 2030, 1, "occupaton=NURSE"), "E541", "occupation"),
        (Target("graduates", 2030, 1, "NURSE"), "E541", "key=label"),
        (Target("graduates", 2030, 1, "region=HOME; region=HOME"), "E541", "once"),
        (Target("people", 2030, 1, "since=2027"), "E541", "graduates"),
        (Target("graduates", 2030, 1, "since=2020"), "E542", "2026"),
        (Target("graduates", 2030, 1, "since=soon"), "E542", "2026"),
        (Target("graduates", 2030, 1, "", "up"), "E109", "at_least"),
    ],
)
def test_targets_that_cannot_be_are_findings(target: Target, code: str, hint: str) -> None:
    tables = one_school()
    for ask in (people.attainment, people.reachability, people.cheapest_intake):
        with pytest.raises(DataError) as raised:
            ask(played(tables), [Target("people", 2030, 1), target], tables)
        assert [f.code for f in raised.value.findings] == [code]
        assert hint in str(raised.value)
        assert "row 3" in str(raised.value)


def test_a_share_of_the_need_without_a_need_is_a_finding() -> None:
    tables = one_school()
    del tables["occupations"]["people_needed"]
    with pytest.raises(DataError, match="E543"):
        people.attainment(played(tables), Target("needs_met", 2030, 1))


@pytest.mark.parametrize("wrong", [None, [], "graduates", [1], {"a": [1, 2], "b": [1]}, 3])
def test_targets_that_are_none_are_refused(wrong: Any) -> None:
    with pytest.raises((UsageError, DataError)):
        people.attainment(played(one_school()), wrong, None)


def test_an_occupation_of_unknown_need_has_no_part_in_shares() -> None:
    tables = with_upskilling(intake=[20, 3, 5])
    tables["occupations"]["people_needed"] = [120.0, None]
    found = played(tables)
    for indicator in ("coverage", "needs_met", "vacancies_filled"):
        alone = Target(indicator, 2030, 0.5, "occupation=NURSE")
        both = Target(indicator, 2030, 0.5)
        assert value(found, both) == value(found, alone)
        starts = [people.reachability(found, t, tables).by_start() for t in (both, alone)]
        assert starts[0].equals(starts[1])
    carers = people.attainment(found, Target("coverage", 2030, 1, "occupation=CARER"))
    assert "W541" in [f.code for f in carers.findings]
    assert set(people.alignment(found).to_frame()["occupation"]) == {"NURSE"}


def test_a_filter_that_fits_nobody_warns() -> None:
    tables = one_school()
    tables["regions"] = {"region": ["HOME", "AWAY"]}
    found = people.attainment(played(tables), Target("graduates", 2030, 1, "region=AWAY"), tables)
    assert [f.code for f in found.findings if f.code == "W541"] == ["W541"]
    assert found.to_frame()["projected"].to_list() == [0.0]


# --- until when ----------------------------------------------------------------------------------


def a_million(years: range = range(2022, 2029), **changes: object) -> dict[str, Any]:
    programmes = {
        "programme": ["DEGREE"],
        "occupation": ["ENGINEER"],
        "duration": [3],
        "completion": [0.703],
        "seats": [355_619],
        "intake": [0],
    }
    programmes.update({k: [v] for k, v in changes.items()})
    return {
        "occupations": {"occupation": ["ENGINEER"], "people": [0]},
        "programmes": programmes,
    }


MILLION = Target("graduates", 2028, 1e6, "since=2025")


def test_a_million_by_2028_had_to_start_in_2022() -> None:
    """Design: 355,619 entrants a year from 2022; begun in 2025 they give 250,000."""
    tables = a_million()
    found = people.reachability(played(tables, range(2022, 2029)), MILLION, tables)
    attained = found.by_start()["attainable"].to_list()
    each = 355_619 * 0.703
    assert attained == pytest.approx([each * n for n in (4, 3, 2, 1, 0, 0, 0)])
    assert attained[0] == pytest.approx(1_000_000, abs=1)
    assert attained[3] == pytest.approx(250_000, abs=1)
    row = found.to_frame().row(0, named=True)
    assert (row["last_start"], row["out_of_reach"]) == (2022, 2023)
    assert (row["last_start_any_seats"], row["out_of_reach_any_seats"]) == (2025, 2026)
    assert "2025 would be soon enough" in found.summary()


def test_one_seat_less_a_year_is_too_few() -> None:
    tables = a_million(seats=355_618)
    found = people.reachability(played(tables, range(2022, 2029)), MILLION, tables)
    assert found.to_frame()["last_start"].to_list() == [None]


def test_seats_that_grow_let_it_start_later() -> None:
    """From 2023: e (1 + (1 + g) + (1 + g)^2) of entrants, which is 4 e for g = .3028 and more."""
    for growth, last in ((0.29, 2022), (0.31, 2023)):
        tables = a_million(seat_growth=growth)
        found = people.reachability(played(tables, range(2022, 2029)), MILLION, tables)
        assert found.to_frame()["last_start"].to_list() == [last]
        entrants = 355_619 * sum((1 + growth) ** n for n in range(3))
        assert found.by_start()["attainable"][1] == pytest.approx(0.703 * entrants)


def seats_from(start: int, seats: float, growth: float, opens: int = 0) -> dict[int, float]:
    """Return the places of each year, as the words of the docstring say."""
    return {
        year: seats * (1 + growth) ** (year - start)
        for year in YEARS
        if year >= start and year >= opens
    }


@pytest.mark.parametrize("steps", [1, 4])
@pytest.mark.parametrize("indicator", ["graduates", "people", "needs_met", "vacancies_filled"])
def test_starts_are_those_of_projections_with_another_intake(steps: int, indicator: str) -> None:
    """Brute force: without upskilling nobody is in the way, so that all places are filled."""
    tables = with_upskilling(
        from_occupation=[None] * 3, intake=[11, 2, 4], first_year=[None, None, 2028]
    )
    target = Target(indicator, 2030, 0.5, "occupation=NURSE")
    plan = played(tables, steps_per_year=steps)
    found = people.reachability(plan, target, tables).by_start()
    for start, attainable in found.select("start", "attainable").iter_rows():
        full: dict[tuple[str, int], float] = {}
        for name, seats, growth, opens in (
            ("SCHOOL", 20, 0.1, 0),
            ("CARE", 3, 0.2, 0),
            ("UP", 30, 0.0, 2028),
        ):
            places = seats_from(start, seats, growth, opens)
            full |= {(name, year): entrants for year, entrants in places.items()}
        again = entered(tables, full, steps_per_year=steps)
        assert attainable == pytest.approx(value(again, target), rel=1e-9), start


def _enumerated(tables: dict[str, Any], target: Target, most: dict[tuple[str, int], int]) -> float:
    """Return the best value over all intakes on a grid, by projecting each of them."""
    sign = 1 if target.direction == "at_least" else -1
    grids = [np.linspace(0, places, 3) for places in most.values()]
    return sign * max(
        sign * value(entered(tables, dict(zip(most, entrants, strict=True))), target)
        for entrants in product(*grids)
    )


@pytest.mark.parametrize(
    "target",
    [
        Target("people", 2030, 1),
        Target("people", 2030, 1, "occupation=CARER", "at_most"),
        Target("graduates", 2030, 1, "occupation=NURSE"),
        Target("needs_met", 2030, 0.5),
        Target("coverage", 2030, 1),
        Target("coverage", 2030, 1, "", "at_most"),
    ],
    ids=str,
)
def test_no_intake_on_a_grid_beats_the_programme(target: Target) -> None:
    """Upskilling draws carers away: brute force over all intakes from 2029 on that have an effect.

    Where the value is linear, or a ratio, the best lies on a corner of the grid.
    """
    tables = with_upskilling(seats=[20, 4, 10], seat_growth=[0.0] * 3, intake=[20, 4, 0])
    found = people.reachability(played(tables), target, tables).by_start()
    best = found.filter(pl.col("start") == 2029)["attainable"].item()
    slow = _enumerated(tables, target, {("CARE", 2029): 4, ("UP", 2029): 10, ("UP", 2030): 10})
    assert best == pytest.approx(slow, rel=1e-9)


def test_nobody_is_drawn_who_is_not_there() -> None:
    """With any number of seats, all carers there are can become nurses, and no more."""
    tables = with_upskilling(intake=[20, 0, 0], seats=[20, 0, None])
    target = Target("graduates", 2030, 1, "programme=UP")
    found = people.reachability(played(tables), target, tables).by_start()
    left = 50 * 0.95 ** np.arange(1, 6)
    assert found["attainable"].to_list() == pytest.approx([*(0.9 * left[:4]), 0])


@settings(max_examples=15, deadline=None)
@given(
    seats=st.lists(st.integers(0, 60), min_size=3, max_size=3),
    more=st.lists(st.integers(0, 60), min_size=3, max_size=3),
    growth=st.floats(0, 0.5),
    lengths=st.lists(st.integers(1, 4), min_size=3, max_size=3),
    indicator=st.sampled_from(["graduates", "people", "needs_met", "vacancies_filled"]),
)
def test_starting_later_or_with_fewer_seats_never_attains_more(
    seats: list[int], more: list[int], growth: float, lengths: list[int], indicator: str
) -> None:
    target = Target(indicator, 2030, 0.9, "occupation=NURSE")
    attained = []
    for extra in ([0, 0, 0], more):
        tables = with_upskilling(
            seats=[a + b for a, b in zip(seats, extra, strict=True)],
            intake=[n // 2 for n in seats],
            duration=lengths,
            seat_growth=[growth] * 3,
        )
        plan = played(tables)
        found = people.reachability(plan, target, tables)
        starts = found.by_start()
        few, many = (starts[c].to_numpy() for c in ("attainable", "attainable_any_seats"))
        assert (np.diff(few) <= SOLVED * (1 + few[1:])).all()
        assert (many >= few - SOLVED * (1 + few)).all()
        assert few[-1] >= value(plan, target) - SOLVED * (1 + few[-1])
        attained.append(few)
    assert (attained[1] >= attained[0] - SOLVED * (1 + attained[0])).all()


def test_a_source_of_another_projection_is_refused() -> None:
    tables, other = one_school(), with_upskilling()
    for ask in (people.reachability, people.cheapest_intake):
        with pytest.raises(UsageError, match="other programmes"):
            ask(played(tables), Target("graduates", 2030, 1), other)
        with pytest.raises(UsageError, match="give them as source"):
            ask(played(tables), Target("graduates", 2030, 1))
    for start in (2025, 2031, True, "2026", None):
        with pytest.raises(UsageError, match="2026 to 2030"):
            people.what_mends(
                played(tables),
                Target("graduates", 2030, 1),
                tables,
                start=start,  # type: ignore[arg-type]
            )
    with pytest.raises(UsageError, match="at_most"):
        people.reachability(
            played(tables), Target("needs_met", 2030, 0.5, direction="at_most"), tables
        )


@pytest.mark.parametrize("indicator", ["graduates", "people", "needs_met", "vacancies_filled"])
def test_without_programmes_there_is_only_the_plan(indicator: str) -> None:
    tables = {"occupations": one_school()["occupations"]}
    plan, target = played(tables), Target(indicator, 2030, 0.9 if indicator[0] in "nv" else 80)
    found = people.reachability(plan, target, tables)
    assert found.by_start()["attainable"].to_list() == pytest.approx([value(plan, target)] * 5)
    assert not people.cheapest_intake(plan, target, tables).is_found
    mends = people.what_mends(plan, target, tables, start=2027).to_frame()
    assert not mends["is_met"].any()


@pytest.mark.slow
def test_many_occupations_in_quarters_are_solved_and_what_is_found_plays_so() -> None:
    """200 cells and programmes, moves between them, some programmes out of others' people."""
    rng = np.random.default_rng(0)
    occupations, regions = [f"O{i}" for i in range(40)], [f"R{r}" for r in range(5)]
    n, each = 200, np.repeat(occupations, 5).tolist()
    tables = {
        "occupations": {"occupation": occupations, "exit_rate": [0.05] * 40},
        "people": {
            "occupation": each,
            "region": regions * 40,
            "people": rng.uniform(100, 1000, n).tolist(),
        },
        "transfers": {
            "from": occupations,
            "to": occupations[1:] + occupations[:1],
            "share": [0.02] * 40,
        },
        "programmes": {
            "programme": [f"P{i}" for i in range(n)],
            "occupation": each,
            "region": regions * 40,
            "duration": rng.choice([0.5, 1, 2, 3], n).tolist(),
            "seats": [40.0] * n,
            "intake": [20.0] * n,
            "seat_growth": [0.1] * n,
            "completion": [0.8] * n,
            "cost": rng.uniform(1, 9, n).tolist(),
            "from_occupation": [
                occupations[(i // 5 + 1) % 40] if i % 5 == 0 else None for i in range(n)
            ],
        },
    }
    needs = {
        "occupation": each,
        "region": regions * 40,
        "year": [2026] * n,
        "people": rng.uniform(100, 1500, n).tolist(),
    }
    plan = played(tables, range(2026, 2034), needs=needs)
    for target in (Target("needs_met", 2033, 0.55), Target("graduates", 2033, 50_000)):
        best = people.reachability(plan, target, tables).by_start()
        assert best["attainable"][0] > target.value > value(plan, target)
        cheapest = people.cheapest_intake(plan, target, tables)
        assert value(cheapest.projection, target) == pytest.approx(target.value, rel=1e-6)


# --- what mends it -------------------------------------------------------------------------------


def test_the_seats_that_would_do_do_and_fewer_do_not() -> None:
    tables = with_upskilling()
    target = Target("people", 2030, 150)
    found = people.what_mends(played(tables), target, tables, start=2027).to_frame()
    row = found.filter(pl.col("change") == "seats").row(0, named=True)
    assert row["is_met"]
    assert row["attainable"] == pytest.approx(150)
    for factor, is_met in ((row["amount"] * 1.0001, True), (row["amount"] * 0.9999, False)):
        more = with_upskilling(seats=[x * factor for x in (20, 3, 30)])
        again = people.reachability(played(more), target, more).by_start()
        assert again.filter(pl.col("start") == 2027)["is_met"].item() == is_met


def test_four_times_the_seats_in_2025_and_none_in_2026() -> None:
    tables = a_million()
    plan = played(tables, range(2022, 2029))
    for start, size in ((2025, 4.0), (2024, 2.0), (2023, 4 / 3)):
        found = people.what_mends(plan, MILLION, tables, start=start).to_frame()
        seats = found.filter(pl.col("change") == "seats")
        assert seats["amount"].item() == pytest.approx(size, rel=1e-5)  # the million is 0.6 below
    too_late = people.what_mends(plan, MILLION, tables, start=2026)
    assert too_late.to_frame()["is_met"].to_list() == [False] * 3
    assert "no number of seats" in too_late.summary()


@pytest.mark.parametrize(("start", "shorter"), [(2023, 1.0), (2024, 2.0), (2025, None)])
def test_shorter_programmes_gain_the_years_they_are_shorter_by(
    start: int, shorter: float | None
) -> None:
    tables = a_million()
    found = people.what_mends(
        played(tables, range(2022, 2029)), MILLION, tables, start=start
    ).to_frame()
    row = found.filter(pl.col("change") == "shorter programmes").row(0, named=True)
    assert row["amount"] == shorter
    years = 2028 - start - (3 - (shorter or 2)) + 1
    assert row["attainable"] == pytest.approx(355_619 * 0.703 * years)


def test_upskilling_is_that_of_tables_with_the_course() -> None:
    tables = with_upskilling()
    courses = {name: values[2:] for name, values in tables["programmes"].items()}
    without = {
        **tables,
        "programmes": {name: values[:2] for name, values in tables["programmes"].items()},
    }
    target = Target("people", 2030, 95, "occupation=NURSE")
    found = people.what_mends(
        played(without), target, without, start=2027, upskilling=courses
    ).to_frame()
    row = found.filter(pl.col("change") == "upskilling").row(0, named=True)
    both = people.reachability(played(tables), target, tables).by_start()
    wanted = both.filter(pl.col("start") == 2027)["attainable"].item()
    assert row["attainable"] == pytest.approx(wanted)
    none = found.filter(pl.col("change") == "none")["attainable"].item()
    assert row["attainable"] > none
    with pytest.raises(UsageError, match="already"):
        people.what_mends(played(tables), target, tables, start=2027, upskilling=courses)
    with pytest.raises(UsageError, match="need programme"):
        people.what_mends(played(tables), target, tables, start=2027, upskilling={"a": [1]})


# --- the cheapest intake -------------------------------------------------------------------------


def test_no_cheaper_whole_intake_meets_the_target() -> None:
    """Brute force over whole entrants; chances are 1, so that the best is whole."""
    tables = with_upskilling(
        completion=[1.0] * 3, seats=[4, 3, 3], intake=[1, 0, 0], seat_growth=[0.0] * 3
    )
    years = range(2026, 2029)
    plan = played(tables, years)
    target = Target("graduates", 2028, 7, "occupation=NURSE")
    found = people.cheapest_intake(plan, target, tables)
    cells = [("SCHOOL", 2026), ("UP", 2026), ("UP", 2027)]
    idle = {("SCHOOL", 2027): 0.0, ("SCHOOL", 2028): 0.0, ("UP", 2028): 0.0}
    costs = []
    for entrants in product(range(5), range(4), range(4)):
        again = entered(
            tables, {**dict(zip(cells, map(float, entrants), strict=True)), **idle}, years
        )
        if value(again, target) >= 7 - SOLVED:
            costs.append(again.total_cost)
    assert found.cost == pytest.approx(min(costs))
    assert found.targets_met.is_met
    assert value(found.projection, target) == pytest.approx(7)


def test_the_cheapest_intake_put_into_tables_meets_the_targets() -> None:
    tables = with_upskilling()
    targets = [
        Target("people", 2030, 138),
        Target("needs_met", 2029, 0.77),
        Target("coverage", 2030, 1.0, "occupation=NURSE"),
    ]
    plan = played(tables)
    found = people.cheapest_intake(plan, targets, tables)
    assert found.is_found
    rows = found.intakes().iter_rows()
    again = entered(tables, {(p, y): entrants for p, y, entrants in rows})
    assert people.attainment(again, targets).is_met
    assert again.total_cost == pytest.approx(found.cost)
    assert found.cost_planned == pytest.approx(plan.total_cost)
    assert found.by_year()["cost"].sum() == pytest.approx(found.cost)
    kept = people.cheapest_intake(plan, targets, tables, keep_plan=True)
    assert (kept.entrants["entrants"] >= kept.entrants["planned"] - SOLVED).all()
    assert kept.cost >= found.cost - SOLVED


def test_it_costs_what_the_least_cost_intake_costs() -> None:
    """The programme of people.optimise_intake, with its own stocks and rows, as another way.

    It lets a year's graduates be drawn in the same year; ten seats a year draw nobody out.
    """
    tables = with_upskilling(intake=[0, 0, 0], seat_growth=[0.0] * 3, seats=[40, 3, 10])
    target = Target("people", 2030, 100, "occupation=NURSE")
    found = people.cheapest_intake(played(tables), target, tables)
    needs = {
        "occupation": ["NURSE"] * 5 + ["CARER"] * 5,
        "year": [*YEARS, *YEARS],
        "people": [0, 0, 0, 0, 100] + [0] * 5,
    }
    other = people.optimise_intake(needs, tables["occupations"], programmes=tables["programmes"])
    assert found.cost > 0
    assert found.cost == pytest.approx(other.objective)


def test_a_later_start_costs_no_less_until_nothing_meets_it() -> None:
    tables = with_upskilling(intake=[0, 0, 0])
    plan, target = played(tables), Target("graduates", 2030, 60)
    last = people.reachability(plan, target, tables).to_frame()["last_start"].item()
    costs = []
    for start in YEARS:
        found = people.cheapest_intake(plan, target, tables, start=start)
        assert found.is_found == (start <= last)
        if found.is_found:
            costs.append(found.cost)
        else:
            errors = [f for f in found.findings if f.severity == "error"]
            assert [f.code for f in errors] == ["E544"]
            assert "graduates at least 60" in found.summary()
            assert found.cost == found.cost_planned
    assert len(costs) > 1
    assert (np.diff(costs) >= -SOLVED).all()


def test_targets_that_exclude_each_other_are_named_together() -> None:
    tables = with_upskilling(seats=[0, 0, 30], intake=[0, 0, 0])
    targets = [
        Target("graduates", 2030, 20, "occupation=NURSE"),
        Target("people", 2030, 30, "occupation=CARER"),
    ]
    found = people.cheapest_intake(played(tables), targets, tables)
    assert not found.is_found
    assert "not together" in found.summary()


def test_programmes_without_cost_are_told() -> None:
    tables = one_school(cost=None)
    found = people.cheapest_intake(played(tables), Target("graduates", 2030, 10), tables)
    assert "W542" in [f.code for f in found.findings]
