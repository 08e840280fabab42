"""Fuzz one reader with atheris, which looks for bytes that reach new code.

    python tests/fuzz/atheris_readers.py csv --seconds 300 [--corpus FOLDER]

The bytes that atheris makes take the place of one file of the target (chosen by the first byte), or
are a seed of the spoilers of `fuzz_mutations`. Needs atheris, which is not there for every system.
A failure is kept in seeds/, made small; the run goes on to the next.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))


def main() -> int:
    """Read the command line and run until the time is up."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("target")
    parser.add_argument("--seconds", type=int, default=300)
    parser.add_argument("--corpus", default="")
    asked = parser.parse_args()
    try:
        import atheris
    except ImportError:
        print("atheris is not installed here (Linux and macOS have wheels): nothing was run.")
        return 0
    with atheris.instrument_imports(include=["withstand.readers", "withstand.model"]):
        import withstand.readers
        import withstand.readers.folder  # noqa: F401  loaded here, so that it is instrumented
    from fuzz_mutations import spoil
    from fuzz_runs import Failure, keep, made_small, outcome_of, steps_of
    from fuzz_targets import BY_NAME, good_files

    target = BY_NAME[asked.target]
    names = sorted(good_files(target.name))
    seen: set[str] = set()

    def one(data: bytes) -> None:
        if len(data) < 2:
            return
        files = dict(good_files(target.name))
        if data[0] < 128:
            files[names[data[0] % len(names)]] = data[1:]
        else:
            files = spoil(files, steps_of(target, 0, int.from_bytes(data[1:9], "little")))
        _, kind, text = outcome_of(target, files)
        if kind is None or kind in seen:
            return
        seen.add(kind)
        small = made_small(target, Failure(target.name, 0, kind, text, files))
        print(f"FAILED {target.name}: {kind}: {text[:200]}; kept as {keep(target, small).name}")

    corpus = [asked.corpus] if asked.corpus else []
    atheris.Setup([sys.argv[0], f"-max_total_time={asked.seconds}", "-max_len=20000", *corpus], one)
    atheris.Fuzz()
    return 0


if __name__ == "__main__":
    sys.exit(main())
