"""Production lines: read the machines, work the line out, write it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from withstand.errors import DataError, UsageError
from withstand.readers.atomic import write_atomic
from withstand.workbench.progress import Progress, now, silent
from withstand.workbench.targets import REPORT_ENDINGS, report_targets

if TYPE_CHECKING:
    from withstand.plants.line_tables import LineTable
    from withstand.report.line_contents import LineContents


def read_line(path: str | os.PathLike[str]) -> LineTable:
    """Return the machines of a production line from a file: CSV, XLSX, Parquet or TOML.

    Raises
    ------
    DataError
        With every fault in the file.
    """
    from withstand.model.findings import has_errors, listed, make_finding, shorten
    from withstand.plants.line_tables import LINE, line_of, read_line_toml
    from withstand.readers.files import SUFFIXES, read_file

    file = Path(path)
    suffix = file.suffix.lower()
    if suffix == ".toml":
        return line_of(*read_line_toml(file))
    if file.exists() and suffix not in SUFFIXES:
        what = f"a table of machines ends in {', '.join(SUFFIXES)} or .toml, not in '{suffix}'"
        raise DataError([make_finding("E113", what, value=shorten(file.name))])
    tables, findings = read_file(file)
    if has_errors(findings):
        raise DataError(findings)
    named = [t for t in tables if t.name.strip().casefold() == LINE.name]
    chosen = tables if len(tables) == 1 else named
    if not chosen:
        what = f"the workbook needs a sheet 'line'; there are: {listed([t.name for t in tables])}"
        raise DataError([*findings, make_finding("E119", what, value=shorten(file.name))])
    table = line_of(chosen[0].frame, chosen[0].origin)
    return replace(table, findings=(*findings, *table.findings))


def work_out_line(
    table: LineTable,
    *,
    name: str = "line",
    method: str = "auto",
    cycles: int = 1_000_000,
    runs: int = 1,
    seed: int = 0,
    jobs: int = 1,
    progress: Progress = silent,
) -> LineContents:
    """Work out a line, and what one change more of each kind would add."""
    from withstand.plants.line_tables import how_found, machine_frame
    from withstand.report.line_contents import LineContents

    progress("working out the line", 0, 2)
    made = table.work_out(method, seed=seed, simulated_cycles=cycles, runs=runs, jobs=jobs)
    progress("trying changes", 1, 2)
    return LineContents(
        name=name,
        line=made,
        machines=machine_frame(table, made),
        helps=made.what_helps(),
        how=how_found(made, cycles, runs),
        seed=seed,
        made_at=now(),
        findings=table.findings,
    )


def line_targets(paths: Sequence[str | os.PathLike[str]]) -> list[Path]:
    """Return the paths of a line's report, .html or .xlsx; there may be none."""
    return report_targets(paths) if paths else []


def write_line(contents: LineContents, paths: Sequence[str | os.PathLike[str]]) -> list[Path]:
    """Write the report of a line to each path: .html a page, .xlsx a workbook."""
    from withstand.report.plant_page import line_page, line_workbook

    makers = dict(zip(REPORT_ENDINGS, (line_page, line_workbook), strict=True))
    targets = line_targets(paths)
    for target in targets:
        write_atomic(target, makers[target.suffix.lower()](contents))
    return targets


def write_line_template(path: str | os.PathLike[str], *, force: bool = False) -> Path:
    """Write an example table of machines to fill.

    Raises
    ------
    UsageError
        If the file is there already and `force` is not set, or its name does not end in .csv.
    """
    from withstand.plants.line_tables import EXAMPLE

    target = Path(path)
    if target.suffix.lower() != ".csv":
        raise UsageError(f"{target.name}: the table is a text file; end its name in .csv.")
    if target.exists() and not force:
        raise UsageError(f"{target} is there already; name another file, or use --force.")
    write_atomic(target, EXAMPLE.encode("utf-8"))
    return target
