"""Spoilt files give a result or findings in words: kept cases, and a short row of new ones.

The long row is a command: python benchmarks/fuzzing.py --cases 10000
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import fuzz_runs
import fuzz_targets
from fuzz_mutations import spoil
from fuzz_runs import kept, made_small, outcome_of, play, steps_of
from fuzz_targets import BY_NAME, TARGETS, JudgedError, Target, good_files, judge
from thoroughness import THOROUGH
from withstand.errors import DataError, UsageError
from withstand.model.findings import make_finding

NAMES = [t.name for t in TARGETS]
ROW = 8
CASES = 300 if THOROUGH else 6


@pytest.mark.parametrize("name", NAMES)
def test_the_good_files_are_read(name: str) -> None:
    assert outcome_of(BY_NAME[name], good_files(name), is_deep=True) == ("read", None, "")


@pytest.mark.parametrize("name", [t.name for t in TARGETS if kept(t)])
def test_cases_that_failed_once_do_not_fail_again(name: str) -> None:
    for digest, files in kept(BY_NAME[name]):
        outcome, kind, text = outcome_of(BY_NAME[name], files, is_deep=True)
        assert kind is None, f"{name} {digest} {outcome}: {kind}: {text}"


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_a_row_of_spoilt_files(name: str) -> None:
    target = BY_NAME[name]
    failures = [f for _, f in (play(target, ROW, case) for case in range(CASES)) if f is not None]
    assert not failures, "\n".join(map(str, failures))


# --- the harness itself --------------------------------------------------------------------------


def test_a_case_is_the_same_every_time_and_spoils_something() -> None:
    spoilt = 0
    for case in range(40):
        steps = steps_of(BY_NAME["csv"], 1, case)
        once = spoil(good_files("csv"), steps)
        assert once == spoil(good_files("csv"), steps_of(BY_NAME["csv"], 1, case))
        spoilt += once != good_files("csv")
    assert spoilt > 30


def _failing(place: Path) -> object:
    text = (place / "a.csv").read_bytes()
    if b"bad" in text:
        raise KeyError("a bug")
    if b"mute" in text:
        raise DataError([make_finding("E116", "x\x1b[31m", fix="")])
    if b"loop" in text:
        while True:
            pass
    raise UsageError("no")


@pytest.fixture
def target(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Target:
    """A door that has a bug, and seeds of its own."""
    new = Target("failing", lambda place: (place / "a.csv").write_text("a,b\n"), _failing)
    monkeypatch.setitem(fuzz_targets.BY_NAME, "failing", new)
    monkeypatch.setattr(fuzz_runs, "SEEDS", tmp_path / "seeds")
    return new


def test_a_bug_is_found_made_small_and_kept(target: Target, tmp_path: Path) -> None:
    files = {"a.csv": b"one,two\nsome,bad,row\n" * 9}
    outcome, kind, text = outcome_of(target, files)
    assert (outcome, kind, text) == ("failed", "KeyError  in ?", "'a bug'")
    failure = fuzz_runs.Failure("failing", 1, str(kind), text, files)
    small = made_small(target, failure)
    assert small == {"a.csv": b"bad"}
    fuzz_runs.keep(target, small)
    ((_, again),) = kept(target)
    assert again == small
    shutil.rmtree(tmp_path / "seeds")
    assert kept(target) == []


def test_what_hangs_or_says_nothing_of_use_is_a_failure(
    target: Target, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(fuzz_runs, "LONGEST_SECONDS", 0.2)
    assert "TooLongError" in str(outcome_of(target, {"a.csv": b"loop"})[1])
    assert outcome_of(target, {"a.csv": b"fine"}) == ("refused", None, "")
    (tmp_path / "a.csv").write_bytes(b"x")
    with pytest.raises(JudgedError, match="an empty message"):
        judge(Target("t", _failing, lambda _: (_ for _ in ()).throw(UsageError(" "))), tmp_path)
