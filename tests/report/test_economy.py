"""Figures of economies: what is drawn is what the results say, and labels obey nothing."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from figure_texts import strings
from tiny_economies import economy
from withstand import measures
from withstand.errors import UsageError
from withstand.model.network import ProductionNetwork
from withstand.report import economy as drawn
from withstand.report.figures import dark_colours

EVIL = "<a href='https://evil.example'>b</a>"


def _world(first: str = "DE") -> ProductionNetwork:
    """Two regions with two sectors each; cars of FR buy most of the steel of the other region."""
    return economy(
        [[10, 30, 0, 20], [0, 0, 0, 0], [0, 5, 5, 10], [5, 0, 5, 0]],
        [[5, 5], [60, 20], [5, 10], [10, 50]],
        regions=[first, first, "FR", "FR"],
        sectors=["steel", "cars", "steel", "cars"],
        users=[first, "FR"],
    )


def _panels(network: ProductionNetwork) -> list[drawn.Panel]:
    lines = pl.DataFrame(
        {"year": [2000, 2010] * 2, "name": ["DE", "DE", EVIL, EVIL], "share": [0.5, 0.4, 0.1, 0.2]}
    )
    return [
        drawn.exposure_map(measures.foreign_reliance(network)),
        drawn.position_scatter(
            measures.upstreamness(network), measures.downstreamness(network), marked="FR"
        ),
        drawn.path_tree(measures.structural_paths(network, "cars@FR", n=6)),
        drawn.export_origins(measures.export_decomposition(network)),
        drawn.time_lines(lines, "share", group="name", what="Share of the value"),
    ]


def test_every_panel_has_a_sentence_a_figure_and_its_numbers() -> None:
    for panel in _panels(_world()):
        assert panel.title.endswith(".")
        assert len(panel.figure.data) >= 1
        assert panel.table.frame.height > 0
        assert len(panel.table.columns) == panel.table.frame.width
        assert panel.table.to_frame().width == panel.table.frame.width


def test_names_are_text_wherever_they_stand() -> None:
    # The model refuses such names; a frame of lines may come from anywhere.
    lines = _panels(_world())[-1]
    assert any("evil" in text for text in strings(lines.figure))
    assert not any("<a " in text for text in strings(lines.figure))


def test_every_colour_has_one_for_dark_pages() -> None:
    known = dark_colours()
    for panel in _panels(_world()):
        for text in strings(panel.figure):
            assert not text.startswith("#") or text in known or text in ("#ffffff", "#0d1318")


@pytest.mark.parametrize("version", ["face", "gross", "value"])
def test_exposure_map_shows_the_shares_of_the_result(version: str) -> None:
    reliance = measures.foreign_reliance(_world())
    panel = drawn.exposure_map(reliance, version=version)
    heat = panel.figure.data[0]
    assert len(heat.z) <= drawn.MOST_SOURCES
    shares = {
        (row["source"], row["node"]): row[version]
        for row in reliance.to_frame().filter("is_foreign").iter_rows(named=True)
    }
    for row, cells in zip(heat.z, heat.customdata, strict=True):
        for value, (source, buyer) in zip(row, cells, strict=True):
            assert (value or 0.0) == pytest.approx(100 * shares.get((source, buyer), 0.0), abs=1e-3)


def test_face_value_by_hand() -> None:
    # Cars of FR buy 20 and 10 of steel: 20 of 30 come from DE.
    panel = drawn.exposure_map(measures.foreign_reliance(_world()), version="face")
    assert panel.title == (
        "cars@FR has the largest part from one region abroad: 66.7 % of its purchases come from DE."
    )


def test_scatter_draws_every_node_once_and_larger_where_more_is_sold() -> None:
    net = _world()
    up, down = measures.upstreamness(net), measures.downstreamness(net)
    panel = drawn.position_scatter(up, down, marked="FR")
    others, own, _ = panel.figure.data
    assert len(others.x) + len(own.x) == net.n_nodes
    assert len(own.x) == 2
    sizes = dict(zip([c[0] for c in others.customdata], others.marker.size, strict=True))
    assert sizes["cars@DE"] > sizes["steel@DE"]
    plain = drawn.position_scatter(up, down)
    np.testing.assert_allclose(sorted(plain.figure.data[0].y), sorted(up.values), atol=1e-4)


def test_tree_bars_are_the_shares_of_the_paths() -> None:
    paths = measures.structural_paths(_world(), "cars@FR", n=6)
    panel = drawn.path_tree(paths)
    whole, own = panel.figure.data
    assert sum(own.x) == pytest.approx(100 * paths.covered, abs=1e-2)
    assert whole.x[0] == pytest.approx(100 * paths.covered, abs=1e-2)
    widths = {len(t) for t in panel.figure.layout.yaxis.ticktext}
    assert len(widths) == 1  # one width, so that the tree is not pushed to the right


def test_bars_of_exports_add_up_to_all_exports() -> None:
    panel = drawn.export_origins(measures.export_decomposition(_world()))
    sums: dict[int, float] = {}
    for bar in panel.figure.data:
        for row, value in zip(bar.y, bar.x, strict=True):
            sums[row] = sums.get(row, 0.0) + value
    assert list(sums.values()) == [pytest.approx(100.0, abs=1e-2)] * 2


def test_lines_start_and_end_where_the_frame_does() -> None:
    frame = pl.DataFrame({"year": [2011, 1995], "share": [0.66, 0.79]})
    panel = drawn.time_lines(frame, "share", what="Domestic value")
    assert panel.title == "Domestic value: 79 % in 1995, 66 % in 2011."
    assert list(panel.figure.data[0].x) == [1995, 2011]


def test_what_cannot_be_drawn_is_refused_with_a_reason() -> None:
    net = _world()
    up, down = measures.upstreamness(net), measures.downstreamness(net)
    with pytest.raises(UsageError, match="must be one of face"):
        drawn.exposure_map(measures.foreign_reliance(net), version="tiers")
    with pytest.raises(UsageError, match="upstreamness first"):
        drawn.position_scatter(down, up)
    with pytest.raises(UsageError, match="different networks"):
        drawn.position_scatter(up, measures.downstreamness(_world("ES")))
    with pytest.raises(UsageError, match="'JP'"):
        drawn.position_scatter(up, down, marked="JP")
    with pytest.raises(UsageError, match="lacks year"):
        drawn.time_lines(pl.DataFrame({"share": [1.0]}), "share", what="x")
    alone = economy([[0, 1], [0, 0]], [[1], [5]], regions=["A", "A"], sectors=["s", "c"])
    with pytest.raises(UsageError, match="No input comes from abroad"):
        drawn.exposure_map(measures.foreign_reliance(alone))
    with pytest.raises(UsageError, match="Nothing is exported"):
        drawn.export_origins(measures.export_decomposition(alone))
