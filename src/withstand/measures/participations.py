"""Participation in value chains: how much of what is exported crosses more than one border."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from withstand.errors import UsageError
from withstand.measures.selections import unknown_label
from withstand.measures.trade_blocks import trade_blocks
from withstand.model.provenance import Provenance, provenance_of

if TYPE_CHECKING:
    import pandas as pd

    from withstand.measures.trade_blocks import TradeBlocks
    from withstand.model.network import ProductionNetwork

Array = np.ndarray
BY = ("region", "sector")


@dataclass(frozen=True, kw_only=True, eq=False)
class Participation:
    """Backward and forward participation of regions, or of their sectors.

    Parameters
    ----------
    by : {"region", "sector"}
    values : polars.DataFrame
        Per region (and product): `exports`; `VS`, foreign value in them; `VS1`, own value in the
        exports of other regions (of a sector: where the value arises); `DAVAX`, own value that
        crosses one border only; `GVCB`, import content of exports (it came over a border before);
        `GVCF`, own value in exports that goes over another border; all in currency per period.
        `backward` = VS, `forward` = VS1, `gvc_share` = GVCB + GVCF, each over all exports of the
        region, so that the shares of sectors add up to the region's; null without exports.
    content : ndarray of float64, shape (n_regions, n_regions), currency per period
        Value of the row region in the exports of the column region.
    region_labels : tuple of str
    provenance : Provenance
    """

    by: str
    values: pl.DataFrame
    content: Array = field(repr=False)
    region_labels: tuple[str, ...]
    provenance: Provenance

    def to_frame(self) -> pl.DataFrame:
        """Return one row for each region, or each region and sector."""
        return self.values

    def to_pandas(self) -> pd.DataFrame:
        """Return the same as a pandas frame."""
        return self.values.to_pandas()

    def why(self, region: str) -> pl.DataFrame:
        """Return whose value is in a region's exports, and in whose exports its value is."""
        if region not in self.region_labels:
            raise unknown_label("exporting region", region, self.region_labels)
        own = self.region_labels.index(region)
        frame = pl.DataFrame(
            {
                "partner": list(self.region_labels),
                "value_from_partner": self.content[:, own],
                "value_in_partner": self.content[own],
            }
        )
        return frame.filter(pl.col("partner") != region).sort(
            ["value_from_partner", "partner"], descending=[True, False]
        )

    def summary(self) -> str:
        """Return one sentence."""
        exports, foreign, before, further = (
            float(self.values[name].to_numpy().sum()) for name in ("exports", "VS", "GVCB", "GVCF")
        )
        if not exports > 0:
            return "There are no exports."
        gvc = before + further
        return (
            f"{foreign / exports:.1%} of all exports is value of other regions than the exporter; "
            f"{gvc / exports:.1%} crosses more than one border."
        )

    def __repr__(self) -> str:
        """Return what it holds, not the numbers."""
        return f"Participation(by {self.by}, {self.values.height} rows)"


def participation(
    network: ProductionNetwork, *, by: str = "region", balance: str = "residual"
) -> Participation:
    """Say how far regions take part in value chains: backward as buyers, forward as suppliers.

    With v value shares, B = (I - A)^-1, L_ss = (I - A_ss)^-1 and E exports: VS_s = sum over t != s
    of v_t B_ts E_s; VS1_s = sum over r != s of v_s B_sr E_r;
    DAVAX_sr = v_s L_ss (Y_sr + A_sr L_rr Y_rr); GVCB = E - v_s L_ss E; GVCF = v_s L_ss E - DAVAX.
    GVCB is the import content that Hummels, Ishii and Yi first called VS; it holds domestic value
    that came back, which VS here does not.

    Parameters
    ----------
    network : ProductionNetwork
        An economy: a table of flows between the sectors of regions.
    by : {"region", "sector"}
    balance : {"residual", "rebalance"}
        As in `export_decomposition`.

    Returns
    -------
    Participation

    Raises
    ------
    UsageError
        If the network is no economy, or an argument is unknown.

    Notes
    -----
    Takes one factor of (I - A) and twice as many right-hand sides as there are regions.

    References
    ----------
    Hummels, Ishii and Yi (2001), Journal of International Economics 54(1); Koopman, Wang and Wei
    (2014), American Economic Review 104(2), section II; Borin and Mancini (2019), World Bank
    policy research working paper 8804, section 5.

    Examples
    --------
    A sells steel for 40 to B, all of it its own value; B sells cars for 100 to A.

    >>> import numpy as np, polars as pl
    >>> from withstand.model.economy import build_economy
    >>> from withstand.model.settings import Settings
    >>> nodes = pl.DataFrame({"product": ["steel", "cars"], "region": ["A", "B"]})
    >>> final = pl.DataFrame({"region": ["A"], "category": ["households"]})
    >>> net = build_economy(np.array([[0.0, 40.0], [0.0, 0.0]]), np.array([[0.0], [100.0]]),
    ...     {"nodes": nodes}, final, Settings(lens="economy", period="year"))
    >>> participation(net).to_frame().select("region", "backward", "forward", "gvc_share").rows()
    [('A', 0.0, 1.0, 1.0), ('B', 0.4, 0.0, 0.4)]
    """
    if by not in BY:
        raise UsageError(f"by='{by}' is unknown; use one of {', '.join(BY)}.")
    b = trade_blocks(network, balance)
    pure, exports = b.pure_home_content, b.total_exports
    sent_on = b.inputs_for(b.at_home(b.final_home)).sum(axis=1)
    direct = pure * (b.final_exports.sum(axis=1) + sent_on)
    made_for = b.solve(b.in_columns(exports))
    for_others = made_for.sum(axis=1) - made_for[np.arange(b.n), b.exporter]
    cells = {
        "exports": exports,
        "VS": b.foreign_content * exports,
        "VS1": b.value_shares * for_others,
        "DAVAX": direct,
        "GVCB": (1.0 - pure) * exports,
        "GVCF": pure * exports - direct,
    }
    content = b.content @ b.in_columns(exports)
    return Participation(
        by=by,
        values=_frame(network, b, cells, by),
        content=content,
        region_labels=tuple(network.region_labels[b.exporter_region].tolist()),
        provenance=provenance_of("measures.participation", network, {"by": by, "balance": balance}),
    )


def _frame(
    network: ProductionNetwork, blocks: TradeBlocks, cells: dict[str, Array], by: str
) -> pl.DataFrame:
    labels = {"region": network.region_labels[blocks.exporter_region[blocks.exporter]]}
    if by == "sector":
        labels["product"] = network.product_labels[network.node_product[blocks.order]]
    frame = pl.DataFrame({**labels, **cells})
    if by == "region":
        frame = frame.group_by("region", maintain_order=True).agg(pl.all().sum())
    all_exports = pl.col("exports").sum().over("region")
    share = pl.when(all_exports > 0).then(1.0 / all_exports)
    return frame.with_columns(
        (pl.col("VS") * share).alias("backward"),
        (pl.col("VS1") * share).alias("forward"),
        ((pl.col("GVCB") + pl.col("GVCF")) * share).alias("gvc_share"),
    )
