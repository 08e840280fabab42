"""What is computed of partners: sets, shares, what binds, channels; in a report within bounds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from withstand import measures
from withstand.errors import DataError, SolverError, UsageError
from withstand.report.gathering import regions_to_lose
from withstand.report.partner_contents import PartnerContents
from withstand.report.words import listing, plural

if TYPE_CHECKING:
    from collections.abc import Callable

    from withstand.measures.coverages import Slack
    from withstand.measures.flow_frames import Flows
    from withstand.measures.partner_candidates import Candidates
    from withstand.measures.partner_results import Partners
    from withstand.measures.reliabilities import Reliability
    from withstand.measures.selections import Labels
    from withstand.model.findings import Finding
    from withstand.model.network import ProductionNetwork

SAMPLES = 200
"""Orders drawn for what each of more than twelve partners contributes."""
REPORT_SAMPLES = 40
"""The same in the report of a network."""
REPORT_SETS = 3
"""Partners of the largest set in the report of a network."""
REPORT_TIME = 5.0
"""Seconds for each programme with yes or no there."""
MOST_LINKS = 20_000
"""Links up to which a report looks for partners."""
LINK_CANDIDATES = 60_000
"""Links times candidates up to which all of them are tried there."""
LINK_ORDERS = 1_000_000
"""Links times candidates times orders up to which contributions are drawn there."""
CLOSING_LINKS = 5_000
"""Links up to which the smallest set that closes the chain is looked for without being asked."""


def gather_partners(
    network: ProductionNetwork,
    *,
    made_at: str,
    candidates: Candidates | None = None,
    most: int = 3,
    kind: str = "auto",
    home: Labels = None,
    assume_recipe: str = "none",
    slack: Slack = 1.0,
    limit: str = "share",
    best: str = "auto",
    reliability: Reliability | None = None,
    level: float | None = None,
    flows: Flows | None = None,
    flows_name: str = "",
    home_in_flows: str | list[str] | None = None,
    samples: int = SAMPLES,
    seed: int = 0,
    time_limit: float = 60.0,
    has_shares: bool = True,
    left_out: tuple[str, ...] = (),
    findings: tuple[Finding, ...] = (),
    progress: Callable[[str, int, int], None] | None = None,
) -> PartnerContents:
    """Compute all that is shown of partners.

    Parameters
    ----------
    network : ProductionNetwork
    made_at : str
        Date and time.
    candidates, most, kind, home, assume_recipe, slack, limit, best, reliability
        As in `measures.partners`; so are samples, seed and time_limit.
    level : float, optional
        Look for the smallest set that covers this share; default: all that can be covered at all,
        if it is counted physically and the network is small enough.
    flows : polars.DataFrame or object with to_frame(), optional
        Trade or production, for new channels and for what home can give in return.
    flows_name : str
        What they are called.
    home_in_flows : str or list of str, optional
        What home is called there.
    has_shares : bool
        Whether to work out what each contributes.
    left_out : tuple of str
        What the caller left out, in sentences.
    findings : tuple of Finding
        What was noted on reading trade.
    progress : callable, optional
        Called with the stage, steps done, steps in all.
    """
    say = progress or (lambda stage, done, total: None)
    said = [*left_out]
    say("looking for the best sets", 0, 5)
    found = measures.partners(
        network,
        candidates=candidates,
        most=most,
        kind=kind,
        home=home,
        assume_recipe=assume_recipe,
        slack=slack,
        limit=limit,
        best=best,
        reliability=reliability,
        samples=samples,
        seed=seed,
        time_limit=time_limit,
    )
    chosen = found.best().partners
    everyone = found.coverage(*found.candidates)
    say("looking at what is missing", 1, 5)
    detail = found.in_detail(*chosen) if found.kind == "physical" else None
    marginal = found.marginal(*chosen)
    say("looking for the set that closes the chain", 2, 5)
    is_wanted = level is not None or found.kind == "physical"
    is_known = level is not None or (is_wanted and network.n_links <= CLOSING_LINKS)
    wanted = min(everyone, 1.0) if level is None else level
    closing = found.needed(wanted) if is_known else None
    if is_wanted and not is_known:
        said.append(
            f"With {network.n_links:,} links, the smallest set that covers a level was not looked"
            " for: withstand partners --level 100% does."
        )
    say("working out what each contributes", 3, 5)
    shares = found.to_frame() if has_shares else None
    interactions = found.interactions if has_shares else None
    say("looking for new channels", 4, 5)
    channels, gives, note = _beyond(found, flows, home_in_flows, said)
    say("done", 5, 5)
    return PartnerContents(
        network=network,
        found=found,
        made_at=made_at,
        everyone=everyone,
        shares=shares,
        interactions=interactions,
        detail=detail,
        marginal=marginal,
        level=wanted,
        closing=closing,
        is_closing_known=is_known,
        channels=channels,
        gives=gives,
        gives_note=note,
        flows=flows_name,
        left_out=tuple(said),
        findings=findings,
    )


def _beyond(
    found: Partners,
    flows: Flows | None,
    home: str | list[str] | None,
    said: list[str],
) -> tuple[pl.DataFrame, pl.DataFrame, str]:
    """Return new channels, what home can give, and what is said where nothing is known."""
    if flows is not None:
        channels, known = found.channels(flows, home=home), found.gives(flows, home=home)
    else:
        try:
            channels, known = found.channels(), found.gives()
        except UsageError as error:  # without prices nothing says what partners buy
            said.append(str(error))
            empty = pl.DataFrame(schema={"partner": pl.String, "product": pl.String})
            return empty, empty, ""
    gives = known.filter(pl.col("product").is_not_null())
    silent = known.filter(pl.col("product").is_null())["partner"].unique().sort().to_list()
    note = ""
    if gives.height == 0:
        note = "Nothing is known of what partners buy, so nothing of what home could give them."
    elif silent:
        note = f"Nothing is known, or nothing fits, of {listing(silent, 8)}."
    if flows is None and channels.height == 0:
        said.append(
            "Everyone in the network who makes what home buys supplies it already; who else could"
            " is found in trade or production (withstand partners --trade)."
        )
    return channels, gives, note


def partners_of_report(
    network: ProductionNetwork, made_at: str
) -> tuple[PartnerContents | None, tuple[str, ...]]:
    """Return what the report of a network says of partners, within a few seconds.

    Parameters
    ----------
    network : ProductionNetwork
    made_at : str
        Date and time of the report.

    Returns
    -------
    contents : PartnerContents or None
        None where nothing says where home is, fewer than two regions could be partners, or the
        network is too large.
    left_out : tuple of str
        Why not, in sentences; empty where partners make no sense.
    """
    used = np.bincount(network.node_region, minlength=network.n_regions) > 0
    possible = used & ~network.is_home & network.is_allowed
    if not network.is_home.any() or possible.sum() < 2:
        return None, ()
    if network.n_links > MOST_LINKS:
        return None, (
            f"With {network.n_links:,} links, partners were not looked for: withstand partners"
            " does, with --candidates for those in question.",
        )
    tried, left = regions_to_lose(network, most=LINK_CANDIDATES, fewest=REPORT_SETS + 1)
    said = []
    if left:
        said.append(
            f"Only the {len(tried)} largest suppliers abroad were tried as partners;"
            f" {plural(left, 'smaller one was', 'smaller ones were')} left out."
        )
    has_shares = network.n_links * len(tried) * REPORT_SAMPLES <= LINK_ORDERS
    if not has_shares:
        said.append(
            f"With {network.n_links:,} links, what each partner contributes was not drawn:"
            " withstand partners does."
        )
    try:
        return gather_partners(
            network,
            made_at=made_at,
            candidates=tried if left else None,
            most=REPORT_SETS,
            kind="physical",
            samples=REPORT_SAMPLES,
            time_limit=REPORT_TIME,
            has_shares=has_shares,
            left_out=tuple(said),
        ), ()
    except DataError as error:
        why = error.findings[0].what
    except (UsageError, SolverError) as error:
        why = str(error).rstrip(".")
    return None, (f"Partners were not looked for: {why}.",)
