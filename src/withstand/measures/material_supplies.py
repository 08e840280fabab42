"""Who supplies a material: the world's mines, and what a bloc imports of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from withstand.model.findings import Finding, Origin, listed, make_finding

if TYPE_CHECKING:
    from withstand.measures.production_concentrations import ProductionConcentration
    from withstand.measures.screening import Screens
    from withstand.model.trade_blocs import BlocLike
    from withstand.model.trade_cube import TradeCube


def production_of(made: ProductionConcentration, year: int) -> pl.DataFrame:
    """Return the production of each material in the year nearest before, or else after, a year.

    Columns: those of `ProductionConcentration.to_frame`, a row for each material.

    Examples
    --------
    >>> from withstand.measures.production_concentrations import production_concentration
    >>> made = production_concentration(pl.DataFrame({
    ...     "material": "Tin", "region": ["CN", "CN"], "year": [2019, 2023],
    ...     "production": [1.0, 2.0]}))
    >>> production_of(made, 2022)["year"].to_list(), production_of(made, 2018)["year"].to_list()
    ([2019], [2019])
    """
    return _nearest(made.to_frame(), year)


def material_supply(
    made: ProductionConcentration,
    year: int,
    *,
    cube: TradeCube | None = None,
    bloc: BlocLike = "EU27",
    links: pl.DataFrame | None = None,
    measure: str = "value",
) -> tuple[pl.DataFrame, list[Finding]]:
    """Return who supplies each material: the world, and where products are linked, the bloc.

    Supply of the world are shares of production. Supply to the bloc are shares of its imports from
    outside of all products that carry the material, added together: what is mined within the bloc
    is in tonnes of metal and cannot be added to them.

    Parameters
    ----------
    made : ProductionConcentration
    year : int
        Of the imports; of production, see `production_of`.
    cube : TradeCube, optional
    bloc : str, iterable of str, or mapping
    links : polars.DataFrame, optional
        material, product (codes of the cube).
    measure : {"value", "quantity"}

    Returns
    -------
    supply : polars.DataFrame
        material, region, share (0 to 1), source ("global" or "bloc"), as `raw_material_risk` takes
        it.
    findings : list of Finding

    Examples
    --------
    >>> from withstand.measures.production_concentrations import production_concentration
    >>> made = production_concentration(pl.DataFrame({
    ...     "material": "Tin", "region": ["CN", "PE"], "year": 2022, "production": [3.0, 1.0]}))
    >>> material_supply(made, 2022)[0].rows()
    [('Tin', 'CN', 0.75, 'global'), ('Tin', 'PE', 0.25, 'global')]
    """
    world = _nearest(made.shares, year).select(
        "material", "region", "share", source=pl.lit("global")
    )
    world = world.filter(pl.col("share") > 0).sort("material", "region")
    if cube is None or links is None or links.is_empty():
        return world, []
    findings = []
    mined = set(world["material"])
    unmade = sorted(set(links["material"]) - mined)
    if unmade:
        what = f"no production is known of {listed(unmade)}; these are left out"
        findings.append(make_finding("W782", what, origin=Origin("materials"), count=len(unmade)))
    traded = links.filter(
        pl.col("product").is_in(list(cube.products)), pl.col("material").is_in(sorted(mined))
    )
    untraded = sorted(set(links["material"]) - set(traded["material"]) - set(unmade))
    if untraded:
        what = f"no trade is known of {listed(untraded)}; the world's supply stands in"
        findings.append(make_finding("W782", what, origin=Origin("materials"), count=len(untraded)))
    if traded.is_empty():
        return world, findings
    bought = cube.filter(products=sorted(set(traded["product"]))).imports_of(bloc, year)
    shares = (
        traded.join(bought, on="product")
        .group_by("material", region="exporter")
        .agg(pl.col(measure).sum())
        .with_columns(share=pl.col(measure) / pl.col(measure).sum().over("material"))
        .filter(pl.col("share") > 0)
        .select("material", "region", "share", source=pl.lit("bloc"))
        .sort("material", "region")
    )
    return pl.concat([world, shares]), findings


def suppliers_of(
    cube: TradeCube, bloc: BlocLike, products: list[str], year: int, measure: str = "value"
) -> pl.DataFrame:
    """Return who supplies some products from outside, in one go; as `Screens.suppliers`.

    Columns: product, exporter, the measure, share (0 to 1); products in their order, the largest
    supplier first.
    """
    schema = {"product": pl.String, "exporter": pl.String, measure: pl.Float64, "share": pl.Float64}
    if not products:
        return pl.DataFrame(schema=schema)
    order = pl.DataFrame({"product": products}).with_row_index("place")
    amount = pl.col(measure)
    rows = cube.filter(products=products).imports_of(bloc, year)
    return (
        rows.join(order, on="product")
        .with_columns(share=amount / amount.sum().over("product"))
        .sort(["place", measure, "exporter"], descending=[False, True, False], nulls_last=True)
        .select(*schema)
    )


def largest_losses(found: Screens, year: int, products: list[str]) -> pl.DataFrame:
    """Return what share of all imports goes with the largest supplier outside: product, share_lost.

    The largest supplier's share of imports from outside, times the share that imports from outside
    have in all imports of members; 0 to 1.
    """
    rows = found.indicators.filter(pl.col("year") == year, pl.col("product").is_in(products))
    lost = pl.col("largest_share") * pl.col("extra_share")
    return (
        rows.filter(lost.is_not_null())
        .select("product", share_lost=lost.clip(0.0, 1.0))
        .sort("product")
    )


def _nearest(frame: pl.DataFrame, year: int) -> pl.DataFrame:
    """Return the rows of the latest year up to a year, or of the first one after it."""
    up_to = pl.col("year").filter(pl.col("year") <= year).max().over("material")
    first = pl.col("year").min().over("material")
    return frame.filter(pl.col("year") == pl.coalesce(up_to, first))
