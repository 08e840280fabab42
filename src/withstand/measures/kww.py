"""The nine terms of Koopman, Wang and Wei: a region's gross exports by source and sink of value."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from withstand.measures.export_terms import Term

if TYPE_CHECKING:
    from withstand.measures.trade_blocks import TradeBlocks

Array = np.ndarray
KWW = (
    Term("DVA_FIN", "VAX", "domestic value added in exports of final goods"),
    Term("DVA_INT", "VAX", "domestic value added in inputs, used up where they were finished"),
    Term("DVA_INTrex", "VAX", "domestic value added in inputs, finished goods exported again"),
    Term("RDV_FIN", "REF", "domestic value added that returns in imports of final goods"),
    Term("RDV_INT", "REF", "domestic value added that returns in imports of inputs, used at home"),
    Term("DDC", "DDC", "domestic value added that returned as an input and is exported again"),
    Term("FVA_FIN", "FVA", "foreign value added in exports of final goods"),
    Term("FVA_INT", "FVA", "foreign value added in exports of inputs, used up by the importer"),
    Term("FDC", "FDC", "foreign value added in inputs that the importer exports again"),
)


def kww_terms(blocks: TradeBlocks) -> Array:
    """Return the nine terms of every exporting cell, all importers taken together.

    With v value shares, B = (I - A)^-1, L_ss = (I - A_ss)^-1, E exports, Y final demand, and s the
    exporter (the terms of a region are the sums over its cells; the numbers are those of the
    equation, the cells those of Wang, Wei and Zhu 2013, table E2):

    1. v_s B_ss Y_sr                    2. v_s B_sr Y_rr
    3. v_s B_sr Y_rt                    4. v_s B_sr Y_rs
    5. v_s B_sr A_rs L_ss Y_ss          6. v_s B_sr A_rs L_ss E_s
    7. v_t B_ts Y_sr                    8. v_t B_ts A_sr L_rr Y_rr
    9. v_t B_ts A_sr L_rr E_r           summed over r != s, t != s (in 3 also t != r)

    Parameters
    ----------
    blocks : TradeBlocks

    Returns
    -------
    ndarray of float64, shape (9, n, 1), currency per period

    Notes
    -----
    Takes one factor of (I - A) and 3 n_exporters + n_regions right-hand sides; B is not made.

    References
    ----------
    Koopman, Wang and Wei (2014), American Economic Review 104(2), equation 36.
    """
    b = blocks
    n_e = b.n_exporters
    pure, home, foreign = b.pure_home_content, b.home_content, b.foreign_content
    final = b.final_exports.sum(axis=1)
    rhs = np.hstack([b.in_columns(b.final_home), b.in_columns(final), b.final_exports])
    reached = b.solve(rhs)
    of_home, of_final = reached[:, :n_e], reached[:, n_e : 2 * n_e]
    returning = reached[:, 2 * n_e :][:, b.exporter_region]
    finished = b.inputs_for(b.at_home(b.final_home)).sum(axis=1)
    exported_again = b.inputs_for(b.at_home(b.total_exports)).sum(axis=1)
    inputs = b.input_exports.sum(axis=1)
    others_home = of_home.sum(axis=1, keepdims=True) - of_home
    others_final = of_final.sum(axis=1, keepdims=True) - of_final - returning
    terms = [
        home * final,
        pure * b.inputs_for_all(others_home),
        pure * b.inputs_for_all(others_final),
        pure * b.inputs_for_all(returning),
        pure * b.inputs_for_all(of_home),
        pure * b.inputs_for_all(of_final) + (home - pure) * inputs,
        foreign * final,
        foreign * finished,
        foreign * exported_again,
    ]
    return np.stack(terms)[:, :, None]
