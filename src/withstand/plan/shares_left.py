"""What a scenario leaves of capacity and of demand, activity by activity, from its onset on."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from withstand.errors import ScenarioError
from withstand.model.hits import Hit, profile, resolve
from withstand.model.units import periods_of

if TYPE_CHECKING:
    from withstand.model.findings import Finding
    from withstand.model.scenario import Scenario, Shock
    from withstand.plan.chain import Activity
    from withstand.plan.effects import Chain

Array = np.ndarray
OF_NEW = frozenset({"region", "product", "bloc", "node"})
"""Targets by which a shock hits nodes that are not there yet."""


def shares_left(chain: Chain, scenario: Scenario, n_steps: int, step: int) -> tuple[Array, Array]:
    """Return what is left of each activity's capacity and of final demand, mean of each step.

    Returns
    -------
    left, asked : ndarray of float64, shape (n_steps, n_activities), 0 to 1
    """
    network = chain.network
    n_periods = n_steps * step
    latest = max((periods_of(s.start, network.settings.period) for s in scenario.shocks), default=0)
    hits = _from_onset(_hits(chain, scenario, int(latest) + 1 + n_periods), n_periods)
    node = np.ones((n_periods, network.n_nodes))
    demand = np.ones((n_periods, network.n_nodes))
    for hit in hits:
        if hit.kind != "link":
            target = node if hit.kind == "node" else demand
            target[:, hit.indices] *= hit.factor[:, None]
    node = np.minimum(node, _closed_ways(chain, hits, n_periods))
    node[:, ~network.is_allowed[network.node_region]] = 0.0
    left = np.empty((n_steps, len(chain.activities)))
    asked = np.ones((n_steps, len(chain.activities)))
    for k, a in enumerate(chain.activities):
        origin = a.base if a.base >= 0 else k
        series = (
            node[:, origin] if origin < network.n_nodes else _left_of_new(chain, a, hits, n_periods)
        )
        left[:, k] = series.reshape(n_steps, step).mean(axis=1)
        if k < network.n_nodes:
            asked[:, k] = demand[:, k].reshape(n_steps, step).mean(axis=1)
    return left, asked


def _hits(chain: Chain, scenario: Scenario, n_periods: int) -> list[Hit]:
    """Return what each shock hits, now or among the nodes that options add."""
    network = chain.network
    added = [a for a in chain.activities[network.n_nodes :] if a.base < 0]
    hits: list[Hit] = []
    findings: list[Finding] = []
    for shock in scenario.shocks:
        try:
            hits += resolve(replace(scenario, shocks=(shock,)), network, n_periods)
        except ScenarioError as error:
            if any(_meets(chain, a, shock) for a in added):
                factor = profile(shock, network.settings.period, n_periods)
                nobody = np.empty(0, dtype=np.int64)
                hits.append(Hit(shock=shock, kind="node", indices=nobody, factor=factor))
            else:
                findings += error.findings
    if findings:
        raise ScenarioError(findings)
    return hits


def _from_onset(hits: list[Hit], n_periods: int) -> list[Hit]:
    """Let the first shock fall into the first period."""
    changed = [np.flatnonzero(hit.factor != 1.0) for hit in hits]
    onset = min((int(x[0]) for x in changed if len(x)), default=0)
    return [
        replace(hit, factor=_padded(hit.factor[onset : onset + n_periods], n_periods))
        for hit in hits
    ]


def _padded(factor: Array, n: int) -> Array:
    return np.concatenate([factor, np.full(n - len(factor), factor[-1] if len(factor) else 1.0)])


def _closed_ways(chain: Chain, hits: list[Hit], n_periods: int) -> Array:
    """Return the share that nodes can still ship where all their links are hit."""
    network = chain.network
    left = np.ones((n_periods, network.n_nodes))
    ways = [hit for hit in hits if hit.kind == "link"]
    if not ways:
        return left
    factor = np.ones((n_periods, network.n_links))
    is_hit = np.zeros(network.n_links, dtype=bool)
    for hit in ways:
        factor[:, hit.indices] *= hit.factor[:, None]
        is_hit[hit.indices] = True
    flow = network.link_flow
    all_hit = np.ones(network.n_nodes, dtype=bool)
    all_hit[network.link_supplier[~is_hit]] = False
    all_hit[np.diff(network.supplier_indptr) == 0] = False
    for n in np.flatnonzero(all_hit):
        links = network.supplier_link[network.supplier_indptr[n] : network.supplier_indptr[n + 1]]
        shipped = factor[:, links] @ flow[links]
        can = max(network.capacity[n], network.output[n], 1e-300)
        bound = (shipped + max(network.final_demand[n], 0.0)) / can
        is_open = (factor[:, links] >= 1.0).any(axis=1)
        left[:, n] = np.where(is_open, 1.0, np.minimum(bound, 1.0))
    return left


def _left_of_new(chain: Chain, activity: Activity, hits: list[Hit], n_periods: int) -> Array:
    """Return what is left of a node that an option adds: shocks of its region or product hit it."""
    left = np.ones(n_periods)
    if not chain.network.is_allowed[activity.region]:
        return np.zeros(n_periods)
    seen: list[Shock] = []
    for hit in hits:
        if hit.kind == "node" and hit.shock not in seen and _meets(chain, activity, hit.shock):
            seen.append(hit.shock)
            left *= hit.factor
    return left


def _meets(chain: Chain, activity: Activity, shock: Shock) -> bool:
    network, targets = chain.network, shock.targets
    if not set(targets) <= OF_NEW:
        return False
    blocs = network.column("regions", "bloc")[activity.region] or ""
    facts = {
        "region": [str(network.region_labels[activity.region])],
        "product": [str(network.product_labels[activity.product])],
        "node": [activity.label],
        "bloc": [b.strip() for b in blocs.split(";")],
    }
    return all(label in facts[target] for target, label in targets.items())
