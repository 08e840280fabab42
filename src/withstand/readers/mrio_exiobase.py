"""EXIOBASE 3 (`IOT_2019_ixi.zip`, `IOT_2019_pxp`): a folder or archive of text, tab separated.

`Z.txt` has two columns of labels (region, sector) and two rows of headers, under which the names of
the columns of labels stand in a row of their own; `Y.txt` has region and category above. `x.txt`
holds output, `unit.txt` the unit of each row. Where there is only `A.txt`, flows are its columns
times output. Folders beside (satellite; factor_inputs, employment, air_emissions ... from 3.9) hold
`F.txt`, a row a stressor. From an archive only the files that are needed are unpacked, one at a
time.
"""

from __future__ import annotations

import json
import re
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from withstand.model.findings import Finding, listed, make_finding
from withstand.readers.mrio_archives import Archive, archive_names
from withstand.readers.mrio_draft import MOST_EXTENSION_ROWS, Draft, Wanted, refuse
from withstand.readers.mrio_frames import TextMatrix, read_matrix

if TYPE_CHECKING:
    from collections.abc import Sequence

Array = np.ndarray
Label = tuple[str, ...]
LARGEST = 2**32
LARGEST_SMALL = 2**26
REGION_NAMES = {
    "WA": "Rest of Asia and Pacific",
    "WE": "Rest of Europe",
    "WF": "Rest of Africa",
    "WL": "Rest of America",
    "WM": "Rest of the Middle East",
}
UNITS = {"M.EUR": "million EUR", "MEUR": "million EUR", "M.Euro": "million EUR"}
FIRST = ("factor_inputs", "employment", "satellite")
LAST = ("impacts",)
"""Impacts are sums of the other extensions: they are kept if there is room."""
_NEEDED_FIRST = re.compile(
    r"(?i)(value added|taxes|other net taxes|compensation|operating surplus|employment)"
)


def looks_like_exiobase(path: Path) -> bool:
    """Tell whether a folder or an archive holds EXIOBASE 3 as it is published."""
    if path.is_dir():
        has_core = any((path / x).is_file() for x in ("Z.txt", "A.txt"))
        return has_core and (path / "Y.txt").is_file() and not _is_saved_by_others(path)
    if path.suffix.lower() != ".zip":
        return False
    names = {PurePosixPath(x).name for x in archive_names(path)}
    return "Y.txt" in names and bool(names & {"Z.txt", "A.txt"})


def _is_saved_by_others(folder: Path) -> bool:
    """Tell whether pymrio saved another table there: EXIOBASE's own folders hold its files too."""
    if not (folder / "file_parameters.json").exists():
        return False
    try:
        text = (folder / "metadata.json").read_text(encoding="utf-8", errors="replace")
    except OSError:
        text = ""
    return "exiobase" not in f"{text} {folder.name}".casefold() and not re.match(
        r"(?i)IOT_\d{4}_(ixi|pxp)$", folder.name
    )


class _Place:
    """Where the files are: a folder, or an archive that is unpacked file by file."""

    def __init__(self, wanted: Wanted, archive: Archive | None) -> None:
        self._wanted, self._archive = wanted, archive
        if archive is None:
            files = [p for p in sorted(wanted.path.rglob("*.*")) if p.is_file()]
            self._at = {p.relative_to(wanted.path).as_posix(): str(p) for p in files}
        else:
            cores = [x for x in archive.names if PurePosixPath(x).name == "Y.txt"]
            root = min((PurePosixPath(x).parent.as_posix() for x in cores), key=len)
            start = "" if root == "." else f"{root}/"
            self._at = {
                x.removeprefix(start): x for x in sorted(archive.names) if x.startswith(start)
            }

    def __contains__(self, name: str) -> bool:
        return name in self._at

    def file(self, name: str, largest: int = LARGEST) -> Wanted:
        """Return a file, unpacked if need be; refuse one that is missing or too large."""
        if name not in self._at:
            raise refuse(self._wanted, "E101", f"{name} is missing", column=name)
        if self._archive is not None:
            return self._archive.wanted(self._at[name], largest)
        path = Path(self._at[name])
        if path.stat().st_size > largest:
            raise refuse(self._wanted, "E122", f"{name} is larger than any such file is")
        return replace(self._wanted, path=path)

    def extensions(self) -> list[str]:
        """Return the folders of extensions, those first that are asked for most."""
        names = [x.removesuffix("/F.txt") for x in self._at if re.fullmatch(r"[^/]+/F\.txt", x)]
        rank = {name: k for k, name in enumerate(FIRST)}
        last = len(FIRST) + 1
        return sorted(names, key=lambda x: (last if x in LAST else rank.get(x, len(FIRST)), x))


