"""What is said of partners: results that the workbench computed, and the frames drawn from them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import polars as pl

from withstand.measures.import_chains import BASKET
from withstand.report.chokepoints import product_name, region_name
from withstand.report.words import clean

if TYPE_CHECKING:
    from collections.abc import Iterable

    from withstand.measures.coverages import Coverage
    from withstand.measures.partner_results import Partners
    from withstand.measures.partner_searches import BestSet
    from withstand.model.findings import Finding
    from withstand.model.network import ProductionNetwork

LAW = "not allowed"
"""What the reason begins with where a region is left out by law."""
LITTLE = 1e-6
"""Share of demand below which nothing is gained."""


@dataclass(frozen=True, kw_only=True, eq=False)
class PartnerContents:
    """What is said of the partners of home.

    Parameters
    ----------
    network : ProductionNetwork
    found : Partners
    made_at : str
        Date and time.
    everyone : float
        Coverage with all candidates, 0 to 1.
    shares : polars.DataFrame, optional
        A row for each candidate (`Partners.to_frame`); None where it was not computed.
    interactions : polars.DataFrame, optional
        A row for each pair (`Partners.interactions`).
    detail : Coverage, optional
        What binds when only home and the best set supply; None by value.
    marginal : polars.DataFrame
        What each other candidate adds to the best set.
    level : float
        Share of demand that was to be reached.
    closing : BestSet, optional
        The smallest best set that covers as much.
    is_closing_known : bool
        Whether it was looked for.
    channels : polars.DataFrame
        Who makes what home buys abroad and does not supply it yet (`Partners.channels`).
    gives : polars.DataFrame
        What home can give in return (`Partners.gives`), of partners of whom something is known.
    gives_note : str
        What `gives` says where nothing is known.
    flows : str
        What the flows of trade asked are called; empty without any.
    left_out : tuple of str
        What was not computed and why, in sentences.
    findings : tuple of Finding
        What was noted on reading trade.
    """

    network: ProductionNetwork
    found: Partners
    made_at: str
    everyone: float
    shares: pl.DataFrame | None
    interactions: pl.DataFrame | None
    detail: Coverage | None
    marginal: pl.DataFrame
    level: float
    closing: BestSet | None
    is_closing_known: bool
    channels: pl.DataFrame
    gives: pl.DataFrame
    gives_note: str
    flows: str
    left_out: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()

    def called(self, partner: str) -> str:
        """Return the name of a partner, safe to stand in a sentence."""
        return clean(region_name(self.network, partner))

    def all_called(self, partners: Iterable[str]) -> list[str]:
        """Return the names of several."""
        return [self.called(p) for p in partners]

    def product_called(self, product: str) -> str:
        """Return the name of a product, safe to stand in a sentence."""
        return clean(product_name(self.network, product))

    @property
    def home(self) -> list[str]:
        """Names of the regions that always supply."""
        return self.all_called(self.found.home)

    @property
    def is_physical(self) -> bool:
        """Whether coverage counts demand that can be met; value that arises otherwise."""
        return self.found.kind == "physical"

    @property
    def is_trade(self) -> bool:
        """Whether the network is what home imports."""
        return self.network.settings.viewpoint == BASKET

    @property
    def whole(self) -> str:
        """What shares are shares of, in words."""
        if self.is_physical:
            return "demand"
        return "imports" if self.is_trade else "the value"

    @property
    def best(self) -> BestSet:
        """The best set of the largest size asked for."""
        return self.found.best()

    @property
    def is_certified(self) -> bool:
        """Whether no other set of that size covers more."""
        return self.best.gap <= LITTLE

    @cached_property
    def sets(self) -> pl.DataFrame:
        """The best set of each size.

        k, coverage, gain, gap, ties, expected, method, partners (labels), names.
        """
        frame = self.found.curve
        joined = [", ".join(x.to_list()) for x in frame["partners"]]
        names = [", ".join(self.all_called(x.to_list())) for x in frame["partners"]]
        return frame.with_columns(
            pl.Series("partners", joined, dtype=pl.String),
            pl.Series("names", names, dtype=pl.String),
        )

    @cached_property
    def not_allowed(self) -> list[str]:
        """Labels of the regions that the law leaves out of every set."""
        labels: list[str] = self.found.excluded.filter(
            pl.col("reason").str.starts_with(LAW)
        )["region"].to_list()  # fmt: skip
        return labels

    @property
    def knows_reliability(self) -> bool:
        """Whether the reliability of any candidate is known."""
        return any(x is not None for x in self.found.reliability.values())

    @property
    def has_expected(self) -> bool:
        """Whether the coverage to expect is known of any set but the empty one."""
        return any(s.expected is not None for s in self.found.sets[1:])

    @cached_property
    def helps(self) -> pl.DataFrame:
        """What the next partner would add to the best set: partner, name, gain, coverage."""
        frame = self.marginal.filter(pl.col("gain") > LITTLE)
        return self.with_names(frame, "partner").select("partner", "name", "gain", "coverage")

    @cached_property
    def limits(self) -> pl.DataFrame:
        """What holds output down with the best set, what is worth most first.

        product, name, kind, share_left (of its suppliers), covered (share of its need), gain (of
        output, if its limits rose by a tenth of the need).
        """
        if self.detail is None:
            return pl.DataFrame(schema={"product": pl.String, "gain": pl.Float64})
        of = list(self.detail.binding)
        frame = self.detail.products.filter(pl.col("product").is_in(of))
        return frame.select("product", "name", "kind", "share_left", "covered", "gain")

    @cached_property
    def pairs(self) -> pl.DataFrame:
        """Pairs that work together: complements and substitutes, the strongest first.

        partner, other, name, other_name, interaction, standard_error, relation.
        """
        if self.interactions is None:
            return pl.DataFrame(schema={"partner": pl.String, "interaction": pl.Float64})
        sure = self.interactions.filter(pl.col("relation").is_in(["complements", "substitutes"]))
        named = self.with_names(sure, "partner")
        return named.with_columns(
            pl.Series("other_name", self.all_called(sure["other"]), dtype=pl.String)
        )

    def with_names(self, frame: pl.DataFrame, column: str) -> pl.DataFrame:
        """Return a frame with the name of the region in a column beside it."""
        return frame.with_columns(
            pl.Series("name", self.all_called(frame[column]), dtype=pl.String)
        )
