"""Partners: which regions close the chain, out of a network or of trade; written to files."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from withstand import measures
from withstand.errors import DataError, UsageError
from withstand.readers.atomic import write_atomic
from withstand.workbench.progress import Progress, now, silent
from withstand.workbench.tables import read_table
from withstand.workbench.targets import REPORT_ENDINGS, report_targets

if TYPE_CHECKING:
    import polars as pl

    from withstand.measures.coverages import Slack
    from withstand.measures.flow_frames import Flows
    from withstand.measures.partner_candidates import Candidates
    from withstand.measures.reliabilities import Reliability
    from withstand.model.network import ProductionNetwork
    from withstand.model.trade_cube import TradeCube
    from withstand.report.partner_contents import PartnerContents


def find_partners(
    source: ProductionNetwork | TradeCube,
    *,
    candidates: Candidates | None = None,
    most: int = 3,
    kind: str = "auto",
    home: str | list[str] | None = None,
    assume_recipe: str = "none",
    slack: Slack = 1.0,
    limit: str = "share",
    best: str = "auto",
    reliability: Reliability | None = None,
    level: float | None = None,
    flows: Flows | None = None,
    flows_name: str = "",
    home_in_flows: str | list[str] | None = None,
    year: int | None = None,
    products: Sequence[str] | None = None,
    not_allowed: Sequence[str] = (),
    samples: int = 200,
    seed: int = 0,
    progress: Progress = silent,
) -> PartnerContents:
    """Say which partners close the chain; arguments as in `partner_gathering.gather_partners`.

    Parameters
    ----------
    source : ProductionNetwork or TradeCube
        Of trade, home's imports of one year are the network; coverage is by value then.
    year, products
        Of trade; default: the last year, everything home imports.
    not_allowed : sequence of str
        Regions or blocs that the law does not allow, besides those of the table regions: they are
        named and never proposed.

    Raises
    ------
    UsageError
        If a label, a choice or a number is not possible, or trade is given without home.
    """
    from withstand.model.network import ProductionNetwork
    from withstand.report.partner_gathering import gather_partners

    if isinstance(source, ProductionNetwork):
        network = source
        findings = tuple(getattr(flows, "findings", ()))  # a plain table has none
    else:
        from withstand.measures.import_chains import import_chain

        if home is None:
            raise UsageError("Say whose imports are meant: --home EU27, or --home DE.")
        progress("reading the imports of home", 0, 5)
        network = import_chain(source, home, year=year, products=products)
        kind = "value" if kind == "auto" else kind
        when = max(source.years) if year is None else year
        flows = source.filter(years=when, products=products)  # what home gives, and to whom
        flows_name, home_in_flows, home = source.value_unit or "trade", home, None
        findings = source.findings
    if not_allowed:
        network = without_leave(network, not_allowed)
    return gather_partners(
        network,
        made_at=now(),
        candidates=candidates,
        most=most,
        kind=kind,
        home=home,
        assume_recipe=assume_recipe,
        slack=slack,
        limit=limit,
        best=best,
        reliability=reliability,
        level=level,
        flows=flows,
        flows_name=flows_name,
        home_in_flows=home_in_flows,
        samples=samples,
        seed=seed,
        findings=findings,
        progress=progress,
    )


def without_leave(network: ProductionNetwork, regions: Sequence[str]) -> ProductionNetwork:
    """Return the network with these regions or blocs not allowed, too.

    Raises
    ------
    UsageError
        If one is unknown.
    """
    import polars as pl

    from withstand.measures.selections import select_regions

    is_allowed = network.is_allowed.copy()
    is_allowed[select_regions(network, list(regions))] = False
    table = network.tables["regions"].with_columns(allowed=pl.Series(is_allowed))
    if network.flow_table is None:
        return network.with_changes({"regions": table})
    return replace(network, tables={**network.tables, "regions": table})


def read_flows(paths: Sequence[str | os.PathLike[str]]) -> TradeCube | pl.DataFrame:
    """Return trade from files: a cube, or a plain table where nobody is said to import.

    Raises
    ------
    DataError
        With every fault of the files.
    """
    from withstand.measures.flow_frames import NAMES
    from withstand.readers.files import SUFFIXES

    files = [Path(p) for p in paths]
    if len(files) == 1 and files[0].suffix.lower() in SUFFIXES and files[0].is_file():
        columns = _columns(files[0])
        known = {*NAMES["exporter"], *NAMES["product"]}
        if columns is not None and known & columns and not {*NAMES["importer"]} & columns:
            return read_table(files[0], "trade")
    from withstand.readers import read_trade

    return read_trade(files)


def _columns(file: Path) -> set[str] | None:
    """Return the names of the columns of a small table or a Parquet file; None where not known."""
    import polars as pl

    try:
        if file.suffix.lower() == ".parquet":
            return set(pl.read_parquet_schema(file))
        if file.suffix.lower() in (".csv", ".tsv", ".txt"):
            with file.open(encoding="utf-8-sig", errors="replace") as stream:
                head = stream.readline()
            mark = max(",;\t|", key=head.count)
            return {x.strip().strip('"') for x in head.split(mark)}
    except (OSError, pl.exceptions.PolarsError):
        return None
    return None


def read_reliability(
    path: str | os.PathLike[str], home: str | Sequence[str] | None = None
) -> pl.DataFrame:
    """Return how far regions can be relied upon, from one of three kinds of tables.

    Columns region and reliability (0 to 1); Code and value, as in the Worldwide Governance
    Indicators; or iso3c and IdealPoint, as in the votes of the United Nations, which are taken as
    the distance to home.

    Raises
    ------
    DataError
        If it is none of them, or a number is none.
    UsageError
        If votes are given without home.
    """
    import polars as pl

    from withstand.model.checked_frames import checked_frame
    from withstand.model.findings import make_finding
    from withstand.model.tables import Column, Table

    frame = read_table(path, "reliability")
    by = {"reliability": "region", "IdealPoint": "iso3c", "value": "Code"}
    number = next((n for n, r in by.items() if {n, r} <= set(frame.columns)), None)
    if number is None:
        what = (
            "a table of reliability has the columns region and reliability (0 to 1), or Code and"
            " value (governance), or iso3c and IdealPoint (votes); this one has: "
            + ", ".join(frame.columns[:12])
        )
        raise DataError([make_finding("E101", what, value=Path(path).name)])
    more = [c for c in ("year", "stat") if c in frame.columns]
    table = Table(
        name=Path(path).name,
        meaning="How far regions can be relied upon.",
        columns=(
            Column(name=by[number], meaning="The region.", type="label"),
            Column(name=number, meaning="The number.", type="number"),
            *(Column(name=c, meaning=c, type="integer" if c == "year" else "text") for c in more),
        ),
        key=(),
    )
    checked, _ = checked_frame(frame, table)
    checked = checked.with_columns(pl.col(number).cast(pl.Float64))
    if number == "IdealPoint":
        if home is None:
            raise UsageError("Votes are compared with home's: say --home-in-trade DEU.")
        return measures.voting_reliability(checked, home)
    return measures.governance_reliability(checked) if number == "value" else checked


def candidates_of(text: str) -> Candidates | None:
    """Return candidates from words: `CN,JP`, and `north=SE+FI,CN` for groups; None for none.

    Examples
    --------
    >>> candidates_of("CN, JP"), candidates_of("north=SE+FI,CN"), candidates_of("")
    (['CN', 'JP'], {'north': ['SE', 'FI'], 'CN': ['CN']}, None)
    """
    parts = [p.strip() for p in text.split(",") if p.strip()]
    if not parts:
        return None
    if not any("=" in p for p in parts):
        return parts
    found: dict[str, list[str]] = {}
    for part in parts:
        name, sign, members = part.partition("=")
        listed = [m.strip() for m in members.split("+") if m.strip()] if sign else [name]
        if not name.strip() or not listed:
            raise UsageError(f"--candidates '{part[:40]}': write CN,JP or north=SE+FI.")
        if name.strip() in found:
            raise UsageError(f"--candidates names {name.strip()[:40]} twice.")
        found[name.strip()] = listed
    return found


def partner_indicators(found: PartnerContents) -> Mapping[str, float]:
    """Return what a threshold may name: shares of demand or value, and numbers of partners."""
    known = {
        "coverage": found.best.coverage,
        "alone": found.found.best(0).coverage,
        "everyone": found.everyone,
    }
    if found.best.expected is not None:
        known["expected"] = found.best.expected
    if found.closing is not None:
        known["needed"] = float(found.closing.k)
    return known


def partner_targets(paths: Sequence[str | os.PathLike[str]]) -> list[Path]:
    """Return the paths of a report of partners, .html or .xlsx; there may be none."""
    return report_targets(paths) if paths else []


def write_partners(
    contents: PartnerContents, paths: Sequence[str | os.PathLike[str]]
) -> list[Path]:
    """Write the report of partners to each path: .html a page, .xlsx a workbook."""
    from withstand.report.partner_page import partner_page, partner_workbook

    makers = dict(zip(REPORT_ENDINGS, (partner_page, partner_workbook), strict=True))
    targets = partner_targets(paths)
    for target in targets:
        write_atomic(target, makers[target.suffix.lower()](contents))
    return targets
