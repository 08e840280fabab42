"""Tables with faults are refused with the place: what is missing, changed or broken is named."""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from pyarrow import parquet

import mrio_files as files
import withstand as ws
from withstand.model.findings import Finding

REGIONS = ["DEU", "USA"]


def findings_of(path: object, **how: object) -> list[Finding]:
    with pytest.raises(ws.DataError) as told:
        ws.read_mrio(path, **how)  # type: ignore[arg-type]
    return list(told.value.findings)


def only(path: object, **how: object) -> Finding:
    (found,) = findings_of(path, **how)
    return found


# --- files ---------------------------------------------------------------------------------------


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    assert only(tmp_path / "none.parquet").code == "E116"
    assert only("a\0b.csv").code == "E116"


@pytest.mark.parametrize("suffix", [".parquet", ".npz", ".csv", ".xlsx", ".xlsb", ".bin", ""])
def test_an_empty_file(tmp_path: Path, suffix: str) -> None:
    file = tmp_path / f"table{suffix}"
    file.touch()
    assert only(file).code == "E111"


@pytest.mark.parametrize("suffix", [".parquet", ".npz", ".csv", ".xlsx", ".xlsb", ".bin"])
@pytest.mark.parametrize("layout", [None, "withstand", "arrays", "oecd", "wiod", "niot", "bea",
                                    "pymrio"])  # fmt: skip
@pytest.mark.parametrize(
    "content",
    [b"\x00" * 100, b"PK\x03\x04" + b"x" * 99, b"PAR1" + b"y" * 99, b"\xff\xfea\x00b\x00,\x00",
     b"a,b\n1,2\n", "Größe;1\n".encode("latin-1"), b'"' + b"a" * 9999, b"\n\n\n"],
    ids=["zeros", "zip", "parquet", "utf-16", "another table", "latin-1", "quote", "blank"],
)  # fmt: skip
def test_what_is_no_table_is_refused_in_any_layout(
    tmp_path: Path, suffix: str, layout: str | None, content: bytes
) -> None:
    file = tmp_path / f"table_use_2011{suffix}"
    file.write_bytes(content)
    found = findings_of(file, layout=layout)
    assert all(f.severity == "error" and f.what and f.fix for f in found)
    assert {f.code for f in found} <= {
        "E101", "E102", "E103", "E105", "E106", "E111", "E112", "E113", "E114", "E115", "E116",
        "E117", "E120", "E121", "E125",
    }  # fmt: skip


