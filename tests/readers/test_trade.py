"""Trade flows are read from every layout into the same cube, and each trap has its finding."""

from __future__ import annotations

import gzip
from pathlib import Path

import polars as pl
import pytest

from withstand.errors import DataError, UsageError
from withstand.model.trade_cube import TradeCube
from withstand.readers.trade import read_trade

FLOWS = [  # year, exporter, importer, product, value, quantity
    (2019, "CN", "DE", "010111", 9.0, 1.5),
    (2019, "US", "DE", "010111", 1.0, None),
    (2019, "DE", "FR", "280530", 2.0, 0.25),
    (2020, "CN", "FR", "280530", 4.0, 3.0),
]
NUMBERS = {"CN": 156, "DE": 276, "US": 842, "FR": 251}


def flows(rows: list[tuple] = FLOWS) -> pl.DataFrame:
    columns = ["year", "exporter", "importer", "product", "value", "quantity"]
    return pl.DataFrame(rows, schema=columns, orient="row")


def baci_text(rows: list[tuple] = FLOWS) -> str:
    lines = ["t,i,j,k,v,q"]
    for year, exporter, importer, product, value, quantity in rows:
        amount = "          NA" if quantity is None else f"{quantity:12.3f}"
        codes = f"{NUMBERS.get(exporter, exporter)},{NUMBERS.get(importer, importer)}"
        lines.append(f"{year},{codes},{product},{value:12.3f},{amount}")
    return "\n".join(lines) + "\n"


def codes(cube: TradeCube) -> list[str]:
    return [f.code for f in cube.findings]


def rows_of(cube: TradeCube) -> list[tuple]:
    return cube.to_frame().drop("vintage").rows()


def expected() -> list[tuple]:
    return sorted(
        [(y, e, i, p, v, q) for y, e, i, p, v, q in FLOWS], key=lambda r: (r[0], r[3], r[1], r[2])
    )


def test_a_frame_a_baci_file_and_parquet_give_the_same_cube(tmp_path: Path) -> None:
    text = tmp_path / "BACI_HS92_Y2019.csv"
    text.write_text(baci_text())
    flows().write_parquet(tmp_path / "flows_hs92.parquet")
    from_frame = read_trade(flows(), vintage="HS92", value_unit="thousand USD",
                            quantity_unit="tonnes")  # fmt: skip
    from_text = read_trade(text)
    from_parquet = read_trade(tmp_path / "flows_hs92.parquet", value_unit="thousand USD",
                              quantity_unit="tonnes")  # fmt: skip
    for cube in (from_frame, from_text, from_parquet):
        assert rows_of(cube) == expected()
        assert cube.vintage == "HS92"
        assert cube.fingerprint() == from_frame.fingerprint()
    assert (from_text.value_unit, from_text.quantity_unit) == ("thousand USD", "tonnes")
    assert from_text.years == (2019, 2020)
    assert from_text.regions == ("CN", "DE", "FR", "US")
    assert from_text.products == ("010111", "280530")
    assert "4 flows, 2019-2020, 2 products (HS92), 4 regions" in repr(from_text)


def test_the_fingerprint_does_not_depend_on_the_order_of_rows_but_on_every_value() -> None:
    cube = read_trade(flows(), vintage="HS92")
    assert read_trade(flows(FLOWS[::-1]), vintage="HS92").fingerprint() == cube.fingerprint()
    changed = [*FLOWS[:3], (2020, "CN", "FR", "280530", 4.0, 3.5)]
    assert read_trade(flows(changed), vintage="HS92").fingerprint() != cube.fingerprint()
    assert cube.provenance.to_dict()["fingerprint"] == cube.fingerprint()


