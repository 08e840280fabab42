"""Trade in the report: numbers of the screens, hostile names harmless, a workbook of live types."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import re
from dataclasses import replace
from pathlib import Path

import openpyxl
import polars as pl
import pytest

import trade_screen_cases as cases
from figure_texts import strings
from pages_read import CHROMIUM, LOADS, Parsed, browse
from trade_screen_cases import BLOC, GEARS, MAGNETS, METALS
from withstand import workbench
from withstand.measures.screen_presets import known_screens
from withstand.measures.substitutions import Rerouting
from withstand.report import trade_figures, trade_supply_figures
from withstand.report.trade_contents import CLOSE, FLAGGED, FREE, TradeContents
from withstand.report.trade_page import trade_page, trade_workbook
from withstand.report.trade_said import sentences, source_said, title
from withstand.report.trade_sections import trade_sections
from withstand.report.trade_tables import trade_tables

EVIL = "</script><img src=x onerror=\"document.title='broken into'\"> & '%{x}' <b>b</b>"
ANCHORS = ["headline", "screens", "distances", "years", "chances", "suppliers", "materials",
           "losses", "data", "basis"]  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("trade")


@pytest.fixture(scope="module")
def made(folder: Path) -> TradeContents:
    """Everything that the page can show of the small cube."""
    return workbench.screen_trade(
        workbench.read_cube([cases.baci(folder)]), BLOC, draws=60, names=cases.names(folder),
        **cases.materials(folder), governance_scale="0-10", sigma="3",
        rerouting=Rerouting(stock_days=10.0),
    )  # fmt: skip


def test_the_matrix_shows_the_verdict_of_every_screen(made: TradeContents) -> None:
    drawn = trade_figures.screen_matrix(made.states).data[0]
    states = {
        (cell[0][:6], cell[1]): cell[2] for row in drawn.customdata for cell in row
    }  # code of the label, screen
    verdicts = made.screens.verdicts.filter(pl.col("year") == 2022)
    assert len(states) == verdicts.height == 15
    for product, preset, flagged, margin in verdicts.select(
        "product", "preset", "flagged", "margin"
    ).iter_rows():
        if preset == "geodep_2024":  # in two of three years
            continue
        wanted = FLAGGED if flagged else CLOSE if margin >= -0.1 else FREE
        assert states[product, preset] == wanted
    assert states[METALS, "ec_2021"] == CLOSE  # 10/11 of the threshold
    text = {t for row in drawn.text for t in row}
    assert text == {"●", "○", ""}  # colours are not needed to read it


def test_the_points_stand_where_the_indicators_say(made: TradeContents) -> None:
    first, second = made.preset.conditions[:2]
    frame = made.ranked.with_columns(label=pl.col("name"))
    drawn = trade_figures.two_conditions(
        frame.select(
            "product", "label", "flagged", "imports", x=first.indicator, y=second.indicator
        ),
        first,
        second,
    )
    points = {t.name: sorted(zip(t.x, t.y, strict=True)) for t in drawn.data}
    assert points["flagged"] == [pytest.approx((0.82, 1.0))]
    assert points["not flagged"] == [pytest.approx((0.25, 1.0)), pytest.approx((0.68, 10 / 16))]
    lines = {(s.x0, s.y0) for s in drawn.layout.shapes if s.type == "line"}
    assert lines == {(0.4, 0), (0, 0.5)}


def test_years_show_what_was_ever_flagged_and_churn_adds_up(made: TradeContents) -> None:
    drawn = trade_figures.flags_over_years(made.by_year).data[0]
    assert [[c[2] for c in row] for row in drawn.customdata] == [[FLAGGED, FREE, FLAGGED]]
    frame = made.counts
    for preset in frame["preset"].unique():
        own = frame.filter(pl.col("preset") == preset)
        for before, after in zip(own.rows(named=True), own.rows(named=True)[1:], strict=False):
            assert after["flagged"] == before["flagged"] - after["left"] + after["entered"]


def test_shares_of_suppliers_add_up_and_small_ones_are_one_piece(made: TradeContents) -> None:
    frame = made.suppliers.select(
        "share",
        label=pl.col("product"),
        supplier=pl.Series([made.place(r) for r in made.suppliers["exporter"]]),
    )
    for product, own in made.suppliers.group_by("product"):
        assert own.drop("product").equals(made.screens.suppliers(str(product[0]), 2022))
    drawn = trade_supply_figures.supplier_stack(frame)
    for at in range(3):
        assert sum(t.x[at] or 0.0 for t in drawn.data) == pytest.approx(100.0, abs=1e-3)
    many = pl.DataFrame(
        {"label": ["A"] * 12, "supplier": [f"S{i:02}" for i in range(12)], "share": [1 / 12] * 12}
    )
    traces = trade_supply_figures.supplier_stack(many).data
    assert sum(t.x[0] or 0.0 for t in traces) == pytest.approx(100.0, abs=1e-3)
    assert traces[-1].x[0] == pytest.approx(50.0, abs=1e-3)


def test_sentences_give_the_numbers(made: TradeContents) -> None:
    assert title(made) == "In 2022 1 of 3 products is flagged for DE+FR by ec_2021"
    text = " ".join(sentences(made))
    for said in (
        "35.7 % of the value", "Permanent magnets of metal (90.0 % from China)", "60 draws",
        "Of 1 product ever flagged from 2020 to 2022, none is flagged in every year",
        "1 came and 0 left from 2021 to 2022", "geodep_2024 1, pc_2021 1",
        "2 of 2 materials have a supply risk of 1 or more",
    ):  # fmt: skip
        assert said in text
    assert "Etalab" in source_said(made)
    own = replace(made, source="Customs of DE and FR, 2023")
    assert source_said(own).startswith("Source: Customs of DE and FR, 2023. Read from BACI_HS92")
    alone = replace(made, screens=made.screens, production=None, risk=None, losses=None)
    assert [s.anchor for s in trade_sections(alone)] == [
        a for a in ANCHORS if a not in ("materials", "losses")
    ]


def test_every_chart_has_its_table_and_every_table_fits_a_sheet(made: TradeContents) -> None:
    sections = trade_sections(made)
    assert [s.anchor for s in sections] == ANCHORS
    for section in sections:
        assert section.body.count("data-chart=") <= section.body.count("<table")
    for table in trade_tables(made):
        assert len(table.name) <= 31
        assert table.frame.width == len(table.columns)
    assert len({t.name for t in trade_tables(made)}) == len(trade_tables(made))


@pytest.mark.parametrize("preset", sorted(known_screens()))
def test_any_screen_may_lead_and_nothing_may_be_flagged(folder: Path, preset: str) -> None:
    cube = workbench.read_cube([cases.baci(folder)])
    quiet = workbench.screen_trade(
        cube, BLOC, presets=workbench.screens_of([preset]), years=range(2022, 2023), draws=0,
        minimum=1e9,
    )  # fmt: skip
    assert not quiet.flagged
    assert title(quiet).startswith("In 2022 none of 3 products are flagged")
    assert "chances" not in [s.anchor for s in trade_sections(quiet)]
    assert trade_page(quiet).startswith(b"<!doctype html>")


def test_the_workbook_holds_numbers_as_numbers(made: TradeContents) -> None:
    book = openpyxl.load_workbook(io.BytesIO(trade_workbook(made)))
    assert book.sheetnames == ["Read me", *(t.name for t in trade_tables(made))]
    sheet = book["Products"]
    header = [c.value for c in sheet[1]]
    rows = {r[0].value: r for r in sheet.iter_rows(min_row=2)}
    assert set(rows) == {MAGNETS, METALS, GEARS}  # codes are text
    imports = rows[MAGNETS][header.index("Imports from outside (thousand USD)")]
    assert (imports.value, imports.data_type) == (10.0, "n")
    assert rows[MAGNETS][header.index("Flagged by ec_2021")].value is True
    share = rows[MAGNETS][header.index("Largest supplier's share (%)")]
    assert (share.value, share.number_format) == (pytest.approx(0.9), "0.0%")


@pytest.fixture(scope="module")
def evil(made: TradeContents) -> TradeContents:
    """The same with names that would like to run."""
    names = {MAGNETS: EVIL, METALS: "=1+1", GEARS: "@SUM(A1)"}
    partners = made.cube.partners.with_columns(region=pl.col("region"), name=pl.col("name") + EVIL)
    cube = replace(made.cube, name=EVIL, partners=partners, value_unit=EVIL)
    screens = replace(made.screens, bloc=EVIL, _cube=cube)
    return replace(made, cube=cube, screens=screens, names=names, source=EVIL)


def test_hostile_names_stay_text(evil: TradeContents) -> None:
    page = trade_page(evil).decode()
    parsed = Parsed(page)
    assert not [t for t, _ in parsed.elements if t in ("img", "b", "iframe")]
    for tag, attributes in parsed.elements:
        assert not [a for a in attributes if a.startswith("on")], tag
        for attribute in LOADS & set(attributes):
            assert str(attributes[attribute]).startswith("#")
    policy = re.search(r"script-src ([^;]+);", page)[1]
    for kind, text in parsed.scripts:
        if kind.get("type") != "application/json":
            digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
            assert f"'sha256-{digest}'" in policy
            continue
        for shown in strings(json.loads(text)):
            assert "<img" not in shown
            assert "<script" not in shown
    book = openpyxl.load_workbook(io.BytesIO(trade_workbook(evil)))
    cells = [c for sheet in book for row in sheet.iter_rows() for c in row]
    assert not [c for c in cells if c.data_type == "f" or c.hyperlink]


@pytest.mark.slow
def test_a_browser_draws_every_chart_without_a_complaint(
    evil: TradeContents, tmp_path: Path
) -> None:
    if CHROMIUM is None:
        pytest.skip("no chromium on this machine")
    page = trade_page(evil)
    file = tmp_path / "trade.html"
    file.write_bytes(page)
    done = browse(file, tmp_path / "profile")
    assert [line for line in done.stderr.splitlines() if "CONSOLE" in line] == []
    dom = re.sub(r"<script.*?</script>", "", done.stdout, flags=re.DOTALL)
    charts = [a for _, a in Parsed(dom).elements if "js-plotly-plot" in (a.get("class") or "")]
    assert len(charts) == page.count(b"data-chart=") == 7
    assert 'data-drawn="yes"' in dom
    assert "<title>broken into" not in dom
