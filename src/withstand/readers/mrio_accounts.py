"""Socio-economic accounts of an economy (people, hours, pay), and how badly inputs are missed."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from withstand.errors import DataError
from withstand.model.blocs import country_of
from withstand.model.findings import listed, make_finding, shorten
from withstand.readers.mrio_draft import Draft, Wanted, numbers_of, refuse
from withstand.readers.mrio_frames import read_frame

if TYPE_CHECKING:
    from collections.abc import Sequence

KEYS = ("country", "code", "year")
UNITS = {
    "EMP": "thousand persons",
    "EMPE": "thousand persons",
    "H_EMPE": "million hours",
}
"""Units of the WIOD accounts that are not money."""
MONEY = ("COMP", "LAB", "CAP", "K", "GO", "II", "VA")
NOT_RATED = ("", "NA", "NaN", "nan")
MEANINGS = {"EMP": "employment", "EMPE": "employees", "H_EMPE": "hours of employees"}


def add_accounts(draft: Draft, path: Path, year: int | None) -> None:
    """Put the counts of a file of accounts into the extensions of a draft.

    The file has the columns country, code and year, and one for each count. Money (COMP, VA ...)
    is in national currency there and left out; index numbers (..._PI, ..._QI) too.
    """
    wanted = Wanted(path=path)
    frame = read_frame(wanted)
    missing = [c for c in KEYS if c not in frame.columns]
    if missing:
        raise refuse(wanted, "E101", f"columns are missing: {listed(missing)}", column=missing[0])
    years = frame["year"].cast(pl.Int64, strict=False)
    if year is None or not (years == year).any():
        there = sorted(years.drop_nulls().unique().to_list())
        what = f"no accounts of the year {year}; there are {listed(there, 60)}"
        raise refuse(wanted, "E126", what, column="year", value=year)
    counts = [
        c for c in frame.columns
        if c not in (*KEYS, *MONEY, "NOMEXCH") and not c.endswith(("_PI", "_QI"))
        and not c.startswith("__")
    ]  # fmt: skip
    frame = frame.filter(years == year)
    given = pl.DataFrame(
        {
            "key": _keys(frame["country"], frame["code"]),
            **dict(zip(counts, numbers_of(frame.select(counts), wanted).T, strict=True)),
        }
    )
    label = pl.format("{}@{}", "product", "region").alias("node")
    node = (
        draft.nodes["node"] if "node" in draft.nodes.columns else draft.nodes.select(label)["node"]
    )
    nodes = pl.DataFrame(
        {"node": node, "key": _keys(draft.nodes["region"], draft.nodes["product"])}
    )
    if given["key"].n_unique() < given.height:
        raise refuse(wanted, "E106", "a country and code stand twice in this year", column="code")
    joined = nodes.join(given, on="key", maintain_order="left")
    if joined.height == 0:
        what = "no row names a node of the table: countries and codes of sectors must agree"
        raise refuse(wanted, "E104", what, column="code", value=frame["code"][0])
    parts = [
        joined.select(
            "node",
            pl.lit(MEANINGS.get(c, c)).alias("name"),
            pl.col(c).alias("value"),
            pl.lit(UNITS.get(c, "")).alias("unit"),
        )
        for c in counts
    ]
    known = [] if draft.extensions is None else [draft.extensions]
    draft.extensions = pl.concat([*known, *parts])
    draft.sources.append(
        ("accounts", f"{shorten(path.name)}, year {year}: {joined.height} of {nodes.height} nodes")
    )


def _keys(regions: pl.Series, codes: pl.Series) -> list[str]:
    """Return one text a row that agrees for any code of the same country."""
    labels = regions.cast(pl.String).to_list()
    country = {label: country_of(label or "") or label for label in set(labels)}
    pairs = zip(labels, codes.cast(pl.String).to_list(), strict=True)
    return [f"{country[region]}\x1f{code}" for region, code in pairs]


def read_criticality(path: str | os.PathLike[str]) -> pl.DataFrame:
    """Return the classes of a matrix of ratings of how badly buyers miss their inputs.

    The layout is that of Pichler et al. (2022): a row an input, a column a buying industry, 1 for
    critical, .5 for important, 0 for neither. Pairs that are not rated (NA) are left out: they
    count as important.

    Parameters
    ----------
    path : str or path
        CSV or Parquet file; the first column names the rows.

    Returns
    -------
    polars.DataFrame
        `supplier_product`, `buyer_product`, `class` (essential, important, minor): a table of
        classes for `network.with_changes({"classes": ...})`.

    Raises
    ------
    DataError
        If a rating is not 1, .5 or 0, or a row or column is named twice.

    References
    ----------
    Pichler, Pangallo, del Rio-Chanona, Lafond and Farmer (2022), JEDC 144, 104527.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as place:
    ...     ratings = pl.DataFrame({"": ["steel", "cars"], "steel": [1, 0], "cars": [0.5, 0]})
    ...     ratings.write_csv(place + "/ratings.csv")
    ...     read_criticality(place + "/ratings.csv").rows()[:2]
    [('steel', 'steel', 'essential'), ('cars', 'steel', 'minor')]
    """
    wanted = Wanted(path=Path(path))
    frame, labels = _with_labels(read_frame(wanted, keep_nameless=True))
    if frame.width == 0:
        raise refuse(wanted, "E125", "a matrix is expected: a row an input, a column a buyer")
    _refuse_twice(wanted, labels)
    rows = []
    for buyer in frame.columns:
        for i, rating in enumerate(frame[buyer].cast(pl.String).to_list()):
            text = (rating or "").strip()
            if text not in NOT_RATED:
                word = _class_of(text)
                if word is None:
                    what = "a rating is 1, 0.5 or 0 (NA: not rated)"
                    raise refuse(wanted, "E109", what, column=buyer, index=i, value=text)
                rows.append((labels[i], buyer, word))
    schema = ["supplier_product", "buyer_product", "class"]
    return pl.DataFrame(rows, schema=schema, orient="row")


def _class_of(text: str) -> str | None:
    """Return the class of a rating, None if it is none."""
    try:
        return {1.0: "essential", 0.5: "important", 0.0: "minor"}.get(float(text))
    except ValueError:
        return None


def _with_labels(frame: pl.DataFrame) -> tuple[pl.DataFrame, list[str]]:
    first = frame.columns[0]
    for name in ("__index_level_0__", ""):
        if name in frame.columns:
            first = name
    return frame.drop(first), frame[first].cast(pl.String).fill_null("").to_list()


def _refuse_twice(wanted: Wanted, labels: Sequence[str]) -> None:
    seen: set[str] = set()
    for row, label in enumerate(labels):
        if label in seen or not label.strip():
            what = "a row without a label" if not label.strip() else "a row stands twice"
            finding = make_finding("E106", what, origin=wanted.origin, index=row, value=label)
            raise DataError([finding])
        seen.add(label)
