"""What one unit of final demand, or of primary input, sets in motion."""

from __future__ import annotations

import csv
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import naive_economy as naive
from tiny_economies import economy, from_twin
from tiny_networks import link, need, network, node
from withstand.errors import UsageError
from withstand.measures import footprint, multipliers
from withstand.programming.leontief import leontief_of

SEEDS = st.integers(0, 2**32 - 1)
PYMRIO = Path(__file__).resolve().parent.parent / "data" / "pymrio_economy.csv"

# Miller and Blair (2009), section 3.3.3: two regions, three and two sectors.
TWO_REGIONS = [
    [150, 500, 50, 25, 75],
    [200, 100, 400, 200, 100],
    [300, 500, 50, 60, 40],
    [75, 100, 60, 200, 250],
    [50, 25, 25, 150, 100],
]
TWO_REGIONS_FINAL = [200, 1000, 50, 515, 450]


def two_regions():
    return economy(TWO_REGIONS, TWO_REGIONS_FINAL, regions="LLLMM", sectors="12312")


def steel_and_cars(**more):
    """DE sells 4 of steel to the cars of FR; final users take 2 of steel and 10 of cars."""
    return economy([[0, 4], [0, 0]], [2, 10], regions=["DE", "FR"], sectors=["steel", "cars"],
                   **more)  # fmt: skip


# --- by hand and from the textbook --------------------------------------------------------------


def test_multipliers_by_hand():
    result = multipliers(steel_and_cars(extensions={"jobs": [12, 5]}), "jobs")
    # A unit of cars takes 4/10 of steel; all value added ends in final demand.
    assert result.output.tolist() == pytest.approx([1.0, 1.4])
    assert result.value_added.tolist() == pytest.approx([1.0, 1.0])
    assert result.value_added_type1.tolist() == pytest.approx([1.0, 1 / 0.6])
    # Of each unit of steel 4/6 goes into cars.
    assert result.supply.tolist() == pytest.approx([1 + 4 / 6, 1.0])
    assert result.direct_backward.tolist() == pytest.approx([0.0, 0.4])
    assert result.direct_forward.tolist() == pytest.approx([4 / 6, 0.0])
    assert result.per_demand.tolist() == pytest.approx([2.0, 0.5 + 0.4 * 2.0])
    assert result.backward.tolist() == pytest.approx([1 / 1.2, 1.4 / 1.2])
    assert result.forward.mean() == pytest.approx(1.0)


def test_the_two_sectors_of_the_textbook():
    # Miller and Blair (2009): L in section 2.3, G in section 12.1.
    net = economy([[150, 500], [200, 100]], [350, 1700], regions="RR", sectors="12")
    result = multipliers(net)
    assert result.output == pytest.approx([1.254 + 0.264, 0.330 + 1.122], abs=1e-3)
    assert result.supply == pytest.approx([1.254 + 0.660, 0.132 + 1.122], abs=1e-3)


def test_the_two_regions_of_the_textbook():
    # Miller and Blair (2009), section 3.3.3: the inverse of the interregional model, four digits.
    printed = [
        [1.4234, 0.4652, 0.2909, 0.1917, 0.3041],
        [0.6346, 1.4237, 0.6707, 0.4092, 0.4558],
        [0.6383, 0.5369, 1.3363, 0.2501, 0.3108],
        [0.2672, 0.2000, 0.1973, 1.3406, 0.5473],
        [0.1468, 0.0908, 0.0926, 0.2155, 1.2538],
    ]
    net = two_regions()
    assert leontief_of(net).inverse() == pytest.approx(np.array(printed), abs=5.1e-5)
    assert multipliers(net).output == pytest.approx(np.sum(printed, axis=0), abs=3e-4)


def test_type1_is_empty_where_a_node_adds_no_value():
    net = economy([[0, 10], [0, 0]], [0, 10], regions="RR", sectors="ab")
    frame = multipliers(net).to_frame()
    assert frame["value_added_type1"].to_list() == [pytest.approx(1.0), None]
    assert frame["value_added_multiplier"].to_list() == pytest.approx([1.0, 1.0])


def test_value_added_given_apart_from_taxes_leaves_the_taxes_out():
    # Cars: 4 of steel, 5 of value added, 1 of taxes.
    net = steel_and_cars(value_added=[6, 5])
    assert multipliers(net).value_added.tolist() == pytest.approx([1.0, 0.9])


def test_key_sectors_are_strong_both_ways():
    frame = multipliers(two_regions()).to_frame()
    strong = frame.filter((frame["backward"] > 1) & (frame["forward"] > 1))
    assert frame.filter("is_key_sector")["node"].to_list() == strong["node"].to_list() != []


# --- the twin, other programs, laws -------------------------------------------------------------


@settings(max_examples=20)
@given(seed=SEEDS, empty=st.integers(0, 2))
def test_multipliers_equal_the_twin(seed, empty):
    e = naive.random_economy(np.random.default_rng(seed), empty=empty)
    result = multipliers(from_twin(e))
    assert result.output == pytest.approx(naive.output_multipliers(e), rel=1e-9)
    assert result.supply == pytest.approx(naive.supply_multipliers(e), rel=1e-9)
    # Where the table counts no taxes apart, all of final demand is somebody's value added.
    assert result.value_added == pytest.approx(np.ones(e.n), abs=1e-9)
    assert not result.findings


@settings(max_examples=10)
@given(seed=SEEDS, scale=st.floats(1e-4, 1e4))
def test_order_of_cells_and_currency_do_not_matter(seed, scale):
    rng = np.random.default_rng(seed)
    e = naive.random_economy(rng)
    order = rng.permutation(e.n)
    one, other = multipliers(from_twin(e)), multipliers(from_twin(e, order, scale))
    assert other.output == pytest.approx(one.output[order], rel=1e-8)
    assert other.supply == pytest.approx(one.supply[order], rel=1e-8)


