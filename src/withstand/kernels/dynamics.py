"""Period by period: production, inventories, orders and rationing on a shocked network.

The state at rest is the network's own: node n makes `output[n]` = x0 per period, every link
carries `coefficient * x0 of the buyer * share` (its flow at rest), every input holds its stock.
Before the first period the pipelines are full: what is under way is what flows at rest.

Mechanisms: the order of events within period t
-----------------------------------------------
0. *Shocks.* Capacity now = capacity * product of the factors (shares left) of all shocks that hit
   the node. Links and final demand have factors in the same way.
1. *Arrive.* What was shipped at t - L arrives, L = max(1, lead time). What is consumed goes on
   stock. Hours (and hosted inputs, treated alike) are perishable: what is not used in the period
   in which it arrives is gone.
2. *Demand* on a node = final demand now + the orders that its buyers placed in t - 1. An order
   is first cut to its link's limit: factor * flow at rest where the link's factor is below 1.
3. *Wanted* = min(demand, capacity now).
4. *Inputs limit*, by class, with S the stock (or the hours) at hand and a the coefficient:
   essential x <= S/a; important x <= max(S/a, (S/a + x0)/2); minor never. An input without links
   is there in any quantity. Hours on links without lead time are asked for and granted within
   the period, in two passes over the nodes:
   A (users first)      the user asks each supplier for a * (what its stocks let it make) * share;
                        this adds to the demand on the supplier, whose own steps 3 and 4 follow;
   B (suppliers first)  the supplier grants its output over the demand on it; the user makes what
                        the granted hours, with those that arrived, let it make.
5. *Produce* x, and use up min(a x, S) of every input.
6. *Ration.* Final demand, orders and asks all receive the same share x / demand (1 where demand
   is 0). What final demand does not receive is lost; what an order does not receive is
   forgotten. Shipments join the pipeline.
7. *Order* for the next period. Consumed: max(0, a x + (target + flow at rest * L - stock - under
   way) / stock_adjustment), split by share, where x is what was made, or what was wanted in step
   3, by `order_rule`. Hours with a lead time are contracted at the rate at rest.

Ties: demand wins over own capacity, own capacity over inputs, an earlier input over a later one.
A limit is a tie, and does not limit, if it is lower by at most `tolerance` * x0.

Example
-------
A buyer makes 10 a period from as many parts and holds one period of stock. Its supplier stops
for two periods; the pipeline and the stock last for those two, and the third period is lost.

>>> import numpy as np
>>> from withstand.kernels import dynamics
>>> network = dynamics.read_only(dynamics.NetworkArrays(
...     output=[10.0, 10.0], capacity=[15.0, 10.0], final_demand=[0.0, 10.0],
...     inputs_indptr=[0, 0, 1], input_coefficient=[1.0], input_class=[2], input_use=[0],
...     input_stock=[10.0], input_target=[10.0],
...     links_indptr=[0, 1], link_supplier=[0], link_share=[1.0], link_lead_time=[1],
...     hours_order=[0, 1]))
>>> shocks = dynamics.no_shocks(5)._replace(
...     shock_indptr=[0, 1], shock_node=[0], shock_factor=[[0.0, 0.0, 1.0, 1.0, 1.0]])
>>> work, record = dynamics.new_work(network), dynamics.new_record(network, 5)
>>> dynamics.simulate(network, dynamics.read_only(shocks), 2.0, dynamics.ORDERS_FOLLOW_USE,
...                   1e-9, work, record)
0
>>> record.output.T
array([[ 0. ,  0. , 15. ,  2.5, 15. ],
       [10. , 10. ,  0. , 10. ,  7.5]])
>>> record.limited_by[:, 1]  # -1 demand, else the input that bound it: its only one, input 0
array([-1, -1,  0, -1,  0])

References
----------
Henriet, Hallegatte, Tabourier (2012), J. Econ. Dyn. Control 36:150-167 (orders towards a target
stock, proportional rationing). Pichler, Pangallo, del Rio-Chanona, Lafond, Farmer (2022), J. Econ.
Dyn. Control 144:104527 (three classes of inputs). We differ: lead times and goods under way;
hours within the period; and an important input never limits more than an essential one would,
hence the max in step 4 (up to x0, where their outputs stay, the two agree).
"""

