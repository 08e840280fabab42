"""The report of a production line: what it makes, what holds it back, what would help."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from withstand.model.finding_codes import CODES
from withstand.model.provenance import versions
from withstand.report import page, workbook
from withstand.report.headline import Card
from withstand.report.markup import Section, cards, details, figure, paragraphs, table
from withstand.report.plant_figures import line_diagram, what_helps
from withstand.report.tables import Column, Table
from withstand.report.words import capital, clean, number, percent

if TYPE_CHECKING:
    from withstand.report.line_contents import LineContents

NUMBERS = "Numbers behind the chart"


def line_page(contents: LineContents) -> bytes:
    """Return the report of a line as one HTML page; see `withstand.report.page.page`."""
    machines = contents.machines.height
    return page.document(
        contents.name,
        contents.made_at,
        "Production line",
        f"Computed {contents.made_at} from a table of {machines} machines.",
        _sections(contents),
    )


def line_workbook(contents: LineContents) -> bytes:
    """Return the report of a line as an XLSX file; see `withstand.report.workbook`."""
    tables = [machine_table(contents), helps_table(contents)]
    if contents.findings:
        tables.append(_findings(contents))
    return workbook.bound(
        contents.name, contents.made_at, list(contents.sentences), tables, _settings(contents)
    )


def _sections(contents: LineContents) -> list[Section]:
    made = contents.line
    bottleneck = contents.machines.filter(pl.col("machine") == made.bottleneck).row(0, named=True)
    waits = bottleneck["starved"] + bottleneck["blocked"]
    big = [
        Card(number=number(made.per_hour), what="good parts per hour"),
        Card(number=percent(made.effectiveness), what="OEE of the line"),
        Card(
            number=percent(1.0 - waits),
            what=f"of the time {clean(made.bottleneck)} does not wait: the bottleneck",
        ),
    ]
    head = Section(
        anchor="headline",
        name="In short",
        title=contents.title,
        body=cards(big) + paragraphs(contents.sentences[1:], "lead"),
    )
    caption = "Machines and the places between them; how each machine spends its time"
    line = Section(
        anchor="line",
        name="The line",
        title=_waits_said(contents),
        body=figure(
            "chart-line", line_diagram(contents.machines, made.bottleneck), caption, wide=True
        )
        + details(NUMBERS, table(machine_table(contents), most=100)),
    )
    helps = Section(
        anchor="helps",
        name="What would help",
        title="What one more place, or a repair a tenth faster, would add",
        body=figure("chart-helps", what_helps(contents.helps), "Good parts per hour more")
        + details(NUMBERS, table(helps_table(contents), most=100)),
    )
    noted = table(_findings(contents)) if contents.findings else ""
    words = paragraphs(
        [
            "A machine works where it is up, has a part and has room for it; it can fail only"
            " while it works. Starved: it is up and has no part. Blocked: it is up and has no"
            " room. Parts that are not good are found at the end of the line.",
            contents.how,
        ]
    )
    basis = Section(
        anchor="basis",
        name="Basis",
        title="What this rests on",
        body=words + noted + details("Settings", table(_settings(contents))),
    )
    return [head, line, helps, basis]


def _waits_said(contents: LineContents) -> str:
    waits = contents.machines.select(
        "machine", pl.max_horizontal("starved", "blocked").alias("most"), "starved", "blocked"
    ).sort("most", descending=True)
    first = waits.row(0, named=True)
    if first["most"] <= 0:
        return "No machine waits"
    why = "for parts" if first["starved"] >= first["blocked"] else "for room"
    return f"{capital(clean(first['machine']))} waits {why} {percent(first['most'])} of the time"


def machine_table(contents: LineContents) -> Table:
    """Return the machines."""
    return Table(
        name="Machines",
        title="Each machine alone, and how it spends its time in the line.",
        frame=contents.machines,
        columns=(
            Column(header="Machine"),
            Column(header="Cycle", unit="seconds", kind="number"),
            Column(header="Up, alone", kind="share"),
            Column(header="OEE, alone", kind="share"),
            Column(header="Works", kind="share"),
            Column(header="Starved", kind="share"),
            Column(header="Blocked", kind="share"),
            Column(header="Down", kind="share"),
            Column(header="Places behind", unit="parts", kind="count"),
            Column(header="Mean level", unit="parts", kind="number"),
        ),
    )


def helps_table(contents: LineContents) -> Table:
    """Return what single changes would add."""
    return Table(
        name="What would help",
        title="What a single change adds to the throughput.",
        frame=contents.helps.select("change", "where", "gain", "gain_per_hour"),
        columns=(
            Column(header="Change"),
            Column(header="Where"),
            Column(header="Gain", unit="parts per cycle", kind="number"),
            Column(header="Gain", unit="good parts per hour", kind="number"),
        ),
    )


def _findings(contents: LineContents) -> Table:
    rows = [(f.code, CODES[f.code].title, f.place, f.what, f.fix) for f in contents.findings]
    return Table(
        name="Findings",
        title="What was noted in the table of machines.",
        frame=pl.DataFrame(rows, schema=["code", "title", "place", "what", "fix"], orient="row"),
        columns=tuple(
            Column(header=h, kind="prose" if h in ("What", "How to mend it") else "text")
            for h in ("Code", "Rule", "Where", "What", "How to mend it")
        ),
    )


def _settings(contents: LineContents) -> Table:
    rows = [
        ("Line", contents.name),
        ("Method", contents.how),
        ("Seed", str(contents.seed)),
        ("Computed", contents.made_at),
        *((f"Version of {k}", v) for k, v in versions().items()),
    ]
    return Table(
        name="Settings",
        title="What it takes to compute this report again.",
        frame=pl.DataFrame(rows, schema=["what", "value"], orient="row"),
        columns=(Column(header="What"), Column(header="Value", kind="prose")),
    )
