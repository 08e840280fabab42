"""The observations of an SDMX data file, with what the file says of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import polars as pl

from withstand.errors import UsageError
from withstand.model.findings import Finding, listed, nearest

MEASURE, TIME, STATUS, MULTIPLIER = "OBS_VALUE", "TIME_PERIOD", "OBS_STATUS", "UNIT_MULT"


@dataclass(frozen=True, eq=False)
class SdmxTable:
    """The observations of an SDMX file, with what the file says of them.

    Parameters
    ----------
    frame : polars.DataFrame
        A column of text for each dimension, `OBS_VALUE` (float64, empty where not available), and
        a column of text for each attribute.
    dimensions, attributes : tuple of str
        Names of the columns; the time is a dimension.
    structure : str
        Dataflow or data structure, as the file writes it: `ESTAT:NAIO_10_CP1750(1.0)`.
    updated : str, optional
        Last update, if the file says it.
    findings : tuple of Finding
    """

    frame: pl.DataFrame
    dimensions: tuple[str, ...]
    attributes: tuple[str, ...]
    structure: str = ""
    updated: str | None = None
    findings: tuple[Finding, ...] = ()

    def __repr__(self) -> str:
        """Return one line."""
        return (
            f"<SdmxTable {self.structure or 'without a name'!r}: {self.frame.height:,} "
            f"observations, dimensions {', '.join(self.dimensions)}>"
        )

    def to_frame(self) -> pl.DataFrame:
        """Return dimensions, OBS_VALUE and attributes as they stand in the file."""
        return self.frame

    def codes(self, dimension: str) -> list[str]:
        """Return the codes of a dimension, sorted.

        Raises
        ------
        UsageError
            If there is no such dimension.
        """
        return sorted(self.frame[self.named(dimension)].drop_nulls().unique().to_list())

    def filter(self, codes: Mapping[str, str | Sequence[str]]) -> SdmxTable:
        """Return the observations with these codes: `table.filter({"geo": "AT", "freq": "A"})`.

        Raises
        ------
        UsageError
            If there is no such dimension, or none has the code.
        """
        frame = self.frame
        for name, wanted in codes.items():
            column = self.named(name)
            chosen = [wanted] if isinstance(wanted, str) else [str(x) for x in wanted]
            known = self.codes(column)
            lost = [x for x in chosen if x not in known]
            if lost:
                near = nearest(lost[0], known)
                hint = f" Did you mean {near}?" if near else ""
                raise UsageError(f"{column} has no code '{lost[0]}'; there are "
                                 f"{listed(known, 20)}.{hint}")  # fmt: skip
            frame = frame.filter(pl.col(column).is_in(chosen))
        return replace(self, frame=frame)

    def named(self, dimension: str) -> str:
        """Return a dimension as the file writes it; capitals do not matter."""
        folded = {x.casefold(): x for x in self.dimensions}
        if dimension.casefold() not in folded:
            near = nearest(dimension, list(self.dimensions))
            hint = f" Did you mean {near}?" if near else ""
            raise UsageError(f"There is no dimension '{dimension}'; there are "
                             f"{', '.join(self.dimensions)}.{hint}")  # fmt: skip
        return folded[dimension.casefold()]

    def values(self) -> pl.Series:
        """Return the observations times ten to the power of UNIT_MULT, where the file has one."""
        value = self.frame[MEASURE]
        name = next((x for x in self.frame.columns if x.upper() == MULTIPLIER), None)
        if name is None:
            return value
        power = self.frame[name].cast(pl.Int32, strict=False).fill_null(0)
        return (value * (10.0 ** power.cast(pl.Float64))).rename(MEASURE)