from __future__ import annotations

from typing import NamedTuple, TypeVar

import numpy as np
from numba import njit

ESSENTIAL, IMPORTANT, MINOR = 2, 1, 0  # input_class
CONSUMED, HOURS, HOSTED = 0, 1, 2  # input_use

ORDERS_FOLLOW_USE = 0  # orders replace a * what was made
ORDERS_FOLLOW_WANTED = 1  # orders replace a * what was wanted in step 3

BY_DEMAND, BY_CAPACITY = -1, -2  # limited_by, where no input bound

STATUS_DONE = 0
STATUS_HOURS_ORDER = 1  # hours_order is no permutation, or has a user after its supplier
STATUS_NO_NUMBER = 2  # an output or a stock became negative, infinite or not a number

# work.supply; np.int64, because numba compiles a function anew for every plain constant it is given
_UNLIMITED, _LAGGED, _SAME_PERIOD = np.int64(0), np.int64(1), np.int64(2)

# Named tuples break the house rule of loose arrays: there would be more than forty of them, and
# the steps below would not be readable. To numba a named tuple is nothing but its arrays.
# error_model="numpy" leaves out code that raises on division by zero, which cannot happen here: a
# quarter of the time per period, two fifths of the time to compile.


class NetworkArrays(NamedTuple):
    """A network at rest, as `simulate` reads it: pass it through `read_only`.

    For a state at rest that stays, output = final demand + flows at rest to all buyers, capacity
    >= output, stock = target, and shares sum to 1 per input (that has links).

    Parameters
    ----------
    output, capacity, final_demand : ndarray of float64, shape (n_nodes,), units per period
        At rest. Finite, not negative.
    inputs_indptr : ndarray of int64, shape (n_nodes + 1,)
        Groups the inputs by buyer.
    input_coefficient : ndarray of float64, shape (n_inputs,), input units per unit of output
    input_class, input_use : ndarray of int64, shape (n_inputs,)
        2 essential, 1 important, 0 minor; 0 consumed, 1 hours, 2 hosted.
    input_stock, input_target : ndarray of float64, shape (n_inputs,), input units
        Stock at the end of a period at rest, and the stock that orders aim at. Only of inputs
        that are consumed.
    links_indptr : ndarray of int64, shape (n_inputs + 1,)
        Groups the links by input. An input without links is there in any quantity.
    link_supplier : ndarray of int64, shape (n_links,)
    link_share : ndarray of float64, shape (n_links,), 0 to 1
    link_lead_time : ndarray of int64, shape (n_links,), periods
        0 means 1 for what is consumed, and the same period for hours.
    hours_order : ndarray of int64, shape (n_nodes,)
        All nodes, every user of hours before those who supply it within the period.
    """

    output: np.ndarray
    capacity: np.ndarray
    final_demand: np.ndarray
    inputs_indptr: np.ndarray
    input_coefficient: np.ndarray
    input_class: np.ndarray
    input_use: np.ndarray
    input_stock: np.ndarray
    input_target: np.ndarray
    links_indptr: np.ndarray
    link_supplier: np.ndarray
    link_share: np.ndarray
    link_lead_time: np.ndarray
    hours_order: np.ndarray


