"""Skills of the plant shorthand: people, their training, the nodes that supply their hours."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from scipy import sparse

from withstand.model.conforming import fold_header
from withstand.model.encoding import encode
from withstand.model.units import HOURS_PER_YEAR, PERIODS_PER_YEAR

if TYPE_CHECKING:
    from collections.abc import Mapping

    from withstand.model.settings import Settings

MOST_ROUNDS = 1000
_COLUMNS = {  # ours to theirs
    "occupation": "id",
    "name": "occupation",
    "code": "soc",
    "people": "fte_initial",
    "people_needed": "fte_needed_at_10k_robots",
    "exit_rate": "annual_separation_rate",
    "wage": "us_mean_wage_usd",
}
_TRAINING = re.compile(r"training_(day|week|month|year)s\Z")
_OF_PROGRAMMES = {  # ours to theirs
    "completion": "training_completion_rate",
    "seat_growth": "training_place_growth_cap_per_year",
    "completion_basis": "completion_basis",
}


def occupations_of(occupations: pl.DataFrame, settings: Settings) -> pl.DataFrame:
    """Return our table of occupations; columns that the shorthand does not know are kept."""
    per_year = PERIODS_PER_YEAR[settings.period]
    known = {new: old for new, old in _COLUMNS.items() if old in occupations.columns}
    added = ("product", "hours_per_period")
    rest = [c for c in occupations.columns if c not in (*known.values(), *known, *added)]
    return occupations.select(
        *(pl.col(old).alias(new) for new, old in known.items()),
        pl.col("id").alias("product"),
        pl.lit(HOURS_PER_YEAR / per_year).alias("hours_per_period"),
        *(occupations.get_column(c) for c in rest),
    )


def programmes_of(
    occupations: pl.DataFrame, settings: Settings
) -> tuple[pl.DataFrame, list[int], dict[str, str]] | None:
    """Return a programme for each occupation whose training is stated; None where none is.

    No places are stated, so that nobody enters until somebody plans it.

    Returns
    -------
    frame, rows, names
        The table of programmes, the row of each in occupations, and our column names to theirs.
    """
    headers = {
        m[0]: (c, m[1]) for c in occupations.columns if (m := _TRAINING.match(fold_header(c)))
    }
    if not headers:
        return None
    (header, unit), *_ = headers.values()
    text = occupations[header].cast(pl.String).str.strip_chars()
    rows = ((text != "") & text.is_not_null()).arg_true()
    if len(rows) == 0:
        return None
    stated = occupations[rows]
    duration = text[rows].cast(pl.Float64, strict=False)
    factor = PERIODS_PER_YEAR[settings.period] / PERIODS_PER_YEAR[unit]
    is_number = duration.null_count() == 0  # else the check of the table says which is none
    names = {new: old for new, old in _OF_PROGRAMMES.items() if old in occupations.columns}
    if f"{header}_basis" in occupations.columns:
        names["duration_basis"] = f"{header}_basis"
    frame = stated.select(
        (pl.col("id") + "_TRAINING").alias("programme"),
        pl.col("id").alias("occupation"),
        (duration * factor if is_number else text[rows]).alias("duration"),
        *(pl.col(old).alias(new) for new, old in names.items()),
    )
    shown = {"programme": "id", "occupation": "id", "duration": header, **names}
    return frame, rows.to_list(), shown


def skill_nodes(
    tables: Mapping[str, pl.DataFrame], occupations: pl.DataFrame | None, settings: Settings
) -> pl.DataFrame:
    """One home node for each skill without a supplier: the larger of its use and stated hours."""
    products = tables["products"]
    if "kind" not in products.columns or settings.home is None:
        return pl.DataFrame()
    skills = products.filter(
        (pl.col("kind") == "skill")
        & ~pl.col("product").is_in(tables["nodes"]["product"].unique().implode())
    )["product"]
    if len(skills) == 0:
        return pl.DataFrame()
    per_year = PERIODS_PER_YEAR[settings.period]
    use = _use_of_products(tables, settings.final_demand)[encode(products["product"], skills)]
    stated = np.zeros(len(skills))
    if occupations is not None and "person_hours_per_robot" in occupations.columns:
        row = encode(occupations["id"], skills)
        hours = occupations["person_hours_per_robot"].fill_null(0.0).to_numpy()
        stated[row >= 0] = hours[row[row >= 0]] * sum(settings.final_demand.values())
    capacity = np.maximum(use, stated) / per_year
    return pl.DataFrame(
        {
            "node": [f"{s}@{settings.home}" for s in skills],
            "product": skills,
            "region": [settings.home] * len(skills),
            "capacity": [float(c) if c > 0 else None for c in capacity],
            "capacity_basis": ["derived (larger of use and stated hours)"] * len(skills),
        },
        schema_overrides={"capacity": pl.Float64},
    )


def _use_of_products(tables: Mapping[str, pl.DataFrame], demand: Mapping[str, float]) -> np.ndarray:
    """Use a year of every product when all producers pass their needs on (ends even on cycles)."""
    products = tables["products"]["product"]
    final = np.array([demand.get(p, 0.0) for p in products])
    if "recipes" not in tables:
        return final
    recipes = tables["recipes"]
    buyer, needed = encode(products, recipes["buyer"]), encode(products, recipes["input"])
    known = (buyer >= 0) & (needed >= 0)  # labels that are not known are found elsewhere
    quantity = recipes["quantity"].fill_null(0.0).to_numpy()[known]
    shape = (len(products), len(products))
    needs = sparse.coo_array((quantity, (needed[known], buyer[known])), shape).tocsr()
    use = final
    for _ in range(MOST_ROUNDS):
        following = final + needs @ use
        if (following == use).all() or not following.max() < 1e30:
            break
        use = following
    return use
