"""What is known of a product as a candidate to make at home: from screens, networks, capability."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from withstand.errors import DataError, UsageError
from withstand.measures.concentrations import concentration
from withstand.measures.coverages import coverage
from withstand.measures.product_codes import CodeJoin, plain
from withstand.model.checked_frames import checked_frame
from withstand.model.encoding import encode
from withstand.model.findings import make_finding
from withstand.model.tables import Column, Table

if TYPE_CHECKING:
    from withstand.measures.complexities import Complexity
    from withstand.measures.screening import Screens
    from withstand.model.network import ProductionNetwork

Array = np.ndarray
Factors = dict[str, Array]

_PCI = Table(
    name="pci",
    meaning="How hard products are, by others.",
    columns=(
        Column(name="product", meaning="Code of the product.", type="label", required=True),
        Column(name="pci", meaning="Higher is harder.", type="number", required=True),
    ),
    key=("product",),
)


def network_products(network: ProductionNetwork) -> pl.DataFrame:
    """Return what is bought outside home: product, quantity, purchases, home_buyers.

    quantity in units per period and purchases in currency per period are those of all buyers at
    rest, producers outside home taken to use the known recipe (as in `concentration`), so that what
    only suppliers buy is seen too; home_buyers is the quantity that home itself buys outside, under
    the network's own rule. A purchase without a price leaves purchases empty.

    Examples
    --------
    Of 120 kg of steel a week four fifths come from Japan, at 6 a kg.

    >>> import withstand as ws
    >>> network_products(ws.examples.tiny()).rows()
    [('STEEL', 96.0, 576.0, 96.0)]
    """
    full = network.under_rule("shared")
    supplier, flow, _ = _from_outside(full)
    product, price = full.node_product[supplier], full.price[supplier]
    n = full.n_products
    unpriced = np.bincount(product, np.isnan(price), n) > 0
    value = np.bincount(product, flow * np.nan_to_num(price), n)
    own_supplier, own_flow, at_home = _from_outside(network)
    frame = pl.DataFrame(
        {
            "product": full.product_labels,
            "quantity": np.bincount(product, flow, n),
            "purchases": np.where(unpriced, np.nan, value),
            "home_buyers": np.bincount(network.node_product[own_supplier], own_flow * at_home, n),
        }
    ).with_columns(pl.col("purchases").fill_nan(None))
    return frame.filter(pl.col("quantity") > 0)


def _from_outside(network: ProductionNetwork) -> tuple[Array, Array, Array]:
    """Return supplier, flow and whether home buys, of links from outside home that carry any."""
    supplier, flow = network.link_supplier, np.maximum(network.link_flow, 0.0)
    kept = ~network.is_home[network.node_region[supplier]] & (flow > 0)
    buyer = network.input_buyer[network.link_input[kept]]
    return supplier[kept], flow[kept], network.is_home[network.node_region[buyer]]


def network_dangers(
    network: ProductionNetwork, products: Sequence[str], *, output_lost: bool = True
) -> Factors:
    """Return outside_home, foreign_hhi, output_lost and purchases of products of a network.

    outside_home is the share of purchases from outside home (0 to 1); foreign_hhi the sum over
    regions outside home of their squared shares in all purchases (0 to 1: one region delivers all);
    output_lost the largest share of final demand that the loss of one region outside home takes
    away where the product limits what is left (`coverage`; 0 to 1; one linear programme a region,
    and left out where `output_lost` is False).
    """
    faces = concentration(network)
    table = faces.to_frame()
    home = set(network.region_labels[network.is_home].tolist())
    shares = pl.concat([faces.why(product) for product in products])
    foreign = shares.filter(~pl.col("source").is_in(sorted(home)))
    squares = foreign.group_by("product").agg((pl.col("share") ** 2).sum().alias("hhi"))
    found = {
        "outside_home": _by_product(products, table, "outside_home"),
        "foreign_hhi": _by_product(products, squares, "hhi"),
        "purchases": _by_product(products, network_products(network), "purchases"),
    }
    if output_lost:
        found["output_lost"] = _output_lost(network, products, sorted(set(foreign["source"])))
    return found


def _output_lost(
    network: ProductionNetwork, products: Sequence[str], regions: Sequence[str]
) -> Array:
    """Return the most that is lost with one of some regions, where each product binds."""
    lost = dict.fromkeys(products, 0.0)
    for region in regions:
        found = coverage(network, without=[region])
        for product in set(found.binding) & set(lost):
            lost[product] = max(lost[product], 1.0 - found.feasible_output)
    return np.array([lost[p] for p in products])


def screen_rows(screens: Screens, year: int | None) -> tuple[pl.DataFrame, int]:
    """Return the screens of one year with the highest probability of any, and the year.

    Raises
    ------
    UsageError
        If the year was not screened.
    """
    when = screens.years[-1] if year is None else year
    if when not in screens.years:
        raise UsageError(
            f"Year {when} was not screened; there are {screens.years[0]}-{screens.years[-1]}."
        )
    rows = screens.to_frame().filter(pl.col("year") == when)
    if "probability" in screens.verdicts.columns:
        chance = (
            screens.verdicts.filter(pl.col("year") == when)
            .group_by("product")
            .agg(pl.col("probability").max())
        )
        rows = rows.join(chance, on="product", how="left")
    return rows.sort("product"), when


def screen_dangers(screens: Screens, rows: pl.DataFrame, join: CodeJoin) -> Factors:
    """Return flags, import_hhi, extra_share, imports (and probability) of products.

    flags is the share of the screens run that flag the product (of several codes the one that most
    flag), the indices are means over codes weighted by imports, imports their sum.
    """

    def of(name: str) -> Array:
        return rows[name].cast(pl.Float64).fill_null(np.nan).to_numpy()

    found = {
        "flags": join.largest(of("flags")) / len(screens.presets),
        "import_hhi": join.mean(of("import_hhi")),
        "extra_share": join.mean(of("extra_share")),
        "imports": join.total(of("imports")),
    }
    if "probability" in rows.columns:
        found["probability"] = join.largest(of("probability"))
    return found


def capability_factors(
    capability: Complexity, place: int, join: CodeJoin, pci: Array | None
) -> Factors:
    """Return density, pci, cog, export_potential and what is shown beside them.

    export_potential is what the place would export more if it had its average share of the product:
    max(0, x_c x_p / x - x_cp), in the unit of the table. density_percentile is the standing of the
    density among all products of the table.
    """
    values = capability.values
    own = values[place]
    of_product = values.sum(axis=0)
    fair = own.sum() * of_product / values.sum()
    density = capability.density[place]
    return {
        "density": join.mean(density),
        "pci": join.mean(capability.pci if pci is None else pci),
        "cog": join.mean(capability.cog[place]),
        "export_potential": join.total(np.maximum(fair - own, 0.0)),
        "density_percentile": _percentile(join.mean(density), density),
        "rca": join.mean(capability.rca[place]),
        "share_present": join.mean(capability.present[place].astype(np.float64)),
    }


def given_pci(pci: pl.DataFrame | Mapping[str, float], codes: Sequence[str]) -> Array:
    """Return the index of others for each code of the table, NaN where it has none.

    Raises
    ------
    DataError
        If the frame has faults, or none of its codes is in the table.
    """
    if isinstance(pci, Mapping):
        columns = {"product": list(pci), "pci": [float(x) for x in pci.values()]}
        pci = pl.DataFrame(columns, schema={"product": pl.String, "pci": pl.Float64})
    frame, _ = checked_frame(pci, _PCI)
    table = pl.Series([plain(x) for x in codes], dtype=pl.String)
    at = encode(table, pl.Series([plain(x) for x in frame["product"]], dtype=pl.String))
    values = np.full(len(codes), np.nan)
    values[at[at >= 0]] = frame["pci"].cast(pl.Float64).to_numpy()[at >= 0]
    if np.isnan(values).all():
        what = "'pci' has no code of the table of capability"
        label = frame["product"][0] if frame.height else None
        raise DataError([make_finding("E104", what, column="product", value=label)])
    return values


def _percentile(values: Array, among: Array) -> Array:
    """Return the share of `among` below each value, ties half."""
    known = np.sort(among[~np.isnan(among)])
    below = np.searchsorted(known, values, side="left")
    upto = np.searchsorted(known, values, side="right")
    return np.where(np.isnan(values), np.nan, 0.5 * (below + upto) / max(len(known), 1))


def _by_product(products: Sequence[str], frame: pl.DataFrame, column: str) -> Array:
    wanted = pl.DataFrame({"product": pl.Series(products, dtype=pl.String)})
    found = wanted.join(frame, on="product", how="left", maintain_order="left")[column]
    return found.cast(pl.Float64).fill_null(np.nan).to_numpy()