class ShockArrays(NamedTuple):
    """Shocks to nodes, links and final demand: pass it through `read_only`.

    Three groups of the same form. Shock s of the first group multiplies the capacity of the nodes
    `shock_node[shock_indptr[s]:shock_indptr[s + 1]]` by `shock_factor[s, t]` in period t. Where
    several shocks hit one node, their factors multiply.

    Parameters
    ----------
    shock_indptr, link_shock_indptr, demand_shock_indptr : ndarray of int64, shape (n_shocks + 1,)
    shock_node, link_shock_link, demand_shock_node : ndarray of int64, shape (n_hit,)
        What the shocks hit: nodes, links, and nodes whose final demand changes.
    shock_factor, link_shock_factor, demand_shock_factor : ndarray of float64,
        shape (n_shocks, n_periods), share left; that of final demand may be above 1
    """

    shock_indptr: np.ndarray
    shock_node: np.ndarray
    shock_factor: np.ndarray
    link_shock_indptr: np.ndarray
    link_shock_link: np.ndarray
    link_shock_factor: np.ndarray
    demand_shock_indptr: np.ndarray
    demand_shock_node: np.ndarray
    demand_shock_factor: np.ndarray


class SimulationWork(NamedTuple):
    """What `simulate` remembers from period to period; made by `new_work`, used again freely.

    Parameters
    ----------
    node_factor, demand_factor, demand, wanted, ratio : ndarray of float64, shape (n_nodes,)
        Shares left; demand on the node; min(demand, capacity now); output over demand.
    position : ndarray of int64, shape (n_nodes,)
        Place of each node in hours_order.
    supply : ndarray of int64, shape (n_inputs,)
        How an input comes: in any quantity, by lagged links only, or (also) within the period.
    stock, received, used, under_way, under_way_at_rest : ndarray of float64, shape (n_inputs,)
    link_factor, flow, order : ndarray of float64, shape (n_links,)
        Share left; flow at rest; order placed (or hours asked for).
    pipeline_indptr : ndarray of int64, shape (n_links + 1,)
        Groups the pipeline by link: L slots each, none for hours of the same period.
    pipeline : ndarray of float64, shape (sum of L,)
        Ring per link: slot t modulo L holds what arrives at t, then what is shipped at t.
    """

    node_factor: np.ndarray
    demand_factor: np.ndarray
    demand: np.ndarray
    wanted: np.ndarray
    ratio: np.ndarray
    position: np.ndarray
    supply: np.ndarray
    stock: np.ndarray
    received: np.ndarray
    used: np.ndarray
    under_way: np.ndarray
    under_way_at_rest: np.ndarray
    link_factor: np.ndarray
    flow: np.ndarray
    order: np.ndarray
    pipeline_indptr: np.ndarray
    pipeline: np.ndarray


class SimulationRecord(NamedTuple):
    """What happened; made by `new_record`, written by `simulate`.

    Parameters
    ----------
    output, unmet : ndarray of float64, shape (n_periods, n_nodes), units per period
        Output, and final demand that was not met.
    limited_by : ndarray of int64, shape (n_periods, n_nodes)
        -1 demand, -2 own capacity, else the index of the input that bound.
    stock, received, used : ndarray of float64, shape (n_periods, n_inputs) or (0, n_inputs)
        Stock at the end of the period (0 for hours); input received and used in the period.
    """

    output: np.ndarray
    unmet: np.ndarray
    limited_by: np.ndarray
    stock: np.ndarray
    received: np.ndarray
    used: np.ndarray


_Arrays = TypeVar("_Arrays", NetworkArrays, ShockArrays)

_FLOATS = {
    *("output", "capacity", "final_demand", "input_coefficient", "input_stock", "input_target"),
    *("link_share", "shock_factor", "link_shock_factor", "demand_shock_factor"),
}


def read_only(arrays: _Arrays) -> _Arrays:
    """Return the tuple with every array read-only, contiguous, and float64 or int64.

    Numba compiles read-only and writable arrays apart; with this every call is one signature.
    Arrays that fit already are not copied. A float where an integer is due is a TypeError.
    """
    fitted = {}
    for name, values in arrays._asdict().items():
        dtype = np.dtype(np.float64 if name in _FLOATS else np.int64)
        array = np.asarray(values)
        if array.size:  # an empty list is float to numpy
            array = array.astype(dtype, casting="same_kind", copy=False)
        array = np.ascontiguousarray(array, dtype).view()
        array.flags.writeable = False
        fitted[name] = array
    return arrays._replace(**fitted)


