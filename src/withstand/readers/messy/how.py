"""How a file was read: what was sniffed, to be shown, kept in a mapping, and given back."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, cast

from withstand.errors import UsageError
from withstand.model.findings import nearest

DATE_FORMATS = (
    "%Y-%m-%d",
    "%d.%m.%Y",
    "%d/%m/%Y",
    "%m/%d/%Y",
    "%d-%m-%Y",
    "%m-%d-%Y",
    "%Y/%m/%d",
    "%Y.%m.%d",
    "%d %b %Y",
    "%d.%m.%y",
    "%d/%m/%y",
    "%m/%d/%y",
)
DECIMALS = (".", ",")
THOUSANDS = ("", ",", ".", " ", "'")


@dataclass(frozen=True)
class NumberFormat:
    """How numbers are written: `1.234,56` has the decimal mark `,` and the thousands mark `.`.

    A thousands mark of a space stands for every kind of space, an apostrophe for both kinds.
    """

    decimal: str = "."
    thousands: str = ""

    def __post_init__(self) -> None:
        """Refuse marks that no number has."""
        if self.decimal not in DECIMALS:
            raise UsageError(f"decimal mark {self.decimal!r} is not possible; use '.' or ','.")
        if self.thousands not in THOUSANDS or self.thousands == self.decimal:
            raise UsageError(
                f"thousands mark {self.thousands!r} beside the decimal mark {self.decimal!r} is not"
                " possible; use another of '', ',', '.', ' ' or an apostrophe."
            )


@dataclass(frozen=True, kw_only=True)
class ColumnHow:
    """How one column was read.

    Parameters
    ----------
    header : str
        Header as it stands in the file; a given `ColumnHow` is found by it.
    kind : {"number", "date", "yesno", "code", "text", "empty"}
        What its cells look like.
    number : NumberFormat, optional
        None for a column that holds no numbers, and while nobody can tell (`undecided`).
    date : str, optional
        Format of dates, one of DATE_FORMATS.
    undecided : bool
        Whether the column holds numbers (or dates) that can be read in two ways.
    fill_down : bool
        Whether blank cells take the value above (never set by sniffing).
    """

    header: str
    kind: str = "text"
    number: NumberFormat | None = None
    date: str | None = None
    undecided: bool = False
    fill_down: bool = False


@dataclass(frozen=True, kw_only=True)
class BlockHow:
    """How one table of a file was found.

    Parameters
    ----------
    sheet : str, optional
        Sheet of a workbook.
    header_rows : tuple of int
        Rows of the header (1-based); empty for a table without one.
    first_column, last_column : int
        Columns of the sheet (1-based); 0 for not given.
    transposed : bool
        Whether records run across and not down (never set by sniffing).
    columns : tuple of ColumnHow
    """

    sheet: str | None = None
    header_rows: tuple[int, ...] = ()
    first_column: int = 0
    last_column: int = 0
    transposed: bool = False
    columns: tuple[ColumnHow, ...] = ()

    def column(self, header: str) -> ColumnHow | None:
        """Return how the column of that header was read, None for one that is not listed."""
        return next((c for c in self.columns if c.header == header), None)


@dataclass(frozen=True, kw_only=True)
class How:
    """How a file was read; what is None is sniffed when it is given.

    Parameters
    ----------
    encoding, separator : str, optional
        Of a text file; the separator " " stands for columns set by spaces.
    sure : float
        How sure the encoding is, 0 to 1.
    number : NumberFormat, optional
        For every column that is not listed in `blocks`; sniffing leaves it None.
    blocks : tuple of BlockHow
    """

    encoding: str | None = None
    separator: str | None = None
    sure: float = 1.0
    number: NumberFormat | None = None
    blocks: tuple[BlockHow, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain values that TOML and JSON can hold (what is None is left out)."""
        return cast("dict[str, Any]", _without_none(asdict(self)))


def how_from_dict(data: dict[str, Any]) -> How:
    """Return a How from plain values.

    Raises
    ------
    UsageError
        If a key is unknown or a value is of the wrong kind.

    Examples
    --------
    >>> how_from_dict({"separator": ";", "number": {"decimal": ","}}).number
    NumberFormat(decimal=',', thousands='')
    """
    fields = _checked(data, How, "how")
    if "number" in fields:
        fields["number"] = NumberFormat(**_checked(fields["number"], NumberFormat, "number"))
    fields["blocks"] = tuple(_block(b) for b in _listed(fields.get("blocks", ()), "blocks"))
    return How(**fields)


def _block(data: Any) -> BlockHow:
    fields = _checked(data, BlockHow, "blocks")
    header_rows = _listed(fields.get("header_rows", ()), "header_rows")
    if not all(isinstance(r, int) and r > 0 for r in header_rows):
        raise UsageError("header_rows of a block: give row numbers from 1 on.")
    fields["header_rows"] = tuple(header_rows)
    fields["columns"] = tuple(_column(c) for c in _listed(fields.get("columns", ()), "columns"))
    return BlockHow(**fields)


def _column(data: Any) -> ColumnHow:
    fields = _checked(data, ColumnHow, "columns")
    if "header" not in fields:
        raise UsageError("a column of a block needs its header.")
    if "number" in fields:
        fields["number"] = NumberFormat(**_checked(fields["number"], NumberFormat, "number"))
    if fields.get("date") not in (None, *DATE_FORMATS):
        raise UsageError(
            f"date format {fields['date']!r} is unknown; use one of {', '.join(DATE_FORMATS)}."
        )
    return ColumnHow(**fields)


_TYPES: dict[str, type | tuple[type, ...]] = {
    "encoding": str,
    "separator": str,
    "sure": (int, float),
    "sheet": str,
    "first_column": int,
    "last_column": int,
    "transposed": bool,
    "header": str,
    "kind": str,
    "date": str,
    "undecided": bool,
    "fill_down": bool,
    "decimal": str,
    "thousands": str,
}


def _checked(data: Any, kind: type, place: str) -> dict[str, Any]:
    """Return a copy of the fields, all of them known and of the right type."""
    if not isinstance(data, dict):
        raise UsageError(f"{place}: expected fields and their values, found {data!r:.40}.")
    known = tuple(kind.__dataclass_fields__)  # type: ignore[attr-defined]
    for key, value in data.items():
        if key not in known:
            near = nearest(str(key), known)
            hint = f"; did you mean {near}?" if near else f"; use one of {', '.join(known)}."
            raise UsageError(f"{place}: '{key!s:.40}' is unknown{hint}")
        if key in _TYPES and not isinstance(value, _TYPES[key]):
            raise UsageError(f"{place}: {key} cannot be {value!r:.40}.")
    return dict(data)


def _listed(data: Any, place: str) -> tuple[Any, ...]:
    if not isinstance(data, (list, tuple)):
        raise UsageError(f"{place}: expected a list, found {data!r:.40}.")
    return tuple(data)


def _without_none(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _without_none(v) for k, v in value.items() if v is not None}
    if isinstance(value, (list, tuple)):
        return [_without_none(v) for v in value]
    return value
