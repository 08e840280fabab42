"""Partners as a page and as a workbook of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from withstand.report import page, workbook
from withstand.report.partner_said import sentences
from withstand.report.partner_sections import partner_sections
from withstand.report.partner_tables import partner_settings_table, partner_tables
from withstand.report.words import plural

if TYPE_CHECKING:
    from withstand.report.partner_contents import PartnerContents


def partner_page(contents: PartnerContents) -> bytes:
    """Return the report of partners as one HTML page; see `withstand.report.page.page`."""
    network = contents.network
    return page.document(
        network.name,
        contents.made_at,
        "Partners",
        f"Computed {contents.made_at} from {network.n_nodes:,} nodes,"
        f" {plural(len(contents.found.candidates), 'candidate')} for partnership.",
        partner_sections(contents),
    )


def partner_workbook(contents: PartnerContents) -> bytes:
    """Return the report of partners as an XLSX file; see `withstand.report.workbook.workbook`."""
    return workbook.bound(
        contents.network.name,
        contents.made_at,
        [*sentences(contents), *contents.left_out],
        partner_tables(contents),
        partner_settings_table(contents),
    )
