"""Vintages of the Harmonized System and the concordances that lead from one to another."""

from __future__ import annotations

import re

import polars as pl

from withstand.errors import DataError, UsageError
from withstand.model.findings import Finding, Origin, listed, make_finding, nearest

VINTAGES = {"HS92": "H0", "HS96": "H1", "HS02": "H2", "HS07": "H3", "HS12": "H4", "HS17": "H5",
            "HS22": "H6"}  # fmt: skip
"""Vintages by the year in force, and the letter that Comtrade uses."""
UNKNOWN = "unknown"
MIXED = "mixed"
_SUM = 1e-6  # weights are printed with six digits or more
_CODE = re.compile(r"^HS?_?(\d)(?:_\d+d)?$", re.IGNORECASE)


def vintage_name(text: str) -> str:
    """Return the name of a vintage, whatever way it is written.

    Raises
    ------
    UsageError
        If it is none.

    Examples
    --------
    >>> [vintage_name(x) for x in ("HS92", "H4", "HS0", "hs2017", "HS 1992", "HS4_6d")]
    ['HS92', 'HS12', 'HS92', 'HS17', 'HS92', 'HS12']
    """
    plain = text.strip().upper().replace(" ", "").replace("-", "")
    if plain in VINTAGES:
        return plain
    of_letter = _CODE.match(text.strip())
    if of_letter:
        for name, letter in VINTAGES.items():
            if letter[1] == of_letter.group(1):
                return name
    year = re.fullmatch(r"HS?((?:19|20)?\d\d)", plain)
    if year and f"HS{year.group(1)[-2:]}" in VINTAGES:
        return f"HS{year.group(1)[-2:]}"
    near = nearest(plain, list(VINTAGES))
    hint = f" Did you mean {near}?" if near else ""
    raise UsageError(f"There is no vintage '{text[:40]}'; use one of {', '.join(VINTAGES)}.{hint}")


def vintage_in(file_name: str) -> str | None:
    """Return the vintage that the name of a file carries, as BACI's do, or None.

    Examples
    --------
    >>> vintage_in("BACI_HS92_Y2019_V202401b.csv"), vintage_in("trade.csv")
    ('HS92', None)
    """
    found = re.search(r"(?<![A-Za-z])hs(92|96|02|07|12|17|22)(?!\d)", file_name, re.IGNORECASE)
    return f"HS{found.group(1)}" if found else None


def concordance_rows(
    concordance: pl.DataFrame, start: str, end: str
) -> tuple[pl.DataFrame, list[Finding]]:
    """Return a concordance as from, to, weight, with what is worth a word.

    Parameters
    ----------
    concordance : polars.DataFrame
        Columns `from`, `to` and, if flows are split, `weight`; or columns named after the two
        vintages ("HS4_6d", "HS0_6d"). Without weights a code that leads to several is split
        equally among them, and a finding says so.
    start, end : str
        Vintages.

    Raises
    ------
    DataError
        If a column is missing, a weight is negative or empty, or weights do not add up to 1.

    Examples
    --------
    >>> rows, found = concordance_rows(
    ...     pl.DataFrame({"from": ["1", "1"], "to": ["11", "12"]}), "HS12", "HS92")
    >>> rows.rows(), found[0].code
    ([('000001', '000011', 0.5), ('000001', '000012', 0.5)], 'W607')
    """
    origin = Origin(file="concordance")
    names = {
        "from": _column(concordance, "from", start),
        "to": _column(concordance, "to", end),
    }
    missing = [key for key, column in names.items() if column is None]
    if missing:
        text = [c for c in concordance.columns if c not in names.values()]
        raise DataError(
            [
                make_finding(
                    "E101",
                    f"the concordance needs a column '{key}' (codes of {vintage})",
                    origin=origin,
                    column=key,
                    suggestion=nearest(key, text),
                )
                for key, vintage in (("from", start), ("to", end))
                if key in missing
            ]
        )
    has_weight = "weight" in concordance.columns
    rows = concordance.select(
        pl.col(str(names["from"])).cast(pl.String).str.zfill(6).alias("from"),
        pl.col(str(names["to"])).cast(pl.String).str.zfill(6).alias("to"),
        pl.col("weight").cast(pl.Float64) if has_weight else pl.lit(1.0).alias("weight"),
    ).drop_nulls(["from", "to"])
    if has_weight:
        return rows, _weight_faults(rows, origin)
    rows = rows.unique().with_columns(weight=1.0 / pl.len().over("from")).sort("from", "to")
    split = rows.filter(pl.col("weight") < 1).get_column("from").unique().sort().to_list()
    found = []
    if split:
        what = f"{len(split):,} codes lead to several and are split equally: {listed(split)}"
        found.append(make_finding("W607", what, origin=origin))
    return rows, found


def _column(frame: pl.DataFrame, key: str, vintage: str) -> str | None:
    """Return the column of one side: by its name, or by the vintage it is named after."""
    if key in frame.columns:
        return key
    for column in frame.columns:
        if not column.endswith(("_4d", "_2d")):
            try:
                if vintage_name(column) == vintage:
                    return column
            except UsageError:
                continue
    return None


def _weight_faults(rows: pl.DataFrame, origin: Origin) -> list[Finding]:
    is_bad = pl.col("weight").is_null() | pl.col("weight").is_nan() | (pl.col("weight") < 0)
    bad = rows.filter(is_bad).get_column("from").unique().sort().to_list()
    if bad:
        what = f"weights must be numbers of 0 or more; see {listed(bad)}"
        raise DataError([make_finding("E604", what, origin=origin, column="weight")])
    sums = rows.group_by("from").agg(pl.col("weight").sum())
    off = sums.filter((pl.col("weight") - 1).abs() > _SUM).sort("from")
    if off.height:
        code, total = off.row(0)
        what = f"weights of {off.height:,} codes do not add up to 1, such as {code}: {total:g}"
        raise DataError([make_finding("E604", what, origin=origin, column="weight")])
    return []
