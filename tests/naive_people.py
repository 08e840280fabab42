"""The slow, obvious twin of the expected pipeline: one rule at a time, people in dictionaries."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from withstand.people.pipelines import Pipeline


def play_by_hand(p: Pipeline) -> dict[str, Any]:
    """Return stocks of every step, entrants of each programme, who is gone, who is in training."""
    work = {c: float(p.stock[c]) for c in range(p.n_cells)}
    elsewhere = {c: float(p.elsewhere[c]) for c in range(p.n_cells)}
    training = {
        (k, left): float(p.training[k, left - 1])
        for k in range(p.n_programmes)
        for left in range(1, int(p.length[k]) + 1)
    }
    gone = 0.0
    entrants = [0.0] * p.n_programmes
    history, beside = [list(work.values())], [list(elsewhere.values())]
    largest = sum(work.values()) + sum(elsewhere.values()) + sum(training.values())
    for t in range(p.steps):
        new_work: dict[int, float] = defaultdict(float)
        new_elsewhere: dict[int, float] = defaultdict(float)
        new_training: dict[tuple[int, int], float] = defaultdict(float)
        for (k, left), people in training.items():
            if left > 1:
                new_training[k, left - 1] += people
                continue
            done = people * p.completion[k]
            gone += people - done
            first, after = int(p.place_indptr[k]), int(p.place_indptr[k + 1])
            homeless = done
            for row in range(first, after):
                new_work[int(p.place_cell[row])] += done * p.place_share[row]
                homeless -= done * p.place_share[row]
            new_elsewhere[int(p.place_cell[first])] += max(homeless, 0.0)
        left_in = {}
        for c, people in work.items():
            staying = people
            gone += people * p.leave[c]
            staying -= people * p.leave[c]
            new_elsewhere[c] += people * p.drift[c]
            staying -= people * p.drift[c]
            for row in range(int(p.move_indptr[c]), int(p.move_indptr[c + 1])):
                new_work[int(p.move_to[row])] += people * p.move_share[row]
                staying -= people * p.move_share[row]
            left_in[c] = max(staying, 0.0)
        for c, people in elsewhere.items():
            new_work[c] += people * p.comeback[c]
            gone += people * p.leave[c]
            new_elsewhere[c] += max(people - people * p.comeback[c] - people * p.leave[c], 0.0)
        for c in range(p.n_cells):
            new_work[c] += p.arrivals[c, t]
            largest += p.arrivals[c, t]
        for k in range(p.n_programmes):
            wanted = float(p.intake[k, t])
            source = int(p.source[k])
            if source >= 0:
                wanted = min(wanted, left_in[source])
                left_in[source] -= wanted
            else:
                largest += wanted
            new_training[k, int(p.length[k])] += wanted
            entrants[k] += wanted
        work = {c: left_in[c] + new_work[c] for c in range(p.n_cells)}
        elsewhere = {c: new_elsewhere[c] for c in range(p.n_cells)}
        training = new_training
        history.append(list(work.values()))
        beside.append(list(elsewhere.values()))
    return {
        "stock": history,
        "elsewhere": beside,
        "entrants": entrants,
        "gone": gone,
        "training": [
            [training.get((k, left), 0.0) for left in range(1, int(p.length[k]) + 1)]
            for k in range(p.n_programmes)
        ],
        "largest": largest,
    }
