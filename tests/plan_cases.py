"""Small plans: two tiers worked by hand, and random networks with options and scenarios."""

from __future__ import annotations

import numpy as np
import polars as pl

from withstand.model.building import build_network
from withstand.model.option import Effect, Option
from withstand.model.scenario import Scenario
from withstand.model.settings import Settings

PERIODS = 10


def two_tiers(*, stock: float = 2.0, second: float = 0.0):
    """A plant makes 10 pumps a week (worth 100 each) from as many parts; the maker is in JP."""
    nodes = {
        "node": ["maker", "other", "plant"],
        "product": ["PART", "PART", "PUMP"],
        "region": ["JP", "DE", "HOME"],
        "final_demand": [0.0, 0.0, 10.0],
        "capacity": [10.0 - second, second, 10.0],
        "price": [5.0, 5.0, 100.0],
    }
    return build_network(
        {
            "nodes": pl.DataFrame(nodes),
            "recipes": pl.DataFrame({"buyer": ["PUMP"], "input": ["PART"], "quantity": [1.0]}),
            "links": pl.DataFrame(
                {
                    "supplier": ["maker", "other"],
                    "buyer": ["plant", "plant"],
                    "share": [1.0 - second / 10.0, second / 10.0],
                }
            ),
            "stocks": pl.DataFrame(
                {"node": ["plant"], "product": ["PART"], "periods_of_use": [stock]}
            ),
        },
        Settings(name="two tiers", home="HOME", currency="EUR"),
    )


JAPAN = Scenario.lose(region="JP", duration="6w", name="Japan")


def stockpile(weeks: float = 3.0, cost: float = 100.0, **more) -> Option:
    effect = Effect(effect="add_stock", product="PART", amount=weeks, unit="periods")
    return Option(label="STOCK", kind="stockpile", cost_once=cost, effects=(effect,), **more)


def second_source(cost: float = 500.0, capacity: float = 5.0, **more) -> Option:
    effect = Effect(effect="add_capacity", node="other", amount=capacity)
    return Option(label="SECOND", kind="second_source", cost_once=cost, effects=(effect,), **more)


def random_case(seed: int):
    """Return network, options, strikes, budget, scenarios: up to 8 options and 5 scenarios."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(2, 5))
    labels = [f"P{k}" for k in range(n)]
    nodes, links, recipes, stocks = [], [], [], []
    for k, label in enumerate(labels):
        makers = 1 if k == 0 else int(rng.integers(1, 4))
        shares = rng.dirichlet(np.ones(makers))
        for j in range(makers):
            node = f"{label}_{j}"
            nodes.append(
                {
                    "node": node,
                    "product": label,
                    "region": "HOME" if k == 0 else f"R{rng.integers(3)}",
                    "final_demand": 10.0 if k == 0 else 0.0,
                    "price": 50.0 if k == 0 else 2.0,
                }
            )
            if k:
                links.append(
                    {
                        "supplier": node,
                        "buyer": "*",
                        "share": float(shares[j]),
                        "lead_time": float(rng.integers(1, 3)),
                    }
                )
        for i in range(k + 1, n):
            if i == k + 1 or rng.random() < 0.4:
                recipes.append(
                    {"buyer": label, "input": labels[i], "quantity": float(rng.integers(1, 3))}
                )
        if k:
            stocks.append(
                {"node": "*", "product": label, "periods_of_use": float(rng.integers(0, 3))}
            )
    used = {r["input"] for r in recipes}
    network = build_network(
        {
            "nodes": pl.DataFrame(nodes),
            "recipes": pl.DataFrame(recipes),
            "links": pl.DataFrame(links),
            "stocks": pl.DataFrame(stocks),
        },
        Settings(name="random", home="HOME", assume_recipe="shared"),
    )
    assert used
    n_options = int(rng.choice([2, 3, 4, 5, 6, 8], p=[0.3, 0.3, 0.2, 0.13, 0.05, 0.02]))
    options = []
    for m in range(n_options):
        label = str(rng.choice(sorted(used)))
        use = float(network.output[[x.startswith(label) for x in network.node_labels]].sum())
        kind = int(rng.integers(3))
        if kind == 0:
            effect = Effect(
                effect="add_stock", product=label, amount=float(rng.integers(1, 5)), unit="periods"
            )
        elif kind == 1:
            effect = Effect(
                effect="add_node",
                product=label,
                region="HOME",
                node=f"N{m}",
                amount=use * float(rng.uniform(0.2, 1.0)),
            )
        else:
            effect = Effect(
                effect="add_capacity", node=f"{label}_0", amount=use * float(rng.uniform(0.2, 1.0))
            )
        requires = (options[-1].label,) if m and rng.random() < 0.2 else ()
        excludes = (options[-1].label,) if m and not requires and rng.random() < 0.15 else ()
        options.append(
            Option(
                label=f"M{m}",
                kind="any",
                cost_once=float(rng.uniform(50, 900)),
                requires=requires,
                excludes=excludes,
                effects=(effect,),
            )
        )
    regions = sorted({x["region"] for x in nodes} - {"HOME"})
    scenarios = [
        Scenario.lose(
            region=str(rng.choice(regions)),
            share=float(rng.choice([0.5, 1.0])),
            duration=f"{rng.integers(2, 7)}w",
            name=f"S{s}",
            probability=float(rng.uniform(0.02, 0.2)),
        )
        for s in range(int(rng.integers(1, 6)))
    ]
    budget = float(rng.uniform(0.2, 1.0)) * sum(o.cost_once for o in options)
    return network, options, scenarios, budget
