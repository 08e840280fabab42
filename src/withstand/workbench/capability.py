"""Capability: what places can do and what is within reach, out of a table; written to files."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from withstand.errors import UsageError
from withstand.readers.atomic import write_atomic
from withstand.workbench.progress import Progress, now, silent
from withstand.workbench.tables import read_table
from withstand.workbench.targets import REPORT_ENDINGS, report_targets

if TYPE_CHECKING:
    import polars as pl

    from withstand.model.findings import Finding
    from withstand.model.network import ProductionNetwork
    from withstand.report.capability_contents import CapabilityContents

PLACES = ("place", "country", "region", "area", "exporter", "area_code", "iso3", "i")
PRODUCTS = (
    "product", "industry", "occupation", "activity", "sector", "hs6", "hs4", "hs", "naics",
    "occupation_code", "industry_code", "commodity", "k",
)  # fmt: skip
VALUES = (
    "value", "exports", "export_value", "export_usd", "employment", "emp", "output", "production",
    "v",
)  # fmt: skip
"""What columns are called, in the order in which they are looked for."""
REGIONS = ("region", "area", "area_code")
INDUSTRIES = (
    "industry", "industry_code", "occupation", "occupation_code", "activity", "sector", "naics"
)  # fmt: skip
"""Columns that make a table one of regions and their industries."""
IMPORTERS = ("importer", "j", "reporterISO")


@dataclass(frozen=True, kw_only=True, eq=False)
class CapabilityTable:
    """A table of what places make or sell, and which columns say so.

    Parameters
    ----------
    frame : polars.DataFrame
    title : str
        Name of the file, with the year where it holds several.
    columns : tuple of str
        Of place, product and value; a wide table has the places only.
    is_regional : bool
        Whether its columns are regions and their industries.
    findings : tuple of Finding
        What was noted on reading trade.
    """

    frame: pl.DataFrame
    title: str
    columns: tuple[str, str, str]
    is_regional: bool
    findings: tuple[Finding, ...] = ()


def read_capability(
    path: str | os.PathLike[str],
    *,
    place: str = "",
    product: str = "",
    value: str = "",
    year: int | None = None,
) -> CapabilityTable:
    """Read a table of places and products: long, wide, or trade (added up over importers).

    Parameters
    ----------
    path : path
        CSV, Parquet or a workbook with a sheet of one such table.
    place, product, value : str
        Names of the columns; default: those that are usual.
    year : int, optional
        Of a table with a column `year`; default: the last.

    Raises
    ------
    DataError
        If the file cannot be read.
    UsageError
        If a column named is not there, or none of the usual ones.
    """
    import polars as pl

    file = Path(path)
    if _is_trade(file) and not (place or product or value):
        return _from_trade(file, year)
    frame = read_table(file, "capability")
    title = file.stem
    if "year" in frame.columns:
        years = frame["year"].cast(pl.Int64, strict=False)
        known = years.drop_nulls().unique().sort().to_list()
        when = year if year is not None else (known[-1] if known else None)
        if when is not None and when not in known:
            raise UsageError(f"{file.name} has no rows of {year}; years: {known[:12]}.")
        frame = frame.filter(years == when).drop("year")
        title = f"{title} {when}"
    elif year is not None:
        raise UsageError(f"--year {year}: {file.name} has no column year.")
    columns = _columns(frame, place, product, value)
    if columns[2] not in frame.columns:
        frame = _wide(frame, columns[0])
    is_regional = columns[0] in REGIONS and columns[1] in INDUSTRIES
    return CapabilityTable(frame=frame, title=title, columns=columns, is_regional=is_regional)


def _columns(frame: pl.DataFrame, place: str, product: str, value: str) -> tuple[str, str, str]:
    """Return the columns of place, product and value; those not there mean a wide table."""
    found = []
    for name, given, usual in (
        ("place", place, PLACES), ("product", product, PRODUCTS), ("value", value, VALUES)
    ):  # fmt: skip
        if given:
            if given not in frame.columns:
                from withstand.model.findings import nearest

                near = nearest(given, frame.columns)
                raise UsageError(
                    f"--{name} {given[:40]}: there is no such column."
                    + (f" Did you mean {near}?" if near else "")
                )
            found.append(given)
        else:
            found.append(next((x for x in usual if x in frame.columns and x not in found), name))
    lacking = [n for n, c in zip(("place", "product", "value"), found, strict=True)
               if c not in frame.columns]  # fmt: skip
    if lacking and (product or value or not _may_be_wide(frame, found[0])):
        raise UsageError(
            f"Which column is the {' and the '.join(lacking)}? Name "
            f"{'it' if len(lacking) == 1 else 'them'}: "
            + " ".join(f"--{n} COLUMN" for n in lacking)
            + f"; there are {', '.join(frame.columns[:12])}. A wide table has places in its first"
            " column and numbers in all others."
        )
    if lacking:
        label = found[0] if found[0] in frame.columns else frame.columns[0]
        return label, "product", "value"
    return found[0], found[1], found[2]


def _may_be_wide(frame: pl.DataFrame, place: str) -> bool:
    """Tell whether every column but that of the labels holds numbers."""
    label = place if place in frame.columns else frame.columns[0]
    others = [c for c in frame.columns if c != label]
    return len(others) > 1 and _numbers(frame, others) is not None


def _wide(frame: pl.DataFrame, label: str) -> pl.DataFrame:
    """Return a wide table with numbers in all columns but that of the places."""
    others = [c for c in frame.columns if c != label]
    numbers = _numbers(frame, others)
    assert numbers is not None
    return frame.select(label).hstack(numbers)


def _numbers(frame: pl.DataFrame, columns: Sequence[str]) -> pl.DataFrame | None:
    """Return columns as numbers, empty cells as such; None where a cell is no number."""
    import polars as pl

    cells = frame.select(pl.col(columns).cast(pl.String).str.strip_chars())
    empty = cells.select(pl.all().fill_null("").eq("").sum()).sum_horizontal()[0]
    found = cells.select(pl.all().cast(pl.Float64, strict=False))
    missing = found.select(pl.all().null_count()).sum_horizontal()[0]
    return found if missing == empty else None


def _is_trade(file: Path) -> bool:
    """Tell whether a file says who imports."""
    from withstand.workbench.partners import _columns as names_in

    columns = names_in(file) if file.is_file() else None
    return bool(columns and {*IMPORTERS} & columns)


def _from_trade(file: Path, year: int | None) -> CapabilityTable:
    """Return the exports of one year, added up over importers."""
    import polars as pl

    from withstand.readers import read_trade

    cube = read_trade(file, years=year)
    when = max(cube.years) if year is None else year
    sold = cube.imports_of("*", when, intra=True)
    frame = sold.group_by("exporter", "product").agg(pl.col("value").sum()).sort(
        "exporter", "product"
    )  # fmt: skip
    return CapabilityTable(
        frame=frame.rename({"exporter": "place"}),
        title=f"{file.stem} {when}",
        columns=("place", "product", "value"),
        is_regional=False,
        findings=cube.findings,
    )


def read_names(path: str | os.PathLike[str]) -> dict[str, str]:
    """Return names of products from a table: the first column a label, `name` (or the second) its.

    Raises
    ------
    DataError
        If the file cannot be read.
    UsageError
        If it has fewer than two columns.
    """
    import polars as pl

    frame = read_table(path, "names")
    if frame.width < 2:
        raise UsageError(f"{Path(path).name}: names need two columns, a label and a name.")
    second = next((c for c in frame.columns[1:] if "name" in c.lower()), frame.columns[1])
    pairs = frame.select(pl.col(frame.columns[0]).cast(pl.String), pl.col(second).cast(pl.String))
    return {label: name for label, name in pairs.iter_rows() if label and name}


def find_capability(
    table: CapabilityTable,
    *,
    convention: str = "stata",
    threshold: float = 1.0,
    home: str | None = None,
    names: dict[str, str] | None = None,
    has_ranks: bool = False,
    draws: int = 200,
    against: ProductionNetwork | None = None,
    is_regional: bool | None = None,
    total: str | None = None,
    whole: str | None = None,
    seed: int = 0,
    progress: Progress = silent,
) -> CapabilityContents:
    """Say what places can do; arguments as in `capability_gathering.gather_capability`.

    Raises
    ------
    UsageError
        If a place, a choice or a number is not possible.
    DataError
        With every fault of the table.
    """
    from withstand.report.capability_gathering import gather_capability

    regional = is_regional if is_regional is not None else table.is_regional
    return gather_capability(
        table.frame,
        title=table.title,
        made_at=now(),
        columns=table.columns,
        convention=convention,
        threshold=threshold,
        home=home,
        names=names,
        has_ranks=has_ranks,
        draws=draws,
        against=against,
        is_regional=regional or total is not None or whole is not None,
        total=total,
        whole=whole,
        findings=table.findings,
        seed=seed,
        progress=progress,
    )


def capability_targets(paths: Sequence[str | os.PathLike[str]]) -> list[Path]:
    """Return the paths of a report of capability, .html or .xlsx; there may be none."""
    return report_targets(paths) if paths else []


def write_capability(
    contents: CapabilityContents, paths: Sequence[str | os.PathLike[str]]
) -> list[Path]:
    """Write the report of capability to each path: .html a page, .xlsx a workbook."""
    from withstand.report.capability_page import capability_page, capability_workbook

    makers = dict(zip(REPORT_ENDINGS, (capability_page, capability_workbook), strict=True))
    targets = capability_targets(paths)
    for target in targets:
        write_atomic(target, makers[target.suffix.lower()](contents))
    return targets
