"""From the values of an intake programme to frames that people read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from withstand.people.intake_programme import trainers

if TYPE_CHECKING:
    from withstand.people.intake_draft import Draft, Row, Staged
    from withstand.people.intake_problem import IntakeProblem
    from withstand.people.intake_solving import Solved

Array = np.ndarray
COST_KINDS = {
    "people": "staff",
    "recruits": "recruitment",
    "entrants": "training",
    "places": "new places",
    "movers": "moves",
    "redundancies": "redundancy",
    "overmanning": "overmanning",
    "short_time": "short time",
    "overtime": "overtime",
    "unmet": "work left undone",
}
PLACE = {"scenario": pl.String, "year": pl.Int64}
COST = {**PLACE, "kind": pl.String, "cost": pl.Float64, "present_value": pl.Float64}
PEOPLE = (
    "needed",
    "people",
    "recruits",
    "graduates",
    "moved_in",
    "moved_out",
    "to_training",
    "redundancies",
    "left",
    "short_time",
    "overtime",
    "trainers",
    "unmet",
    "overmanning",
)
STOCKS = {
    **PLACE,
    "occupation": pl.String,
    "region": pl.String,
    **dict.fromkeys(PEOPLE, pl.Float64),
}
MOVES = {
    **PLACE,
    "from": pl.String,
    "to": pl.String,
    "region": pl.String,
    "to_region": pl.String,
    **dict.fromkeys(("movers", "arrived", "returned", "cost"), pl.Float64),
}
ENTRANTS = {
    "year": pl.Int64,
    "programme": pl.String,
    **dict.fromkeys(("entrants", "places", "in_training", "completed", "cost"), pl.Float64),
}
LIMITS = {
    "scenario": pl.String,
    "limit": pl.String,
    "kind": pl.String,
    "year": pl.Int64,
    "used": pl.Float64,
    "most": pl.Float64,
    "unit": pl.String,
    "binds": pl.Boolean,
    "worth": pl.Float64,
}
BY_SCENARIO = {
    "scenario": pl.String,
    **dict.fromkeys(("probability", "cost", "redundancies", "unmet"), pl.Float64),
}
CLOSE = 1e-6
"""A limit binds if it is used up to this share."""


class Reading:
    """One solved programme, read value by value.

    Parameters
    ----------
    problem : IntakeProblem
    draft : Draft
    values : ndarray of float64, shape (scenarios, columns)
    discount : float, per year
    """

    def __init__(
        self, problem: IntakeProblem, draft: Draft, values: Array, discount: float
    ) -> None:
        self.problem, self.draft, self.values = problem, draft, values
        self.factor = (1.0 + discount) ** -np.arange(problem.n_years)

    def value(self, s: int, kind: str, subject: int, t: int) -> float:
        """Return a value, 0 where there is no such variable."""
        at = self.draft.at(kind, subject, t)
        return 0.0 if at is None else float(self.values[s, at])

    def cost(self) -> pl.DataFrame:
        """Return what each kind of thing costs in each year."""
        total: dict[tuple[str, int, str], float] = {}
        for s, name in enumerate(self.problem.scenarios):
            for at, column in enumerate(self.draft.columns):
                if column.cost:
                    key = (name, column.year, COST_KINDS[column.kind])
                    total[key] = total.get(key, 0.0) + column.cost * self.values[s, at]
        kinds = list(COST_KINDS.values())
        place = {name: s for s, name in enumerate(self.problem.scenarios)}
        order = sorted(total, key=lambda k: (place[k[0]], k[1], kinds.index(k[2])))
        rows = [
            (name, self.problem.year(t), kind, total[name, t, kind],
             total[name, t, kind] * self.factor[t])
            for name, t, kind in order
        ]  # fmt: skip
        return self._frame(rows, COST)

    def stocks(self) -> pl.DataFrame:
        """Return who is where in each year, and how they came and went."""
        problem = self.problem
        rows = [
            (
                name,
                problem.year(t),
                *problem.cells[c],
                *self._people(s, c, t).values(),
            )
            for s, name in enumerate(problem.scenarios)
            for t in range(problem.n_years)
            for c in range(len(problem.cells))
        ]
        return self._frame(rows, STOCKS)

    def _people(self, s: int, c: int, t: int) -> dict[str, float]:
        """Return the columns of PEOPLE, in their order."""
        problem = self.problem
        before = problem.people[c] if t == 0 else self.value(s, "people", c, t - 1)
        moves = [(m, problem.moves[m]) for m in problem.moves_at[c]]
        recruits = self.value(s, "recruits", c, t)
        graduates = sum(
            self._completed(s, p, t) for p, x in enumerate(problem.programmes) if x.cell == c
        )
        moved_in = sum(
            self.value(s, "movers", m, t - x.length)
            * (x.arrives * (x.end == c) + (1.0 - x.success) * (x.start == c))
            for m, x in moves
        )
        moved_out = sum(self.value(s, "movers", m, t) for m, x in moves if x.start == c)
        entering = sum(
            self.value(s, "entrants", p, t)
            for p, x in enumerate(problem.programmes)
            if x.source == c
        )
        terms, given = trainers(problem, self.draft, c, t)
        left = problem.exit_rate[c] * before
        left += problem.new_exit_rate[c] * (recruits + graduates)
        return {
            "needed": float(problem.needs[s, c, t]),
            "people": self.value(s, "people", c, t),
            "recruits": recruits,
            "graduates": graduates,
            "moved_in": moved_in,
            "moved_out": moved_out,
            "to_training": entering,
            "redundancies": self.value(s, "redundancies", c, t),
            "left": float(left),
            "short_time": self.value(s, "short_time", c, t),
            "overtime": self.value(s, "overtime", c, t),
            "trainers": given + sum(w * float(self.values[s, at]) for at, w in terms),
            "unmet": self.value(s, "unmet", c, t),
            "overmanning": self.value(s, "overmanning", c, t),
        }

    def _completed(self, s: int, p: int, t: int) -> float:
        programme = self.problem.programmes[p]
        entered = self.value(s, "entrants", p, t - programme.length)
        return programme.yields * (entered + float(self.problem.in_training[p, t]))

    def moves(self) -> pl.DataFrame:
        """Return who moved, where something can move."""
        problem = self.problem
        rows = []
        for s, name in enumerate(problem.scenarios):
            for t in range(problem.n_years):
                for m, move in enumerate(problem.moves):
                    (start, region), (end, to_region) = (
                        problem.cells[move.start],
                        problem.cells[move.end],
                    )
                    movers = self.value(s, "movers", m, t)
                    earlier = self.value(s, "movers", m, t - move.length)
                    arrived, back = earlier * move.arrives, earlier * (1.0 - move.success)
                    rows.append(
                        (name, problem.year(t), start, end, region, to_region,
                         movers, arrived, back, movers * move.cost)
                    )  # fmt: skip
        return self._frame(rows, MOVES)

    def entrants(self) -> pl.DataFrame:
        """Return who enters which programme in each year."""
        problem = self.problem
        rows = []
        for t in range(problem.n_years):
            for p, programme in enumerate(problem.programmes):
                entered = self.value(0, "entrants", p, t)
                inside = float(problem.in_training[p, t + 1 :].sum())
                inside += sum(
                    self.value(0, "entrants", p, t - since) for since in range(programme.length)
                )
                added = [self.value(0, "places", p, x) for x in range(1, t + 1)]
                places = programme.seats + sum(added) if np.isfinite(programme.seats) else None
                cost = entered * programme.cost
                cost += self.value(0, "places", p, t) * programme.seat_cost
                rows.append((problem.year(t), programme.label, entered, places, inside,
                             self._completed(0, p, t), cost))  # fmt: skip
        return self._frame(rows, ENTRANTS)

    def limits(self, stages: Staged, duals: Array | None) -> pl.DataFrame:
        """Return every limit and every need, what is used of it, and what one more is worth."""
        first = set(stages.first_rows.tolist())
        rows = []
        for s, name in enumerate(self.problem.scenarios):
            for k, row in enumerate(stages.rows):
                if row.words and (s == 0 or k not in first):
                    used, most = self._use(s, row)
                    binds = abs(most - used) <= CLOSE * max(1.0, abs(most))
                    worth = None if duals is None else float(duals[s, k])
                    if worth is not None:
                        worth = (worth if row.kind == "need" else -worth) + 0.0
                    year = None if row.year < 0 else self.problem.year(row.year)
                    label = None if k in first else name
                    rows.append(
                        (label, row.words, row.kind, year, used, most, row.unit, binds, worth)
                    )
        return self._frame(rows, LIMITS)

    def _use(self, s: int, row: Row) -> tuple[float, float]:
        values = self.values[s]
        if row.kind == "need":  # met by what is there, beyond it is overmanning
            beyond = self.value(s, "overmanning", row.subject, row.year)
            most = float(self.problem.needs[s, row.subject, row.year])
            return most - self.value(s, "unmet", row.subject, row.year) + beyond, most
        used = sum(w * float(values[c]) for c, w in row.terms[: row.used])
        return used, row.high - sum(w * float(values[c]) for c, w in row.terms[row.used :])

    def by_scenario(self) -> pl.DataFrame:
        """Return what each scenario comes to."""
        rows = []
        for s, name in enumerate(self.problem.scenarios):
            totals = dict.fromkeys(("cost", "redundancies", "unmet"), 0.0)
            for at, column in enumerate(self.draft.columns):
                value = float(self.values[s, at])
                totals["cost"] += column.cost * value * float(self.factor[column.year])
                if column.kind in totals:
                    totals[column.kind] += value
            rows.append((name, float(self.problem.probability[s]), *totals.values()))
        return self._frame(rows, BY_SCENARIO)

    def _frame(self, rows: list[tuple[Any, ...]], schema: dict[str, Any]) -> pl.DataFrame:
        return shown(pl.DataFrame(rows, schema=schema, orient="row"), self.problem)


def shown(frame: pl.DataFrame, problem: IntakeProblem) -> pl.DataFrame:
    """Return a frame without the columns that say nothing: no scenarios, no regions."""
    idle = [] if problem.scenarios != ("",) else ["scenario"]
    if not any(region for _, region in problem.cells):
        idle += ["region", "to_region"]
    return frame.drop([c for c in idle if c in frame.columns])


def frames_of(
    problem: IntakeProblem, draft: Draft, stages: Staged, solved: Solved, discount: float
) -> dict[str, pl.DataFrame]:
    """Return the frames of a result, empty ones if nothing was found."""
    schemas: dict[str, dict[str, Any]] = {
        "by_scenario": BY_SCENARIO, "cost": COST, "stocks": STOCKS,
        "moves": MOVES, "entrants": ENTRANTS, "limits": LIMITS,
    }  # fmt: skip
    if not len(solved.values):
        return {name: shown(pl.DataFrame(schema=x), problem) for name, x in schemas.items()}
    reading = Reading(problem, draft, solved.values, discount)
    return {
        "by_scenario": reading.by_scenario(),
        "cost": reading.cost(),
        "stocks": reading.stocks(),
        "moves": reading.moves(),
        "entrants": reading.entrants(),
        "limits": reading.limits(stages, solved.duals),
    }
