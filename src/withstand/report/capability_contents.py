"""What is said of capability: results that the workbench computed, and the frames drawn of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import polars as pl

from withstand.report.words import clean

if TYPE_CHECKING:
    from withstand.measures.candidate_results import LocaliseCandidates
    from withstand.measures.complexities import Complexity
    from withstand.measures.complexity_ranks import RankIntervals
    from withstand.measures.location_quotients import LocationQuotient
    from withstand.measures.related_densities import RelatedDensity
    from withstand.model.findings import Finding

DOUBTS = ("W654", "W655", "W656", "W657")
"""Findings that say the index is not what it seems."""


@dataclass(frozen=True, kw_only=True, eq=False)
class CapabilityContents:
    """What is said of the capability of places.

    Parameters
    ----------
    title : str
        What the table is called.
    complexity : Complexity
    made_at : str
        Date and time.
    columns : tuple of str
        The columns that are place, product and value, for the settings.
    home : str, optional
        The place looked at, as the table calls it.
    names : dict of str to str
        Names for people of products.
    place_ranks, product_ranks : RankIntervals, optional
    reach : polars.DataFrame, optional
        What home lacks, best candidate first (`measures.within_reach`).
    localise : LocaliseCandidates, optional
        What a network buys outside home and home could make.
    against : str
        The name of that network; empty without one.
    quotients : LocationQuotient, optional
        For a table of regions and their industries.
    related : RelatedDensity, optional
    findings : tuple of Finding
        Of the index, and of the quotients.
    draws, seed : int
        Draws of the intervals, and their seed.
    left_out : tuple of str
        What was not computed and why, in sentences.
    """

    title: str
    complexity: Complexity
    made_at: str
    columns: tuple[str, ...]
    home: str | None = None
    names: dict[str, str] = field(default_factory=dict)
    place_ranks: RankIntervals | None = None
    product_ranks: RankIntervals | None = None
    reach: pl.DataFrame | None = None
    localise: LocaliseCandidates | None = None
    against: str = ""
    quotients: LocationQuotient | None = None
    related: RelatedDensity | None = None
    findings: tuple[Finding, ...] = ()
    draws: int = 0
    seed: int = 0
    left_out: tuple[str, ...] = ()

    def called(self, product: str) -> str:
        """Return the name of a product, safe to stand in a sentence; with its label if a code."""
        return clean(self.names.get(product) or product)

    @property
    def doubts(self) -> list[Finding]:
        """The findings that say the index may not be one."""
        return [f for f in self.findings if f.code in DOUBTS]

    @cached_property
    def places(self) -> pl.DataFrame:
        """Places by rank: place, rank, eci, diversity, coi, fitness, low, high (ranks)."""
        frame = self.complexity.to_frame("places").sort("rank", nulls_last=True)
        return _with_interval(frame, "place", self.place_ranks).select(
            "place", "rank", "low", "high", "eci", "diversity", "coi", "fitness"
        )

    @cached_property
    def products(self) -> pl.DataFrame:
        """Products by rank: product, name, rank, pci, ubiquity, quality, low, high (ranks)."""
        frame = self.complexity.to_frame("products").sort("rank", nulls_last=True)
        joined = _with_interval(frame, "product", self.product_ranks)
        return self.with_names(joined).select(
            "product", "name", "rank", "low", "high", "pci", "ubiquity", "quality"
        )

    @cached_property
    def candidates(self) -> pl.DataFrame:
        """What home lacks, best first, with names: rank, product, name, score, density ..."""
        if self.reach is None:
            return pl.DataFrame(schema={"product": pl.String, "score": pl.Float64})
        return self.with_names(self.reach)

    @cached_property
    def home_row(self) -> dict[str, object] | None:
        """The row of home among the places; None without home."""
        if self.home is None:
            return None
        return self.places.filter(pl.col("place") == self.home).row(0, named=True)

    @cached_property
    def quotient_rows(self) -> pl.DataFrame:
        """Activities of home by location quotient, the highest first, with names and density."""
        if self.quotients is None or self.home is None:
            return pl.DataFrame(schema={"product": pl.String, "lq": pl.Float64})
        frame = self.quotients.of(self.home).rename({"activity": "product"})
        if self.related is not None:
            near = self.related.to_frame().filter(pl.col("region") == self.home)
            frame = frame.join(
                near.select(pl.col("activity").alias("product"), "density"), on="product",
                how="left", maintain_order="left",
            )  # fmt: skip
        return self.with_names(frame)

    @cached_property
    def near_rows(self) -> pl.DataFrame:
        """What home lacks and has most akin to: product, name, lq, density."""
        if self.related is None or self.home is None:
            return pl.DataFrame(schema={"product": pl.String, "density": pl.Float64})
        near = self.related.within_reach(self.home, len(self.related.activities))
        return self.with_names(near.rename({"activity": "product"}))

    def with_names(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Return a frame of products with the name of each."""
        named = [self.called(p) for p in frame["product"]]
        return frame.with_columns(pl.Series("name", named, dtype=pl.String))


def _with_interval(frame: pl.DataFrame, kind: str, ranks: RankIntervals | None) -> pl.DataFrame:
    """Return a frame with the interval of each rank beside it, empty where none is known."""
    if ranks is None:
        return frame.with_columns(
            low=pl.lit(None, dtype=pl.Int64), high=pl.lit(None, dtype=pl.Int64)
        )
    rows = ranks.to_frame().filter(pl.col("kind") == kind)
    drawn = rows.select(pl.col("label").alias(kind), "low", "high")
    return frame.join(drawn, on=kind, how="left", maintain_order="left")