def test_a_layout_that_nobody_knows(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("a\n")
    found = only(tmp_path / "t.csv", layout="oced")
    assert (found.code, found.suggestion) == ("E125", "oecd")


def test_an_archive_is_to_be_unpacked(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "ICIO-2016-2022.zip", "w") as archive:
        archive.writestr("2020_SML.csv", "V1\n")
    found = only(tmp_path / "ICIO-2016-2022.zip")
    assert found.code == "E125"
    assert "Unpack" in found.fix


def test_a_pipe_is_no_file(tmp_path: Path) -> None:
    if not hasattr(os, "mkfifo"):
        pytest.skip("no pipes here")
    os.mkfifo(tmp_path / "pipe.csv")
    assert only(tmp_path / "pipe.csv").code == "E116"


# --- years and countries -------------------------------------------------------------------------


def test_a_year_must_be_there_and_stand_once(tmp_path: Path) -> None:
    w = files.world(REGIONS, ["c1"], ["final"])
    for name in ("wiot_1995", "wiot_1996", "other_1996"):
        files.write_wide(w, tmp_path / f"{name}.parquet")
    assert only(tmp_path).code == "E126"
    assert "there is none of 2000" in only(tmp_path, year=2000).what
    assert "2 files of 1996" in only(tmp_path, year=1996).what
    with pytest.raises(ws.DataError, match="E126"):
        ws.read_mrio_years(tmp_path, [1995, 2000])
    with pytest.raises(ws.DataError, match="2 files of 1996"):
        ws.read_mrio_years(tmp_path)
    with pytest.raises(ws.DataError, match="a folder of yearly files is expected"):
        ws.read_mrio_years(tmp_path / "wiot_1995.parquet")


def test_a_folder_without_tables_and_a_project(tmp_path: Path) -> None:
    assert only(tmp_path).code == "E125"
    folder = ws.write_folder(ws.example("robot_maker"), tmp_path / "p")
    assert "read_folder" in only(folder).fix


def test_home_must_be_a_region(tmp_path: Path) -> None:
    w = files.world(REGIONS, ["c1"], ["final"])
    files.write_wide(w, tmp_path / "w.parquet")
    found = only(tmp_path / "w.parquet", home="DEI")
    assert (found.code, found.suggestion) == ("E207", "DEU")


def test_a_file_of_many_countries_wants_one_named(data_dir: Path) -> None:
    file = data_dir / "wiod2016_niot" / "niot_2014.parquet"
    found = only(file)
    assert found.code == "E126"
    assert "AUS, AUT, BEL" in found.what
    assert only(file, home="ESTT").suggestion == "EST"


# --- the wide layout -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "code", "column"),
    [
        (lambda f: f.drop("cell"), "E125", None),
        (lambda f: f.drop("USA_c2"), "E101", "USA_c2"),
        (lambda f: f.drop(c for c in f.columns if c.startswith("Y_")), "E101", "Y_"),
        (lambda f: f.with_columns(pl.lit(1.0).alias("total")), "E125", "total"),
        (lambda f: f.with_columns(pl.lit(1.0).alias("Y_FRA_final")), "E125", "Y_FRA_final"),
        (lambda f: f.with_columns(pl.lit("a").alias("DEU_c1")), "E103", "DEU_c1"),
        (lambda f: f.with_columns(pl.lit(None, pl.Float64).alias("x")), "E102", "x"),
        (lambda f: f.with_columns(pl.lit(float("nan")).alias("DEU_c1")), "E108", "DEU_c1"),
        (lambda f: f.with_columns(pl.lit(float("inf")).alias("va")), "E108", "va"),
        (lambda f: f.with_columns(pl.lit("DEU_c1").alias("cell")), "E106", "cell"),
        (lambda f: f.with_columns(pl.lit(None, pl.String).alias("cell")), "E102", "cell"),
        (lambda f: f.head(0), "E112", None),
        (lambda f: f.rename({"DEU_c1": "DEUc1"}).with_columns(
            pl.col("cell").replace("DEU_c1", "DEUc1")), "E125", "cell"),
    ],
    ids=["no cell", "no column of a row", "no final demand", "a stranger", "final demand of nobody",
         "text", "empty", "nan", "infinite", "row twice", "row without label", "no rows",
         "label without region"],
)  # fmt: skip
def test_a_changed_wide_table_is_refused_by_name(
    tmp_path: Path, change: Callable[[pl.DataFrame], pl.DataFrame], code: str, column: str | None
) -> None:
    w = files.world(REGIONS, ["c1", "c2"], ["final"])
    frame = files.write_wide(w, tmp_path / "w.parquet")
    change(frame).write_parquet(tmp_path / "w.parquet")
    found = findings_of(tmp_path / "w.parquet")[0]
    assert (found.code, found.column) == (code, column)


@pytest.mark.parametrize("keep", [0.1, 0.5, 0.9, 0.999])
def test_a_damaged_wide_table_is_refused(tmp_path: Path, keep: float) -> None:
    w = files.world(REGIONS, ["c1", "c2"], ["final"])
    files.write_wide(w, tmp_path / "w.parquet")
    data = (tmp_path / "w.parquet").read_bytes()
    (tmp_path / "w.parquet").write_bytes(data[: int(len(data) * keep)])
    assert only(tmp_path / "w.parquet").code == "E113"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"Z": np.ones((4, 3))}, "E123"),
        ({"Y": np.ones((3, 2))}, "E123"),
        ({"Y": np.ones((4, 5))}, "E123"),
        ({"region": np.array(["DEU"])}, "E123"),
        ({"x": np.ones(3)}, "E123"),
        ({"Z": np.full((4, 4), np.nan)}, "E103"),
        ({"sector": np.array([{}] * 4, dtype=object)}, "E113"),
    ],
    ids=["Z", "Y", "columns of Y", "labels", "x", "nan", "objects"],
)
def test_changed_arrays_are_refused(
    tmp_path: Path, change: dict[str, np.ndarray], code: str
) -> None:
    w = files.world(REGIONS, ["c1", "c2"], ["final"])
    arrays = {"Z": w.Z, "Y": w.Y, "region": np.array([c[0] for c in w.cells]),
              "sector": np.array([c[1] for c in w.cells]), **change}  # fmt: skip
    np.savez(tmp_path / "w.npz", **arrays)
    assert findings_of(tmp_path / "w.npz")[0].code == code
    del arrays["Z"]
    np.savez(tmp_path / "w.npz", **{k: v for k, v in arrays.items() if v.dtype != object})
    assert findings_of(tmp_path / "w.npz")[0].code == "E101"


