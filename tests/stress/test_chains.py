"""Who limited whom: the chain from a node that fell short back to what was hit."""

from __future__ import annotations

import pytest

from tiny_networks import link, need, network, node, stock
from withstand.errors import UsageError
from withstand.examples import example
from withstand.model.scenario import Scenario, Shock
from withstand.stress import simulate


def chain(run, label, period=None, columns=("node", "limited_by", "supplier")):
    return run.why(label, period).select(columns).rows()


def three_tiers(**more):
    return network(
        [node("mine", "ORE", "AU", capacity=30.0), node("mill", "STEEL", "JP", capacity=20.0),
         node("plant", "GEAR", capacity=15.0, final_demand=10.0)],
        [need("STEEL", "ORE"), need("GEAR", "STEEL")],
        [link("mine", lead_time=4.0, route="STRAIT"), link("mill", lead_time=5.0)],
        stocks=[stock("mill", "ORE", 2.0), stock("plant", "STEEL", 3.0)],
        assume_recipe="shared",
        **more,
    )  # fmt: skip


def test_the_chain_ends_at_the_node_that_was_hit():
    run = simulate(three_tiers(), Scenario.lose(region="AU", duration=8))
    rows = run.why("plant")
    assert rows.columns == ["step", "period", "node", "output", "limited_by", "supplier", "shock"]
    assert rows.rows() == [
        (0, 14, "plant", 0.0, "STEEL", "mill", None),
        (1, 6, "mill", 0.0, "ORE", "mine", None),
        (2, 0, "mine", 0.0, "capacity", None, "region AU loses 100% for 8 periods"),
    ]


def test_a_node_that_was_hit_itself_is_the_whole_chain():
    # Half of a capacity of 15, for a demand of 10.
    run = simulate(three_tiers(), Scenario.lose(node="plant", share=0.5, duration=2))
    assert run.why("plant").rows() == [
        (0, 0, "plant", 0.75, "capacity", None, "node plant loses 50% for 2 periods")
    ]


@pytest.mark.parametrize("target", [{"route": "STRAIT"}, {"link": "mine>mill"}])
def test_the_chain_ends_at_the_link_that_was_hit(target):
    run = simulate(three_tiers(), Scenario.lose(**target, duration=8))
    rows = run.why("plant").rows()
    title = Shock(**target, duration=8).title()
    assert [r[2:] for r in rows] == [
        ("plant", 0.0, "STEEL", "mill", None),
        ("mill", 0.0, "ORE", "mine", title),
    ]


def test_without_a_shortage_the_chain_is_one_row():
    run = simulate(three_tiers(), Scenario.lose(region="AU", duration=1))
    assert chain(run, "plant") == [("plant", "demand", None)]
    slump = Scenario(name="x", shocks=(Shock(node="plant", share=0.5, what="demand"),))
    (row,) = simulate(three_tiers(), slump, periods=5).why("plant", 2).rows()
    assert row[2:] == ("plant", 0.5, "demand", None, "node plant loses 50% of demand for ever")


def test_a_named_period_is_explained():
    run = simulate(three_tiers(), Scenario.lose(region="AU", duration=8))
    assert chain(run, "mill", 5) == [("mill", "demand", None)]
    assert chain(run, "mill", 6)[0] == ("mill", "ORE", "mine")
    assert run.why("mill", 6)["period"].to_list() == [6, 0]


def test_of_two_suppliers_the_one_that_fell_short_is_named():
    net = network(
        [node("a", "S", "X", capacity=100.0), node("b", "S", "Y"),
         node("f", "F", final_demand=10.0)],
        [need("F", "S")],
        [link("a", share=0.7), link("b", share=0.3)],
    )  # fmt: skip
    run = simulate(net, Scenario.lose(node="b", duration=3))
    assert chain(run, "f") == [("f", "S", "b"), ("b", "capacity", None)]


def test_a_shortage_that_the_stock_has_made_up_for_since_is_not_the_cause():
    # b fails first, for long, and the stock covers it and is full again; then a fails.
    net = network(
        [node("a", "S", "X", capacity=7.0), node("b", "S", "Y", capacity=7.0),
         node("f", "F", final_demand=10.0)],
        [need("F", "S")],
        [link("a", share=0.5), link("b", share=0.5)],
        stocks=[stock("f", "S", 6.0)],
    )  # fmt: skip
    shocks = (Shock(node="b", duration=10), Shock(node="a", start=60, duration=20))
    run = simulate(net, Scenario(name="x", shocks=shocks))
    assert run.time_to_survive > 60
    assert chain(run, "f")[0] == ("f", "S", "a")


