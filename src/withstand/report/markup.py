"""Small pieces of HTML. Everything that comes from outside is escaped here, and only here."""

from __future__ import annotations

import html
import json
import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from plotly.utils import PlotlyJSONEncoder

from withstand.report.words import clean, number, percent, periods

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import plotly.graph_objects as go

    from withstand.report.headline import Card
    from withstand.report.runs import Step
    from withstand.report.tables import Column, Table

_UNBROKEN = re.compile(r"(\d[\d.,]*) (%|weeks?\b|days?\b|months?\b|quarters?\b|years?\b)")


@dataclass(frozen=True, kw_only=True)
class Section:
    """One section: anchor, short name for the navigation, sentence title, and its HTML."""

    anchor: str
    name: str
    title: str
    body: str


def escape(text: object) -> str:
    """Return text that a browser shows as it is, in content and in quoted attributes.

    Examples
    --------
    >>> escape('</script><img src="x">')
    '&lt;/script&gt;&lt;img src=&quot;x&quot;&gt;'
    """
    return html.escape(clean(text), quote=True)


def prose(text: str) -> str:
    """Return a sentence whose numbers stay on one line with their units."""
    return _UNBROKEN.sub(r'<span class="nb">\1 \2</span>', escape(text))


def inline_json(value: Any) -> str:
    r"""Return JSON that is safe inside a script element: no `<`, `>`, `&` or line separator.

    Examples
    --------
    >>> inline_json({"name": "</script>"})
    '{"name": "\\u003c/script\\u003e"}'
    """
    text = json.dumps(value, cls=PlotlyJSONEncoder, sort_keys=True, allow_nan=False)
    for mark in "<>&\u2028\u2029":
        text = text.replace(mark, f"\\u{ord(mark):04x}")
    return text


def link(address: str) -> str:
    """Return an address as a link if it is http or https, else as text.

    Examples
    --------
    >>> link("javascript:alert(1)")
    'javascript:alert(1)'
    """
    shown = clean(address).strip()
    try:
        parts = urlsplit(shown)
    except ValueError:
        return escape(shown)
    if parts.scheme not in ("http", "https") or not parts.netloc or re.search(r"\s", shown):
        return escape(shown)
    return f'<a href="{escape(shown)}" rel="noreferrer noopener">{escape(shown)}</a>'


def cell(value: Any, column: Column) -> str:
    """Return a value as its column shows it; an empty cell where there is none."""
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return '<span class="none">–</span>'
    if isinstance(value, bool):
        return "yes" if value else "no"
    if column.kind == "share":
        return percent(float(value)).replace("over ", "&gt; ").replace("under ", "&lt; ")
    if column.kind == "count":
        return f"{int(value):,}"
    if column.kind == "index":  # between 0 and 1, or near it: two decimals tell apart
        return f"{float(value):,.2f}"
    if column.kind == "number":
        return number(float(value))
    return link(value) if column.header == "Address" else escape(value)


def table(made: Table, *, most: int = 25) -> str:
    """Return a table of at most so many rows; says how many are left out."""
    if made.frame.height == 0:
        return '<p class="empty">There is nothing to list.</p>'
    kinds = [c.kind if c.kind in ("text", "prose", "range") else "num" for c in made.columns]
    head = "".join(
        f'<th scope="col" class="{kind}">{escape(_header(c))}</th>'
        for c, kind in zip(made.columns, kinds, strict=True)
    )
    rows = []
    for values in made.frame.head(most).iter_rows():
        cells = [cell(v, c) for v, c in zip(values, made.columns, strict=True)]
        rows.append(
            "<tr>"
            + "".join(f'<td class="{k}">{c}</td>' for c, k in zip(cells, kinds, strict=True))
            + "</tr>"
        )
    left = made.frame.height - most
    note = f"The first {most} of {made.frame.height:,}; the workbook lists all." if left > 0 else ""
    caption = f"<caption>{escape(made.title)}</caption>"
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(made.name)}">'
        f"<table>{caption}<thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"
        "</div>" + (f'<p class="more">{note}</p>' if note else "")
    )


