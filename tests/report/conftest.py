"""Contents of several networks: a plant, three nodes, firms, no prices, and hostile names."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from withstand import examples, network_from_links
from withstand.model.network import ProductionNetwork
from withstand.report.contents import Contents
from withstand.workbench import gather

MADE_AT = "2026-11-22 10:00"
EVIL = "</script><img src=x onerror=\"document.title='broken into'\"> & '%{x}' <a href=\"https://evil.example/\">b</a>"


@pytest.fixture(scope="session")
def robots() -> Contents:
    """The example plant: prices, recipes, stocks, sources, 28 regions."""
    return replace(gather(examples.example("robot_maker")), made_at=MADE_AT)


@pytest.fixture(scope="session")
def tiny() -> Contents:
    """Three nodes, one input, two regions; no statement of basis, no sources."""
    return replace(gather(examples.tiny()), made_at=MADE_AT)


@pytest.fixture(scope="session")
def firms() -> Contents:
    """Forty firms in four regions: links with values, no recipes, circles, yearly periods."""
    random = np.random.default_rng(3)
    n = 40
    nodes = pl.DataFrame(
        {
            "id": [f"F{i}" for i in range(n)],
            "sector": [f"S{i % 12}" for i in range(n)],
            "region": [f"R{i % 4}" for i in range(n)],
        }
    )
    buyer, supplier = random.integers(0, n, 160), random.integers(0, n, 160)
    links = pl.DataFrame(
        {
            "supplier": [f"F{i}" for i in supplier],
            "buyer": [f"F{i}" for i in buyer],
            "value": random.uniform(1, 9, 160),
        }
    ).filter(pl.col("supplier") != pl.col("buyer"))
    network = network_from_links(nodes, links, home="R0", name="Forty firms")
    return replace(gather(network), made_at=MADE_AT)


@pytest.fixture(scope="session")
def without_prices(tiny: Contents) -> Contents:
    """The three nodes again, without any price."""
    network = _altered(tiny.network, price=np.full(3, np.nan), unmet_value=np.full(3, np.nan))
    return replace(tiny, network=network, exposure=None)  # type: ignore[arg-type]


@pytest.fixture(scope="session")
def without_runs(tiny: Contents) -> Contents:
    """The three nodes, no scenario played."""
    return replace(tiny, runs=())


@pytest.fixture(scope="session")
def hostile() -> Contents:
    """Three nodes whose every name tries to break out; the reader would refuse them (E121)."""
    plain = examples.tiny()
    network = _renamed(plain)
    network._rules["shared"] = _renamed(plain.under_rule("shared"))
    return replace(gather(network), made_at=MADE_AT)


def _altered(network: ProductionNetwork, **changes: object) -> ProductionNetwork:
    altered = replace(network, **changes)  # type: ignore[arg-type]
    altered._rules["shared"] = altered
    return altered


def _renamed(network: ProductionNetwork) -> ProductionNetwork:
    """Put hostile text behind every label and name, without asking the checks."""

    def evil(texts: np.ndarray) -> np.ndarray:
        return np.array([f"{t}{EVIL}" for t in texts], dtype=object).astype(str)

    tables = {}
    for name, frame in network.tables.items():
        columns = [
            pl.col(c) + EVIL for c in frame.columns
            if frame[c].dtype == pl.String and c not in ("kind", "class", "use")
        ]  # fmt: skip
        tables[name] = frame.with_columns(columns)
    tables["sources"] = pl.DataFrame(
        {"source": ["=1+1", EVIL], "statement": ["@SUM(A1)", EVIL],
         "url": ["javascript:alert(1)", 'https://example.org/"><img src=x>']}
    )  # fmt: skip
    settings = replace(
        network.settings, name=EVIL, home=f"HOME{EVIL}", viewpoint=f"GEAR{EVIL}", currency=EVIL
    )
    return replace(
        network,
        tables=tables,
        settings=settings,
        node_labels=evil(network.node_labels),
        product_labels=evil(network.product_labels),
        region_labels=evil(network.region_labels),
    )