def read_exiobase(wanted: Wanted) -> Draft:
    """Read the table of one year, industry by industry or product by product."""
    is_packed = not wanted.path.is_dir()
    opened: AbstractContextManager[Archive | None] = (
        Archive(wanted) if is_packed else nullcontext(None)
    )
    with opened as archive:
        place = _Place(wanted, archive)
        facts = _metadata(place)
        final = _matrix(place, "Y.txt", 2)
        rows = _rows(final)
        _refuse_twice(rows, wanted)
        output = _output(place, rows, wanted)
        flows = _flows(place, rows, output, wanted)
        if output is None:
            output = flows.sum(axis=1) + final.values.sum(axis=1)
        unit = _unit(place)
        findings: list[Finding] = []
        extensions = _extensions(place, rows, wanted, findings)
    regions = [row[0] for row in rows]
    kind = _kind(wanted, facts)
    return Draft(
        flows=flows,
        final=final.values,
        nodes=pl.DataFrame(
            {"product": [row[1] for row in rows], "region": regions, "output": output}
        ),
        final_columns=pl.DataFrame(
            {"region": final.headers[0], "category": final.headers[1]}
        ),
        name=wanted.path.stem if is_packed else wanted.path.name,
        currency=UNITS.get(unit, unit),
        region_names={r: n for r, n in REGION_NAMES.items() if r in set(regions)},
        extensions=extensions,
        sources=[
            ("layout", f"{wanted.path.name}: EXIOBASE 3, {kind}"),
            (
                "valuation",
                "basic prices, current million EUR; value added is output less intermediate "
                "purchases of the file: it holds taxes less subsidies on products",
            ),
            *[(f"EXIOBASE {key}", str(facts[key])) for key in ("version", "system") if
              facts.get(key)],
        ],
        findings=findings,
    )  # fmt: skip


def _kind(wanted: Wanted, facts: dict[str, Any]) -> str:
    text = f"{wanted.path.name} {facts.get('system', '')}".casefold()
    kinds = {"ixi": "industry by industry", "pxp": "product by product"}
    return next(
        (words for short, words in kinds.items() if short in text), "industries or products"
    )


def _metadata(place: _Place) -> dict[str, Any]:
    """Return the facts of metadata.json; they are told, and nothing hangs on them."""
    if "metadata.json" not in place:
        return {}
    file = place.file("metadata.json", LARGEST_SMALL).path
    try:
        facts = json.loads(file.read_text(encoding="utf-8-sig", errors="replace"))
    except (ValueError, RecursionError):
        return {}
    return facts if isinstance(facts, dict) else {}


def _matrix(place: _Place, name: str, n_labels: int) -> TextMatrix:
    """Read a matrix under two rows of headers, and the row of names of labels where it has one."""
    here = place.file(name)
    with here.path.open("rb") as stream:
        lines = [stream.readline(2**24) for _ in range(3)]
    cells = lines[2].rstrip(b"\r\n").split(b"\t")
    has_names = not any(cell.strip(b' "') for cell in cells[n_labels:])
    try:
        return read_matrix(here, n_labels=n_labels, n_headers=2, n_skipped=int(has_names))
    finally:
        if here.path.parent != place._wanted.path and place._archive is not None:
            here.path.unlink()


def _rows(matrix: TextMatrix) -> list[Label]:
    return list(zip(*matrix.labels, strict=True))


def _refuse_twice(rows: Sequence[Label], wanted: Wanted) -> None:
    seen: set[Label] = set()
    for row in rows:
        if row in seen:
            raise refuse(wanted, "E106", "a row stands twice in Y.txt", value=" / ".join(row))
        seen.add(row)


