"""A comparison as a page, as a workbook, and as one JSON document."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

import polars as pl

from withstand.report import compare_figures as figures
from withstand.report import page, workbook
from withstand.report.headline import Card
from withstand.report.indicators import INDICATORS
from withstand.report.markup import Section, cards, details, figure, paragraphs, table
from withstand.report.tables import Column, Table, make_table
from withstand.report.tracking import said_value
from withstand.report.words import clean, listing, plural

if TYPE_CHECKING:
    from collections.abc import Iterable

    from withstand.report.comparisons import Compared

NUMBERS = "Numbers behind the chart"
MOST = 200
MOST_CHANGES = 40
HOW = (
    "Every number of a network is worked out from its own tables with the same settings; a"
    " difference is a number less that of the base. Better and worse follow the side that is good"
    " for the indicator."
)
MARKS = {"better": "▲ better", "worse": "▼ worse", "same": "same", "": ""}


def compare_page(found: Compared) -> bytes:
    """Return a comparison as one HTML page; see `withstand.report.page.page`."""
    names = listing([c.name for c in found.cases], 6)
    asof = (
        f"Computed {found.made_at}: {names}. Differences are to {clean(found.base.name)}. Times are"
        f" in {found.base.network.settings.period}s."
    )
    return page.document(
        found.base.network.name, found.made_at, "Comparison", asof, compare_sections(found)
    )


def compare_workbook(found: Compared) -> bytes:
    """Return a comparison as an XLSX file; see `withstand.report.workbook.workbook`."""
    return workbook.bound(
        found.base.network.name,
        found.made_at,
        [found.summary(), *found.notes],
        compare_tables(found),
        _settings_table(found),
    )


def compare_json(found: Compared) -> bytes:
    """Return a comparison as a JSON file; numbers that JSON lacks become null."""
    return json_bytes(compare_document(found))


def json_bytes(document: dict[str, Any]) -> bytes:
    """Return a document as JSON; numbers that JSON lacks become null."""
    return (json.dumps(_plain(document), ensure_ascii=False, indent=2) + "\n").encode("utf-8")


def compare_document(found: Compared) -> dict[str, Any]:
    """Return a comparison as values and frames."""
    return {
        "status": "ok",
        "cases": [
            {"name": c.name, "source": c.source, "network": c.network.name,
             "plan_cost": c.plan_cost, "provenance": p.to_dict()}
            for c, p in zip(found.cases, found.provenance, strict=True)
        ],
        "summary": found.summary(),
        "indicators": found.rows,
        "changed_rows": found.counts,
        "changes": found.changes,
        "value": found.value,
        "losses": found.losses,
        "notes": list(found.notes),
    }  # fmt: skip


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    if hasattr(value, "to_dicts"):
        return _plain(value.to_dicts())
    if hasattr(value, "item"):
        value = value.item()
    if hasattr(value, "isoformat"):
        return value.isoformat()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


# --- sections ------------------------------------------------------------------------------------


def compare_sections(found: Compared) -> list[Section]:
    """Return the sections of the page, in order."""
    sections = [_headline(found), _indicators(found), _value(found), _losses(found),
                _changes(found), _basis(found)]  # fmt: skip
    return [s for s in sections if s is not None]


def _headline(found: Compared) -> Section:
    rows = found.rows.filter(pl.col("difference").is_not_null() & (pl.col("unit") == "share"))
    largest = (
        rows.filter(pl.col("verdict").is_in(["better", "worse"]))
        .sort(pl.col("difference").abs(), descending=True, maintain_order=True)
        .unique("indicator", keep="first", maintain_order=True)
    )
    made = [
        Card(
            number=said_value(r["value"], r["unit"]),
            what=r["says"],
            note=f"{clean(r['case'])}; {said_difference(r['difference'], r['unit'])} against"
            f" {clean(found.base.name)}",
        )
        for r in largest.head(4).iter_rows(named=True)
    ]
    said = found.summary()
    if len(found.cases) > 2:
        said = f"{plural(len(found.cases) - 1, 'network')} against {clean(found.base.name)}"
    title = said.rstrip(".")
    body = cards(made) + paragraphs(
        [*([found.summary()] if len(found.cases) > 2 else []), *found.notes], "lead"
    )
    return Section(anchor="headline", name="In short", title=title, body=body)


def _indicators(found: Compared) -> Section:
    better = found.rows.filter(pl.col("verdict") == "better").height
    worse = found.rows.filter(pl.col("verdict") == "worse").height
    body = ""
    if found.rows.filter((pl.col("unit") == "share") & pl.col("value").is_not_null()).height:
        body += figure("share-dots", figures.share_dots(found),
                       "Indicators that are shares, on one axis", wide=True)  # fmt: skip
    body += table(said_table(found), most=MOST)
    why = found.rows.filter(pl.col("why") != "")
    if why.height:
        body += details("What does not compare, and why", table(make_table(
            "Why not", "Indicators without a number or a difference.", why,
            {"says": ("Indicator", "text", ""), "case": ("Network", "text", ""),
             "why": ("Why", "prose", "")}), most=MOST))  # fmt: skip
    said = f"{plural(better, 'number')} {'is' if better == 1 else 'are'} better, {worse} worse"
    return Section(anchor="numbers", name="Indicators", title=said, body=body)


def _value(found: Compared) -> Section | None:
    if not found.value.height:
        return None
    drawn = figures.regions_beside(
        found.value, [c.name for c in found.cases], "share", "share of the final value", worst=False
    )
    body = figure("value-by-region", drawn, "Where the value arises, all tiers counted", wide=True)
    body += details(NUMBERS, table(_value_by_region(found), most=MOST))
    return Section(anchor="value", name="Value", title="Where the value arises", body=body)


def _losses(found: Compared) -> Section | None:
    if not found.losses.height:
        return None
    drawn = figures.regions_beside(
        found.losses, [c.name for c in found.cases], "feasible_output",
        "output left without the region", worst=True,
    )  # fmt: skip
    body = figure("output-left", drawn, "What can still be made when one region is lost", wide=True)
    body += details(NUMBERS, table(_output_left(found), most=MOST))
    return Section(anchor="losses", name="Lost regions", title="What is left without a region",
                   body=body)  # fmt: skip


def _changes(found: Compared) -> Section:
    counts = _counts_table(found)
    total = int(sum(counts.frame.select("added", "removed", "changed").sum().row(0)))
    body = table(counts, most=MOST)
    for case in found.cases[1:]:
        made = _change_table(found, case.name)
        if made.frame.height:
            body += details(
                f"{case.name}: what moved most value first",
                table(made, most=MOST_CHANGES),
                is_open=len(found.cases) == 2,
            )
    said = f"{plural(total, 'row')} of the tables {'differs' if total == 1 else 'differ'}"
    return Section(anchor="changes", name="Changes", title=said, body=body)


def _basis(found: Compared) -> Section:
    names = found.rows["indicator"].unique(maintain_order=True).to_list()
    body = paragraphs([HOW])
    body += table(how_table(names), most=MOST)
    body += details("Settings", table(_settings_table(found), most=MOST))
    return Section(anchor="basis", name="Basis", title="How this is computed", body=body)


# --- tables --------------------------------------------------------------------------------------


def compare_tables(found: Compared) -> list[Table]:
    """Return every table of a comparison."""
    tables = [
        _value_table(found),
        _value_by_region(found),
        _output_left(found),
        _counts_table(found),
        *(_change_table(found, c.name, at) for at, c in enumerate(found.cases[1:], 1)),
        how_table(found.rows["indicator"].unique(maintain_order=True).to_list()),
    ]  # fmt: skip
    return [t for t in tables if t.frame.height]


def said_table(found: Compared) -> Table:
    """Return an indicator a row in words: each number, its difference, better or worse."""
    frame = found.rows.select("says").unique(maintain_order=True)
    columns = [Column(header="Indicator")]
    for at, case in enumerate(found.cases):
        own = found.rows.filter(pl.col("case") == case.name)
        said = [_said_cell(r, is_base=at == 0) for r in own.iter_rows(named=True)]
        frame = frame.with_columns(pl.Series(f"value_{at}", said, dtype=pl.String))
        columns.append(Column(header=clean(case.name)))
        if at:
            marks = [MARKS[v] for v in own["verdict"]]
            frame = frame.with_columns(pl.Series(f"verdict_{at}", marks, dtype=pl.String))
            columns.append(Column(header=f"Against {clean(found.base.name)}"))
    return Table(name="Indicators", title="Each network's number, and the difference to the base.",
                 frame=frame, columns=tuple(columns))  # fmt: skip


def _said_cell(row: dict[str, Any], *, is_base: bool) -> str:
    if row["value"] is None:
        return "–"
    said = said_value(row["value"], row["unit"])
    if row["behind"]:
        said += f" [{clean(row['behind'])}]"
    if is_base or row["difference"] is None or row["verdict"] == "same":
        return said
    return f"{said} ({said_difference(row['difference'], row['unit'])})"


def said_difference(difference: float, unit: str) -> str:
    """Return a difference with its sign; of shares in points of a hundred.

    Examples
    --------
    >>> said_difference(0.133, "share"), said_difference(-2.0, "count")
    ('+13.3 points', '-2')
    """
    if unit == "share":
        points = 100 * difference
        return f"{points:+.1f} points" if abs(points) >= 0.05 else f"{points:+.1g} points"
    sign = "+" if difference > 0 else "-" if difference < 0 else ""
    return sign + said_value(abs(difference), unit)


def _value_table(found: Compared) -> Table:
    """Return indicators with live numbers; what unit they are in stands beside them."""
    spec = {"says": ("Indicator", "text", ""), "indicator": ("Name", "text", ""),
            "filter": ("Filter", "text", ""), "unit": ("Unit", "text", "")}  # fmt: skip
    for at, case in enumerate(found.cases):
        spec[f"value_{at}"] = (clean(case.name), "number", "")
        if at:
            spec[f"difference_{at}"] = (f"{clean(case.name)}, difference", "number", "")
    return make_table("Indicators", "Each network's number, and the difference to the base.",
                      found.wide(), spec)  # fmt: skip


def _value_by_region(found: Compared) -> Table:
    title = "Share of the final value that arises in each region."
    return _by_region(found, found.value, "share", "Value by region", title)


def _output_left(found: Compared) -> Table:
    title = "Output left when a region is lost, makers abroad delivering."
    return _by_region(found, found.losses, "feasible_output", "Output left", title)


def _by_region(found: Compared, frame: pl.DataFrame, column: str, name: str, title: str) -> Table:
    """Return a share by region, a column for each network."""
    made = frame.select("region", "name").unique("region", keep="first", maintain_order=True)
    spec = {"region": ("Region", "text", ""), "name": ("Name", "text", "")}
    for at, case in enumerate(found.cases):
        own = frame.filter(pl.col("case") == case.name).select(
            "region", pl.col(column).alias(f"share_{at}")
        )
        made = made.join(own, on="region", how="left", maintain_order="left")
        spec[f"share_{at}"] = (clean(case.name), "share", "")
    return make_table(name, title, made, spec)


def shortened(changes: pl.DataFrame) -> pl.DataFrame:
    """Return changes whose numbers are written with six digits that count."""
    return changes.with_columns(
        pl.Series(c, [_six_digits(x) for x in changes[c]], dtype=pl.String)
        for c in ("before", "after")
    )


def _six_digits(text: str | None) -> str | None:
    try:
        return text if text is None else f"{float(text):,.6g}"
    except ValueError:
        return text


def _counts_table(found: Compared) -> Table:
    return make_table(
        "Changed rows",
        "Rows of the tables that differ from the base.",
        found.counts,
        {
            "case": ("Network", "text", ""),
            "table": ("Table", "text", ""),
            "added": ("Added", "count", "rows"),
            "removed": ("Removed", "count", "rows"),
            "changed": ("Changed", "count", "rows"),
        },
    )


def _change_table(found: Compared, case: str, at: int = 0) -> Table:
    return make_table(
        f"Changes {at}" if at else "Changes",
        f"What differs in the tables of {clean(case)}, what moved most value first.",
        shortened(found.why(case)),
        {
            "table": ("Table", "text", ""),
            "change": ("Change", "text", ""),
            "key": ("Row", "text", ""),
            "column": ("Column", "text", ""),
            "before": ("Before", "text", ""),
            "after": ("After", "text", ""),
            "effect": ("Share of value that moved", "share", ""),
        },
    )


def how_table(names: Iterable[str]) -> Table:
    """Return how each of some indicators is computed."""
    rows = [(INDICATORS[n].name, INDICATORS[n].says, INDICATORS[n].unit, INDICATORS[n].how)
            for n in names]  # fmt: skip
    frame = pl.DataFrame(rows, schema=["indicator", "says", "unit", "how"], orient="row")
    return make_table(
        "How computed",
        "What each indicator says, and how it is computed.",
        frame,
        {
            "indicator": ("Name", "text", ""),
            "says": ("Indicator", "text", ""),
            "unit": ("Unit", "text", ""),
            "how": ("How", "prose", ""),
        },
    )


def _settings_table(found: Compared) -> Table:
    rows = []
    for case, proof in zip(found.cases, found.provenance, strict=True):
        rows.append((clean(case.name), clean(case.source or case.network.name)))
        rows.append((f"Fingerprint of {clean(case.name)}", proof.fingerprint))
    rows.append(("Computed", found.made_at))
    rows += [(f"Version of {k}", v) for k, v in found.provenance[0].versions.items()]
    return make_table(
        "Settings",
        "What it takes to compute this comparison again.",
        pl.DataFrame(rows, schema=["what", "value"], orient="row"),
        {"what": ("What", "text", ""), "value": ("Value", "text", "")},
    )
