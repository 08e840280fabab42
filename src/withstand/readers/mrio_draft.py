"""What a reader of a world table found, and how it becomes an economy."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from withstand.errors import DataError
from withstand.model.balances import rounding_of
from withstand.model.blocs import country_of, region_table
from withstand.model.economy import build_economy
from withstand.model.findings import Finding, Origin, listed, make_finding, nearest, shorten
from withstand.model.national import NEGATIVE_FLOWS
from withstand.model.settings import Settings

if TYPE_CHECKING:
    from withstand.model.network import ProductionNetwork

Array = np.ndarray
MOST_EXTENSION_ROWS = 2_000_000


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What the user asked for beside the path.

    Parameters
    ----------
    path : Path
        An ordinary file, or a folder.
    year : int, optional
    home : str, optional
        Home region, and the country of a file of national tables.
    blocs : tuple of str
        Blocs that are noted in the table of regions.
    """

    path: Path
    year: int | None = None
    home: str | None = None
    blocs: tuple[str, ...] = ()

    @property
    def origin(self) -> Origin:
        """Name of the file, for findings."""
        return Origin(shorten(self.path.name))


@dataclass(kw_only=True, eq=False)
class Draft:
    """A world table as read from a file, before it is an economy.

    Parameters
    ----------
    flows : ndarray of float64, shape (n_nodes, n_nodes)
        The row sells to the column; entries may be negative.
    final : ndarray of float64, shape (n_nodes, n_final)
    nodes : polars.DataFrame
        `product`, `region`, and `output`, `value_added` where the file has them.
    final_columns : polars.DataFrame
        `region`, `category`.
    name, currency : str
    year : int, optional
    home : str, optional
        Home region, if the file says so.
    tolerance : float, optional
        What rounding explains; looked up in the numbers if not given.
    product_names, region_names : mapping of str to str
        Names for people.
    extensions : polars.DataFrame, optional
        `node`, `name`, `value`, `unit`.
    sources : list of (str, str)
        Facts about the table: what they are about, and the statement.
    findings : list of Finding
    """

    flows: Array
    final: Array
    nodes: pl.DataFrame
    final_columns: pl.DataFrame
    name: str = ""
    currency: str = ""
    year: int | None = None
    home: str | None = None
    tolerance: float | None = None
    product_names: dict[str, str] = field(default_factory=dict)
    region_names: dict[str, str] = field(default_factory=dict)
    extensions: pl.DataFrame | None = None
    sources: list[tuple[str, str]] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)


def refuse(
    wanted: Wanted,
    code: str,
    what: str,
    *,
    column: str | None = None,
    value: object = None,
    index: int | None = None,
    count: int = 1,
    suggestion: str | None = None,
    fix: str | None = None,
) -> DataError:
    """Return the error of a file that cannot be read, with one finding."""
    finding = make_finding(
        code, what, origin=wanted.origin, column=column, value=value, index=index, count=count,
        suggestion=suggestion, fix=fix,
    )  # fmt: skip
    return DataError([finding])


def finish(draft: Draft, wanted: Wanted) -> ProductionNetwork:
    """Return the economy of a draft: negative flows moved, regions named, blocs noted.

    Raises
    ------
    DataError
        With every finding, if any is an error.
    """
    origin = wanted.origin
    tolerance = draft.tolerance
    if tolerance is None:
        others = [
            draft.nodes[c].to_numpy() for c in ("output", "value_added") if c in draft.nodes.columns
        ]
        tolerance = rounding_of(draft.flows, draft.final, *others)
    _move_negative_flows(draft, origin)
    year = wanted.year or draft.year
    labels = pl.concat([draft.nodes["region"], draft.final_columns["region"]])
    known = labels.cast(pl.String).unique(maintain_order=True).to_list()
    regions = region_table(known, wanted.blocs, year)
    if draft.region_names:
        names = pl.col("region").replace(draft.region_names)
        is_named = pl.col("region").is_in(list(draft.region_names))
        regions = regions.with_columns(
            pl.when(is_named).then(names).otherwise("name").alias("name")
        )
    tables = {"nodes": draft.nodes, "regions": regions, "products": _products(draft)}
    if draft.extensions is not None and draft.extensions.height:
        tables["extensions"] = draft.extensions
    tables["sources"] = _sources(draft, year)
    home = _home(wanted.home or draft.home, known, origin)
    settings = Settings(
        name=draft.name or wanted.path.stem,
        lens="economy",
        period="year",
        currency=draft.currency,
        home=home,
    )
    return build_economy(
        draft.flows,
        draft.final,
        tables,
        draft.final_columns,
        settings,
        tolerance=tolerance,
        origins={name: replace(origin, file=f"{origin.file} ({name})") for name in
                 ("nodes", "flows", "final", "regions", "products", "extensions", "sources")},
        findings=draft.findings,
    )  # fmt: skip


