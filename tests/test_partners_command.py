"""The verb partners: the library's numbers, who is never proposed, trade, files and refusals."""

from __future__ import annotations

import json
from dataclasses import replace

import openpyxl
import polars as pl
import pytest

from pages_read import Parsed
from withstand import examples, measures, readers, workbench
from withstand.cli import main
from withstand.errors import UsageError
from withstand.model.building import build_network
from withstand.model.settings import Settings

ROBOTS = ["--project", "example:robot_maker"]
NODES = pl.DataFrame(
    {
        "node": ["ROBOT", "ARM@S", "CHIP@S", "ARM@U", "CHIP@V"],
        "product": ["ROBOT", "ARM", "CHIP", "ARM", "CHIP"],
        "region": ["HOME", "S", "S", "U", "V"],
        "capacity": [10.0, 5.0, 5.0, 9.0, 9.0],
        "final_demand": [10.0, 0.0, 0.0, 0.0, 0.0],
    }
)
RECIPES = pl.DataFrame({"buyer": "ROBOT", "input": ["ARM", "CHIP"], "quantity": 1.0})
LINKS = pl.DataFrame(
    {
        "supplier": ["ARM@S", "CHIP@S", "ARM@U", "CHIP@V"],
        "buyer": "*",
        "share": [0.4, 0.4, 0.6, 0.6],
    }
)
TRADE = pl.DataFrame(
    {
        "year": 2022,
        "exporter": ["CHN", "JPN", "VNM", "DEU", "CHN", "CHN"],
        "importer": ["DEU", "DEU", "USA", "JPN", "DEU", "USA"],
        "product": ["850511", "850511", "850511", "847950", "847950", "850511"],
        "value": [60.0, 30.0, 50.0, 200.0, 10.0, 5.0],
    }
)


@pytest.fixture
def call(capsys):
    """Run a command in this process; return exit code, standard output, standard error."""

    def run(*words):
        code = main([str(w) for w in words])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run


@pytest.fixture(scope="module")
def network():
    """Two inputs from three regions: S makes five of both, U and V nine of one each."""
    regions = pl.DataFrame({"region": ["HOME", "S", "U", "V"], "reliability": [1.0, 0.9, 0.5, 0.8]})
    tables = {"nodes": NODES, "recipes": RECIPES, "links": LINKS, "regions": regions}
    return build_network(tables, Settings(home="HOME", name="Two inputs"))


@pytest.fixture(scope="module")
def project(network, tmp_path_factory):
    return readers.write_folder(network, tmp_path_factory.mktemp("partners") / "two")


@pytest.fixture(scope="module")
def without_s(network, tmp_path_factory):
    """The same, and the law does not allow S."""
    regions = network.tables["regions"].with_columns(allowed=pl.col("region") != "S")
    changed = network.with_changes({"regions": regions})
    return readers.write_folder(changed, tmp_path_factory.mktemp("law") / "two")


@pytest.fixture
def trade(tmp_path):
    file = tmp_path / "trade.csv"
    TRADE.write_csv(file)
    return file


def document_of(call, *words):
    code, out, err = call("partners", "--json", *words)
    assert (code, err) == (0, "")
    return json.loads(out)


def test_sets_and_contributions_of_two_inputs_are_those_found_by_hand(call, project):
    document = document_of(call, "--project", project, "--best", 2, "--limit", "capacity")
    assert [s["partners"] for s in document["sets"]] == [[], ["S"], ["U", "V"]]
    assert [s["coverage"] for s in document["sets"]] == pytest.approx([0.0, 0.5, 0.9])
    assert all(s["gap"] == 0 and s["ties"] == 1 for s in document["sets"][1:])
    # expected of U and V: both are needed, 0.5 x 0.8 of 9 robots in ten
    assert document["sets"][2]["expected"] == pytest.approx(0.4 * 0.9)
    assert document["everyone"] == 1.0
    assert (document["needed"]["k"], document["needed"]["partners"]) == (3, ["S", "U", "V"])
    # by hand: U adds 0 alone, 0 after S, .9 after V, .5 after both: (0 x 2 + 0 + .9 + .5 x 2) / 6
    shares = {row["partner"]: row["shapley"] for row in document["contributions"]}
    assert shares["U"] == pytest.approx((0.9 + 2 * 0.5) / 6)
    assert shares["S"] == pytest.approx(1.0 - 2 * shares["U"])
    assert document["interactions"][0]["relation"] == "complements"
    assert document["channels"] == []


