"""One scenario of an ensemble on one engine: the row of numbers it gives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from withstand.errors import FindingsError, WithstandError
from withstand.stress.best_response import Response, respond
from withstand.stress.brackets import bracket
from withstand.stress.cascades import EPS, cascade
from withstand.stress.simulation import Simulation, simulate

if TYPE_CHECKING:
    from withstand.model.network import ProductionNetwork
    from withstand.model.scenario import Scenario
    from withstand.stress.rules import Rules

Array = np.ndarray
Row = dict[str, Any]
SCHEMA: dict[str, Any] = {
    "number": pl.Int64,
    "scenario": pl.String,
    "probability": pl.Float64,
    "loss": pl.Float64,
    "periods_lost": pl.Float64,
    "time_to_survive": pl.Int64,
    "time_to_recover": pl.Int64,
    "share_lost": pl.Float64,
    "down": pl.Float64,
    "up": pl.Float64,
    "rounds": pl.Int64,
    "best_loss": pl.Float64,
    "best_periods_lost": pl.Float64,
    "is_comparable": pl.Boolean,
    "finding": pl.String,
}
"""Columns of the outcomes; those that an engine does not give are null."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Playing:
    """How the scenarios of an ensemble are played.

    Parameters
    ----------
    engine : {"simulate", "cascade", "respond", "bracket"}
    periods : int, optional
        How long to play or to look; default: as the engine chooses.
    rules : Rules, optional
        Of the simulation.
    eps : float
        Stop rule of the cascade.
    weights : ndarray of float64, shape (n_nodes,), optional
        What a node weighs in the loss of a cascade.
    """

    engine: str
    periods: int | None = None
    rules: Rules | None = None
    eps: float = EPS
    weights: Array | None = None


def play_item(shared: tuple[ProductionNetwork, Playing], item: tuple[int, str, Scenario]) -> Row:
    """Return the row of one scenario; what goes wrong names the scenario."""
    network, how = shared
    number, name, scenario = item
    play, baseline = ENGINES[how.engine]
    try:
        outcome = play(network, scenario, how) if scenario.shocks else baseline
    except FindingsError:
        raise
    except WithstandError as error:
        raise type(error)(f"{name}: {error}") from error
    return {"number": number, "scenario": name, "probability": scenario.probability, **outcome}


def _run(network: ProductionNetwork, scenario: Scenario, how: Playing) -> Simulation:
    if how.rules is None:
        return simulate(network, scenario, periods=how.periods)
    return simulate(network, scenario, periods=how.periods, rules=how.rules)


def _simulated(network: ProductionNetwork, scenario: Scenario, how: Playing) -> Row:
    return _row_of_run(_run(network, scenario, how))


def _row_of_run(run: Simulation) -> Row:
    return {
        "loss": run.loss,
        "periods_lost": run.loss_in_periods,
        "time_to_survive": run.time_to_survive,
        "time_to_recover": run.time_to_recover,
        "finding": " ".join(sorted({f.code for f in run.findings})) or None,
    }


def _cascaded(network: ProductionNetwork, scenario: Scenario, how: Playing) -> Row:
    result = cascade(network, scenario, eps=how.eps, weights=how.weights)
    return {
        "share_lost": result.loss,
        "down": float(result.weight @ (1.0 - result.h_down)),
        "up": float(result.weight @ (1.0 - result.h_up)),
        "rounds": result.iterations,
    }


def _best(network: ProductionNetwork, scenario: Scenario, how: Playing) -> Response:
    alpha_max = 1.0 if how.rules is None else how.rules.alpha_max
    return respond(network, scenario, periods=how.periods, alpha_max=alpha_max)


def _responded(network: ProductionNetwork, scenario: Scenario, how: Playing) -> Row:
    return _row_of_best(_best(network, scenario, how))


def _row_of_best(best: Response) -> Row:
    return {
        "best_loss": best.loss,
        "best_periods_lost": best.loss_in_periods,
        "finding": " ".join(sorted({f.code for f in best.findings})) or None,
    }


def _bracketed(network: ProductionNetwork, scenario: Scenario, how: Playing) -> Row:
    run = _run(network, scenario, how)
    best = _best(network, scenario, replace(how, periods=run.n_periods))
    codes = {f.code for f in (*best.findings, *run.findings)}
    return {
        **_row_of_best(best),
        **_row_of_run(run),
        "is_comparable": bracket(best, run).is_comparable,
        "finding": " ".join(sorted(codes)) or None,
    }


_NO_RUN: Row = {"loss": 0.0, "periods_lost": 0.0, "time_to_recover": 0}
_NO_BEST: Row = {"best_loss": 0.0, "best_periods_lost": 0.0}
ENGINES: dict[str, tuple[Callable[[ProductionNetwork, Scenario, Playing], Row], Row]] = {
    "simulate": (_simulated, _NO_RUN),
    "cascade": (_cascaded, {"share_lost": 0.0, "down": 0.0, "up": 0.0, "rounds": 0}),
    "respond": (_responded, _NO_BEST),
    "bracket": (_bracketed, {**_NO_RUN, **_NO_BEST, "is_comparable": True}),
}
"""Name of an engine to its function, and to the outcome of a year in which nothing strikes."""
LOSS = {
    "simulate": "periods_lost",
    "cascade": "share_lost",
    "respond": "best_periods_lost",
    "bracket": "periods_lost",
}
"""The column that an engine's losses are judged by."""
