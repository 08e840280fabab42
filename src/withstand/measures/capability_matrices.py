"""Place x product matrices: a wide or long table, checked, with what is empty left out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from withstand.errors import DataError, UsageError
from withstand.model.checked_frames import checked_frame
from withstand.model.encoding import encode
from withstand.model.findings import Finding, listed, make_finding, nearest
from withstand.model.tables import Column, Table

if TYPE_CHECKING:
    import pandas as pd

Array = np.ndarray

_LONG = Table(
    name="matrix",
    meaning="How much of each product a place makes or sells.",
    columns=(
        Column(name="place", meaning="Country, region.", type="label", required=True),
        Column(name="product", meaning="Product, industry.", type="label", required=True),
        Column(name="value", meaning="Exports, employment ...", type="number", low=0.0),
    ),
    key=("place", "product"),
)


@dataclass(frozen=True, kw_only=True, eq=False)
class CapabilityMatrix:
    """How much of each product a place has; no row and no column is empty.

    Parameters
    ----------
    places, products : tuple of str
        In the order of the table.
    values : ndarray of float64, shape (n_places, n_products), 0 or more
    findings : tuple of Finding
    """

    places: tuple[str, ...]
    products: tuple[str, ...]
    values: Array
    findings: tuple[Finding, ...]


def capability_matrix(
    matrix: pl.DataFrame | pd.DataFrame | Array,
    *,
    place: str = "place",
    product: str = "product",
    value: str = "value",
    places: Sequence[str] | None = None,
    products: Sequence[str] | None = None,
) -> CapabilityMatrix:
    """Read a place x product table.

    Parameters
    ----------
    matrix : polars.DataFrame, pandas.DataFrame or ndarray
        Long: a row for each place and product, with the columns named below. Wide: a row for each
        place (its label in the only column of text, or in the index of a pandas frame) and a
        column for each product. An array takes `places` and `products`.
    place, product, value : str
        Names of the columns of a long table; `place` also that of the labels of a wide one.
    places, products : sequence of str, optional
        Labels of an array; "place 1", "product 1" and so on without them.

    Raises
    ------
    UsageError
        If it is no such table.
    DataError
        Labels that stand twice, negative values, values that are not finite, fewer than two
        places or products with something in them.

    Examples
    --------
    >>> wide = pl.DataFrame({"place": ["N", "S"], "gears": [1.0, 0.0], "fish": [2.0, 3.0]})
    >>> read = capability_matrix(wide)
    >>> read.places, read.products, read.values.tolist()
    (('N', 'S'), ('gears', 'fish'), [[1.0, 2.0], [0.0, 3.0]])
    """
    if isinstance(matrix, np.ndarray):
        read = _from_array(matrix, places, products)
    elif places is not None or products is not None:
        raise UsageError("'places' and 'products' are the labels of an array; a frame has its own.")
    elif isinstance(matrix, pl.DataFrame):
        read = _from_polars(matrix, {"place": place, "product": product, "value": value})
    elif _is_pandas(matrix):
        read = _from_pandas(matrix, {"place": place, "product": product, "value": value})
    else:
        kind = f"{type(matrix).__module__.split('.')[0]} {type(matrix).__name__}"
        raise UsageError(
            "'matrix' must be a polars or pandas DataFrame or an array, not "
            f"{kind.removeprefix('builtins ')}."
        )
    return _without_empty(*read)


_Read = tuple[list[str], list[str], Array, list[Finding]]


def _from_polars(frame: pl.DataFrame, names: dict[str, str]) -> _Read:
    """Read a long frame, or a wide one."""
    if set(names.values()) <= set(frame.columns):
        return _from_long(frame, names)
    texts = [c for c, t in frame.schema.items() if not t.is_numeric() and t != pl.Null]
    label = names["place"] if names["place"] in frame.columns else None
    if label is None and len(texts) == 1:
        label = texts[0]
    wrong = [c for c in texts if c != label]
    if label is None or wrong or frame.width < 2:
        raise UsageError(_neither(frame, names))
    products = [c for c in frame.columns if c != label]
    values = frame.select(pl.col(products).cast(pl.Float64).fill_null(np.nan)).to_numpy()
    labels = frame[label].cast(pl.String)
    if labels.null_count():
        what = f"{labels.null_count():,} places have no label"
        raise DataError([make_finding("E102", what, column=label, count=labels.null_count())])
    return _checked(labels.to_list(), products, values)


def _neither(frame: pl.DataFrame, names: dict[str, str]) -> str:
    """Say what a long and a wide table need."""
    missing = [n for n in names.values() if n not in frame.columns]
    near = nearest(missing[0], frame.columns) if len(missing) == 1 else None
    hint = f" Did you mean {near}?" if near else ""
    return (
        f"'matrix' is neither long nor wide. Long: columns {listed(list(names.values()))} "
        f"(missing: {listed(missing)}; name yours with place=, product=, value=).{hint} Wide: one "
        "column of labels, and a column of numbers for each product."
    )


def _from_long(frame: pl.DataFrame, names: dict[str, str]) -> _Read:
    """Read a long frame; pairs without a row are 0."""
    frame, findings = checked_frame(frame, _LONG, names)
    one, other = frame["place"], frame["product"]
    places, products = one.unique(maintain_order=True), other.unique(maintain_order=True)
    values = np.zeros((len(places), len(products)))
    known = frame["value"].cast(pl.Float64)
    values[encode(places, one), encode(products, other)] = known.fill_null(0.0).to_numpy()
    hidden = known.null_count()
    return places.to_list(), products.to_list(), values, findings + _hidden(hidden, frame.height)


def _from_array(
    values: Array, places: Sequence[str] | None, products: Sequence[str] | None
) -> _Read:
    """Read an array with labels of its own or counted ones."""
    if values.ndim != 2 or values.dtype.kind not in "biuf":
        shape = f"{values.ndim} dimensions of {values.dtype}"
        raise UsageError(f"'matrix' must be an array of numbers by place and product, not {shape}.")
    labels = []
    for name, given, length in zip(
        ("place", "product"), (places, products), values.shape, strict=True
    ):
        label = [str(x) for x in given] if given is not None else []
        if given is not None and len(label) != length:
            raise UsageError(f"'{name}s' has {len(label)} labels for {length} {name}s.")
        labels.append(label or [f"{name} {i + 1}" for i in range(length)])
    return _checked(labels[0], labels[1], values.astype(np.float64))


def _from_pandas(frame: pd.DataFrame, names: dict[str, str]) -> _Read:
    """Read a pandas frame: long by its columns, or wide with places in its index."""
    columns = [str(c) for c in frame.columns]
    if set(names.values()) <= set(columns):
        return _from_polars(pl.from_pandas(frame[list(names.values())]), names)
    is_number = [t.kind in "biuf" for t in frame.dtypes]
    if not all(is_number):
        return _from_polars(pl.from_pandas(frame), names)
    return _checked([str(x) for x in frame.index], columns, frame.to_numpy(dtype=np.float64))


def _is_pandas(matrix: Any) -> bool:
    return type(matrix).__module__.split(".")[0] == "pandas" and hasattr(matrix, "columns")


def _checked(places: list[str], products: list[str], values: Array) -> _Read:
    """Check labels and numbers of a wide table; NaN is a value that is not known."""
    faults = []
    for name, labels in (("place", places), ("product", products)):
        series = pl.Series(labels, dtype=pl.String)
        twice = series.filter(series.is_duplicated()).unique(maintain_order=True).to_list()
        if twice:
            what = f"{name} {listed(twice)} stands more than once"
            faults.append(make_finding("E106", what, value=twice[0], count=len(twice)))
    for code, bad, what in (
        ("E107", values < 0, "below 0"),
        ("E108", np.isinf(values), "not finite"),
    ):
        if bad.any():
            c, p = np.argwhere(bad)[0]
            n = int(bad.sum())
            where = f"{n:,} values {what}, the first of {products[p]} in {places[c]}"
            faults.append(make_finding(code, where, value=values[c, p], count=n))
    if faults:
        raise DataError(faults)
    unknown = np.isnan(values)
    return (
        places,
        products,
        np.where(unknown, 0.0, values),
        _hidden(int(unknown.sum()), values.size),
    )


def _hidden(number: int, of: int) -> list[Finding]:
    """Tell how many values are not known."""
    if number == 0:
        return []
    what = f"{number:,} of {of:,} values not known, taken as 0"
    return [make_finding("W651", what, column="value", count=number)]


def _without_empty(
    places: list[str], products: list[str], values: Array, findings: list[Finding]
) -> CapabilityMatrix:
    """Leave out places and products that have nothing."""
    rows, columns = values.sum(axis=1) > 0, values.sum(axis=0) > 0
    for name, labels, is_used in (("place", places, rows), ("product", products, columns)):
        idle = [x for x, used in zip(labels, is_used, strict=True) if not used]
        if idle:
            what = f"{name} {listed(idle)} has nothing above 0 and is left out"
            findings.append(make_finding("W652", what, value=idle[0], count=len(idle)))
    if rows.sum() < 2 or columns.sum() < 2:
        what = (
            f"the table has {int(rows.sum())} places and {int(columns.sum())} products with "
            "values above 0; two of each are needed"
        )
        raise DataError([make_finding("E651", what), *findings])
    if not (rows.all() and columns.all()):
        values = values[rows][:, columns]
    return CapabilityMatrix(
        places=tuple(x for x, used in zip(places, rows, strict=True) if used),
        products=tuple(x for x, used in zip(products, columns, strict=True) if used),
        values=values,
        findings=tuple(findings),
    )
