"""Generated networks for benchmarks and tests: the same arguments give the same network.

`random_dag` makes canonical tables of a plant network without cycles: products stand in tiers, and
every node buys a few products of the next tiers from a few nodes each. `firm_links` takes the
generator of firm networks that lies beside the repository, where it is there.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import numpy as np
import polars as pl

N_TIERS = 8
N_REGIONS = 30
NODES_PER_PRODUCT = 10
LINKS_PER_INPUT = 3
BENCH_KIT = Path(__file__).resolve().parents[2] / "shared" / "bench"
SETTINGS = """\
name = "random dag"
format = 1
lens = "plant"
home = "R00"
currency = "EUR"
period = "week"
assume_recipe = "shared"
"""


def random_dag(n_nodes: int, links_per_node: int = 10, seed: int = 1) -> dict[str, pl.DataFrame]:
    """Return canonical tables of a plant network without cycles.

    Parameters
    ----------
    n_nodes : int
        Nodes; a product is made by up to ten of them.
    links_per_node : int
        Links over nodes; small networks have fewer, for want of different suppliers.
    seed : int
        Same seed, same tables.

    Returns
    -------
    dict of str to polars.DataFrame
        products, nodes, regions, recipes (one row a buyer node and input), links (with shares).
    """
    rng = np.random.default_rng(seed)
    n_products = -(-n_nodes // NODES_PER_PRODUCT)
    product = np.arange(n_nodes) // NODES_PER_PRODUCT
    n_tiers = min(N_TIERS, n_products)
    tier_start = np.arange(n_tiers + 1) * n_products // n_tiers
    tier = np.searchsorted(tier_start, np.arange(n_products), side="right") - 1
    node = _labels("N", n_nodes)
    products = _labels("P", n_products)
    supplier, buyer = _links(rng, n_nodes, links_per_node, product, tier, tier_start)
    bought = product[supplier]
    key = buyer * n_products + bought
    inputs, of_input = np.unique(key, return_inverse=True)
    weight = 0.5 + rng.random(len(key))
    share = weight / np.bincount(of_input, weight)[of_input]
    input_buyer, input_product = np.divmod(inputs, n_products)
    per_buyer = np.bincount(input_buyer, minlength=n_nodes)
    quantity = (0.5 + rng.random(len(inputs))) / per_buyer[input_buyer]
    region = rng.integers(0, N_REGIONS, n_nodes)
    regions = _labels("R", N_REGIONS)
    final = np.where(tier[product] == 0, 100.0, 0.0)
    return {
        "products": pl.DataFrame({"product": products}).with_columns(
            pl.lit("component").alias("kind"), pl.lit("piece").alias("unit")
        ),
        "nodes": pl.DataFrame(
            {
                "node": node,
                "product": products.gather(product),
                "region": regions.gather(region),
                "final_demand": final,
                "price": np.round(1.0 + 9.0 * 0.5 ** tier[product], 4) * 100,
            }
        ),
        "regions": pl.DataFrame({"region": regions, "home": np.arange(N_REGIONS) == 0}),
        "recipes": pl.DataFrame(
            {
                "buyer": node.gather(input_buyer),
                "input": products.gather(input_product),
                "quantity": quantity,
            }
        ),
        "links": pl.DataFrame(
            {
                "supplier": node.gather(supplier),
                "buyer": node.gather(buyer),
                "product": products.gather(bought),
                "share": share,
                "lead_time": rng.integers(1, 13, len(supplier)).astype(np.float64),
            }
        ),
    }


def _labels(letter: str, n: int) -> pl.Series:
    width = len(str(n - 1))
    return pl.Series([f"{letter}{i:0{width}}" for i in range(n)])


def _links(
    rng: np.random.Generator,
    n_nodes: int,
    links_per_node: int,
    product: np.ndarray,
    tier: np.ndarray,
    tier_start: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Draw (supplier, buyer) without repetition: suppliers stand one or two tiers further up.

    Nodes of the last tier buy nothing; the others share its links, so that the mean holds.
    """
    n_tiers = len(tier_start) - 1
    buyers = np.flatnonzero(tier[product] < n_tiers - 1)
    total = n_nodes * links_per_node
    count = np.diff(np.arange(len(buyers) + 1) * total // max(len(buyers), 1))
    n_inputs = np.maximum(count // LINKS_PER_INPUT, 1)
    own = tier[product[buyers]]
    low, high = tier_start[own + 1], tier_start[np.minimum(own + 3, n_tiers)]
    choice = rng.random(len(buyers))  # one draw a buyer; its inputs are spread evenly from there
    at = np.repeat(np.arange(len(buyers)), count)
    nth = np.arange(len(at)) - np.repeat(np.cumsum(count) - count, count)
    of_input, of_supplier = nth % n_inputs[at], nth // n_inputs[at]
    width = (high - low)[at]
    step = (choice[at] + of_input / n_inputs[at]) % 1.0
    first = (low[at] + (step * width).astype(np.int64)) * NODES_PER_PRODUCT
    makers = np.minimum(first + NODES_PER_PRODUCT, n_nodes) - first
    turn = (buyers[at] * 7919 + of_input * 31 + of_supplier) % makers
    key = np.unique(buyers[at] * n_nodes + first + turn)
    return key % n_nodes, key // n_nodes


def write_parquet(tables: dict[str, pl.DataFrame], folder: Path) -> Path:
    """Write tables as a project folder of Parquet files."""
    inner = folder / "tables"
    inner.mkdir(parents=True, exist_ok=True)
    (folder / "withstand.toml").write_text(SETTINGS, encoding="utf-8")
    for name, frame in tables.items():
        frame.write_parquet(inner / f"{name}.parquet", compression="zstd")
    return folder


def firm_generator() -> ModuleType | None:
    """Return the generator of firm networks beside the repository, None where it is not there."""
    file = BENCH_KIT / "firm_network.py"
    if not file.exists():
        return None
    spec = importlib.util.spec_from_file_location("firm_network", file)
    if spec is None or spec.loader is None:
        return None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def firm_links(n_firms: int, n_sectors: int = 600) -> dict[str, pl.DataFrame] | None:
    """Return nodes, links and essential of a synthetic firm network, None without the generator."""
    generator = firm_generator()
    if generator is None:
        return None
    net = generator.firm_network(n_firms, n_sectors=n_sectors)
    m = len(net["essential"])
    return {
        "nodes": pl.DataFrame({"id": np.arange(n_firms), "sector": net["sector"]}),
        "links": pl.DataFrame({k: net[k] for k in ("supplier", "buyer", "value")}),
        "essential": pl.DataFrame(
            {
                "supplier_sector": np.repeat(np.arange(m), m),
                "buyer_sector": np.tile(np.arange(m), m),
                "class": net["essential"].ravel(),
            }
        ),
    }
