"""Hidden names: no original one in any file, the same number every time, the same results."""

from __future__ import annotations

import html
import json
import re
import zipfile
from dataclasses import replace

import polars as pl
import pytest

from withstand import examples, measures, readers, workbench
from withstand.cli import main
from withstand.errors import UsageError
from withstand.report.hidden_names import Hiding, every_name
from withstand.report.page import _plotly

NAMES = ["Ärger & Söhne AG", "Steelco Ltd", "Mill no. 7 'West' & Co"]
COMPANIES = ["Ärger Holding", "Steelco Group", None]
SITES = ["Werk Nord", "Osaka Bay", "Hidden Valley"]


@pytest.fixture(scope="module")
def network():
    """The tiny plant with hostile names in every table and text that can hold one."""
    net = examples.tiny()
    names = dict(zip(net.node_labels.tolist(), NAMES, strict=True))
    nodes = net.tables["nodes"].with_columns(
        pl.col("node").replace(names), company=pl.Series(COMPANIES), site=pl.Series(SITES),
        price_basis=pl.Series(["public fact (Steelco Group)"] * 3),
    )  # fmt: skip
    tables = dict(net.tables) | {
        "nodes": nodes,
        "links": net.tables["links"].with_columns(pl.col("supplier").replace(names)),
        "products": net.tables["products"].with_columns(
            pl.Series("name", ["Gear by Ärger Holding", "Steel"])
        ),
        "options": pl.DataFrame({"option": ["M1"], "name": ["Second mill beside Steelco Group"],
                                 "kind": ["second_source"],
                                 "cost_once": [10.0], "note": ["ask Steelco Group"]}),
        "option_effects": pl.DataFrame({"option": ["M1", "M1"], "effect": ["add_node"] * 2,
                                        "node": ["New Partner GmbH", "Other Partner"],
                                        "product": ["STEEL"] * 2, "region": ["HOME"] * 2,
                                        "amount": [50.0, 5.0]}),
        "sources": pl.DataFrame({"source": ["S1"], "statement": ["Steelco Group says so"]}),
        "targets": pl.DataFrame({"indicator": ["esri"], "filter": [f"node={NAMES[1]}"],
                                 "direction": ["at_most"], "year": [2090], "value": [0.1]}),
    }  # fmt: skip
    return net.build(tables, replace(net.settings, name="Steelco plant"), {})


@pytest.fixture(scope="module")
def project(network, tmp_path_factory):
    folder = readers.write_folder(network, tmp_path_factory.mktemp("hide") / "Steelco Group plant")
    workbench.take_snapshot(folder, "first")
    return folder


def texts_of(file):
    """Everything in a file that somebody could read, unescaped; of a workbook, each part."""
    if file.suffix == ".xlsx":
        with zipfile.ZipFile(file) as book:
            return [html.unescape(book.read(n).decode("utf-8")) for n in book.namelist()]
    raw = file.read_text(encoding="utf-8").replace(_plotly(), "")  # the library, the same in all
    plain = re.sub(r"\\u([0-9a-fA-F]{4})", lambda m: chr(int(m[1], 16)), raw)
    return [raw, html.unescape(raw), html.unescape(html.unescape(plain))]


@pytest.mark.slow
def test_no_original_name_occurs_in_any_file(network, project, tmp_path, capsys):
    hidden = {*every_name([network]), "Steelco", "Ärger", "New Partner"}
    common = ["--project", str(project), "--hide-names", "--json"]
    out = [tmp_path / f"{what}.{end}" for what in ("c", "t", "d") for end in
           ("html", "xlsx", "json")]  # fmt: skip
    given = {w: [x for f in out if f.stem == w for x in ("--out", str(f))] for w in "ctd"}
    report = [tmp_path / "r.html", tmp_path / "r.xlsx"]
    said = []
    for words in (
        ["report", "--to", ",".join(map(str, report))],
        ["compare", "base", "first", *given["c"]],
        ["track", "targets", *given["t"]],
        ["track", "diff", "first", *given["d"]],
    ):
        assert main([*words, *common]) == 0
        said.append(capsys.readouterr().out.replace(str(tmp_path), ""))
    assert re.search(r"Supplier 00[1-5]", " ".join(texts_of(report[0])))
    for text in [*said, *(t for f in [*report, *out] for t in texts_of(f))]:
        found = {name for name in hidden if name.casefold() in text.casefold()}
        assert not found


def test_a_name_keeps_its_number_and_new_ones_get_others(network, project, tmp_path):
    folder = readers.write_folder(network, tmp_path / "shop")
    first = workbench.hiding_for(folder, [network])
    kept = json.loads((folder / "hidden_names.json").read_text())
    assert kept["numbers"]["node"] == first.numbers["node"]
    more = network.tables["nodes"].with_columns(pl.col("site").replace("Osaka Bay", "Annex"))
    second = workbench.hiding_for(folder, [network.with_changes({"nodes": more})])
    assert first.numbers["site"].items() <= second.numbers["site"].items()
    assert second.alias("site", "Annex") == "Site 004"
    other = workbench.hiding_for(project, [network])
    assert other.key != first.key
    (folder / "hidden_names.json").write_text("{}")
    with pytest.raises(UsageError, match="cannot be read"):
        workbench.hiding_for(folder, [network])


def test_numbers_do_not_follow_the_alphabet():
    orders = set()
    for key in (b"a", b"b", b"c", b"d"):
        hiding = Hiding(key=key)
        hiding.learn(examples.example("robot_maker"))
        orders.add(tuple(hiding.numbers["node"]))
        assert list(hiding.numbers["node"]) != sorted(hiding.numbers["node"])
    assert len(orders) == 4


def test_results_are_the_same_under_other_names():
    net = examples.example("robot_maker")
    hiding = Hiding(key=b"k")
    hiding.learn(net)
    other = hiding.network(net)
    assert other.region_labels.tolist() == net.region_labels.tolist()
    assert other.product_labels.tolist() == net.product_labels.tolist()
    assert not set(other.node_labels) & set(net.node_labels)
    assert measures.exposure(other).shares.equals(measures.exposure(net).shares)
    a, b = (measures.coverage_by_region(n) for n in (net, other))
    assert a["feasible_output"].to_list() == pytest.approx(b["feasible_output"].to_list())
