"""How far nodes stand from final users, and from where value is added."""

from __future__ import annotations

from functools import cache

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import naive_economy as naive
from real_economies import wiod
from tiny_economies import economy, from_twin
from tiny_networks import link, need, network, node
from withstand.errors import UsageError
from withstand.measures import downstreamness, upstreamness

SEEDS = st.integers(0, 2**32 - 1)
ORE_STEEL_CARS = [[0, 2, 0], [0, 0, 4], [0, 0, 0]]


def chain(final=(0, 4, 10), **more):
    return economy(ORE_STEEL_CARS, final, regions="RRR", sectors=["ore", "steel", "cars"], **more)


# --- by hand ------------------------------------------------------------------------------------


def test_steps_to_final_users_by_hand():
    # Half of the steel goes into cars: 1 + 1/2. All ore goes into steel: 1 + 1.5.
    result = upstreamness(chain())
    assert result.values == pytest.approx([2.5, 1.5, 1.0])
    assert result.mean == pytest.approx((2 * 2.5 + 8 * 1.5 + 10) / 20)


def test_steps_from_value_added_by_hand():
    # A quarter of steel is ore: 1 + 1/4. Two fifths of a car are steel: 1 + 2/5 x 1.25.
    result = downstreamness(chain())
    assert result.values == pytest.approx([1.0, 1.25, 1.5])
    assert result.mean == pytest.approx(upstreamness(chain()).mean)


def test_what_goes_to_stock_is_not_sold_to_anybody():
    # Of 8 of steel 2 go to stock, and 4 of the other 6 into cars.
    final = [[0, 0], [2, 2], [10, 0]]
    net = chain(final, categories=["households", "inventories"])
    result = upstreamness(net)
    assert result.values == pytest.approx([1 + 1 + 4 / 6, 1 + 4 / 6, 1.0])
    assert result.inventories == ("inventories",)
    assert upstreamness(net, inventories=False).values == pytest.approx([2.5, 1.5, 1.0])
    # Downstream, the 4 of steel in 10 of cars count for 4 x 8/6.
    down = downstreamness(net)
    assert down.values == pytest.approx([1.0, 1.25, 1 + 4 * 8 / 6 / 10 * 1.25])


def test_sales_from_stock_count_like_others():
    # Ore makes nothing this year and sells 2 from stock: all of it goes into steel.
    net = chain([[-2, 0], [0, 4], [0, 10]], categories=["Change in Inventories", "all"])
    result = upstreamness(net)
    assert result.sales[0] == 0.0
    assert result.values == pytest.approx([2.5, 1.5, 1.0])


def test_a_node_whose_stock_takes_more_than_it_sells_is_named():
    # Steel sells 4 and its users return 6 of it, so that 4 + 4 - 6 - 4 is not positive.
    net = chain([[0, 0], [-6, 4], [10, 0]], categories=["all", "P52"])
    result = upstreamness(net)
    assert result.not_corrected == ("steel@R",)
    assert result.values == pytest.approx([2.0, 1.0, 1.0])


def test_a_node_that_sells_and_buys_nothing_stands_at_one():
    net = economy(np.zeros((2, 2)), [[0], [5]], regions="RR", sectors="ab")
    assert upstreamness(net).values == pytest.approx([1.0, 1.0])
    assert downstreamness(net).values == pytest.approx([1.0, 1.0])


def test_a_network_of_links_has_positions_too():
    net = network(
        [node("PLANT", "GEAR", final_demand=10.0, price=100.0), node("MILL", "STEEL", price=20.0)],
        [need("GEAR", "STEEL", 2.0)], [link("MILL")],
    )  # fmt: skip
    assert upstreamness(net).values == pytest.approx([1.0, 2.0])
    assert downstreamness(net).values == pytest.approx([1.4, 1.0])
    assert upstreamness(net).why("MILL")["share"].to_list() == pytest.approx([1.0])
    assert downstreamness(net).why("PLANT")["share"].to_list() == pytest.approx([0.4])
    with pytest.raises(UsageError, match="no categories of final demand"):
        upstreamness(net, inventories="stocks")


# --- the twin, and laws -------------------------------------------------------------------------


@settings(max_examples=25)
@given(seed=SEEDS, empty=st.integers(0, 2), corrects=st.booleans())
def test_positions_equal_the_twin(seed, empty, corrects):
    e = naive.random_economy(np.random.default_rng(seed), empty=empty)
    net = from_twin(e)
    categories = ("inventories",) if corrects else ()
    up, down = upstreamness(net, corrects), downstreamness(net, corrects)
    assert up.values == pytest.approx(naive.upstreamness(e, categories), rel=1e-9)
    assert down.values == pytest.approx(naive.downstreamness(e, categories), rel=1e-9)
    assert up.values.min() >= 1.0 - 1e-12
    # In the whole (closed) world each link is passed once from either end.
    assert up.mean == pytest.approx(down.mean, rel=1e-9)


@settings(max_examples=15)
@given(seed=SEEDS)
def test_mean_upstreamness_is_what_a_unit_of_value_adds_up_to_in_sales(seed):
    # Without a correction, sales-weighted U equals 1'L x / 1'x: output per unit of output.
    e = naive.random_economy(np.random.default_rng(seed), inventories=False)
    assert upstreamness(from_twin(e), False).mean == pytest.approx(
        (naive.leontief(e) @ e.x).sum() / e.x.sum(), rel=1e-9
    )


@settings(max_examples=10)
@given(seed=SEEDS, scale=st.floats(1e-4, 1e4))
def test_order_of_cells_and_currency_do_not_matter(seed, scale):
    rng = np.random.default_rng(seed)
    e = naive.random_economy(rng)
    order = rng.permutation(e.n)
    for measure in (upstreamness, downstreamness):
        one, other = measure(from_twin(e)), measure(from_twin(e, order, scale))
        assert other.values == pytest.approx(one.values[order], rel=1e-8)


