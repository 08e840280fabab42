"""The mechanisms that are off by default, by hand, period by period."""

import numpy as np
import pytest

from dynamics_cases import network_of, run, shocks_of
from withstand.kernels.dynamics_arrays import HOURS, IMPORTANT, MINOR
from withstand.kernels.dynamics_production import BY_CAPACITY, BY_DEMAND


def chain(stock=20.0, capacity=15.0, input_class=2):
    """Supplier 0 and buyer 1, which makes 10 of 10 parts for final demand."""
    need = {"a": 1.0, "class": input_class, "stock": stock, "links": [(0, 1.0, 1)]}
    return network_of([(10, capacity, 0, []), (10, 12, 10, [need])])


# --- psi ---------------------------------------------------------------------------------------


def test_under_psi_output_falls_in_proportion_to_the_stock():
    """Target 20, psi 1: x <= S x 10 / 20 with S at hand before production; nothing is supplied.

    period     0    1    2    3     4
    at hand   30   20   10    5   2.5
    allows    15   10    5  2.5  1.25
    """
    out = run(chain(), shocks_of(5, nodes=[([0], 0.0)]), psi=1.0)
    assert out.output[:, 1].tolist() == [10, 10, 5, 2.5, 1.25]
    assert out.stock[:, 0].tolist() == [20, 10, 5, 2.5, 1.25]
    assert out.limited_by[:, 1].tolist() == [-1, -1, 0, 0, 0]


def test_psi_asks_for_more_when_more_is_wanted():
    """The target grows with wanted output, so what a short stock allows does not.

    Demand 12, at hand 20: x = 12 x min(1, 20 / (1 x 20 x 1.2)) = 10.
    """
    shocks = shocks_of(2, nodes=[([0], 0.0)], demand=[([1], [1.0, 1.2])])
    assert run(chain(), shocks, psi=1.0).output[1, 1] == 10.0
    assert run(chain(), shocks, psi=0.5).output[1, 1] == 12.0


def test_an_input_without_stock_limits_by_what_is_at_hand():
    """psi times a target of nothing is nothing; the recipe still limits."""
    out = run(chain(0.0), shocks_of(2, nodes=[([0], 0.4)]), psi=1.0)
    assert out.output[:, 1].tolist() == [10, 6]


# --- which inputs limit ------------------------------------------------------------------------


@pytest.mark.parametrize("input_class", [MINOR, IMPORTANT])
def test_under_leontief_every_input_is_essential(input_class):
    out = run(chain(0.0, 15.0, input_class), shocks_of(2, nodes=[([0], 0.4)]), inputs="leontief")
    assert out.output[:, 1].tolist() == [10, 6]
    assert out.limited_by[1, 1] == 0


def two_inputs(amounts=(1.0, 1.0)):
    """Node 2 makes 10 of inputs from nodes 0 and 1, without stocks."""
    needs = [{"a": a, "class": MINOR, "links": [(s, 1.0, 1)]} for s, a in enumerate(amounts)]
    return network_of(
        [*((10 * a, 20 * a, 0, []) for a in amounts), (10, 10, 10, needs)],
    )


def test_substitutes_limit_together_in_proportion_to_what_is_there():
    """Input 1 is not there: (10 + 0) / (1 + 1) = 5, of which 5 come from input 0 and none of 1."""
    out = run(two_inputs(), shocks_of(2, nodes=[([1], 0.0)]), inputs="linear")
    assert out.output[:, 2].tolist() == [10, 5]
    assert out.used[1].tolist() == [5, 0]
    assert out.limited_by[1, 2] == 1


def test_without_prices_each_substitute_counts_alike():
    """The mean of S / a, whatever the units: input 1 is counted in thousandths."""
    out = run(two_inputs((1.0, 1000.0)), shocks_of(2, nodes=[([1], 0.25)]), inputs="linear")
    assert out.output[1, 2] == pytest.approx(10 * (1 + 0.5) / 2)


