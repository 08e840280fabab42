"""People needed: hours in the recipes at planned output, over the hours a person works."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from withstand.errors import DataError, UsageError
from withstand.model.checks import check_references
from withstand.model.conforming import conform_rows
from withstand.model.encoding import encode, numbers
from withstand.model.findings import Finding, Origin, has_errors, make_finding, shorten
from withstand.model.settings import RULES
from withstand.model.tables import Column, Table
from withstand.model.units import HOURS_PER_YEAR
from withstand.people.building import years_of
from withstand.people.cells import Cells
from withstand.people.sources import PeopleTables, frame_of, people_tables

if TYPE_CHECKING:
    from withstand.model.network import ProductionNetwork

Array = np.ndarray
OutputPath = float | Mapping[int, float] | Sequence[float] | None
MOST_OUTPUT = 1e6
NEEDS = Table(
    name="needs",
    meaning="People needed by occupation, region and year.",
    key=("occupation", "region", "year"),
    columns=(
        Column(
            name="occupation",
            meaning="The occupation.",
            type="label",
            required=True,
            refers_to=("occupations",),
        ),
        Column(name="region", meaning="The region.", type="label", default="home"),
        Column(name="year", meaning="The year.", type="integer", required=True, low=0, high=9999),
        Column(
            name="people", meaning="People needed.", type="number", required=True, low=0.0,
            unit="people",
        ),
    ),
)  # fmt: skip


def needs(
    source: ProductionNetwork | Any,
    years: Sequence[int],
    *,
    output: OutputPath = None,
    assume_recipe: str = "shared",
    period: str = "year",
) -> pl.DataFrame:
    """Return the people needed by occupation, region and year at planned output.

    A network needs the hours of each skill that its recipes take at planned output; recipes are
    proportional, so that twice the final demand needs twice the hours. Occupations that supply one
    skill share its hours as they supply them now. An occupation without a skill in the network
    needs `people_needed` of its table, in proportion to output, in its regions as its people are
    spread over them now; without that it has no row.

    Parameters
    ----------
    source : ProductionNetwork, or mapping of str to frame
        As in `project`.
    years : sequence of int
        Calendar years, each following the one before.
    output : number, mapping of year to number, or a number for each year, optional
        Planned final demand as a multiple of final demand at rest (default 1). Between the years
        of a mapping it changes linearly, before and after them it stays.
    assume_recipe : {"shared", "none"}
        Whose hours count: those of every maker, who is taken to use the known recipe and to buy
        its hours where the others do (what the whole chain needs); or only those of makers whose
        recipe is known, at home.
    period : str
        Period of hours where the source is no network.

    Returns
    -------
    DataFrame
        occupation, region, year, hours (per year), people.

    Raises
    ------
    DataError
        If the tables have faults.
    UsageError
        If years or output are not possible.

    Examples
    --------
    >>> from withstand.examples import example
    >>> found = needs(example("robot_maker"), [2026, 2027], output={2026: 1, 2027: 2})
    >>> found.filter(pl.col("occupation") == "SK_GRIND")["people"].round(2).to_list()
    [37.03, 74.06]
    """
    played = years_of(years)
    factor = factors_of(output, played)
    tables = people_tables(source, None, period)
    at_rest = needed_at_rest(tables, Cells(tables), assume_recipe)
    rows = [
        (o, region, int(year), people * each * f, people * f)
        for (o, region), (people, each) in at_rest.items()
        for year, f in zip(played, factor, strict=True)
    ]
    return pl.DataFrame(
        rows,
        schema={
            "occupation": pl.String,
            "region": pl.String,
            "year": pl.Int64,
            "hours": pl.Float64,
            "people": pl.Float64,
        },
        orient="row",
    )


def factors_of(output: OutputPath, years: Array) -> Array:
    """Return final demand of each year as a multiple of that at rest, shape (years,).

    Raises
    ------
    UsageError
        If a multiple is no number of at least 0, or there is not one for each year.
    """
    hint = "Write a number, {2026: 1, 2029: 2}, or a number for each year."
    try:
        if output is None:
            return np.ones(len(years))
        if isinstance(output, Mapping):
            stated = np.array([int(y) for y in output], dtype=np.float64)
            values = np.array([float(v) for v in output.values()])
            order = np.argsort(stated)
            if len(stated) == 0 or not _possible(values):
                raise ValueError
            return np.asarray(np.interp(years, stated[order], values[order]))
        values = np.array(output, dtype=np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        raise UsageError(f"output is not possible: {shorten(repr(output))}. {hint}") from error
    if values.ndim == 0:
        values = np.full(len(years), float(values))
    if values.shape != (len(years),) or not _possible(values):
        raise UsageError(
            f"output must be multiples of at least 0, one for each of {len(years)} years, not "
            f"{shorten(repr(output))}. {hint}"
        )
    return values


def _possible(values: Array) -> bool:
    return bool((np.isfinite(values) & (values >= 0) & (values <= MOST_OUTPUT)).all())


def hours_per_period(tables: PeopleTables) -> tuple[Array, list[Finding]]:
    """Return the hours one person of each occupation works in a period, and what was assumed."""
    frame = tables.frames["occupations"]
    hours = numbers(frame, "hours_per_period")
    missing = np.isnan(hours)
    found = []
    if missing.any() and "product" in frame.columns:
        supplies = frame["product"].is_not_null().to_numpy() & missing
        if supplies.any():
            row = int(np.flatnonzero(supplies)[0])
            what = f"{frame['occupation'][row]} is taken to work {HOURS_PER_YEAR:g} hours a year"
            found.append(
                make_finding(
                    "N501",
                    what,
                    origin=tables.origins["occupations"],
                    index=row,
                    column="hours_per_period",
                    count=int(supplies.sum()),
                )
            )
    return np.where(missing, HOURS_PER_YEAR / tables.per_year, hours), found


def needed_at_rest(
    tables: PeopleTables, cells: Cells, assume_recipe: str
) -> dict[tuple[str, str], tuple[float, float]]:
    """Return (people needed at rest, hours a person works a year) by occupation and region."""
    network = tables.network
    if network is not None and network.flow_table is None:
        network = network.under_rule(assume_recipe)
    elif assume_recipe not in RULES:
        raise UsageError(f"assume_recipe must be one of {', '.join(RULES)}.")
    frame = tables.frames["occupations"]
    labels = frame["occupation"].to_list()
    hours, _ = hours_per_period(tables)
    stated = numbers(frame, "people_needed")
    product = np.full(len(labels), -1)
    used = np.zeros((0, 0))
    if network is not None and "product" in frame.columns:
        used = hours_used(network)
        product = encode(network.tables["products"]["product"], frame["product"])
    found: dict[tuple[str, str], tuple[float, float]] = {}
    for o, label in enumerate(labels):
        each = float(hours[o])
        by_skill = used[product[o]] if product[o] >= 0 else np.zeros(0)
        regions = np.flatnonzero(by_skill > 0)
        if len(regions) == 0 or each <= 0:
            if not np.isnan(stated[o]):
                for region, part in _where(cells, label, tables.home).items():
                    found[label, region] = (part * float(stated[o]), each * tables.per_year)
            continue
        same = [labels[k] for k in np.flatnonzero(product == product[o])]
        for r in regions:
            region = str(network.region_labels[r])  # type: ignore[union-attr]
            part = _part(cells, label, same, dict(zip(labels, hours, strict=True)), region)
            people = part * float(by_skill[r]) / each
            found[label, region] = (people, each * tables.per_year)
    return found


def _where(cells: Cells, label: str, home: str) -> dict[str, float]:
    """Return the share of an occupation's people in each region; all at home if it has none."""
    people: dict[str, float] = {}
    for cell, stock in zip(cells.labels, cells.stock, strict=True):
        if cell.occupation == label:
            people[cell.region] = people.get(cell.region, 0.0) + stock
    total = sum(people.values())
    return {r: x / total for r, x in people.items()} if total > 0 else {home: 1.0}


