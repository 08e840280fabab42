"""How simulations look: a few runs, sets of scenarios, years drawn."""

from __future__ import annotations

from typing import Any, Protocol

from withstand.cli import answers, output

ALPHAS = (0.95, 0.99)


class Answer(Protocol):
    """What was played, ready to be said."""

    def document(self, top: int) -> dict[str, Any]:
        """Return it as JSON values."""

    def say(self, top: int) -> None:
        """Print it."""

    def indicators(self) -> dict[str, float]:
        """Return the numbers that thresholds can name."""

    def findings(self) -> list[Any]:
        """Return warnings."""

    def runs(self) -> list[Any]:
        """Return the simulations that can be kept."""


class RunsAnswer:
    """A few simulations, each with all it holds."""

    def __init__(self, network: Any, runs: list[Any]) -> None:
        self._network = network
        self._runs = runs
        self._worst = max(runs, key=lambda r: r.loss_in_periods)

    def document(self, top: int) -> dict[str, Any]:
        """Return every run as JSON values."""
        return {
            "engine": "simulate",
            "runs": [answers.run_document(r, top) for r in self._runs],
            "provenance": self._worst.provenance.to_dict(),
        }

    def say(self, top: int) -> None:
        """Print the scenarios, what stops, who limited whom."""
        answers.say_runs(self._network, self._runs, self._worst, top)

    def indicators(self) -> dict[str, float]:
        """Return the losses of the worst run."""
        return {"periods_lost": self._worst.loss_in_periods, "loss": self._worst.loss}

    def findings(self) -> list[Any]:
        """Return the warnings of all runs."""
        return [f for r in self._runs for f in r.findings]

    def runs(self) -> list[Any]:
        """Return all of them."""
        return self._runs