# --- OECD ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "code", "column"),
    [
        (lambda f: f.filter(pl.col("V1") != "TLS"), "E101", "TLS"),
        (lambda f: f.filter(pl.col("V1") != "VA"), "E101", "VA"),
        (lambda f: f.drop("OUT"), "E101", "OUT"),
        (lambda f: f.drop("USA_B"), "E101", "USA_B"),
        (lambda f: f.drop("USA_INVNT"), "E101", "USA_INVNT"),
        (lambda f: f.rename({"USA_INVNT": "USA_STOCKS"}), "E125", "USA_STOCKS"),
        (lambda f: f.rename({"USA_B": "TOTAL"}), "E125", "TOTAL"),
        (lambda f: pl.concat([f, f.tail(1)]), "E106", "OUT"),
        (lambda f: f.with_columns(DEU_A=pl.lit("n.a.")), "E103", "DEU_A"),
    ],
    ids=["TLS", "VA", "OUT", "industry", "category", "new category", "renamed", "twice", "text"],
)  # fmt: skip
def test_a_changed_oecd_table_is_refused_by_name(
    tmp_path: Path, change: Callable[[pl.DataFrame], pl.DataFrame], code: str, column: str
) -> None:
    w = files.world(REGIONS, ["A", "B"], ["HFCE", "INVNT"])
    files.write_oecd(w, tmp_path / "2020_SML.csv")
    change(pl.read_csv(tmp_path / "2020_SML.csv")).write_csv(tmp_path / "2020_SML.csv")
    found = findings_of(tmp_path / "2020_SML.csv")
    assert (code, column) in {(f.code, f.column) for f in found}
    assert all(f.file == "2020_SML.csv" for f in found)


def test_a_bad_cell_of_a_text_table_is_found_at_its_place(tmp_path: Path) -> None:
    w = files.world(REGIONS, ["A", "B"], ["HFCE", "INVNT"])
    files.write_oecd(w, tmp_path / "2020.csv")
    lines = (tmp_path / "2020.csv").read_text().splitlines()
    cells = lines[3].split(",")
    cells[2] = "12 000"
    lines[3] = ",".join(cells)
    (tmp_path / "2020.csv").write_text("\n".join(lines))
    found = only(tmp_path / "2020.csv")
    assert (found.code, found.row, found.column, found.value) == ("E103", 4, "DEU_B", "12 000")


# --- WIOD ----------------------------------------------------------------------------------------


def _cell(i: int, j: int, value: object) -> Callable[[list[list]], None]:
    def change(rows: list[list]) -> None:
        rows[i][j] = value

    return change


@pytest.mark.parametrize(
    ("change", "code", "says"),
    [
        (_cell(5, 4, "c9"), "E125", "c1"),
        (_cell(5, 5, "c9"), "E101", "column 2 of the numbers must be AUS c2"),
        (_cell(5, 8, "c40"), "E125", "AUS c40"),
        (_cell(5, 8, "c38"), "E101", "AUS c37"),
        (_cell(7, 3, "c1"), "E106", "AUS c1 stands twice"),
        (_cell(8, 4, "n.a."), "E103", "no number"),
        (lambda rows: rows.pop(-1), "E101", "outputatbasicprices"),
        (lambda rows: rows.pop(-3), "E101", "valueaddedatbasicprices"),
    ],
    ids=["no headers", "other column", "new category", "no category", "row twice", "text",
         "no output", "no value added"],
)  # fmt: skip
def test_a_changed_wiod_table_is_refused_by_name(
    tmp_path: Path, change: Callable[[list[list]], None], code: str, says: str
) -> None:
    w = files.world(["AUS", "USA"], files.SECTORS[2013], files.WIOD_CATEGORIES)
    rows = files.wiod_rows(w, 2013, 2011)
    change(rows)
    files.write_xlsx(rows, tmp_path / "wiot11_row.xlsx", "WIOT_2011")
    found = findings_of(tmp_path / "wiot11_row.xlsx")
    assert any(f.code == code and says in f.what for f in found), found