def no_shocks(n_periods: int) -> ShockArrays:
    """Return three empty groups of shocks; fill them with `_replace`, then `read_only`."""
    group = (np.zeros(1, np.int64), np.zeros(0, np.int64), np.ones((0, n_periods)))
    return read_only(ShockArrays(*group, *group, *group))


def new_work(network: NetworkArrays) -> SimulationWork:
    """Return a workspace that fits the network: 4 numbers and its lead time in slots per link."""
    n_nodes, n_inputs = len(network.output), len(network.input_use)
    n_links = len(network.link_supplier)
    use = np.repeat(network.input_use, np.diff(network.links_indptr))
    at_once = (use != CONSUMED) & (network.link_lead_time <= 0)
    slots = np.where(at_once, 0, np.maximum(network.link_lead_time, 1))
    indptr = np.concatenate([[0], np.cumsum(slots)]).astype(np.int64)
    return SimulationWork(
        node_factor=np.empty(n_nodes),
        demand_factor=np.empty(n_nodes),
        demand=np.empty(n_nodes),
        wanted=np.empty(n_nodes),
        ratio=np.empty(n_nodes),
        position=np.empty(n_nodes, dtype=np.int64),
        supply=np.empty(n_inputs, dtype=np.int64),
        stock=np.empty(n_inputs),
        received=np.empty(n_inputs),
        used=np.empty(n_inputs),
        under_way=np.empty(n_inputs),
        under_way_at_rest=np.empty(n_inputs),
        link_factor=np.empty(n_links),
        flow=np.empty(n_links),
        order=np.empty(n_links),
        pipeline_indptr=indptr,
        pipeline=np.empty(indptr[-1]),
    )


def new_record(
    network: NetworkArrays, n_periods: int, *, with_inputs: bool = False
) -> SimulationRecord:
    """Return an empty record; without inputs, those three arrays have no rows."""
    n_nodes, n_inputs = len(network.output), len(network.input_use)
    rows = n_periods if with_inputs else 0
    return SimulationRecord(
        output=np.empty((n_periods, n_nodes)),
        unmet=np.empty((n_periods, n_nodes)),
        limited_by=np.empty((n_periods, n_nodes), dtype=np.int64),
        stock=np.empty((rows, n_inputs)),
        received=np.empty((rows, n_inputs)),
        used=np.empty((rows, n_inputs)),
    )


