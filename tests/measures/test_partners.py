"""Which partner regions cover what home cannot, and what each contributes."""

from __future__ import annotations

from itertools import combinations, permutations
from math import comb

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import withstand as ws
from real_economies import wiod
from tiny_economies import economy
from tiny_networks import link, need, network, node
from withstand.errors import DataError, UsageError
from withstand.examples import example
from withstand.measures import (
    coverage,
    exposure,
    governance_reliability,
    partners,
    value_added_content,
    voting_reliability,
)
from withstand.measures.channels import great_circle
from withstand.measures.partner_programme import BestPartners
from withstand.measures.reliabilities import expected_value
from withstand.measures.shapley import all_values, exact_shapley, sampled_shapley
from withstand.model.blocs import bloc_members

RULES = ("none", "shared")
LIMITS = ("share", "capacity")
REGIONS = "ABCDEFG"
seeds = st.integers(0, 2**32 - 1)
few = settings(max_examples=10)


def random_plant(seed, n_regions=6):
    """A robot of four or five parts; parts and materials from home and random regions."""
    rng = np.random.default_rng([seed, 7])
    regions = REGIONS[:n_regions]
    parts = [f"P{i}" for i in range(int(rng.integers(3, 6)))]
    materials = [f"M{i}" for i in range(int(rng.integers(1, 4)))]
    recipes = [need("F", p, float(rng.uniform(0.5, 2))) for p in parts]
    for m in materials:
        for p in parts:
            if rng.random() < 0.5:
                recipes.append(need(p, m, float(rng.uniform(0.2, 2))))
    used = {r["input"] for r in recipes}
    nodes = [node("F", "F", final_demand=10.0, capacity=12.0, price=100.0)]
    links = []
    for product in [*parts, *materials]:
        if product not in used:
            continue
        makers = [r for r in regions if rng.random() < 0.4] or [regions[int(rng.integers(0, 3))]]
        if rng.random() < 0.5:
            makers = ["HOME", *makers]
        shares = rng.dirichlet(np.ones(len(makers)))
        for region, share in zip(makers, shares, strict=True):
            label = f"{product}@{region}"
            nodes.append(
                node(
                    label,
                    product,
                    region,
                    capacity=float(rng.uniform(0.0, 40.0)),
                    price=float(rng.uniform(0.5, 3.0)),
                )
            )
            if rng.random() < 0.9 or product in parts[:2]:
                links.append(link(label, share=float(share)))
        stated = [x for x in links if x["supplier"].startswith(f"{product}@")]
        total = sum(x["share"] for x in stated)
        for x in stated:
            x["share"] /= total
    return network(nodes, recipes, links)


def without_all_but(net, members, rule, limit, slack=1.0):
    """The twin: coverage with every region lost but home and these."""
    has_nodes = {str(net.region_labels[r]) for r in net.node_region}
    lost = sorted(has_nodes - {"HOME", *members})
    return coverage(net, lost, rule, slack, limit).feasible_output


def candidates_in(net):
    return sorted({str(net.region_labels[r]) for r in net.node_region} - {"HOME"})


@pytest.fixture(scope="module")
def needs_two():
    """F needs one A and one B.

    S makes half of both; U makes nine tenths of A and V of B. With one partner S is best (.5); with
    two, U and V are (.9), for S with either of them stays at .5.
    """
    return network(
        [
            node("F", "F", final_demand=10.0),
            node("A@S", "A", "S", capacity=5.0),
            node("B@S", "B", "S", capacity=5.0),
            node("A@U", "A", "U", capacity=9.0),
            node("B@V", "B", "V", capacity=9.0),
        ],
        [need("F", "A"), need("F", "B")],
        [
            link("A@S", share=0.4),
            link("A@U", share=0.6),
            link("B@S", share=0.4),
            link("B@V", share=0.6),
        ],
    )


# --- by hand ---------------------------------------------------------------------------------


def test_taking_the_best_partner_one_after_another_can_miss_the_best_pair(needs_two):
    found = partners(needs_two, most=2, limit="capacity")
    assert found.best(1).partners == ("S",)
    assert found.best(1).coverage == pytest.approx(0.5)
    assert found.best(2).partners == ("U", "V")
    assert found.best(2).coverage == pytest.approx(0.9)
    assert found.coverage("S", "U") == pytest.approx(0.5)  # B stays at .5
    assert found.marginal("S")["gain"].to_list() == pytest.approx([0.0, 0.0])


def test_partners_of_which_each_alone_is_worth_nothing_complement_each_other(needs_two):
    found = partners(needs_two, limit="capacity")
    pairs = {(a, b): (value, word) for a, b, value, _, word in found.interactions.iter_rows()}
    # Without S: .9 together, nothing alone. With S (.5): 1 together, nothing alone: .5. Mean .7.
    assert pairs["U", "V"] == (pytest.approx(0.7), "complements")
    # S stands in for U where V is there: D(none) = v(SU) - v(S) - v(U) + v() = .5 - .5 - 0 + 0 = 0,
    # D(V) = v(SUV) - v(SV) - v(UV) + v(V) = 1 - .5 - .9 + 0 = -.4, mean -.2
    assert pairs["S", "U"] == (pytest.approx(-0.2), "substitutes")


