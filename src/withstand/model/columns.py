"""The pieces of the data dictionary: columns, tables, and the words a cell may hold."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

KINDS = (
    "product",
    "assembly",
    "component",
    "material",
    "equipment",
    "skill",
    "software",
    "service",
    "energy",
)
CLASSES = ("minor", "important", "essential")  # the position is the number: 0, 1, 2
USES = ("consumed", "hours", "hosted")  # the position is the number used in arrays
EVERY_BUYER = "*"
ANNOTATIONS = ("source", "as_of", "basis", "confidence")


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column of the data dictionary.

    Parameters
    ----------
    name, meaning : str
        The header, and what it says in one sentence.
    type : {"label", "text", "number", "integer", "yesno", "choice", "class"}
        A label names something and may not be blank; text is free.
    unit : str
        Unit in words, for instance "periods" or "currency per unit".
    default : str
        What an empty cell means, in words.
    required : bool
        Whether the column must be there and filled.
    choices : tuple of str
        Allowed words of a choice.
    low, high : float, optional
        Allowed range, ends included.
    refers_to : tuple of str
        Tables whose key the label must be found in (any of them).

    Examples
    --------
    >>> Column(name="share", meaning="Share of purchases.", type="number").required
    False
    """

    name: str
    meaning: str
    type: str = "text"
    unit: str = ""
    default: str = "empty"
    required: bool = False
    choices: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None
    refers_to: tuple[str, ...] = ()
    example: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """One table of the data dictionary: its columns, its key and what it is for.

    Examples
    --------
    >>> from withstand.model.tables import TABLES
    >>> TABLES["recipes"].key, TABLES["recipes"].required
    (('buyer', 'input'), ('buyer', 'input', 'quantity'))
    """

    name: str
    meaning: str
    columns: tuple[Column, ...]
    key: tuple[str, ...] = ()
    names: dict[str, Column] = field(default_factory=dict, compare=False, repr=False)

    def __post_init__(self) -> None:
        """Index the columns by name."""
        self.names.update({c.name: c for c in self.columns})

    @property
    def required(self) -> tuple[str, ...]:
        """Names of the columns that must be there."""
        return tuple(c.name for c in self.columns if c.required)


def label_column(
    name: str, meaning: str, *refers_to: str, required: bool = True, **more: Any
) -> Column:
    """Return a column of labels: they name something and may not be blank."""
    return Column(
        name=name, meaning=meaning, type="label", required=required, refers_to=refers_to, **more
    )


def number_column(
    name: str,
    meaning: str,
    unit: str,
    default: str = "empty",
    *,
    required: bool = False,
    low: float | None = 0.0,
    high: float | None = None,
    example: str = "",
) -> Column:
    """Return a column of numbers, not below 0 unless said."""
    return Column(
        name=name,
        meaning=meaning,
        type="number",
        unit=unit,
        default=default,
        required=required,
        low=low,
        high=high,
        example=example,
    )


def text_column(name: str, meaning: str, default: str = "empty", example: str = "") -> Column:
    """Return a column of free text."""
    return Column(name=name, meaning=meaning, default=default, example=example)


def choice_column(
    name: str, meaning: str, choices: tuple[str, ...], default: str, **more: Any
) -> Column:
    """Return a column that holds one of a few words."""
    return Column(
        name=name, meaning=meaning, type="choice", choices=choices, default=default, **more
    )


def class_column(default: str) -> Column:
    """Return the column of classes of inputs."""
    return Column(
        name="class",
        meaning="What happens without the input: essential stops output in proportion, important"
        " lets it run down, minor never binds. Also written 2, 1, 0.",
        type="class",
        choices=CLASSES,
        default=default,
        example="essential",
    )


FLOW = "units per period"
MONEY = "currency per unit"
