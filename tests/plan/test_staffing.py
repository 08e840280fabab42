"""Train, robotise, overtime: a plant of two skills by hand, and the robot maker from end to end."""

from __future__ import annotations

import polars as pl
import pytest

from withstand import people, plan, plants
from withstand.errors import UsageError
from withstand.examples import example
from withstand.examples.robot_maker_people import robot_cells, with_training_places
from withstand.model.building import build_network
from withstand.model.option import Effect, Option
from withstand.model.settings import Settings
from withstand.stress.simulation import simulate

# A plant makes 10 machines a week; each takes 4 hours of welding and 2 of fitting. A person works
# 40 hours a week: one welder and half a fitter are needed. One welder and one fitter are there.
# Output is to double in the second year: two welders, one fitter. So one welder is missing then.
HOURS, WAGE, PRICE = 40.0, 41_600.0, 1_000.0  # wage: 20 an hour of 2,080 a year
YEARS = range(2026, 2029)
GROWTH = [1.0, 2.0, 2.0]


def plant(*, exit_rate=0.0, welders=1.0):
    return build_network(
        {
            "products": pl.DataFrame(
                {
                    "product": ["MACHINE", "WELDING", "FITTING"],
                    "kind": ["product", "skill", "skill"],
                }
            ),
            "nodes": pl.DataFrame(
                {
                    "node": ["plant", "welders", "fitters"],
                    "product": ["MACHINE", "WELDING", "FITTING"],
                    "region": ["HOME"] * 3,
                    "final_demand": [10.0, 0.0, 0.0],
                    "capacity": [30.0, 40.0, 40.0],
                    "price": [PRICE, 1.0, 1.0],
                }
            ),
            "recipes": pl.DataFrame(
                {
                    "buyer": ["MACHINE", "MACHINE"],
                    "input": ["WELDING", "FITTING"],
                    "quantity": [4.0, 2.0],
                }
            ),
            "links": pl.DataFrame(
                {"supplier": ["welders", "fitters"], "buyer": ["plant"] * 2, "share": [1.0] * 2}
            ),
            "occupations": pl.DataFrame(
                {
                    "occupation": ["welder", "fitter"],
                    "product": ["WELDING", "FITTING"],
                    "people": [welders, 1.0],
                    "hours_per_period": [HOURS] * 2,
                    "exit_rate": [exit_rate, 0.0],
                    "wage": [WAGE, WAGE],
                }
            ),
            "programmes": pl.DataFrame(
                {
                    "programme": ["school"],
                    "occupation": ["welder"],
                    "duration": [52.0],
                    "completion": [0.5],
                    "seats": [2.0],
                    "intake": [0.0],
                    "cost": [1_000.0],
                }
            ),
        },
        Settings(name="two skills", home="HOME", currency="EUR"),
    )


def projected(network=None, **changed):
    network = plant() if network is None else network
    found = people.project(network, years=YEARS, output=GROWTH, **changed)
    assert found.conservation < 1e-12
    return found


def one_cell():
    """Half the work of one welder: 1,040 hours a year; 10,000 to buy, 500 a year to run."""
    return plants.cell(
        robots=1, robot_price=3_000.0, robot_share=0.3, operators=0.5, wage=WAGE,
        other_running=500.0, hours_per_person=2_080.0,
    )  # fmt: skip


def measures(network):
    cells = plants.robotise(
        network, one_cell(), "plant", skill="WELDING", robots="MACHINE", ready="26w", label="CELL"
    )
    late = plan.extra_hours(network, "WELDING", 8.0, pay=1.5, label="LATE")
    return (*people.train_options(network, years=3), cells, late)


# --- which binds ----------------------------------------------------------------------------------