@njit(cache=True, error_model="numpy")
def simulate(network, shocks, stock_adjustment, order_rule, tolerance, work, out):
    """Play the shocks on the network, period by period, starting at rest.

    The steps and their order are those of the module's docstring.

    Parameters
    ----------
    network : NetworkArrays
        The network at rest.
    shocks : ShockArrays
        Their factors cover at least the recorded periods.
    stock_adjustment : float, periods, at least 1
        Time over which orders close the gap to the target stock.
    order_rule : int
        ORDERS_FOLLOW_USE or ORDERS_FOLLOW_WANTED. Under the first, an input without stock whose
        supply failed once may alternate between nothing and all for ever: what was not used is
        not ordered.
    tolerance : float, share of output at rest
        A capacity or an input that falls short of what is wanted by no more than this does not
        limit. Take it well above rounding (1e-12) and below any shortage that matters, say 1e-9:
        at 0, rounding errors can grow period by period where nobody has stock or spare capacity.
    work : SimulationWork
        Written in place; nothing of it is read before it is written, but `pipeline_indptr`.
    out : SimulationRecord
        Written in place. Its rows are the periods played.

    Returns
    -------
    int
        STATUS_DONE, STATUS_HOURS_ORDER (nothing played) or STATUS_NO_NUMBER (the record is
        complete up to the period before the fault).

    Notes
    -----
    Ties: see the module. Cost per period: four sweeps over the links, five over the inputs.
    """
    if not _users_come_first(network, work):
        return STATUS_HOURS_ORDER
    _start_at_rest(network, work)
    for t in range(out.output.shape[0]):
        output, limited_by = out.output[t], out.limited_by[t]
        _apply_shocks(
            shocks.shock_indptr, shocks.shock_node, shocks.shock_factor, t, work.node_factor
        )
        _apply_shocks(
            shocks.link_shock_indptr,
            shocks.link_shock_link,
            shocks.link_shock_factor,
            t,
            work.link_factor,
        )
        _apply_shocks(
            shocks.demand_shock_indptr,
            shocks.demand_shock_node,
            shocks.demand_shock_factor,
            t,
            work.demand_factor,
        )
        _arrive(network, t, work)
        _add_up_demand(network, work)
        _want_and_ask(network, tolerance, work, output, limited_by)
        _grant(network, tolerance, work, output, limited_by)
        if not _use_up(network, output, work):
            return STATUS_NO_NUMBER
        _deliver(network, t, work, out.unmet[t])
        _place_orders(network, stock_adjustment, order_rule, output, work)
        if t < out.stock.shape[0]:
            _record_inputs(work, out.stock[t], out.received[t], out.used[t])
    return STATUS_DONE


@njit(cache=True, error_model="numpy")
def _users_come_first(network, work):
    """Tell whether hours_order holds every node once, users before suppliers of the period."""
    position = work.position
    position[:] = -1
    n_nodes = len(position)
    if len(network.hours_order) != n_nodes:
        return False
    for k in range(n_nodes):
        n = network.hours_order[k]
        if n < 0 or n >= n_nodes or position[n] >= 0:
            return False
        position[n] = k
    for n in range(n_nodes):
        for i in range(network.inputs_indptr[n], network.inputs_indptr[n + 1]):
            for link in range(network.links_indptr[i], network.links_indptr[i + 1]):
                is_at_once = work.pipeline_indptr[link] == work.pipeline_indptr[link + 1]
                if is_at_once and position[network.link_supplier[link]] <= position[n]:
                    return False
    return True


@njit(cache=True, error_model="numpy")
def _start_at_rest(network, work):
    """Fill the pipelines with flows at rest, and set stocks, orders and factors."""
    work.node_factor[:] = 1.0
    work.demand_factor[:] = 1.0
    work.link_factor[:] = 1.0
    for n in range(len(network.output)):
        for i in range(network.inputs_indptr[n], network.inputs_indptr[n + 1]):
            use_at_rest = network.input_coefficient[i] * network.output[n]
            under_way = 0.0
            first, last = network.links_indptr[i], network.links_indptr[i + 1]
            work.supply[i] = _LAGGED if last > first else _UNLIMITED
            for link in range(first, last):
                flow = use_at_rest * network.link_share[link]
                work.flow[link] = flow
                work.order[link] = flow
                slot, end = work.pipeline_indptr[link], work.pipeline_indptr[link + 1]
                work.pipeline[slot:end] = flow
                under_way += (end - slot) * flow
                if slot == end:
                    work.supply[i] = _SAME_PERIOD
            work.under_way[i] = under_way
            work.under_way_at_rest[i] = under_way
            work.stock[i] = network.input_stock[i] if network.input_use[i] == CONSUMED else 0.0


@njit(cache=True, error_model="numpy")
def _apply_shocks(indptr, hit, factor, t, left):
    """Step 0: multiply the factors of period t into the shares left of all that is hit."""
    for k in range(len(hit)):
        left[hit[k]] = 1.0
    for s in range(factor.shape[0]):
        for k in range(indptr[s], indptr[s + 1]):
            left[hit[k]] *= factor[s, t]


