"""What a scenario hits on a network."""

from __future__ import annotations

import numpy as np
import pytest

from tiny_networks import link, need, network, node
from withstand.errors import ScenarioError
from withstand.model.hits import last_period, profile, resolve
from withstand.model.scenario import Scenario, Shock


@pytest.fixture(scope="module")
def net():
    """Two mills in JP and CN (one bloc) feed two plants of one company at home; one route."""
    return network(
        [
            node("GEAR1", "GEAR", final_demand=10.0, site="NORTH", company="ACME"),
            node("GEAR2", "WHEEL", final_demand=5.0, site="SOUTH", company="ACME"),
            node("MILL@JP", "STEEL", "JP", company="NIPPON"),
            node("MILL@CN", "STEEL", "CN", recovery_periods=6.0),
        ],
        [need("GEAR", "STEEL"), need("WHEEL", "STEEL")],
        [
            link("MILL@JP", "GEAR1", 0.5, route="STRAIT"),
            link("MILL@CN", "GEAR1", 0.5),
            link("MILL@JP", "GEAR2", 1.0, route="AIR"),
        ],
        regions=[{"region": "HOME"}, {"region": "JP", "bloc": "ASIA;OECD"},
                 {"region": "CN", "bloc": "ASIA"}],
    )  # fmt: skip


def hit(net, n_periods=4, **shock):
    (found,) = resolve(Scenario(name="x", shocks=(Shock(**shock),)), net, n_periods)
    labels = net.node_labels
    if found.kind == "link":
        buyer = net.input_buyer[net.link_input[found.indices]]
        pairs = zip(labels[net.link_supplier[found.indices]], labels[buyer], strict=True)
        return found.kind, [f"{s}>{b}" for s, b in pairs]
    return found.kind, labels[found.indices].tolist()


@pytest.mark.parametrize(
    ("targets", "expected"),
    [
        ({"region": "JP"}, ["MILL@JP"]),
        ({"node": "GEAR2"}, ["GEAR2"]),
        ({"product": "GEAR"}, ["GEAR1"]),
        ({"site": "SOUTH"}, ["GEAR2"]),
        ({"company": "ACME"}, ["GEAR1", "GEAR2"]),
        ({"bloc": "OECD"}, ["MILL@JP"]),
        ({"region": "JP", "product": "STEEL"}, ["MILL@JP"]),
        ({"company": "ACME", "site": "NORTH"}, ["GEAR1"]),
    ],
)
def test_each_kind_of_target_hits_its_nodes(net, targets, expected):
    assert hit(net, **targets) == ("node", expected)


@pytest.mark.parametrize(
    ("targets", "expected"),
    [
        ({"link": "MILL@JP>GEAR1"}, ["MILL@JP>GEAR1"]),
        ({"link": " MILL@JP > GEAR2 "}, ["MILL@JP>GEAR2"]),
        ({"route": "STRAIT"}, ["MILL@JP>GEAR1"]),
        ({"route": "AIR", "region": "JP"}, ["MILL@JP>GEAR2"]),
    ],
)
def test_links_and_routes_hit_links(net, targets, expected):
    assert hit(net, **targets) == ("link", expected)


def test_a_shock_of_demand_hits_the_nodes_that_serve_it(net):
    assert hit(net, region="HOME", what="demand") == ("demand", ["GEAR1", "GEAR2"])


def test_a_bloc_hits_all_its_regions_and_a_slow_node_recovers_slowly(net):
    quick, slow = resolve(Scenario.lose(bloc="ASIA", duration=1), net, 8)
    assert net.node_labels[quick.indices].tolist() == ["MILL@JP"]
    assert quick.factor.tolist() == [0, 1, 1, 1, 1, 1, 1, 1]
    assert net.node_labels[slow.indices].tolist() == ["MILL@CN"]
    assert slow.factor == pytest.approx([0, *(np.arange(1, 7) / 7), 1])


def test_a_node_uses_the_larger_of_its_own_recovery_and_the_shocks(net):
    (found,) = resolve(Scenario.lose(node="MILL@CN", duration=1, recovery=9), net, 12)
    assert found.factor[1] == pytest.approx(0.1)
    assert last_period(Scenario.lose(node="MILL@CN", duration=1, recovery=9), net) == 10.0