def test_files_on_disk_answer_as_rows_in_memory_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_memory = read_trade(flows(), vintage="HS92")
    monkeypatch.setattr("withstand.readers.trade.FEW", 2)
    for year in (2019, 2020):
        part = [row for row in FLOWS if row[0] == year]
        packed = gzip.compress(baci_text(part).encode())
        (tmp_path / f"BACI_HS92_Y{year}.csv.gz").write_bytes(packed)
    (tmp_path / "country_codes_V1.csv").write_text("country_code,country_iso2\n156,CN\n")
    on_disk = read_trade(tmp_path)
    assert on_disk.rows.table is None
    assert len(on_disk.rows.files) == 2
    assert rows_of(on_disk) == rows_of(in_memory)
    assert on_disk.imports_of("EU27").equals(in_memory.imports_of("EU27"))
    assert rows_of(read_trade(tmp_path / "BACI_HS92_Y*.csv.gz")) == expected()
    folder = on_disk.rows.files[0].parent
    del on_disk
    assert not folder.exists()  # the temporary files go with the cube


def test_comtrade_counts_one_side_and_no_row_twice(tmp_path: Path) -> None:
    header = "refYear,reporterISO,partnerISO,partner2Code,flowCode,classificationCode,cmdCode,"
    header += "motCode,customsCode,primaryValue,netWgt"
    lines = [
        header,
        "2022,DEU,CHN,0,M,H6,280530,0,C00,900,30",
        "2022,DEU,CHN,0,M,H6,2805,0,C00,900,30",  # the heading above it
        "2022,DEU,CHN,0,M,H6,280530,1000,C00,500,10",  # by mode of transport
        "2022,DEU,W00,0,M,H6,280530,0,C00,950,31",  # the world
        "2022,CHN,DEU,0,X,H6,280530,0,C00,800,30",  # the other side
        "2022,DEU,DEU,0,M,H6,280530,0,C00,7,1",  # goods that came back
        "2022,DEU,CHN,0,RM,H6,280530,0,C00,3,1",  # re-imports
        "2022,DEU,USA,0,M,H6,TOTAL,0,C00,5000,",
    ]
    file = tmp_path / "comtrade.csv"
    file.write_text("\n".join(lines))
    declared = read_trade(file)
    assert rows_of(declared) == [(2022, "CN", "DE", "280530", 900.0, 30.0)]
    assert (declared.vintage, declared.value_unit, declared.quantity_unit) == ("HS22", "USD", "kg")
    assert {"W601", "W605", "N604", "N607"} <= set(codes(declared))
    words = " ".join(f.what for f in declared.findings if f.code == "N607")
    assert "re-exports" in words
    assert "mode of transport" in words
    exports = read_trade(file, flows="exports")
    assert rows_of(exports) == [(2022, "CN", "DE", "280530", 800.0, 30.0)]


def test_columns_may_bear_other_names() -> None:
    frame = flows().rename({"year": "jahr", "value": "wert"})
    cube = read_trade(frame, columns={"year": "jahr", "value": "wert"}, vintage="HS92")
    assert rows_of(cube) == expected()


@pytest.mark.parametrize(
    ("old", "rule", "label"),
    [
        ("58", "W602", "BE_LU"),
        ("280", "W602", "DE"),
        ("490", "N602", "TW"),
        ("0", "W601", None),
        ("720", "W602", "YE"),
    ],
)
def test_codes_with_a_trap_are_named(old: str, rule: str, label: str | None) -> None:
    rows = [(1995, "156", old, "280530", 1.0, 1.0), (1995, "156", "842", "280530", 1.0, 1.0)]
    cube = read_trade(flows(rows), vintage="HS92")
    assert rule in codes(cube)
    assert set(cube.to_frame()["importer"]) == {"US", *([label] if label else [])}


def test_both_codes_of_germany_are_added_and_said_to_be() -> None:
    rows = [(1991, "156", code, "280530", 1.0, 1.0) for code in ("276", "280")]
    cube = read_trade(flows(rows), vintage="HS92")
    assert cube.imports_of("EU", 1991)["value"].to_list() == [2.0]
    (finding,) = [f for f in cube.findings if f.code == "W604"]
    assert "276, 280 are all DE" in finding.what


def test_belgium_and_luxembourg_together_belong_to_the_union() -> None:
    rows = [(1995, "58", "276", "280530", 5.0, 1.0), (1995, "156", "58", "280530", 1.0, 1.0)]
    cube = read_trade(flows(rows), vintage="HS92")
    assert cube.members("EU", 1995) == {"BE_LU", "DE"}
    assert cube.imports_of("EU").rows() == [(1995, "280530", "CN", 1.0, 1.0)]


