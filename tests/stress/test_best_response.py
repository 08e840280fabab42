"""The best response: never above the simulation; times to survive against hand, tree and twin."""

import numpy as np
import polars as pl
import pytest

import naive_response as naive
from thoroughness import some_of
from withstand.errors import ScenarioError, SolverError, UsageError
from withstand.examples import tiny
from withstand.model.building import build_network
from withstand.model.hits import resolve
from withstand.model.scenario import Scenario, Shock
from withstand.model.settings import Settings
from withstand.stress.affected_nodes import Reach
from withstand.stress.arrays import network_arrays
from withstand.stress.best_response import is_at_rest, respond
from withstand.stress.brackets import bracket
from withstand.stress.response_programme import parts_of, programme_of
from withstand.stress.simulation import simulate
from withstand.stress.steady_response import SteadyProgramme
from withstand.stress.survival_times import survival

CLOSE = 1e-9


def chain(*, stock=2.0, lead=1.0, capacity=10.0, final=(0.0, 10.0), **links):
    """A mill feeds a plant that makes 10 a week from 10 steel."""
    return build_network(
        {
            "nodes": pl.DataFrame(
                {"node": ["mill", "plant"], "product": ["STEEL", "GEAR"], "region": ["JP", "HOME"],
                 "final_demand": list(final), "capacity": [capacity, 10.0], "price": [1.0, 5.0]}
            ),
            "recipes": pl.DataFrame({"buyer": ["GEAR"], "input": ["STEEL"], "quantity": [1.0]}),
            "links": pl.DataFrame({"supplier": ["mill"], "buyer": ["plant"], "share": [1.0],
                                   "lead_time": [lead], **links}),
            "stocks": pl.DataFrame({"node": ["plant"], "product": ["STEEL"],
                                    "periods_of_use": [stock]}),
        },
        Settings(name="chain", home="HOME"),
    )  # fmt: skip


def two_mills(*, leads=(1.0, 1.0), shares=(0.5, 0.5), capacity=(10.0, 10.0), stock=0.0):
    """Two mills feed a plant that makes 10 a week from 10 steel."""
    return build_network(
        {
            "nodes": pl.DataFrame(
                {"node": ["plant", "near", "far"], "product": ["GEAR", "STEEL", "STEEL"],
                 "region": ["HOME", "HOME", "JP"], "final_demand": [10.0, 0.0, 0.0],
                 "capacity": [10.0, *capacity], "price": [5.0, 1.0, 1.0]}
            ),
            "recipes": pl.DataFrame({"buyer": ["GEAR"], "input": ["STEEL"], "quantity": [1.0]}),
            "links": pl.DataFrame({"supplier": ["near", "far"], "buyer": ["plant", "plant"],
                                   "share": list(shares), "lead_time": list(leads)}),
            "stocks": pl.DataFrame({"node": ["plant"], "product": ["STEEL"],
                                    "periods_of_use": [stock]}),
        },
        Settings(name="two mills", home="HOME"),
    )  # fmt: skip


def out(node, **times):
    return Scenario(name=f"without {node}", shocks=(Shock(node=node, **times),))


def lost(network, scenario, periods, **options):
    return respond(network, scenario, periods=periods, **options).loss_in_periods


# --- by hand -----------------------------------------------------------------------------------


def test_pipeline_and_stock_carry_the_plant():
    """One period under way and two of stock: three are met, two of five lost: 20 gears at 5."""
    best = respond(chain(), out("mill"), periods=5)
    assert best.unmet.sum() == pytest.approx(20)
    assert best.loss == pytest.approx(100)
    assert best.met.tolist() == pytest.approx([1, 1, 1, 0, 0])


def test_a_recovered_mill_refills_nothing_that_is_lost():
    """Out for 4 of 10 periods: pipeline 1, stock 2, the first new steel arrives in period 5."""
    best = respond(chain(), out("mill", duration=4.0), periods=10)
    assert best.loss_in_periods == pytest.approx(2)


