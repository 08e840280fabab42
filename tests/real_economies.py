"""Real world tables from the data folder beside the repository, built by hand from their files."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np
import polars as pl

from withstand.model.economy import build_economy
from withstand.model.network import ProductionNetwork
from withstand.model.settings import Settings


@lru_cache(maxsize=2)
def wiod(folder: Path, year: int) -> ProductionNetwork:
    """Return the world input-output table of one year (WIOD, release 2013), in million USD."""
    frame = pl.read_parquet(folder / "wiod2013" / f"wiot_{year}.parquet")
    cells = frame["cell"].to_list()
    columns = [name for name in frame.columns if name.startswith("Y_")]
    nodes = pl.DataFrame(
        {
            "product": [cell.split("_")[1] for cell in cells],
            "region": [cell.split("_")[0] for cell in cells],
            "output": frame["x"].cast(pl.Float64),
            "value_added": frame["va"].cast(pl.Float64),
        }
    )
    final_columns = pl.DataFrame(
        {"region": [c[2:5] for c in columns], "category": [c[6:] for c in columns]}
    )
    return build_economy(
        frame.select(cells).to_numpy().astype(np.float64),
        frame.select(columns).to_numpy().astype(np.float64),
        {"nodes": nodes},
        final_columns,
        Settings(name=f"WIOD {year}", lens="economy", period="year", currency="million USD"),
    )
