"""What would not fit is refused before it is taken, whoever states the limit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

import withstand as ws
from withstand.errors import DataError, UsageError
from withstand.examples import example, tiny
from withstand.model import ceilings
from withstand.model.ceilings import available_memory, bytes_of, need_memory
from withstand.model.findings import Origin
from withstand.model.scenario import Scenario
from withstand.model.settings import read_settings, settings_to_dict


def settings_of(limits: object) -> tuple[object, list[str]]:
    settings, faults = read_settings({"limits": limits}, Origin("withstand.toml"))
    return settings.limits, [f"{f.code} {f.column}" for f in faults]


@pytest.mark.parametrize(
    ("text", "size"),
    [("4 GB", 2**32), ("0.5g", 2**29), ("7", 7), ("", None), ("GB", None), ("-1 GB", None),
     ("0", None), ("1e9", None), ("4 PB", None), ("nan", None)],
)  # fmt: skip
def test_sizes_are_read(text: str, size: int | None) -> None:
    assert bytes_of(text) == size


def test_the_settings_state_a_limit_and_faults_are_told() -> None:
    assert settings_of({"memory": "2 GB"}) == ({"memory": 2.0**31}, [])
    assert settings_of({"memory": 1000}) == ({"memory": 1000.0}, [])
    for bad in ("much", True, -1, float("nan"), [], 1e30):
        assert settings_of({"memory": bad}) == ({}, ["E118 limits.memory"])
    assert settings_of({"time": 3}) == ({}, ["E118 limits.time"])
    assert settings_of(7) == ({}, ["E118 limits"])
    again = read_settings(settings_to_dict(read_settings({"limits": {"memory": "1 GB"}},
                                                         Origin("x"))[0]), Origin("x"))  # fmt: skip
    assert again[0].most_memory == 2.0**30


def test_a_limit_is_no_part_of_the_network() -> None:
    net = tiny()
    from dataclasses import replace

    limited = replace(net, settings=replace(net.settings, limits={"memory": 5.0}))
    assert limited.fingerprint() == net.fingerprint()


def test_the_variable_is_asked_first_then_the_settings_then_the_machine(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ceilings, "available_memory", lambda: 100)
    need_memory(80, "This", "Less.")
    with pytest.raises(UsageError, match=r"This would take .* are free. Less."):
        need_memory(81, "This", "Less.")
    need_memory(81, "This", "Less.", stated=81)
    with pytest.raises(UsageError, match=r"\[limits\] memory of withstand.toml allows"):
        need_memory(82, "This", "Less.", stated=81)
    monkeypatch.setenv("WITHSTAND_MEMORY", "90")
    with pytest.raises(UsageError, match="WITHSTAND_MEMORY allows"):
        need_memory(91, "This", "Less.", stated=1000)
    monkeypatch.setenv("WITHSTAND_MEMORY", "lots")
    with pytest.raises(UsageError, match="WITHSTAND_MEMORY is 'lots'; write a size"):
        need_memory(1, "This", "Less.")


@pytest.mark.parametrize("version", [1, 2])
def test_the_limit_of_a_control_group_or_of_one_above_holds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: int
) -> None:
    root = tmp_path / "cgroup"
    limit, used, cached = (
        ("memory.max", "memory.current", "inactive_file")
        if version == 2
        else ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
    )
    top = root if version == 2 else root / "memory"
    own = top / "job" / "step"
    own.mkdir(parents=True)
    (own / limit).write_text("max\n" if version == 2 else f"{2**63 - 4096}\n")
    (own / used).write_text("10\n")
    (own.parent / limit).write_text("1000\n")
    (own.parent / used).write_text("700\n")
    (own.parent / "memory.stat").write_text(f"anon 1\n{cached} 50\n")
    process = tmp_path / "self"
    process.write_text("0::/job/step\n" if version == 2 else "9:pids:/x\n4:cpu,memory:/job/step\n")
    meminfo = tmp_path / "meminfo"
    meminfo.write_text("MemTotal: 9 kB\nMemAvailable:  8000 kB\n")
    monkeypatch.setattr(ceilings, "_GROUPS", root)
    monkeypatch.setattr(ceilings, "_GROUP_OF_PROCESS", process)
    monkeypatch.setattr(ceilings, "_MEMINFO", meminfo)
    assert available_memory() == 1000 - 700 + 50
    process.write_text("nonsense")
    assert available_memory() == 8000 * 1024
    meminfo.write_text("nonsense")
    assert available_memory() > 2**28  # the whole machine, where it does not say what is free


def test_large_work_is_refused_with_what_would_fit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    net = example()
    table = pl.DataFrame({"cell": ["A_x", "B_x"], "A_x": [1.0, 2.0], "B_x": [3.0, 4.0],
                          "Y_A_f": [5.0, 6.0], "Y_B_f": [7.0, 8.0]})  # fmt: skip
    table.write_parquet(tmp_path / "w.parquet")
    economy = ws.read_mrio(tmp_path / "w.parquet")
    option = ws.Option(label="S", kind="stockpile", cost_once=1000.0, effects=(
        ws.Effect(effect="add_stock", product="STEEL", amount=6.0, unit="periods"),))  # fmt: skip
    lost = Scenario.lose(region="JP", duration="12w")
    monkeypatch.setenv("WITHSTAND_MEMORY", "16")
    with pytest.raises(UsageError, match=r"The record of .* WITHSTAND_MEMORY allows.*out="):
        ws.stress.simulate(net, lost)
    with pytest.raises(DataError, match=r"E122 w.parquet .*table of 2 rows"):
        ws.read_mrio(tmp_path / "w.parquet")
    with pytest.raises(UsageError, match=r"One programme of .*method='decomposition'"):
        ws.plan.solve(tiny(), [option], [lost], horizon=1, method="extensive")
    with pytest.raises(UsageError, match="flows as links would take"):
        economy.flow_table.links(np.zeros(0, int), np.zeros(0, int), np.zeros(2, int))
    monkeypatch.delenv("WITHSTAND_MEMORY")
    assert ws.stress.simulate(net, lost).n_periods > 0
