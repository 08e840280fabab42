"""Partners in the report: the numbers of the measure, bounds that are said, names harmless."""

from __future__ import annotations

import io
from dataclasses import replace

import openpyxl
import polars as pl
import pytest

from figure_texts import strings
from pages_read import Parsed
from withstand import examples, measures
from withstand.report import capability_figures, partner_figures, partner_gathering
from withstand.report.contents import Contents
from withstand.report.page import page
from withstand.report.partner_contents import PartnerContents
from withstand.report.partner_gathering import gather_partners, partners_of_report
from withstand.report.partner_page import partner_page, partner_workbook
from withstand.report.partner_said import sentences, title
from withstand.report.partner_sections import partner_section
from withstand.report.words import percent
from withstand.report.workbook import workbook

MADE_AT = "2026-11-22 10:00"
EVIL = "</script><img src=x onerror=\"document.title='broken into'\"> & '%{x}' <b>b</b>"


@pytest.fixture(scope="module")
def few() -> PartnerContents:
    """Five candidates of the robot maker, with reliability: shares are exact."""
    return gather_partners(
        examples.example("robot_maker"), made_at=MADE_AT,
        candidates=["CN", "DE", "JP", "TW", "US"], most=3,
        reliability={"CN": 0.4, "DE": 0.9, "JP": 0.9, "TW": 0.7, "US": 0.8},
    )  # fmt: skip


def test_the_section_has_the_best_sets_of_the_measure(robots: Contents) -> None:
    assert robots.partners is not None
    found = measures.partners(robots.network, most=3)
    text = Parsed(partner_section(robots.partners).body).text
    assert title(robots.partners) == "With China, Germany and Japan, 40.0 % of demand can be met"
    for one in found.sets:
        assert percent(one.coverage) in text
    assert "China, Japan and United States" in text  # ties with the best set
    assert f"It takes {found.needed().k} partners to reach 100 %" in text
    book = openpyxl.load_workbook(io.BytesIO(workbook(robots)))
    rows = list(book["Best partners"].iter_rows(values_only=True))[1:]
    assert [r[2] for r in rows] == pytest.approx([s.coverage for s in found.sets])


def test_partners_stand_in_the_report_where_regions_make_sense(
    robots: Contents, tiny: Contents
) -> None:
    sections = [a["id"] for tag, a in Parsed(page(robots).decode()).elements if tag == "section"]
    assert "partners" in sections
    assert tiny.partners is None  # one region abroad: nothing to choose
    settings = replace(robots.network.settings, home=None)
    nowhere = replace(robots.network, settings=settings)
    assert partners_of_report(nowhere, MADE_AT) == (None, ())


def test_what_was_left_out_of_a_large_network_is_said(
    robots: Contents, monkeypatch: pytest.MonkeyPatch
) -> None:
    network = robots.network
    monkeypatch.setattr(partner_gathering, "LINK_CANDIDATES", 5 * network.n_links)
    monkeypatch.setattr(partner_gathering, "LINK_ORDERS", 1)
    monkeypatch.setattr(partner_gathering, "CLOSING_LINKS", 1)
    made, why = partners_of_report(network, MADE_AT)
    assert why == ()
    assert made is not None
    assert len(made.found.candidates) == 5
    assert made.shares is None
    said = Parsed(partner_section(made).body).text
    assert "Only the 5 largest suppliers abroad were tried" in said
    assert "22 smaller ones were left out" in said
    assert "what each partner contributes was not drawn" in said
    assert "was not looked for" in said
    monkeypatch.setattr(partner_gathering, "MOST_LINKS", 1)
    made, why = partners_of_report(network, MADE_AT)
    assert made is None
    assert "partners were not looked for" in why[0]


def test_drawn_shares_and_reliability_are_those_of_the_frames(few: PartnerContents) -> None:
    assert few.shares is not None
    names = few.all_called(few.shares["partner"])
    drawn = partner_figures.contributions(few.shares, names, "share")
    bars = {y: x for t in drawn.data if t.type == "bar" for y, x in zip(t.y, t.x, strict=True)}
    assert [bars[r] for r in range(5)] == pytest.approx(
        [round(100 * x, 4) for x in few.shares["shapley"]], abs=1e-4
    )
    dots = next(t for t in drawn.data if t.name == "reliability")
    assert list(dots.x) == few.shares["reliability"].to_list()
    sets = [(few.all_called(s.partners), s.coverage, s.expected) for s in few.found.sets]
    chart = partner_figures.best_sets(sets, "share")
    dots = [t for t in chart.data if t.type == "scatter" and t.mode == "markers"]
    members = next(t for t in dots if t.marker.symbol == "circle")
    got = sorted(zip(members.x, members.customdata, strict=True))
    assert got == sorted((k, n) for k, (m, _, _) in enumerate(sets) for n in m)
    expected = next(t for t in chart.data if "expected" in str(t.name))
    assert list(expected.y) == pytest.approx([100 * s[2] for s in sets], abs=1e-3)


def test_sentences_say_how_sure_the_best_set_is(few: PartnerContents) -> None:
    said = " ".join(sentences(few))
    assert "No set of 3 covers more" in said
    assert "is to be expected of this set" in said
    best = few.found.sets[3]
    wide = replace(best, bound=best.coverage + 0.125)
    unsure = replace(few, found=replace(few.found, sets=(*few.found.sets[:3], wide)))
    assert "at most 12.50 % below the best" in " ".join(sentences(unsure))


def test_hostile_names_break_nothing(few: PartnerContents) -> None:
    tables = {**few.network.tables}
    tables["regions"] = tables["regions"].with_columns(pl.col("name") + EVIL)
    bad = replace(few, network=replace(few.network, tables=tables))
    assert EVIL in bad.called("CN")
    parsed = Parsed(partner_page(bad).decode())
    assert not [a for tag, a in parsed.elements if tag in ("img", "b")]
    assert partner_workbook(bad)[:2] == b"PK"
    assert bad.shares is not None
    names = bad.all_called(bad.shares["partner"])
    for text in strings(partner_figures.contributions(bad.shares, names, "x")):
        assert "<b>" not in text
        assert "<img" not in text


def test_ranks_are_drawn_with_their_intervals_and_home_below_the_rest() -> None:
    frame = pl.DataFrame(
        {"place": [f"P{i}" for i in range(1, 31)], "rank": range(1, 31),
         "eci": [3.0 - 0.1 * i for i in range(30)], "low": [max(i - 1, 1) for i in range(1, 31)],
         "high": [i + 2 for i in range(1, 31)]}
    )  # fmt: skip
    drawn = capability_figures.places(frame, "P30")
    home = next(t for t in drawn.data if t.name == "P30")
    assert (list(home.x), list(home.y)) == ([30], [20])
    lines = next(t for t in drawn.data if t.mode == "lines")
    assert list(lines.x)[-3:-1] == [29, 32]
    candidates = pl.DataFrame(
        {"rank": [1, 2], "name": ["a", "b"], "density": [0.5, 0.25], "pci": [1.0, -1.0]}
    )
    reach = capability_figures.within_reach(candidates, most=1)
    best = next(t for t in reach.data if "by rank" in t.name)
    assert (list(best.x), list(best.y), list(best.text)) == ([0.5], [1.0], ["1"])
