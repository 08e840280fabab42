"""The data dictionary: every table's columns with type, unit, default, meaning.

One place that the reader, the checks, the template and the reference page all read. A table may
also carry `source`, `as_of`, `basis`, `confidence` and `<column>_basis` columns, which are kept and
shown ("why"); columns that nobody knows are kept with a note.
"""

from __future__ import annotations

from withstand.model.columns import ANNOTATIONS, CLASSES, EVERY_BUYER, KINDS, USES, Column, Table
from withstand.model.network_tables import NETWORK
from withstand.model.option_tables import OPTIONS
from withstand.model.people_tables import PEOPLE

__all__ = [
    "ANNOTATIONS",
    "CLASSES",
    "EVERY_BUYER",
    "KINDS",
    "NETWORK_TABLES",
    "TABLES",
    "USES",
    "Column",
    "Table",
    "is_annotation",
]

TABLES: dict[str, Table] = {t.name: t for t in (*NETWORK, *PEOPLE, *OPTIONS)}
NETWORK_TABLES = tuple(t.name for t in NETWORK)
"""Tables that define a network (and so its fingerprint); the others hang on it."""


def is_annotation(column: str) -> bool:
    """Tell whether a column says where a number comes from rather than being one."""
    return column in ANNOTATIONS or column.endswith("_basis")