# --- profiles over time ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("curve", "expected"),
    [
        ("none", [0, 0, 0]),
        ("linear", [0.25, 0.5, 0.75]),
        ("exponential", [1 - np.exp(-1), 1 - np.exp(-2), 1 - np.exp(-3)]),
        ("s-shaped", [0.15625, 0.5, 0.84375]),  # p^2 (3 - 2 p)
    ],
)
def test_recovery_follows_its_curve_after_the_full_loss(curve, expected):
    shock = Shock(node="A", start=1, duration=2, recovery=3, curve=curve)
    assert profile(shock, "week", 8) == pytest.approx([1, 0, 0, *expected, 1, 1])


def test_part_of_a_loss_recovers_in_proportion():
    shock = Shock(node="A", share=0.4, duration=1, recovery=1)
    assert profile(shock, "week", 3) == pytest.approx([0.6, 0.8, 1.0])


def test_a_loss_without_an_end_stays():
    shock = Shock(node="A", start=2, share=0.3, recovery=5)
    assert profile(shock, "week", 5) == pytest.approx([1, 1, 0.7, 0.7, 0.7])


def test_a_loss_holds_in_every_period_it_touches():
    # From the middle of week 1 to the middle of week 2.
    assert profile(Shock(node="A", start=1.5, duration=1), "week", 4).tolist() == [1, 0, 0, 1]


def test_a_loss_may_start_or_end_after_the_horizon():
    assert profile(Shock(node="A", start=9, duration=1), "week", 3).tolist() == [1, 1, 1]
    assert profile(Shock(node="A", start=1, duration=99), "week", 3).tolist() == [1, 0, 0]


@pytest.mark.parametrize(
    ("period", "duration", "periods"),
    [
        ("day", "2 weeks", 14),
        ("week", "28 d", 4),
        ("day", "1 y", 365),
        ("week", "12w", 12),
        ("week", "3 months", 13),
        ("week", "1 month", 5),  # 4.33 weeks touch five
        ("month", "3 months", 3),
        ("month", "12w", 3),  # 2.77 months
        ("quarter", "1.5 years", 6),
        ("year", "18 months", 2),
        ("month", 4, 4),  # a bare number counts periods
        ("month", "4", 4),
    ],
)
def test_durations_are_counted_in_periods_of_the_network(period, duration, periods):
    factor = profile(Shock(node="A", duration=duration), period, 400)
    assert int((factor == 0).sum()) == periods


@pytest.mark.parametrize("what", ["start", "duration", "recovery"])
def test_the_last_period_adds_start_duration_and_recovery(net, what):
    times = {"start": 1, "duration": 2, "recovery": 8}
    scenario = Scenario.lose(node="GEAR1", **(times | {what: f"{times[what] + 10}w"}))
    assert last_period(scenario, net) == 21.0


# --- what is wrong ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("targets", "suggestion"),
    [
        ({"region": "JPN"}, "JP"),
        ({"node": "GEAR3"}, "GEAR2"),
        ({"product": "STEAL"}, "STEEL"),
        ({"site": "NORT"}, "NORTH"),
        ({"company": "ACNE"}, "ACME"),
        ({"bloc": "OCED"}, "OECD"),
        ({"route": "STRAITS"}, "STRAIT"),
        ({"link": "MILL@JP>GEAR3"}, "MILL@JP>GEAR2"),
        ({"link": "MIL@JP>GEAR1"}, "MILL@JP>GEAR1"),
        ({"link": "nonsense"}, None),
        ({"region": ""}, None),
    ],
)
def test_an_unknown_label_is_named_with_the_nearest(net, targets, suggestion):
    with pytest.raises(ScenarioError) as error:
        hit(net, **targets)
    (finding,) = error.value.findings
    (target, label) = next(iter(targets.items()))
    assert finding.code == "E301"
    assert finding.what == f"shock 1: there is no {target} of that name"
    assert (finding.value, finding.suggestion) == (label, suggestion)


@pytest.mark.parametrize(
    "targets",
    [
        {"region": "JP", "product": "GEAR"},
        {"link": "MILL@CN>GEAR2"},
        {"route": "STRAIT", "region": "CN"},
        {"region": "JP", "what": "demand"},
    ],
)
def test_conditions_that_hold_for_nothing_at_once_are_refused(net, targets):
    with pytest.raises(ScenarioError) as error:
        hit(net, **targets)
    (finding,) = error.value.findings
    assert finding.code == "E303"


def test_every_shock_is_looked_at():
    net = network([node("A", "A", final_demand=1.0)])
    shocks = (Shock(region="X"), Shock(site="Y"), Shock(route="Z"), Shock(bloc="B"))
    with pytest.raises(ScenarioError) as error:
        resolve(Scenario(name="x", shocks=shocks), net, 3)
    assert [f.what[:7] for f in error.value.findings] == [f"shock {i}" for i in range(1, 5)]
