"""What can be made without some regions, and what binds first."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import naive_measures as naive
from tiny_networks import from_plant, link, need, network, node
from withstand.errors import UsageError
from withstand.examples import example, folder_of, tiny
from withstand.measures import coverage, coverage_by_region

ANCHORS = Path(__file__).parent.parent / "data" / "robot_maker_anchors.csv"
BY_KIND = {"product": 1, "assembly": 1.1, "component": 1.05, "material": 1.5, "equipment": 1.2}
SLACKS = {"1.0": 1.0, "by kind": BY_KIND}
RULES = ("none", "shared")
LIMITS = ("share", "capacity")
seeds = st.integers(0, 2**32 - 1)
few = settings(max_examples=15)


def numbered(n, quick):
    """Seeds, the first of them in the quick run."""
    return [pytest.param(i, marks=[pytest.mark.slow] if i >= quick else []) for i in range(n)]


def anchors():
    with ANCHORS.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def robot_twin():
    """The twin of the robot maker, read straight from its files."""
    return naive.read_plant(folder_of("robot_maker"))


@pytest.fixture(scope="module")
def two_mills():
    """A plant that buys 2 kg of steel for each of its 10 gears, 80 % from JP and 20 % at home.

    JP uses 3 kg of ore for a kg of steel, and so does home; all ore comes from AU.
    """
    return network(
        [
            node("PLANT", "GEAR", capacity=12.0, final_demand=10.0),
            node("JP", "STEEL", "JP", capacity=20.0),
            node("MILL", "STEEL", capacity=10.0),
            node("MINE", "ORE", "AU", capacity=100.0),
        ],
        [need("GEAR", "STEEL", 2.0), need("STEEL", "ORE", 3.0)],
        [link("JP", share=0.8), link("MILL", share=0.2), link("MINE")],
        products=[
            {"product": "GEAR", "kind": "product"},
            {"product": "STEEL", "kind": "material"},
            {"product": "ORE", "kind": "material"},
        ],
    )


# --- by hand ---------------------------------------------------------------------------------


def test_without_a_supplier_the_others_give_what_they_gave_times_slack(two_mills):
    assert coverage(two_mills, ["JP"]).feasible_output == pytest.approx(0.2)
    assert coverage(two_mills, ["JP"], slack=1.5).feasible_output == pytest.approx(0.3)
    assert coverage(two_mills, ["JP"], slack=7.0).feasible_output == 1.0


def test_what_a_supplier_can_give_more_it_must_be_able_to_make(two_mills):
    # All ore at rest under the rule "none" feeds the 4 kg a week of the mill at home: 12 kg.
    only_steel = coverage(two_mills, ["JP"], slack={"STEEL": 2.0})
    assert only_steel.feasible_output == pytest.approx(0.2)
    assert only_steel.binding == ("ORE",)
    both = coverage(two_mills, ["JP"], slack={"material": 2.0})
    assert both.feasible_output == pytest.approx(0.4)


def test_the_recipe_abroad_decides_whether_its_loss_is_felt(two_mills):
    # Without ore the mill at home stops; JP goes on unless it uses the same recipe.
    assert coverage(two_mills, ["AU"], "none").feasible_output == pytest.approx(0.8)
    assert coverage(two_mills, ["AU"], "shared").feasible_output == 0.0


def test_capacity_limits_what_the_node_can_make_and_not_what_it_gave(two_mills):
    # The mill at home can make 10 of the 20 kg that the plant needs, ore is there for 33.
    found = coverage(two_mills, ["JP"], limit="capacity")
    assert found.feasible_output == pytest.approx(0.5)
    assert found.proportional == pytest.approx(0.5)
    steel = found.products.filter(pl.col("product") == "STEEL")
    assert steel["covered"].item() == pytest.approx(0.5)
    assert steel["share_left"].item() == pytest.approx(0.2)


def test_the_proportional_rule_passes_each_loss_on():
    # Half of A and half of B are lost. The best allocation makes half; so does proportion, for
    # the losses do not add up: both inputs are short by the same half.
    net = network(
        [node("F", "F", final_demand=1.0)]
        + [node(f"{p}@{r}", p, r) for p in "AB" for r in ("HOME", "X")],
        [need("F", "A"), need("F", "B")],
        [link(f"{p}@{r}", share=0.5) for p in "AB" for r in ("HOME", "X")],
    )
    found = coverage(net, ["X"])
    assert (found.feasible_output, found.proportional) == pytest.approx((0.5, 0.5))
    assert found.binding == ("A", "B")
    assert found.products["gain"].max() == 0.0


def test_the_best_allocation_beats_proportion_where_one_user_can_leave_its_share_to_another():
    # C is short by half. B has two makers: one needs C, one does not and has spare slack.
    net = network(
        [
            node("F", "F", final_demand=10.0),
            node("B1", "B"),
            node("B2", "B"),
            node("C1", "C"),
            node("C2", "C", "X"),
        ],
        [need("F", "B"), need("B1", "C"), need("F", "C")],
        [link("B1", share=0.5), link("B2", share=0.5), link("C1", share=0.5),
         link("C2", share=0.5)],
    )  # fmt: skip
    # At rest F uses 10 C and B1 5: 15, of which 7.5 are left. Shared in proportion, both get
    # half: F makes 5. At best theta F uses 10 theta, B1 10 theta - 5: theta = .625.
    found = coverage(net, ["X"])
    assert found.proportional == pytest.approx(0.5)
    assert found.feasible_output == pytest.approx(0.625)


def test_losing_the_region_of_the_plant_itself_leaves_nothing(two_mills):
    found = coverage(two_mills, ["HOME"], slack=10.0)
    assert found.feasible_output == 0.0
    assert str(found.feasible_output) == "0.0"  # never -0.0
    assert found.summary() == "Without HOME, 0.0% of demand can still be met; GEAR binds first."


def test_with_every_region_all_demand_is_met(two_mills):
    found = coverage(two_mills)
    assert (found.feasible_output, found.proportional, found.binding) == (1.0, 1.0, ())
    assert found.summary() == "With every region, 100.0% of demand can be met."


def test_slack_below_one_is_a_loss_of_its_own(two_mills):
    found = coverage(two_mills, slack={"STEEL": 0.5})
    assert found.feasible_output == pytest.approx(0.5)
    assert found.summary().startswith("With every region, 50.0% of demand can be met; STEEL")


def test_minor_inputs_do_not_bind():
    net = network(
        [node("F", "F", final_demand=1.0), node("T", "TEA", "X")],
        [need("F", "TEA", 5.0, **{"class": "minor"})],
        [link("T")],
    )
    found = coverage(net, ["X"])
    assert (found.feasible_output, found.proportional) == (1.0, 1.0)


def test_a_product_without_stated_suppliers_is_not_limited_by_shares_but_needs_its_inputs():
    # Nobody states who sells A: either node may make all of it. Both need ore from X.
    nodes = [node("F", "F", final_demand=1.0), node("A1", "A"), node("A2", "A", "Y"),
             node("ORE", "ORE", "X")]  # fmt: skip
    net = network(nodes, [need("F", "A"), need("A", "ORE")], [link("ORE")])
    assert coverage(net, ["Y"], "shared").feasible_output == 1.0
    assert coverage(net, ["Y"], "shared").proportional == 1.0
    assert coverage(net, ["X"], "shared").feasible_output == 0.0
    assert coverage(net, ["X"], "none").feasible_output == 1.0  # A2 needs nothing that is known
    assert coverage(net, ["X", "Y"], "none").feasible_output == 0.0


def test_several_final_products_share_one_theta():
    net = network(
        [node("F", "F", final_demand=1.0), node("G", "G", final_demand=5.0),
         node("A", "A", "X"), node("B", "B", "Y")],
        [need("F", "A"), need("G", "B")],
        [link("A"), link("B")],
    )  # fmt: skip
    assert coverage(net, ["X"]).feasible_output == 0.0


def test_a_network_without_demand_has_nothing_to_miss():
    net = network([node("A", "A"), node("B", "B", "X")])
    assert coverage(net, ["X"]).feasible_output == 1.0


def test_circles_are_solved_in_an_economy():
    # Each sells 0.5 to the other for each unit it makes; final demand 1 on each: output 2.
    net = network(
        [node("A", "A", final_demand=1.0), node("B", "B", "X", final_demand=1.0)],
        [need("A", "B", 0.5), need("B", "A", 0.5)],
        [link("A"), link("B")],
        home=None,
        lens="economy",
    )
    assert net.output.tolist() == pytest.approx([2.0, 2.0])
    # With B at 90 % both products are short: x_B = 1.8 = .5 x_A + theta, x_A = .5 x_B + theta.
    found = coverage(net, slack={"B": 0.9})
    assert found.feasible_output == pytest.approx(0.9)
    assert coverage(net, ["X"]).feasible_output == 0.0


# --- what binds ------------------------------------------------------------------------------


def test_a_binding_product_gains_what_more_of_it_would_give():
    # A holds output at .2, B at .6: a tenth of need more of A gives .1, more of B nothing.
    net = network(
        [node("F", "F", final_demand=10.0)]
        + [node(f"{p}@{r}", p, r) for p in "AB" for r in ("HOME", "X")],
        [need("F", "A"), need("F", "B")],
        [link("A@HOME", share=0.2), link("A@X", share=0.8), link("B@HOME", share=0.6),
         link("B@X", share=0.4)],
    )  # fmt: skip
    found = coverage(net, ["X"])
    assert found.binding == ("A",)
    gain = dict(found.products.select("product", "gain").iter_rows())
    assert gain["A"] == pytest.approx(0.1)
    assert gain["B"] == 0.0
    dual = dict(found.products.select("product", "dual").iter_rows())
    assert dual["A"] == pytest.approx(1.0)


def test_products_that_bind_together_are_all_found():
    found = coverage(example("robot_maker"), ["CN"], "shared")
    assert found.feasible_output == pytest.approx(0.01, abs=1e-6)
    assert set(found.binding) == {"DYTB", "REO_H"}


def test_jointly_binding_products_move_output_together_and_not_one_by_one(robot_twin):
    base = naive.feasible_output(robot_twin, {"CN"}, "shared")
    for raised in ({"DYTB"}, {"REO_H"}):
        alone = naive.feasible_output(robot_twin, {"CN"}, "shared", raised=raised)
        assert alone == pytest.approx(base, abs=1e-7)
    both = naive.feasible_output(robot_twin, {"CN"}, "shared", raised={"DYTB", "REO_H"})
    assert both > base + 1e-4


@pytest.mark.parametrize("region", ["JP", "DE", "TW", "US"])
@pytest.mark.parametrize("rule", RULES)
def test_gains_on_the_robot_maker_are_those_of_the_twin(region, rule, robot_twin):
    found = coverage(example("robot_maker"), [region], rule)
    base = naive.feasible_output(robot_twin, {region}, rule)
    gain = dict(found.products.select("product", "gain").iter_rows())
    for product in found.binding[:3]:
        raised = naive.feasible_output(robot_twin, {region}, rule, raised={product})
        assert gain[product] == pytest.approx(raised - base, abs=1e-7)
    assert [gain[p] for p in found.binding] == sorted(
        (gain[p] for p in found.binding), reverse=True
    )


@pytest.mark.parametrize("seed", numbered(15, 6))
def test_no_product_that_would_gain_is_missed(seed):
    rng = np.random.default_rng([seed, 1])
    plant = naive.random_plant(rng)
    rule, limit = RULES[seed % 2], LIMITS[seed // 2 % 2]
    lost = {"A"} if seed % 3 else {"A", "B"}
    found = coverage(from_plant(plant), [r for r in lost if _is_region(plant, r)], rule, 1.0, limit)
    base = naive.feasible_output(plant, lost, rule, 1.0, limit)
    gain = dict(found.products.select("product", "gain").iter_rows())
    made = naive.outputs(plant, rule)
    for product in {p for n, (p, _) in plant.nodes.items() if made[n] > 0}:
        raised = naive.feasible_output(plant, lost, rule, 1.0, limit, raised={product})
        assert gain[product] == pytest.approx(raised - base, abs=1e-7)
    if found.binding:
        raised = naive.feasible_output(plant, lost, rule, 1.0, limit, raised=found.binding)
        assert raised > base + 1e-9


def _is_region(plant, region):
    return region in {r for _, r in plant.nodes.values()}


# --- against the anchors and the twin --------------------------------------------------------


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("slack", SLACKS)
def test_every_single_region_meets_its_anchor(rule, slack):
    expected = {
        row["regions_lost"]: float(row["feasible_output"])
        for row in anchors()
        if row["assume_recipe"] == rule and row["slack"] == slack
    }
    found = coverage_by_region(example("robot_maker"), None, rule, SLACKS[slack])
    result = dict(found.select("region", "feasible_output").iter_rows())
    assert len(expected) == 27
    assert result == pytest.approx(expected, abs=1e-5)
    assert found["feasible_output"].is_sorted()


def test_the_anchors_are_those_of_the_shared_data(data_dir):
    assert (data_dir / "robot_maker" / "anchors_country_loss.csv").read_bytes() == (
        ANCHORS.read_bytes()
    )


@pytest.mark.parametrize("seed", numbered(40, 8))
def test_sets_of_regions_on_the_robot_maker_equal_the_twin(seed, robot_twin):
    rng = np.random.default_rng([seed, 2])
    regions = sorted({r for _, r in robot_twin.nodes.values()} - {"HOME"})
    lost = [str(r) for r in rng.choice(regions, int(rng.integers(2, 6)), replace=False)]
    products = rng.choice(sorted(robot_twin.kinds), 20, replace=False)
    by_product = {str(p): float(rng.uniform(1, 2)) for p in products} | {"material": 1.3}
    net = example("robot_maker")
    for rule in RULES:
        for slack in (1.0, BY_KIND, by_product):
            found = coverage(net, lost, rule, slack)
            expected = naive.feasible_output(robot_twin, set(lost), rule, slack)
            assert found.feasible_output == pytest.approx(expected, abs=1e-7), (rule, slack)
            expected = naive.proportional(robot_twin, set(lost), rule, slack)
            assert found.proportional == pytest.approx(expected, abs=1e-9), (rule, slack)


@pytest.mark.parametrize("seed", numbered(100, 30))
def test_random_plants_equal_the_twin(seed):
    rng = np.random.default_rng([seed, 3])
    plant = naive.random_plant(rng)
    regions = sorted({r for _, r in plant.nodes.values()})
    lost = [r for r in regions if rng.random() < 0.4]
    slack = (1.0, 1.3, {"P1": 2.0, "component": 1.5}, 0.7)[seed % 4]
    net = from_plant(plant)
    for rule in RULES:
        for limit in LIMITS:
            found = coverage(net, lost, rule, slack, limit)
            expected = naive.feasible_output(plant, lost, rule, slack, limit)
            assert found.feasible_output == pytest.approx(expected, abs=1e-7), (rule, limit)
            expected = naive.proportional(plant, lost, rule, slack, limit)
            assert found.proportional == pytest.approx(expected, abs=1e-9), (rule, limit)


# --- invariants ------------------------------------------------------------------------------


@st.composite
def plants(draw):
    """A random plant and its seed."""
    return naive.random_plant(np.random.default_rng(draw(seeds)))


choices = {"rule": st.sampled_from(RULES), "limit": st.sampled_from(LIMITS)}


@few
@given(plant=plants(), lost=st.sets(st.sampled_from("ABC")), more=st.sampled_from("ABC"), **choices)
def test_more_regions_lost_never_leave_more_output(plant, lost, more, rule, limit):
    net = from_plant(plant)
    lost = [r for r in sorted(lost) if _is_region(plant, r)]
    some = coverage(net, lost, rule, limit=limit)
    all_of_them = coverage(
        net, [*lost, more] if _is_region(plant, more) else lost, rule, limit=limit
    )
    assert 0.0 <= all_of_them.feasible_output <= some.feasible_output + 1e-7 <= 1.0 + 1e-7


@few
@given(plant=plants(), lost=st.sets(st.sampled_from("ABC")), slack=st.floats(0, 2),
       more=st.floats(0, 1), rule=st.sampled_from(RULES))  # fmt: skip
def test_more_slack_never_leaves_less_output(plant, lost, slack, more, rule):
    net = from_plant(plant)
    lost = [r for r in sorted(lost) if _is_region(plant, r)]
    tight, loose = (coverage(net, lost, rule, s) for s in (slack, slack + more))
    assert tight.feasible_output <= loose.feasible_output + 1e-7
    assert tight.proportional <= loose.proportional + 1e-9


@few
@given(plant=plants(), lost=st.sets(st.sampled_from("ABC")), slack=st.floats(0, 1),
       rule=st.sampled_from(RULES))  # fmt: skip
def test_proportion_never_beats_the_best_allocation_without_slack(plant, lost, slack, rule):
    # With slack above 1, or where suppliers are not stated, it can: see the next test.
    for p in plant.kinds:
        if ("*", p) not in plant.shares:
            makers = plant.makers(p)
            plant.shares["*", p] = {m: 1 / len(makers) for m in makers}
    plant.made.clear()
    lost = [r for r in sorted(lost) if _is_region(plant, r)]
    found = coverage(from_plant(plant), lost, rule, slack)
    assert found.proportional <= found.feasible_output + 1e-7


def test_slack_makes_up_for_lost_peers_and_not_for_lost_inputs():
    # A is made at home from ore; half of the ore is lost, all of A's makers are left.
    net = network(
        [node("F", "F", final_demand=1.0), node("A", "A"), node("O1", "ORE"),
         node("O2", "ORE", "X")],
        [need("F", "A"), need("A", "ORE")],
        [link("A"), link("O1", share=0.5), link("O2", share=0.5)],
    )  # fmt: skip
    assert coverage(net, ["X"], slack={"A": 2.0}).proportional == pytest.approx(0.5)
    assert coverage(net, ["X"], slack={"A": 2.0, "ORE": 1.5}).proportional == pytest.approx(0.75)


def test_with_slack_proportion_does_not_ask_for_the_inputs_of_what_is_made_more(two_mills):
    found = coverage(two_mills, ["JP"], slack={"STEEL": 2.0})
    assert found.proportional == pytest.approx(0.4)
    assert found.feasible_output == pytest.approx(0.2)


@few
@given(plant=plants(), seed=seeds, **choices)
def test_the_order_of_rows_changes_nothing(plant, seed, rule, limit):
    lost = ["A"] if _is_region(plant, "A") else []
    one = coverage(from_plant(plant), lost, rule, limit=limit)
    other = coverage(from_plant(plant, np.random.default_rng(seed)), lost, rule, limit=limit)
    assert one.feasible_output == pytest.approx(other.feasible_output, abs=1e-7)
    assert one.proportional == pytest.approx(other.proportional, abs=1e-9)
    gains = [dict(c.products.select("product", "gain").iter_rows()) for c in (one, other)]
    assert gains[0] == pytest.approx(gains[1], abs=1e-7)


@few
@given(plant=plants(), factor=st.floats(1e-3, 1e3), number=st.integers(0, 6), **choices)
def test_counting_a_product_in_another_unit_changes_nothing(plant, factor, number, rule, limit):
    product = f"P{number % len(plant.kinds)}"
    lost = ["A"] if _is_region(plant, "A") else []
    for label in plant.nodes:  # without shares, a node without a capacity counts as 1
        plant.capacity.setdefault(label, 1.0)
    before = coverage(from_plant(plant), lost, rule, limit=limit)
    for made, recipe in plant.recipes.items():
        for needed, (quantity, kind) in recipe.items():
            quantity *= (factor if needed == product else 1) / (factor if made == product else 1)
            recipe[needed] = (quantity, kind)
    if product in plant.demand:
        plant.demand[product] *= factor
    for label in plant.makers(product):
        if label in plant.capacity:
            plant.capacity[label] *= factor
    after = coverage(from_plant(plant), lost, rule, limit=limit)
    assert after.feasible_output == pytest.approx(before.feasible_output, abs=1e-6)
    assert after.proportional == pytest.approx(before.proportional, abs=1e-9)


# --- the tables ------------------------------------------------------------------------------


def test_coverage_by_kind_is_the_mean_over_products_and_by_value():
    net = network(
        [
            node("F", "F", final_demand=1.0, price=100.0),
            node("A@X", "A", "X", price=10.0),
            node("A@HOME", "A", price=10.0),
            node("B", "B", "Y", price=30.0),
            node("C", "C", "X"),
        ],
        [need("F", "A"), need("F", "B"), need("F", "C")],
        [link("A@X", share=0.6), link("A@HOME", share=0.4), link("B"), link("C")],
        products=[{"product": "F", "kind": "product"}, {"product": "A", "kind": "material"},
                  {"product": "B", "kind": "material"}, {"product": "C", "kind": "skill"}],
    )  # fmt: skip
    by_kind = coverage(net, ["X"]).by_kind
    # A is covered to .4 and B to 1: mean .7; by value (.4 x 10 + 1 x 30) / 40 = .85
    material = by_kind.row(by_predicate=pl.col("kind") == "material", named=True)
    assert material == pytest.approx(
        {"kind": "material", "products": 2, "not_fully_covered": 1, "coverage": 0.7,
         "coverage_by_value": 0.85, "without_price": 0}
    )  # fmt: skip
    skill = by_kind.row(by_predicate=pl.col("kind") == "skill", named=True)
    assert (skill["coverage"], skill["coverage_by_value"], skill["without_price"]) == (0.0, None, 1)
    by_tier = coverage(net, ["X"]).by_tier
    assert by_tier["tier"].to_list() == [0, 1]
    assert by_tier["products"].to_list() == [1, 3]
    assert by_tier["coverage"].to_list() == pytest.approx([1.0, (0.4 + 1.0 + 0.0) / 3])


def test_slack_covers_what_is_lost_up_to_the_whole():
    by_kind = coverage(tiny(), ["JP"], slack={"STEEL": 2.0}).by_kind
    assert by_kind.filter(pl.col("kind") == "material")["coverage"].item() == pytest.approx(0.4)


def test_why_shows_the_suppliers_and_who_is_lost():
    rows = coverage(tiny(), ["JP"]).why("STEEL")
    assert rows["supplier"].to_list() == ["STEEL@JP", "STEEL@HOME"]
    assert rows["share"].to_list() == pytest.approx([0.8, 0.2])
    assert rows["lost"].to_list() == [True, False]


def test_why_of_an_unknown_product_names_the_nearest():
    with pytest.raises(UsageError, match=r"no product 'STEL'\. Did you mean STEEL"):
        coverage(tiny()).why("STEL")


def test_regions_are_listed_worst_first_and_home_is_left_out():
    table = coverage_by_region(tiny())
    assert table.columns == ["region", "name", "feasible_output", "proportional", "binding"]
    assert table.row(0) == ("JP", "Japan", pytest.approx(0.2), pytest.approx(0.2), "STEEL")
    assert table.height == 1


def test_a_network_of_one_region_has_none_to_lose():
    assert coverage_by_region(network([node("F", "F", final_demand=1.0)])).height == 0


def test_the_answer_says_what_was_asked():
    found = coverage(tiny(), ["JP"], slack={"STEEL": 2.0})
    asked = {"without": ["JP"], "assume_recipe": "none", "slack": {"STEEL": 2.0}, "limit": "share"}
    assert dict(found.provenance.parameters) == asked
    assert found.provenance.fingerprint == tiny().fingerprint()


# --- wrong use -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"without": ["JPN"]}, "no region 'JPN'. Did you mean JP"),
        ({"without": "JP"}, r"without takes a list of regions: without=\['JP'\]"),
        ({"limit": "shares"}, "limit 'shares' is unknown; use one of share, capacity"),
        ({"assume_recipe": "both"}, "assume_recipe 'both' is unknown; use one of none, shared"),
        ({"slack": {"STEAL": 2.0}}, "no product or kind 'STEAL'. Did you mean STEEL"),
        ({"slack": {"materials": 2.0}}, "Did you mean material"),
        ({"slack": -1.0}, "slack must be a finite number"),
        ({"slack": float("nan")}, "slack must be a finite number"),
        ({"slack": {"STEEL": float("inf")}}, "slack must be a finite number"),
        ({"slack": "a lot"}, "slack must be a finite number"),
        ({"slack": {"STEEL": None}}, "slack must be a finite number"),
    ],
)
def test_wrong_arguments_are_named(arguments, message):
    with pytest.raises(UsageError, match=message):
        coverage(tiny(), **arguments)


def test_a_kind_that_no_product_has_is_no_fault():
    assert coverage(tiny(), ["JP"], slack={"equipment": 2.0}).feasible_output == pytest.approx(0.2)
