"""How many robots are at work: stocks from yearly installations, and robots per employee."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

from withstand.errors import UsageError
from withstand.model.findings import counted, nearest
from withstand.plants.number_checks import number, whole, word

Array = np.ndarray
PER = 10_000.0
"""Densities are robots per so many employees."""
RETIREMENTS = ("sudden", "exponential", "linear")
LONGEST_GAP = 500
_SCHEMA = {"region": pl.String, "year": pl.Int64, "value": pl.Float64}


@dataclass(frozen=True, kw_only=True, eq=False)
class RobotStock:
    """Robots at work at the end of each year.

    Parameters
    ----------
    frame : DataFrame
        region, year, installations, stock [robots], retired [robots in the year], is_complete:
        whether all years from which robots may still be at work are known.
    retirement : str
    life : float, years
    """

    frame: pl.DataFrame
    retirement: str
    life: float

    def to_frame(self) -> pl.DataFrame:
        """Return one row a region and year."""
        return self.frame

    def at_end_of(self, year: int, region: str | None = None) -> float:
        """Return the stock at the end of a year, robots.

        Raises
        ------
        UsageError
            If there is no such year or region, or several regions and none is named.
        """
        regions = self.frame["region"].unique(maintain_order=True).to_list()
        if region is None and len(regions) > 1:
            raise UsageError(f"Name the region; there are {len(regions)}: {regions[0]} ...")
        where = regions[0] if region is None else region
        rows = self.frame.filter((pl.col("region") == where) & (pl.col("year") == year))
        if rows.is_empty():
            near = nearest(str(where), regions)
            hint = f" Did you mean {near}?" if where not in regions and near else ""
            raise UsageError(f"There is no stock of {where} in {year} ({self._years()}).{hint}")
        return float(rows["stock"][0])

    def compare(self, published: pl.DataFrame) -> pl.DataFrame:
        """Return published stocks beside own ones: see `beside_published`; is_complete is kept."""
        own = self.frame.select("region", "year", value="stock")
        flags = self.frame.select("region", "year", "is_complete")
        return beside_published(own, published).join(
            flags, on=["region", "year"], how="left", maintain_order="left"
        )

    def __repr__(self) -> str:
        """Return one line."""
        regions = counted(self.frame["region"].n_unique(), "region")
        return (
            f"<RobotStock: {regions}, {self._years()}, {self.retirement} retirement, "
            f"life {self.life:g} years>"
        )

    def _years(self) -> str:
        years = self.frame["year"].to_list()
        return f"{min(years)} to {max(years)}"


def robot_stock(
    installations: pl.DataFrame | Mapping[int, float],
    *,
    life: float = 12,
    retirement: str = "sudden",
    initial: float | Mapping[str, float] = 0.0,
) -> RobotStock:
    """Return the robots at work at the end of each year, by perpetual inventory.

    Stock_t = sum over ages a = 0, 1 ... of s(a) installations_{t-a}, with s(a) the share that is
    still at work a year ends after that of its installation: "sudden": 1 for a < life, then 0 (the
    assumption of the International Federation of Robotics, life 12); "exponential": (1 - 1 / life)
    to the power a, as where robots depreciate by a share of the stock; "linear":
    max(0, 1 - a / life).

    Parameters
    ----------
    installations : DataFrame (year, installations, and region if there are several), or mapping
        Robots installed in each year. A mapping goes from year to robots.
    life : float, years, at least 1
        Of whole years where retirement is sudden.
    retirement : {"sudden", "exponential", "linear"}
    initial : float, or mapping from region, robots
        At work before the first year; retires as if installed at the end of the year before.

    Returns
    -------
    RobotStock

    Raises
    ------
    UsageError
        If a number cannot be, a column is missing, a year stands twice or is left out.

    Notes
    -----
    `is_complete` is False where robots from before the first year could still be at work, so that
    the stock is too small (exponential: where more than 5 % of a robot from before would be left).

    References
    ----------
    IFR World Robotics, "Sources and methods" (life of 12 years). Graetz & Michaels (2018), Review
    of Economics and Statistics 100(5), depreciation of 10 % a year and others.

    Examples
    --------
    >>> robot_stock({2020: 5, 2021: 3, 2022: 4}, life=2).to_frame()["stock"].to_list()
    [5.0, 8.0, 7.0]
    """
    how = word("retirement", retirement, RETIREMENTS)
    years_of_life = number("life", life, low=1.0, high=200.0, unit="years")
    if how == "sudden":
        whole("life", life, low=1, high=200)
    frame = _rows(installations, "installations")
    regions = frame["region"].unique(maintain_order=True).to_list()
    before = initial if isinstance(initial, Mapping) else dict.fromkeys(regions, initial)
    for region in before:
        _known(region, regions)
    parts = []
    for region in regions:
        rows = frame.filter(pl.col("region") == region).sort("year")
        years = _every_year(rows["year"].to_numpy(), region)
        new = rows["value"].to_numpy()
        old = number("initial", before.get(region, 0.0), unit="robots")
        n = len(years)
        left = _left(how, years_of_life, n + 1)
        stock = np.convolve(new, left[:n])[:n] + old * left[1:]
        opening = np.append(old, stock[:-1])
        is_complete = (np.arange(1, n + 1) >= _memory(how, years_of_life)) | (old > 0)
        parts.append(
            pl.DataFrame(
                {
                    "region": [region] * n,
                    "year": years,
                    "installations": new,
                    "stock": stock,
                    "retired": opening + new - stock,
                    "is_complete": is_complete,
                }
            )
        )
    return RobotStock(frame=pl.concat(parts), retirement=how, life=years_of_life)


def robot_density(
    stock: RobotStock | pl.DataFrame | float,
    employees: pl.DataFrame | float,
    *,
    nearest_year: bool = False,
) -> pl.DataFrame | float:
    """Return robots per 10,000 employees.

    Parameters
    ----------
    stock : RobotStock, DataFrame (year, stock, and region if there are several) or float, robots
    employees : DataFrame (year, employees, and region if there are several) or float, people
        Those of the industry that the robots work in: manufacturing, in published densities.
    nearest_year : bool
        Take the employees of the nearest year where those of the year itself are not known. The
        column `employees_year` says which.

    Returns
    -------
    DataFrame or float
        region, year, stock, employees, employees_year, density; or the density of two numbers.

    Raises
    ------
    UsageError
        If a number cannot be, or no year of a region has both.

    Examples
    --------
    >>> robot_density(4_281_585, 264_000_000)
    162.181...
    """
    if not isinstance(stock, pl.DataFrame | RobotStock) and not isinstance(employees, pl.DataFrame):
        people = number("employees", employees, above=True, unit="people")
        return PER * number("stock", stock, unit="robots") / people
    if not isinstance(stock, pl.DataFrame | RobotStock) or not isinstance(employees, pl.DataFrame):
        raise UsageError("stock and employees must be both tables, or both numbers.")
    table = stock.frame if isinstance(stock, RobotStock) else stock
    robots = _rows(table, "stock").rename({"value": "stock"})
    people_rows = _rows(employees, "employees").rename({"value": "employees"})
    if (people_rows["employees"] <= 0).any():
        raise UsageError("employees must be above 0.")
    people_rows = people_rows.with_columns(employees_year="year").sort("year")
    if nearest_year:
        found = robots.sort("year").join_asof(
            people_rows, on="year", by="region", strategy="nearest", check_sortedness=False
        )
        found = found.filter(pl.col("employees").is_not_null())
    else:
        found = robots.join(people_rows, on=["region", "year"], how="inner")
    if found.is_empty():
        raise UsageError(
            "No region and year has both robots and employees; check the labels of the column "
            "region, or set nearest_year=True."
        )
    return (
        found.with_columns(density=PER * pl.col("stock") / pl.col("employees"))
        .select("region", "year", "stock", "employees", "employees_year", "density")
        .sort("region", "year")
    )


def beside_published(own: pl.DataFrame, published: pl.DataFrame) -> pl.DataFrame:
    """Return published numbers beside own ones.

    Parameters
    ----------
    own, published : DataFrame
        region (may be left out), year, value.

    Returns
    -------
    DataFrame
        region, year, published, own (null where there is none), difference = own - published,
        relative = difference / published.

    Examples
    --------
    >>> own = pl.DataFrame({"year": [2023], "value": [101.0]})
    >>> beside_published(own, pl.DataFrame({"year": [2023], "value": [100.0]})).row(0)[2:]
    (100.0, 101.0, 1.0, 0.01)
    """
    left = _rows(published, "value").rename({"value": "published"})
    right = _rows(own, "value").rename({"value": "own"})
    joined = left.join(right, on=["region", "year"], how="left", maintain_order="left")
    return joined.with_columns(difference=pl.col("own") - pl.col("published")).with_columns(
        relative=pl.when(pl.col("published") != 0).then(pl.col("difference") / pl.col("published"))
    )


def _rows(given: object, value: str) -> pl.DataFrame:
    """Return region, year, value, with every cell a number and no year twice in a region."""
    if isinstance(given, Mapping):
        given = pl.DataFrame({"year": list(given), value: list(given.values())}, strict=False)
    if not isinstance(given, pl.DataFrame):
        raise UsageError(f"{value} must be a table (year, {value}) or a mapping from year.")
    for column in ("year", value):
        if column not in given.columns:
            near = nearest(column, given.columns)
            hint = f" Did you mean the column {near}?" if near else ""
            raise UsageError(f"The table of {value} lacks the column {column}.{hint}")
    region = pl.col("region") if "region" in given.columns else pl.lit("all")
    try:
        frame = given.select(region=region, year="year", value=value).cast(_SCHEMA)  # type: ignore[arg-type]
    except pl.exceptions.PolarsError as error:
        raise UsageError(f"year and {value} must be numbers in every row.") from error
    bad = frame.filter(
        pl.any_horizontal(pl.all().is_null()) | ~pl.col("value").is_finite() | (pl.col("value") < 0)
    )
    if bad.height:
        row = bad.row(0)
        raise UsageError(
            f"{value} of {row[0]} in {row[1]} is {row[2]}; it must be a number of at least 0."
        )
    twice = frame.filter(frame.select("region", "year").is_duplicated())
    if twice.height:
        raise UsageError(f"{twice['region'][0]} has the year {twice['year'][0]} more than once.")
    if frame.is_empty():
        raise UsageError(f"The table of {value} has no row.")
    return frame


def _every_year(years: Array, region: str) -> Array:
    steps = np.diff(years)
    if (steps != 1).any():
        gap = int(years[int(np.flatnonzero(steps != 1)[0])]) + 1
        raise UsageError(f"{region} has no row for {gap}; give every year (0 if none).")
    if len(years) > LONGEST_GAP:
        raise UsageError(f"{region} has {len(years)} years; the most is {LONGEST_GAP}.")
    return years


def _known(region: str, regions: list[str]) -> None:
    if region not in regions:
        near = nearest(str(region), regions)
        hint = f" Did you mean {near}?" if near else ""
        raise UsageError(f"initial names the region {region}, which has no installations.{hint}")


def _left(how: str, life: float, n: int) -> Array:
    """Return the share still at work at age 0 .. n - 1."""
    age = np.arange(float(n))
    if how == "sudden":
        return np.where(age < life, 1.0, 0.0)
    if how == "exponential":
        return (1.0 - 1.0 / life) ** age
    return np.maximum(0.0, 1.0 - age / life)


def _memory(how: str, life: float) -> float:
    """Return after how many years nothing (or 5 %) is left from before."""
    if how != "exponential" or life == 1:
        return float(np.ceil(life))
    return float(np.ceil(np.log(0.05) / np.log1p(-1.0 / life)))
