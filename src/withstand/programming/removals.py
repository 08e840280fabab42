"""The same system with some blocks of A taken out: a low-rank change, no new factor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from withstand.errors import SolverError
from withstand.programming.krylov import krylov_solve

if TYPE_CHECKING:
    from withstand.programming.leontief import LeontiefSystem

Array = np.ndarray
SMALL_PART = 4
"""The formula of Woodbury is taken up to a rank of one in so many cells."""
COPIED_PART = 8
"""Blocks of up to one in so many flows of a matrix are copied; larger ones are read in place."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Block:
    """Purchases that are taken out: those of the cells `columns` from the cells `rows`.

    Parameters
    ----------
    rows, columns : ndarray of int64
        No two blocks of one removal may overlap.
    """

    rows: Array
    columns: Array


def solve_without(
    system: LeontiefSystem, blocks: list[Block], rhs: Array, transposed: bool = False
) -> Array:
    """Return (I - A*)^-1 rhs, where A* is A with some blocks set to zero.

    From the factor of I - A by the formula of Woodbury where it stands ready and the blocks are
    narrow; else by rounds.

    Parameters
    ----------
    system : LeontiefSystem
    blocks : list of Block
    rhs : ndarray of float64, shape (n,)
    transposed : bool
        Solve with (I - A*)' instead.

    Returns
    -------
    ndarray of float64, shape (n,)

    References
    ----------
    Woodbury (1950), Inverting modified matrices; Golub and Van Loan (2013), 2.1.4.

    Examples
    --------
    Two cells that buy from each other; without the second one's purchases from the first.

    >>> from withstand.programming.leontief import LeontiefSystem
    >>> system = LeontiefSystem(np.array([[0.0, 5.0], [4.0, 0.0]]), np.array([10.0, 10.0]))
    >>> first, second = np.array([0]), np.array([1])
    >>> block = Block(rows=first, columns=second)
    >>> solve_without(system, [block], np.array([10.0, 0.0])).round(9).tolist()
    [10.0, 4.0]
    """
    rank = sum(min(len(block.rows), len(block.columns)) for block in blocks)
    is_small = rank * SMALL_PART <= system.n
    if system.is_factored and is_small:
        return woodbury(system, blocks, rhs, transposed)
    try:
        return by_rounds(system, blocks, rhs, transposed)
    except SolverError:  # close to singular: the factor is slower and surer
        if not system.can_factor:
            raise
        return woodbury(system, blocks, rhs, transposed)


def woodbury(
    system: LeontiefSystem, blocks: list[Block], rhs: Array, transposed: bool = False
) -> Array:
    """Return (I - A*)^-1 rhs from the factor of I - A and a small dense system.

    I - A* = I - A + P Q' with P and Q of as many columns as the shorter side of each block. So
    x = S rhs - S P (I + Q' S P)^-1 Q' S rhs, S the solution with the factor; refined once.
    """
    taken = [(block, _values(system, block)) for block in blocks]
    parts = [_factors(system.n, block, values) for block, values in taken]
    left = np.hstack([p for p, _ in parts] or [np.zeros((system.n, 0))])
    right = np.hstack([q for _, q in parts] or [np.zeros((system.n, 0))])
    if transposed:
        left, right = right, left
    solve = system.solve_transposed if transposed else system.solve
    solved = solve(left)
    small = np.eye(left.shape[1]) + right.T @ solved

    def once(vector: Array) -> Array:
        plain = solve(vector)
        return plain - solved @ np.linalg.solve(small, right.T @ plain)

    found = once(rhs)
    return found + once(rhs - _apply(system, [*taken], found, transposed))


def by_rounds(
    system: LeontiefSystem, blocks: list[Block], rhs: Array, transposed: bool = False
) -> Array:
    """Return (I - A*)^-1 rhs by products only: no factor is made."""
    largest = 0 if system.is_sparse else system.n**2 / COPIED_PART
    taken = [
        (b, _values(system, b) if len(b.rows) * len(b.columns) <= largest else None) for b in blocks
    ]
    system.certify()
    return krylov_solve(lambda v: _apply(system, taken, v, transposed), rhs)


def _values(system: LeontiefSystem, block: Block) -> Array:
    """A[rows, columns], dense."""
    if system.is_sparse:
        found = system.flows[block.rows][:, block.columns].toarray()
    else:
        found = system.flows[np.ix_(block.rows, block.columns)]
    return found * system.per_output[block.columns] * system.row_factor[block.rows, None]


def _factors(n: int, block: Block, values: Array) -> tuple[Array, Array]:
    """P and Q with P Q' the block in its place."""
    n_rows, n_columns = values.shape
    rank = min(n_rows, n_columns)
    left, right = np.zeros((n, rank)), np.zeros((n, rank))
    if n_rows <= n_columns:
        left[block.rows, np.arange(rank)] = 1.0
        right[block.columns] = values.T
    else:
        left[block.rows] = values
        right[block.columns, np.arange(rank)] = 1.0
    return left, right


def _apply(
    system: LeontiefSystem,
    taken: list[tuple[Block, Array | None]],
    vector: Array,
    transposed: bool,
) -> Array:
    """(I - A*) v, or its transposed; a block without values is read from the whole table."""
    found = system.apply(vector, transposed)
    for block, values in taken:
        into, out_of = block.rows, block.columns
        if transposed:
            into, out_of = out_of, into
        if values is not None:
            found[into] += (values.T if transposed else values) @ vector[out_of]
            continue
        part = np.zeros(system.n)
        part[out_of] = vector[out_of]
        found[into] += (part - system.apply(part, transposed))[into]
    return found
