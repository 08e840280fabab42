"""Small intakes worked by hand: lead times, seats, trainers, moves, scenarios."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from intake_twin import random_case, tables
from withstand import examples, people
from withstand.errors import UsageError
from withstand.people.intakes import optimise_intake

MILLION = 1_000_000.0


def graduates(first_year, *, seats=None, last_year=2028):
    """A million by 2028 out of three-year programmes of which .703 complete."""
    years = list(range(first_year, last_year + 1))
    return optimise_intake(
        {
            "occupation": ["graduate"] * len(years),
            "year": years,
            "people": [0.0] * (len(years) - 1) + [MILLION],
        },
        {"occupation": ["graduate"]},
        programmes={
            "programme": ["degree"], "occupation": ["graduate"], "duration": [3],
            "completion": [0.703], "seats": [seats], "cost": [1.0],
        },
    )  # fmt: skip


def nurses(needs, *, people=10.0, programmes=None, moves=None, **levers):
    return optimise_intake(
        {"occupation": ["nurse"] * len(needs), "year": list(range(len(needs))), "people": needs},
        {"occupation": ["nurse"], "people": [people], **{k: [v] for k, v in levers.items()}},
        programmes=programmes,
        moves=moves,
    )


# --- lead times ---------------------------------------------------------------------------------


def test_a_million_by_2028_needs_355_619_entrants_a_year_in_2022_to_2025():
    assert pytest.approx(355_619, abs=0.5) == MILLION / 0.703 / 4
    assert graduates(2022, seats=355_619).is_found
    assert graduates(2022, seats=355_618).status == "infeasible"
    found = graduates(2022, seats=355_619)
    assert found.entrants["entrants"].sum() == pytest.approx(MILLION / 0.703)
    late = found.entrants.filter(found.entrants["year"] > 2025)
    assert late["entrants"].sum() == 0.0  # who enters in 2026 is out in 2029


def test_begun_in_2026_no_intake_however_large_is_in_time():
    found = graduates(2026)
    assert found.status == "infeasible"
    assert found.conflict == ("the need for graduate in 2028 (1,000,000 people)",)
    assert "cannot be met, whatever else is allowed" in found.findings[-1].what
    assert "1,000,000 person-years" in found.findings[-1].what


def test_the_same_intake_begun_in_2025_yields_a_quarter():
    found = graduates(2025, seats=355_619)
    assert found.status == "infeasible"
    assert "At least 750,000 person-years" in found.findings[-1].what


def test_who_is_in_training_already_comes_out_in_time():
    given = {"programme": ["degree"], "year": [2024], "people": [2000.0]}
    found = optimise_intake(
        {"occupation": ["graduate"] * 3, "year": [2026, 2027, 2028], "people": [0, 1000, 1000]},
        {"occupation": ["graduate"]},
        programmes={"programme": ["degree"], "occupation": ["graduate"], "duration": [156],
                    "completion": [0.5]},
        intakes=given,
        period="week",
    )  # fmt: skip
    assert found.stocks["graduates"].to_list() == [0.0, 1000.0, 0.0]
    assert found.entrants["in_training"].to_list() == [2000.0, 0.0, 0.0]


# --- worked by hand -----------------------------------------------------------------------------


def test_the_cheaper_of_training_now_and_recruiting_later_is_taken_up_to_its_limit():
    # 20 are needed in the second year, 10 are there. A seat costs 1 and yields half a nurse.
    school = {"programme": ["school"], "occupation": ["nurse"], "duration": [1],
              "completion": [0.5], "seats": [8], "cost": [1]}  # fmt: skip
    found = nurses([10, 20], recruit_cost=3, programmes=school)
    assert found.objective == pytest.approx(8 * 1 + 6 * 3)
    assert found.stocks["people"].to_list() == pytest.approx([10, 20])


def test_seats_grow_by_a_share_a_year_and_a_new_one_has_its_price():
    # 10 seats, a tenth more a year: 10, 11, 12.1 enter; the last year's entrants come too late.
    school = {"programme": ["school"], "occupation": ["nurse"], "duration": [1], "seats": [10],
              "seat_growth": [0.1], "seat_cost": [100], "cost": [1]}  # fmt: skip
    found = nurses([0, 0, 0, 33.1], people=0, programmes=school)
    assert found.entrants["entrants"].to_list() == pytest.approx([10, 11, 12.1, 0])
    assert found.entrants["places"].to_list()[:3] == pytest.approx([10, 11, 12.1])
    assert found.objective == pytest.approx(33.1 + 100 * 2.1)
    assert nurses([0, 0, 0, 33.2], people=0, programmes=school).status == "infeasible"


def test_trainers_are_missing_at_work_for_as_long_as_the_training_takes():
    # Two years with one trainer for ten: 20 in training take 2 nurses out of 10 for two years.
    school = {"programme": ["school"], "occupation": ["nurse"], "duration": [2], "seats": [20],
              "trainers_per_seat": [0.1], "cost": [1]}  # fmt: skip
    found = nurses([8, 8, 30], programmes=school)
    assert found.stocks["trainers"].to_list() == pytest.approx([2, 2, 0])
    assert found.objective == pytest.approx(20)
    assert nurses([9, 8, 30], programmes=school).status == "infeasible"


def test_overtime_short_time_and_undone_work_fill_and_take_up_what_they_may():
    # 10 are there: 12 are needed, then 9.5. Overtime is 10 % of the hours, the rest stays undone;
    # then 1 of the 10 works half time.
    found = nurses([12, 9.5], overtime_limit=0.1, overtime_cost=5, unmet_cost=50,
                   short_time_limit=3, short_time_cost=1, overmanning_limit=0)  # fmt: skip
    assert found.stocks["overtime"].to_list() == pytest.approx([1, 0])
    assert found.stocks["unmet"].to_list() == pytest.approx([1, 0])
    assert found.stocks["short_time"].to_list() == pytest.approx([0, 1])
    assert found.objective == pytest.approx(5 + 50 + 1)
    assert found.unmet["year"].to_list() == [0]


def test_newcomers_and_settled_people_leave_at_their_own_rates():
    found = nurses([10, 10], exit_rate=0.2, new_exit_rate=0.5, recruit_cost=1)
    assert found.stocks["recruits"].to_list() == pytest.approx([4, 4])
    assert found.stocks["left"].to_list() == pytest.approx([2 + 2, 2 + 2])


def upskilled(duration, **more):
    return optimise_intake(
        {"occupation": ["aide"] * 3 + ["nurse"] * 3, "year": [1, 2, 3] * 2,
         "people": [0, 0, 0, 0, 0, 8]},
        {"occupation": ["aide", "nurse"], "people": [20, 0], "exit_rate": [0, 0.2]},
        moves={"from": ["aide"], "to": ["nurse"], "duration": [duration], "cost": [1],
               **{k: [v] for k, v in more.items()}},
    )  # fmt: skip


def test_upskilling_takes_its_time_and_who_fails_comes_back():
    # Two years: 20 start in year 1, half succeed, a fifth of these leave: 8 nurses, 10 aides.
    found = upskilled(2, success=0.5)
    rows = {(r["year"], r["occupation"]): r["people"] for r in found.stocks.iter_rows(named=True)}
    assert [rows[y, "aide"] for y in (1, 2, 3)] == pytest.approx([0, 0, 10])
    assert rows[3, "nurse"] == pytest.approx(8)
    assert upskilled(3, success=0.5).status == "infeasible"


def test_upskilling_of_no_duration_is_done_within_the_year():
    found = upskilled(0, leave=0.0)
    movers = {r["year"]: r["movers"] for r in found.moves.iter_rows(named=True)}
    assert movers == pytest.approx({1: 0, 2: 0, 3: 8})


def test_bartholomews_stationary_intake_is_recovered():
    # Grades of constant size n = R r (I - P)^-1: the intake that keeps them is R r.
    stays = np.array([[0.70, 0.15, 0.0], [0.0, 0.75, 0.12], [0.0, 0.0, 0.85]])
    size = 100 * np.array([0.80, 0.15, 0.05]) @ np.linalg.inv(np.eye(3) - stays)
    assert size == pytest.approx([266.667, 220.0, 209.333], abs=5e-4)
    grades = ["one", "two", "three"]
    found = optimise_intake(
        {"occupation": [g for g in grades for _ in range(4)], "year": [1, 2, 3, 4] * 3,
         "people": [float(n) for n in size for _ in range(4)]},
        {"occupation": grades, "people": size.tolist(), "exit_rate": 1 - stays.sum(axis=1),
         "recruit_cost": [1, 2, 3], "overmanning_limit": [0, 0, 0]},
        moves={"from": ["one", "two"], "to": ["two", "three"], "leave": [0, 0],
               "limit": [0.15 * size[0], 0.12 * size[1]]},
    )  # fmt: skip
    for _, rows in found.stocks.group_by("year"):
        assert rows["recruits"].to_list() == pytest.approx([80, 15, 5])


def test_regions_have_their_own_needs_and_people_can_move_between_them():
    found = optimise_intake(
        {"occupation": ["nurse"] * 2, "region": ["N", "S"], "year": [1, 1], "people": [10, 10]},
        {"occupation": ["nurse"] * 2, "region": ["N", "S"], "people": [14, 4],
         "recruit_cost": [5, 5]},
        moves={"from": ["nurse"], "to": ["nurse"], "region": ["N"], "to_region": ["S"],
               "cost": [1]},
    )  # fmt: skip
    assert found.moves["movers"].to_list() == pytest.approx([4])
    assert found.objective == pytest.approx(4 * 1 + 2 * 5)
    assert found.stocks["region"].to_list() == ["N", "S"]


def test_later_cost_counts_less_under_a_discount():
    found = optimise_intake(
        {"occupation": ["a"] * 2, "year": [1, 2], "people": [1, 2]},
        {"occupation": ["a"], "recruit_cost": [10]},
        discount=0.25,
    )
    assert found.objective == pytest.approx(10 + 10 / 1.25)
    assert found.cost["cost"].to_list() == pytest.approx([10, 10])
    assert found.cost["present_value"].to_list() == pytest.approx([10, 8])


def test_a_budget_holds_in_each_year_or_over_all():
    needs = {"occupation": ["a"] * 2, "year": [1, 2], "people": [1, 3]}
    people = {"occupation": ["a"], "recruit_cost": [10], "unmet_cost": [1000]}

    def undone(limit, over):
        limits = {"what": ["cost"], "over": [over], "limit": [limit]}
        found = optimise_intake(needs, people | {"unmet_cost": [0]}, limits=limits, aim="unmet")
        return found.objective

    assert undone(20, "each year") == pytest.approx(0)
    assert undone(15, "each year") == pytest.approx(0)  # 1.5 of 3 come early
    assert undone(10, "each year") == pytest.approx(1)
    assert undone(25, "all years") == pytest.approx(0.5)


# --- scenarios ----------------------------------------------------------------------------------


def futures(**more):
    school = {"programme": ["school"], "occupation": ["nurse"], "duration": [1], "cost": [2]}
    return optimise_intake(
        {"occupation": ["nurse"] * 3, "year": [1, 2, 2], "people": [0, 10, 30],
         "scenario": [None, "low", "high"], "probability": [None, 0.75, 0.25]},
        {"occupation": ["nurse"], "unmet_cost": [6]},
        programmes=school, **more,
    )  # fmt: skip


def test_the_intake_is_decided_before_the_need_is_known():
    # A newsvendor: a place is worth 2 <= .25 x 6 up to 10, and only 1.5 beyond.
    found = futures()
    assert found.entrants["entrants"].to_list() == pytest.approx([10, 0])
    assert found.objective == pytest.approx(10 * 2 + 0.25 * 20 * 6)
    unmet = dict(found.by_scenario.select("scenario", "unmet").iter_rows())
    assert unmet == pytest.approx({"low": 0, "high": 20})


def test_the_worst_case_and_the_tail_prepare_for_more():
    worst = futures(risk="worst")
    assert worst.entrants["entrants"][0] == pytest.approx(30)
    assert worst.objective == pytest.approx(60)
    assert futures(risk="cvar", alpha=0.0).objective == pytest.approx(futures().objective)
    # the worst half is 'high' at .5 and 'low' at .5: a place beyond 10 is worth 3 > 2
    tail = futures(risk="cvar", alpha=0.5)
    assert tail.entrants["entrants"][0] == pytest.approx(30)
    assert futures(risk="cvar", alpha=0.75).objective == pytest.approx(60)


@pytest.mark.parametrize("seed", range(6))
def test_waiting_and_seeing_is_never_dearer_and_the_mean_plan_never_cheaper(seed):
    case = random_case(np.random.default_rng(seed), n_scenarios=3)
    for o in case["occupations"]:  # always a way out, so that every intake can be answered
        o |= {"unmet_cost": 50.0, "redundancy_cost": 5.0}
        o.pop("overmanning_limit", None)
        o.pop("redundancy_limit", None)
    case.pop("all_overmanning", None)
    together = optimise_intake(**tables(case))
    alone = [optimise_intake(**tables({**case, "needs": [need]})) for need in case["needs"]]
    known = sum(p * x.objective for p, x in zip(case["probability"], alone, strict=True))
    assert together.objective >= known - 1e-6
    mean = np.einsum("s,sct->ct", case["probability"], case["needs"]).tolist()
    assert (
        together.objective >= optimise_intake(**tables({**case, "needs": [mean]})).objective - 1e-6
    )
    worst = optimise_intake(**tables(case), risk="worst").objective
    tail = optimise_intake(**tables(case), risk="cvar", alpha=0.5).objective
    assert together.objective - 1e-6 <= tail <= worst + 1e-6
    assert worst >= max(x.objective for x in alone) - 1e-6


def test_equal_scenarios_are_one():
    case = random_case(np.random.default_rng(3))
    twice = optimise_intake(**tables({**case, "needs": case["needs"] * 2}))
    assert twice.objective == pytest.approx(optimise_intake(**tables(case)).objective, rel=1e-7)


def test_recruits_can_wait_for_the_need_to_be_known():
    needs = {"occupation": ["a"] * 2, "year": [1, 1], "people": [10, 30],
             "scenario": ["low", "high"]}  # fmt: skip
    people = {"occupation": ["a"], "recruit_cost": [1]}
    assert optimise_intake(needs, people).objective == pytest.approx(30)
    assert optimise_intake(needs, people, recruits_wait=True).objective == pytest.approx(20)


# --- what is said -------------------------------------------------------------------------------


def test_the_text_says_what_is_done_what_it_costs_and_what_holds_it_back():
    school = {"programme": ["school"], "occupation": ["nurse"], "duration": [1],
              "completion": [0.5], "seats": [8], "cost": [1]}  # fmt: skip
    text = nurses([10, 20], recruit_cost=3, programmes=school).explain()
    assert text.splitlines() == [
        "Least cost: 26 currency.",
        "In all years together: 6 recruited, 8 enter training.",
        "Held back most by: seats of school in 0 (one more saves 0.50 currency).",
    ]
    assert nurses([10]).explain().endswith("No limit holds the plan back.")


def test_totals_are_of_known_columns_and_of_plans_that_exist():
    with pytest.raises(UsageError, match="total takes one of needed, people"):
        nurses([10]).total("nurses")
    with pytest.raises(UsageError, match="There is no plan"):
        _ = nurses([11]).expected_cost


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"aim": "fame"}, "aim must be one of cost, redundancy, unmet"),
        ({"risk": "none"}, "risk must be one of"),
        ({"alpha": 1.0}, "alpha must be at least 0 and below 1"),
        ({"discount": -0.1}, "discount must be at least 0"),
        ({"period": "hour"}, "period must be one of"),
    ],
)
def test_wrong_arguments_are_refused(wrong, said):
    with pytest.raises(UsageError, match=said):
        optimise_intake(
            pl.DataFrame({"occupation": ["a"], "year": [1], "people": [1]}),
            pl.DataFrame({"occupation": ["a"]}),
            **wrong,
        )


def test_where_only_whole_persons_stand_in_the_way_it_is_said():
    given = (
        {"occupation": ["a"], "year": [1], "people": [10]},
        {"occupation": ["a"], "people": [10.5], "redundancy_cost": [1], "overmanning_limit": [0]},
    )
    assert optimise_intake(*given).objective == pytest.approx(0.5)
    found = optimise_intake(*given, whole=True)
    assert found.conflict == ("whole persons",)
    assert "none in whole ones" in found.findings[-1].what


# --- beside the rest of the package -------------------------------------------------------------


def test_a_projection_with_the_intake_found_has_the_same_people():
    occupations = {"occupation": ["a", "b"], "people": [50.0, 20.0], "exit_rate": [0.1, 0.25]}
    programmes = {"programme": ["p", "q"], "occupation": ["a", "b"], "duration": [2, 1],
                  "completion": [0.7, 0.9], "retention": [0.8, 1.0]}  # fmt: skip
    years = [2026, 2027, 2028, 2029, 2030]
    found = optimise_intake(
        {"occupation": ["a"] * 5 + ["b"] * 5, "year": years * 2,
         "people": [0, 0, 45, 60, 50, 0, 22, 30, 20, 30]},
        {**occupations, "unmet_cost": [9, 9]},
        programmes={**programmes, "seats": [25, 12], "cost": [1, 1]},
    )  # fmt: skip
    assert found.entrants["entrants"].sum() > 50
    chosen = found.entrants.select("programme", "year", people="entrants")
    played = people.project(
        {"occupations": occupations, "programmes": programmes, "intakes": chosen}, years=years
    )
    same = found.stocks.select("occupation", "year", found="people").join(
        played.to_frame().select("occupation", "year", "people_end"), on=["occupation", "year"]
    )
    assert same.height == 10
    assert same["found"].to_list() == pytest.approx(same["people_end"].to_list())


def test_the_needs_of_a_network_that_doubles_its_output_are_met():
    network = examples.example("robot_maker")
    needs = people.needs(network, [2026, 2027, 2028], output={2026: 1, 2028: 2})
    table = network.tables["occupations"].select("occupation", "people", "exit_rate")
    found = optimise_intake(needs, table.with_columns(recruit_cost=pl.lit(1.0)))
    assert found.is_found
    assert found.findings == ()
    last = found.stocks.filter(found.stocks["year"] == 2028)
    assert (last["people"] >= last["needed"] - 1e-6).all()
    assert found.total("recruits") == pytest.approx(found.objective)
