"""Tables of people out of a network or a mapping of frames, conformed and checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from withstand.errors import DataError, UsageError
from withstand.model.checks import check_people, check_references
from withstand.model.checks.people import text_of
from withstand.model.conforming import conform_rows
from withstand.model.findings import Finding, Origin, has_errors, nearest, shorten, sort_findings
from withstand.model.network import ProductionNetwork
from withstand.model.tables import TABLES
from withstand.model.units import PERIODS_PER_YEAR

PEOPLE_TABLES = ("occupations", "people", "transfers", "programmes", "intakes", "placements")
HOME = "HOME"
"""Region of people where neither network nor tables name one."""


@dataclass(frozen=True, kw_only=True, eq=False)
class PeopleTables:
    """The tables of people that a pipeline is built from.

    Parameters
    ----------
    frames : mapping of str to DataFrame
        Conformed tables among `PEOPLE_TABLES`; occupations are always there.
    origins : mapping of str to Origin
    period : str
        Period of durations and of hours_per_period.
    home : str
        Region of what names none.
    currency : str
    findings : tuple of Finding
        Warnings and notes.
    network : ProductionNetwork or None
    """

    frames: Mapping[str, pl.DataFrame]
    origins: Mapping[str, Origin]
    period: str
    home: str
    currency: str
    findings: tuple[Finding, ...]
    network: ProductionNetwork | None

    @property
    def per_year(self) -> float:
        """Periods in a year."""
        return PERIODS_PER_YEAR[self.period]


def people_tables(source: Any, programmes: Any = None, period: str = "year") -> PeopleTables:
    """Return the tables of people of a network, or of a mapping of frames.

    Parameters
    ----------
    source : ProductionNetwork or mapping of str to frame
        A frame is polars, pandas or a mapping of columns.
    programmes : frame, optional
        Takes the place of the table of programmes; what intakes and placements say of programmes
        that it lacks is left out.
    period : {"day", "week", "month", "quarter", "year"}
        Period of a mapping; a network has its own.

    Raises
    ------
    DataError
        With every fault of every table at once.
    UsageError
        If the source is no source, or has no table of occupations.
    """
    network, given = _given(source)
    if period not in PERIODS_PER_YEAR:
        raise UsageError(
            f"period must be one of {', '.join(PERIODS_PER_YEAR)}, not {shorten(repr(period))}."
        )
    if programmes is not None:
        given["programmes"] = frame_of(programmes, "programmes")
    frames, origins, findings = _conformed(given, network)
    if programmes is not None and "programmes" in frames:
        frames = _without_strangers(frames)
    elif programmes is not None:  # an empty frame: nobody trains
        frames = {n: f for n, f in frames.items() if n not in ("intakes", "placements")}
    findings += check_references(frames, origins)
    findings += check_people(frames, origins)
    if has_errors(findings):
        raise DataError(sort_findings(findings))
    settings = network.settings if network is not None else None
    return PeopleTables(
        frames=frames,
        origins=origins,
        period=settings.period if settings else period,
        home=_home(network, frames),
        currency=settings.currency if settings else "",
        findings=tuple(sort_findings(findings)),
        network=network,
    )


def frame_of(data: Any, what: str) -> pl.DataFrame:
    """Return a frame of polars, pandas or a mapping of columns as polars.

    Raises
    ------
    UsageError
        If it is none of these.
    """
    if isinstance(data, pl.DataFrame):
        return data
    try:
        if isinstance(data, Mapping):
            return pl.DataFrame(dict(data), strict=False)
        import narwhals.stable.v1 as nw

        frame = nw.from_native(data, eager_only=True)
        return pl.from_arrow(frame.to_arrow())  # type: ignore[return-value]
    except (TypeError, ValueError, pl.exceptions.PolarsError) as error:
        raise UsageError(
            f"{what} must be a frame (polars, pandas) or a mapping of columns of one length, not "
            f"{type(data).__name__}."
        ) from error


def _given(source: Any) -> tuple[ProductionNetwork | None, dict[str, pl.DataFrame]]:
    if isinstance(source, ProductionNetwork):
        given = {name: source.tables[name] for name in PEOPLE_TABLES if name in source.tables}
        if "occupations" not in given:
            raise UsageError(
                f"The network '{source.name}' has no table of occupations. Add the table "
                "(occupation, product, people, hours_per_period ...), or give tables of people."
            )
        return source, given
    if not isinstance(source, Mapping):
        raise UsageError(
            "people are read from a network or from a mapping of tables "
            f"(occupations, people, programmes ...), not from {type(source).__name__}."
        )
    for name in source:
        if name not in TABLES:
            near = nearest(str(name), PEOPLE_TABLES)
            raise UsageError(
                f"There is no table '{shorten(name)}'; tables of people are "
                f"{', '.join(PEOPLE_TABLES)}." + (f" Did you mean {near}?" if near else "")
            )
    known = (*PEOPLE_TABLES, "regions")
    given = {n: frame_of(f, f"table {n}") for n, f in source.items() if n in known}
    if "occupations" not in given:
        raise UsageError("A table of occupations is needed: occupation, people, exit_rate ...")
    return None, given


def _conformed(
    given: Mapping[str, pl.DataFrame], network: ProductionNetwork | None
) -> tuple[dict[str, pl.DataFrame], dict[str, Origin], list[Finding]]:
    """Conform every table; those without rows are left out (occupations must have some)."""
    frames: dict[str, pl.DataFrame] = {}
    origins: dict[str, Origin] = {}
    findings: list[Finding] = []
    for name, frame in given.items():
        is_networks = network is not None and network.tables.get(name) is frame
        origins[name] = network.origins[name] if network and is_networks else Origin(name)
        if is_networks:  # conformed when the network was built
            frames[name] = frame
            continue
        if frame.height == 0 and name != "occupations":
            continue
        done = conform_rows(frame, TABLES[name], origins[name])
        findings += [f for f in done.findings if f.code != "N101"]
        if done.is_usable:
            frames[name] = done.frame
    if network is not None:
        for name in ("regions", "products"):
            frames[name], origins[name] = network.tables[name], network.origins[name]
    if "occupations" not in frames or frames["occupations"].height == 0:
        raise DataError(sort_findings(findings))
    return frames, origins, findings


def _without_strangers(frames: dict[str, pl.DataFrame]) -> dict[str, pl.DataFrame]:
    """Leave out what is said of programmes that were replaced."""
    known = frames["programmes"]["programme"].drop_nulls().implode()
    kept = dict(frames)
    for name in ("intakes", "placements"):
        if name in kept:
            kept[name] = kept[name].filter(pl.col("programme").is_in(known))
    return kept


def _home(network: ProductionNetwork | None, frames: Mapping[str, pl.DataFrame]) -> str:
    """Return the home region: stated, else the first marked, else the first that people are in."""
    if network is not None:
        if network.settings.home is not None:
            return network.settings.home
        marked = np.flatnonzero(network.is_home)
        if len(marked):
            return str(network.region_labels[marked[0]])
    elif "regions" in frames and "home" in frames["regions"].columns:
        marked = np.flatnonzero(frames["regions"]["home"].fill_null(value=False).to_numpy())
        if len(marked):
            return str(frames["regions"]["region"][int(marked[0])])
    for name in ("people", "programmes"):
        if name in frames:
            seen = [r for r in text_of(frames[name], "region") if r]
            if seen:
                return seen[0]
    if network is not None:
        return str(network.region_labels[0])
    return HOME
