"""What all tests share: the data beside the repository, hypothesis settings, kernel signatures."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from kernel_signatures import merge, signatures_of, with_several

REPOSITORY = Path(__file__).resolve().parent.parent

# The time an example takes says nothing about its truth. CI must be repeatable.
settings.register_profile("laptop", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True, database=None)
settings.load_profile("ci" if os.environ.get("CI") else "laptop")


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """Return the folder of real data beside the repository; it is not part of it."""
    folder = REPOSITORY.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("shared data not present")
    return folder


# --- each kernel is compiled once: counted over all workers, judged after the last test ----------

SIGNATURES: dict[str, list[str]] = {}


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Take in what a pytest-xdist worker has compiled."""
    merge(SIGNATURES, getattr(node, "workeroutput", {}).get("kernel_signatures", {}))


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail the run if a kernel was compiled for two sets of types."""
    mine = signatures_of("withstand.kernels")
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["kernel_signatures"] = mine
        return
    merge(SIGNATURES, mine)
    if with_several(SIGNATURES):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Name the kernels, and how it may have come about."""
    for kernel, signatures in with_several(SIGNATURES).items():
        terminalreporter.section(f"FAILED: {kernel} has {len(signatures)} signatures", red=True)
        for signature in signatures:
            terminalreporter.write_line(f"  {signature}")
        terminalreporter.write_line(
            "One is enough. Look for an int32 index array, an array that is not contiguous or "
            "not writable, an int given for a float."
        )
