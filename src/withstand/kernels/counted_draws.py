"""Random numbers by counting: a draw is a function of who draws, when and what for.

SplitMix64 (Steele, Lea & Flood 2014, Fast splittable pseudorandom number generators; constants of
Stafford's variant 13 and, for increments, of MurmurHash3, as in Java's SplittableRandom): the n-th
number of a stream is mix(start + n * increment), so any number is had without those before it, by
any worker. Each (seed, run, step, purpose) is a stream with a start and an odd increment of its
own; two streams can share single numbers, never a stretch of them.

All arithmetic is modulo 2^64. Numpy's scalars wrap round too, but warn: where compilation is off,
call within `numpy.errstate(over="ignore")`.
"""

from __future__ import annotations

import numpy as np
from numba import njit

GOLDEN = np.uint64(0x9E3779B97F4A7C15)
"""2^64 over the golden ratio, made odd: the increment of the published generator."""
EVENT, ENTRY, ROUNDING = np.uint64(1), np.uint64(2), np.uint64(3)
"""What a draw is for: what happens to a person, who enters a programme, fractions of people."""
_TO_UNIT = 2.0**-53

_ONE = np.uint64(1)
_S11, _S27, _S30, _S31, _S33 = (np.uint64(n) for n in (11, 27, 30, 31, 33))
_M1, _M2 = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_G1, _G2 = np.uint64(0xFF51AFD7ED558CCD), np.uint64(0xC4CEB9FE1A85EC53)
_ALTERNATING = np.uint64(0xAAAAAAAAAAAAAAAA)
_FEW_CHANGES = np.int64(24)


@njit(cache=True, nogil=True, error_model="numpy")
def mix(z):
    """Return 64 bits that each depend on all bits of z; one to one."""
    z = (z ^ (z >> _S30)) * _M1
    z = (z ^ (z >> _S27)) * _M2
    return z ^ (z >> _S31)


@njit(cache=True, nogil=True, error_model="numpy")
def stream(seed, run, step, purpose):
    """Return start and increment of the numbers for one purpose in one step of one run."""
    start = mix(seed + GOLDEN)
    start = mix(start + GOLDEN * (run + _ONE))
    start = mix(start + GOLDEN * (step + _ONE))
    start = mix(start + GOLDEN * (purpose + _ONE))
    return start, _increment(start + GOLDEN)


@njit(cache=True, nogil=True, error_model="numpy")
def _increment(z):
    """Return an odd number with enough changes from bit to bit to step through the range."""
    z = (z ^ (z >> _S33)) * _G1
    z = (z ^ (z >> _S33)) * _G2
    z = (z ^ (z >> _S33)) | _ONE
    changes = z ^ (z >> _ONE)
    count = np.int64(0)
    for _ in range(64):
        count += np.int64(changes & _ONE)
        changes >>= _ONE
    return z ^ _ALTERNATING if count < _FEW_CHANGES else z


@njit(cache=True, nogil=True, error_model="numpy")
def draw(start, increment, number):
    """Return the number of a person (counted from 0) in a stream, 0 to below 1, of 53 bits."""
    z = mix(start + increment * (np.uint64(number) + _ONE))
    return np.float64(z >> _S11) * _TO_UNIT


@njit(cache=True, nogil=True, error_model="numpy")
def round_people(seed, run, people, out):
    """Make whole people out of fractions, right in the mean: 3.4 is 4 in two of five runs, else 3.

    Parameters
    ----------
    seed, run : uint64
    people : ndarray of float64, shape (n,), not negative
    out : ndarray of int64, shape (n,), people
        Written in place. Depends on seed, run and place in the array only.
    """
    start, increment = stream(seed, run, np.uint64(0), ROUNDING)
    for g in range(len(people)):
        whole = np.floor(people[g])
        out[g] = np.int64(whole)
        if draw(start, increment, g) < people[g] - whole:
            out[g] += 1
