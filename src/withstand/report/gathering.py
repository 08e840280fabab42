"""What the report computes on stress, and what it leaves out so that large networks stay quick."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from withstand import stress
from withstand.errors import SolverError, UsageError
from withstand.model.scenario import Scenario, Shock
from withstand.report.contents import Bracketed, StressContents
from withstand.report.runs import last_shown
from withstand.report.words import duration as said_duration
from withstand.report.words import plural

if TYPE_CHECKING:
    from collections.abc import Sequence

    from withstand.model.network import ProductionNetwork
    from withstand.stress.cascades import Cascade
    from withstand.stress.ensembles import Ensemble
    from withstand.stress.simulation import Simulation
    from withstand.stress.survival_times import Survival
    from withstand.stress.systemic_risk import SystemicRisk

Array = np.ndarray
MOST_RANKED = 20_000
"""Nodes up to which every failure is played."""
LARGEST_RANKED = 2_000
"""Failures that are played in larger networks: those of the largest nodes."""
MOST_ENCLOSED = 15
"""Nodes whose risk is given with bounds."""
LINK_LOSSES = 300_000
"""Links times regions up to which regions are lost one at a time by linear programme."""
LINK_PERIODS = 50_000_000
"""Links times periods times regions up to which regions are lost one at a time by simulation."""
FEWEST_REGIONS, MOST_REGIONS = 3, 40
BRACKETED = 2
MOST_LINK_PERIODS = 150_000
"""Links times periods up to which the best answer is sought."""
MOST_LINKS_REPORTED = 250_000
"""Links up to which a report is made at all: its coverage is a linear programme of the whole."""
MOST_LINKS_THROUGH = 20_000
"""Links up to which losses are followed through all tiers, and under both recipe rules."""
MOST_LINKS_SURVIVED = 3_000
"""Links up to which times to survive are computed."""


def check_size(network: ProductionNetwork) -> None:
    """Refuse a network whose report would take hours.

    Raises
    ------
    UsageError
        If it has more than `MOST_LINKS_REPORTED` links.
    """
    if network.n_links > MOST_LINKS_REPORTED:
        raise UsageError(
            f"The network has {network.n_links:,} links; a report covers at most"
            f" {MOST_LINKS_REPORTED:,}, since its coverage is a linear programme of the whole"
            " network. Rank all nodes with withstand stress --all nodes --engine cascade, or"
            " report a part: some regions, or sectors instead of firms."
        )


def is_large(network: ProductionNetwork) -> bool:
    """Tell whether a report follows direct purchases only, under the network's own recipe rule."""
    return network.n_links > MOST_LINKS_THROUGH


