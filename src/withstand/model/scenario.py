"""Scenarios: named sets of shocks, as data in TOML and in Python."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from withstand.errors import ScenarioError, UsageError
from withstand.model.findings import Finding, Origin, make_finding, nearest, shorten
from withstand.model.network import ProductionNetwork
from withstand.model.units import periods_of, share_of

Array = np.ndarray
Duration = str | float
CURVES = ("none", "linear", "exponential", "s-shaped")
WHAT = ("capacity", "demand")
TARGETS = ("region", "node", "product", "site", "company", "bloc", "link", "route")
_LINK_TARGETS = ("link", "route")
EXPONENT = 4.0
"""An exponential recovery closes all but exp(-4), 2 %, of the gap, then the rest at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shock:
    """One change: where, how large, from when, how long, and how it recovers.

    All targets that are given must hold together: region "JP" with product "RV" hits the Japanese
    producers of RV. A link is written "supplier>buyer"; a link or route shock limits what passes.

    Parameters
    ----------
    region, node, product, site, company, bloc, link, route : str, optional
        What is hit.
    share : float, 0 to 1
        Share lost, of capacity (or of final demand with `what="demand"`, or of the link's flow).
    start, duration : str or float
        Text with a unit ("12w", "3 months") or a number of periods. Without a duration the loss
        lasts for ever.
    recovery : str or float
        Time from the end of the full loss back to the whole (0: at once). Nodes with
        recovery_periods of their own use the larger of the two.
    curve : {"none", "linear", "exponential", "s-shaped"}
        Shape of the recovery; "none" stays at the loss and comes back at its end.
    what : {"capacity", "demand"}
    """

    region: str | None = None
    node: str | None = None
    product: str | None = None
    site: str | None = None
    company: str | None = None
    bloc: str | None = None
    link: str | None = None
    route: str | None = None
    share: float = 1.0
    start: Duration = 0.0
    duration: Duration | None = None
    recovery: Duration = 0.0
    curve: str = "linear"
    what: str = "capacity"

    def __post_init__(self) -> None:
        """Refuse shares, times and words that cannot be."""
        try:
            object.__setattr__(self, "share", share_of(self.share))
            for name in ("start", "duration", "recovery"):
                value = getattr(self, name)
                if value is not None:
                    periods_of(value, "week")
        except (UsageError, TypeError) as error:
            raise ScenarioError([make_finding("E302", str(error))]) from error
        for name, valid in (("curve", CURVES), ("what", WHAT)):
            value = getattr(self, name)
            if value not in valid:
                raise ScenarioError(
                    [make_finding("E302", f"{name} must be one of {', '.join(valid)}",
                                  column=name, value=value,
                                  suggestion=nearest(str(value), valid))]
                )
        if not self.targets:
            raise ScenarioError(
                [make_finding("E303", f"a shock needs a target: one of {', '.join(TARGETS)}")]
            )

    @property
    def targets(self) -> dict[str, str]:
        """The targets that are given."""
        return {t: getattr(self, t) for t in TARGETS if getattr(self, t) is not None}

    def title(self) -> str:
        """Return the shock in words."""
        where = ", ".join(f"{k} {v}" for k, v in self.targets.items())
        how_long = "for ever" if self.duration is None else f"for {_spoken(self.duration)}"
        noun = "" if self.what == "capacity" else f" of {self.what}"
        return f"{where} loses {self.share:.0%}{noun} {how_long}"


