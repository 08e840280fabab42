"""What the report of a plan says in short: a title, sentences, and up to four big numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from withstand.report.headline import Card
from withstand.report.plan_contents import SCALES
from withstand.report.words import capital, clean, listing, money, percent, plural

if TYPE_CHECKING:
    from withstand.report.plan_contents import PlanContents

PROVEN = 1e-5
"""Gap below which a plan counts as the best."""
LITTLE = 0.01
"""Share of a loss below which a change is not worth a word."""
AIMS = {
    "value": "The plan keeps cost and expected loss together as low as can be",
    "cost": "The plan is the cheapest one that keeps within the limits set",
    "loss": "The plan keeps the expected loss as low as the money allows, and among equals is the"
    " cheapest",
    "regret": "The plan keeps the largest regret as low as can be: what is lost, in the worst"
    " scenario, against having known it beforehand",
}


def title(contents: PlanContents) -> str:
    """Return the plan in one sentence."""
    plan, currency = contents.plan, contents.currency
    options = plural(len(plan.chosen), "option")
    if not plan.chosen and float(plan.worth_of_money()["worth"].sum()) > 0:
        return "The money is too little for anything that would help"
    if not plan.chosen:
        return "Nothing of what can be chosen is worth its cost against these scenarios"
    verb = "brings" if len(plan.chosen) == 1 else "bring"
    return (
        f"{capital(options)} for {money(plan.cost, currency)} {verb} the expected loss from "
        f"{money(plan.expected_loss_before, currency)} to {money(plan.expected_loss, currency)}"
    )


def sentences(contents: PlanContents) -> list[str]:
    """Return what was found, in words."""
    plan, currency = contents.plan, contents.currency
    problem = plan.problem
    n = len({s.scenario.name for s in problem.strikes if s.scenario.shocks})
    limit = contents.budget
    said = [
        f"{AIMS[str(plan.provenance.parameters['aim'])]}, out of "
        f"{plural(problem.n_options, 'option')} over {plural(contents.years, 'year')}, against "
        f"{plural(n, 'scenario')}"
        + (f" and within {money(limit, currency)}" if limit is not None else "")
        + f". No plan of these options is better{_gap_said(plan.gap)}."
    ]
    if plan.status == "limit":
        said.append("The search was cut off by its time limit; a better plan may exist.")
    if problem.is_conditional:
        said.append(
            "The chances of the scenarios sum to more than 1 or none is stated: all is counted for"
            " the case that one of them strikes."
        )
    if contents.verification is not None:
        v = contents.verification
        said.append(
            f"Simulated on the full network, the expected loss goes from "
            f"{money(v.expected('simulated_before'), currency)} to "
            f"{money(v.expected('simulated_after'), currency)}."
        )
    not_helped = unhelped(contents)
    if not_helped and plan.chosen:
        who = "As simulated, it" if contents.verification is not None else "It"
        said.append(f"{who} does little against {contents.lost_all(not_helped)}.")
    said += [clean(text) for text in contents.left_out]
    return said


def _gap_said(gap: float) -> str:
    return "" if gap < PROVEN else f" by more than {percent(gap, 2)}"


def unhelped(contents: PlanContents) -> list[str]:
    """Return the scenarios whose loss the plan hardly changes, programme and simulation alike."""
    kind = "simulated" if contents.verification is not None else "programme"
    before, after = f"{kind}_before", f"{kind}_after"
    rows = contents.losses.filter(
        (pl.col(before) > 0) & (pl.col(after) > (1.0 - LITTLE) * pl.col(before))
    )
    return [str(n) for n in rows["name"]]


def big_numbers(contents: PlanContents) -> list[Card]:
    """Return cost, fall of the loss as programmed and as simulated, and output without a region."""
    plan, currency = contents.plan, contents.currency
    found = [
        Card(
            number=money(plan.cost, currency),
            what="is what the plan costs over the horizon",
            note=f"{len(plan.chosen)} of {plural(plan.problem.n_options, 'option')} chosen",
        ),
        Card(
            number=money(plan.expected_loss_before - plan.expected_loss, currency),
            what="less is lost on average",
            note=f"{money(plan.expected_loss_before, currency)} before, "
            f"{money(plan.expected_loss, currency)} after",
        ),
    ]
    if contents.verification is not None:
        v = contents.verification
        fall = v.expected("simulated_before") - v.expected("simulated_after")
        note = f"{money(v.expected('simulated_before'), currency)} before, "
        note += f"{money(v.expected('simulated_after'), currency)} after"
        found.append(
            Card(number=money(fall, currency), what="less is lost as simulated", note=note)
        )
    if contents.output.height:
        worst = contents.output.sort("before", "region").row(0, named=True)
        found.append(
            Card(
                number=percent(worst["after"]),
                what=f"of output can go on without {clean(worst['name'])} for good",
                note=f"{percent(worst['before'])} before the plan",
            )
        )
    return found


def worth_said(contents: PlanContents) -> str:
    """Say what the next million (or thousand) is worth."""
    worth = contents.plan.worth_of_money()
    step = max(contents.scale, 1.0)
    said = dict(SCALES).get(step, f"unit of {contents.currency}")
    best = 0.0 if worth.height == 0 else float(worth["worth"].max())  # type: ignore[arg-type]
    if best <= 0:
        return f"The next {said} would save nothing: money does not limit this plan"
    year = int(worth.filter(pl.col("worth") == best)["year"][0])
    return (
        f"The next {said} in year {year} would save {money(step * best, contents.currency)},"
        " if options could be taken in part"
    )


def beyond_said(contents: PlanContents) -> str:
    """Say what no money can mend within the horizon."""
    frame = contents.beyond
    left = frame.filter((pl.col("before") > 0) & (pl.col("left") > LITTLE * pl.col("before")))
    if left.height == 0:
        return "With enough money every loss could be avoided"
    parts = left.sort("left", descending=True).head(3).iter_rows(named=True)
    named = [
        f"{percent(r['left'] / r['before'], 0)} of what {contents.lost(r['name'])} costs"
        for r in parts
    ]
    return f"No money mends {listing(named)} within {plural(contents.years, 'year')}"
