"""Random small economies, scenarios and rules for the dense simulation and its twins."""

from __future__ import annotations

import numpy as np
import polars as pl

from withstand.model.economy import build_economy
from withstand.model.scenario import Scenario, Shock
from withstand.model.settings import Settings
from withstand.stress.rules import Rules

CLASSES = ("minor", "important", "essential")


def economy(rng, *, is_balanced=False, with_stocks=True, scale=1.0):
    """Return an economy of up to 5 regions and 5 products: gaps in the grid, zeros, own use.

    Unless balanced, output may differ from sales, some final demand is negative, one node may make
    nothing, and stocks may start off their targets.
    """
    n_regions, n_products = int(rng.integers(1, 6)), int(rng.integers(1, 6))
    cells = [(r, p) for p in range(n_products) for r in range(n_regions)]
    cells = [cells[k] for k in rng.permutation(len(cells)) if rng.random() < 0.85] or cells[:1]
    n = len(cells)
    flows = rng.lognormal(0, 1, (n, n)) * (rng.random((n, n)) < rng.choice([0.3, 0.8, 1.0]))
    final = rng.lognormal(1, 1, (n, 2)) * (rng.random((n, 2)) < 0.8)
    sales = flows.sum(axis=1) + final.sum(axis=1)
    flows *= 0.9 * np.minimum(1.0, sales / np.maximum(flows.sum(axis=0), 1e-9))  # value added > 0
    if is_balanced:
        final[:, 0] += np.maximum(flows.sum(axis=0) * 1.1 - flows.sum(axis=1), 0.1)
        output = flows.sum(axis=1) + final.sum(axis=1)
    else:
        final[:, 1] *= rng.choice([1.0, -0.1])
        output = np.maximum(flows.sum(axis=1) + final.sum(axis=1), 0.0)
        output *= rng.choice([1.0, rng.uniform(0.9, 1.1)], n)
        if rng.random() < 0.2:
            output[rng.integers(n)] = 0.0
    nodes = pl.DataFrame(
        {
            "product": [f"p{p}" for _, p in cells],
            "region": [f"r{r}" for r, _ in cells],
            "output": output * scale,
            "capacity": output * scale * rng.choice([1.0, 1.2], n),
        }
    )
    tables = {"nodes": nodes}
    products = sorted({f"p{p}" for _, p in cells})
    if with_stocks:
        holders = [("*", p) for p in products] + [(h, p) for h in products for p in products[:2]]
        tables["stocks"] = pl.DataFrame(
            [
                {"node": h, "product": p, "periods_of_use": float(rng.choice([0, 1, 2.5, 6]))}
                for h, p in holders
                if h != p
            ]
        )
    pairs = [(s, b) for s in products for b in products]
    tables["classes"] = pl.DataFrame(
        {
            "supplier_product": [s for s, _ in pairs],
            "buyer_product": [b for _, b in pairs],
            "class": [str(rng.choice(CLASSES)) for _ in pairs],
        }
    )
    columns = pl.DataFrame({"region": ["r0", "r0"], "category": ["households", "stocks"]})
    settings = Settings(lens="economy", period="day")
    return build_economy(flows * scale, final * scale, tables, columns, settings)


def scenario(rng, network):
    """Return up to three shocks to nodes, products, regions and final demand."""
    network = network.settled
    shocks = []
    for _ in range(rng.integers(1, 4)):
        node = int(rng.integers(network.n_nodes))
        target = [
            {"node": str(network.node_labels[node])},
            {"product": str(network.product_labels[network.node_product[node]])},
            {"region": str(network.region_labels[network.node_region[node]])},
        ][rng.integers(3)]
        if rng.random() < 0.3 and network.final_demand[node] != 0:
            target = {"node": str(network.node_labels[node]), "what": "demand"}
        shocks.append(
            Shock(
                **target,
                share=float(rng.choice([0.2, 0.7, 1.0])),
                start=int(rng.integers(0, 4)),
                duration=int(rng.integers(1, 5)),
                recovery=int(rng.integers(0, 3)),
                curve="linear",
            )
        )
    return Scenario(name="random", shocks=tuple(shocks))


def rules(rng):
    """Return any combination of rules that needs no links."""
    return Rules(
        inputs=str(rng.choice(["classes", "leontief", "linear"])),
        psi=[None, 0.5, 0.9][rng.integers(3)],
        orders=str(rng.choice(["wanted", "made"])),
        stock_adjustment=float(rng.choice([1.0, 3.0, 20.0])),
        rationing=str(rng.choice(["proportional", "final_first", "final_last"])),
        alpha_max=float(rng.choice([1.0, 1.3])),
        alpha_periods=float(rng.choice([0.5, 2.0, 30.0])),
    )
