"""Networks from a few rows, for tests whose numbers are checked by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl

from naive_measures import Plant
from withstand.model.building import build_network
from withstand.model.network import ProductionNetwork
from withstand.model.settings import Settings

Rows = Sequence[Mapping[str, Any]]


def network(
    nodes: Rows,
    recipes: Rows = (),
    links: Rows = (),
    *,
    stocks: Rows = (),
    products: Rows = (),
    regions: Rows = (),
    home: str | None = "HOME",
    **settings: Any,
) -> ProductionNetwork:
    """Return the network of some rows; nodes stand at home unless they say where."""
    rows = {
        "nodes": [{"region": "HOME", **node} for node in nodes],
        "recipes": recipes,
        "links": links,
        "stocks": stocks,
        "products": products,
        "regions": regions,
    }
    tables = {
        name: pl.DataFrame(list(some), infer_schema_length=None)
        for name, some in rows.items()
        if some
    }
    return build_network(tables, Settings(home=home, **settings))


def node(label: str, product: str, region: str = "HOME", **more: Any) -> dict[str, Any]:
    return {"node": label, "product": product, "region": region, **more}


def need(buyer: str, input: str, quantity: float = 1.0, **more: Any) -> dict[str, Any]:
    return {"buyer": buyer, "input": input, "quantity": quantity, **more}


def link(supplier: str, buyer: str = "*", share: float | None = 1.0, **more: Any) -> dict[str, Any]:
    return {"supplier": supplier, "buyer": buyer, "share": share, **more}


def stock(node: str, product: str, periods: float) -> dict[str, Any]:
    return {"node": node, "product": product, "periods_of_use": periods}


def from_plant(
    plant: Plant, rng: np.random.Generator | None = None, **settings: Any
) -> ProductionNetwork:
    """Return the network of a twin's dictionaries; with `rng`, all rows are shuffled first."""

    def rows(some: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return some if rng is None else [some[i] for i in rng.permutation(len(some))]

    return network(
        rows(
            [
                node(
                    label, product, region,
                    capacity=plant.capacity.get(label), price=plant.price.get(label),
                )
                for label, (product, region) in plant.nodes.items()
            ]
        ),
        rows(
            [
                need(buyer, input, quantity, **{"class": kind})
                for buyer, recipe in plant.recipes.items()
                for input, (quantity, kind) in recipe.items()
            ]
        ),
        rows(
            [
                link(supplier, buyer, share)
                for (buyer, _), shares in plant.shares.items()
                for supplier, share in shares.items()
            ]
        ),
        products=rows([{"product": p, "kind": k} for p, k in plant.kinds.items()]),
        regions=rows([{"region": r} for r in sorted({r for _, r in plant.nodes.values()})]),
        home=plant.home,
        final_demand={p: 52 * q for p, q in plant.demand.items()},
        **settings,
    )  # fmt: skip
