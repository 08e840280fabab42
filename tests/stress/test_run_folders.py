"""Runs that are cut off, killed, damaged or refused: resumed with the same result, or said."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import time

import pytest
from polars.testing import assert_frame_equal

from withstand.errors import UsageError
from withstand.examples import example, tiny
from withstand.executor import Processes
from withstand.model.scenario import Scenario
from withstand.model.scenario_sets import every, region_pairs, single_failures
from withstand.stress import ensembles
from withstand.stress.ensemble_engines import play_item
from withstand.stress.ensembles import ensemble, resume
from withstand.stress.run_folders import RunFolder


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Ten scenarios in three parts, played whole: network, scenarios, folder, result."""
    monkeypatch.setattr(ensembles, "CHUNK", 4)
    net = example()
    scenarios = single_failures(net, duration="8w")[:10]
    folder = tmp_path / "run"
    return net, scenarios, folder, ensemble(net, scenarios, out=folder)


@pytest.fixture
def played(monkeypatch):
    """Numbers of the scenarios that are really played."""
    numbers = []

    def counted(shared, item):
        numbers.append(item[0])
        return play_item(shared, item)

    monkeypatch.setattr(ensembles, "play_item", counted)
    return numbers


def test_a_run_goes_on_from_the_parts_on_disk(run, played):
    net, scenarios, folder, whole = run
    (folder / "part-000001.parquet").unlink()
    again = ensemble(net, scenarios, out=folder)
    assert played == [4, 5, 6, 7]
    assert_frame_equal(again.outcomes, whole.outcomes, check_exact=True)
    assert again.findings == ()


def test_a_run_goes_on_without_its_scenarios(run, played):
    net, _, folder, whole = run
    (folder / "part-000002.parquet").unlink()
    again = resume(net, folder)
    assert played == [8, 9]
    assert_frame_equal(again.outcomes, whole.outcomes, check_exact=True)
    assert again.targets == whole.targets


def test_a_run_of_years_in_which_nothing_strikes_goes_on(tmp_path):
    calm = [Scenario(name="calm", shocks=(), probability=0.5)] * 2
    whole = ensemble(tiny(), calm, out=tmp_path, engine="bracket", rules="ario")
    again = resume(tiny(), tmp_path)
    assert again.is_sample
    assert_frame_equal(again.outcomes, whole.outcomes)
    assert again.provenance.parameters == whole.provenance.parameters


@pytest.mark.parametrize("damage", ["cut", "bit", "empty", "text", "rows", "other"])
def test_a_damaged_part_is_found_named_and_played_again(run, played, damage):
    net, scenarios, folder, whole = run
    file = folder / "part-000001.parquet"
    data = bytearray(file.read_bytes())
    if damage == "cut":
        file.write_bytes(data[: len(data) // 2])
    elif damage == "bit":  # in the first page, after the magic word and the page header
        place = data.index(b"loses") + 2
        data[place] ^= 1
        file.write_bytes(data)
    elif damage == "empty":
        file.write_bytes(b"")
    elif damage == "text":
        file.write_text("number,scenario\n4,x\n")
    elif damage == "rows":
        RunFolder(folder, json.loads((folder / "manifest.json").read_text()), scenarios).write(
            1, whole.outcomes[4:7]
        )
    else:
        file.write_bytes((folder / "part-000000.parquet").read_bytes())
    again = ensemble(net, scenarios, out=folder)
    assert played == [4, 5, 6, 7]
    assert_frame_equal(again.outcomes, whole.outcomes, check_exact=True)
    (finding,) = again.findings
    assert (finding.code, finding.file) == ("W302", "part-000001.parquet")
    assert "scenarios 5 to 8" in finding.what
    assert ensemble(net, scenarios, out=folder).findings == ()


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"periods": 40}, "periods"),
        ({"engine": "cascade"}, "engine"),
        ({"rules": "ario"}, "rules"),
    ],
)
def test_a_folder_of_another_run_is_refused(run, change, named):
    net, scenarios, folder, _ = run
    with pytest.raises(UsageError, match=f"another run.*{named}"):
        ensemble(net, scenarios, out=folder, **change)


def test_a_folder_of_other_scenarios_or_another_network_is_refused(run):
    net, scenarios, folder, _ = run
    with pytest.raises(UsageError, match="scenarios"):
        ensemble(net, scenarios[:9], out=folder)
    with pytest.raises(UsageError, match="network"):
        resume(net.under_rule("shared"), folder)


