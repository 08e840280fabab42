"""The verb capability: the library's numbers, tables of every form, doubts, files and refusals."""

from __future__ import annotations

import json

import openpyxl
import polars as pl
import pytest

import withstand as ws
from pages_read import Parsed
from withstand import measures, workbench
from withstand.cli import main
from withstand.errors import UsageError

WIDE = pl.DataFrame(
    {
        "country": ["DEU", "FRA", "ESP", "PRT"],
        "847950": [9.0, 1.0, 0.0, 0.0],
        "850511": [6.0, 4.0, 1.0, 0.0],
        "870899": [5.0, 5.0, 4.0, 1.0],
        "080510": [1.0, 3.0, 6.0, 6.0],
        "640399": [0.0, 1.0, 5.0, 9.0],
    }
)
LONG = WIDE.unpivot(index="country", variable_name="product", value_name="value")
STATES = pl.DataFrame(
    {
        "area": ["Nation"] * 4 + ["North"] * 4 + ["South"] * 4 + ["West"] * 4,
        "occupation": ["000000", "welder", "grinder", "clerk"] * 4,
        "emp": [600.0, 110.0, 60.0, 200.0, 100.0, 30.0, 20.0, None,
                200.0, 20.0, 10.0, 120.0, 300.0, 60.0, 30.0, 30.0],
    }
)  # fmt: skip


@pytest.fixture
def call(capsys):
    """Run a command in this process; return exit code, standard output, standard error."""

    def run(*words):
        code = main([str(w) for w in words])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run


@pytest.fixture
def exports(tmp_path):
    file = tmp_path / "exports.csv"
    LONG.write_csv(file)
    return file


def document_of(call, *words):
    code, out, err = call("capability", "--json", *words)
    assert (code, err) == (0, "")
    return json.loads(out)


@pytest.mark.parametrize("convention", ["stata", "atlas", "textbook"])
def test_the_document_has_the_numbers_of_the_library(call, exports, convention):
    document = document_of(call, exports, "--home", "ES", "--convention", convention)
    found = measures.complexity(LONG, place="country", convention=convention)
    assert document["home"] == "ESP"  # known under another code
    mine = {r["place"]: r["eci"] for r in document["places"]}
    theirs = dict(zip(found.places, found.eci, strict=True))
    assert mine == pytest.approx(theirs)
    reach = measures.within_reach(found, "ESP")
    assert [r["product"] for r in document["within_reach"]] == reach["product"].to_list()
    assert [r["cog"] for r in document["within_reach"]] == pytest.approx(reach["cog"].to_list())
    assert "080510" in {r["product"] for r in document["products"]}  # codes keep their zeros
    assert document["summary"][0].startswith("ESP is number ")


def test_ranks_come_with_the_intervals_of_the_seed(call, exports):
    asked = [exports, "--home", "DE", "--ranks", "--draws", 40, "--seed", 3]
    document = document_of(call, *asked)
    found = measures.complexity(LONG, place="country")
    rows = measures.rank_intervals(found, draws=40, seed=3).to_frame()
    want = {r["label"]: (r["rank"], r["low"], r["high"]) for r in rows.iter_rows(named=True)}
    assert {r["place"]: (r["rank"], r["low"], r["high"]) for r in document["places"]} == want
    low, high = want["DEU"][1:]
    assert any(f"between {low} and {high}" in s for s in document["summary"])
    assert all(r["low"] is not None for r in document["products"] if r["rank"] is not None)


def test_wide_long_and_trade_are_the_same_table(call, tmp_path):
    LONG.write_csv(tmp_path / "long.csv")
    WIDE.write_csv(tmp_path / "wide.csv")
    LONG.rename({"country": "land", "product": "good", "value": "sold"}).write_parquet(
        tmp_path / "named.parquet"
    )
    halves = LONG.filter(pl.col("value") > 0).with_columns(pl.col("value") / 2, year=2020)
    old = halves.head(5).with_columns(year=2019, importer=pl.lit("CHN"))
    trade = pl.concat(
        [halves.with_columns(importer=pl.lit(x)) for x in ("USA", "CHN")] + [old]
    ).rename({"country": "exporter"})
    trade.write_csv(tmp_path / "trade.csv")
    places = []
    for words in (
        ["long.csv"],
        ["wide.csv"],
        ["named.parquet", "--place", "land", "--product", "good", "--value", "sold"],
        ["trade.csv"],
    ):
        document = document_of(call, tmp_path / words[0], *words[1:])
        by_country = {ws.model.blocs.country_of(r["place"]): r["eci"] for r in document["places"]}
        places.append(by_country)
    for other in places[1:]:
        assert other == pytest.approx(places[0])
    document = document_of(call, tmp_path / "trade.csv")
    assert document["table"] == "trade 2020"
    assert "N606" in {f["code"] for f in document["findings"]}  # of reading trade: no vintage


