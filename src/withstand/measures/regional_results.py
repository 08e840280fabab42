"""What a regionalisation answers: tables of regions, coefficients, the trade between them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from withstand.errors import UsageError
from withstand.measures.matrix_balancing import Balanced, balance
from withstand.measures.regional_economies import single_region
from withstand.model.findings import Finding, nearest, shorten

if TYPE_CHECKING:
    import pandas as pd

    from withstand.measures.interregional_flows import InterregionalFlows
    from withstand.measures.national_flows import NationalFlows
    from withstand.model.network import ProductionNetwork
    from withstand.model.provenance import Provenance

Array = np.ndarray
ELSEWHERE = "ELSEWHERE"


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Regionalisation:
    """A nation split over its regions.

    Parameters
    ----------
    nation : NationalFlows
        What was split.
    regions : tuple of str, R
    employment : ndarray of float64, shape (R, n), people (or output)
    slq : ndarray of float64, shape (R, n)
        Simple location quotients.
    quotients : ndarray of float64, shape (R, n, n)
        By the method chosen, not cut at 1: seller's row, buyer's column.
    split : InterregionalFlows
        The arrays of the table.
    economy : ProductionNetwork
        Nodes industry@region; regions add up to the nation.
    method : str
    delta : float
    findings : tuple of Finding
    provenance : Provenance
    """

    nation: NationalFlows
    regions: tuple[str, ...]
    employment: Array
    slq: Array
    quotients: Array
    split: InterregionalFlows
    economy: ProductionNetwork
    method: str
    delta: float
    findings: tuple[Finding, ...]
    provenance: Provenance

    @property
    def shape(self) -> tuple[int, int]:
        """Number of regions and of industries."""
        return len(self.regions), len(self.nation.industries)

    def flows(self) -> Array:
        """Return ndarray, shape (R, n, R, n), currency: region and industry sell to the others."""
        r, n = self.shape
        return self.split.flows[: r * n, : r * n].reshape(r, n, r, n)

    def to_frame(self) -> pl.DataFrame:
        """Return a row for each region and industry, in currency per period but the first three.

        employment, slq, own_share (of its inputs made in the nation, what the own region makes:
        0 to 1), output, value_added, bought_own, bought_regions, bought_abroad (inputs), sold_own,
        sold_regions, sold_abroad (to industries and final users).
        """
        r, n = self.shape
        flows = self.flows()
        own = np.stack([flows[k, :, k] for k in range(r)])
        bought = flows.sum(axis=(0, 1))
        home = len(self.nation.final_home)
        final = self.split.final[: r * n, : r * home].reshape(r, n, r, home).sum(axis=3)
        on = np.arange(r)
        own_final = final[on, :, on]
        sold_own = own.sum(axis=2) + own_final
        sold_nation = flows.sum(axis=(2, 3)) + final.sum(axis=2)
        exports = self.split.flows[: r * n, r * n :].sum(axis=1)
        exports = exports + self.split.final[: r * n, r * home :].sum(axis=1)
        bought_own = own.sum(axis=1)
        share = np.divide(bought_own, bought, out=np.full((r, n), np.nan), where=bought > 0)
        return pl.DataFrame(
            {
                "region": np.repeat(np.array(self.regions, dtype=str), n),
                "industry": np.tile(np.array(self.nation.industries, dtype=str), r),
                "employment": self.employment.ravel(),
                "slq": self.slq.ravel(),
                "own_share": share.ravel(),
                "output": self.split.output,
                "value_added": self.split.value_added,
                "bought_own": bought_own.ravel(),
                "bought_regions": (bought - bought_own).ravel(),
                "bought_abroad": self.split.flows[r * n :, : r * n].sum(axis=0),
                "sold_own": sold_own.ravel(),
                "sold_regions": (sold_nation - sold_own).ravel(),
                "sold_abroad": exports,
            }
        ).with_columns(pl.col("own_share").fill_nan(None))

    def to_pandas(self) -> pd.DataFrame:
        """Return the same as a pandas frame."""
        return self.to_frame().to_pandas()

    def trade(self) -> pl.DataFrame:
        """Return seller, buyer, inputs, final, value: what regions sell each other, in currency.

        With itself too; without what is bought abroad and sold there.
        """
        r, n = self.shape
        home = len(self.nation.final_home)
        inputs = self.flows().sum(axis=(1, 3))
        final = self.split.final[: r * n, : r * home].reshape(r, n, r, home).sum(axis=(1, 3))
        names = np.array(self.regions, dtype=str)
        return pl.DataFrame(
            {
                "seller": np.repeat(names, r),
                "buyer": np.tile(names, r),
                "inputs": inputs.ravel(),
                "final": final.ravel(),
                "value": (inputs + final).ravel(),
            }
        )

    def coefficients(self, region: str) -> pl.DataFrame:
        """Return the input coefficients of one region, per unit of the buyer's output.

        supplier, buyer, national (A), quotient, regional (min(1, quotient) A: what the region's
        own industry supplies), balanced (the same in the table that adds up to the nation). Pairs
        that trade in the nation, in its order.
        """
        k = self._index(region)
        x = self.nation.output
        national = _per(self.nation.flows, x)
        r, n = self.shape
        own = self.flows()[k, :, k]
        output = self.split.output.reshape(r, n)[k]
        i, j = np.nonzero(self.nation.flows)
        names = np.array(self.nation.industries, dtype=str)
        quotient = self.quotients[k]
        return pl.DataFrame(
            {
                "supplier": names[i],
                "buyer": names[j],
                "national": national[i, j],
                "quotient": quotient[i, j],
                "regional": (np.minimum(quotient, 1.0) * national)[i, j],
                "balanced": _per(own, output)[i, j],
            }
        )

    def why(self, region: str, industry: str) -> pl.DataFrame:
        """Return what one industry of a region buys, largest first: from home, others and abroad.

        product, value, by_quotient (from the own region before balancing), own, regions, abroad
        (currency per period), main (the other region that supplies most).

        Raises
        ------
        UsageError
            If there is no such region or industry.
        """
        k = self._index(region)
        j = _known(industry, self.nation.industries, "industry")
        r, n = self.shape
        bought = self.flows()[:, :, k, j]  # (R, n)
        apart = np.where(np.arange(r)[:, None] == k, -np.inf, bought)
        main = [self.regions[int(q)] if r > 1 else None for q in apart.argmax(axis=0)]
        others = bought.sum(axis=0) - bought[k]
        network = self.nation.network
        frame = pl.DataFrame(
            {
                "product": list(self.nation.industries),
                "by_quotient": self.split.own_before[k, :, j],
                "own": bought[k],
                "regions": others,
                "main": pl.Series(main, dtype=pl.String),
            }
        )
        abroad = pl.DataFrame(
            {
                "product": network.product_labels[network.node_product[self.nation.others]],
                "abroad": self.split.flows[r * n :, k * n + j],
            },
            schema={"product": pl.String, "abroad": pl.Float64},
        )
        abroad = abroad.group_by("product", maintain_order=True).agg(pl.col("abroad").sum())
        frame = frame.join(
            abroad, on="product", how="full", coalesce=True, maintain_order="left_right"
        ).with_columns(pl.col("by_quotient", "own", "regions", "abroad").fill_null(0.0))
        frame = frame.with_columns(
            value=pl.col("own") + pl.col("regions") + pl.col("abroad"),
            main=pl.when(pl.col("regions") > 0).then("main"),
        )
        frame = frame.filter(pl.col("value") > 0).sort(
            ["value", "product"], descending=[True, False]
        )
        return frame.select("product", "value", "by_quotient", "own", "regions", "abroad", "main")

    def of(self, region: str) -> ProductionNetwork:
        """Return the economy of one region: the rest of the nation and abroad only trade with it.

        Raises
        ------
        UsageError
            If there is no such region.
        """
        k = self._index(region)
        n = self.shape[1]
        label = str(self.economy.region_labels[self.economy.node_region[k * n]])
        return single_region(self.economy, label, ELSEWHERE, "from the interregional table")

    def balanced(self, region: str, sales: Array, purchases: Array) -> Balanced:
        """Return a region's own inter-industry flows, balanced to totals that are known of it.

        Parameters
        ----------
        region : str
        sales, purchases : ndarray of float64, shape (n,), currency per period
            What each industry sells to the industries of the region, and buys from them.

        Returns
        -------
        Balanced
            Its `values` are Z_rr; the start is min(1, quotient) A x. The economy stays as it is.

        Raises
        ------
        UsageError, DataError
            As `balance` does.
        """
        k = self._index(region)
        names = self.nation.industries
        start = self.split.own_before[k]
        return balance(start, sales, purchases, row_labels=names, column_labels=names)

    def _index(self, region: str) -> int:
        return _known(region, self.regions, "region")

    def summary(self) -> str:
        """Return one sentence: what regions buy of themselves, and of each other."""
        trade = self.trade()
        total = float(trade["value"].sum())
        own = float(trade.filter(pl.col("seller") == pl.col("buyer"))["value"].sum())
        share = own / total if total else float("nan")
        return (
            f"{self.nation.label} in {len(self.regions):,} regions and {self.shape[1]:,} "
            f"industries by {self.method.upper()}: {share:.1%} of home supply stays in its region."
        )

    def __repr__(self) -> str:
        """Return one line."""
        return f"<Regionalisation: {self.summary()}>"


def _per(flows: Array, output: Array) -> Array:
    per: Array = flows * np.divide(1.0, output, out=np.zeros_like(output), where=output > 0)
    return per


def _known(label: str, known: tuple[str, ...], what: str) -> int:
    if label in known:
        return known.index(label)
    near = nearest(str(label), known)
    hint = f" Did you mean {near}?" if near else ""
    raise UsageError(f"There is no {what} '{shorten(label)}' here.{hint}")