def _differ(name: str, one: Sequence[Label], other: Sequence[Label], wanted: Wanted) -> None:
    if list(one) != list(other):
        odd = [" / ".join(x) for x in sorted(set(one) ^ set(other))]
        what = f"{name} are not the rows of Y.txt: {listed(odd or ['their order'])}"
        raise refuse(wanted, "E123", what, column=name.split()[-1])


def _output(place: _Place, rows: Sequence[Label], wanted: Wanted) -> Array | None:
    """Return output of every row, None where the file is missing."""
    if "x.txt" not in place:
        return None
    here = place.file("x.txt", LARGEST_SMALL)
    found = read_matrix(here, n_labels=2, n_headers=1)
    at = {row: k for k, row in enumerate(_rows(found))}
    lost = [" / ".join(row) for row in rows if row not in at]
    if lost:
        raise refuse(
            wanted, "E101", f"x.txt lacks rows: {listed(lost)}", column="x", count=len(lost)
        )
    return found.values[[at[row] for row in rows], 0]


def _flows(place: _Place, rows: Sequence[Label], output: Array | None, wanted: Wanted) -> Array:
    name = "Z.txt" if "Z.txt" in place else "A.txt"
    if name == "A.txt" and output is None:
        what = "there is neither Z.txt nor A.txt with x.txt: flows are A times output"
        raise refuse(wanted, "E101", what, column="x.txt")
    found = _matrix(place, name, 2)
    _differ(f"rows of {name}", _rows(found), rows, wanted)
    _differ(f"columns of {name}", list(zip(*found.headers, strict=True)), rows, wanted)
    flows = np.ascontiguousarray(found.values)
    if name == "A.txt" and output is not None:
        flows *= output
    return flows


def _unit(place: _Place) -> str:
    """Return the one unit of the flows, nothing where there are several."""
    if "unit.txt" not in place:
        return "M.EUR"
    units = set(_units(place, "unit.txt", 2).values())
    return units.pop() if len(units) == 1 else ""


def _units(place: _Place, name: str, n_labels: int) -> dict[Label, str]:
    if name not in place:
        return {}
    try:
        frame = pl.read_csv(
            place.file(name, LARGEST_SMALL).path, separator="\t", infer_schema=False, glob=False
        )
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException):
        return {}
    if frame.width <= n_labels:
        return {}
    return {tuple(map(str, row[:n_labels])): str(row[n_labels] or "") for row in frame.iter_rows()}


def _extensions(
    place: _Place, rows: Sequence[Label], wanted: Wanted, findings: list[Finding]
) -> pl.DataFrame | None:
    """Return the stressors by node; where they are too many, those first that are needed most."""
    nodes = pl.Series("node", [f"{row[1]}@{row[0]}" for row in rows])
    room = MOST_EXTENSION_ROWS // max(len(rows), 1)
    taken: dict[str, tuple[Array, str]] = {}
    left_out: list[str] = []
    n_left = 0
    for folder in place.extensions():
        if room <= 0:
            left_out.append(folder)
            continue
        matrix = _matrix(place, f"{folder}/F.txt", 1)
        _differ(f"columns of {folder}/F.txt", list(zip(*matrix.headers, strict=True)), rows, wanted)
        units = _units(place, f"{folder}/unit.txt", 1)
        names = matrix.labels[0]
        order = sorted(range(len(names)), key=lambda k: _NEEDED_FIRST.match(names[k]) is None)
        kept = [k for k in order[:room] if names[k] not in taken]
        for k in sorted(kept):
            taken[names[k]] = matrix.values[k], units.get((names[k],), "")
        if len(names) > room:
            left_out.append(f"{len(names) - room} rows of {folder}")
            n_left += len(names) - room
        room -= len(kept)
    if left_out:
        what = f"extensions beyond {MOST_EXTENSION_ROWS:,} rows are left out: {listed(left_out)}"
        findings.append(
            make_finding("N211", what, origin=wanted.origin, count=max(n_left, len(left_out)))
        )
    if not taken:
        return None
    return pl.concat(
        pl.DataFrame({"node": nodes}).with_columns(
            name=pl.lit(name), value=pl.Series(values), unit=pl.lit(unit)
        )
        for name, (values, unit) in taken.items()
    )
