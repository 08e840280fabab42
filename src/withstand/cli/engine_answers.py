"""How the other engines look: systemic risk, one cascade, the best answer to one scenario."""

from __future__ import annotations

from typing import Any

from withstand.cli import answers, output
from withstand.cli.stress_answers import Answer, currency_of


class RiskAnswer:
    """The systemic risk of every node, with its size beside."""

    def __init__(self, network: Any, risk: Any, table: Any) -> None:
        self._network = network
        self._risk = risk
        self._table = table

    def document(self, top: int) -> dict[str, Any]:
        """Return the riskiest nodes as JSON values."""
        return {
            "engine": "cascade",
            "summary": self._risk.summary(),
            "nodes": self._table.head(top),
            "provenance": self._risk.provenance.to_dict(),
        }

    def say(self, top: int) -> None:
        """Print the ranking."""
        output.say(self._risk.summary())
        output.say("")
        bounds = {"low": "at least", "high": "at most"} if self._risk.high is not None else {}
        output.say_table(
            f"Who takes most along (of the whole: {_whole(self._network)})",
            self._table.head(top),
            {
                "node": "node",
                "region": "region",
                "esri": "ESRI",
                **bounds,
                "size": "own size",
                "rank_by_size": "rank by size",
                "down": "by inputs",
                "up": "by buyers",
            },
            shares=["esri", "size", "down", "up", "low", "high"],
        )

    def indicators(self) -> dict[str, float]:
        """Return the largest index."""
        return {"esri": float(self._table["esri"][0])} if self._table.height else {}

    def findings(self) -> list[Any]:
        """Return nothing."""
        return []

    def runs(self) -> list[Any]:
        """Return nothing."""
        return []


class CascadeAnswer:
    """One cascade: who is hit, in which region."""

    def __init__(self, network: Any, scenario: Any, result: Any) -> None:
        self._network = network
        self._scenario = scenario
        self._result = result

    def document(self, top: int) -> dict[str, Any]:
        """Return the cascade as JSON values."""
        return {
            "engine": "cascade",
            "scenario": self._scenario.name,
            "summary": self._result.summary(),
            "share_lost": self._result.loss,
            "rounds": self._result.iterations,
            "path": self._result.path,
            "nodes": self._result.to_frame().head(top),
            "regions": self._result.by_region().head(top),
            "provenance": self._result.provenance.to_dict(),
        }

    def say(self, top: int) -> None:
        """Print who is hit hardest, and the regions."""
        import polars as pl

        output.say(f"{self._scenario.name}: {self._result.summary()}")
        output.say("")
        output.say_table(
            f"Who is hit, what weighs most first (the whole: {_whole(self._network)})",
            self._result.to_frame().head(top),
            {
                "node": "node",
                "region": "region",
                "loss": "output lost",
                "weighted": "of the whole",
                "down": "by inputs",
                "up": "by buyers",
                "input": "short input",
                "supplier": "from",
            },
            shares=["loss", "weighted", "down", "up"],
        )
        output.say_table(
            "By region",
            self._result.by_region().filter(pl.col("lost") > 0).head(top),
            {"region": "region", "lost": "of the whole", "share": "of the region"},
            shares=["lost", "share"],
        )

    def indicators(self) -> dict[str, float]:
        """Return the share that is lost."""
        return {"share_lost": self._result.loss}

    def findings(self) -> list[Any]:
        """Return nothing."""
        return []

    def runs(self) -> list[Any]:
        """Return nothing."""
        return []


class BestAnswer:
    """The best possible answer to one scenario, beside the simulation where that was asked for."""

    def __init__(self, network: Any, best: Any, run: Any | None, both: Any | None) -> None:
        self._network = network
        self._best = best
        self._run = run
        self._both = both

    def document(self, top: int) -> dict[str, Any]:
        """Return the answer as JSON values."""
        best, both = self._best, self._both
        document: dict[str, Any] = {
            "engine": "respond" if both is None else "bracket",
            "scenario": best.scenario.name,
            "summary": best.summary() if both is None else both.summary(),
            "best_loss": best.loss,
            "best_periods_lost": best.loss_in_periods,
            "timeline": best.to_frame(),
            "what_helps": best.what_helps(top),
            "provenance": best.provenance.to_dict(),
        }
        if both is not None:
            document["value_of_coordination"] = both.value_of_coordination
            document["runs"] = [answers.run_document(self._run, top)]
        return document

    def say(self, top: int) -> None:
        """Print the loss and what would help."""
        output.say(self._best.summary())
        if self._both is not None and self._run is not None:
            output.say(self._run.summary())
            output.say(self._both.summary())
        output.say("")
        helps = self._best.what_helps(top)
        if helps.height:
            currency = currency_of(self._network)
            output.say_table(
                "What would avoid loss (at the margin)",
                helps,
                {
                    "kind": "more",
                    "node": "at",
                    "product": "of",
                    "worth": f"avoids ({currency} a unit)",
                    "worth_at_rest": f"all of it ({currency})",
                },
            )

    def indicators(self) -> dict[str, float]:
        """Return the losses."""
        found = {"best_periods_lost": self._best.loss_in_periods}
        if self._run is not None:
            found |= {"periods_lost": self._run.loss_in_periods, "loss": self._run.loss}
        return found

    def findings(self) -> list[Any]:
        """Return the warnings of both."""
        return [*self._best.findings, *(self._run.findings if self._run is not None else ())]

    def runs(self) -> list[Any]:
        """Return nothing."""
        return []


def single(
    network: Any, scenario: Any, engine: str, *, periods: int | None, rules: str | None
) -> Answer:
    """Play one scenario on an engine other than simulate."""
    from withstand import workbench

    if engine == "cascade":
        return CascadeAnswer(network, scenario, workbench.cascade_of(network, scenario))
    best, run, both = workbench.best_of(
        network, scenario, beside=engine == "bracket", periods=periods, rules=rules
    )
    return BestAnswer(network, best, run, both)


def _whole(network: Any) -> str:
    return "all sales" if network.settings.lens == "firms" else "all output by value"
