"""The terms that gross exports are divided into: their names, groups and meanings."""

from __future__ import annotations

from dataclasses import dataclass

GROUPS = {
    "VAX": "domestic value added that is used up abroad",
    "REF": "domestic value added that returns and is used up at home",
    "DDC": "domestic value added counted before: it came back as an input and is exported again",
    "FVA": "value added of other regions",
    "FDC": "value added of other regions counted before",
}
"""Groups of terms. Domestic value added (DVA) is VAX + REF."""


@dataclass(frozen=True)
class Term:
    """One term of a decomposition.

    Parameters
    ----------
    name : str
        As in the literature.
    group : {"VAX", "REF", "DDC", "FVA", "FDC"}
    meaning : str
    """

    name: str
    group: str
    meaning: str