def test_capacity_catches_up_before_a_second_gap_that_is_foreseen():
    """Out in 0-2 and 4-5: 40 or, with capacity 20 in period 3, 50 gears of steel in 7 periods."""
    shocks = (Shock(node="mill", duration=3.0), Shock(node="mill", start=4.0, duration=2.0))
    twice = Scenario(name="twice", shocks=shocks)
    assert lost(chain(), twice, 7) == pytest.approx(3)
    assert lost(chain(capacity=20.0), twice, 7) == pytest.approx(2)


def test_nobody_builds_stock_before_a_shock():
    """A planner who foresees would lose less; the loss is that of an onset at 0."""
    network = chain(capacity=20.0)
    late = respond(network, out("mill", start=6.0), periods=12)
    assert late.loss_in_periods == pytest.approx(lost(network, out("mill"), 6))
    assert np.array_equal(late.output[:6], np.repeat(network.output[None], 6, axis=0))


def test_the_end_of_the_window_forces_nothing():
    """Without a hit nothing is lost in any window, and longer windows never lose less."""
    network = chain()
    idle = Scenario(name="idle", shocks=(Shock(node="mill", share=0.0),))
    losses = [lost(network, out("mill", duration=3.0), t) for t in range(1, 9)]
    assert losses == pytest.approx([0, 0, 0, 1, 1, 1, 1, 1])
    for t in (1, 2, 7):
        assert respond(network, idle, periods=t).unmet.sum() == 0


def test_link_limits_hold_and_other_makers_may_step_in():
    """The plant's link to one mill is cut; the other makes up only where it may."""
    network = two_mills(capacity=(5.0, 10.0))
    cut = Scenario(name="cut", shocks=(Shock(link="near>plant"),))
    assert lost(network, cut, 6, reroute=False) == pytest.approx(0)
    tight = two_mills(capacity=(5.0, 5.0))
    assert lost(tight, cut, 6, reroute=False) == pytest.approx(5 * 0.5)
    assert lost(tight, cut, 6, reroute=True) == pytest.approx(5 * 0.5)  # the link stays cut
    assert lost(tight, cut, 6, alpha_max=1.5) == pytest.approx(5 * 0.25)


def with_a_third_mill(*, allowed):
    network = two_mills(capacity=(5.0, 5.0))
    third = {"node": "third", "product": "STEEL", "region": "X", "final_demand": 0.0,
             "capacity": 5.0, "price": 1.0}  # fmt: skip
    nodes = pl.concat([network.tables["nodes"], pl.DataFrame([third])], how="diagonal_relaxed")
    regions = pl.DataFrame({"region": ["HOME", "JP", "X"], "allowed": [True, True, allowed]})
    return network.with_changes({"nodes": nodes, "regions": regions})


def test_rerouting_reaches_makers_without_a_link_if_the_law_allows():
    """They deliver after the buyer's fastest link, here one period, from the first on."""
    network = with_a_third_mill(allowed=True)
    assert lost(network, out("far"), 6, reroute=False) == pytest.approx(2.5)
    assert lost(network, out("far"), 6, reroute=True) == pytest.approx(0)
    forbidden = with_a_third_mill(allowed=False)
    assert lost(forbidden, out("far"), 6, reroute=True) == pytest.approx(2.5)


def test_people_serve_the_product_that_loses_more():
    """Six hours for two gears at 5 and two casts at 2, two hours each; half the people are out."""
    network = build_network(
        {
            "nodes": pl.DataFrame(
                {"node": ["g", "c", "people"], "product": ["G", "C", "H"], "region": ["R"] * 3,
                 "final_demand": [2.0, 2.0, 0.0], "price": [5.0, 2.0, 0.0]}
            ),
            "recipes": pl.DataFrame({"buyer": ["G", "C"], "input": ["H", "H"],
                                     "quantity": [2.0, 2.0], "use": ["hours", "hours"]}),
            "links": pl.DataFrame({"supplier": ["people"] * 2, "buyer": ["g", "c"],
                                   "share": [1.0, 1.0], "lead_time": [0.0, 0.0]}),
        },
        Settings(name="people"),
    )  # fmt: skip
    half = out("people", share=0.5, duration=1.0)
    best = respond(network, half, periods=3)
    assert best.unmet[0, :2].tolist() == pytest.approx([0, 2])
    given = respond(network, half, periods=3, loss=np.array([1.0, 2.0, 0.0]))
    assert given.unmet[0, :2].tolist() == pytest.approx([2, 0])
    assert survival(network).tts.tolist() == [0, 0, 0]


