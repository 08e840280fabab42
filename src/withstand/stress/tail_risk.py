"""The tail of a distribution of losses: value at risk, shortfall, exceedance, with errors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from withstand.errors import UsageError

Array = np.ndarray
YEARS = (2, 5, 10, 20, 50, 100, 200, 500, 1000)
"""Return periods of a table of losses."""
FEWEST = 2
"""Draws that a tail must hold for its standard errors to be stated."""
_ROUNDING = 1e-12
"""Sums of probabilities miss a level by this much."""


@dataclass(frozen=True, kw_only=True)
class TailRisk:
    """Mean and tail of the losses of weighted scenarios.

    Parameters
    ----------
    mean : float
        Expected loss, in the unit of the losses.
    alpha : float, 0 to below 1
        Level of the tail.
    var : float
        Value at risk: the smallest loss that is not exceeded with probability alpha.
    cvar : float
        Expected shortfall: mean of the worst 1 - alpha.
    mean_error, var_error, cvar_error : float or None
        Standard errors of a sample; None where the scenarios are no sample, and of a tail that
        holds fewer than two draws.
    scenarios : int
        Scenarios behind the numbers.
    """

    mean: float
    alpha: float
    var: float
    cvar: float
    mean_error: float | None
    var_error: float | None
    cvar_error: float | None
    scenarios: int


def tail_risk(loss: Array, weight: Array, alpha: float, *, is_sample: bool) -> TailRisk:
    """Return mean, value at risk and expected shortfall, with standard errors of a sample.

    CVaR = VaR + E[max(L - VaR, 0)] / (1 - alpha) (Rockafellar and Uryasev 2000, equation 4). Its
    standard error is that of the mean of the excess over VaR (Trindade et al. 2007); that of VaR is
    half the distance of the order statistics one binomial standard deviation above and below
    (David and Nagaraja 2003, section 7.1).

    Parameters
    ----------
    loss : ndarray of float64, shape (n_scenarios,)
    weight : ndarray of float64, shape (n_scenarios,)
        Probabilities that sum to 1.
    alpha : float, 0 to below 1
    is_sample : bool
        Whether the scenarios are draws, equally likely.

    Examples
    --------
    Four equally likely losses; the worst half is 2 and 10.

    >>> risk = tail_risk(np.array([0.0, 1.0, 2.0, 10.0]), np.full(4, 0.25), 0.5, is_sample=False)
    >>> risk.mean, risk.var, risk.cvar
    (3.25, 1.0, 6.0)
    """
    check_level(alpha)
    order = np.argsort(loss, kind="stable")
    ranked = loss[order]
    reached = np.cumsum(weight[order])
    n = len(loss)
    at = min(int(np.searchsorted(reached, alpha - _ROUNDING)), n - 1)
    var = float(ranked[at])
    excess = np.maximum(loss - var, 0.0)
    errors: tuple[float | None, float | None, float | None] = (None, None, None)
    if is_sample and n > 1:
        root = np.sqrt(n)
        errors = (float(loss.std(ddof=1) / root), None, None)
        if n * (1.0 - alpha) >= FEWEST - _ROUNDING:
            step = np.sqrt(n * alpha * (1.0 - alpha))
            low, high = (int(np.clip(round(n * alpha + s * step) - 1, 0, n - 1)) for s in (-1, 1))
            errors = (
                errors[0],
                float(ranked[high] - ranked[low]) / 2.0,
                float(excess.std(ddof=1) / root / (1.0 - alpha)),
            )
    return TailRisk(
        mean=float(weight @ loss),
        alpha=alpha,
        var=var,
        cvar=var + float(weight @ excess) / (1.0 - alpha),
        mean_error=errors[0],
        var_error=errors[1],
        cvar_error=errors[2],
        scenarios=n,
    )


def check_level(alpha: float) -> None:
    """Refuse a level that leaves no tail."""
    is_number = isinstance(alpha, int | float) and not isinstance(alpha, bool)
    if not is_number or not 0.0 <= alpha < 1.0:
        raise UsageError(f"alpha must be at least 0 and below 1, not {alpha!r}.")


def exceedance_curve(loss: Array, weight: Array, *, is_sample: bool) -> pl.DataFrame:
    """Return every loss that occurs, and the probability of a larger or equal one.

    Returns
    -------
    polars.DataFrame
        loss, probability, error (standard error of the probability; null where no sample).
    """
    frame = pl.DataFrame({"loss": loss, "probability": weight})
    grouped = frame.group_by("loss").agg(pl.col("probability").sum())
    ordered = grouped.sort("loss", descending=True)
    curve = ordered.with_columns(pl.col("probability").cum_sum().clip(0.0, 1.0)).sort("loss")
    p = pl.col("probability")
    error = (p * (1.0 - p) / len(loss)).sqrt() if is_sample else pl.lit(None, dtype=pl.Float64)
    return curve.with_columns(error.alias("error"))


def return_levels(
    loss: Array, weight: Array, years: Sequence[float] = YEARS, *, is_sample: bool
) -> pl.DataFrame:
    """Return the loss that is reached or exceeded once in so many years on average.

    Returns
    -------
    polars.DataFrame
        years, probability (1 / years), loss, error (standard error; null where no sample). Return
        periods that no more than one scenario stands for are left out.
    """
    rows = []
    rarest = float(weight.max(initial=0.0)) if is_sample else 0.0
    for period in years:
        if not period > 1.0:
            raise UsageError(f"a return period is a number of years above 1, not {period!r}.")
        if 1.0 / period <= rarest + _ROUNDING:
            continue
        risk = tail_risk(loss, weight, 1.0 - 1.0 / period, is_sample=is_sample)
        rows.append((float(period), 1.0 / period, risk.var, risk.var_error))
    schema = dict.fromkeys(("years", "probability", "loss", "error"), pl.Float64)
    return pl.DataFrame(rows, schema=schema, orient="row")


def tail_contributions(
    loss: Array, weight: Array, targets: Sequence[Sequence[str]], alpha: float
) -> pl.DataFrame:
    """Return what is hit in the tail: share of the tail's loss in scenarios that hit it.

    Shares of targets that are hit together overlap, so they may sum to more than 1.

    Returns
    -------
    polars.DataFrame
        target, share_of_tail (0 to 1), in_tail (scenarios of the tail that hit it), in_all
        (scenarios that hit it).
    """
    var = tail_risk(loss, weight, alpha, is_sample=False).var
    is_tail = (loss >= var) & (loss > 0)
    total = float(weight[is_tail] @ loss[is_tail])
    shares: dict[str, float] = {}
    in_tail: dict[str, int] = {}
    in_all: dict[str, int] = {}
    for number, hit in enumerate(targets):
        for target in set(hit):
            in_all[target] = in_all.get(target, 0) + 1
            if is_tail[number]:
                in_tail[target] = in_tail.get(target, 0) + 1
                part = float(weight[number] * loss[number]) / total
                shares[target] = shares.get(target, 0.0) + part
    frame = pl.DataFrame(
        {
            "target": list(shares),
            "share_of_tail": list(shares.values()),
            "in_tail": [in_tail[t] for t in shares],
            "in_all": [in_all[t] for t in shares],
        },
        schema={
            "target": pl.String,
            "share_of_tail": pl.Float64,
            "in_tail": pl.Int64,
            "in_all": pl.Int64,
        },
    )
    return frame.sort(["share_of_tail", "target"], descending=[True, False])