@settings(max_examples=15)
@given(seed=SEEDS)
def test_multipliers_of_demand_and_of_supply_count_the_same_output(seed):
    # Output = m'y by demand and = v's by supply: both say what the table makes in all.
    e = naive.random_economy(np.random.default_rng(seed))
    result = multipliers(from_twin(e))
    value_added = e.x - e.Z.sum(axis=0)
    assert result.output @ e.Y.sum(axis=1) == pytest.approx(e.x.sum(), rel=1e-9)
    assert value_added @ result.supply == pytest.approx(e.x.sum(), rel=1e-9)


def test_another_program_finds_the_same():
    with PYMRIO.open() as file:
        found = defaultdict(dict)
        for row in csv.DictReader(file):
            found[row["what"]][int(row["row"]), int(row["column"])] = float(row["value"])
    table = {
        what: np.array([[cells[i, j] for j in range(max(k for _, k in cells) + 1)]
                        for i in range(max(k for k, _ in cells) + 1)])
        for what, cells in found.items()
    }  # fmt: skip
    net = economy(
        table["Z"], table["Y"], regions=["R0", "R0", "R1", "R1", "R2", "R2"], sectors="010101",
        users=["R0", "R0", "R1", "R1", "R2", "R2"], extensions={"employment": table["F"][1]},
    )  # fmt: skip
    assert leontief_of(net).inverse() == pytest.approx(table["L"], abs=1e-12)
    result = multipliers(net, "employment")
    assert result.value_added == pytest.approx(table["M"][0], abs=1e-9)
    assert result.per_demand == pytest.approx(table["M"][1], abs=1e-9)
    assert result.supply == pytest.approx(table["G"].sum(axis=1), abs=1e-9)
    for row, extension in enumerate(("value_added", "employment")):
        foot = footprint(net, extension)
        assert foot.total == pytest.approx(table["D_cba_reg"][row], rel=1e-9)
        assert foot.by_node == pytest.approx(table[f"origin_{extension}"], rel=1e-9)
        assert foot.stated == pytest.approx(table["D_pba_reg"][row], rel=1e-9)


# --- networks of links --------------------------------------------------------------------------


def test_a_plant_with_prices_has_multipliers():
    net = network(
        [node("PLANT", "GEAR", final_demand=10.0, price=100.0), node("MILL", "STEEL", price=20.0)],
        [need("GEAR", "STEEL", 2.0)], [link("MILL")],
    )  # fmt: skip
    result = multipliers(net)
    assert result.output.tolist() == pytest.approx([1.4, 1.0])
    assert result.supply.tolist() == pytest.approx([1.0, 2.0])


# --- what is odd, and wrong use -----------------------------------------------------------------


def test_a_node_that_buys_and_makes_nothing_is_named():
    net = economy([[0, 4, 1], [0, 0, 0], [0, 0, 0]], [2, 10, 0], output=[7, 10, 0],
                  regions="RRR", sectors=["steel", "cars", "ghost"])  # fmt: skip
    result = multipliers(net)
    assert [f.code for f in result.findings] == ["W230"]
    assert "ghost@R makes nothing and buys 1" in result.findings[0].what
    assert result.output.tolist() == pytest.approx([1.0, 1.4, 1.0])
    assert np.isfinite(result.supply).all()


def test_negative_value_added_is_carried():
    # Cars buy 12 for an output of 10: their own share is -0.2, and all shares still sum to 1.
    net = economy([[0, 12], [0, 0]], [2, 10], regions="RR", sectors=["steel", "cars"])
    result = multipliers(net)
    assert result.output.tolist() == pytest.approx([1.0, 2.2])
    assert result.value_added.tolist() == pytest.approx([1.0, 1.0])
    assert result.value_added_type1[1] == pytest.approx(-5.0)


def test_why_names_the_output_behind_a_multiplier():
    result = multipliers(steel_and_cars())
    rows = result.why("cars@FR")
    assert rows["node"].to_list() == ["cars@FR", "steel@DE"]
    assert rows["output"].to_list() == pytest.approx([1.0, 0.4])
    assert rows["share"].sum() == pytest.approx(1.0)
    with pytest.raises(UsageError, match=r"no node 'car@FR' here\. Did you mean cars@FR"):
        result.why("car@FR")


def test_an_unknown_extension_names_those_there_are():
    with pytest.raises(UsageError, match="no table of extensions"):
        multipliers(steel_and_cars(), "jobs")
    with pytest.raises(UsageError, match=r"no extension 'job' here\. Did you mean jobs"):
        multipliers(steel_and_cars(extensions={"jobs": [1, 2]}), "job")


def test_a_table_without_an_inverse_is_refused_with_its_cells():
    net = economy([[0, 10], [10, 0]], [0, 0], output=[10, 10], regions="RR", sectors="ab")
    with pytest.raises(UsageError, match=r"cost as much as the output.*a@R \(1\), b@R \(1\)"):
        multipliers(net)


def test_the_result_says_what_it_is():
    net = steel_and_cars()
    result = multipliers(net)
    assert repr(result) == "<Multipliers of 'tiny': 2 nodes, mean output multiplier 1.200>"
    assert result.summary().startswith("One unit of final demand sets 1.20 units of output")
    assert "most in cars@FR (1.40)" in result.summary()
    assert result.provenance.fingerprint == net.fingerprint()
    assert result.to_pandas().shape == (2, 12)
