"""Files that nobody designed come into a project: looked at first, written as one step."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from withstand.errors import UsageError

if TYPE_CHECKING:
    from withstand.model.findings import Finding
    from withstand.readers.mapping.importing import Import


def plan_import(
    project: str | os.PathLike[str],
    files: Sequence[str | os.PathLike[str]],
    *,
    table: str | None = None,
    mapping: str | None = None,
    mode: str = "new",
    accept: Sequence[str] = (),
    columns: Mapping[str, str] | None = None,
    units: Mapping[str, str] | None = None,
    rates: Mapping[str, float] | None = None,
    decimal: str = "",
) -> Import:
    """Work out what adding files to a project would do; nothing is written.

    Parameters
    ----------
    project : str or path
        Project folder; one that is not there yet becomes a new one.
    files : sequence of str or path
    table : str, optional
        The table that the files are.
    mapping : str, optional
        A kept mapping, or a planning system: sap, odoo, erpnext, inventree, frepple.
    mode : {"new", "update", "replace"}
        What happens to tables that have rows.
    accept : sequence of str
        Codes of findings whose suggestions are taken.
    columns : mapping of str to str, optional
        Header to our column; "" leaves it out.
    units : mapping of str to str, optional
        Our column to the unit of the file.
    rates : mapping of str to float, optional
        Currency to its worth in the currency of the project.
    decimal : str
        "." or ",", where the file does not show it.

    Raises
    ------
    UsageError
        If the project is an example, or something named is not there.
    """
    from withstand.readers.mapping import importing
    from withstand.readers.mapping.matching import Wishes

    if os.fspath(project).startswith("example:"):
        raise UsageError("an example cannot be added to; make a project: withstand new plant.")
    wishes = Wishes(
        table=table, mapping=mapping, columns=dict(columns or {}), accepted=frozenset(accept)
    )
    terms = importing.ImportTerms(
        mode=mode, wishes=wishes, units=dict(units or {}), rates=dict(rates or {}), decimal=decimal
    )
    return importing.plan_import(project, files, terms)


def write_import(plan: Import) -> list[str]:
    """Write an import as one step; return the files written, relative to the project."""
    from withstand.readers.mapping.writing import write_import as write

    return write(plan)


def write_marked(plan: Import, target: str | os.PathLike[str]) -> list[Finding]:
    """Write a copy of the file with its bad cells marked; return what the copy lacks."""
    from withstand.readers.mapping.writing import write_marked as write

    return write(plan, Path(target))
