"""Product codes of a network joined to those of a table: equal, coarser, finer, other vintage."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from withstand.model.findings import Finding, counted, listed, make_finding
from withstand.model.trade_vintages import MIXED, UNKNOWN, concordance_rows, vintage_name

Array = np.ndarray
SHORTEST = 2  # digits of a chapter: codes of fewer digits are labels, not codes of goods
EXACT, COARSER, FINER = "exact", "coarser", "finer"


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class ProductCodes:
    """Which vintage the codes of goods are, and what leads from one to the other.

    Parameters
    ----------
    vintage : str, optional
        Of the network's codes (`products.hs`): "HS92" ... "HS22".
    table_vintage : str, optional
        Of the table of capability.
    concordance : polars.DataFrame, optional
        From the one to the other, six digits each: `from`, `to` and, if known, `weight`; or columns
        named after the vintages. Only the network's codes are converted, never the table.
    """

    vintage: str | None = None
    table_vintage: str | None = None
    concordance: pl.DataFrame | None = None

    def __post_init__(self) -> None:
        """Write the vintages in one way."""
        for name in ("vintage", "table_vintage"):
            given = getattr(self, name)
            object.__setattr__(self, name, None if given is None else vintage_name(given))

    def __repr__(self) -> str:
        """Return one line."""
        names = f"{self.vintage or 'unknown'} to {self.table_vintage or 'unknown'}"
        n = 0 if self.concordance is None else self.concordance.height
        return f"<ProductCodes {names}, {counted(n, 'row')} of concordance>"

    def rows(self) -> tuple[pl.DataFrame | None, list[Finding]]:
        """Return the concordance as from, to, weight, with what is worth a word."""
        if self.concordance is None:
            return None, []
        return concordance_rows(self.concordance, self.vintage or "", self.table_vintage or "")


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class CodeJoin:
    """Which codes of a table stand for each product, and with what weight.

    Parameters
    ----------
    products : tuple of str, n
    table : tuple of str, m
    rows : polars.DataFrame
        product, own (its own code), code (in the table), weight (sums to 1 for each product), how
        ("exact"; "coarser": the table's code holds more than the product; "finer": several codes of
        the table, weighted; "converted, ..." where a concordance was used).
    weights : ndarray of float64, shape (n, m)
        The same as a matrix; a row of zeros where nothing matched.
    """

    products: tuple[str, ...]
    table: tuple[str, ...]
    rows: pl.DataFrame
    weights: Array

    @property
    def is_matched(self) -> Array:
        """Tell which products have a code in the table: ndarray of bool, shape (n,)."""
        return self.weights.sum(axis=1) > 0

    def mean(self, values: Array) -> Array:
        """Return the weighted mean over the codes of each product; NaN where one is not known."""
        used = self.weights > 0
        known = self.is_matched & ~(used & np.isnan(values)[None, :]).any(axis=1)
        return np.where(known, self.weights @ np.nan_to_num(values), np.nan)

    def total(self, values: Array) -> Array:
        """Return the sum over the codes of each product; NaN where one is not known."""
        used = self.weights > 0
        known = self.is_matched & ~(used & np.isnan(values)[None, :]).any(axis=1)
        return np.where(known, used.astype(np.float64) @ np.nan_to_num(values), np.nan)

    def largest(self, values: Array) -> Array:
        """Return the largest value over the codes of each product; NaN where none is known."""
        cells = np.where(self.weights > 0, np.nan_to_num(values, nan=-np.inf)[None, :], -np.inf)
        most = cells.max(axis=1, initial=-np.inf)
        return np.where(np.isfinite(most), most, np.nan)

    def text(self, column: str) -> list[str | None]:
        """Return a column of the rows by product, several values separated by semicolons."""
        joined = self.rows.group_by("product", maintain_order=True).agg(
            pl.col(column).unique(maintain_order=True)
        )
        found = {p: "; ".join(v) for p, v in joined.iter_rows()}
        return [found.get(p) for p in self.products]


def join_codes(
    own: Mapping[str, Sequence[str]],
    table: Sequence[str],
    sizes: Array,
    concordance: pl.DataFrame | None = None,
) -> CodeJoin:
    """Find the codes of a table that stand for each product.

    For each code of a product, the first that holds: the same code; the longest code of the table
    that it begins with; all codes of the table that begin with it, weighted by their size.

    Parameters
    ----------
    own : mapping of str to sequence of str
        Product to its codes (each counts the same), dots and spaces passed over.
    table : sequence of str, m
        Codes, or any labels (only equal ones match then).
    sizes : ndarray of float64, shape (m,)
        World exports or imports by code: weights where several codes stand for one.
    concordance : polars.DataFrame, optional
        from, to, weight of six digits. Codes that it does not know keep their own.

    Examples
    --------
    >>> found = join_codes({"GEAR": ["8483.40"], "PRESS": ["8462"]}, ["8483", "846210", "846229"],
    ...                    np.array([9.0, 1.0, 3.0]))
    >>> found.rows.select("product", "code", "weight", "how").rows()[:2]
    [('GEAR', '8483', 1.0, 'coarser'), ('PRESS', '846210', 0.25, 'finer')]
    """
    at = {plain(code): i for i, code in enumerate(table)}
    weights = np.zeros((len(own), len(table)))
    rows: list[tuple[str, str, str, str]] = []
    leads = _leads(concordance)
    for k, (product, codes) in enumerate(own.items()):
        for code in codes:
            for target, share in leads.get(plain(code), [(plain(code), 1.0)]):
                found, how = _matches(target, at)
                if not found:
                    continue
                size = sizes[found]
                even = np.full(len(found), 1.0 / len(found))
                part = size / size.sum() if size.sum() > 0 else even
                weights[k, found] += share * part
                if plain(code) in leads:
                    how = f"converted, {how}"
                rows += [(product, code, table[i], how) for i in found]
    total = weights.sum(axis=1, keepdims=True)
    weights = np.where(total > 0, weights / np.where(total > 0, total, 1.0), 0.0)
    place = {p: k for k, p in enumerate(own)}
    column = {code: i for i, code in enumerate(table)}
    schema = ["product", "own", "code", "how"]
    frame = pl.DataFrame(rows, schema=dict.fromkeys(schema, pl.String), orient="row")
    frame = frame.unique(maintain_order=True)
    shares = [float(weights[place[p], column[c]]) for p, _, c, _ in frame.iter_rows()]
    frame = frame.with_columns(pl.Series("weight", shares, dtype=pl.Float64))
    return CodeJoin(
        products=tuple(own),
        table=tuple(table),
        rows=frame.filter(pl.col("weight") > 0).select("product", "own", "code", "weight", "how"),
        weights=weights,
    )


def plain(code: str) -> str:
    """Return a code of goods without dots and spaces, a zero lost in front given back.

    Examples
    --------
    >>> plain("8483.40"), plain("10121"), plain("SOC 51-4041")
    ('848340', '010121', 'SOC 51-4041')
    """
    digits = code.replace(".", "").replace(" ", "")
    if not digits.isdigit() or len(digits) < SHORTEST:
        return code.strip()
    return digits.zfill(len(digits) + len(digits) % 2)  # codes have 2, 4, 6 ... digits


def _leads(concordance: pl.DataFrame | None) -> dict[str, list[tuple[str, float]]]:
    """Return what each code leads to, and for codes of four or two digits all that begin so."""
    leads: dict[str, list[tuple[str, float]]] = {}
    if concordance is None:
        return leads
    for source, target, weight in concordance.select("from", "to", "weight").iter_rows():
        if weight > 0:
            leads.setdefault(source, []).append((target, weight))
    full = list(leads.items())
    for digits in (4, 2):
        groups: dict[str, list[list[tuple[str, float]]]] = {}
        for source, targets in full:
            groups.setdefault(source[:digits], []).append(targets)
        for head, lists in groups.items():
            leads.setdefault(head, [(t, w / len(lists)) for one in lists for t, w in one])
    return leads


def _matches(code: str, at: Mapping[str, int]) -> tuple[list[int], str]:
    """Return the places of the codes of the table that stand for one, and how they match."""
    if code in at:
        return [at[code]], EXACT
    if not code.isdigit():
        return [], ""
    for length in range(len(code) - 1, SHORTEST - 1, -1):
        if code[:length] in at:
            return [at[code[:length]]], COARSER
    return [i for x, i in at.items() if x.startswith(code) and x.isdigit()], FINER


def code_findings(join: CodeJoin, own: Mapping[str, Sequence[str]], where: str) -> list[Finding]:
    """Tell which products no code stands for, and which share a coarser one."""
    findings = []
    lost = [p for p, ok in zip(join.products, join.is_matched, strict=True) if not ok]
    if lost:
        named = [f"{p} ({', '.join(own[p]) or 'no code'})" for p in lost]
        what = f"{counted(len(lost), 'product')} not found in {where}: {listed(named)}"
        findings.append(make_finding("W662", what, column="hs", value=lost[0], count=len(lost)))
    coarse = join.rows.filter(pl.col("how").str.ends_with(COARSER))
    shared = coarse.group_by("code").agg(pl.col("product").unique().sort()).sort("code")
    shared = shared.filter(pl.col("product").list.len() > 1)
    if shared.height:
        code, products = shared.row(0)
        what = (
            f"{counted(shared.height, 'code')} of {where} stand for several products each, such as "
            f"{code} for {listed(products)}: they have the same numbers there"
        )
        findings.append(make_finding("N661", what, value=code, count=shared.height))
    return findings


def vintage_findings(
    join: CodeJoin, ours: str | None, theirs: str | None, where: str, *, is_converted: bool
) -> list[Finding]:
    """Tell where codes of different or unknown vintages were put beside each other."""
    codes = join.rows["own"].to_list()
    if is_converted or not any(plain(c).isdigit() for c in codes):
        return []
    unknown = (None, UNKNOWN, MIXED)
    if ours in unknown or theirs in unknown:
        what = (
            f"codes joined with {where} without knowing both vintages "
            f"({ours or 'unknown'} and {theirs or 'unknown'})"
        )
        return [make_finding("W663", what, column="hs")]
    if ours != theirs:
        what = f"codes of {ours} joined with those of {where}, which are {theirs}, as they stand"
        return [make_finding("W663", what, column="hs", value=ours)]
    return []
