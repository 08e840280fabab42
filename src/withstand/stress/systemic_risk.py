"""Economic systemic risk: what share of the whole is lost when one node fails."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from withstand.errors import UsageError
from withstand.executor import threads_or_workers
from withstand.model.findings import Finding, make_finding
from withstand.model.provenance import Provenance, provenance_of
from withstand.stress.cascade_arrays import PerNode, index_of, indices_of, prepare
from withstand.stress.cascades import EPS, Cascade, cascade, check_eps, rule_of, weights_of
from withstand.stress.closed_classes import closed_class_findings
from withstand.stress.far_failures import PRELOAD, FailureQuestion, play_far

if TYPE_CHECKING:
    import pandas as pd

    from withstand.executor import Executor
    from withstand.model.network import ProductionNetwork

Array = np.ndarray
Progress = Callable[[int, int], None]
TOL = 1e-7
"""Stop rule of the lower bound: far below the published one."""


@dataclass(frozen=True, kw_only=True, eq=False)
class SystemicRisk:
    """The economic systemic risk index (ESRI) of nodes.

    Parameters
    ----------
    network : ProductionNetwork
    nodes : ndarray of int64, shape (n_failures,)
        Which nodes failed, one at a time.
    esri, down, up : ndarray of float64, shape (n_failures,), 0 to 1
        Weighted loss of output of all nodes, the failed one included: the worse of both channels,
        for want of inputs, for want of buyers.
    iterations : ndarray of int64, shape (n_failures,)
        Rounds until no node changed by more than eps; -1 (and losses NaN) where parity goes round
        for ever.
    low, high : ndarray of float64, shape (n_failures,), or None
        The true fixed point lies between; NaN where not certified (`low` holds always).
    parameters : mapping of str to object
    """

    network: ProductionNetwork
    nodes: Array
    esri: Array
    down: Array
    up: Array
    iterations: Array
    low: Array | None
    high: Array | None
    parameters: Mapping[str, Any]
    _given: Mapping[str, PerNode | None]

    @property
    def labels(self) -> Array:
        """Labels of the nodes that failed."""
        return self.network.node_labels[self.nodes]

    @property
    def certified(self) -> float:
        """Share of nodes whose upper bound was found and checked; NaN without bounds."""
        if self.high is None or len(self.high) == 0:
            return float("nan")
        return float(np.mean(~np.isnan(self.high)))

    @cached_property
    def findings(self) -> tuple[Finding, ...]:
        """Doubts about the index: losses that cannot leave, or do not settle (found on call)."""
        prepared = prepare(self.network, self._given["revenue"], self._given["costs"])
        found = closed_class_findings(self.network, prepared)
        lost = np.flatnonzero(self.iterations < 0)
        if len(lost):
            names = ", ".join(str(label) for label in self.labels[lost[:3]])
            more = ", ..." if len(lost) > 3 else ""
            what = f"{len(lost):,} failures do not settle: {names}{more}"
            found += (make_finding("W304", what, count=len(lost)),)
        return found

    @cached_property
    def provenance(self) -> Provenance:
        """Network, parameters and versions."""
        return provenance_of("stress.esri", self.network, self.parameters)

    def to_frame(self) -> pl.DataFrame:
        """Return one row a node, in node order: label, product, region, the index and its parts."""
        network = self.network
        frame = pl.DataFrame(
            {
                "node": self.labels,
                "product": network.product_labels[network.node_product[self.nodes]],
                "region": network.region_labels[network.node_region[self.nodes]],
                "esri": self.esri,
                "down": self.down,
                "up": self.up,
                "iterations": self.iterations,
            }
        )
        if self.low is not None and self.high is not None:
            frame = frame.with_columns(
                pl.Series("low", self.low), pl.Series("high", self.high).fill_nan(None)
            )
        return frame

    def to_pandas(self) -> pd.DataFrame:
        """Return the same as a pandas frame."""
        return self.to_frame().to_pandas()

    def top(self, n: int = 10) -> pl.DataFrame:
        """Return the n nodes whose failure takes most along."""
        return (
            self.to_frame()
            .sort(["esri", "node"], descending=[True, False], nulls_last=True)
            .head(n)
        )

    def cascade_of(self, node: str) -> Cascade:
        """Return the whole cascade of one node's failure, under the same rules."""
        at = index_of(self.network, node)
        psi = np.zeros(self.network.n_nodes)
        psi[at] = 1.0
        return cascade(
            self.network,
            psi,
            eps=self.parameters["eps"],
            replaceability=self.parameters["replaceability"],
            mode=self.parameters["mode"],
            weights=self._given["weights"],
            revenue=self._given["revenue"],
            costs=self._given["costs"],
        )

    def why(self, node: str) -> pl.DataFrame:
        """Return who is hit when a node fails: by how much, through which input, in which round.

        The columns are those of `Cascade.to_frame`, what weighs most first.
        """
        return self.cascade_of(node).to_frame()

    def summary(self) -> str:
        """Return one or two sentences."""
        if len(self.esri) == 0:
            return "No node was asked for."
        if np.isnan(self.esri).all():
            return "No failure settles in parity mode."
        worst = int(np.nanargmax(self.esri))
        text = (
            f"The failure of {self.labels[worst]} takes {self.esri[worst]:.2%} of the whole along; "
            f"the median of {len(self.esri):,} nodes is {np.nanmedian(self.esri):.2%}."
        )
        if (self.iterations < 0).any():
            text += f" {(self.iterations < 0).sum():,} failures do not settle in parity mode."
        if self.high is not None:
            text += f" Bounds are certified for {self.certified:.0%} of the nodes."
        return text


