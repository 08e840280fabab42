"""People needed from a network, and their hours back as capacity of its skill nodes."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from withstand import people, plan, stress
from withstand.errors import UsageError
from withstand.examples import example, tiny_firms
from withstand.model.building import build_network
from withstand.model.hits import resolve
from withstand.model.network import ProductionNetwork
from withstand.model.option import Effect, Option
from withstand.model.settings import Settings

YEARS = range(2026, 2029)


def reducer_plant(**changes: pl.DataFrame) -> ProductionNetwork:
    """200 reducers a week at 2 hours of grinding: 10 grinders of 40 hours, a fifth leaves."""
    return build_network(
        {
            "products": pl.DataFrame(
                {"product": ["REDUCER", "SK_GRIND"], "kind": ["product", "skill"]}
            ),
            "nodes": pl.DataFrame(
                {
                    "node": ["REDUCER@HOME", "SK_GRIND@HOME"],
                    "product": ["REDUCER", "SK_GRIND"],
                    "region": ["HOME", "HOME"],
                    "final_demand": [200.0, 0.0],
                    "price": [50.0, 0.0],
                }
            ),
            "recipes": pl.DataFrame(
                {"buyer": ["REDUCER"], "input": ["SK_GRIND"], "quantity": [2.0]}
            ),
            "occupations": pl.DataFrame(
                {
                    "occupation": ["GRINDER"],
                    "product": ["SK_GRIND"],
                    "people": [10.0],
                    "hours_per_period": [40.0],
                    "exit_rate": [0.2],
                }
            ),
            **changes,
        },
        Settings(name="reducers", home="HOME", currency="EUR"),
    )


def test_robot_maker_needs_the_people_its_file_states() -> None:
    """The file rounds hours of the recipes over 1650 a year to whole people."""
    network = example("robot_maker")
    found = people.needs(network, [2026])
    stated = network.tables["occupations"]
    assert found["occupation"].to_list() == stated["occupation"].to_list()
    assert found["people"].round(0).to_list() == stated["people_needed"].to_list()
    assert found["hours"].to_list() == pytest.approx((found["people"] * 1650).to_list())


def test_hours_at_home_alone_need_fewer_people() -> None:
    network = example("robot_maker")
    whole = people.needs(network, [2026])["people"].to_numpy()
    at_home = people.needs(network, [2026], assume_recipe="none")["people"].to_numpy()
    assert (at_home <= whole + 1e-9).all()
    grinder = network.tables["occupations"]["occupation"].to_list().index("SK_GRIND")
    assert at_home[grinder] < 0.1 * whole[grinder]


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        (None, [10, 10, 10]),
        (2, [20, 20, 20]),
        ([1, 1.5, 0], [10, 15, 0]),
        ({2026: 1, 2028: 2}, [10, 15, 20]),
        ({2027: 3}, [30, 30, 30]),
    ],
)
def test_needs_follow_planned_output(output: object, expected: list[float]) -> None:
    found = people.needs(reducer_plant(), YEARS, output=output)  # type: ignore[arg-type]
    assert found["people"].to_list() == pytest.approx(expected)


def test_occupations_of_one_skill_share_its_hours_as_they_supply_them() -> None:
    occupations = pl.DataFrame(
        {
            "occupation": ["GRINDER", "SETTER"],
            "product": ["SK_GRIND", "SK_GRIND"],
            "people": [6.0, 3.0],
            "hours_per_period": [40.0, 20.0],
        }
    )
    found = people.needs(reducer_plant(occupations=occupations), [2026])
    assert found["people"].to_list() == pytest.approx([400 * 0.8 / 40, 400 * 0.2 / 20])
    assert found["hours"].sum() == pytest.approx(400 * 52)


def test_hours_not_stated_are_1650_a_year_and_said() -> None:
    occupations = reducer_plant().tables["occupations"].drop("hours_per_period")
    found = people.project(reducer_plant(occupations=occupations), years=YEARS)
    assert [f.code for f in found.findings] == ["N501"]
    assert found.hours()["hours"][0] == pytest.approx(10 * 1650)


# --- back into the engines -----------------------------------------------------------------------


def test_a_shortage_of_grinders_stops_reducers() -> None:
    """10, 8 and 6.4 grinders of 40 hours at 2 hours each: 200, 160 and 128 reducers a week."""
    network = reducer_plant()
    found = people.project(network, years=YEARS)
    run = stress.simulate(found.network(network), found.scenario(network), periods=156)
    made = run.output[:, 0].reshape(3, 52)
    assert made == pytest.approx(np.repeat([[200.0], [160.0], [128.0]], 52, axis=1))


def test_growing_demand_is_met_as_far_as_hours_allow() -> None:
    """Asked 150, 225, 300 (a multiple of .75, 1.125, 1.5); hours for 200, 160, 128."""
    network = reducer_plant()
    found = people.project(network, years=YEARS, output=[0.75, 1.125, 1.5])
    scaled = found.network(network)
    assert scaled.final_demand[0] == pytest.approx(300)
    assert scaled.capacity[1] == pytest.approx(600)  # what 300 reducers take
    run = stress.simulate(scaled, found.scenario(network), periods=156)
    made = run.output[:, 0].reshape(3, 52).mean(axis=1)
    assert made == pytest.approx([150, 160, 128])
    unmet = run.unmet[:, 0].reshape(3, 52).mean(axis=1)
    assert unmet == pytest.approx([0, 65, 172])


def test_trained_grinders_lift_output_when_they_come() -> None:
    """Four enter in 2026 for a year, complete in 2027 and grind from 2028 on: 6.4 + 4 people."""
    programmes = pl.DataFrame({"programme": ["P"], "occupation": ["GRINDER"], "duration": [52.0]})
    intakes = pl.DataFrame({"programme": ["P"], "year": [2026], "people": [4.0]})
    network = reducer_plant(programmes=programmes, intakes=intakes)
    found = people.project(network, years=YEARS)
    run = stress.simulate(found.network(network), found.scenario(network), periods=156)
    made = run.output[:, 0].reshape(3, 52).mean(axis=1)
    assert made == pytest.approx([200, 160, 200])  # 208 could be made, 200 are asked


def test_a_plan_feels_the_shortage() -> None:
    """Unmet for want of hours: (0 + 40 + 72) x 52 weeks x 50; more hours mend it."""
    network = reducer_plant()
    found = people.project(network, years=YEARS)
    hours = Effect(effect="add_node", node="SK_GRIND@NEW", product="SK_GRIND", region="HOME",
                   amount=144.0)  # fmt: skip
    train = Option(label="TRAIN", kind="train", cost_once=1000.0, effects=(hours,))
    chosen = plan.solve(
        found.network(network), [train], [found.scenario(network)],
        onsets=(0.0,), horizon=1, periods=156, step=52,
    )  # fmt: skip
    # a plan counts from the first shock, the beginning of 2027; after 2028 nothing is known
    assert chosen.losses_before.tolist() == pytest.approx([(40 + 72) * 52 * 50])
    assert chosen.chosen == ("TRAIN",)


def test_quarters_and_weeks_keep_step() -> None:
    """In quarters 10 grinders fall by .8^(1/4): capacity holds for 13 weeks each."""
    network = reducer_plant()
    found = people.project(network, years=YEARS, steps_per_year=4)
    hits = resolve(found.scenario(network), found.network(network), 156)
    factor = np.prod([h.factor for h in hits if h.kind == "node"], axis=0).reshape(12, 13)
    expected = 0.8 ** (np.arange(12) / 4)
    assert factor == pytest.approx(np.repeat(expected[:, None], 13, axis=1))


@pytest.mark.parametrize(
    ("period", "steps"), [("day", 4), ("month", 4), ("year", 4), ("quarter", 1)]
)
def test_every_period_has_the_mean_of_its_steps(period: str, steps: int) -> None:
    base = reducer_plant()
    network = build_network(base.tables, Settings(name="r", home="HOME", period=period))
    found = people.project(network, years=YEARS, steps_per_year=steps)
    scaled, scenario = found.network(network), found.scenario(network)
    n = round(3 * found.per_year)
    factor = np.prod([h.factor for h in resolve(scenario, scaled, n) if h.kind == "node"], axis=0)
    supplied = found.played.stock[:-1, 0].mean() * 40
    assert (factor * scaled.capacity[1]).mean() == pytest.approx(supplied)


def test_robot_maker_makes_what_its_scarcest_skill_allows() -> None:
    """Nobody leaves or trains: programmers (of robots) bind at once, metallurgists up the chain.

    One of 1.21 programmers and one of 1.58 metallurgists are there; stocks and lead times carry
    the latter for a while, then the whole chain runs at their hours.
    """
    network = example("robot_maker").under_rule("shared")
    staying = network.tables["occupations"].with_columns(exit_rate=pl.lit(0.0))
    network = network.with_changes({"occupations": staying})
    found = people.project(network, {"programme": [], "occupation": [], "duration": []},
                           range(2026, 2036))  # fmt: skip
    scaled = found.network(network)
    run = stress.simulate(scaled, found.scenario(network), periods=520)
    ratio = people_over_need(found, 2026)
    robot = network.index("nodes")["ROBOT@HOME"]
    made = run.output[:, robot] / scaled.output[robot]
    assert made[:52] == pytest.approx(np.full(52, ratio["SK_CAM"]))
    assert made[-52:] == pytest.approx(np.full(52, ratio["SK_HEAT"]))
    assert min(ratio, key=lambda skill: ratio[skill]) == "SK_HEAT"
    assert "SK_HEAT@HOME" in run.why("ROBOT@HOME", 519)["node"].to_list()


def people_over_need(found: people.Projection, year: int) -> dict[str, float]:
    rows = found.gaps().filter(pl.col("year") == year)
    return dict(zip(rows["occupation"], rows["people"] / rows["needed"], strict=True))


def test_an_economy_without_occupations_is_refused() -> None:
    with pytest.raises(UsageError, match="occupations"):
        people.needs(tiny_firms(), YEARS)


def test_a_network_that_nobody_works_for_is_refused() -> None:
    occupations = pl.DataFrame({"occupation": ["CLERK"], "people": [3.0]})
    network = reducer_plant(occupations=occupations)
    found = people.project(network, years=YEARS)
    with pytest.raises(UsageError, match="product"):
        found.network(network)
