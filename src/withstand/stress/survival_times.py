"""Time to survive and time to recover of every node: who is out longer than the rest can last."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from withstand.errors import UsageError
from withstand.executor import executor
from withstand.model.findings import Finding, nearest
from withstand.model.provenance import Provenance, provenance_of
from withstand.model.units import periods_of
from withstand.stress.affected_nodes import Reach
from withstand.stress.best_response import Loss, no_demand, weights
from withstand.stress.first_shortages import WAY, first_shortage
from withstand.stress.pooled_stocks import chain_time
from withstand.stress.response_programme import Parts, parts_of
from withstand.stress.steady_response import SteadyProgramme

if TYPE_CHECKING:
    import pandas as pd

    from withstand.model.network import ProductionNetwork

Array = np.ndarray
Recovery = str | float | Mapping[str, float | str]
KINDS = ("node", "region", "product", "site", "company")
MOST_APART = 1_500
"""Failures that touch more nodes than this share one programme of the whole network."""
CHUNK = 100
"""Failures per job; fixed, so that the numbers do not depend on the number of workers."""
TOLERANCE = 1e-9
NOT_NEEDED, CHAIN, PART, WHOLE = "not needed", "closed form", "programme", "whole programme"


@dataclass(frozen=True, kw_only=True, eq=False)
class Survival:
    """How long final demand is met without each node (or region ...), and what its failure costs.

    Parameters
    ----------
    network : ProductionNetwork
    kind : {"node", "region", "product", "site", "company"}
        What fails together.
    labels : ndarray of str, shape (n,)
    members : tuple of ndarray of int64
        Nodes that fail together, per label.
    tts : ndarray of float64, shape (n,), periods
        Time to survive: from the failure until final demand can no longer be met in full, whatever
        is done; infinite where the others can replace it, or nobody needs it. Goods under way when
        it fails count.
    ttr : ndarray of float64, shape (n,), periods
        Time to recover, as given; NaN where not known.
    lag : ndarray of float64, shape (n,), periods
        Least time from its output to final demand: lead times on the way.
    pi : ndarray of float64, shape (n,), currency
        Performance impact: least loss of final demand until its recovered output can arrive, that
        is in ttr + lag periods. NaN where ttr is not known.
    rei : ndarray of float64, shape (n,), 0 to 1
        Risk exposure index: pi over the largest pi.
    how : tuple of str
        How each was found: "not needed", "closed form", "programme", "whole programme".
    findings : tuple of Finding
    provenance : Provenance
    """

    network: ProductionNetwork
    kind: str
    labels: Array
    members: tuple[Array, ...]
    tts: Array
    ttr: Array
    lag: Array
    pi: Array
    rei: Array
    how: tuple[str, ...]
    findings: tuple[Finding, ...]
    provenance: Provenance
    _parts: Parts

    @property
    def gap(self) -> Array:
        """Periods of final demand that suffer, ttr + lag - tts, at least 0; shape (n,).

        What is under way bridges the lag before the failure is felt, and has to come anew after
        recovery, so the lag stands on both sides.
        """
        gap = np.maximum(self.ttr + self.lag - self.tts, 0.0)
        return np.where(gap > TOLERANCE, gap, np.where(np.isnan(gap), np.nan, 0.0))

    @property
    def is_exposed(self) -> Array:
        """Where it is out for longer than the rest can last; bool, shape (n,)."""
        return self.gap > 0

    def to_frame(self) -> pl.DataFrame:
        """Return one row a label: tts, ttr, lag, gap (periods), exposed, pi (currency), rei, how.

        Nodes have product and region, other kinds the number of nodes.
        """
        network, labels = self.network, self.labels
        about: dict[str, object] = {self.kind: labels}
        if self.kind == "node":
            nodes = np.array([m[0] for m in self.members], dtype=np.int64)
            about["product"] = network.product_labels[network.node_product[nodes]]
            about["region"] = network.region_labels[network.node_region[nodes]]
        else:
            about["nodes"] = [len(m) for m in self.members]
        return pl.DataFrame(
            {
                **about,
                "tts": self.tts,
                "ttr": self.ttr,
                "lag": self.lag,
                "gap": self.gap,
                "exposed": self.is_exposed,
                "pi": self.pi,
                "rei": self.rei,
                "how": list(self.how),
            }
        )

    def to_pandas(self) -> pd.DataFrame:
        """Return the same as a pandas frame."""
        return self.to_frame().to_pandas()

    def top(self, n: int = 20) -> pl.DataFrame:
        """Return the rows with the largest impact; where none is known, the shortest times."""
        by_size = pl.col("pi").fill_nan(None).fill_null(0.0)
        return self.to_frame().sort([-by_size, "tts", self.kind]).head(n)

    def why(self, label: str) -> pl.DataFrame:
        """Return what stops first, and which stocks carried it until then.

        The way from the failure to the final demand it reaches first, if all others kept on as at
        rest: each buyer lives on what is under way (`lead`), then on its stock (`cover`), and then
        falls short. Where tts is longer than the last `short_after`, other suppliers or stocks
        shared among branches make the difference.

        Returns
        -------
        polars.DataFrame
            step, node, input, supplier, lead (periods), stock (input units), cover (periods),
            short_after (periods since the failure). Empty where final demand is not reached.
        """
        index = {str(x): k for k, x in enumerate(self.labels)}
        if label not in index:
            near = nearest(label, list(index))
            raise UsageError(
                f"There is no {self.kind} '{label[:60]}' here."
                + (f" Did you mean {near}?" if near else "")
            )
        rows = first_shortage(self.network, self._parts, self.members[index[label]])
        return pl.DataFrame(rows, schema=WAY, orient="row")

    def summary(self) -> str:
        """Return two sentences: how many are exposed, and the worst."""
        period = self.network.settings.period
        n, known = len(self.labels), ~np.isnan(self.ttr)
        lasting = int(np.isinf(self.tts).sum())
        text = f"{lasting:,} of {n:,} {self.kind}s can fail for ever without loss of final demand"
        if not known.any():
            return f"{text}; how long they take to recover is not known."
        text += f", {int(self.is_exposed.sum()):,} are out for longer than the rest can last"
        if self.is_exposed.any():
            worst = int(np.nanargmax(self.pi))
            text += (
                f". The worst is {self.labels[worst]}: the rest lasts {self.tts[worst]:.1f} "
                f"{period}s, and {self.gap[worst]:.1f} {period}s suffer"
            )
        return f"{text}."

    def __repr__(self) -> str:
        """Return the summary."""
        return f"<Survival: {self.summary()}>"


def survival(
    network: ProductionNetwork,
    *,
    nodes: Sequence[str] | None = None,
    kind: str = "node",
    recovery: Recovery | None = None,
    loss: Loss = "value",
    reroute: bool = False,
    divert: bool = False,
    alpha_max: float = 1.0,
    jobs: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Survival:
    """Say how long final demand lasts without each node, and what its failure costs at best.

    For each failure a linear programme of totals over the window, with the best use of stocks,
    goods under way and the capacity of others (`withstand.stress.steady_response` states it);
    where nothing is left to choose, its closed form. The totals are optimistic about timing: with
    the same freedom (`divert=True`, the same `reroute`) `respond`, period by period, never lasts
    longer and never loses less, and a simulation does worse still.

    Parameters
    ----------
    network : ProductionNetwork
    nodes : sequence of str, optional
        Labels (of the kind) to look at; default: all.
    kind : {"node", "region", "product", "site", "company"}
        What fails together.
    recovery : str, float or mapping of label to these, optional
        Time to recover ("12w", or periods). Default: the nodes' recovery_periods; the longest
        counts where several fail together.
    loss, alpha_max
        As in `respond`.
    reroute : bool
        Whether every maker of a product may serve every buyer of it. The default is no: a time to
        survive should not rest on a supplier the buyer has never bought from. A link with share 0
        states a supplier that is qualified and not used.
    divert : bool
        Whether goods may be taken from buyers that the failure does not reach, as far as their
        stocks allow. The default is no: contracts are kept. Yes is slow on large networks where
        many products have several makers, since then every node can help every other.
    jobs : int, optional
        Worker processes; -1: one a core. The numbers do not depend on it.
    progress : callable, optional
        Called with (failures done, all failures).

    Returns
    -------
    Survival

    Raises
    ------
    UsageError
        If a label, a kind or another argument is not possible.

    References
    ----------
    Simchi-Levi et al. (2015), Interfaces 45(5):375-390.

    Examples
    --------
    The stock of steel lasts three weeks and four more are under way from Japan; meanwhile the home
    mill makes half as much again: 120 t = 360 + 4 x 96 + 24 + 36 (t - 1) at t = 8.71.

    >>> import polars as pl
    >>> from withstand.examples import tiny
    >>> result = survival(tiny(), recovery="12w")
    >>> rounded = result.to_frame().with_columns(pl.col("tts", "gap").round(2))
    >>> rounded["node", "tts", "gap", "pi"].rows()[1]
    ('STEEL@JP', 8.71, 7.29, 17850.0)
    >>> result.why("STEEL@JP")["node", "cover", "short_after"].rows()
    [('STEEL@JP', None, 0.0), ('GEAR@HOME', 3.75, 7.75)]
    """
    weight = weights(network, loss)
    if not (np.isfinite(alpha_max) and alpha_max >= 1.0):
        raise UsageError(f"alpha_max must be at least 1, not {alpha_max}.")
    labels, members = _members(network, kind, nodes)
    ttr = _recovery(network, labels, members, recovery, kind)
    rest = float(np.maximum(network.final_demand, 0.0) @ weight)
    parts = parts_of(network, alpha_max=alpha_max, reroute=reroute)
    position = np.full(network.n_nodes, -1, np.int64)
    position[parts.nodes] = np.arange(len(parts.nodes))
    used = position.copy()
    used[network.output <= 0] = -1  # idle: nothing changes without it
    failures = [used[m][used[m] >= 0].tolist() for m in members]
    work = _Work(parts, weight[parts.nodes] / (rest or 1.0), divert)
    items = [(f, r) for f, r in zip(failures, ttr.tolist(), strict=True)]
    found = _run(work, items, jobs, progress)
    tts, lag, share = (np.array([row[k] for row in found], np.float64) for k in range(3))
    pi = np.where(np.isnan(ttr), np.nan, share * rest)
    largest = np.nanmax(pi) if (pi > 0).any() else 0.0
    return Survival(
        network=network,
        kind=kind,
        labels=labels,
        members=members,
        tts=tts,
        ttr=ttr,
        lag=lag,
        pi=pi,
        rei=pi / largest if largest > 0 else pi.copy(),
        how=tuple(row[3] for row in found),
        findings=no_demand(network),
        provenance=provenance_of(
            "stress.survival",
            network,
            {
                "kind": kind,
                "nodes": None if nodes is None else list(nodes),
                "recovery": dict(recovery) if isinstance(recovery, Mapping) else recovery,
                "loss": loss if isinstance(loss, str) else "given",
                "reroute": reroute,
                "divert": divert,
                "alpha_max": alpha_max,
            },
        ),
        _parts=parts,
    )


Item = tuple[list[int], float]
Found = tuple[float, float, float, str]


class _Work:
    """What every job shares: the parts of the network, made into lists where they are used."""

    def __init__(self, parts: Parts, weight: Array, divert: bool) -> None:
        self.parts = parts
        self.divert = divert
        self.weight = weight  # money lost in one period without any final demand is 1

    @cached_property
    def reach(self) -> Reach:
        return Reach(self.parts)


def _run(
    work: _Work,
    items: list[Item],
    jobs: int | None,
    progress: Callable[[int, int], None] | None,
) -> list[Found]:
    chunks = [items[k : k + CHUNK] for k in range(0, len(items), CHUNK)]
    run = executor(jobs if len(chunks) > 1 else None)
    found: list[Found] = []
    try:
        for part in run.map(_survive, run.put(work), chunks):
            found += part
            if progress is not None:
                progress(len(found), len(items))
    finally:
        run.close()
    return found


def _survive(work: _Work, items: list[Item]) -> list[Found]:
    """Return time to survive, lag, share of money lost and how it was found, per failure."""
    reach = work.reach
    whole: SteadyProgramme | None = None
    found: list[Found] = []
    for failed, ttr in items:
        if not failed:
            found.append((np.inf, 0.0, 0.0, NOT_NEEDED))
            continue
        lag = float(reach.delta[failed].min())
        window = ttr + lag
        most = MOST_APART if work.divert else np.inf
        affected = reach.of(failed, most, divert=work.divert)
        if affected is not None and affected.is_chain:
            tts = chain_time(reach, affected)
            if tts is not None:
                lost = 0.0
                if tts < window - TOLERANCE:
                    lost = SteadyProgramme(reach, affected, work.weight).least_loss(window)
                found.append((tts, lag, lost, CHAIN))
                continue
        if affected is not None:
            programme, how = SteadyProgramme(reach, affected, work.weight), PART
        else:
            if whole is None:
                whole = SteadyProgramme(reach, reach.everything(failed), work.weight)
            whole.fail(failed)
            programme, how = whole, WHOLE
        tts = programme.time(reach.lasts(failed))
        lost = programme.least_loss(window) if tts < window - TOLERANCE else 0.0
        found.append((tts, lag, lost, how))
    return found


def _members(
    network: ProductionNetwork, kind: str, wanted: Sequence[str] | None
) -> tuple[Array, tuple[Array, ...]]:
    """Return labels of a kind and the nodes behind each."""
    if kind not in KINDS:
        raise UsageError(f"kind '{kind[:40]}' is unknown; use one of {', '.join(KINDS)}.")
    if kind == "node":
        labels, of_node = network.node_labels, np.arange(network.n_nodes)
    elif kind in ("region", "product"):
        labels = network.region_labels if kind == "region" else network.product_labels
        of_node = network.node_region if kind == "region" else network.node_product
    else:
        texts = network.column("nodes", kind).fill_null("").to_numpy().astype(str)
        labels, of_node = np.unique(texts, return_inverse=True)
    order = np.argsort(of_node, kind="stable")
    first = np.searchsorted(of_node[order], np.arange(len(labels) + 1))
    chosen = [k for k in range(len(labels)) if labels[k] != "" and first[k + 1] > first[k]]
    if wanted is not None:
        index = {str(labels[k]): k for k in chosen}
        missing = [x for x in wanted if x not in index]
        if missing:
            near = nearest(str(missing[0]), list(index))
            raise UsageError(
                f"There is no {kind} '{str(missing[0])[:60]}'."
                + (f" Did you mean {near}?" if near else "")
            )
        chosen = [index[x] for x in wanted]
    members = tuple(order[first[k] : first[k + 1]] for k in chosen)
    return labels[chosen].astype(str), members


def _recovery(
    network: ProductionNetwork,
    labels: Array,
    members: tuple[Array, ...],
    recovery: Recovery | None,
    kind: str,
) -> Array:
    """Return periods to recover per label; NaN where not known."""
    period = network.settings.period
    if isinstance(recovery, str | int | float):
        return np.full(len(labels), periods_of(recovery, period))
    own = np.array(
        [np.nan_to_num(network.recovery[m], nan=-1.0).max(initial=-1.0) for m in members]
    )
    ttr = np.where(own >= 0, own, np.nan)
    if recovery is not None:
        index = {str(x): k for k, x in enumerate(labels)}
        for label, duration in recovery.items():
            if label not in index:
                near = nearest(label, list(index))
                raise UsageError(
                    f"recovery names the {kind} '{label[:60]}', which is not looked at."
                    + (f" Did you mean {near}?" if near else "")
                )
            ttr[index[label]] = periods_of(duration, period)
    return ttr
