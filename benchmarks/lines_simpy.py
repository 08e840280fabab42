"""The line of `lines.py` in SimPy: a script for an interpreter that has SimPy.

    PYTHON benchmarks/lines_simpy.py CYCLES [--seed 1]

A machine is a process: it takes a place behind it and a part before it, works one cycle, or with
chance p one more than a geometric number of cycles of mean 1 / r (so it fails only while it works),
and hands on. A failed part costs one event, not one a cycle: this is the quick way to say it in
SimPy. Prints a line of JSON: parts per cycle, wall and processor seconds, version. Nothing of
withstand is imported here.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import sys
import time
from importlib.metadata import version

import simpy

REPAIR, FAILURE, PLACES, MACHINES = 0.1, 0.01, 10, 3


def machine(env, number, parts, room, made, draw):
    """Play one machine for ever."""
    log_stay = math.log(1.0 - REPAIR)
    while True:
        if number < MACHINES - 1:
            yield room[number].get(1)
        if number > 0:
            yield parts[number - 1].get(1)
        cycles = 1
        if draw() < FAILURE:
            cycles += max(1, math.ceil(math.log(1.0 - draw()) / log_stay))
        yield env.timeout(cycles)
        made[number] += 1
        if number < MACHINES - 1:
            yield parts[number].put(1)
        if number > 0:
            yield room[number - 1].put(1)


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("cycles", type=int)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args(argv)
    env = simpy.Environment()
    gaps = range(MACHINES - 1)
    parts = [simpy.Container(env, capacity=PLACES) for _ in gaps]
    room = [simpy.Container(env, capacity=PLACES, init=PLACES) for _ in gaps]
    made = [0] * MACHINES
    draw = random.Random(args.seed).random
    for number in range(MACHINES):
        env.process(machine(env, number, parts, room, made, draw))
    warm = args.cycles // 10
    env.run(until=warm)
    before = made[-1]
    wall, cpu = time.perf_counter(), time.process_time()
    env.run(until=warm + args.cycles)
    seconds = [time.perf_counter() - wall, time.process_time() - cpu]
    answer = {
        "throughput": (made[-1] - before) / args.cycles,
        "wall_s": seconds[0],
        "cpu_s": seconds[1],
        "cycles": args.cycles,
        "simpy": version("simpy"),
    }
    print(json.dumps(answer))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
