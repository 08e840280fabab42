"""What is said of a production line, in words and numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from withstand.report.words import clean, number, percent

if TYPE_CHECKING:
    import polars as pl

    from withstand.model.findings import Finding
    from withstand.plants.lines import ProductionLine


@dataclass(frozen=True, kw_only=True, eq=False)
class LineContents:
    """What is said of a production line.

    Parameters
    ----------
    name : str
    line : ProductionLine
    machines : polars.DataFrame
        Of `plants.line_tables.machine_frame`.
    helps : polars.DataFrame
        Of `ProductionLine.what_helps`.
    how : str
        How the numbers were found.
    seed : int
    made_at : str
        Date and time.
    findings : tuple of Finding
        What was noted in the table.
    """

    name: str
    line: ProductionLine
    machines: pl.DataFrame
    helps: pl.DataFrame
    how: str
    seed: int
    made_at: str
    findings: tuple[Finding, ...] = ()

    @property
    def title(self) -> str:
        """What the line makes and what holds it back."""
        made = self.line
        return (
            f"The line makes {number(made.per_hour)} good parts per hour, and"
            f" {clean(made.bottleneck)} holds it back"
        )

    @property
    def sentences(self) -> tuple[str, ...]:
        """What was found, in order of weight."""
        made = self.line
        sure = f" (± {made.run.half_width:.4f})" if made.run.half_width else ""
        said = [
            self.title + ".",
            f"In a cycle of {number(made.cycle_seconds)} seconds it makes {made.throughput:.4f}"
            f" parts{sure}, good and bad. Its OEE is {percent(made.effectiveness)}: good parts over"
            " what its slowest machine would make at nominal speed without a stop.",
        ]
        best = self.helps.row(0, named=True)
        if best["gain"] > 0:
            what = {"one more place": "one more place between", "repair a tenth faster":
                    "a repair a tenth faster of"}[best["change"]]  # fmt: skip
            where = clean(best["where"]).replace(" > ", " and ")
            said.append(
                f"Of single changes, {what} {where} adds most:"
                f" {number(best['gain_per_hour'], 2)} good parts per hour."
            )
        return (*said, self.how)
