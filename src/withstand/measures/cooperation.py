"""Cooperation: which partner regions cover what home cannot supply by itself."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from withstand.errors import UsageError
from withstand.measures.coverages import LIMITS, Slack, slack_of
from withstand.measures.import_chains import import_chain
from withstand.measures.partner_candidates import Candidates, Side, candidates_of, home_of
from withstand.measures.partner_results import Asked, Partners
from withstand.measures.partner_searches import BEST, BestSet, best_sets
from withstand.measures.partner_sets import PhysicalCoverage, ValueCoverage
from withstand.measures.reliabilities import Reliability, reliability_by_region, reliability_of
from withstand.model.findings import nearest
from withstand.model.network import ProductionNetwork
from withstand.model.provenance import provenance_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from withstand.measures.selections import Labels
    from withstand.model.trade_cube import TradeCube

KINDS = ("auto", "physical", "value")


def partners(
    network: ProductionNetwork | TradeCube,
    *,
    candidates: Candidates | None = None,
    most: int = 3,
    kind: str = "auto",
    home: Labels = None,
    assume_recipe: str = "none",
    slack: Slack = 1.0,
    limit: str = "share",
    best: str = "auto",
    reliability: Reliability | None = None,
    samples: int = 200,
    seed: int = 0,
    time_limit: float = 60.0,
    year: int | None = None,
    products: Sequence[str] | None = None,
) -> Partners:
    """Say which partner regions close the chain: the best sets, and what each contributes.

    Coverage of a set of partners B is what is left when only home and B supply:

    * `physical`: the share of final demand that can be met, the programme of `coverage` with all
      other regions lost. A product needs all its inputs, so partners complement each other:
      two may cover much where each alone covers nothing, and taking the best one after another
      has no guarantee.
    * `value`: the share of the value of home's final sales that arises at home and in B, through
      every tier (`value_added_content`). It adds up over regions.

    The best sets are found by going through all that could be best (an upper bound leaves the
    others out), or by a programme with a yes or no for each candidate, whose bound says how far
    from the best the set can be at most.

    Parameters
    ----------
    network : ProductionNetwork or TradeCube
        A plant, a network of firms, an economy, or trade: then home's imports of one year are one
        basket that needs every product, which home buys where it does today (`import_chain`).
    candidates : sequence of str, or mapping of str to sequence of str, optional
        Regions, blocs (each one partner), or named groups of them; default: every region but home.
        Regions that are not allowed (column `allowed` of the table regions) are never in a set.
    most : int
        Largest number of partners.
    kind : {"auto", "physical", "value"}
        Default: value for economies and trade, physical for others.
    home : str or sequence of str, optional
        Regions or blocs that always supply; default: home of the network. Of trade: who imports.
    assume_recipe, slack, limit
        As in `coverage`; for kind="physical".
    best : {"auto", "brute_force", "programme"}
        How sets are searched; `auto` takes the programme where there are more than 3,000 sets.
    reliability : mapping of region to float, or frame with region and reliability, optional
        0 to 1; see `governance_reliability` and `voting_reliability`. Default: the column
        `reliability` of the table regions. A group is as reliable as its least reliable region.
    samples, seed : int
        Orders drawn for Shapley shares of more than twelve candidates, and cases for the coverage
        to expect of more than twelve partners.
    time_limit : float, seconds
        For each programme with yes or no.
    year : int, optional
        Of trade; default: the last.
    products : sequence of str, optional
        Of trade; default: all.

    Returns
    -------
    Partners

    Raises
    ------
    UsageError
        If a label or choice is unknown, nobody is left, or the network is too large for `physical`.

    References
    ----------
    Shapley (1953), A value for n-person games, for what each partner contributes.

    Examples
    --------
    >>> from withstand.examples import example
    >>> found = partners(example("robot_maker"), most=3)
    >>> found.best(3).partners, round(found.best(3).coverage, 6)
    (('CN', 'DE', 'JP'), 0.4)
    >>> round(found.coverage("CN", "JP"), 6)
    0.3
    """
    _check(most, kind, limit, best, samples, time_limit)
    is_trade = not isinstance(network, ProductionNetwork)
    network, home = _as_network(network, home, year, products)
    ours = home_of(network, home)
    side = candidates_of(network, candidates, ours)
    if kind == "auto":
        kind = "value" if is_trade or network.settings.lens == "economy" else "physical"
    covers: PhysicalCoverage | ValueCoverage
    if kind == "physical":
        factors = slack_of(network, slack)
        covers = PhysicalCoverage(
            network, side, assume_recipe=assume_recipe, slack=factors, limit=limit
        )
    else:
        covers = ValueCoverage(network, side)
    asked = Asked(
        assume_recipe=assume_recipe,
        slack=slack,
        limit=limit,
        best=best,
        samples=samples,
        seed=seed,
        time_limit=time_limit,
    )
    known = _reliability(network, reliability)
    sets = best_sets(covers, side.labels, min(most, side.n), best=best, time_limit=time_limit)
    found = Partners(
        kind=kind,
        home=tuple(network.region_labels[ours].tolist()),
        candidates=side.labels,
        excluded=side.excluded,
        sets=tuple(sets),
        reliability=_of_candidates(network, side, known),
        provenance=provenance_of(
            "measures.partners",
            network,
            {
                "candidates": list(side.labels),
                "most": most,
                "kind": kind,
                "home": network.region_labels[ours].tolist(),
                "assume_recipe": assume_recipe,
                "slack": slack if isinstance(slack, int | float) else dict(slack),
                "limit": limit,
                "best": best,
                "samples": samples,
            },
            seed,
        ),
        _asked=asked,
        _network=network,
        _side=side,
        _covers=covers,
        _reliability_by_region=known,
    )
    return replace(found, sets=_with_expected(sets, found))


def _with_expected(found: Sequence[BestSet], partners: Partners) -> tuple[BestSet, ...]:
    """Return the sets with the coverage to expect, the most reliable of those that tie first."""
    done = []
    for one in found:
        if any(partners.reliability[p] is None for s in one.tied for p in s):
            done.append(one)
            continue
        values = {s: partners.expected(*s)[0] for s in one.tied}
        tied = tuple(sorted(one.tied, key=lambda s: (-round(values[s], 9), s)))
        done.append(replace(one, partners=tied[0], tied=tied, expected=values[tied[0]]))
    return tuple(done)


def _check(most: int, kind: str, limit: str, best: str, samples: int, time_limit: float) -> None:
    """Refuse arguments that mean nothing."""
    for value, valid, name in (
        (kind, KINDS, "kind"),
        (limit, LIMITS, "limit"),
        (best, BEST, "best"),
    ):
        if value not in valid:
            near = nearest(str(value), valid)
            raise UsageError(
                f"{name}={value!r} is unknown; use one of {', '.join(valid)}."
                + (f" Did you mean {near}?" if near else "")
            )
    for number, name, least in ((most, "most", 1), (samples, "samples", 4)):
        if not isinstance(number, int | np.integer) or isinstance(number, bool) or number < least:
            raise UsageError(f"{name}={number!r} must be a whole number of {least} or more.")
    if not (isinstance(time_limit, int | float) and time_limit > 0):
        raise UsageError(f"time_limit={time_limit!r} must be a number of seconds above 0.")


def _as_network(
    given: ProductionNetwork | TradeCube,
    home: Labels,
    year: int | None,
    products: Sequence[str] | None,
) -> tuple[ProductionNetwork, Labels]:
    """Return a network and its home: itself, or the imports of home out of a cube of trade."""
    if isinstance(given, ProductionNetwork):
        if year is not None or products is not None:
            raise UsageError("year and products are for a cube of trade; this is a network.")
        return given, home
    from withstand.model.trade_cube import TradeCube

    if not isinstance(given, TradeCube):
        raise UsageError(
            f"partners takes a network or a cube of trade (withstand.read_trade), not "
            f"{type(given).__name__}."
        )
    if home is None:
        raise UsageError("Say whose imports are meant: home='EU27', or home='DE'.")
    if isinstance(products, str):
        raise UsageError(f"products takes a list of codes: products=['{products[:40]}'].")
    return import_chain(given, home, year=year, products=products), None


def _reliability(network: ProductionNetwork, given: Reliability | None) -> dict[str, float]:
    """Return reliability by region: that given, or the column of the table (1 where empty)."""
    if given is not None:
        return reliability_by_region(given)
    regions = network.tables["regions"]
    if "reliability" not in regions.columns:
        return {}
    filled = regions.select("region", "reliability").fill_null(1.0)
    return {str(r): float(x) for r, x in filled.iter_rows()}


def _of_candidates(
    network: ProductionNetwork, side: Side, known: dict[str, float]
) -> dict[str, float | None]:
    """Return the reliability of each candidate: that of its least reliable region."""
    found: dict[str, float | None] = {}
    for label, regions in zip(side.labels, side.regions, strict=True):
        own = [reliability_of(str(x), known) for x in network.region_labels[np.sort(regions)]]
        stated = known.get(label)
        values = [x for x in own if x is not None]
        if stated is not None:
            found[label] = stated
        else:
            found[label] = min(values) if len(values) == len(own) else None
    return found