def _part(
    cells: Cells, label: str, same: list[str], hours: Mapping[str, float], region: str
) -> float:
    """Return the share of a skill's hours in a region that one occupation supplies now."""
    if len(same) == 1:
        return 1.0
    supplied = {x: hours[x] * sum(cells.stock[at] for at in cells.of(x, region)) for x in same}
    if not any(supplied.values()):
        everywhere = zip(cells.labels, cells.stock, strict=True)
        stocks = [(cell.occupation, people) for cell, people in everywhere]
        supplied = {x: hours[x] * sum(n for o, n in stocks if o == x) for x in same}
    total = sum(supplied.values())
    return supplied[label] / total if total > 0 else 1.0 / len(same)


def hours_used(network: ProductionNetwork) -> Array:
    """Return what is used of each product at rest by the region of its suppliers.

    What has no supplier counts in the region of its buyer; final demand for the product counts too.

    Returns
    -------
    ndarray of float64, shape (n_products, n_regions), units (hours, for skills) per period
    """
    size = network.n_products * network.n_regions
    supplier = network.link_supplier
    at = network.node_product * network.n_regions + network.node_region
    used = np.bincount(at[supplier], network.link_flow, size)
    used += np.bincount(at, np.maximum(network.final_demand, 0.0), size)
    alone = np.diff(network.links_indptr) == 0
    buyer = network.input_buyer[alone]
    where = network.input_product[alone] * network.n_regions + network.node_region[buyer]
    used += np.bincount(where, network.input_coefficient[alone] * network.output[buyer], size)
    return used.reshape(network.n_products, network.n_regions)


def needs_from(given: Any, tables: PeopleTables, years: Array) -> dict[tuple[str, str], Array]:
    """Return the needs of a frame by occupation and region, people in each year.

    Years that a group does not name lie linearly between those it names, and stay as the first or
    last of these outside them.

    Raises
    ------
    DataError
        With every fault of the frame.
    """
    origin = Origin("needs")
    done = conform_rows(frame_of(given, "needs"), NEEDS, origin)
    findings = [f for f in done.findings if f.code != "N101"]
    if not has_errors(findings) and done.is_usable:
        findings += _unknown(done.frame, tables, origin)
    if has_errors(findings):
        raise DataError(findings)
    by_group: dict[tuple[str, str], list[tuple[int, float]]] = {}
    frame = done.frame
    if "region" not in frame.columns:
        frame = frame.with_columns(pl.lit(tables.home).alias("region"))
    for o, region, year, people in frame.select(
        "occupation", "region", "year", "people"
    ).iter_rows():
        by_group.setdefault((o, region or tables.home), []).append((year, people))
    found = {}
    for group, named in by_group.items():
        stated = np.array(sorted(named), dtype=np.float64)
        found[group] = np.interp(years, stated[:, 0], stated[:, 1])
    return found


def _unknown(frame: pl.DataFrame, tables: PeopleTables, origin: Origin) -> list[Finding]:
    """Find occupations (and regions) that the tables do not list."""
    labels = frame.select(c for c in ("occupation", "region") if c in frame.columns)
    listed = {n: tables.frames[n] for n in ("occupations", "regions") if n in tables.frames}
    places = {**tables.origins, "people": origin}
    return check_references({**listed, "people": labels}, places)  # people refer to both alike
