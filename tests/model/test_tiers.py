"""Tiers and needs, seen from the viewpoint."""

from __future__ import annotations

import numpy as np

from tiny_networks import link, need, network, node
from withstand.examples import example
from withstand.model.tiers import needs_per_unit, tiers

NODES = [node("f", "F", final_demand=2.0), node("a", "A"), node("b", "B", "X"), node("c", "C", "X"),
         node("z", "Z")]  # fmt: skip
RECIPES = [need("F", "A"), need("F", "C"), need("A", "B", 3.0), need("B", "C", 5.0)]
LINKS = [link(n) for n in "abc"]


def by_product(net, values):
    return dict(zip(net.product_labels.tolist(), values.tolist(), strict=True))


def test_a_tier_is_the_shortest_path_and_what_is_never_needed_has_none():
    net = network(NODES, RECIPES, LINKS)  # C is needed directly, and through B
    assert by_product(net, tiers(net)) == {"F": 0, "A": 1, "B": 2, "C": 1, "Z": -1}


def test_tiers_see_recipes_that_producers_abroad_are_not_taken_to_use():
    net = network(NODES, [r for r in RECIPES if r != need("F", "C")], LINKS)
    assert net.output[3] == 0.0  # B's recipe is not known under the rule "none"
    assert by_product(net, tiers(net))["C"] == 3


def test_tiers_start_from_the_viewpoint():
    net = network(NODES, RECIPES, LINKS, viewpoint="A")
    assert by_product(net, tiers(net)) == {"F": -1, "A": 0, "B": 1, "C": 2, "Z": -1}


def test_needs_count_every_recipe():
    net = network(NODES, RECIPES, LINKS)  # 2 F, 2 A, 6 B, and 2 + 30 C
    assert by_product(net, needs_per_unit(net)) == {"F": 2, "A": 2, "B": 6, "C": 32, "Z": 0}


def test_circles_do_not_hold_tiers_up():
    net = network(
        [node("A", "A", final_demand=1.0), node("B", "B"), node("C", "C")],
        [need("A", "B", 0.5), need("B", "C", 0.5), need("C", "A", 0.5)],
        [link(n) for n in "ABC"],
        lens="economy",
    )
    assert by_product(net, tiers(net)) == {"A": 0, "B": 1, "C": 2}


def test_the_robot_maker_has_six_tiers_below_the_robot():
    net = example("robot_maker")
    assert np.bincount(tiers(net)).tolist() == [1, 13, 31, 51, 23, 7, 1]


def test_a_node_may_be_the_viewpoint():
    by_node = network(NODES, RECIPES, LINKS, viewpoint="a")
    assert (tiers(by_node) == tiers(network(NODES, RECIPES, LINKS, viewpoint="A"))).all()
