"""Every layout of a world table reads to the same economy as the numbers it was written from."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import mrio_files as files
import withstand as ws
from withstand.errors import UsageError
from withstand.model.economy import residuals
from withstand.model.network import ProductionNetwork
from withstand.readers.mrio import LAYOUTS

OECD = (["DEU", "USA", "ROW"], ["A01_02", "B05"], ["HFCE", "NPISH", "GGFC", "GFCF", "INVNT"])


def assert_is(
    network: ProductionNetwork, w: files.World, products: list[str] | None = None
) -> None:
    table = network.flow_table
    made = products or w.sectors
    assert network.node_labels.tolist() == [f"{p}@{r}" for r in w.regions for p in made]
    np.testing.assert_allclose(table.flows, w.Z, rtol=1e-14, atol=0)
    np.testing.assert_allclose(table.final, w.Y, rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(network.output, w.x, rtol=1e-13)
    np.testing.assert_allclose(network.value_added, w.va + w.taxes, rtol=1e-11)
    columns = zip(network.region_labels[table.final_region], table.final_category, strict=True)
    assert [tuple(map(str, c)) for c in columns] == w.final
    assert network.settings.lens == "economy"
    assert {f.code for f in network.findings} <= {"N204", "N208"}
    assert not residuals(network)["is_beyond"].any()


@pytest.mark.parametrize("last", ["DPABR", "NONRES"], ids=["2023", "2025"])
def test_oecd_tables_are_read(tmp_path: Path, last: str) -> None:
    regions, sectors, categories = OECD
    w = files.world(regions, sectors, [*categories, last])
    files.write_oecd(w, tmp_path / "2020_SML.csv")
    network = ws.read_mrio(tmp_path / "2020_SML.csv")
    assert_is(network, w)
    assert network.region_names.tolist() == ["Germany", "United States", "Rest of the world"]
    taxes = network.tables["extensions"].filter(pl.col("name").str.starts_with("taxes"))
    np.testing.assert_allclose(taxes["value"], w.taxes)


def test_parts_of_china_stay_apart_and_can_be_added(tmp_path: Path) -> None:
    w = files.world(["CHN", "CN1", "CN2"], ["A", "B"], ["HFCE", "INVNT"])
    keep = [k for k, (r, _) in enumerate(w.final) if r == "CHN"]
    files.write_oecd(w, tmp_path / "all.csv")
    frame = pl.read_csv(tmp_path / "all.csv").drop(
        f"{r}_{c}" for k, (r, c) in enumerate(w.final) if k not in keep
    )
    frame.write_csv(tmp_path / "extended_2019.csv")
    network = ws.read_mrio(tmp_path / "extended_2019.csv")
    assert network.region_labels.tolist() == ["CHN", "CN1", "CN2"]
    merged = ws.aggregate(network, regions={"CN1": "CHN", "CN2": "CHN"})
    assert merged.node_labels.tolist() == ["A@CHN", "B@CHN"]
    np.testing.assert_allclose(merged.flow_table.flows.sum(), w.Z.sum())
    said = dict(network.tables["sources"].select("source", "statement").iter_rows())
    assert "'CN1': 'CHN'" in said["parts of countries"]


@pytest.mark.parametrize("release", [2013, 2016])
@pytest.mark.parametrize("form", ["xlsx", "xlsb", "csv", "R"])
def test_wiod_tables_are_read(tmp_path: Path, release: int, form: str) -> None:
    if (release, form) == (2013, "R"):
        pytest.skip("the R release is of 2016")
    regions = ["AUS", "ROM", "RoW"] if release == 2013 else ["AUS", "ROU", "ROW"]
    w = files.world(regions, files.SECTORS[release], files.WIOD_CATEGORIES, seed=release)
    file = tmp_path / f"WIOT2011_Nov16_ROW.{'csv' if form == 'R' else form}"
    rows = files.wiod_rows(w, release, 2011)
    if form == "R":
        files.write_r_release(w, file, 2011)
    elif form == "csv":
        files.write_csv(rows, file)
    elif form == "xlsb":
        files.write_xlsb(rows, file, "2011")
    else:
        files.write_xlsx(rows, file, "2011")
    network = ws.read_mrio(file, home="ROU")
    assert_is(network, w, ["c1", "c2"] if release == 2013 else None)
    assert network.settings.home == regions[1]  # another code of the same country is understood
    names = ["Agriculture", "Mining and Quarrying"]
    assert [name.split(" (")[0] for name in network.product_names] == names
    blocs = dict(network.tables["regions"].select("region", "bloc").iter_rows())
    assert blocs == {"AUS": "OECD", regions[1]: "EU", regions[2]: None}  # as of 2011


@pytest.mark.parametrize("form", ["txt", "parquet"])
def test_folders_of_pymrio_are_read(tmp_path: Path, form: str) -> None:
    w = files.world(["reg1", "reg2"], ["food, raw", "a.b"], ["households", "stocks"])
    files.write_pymrio(w, tmp_path / "io", form)
    network = ws.read_mrio(tmp_path / "io")
    assert_is(network, w)
    assert (network.name, network.settings.currency) == ("tiny", "Mill USD")
    jobs = network.tables["extensions"]
    assert jobs.select("name", "value", "unit").rows()[:2] == [
        ("jobs", 1.0, "1000 p"), ("jobs", 2.0, "1000 p")
    ]  # fmt: skip
    assert jobs["node"].to_list() == network.node_labels.tolist()


def test_a_folder_of_pymrio_without_x_sells_what_its_rows_say(tmp_path: Path) -> None:
    import json

    w = files.world(["reg1", "reg2"], ["food", "mining"], ["households", "stocks"])
    files.write_pymrio(w, tmp_path / "io", "txt")
    named = tmp_path / "io" / "file_parameters.json"
    facts = json.loads(named.read_text())
    del facts["files"]["x"], facts["files"]["unit"]
    named.write_text(json.dumps(facts))
    network = ws.read_mrio(tmp_path / "io", layout="pymrio")
    np.testing.assert_allclose(network.output, w.x, rtol=1e-13)
    assert network.settings.currency == ""


def test_the_wide_layout_of_others_is_read(tmp_path: Path) -> None:
    w = files.world(["DEU", "ROM"], ["c1", "c2"], ["CONS_h", "INVEN"])
    frame = files.write_wide(w, tmp_path / "wiot_1995.parquet")
    (tmp_path / "sectors.csv").write_text("code,name\nc1,Agriculture\nc2,Mining\n")
    network = ws.read_mrio(tmp_path / "wiot_1995.parquet")
    assert_is(network, w)
    assert network.product_names.tolist() == ["Agriculture", "Mining"]
    shuffled = frame.select(reversed(frame.columns))  # columns are found by name, not by place
    shuffled.write_parquet(tmp_path / "other.parquet", row_group_size=2)
    again = ws.read_mrio(tmp_path / "other.parquet")
    np.testing.assert_array_equal(again.flow_table.flows, network.flow_table.flows)


def test_output_comes_from_the_file_and_not_from_the_row(tmp_path: Path) -> None:
    w = files.world(["DEU", "FRA"], ["c1"], ["CONS_h"])
    stated = w.x + 7.0
    files.write_wide(w, tmp_path / "w.parquet", x=stated)
    network = ws.read_mrio(tmp_path / "w.parquet")
    np.testing.assert_array_equal(network.output, stated)
    (found,) = [f for f in network.findings if f.code == "W213"]
    assert found.count == 2
    gaps = residuals(network)
    np.testing.assert_allclose(gaps["sales_gap"], [-7.0, -7.0])
    assert gaps["is_beyond"].all()


def test_gaps_that_rounding_explains_are_no_finding(tmp_path: Path) -> None:
    w = files.world(["DEU", "FRA", "USA"], ["c1", "c2", "c3"], ["CONS_h", "INVEN"])
    w.Z, w.Y = np.rint(10 * w.Z), np.rint(10 * w.Y)
    w.x = w.Z.sum(axis=1) + w.Y.sum(axis=1)
    terms = w.Z.shape[1] + w.Y.shape[1] + 1
    for error, is_told in ((terms // 2 - 1, False), (terms // 2 + 2, True)):
        x = w.x + np.r_[error, np.zeros(8)]
        files.write_wide(w, tmp_path / "w.parquet", x=x, va=x - w.Z.sum(axis=0))
        network = ws.read_mrio(tmp_path / "w.parquet")
        assert network.flow_table.tolerance == terms / 2
        assert any(f.code == "W213" for f in network.findings) == is_told


def test_negative_flows_move_to_final_demand_and_both_sides_still_balance(tmp_path: Path) -> None:
    w = files.world(["DEU", "FRA"], ["c1", "c2"], ["CONS_h", "INVEN"])
    w.Z[0, 1], w.Z[3, 0] = -4.0, -2.0
    w.x = w.Z.sum(axis=1) + w.Y.sum(axis=1)
    w.va = w.x - w.Z.sum(axis=0) - w.taxes
    files.write_wide(w, tmp_path / "w.parquet")
    network = ws.read_mrio(tmp_path / "w.parquet")
    table = network.flow_table
    assert table.flows.min() == 0.0
    assert table.final_category[-1] == "negative_flows"
    assert table.final[:, -1].tolist() == [-4.0, 0.0, 0.0, -2.0]
    np.testing.assert_allclose(table.flows.sum(axis=1) + table.final.sum(axis=1), w.x)
    less = [-2.0, -4.0, 0.0, 0.0]
    np.testing.assert_allclose(network.value_added, w.va + w.taxes + less)
    gaps = residuals(network)
    np.testing.assert_allclose(gaps.select("sales_gap", "cost_gap").to_numpy(), 0.0, atol=1e-9)
    (found,) = [f for f in network.findings if f.code == "N207"]
    assert found.count == 2
    assert "-4 from c1@DEU to c2@DEU" in found.what


def test_arrays_are_read(tmp_path: Path) -> None:
    w = files.world(["DEU", "FRA"], ["c1", "c2"], ["final"])
    region, sector = ([c[k] for c in w.cells] for k in (0, 1))
    np.savez(tmp_path / "w.npz", Z=w.Z, Y=w.Y, region=region, sector=sector, x=w.x,
             va=w.va + w.taxes)  # fmt: skip
    assert_is(ws.read_mrio(tmp_path / "w.npz"), w)


# --- our own files -------------------------------------------------------------------------------

LABELS = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc", "Cf", "Zl", "Zp")),
                 min_size=1, max_size=8).filter(
    lambda x: x.strip() == x and not x.startswith(tuple("=+-@'")) and "<" not in x and x != "*"
)  # fmt: skip


@settings(max_examples=30)
@given(
    regions=st.lists(LABELS, min_size=1, max_size=3, unique=True),
    sectors=st.lists(LABELS, min_size=1, max_size=3, unique=True),
    seed=st.integers(0, 99),
)
def test_what_is_written_reads_back_the_same(
    tmp_path_factory: pytest.TempPathFactory, regions: list[str], sectors: list[str], seed: int
) -> None:
    place = tmp_path_factory.mktemp("mrio")
    w = files.world(regions, sectors, ["a_b", "Y_"], seed)
    try:
        np.savez(place / "w.npz", Z=w.Z, Y=w.Y, region=[c[0] for c in w.cells],
                 sector=[c[1] for c in w.cells], final_region=[c[0] for c in w.final],
                 category=[c[1] for c in w.final])  # fmt: skip
        network = ws.read_mrio(place / "w.npz", blocs=())
    except ws.DataError:
        return  # two pairs of labels that make one, or text that is refused
    again = ws.read_mrio(ws.write_mrio(network, place / "w.parquet"), blocs=())
    assert again.fingerprint() == network.fingerprint()
    np.testing.assert_array_equal(again.flow_table.final, network.flow_table.final)
    assert again.flow_table.final_category.tolist() == network.flow_table.final_category.tolist()


def test_only_economies_are_written_and_only_as_parquet(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="Only economies"):
        ws.write_mrio(ws.example("robot_maker"), tmp_path / "x.parquet")
    w = files.world(["DEU"], ["c1"], ["final"])
    files.write_wide(w, tmp_path / "w.parquet")
    network = ws.read_mrio(tmp_path / "w.parquet")
    with pytest.raises(UsageError, match=r"end its name in \.parquet"):
        ws.write_mrio(network, tmp_path / "w.csv")
    with pytest.raises(UsageError, match="cannot be written"):
        ws.write_mrio(network, tmp_path / "nowhere" / "w.parquet")


@pytest.mark.parametrize("form", ["csv", "parquet", "xlsx"])
def test_a_project_of_an_economy_reads_back_the_same(tmp_path: Path, form: str) -> None:
    w = files.world(["reg1", "reg2"], ["food", "mining"], ["households", "stocks"])
    files.write_pymrio(w, tmp_path / "io", "txt")
    network = ws.read_mrio(tmp_path / "io", home="reg1").with_changes(
        {"stocks": pl.DataFrame({"node": ["*"], "product": ["food"], "periods_of_use": [0.5]})}
    )
    folder = ws.write_folder(network, tmp_path / "p", format=form)
    again = ws.read_folder(folder)
    assert again.fingerprint() == network.fingerprint()
    assert again.flow_table.tolerance == network.flow_table.tolerance
    assert again.tables["extensions"].height == 4
    np.testing.assert_array_equal(again.input_stock, network.input_stock)
    # a network of links in its place leaves no flows behind
    ws.write_folder(ws.example("robot_maker"), folder, format=form)
    assert ws.read_folder(folder).flow_table is None


def test_nodes_of_a_project_may_stand_in_any_order(tmp_path: Path) -> None:
    w = files.world(["DEU", "FRA"], ["c1", "c2"], ["final"])
    files.write_wide(w, tmp_path / "w.parquet")
    network = ws.read_mrio(tmp_path / "w.parquet")
    folder = ws.write_folder(network, tmp_path / "p", format="parquet")
    nodes = folder / "tables" / "nodes.parquet"
    pl.read_parquet(nodes).reverse().write_parquet(nodes)
    again = ws.read_folder(folder)
    assert again.node_labels.tolist() == network.node_labels.tolist()[::-1]
    np.testing.assert_array_equal(again.flow_table.flows, network.flow_table.flows[::-1, ::-1])
    assert again.fingerprint() == network.fingerprint()


# --- years ---------------------------------------------------------------------------------------


def test_years_of_a_folder_are_read_when_asked_for(tmp_path: Path) -> None:
    for year in (1995, 1996, 2011):
        w = files.world(["DEU", "FRA"], ["c1"], ["final"], seed=year)
        files.write_wide(w, tmp_path / f"wiot_{year}.parquet")
    (tmp_path / "notes.txt").write_text("from 1995 on")
    (tmp_path / "wiot_1996.parquet").write_bytes(b"broken")
    tables = ws.read_mrio_years(tmp_path, home="DEU")
    assert list(tables) == [1995, 1996, 2011]
    assert tables[2011].output.sum() != tables[1995].output.sum()
    with pytest.raises(ws.DataError, match="E113"):
        tables[1996]
    one = ws.read_mrio(tmp_path, year=2011, home="DEU")
    assert one.fingerprint() == tables[2011].fingerprint()
    assert list(ws.read_mrio_years(tmp_path, [2011, 1995])) == [2011, 1995]


# --- real tables ---------------------------------------------------------------------------------


def test_the_published_totals_of_wiod_2013_are_met(data_dir: Path) -> None:
    network = ws.read_mrio(data_dir / "wiod2013" / "wiot_2011.parquet", home="DEU")
    stated = pl.read_csv(data_dir / "wiod2013" / "balance.csv").filter(pl.col("year") == 2011)
    assert network.output.sum() == stated["x"][0]
    assert network.flow_table.flows.sum() == stated["Z"][0]
    assert network.final_demand.sum() == stated["Y"][0]
    assert network.value_added.sum() == stated["VA"][0]
    assert (network.flow_table.final < 0).sum() == stated["neg_Y"][0]
    assert residuals(network)["sales_gap"].abs().max() == stated["max_abs_row_gap"][0]
    assert {f.code for f in network.findings} == {"N204", "N208"}
    (empty,) = [f for f in network.findings if f.code == "N208"]
    assert empty.count == stated["zero_x"][0]


def test_a_national_table_has_its_imports_in_one_region(data_dir: Path) -> None:
    file = data_dir / "wiod2016_niot" / "niot_2014.parquet"
    accounts = data_dir / "wiod2016_sea" / "sea_6countries_2000_2014.parquet"
    network = ws.read_mrio(file, home="DEU", accounts=accounts)
    frame = pl.read_parquet(file).filter(pl.col("country") == "DEU")
    assert network.region_labels.tolist() == ["DEU", "ROW"]
    at_home = network.node_region == 0
    totals = frame.filter(pl.col("Code") == "GO", pl.col("Origin") == "TOT")
    np.testing.assert_array_equal(
        network.output[at_home], totals.select(frame.columns[5:61]).to_numpy()[0]
    )
    table = network.flow_table
    assert table.flows[:, ~at_home].sum() == 0.0  # what they buy is not known
    imports = frame.filter(pl.col("Origin") == "Imports").select(frame.columns[5:67])
    np.testing.assert_allclose(network.output[~at_home].sum(), imports.to_numpy().sum())
    np.testing.assert_array_equal(network.value_added[~at_home], network.output[~at_home])
    assert not residuals(network)["is_beyond"].any()
    people = network.tables["extensions"].filter(pl.col("name") == "employment")
    assert round(people["value"].sum()) == 42_706
    codes = {f.code for f in network.findings}
    assert codes == {"N204", "N208", "N210"}


def test_a_national_table_that_does_not_close_says_so(data_dir: Path) -> None:
    network = ws.read_mrio(data_dir / "wiod2016_niot" / "niot_2014.parquet", home="RO")
    (found,) = [f for f in network.findings if f.code == "W213"]
    assert found.value == "R_S@ROU"
    worst = residuals(network).row(0, named=True)
    assert worst["cost_gap"] == pytest.approx(3853, abs=1)  # as the README of the data says


@pytest.mark.parametrize(("name", "n", "gdp"), [("detail2017", 402, 19_612_107),
                                                 ("summary2023", 71, 27_720_703)])  # fmt: skip
def test_make_and_use_tables_become_industry_by_industry(
    data_dir: Path, name: str, n: int, gdp: float
) -> None:
    network = ws.read_mrio(data_dir / "bea" / f"{name}_use.parquet")
    at_home = network.region_labels[network.node_region] == "USA"
    assert at_home.sum() == n
    assert not residuals(network)["is_beyond"].any()
    # value added less what was moved of negative flows is the published gross domestic product
    moved = network.flow_table.final[:, network.flow_table.final_category == "negative_flows"]
    assert network.value_added[at_home].sum() - moved.sum() == pytest.approx(gdp, abs=15)
    # final demand at home less imports is the same from the other side
    final = network.final_demand[at_home].sum()
    imports = network.flow_table.flows[~at_home].sum()
    assert final - imports == pytest.approx(gdp, rel=2e-4)
    assert {"N209", "N210", "W218"} <= {f.code for f in network.findings}
    said = dict(network.tables["sources"].select("source", "statement").iter_rows())
    assert "fixed product sales" in said["assumption"]


def test_every_layout_has_a_name_and_a_title() -> None:
    assert all(name == layout.name and layout.title for name, layout in LAYOUTS.items())


def test_without_a_table_of_imports_home_and_foreign_products_stay_together(data_dir: Path) -> None:
    network = ws.read_mrio(data_dir / "bea" / "detail2012_use_beforeredef.parquet")
    assert not residuals(network)["is_beyond"].any()
    assert "imports" in network.flow_table.final_category
    abroad = network.region_labels[network.node_region] == "ROW"
    made_nowhere = network.product_labels[network.node_product[abroad]]
    assert "S00300" in made_nowhere  # noncomparable imports: no industry makes them
    said = [f.what for f in network.findings if f.code == "N209"]
    assert any("no table of imports" in what for what in said)
