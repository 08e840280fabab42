"""Rows of fuzz cases: a seed gives a case, a case is played, a failure is made small and kept.

A case is a target and a list of steps, each a file and a seed, so that the name of the target, the
number of the row and the number of the case are all that is needed to play it again.
"""

from __future__ import annotations

import hashlib
import random
import shutil
import signal
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from fuzz_mutations import spoil
from fuzz_targets import Target, good_files, judge

SEEDS = Path(__file__).parent / "fuzz" / "seeds"
LONGEST_SECONDS = 20.0
MOST_MEMORY = 2**30
"""Bytes by which reading a few spoilt kilobytes may raise the peak of the process."""
LARGEST_SEED = 40_000
Files = dict[str, bytes]


class TooLongError(BaseException):
    """A reading took longer than it may."""


@dataclass(frozen=True)
class Failure:
    """A case whose outcome may not be."""

    target: str
    case: int
    kind: str
    """Type of the exception, and the place in our code where it was raised."""
    text: str
    files: Files

    def __str__(self) -> str:
        return f"{self.target} case {self.case}: {self.kind}: {self.text[:300]}"


def steps_of(target: Target, row: int, case: int) -> list[tuple[str, int]]:
    """Return what is done to the good files in one case."""
    rng = random.Random(f"{target.name} {row} {case}")
    names = sorted(good_files(target.name))
    several = rng.choice((1, 1, 1, 2, 3))
    return [(rng.choice(names), rng.randrange(2**32)) for _ in range(several)]


def play(target: Target, row: int, case: int) -> tuple[str, Failure | None]:
    """Play one case; return "read", "refused" or "failed", and the failure."""
    files = spoil(good_files(target.name), steps_of(target, row, case))
    outcome, kind, text = outcome_of(target, files, is_deep=case % 7 == 0)
    if kind is None:
        return outcome, None
    return "failed", Failure(target.name, case, kind, text, files)


def outcome_of(
    target: Target, files: Files, *, is_deep: bool = False
) -> tuple[str, str | None, str]:
    """Read files; return the outcome, and of a failure its kind and text."""
    folder = Path(tempfile.mkdtemp(prefix="fuzz-", dir=_quick_place()))
    before = _peak()
    try:
        for name, data in files.items():
            place = folder / name
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(data)
        with _limited(LONGEST_SECONDS):
            outcome = judge(target, folder, is_deep=is_deep)
    except (Exception, TooLongError) as error:
        return "failed", _kind(error), f"{error}"
    except BaseException as error:
        if type(error).__name__ != "PanicException":  # polars' own kind is no Exception
            raise
        return "failed", _kind(error), f"{error}"
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if _peak() - before > MOST_MEMORY:
        return "failed", f"memory in {target.name}", f"{(_peak() - before) / 2**20:,.0f} MB more"
    return outcome, None, ""


def _quick_place() -> str | None:
    return "/dev/shm" if Path("/dev/shm").is_dir() else None


def _peak() -> int:
    if sys.platform == "win32":
        return 0
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


@contextmanager
def _limited(seconds: float) -> Iterator[None]:
    """Raise TooLongError after some time of the processor, where the system has alarms."""
    if not hasattr(signal, "setitimer"):
        yield
        return

    def ring(*_: object) -> None:
        raise TooLongError(f"longer than {seconds:g} s")

    before = signal.signal(signal.SIGPROF, ring)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0.0)
        signal.signal(signal.SIGPROF, before)


def _kind(error: BaseException) -> str:
    ours = [
        f"{Path(f.filename).name}:{f.name}"
        for f in traceback.extract_tb(error.__traceback__)
        if "withstand" in Path(f.filename).parts
    ]
    reason = f"{error}"[:40] if type(error).__name__ == "JudgedError" else ""
    return f"{type(error).__name__} {reason} in {ours[-1] if ours else '?'}"


# --- smaller, and kept ---------------------------------------------------------------------------


def made_small(target: Target, failure: Failure, most: int = 150) -> Files:
    """Return files that fail in the same way, with as little spoilt as can be found.

    Files are put back whole; then pieces of those that must stay spoilt are left out, halves first.
    """
    good, files = good_files(target.name), dict(failure.files)
    tries = 0

    def fails(candidate: Files) -> bool:
        nonlocal tries
        tries += 1
        return outcome_of(target, candidate, is_deep=True)[1] == failure.kind

    for name in [n for n in files if files[n] != good[n]]:
        if fails(files | {name: good[name]}):
            files[name] = good[name]
    for name in [n for n in files if files[n] != good[n]]:
        files[name] = _pruned(files[name], lambda d, n=name: tries < most and fails(files | {n: d}))
    return files


def _pruned(data: bytes, fails: Callable[[bytes], bool]) -> bytes:
    size = len(data) // 2
    while size >= 1:
        at = 0
        while at < len(data):
            without = data[:at] + data[at + size :]
            if fails(without):
                data = without
            else:
                at += size
        size //= 2
    return data


def keep(target: Target, files: Files) -> Path:
    """Keep the spoilt files of a case below the seeds; what is large is kept out."""
    good = good_files(target.name)
    spoilt = {n: d for n, d in files.items() if d != good[n]}
    digest = hashlib.blake2b(repr(sorted(spoilt.items())).encode(), digest_size=4).hexdigest()
    place = SEEDS / target.name / digest
    if sum(map(len, spoilt.values())) > LARGEST_SEED:
        raise ValueError(f"{target.name}: the case is too large to keep")
    for name, data in spoilt.items():
        file = place / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
    return place


def kept(target: Target) -> list[tuple[str, Files]]:
    """Return the kept cases of a target, whole: the good files with the spoilt ones."""
    place = SEEDS / target.name
    if not place.is_dir():
        return []
    return [
        (
            folder.name,
            good_files(target.name)
            | {
                p.relative_to(folder).as_posix(): p.read_bytes()
                for p in sorted(folder.rglob("*"))
                if p.is_file()
            },
        )
        for folder in sorted(place.iterdir())
    ]