def test_a_workbook_cut_off_is_refused(tmp_path: Path) -> None:
    w = files.world(["AUS", "USA"], files.SECTORS[2013], files.WIOD_CATEGORIES)
    for suffix, write in ((".xlsx", files.write_xlsx), (".xlsb", files.write_xlsb)):
        file = tmp_path / f"wiot11{suffix}"
        write(files.wiod_rows(w, 2013, 2011), file, "WIOT_2011")
        file.write_bytes(file.read_bytes()[:-300])
        assert only(file).code == "E113"


# --- pymrio --------------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    w = files.world(["reg1", "reg2"], ["food", "mining"], ["households", "stocks"])
    files.write_pymrio(w, tmp_path / "io", "txt")
    return tmp_path / "io"


def _named(folder: Path, what: str, key: str, value: object) -> None:
    file = folder / "file_parameters.json"
    facts = json.loads(file.read_text())
    facts["files"][what][key] = value
    file.write_text(json.dumps(facts))


@pytest.mark.parametrize("name", ["../Z.txt", "/etc/hostname", "a/../../Z.txt", "Z\0.txt"])
def test_file_names_do_not_lead_out_of_a_folder(folder: Path, name: str) -> None:
    (folder.parent / "Z.txt").write_bytes((folder / "Z.txt").read_bytes())
    _named(folder, "Z", "name", name)
    assert only(folder).code == "E121"


def test_a_link_out_of_the_folder_is_refused(folder: Path) -> None:
    (folder.parent / "Z.txt").write_bytes((folder / "Z.txt").read_bytes())
    (folder / "Z.txt").unlink()
    (folder / "Z.txt").symlink_to(folder.parent / "Z.txt")
    assert only(folder).code == "E121"


def test_pickle_is_not_read(folder: Path) -> None:
    _named(folder, "Z", "name", "Z.pkl")
    found = only(folder)
    assert found.code == "E125"
    assert "table_format" in found.fix


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"files": []}', "[" * 100_000])
def test_broken_parameters_are_refused(folder: Path, content: str) -> None:
    (folder / "file_parameters.json").write_text(content)
    assert only(folder).code in {"E101", "E113", "E125"}


def _lines(name: str, change: Callable[[list[str]], list[str]]) -> Callable[[Path], None]:
    def act(folder: Path) -> None:
        lines = (folder / name).read_text().splitlines()
        (folder / name).write_text("\n".join(change(lines)) + "\n")

    return act


@pytest.mark.parametrize(
    ("act", "code"),
    [
        (lambda f: (f / "Y.txt").unlink(), "E116"),
        (lambda f: _named(f, "Z", "nr_header", "x"), "E125"),
        (lambda f: _named(f, "Z", "nr_index_col", "99"), "E125"),
        (_lines("Z.txt", lambda x: x[:-1]), "E123"),
        (_lines("Z.txt", lambda x: [*x[:3], x[4], x[3], *x[5:]]), "E123"),
        (_lines("Y.txt", lambda x: x[:-1]), "E123"),
        (_lines("x.txt", lambda x: x[:-1]), "E101"),
        (_lines("Z.txt", lambda x: [*x[:3], x[3].replace("food", "mining"), *x[4:]]), "E123"),
        (_lines("Z.txt", lambda x: [*x[:4], x[4] + "\t1", *x[5:]]), "E117"),
        (_lines("Z.txt", lambda x: [*x[:4], "\t".join([*x[4].split("\t")[:3], "a,b"]), *x[5:]]),
         "E103"),
        (_lines("employment/F.txt", lambda x: [x[0].replace("reg2", "reg3"), *x[1:]]), "E123"),
    ],
    ids=["no Y", "header", "index", "row of Z", "order", "row of Y", "row of x", "row twice",
         "too long", "text", "extension"],
)  # fmt: skip
def test_changed_folders_are_refused(folder: Path, act: Callable[[Path], None], code: str) -> None:
    act(folder)
    assert {f.code for f in findings_of(folder)} == {code}


# --- accounts and ratings ------------------------------------------------------------------------


