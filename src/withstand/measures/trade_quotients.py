"""Quotients that turn national input coefficients into those of a region: SLQ, CILQ, FLQ, AFLQ."""

from __future__ import annotations

import numpy as np

from withstand.errors import UsageError
from withstand.model.findings import nearest, shorten

Array = np.ndarray
METHODS = ("flq", "aflq", "cilq", "slq")
DIAGONALS = ("flq", "slq")


def simple_quotients(employment: Array) -> Array:
    """Return SLQ_ri = (e_ri / e_r) / (e_i / e); 0 where a region or an industry has nobody.

    Parameters
    ----------
    employment : ndarray of float64, shape (n_regions, n_industries), people (or output)
        Of all regions, so that they add up to the nation.

    Examples
    --------
    >>> simple_quotients(np.array([[20.0, 80.0], [30.0, 370.0]])).round(3).tolist()
    [[2.0, 0.889], [0.75, 1.028]]
    """
    of_region, of_industry = employment.sum(axis=1), employment.sum(axis=0)
    expected = of_region[:, None] * of_industry[None, :]
    total = employment.sum()
    return np.divide(
        employment * total, expected, out=np.zeros_like(employment), where=expected > 0
    )


def region_size(share: Array | float, delta: float) -> Array | float:
    """Return lambda = [log2(1 + E_r / E)]^delta: 0 to 1, the larger the region the higher.

    Examples
    --------
    >>> float(region_size(1.0, 0.3)), round(float(region_size(0.1, 0.3)), 4)
    (1.0, 0.5514)
    """
    size: Array | float = np.log2(1.0 + share) ** delta
    return size


def trade_quotients(
    slq: Array, share: float, *, method: str = "flq", delta: float = 0.3, diagonal: str = "flq"
) -> Array:
    """Return the quotient of every pair of industries of one region, not yet cut at 1.

        CILQ_ij = SLQ_i / SLQ_j, on the diagonal SLQ_i
        FLQ_ij  = CILQ_ij lambda,  lambda = [log2(1 + E_r / E)]^delta
        AFLQ_ij = FLQ_ij log2(1 + SLQ_j) if SLQ_j > 1, else FLQ_ij

    Parameters
    ----------
    slq : ndarray of float64, shape (n_industries,)
        Of the region. The column of an industry that is not there is 0, for it buys nothing.
    share : float, 0 to 1
        E_r / E: the region's part of all employment.
    method : {"flq", "aflq", "cilq", "slq"}
        "slq": the row's SLQ_i, whoever buys.
    delta : float, 0 to 1
        0 is the CILQ; usual are .25 to .3.
    diagonal : {"flq", "slq"}
        Whether lambda stands on the diagonal too, as in the publications, or SLQ_i alone.

    Returns
    -------
    ndarray of float64, shape (n_industries, n_industries)
        The seller's row, the buyer's column.

    References
    ----------
    Flegg and Webber (1997), On the appropriate use of location quotients in generating regional
    input-output tables: reply, Regional Studies 31(8). Flegg and Webber (2000), Regional size,
    regional specialization and the FLQ formula, Regional Studies 34(6). Miller and Blair (2009),
    Input-Output Analysis, section 8.2.

    Examples
    --------
    >>> trade_quotients(np.array([2.0, 0.5]), 1.0, method="cilq").tolist()
    [[2.0, 4.0], [0.25, 0.5]]
    >>> trade_quotients(np.array([2.0, 0.5]), 1.0, method="aflq").round(3).tolist()
    [[3.17, 4.0], [0.396, 0.5]]
    """
    check_method(method, delta, diagonal)
    n = len(slq)
    if method == "slq":
        return np.repeat(slq[:, None], n, axis=1) * (slq > 0)[None, :]
    q = np.divide(slq[:, None], slq[None, :], out=np.zeros((n, n)), where=slq[None, :] > 0)
    on = np.arange(n)
    q[on, on] = slq
    if method == "cilq":
        return q
    q *= region_size(share, delta)
    if diagonal == "slq":
        q[on, on] = slq
    if method == "aflq":
        q *= np.where(slq > 1, np.log2(1.0 + slq), 1.0)[None, :]
    return q


def check_method(method: str, delta: float, diagonal: str) -> None:
    """Raise UsageError if a choice is not known or delta is out of range."""
    for word, given, known in (("method", method, METHODS), ("diagonal", diagonal, DIAGONALS)):
        if given not in known:
            near = nearest(str(given), known)
            hint = f" Did you mean '{near}'?" if near else ""
            raise UsageError(f"{word} = {shorten(given)}: known are {', '.join(known)}.{hint}")
    if not 0.0 <= delta <= 1.0:
        raise UsageError(f"delta = {delta}: it lies between 0 (CILQ) and 1; usual are .25 to .3.")
