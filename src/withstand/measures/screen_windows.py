"""Screens that look at several years: in how many of the last ones the conditions hold."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from withstand.model.findings import Finding, listed, make_finding

if TYPE_CHECKING:
    from withstand.measures.screen_presets import ScreenPreset

Array = np.ndarray


def window_years(years: Iterable[int], presets: Iterable[ScreenPreset]) -> list[int]:
    """Return the years that must be looked at to judge some, in order.

    Examples
    --------
    >>> from withstand.measures.screen_presets import known_screens
    >>> window_years([2022], [known_screens()["geodep_2024"]])
    [2020, 2021, 2022]
    """
    widest = max((p.window for p in presets), default=1)
    return sorted({y - back for y in years for back in range(widest)})


def judged(
    keys: pl.DataFrame,
    held: Sequence[Mapping[str, Array]],
    presets: Sequence[ScreenPreset],
    years: Sequence[int],
    present: Sequence[int],
) -> tuple[pl.DataFrame, list[Finding]]:
    """Return year, product, preset, flagged for the years asked.

    Where years of the window are missing in the cube, the verdict is given if it cannot depend on
    them, and is empty otherwise.

    Parameters
    ----------
    keys : DataFrame
        year, product of each judgement.
    held : sequence of mapping of str to ndarray(bool, ndim=1)
        For each block in the order of keys: preset to whether its conditions hold.
    presets : sequence of ScreenPreset
    years : sequence of int
        Those asked.
    present : sequence of int
        Those in the cube.
    """
    parts: list[pl.DataFrame] = []
    findings: list[Finding] = []
    asked = keys.filter(pl.col("year").is_in(list(years)))
    for preset in presets:
        flat = np.concatenate([block[preset.name] for block in held]).astype(np.int64)
        counts = _counted(keys, flat[None, :], preset, asked)[0]
        missing = _missing(asked["year"].to_numpy(), preset, present)
        sure, never = counts >= preset.needed, counts + missing < preset.needed
        flagged = pl.Series(np.where(sure, 1, np.where(never, 0, -1)))
        parts.append(
            asked.with_columns(
                preset=pl.lit(preset.name),
                flagged=pl.select(pl.when(flagged >= 0).then(flagged == 1)).to_series(),
            )
        )
        gaps = [y for y in years if _missing(np.array([y]), preset, present)[0]]
        if gaps:
            what = (
                f"{preset.name} looks at {preset.window} years and the cube lacks some before "
                f"{listed(gaps)}: where they matter the verdict is left empty"
            )
            findings.append(make_finding("W612", what))
    return pl.concat(parts), findings


def chances(
    keys: pl.DataFrame,
    shaken: Sequence[Mapping[str, Array]],
    presets: Sequence[ScreenPreset],
    years: Sequence[int],
    present: Sequence[int],
) -> pl.DataFrame:
    """Return year, product, preset, probability (0 to 1), standard_error over draws.

    Years that the cube lacks count as years in which the conditions do not hold.
    """
    asked = keys.filter(pl.col("year").is_in(list(years)))
    parts = []
    for preset in presets:
        flat = np.concatenate([block[preset.name] for block in shaken], axis=1)
        is_flagged = _counted(keys, flat.astype(np.int8), preset, asked) >= preset.needed
        chance = is_flagged.mean(axis=0)
        spread = np.sqrt(chance * (1 - chance) / len(is_flagged))
        parts.append(
            asked.with_columns(
                preset=pl.lit(preset.name),
                probability=pl.Series(chance),
                standard_error=pl.Series(spread),
            )
        )
    return pl.concat(parts)


def _counted(keys: pl.DataFrame, flat: Array, preset: ScreenPreset, asked: pl.DataFrame) -> Array:
    """Return in how many years of the window the conditions hold: draws x asked."""
    at = keys.with_row_index("at")
    total = np.zeros((len(flat), asked.height), flat.dtype)
    for back in range(preset.window):
        earlier = asked.with_columns((pl.col("year") - back).cast(keys["year"].dtype))
        rows = earlier.join(at, on=["year", "product"], how="left", maintain_order="left")["at"]
        known = rows.is_not_null().to_numpy()
        total[:, known] += flat[:, rows.drop_nulls().to_numpy()]
    return total


def _missing(years: Array, preset: ScreenPreset, present: Sequence[int]) -> Array:
    """Return how many years of the window the cube lacks, year by year."""
    have = np.asarray(present)
    lacks = [~np.isin(years - back, have) for back in range(preset.window)]
    return np.sum(lacks, axis=0)
