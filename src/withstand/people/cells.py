"""Cells of people: occupation x region x age band x qualification, and who is next to whom."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import polars as pl

from withstand.model.checks.people import ages_of, text_of
from withstand.model.encoding import encode, numbers
from withstand.model.findings import Finding, make_finding

if TYPE_CHECKING:
    from withstand.people.sources import PeopleTables

Array = np.ndarray


class Cell(NamedTuple):
    """Labels of a cell; blank where there is no age band or qualification."""

    occupation: str
    region: str
    age_band: str = ""
    qualification: str = ""


class Cells:
    """The cells of some tables, in the order of occupations and rows; more join on demand.

    Rates are shares per year, of those employed in the cell (`back`: of those elsewhere).
    """

    def __init__(self, tables: PeopleTables) -> None:
        self._occupations = tables.frames["occupations"]
        self.occupations = self._occupations["occupation"].to_list()
        self._row_of = {label: o for o, label in enumerate(self.occupations)}
        self._exit = numbers(self._occupations, "exit_rate", 0.0)
        self._transfer = numbers(self._occupations, "transfer_rate")
        self.index: dict[Cell, int] = {}
        self.labels: list[Cell] = []
        self._of: dict[tuple[str, str], list[int]] = {}
        self.stock: list[float] = []
        self.elsewhere: list[float] = []
        self.exit: list[float] = []
        self.transfer: list[float] = []  # NaN: the sum of the transfers listed
        self.back: list[float] = []
        self.arrivals: list[float] = []
        self.bands: set[str] = set()
        self.findings: list[Finding] = []
        self._fill(tables)

    def __len__(self) -> int:
        """Return the number of cells."""
        return len(self.index)

    def _fill(self, tables: PeopleTables) -> None:
        stated = numbers(self._occupations, "people")
        people = tables.frames.get("people")
        rows: dict[int, list[int]] = {}
        if people is not None:
            for row, o in enumerate(encode(self._occupations["occupation"], people["occupation"])):
                rows.setdefault(int(o), []).append(row)
            self._read(people)
        for o, label in enumerate(self.occupations):
            if o in rows:
                for row in rows[o]:
                    self._add_row(row)
                self._compare(tables, o, stated[o], people, rows[o])
                continue
            if np.isnan(stated[o]):
                what = f"people of {label} are not known; they were taken as none"
                self.findings.append(
                    make_finding(
                        "W503",
                        what,
                        origin=tables.origins["occupations"],
                        index=o,
                        column="people",
                    )
                )
            at = self.add(Cell(label, tables.home))
            self.stock[at] = float(np.nan_to_num(stated[o]))

    def _read(self, people: pl.DataFrame) -> None:
        self._words = [text_of(people, c) for c in Cell._fields]
        self._rows = {
            name: numbers(people, name, default).tolist()
            for name, default in (
                ("people", 0.0),
                ("elsewhere", 0.0),
                ("exit_rate", np.nan),
                ("transfer_rate", np.nan),
                ("return_rate", 0.0),
                ("arrivals", 0.0),
            )
        }

    def _add_row(self, row: int) -> None:
        at = self.add(Cell(*(words[row] for words in self._words)))
        self.stock[at] = self._rows["people"][row]
        self.elsewhere[at] = self._rows["elsewhere"][row]
        self.back[at] = self._rows["return_rate"][row]
        self.arrivals[at] = self._rows["arrivals"][row]
        if not np.isnan(self._rows["exit_rate"][row]):
            self.exit[at] = self._rows["exit_rate"][row]
        if not np.isnan(self._rows["transfer_rate"][row]):
            self.transfer[at] = self._rows["transfer_rate"][row]

    def _compare(
        self,
        tables: PeopleTables,
        o: int,
        stated: float,
        people: pl.DataFrame | None,
        rows: list[int],
    ) -> None:
        total = sum(self._rows["people"][row] for row in rows)
        if np.isnan(stated) or abs(total - stated) <= max(0.5, 1e-3 * stated):
            return
        what = (
            f"people of {self.occupations[o]} sum to {total:.6g}, and the occupation states "
            f"{stated:.6g}; the sum was taken"
        )
        self.findings.append(
            make_finding(
                "W504",
                what,
                origin=tables.origins["people"],
                index=rows[0],
                column="people",
                value=f"{total:.6g}",
            )
        )

    def add(self, cell: Cell) -> int:
        """Return the index of a cell, which is made (without people) if it was not there."""
        if cell in self.index:
            return self.index[cell]
        at = self.index[cell] = len(self.labels)
        self.labels.append(cell)
        self._of.setdefault((cell.occupation, cell.region), []).append(at)
        self.bands.add(cell.age_band)
        o = self._row_of[cell.occupation]
        for values, start in (
            (self.stock, 0.0),
            (self.elsewhere, 0.0),
            (self.exit, float(self._exit[o])),
            (self.transfer, float(self._transfer[o])),
            (self.back, 0.0),
            (self.arrivals, 0.0),
        ):
            values.append(start)
        return at

    def of(self, occupation: str, region: str) -> list[int]:
        """Return the cells of an occupation in a region, in order."""
        return self._of.get((occupation, region), [])

    def nearest(self, wanted: Cell) -> int:
        """Return where people of some age and qualification go in an occupation and region.

        To the cell of their age and qualification, else of their age, else of their qualification
        without age, else the first without age; if all of these are missing, to a new cell. A
        blank age (or qualification) takes the first one there is.
        """
        here = [(at, self.labels[at]) for at in self.of(wanted.occupation, wanted.region)]
        age, skill = wanted.age_band, wanted.qualification
        for fits in (
            lambda c: c.age_band == age and c.qualification == skill,
            lambda c: age and c.age_band == age,
            lambda c: not c.age_band and c.qualification == skill,
            lambda c: not c.age_band,
            lambda c: not age and c.qualification == skill,
            lambda c: not age,
        ):
            for at, cell in here:
                if fits(cell):
                    return at
        return self.add(wanted)

    def older(self, at: int) -> tuple[int, float] | None:
        """Return the cell of the next age band and the share that reaches it in a year."""
        cell = self.labels[at]
        ages = ages_of(cell.age_band)
        if ages is None or ages[1] is None:
            return None
        for band in sorted(self.bands):
            following = ages_of(band)
            if following and following[0] == ages[1] + 1:
                return self.add(cell._replace(age_band=band)), 1.0 / (ages[1] - ages[0] + 1)
        return None

    def to_frame(self) -> pl.DataFrame:
        """Return the labels, a row for each cell."""
        return pl.DataFrame(
            {name: [getattr(c, name) for c in self.labels] for name in Cell._fields},
            schema=dict.fromkeys(Cell._fields, pl.String),
        )
