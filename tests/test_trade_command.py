"""The verb trade: the numbers of the library, by hand, in every layout; exit codes and files."""

from __future__ import annotations

import json

import openpyxl
import polars as pl
import pytest

import trade_screen_cases as cases
from trade_screen_cases import BLOC, GEARS, MAGNETS, METALS
from withstand import examples, measures, readers
from withstand.cli import main
from withstand.errors import UsageError
from withstand.workbench import screens_of

EC = ("--bloc", BLOC, "--preset", "ec2021")


@pytest.fixture
def call(capsys):
    """Run a command in this process; return exit code, standard output, standard error."""

    def run(*words):
        code = main([str(w) for w in words])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("trade")


@pytest.fixture(scope="module")
def baci(folder):
    return cases.baci(folder)


def document(call, *words):
    code, out, err = call("trade", *words, "--json")
    assert (code, err) == (0, "")
    return json.loads(out)


def by_product(rows):
    return {row["product"]: row for row in rows}


def test_who_is_flagged_by_hand_and_who_came_and_left(call, baci):
    found = document(call, baci, *EC)
    assert found["flagged"] == {"ec_2021": {"2020": [MAGNETS], "2021": [], "2022": [MAGNETS]}}
    rows = by_product(found["products"])
    assert rows[MAGNETS]["import_hhi"] == pytest.approx(0.82)
    assert (rows[MAGNETS]["extra_share"], rows[MAGNETS]["import_export_ratio"]) == (1.0, 5.0)
    assert rows[MAGNETS]["margin"] == pytest.approx(1.0)  # 1 / .5 - 1, the least of the three
    assert rows[METALS]["margin"] == pytest.approx(10 / 11 - 1)
    assert [c["flagged"] for c in found["churn"]] == [1, 0, 1]
    assert [c["left"] for c in found["churn"]] == [None, 1, 0]
    assert [c["share_left"] for c in found["churn"]] == [None, 1.0, None]
    assert found["summary"][0].startswith("In 2022 1 of 3 products is flagged for DE+FR by ec_2021")
    # 10 of 10 + 10 + 8
    assert "35.7 % of the value of its imports" in found["summary"][0]
    own = [s for s in found["suppliers"] if s["product"] == MAGNETS]
    assert [(s["exporter"], s["share"]) for s in own] == [("CN", 0.9), ("US", 0.1)]
    assert found["data"]["value_unit"] == "thousand USD"
    assert found["data"]["by_year"][0]["without_quantity"] == pytest.approx(5 / 12)


def test_the_document_has_the_numbers_of_the_library(call, baci):
    found = document(call, baci, "--bloc", BLOC, "--exports", "extra", "--draws", 50, "--seed", 3)
    cube = readers.read_trade(baci)
    error = measures.ReportingError(spread=0.2, draws=50, seed=3)
    own = measures.screens(cube, BLOC, years=cube.years[-5:], exports="extra", error=error)
    assert set(found["flagged"]) == {p.name for p in own.presets}
    for preset, by_year in found["flagged"].items():
        for year, products in by_year.items():
            assert products == own.flagged(preset, int(year))["product"].to_list()
    assert METALS in found["flagged"]["ec_2021"]["2022"]  # 10 bought outside, 5 sold there
    lead = own.verdicts.filter(pl.col("preset") == own.presets[0].name, pl.col("year") == 2022)
    rows = by_product(found["products"])
    for product, chance, margin in lead.select("product", "probability", "margin").iter_rows():
        assert rows[product]["probability"] == chance
        assert rows[product]["margin"] == margin
    distances = {
        (c["preset"], c["condition"], c["product"]): c["distance"] for c in found["conditions"]
    }
    mine = own.conditions().filter(pl.col("year") == 2022)
    assert len(distances) == mine.height
    for row in mine.iter_rows(named=True):
        assert distances[row["preset"], row["condition"], row["product"]] == row["distance"]
    assert found["provenance"]["fingerprint"] == cube.fingerprint()


def test_comtrade_gives_the_same_answer_in_its_own_unit(call, baci, folder):
    theirs = document(call, cases.comtrade(folder), *EC, "--vintage", "HS92")
    ours = document(call, baci, *EC)
    assert theirs["data"]["value_unit"] == "USD"
    assert {f["code"] for f in theirs["findings"]} >= {"N607", "W601"}  # mirrors, the world
    for mine, other in zip(ours["products"], theirs["products"], strict=True):
        assert mine["product"] == other["product"]
        for name in ("margin", "probability", "import_hhi", "import_export_ratio"):
            assert other[name] == pytest.approx(mine[name])
        assert other["imports"] == pytest.approx(1000 * mine["imports"])


