"""The tables of the runs, of the data check, and of how it was computed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from withstand.model.finding_codes import CODES
from withstand.report.runs import chain, deliveries, run_table, stocks_run_out, who_is_hit
from withstand.report.tables import Spec, Table, make_table

if TYPE_CHECKING:
    from collections.abc import Mapping

    from withstand.model.network import ProductionNetwork
    from withstand.report.contents import Contents

DEFINITIONS = (
    ("Made at home, direct",
     "Of all priced goods that the makers of the final product buy, the share by value that comes"
     " from suppliers at home. It does not look at what those suppliers buy."),
    ("Made at home, all tiers",
     "The value of the final product is split into the value added at every step, and each part"
     " counts for the region where it is added. Makers abroad whose recipe is not known count"
     " with all their value; inputs without a price stay in the value added of who uses them."),
    ("Output that can go on",
     "The largest share of final demand that can be met when a region is lost and everyone else"
     " gives at most what they give today, found as a linear programme (the best possible"
     " allocation). At best, makers abroad deliver as usual; at worst, they need the same inputs"
     " as makers at home."),
    ("First to limit output",
     "The product whose supply, raised by a tenth of its need, would let output rise most."
     " Several products can limit output together; then it names the first of them."),
    ("Covered without a region",
     "The share of a product's suppliers, by volume, that is left when the region is lost. All"
     " tiers counted, losses are passed on in proportion to every maker that needs the input."),
    ("What then stops",
     "The share of a product's supply that stops when one region is lost, through every tier"
     " known. Two suppliers that hang on one mine count as one here."),
    ("Runs",
     "The loss is played period by period: deliveries arrive after their lead time, scarce inputs"
     " limit output, short output is shared out in proportion, and orders refill stocks."
     " What is lost is final demand not met, in periods of sales and in money."),
    ("Systemic risk",
     "The economic systemic risk index of Diem and others (2022): one node loses all of its output,"
     " losses travel to buyers (through essential inputs in full, through important ones by their"
     " part of all purchases, never through minor ones) and to suppliers, in rounds, until no node"
     " changes by more than 1 %. What a market has left makes good part of a loss. Bounds enclose"
     " the state in which nothing would change any more."),
    ("Range of losses",
     "The value at risk is the loss that is not exceeded in all but the worst part of the"
     " scenarios, by weight; the conditional value at risk (CVaR) is the mean of that worst part."),
    ("Best answer",
     "The least loss of final demand over the same window, links, stocks and shocks, found as a"
     " linear programme. The simulation never loses less; the difference is what coordination is"
     " worth."),
    ("Time to survive",
     "The longest time for which all final demand can be met without a node, with the best use of"
     " stocks, goods under way and the capacity of its other suppliers, but no new links. The node"
     " is flagged where its time to recover and the way to final demand together are longer."),
    ("Basis",
     "Each number may say what it rests on: a public fact with its source, a value derived from"
     " facts, a proxy, or an assumption. A number that says nothing counts as not stated."),
)  # fmt: skip


def runs_table(contents: Contents) -> Table:
    """Return one row a run: first missed, back, lost."""
    s = contents.network.settings
    return make_table(
        "Runs",
        "The same loss of each region, played one at a time; the largest loss comes first.",
        run_table(contents.runs),
        {
            "region": ("Lost", "text", ""),
            "scenario": ("Scenario", "text", ""),
            "first_missed": ("Deliveries first missed after", "count", f"{s.period}s"),
            "back": ("All deliveries met again after", "count", f"{s.period}s"),
            "lowest": ("Deliveries at the lowest", "share", ""),
            "periods_lost": ("Sales lost", "number", f"{s.period}s of sales"),
            "money_lost": ("Sales lost, by value", "number", s.currency or "currency"),
            "periods": ("Played", "count", f"{s.period}s"),
        },
    )


def deliveries_table(contents: Contents) -> Table:
    """Return the share of final demand met, one row a period, one column a run."""
    period = contents.network.settings.period
    frame = deliveries(contents.runs, contents.shared_run)
    spec: Spec = {c: (c, "share", "") for c in frame.columns}
    spec["period"] = (f"{period.capitalize()}s since the loss began", "count", "")
    return make_table("Deliveries", f"Share of deliveries met in each {period}.", frame, spec)


def stocks_table(contents: Contents) -> Table | None:
    """Return the stocks that run out in each run, earliest first."""
    frames = []
    for run in contents.runs:
        found = stocks_run_out(run)
        if found is not None:
            frames.append(found.select(pl.lit(who_is_hit(run)).alias("lost"), pl.all()))
    if not frames:
        return None
    period = contents.network.settings.period
    return make_table(
        "Stocks that run out",
        "Stocks that run out in each run, earliest first.",
        pl.concat(frames),
        {
            "lost": ("Lost", "text", ""),
            "period": ("Runs out after", "count", f"{period}s"),
            "input_name": ("Stock of", "text", ""),
            "input": ("Product", "text", ""),
            "buyer_name": ("Held by the maker of", "text", ""),
            "buyer_region": ("In", "text", ""),
            "buyer": ("Node", "text", ""),
            "stock": ("Stock at rest", "number", "units"),
        },
    )


def chain_table(contents: Contents) -> Table:
    """Return who limited whom in each run, where most was missed."""
    rows = [
        (who_is_hit(run), at, s.node, s.name, s.region, s.period, s.output, s.because)
        for run in contents.runs
        for at, s in enumerate(chain(run), start=1)
    ]
    schema = {"lost": pl.String, "step": pl.Int64, "node": pl.String, "name": pl.String,
              "region": pl.String, "period": pl.Int64, "output": pl.Float64,
              "because": pl.String}  # fmt: skip
    return make_table(
        "Who limited whom",
        "Where most was missed, and who limited whom back to what was hit.",
        pl.DataFrame(rows, schema=schema, orient="row"),
        {
            "lost": ("Lost", "text", ""),
            "step": ("Step", "count", ""),
            "name": ("Maker of", "text", ""),
            "region": ("In", "text", ""),
            "node": ("Node", "text", ""),
            "period": ("After", "count", f"{contents.network.settings.period}s"),
            "output": ("Output, of the usual", "share", ""),
            "because": ("Limited by", "text", ""),
        },
    )


def findings_table(network: ProductionNetwork) -> Table:
    """Return what the data check has to say, grouped by rule."""
    grouped: dict[str, list[object]] = {}
    for f in network.findings:
        rule = CODES.get(f.code)
        row = grouped.setdefault(
            f.code, [f.code, f.severity, rule.title if rule else f.code, 0, f.what, f.fix]
        )
        assert isinstance(row[3], int)
        row[3] += f.count
    schema = {"code": pl.String, "severity": pl.String, "title": pl.String, "count": pl.Int64,
              "what": pl.String, "fix": pl.String}  # fmt: skip
    return make_table(
        "Data check",
        "What the check of the data has to say, grouped by rule.",
        pl.DataFrame(list(grouped.values()), schema=schema, orient="row"),
        {
            "code": ("Code", "text", ""),
            "severity": ("Weight", "text", ""),
            "title": ("Rule", "text", ""),
            "count": ("Cases", "count", ""),
            "what": ("For instance", "text", ""),
            "fix": ("What to do", "text", ""),
        },
    )


def definitions_table() -> Table:
    """Return what each measure means, in two sentences each."""
    frame = pl.DataFrame(DEFINITIONS, schema=["measure", "meaning"], orient="row")
    return make_table(
        "Definitions",
        "What each measure means.",
        frame,
        {"measure": ("Measure", "text", ""), "meaning": ("Meaning", "text", "")},
    )


def settings_table(contents: Contents) -> Table:
    """Return what is needed to compute the report again: network, settings, versions."""
    network = contents.network
    s = network.settings
    proof = contents.whole.provenance
    rows = [
        ("Network", s.name),
        ("Fingerprint of its tables", proof.fingerprint),
        ("Size", f"{network.n_nodes:,} nodes, {network.n_products:,} products,"
                 f" {network.n_links:,} links, {network.n_regions:,} regions"),
        ("Lens", s.lens),
        ("Home", s.home or ", ".join(network.region_labels[network.is_home]) or "not set"),
        ("Seen from", ", ".join(network.product_labels[network.viewpoint][:8]) or "nothing"),
        ("Period", s.period),
        ("Currency", s.currency or "not set"),
        ("Makers abroad, in the network as loaded",
         "deliver as usual" if s.assume_recipe == "none" else "need the same inputs"),
        ("Scenarios played", "; ".join(r.scenario.name for r in contents.runs) or "none"),
        ("Slack of suppliers that are left", _said(proof.parameters, "slack")),
        ("Limit of suppliers that are left", _said(proof.parameters, "limit")),
        ("Computed", contents.made_at),
        *[(f"Version of {k}", v) for k, v in proof.versions.items()],
    ]  # fmt: skip
    return make_table(
        "Settings",
        "What it takes to compute this report again.",
        pl.DataFrame(rows, schema=["what", "value"], orient="row"),
        {"what": ("What", "text", ""), "value": ("Value", "text", "")},
    )


def _said(parameters: Mapping[str, object], name: str) -> str:
    return str(parameters.get(name, "not stated"))
