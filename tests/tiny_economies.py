"""Economies from plain matrices, for tests whose numbers are checked by hand or by a twin."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl

from naive_economy import Economy
from withstand.model.economy import build_economy
from withstand.model.network import ProductionNetwork
from withstand.model.settings import Settings


def economy(
    flows: Any,
    final: Any,
    *,
    regions: Sequence[str],
    sectors: Sequence[str],
    output: Any = None,
    value_added: Any = None,
    users: Sequence[str] | None = None,
    categories: Sequence[str] | None = None,
    extensions: dict[str, Any] | None = None,
    blocs: dict[str, str] | None = None,
    home: str | None = None,
) -> ProductionNetwork:
    """Return the economy of matrices; one column of final demand stands in the first region."""
    Z = np.array(flows, dtype=float)
    Y = np.array(final, dtype=float).reshape(len(Z), -1)
    users = users or [regions[0]] * Y.shape[1]
    categories = categories or ["households"] * Y.shape[1]
    nodes = {"product": list(sectors), "region": list(regions)}
    if output is not None:
        nodes["output"] = [float(x) for x in output]
    if value_added is not None:
        nodes["value_added"] = [float(x) for x in value_added]
    tables = {"nodes": pl.DataFrame(nodes)}
    labels = [f"{s}@{r}" for s, r in zip(sectors, regions, strict=True)]
    if extensions:
        tables["extensions"] = pl.DataFrame(
            [
                {"node": label, "name": name, "value": float(value)}
                for name, values in extensions.items()
                for label, value in zip(labels, values, strict=True)
            ]
        )
    if blocs:
        known = list(dict.fromkeys([*regions, *users]))
        tables["regions"] = pl.DataFrame({"region": known, "bloc": [blocs.get(r) for r in known]})
    return build_economy(
        Z,
        Y,
        tables,
        pl.DataFrame({"region": list(users), "category": list(categories)}),
        Settings(name="tiny", lens="economy", period="year", home=home),
    )


def from_twin(e: Economy, order: Sequence[int] | None = None, scale: float = 1.0) -> Any:
    """Return the network of a twin's economy, its cells in another order or currency if asked."""
    at = np.arange(e.n) if order is None else np.array(order)
    return economy(
        scale * e.Z[np.ix_(at, at)],
        scale * e.Y[at],
        regions=[e.region[i] for i in at],
        sectors=[e.sector[i] for i in at],
        output=scale * e.x[at],
        users=e.user,
        categories=e.category,
    )