@njit(cache=True, error_model="numpy")
def _arrive(network, t, work):
    """Step 1: take what arrives at t out of the pipelines."""
    for i in range(len(work.stock)):
        arrived = 0.0
        for link in range(network.links_indptr[i], network.links_indptr[i + 1]):
            first = work.pipeline_indptr[link]
            slots = work.pipeline_indptr[link + 1] - first
            if slots > 0:
                arrived += work.pipeline[first + t % slots]
        work.received[i] = arrived
        work.under_way[i] -= arrived
        work.stock[i] += arrived  # for hours, nothing was left of the period before


@njit(cache=True, error_model="numpy")
def _add_up_demand(network, work):
    """Step 2: final demand and the orders of the period before, each cut to its link's limit."""
    for n in range(len(work.demand)):
        work.demand[n] = network.final_demand[n] * work.demand_factor[n]
    for link in range(len(work.order)):
        if work.pipeline_indptr[link + 1] > work.pipeline_indptr[link]:
            order = _cut_to_limit(work.order[link], work.link_factor[link], work.flow[link])
            work.order[link] = order
            work.demand[network.link_supplier[link]] += order


@njit(cache=True, error_model="numpy")
def _cut_to_limit(order, factor, flow):
    """Return what of an order the link can carry."""
    return min(order, factor * flow) if factor < 1.0 else order


@njit(cache=True, error_model="numpy")
def _most_output(at_hand, coefficient, input_class, output_at_rest):
    """Return the most output that the input at hand allows."""
    if input_class == MINOR or coefficient <= 0.0:
        return np.inf
    by_recipe = at_hand / coefficient
    if input_class == ESSENTIAL:
        return by_recipe
    return max(by_recipe, 0.5 * (by_recipe + output_at_rest))


@njit(cache=True, error_model="numpy")
def _limit_output(network, n, supply, most, slack, work):
    """Return the output that inputs of one way of supply allow, and the input that binds or -1."""
    lowest, at_bound, bound = most, most, -1
    for i in range(network.inputs_indptr[n], network.inputs_indptr[n + 1]):
        if work.supply[i] == supply:
            limit = _most_output(
                work.stock[i],
                network.input_coefficient[i],
                network.input_class[i],
                network.output[n],
            )
            if limit < at_bound - slack:
                at_bound, bound = limit, i
            lowest = min(lowest, limit)
    return (most if bound < 0 else lowest), bound


@njit(cache=True, error_model="numpy")
def _want_and_ask(network, tolerance, work, output, limited_by):
    """Take steps 3, 4 and pass A: output as stocks allow, then ask for hours of this period."""
    for n in network.hours_order:
        demand = work.demand[n]
        capacity = network.capacity[n] * work.node_factor[n]
        slack = tolerance * network.output[n]
        is_short = capacity < demand - slack
        work.wanted[n] = capacity if is_short else demand
        limited_by[n] = BY_CAPACITY if is_short else BY_DEMAND
        output[n], bound = _limit_output(network, n, _LAGGED, work.wanted[n], slack, work)
        if bound >= 0:
            limited_by[n] = bound
        for i in range(network.inputs_indptr[n], network.inputs_indptr[n + 1]):
            if work.supply[i] == _SAME_PERIOD:
                _ask(network, i, network.input_coefficient[i] * output[n], work)


@njit(cache=True, error_model="numpy")
def _ask(network, i, need, work):
    """Ask the suppliers of input i for their shares of the hours needed in this period."""
    for link in range(network.links_indptr[i], network.links_indptr[i + 1]):
        if work.pipeline_indptr[link + 1] == work.pipeline_indptr[link]:
            asked = _cut_to_limit(
                need * network.link_share[link], work.link_factor[link], work.flow[link]
            )
            work.order[link] = asked
            work.demand[network.link_supplier[link]] += asked


