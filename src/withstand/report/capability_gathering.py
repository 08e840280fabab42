"""What is computed of capability: the indices, intervals, what is within reach, and quotients."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from withstand import measures
from withstand.errors import UsageError
from withstand.measures.localisation_candidates import localise_candidates
from withstand.model.blocs import country_of
from withstand.report.capability_contents import CapabilityContents
from withstand.report.words import plural

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from withstand.measures.complexities import Complexity
    from withstand.model.findings import Finding
    from withstand.model.network import ProductionNetwork

DRAWS = 200
MOST_DRAWN = 2_000_000
"""Places times products up to which intervals of products are drawn, too."""


def gather_capability(
    frame: pl.DataFrame,
    *,
    title: str,
    made_at: str,
    columns: tuple[str, str, str],
    convention: str = "stata",
    threshold: float = 1.0,
    home: str | None = None,
    names: Mapping[str, str] | None = None,
    has_ranks: bool = False,
    draws: int = DRAWS,
    against: ProductionNetwork | None = None,
    is_regional: bool = False,
    total: str | None = None,
    whole: str | None = None,
    findings: Sequence[Finding] = (),
    seed: int = 0,
    progress: Callable[[str, int, int], None] | None = None,
) -> CapabilityContents:
    """Compute all that is shown of capability.

    Parameters
    ----------
    frame : polars.DataFrame
        Long (a row for each place and product) or wide (a column for each product).
    title : str
        What the table is called.
    made_at : str
        Date and time.
    columns : tuple of str
        Names of the columns of place, product and value.
    convention, threshold
        As in `measures.complexity`.
    home : str, optional
        The place to look at, as the table calls it or as a country in another code.
    names : mapping of str to str, optional
        Names for people of products.
    has_ranks : bool
        Whether to draw between which ranks places and products move.
    draws, seed : int
    against : ProductionNetwork, optional
        What it buys outside home are candidates to make at home (`measures.localise_candidates`).
    is_regional : bool
        Whether to compute location quotients and related density, for regions and their industries.
    total, whole : str, optional
        As in `measures.location_quotient`; rows of `total` and `whole` are no product and no place.
    findings : sequence of Finding
        What was noted on reading the table.
    """
    say = progress or (lambda stage, done, total: None)
    if against is not None and home is None:
        raise UsageError("--against asks what home could make itself: say which place is home.")
    place, product, value = columns
    say("reading what places can do", 0, 4)
    plain = _without(frame, {product: total, place: whole})
    found = measures.complexity(
        plain, convention=convention, threshold=threshold, place=place, product=product, value=value
    )
    ours = None if home is None else _place(found, home)
    say("looking at what is within reach", 1, 4)
    said: list[str] = []
    reach = None if ours is None else measures.within_reach(found, ours)
    say("drawing between which ranks places move", 2, 4)
    place_ranks = product_ranks = None
    if has_ranks:
        place_ranks = measures.rank_intervals(found, draws=draws, seed=seed)
        if found.rca.size <= MOST_DRAWN:
            product_ranks = measures.rank_intervals(found, by="places", draws=draws, seed=seed)
        else:
            said.append(
                f"With {plural(found.rca.size, 'pair')} of place and product, intervals of products"
                " were not drawn."
            )
    localise = None
    if against is not None and ours is not None:
        localise = localise_candidates(found, ours, network=against, ranks=product_ranks)
    say("comparing regions with the whole", 3, 4)
    quotients = related = None
    if is_regional:
        quotients = measures.location_quotient(
            frame, region=place, activity=product, value=value, total=total, whole=whole
        )
        related = measures.related_density(quotients)
    noted = [*findings, *found.findings]
    for more in (place_ranks, product_ranks, localise, quotients, related):
        noted += more.findings if more is not None else ()
    say("done", 4, 4)
    return CapabilityContents(
        title=title,
        complexity=found,
        made_at=made_at,
        columns=columns,
        home=ours,
        names={k: v for k, v in (names or {}).items() if v and v != k},
        place_ranks=place_ranks,
        product_ranks=product_ranks,
        reach=reach,
        localise=localise,
        against="" if against is None else against.name,
        quotients=quotients,
        related=related,
        findings=tuple(dict.fromkeys(noted)),
        draws=draws if has_ranks else 0,
        seed=seed,
        left_out=tuple(said),
    )


def _without(frame: pl.DataFrame, totals: Mapping[str, str | None]) -> pl.DataFrame:
    """Return a frame without the rows of totals."""
    for column, label in totals.items():
        if label is not None and column in frame.columns:
            frame = frame.filter(pl.col(column).cast(pl.String).ne_missing(label))
    return frame


def _place(found: Complexity, home: str) -> str:
    """Return home as the table calls it: by its label, or as a country in another code."""
    if home in found.places:
        return home
    country = country_of(home)
    if country is not None:
        for label in found.places:
            if country_of(label) == country:
                return label
    found.index_of(home, "place")  # not there: says so, with the nearest label
    return home