def test_deliveries_that_are_still_under_way_are_not_the_cause():
    # At week 5 the plant lacks what the mill did not send in week 0; that the other supplier
    # stopped in week 3 will be felt later.
    net = network(
        [node("near", "S", "X"), node("far", "S", "Y"), node("f", "F", final_demand=10.0)],
        [need("F", "S")],
        [link("near", share=0.2, lead_time=5.0), link("far", share=0.8, lead_time=5.0)],
    )
    shocks = (Shock(node="near"), Shock(node="far", start=3))
    run = simulate(net, Scenario(name="x", shocks=shocks), periods=20)
    assert chain(run, "f", 5)[0] == ("f", "S", "near")
    assert chain(run, "f", 8)[0] == ("f", "S", "far")


def test_a_supplier_that_nobody_asked_for_more_is_not_the_cause():
    # Without a the plant stops, so b is asked for less: b's output falls for want of demand.
    net = network(
        [node("a", "A", "X", capacity=20.0), node("b", "B", "Y", capacity=20.0),
         node("f", "F", final_demand=10.0)],
        [need("F", "A"), need("F", "B")],
        [link("a"), link("b")],
        stocks=[stock("f", "B", 1.0)],
    )  # fmt: skip
    run = simulate(net, Scenario.lose(node="a", duration=6), periods=20)
    for t in range(20):
        assert "b" not in run.why("f", t)["node"].to_list()[1:], t


def test_a_supplier_that_works_at_its_limit_is_named_where_nobody_fell_below_rest():
    # F is sold, and goes into G. Once parts are back, G's late orders compete with the demand of
    # the day, and the crew that makes F cannot work more than at rest.
    net = network(
        [node("crew", "SK"), node("part", "P", capacity=80.0),
         node("f", "F", final_demand=10.0, capacity=80.0),
         node("g", "G", final_demand=10.0, capacity=80.0)],
        [need("F", "SK", 2.0), need("F", "P"), need("G", "F")],
        [link("crew"), link("part"), link("f")],
        stocks=[stock("g", "F", 2.0)],
        products=[{"product": "F"}, {"product": "G"}, {"product": "P"},
                  {"product": "SK", "kind": "skill"}],
    )  # fmt: skip
    run = simulate(net, Scenario.lose(node="part", duration=2), periods=12)
    assert run.output[3:6, 2] == pytest.approx(20.0)  # as at rest, and too little
    assert run.met[3:6].max() < 0.999
    assert chain(run, "f", 4) == [("f", "SK", "crew"), ("crew", "capacity", None)]
    assert run.why("f", 4)["shock"].to_list() == [None, None]


def test_hours_are_followed_to_the_people():
    net = network(
        [node("crew", "SK"), node("f", "F", final_demand=10.0)],
        [need("F", "SK", 2.0)],
        products=[{"product": "F"}, {"product": "SK", "kind": "skill"}],
    )
    run = simulate(net, Scenario.lose(product="SK", share=0.5, start=2, duration=2))
    assert chain(run, "f", 2) == [("f", "SK", "crew"), ("crew", "capacity", None)]
    assert run.why("f")["period"].to_list() == [2, 2]
    assert chain(run, "f", 4) == [("f", "demand", None)]  # hours do not keep: no aftermath


@pytest.mark.parametrize("rule", ["none", "shared"])
@pytest.mark.parametrize("region", ["CN", "JP", "DE", "TW"])
def test_on_the_robot_maker_every_chain_ends_where_it_began_or_at_who_catches_up(region, rule):
    # While pipelines and stocks are filled up again, some work at their limit and nobody is hit.
    net = example("robot_maker").under_rule(rule)
    scenario = Scenario.lose(region=region, duration="26w", recovery="8w")
    run = simulate(net, scenario)
    assert run.time_to_survive is not None
    for t in range(run.n_periods):
        if run.met[t] < 0.999:
            rows = run.why("ROBOT@HOME", t)
            last = rows.row(-1, named=True)
            assert last["limited_by"] == "capacity"
            place = net.region_labels[net.node_region[net.index("nodes")[last["node"]]]]
            was_hit = (place, last["shock"]) == (region, scenario.name)
            assert was_hit or (last["shock"] is None and last["output"] >= 1.0 - 1e-9), (t, rows)


def test_a_circle_is_walked_once():
    net = network(
        [node("a", "A", final_demand=1.0), node("b", "B")],
        [need("A", "B", 0.5), need("B", "A", 0.5)],
        [link("a"), link("b")],
        lens="economy",
    )
    run = simulate(net, Scenario.lose(node="b", duration=2), periods=12)
    for t in range(12):
        assert run.why("a", t).height <= 3


@pytest.mark.parametrize("period", [-1, 999])
def test_a_period_that_was_not_played_is_refused(period):
    run = simulate(three_tiers(), Scenario.lose(region="AU", duration=8))
    with pytest.raises(UsageError, match=f"period {period} was not played; there are"):
        run.why("plant", period)


def test_an_unknown_node_is_named_with_the_nearest():
    run = simulate(three_tiers(), Scenario.lose(region="AU", duration=8))
    with pytest.raises(UsageError, match=r"no node 'plan'\. Did you mean plant"):
        run.why("plan")
