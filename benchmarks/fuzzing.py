"""Play many spoilt files through every reader, in processes of their own.

    python benchmarks/fuzzing.py [--cases 10000] [--jobs 2] [--only csv,xlsx] [--row 1] [--keep]

Prints a line a target: cases, how many were read, refused and failed, processor seconds. Each kind
of failure is shown once, with the number of the case; `--keep` makes it small and keeps its files
in tests/fuzz/seeds. A process that dies or hangs counts as a failure of the case it was at.
"""

from __future__ import annotations

import argparse
import faulthandler
import json
import os
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

BATCH = 250
_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "POLARS_MAX_THREADS"), "1")
_HANG = 120.0


def worker(name: str, row: int, first: int, count: int, *, is_kept: bool) -> None:
    """Play a batch and print a line of JSON a case that is worth one, and the sums at the end."""
    from fuzz_runs import keep, made_small, play
    from fuzz_targets import BY_NAME

    target = BY_NAME[name]
    sums: Counter[str] = Counter()
    seen: set[str] = set()
    started = time.process_time()
    for case in range(first, first + count):
        print(json.dumps({"at": case}), flush=True)
        faulthandler.dump_traceback_later(_HANG, exit=True)
        outcome, failure = play(target, row, case)
        sums[outcome] += 1
        if failure is not None and failure.kind not in seen:
            seen.add(failure.kind)
            told = {"case": case, "kind": failure.kind, "text": failure.text[:400]}
            if is_kept:
                faulthandler.cancel_dump_traceback_later()
                try:
                    told["kept"] = keep(target, made_small(target, failure)).name
                except ValueError as error:
                    told["kept"] = str(error)
            print(json.dumps(told), flush=True)
    faulthandler.cancel_dump_traceback_later()
    print(json.dumps({"sums": sums, "seconds": time.process_time() - started}), flush=True)


def run(names: list[str], cases: int, row: int, jobs: int, *, is_kept: bool) -> int:
    """Play all targets; return the number of failures."""
    from fuzz_targets import BY_NAME

    failures = 0
    todo = []
    for name in names:
        wanted = max(1, round(cases * BY_NAME[name].pace))
        todo += [(name, a, min(BATCH, wanted - a)) for a in range(0, wanted, BATCH)]
    sums: dict[str, Counter[str]] = {name: Counter() for name in names}
    seconds: Counter[str] = Counter()
    left = Counter(name for name, _, _ in todo)
    kinds: set[tuple[str, str]] = set()
    running: list[tuple[tuple[str, int, int], subprocess.Popen[str]]] = []
    while todo or running:
        while todo and len(running) < jobs:
            job = todo.pop(0)
            running.append((job, _start(job, row, is_kept=is_kept)))
        (name, first, count), process = running.pop(0)
        out, err = process.communicate()
        at, is_whole = first, False
        for line in out.splitlines():
            told = json.loads(line)
            at = told.get("at", at)
            if "sums" in told:
                is_whole = True
                sums[name].update(told["sums"])
                seconds[name] += told["seconds"]
            elif "kind" in told and (name, told["kind"]) not in kinds:
                kinds.add((name, told["kind"]))
                print(
                    f"FAILED {name} case {told['case']}: {told['kind']}: {told['text']}", flush=True
                )
        if not is_whole:
            sums[name]["failed"] += 1
            print(f"DIED   {name} case {at} (code {process.returncode}): {err[-1500:]}", flush=True)
            sums[name]["unsaid"] += at - first
            if at + 1 < first + count:
                todo.insert(0, (name, at + 1, first + count - at - 1))
                left[name] += 1
        left[name] -= 1
        if left[name] == 0:
            s = sums[name]
            failures += s["failed"]
            print(
                f"{name:16} {sum(s.values()):7,} cases: {s['read']:6,} read, "
                f"{s['refused']:6,} refused, {s['failed']:4,} failed; "
                f"{seconds[name]:7.1f} s of processor",
                flush=True,
            )
    return failures


def _start(job: tuple[str, int, int], row: int, *, is_kept: bool) -> subprocess.Popen[str]:
    name, first, count = job
    arguments = ["--worker", f"{name},{first},{count}", "--row", str(row)]
    return subprocess.Popen(
        [sys.executable, __file__, *arguments, *(["--keep"] if is_kept else [])],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | _ONE_THREAD,
    )


def main() -> int:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=10_000)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--row", type=int, default=1, help="another row of cases")
    parser.add_argument("--only", default="")
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("--worker", default="", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.worker:
        name, first, count = asked.worker.split(",")
        worker(name, asked.row, int(first), int(count), is_kept=asked.keep)
        return 0
    from fuzz_targets import TARGETS

    names = [t.name for t in TARGETS]
    chosen = asked.only.split(",") if asked.only else names
    unknown = [n for n in chosen if n not in names]
    if unknown:
        parser.error(f"{unknown[0]} is no target; there are: {', '.join(names)}")
    failures = run(chosen, asked.cases, asked.row, asked.jobs, is_kept=asked.keep)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
