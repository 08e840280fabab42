"""The terms of Borin and Mancini: exports where double counting has one meaning, said beforehand.

Value can cross the same border many times. Source-based, it counts the first time it leaves, and
every later crossing is double counting; sink-based, it counts the last time. In the perspective of
the exporter the border is that of the exporter; in the perspective of the world, foreign value is
counted once in the exports of all regions together (at the first or the last region that exports
it again).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from withstand.measures.export_terms import Term

if TYPE_CHECKING:
    from withstand.measures.trade_blocks import TradeBlocks

Array = np.ndarray
PERSPECTIVES = ("exporter", "world")
_DOMESTIC = (
    Term("VAX1", "VAX", "domestic value added in exports of final goods"),
    Term("VAX2", "VAX", "in inputs that the importer finishes and uses up without more borders"),
    Term("VAX3", "VAX", "in inputs that the importer exports to third regions as final goods"),
    Term("VAX4", "VAX", "in inputs that the importer exports again as inputs; used up abroad"),
    Term("REF1", "REF", "in inputs that return from the importer as final goods"),
    Term("REF2", "REF", "in inputs that the importer exports as inputs; used up at home"),
    Term("DDC", "DDC", "domestic value added that crosses the own border another time"),
)
EXPORTER_TERMS = (
    *_DOMESTIC,
    Term("FVA1", "FVA", "foreign value added in exports of final goods"),
    Term("FVA2", "FVA", "in inputs that the importer finishes and uses up without more borders"),
    Term("FVA3", "FVA", "in inputs that the importer exports as final goods"),
    Term("FVA4", "FVA", "in inputs that the importer exports again as inputs"),
    Term("FDC", "FDC", "foreign value added that crosses the exporter's border another time"),
)
WORLD_TERMS = (
    *_DOMESTIC,
    Term("FVA", "FVA", "foreign value added, counted once in the exports of all regions"),
    Term("FDC", "FDC", "foreign value added that other exports count, or the own another time"),
)


def borin_mancini_terms(blocks: TradeBlocks, approach: str, perspective: str) -> Array:
    """Return the terms of every exporting cell and importer.

    With v value shares, B = (I - A)^-1, L_ss = (I - A_ss)^-1, E exports, Y final demand, s the
    exporter, r the importer, and B^s the inverse when s sells no inputs abroad,
    B^s_rj = B_rj - B_rs B_ss^-1 B_sj and B^s_rs = B_rs B_ss^-1 L_ss:

    source: DVA = v_s L_ss E_sr, DDC = v_s (B_ss - L_ss) E_sr,
    FVA = sum over t of v_t B^s_ts E_sr, FDC = v_t (B_ts - B^s_ts) E_sr;
    sink: DVA = v_s B_ss (E_sr - A_sr B^s_rs E_s), DDC = v_s B_ss A_sr B^s_rs E_s, and foreign
    alike with v_t B_ts. DVA and FVA are then followed to their final users. World perspective,
    source: FVA = v_t L_tt A_ts L_ss E_sr; sink: the last region to export it again.

    Parameters
    ----------
    blocks : TradeBlocks
    approach : {"source", "sink"}
    perspective : {"exporter", "world"}

    Returns
    -------
    ndarray of float64, shape (12 or 9, n, n_regions), currency per period

    Notes
    -----
    B is made once: three matrices of n x n numbers.

    References
    ----------
    Borin and Mancini (2019), World Bank policy research working paper 8804; (2023), Economic
    Systems Research 35(4). Miroudot and Ye (2021), Economic Systems Research 33(1), for the first
    export again in the world (their first foreign double-counted term).
    """
    b = blocks
    foreign = b.foreign_content[:, None]
    if approach == "source":
        home, abroad = b.pure_home_content[:, None], _first_foreign(b)[:, None]
        paths = _paths(b, *_every_use(b))
        ddc = (b.home_content[:, None] - home) * b.exports
        fdc = (foreign - abroad) * b.exports
    else:
        home, abroad = b.home_content[:, None], foreign
        paths = _paths(b, *_last_exits(b))
        back = b.inputs_for_each(_back_through_exporter(b))
        ddc, fdc = home * back, foreign * back
    domestic = [*(home * p for p in paths), ddc]
    if perspective == "world":
        return np.stack(
            [*domestic, *(_world_source(b) if approach == "source" else _world_sink(b))]
        )
    merged = [paths[0], paths[1], paths[2] + paths[4], paths[3] + paths[5]]
    return np.stack([*domestic, *(abroad * p for p in merged), fdc])


def _paths(blocks: TradeBlocks, returns: Array, total: Array) -> list[Array]:
    """Return what value in exports meets: VAX1 .. VAX4, REF1, REF2 before the value share.

    Column s of `returns` and `total` is the output of every cell that the final users of exporter
    s, or all final users, take up, as the approach follows it for exporter s.
    """
    b = blocks
    used = b.at_home(b.final_home)
    direct = np.vstack([inverse @ b.final_exports[own] for own, inverse in _by_block(b)])
    back = direct[:, b.exporter_region]
    all_direct = direct.sum(axis=1, keepdims=True)
    again_home = returns - back
    again_abroad = total - used[:, None] - all_direct - again_home
    each = b.inputs_for_each
    return [
        b.final_exports,
        b.inputs_for(used),
        each(all_direct - back),
        each(again_abroad),
        each(back),
        each(again_home),
    ]


def _by_block(blocks: TradeBlocks) -> list[tuple[slice, Array]]:
    return list(zip(blocks.slices, blocks.home_inverses, strict=True))


def _first_foreign(blocks: TradeBlocks) -> Array:
    """Foreign value that the exporter has not exported before: sum over t of v_t B^s_ts."""
    parts = []
    for own, home_inverse in _by_block(blocks):
        within = blocks.inverse[own, own]
        parts.append(np.linalg.solve(within.T, blocks.foreign_content[own]) @ home_inverse)
    return np.concatenate(parts)


def _every_use(blocks: TradeBlocks) -> tuple[Array, Array]:
    """Output for the final users of each exporter and of all regions, whatever the way."""
    b = blocks
    outputs = b.inverse @ b.final
    total = np.repeat(outputs.sum(axis=1, keepdims=True), b.n_exporters, axis=1)
    return outputs[:, b.exporter_region], total


def _last_exits(blocks: TradeBlocks) -> tuple[Array, Array]:
    """As `_every_use`, when exporter s exports nothing more."""
    b = blocks
    outputs = b.inverse @ b.final
    returns, total = np.empty((2, b.n, b.n_exporters))
    for s, (own, home_inverse) in enumerate(_by_block(b)):
        stopped = outputs[own].copy()
        stopped[:, b.exporter_region[s]] -= home_inverse @ b.final_home[own]
        stopped = np.linalg.solve(b.inverse[own, own], stopped)
        pair = np.column_stack([stopped[:, b.exporter_region[s]], stopped.sum(axis=1)])
        through = b.inverse[:, own] @ pair
        returns[:, s] = outputs[:, b.exporter_region[s]] - through[:, 0]
        total[:, s] = outputs.sum(axis=1) - through[:, 1]
    return returns, total


def _back_through_exporter(blocks: TradeBlocks) -> Array:
    """Output of every cell for what s exports again, B^s_rs E_s: shape (n, n_exporters)."""
    b = blocks
    found = np.empty((b.n, b.n_exporters))
    for s, (own, home_inverse) in enumerate(_by_block(b)):
        made = home_inverse @ b.total_exports[own]
        found[:, s] = b.inverse[:, own] @ np.linalg.solve(b.inverse[own, own], made)
    return found


def _world_source(blocks: TradeBlocks) -> list[Array]:
    """Foreign value straight from where it arose, v_t L_tt A_ts L_ss E_sr; and all other."""
    b = blocks
    bought = b.pure_home_content @ b.coefficients
    parts = []
    for own, home_inverse in _by_block(b):
        imported = bought[own] - b.pure_home_content[own] @ b.coefficients[own, own]
        parts.append(imported @ home_inverse)
    first = np.concatenate(parts)
    return [share[:, None] * b.exports for share in (first, b.foreign_content - first)]


def _world_sink(blocks: TradeBlocks) -> list[Array]:
    """Foreign value that no other foreign region exports again; and all other.

    Either the importer uses it up, or the importer is where it arose, exports it once more, and it
    is used up there.
    """
    b = blocks
    used = b.inputs_for(b.at_home(b.final_home))
    again = b.inputs_for(b.at_home(b.total_exports))
    further = b.final_exports.sum(axis=1) + used.sum(axis=1)
    of_importer = np.zeros(b.final.shape)
    of_importer[:, b.exporter_region] = b.content.T
    of_importer = np.where(b.is_abroad, of_importer, 0.0)
    home_again = of_importer * b.inputs_for(b.at_home(further))
    foreign = b.foreign_content[:, None]
    return [foreign * (b.final_exports + used) + home_again, foreign * again - home_again]