class SetAnswer:
    """The outcomes of many scenarios, and the worst of them whole where it is known."""

    def __init__(self, network: Any, result: Any, worst: Any | None) -> None:
        self._network = network
        self._result = result
        self._worst = worst

    def document(self, top: int) -> dict[str, Any]:
        """Return the worst outcomes and the risk as JSON values."""
        result = self._result
        document: dict[str, Any] = {
            "engine": result.engine,
            "scenarios": result.outcomes.height,
            "summary": result.summary(),
            "outcomes": result.worst(top),
            "is_sample": result.is_sample,
            "risk": {
                column: [vars(result.risk(a, column)) for a in ALPHAS]
                for column in self._loss_columns()
            },
            "exceedance": result.return_levels(),
            "contributions": result.contributions().head(top),
            "runs": [answers.run_document(r, top) for r in self.runs()],
            "provenance": result.provenance.to_dict(),
        }
        return document

    def say(self, top: int) -> None:
        """Print the tables of a sample, or the scenarios, worst first."""
        if self._result.is_sample:
            self._say_sample(top)
            return
        _say_outcomes(self._network, self._result, top)
        if self._worst is None:
            output.say(self._result.summary())
        else:
            answers.say_worst(self._network, self._worst, top)

    def _say_sample(self, top: int) -> None:
        import polars as pl

        result, period = self._result, self._network.settings.period
        outcomes = result.outcomes
        calm = int((pl.Series([len(t) for t in result.targets]) == 0).sum())
        lost = int((outcomes[result.loss_column] > 0).sum())
        output.say(
            f"{outcomes.height:,} years: nothing strikes in {calm:,} of them, "
            f"something is lost in {lost:,}."
        )
        output.say("")
        unit = _unit(result.engine, period)
        is_share = result.engine == "cascade"
        output.say_table(
            "Risk of a year",
            self._risk_table(),
            {
                "measure": "",
                "value": f"lost ({unit})",
                "error": "standard error",
                **({"money": f"lost ({currency_of(self._network)})"} if self._has_money() else {}),
                **({"money_error": "standard error"} if self._has_money() else {}),
            },
            shares=["value", "error"] if is_share else [],
        )
        output.say_table(
            "What is reached once in so many years",
            result.return_levels().with_columns(pl.col("years").cast(pl.Int64)),
            {
                "years": "once in (years)",
                "probability": "chance in a year",
                "loss": f"lost ({unit}) or more",
                "error": "standard error",
            },
            shares=["probability", *(["loss", "error"] if is_share else [])],
        )
        output.say_table(
            f"What strikes in the worst {1 - ALPHAS[0]:.0%} of years",
            result.contributions().head(top),
            {
                "target": "hazard",
                "share_of_tail": "share of their loss",
                "in_tail": "strikes in these",
                "in_all": "strikes in all",
            },
            shares=["share_of_tail"],
        )

    def _risk_table(self) -> Any:
        import polars as pl

        rows = []
        for column in self._loss_columns():
            first, second = (self._result.risk(a, column) for a in ALPHAS)
            rows.append(
                [
                    (first.mean, first.mean_error),
                    *((r.var, r.var_error) for r in (first, second)),
                    *((r.cvar, r.cvar_error) for r in (first, second)),
                ]
            )
        names = ["expected loss"]
        names += [f"{kind} {a:.0%}" for kind in ("VaR", "CVaR") for a in ALPHAS]
        frame = pl.DataFrame(
            {
                "measure": names,
                "value": [v for v, _ in rows[0]],
                "error": [e for _, e in rows[0]],
            }
        )
        if self._has_money():
            frame = frame.with_columns(
                pl.Series("money", [v for v, _ in rows[1]]),
                pl.Series("money_error", [e for _, e in rows[1]]),
            )
        return frame

    def _loss_columns(self) -> list[str]:
        money = {"simulate": "loss", "bracket": "loss", "respond": "best_loss"}
        of = self._result
        return [of.loss_column, *([money[of.engine]] if self._has_money() else [])]

    def _has_money(self) -> bool:
        engine, outcomes = self._result.engine, self._result.outcomes
        money = {"simulate": "loss", "bracket": "loss", "respond": "best_loss"}.get(engine)
        return money is not None and float(outcomes[money].sum()) > 0

    def indicators(self) -> dict[str, float]:
        """Return the loss of the worst scenario; of a sample, expected loss and tail."""
        result = self._result
        risk = result.risk(ALPHAS[0])
        found = {result.loss_column: float(result.outcomes[result.loss_column].max())}
        found |= {"expected": risk.mean, "var": risk.var, "cvar": risk.cvar}
        if result.engine in ("simulate", "bracket"):
            found["loss"] = float(result.outcomes["loss"].max())
        return found

    def findings(self) -> list[Any]:
        """Return the warnings of all scenarios, equal ones counted."""
        from withstand.model.findings import make_finding

        marked = self._result.outcomes.drop_nulls("finding")
        found = []
        for code in sorted({c for text in marked["finding"] for c in text.split()}):
            own = marked.filter(marked["finding"].str.contains(code))
            what = f"{own['scenario'][0]}: {_WORDS.get(code, 'see the reference of findings')}"
            found.append(make_finding(code, what, count=own.height))
        return found

    def runs(self) -> list[Any]:
        """Return the worst one, where it was played whole."""
        return [] if self._worst is None else [self._worst]


_WORDS = {
    "W301": "no output changed in any period",
    "W212": "no node has final demand, so nothing can be lost",
}
_UNITS = {"cascade": "of the whole"}


def _unit(engine: str, period: str) -> str:
    return _UNITS.get(engine, f"{period}s of demand")


def currency_of(network: Any) -> str:
    """Return the currency of a network, for the head of a column."""
    return network.settings.currency or "currency"


def _say_outcomes(network: Any, result: Any, top: int) -> None:
    """Print the scenarios of a set, worst first."""
    period = network.settings.period
    unit = _unit(result.engine, period)
    columns = {
        "simulate": {
            "time_to_survive": f"first missed ({period}s)",
            "time_to_recover": f"met again ({period}s)",
            "periods_lost": f"lost ({unit})",
        },
        "cascade": {"share_lost": "lost of the whole", "down": "by inputs", "up": "by buyers"},
        "respond": {"best_periods_lost": f"lost at best ({unit})"},
        "bracket": {
            "best_periods_lost": f"lost at best ({unit})",
            "periods_lost": f"lost as simulated ({unit})",
        },
    }[result.engine]
    table = result.worst(top)
    if "time_to_recover" in columns:
        import polars as pl

        never = pl.col("time_to_recover") == 0
        table = table.with_columns(pl.when(~never).then("time_to_recover").alias("time_to_recover"))
    output.say_table(
        "Scenarios, worst first",
        table,
        {"scenario": "scenario", **columns},
        shares=["share_lost", "down", "up"],
    )
