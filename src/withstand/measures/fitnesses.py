"""Fitness and complexity: what a place can do is worth most where the less able cannot."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

Array = np.ndarray

TOLERANCE = 1e-10
MOST_ROUNDS = 1_000
_TINY = 1e-250  # below it a fitness is 0 for all that follows
_DECAY = -0.5  # a fitness that falls faster than rounds ** -0.5 goes to 0


class Fitness(NamedTuple):
    """Fitness (n_places,), quality (n_products,), how it ended.

    `vanishing` (n_places,) tells whose fitness goes to 0.
    """

    fitness: Array
    quality: Array
    rounds: int
    is_settled: bool
    vanishing: Array


def fitness_complexity(
    present: Array, *, tolerance: float = TOLERANCE, most_rounds: int = MOST_ROUNDS
) -> Fitness:
    """Return fitness of places and quality of products.

        F_c = sum_p M_cp Q_p,        Q_p = 1 / sum_c M_cp / F_c,

    in rounds from 1 on, both from the values of the last round and divided by their
    mean. It stops when no value moved by more than `tolerance`, or after `most_rounds`.

    Parameters
    ----------
    present : ndarray of float64, shape (n_places, n_products), 0 or 1
        No row and no column may be empty.
    tolerance : float
        In units of the mean, which is 1.
    most_rounds : int

    Notes
    -----
    Some matrices let the fitness of some places go to 0, slowly (like 1 / rounds) or at once, and
    with it the quality of what they make (Pugliese, Zaccaria and Pietronero 2016). Such a value
    depends on when one stops, its rank does not as a rule. A place is called vanishing if its
    fitness fell faster than the inverse square root of the rounds over the second half of them.

    References
    ----------
    Tacchella, Cristelli, Caldarelli, Gabrielli & Pietronero (2012), A new metrics for countries'
    fitness and products' complexity, Scientific Reports 2:723, equation 1.

    Examples
    --------
    Two places with one product each are alike.

    >>> fitness_complexity(np.eye(2)).fitness.tolist()
    [1.0, 1.0]
    """
    m, n = present.shape
    fitness, quality = np.ones(m), np.ones(n)
    mark, before = 1, fitness
    rounds, is_settled = 0, False
    while rounds < most_rounds and not is_settled:
        if rounds == 2 * mark:
            mark, before = rounds, fitness
        last_fitness, last_quality = fitness, quality
        fitness = present @ last_quality
        quality = 1.0 / ((1.0 / np.maximum(last_fitness, _TINY)) @ present)
        fitness /= fitness.mean()
        quality /= quality.mean()
        rounds += 1
        moved = max(np.abs(fitness - last_fitness).max(), np.abs(quality - last_quality).max())
        is_settled = bool(moved <= tolerance)
    ratio = np.maximum(fitness, _TINY) / np.maximum(before, _TINY)
    slope = np.log(ratio) / np.log(max(rounds / mark, 1.0 + 1e-9))
    return Fitness(fitness, quality, rounds, is_settled, (fitness < 0.1) & (slope < _DECAY))
