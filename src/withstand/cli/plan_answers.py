"""How a plan looks: the sentence, the calendar, money, losses before and after, what blocks."""

from __future__ import annotations

from typing import Any

from withstand.cli import answers, output


def document(contents: Any) -> dict[str, Any]:
    """Return a plan as JSON values."""
    from withstand.report.plan_page import plan_document

    return plan_document(contents)


def say_none(plan: Any) -> None:
    """Say why there is no plan."""
    limits: list[str] = []
    said = f"No plan was found: {plan.status}."
    if plan.status == "infeasible":
        conflict = plan.explain_infeasible()
        limits = list(conflict.limits)
        said = "No plan keeps within these limits. " + conflict.summary()
    if output.settings.json:
        output.say_json(
            {
                "status": "infeasible",
                "plan_status": plan.status,
                "message": said,
                "limits": limits,
                "provenance": plan.provenance.to_dict(),
            }
        )
    else:
        output.say_error(said)


def say(contents: Any, top: int) -> None:
    """Print a plan: the sentences, the tables, what blocks."""
    from withstand.report.plan_headline import beyond_said, sentences, title, worth_said

    output.say(title(contents) + ".")
    output.say("")
    for sentence in sentences(contents):
        output.say(sentence)
    output.say("")
    if contents.plan.chosen:
        _say_calendar(contents)
        _say_spend(contents)
    _say_losses(contents, top)
    if contents.frontier is not None:
        _say_frontier(contents)
    if contents.alternatives:
        _say_alternatives(contents)
    _say_output(contents)
    blocking = contents.plan.blocking()
    if blocking.height:
        output.say_table(
            "What keeps the plan from being better",
            blocking.head(5),
            {"meaning": "limit", "worth": f"worth of one unit more ({contents.currency})"},
        )
    output.say(worth_said(contents) + ".")
    output.say(beyond_said(contents) + ".")
    if contents.plan.findings:
        output.say("")
        output.say_findings(answers.grouped(list(contents.plan.findings)), failed=False)


def _say_calendar(contents: Any) -> None:
    frame = contents.plan.calendar()
    headers = {
        "start_year": "starts in year",
        "option": "option",
        "name": "name",
        "ready_after_years": "in place after (years)",
        "cost_once": f"cost ({contents.currency})",
        "cost_per_year": "and per year",
    }
    if not float(frame["cost_per_year"].sum()):
        del headers["cost_per_year"]
    if (frame["size"] - 1.0).abs().max() > 1e-9:
        headers["size"] = "size"
    output.say_table("Calendar", frame, headers)


def _say_spend(contents: Any) -> None:
    currency = contents.currency
    headers = {"year": "year", "spent": f"spent ({currency})"}
    if contents.budget is not None:
        headers = {"year": "year", "money": f"money that comes ({currency})",
                   "spent": f"spent ({currency})", "left": f"left ({currency})"}  # fmt: skip
    output.say_table("Money", contents.plan.spend(), headers)


def _say_losses(contents: Any, top: int) -> None:
    import polars as pl

    columns = {"programme_before": "programme, before", "programme_after": "after"}
    if contents.verification is not None:
        columns |= {"simulated_before": "simulated, before", "simulated_after": "after"}
    shown = contents.losses.head(top).with_columns(pl.col(c) / contents.scale for c in columns)
    output.say_table(
        f"Losses, {contents.unit}",
        shown,
        {"name": "lost", "probability": "chance", **columns},
        shares=["probability"],
    )


def _say_frontier(contents: Any) -> None:
    import polars as pl

    money = ("budget", "cost", "expected_loss", "tail_loss")
    from withstand.report.plan_tables import frontier_table

    made = frontier_table(contents)
    assert made is not None
    frame = made.frame.with_columns(pl.col(c) / contents.scale for c in money)
    output.say_table(
        f"What other budgets buy, {contents.unit}",
        frame,
        {
            "budget": "budget",
            "cost": "cost",
            "expected_loss": "expected loss",
            "tail_loss": f"worst {1 - contents.plan.objective.alpha:.0%}",
            "chosen": "chosen",
        },
    )


def _say_alternatives(contents: Any) -> None:
    import polars as pl

    from withstand.report.plan_tables import compared_table

    made = compared_table(contents)
    assert made is not None
    frame = made.frame.with_columns(pl.col("cost", "expected_loss") / contents.scale)
    output.say_table(
        f"Other plans, {contents.unit}",
        frame,
        {
            "plan": "plan",
            "cost": "cost",
            "expected_loss": "expected loss",
            "worse": "worse by",
            "chosen": "chosen",
        },
        shares=["worse"],
    )


def _say_output(contents: Any) -> None:
    from withstand.report.plan_tables import output_table

    made = output_table(contents)
    if made is not None:
        output.say_table(
            "Share of demand that capacities allow, a region lost for good",
            made.frame,
            {
                "name": "lost",
                "before": "before",
                "after": "with the plan",
                "binding_after": "then limited by",
            },
            shares=["before", "after"],
        )
