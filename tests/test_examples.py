"""The networks that ship: what they are made of, the same every time."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from withstand import examples, readers, workbench
from withstand.errors import UsageError
from withstand.examples import nation as made
from withstand.examples import nation_of_firms
from withstand.model.network import ProductionNetwork

ESSENTIAL = 2


@pytest.fixture(scope="module")
def nation() -> ProductionNetwork:
    return nation_of_firms(1_500, seed=3)


def _abroad(network: ProductionNetwork) -> np.ndarray:
    return np.isin(network.region_labels[network.node_region], made.ABROAD)


def _buyer(network: ProductionNetwork) -> np.ndarray:
    return network.input_buyer[network.link_input]


def test_the_same_arguments_make_the_same_nation_and_others_another() -> None:
    first, again = nation_of_firms(300, seed=5), nation_of_firms(300, seed=5)
    assert first.fingerprint() == again.fingerprint()
    assert nation_of_firms(300, seed=6).fingerprint() != first.fingerprint()
    more = nation_of_firms(300, seed=5, suppliers_per_input=4.0)
    assert more.n_links > 1.2 * first.n_links


def test_output_is_what_serves_final_demand_and_all_buyers(nation: ProductionNetwork) -> None:
    """Against a dense solution of x = demand + A x, with A from the links."""
    n = nation.n_nodes
    shares = np.zeros((n, n))
    value = nation.link_flow / nation.output[_buyer(nation)]
    np.add.at(shares, (nation.link_supplier, _buyer(nation)), value)
    solved = np.linalg.solve(np.eye(n) - shares, nation.final_demand)
    assert nation.output == pytest.approx(solved, rel=1e-9)
    sold = np.bincount(nation.link_supplier, nation.link_flow, n)
    assert nation.output == pytest.approx(sold + nation.final_demand, rel=1e-9)


def test_firms_at_home_spend_a_fixed_part_and_those_abroad_only_sell(
    nation: ProductionNetwork,
) -> None:
    spent = np.bincount(_buyer(nation), nation.link_flow, nation.n_nodes)
    is_home = ~_abroad(nation)
    assert (spent[is_home] / nation.output[is_home]) == pytest.approx(
        np.full(is_home.sum(), made.BOUGHT), rel=1e-9
    )
    assert not spent[~is_home].any()
    assert not nation.final_demand[~is_home].any()
    assert is_home.sum() == 1_500
    assert (nation.output > 0).all()


def test_every_firm_at_home_has_a_supplier_of_each_essential_input(
    nation: ProductionNetwork,
) -> None:
    names = [str(p) for p in nation.product_labels]
    sector = np.array([p[:-2] if p[-2:-1] == " " else p for p in names])
    essential = nation.input_class == ESSENTIAL
    for node in np.flatnonzero(~_abroad(nation)):
        own = essential & (nation.input_buyer == node)
        bought = sorted(sector[nation.input_product[own]])
        needed = sorted(made.NEEDS[str(sector[nation.node_product[node]])])
        missing = set(needed) - set(bought)
        assert set(bought) <= set(needed)
        assert len(missing) <= 1  # the only maker of an input may be the firm itself


def test_sizes_have_a_heavy_tail_and_neighbours_are_preferred(nation: ProductionNetwork) -> None:
    output = np.sort(nation.output)[::-1]
    assert output[: len(output) // 100].sum() > 0.12 * output.sum()  # exponential sizes: 0.06
    assert output[0] > 20 * output.mean()
    supplier = nation.node_region[nation.link_supplier]
    buyer = nation.node_region[_buyer(nation)]
    at_random = np.bincount(supplier, minlength=13) @ np.bincount(buyer, minlength=13)
    assert (supplier == buyer).mean() > 2.0 * at_random / len(supplier) ** 2


def test_small_trades_stay_small(nation: ProductionNetwork) -> None:
    count = np.bincount(nation.node_product, minlength=nation.n_products)
    made_by = np.bincount(nation.node_product, nation.output, nation.n_products)
    for trade in made.SMALL_TRADES:
        at = nation.index("products")[trade]
        assert count[at] == max(made.FEWEST, 1_500 // made.ONE_IN)
        assert made_by[at] < 0.02 * nation.output.sum()


def test_the_check_has_nothing_to_say_about_it(nation: ProductionNetwork) -> None:
    assert [f.code for f in nation.findings] == []


@pytest.mark.parametrize("n_firms", [199, 0, -5, 300.5, True])
def test_a_nation_needs_firms(n_firms: object) -> None:
    with pytest.raises(UsageError, match="n_firms must be a whole number of at least 200"):
        nation_of_firms(n_firms)  # type: ignore[arg-type]


@pytest.mark.parametrize("count", [0.5, 21.0, float("nan")])
def test_suppliers_per_input_must_be_possible(count: float) -> None:
    with pytest.raises(UsageError, match="suppliers_per_input must lie between 1 and 20"):
        nation_of_firms(300, suppliers_per_input=count)


def test_a_project_made_from_the_nation_reads_back_as_the_same_network(tmp_path: Path) -> None:
    workbench.new_project(tmp_path / "nation", lens="firms", example="nation")
    read = readers.read_folder(tmp_path / "nation")
    assert read.fingerprint() == examples.example("nation").fingerprint()


def test_an_example_without_a_folder_says_how_to_get_one() -> None:
    with pytest.raises(UsageError, match="withstand new firms --example nation"):
        examples.folder_of("nation")


def test_an_unknown_example_lists_those_there_are() -> None:
    with pytest.raises(UsageError, match=r"there are: robot_maker, nation\. Did you mean nation"):
        examples.example("natoin")
