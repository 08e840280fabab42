"""What the command line prints: tables with units, findings, progress, or one JSON document."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from textwrap import wrap
from typing import TYPE_CHECKING, Any

from withstand.errors import UsageError

if TYPE_CHECKING:
    import polars as pl
    from rich.console import Console

    from withstand.model.findings import Finding

_COLOURS = {"error": "bold red", "warning": "yellow", "note": "dim"}
_GAP = 2
"""Blanks between two columns."""


@dataclass
class _Settings:
    """The global options of this run: how it speaks, and on what it works."""

    json: bool = False
    quiet: bool = False
    progress: bool = True
    project: str = "."
    seed: int = 0
    jobs: int = 1
    cluster: str | None = None

    def reset(self, *, json: bool) -> None:
        self.json, self.quiet, self.progress = json, False, True
        self.project, self.seed, self.jobs, self.cluster = ".", 0, 1, None

    def set_jobs(self, text: str) -> None:
        """Take a number of workers, or the name of workers elsewhere."""
        try:
            self.jobs, self.cluster = int(text), None
        except ValueError:
            from withstand.executor import kind_of

            kind_of(text)
            self.jobs, self.cluster = 1, text

    @property
    def workers(self) -> int | str:
        """What --jobs says, in commands that can work elsewhere."""
        return self.jobs if self.cluster is None else self.cluster

    @property
    def own_jobs(self) -> int:
        """What --jobs says, in commands that work on this machine only."""
        if self.cluster is not None:
            raise UsageError(
                f"This command works on this machine only: --jobs takes a whole number, not "
                f"{self.cluster}. withstand stress and withstand plan work on a cluster."
            )
        return self.jobs


settings = _Settings()


def console(*, error: bool = False) -> Console:
    """Return the console of standard output or standard error."""
    from rich.console import Console

    narrow = None if sys.stdout.isatty() else 110
    return Console(stderr=error, highlight=False, width=narrow, soft_wrap=False)


def say(text: str) -> None:
    """Print a line unless the run is quiet or speaks JSON."""
    if not settings.quiet and not settings.json:
        from rich.text import Text

        console().print(Text(text))


def say_error(text: str, hint: str = "") -> None:
    """Print an error: on standard error, or as the JSON document."""
    if settings.json:
        say_json({"status": "error", "message": text})
        return
    from rich.text import Text

    out = console(error=True)
    out.print(Text("Error: ", style="bold red") + Text(text))
    if hint:
        out.print(Text(hint, style="dim"))


def say_json(document: dict[str, Any]) -> None:
    """Print the one JSON document of a run; numbers that JSON lacks become null."""
    json.dump(_plain(document), sys.stdout, ensure_ascii=False, indent=2)
    sys.stdout.write("\n")


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    if hasattr(value, "to_dicts"):
        return _plain(value.to_dicts())
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def say_findings(findings: Sequence[Finding], *, most: int = 40, failed: bool = True) -> None:
    """Print findings, errors first: place, what, mend; or the JSON document of a failed run."""
    if settings.json:
        say_json({"status": "error", "findings": [f.to_dict() for f in findings]})
        return
    from rich.text import Text

    out = console(error=failed)
    for finding in findings[:most]:
        out.print(finding_text(finding))
    if len(findings) > most:
        out.print(Text(f"... and {len(findings) - most} more (see all with --json)", style="dim"))
    out.print(Text(counted(findings), style="bold"))


def finding_text(finding: Finding) -> Any:
    """Return a finding as styled text."""
    from rich.text import Text

    head, *rest = str(finding).split("\n")
    text = Text(finding.code, style=_COLOURS[finding.severity])
    text.append(head.removeprefix(finding.code))
    for line in rest:
        if line.strip().startswith("Nothing to do"):
            continue
        text.append("\n" + line, style="dim")
    return text


def counted(findings: Sequence[Finding]) -> str:
    """Return `2 errors, 1 warning, 3 notes`."""
    counts = {s: sum(f.severity == s for f in findings) for s in _COLOURS}
    return ", ".join(f"{n} {s}{'' if n == 1 else 's'}" for s, n in counts.items() if n) or (
        "no findings"
    )


def say_table(
    title: str,
    frame: pl.DataFrame,
    headers: dict[str, str],
    *,
    shares: Sequence[str] = (),
) -> None:
    """Print columns of a frame as a table; shares are shown in percent."""
    if settings.quiet or settings.json:
        return
    from rich.table import Table
    from rich.text import Text

    table = Table(title=Text(title, style="bold"), title_justify="left", box=None, pad_edge=False)
    rows = [
        [_cell(row[name], is_share=name in shares) for name in headers]
        for row in frame.select(list(headers)).iter_rows(named=True)
    ]
    out = console()
    longest = [max((len(row[at]) for row in rows), default=0) for at in range(len(headers))]
    natural = sum(max(len(h), w) + _GAP for h, w in zip(headers.values(), longest, strict=True))
    for (name, header), width in zip(headers.items(), longest, strict=True):
        if natural > out.width:  # on a narrow screen headers break first, labels last
            header = "\n".join(wrap(header, max(width, _GAP * 5), break_long_words=False))
        numeric = frame[name].dtype.is_numeric()
        table.add_column(
            Text(header, style="cyan"), justify="right" if numeric else "left", overflow="fold"
        )
    for row in rows:
        table.add_row(*(Text(c) for c in row))
    out.print(table)
    out.print()


def _cell(value: Any, *, is_share: bool) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{100 * value:.1f} %" if is_share else _number(value)
    return str(value)


def _number(value: float) -> str:
    """Return four digits that count, without powers of ten up to a million million."""
    if 1e4 <= abs(value) < 1e12:
        return f"{float(f'{value:.4g}'):,.0f}"
    return f"{value:,.4g}"


@contextmanager
def progress() -> Iterator[Callable[[str, int, int], None]]:
    """Show stage, done of total and time left on standard error, where a person is looking."""
    if settings.quiet or settings.json or not settings.progress or not sys.stderr.isatty():
        yield lambda stage, done, total: None
        return
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console(error=True),
        transient=True,
    )
    with bar:
        task = bar.add_task("starting", total=None)

        def show(stage: str, done: int, total: int) -> None:
            bar.update(task, description=stage, completed=done, total=total)

        yield show
