"""The largest structural paths, against all paths there are."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

import naive_decompositions as naive
import naive_economy
from tiny_economies import economy, from_twin
from trade_cases import economies
from withstand.errors import UsageError
from withstand.examples import tiny
from withstand.measures import structural_paths
from withstand.model.economy import in_links


def steel_and_cars(**more):
    """Cars for 100 take steel for 40 and cars for 10; steel takes steel for 8 of 40, no cars."""
    return economy(
        [[8.0, 40.0], [0.0, 10.0]],
        [0.0, 90.0],
        regions=["A", "B"],
        sectors=["steel", "cars"],
        output=[48.0, 100.0],
        users=["B"],
        **more,
    )


# --- by hand ---------------------------------------------------------------------------------


def test_paths_of_a_car_by_hand():
    # Per unit, cars add .5 and steel 5/6; cars take .1 cars and .4 steel, steel 1/6 steel.
    # 90 x .5 = 45; 90 x .4 x 5/6 = 30; with one steel more a sixth: 5; with one car more a tenth.
    result = structural_paths(steel_and_cars(), "cars", n=5)
    assert result.to_frame().select("path", "depth", "source").rows() == [
        ("cars@B", 0, "cars@B"),
        ("cars@B <- steel@A", 1, "steel@A"),
        ("cars@B <- steel@A <- steel@A", 2, "steel@A"),
        ("cars@B <- cars@B", 1, "cars@B"),
        ("cars@B <- cars@B <- steel@A", 2, "steel@A"),
    ]
    np.testing.assert_allclose(result.values, [45.0, 30.0, 5.0, 4.5, 3.0])
    assert result.total == pytest.approx(90.0)  # value added is all of final demand
    assert result.covered == pytest.approx(87.5 / 90.0)
    assert result.largest_left == pytest.approx(5.0 / 6.0)  # one steel more
    assert result.is_complete
    assert result.stopped_by == "count"


def test_the_tree_puts_every_supplier_below_its_buyer():
    tree = structural_paths(steel_and_cars(), "cars@B", n=5).tree()
    assert tree["path"].to_list() == [
        "cars@B",
        "  steel@A",
        "    steel@A",
        "  cars@B",
        "    steel@A",
    ]
    np.testing.assert_allclose(tree["below"] * 90, [87.5, 35.0, 5.0, 7.5, 3.0])
    assert tree["value"].to_list() == pytest.approx([45.0, 30.0, 5.0, 4.5, 3.0])


def test_a_node_that_is_only_passed_has_no_value_of_its_own():
    # Steel in cars in cars is listed, cars in cars is not: jobs are in steel only.
    net = steel_and_cars(extensions={"jobs": [96.0, 0.0]})
    tree = structural_paths(net, "cars", n=3, extension="jobs").tree()
    assert tree.filter(pl.col("path") == "  cars@B")["value"].to_list() == [None]
    assert tree["share"].sum() == pytest.approx(1 - (1 - 0.9 * (5 / 6 * 7 / 6) - 0.09 * 5 / 6))


def test_steps_of_a_path_show_what_flows():
    why = structural_paths(steel_and_cars(), "cars", n=3).why(3)
    assert why["node"].to_list() == ["cars@B", "steel@A", "steel@A"]
    np.testing.assert_allclose(why["flow"], [90.0, 36.0, 6.0])


def test_an_extension_counts_what_it_says():
    net = steel_and_cars(extensions={"jobs": [96.0, 50.0]})  # 2 and .5 per unit of output
    jobs = structural_paths(net, "cars", n=2, extension="jobs")
    np.testing.assert_allclose(jobs.values, [90 * 0.4 * 2, 90 * 0.5])
    assert jobs.total == pytest.approx(146.0)
    output = structural_paths(net, "cars", n=2, extension=None)
    np.testing.assert_allclose(output.values, [90.0, 36.0])
    assert output.total == pytest.approx(148.0)


def test_a_region_stands_for_what_its_final_users_buy():
    net = economy(
        [[0.0, 4.0], [0.0, 0.0]],
        [[1.0, 0.0], [3.0, 7.0]],
        regions=["A", "B"],
        sectors=["steel", "cars"],
        users=["A", "B"],
    )
    assert structural_paths(net, "A").to_frame()["path"].to_list() == [
        "cars@B",
        "cars@B <- steel@A",
        "steel@A",
    ]
    assert structural_paths(net, "A").total == pytest.approx(4.0)
    assert structural_paths(net, "B").total == pytest.approx(7.0)


def test_a_bloc_stands_for_its_members():
    net = economy(
        [[0.0, 4.0], [0.0, 0.0]],
        [[1.0, 0.0], [3.0, 7.0]],
        regions=["A", "B"],
        sectors=["steel", "cars"],
        users=["A", "B"],
        blocs={"A": "WEST", "B": "WEST"},
    )
    assert structural_paths(net, "WEST").total == pytest.approx(11.0)


# --- against all paths there are -------------------------------------------------------------


def all_paths(e, demand, ends, depth):
    return naive.paths(naive_economy.coefficients(e), demand, ends, depth)


@examples(max_examples=40)
@given(economies(), st.integers(0, 3), st.integers(1, 40))
def test_the_largest_paths_are_those_of_enumeration(e, depth, n):
    if e.n**depth > 3_000:
        depth = 2
    net = from_twin(e)
    target = max(range(e.n), key=lambda j: abs(e.Y[j].sum()))
    demand = np.zeros(e.n)
    demand[target] = e.Y[target].sum()
    ends = naive_economy.value_shares(e)
    expected = all_paths(e, demand, ends, depth)
    result = structural_paths(net, str(net.node_labels[target]), n=n, max_depth=depth)
    np.testing.assert_allclose(
        np.abs(result.values), [abs(v) for _, v in expected[:n]], rtol=1e-9, atol=1e-15
    )
    named = dict(expected)
    for path, value in zip(result.paths, result.values, strict=True):
        assert value == pytest.approx(named[path], rel=1e-9)
    left = [abs(v) for _, v in expected[n:]]
    assert result.largest_left == pytest.approx(max(left, default=0.0), rel=1e-9, abs=1e-15)


@examples(max_examples=25)
@given(economies(), st.integers(1, 60))
def test_without_a_depth_no_deep_path_is_missed(e, n):
    """Whatever depth is enumerated, nothing larger than the last of the list turns up."""
    net = from_twin(e)
    region = e.user[0]
    demand = e.Y[:, [u == region for u in e.user]].sum(axis=1)
    result = structural_paths(net, region, n=n)
    depth = 3 if e.n <= 6 else 2
    listed = set(result.paths)
    for nodes, value in all_paths(e, demand, naive_economy.value_shares(e), depth):
        if nodes not in listed:
            assert abs(value) <= result.largest_left * (1 + 1e-9) + 1e-15
    if len(result.values) == n:
        assert abs(result.values[-1]) >= result.largest_left * (1 - 1e-9)


@pytest.mark.parametrize("seed", range(3))
def test_an_economy_in_links_has_the_same_paths(seed):
    net = from_twin(naive_economy.random_economy(np.random.default_rng(seed), density=1.0))
    target = str(net.node_labels[int(net.final_demand.argmax())])
    one = structural_paths(net, target, n=10)
    two = structural_paths(in_links(net), target, n=10)
    np.testing.assert_allclose(one.values, two.values, rtol=1e-8, atol=1e-12)


def test_many_equal_suppliers_are_all_found():
    # Twenty suppliers with the same share: a list of five must not lose the order of the rest.
    n = 21
    flows = np.zeros((n, n))
    flows[1:, 0] = 2.0
    final = np.zeros(n)
    final[0] = 100.0
    net = economy(flows, final, regions=["A"] * n, sectors=[f"s{i}" for i in range(n)])
    few = structural_paths(net, "s0", n=5)
    np.testing.assert_allclose(few.values, [60, 2, 2, 2, 2])
    assert few.largest_left == pytest.approx(2.0)
    every = structural_paths(net, "s0", n=100)
    assert len(every.paths) == 21
    assert (every.stopped_by, every.largest_left) == ("end", 0.0)
    assert every.covered == pytest.approx(1.0)


@pytest.mark.slow
def test_paths_of_german_cars_are_the_largest_of_two_million(data_dir):
    frame = pl.read_parquet(data_dir / "wiod2013" / "wiot_2011.parquet")
    cells = frame["cell"].to_list()
    users = [c for c in frame.columns if c.startswith("Y_")]
    flows = frame.select(cells).to_numpy().astype(float)
    region, sector = zip(*(c.replace(".", "_").split("_", 1) for c in cells), strict=True)
    x = frame["x"].to_numpy().astype(float)
    net = economy(
        flows,
        frame.select(users).to_numpy().astype(float),
        regions=region,
        sectors=sector,
        output=x,
        users=[c[2:5] for c in users],
        categories=[c[6:] for c in users],
    )
    result = structural_paths(net, "c15@DEU", n=50, max_depth=2)
    A = flows / np.where(x > 0, x, np.inf)
    v = 1.0 - A.sum(axis=0)
    cars = net.node_labels.tolist().index("c15@DEU")
    first = A[:, cars] * net.final_demand[cars]
    second = A * first
    found = np.concatenate(
        [[v[cars] * net.final_demand[cars]], v * first, (second * v[:, None]).ravel()]
    )
    largest = np.sort(np.abs(found))[::-1]
    np.testing.assert_allclose(np.abs(result.values), largest[:50], rtol=1e-12)
    assert result.largest_left == pytest.approx(largest[50], rel=1e-12)


# --- stopping --------------------------------------------------------------------------------


def test_paths_below_the_least_share_are_left_out():
    result = structural_paths(steel_and_cars(), "cars", n=100, min_share=0.05)
    np.testing.assert_allclose(result.values, [45.0, 30.0, 5.0, 4.5])
    assert result.stopped_by == "share"
    assert result.is_complete
    assert result.largest_left == pytest.approx(3.0)


def test_when_time_runs_out_the_bound_still_holds():
    result = structural_paths(steel_and_cars(), "cars", n=10_000, time_limit=0.0)
    assert not result.is_complete
    assert result.stopped_by == "time"
    everything = structural_paths(steel_and_cars(), "cars", n=200)
    missed = [v for p, v in zip(everything.paths, everything.values, strict=True)
              if p not in set(result.paths)]  # fmt: skip
    assert result.largest_left >= max(missed) * (1 - 1e-12)
    assert "when time ran out" in result.summary() or "No path" in result.summary()


def test_progress_tells_how_many_were_found():
    told = []
    structural_paths(steel_and_cars(), "cars", n=3, progress=lambda *x: told.append(x))
    assert [x[:2] for x in told] == [(1, 3), (2, 3), (3, 3)]
    assert told[-1][2] == pytest.approx(80 / 90)


def test_a_depth_of_none_looks_at_the_product_itself():
    result = structural_paths(steel_and_cars(), "cars", max_depth=0)
    assert result.paths == ((1,),)
    assert result.stopped_by == "end"


# --- frames and refusals ---------------------------------------------------------------------


def test_summary_and_short_form():
    result = structural_paths(steel_and_cars(), "cars", n=2)
    assert result.summary() == (
        "2 paths hold 83.3% of the value added behind cars; no other holds more than 5.556%."
    )
    assert repr(result) == "StructuralPaths(cars, 2 paths, 83.3% covered, stopped by count)"
    assert result.to_pandas().shape == (2, 6)


def test_a_network_of_links_with_prices_has_paths():
    result = structural_paths(tiny(), "GEAR")
    assert result.paths[0] == (0,)
    assert result.covered == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"target": "carz"}, "Did you mean cars"),
        ({"target": "steel"}, "no final demand"),
        ({"extension": "jobs"}, "no extension 'jobs'"),
        ({"n": 0}, "one or more"),
        ({"max_depth": -1}, "negative"),
        ({"min_share": 2.0}, "not a share"),
        ({"time_limit": -1.0}, "0 or more seconds"),
    ],
)
def test_wrong_arguments_are_refused_with_what_to_do(arguments, message):
    with pytest.raises(UsageError, match=message):
        structural_paths(steel_and_cars(), **{"target": "cars", **arguments})


def test_a_label_with_two_meanings_is_refused():
    net = economy([[1.0]], [[5.0]], regions=["A"], sectors=["A"])
    with pytest.raises(UsageError, match="products and in regions"):
        structural_paths(net, "A")


def test_there_is_no_path_beyond_the_last():
    with pytest.raises(UsageError, match="there are 2"):
        structural_paths(steel_and_cars(), "cars", n=2).why(3)
