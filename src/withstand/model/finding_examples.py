"""One real finding of each code, for `withstand explain` and the pages of the reference."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import Any

from withstand.model.finding_codes import CODES
from withstand.model.findings import Finding

CHAPTERS = {
    "1": ("files-and-cells", "files and cells"),
    "2": ("network", "the network"),
    "3": ("scenarios", "scenarios and runs"),
    "4": ("options", "options and plans"),
    "5": ("people-and-plants", "people and plants"),
    "6": ("measures", "measures"),
    "7": ("doors", "doors: messy files, databases, standards"),
}
"""First digit of a code to the name of its page in the reference, and its title."""


@cache
def _examples() -> dict[str, dict[str, Any]]:
    text = files("withstand.model").joinpath("finding_examples.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def example_of(code: str) -> Finding | None:
    """Return one real finding of a code, without its reason and mend, or None.

    Examples
    --------
    >>> found = example_of("E103")
    >>> found.column, found.value, found.suggestion
    ('share', '20 %', '0.2')
    """
    fields = _examples().get(code)
    return None if fields is None else Finding(code=code, severity=CODES[code].severity, **fields)


def page_of(code: str) -> str:
    """Return the page and anchor of a code in the reference.

    Examples
    --------
    >>> page_of("E104")
    'reference/findings/files-and-cells.md#e104'
    """
    return f"reference/findings/{CHAPTERS[code[1]][0]}.md#{code.lower()}"
