"""Systemic risk and cascades on labelled networks: the golden case, plants, bounds, doors."""

import importlib.util
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from withstand.errors import ScenarioError, UsageError
from withstand.examples import example
from withstand.model.building import build_network
from withstand.model.scenario import Scenario, Shock
from withstand.model.settings import Settings
from withstand.readers.firms import network_from_links
from withstand.stress.cascade_arrays import prepare
from withstand.stress.cascades import cascade
from withstand.stress.failures import fail_each
from withstand.stress.systemic_risk import esri

GOLDEN = (
    "A>X 1,1,2; B>X 2,1,2; C>X 2,1,2; D>X 2,1,2; E>X 3,1,1; F>X 3,1,1; G>X 5,1,1; H>X 99,1,0; "
    "X>I 1,1,2; X>J 1,3,1; X>K 1,4,2; K>L 4,2,2"
)
# label: (esri, iterations) with replaceability
ESRI = {
    "A": (0.4166666667, 7), "X": (1.0, 3), "B": (0.1369047619, 4), "C": (0.1369047619, 4),
    "D": (0.1369047619, 4), "E": (0.1232040230, 4), "F": (0.1232040230, 4),
    "G": (0.1232040230, 4), "H": (0.0833333333, 1), "I": (0.3055555556, 3),
    "J": (0.3055555556, 3), "K": (0.3888888889, 3), "L": (0.3888888889, 4),
}  # fmt: skip
WITHOUT = dict.fromkeys("BCD", 0.1944444444) | dict.fromkeys("EFG", 0.125)
DOWN = {"A": 0.4166666667, "X": 1 / 3, "I": 0.0, "K": 0.0833333333}
UP = {"A": 0.0833333333, "X": 0.9166666667, "I": 0.3055555556, "K": 0.3888888889}
PRINTED = 1e-10  # the golden case is printed with ten digits


@pytest.fixture(scope="module")
def golden():
    """Thirteen firms, twelve links of value 1, around one hub X."""
    rows = [(link.split()[0].split(">"), link.split()[1].split(",")) for link in GOLDEN.split("; ")]
    sector = {}
    for (supplier, buyer), (of_supplier, of_buyer, _) in rows:
        sector |= {supplier: of_supplier, buyer: of_buyer}
    classes = {(s, b): int(c) for _, (s, b, c) in rows}
    return network_from_links(
        pl.DataFrame({"id": list(sector), "sector": list(sector.values())}),
        pl.DataFrame({"supplier": [ends[0] for ends, _ in rows],
                      "buyer": [ends[1] for ends, _ in rows], "value": 1.0}),
        pl.DataFrame({"supplier_sector": [s for s, _ in classes],
                      "buyer_sector": [b for _, b in classes], "class": list(classes.values())}),
    )  # fmt: skip


@pytest.mark.parametrize("mode", ["default", "parity"])
def test_the_golden_case_with_replaceability(golden, mode):
    frame = esri(golden, mode=mode).to_frame()
    for label, value, rounds in frame.select("node", "esri", "iterations").iter_rows():
        assert value == pytest.approx(ESRI[label][0], abs=PRINTED)
        assert rounds == ESRI[label][1]


def test_the_golden_case_without_replaceability(golden):
    for label, value in esri(golden, replaceability=False).to_frame().select("node", "esri").rows():
        assert value == pytest.approx(WITHOUT.get(label, ESRI[label][0]), abs=PRINTED)


def test_the_golden_case_channel_by_channel(golden):
    found = {row["node"]: row for row in esri(golden).to_frame().to_dicts()}
    for label in DOWN:
        assert found[label]["down"] == pytest.approx(DOWN[label], abs=PRINTED)
        assert found[label]["up"] == pytest.approx(UP[label], abs=PRINTED)


def test_why_names_who_was_hit_through_what_and_when(golden):
    hit = esri(golden).why("A")
    assert hit["node"][0] in ("X", "A")
    row = hit.filter(pl.col("node") == "K").to_dicts()[0]
    assert (row["loss"], row["round_down"], row["input"], row["supplier"]) == (1.0, 2, "1", "X")
    assert hit.filter(pl.col("node") == "A")["round_down"][0] == 0
    partners = cascade(golden, {"A": 1.0}).why("K")
    assert partners.select("channel", "partner", "binds").row(0) == ("down", "X", True)


def test_nodes_are_chosen_by_label_or_number_and_keep_their_labels(golden):
    risk = esri(golden, nodes=["X", "A"])
    assert list(risk.labels) == ["X", "A"]
    assert risk.esri == pytest.approx([1.0, 0.4166666667], abs=PRINTED)
    assert esri(golden, nodes=[1]).labels[0] == golden.node_labels[1]
    assert risk.top(1)["node"][0] == "X"
    assert "X takes 100.00%" in risk.summary()
    assert risk.provenance.parameters["eps"] == 1e-2


