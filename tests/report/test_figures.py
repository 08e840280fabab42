"""Figures and what they are drawn from: flows that add up, labels that obey nothing."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from figure_texts import strings
from withstand.report import figures
from withstand.report.basis import basis_counts, class_of
from withstand.report.chokepoints import chokepoints
from withstand.report.contents import Contents
from withstand.report.flows import origins_by_tier, tier_flows
from withstand.report.words import label

INPUTS = ("robots", "tiny", "firms")


@pytest.mark.parametrize("name", INPUTS)
def test_a_tier_never_delivers_less_to_others_than_they_pass_on(
    request: pytest.FixtureRequest, name: str
) -> None:
    """What a tier buys is at most what it delivers: the rest is its own work."""
    flows = tier_flows(request.getfixturevalue(name).network).flows
    totals = flows.group_by("tier").agg(pl.col("share").sum()).sort("tier")["share"].to_list()
    assert all(a >= b - 1e-9 for a, b in zip([1.0, *totals], totals, strict=False))


def test_the_first_tier_is_what_the_viewpoint_buys(robots: Contents) -> None:
    """By hand: inputs of one robot that have a price, against its price of 20,000."""
    network = robots.network
    flows = tier_flows(network)
    bought = network.suppliers_of("ROBOT@HOME")
    price = dict(zip(network.node_labels, np.nan_to_num(network.price), strict=True))
    value = sum(f * price[s] for s, f in bought.select("supplier", "flow").iter_rows())
    made = network.output[network.index("nodes")["ROBOT@HOME"]] * price["ROBOT@HOME"]
    first = flows.flows.filter(pl.col("tier") == 1)["share"].sum()
    assert first == pytest.approx(value / made, rel=1e-9)  # the same sum in another order
    assert flows.home_share(1, ["HOME"]) == pytest.approx(robots.exposure.tier1_home_share)


def test_what_makers_abroad_would_buy_is_marked_as_assumed(robots: Contents) -> None:
    flows = tier_flows(robots.network).flows
    known = flows.filter(pl.col("to_region") == "HOME")
    assert not known["is_assumed"].any()
    assert flows.filter((pl.col("to_region") != "HOME") & (pl.col("tier") > 1))["is_assumed"].all()


def test_origins_of_each_tier_add_up(firms: Contents) -> None:
    frame = origins_by_tier(firms.concentration)
    sums = frame.group_by("tier").agg(pl.col("share").sum())["share"].to_list()
    assert sums == pytest.approx([1.0] * len(sums))


def test_chokepoints_lie_outside_home_and_the_largest_hangs_most(robots: Contents) -> None:
    found = chokepoints(robots)
    assert "HOME" not in found["region"]
    assert found["hangs"].is_sorted(descending=True)
    first = found.row(0, named=True)
    face = robots.concentration.why(first["product"])
    assert first["share"] == pytest.approx(face.filter(pl.col("source") != "HOME")["share"].max())
    assert first["basis"] == class_of(first["basis_text"])
    assert "suppl" in first["reasons"]


def test_a_chokepoint_says_how_long_the_stock_at_home_lasts(tiny: Contents) -> None:
    """The plant holds three weeks of steel."""
    row = chokepoints(tiny).row(0, named=True)
    assert row["stock"] == pytest.approx(3.0)
    assert "3 weeks of stock" in row["reasons"]


def test_every_counted_number_has_one_basis(robots: Contents) -> None:
    counts = basis_counts(robots.network)
    parts = counts.select(pl.sum_horizontal(pl.exclude("table", "column", "numbers")))
    assert parts.to_series().to_list() == counts["numbers"].to_list()


def test_labels_obey_no_markup_and_no_template() -> None:
    text = label("<b>x</b>&lt;i&gt; %{y}<br>", 60)
    assert text == "&lt;b&gt;x&lt;/b&gt;&amp;lt;i&amp;gt; % {y}&lt;br&gt;"


def test_figures_of_hostile_names_hold_no_markup(hostile: Contents) -> None:
    network = hostile.network
    drawn = [
        figures.tier_map(network, tier_flows(network)),
        figures.value_by_region(network, hostile.exposure),
        figures.output_without(network, hostile.losses),
        figures.deliveries(hostile.runs[0], hostile.shared_run),
        figures.origins(network, origins_by_tier(hostile.concentration)),
    ]
    for figure in drawn:
        texts = [t.replace("<extra>", "").replace("</extra>", "") for t in strings(figure)]
        assert [t for t in texts if "<" in t] == []


def test_every_colour_of_a_figure_has_a_dark_twin(robots: Contents) -> None:
    network = robots.network
    figure = figures.tier_map(network, tier_flows(network))
    used = {*figure.data[0].node.color, *figure.data[0].link.color, figure.layout.font.color}
    assert used <= set(figures.dark_colours())


def test_bars_of_regions_end_with_the_sum_of_the_others(robots: Contents) -> None:
    bars = figures.value_by_region(robots.network, robots.exposure).data[0]
    assert len(bars.x) == figures.MOST_BARS + 1
    assert sum(bars.x) == pytest.approx(100.0, abs=1e-2)  # each bar is rounded to 4 digits