def esri(
    network: ProductionNetwork,
    *,
    eps: float = EPS,
    replaceability: bool = True,
    nodes: Sequence[Any] | Array | None = None,
    weights: PerNode | None = None,
    revenue: PerNode | None = None,
    costs: PerNode | None = None,
    mode: str = "default",
    bounds: bool = False,
    tol: float | None = None,
    jobs: int | str | None = None,
    progress: Progress | None = None,
    runner: Executor | None = None,
) -> SystemicRisk:
    """Return how much of the whole each node's failure takes along.

    Every node fails alone and completely; losses travel to buyers and to suppliers by the rules of
    `cascade`, round by round, until no node changes by more than eps.

    Parameters
    ----------
    network, eps, replaceability, weights, revenue, costs, mode
        As in `cascade`.
    nodes : sequence of labels or of node numbers, optional
        Which nodes fail; default: every one.
    bounds : bool
        Also enclose the true fixed point, which the published stop rule may miss by far: `low` is
        the state at `tol`, or at most that where it would take many rounds; `high` is a state that
        one application of the rules does not raise. Where none is found the node is not certified.
    tol : float, optional
        Stop rule of the lower bound (default 1e-7).
    jobs : int or str, optional
        Threads; the numbers do not depend on it. Default: one per processor. A text stands for
        workers elsewhere, as "ray:HOST:PORT" (see `withstand.executor.executor`).
    progress : callable of (done, all), optional
    runner : Executor, optional
        Workers that are there already, in place of `jobs`.

    Returns
    -------
    SystemicRisk

    Raises
    ------
    UsageError
        If an argument is not possible.

    References
    ----------
    Diem, Borsos, Reisch, Kertész, Thurner (2022), Scientific Reports 12:7719. We differ where a
    whole market is dead: see `mode`.

    Examples
    --------
    A mill sells to two plants; its failure stops both. A plant's failure costs the mill what the
    plant buys. Only the mill has sales, so only it weighs.

    >>> import polars as pl
    >>> from withstand.readers.firms import network_from_links
    >>> nodes = pl.DataFrame({"id": ["mill", "a", "b"], "sector": ["steel", "gears", "cars"]})
    >>> links = pl.DataFrame({"supplier": ["mill", "mill"], "buyer": ["a", "b"],
    ...                       "value": [3.0, 1.0]})
    >>> risk = esri(network_from_links(nodes, links))
    >>> risk.esri, risk.iterations
    (array([1.  , 0.75, 0.25]), array([2, 2, 2]))
    """
    check_eps(eps)
    rule = rule_of(replaceability, mode)
    is_number = isinstance(jobs, int) and not isinstance(jobs, bool) and jobs >= 1
    if jobs is not None and not isinstance(jobs, str) and not is_number:
        raise UsageError(f"jobs must be a whole number of at least 1, not {jobs!r}.")
    if bounds:
        tol = TOL if tol is None else tol
        check_eps(tol, "tol")
        if mode != "default":
            raise UsageError("bounds need mode='default': parity is not monotone.")
    network = network.settled
    chosen = indices_of(network, nodes)
    question = FailureQuestion(
        network=network,
        revenue=revenue,
        costs=costs,
        weight=weights_of(network, prepare(network, revenue, costs), weights),
        eps=eps,
        rule=rule,
        n_failures=len(chosen),
        tol=tol if bounds else None,
    )
    with threads_or_workers(jobs, PRELOAD, runner) as (threads, workers):
        if workers is None:
            found, enclosed = question.play(chosen, threads, progress)
        else:
            found, enclosed = play_far(workers, question, chosen, progress)
    return SystemicRisk(
        network=network,
        nodes=chosen,
        esri=found.loss[:, 0],
        down=found.loss[:, 1],
        up=found.loss[:, 2],
        iterations=found.rounds,
        low=None if enclosed is None else enclosed.low,
        high=None if enclosed is None else enclosed.high,
        parameters={
            "eps": eps,
            "replaceability": replaceability,
            "mode": mode,
            "bounds": bounds,
            "tol": tol,
            "nodes": None if nodes is None else len(chosen),
        },
        _given={"weights": weights, "revenue": revenue, "costs": costs},
    )
