"""Screens: which products a bloc depends on others for, by the rules of those who screen."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import polars as pl

from withstand.errors import UsageError
from withstand.measures.import_concentrations import (
    indicator_frame,
    indicators_of,
    supply_blocks,
)
from withstand.measures.reporting_errors import ReportingError, disturbed_holds, holds
from withstand.measures.screen_presets import ScreenPreset, chosen_screens, known_screens
from withstand.measures.screen_windows import chances, judged, window_years
from withstand.model.findings import Finding, counted, make_finding, nearest, shorten
from withstand.model.trade_blocs import bloc_name

if TYPE_CHECKING:
    import pandas as pd

    from withstand.model.provenance import Provenance
    from withstand.model.trade_blocs import BlocLike
    from withstand.model.trade_cube import TradeCube

EXPORTS = ("total", "extra")
MEASURES = ("value", "quantity")
WORLD = ("countries", "bloc_as_one")


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Screens:
    """Which screen flags which product in which year, and how far it is from doing so.

    Parameters
    ----------
    bloc : str
    years : tuple of int
    presets : tuple of ScreenPreset
    indicators : polars.DataFrame
        year, product, imports, intra_imports, exports (unit of the cube), suppliers,
        largest_supplier, world_largest, and the indicators.
    verdicts : polars.DataFrame
        year, product, preset, flagged (empty where years of the window are missing), margin (empty
        where an indicator is not defined and no other condition fails), and with reporting errors
        probability and its standard_error.
    conventions : mapping
        What was counted: exports, measure, world_exports, minimum_imports.
    findings : tuple of Finding
    """

    bloc: str
    years: tuple[int, ...]
    presets: tuple[ScreenPreset, ...]
    indicators: pl.DataFrame
    verdicts: pl.DataFrame
    conventions: Mapping[str, Any]
    findings: tuple[Finding, ...] = ()
    error: ReportingError | None = None
    _cube: TradeCube = field(repr=False)
    _bloc: BlocLike = field(repr=False)

    def __repr__(self) -> str:
        """Return one line."""
        names = ", ".join(p.name for p in self.presets)
        years = f"{self.years[0]}-{self.years[-1]}" if len(self.years) > 1 else str(self.years[0])
        n = self.indicators["product"].n_unique()
        return f"<Screens of {self.bloc}, {years}: {names} on {counted(n, 'product')}>"

    @cached_property
    def provenance(self) -> Provenance:
        """Return what was computed on what; reads every flow once for the fingerprint."""
        parameters = {"bloc": self.bloc, "years": list(self.years), **self.conventions}
        parameters["presets"] = [p.name for p in self.presets]
        seed = None
        if self.error is not None:
            parameters.update(spread=self.error.spread, draws=self.error.draws)
            seed = self.error.seed
        return self._cube.provenance_of("screens", parameters, seed)

    def to_frame(self) -> pl.DataFrame:
        """Return one row for each year and product: a column for each screen, then indicators.

        Columns: year, product, the name of each preset (true, false, or empty where years are
        missing), flags (how many flag it), then those of `indicators`. Most flags first.
        """
        flags = self.verdicts.pivot(on="preset", index=["year", "product"], values="flagged")
        names = [p.name for p in self.presets]
        flags = flags.with_columns(
            flags=pl.sum_horizontal(pl.col(n).fill_null(False).cast(pl.Int64) for n in names)
        )
        joined = flags.join(self.indicators, on=["year", "product"], how="left")
        return joined.sort(["year", "flags", "product"], descending=[False, True, False])

    def to_pandas(self) -> pd.DataFrame:
        """Return the same as a pandas frame."""
        return self.to_frame().to_pandas()

    def flagged(self, preset: str, year: int | None = None) -> pl.DataFrame:
        """Return what one screen flags: year, product, margin, probability, its indicators.

        Sorted by year and product.
        """
        rule = self._preset(preset)
        own = list(dict.fromkeys(c.indicator for c in rule.conditions))
        rows = self.verdicts.filter(pl.col("preset") == preset, pl.col("flagged"))
        if year is not None:
            rows = rows.filter(pl.col("year") == self._year(year))
        shown = self.indicators.select("year", "product", "imports", "largest_supplier", *own)
        return rows.drop("preset", "flagged").join(shown, on=["year", "product"], how="left")

    def conditions(self) -> pl.DataFrame:
        """Return every condition of every screen on every product: how far from its threshold.

        Columns: year, product, preset, condition, indicator, value, sign, threshold, holds,
        distance (value minus threshold, in the unit of the indicator) and relative (distance over
        threshold). Distances are above 0 beyond the threshold.
        """
        parts = [
            self.indicators.select(
                "year",
                "product",
                pl.lit(preset.name).alias("preset"),
                pl.lit(c.name).alias("condition"),
                pl.lit(c.indicator).alias("indicator"),
                pl.col(c.indicator).alias("value"),
                pl.lit(c.sign).alias("sign"),
                pl.lit(c.threshold).alias("threshold"),
                _passes(c).alias("holds"),
                (pl.col(c.indicator) - c.threshold).alias("distance"),
                (pl.col(c.indicator) / c.threshold - 1).alias("relative"),
            )
            for preset in self.presets
            for c in preset.conditions
        ]
        return pl.concat(parts).sort("year", "product", "preset", "condition")

    def why(self, product: str, year: int | None = None) -> pl.DataFrame:
        """Return the conditions on one product (of one year), with what they mean in words."""
        self._product(product)
        rows = self.conditions().filter(pl.col("product") == product)
        if year is not None:
            rows = rows.filter(pl.col("year") == self._year(year))
        words = [(p.name, c.name, c.words) for p in self.presets for c in p.conditions]
        return rows.join(
            pl.DataFrame(words, schema=["preset", "condition", "words"], orient="row"),
            on=["preset", "condition"],
            how="left",
        )

    def suppliers(self, product: str, year: int) -> pl.DataFrame:
        """Return who supplies a product from outside: exporter, value, share; largest first."""
        self._product(product)
        rows = self._cube.filter(products=product).imports_of(self._bloc, self._year(year))
        amount = pl.col(self.conventions["measure"])
        return rows.select("exporter", amount, (amount / amount.sum()).alias("share")).sort(
            [self.conventions["measure"], "exporter"], descending=[True, False], nulls_last=True
        )

    def churn(self, preset: str) -> pl.DataFrame:
        """Return how much a screen changes its mind from one year to the next.

        Columns: year (the later one), before, after (products flagged), left, entered, and
        share_left = left / before (0 to 1; empty if nothing was flagged). Some one in five leaves
        in the literature (Vicard and Wibaux 2023).
        """
        self._preset(preset)
        rows = self.verdicts.filter(pl.col("preset") == preset, pl.col("flagged"))
        sets = {y: set(rows.filter(pl.col("year") == y)["product"]) for y in self.years}
        found = []
        for earlier, later in zip(self.years, self.years[1:], strict=False):
            before, after = sets[earlier], sets[later]
            left = len(before - after)
            share = left / len(before) if before else None
            found.append((later, len(before), len(after), left, len(after - before), share))
        names = ("before", "after", "left", "entered")
        schema: dict[str, Any] = {"year": pl.Int32, **dict.fromkeys(names, pl.Int64)}
        return pl.DataFrame(found, schema={**schema, "share_left": pl.Float64}, orient="row")

    def funnel(self, preset: str) -> pl.DataFrame:
        """Return how many products are left after each condition, one after another, by year."""
        rule = self._preset(preset)
        left = self.indicators.filter(pl.col("imports") > 0).filter(
            pl.col("imports") >= self.conventions["minimum_imports"]
        )
        parts = [left.group_by("year").len("products").with_columns(step=0, condition=pl.lit(""))]
        for step, c in enumerate(rule.conditions, 1):
            left = left.filter(_passes(c))
            counts = left.group_by("year").len("products")
            parts.append(counts.with_columns(step=step, condition=pl.lit(c.name)))
        columns = ["year", "step", "condition", "products"]
        return pl.concat([p.select(columns) for p in parts]).sort("year", "step")

    def classes(self, preset: str) -> pl.DataFrame:
        """Return year, product and the class of each indicator that has classes in a preset."""
        rule = self._preset(preset)
        having = [c for c in rule.conditions if c.classes]
        if not having:
            raise UsageError(f"The screen '{preset}' has no classes.")
        columns = [_class_of(c.indicator, c.classes, c.class_names) for c in having]
        return self.indicators.select("year", "product", *columns)

    def summary(self) -> str:
        """Return one sentence: how many products are flagged in the last year, and what counts."""
        last = self.verdicts.filter(pl.col("year") == self.years[-1], pl.col("flagged"))
        counts = dict(last.group_by("preset").len().iter_rows())
        parts = [f"{p.name} {counts.get(p.name, 0):,}" for p in self.presets]
        total = self.indicators.filter(pl.col("year") == self.years[-1]).height
        c = self.conventions
        what = "all exports" if c["exports"] == "total" else "exports to outside"
        return (
            f"Of {counted(total, 'product')} in {self.years[-1]}, flagged for {self.bloc}: "
            f"{', '.join(parts)} (imports over {what}, by {c['measure']})."
        )

    def _preset(self, name: str) -> ScreenPreset:
        for preset in self.presets:
            if preset.name == name:
                return preset
        names = [p.name for p in self.presets]
        other = " It is known: name it in presets=." if name in known_screens() else ""
        raise UsageError(
            f"'{shorten(name)}' was not run here; there are {', '.join(names)}.{other}"
        )

    def _product(self, product: str) -> None:
        known = self.indicators["product"].unique().to_list()
        if product not in known:
            near = nearest(product, known)
            hint = f" Did you mean {near}?" if near else ""
            raise UsageError(f"There is no product '{shorten(product)}' here.{hint}")

    def _year(self, year: int) -> int:
        if year not in self.years:
            raise UsageError(
                f"Year {year} is not here; there are {self.years[0]}-{self.years[-1]}."
            )
        return year


def screens(
    cube: TradeCube,
    bloc: BlocLike,
    *,
    presets: Sequence[str | ScreenPreset] | str = tuple(known_screens()),
    years: int | Iterable[int] | None = None,
    exports: str = "total",
    measure: str = "value",
    world_exports: str = "countries",
    minimum_imports: float = 0.0,
    error: ReportingError | None = None,
) -> Screens:
    """Say which products a bloc depends on others for.

    A product is flagged if all conditions of a screen hold; the thresholds are data
    (`screen_presets.toml`, `read_screens`), the indicators those of `indicators_of`. Flows between
    members never count as imports from outside.

    Parameters
    ----------
    cube : TradeCube
    bloc : str, iterable of str, or mapping of int to iterable of str
        "EU27", "EU" (members year by year), "DE", "EU27+CH" ...
    presets : sequence of str or ScreenPreset, or str
        Default: all that come with the package.
    years : int or iterable of int, optional
        Default: all. A screen that looks at several years reads those before too.
    exports : {"total", "extra"}
        What imports are divided by: all exports of members, those to other members included (the
        Commission's way), or only those that leave the bloc.
    measure : {"value", "quantity"}
        Quantities leave out flows that state none.
    world_exports : {"countries", "bloc_as_one"}
        Whether the world's exporters are countries, or the bloc is one that sells only outside.
    minimum_imports : float
        Products with smaller imports from outside are not flagged (unit of the measure).
    error : ReportingError, optional
        Adds the chance that a product is flagged, if reports are off by this much.

    Returns
    -------
    Screens

    Raises
    ------
    UsageError
        If an argument is unknown.

    References
    ----------
    See the field `source` of each preset. Herfindahl (1950) for the sum of squared shares.

    Examples
    --------
    A buys 9 of 10 from C, sells 2: concentrated, all from outside, more bought than sold.

    >>> import polars as pl
    >>> from withstand.readers.trade import read_trade
    >>> cube = read_trade(pl.DataFrame({
    ...     "year": 2022, "exporter": ["CN", "US", "DE"], "importer": ["DE", "DE", "US"],
    ...     "product": "850511", "value": [9.0, 1.0, 2.0]}), vintage="HS92")
    >>> found = screens(cube, "DE", presets="ec_2021")
    >>> found.flagged("ec_2021").select("product", "import_hhi", "import_export_ratio").rows()
    [('850511', 0.82, 5.0)]
    """
    for value, valid, name in (
        (exports, EXPORTS, "exports"),
        (measure, MEASURES, "measure"),
        (world_exports, WORLD, "world_exports"),
    ):
        if value not in valid:
            raise UsageError(f"{name}={value!r} is unknown; use one of {', '.join(valid)}.")
    _check_types(cube, error)
    if not minimum_imports >= 0:
        raise UsageError(f"minimum_imports={minimum_imports!r} must be a number of 0 or more.")
    rules = chosen_screens(presets)
    chosen = cube.checked_years(years)
    if not chosen:
        raise UsageError("There is no flow in this cube: nothing to screen.")
    looked = [y for y in window_years(chosen, rules) if y in cube.years]
    frames, held, shaken = [], [], []
    for block in supply_blocks(cube, bloc, looked, measure):
        numbers = indicators_of(
            block,
            block.frame["to_bloc"].to_numpy(),
            block.frame["to_rest"].to_numpy(),
            exports=exports,
            world_exports=world_exports,
        )
        frames.append(indicator_frame(block, numbers))
        held.append({p.name: holds(p, numbers, minimum_imports) for p in rules})
        if error is not None:
            shaken.append(
                disturbed_holds(block, rules, error, minimum_imports, exports, world_exports)
            )
    indicators = pl.concat(frames)
    keys = indicators.select("year", "product")
    verdicts, findings = judged(keys, held, rules, chosen, cube.years)
    if error is not None:
        verdicts = verdicts.join(
            chances(keys, shaken, rules, chosen, cube.years),
            on=["year", "product", "preset"],
            how="left",
        )
    indicators = indicators.filter(pl.col("year").is_in(chosen))
    result = Screens(
        bloc=bloc_name(bloc),
        years=chosen,
        presets=rules,
        indicators=indicators,
        verdicts=verdicts,
        conventions={
            "exports": exports,
            "measure": measure,
            "world_exports": world_exports,
            "minimum_imports": minimum_imports,
        },
        findings=(*findings, *_carried(cube)),
        error=error,
        _cube=cube,
        _bloc=bloc,
    )
    return _with_margins(result)


def _check_types(cube: object, error: object) -> None:
    """Refuse what is no cube, and errors that are stated in another way."""
    if not hasattr(cube, "checked_years"):
        raise UsageError(
            f"screens takes a cube of trade, not a {type(cube).__name__}: "
            "screens(withstand.read_trade(table), ...)."
        )
    if error is not None and not isinstance(error, ReportingError):
        raise UsageError(f"error={error!r} must be a ReportingError, such as (spread=0.2).")


def _with_margins(result: Screens) -> Screens:
    """Add the margin: the smallest relative distance of a screen's conditions.

    It is empty where an indicator is not defined, unless another condition fails by itself.
    """
    distance = pl.col("relative")
    settled = distance.is_not_null().all() | (distance.min() < 0)
    margins = (
        result.conditions()
        .group_by("year", "product", "preset")
        .agg(margin=pl.when(settled).then(distance.min()))
    )
    verdicts = result.verdicts.join(margins, on=["year", "product", "preset"], how="left")
    order = ["year", "product", "preset", "flagged", "margin"]
    rest = [c for c in verdicts.columns if c not in order]
    return replace(
        result, verdicts=verdicts.select(*order, *rest).sort("year", "product", "preset")
    )


def _carried(cube: TradeCube) -> list[Finding]:
    """Return the traps of the cube that bear on screens."""
    found = [f for f in cube.findings if f.code in ("W602", "W608", "N608")]
    if cube.vintage == "mixed" and not any(f.code == "W608" for f in found):
        found.append(make_finding("W608", "the codes are of several vintages"))
    return found


def _passes(condition: Any) -> pl.Expr:
    value = pl.col(condition.indicator)
    beyond = value > condition.threshold
    if condition.sign == ">=":
        beyond = value >= condition.threshold
    return beyond.fill_null(False)


def _class_of(indicator: str, bounds: Sequence[float], names: Sequence[str]) -> pl.Expr:
    """Return the class of an indicator; a bound belongs to the class above it."""
    value = pl.col(indicator)
    chain: Any = pl.when(value.is_null()).then(pl.lit(None, pl.String))
    for bound, name in zip(bounds, names, strict=False):
        chain = chain.when(value < bound).then(pl.lit(name))
    return chain.otherwise(pl.lit(names[-1])).alias(f"{indicator}_class")
