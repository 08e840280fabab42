"""What a scenario hits on a network: nodes, links and final demand, period by period."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from withstand.errors import ScenarioError
from withstand.model.findings import Finding, make_finding, nearest
from withstand.model.scenario import LINK_TARGETS, Scenario, Shock
from withstand.model.units import periods_of

if TYPE_CHECKING:
    from withstand.model.network import ProductionNetwork

Array = np.ndarray
_NOUNS = {"to": "region, bloc or node"}
EXPONENT = 4.0
"""An exponential recovery closes all but exp(-4), 2 %, of the gap, then the rest at once."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Hit:
    """One shock on one network: what it hits and what is left of it, period by period.

    Parameters
    ----------
    shock : Shock
    kind : {"node", "link", "demand"}
    indices : ndarray of int64
        Nodes or links that are hit.
    factor : ndarray of float64, shape (n_periods,)
        Share left in each period, 0 to 1.
    """

    shock: Shock
    kind: str
    indices: Array
    factor: Array


def resolve(scenario: Scenario, network: ProductionNetwork, n_periods: int) -> list[Hit]:
    """Return what each shock of a scenario hits on a network.

    Raises
    ------
    ScenarioError
        With every label that the network lacks, and every shock that hits nothing.
    """
    findings: list[Finding] = []
    hits = []
    for number, shock in enumerate(scenario.shocks):
        kind, indices, found = _select(shock, network, number)
        findings += found
        if not found:
            own = network.recovery[indices] if kind == "node" else np.full(len(indices), np.nan)
            for recovery in np.unique(np.nan_to_num(own)):
                part = indices[np.nan_to_num(own) == recovery]
                factor = profile(shock, network.settings.period, n_periods, float(recovery))
                hits.append(Hit(shock=shock, kind=kind, indices=part, factor=factor))
    if findings:
        raise ScenarioError(findings)
    return hits


def last_period(scenario: Scenario, network: ProductionNetwork) -> float:
    """Return when the last shock with an end has recovered, in periods (0 if none has)."""
    period = network.settings.period
    slowest = float(np.nan_to_num(network.recovery).max(initial=0.0))
    ends = [0.0]
    for shock in scenario.shocks:
        end = periods_of(shock.start, period)
        if shock.duration is not None:
            end += periods_of(shock.duration, period)
            end += max(periods_of(shock.recovery, period), slowest)
        ends.append(end)
    return max(ends)


def profile(shock: Shock, period: str, n_periods: int, own_recovery: float = 0.0) -> Array:
    """Return the share left in each period.

    The full loss holds in every period it touches: from floor(start) to ceil(start + duration).
    """
    start = periods_of(shock.start, period)
    factor = np.ones(n_periods)
    first = int(np.floor(start + 1e-9))
    if shock.duration is None:
        factor[first:] = 1.0 - shock.share
        return factor
    last = int(np.ceil(start + periods_of(shock.duration, period) - 1e-9))
    factor[first:last] = 1.0 - shock.share
    length = max(periods_of(shock.recovery, period), own_recovery)
    n_steps = int(np.ceil(length - 1e-9))
    for step in range(n_steps):
        at = last + step
        if at < n_periods:
            factor[at] = 1.0 - shock.share * (
                1.0 - _recovered((step + 1) / (length + 1), shock.curve)
            )
    return factor


def _recovered(progress: float, curve: str) -> float:
    """Share of the loss made good after a share of the recovery time."""
    if curve == "none":
        return 0.0
    if curve == "linear":
        return progress
    if curve == "exponential":
        return 1.0 - float(np.exp(-EXPONENT * progress))
    return progress * progress * (3.0 - 2.0 * progress)


