"""People as a page and as a workbook of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from withstand.report import page, workbook
from withstand.report.people_said import intake_sentences, sentences
from withstand.report.people_sections import people_sections
from withstand.report.people_tables import (
    people_findings_table,
    people_settings_table,
    people_tables,
)
from withstand.report.words import plural

if TYPE_CHECKING:
    from withstand.report.people_contents import PeopleContents


def people_page(contents: PeopleContents) -> bytes:
    """Return the report of people as one HTML page; see `withstand.report.page.page`."""
    occupations = contents.projection.groups["occupation"].n_unique()
    programmes = contents.projection.pipeline.programmes["programme"].n_unique()
    return page.document(
        contents.network.name,
        contents.made_at,
        "People",
        f"Computed {contents.made_at} from {plural(occupations, 'occupation')} and"
        f" {plural(programmes, 'programme')} of training, {contents.first} to {contents.last}."
        " Numbers of people are persons.",
        people_sections(contents),
    )


def people_workbook(contents: PeopleContents) -> bytes:
    """Return the report of people as an XLSX file; see `withstand.report.workbook.workbook`."""
    said = sentences(contents)
    if contents.intake is not None:
        said += intake_sentences(contents, contents.intake)
    tables = people_tables(contents)
    noted = people_findings_table(contents)
    if noted is not None:
        tables.append(noted)
    return workbook.bound(
        contents.network.name, contents.made_at, said, tables, people_settings_table(contents)
    )
