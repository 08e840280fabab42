"""An industrial park by hand: what it saves, what fails together, and what mends it."""

from __future__ import annotations

import numpy as np
import pytest

from tiny_networks import link, need, network, node, stock
from withstand import apply, measures, plan, plants, stress
from withstand.errors import UsageError
from withstand.examples import example
from withstand.model.option import check_options


def loss(net, scenario):
    return stress.simulate(net, scenario, periods=10).loss


def beside(**more):
    """Two plants that do not know of each other: 10 gears at 5, and 4 pumps at 20, a week."""
    return network(
        [
            node("gears", "GEAR", final_demand=10.0, price=5.0),
            node("pumps", "PUMP", final_demand=4.0, price=20.0),
            node("far", "VALVE", "JP", final_demand=1.0, price=1.0),
        ],
        currency="EUR",
        **more,
    )


POWER = plants.Utility(
    product="POWER", per_unit={"gears": 2.0, "pumps": 5.0}, failures_per_year=0.5, outage="2w",
    cost_shared=100.0, cost_own=160.0,
)  # fmt: skip


def chained():
    """Gears go into pumps, 2 weeks under way; a week of gears is held."""
    return network(
        [
            node("gears", "GEAR", price=5.0),
            node("pumps", "PUMP", final_demand=4.0, price=20.0),
        ],
        [need("PUMP", "GEAR", 2.0)],
        [link("gears", lead_time=2.0)],
        stocks=[stock("pumps", "GEAR", 1.0)],
        currency="EUR",
    )


def test_the_plants_need_what_they_share():
    """10 x 2 + 4 x 5 = 40 units of power a week from one node."""
    found = plants.park(beside(), ["gears", "pumps"], [POWER])
    net = found.network
    supply = net.index("nodes")[found.supply_of("POWER")]
    assert net.output[supply] == net.capacity[supply] == 40.0
    assert net.buyers_of("POWER@PARK")["flow"].to_list() == [20.0, 20.0]
    assert (net.input_use == 1).all()  # hours: fresh every period
    own = found.apart
    assert [own.output[own.index("nodes")[f"POWER@{n}"]] for n in found.members] == [20.0, 20.0]
    assert stress.simulate(net, found.scenarios()[0], periods=6).output[0, supply] == 0.0


def test_the_park_is_a_region_like_the_one_it_came_from():
    net = plants.park(beside(), ["gears", "pumps"], [POWER]).network
    at = net.index("regions")["PARK"]
    assert net.is_home[at]
    assert net.region_labels[net.node_region[net.index("nodes")["gears"]]] == "PARK"
    site = plants.park(beside(), ["gears", "pumps"], [POWER], as_region=False).network
    assert "PARK" not in site.index("regions")
    sites = dict(site.tables["nodes"].select("node", "site").iter_rows())
    assert sites == {"gears": "PARK", "pumps": "PARK", "far": None, "POWER@PARK": "PARK"}


def test_without_failures_nothing_is_lost():
    found = plants.park(beside(), ["gears", "pumps"], [POWER])
    for net in (found.network, found.apart):
        assert stress.simulate(net, stress_free(), periods=5).loss == 0.0


def stress_free():
    from withstand.model.scenario import Scenario

    return Scenario(name="baseline", shocks=())


def test_plants_beside_each_other_lose_the_same_on_average_and_more_at_worst():
    """Two weeks of 50 and of 80: 260 at once, half a time a year; apart 100 and 160."""
    found = plants.park(beside(), ["gears", "pumps"], [POWER])
    table = {r["layout"]: r for r in found.compare(loss).iter_rows(named=True)}
    together, apart = table["together"], table["apart"]
    assert (together["worst"], apart["worst"]) == (pytest.approx(260), pytest.approx(160))
    assert together["expected"] == pytest.approx(130.0)
    assert apart["expected"] == pytest.approx(130.0)
    assert together["spread"] == pytest.approx(np.sqrt(0.5) * 260)
    assert apart["spread"] == pytest.approx(np.sqrt(0.5 * (100**2 + 160**2)))
    assert (together["failures"], apart["failures"]) == (0.5, 1.0)
    assert (together["cost"], apart["cost"]) == (100.0, 160.0)
    assert found.scenarios()[0].probability == pytest.approx(1 - np.exp(-0.5))


def test_plants_in_a_chain_stop_more_often_with_supplies_of_their_own():
    """The pumps' own failure costs 2 weeks. The gears' own costs 2 - 1 week of stock. Together
    it is 2 weeks of pumps, and one failure in place of two."""
    utility = plants.Utility(product="POWER", per_unit=1.0, failures_per_year=1.0, outage="2w")
    found = plants.park(chained(), ["gears", "pumps"], [utility])
    table = {r["layout"]: r for r in found.compare(loss).iter_rows(named=True)}
    week = 4.0 * 20.0
    assert table["together"]["worst"] == pytest.approx(2 * week)
    assert table["apart"]["expected"] == pytest.approx(2 * week + 1 * week)
    assert table["apart"]["expected"] > table["together"]["expected"]


def test_short_ways_inside_are_a_gain():
    """8 gears a week at 5, two weeks under way: 80 EUR; in the park none of it."""
    found = plants.park(
        chained(), ["gears", "pumps"],
        [plants.Utility(product="POWER", per_unit=1.0, cost_shared=70, cost_own=100)],
        lead_time=0.5,
    )  # fmt: skip
    gains = {r["what"]: r for r in found.gains().iter_rows(named=True)}
    assert gains["goods under way inside"]["apart"] == 80.0
    assert gains["goods under way inside"]["saved"] == 60.0
    assert gains["mean lead time inside"]["together"] == 0.5
    assert gains["cost of utilities"]["saved"] == 30.0
    inner = found.network.tables["links"].filter(buyer="pumps", supplier="gears")
    assert inner["lead_time"].to_list() == [0.5]
    assert found.apart.link_lead_time.max() == 2.0


