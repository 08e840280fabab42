"""New channels: who makes what we buy abroad, and does not supply us yet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from withstand.errors import DataError, UsageError
from withstand.measures.flow_frames import (
    Trade,
    canonical,
    codes_of,
    rows_of,
    stands_for_home,
)
from withstand.measures.reliabilities import reliability_of
from withstand.measures.selections import unknown_label
from withstand.model.findings import make_finding
from withstand.model.value_flows import value_flows

if TYPE_CHECKING:
    from withstand.model.network import ProductionNetwork

Array = np.ndarray
EARTH_RADIUS = 6371.0
"""Mean radius in km."""
SCHEMA = {
    "product": pl.String,
    "name": pl.String,
    "from_abroad": pl.Float64,
    "region": pl.String,
    "size": pl.Float64,
    "share": pl.Float64,
    "concentration": pl.Float64,
    "reliability": pl.Float64,
    "distance": pl.Float64,
    "source": pl.String,
}


def purchases(network: ProductionNetwork, home: Array) -> Array:
    """Return what home has from each region of each product: (n_products, n_regions).

    In currency for economies and networks of firms. In a plant all nodes are there to supply it, so
    the output at rest counts, in units, with the known recipe for all (as in `concentration`).
    """
    shape = (network.n_products, network.n_regions)
    table = np.zeros(shape)
    if network.settings.lens == "plant":
        full = network.under_rule("shared")
        np.add.at(table, (full.node_product, full.node_region), np.maximum(full.output, 0.0))
        return table
    flows, _ = value_flows(network)
    buyers = np.flatnonzero(np.isin(network.node_region, home))
    bought = np.asarray(flows[:, buyers].sum(axis=1)).ravel()
    np.add.at(table, (network.node_product, network.node_region), bought)
    return table


def new_channels(
    network: ProductionNetwork,
    home: Array,
    *,
    trade: Trade | None,
    products: Sequence[str] | None,
    trade_home: str | Sequence[str] | None,
    reliability: Mapping[str, float],
    coordinates: pl.DataFrame | None,
    negligible: float,
) -> pl.DataFrame:
    """Return, for each product bought abroad, the regions that make it and do not supply us yet.

    Parameters
    ----------
    network : ProductionNetwork
    home : ndarray of int64
    trade : Trade, optional
        Producers are looked for there; in the network if there is none.
    products : sequence of str, optional
        Default: all that home buys abroad.
    trade_home : str or sequence of str, optional
        What home is called in the frame of trade.
    reliability : mapping of region to float
    coordinates : polars.DataFrame, optional
        region, latitude, longitude.
    negligible : float
        A region with at most this share of what home buys counts as no supplier.

    Returns
    -------
    polars.DataFrame
        product, name, from_abroad (share bought outside home), region, size (its capacity, output
        or exports, in units of the source), share (of all there is), concentration (Herfindahl
        index of all who make it), reliability, distance (km), source. Most exposed product first,
        then the largest region.
    """
    table = purchases(network, home)
    total = table.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        shares = np.where(total[:, None] > 0, table / total[:, None], 0.0)
    abroad = np.where(total > 0, 1.0 - shares[:, home].sum(axis=1), 0.0)
    wanted = _wanted(network, products, abroad)
    banned = {str(x) for x in network.region_labels[~network.is_allowed]}
    ours = {str(x) for x in network.region_labels[home]}
    places = _places(network, coordinates)
    here = _here(places, ours if trade is None else ours | _called(trade_home))
    if trade is not None:
        at_home = stands_for_home(network, trade, home.tolist(), trade_home)
        banned |= {canonical(x) for x in banned}
        ours |= at_home
        codes = codes_of(network, [str(network.product_labels[p]) for p in wanted])
    rows = []
    for p in wanted:
        label = str(network.product_labels[p])
        suppliers = {str(x) for x in network.region_labels[shares[p] > negligible]}
        if trade is None:
            makers, source = _makers(network, int(p)), "network"
        else:
            found = rows_of(trade, codes[label])
            suppliers |= {canonical(x) for x in suppliers}
            suppliers |= _supplying(found, at_home, negligible)
            makers = _sums(found, "exporter")
            source = "trade" if trade.year is None else f"trade {trade.year}"
        everything = sum(makers.values())
        index = sum((x / everything) ** 2 for x in makers.values()) if everything > 0 else 0.0
        for region, size in makers.items():
            if region in ours or region in banned or region in suppliers or size <= 0:
                continue
            rows.append(
                (
                    label,
                    str(network.product_names[p]),
                    float(abroad[p]),
                    region,
                    size,
                    size / everything,
                    index,
                    reliability_of(region, reliability),
                    _distance(places, here, region),
                    source,
                )
            )
    return pl.DataFrame(rows, schema=SCHEMA, orient="row").sort(
        ["from_abroad", "product", "size", "region"], descending=[True, False, True, False]
    )


def _wanted(network: ProductionNetwork, products: Sequence[str] | None, abroad: Array) -> Array:
    if products is None:
        return np.flatnonzero(abroad > 1e-12)
    if isinstance(products, str):
        raise UsageError(f"products takes a list of labels: products=['{products[:40]}'].")
    index = network.index("products")
    for label in products:
        if label not in index:
            raise unknown_label("product", str(label), list(index))
    return np.array([index[label] for label in products], dtype=np.int64)


def _makers(network: ProductionNetwork, product: int) -> dict[str, float]:
    """Return what each region can make of one product: its capacity where stated, else output."""
    at = np.flatnonzero(network.node_product == product)
    output, capacity = np.maximum(network.output[at], 0.0), network.capacity[at]
    size = np.where(np.isfinite(capacity), np.maximum(capacity, output), output)
    by_region = np.bincount(network.node_region[at], size)
    return {str(network.region_labels[r]): float(by_region[r]) for r in np.flatnonzero(by_region)}


def _sums(rows: pl.DataFrame, by: str) -> dict[str, float]:
    grouped = rows.group_by(by).agg(pl.col("value").sum()).sort(by)
    return {str(label): float(x) for label, x in grouped.iter_rows()}


def _supplying(rows: pl.DataFrame, at_home: set[str], negligible: float) -> set[str]:
    """Return the exporters that home already buys from, as the frame of trade has it."""
    bought = _sums(rows.filter(pl.col("importer").is_in(sorted(at_home))), "exporter")
    total = sum(bought.values())
    return {region for region, x in bought.items() if x > negligible * total}


def _called(given: str | Sequence[str] | None) -> set[str]:
    if given is None:
        return set()
    return {given} if isinstance(given, str) else {str(x) for x in given}


def _places(
    network: ProductionNetwork, coordinates: pl.DataFrame | None
) -> dict[str, tuple[float, float]]:
    """Return latitude and longitude of each region: those given, or the middle of its nodes."""
    if coordinates is None:
        nodes = network.tables["nodes"]
        if not {"latitude", "longitude", "region"} <= set(nodes.columns):
            return {}
        coordinates = nodes
    for name in ("region", "latitude", "longitude"):
        if name not in coordinates.columns:
            what = f"'coordinates' needs a column '{name}'"
            raise DataError([make_finding("E101", what, column=name)])
    known = coordinates.drop_nulls(["region", "latitude", "longitude"])
    found: dict[str, list[Array]] = {}
    for region, latitude, longitude in known.select("region", "latitude", "longitude").iter_rows():
        found.setdefault(canonical(str(region)), []).append(_on_sphere(latitude, longitude))
    return {region: _to_degrees(np.mean(points, axis=0)) for region, points in found.items()}


def _on_sphere(latitude: float, longitude: float) -> Array:
    """Return the point on the unit sphere, so that places at the date line have a middle."""
    a, b = np.radians(latitude), np.radians(longitude)
    return np.array([np.cos(a) * np.cos(b), np.cos(a) * np.sin(b), np.sin(a)])


def _to_degrees(point: Array) -> tuple[float, float]:
    flat = float(np.hypot(point[0], point[1]))
    latitude = float(np.degrees(np.arctan2(point[2], flat)))
    return latitude, float(np.degrees(np.arctan2(point[1], point[0])))


def _here(places: Mapping[str, tuple[float, float]], ours: set[str]) -> tuple[float, float] | None:
    known = [places[canonical(x)] for x in sorted(ours) if canonical(x) in places]
    if not known:
        return None
    return _to_degrees(np.mean([_on_sphere(*place) for place in known], axis=0))


def _distance(
    places: Mapping[str, tuple[float, float]], here: tuple[float, float] | None, region: str
) -> float | None:
    there = places.get(canonical(region))
    if here is None or there is None:
        return None
    return great_circle(*here, *there)


def great_circle(
    latitude: float, longitude: float, other_latitude: float, other_longitude: float
) -> float:
    """Return the distance of two places on a sphere of the size of the earth, km.

    Examples
    --------
    >>> round(great_circle(0.0, 0.0, 0.0, 90.0))  # a quarter of the equator
    10008
    """
    one, other = _on_sphere(latitude, longitude), _on_sphere(other_latitude, other_longitude)
    return EARTH_RADIUS * float(2.0 * np.arcsin(min(1.0, float(np.linalg.norm(one - other)) / 2.0)))
