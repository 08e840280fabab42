"""Substitution after a loss: how many days stocks and other sources bridge, and what it costs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from withstand.errors import UsageError
from withstand.model.findings import Finding, listed, make_finding, nearest, shorten

if TYPE_CHECKING:
    import pandas as pd

Array = np.ndarray
LOWEST_SIGMA = 1.5
"""Elasticities above 1 and below this count as this one, and are flagged."""


@dataclass(frozen=True, kw_only=True)
class Rerouting:
    """How other sources step in after a loss, in days.

    Parameters
    ----------
    stock_days : float
        Stocks, in days of total use.
    starts : float
        Days until the first delivery from elsewhere.
    ramp : float
        Days from then until all of it flows, growing evenly.
    share : float
        The part of the loss that others can take over in the end; 0 to 1.
    """

    stock_days: float = 0.0
    starts: float = 30.0
    ramp: float = 90.0
    share: float = 1.0

    def __post_init__(self) -> None:
        """Check what was given."""
        if not 0 <= self.share <= 1:
            raise UsageError("share must be between 0 and 1.")
        for name in ("stock_days", "starts", "ramp"):
            value = getattr(self, name)
            if not (np.isfinite(value) and value >= 0):
                raise UsageError(f"{name} must be 0 or more days.")


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Substitution:
    """What a loss of supply means, product by product.

    Parameters
    ----------
    table : polars.DataFrame
        As `to_frame` returns it.
    rerouting : Rerouting
        The default, where the table of losses says nothing else.
    horizon_days : float
    findings : tuple of Finding
    """

    table: pl.DataFrame
    rerouting: Rerouting
    horizon_days: float
    findings: tuple[Finding, ...]

    def __repr__(self) -> str:
        """Return one line."""
        return f"<Substitution of {self.table.height:,} products over {self.horizon_days:g} days>"

    def to_frame(self) -> pl.DataFrame:
        """Return one row for each product.

        Columns: product, share_lost (0 to 1), days_to_shortage (first day that is short; empty:
        none within the horizon), days_lost (days of total use that are missed within the horizon),
        sigma (elasticity after a year), substitutable (false for sigma of 1 or less, empty where
        not known), capped (sigma below 1.5 counted as 1.5), price_factor_after_a_year (of the
        bundle of all sources; empty if not substitutable or not known).
        """
        return self.table

    def to_pandas(self) -> pd.DataFrame:
        """Return the same as a pandas frame."""
        return self.table.to_pandas()


def substitution(
    losses: pl.DataFrame,
    sigma: pl.DataFrame | Mapping[str, float] | float | None = None,
    *,
    rerouting: Rerouting = Rerouting(),
    horizon_days: float = 365.0,
) -> Substitution:
    """Say how long a loss is bridged in days, and what prices do after a year.

    In days: the gap is the share lost until other sources start, then closes evenly over the ramp
    to what they cannot take over; stocks fill it until they are used up. After a year: with
    sources that are substitutes with constant elasticity sigma (CES), the price of the bundle
    rises by

        P = (1 - s)^(1 / (1 - sigma))      sigma > 1

    with s the share of spending lost. sigma of 1 or less: not substitutable, no number.
    Elasticities are estimated on annual data and say nothing about the first weeks: the days never
    use them.

    Parameters
    ----------
    losses : polars.DataFrame
        product, share_lost (0 to 1), and if they differ by product stock_days, starts, ramp, share
        (see `Rerouting`).
    sigma : polars.DataFrame, mapping, or float, optional
        Elasticities by product or by the first digits of its code (the longest that fits is
        taken): a frame with columns product and sigma, a mapping, or one for all.
    rerouting : Rerouting
    horizon_days : float

    Returns
    -------
    Substitution

    Raises
    ------
    UsageError
        If a column is missing or a number is out of range.

    References
    ----------
    Feenstra (1994), American Economic Review 84, for the price of variety; Broda and Weinstein
    (2006), Quarterly Journal of Economics 121, for elasticities.

    Examples
    --------
    Half is lost, stocks last 10 days of use, and no other source starts within a month: 10 days of
    stock bridge 20 days of a gap of one half. With sigma 3 the price rises by the root of two.

    >>> found = substitution(
    ...     pl.DataFrame({"product": ["280530"], "share_lost": [0.5]}), 3.0,
    ...     rerouting=Rerouting(stock_days=10, starts=30, ramp=0)).to_frame().row(0, named=True)
    >>> found["days_to_shortage"], found["days_lost"], round(found["price_factor_after_a_year"], 6)
    (20.0, 5.0, 1.414214)
    """
    if not (np.isfinite(horizon_days) and horizon_days > 0):
        raise UsageError("horizon_days must be above 0.")
    frame = _checked(losses, rerouting)
    lost = frame["share_lost"].to_numpy()
    shape = {c: frame[c].to_numpy() for c in ("stock_days", "starts", "ramp", "share")}
    total = missed_until(np.full(len(lost), horizon_days), lost, shape)
    days_lost = np.maximum(total - shape["stock_days"], 0.0)
    first = first_short_day(lost, shape, horizon_days)
    elasticity = _elasticities(frame["product"].to_list(), sigma)
    price, capped = price_factor(lost, elasticity)
    table = pl.DataFrame(
        {
            "product": frame["product"],
            "share_lost": lost,
            "days_to_shortage": pl.Series(first).fill_nan(None),
            "days_lost": days_lost,
            "sigma": pl.Series(elasticity).fill_nan(None),
        }
    ).with_columns(
        substitutable=pl.col("sigma") > 1,
        capped=pl.Series(capped),
        price_factor_after_a_year=pl.Series(price).fill_nan(None),
    )
    close = table.filter(pl.col("capped"))["product"].to_list()
    findings = []
    if close:
        what = f"sigma is between 1 and {LOWEST_SIGMA:g}, and counts as {LOWEST_SIGMA:g}: "
        findings.append(make_finding("W613", what + listed(close), count=len(close)))
    return Substitution(
        table=table, rerouting=rerouting, horizon_days=horizon_days, findings=tuple(findings)
    )


def price_factor(share_lost: Array, sigma: Array) -> tuple[Array, Array]:
    """Return the factor on the price of a CES bundle after a loss, and where sigma was capped.

    Parameters
    ----------
    share_lost, sigma : ndarray(float, ndim=1)
        Share of spending lost, 0 to 1; elasticity, NaN where not known.

    Returns
    -------
    ndarray(float, ndim=1), ndarray(bool, ndim=1)
        1 or more; infinite if all is lost; NaN if sigma is 1 or less, or not known.

    Examples
    --------
    >>> price_factor(np.array([0.5, 0.5, 0.5]), np.array([2.0, 1.1, 1.0]))
    (array([ 2.,  4., nan]), array([False,  True, False]))
    """
    capped = (sigma > 1) & (sigma < LOWEST_SIGMA)
    used = np.where(sigma > 1, np.maximum(sigma, LOWEST_SIGMA), np.nan)
    with np.errstate(divide="ignore"):
        return (1.0 - share_lost) ** (1.0 / (1.0 - used)), capped


def missed_until(day: Array, lost: Array, shape: Mapping[str, Array]) -> Array:
    """Return how much has been missed by a day before stocks, in days of total use.

    The integral of the gap: `lost` until `starts`, then down evenly over `ramp` to
    lost x (1 - share).
    """
    begin, ramp, share = shape["starts"], shape["ramp"], shape["share"]
    flat = lost * np.minimum(day, begin)
    inside = np.clip(day - begin, 0.0, ramp)
    with np.errstate(divide="ignore", invalid="ignore"):
        closing = np.where(ramp > 0, inside * (inside / (2 * ramp)), 0.0)
    after = np.maximum(day - begin - ramp, 0.0)
    return flat + lost * (inside - share * closing) + lost * (1 - share) * after


def first_short_day(lost: Array, shape: Mapping[str, Array], horizon: float) -> Array:
    """Return the day on which stocks are used up and something is missing; NaN if none.

    A day on which the gap closes just as stocks end is no shortage.
    """
    begin, ramp, share = shape["starts"], shape["ramp"], shape["share"]
    stock = shape["stock_days"]
    until_ramp = lost * begin
    until_end = missed_until(begin + ramp, lost, shape)
    with np.errstate(all="ignore"):  # branches that are not taken may divide by 0 or overflow
        early = stock / lost
        # inside the ramp: lost (u - share u^2 / (2 ramp)) = stock - until_ramp, the smaller root
        rest = (stock - until_ramp) / lost
        root = np.sqrt(np.maximum(1 - 2 * share * rest / ramp, 0.0))
        middle = begin + 2 * rest / (1 + root)
        late = begin + ramp + (stock - until_end) / (lost * (1 - share))
    day = np.where(stock < until_ramp, early, np.where(stock < until_end, middle, late))
    day = np.where((lost > 0) & (day < horizon), day, np.nan)
    never = (stock >= until_end) & (share >= 1)
    return np.where(never, np.nan, day)


def _checked(losses: pl.DataFrame, rerouting: Rerouting) -> pl.DataFrame:
    if not isinstance(losses, pl.DataFrame):
        raise UsageError("'losses' must be a polars DataFrame with product and share_lost.")
    for column in ("product", "share_lost"):
        if column not in losses.columns:
            near = nearest(column, losses.columns)
            hint = f" Did you mean {near}?" if near else ""
            raise UsageError(f"'losses' has no column '{column}'.{hint}")
    columns = {
        name: _as_number(losses, name).fill_null(getattr(rerouting, name))
        if name in losses.columns
        else pl.lit(float(getattr(rerouting, name))).alias(name)
        for name in ("stock_days", "starts", "ramp", "share")
    }
    frame = losses.select(
        pl.col("product").cast(pl.String), _as_number(losses, "share_lost"), *columns.values()
    )
    for name, top in (("share_lost", 1.0), ("share", 1.0), ("stock_days", np.inf),
                      ("starts", np.inf), ("ramp", np.inf)):  # fmt: skip
        values = frame[name].to_numpy()
        bad = ~((values >= 0) & (values <= top))
        if bad.any():
            product = frame["product"][int(np.flatnonzero(bad)[0])]
            between = "between 0 and 1" if top == 1 else "0 or more"
            raise UsageError(f"{name} of {shorten(product)} must be {between}.")
    return frame


def _as_number(frame: pl.DataFrame, name: str) -> pl.Expr:
    """Return a column as numbers; what is none is NaN, and is refused with what is out of range."""
    if frame[name].dtype != pl.String:
        return pl.col(name).cast(pl.Float64)
    number = pl.col(name).cast(pl.Float64, strict=False)
    return pl.when(pl.col(name).is_not_null()).then(number.fill_null(float("nan"))).alias(name)


def _elasticities(
    products: list[str], sigma: pl.DataFrame | Mapping[str, float] | float | None
) -> Array:
    """Return the elasticity of each product by the longest code that begins it."""
    if sigma is None:
        return np.full(len(products), np.nan)
    if isinstance(sigma, pl.DataFrame):
        if not {"product", "sigma"} <= set(sigma.columns):
            raise UsageError(
                "'sigma' needs columns product (a code or its first digits) and sigma."
            )
        codes = sigma["product"].cast(pl.String)
        if codes.n_unique() < sigma.height:
            raise UsageError("'sigma' has several rows for one code; choose one country first.")
        table = dict(zip(codes, sigma["sigma"], strict=True))
    elif isinstance(sigma, Mapping):
        table = {str(k): v for k, v in sigma.items()}
    else:
        table = {"": float(sigma)}
    found = []
    for product in products:
        lengths = range(len(product), -1, -1)
        code = next((product[:n] for n in lengths if product[:n] in table), None)
        value = table.get(code) if code is not None else None
        found.append(float("nan") if value is None else float(value))
    return np.array(found)
