"""Economies whose exports are decomposed in the tests, and the numbers other programs gave."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
from hypothesis import strategies as st

from naive_economy import Economy, random_economy

DATA = Path(__file__).resolve().parent / "data"
REGIONS = ["AAA", "AAA", "BBB", "BBB", "CCC", "CCC"]
SECTORS = ["s1", "s2"] * 3
FLOWS = np.array(
    [
        [10, 6, 4, 3, 2, 5],
        [5, 12, 3, 8, 4, 2],
        [3, 2, 9, 7, 5, 1],
        [1, 7, 4, 15, 2, 6],
        [2, 3, 6, 1, 8, 4],
        [4, 1, 2, 5, 3, 11],
    ],
    dtype=float,
)
FINAL = np.array(
    [[20, 6, 3], [9, 4, 7], [5, 25, 2], [8, 30, 6], [3, 2, 18], [1, 7, 22]], dtype=float
)


def three_by_two() -> Economy:
    """Return three regions with two sectors each, in small whole numbers; it balances."""
    return Economy(
        Z=FLOWS,
        Y=FINAL,
        x=FLOWS.sum(axis=1) + FINAL.sum(axis=1),
        region=REGIONS,
        sector=SECTORS,
        user=["AAA", "BBB", "CCC"],
        category=["households"] * 3,
    )


def other_programs(method: str) -> pl.DataFrame:
    """Return what decompr and exvatools gave for that table."""
    frame = pl.read_csv(DATA / "export_terms_tiny.csv")
    return frame.filter(pl.col("method") == method).drop("method")


@st.composite
def economies(draw: st.DrawFn) -> Economy:
    """Draw balanced tables: two to four regions, one to three sectors, some idle cells."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    return random_economy(
        rng,
        n_regions=draw(st.integers(2, 4)),
        n_sectors=draw(st.integers(1, 3)),
        density=draw(st.sampled_from([0.3, 0.7, 1.0])),
        empty=draw(st.integers(0, 1)),
    )


def cells_of(result) -> dict[str, np.ndarray]:
    """Return the terms of a result by name, each of shape (n_rows, n_importers)."""
    return {term.name: result.values[k] for k, term in enumerate(result.terms)}


def agrees_with(result, programme: pl.DataFrame) -> float:
    """Return the largest difference to another program's terms; every row of it must be there."""
    ours = result.to_frame().with_columns(pl.col("product").cast(pl.String))
    keys = ["exporter", "product", "importer", "term"]
    both = programme.join(ours, on=keys, how="left", suffix="_ours")
    assert both["value_ours"].null_count() == 0
    assert both.height == programme.height
    return float((both["value"] - both["value_ours"]).abs().max())