def test_a_country_joins_and_leaves_a_bloc_with_the_years() -> None:
    rows = [(y, "GB", "FR", "280530", 1.0, 1.0) for y in (2019, 2020)]
    rows += [(y, "US", "FR", "280530", 3.0, 1.0) for y in (2019, 2020)]
    cube = read_trade(flows(rows), vintage="HS92")
    assert cube.imports_of("EU").select("year", "exporter").rows() == [
        (2019, "US"), (2020, "GB"), (2020, "US")]  # fmt: skip
    assert cube.imports_of("EU27", 2019)["exporter"].to_list() == ["GB", "US"]
    assert cube.imports_of("EU27+GB")["exporter"].to_list() == ["US", "US"]
    assert cube.exports_of("GB", 2020).rows() == [(2020, "280530", "FR", 1.0, 1.0)]
    by_year = {2019: ["FR"], 2020: ["FR", "GB"]}
    assert cube.imports_of(by_year)["exporter"].to_list() == ["GB", "US", "US"]
    assert cube.imports_of("EU27", intra=True).height == 4


def test_lost_zeros_come_back() -> None:
    frame = flows().with_columns(pl.col("product").cast(pl.Int64))
    cube = read_trade(frame, vintage="HS92")
    assert rows_of(cube) == expected()
    assert "N603" in codes(cube)


@pytest.mark.parametrize(("short", "longest"), [(1012100, 28053010), (101210010, 2805301090)])
def test_lost_zeros_of_finer_codes_come_back_too(short: int, longest: int) -> None:
    frame = pl.DataFrame({"year": 2022, "exporter": "CN", "importer": "DE",
                          "product": [short, longest], "value": 1.0})  # fmt: skip
    cube = read_trade(frame)
    assert cube.products == (str(short).zfill(len(str(longest))), str(longest))
    assert "N603" in codes(cube)


def test_missing_quantities_vintages_and_repeated_flows_are_told() -> None:
    cube = read_trade(flows([*FLOWS, FLOWS[0]]))
    (share,) = [f.what for f in cube.findings if f.code == "N605"]
    assert share == "20.0% of the flows state no quantity"
    assert {"N606", "W609"} <= set(codes(cube))
    mixed = flows().with_columns(vintage=pl.Series(["H0", "H0", "HS12", "HS 1992"]))
    both = read_trade(mixed)
    assert both.vintage == "mixed"
    assert "W608" in codes(both)
    with pytest.raises(UsageError, match="mixed"):
        both.convert("HS92", pl.DataFrame({"from": [], "to": []}))


def test_an_unknown_code_is_kept_and_the_nearest_is_named() -> None:
    cube = read_trade(flows([(2020, "Germny", "CN", "280530", 1.0, 1.0)]), vintage="HS92")
    (finding,) = [f for f in cube.findings if f.code == "W603"]
    assert (finding.value, finding.suggestion) == ("Germny", "DE")
    assert cube.regions == ("CN", "Germny")
    given = pl.DataFrame({"country_code": ["999"], "country_iso3": ["DEU"]})
    rows = [(2020, "999", "CN", "280530", 1.0, 1.0)]
    assert read_trade(flows(rows), country_codes=given).regions == ("CN", "DE")


@pytest.mark.parametrize(
    ("change", "code", "words"),
    [
        ({"value": "-3"}, "E602", "0 or more"),
        ({"value": "three"}, "E103", "must be a number"),
        ({"year": "2019.5"}, "E103", "whole number"),
        ({"exporter": ""}, "E102", "exporter may not be empty"),
        ({"quantity": "-1"}, "E602", "quantity"),
    ],
)
def test_a_fault_is_named_with_its_row(
    change: dict[str, str], code: str, words: str, tmp_path: Path
) -> None:
    good = {"year": "2019", "exporter": "CN", "importer": "DE", "product": "280530", "value": "1",
            "quantity": "1"}  # fmt: skip
    file = tmp_path / "trade.csv"
    pl.DataFrame([good, {**good, **change}]).write_csv(file)
    with pytest.raises(DataError) as raised:
        read_trade(file)
    (finding,) = raised.value.findings
    assert (finding.code, finding.row, finding.file) == (code, 3, "trade.csv")
    assert words in finding.what