def test_the_document_has_the_numbers_of_the_library(call):
    asked = ["--rule", "shared", "--slack", "material=1.5", "--candidates", "CN,DE,JP,rest=US+TW"]
    document = document_of(call, *ROBOTS, *asked, "--best", 2, "--level", "20%")
    found = measures.partners(
        examples.example("robot_maker"),
        candidates={"CN": ["CN"], "DE": ["DE"], "JP": ["JP"], "rest": ["US", "TW"]},
        assume_recipe="shared",
        slack={"material": 1.5},
        most=2,
    )
    assert [tuple(s["partners"]) for s in document["sets"]] == [s.partners for s in found.sets]
    assert [s["coverage"] for s in document["sets"]] == [s.coverage for s in found.sets]
    assert [row["shapley"] for row in document["contributions"]] == found.shapley[
        "shapley"
    ].to_list()
    closing = found.needed(0.2)
    assert document["needed"] == (
        None if closing is None else {"k": closing.k, "partners": list(closing.partners),
                                      "coverage": closing.coverage}
    )  # fmt: skip
    assert document["provenance"]["what"] == "measures.partners"


def test_a_region_that_is_not_allowed_is_named_and_in_no_set(call, without_s, tmp_path):
    asked = ["--project", without_s, "--best", 3, "--limit", "capacity"]
    document = document_of(call, *asked)
    assert document["not_allowed"] == ["S"]
    assert "S" not in document["candidates"]
    assert all("S" not in s["partners"] for s in document["sets"])
    assert any("S is not allowed to supply, and in no set" in s for s in document["summary"])
    page = tmp_path / "p.html"
    code, out, _ = call("partners", *asked, "--to", page)
    assert code == 0
    assert "not allowed to supply" in out
    assert "S is not allowed to supply" in page.read_text()


def test_trade_alone_is_the_imports_of_home_by_value(call, trade):
    document = document_of(call, "--trade", trade, "--home", "DE", "--best", 1)
    # by hand: 100 imported, 70 of it from China, 30 from Japan
    assert document["kind"] == "value"
    assert document["sets"][1]["partners"] == ["CN"]
    assert document["sets"][1]["coverage"] == pytest.approx(0.7)
    assert {(r["product"], r["region"]) for r in document["channels"]} == {("850511", "VN")}
    given = [r for r in document["in_return"] if r["partner"] == "JP"]
    assert [r["product"] for r in given] == ["847950"]
    assert "N606" in {f["code"] for f in document["findings"]}  # the codes have no vintage
    asked = ["--trade", trade, "--home", "DE", "--not-allowed", "CN,VN"]
    document = document_of(call, *asked)
    assert document["not_allowed"] == ["CN", "VN"]
    assert document["everyone"] == pytest.approx(0.3)
    assert document["channels"] == []


def test_trade_beside_a_project_shows_channels_and_what_home_can_give(call, trade):
    asked = [*ROBOTS, "--trade", trade, "--home-in-trade", "DEU", "--candidates", "CN,JP"]
    document = document_of(call, *asked)
    rows = {(r["product"], r["region"]) for r in document["channels"]}
    assert rows == {("MAGNET", "VN")}  # China and Japan supply magnets already
    assert document["kind"] == "physical"
    assert {r["partner"] for r in document["in_return"]} == {"JP"}
    assert document["in_return"][0]["product"] == "847950"


