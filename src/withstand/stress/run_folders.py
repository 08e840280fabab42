"""The folder of an ensemble: what is played, and what has been played so far, part by part.

    manifest.json          what is played: network, engine, parameters, number of scenarios
    scenarios.json         the scenarios themselves, so that a run can go on without their source
    part-000000.parquet    outcomes of scenarios 0 to 63, and so on

Files are written beside their place and renamed, so that a cut at any moment leaves whole files.
Pages of a part carry checksums; a part that cannot be read back is played again.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from withstand.errors import ScenarioError, UsageError
from withstand.model.findings import Finding, Origin, make_finding, shorten
from withstand.model.scenario import Scenario, scenario_from, scenario_to_dict

MANIFEST, SCENARIOS = "manifest.json", "scenarios.json"
FORMAT = 1
_WRITING = ".writing"


def digest_of(scenarios: Sequence[Scenario]) -> str:
    """Return a hash of the scenarios, in their order."""
    text = json.dumps([scenario_to_dict(s) for s in scenarios])
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


class RunFolder:
    """The folder of one run, opened for writing.

    Parameters
    ----------
    path : path
        New, empty, or of the same run.
    key : mapping of str to object
        What makes the run this run and no other; plain values.
    scenarios : sequence of Scenario

    Raises
    ------
    UsageError
        If the folder holds something else, or cannot be written.
    """

    def __init__(
        self, path: str | os.PathLike[str], key: Mapping[str, Any], scenarios: Sequence[Scenario]
    ) -> None:
        self.path = Path(path)
        self.findings: list[Finding] = []
        text = [scenario_to_dict(s) for s in scenarios]
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            found = sorted(p.name for p in self.path.iterdir())
        except OSError as error:
            raise self._refused(error) from error
        if MANIFEST in found:
            self._same(read_manifest(self.path), key)
            return
        strange = [n for n in found if n != SCENARIOS and not n.endswith(_WRITING)]
        if strange:
            raise UsageError(
                f"{self.path} is not empty ({shorten(strange[0])}) and holds no run; "
                "name a new folder."
            )
        self._write(SCENARIOS, json.dumps(text, ensure_ascii=False).encode())
        self._write(MANIFEST, json.dumps(dict(key), indent=2, ensure_ascii=False).encode())

    def _same(self, found: Mapping[str, Any], key: Mapping[str, Any]) -> None:
        plain = json.loads(json.dumps(dict(key)))
        other = [name for name in plain if found.get(name) != plain[name]]
        if other:
            raise UsageError(
                f"{self.path} holds another run (different: {', '.join(other)}); name a new folder."
            )

    def part(self, number: int) -> Path:
        """Return where a part is kept."""
        return self.path / f"part-{number:06d}.parquet"

    def read(
        self, number: int, names: Sequence[str], first: int, schema: Mapping[str, Any]
    ) -> pl.DataFrame | None:
        """Return a part that is there and whole; a damaged one becomes a finding."""
        file = self.part(number)
        if not file.exists():
            return None
        fault, part = _read_part(file)
        if part is not None and not _is_whole(part, names, first, schema):
            fault, part = "it holds other rows than were written", None
        if part is None:
            what = f"scenarios {first + 1} to {first + len(names)} are played again: {fault}"
            self.findings.append(make_finding("W302", what, origin=Origin(file.name)))
        return part

    def write(self, number: int, part: pl.DataFrame) -> None:
        """Write a part as one step."""
        from pyarrow import parquet

        def save(path: Path) -> None:
            parquet.write_table(part.to_arrow(), path, write_page_checksum=True)

        self._replace(self.part(number), save)

    def _write(self, name: str, data: bytes) -> None:
        self._replace(self.path / name, lambda path: path.write_bytes(data))

    def _replace(self, target: Path, save: Any) -> None:
        building = target.with_name(f".{target.name}-{os.getpid()}{_WRITING}")
        try:
            save(building)
            synced(building)
            building.replace(target)
        except OSError as error:
            building.unlink(missing_ok=True)
            raise self._refused(error) from error

    def _refused(self, error: OSError) -> UsageError:
        reason = error.strerror or str(error) or type(error).__name__
        return UsageError(
            f"{self.path} cannot be written: {shorten(reason)}. What was written before is whole: "
            "make room or name another folder, then run the same again to go on."
        )


def synced(file: Path) -> None:
    """Have the content on the disk before its name is: a power cut keeps no order of its own."""
    with file.open("rb+") as stream:
        os.fsync(stream.fileno())


def _read_part(file: Path) -> tuple[str, pl.DataFrame | None]:
    """Return why a part cannot be read, or the part."""
    from pyarrow import ArrowException, parquet

    try:
        table = parquet.read_table(file, page_checksum_verification=True, partitioning=None)
        table.validate(full=True)
        frame = pl.from_arrow(table)
    except (ArrowException, OSError, ValueError, pl.exceptions.PolarsError) as error:
        return shorten(" ".join(str(error).split())), None
    return "", frame if isinstance(frame, pl.DataFrame) else None


def _is_whole(
    part: pl.DataFrame, names: Sequence[str], first: int, schema: Mapping[str, Any]
) -> bool:
    return (
        dict(part.schema) == dict(schema)
        and part["number"].to_list() == list(range(first, first + len(names)))
        and part["scenario"].to_list() == list(names)
    )


def read_manifest(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Return what a folder of a run plays.

    Raises
    ------
    UsageError
        If the folder holds no run, or its manifest is damaged.
    """
    file = Path(path) / MANIFEST
    try:
        found = json.loads(file.read_bytes())
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise UsageError(f"{path} holds no run of an ensemble ({MANIFEST}: {reason}).") from error
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{file} is damaged; name a new folder.") from error
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        raise UsageError(f"{file} was written by another version; name a new folder.")
    if not _is_manifest(found):
        raise UsageError(f"{file} is damaged; name a new folder.")
    return found


def _is_manifest(found: Mapping[str, Any]) -> bool:
    """Tell whether what a run is made of is there, and of the right kind."""
    periods, rules, eps = (found.get(key) for key in ("periods", "rules", "eps"))
    return (
        {"engine", "periods", "rules", "eps", "weights"} <= found.keys()
        and isinstance(found["engine"], str)
        and (rules is None or isinstance(rules, dict))
        and (periods is None or (isinstance(periods, int) and not isinstance(periods, bool)))
        and isinstance(eps, float)
    )


def read_plan(path: str | os.PathLike[str]) -> list[Scenario]:
    """Return the scenarios that the run in a folder plays.

    Raises
    ------
    UsageError
        If they cannot be read.
    """
    file = Path(path) / SCENARIOS
    try:
        data = json.loads(file.read_bytes())
        scenarios = [_scenario(d) for d in data]
    except (OSError, ValueError, RecursionError, TypeError, KeyError, ScenarioError) as error:
        raise UsageError(f"{file} cannot be read; start the run again in a new folder.") from error
    return scenarios


def _scenario(data: Mapping[str, Any]) -> Scenario:
    if not data["shock"]:
        return Scenario(name=data["name"], shocks=(), probability=data["probability"])
    return scenario_from(data, Origin(SCENARIOS), "scenario")