def test_a_missing_column_is_named_with_the_nearest() -> None:
    with pytest.raises(DataError) as raised:
        read_trade(flows().rename({"exporter": "exporters"}))
    (finding,) = raised.value.findings
    assert (finding.code, finding.suggestion) == ("E101", "exporters")
    with pytest.raises(DataError, match="not 'vlaue'"):
        read_trade(flows(), columns={"vlaue": "value"})


def test_rows_without_a_value_are_left_out_and_counted() -> None:
    rows = [*FLOWS, (2019, "CN", "US", "280530", None, 1.0)]
    cube = read_trade(flows(rows), vintage="HS92")
    assert rows_of(cube) == expected()
    assert "W610" in codes(cube)


def test_a_wrong_vintage_is_refused() -> None:
    with pytest.raises(UsageError, match="Did you mean HS9"):
        read_trade(flows(), vintage="HS93")
    with pytest.raises(DataError, match="E603"):
        read_trade(flows().with_columns(vintage=pl.lit("H4")), vintage="HS92")
    cube = read_trade(flows(), vintage="HS92")
    with pytest.raises(UsageError, match="HS92, not HS12"):
        cube.convert("HS17", pl.DataFrame({"from": ["1"], "to": ["1"]}), start="HS12")


def test_what_cannot_be_read_is_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no file"):
        read_trade(tmp_path / "nothing.csv")
    (tmp_path / "empty.csv").write_text("")
    with pytest.raises(DataError, match="empty"):
        read_trade(tmp_path / "empty.csv")
    (tmp_path / "bad.parquet").write_bytes(b"not parquet at all")
    with pytest.raises(DataError, match="E113"):
        read_trade(tmp_path / "bad.parquet")
    (tmp_path / "long.csv").write_text(baci_text() + "2020,156,276,280530,1,1,too,many\n")
    with pytest.raises(DataError, match="E113"):
        read_trade(tmp_path / "long.csv")
    (tmp_path / "head.csv").write_text("t,i,j,k,v,q\n")
    with pytest.raises(DataError, match="no row"):
        read_trade(tmp_path / "head.csv")
    with pytest.raises(UsageError, match="flows="):
        read_trade(flows(), flows="both")
    with pytest.raises(UsageError, match="cannot be read"):
        read_trade(3)  # type: ignore[arg-type]


def test_a_name_with_signs_of_a_pattern_or_a_quote_is_only_a_name(tmp_path: Path) -> None:
    for name in ("trade [1].csv", "it's.csv"):
        (tmp_path / name).write_text(baci_text())
        assert rows_of(read_trade(tmp_path / name)) == expected()


def test_a_filter_keeps_what_is_asked_and_refuses_what_is_not_there() -> None:
    cube = read_trade(flows(), vintage="HS92")
    assert rows_of(cube.filter(years=2020)) == [FLOWS[3]]
    assert rows_of(cube.filter(exporters="EU27", products="280530")) == [FLOWS[2]]
    assert cube.filter(importers=["FR"]).years == (2019, 2020)
    again = cube.filter(exporters=["CN", "US"]).filter(exporters=["CN", "DE"])
    assert set(again.to_frame()["exporter"]) == {"CN"}  # a filter never widens one before it
    assert cube.filter(years=2020).fingerprint() != cube.fingerprint()
    for wrong in ({"years": 1900}, {"products": "280531"}, {"exporters": "Atlantis"}):
        with pytest.raises(UsageError):
            cube.filter(**wrong)
    assert rows_of(read_trade(flows(), vintage="HS92", years=2020)) == [FLOWS[3]]


# --- vintages ------------------------------------------------------------------------------------