def test_a_dear_substitute_counts_for_more():
    """Prices 3 and 1; the dear one is missing: (3 x 0 + 1 x 10) / (3 + 1) = 2.5."""
    out = run(
        two_inputs(), shocks_of(2, nodes=[([0], 0.0)]), inputs="linear", weight=np.array([3.0, 1.0])
    )
    assert out.output[1, 2] == 2.5
    assert out.limited_by[1, 2] == 0


def test_hours_are_no_substitute_for_goods():
    """All goods are there, a quarter of the hours of the period: a quarter is made."""
    needs = [
        {"a": 1.0, "links": [(0, 1.0, 1)], "stock": 50.0},
        {"a": 1.0, "use": HOURS, "links": [(1, 1.0, 0)]},
    ]
    network = network_of([(10, 10, 0, []), (10, 10, 0, []), (10, 10, 10, needs)], order=[0, 2, 1])
    out = run(network, shocks_of(1, nodes=[([1], 0.25)]), inputs="linear")
    assert out.output[0, 2] == 2.5
    assert out.limited_by[0, 2] == 1


# --- overcapacity ------------------------------------------------------------------------------


def test_overcapacity_grows_with_scarcity_and_goes_back():
    """Capacity 10, demand 15 for two periods; alpha to 1.5 at most, half of the way a period.

    alpha: 1 + 0.5 x 5/15 x 0.5 = 13/12; then + (1.5 - 13/12) x (15 - 130/12)/15 x 0.5.
    """
    network = network_of([(10, 10, 10, [])])
    shocks = shocks_of(4, demand=[([0], [1.5, 1.5, 1.0, 1.0])])
    out = run(network, shocks, alpha_max=1.5, alpha_periods=2.0)
    second = 13 / 12 + (1.5 - 13 / 12) * (15 - 130 / 12) / 15 / 2
    assert out.output[:, 0] == pytest.approx([10, 130 / 12, 10, 10])
    after = [13 / 12, second, 1 + (second - 1) / 2, 1 + (second - 1) / 4]
    assert out.alpha[:, 0] == pytest.approx(after)
    assert out.limited_by[:, 0].tolist() == [BY_CAPACITY, BY_CAPACITY, BY_DEMAND, BY_DEMAND]


def test_a_chain_recovers_with_overcapacity():
    """The supplier can make 10, no more than is used; it stops for a period, then works overtime.

    Stock and target 20, pipeline 10, tau 1; alpha to 2 at most, half of the way a period.

    period               0       1        2         3
    supplier  demand    10      20       15        10
              can        0      15   15.625   12.8125
              makes      0      15       15        10
              alpha    1.5  1.5625  1.28125  1.140625     for the next period
    buyer     arrives   10       0       15        15
              stock     20      10       15        20
              order     20      15       10        10
    """
    shocks = shocks_of(5, nodes=[([0], [0, 1, 1, 1, 1])])
    out = run(chain(20.0, 10.0), shocks, 1.0, alpha_max=2.0, alpha_periods=2.0)
    assert out.output[:, 0].tolist() == [0, 15, 15, 10, 10]
    assert out.alpha[:4, 0].tolist() == [1.5, 1.5625, 1.28125, 1.140625]
    assert out.stock[:, 0].tolist() == [20, 10, 15, 20, 20]
    assert out.output[:, 1].tolist() == [10] * 5
    without = run(chain(20.0, 10.0), shocks, 1.0)
    assert without.stock[:, 0].tolist() == [20, 10, 10, 10, 10]


# --- who is served -----------------------------------------------------------------------------


def three_claims():
    """Supplier 0 makes 15: final demand 5, buyer 1 takes 6, buyer 2 takes 4; nobody has stock."""
    return network_of(
        [
            (15, 15, 5, []),
            (6, 6, 6, [{"a": 1.0, "links": [(0, 1.0, 1)]}]),
            (4, 4, 4, [{"a": 1.0, "links": [(0, 1.0, 1)]}]),
        ]
    )