def test_shapley_shares_are_the_means_over_all_orders(needs_two):
    found = partners(needs_two, limit="capacity")
    labels = found.candidates
    expected = dict.fromkeys(labels, 0.0)
    for order in permutations(labels):
        for at, label in enumerate(order):
            gain = found.coverage(*order[: at + 1]) - found.coverage(*order[:at])
            expected[label] += gain / 6
    shares = dict(found.shapley.select("partner", "shapley").iter_rows())
    assert shares == pytest.approx(expected)
    assert sum(shares.values()) == pytest.approx(1.0)


def test_home_is_always_there_and_adds_to_no_share(needs_two):
    found = partners(needs_two, candidates=["U", "V"], limit="capacity")
    assert found.candidates == ("U", "V")
    assert found.best(2).coverage == pytest.approx(0.9)
    assert found.needed() is None  # S is no candidate, so .9 is all there is
    assert found.needed(0.9).partners == ("U", "V")


def test_a_region_that_the_law_rules_out_is_in_no_set(needs_two):
    regions = pl.DataFrame(
        {
            "region": ["HOME", "S", "U", "V"],
            "home": [True, False, False, False],
            "allowed": [True, True, False, True],
        }
    )
    net = needs_two.with_changes({"regions": regions})
    found = partners(net, most=3, limit="capacity")
    assert found.candidates == ("S", "V")
    assert found.excluded.select("region", "reason").row(0) == (
        "U",
        "not allowed to supply (column allowed of the table regions)",
    )
    assert found.best().coverage == pytest.approx(0.5)
    assert found.best(2).partners == ("S", "V")
    # asked for by name it stays out, also as part of a group
    named = partners(net, candidates={"west": ["S", "U"], "east": ["V"]}, limit="capacity")
    assert named.coverage("west", "east") == pytest.approx(0.5)
    with pytest.raises(UsageError, match="U is no candidate: not allowed"):
        found.coverage("U")


def test_a_bloc_is_one_partner(needs_two):
    regions = pl.DataFrame(
        {
            "region": ["HOME", "S", "U", "V"],
            "home": [True, False, False, False],
            "bloc": [None, "LONE", "PACT", "PACT"],
        }
    )
    net = needs_two.with_changes({"regions": regions})
    found = partners(net, candidates=["PACT", "S"], most=1, limit="capacity")
    assert found.best(1).partners == ("PACT",)
    assert found.best(1).coverage == pytest.approx(0.9)
    same = partners(net, candidates={"PACT": ["U", "V"], "S": ["S"]}, most=1, limit="capacity")
    assert same.curve.equals(found.curve)


def test_a_partner_relieves_the_products_that_bind_without_it(needs_two):
    found = partners(needs_two, limit="capacity")
    why = found.why("V", among=["U"])
    assert why.select("product", "is_binding").rows() == [("B", True)]
    assert why["share"].item() == pytest.approx(0.6)
    assert why.select("covered_without", "covered_with").row(0) == pytest.approx((0.0, 0.9))


def test_what_binds_with_some_partners_is_said_in_detail(needs_two):
    found = partners(needs_two, limit="capacity")
    assert found.in_detail("S", "U").binding == ("B",)
    assert found.in_detail("S", "U").feasible_output == pytest.approx(0.5)
    with pytest.raises(UsageError, match="By value nothing binds"):
        partners(example("robot_maker"), kind="value").in_detail("JP")


def test_of_sets_that_tie_all_are_listed_in_the_order_of_labels():
    # Three regions, each makes a third of the one part: any of them is as good.
    net = network(
        [node("F", "F", final_demand=3.0)] + [node(f"A@{r}", "A", r) for r in "ZXY"],
        [need("F", "A")],
        [link(f"A@{r}", share=1 / 3) for r in "ZXY"],
    )
    for best in ("brute_force", "programme"):
        found = partners(net, most=2, best=best)
        assert found.best(1).tied == (("X",), ("Y",), ("Z",))
        assert (found.best(2).ties, found.best(2).partners) == (3, ("X", "Y"))
        assert found.best(2).coverage == pytest.approx(2 / 3)


def test_the_most_reliable_of_sets_that_tie_comes_first():
    net = network(
        [node("F", "F", final_demand=2.0)] + [node(f"A@{r}", "A", r) for r in "XY"],
        [need("F", "A")],
        [link(f"A@{r}", share=0.5) for r in "XY"],
    )
    found = partners(net, most=1, reliability={"X": 0.6, "Y": 0.9})
    assert found.best(1).partners == ("Y",)
    assert found.best(1).expected == pytest.approx(0.45)


# --- against going through all sets ----------------------------------------------------------


def numbered(n, quick):
    """Seeds, the first of them in the quick run."""
    return [pytest.param(i, marks=[pytest.mark.slow] if i >= quick else []) for i in range(n)]


