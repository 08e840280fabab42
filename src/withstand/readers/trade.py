"""Read trade flows: BACI, Comtrade, or any table with year, exporter, importer, product, value."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from withstand.errors import DataError, UsageError
from withstand.model.findings import (
    Finding,
    has_errors,
    make_finding,
    shorten,
    sort_findings,
)
from withstand.model.trade_cube import TradeCube
from withstand.model.trade_rows import FEW, Folder, TradeRows, open_database, parquet_source
from withstand.model.trade_vintages import MIXED, UNKNOWN, vintage_in, vintage_name
from withstand.model.trade_years import asked_years
from withstand.readers.trade_faults import flow_notes, own_flows, part_faults
from withstand.readers.trade_formats import FLOWS, TradeFormat, trade_format
from withstand.readers.trade_partner_codes import PartnerCodes
from withstand.readers.trade_product_codes import product_table
from withstand.readers.trade_sources import TradeSource, trade_sources

Source = str | os.PathLike[str] | pl.DataFrame | pl.LazyFrame
_NUMBERS = frozenset(
    ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER",
     "UBIGINT", "UHUGEINT", "FLOAT", "DOUBLE")
)  # fmt: skip
NO_VALUE = "('', 'NA', 'N/A', 'NAN', 'NULL', 'NONE', '.', '-')"


def read_trade(
    source: Source | Sequence[Source],
    *,
    columns: Mapping[str, str] | None = None,
    country_codes: Source | None = None,
    vintage: str | None = None,
    years: int | Iterable[int] | None = None,
    flows: str = "imports",
    value_unit: str | None = None,
    quantity_unit: str | None = None,
    name: str | None = None,
) -> TradeCube:
    """Read trade flows into a TradeCube.

    Each file is read once, streaming: DuckDB turns it into Parquet in a temporary folder that goes
    with the cube, so that memory is bounded whatever the size. Up to three million flows are kept
    in memory instead.

    Parameters
    ----------
    source : path, polars.DataFrame, polars.LazyFrame, or several
        CSV (also .csv.gz), TSV or Parquet; a folder or a pattern with `*` means all its files.
        Layouts: BACI (t, i, j, k, v, q), Comtrade (refYear, reporterISO, partnerISO, flowCode,
        cmdCode, primaryValue, netWgt), or columns year, exporter, importer, product, value and,
        if there, quantity and vintage.
    columns : mapping of str to str, optional
        For other names: our column to theirs.
    country_codes : path or polars.DataFrame, optional
        The file country_codes of BACI. The codes of the United Nations and ISO are known without;
        it serves for codes of your own (country_code and country_iso2 or country_iso3).
    vintage : str, optional
        Vintage of the product codes, "HS92" ... "HS22". Default: from the column, or the name of
        the file.
    years : int or iterable of int, optional
        Read only these.
    flows : {"imports", "exports"}
        Comtrade holds each flow twice: as declared by the importer and by the exporter. Default:
        what importers declare, which is checked for duties.
    value_unit, quantity_unit : str, optional
        Default: what the layout says ("thousand USD" and "tonnes" in BACI).
    name : str, optional
        Default: the name of the file.

    Returns
    -------
    TradeCube

    Raises
    ------
    UsageError
        If there is no such file, or an argument is unknown.
    DataError
        With every fault: columns missing, values that are no number, negative values.

    Examples
    --------
    >>> cube = read_trade(pl.DataFrame({
    ...     "year": [2022, 2022], "exporter": ["CN", "FR"], "importer": ["DE", "DE"],
    ...     "product": ["280530", "280530"], "value": [9.0, 1.0]}), vintage="HS92")
    >>> cube.imports_of("EU27").select("exporter", "value").rows()
    [('CN', 9.0)]
    """
    if flows not in FLOWS:
        raise UsageError(f"flows={flows!r} is unknown; use one of {', '.join(FLOWS)}.")
    stated = vintage_name(vintage) if vintage is not None else None
    sources = trade_sources(source)
    codes = PartnerCodes(country_codes)
    chosen = None if years is None else asked_years(years)
    folder = Folder()
    parts = [_read_part(s, columns, flows, chosen, codes, folder, i) for i, s in enumerate(sources)]
    findings = [finding for part in parts for finding in part.findings]
    findings += codes.findings()
    if has_errors(findings):
        raise DataError(sort_findings(findings))
    vintages = sorted({v for part in parts for v in part.vintages if v != UNKNOWN})
    if stated is not None and vintages not in ([], [stated]):
        what = f"vintage='{stated}' was stated, and the source says {', '.join(vintages)}"
        raise DataError([make_finding("E603", what, origin=sources[0].origin)])
    of_cube = stated or (UNKNOWN if not vintages else vintages[0])
    if len(vintages) > 1:
        of_cube = MIXED
    rows = _settled(TradeRows(files=tuple(p.file for p in parts), folder=folder))
    layout = parts[0].layout
    cube = TradeCube(
        name=name or sources[0].name,
        rows=rows,
        vintage=of_cube,
        value_unit=value_unit or layout.value_unit,
        quantity_unit=quantity_unit or layout.quantity_unit,
        partners=codes.frame(),
        history={
            "source": [s.name for s in sources],
            "layout": layout.name,
            "vintage": of_cube,
        },
    )
    findings += flow_notes(cube, vintages)
    return cube.with_findings(sort_findings(findings))


@dataclass(frozen=True, eq=False)
class _Part:
    """One file, read: where its rows are and what was wrong with it."""

    file: Path
    layout: TradeFormat
    vintages: list[str]
    findings: list[Finding]


def _read_part(
    source: TradeSource,
    columns: Mapping[str, str] | None,
    flows: str,
    years: tuple[int, ...] | None,
    codes: PartnerCodes,
    folder: Folder,
    number: int,
) -> _Part:
    """Read one file into Parquet; faults become findings."""
    import duckdb

    try:
        return _part(source, columns, flows, years, codes, folder, number)
    except duckdb.Error as error:  # a row that breaks the form of the file, a damaged block
        what = f"the file cannot be read: {shorten(str(error).splitlines()[0])}"
        raise DataError([make_finding("E113", what, origin=source.origin)]) from None


def _part(
    source: TradeSource,
    columns: Mapping[str, str] | None,
    flows: str,
    years: tuple[int, ...] | None,
    codes: PartnerCodes,
    folder: Folder,
    number: int,
) -> _Part:
    """Read one file in three steps: its rows in our columns, what is wrong, the flows."""
    with open_database() as database:
        table = source.register(database)
        described = database.execute(f"DESCRIBE SELECT * FROM {table}").fetchall()
        types = {str(row[0]): str(row[1]) for row in described}
        layout = trade_format(list(types), columns, flows, source.origin)
        database.execute(f"CREATE TEMP VIEW raw AS {_raw(table, layout, types)}")
        if source.is_text:  # parsed once, asked several times
            staged = folder.path / f"raw{number}.parquet"
            database.execute(
                f"COPY (SELECT * FROM raw) TO '{staged}' (FORMAT parquet, COMPRESSION zstd)"
            )
            database.execute("DROP VIEW raw")
            database.execute(f"CREATE TEMP VIEW raw AS SELECT * FROM {parquet_source((staged,))}")
        findings = part_faults(database, source, layout)
        vintages = _vintages(database, source)
        file = folder.path / f"part{number}.parquet"
        if not has_errors(findings):
            found = database.execute(
                "SELECT code, count(*) FROM (SELECT exporter AS code FROM raw UNION ALL "
                "SELECT importer FROM raw) GROUP BY code"
            ).fetchall()
            labels = codes.resolve({str(code): int(n) for code, n in found if code is not None})
            database.register("labels", labels.to_arrow())
            found = database.execute("SELECT product, count(*) FROM raw GROUP BY ALL").fetchall()
            products, faults = product_table({str(k): int(n) for k, n in found}, source.origin)
            database.register("products", products.to_arrow())
            findings += [*faults, *own_flows(database, source.origin)]
            _write(database, file, years)
        if source.is_text:
            database.execute("DROP VIEW raw")
            staged.unlink()
    return _Part(file, layout, vintages, findings)


def _raw(table: str, layout: TradeFormat, types: Mapping[str, str]) -> str:
    """Return the columns in our names, as text and numbers, of the rows that count."""
    c = layout.columns

    def text(ours: str) -> str:
        column = _name(c[ours])
        if types[c[ours]] == "VARCHAR":
            return f"nullif(trim({column}), '')"
        return f"CAST({column} AS VARCHAR)"

    def number(ours: str) -> str:
        if types[c[ours]] in _NUMBERS:
            return f"CAST({_name(c[ours])} AS DOUBLE)"
        return f"try_cast({text(ours)} AS DOUBLE)"

    if types[c["value"]] in _NUMBERS:  # NaN is an empty cell, as frames of others write it
        value = f"nullif({number('value')}, 'nan'::DOUBLE)"
        no_value, bad_value, raw_value = f"{value} IS NULL", "false", number("value")
    else:
        value = number("value")
        no_value = f"coalesce(upper({text('value')}), '') IN {NO_VALUE}"
        bad_value, raw_value = f"{value} IS NULL AND NOT {no_value}", text("value")
    quantity = "CAST(NULL AS DOUBLE)"
    if "quantity" in c:
        quantity = f"nullif({number('quantity')}, 'nan'::DOUBLE)"
    vintage = text("vintage") if "vintage" in c else "CAST(NULL AS VARCHAR)"
    year = number("year")
    counts = [
        f"coalesce(upper(trim(CAST({_name(column)} AS VARCHAR))), '') IN "
        f"({', '.join(repr(value) for value in values)})"
        for column, values in layout.wanted.items()
    ]
    where = f" WHERE {' AND '.join(counts)}" if counts else ""
    return (
        f"SELECT CASE WHEN {year} = floor({year}) THEN try_cast({year} AS INTEGER) END AS year, "
        f"{text('exporter')} AS exporter, {text('importer')} AS importer, "
        f"{text('product')} AS product, {value} AS value, {quantity} AS quantity, "
        f"{vintage} AS vintage, {raw_value} AS raw_value, {bad_value} AS bad_value, "
        f"{no_value} AS no_value FROM {table}{where}"
    )


def _name(column: str) -> str:
    """Return a column name as SQL writes it."""
    escaped = column.replace('"', '""')
    return f'"{escaped}"'


def _write(database: Any, file: Path, years: tuple[int, ...] | None) -> None:
    """Write the flows between two known labels to Parquet."""
    when = ""
    if years is not None:
        database.register("wanted_years", pl.DataFrame({"year": list(years)}).to_arrow())
        when = "AND r.year IN (SELECT year FROM wanted_years)"
    database.execute(
        "COPY (SELECT r.year, e.label AS exporter, m.label AS importer, p.product, r.value, "
        "r.quantity FROM raw r JOIN labels e ON r.exporter = e.code "
        "JOIN labels m ON r.importer = m.code JOIN products p ON r.product = p.code "
        f"WHERE e.label <> '' AND m.label <> '' AND e.label <> m.label AND r.value > 0 {when}) "
        f"TO '{file}' (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 200000)"
    )


def _vintages(database: Any, source: TradeSource) -> list[str]:
    """Return the vintages that the column or the name of the file says."""
    found = database.execute("SELECT DISTINCT vintage FROM raw").fetchall()
    stated = sorted({str(row[0]) for row in found if row[0] is not None})
    if stated:
        try:
            return sorted({UNKNOWN if s == UNKNOWN else vintage_name(s) for s in stated})
        except UsageError as error:
            fault = make_finding("E603", str(error), origin=source.origin, column="vintage")
            raise DataError([fault]) from None
    of_name = vintage_in(source.name)
    return [of_name] if of_name else []


def _settled(rows: TradeRows) -> TradeRows:
    """Return few rows in memory, many where they are."""
    count = rows.ask("SELECT count(*) AS n FROM rows").item()
    if count > FEW:
        return rows
    with rows.connection(threads=1) as database:
        return TradeRows(table=database.sql("SELECT * FROM rows ORDER BY ALL").to_arrow_table())
