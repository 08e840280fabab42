"""Frames of production or trade that a caller hands over: exporter, product, value, importer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import polars as pl

from withstand.errors import DataError, UsageError
from withstand.measures.selections import as_list
from withstand.model.blocs import bloc_members, country_of, known_blocs
from withstand.model.findings import listed, make_finding, nearest

if TYPE_CHECKING:
    from withstand.model.network import ProductionNetwork

NAMES = {
    "exporter": ("exporter", "region", "country", "producer", "i"),
    "product": ("product", "hs", "commodity", "k"),
    "value": ("value", "production", "output", "v"),
    "importer": ("importer", "j"),
    "year": ("year", "t"),
}
"""Columns, and what others call them; the first that is there counts."""
SHORTEST_CODE = 4
"""Digits from which a code of goods stands for the codes that begin with it."""


@runtime_checkable
class Framed(Protocol):
    """Anything that turns into a frame, such as a cube of trade."""

    def to_frame(self) -> pl.DataFrame:
        """Return a row for each flow."""
        ...


Flows = pl.DataFrame | Framed


@dataclass(frozen=True, kw_only=True, eq=False)
class Trade:
    """Flows of one year, by country where a label is one.

    Parameters
    ----------
    rows : polars.DataFrame
        exporter, product, value, and importer (empty if the frame has none). Countries are
        alpha-2 codes, other labels stay.
    year : int or None
    has_importer : bool
    """

    rows: pl.DataFrame
    year: int | None
    has_importer: bool


def read_flows(given: Flows, year: int | None, name: str) -> Trade:
    """Return the flows of one year: the one asked for, or the last.

    Raises
    ------
    DataError
        If a column is missing.
    UsageError
        If it is no frame, or there is no such year.
    """
    from withstand.model.trade_cube import TradeCube  # DuckDB, where a cube can be at hand

    frame = given if isinstance(given, pl.DataFrame) else None
    if isinstance(given, TradeCube):
        given = given.filter(years=max(given.years) if year is None else year)
    if frame is None and isinstance(given, Framed):
        frame = given.to_frame()
    if not isinstance(frame, pl.DataFrame):
        raise UsageError(
            f"{name} takes a polars DataFrame with the columns exporter, product and value (and "
            f"year, importer), or an object with to_frame(); not {type(given).__name__}."
        )
    found = {c: n for c, names in NAMES.items() for n in reversed(names) if n in frame.columns}
    missing = [c for c in ("exporter", "product", "value") if c not in found]
    if missing:
        raise DataError(
            [
                make_finding(
                    "E101",
                    f"'{name}' needs a column '{c}'",
                    column=c,
                    suggestion=nearest(c, frame.columns),
                )
                for c in missing
            ]
        )
    when = None
    if "year" in found:
        years = frame[found["year"]].drop_nulls().unique().sort().to_list()
        when = year if year is not None else (int(years[-1]) if years else None)
        if when not in years:
            raise UsageError(f"'{name}' has no rows for {when}; years: {listed(years, 8)}.")
        frame = frame.filter(pl.col(found["year"]) == when)
    elif year is not None:
        raise UsageError(f"year={year} is given, and '{name}' has no column 'year'.")
    importer = found.get("importer")
    rows = frame.select(
        pl.col(found["exporter"]).cast(pl.String).alias("exporter"),
        pl.col(found["product"]).cast(pl.String).alias("product"),
        pl.col(found["value"]).cast(pl.Float64, strict=False).alias("value"),
        (pl.col(importer).cast(pl.String) if importer else pl.lit(None, dtype=pl.String)).alias(
            "importer"
        ),
    ).filter(
        pl.col("value").is_not_nan() & (pl.col("value") > 0) & pl.col("exporter").is_not_null()
    )
    rows = rows.with_columns(_as_country(rows["exporter"]), _as_country(rows["importer"]))
    return Trade(rows=rows, year=when, has_importer=importer is not None)


def _as_country(labels: pl.Series) -> pl.Series:
    known = {x: canonical(x) for x in labels.drop_nulls().unique().to_list()}
    return labels.replace(known)


def canonical(label: str) -> str:
    """Return the alpha-2 code of a country under any code, or the label itself.

    Examples
    --------
    >>> canonical("DEU"), canonical("276"), canonical("AU_MM")
    ('DE', 'DE', 'AU_MM')
    """
    digits = label.zfill(3) if label.isdigit() and len(label) <= 3 else label
    if digits.isdigit():
        from withstand.model.countries import country_code

        return country_code(digits) or label
    return country_of(label) or label


def stands_for_home(
    network: ProductionNetwork,
    trade: Trade,
    home: Sequence[int],
    given: str | Sequence[str] | None,
) -> set[str]:
    """Return the codes that are home in a frame of trade: countries, or the members of a bloc."""
    labels = network.region_labels[list(home)].tolist() if given is None else as_list(given)
    found = {canonical(str(x)) for x in labels}
    for label in labels:
        if label in known_blocs():
            found |= bloc_members(label, trade.year)
    return found


def codes_of(network: ProductionNetwork, products: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Return what each product may be called in a frame: its label, and its code of goods."""
    hs = dict(
        zip(
            network.tables["products"]["product"].to_list(),
            network.column("products", "hs").to_list(),
            strict=True,
        )
    )
    return {p: (p, str(hs[p])) if hs.get(p) else (p,) for p in products}


def rows_of(trade: Trade, codes: Sequence[str]) -> pl.DataFrame:
    """Return the rows of one product: of its label, its code, or codes that begin with it."""
    product = pl.col("product")
    is_it = product.is_in(list(codes))
    for code in codes:
        if code.isdigit() and len(code) >= SHORTEST_CODE:
            is_it = is_it | product.str.starts_with(code)
    return trade.rows.filter(is_it)
