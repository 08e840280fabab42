"""What is said of trade: results that the workbench computed, and the frames drawn from them."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import polars as pl

from withstand.model.countries import country_name
from withstand.report.words import clean, clip

if TYPE_CHECKING:
    from withstand.measures.raw_material_risks import RawMaterialRisk
    from withstand.measures.screen_presets import ScreenPreset
    from withstand.measures.screening import Screens
    from withstand.measures.substitutions import Substitution
    from withstand.model.findings import Finding
    from withstand.model.trade_cube import TradeCube

NEAR = -0.1
"""Margin from which a product that is not flagged counts as near a threshold."""
FLAGGED, CLOSE, FREE, OPEN = "flagged", "near", "not flagged", "not known"
STATES = (FLAGGED, CLOSE, FREE, OPEN)
_NAME = 60


@dataclass(frozen=True, kw_only=True, eq=False)
class TradeContents:
    """What is said of the trade of a bloc.

    Parameters
    ----------
    cube : TradeCube
    screens : Screens
        The first of its presets leads.
    made_at : str
        Date and time.
    top : int
        Products to show one by one.
    suppliers : polars.DataFrame
        product, exporter, value, share: who supplies the first `top` products in the last year.
    names : dict of str to str
        Names of products by code.
    source : str
        Where the data are from, and their terms, in the words of the user.
    production : polars.DataFrame, optional
        How concentrated the production of each material is; see `production_of`.
    risk : RawMaterialRisk, optional
    losses : Substitution, optional
        What the loss of the largest supplier would mean, for flagged products.
    network : str
        Name of the network that the trade is held against; empty without one.
    bought : polars.DataFrame, optional
        product (of the network), name, hs, and how its own purchases are spread: largest,
        largest_share, outside_home.
    noted : tuple of Finding
        Of the tables beside the cube.
    """

    cube: TradeCube
    screens: Screens
    made_at: str
    top: int
    suppliers: pl.DataFrame
    names: dict[str, str] = field(default_factory=dict)
    source: str = ""
    production: pl.DataFrame | None = None
    risk: RawMaterialRisk | None = None
    losses: Substitution | None = None
    network: str = ""
    bought: pl.DataFrame | None = None
    noted: tuple[Finding, ...] = ()

    @property
    def preset(self) -> ScreenPreset:
        """The screen that leads."""
        return self.screens.presets[0]

    @property
    def year(self) -> int:
        """The last year."""
        return self.screens.years[-1]

    @property
    def first(self) -> int:
        """The first year."""
        return self.screens.years[0]

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Everything that was noted, equal ones once."""
        found = [*self.cube.findings, *self.screens.findings, *self.noted]
        for part in (self.risk, self.losses):
            if part is not None:
                found += part.findings
        return tuple(dict.fromkeys(found))

    def called(self, product: str, most: int = _NAME) -> str:
        """Return the name of a product, or its code; safe to stand in a sentence."""
        return clip(self.names.get(product) or product, most)

    def label(self, product: str, most: int = 34) -> str:
        """Return code and name of a product."""
        name = self.names.get(product)
        return clip(f"{product} {name}", most) if name else clean(product)

    def place(self, region: str | None) -> str:
        """Return the name of a region for people."""
        return "" if region is None else clean(self._places.get(region) or region)

    @cached_property
    def _places(self) -> dict[str, str]:
        known = dict(self.cube.partners.select("region", "name").iter_rows())
        return {r: country_name(r) or n for r, n in known.items()}

    @cached_property
    def ranked(self) -> pl.DataFrame:
        """Every product in the last year, the worst first.

        product, name, one column for each screen (true, false, or empty), flags (how many flag
        it), flagged, margin, probability, standard_error (of the leading screen; the last two
        empty without reporting errors), supplier, largest_share, suppliers, imports (value unit of
        the cube), then the indicators.
        """
        frame = self.screens.to_frame().filter(pl.col("year") == self.year).drop("year")
        lead = self.screens.verdicts.filter(
            pl.col("year") == self.year, pl.col("preset") == self.preset.name
        )
        for column in ("probability", "standard_error"):
            if column not in lead.columns:
                lead = lead.with_columns(pl.lit(None, pl.Float64).alias(column))
        lead = lead.select("product", "flagged", "margin", "probability", "standard_error")
        joined = frame.join(lead, on="product", how="left").with_columns(
            name=pl.Series([self.called(p) for p in frame["product"]], dtype=pl.String),
            supplier=pl.Series([self.place(r) for r in frame["largest_supplier"]]),
        )
        return joined.sort(
            [pl.col("flagged").fill_null(False), "flags", "margin", "product"],
            descending=[True, True, True, False],
            nulls_last=True,
        )

    @cached_property
    def shown(self) -> pl.DataFrame:
        """The first `top` products of `ranked` that trade at all in the last year."""
        return self.ranked.filter(pl.col("imports") > 0).head(self.top)

    @cached_property
    def flagged(self) -> list[str]:
        """Products that the leading screen flags in the last year, the worst first."""
        found: list[str] = self.ranked.filter(pl.col("flagged"))["product"].to_list()
        return found

    @cached_property
    def flagged_share(self) -> float:
        """Share of flagged products in the value of all imports from outside in the last year."""
        whole = float(self.ranked["imports"].sum())
        own = float(self.ranked.filter(pl.col("flagged"))["imports"].sum())
        return own / whole if whole > 0 else 0.0

    @cached_property
    def states(self) -> pl.DataFrame:
        """How each screen sees each product shown: product, label, preset, state, margin."""
        verdicts = self.screens.verdicts.filter(pl.col("year") == self.year)
        shown = self.shown.select("product").with_row_index("row")
        presets = pl.DataFrame({"preset": [p.name for p in self.screens.presets]})
        return (
            shown.join(presets.with_row_index("column"), how="cross")
            .join(verdicts, on=["product", "preset"], how="left")
            .sort("row", "column")
            .select("product", self._label, "preset", _state(), "margin")
        )

    @cached_property
    def by_year(self) -> pl.DataFrame:
        """How the leading screen sees, in each year, what it ever flags: product, year, state.

        The products flagged most often come first, then by their code.
        """
        verdicts = self.screens.verdicts.filter(pl.col("preset") == self.preset.name)
        often = (
            verdicts.filter(pl.col("flagged"))
            .group_by("product")
            .agg(times=pl.len(), latest=pl.col("year").max())
            .sort(["times", "latest", "product"], descending=[True, True, False])
            .with_row_index("row")
        )
        return (
            often.join(verdicts, on="product", how="left")
            .sort("row", "year")
            .select("product", self._label, "year", _state(), "margin", "times")
        )

    @cached_property
    def counts(self) -> pl.DataFrame:
        """How many products each screen flags in each year, and how many leave its list.

        preset, year, flagged, left, entered, share_left (of those flagged the year before; empty in
        the first year).
        """
        parts = []
        for preset in self.screens.presets:
            rows = self.screens.verdicts.filter(pl.col("preset") == preset.name)
            many = rows.group_by("year").agg(flagged=pl.col("flagged").sum().cast(pl.Int64))
            churn = self.screens.churn(preset.name).select("year", "left", "entered", "share_left")
            parts.append(
                many.sort("year")
                .join(churn, on="year", how="left", maintain_order="left")
                .select(pl.lit(preset.name).alias("preset"), pl.all())
            )
        return pl.concat(parts)

    @cached_property
    def mean_left(self) -> float | None:
        """Mean share of the list of the leading screen that leaves it within a year."""
        own = self.counts.filter(pl.col("preset") == self.preset.name)["share_left"].drop_nulls()
        return float(own.mean()) if len(own) else None  # type: ignore[arg-type]

    @cached_property
    def conditions(self) -> pl.DataFrame:
        """Every condition of every screen on every product in the last year; worst product first.

        product, name, preset, condition, words, value, sign, threshold, holds, distance, relative.
        """
        words = {(p.name, c.name): c.words for p in self.screens.presets for c in p.conditions}
        rows = self.screens.conditions().filter(pl.col("year") == self.year)
        keys = zip(rows["preset"], rows["condition"], strict=True)
        said = rows.with_columns(
            words=pl.Series([words[k] for k in keys], dtype=pl.String),
            name=pl.Series([self.called(p) for p in rows["product"]], dtype=pl.String),
        )
        order = self.ranked.select("product").with_row_index("row")
        return (
            order.join(said, on="product")
            .sort("row", "preset", "condition")
            .select("product", "name", "preset", "condition", "words", "value", "sign",
                    "threshold", "holds", "distance", "relative")
        )  # fmt: skip

    @cached_property
    def sureness(self) -> pl.DataFrame:
        """Products that may be flagged in the last year: product, label, flagged, probability, ...

        Also standard_error; the likeliest first; those with a chance above 0, or flagged.
        """
        rows = self.ranked.filter((pl.col("probability") > 0) | pl.col("flagged"))
        return rows.select(
            "product", self._label, "flagged", "margin",
            "probability", "standard_error",
        ).sort(["probability", "product"], descending=[True, False])  # fmt: skip

    @cached_property
    def materials(self) -> pl.DataFrame | None:
        """Supply risk of raw materials beside the concentration of their production; worst first.

        material, sr_low, sr_high, sr, ei, critical, year, hhi, largest (name), largest_share.
        """
        if self.risk is None:
            return self._mined
        table = self.risk.to_frame().drop("stage")
        if self._mined is not None:
            table = table.join(
                self._mined.drop("sr", "sr_low", "sr_high", "ei", "critical"), on="material",
                how="left",
            )  # fmt: skip
        return table.sort(["sr", "material"], descending=[True, False], nulls_last=True)

    @cached_property
    def _mined(self) -> pl.DataFrame | None:
        if self.production is None:
            return None
        frame = self.production
        empty = {c: pl.lit(None, pl.Float64) for c in ("sr", "sr_low", "sr_high", "ei")}
        return frame.select(
            "material", *(e.alias(c) for c, e in empty.items()),
            pl.lit(None, pl.Boolean).alias("critical"), "year", "hhi",
            pl.Series("largest", [self.place(r) for r in frame["largest"]], dtype=pl.String),
            "largest_share",
        ).sort(["hhi", "material"], descending=[True, False])  # fmt: skip

    @cached_property
    def after_loss(self) -> pl.DataFrame | None:
        """What the loss of the largest supplier means: product, name, supplier, then the answer."""
        if self.losses is None:
            return None
        lead = self.ranked.select("product", "name", "supplier").with_row_index("row")
        return lead.join(self.losses.to_frame(), on="product").sort("row").drop("row")

    @cached_property
    def against(self) -> pl.DataFrame | None:
        """What a network buys of what is screened: its products joined by their code.

        product (of the network), name, hs, flags (screens that flag it; empty where the cube lacks
        the code), margin, supplier, supplier_share (of the bloc), largest, largest_share,
        outside_home (of the network's own purchases).
        """
        if self.bought is None:
            return None
        seen = self.ranked.select(
            hs="product", flags="flags", flagged="flagged", margin="margin", supplier="supplier",
            supplier_share="largest_share",
        )  # fmt: skip
        joined = self.bought.join(seen, on="hs", how="left", maintain_order="left")
        return joined.sort(
            [pl.col("flagged").fill_null(False), "flags", "product"],
            descending=[True, True, False],
            nulls_last=True,
        )

    @cached_property
    def _label(self) -> pl.Expr:
        """Code and name of the product, as a column `label`."""
        codes = self.screens.indicators["product"].unique().to_list()
        named = {p: self.label(p) for p in codes}
        return pl.col("product").replace_strict(named, return_dtype=pl.String).alias("label")


def _state() -> pl.Expr:
    """Return what a verdict says: flagged, near a threshold, not flagged, or not known."""
    return (
        pl.when(pl.col("flagged"))
        .then(pl.lit(FLAGGED))
        .when(pl.col("flagged").is_null())
        .then(pl.lit(OPEN))
        .when(pl.col("margin") >= NEAR)
        .then(pl.lit(CLOSE))
        .otherwise(pl.lit(FREE))
        .alias("state")
    )