@pytest.mark.parametrize(
    "given",
    [
        {"eps": 0.0}, {"mode": "exact"}, {"nodes": ["Q"]}, {"nodes": [99]}, {"nodes": "A"},
        {"jobs": 0}, {"weights": [1.0]}, {"weights": {"A": -1.0}}, {"revenue": {"A": np.nan}},
        {"bounds": True, "mode": "parity"}, {"weights": np.zeros(13)},
    ],
)  # fmt: skip
def test_arguments_that_cannot_be_are_refused(golden, given):
    with pytest.raises(UsageError):
        esri(golden, **given)


def test_losses_at_the_start_must_be_shares_of_known_nodes(golden):
    with pytest.raises(UsageError, match="share lost"):
        cascade(golden, {"A": 1.5})
    with pytest.raises(UsageError, match="no node"):
        cascade(golden, {"Z9": 0.5})
    with pytest.raises(ScenarioError):
        cascade(golden, Scenario.lose(region="Atlantis"))
    with pytest.raises(UsageError, match="nodes only"):
        cascade(golden, Scenario.lose(link="A>X"))


def test_a_scenario_counts_at_its_full_loss(golden):
    scenario = Scenario(name="two", shocks=(Shock(node="A", share=0.5, duration="2w"),
                                            Shock(node="A", share=0.5, start="9w")))  # fmt: skip
    by_hand = cascade(golden, {"A": 0.75})
    assert np.array_equal(cascade(golden, scenario).h_down, by_hand.h_down)
    assert by_hand.h_down[list(golden.node_labels).index("A")] == 0.25


def test_a_cascade_without_losses_loses_nothing(golden):
    result = cascade(golden, np.zeros(13))
    assert (result.loss, result.iterations) == (0.0, 1)
    assert result.to_frame().height == 0
    assert result.path["change"].to_list() == [0.0]


def test_losses_by_region_and_product_add_up(golden):
    result = cascade(golden, {"X": 1.0, "K": 0.3})
    for frame in (result.by_region(), result.by_product()):
        assert frame["lost"].sum() == pytest.approx(result.loss, abs=1e-12)
        assert frame["weight"].sum() == pytest.approx(1.0, abs=1e-12)
    assert result.path["loss"][-1] == pytest.approx(result.loss, abs=1e-12)


def test_weights_replace_what_nodes_count_for(golden):
    # only L counts, and L loses all when A fails
    assert esri(golden, nodes=["A"], weights={"L": 2.0}).esri[0] == pytest.approx(1.0)
    assert esri(golden, nodes=["H"], weights={"L": 2.0}).esri[0] == 0.0


# --- plants ------------------------------------------------------------------------------------


def plant(price=4.0):
    """A plant makes 10 from 20 steel of two mills (3 to 1); minor paint comes from a shop."""
    return build_network(
        {
            "nodes": pl.DataFrame(
                {"node": ["big", "small", "shop", "plant"],
                 "product": ["STEEL", "STEEL", "PAINT", "GEAR"],
                 "region": ["JP", "DE", "DE", "HOME"],
                 "final_demand": [0.0, 0.0, 0.0, 10.0], "price": [price, price, 1.0, 20.0]}
            ),
            "recipes": pl.DataFrame({"buyer": ["GEAR", "GEAR"], "input": ["STEEL", "PAINT"],
                                     "quantity": [2.0, 1.0], "class": ["essential", "minor"]}),
            "links": pl.DataFrame({"supplier": ["big", "small", "shop"],
                                   "buyer": ["plant", "plant", "plant"],
                                   "share": [0.75, 0.25, 1.0]}),
        },
        Settings(home="HOME"),
    )  # fmt: skip


def test_a_plant_weighs_its_output_by_value():
    # big: sigma = min(1, 15 / 5) = 1, the plant loses 0.75. Worth: 60, 20, 10, 200; of 290.
    risk = esri(plant(), nodes=["big", "plant", "shop"])
    assert risk.down[0] == pytest.approx((60 + 0.75 * 200) / 290)
    assert risk.up[1] == pytest.approx(1.0)  # the plant buys all that the others make
    assert risk.esri[2] == pytest.approx(10 / 290)  # minor: nobody else is hurt


def test_replaceability_goes_by_output_within_a_product():
    # small: 5 of the 15 that are left of steel can be made good only in part: sigma = 1/3
    assert cascade(plant(), {"small": 1.0}).h_down[3] == pytest.approx(1 - 0.25 / 3)


def test_an_input_without_a_price_acts_downstream_only():
    network = plant(price=None)
    risk = esri(network, nodes=["big", "plant"])
    assert risk.down[0] == pytest.approx(0.75 * 200 / 210)
    assert cascade(network, {"plant": 1.0}).h_up[0] == 1.0


def test_the_robot_maker_has_cascades_of_regions():
    network = example("robot_maker")
    result = cascade(network, Scenario.lose(region="CN"))
    assert 0.0 < result.loss <= 1.0
    assert {"node", "input", "supplier"} <= set(result.to_frame().columns)
    assert esri(network, nodes=[0, 1]).esri.shape == (2,)


# --- large and many ----------------------------------------------------------------------------


