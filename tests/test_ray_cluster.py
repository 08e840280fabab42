"""A cluster gives the numbers of one process; lost workers and drivers lose nothing.

One cluster serves the whole file; it is started here and fetches nothing.
"""

from __future__ import annotations

import gc
import json
import logging
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np
import pytest
from scipy import sparse

from withstand.cli import main
from withstand.errors import ScenarioError, UsageError
from withstand.examples import example, tiny
from withstand.executor import Inline, Processes, executor
from withstand.executor.ray_cluster import Ray
from withstand.model.findings import make_finding
from withstand.model.scenario_sets import single_failures
from withstand.programming.solving import solve_two_stage
from withstand.programming.two_stage import FirstStage, Recourse, TwoStage
from withstand.stress import ensemble, esri
from withstand.stress.ensembles import resume

ray = pytest.importorskip("ray", reason="the extra [cluster] is not installed")
pytestmark = pytest.mark.slow

# The jobs stand in a module that workers can import: those of a test file cannot.
_JOBS = """
import os, signal, time
from pathlib import Path
from withstand.errors import ScenarioError
from withstand.model.findings import make_finding


def add(shared, item):
    time.sleep(0.001 * (item % 3))
    return float(shared[item % 5]) + item


def is_writeable(shared, item):
    return shared.flags.writeable, os.getpid()


def die_once(flag, item):
    if item == 37 and not Path(flag).exists():
        Path(flag).write_text("")
        os.kill(os.getpid(), signal.SIGKILL)
    return item


def die(shared, item):
    if item == 7:
        os.kill(os.getpid(), signal.SIGKILL)
    return item


def fail(shared, item):
    if item == 5:
        raise ScenarioError([make_finding("E301", "no such thing", value=item)])
    return item
"""


@pytest.fixture(scope="module")
def jobs():
    """A module of jobs that this process and the workers can import."""
    place = tempfile.mkdtemp(prefix="jobs-")
    Path(place, "cluster_jobs.py").write_text(_JOBS, encoding="utf-8")
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join([place, *([before] if before else [])])
    sys.path.insert(0, place)
    import importlib

    yield importlib.import_module("cluster_jobs")
    sys.path.remove(place)
    if before is None:
        del os.environ["PYTHONPATH"]
    else:
        os.environ["PYTHONPATH"] = before
    shutil.rmtree(place, ignore_errors=True)


