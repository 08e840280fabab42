"""Sets of scenarios as data: TOML files with many scenarios, and with sets by name."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from withstand.errors import ScenarioError, UsageError
from withstand.model.findings import Finding, Origin, make_finding, nearest, shorten
from withstand.model.scenario import Scenario, scenario_from
from withstand.model.scenario_sets import SETS, every

if TYPE_CHECKING:
    from withstand.model.network import ProductionNetwork

SECTIONS = ("scenario", "all")
_TABLES = (".csv", ".tsv", ".parquet", ".xlsx", ".xls", ".ods")
ALL_KEYS = ("of", "share", "start", "duration", "recovery", "curve", "probability")


def read_scenarios(
    path: str | os.PathLike[str] | Sequence[str | os.PathLike[str]], network: ProductionNetwork
) -> list[Scenario]:
    """Return the scenarios of TOML files, or of every TOML file in folders, by name of the file.

    A file holds one scenario (`name`, `probability`, `[[shock]]` sections), or many: `[[scenario]]`
    sections with `[[scenario.shock]]` sections of their own, and `[[all]]` sections that stand for
    a whole set: `of = "regions"` (or nodes, products, region_pairs) with share, duration, recovery.

    Parameters
    ----------
    path : path or sequence of paths
    network : ProductionNetwork
        Whose nodes, regions and products the sets are made of.

    Raises
    ------
    ScenarioError
        With every fault in all files.
    UsageError
        If a folder holds no TOML file.
    """
    findings: list[Finding] = []
    scenarios: list[Scenario] = []
    for file in _files([path] if isinstance(path, str | os.PathLike) else path):
        origin = Origin(shorten(file.name))
        try:
            scenarios += scenarios_from(_parsed(file, origin), origin, file.stem, network)
        except ScenarioError as error:
            findings += error.findings
    if findings:
        raise ScenarioError(findings)
    return scenarios


def _files(paths: Sequence[str | os.PathLike[str]]) -> list[Path]:
    files: list[Path] = []
    for path in map(Path, paths):
        if not path.is_dir():
            files.append(path)
            continue
        inside = sorted(path.glob("*.toml"))
        if not inside:
            raise UsageError(f"There is no scenario (*.toml) in {path}.")
        files += inside
    return files


def _parsed(file: Path, origin: Origin) -> dict[str, Any]:
    if file.suffix.lower() in _TABLES:
        what = f"a scenario file is TOML, and this one ends in {file.suffix}"
        fix = "If it is a table of hazards, draw years from it: withstand stress --hazards FILE."
        raise ScenarioError([make_finding("E304", what, origin=origin, fix=fix)])
    try:
        return tomllib.loads(file.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:  # not text, not TOML, absurd numbers
        reason = getattr(error, "strerror", None) or str(error)
        raise ScenarioError([make_finding("E304", shorten(reason), origin=origin)]) from error


def scenarios_from(
    data: Mapping[str, Any], origin: Origin, default_name: str, network: ProductionNetwork
) -> list[Scenario]:
    """Return the scenarios of parsed TOML; every unknown key and impossible value is a finding.

    Examples
    --------
    >>> from withstand.examples import tiny
    >>> data = {"all": [{"of": "regions", "share": 0.5, "duration": "12w"}]}
    >>> [s.name for s in scenarios_from(data, Origin("set.toml"), "set", tiny())]
    ['region JP loses 50% for 12w']
    """
    if not any(s in data for s in SECTIONS):
        return [scenario_from(data, origin, default_name)]
    findings = _unknown(data, SECTIONS, "", origin)
    scenarios: list[Scenario] = []
    for number, section in enumerate(_sections(data, "scenario", origin, findings), 1):
        try:
            scenarios.append(scenario_from(section, origin, f"{default_name} {number}"))
        except ScenarioError as error:
            where = f"scenario {number}"
            findings += [replace(f, what=f"{where}: {f.what}") for f in error.findings]
    for number, section in enumerate(_sections(data, "all", origin, findings), 1):
        try:
            scenarios += _all(section, origin, network)
        except ScenarioError as error:
            where = f"[[all]] {number}"
            findings += [
                replace(f, file=origin.file, what=f"{where}: {f.what}") for f in error.findings
            ]
    if not scenarios and not findings:
        findings.append(make_finding("E304", "the sets hold no scenario", origin=origin))
    if findings:
        raise ScenarioError(findings)
    return scenarios


def _sections(
    data: Mapping[str, Any], name: str, origin: Origin, findings: list[Finding]
) -> list[Mapping[str, Any]]:
    """Return the sections of a name; what is none becomes a finding."""
    found = data.get(name, [])
    if not isinstance(found, list) or not all(isinstance(s, Mapping) for s in found):
        what = f"{name} must be sections: write [[{name}]]"
        findings.append(make_finding("E304", what, origin=origin, column=name))
        return []
    return found


def _all(section: Mapping[str, Any], origin: Origin, network: ProductionNetwork) -> list[Scenario]:
    """Return the scenarios of one set."""
    findings = _unknown(section, ALL_KEYS, "", origin)
    of = section.get("of")
    if of not in SETS:
        what = f"of must be one of {', '.join(SETS)}"
        findings.append(
            make_finding(
                "E304", what, column="of", value=of, suggestion=nearest(str(of or ""), SETS)
            )
        )
    if findings:
        raise ScenarioError(findings)
    given = {k: v for k, v in section.items() if k not in ("of", "probability")}
    made = every(network, str(of), **({"duration": None} | given))  # for ever, as in a shock
    if "probability" not in section:
        return made
    return [replace(s, probability=section["probability"]) for s in made]


def _unknown(
    data: Mapping[str, Any], known: Sequence[str], where: str, origin: Origin
) -> list[Finding]:
    return [
        make_finding(
            "E304",
            f"unknown key '{key[:40]}'{where}",
            origin=origin,
            column=key,
            suggestion=nearest(key, known),
        )
        for key in data
        if key not in known
    ]
