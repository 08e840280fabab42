"""The slow, obvious twin of people one by one, and the same pipeline in expected values."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import numpy as np

MODULUS = 2**64
GOLDEN = 0x9E3779B97F4A7C15
EVENT, ENTRY, ROUNDING = 1, 2, 3


# --- draws ----------------------------------------------------------------------------------------


def mix(z):
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9 % MODULUS
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB % MODULUS
    return z ^ (z >> 31)


def increment(z):
    z = (z ^ (z >> 33)) * 0xFF51AFD7ED558CCD % MODULUS
    z = (z ^ (z >> 33)) * 0xC4CEB9FE1A85EC53 % MODULUS
    z = (z ^ (z >> 33)) | 1
    return z ^ 0xAAAAAAAAAAAAAAAA if (z ^ (z >> 1)).bit_count() < 24 else z


def draw(seed, run, step, purpose, number):
    z = mix((seed + GOLDEN) % MODULUS)
    for word in (run, step, purpose):
        z = mix((z + GOLDEN * (word + 1)) % MODULUS)
    gamma = increment((z + GOLDEN) % MODULUS)
    return (mix((z + gamma * (number + 1)) % MODULUS) >> 11) / 2**53


# --- one by one -----------------------------------------------------------------------------------


@dataclass
class Story:
    """Where everybody is, at the start and after each step, and what happened how often."""

    places: list[list[tuple]]
    flows: list[Counter] = field(default_factory=list)

    def count(self, step):
        return Counter(self.places[step])


def play(pipeline, seed, run):
    """Play a pipeline with plain loops. Places: ("employed", c), ("elsewhere", c),
    ("training", p, steps left), ("gone",)."""
    people, whole = _at_start(pipeline, seed, run)
    story = Story([list(people)])
    for t in range(pipeline.steps):
        flows = Counter()
        before = list(people)
        stayed = []
        for i, place in enumerate(before):
            chances = _chances(pipeline, place)
            people[i] = place
            if place[0] == "training" and place[2] > 1:
                people[i] = ("training", place[1], place[2] - 1)
            elif chances:
                u, upto = draw(seed, run, t, EVENT, i), 0.0
                for what, to, chance in chances:
                    upto += chance
                    if u < upto:
                        people[i] = to
                        flows[what] += 1
                        break
                else:
                    stayed.append(i)
        for c in range(pipeline.n_cells):
            arriving = next(whole)
            people += [("employed", c)] * arriving
            flows["arrivals", c] = arriving
        seats = [next(whole) for _ in range(pipeline.n_programmes)]
        for p, source in enumerate(pipeline.source):
            if source < 0:
                people += [("training", p, int(pipeline.length[p]))] * seats[p]
                flows["entrants", p] += seats[p]
        _enter(pipeline, people, stayed, seats, (seed, run, t), flows)
        story.places.append(list(people))
        story.flows.append(flows)
    return story


def _at_start(pipeline, seed, run):
    """Return who is there at the start, and an iterator over the whole numbers of the steps."""
    c, p = pipeline.n_cells, pipeline.n_programmes
    longest = max([1, pipeline.training.shape[1], *pipeline.length])
    groups = [(("employed", k), pipeline.stock[k]) for k in range(c)]
    groups += [(("elsewhere", k), pipeline.elsewhere[k]) for k in range(c)]
    for left in range(1, longest + 1):
        for k in range(p):
            known = left <= pipeline.training.shape[1]
            groups.append((("training", k, left), pipeline.training[k, left - 1] if known else 0.0))
    numbers = [number for _, number in groups]
    for t in range(pipeline.steps):
        numbers += [*pipeline.arrivals[:, t], *pipeline.intake[:, t]]
    whole = iter([_rounded(x, draw(seed, run, 0, ROUNDING, g)) for g, x in enumerate(numbers)])
    people = []
    for place, _ in groups:
        people += [place] * next(whole)
    return people, whole


def _rounded(number, u):
    whole = int(number)
    return whole + (u < number - whole)


def _chances(pipeline, place):
    """Return what may happen to somebody: (flow, to, chance)."""
    if place[0] == "employed":
        c = place[1]
        found = [
            (("exits", c), ("gone",), pipeline.leave[c]),
            (("drift", c), ("elsewhere", c), pipeline.drift[c]),
        ]
        for m in range(pipeline.move_indptr[c], pipeline.move_indptr[c + 1]):
            to = ("employed", int(pipeline.move_to[m]))
            found.append((("moved", m), to, pipeline.move_share[m]))
        return found
    if place[0] == "elsewhere":
        c = place[1]
        return [
            (("comeback", c), ("employed", c), pipeline.comeback[c]),
            (("exits_elsewhere", c), ("gone",), pipeline.leave[c]),
        ]
    if place[0] == "training" and place[2] == 1:
        p = place[1]
        places = range(pipeline.place_indptr[p], pipeline.place_indptr[p + 1])
        first = int(pipeline.place_cell[places[0]])
        share = sum(pipeline.place_share[m] for m in places)
        found = [
            (
                ("placed", p, int(pipeline.place_cell[m])),
                ("employed", int(pipeline.place_cell[m])),
                pipeline.completion[p] * pipeline.place_share[m],
            )
            for m in places
        ]
        rest = pipeline.completion[p] * max(1.0 - share, 0.0)
        return [
            *found,
            (("to_elsewhere", p, first), ("elsewhere", first), rest),
            (("dropouts", p), ("gone",), 2.0),
        ]
    return []


def _enter(pipeline, people, stayed, seats, key, flows):
    """Fill seats out of cells: ask all who stayed in turn (Knuth's selection sampling)."""
    for c in range(pipeline.n_cells):
        there = [i for i in stayed if people[i] == ("employed", c)]
        open_seats = {}
        for p, source in enumerate(pipeline.source):
            if source == c:
                open_seats[p] = min(seats[p], len(there) - sum(open_seats.values()))
                flows["entrants", p] += open_seats[p]
                flows["drawn", c] += open_seats[p]
        for asked, i in enumerate(there):
            if not sum(open_seats.values()):
                break
            u, upto = draw(*key, ENTRY, i) * (len(there) - asked), 0
            for p in open_seats:
                upto += open_seats[p]
                if u < upto:
                    people[i] = ("training", p, int(pipeline.length[p]))
                    open_seats[p] -= 1
                    break


# --- in expectation -------------------------------------------------------------------------------


def expected(pipeline):
    """Return employed and elsewhere (C, T), training (P, T), graduates (P, T), gone (T,)."""
    c, p, steps = pipeline.n_cells, pipeline.n_programmes, pipeline.steps
    longest = max([1, pipeline.training.shape[1], *pipeline.length])
    move = np.zeros((c, c))
    for k in range(c):
        for m in range(pipeline.move_indptr[k], pipeline.move_indptr[k + 1]):
            move[k, pipeline.move_to[m]] += pipeline.move_share[m]
    place = np.zeros((p, c))
    to_elsewhere = np.zeros((p, c))
    for k in range(p):
        row = slice(pipeline.place_indptr[k], pipeline.place_indptr[k + 1])
        np.add.at(place[k], pipeline.place_cell[row], pipeline.place_share[row])
        to_elsewhere[k, pipeline.place_cell[row][0]] = 1.0 - pipeline.place_share[row].sum()
    employed, elsewhere = pipeline.stock.astype(float), pipeline.elsewhere.astype(float)
    training = np.zeros((p, longest))
    training[:, : pipeline.training.shape[1]] = pipeline.training
    gone = 0.0
    found = {name: [] for name in ("employed", "elsewhere", "training", "graduates", "gone")}
    for t in range(steps):
        done = training[:, 0] * pipeline.completion
        gone += (training[:, 0] - done).sum() + ((employed + elsewhere) * pipeline.leave).sum()
        training = np.hstack([training[:, 1:], np.zeros((p, 1))])
        drifting, back = employed * pipeline.drift, elsewhere * pipeline.comeback
        left = employed * (1 - pipeline.leave - pipeline.drift - move.sum(1))
        employed, elsewhere = (
            left + employed @ move + back + done @ place + pipeline.arrivals[:, t],
            elsewhere * (1 - pipeline.leave - pipeline.comeback) + drifting + done @ to_elsewhere,
        )
        for k in range(p):
            enter, source = pipeline.intake[k, t], pipeline.source[k]
            if source >= 0:
                enter = min(enter, left[source])
                left[source] -= enter
                employed[source] -= enter
            training[k, pipeline.length[k] - 1] += enter
        now = (employed, elsewhere, training.sum(1), done, gone)
        for name, value in zip(found, now, strict=True):
            found[name].append(np.array(value))
    return {name: np.array(values).T for name, values in found.items()}
