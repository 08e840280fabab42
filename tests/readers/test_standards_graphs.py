"""Graphs: what is written comes back the same, and foreign or hostile files are understood."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import igraph
import networkx
import numpy as np
import polars as pl
import pytest

import mrio_files
import withstand as ws
from standard_files import BOMB, OUTSIDE
from withstand.errors import UsageError


def firms() -> ws.ProductionNetwork:
    nodes = pl.DataFrame(
        {
            "id": ["mill", 'a "b" & c', "two  blanks", "é"],
            "sector": ["steel", "gears", "gears", "ore"],
            "region": ["DE", "FR", "DE", "CL"],
            "output": [10.0, 1 / 3, 7.25, 1e-7],
            "latitude": [50, None, None, -30],
        }
    )
    links = pl.DataFrame(
        {
            "supplier": ["mill", "mill", "é", "é"],
            "buyer": ['a "b" & c', "two  blanks", "mill", "é"],
            "value": [0.1, 2.0, 1 / 3, 1e-9],
            "route": [None, "canal", None, None],
        }
    )
    classes = pl.DataFrame(
        {"supplier_sector": ["steel"], "buyer_sector": ["gears"], "class": ["essential"]}
    )
    network = ws.network_from_links(nodes, links, classes, home="DE", currency="EUR")
    return network.with_changes(settings=replace(network.settings, thresholds={"loss": 0.1}))


def economy(place: Path) -> ws.ProductionNetwork:
    w = mrio_files.world(["DEU", "USA"], ["A", "B"], ["HFCE", "INVNT"])
    mrio_files.write_oecd(w, place / "2020.csv")
    return ws.read_mrio(place / "2020.csv", home="DEU")


@pytest.fixture(scope="module")
def networks(tmp_path_factory: pytest.TempPathFactory) -> dict[str, ws.ProductionNetwork]:
    return {
        "firms": firms(),
        "plant": ws.example("robot_maker"),
        "economy": economy(tmp_path_factory.mktemp("economy")),
    }


@pytest.mark.parametrize("name", ["firms", "plant", "economy"])
@pytest.mark.parametrize("way", [".graphml", ".gexf", "networkx", "igraph"])
def test_a_network_comes_back_with_its_fingerprint(
    networks: dict[str, ws.ProductionNetwork], tmp_path: Path, name: str, way: str
) -> None:
    network = networks[name]
    if way.startswith("."):
        again = ws.read_graph(ws.write_graph(network, tmp_path / f"network{way}"))
    else:
        again = ws.read_graph({"networkx": ws.to_networkx, "igraph": ws.to_igraph}[way](network))
    assert again.fingerprint() == network.fingerprint()
    assert again.settings == network.settings
    assert again.name == network.name
    assert sorted(again.node_labels.tolist()) == sorted(network.node_labels.tolist())


def test_other_programs_read_what_is_written_with_types(
    networks: dict[str, ws.ProductionNetwork], tmp_path: Path
) -> None:
    network = networks["firms"]
    by_networkx = networkx.read_graphml(ws.write_graph(network, tmp_path / "a.graphml"))
    by_igraph = igraph.Graph.Read_GraphML(str(tmp_path / "a.graphml"))
    gexf = networkx.read_gexf(ws.write_graph(network, tmp_path / "a.gexf"))
    assert set(by_networkx) == set(network.node_labels.tolist()) == set(gexf)
    assert (by_igraph.vcount(), by_igraph.ecount()) == (4, 4)
    for graph in (by_networkx, gexf):
        assert graph.nodes["mill"]["output"] == 10.0
        values = sorted(data["value"] for _, _, data in graph.edges(data=True))
        assert values == sorted([0.1, 2.0, 1 / 3, 1e-9])
    assert sorted(by_igraph.es["value"]) == values


def test_links_for_every_buyer_are_drawn_and_not_read_back(
    networks: dict[str, ws.ProductionNetwork],
) -> None:
    network = networks["plant"]
    graph = ws.to_networkx(network)
    assert graph.number_of_edges() == network.n_links
    flows = sum(d["flow"] for _, _, d in graph.edges(data=True) if d.get("derived"))
    assert 0 < flows <= network.link_flow.sum() * (1 + 1e-12)
    again = ws.read_graph(graph)
    assert again.n_links == network.n_links
    assert "N746" in {f.code for f in again.findings}


def test_a_graph_of_another_program_becomes_a_network_of_firms(tmp_path: Path) -> None:
    graph = networkx.DiGraph()
    graph.add_node(1, label="Mill", Sector="steel", country="DE")
    graph.add_node(2, label="Plant", Sector="gears")
    graph.add_edge(1, 2, weight=4)
    graph.add_edge(2, 1)
    networkx.write_graphml(graph, tmp_path / "a.graphml")
    networkx.write_gexf(graph, tmp_path / "a.gexf")
    igraph.Graph.Read_GraphML(str(tmp_path / "a.graphml")).write_graphml(
        str(tmp_path / "i.graphml")
    )
    for source in (graph, tmp_path / "a.graphml", tmp_path / "a.gexf", tmp_path / "i.graphml"):
        network = ws.read_graph(source)
        assert network.node_labels.tolist() == ["Mill", "Plant"]
        assert network.product_labels.tolist() == ["steel", "gears"]
        assert network.tables["nodes"]["region"][0] == "DE"
        assert network.tables["links"]["value"].to_list()[0] == 4.0
        assert network.settings.lens == "firms"
    codes = {f.code for f in ws.read_graph(graph).findings}
    assert {"N742", "W747"} <= codes


def test_attributes_can_be_named_and_undirected_graphs_are_told(tmp_path: Path) -> None:
    graph = networkx.Graph()
    graph.add_node("a", makes="x", where="JP")
    graph.add_node("b", makes="y", where="KR")
    graph.add_edge("a", "b", tonnes=np.float64(3.0), weight=9.0)
    network = ws.read_graph(graph, product="makes", region="where", value="tonnes", name="n")
    assert network.tables["links"]["value"].to_list() == [3.0]
    assert network.region_labels.tolist() == ["JP", "KR"]
    assert "W748" in {f.code for f in network.findings}
    with pytest.raises(UsageError, match="Did you mean tonnes"):
        ws.read_graph(graph, value="tones")


def test_weights_that_cannot_be_are_errors() -> None:
    graph = networkx.DiGraph()
    graph.add_edge("a", "b", weight=-4.0)
    with pytest.raises(ws.DataError):
        ws.read_graph(graph)


@pytest.mark.parametrize("start", [BOMB, OUTSIDE, '<?xml version="1.0"?><!DOCTYPE graphml>'])
@pytest.mark.parametrize("ending", [".graphml", ".gexf"])
def test_entities_and_document_types_are_refused(tmp_path: Path, start: str, ending: str) -> None:
    file = tmp_path / f"a{ending}"
    file.write_text(f'{start}<graphml><graph><node id="&a;"/></graph></graphml>')
    with pytest.raises(ws.DataError) as error:
        ws.read_graph(file)
    assert [f.code for f in error.value.findings] == ["E743"]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "E111"),
        ("no xml", "E113"),
        ("<graphml><graph>", "E113"),
        ("<svg/>", "E745"),
        ("<graphml><graph/></graphml>", "E745"),
        ('<graphml><graph><node id="a"/><node id="a"/></graph></graphml>', "E745"),
        ('<graphml><graph><node id="a"/><edge source="a" target="b"/></graph></graphml>', "E745"),
        ('<graphml><graph><node id="a"/></graph></graphml>', "E745"),
        (
            '<graphml><key id="w" for="edge" attr.name="weight" attr.type="double"/><graph>'
            '<node id="a"/><edge source="a" target="a"><data key="w">x</data></edge>'
            "</graph></graphml>",
            "E745",
        ),
        (
            '<graphml><key id="g" attr.name="withstand" attr.type="string"/><graph>'
            '<data key="g">{"format": 1}</data><node id="a"/></graph></graphml>',
            "E745",
        ),
    ],
)
def test_a_file_that_is_no_graph_is_refused(tmp_path: Path, text: str, code: str) -> None:
    (tmp_path / "a.graphml").write_text(text)
    with pytest.raises(ws.DataError) as error:
        ws.read_graph(tmp_path / "a.graphml")
    assert code in {f.code for f in error.value.findings}


def test_wrong_use_is_said(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no graph"):
        ws.read_graph(3)
    with pytest.raises(UsageError, match="no file"):
        ws.read_graph(tmp_path / "none.graphml")
    with pytest.raises(UsageError, match="graphml"):
        ws.write_graph(firms(), tmp_path / "a.png")
