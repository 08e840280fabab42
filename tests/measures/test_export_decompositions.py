"""What holds for every way of decomposing exports: residuals, selections, frames, refusals."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import settings as examples

from naive_economy import Economy
from tiny_economies import economy, from_twin
from trade_cases import DATA, FINAL, FLOWS, REGIONS, SECTORS, economies, three_by_two
from withstand.errors import UsageError
from withstand.examples import tiny
from withstand.measures import export_decomposition
from withstand.measures.export_decompositions import METHODS
from withstand.model.economy import build_economy
from withstand.model.settings import Settings

BILATERAL = [m for m in METHODS if m != "kww"]
USERS = ["AAA", "BBB", "CCC"]


def table(**more):
    return economy(FLOWS, FINAL, regions=REGIONS, sectors=SECTORS, users=USERS, **more)


def unbalanced():
    output = FLOWS.sum(axis=1) + FINAL.sum(axis=1) + np.array([3.0, 0, -2.0, 0, 1.0, 4.0])
    return table(output=output)


# --- tables that do not balance --------------------------------------------------------------


@pytest.mark.parametrize("method", METHODS)
def test_what_does_not_add_up_is_in_the_residual(method):
    result = export_decomposition(unbalanced(), method=method)
    assert np.abs(result.residual).max() > 1e-3
    np.testing.assert_allclose(result.values.sum(axis=0) + result.residual, result.exports)
    np.testing.assert_allclose(result.exports[:, 0], [51, 48, 37])  # those of the table
    assert "stays unexplained" in result.summary()


@pytest.mark.parametrize("method", METHODS)
def test_a_rebalanced_table_leaves_no_residual_and_says_what_it_moved(method):
    result = export_decomposition(unbalanced(), method=method, balance="rebalance")
    assert np.abs(result.residual).max() < 1e-9 * result.exports.sum()
    before = np.array([51.0, 48.0, 37.0])
    assert 0 < result.rebalanced < 0.2
    assert result.rebalanced >= np.abs(result.exports[:, 0] - before).sum() / 136.0 - 1e-12
    assert "rebalancing moved" in result.summary()


@pytest.mark.parametrize("method", METHODS)
def test_rebalancing_a_balanced_table_changes_nothing(method):
    one, two = (
        export_decomposition(table(), method=method, balance=b) for b in ("residual", "rebalance")
    )
    np.testing.assert_allclose(one.values, two.values, atol=1e-10)
    assert two.rebalanced == pytest.approx(0.0, abs=1e-12)


def test_rebalanced_flows_are_those_that_final_demand_needs():
    net = unbalanced()
    result = export_decomposition(net, balance="rebalance", by="sector", importer="each")
    A = FLOWS / net.output
    x = np.linalg.solve(np.eye(6) - A, FINAL.sum(axis=1))
    expected = (A * x)[:2, 2:4].sum(axis=1) + FINAL[:2, 1]  # AAA to BBB
    np.testing.assert_allclose(result.exports[:2, 1], expected)


def test_cells_that_buy_and_make_nothing_are_named():
    flows, final = FLOWS.copy(), FINAL.copy()
    flows[0], final[0] = 0.0, 0.0
    net = economy(flows, final, regions=REGIONS, sectors=SECTORS, users=USERS)
    result = export_decomposition(net)
    assert [f.code for f in result.findings] == ["W230"]
    assert np.isfinite(result.values).all()


# --- invariants ------------------------------------------------------------------------------


@pytest.mark.parametrize("method", METHODS)
@examples(max_examples=10)
@given(e=economies())
def test_the_order_of_the_cells_changes_nothing(method, e):
    rng = np.random.default_rng(e.n)
    order = rng.permutation(e.n)
    key = ["exporter", "product", "importer", "term"]
    one, two = (
        export_decomposition(net, method=method, by="sector").to_frame().sort(key)
        for net in (from_twin(e), from_twin(e, order))
    )
    assert one.select(key).equals(two.select(key))
    np.testing.assert_allclose(one["value"], two["value"], atol=1e-9)


@pytest.mark.parametrize("method", METHODS)
def test_another_currency_scales_every_term(method):
    one = export_decomposition(from_twin(three_by_two()), method=method)
    two = export_decomposition(from_twin(three_by_two(), scale=1e3), method=method)
    np.testing.assert_allclose(two.values, 1e3 * one.values)


@pytest.mark.parametrize("method", METHODS)
def test_a_region_that_trades_nothing_has_no_terms(method):
    flows, final = FLOWS.copy(), FINAL.copy()
    flows[:2, 2:] = flows[2:, :2] = 0.0
    final[:2, 1:] = final[2:, 0] = 0.0
    net = economy(flows, final, regions=REGIONS, sectors=SECTORS, users=USERS)
    result = export_decomposition(net, method=method)
    np.testing.assert_allclose(result.values[:, 0], 0.0, atol=1e-12)
    assert result.values[:, 1].sum() == pytest.approx(result.exports[1].sum())


@pytest.mark.parametrize("method", METHODS)
def test_final_users_in_a_region_without_producers_are_abroad_for_all(method):
    net = economy(FLOWS[:4, :4], FINAL[:4], regions=REGIONS[:4], sectors=SECTORS[:4], users=USERS)
    result = export_decomposition(net, method=method)
    assert result.exporters == ("AAA", "BBB")
    assert np.abs(result.residual).max() < 1e-9


@examples(max_examples=25)
@given(economies())
def test_all_ways_agree_on_the_domestic_value_of_an_exporter(e):
    found = [export_decomposition(from_twin(e), method=m).totals() for m in METHODS]
    for other in found[1:]:
        for group in ("exports", "VAX", "REF", "DDC"):
            np.testing.assert_allclose(other[group], found[0][group], atol=1e-9, err_msg=group)
        np.testing.assert_allclose(
            other["FVA"] + other["FDC"], found[0]["FVA"] + found[0]["FDC"], atol=1e-9
        )


# --- selections ------------------------------------------------------------------------------


@pytest.mark.parametrize("method", BILATERAL)
def test_importers_and_sectors_add_up(method):
    whole = export_decomposition(table(), method=method)
    each = export_decomposition(table(), method=method, importer="each")
    sectors = export_decomposition(table(), method=method, by="sector")
    np.testing.assert_allclose(each.values.sum(axis=2), whole.values[:, :, 0])
    np.testing.assert_allclose(
        sectors.values.reshape(len(whole.terms), 3, 2).sum(axis=2), whole.values[:, :, 0]
    )


def test_chosen_regions_are_the_rows_and_columns():
    net = table(blocs={"BBB": "EAST", "CCC": "EAST"})
    result = export_decomposition(net, method="wwz", exporter="AAA", importer="EAST")
    assert (result.exporters, result.importers) == (("AAA",), ("BBB", "CCC"))
    full = export_decomposition(net, method="wwz", importer="each")
    np.testing.assert_allclose(result.values[:, 0], full.values[:, 0, 1:])


# --- frames ----------------------------------------------------------------------------------


def test_the_frame_has_a_row_for_every_term_and_none_for_sales_at_home():
    result = export_decomposition(table(), importer="each")
    frame = result.to_frame()
    assert frame.height == 6 * 13
    assert frame.filter(pl.col("exporter") == pl.col("importer")).is_empty()
    sums = frame.group_by("exporter", "importer").agg(pl.col("share").sum())
    np.testing.assert_allclose(sums["share"], 1.0)
    assert frame["meaning"].null_count() == 0
    assert result.to_pandas().shape == (78, 8)


def test_totals_are_the_sums_of_the_groups():
    totals = export_decomposition(table()).totals()
    np.testing.assert_allclose(totals["DVA"], totals["VAX"] + totals["REF"])
    parts = sum(totals[g] for g in ("DVA", "DDC", "FVA", "FDC", "residual"))
    np.testing.assert_allclose(parts, totals["exports"])


def test_why_shows_the_sectors_and_importers_behind_a_number():
    result = export_decomposition(table(), method="wwz", importer="each")
    why = result.why("AAA", "DVA_FIN")
    assert why["value"].to_list() == sorted(why["value"], reverse=True)
    assert why["value"].sum() == pytest.approx(result.values[0, 0].sum())
    assert set(why["product"]) == {"s1", "s2"}
    whole = export_decomposition(table(), method="kww").why("AAA")
    assert whole["value"].sum() == pytest.approx(51.0)


def test_the_short_form_holds_no_numbers():
    assert repr(export_decomposition(table(), method="kww")) == (
        "ExportDecomposition(kww, by region, 9 terms, 3 rows x 1 importers, residual)"
    )


def test_an_economy_without_exports_says_so():
    net = economy([[1.0]], [[5.0]], regions=["A"], sectors=["s"])
    assert export_decomposition(net).summary() == "There are no exports."
    assert export_decomposition(net, method="kww").to_frame()["share"].null_count() == 10


# --- refusals --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"method": "kwww"}, "use one of kww, wwz"),
        ({"by": "node"}, "use one of region, sector"),
        ({"balance": "ras"}, "use one of residual, rebalance"),
        ({"perspective": "bilateral"}, "use one of exporter, world"),
        ({"method": "kww", "perspective": "world"}, "belongs to the methods of Borin"),
        ({"method": "kww", "importer": "BBB"}, "belong to an exporter's total exports"),
        ({"exporter": "AAB"}, "no region or bloc 'AAB'"),
        ({"importer": ["AAA", "DDD"]}, "no region or bloc 'DDD'"),
    ],
)
def test_wrong_arguments_are_refused_with_what_to_do(arguments, message):
    with pytest.raises(UsageError, match=message):
        export_decomposition(table(), **arguments)


def test_a_region_that_makes_nothing_cannot_export():
    net = economy(FLOWS[:4, :4], FINAL[:4], regions=REGIONS[:4], sectors=SECTORS[:4], users=USERS)
    with pytest.raises(UsageError, match="'CCC' makes nothing"):
        export_decomposition(net, exporter="CCC")


def test_a_network_of_links_is_refused():
    with pytest.raises(UsageError, match="needs an economy"):
        export_decomposition(tiny())


def test_why_of_an_unknown_exporter_or_term_names_what_there_is():
    result = export_decomposition(table())
    with pytest.raises(UsageError, match="AAA, BBB, CCC"):
        result.why("AAC")
    with pytest.raises(UsageError, match="VAX1"):
        result.why("AAA", "VAX9")


# --- a year of the World Input-Output Database ------------------------------------------------


@pytest.fixture(scope="module")
def world(data_dir):
    """2011 with outputs that are the sums of the rows, as the other programs take them."""
    frame = pl.read_parquet(data_dir / "wiod2013" / "wiot_2011.parquet")
    cells = frame["cell"].to_list()
    users = [c for c in frame.columns if c.startswith("Y_")]
    region, sector = zip(*(c.replace(".", "_").split("_", 1) for c in cells), strict=True)
    return build_economy(
        frame.select(cells).to_numpy().astype(float),
        frame.select(users).to_numpy().astype(float),
        {"nodes": pl.DataFrame({"product": sector, "region": region})},
        pl.DataFrame({"region": [c[2:5] for c in users], "category": [c[6:] for c in users]}),
        Settings(name="world 2011", lens="economy", period="year"),
    )


@pytest.mark.slow
@pytest.mark.parametrize("method", METHODS)
def test_terms_of_the_world_table_are_those_of_other_programs(world, method):
    # decompr 6.4 and exvatools 0.9 on the same table; millions of dollars, stored to four digits
    # after the point. Exports of Germany alone are 1.7 million, so 1e-3 is nine digits.
    golden = pl.read_csv(DATA / "export_terms_wiod_2011.csv").filter(pl.col("method") == method)
    each = method == "wwz"
    result = export_decomposition(
        world, method=method, importer="each" if each else None, exporter="DEU" if each else None
    )
    both = golden.join(result.to_frame(), on=["exporter", "importer", "term"], suffix="_ours")
    assert both.height == golden.height > 0
    assert (both["value"] - both["value_ours"]).abs().max() < 1e-3


def test_sums_of_the_hand_made_table_are_whole():
    assert isinstance(three_by_two(), Economy)
    assert (FLOWS.sum(axis=1) + FINAL.sum(axis=1)).tolist() == [59, 54, 59, 79, 47, 56]