def _select(
    shock: Shock, network: ProductionNetwork, number: int
) -> tuple[str, Array, list[Finding]]:
    """Return the kind and indices of what a shock hits, or what is wrong with its targets."""
    findings: list[Finding] = []
    nodes = np.ones(network.n_nodes, dtype=bool)
    links: Array | None = None
    for target, label in shock.targets.items():
        if target in LINK_TARGETS:
            mask, valid = _links_of(network, target, label)
            if mask is not None:
                links = mask if links is None else links & mask
        else:
            mask, valid = _nodes_of(network, target, label)
            if mask is not None:
                nodes &= mask
        if mask is None:
            findings.append(
                make_finding(
                    "E301",
                    f"shock {number + 1}: there is no {_NOUNS.get(target, target)} of that name",
                    column=target,
                    value=label,
                    suggestion=_suggest(network, target, label, valid),
                )
            )
    if findings:
        return "node", np.empty(0, np.int64), findings
    if links is not None:
        chosen = np.flatnonzero(links & nodes[network.link_supplier])
        kind = "link"
    else:
        chosen = np.flatnonzero(
            nodes & (network.final_demand != 0) if shock.what == "demand" else nodes
        )
        kind = "demand" if shock.what == "demand" else "node"
    if len(chosen) == 0:
        findings.append(make_finding("E303", f"shock {number + 1} ({shock.title()}) hits nothing"))
    return kind, chosen.astype(np.int64), findings


def _suggest(
    network: ProductionNetwork, target: str, label: str, valid: Sequence[str]
) -> str | None:
    """Return the label whose name for people was given (`Japan` for JP), else the nearest one."""
    names = {"product": network.product_names}.get(target, network.region_names)
    if target in ("region", "product", "to"):
        labels = network.product_labels if target == "product" else network.region_labels
        for name, own in zip(names, labels, strict=True):
            if str(name).casefold() == label.strip().casefold():
                return str(own)
    return nearest(label, valid)


def _nodes_of(
    network: ProductionNetwork, target: str, label: str
) -> tuple[Array | None, Sequence[str]]:
    if target in ("region", "node", "product"):
        index = network.index(target + "s")
        if label not in index:
            return None, list(index)
        if target == "node":
            return np.arange(network.n_nodes) == index[label], ()
        of_node = network.node_region if target == "region" else network.node_product
        return of_node == index[label], ()
    if target == "bloc":
        blocs = _blocs(network)
        known = sorted(set().union(*blocs) - {""}) if blocs else []
        if label not in known:
            return None, known
        return np.array([label in b for b in blocs])[network.node_region], ()
    series = network.column("nodes", target)
    mask = (series == label).fill_null(value=False).to_numpy()
    return (mask, ()) if mask.any() else (None, series.drop_nulls().unique().to_list())


def _blocs(network: ProductionNetwork) -> list[set[str]]:
    """Return the blocs of each region."""
    texts = network.column("regions", "bloc").to_list()
    return [{b.strip() for b in (t or "").split(";")} for t in texts]


def _links_to(network: ProductionNetwork, label: str) -> tuple[Array | None, Sequence[str]]:
    """Return the links to the buyers of another region, bloc or node of that label."""
    buyer = network.input_buyer[network.link_input]
    if label in network.index("nodes") and label not in network.index("regions"):
        return buyer == network.index("nodes")[label], ()
    if label in network.index("regions"):
        is_there = network.node_region == network.index("regions")[label]
    else:
        blocs = _blocs(network)
        known = sorted(set().union(*blocs) - {""}) if blocs else []
        if label not in known:
            return None, [*network.index("regions"), *known, *network.index("nodes")]
        is_there = np.array([label in b for b in blocs])[network.node_region]
    is_export = network.node_region[buyer] != network.node_region[network.link_supplier]
    return is_there[buyer] & is_export, ()


def _links_of(
    network: ProductionNetwork, target: str, label: str
) -> tuple[Array | None, Sequence[str]]:
    if target == "to":
        return _links_to(network, label)
    if target == "link":
        supplier, _, buyer = label.partition(">")
        index = network.index("nodes")
        supplier, buyer = supplier.strip(), buyer.strip()
        if supplier not in index or buyer not in index:
            wrong = supplier if supplier not in index else buyer
            return None, [f"{n}>{buyer}" if wrong == supplier else f"{supplier}>{n}" for n in index]
        mask = network.link_supplier == index[supplier]
        return mask & (network.input_buyer[network.link_input] == index[buyer]), ()
    routes = network.column("links", "route") if "links" in network.tables else None
    if routes is None:
        return None, []
    has = (routes == label).fill_null(value=False).to_numpy()
    if not has.any():
        return None, routes.drop_nulls().unique().to_list()
    stated = network.link_row >= 0
    return stated & has[np.maximum(network.link_row, 0)], ()
