"""Rows of SDMX data made into a table: numbers, missing values, doubles."""

from __future__ import annotations

import polars as pl

from withstand.errors import DataError
from withstand.model.findings import Finding, Origin, make_finding, sort_findings
from withstand.readers.standards.sdmx_table import MEASURE, SdmxTable

MISSING = ("", "NaN", "nan", "NAN", ":", "-", ".", "null")
ATTRIBUTES = frozenset(
    ("OBS_STATUS", "OBS_FLAG", "CONF_STATUS", "UNIT_MULT", "DECIMALS", "TITLE", "TITLE_COMPL",
     "TIME_FORMAT", "COLLECTION", "BASE_PER", "OBS_COM", "COMMENT_OBS", "COMMENT_TS",
     "COMMENT_DSET", "EMBARGO_DATE", "PRE_BREAK_VALUE", "TIME_PER_COLLECT", "REF_PERIOD_DETAIL",
     "REF_YEAR_PRICE", "LAST_UPDATE", "OBS_PRE_BREAK", "CONFIDENTIALITY", "COMPILING_ORG",
     "DISS_ORG", "COMPILATION", "COVERAGE", "POWERCODE", "REFERENCEPERIOD")
)  # fmt: skip
"""Usual names of attributes, where a file does not say which columns are dimensions."""


def table_of(
    frame: pl.DataFrame,
    dimensions: list[str],
    attributes: list[str],
    origin: Origin,
    findings: list[Finding],
    *,
    structure: str = "",
    updated: str | None = None,
) -> SdmxTable:
    """Return a table from cells of text; what is missing, no number or double becomes a finding.

    Raises
    ------
    DataError
        If there are no rows.
    """
    if frame.height == 0:
        fault = make_finding("E112", "there are no observations", origin=origin)
        raise DataError(sort_findings([*findings, fault]))
    text = frame[MEASURE].cast(pl.String).str.strip_chars()
    text = text.set(text.is_in(MISSING).fill_null(value=True), None)
    value = text.cast(pl.Float64, strict=False)
    value = value.set(~value.is_finite().fill_null(value=True), None)
    bad = (value.is_null() & text.is_not_null()).arg_true()
    if len(bad):
        row = int(bad[0])
        findings.append(
            make_finding(
                "W745", "observations that are no numbers are left empty", origin=origin,
                index=row, column=MEASURE, value=text[row], count=len(bad),
            )
        )  # fmt: skip
    missing = int(text.is_null().sum())
    if missing:
        what = f"{missing:,} of {frame.height:,} observations are not available"
        findings.append(make_finding("N745", what, origin=origin, column=MEASURE, count=missing))
    columns = [pl.col(x).cast(pl.String).str.strip_chars() for x in (*dimensions, *attributes)]
    done = frame.select(*columns, value.alias(MEASURE))
    done = done.select(*dimensions, MEASURE, *attributes)
    once = done.unique(dimensions, keep="first", maintain_order=True)
    if once.height < done.height:
        n = done.height - once.height
        findings.append(
            make_finding("W746", f"{n:,} keys stand more than once", origin=origin, count=n)
        )
    return SdmxTable(
        once, tuple(dimensions), tuple(attributes), structure, updated,
        tuple(sort_findings(findings)),
    )  # fmt: skip
