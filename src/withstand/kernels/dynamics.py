"""Period by period: production, inventories, orders and rationing on a shocked network.

The state at rest is the network's own: node n makes `output[n]` = x0 per period, every link
carries `coefficient * x0 of the buyer * share` (its flow at rest), every input holds its stock.
Before the first period the pipelines are full: what is under way is what flows at rest.

Mechanisms: the order of events within period t
-----------------------------------------------
0. *Shocks.* Capacity now = capacity * alpha * product of the factors (shares left) of all shocks
   that hit the node. Links and final demand have factors in the same way.
1. *Arrive.* What was shipped at t - L arrives, L = max(1, lead time). What is consumed goes on
   stock. Hours (and hosted inputs, treated alike) are perishable: what is not used in the period
   in which it arrives is gone.
2. *Demand* D on a node = final demand now + the orders that its buyers placed in t - 1. An order
   is first cut to its link's limit: factor * flow at rest where the link's factor is below 1.
3. *Wanted* W = min(G, capacity now); G = D + (target - finished goods) / stock_adjustment.
4. *Inputs limit*, with S the stock (or the hours) at hand, a the coefficient and b = a or, under
   psi, max(a, psi * target / x0): as essential x <= S/b; as important x <= max(S/b, (S/b + x0)/2);
   minor never; substitutes together x <= sum of w S / sum of w b. An input without links is there
   in any quantity. Hours on links without lead time are asked for and granted within the period,
   in two passes over the nodes:
   A (users first)      the user asks each supplier for a * (what its stocks let it make) * share;
                        this adds to the demand on the supplier, whose own steps 3 and 4 follow;
   B (suppliers first)  the supplier grants by step 6; the user makes what the granted hours, with
                        those that arrived, let it make.
5. *Produce* x, and use up min(a x, S) of every input.
6. *Ration* Q = x + finished goods: all alike, or group by group. What final demand does not
   receive is lost; what an order does not receive is forgotten. Shipments join the pipeline.
7. *Order* for the next period. Consumed: max(0, a m + (target + flow at rest * L - stock - under
   way) / stock_adjustment), split by share, where m is what was wanted in step 3, or what was made
   (target and flow at rest may be scaled by W / x0).
   Hours with a lead time are contracted at the rate at rest. Orders that will not be filled move.
8. *Overcapacity* alpha goes towards alpha_max where capacity limited, else back to 1.

The page "mechanisms" has every formula, and the whole of rerouting. Ties: demand wins over own
capacity, own capacity over inputs, an earlier input over a later one, any over the substitutes. A
limit is a tie, and does not limit, if it is lower by at most `tolerance` * x0.

Each step is a kernel of its own, called from Python period by period: mechanisms that are off are
neither run nor compiled, and a run can stop and go on.

Example
-------
A buyer makes 10 a period from as many parts and holds one period of stock. Its supplier stops
for two periods; the pipeline and the stock last for those two, and the third period is lost.

>>> from withstand.kernels import dynamics, dynamics_arrays, dynamics_memory
>>> network = dynamics_arrays.read_only(dynamics_arrays.NetworkArrays(
...     output=[10.0, 10.0], capacity=[15.0, 10.0], final_demand=[0.0, 10.0], finished=[0.0, 0.0],
...     inputs_indptr=[0, 0, 1], input_coefficient=[1.0], input_class=[2], input_use=[0],
...     input_stock=[10.0], input_target=[10.0],
...     links_indptr=[0, 1], link_supplier=[0], link_share=[1.0], link_lead_time=[1],
...     hours_order=[0, 1]))
>>> shocks = dynamics_arrays.read_only(dynamics_arrays.no_shocks(5)._replace(
...     shock_indptr=[0, 1], shock_node=[0], shock_factor=[[0.0, 0.0, 1.0, 1.0, 1.0]]))
>>> rules = dynamics_arrays.rule_arrays(network, stock_adjustment=2.0, is_wanted=False)
>>> work = dynamics_memory.new_work(network, rules)
>>> record = dynamics_memory.new_record(network, 5)
>>> dynamics.simulate(network, shocks, rules, work, record)
0
>>> record.output.T
array([[ 0. ,  0. , 15. ,  2.5, 15. ],
       [10. , 10. ,  0. , 10. ,  7.5]])
>>> record.limited_by[:, 1]  # -1 demand, else the input that bound it: its only one, input 0
array([-1, -1,  0, -1,  0])

References
----------
Henriet, Hallegatte, Tabourier (2012), J. Econ. Dyn. Control 36:150-167 (orders towards a target
stock, proportional rationing). Hallegatte (2013), Risk Analysis 34:152-167 (psi, overcapacity).
Pichler, Pangallo, del Rio-Chanona, Lafond, Farmer (2022), J. Econ. Dyn. Control 144:104527 (three
classes of inputs, substitutes). We differ: lead times and goods under way; hours within the
period; and an important input never limits more than an essential one would, hence the max in
step 4 (up to x0, where their outputs stay, the two agree).
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any

import numpy as np

from withstand.kernels.dynamics_arrays import (
    SAME_PERIOD,
    NetworkArrays,
    RuleArrays,
    ShockArrays,
)
from withstand.kernels.dynamics_memory import (
    SimulationRecord,
    SimulationWork,
    start_at_rest,
    write_down,
)
from withstand.kernels.dynamics_orders import ask_others, find_spare, move_orders, ship_and_order
from withstand.kernels.dynamics_production import (
    add_up_demand,
    apply_shocks,
    plan_output,
    settle_output,
    users_come_first,
)

STATUS_DONE = 0
STATUS_HOURS_ORDER = 1  # hours_order is no permutation, or has a user after its supplier
STATUS_NO_NUMBER = 2  # an output or a stock became negative, infinite or not a number


def simulate(
    network: NetworkArrays,
    shocks: ShockArrays,
    rules: RuleArrays,
    work: SimulationWork,
    record: SimulationRecord,
    start: int = 0,
    stop: int | None = None,
    threads: int = 1,
) -> int:
    """Play the periods from `start` to before `stop`.

    Parameters
    ----------
    network : NetworkArrays
        Through `read_only`, like `shocks`.
    shocks : ShockArrays
        Factors of all periods, whichever are played.
    rules : RuleArrays
    work : SimulationWork
        The state, changed in place. Period 0 begins at rest, whatever it held; any other goes on
        from where `start - 1` ended.
    record : SimulationRecord
        Written in place from its first row, which is period `start`.
    start : int
    stop : int, optional
        Default: to the end of the shocks.
    threads : int
        Each works on some of the nodes; the numbers are the same bit for bit. Not used where hours
        are granted within the period, for then nodes wait for one another.

    Returns
    -------
    int
        STATUS_DONE, STATUS_HOURS_ORDER (nothing played) or STATUS_NO_NUMBER (the record is
        complete up to the period before the fault).

    Notes
    -----
    Ties: see the module. Cost per period: three sweeps over the links, three over the inputs;
    rerouting adds three over the links, and over pairs of links of inputs of which one fails.
    """
    if start == 0:
        start_at_rest(network, work)
        if not users_come_first(
            network.hours_order, network.inputs_indptr, network.links_indptr, network.link_supplier,
            work.pipeline_indptr, work.position,
        ):  # fmt: skip
            return STATUS_HOURS_ORDER
    n_periods = shocks.shock_factor.shape[1] if stop is None else stop
    is_kept = int(len(record.received) > 0 or len(record.used) > 0)
    with Spans(network, work, threads) as spans:
        for t in range(start, n_periods):
            if not _play(network, shocks, rules, work, t, is_kept, spans):
                return STATUS_NO_NUMBER
            write_down(work, record, t - start)
    return STATUS_DONE


class Spans:
    """The nodes in spans with about the same number of inputs, one for each thread."""

    def __init__(self, network: NetworkArrays, work: SimulationWork, threads: int) -> None:
        self.has_hours = int((work.way == SAME_PERIOD).any())
        n = 1 if self.has_hours else max(1, threads)
        share = np.linspace(0, len(network.input_use), n + 1)
        cuts = np.searchsorted(network.inputs_indptr, share[1:-1]).tolist()
        cuts = [0, *cuts, len(network.output)]
        self.spans = list(pairwise(cuts))
        self.pool = ThreadPoolExecutor(n - 1) if n > 1 else None

    def __enter__(self) -> Spans:
        return self

    def __exit__(self, *_: object) -> None:
        if self.pool is not None:
            self.pool.shutdown()

    def run(self, kernel: Callable[..., Any], *arguments: Any) -> list[Any]:
        """Call a kernel for every span; the first in this thread."""
        if self.pool is None:
            return [kernel(*self.spans[0], *arguments)]
        others = [self.pool.submit(kernel, *span, *arguments) for span in self.spans[1:]]
        return [kernel(*self.spans[0], *arguments), *(other.result() for other in others)]


def _play(
    network: NetworkArrays,
    shocks: ShockArrays,
    rules: RuleArrays,
    work: SimulationWork,
    t: int,
    is_kept: int,
    spans: Spans,
) -> bool:
    """Play one period; tell whether all outputs and stocks are proper numbers."""
    (
        rest, capacity, final_demand, target_finished, inputs_indptr, coefficient, _, _, _, _,
        links_indptr, link_supplier, link_share, _, hours_order,
    ) = network  # fmt: skip
    is_cut = int(len(shocks.link_shock_factor) > 0)
    for number, left in enumerate((work.node_factor, work.link_factor, work.demand_factor)):
        indptr, hit, factor = shocks[3 * number : 3 * number + 3]
        if len(hit):
            apply_shocks(indptr, hit, factor, t, left)
    add_up_demand(
        final_demand, work.demand_factor, link_supplier, work.pipeline_indptr, is_cut,
        work.link_factor, work.flow, work.order, work.demand,
    )  # fmt: skip
    if rules.is_rerouting:
        add_up_demand(
            final_demand, work.demand_factor, link_supplier, work.pipeline_indptr, is_cut,
            work.link_factor, work.flow, work.own_order, work.own_demand,
        )  # fmt: skip
    spans.run(
        plan_output, t, rest, capacity, work.node_factor, work.alpha, target_finished,
        work.finished, rules.stock_adjustment, rules.tolerance, hours_order, inputs_indptr,
        coefficient, rules.limit_rule, rules.limit_coefficient, rules.limit_weight, links_indptr,
        link_supplier, link_share, work.link_factor, work.flow, work.pipeline_indptr, work.pipeline,
        work.way, work.stock, work.received, work.under_way, work.order, work.demand,
        work.own_demand, work.wish, work.capacity_now, work.able, work.wanted, work.output,
        work.limited_by, spans.has_hours, is_kept,
    )  # fmt: skip
    settled = spans.run(
        settle_output, rest, final_demand, work.demand_factor, rules.is_wanted, rules.is_scaled,
        rules.tolerance, rules.rationing, rules.alpha_max, rules.alpha_rate, rules.is_rerouting,
        rules.named_indptr, rules.named_link, rules.named_rank, rules.link_named, hours_order,
        inputs_indptr, coefficient, rules.limit_rule, rules.limit_coefficient, links_indptr,
        link_supplier, work.pipeline_indptr, work.way, work.is_stored, work.order, work.demand,
        work.own_demand, work.wish, work.capacity_now, work.able, work.wanted, work.stock,
        work.received, work.used, work.alpha, work.finished, work.base, work.scale, work.output,
        work.limited_by, work.unmet, work.ratio, work.ratio_final, work.ratio_named,
        spans.has_hours, is_kept,
    )  # fmt: skip
    if not all(settled):
        return False
    spans.run(
        ship_and_order, t, rules.is_scaled, rules.stock_adjustment, inputs_indptr, coefficient,
        links_indptr, link_supplier, link_share, rules.link_named, work.pipeline_indptr,
        work.is_stored, work.aim, work.stock, work.flow, work.base, work.scale, work.ratio,
        work.ratio_named, work.order, work.under_way, work.pipeline, work.own_order if
        rules.is_rerouting else work.order,
    )  # fmt: skip
    if rules.is_rerouting:
        _reroute(network, rules, work)
    return True


def _reroute(network: NetworkArrays, rules: RuleArrays, work: SimulationWork) -> None:
    """Move the orders that will not be filled to suppliers with spare capacity."""
    find_spare(
        network.output, rules.tolerance, work.own_demand, work.capacity_now, work.able,
        work.finished, work.filled, work.spare, work.asked,
    )  # fmt: skip
    ask_others(
        rules.tolerance, network.links_indptr, network.link_supplier, work.link_factor,
        rules.link_switch, work.flow, work.pipeline_indptr, work.own_order, work.filled, work.spare,
        work.asked, work.is_failing, work.missing, work.age, work.order,
    )  # fmt: skip
    move_orders(
        network.links_indptr, network.link_supplier, work.link_factor, rules.link_switch,
        work.pipeline_indptr, work.spare, work.asked, work.is_failing, work.missing, work.age,
        work.order,
    )  # fmt: skip