def test_margin_counts_the_price_less_the_inputs():
    """A gear at 5 with steel for 1 has a margin of 4; a stated value added comes first."""
    assert respond(chain(), out("mill"), periods=4, loss="margin").weight.tolist() == [1, 4]
    nodes = chain().tables["nodes"].with_columns(value_added=pl.Series([2.0, 30.0]))
    stated = chain().with_changes({"nodes": nodes})
    assert respond(stated, out("mill"), periods=4, loss="margin").weight.tolist() == [0.2, 3]


def test_what_helps_is_the_change_of_the_loss():
    """Against finite differences of the home mill's capacity and of the plant's stock."""
    network, scenario = tiny(), out("STEEL@JP", duration=12.0)
    best = respond(network, scenario, periods=12)
    node = network.index("nodes")["STEEL@HOME"]
    nodes = network.tables["nodes"]
    larger = nodes.with_columns(capacity=pl.Series([125.0, 120.0, 36.5]))
    moved = respond(network.with_changes({"nodes": larger}), scenario, periods=12)
    assert (best.loss - moved.loss) / 0.5 == pytest.approx(best.worth_of_capacity[node])
    stocks = pl.DataFrame({"node": ["*"], "product": ["STEEL"], "quantity": [361.0]})
    moved = respond(network.with_changes({"stocks": stocks}), scenario, periods=12)
    assert best.loss - moved.loss == pytest.approx(best.worth_of_stock[0])
    assert best.what_helps().height == 2


def test_without_final_demand_nothing_is_lost_and_it_says_so():
    network = chain(final=(0.0, 0.0))
    best = respond(network, out("mill"), periods=3)
    assert (best.loss, best.loss_in_periods) == (0, 0)
    assert [f.code for f in best.findings] == ["W212"]
    result = survival(network, recovery=3)
    assert np.isinf(result.tts).all()
    assert [f.code for f in result.findings] == ["W212"]
    assert result.pi.tolist() == [0, 0]
    assert result.rei.tolist() == [0, 0]


@pytest.mark.parametrize("bad", [{"periods": 0}, {"periods": 2.5}, {"periods": True},
                                 {"loss": "profit"}, {"loss": np.ones(3)},
                                 {"loss": np.array([1.0, -1.0])}, {"alpha_max": 0.9},
                                 {"alpha_max": np.nan}])  # fmt: skip
def test_impossible_arguments_are_refused(bad):
    with pytest.raises(UsageError):
        respond(chain(), out("mill"), **bad)


def test_an_unknown_node_is_a_finding():
    with pytest.raises(ScenarioError, match="mill"):
        respond(chain(), out("mil"))


def test_a_time_limit_that_is_reached_says_so():
    rng = np.random.default_rng(0)
    network = naive.random_network(rng)
    with pytest.raises(SolverError, match="limit"):
        respond(network, naive.random_scenario(rng, network), time_limit=0.0)


def test_summaries_say_whether_demand_is_met():
    assert "met throughout" in respond(chain(), out("mill"), periods=2).summary()
    best = respond(chain(), out("mill"), periods=5)
    assert "loses 2.0 weeks" in best.summary()
    assert best.to_frame()["loss"].sum() == pytest.approx(best.loss)


# --- never above the simulation ------------------------------------------------------------------


def random_case(seed, *, important=False):
    rng = np.random.default_rng(seed)
    network = naive.random_network(rng, important=important)
    return network, naive.random_scenario(rng, network)


def check_bracket(seed):
    """Essential inputs on even seeds, important ones among them on odd seeds."""
    network, scenario = random_case(seed, important=bool(seed % 2))
    run = simulate(network, scenario)
    losses = []
    for reroute in (False, True):
        best = respond(network, scenario, reroute=reroute)
        assert best.n_periods == run.n_periods
        both = bracket(best, run)
        assert both.is_comparable
        assert both.best <= both.simulated + 1e-7
        assert best.loss <= run.loss + 1e-7 * max(run.loss, 1.0)
        losses.append(both.best)
    assert losses[1] <= losses[0] + 1e-7
    return losses[0], run.loss_in_periods


