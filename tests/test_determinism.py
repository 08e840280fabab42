"""The same numbers whatever the number of workers, the process, and the seed of Python's hashes."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys

import numpy as np
import pytest

PLAYED = """
import hashlib, json, sys
import numpy as np
import withstand as ws
from withstand.model.scenario_sets import single_failures
from test_determinism import fingerprints
print(json.dumps(fingerprints(int(sys.argv[1]))))
"""


def _digest(*arrays: object) -> str:
    digest = hashlib.blake2b(digest_size=12)
    for array in arrays:
        values = np.ascontiguousarray(array)
        digest.update(repr(values.tolist()).encode() if values.dtype == object else
                      f"{values.dtype} {values.shape}".encode() + values.tobytes())  # fmt: skip
    return digest.hexdigest()


def fingerprints(jobs: int) -> dict[str, str]:
    """Return a hash of the numbers of each engine that takes workers."""
    import withstand as ws
    from people.test_individuals import pipeline_of
    from plan_cases import random_case
    from withstand.model.scenario_sets import single_failures
    from withstand.people import simulate_people

    net = ws.example("robot_maker")
    frame = ws.stress.ensemble(net, single_failures(net, duration="8w")[:12], jobs=jobs).outcomes
    risk = ws.stress.esri(net, jobs=jobs)
    network, options, scenarios, budget = random_case(1024)
    plan = ws.plan.solve(network, options, scenarios, budget=budget, horizon=2, periods=12,
                         step=1, gap=1e-6, method="decomposition", jobs=jobs)  # fmt: skip
    people = simulate_people(pipeline_of(stock=np.array([40.0])), seed=3, runs=6, jobs=jobs)
    return {
        "network": net.fingerprint(),
        "ensemble": _digest(*(c.to_numpy() for c in frame.get_columns())),
        "esri": _digest(risk.to_frame()["esri"].to_numpy()),
        "plan": _digest(plan.solution.first, plan.losses),
        "people": _digest(*(c.to_numpy() for c in people.to_frame().get_columns())),
    }


@pytest.mark.slow
def test_workers_processes_and_hash_seeds_change_nothing() -> None:
    here = fingerprints(1)
    assert fingerprints(2) == here
    for seed, jobs in (("1", "1"), ("2", "2")):
        done = subprocess.run(
            [sys.executable, "-c", PLAYED, jobs],
            capture_output=True,
            text=True,
            check=True,
            env=os.environ | {"PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path)},
        )
        assert json.loads(done.stdout) == here
