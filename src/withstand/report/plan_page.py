"""A plan as a page, as a workbook, and as one JSON document."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

from withstand.report import page, workbook
from withstand.report.plan_headline import sentences, title
from withstand.report.plan_sections import plan_sections
from withstand.report.plan_tables import plan_tables, settings_table, starts

if TYPE_CHECKING:
    from withstand.plan.solved import SolvedPlan
    from withstand.report.plan_contents import PlanContents


def plan_page(contents: PlanContents) -> bytes:
    """Return the report of a plan as one HTML page; see `withstand.report.page.page`."""
    return page.bound(contents.network, contents.made_at, "Plan", plan_sections(contents))


def plan_workbook(contents: PlanContents) -> bytes:
    """Return the report of a plan as an XLSX file; see `withstand.report.workbook.workbook`."""
    return workbook.bound(
        contents.network.name,
        contents.made_at,
        [title(contents) + ".", *sentences(contents)],
        plan_tables(contents),
        settings_table(contents),
    )


def plan_json(contents: PlanContents) -> bytes:
    """Return a plan as a JSON file; numbers that JSON lacks become null."""
    text = json.dumps(_plain(plan_document(contents)), ensure_ascii=False, indent=2)
    return (text + "\n").encode("utf-8")


def plan_document(contents: PlanContents) -> dict[str, Any]:
    """Return a plan as values and frames: what it is, what it saves, what blocks."""
    plan, verification = contents.plan, contents.verification
    return {
        "status": "ok",
        "network": plan.network.name,
        "plan_status": plan.status,
        "summary": plan.summary(),
        "chosen": list(plan.chosen),
        "cost": plan.cost,
        "value": plan.value,
        "bound": plan.bound,
        "gap": plan.gap,
        "expected_loss_before": plan.expected_loss_before,
        "expected_loss": plan.expected_loss,
        "alpha": plan.objective.alpha,
        "cvar": plan.cvar(),
        "is_conditional": plan.problem.is_conditional,
        "simulated_loss_before": verification and verification.expected("simulated_before"),
        "simulated_loss": verification and verification.expected("simulated_after"),
        "calendar": plan.calendar(),
        "spend": plan.spend(),
        "losses": contents.losses,
        "strikes": contents.strikes,
        "earns": contents.earns,
        "worth_of_money": plan.worth_of_money(),
        "blocking": plan.blocking(),
        "frontier": contents.frontier and contents.frontier.to_frame(),
        "alternatives": [_alternative(p) for p in contents.alternatives],
        "output": contents.output,
        "beyond_money": contents.beyond,
        "too_late": list(contents.too_late),
        "left_out": list(contents.left_out),
        "findings": [f.to_dict() for f in plan.findings],
        "provenance": plan.provenance.to_dict(),
    }


def _alternative(plan: SolvedPlan) -> dict[str, Any]:
    return {
        "starts": starts(plan),
        "cost": plan.cost,
        "value": plan.value,
        "expected_loss": plan.expected_loss,
        "cvar": plan.cvar(),
    }


def _plain(value: Any) -> Any:
    """Return what JSON can hold."""
    if isinstance(value, dict):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    if hasattr(value, "to_dicts"):
        return _plain(value.to_dicts())
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
