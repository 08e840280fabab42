"""What the benchmarks share: generated networks on disk, by size."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent))  # benchmarks are no package


@pytest.fixture(scope="session")
def dag_folder(tmp_path_factory: pytest.TempPathFactory) -> Callable[[int], Path]:
    """Return a function from a number of nodes to a project of Parquet files, made once."""
    from networks import random_dag, write_parquet

    @cache
    def folder(n_nodes: int) -> Path:
        place = tmp_path_factory.mktemp("dag") / str(n_nodes)
        return write_parquet(random_dag(n_nodes), place)

    return folder


collect_ignore = ["lines_simpy.py", "plan_linopy.py"]  # they run in environments of their own