def test_the_skill_whose_people_suffice_for_least_binds_first():
    found = people.allowed_output(projected())
    assert found.binding()["occupation"].to_list() == [None, "welder", "welder"]
    assert found.binding()["made"].to_list() == pytest.approx([1.0, 1.0, 1.0])
    assert found.binding()["next_allowed"].to_list() == pytest.approx([2.0, 2.0, 2.0])
    first = found.first_to_bind()
    assert first["occupation"].to_list() == ["welder"]
    assert first["year"].to_list() == [2027]
    assert first["lowest"].to_list() == pytest.approx([0.5])
    assert found.made()["share"].to_list() == pytest.approx([1.0, 0.5, 0.5])
    assert "welder binds first" in repr(found)


def test_those_who_leave_lower_what_can_be_made_year_by_year():
    found = people.allowed_output(projected(plant(exit_rate=0.1), steps_per_year=1))
    assert found.binding()["made"].to_list() == pytest.approx([1.0, 0.9, 0.81])


def test_enough_people_bind_nothing():
    found = people.allowed_output(projected(plant(welders=2.0)))
    assert found.first_to_bind().height == 0
    assert found.binding()["occupation"].null_count() == 3
    assert repr(found) == "<AllowedOutput: hours allow all that is planned>"


def test_without_a_need_nothing_is_held_back():
    alone = people.project({"occupations": {"occupation": ["clerk"], "people": [3]}}, years=YEARS)
    with pytest.raises(UsageError, match="No need is known"):
        people.allowed_output(alone)


def test_the_simulation_makes_what_the_hours_allow_and_names_the_skill():
    network = plant()
    found = projected(network)
    at_peak = found.network(network)
    run = simulate(at_peak, found.scenario(network), periods=156)
    made = run.output[:, at_peak.index("nodes")["plant"]].reshape(3, 52).sum(axis=1)
    wanted = people.allowed_output(found).binding()["made"].to_numpy() * 520.0
    assert made == pytest.approx(wanted)
    assert run.why("plant", 60)["limited_by"].to_list()[0] == "WELDING"


# --- ranking --------------------------------------------------------------------------------------


def test_measures_are_ranked_by_what_an_hour_costs_beyond_its_wage():
    # Missing: one welder, 2,080 hours in each of the last two years, so 4,160 in all.
    # School, 2 entrants a year, 1 graduate: 2,080 hours in 2027, 4,160 in 2028, of which 2,080
    #   close a gap. Cost: 2,000 a year (1,000 for each entrant) for 3 years; wages are due.
    # Cell: the share 1,040 / 4,160 of the hours at double output, from the middle of 2026 on: half
    #   of the half of it that output of 2026 needs, 260, then 1,040 a year; 2,080 close gaps. Cost
    #   10,000 + 2.5 x 500. Wages spared: 2,340 hours at 20.
    # Overtime: 8 hours a week, 416 a year; 832 close gaps. Cost 3 x 416 x 30, of which 20 are wage.
    network = plant()
    found = projected(network)
    ranking = plan.rank_measures(found.network(network), measures(found.network(network)), found)
    rows = {row["measure"]: row for row in ranking.to_frame().iter_rows(named=True)}
    school, cell, late = rows["school"], rows["CELL"], rows["LATE"]
    assert school["hours"] == pytest.approx(4_160)
    assert school["closed"] == pytest.approx(4_160)
    assert school["cost"] == school["net_cost"] == pytest.approx(6_000)
    assert school["first_year"] == 2027
    assert cell["hours"] == pytest.approx(1_040)
    assert cell["closed"] == pytest.approx(2_080)
    assert cell["cost"] == pytest.approx(11_250)
    assert cell["wages_spared"] == pytest.approx(2_340 * 20)
    assert cell["net_per_hour"] == pytest.approx((11_250 - 46_800) / 2_080)
    assert cell["first_year"] == 2026
    assert cell["needs"] == "1 MACHINE"
    assert late["cost"] == pytest.approx(3 * 416 * 30)
    assert late["wages_spared"] == pytest.approx(3 * 416 * 20)
    assert late["cost_per_hour"] == pytest.approx(3 * 416 * 30 / 832)
    assert ranking.to_frame()["measure"].to_list() == ["CELL", "school", "LATE"]
    assert "cheapest CELL" in repr(ranking)


