"""A line of machines with cycles of their own, part by part.

A machine begins a part when it is free, the part is there, and there will be room for it: the part
that holds the last place behind it is done. Nothing else is needed: no clock, no list of events.
"""

from __future__ import annotations

from numba import njit


@njit(cache=True, error_model="numpy")
def run_parts(times, places, done, first, starved, blocked, in_buffer):
    """Play the parts of `times` on a line and add up who waits.

    Parameters
    ----------
    times : ndarray of float64, shape (n_parts, k), seconds
        What each part takes on each machine, failures included; randomness, handed in.
    places : ndarray of int64, shape (k - 1,)
        Places between machines, those on the machines counted in.
    done : ndarray of float64, shape (width, k), seconds
        When the last parts were done, part j in row j mod width; width is above all places. The
        state, changed in place.
    first : int
        Number of the first part; parts before are taken as done in row (j mod width), or at 0.
    starved, blocked : ndarray of float64, shape (k,), seconds
        Time that a free machine waits for a part, or for room; added to in place, as is the next.
    in_buffer : ndarray of float64, shape (k - 1,), seconds
        Time that parts spend between being done at a machine and at the next.
    """
    k = times.shape[1]
    width = done.shape[0]
    for n in range(times.shape[0]):
        j = first + n
        row, before = j % width, (j - 1) % width
        for i in range(k):
            free = done[before, i]
            part = done[row, i - 1] if i > 0 else free
            room = done[(j - places[i]) % width, i + 1] if i < k - 1 else free
            begin = max(free, part, room)
            starved[i] += max(0.0, part - free)
            blocked[i] += max(0.0, room - free)
            done[row, i] = begin + times[n, i]
            if i > 0:
                in_buffer[i - 1] += done[row, i] - done[row, i - 1]
