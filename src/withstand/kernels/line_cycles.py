"""A line of machines that fail, cycle by cycle.

In every cycle machine states change first (a machine that is up and works fails, one that is down
is repaired), then every machine that is up and has something to do moves one part.
"""

from __future__ import annotations

from numba import njit


@njit(cache=True, error_model="numpy")
def run_line(repair, failure, places, draws, up, level, made, starved, blocked, in_buffer):
    """Play the cycles of `draws` on a line and add up what happens.

    Parameters
    ----------
    repair, failure : ndarray of float64, shape (k,), per cycle
    places : ndarray of int64, shape (k - 1,)
        Places between machines.
    draws : ndarray of float64, shape (n_cycles, k), 0 to 1
        Randomness, handed in.
    up : ndarray of int64, shape (k,)
        1 for machines that are up; the state, changed in place, as is `level`.
    level : ndarray of int64, shape (k - 1,)
    made : ndarray of int64, shape (k,)
        Parts that each machine has moved, added to in place, as are the next three.
    starved, blocked : ndarray of int64, shape (k,)
        Cycles in which a machine that is up has no part, or no room.
    in_buffer : ndarray of int64, shape (k - 1,)
        Sum of the levels after each cycle.
    """
    k = len(repair)
    for t in range(draws.shape[0]):
        for i in range(k):
            has_part = i == 0 or level[i - 1] > 0
            has_room = i == k - 1 or level[i] < places[i]
            up[i] = _state(up[i], has_part and has_room, draws[t, i], failure[i], repair[i])
            starved[i] += up[i] == 1 and not has_part
            blocked[i] += up[i] == 1 and not has_room
        _move(up, level, places, made)
        for i in range(k - 1):
            in_buffer[i] += level[i]


@njit(cache=True, error_model="numpy")
def _state(up, is_busy, draw, failure, repair):
    """Return whether a machine is up after it may have failed, or been repaired."""
    if up == 1:
        return 0 if is_busy and draw < failure else 1
    return 1 if draw < repair else 0


@njit(cache=True, error_model="numpy")
def _move(up, level, places, made):
    """Let every machine that can move one part; levels at the cycle's start decide."""
    k = len(up)
    works = up[0] == 1 and (k == 1 or level[0] < places[0])
    for i in range(k):
        is_last = i == k - 1
        # the next one is asked before this one changes the level between them
        has_next = not is_last and up[i + 1] == 1 and level[i] > 0
        next_works = has_next and (i + 1 == k - 1 or level[i + 1] < places[i + 1])
        if works:
            made[i] += 1
            if i > 0:
                level[i - 1] -= 1
            if not is_last:
                level[i] += 1
        works = next_works
