"""How answers look: each result as JSON values, or as sentences and tables."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

from withstand.cli import output
from withstand.errors import UsageError

_THRESHOLD = re.compile(r"\s*([a-z_]+)\s*([<>])\s*([0-9.]+)\s*(%?)\s*\Z")
_REGION_TABLE = {
    "region": "region",
    "name": "name",
    "feasible_output": "output left",
    "proportional": "output left, proportional",
    "binding": "binds first",
}


def provenance(network: Any, seed: int = 0) -> dict[str, Any]:
    """Return where the numbers came from, as JSON values."""
    from withstand.model.provenance import provenance_of

    return provenance_of("measure", network, {}, seed).to_dict()


def exposure_document(network: Any, by: str, top: int) -> tuple[dict[str, Any], dict[str, float]]:
    """Return an exposure as JSON values, and its indicators; say why where there is none."""
    from withstand import measures

    try:
        exposed = measures.exposure(network, by)
    except UsageError as error:
        if by not in measures.exposures.BY:
            raise
        return {"summary": str(error)}, {}
    document = {
        "home_share": exposed.home_share,
        "tier1_home_share": exposed.tier1_home_share,
        "unpriced": exposed.unpriced,
        "shares": exposed.shares.head(top),
        "summary": exposed.summary(),
    }
    return document, {"home_share": exposed.home_share}


def slack_of(text: str) -> float | dict[str, float]:
    """Parse `1.2`, or `material=1.5,RV=1.1` (products and kinds).

    Examples
    --------
    >>> slack_of("material=1.5, RV=1.1")
    {'material': 1.5, 'RV': 1.1}
    """
    try:
        if "=" not in text:
            return float(text)
        pairs = (part.split("=", 1) for part in text.split(",") if part.strip())
        return {name.strip(): float(value) for name, value in pairs}
    except ValueError as error:
        raise UsageError(
            f"--slack '{text[:40]}' is no number; write 1.2, or material=1.5,equipment=1.2."
        ) from error


def coverage_document(covered: Any, top: int) -> dict[str, Any]:
    """Return a coverage as JSON values."""
    return {
        "without": covered.without,
        "feasible_output": covered.feasible_output,
        "proportional": covered.proportional,
        "binding": covered.binding,
        "by_kind": covered.by_kind,
        "by_tier": covered.by_tier,
        "products": covered.products.head(top),
        "summary": covered.summary(),
    }


def say_measures(network: Any, document: dict[str, Any], by: str, lost: list[str]) -> None:
    """Print what was measured: a sentence and a table each."""
    if "exposure" in document:
        e = document["exposure"]
        output.say(e["summary"])
    if "shares" in document.get("exposure", {}):
        output.say_table(
            "Where the value arises",
            document["exposure"]["shares"],
            {by: by, "share": "share of value", "nodes": "producers"},
            shares=["share"],
        )
    if "concentration" in document:
        output.say_table(
            "Most concentrated products bought abroad",
            document["concentration"],
            {
                "product": "product",
                "name": "name",
                "kind": "kind",
                "hhi": "HHI (0-1)",
                "largest": "largest",
                "largest_share": "its share",
                "outside_home": "outside home",
            },
            shares=["largest_share", "outside_home"],
        )
    if "coverage" in document and lost:
        c = document["coverage"]
        output.say(c["summary"])
        output.say_table(
            "Coverage by kind",
            c["by_kind"],
            {
                "kind": "kind",
                "products": "products",
                "coverage": "covered",
                "coverage_by_value": "covered, by value",
            },
            shares=["coverage", "coverage_by_value"],
        )
    elif "coverage" in document:
        output.say_table(
            "Output left after the loss of one region",
            document["coverage"],
            _REGION_TABLE,
            shares=["feasible_output", "proportional"],
        )


def run_document(run: Any, top: int) -> dict[str, Any]:
    """Return a stress run as JSON values."""
    return {
        "scenario": run.scenario.name,
        "summary": run.summary(),
        "loss": run.loss,
        "periods_lost": run.loss_in_periods,
        "time_to_survive": run.time_to_survive,
        "time_to_recover": run.time_to_recover,
        "conservation_residual": run.residual,
        "timeline": run.to_frame(),
        "nodes": run.node_frame().head(top),
    }


def say_runs(network: Any, runs: list[Any], worst: Any, top: int) -> None:
    """Print stress runs: the scenarios, what stops, who limited whom."""
    import polars as pl

    if len(runs) > 1:
        table = pl.DataFrame(
            {
                "scenario": [r.scenario.name for r in runs],
                "survive": [r.time_to_survive for r in runs],
                "recover": [r.time_to_recover or None for r in runs],
                "lost": [r.loss_in_periods for r in runs],
            }
        ).sort(["lost", "scenario"], descending=[True, False])
        unit = f"{network.settings.period}s"
        output.say_table(
            "Scenarios, worst first",
            table.head(top),
            {
                "scenario": "scenario",
                "survive": f"first missed ({unit})",
                "recover": f"met again ({unit})",
                "lost": f"lost ({unit} of demand)",
            },
        )
    say_worst(network, worst, top)


def say_worst(network: Any, worst: Any, top: int) -> None:
    """Print one run: what stops, who limited whom."""
    import polars as pl

    output.say(worst.summary())
    if worst.time_to_survive is None:
        return
    output.say_table(
        "What stops (worst scenario)",
        worst.node_frame().filter(pl.col("periods_lost") > 0).head(top),
        {
            "node": "producer",
            "region": "region",
            "periods_lost": f"output lost ({network.settings.period}s)",
            "lowest_output": "lowest output",
            "first_fall": "falls in period",
        },
        shares=["lowest_output"],
    )
    final = network.node_labels[worst.unmet.sum(axis=0).argmax()]
    output.say_table(
        "Who limited whom",
        worst.why(str(final)),
        {
            "node": "producer",
            "period": "period",
            "output": "output",
            "limited_by": "limited by",
            "supplier": "short supplier",
        },
        shares=["output"],
    )


def grouped(findings: list[Any]) -> list[Any]:
    """Return one finding a code, with the count of all of them."""
    first: dict[str, Any] = {}
    for finding in findings:
        known = first.get(finding.code)
        first[finding.code] = replace(known, count=known.count + 1) if known else finding
    return list(first.values())


def report_document(contents: Any, files: list[Path]) -> dict[str, Any]:
    """Return what a report says, as JSON values."""
    return {
        "status": "ok",
        "files": [str(f) for f in files],
        "tier1_home_share": contents.exposure and contents.exposure.tier1_home_share,
        "home_share": contents.exposure and contents.exposure.home_share,
        "losses": contents.losses,
        "worst_scenario": contents.runs[0].summary(),
        "provenance": provenance(contents.network),
    }


def economy_document(contents: Any, files: list[Path]) -> dict[str, Any]:
    """Return what the report of an economy says, as JSON values."""
    return {
        "status": "ok",
        "files": [str(f) for f in files],
        "home": contents.home,
        "sentences": list(contents.sentences),
        "losses": contents.losses.frame,
        "provenance": provenance(contents.network),
    }


def say_summary(contents: Any) -> None:
    """Print the headline of a report."""
    if contents.exposure:
        output.say(contents.exposure.summary())
    output.say("")
    output.say_table(
        "Output left after the loss of one region (most critical)",
        contents.losses.head(6),
        {
            "region": "region",
            "name": "name",
            "none": "makers abroad deliver",
            "shared": "they need the same",
            "binding_none": "binds first",
        },
        shares=["none", "shared"],
    )
    for run in contents.runs[:3]:
        output.say(run.summary())
    output.say("")


def thresholds(text: str) -> list[tuple[str, str, float]]:
    """Parse `home_share<0.5,feasible_output<80%`."""
    limits = []
    for part in text.split(",") if text else []:
        match = _THRESHOLD.match(part)
        if match is None:
            raise UsageError(f"--fail-on '{part[:40]}' is no threshold; write home_share<0.5.")
        value = float(match[3]) / (100.0 if match[4] else 1.0)
        limits.append((match[1], match[2], value))
    return limits


_GOOD = {
    "home_share": "<",
    "feasible_output": "<",
    "largest_hhi": ">",
    "periods_lost": ">",
    "loss": ">",
    "best_periods_lost": ">",
    "share_lost": ">",
    "esri": ">",
    "expected": ">",
    "var": ">",
    "cvar": ">",
}
"""Which side of a threshold of withstand.toml breaks it."""


def own_thresholds(network: Any, indicators: dict[str, float]) -> list[tuple[str, str, float]]:
    """Return the thresholds of withstand.toml that are measured here."""
    wanted = network.settings.thresholds
    return [(n, _GOOD[n], v) for n, v in wanted.items() if n in _GOOD and n in indicators]


def broken(indicators: dict[str, float], limits: list[tuple[str, str, float]]) -> list[str]:
    """Return the thresholds that are broken, in words."""
    broken = []
    for name, sign, value in limits:
        if name not in indicators:
            raise UsageError(
                f"--fail-on: '{name}' is not measured here; there are {', '.join(indicators)}."
            )
        found = indicators[name]
        if (found < value) if sign == "<" else (found > value):
            broken.append(f"{name} is {found:.4g}, which is {sign} {value:g}")
    return broken


def judged(broken: list[str]) -> int:
    """Print the thresholds that are broken; return the exit code."""
    from withstand.cli import FINE, THRESHOLD

    for text in broken:
        output.say(f"Threshold broken: {text}")
    return THRESHOLD if broken else FINE