@pytest.mark.parametrize("seed", range(60))
def test_the_best_response_never_loses_more_than_the_simulation(seed):
    check_bracket(seed)


@pytest.mark.slow
def test_many_cases_are_bracketed():
    """Most lose something, and coordination is worth something in many."""
    losses = np.array([check_bracket(2 * seed) for seed in some_of(range(500, 1500), 100)])
    assert (losses[:, 1] > 0.01).mean() > 0.5
    assert (losses[:, 0] < losses[:, 1] - 0.01).mean() > 0.3


@pytest.mark.slow
def test_many_cases_with_important_inputs_are_bracketed():
    for seed in some_of(range(500, 1500), 100):
        check_bracket(2 * seed + 1)


@pytest.mark.parametrize("start", range(0, 120, 20))
def test_a_simulated_path_satisfies_every_constraint(start):
    """Output, shipments, stocks, use and unmet demand of a run are put into the programme."""
    for seed in range(start, start + 20):
        network, scenario = random_case(seed, important=bool(seed % 2))
        run = simulate(network, scenario)
        hits = resolve(scenario, network, run.n_periods)
        left = {
            "node": np.ones((run.n_periods, network.n_nodes)),
            "link": np.ones((run.n_periods, network.n_links)),
            "demand": np.ones((run.n_periods, network.n_nodes)),
        }
        for hit in hits:
            left[hit.kind][:, hit.indices] *= hit.factor[:, None]
        arrays = network_arrays(network)
        shipments = naive.shipments_of(arrays, tuple(left.values()), run)
        for reroute in (False, True):
            parts = parts_of(network, reroute=reroute)
            rest = parts.final_demand @ network.unmet_value[parts.nodes]
            weight = network.unmet_value[parts.nodes] / rest
            built = programme_of(parts, network, hits, run.n_periods, weight)
            point = point_of(built, network, run, shipments)
            rows = built.matrix @ point
            assert np.all(rows >= built.row_lower - 1e-7)
            assert np.all(rows <= built.row_upper + 1e-7)
            assert np.all(point >= -1e-7)
            assert np.all(point <= built.upper + 1e-7)
            assert built.cost @ point == pytest.approx(run.loss_in_periods, abs=1e-9)


def point_of(built, network, run, shipments):
    """Return a simulated path as values of the programme's variables."""
    parts = built.parts
    point = np.zeros(len(built.cost))
    point[built.output] = run.output[:, parts.nodes] / parts.size
    served = parts.nodes[built.served]
    point[built.unmet] = run.unmet[:, served] / parts.final_demand[built.served]
    point[built.stock] = run.stock[:, parts.inputs[built.stored]] / parts.scale[built.stored]
    link = parts.links[built.shipped_link]
    is_old = link >= 0
    quantity = np.where(is_old, shipments[built.shipped_at, np.maximum(link, 0)], 0.0)
    point[built.shipped] = quantity / parts.scale[parts.link_input[built.shipped_link]]
    if len(built.softened):
        received = received_by(network, shipments)
        for column, k in enumerate(built.softened):
            i = parts.inputs[k]
            need = network.input_coefficient[i] * run.output[:, network.input_buyer[i]]
            used = np.minimum(need, received[:, i])  # hours
            if parts.is_consumed[k]:
                before = np.concatenate([[network.input_stock[i]], run.stock[:-1, i]])
                used = before + received[:, i] - run.stock[:, i]
            point[built.used[:, column]] = used / parts.scale[k]
    return point


def received_by(network, shipments):
    lead = network_arrays(network).link_lead_time
    received = np.zeros((len(shipments), network.n_inputs))
    for k, i in enumerate(network.link_input):
        for t in range(len(shipments)):
            at = t - lead[k]
            received[t, i] += shipments[at, k] if at >= 0 else network.link_flow[k]
    return received