def test_a_code_that_leads_to_two_is_split_by_the_weights_that_are_stated() -> None:
    rows = [(2022, "CN", "DE", "111111", 10.0, 4.0), (2022, "US", "DE", "222222", 6.0, None)]
    table = pl.DataFrame(
        {"from": ["111111", "111111", "222222"], "to": ["333333", "444444", "444444"],
         "weight": [0.75, 0.25, 1.0]}
    )  # fmt: skip
    cube = read_trade(flows(rows), vintage="HS12").convert("HS92", table)
    assert rows_of(cube) == [
        (2022, "CN", "DE", "333333", 7.5, 3.0),
        (2022, "CN", "DE", "444444", 2.5, 1.0),
        (2022, "US", "DE", "444444", 6.0, None),
    ]
    (story,) = cube.provenance.to_dict()["parameters"]["conversions"]
    assert (story["from"], story["to"], story["split"], story["weights"]) == (
        "HS12", "HS92", 1, "given")  # fmt: skip
    assert story["value_share_split"] == 10.0 / 16.0


def test_without_weights_parts_are_equal_and_unknown_codes_stay() -> None:
    rows = [(2022, "CN", "DE", "111111", 10.0, 4.0), (2022, "US", "DE", "999999", 6.0, 1.0)]
    table = pl.DataFrame({"HS4_6d": ["111111", "111111"], "HS0_6d": ["333333", "444444"]})
    cube = read_trade(flows(rows), vintage="HS12").convert("HS92", table)
    assert cube.to_frame()["value"].to_list() == [5.0, 5.0, 6.0]
    assert cube.products == ("333333", "444444", "999999")
    assert {"W606", "W607"} <= set(codes(cube))
    assert cube.vintage == "HS92"
    assert cube.convert("HS92", table).to_frame().equals(cube.to_frame())


@pytest.mark.parametrize(
    ("table", "code"),
    [
        ({"from": ["1"], "too": ["2"]}, "E101"),
        ({"from": ["1", "1"], "to": ["2", "3"], "weight": [0.5, 0.4]}, "E604"),
        ({"from": ["1"], "to": ["2"], "weight": [-1.0]}, "E604"),
    ],
)
def test_a_concordance_with_faults_is_refused(table: dict, code: str) -> None:
    cube = read_trade(flows(), vintage="HS92")
    with pytest.raises(DataError, match=code):
        cube.convert("HS12", pl.DataFrame(table))


def test_a_real_concordance_changes_no_total(data_dir: Path) -> None:
    table = pl.read_parquet(data_dir / "concordances" / "hs4_hs0.parquet")
    products = table["HS4_6d"].sample(40, seed=3).sort().to_list()
    rows = [(2014, "CN", "DE", p, float(n + 1), 1.0) for n, p in enumerate(products)]
    cube = read_trade(flows(rows), vintage="HS12")
    back = cube.convert("HS92", table)
    assert back.to_frame()["value"].sum() == pytest.approx(820.0, rel=1e-12)  # sums of halves
    assert set(back.products) <= set(table["HS0_6d"])


def test_the_raw_material_cube_shows_the_traps_it_is_known_for(data_dir: Path) -> None:
    folder = data_dir / "crm_trade_wmd_wgi"
    cube = read_trade(folder / "baci_raw_materials_hs92_1995_2024.parquet")
    assert cube.n_rows == 1_264_888
    assert (cube.years[0], cube.years[-1], len(cube.products)) == (1995, 2024, 74)
    total = dict(cube.summary().select("year", "value").iter_rows())
    assert total[1995] == pytest.approx(328e6, rel=5e-3)  # the README prints 328 and 3,564
    assert total[2022] == pytest.approx(3564e6, rel=5e-4)  # billion USD
    (share,) = [f.what for f in cube.findings if f.code == "N605"]
    assert share.startswith("4.9%")
    assert {"W602", "W604", "N601", "N602", "N608"} <= set(codes(cube))
    assert not [f for f in cube.findings if f.code == "W603"]
    assert "BE_LU" in cube.members("EU", 1995)
    assert len(cube.members("EU27", 2022) - {"BE_LU"}) == 27


def test_semicolons_and_tabs_separate_too(tmp_path: Path) -> None:
    for sign, name in ((";", "a.csv"), ("\t", "b.tsv")):
        (tmp_path / name).write_text(baci_text().replace(",", sign))
        assert rows_of(read_trade(tmp_path / name)) == expected()