@settings(max_examples=10)
@given(seed=SEEDS)
def test_a_sector_split_in_two_equal_parts_keeps_its_position(seed):
    # Halves of a cell buy and sell in the same proportions, so nobody's position changes.
    e = naive.random_economy(np.random.default_rng(seed))
    at = [0, *range(e.n)]
    split = naive.halved(e)
    for measure in (upstreamness, downstreamness):
        whole, parts = measure(from_twin(e)).values, measure(from_twin(split)).values
        assert parts == pytest.approx(whole[at], rel=1e-8)


# --- published ----------------------------------------------------------------------------------


@cache
def published(folder, year):
    """Return Antras and Chor's own positions for one year, in the labels of the table."""
    frame = pl.read_parquet(folder / "gvc_antras_chor" / "wiod2013_gvc_measures.parquet")
    country = pl.col("cty_name").replace({"ROU": "ROM"})
    return frame.filter(pl.col("year") == year).select(
        pl.format("c{}@{}", "ind_num", country).alias("node"), "GVC_Ui", "GVC_Di"
    )


YEARS = [
    year if year in (1995, 2003) else pytest.param(year, marks=pytest.mark.slow)
    for year in range(1995, 2004)
]


@pytest.mark.parametrize("year", YEARS)
def test_positions_are_those_that_antras_and_chor_published(data_dir, year):
    # Their table has decimals, ours is rounded to whole millions: hence the tolerance, and only
    # cells with an output over 500 million.
    net = wiod(data_dir, year)
    up, down = upstreamness(net), downstreamness(net)
    mine = up.to_frame().with_columns(
        pl.Series("downstreamness", down.values), pl.Series("output", net.output)
    )
    both = mine.join(published(data_dir, year), on="node").filter(pl.col("output") > 500)
    assert both.height > 1_200
    for ours, theirs, error, agreement in (
        ("upstreamness", "GVC_Ui", 0.0045, 0.9997),
        ("downstreamness", "GVC_Di", 0.005, 0.998),
    ):
        x, y = both[ours].to_numpy(), both[theirs].to_numpy().astype(float)
        assert np.median(np.abs(x - y)) <= error
        assert np.corrcoef(x, y)[0, 1] >= agreement


def test_without_the_correction_the_published_numbers_are_missed(data_dir):
    up = upstreamness(wiod(data_dir, 1995), inventories=False).to_frame()
    both = up.join(published(data_dir, 1995), on="node").filter(pl.col("sales") > 500)
    assert (both["upstreamness"] - both["GVC_Ui"]).abs().median() > 0.009


# --- why, and wrong use -------------------------------------------------------------------------


@pytest.mark.parametrize("measure", [upstreamness, downstreamness])
def test_why_gives_the_partners_whose_steps_add_up(measure):
    e = naive.random_economy(np.random.default_rng(11))
    result = measure(from_twin(e))
    for i, label in enumerate(e.labels):
        rows = result.why(label)
        assert 1.0 + rows["steps"].sum() == pytest.approx(result.values[i], rel=1e-9)
    assert rows["steps"].is_sorted(descending=True)
    with pytest.raises(UsageError, match=r"Did you mean s0@R0"):
        result.why("s0@R00")


def test_means_of_regions_and_products_are_weighted_by_sales():
    net = economy(ORE_STEEL_CARS, [0, 4, 10], regions=["A", "B", "B"], sectors=["m", "m", "c"])
    by_region = dict(upstreamness(net).by_region().select("region", "upstreamness").iter_rows())
    assert by_region == pytest.approx({"A": 2.5, "B": (8 * 1.5 + 10) / 18})
    by_product = dict(upstreamness(net).by_product().select("product", "upstreamness").iter_rows())
    assert by_product == pytest.approx({"m": (2 * 2.5 + 8 * 1.5) / 10, "c": 1.0})


def test_a_table_without_inventories_is_told():
    result = upstreamness(chain())
    assert [f.code for f in result.findings] == ["N230"]
    assert "the categories are households: no correction was made" in result.findings[0].what
    assert not upstreamness(chain(), inventories=False).findings


@pytest.mark.parametrize(
    "name", ["INVEN", "INVNT", "Changes in inventories", "Stock changes", "P52", "P5M", "F03000"]
)
def test_the_names_that_providers_give_to_inventories_are_known(name):
    net = chain([[0, 0], [2, 2], [10, 0]], categories=["P3_S14", name])
    assert upstreamness(net).inventories == (name,)


def test_categories_of_inventories_can_be_named():
    final = [[0, 0], [2, 2], [10, 0]]
    net = chain(final, categories=["households", "x7"])
    assert upstreamness(net, "x7").values == pytest.approx([2 + 4 / 6, 1 + 4 / 6, 1.0])
    with pytest.raises(UsageError, match=r"no category of final demand 'x77' here\. Did you mean"):
        upstreamness(net, ["x77"])


def test_the_result_says_what_it_is():
    result = upstreamness(chain(), inventories=False)
    assert repr(result) == "<Upstreamness of 'tiny': 3 nodes, mean 1.350 steps>"
    assert repr(downstreamness(chain())).startswith("<Downstreamness of 'tiny': 3 nodes, mean 1.35")
    assert result.summary() == (
        "On average a unit of output stands 1.35 steps from final users; farthest is ore@R (2.50)."
    )
    assert result.provenance.to_dict()["parameters"] == {"inventories": False}
    assert result.to_pandas().shape == (3, 5)