def generated(n_firms, n_sectors=55, thin=None):
    """Return a network of the generator beside the repository, or skip."""
    path = Path(__file__).resolve().parents[3] / "shared" / "bench" / "firm_network.py"
    if not path.exists():
        pytest.skip("the generator of firm networks is not there")
    spec = importlib.util.spec_from_file_location("firm_network", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    options = module.thin_options(n_firms, thin) if thin else {"n_sectors": n_sectors}
    net = module.firm_network(n_firms, **options)
    m = len(net["essential"])
    return network_from_links(
        pl.DataFrame({"id": np.arange(n_firms), "sector": net["sector"]}),
        pl.DataFrame({k: net[k] for k in ("supplier", "buyer", "value")}),
        pl.DataFrame({"supplier_sector": np.repeat(np.arange(m), m),
                      "buyer_sector": np.tile(np.arange(m), m), "class": net["essential"].ravel()}),
    )  # fmt: skip


def _fast_against_general(network, rule, nodes, atol=1e-12):
    prepared = prepare(network)
    weight = prepared.weight / prepared.weight.sum()
    fast, general = (
        fail_each(prepared, nodes, weight, 1e-2, rule, jobs=2, fast=which)
        for which in (True, False)
    )
    assert (fast.rounds == general.rounds).all()
    np.testing.assert_allclose(fast.loss, general.loss, rtol=0, atol=atol)


@pytest.mark.parametrize("rule", [0, 1, 2])
def test_fast_kernels_agree_with_the_general_one_on_a_thousand_firms(rule):
    network = generated(1000)
    nodes = np.arange(1000) if rule else np.arange(0, 1000, 10)
    _fast_against_general(network, rule, nodes)


@pytest.mark.parametrize("thin", ["off", "on"])
@pytest.mark.parametrize("rule", [0, 1, 2])
def test_fast_kernels_agree_on_thin_networks_with_dead_markets(rule, thin):
    _fast_against_general(generated(1000, thin=thin), rule, np.arange(0, 1000, 4))


@pytest.mark.slow
@pytest.mark.parametrize("n_firms", [10_000, 100_000])
def test_fast_kernels_agree_with_the_general_one_on_a_sample(n_firms):
    nodes = np.random.default_rng(1).permutation(n_firms)[: 6_000_000 // n_firms]
    _fast_against_general(generated(n_firms, 600), 1, nodes)


@pytest.mark.slow
def test_fast_kernels_agree_on_a_large_thin_network():
    network = generated(10_000, thin="on")
    _fast_against_general(network, 1, np.random.default_rng(1).permutation(10_000)[:300])


def test_the_number_of_threads_changes_no_number():
    network = generated(1000)
    one, two = (esri(network, jobs=jobs) for jobs in (1, 2))
    assert np.array_equal(one.esri, two.esri)
    assert np.array_equal(one.iterations, two.iterations)


# --- bounds ------------------------------------------------------------------------------------


def small(seed, *, closed):
    """Ten firms; closed: every firm sells and buys in a ring on top, so that nothing leaks."""
    rng = np.random.default_rng(seed)
    n = 10
    W = np.where(rng.random((n, n)) < 0.2, rng.lognormal(0, 1, (n, n)), 0.0)
    if closed:
        W[np.arange(n), (np.arange(n) + 1) % n] += 1.0
    np.fill_diagonal(W, 0.0)
    W[0, 1] += 1.0
    supplier, buyer = np.nonzero(W)
    classes = rng.choice([0, 1, 2], (4, 4))
    return network_from_links(
        pl.DataFrame({"id": np.arange(n), "sector": rng.integers(0, 4, n)}),
        pl.DataFrame({"supplier": supplier, "buyer": buyer, "value": W[supplier, buyer]}),
        pl.DataFrame({"supplier_sector": np.repeat(np.arange(4), 4),
                      "buyer_sector": np.tile(np.arange(4), 4), "class": classes.ravel()}),
    )  # fmt: skip


@pytest.mark.parametrize("closed", [False, True])
@pytest.mark.parametrize("replaceability", [False, True])
def test_certified_bounds_contain_the_value_far_beyond_the_published_stop(closed, replaceability):
    share = []
    for seed in range(25):
        network = small(seed, closed=closed)
        risk = esri(network, bounds=True, replaceability=replaceability)
        true = esri(network, eps=1e-8, replaceability=replaceability).esri
        assert (risk.low <= true + 1e-13).all()
        known = ~np.isnan(risk.high)
        assert (true[known] <= risk.high[known] + 1e-13).all()
        assert (risk.low[known] <= risk.high[known]).all()
        share.append(risk.certified)
    assert np.mean(share) > 0.8  # not guessed where not found, but mostly found


def test_bounds_are_in_the_frame_and_the_summary(golden):
    risk = esri(golden, bounds=True)
    assert {"low", "high"} <= set(risk.to_frame().columns)
    assert risk.certified == 1.0
    np.testing.assert_allclose(risk.low, risk.high, atol=1e-12)  # chains end: nothing is left open
    assert "certified for 100%" in risk.summary()
