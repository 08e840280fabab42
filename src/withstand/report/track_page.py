"""Targets by year as a page, as a workbook, and as one JSON document."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from withstand.report import compare_figures as figures
from withstand.report import page, workbook
from withstand.report.compare_page import how_table, json_bytes
from withstand.report.headline import Card
from withstand.report.markup import Section, cards, details, figure, paragraphs, table
from withstand.report.tables import Table, make_table
from withstand.report.tracking import STATES, said_value, told
from withstand.report.words import clean, plural

if TYPE_CHECKING:
    from withstand.report.tracking import Judgement, Tracked

MOST = 200
MOST_DRAWN = 12
DRAWN = "What was measured, the straight path, and the target"
HOW = (
    "The path is straight from the first snapshot to the target at the end of its year. Up to then"
    " a target is met if the value of today meets it, on course if the value meets the path (a"
    " projection: if what is expected of the target's year meets the target), else late. After it,"
    " the last value measured up to the end of that year decides between met and missed.",
    "Open targets have no earlier snapshot that a path could begin at. What is not known says why.",
)


def track_page(found: Tracked) -> bytes:
    """Return targets as one HTML page; see `withstand.report.page.page`."""
    asof = (
        f"Computed {found.made_at} as of {found.today.isoformat()} from"
        f" {plural(len(found.snapshots), 'snapshot')} and the tables as they are."
    )
    return page.document(found.name, found.made_at, "Targets", asof, track_sections(found))


def track_workbook(found: Tracked) -> bytes:
    """Return targets as an XLSX file; see `withstand.report.workbook.workbook`."""
    tables = [t for t in (target_table(found), _history_table(found), _how(found))
              if t.frame.height]  # fmt: skip
    said = [found.summary(), *found.sentences(), *found.notes]
    return workbook.bound(found.name, found.made_at, said, tables, _settings_table(found))


def track_json(found: Tracked) -> bytes:
    """Return targets as a JSON file; numbers that JSON lacks become null."""
    return json_bytes(track_document(found))


def track_document(found: Tracked) -> dict[str, Any]:
    """Return targets as values and frames."""
    return {
        "status": "ok",
        "network": found.name,
        "today": found.today.isoformat(),
        "snapshots": list(found.snapshots),
        "summary": found.summary(),
        "targets": found.rows.with_columns(pl.col("met_on").cast(pl.String)),
        "history": found.history().with_columns(pl.col("when").cast(pl.String)),
        "notes": list(found.notes),
    }


def track_sections(found: Tracked) -> list[Section]:
    """Return the sections of the page, in order."""
    made = [
        Card(number=str(found.count(s)), what=f"{s}", note="")
        for s in reversed(STATES)
        if found.count(s)
    ][:4]
    body = cards(made) + paragraphs([*found.notes], "lead")
    body += table(target_table(found), most=MOST)
    title = found.summary().rstrip(".")
    sections = [Section(anchor="headline", name="Targets", title=title, body=body)]
    for year in sorted({j.goal.target.year for j in found.judgements}):
        own = [j for j in found.judgements if j.goal.target.year == year]
        sections.append(_of_year(found, year, own))
    basis = paragraphs(HOW) + table(_how(found), most=MOST)
    basis += details("Settings", table(_settings_table(found), most=MOST))
    sections.append(
        Section(anchor="basis", name="Basis", title="How this is judged", body=basis)
    )  # fmt: skip
    return sections


def _of_year(found: Tracked, year: int, own: list[Judgement]) -> Section:
    body = ""
    for at, one in enumerate(own):
        body += f"<h3>{_heading(one)}</h3>" + paragraphs([told(one)], "about")
        if one.goal.asked is None:
            continue
        if at < MOST_DRAWN and any(p.value is not None for p in one.points):
            body += figure(f"target-{one.goal.number}", figures.target_path(one), DRAWN)
        body += details("Numbers behind the chart", table(_point_table(found, one), most=MOST))
    met = sum(j.status == "met" for j in own)
    late = sum(j.status in ("late", "missed") for j in own)
    unknown = sum(j.status == "not known" for j in own)
    title = f"{plural(len(own), 'target')} for {year}: {met} met, {late} late or missed"
    title += f", {unknown} not known" if unknown else ""
    return Section(anchor=f"year-{year}", name=str(year), title=title, body=body)


def _heading(one: Judgement) -> str:
    from withstand.report.markup import prose

    return prose(one.goal.says)


# --- tables --------------------------------------------------------------------------------------


def target_table(found: Tracked) -> Table:
    """Return a target a row: what is to be reached, what is, what is due, the verdict."""
    rows = [
        (
            j.goal.says,
            j.goal.target.year,
            j.status,
            *(_said(j, x) for x in (j.now, j.expected, j.due_now, j.due_this_year)),
            clean(j.why),
        )
        for j in found.judgements
    ]
    names = ["says", "year", "status", "now", "expected", "due_now", "due_this_year", "why"]
    schema = dict.fromkeys(names, pl.String) | {"year": pl.Int64}
    frame = pl.DataFrame(rows, schema=schema, orient="row").with_columns(
        pl.col("year").cast(pl.String)
    )
    spec = {
        "says": ("Target", "prose", ""),
        "year": ("By", "text", ""),
        "status": ("State", "text", ""),
        "now": ("Now", "text", ""),
        "expected": ("Expected then", "text", ""),
        "due_now": ("Due now", "text", ""),
        "due_this_year": ("Due this year", "text", ""),
        "why": ("Note", "prose", ""),
    }
    for name in ("expected", "why"):
        if not frame.filter(pl.col(name).is_not_null() & (pl.col(name) != "")).height:
            del spec[name]
    return make_table("Targets", "What is to be reached, what is, and what is due on a straight"
                      " path.", frame, spec)  # fmt: skip


def _said(one: Judgement, value: float | None) -> str | None:
    unit = one.goal.asked.indicator.unit if one.goal.asked else "count"
    return None if value is None else said_value(value, unit)


def _point_table(found: Tracked, one: Judgement) -> Table:
    unit = one.goal.asked.indicator.unit if one.goal.asked else "count"
    kind = "share" if unit == "share" else "number"
    frame = found.why(one.goal.number).with_columns(pl.col("when").cast(pl.String))
    spec = {"snapshot": ("Snapshot", "text", ""), "when": ("Day", "text", ""),
            "value": ("Value", kind, ""),
            "expected": (f"Expected of {one.goal.target.year}", kind, "")}  # fmt: skip
    if not frame["expected"].count():
        del spec["expected"]
    return make_table("Measured", "What was measured.", frame, spec)


def _history_table(found: Tracked) -> Table:
    frame = found.history().with_columns(pl.col("when").cast(pl.String))
    return make_table("Measured", "What was measured of each target, by snapshot.", frame, {
        "target": ("Target (its row)", "count", ""), "snapshot": ("Snapshot", "text", ""),
        "when": ("Day", "text", ""), "value": ("Value", "number", ""),
        "expected": ("Expected of the target's year", "number", "")})  # fmt: skip


def _how(found: Tracked) -> Table:
    names = dict.fromkeys(j.goal.asked.name for j in found.judgements if j.goal.asked is not None)
    return how_table(names)


def _settings_table(found: Tracked) -> Table:
    from withstand.model.provenance import versions

    rows = [("Network", clean(found.name)), ("As of", found.today.isoformat()),
            ("Snapshots", clean(", ".join(found.snapshots)) or "none"),
            ("Computed", found.made_at),
            *((f"Version of {k}", v) for k, v in versions().items())]  # fmt: skip
    return make_table("Settings", "What it takes to judge again.",
                      pl.DataFrame(rows, schema=["what", "value"], orient="row"),
                      {"what": ("What", "text", ""), "value": ("Value", "text", "")})  # fmt: skip
