"""How a production line looks: sentences, machines, what helps."""

from __future__ import annotations

from typing import Any

from withstand.cli import answers, output


def document(found: Any, top: int) -> dict[str, Any]:
    """Return a line as JSON values."""
    from withstand.model.provenance import versions

    line = found.line
    return {
        "status": "ok",
        "line": found.name,
        "summary": line.summary(),
        "method": line.run.method,
        "how": found.how,
        "throughput": line.throughput,
        "half_width": line.run.half_width,
        "cycle_seconds": line.cycle_seconds,
        "per_hour": line.per_hour,
        "hours_per_part": line.hours_per_part(),
        "oee": line.effectiveness,
        "bottleneck": line.bottleneck,
        "machines": found.machines,
        "helps": found.helps.head(top),
        "findings": [f.to_dict() for f in found.findings],
        "provenance": {"seed": found.seed, "versions": versions()},
    }


def say(found: Any, top: int) -> None:
    """Print a line: the sentences, the machines, what one change more is worth."""
    for sentence in found.sentences:
        output.say(sentence)
    output.say("")
    shares = ["availability", "oee", "working", "starved", "blocked", "down"]
    output.say_table(
        "Machines, shares of time",
        found.machines,
        {
            "machine": "machine",
            "availability": "up, alone",
            "oee": "OEE, alone",
            "working": "works",
            "starved": "starved",
            "blocked": "blocked",
            "down": "down",
            "buffer_after": "places behind",
            "mean_level_after": "mean level",
        },
        shares=shares,
    )
    output.say_table(
        "What one change would add",
        found.helps.head(top),
        {
            "change": "change",
            "where": "where",
            "gain": "parts per cycle",
            "gain_per_hour": "good parts per hour",
        },
    )
    if found.findings:
        output.say_findings(answers.grouped(list(found.findings)), failed=False)