def _spoken(duration: Duration) -> str:
    return duration if isinstance(duration, str) else f"{duration:g} periods"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """A named set of shocks with a probability.

    Parameters
    ----------
    name : str
    shocks : tuple of Shock
    probability : float, per year, 0 to 1

    Examples
    --------
    >>> Scenario.lose(region="JP", share=.5, duration="12w").name
    'region JP loses 50% for 12w'
    """

    name: str
    shocks: tuple[Shock, ...]
    probability: float = 1.0

    @staticmethod
    def lose(
        *,
        region: str | None = None,
        node: str | None = None,
        product: str | None = None,
        site: str | None = None,
        company: str | None = None,
        bloc: str | None = None,
        link: str | None = None,
        route: str | None = None,
        share: float | str = 1.0,
        start: Duration = 0.0,
        duration: Duration | None = None,
        recovery: Duration = 0.0,
        curve: str = "linear",
        name: str | None = None,
        probability: float = 1.0,
    ) -> Scenario:
        """Return a scenario of one shock; arguments as in Shock."""
        shock = Shock(
            region=region,
            node=node,
            product=product,
            site=site,
            company=company,
            bloc=bloc,
            link=link,
            route=route,
            share=share,  # type: ignore[arg-type]
            start=start,
            duration=duration,
            recovery=recovery,
            curve=curve,
        )
        return Scenario(name=name or shock.title(), shocks=(shock,), probability=probability)


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
            factor[at] = 1.0 - shock.share * (1.0 - _recovered((step + 1) / (length + 1), shock.curve))
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
    links = np.ones(network.n_links, dtype=bool)
    by_link = False
    for target, label in shock.targets.items():
        if target in _LINK_TARGETS:
            by_link = True
            mask, valid = _links_of(network, target, label)
            if mask is not None:
                links &= mask
        else:
            mask, valid = _nodes_of(network, target, label)
            if mask is not None:
                nodes &= mask
        if mask is None:
            findings.append(
                make_finding("E301", f"shock {number + 1}: there is no {target} of that name",
                             column=target, value=label, suggestion=nearest(label, valid))
            )
    if findings:
        return "node", np.empty(0, np.int64), findings
    if by_link:
        chosen = np.flatnonzero(links & nodes[network.link_supplier])
        kind = "link"
    else:
        chosen = np.flatnonzero(nodes & (network.final_demand != 0) if shock.what == "demand" else nodes)
        kind = "demand" if shock.what == "demand" else "node"
    if len(chosen) == 0:
        findings.append(make_finding("E303", f"shock {number + 1} ({shock.title()}) hits nothing"))
    return kind, chosen.astype(np.int64), findings


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
        texts = network.column("regions", "bloc").to_list()
        blocs = [{b.strip() for b in (t or "").split(";")} for t in texts]
        known = sorted(set().union(*blocs) - {""}) if blocs else []
        if label not in known:
            return None, known
        return np.array([label in b for b in blocs])[network.node_region], ()
    series = network.column("nodes", target)
    mask = (series == label).fill_null(value=False).to_numpy()
    return (mask, ()) if mask.any() else (None, series.drop_nulls().unique().to_list())


def _links_of(
    network: ProductionNetwork, target: str, label: str
) -> tuple[Array | None, Sequence[str]]:
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


def read_scenario(path: str | os.PathLike[str]) -> Scenario:
    """Return the scenario of a TOML file.

    The file has `name`, `probability` and one `[[shock]]` section a shock, with the keys of Shock.

    Raises
    ------
    ScenarioError
        With every fault in the file.
    """
    file = Path(path)
    origin = Origin(shorten(file.name))
    try:
        data = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ScenarioError([make_finding("E304", shorten(reason), origin=origin)]) from error
    return scenario_from(data, origin, default_name=file.stem)


def scenario_from(data: Mapping[str, Any], origin: Origin, default_name: str) -> Scenario:
    """Return the scenario of parsed TOML; every unknown key and impossible value is a finding."""
    findings: list[Finding] = []
    known = ("name", "probability", "shock")
    for key in data:
        if key not in known:
            findings.append(make_finding("E304", f"unknown key '{key[:40]}'", origin=origin,
                                         column=key, suggestion=nearest(key, known)))
    sections = data.get("shock", [])
    if not isinstance(sections, list) or not sections:
        findings.append(make_finding("E304", "there is no [[shock]] section", origin=origin))
        sections = []
    words = [f.name for f in fields(Shock)]
    shocks = []
    for number, section in enumerate(sections):
        unknown = [k for k in section if k not in words]
        findings += [
            make_finding("E304", f"unknown key '{k[:40]}' in shock {number + 1}", origin=origin,
                         column=k, suggestion=nearest(k, words))
            for k in unknown
        ]
        if unknown:
            continue
        try:
            shocks.append(Shock(**section))
        except ScenarioError as error:
            findings += error.findings
    name, probability = data.get("name", default_name), data.get("probability", 1.0)
    if not isinstance(name, str):
        findings.append(make_finding("E304", "name must be text", origin=origin, column="name"))
    is_number = isinstance(probability, int | float) and not isinstance(probability, bool)
    if not is_number or not 0 <= probability <= 1:
        findings.append(make_finding("E302", "probability must lie between 0 and 1", origin=origin,
                                     column="probability", value=probability))
    if findings:
        raise ScenarioError(findings)
    return Scenario(name=name, shocks=tuple(shocks), probability=float(probability))