def regions_to_lose(
    network: ProductionNetwork,
    cost: int | None = None,
    most: int = LINK_LOSSES,
    fewest: int = 1,
) -> tuple[list[str], int]:
    """Return the regions outside home to lose one at a time, the largest suppliers first.

    Parameters
    ----------
    network : ProductionNetwork
    cost, most : int
        What the loss of one region costs (default: links), and what all may cost together.
    fewest : int
        Regions to keep whatever they cost.

    Returns
    -------
    list of str
        Labels; all of them, in the order of the network, where that is cheap enough.
    int
        How many regions were left out.

    Examples
    --------
    >>> from withstand.examples import example
    >>> regions, left_out = regions_to_lose(example())
    >>> len(regions), left_out
    (27, 0)
    >>> regions_to_lose(example(), cost=1, most=0, fewest=3)
    (['JP', 'CN', 'DE'], 24)
    """
    used = np.bincount(network.node_region, minlength=network.n_regions) > 0
    lossable = np.flatnonzero(used & ~network.is_home)
    each = network.n_links if cost is None else cost
    allowed = int(np.clip(most // max(each, 1), fewest, MOST_REGIONS))
    if len(lossable) <= allowed:
        return [str(r) for r in network.region_labels[lossable]], 0
    worth = np.bincount(
        network.node_region,
        network.output * np.nan_to_num(network.price, nan=0.0 if _has_prices(network) else 1.0),
        network.n_regions,
    )[lossable]
    kept = lossable[np.argsort(-worth, kind="stable")[:allowed]]
    return [str(r) for r in network.region_labels[kept]], len(lossable) - allowed


def _has_prices(network: ProductionNetwork) -> bool:
    return bool(np.isfinite(network.price).any())


def left_out_of(network: ProductionNetwork, regions: int) -> tuple[str, ...]:
    """Return in sentences what the measures of a report left out of a network of this size."""
    said = []
    if regions:
        used = np.bincount(network.node_region, minlength=network.n_regions) > 0
        kept = int((used & ~network.is_home).sum()) - regions
        said.append(
            f"Only the {plural(kept, 'region that makes', 'regions that make')} most "
            f"{'was' if kept == 1 else 'were'} lost one at a time; "
            f"{plural(regions, 'smaller one was', 'smaller ones were')} left out."
        )
    if is_large(network):
        said.append(
            f"With {network.n_links:,} links, what stops through all tiers was not followed: those"
            " columns repeat direct purchases and are lower bounds. Only one recipe rule was used."
        )
    return tuple(said)


def gather_stress(
    network: ProductionNetwork,
    runs: Sequence[Simulation],
    *,
    duration: str,
    losses: Ensemble | None = None,
) -> StressContents:
    """Compute systemic risk, a cascade, a set of losses, brackets, and times to survive.

    Parameters
    ----------
    network : ProductionNetwork
    runs : sequence of Simulation
        Runs of the report, largest loss first: the brackets look at the first ones, and the set of
        losses takes share, duration and recovery from them.
    duration : str
        Time to recover of nodes that state none.
    losses : Ensemble, optional
        An ensemble played before; default: every region lost on its own, all equally likely.
    """
    left_out: list[str] = []
    risk, enclosed = _risk(network, left_out)
    own = np.zeros(network.n_nodes)
    worst, worst_node = None, ""
    if risk is not None:
        worst_node = _worst(risk)
        worst = risk.cascade_of(worst_node) if worst_node else None
        own = worst.weight if worst is not None else own
    said = "The scenarios and their probabilities are those of the set that was given."
    if losses is None:
        losses, said = _region_losses(network, runs, left_out)
    return StressContents(
        risk=risk,
        enclosed=enclosed,
        own=own,
        worst=worst,
        worst_node=worst_node,
        losses=losses,
        losses_are=said,
        brackets=_brackets(runs),
        survival=_survival(network, duration, left_out),
        recovery=said_duration(duration, network.settings.period),
        left_out=tuple(left_out),
    )


def _risk(
    network: ProductionNetwork, left_out: list[str]
) -> tuple[SystemicRisk | None, SystemicRisk | None]:
    """Return the risk of every node (of the largest in large networks), and bounds of the first."""
    nodes: Array | None = None
    if network.n_nodes > MOST_RANKED:
        sales = np.bincount(network.link_supplier, network.link_flow, network.n_nodes)
        nodes = np.sort(np.argsort(-sales, kind="stable")[:LARGEST_RANKED])
        left_out.append(
            f"Systemic risk was computed for the {LARGEST_RANKED:,} nodes that sell most of "
            f"{network.n_nodes:,}; smaller ones can be risky too: stress.esri in Python ranks all."
        )
    try:
        risk = stress.esri(network, nodes=nodes)
    except UsageError as error:
        left_out.append(f"Systemic risk was not computed: {error}")
        return None, None
    enclosed = None
    if network.n_nodes <= MOST_RANKED:
        first = risk.nodes[np.argsort(-risk.esri, kind="stable")[:MOST_ENCLOSED]]
        enclosed = stress.esri(network, nodes=first, bounds=True)
    return risk, enclosed


def _worst(risk: SystemicRisk) -> str:
    """Return the node whose failure takes most along, makers of a plant's final product left out.

    That everything stops when the plant itself fails needs no replay.
    """
    network = risk.network
    shown = np.ones(len(risk.nodes), dtype=bool)
    if network.settings.lens == "plant":
        shown = network.final_demand[risk.nodes] <= 0
        shown = shown if shown.any() else ~shown
    if not shown.any():
        return ""
    order = np.where(shown, risk.esri, -1.0)
    return str(risk.labels[int(order.argmax())])


def _region_losses(
    network: ProductionNetwork, runs: Sequence[Simulation], left_out: list[str]
) -> tuple[Ensemble | None, str]:
    """Return the loss of every region on its own, like the first run; None where there are few."""
    if not runs or len(runs[0].scenario.shocks) != 1:
        return None, ""
    like: Shock = runs[0].scenario.shocks[0]
    longest = max(r.n_periods for r in runs)
    regions, count = regions_to_lose(
        network, network.n_links * longest, LINK_PERIODS, FEWEST_REGIONS
    )
    if len(regions) < FEWEST_REGIONS:
        return None, ""
    if count:
        left_out.append(
            f"The set of losses holds the {len(regions)} regions that make most of"
            f" {count + len(regions)}."
        )
    scenarios = [
        Scenario.lose(
            region=r, share=like.share, duration=like.duration or 0.0, recovery=like.recovery
        )
        for r in regions
    ]
    whose = "every region" if not network.is_home.any() else "every region outside home"
    said = (
        f"The scenarios are the loss of {whose} on its own, all counted as equally likely: how"
        " likely they are is not known, so read the curve as how much hangs on regions, not as"
        " odds."
    )
    return stress.ensemble(network, scenarios), said


def _brackets(runs: Sequence[Simulation]) -> tuple[Bracketed, ...]:
    """Return the first runs that lose something beside the best answer in the same window."""
    found = []
    for run in [r for r in runs if r.time_to_survive is not None][:BRACKETED]:
        periods = max(last_shown(run), 1)
        size = run.network.n_links * periods
        if size > MOST_LINK_PERIODS:
            reason = (
                f"the programme of {run.network.n_links:,} links over {periods} periods is too"
                " large for a report; stress.respond in Python may solve it"
            )
            found.append(Bracketed(run=run, bracket=None, reason=reason))
            continue
        again = stress.simulate(run.network, run.scenario, periods=periods)
        try:
            best = stress.respond(run.network, run.scenario, periods=periods, reroute=False)
        except (UsageError, SolverError) as error:
            found.append(Bracketed(run=again, bracket=None, reason=str(error).rstrip(".")))
            continue
        both = stress.bracket(best, again)
        found.append(Bracketed(run=again, bracket=both, reason=both.reason))
    return tuple(found)


def _survival(network: ProductionNetwork, duration: str, left_out: list[str]) -> Survival | None:
    """Return times to survive of every node; None for large networks."""
    if network.n_links > MOST_LINKS_SURVIVED:
        left_out.append(
            "Times to survive were not computed: they take one linear programme a node, too many"
            f" for {network.n_nodes:,} nodes; stress.survival in Python computes those you name."
        )
        return None
    unknown = network.node_labels[np.isnan(network.recovery)]
    try:
        return stress.survival(network, recovery={str(x): duration for x in unknown})
    except (UsageError, SolverError) as error:
        left_out.append(f"Times to survive were not computed: {error}")
        return None


def replay_rounds(cascade: Cascade) -> Array:
    """Return in which round each node is first hit on either channel; -1 never, shape (n_nodes,).

    Examples
    --------
    >>> from withstand.examples import tiny
    >>> from withstand.stress import esri
    >>> replay_rounds(esri(tiny()).cascade_of("STEEL@JP")).tolist()
    [1, 0, -1]
    """
    never = np.iinfo(np.int64).max
    down = np.where(cascade.round_down >= 0, cascade.round_down, never)
    up = np.where(cascade.round_up >= 0, cascade.round_up, never)
    first = np.minimum(down, up)
    return np.where(first == never, -1, first)