@pytest.mark.parametrize("seed", numbered(100, 12))
def test_the_programme_and_the_search_equal_going_through_all_sets(seed):
    net = random_plant(seed)
    rule, limit = RULES[seed % 2], LIMITS[seed // 2 % 2]
    slack = (1.0, 1.4)[seed // 4 % 2]
    labels = candidates_in(net)
    values = {
        s: without_all_but(net, s, rule, limit, slack)
        for k in range(4)
        for s in combinations(labels, k)
    }
    for best in ("brute_force", "programme"):
        found = partners(net, most=3, assume_recipe=rule, limit=limit, slack=slack, best=best)
        for one in found.sets:
            same_size = {s: v for s, v in values.items() if len(s) == one.k}
            most = max(same_size.values())
            assert one.coverage == pytest.approx(most, abs=1e-7), (best, one.k)
            assert one.coverage == pytest.approx(values[one.partners], abs=1e-7)
            assert one.bound >= most - 1e-7
            assert one.gap <= 2e-6  # HiGHS ends at an absolute gap of 1e-6
            reach = [s for s in sorted(same_size) if same_size[s] >= most - 5e-8]
            assert one.ties == len(reach)
            assert list(one.tied) == reach[:20]


@few
@given(seed=seeds, rule=st.sampled_from(RULES), limit=st.sampled_from(LIMITS))
def test_any_set_is_the_coverage_with_all_others_lost(seed, rule, limit):
    net = random_plant(seed)
    found = partners(net, assume_recipe=rule, limit=limit, most=1)
    rng = np.random.default_rng(seed)
    for _ in range(4):
        some = [c for c in found.candidates if rng.random() < 0.5]
        expected = without_all_but(net, some, rule, limit)
        assert found.coverage(*some) == pytest.approx(expected, abs=1e-7)
    assert found.coverage() == pytest.approx(without_all_but(net, [], rule, limit), abs=1e-7)
    everyone = coverage(net, [], rule, 1.0, limit).feasible_output
    assert found.coverage(*found.candidates) == pytest.approx(everyone, abs=1e-7)


@few
@given(seed=seeds, rule=st.sampled_from(RULES), limit=st.sampled_from(LIMITS))
def test_more_partners_never_cover_less_and_shares_sum_to_the_gain(seed, rule, limit):
    net = random_plant(seed, 5)
    found = partners(net, assume_recipe=rule, limit=limit, most=9)
    curve = found.curve["coverage"].to_numpy()
    assert (np.diff(curve) >= -1e-7).all()
    gain = found.coverage(*found.candidates) - found.coverage()
    assert found.shapley["shapley"].sum() == pytest.approx(gain, abs=1e-9)
    assert found.shapley["shapley"].min() >= -1e-9
    n = len(found.candidates)
    assert curve[-1] == found.coverage(*found.candidates)
    assert found.interactions.height == comb(n, 2)


@few
@given(seed=seeds)
def test_the_order_of_rows_changes_no_set(seed):
    net = random_plant(seed)
    rng = np.random.default_rng(seed)
    shuffled = net.with_changes(
        {
            name: frame.sample(fraction=1.0, shuffle=True, seed=int(rng.integers(1000)))
            for name, frame in net.tables.items()
        }
    )
    one, other = partners(net), partners(shuffled)
    assert [s.partners for s in one.sets] == [s.partners for s in other.sets]
    assert one.curve["coverage"].to_list() == pytest.approx(
        other.curve["coverage"].to_list(), abs=1e-7
    )


# --- Shapley shares --------------------------------------------------------------------------


def random_values(n, seed, is_monotone):
    """The worth of every set: weights of required groups (monotone), or anything."""
    rng = np.random.default_rng(seed)
    if not is_monotone:
        table = rng.normal(size=1 << n)
        return lambda s: float(table[s])
    groups = [(int(rng.integers(1, 1 << n)), float(rng.random())) for _ in range(4)]
    return lambda s: sum(w for g, w in groups if g & s == g)


@few
@given(seed=seeds, n=st.integers(2, 5), is_monotone=st.booleans())
def test_exact_shares_and_interactions_equal_the_definition(seed, n, is_monotone):
    value = random_values(n, seed, is_monotone)
    found = exact_shapley(n, value, is_monotone=is_monotone)
    shares, pairs, times = np.zeros(n), np.zeros((n, n)), np.zeros((n, n))
    orders = list(permutations(range(n)))
    for order in orders:
        for at, i in enumerate(order):
            before = sum(1 << j for j in order[:at])
            shares[i] += (value(before | 1 << i) - value(before)) / len(orders)
            if at + 1 < n:
                j = order[at + 1]
                both = value(before | 1 << i | 1 << j) + value(before)
                alone = value(before | 1 << i) + value(before | 1 << j)
                pairs[i, j] += both - alone
                times[i, j] += 1
    assert found.shares == pytest.approx(shares)
    expected = (pairs + pairs.T) / np.maximum(times + times.T, 1)
    np.fill_diagonal(expected, np.nan)
    np.testing.assert_allclose(found.interactions, expected, atol=1e-9)
    assert found.is_exact


@pytest.mark.parametrize("is_monotone", [True, False])
def test_drawn_shares_sum_to_the_gain_and_lie_near_the_exact_ones(is_monotone):
    n = 7
    value = random_values(n, 5, is_monotone)
    exact = exact_shapley(n, value, is_monotone=is_monotone)
    drawn = sampled_shapley(n, value, 600, np.random.default_rng(1), is_monotone=is_monotone)
    again = sampled_shapley(n, value, 600, np.random.default_rng(1), is_monotone=is_monotone)
    gain = value((1 << n) - 1) - value(0)
    assert drawn.shares.sum() == pytest.approx(gain, abs=1e-12)
    assert (np.abs(drawn.shares - exact.shares) <= 4.5 * drawn.errors + 1e-9).all()
    off = ~np.eye(n, dtype=bool)
    apart = np.abs(drawn.interactions - exact.interactions)[off]
    assert (apart <= 5 * drawn.interaction_errors[off] + 1e-9).all()
    assert (drawn.shares == again.shares).all()
    assert 0 < drawn.errors.max() < 0.2


def test_values_between_two_equal_ones_are_not_computed():
    asked = []

    def needs_all(s):
        asked.append(s)
        return float(s == 255)

    values = all_values(8, needs_all, is_monotone=True)
    assert values[-1] == 1.0
    assert values[:-1].max() == 0.0
    assert len(asked) < 16  # everyone, nobody, and each one missing; not 256


# --- reliability -----------------------------------------------------------------------------


def test_expected_coverage_goes_through_who_fails(needs_two):
    found = partners(needs_two, limit="capacity", reliability={"S": 0.5, "U": 0.9, "V": 0.8})
    # U and V: .9 x .8 x .9; with S besides: S alone .5 of the rest, all three 1.
    assert found.expected("U", "V") == (pytest.approx(0.648), 0.0)
    by_hand = 0.72 * (0.5 * 1.0 + 0.5 * 0.9) + 0.28 * 0.5 * 0.5
    assert found.expected("S", "U", "V")[0] == pytest.approx(by_hand)
    assert found.best(3).expected == pytest.approx(by_hand)
    assert dict(found.to_frame().select("partner", "reliability").iter_rows())["U"] == 0.9


def test_sure_and_hopeless_partners_need_no_chance():
    def value(s):
        return s.bit_count() / 3

    rng = np.random.default_rng(0)
    given_ = {0: 1.0, 1: 0.0, 2: 0.25}
    assert expected_value([0, 1, 2], given_, value, samples=4, rng=rng) == (
        pytest.approx(1.25 / 3),
        0.0,
    )


def test_with_many_partners_expected_coverage_is_drawn():
    def value(s):
        return s.bit_count() / 20

    chances = dict.fromkeys(range(20), 0.7)
    rng = np.random.default_rng(3)
    mean, error = expected_value(range(20), chances, value, samples=2000, rng=rng)
    assert 0 < error < 0.01
    assert mean == pytest.approx(0.7, abs=4 * error)


def test_reliability_that_is_not_known_gives_no_number(needs_two):
    found = partners(needs_two, reliability={"S": 0.5, "U": 0.9})
    assert found.reliability["V"] is None
    assert found.best(3).expected is None
    with pytest.raises(UsageError, match="reliability of V is not known"):
        found.expected("V")


def test_the_column_of_the_regions_counts_and_an_empty_cell_is_one(needs_two):
    regions = pl.DataFrame(
        {
            "region": ["HOME", "S", "U", "V"],
            "home": [True, False, False, False],
            "reliability": [1.0, 0.5, None, 0.8],
        }
    )
    found = partners(needs_two.with_changes({"regions": regions}))
    assert found.reliability == {"S": 0.5, "U": 1.0, "V": 0.8}


def test_a_group_is_as_reliable_as_its_least_reliable_region(needs_two):
    found = partners(needs_two, candidates={"pair": ["U", "V"]}, reliability={"U": 0.9, "V": 0.8})
    assert found.reliability["pair"] == 0.8


def test_codes_of_one_country_are_the_same_region():
    net = network(
        [node("F", "F", final_demand=1.0), node("A", "A", "DE")], [need("F", "A")], [link("A")]
    )
    frame = pl.DataFrame({"region": ["DEU"], "reliability": [0.7]})
    assert partners(net, reliability=frame).reliability == {"DE": 0.7}


def test_governance_is_read_from_the_published_indicators(data_dir):
    frame = pl.read_parquet(
        data_dir / "crm_trade_wmd_wgi" / "wgi_political_stability_1996_2024.parquet"
    )
    found = governance_reliability(frame, year=2022)
    known = dict(found.select("region", "reliability").iter_rows())
    assert len(known) == 215
    # The file's own column Normalized is 1 for the worst: (2.5 - estimate) / 5, cut at its ends.
    normalized = frame.filter((pl.col("year") == 2022) & (pl.col("stat") == "Normalized"))
    theirs = dict(normalized.select("Code", "value").drop_nulls().iter_rows())
    for label in ("NOR", "DEU", "CHN", "COD", "AFG"):
        assert known[label] == pytest.approx(1.0 - theirs[label], abs=1e-6)
    repeated = found.filter(pl.col("basis").str.contains("first of several"))
    assert repeated["region"].to_list() == ["GUY"]


def test_votes_are_read_from_the_published_ideal_points(data_dir):
    frame = pl.read_parquet(data_dir / "unga_ideal" / "ideal_points_1946_2019.parquet")
    found = voting_reliability(frame, "FRA", year=2019)
    known = dict(found.select("region", "reliability").iter_rows())
    assert known["FRA"] == 1.0
    assert known["GBR"] == pytest.approx(1 - (1.726315 - 1.482207) / (2.694793 + 1.920512))
    assert known["SYR"] == min(known.values()) > 0
    later = pl.read_parquet(data_dir / "unga_ideal" / "ideal_points_2024_session79.parquet")
    newest = voting_reliability(later, ["FRA", "DEU"], region="iso3", value="ideal_point_2024")
    assert newest["reliability"].is_between(0, 1).all()
    assert newest.height == 191


def test_frames_of_reliability_that_lack_something_are_refused():
    frame = pl.DataFrame({"iso3c": ["FRA"], "IdealPoint": [1.0], "year": [2019]})
    with pytest.raises(DataError, match="needs a column 'iso3'"):
        voting_reliability(frame, "FRA", region="iso3")
    with pytest.raises(UsageError, match="no value for the year 2020; years: 2019"):
        voting_reliability(frame, "FRA", year=2020)
    with pytest.raises(UsageError, match=r"Home 'FRE' has no ideal point 2019\. Did you mean FRA"):
        voting_reliability(frame, "FRE")


# --- by value --------------------------------------------------------------------------------


def test_value_of_the_robot_maker_is_its_exposure():
    net = example("robot_maker")
    found = partners(net, kind="value", most=3)
    shares = dict(exposure(net).to_frame().select("region", "share").iter_rows())
    assert found.coverage() == pytest.approx(shares["HOME"])
    assert found.coverage("JP", "CN") == pytest.approx(shares["HOME"] + shares["JP"] + shares["CN"])
    assert found.best(3).partners == ("CN", "DE", "JP")
    for row in found.shapley.iter_rows(named=True):
        assert row["shapley"] == pytest.approx(shares[row["partner"]])
    assert found.why("JP")["share"].sum() == pytest.approx(shares["JP"])


@pytest.fixture(scope="module")
def three_regions():
    """Cars of FR need steel of DE and of CN; DE has its ore from AU; CN buys cars."""
    flows = np.zeros((6, 6))
    cars, steel_de, steel_cn, ore, toys, cars_cn = range(6)
    flows[steel_de, cars], flows[steel_cn, cars], flows[ore, steel_de] = 3.0, 1.0, 1.0
    flows[cars, toys] = 2.0
    flows[cars_cn, toys] = 1.0
    final = [[8.0, 0.0], [0, 0], [0, 0], [0, 0], [1.0, 5.0], [0.0, 1.0]]
    return economy(
        flows,
        final,
        regions=["FR", "DE", "CN", "AU", "CN", "CN"],
        sectors=["cars", "steel", "steel", "ore", "toys", "cars"],
        users=["FR", "CN"],
        home="FR",
        blocs={"FR": "EU", "DE": "EU"},
    )


def test_an_economy_counts_by_value_what_home_sells(three_regions):
    found = partners(three_regions, most=3)
    assert found.kind == "value"
    # 10 cars' worth: 6 added in FR, 2 in DE, 1 in AU, 1 in CN.
    assert found.coverage() == pytest.approx(0.6)
    assert found.best(1).partners == ("DE",)
    assert found.coverage("DE", "AU") == pytest.approx(0.9)
    assert found.best(2).tied == (("AU", "DE"), ("CN", "DE"))
    assert found.interactions["relation"].unique().to_list() == ["neither"]
    content = value_added_content(three_regions, region="FR")
    assert found.coverage("DE") == pytest.approx(content.share_of("FR", "DE"))


def test_home_can_be_a_bloc(three_regions):
    found = partners(three_regions, home="EU", most=1)
    assert found.home == ("FR", "DE") or set(found.home) == {"DE", "FR"}
    assert found.candidates == ("AU", "CN")
    assert found.coverage() == pytest.approx(
        value_added_content(three_regions, region="EU").share_of("EU")
    )


def test_an_economy_can_be_asked_for_physical_coverage(three_regions):
    found = partners(three_regions, kind="physical", most=2)
    everyone = coverage(three_regions, [], "none").feasible_output
    assert found.coverage(*found.candidates) == pytest.approx(everyone, abs=1e-7)
    expected = coverage(three_regions, ["AU", "CN"], "none").feasible_output
    assert found.coverage("DE") == pytest.approx(expected, abs=1e-7)


def test_a_world_table_by_value(data_dir):
    net = wiod(data_dir, 2011)
    found = partners(net, home="DEU", most=3)
    content = value_added_content(net, region="DEU").to_frame().filter(pl.col("region") != "DEU")
    assert found.best(3).partners == tuple(sorted(content["region"][:3]))
    assert found.coverage(*found.candidates) == pytest.approx(1.0)


def test_a_network_too_large_for_the_programme_is_refused(monkeypatch):
    monkeypatch.setattr("withstand.measures.partner_sets.LARGEST_PROGRAMME", 100)
    with pytest.raises(UsageError, match="Use kind='value', or put regions and sectors together"):
        partners(example("robot_maker"))


# --- in return, and new channels -------------------------------------------------------------


def test_home_gives_what_it_makes_and_the_partner_buys_abroad(three_regions):
    given_ = partners(three_regions).gives()
    cn = given_.filter(pl.col("partner") == "CN")
    # CN's toys buy 2 of cars from FR and 1 at home: two thirds from abroad, all of it from FR.
    row = cn.row(0, named=True)
    assert (row["product"], row["bought_abroad"], row["largest"]) == ("cars", 2.0, "FR")
    assert row["from_abroad"] == pytest.approx(2 / 3)
    assert (row["concentration"], row["from_home"]) == (1.0, 1.0)
    # FR makes 10 of the 12 cars and 10 of all 25 that is made: (10/12) / (10/25).
    output = three_regions.output
    special = (output[0] / (output[0] + output[5])) / (output[0] / output.sum())
    assert row["capability"] == pytest.approx(special)
    notes = dict(given_.select("partner", "note").iter_rows())
    assert notes["AU"] == "nothing is known of what AU buys"
    assert notes["DE"] == "DE buys nothing abroad that home makes"


def test_of_the_suppliers_of_a_plant_nothing_is_known():
    found = partners(example("robot_maker"), most=1)
    table = found.gives()
    assert table["partner"].to_list() == sorted(found.candidates)
    assert table["product"].null_count() == table.height
    assert table["note"][0] == "nothing is known of what AE buys"


TRADE = pl.DataFrame(
    {
        "year": [2020] * 6 + [2019],
        "exporter": ["FRA", "DEU", "FRA", "CHN", "AUS", "DEU", "AUS"],
        "importer": ["CHN", "CHN", "DEU", "FRA", "DEU", "FRA", "FRA"],
        "product": ["8701", "8701", "8701", "2600", "2600", "9000", "2600"],
        "value": [30.0, 10.0, 20.0, 5.0, 25.0, 10.0, 99.0],
    }
)


def test_from_trade_needs_are_imports_and_capability_is_advantage(three_regions):
    given_ = partners(three_regions).gives(TRADE)
    rows = {(r["partner"], r["product"]): r for r in given_.iter_rows(named=True)}
    # FR exports only 8701: (50/50) / (60/100).
    cn = rows["CN", "8701"]
    assert cn["capability"] == pytest.approx(100 / 60)
    assert (cn["bought_abroad"], cn["from_home"]) == (40.0, 0.75)
    assert cn["concentration"] == pytest.approx(0.75**2 + 0.25**2)
    assert rows["DE", "8701"]["from_home"] == 1.0
    assert rows["AU", None]["note"] == "AU is no importer in the trade"


def test_new_channels_are_regions_that_make_it_and_do_not_supply_home(three_regions):
    # AU's ore goes to DE only: no channel of FR, which buys no ore. Steel comes from DE and CN.
    assert partners(three_regions).channels().height == 0
    production = pl.DataFrame(
        {
            "year": [2020, 2020, 2020, 2020, 2019],
            "region": ["IND", "DEU", "BRA", "FRA", "USA"],
            "product": ["steel"] * 5,
            "value": [60.0, 20.0, 15.0, 5.0, 1000.0],
        }
    )
    places = pl.DataFrame(
        {"region": ["FR", "IN"], "latitude": [46.0, 22.0], "longitude": [2.0, 79.0]}
    )
    found = partners(three_regions, reliability={"IND": 0.8}).channels(
        production, coordinates=places
    )
    assert found["region"].to_list() == ["IN", "BR"]
    first = found.row(0, named=True)
    assert (first["product"], first["size"], first["source"]) == ("steel", 60.0, "trade 2020")
    assert first["share"] == pytest.approx(0.6)
    assert first["concentration"] == pytest.approx(0.36 + 0.04 + 0.0225 + 0.0025)
    assert first["reliability"] == 0.8
    assert first["distance"] == pytest.approx(great_circle(46.0, 2.0, 22.0, 79.0))
    assert first["from_abroad"] == pytest.approx(1.0)


def test_channels_of_firms_are_found_in_their_own_network():
    # HOME has its steel from JP alone; KR makes steel for itself, and RU may not supply.
    nodes = pl.DataFrame(
        {
            "node": ["plant", "mill", "mill2", "yard", "mill3", "shop"],
            "product": ["machines", "steel", "steel", "ships", "steel", "ships"],
            "region": ["HOME", "JP", "KR", "KR", "RU", "RU"],
            "latitude": [0.0, 0.0, 0.0, 0.0, 10.0, 10.0],
            "longitude": [0.0, 90.0, 179.0, -179.0, 10.0, 10.0],
        }
    )
    links = pl.DataFrame(
        {
            "supplier": ["mill", "mill2", "mill3"],
            "buyer": ["plant", "yard", "shop"],
            "value": [50.0, 30.0, 20.0],
        }
    )
    net = ws.network_from_links(nodes, links, home="HOME")
    regions = net.tables["regions"].with_columns(allowed=pl.col("region") != "RU")
    found = partners(net.with_changes({"regions": regions})).channels()
    assert found.select("product", "region", "size", "share").rows() == [("steel", "KR", 30.0, 0.3)]
    assert found["concentration"].item() == pytest.approx(0.25 + 0.09 + 0.04)
    # KR lies on both sides of the date line: its middle is half the equator away.
    assert found["distance"].item() == pytest.approx(great_circle(0, 0, 0, 180))


def test_channels_of_a_plant_are_found_by_code_of_goods_and_by_the_law():
    net = network(
        [node("F", "F", final_demand=1.0), node("A", "MAGNET", "CN")],
        [need("F", "MAGNET")],
        [link("A")],
        products=[{"product": "F", "hs": None}, {"product": "MAGNET", "hs": "850511"}],
        regions=[
            {"region": "HOME", "home": True, "allowed": True},
            {"region": "CN", "home": False, "allowed": True},
            {"region": "RU", "home": False, "allowed": False},
        ],
    )
    trade = pl.DataFrame(
        {
            "exporter": ["CHN", "JPN", "RUS", "DEU", "KOR"],
            "importer": ["KOR", "KOR", "DEU", "KOR", "JPN"],
            "product": ["850511"] * 5,
            "value": [50.0, 20.0, 20.0, 5.0, 5.0],
        }
    )
    found = partners(net).channels(trade, home="KOR")
    # CN supplies already, RU is not allowed, JP and DE sell to KR already, KR is home.
    assert found.height == 0
    found = partners(net).channels(trade)
    assert found["region"].to_list() == ["JP", "DE", "KR"]
    assert found["share"].to_list() == pytest.approx([0.2, 0.05, 0.05])


def test_an_object_that_turns_into_a_frame_is_taken(three_regions):
    class Cube:
        def to_frame(self):
            return TRADE

    one = partners(three_regions).gives(Cube())
    assert one.equals(partners(three_regions).gives(TRADE))


# --- trade -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def cube():
    return ws.read_trade(TRADE.rename({"product": "hs"}), columns={"product": "hs"})


def test_the_partners_of_an_importer_are_those_it_imports_from(cube):
    # DE imports 20 of 8701 from FR and 25 of 2600 from AU; CN sells 5 of 2600 to FR.
    found = partners(cube, home="DE", year=2020)
    assert found.kind == "value"
    assert found.candidates == ("AU", "CN", "FR")
    assert found.coverage("AU") == pytest.approx(25 / 45)
    assert found.best(2).partners == ("AU", "FR")
    physical = partners(cube, home="DE", year=2020, kind="physical", limit="capacity")
    assert physical.coverage("FR", "AU") == pytest.approx(1.0)
    assert physical.coverage("FR", "CN") == pytest.approx(0.2)  # 5 of the 25 it needs of 2600
    channels = found.channels()
    assert channels.select("product", "region", "size").rows() == [("2600", "CN", 5.0)]
    only = partners(cube, home="DE", year=2020, products=["8701"])
    assert only.best(1).coverage == pytest.approx(1.0)


def test_a_cube_is_asked_with_home_and_a_network_without_year(cube):
    with pytest.raises(UsageError, match="Say whose imports are meant"):
        partners(cube)
    with pytest.raises(UsageError, match="year and products are for a cube of trade"):
        partners(example("robot_maker"), year=2020)
    with pytest.raises(UsageError, match="products takes a list of codes"):
        partners(cube, home="DE", products="8701")
    with pytest.raises(UsageError, match="partners takes a network or a cube of trade"):
        partners(TRADE)


def test_a_cube_of_several_years_gives_channels_of_one(three_regions, cube):
    found = partners(three_regions)
    assert found.gives(cube, year=2020).equals(found.gives(TRADE, year=2020))


def test_the_raw_materials_of_the_eu(data_dir):
    folder = data_dir / "crm_trade_wmd_wgi"
    rows = pl.scan_parquet(folder / "baci_raw_materials_hs92_1995_2024.parquet")
    codes = pl.read_parquet(folder / "baci_country_codes.parquet")
    one_year = ws.read_trade(
        rows.filter(pl.col("t") == 2022).collect(),
        country_codes=folder / "baci_country_codes.parquet",
    )
    found = partners(one_year, home="EU27")
    iso2 = dict(codes.select("country_code", "country_iso2").iter_rows())
    members = [n for n, c in iso2.items() if c in bloc_members("EU27")]
    assert len(members) == 29  # Belgium and Germany have two codes
    extra = rows.filter(
        (pl.col("t") == 2022) & pl.col("j").is_in(members) & ~pl.col("i").is_in(members)
    ).collect()
    by_source = extra.group_by("i").agg(pl.col("v").sum()).sort("v", descending=True)
    assert found.best(3).partners == tuple(sorted(iso2[i] for i in by_source["i"][:3]))
    share = by_source["v"][:3].sum() / extra["v"].sum()
    assert found.best(3).coverage == pytest.approx(share, abs=1e-9)
    assert found.coverage(*found.candidates) == pytest.approx(1.0)


# --- the robot maker -------------------------------------------------------------------------


def test_three_partners_do_not_close_the_robot_chain():
    net = example("robot_maker")
    found = partners(net, most=4)
    assert found.curve["coverage"].to_list() == pytest.approx([0.0, 0.04, 0.3, 0.4, 0.52])
    assert found.best(3).tied == (("CN", "DE", "JP"), ("CN", "JP", "US"))
    assert found.coverage("CN", "DE", "JP") == pytest.approx(
        without_all_but(net, ["CN", "DE", "JP"], "none", "share"), abs=1e-7
    )
    closes = found.needed()
    assert closes.coverage == pytest.approx(1.0)
    # As few as can be: the programme proves that no set of one fewer does.
    assert BestPartners(found._covers).best(closes.k - 1, 0, 60.0).bound < 1 - 1e-4
    assert repr(found).startswith("<Partners of 'Robot maker' (physical): HOME alone can meet 0.0%")


def test_when_time_runs_out_the_start_and_a_bound_are_left():
    net = example("robot_maker")
    found = partners(net, most=4, best="programme", time_limit=1e-9)
    assert found.best(4).coverage <= 0.52 + 1e-6 <= found.best(4).bound + 1e-5
    assert found.best(4).coverage >= 0.5  # the greedy start
    assert len(found.best(4).partners) == 4


def test_a_firm_network_has_partners():
    net = example("nation")
    home = str(net.region_labels[0])
    found = partners(net, home=home, most=2, candidates=net.region_labels[1:5].tolist())
    has_nodes = {str(net.region_labels[r]) for r in net.node_region}
    lost = sorted(has_nodes - {home, *found.best(2).partners})
    expected = coverage(net, lost, "none").feasible_output
    assert found.best(2).coverage == pytest.approx(expected, abs=1e-6)


# --- what is refused -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"candidates": ["JPN"]}, "There is no region or bloc 'JPN' here. Did you mean JP?"),
        ({"candidates": "JP"}, r"candidates takes a list of regions: candidates=\['JP'\]"),
        ({"candidates": ["HOME"]}, "No candidate is left"),
        ({"candidates": {"a": ["JP"], "b": ["JP"]}}, "JP stands in two candidates, a and b"),
        ({"kind": "physics"}, "kind='physics' is unknown; .* Did you mean physical?"),
        ({"best": "greedy"}, "best='greedy' is unknown; use one of auto, brute_force, programme"),
        ({"limit": "shares"}, "limit='shares' is unknown"),
        ({"most": 0}, "most=0 must be a whole number of 1 or more"),
        ({"most": 2.5}, "most=2.5 must be a whole number"),
        ({"samples": 1}, "samples=1 must be a whole number of 4 or more"),
        ({"time_limit": 0}, "time_limit=0 must be a number of seconds above 0"),
        ({"home": "HOM"}, "Did you mean HOME?"),
        ({"reliability": {"JP": 1.5}}, "reliability of JP is 1.5; it must lie between 0 and 1"),
        ({"reliability": 0.9}, "reliability takes a frame with the columns region and reliab"),
        ({"assume_recipe": "all"}, "assume_recipe 'all' is unknown"),
    ],
)  # fmt: skip
def test_what_means_nothing_is_refused(asked, words):
    with pytest.raises(UsageError, match=words):
        partners(example("robot_maker"), **asked)