@pytest.fixture(scope="module")
def address(jobs):
    """The address of a cluster of this file's own."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    place = tempfile.mkdtemp(prefix="ray-")  # sockets need short paths
    for attempt in range(3):
        try:
            ray.init(
                address="local",
                num_cpus=4,  # two workers for this file, two for a driver that is killed
                object_store_memory=100 * 2**20,
                include_dashboard=False,
                log_to_driver=False,
                logging_level=logging.ERROR,
                _temp_dir=place,
            )
            break
        except Exception as error:  # a busy machine does not start it in the time that Ray allows
            ray.shutdown()
            if attempt == 2:
                pytest.skip(f"Ray does not start here: {error}")
    yield ray.get_runtime_context().gcs_address
    with warnings.catch_warnings():  # it stops its processes and does not wait for them
        warnings.simplefilter("ignore", ResourceWarning)
        ray.shutdown()
        gc.collect()
    shutil.rmtree(place, ignore_errors=True)


@pytest.fixture(scope="module")
def cluster(address):
    """Workers on that cluster, kept over the tests."""
    workers = Ray(address, n_workers=2, preload=("withstand.stress.ensembles",))
    yield workers
    workers.close()


def test_results_come_in_order_from_arrays_that_are_shared_and_read_only(cluster, jobs):
    shared = cluster.put(np.arange(5.0))
    found = list(cluster.map(jobs.add, shared, range(300)))
    assert found == list(Inline().map(jobs.add, np.arange(5.0), range(300)))
    told = set(cluster.map(jobs.is_writeable, shared, range(40)))
    assert {writeable for writeable, _ in told} == {False}
    assert os.getpid() not in {process for _, process in told}


def test_a_worker_that_is_killed_is_replaced(cluster, jobs, tmp_path):
    shared = cluster.put(str(tmp_path / "flag"))
    assert list(cluster.map(jobs.die_once, shared, range(100))) == list(range(100))
    assert (tmp_path / "flag").exists()


def test_a_job_that_kills_every_worker_is_given_up_and_named(cluster, jobs):
    results = cluster.map(jobs.die, cluster.put(None), range(20))
    with pytest.raises(UsageError, match=r"3 times at item 8 of 20.*Use fewer jobs"):
        list(results)


def test_findings_travel_back_in_their_place(cluster, jobs):
    results = cluster.map(jobs.fail, cluster.put(None), range(20))
    assert [next(results) for _ in range(5)] == [0, 1, 2, 3, 4]
    with pytest.raises(ScenarioError) as caught:
        next(results)
    assert caught.value.findings == (make_finding("E301", "no such thing", value=5),)


def test_who_stops_listening_leaves_the_workers_ready(cluster, jobs):
    shared = cluster.put(np.arange(5.0))
    results = cluster.map(jobs.add, shared, range(500))
    assert next(results) == 0.0
    results.close()
    assert list(cluster.map(jobs.add, shared, range(6))) == [0.0, 2.0, 4.0, 6.0, 8.0, 5.0]


def test_another_address_is_refused_while_one_is_connected(address):
    with pytest.raises(UsageError, match=rf"connected to the cluster at {address}"):
        executor("ray:10.0.0.1:6379")


# the work of the package


@pytest.fixture(scope="module")
def processes():
    """Two worker processes on this machine."""
    two = Processes(2)
    yield two
    two.close()


def _kill_a_worker(cluster, jobs):
    """Kill one of the workers, from outside."""
    told = cluster.map(jobs.is_writeable, cluster.put(np.zeros(1)), range(8))
    os.kill(sorted({process for _, process in told})[0], signal.SIGKILL)


def test_an_ensemble_gives_the_same_numbers_though_a_worker_is_killed_on_its_way(cluster, jobs):
    network = example("robot_maker")
    scenarios = single_failures(network, duration="4w")[:40]
    expected = ensemble(network, scenarios)
    done = []

    def kill(stage, count, total):
        done.append(count)
        if count == 7:
            for slot in cluster._slots[:1]:
                os.kill(ray.get(slot.worker.hello.remote())[1], signal.SIGKILL)

    found = ensemble(network, scenarios, runner=cluster, progress=kill)
    assert found.outcomes.equals(expected.outcomes)
    assert done == list(range(len(scenarios) + 1))


def test_systemic_risk_of_every_node_is_the_same_everywhere(cluster, processes):
    network = example("robot_maker")
    here = esri(network, bounds=True, jobs=1)
    for runner in (Inline(), processes, cluster):
        there = esri(network, bounds=True, runner=runner)
        for name in ("esri", "down", "up", "iterations", "low", "high"):
            assert np.array_equal(getattr(there, name), getattr(here, name), equal_nan=True), name


@pytest.fixture(scope="module")
def programme():
    """Build capacity of five kinds for eight needs of six goods; many answers cost the same."""
    rng = np.random.default_rng(5)
    kinds, goods = 5, 6
    first = FirstStage(
        cost=np.array([3.0, 3.0, 4.0, 5.0, 6.0]),
        lower=np.zeros(kinds),
        upper=np.full(kinds, 10.0),
        integer=np.array([True, True, False, False, True]),
        matrix=sparse.csr_array(np.ones((1, kinds))),
        row_lower=np.array([0.0]),
        row_upper=np.array([25.0]),
    )
    makes = np.zeros((goods + kinds, kinds * goods + goods))
    for k in range(kinds):
        for g in range(goods):
            makes[g, k * goods + g] = 1.0
            makes[goods + k, k * goods + g] = 1.0
    makes[:goods, kinds * goods :] = np.eye(goods)  # what is not met
    uses = np.zeros((goods + kinds, kinds))
    uses[goods:] = np.eye(kinds)
    cost = np.concatenate([rng.integers(1, 4, kinds * goods), np.full(goods, 12)]).astype(float)
    parts = tuple(
        Recourse(
            name=f"S{s}",
            probability=1 / 8,
            cost=cost,
            lower=np.zeros(len(cost)),
            upper=np.full(len(cost), np.inf),
            matrix=sparse.csr_array(makes),
            row_lower=np.concatenate([rng.integers(0, 7, goods), np.full(kinds, -np.inf)]),
            row_upper=np.concatenate([np.full(goods, np.inf), np.zeros(kinds)]),
            on_rows=sparse.csr_array(uses),
            on_upper=sparse.csr_array((len(cost), kinds)),
        )
        for s in range(8)
    )
    return TwoStage(first=first, scenarios=parts)


def test_the_l_shaped_method_takes_the_same_steps_though_a_worker_is_killed(
    cluster, processes, jobs, programme
):
    here = solve_two_stage(programme, method="decomposition", gap=1e-9)
    whole = solve_two_stage(programme, method="extensive", gap=1e-9)
    assert here.objective == pytest.approx(whole.objective, rel=1e-7)
    assert here.rounds > 5
    asked = []

    def kill(stage, rounds, total):
        asked.append(rounds)
        if rounds == 4:
            _kill_a_worker(cluster, jobs)

    for runner, progress in ((Inline(), None), (processes, None), (cluster, kill)):
        there = solve_two_stage(
            programme, method="decomposition", gap=1e-9, runner=runner, progress=progress
        )
        assert there.objective == here.objective
        assert there.bound == here.bound
        assert (there.rounds, there.cuts) == (here.rounds, here.cuts)
        assert np.array_equal(there.first, here.first)
        assert np.array_equal(there.answers, here.answers)
    assert 4 in asked


def test_the_command_line_works_on_the_cluster(address, capsys):
    def said(jobs):
        every = ["--all", "nodes", "--engine", "cascade", "--top", "5", "--json"]
        assert main(["stress", "--project", "example:robot_maker", "--jobs", jobs, *every]) == 0
        return json.loads(capsys.readouterr().out)

    assert said(f"ray:{address}") == said("1")


_DRIVER = """
import sys, time
from withstand.examples import tiny
from withstand.model.scenario_sets import single_failures
from withstand.stress import ensemble

ensemble(tiny(), single_failures(tiny(), duration="12w") * 100, jobs=sys.argv[1], out=sys.argv[2],
         progress=lambda stage, done, total: time.sleep(0.02))
"""


def test_a_run_whose_driver_is_killed_goes_on_where_it_stopped(cluster, address, tmp_path):
    scenarios = single_failures(tiny(), duration="12w") * 100
    out = tmp_path / "run"
    driver = subprocess.Popen([sys.executable, "-c", _DRIVER, f"ray:{address}", str(out)])
    ends = time.monotonic() + 120
    while not (out / "part-000000.parquet").exists() and driver.poll() is None:
        assert time.monotonic() < ends
        time.sleep(0.05)
    driver.kill()
    assert driver.wait() == -signal.SIGKILL
    kept = sorted(p.name for p in out.glob("part-*.parquet"))
    assert 0 < len(kept) < -(-len(scenarios) // 64)
    played = []
    found = resume(
        tiny(), out, runner=cluster, progress=lambda stage, done, total: played.append(done)
    )
    assert played[0] == 64 * len(kept)  # what was written is not played again
    assert found.outcomes.equals(ensemble(tiny(), scenarios).outcomes)
