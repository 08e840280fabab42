"""Jobs run in order, in this process or in others; lost workers are replaced, files removed."""

from __future__ import annotations

import operator
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest

from withstand.cli import main
from withstand.cli.output import _Settings
from withstand.errors import MissingExtraError, ScenarioError, UsageError
from withstand.executor import Inline, Processes, executor
from withstand.model.findings import make_finding


def test_one_job_stays_in_this_process():
    assert isinstance(executor(None), Inline)
    assert isinstance(executor(1), Inline)


@pytest.mark.parametrize("jobs", [0, -2, 1.5, True, "2", "ray:", "processes:0", "cluster"])
def test_numbers_of_jobs_that_cannot_be_are_refused(jobs):
    with pytest.raises(UsageError, match="jobs"):
        executor(jobs)


def test_the_command_line_refuses_workers_that_cannot_be(capsys):
    assert main(["measure", "--jobs", "cluster"]) == 2
    assert "ray:HOST:PORT" in capsys.readouterr().err


def test_commands_that_work_on_one_machine_refuse_a_cluster():
    settings = _Settings()
    settings.set_jobs("processes:2")
    assert settings.workers == "processes:2"
    with pytest.raises(UsageError, match="this machine only"):
        settings.own_jobs
    settings.set_jobs("-1")
    assert settings.workers == settings.own_jobs == -1


def test_what_a_cluster_needs_is_said_where_it_is_missing(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(MissingExtraError, match=r"withstand\[cluster\]"):
        executor("ray")


def test_inline_runs_only_what_is_asked_for():
    seen = []
    results = Inline().map(lambda shared, item: seen.append(item) or item, None, [1, 2, 3])
    assert next(results) == 1
    assert seen == [1]


# The jobs stand in a module that workers can import: those of a test file cannot.
_JOBS = """
import os, signal, time
from pathlib import Path
from withstand.errors import ScenarioError
from withstand.model.findings import make_finding


def add(shared, item):
    time.sleep(0.001 * (item % 3))
    return float(shared[item % 5]) + item


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


@pytest.fixture
def jobs(tmp_path, monkeypatch):
    """Return a module of jobs that this process and its workers can import."""
    (tmp_path / "some_jobs.py").write_text(_JOBS, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    import importlib

    return importlib.import_module("some_jobs")


@pytest.fixture
def workers():
    """Two worker processes, new ones."""
    from joblib.externals.loky import get_reusable_executor

    get_reusable_executor(max_workers=2, reuse=False).shutdown()
    two = Processes(2)
    yield two
    two.close()


@pytest.mark.slow
def test_processes_share_arrays_keep_the_order_and_clean_up():
    two = Processes(2)
    shared = two.put(np.arange(5.0))
    assert list(two.map(operator.getitem, shared, [k % 5 for k in range(300)])) == [
        float(k % 5) for k in range(300)
    ]
    folder = two._folder
    two.close()
    assert not folder.exists()


@pytest.mark.slow
def test_a_worker_that_is_killed_is_replaced(jobs, workers, tmp_path):
    shared = workers.put(str(tmp_path / "flag"))
    assert list(workers.map(jobs.die_once, shared, range(100))) == list(range(100))
    assert (tmp_path / "flag").exists()


@pytest.mark.slow
def test_a_job_that_kills_every_worker_is_given_up_and_named(jobs, workers):
    results = workers.map(jobs.die, workers.put(None), range(20))
    with pytest.raises(UsageError, match=r"at item 8 of 20.*Use fewer jobs"):
        list(results)


@pytest.mark.slow
def test_findings_travel_back_from_a_worker(jobs, workers):
    with pytest.raises(ScenarioError) as caught:
        list(workers.map(jobs.fail, workers.put(None), range(20)))
    assert caught.value.findings == (make_finding("E301", "no such thing", value=5),)


@pytest.mark.slow
def test_who_stops_listening_leaves_the_workers_ready(jobs, workers):
    shared = workers.put(np.arange(5.0))
    results = workers.map(jobs.add, shared, range(500))
    assert next(results) == 0.0
    results.close()
    assert list(workers.map(jobs.add, shared, range(6))) == [0.0, 2.0, 4.0, 6.0, 8.0, 5.0]


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="processes are not looked up there")
def test_files_of_a_killed_process_are_removed_by_the_next(tmp_path, monkeypatch):
    code = "from withstand.executor import Processes; import time\nP = Processes(2); P.put(1)\n"
    code += "print(P._folder, flush=True); time.sleep(60)"
    other = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    left = Path(other.stdout.readline().strip())
    own = Processes(2)  # the other one lives: its files stay
    assert left.exists()
    own.close()
    os.kill(other.pid, signal.SIGKILL)
    other.wait()
    other.stdout.close()
    Processes(2).close()
    assert not left.exists()
    assert left.parent == Path(tempfile.gettempdir())


@pytest.mark.slow
def test_a_place_without_room_for_the_shared_value_is_said(monkeypatch):
    two = Processes(2)
    two.close()  # its folder is gone
    with pytest.raises(UsageError, match=r"cannot be shared.*one job"):
        two.put(np.arange(5.0))
