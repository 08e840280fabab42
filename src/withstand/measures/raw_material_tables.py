"""The tables that raw material risk is computed from, checked."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from withstand.errors import DataError, UsageError
from withstand.model.checked_frames import checked_frame
from withstand.model.findings import Origin, make_finding
from withstand.model.tables import Column, Table

_MATERIAL = Column(name="material", meaning="The material.", type="label", required=True)
_STAGE = Column(name="stage", meaning="Extraction, processing ...", type="label")


def _share(name: str, meaning: str, *, required: bool = False) -> Column:
    return Column(name=name, meaning=meaning, type="number", low=0.0, high=1.0, required=required)


SUPPLY = Table(
    name="supply",
    meaning="Who supplies a material.",
    columns=(
        _MATERIAL,
        Column(name="region", meaning="The supplier.", type="label", required=True),
        _share("share", "Its share of supply.", required=True),
        _STAGE,
        Column(name="source", meaning="Supply of the world (global) or to the bloc.", type="label"),
        Column(name="trade", meaning="Factor for trade restrictions.", type="number", low=0.0),
    ),
    key=("material", "region", "stage", "source"),
)
MATERIALS = Table(
    name="materials",
    meaning="What is known of a material.",
    columns=(
        _MATERIAL,
        _STAGE,
        _share("import_reliance", "Net imports in use."),
        _share("recycling", "Recycling at end of life in inputs."),
        _share("substitution_sr", "Index of substitution for supply risk."),
        _share("substitution_ei", "Index of substitution for economic importance."),
    ),
    key=("material", "stage"),
)
USES = Table(
    name="uses",
    meaning="What a material is used for.",
    columns=(
        _MATERIAL,
        _share("share", "Share of the material's use.", required=True),
        Column(name="value_added", meaning="Of the sector.", type="number", low=0.0),
        Column(name="use", meaning="The use.", type="label"),
    ),
    key=(),
)
_TABLES = {table.name: table for table in (SUPPLY, MATERIALS, USES)}
_DEFAULTS = {"stage": "", "source": "global", "trade": 1.0}


def checked_table(frame: pl.DataFrame, name: str) -> pl.DataFrame:
    """Return a table in its form, with all its columns and their defaults.

    Raises
    ------
    UsageError
        If it is no frame.
    DataError
        With every fault.
    """
    table = _TABLES[name]
    if isinstance(frame, pl.DataFrame):  # a key that is empty is a key too
        frame = frame.with_columns(
            pl.col(c).cast(pl.String).fill_null("all") for c in ("stage",) if c in frame.columns
        )
    conformed, _ = checked_frame(frame, table)
    columns = []
    for column in table.columns:
        type_ = pl.Float64 if column.type == "number" else pl.String
        default = _DEFAULTS.get(column.name)
        if column.name not in conformed.columns:
            columns.append(pl.lit(default, type_).alias(column.name))
        elif default is not None:
            columns.append(pl.col(column.name).cast(type_).fill_null(default))
        else:
            columns.append(pl.col(column.name).cast(type_))
    return conformed.select(columns)


def scaled_governance(
    governance: pl.DataFrame | Mapping[str, float], scale: str
) -> dict[str, float]:
    """Return governance by region on a scale from 0 (good) to 10 (bad).

    Examples
    --------
    >>> scaled_governance({"A": -2.5, "B": 1.0}, "wgi")
    {'A': 10.0, 'B': 3.0}
    """
    if scale not in ("wgi", "0-10"):
        raise UsageError(f"governance_scale={scale!r} is unknown; use wgi or 0-10.")
    if isinstance(governance, pl.DataFrame):
        missing = [c for c in ("region", "value") if c not in governance.columns]
        if missing:
            raise UsageError(f"'governance' has no column '{missing[0]}'.")
        if governance["region"].n_unique() < governance.height:
            raise UsageError("'governance' has several rows for one region; choose one year first.")
        pairs = governance.select("region", "value").drop_nulls().iter_rows()
        values = {str(region): float(value) for region, value in pairs}
    else:
        values = {str(region): float(value) for region, value in governance.items()}
    low, high = (-2.5, 2.5) if scale == "wgi" else (0.0, 10.0)
    slack = 0.5 if scale == "wgi" else 0.0  # estimates run a little over, and count as the end
    for region, value in values.items():
        if not low - slack <= value <= high + slack:
            what = f"governance of {region} must be between {low:g} and {high:g} ({scale})"
            fault = make_finding("E107", what, origin=Origin("governance"), value=value)
            raise DataError([fault])
    if scale == "wgi":
        return {r: min(max((2.5 - v) * 2, 0.0), 10.0) for r, v in values.items()}
    return values
