"""The period-by-period kernel: by hand, against its slow twin, and by its invariants."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import naive
from withstand.kernels import dynamics
from withstand.kernels.dynamics import (
    BY_CAPACITY,
    BY_DEMAND,
    CONSUMED,
    ESSENTIAL,
    HOSTED,
    HOURS,
    IMPORTANT,
    MINOR,
    ORDERS_FOLLOW_USE,
    ORDERS_FOLLOW_WANTED,
    STATUS_DONE,
    STATUS_HOURS_ORDER,
    STATUS_NO_NUMBER,
)

TOLERANCE = 1e-9  # far above rounding (1e-15), far below what anybody would call a shortage
RULES = {"use": ORDERS_FOLLOW_USE, "wanted": ORDERS_FOLLOW_WANTED}
seeds = st.integers(0, 10**6)
# 1e-9 of the network's size: thirty periods of sums of up to ten terms round at 1e-14
AGREEMENT = 1e-9


# --- small networks ----------------------------------------------------------------------------


def network_of(nodes, order=None):
    """Build arrays from nodes: (output, capacity, final demand, inputs).

    An input is a dictionary: a, class, use, stock, target (default: stock) and links, a list of
    (supplier, share, lead time).
    """
    inputs = [need for node in nodes for need in node[3]]
    links = [link for need in inputs for link in need["links"]]
    return dynamics.read_only(
        dynamics.NetworkArrays(
            output=[node[0] for node in nodes],
            capacity=[node[1] for node in nodes],
            final_demand=[node[2] for node in nodes],
            inputs_indptr=np.cumsum([0] + [len(node[3]) for node in nodes]),
            input_coefficient=[need["a"] for need in inputs],
            input_class=[need.get("class", ESSENTIAL) for need in inputs],
            input_use=[need.get("use", CONSUMED) for need in inputs],
            input_stock=[need.get("stock", 0.0) for need in inputs],
            input_target=[need.get("target", need.get("stock", 0.0)) for need in inputs],
            links_indptr=np.cumsum([0] + [len(need["links"]) for need in inputs]),
            link_supplier=[link[0] for link in links],
            link_share=[link[1] for link in links],
            link_lead_time=[link[2] for link in links],
            hours_order=np.arange(len(nodes)) if order is None else order,
        )
    )


def shocks_of(n_periods, nodes=(), links=(), demand=()):
    """Build shocks from three lists of (indices hit, factor per period)."""
    groups = []
    for shocks in (nodes, links, demand):
        groups.append(np.cumsum([0] + [len(hit) for hit, _ in shocks]))
        groups.append(np.array([k for hit, _ in shocks for k in hit], dtype=np.int64))
        factors = [np.resize(np.asarray(factor, dtype=float), n_periods) for _, factor in shocks]
        groups.append(np.reshape(factors, (len(shocks), n_periods)))
    return dynamics.read_only(dynamics.ShockArrays(*groups))


def run(network, shocks, tau=4.0, rule="wanted"):
    """Play the shocks with everything recorded."""
    n_periods = shocks.shock_factor.shape[1]
    out = dynamics.new_record(network, n_periods, with_inputs=True)
    work = dynamics.new_work(network)
    status = dynamics.simulate(network, shocks, tau, RULES[rule], TOLERANCE, work, out)
    assert status == STATUS_DONE
    return out


def random_network(rng, single_links=False):
    """Return a network at rest: cycles, all classes and uses, lead times from 0, some no stock.

    Hours within the period run from low to high rank only, so that hours_order exists.
    """
    n = int(rng.integers(1, 8))
    rank = rng.permutation(n)
    nodes = []
    for buyer in range(n):
        inputs = []
        for _ in range(rng.integers(0, 5)):
            use = int(rng.choice([CONSUMED, CONSUMED, HOURS, HOSTED]))
            n_links = 1 if single_links else int(rng.integers(0, 4))
            suppliers = rng.integers(0, n, n_links)
            shares = rng.dirichlet(np.ones(n_links)) if n_links else []
            leads = [
                int(rng.integers(0 if use == CONSUMED or rank[buyer] < rank[s] else 1, 4))
                if rng.random() < 0.6 or use == CONSUMED or rank[buyer] >= rank[s]
                else 0
                for s in suppliers
            ]
            inputs.append(
                {
                    "a": rng.choice([0.0, 0.02, 0.1, 0.15]) * rng.uniform(0.5, 1.3),
                    "class": int(rng.choice([ESSENTIAL, ESSENTIAL, IMPORTANT, MINOR])),
                    "use": use,
                    "links": list(zip(suppliers.tolist(), shares, leads, strict=True)),
                }
            )
        nodes.append([0.0, 0.0, rng.choice([0.0, 1.0, 1.0]) * rng.uniform(1, 100), inputs])
    at_rest = np.eye(n)  # (I - A) x = y, with A[s, b] what one unit of b takes from s
    for buyer, node in enumerate(nodes):
        for need in node[3]:
            for supplier, share, _ in need["links"]:
                at_rest[supplier, buyer] -= need["a"] * share
    outputs = np.maximum(np.linalg.solve(at_rest, [node[2] for node in nodes]), 0.0)
    for node, x in zip(nodes, outputs, strict=True):
        node[0], node[1] = x, x * rng.choice([1.0, rng.uniform(1.0, 2.0)])
        for need in node[3]:
            need["stock"] = need["a"] * x * rng.choice([0.0, 0.0, 1.0, rng.uniform(0, 4)])
    return network_of(nodes, order=np.argsort(rank))


def random_shocks(rng, network, n_periods):
    """Return up to three shocks of each kind; they overlap, and return to 1 half way or never."""

    def some(n_things, highest):
        shocks = []
        for _ in range(rng.integers(0, 4) if n_things else 0):
            factor = np.ones(n_periods)
            start = rng.integers(0, n_periods // 2)
            end = rng.choice([start + 1, n_periods // 2 + 1, n_periods])
            factor[start:end] = rng.choice([0.0, rng.uniform(0, highest), highest])
            shocks.append((rng.integers(0, n_things, rng.integers(1, 4)).tolist(), factor))
        return shocks

    return shocks_of(
        n_periods,
        nodes=some(len(network.output), 1.0),
        links=some(len(network.link_supplier), 1.0),
        demand=some(len(network.output), 1.5),
    )


def size_of(network):
    """Return the largest output or stock, to which differences are compared."""
    return max(1.0, network.output.max(initial=0.0), network.input_stock.max(initial=0.0))


# --- by hand -----------------------------------------------------------------------------------


def chain(stock=20.0, lead_time=1, input_class=ESSENTIAL):
    """Supplier 0 (at most 15) and buyer 1, which makes 10 of 10 parts for final demand."""
    need = {"a": 1.0, "class": input_class, "stock": stock, "links": [(0, 1.0, lead_time)]}
    return network_of([(10, 15, 0, []), (10, 12, 10, [need])])


def test_a_chain_of_two_lives_on_its_stock_and_refills_it():
    """The supplier stops in periods 0 to 2; lead time 1, stock and target 20, tau = 2.

    Pipeline and stock last 1 + 2 periods, so period 3 is lost; orders follow use.
    Order = use + (20 + 10 - stock - under way) / 2, capacity of the supplier 15.

    period     0    1    2     3      4      5      6       7
    arrives   10    0    0     0     15    7.5     15      15
    makes     10   10   10     0     10     10     10      10
    stock     20   10    0     0      5    2.5    7.5    12.5
    supplied   0    0    0    15    7.5     15     15   13.75
    order     15   20   25   7.5  18.75  16.25  13.75  11.875
    """
    out = run(chain(), shocks_of(8, nodes=[([0], [0, 0, 0, 1, 1, 1, 1, 1])]), 2.0, "use")
    assert out.received[:, 0].tolist() == [10, 0, 0, 0, 15, 7.5, 15, 15]
    assert out.output[:, 1].tolist() == [10, 10, 10, 0, 10, 10, 10, 10]
    assert out.stock[:, 0].tolist() == [20, 10, 0, 0, 5, 2.5, 7.5, 12.5]
    assert out.output[:, 0].tolist() == [0, 0, 0, 15, 7.5, 15, 15, 13.75]
    assert out.unmet[:, 1].tolist() == [0, 0, 0, 10, 0, 0, 0, 0]
    assert out.limited_by[:, 1].tolist() == [-1, -1, -1, 0, -1, -1, -1, -1]
    capacity_bound = [BY_CAPACITY] * 4 + [BY_DEMAND, BY_CAPACITY, BY_CAPACITY, BY_DEMAND]
    assert out.limited_by[:, 0].tolist() == capacity_bound


@pytest.mark.parametrize(("lead_time", "stock"), [(1, 0), (1, 30), (3, 0), (4, 20)])
def test_time_to_survive_is_lead_time_plus_stock(lead_time, stock):
    """What is under way and what is on stock are used first: L + stock / 10 periods."""
    out = run(chain(stock, lead_time), shocks_of(12, nodes=[([0], 0.0)]))
    survived = lead_time + stock // 10
    assert out.output[:, 1].tolist() == [10] * survived + [0] * (12 - survived)


def test_an_important_input_lets_output_run_down_to_half():
    """Without parts at hand x <= (0 + 10) / 2; a minor input never binds."""
    shock = shocks_of(4, nodes=[([0], 0.0)])
    important = run(chain(10.0, 1, IMPORTANT), shock)
    assert important.output[:, 1].tolist() == [10, 10, 5, 5]
    assert important.used[:, 0].tolist() == [10, 10, 0, 0]
    minor = run(chain(10.0, 1, MINOR), shock)
    assert minor.output[:, 1].tolist() == [10, 10, 10, 10]
    assert minor.limited_by[:, 1].tolist() == [BY_DEMAND] * 4


def test_an_important_input_never_limits_more_than_an_essential_one():
    """Final demand 12 in period 0, 10 parts arrive and 2 lie there: 12 can be made by recipe.

    The mean of 12 and the output at rest, 10, would be 11.
    """
    shock = shocks_of(1, demand=[([1], 1.2)])
    for input_class in (ESSENTIAL, IMPORTANT):
        assert run(chain(2.0, 1, input_class), shock).output[0, 1] == 12.0


def two_buyers():
    """Supplier 0 (at most 15) serves buyer 1 (makes 6, stock 6) and buyer 2 (makes 4, no stock)."""
    return network_of(
        [
            (10, 15, 0, []),
            (6, 6, 6, [{"a": 1.0, "stock": 6.0, "links": [(0, 1.0, 1)]}]),
            (4, 4, 4, [{"a": 1.0, "stock": 0.0, "links": [(0, 1.0, 1)]}]),
        ]
    )


def test_a_short_supplier_rations_two_buyers_and_all_recover():
    """The supplier has 0.4 * 15 = 6 in period 0 for orders of 6 and 4; tau = 1.

    Orders follow wanted output: order = wanted + target + pipeline - stock - under way.

    period              0     1     2     3
    supplier: demand   10    14   8.4    10
              makes     6    14   8.4    10     ratio 0.6, then 1
    buyer 1:  arrives   6   3.6   8.4     6
              makes     6     6     6     6
              stock     6   3.6     6     6
              order   8.4     6     6     6
    buyer 2:  arrives   4   2.4   5.6   2.4
              makes     4   2.4     4     4
              stock     0     0   1.6     0
              order   5.6   2.4     4     4
    """
    out = run(two_buyers(), shocks_of(6, nodes=[([0], [0.4, 1, 1, 1, 1, 1])]), 1.0)
    assert out.output[:, 0] == pytest.approx([6, 14, 8.4, 10, 10, 10])
    assert out.output[:, 1] == pytest.approx([6, 6, 6, 6, 6, 6])
    assert out.output[:, 2] == pytest.approx([4, 2.4, 4, 4, 4, 4])
    assert out.unmet[:, 2] == pytest.approx([0, 1.6, 0, 0, 0, 0], abs=1e-12)
    assert out.received[:, 0] == pytest.approx([6, 3.6, 8.4, 6, 6, 6])
    assert out.received[:, 1] == pytest.approx([4, 2.4, 5.6, 2.4, 4, 4])
    assert out.stock[:, 0] == pytest.approx([6, 3.6, 6, 6, 6, 6])
    assert out.stock[:, 1] == pytest.approx([0, 0, 1.6, 0, 0, 0], abs=1e-12)
    assert out.limited_by[:2].tolist() == [[BY_CAPACITY, BY_DEMAND, BY_DEMAND], [-1, -1, 1]]


def test_orders_that_follow_use_may_alternate_for_ever_without_stock():
    """The same shock; buyer 2 orders what it used, so a lean period orders a lean period.

    Order in 1: 2.4 + (0 + 4 - 0 - 5.6) = 0.8; in 2: 4 + (4 - 1.6 - 0.8) = 5.6; in 3 as in 1.
    """
    shock = shocks_of(101, nodes=[([0], [0.4] + [1.0] * 100)])
    out = run(two_buyers(), shock, 1.0, "use")
    assert out.output[1:, 2] == pytest.approx(np.tile([2.4, 4.0], 50))


def test_the_scarcest_of_two_inputs_limits():
    """Two parts each from its own supplier; the second stops: input 1 binds, input 0 piles up."""
    need = [{"a": 1.0, "stock": 10.0, "links": [(s, 1.0, 1)]} for s in (0, 1)]
    network = network_of([(10, 10, 0, []), (10, 10, 0, []), (10, 10, 10, need)])
    out = run(network, shocks_of(3, nodes=[([1], 0.0)]), 1.0, "use")
    assert out.output[:, 2].tolist() == [10, 10, 0]
    assert out.limited_by[:, 2].tolist() == [BY_DEMAND, BY_DEMAND, 1]
    assert out.stock.tolist() == [[10, 10], [10, 0], [20, 0]]


def test_capacity_wins_a_tie_with_an_input_and_the_first_input_wins_among_inputs():
    """Half the capacity and half the parts: capacity; parts of both kinds at half: the first."""
    need = [{"a": 1.0, "links": [(s, 1.0, 1)]} for s in (0, 1)]
    network = network_of([(10, 10, 0, []), (10, 10, 0, []), (10, 10, 10, need)])
    half = [0.5, 1.0, 1.0]
    both = run(network, shocks_of(2, nodes=[([0, 1], half), ([2], [1.0, 0.5])]))
    assert both.output[1, 2] == 5.0
    assert both.limited_by[1, 2] == BY_CAPACITY
    inputs = run(network, shocks_of(2, nodes=[([0, 1], half)]))
    assert inputs.output[1, 2] == 5.0
    assert inputs.limited_by[1, 2] == 0


def workshop(lead_time=0, use=HOURS):
    """Firms 0 and 1 make 6 and 4 with 6 and 2 hours of people 2; firm 1 also buys from 3."""
    return network_of(
        [
            (6, 9, 6, [{"a": 1.0, "use": use, "links": [(2, 1.0, lead_time)]}]),
            (
                4,
                9,
                4,
                [
                    {"a": 1.0, "links": [(3, 1.0, 1)]},
                    {"a": 0.5, "use": use, "links": [(2, 1.0, lead_time)]},
                ],
            ),
            (8, 8, 0, []),
            (4, 4, 0, []),
        ]
    )


@pytest.mark.parametrize("use", [HOURS, HOSTED])
def test_hours_of_the_same_period_are_rationed_at_once_and_never_made_up(use):
    """Half of 8 hours are there in period 1: both firms make half, then all is as before."""
    out = run(workshop(use=use), shocks_of(4, nodes=[([2], [1, 0.5, 1, 1])]))
    assert out.output[:, 0].tolist() == [6, 3, 6, 6]
    assert out.output[:, 1].tolist() == [4, 2, 4, 4]
    assert out.output[:, 2].tolist() == [8, 4, 8, 8]
    assert out.received[:, [0, 2]].tolist() == [[6, 2], [3, 1], [6, 2], [6, 2]]
    assert out.limited_by[1, :3].tolist() == [0, 2, BY_CAPACITY]


def test_a_user_asks_only_for_the_hours_that_its_stocks_let_it_use():
    """Firm 1 gets half its parts in period 1, asks for 1 hour; the people have 4 of 8.

    Demand 6 + 1, ratio 4/7: firm 0 makes 24/7, firm 1 makes (4/7) / 0.5 = 8/7.
    """
    out = run(workshop(), shocks_of(2, nodes=[([3], [0.5, 1]), ([2], [1, 0.5])]))
    assert out.output[1, :3] == pytest.approx([24 / 7, 8 / 7, 4])
    assert out.limited_by[1, 1] == 2
    idle = run(workshop(), shocks_of(2, nodes=[([3], [0.5, 1])]))
    assert idle.output[1].tolist() == [6, 2, 7, 4]
    assert idle.limited_by[1, :3].tolist() == [BY_DEMAND, 1, BY_DEMAND]


def test_hours_with_a_lead_time_arrive_late_and_spoil():
    """Contracted hours: lost in period 0, missing in period 1; no order makes up for them."""
    out = run(workshop(lead_time=1), shocks_of(4, nodes=[([2], [0.5, 1, 1, 1])]))
    assert out.output[:, 0].tolist() == [6, 3, 6, 6]
    assert out.output[:, 2].tolist() == [4, 8, 8, 8]
    assert np.all(out.stock[:, [0, 2]] == 0.0)
    # the firm at half capacity leaves the hours that arrive unused; they are not there later
    spoiled = run(workshop(lead_time=1), shocks_of(3, nodes=[([0], [1, 1 / 3, 1])]))
    assert spoiled.received[:, 0].tolist() == [6, 6, 6]
    assert spoiled.used[:, 0] == pytest.approx([6, 3, 6])


def test_an_input_may_take_hours_from_both_kinds_of_links():
    """Half contracted, half of the same period, whose people are ill: half is made."""
    need = {"a": 1.0, "use": HOURS, "links": [(1, 0.5, 2), (2, 0.5, 0)]}
    network = network_of([(10, 10, 10, [need]), (5, 5, 0, []), (5, 5, 0, [])])
    ill = run(network, shocks_of(2, nodes=[([2], 0.0)]))
    assert ill.output[:, 0].tolist() == [5, 5]
    # the other way round: two periods are under way, then half the output is asked for as ever
    late = run(network, shocks_of(4, nodes=[([1], 0.0)]))
    assert late.output[:, 0].tolist() == [10, 10, 5, 5]
    assert late.output[:, 2].tolist() == [5, 5, 5, 5]


def test_a_link_shock_cuts_orders_to_its_share_of_the_flow_at_rest():
    """The link carries 40 % for a period; the order of 10 is cut to 4 before demand is summed.

    Then it is free again, and carries a larger order than at rest: 10 + (10 - 4) / 1 = 16,
    of which the supplier can make 15.
    """
    out = run(chain(20.0), shocks_of(3, links=[([0], [0.4, 1, 1])]), 1.0)
    assert out.output[:, 0].tolist() == [4, 15, 11]
    assert out.limited_by[:, 0].tolist() == [BY_DEMAND, BY_CAPACITY, BY_DEMAND]
    assert out.received[:, 0].tolist() == [10, 4, 15]


def test_a_link_shock_cuts_hours_of_the_same_period():
    """A quarter of 6 hours passes; the people serve the other firm in full."""
    out = run(workshop(), shocks_of(2, links=[([0], [1, 0.25])]))
    assert out.output[1, :3].tolist() == [1.5, 4, 3.5]


def test_final_demand_may_rise_to_capacity():
    """Demand 15, capacity 12: 3 unmet each period while stocks last."""
    out = run(chain(20.0), shocks_of(3, demand=[([1], 1.5)]))
    assert out.output[:, 1].tolist() == [12, 12, 12]
    assert out.unmet[:, 1].tolist() == [3, 3, 3]
    assert out.limited_by[:, 1].tolist() == [BY_CAPACITY] * 3


def test_an_input_without_links_never_limits():
    """It is received as it is used, and its stock stays."""
    network = network_of([(10, 20, 10, [{"a": 2.0, "stock": 3.0, "links": []}])])
    out = run(network, shocks_of(2, demand=[([0], 2.0)]))
    assert out.output[:, 0].tolist() == [20, 20]
    assert out.received[:, 0].tolist() == out.used[:, 0].tolist() == [40, 40]
    assert out.stock[:, 0].tolist() == [3, 3]


def test_several_shocks_on_one_node_multiply():
    """Half of half of 8 is 2."""
    network = network_of([(8, 8, 8, [])])
    out = run(network, shocks_of(2, nodes=[([0], 0.5), ([0], [1, 0.5])]))
    assert out.output[:, 0].tolist() == [4, 2]


# --- against the twin --------------------------------------------------------------------------


@pytest.mark.parametrize("rule", ["use", "wanted"])
@pytest.mark.parametrize("seed", range(150))
def test_kernel_equals_its_twin(seed, rule):
    """Random small networks of every kind of input and shock, thirty periods."""
    rng = np.random.default_rng(seed)
    network = random_network(rng)
    shocks = random_shocks(rng, network, 30)
    tau = rng.choice([1.0, 2.5, 6.0])
    computed = run(network, shocks, tau, rule)
    reference = naive.simulate(network, shocks, 30, tau, rule, TOLERANCE)
    for name in ("output", "unmet", "stock", "received", "used"):
        np.testing.assert_allclose(
            getattr(computed, name),
            getattr(reference, name),
            rtol=0,
            atol=AGREEMENT * size_of(network),
            err_msg=name,
        )
    assert np.array_equal(computed.limited_by, reference.limited_by)


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


# --- invariants --------------------------------------------------------------------------------


@given(seed=seeds, rule=st.sampled_from(["use", "wanted"]), tau=st.sampled_from([1.0, 5.0]))
def test_without_shocks_the_baseline_lasts_for_ever(seed, rule, tau):
    """Three hundred periods, to 1e-9 of each value; nothing limits anybody."""
    network = random_network(np.random.default_rng(seed))
    out = run(network, dynamics.no_shocks(300), tau, rule)
    at_rest = np.broadcast_to(network.output, out.output.shape)
    np.testing.assert_allclose(out.output, at_rest, rtol=1e-9, atol=0)
    assert np.all(out.limited_by == BY_DEMAND)
    assert np.all(np.abs(out.unmet) <= 1e-9 * size_of(network))
    stored = np.where(network.input_use == CONSUMED, network.input_stock, 0.0)
    np.testing.assert_allclose(out.stock - stored, 0, atol=1e-9 * size_of(network))


@given(seed=seeds)
def test_nothing_is_created_and_no_stock_is_negative(seed):
    """Stock now = stock before + received - used; perishable inputs are used as received."""
    rng = np.random.default_rng(seed)
    network = random_network(rng)
    out = run(network, random_shocks(rng, network, 30))
    stored = network.input_use == CONSUMED
    before = np.vstack([network.input_stock[None], out.stock[:-1]])
    change = (before + out.received - out.used - out.stock)[:, stored]
    assert np.all(np.abs(change) <= AGREEMENT * size_of(network))
    assert np.all(out.stock >= 0.0)
    assert np.all(out.stock[:, ~stored] == 0.0)
    assert np.all(out.used[:, ~stored] <= out.received[:, ~stored])


@given(seed=seeds)
def test_what_suppliers_deliver_is_what_buyers_receive_a_lead_time_later(seed):
    """Output - final demand met = deliveries = receipts of its buyers, each after its own lag.

    With one link per input, an input's receipts are that link's deliveries.
    """
    rng = np.random.default_rng(seed)
    network = random_network(rng, single_links=True)
    n_periods = 30
    shocks = random_shocks(rng, network, n_periods)
    out = run(network, shocks)
    factor = np.ones((n_periods, len(network.output)))
    for s, row in enumerate(shocks.demand_shock_factor):
        hit = shocks.demand_shock_node[
            shocks.demand_shock_indptr[s] : shocks.demand_shock_indptr[s + 1]
        ]
        for n in hit:
            factor[:, n] *= row
    met = network.final_demand * factor - out.unmet
    later = 4  # more than the longest lead time
    received = np.zeros((n_periods - later, len(network.output)))
    for i, supplier in enumerate(network.link_supplier):
        is_stored = network.input_use[i] == CONSUMED
        lag = max(network.link_lead_time[i], 1 if is_stored else 0)
        received[:, supplier] += out.received[lag : lag + n_periods - later, i]
    difference = (out.output - met)[: n_periods - later] - received
    assert np.all(np.abs(difference) <= AGREEMENT * size_of(network))
    assert np.all(met <= out.output + AGREEMENT * size_of(network))
    assert np.all(out.unmet >= 0.0)


@given(seed=seeds, scale=st.sampled_from([1e-6, 0.1, 7.0, 1e6]))
def test_scaling_all_values_scales_all_results(seed, scale):
    """Thousands of euros instead of euros: the same run; who limits whom does not change."""
    rng = np.random.default_rng(seed)
    network = random_network(rng)
    shocks = random_shocks(rng, network, 30)
    values = ("output", "capacity", "final_demand", "input_stock", "input_target")
    scaled = dynamics.read_only(
        network._replace(**{name: scale * getattr(network, name) for name in values})
    )
    out, out_scaled = run(network, shocks), run(scaled, shocks)
    for name in ("output", "unmet", "stock", "received", "used"):
        np.testing.assert_allclose(
            getattr(out_scaled, name) / scale,
            getattr(out, name),
            rtol=0,
            atol=AGREEMENT * size_of(network),
        )
    assert np.array_equal(out.limited_by, out_scaled.limited_by)


@given(seed=seeds)
def test_relabelling_nodes_inputs_and_links_changes_nothing(seed):
    """Every level in a new order; sums round differently, hence 1e-9."""
    rng = np.random.default_rng(seed)
    network = random_network(rng)
    shocks = random_shocks(rng, network, 30)
    relabelled, node, need, link = relabel(rng, network)
    moved = dynamics.read_only(
        shocks._replace(
            shock_node=np.argsort(node)[shocks.shock_node],
            link_shock_link=np.argsort(link)[shocks.link_shock_link],
            demand_shock_node=np.argsort(node)[shocks.demand_shock_node],
        )
    )
    out, out_moved = run(network, shocks), run(relabelled, moved)
    close = {"rtol": 0, "atol": AGREEMENT * size_of(network)}
    for name in ("output", "unmet"):
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
    per_node = {
        name: getattr(network, name)[node] for name in ("output", "capacity", "final_demand")
    }
    per_input = {
        name: getattr(network, name)[need]
        for name in ("input_coefficient", "input_class", "input_use", "input_stock", "input_target")
    }
    relabelled = dynamics.NetworkArrays(
        **per_node,
        **per_input,
        inputs_indptr=np.append(0, np.cumsum(np.diff(network.inputs_indptr)[node])),
        links_indptr=np.append(0, np.cumsum(np.diff(network.links_indptr)[need])),
        link_supplier=new_of_node[network.link_supplier[link]],
        link_share=network.link_share[link],
        link_lead_time=network.link_lead_time[link],
        hours_order=new_of_node[network.hours_order],
    )
    return dynamics.read_only(relabelled), node, need, link


# --- the call ----------------------------------------------------------------------------------


def test_the_same_arrays_give_the_same_answer_bit_for_bit():
    """Also in a workspace that another run has used, and without the inputs recorded."""
    rng = np.random.default_rng(3)
    network = random_network(rng)
    shocks = random_shocks(rng, network, 20)
    first = run(network, shocks)
    work = dynamics.new_work(network)
    for _ in range(2):
        out = dynamics.new_record(network, 20)
        dynamics.simulate(network, shocks, 4.0, ORDERS_FOLLOW_WANTED, TOLERANCE, work, out)
        assert np.array_equal(out.output, first.output)
        assert np.array_equal(out.unmet, first.unmet)
        assert out.stock.shape == (0, len(network.input_use))


@pytest.mark.parametrize("nodes", [[], [(5, 8, 5, [])]])
def test_a_network_without_inputs_runs(nodes):
    """No inputs, no links; and no nodes at all."""
    out = run(network_of(nodes), dynamics.no_shocks(2))
    assert out.output.tolist() == [[node[0] for node in nodes]] * 2


@pytest.mark.parametrize("order", [[2, 0, 1, 3], [0, 1, 2, 2], [0, 1, 2, 9], [0, 1, 3]])
def test_an_order_that_is_no_order_is_told(order):
    """People 2 come before their user 0; a node twice; a node that is not; one missing."""
    network = dynamics.read_only(workshop()._replace(hours_order=order))
    out = dynamics.new_record(network, 2)
    work = dynamics.new_work(network)
    status = dynamics.simulate(
        network, dynamics.no_shocks(2), 4.0, ORDERS_FOLLOW_USE, TOLERANCE, work, out
    )
    assert status == STATUS_HOURS_ORDER


def test_a_node_cannot_supply_its_own_hours_within_the_period():
    """A lead time of 1 would be a contract with itself, and is allowed."""
    for lead_time, expected in ((0, STATUS_HOURS_ORDER), (1, STATUS_DONE)):
        need = {"a": 0.1, "use": HOURS, "links": [(0, 1.0, lead_time)]}
        network = network_of([(10, 10, 9, [need])])
        out = dynamics.new_record(network, 2)
        work = dynamics.new_work(network)
        status = dynamics.simulate(
            network, dynamics.no_shocks(2), 4.0, ORDERS_FOLLOW_USE, TOLERANCE, work, out
        )
        assert status == expected


@pytest.mark.parametrize(
    ("name", "value"), [("input_stock", np.nan), ("capacity", -1.0), ("input_coefficient", np.nan)]
)
def test_arrays_that_are_no_numbers_are_told(name, value):
    """They do not spread through the run unseen."""
    values = getattr(chain(), name).copy()
    values[-1] = value
    network = dynamics.read_only(chain()._replace(**{name: values}))
    out = dynamics.new_record(network, 2)
    work = dynamics.new_work(network)
    status = dynamics.simulate(
        network, dynamics.no_shocks(2), 4.0, ORDERS_FOLLOW_USE, TOLERANCE, work, out
    )
    assert status == STATUS_NO_NUMBER


def test_read_only_neither_copies_what_fits_nor_cuts_what_does_not():
    """The caller's array stays writable; a lead time of 1.5 is not silently 1."""
    values = np.ones(2)
    network = dynamics.read_only(chain()._replace(output=values))
    assert np.shares_memory(network.output, values)
    assert values.flags.writeable
    assert not network.output.flags.writeable
    with pytest.raises(TypeError):
        dynamics.read_only(chain()._replace(link_lead_time=[1.5]))
