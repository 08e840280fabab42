"""Capability as a page and as a workbook of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from withstand.report import page, workbook
from withstand.report.capability_said import sentences
from withstand.report.capability_sections import capability_sections
from withstand.report.capability_tables import capability_settings_table, capability_tables

if TYPE_CHECKING:
    from withstand.report.capability_contents import CapabilityContents


def capability_page(contents: CapabilityContents) -> bytes:
    """Return the report of capability as one HTML page; see `withstand.report.page.page`."""
    found = contents.complexity
    return page.document(
        contents.title,
        contents.made_at,
        "Capability",
        f"Computed {contents.made_at} from {len(found.places):,} places and"
        f" {len(found.products):,} products, convention {found.convention}.",
        capability_sections(contents),
    )


def capability_workbook(contents: CapabilityContents) -> bytes:
    """Return the report of capability as an XLSX file; see `withstand.report.workbook.workbook`."""
    return workbook.bound(
        contents.title,
        contents.made_at,
        [*sentences(contents), *contents.left_out],
        capability_tables(contents),
        capability_settings_table(contents),
    )
