"""A solve that is killed goes on from what it had learnt, to the same plan; or says why not."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from plan_cases import random_case
from withstand import plan
from withstand.errors import UsageError
from withstand.plan import kept_cuts
from withstand.readers import atomic

SEED = 1024
HOW = {"horizon": 2, "periods": 12, "step": 1, "gap": 1e-6, "method": "decomposition"}


class CutError(BaseException):
    """The process is gone."""


def solved(keep: Path | None = None, seed: int = SEED, **more: object) -> plan.Plan:
    network, options, scenarios, budget = random_case(seed)
    how = HOW | {"budget": budget} | more
    return plan.solve(network, options, scenarios, keep=keep, **how)


@pytest.fixture(scope="module")
def whole() -> plan.Plan:
    """The plan of a solve that nobody stops."""
    found = solved()
    assert found.solution.rounds > 5
    return found


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep after every round."""
    monkeypatch.setattr(kept_cuts, "EVERY_SECONDS", 0.0)
    monkeypatch.setattr(kept_cuts, "SHARE_OF_TIME", 1e9)


@pytest.mark.parametrize("last", [0, 1, 3])
def test_a_solve_that_is_cut_off_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, whole: plan.Plan, at_once: None, last: int
) -> None:
    real, rounds = kept_cuts.KeptCuts.tell, [0]

    def cut(self, store) -> None:
        rounds[0] += 1
        if rounds[0] > last:
            raise CutError
        real(self, store)

    with monkeypatch.context() as patch:
        patch.setattr(kept_cuts.KeptCuts, "tell", cut)
        with pytest.raises(CutError):
            solved(tmp_path / "k")
    again = solved(tmp_path / "k")
    assert again.value == pytest.approx(whole.value, rel=2e-6)
    assert again.chosen == whole.chosen
    assert again.findings == whole.findings
    if last == 3:
        assert again.solution.rounds < whole.solution.rounds, "it begins with what was learnt"
    once_more = solved(tmp_path / "k")
    assert once_more.value == pytest.approx(whole.value, rel=2e-6)
    assert once_more.solution.rounds <= again.solution.rounds


_DRIVER = """
import os, signal, sys
sys.path.insert(0, sys.argv[2])
from pathlib import Path
from plan.test_kept_plans import solved
from withstand.plan import kept_cuts
kept_cuts.EVERY_SECONDS, kept_cuts.SHARE_OF_TIME = 0.0, 1e9
real, count = kept_cuts.KeptCuts.tell, [0]
def tell(self, store):
    real(self, store)
    count[0] += 1
    if count[0] == 4:
        os.kill(os.getpid(), signal.SIGKILL)
kept_cuts.KeptCuts.tell = tell
solved(Path(sys.argv[1]))
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
def test_a_killed_solve_goes_on_in_another_process(tmp_path: Path, whole: plan.Plan) -> None:
    tests = str(Path(__file__).resolve().parent.parent)
    done = subprocess.run(
        [sys.executable, "-c", _DRIVER, str(tmp_path / "k"), tests],
        env=os.environ | {"PYTHONPATH": tests, "PYTHONHASHSEED": "7"},
        check=False,
    )
    assert done.returncode == -signal.SIGKILL
    again = solved(tmp_path / "k")
    assert again.value == pytest.approx(whole.value, rel=2e-6)
    assert again.chosen == whole.chosen
    assert again.solution.rounds < whole.solution.rounds


@pytest.mark.parametrize("damage", ["cut", "text", "shape", "nan"])
def test_what_was_kept_and_is_damaged_is_said_and_not_used(
    tmp_path: Path, whole: plan.Plan, damage: str
) -> None:
    solved(tmp_path / "k")
    file = tmp_path / "k" / kept_cuts.LEARNT
    data = file.read_bytes()
    if damage == "cut":
        file.write_bytes(data[: len(data) // 2])
    elif damage == "text":
        file.write_text("nothing")
    else:
        with np.load(file) as kept:
            arrays = dict(kept)
        constant = arrays["constant"]
        arrays["constant"] = constant[1:] if damage == "shape" else constant * np.nan
        np.savez(file, **arrays)
    again = solved(tmp_path / "k")
    assert [f.code for f in again.findings if f.file == kept_cuts.LEARNT] == ["W302"]
    assert again.value == pytest.approx(whole.value, rel=2e-6)
    assert [f for f in solved(tmp_path / "k").findings if f.code == "W302"] == []


def test_a_folder_of_another_plan_or_of_something_else_is_refused(tmp_path: Path) -> None:
    solved(tmp_path / "k")
    with pytest.raises(UsageError, match="keeps another plan"):
        solved(tmp_path / "k", budget=1.0)
    with pytest.raises(UsageError, match="keeps another plan"):
        solved(tmp_path / "k", seed=SEED + 1)
    (tmp_path / "k" / kept_cuts.MANIFEST).write_text("{")
    with pytest.raises(UsageError, match="damaged"):
        solved(tmp_path / "k")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "notes.txt").write_text("mine")
    with pytest.raises(UsageError, match=r"notes\.txt"):
        solved(tmp_path / "other")
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="cannot be written"):
        solved(tmp_path / "file" / "k")
    with pytest.raises(UsageError, match="keep needs method='decomposition'"):
        solved(tmp_path / "new", method="extensive")


def test_a_full_disk_is_said_and_what_was_kept_stays_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, whole: plan.Plan, at_once: None
) -> None:
    real, writes = atomic.os.fsync, [0]

    def full(handle: int) -> None:
        writes[0] += 1
        if writes[0] > 6:
            raise OSError(28, "No space left on device")
        real(handle)

    with monkeypatch.context() as patch:
        patch.setattr(atomic.os, "fsync", full)
        with pytest.raises(UsageError, match=r"No space left on device.*to go on"):
            solved(tmp_path / "k")
    assert json.loads((tmp_path / "k" / kept_cuts.MANIFEST).read_text())["kind"] == "plan"
    assert sorted(p.name for p in (tmp_path / "k").iterdir()) == ["learnt.npz", "manifest.json"]
    again = solved(tmp_path / "k")
    assert again.value == pytest.approx(whole.value, rel=2e-6)
    assert again.findings == whole.findings
