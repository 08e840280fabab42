"""The script for large databases still works, on a tiny one."""

from __future__ import annotations

import databases
import pytest


def test_the_script_for_databases_works(capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("adbc_driver_postgresql")
    if databases.binaries() is None:
        pytest.skip("PostgreSQL is not installed")
    assert databases.main(["--nodes", "300", "--each", "5"]) == 0
    lines = capsys.readouterr().out.splitlines()[1:]
    assert [line.split()[:3] for line in lines] == [
        ["PostgreSQL", "300", "1,500"],
        ["Parquet", "300", "1,500"],
    ]
