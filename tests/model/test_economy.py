"""Economies: balances, tolerances, blocs, names, classes, bans on exports."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import withstand as ws
from withstand.errors import UsageError
from withstand.examples import example
from withstand.model.balances import residuals, rounding_of
from withstand.model.blocs import (
    bloc_members,
    blocs_of,
    country_of,
    known_blocs,
    region_name,
    region_table,
)
from withstand.model.economy import build_economy, in_links
from withstand.model.hits import resolve
from withstand.model.national import fixed_product_sales, without_imports
from withstand.model.network import ProductionNetwork
from withstand.model.settings import Settings

ECONOMY = Settings(lens="economy", period="year")


def economy(seed: int = 0, *, tolerance: float = 0.0, **columns: object) -> ProductionNetwork:
    """Three regions, two products, a balanced table."""
    rng = np.random.default_rng(seed)
    Z = rng.lognormal(0, 1, (6, 6)) * (rng.random((6, 6)) < 0.8)
    Y = rng.lognormal(3, 1, (6, 3))
    nodes = pl.DataFrame(
        {
            "product": ["chips", "cars"] * 3,
            "region": ["CHN", "CHN", "DEU", "DEU", "FRA", "FRA"],
            **columns,
        }
    )
    regions = region_table(["CHN", "DEU", "FRA"], ["EU"], 2011)
    final = pl.DataFrame({"region": ["CHN", "DEU", "FRA"], "category": ["households"] * 3})
    tables = {"nodes": nodes, "regions": regions}
    return build_economy(Z, Y, tables, final, ECONOMY, tolerance=tolerance)


# --- balances ------------------------------------------------------------------------------------


def test_residuals_are_what_a_loop_over_the_nodes_finds() -> None:
    output = [50.0, 60.0, 70.0, 80.0, 90.0, 0.0]
    network = economy(output=output, value_added=[20.0] * 6)
    table = network.flow_table
    gaps = {row["node"]: row for row in residuals(network).iter_rows(named=True)}
    for i, label in enumerate(network.node_labels):
        sales = sum(table.flows[i, j] for j in range(6)) + sum(table.final[i, k] for k in range(3))
        costs = sum(table.flows[j, i] for j in range(6)) + 20.0
        row = gaps[str(label)]
        assert row["sales_gap"] == pytest.approx(sales - output[i])
        assert row["cost_gap"] == pytest.approx(costs - output[i])
        larger = max(abs(sales - output[i]), abs(costs - output[i]))
        assert row["share"] == (pytest.approx(larger / output[i]) if output[i] else None)
        assert row["is_beyond"] == (larger > row["tolerance"])


def test_a_balanced_table_has_no_finding_and_a_stated_tolerance_is_kept() -> None:
    assert {f.code for f in economy().findings} == {"N204"}
    network = economy(tolerance=2.5)
    changed = network.with_changes({"nodes": network.tables["nodes"].with_columns(
        output=pl.col("output") + 2.4, value_added=pl.col("value_added") + 2.4)})  # fmt: skip
    assert changed.flow_table.tolerance == 2.5
    assert {f.code for f in changed.findings} == {"N204"}
    beyond = network.with_changes({"nodes": network.tables["nodes"].with_columns(
        output=pl.col("output") + 2.6, value_added=pl.col("value_added") + 2.6)})  # fmt: skip
    assert {f.code for f in beyond.findings} == {"N204", "W213"}


def test_only_economies_have_residuals() -> None:
    with pytest.raises(UsageError, match="one of links"):
        residuals(example("robot_maker"))


@given(decimals=st.integers(0, 4), seed=st.integers(0, 99))
def test_printed_precision_is_found_in_the_numbers(decimals: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    exact = rng.lognormal(3, 3, (600, 5))
    printed = np.array([[float(f"{x:.{decimals}f}") for x in row] for row in exact])
    unit = 10.0**-decimals
    got = rounding_of(printed, printed[:, :2])
    assert got == pytest.approx(0.5 * unit * (5 + 2 + 1))
    assert np.abs(printed.sum(axis=1) - exact.sum(axis=1)).max() <= got
    printed[-1, -1] += unit / 3
    assert rounding_of(printed, exact[:, :2]) == 0.0


def test_nodes_without_output_are_told() -> None:
    network = economy(output=[50.0, 60.0, 70.0, 80.0, 90.0, 0.0])
    (found,) = [f for f in network.findings if f.code == "N208"]
    assert "cars@FRA; 1 of them buy or sell" in found.what


def test_a_node_that_buys_more_than_it_makes_is_told() -> None:
    network = economy(output=[50.0, 60.0, 0.5, 80.0, 90.0, 70.0])
    (found,) = [f for f in network.findings if f.code == "W204"]
    bought = network.flow_table.flows[:, 2].sum()
    assert found.value == "chips@DEU"
    assert f"buys {bought:,.6g} from other nodes and makes 0.5" in found.what


# --- national tables -----------------------------------------------------------------------------


@given(seed=st.integers(0, 999))
def test_industry_tables_sell_what_industries_make(seed: int) -> None:
    rng = np.random.default_rng(seed)
    make = rng.lognormal(2, 1, (3, 4)) * (rng.random((3, 4)) < 0.7)
    q = make.sum(axis=0)
    use = rng.lognormal(0, 1, (4, 3))
    use[q == 0] = 0.0
    final = (q - use.sum(axis=1))[:, None]  # products balance
    flows, demand = fixed_product_sales(make, use, final, q)
    np.testing.assert_allclose(flows.sum(axis=1) + demand.sum(axis=1), make.sum(axis=1), atol=1e-9)
    np.testing.assert_allclose(flows.sum(axis=0), use.sum(axis=0), atol=1e-9)  # purchases stay


@given(seed=st.integers(0, 999))
def test_imports_leave_products_as_balanced_as_they_were(seed: int) -> None:
    rng = np.random.default_rng(seed)
    use = rng.normal(2, 2, (4, 5))
    use[:, :3] = np.abs(use[:, :3])
    imports = rng.normal(1, 1, (4, 5))
    stated = rng.lognormal(0, 1, 4)
    home, abroad, adjustment, _ = without_imports(use, imports, np.arange(5) >= 3, stated)
    np.testing.assert_allclose(home + abroad, use)
    assert (abroad >= 0).all()
    assert (home[:, :3] >= 0).all()
    # home sales and the adjustment make up what is made: use less the stated imports
    np.testing.assert_allclose(home.sum(axis=1) + adjustment, use.sum(axis=1) - stated)


# --- names and blocs -----------------------------------------------------------------------------


def test_labels_of_providers_are_understood() -> None:
    assert [country_of(x) for x in ("ROM", "ROU", "RoW", "ROW", "reg1", "CN1", "de")] == [
        "RO", "RO", None, None, None, None, None
    ]  # fmt: skip
    assert [region_name(x) for x in ("ROM", "JPN", "ROW", "CN2", "XYZ")] == [
        "Romania", "Japan", "Rest of the world", "China, export processing", "XYZ"
    ]  # fmt: skip


def test_blocs_have_the_members_of_their_year() -> None:
    sizes = {1958: 6, 1973: 9, 1981: 10, 1986: 12, 1995: 15, 2004: 25, 2007: 27, 2013: 28, 2020: 27}
    assert {year: len(bloc_members("EU", year)) for year in sizes} == sizes
    assert {b: len(bloc_members(b)) for b in ("EU15", "EU25", "EU27", "EU28")} == {
        "EU15": 15, "EU25": 25, "EU27": 27, "EU28": 28
    }  # fmt: skip
    assert bloc_members("EU28") - bloc_members("EU27") == {"GB"}
    assert len(bloc_members("EA", 1999)) == 11
    assert len(bloc_members("EA", 2023)) == 20
    assert bloc_members("EA") < bloc_members("EU")
    assert len(bloc_members("OECD", 1961)) == 19  # Italy followed in 1962
    assert len(bloc_members("OECD")) == 38
    assert len(bloc_members("NATO")) == 32
    assert len(bloc_members("G7")) == 7
    assert len(bloc_members("ASEAN")) == 10
    assert bloc_members("USMCA", 1993) == frozenset()
    assert blocs_of("RoW", known_blocs()) is None
    with pytest.raises(UsageError, match="Did you mean EU28"):
        bloc_members("EU_28")


# --- bans on exports -----------------------------------------------------------------------------


def links_hit(network: ProductionNetwork, **targets: str) -> set[tuple[str, str]]:
    (hit,) = resolve(ws.Scenario.lose(**targets), network, 1)
    assert hit.kind == "link"
    buyer = network.input_buyer[network.link_input[hit.indices]]
    supplier = network.link_supplier[hit.indices]
    pairs = zip(network.node_labels[supplier], network.node_labels[buyer], strict=True)
    return {(str(a), str(b)) for a, b in pairs}


def pairs_of(network: ProductionNetwork, keep: object) -> set[tuple[str, str]]:
    """The positive flows that a function of (product, from, to, buyer) keeps, by a slow loop."""
    found = set()
    for i, seller in enumerate(network.node_labels):
        for j, buyer in enumerate(network.node_labels):
            product, origin = str(seller).split("@")
            place = str(buyer).split("@")[1]
            if network.flow_table.flows[i, j] > 0 and keep(product, origin, place, str(buyer)):
                found.add((str(seller), str(buyer)))
    return found


@pytest.mark.parametrize("as_links", [False, True])
@pytest.mark.parametrize("seed", [0, 1])
def test_a_ban_on_exports_hits_what_a_loop_over_the_flows_finds(seed: int, as_links: bool) -> None:
    network = economy(seed)
    if as_links:
        regions = network.tables["regions"]
        flat = in_links(network)
        shown = flat.with_changes({"regions": regions})
    else:
        shown = network
    assert links_hit(shown, region="CHN", product="chips", to="EU") == pairs_of(
        network, lambda p, a, b, _: p == "chips" and a == "CHN" and b in ("DEU", "FRA")
    )
    assert links_hit(shown, region="DEU", to="EU") == pairs_of(
        network, lambda p, a, b, _: a == "DEU" and b == "FRA"
    )  # sales within Germany are no exports
    assert links_hit(shown, to="FRA") == pairs_of(
        network, lambda p, a, b, _: b == "FRA" and a != "FRA"
    )
    assert links_hit(shown, region="CHN", to="cars@CHN") == pairs_of(
        network, lambda p, a, b, buyer: a == "CHN" and buyer == "cars@CHN"
    )  # a buyer that is named is hit wherever it stands


@pytest.mark.parametrize(
    ("targets", "code", "suggestion"),
    [
        ({"region": "CHN", "to": "EUU"}, "E301", "EU"),
        ({"region": "CHN", "to": "Germany"}, "E301", "DEU"),
        ({"region": "CHN", "to": "cars@DEX"}, "E301", "cars@DEU"),
        ({"region": "CHN", "to": "CHN"}, "E303", None),
    ],
)
def test_a_ban_that_hits_nothing_is_refused(
    targets: dict[str, str], code: str, suggestion: str | None
) -> None:
    with pytest.raises(ws.ScenarioError) as told:
        resolve(ws.Scenario.lose(**targets), economy(), 1)
    (found,) = told.value.findings
    assert (found.code, found.suggestion) == (code, suggestion)


def test_a_ban_on_exports_is_the_loss_of_each_of_its_links() -> None:
    network = economy()
    ban = ws.Scenario.lose(region="CHN", product="chips", to="EU", share=0.5, duration=2)
    each = ws.Scenario(
        name="each link",
        shocks=tuple(
            ws.Shock(link=f"{a}>{b}", share=0.5, duration=2)
            for a, b in sorted(links_hit(network, region="CHN", product="chips", to="EU"))
        ),
    )
    at_once, one_by_one = (ws.stress.simulate(network, s, periods=5) for s in (ban, each))
    assert at_once.loss == pytest.approx(one_by_one.loss, rel=1e-12)
    assert at_once.loss > 0


def test_final_demand_cannot_be_banned_by_its_buyer() -> None:
    with pytest.raises(ws.ScenarioError, match="no final demand"):
        ws.Shock(region="CHN", to="EU", what="demand")


@settings(max_examples=20)
@given(seed=st.integers(0, 999))
def test_a_reversed_table_is_the_same_economy(seed: int) -> None:
    network = economy(seed)
    table = network.flow_table
    back = build_economy(
        table.flows[::-1, ::-1],
        table.final[::-1],
        {"nodes": network.tables["nodes"].reverse(), "regions": network.tables["regions"],
         "products": network.tables["products"]},
        pl.DataFrame({"region": ["CHN", "DEU", "FRA"], "category": ["households"] * 3}),
        ECONOMY,
    )  # fmt: skip
    assert back.fingerprint() == network.fingerprint()
