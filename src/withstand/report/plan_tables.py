"""The tables of a plan: calendar, money, losses, who earns where, other plans, all options."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from withstand.plan.solved import TAKEN
from withstand.report.chokepoints import product_name
from withstand.report.tables import Spec, Table, make_table

if TYPE_CHECKING:
    from withstand.plan.solved import SolvedPlan
    from withstand.report.plan_contents import PlanContents

DEFINITIONS = (
    ("Loss",
     "Final demand that is not met, at the value of unmet demand in the tables, over the window"
     " after a scenario strikes."),
    ("Expected loss",
     "The mean of the losses over all scenarios, times at which they may strike, and outcomes of"
     " what may fail, by their probability."),
    ("Programme",
     "The linear programme that chooses the plan. It answers each scenario as well as can be:"
     " suppliers and stocks of a product are pooled, and nobody orders by habit. It begins when"
     " the scenario strikes, so that nobody foresees it. Its loss is a bound from below."),
    ("Simulated",
     "The scenario played period by period on the full network with the options that are in"
     " place when it strikes. Orders move to other suppliers with spare capacity."),
    ("Bound and gap",
     "No plan at all can be better than the bound; the gap is how far this plan may be from it."),
    ("Worth of money",
     "By how much one unit of currency more in a year would lower what is minimised, where options"
     " could be taken in part. Options come whole: compare budgets on the frontier."),
    ("Saved by an option",
     "The loss that would come back if this one option (and what requires it) were left out of the"
     " plan and all else stayed. Two that stand in for one another save little each; two that"
     " need one another are both credited with the same."),
    ("Output that can go on",
     "The largest share of final demand that capacities allow when a region is lost for good, at"
     " the end of the horizon, by the best allocation; stocks and time play no part."),
)  # fmt: skip


def calendar_table(contents: PlanContents) -> Table:
    """Return what starts when."""
    currency = contents.currency
    return make_table(
        "Calendar",
        "What starts when, when it is in place, and what it costs.",
        contents.plan.calendar(),
        {
            "start_year": ("Starts in year", "count", ""),
            "option": ("Option", "text", ""),
            "name": ("Name", "text", ""),
            "kind": ("Kind", "text", ""),
            "ready_after_years": ("In place after", "number", "years"),
            "size": ("Size", "number", ""),
            "cost_once": ("Cost, once", "number", currency),
            "cost_per_year": ("Cost of running", "number", f"{currency} per year"),
        },
    )


def spend_table(contents: PlanContents) -> Table:
    """Return the money of each year."""
    currency = contents.currency
    spec: Spec = {
        "year": ("Year", "count", ""),
        "money": ("Money that comes", "number", currency),
        "spent": ("Spent", "number", currency),
        "left": ("Left at the end", "number", currency),
    }
    if contents.budget is None:
        del spec["money"], spec["left"]
    return make_table("Money by year", "What is spent in each year.", contents.plan.spend(), spec)


def loss_table(contents: PlanContents) -> Table:
    """Return the loss of each scenario before and after."""
    currency = contents.currency
    spec: Spec = {
        "name": ("Lost", "text", ""),
        "scenario": ("Scenario", "text", ""),
        "probability": ("Probability", "share", ""),
        "programme_before": ("Loss before, programme", "number", currency),
        "programme_after": ("Loss after, programme", "number", currency),
        "simulated_before": ("Loss before, simulated", "number", currency),
        "simulated_after": ("Loss after, simulated", "number", currency),
    }
    if contents.verification is None:
        del spec["simulated_before"], spec["simulated_after"]
    return make_table(
        "Losses",
        "What each scenario costs without the plan and with it, mean over the times at which it"
        " may strike.",
        contents.losses,
        spec,
    )


def strike_table(contents: PlanContents) -> Table:
    """Return every scenario at every time and outcome."""
    currency = contents.currency
    frame = contents.strikes
    spec: Spec = {
        "strike": ("Scenario", "text", ""),
        "strikes_after_years": ("Strikes after", "number", "years"),
        "probability": ("Probability", "share", ""),
        "programme_before": ("Loss before, programme", "number", currency),
        "programme_after": ("Loss after, programme", "number", currency),
    }
    if contents.verification is not None:
        reasons = contents.verification.to_frame().select("strike", "is_comparable", "reason")
        frame = frame.join(reasons, on="strike", how="left", maintain_order="left")
        spec |= {
            "simulated_before": ("Loss before, simulated", "number", currency),
            "simulated_after": ("Loss after, simulated", "number", currency),
            "is_comparable": ("Programme is a bound", "text", ""),
            "reason": ("Why not", "text", ""),
        }
    return make_table("Strikes", "Each scenario at each time at which it may strike.", frame, spec)


def earns_table(contents: PlanContents) -> Table:
    """Return what each option saves in each scenario."""
    currency = contents.currency
    frame = contents.earns.with_columns(
        pl.Series("called", [contents.option_name(x) for x in contents.earns["option"]], pl.String)
    )
    return make_table(
        "Which option earns where",
        "The loss that would come back without each option, by scenario.",
        frame,
        {
            "option": ("Option", "text", ""),
            "called": ("Name", "text", ""),
            "name": ("Lost", "text", ""),
            "saved": ("Saved if it strikes", "number", currency),
            "expected": ("Part of the expected loss", "number", currency),
        },
    )


def worth_table(contents: PlanContents) -> Table:
    """Return the worth of one unit of money more in each year."""
    return make_table(
        "Worth of money",
        "By how much one unit of currency more in a year lowers what is minimised, at the margin.",
        contents.plan.worth_of_money(),
        {
            "year": ("Year", "count", ""),
            "worth": ("Worth of one more", "number", contents.currency),
        },
    )


def blocking_table(contents: PlanContents) -> Table:
    """Return the limits that cost something."""
    return make_table(
        "What blocks",
        "The limits that keep the plan from being better, the one worth most first.",
        contents.plan.blocking(),
        {
            "meaning": ("Limit", "text", ""),
            "worth": ("Worth of one unit more", "number", contents.currency),
        },
    )


def frontier_table(contents: PlanContents) -> Table | None:
    """Return the best plan for each of a row of budgets."""
    if contents.frontier is None:
        return None
    currency = contents.currency
    alpha = contents.plan.objective.alpha
    return make_table(
        "Frontier",
        "The best plan for each of a row of budgets.",
        contents.frontier.to_frame().with_columns(pl.col("chosen").replace("", "nothing")),
        {
            "budget": ("Budget", "number", currency),
            "cost": ("Cost", "number", currency),
            "expected_loss": ("Expected loss", "number", currency),
            "tail_loss": (f"Mean of the worst {1 - alpha:.0%}", "number", currency),
            "worth_of_next": ("Worth of one more", "number", currency),
            "chosen": ("Chosen", "text", ""),
        },
    )


def output_table(contents: PlanContents) -> Table | None:
    """Return the output that capacities allow without each region, before and after."""
    if contents.output.height == 0:
        return None
    network = contents.network

    def named(column: str) -> pl.Series:
        known = set(network.product_labels.tolist())
        return pl.Series(
            column,
            [product_name(network, x) if x in known else x for x in contents.output[column]],
            pl.String,
        )

    frame = contents.output.with_columns(named("binding_before"), named("binding_after"))
    return make_table(
        "Output without a region",
        "Share of final demand that capacities allow when a region is lost for good.",
        frame,
        {
            "name": ("Lost", "text", ""),
            "before": ("Before the plan", "share", ""),
            "after": ("With it, at the end", "share", ""),
            "binding_before": ("Limited before by", "text", ""),
            "binding_after": ("Limited after by", "text", ""),
        },
    )


def starts(plan: SolvedPlan) -> dict[str, int]:
    """Return the year in which each option chosen starts first, from 1 on."""
    found = {}
    for m, option in enumerate(plan.problem.chain.options):
        years = np.flatnonzero(plan.sizes[m] > TAKEN)
        if len(years):
            found[option.label] = int(years[0]) + 1
    return found


def alternatives_frame(contents: PlanContents) -> pl.DataFrame:
    """Return one row an option that some plan chooses: its start year in each plan.

    Columns option, name, then plan_0 (the plan itself), plan_1 ...; null where not chosen.
    """
    plans: list[SolvedPlan] = [contents.plan, *contents.alternatives]
    found = [starts(p) for p in plans]
    chosen = {label for f in found for label in f}
    labels = [o.label for o in contents.plan.problem.chain.options if o.label in chosen]
    columns = {
        f"plan_{k}": pl.Series([f.get(x) for x in labels], dtype=pl.Int64)
        for k, f in enumerate(found)
    }
    return pl.DataFrame(
        {
            "option": pl.Series(labels, dtype=pl.String),
            "name": pl.Series([contents.option_name(x) for x in labels], dtype=pl.String),
            **columns,
        }
    )


def plan_names(contents: PlanContents) -> list[str]:
    """Return what the plan and the others are called."""
    return ["This plan", *(f"Other {k + 1}" for k in range(len(contents.alternatives)))]


def alternatives_table(contents: PlanContents) -> Table | None:
    """Return the plan and others nearly as good, side by side: start years."""
    if not contents.alternatives:
        return None
    spec: Spec = {"option": ("Option", "text", ""), "name": ("Name", "text", "")}
    for k, called in enumerate(plan_names(contents)):
        spec[f"plan_{k}"] = (called, "count", "year")
    return make_table(
        "Plans side by side",
        "The year in which each option starts; empty where it is not chosen.",
        alternatives_frame(contents),
        spec,
    )


def compared_table(contents: PlanContents) -> Table | None:
    """Return cost, losses and value of the plan and of others nearly as good."""
    if not contents.alternatives:
        return None
    plans: list[SolvedPlan] = [contents.plan, *contents.alternatives]
    value = contents.plan.value
    frame = pl.DataFrame(
        {
            "plan": plan_names(contents),
            "cost": [p.cost for p in plans],
            "expected_loss": [p.expected_loss for p in plans],
            "tail": [p.cvar() for p in plans],
            "worse": [(p.value - value) / max(abs(value), 1e-300) for p in plans],
            "chosen": [", ".join(p.chosen) or "nothing" for p in plans],
        }
    )
    currency = contents.currency
    return make_table(
        "Other plans",
        "Plans nearly as good as the best, as different as possible.",
        frame,
        {
            "plan": ("Plan", "text", ""),
            "cost": ("Cost", "number", currency),
            "expected_loss": ("Expected loss", "number", currency),
            "tail": (f"Mean of the worst {1 - contents.plan.objective.alpha:.0%}", "number",
                     currency),
            "worse": ("Worse by", "share", ""),
            "chosen": ("Chosen", "text", ""),
        },
    )  # fmt: skip


def options_table(contents: PlanContents) -> Table:
    """Return every option that could be chosen, with its start year where it was."""
    plan = contents.plan
    chosen = starts(plan)
    per_year = plan.problem.calendar.per_year
    options = plan.problem.chain.options
    frame = pl.DataFrame(
        {
            "option": [o.label for o in options],
            "name": [o.name for o in options],
            "kind": [o.kind for o in options],
            "cost_once": [o.cost_once for o in options],
            "cost_per_year": [o.cost_per_period * per_year for o in options],
            "ready": [o.ready_periods / per_year for o in options],
            "chance": [o.success_probability for o in options],
            "requires": [", ".join(o.requires) or None for o in options],
            "start": pl.Series([chosen.get(o.label) for o in options], dtype=pl.Int64),
        },
        schema_overrides={"requires": pl.String},
    )
    currency = contents.currency
    return make_table(
        "Options",
        "Every option that could be chosen, and the year in which the plan starts it.",
        frame,
        {
            "option": ("Option", "text", ""),
            "name": ("Name", "text", ""),
            "kind": ("Kind", "text", ""),
            "cost_once": ("Cost, once", "number", currency),
            "cost_per_year": ("Cost of running", "number", f"{currency} per year"),
            "ready": ("Takes", "number", "years"),
            "chance": ("Chance to work", "share", ""),
            "requires": ("Requires", "text", ""),
            "start": ("Starts in year", "count", ""),
        },
    )


def beyond_table(contents: PlanContents) -> Table:
    """Return what remains whatever is spent."""
    currency, network = contents.currency, contents.network
    known = set(network.product_labels.tolist())
    limits = [
        ", ".join(product_name(network, x) if x in known else x for x in text.split(", ") if x)
        for text in contents.beyond["binding"]
    ]
    return make_table(
        "Beyond money",
        "What is lost in each scenario even if every option that helps were started at once.",
        contents.beyond.with_columns(pl.Series("binding", limits, pl.String)),
        {
            "name": ("Lost", "text", ""),
            "before": ("Loss before", "number", currency),
            "after": ("Loss with the plan", "number", currency),
            "left": ("Loss whatever is spent", "number", currency),
            "binding": ("More of these would help", "text", ""),
        },
    )


def findings_table(contents: PlanContents) -> Table:
    """Return what is worth knowing of the options and scenarios before trusting the plan."""
    rows = [(f.code, f.what, f.fix or "") for f in contents.plan.findings]
    schema = {"code": pl.String, "what": pl.String, "fix": pl.String}
    return make_table(
        "Findings",
        "What to know of options and scenarios before trusting the plan.",
        pl.DataFrame(rows, schema=schema, orient="row"),
        {
            "code": ("Code", "text", ""),
            "what": ("What was found", "prose", ""),
            "fix": ("How to mend it", "prose", ""),
        },
    )


def definitions_table() -> Table:
    """Return what the words mean."""
    return make_table(
        "Definitions",
        "What the words of this report mean.",
        pl.DataFrame(DEFINITIONS, schema=["word", "meaning"], orient="row"),
        {"word": ("Word", "text", ""), "meaning": ("Meaning", "prose", "")},
    )


def settings_table(contents: PlanContents) -> Table:
    """Return what it takes to compute the plan again."""
    plan, network = contents.plan, contents.network
    proof = plan.provenance
    parameters = {
        k: ", ".join(map(str, v)) if isinstance(v, list | tuple) else str(v)
        for k, v in proof.parameters.items()
    }
    money = plan.problem.decisions.money
    rows = [
        ("Network", network.name),
        ("Fingerprint of its tables", proof.fingerprint),
        ("Budget", "no limit" if money is None else ", ".join(f"{x:,.0f}" for x in money)),
        *((k.replace("_", " ").capitalize(), v) for k, v in parameters.items()),
        ("Columns of the programme", f"{plan.problem.two_stage.first.size:,} now,"
         f" {plan.problem.skeleton.n_columns:,} in each scenario"),
        ("Computed", contents.made_at),
        *((f"Version of {k}", v) for k, v in proof.versions.items()),
    ]  # fmt: skip
    return make_table(
        "Settings",
        "What it takes to compute this plan again.",
        pl.DataFrame(rows, schema=["what", "value"], orient="row"),
        {"what": ("What", "text", ""), "value": ("Value", "text", "")},
    )


def plan_tables(contents: PlanContents) -> list[Table]:
    """Return every table of a plan's report, in order; empty ones are left out."""
    found = [
        calendar_table(contents),
        spend_table(contents),
        loss_table(contents),
        strike_table(contents),
        earns_table(contents),
        frontier_table(contents),
        worth_table(contents),
        blocking_table(contents),
        output_table(contents),
        beyond_table(contents),
        compared_table(contents),
        alternatives_table(contents),
        options_table(contents),
        findings_table(contents),
        definitions_table(),
        settings_table(contents),
    ]
    return [t for t in found if t is not None and t.frame.height]
