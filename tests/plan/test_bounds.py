"""The programme against the simulation, the extensive form against cuts, and curves of budgets.

The class on which the programme never loses more than the simulation: one step a period; each
supplier with one lead time; essential inputs; shocks on regions, products and nodes; no stocks of
finished goods; options that add capacity, nodes or stock (one that changes flows, alone); rules of
the simulation with rerouting, without overtime. It is what `Verification.is_comparable` says.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from plan_cases import JAPAN, PERIODS, random_case, second_source, stockpile, two_tiers
from thoroughness import some_of
from withstand import plan
from withstand.errors import UsageError
from withstand.model.option import Effect, Option
from withstand.model.scenario import Scenario
from withstand.plan.planning import solve_problem
from withstand.plan.problem import problem_of
from withstand.programming.decomposition import CutStore
from withstand.stress.rules import Rules

OPTIONS = {"periods": PERIODS, "step": 1, "horizon": 1}


# --- programme and simulation ----------------------------------------------------------------


def verified(seed: int, rules: Rules | None = None) -> plan.Verification:
    network, options, scenarios, budget = random_case(seed)
    found = plan.solve(
        network, options, scenarios, budget=budget, horizon=2, periods=12, step=1, gap=1e-6
    )
    return plan.verify(found, rules=rules)


@pytest.mark.parametrize("seed", range(20))
def test_the_programme_never_loses_more_than_the_simulation(seed):
    checked = verified(1000 + seed)
    assert checked.rows["is_comparable"].all()
    assert checked.breaks.height == 0


@pytest.mark.slow
@pytest.mark.parametrize("rules", [Rules(reroute=True), Rules(), Rules(orders="made")])
def test_the_programme_never_loses_more_than_any_simulation_of_its_class(rules):
    some = 0
    seeds = some_of(range(2000, 2120), 20)
    for seed in seeds:
        checked = verified(seed, rules)
        assert checked.breaks.height == 0, seed
        some += checked.rows.filter(pl.col("simulated_after") > 1.0).height
    assert some > 0.8 * len(seeds)  # the cases do lose something


def test_what_cannot_be_compared_says_why():
    plain = plan.solve(two_tiers(), [second_source()], [JAPAN], **OPTIONS)
    assert plan.verify(plain).rows["reason"].to_list() == [""]
    over = plan.verify(plain, rules=Rules(reroute=True, alpha_max=1.2, alpha_periods=4.0))
    assert over.rows["reason"].to_list() == ["the simulation may do more"]
    wide = plan.solve(two_tiers(), [second_source()], [JAPAN], periods=10, step=2, horizon=1)
    assert "2 periods together" in plan.verify(wide).rows["reason"][0]
    link = Scenario.lose(link="maker>plant", duration="6w", name="link")
    linked = plan.solve(two_tiers(), [second_source()], [link], **OPTIONS)
    assert "pools links" in plan.verify(linked).rows["reason"][0]
    assert "W412" in {f.code for f in linked.findings}


def test_a_plan_may_be_played_on_another_network():
    found = plan.solve(two_tiers(), [second_source()], [JAPAN], **OPTIONS)
    other = plan.verify(found, two_tiers(stock=6.0))
    assert other.rows["reason"].to_list() == ["another network is played"]
    assert other.expected("simulated_before") == pytest.approx(0.0, abs=1e-6)


def test_shocks_that_begin_later_are_seen_from_their_first_one_on():
    late = replace(
        JAPAN,
        shocks=(
            *Scenario.lose(region="JP", start="40w", duration="2w").shocks,
            *Scenario.lose(region="JP", start="44w", duration="2w").shocks,
        ),
    )
    found = plan.solve(two_tiers(stock=0.0), [stockpile(cost=1e9)], [late], **OPTIONS)
    assert found.expected_loss == pytest.approx(4000.0)
    checked = found.verify()
    assert checked.breaks.height == 0
    assert checked.expected("simulated_before") >= 4000.0 - 1e-6


# --- extensive form and cuts -------------------------------------------------------------------


def medium(seed: int):
    """Several years, options that grow, wait, exclude each other and may fail."""
    rng = np.random.default_rng(seed)
    network, options, scenarios, budget = random_case(seed)
    changed = []
    for o in options:
        more = {}
        if rng.random() < 0.3 and not o.excludes:
            more["ready_periods"] = float(rng.integers(1, 80))
        if rng.random() < 0.2:
            more["cost_per_period"] = float(rng.uniform(0, 1))
        if rng.random() < 0.15:
            more["size"] = "continuous 2"
        changed.append(replace(o, **more))
    if rng.random() < 0.5:
        changed[0] = replace(changed[0], success_probability=0.6)
    risk = plan.Risk(weight=float(rng.choice([0.0, 0.7])), alpha=float(rng.choice([0.5, 0.9])))
    money = [budget / 3] * 3 if rng.random() < 0.5 else budget
    problem = problem_of(network, changed, scenarios, budget=money, years=3, periods=26, step=2)
    return problem, risk


def agree(seed: int) -> None:
    problem, risk = medium(seed)
    gap = 1e-4
    whole = solve_problem(problem, risk=risk, gap=gap, method="extensive")
    cuts = solve_problem(problem, risk=risk, gap=gap, method="decomposition")
    slack = 2 * gap * max(abs(whole.value), 1.0) + 1e-4
    assert abs(whole.value - cuts.value) <= slack, seed
    assert whole.bound <= cuts.value + slack
    assert cuts.bound <= whole.value + slack
    assert cuts.gap <= gap + 1e-9


@pytest.mark.parametrize("seed", range(5))
def test_extensive_form_and_cuts_agree(seed):
    agree(seed)


@pytest.mark.slow
@pytest.mark.parametrize("first", range(500, 550, 10))
def test_extensive_form_and_cuts_agree_on_fifty_plans(first):
    for seed in range(first, first + 10):
        agree(seed)


def test_any_number_of_threads_gives_the_same_answer():
    problem, risk = medium(7)
    one = solve_problem(problem, risk=risk, method="decomposition", jobs=1)
    two = solve_problem(problem, risk=risk, method="decomposition", jobs=2)
    assert one.value == two.value
    assert np.array_equal(one.solution.first, two.solution.first)
    assert np.array_equal(one.losses, two.losses)


@pytest.mark.parametrize("seconds", [1e-9, 0.05])
def test_when_time_runs_out_the_best_found_has_a_valid_bound(seconds):
    problem, risk = medium(11)
    best = solve_problem(problem, risk=risk, gap=1e-6, method="decomposition")
    hasty = solve_problem(problem, risk=risk, gap=0.0, method="decomposition", time_limit=seconds)
    assert hasty.is_found
    assert hasty.value >= best.bound - 1e-6
    assert hasty.bound <= best.value + 1e-6
    if hasty.gap > 1e-6:
        assert hasty.status == "limit"


# --- curves of budgets -----------------------------------------------------------------------


@pytest.mark.parametrize("money", [3000.0, [500.0, 800.0, 1700.0]])
@pytest.mark.parametrize("seed", [3, 21])
def test_the_curve_of_budgets_is_convex_and_the_worth_of_money_never_rises(seed, money):
    network, options, scenarios, _ = random_case(seed)
    first = plan.solve(
        network, options, scenarios, budget=money, horizon=3, periods=16, step=2,
        method="decomposition",
    )  # fmt: skip
    budgets = np.linspace(0.0, sum(o.cost_once for o in options), 12)
    curve = first.frontier(budgets)
    smooth, worth = curve.smooth, curve.worth
    slack = 1e-6 * max(1.0, float(np.abs(smooth).max()))
    assert (np.diff(smooth) <= slack).all()
    assert (np.diff(smooth, 2) >= -slack).all()
    assert (np.diff(worth) <= 1e-6).all()
    # the worth is a slope of the curve: it lies between the slopes on either side
    slopes = -np.diff(smooth) / np.diff(budgets)
    assert (worth[1:] <= slopes + 1e-5).all()
    assert (worth[:-1] >= slopes - 1e-5).all()
    values = np.array([p.value for p in curve.plans])
    assert (np.diff(values) <= slack).all()  # more money is never worse
    assert (values >= smooth - slack).all()


# --- rest ----------------------------------------------------------------------------------------


def test_a_written_programme_is_read_back_with_the_same_optimum(tmp_path):
    import highspy

    hostile = [
        replace(stockpile(), label="once_ budget_1"),
        replace(second_source(), label=".in_place_ ü_needs_x"),
    ]
    found = plan.solve(
        two_tiers(), hostile, [JAPAN], budget=[100.0, 500.0], risk=plan.Risk(weight=0.5, alpha=0.5),
        periods=PERIODS, step=1, horizon=2, gap=1e-9,
    )  # fmt: skip
    found.to_mps(tmp_path / "plan.mps")
    solver = highspy.Highs()
    solver.setOptionValue("output_flag", False)
    assert solver.readModel(str(tmp_path / "plan.mps")) == highspy.HighsStatus.kOk
    solver.run()
    assert solver.getInfo().objective_function_value == pytest.approx(found.value, rel=1e-7)
    words = set(found.blocking()["meaning"]) | set(found.worth_of_money().columns)
    assert words  # labels that look like rows of the programme do not confuse the tables


def test_options_that_together_would_take_away_more_than_there_is_leave_nothing_below_zero():
    """Each takes 60 % of the stock of parts (held in periods of use) by needing fewer parts."""
    less = [
        Option(
            label=label,
            kind="redesign",
            cost_once=1.0,
            effects=(
                Effect(
                    effect="change_recipe", buyer="PUMP", input="PART", amount=0.4, mode="scale"
                ),
            ),
        )
        for label in ("A", "B")
    ]
    for method in ("extensive", "decomposition"):
        found = plan.solve(two_tiers(), less, [JAPAN], method=method, gap=1e-9, **OPTIONS)
        assert found.status == "optimal"
        assert np.isfinite(found.losses).all()
        assert found.expected_loss < 4000.0


def test_an_option_that_takes_more_away_every_period_is_refused():
    shrinking = Option(
        label="LEAVE",
        cost_once=1.0,
        effects=(Effect(effect="add_capacity", node="maker", amount=-1.0, per_period=-0.1),),
    )
    net = two_tiers()
    roomy = net.tables["nodes"].with_columns(capacity=pl.Series([15.0, 0.0, 10.0]))
    with pytest.raises(UsageError, match="LEAVE"):
        plan.solve(net.with_changes({"nodes": roomy}), [shrinking], [JAPAN], **OPTIONS)


def test_cuts_and_points_of_one_budget_serve_the_next():
    network, options, scenarios, budget = random_case(5)
    problem = problem_of(network, options, scenarios, budget=budget, years=2, periods=16, step=2)
    store = CutStore()
    rich = solve_problem(problem, method="decomposition", store=store, gap=1e-6)
    again = solve_problem(problem, method="decomposition", store=store, gap=1e-6)
    assert again.value == pytest.approx(rich.value, rel=1e-9)
    assert again.solution.cuts == 0
