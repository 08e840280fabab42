"""The match of a block that counts: by a kept mapping, a planning system, the user, or words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from withstand.errors import UsageError
from withstand.model.findings import Finding, listed, make_finding, nearest, shorten
from withstand.readers.mapping.assigning import Match, Pick, match_block
from withstand.readers.mapping.erp import ErpTable, erp_names, find_erp, with_erp
from withstand.readers.mapping.kept import KeptMapping, signature_of, stem_of
from withstand.readers.mapping.targets import HELPERS, candidates, targets
from withstand.readers.mapping.vocabulary import fold

if TYPE_CHECKING:
    from collections.abc import Collection

    from withstand.model.findings import Origin
    from withstand.readers.messy.blocks import Block

LEAST_WORTH = 1.2
"""Below, a block is no table of ours but a note, a list of contacts, a legend."""
LEFT_OUT = ""
LASTING = frozenset({"E723", "W710", "W712"})
"""Findings whose acceptance holds for the next file of the same kind, too."""


@dataclass(frozen=True, kw_only=True)
class Wishes:
    """What the user of an import said.

    Parameters
    ----------
    table : str, optional
        The table that the files are.
    mapping : str, optional
        A kept mapping or a planning system.
    columns : mapping of str to str
        Header to our column; "" leaves it out.
    accepted : frozenset of str
        Codes of findings whose suggestions are taken.
    """

    table: str | None = None
    mapping: str | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    accepted: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        """Refuse a table that there is not."""
        if self.table is not None and self.table not in targets():
            near = nearest(self.table, list(targets()))
            hint = f"; did you mean {near}?" if near else f"; use one of {', '.join(targets())}."
            raise UsageError(f"there is no table '{self.table[:40]}'{hint}")


@dataclass(kw_only=True, eq=False)
class Found:
    """The match of a block, where it came from, and what there is to say about it."""

    match: Match | None
    kept: KeptMapping | None = None
    erp: ErpTable | None = None
    findings: list[Finding] = field(default_factory=list)


def find_match(
    block: Block,
    file: str,
    origin: Origin,
    mappings: Sequence[KeptMapping],
    wishes: Wishes,
    held: frozenset[str],
    lens: str,
    known: Collection[str],
) -> Found:
    """Return the table that a block is and which column is which.

    Parameters
    ----------
    block : Block
    file : str
        Name of its file.
    origin : Origin
        Its place, for findings.
    mappings : sequence of KeptMapping
        Of the project.
    wishes : Wishes
    held : frozenset of str
        Tables of the project that have rows.
    lens : str
    known : collection of str
        Labels of products.
    """
    names = [wishes.table] if wishes.table else candidates(held, lens)
    title = block.sheet if block.sheet and len(fold(block.sheet)) > 2 else file.rsplit(".", 1)[0]
    kept, finding = _kept_for(block, file, origin, mappings, wishes)
    if finding is not None:
        return Found(match=None, kept=kept, findings=[finding])
    system = wishes.mapping if wishes.mapping in erp_names() else None
    known_export = find_erp(block.header, names, system)
    if kept is not None and wishes.table in (None, kept.table):
        names = [kept.table]
    elif known_export is not None:
        names = [known_export.table]
    match = match_block(block, names, known, title)
    if match is None or (
        match.score < LEAST_WORTH and wishes.table is None and kept is None and known_export is None
    ):
        return Found(match=None, kept=kept)
    found = Found(match=match, kept=kept)
    if kept is not None and match.table == kept.table:
        found.match = _with_kept(match, block, kept)
    elif known_export is not None:
        found.erp = known_export
        found.match = with_erp(match, block, known_export)
    if wishes.table is not None or "E721" in wishes.accepted:
        found.match = replace(found.match, is_taken=True)  # type: ignore[type-var]
    found.match = _as_wished(found.match, block, wishes)  # type: ignore[arg-type]
    found.findings += _judge(found.match, origin)
    return found


def _kept_for(
    block: Block, file: str, origin: Origin, mappings: Sequence[KeptMapping], wishes: Wishes
) -> tuple[KeptMapping | None, Finding | None]:
    """Return the mapping kept for such a header; one for the file with another is a finding."""
    if wishes.mapping is not None and wishes.mapping not in erp_names():
        named = next((m for m in mappings if m.name == wishes.mapping), None)
        if named is None:
            names = [*(m.name for m in mappings), *erp_names()]
            near = nearest(wishes.mapping, names)
            hint = f"; did you mean {near}?" if near else f"; there are {listed(names, 12)}."
            raise UsageError(f"there is no mapping '{wishes.mapping[:40]}'{hint}")
        return named, None
    if wishes.mapping is not None:
        return None, None
    signature = signature_of(block.header)
    same = next((m for m in mappings if m.signature == signature), None)
    if same is not None:
        return same, None
    stem = stem_of(file, block.sheet)
    before = next((m for m in mappings if m.name == stem), None)
    if before is None:
        return None, None
    if "E725" in wishes.accepted:
        return before, None
    new = [h for h in block.header if fold(h) not in before.signature]
    gone = [h for h in before.header if fold(h) not in signature]
    if before.signature and len(gone) == len(before.header):
        return None, None  # another table in a file of the same name
    what = f"the columns are not those of mapping {before.name}"
    what += f"; new: {listed(new)}" if new else ""
    what += f"; gone: {listed(gone)}" if gone else ""
    return before, make_finding("E725", what, origin=origin)


def _with_kept(match: Match, block: Block, kept: KeptMapping) -> Match:
    """Return a match in which the columns of a kept mapping are what they were."""
    by_header = {fold(h): ours for h, ours in kept.columns.items()}
    taken = {ours for h, ours in by_header.items() if ours and h in map(fold, block.header)}
    picks = []
    for pick in match.picks:
        ours = by_header.get(fold(pick.header))
        if ours is not None:
            target = ours or None
            picks.append(
                replace(pick, target=target, score=1.0, margin=1.0, is_taken=bool(ours), by="kept")
            )
        elif pick.target in taken:
            picks.append(Pick(header=pick.header, column=pick.column, target=None))
        else:
            picks.append(pick)
    return replace(match, picks=tuple(picks), is_taken=True, by="kept")


def _as_wished(match: Match, block: Block, wishes: Wishes) -> Match:
    """Put in the columns that the user named, and the suggestions that were accepted."""
    named = {
        fold(h): ours for h, ours in wishes.columns.items() if fold(h) in map(fold, block.header)
    }
    columns = targets()[match.table].by_name
    for ours in named.values():
        if ours and ours not in columns:
            near = nearest(ours, list(columns))
            hint = f"; did you mean {near}?" if near else f"; it has {', '.join(columns)}."
            raise UsageError(f"table {match.table} has no column '{ours[:40]}'{hint}")
    given = {o for o in named.values() if o}
    picks = []
    for pick in match.picks:
        said = named.get(fold(pick.header))
        if said is not None:
            picks.append(
                replace(
                    pick, target=said or None, score=1.0, margin=1.0, is_taken=bool(said), by="user"
                )
            )
        elif pick.target in given:
            picks.append(Pick(header=pick.header, column=pick.column, target=None))
        elif pick.target and not pick.is_taken and _is_accepted(pick, columns, wishes):
            picks.append(replace(pick, is_taken=True, by="user"))
        else:
            picks.append(pick)
    return replace(match, picks=tuple(picks))


def _is_accepted(pick: Pick, columns: Mapping[str, object], wishes: Wishes) -> bool:
    column = columns.get(pick.target or "")
    is_required = getattr(column, "is_required", False)
    return "W721" in wishes.accepted or ("E722" in wishes.accepted and is_required)


def _judge(match: Match, origin: Origin) -> list[Finding]:
    """Say what of a match needs help: the table, required columns, columns left out."""
    if not match.is_taken:
        what = f"the columns fit {match.table}, but {match.runner_up} almost as well"
        return [make_finding("E721", what, origin=origin, suggestion=match.table)]
    findings = []
    columns = targets()[match.table].by_name
    for name in match.missing:
        pick = next((p for p in match.picks if p.target == name), None)
        what = f"no column is surely {name} ({columns[name].rule.meaning})"
        fix = f"Say which column it is: --column 'HEADER={name}'" + (
            ", or take the one suggested: --accept E722." if pick else "."
        )
        findings.append(
            make_finding("E722", what, origin=origin, column=name, fix=fix,
                         suggestion=shorten(pick.header) if pick else None)
        )  # fmt: skip
    rest = [p for p in match.picks if not p.is_taken and p.header and p.by not in ("kept", "user")]
    for pick in rest:
        if pick.target and not (columns[pick.target].is_required):
            what = f"left out, though it may be {pick.target} "
            what += f"(score {pick.score:.2f}, margin {pick.margin:.2f})"
            findings.append(
                make_finding(
                    "W721", what, origin=origin, column=pick.header, suggestion=pick.target
                )
            )
    unknown = [shorten(p.header) for p in rest if not p.target]
    if unknown:
        what = f"not taken over: {listed(unknown, 12)}"
        findings.append(
            make_finding("N721", what, origin=origin, column=unknown[0], count=len(unknown))
        )
    return findings


def keep(found: Found, block: Block, file: str, codes: Mapping[str, Mapping[str, str]],
         units: Mapping[str, str], rates: Mapping[str, float], wishes: Wishes, name: str,
         decimal: str) -> KeptMapping:  # fmt: skip
    """Return the mapping to keep for a block."""
    match = found.match
    assert match is not None
    before = found.kept
    own = set(targets()[match.table].by_name) | set(HELPERS)
    all_codes = {c: dict(v) for c, v in (before.codes if before else {}).items()}
    for column, values in codes.items():
        all_codes.setdefault(column, {}).update(values)
    accepted = set(before.accepted if before else ()) | (set(wishes.accepted) & LASTING)
    return KeptMapping(
        name=name,
        table=match.table,
        header=block.header,
        columns={
            p.header: (p.target or LEFT_OUT) if p.is_taken else LEFT_OUT
            for p in match.picks
            if p.header
        },
        units={k: v for k, v in units.items() if k in own},
        rates=dict(rates),
        codes=all_codes,
        accepted=tuple(sorted(accepted)),
        file=file,
        sheet=block.sheet or "",
        decimal=decimal,
    )
