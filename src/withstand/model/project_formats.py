"""Formats of projects: what changed from one to the next, as steps that are taken in memory.

A project states its format in withstand.toml (`format = 1`; none stands for the first). Reading
takes every step up to today's format and changes no file; `readers.upgrading` writes the result.
A step says in words what it does, and renames columns, changes settings, or both.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from withstand.model.findings import shorten

Data = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Step:
    """From one format to the next.

    Parameters
    ----------
    what : str
        What changes, in words for the user.
    settings : callable, optional
        From the parsed withstand.toml to the new one; it may change its argument.
    columns : mapping of str to mapping of str to str
        By table: old name of a column to the new one.
    """

    what: str
    settings: Callable[[Data], Data] | None = None
    columns: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


STEPS: tuple[Step, ...] = ()
"""The step from format 1 to 2, from 2 to 3, and so on: there is none yet."""


def newest() -> int:
    """Return the format that this version writes."""
    return 1 + len(STEPS)


def format_of(data: Mapping[str, Any]) -> int | None:
    """Return the format of parsed settings, None if it is none that this version reads."""
    stated = data.get("format", 1)
    is_number = isinstance(stated, int) and not isinstance(stated, bool)
    return stated if is_number and 1 <= stated <= newest() else None


def fault_of(data: Mapping[str, Any]) -> str | None:
    """Return why a stated format cannot be read."""
    if format_of(data) is not None:
        return None
    stated = data["format"]
    if isinstance(stated, int) and not isinstance(stated, bool) and stated > newest():
        return (
            f"the project was written by a newer version, in format {shorten(stated)}; "
            f"this version reads project format {newest()}"
        )
    return f"this version reads project format {newest()}"


def steps_from(number: int) -> tuple[Step, ...]:
    """Return the steps from a format to today's."""
    return STEPS[number - 1 :]


def current_settings(data: Mapping[str, Any]) -> Data:
    """Return parsed settings as they would be written today; of another format, unchanged."""
    number = format_of(data)
    new = dict(data)
    if number is None or number == newest():
        return new
    for step in steps_from(number):
        new = step.settings(new) if step.settings is not None else new
    return new | {"format": newest()}


def renamed_columns(number: int, table: str) -> dict[str, str]:
    """Return which columns of a table of an old format bear another name today."""
    names: dict[str, str] = {}
    for step in steps_from(number):
        new = dict(step.columns.get(table, {}))
        names = new | {old: new.get(now, now) for old, now in names.items()}
    return names
