"""People one by one: each is in one state, and what happens to a person is that person's own draw.

States are numbers. Of C cells and P programmes: c is employed in cell c, C + c qualified for it but
elsewhere, 2 C + k P + p in training p with k + 1 steps left, and the last number gone. So those
who draw in a step come first (employed, elsewhere, one step of training left), and all others in
training move on by subtracting P.

The order of events is that of `withstand.people.pipelines`.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from withstand.kernels.counted_draws import ENTRY, EVENT, draw, stream

Array = np.ndarray
ALWAYS = 2.0
"""Above every draw: the last outcome of those who cannot stay."""
TOGETHER = np.int64(512)
"""People who draw one after the other, so that their draws stay in the first-level cache."""
_UNMARKED, _CHANGED = np.int64(0), np.int64(-1)
"""A state is written as it is, or as its complement: the person came in this step."""


class PeopleArrays(NamedTuple):
    """States and what may happen in them: pass it through `read_only`.

    S states; in those before `n_drawing` = 2 C + P a draw decides.

    Parameters
    ----------
    n_cells, n_programmes : int
        C and P.
    some_change : ndarray of float64, shape (S,), 0 to 1, or ALWAYS
        Chance that a person does not stay: for those who draw, all outcomes together; in training
        ALWAYS; 0 for who is gone.
    outcomes_indptr : ndarray of int64, shape (n_drawing + 1,)
        Groups the outcomes by state.
    outcome_below : ndarray of float64, shape (n_outcomes,)
        Chances added up within the state: the first outcome above the draw is what happens.
    outcome_to : ndarray of int64, shape (n_outcomes,)
        The state that it leads to.
    last_slot : ndarray of int64, shape (P,)
        The state of those who enter a programme.
    sources_indptr : ndarray of int64, shape (C + 1,)
    source_programme : ndarray of int64
        The programmes that take their entrants from a cell, in their order.
    """

    n_cells: int
    n_programmes: int
    some_change: Array
    outcomes_indptr: Array
    outcome_below: Array
    outcome_to: Array
    last_slot: Array
    sources_indptr: Array
    source_programme: Array


class Newcomers(NamedTuple):
    """Who joins, in groups by step: pass it through `read_only`.

    Parameters
    ----------
    groups_indptr : ndarray of int64, shape (T + 2,)
        Group 0: there at the start; group t + 1: joining in step t.
    group_state : ndarray of int64, shape (n_groups,)
    group_person : ndarray of int64, shape (n_groups + 1,)
        Number of the first person of each group.
    seats : ndarray of int64, shape (T, P), people
        Of programmes that take entrants out of a cell, else 0.
    all_seats : ndarray of int64, shape (T,), people
        Those of a step together.
    """

    groups_indptr: Array
    group_state: Array
    group_person: Array
    seats: Array
    all_seats: Array


class PeopleWork(NamedTuple):
    """Memory of the kernel, written in place; made by `new_work`.

    Parameters
    ----------
    state : ndarray of int32, shape (n_people,)
        Where everybody is, at the end of the last step. int32: it is read in every step.
    now : ndarray of int64, shape (S,), people
        How many are in each state.
    stayed : ndarray of int64, shape (C,), people
        At work in a cell at the start of the step and still, not yet asked whether they enter.
    need, open_seats : ndarray of int64, shapes (P,) and (C,), people
        Seats still to be filled out of cells, by programme and by cell.
    draws, changing : ndarray of float64 and of int64, shape (TOGETHER,)
        Of some people at a time: what they drew, and which of them do not stay.
    """

    state: Array
    now: Array
    stayed: Array
    need: Array
    open_seats: Array
    draws: Array
    changing: Array


class PeopleCounts(NamedTuple):
    """What is counted, added to in place; made by `new_counts`.

    Parameters
    ----------
    stock : ndarray of int64, shape (years, S), people
        In each state at the end of each year.
    times : ndarray of int64, shape (years, n_outcomes), people
    at_work : ndarray of int64, shape (years, C), people x steps
        At work at the start of each step, added up over the year.
    recruited : ndarray of int64, shape (years, P), people
        Entrants of programmes that take them out of cells.
    """

    stock: Array
    times: Array
    at_work: Array
    recruited: Array


def new_work(people, n_people):
    """Return memory to play so many people together."""
    return PeopleWork(
        state=np.empty(n_people, np.int32),
        now=np.empty(len(people.some_change), np.int64),
        stayed=np.empty(people.n_cells, np.int64),
        need=np.empty(people.n_programmes, np.int64),
        open_seats=np.empty(people.n_cells, np.int64),
        draws=np.empty(TOGETHER),
        changing=np.empty(TOGETHER, np.int64),
    )


def new_counts(people, n_years):
    """Return counts of nobody."""
    return PeopleCounts(
        stock=np.zeros((n_years, len(people.some_change)), np.int64),
        times=np.zeros((n_years, len(people.outcome_to)), np.int64),
        at_work=np.zeros((n_years, people.n_cells), np.int64),
        recruited=np.zeros((n_years, people.n_programmes), np.int64),
    )


def read_only(arrays):
    """Return the tuple with every array read-only, contiguous, and float64 or int64."""
    fitted = {}
    for name, values in arrays._asdict().items():
        if isinstance(values, np.ndarray):
            kind = np.float64 if values.dtype.kind == "f" else np.int64
            fitted[name] = np.ascontiguousarray(values, kind).view()
            fitted[name].flags.writeable = False
    return arrays._replace(**fitted)


@njit(cache=True, nogil=True, error_model="numpy")
def play_people(people, newcomers, seed, run, first, last, steps_per_year, work, out):
    """Play the persons first to last - 1 of a run through all steps.

    Where no programme takes entrants out of a cell, nobody depends on anybody else, and a run may
    be played in any blocks of persons, to be added up. Otherwise: in one.

    Parameters
    ----------
    people : PeopleArrays
    newcomers : Newcomers
    seed, run : uint64
    first, last : int
        Persons; numbered as they join.
    steps_per_year : int
    work : PeopleWork
        For last - first people; holds the state of each at the end.
    out : PeopleCounts
        Added to in place.
    """
    state, now = work.state, work.now
    _clear(now)
    n = _join(newcomers, np.int64(0), first, last, np.int64(0), state, now)
    for t in range(len(newcomers.groups_indptr) - 2):
        year = t // steps_per_year
        has_seats = newcomers.all_seats[t] > 0
        mark = _CHANGED if has_seats else _UNMARKED
        start, increment = stream(seed, run, np.uint64(t), EVENT)
        _add(now[: people.n_cells], out.at_work[year])
        _move_on(people, work)
        _happen(people, start, increment, first, n, mark, work, out.times[year])
        if has_seats:  # before others join, who may not enter in this step
            _seats(people, newcomers.seats[t], work, out.recruited[year])
            start, increment = stream(seed, run, np.uint64(t), ENTRY)
            _enter(people, start, increment, first, n, work)
        n = _join(newcomers, np.int64(t + 1), first, last, n, state, now)
        if (t + 1) % steps_per_year == 0:
            _add(now, out.stock[year])


# Plain loops: numba takes half a second to compile each whole-array assignment.


@njit(cache=True, nogil=True, error_model="numpy")
def _clear(values):
    for k in range(len(values)):
        values[k] = 0


@njit(cache=True, nogil=True, error_model="numpy")
def _add(values, to):
    for k in range(len(values)):
        to[k] += values[k]


@njit(cache=True, nogil=True, error_model="numpy")
def _join(newcomers, group_of, first, last, n, state, now):
    """Add the newcomers of one group of groups to n persons; return how many there are then."""
    for g in range(newcomers.groups_indptr[group_of], newcomers.groups_indptr[group_of + 1]):
        begin = max(newcomers.group_person[g], first)
        end = min(newcomers.group_person[g + 1], last)
        if end > begin:
            s = newcomers.group_state[g]
            for i in range(begin - first, end - first):
                state[i] = s
            now[s] += end - begin
            n = end - first
    return n


@njit(cache=True, nogil=True, error_model="numpy")
def _move_on(people, work):
    """Count everybody in training one slot further; who had one step left is counted later."""
    now = work.now
    for c in range(people.n_cells):
        work.stayed[c] = now[c]
    begin, n_programmes = 2 * people.n_cells, people.n_programmes
    gone = len(now) - 1
    for s in range(begin, gone - n_programmes):
        now[s] = now[s + n_programmes]
    for s in range(max(begin, gone - n_programmes), gone):
        now[s] = 0


@njit(cache=True, nogil=True, error_model="numpy")
def _happen(people, start, increment, first, n, mark, work, times):
    """Let everybody draw and who does not stay change; the others in training move on.

    Who changes by a draw is written as the complement of the new state if `mark` says so; `stayed`,
    from those at work in each cell, becomes those of them who did not change.

    Some people at a time: drawing in a loop of its own is done by vectors, and finding those who
    change without a branch does not stumble over what no processor can foresee.
    """
    n_drawing = 2 * people.n_cells + people.n_programmes
    n_staying = 2 * people.n_cells  # of the others who draw nobody stays: _move_on took them out
    state, draws, changing, now = work.state, work.draws, work.changing, work.now
    for begin in range(0, n, TOGETHER):
        size = min(TOGETHER, n - begin)
        for j in range(size):
            draws[j] = draw(start, increment, first + begin + j)
        count = np.int64(0)
        for j in range(size):
            changing[count] = j
            count += np.int64(draws[j] < people.some_change[state[begin + j]])
        for h in range(count):
            i = begin + changing[h]
            s = state[i]
            if s >= n_drawing:
                state[i] = s - people.n_programmes
                continue
            u = draws[changing[h]]
            e = people.outcomes_indptr[s]
            while u >= people.outcome_below[e]:
                e += 1
            to = people.outcome_to[e]
            state[i] = to ^ mark
            times[e] += 1
            now[to] += 1
            if s < n_staying:
                now[s] -= 1
                if s < people.n_cells:
                    work.stayed[s] -= 1


@njit(cache=True, nogil=True, error_model="numpy")
def _seats(people, seats, work, recruited):
    """Find how many enter each programme out of its cell, never more than are left there."""
    _clear(work.need)
    for c in range(people.n_cells):
        work.open_seats[c] = 0
        for k in range(people.sources_indptr[c], people.sources_indptr[c + 1]):
            p = people.source_programme[k]
            work.need[p] = min(seats[p], work.stayed[c] - work.open_seats[c])
            work.open_seats[c] += work.need[p]
    _add(work.need, recruited)


@njit(cache=True, nogil=True, error_model="numpy")
def _enter(people, start, increment, first, n, work):
    """Choose who enters: exactly so many, everybody who stayed in the cell with the same chance.

    Selection sampling (Knuth 1981, 3.4.2, algorithm S), for several programmes at once: a person
    enters with chance open seats / people not yet asked, the programmes in proportion to theirs.
    The marks of those who changed are taken away.
    """
    state, stayed, open_seats = work.state, work.stayed, work.open_seats
    for i in range(n):
        c = state[i]
        if c < 0:
            state[i] = ~c
        elif c < people.n_cells and open_seats[c] > 0:
            u = draw(start, increment, first + i) * stayed[c]  # below stayed[c], also rounded
            stayed[c] -= 1
            if u < open_seats[c]:
                p = _programme(people, c, u, work.need)
                work.need[p] -= 1
                open_seats[c] -= 1
                work.now[c] -= 1
                work.now[people.last_slot[p]] += 1
                state[i] = people.last_slot[p]


@njit(cache=True, nogil=True, error_model="numpy")
def _programme(people, c, u, need):
    """Return the programme whose open seats, laid end to end, u falls into."""
    k = people.sources_indptr[c]
    upto = need[people.source_programme[k]]
    while u >= upto:
        k += 1
        upto += need[people.source_programme[k]]
    return people.source_programme[k]
