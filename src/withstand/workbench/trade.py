"""Trade: read flows, screen them for a bloc, add raw materials, losses and a network."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from withstand.errors import UsageError
from withstand.readers.atomic import write_atomic
from withstand.workbench.progress import Progress, now, silent
from withstand.workbench.tables import read_table
from withstand.workbench.targets import REPORT_ENDINGS, report_targets

if TYPE_CHECKING:
    import polars as pl

    from withstand.measures.reporting_errors import ReportingError
    from withstand.measures.screen_presets import ScreenPreset
    from withstand.measures.screening import Screens
    from withstand.measures.substitutions import Rerouting
    from withstand.model.network import ProductionNetwork
    from withstand.model.trade_cube import TradeCube
    from withstand.report.trade_contents import TradeContents

Source = str | os.PathLike[str]
YEARS = 5
"""Years that are screened where none are stated."""
DIGITS = 6


def screens_of(words: Sequence[str]) -> list[ScreenPreset]:
    """Return screens by name (ec_2021, ec2021, EC-2021) or from TOML files; none: all known.

    Raises
    ------
    UsageError
        If a name is not known, or a file cannot be read.

    Examples
    --------
    >>> [p.name for p in screens_of(["ec2021", "GeoDep-2024"])]
    ['ec_2021', 'geodep_2024']
    """
    from withstand.measures.screen_presets import chosen_screens, known_screens, read_screens

    known = known_screens()
    plain = {_plain(name): name for name in known}
    found: list[str | ScreenPreset] = []
    for word in words:
        if word.lower().endswith(".toml"):
            found += read_screens(word).values()
        else:
            found.append(plain.get(_plain(word), word.strip()))
    return list(chosen_screens(found or list(known)))


def _plain(name: str) -> str:
    return name.casefold().replace("_", "").replace("-", "").strip()


def read_cube(
    files: Sequence[Source],
    *,
    years: range | None = None,
    window: int = 1,
    products: Sequence[str] = (),
    codes: Source | None = None,
    vintage: str | None = None,
    flows: str = "imports",
) -> TradeCube:
    """Read trade flows, of some years (and the ones before that a screen looks at) and products.

    Parameters
    ----------
    files : sequence of path
        As `withstand.read_trade` takes them.
    years : range, optional
    window : int
        Years that a screen looks at, up to the year judged.
    products : sequence of str
        Codes, or the first digits of codes. Default: all.
    codes : path, optional
        A file country_codes.
    vintage, flows : str
        See `withstand.read_trade`.

    Raises
    ------
    UsageError
        If a file, product or argument is not there.
    DataError
        With every fault of the files.
    """
    from withstand.readers.trade import read_trade

    wanted = None if years is None else range(years[0] - window + 1, years[-1] + 1)
    cube = read_trade(
        list(files), years=wanted, country_codes=codes, vintage=vintage, flows=flows
    )  # fmt: skip
    if not cube.n_rows:
        when = "" if years is None else f" in {years[0]}-{years[-1]}"
        raise UsageError(f"There is no flow{when}: see whether the years are those of the files.")
    if not products:
        return cube
    chosen: list[str] = []
    for product in products:
        chosen += [p for p in cube.products if p.startswith(product)] or [product]
    return cube.filter(products=dict.fromkeys(chosen))


def screen_trade(
    cube: TradeCube,
    bloc: str,
    *,
    presets: Sequence[ScreenPreset] = (),
    years: range | None = None,
    top: int = 15,
    exports: str = "total",
    measure: str = "value",
    minimum: float = 0.0,
    spread: float = 0.2,
    draws: int = 200,
    seed: int = 0,
    names: Source | None = None,
    source: str = "",
    production: Source | None = None,
    governance: Source | None = None,
    governance_scale: str = "wgi",
    materials: Source | None = None,
    uses: Source | None = None,
    sigma: str = "",
    rerouting: Rerouting | None = None,
    against: ProductionNetwork | None = None,
    progress: Progress = silent,
) -> TradeContents:
    """Screen the trade of a bloc, and add what is known of materials, losses and a network.

    Parameters
    ----------
    cube : TradeCube
    bloc : str
    presets : sequence of ScreenPreset
        The first leads. Default: all known.
    years : range, optional
        Default: the last five.
    top : int
        Products to show one by one.
    exports, measure : str
        See `withstand.measures.screens`.
    minimum : float
        Imports below which nothing is flagged (unit of the measure).
    spread : float
        Of errors in reports, log points; 0 leaves them out. Drawn for the last year.
    draws, seed : int
    names : path, optional
        Names of products: product (or code) and name (or description).
    source : str
        Where the data are from, and their terms.
    production, governance, materials, uses : path, optional
        Tables for raw material risk: see `production_concentration` and `raw_material_risk`.
        Without governance only the concentration of production is shown.
    governance_scale : {"wgi", "0-10"}
    sigma : str
        Elasticity of substitution after a year: a number, or a file with product and sigma.
    rerouting : Rerouting, optional
        How others step in when the largest supplier is lost.
    against : ProductionNetwork, optional
        Held against the screens by the code `hs` of its products.
    progress : callable, optional

    Raises
    ------
    UsageError
        If an argument is unknown.
    DataError
        With every fault of a table.
    """
    import polars as pl

    from withstand.measures.material_supplies import largest_losses, suppliers_of
    from withstand.measures.reporting_errors import ReportingError
    from withstand.measures.substitutions import Rerouting, substitution
    from withstand.readers.trade_side_tables import product_names
    from withstand.report.trade_contents import TradeContents

    if not production and (governance or materials or uses):
        raise UsageError(
            "Raw material risk needs a table of production: material, region, year, production."
        )
    steps = 4
    chosen = _years(cube, years)
    called = product_names(read_table(names, "names")) if names else {}
    error = None
    if spread > 0 and draws > 0:
        error = ReportingError(spread=spread, draws=draws, seed=seed)
    progress("screening", 0, steps)
    found = _screened(
        cube,
        bloc,
        error,
        presets=list(presets) or screens_of(()),
        years=chosen,
        exports=exports,
        measure=measure,
        minimum_imports=minimum,
    )
    progress("raw materials", 1, steps)
    parts = _materials(
        cube, found, bloc, production, governance, governance_scale, materials, uses
    )  # fmt: skip
    progress("the largest suppliers", 2, steps)
    plain = TradeContents(
        cube=cube, screens=found, made_at=now(), top=top, suppliers=pl.DataFrame(), names=called
    )
    suppliers = suppliers_of(
        cube, bloc, plain.shown["product"].to_list(), plain.year, found.conventions["measure"]
    )
    losses = None
    if plain.flagged:
        losses = substitution(
            largest_losses(found, plain.year, plain.flagged),
            _sigma(sigma),
            rerouting=rerouting or Rerouting(),
        )
    progress("the network", 3, steps)
    bought = None if against is None else _bought(against)
    progress("done", steps, steps)
    return TradeContents(
        cube=cube,
        screens=found,
        made_at=plain.made_at,
        top=top,
        suppliers=suppliers,
        names=called,
        source=source,
        losses=losses,
        network="" if against is None else against.name,
        bought=bought,
        **parts,
    )


def trade_targets(paths: Sequence[Source]) -> list[Path]:
    """Return the paths of a report of trade, .html or .xlsx; there may be none."""
    return report_targets(paths) if paths else []


def write_trade(contents: TradeContents, paths: Sequence[Source]) -> list[Path]:
    """Write the report of trade to each path: .html a page, .xlsx a workbook."""
    from withstand.report.trade_page import trade_page, trade_workbook

    makers = dict(zip(REPORT_ENDINGS, (trade_page, trade_workbook), strict=True))
    targets = trade_targets(paths)
    for target in targets:
        write_atomic(target, makers[target.suffix.lower()](contents))
    return targets


def _years(cube: TradeCube, years: range | None) -> tuple[int, ...]:
    """Return the years to screen: those stated, or the last ones."""
    return cube.years[-YEARS:] if years is None else cube.checked_years(years)


def _screened(
    cube: TradeCube,
    bloc: str,
    error: ReportingError | None,
    *,
    presets: list[ScreenPreset],
    years: tuple[int, ...],
    exports: str,
    measure: str,
    minimum_imports: float,
) -> Screens:
    """Screen all years; errors in reports are drawn for the last one, which the chances are of."""
    from withstand.measures.screening import screens

    def run(of: tuple[int, ...], shaken: ReportingError | None) -> Screens:
        return screens(
            cube,
            bloc,
            presets=presets,
            years=of,
            exports=exports,
            measure=measure,
            minimum_imports=minimum_imports,
            error=shaken,
        )

    if error is None or len(years) == 1:
        return run(years, error)
    whole, last = run(years, None), run(years[-1:], error)
    keys = ["year", "product", "preset"]
    chances = last.verdicts.select(*keys, "probability", "standard_error")
    joined = whole.verdicts.join(chances, on=keys, how="left", maintain_order="left")
    return replace(whole, verdicts=joined, error=error)


def _materials(
    cube: TradeCube,
    found: Screens,
    bloc: str,
    production: Source | None,
    governance: Source | None,
    scale: str,
    materials: Source | None,
    uses: Source | None,
) -> dict[str, Any]:
    """Return production, risk and findings of raw materials; empty without their table."""
    from withstand.measures.material_supplies import material_supply, production_of
    from withstand.measures.production_concentrations import production_concentration
    from withstand.measures.raw_material_risks import raw_material_risk
    from withstand.readers.trade_side_tables import governance_by_region, material_links

    if production is None:
        return {}
    year = found.years[-1]
    made = production_concentration(read_table(production, "production"))
    noted = [*made.findings]
    links, facts = None, None
    if materials is not None:
        links, facts = material_links(read_table(materials, "materials"))
    parts: dict[str, Any] = {"production": production_of(made, year)}
    if governance is not None:
        values, found_in = governance_by_region(read_table(governance, "governance"), year)
        supply, unjoined = material_supply(
            made, year, cube=cube, bloc=bloc, links=links, measure=found.conventions["measure"]
        )
        noted += [*found_in, *unjoined]
        parts["risk"] = raw_material_risk(
            supply,
            values,
            materials=facts,
            uses=None if uses is None else read_table(uses, "uses"),
            governance_scale=scale,
        )
    return parts | {"noted": tuple(noted)}


def _sigma(text: str) -> pl.DataFrame | float | None:
    """Return elasticities: none, one number, or a table."""
    if not text.strip():
        return None
    try:
        return float(text)
    except ValueError:
        import polars as pl

        frame = read_table(text, "sigma")
        if "product" in frame.columns:  # codes that a spreadsheet took for numbers
            frame = frame.with_columns(pl.col("product").cast(pl.String))
        return frame


def _bought(network: ProductionNetwork) -> pl.DataFrame:
    """Return the products of a network that bear a code, and how it buys them."""
    import polars as pl

    from withstand import measures

    table = network.tables.get("products")
    if table is None or "hs" not in table.columns or not table["hs"].count():
        raise UsageError(
            f"The products of {network.name} bear no code: fill the column hs in tables/products"
            " with codes of the Harmonized System, such as 848340."
        )
    name = pl.col("name").fill_null(pl.col("product")) if "name" in table.columns else "product"
    coded = table.filter(pl.col("hs").is_not_null(), pl.col("hs") != "").select(
        "product",
        pl.lit("").alias("name") if isinstance(name, str) else name.alias("name"),
        pl.col("hs").cast(pl.String).str.replace_all(r"[^0-9A-Za-z]", "").str.head(DIGITS),
    )
    spread = measures.concentration(network).to_frame()
    return coded.join(
        spread.select("product", "largest", "largest_share", "outside_home"),
        on="product",
        how="left",
        maintain_order="left",
    )
