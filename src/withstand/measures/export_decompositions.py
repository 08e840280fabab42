"""Export decomposition: whose value a region's exports carry, where it ends, what counts twice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from withstand.errors import UsageError
from withstand.measures.borin_mancini import (
    EXPORTER_TERMS,
    PERSPECTIVES,
    WORLD_TERMS,
    borin_mancini_terms,
)
from withstand.measures.export_terms import GROUPS, Term
from withstand.measures.kww import KWW, kww_terms
from withstand.measures.selections import Labels, idle_findings, select_regions, unknown_label
from withstand.measures.trade_blocks import TradeBlocks, trade_blocks
from withstand.measures.wwz import WWZ, wwz_terms
from withstand.model.provenance import Provenance, provenance_of

if TYPE_CHECKING:
    import pandas as pd

    from withstand.model.findings import Finding
    from withstand.model.network import ProductionNetwork

Array = np.ndarray
METHODS = ("kww", "wwz", "borin_mancini_source", "borin_mancini_sink")
BY = ("region", "sector")
ALL = "*"
"""Importer of a row in which all importers are taken together."""
RESIDUAL = "residual"


@dataclass(frozen=True, kw_only=True, eq=False)
class ExportDecomposition:
    """Gross exports divided into terms by whose value they carry and where it is used up.

    Parameters
    ----------
    method : {"kww", "wwz", "borin_mancini_source", "borin_mancini_sink"}
    by : {"region", "sector"}
    balance : {"residual", "rebalance"}
    perspective : {"exporter", "world"}
    terms : tuple of Term
        Name, group and meaning of each term, in the order of the literature.
    exporters, products : tuple of str
        Region, and exporting sector (`*`: all of them), of each row.
    importers : tuple of str
        Region of each column; `*` stands for all importers together.
    values : ndarray of float64, shape (n_terms, n_rows, n_importers), currency per period
    exports : ndarray of float64, shape (n_rows, n_importers), currency per period
        Gross exports.
    residual : ndarray of float64, shape (n_rows, n_importers), currency per period
        Exports less the terms: what a table that does not balance leaves unexplained.
    rebalanced : float
        Share by which rebalancing moved exports: sum of the changes over all exports. 0 where
        nothing was rebalanced.
    currency : str
        As in the settings of the network.
    findings : tuple of Finding
        Cells that buy but make nothing.
    provenance : Provenance
    """

    method: str
    by: str
    balance: str
    perspective: str
    terms: tuple[Term, ...]
    exporters: tuple[str, ...]
    products: tuple[str, ...]
    importers: tuple[str, ...]
    values: Array
    exports: Array
    residual: Array
    rebalanced: float
    currency: str
    findings: tuple[Finding, ...]
    provenance: Provenance
    _cells: _Cells = field(repr=False)

    def to_frame(self) -> pl.DataFrame:
        """Return one row for each exporter, importer and term, with what the term means."""
        named = [(t.name, t.group, t.meaning) for t in self.terms]
        named.append((RESIDUAL, RESIDUAL, "what the table leaves unexplained: it does not balance"))
        return _long_frame(
            named,
            (self.exporters, self.products, self.importers),
            np.concatenate([self.values, self.residual[None]]),
            self.exports,
        )

    def to_pandas(self) -> pd.DataFrame:
        """Return the same as a pandas frame."""
        return self.to_frame().to_pandas()

    def totals(self) -> pl.DataFrame:
        """Return exports, domestic value added and the groups of terms, one row for each pair."""
        n_rows, n_importers = self.exports.shape
        sums = {g: self._group(g).ravel() for g in GROUPS}
        own = np.repeat(np.array(self.exporters), n_importers)
        whom = np.tile(np.array(self.importers), n_rows)
        frame = pl.DataFrame(
            {
                "exporter": own,
                "product": np.repeat(np.array(self.products), n_importers),
                "importer": whom,
                "exports": self.exports.ravel(),
                "DVA": sums["VAX"] + sums["REF"],
                **sums,
                RESIDUAL: self.residual.ravel(),
            }
        )
        return frame.filter(pl.col("exporter") != pl.col("importer"))

    def why(self, exporter: str, term: str | None = None) -> pl.DataFrame:
        """Return the sectors and importers behind the numbers of one exporter, largest first."""
        _refuse_unknown("exporter", exporter, sorted(set(self.exporters)))
        names = [t.name for t in self.terms]
        if term is not None:
            _refuse_unknown("term", term, names)
        cells = self._cells
        rows = np.flatnonzero(cells.exporters == exporter)
        frame = _long_frame(
            [(t.name, t.group, t.meaning) for t in self.terms],
            (
                tuple(cells.exporters[rows].tolist()),
                tuple(cells.products[rows].tolist()),
                cells.importers,
            ),
            cells.values[:, rows],
            cells.exports[rows],
        )
        if term is not None:
            frame = frame.filter(pl.col("term") == term)
        keys = ["value", "product", "importer", "term"]
        return frame.filter(pl.col("value") != 0).sort(keys, descending=[True, False, False, False])

    def summary(self) -> str:
        """Return one sentence."""
        total = self.exports.sum()
        if not total > 0:
            return "There are no exports."
        share = {g: self._group(g).sum() / total for g in GROUPS}
        domestic = share["VAX"] + share["REF"]
        twice = share["DDC"] + share["FDC"]
        unit = f" {self.currency}" if self.currency else ""
        text = (
            f"Of exports of {total:,.0f}{unit}, {domestic:.1%} is domestic value added "
            f"({share['REF']:.1%} returns home), {share['FVA']:.1%} value added of other regions "
            f"and {twice:.1%} is counted twice"
        )
        if self.balance == "rebalance":
            return f"{text}; rebalancing moved {self.rebalanced:.2%} of exports."
        unexplained = np.abs(self.residual).sum() / total
        return f"{text}; {unexplained:.2%} stays unexplained by the table."

    def __repr__(self) -> str:
        """Return what was decomposed, not the numbers."""
        return (
            f"ExportDecomposition({self.method}, by {self.by}, {len(self.terms)} terms, "
            f"{len(self.exporters)} rows x {len(self.importers)} importers, {self.balance})"
        )

    def _group(self, group: str) -> Array:
        members = [k for k, term in enumerate(self.terms) if term.group == group]
        return self.values[members].sum(axis=0)


@dataclass(frozen=True, eq=False)
class _Cells:
    """The terms of every exporting cell, for `why`."""

    exporters: Array
    products: Array
    importers: tuple[str, ...]
    values: Array
    exports: Array


def export_decomposition(
    network: ProductionNetwork,
    *,
    method: str = "borin_mancini_source",
    exporter: Labels = None,
    importer: Labels = None,
    by: str = "region",
    balance: str = "residual",
    perspective: str = "exporter",
) -> ExportDecomposition:
    """Say whose value exports carry, where it is used up, and what is counted more than once.

    Parameters
    ----------
    network : ProductionNetwork
        An economy: a table of flows between the sectors of regions.
    method : {"kww", "wwz", "borin_mancini_source", "borin_mancini_sink"}
        Nine terms of an exporter (Koopman, Wang and Wei 2014), sixteen terms of bilateral exports
        of a sector (Wang, Wei and Zhu 2013), or twelve terms whose double counting is exact for an
        exporter (Borin and Mancini 2019, 2023): value counts the first time (source) or the last
        time (sink) that it leaves.
    exporter : str or sequence of str, optional
        Regions or blocs; all if not given.
    importer : str or sequence of str, optional
        Regions or blocs, or "each"; all importers together if not given. Not for "kww", whose
        terms belong to an exporter's total exports.
    by : {"region", "sector"}
        A row for each exporting region, or for each of its exporting sectors.
    balance : {"residual", "rebalance"}
        What to do about a table that does not balance: carry what is left in the residual, or keep
        coefficients and final demand and take outputs and flows from them (x = B y).
    perspective : {"exporter", "world"}
        What foreign value counts twice against (Borin and Mancini): the exporter's border, or the
        exports of all regions together.

    Returns
    -------
    ExportDecomposition
        Value added includes net taxes on products: all that is not bought from another cell.

    Raises
    ------
    UsageError
        If the network is no economy, a name is unknown, or the matrices would not fit.

    Notes
    -----
    "kww" takes one factor and as many right-hand sides as four times the regions; the others make
    B, so beside the table about four matrices of n x n numbers (66 MB for 1,435 cells, 3 GB for
    9,800).

    References
    ----------
    As in `withstand.measures.kww`, `wwz` and `borin_mancini`.

    Examples
    --------
    A sells steel for 40 to B, all of it its own value; B sells cars for 100 to A.

    >>> import numpy as np, polars as pl
    >>> from withstand.model.economy import build_economy
    >>> from withstand.model.settings import Settings
    >>> nodes = pl.DataFrame({"product": ["steel", "cars"], "region": ["A", "B"]})
    >>> final = pl.DataFrame({"region": ["A"], "category": ["households"]})
    >>> net = build_economy(np.array([[0.0, 40.0], [0.0, 0.0]]), np.array([[0.0], [100.0]]),
    ...     {"nodes": nodes}, final, Settings(lens="economy", period="year"))
    >>> result = export_decomposition(net)
    >>> result.totals().select("exporter", "exports", "VAX", "REF", "FVA").rows()
    [('A', 40.0, 0.0, 40.0, 0.0), ('B', 100.0, 60.0, 0.0, 40.0)]
    """
    _refuse_unknown("method", method, METHODS)
    _refuse_unknown("by", by, BY)
    _refuse_unknown("perspective", perspective, PERSPECTIVES)
    if perspective == "world" and not method.startswith("borin_mancini"):
        raise UsageError(
            f"perspective='world' belongs to the methods of Borin and Mancini, not to '{method}'. "
            "Use method='borin_mancini_source' or 'borin_mancini_sink'."
        )
    if method == "kww" and importer is not None:
        raise UsageError(
            "The nine terms of method='kww' belong to an exporter's total exports. For single "
            "importers use method='wwz' or 'borin_mancini_source'."
        )
    exporters = _chosen(network, exporter)
    importers = _chosen(network, None if importer == "each" else importer)
    idle = exporters[~np.isin(exporters, network.node_region)]
    if exporter is not None and len(idle) > 0:
        raise UsageError(
            f"The region '{network.region_labels[idle[0]]}' makes nothing here, so it exports "
            "nothing. Choose a region with nodes."
        )
    blocks = trade_blocks(network, balance)
    terms, cells = _terms(blocks, method, perspective)
    exports = blocks.exports
    if importer is None:
        cells, exports = cells.sum(axis=2, keepdims=True), exports.sum(axis=1, keepdims=True)
        columns: tuple[str, ...] = (ALL,)
    else:
        cells, exports = cells[:, :, importers], exports[:, importers]
        columns = tuple(network.region_labels[importers].tolist())
    kept = np.isin(blocks.exporter_region[blocks.exporter], exporters)
    regions = network.region_labels[network.node_region[blocks.order]]
    products = network.product_labels[network.node_product[blocks.order]]
    detail = _Cells(regions[kept], products[kept], columns, cells[:, kept], exports[kept])
    if by == "sector":
        rows, names, values, sold = detail.exporters, detail.products, detail.values, detail.exports
    else:
        shown = np.isin(blocks.exporter_region, exporters)
        rows = network.region_labels[blocks.exporter_region[shown]]
        names = np.full(len(rows), ALL)
        values = np.add.reduceat(cells, blocks.starts, axis=1)[:, shown]
        sold = np.add.reduceat(exports, blocks.starts, axis=0)[shown]
    parameters = {
        "method": method,
        "exporter": exporter,
        "importer": importer,
        "by": by,
        "balance": balance,
        "perspective": perspective,
    }
    return ExportDecomposition(
        method=method,
        by=by,
        balance=balance,
        perspective=perspective,
        terms=terms,
        exporters=tuple(rows.tolist()),
        products=tuple(names.tolist()),
        importers=columns,
        values=values,
        exports=sold,
        residual=sold - values.sum(axis=0),
        rebalanced=_moved(network, blocks) if balance == "rebalance" else 0.0,
        currency=network.settings.currency or "",
        findings=idle_findings(network),
        provenance=provenance_of("measures.export_decomposition", network, parameters),
        _cells=detail,
    )


def _terms(blocks: TradeBlocks, method: str, perspective: str) -> tuple[tuple[Term, ...], Array]:
    if method == "kww":
        return KWW, kww_terms(blocks)
    if method == "wwz":
        return WWZ, wwz_terms(blocks)
    terms = EXPORTER_TERMS if perspective == "exporter" else WORLD_TERMS
    return terms, borin_mancini_terms(blocks, method.removeprefix("borin_mancini_"), perspective)


def _moved(network: ProductionNetwork, blocks: TradeBlocks) -> float:
    """Share of exports that rebalancing moved."""
    before = trade_blocks(network).exports
    return float(np.abs(blocks.exports - before).sum() / max(before.sum(), 1e-300))


def _chosen(network: ProductionNetwork, labels: Labels) -> Array:
    """Return indices of regions in the order of the network; all if none is named."""
    return np.arange(network.n_regions) if labels is None else select_regions(network, labels)


def _refuse_unknown(what: str, value: str, valid: Sequence[str]) -> None:
    if value in valid:
        return
    if len(valid) <= len(WWZ):
        raise UsageError(f"{what}='{str(value)[:60]}' is unknown; use one of {', '.join(valid)}.")
    raise unknown_label(what, value, valid)


def _long_frame(
    terms: Sequence[tuple[str, str, str]],
    rows: tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]],
    values: Array,
    exports: Array,
) -> pl.DataFrame:
    """One row for each exporter, importer and term; none for a region's sales to itself."""
    exporters, products, importers = rows
    n_rows, n_importers, n_terms = len(exporters), len(importers), len(terms)
    spread = np.repeat(np.arange(n_rows), n_importers * n_terms)
    whom = np.tile(np.repeat(np.arange(n_importers), n_terms), n_rows)
    which = np.tile(np.arange(n_terms), n_rows * n_importers)
    sold = exports[spread, whom]
    value = values.transpose(1, 2, 0).ravel()
    with np.errstate(invalid="ignore", divide="ignore"):
        share = np.where(sold > 0, value / sold, np.nan)

    def take(labels: Sequence[str], index: Array) -> pl.Series:
        return pl.Series(labels, dtype=pl.String).gather(index)

    names, groups, meanings = zip(*terms, strict=True)
    return pl.DataFrame(
        {
            "exporter": take(exporters, spread),
            "product": take(products, spread),
            "importer": take(importers, whom),
            "term": take(names, which),
            "group": take(groups, which),
            "value": value,
            "share": pl.Series(share).fill_nan(None),
            "meaning": take(meanings, which),
        }
    ).filter(pl.col("exporter") != pl.col("importer"))
