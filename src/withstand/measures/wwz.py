"""The sixteen terms of Wang, Wei and Zhu: bilateral exports of a sector by source and sink."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from withstand.measures.export_terms import Term

if TYPE_CHECKING:
    from withstand.measures.trade_blocks import TradeBlocks

Array = np.ndarray
WWZ = (
    Term("DVA_FIN", "VAX", "domestic value added in exports of final goods"),
    Term("DVA_INT", "VAX", "domestic value added in inputs, finished and used up by the importer"),
    Term("DVA_INTrexI1", "VAX", "inputs that the importer exports again as inputs; used up there"),
    Term("DVA_INTrexF", "VAX", "inputs that the importer exports again as final goods"),
    Term("DVA_INTrexI2", "VAX", "inputs exported again as inputs, whose final goods go further"),
    Term("RDV_FIN", "REF", "returns from the importer in final goods"),
    Term("RDV_FIN2", "REF", "returns from third regions in final goods"),
    Term("RDV_INT", "REF", "returns in inputs, used up at home"),
    Term("DDC_FIN", "DDC", "returned as an input, and exported again in final goods"),
    Term("DDC_INT", "DDC", "returned as an input, and exported again in inputs"),
    Term("MVA_FIN", "FVA", "value added of the importer in exports of final goods"),
    Term("MVA_INT", "FVA", "value added of the importer in inputs that it uses up"),
    Term("MDC", "FDC", "value added of the importer in inputs that it exports again"),
    Term("OVA_FIN", "FVA", "value added of third regions in exports of final goods"),
    Term("OVA_INT", "FVA", "value added of third regions in inputs that the importer uses up"),
    Term("ODC", "FDC", "value added of third regions in inputs that the importer exports again"),
)
AS_KWW = (
    ("DVA_FIN", ("DVA_FIN",)),
    ("DVA_INT", ("DVA_INT", "DVA_INTrexI1")),
    ("DVA_INTrex", ("DVA_INTrexF", "DVA_INTrexI2")),
    ("RDV_FIN", ("RDV_FIN", "RDV_FIN2")),
    ("RDV_INT", ("RDV_INT",)),
    ("DDC", ("DDC_FIN", "DDC_INT")),
    ("FVA_FIN", ("MVA_FIN", "OVA_FIN")),
    ("FVA_INT", ("MVA_INT", "OVA_INT")),
    ("FDC", ("MDC", "ODC")),
)
"""The nine terms of Koopman, Wang and Wei as sums of these (table E2 of the paper)."""


def wwz_terms(blocks: TradeBlocks) -> Array:
    """Return the sixteen terms of every exporting cell and importer.

    With v value shares, B = (I - A)^-1, L_ss = (I - A_ss)^-1, E exports, X output, Y final demand,
    s the exporter, r the importer, t third regions, # the product cell by cell:

    1. (v_s B_ss)' # Y_sr                    9. (v_s L_ss)' # A_sr B_rs sum over t of Y_st
    2. (v_s L_ss)' # A_sr B_rr Y_rr         10. (v_s B_ss - v_s L_ss)' # A_sr X_r
    3. (v_s L_ss)' # A_sr B_rt Y_tt         11. (v_r B_rs)' # Y_sr
    4. (v_s L_ss)' # A_sr B_rr Y_rt         12. (v_r B_rs)' # A_sr L_rr Y_rr
    5. (v_s L_ss)' # A_sr B_rt Y_tu         13. (v_r B_rs)' # A_sr L_rr E_r
    6. (v_s L_ss)' # A_sr B_rr Y_rs         14. (v_t B_ts)' # Y_sr
    7. (v_s L_ss)' # A_sr B_rt Y_ts         15. (v_t B_ts)' # A_sr L_rr Y_rr
    8. (v_s L_ss)' # A_sr B_rs Y_ss         16. (v_t B_ts)' # A_sr L_rr E_r

    t runs over all regions but s and r; in 5, u runs over all but s and t; in 9, t over all but s.

    Parameters
    ----------
    blocks : TradeBlocks

    Returns
    -------
    ndarray of float64, shape (16, n, n_regions), currency per period

    Notes
    -----
    B is made once: three matrices of n x n numbers, and 16 of n x n_regions.

    References
    ----------
    Wang, Wei and Zhu (2013), NBER working paper 19677 (revised 2018), equation 22.
    """
    b = blocks
    inverse = b.inverse
    pure, home = b.pure_home_content[:, None], b.home_content[:, None]
    final = b.final_exports
    all_final = final.sum(axis=1)
    of_home = inverse @ b.in_columns(b.final_home)  # B_rs Y_ss: row in r, column s
    of_final = inverse @ b.in_columns(all_final)  # B_rs (sum of Y_st)
    returning = (inverse @ final)[:, b.exporter_region]  # sum over t of B_rt Y_ts
    sent_back = _own_blocks_times(b, final)[:, b.exporter_region]  # B_rr Y_rs
    cells = np.arange(b.n)
    own_home = of_home[cells, b.exporter][:, None]  # B_rr Y_rr
    own_final = of_final[cells, b.exporter][:, None]  # B_rr (sum of Y_rt)
    third_home = of_home.sum(axis=1, keepdims=True) - own_home - of_home
    third_final = of_final.sum(axis=1, keepdims=True) - own_final - of_final
    of_importer = np.zeros(final.shape)
    of_importer[:, b.exporter_region] = b.content.T
    of_third = b.foreign_content[:, None] - of_importer
    used = b.inputs_for(b.at_home(b.final_home))
    again = b.inputs_for(b.at_home(b.total_exports))
    each = b.inputs_for_each
    return np.stack(
        [
            home * final,
            pure * b.inputs_for(own_home[:, 0]),
            pure * each(third_home),
            pure * each(own_final - sent_back),
            pure * each(third_final - returning + sent_back),
            pure * each(sent_back),
            pure * each(returning - sent_back),
            pure * each(of_home),
            pure * each(of_final),
            (home - pure) * b.input_exports,
            of_importer * final,
            of_importer * used,
            of_importer * again,
            of_third * final,
            of_third * used,
            of_third * again,
        ]
    )


def _own_blocks_times(blocks: TradeBlocks, columns: Array) -> Array:
    """B_rr times the rows of r, for every region."""
    return np.vstack([blocks.inverse[own, own] @ columns[own] for own in blocks.slices])