def test_hours_of_a_measure_follow_its_size_and_close_no_more_than_the_gap():
    network = plant()
    found = projected(network)
    big = found.network(network)
    half = plan.rank_measures(big, measures(big)[:1], found, sizes={"school": 1.0})
    assert half.rows["cost"].item() == pytest.approx(3_000)
    assert half.rows["closed"].item() == pytest.approx(1_040 + 2_080)
    whole = plan.rank_measures(big, measures(big)[:1], found).by_year.sort("year")
    assert whole["added"].to_list() == pytest.approx([0, 2_080, 4_160])
    assert whole["gap"].to_list() == pytest.approx([0, 2_080, 2_080])
    assert whole["closed"].to_list() == pytest.approx([0, 2_080, 2_080])
    with pytest.raises(UsageError, match="size of school"):
        plan.rank_measures(big, measures(big)[:1], found, sizes={"school": 9.0})
    with pytest.raises(UsageError, match="year must be"):
        plan.rank_measures(big, measures(big), found, year=2040)


@pytest.mark.parametrize(
    ("effect", "hours"),  # at double output: 20 machines a week, 80 hours of welding, 2028
    [
        (Effect(effect="add_capacity", node="welders", amount=10.0), 520),
        (Effect(effect="add_capacity", node="welders", amount=10.0, from_period=130.0), 260),
        (Effect(effect="add_capacity", node="welders", amount=1.5, mode="scale"), 40 * 52),
        (Effect(effect="add_capacity", node="welders", amount=90.0, mode="set"), 10 * 52),
        (Effect(effect="add_capacity", node="welders", amount=0.0, per_period=1.0), 130 * 52),
        (Effect(effect="add_node", product="WELDING", region="HOME", amount=5.0), 260),
        (Effect(effect="change_recipe", buyer="MACHINE", input="WELDING", amount=0.5,
                mode="scale"), 40 * 52),
        (Effect(effect="change_recipe", buyer="plant", input="WELDING", amount=3.0,
                mode="set"), 20 * 52),
        (Effect(effect="change_recipe", buyer="plant", input="WELDING", amount=-1.0), 20 * 52),
    ],
)  # fmt: skip
def test_every_effect_on_hours_counts(effect, hours):
    network = plant()
    found = projected(network)
    one = Option(label="ONE", kind="robotise", effects=(effect,))
    ranking = plan.rank_measures(found.network(network), [one], found)
    assert ranking.rows["hours"].item() == pytest.approx(hours)


def test_hours_taken_of_other_skills_are_said_and_spare_no_wage():
    network = plant()
    found = projected(network)
    swap = Option(
        label="SWAP",
        kind="robotise",
        effects=(
            Effect(effect="change_recipe", buyer="plant", input="WELDING", amount=0.5,
                   mode="scale"),
            Effect(effect="change_recipe", buyer="plant", input="FITTING", amount=0.5),
        ),
    )  # fmt: skip
    rows = plan.rank_measures(found.network(network), [swap], found).rows
    assert rows["needs"].item() == "520 h FITTING a year"
    assert rows["wages_spared"].item() == pytest.approx((1_040 + 2_080 + 2_080) * 20)


def test_an_unknown_wage_leaves_net_cost_empty():
    network = plant()
    poor = network.with_changes({"occupations": network.tables["occupations"].drop("wage")})
    found = projected(poor)
    big = found.network(poor)
    cell = plants.robotise(big, one_cell(), "plant", skill="WELDING", label="CELL")
    rows = plan.rank_measures(big, [cell], found).rows
    assert rows["cost"].item() == pytest.approx(10_000 + 3 * 500)
    assert rows["net_cost"].item() is None
    assert rows["net_per_hour"].item() is None
    with pytest.raises(UsageError, match="wage of WELDING is not known"):
        plan.extra_hours(poor, "WELDING", 8.0, pay=1.5)
    with pytest.raises(UsageError, match="Did you mean 'WELDING'"):
        plan.extra_hours(network, "WELDIN", 8.0, pay=1.5)


# --- the plan -------------------------------------------------------------------------------------


