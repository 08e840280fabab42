"""Snapshots of a project: a folder each, with a manifest and the tables of a day."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from withstand.errors import UsageError
from withstand.model.provenance import versions
from withstand.model.settings import settings_to_dict
from withstand.readers.atomic import write_new_folder
from withstand.workbench.progress import Progress, silent
from withstand.workbench.projects import load

if TYPE_CHECKING:
    from withstand.model.network import ProductionNetwork
    from withstand.report.indicators import Asked

FOLDER = "snapshots"
MANIFEST = "manifest.json"
FORMAT = 1
LARGEST_MANIFEST = 50_000_000
NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,62}[A-Za-z0-9_-])?\Z")
_RESERVED = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9]|now|base)(\..*)?\Z", re.IGNORECASE)
"""Names that Windows cannot hold, and those that mean the project itself."""
_DAMAGED = "is damaged; delete the folder, or bring it back from a copy"


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """One snapshot: what a project was on a day.

    Parameters
    ----------
    name : str
    folder : Path
    when : date
        The day it speaks of.
    taken_at : str
        Date and time of its making.
    network, fingerprint : str
    note : str
    settings, versions : dict
    tables : dict of str to dict
        rows and hash of each table.
    is_kept : bool
        Whether the tables themselves are kept, or only their hashes.
    indicators : tuple of dict
        indicator, filter, year (of projections), value, expected, behind, why.
    """

    name: str
    folder: Path
    when: date
    taken_at: str
    network: str
    fingerprint: str
    note: str = ""
    settings: dict[str, Any] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    tables: dict[str, dict[str, Any]] = field(default_factory=dict)
    is_kept: bool = True
    indicators: tuple[dict[str, Any], ...] = ()

    def load(self) -> ProductionNetwork:
        """Return its network.

        Raises
        ------
        UsageError
            If only hashes were kept, or the tables are not those that were kept.
        """
        if not self.is_kept:
            raise UsageError(f"The snapshot {self.name} keeps hashes of its tables only.")
        network = load(self.folder)
        if network.fingerprint() != self.fingerprint:
            raise UsageError(
                f"The tables of the snapshot {self.name} were changed after it was taken: the"
                " fingerprint differs. Bring the folder back from a copy, or take another."
            )
        return network


def take_snapshot(
    project: str | os.PathLike[str],
    name: str = "",
    *,
    on: date | None = None,
    note: str = "",
    keeps_tables: bool = True,
    asked: Sequence[Asked] = (),
    progress: Progress = silent,
) -> Snapshot:
    """Keep what a project is today under `snapshots/NAME/`, in one step; never over another.

    Parameters
    ----------
    project : path
        A project folder.
    name : str
        Letters, digits, dot, hyphen and underline; default: the day.
    on : date, optional
        The day it speaks of; default: today.
    note : str
    keeps_tables : bool
        Keep a copy of the tables, or only their hashes.
    asked : sequence of Asked
        Indicators besides the usual ones and those of the targets.
    progress : callable, optional

    Raises
    ------
    UsageError
        If the project is no folder, the name cannot be one or is taken.
    """
    folder = Path(project)
    if not folder.is_dir():
        raise UsageError("A snapshot is kept in a project folder; name one with --project.")
    when = on or date.today()
    place = folder / FOLDER / (safe_name(name) if name else _free_name(folder, when))
    if place.exists():
        raise UsageError(f"The snapshot {place.name} is there already; snapshots never change."
                         " Name another.")  # fmt: skip
    network = load(folder)
    said = _indicators(network, when, asked, progress)
    manifest = {
        "format": FORMAT,
        "name": place.name,
        "when": when.isoformat(),
        "taken_at": datetime.now().astimezone().isoformat(timespec="seconds"),
        "network": network.name,
        "fingerprint": network.fingerprint(),
        "note": note,
        "settings": settings_to_dict(network.settings),
        "versions": versions(),
        "tables": {n: _hashed(f) for n, f in network.tables.items()},
        "is_kept": keeps_tables,
        "indicators": said,
    }

    def write(target: Path) -> None:
        if keeps_tables:
            from withstand.readers import write_folder

            write_folder(network, target, format="parquet")
        text = json.dumps(manifest, indent=2, ensure_ascii=False, allow_nan=False)
        (target / MANIFEST).write_text(text + "\n", encoding="utf-8")

    write_new_folder(place, write)
    return read_snapshot(place)


def safe_name(name: str) -> str:
    """Return a name that is safe as that of a folder.

    Raises
    ------
    UsageError
        If it is not.

    Examples
    --------
    >>> safe_name("2026-Q1")
    '2026-Q1'
    """
    if not NAME.match(name) or _RESERVED.match(name):
        raise UsageError(
            f"'{name[:60]}' cannot name a snapshot: use up to 64 letters, digits, hyphens,"
            " underlines and dots, such as 2026-Q1 (now and base mean the project itself)."
        )
    return name


def _free_name(folder: Path, when: date) -> str:
    """Return the day, with a number where it is taken."""
    day, taken = when.isoformat(), 1
    while (folder / FOLDER / (name := day if taken == 1 else f"{day}-{taken}")).exists():
        taken += 1
    return name


def _hashed(frame: Any) -> dict[str, Any]:
    """Return rows and hash of a table, the same for any order of rows and columns."""
    columns = sorted(frame.columns)
    digest = hashlib.blake2b(repr(columns).encode(), digest_size=16)
    for row in sorted(frame.select(columns).write_csv().splitlines()[1:]):
        digest.update(row.encode() + b"\n")
    return {"rows": frame.height, "hash": digest.hexdigest()}


def _indicators(
    network: ProductionNetwork, when: date, asked: Sequence[Asked], progress: Progress
) -> list[dict[str, Any]]:
    """Return the usual indicators, those of the targets, and those asked for."""
    from withstand.report.comparisons import Case, usual
    from withstand.report.indicator_values import Measured
    from withstand.report.tracking import goals_of

    measured = Measured(network, year=when.year)
    wanted: list[tuple[Asked, int | None]] = [
        (a, None) for a in (*usual(measured, [Case(name="base", network=network)]), *asked)
    ]
    if "targets" in network.tables and network.tables["targets"].height:
        wanted += [(g.asked, g.target.year) for g in goals_of(network) if g.asked is not None]
    found = []
    for done, (one, year) in enumerate(dict.fromkeys(wanted)):
        progress(f"measuring {one.name}", done, len(wanted))
        found.append(reading_row(measured, one, year))
    progress("keeping the tables", len(wanted), len(wanted))
    return found


def reading_row(measured: Any, one: Asked, year: int | None) -> dict[str, Any]:
    """Return an indicator as a row of a manifest; of projections, with what is expected."""
    goal_year = year if one.indicator.by_year else None
    first = measured.year if goal_year is None else min(measured.year, goal_year)
    now = measured.read(one, first)
    later = None if goal_year is None else measured.read(one, goal_year)
    return {
        "indicator": one.name,
        "filter": one.filter,
        "year": goal_year,
        "value": _finite(now.value),
        "expected": None if later is None else _finite(later.value),
        "behind": now.behind,
        "why": now.why or ("" if later is None else later.why),
    }


def _finite(value: float | None) -> float | str | None:
    """Return a number for JSON; what has no end is a word."""
    if value is None:
        return None
    return "no end" if value == float("inf") else value


def number_of(value: Any) -> float | None:
    """Return a number of a manifest."""
    if value == "no end":
        return float("inf")
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def read_snapshot(folder: Path) -> Snapshot:
    """Return the snapshot of a folder.

    Raises
    ------
    UsageError
        If there is none, or its manifest is damaged.
    """
    file = folder / MANIFEST
    try:
        if file.stat().st_size > LARGEST_MANIFEST:
            raise UsageError(f"The manifest of the snapshot {folder.name} {_DAMAGED}.")
        data = json.loads(file.read_bytes())
    except OSError as error:
        raise UsageError(f"There is no snapshot in {folder}.") from error
    except (ValueError, RecursionError) as error:
        raise UsageError(f"The manifest of the snapshot {folder.name} {_DAMAGED}.") from error
    try:
        if data["format"] > FORMAT:
            raise UsageError(f"The snapshot {folder.name} was made by a newer withstand.")
        rows = data["indicators"]
        if not all(isinstance(r, dict) and isinstance(r["indicator"], str) for r in rows):
            raise TypeError
        return Snapshot(
            name=folder.name,
            folder=folder,
            when=date.fromisoformat(data["when"]),
            taken_at=str(data["taken_at"]),
            network=str(data["network"]),
            fingerprint=str(data["fingerprint"]),
            note=str(data.get("note", "")),
            settings=dict(data["settings"]),
            versions=dict(data["versions"]),
            tables={str(k): dict(v) for k, v in data["tables"].items()},
            is_kept=bool(data["is_kept"]),
            indicators=tuple(rows),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        if isinstance(error, UsageError):
            raise
        raise UsageError(f"The manifest of the snapshot {folder.name} {_DAMAGED}.") from error


def snapshots_of(project: str | os.PathLike[str]) -> list[Snapshot]:
    """Return the snapshots of a project, the oldest first."""
    place = Path(project) / FOLDER
    if not place.is_dir():
        return []
    found = [
        read_snapshot(p)
        for p in place.iterdir()
        if p.is_dir() and not p.name.startswith(".") and NAME.match(p.name)
    ]
    return sorted(found, key=lambda s: (s.when, s.taken_at, s.name))


def snapshot_named(project: str | os.PathLike[str], name: str) -> Snapshot:
    """Return one snapshot by its name.

    Raises
    ------
    UsageError
        If there is none (with the nearest one).
    """
    place = Path(project) / FOLDER / safe_name(name)
    if not (place / MANIFEST).is_file():
        from withstand.model.findings import nearest

        inside = Path(project) / FOLDER
        known = sorted(p.name for p in inside.iterdir()) if inside.is_dir() else []
        near = nearest(name, known)
        raise UsageError(
            f"There is no snapshot '{name[:60]}'."
            + (f" Did you mean {near}?" if near else "")
            + ("" if known else " withstand track snapshot takes the first one.")
        )
    return read_snapshot(place)
