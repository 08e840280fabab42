"""A labour market on a transition network: who is without work where, while demand moves."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from scipy import sparse

from withstand.errors import DataError, UsageError
from withstand.model.checked_frames import checked_frame
from withstand.model.findings import Finding, listed, make_finding
from withstand.model.tables import Column, Table
from withstand.people.occupation_labels import occupation_index

if TYPE_CHECKING:
    import pandas as pd

    from withstand.people.transitions import TransitionNetwork

Array = np.ndarray
_LONG_TERM_WEEKS = 27.0

_PEOPLE = Table(
    name="people",
    meaning="Who works where at the start.",
    columns=(
        Column(name="occupation", meaning="The occupation.", type="label", required=True),
        Column(name="employed", meaning="In work.", type="number", low=0.0, required=True),
        Column(name="unemployed", meaning="Last worked here.", type="number", low=0.0),
        Column(name="vacancies", meaning="Jobs open.", type="number", low=0.0),
    ),
    key=("occupation",),
)


@dataclass(frozen=True, kw_only=True)
class MarketRates:
    """How fast a labour market turns over and adjusts; defaults as calibrated by the paper (US).

    Parameters
    ----------
    separation, opening : float, 0 to 1 per period
        delta_u, delta_v: jobs that end, and jobs that open, whatever demand does, per job.
    closing, creating : float, 0 to 1 per period
        gamma_u, gamma_v: share of the jobs above, and below, target demand that is taken back, or
        opened.
    weeks : float
        Weeks in a period. After 27 weeks people count as unemployed for long.

    Examples
    --------
    >>> MarketRates(separation=0.02).weeks
    6.75
    """

    separation: float = 0.016
    opening: float = 0.012
    closing: float = 0.16
    creating: float = 0.16
    weeks: float = 6.75

    def __post_init__(self) -> None:
        """Refuse what cannot be."""
        for name in ("separation", "opening", "closing", "creating"):
            if not 0 <= getattr(self, name) <= 1:
                raise UsageError(f"{name} = {getattr(self, name)}: a share per period, 0 to 1.")
        if not (math.isfinite(self.weeks) and self.weeks > 0):
            raise UsageError(f"weeks = {self.weeks}: a period lasts some weeks, above 0.")


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class LabourMarket:
    """Work, unemployment and vacancies in each occupation over time.

    Arrays of float64, shape (periods + 1, n), people or jobs; row 0 is the start.

    Parameters
    ----------
    occupations : tuple of str, n
    employed, unemployed, vacancies : ndarray
        Unemployed people belong to the occupation in which they last worked.
    long_unemployed : ndarray
        Those of them without work for 27 weeks or more; at the start all count as newly so.
    separated, hired : ndarray, shape (periods, n), people per period
        Who lost work in the occupation, and who took it up there.
    target : ndarray, shape (periods, n), jobs
    network : TransitionNetwork
    rates : MarketRates
    findings : tuple of Finding
    """

    occupations: tuple[str, ...]
    employed: Array
    unemployed: Array
    vacancies: Array
    long_unemployed: Array
    separated: Array
    hired: Array
    target: Array
    network: TransitionNetwork
    rates: MarketRates
    findings: tuple[Finding, ...]

    @property
    def unemployment_rate(self) -> Array:
        """Unemployed over labour force, shape (periods + 1, n); NaN where there is nobody."""
        force = self.employed + self.unemployed
        return np.where(force > 0, self.unemployed / np.where(force > 0, force, 1.0), np.nan)

    @property
    def total(self) -> pl.DataFrame:
        """Period, employed, unemployed, long_unemployed, vacancies and the rates of the whole.

        The vacancy rate is vacancies over all jobs; it and the unemployment rate trace the
        Beveridge curve.
        """
        sums = {
            "employed": self.employed.sum(axis=1),
            "unemployed": self.unemployed.sum(axis=1),
            "long_unemployed": self.long_unemployed.sum(axis=1),
            "vacancies": self.vacancies.sum(axis=1),
        }
        frame = pl.DataFrame({"period": np.arange(len(self.employed)), **sums})
        jobs, force = pl.col("employed", "vacancies"), pl.col("employed", "unemployed")
        return frame.with_columns(
            unemployment_rate=pl.col("unemployed") / pl.sum_horizontal(force),
            vacancy_rate=pl.col("vacancies") / pl.sum_horizontal(jobs),
        )

    def flows(self, period: int) -> pl.DataFrame:
        """Return from, to, people: who took up work in which occupation in a period, 1 to the last.

        Raises
        ------
        UsageError
            If there is no such period.
        """
        if not 1 <= period <= len(self.hired):
            raise UsageError(f"There is no period {period}; periods are 1 to {len(self.hired)}.")
        matrix = self.network.matrix
        share, found = _search(matrix, self.unemployed[period - 1], self.vacancies[period - 1])
        moved = share[:, None] * matrix * found[None, :]
        one, other = np.nonzero(moved)
        labels = pl.Series("from", self.occupations, dtype=pl.String)
        return pl.DataFrame(
            {"from": labels.gather(one), "to": labels.gather(other), "people": moved[one, other]}
        )

    def to_frame(self) -> pl.DataFrame:
        """Return a row for each period and occupation.

        period, occupation, employed, unemployed, long_unemployed, vacancies, unemployment_rate.
        """
        rows, n = self.employed.shape
        labels = pl.Series("occupation", self.occupations * rows, dtype=pl.String)
        return pl.DataFrame(
            {
                "period": np.repeat(np.arange(rows), n),
                "occupation": labels,
                "employed": self.employed.ravel(),
                "unemployed": self.unemployed.ravel(),
                "long_unemployed": self.long_unemployed.ravel(),
                "vacancies": self.vacancies.ravel(),
                "unemployment_rate": pl.Series(self.unemployment_rate.ravel()).fill_nan(None),
            }
        )

    def to_pandas(self) -> pd.DataFrame:
        """Return the same as a pandas frame."""
        return self.to_frame().to_pandas()

    def summary(self) -> str:
        """Return one sentence: when unemployment is highest, and how it ends."""
        rate = self.total["unemployment_rate"].to_numpy()
        top = int(np.argmax(rate))
        return (
            f"Unemployment begins at {rate[0]:.1%}, is highest in period {top} ({rate[top]:.1%}) "
            f"and ends at {rate[-1]:.1%} after {len(rate) - 1} periods."
        )

    def __repr__(self) -> str:
        """Return one line."""
        return (
            f"<LabourMarket of {len(self.occupations):,} occupations, "
            f"{len(self.hired):,} periods of {self.rates.weeks:g} weeks>"
        )


def labour_market(
    network: TransitionNetwork,
    people: pl.DataFrame,
    *,
    target: Array | None = None,
    periods: int = 100,
    rates: MarketRates | None = None,
) -> LabourMarket:
    """Play a labour market on a transition network, in expectation.

    e_i employed, u_i unemployed (by the occupation they worked in), v_i vacancies, d_i = e_i + v_i
    the jobs there are, D_i those wanted (`target`). All at the start of a period:

        separated   w_i = delta_u e_i + (1 - delta_u) min(e_i, gamma_u max(0, d_i - D_i))
        opened      o_i = delta_v e_i + (1 - delta_v) min(e_i, gamma_v max(0, D_i - d_i))
        applies     q_ij = A_ij v_j / sum_l A_il v_l      (each unemployed sends one application)
        received    s_j = sum_i u_i q_ij
        hired       f_ij = u_i q_ij p_j,  p_j = (v_j / s_j) (1 - exp(-s_j / v_j))

        e_i' = e_i - w_i + sum_j f_ji
        u_i' = u_i + w_i - sum_j f_ij
        v_i' = v_i + o_i - sum_j f_ji

    p_j follows from s_j applications falling at random on v_j vacancies, each of which takes one
    of those it gets. People who lose work, and vacancies that open, first take part in the next
    period.

    Parameters
    ----------
    network : TransitionNetwork
        A.
    people : polars.DataFrame
        occupation, employed, and unemployed, vacancies; where the last two are not given they are
        delta_u and delta_v times those employed.
    target : ndarray of float64, shape (n,) or (periods, n), jobs, optional
        In the order of the network's occupations. Default: employed + vacancies at the start.
    periods : int
    rates : MarketRates, optional

    Returns
    -------
    LabourMarket

    Raises
    ------
    UsageError
        If an occupation is unknown, or the target has another shape, is negative or not finite.
    DataError
        If `people` has faults, or lacks an occupation of the network.

    Notes
    -----
    The labour force stays as it is. Vacancies are not withdrawn: above the target, jobs go with the
    people in them. The mean of a simulation by individuals lies beside it by terms of the order of
    1 / people in an occupation: use it for occupations of hundreds, not of five. Cost: four
    products with A a period.

    References
    ----------
    del Rio-Chanona, Mealy, Beguerisse-Diaz, Lafond & Farmer (2021), Occupational mobility and
    automation: a data-driven network model, J. R. Soc. Interface 18, 20200898: their deterministic
    approximation. We let a target follow any path; theirs moves along a sigmoid (`demand_path`).

    Examples
    --------
    Two occupations that exchange people at random; 100 applications fall on 100 vacancies in each:
    1 - 1/e of them succeed.

    >>> from withstand.people.transitions import transition_network
    >>> flows = pl.DataFrame({"from": ["a", "b"], "to": ["b", "a"], "people": [1.0, 1.0]})
    >>> people = pl.DataFrame({"occupation": ["a", "b"], "employed": [900.0, 900.0],
    ...                        "unemployed": [100.0, 100.0], "vacancies": [100.0, 100.0]})
    >>> result = labour_market(transition_network(flows, stay=0.5), people, periods=1)
    >>> result.hired.round(2).tolist()
    [[63.21, 63.21]]
    >>> float((result.employed + result.unemployed).sum(axis=1).round(6)[1])
    2000.0
    """
    rates = rates or MarketRates()
    if periods < 1:
        raise UsageError(f"periods = {periods}: at least 1.")
    stock, findings = _start(network, people, rates)
    wanted = _targets(target, stock[0] + stock[2], periods)
    n = len(network.occupations)
    matrix = network.matrix
    if np.count_nonzero(matrix) < 0.1 * matrix.size:
        matrix = sparse.csr_array(matrix)  # same sums, far less to read
    employed, unemployed, vacancies, long = (np.empty((periods + 1, n)) for _ in range(4))
    separated, hired = np.empty((periods, n)), np.empty((periods, n))
    e, u, v = stock
    spells = [np.zeros(n) for _ in range(_long_after(rates.weeks))]  # by periods without work
    spells[0] = u.copy()
    for t in range(periods + 1):
        employed[t], unemployed[t], vacancies[t], long[t] = e, u, v, spells[-1]
        if t == periods:
            break
        jobs = e + v
        lost = _adjusted(e, rates.separation, rates.closing, jobs - wanted[t])
        opened = _adjusted(e, rates.opening, rates.creating, wanted[t] - jobs)
        share, found = _search(matrix, u, v)
        finds = matrix @ found  # per person who applies, times the weight of vacancies
        chance = np.where(u > 0, np.minimum(1.0, finds * share / np.where(u > 0, u, 1.0)), 0.0)
        taken = found * (matrix.T @ share)
        separated[t], hired[t] = lost, taken
        left = [spell * (1.0 - chance) for spell in spells]
        long_now = left[-1] + (left[-2] if len(left) > 1 else 0.0)
        spells = [lost, *left[:-2], long_now] if len(left) > 1 else [left[0] + lost]
        e, u, v = e - lost + taken, u * (1.0 - chance) + lost, np.maximum(0.0, v + opened - taken)
    return LabourMarket(
        occupations=network.occupations,
        employed=employed,
        unemployed=unemployed,
        vacancies=vacancies,
        long_unemployed=long,
        separated=separated,
        hired=hired,
        target=wanted,
        network=network,
        rates=rates,
        findings=tuple(findings),
    )


def _adjusted(employed: Array, rate: float, pace: float, distance: Array) -> Array:
    """Return jobs ended or opened: some whatever happens, others for the distance to the target."""
    return rate * employed + (1.0 - rate) * np.minimum(employed, pace * np.maximum(0.0, distance))


def _search(
    matrix: Array | sparse.csr_array, unemployed: Array, vacancies: Array
) -> tuple[Array, Array]:
    """Return r, m with f_ij = r_i A_ij m_j: what leads to the people hired on each way.

    r_i = u_i / sum_l A_il v_l and m_j = v_j p_j; both 0 where nobody can apply.
    """
    reach = matrix @ vacancies
    share = np.where(reach > 0, unemployed / np.where(reach > 0, reach, 1.0), 0.0)
    received = vacancies * (matrix.T @ share)
    is_open = (vacancies > 0) & (received > 0)
    crowd = np.where(is_open, received / np.where(is_open, vacancies, 1.0), 1.0)
    found = np.where(is_open, -np.expm1(-crowd) / crowd, 0.0)
    return share, vacancies * found


def _long_after(weeks: float) -> int:
    """Return in which period without work a person counts as unemployed for long, from 1."""
    return max(1, math.ceil(_LONG_TERM_WEEKS / weeks - 1e-9))


def _start(
    network: TransitionNetwork, people: pl.DataFrame, rates: MarketRates
) -> tuple[tuple[Array, Array, Array], list[Finding]]:
    """Return employed, unemployed and vacancies in the order of the network."""
    frame, findings = checked_frame(people, _PEOPLE)
    occupation_index(network.occupations, frame["occupation"].to_list())
    missing = sorted(set(network.occupations) - set(frame["occupation"]))
    if missing:
        what = f"'people' has no row for {listed(missing)}"
        raise DataError([make_finding("E102", what, column="occupation", value=missing[0])])
    order = pl.DataFrame({"occupation": list(network.occupations)})
    frame = order.join(frame, on="occupation", how="left", maintain_order="left")
    employed = frame["employed"].cast(pl.Float64).to_numpy()
    rest = []
    for name, rate in (("unemployed", rates.separation), ("vacancies", rates.opening)):
        given = frame[name].cast(pl.Float64) if name in frame.columns else None
        usual = pl.Series(rate * employed)
        rest.append((usual if given is None else given.fill_null(usual)).to_numpy())
    if employed.sum() + rest[0].sum() <= 0:
        raise UsageError("Nobody works or looks for work: 'people' holds no people.")
    return (employed, rest[0], rest[1]), findings


def _targets(target: Array | None, jobs: Array, periods: int) -> Array:
    """Return the target of each period, shape (periods, n)."""
    wanted = np.asarray(jobs if target is None else target, dtype=np.float64)
    if wanted.shape not in {(len(jobs),), (periods, len(jobs))}:
        raise UsageError(
            f"target has shape {wanted.shape}; expected ({len(jobs)},) or "
            f"({periods}, {len(jobs)}): jobs by occupation, or by period and occupation."
        )
    if not (np.isfinite(wanted) & (wanted >= 0)).all():
        raise UsageError("target must be finite and at least 0 everywhere.")
    return np.broadcast_to(wanted, (periods, len(jobs))).copy()