def test_a_folder_that_holds_something_else_is_refused(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(UsageError, match=r"notes\.txt"):
        ensemble(tiny(), single_failures(tiny()), out=tmp_path)
    with pytest.raises(UsageError, match="holds no run"):
        resume(tiny(), tmp_path)


@pytest.mark.parametrize("name", ["manifest.json", "scenarios.json"])
@pytest.mark.parametrize("text", ["", "{", "[3]", '{"format": 99}'])
def test_a_damaged_plan_is_said(tmp_path, name, text):
    ensemble(tiny(), single_failures(tiny()), out=tmp_path)
    (tmp_path / name).write_text(text)
    with pytest.raises(UsageError, match=name):
        resume(tiny(), tmp_path)


def test_a_run_with_weights_is_not_resumed_without_them(tmp_path):
    ensemble(
        tiny(), every(tiny(), "nodes"), engine="cascade", weights=[1.0, 1.0, 1.0], out=tmp_path
    )
    with pytest.raises(UsageError, match="weights"):
        resume(tiny(), tmp_path)


def test_a_place_that_cannot_be_written_is_said(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="cannot be written"):
        ensemble(tiny(), single_failures(tiny()), out=tmp_path / "file" / "run")


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="needs a file system that refuses")  # noqa: PTH112
def test_a_read_only_place_is_said():
    with pytest.raises(UsageError, match="cannot be written"):
        ensemble(tiny(), single_failures(tiny()), out="/proc/self/run")


def test_a_full_disk_is_said_and_what_was_written_is_kept(tmp_path, monkeypatch):
    monkeypatch.setattr(ensembles, "CHUNK", 1)
    original = RunFolder.write
    scenarios = every(tiny(), "nodes")

    def full(self, number, part):
        if number < 2:
            return original(self, number, part)
        return self._replace(self.part(number), _half_written)

    monkeypatch.setattr(RunFolder, "write", full)
    with pytest.raises(UsageError, match=r"No space left.*go on"):
        ensemble(tiny(), scenarios, out=tmp_path)
    names = sorted(p.name for p in tmp_path.iterdir())
    assert names == [
        "manifest.json",
        "part-000000.parquet",
        "part-000001.parquet",
        "scenarios.json",
    ]
    monkeypatch.setattr(RunFolder, "write", original)
    assert_frame_equal(
        resume(tiny(), tmp_path).outcomes, ensemble(tiny(), scenarios).outcomes, check_exact=True
    )


def _half_written(path):
    path.write_bytes(b"PAR1")
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


_FULL = """
import resource, sys
from withstand.errors import UsageError
from withstand.examples import tiny
from withstand.model.scenario_sets import every
from withstand.stress.ensembles import ensemble
resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))  # files end at 2 kB, as on a full disk
try:
    ensemble(tiny(), every(tiny(), "nodes"), out=sys.argv[1])
except UsageError as error:
    print(error)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="needs limits on the size of files")
def test_a_write_that_the_system_cuts_off_is_said(tmp_path):
    out = tmp_path / "run"
    done = subprocess.run(
        [sys.executable, "-c", _FULL, str(out)], capture_output=True, text=True, check=False
    )
    assert "cannot be written" in done.stdout, done.stderr
    assert not list(out.glob("part-*"))
    assert not list(out.glob(".*"))


# --- killed --------------------------------------------------------------------------------------

_DRIVER = """
import sys
from withstand.examples import example
from withstand.model.scenario_sets import region_pairs
from withstand.stress import ensembles
if __name__ == "__main__":
    ensembles.CHUNK = 8
    net = example()
    ensembles.ensemble(net, region_pairs(net)[:120], out=sys.argv[1], jobs=int(sys.argv[2]))
"""


@pytest.mark.slow
@pytest.mark.parametrize("jobs", [1, 2])
def test_a_killed_driver_is_resumed_with_the_same_result(tmp_path, monkeypatch, jobs):
    """Kill -9 after the first parts are there; the rest is played by the next call."""
    out = tmp_path / "run"
    driver = subprocess.Popen([sys.executable, "-c", _DRIVER, str(out), str(jobs)])
    for _ in range(1200):
        if len(list(out.glob("part-*.parquet"))) >= 2 or driver.poll() is not None:
            break
        time.sleep(0.05)
    assert driver.poll() is None, "the driver ended before it could be killed"
    os.kill(driver.pid, signal.SIGKILL)
    driver.wait()
    monkeypatch.setattr(ensembles, "CHUNK", 8)
    net = example()
    before = len(list(out.glob("part-*.parquet")))
    assert before < 15
    resumed = resume(net, out)
    whole = ensemble(net, region_pairs(net)[:120])
    assert_frame_equal(resumed.outcomes, whole.outcomes, check_exact=True)
    assert resumed.findings == ()


@pytest.mark.slow
def test_a_killed_worker_is_replaced_and_the_result_is_the_same(tmp_path):
    """Kill -9 one of two workers after 30 scenarios; nothing is lost, nothing is played twice."""
    net = example()
    scenarios = region_pairs(net)[:120]
    runner = Processes(2)
    killed = []

    def kill(stage, done, total):
        if done == 30:
            killed.append(next(iter(runner._workers()._processes)))
            os.kill(killed[0], signal.SIGKILL)

    try:
        result = ensemble(net, scenarios, runner=runner, progress=kill, out=tmp_path / "run")
    finally:
        runner.close()
    assert killed
    assert_frame_equal(result.outcomes, ensemble(net, scenarios).outcomes, check_exact=True)
