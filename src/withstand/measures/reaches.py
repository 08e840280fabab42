"""What is within reach: products a place lacks that are near, worth it and dangerous to lack."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from withstand.errors import UsageError
from withstand.model.checked_frames import checked_frame
from withstand.model.findings import listed, nearest
from withstand.model.tables import Column, Table

if TYPE_CHECKING:
    from withstand.measures.complexities import Complexity

# Reachable, worth it (in two halves) and dangerous count the same.
WEIGHTS = {"density": 1.0, "pci": 0.5, "cog": 0.5, "dependence": 1.0}

_DEPENDENT = Table(
    name="dependent",
    meaning="How dangerous it is to depend on others for a product.",
    columns=(
        Column(name="product", meaning="The product.", type="label", required=True),
        Column(name="dependence", meaning="Higher is worse.", type="number", required=True),
    ),
    key=("product",),
)


def within_reach(
    complexity: Complexity,
    place: str,
    *,
    dependent: pl.DataFrame | Mapping[str, float] | Sequence[str] | None = None,
    weights: Mapping[str, float] | None = None,
) -> pl.DataFrame:
    """Rank the products that a place lacks: dangerous to lack, reachable, worth it.

    Every candidate has its place among the candidates in each of four respects, from 0 (least) to
    1 (most; ties share the middle): density (reachable), pci and cog (worth it: hard to do, opens
    much), dependence (dangerous, where it is given). The score is their weighted mean.

    Parameters
    ----------
    complexity : Complexity
    place : str
    dependent : frame, mapping or sequence of str, optional
        The products to choose from, with how dangerous they are: a frame of product and
        dependence, a mapping, or labels alone. Without it every product that the place lacks. A
        product that the table does not know stands at the end with empty cells.
    weights : mapping of str to float, optional
        By default density 1, pci .5, cog .5, dependence 1; those left out keep theirs.

    Returns
    -------
    polars.DataFrame
        rank, product, score (0 to 1), density (0 to 1), pci, cog (as in `complexity`), rca, and
        dependence where it is given; best first.

    Raises
    ------
    UsageError
        If there is no such place or weight.
    DataError
        If the frame of dependence has faults.

    Notes
    -----
    Places in the order are used, not values, so that the unit of none of them matters; the score
    ranks candidates and says nothing more. Density alone explains most of what places take up
    (Hidalgo et al. 2007): a high score with a low density is a wish.

    Examples
    --------
    >>> from withstand.measures.complexities import complexity
    >>> table = np.array([[4.0, 3.0, 0.0, 0.0], [3.0, 3.0, 2.0, 0.0], [0.0, 1.0, 3.0, 4.0]])
    >>> found = complexity(table, places=["A", "B", "C"], products=["w", "x", "y", "z"])
    >>> within_reach(found, "A")["product"].to_list()
    ['y', 'z']
    """
    chosen = dict(WEIGHTS)
    for name, weight in (weights or {}).items():
        if name not in WEIGHTS:
            near = nearest(str(name), list(WEIGHTS))
            hint = f" Did you mean {near}?" if near else ""
            raise UsageError(f"No weight '{name}': known are {listed(list(WEIGHTS))}.{hint}")
        if not 0 <= weight < np.inf:
            raise UsageError(f"The weight of {name} is {weight}; it must be 0 or more.")
        chosen[name] = float(weight)
    c = complexity.index_of(place, "place")
    frame = pl.DataFrame(
        {
            "product": pl.Series(complexity.products, dtype=pl.String),
            "density": complexity.density[c],
            "pci": complexity.pci,
            "cog": complexity.cog[c],
            "rca": complexity.rca[c],
            "is_present": complexity.present[c],
        }
    ).with_columns(pl.col(pl.Float64).fill_nan(None))
    if dependent is not None:
        frame = _dependence(dependent).join(frame, on="product", how="left", maintain_order="left")
    frame = frame.filter(~pl.col("is_present").fill_null(False)).drop("is_present")
    respects = [x for x in WEIGHTS if x in frame.columns and chosen[x] > 0]
    if not respects:
        raise UsageError("All weights are 0: nothing is left to rank by.")
    total = sum(chosen[x] for x in respects)
    # A candidate that is not known in one respect has no score and no part in the order.
    known = pl.all_horizontal(pl.col(respects).is_not_null())
    standing = [
        (pl.col(x).rank("average") - 0.5) / pl.len() * (chosen[x] / total) for x in respects
    ]
    scored = frame.filter(known).with_columns(score=pl.sum_horizontal(standing))
    rest = frame.filter(~known).with_columns(score=pl.lit(None, dtype=pl.Float64))
    ranked = pl.concat([scored, rest]).sort(
        ["score", "product"], descending=[True, False], nulls_last=True
    )
    ranked = ranked.with_columns(rank=pl.col("score").rank("min", descending=True).cast(pl.Int64))
    last = ["dependence"] if dependent is not None else []
    return ranked.select("rank", "product", "score", "density", "pci", "cog", "rca", *last)


def _dependence(given: pl.DataFrame | Mapping[str, float] | Sequence[str]) -> pl.DataFrame:
    """Return product and dependence; 1 for labels alone."""
    if isinstance(given, str):
        given = [given]
    if isinstance(given, Mapping):
        columns = {"product": list(given), "dependence": [float(x) for x in given.values()]}
        given = pl.DataFrame(columns, schema={"product": pl.String, "dependence": pl.Float64})
    elif not isinstance(given, pl.DataFrame):
        labels = pl.Series("product", [str(x) for x in given], dtype=pl.String)
        given = pl.DataFrame({"product": labels.unique(maintain_order=True)})
        given = given.with_columns(dependence=1.0)
    frame, _ = checked_frame(given, _DEPENDENT)
    return frame.select("product", pl.col("dependence").cast(pl.Float64))
