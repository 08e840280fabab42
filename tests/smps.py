"""Read two-stage programmes in the SMPS format (core, time, stoch) and OR-Library locations."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from scipy import sparse

from withstand.programming.two_stage import FirstStage, Recourse, TwoStage


@dataclass
class Core:
    """A linear programme by names."""

    objective: str = ""
    kinds: dict[str, str] = field(default_factory=dict)
    entries: dict[tuple[str, str], float] = field(default_factory=dict)  # (column, row)
    columns: list[str] = field(default_factory=list)
    whole: set[str] = field(default_factory=set)
    rhs: dict[str, float] = field(default_factory=dict)
    lower: dict[str, float] = field(default_factory=dict)
    upper: dict[str, float] = field(default_factory=dict)


def read_core(path: Path) -> Core:
    core, section, in_whole = Core(), "", False
    for line in path.read_text().splitlines():
        if not line.strip() or line.startswith("*"):
            continue
        words = line.split()
        if not line.startswith(" "):
            section = words[0]
            continue
        if section == "ROWS":
            if words[0] == "N":
                core.objective = core.objective or words[1]
            else:
                core.kinds[words[1]] = words[0]
        elif section == "COLUMNS":
            if len(words) > 1 and words[1] == "'MARKER'":
                in_whole = words[2] == "'INTORG'"
                continue
            if words[0] not in core.columns:
                core.columns.append(words[0])
                if in_whole:
                    core.whole.add(words[0])
            for row, value in zip(words[1::2], words[2::2], strict=True):
                core.entries[words[0], row] = float(value)
        elif section == "RHS":
            for row, value in zip(words[1::2], words[2::2], strict=True):
                core.rhs[row] = float(value)
        elif section == "BOUNDS":
            kind, column = words[0], words[2]
            value = float(words[3]) if len(words) > 3 else 0.0
            if kind in ("UP", "FX"):
                core.upper[column] = value
            if kind in ("LO", "FX"):
                core.lower[column] = value
            if kind == "BV":
                core.upper[column] = 1.0
                core.whole.add(column)
    return core


def read_stoch(path: Path) -> list[tuple[float, dict[tuple[str, str], float]]]:
    """Return (probability, changes) of every scenario; a change is keyed by (column, row)."""
    groups: dict[str, list[tuple[float, dict[tuple[str, str], float]]]] = {}
    section, block = "", ""
    for line in path.read_text().splitlines():
        if not line.strip() or line.startswith("*"):
            continue
        words = line.split()
        if not line.startswith(" "):
            section = words[0]
            continue
        if section == "INDEP":
            key = f"{words[0]}|{words[1]}"
            change = {(words[0], words[1]): float(words[2])}
            groups.setdefault(key, []).append((float(words[-1]), change))
        elif section == "BLOCKS" and words[0] == "BL":
            block = words[1]
            groups.setdefault(block, []).append((float(words[3]), {}))
        elif section == "SCENARIOS" and words[0] == "SC":
            block = "all"
            groups.setdefault(block, []).append((float(words[3]), {}))
        else:
            for row, value in zip(words[1::2], words[2::2], strict=True):
                groups[block][-1][1][words[0], row] = float(value)
    scenarios = []
    for combination in itertools.product(*groups.values()):
        probability, changes = 1.0, {}
        for p, change in combination:
            probability *= p
            changes.update(change)
        scenarios.append((probability, changes))
    return scenarios


def two_stage(core: Core, scenarios: list, split: tuple[str, str]) -> TwoStage:
    """Return the programme; `split` names the first column and row of the second stage."""
    at = core.columns.index(split[0])
    names = list(core.kinds)
    row_at = names.index(split[1])
    early, late = core.columns[:at], core.columns[at:]
    first_rows, late_rows = names[:row_at], names[row_at:]
    first = FirstStage(
        cost=np.array([core.entries.get((c, core.objective), 0.0) for c in early]),
        lower=np.array([core.lower.get(c, 0.0) for c in early]),
        upper=np.array([core.upper.get(c, np.inf) for c in early]),
        integer=np.array([c in core.whole for c in early]),
        matrix=matrix_of(core.entries, first_rows, early),
        row_lower=limits(core.kinds, core.rhs, first_rows)[0],
        row_upper=limits(core.kinds, core.rhs, first_rows)[1],
        columns=early,
        rows=first_rows,
    )
    total = sum(p for p, _ in scenarios)
    parts = []
    for number, (p, changes) in enumerate(scenarios):
        entries = {**core.entries, **{k: v for k, v in changes.items() if k in core.entries}}
        rhs = dict(core.rhs)
        for (column, row), value in changes.items():
            if column not in core.columns:
                rhs[row] = value
            else:
                entries[column, row] = value
        low, high = limits(core.kinds, rhs, late_rows)
        parts.append(
            Recourse(
                name=f"S{number}",
                probability=p / total,
                cost=np.array([entries.get((c, core.objective), 0.0) for c in late]),
                lower=np.array([core.lower.get(c, 0.0) for c in late]),
                upper=np.array([core.upper.get(c, np.inf) for c in late]),
                matrix=matrix_of(entries, late_rows, late),
                row_lower=low,
                row_upper=high,
                on_rows=sparse.csr_array(-matrix_of(entries, late_rows, early)),
                on_upper=sparse.csr_array((len(late), len(early))),
                integer=np.array([c in core.whole for c in late]),
            )
        )
    return TwoStage(first=first, scenarios=tuple(parts))


def matrix_of(entries: dict, rows: list[str], columns: list[str]) -> sparse.csr_array:
    place_row = {r: i for i, r in enumerate(rows)}
    place_column = {c: j for j, c in enumerate(columns)}
    found = [
        (place_row[r], place_column[c], v)
        for (c, r), v in entries.items()
        if r in place_row and c in place_column
    ]
    i, j, v = zip(*found, strict=True) if found else ((), (), ())
    return sparse.csr_array(
        (np.array(v, dtype=float), (np.array(i, dtype=int), np.array(j, dtype=int))),
        shape=(len(rows), len(columns)),
    )


def limits(kinds: dict, rhs: dict, rows: list[str]) -> tuple[np.ndarray, np.ndarray]:
    value = np.array([rhs.get(r, 0.0) for r in rows])
    low = np.where([kinds[r] in "GE" for r in rows], value, -np.inf)
    high = np.where([kinds[r] in "LE" for r in rows], value, np.inf)
    return low, high


def read_smps(folder: Path, stem: str, stoch: str) -> TwoStage:
    core = read_core(folder / f"{stem}.cor")
    lines = (folder / f"{stem}.tim").read_text().splitlines()
    split = next(
        tuple(x.split()[:2]) for x in lines if x.split()[-1:] in (["PERIOD2"], ["STG00002"])
    )
    return two_stage(core, read_stoch(folder / stoch), split)


def read_location(path: Path) -> TwoStage:
    """Return a capacitated warehouse location: open in the first stage, ship in the second."""
    words = iter(path.read_text().split())
    m, n = int(next(words)), int(next(words))
    capacity, fixed = np.empty(m), np.empty(m)
    for i in range(m):
        capacity[i], fixed[i] = float(next(words)), float(next(words))
    demand, cost = np.empty(n), np.empty((m, n))
    for j in range(n):
        demand[j] = float(next(words))
        cost[:, j] = [float(next(words)) for _ in range(m)]
    served = np.kron(np.ones((1, m)), np.eye(n))  # x_ij: share of customer j from i
    used = np.kron(np.eye(m), demand[None, :])
    rows = np.vstack([served, used])
    on_rows = np.zeros((n + m, m))
    on_rows[n:] = np.diag(capacity)
    first = FirstStage(
        cost=fixed,
        lower=np.zeros(m),
        upper=np.ones(m),
        integer=np.ones(m, dtype=bool),
        matrix=sparse.csr_array(capacity[None, :]),
        row_lower=np.array([demand.sum()]),
        row_upper=np.array([np.inf]),
    )
    second = Recourse(
        name="ship",
        probability=1.0,
        cost=cost.ravel(),
        lower=np.zeros(m * n),
        upper=np.full(m * n, np.inf),
        matrix=sparse.csr_array(rows),
        row_lower=np.concatenate([np.ones(n), np.full(m, -np.inf)]),
        row_upper=np.concatenate([np.ones(n), np.zeros(m)]),
        on_rows=sparse.csr_array(on_rows),
        on_upper=sparse.csr_array(np.kron(np.eye(m), np.ones((n, 1)))),
    )
    # a variable's bound is its first-stage part alone: x_ij <= open_i
    second = Recourse(**{**second.__dict__, "upper": np.zeros(m * n)})
    return TwoStage(first=first, scenarios=(second,))