def solved(options, *, budget=None, exit_rate=0.0):
    network = plant(exit_rate=exit_rate)
    case = plan.staffing(projected(network), network)
    return plan.solve(
        case.network,
        case.options(options(case.network)),
        [case.scenario],
        budget=budget,
        onsets=(0,),
        periods=case.periods,
        step=13,
        horizon=3,
        gap=0.0,
    )


def test_a_plan_feels_the_welder_who_is_missing():
    found = solved(measures, budget=0.0)
    assert found.chosen == ()
    # 10 of 20 machines a week are not made in 2027 and 2028
    assert found.expected_loss == pytest.approx(2 * 520 * PRICE)


def test_added_hours_are_not_lost_with_those_who_left():
    # The scenario takes half of the welders' capacity. Who is newly trained works in full: one
    # entrant of 1,000 a year is half a graduate, 20 hours a week, 5 machines a week.
    found = solved(lambda n: people.train_options(n, years=3), budget=3_000.0)
    assert found.chosen == ("school",)
    assert found.cost == pytest.approx(3_000)
    # in 2027 half a welder more (5 machines a week), in 2028 a whole one (10): 260 are not made
    assert found.expected_loss == pytest.approx(260 * PRICE)


def test_a_small_budget_takes_the_cheaper_measure_and_a_large_one_mends_all():
    little = solved(measures, budget=3_000.0)
    assert little.chosen == ("school",)
    enough = solved(measures)
    assert set(enough.chosen) >= {"school"}
    assert enough.expected_loss == pytest.approx(0.0, abs=1.0)


def test_a_cell_frees_hours_that_no_person_brings():
    # 1,040 of 4,160 hours: a machine takes 3 hours of welding in place of 4, so 40 hours make 40/3
    found = solved(lambda n: measures(n)[1:2])
    assert found.chosen == ("CELL",)
    assert found.expected_loss == pytest.approx(104 * (20 - 40 / 3) * PRICE, rel=1e-6)


def test_a_plan_begins_with_the_first_shortage():
    network = plant(welders=3.0)
    found = people.project(network, years=YEARS, output=2.0)
    with pytest.raises(UsageError, match="begins with the first shortage"):
        plan.staffing(found, network)


# --- the robot maker ------------------------------------------------------------------------------

DOUBLING = {2026: 1.0, 2029: 2.0}


def robot_maker():
    """Whose hours are those of the whole chain, as its table of occupations counts them."""
    return example("robot_maker").under_rule("shared")


def test_the_robot_maker_is_short_of_every_skill_at_once_and_engineers_are_short_longest():
    network = robot_maker()
    found = people.project(
        network, with_training_places(network), years=range(2026, 2031), output=DOUBLING
    )
    assert found.conservation < 1e-12
    assert (found.played.stock >= 0).all()
    assert (found.played.training >= 0).all()
    allowed = people.allowed_output(found)
    first = allowed.first_to_bind()
    assert first.height == 14
    assert first["year"].unique().to_list() == [2026]
    # one metallurgist where 1.58 are needed: 1 x 1650 hours / 2608.5
    assert first.row(0, named=True)["occupation"] == "SK_HEAT"
    assert first.row(0, named=True)["allowed"] == pytest.approx(1650 / 2608.5)
    # a degree of five years that begins in 2026 gives nobody before 2031
    gone = {"SK_PROC": 0.95, "SK_MENG": 0.95, "SK_CENG": 0.95, "SK_HEAT": 0.96}
    ends = found.to_frame().filter(pl.col("year") == 2030)
    people_end = dict(ends.select("occupation", "people_end").iter_rows())
    before = dict(network.tables["occupations"].select("occupation", "people").iter_rows())
    for skill, stays in gone.items():
        assert people_end[skill] == pytest.approx(before[skill] * stays**5)


