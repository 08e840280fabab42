"""From national flows to flows between regions that add up to them exactly."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from withstand.measures.matrix_balancing import gras

if TYPE_CHECKING:
    from withstand.measures.national_flows import NationalFlows

Array = np.ndarray
POOLED = (0.0, 0.01, 0.05, 0.2, 1.0)
"""Shares of pooled supply that are tried in turn where the quotients leave no balanced table."""
GAP = 1e-11
ROUNDS = (2_000, 2_000, 2_000, 2_000, 20)


@dataclass(frozen=True, kw_only=True, eq=False)
class InterregionalFlows:
    """Flows between the industries of regions, in currency per period; nodes region by region.

    Parameters
    ----------
    flows : ndarray of float64, shape (R n + m, R n + m)
    final : ndarray of float64, shape (R n + m, R n_final_home + n_final_abroad)
    output, value_added : ndarray of float64, shape (R n,)
    own_before : ndarray of float64, shape (R, n, n)
        What industries buy in their own region by the quotients alone.
    pooled : ndarray of float64, shape (n,), 0 to 1
        Share of pooled supply that each industry's sales needed.
    rounds : ndarray of int64, shape (n,)
    gap : float
        Largest relative distance of the sales of a region's industry from its output.
    """

    flows: Array
    final: Array
    output: Array
    value_added: Array
    own_before: Array
    pooled: Array
    rounds: Array
    gap: float


def interregional_flows(
    nation: NationalFlows,
    made: Array,
    used: Array,
    quotients: Array,
    final_quotients: Array,
    nearness: Array,
) -> InterregionalFlows:
    """Split the nation's flows over regions, product by product.

    A region's industry buys of each product what its part of the national industry buys. The
    quotient says how much of that is its region's own; the rest comes from the other regions in
    proportion to what they make, times nearness. Then rows (what each region makes of the product)
    and columns (what each buyer takes of it) are balanced.

    Parameters
    ----------
    nation : NationalFlows
    made : ndarray of float64, shape (R, n), 0 to 1
        Part of each region in the nation's output of each industry; columns sum to 1.
    used : ndarray of float64, shape (R,), 0 to 1
        Part of each region in the nation's final demand; sums to 1.
    quotients : ndarray of float64, shape (R, n, n), 0 to 1
        Share of purchases that the own region meets: seller's row, buyer's column.
    final_quotients : ndarray of float64, shape (R, n), 0 to 1
        The same for final users.
    nearness : ndarray of float64, shape (R, R), 0 or more
        How readily the row sells to the column; the diagonal is not used.
    """
    n_regions, n = made.shape
    m, n_home, n_abroad = (len(nation.others), len(nation.final_home), len(nation.final_abroad))
    size, cells = n_regions * n + m, n_regions * n
    table = nation.network.flow_table
    assert table is not None
    flows = np.zeros((size, size))
    final = np.zeros((size, n_regions * n_home + n_abroad))
    own = np.minimum(quotients, 1.0) * (made > 0)[:, :, None]
    own_final = np.minimum(final_quotients, 1.0) * (made > 0)
    pooled, rounds, gap = np.zeros(n), np.zeros(n, dtype=np.int64), 0.0
    for i in range(n):
        bought = made * nation.flows[i]  # by region and industry
        wanted = used[:, None] * nation.final[i]
        seed, even = _seeds(made[:, i], nearness, own[:, i], own_final[:, i], bought, wanted)
        abroad = np.outer(made[:, i], nation.exports[i])
        seed, even = np.hstack([seed, abroad]), np.hstack([even, abroad])
        values, pooled[i], rounds[i], missed = _balanced(seed, even)
        gap = max(gap, missed)
        rows = np.arange(n_regions) * n + i
        end = cells + n_regions * n_home
        flows[rows, :cells] = values[:, :cells]
        final[rows, : n_regions * n_home] = values[:, cells:end]
        flows[rows, cells:] = values[:, end : end + m]
        final[rows, n_regions * n_home :] = values[:, end + m :]
    flows[cells:, :cells] = (nation.imports[:, None, :] * made).reshape(m, cells)
    flows[cells:, cells:] = table.flows[np.ix_(nation.others, nation.others)]
    final[cells:, : n_regions * n_home] = (
        nation.final_imports[:, None, :] * used[:, None]
    ).reshape(m, n_regions * n_home)
    final[cells:, n_regions * n_home :] = table.final[np.ix_(nation.others, nation.final_abroad)]
    return InterregionalFlows(
        flows=flows,
        final=final,
        output=(made * nation.output).ravel(),
        value_added=(made * nation.value_added).ravel(),
        own_before=own * made[:, None, :] * nation.flows,
        pooled=pooled,
        rounds=rounds,
        gap=gap,
    )


def _seeds(
    made: Array, nearness: Array, own: Array, own_final: Array, bought: Array, wanted: Array
) -> tuple[Array, Array]:
    """Return who sells one product to whom: by quotients, and as if supply were pooled.

    Shape (R, R n + R n_final): seller's region, buyer region by region, users region by region.
    """
    n_regions = len(made)
    from_others = made[:, None] * nearness
    np.fill_diagonal(from_others, 0.0)
    total = from_others.sum(axis=0)
    has_others = total > 0
    from_others = from_others / np.where(has_others, total, 1.0)
    parts, pools = [], []
    for share, amount in (
        (own, bought),
        (np.repeat(own_final[:, None], wanted.shape[1], 1), wanted),
    ):
        kept = np.where(has_others[:, None], share, 1.0) * amount
        seed = from_others[:, :, None] * (amount - kept)[None]
        on = np.arange(n_regions)
        seed[on, on] = kept
        parts.append(seed.reshape(n_regions, -1))
        pools.append(np.outer(made, amount.ravel()))
    return np.hstack(parts), np.hstack(pools)


def _balanced(seed: Array, even: Array) -> tuple[Array, float, int, float]:
    """Balance one product's sales; mix in pooled supply, which is balanced, as far as needed."""
    rows, columns = even.sum(axis=1), even.sum(axis=0)
    done = 0
    values, gap, share = even, 0.0, 1.0
    for share, most in zip(POOLED, ROUNDS, strict=True):
        mixed = (1.0 - share) * seed + share * even
        values, _, _, rounds, gap = gras(mixed, rows, columns, GAP, most)
        done += rounds
        if gap <= GAP:
            break
    return values, share, done, gap
