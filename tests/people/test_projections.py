"""People projected in expectation: hand-checked cases, a slow twin, what is conserved."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from naive_people import play_by_hand
from withstand import people
from withstand.errors import DataError, UsageError
from withstand.people.expectation import play
from withstand.people.individuals import simulate_people
from withstand.people.pipelines import Pipeline

YEARS = range(2026, 2030)
CLOSED = 1e-9
"""Shares of all people: sums of floats in another order differ by about 1e-16 a sum."""


def tables(**changes: object) -> dict[str, object]:
    """Return one occupation of 100 grinders, of whom a tenth leaves, and a two-year programme."""
    start: dict[str, object] = {
        "occupations": {"occupation": ["GRINDER"], "people": [100.0], "exit_rate": [0.1]},
        "programmes": {
            "programme": ["APPRENTICES"],
            "occupation": ["GRINDER"],
            "duration": [2],
            "completion": [0.5],
            "seats": [20],
            "cost": [7.0],
            "retention": [0.8],
        },
    }
    return {k: v for k, v in {**start, **changes}.items() if v is not None}


def project(source: object, years: range = YEARS, **more: object) -> people.Projection:
    """Project, and see in every test that nobody is lost or negative."""
    found = people.project(source, years=years, **more)  # type: ignore[arg-type]
    assert found.conservation < CLOSED
    r = found.played
    for values in (r.stock, r.elsewhere, r.training, r.placed, r.exits, r.entrants, r.drawn):
        assert (values >= 0).all()
    moved_in, moved_out = r.moved_in.sum(axis=-1), r.moved_out.sum(axis=-1)
    assert moved_in == pytest.approx(moved_out, rel=1e-12, abs=1e-12)
    assert _everybody(found) == pytest.approx(_came(found), rel=CLOSED)
    return found


def _everybody(found: people.Projection) -> float:
    r = found.played
    gone = r.exits.sum() + r.exits_elsewhere.sum() + r.dropouts.sum()
    return float(r.stock[-1].sum() + r.elsewhere[-1].sum() + r.training[-1].sum() + gone)


def _came(found: people.Projection) -> float:
    p, r = found.pipeline, found.played
    start = p.stock.sum() + p.elsewhere.sum() + p.training.sum()
    return float(start + r.arrivals.sum() + r.entrants.sum() - r.drawn.sum())


# --- by hand -------------------------------------------------------------------------------------


def test_three_years_by_hand() -> None:
    """20 enter a year; of those who enter in 2026, ten complete in 2028 and eight take up work."""
    found = project(tables())
    assert found.to_frame()["people_start"].to_list() == pytest.approx([100, 90, 81, 80.9])
    assert found.to_frame()["people_end"].to_list() == pytest.approx([90, 81, 80.9, 80.81])
    assert found.to_frame()["elsewhere_end"].to_list() == pytest.approx([0, 0, 2, 3.8])
    assert found.programmes().select("entrants", "graduates", "dropouts", "cost").rows() == [
        (20, 0, 0, 140),
        (20, 0, 0, 140),
        (20, 10, 10, 140),
        (20, 10, 10, 140),
    ]
    waiting = found.in_training().filter(pl.col("year") == 2028)
    assert sorted(waiting.select("steps_left", "people").rows()) == [(1, 20), (2, 20)]


def test_a_million_graduates_need_their_entrants_three_years_before() -> None:
    """Design: 355,619 a year in 2022-25 give a million in 2025-28; from 2025 on, 250,000."""
    occupations = {"occupation": ["ENGINEER"], "people": [0.0]}
    programmes = {
        "programme": ["DEGREE"],
        "occupation": ["ENGINEER"],
        "duration": [3],
        "completion": [0.703],
    }

    def by_end_of_2028(years: list[int], first: int) -> float:
        intakes = {"programme": ["DEGREE"] * 4, "year": years, "people": [355_619.0] * 4}
        source = {"occupations": occupations, "programmes": programmes, "intakes": intakes}
        return float(project(source, range(first, 2029)).played.graduates.sum())

    assert by_end_of_2028([2022, 2023, 2024, 2025], 2022) == pytest.approx(1_000_000, abs=1)
    assert by_end_of_2028([2022, 2023, 2024, 2025], 2025) == pytest.approx(1_000_000, abs=1)
    assert by_end_of_2028([2025, 2026, 2027, 2028], 2025) == pytest.approx(250_000, abs=1)
    assert round(1_000_000 / 4 / 0.703) == 355_619


def test_a_steady_programme_has_filled_its_years_before() -> None:
    """Entrants since 2020 are in training in 2026: graduates come from the first year on."""
    programmes = {**tables()["programmes"], "first_year": [2020]}  # type: ignore[dict-item]
    found = project(tables(programmes=programmes))
    assert found.played.graduates[:, 0].tolist() == [10, 10, 10, 10]


def test_people_move_between_occupations_and_regions() -> None:
    source = {
        "occupations": {"occupation": ["A", "B"], "exit_rate": [0.0, 0.0]},
        "people": {"occupation": ["A", "A"], "region": ["N", "S"], "people": [100.0, 50.0]},
        "transfers": {
            "from": ["A", "A"],
            "to": ["B", "A"],
            "share": [0.1, 0.2],
            "from_region": [None, "N"],
            "to_region": [None, "S"],
        },
    }
    ends = project(source, range(2026, 2027)).to_frame()
    found = {
        tuple(row[:2]): row[2] for row in ends.select("occupation", "region", "people_end").rows()
    }
    assert {k: v for k, v in found.items() if v} == pytest.approx(
        {("A", "N"): 70, ("A", "S"): 65, ("B", "N"): 10, ("B", "S"): 5}
    )


def test_people_grow_older_band_by_band() -> None:
    source = {
        "occupations": {"occupation": ["A"], "exit_rate": [0.0]},
        "people": {
            "occupation": ["A"] * 3,
            "region": ["N"] * 3,
            "age_band": ["25-34", "35-44", "45+"],
            "people": [100.0, 0.0, 0.0],
        },
    }
    found = project(source, range(2026, 2028)).to_frame()
    last = found.filter(pl.col("year") == 2027)["people_end"].to_list()
    assert last == pytest.approx([81, 18, 1])


def test_transfers_that_are_not_listed_go_elsewhere_and_some_come_back() -> None:
    source = {
        "occupations": {"occupation": ["A"], "transfer_rate": [0.2], "exit_rate": [0.1]},
        "people": {
            "occupation": ["A"],
            "region": ["N"],
            "people": [100.0],
            "elsewhere": [40.0],
            "return_rate": [0.25],
            "arrivals": [3.0],
        },
    }
    row = project(source, range(2026, 2027)).to_frame().row(0, named=True)
    assert row["people_end"] == pytest.approx(100 - 10 - 20 + 10 + 3)
    assert row["elsewhere_end"] == pytest.approx(40 - 10 - 4 + 20)


def test_upskilling_takes_its_entrants_from_an_occupation_and_no_more_than_are_left() -> None:
    source = {
        "occupations": {"occupation": ["A", "B"], "people": [10.0, 0.0], "exit_rate": [0.1, 0.0]},
        "programmes": {
            "programme": ["UP", "AGAIN"],
            "occupation": ["B", "B"],
            "from_occupation": ["A", "A"],
            "duration": [1, 1],
            "intake": [6.0, 6.0],
        },
    }
    found = project(source, range(2026, 2028))
    assert found.played.drawn[0].tolist() == pytest.approx([9, 0])
    assert found.played.entrants[0].tolist() == pytest.approx([6, 3])
    assert found.to_frame().filter(pl.col("year") == 2027)["people_end"].to_list() == [0, 9]


def test_graduates_go_where_placements_say() -> None:
    source = tables(
        occupations={"occupation": ["GRINDER", "SETTER"], "people": [0.0, 0.0]},
        placements={
            "programme": ["APPRENTICES"] * 2,
            "occupation": ["GRINDER", "SETTER"],
            "share": [0.5, 0.25],
        },
    )
    found = project(source, range(2026, 2029)).flows().filter(pl.col("year") == 2028)
    assert found["placed"].to_list() == pytest.approx([4, 2])  # 10 x .8 retained
    assert found["to_elsewhere"].sum() == pytest.approx(4)


def test_programmes_given_replace_those_of_the_table() -> None:
    other = {"programme": ["OTHER"], "occupation": ["GRINDER"], "duration": [1], "seats": [10]}
    intakes = {"programme": ["APPRENTICES"], "year": [2026], "people": [5.0]}
    found = project(tables(intakes=intakes), programmes=other)
    assert found.programmes()["programme"].unique().to_list() == ["OTHER"]
    assert found.played.graduates[:, 0].tolist() == [0, 10, 10, 10]


# --- steps ---------------------------------------------------------------------------------------


def test_quarters_lose_as_many_in_a_year_as_years_do() -> None:
    source = tables(programmes=None, occupations={**_only(tables()), "transfer_rate": [0.05]})
    yearly, quarterly = (project(source, steps_per_year=k).played for k in (1, 4))
    assert quarterly.stock[::4] == pytest.approx(yearly.stock)
    assert quarterly.exits.sum(axis=0) == pytest.approx(yearly.exits.sum(axis=0))


def _only(source: dict[str, object]) -> dict[str, object]:
    return dict(source["occupations"])  # type: ignore[call-overload]


@pytest.mark.parametrize(
    ("duration", "steps", "length"), [(2, 1, 2), (3.5, 4, 14), (0.5, 4, 2), (2.0, 1, 2)]
)
def test_steps_are_quarters_where_a_duration_is_no_whole_year(
    duration: float, steps: int, length: int
) -> None:
    programmes = {**dict(tables()["programmes"]), "duration": [duration]}  # type: ignore[call-overload]
    found = project(tables(programmes=programmes))
    assert (found.pipeline.steps_per_year, found.pipeline.length[0]) == (steps, length)
    assert not found.findings


def test_a_duration_that_steps_miss_is_said() -> None:
    programmes = {**dict(tables()["programmes"]), "duration": [0.1]}  # type: ignore[call-overload]
    found = project(tables(programmes=programmes))
    assert [f.code for f in found.findings] == ["W501"]
    assert found.pipeline.length[0] == 1


# --- need ----------------------------------------------------------------------------------------


def test_openings_are_growth_exits_and_transfers_out() -> None:
    """The identity of the Bureau of Labor Statistics, and entrants where no need is stated."""
    source = tables(
        occupations={
            "occupation": ["GRINDER", "SETTER"],
            "people": [100.0, 60.0],
            "exit_rate": [0.1, 0.05],
            "transfer_rate": [0.2, None],
        },
        transfers={
            "from": ["GRINDER", "SETTER"],
            "to": ["SETTER", "GRINDER"],
            "share": [0.1, 0.04],
        },
    )
    found = project(source)
    rows = found.openings()
    gross = rows["growth"] + rows["exits"] + rows["transfers_out"] + rows["to_elsewhere"]
    assert rows["openings"].to_list() == pytest.approx(gross.to_list())
    assert rows["transfers_out"].sum() == pytest.approx(rows["transfers_in"].sum())
    assert rows["needed_entrants"].to_list() == pytest.approx(rows["entrants"].to_list(), abs=1e-9)
    grinders = rows.filter((pl.col("occupation") == "GRINDER") & (pl.col("year") == 2026))
    assert grinders["exits"].item() == pytest.approx(10)
    assert (grinders["transfers_out"] + grinders["to_elsewhere"]).item() == pytest.approx(20)


def test_gap_coverage_and_cost_by_hand() -> None:
    """Need 100: 90 are there in 2027, 81 in 2028, 80.9 in 2029; without entrants 72.9."""
    found = project(tables(), needs={"occupation": ["GRINDER"], "year": [2026], "people": [100.0]})
    gaps = found.gaps()
    assert gaps["gap"].to_list() == pytest.approx([0, 10, 19, 19.1])
    assert gaps["needed_entrants"].to_list() == pytest.approx([10, 9, 8.1, 8.09])
    assert gaps["coverage"].to_list() == pytest.approx([0, 0, 8 / 8.1, 8 / 8.09])
    assert found.vacancies_closed == pytest.approx(8)
    assert found.cost_per_vacancy_year == pytest.approx(4 * 140 / 8)
    assert found.first_gaps().row(0)[2:4] == (2027, None)


def test_a_gap_opens_and_closes() -> None:
    need = {"occupation": ["GRINDER"] * 2, "year": [2027, 2029], "people": [95.0, 75.0]}
    found = project(tables(), needs=need)
    assert found.gaps()["needed"].to_list() == pytest.approx([95, 95, 85, 75])
    assert found.first_gaps().select("opens", "closes").row(0) == (2027, 2029)


def test_mismatch_is_half_the_sum_of_differences_of_shares() -> None:
    source = {
        "occupations": {
            "occupation": ["A", "B"],
            "people": [75.0, 25.0],
            "people_needed": [100.0, 100.0],
        }
    }
    found = project(source, range(2026, 2027))
    assert found.mismatch().row(0) == (2026, pytest.approx(0.25))
    assert found.mismatch(by="region").row(0) == (2026, pytest.approx(0.0))


def test_needs_of_tables_follow_planned_output() -> None:
    occupations = {"occupation": ["A"], "people": [75.0], "people_needed": [100.0]}
    found = project({"occupations": occupations}, output={2026: 1.0, 2028: 2.0})
    assert found.gaps()["needed"].to_list() == pytest.approx([100, 150, 200, 200])


# --- bad input -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"occupations": {"occupation": ["GRINDER"], "people": [1.0], "exit_rate": [1.2]}}, "E107"),
        ({"occupations": {"occupation": ["GRINDER"], "people": [-1.0]}}, "E107"),
        ({"occupations": {"occupation": ["GRINDER"], "people": [float("nan")]}}, "E108"),
        ({"occupations": {"occupation": ["GRINDER"], "people": [float("inf")]}}, "E108"),
        ({"occupations": {"occupation": ["GRINDER"] * 2, "people": [1.0, 2.0]}}, "E106"),
        (
            {
                "occupations": {
                    "occupation": ["GRINDER"],
                    "exit_rate": [0.6],
                    "transfer_rate": [0.5],
                    "people": [1.0],
                }
            },
            "E501",
        ),
        ({"programmes": {"programme": ["P"], "occupation": ["GRINDER"], "duration": [0]}}, "E502"),
        ({"programmes": {"programme": ["P"], "occupation": ["GRINDER"], "duration": [-1]}}, "E107"),
        (
            {"programmes": {"programme": ["P"], "occupation": ["GRINDER"], "duration": [1e9]}},
            "E107",
        ),
        ({"programmes": {"programme": ["P"], "occupation": ["WELDER"], "duration": [1]}}, "E104"),
        (
            {
                "programmes": {
                    "programme": ["P"],
                    "occupation": ["GRINDER"],
                    "duration": [1],
                    "seats": [-3],
                }
            },
            "E107",
        ),
        (
            {
                "programmes": {
                    "programme": ["P"],
                    "occupation": ["GRINDER"],
                    "duration": [1],
                    "completion": [1.5],
                }
            },
            "E107",
        ),
        ({"transfers": {"from": ["GRINDER"], "to": ["GRINDER"], "share": [0.1]}}, "E505"),
        ({"transfers": {"from": ["GRINDER"], "to": ["WELDER"], "share": [0.1]}}, "E104"),
        (
            {
                "placements": {
                    "programme": ["APPRENTICES"] * 2,
                    "occupation": ["GRINDER"] * 2,
                    "region": ["N", "S"],
                    "share": [0.7, 0.6],
                }
            },
            "E504",
        ),
        (
            {
                "people": {
                    "occupation": ["GRINDER"] * 2,
                    "region": ["N"] * 2,
                    "age_band": ["25-34", "30-39"],
                    "people": [1.0, 1.0],
                }
            },
            "E503",
        ),
        (
            {
                "people": {
                    "occupation": ["GRINDER"],
                    "region": ["N"],
                    "people": [1.0],
                    "exit_rate": [0.7],
                    "return_rate": [0.6],
                }
            },
            "E501",
        ),
        ({"intakes": {"programme": ["OTHER"], "year": [2026], "people": [1.0]}}, "E104"),
    ],
)
def test_bad_tables_give_findings(changes: dict[str, object], code: str) -> None:
    with pytest.raises(DataError) as caught:
        people.project(tables(**changes), years=YEARS)
    found = [f for f in caught.value.findings if f.code == code]
    assert found
    assert found[0].what
    assert found[0].fix
    assert found[0].file in changes
    assert found[0].column


def test_all_faults_of_all_tables_come_at_once() -> None:
    bad = tables(
        occupations={"occupation": ["GRINDER"], "people": [1.0], "exit_rate": [1.2]},
        programmes={"programme": ["P"], "occupation": ["WELDER"], "duration": [0]},
    )
    with pytest.raises(DataError) as caught:
        people.project(bad, years=YEARS)
    assert {"E107", "E104", "E502"} <= {f.code for f in caught.value.findings}


@pytest.mark.parametrize(
    "years", [None, [], [2028, 2027], [2026, 2028], [2026.5], "2026", [True], [2026, 2026]]
)
def test_impossible_years_are_refused(years: object) -> None:
    with pytest.raises(UsageError, match="years"):
        people.project(tables(), years=years)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "more",
    [
        {"steps_per_year": 0},
        {"steps_per_year": 1.5},
        {"period": "fortnight"},
        {"output": -1},
        {"output": [1.0]},
        {"output": {}},
        {"output": float("nan")},
        {"output": "twice"},
        {"assume_recipe": "some"},
        {"needs": 5},
    ],
)
def test_impossible_arguments_are_refused(more: dict[str, object]) -> None:
    with pytest.raises(UsageError):
        people.project(tables(), years=YEARS, **more)  # type: ignore[arg-type]


def test_needs_of_unknown_occupations_are_refused() -> None:
    need = {"occupation": ["WELDER", "GRINDER"], "year": [2026, 2026], "people": [1.0, -1.0]}
    with pytest.raises(DataError):
        people.project(tables(), years=YEARS, needs=need)


@pytest.mark.parametrize("source", [None, 5, "robot_maker", {}, {"ocupations": {"a": [1]}}])
def test_what_is_no_source_is_refused(source: object) -> None:
    with pytest.raises(UsageError):
        people.project(source, years=YEARS)


def test_intake_above_the_places_and_unknown_people_are_said() -> None:
    found = project(
        tables(
            occupations={"occupation": ["GRINDER", "SETTER"], "people": [100.0, None]},
            intakes={"programme": ["APPRENTICES"], "year": [2027], "people": [25.0]},
        )
    )
    assert sorted(f.code for f in found.findings) == ["W502", "W503"]


# --- the twin ------------------------------------------------------------------------------------

SHARE = st.floats(0, 1)
PEOPLE = st.floats(0, 1e6)


@st.composite
def pipelines(draw: st.DrawFn) -> Pipeline:
    """Draw a pipeline of a few cells and programmes, with shares that sum to at most 1."""
    n, n_programmes = draw(st.integers(1, 4)), draw(st.integers(0, 3))
    per_year, n_years = draw(st.integers(1, 3)), draw(st.integers(1, 3))
    steps = per_year * n_years
    length = [draw(st.integers(1, 4)) for _ in range(n_programmes)]
    leave, drift, comeback, moves = [], [], [], []
    for c in range(n):
        goals = [d for d in range(n) if d != c and draw(st.booleans())]
        parts = np.array([draw(SHARE) for _ in range(2 + len(goals))])
        parts *= draw(SHARE) / max(parts.sum(), 1.0)
        leave.append(parts[0])
        drift.append(parts[1])
        comeback.append(draw(SHARE) * (1 - parts[0]))
        moves.append(list(zip(goals, parts[2:].tolist(), strict=True)))
    places = []
    for _ in range(n_programmes):
        goals = draw(st.lists(st.integers(0, n - 1), min_size=1, max_size=n, unique=True))
        parts = np.array([draw(SHARE) for _ in goals])
        places.append(list(zip(goals, (parts / max(parts.sum(), 1.0)).tolist(), strict=True)))
    longest = max(length, default=1)
    waiting = np.zeros((n_programmes, longest))
    for p, n_slots in enumerate(length):
        waiting[p, :n_slots] = [draw(PEOPLE) for _ in range(n_slots)]

    def numbers(*shape: int) -> np.ndarray:
        size = int(np.prod(shape))
        return np.array([draw(PEOPLE) for _ in range(size)]).reshape(shape)

    def integers(values: list[int]) -> np.ndarray:
        return np.array(values, dtype=np.int64)

    flat = [move for row in moves for move in row]
    placed = [place for row in places for place in row]
    return Pipeline(
        cells=pl.DataFrame({"occupation": [f"O{c}" for c in range(n)]}),
        programmes=pl.DataFrame({"programme": [f"P{p}" for p in range(n_programmes)]}),
        first_year=2026,
        steps_per_year=per_year,
        steps=steps,
        stock=numbers(n),
        elsewhere=numbers(n),
        leave=np.array(leave),
        drift=np.array(drift),
        comeback=np.array(comeback),
        move_indptr=integers([0, *np.cumsum([len(row) for row in moves]).tolist()]),
        move_to=integers([goal for goal, _ in flat]),
        move_share=np.array([part for _, part in flat]),
        move_kind=integers([draw(st.integers(0, 2)) for _ in flat]),
        arrivals=numbers(n, steps),
        intake=numbers(n_programmes, steps),
        length=integers(length),
        completion=np.array([draw(SHARE) for _ in range(n_programmes)]),
        source=integers([draw(st.integers(-1, n - 1)) for _ in range(n_programmes)]),
        place_indptr=integers([0, *np.cumsum([len(row) for row in places]).tolist()]),
        place_cell=integers([goal for goal, _ in placed]),
        place_share=np.array([part for _, part in placed]),
        training=waiting,
    )


@given(pipelines())
def test_expectation_equals_its_twin_and_loses_nobody(pipeline: Pipeline) -> None:
    found, twin = play(pipeline), play_by_hand(pipeline)
    most = twin["largest"]
    assert found.imbalance < CLOSED
    assert (found.stock >= 0).all()
    assert (found.elsewhere >= 0).all()
    close = {"rel": 1e-9, "abs": 1e-9 * max(most, 1.0)}  # sums in another order
    assert found.stock == pytest.approx(np.array(twin["stock"]), **close)
    assert found.elsewhere == pytest.approx(np.array(twin["elsewhere"]), **close)
    assert found.entrants.sum(axis=0) == pytest.approx(np.array(twin["entrants"]), **close)
    assert found.dropouts.sum() + found.exits.sum() + found.exits_elsewhere.sum() == pytest.approx(
        twin["gone"], **close
    )
    for p, n_slots in enumerate(pipeline.length):
        slots = found.training[-1, p, :n_slots]
        assert slots == pytest.approx(np.array(twin["training"][p]), **close)


def test_bartholomews_steady_state_is_reached_from_tables() -> None:
    """Grades as occupations, promotion as transfers, recruits as arrivals: n = R r (I - P)^-1."""
    source = {
        "occupations": {"occupation": ["I", "II", "III"], "exit_rate": [0.15, 0.13, 0.15]},
        "people": {
            "occupation": ["I", "II", "III"],
            "region": ["N"] * 3,
            "people": [0.0, 0.0, 0.0],
            "arrivals": [80.0, 15.0, 5.0],
        },
        "transfers": {"from": ["I", "II"], "to": ["II", "III"], "share": [0.15, 0.12]},
    }
    found = project(source, range(2000, 2200))
    p = [[0.70, 0.15, 0], [0, 0.75, 0.12], [0, 0, 0.85]]
    model = people.push_model(p, [0.8, 0.15, 0.05], 100, steps=200)
    assert found.played.stock == pytest.approx(model.path)
    assert found.played.stock[-1] == pytest.approx([266.6667, 220, 209.3333], abs=1e-3)


def test_individuals_agree_with_expectation() -> None:
    """Means of 20 runs of 40,000 people lie within five standard errors of what is expected."""
    source = {
        "occupations": {
            "occupation": ["A", "B"],
            "exit_rate": [0.1, 0.05],
            "transfer_rate": [0.13, 0],
        },
        "people": {
            "occupation": ["A", "A", "B"],
            "region": ["N"] * 3,
            "age_band": ["25-34", "35+", ""],
            "people": [20_000.0, 15_000.0, 7_000.0],
            "elsewhere": [500.0, 0.0, 0.0],
            "return_rate": [0.2, 0.0, 0.0],
            "arrivals": [100.0, 0.0, 30.0],
        },
        "transfers": {"from": ["A"], "to": ["B"], "share": [0.05]},
        "programmes": {
            "programme": ["P", "UP"],
            "occupation": ["A", "B"],
            "from_occupation": [None, "A"],
            "duration": [2, 1.5],
            "completion": [0.7, 0.8],
            "seats": [900.0, 300.0],
            "retention": [0.8, 1.0],
        },
    }
    found = project(source, range(2026, 2030))
    runs = simulate_people(found.pipeline, seed=1, runs=20)
    k = found.pipeline.steps_per_year
    mean, spread = runs.people_end.mean(axis=0), runs.people_end.std(axis=0) / 20**0.5
    assert (np.abs(mean - found.played.stock[k::k].T) <= 5 * spread + 1e-9).all()


def test_needs_stated_for_an_occupation_are_spread_over_its_regions_as_its_people() -> None:
    source = {
        "occupations": {"occupation": ["A", "B"], "people_needed": [200.0, None]},
        "people": {
            "occupation": ["A", "A", "B"],
            "region": ["N", "S", "N"],
            "people": [30.0, 90.0, 50.0],
        },
    }
    found = project(source, range(2026, 2027))
    gaps = found.gaps()
    assert gaps.select("occupation", "region", "needed", "gap").rows() == [
        ("A", "N", 50.0, 20.0),
        ("A", "S", 150.0, 60.0),
    ]
    assert found.openings().height == 3
    assert found.hours()["hours_needed"].null_count() == 1
    assert found.mismatch()["mismatch"].item() == pytest.approx(0)