def test_risk_of_materials_by_hand(call, baci, folder):
    files = cases.materials(folder)
    words = [w for name, file in files.items() for w in (f"--{name}", file)]
    found = document(call, baci, *EC, *words, "--governance-scale", "0-10")
    rows = {m["material"]: m for m in found["raw_materials"]}
    assert set(rows) == {"Nd", "Tin"}
    assert (rows["Nd"]["sr_low"], rows["Nd"]["sr_high"]) == pytest.approx((1.62, 1.62))
    assert rows["Tin"]["sr"] == pytest.approx(1.5)  # of 2019: 2023 is after the year screened
    assert (rows["Tin"]["year"], rows["Tin"]["hhi"]) == (2019, 0.5)
    assert (rows["Nd"]["ei"], rows["Tin"]["ei"]) == pytest.approx((10.0, 1.0))
    assert (rows["Nd"]["critical"], rows["Tin"]["critical"]) == (True, False)
    assert (rows["Nd"]["largest"], rows["Nd"]["largest_share"]) == ("China", 0.8)
    codes = [f["code"] for f in found["findings"]]
    assert {"N609", "W782"} <= set(codes)  # the row of the world; nobody mines gold here
    concentration = document(call, baci, *EC, "--production", files["production"])
    hhi = {m["material"]: m["hhi"] for m in concentration["raw_materials"]}
    assert hhi == pytest.approx({"Nd": 0.68, "Tin": 0.5})


def test_the_loss_of_the_largest_supplier_by_hand(call, baci):
    words = ("--stock-days", 10, "--starts", 30, "--ramp", 0, "--sigma", 3)
    (row,) = document(call, baci, *EC, *words)["after_loss"]
    assert (row["product"], row["supplier"]) == (MAGNETS, "China")
    assert row["share_lost"] == pytest.approx(0.9)  # CN 9 of 10, all of it from outside
    assert row["days_to_shortage"] == pytest.approx(10 / 0.9)
    assert row["days_lost"] == pytest.approx(30 * 0.9 - 10)
    assert row["price_factor_after_a_year"] == pytest.approx(0.1 ** (1 / (1 - 3)))
    (row,) = document(call, baci, *EC, "--exports", "extra", "--product", METALS)["after_loss"]
    assert row["share_lost"] == pytest.approx(8 / 16)  # .8 of the 10 of 16 from outside


def test_a_network_is_held_against_the_screens_by_the_codes_of_its_products(call, baci, tmp_path):
    network = examples.tiny()
    products = network.tables["products"]
    coded = ["8505.11.00", *[None] * (products.height - 1)]
    changed = network.with_changes({"products": products.with_columns(hs=pl.Series(coded))})
    project = readers.write_folder(changed, tmp_path / "shop")
    (row,) = document(call, baci, *EC, "--against", project)["against"]
    assert (row["product"], row["hs"], row["flags"]) == (products["product"][0], MAGNETS, 1)
    bare = readers.write_folder(network, tmp_path / "bare")
    code, _, err = call("trade", baci, *EC, "--against", bare)
    assert code == 2
    assert "fill the column hs" in " ".join(err.split())


def test_tables_fit_80_columns_and_say_what_was_found(call, baci, folder):
    files = cases.materials(folder)
    code, out, err = call(
        "trade", baci, "--bloc", BLOC, "--names", cases.names(folder), "--production",
        files["production"], "--governance", files["governance"], "--governance-scale", "0-10",
        "--sigma", 3,
    )  # fmt: skip
    assert (code, err) == (0, "")
    lines = out.splitlines()
    end = next(i for i, line in enumerate(lines) if line.startswith("Read from"))
    tables = lines[lines.index("") : end]
    assert max(len(line.rstrip()) for line in tables) <= 80
    text = " ".join(out.split())
    for said in (
        "What was read: 3 products (HS92), 7 regions", "850511 Permanent magne… yes",
        "CDI1>0.4", "China 90 %, United Stat… 10 %", "Products flagged by year",
        "Raw materials: supply risk", "If the largest supplier stops", "published under the Etalab",
        "N605",
    ):  # fmt: skip
        assert said in text


