"""The report as one page: it holds all it needs, and asks for nothing from outside."""

from __future__ import annotations

import base64
import hashlib
from importlib.resources import files
from string import Template
from typing import TYPE_CHECKING

from withstand.model.provenance import versions
from withstand.report.figures import dark_colours
from withstand.report.markup import Section, escape, inline_json, prose
from withstand.report.sections import all_sections

if TYPE_CHECKING:
    from collections.abc import Sequence

    from withstand.model.network import ProductionNetwork
    from withstand.report.contents import Contents


def page(contents: Contents) -> bytes:
    """Return the report as one HTML page.

    Styles, scripts and data stand inside the page. Its content security policy allows no request
    at all, and no script but the two whose hashes it names, so that a name which slipped through
    the escaping could still not run.

    Examples
    --------
    >>> from withstand.examples import tiny
    >>> from withstand.workbench import gather
    >>> page(gather(tiny()))[:15]
    b'<!doctype html>'
    """
    return bound(
        contents.network,
        contents.made_at,
        "Resilience report",
        all_sections(contents),
    )


def bound(
    network: ProductionNetwork, made_at: str, kicker: str, sections: Sequence[Section]
) -> bytes:
    """Return sections as one page; the first one must have the anchor `headline`.

    Parameters
    ----------
    network : ProductionNetwork
    made_at : str
        Date and time.
    kicker : str
        What kind of page it is, above the title.
    sections : sequence of Section
    """
    size = f"{network.n_nodes:,} nodes, {network.n_links:,} supply links"
    asof = (
        f"Computed {made_at} from {size}. Times are in {network.settings.period}s, values in "
        f"{network.settings.currency or 'the currency of the tables'}."
    )
    return document(network.name, made_at, kicker, asof, sections)


def document(
    title: str, made_at: str, kicker: str, asof: str, sections: Sequence[Section]
) -> bytes:
    """Return sections as one page about anything; the first one must have the anchor `headline`.

    Parameters
    ----------
    title : str
    made_at : str
        Date and time.
    kicker : str
        What kind of page it is, above the title.
    asof : str
        When it was computed and from what, below the title.
    sections : sequence of Section
    """
    plotly, script = _plotly(), _asset("page.js")
    made = f"{escape(title)}, as computed {escape(made_at)}"
    version = versions()["withstand"]
    text = Template(_asset("page.html")).substitute(
        csp=policy(plotly, script),
        version=escape(version),
        kicker=escape(kicker),
        title=escape(title),
        style=_asset("style.css"),
        asof=escape(asof),
        nav="".join(f'<li><a href="#{s.anchor}">{escape(s.name)}</a></li>' for s in sections),
        sections="".join(_section(s, at) for at, s in enumerate(sections, start=1)),
        footer=f"{made}. Made with withstand {escape(version)}, on this computer; this page sends"
        " nothing and asks for nothing.",
        colours=inline_json(dark_colours()),
        plotly=plotly,
        script=script,
    )
    return text.encode("utf-8")


def policy(*scripts: str) -> str:
    """Return the content security policy of a page with these inline scripts and no other."""
    hashes = " ".join(f"'sha256-{_digest(s)}'" for s in scripts)
    return (
        f"default-src 'none'; script-src {hashes}; style-src 'unsafe-inline'; "
        "img-src data: blob:; base-uri 'none'; form-action 'none'"
    )


def _digest(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode("utf-8")).digest()).decode("ascii")


def _section(section: Section, number: int) -> str:
    return (
        f'<section id="{section.anchor}" aria-labelledby="{section.anchor}-title">'
        f'<p class="kicker">{number}. {escape(section.name)}</p>'
        f'<h2 id="{section.anchor}-title">{prose(section.title)}</h2>{section.body}</section>'
    )


def _asset(name: str) -> str:
    return (files("withstand.report") / name).read_text(encoding="utf-8").replace("\r\n", "\n")


def _plotly() -> str:
    """Return plotly.js as the Plotly package ships it, safe to stand inside a page."""
    from plotly.offline import get_plotlyjs

    return get_plotlyjs().replace("\r\n", "\n").replace("</script", "<\\/script")
