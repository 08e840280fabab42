"""A frame that a caller hands to one function: its columns by name, every fault found at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from withstand.errors import DataError, UsageError
from withstand.model.conforming import conform_rows, renamed
from withstand.model.findings import Origin, has_errors, make_finding, nearest, sort_findings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from withstand.model.findings import Finding
    from withstand.model.tables import Table


def checked_frame(
    frame: pl.DataFrame, table: Table, names: Mapping[str, str] | None = None
) -> tuple[pl.DataFrame, list[Finding]]:
    """Return the columns of a table out of a frame, in its form, with what is worth a word.

    Columns that the table does not know are left out in silence. NaN in a column of numbers is an
    empty cell, as statistical offices write a suppressed one.

    Parameters
    ----------
    frame : polars.DataFrame
    table : Table
        Its name is the name of the argument, for the findings.
    names : mapping of str to str, optional
        Name of a column in the table to its name in the frame, where they differ.

    Raises
    ------
    UsageError
        If it is no polars frame.
    DataError
        With every fault: columns missing, cells empty or wrong, numbers out of range, repeated
        keys.

    Examples
    --------
    >>> from withstand.model.tables import Column, Table
    >>> seats = Table(name="seats", meaning="", key=("region",), columns=(
    ...     Column(name="region", meaning="Where.", type="label", required=True),
    ...     Column(name="people", meaning="How many.", type="number", low=0.0)))
    >>> checked_frame(pl.DataFrame({"region": ["N", "N"], "people": [1.0, -2.0]}), seats)
    Traceback (most recent call last):
    withstand.errors.DataError: E106 seats row 3, column region  [N]  region must be unique; ...
    """
    if not isinstance(frame, pl.DataFrame):
        raise _no_frame(table.name, frame)
    names = names or {}
    theirs = {ours: names.get(ours, ours) for ours in table.names}
    present = {their: ours for ours, their in theirs.items() if their in frame.columns}
    origin = Origin(file=table.name, names=theirs)
    missing = [c for c in table.required if theirs[c] not in frame.columns]
    if missing:
        found = [
            make_finding(
                "E101",
                f"'{table.name}' needs a column '{theirs[c]}' ({table.names[c].meaning})",
                origin=origin,
                column=c,
                suggestion=nearest(theirs[c], [x for x in frame.columns if x not in present]),
            )
            for c in missing
        ]
        raise DataError(found)
    ours = renamed(frame, present)
    is_float = [c for c, type_ in ours.schema.items() if type_.is_float()]
    conformed = conform_rows(ours.with_columns(pl.col(is_float).fill_nan(None)), table, origin)
    findings = sort_findings(conformed.findings)
    if has_errors(findings):
        raise DataError(findings)
    return conformed.frame, findings


def _no_frame(name: str, given: object) -> UsageError:
    """Return the error for something that is no polars frame."""
    kind = f"{type(given).__module__.split('.')[0]} {type(given).__name__}"
    return UsageError(
        f"'{name}' must be a polars DataFrame, not {kind.removeprefix('builtins ')}. From pandas: "
        "polars.from_pandas(frame); from a lazy frame: frame.collect()."
    )