@njit(cache=True, error_model="numpy")
def _grant(network, tolerance, work, output, limited_by):
    """Step 4, pass B: receive the hours granted, settle output and the share of demand met."""
    for n in network.hours_order[::-1]:
        has_asked = False
        for i in range(network.inputs_indptr[n], network.inputs_indptr[n + 1]):
            if work.supply[i] == _SAME_PERIOD:
                has_asked = True
                _receive_hours(network, i, work)
        if has_asked:
            slack = tolerance * network.output[n]
            output[n], bound = _limit_output(network, n, _SAME_PERIOD, output[n], slack, work)
            if bound >= 0:
                limited_by[n] = bound
        work.ratio[n] = output[n] / work.demand[n] if work.demand[n] > 0.0 else 1.0


@njit(cache=True, error_model="numpy")
def _receive_hours(network, i, work):
    """Add the hours that suppliers of the same period grant to those that have arrived."""
    for link in range(network.links_indptr[i], network.links_indptr[i + 1]):
        if work.pipeline_indptr[link + 1] == work.pipeline_indptr[link]:
            granted = work.order[link] * work.ratio[network.link_supplier[link]]
            work.received[i] += granted
            work.stock[i] += granted


@njit(cache=True, error_model="numpy")
def _use_up(network, output, work):
    """Step 5: use inputs up; tell whether all outputs and stocks are still proper numbers."""
    for n in range(len(output)):
        if not 0.0 <= output[n] < np.inf:
            return False
        for i in range(network.inputs_indptr[n], network.inputs_indptr[n + 1]):
            need = network.input_coefficient[i] * output[n]
            if work.supply[i] == _UNLIMITED:
                work.received[i] = need
                work.used[i] = need
                continue
            work.used[i] = min(need, work.stock[i])
            left = work.stock[i] - work.used[i]
            if not 0.0 <= left < np.inf:
                return False
            work.stock[i] = left if network.input_use[i] == CONSUMED else 0.0
    return True


@njit(cache=True, error_model="numpy")
def _deliver(network, t, work, unmet):
    """Step 6: every claim on a node receives the same share; ship the orders."""
    for n in range(len(unmet)):
        final = network.final_demand[n] * work.demand_factor[n]
        unmet[n] = final - final * work.ratio[n]
    for i in range(len(work.stock)):
        shipped = 0.0
        for link in range(network.links_indptr[i], network.links_indptr[i + 1]):
            first = work.pipeline_indptr[link]
            slots = work.pipeline_indptr[link + 1] - first
            if slots > 0:
                quantity = work.order[link] * work.ratio[network.link_supplier[link]]
                work.pipeline[first + t % slots] = quantity
                shipped += quantity
        work.under_way[i] += shipped


@njit(cache=True, error_model="numpy")
def _place_orders(network, stock_adjustment, order_rule, output, work):
    """Step 7: orders for the next period (those for hours of the same period are made there)."""
    for n in range(len(output)):
        made = work.wanted[n] if order_rule == ORDERS_FOLLOW_WANTED else output[n]
        for i in range(network.inputs_indptr[n], network.inputs_indptr[n + 1]):
            if network.input_use[i] == CONSUMED:
                use = network.input_coefficient[i] * made
                aim = network.input_target[i] + work.under_way_at_rest[i]
                gap = aim - work.stock[i] - work.under_way[i]
                order = max(0.0, use + gap / stock_adjustment)
                for link in range(network.links_indptr[i], network.links_indptr[i + 1]):
                    work.order[link] = order * network.link_share[link]
            else:
                for link in range(network.links_indptr[i], network.links_indptr[i + 1]):
                    work.order[link] = work.flow[link]


@njit(cache=True, error_model="numpy")
def _record_inputs(work, stock, received, used):
    """Copy the inputs' state by hand: assigning whole arrays takes numba 5 s more to compile."""
    for i in range(len(stock)):
        stock[i] = work.stock[i]
        received[i] = work.received[i]
        used[i] = work.used[i]