def _header(column: Column) -> str:
    return f"{column.header}, {column.unit}" if column.unit else column.header


def details(summary: str, body: str, *, is_open: bool = False) -> str:
    """Return a part that opens on demand."""
    state = " open" if is_open else ""
    return f"<details{state}><summary>{escape(summary)}</summary>{body}</details>"


def figure(identity: str, drawn: go.Figure, caption: str, *, wide: bool = False) -> str:
    """Return a chart with its caption; `wide` ones scroll sideways on a narrow screen."""
    height = int(drawn.layout.height or 400)
    name = escape(caption)
    chart = (
        f'<div class="chart" id="{escape(identity)}" role="img" aria-label="{name}"'
        f' style="height:{height}px"></div>'
        f'<script type="application/json" data-chart="{escape(identity)}">'
        f"{inline_json(drawn.to_plotly_json())}</script>"
    )
    kind = ' class="wide"' if wide else ""
    return f"<figure{kind}><figcaption>{prose(caption)}</figcaption>{chart}</figure>"


def cards(found: Iterable[Card]) -> str:
    """Return the big numbers."""
    parts = [
        f'<div class="card"><p class="big">{_big(c.number)}</p><p>{prose(c.what)}</p>'
        + (f'<p class="note">{prose(c.note)}</p>' if c.note else "")
        + "</div>"
        for c in found
    ]
    return f'<div class="cards">{"".join(parts)}</div>' if parts else ""


def _big(text: str) -> str:
    """Return a big number with its unit set smaller."""
    figure_, _, unit = text.rpartition(" ")
    if not figure_ or not figure_[0].isdigit():
        return escape(text)
    return f'<span class="nb">{escape(figure_)}</span> <span class="unit">{escape(unit)}</span>'


def paragraphs(sentences: Iterable[str], kind: str = "") -> str:
    """Return sentences as paragraphs."""
    attribute = f' class="{kind}"' if kind else ""
    return "".join(f"<p{attribute}>{prose(s)}</p>" for s in sentences if s)


def steps(chain: Sequence[Step], period: str) -> str:
    """Return who limited whom, one step after the other."""
    items = []
    for at, step in enumerate(chain):
        last = at == len(chain) - 1
        when = f"after {periods(step.period, period)}" if step.period else "at once"
        why = f"limited by {step.because}" if step.because != "demand" else "asked for less"
        if last and step.because == "its own capacity":
            why = "hit by the shock" if step.output < 1 else "at full capacity"
        items.append(
            f'<li><span class="what">{escape(step.name)}</span>'
            f'<span class="where">{escape(step.region)}</span>'
            f'<span class="left">{percent(step.output)} of usual output, {escape(when)}</span>'
            f'<span class="why">{escape(why)}</span></li>'
        )
    return f'<ol class="chain">{"".join(items)}</ol>'


Hit = tuple[str, str, str]
"""Who is hit, for want of what, and the share of output it loses in the end."""


def rounds(found: Sequence[tuple[int, int, Sequence[Hit]]], who: str) -> str:
    """Return a cascade round by round: number, nodes hit first in it, and the ones to name.

    Every round is a list that a printer and a reader without scripts sees in full; scripts make it
    a slider that is moved with the arrow keys (see page.js).
    """
    items = []
    for at, count, hits in found:
        head = f"Round {at}: {who} fails" if at == 0 else f"Round {at}: {count:,} first hit"
        lines = "".join(
            f"<li><span>{escape(name)}</span> <span>{escape(why)}</span> "
            f"<span>{escape(loss)} lost in the end</span></li>"
            for name, why, loss in hits
        )
        left = count - len(hits)
        more = f'<p class="more">and {left:,} more</p>' if left > 0 else ""
        items.append(f"<li><h4>{escape(head)}</h4><ul>{lines}</ul>{more}</li>")
    return f'<div class="replay"><ol>{"".join(items)}</ol></div>'