def test_only_ways_inside_become_shorter():
    """The mill sells to a plant in the park and to one outside; so does a mill abroad."""
    net = network(
        [
            node("inside", "GEAR", final_demand=10.0), node("outside", "PUMP", final_demand=10.0),
            node("mill", "STEEL"), node("abroad", "STEEL", "JP"),
        ],
        [need("GEAR", "STEEL"), need("PUMP", "STEEL")],
        [link("mill", share=0.6, lead_time=3.0, route="canal"),
         link("abroad", share=0.4, lead_time=8.0)],
    )  # fmt: skip
    found = plants.park(
        net, ["inside", "mill"], [plants.Utility(product="WATER", per_unit=1.0)], lead_time=1.0
    )
    after = found.network

    def times(label):
        at = after.index("nodes")[label]
        i = next(
            i
            for i in range(after.inputs_indptr[at], after.inputs_indptr[at + 1])
            if after.product_labels[after.input_product[i]] == "STEEL"
        )
        links = range(after.links_indptr[i], after.links_indptr[i + 1])
        return {
            str(after.node_labels[after.link_supplier[k]]): (
                after.link_lead_time[k], after.link_share[k]
            )
            for k in links
        }  # fmt: skip

    assert times("inside") == {"mill": (1.0, 0.6), "abroad": (8.0, 0.4)}
    assert times("outside") == {"mill": (3.0, 0.6), "abroad": (8.0, 0.4)}
    assert after.output[:4] == pytest.approx(net.output[:4])
    own = after.tables["links"].filter(buyer="inside", supplier="mill")
    assert own["route"].to_list() == ["canal"]


def test_a_second_feeder_stands_by():
    """It serves half, so a run loses half of 260; the best response takes the rest over too."""
    found = plants.park(beside(), ["gears", "pumps"], [POWER])
    option = found.second_feeder("POWER", cost_once=20.0)
    assert check_options(found.network, [option]) == []
    after = apply(found.network, [option])
    assert loss(after, found.scenarios()[0]) == pytest.approx(130.0)
    assert stress.respond(found.network, found.scenarios()[0], periods=10).loss == pytest.approx(
        260
    )
    assert stress.respond(after, found.scenarios()[0], periods=10).loss == pytest.approx(
        0, abs=1e-6
    )


def test_an_own_generator_takes_one_plant_out_of_it():
    found = plants.park(beside(), ["gears", "pumps"], [POWER])
    option = found.own_supply("POWER", "pumps", cost_once=20.0)
    after = apply(found.network, [option])
    assert loss(after, found.scenarios()[0]) == pytest.approx(2 * 50.0)


def test_the_plan_chooses_among_them():
    found = plants.park(beside(), ["gears", "pumps"], [POWER])
    options = [
        found.second_feeder("POWER", cost_once=20.0),
        found.own_supply("POWER", "pumps", cost_once=500.0),
    ]
    solved = plan.solve(
        found.network, options, found.scenarios(), horizon=1, periods=10, step=1, onsets=[0.0]
    )
    assert solved.chosen == ("FEEDER_POWER",)
    assert solved.expected_loss == pytest.approx(0.0, abs=1e-6)


def test_a_park_of_the_robot_maker_counts_as_home():
    net = example("robot_maker")
    steam = plants.Utility(product="STEAM", per_unit=1.0, outage="6w")
    found = plants.park(net, ["ARM@HOME", "CTRL@HOME"], [steam], lead_time=0.0)
    assert found.network.n_nodes == net.n_nodes + 1
    covered = measures.coverage(found.network, ["JP"]).feasible_output
    assert covered == pytest.approx(measures.coverage(net, ["JP"]).feasible_output)
    assert loss(found.network, found.scenarios()[0]) > 0


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda: plants.park(beside(), ["gear"], [POWER]), "Did you mean 'gears'"),
        (lambda: plants.park(beside(), ["gears", "far"], [POWER]), "one region"),
        (lambda: plants.park(beside(), [], [POWER]), "at least one node"),
        (lambda: plants.park(beside(), ["gears"], []), "at least one"),
        (lambda: plants.park(beside(), ["gears"], [POWER]), "no plant 'pumps'"),
        (lambda: plants.park(beside(), ["gears", "pumps"], [POWER, POWER]), "once"),
        (lambda: plants.park(beside(), ["gears", "pumps"], [POWER], name="JP"), "a region 'JP'"),
        (lambda: asked(product="GEAR"), "GEAR_PARK"),
        (lambda: asked(capacity=39.0), "below the 40"),
        (lambda: asked(per_unit=0.0), "No plant"),
        (lambda: asked(per_unit=-1.0), "per_unit"),
        (lambda: asked(kind="enrgy"), "Did you mean 'energy'"),
        (lambda: asked(outage=0.0), "outage"),
        (lambda: asked(lost=2.0), "share"),
        (lambda: asked().supply_of("POWR"), "Did you mean 'POWER'"),
        (lambda: asked().own_supply("POWER", "far"), "does not use"),
        (lambda: asked().second_feeder("POWER", share=1.5), "share"),
    ],
)
def test_what_cannot_be_is_refused(ask, message):
    with pytest.raises(UsageError, match=message):
        ask()


def asked(**more):
    given = {"product": "POWER", "per_unit": {"gears": 2.0, "pumps": 5.0}, **more}
    return plants.park(beside(), ["gears", "pumps"], [plants.Utility(**given)])