def test_years_and_products_can_be_chosen(call, baci):
    found = document(call, baci, *EC, "--years", "2021-2022", "--product", "85,2805")
    assert found["years"] == [2021, 2022]
    assert set(by_product(found["products"])) == {MAGNETS, METALS}
    whole = by_product(document(call, baci, *EC)["products"])
    for row in found["products"]:
        assert row["margin"] == whole[row["product"]]["margin"]
    # the years before are read where a screen looks back at them
    back = document(call, baci, "--bloc", BLOC, "--preset", "geodep_2024", "--years", "2022")
    assert {y["year"] for y in back["data"]["by_year"]} == {2020, 2021, 2022}
    assert "W612" not in {f["code"] for f in back["findings"]}
    assert by_product(back["products"])[MAGNETS]["geodep_2024"] is True


def test_a_screen_of_ones_own_leads(call, baci, folder):
    own = folder / "own.toml"
    own.write_text(
        '[strict]\n[[strict.conditions]]\nname = "S"\nindicator = "largest_share"\nabove = 0.2\n',
        encoding="utf-8",
    )
    found = document(call, baci, "--bloc", BLOC, "--preset", f"{own},ec2021")
    assert [s["name"] for s in found["screens"]] == ["strict", "ec_2021"]
    assert set(found["flagged"]["strict"]["2022"]) == {MAGNETS, METALS, GEARS}
    code, out, _ = call("trade", baci, "--bloc", BLOC, "--preset", own)
    assert code == 0
    assert "S>0.2" in out


def test_a_broken_threshold_ends_with_5(call, baci):
    words = ("trade", baci, *EC, "--fail-on")
    assert call(*words, "flagged>0")[0] == 5
    assert call(*words, "entered>0")[0] == 5
    assert call(*words, "flagged>1,flagged_share>40%,sure>1,left>0")[0] == 0
    code, _, err = call(*words, "charm>1")
    assert code == 2
    assert "flagged_by_any" in err


def test_reports_are_written(call, baci, folder, tmp_path):
    page, book = tmp_path / "trade.html", tmp_path / "trade.xlsx"
    code, out, _ = call("trade", baci, *EC, "--to", f"{page},{book}")
    assert code == 0
    assert out.count("Wrote") == 2
    assert page.read_bytes()[:15] == b"<!doctype html>"
    assert "Products" in openpyxl.load_workbook(book).sheetnames
    assert call("trade", baci, *EC, "--to", tmp_path / "t.docx")[0] == 2


def test_faults_in_files_end_with_3_and_all_are_named(call, folder):
    bad = folder / "bad.csv"
    bad.write_text("year,exporter,importer,product,value\n2022,CN,DE,850511,-4\n", encoding="utf-8")
    code, _, err = call("trade", bad, *EC)
    assert code == 3
    assert "E602" in err
    governance = folder / "bad_governance.csv"
    governance.write_text("land,value\nCHN,1\n", encoding="utf-8")
    files = cases.materials(folder)
    code, _, err = call(
        "trade", folder / "BACI_HS92_made.csv", *EC, "--production", files["production"],
        "--governance", governance,
    )  # fmt: skip
    assert code == 3
    assert "no column 'region'" in " ".join(err.split())


@pytest.mark.parametrize(
    "words",
    [
        ["--bloc", "Atlantis"],
        ["--preset", "ec_1921"],
        ["--preset", "none.toml"],
        ["--years", "soon"],
        ["--years", "1995-1996"],
        ["--product", "999999"],
        ["--exports", "some"],
        ["--measure", "beauty"],
        ["--error", "much"],
        ["--error", "900%"],
        ["--top", "0"],
        ["--governance", "g.csv"],
        ["--stock-days", "-1"],
    ],
)
def test_wrong_use_ends_with_2_and_says_why(call, baci, words):
    code, out, err = call("trade", baci, "--bloc", BLOC, *words)
    assert (code, out) == (2, "")
    assert err
    assert "Traceback" not in err


def test_a_file_that_is_not_there_is_named(call):
    code, _, err = call("trade", "nowhere.csv", *EC)
    assert code == 2
    assert "nowhere.csv" in err


def test_screens_are_known_by_any_writing_of_their_name():
    assert [p.name for p in screens_of(["EC-2021", "geodep2024"])] == ["ec_2021", "geodep_2024"]
    with pytest.raises(UsageError, match="once"):
        screens_of(["ec2021", "ec_2021"])
