"""A million people one by one over ten years: processor time, and what drawing alone costs.

    python benchmarks/people.py [--people 1000000] [--cells 600] [--rounds 5] [--jobs 2]

Pipelines are generated: occupations by regions, transfers, graduates of three-year programmes, from
outside or (`out of cells`) out of other occupations. Four cases: steps of a year and of a quarter,
with programmes from outside and out of cells. Time is that of the whole call after compilation,
result included; of one process. The floor is a loop that does nothing but draw the same numbers
and add them up. The largest difference from expected values is shown beside, and with `--jobs` the
results of so many workers are compared: they must be the same.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time

import numpy as np
import polars as pl
from numba import njit

from withstand.kernels.counted_draws import EVENT, draw, stream
from withstand.people.expectation import play
from withstand.people.individuals import simulate_people
from withstand.people.people_runs import CELL_FLOWS, PROGRAMME_COUNTS, STOCKS, PeopleRuns
from withstand.people.pipelines import Pipeline

YEARS, MOVES, PLACES = 10, 5, 2
LARGE = 100_000
"""People in a group that is compared with its expected value."""


def generated(people: int, cells: int, steps_per_year: int, *, out_of_cells: bool) -> Pipeline:
    """Return a pipeline of so many people at the start; 3 % more enter training in a year."""
    random = np.random.default_rng(1)
    q, steps, programmes = steps_per_year, YEARS * steps_per_year, max(1, cells // 12)
    stock = random.dirichlet(np.full(cells, 3.0)) * people * 0.95

    def per_step(rate: float) -> np.ndarray:
        return np.full(cells, 1.0 - (1.0 - rate) ** (1.0 / q))

    source = np.full(programmes, -1)
    if out_of_cells:
        source[::2] = random.integers(0, cells, len(source[::2]))
    regions = max(1, cells // 20)
    return Pipeline(
        cells=pl.DataFrame(
            {
                "occupation": [f"occupation {k // regions}" for k in range(cells)],
                "region": [f"region {k % regions}" for k in range(cells)],
                "age_band": ["all"] * cells,
                "qualification": ["all"] * cells,
            }
        ),
        programmes=pl.DataFrame(
            {
                "programme": [f"programme {k}" for k in range(programmes)],
                "occupation": ["any"] * programmes,
                "region": ["any"] * programmes,
            }
        ),
        first_year=2026,
        steps_per_year=q,
        steps=steps,
        stock=stock,
        elsewhere=stock / 19.0,
        leave=per_step(0.03),
        drift=per_step(0.02),
        comeback=per_step(0.10),
        move_indptr=MOVES * np.arange(cells + 1),
        move_to=random.integers(0, cells, MOVES * cells),
        move_share=np.full(MOVES * cells, 0.004 / q),
        move_kind=random.integers(0, 3, MOVES * cells),
        arrivals=np.full((cells, steps), 0.2 / q),
        intake=np.full((programmes, steps), 0.03 * people / programmes / q),
        length=np.full(programmes, 3 * q),
        completion=np.full(programmes, 0.7),
        source=source,
        place_indptr=PLACES * np.arange(programmes + 1),
        place_cell=random.integers(0, cells, PLACES * programmes),
        place_share=np.full(PLACES * programmes, 0.45),
        training=np.zeros((programmes, 3 * q)),
    )


@njit(nogil=True, error_model="numpy")
def _only_draw(seed, people, steps):
    total = 0.0
    for t in range(steps):
        start, increment = stream(seed, np.uint64(0), np.uint64(t), EVENT)
        for i in range(people):
            total += draw(start, increment, i)
    return total


def floor(people: int, steps: int) -> float:
    """Return the processor seconds of drawing once for everybody in every step."""
    _only_draw(np.uint64(1), 10, 1)
    begin = time.process_time()
    _only_draw(np.uint64(1), people, steps)
    return time.process_time() - begin


def timed(pipeline: Pipeline, seed: int, runs: int = 1) -> tuple[PeopleRuns, float, float]:
    """Return the result, processor and wall seconds of one process."""
    wall, cpu = time.perf_counter(), time.process_time()
    found = simulate_people(pipeline, seed=seed, runs=runs)
    return found, time.process_time() - cpu, time.perf_counter() - wall


def furthest(found: PeopleRuns, pipeline: Pipeline) -> float:
    """Return how far the mean of any large stock is from its expected value, as a share of it."""
    expected = play(pipeline)
    q = pipeline.steps_per_year
    occupations = found.cells["occupation"].to_numpy()
    wanted, mean = [], []
    for name, values in (("people_end", expected.stock), ("elsewhere_end", expected.elsewhere)):
        for group in (occupations == "occupation 0", np.full(len(occupations), True)):
            wanted.append(values[q::q].T[group].sum(0))
            mean.append(found.mean(name)[group].sum(0))
    wanted.append(expected.training[1:].sum((1, 2)))
    mean.append(found.mean("training_end").sum(0))
    a, b = np.array(mean), np.array(wanted)
    is_large = b >= min(LARGE, b.max())
    return float(np.abs(a[is_large] / b[is_large] - 1.0).max())


def same(a: PeopleRuns, b: PeopleRuns) -> bool:
    names = (*STOCKS, *CELL_FLOWS, *PROGRAMME_COUNTS, "at_work", "moved_in", "moved_out")
    return all(np.array_equal(getattr(a, name), getattr(b, name)) for name in names)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=1_000_000)
    parser.add_argument("--cells", type=int, default=600)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--jobs", type=int, default=1)
    options = parser.parse_args()
    begin = time.process_time()
    simulate_people(generated(1_000, 24, 1, out_of_cells=True), seed=0)
    print(f"first call (kernels compiled or loaded): {time.process_time() - begin:.1f} s of "
          f"processor; load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")  # fmt: skip
    for out_of_cells in (False, True):
        for q in (1, 4):
            pipeline = generated(options.people, options.cells, q, out_of_cells=out_of_cells)
            rounds = [timed(pipeline, seed) for seed in range(options.rounds)]
            found = rounds[0][0]
            cpu = statistics.median(seconds for _, seconds, _ in rounds)
            wall = statistics.median(seconds for _, _, seconds in rounds)
            ever = int(found.people_per_run[0])
            whole = found.people_end.sum(1) + found.elsewhere_end.sum(1) + found.training_end.sum(1)
            present = whole.sum() * q  # counted at the ends of years
            base = floor(int(present // pipeline.steps), pipeline.steps)
            print(f"{'out of cells' if out_of_cells else 'from outside'}, steps a year {q}: "
                  f"{ever:,} people, {cpu:.3f} s processor ({wall:.3f} s wall), "
                  f"{present / cpu / 1e6:.0f} million person-steps a second; drawing alone "
                  f"{base:.3f} s; one run furthest from expected "
                  f"{furthest(found, pipeline):.3%}")  # fmt: skip
            if options.jobs > 1:
                few = simulate_people(pipeline, seed=0, runs=3)
                many = simulate_people(pipeline, seed=0, runs=3, jobs=options.jobs)
                if not same(few, many):
                    raise SystemExit("workers give other numbers than one process")
                print(f"  {options.jobs} workers: the same bits")


if __name__ == "__main__":
    main()