def test_accounts_must_name_the_year_and_the_nodes(tmp_path: Path) -> None:
    w = files.world(["DEU", "USA"], ["A01", "B"], ["final"])
    files.write_wide(w, tmp_path / "w_2014.parquet")
    table, accounts = tmp_path / "w_2014.parquet", tmp_path / "accounts.csv"
    accounts.write_text("country,code,year,EMP,VA\nDE,A01,2014,7,1\nUS,Z,2014,1,1\n")
    network = ws.read_mrio(table, accounts=accounts)
    assert network.tables["extensions"].rows() == [
        ("A01@DEU", "employment", 7.0, "thousand persons")
    ]
    assert only(table, accounts=accounts, year=2013).code == "E126"
    accounts.write_text("country,code,year,EMP\nDE,Z,2014,7\n")
    assert only(table, accounts=accounts).code == "E104"
    accounts.write_text("country,code,EMP\nDE,Z,7\n")
    assert only(table, accounts=accounts).column == "year"
    accounts.write_text("country,code,year,EMP\nDE,A01,2014,7\nDEU,A01,2014,8\n")
    assert only(table, accounts=accounts).code == "E106"


@pytest.mark.parametrize(
    ("text", "code"),
    [(",a,b\na,1,2\nb,0,0\n", "E109"), (",a,b\na,1,x\n", "E109"), (",a\na,1\na,0\n", "E106"),
     (",a\n,1\n", "E106"), ("a\n1\n", "E125"), ("", "E111")],
    ids=["rating", "text", "twice", "no label", "no matrix", "empty"],
)  # fmt: skip
def test_ratings_that_are_none_are_refused(tmp_path: Path, text: str, code: str) -> None:
    (tmp_path / "ratings.csv").write_text(text)
    with pytest.raises(ws.DataError) as told:
        ws.read_criticality(tmp_path / "ratings.csv")
    assert told.value.findings[0].code == code


def test_ratings_of_industries_are_classes(data_dir: Path) -> None:
    file = data_dir / "pichler" / "IHS_Markit_results_compact.csv"
    classes = ws.read_criticality(file)
    assert classes.height == 55 * 54 - file.read_text().count("NA")
    known = {row[:2]: row[2] for row in classes.iter_rows()}
    assert known["A01", "C10-C12"] == "essential"  # farm goods for food
    assert known["A02", "C17"] == "important"
    table = data_dir / "wiod2016_niot" / "niot_2014.parquet"
    network = ws.read_mrio(table, home="DEU").with_changes({"classes": classes})
    assert [f.count for f in network.findings if f.code == "W211"] == [11]  # not rated
    food = network.index("nodes")["C10-C12@DEU"]
    farm = network.index("products")["A01"]
    mine = (network.input_buyer == food) & (network.input_product == farm)
    assert network.input_class[mine].tolist() == [2]


# --- projects ------------------------------------------------------------------------------------


def test_flows_and_nodes_of_a_project_must_agree(tmp_path: Path) -> None:
    w = files.world(["DEU", "USA"], ["A01", "B"], ["final"])
    files.write_wide(w, tmp_path / "w.parquet")
    folder = ws.write_folder(ws.read_mrio(tmp_path / "w.parquet"), tmp_path / "p")
    nodes = folder / "tables" / "nodes.csv"
    text = nodes.read_text()
    nodes.write_text(text.replace("B@USA", "C@USA"))
    with pytest.raises(ws.DataError) as told:
        ws.read_folder(folder)
    assert {f.code for f in told.value.findings} == {"E104", "E123"}
    nodes.write_text(text)
    flows = folder / "tables" / "flows.parquet"
    flows.write_bytes(flows.read_bytes()[:-9])
    with pytest.raises(ws.DataError, match="E113"):
        ws.read_folder(folder)
    files.write_wide(w, flows)  # a table without the labels of a project
    with pytest.raises(ws.DataError, match="E125"):
        ws.read_folder(folder)


def test_a_negative_flow_in_a_project_is_refused(tmp_path: Path) -> None:
    w = files.world(["DEU", "USA"], ["A01", "B"], ["final"])
    files.write_wide(w, tmp_path / "w.parquet")
    folder = ws.write_folder(ws.read_mrio(tmp_path / "w.parquet"), tmp_path / "p")
    flows = folder / "tables" / "flows.parquet"
    table = parquet.read_table(flows)
    frame = pl.from_arrow(table).with_columns(DEU_A01=-pl.col("DEU_A01"))
    parquet.write_table(frame.to_arrow().cast(table.schema), flows)
    with pytest.raises(ws.DataError) as told:
        ws.read_folder(folder)
    (found,) = told.value.findings
    assert (found.code, found.file) == ("E124", "flows.parquet")
