"""Programmes as options of a plan bring the same people as an intake, and are chosen alike."""

from __future__ import annotations

import polars as pl
import pytest

from withstand import plan
from withstand.errors import DataError, UsageError
from withstand.model.building import build_network
from withstand.model.option import apply, check_options
from withstand.model.scenario import Scenario
from withstand.model.settings import Settings
from withstand.people.intakes import optimise_intake
from withstand.people.training_options import train_options

HOURS = 40.0
PEOPLE = 30.0
VALUE = 1_000.0
LOST = 0.4


def plant(*, exit_rate=0.0):
    """A plant makes 10 machines a week; each takes the hours of three welders."""
    nodes = {
        "node": ["plant", "welders", "fitters"],
        "product": ["MACHINE", "WELDING", "FITTING"],
        "region": ["HOME"] * 3,
        "final_demand": [10.0, 0.0, 0.0],
        "capacity": [10.0, HOURS * PEOPLE, 5 * HOURS],
        "price": [VALUE, 1.0, 1.0],
    }
    return build_network(
        {
            "products": pl.DataFrame(
                {
                    "product": ["MACHINE", "WELDING", "FITTING"],
                    "kind": ["product", "skill", "skill"],
                }
            ),
            "nodes": pl.DataFrame(nodes),
            "recipes": pl.DataFrame(
                {"buyer": ["MACHINE"], "input": ["WELDING"], "quantity": [3.0 * HOURS]}
            ),
            "links": pl.DataFrame({"supplier": ["welders"], "buyer": ["plant"], "share": [1.0]}),
            "occupations": pl.DataFrame(
                {
                    "occupation": ["welder", "fitter", "clerk"],
                    "product": ["WELDING", "FITTING", None],
                    "people": [PEOPLE, 5.0, 5.0],
                    "hours_per_period": [HOURS] * 3,
                    "exit_rate": [exit_rate, 0.0, 0.0],
                }
            ),
        },
        Settings(name="welders", home="HOME", currency="EUR"),
    )


def school(**changed):
    usual = {"programme": "school", "occupation": "welder", "duration": 52.0, "completion": 0.5,
             "seats": 30.0, "cost": 100.0}  # fmt: skip
    return pl.DataFrame({k: [v] for k, v in (usual | changed).items()})


@pytest.mark.parametrize("exit_rate", [0.0, 0.2])
def test_capacity_grows_by_who_graduates_less_who_leaves(exit_rate):
    network = plant(exit_rate=exit_rate)
    (option,) = train_options(network, school(retention=0.8), years=4)
    there = 0.0
    for year in (1, 2, 3, 4):  # ready after a year; then each year's graduates, and who stays
        there = there * (1.0 - exit_rate) + 0.5 * 0.8
        grown = apply(network, [option], at_period=52.0 * year)
        now = grown.capacity[grown.index("nodes")["welders"]]
        assert now - HOURS * PEOPLE == pytest.approx(HOURS * there)
    before = apply(network, [option], at_period=51.0)
    assert before.capacity[before.index("nodes")["welders"]] == HOURS * PEOPLE


def test_an_intake_of_one_a_year_has_the_same_people_in_the_programme():
    # the stock of optimise_intake, with entrants forced to 1 a year by a need that takes them all
    exit_rate, there, needed = 0.2, 0.0, [0.0]
    for _ in range(4):
        there = there * (1.0 - exit_rate) + 0.5
        needed.append(there)
    found = optimise_intake(
        {"occupation": ["welder"] * 5, "year": list(range(5)), "people": needed},
        {"occupation": ["welder"], "exit_rate": [exit_rate]},
        programmes=school(seats=1.0),
        period="week",
    )
    assert found.entrants["entrants"].to_list() == pytest.approx([1, 1, 1, 1, 0])
    assert found.stocks["people"].to_list() == pytest.approx(needed)
    network = plant(exit_rate=exit_rate)
    (option,) = train_options(network, school(), years=4)
    gained = [sum(e.amount for e in option.effects[: k + 1]) for k in range(4)]
    assert gained == pytest.approx([HOURS * x for x in needed[1:]])


def welders_fall_ill():
    return Scenario.lose(product="WELDING", share=LOST, duration="52w", probability=1.0, name="ill")


def chosen(programmes, *, years, onset, horizon):
    """Return the size that a plan starts in each year."""
    network = plant()
    found = plan.solve(
        network,
        train_options(network, programmes, years=years),
        [welders_fall_ill()],
        horizon=horizon,
        onsets=[onset],
        periods=26,
        step=1,
        gap=0.0,
    )
    return found.problem.sizes(found.solution.first)[0]


def entrants(programmes, *, years, worth):
    """Return the entrants of the intake that faces the same need at the same prices.

    In the scenario 40 % of the welders are missing, of those who were trained too: 18 are there
    where 30 are needed, and of a graduate .6 (the column retention).
    """
    found = optimise_intake(
        {"occupation": ["welder"] * years, "year": list(range(years)),
         "people": [0.0] * (years - 1) + [PEOPLE]},
        {"occupation": ["welder"], "people": [PEOPLE * (1 - LOST)], "unmet_cost": [worth]},
        programmes=programmes.with_columns(retention=pl.lit(1 - LOST)),
        period="week",
    )  # fmt: skip
    return found.entrants["entrants"].to_numpy()


