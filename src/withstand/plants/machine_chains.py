"""The exact chain of a line of machines that fail, and its long-run state.

Deterministic cycles, operation-dependent failures (Gershwin and Schick 1983): in every cycle a
machine that is up and has something to do (its input buffer not empty, its output buffer not full)
fails with chance p; one that is down is repaired with chance r; then every machine that is up and
has something to do moves one part. Machine states change first, buffers after.
"""

from __future__ import annotations

import itertools
import math

import numpy as np
from scipy import sparse
from scipy.sparse.csgraph import breadth_first_order, connected_components
from scipy.sparse.linalg import splu

from withstand.errors import SolverError, UsageError

Array = np.ndarray
MOST_STATES = 60_000
TRIES = 7
RARE = 1e5
"""A state that the most frequent one outweighs by more gives too few digits to the others."""


def count_states(n_machines: int, buffers: Array) -> int:
    """Return the number of states of a line: machines up or down, parts in each buffer."""
    return math.prod(int(b) + 1 for b in buffers) * 2**n_machines


def chain(repair: Array, failure: Array, buffers: Array) -> tuple[sparse.csr_array, Array, Array]:
    """Return the transition matrix and, by state, the parts in buffers and the machines up.

    Parameters
    ----------
    repair, failure : ndarray of float64, shape (k,), per cycle
    buffers : ndarray of int64, shape (k - 1,)
        Places between machines, the parts on the machines counted in.

    Raises
    ------
    UsageError
        If there would be too many states.
    """
    k = len(repair)
    n_states = count_states(k, buffers)
    if n_states > MOST_STATES:
        raise UsageError(
            f"The exact chain would have {n_states:,} states; the most is {MOST_STATES:,}. "
            "Use the decomposition or the simulation."
        )
    grids = [range(int(b) + 1) for b in buffers]
    levels = np.array(list(itertools.product(*grids)), dtype=np.int64).reshape(-1, k - 1)
    modes = np.array(list(itertools.product((0, 1), repeat=k)), dtype=np.int64)
    level = np.repeat(levels, len(modes), axis=0)
    mode = np.tile(modes, (len(levels), 1))
    weight = np.array([2**i for i in reversed(range(k))])
    strides = np.array([int(np.prod(np.asarray(buffers[j + 1 :]) + 1)) for j in range(k - 1)])
    can_feed = np.hstack([np.ones((n_states, 1), bool), level > 0])
    can_pass = np.hstack([level < np.asarray(buffers), np.ones((n_states, 1), bool)])
    busy = can_feed & can_pass
    rows, columns, values = [], [], []
    for target in modes:
        chance = np.ones(n_states)
        for i in range(k):
            fails = np.where(busy[:, i], failure[i], 0.0)
            up = np.where(mode[:, i] == 1, 1.0 - fails, repair[i])
            chance *= up if target[i] else 1.0 - up
        moved = busy & (target[None, :] == 1)
        after = level + moved[:, :-1] - moved[:, 1:]
        place = (after @ strides) * len(modes) + int(target @ weight)
        keep = chance > 0
        rows.append(np.flatnonzero(keep))
        columns.append(place[keep])
        values.append(chance[keep])
    entries = (np.concatenate(values), (np.concatenate(rows), np.concatenate(columns)))
    matrix = sparse.csr_array(entries, shape=(n_states, n_states))
    return matrix, level, mode


def long_run(matrix: sparse.csr_array, n_machines: int) -> Array:
    """Return the long-run share of time in each state, from an empty line with all machines up.

    Only the states that go on being visited are solved for: the others have a share of 0. Where
    several sets of states could be the last one (no line of machines that fail has them), the
    shares of the larger set are returned.

    Raises
    ------
    SolverError
        If rounding spoils the solution.
    """
    start = 2**n_machines - 1  # states are ordered by levels, then by machines up
    reached = breadth_first_order(matrix, start, return_predecessors=False)
    inner = matrix[reached][:, reached]
    _, group = connected_components(inner, connection="strong")
    entries = inner.tocoo()
    leaves = group[entries.coords[0]] != group[entries.coords[1]]
    size = np.bincount(group)
    size[group[entries.coords[0][leaves]]] = 0  # what is left for good
    last = np.flatnonzero(group == size.argmax())
    share = np.zeros(matrix.shape[0])
    share[reached[last]] = balanced(inner[last][:, last])
    return share


def balanced(matrix: sparse.csr_array) -> Array:
    """Return the long run of a chain whose states all reach each other.

    The share of one state is set to 1 and the others follow. If that one turns out to be rare, the
    answer still points at a frequent one, which takes its place.
    """
    n = matrix.shape[0]
    if n == 1:
        return np.ones(1)
    balance = (sparse.eye_array(n, format="csc") - matrix.T).tocsc()
    one = n // 2
    for _ in range(TRIES):
        others = np.delete(np.arange(n), one)
        share = np.ones(n)
        try:
            factor = splu(balance[others][:, others], permc_spec="MMD_AT_PLUS_A")
        except RuntimeError:  # so rare that the rest is singular in floating point
            one = (one + n // TRIES + 1) % n
            continue
        share[others] = factor.solve(-balance[others][:, [one]].toarray()[:, 0])
        frequent = int(np.abs(share).argmax())
        if share[frequent] <= RARE and share.min() > -1e-9 * share[frequent]:
            share = np.maximum(share, 0.0)
            return np.asarray(share / share.sum())
        one = frequent if frequent != one else (one + n // TRIES + 1) % n
    raise SolverError("The long run of the line's chain cannot be found; use plants.simulate_line.")
