"""How capability looks: sentences, candidates, what is within reach, ranks, what stands out."""

from __future__ import annotations

from typing import Any

from withstand.cli import answers, output

LONGEST = 30
"""Characters of a name in a table of many columns."""


def document(found: Any) -> dict[str, Any]:
    """Return capability as JSON values."""
    from withstand.model.provenance import versions
    from withstand.report.capability_said import sentences

    index = found.complexity
    has_ranks = found.place_ranks is not None
    return {
        "status": "ok",
        "table": found.title,
        "summary": sentences(found),
        "convention": index.convention,
        "threshold": index.threshold,
        "home": found.home,
        "eigenvalues": index.eigenvalues.tolist(),
        "places": found.places,
        "products": found.products,
        "within_reach": found.candidates if found.reach is not None else None,
        "against": found.against or None,
        "candidates": None if found.localise is None else found.localise.to_frame(),
        "location_quotients": _quotients(found),
        "related_density": found.near_rows if found.related is not None and found.home else None,
        "draws": found.draws if has_ranks else None,
        "findings": [f.to_dict() for f in found.findings],
        "left_out": list(found.left_out),
        "provenance": {"what": "measures.complexity", "seed": found.seed, "versions": versions()},
    }


def _quotients(found: Any) -> Any:
    if found.quotients is None:
        return None
    return found.quotient_rows if found.home else found.quotients.to_frame()


def say(found: Any, top: int) -> None:
    """Print capability: the sentences, the tables."""
    from withstand.report.capability_said import sentences

    for sentence in sentences(found):
        output.say(sentence)
    output.say("")
    _say_candidates(found, top)
    _say_reach(found, top)
    _say_places(found, top)
    _say_products(found, top)
    _say_regional(found, top)
    if found.findings:
        output.say_findings(answers.grouped(list(found.findings)), failed=False)
    for sentence in found.left_out:
        output.say(sentence)


def _say_candidates(found: Any, top: int) -> None:
    if found.localise is None:
        return
    import polars as pl

    from withstand.report.words import clip

    frame = found.localise.to_frame()
    names = [clip(n or p, LONGEST) for n, p in frame.select("name", "product").iter_rows()]
    frame = frame.with_columns(pl.Series("name", names, dtype=pl.String))
    groups = {
        "dangerous": "danger",
        "reachable": "reach",
        "worth_it": "worth",
        "outside_home": "abroad",
    }
    headers = {"rank": "rank", "product": "product", "name": "name", "score": "score"} | {
        k: v for k, v in groups.items() if k in frame.columns
    }
    title = f"Candidates to make, of what {found.against} buys outside home (standing 0 to 1)"
    rounded = frame.head(top).with_columns(pl.col("score", *found.localise.groups).round(3))
    output.say_table(title, rounded, headers, shares=["outside_home"])
    _say_more(frame.height - top)


def _say_reach(found: Any, top: int) -> None:
    if found.reach is None:
        return
    headers = {
        "rank": "rank",
        "product": "product",
        "name": "name",
        "score": "score",
        "density": "density",
        "pci": "PCI",
        "cog": "COG",
        "rca": "RCA",
    }
    if not found.names:
        del headers["name"]
    title = f"What {found.home} lacks: near (density), worth it (PCI, COG)"
    output.say_table(title, found.candidates.head(top), headers)
    _say_more(found.candidates.height - top)


def _say_places(found: Any, top: int) -> None:
    import polars as pl

    frame = found.places.head(top)
    if found.home is not None and found.home not in frame["place"]:
        frame = pl.concat([frame, found.places.filter(pl.col("place") == found.home)])
    headers = {
        "rank": "rank",
        "low": "from",
        "high": "to",
        "place": "place",
        "eci": "ECI",
        "diversity": "products",
        "coi": "COI",
        "fitness": "fitness",
    }
    _say_ranked("Places by economic complexity", frame, headers)


def _say_products(found: Any, top: int) -> None:
    headers = {
        "rank": "rank",
        "low": "from",
        "high": "to",
        "product": "product",
        "name": "name",
        "pci": "PCI",
        "ubiquity": "places",
    }
    if not found.names:
        del headers["name"]
    _say_ranked("Products by complexity, the hardest first", found.products.head(top), headers)


def _say_ranked(title: str, frame: Any, headers: dict[str, str]) -> None:
    if frame["low"].null_count() == frame.height:
        headers = {k: v for k, v in headers.items() if k not in ("low", "high")}
    output.say_table(title, frame, headers)


def _say_regional(found: Any, top: int) -> None:
    if found.quotients is None or found.home is None:
        return
    headers = {"product": "activity", "name": "name", "value": "there", "lq": "quotient",
               "density": "related density"}  # fmt: skip
    if not found.names:
        del headers["name"]
    title = f"What stands out in {found.home} (location quotient, 1: as in the whole)"
    output.say_table(title, found.quotient_rows.head(top), headers)
    if found.near_rows.height:
        del headers["value"]
        title = f"What does not stand out in {found.home}, most akin to what does"
        output.say_table(title, found.near_rows.head(top), headers)


def _say_more(left: int) -> None:
    if left > 0:
        output.say(f"... and {left:,} rows more (--top, --json or --to show all)")
        output.say("")
