"""How concentrated and how one-sided the imports of a bloc are, product by product."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from withstand.model.trade_rows import FEW

if TYPE_CHECKING:
    from withstand.model.trade_blocs import BlocLike
    from withstand.model.trade_cube import TradeCube

Array = np.ndarray
NO_EXPORTS = 9999.0
"""Imports over exports where nothing is exported (the convention of GeoDep)."""
INDICATORS = {
    "import_hhi": "HHI of imports from outside the bloc, by exporter; 0 to 1",
    "extra_share": "imports from outside the bloc in all imports of its members; 0 to 1",
    "import_export_ratio": "imports from outside over exports; 9999 without exports",
    "world_export_hhi": "HHI of the world's exports, by exporter; 0 to 1",
    "largest_share": "the largest supplier's share of imports from outside; 0 to 1",
    "world_largest_share": "the largest exporter's share of the world's exports; 0 to 1",
    "main_supplier_leads": "1 if the largest supplier is the world's largest exporter, else 0",
}
"""Name to meaning, unit and range."""


@dataclass(frozen=True, kw_only=True, eq=False)
class SupplyBlock:
    """What each exporter sells of each product: to the bloc, and to the rest of the world.

    Parameters
    ----------
    frame : polars.DataFrame
        year, product, exporter, member, to_bloc, to_rest; sorted by the first three.
    starts : ndarray(int64)
        Row at which each (year, product) begins.
    group : ndarray(int64)
        Number of the (year, product) of each row.
    """

    frame: pl.DataFrame
    starts: Array
    group: Array

    @property
    def keys(self) -> pl.DataFrame:
        """Return year and product of each group."""
        return self.frame[self.starts.tolist()].select("year", "product")


def supply_blocks(
    cube: TradeCube, bloc: BlocLike, years: Sequence[int], measure: str
) -> Iterator[SupplyBlock]:
    """Yield the supplies of some years at a time, so that memory is bounded."""
    flows = dict(cube.summary().select("year", "flows").iter_rows())
    batch: list[int] = []
    for year in years:
        if batch and sum(flows[y] for y in (*batch, year)) > FEW:
            yield _block(cube, bloc, batch, measure)
            batch = []
        batch.append(year)
    if batch:
        yield _block(cube, bloc, batch, measure)


def indicators_of(
    block: SupplyBlock,
    to_bloc: Array,
    to_rest: Array,
    *,
    exports: str = "total",
    world_exports: str = "countries",
) -> dict[str, Array]:
    """Compute the indicators of every product from supplies.

    With s_e the share of exporter e outside the bloc in its imports, M those imports, M' imports
    between members, X exports of members and w_e the share of e in the world's exports:

        import_hhi = sum_e s_e^2      extra_share = M / (M + M')      import_export_ratio = M / X
        world_export_hhi = sum_e w_e^2

    Parameters
    ----------
    block : SupplyBlock
        Who sells what.
    to_bloc, to_rest : ndarray(float, ndim=1)
        Supplies row by row, in the unit of the cube; given apart so that they may be disturbed.
    exports : {"total", "extra"}
        X with or without exports to other members.
    world_exports : {"countries", "bloc_as_one"}
        Whether members are exporters of their own, or one that sells only outside.

    Returns
    -------
    dict of str to ndarray(float, ndim=1)
        `imports`, `intra_imports`, `exports` in the unit of the cube, and `INDICATORS`; one number
        for each group; NaN where it is not defined (no imports, no trade).
    """
    member = block.frame["member"].to_numpy()
    bought = np.where(member, 0.0, to_bloc)  # from outside
    sold = to_bloc + to_rest if exports == "total" else to_rest
    imports, intra = _added(block, bought), _added(block, np.where(member, to_bloc, 0.0))
    exported = _added(block, np.where(member, sold, 0.0))
    world, as_one = _world(block, member, to_bloc, to_rest, world_exports)
    total = _added(block, world) + as_one
    squares = _added(block, world * world) + as_one * as_one
    most, most_world = _largest(block, bought), np.maximum(_largest(block, world), as_one)
    leads = (bought == most[block.group]) & (bought > 0) & (world == most_world[block.group])
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(
            exported > 0,
            imports / exported,
            np.where(imports > 0, NO_EXPORTS, np.nan),
        )
        return {
            "imports": imports,
            "intra_imports": intra,
            "exports": exported,
            "import_hhi": np.minimum(_added(block, bought * bought) / (imports * imports), 1.0),
            "extra_share": imports / (imports + intra),
            "import_export_ratio": ratio,
            "world_export_hhi": np.minimum(squares / (total * total), 1.0),
            "largest_share": most / imports,
            "world_largest_share": most_world / total,
            "main_supplier_leads": np.where(
                imports > 0, np.logical_or.reduceat(leads, block.starts), np.nan
            ).astype(float),
        }


def indicator_frame(block: SupplyBlock, numbers: dict[str, Array]) -> pl.DataFrame:
    """Return the indicators with year, product, suppliers and the names of the largest."""
    frame = block.frame
    bought = np.where(frame["member"].to_numpy(), 0.0, frame["to_bloc"].to_numpy())
    world = (frame["to_bloc"] + frame["to_rest"]).to_numpy()
    made = block.keys.with_columns(
        suppliers=pl.Series(np.add.reduceat((bought > 0).astype(np.int64), block.starts)),
        largest_supplier=_names(block, bought),
        world_largest=_names(block, world),
        **{name: pl.Series(values).fill_nan(None) for name, values in numbers.items()},
    )
    first = ["year", "product", "imports", "intra_imports", "exports", "suppliers"]
    return made.select(*first, "largest_supplier", "world_largest", *INDICATORS)


def _block(cube: TradeCube, bloc: BlocLike, years: Sequence[int], measure: str) -> SupplyBlock:
    listed = ", ".join(str(int(y)) for y in years)
    members = cube.membership(bloc, years)
    sums = cube.rows.ask(
        f"SELECT r.year, r.product, r.exporter, "
        f"coalesce(sum(r.{measure}) FILTER (m.region IS NOT NULL), 0.0) AS to_bloc, "
        f"coalesce(sum(r.{measure}) FILTER (m.region IS NULL), 0.0) AS to_rest "
        f"FROM rows r LEFT JOIN members m ON r.year = m.year AND r.importer = m.region "
        f"WHERE r.year IN ({listed}) GROUP BY ALL",
        {"members": members},
    )
    sellers = members.select("year", exporter="region", member=pl.lit(True))
    frame = (
        _in_order(sums)
        .join(sellers, on=["year", "exporter"], how="left", maintain_order="left")
        .with_columns(pl.col("member").fill_null(False))
    )
    is_first = frame.select(
        (
            (pl.col("year") != pl.col("year").shift())
            | (pl.col("product") != pl.col("product").shift())
        ).fill_null(True)
    ).to_series()
    starts = is_first.arg_true().to_numpy().astype(np.int64)
    group = np.cumsum(is_first.to_numpy()) - 1
    return SupplyBlock(frame=frame, starts=starts, group=group.astype(np.int64))


def _in_order(sums: pl.DataFrame) -> pl.DataFrame:
    """Return rows by year, product, exporter; places in a list of labels sort faster than text."""
    ranks = {c: pl.Enum(sums[c].unique().sort()) for c in ("product", "exporter")}
    ranked = sums.with_columns(pl.col(c).cast(rank) for c, rank in ranks.items())
    return ranked.sort("year", "product", "exporter").with_columns(
        pl.col("product", "exporter").cast(pl.String)
    )


def _added(block: SupplyBlock, values: Array) -> Array:
    return np.add.reduceat(values, block.starts)


def _largest(block: SupplyBlock, values: Array) -> Array:
    return np.maximum.reduceat(values, block.starts)


def _world(
    block: SupplyBlock, member: Array, to_bloc: Array, to_rest: Array, how: str
) -> tuple[Array, Array]:
    """Return the world's exports by exporter, and those of the bloc where it counts as one."""
    if how == "countries":
        return to_bloc + to_rest, np.zeros(len(block.starts))
    alone = np.where(member, 0.0, to_bloc + to_rest)
    return alone, _added(block, np.where(member, to_rest, 0.0))


def _names(block: SupplyBlock, values: Array) -> pl.Series:
    """Return the label of the largest of each group, the first in order among equals."""
    most = _largest(block, values)
    rows = np.flatnonzero((values == most[block.group]) & (values > 0))
    groups, first = np.unique(block.group[rows], return_index=True)
    chosen = np.full(len(block.starts), -1)
    chosen[groups] = rows[first]
    labels = block.frame["exporter"].gather(np.maximum(chosen, 0))
    return pl.select(pl.when(pl.Series(chosen >= 0)).then(labels)).to_series()