def test_questions_about_strangers_are_refused(needs_two):
    found = partners(needs_two, most=2)
    with pytest.raises(UsageError, match="Sets were looked for up to 2 partners; ask with most=3"):
        found.best(3)
    with pytest.raises(UsageError, match="There is no candidate 'W' here"):
        found.coverage("W")
    with pytest.raises(UsageError, match="level=2 must lie between 0 and 1"):
        found.needed(2)
    with pytest.raises(UsageError, match="There is no product 'C' here"):
        found.channels(products=["C"])
    with pytest.raises(DataError, match="needs a column 'exporter'"):
        found.channels(pl.DataFrame({"product": ["A"], "value": [1.0]}))
    with pytest.raises(UsageError, match="has no rows for 2018; years: 2019, 2020"):
        found.gives(TRADE, year=2018)
    with pytest.raises(UsageError, match="trade takes a polars DataFrame"):
        found.gives([1, 2])
    with pytest.raises(UsageError, match="HOME exports nothing in the trade given"):
        found.gives(TRADE)


def test_without_home_nobody_is_a_partner(needs_two):
    net = network(
        [node("F", "F", final_demand=1.0), node("A", "A", "X")], [need("F", "A")], [link("A")],
        home=None,
    )  # fmt: skip
    with pytest.raises(UsageError, match="Nothing says which region is home"):
        partners(net)


def test_a_plant_without_demand_misses_nobody():
    net = network([node("A", "A"), node("B", "B", "X")])
    found = partners(net, most=1, best="programme")
    assert found.best(1).coverage == 1.0
    assert found.shapley["share_of_gain"].to_list() == [None]