WORTH = 26 / 3 * VALUE  # of a welder: a third of a machine a week over the window of 26 weeks


@pytest.mark.parametrize(
    ("cost", "seats", "size"),
    [
        (100.0, 60.0, 12 / 0.3),  # 12 are missing, an entrant is worth .5 x .6 of one
        (100.0, 25.0, 25.0),  # no more seats
        (0.29 * WORTH, 60.0, 12 / 0.3),  # .3 x worth is more than the cost
        (0.31 * WORTH, 60.0, 0.0),  # and now it is less
    ],
)
def test_a_plan_takes_in_as_many_as_the_intake_does(cost, seats, size):
    programmes = school(cost=cost, seats=seats)
    sizes = chosen(programmes, years=1, onset=1.5, horizon=1)
    assert sizes[0] == pytest.approx(size, abs=1e-4)
    assert entrants(programmes, years=2, worth=WORTH)[0] == pytest.approx(size, abs=1e-4)


def test_a_plan_starts_a_second_intake_where_one_is_too_small():
    # 40 entrants are needed, 25 a year have a seat: 15 start at once, 10 more a year later.
    programmes = school(seats=25.0)
    sizes = chosen(programmes, years=3, onset=2.5, horizon=2)
    yearly = entrants(programmes, years=3, worth=WORTH)
    assert sizes.cumsum().sum() == pytest.approx(40, abs=1e-4)
    assert yearly.sum() == pytest.approx(40, abs=1e-4)
    assert (sizes.cumsum() <= 25 + 1e-6).all()
    assert (yearly <= 25 + 1e-6).all()


def test_a_plan_is_paid_for_like_its_entrants():
    # Three years of 100 entrants at 10 each, from the first year of a horizon of three on.
    (option,) = train_options(plant(), school(cost=10.0, seats=100.0), years=3)
    assert option.cost_once + 2 * 52 * option.cost_per_period == pytest.approx(3 * 10.0)
    (single,) = train_options(plant(), school(cost=10.0), years=1)
    assert (single.cost_once, single.cost_per_period) == (10.0, 0.0)
    (long,) = train_options(plant(), school(cost=10.0, duration=182.0), years=5)
    assert long.cost_once == pytest.approx(3.5 * 10.0)
    assert long.cost_per_period == pytest.approx(10.0 / 52)


def test_trainers_are_drawn_first_and_missing_afterwards():
    programmes = school(trainers_per_seat=0.1, trainer="fitter", duration=104.0)
    (option,) = train_options(plant(), programmes, years=5)
    (use,) = option.uses
    # in training: 1 in the first year, 2 in the second; a tenth of a trainer for each, 52 weeks
    assert use.product == "FITTING"
    assert use.quantity == pytest.approx(0.1 * (1 + 2) * HOURS * 52)
    assert use.periods == 104.0
    lost = [e for e in option.effects if e.node == "fitters"]
    assert [e.amount for e in lost] == pytest.approx([-0.1 * 2 * HOURS])


def test_who_changes_occupation_is_missing_where_they_came_from():
    programmes = school(from_occupation="fitter")
    (option,) = train_options(plant(), programmes, years=3)
    lost = {e.from_period: e.amount for e in option.effects if e.node == "fitters"}
    # when the first are ready a second intake has left, then a third; then there are no more
    assert lost == pytest.approx({0.0: -2 * HOURS, 52.0: -HOURS})


def test_the_options_are_in_order_for_apply_and_plan():
    network = plant(exit_rate=0.1)
    options = train_options(network, school(), years=2)
    assert check_options(network, options) == []
    assert options[0].kind == "train"
    assert options[0].size == "continuous 30.0"


@pytest.mark.parametrize(
    ("changed", "code", "column"),
    [
        ({"seats": None}, "E102", "seats"),
        ({"seats": 0.0}, "E107", "seats"),
        ({"duration": 0.0}, "E502", "duration"),
        ({"occupation": "welter"}, "E104", "occupation"),
        ({"occupation": "clerk"}, "E102", "occupation"),
        ({"completion": 1.5}, "E107", "completion"),
        ({"region": "MOON"}, "E104", "region"),
    ],
)
def test_faults_of_programmes_come_with_their_place(changed, code, column):
    with pytest.raises(DataError) as caught:
        train_options(plant(), school(**changed))
    found = [(f.code, f.column, f.row) for f in caught.value.findings]
    assert (code, column, 2) in found


def test_without_programmes_or_years_there_is_nothing_to_offer():
    with pytest.raises(UsageError, match="There are no programmes"):
        train_options(plant())
    with pytest.raises(UsageError, match="years must be a whole number"):
        train_options(plant(), school(), years=0)
