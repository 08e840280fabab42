"""Critical raw materials by the method of the European Union: supply risk, economic importance."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import polars as pl

from withstand.errors import DataError, UsageError
from withstand.measures.raw_material_tables import checked_table, scaled_governance
from withstand.model.findings import (
    Finding,
    Origin,
    counted,
    listed,
    make_finding,
    nearest,
    shorten,
)

if TYPE_CHECKING:
    import pandas as pd

THRESHOLDS = {"sr": 1.0, "ei": 2.8}
"""A material is critical at or above both (European Commission 2017, 2023)."""
SOURCES = ("global", "bloc")
_OFF = 0.05
"""Shares this far from 1 are worth a word; printed ones are rounded to a percent."""


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class RawMaterialRisk:
    """Supply risk and economic importance of raw materials.

    Parameters
    ----------
    stages : polars.DataFrame
        A row for each material and stage; see `of_stages`.
    table : polars.DataFrame
        A row for each material; see `to_frame`.
    thresholds : mapping of str to float
        For sr and ei.
    findings : tuple of Finding
    """

    stages: pl.DataFrame
    table: pl.DataFrame
    thresholds: Mapping[str, float]
    findings: tuple[Finding, ...]
    _parts: pl.DataFrame

    def __repr__(self) -> str:
        """Return one line."""
        return f"<RawMaterialRisk of {counted(self.table.height, 'material')}>"

    def to_frame(self) -> pl.DataFrame:
        """Return one row for each material: the stage with the largest supply risk decides.

        Columns: material, stage, sr, sr_low, sr_high (what import reliance of 0 to 1 could make of
        it where it is not given, else sr), ei (empty without uses), critical (empty where it
        cannot be said).
        """
        return self.table

    def to_pandas(self) -> pd.DataFrame:
        """Return the same as a pandas frame."""
        return self.table.to_pandas()

    def of_stages(self) -> pl.DataFrame:
        """Return one row for each material and stage.

        Columns: material, stage, hhi_global, hhi_bloc (weighted by governance; 0 to 10),
        import_reliance (0 to 1; empty where not given), recycling, substitution_sr (0 to 1), sr,
        sr_low, sr_high.
        """
        return self.stages

    def why(self, material: str) -> pl.DataFrame:
        """Return the terms behind the supply risk: stage, source, region, share ... term."""
        rows = self._parts.filter(pl.col("material") == material)
        if rows.is_empty():
            near = nearest(material, self.table["material"].to_list())
            hint = f" Did you mean {near}?" if near else ""
            raise UsageError(f"There is no material '{shorten(material)}' here.{hint}")
        return rows.drop("material").sort(
            ["stage", "source", "term", "region"], descending=[False, False, True, False]
        )


def raw_material_risk(
    supply: pl.DataFrame,
    governance: pl.DataFrame | Mapping[str, float],
    *,
    materials: pl.DataFrame | None = None,
    uses: pl.DataFrame | None = None,
    governance_scale: str = "wgi",
    largest_value_added: float | None = None,
    thresholds: Mapping[str, float] = THRESHOLDS,
) -> RawMaterialRisk:
    """Say which raw materials are critical: risky to get and important to have.

        SR = [HHI_global IR / 2 + HHI_bloc (1 - IR / 2)] (1 - EoL_RIR) SI_SR
        HHI = sum_c S_c^2 WGI_c t_c          EI = sum_s A_s Q_s SI_EI

    with S_c the share of country c in supply (of the world, or to the bloc), WGI_c its governance
    on a scale from 0 (good) to 10 (bad), t_c the factor for trade restrictions, IR import reliance,
    EoL_RIR the share of recycling at end of life in inputs, SI indices of substitution, A_s the
    share of use s and Q_s the value added of its sector. The largest SR over stages (extraction,
    processing) counts.

    Parameters
    ----------
    supply : polars.DataFrame
        material, region, share (0 to 1), and if they differ stage, source ("global" or "bloc";
        default global) and trade (t, default 1). Without rows for the bloc the world's stand in.
    governance : polars.DataFrame or mapping of str to float
        region and value, on one scale.
    materials : polars.DataFrame, optional
        material, and if known stage, import_reliance, recycling, substitution_sr,
        substitution_ei (all 0 to 1). Not given: recycling 0, substitution 1 (none), and import
        reliance open: sr takes the worse end, sr_low and sr_high hold both.
    uses : polars.DataFrame, optional
        material, share (0 to 1), value_added of the sector (one currency); uses without a sector
        count nothing.
    governance_scale : {"wgi", "0-10"}
        "wgi": -2.5 (bad) to 2.5 (good), rescaled to (2.5 - WGI) x 2. "0-10": 10 is bad.
    largest_value_added : float, optional
        EI is scaled so that a material used only in the largest sector has 10. Default: the
        largest in `uses`.
    thresholds : mapping of str to float

    Returns
    -------
    RawMaterialRisk

    Raises
    ------
    UsageError
        If an argument is unknown.
    DataError
        Columns missing, numbers out of range.

    References
    ----------
    Blengini et al. (2017), Methodology for establishing the EU list of critical raw materials;
    European Commission (2023), Study on the critical raw materials for the EU.

    Examples
    --------
    One country has 80 %, governance 5, the other 20 %, governance 1: .64 x 5 + .04 x 1 = 3.24; half
    of it is recycled.

    >>> found = raw_material_risk(
    ...     pl.DataFrame({"material": "Ga", "region": ["CN", "DE"], "share": [0.8, 0.2]}),
    ...     {"CN": 5.0, "DE": 1.0}, governance_scale="0-10",
    ...     materials=pl.DataFrame({"material": ["Ga"], "import_reliance": [1.0],
    ...                             "recycling": [0.5]}))
    >>> round(found.to_frame()["sr"][0], 6)
    1.62
    """
    unknown = [key for key in thresholds if key not in THRESHOLDS]
    if unknown:
        raise UsageError(f"thresholds are sr and ei, not '{shorten(unknown[0])}'.")
    limits = {**THRESHOLDS, **thresholds}
    shares = checked_table(supply, "supply")
    _check_sources(shares)
    weights = scaled_governance(governance, governance_scale)
    parts, findings = _terms(shares, weights)
    facts = None if materials is None else checked_table(materials, "materials")
    stages = _stages(parts, facts)
    importance = _importance(uses, facts, largest_value_added)
    table = _materials(stages, importance, limits)
    return RawMaterialRisk(
        stages=stages,
        table=table,
        thresholds=limits,
        findings=(*findings, *_share_gaps(shares)),
        _parts=parts,
    )


def import_reliance(production: pl.Expr, imports: pl.Expr, exports: pl.Expr) -> pl.Expr:
    """Return net imports over apparent use, between 0 and 1, from quantities.

    0 for who sells more than it buys, be it out of stocks; empty where nothing is made or bought.

    Examples
    --------
    >>> frame = pl.DataFrame({"made": [2.0, 0.0, 1.0], "bought": [9.0, 5.0, 0.0],
    ...                       "sold": [1.0, 0.0, 3.0]})
    >>> columns = [pl.col(c) for c in frame.columns]
    >>> frame.select(import_reliance(*columns)).to_series().to_list()
    [0.8, 1.0, 0.0]
    """
    net = imports - exports
    some = (production > 0) | (imports > 0) | (exports > 0)
    reliance = pl.when(net > 0).then(net / (production + net)).when(some & (net <= 0)).then(0.0)
    return reliance.alias("import_reliance")


def _check_sources(shares: pl.DataFrame) -> None:
    wrong = shares.filter(~pl.col("source").is_in(SOURCES))
    if wrong.height:
        value = wrong["source"][0]
        what = f"source must be one of {', '.join(SOURCES)}"
        origin = Origin("supply")
        raise DataError(
            [
                make_finding(
                    "E109", what, origin=origin, column="source", value=value,
                    suggestion=nearest(str(value), SOURCES), count=wrong.height,
                )
            ]
        )  # fmt: skip


def _terms(
    shares: pl.DataFrame, weights: Mapping[str, float]
) -> tuple[pl.DataFrame, list[Finding]]:
    """Return supply with governance and the term S^2 WGI t of each country."""
    known = pl.col("region").replace_strict(dict(weights), default=None, return_dtype=pl.Float64)
    keys = ["material", "stage", "source"]
    joined = shares.with_columns(governance=known)
    has = pl.col("governance").is_not_null()
    mean = (pl.col("governance") * pl.col("share")).sum() / pl.col("share").filter(has).sum()
    lost = joined.filter(~has, pl.col("share") > 0)["region"].unique().sort().to_list()
    filled = joined.with_columns(governance=pl.col("governance").fill_null(mean.over(keys)))
    parts = filled.with_columns(term=pl.col("share") ** 2 * pl.col("governance") * pl.col("trade"))
    findings = []
    if lost:
        what = f"no governance indicator for {counted(len(lost), 'supplier')}: {listed(lost)}"
        findings.append(make_finding("W614", what, count=len(lost)))
    return parts, findings


def _stages(parts: pl.DataFrame, facts: pl.DataFrame | None) -> pl.DataFrame:
    """Return the supply risk of each material and stage."""
    sums = (
        parts.group_by("material", "stage", "source")
        .agg(pl.col("term").sum())
        .pivot(on="source", index=["material", "stage"], values="term")
    )
    for source in SOURCES:
        if source not in sums.columns:
            sums = sums.with_columns(pl.lit(None, pl.Float64).alias(source))
    sums = sums.select("material", "stage", hhi_global="global", hhi_bloc="bloc")
    names = ("import_reliance", "recycling", "substitution_sr")
    rows = sums.with_columns(pl.lit(None, pl.Float64).alias(name) for name in names)
    if facts is not None:
        keys = ["material", "stage"] if facts["stage"].n_unique() > 1 else ["material"]
        rows = sums.join(facts.select(*keys, *names), on=keys, how="left")
    rows = rows.with_columns(
        pl.col("recycling").fill_null(0.0), pl.col("substitution_sr").fill_null(1.0)
    )
    world = pl.coalesce("hhi_global", "hhi_bloc")
    bloc = pl.coalesce("hhi_bloc", "hhi_global")
    rest = (1 - pl.col("recycling")) * pl.col("substitution_sr")

    def risk(reliance: Any) -> pl.Expr:
        return (world * reliance / 2 + bloc * (1 - reliance / 2)) * rest

    given = risk(pl.col("import_reliance"))
    ends = risk(pl.lit(0.0)), risk(pl.lit(1.0))
    found = rows.with_columns(
        sr=pl.coalesce(given, pl.max_horizontal(*ends)),
        sr_low=pl.coalesce(given, pl.min_horizontal(*ends)),
        sr_high=pl.coalesce(given, pl.max_horizontal(*ends)),
    )
    # No supplier has an indicator of governance (W614): what follows is not known.
    return found.with_columns(pl.col(pl.Float64).fill_nan(None)).sort("material", "stage")


def _importance(
    uses: pl.DataFrame | None, facts: pl.DataFrame | None, largest: float | None
) -> pl.DataFrame | None:
    """Return material and ei."""
    if uses is None:
        return None
    table = checked_table(uses, "uses")
    top = largest if largest is not None else table["value_added"].max()
    if not isinstance(top, int | float) or not top > 0:
        raise UsageError("The largest value added must be above 0.")
    sums = table.group_by("material").agg(
        ei=(pl.col("share") * pl.col("value_added")).sum() * 10 / top
    )
    if facts is None:
        return sums
    index = facts.group_by("material").agg(pl.col("substitution_ei").max())
    return sums.join(index, on="material", how="left").select(
        "material", ei=pl.col("ei") * pl.col("substitution_ei").fill_null(1.0)
    )


def _materials(
    stages: pl.DataFrame, importance: pl.DataFrame | None, limits: Mapping[str, float]
) -> pl.DataFrame:
    """Return one row for each material, its riskiest stage, and whether it is critical."""
    best = stages.sort(
        ["material", "sr", "stage"], descending=[False, True, False], nulls_last=True
    )
    high = pl.col("sr_high")
    table = best.group_by("material", maintain_order=True).agg(
        pl.col("stage", "sr").first(),
        pl.col("sr_low").max(),
        sr_high=pl.when(high.is_not_null().all()).then(high.max()),
    )
    if importance is None:
        importance = pl.DataFrame(schema={"material": pl.String, "ei": pl.Float64})
    table = table.join(importance, on="material", how="left")
    important = pl.col("ei") >= limits["ei"]
    surely = (pl.col("sr_low") >= limits["sr"]) & important
    never = (pl.col("sr_high") < limits["sr"]) | ~important
    return table.with_columns(critical=pl.when(surely).then(True).when(never).then(False))


def _share_gaps(shares: pl.DataFrame) -> list[Finding]:
    sums = shares.group_by("material", "stage", "source").agg(pl.col("share").sum())
    off = sums.filter((pl.col("share") - 1).abs() > _OFF).sort("material", "stage", "source")
    if off.is_empty():
        return []
    named = [f"{m} {stage} {source}: {total:.2f}" for m, stage, source, total in off.iter_rows()]
    return [make_finding("W615", f"shares do not add up to 1: {listed(named)}", count=off.height)]