def test_the_random_cases_hold_every_kind():
    """Otherwise the bracket would prove less than it says."""
    seen = dict.fromkeys(("late hours", "hours at once", "two makers", "spare", "link", "demand",
                          "node", "important", "no stock"), 0)  # fmt: skip
    for seed in range(60):
        network, scenario = random_case(seed, important=bool(seed % 2))
        assert is_at_rest(network)
        hours = network.input_use[network.link_input] == 1
        seen["late hours"] += bool((network.link_lead_time[hours] > 0).any())
        seen["hours at once"] += bool((network.link_lead_time[hours] == 0).any())
        seen["two makers"] += bool((np.diff(network.links_indptr) > 1).any())
        seen["spare"] += bool((network.capacity > 1.1 * network.output).any())
        seen["important"] += bool((network.input_class == 1).any())
        seen["no stock"] += bool((network.input_stock == 0).any())
        for hit in resolve(scenario, network, 20):
            seen[hit.kind] += 1
    assert min(seen.values()) >= 5, seen


def test_what_cannot_be_compared_is_said():
    network, scenario = chain(), out("mill", duration=4.0)
    run = simulate(network, scenario, periods=9)
    cases = {
        "different networks": respond(chain(stock=1.0), scenario, periods=9),
        "different shocks": respond(network, out("mill", duration=5.0), periods=9),
        "9": respond(network, scenario, periods=8),
        "another loss": respond(network, scenario, periods=9, loss="margin"),
    }
    for reason, best in cases.items():
        both = bracket(best, run)
        assert not both.is_comparable
        assert reason in both.reason
        assert np.isnan(both.value_of_coordination)
        assert "not comparable" in both.summary()
    assert "coordination" in bracket(respond(network, scenario, periods=9), run).summary()


# --- time to survive -----------------------------------------------------------------------------


def test_along_a_path_stocks_over_use_add_up():
    """A mill, a forge with 1.5 periods of steel, a plant with 2.25 of forgings; leads 3 and 2."""
    network = build_network(
        {
            "nodes": pl.DataFrame(
                {"node": ["mill", "forge", "plant"], "product": ["S", "F", "G"],
                 "region": ["R"] * 3, "final_demand": [0.0, 0.0, 4.0], "price": [1.0, 2.0, 9.0]}
            ),
            "recipes": pl.DataFrame({"buyer": ["F", "G"], "input": ["S", "F"],
                                     "quantity": [3.0, 2.0]}),
            "links": pl.DataFrame({"supplier": ["mill", "forge"], "buyer": ["forge", "plant"],
                                   "share": [1.0, 1.0], "lead_time": [3.0, 2.0]}),
            "stocks": pl.DataFrame({"node": ["forge", "plant"], "product": ["S", "F"],
                                    "periods_of_use": [1.5, 2.25]}),
        },
        Settings(name="path"),
    )  # fmt: skip
    result = survival(network, recovery=6)
    assert result.tts.tolist() == pytest.approx([8.75, 4.25, 0.0], abs=CLOSE)
    assert result.lag.tolist() == [5, 2, 0]
    # lost: the time out less the stocks on the way, times 4 gears at 9
    assert result.gap.tolist() == pytest.approx([2.25, 3.75, 6.0], abs=CLOSE)
    assert result.pi.tolist() == pytest.approx([81.0, 135.0, 216.0])
    assert result.rei.tolist() == pytest.approx([0.375, 0.625, 1.0])
    why = result.why("mill")
    assert why["cover"].to_list() == [None, 1.5, 2.25]
    assert why["short_after"].to_list() == [0.0, 4.5, 8.75]


def fork(stock):
    """One part feeds an assembly, which feeds two products with 1 and 5 periods of their own."""
    return build_network(
        {
            "nodes": pl.DataFrame(
                {"node": ["part", "hub", "a", "b"], "product": ["P", "H", "A", "B"],
                 "region": ["R"] * 4, "final_demand": [0.0, 0.0, 6.0, 2.0], "price": [1.0] * 4}
            ),
            "recipes": pl.DataFrame({"buyer": ["H", "A", "B"], "input": ["P", "H", "H"],
                                     "quantity": [1.0, 1.0, 1.0]}),
            "links": pl.DataFrame({"supplier": ["part", "hub", "hub"], "buyer": ["hub", "a", "b"],
                                   "share": [1.0] * 3, "lead_time": [1.0, 1.0, 1.0]}),
            "stocks": pl.DataFrame({"node": ["hub", "a", "b"], "product": ["P", "H", "H"],
                                    "quantity": [stock, 6.0, 10.0]}),
        },
        Settings(name="fork"),
    )  # fmt: skip


