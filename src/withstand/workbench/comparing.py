"""Compare anything with anything: projects, workbooks, examples, snapshots, plans applied."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from withstand.errors import FindingsError, UsageError
from withstand.readers.atomic import write_atomic
from withstand.workbench.naming import hiding_for
from withstand.workbench.progress import Progress, now, silent
from withstand.workbench.projects import load
from withstand.workbench.snapshots import FOLDER, MANIFEST, NAME, read_snapshot, snapshot_named

if TYPE_CHECKING:
    from withstand.model.network import ProductionNetwork
    from withstand.model.option import Option
    from withstand.report.comparisons import Case, Compared
    from withstand.report.indicators import Asked

COMPARED_ENDINGS = (".html", ".xlsx", ".json")
BASE, NOW = "base", "now"
LARGEST_PLAN = 100_000_000


def compare(
    words: Sequence[str],
    *,
    project: str | os.PathLike[str] = ".",
    asked: Sequence[Asked] = (),
    hides_names: bool = False,
    progress: Progress = silent,
) -> Compared:
    """Set networks side by side, the first as the base.

    Parameters
    ----------
    words : sequence of str
        Each a project folder, a workbook, `example:NAME`, the name of a snapshot of the project
        (or `snapshot:NAME`), `base` or `now` (the project itself), or the JSON file of a plan,
        which is applied to the first of them.
    project : path
        Where `base` and the names of snapshots belong.
    asked : sequence of Asked
        Indicators besides the usual ones.
    hides_names : bool
        Whether suppliers, companies and sites become numbers.
    progress : callable, optional

    Raises
    ------
    UsageError
        If one of them is not there, or there are too few or too many.
    DataError
        With every fault of a table.
    """
    from withstand.report import comparisons

    if not 2 <= len(words) <= comparisons.MOST:
        raise UsageError(
            f"Name a base and one to {comparisons.MOST - 1} others to compare with it, as in:"
            " withstand compare base plan.json. There is "
            f"{'one' if len(words) == 1 else len(words)}."
        )
    cases: list[Case] = []
    for at, word in enumerate(words):
        progress(f"reading {at + 1} of {len(words)}", at, len(words))
        cases.append(case_of(word, project, cases[0].network if cases else None))
    if hides_names:
        hiding = hiding_for(project, [c.network for c in cases])
        cases = [
            replace(c, network=hiding.network(c.network), name=_hidden_name(c, at), source="",
                    notes=tuple(hiding.text(n) for n in c.notes))
            for at, c in enumerate(cases)
        ]  # fmt: skip
    moment = now()
    return comparisons.compare(
        _named(cases), asked, year=int(moment[:4]), made_at=moment, progress=progress
    )


def _hidden_name(case: Case, at: int) -> str:
    return "base" if at == 0 else f"{'plan' if case.plan_cost is not None else 'network'} {at}"


def _named(cases: Sequence[Case]) -> list[Case]:
    """Return cases whose names are numbered where several bear one."""
    names: list[str] = []
    for case in cases:
        name, number = case.name, 1
        while name in names:
            number += 1
            name = f"{case.name} ({number})"
        names.append(name)
    return [replace(c, name=n) for c, n in zip(cases, names, strict=True)]


def case_of(word: str, project: str | os.PathLike[str], base: ProductionNetwork | None) -> Case:
    """Return the network that a word names."""
    from withstand.report.comparisons import Case

    if word in (BASE, NOW):
        return Case(name=word, network=load(project), source=os.fspath(project))
    if word.startswith("snapshot:"):
        return _snapshot_case(project, word.removeprefix("snapshot:"))
    if word.startswith("example:"):
        return Case(name=word.removeprefix("example:"), network=load(word), source=word)
    path = Path(word)
    if path.suffix.lower() == ".json":
        return _plan_case(path, base)
    inside = Path(project) / FOLDER / word
    if not path.exists() and NAME.match(word) and (inside / MANIFEST).is_file():
        return _snapshot_case(project, word)
    if (path / MANIFEST).is_file() and path.parent.name == FOLDER:
        found = read_snapshot(path)
        return Case(name=found.name, network=found.load(), source=word)
    if not path.exists():
        raise UsageError(
            f"'{word[:80]}' is neither a project folder, a workbook, example:NAME, the JSON file"
            f" of a plan, nor a snapshot of {os.fspath(project)}."
        )
    return Case(name=path.resolve().stem or path.name, network=load(path), source=word)


def _snapshot_case(project: str | os.PathLike[str], name: str) -> Case:
    from withstand.report.comparisons import Case

    found = snapshot_named(project, name)
    return Case(name=found.name, network=found.load(), source=f"snapshot:{found.name}")


def _plan_case(path: Path, base: ProductionNetwork | None) -> Case:
    """Return the base with a plan applied, all of it in place."""
    from withstand.model.option import apply
    from withstand.report.comparisons import Case

    if base is None:
        raise UsageError(f"{path.name} is a plan: name what it is applied to before it.")
    document = read_plan_file(path)
    notes = []
    made_for = document.get("provenance", {})
    if isinstance(made_for, dict) and made_for.get("fingerprint") not in (None, base.fingerprint()):
        notes.append(f"{path.name} was made for other tables than those of the base.")
    options, cost = _options_of(base, document, path.name)
    try:
        network = apply(base, options)
    except FindingsError as error:
        said = "; ".join(f.what for f in error.findings[:3])
        raise UsageError(f"{path.name} cannot be applied to the base: {said}.") from error
    return Case(name=path.stem, network=network, source=str(path), plan_cost=cost,
                notes=tuple(notes))  # fmt: skip


def read_plan_file(path: Path) -> dict[str, Any]:
    """Return what `withstand plan --out plan.json` wrote.

    Raises
    ------
    UsageError
        If it cannot be read, or is no plan.
    """
    try:
        if path.stat().st_size > LARGEST_PLAN:
            raise UsageError(f"{path.name} is too large for a plan.")
        document = json.loads(path.read_bytes())
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise UsageError(f"{path} cannot be read: {reason}.") from error
    except (ValueError, RecursionError) as error:
        if isinstance(error, UsageError):
            raise
        raise UsageError(f"{path.name} is not valid JSON.") from error
    if not isinstance(document, dict) or not isinstance(document.get("calendar"), list):
        raise UsageError(f"{path.name} is no plan; withstand plan ... --out plan.json writes one.")
    return document


def _options_of(
    base: ProductionNetwork, document: dict[str, Any], name: str
) -> tuple[list[Option], float]:
    """Return the options of a plan, of the size in which they are started, and what they cost."""
    from withstand.model.findings import nearest
    from withstand.model.option import read_options

    known = {o.label: o for o in read_options(base)}
    sizes: dict[str, float] = {}
    for row in document["calendar"]:
        label = row.get("option") if isinstance(row, dict) else None
        size = row.get("size", 1.0) if isinstance(row, dict) else None
        if not isinstance(label, str) or not isinstance(size, int | float):
            raise UsageError(f"{name}: a row of its calendar names no option and size.")
        if label not in known:
            near = nearest(label, list(known))
            raise UsageError(
                f"{name} starts the option '{label[:60]}', which the base has not."
                + (f" Did you mean {near}?" if near else "")
            )
        sizes[label] = sizes.get(label, 0.0) + float(size)
    cost = document.get("cost")
    if not isinstance(cost, int | float) or isinstance(cost, bool):
        cost = sum(known[label].cost_once * size for label, size in sizes.items())
    return [_sized(known[label], size) for label, size in sizes.items()], float(cost)


def _sized(option: Option, size: float) -> Option:
    """Return an option grown to its full size, what is added as often as it is started."""
    effects = []
    for effect in option.effects:
        amount = effect.amount
        if effect.mode == "add":
            amount *= size
        elif effect.mode == "scale":
            amount = 1.0 + (amount - 1.0) * size
        effects.append(replace(effect, amount=amount))
    return replace(option, effects=tuple(effects), requires=(), excludes=())


def compared_targets(paths: Sequence[str | os.PathLike[str]]) -> list[Path]:
    """Return the paths of a comparison or of targets: .html, .xlsx or .json; there may be none.

    Raises
    ------
    UsageError
        If one has another ending.
    """
    targets = [Path(p) for p in paths]
    for target in targets:
        if target.suffix.lower() not in COMPARED_ENDINGS:
            raise UsageError(f"{target.name}: write to {', '.join(COMPARED_ENDINGS)}.")
    return targets


def write_compared(found: Compared, paths: Sequence[str | os.PathLike[str]]) -> list[Path]:
    """Write a comparison to each path: .html a page, .xlsx a workbook, .json its data."""
    from withstand.report.compare_page import compare_json, compare_page, compare_workbook

    makers = (compare_page, compare_workbook, compare_json)
    return write_each(found, paths, dict(zip(COMPARED_ENDINGS, makers, strict=True)))


def write_each(
    found: Any, paths: Sequence[str | os.PathLike[str]], makers: dict[str, Any]
) -> list[Path]:
    """Write one result to each path, by its ending."""
    targets = compared_targets(paths)
    for target in targets:
        write_atomic(target, makers[target.suffix.lower()](found))
    return targets
