"""The period-by-period kernels against their slow twin, and by their invariants."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import naive_dynamics as naive
from dynamics_cases import (
    EVERYTHING,
    TOLERANCE,
    network_of,
    play,
    random_habits,
    random_network,
    random_shocks,
    rules_of,
    run,
    shocks_of,
    size_of,
    with_finished_goods,
)
from withstand.kernels import dynamics
from withstand.kernels.dynamics_arrays import (
    CONSUMED,
    HOURS,
    NetworkArrays,
    no_shocks,
    read_only,
    rule_arrays,
)
from withstand.kernels.dynamics_memory import new_record, new_work
from withstand.kernels.dynamics_production import BY_CAPACITY, BY_DEMAND

seeds = st.integers(0, 10**6)
# 1e-9 of the network's size: thirty periods of sums of up to ten terms round at 1e-14
AGREEMENT = 1e-9
# where orders move to and fro, rounding can grow tenfold a period for a while: one run in 4,000
# reaches 3e-7 within thirty periods
WITH_REROUTING = 1e-5


def full_case(seed):
    """Return a network with finished goods, shocks for thirty periods, and rules at random."""
    rng = np.random.default_rng(seed)
    network = random_network(rng)
    shocks = random_shocks(rng, network, 30)
    network = with_finished_goods(rng, network)
    return rng, network, shocks, random_habits(rng, network)


# --- against the twin --------------------------------------------------------------------------


def compare(network, shocks, habits):
    """Play with the kernel and with the twin; all that is recorded must agree."""
    computed = play(network, shocks, habits)
    reference = naive.simulate(network, shocks, len(computed.output), habits)
    for name in EVERYTHING:
        np.testing.assert_allclose(
            getattr(computed, name),
            getattr(reference, name),
            rtol=0,
            atol=AGREEMENT * size_of(network),
            err_msg=name,
        )
    assert np.array_equal(computed.limited_by, reference.limited_by)


@pytest.mark.parametrize("rule", ["made", "wanted"])
@pytest.mark.parametrize("seed", range(100))
def test_kernel_equals_its_twin(seed, rule):
    """Random small networks of every kind of input and shock, thirty periods; mechanisms off."""
    rng = np.random.default_rng(seed)
    network = random_network(rng)
    shocks = random_shocks(rng, network, 30)
    tau = float(rng.choice([1.0, 2.5, 6.0]))
    compare(network, shocks, naive.Habits(tau=tau, orders=rule))


@pytest.mark.parametrize("start", range(0, 400, 20))
def test_kernel_equals_its_twin_with_every_mechanism(start):
    """Rules, finished goods, named buyers, rerouting: on or off at random."""
    for seed in range(start, start + 20):
        _, network, shocks, habits = full_case(seed)
        compare(network, shocks, habits)


def test_the_random_networks_hold_every_kind_of_case():
    """Otherwise the twin would prove less than it says."""
    seen = {"limited": 0, "capacity": 0, "at once": 0, "late hours": 0, "mixed": 0, "free": 0}
    for seed in range(150):
        rng = np.random.default_rng(seed)
        network = random_network(rng)
        out = run(network, random_shocks(rng, network, 30))
        n_links = np.diff(network.links_indptr)
        is_hours = np.repeat(network.input_use, n_links) != CONSUMED
        is_at_once = is_hours & (network.link_lead_time == 0)
        link_input = np.repeat(np.arange(len(n_links)), n_links)
        at_once = np.bincount(link_input, is_at_once, len(n_links))
        seen["limited"] += np.any(out.limited_by >= 0)
        seen["capacity"] += np.any(out.limited_by == BY_CAPACITY)
        seen["at once"] += np.any(is_at_once)
        seen["late hours"] += np.any(is_hours & ~is_at_once)
        seen["mixed"] += np.any((at_once > 0) & (at_once < n_links))
        seen["free"] += np.any(n_links == 0)
    assert min(seen.values()) >= 20, seen


def test_every_mechanism_changes_some_of_the_random_runs():
    """Each one switched off alone gives other outputs in at least ten of 400 cases."""
    off = {
        "inputs": "classes",
        "psi": 0.0,
        "targets": "rest",
        "rationing": "proportional",
        "priority": (),
        "alpha_max": 1.0,
        "switch": None,
    }
    changed = dict.fromkeys((*off, "finished"), 0)
    for seed in range(400):
        _, network, shocks, habits = full_case(seed)
        full = play(network, shocks, habits).output
        for name, value in off.items():
            without = naive.Habits(**{**vars(habits), name: value})
            changed[name] += not np.allclose(play(network, shocks, without).output, full)
        bare = read_only(network._replace(finished=np.zeros(len(network.output))))
        changed["finished"] += not np.allclose(play(bare, shocks, habits).output, full)
    assert min(changed.values()) >= 10, changed


# --- invariants --------------------------------------------------------------------------------


@given(seed=seeds)
def test_without_shocks_the_baseline_lasts_for_ever(seed):
    """Two hundred periods, to 1e-9 of each value; nothing limits anybody; no order moves."""
    _, network, _, habits = full_case(seed)
    out = play(network, no_shocks(200), habits)
    at_rest = np.broadcast_to(network.output, out.output.shape)
    np.testing.assert_allclose(out.output, at_rest, rtol=1e-9, atol=0)
    assert np.all(out.limited_by == BY_DEMAND)
    assert np.all(np.abs(out.unmet) <= 1e-9 * size_of(network))
    assert np.all(out.alpha == 1.0)
    stored = np.where(network.input_use == CONSUMED, network.input_stock, 0.0)
    np.testing.assert_allclose(out.stock - stored, 0, atol=1e-9 * size_of(network))
    np.testing.assert_allclose(out.finished - network.finished, 0, atol=1e-9 * size_of(network))


@given(seed=seeds)
def test_nothing_is_created_and_no_stock_is_negative(seed):
    """Stock now = stock before + received - used; perishable inputs are used as received."""
    _, network, shocks, habits = full_case(seed)
    out = play(network, shocks, habits)
    stored = network.input_use == CONSUMED
    before = np.vstack([network.input_stock[None], out.stock[:-1]])
    change = (before + out.received - out.used - out.stock)[:, stored]
    assert np.all(np.abs(change) <= AGREEMENT * size_of(network))
    assert np.all(out.stock >= 0.0)
    assert np.all(out.finished >= 0.0)
    assert np.all(out.stock[:, ~stored] == 0.0)
    assert np.all(out.used[:, ~stored] <= out.received[:, ~stored])


@given(seed=seeds)
def test_deliveries_never_exceed_production_and_finished_goods(seed):
    """What is handed out = made + held before - held after; at most what was asked for.

    With a lead time of 1 everywhere, buyers together receive a period later what makers shipped.
    """
    rng, network, shocks, habits = full_case(seed)
    lead = np.ones(len(network.link_lead_time), np.int64)
    network = read_only(network._replace(link_lead_time=lead))
    network = with_finished_goods(rng, network)
    out = play(network, shocks, habits)
    close = AGREEMENT * size_of(network)
    held = np.vstack([network.finished[None], out.finished[:-1]])
    handed_out = out.output + held - out.finished
    met = network.final_demand * demand_factors(network, shocks) - out.unmet
    assert np.all(out.unmet >= 0.0)
    assert np.all(met <= handed_out + close)
    has_links = np.diff(network.links_indptr) > 0
    shipped = (handed_out - met).sum(axis=1)
    np.testing.assert_allclose(
        out.received[1:, has_links].sum(axis=1), shipped[:-1], rtol=0, atol=10 * close
    )


@given(seed=seeds)
def test_what_suppliers_deliver_is_what_buyers_receive_a_lead_time_later(seed):
    """Output - final demand met = deliveries = receipts of its buyers, each after its own lag.

    With one link per input, an input's receipts are that link's deliveries.
    """
    rng = np.random.default_rng(seed)
    network = random_network(rng, single_links=True)
    n_periods = 30
    shocks = random_shocks(rng, network, n_periods)
    out = play(network, shocks, random_habits(rng, network))
    met = network.final_demand * demand_factors(network, shocks) - out.unmet
    later = 4  # more than the longest lead time
    received = np.zeros((n_periods - later, len(network.output)))
    for i, supplier in enumerate(network.link_supplier):
        is_stored = network.input_use[i] == CONSUMED
        lag = max(network.link_lead_time[i], 1 if is_stored else 0)
        received[:, supplier] += out.received[lag : lag + n_periods - later, i]
    difference = (out.output - met)[: n_periods - later] - received
    assert np.all(np.abs(difference) <= AGREEMENT * size_of(network))


def demand_factors(network, shocks):
    """Return what shocks leave of final demand, per period and node."""
    factor = np.ones((shocks.shock_factor.shape[1], len(network.output)))
    for s, row in enumerate(shocks.demand_shock_factor):
        first, last = shocks.demand_shock_indptr[s : s + 2]
        for n in shocks.demand_shock_node[first:last]:
            factor[:, n] *= row
    return factor


@given(seed=seeds, scale=st.sampled_from([2.0**-20, 0.125, 8.0, 2.0**20]))
def test_scaling_all_values_scales_all_results(seed, scale):
    """Other units: the same run bit for bit, for powers of two do not round."""
    _, network, shocks, habits = full_case(seed)
    values = ("output", "capacity", "final_demand", "finished", "input_stock", "input_target")
    scaled = read_only(
        network._replace(**{name: scale * getattr(network, name) for name in values})
    )
    out, out_scaled = play(network, shocks, habits), play(scaled, shocks, habits)
    for name in ("output", "unmet", "stock", "received", "used", "finished"):
        assert np.array_equal(getattr(out_scaled, name), scale * getattr(out, name)), name
    assert np.array_equal(out_scaled.alpha, out.alpha)
    assert np.array_equal(out.limited_by, out_scaled.limited_by)


@given(seed=seeds)
def test_relabelling_nodes_inputs_and_links_changes_nothing(seed):
    """Every level in a new order; sums round differently, hence no more than 1e-9."""
    rng, network, shocks, habits = full_case(seed)
    relabelled, node, need, link = relabel(rng, network)
    moved = read_only(
        shocks._replace(
            shock_node=np.argsort(node)[shocks.shock_node],
            link_shock_link=np.argsort(link)[shocks.link_shock_link],
            demand_shock_node=np.argsort(node)[shocks.demand_shock_node],
        )
    )
    changed = {
        "priority": tuple(np.argsort(node)[list(habits.priority)].tolist()),
        "weight": None if habits.weight is None else habits.weight[need],
        "switch": None if habits.switch is None else habits.switch[link],
    }
    out = play(network, shocks, habits)
    out_moved = play(relabelled, moved, naive.Habits(**{**vars(habits), **changed}))
    agreement = AGREEMENT if habits.switch is None else WITH_REROUTING
    close = {"rtol": 0, "atol": agreement * size_of(network)}
    for name in ("output", "unmet", "finished", "alpha"):
        np.testing.assert_allclose(getattr(out_moved, name), getattr(out, name)[:, node], **close)
    for name in ("stock", "received", "used"):
        np.testing.assert_allclose(getattr(out_moved, name), getattr(out, name)[:, need], **close)


def relabel(rng, network):
    """Return the network in a random order, and the old index of each new node, input, link."""
    node = rng.permutation(len(network.output))
    need, link = [], []
    for n in node:
        need.extend(rng.permutation(np.arange(*network.inputs_indptr[n : n + 2])))
    need = np.array(need, dtype=np.int64)
    for i in need:
        link.extend(rng.permutation(np.arange(*network.links_indptr[i : i + 2])))
    link = np.array(link, dtype=np.int64)
    new_of_node = np.argsort(node)
    of_nodes = ("output", "capacity", "final_demand", "finished")
    of_inputs = ("coefficient", "class", "use", "stock", "target")
    relabelled = NetworkArrays(
        **{name: getattr(network, name)[node] for name in of_nodes},
        **{f"input_{name}": getattr(network, f"input_{name}")[need] for name in of_inputs},
        inputs_indptr=np.append(0, np.cumsum(np.diff(network.inputs_indptr)[node])),
        links_indptr=np.append(0, np.cumsum(np.diff(network.links_indptr)[need])),
        link_supplier=new_of_node[network.link_supplier[link]],
        link_share=network.link_share[link],
        link_lead_time=network.link_lead_time[link],
        hours_order=new_of_node[network.hours_order],
    )
    return read_only(relabelled), node, need, link


@given(seed=seeds)
def test_rules_that_are_off_change_nothing(seed):
    """A psi of 0, no overcapacity, a time to switch beyond the run: bit for bit as without."""
    rng = np.random.default_rng(seed)
    network = random_network(rng)
    shocks = random_shocks(rng, network, 30)
    never = np.full(len(network.link_supplier), 1000.0)
    plain = run(network, shocks, 2.0)
    off = run(network, shocks, 2.0, psi=0.0, alpha_max=1.0, alpha_periods=3.0, switch=never)
    if np.all(off.alpha == 1.0):
        for name in ("output", "unmet", "limited_by", "stock"):
            assert np.array_equal(getattr(plain, name), getattr(off, name))


# --- the call ----------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(20))
def test_a_run_in_blocks_is_the_run_at_once_bit_for_bit(seed):
    """State lasts from block to block; a workspace that was used before begins at rest again."""
    _, network, shocks, habits = full_case(seed)
    whole = play(network, shocks, habits)
    rules = rules_of(network, habits)
    work = new_work(network, rules)
    for cuts in ((0, 30), (0, 1, 7, 8, 30)):
        for start, stop in pairwise(cuts):
            block = new_record(network, stop - start, EVERYTHING)
            dynamics.simulate(network, shocks, rules, work, block, start, stop)
            for name in EVERYTHING:
                assert np.array_equal(getattr(block, name), getattr(whole, name)[start:stop])


@pytest.mark.parametrize("seed", range(20))
def test_threads_change_nothing_bit_for_bit(seed):
    _, network, shocks, habits = full_case(seed)
    one, rules = play(network, shocks, habits), rules_of(network, habits)
    out = new_record(network, 30, EVERYTHING)
    dynamics.simulate(network, shocks, rules, new_work(network, rules), out, threads=3)
    for name in EVERYTHING:
        assert np.array_equal(getattr(out, name), getattr(one, name))


def test_what_is_not_asked_for_is_not_recorded():
    _, network, shocks, habits = full_case(3)
    whole, rules = play(network, shocks, habits), rules_of(network, habits)
    nodes, inputs = np.array([1, 2]), np.array([0])
    out = new_record(network, 30, ("output", "stock"), nodes=nodes, inputs=inputs)
    dynamics.simulate(network, shocks, rules, new_work(network, rules), out)
    assert np.array_equal(out.output, whole.output[:, nodes])
    assert np.array_equal(out.stock, whole.stock[:, inputs])
    assert out.unmet.shape == (0, 2)
    assert out.received.shape == (0, 1)


@pytest.mark.parametrize("nodes", [[], [(5, 8, 5, [])]])
def test_a_network_without_inputs_runs(nodes):
    """No inputs, no links; and no nodes at all."""
    out = run(network_of(nodes), no_shocks(2))
    assert out.output.tolist() == [[node[0] for node in nodes]] * 2


def status_of(network, n_periods=2):
    rules = rule_arrays(network, stock_adjustment=4.0, is_wanted=False, tolerance=TOLERANCE)
    work, out = new_work(network, rules), new_record(network, n_periods)
    return dynamics.simulate(network, no_shocks(n_periods), rules, work, out)


def people(lead_time=0):
    """Firm 0 takes hours of people 1."""
    need = {"a": 1.0, "use": HOURS, "links": [(1, 1.0, lead_time)]}
    return network_of([(6, 9, 6, [need]), (6, 8, 0, []), (4, 4, 4, [])])


@pytest.mark.parametrize("order", [[1, 0, 2], [0, 1, 1], [0, 1, 9], [0, 1]])
def test_an_order_that_is_no_order_is_told(order):
    """People 1 come before their user 0; a node twice; a node that is not; one missing."""
    network = read_only(people()._replace(hours_order=order))
    assert status_of(network) == dynamics.STATUS_HOURS_ORDER


def test_a_node_cannot_supply_its_own_hours_within_the_period():
    """A lead time of 1 would be a contract with itself, and is allowed."""
    for lead_time, expected in ((0, dynamics.STATUS_HOURS_ORDER), (1, dynamics.STATUS_DONE)):
        need = {"a": 0.1, "use": HOURS, "links": [(0, 1.0, lead_time)]}
        assert status_of(network_of([(10, 10, 9, [need])])) == expected


@pytest.mark.parametrize(
    ("name", "value"), [("input_stock", np.nan), ("capacity", -1.0), ("input_coefficient", np.nan)]
)
def test_arrays_that_are_no_numbers_are_told(name, value):
    """They do not spread through the run unseen."""
    need = {"a": 1.0, "stock": 20.0, "links": [(0, 1.0, 1)]}
    chain = network_of([(10, 15, 0, []), (10, 12, 10, [need])])
    values = getattr(chain, name).copy()
    values[-1] = value
    assert status_of(read_only(chain._replace(**{name: values}))) == dynamics.STATUS_NO_NUMBER


def test_read_only_neither_copies_what_fits_nor_cuts_what_does_not():
    """The caller's array stays writable; a lead time of 1.5 is not silently 1."""
    values = np.ones(3)
    network = read_only(people()._replace(output=values))
    assert np.shares_memory(network.output, values)
    assert values.flags.writeable
    assert not network.output.flags.writeable
    with pytest.raises(TypeError):
        read_only(people()._replace(link_lead_time=[1.5]))


def test_shocks_of_length_zero_are_no_shocks():
    assert shocks_of(4).shock_factor.shape == (0, 4)
