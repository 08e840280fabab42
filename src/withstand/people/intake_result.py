"""What an intake plan says: cost, people, moves, entrants, limits that bind and their worth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from withstand.errors import UsageError
from withstand.model.findings import listed

if TYPE_CHECKING:
    import polars as pl

    from withstand.model.findings import Finding

AIMS = {"cost": "cost", "redundancy": "redundancies", "unmet": "work left undone"}


@dataclass(frozen=True, kw_only=True, eq=False)
class Intake:
    """Who to take in, train, move and let go in each year.

    Frames have a column `scenario` if the needs have one; columns of regions likewise.

    Parameters
    ----------
    status : {"optimal", "infeasible"}
        Infeasible: the frames are empty, and `findings` and `conflict` say why.
    aim : {"cost", "redundancy", "unmet"}
    risk : {"expected", "worst", "cvar"}
    objective : float
        Of what was made small, in present value: currency, people, or person-years.
    by_scenario : DataFrame
        scenario, probability, cost (present value, currency), redundancies (people), unmet
        (person-years).
    cost : DataFrame
        scenario, year, kind, cost (currency of the year), present_value.
    stocks : DataFrame
        scenario, year, occupation, region, and people: needed, people (at the end of the year),
        recruits, graduates, moved_in, moved_out, to_training, redundancies, left, short_time,
        overtime, trainers, unmet, overmanning.
    moves : DataFrame
        scenario, year, from, to, movers (who start), arrived (and stay the year), returned, cost.
    entrants : DataFrame
        year, programme, entrants, places (null: no limit), in_training (at the end of the year),
        completed (who take up work at its beginning, before newcomers' wastage), cost.
    limits : DataFrame
        scenario, limit (in words), kind, year, used, most, unit, binds, worth (what one unit more
        would save; of a need, what one person more would cost: the objective per unit, with the
        chance of the scenario; null where not known).
    conflict : tuple of str
        Limits that contradict each other, in words.
    findings : tuple of Finding
    unit : str
        Of the objective.
    """

    status: str
    aim: str
    risk: str
    objective: float
    by_scenario: pl.DataFrame
    cost: pl.DataFrame
    stocks: pl.DataFrame
    moves: pl.DataFrame
    entrants: pl.DataFrame
    limits: pl.DataFrame
    conflict: tuple[str, ...]
    findings: tuple[Finding, ...]
    unit: str

    @property
    def is_found(self) -> bool:
        """Whether there is a plan."""
        return self.status == "optimal"

    @property
    def unmet(self) -> pl.DataFrame:
        """The rows of `stocks` in which work stays undone."""
        return self.stocks.filter(self.stocks["unmet"] > 1e-6)

    @property
    def expected_cost(self) -> float:
        """Mean cost over the scenarios, present value, currency."""
        self._must_be_found()
        chances, costs = (self.by_scenario[c].to_numpy() for c in ("probability", "cost"))
        return float(chances @ costs)

    def total(self, what: str) -> float:
        """Return the mean over scenarios of the sum of a column of `stocks`, such as "recruits".

        Raises
        ------
        UsageError
            If there is no plan, or no such column.
        """
        self._must_be_found()
        if what not in self.stocks.columns or not self.stocks[what].dtype.is_float():
            names = [c for c in self.stocks.columns if self.stocks[c].dtype.is_float()]
            raise UsageError(f"total takes one of {listed(names, 20)}, not '{what[:40]}'.")
        if "scenario" not in self.stocks.columns:
            return float(self.stocks[what].sum())
        found = 0.0
        for name, chance in self.by_scenario.select("scenario", "probability").iter_rows():
            found += chance * float(self.stocks.filter(self.stocks["scenario"] == name)[what].sum())
        return found

    def to_frame(self) -> pl.DataFrame:
        """Return the people of every occupation and year: the frame `stocks`."""
        return self.stocks

    def binding(self) -> pl.DataFrame:
        """Return the limits that hold the plan back, the most worthwhile first."""
        bound = self.limits.filter(self.limits["binds"] & (self.limits["kind"] != "need"))
        return bound.sort("worth", descending=True, nulls_last=True, maintain_order=True)

    def explain(self) -> str:
        """Return a few sentences: what is done, what it costs, what holds it back."""
        if not self.is_found:
            return "\n".join(str(f) for f in self.findings if f.severity == "error")
        risk = {"expected": "", "worst": " in the worst scenario", "cvar": " in the worst tail"}
        what = AIMS[self.aim] + (risk[self.risk] if self.by_scenario.height > 1 else "")
        lines = [f"Least {what}: {_number(self.objective)} {self.unit}."]
        if self.aim != "cost" or self.by_scenario.height > 1:
            lines.append(f"Expected cost: {_number(self.expected_cost)} currency.")
        done = {
            "recruits": "recruited",
            "redundancies": "made redundant",
            "unmet": "person-years of work left undone",
        }
        told = [(self.total(k), words) for k, words in done.items()]
        told += [(float(self.entrants["entrants"].sum()), "enter training")]
        shown = [f"{_number(x)} {words}" for x, words in told if x > 1e-6]
        if self.moves.height:
            shown += [f"{_number(x)} {words}" for x, words in self._moved()]
        if shown:
            lines.append("In all years together: " + ", ".join(shown) + ".")
        lines += self._held_back()
        return "\n".join(lines)

    def _moved(self) -> list[tuple[float, str]]:
        chance = {"": 1.0}
        if "scenario" in self.moves.columns:
            chance = dict(self.by_scenario.select("scenario", "probability").iter_rows())
        total: dict[str, float] = {}
        for row in self.moves.iter_rows(named=True):
            words = f"{row['from']} to {row['to']}"
            weight = chance[row.get("scenario", "")]
            total[words] = total.get(words, 0.0) + weight * row["movers"]
        return [(x, words) for words, x in total.items() if x > 1e-6]

    def _held_back(self) -> list[str]:
        bound = self.binding()
        if not bound.height:
            return ["No limit holds the plan back."]
        priced = bound.filter(bound["worth"] > 1e-9)
        if bound["worth"].null_count() == bound.height:
            shown = listed(bound["limit"].to_list())
            return [f"At their limit: {shown}. What one unit more is worth is not known."]
        if not priced.height:
            return ["Some limits are reached, but none of them would save anything."]
        told = [
            f"{row['limit']} (one more saves {_number(row['worth'])} {self.unit})"
            for row in priced.head(3).iter_rows(named=True)
        ]
        return ["Held back most by: " + "; ".join(told) + "."]

    def _must_be_found(self) -> None:
        if not self.is_found:
            raise UsageError(f"There is no plan: its status is '{self.status}'. See findings.")


def _number(x: float) -> str:
    """Return `1,423.7`, `842`, `0.25`."""
    if not np.isfinite(x):
        return str(x)
    digits = 0 if abs(x) >= 10_000 or abs(x - round(x)) < 5e-7 else 1 if abs(x) >= 100 else 2
    return f"{x:,.{digits}f}"