@pytest.mark.parametrize(("stock", "expected"), [(4.0, 4.0), (16.0, 6.0), (32.0, 8.0)])
def test_a_node_that_feeds_branches_pools_its_stock(stock, expected):
    """S = 8 under way + stock; t_a = 2, t_b = 6: S = 6 (t - 2) up to 6, then 8 a period."""
    network = fork(stock)
    assert survival(network).tts[0] == pytest.approx(expected, abs=CLOSE)
    assert naive.tree_survival(network, 0) == pytest.approx(expected, abs=CLOSE)


@pytest.mark.parametrize("seed", range(60))
def test_closed_form_and_programme_equal_the_oracle_on_trees(seed):
    """To 1e-9; the products have one maker each, and parts are shared."""
    rng = np.random.default_rng(seed)
    network = naive.random_network(rng, alternatives=False)
    expected = np.array([naive.tree_survival(network, n) for n in range(network.n_nodes)])
    result = survival(network)
    assert set(result.how) <= {"closed form", "not needed"}
    np.testing.assert_allclose(result.tts, expected, rtol=0, atol=CLOSE)
    parts = parts_of(network)
    reach = Reach(parts)
    for n in range(len(parts.nodes)):
        for affected in (reach.of([n], np.inf, divert=False), reach.everything([n])):
            time = SteadyProgramme(reach, affected, parts.final_demand).time()
            np.testing.assert_allclose(time, expected[parts.nodes[n]], rtol=0, atol=CLOSE)


@pytest.mark.parametrize("seed", range(25))
def test_on_trees_the_periods_agree(seed):
    """`respond` loses nothing in the whole periods survived, and something in the next."""
    rng = np.random.default_rng(seed)
    network = naive.random_network(rng, alternatives=False)
    result = survival(network)
    for n in np.flatnonzero(np.isfinite(result.tts)):
        scenario, whole = out(str(result.labels[n])), int(result.tts[n] + CLOSE)
        if whole:
            assert lost(network, scenario, whole) <= 1e-7
        assert lost(network, scenario, whole + 1) > 1e-7


@pytest.mark.parametrize("divert", [False, True])
@pytest.mark.parametrize("seed", range(25))
def test_the_programme_of_totals_equals_its_twin(seed, divert):
    """And leaving out who is not affected changes nothing."""
    rng = np.random.default_rng(seed)
    network = naive.random_network(rng, important=bool(seed % 2))
    parts = parts_of(network)
    reach = Reach(parts)
    weight = rng.uniform(0.5, 2.0, network.n_nodes) / parts.final_demand.sum()
    whole = SteadyProgramme(reach, reach.everything([0]), weight[parts.nodes])
    for n in range(len(parts.nodes)):
        affected = reach.of([n], np.inf, divert=divert)
        programme = SteadyProgramme(reach, affected, weight[parts.nodes])
        failed = {int(parts.nodes[n])}
        for t in rng.uniform(0, 25, 2):
            expected = naive.steady_loss(network, failed, t, weight, divert)
            assert programme.least_loss(t) == pytest.approx(expected, abs=1e-8)
        if divert:
            whole.fail([n])
            np.testing.assert_allclose(programme.time(), whole.time(), rtol=0, atol=1e-7)


@pytest.mark.parametrize("seed", range(40))
def test_totals_respond_and_simulation_are_in_order(seed):
    """pi <= loss of respond <= loss of simulate; no answer lasts longer than tts."""
    rng = np.random.default_rng(seed)
    network = naive.random_network(rng, important=bool(seed % 2))
    ttr = int(rng.integers(1, 10))
    result = survival(network, recovery=float(ttr), divert=True)
    for n in range(network.n_nodes):
        node, window = str(result.labels[n]), int(ttr + result.lag[n])
        scenario = out(node, duration=float(ttr))
        best = respond(network, scenario, periods=window, reroute=False)
        run = simulate(network, scenario, periods=window)
        scale = max(run.loss, 1.0)
        assert result.pi[n] <= best.loss + 1e-7 * scale
        assert best.loss <= run.loss + 1e-7 * scale
        if result.tts[n] < 40:
            later = int(result.tts[n] + 1e-6) + 1
            short = respond(network, out(node), periods=later, reroute=False)
            assert short.unmet.sum() > 0


