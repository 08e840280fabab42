"""An import, worked out in full before anything is written: mappings, tables, changes, findings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from withstand.errors import UsageError
from withstand.model.conforming import conform_rows
from withstand.model.findings import (
    Finding,
    Origin,
    has_errors,
    make_finding,
    shorten,
    sort_findings,
)
from withstand.readers.mapping.converted import BadCell, Converted, Terms
from withstand.readers.mapping.converting import convert
from withstand.readers.mapping.kept import KeptMapping, read_mappings, stem_of
from withstand.readers.mapping.matching import Found, Wishes, find_match, keep
from withstand.readers.mapping.merging import Change, change_of, plain_headers
from withstand.readers.mapping.projects import Project, in_family, is_plant_table, open_project
from withstand.readers.mapping.reading import TURNED, read_as_agreed, turned
from withstand.readers.mapping.referring import (
    NAMED,
    mend_recipe_units,
    mend_references,
    suggest_names,
)
from withstand.readers.mapping.targets import targets

if TYPE_CHECKING:
    import os

    from withstand.model.tables import Table
    from withstand.readers.messy.blocks import Block

_WITH_UNIT = {"capacity_per_year": "capacity", "training_weeks": "training"}


@dataclass(frozen=True, kw_only=True)
class ImportTerms:
    """What the user of an import says beside the files.

    Parameters
    ----------
    mode : {"new", "update", "replace"}
        What happens to tables that have rows.
    wishes : Wishes
        Table, mapping, columns, accepted findings.
    units : mapping of str to str
        Our column to the unit of the file.
    rates : mapping of str to float
        Currency to its worth in the currency of the project.
    decimal : str
        Mark of decimals, where the file does not show it.
    """

    mode: str = "new"
    wishes: Wishes = field(default_factory=Wishes)
    units: Mapping[str, str] = field(default_factory=dict)
    rates: Mapping[str, float] = field(default_factory=dict)
    decimal: str = ""


@dataclass(kw_only=True, eq=False)
class BlockImport:
    """One block of a file: what it is matched with, and what became of it."""

    path: Path
    block: Block
    found: Found
    converted: Converted | None = None
    kept: KeptMapping | None = None

    def __repr__(self) -> str:
        """Tell file and match on one line."""
        return f"BlockImport({self.path.name!r}, {self.found.match!r})"


@dataclass(kw_only=True, eq=False)
class Import:
    """An import that is ready to be looked at, and to be written if nothing stands against it.

    Parameters
    ----------
    project : Project
        As it is now.
    blocks : list of BlockImport
    changes : list of Change
        What becomes of each table.
    findings : list of Finding
    refusals : list of str
        What the user has to decide first: whether to update or to replace.
    dropped : list of str
        Tables that are replaced by those of another family.
    """

    project: Project
    terms: ImportTerms
    paths: list[Path]
    blocks: list[BlockImport] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)
    dropped: list[str] = field(default_factory=list)

    def __repr__(self) -> str:
        """Tell counts on one line."""
        return f"Import({len(self.blocks)} blocks, {self.changes}, {len(self.findings)} findings)"

    @property
    def is_ready(self) -> bool:
        """Whether it can be written."""
        return bool(self.changes) and not self.refusals and not has_errors(self.findings)

    @property
    def mappings(self) -> list[KeptMapping]:
        """The mappings to keep."""
        return [b.kept for b in self.blocks if b.kept is not None]

    def to_frame(self) -> pl.DataFrame:
        """Return one row a column of the files: what it becomes, and why."""
        rows = [
            {
                "file": b.path.name,
                "block": b.block.name,
                "table": b.found.match.table,
                "header": p.header,
                "column": p.target if p.is_taken else None,
                "suggested": None if p.is_taken else p.target,
                "score": p.score,
                "margin": p.margin,
                "by": p.by if p.is_taken else None,
                "done": (b.converted.said.get(p.target or "") if b.converted else None),
            }
            for b in self.blocks
            if b.found.match is not None
            for p in b.found.match.picks
        ]
        texts = ("file", "block", "table", "header", "column", "suggested")
        schema: dict[str, type[pl.DataType]] = dict.fromkeys(texts, pl.String)
        schema |= {"score": pl.Float64, "margin": pl.Float64, "by": pl.String, "done": pl.String}
        return pl.DataFrame(rows, schema=schema)


def plan_import(
    path: str | os.PathLike[str],
    files: Sequence[str | os.PathLike[str]],
    terms: ImportTerms | None = None,
) -> Import:
    """Work out what adding files to a project would do; nothing is written.

    Parameters
    ----------
    path : str or path
        The project folder; it may be new.
    files : sequence of str or path
        Files as given: CSV and other text, workbooks.
    terms : ImportTerms, optional

    Returns
    -------
    Import

    Raises
    ------
    UsageError
        If a table, mapping or column that was named is not there.
    DataError
        If the project itself cannot be read.
    """
    terms = terms or ImportTerms()
    project = open_project(path)
    mappings, findings = read_mappings(project.folder)
    plan = Import(project=project, terms=terms, paths=[Path(f) for f in files], findings=findings)
    _read(plan, mappings)
    _check_headers(plan)
    _convert(plan)
    _merge(plan)
    plan.findings = sort_findings(plan.findings)
    return plan


# --- reading and matching ------------------------------------------------------------------------


def _read(plan: Import, mappings: Sequence[KeptMapping]) -> None:
    """Read the files into blocks, and match each with a table."""
    project, terms = plan.project, plan.terms
    held = frozenset(n for n, f in project.tables.items() if f.height)
    known = set(project.known_products())
    for path in plan.paths:
        read = read_as_agreed(path, mappings, terms.wishes.accepted, terms.decimal)
        plan.findings += read.findings
        sideways = {f.sheet for f in read.findings if f.code == TURNED}
        found = [
            (b, turned(b, read.file)) if (b.sheet and shorten(b.sheet)) in sideways else
            (b, find_match(b, read.file, b.origin(read.file), mappings, terms.wishes, held,
                           project.settings.lens, known))
            for b in read.blocks
        ]  # fmt: skip
        any_fits = any(f.match is not None for _, f in found)
        for block, one in found:
            if one.match is None and not one.findings:
                one.findings.append(_no_table(block, read.file, any_fits=any_fits))
            plan.findings += one.findings
            plan.blocks.append(BlockImport(path=path, block=block, found=one))


def _no_table(block: Block, file: str, *, any_fits: bool) -> Finding:
    what = f"the columns of '{shorten(block.name)}' fit no table"
    return make_finding("W727" if any_fits else "E721", what, origin=Origin(file, block.sheet))


def _check_headers(plan: Import) -> None:
    """Refuse headers that the user named and no file has."""
    from withstand.model.findings import nearest
    from withstand.readers.mapping.vocabulary import fold

    headers = [h for b in plan.blocks for h in b.block.header]
    folded = {fold(h) for h in headers}
    for header in plan.terms.wishes.columns:
        if fold(header) not in folded:
            near = nearest(header, headers)
            hint = f"; did you mean '{near}'?" if near else "."
            raise UsageError(f"no file has a column '{header[:40]}'{hint}")


# --- converting ----------------------------------------------------------------------------------


def _convert(plan: Import) -> None:
    """Bring the blocks that are sure into our units and words, and judge them together."""
    project = plan.project
    ready = [b for b in plan.blocks if b.found.match is not None and b.found.match.is_taken]
    ready = [b for b in ready if not has_errors(f for f in b.found.findings)]
    units = project.known_products()
    for one in ready:
        one.converted = convert(one.block, one.found.match, one.path.name, _terms(plan, one))  # type: ignore[arg-type]
        frame = one.converted.frame
        if one.converted.table == "items" and "id" in frame.columns:
            stated = frame["unit"].to_list() if "unit" in frame.columns else [None] * frame.height
            units |= dict(zip(frame["id"].cast(pl.String).to_list(), stated, strict=True))
    known = {k for k in units if k}
    trusted = {c: project.names_in(c) for columns in NAMED.values() for c in columns}
    if plan.terms.mode == "replace":
        trusted = {}
    names = _mapping_names(ready)
    for one in ready:
        converted, terms = one.converted, _terms(plan, one)
        assert converted is not None
        if converted.table != "items":
            mend_references(converted, known, terms)
        mend_recipe_units(converted, {k: u for k, u in units.items() if k and u})
        suggest_names(converted, trusted, terms)
        _conform(converted)
        plan.findings += converted.findings
        one.kept = keep(
            one.found, one.block, one.path.name, converted.codes, terms.units, terms.rates,
            plan.terms.wishes, names[id(one)], plan.terms.decimal,
        )  # fmt: skip


def _terms(plan: Import, one: BlockImport) -> Terms:
    """Return how a block is to be read: what the user says now stands over what was kept."""
    kept, erp = one.found.kept, one.found.erp
    units = dict(erp.units) if erp else {}
    units |= kept.units if kept else {}
    units |= plan.terms.units
    accepted = plan.terms.wishes.accepted | frozenset(kept.accepted if kept else ())
    return Terms(
        settings=plan.project.settings,
        units=units,
        rates={**(kept.rates if kept else {}), **plan.terms.rates},
        codes=kept.codes if kept else {},
        accepted=accepted,
    )


def _mapping_names(blocks: Sequence[BlockImport]) -> dict[int, str]:
    """Return a name of its own for the mapping of each block."""
    names: dict[int, str] = {}
    for one in blocks:
        name = base = stem_of(one.path.name, one.block.sheet)
        n = 2
        while name in names.values():
            name, n = f"{base}-{n}", n + 1
        names[id(one)] = name
    return names


def _conform(converted: Converted) -> None:
    """Judge the rows by the data dictionary, and mark the cells at fault."""
    table = targets()[converted.table].table
    frame = converted.frame.rename(
        {n: b for n, b in _WITH_UNIT.items() if n in converted.frame.columns}
    )
    texts = frame.with_columns(
        pl.col(c).cast(pl.Float64) for c, d in frame.schema.items() if d.is_numeric()
    )
    done = conform_rows(texts, table, converted.origin)
    converted.findings += [f for f in done.findings if f.severity != "note"]
    by_header = {h: c for c, h in (converted.origin.names or {}).items()}
    for finding in done.findings:
        if finding.severity == "note" or finding.row is None:
            continue
        ours = by_header.get(finding.column or "", finding.column or "")
        if ours not in converted.places:
            continue
        for row in _rows_of(finding, frame, ours, table, converted):
            converted.bad.append(BadCell(row, converted.places[ours], finding.code, finding.what))


def _rows_of(
    finding: Finding, frame: pl.DataFrame, ours: str, table: Table, converted: Converted
) -> list[int]:
    """Return every row that a finding stands for."""
    rows = [finding.row] if finding.row else []
    series = frame[ours] if ours in frame.columns else None
    if series is None or finding.count == 1:
        return rows
    where: pl.Series | None = None
    if finding.code == "E102":
        where = series.is_null()
    elif finding.code == "E107" and series.dtype.is_numeric():
        rule = table.names[ours]
        low = rule.low if rule.low is not None else float("-inf")
        high = rule.high if rule.high is not None else float("inf")
        where = (series < low) | (series > high)
    elif finding.value is not None:
        where = series.cast(pl.String) == finding.value
    if where is None or not where.any():
        return rows
    return [converted.origin.row_of(i) or 0 for i in where.arg_true().to_list()]


# --- merging -------------------------------------------------------------------------------------


def _merge(plan: Import) -> None:
    """Put the blocks of one table together, and compare with what the project holds."""
    project = plan.project
    ready = [b.converted for b in plan.blocks if b.converted is not None]
    if not ready:
        return
    is_plant = project.is_plant or _takes_the_place(plan, ready)
    by_table: dict[str, list[pl.DataFrame]] = {}
    for converted in ready:
        name, frame = in_family(converted.table, converted.frame, is_plant=is_plant)
        if is_plant_table(name) and name in ("suppliers",) and not is_plant:
            plan.refusals.append(
                "the project holds nodes and links, these files are lists of items and suppliers. "
                "Add them to a project of their own, or say --replace with both together."
            )
            return
        by_table.setdefault(name, []).append(frame)
    for name, frames in by_table.items():
        try:
            plan.changes.append(_change(plan, name, frames, is_plant=is_plant))
        except UsageError as error:
            plan.refusals.append(str(error))


def _takes_the_place(plan: Import, ready: Sequence[Converted]) -> bool:
    """Tell whether items and suppliers are to stand in the place of nodes and links."""
    given = {c.table for c in ready}
    if plan.terms.mode != "replace" or not given >= {"items", "suppliers"}:
        return False
    ours = ("products", "nodes", "links", "stocks", "recipes", "regions", "final_demand")
    plan.dropped = [n for n in ours if n in plan.project.tables and n not in given]
    return True


def _change(plan: Import, name: str, frames: list[pl.DataFrame], *, is_plant: bool) -> Change:
    project = plan.project
    new = pl.concat(frames, how="diagonal_relaxed") if len(frames) > 1 else frames[0]
    old = project.tables.get(name)
    target = targets().get(name)
    table = target.table if target is not None and (is_plant or not is_plant_table(name)) else None
    if table is None:
        from withstand.model.tables import TABLES

        table = TABLES[name]
    if old is not None:
        _, old = in_family(name, old, is_plant=is_plant)
        if is_plant and is_plant_table(name):
            old, new = plain_headers(old, project.settings), plain_headers(new, project.settings)
    _repeated(plan, table, new)
    change = change_of(table, old, new, plan.terms.mode)
    return replace(change, table=name)


def _repeated(plan: Import, table: Table, frame: pl.DataFrame) -> None:
    """Report keys that stand in two files or sheets."""
    key = [k for k in table.key if k in frame.columns]
    if not key or not set(table.required) & set(table.key) <= set(key):
        return
    if any(f.code == "E106" for f in plan.findings):
        return
    double = frame.filter(frame.select(key).is_duplicated())
    if double.height:
        label = " / ".join(str(x) for x in double.select(key).row(0))
        what = f"{' + '.join(key)} of {table.name} stands in two of the tables that are added"
        plan.findings.append(make_finding("E106", what, value=label, count=double.height))