def test_the_ranking_of_the_robot_maker_holds_what_each_measure_says_itself():
    network = robot_maker()
    found = people.project(network, years=range(2026, 2031), output=DOUBLING)
    big = found.network(network)
    training = people.train_options(
        network, with_training_places(network).drop("trainers_per_seat"), years=5
    )
    ranking = plan.rank_measures(big, training, found)
    rows = {row["measure"]: row for row in ranking.rows.iter_rows(named=True)}
    assert rows["SK_GRIND_TRAINING"]["first_year"] == 2029
    assert rows["SK_PROC_TRAINING"]["first_year"] is None
    assert rows["SK_PROC_TRAINING"]["cost_per_hour"] is None
    assembler = {o.label: o for o in training}["SK_ASM_TRAINING"]
    # 26 weeks long: in the fifth year four intakes are at work all year, the fifth for half of it
    weekly = [e.amount for e in assembler.effects]
    assert rows["SK_ASM_TRAINING"]["hours"] == pytest.approx(
        rows["SK_ASM_TRAINING"]["size"] * 52 * (sum(weekly[:4]) + weekly[4] / 2)
    )
    gaps = found.hours().with_columns(
        (pl.col("hours_needed") - pl.col("hours")).clip(lower_bound=0.0).alias("gap")
    )
    own = dict(gaps.group_by("product").agg(pl.col("gap").sum()).iter_rows())
    for row in rows.values():
        if row["skill"]:
            assert row["closed"] <= own[row["skill"]] * (1 + 1e-9)


def test_cells_of_the_robot_maker_free_their_share_of_the_hours_and_take_mechanics():
    # hours at 10,000 robots: assembly 60,000 + 30,000 at ARM and CTRL; grinding 12,000 + 9,000 +
    # 7,500 + 7,000; the output is twice as many
    network = robot_maker()
    found = people.project(network, years=range(2026, 2031), output=DOUBLING)
    big = found.network(network)
    ranking = plan.rank_measures(big, robot_cells(big), found)
    rows = {row["measure"]: row for row in ranking.rows.iter_rows(named=True)}
    assert rows["CELLS_ASM"]["hours"] == pytest.approx(0.35 * 2 * 90_000)
    assert rows["CELLS_GRIND"]["hours"] == pytest.approx(0.45 * 2 * 35_500)
    assert rows["CELLS_GRIND"]["first_year"] == 2027
    assert rows["CELLS_GRIND"]["needs"] == "80 ROBOT, 9,600 h SK_MAINT a year"
    assert rows["CELLS_ASM"]["net_cost"] == pytest.approx(
        rows["CELLS_ASM"]["cost"] - rows["CELLS_ASM"]["wages_spared"]
    )


def test_stocks_of_a_plan_for_people_are_those_of_the_first_year():
    network = robot_maker()
    found = people.project(network, years=range(2026, 2031), output=DOUBLING)
    held = found.network(network).tables["stocks"]["periods_of_use"]
    halved = plan.staffing(found, network).network.tables["stocks"]["periods_of_use"]
    assert halved.to_list() == pytest.approx((held / 2).to_list())


@pytest.mark.slow
def test_the_plan_of_the_robot_maker_keeps_its_budget_and_mends_more_with_more_money():
    network = robot_maker()
    found = people.project(
        network, with_training_places(network), years=range(2026, 2031), output=DOUBLING
    )
    case = plan.staffing(found, network)
    wider = with_training_places(network, times=10).drop("trainers_per_seat")
    trades = ("SK_ASM", "SK_CNC", "SK_FOUND", "SK_GRIND")
    skills = network.tables["occupations"].select("product", "people_needed").rows()
    bought = [
        plan.extra_hours(network, s, 30.0 * n, pay=2.5, ready="13w", kind="buy")
        for s, n in skills
        if s not in trades
    ]
    options = case.options([*people.train_options(network, wider, years=5), *bought])
    losses = []
    for budget in (0.0, 5e6, 20e6):
        mended = plan.solve(
            case.network, options, [case.scenario], budget=budget, onsets=(0,),
            periods=case.periods, step=52, horizon=5,
        )  # fmt: skip
        assert mended.cost <= budget * (1 + 1e-9)
        losses.append(mended.expected_loss)
    assert losses[0] > losses[1] > losses[2] > 0