@pytest.mark.parametrize(
    ("rationing", "priority", "unmet", "received"),
    [
        ("proportional", (), 2.5, [3.0, 2.0]),
        ("final_first", (), 0.0, [1.5, 1.0]),
        ("final_last", (), 5.0, [4.5, 3.0]),
        ("proportional", (2,), 5 * (1 - 3.5 / 11), [6 * 3.5 / 11, 4.0]),
        ("final_first", (2,), 1.5, [0.0, 4.0]),
        ("final_last", (2,), 5.0, [3.5, 4.0]),
        ("final_first", (2, 1), 5.0, [3.5, 4.0]),
        ("final_first", (1, 2), 5.0, [6.0, 1.5]),
    ],
)
def test_half_of_the_goods_are_shared_out_by_rule(rationing, priority, unmet, received):
    """7.5 of 15 are there. Named buyers come first, one by one; then the rule for the rest."""
    shocks = shocks_of(2, nodes=[([0], [0.5, 1.0])])
    out = run(three_claims(), shocks, rationing=rationing, priority=priority)
    assert out.unmet[0, 0] == pytest.approx(unmet)
    assert out.received[1] == pytest.approx(received)


def test_a_named_buyer_that_takes_two_inputs_from_one_supplier_is_one_group():
    """6 + 2 asked for by the named buyer, 6 there: three quarters of both."""
    needs = [{"a": 1.0, "links": [(0, 1.0, 1)]}, {"a": 1 / 3, "links": [(0, 1.0, 1)]}]
    network = network_of([(8, 8, 0, []), (6, 6, 6, needs)])
    out = run(network, shocks_of(2, nodes=[([0], [0.75, 1.0])]), priority=(1,))
    assert out.received[1] == pytest.approx([4.5, 1.5])


# --- finished goods ----------------------------------------------------------------------------


def test_finished_goods_are_handed_out_and_made_again():
    """Capacity 12, demand 10, 5 on stock; 7 can be made in period 0.

    period     0   1   2   3
    wanted    10  13  11  10    demand + what is missing of 5
    makes      7  12  11  10
    stock      2   4   5   5
    """
    network = network_of([(10, 12, 10, [], 5.0)])
    out = run(network, shocks_of(4, nodes=[([0], [7 / 12, 1, 1, 1])]), 1.0)
    assert out.output[:, 0].tolist() == [7, 12, 11, 10]
    assert out.finished[:, 0].tolist() == [2, 4, 5, 5]
    assert out.unmet[:, 0].tolist() == [0, 0, 0, 0]


def test_what_finished_goods_do_not_cover_is_missed():
    network = network_of([(10, 10, 10, [], 5.0)])
    out = run(network, shocks_of(3, nodes=[([0], [0.2, 0.2, 1.0])]), 1.0)
    assert out.unmet[:, 0].tolist() == [3, 8, 0]
    assert out.finished[:, 0].tolist() == [0, 0, 0]  # no capacity to make it again


# --- rerouting ---------------------------------------------------------------------------------


def two_suppliers():
    """Buyer 2 takes 10 from node 0 (at most 30); node 1 (makes 3, at most 8) could serve it too."""
    need = {"a": 1.0, "links": [(0, 1.0, 1), (1, 0.0, 1)]}
    return network_of([(10, 30, 0, []), (3, 8, 3, []), (10, 10, 10, [need])])


def test_orders_move_to_spare_capacity_after_the_time_to_switch_and_come_back():
    """Node 0 stops for three periods, switching takes one; node 1 has 5 to spare. No stock, tau 1.

    period               0   1   2   3   4
    buyer    arrives    10   0   0   5  15
             makes      10   0   0   5  10
             under way   0   0   5  15   5
             order      20  20  15   5  10    wanted 10 + pipeline 10 - under way (- stock 5)
             to node 1   0   5   5   0   0
    node 1   makes       3   3   8   8   3
    """
    shocks = shocks_of(5, nodes=[([0], [0, 0, 0, 1, 1])])
    out = run(two_suppliers(), shocks, 1.0, switch=np.array([0.0, 1.0]))
    assert out.output[:, 2].tolist() == [10, 0, 0, 5, 10]
    assert out.output[:, 1].tolist() == [3, 3, 8, 8, 3]
    assert out.output[:, 0].tolist() == [0, 0, 0, 10, 5]
    assert out.unmet[:, 1].tolist() == [0] * 5
    without = run(two_suppliers(), shocks, 1.0)
    assert without.output[:, 2].tolist() == [10, 0, 0, 0, 10]


