"""The sections of a plan: what to start, what it saves, what more money buys, what blocks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from withstand.report import plan_figures as figures
from withstand.report.markup import (
    Section,
    cards,
    details,
    figure,
    paragraphs,
    prose,
    table,
)
from withstand.report.plan_headline import (
    LITTLE,
    beyond_said,
    big_numbers,
    sentences,
    title,
    worth_said,
)
from withstand.report.plan_tables import (
    alternatives_table,
    beyond_table,
    blocking_table,
    calendar_table,
    compared_table,
    definitions_table,
    earns_table,
    findings_table,
    frontier_table,
    loss_table,
    options_table,
    output_table,
    settings_table,
    spend_table,
    strike_table,
    worth_table,
)
from withstand.report.words import capital, clean, listing, money, number, percent, plural

if TYPE_CHECKING:
    from withstand.report.plan_contents import PlanContents

NUMBERS = "Numbers behind the chart"


def plan_sections(contents: PlanContents) -> list[Section]:
    """Return the sections of the page, in order."""
    found = [
        headline_section(contents),
        calendar_section(contents),
        losses_section(contents),
        earns_section(contents),
        money_section(contents),
        output_section(contents),
        beyond_section(contents),
        alternatives_section(contents),
        options_section(contents),
        method_section(contents),
    ]
    return [s for s in found if s is not None]


# --- in short ------------------------------------------------------------------------------------


def headline_section(contents: PlanContents) -> Section:
    """Say what to do and what it saves."""
    body = cards(big_numbers(contents)) + paragraphs(sentences(contents), "lead")
    return Section(anchor="headline", name="In short", title=title(contents), body=body)


# --- calendar ------------------------------------------------------------------------------------


def calendar_section(contents: PlanContents) -> Section:
    """Draw what starts when, and what is spent."""
    anchor, name = "calendar", "Calendar"
    frame = contents.plan.calendar()
    if frame.height == 0:
        body = paragraphs(["The plan starts nothing."], "empty")
        return Section(anchor=anchor, name=name, title="There is nothing to start", body=body)
    first = frame.filter(pl.col("start_year") == frame["start_year"].min())
    late = frame.filter(pl.col("ready_after_years") > contents.years)
    called = (
        f"{capital(plural(first.height, 'option'))} {'start' if first.height > 1 else 'starts'} in"
        f" year {first['start_year'][0]}; the last is in place after"
        f" {number(frame['ready_after_years'].max())} years"  # type: ignore[arg-type]
    )
    body = figure("gantt", figures.gantt(contents), "When each option is under way and in place",
                  wide=True)  # fmt: skip
    if late.height:
        body += paragraphs(
            [f"{plural(late.height, 'option is', 'options are')} in place only after the horizon."],
            "about",
        )
    body += details(NUMBERS, table(calendar_table(contents)), is_open=True)
    body += f"<h3>{prose(_spend_said(contents))}</h3>" + '<div class="beside">'
    caption = f"What is spent in each year, {contents.unit}"
    body += figure("spend", figures.spend_by_year(contents), caption)
    body += f"<div>{table(spend_table(contents))}</div></div>"
    return Section(anchor=anchor, name=name, title=called, body=body)


def _spend_said(contents: PlanContents) -> str:
    spend = contents.plan.spend()
    total = float(spend["spent"].sum())
    said = f"{money(total, contents.currency)} are spent over {plural(contents.years, 'year')}"
    if contents.budget is None:
        return said
    left = contents.budget - total
    if left > LITTLE * contents.budget:
        return f"{said}, and {money(left, contents.currency)} are not needed"
    return f"{said}: all the money there is"


# --- losses --------------------------------------------------------------------------------------


def losses_section(contents: PlanContents) -> Section:
    """Draw the loss of each scenario before and after, as programmed and as simulated."""
    anchor, name = "losses", "Losses"
    about = (
        "The programme answers each scenario as well as can be; the simulation orders and delivers"
        " by habit, on the full network. What good coordination can reach lies between."
    )
    body = paragraphs([about], "about")
    unit = contents.unit
    programmed = figure(
        "losses-programme",
        figures.losses(contents, "programme"),
        f"As the programme sees it, {unit}",
    )
    if contents.verification is None:
        body += programmed + paragraphs(["Nothing was simulated."], "about")
    else:
        body += '<div class="two">' + programmed
        body += figure(
            "losses-simulated", figures.losses(contents, "simulated"), f"As simulated, {unit}"
        )
        body += "</div>" + paragraphs([_comparable(contents)], "about")
    body += details(NUMBERS, table(loss_table(contents)), is_open=True)
    body += details("Every scenario at each time", table(strike_table(contents), most=60))
    return Section(anchor=anchor, name=name, title=_losses_title(contents), body=body)


def _losses_title(contents: PlanContents) -> str:
    kind = "simulated" if contents.verification is not None else "programme"
    frame = contents.losses
    if frame.height == 0 or not float(frame[f"{kind}_before"].sum() or 0.0):
        return "No scenario loses anything even without the plan"
    saved = (frame[f"{kind}_before"] - frame[f"{kind}_after"]).to_list()
    at = max(range(len(saved)), key=lambda k: saved[k])
    row = frame.row(at, named=True)
    if saved[at] <= LITTLE * row[f"{kind}_before"]:
        return "The plan changes little in any scenario"
    worse = [str(n) for n, s in zip(frame["name"], saved, strict=True) if s < 0]
    said = (
        f"{capital(contents.lost(row['name']))} costs"
        f" {money(row[f'{kind}_after'], contents.currency)} instead of"
        f" {money(row[f'{kind}_before'], contents.currency)}"
    )
    return said + (f"; {contents.lost_all(worse, 2)} costs more" if worse else "")


def _comparable(contents: PlanContents) -> str:
    assert contents.verification is not None
    rows = contents.verification.to_frame()
    if rows["is_comparable"].all():
        return "The programme's loss is a bound from below for every scenario."
    why = rows.filter(pl.col("reason") != "")["reason"].unique(maintain_order=True).to_list()
    return f"The programme's loss is not a strict bound here, because {listing(why)}."


# --- who earns where -----------------------------------------------------------------------------


def earns_section(contents: PlanContents) -> Section | None:
    """Draw which option earns its place in which scenario."""
    if not contents.plan.chosen:
        return None
    anchor, name = "earns", "Which option earns where"
    frame = contents.earns
    if frame.height == 0:
        body = paragraphs(["No option saves anything that the others would not."], "empty")
        return Section(anchor=anchor, name=name, title="No option is missed alone", body=body)
    best = frame.group_by("option", maintain_order=True).agg(pl.col("expected").sum())
    first = str(best["option"][0])
    places = [str(n) for n in frame.filter(pl.col("option") == first)["name"]]
    called = (
        f"{clean(contents.option_name(first))} saves most: "
        f"{money(float(best['expected'][0]), contents.currency)} on average, against "
        f"{contents.lost_all(places, 3)}"
    )
    about = (
        "Each number is the loss that would come back if this one option were left out and all"
        " else stayed. Rows do not add up: options may stand in for one another, or need one"
        " another."
    )
    body = paragraphs([about], "about")
    caption = f"Loss saved by each option if the scenario strikes, {contents.unit}"
    body += figure("earns-where", figures.earns(contents), caption, wide=True)
    idle = [clean(contents.option_name(x)) for x in contents.plan.chosen
            if x not in set(frame["option"])]  # fmt: skip
    if idle:
        body += paragraphs(
            [f"{listing(idle)}: saves nothing that the others would not, in the programme."],
            "about",
        )
    body += details(NUMBERS, table(earns_table(contents), most=60), is_open=True)
    return Section(anchor=anchor, name=name, title=called, body=body)


# --- money ---------------------------------------------------------------------------------------


def money_section(contents: PlanContents) -> Section:
    """Draw the frontier, the worth of the next unit, and say what blocks."""
    body = ""
    made = frontier_table(contents)
    if made is not None:
        body += '<div class="beside">'
        caption = f"The least expected loss that each budget buys, {contents.unit}"
        body += figure("frontier", figures.frontier(contents), caption)
        short = made.only("budget", "cost", "expected_loss", "chosen")
        body += f"<div>{table(short)}</div></div>" + details("All columns", table(made))
    worth = contents.plan.worth_of_money()
    body += f"<h3>{prose(worth_said(contents))}</h3>"
    if worth.height and float(worth["worth"].sum()) > 0:
        body += '<div class="beside">'
        drawn = figures.worth(worth["year"].to_list(), worth["worth"].to_list(), contents.currency)
        caption = "By how much one unit of money more in each year lowers what is minimised"
        body += figure("worth", drawn, caption)
        body += f"<div>{table(worth_table(contents))}</div></div>"
    blocking = contents.plan.blocking()
    if blocking.height:
        body += "<h3>What keeps the plan from being better</h3>" + table(blocking_table(contents))
    else:
        nothing = "No limit costs anything at the margin: neither money nor order nor hours."
        body += paragraphs([nothing], "about")
    return Section(anchor="money", name="Money", title=_money_title(contents), body=body)


def _money_title(contents: PlanContents) -> str:
    if contents.frontier is None:
        return worth_said(contents)
    frame = contents.frontier.to_frame()
    least = float(frame["expected_loss"].min())  # type: ignore[arg-type]
    step = LITTLE * max(float(frame["expected_loss"].max()), 1e-300)  # type: ignore[arg-type]
    enough = frame.filter(pl.col("expected_loss") <= least + step)
    first, last = (money(float(enough["budget"][k]), contents.currency) for k in (0, -1))
    if enough.height == 1:
        return f"Up to {last} more money goes on buying something"
    return f"From {first} to {last} more money buys next to nothing"


# --- output, beyond money, other plans -----------------------------------------------------------


def output_section(contents: PlanContents) -> Section | None:
    """Draw the output that capacities allow without each region."""
    made = output_table(contents)
    if made is None:
        return None
    frame = contents.output
    gain = (frame["after"] - frame["before"]).to_list()
    at = max(range(len(gain)), key=lambda k: gain[k])
    row = frame.row(at, named=True)
    higher = sum(g > LITTLE / 10 for g in gain)
    called = (
        f"Without {clean(row['name'])} for good, {percent(row['after'])} of final demand can be met"
        f" instead of {percent(row['before'])}"
        if higher
        else "Once stocks are gone, no more can be made without these regions than before"
    )
    about = (
        "A region is lost for good and stocks are gone: what do the capacities that are left allow,"
        " with the best allocation? Stocks do not count here, so a plan that bridges time can be"
        " good and change nothing in this picture."
    )
    body = paragraphs([about], "about") + '<div class="beside">'
    caption = (
        f"Share of final demand that can be met without each region, after {contents.years} years"
    )
    body += figure("output-left", figures.output(contents), caption)
    body += f"<div>{table(made.only('name', 'before', 'after'))}</div></div>"
    less = [clean(n) for n, g in zip(frame["name"], gain, strict=True) if g < -LITTLE / 10]
    if less:
        body += paragraphs(
            [f"Without {listing(less)} less can be made than before: the plan leans on it."],
            "about",
        )
    body += details("What limits output", table(made))
    return Section(anchor="output", name="Output", title=called, body=body)


def beyond_section(contents: PlanContents) -> Section | None:
    """Say what no money can mend within the horizon."""
    made = beyond_table(contents)
    if made.frame.height == 0 or float(made.frame["before"].sum()) <= 0:
        return None
    about = (
        "The programme once more, with the same options for free and as early as can be: what is"
        " lost even then needs other options, or more time. It is a bound from below."
    )
    body = paragraphs([about], "about") + '<div class="beside">'
    caption = f"Loss without the plan, with it, and whatever is spent, {contents.unit}"
    body += figure("loss-left", figures.beyond(contents), caption)
    body += f"<div>{table(made.only('name', 'before', 'after', 'left'))}</div></div>"
    late = [clean(contents.option_name(x)) for x in contents.too_late]
    if late:
        body += paragraphs([f"Too late for every scenario: {listing(late)}."], "about")
    body += details("What would help then", table(made))
    return Section(anchor="beyond", name="Beyond money", title=beyond_said(contents), body=body)


def alternatives_section(contents: PlanContents) -> Section | None:
    """Set other plans beside this one."""
    made, compared = alternatives_table(contents), compared_table(contents)
    if made is None or compared is None:
        return None
    best = compared.frame.slice(1).sort("worse").row(0, named=True)
    called = (
        f"{capital(plural(len(contents.alternatives), 'other plan'))} would do nearly as well; the"
        f" nearest is worse by {percent(best['worse'])}"
    )
    about = (
        "Each is as different as possible from the plan and from the ones before it. What all of"
        " them choose is safe to start; where they differ, other reasons may decide."
    )
    body = paragraphs([about], "about") + table(compared)
    caption = "What each plan chooses, and the year in which it starts"
    body += figure("side-by-side", figures.side_by_side(contents), caption, wide=True)
    body += details(NUMBERS, table(made, most=60))
    return Section(anchor="alternatives", name="Other plans", title=called, body=body)


def options_section(contents: PlanContents) -> Section:
    """List every option, chosen or not."""
    plan = contents.plan
    left = plan.problem.n_options - len(plan.chosen)
    verb = "is" if left == 1 else "are"
    called = f"{left} of {plural(plan.problem.n_options, 'option')} {verb} left out"
    body = table(options_table(contents), most=60)
    findings = findings_table(contents)
    if findings.frame.height:
        body += details("What to know of them", table(findings), is_open=True)
    return Section(anchor="options", name="Options", title=called, body=body)


def method_section(contents: PlanContents) -> Section:
    """Say what the words mean and how to compute it again."""
    words = "".join(
        f"<dt>{prose(word)}</dt><dd>{prose(meaning)}</dd>"
        for word, meaning in definitions_table().frame.iter_rows()
    )
    body = f"<dl>{words}</dl>" + details(
        "Settings and versions", table(settings_table(contents), most=60)
    )
    return Section(anchor="method", name="Method", title="What the words mean", body=body)
