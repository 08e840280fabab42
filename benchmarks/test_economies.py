"""The benchmark of world tables, on a small one."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from economies import _OURS, compare, difference, run, show

HAS_GENERATOR = (Path(__file__).resolve().parents[2] / "shared" / "bench").is_dir()


@pytest.mark.skipif(not HAS_GENERATOR, reason="the generator of tables is not beside this repo")
def test_the_script_works_on_a_small_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert compare("4x3") == {}
    shown = capsys.readouterr().out
    assert "4x3: 12 cells" in shown
    for phase in ("load", "multipliers", "one shock", "factor", "further scenario", "peak memory"):
        assert f"    {phase}" in shown


def test_our_answer_is_that_of_a_dense_inverse(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    flows, final = rng.uniform(0, 1, (4, 4)), rng.uniform(1, 9, (4, 2))
    output = flows.sum(axis=1) + final.sum(axis=1)
    table = {"Z": flows, "Y": final, "x": output, "va": output - flows.sum(axis=0)}
    table.update(jobs=rng.uniform(0, 1, 4), region=[0, 0, 1, 1], sector=[0, 1, 0, 1])
    for name, array in table.items():
        np.save(tmp_path / f"{name}.npy", array)
    show(answer := run(sys.executable, _OURS, str(tmp_path)))
    assert answer["times"]["all"][0] > 0
    inverse = np.linalg.inv(np.eye(4) - flows / output)
    np.savez(
        tmp_path / "dense.npz",
        output=inverse.sum(axis=0),
        jobs=(table["jobs"] / output) @ inverse,
        shocked=inverse @ (final * [0.9, 1.0]).sum(axis=1),
    )
    assert difference(tmp_path, "dense") < 1e-10
