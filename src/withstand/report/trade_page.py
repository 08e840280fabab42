"""Trade as a page and as a workbook of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from withstand.report import page, workbook
from withstand.report.trade_said import NOT_STATED, sentences, source_said
from withstand.report.trade_sections import trade_sections
from withstand.report.trade_tables import trade_settings_table, trade_tables
from withstand.report.words import clean, plural

if TYPE_CHECKING:
    from withstand.report.trade_contents import TradeContents


def trade_page(contents: TradeContents) -> bytes:
    """Return the report of trade as one HTML page; see `withstand.report.page.page`."""
    cube = contents.cube
    return page.document(
        f"Trade of {clean(contents.screens.bloc)}",
        contents.made_at,
        "Trade screens",
        f"Computed {contents.made_at} from {cube.n_rows:,} flows of"
        f" {plural(len(cube.products), 'product')} ({clean(cube.vintage)}), {contents.first} to"
        f" {contents.year}. {_unit_said(cube.value_unit)}",
        trade_sections(contents),
    )


def _unit_said(unit: str) -> str:
    """Say what values are in."""
    return f"Values are in {clean(unit)}." if unit != NOT_STATED else "The unit is not stated."


def trade_workbook(contents: TradeContents) -> bytes:
    """Return the report of trade as an XLSX file; see `withstand.report.workbook.workbook`."""
    return workbook.bound(
        f"Trade of {contents.screens.bloc}",
        contents.made_at,
        [*sentences(contents), source_said(contents)],
        trade_tables(contents),
        trade_settings_table(contents),
    )
