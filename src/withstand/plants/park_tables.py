"""The tables behind a park: plants moved to it, shorter links, and the supply of utilities."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from withstand.errors import UsageError

if TYPE_CHECKING:
    from withstand.model.network import ProductionNetwork
    from withstand.plants.park_utilities import Utility

Tables = dict[str, pl.DataFrame]


def moved_nodes(
    network: ProductionNetwork, members: Sequence[str], name: str, region: str, *, as_region: bool
) -> Tables:
    """Return the tables with the members in a region, or at a site, named as the park.

    Raises
    ------
    UsageError
        If the name is taken, or a member has another site.
    """
    tables = dict(network.tables)
    is_member = pl.col("node").is_in(list(members))
    if as_region:
        if name in network.index("regions"):
            raise UsageError(f"There is a region '{name}' already; give the park another name.")
        tables["regions"] = _with_region(network, name, region)
        tables["nodes"] = _set(tables["nodes"], is_member, "region", name)
        return tables
    nodes = tables["nodes"]
    if "site" in nodes.columns:
        other = nodes.filter(is_member & pl.col("site").is_not_null() & (pl.col("site") != name))
        if other.height:
            raise UsageError(
                f"{other['node'][0]} has the site {other['site'][0]}; a park as a site needs nodes "
                "without one. Make it a region: as_region=True."
            )
    else:
        nodes = nodes.with_columns(pl.lit(None, pl.String).alias("site"))
    tables["nodes"] = _set(nodes, is_member, "site", name)
    return tables


def _with_region(network: ProductionNetwork, name: str, like: str) -> pl.DataFrame:
    """Return the regions with a new one that is like the old one."""
    regions = network.tables["regions"]
    row = regions.filter(pl.col("region") == like).with_columns(pl.lit(name).alias("region"))
    if "name" in row.columns:
        row = row.with_columns(pl.lit(name).alias("name"))
    if bool(network.is_home[network.index("regions")[like]]):
        row = row.with_columns(pl.lit(value=True).alias("home"))
    return pl.concat([regions, row], how="diagonal_relaxed")


def _set(frame: pl.DataFrame, where: pl.Expr, column: str, value: str) -> pl.DataFrame:
    changed = pl.when(where).then(pl.lit(value)).otherwise(pl.col(column).cast(pl.String))
    return frame.with_columns(changed.alias(column))


def closer_links(
    network: ProductionNetwork, tables: Tables, members: Sequence[str], lead_time: float
) -> Tables:
    """Return the tables with at most `lead_time` periods from member to member.

    Where a general row (for a product, or for every buyer) stands behind a link, the member gets
    rows of its own for that input, with the same shares.
    """
    inside = np.zeros(network.n_nodes, dtype=bool)
    inside[[network.index("nodes")[n] for n in members]] = True
    link_buyer = network.input_buyer[network.link_input]
    is_inner = inside[link_buyer] & inside[network.link_supplier]
    if not is_inner.any():
        return tables
    links = _links(tables)
    buyers = links["buyer"].to_list()
    own_rows: list[int] = []
    new: list[pl.DataFrame] = []
    for i in np.unique(network.link_input[is_inner]).tolist():
        those = np.arange(network.links_indptr[i], network.links_indptr[i + 1])
        node = str(network.node_labels[network.input_buyer[i]])
        rows = network.link_row[those]
        if all(r >= 0 and buyers[r] == node for r in rows.tolist()):
            own_rows += rows[is_inner[those]].tolist()
            continue
        for k, row in zip(those.tolist(), rows.tolist(), strict=True):
            time = float(network.link_lead_time[k])
            cells = {
                "supplier": str(network.node_labels[network.link_supplier[k]]),
                "buyer": node,
                "product": str(network.product_labels[network.input_product[i]]),
                "share": float(network.link_share[k]),
                "lead_time": min(time, lead_time) if is_inner[k] else time,
            }
            base = links[row] if row >= 0 else links.clear(1)
            new.append(base.with_columns(pl.lit(v).alias(c) for c, v in cells.items()))
    place = np.zeros(links.height, dtype=bool)
    place[own_rows] = True
    # an empty lead time means 1 period for goods, 0 for hours
    usual = np.zeros(links.height)
    has_row = network.link_row >= 0
    usual[network.link_row[has_row]] = network.link_lead_time[has_row]
    shorter = pl.Series(np.minimum(usual, lead_time))
    links = links.with_columns(
        pl.when(pl.Series(place)).then(shorter).otherwise(pl.col("lead_time")).alias("lead_time")
    )
    return {**tables, "links": pl.concat([links, *new], how="diagonal_relaxed")}


def with_utilities(
    network: ProductionNetwork,
    tables: Tables,
    members: Sequence[str],
    utilities: Sequence[Utility],
    *,
    shared_at: str | None,
) -> ProductionNetwork:
    """Return the network whose members need utilities, from one shared supply or each its own.

    Parameters
    ----------
    network : ProductionNetwork
        Before; its outputs at rest give the needs.
    tables : dict of str to DataFrame
        Its tables, members moved or not.
    members : sequence of str
    utilities : sequence of Utility
    shared_at : str, optional
        Name of the park; None for supplies of their own.
    """
    place = {
        row["node"]: row
        for row in tables["nodes"].filter(pl.col("node").is_in(list(members))).to_dicts()
    }
    output = {n: float(network.output[network.index("nodes")[n]]) for n in members}
    products, nodes, recipes, links = [], [], [], []
    for u in utilities:
        products.append({"product": u.product, "kind": u.kind, "unit": u.unit})
        users = [n for n in members if u.need_of(n) > 0]
        total = sum(u.need_of(n) * output[n] for n in users)
        groups = {shared_at: users} if shared_at is not None else {n: [n] for n in users}
        for where, some in groups.items():
            need = sum(u.need_of(n) * output[n] for n in some)
            spare = u.capacity / total if u.capacity is not None and total > 0 else 1.0
            first = place[some[0]]
            supply = {
                "node": f"{u.product}@{where}",
                "product": u.product,
                "region": first["region"],
                "site": first.get("site"),
                "capacity": need * spare,
                "price": u.price,
            }
            nodes.append(supply)
            links += [
                {
                    "supplier": supply["node"],
                    "buyer": n,
                    "product": u.product,
                    "share": 1.0,
                    "lead_time": 0.0,
                }
                for n in some
            ]
        recipes += [
            {
                "buyer": n,
                "input": u.product,
                "quantity": u.need_of(n),
                "class": "essential",
                "use": "hours",
            }
            for n in users
        ]
    changed = dict(tables)
    changed["products"] = _more(tables["products"], products)
    changed["nodes"] = _more(tables["nodes"], nodes)
    changed["recipes"] = _more(tables.get("recipes"), recipes)
    changed["links"] = _more(tables.get("links"), links)
    return network.with_changes(
        {name: frame for name, frame in changed.items() if frame is not network.tables.get(name)}
    )


def _more(frame: pl.DataFrame | None, rows: Sequence[Mapping[str, object]]) -> pl.DataFrame:
    added = pl.DataFrame(rows, infer_schema_length=None)
    added = added.drop(c for c in added.columns if added[c].null_count() == added.height)
    return added if frame is None else pl.concat([frame, added], how="diagonal_relaxed")


def _links(tables: Tables) -> pl.DataFrame:
    types = {
        "supplier": pl.String,
        "buyer": pl.String,
        "product": pl.String,
        "share": pl.Float64,
        "lead_time": pl.Float64,
    }
    frame = tables.get("links", pl.DataFrame(schema=types))
    return frame.with_columns(
        pl.lit(None, t).alias(c) for c, t in types.items() if c not in frame.columns
    )
