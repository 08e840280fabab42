"""What a planner must know about the programme before it trusts a plan."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from withstand.model.findings import Finding, listed, make_finding, sort_findings
from withstand.model.option_checks import idle_options
from withstand.model.scenario import LINK_TARGETS
from withstand.plan.given import forbidden

if TYPE_CHECKING:
    from collections.abc import Sequence

    from withstand.plan.problem import Problem
    from withstand.plan.solved import SolvedPlan

OF_NETWORK = ("W204", "W207", "W209")
"""Findings of a network that bear on plans: prices below cost, unlawful suppliers, cheap losses."""
NOTHING = 1e-6
"""Share of final demand that may be unmet at rest by rounding."""


def plan_findings(problem: Problem) -> tuple[Finding, ...]:
    """Return the findings about a programme, before it is solved.

    Returns
    -------
    tuple of Finding
        W204, W207, W209 of the network; W401, W402, W411, W413, W415 on options; W412, N411 on
        scenarios.
    """
    chain = problem.chain
    found = [f for f in chain.network.findings if f.code in OF_NETWORK]
    found += idle_options(chain.network, chain.options)
    late = too_late(problem)
    if late:
        last = max(problem.calendar.onsets) * problem.calendar.per_year + problem.window
        years = last / problem.calendar.per_year
        found.append(_of("W411", late, f"ready more than {years:.3g} years from now"))
    ruled_out = [o.label for m, o in enumerate(chain.options) if forbidden(chain, m)]
    if ruled_out:
        found.append(_of("W413", ruled_out, "need a supplier in a region that is not allowed"))
    sized = [
        o.label
        for m, o in enumerate(chain.options)
        if problem.decisions.limits[m] is not None and any(e.mode == "set" for e in o.effects)
    ]
    if sized:
        found.append(_of("W415", sized, "can have any size, and set an amount"))
    links = {
        s.scenario.name
        for s in problem.strikes
        if any(LINK_TARGETS & set(shock.targets) for shock in s.scenario.shocks)
    }
    if links:
        found.append(_of("W412", sorted(links), "hit links or routes"))
    if problem.is_conditional:
        found.append(make_finding("N411", "losses are for the case that one scenario strikes"))
    return tuple(sort_findings(found))


def unmet_at_rest(plan: SolvedPlan) -> tuple[Finding, ...]:
    """Return W414 if the programme misses final demand where nothing happens."""
    quiet = [k for k, s in enumerate(plan.problem.strikes) if not s.scenario.shocks]
    if not quiet or not plan.is_found:
        return ()
    network, problem = plan.network, plan.problem
    worth = float(np.nan_to_num(network.unmet_value) @ np.maximum(network.final_demand, 0.0))
    loss = float(plan.losses_before[quiet[0]]) / problem.calendar.factor(
        problem.strikes[quiet[0]].onset
    )
    if loss <= NOTHING * worth * problem.window:
        return ()
    share = loss / (worth * problem.window)
    return (make_finding("W414", f"{share:.2%} of final demand is missed at rest"),)


def too_late(problem: Problem) -> list[str]:
    """Return the options that are not in place before the last scenario is over."""
    calendar, decisions = problem.calendar, problem.decisions
    last = max(calendar.onsets) * calendar.per_year + problem.window
    late = []
    for m, option in enumerate(problem.chain.options):
        if not option.effects:
            continue
        age = option.ready_periods + min(e.from_period for e in option.effects)
        starts = [s.year * calendar.per_year for s in decisions.starts if s.option == m]
        ready = [start + age for start in starts]
        for r in problem.chain.closure(m):
            done = problem.chain.options[r].ready_periods
            others = [s.year for s in decisions.starts if s.option == r]
            ready = [max(x, min(others, default=0.0) * calendar.per_year + done) for x in ready]
        if min(ready, default=np.inf) >= last:
            late.append(option.label)
    return late


def _of(code: str, labels: Sequence[str], what: str) -> Finding:
    return make_finding(
        code,
        f"{listed(labels)} {what}",
        column="option" if code != "W412" else "scenario",
        value=labels[0],
        count=len(labels),
    )