def test_what_a_project_buys_abroad_is_ranked_as_the_library_does(call, exports):
    network = ws.examples.example("robot_maker")
    asked = [exports, "--home", "FRA", "--against", "example:robot_maker"]
    document = document_of(call, *asked)
    from withstand.measures.localisation_candidates import localise_candidates

    capability = measures.complexity(LONG, place="country")
    want = localise_candidates(capability, "FRA", network=network).to_frame()
    assert document["against"] == network.name
    got = document["candidates"]
    assert [r["product"] for r in got] == want["product"].to_list()
    assert [r["score"] for r in got] == want["score"].to_list()
    code, _, err = call("capability", exports, "--against", "example:robot_maker")
    assert code == 2
    assert "--home" in err


def test_regions_and_occupations_get_quotients_and_no_total_is_an_occupation(call, tmp_path):
    file = tmp_path / "states.csv"
    STATES.write_csv(file)
    asked = [file, "--home", "North", "--total", "000000", "--whole", "Nation"]
    document = document_of(call, *asked)
    quotients = {r["product"]: r["lq"] for r in document["location_quotients"]}
    # by hand: 30 of 100 welders against 110 of 600; of the clerks nothing is published
    assert quotients["welder"] == pytest.approx(0.3 / (110 / 600))
    assert quotients["clerk"] is None
    assert {r["product"] for r in document["products"]} == {"welder", "grinder", "clerk"}
    assert "Nation" not in {r["place"] for r in document["places"]}
    want = measures.location_quotient(
        STATES, region="area", activity="occupation", value="emp", total="000000", whole="Nation"
    )
    near = measures.related_density(want).within_reach("North")
    assert [r["product"] for r in document["related_density"]] == near["activity"].to_list()


def test_a_table_that_falls_apart_is_said_on_screen_and_page(call, tmp_path):
    blocks = pl.DataFrame(
        {"place": ["A", "B", "C", "D", "E"], "x": [2.0, 1, 1, 0, 0], "y": [1.0, 2, 0, 0, 0],
         "z": [0.0, 1, 2, 0, 0], "u": [0.0, 0, 0, 1, 1], "v": [0.0, 0, 0, 1, 2]}
    )  # fmt: skip
    file, page = tmp_path / "blocks.csv", tmp_path / "c.html"
    blocks.write_csv(file)
    code, out, _ = call("capability", file, "--home", "D", "--to", page)
    assert code == 0
    assert "W654" in out
    text = Parsed(page.read_text()).text
    assert "Mind the index" in text
    assert "D shares nothing with the rest of the table, so it has no rank" in text


def test_files_hold_the_same_ranks_and_names_cannot_break_out(call, exports, tmp_path):
    evil = "</script><img src=x onerror=alert(1)>=1+1"
    pl.DataFrame({"hs": ["850511", "870899"], "name": [evil, "=cars"]}).write_csv(
        tmp_path / "names.csv"
    )
    page, book = tmp_path / "c.html", tmp_path / "c.xlsx"
    asked = ["--home", "PRT", "--names", tmp_path / "names.csv", "--ranks", "--draws", 20]
    code, _, _ = call("capability", exports, *asked, "--to", f"{page},{book}", "--quiet")
    assert code == 0
    parsed = Parsed(page.read_text())
    assert not [a for tag, a in parsed.elements if tag == "img"]
    assert evil.split("=1")[0] in parsed.text
    sheets = openpyxl.load_workbook(book)
    rows = list(sheets["Places"].iter_rows(values_only=True))
    found = measures.complexity(LONG, place="country").top(4)
    assert [r[3] for r in rows[1:]] == found["place"].to_list()
    cells = [c for r in sheets["Products"].iter_rows() for c in r]
    assert all(c.data_type != "f" for c in cells)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--home", "Spane"], "There is no place 'Spane'"),
        (["--convention", "state"], "stata"),
        (["--product", "produkt"], "Did you mean product"),
        (["--year", "2020"], "has no column year"),
        (["--threshold", "0"], "above 0"),
        (["--to", "c.txt"], ".html or .xlsx"),
    ],
)
def test_wrong_options_are_refused_with_what_to_write(call, exports, words, said):
    code, _, err = call("capability", exports, *words)
    assert code == 2
    assert said in " ".join(err.split())


def test_a_table_of_unknown_columns_says_what_to_name(call, tmp_path):
    file = tmp_path / "odd.csv"
    pl.DataFrame({"land": ["A", "B"], "good": ["x", "y"], "sold": [1, 2]}).write_csv(file)
    with pytest.raises(UsageError, match=r"--place COLUMN --product COLUMN --value COLUMN"):
        workbench.read_capability(file)
    assert call("capability", tmp_path / "no.csv")[0] == 3
    LONG.with_columns(pl.lit("many").alias("value")).write_csv(file)
    code, _, err = call("capability", file)
    assert code == 3
    assert "many" in err