@pytest.mark.parametrize("seed", range(20))
def test_contracts_only_shorten_the_time(seed):
    network = naive.random_network(np.random.default_rng(seed))
    kept, diverted = (survival(network, recovery=6, divert=d) for d in (False, True))
    assert (kept.tts <= diverted.tts + 1e-7).all()
    assert (kept.pi >= diverted.pi - 1e-7 * max(kept.pi.max(), 1.0)).all()


def test_a_gap_before_the_other_supplier_delivers_is_not_forgotten():
    """The near mill stops; the far one could make all, but its extra steel comes in period 10.

    Under way are 1 x 5 and 10 x 5; in total over 20 periods nothing would be missing.
    """
    network = two_mills(leads=(1.0, 10.0), capacity=(10.0, 20.0))
    assert survival(network).tts.tolist() == pytest.approx([0, 1, np.inf])
    for t in (1, 2):
        scenario = out("near")
        assert (lost(network, scenario, t) > 1e-9) == (t > 1)


def test_another_supplier_bridges_in_part():
    """3 periods of stock, far lacks half of 5 missing: 1 + (30 + ...) worked out below.

    10 t = 30 + 5 + 20 + 7.5 (t - 4): 2.5 t = 25, t = 10.
    """
    network = two_mills(leads=(1.0, 4.0), capacity=(10.0, 7.5), stock=3.0)
    result = survival(network)
    assert result.tts[1] == pytest.approx(10.0, abs=CLOSE)
    assert result.how[1] == "programme"
    assert lost(network, out("near"), 10) == pytest.approx(0, abs=1e-9)
    assert lost(network, out("near"), 11) == pytest.approx(0.25)


def test_a_lag_counts_on_both_sides():
    """No stock, 4 periods under way, 3 out: TTS 4 > TTR 3, and yet 3 periods of demand are lost."""
    network = chain(stock=0.0, lead=4.0)
    result = survival(network, recovery=3)
    assert (result.tts[0], result.ttr[0], result.gap[0]) == (4, 3, 3)
    assert result.is_exposed[0]
    run = simulate(network, out("mill", duration=3.0))
    assert run.loss_in_periods == pytest.approx(3)
    assert result.pi[0] == pytest.approx(run.loss)


def test_hours_last_as_long_as_they_were_contracted():
    """None at once, three periods with a lead time of three."""
    for lead in (0.0, 3.0):
        network = build_network(
            {
                "nodes": pl.DataFrame({"node": ["plant", "people"], "product": ["G", "H"],
                                       "region": ["R", "R"], "final_demand": [10.0, 0.0]}),
                "recipes": pl.DataFrame({"buyer": ["G"], "input": ["H"], "quantity": [0.5],
                                         "use": ["hours"]}),
                "links": pl.DataFrame({"supplier": ["people"], "buyer": ["plant"],
                                       "share": [1.0], "lead_time": [lead]}),
            },
            Settings(name="hours"),
        )  # fmt: skip
        assert survival(network).tts.tolist() == [0, lead]


def test_what_nobody_needs_is_never_missed():
    """A node beside the chain, and one with a share of 0."""
    nodes = {"node": ["other"], "product": ["STEEL"], "region": ["JP"], "final_demand": [0.0],
             "capacity": [5.0], "price": [1.0]}  # fmt: skip
    network = chain()
    wide = network.with_changes(
        {"nodes": pl.concat([network.tables["nodes"], pl.DataFrame(nodes)], how="diagonal_relaxed")}
    )
    result = survival(wide, recovery=2)
    assert np.isinf(result.tts[2])
    assert result.how[2] == "not needed"
    assert result.pi[2] == 0
    assert result.why("other").height == 0


def test_groups_fail_together():
    """Each mill can replace the other; the two together cannot be replaced."""
    network = two_mills(stock=2.0)
    assert np.isinf(survival(network).tts[1:]).all()
    product = survival(network, kind="product", recovery={"STEEL": "5w"})
    assert dict(zip(product.labels, product.tts, strict=True)) == {"GEAR": 0.0, "STEEL": 3.0}
    assert np.isnan(product.pi[0])
    assert product.pi[1] == pytest.approx(3 * 10 * 5)
    region = survival(network, kind="region", nodes=["JP"])
    assert region.to_frame().columns[:2] == ["region", "nodes"]
    assert region.to_frame().height == 1


