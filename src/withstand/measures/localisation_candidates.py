"""Candidates to make at home: dangerous to depend on, within reach, and worth it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from withstand.errors import UsageError
from withstand.measures.candidate_evidence import (
    Factors,
    capability_factors,
    given_pci,
    network_dangers,
)
from withstand.measures.candidate_results import GROUPS, WEIGHTS, LocaliseCandidates
from withstand.measures.candidate_sources import Candidates, Domains, domain_texts
from withstand.measures.product_codes import (
    CodeJoin,
    ProductCodes,
    code_findings,
    join_codes,
    vintage_findings,
)
from withstand.measures.standings import front, scores, standing
from withstand.model.findings import Finding, counted, listed, make_finding, nearest

if TYPE_CHECKING:
    from withstand.measures.complexities import Complexity
    from withstand.measures.complexity_ranks import RankIntervals
    from withstand.measures.research_capabilities import ResearchCapability
    from withstand.measures.screening import Screens
    from withstand.model.network import ProductionNetwork

Array = np.ndarray


def localise_candidates(
    capability: Complexity,
    place: str,
    *,
    network: ProductionNetwork | None = None,
    screens: Screens | None = None,
    year: int | None = None,
    research: ResearchCapability | None = None,
    research_place: str | None = None,
    domains: Domains | None = None,
    several_domains: str = "mean",
    codes: ProductCodes | None = None,
    pci: pl.DataFrame | Mapping[str, float] | None = None,
    ranks: RankIntervals | None = None,
    weights: Mapping[str, float] | None = None,
) -> LocaliseCandidates:
    """Rank what home could make itself: dangerous to buy, within reach, worth it.

    Candidates are the products of a network of which something is bought outside home; without a
    network the codes that a screen flags. Each has its standing among the candidates (0 to 1) in
    every factor; a group is the weighted mean of its factors, the score that of the three groups.

    ========= ================== ===============================================================
    group     factor             what, and where it comes from
    ========= ================== ===============================================================
    dangerous flags              share of the screens run that flag it (screens)
    dangerous import_hhi         concentration of imports from outside the bloc (screens)
    dangerous extra_share        imports from outside in all imports of members (screens)
    dangerous probability        highest chance of being flagged (screens with errors)
    dangerous outside_home       share of purchases from outside home (network)
    dangerous foreign_hhi        sum of squared shares of regions outside home (network)
    dangerous output_lost        demand lost with one region, where the product binds (network)
    reachable density            of what is akin to the product home has so much (capability)
    reachable research_density   the same for its technology domains (research)
    worth_it  pci                how hard it is (capability, or given)
    worth_it  cog                what it opens (capability)
    worth_it  export_potential   exports to gain at home's average share (capability)
    worth_it  imports            imports from outside the bloc, a year (screens)
    worth_it  purchases          bought outside home, a period (network)
    ========= ================== ===============================================================

    Parameters
    ----------
    capability : Complexity
        Of countries or regions by product.
    place : str
        Home in that table.
    network : ProductionNetwork, optional
        With codes of goods in `products.hs` and domains in `products.technology_domain`.
    screens : Screens, optional
    year : int, optional
        Of the screens; default: the last.
    research : ResearchCapability, optional
    research_place : str, optional
        Home in that table; default: `place`.
    domains : frame or mapping, optional
        Product (or code) to technology domains separated by semicolons (frame: product,
        technology_domain); wins over the network's column.
    several_domains : {"mean", "least"}
        What counts for a product of several domains.
    codes : ProductCodes, optional
        Vintages of the codes, and a concordance from the network's to the table's. Without a
        network the vintage is that of the screens.
    pci : frame or mapping, optional
        Index of products by others (frame: product, pci), by the codes of the table.
    ranks : RankIntervals, optional
        Of products: between which ranks the pci moves.
    weights : mapping of str to float, optional
        By factor or group, default 1 each; those left out keep theirs, 0 leaves one out
        (output_lost is then not computed: it takes a linear programme for each region).

    Returns
    -------
    LocaliseCandidates

    Raises
    ------
    UsageError
        If nothing says what is dangerous, a label, year or weight is not known, or all weights of
        what is there are 0.

    Notes
    -----
    What is not known of a candidate takes no part in its mean; `missing` names it, and `score_low`
    and `score_high` say what the score would be if it stood last, or first. Who is not known in a
    whole group has no rank. The score weighs one thing against another; the front (`on_front`) does
    not: nobody is as good in all three groups and better in one.

    References
    ----------
    Hidalgo et al. (2007), Science 317 (density); Hausmann et al. (2014), The Atlas of Economic
    Complexity (pci, cog); Balland, Boschma, Crespo & Rigby (2019), Smart specialization policy in
    the European Union, Regional Studies 53 (relatedness against complexity).

    Examples
    --------
    >>> import withstand as ws
    >>> table = pl.DataFrame({"place": ["HOME", "JP", "CN"], "STEEL": [1.0, 6.0, 1.0],
    ...                       "GEAR": [4.0, 4.0, 0.0], "CLOTH": [0.0, 1.0, 8.0]})
    >>> found = localise_candidates(ws.measures.complexity(table), "HOME",
    ...                             network=ws.examples.tiny())
    >>> found.to_frame().select("product", "outside_home", "density").rows()
    [('STEEL', 0.8, 1.0)]
    """
    _check_kinds(capability, network, screens, research, ranks)
    if network is None and screens is None:
        raise UsageError(
            "Nothing says what is dangerous: give network= (what is bought outside home), "
            "screens= (what a screen of trade flags), or both."
        )
    if ranks is not None and pci is not None:
        raise UsageError("'ranks' belong to the pci computed here: give 'ranks' or 'pci'.")
    chosen = _weights(weights)
    given = Candidates(codes or ProductCodes(), network, screens, year)
    own = given.own
    leads, findings = given.codes.rows()
    join = join_codes(own, capability.products, capability.values.sum(axis=0), leads)
    where = "the table of capability"
    findings += code_findings(join, own, where)
    findings += vintage_findings(
        join,
        given.vintage,
        given.codes.table_vintage,
        where,
        is_converted=leads is not None,
    )
    home = capability.index_of(place, "place")
    outside = None if pci is None else given_pci(pci, capability.products)
    factors = capability_factors(capability, home, join, outside)
    shown: dict[str, Any] = {
        "code": join.text("code"),
        "join": join.text("how"),
        "density_percentile": factors.pop("density_percentile"),
        "rca": factors.pop("rca"),
        "share_present": factors.pop("share_present"),
    }
    if network is not None:
        factors |= network_dangers(network, list(own), output_lost=chosen["output_lost"] > 0)
    if screens is not None:
        more, said = given.screen_factors(leads)
        factors |= more
        findings += said
    researched = None
    if research is not None:
        of_research, researched, said = _research(
            research, research_place or place, domain_texts(network, domains, own), several_domains
        )
        factors["research_density"] = of_research
        findings += said
    if ranks is not None:
        shown |= _pci_ranks(ranks, join)
    ordered = {name: factors[name] for name in WEIGHTS if name in factors}
    groups = {
        group: tuple(x for x in names if x in ordered and chosen[x] > 0)
        for group, names in GROUPS.items()
    }
    groups = {g: names for g, names in groups.items() if names and chosen[g] > 0}
    if not groups:
        raise UsageError("All weights are 0: nothing is left to rank by.")
    standings = {name: standing(values) for name, values in ordered.items()}
    result = scores(standings, groups, chosen)
    rows = _rows(given, ordered, groups, result, shown, researched)
    findings += _unranked(rows)
    return LocaliseCandidates(
        place=place,
        rows=rows,
        weights={k: v for k, v in chosen.items() if k in ordered or k in groups},
        groups=groups,
        findings=tuple(findings),
        _standings=pl.DataFrame({"product": list(own), **standings}).with_columns(
            pl.col(pl.Float64).fill_nan(None)
        ),
        _capability=capability,
        _join=join,
        _network=network,
        _screens=screens,
        _year=given.year,
        _screen_join=given.screen_join,
        _research=research,
        _research_place=research_place or place,
        _vintage=given.vintage,
        _table_vintage=given.codes.table_vintage,
        _pci_given=pci is not None,
        _several=several_domains,
    )


def _check_kinds(
    capability: Complexity,
    network: ProductionNetwork | None,
    screens: Screens | None,
    research: ResearchCapability | None,
    ranks: RankIntervals | None,
) -> None:
    """Refuse a table where the result of a measure is meant."""
    for name, given, kind, maker in (
        ("capability", capability, "Complexity", "measures.complexity(table)"),
        ("network", network, "ProductionNetwork", "read_folder(...)"),
        ("screens", screens, "Screens", "measures.screens(cube, bloc)"),
        ("research", research, "ResearchCapability", "measures.research_capability(patents)"),
        ("ranks", ranks, "RankIntervals", "measures.rank_intervals(found, by='places')"),
    ):
        is_left_out = given is None and name != "capability"
        if not is_left_out and type(given).__name__ != kind:
            raise UsageError(f"'{name}' takes what {maker} returns, not {type(given).__name__}.")


def _weights(given: Mapping[str, float] | None) -> dict[str, float]:
    """Return the weight of every factor and group."""
    chosen = {**WEIGHTS, **dict.fromkeys(GROUPS, 1.0)}
    for name, weight in (given or {}).items():
        if name not in chosen:
            near = nearest(str(name), list(chosen))
            hint = f" Did you mean {near}?" if near else ""
            raise UsageError(
                f"No weight '{str(name)[:40]}': known are {listed(list(chosen), 20)}.{hint}"
            )
        is_number = isinstance(weight, int | float | np.number)
        if not is_number or not 0 <= weight < np.inf:
            raise UsageError(f"The weight of {name} is {weight}; it must be 0 or more.")
        chosen[name] = float(weight)
    return chosen


def _research(
    research: ResearchCapability, place: str, texts: Mapping[str, str | None], several: str
) -> tuple[Array, pl.DataFrame, list[Finding]]:
    if place not in research.places:
        near = nearest(place, research.places)
        hint = f" Did you mean {near}?" if near else ""
        raise UsageError(
            f"The table of research has no place '{place[:60]}': name home there with "
            f"research_place=.{hint}"
        )
    frame, findings = research.of_products(texts, place, several=several)
    density = frame["research_density"].fill_null(np.nan).to_numpy()
    shown = frame.select("domains", "weakest_domain", "unknown_domains", "research_rca")
    return density, shown, findings


def _pci_ranks(ranks: RankIntervals, join: CodeJoin) -> dict[str, list[int | None]]:
    """Return pci_rank, pci_rank_low, pci_rank_high of products that one code stands for."""
    rows = ranks.to_frame().filter(pl.col("kind") == "product")
    if not rows.height:
        raise UsageError(
            "'ranks' has ranks of places only: rank_intervals(found, by='places') or by='noise' "
            "has those of products."
        )
    known = {label: cells for label, *cells in rows.select("label", "rank", "low", "high").rows()}
    single = join.rows.group_by("product").agg(pl.col("code").unique())
    code = {p: c[0] for p, c in single.iter_rows() if len(c) == 1}
    names = ("pci_rank", "pci_rank_low", "pci_rank_high")
    return {
        name: [known.get(code.get(p, ""), [None] * 3)[i] for p in join.products]
        for i, name in enumerate(names)
    }


def _rows(
    given: Candidates,
    factors: Factors,
    groups: Mapping[str, tuple[str, ...]],
    result: Any,
    shown: Mapping[str, Any],
    researched: pl.DataFrame | None,
) -> pl.DataFrame:
    """Return the table of candidates, best first."""
    products = list(given.own)
    on_front, by = front(result.groups)
    used = [x for names in groups.values() for x in names]
    missing = [
        "; ".join(x for x in used if np.isnan(factors[x][i])) or None for i in range(len(products))
    ]
    known = ~np.isnan(result.score)
    frame = pl.DataFrame(
        {
            "product": products,
            "name": [given.names.get(p) for p in products],
            "score": result.score,
            "score_low": result.low,
            "score_high": result.high,
            "on_front": [bool(x) if k else None for x, k in zip(on_front, known, strict=True)],
            "beaten_by": [products[k] if k >= 0 else None for k in by],
            **{g: result.groups[:, i] for i, g in enumerate(groups)},
            "missing": missing,
            **factors,
            **shown,
        },
        schema_overrides={"name": pl.String, "on_front": pl.Boolean, "beaten_by": pl.String,
                          "missing": pl.String, "code": pl.String, "join": pl.String},
    )  # fmt: skip
    if researched is not None:
        frame = pl.concat([frame, researched], how="horizontal")
    frame = frame.with_columns(pl.col(pl.Float64).fill_nan(None))
    frame = frame.sort(["score", "product"], descending=[True, False], nulls_last=True)
    rank = pl.col("score").round(12).rank("min", descending=True).cast(pl.Int64)
    return frame.select(rank.alias("rank"), pl.all())


def _unranked(rows: pl.DataFrame) -> list[Finding]:
    none = rows.filter(pl.col("rank").is_null())["product"].to_list()
    if not none:
        return []
    what = (
        f"{counted(len(none), 'candidate')} not known at all in one of the groups, so without a "
        f"rank: {listed(none)}"
    )
    return [make_finding("W664", what, column="missing", value=none[0], count=len(none))]