def test_a_link_that_is_cut_counts_as_a_failure():
    """The supplier is well, its route carries a fifth: the rest goes to the other one."""
    shocks = shocks_of(4, links=[([0], 0.2)])
    out = run(two_suppliers(), shocks, 1.0, switch=np.zeros(2))
    assert out.output[:, 2].tolist() == [10, 2, 7, 7]
    assert out.output[:, 1].tolist() == [3, 8, 8, 8]


def test_spare_capacity_is_shared_among_those_who_ask():
    """Buyers 2 and 3 lose 6 and 3 of supplier 0; node 1 has 3 to spare: they get 2 and 1."""
    need = {"a": 1.0, "links": [(0, 1.0, 1), (1, 0.0, 1)]}
    network = network_of([(9, 9, 0, []), (3, 6, 3, []), (6, 6, 6, [need]), (3, 3, 3, [need])])
    out = run(network, shocks_of(3, nodes=[([0], 0.0)]), 1.0, switch=np.zeros(4))
    assert out.received[2] == pytest.approx([2, 1])


def test_orders_go_to_several_suppliers_by_their_spare_capacity():
    """10 are missing; nodes 1 and 2 have 2 and 6 to spare, and take 2 and 6."""
    need = {"a": 1.0, "links": [(0, 1.0, 1), (1, 0.0, 1), (2, 0.0, 1)]}
    network = network_of([(10, 10, 0, []), (1, 3, 1, []), (1, 7, 1, []), (10, 10, 10, [need])])
    out = run(network, shocks_of(2, nodes=[([0], 0.0)]), 1.0, switch=np.zeros(3))
    assert out.output[1, :3].tolist() == [0, 3, 7]


def test_a_supplier_that_fails_itself_takes_no_orders():
    """Node 1 has capacity to spare but no parts: nothing is asked of it."""
    part = {"a": 1.0, "links": [(3, 1.0, 1)]}
    need = {"a": 1.0, "links": [(0, 1.0, 1), (1, 0.0, 1)]}
    network = network_of(
        [(10, 10, 0, []), (3, 20, 3, [part]), (10, 10, 10, [need]), (3, 30, 0, [])]
    )
    both = run(network, shocks_of(6, nodes=[([0, 3], 0.0)]), 1.0, switch=np.zeros(3))
    assert both.output[1:, 1].tolist() == [0] * 5
    one = run(network, shocks_of(4, nodes=[([0], 0.0)]), 1.0, switch=np.zeros(3))
    assert one.output[:, 1].tolist() == [3, 3, 3, 20]  # it had orders for 20, and parts for 3
    assert one.received[2, 1] == pytest.approx(17 * 3 / 20)  # all its buyers share the shortage


# --- what orders aim at ------------------------------------------------------------------------


def test_orders_that_aim_at_stocks_at_rest_do_not_carry_a_lasting_rise_without_stock():
    """Demand rises from 10 to 12 for good; pipeline at rest 10, no stock, tau 1.

    Aiming at 10 under way: order 12 + (10 - 10) = 12, then 12 + (10 - 12) = 10, and so on.
    Aiming at 10 x 12 / 10 = 12: order 12 + (12 - 10) = 14, and 12 from then on.
    """
    shocks = shocks_of(9, demand=[([1], 1.2)])
    at_rest = run(chain(0.0), shocks, 1.0)
    assert at_rest.output[:, 1].tolist() == [10, 10, 12, 10, 12, 10, 12, 10, 12]
    scaled = run(chain(0.0), shocks, 1.0, targets="wanted")
    assert scaled.received[:5, 0].tolist() == [10, 10, 14, 12, 12]
    assert scaled.output[:, 1].tolist() == [10, 10, 12, 12, 12, 12, 12, 12, 12]
