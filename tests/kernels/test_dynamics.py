"""The period-by-period kernel by hand: stocks, classes, rationing, hours, shocks."""

import numpy as np
import pytest

from dynamics_cases import network_of, run, shocks_of
from withstand.kernels.dynamics_arrays import ESSENTIAL, HOSTED, HOURS, IMPORTANT, MINOR
from withstand.kernels.dynamics_production import BY_CAPACITY, BY_DEMAND


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