def _home(home: str | None, known: list[str], origin: Origin) -> str | None:
    """Return the label of the home region; another code of the same country is understood."""
    if home is None or home in known:
        return home
    country = country_of(home)
    same = [label for label in known if country is not None and country_of(label) == country]
    if len(same) == 1:
        return same[0]
    what = f"home: there is no region of that name; there are {listed(known, 50)}"
    finding = make_finding(
        "E207", what, origin=origin, column="home", value=home, suggestion=nearest(home, known),
        fix="Name one of the regions of the table.",
    )  # fmt: skip
    raise DataError([finding])


def _sources(draft: Draft, year: int | None) -> pl.DataFrame:
    """Return what is said of the table, with what was done to it on reading: a project keeps it."""
    facts = dict(draft.sources)
    if year is not None:
        facts.setdefault("year", str(year))
    for finding in draft.findings:
        about = f"reading: {finding.code}"
        facts[about] = f"{facts[about]}; {finding.what}" if about in facts else finding.what
    return pl.DataFrame(
        list(facts.items()), schema={"source": pl.String, "statement": pl.String}, orient="row"
    )


def _products(draft: Draft) -> pl.DataFrame:
    labels = draft.nodes["product"].cast(pl.String).unique(maintain_order=True)
    frame = pl.DataFrame({"product": labels})
    if draft.product_names:
        named = labels.replace(draft.product_names).alias("name")
        frame = frame.with_columns(named)
    return frame


def _move_negative_flows(draft: Draft, origin: Origin) -> None:
    """Move negative flows to a column of final demand of the buyer's region, and to value added.

    What the seller sells in all stays; the buyer's purchases rise by as much as its value added
    falls, so that both sides still balance.
    """
    lowest = draft.flows.min(axis=1, initial=0.0)
    if not (lowest < 0).any():
        return
    row, column = np.nonzero(draft.flows < 0)
    value = draft.flows[row, column]
    regions = draft.nodes["region"].cast(pl.String).to_numpy()
    of_buyer = regions[column]
    added = pl.Series(of_buyer).unique(maintain_order=True).to_list()
    moved = np.zeros((len(draft.flows), len(added)))
    place = {label: k for k, label in enumerate(added)}
    np.add.at(moved, (row, np.array([place[label] for label in of_buyer])), value)
    draft.flows = np.array(draft.flows)
    draft.flows[row, column] = 0.0
    draft.final = np.hstack([draft.final, moved])
    columns = pl.DataFrame({"region": added, "category": [NEGATIVE_FLOWS] * len(added)})
    draft.final_columns = pl.concat(
        [draft.final_columns.select(pl.col("region", "category").cast(pl.String)), columns]
    )
    if "value_added" in draft.nodes.columns:
        less = np.bincount(column, value, len(draft.flows))
        draft.nodes = draft.nodes.with_columns(
            pl.Series("value_added", draft.nodes["value_added"].to_numpy() + less)
        )
    labels = draft.nodes.select(pl.format("{}@{}", "product", "region")).to_series()
    worst = int(value.argmin())
    what = (
        f"{len(value):,} negative flows, {value.sum():,.6g} in all, were moved to final demand "
        f"'{NEGATIVE_FLOWS}' and taken off the buyers' value added; the largest is "
        f"{value[worst]:,.6g} from {labels[int(row[worst])]} to {labels[int(column[worst])]}"
    )
    draft.findings.append(make_finding("N207", what, origin=origin, count=len(value)))


def numbers_of(frame: pl.DataFrame, wanted: Wanted) -> Array:
    """Return columns of a frame as a matrix of float64; cells that are no numbers are findings.

    Empty cells count as zero, as in the tables of the providers.

    Raises
    ------
    DataError
        With the first bad cell of every bad column.
    """
    out = np.empty((frame.height, frame.width))
    findings = []
    for k, name in enumerate(frame.columns):
        series = frame[name]
        if series.dtype == pl.String:
            text = series.str.strip_chars()
            text = text.set(text == "", None)
            series = text.cast(pl.Float64, strict=False)
            bad = (series.is_null() & text.is_not_null()).arg_true()
            if len(bad):
                row = int(bad[0])
                findings.append(
                    make_finding(
                        "E103", "this is no number", origin=wanted.origin, index=row, column=name,
                        value=text[row], count=len(bad),
                    )
                )  # fmt: skip
                continue
        elif not series.dtype.is_numeric():
            what = f"a column of numbers is expected, this one holds {series.dtype}"
            findings.append(make_finding("E103", what, origin=wanted.origin, column=name))
            continue
        out[:, k] = series.cast(pl.Float64).fill_null(0.0).to_numpy()
    if findings:
        raise DataError(findings[:20])
    return out
