"""The intake programme: who comes, moves and goes in each year, so that needs are met.

For cell c (an occupation in a region) and year t, with everything within the year:

    stock   N[c,t] = (1 - exit) N[c,t-1] + (1 - new_exit) (recruits[c,t] + graduates[c,t])
                     + success (1 - leave) movers in + (1 - success) movers back
                     - movers out - entrants out - redundancies
            graduates[c,t] = sum over programmes p of completion_p retention_p entrants[p,t-L_p]
    need    N - (1 - output) short + overtime + unmet - surplus - trainers = need
    seats   entrants[p,t] <= seats_p + places added by t;  added[p,t] <= growth_p places[p,t-1]
    short   short <= N,  overtime <= limit N,  movers <= share of N where they go

Movers of duration 0 arrive in their year, others so many years later; in between they work nowhere.
N counts everybody at the end of the year, and works the whole year: what is lost in the year is
gone, what comes is there. This is Williams' order (Model Building in Mathematical Programming,
5th ed. 2013, problem 12.5); with `new_exit_rate` and `leave` at 0 it is that of `people.project`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from withstand.people.intake_draft import Draft, Terms

if TYPE_CHECKING:
    from withstand.people.intake_problem import IntakeProblem, TotalLimit

Array = np.ndarray
COLUMN_OF = {
    "recruit": "recruits",
    "redundancy": "redundancies",
    "overmanning": "overmanning",
    "short_time": "short_time",
    "overtime": "overtime",
    "unmet": "unmet",
}
"""What each lever is counted as."""
WORDS = {
    "recruits": "recruitment of",
    "redundancies": "redundancies of",
    "overmanning": "overmanning of",
    "short_time": "short time of",
    "overtime": "overtime of",
    "unmet": "work left undone of",
    "entrants": "seats of",
    "movers": "moves",
    "places": "growth of the places of",
}


def draft_of(problem: IntakeProblem, *, is_unmet_open: bool, recruits_wait: bool) -> Draft:
    """Return columns and rows.

    Parameters
    ----------
    problem : IntakeProblem
    is_unmet_open : bool
        Let work stay undone everywhere, whatever the tables say.
    recruits_wait : bool
        Recruit once the needs are known.
    """
    draft = Draft()
    _add_columns(draft, problem, is_unmet_open=is_unmet_open, recruits_wait=recruits_wait)
    for t in range(problem.n_years):
        for c in range(len(problem.cells)):
            _add_stock(draft, problem, c, t)
            _add_need(draft, problem, c, t)
            _add_lever_limits(draft, problem, c, t)
        for p in range(len(problem.programmes)):
            _add_seats(draft, problem, p, t)
        for m in range(len(problem.moves)):
            _add_move_limits(draft, problem, m, t)
    for limit in problem.limits:
        _add_total(draft, problem, limit)
    return draft


def _add_columns(
    draft: Draft, problem: IntakeProblem, *, is_unmet_open: bool, recruits_wait: bool
) -> None:
    for t in range(problem.n_years):
        for p, programme in enumerate(problem.programmes):
            if t >= programme.first:
                draft.column("entrants", p, t, programme.cost, is_first=True)
            if t > 0 and _grows(problem, p):
                draft.column("places", p, t, programme.seat_cost, is_first=True)
        for c in range(len(problem.cells)):
            draft.column("people", c, t, problem.staff_cost[c], is_first=False)
            for name, lever in problem.levers.items():
                if lever.is_open[c] or (name == "unmet" and is_unmet_open):
                    is_first = name == "recruit" and not recruits_wait
                    cost = float(lever.cost[c])
                    draft.column(COLUMN_OF[name], c, t, cost, is_first=is_first)
        for m, move in enumerate(problem.moves):
            draft.column("movers", m, t, move.cost, is_first=False)


def _grows(problem: IntakeProblem, p: int) -> bool:
    programme = problem.programmes[p]
    return programme.growth > 0 and programme.seats < np.inf


def _add_stock(draft: Draft, problem: IntakeProblem, c: int, t: int) -> None:
    """Add who is there at the end of a year."""
    stays, stays_new = 1.0 - problem.exit_rate[c], 1.0 - problem.new_exit_rate[c]
    terms: Terms = draft.terms("people", c, t)
    terms += draft.terms("people", c, t - 1, -stays)
    terms += draft.terms("recruits", c, t, -stays_new)
    terms += draft.terms("redundancies", c, t)
    known = stays * problem.people[c] if t == 0 else 0.0
    for p, programme in enumerate(problem.programmes):
        if programme.cell == c:
            terms += draft.terms("entrants", p, t - programme.length, -stays_new * programme.yields)
            known += stays_new * programme.yields * problem.in_training[p, t]
        if programme.source == c:
            terms += draft.terms("entrants", p, t)
    for m in problem.moves_at[c]:
        move = problem.moves[m]
        if move.end == c:
            terms += draft.terms("movers", m, t - move.length, -move.arrives)
        if move.start == c:
            terms += draft.terms("movers", m, t)
            terms += draft.terms("movers", m, t - move.length, -(1.0 - move.success))
    draft.equal("stock", "", _added(terms), known, c, t)


def _added(terms: Terms) -> Terms:
    """Return terms with one coefficient a column."""
    total: dict[int, float] = {}
    for column, weight in terms:
        total[column] = total.get(column, 0.0) + weight
    return list(total.items())


def trainers(problem: IntakeProblem, draft: Draft, c: int, t: int) -> tuple[Terms, float]:
    """Return trainers of a cell who teach in a year: columns, and those for who is in already."""
    terms: Terms = []
    given = 0.0
    for p, programme in enumerate(problem.programmes):
        if programme.trainer == c and programme.trainers > 0:
            for since in range(programme.length):
                terms += draft.terms("entrants", p, t - since, programme.trainers)
            given += programme.trainers * float(problem.in_training[p, t + 1 :].sum())
    return terms, given


def _add_need(draft: Draft, problem: IntakeProblem, c: int, t: int) -> None:
    terms: Terms = draft.terms("people", c, t)
    terms += draft.terms("short_time", c, t, -(1.0 - problem.short_output[c]))
    terms += draft.terms("overtime", c, t)
    terms += draft.terms("unmet", c, t)
    terms += draft.terms("overmanning", c, t, -1.0)
    teaching, given = trainers(problem, draft, c, t)
    terms += [(column, -weight) for column, weight in teaching]
    words = f"the need for {problem.cell_name(c)} in {problem.year(t)}"
    draft.equal("need", words, _added(terms), given, c, t)


def _add_lever_limits(draft: Draft, problem: IntakeProblem, c: int, t: int) -> None:
    name, year = problem.cell_name(c), problem.year(t)
    people = draft.terms("people", c, t)
    short = draft.terms("short_time", c, t)
    if short:
        draft.limit("short_time", "", short, 0.0, raised_by=people, subject=c, year=t)
    for lever_name, lever in problem.levers.items():
        kind = COLUMN_OF[lever_name]
        words = f"{WORDS[kind]} {name} in {year}"
        used = draft.terms(kind, c, t)
        if kind == "overtime":
            if np.isfinite(lever.limit[c]):
                more = [(column, float(lever.limit[c])) for column, _ in people]
                draft.limit(kind, words, used, 0.0, raised_by=more, subject=c, year=t)
        elif lever.is_open[c]:
            draft.limit(kind, words, used, float(lever.limit[c]), subject=c, year=t)


def _add_seats(draft: Draft, problem: IntakeProblem, p: int, t: int) -> None:
    programme, year = problem.programmes[p], problem.year(t)
    added: Terms = []
    for earlier in range(1, t + 1):
        added += draft.terms("places", p, earlier)
    words = f"{WORDS['entrants']} {programme.label} in {year}"
    entrants = draft.terms("entrants", p, t)
    draft.limit("entrants", words, entrants, programme.seats, raised_by=added, subject=p, year=t)
    new = draft.terms("places", p, t)
    if new:
        more = [(column, programme.growth * w) for column, w in added if (column, w) not in new]
        words = f"{WORDS['places']} {programme.label} in {year}"
        draft.limit(
            "places", words, new, programme.growth * programme.seats,
            raised_by=more, subject=p, year=t, unit="places",
        )  # fmt: skip


def _add_move_limits(draft: Draft, problem: IntakeProblem, m: int, t: int) -> None:
    move, year = problem.moves[m], problem.year(t)
    used = draft.terms("movers", m, t)
    words = f"{WORDS['movers']} {problem.move_name(m)} in {year}"
    draft.limit("movers", words, used, move.limit, subject=m, year=t)
    if np.isfinite(move.limit_share):
        there = draft.terms("people", move.end, t, move.limit_share)
        words = f"{words}, as a share of those there"
        draft.limit("movers", words, used, 0.0, raised_by=there, subject=m, year=t)


def _add_total(draft: Draft, problem: IntakeProblem, limit: TotalLimit) -> None:
    years = range(problem.n_years) if limit.year < 0 else [limit.year]
    groups = [tuple(years)] if limit.is_in_all else [(t,) for t in years]
    for group in groups:
        used: Terms = []
        for at, column in enumerate(draft.columns):
            if column.year in group:
                weight = _counts(problem, limit, column.kind, column.subject, column.cost)
                if weight > 0:
                    used.append((at, weight))
        draft.limit(
            limit.what,
            _total_words(problem, limit, group),
            used,
            limit.limit,
            year=group[0] if len(group) == 1 else -1,
            unit="currency" if limit.what == "cost" else "people",
        )


def _counts(problem: IntakeProblem, limit: TotalLimit, kind: str, at: int, cost: float) -> float:
    """Return how much a unit of a column counts towards a limit of a total."""
    if limit.what == "cost":
        return cost
    if limit.what != kind:
        return 0.0
    if kind == "entrants":
        if limit.programme >= 0:
            return float(at == limit.programme)
        return float(problem.programmes[at].cell in limit.cells)
    cell = problem.moves[at].end if kind == "movers" else at
    return float(cell in limit.cells)


def _total_words(problem: IntakeProblem, limit: TotalLimit, group: tuple[int, ...]) -> str:
    what = {"cost": "cost", "movers": "moves", "entrants": "entrants"}.get(limit.what, limit.what)
    where = ""
    if limit.programme >= 0:
        where = f" of {problem.programmes[limit.programme].label}"
    elif len(limit.cells) < len(problem.cells):
        where = " of " + ", ".join(problem.cell_name(c) for c in limit.cells[:5])
    years = f"in {problem.year(group[0])}"
    if len(group) > 1:
        years = f"from {problem.year(group[0])} to {problem.year(group[-1])}"
    return f"the limit of all {what.replace('_', ' ')}{where} {years}"