def test_sites_and_companies_fail_together():
    network = two_mills(stock=2.0)
    nodes = network.tables["nodes"].with_columns(
        site=pl.Series(["S1", "S2", "S2"]), company=pl.Series([None, "A", "A"], dtype=pl.String)
    )
    network = network.with_changes({"nodes": nodes})
    assert survival(network, kind="site").tts.tolist() == [0, 3]
    assert survival(network, kind="company").tts.tolist() == [3]


def test_recovery_comes_from_the_nodes_unless_given():
    network = chain()
    nodes = network.tables["nodes"].with_columns(recovery_periods=pl.Series([4.0, None]))
    own = network.with_changes({"nodes": nodes})
    assert survival(own).ttr[0] == 4
    assert np.isnan(survival(own).ttr[1])
    assert survival(own, recovery={"plant": "2 weeks"}).ttr.tolist() == [4, 2]
    assert survival(own, recovery="3w").ttr.tolist() == [3, 3]
    assert "not known" in survival(network).summary()
    assert survival(network).top(1)["node"].to_list() == ["plant"]


@pytest.mark.parametrize("bad", [{"kind": "planet"}, {"nodes": ["mil"]}, {"alpha_max": 0.0},
                                 {"recovery": {"mil": 2.0}}, {"recovery": -1.0},
                                 {"loss": "nothing"}])  # fmt: skip
def test_impossible_arguments_of_survival_are_refused(bad):
    with pytest.raises(UsageError):
        survival(chain(), **bad)


def test_why_of_an_unknown_node_names_the_nearest():
    with pytest.raises(UsageError, match="plant"):
        survival(chain()).why("plnt")


def test_two_workers_and_any_chunk_give_the_same_numbers(monkeypatch):
    """Bit for bit; progress is told once a chunk."""
    network = naive.random_network(np.random.default_rng(5))
    alone = survival(network, recovery=5)
    monkeypatch.setattr("withstand.stress.survival_times.CHUNK", 2)
    told = []
    together = survival(network, recovery=5, jobs=2, progress=lambda *n: told.append(n))
    assert np.array_equal(alone.tts, together.tts)
    assert np.array_equal(alone.pi, together.pi)
    assert told[-1] == (network.n_nodes, network.n_nodes)


@pytest.mark.parametrize("seed", range(10))
def test_one_shared_programme_gives_the_same_times(seed, monkeypatch):
    """Large networks keep one programme in the solver and change its bounds from node to node."""
    network = naive.random_network(np.random.default_rng(seed))
    apart = survival(network, recovery=5, divert=True)
    monkeypatch.setattr("withstand.stress.survival_times.MOST_APART", 0)
    shared = survival(network, recovery=5, divert=True)
    assert set(shared.how) <= {"whole programme", "not needed"}
    np.testing.assert_allclose(shared.tts, apart.tts, rtol=0, atol=1e-7)
    np.testing.assert_allclose(shared.pi, apart.pi, rtol=1e-7, atol=1e-7)


@pytest.mark.parametrize("scale", [1e-6, 1e6])
def test_scaling_quantities_changes_no_time(scale):
    """Grams or tonnes: the same times, impacts in proportion."""
    network = naive.random_network(np.random.default_rng(3))
    tables = dict(network.tables)
    columns = [pl.col(c) * scale for c in ("final_demand", "capacity")]
    tables["nodes"] = tables["nodes"].with_columns(columns)
    scaled = network.with_changes(tables)
    one, other = survival(network, recovery=7), survival(scaled, recovery=7)
    np.testing.assert_allclose(other.tts, one.tts, rtol=1e-7)
    np.testing.assert_allclose(other.pi, one.pi * scale, rtol=1e-7)
    scenario = naive.random_scenario(np.random.default_rng(3), network)
    assert respond(scaled, scenario).loss_in_periods == pytest.approx(
        respond(network, scenario).loss_in_periods, abs=1e-7
    )