def test_tables_of_reliability_are_known_by_their_columns(tmp_path):
    given = {
        "plain": pl.DataFrame({"region": ["CN"], "reliability": [0.4]}),
        "wgi": pl.DataFrame({"Code": ["CHN"], "year": [2022], "value": [-0.5]}),
        "votes": pl.DataFrame(
            {"iso3c": ["CHN", "DEU"], "year": [2019, 2019], "IdealPoint": [-1.0, 1.0]}
        ),
    }
    for name, frame in given.items():
        frame.write_csv(tmp_path / f"{name}.csv")
    read = workbench.read_reliability
    assert read(tmp_path / "plain.csv")["reliability"].to_list() == [0.4]
    assert read(tmp_path / "wgi.csv")["reliability"].to_list() == pytest.approx([0.4])
    votes = dict(read(tmp_path / "votes.csv", "DEU").select("region", "reliability").iter_rows())
    assert votes["DEU"] > votes["CHN"]
    with pytest.raises(UsageError, match="home-in-trade"):
        read(tmp_path / "votes.csv")


def test_files_hold_the_same_sets(call, project, tmp_path):
    page, book = tmp_path / "p.html", tmp_path / "p.xlsx"
    code, out, _ = call(
        "partners", "--project", project, "--best", 2, "--limit", "capacity", "--to",
        f"{page},{book}",
    )  # fmt: skip
    assert code == 0
    assert f"Wrote {page}" in out.replace("\n", "")
    assert "With U and V, 90.0 % of demand can be met" in Parsed(page.read_text()).text
    sheets = openpyxl.load_workbook(book)
    rows = list(sheets["Best partners"].iter_rows(values_only=True))
    assert [(r[0], r[1]) for r in rows[1:]] == [(0, "nobody"), (1, "S"), (2, "U, V")]
    assert [r[2] for r in rows[1:]] == pytest.approx([0.0, 0.5, 0.9])
    assert "Partner contributions" in sheets.sheetnames


def test_a_broken_threshold_exits_with_five(call, project):
    asked = ["partners", "--project", project, "--limit", "capacity", "--best", 2, "--quiet"]
    assert call(*asked, "--fail-on", "coverage<95%")[0] == 5
    assert call(*asked, "--fail-on", "coverage<85%,needed>3")[0] == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--candidates", "=SE"], "write CN,JP or north=SE+FI"),
        (["--candidates", "CN,CN=JP"], "names CN twice"),
        (["--candidates", "XX"], "XX"),
        (["--year", "2020"], "go with --trade alone"),
        (["--home-in-trade", "DE"], "goes with --trade and --project"),
        (["--level", "120%"], "between 0 and 1"),
        (["--rule", "all"], "all"),
        (["--to", "p.pdf"], ".html or .xlsx"),
        (["--fail-on", "speed<1"], "not measured here"),
    ],
)
def test_wrong_options_are_refused_with_what_to_write(call, project, words, said):
    code, _, err = call("partners", "--project", project, *words)
    assert code == 2
    assert said in " ".join(err.split())


def test_trade_needs_home_and_a_table_without_importers_is_none(call, trade, tmp_path):
    code, _, err = call("partners", "--trade", trade)
    assert code == 2
    assert "--home EU27" in " ".join(err.split())
    made = tmp_path / "made.csv"
    TRADE.drop("importer", "year").group_by("exporter", "product").agg(
        pl.col("value").sum()
    ).write_csv(made)
    code, _, err = call("partners", "--trade", made, "--home", "DE")
    assert code == 2
    assert "does not say who imports" in " ".join(err.split())
    bad = tmp_path / "bad.csv"
    bad.write_text("region,reliability\nCN,often\n")
    code, _, err = call("partners", *ROBOTS, "--reliability", bad)
    assert code == 3
    assert "often" in err


def test_the_sentence_names_partners_that_a_draw_cannot_tell_apart(network):
    from withstand.report.partner_said import sentences

    found = workbench.find_partners(network, most=2, limit="capacity")
    drawn = found.shares.with_columns(standard_error=pl.lit(0.3))
    said = " ".join(sentences(replace(found, shares=drawn)))
    assert "S, U and V add most on average" in said
    exact = " ".join(sentences(found))
    assert "S adds most on average" in exact or "U adds most on average" in exact
