"""How partners look: sentences, best sets, what each adds, what is missing, who else could."""

from __future__ import annotations

from typing import Any

from withstand.cli import answers, output

FEW = 6
"""Rows of the tables that stand beside the main ones."""


def document(found: Any) -> dict[str, Any]:
    """Return partners as JSON values."""
    from withstand.report.partner_said import sentences

    result = found.found
    closing = found.closing
    return {
        "status": "ok",
        "network": found.network.name,
        "summary": sentences(found),
        "kind": result.kind,
        "home": list(result.home),
        "candidates": list(result.candidates),
        "excluded": result.excluded,
        "not_allowed": found.not_allowed,
        "sets": [
            {
                "k": s.k,
                "partners": list(s.partners),
                "coverage": s.coverage,
                "bound": s.bound,
                "gap": s.gap,
                "expected": s.expected,
                "ties": s.ties,
                "tied": [list(t) for t in s.tied],
                "method": s.method,
            }
            for s in result.sets
        ],
        "everyone": found.everyone,
        "level": found.level,
        "needed": None
        if closing is None
        else {"k": closing.k, "partners": list(closing.partners), "coverage": closing.coverage},
        "contributions": found.shares,
        "interactions": found.interactions,
        "limits": found.limits if found.is_physical else None,
        "one_more": found.marginal,
        "channels": found.channels,
        "in_return": found.gives,
        "reliability": dict(result.reliability),
        "left_out": list(found.left_out),
        "findings": [f.to_dict() for f in found.findings],
        "provenance": result.provenance.to_dict(),
    }


def say(found: Any, top: int) -> None:
    """Print partners: the sentences, the tables."""
    from withstand.report.partner_said import sentences

    for sentence in sentences(found):
        output.say(sentence)
    output.say("")
    _say_sets(found)
    _say_shares(found, top)
    _say_missing(found)
    _say_beyond(found, top)
    _say_excluded(found)
    for sentence in found.left_out:
        output.say(sentence)
    if found.findings:
        output.say_findings(answers.grouped(list(found.findings)), failed=False)


def _say_sets(found: Any) -> None:
    import polars as pl

    frame = found.sets.with_columns(pl.col("partners").replace("", "nobody"))
    headers = {
        "k": "partners",
        "coverage": "coverage",
        "gap": "another set at most",
        "ties": "sets as good",
        "expected": "to be expected",
        "partners": "best set",
    }
    if not found.has_expected:
        del headers["expected"]
    if float(frame["gap"].max()) <= 0:
        del headers["gap"]
    met = " met" if found.is_physical else ""
    output.say_table(
        f"Best sets, share of {found.whole}{met}",
        frame, headers, shares=["coverage", "gap", "expected"],
    )  # fmt: skip


def _say_shares(found: Any, top: int) -> None:
    if found.shares is None:
        return
    headers = {
        "partner": "partner",
        "name": "name",
        "shapley": "adds on average",
        "standard_error": "error",
        "alone": "alone",
        "last": "lost without",
        "reliability": "reliability",
        "is_best": "in the set",
    }
    frame = found.shares
    if not float(frame["standard_error"].max() or 0.0):
        del headers["standard_error"]
    if not found.knows_reliability:
        del headers["reliability"]
    if not found.is_physical:  # shares of value add up: all three are the same
        del headers["alone"], headers["last"]
    if (frame["name"] == frame["partner"]).all():
        del headers["name"]
    output.say_table(
        "What each adds, on average over all orders of joining",
        frame.head(top),
        headers,
        shares=["shapley", "standard_error", "alone", "last"],
    )
    if found.pairs.height:
        headers = {
            "partner": "partner",
            "other": "with",
            "relation": "they are",
            "interaction": "beyond each",
            "standard_error": "error",
        }
        if not float(found.pairs["standard_error"].max() or 0.0):
            del headers["standard_error"]
        output.say_table(
            "Pairs that together add more than each, or less",
            found.pairs.head(FEW),
            headers,
            shares=["interaction", "standard_error"],
        )


def _say_missing(found: Any) -> None:
    if found.is_physical and found.limits.height:
        output.say_table(
            "What limits output with the best set",
            found.limits.head(FEW),
            {"product": "product", "name": "name", "covered": "need covered",
             "gain": "gained by a tenth more"},
            shares=["covered", "gain"],
        )  # fmt: skip
    if found.helps.height:
        output.say_table(
            "What one partner more would add",
            found.helps.head(FEW),
            {"partner": "partner", "name": "name", "gain": "adds", "coverage": "coverage then"},
            shares=["gain", "coverage"],
        )


def _say_beyond(found: Any, top: int) -> None:
    if found.channels.height:
        headers = {
            "product": "product",
            "from_abroad": "from abroad",
            "region": "could supply",
            "size": f"makes ({found.flows})" if found.flows else "makes",
            "share": "of all",
            "concentration": "HHI of makers",
            "reliability": "reliability",
        }
        if found.channels["reliability"].null_count() == found.channels.height:
            del headers["reliability"]
        title = "New channels: who makes what home buys abroad, and does not supply it yet"
        output.say_table(title, found.channels.head(top), headers, shares=["from_abroad", "share"])
        _say_more(found.channels.height - top)
    if found.gives.height:
        output.say_table(
            "What home can give in return",
            found.gives.head(top),
            {"partner": "partner", "product": "product", "bought_abroad": "buys abroad",
             "concentration": "HHI of sources", "largest": "most from",
             "from_home": "from home", "capability": "home is specialised"},
            shares=["from_home"],
        )  # fmt: skip
        _say_more(found.gives.height - top)
    elif found.gives_note:
        output.say(found.gives_note)


def _say_more(left: int) -> None:
    if left > 0:
        output.say(f"... and {left:,} rows more (--top, --json or --to show all)")
        output.say("")


def _say_excluded(found: Any) -> None:
    frame = found.found.excluded
    if frame.height:
        output.say_table(
            "Never proposed",
            frame.head(20),
            {"region": "region", "candidate": "asked for as", "reason": "reason"},
        )
