"""The imports of a bloc as a network: one basket at home that needs every product imported."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import polars as pl

from withstand.errors import UsageError
from withstand.model.blocs import bloc_members, country_of, known_blocs, region_name
from withstand.model.building import build_network
from withstand.model.settings import Settings
from withstand.model.trade_blocs import bloc_name

if TYPE_CHECKING:
    from withstand.model.network import ProductionNetwork
    from withstand.model.trade_cube import TradeCube

BASKET = "imports"
EVERYBODY = "*"


def import_chain(
    cube: TradeCube,
    home: str | Sequence[str],
    *,
    year: int | None = None,
    products: Sequence[str] | None = None,
) -> ProductionNetwork:
    """Return what a bloc imports in one year as a network that partners can be looked for in.

    Home makes one basket, which needs each product as much as is imported of it (flows between
    members left out). Every other exporter is a node for each product: at rest it gives what home
    imports from it, at most all it exports to anybody (its capacity). Prices are 1, so amounts
    are in the cube's unit of value. What home makes itself is not in trade, and not in here.

    Parameters
    ----------
    cube : TradeCube
    home : str or sequence of str
        A bloc or labels, as `TradeCube.members` takes them.
    year : int, optional
        Default: the last.
    products : sequence of str, optional
        Default: all that home imports.

    Raises
    ------
    UsageError
        If a year, product or bloc is not there, or home imports nothing.
    """
    when = max(cube.years) if year is None else year
    chosen = cube.filter(years=when, products=products)
    bought = chosen.imports_of(home, when).filter(pl.col("value") > 0)
    if bought.height == 0:
        raise UsageError(f"{bloc_name(home)} imports nothing of this in {when}.")
    members = chosen.members(home, when)
    sold = chosen.imports_of(EVERYBODY, when, intra=True).select("product", "exporter", "value")
    sold = sold.filter(~pl.col("exporter").is_in(sorted(members)) & (pl.col("value") > 0))
    wanted = bought.group_by("product").agg(pl.col("value").sum().alias("need")).sort("product")
    label = bloc_name(home)
    suppliers = (
        sold.join(wanted, on="product", how="inner")
        .join(bought.select("product", "exporter", bought="value"), on=["product", "exporter"],
              how="left")
        .with_columns(
            node=pl.concat_str(["product", "exporter"], separator="@"),
            share=pl.col("bought").fill_null(0.0) / pl.col("need"),
        )
        .sort("product", "exporter")
    )  # fmt: skip
    total = float(wanted["need"].sum())
    nodes = pl.concat(
        [
            pl.DataFrame(
                {
                    "node": [f"{BASKET}@{label}"],
                    "product": [BASKET],
                    "region": [label],
                    "capacity": [1.0],
                    "final_demand": [1.0],
                    "price": [total],
                }
            ),
            suppliers.select(
                "node", "product", pl.col("exporter").alias("region"),
                pl.col("value").alias("capacity"), final_demand=pl.lit(0.0), price=pl.lit(1.0),
            ),
        ]
    )  # fmt: skip
    regions = nodes["region"].unique(maintain_order=True).to_list()
    tables = {
        "products": pl.DataFrame(
            {
                "product": [BASKET, *wanted["product"]],
                "kind": ["product", *["material"] * wanted.height],
                "hs": [None, *wanted["product"]],
            }
        ),
        "nodes": nodes,
        "recipes": wanted.select(
            buyer=pl.lit(BASKET), input=pl.col("product"), quantity=pl.col("need")
        ),
        "links": suppliers.filter(pl.col("share") > 0).select(
            supplier=pl.col("node"), buyer=pl.lit("*"), share=pl.col("share")
        ),
        "regions": pl.DataFrame(
            {
                "region": regions,
                "name": [label, *(region_name(r) for r in regions[1:])],
                "home": [r == label for r in regions],
                "bloc": [None, *(_blocs_of(r, when) for r in regions[1:])],
            },
            schema_overrides={"bloc": pl.String},
        ),
    }
    settings = Settings(
        name=f"{label} imports {when}",
        home=label,
        viewpoint=BASKET,
        currency=cube.value_unit,
        period="year",
    )
    return build_network(tables, settings)


def _blocs_of(region: str, year: int) -> str | None:
    """Return the blocs of a country in a year, separated by semicolons."""
    country = country_of(region)
    member = [bloc for bloc in known_blocs() if country in bloc_members(bloc, year)]
    return ";".join(member) or None
