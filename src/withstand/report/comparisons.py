"""Networks side by side: the same indicators of each, and the difference to the first."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import polars as pl

from withstand.errors import SolverError, UsageError
from withstand.model.findings import nearest
from withstand.model.provenance import Provenance, provenance_of
from withstand.report.indicator_values import Measured, Reading
from withstand.report.indicators import Asked
from withstand.report.people_gathering import has_people
from withstand.report.table_changes import change_counts, table_changes, value_by
from withstand.report.words import clean, listing, plural

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pandas as pd

    from withstand.model.network import ProductionNetwork

MOST = 6
"""Networks that are compared at once, the base among them."""
SAME = 1e-9
FEW_COMMON = 0.5
"""Share of labels in common below which two networks count as different ones."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Case:
    """One network of a comparison.

    Parameters
    ----------
    name : str
        As tables and figures call it; no two are the same.
    network : ProductionNetwork
    source : str
        What was named: a folder, a snapshot, a plan.
    plan_cost : float, optional
        What the plan costs that was applied, currency.
    notes : tuple of str
        What should be known of it, in sentences.
    """

    name: str
    network: ProductionNetwork
    source: str = ""
    plan_cost: float | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Compared:
    """The indicators of several networks, and what differs between them.

    Parameters
    ----------
    cases : tuple of Case
        The base first.
    rows : polars.DataFrame
        One row an indicator and case: indicator, filter, says, unit, better (more or less), case,
        value, behind (the region, product or node it is of), difference (to the base), verdict
        (better, worse, same; empty where there is no difference), why (there is no number).
    changes : polars.DataFrame
        case, then as `table_changes`.
    value : polars.DataFrame
        case, region, name, share: where the value arises.
    losses : polars.DataFrame
        case, region, name, feasible_output: what is left without each region.
    notes : tuple of str
        What does not compare, in sentences.
    made_at : str
    provenance : tuple of Provenance
    """

    cases: tuple[Case, ...]
    rows: pl.DataFrame
    changes: pl.DataFrame
    value: pl.DataFrame
    losses: pl.DataFrame
    notes: tuple[str, ...]
    made_at: str
    provenance: tuple[Provenance, ...]

    @property
    def base(self) -> Case:
        """The network that the others are compared with."""
        return self.cases[0]

    def to_frame(self) -> pl.DataFrame:
        """Return the rows."""
        return self.rows

    def to_pandas(self) -> pd.DataFrame:
        """Return the rows as a pandas frame."""
        return self.rows.to_pandas()

    def why(self, case: str) -> pl.DataFrame:
        """Return what changed in the tables of a case, what moved most value first."""
        names = [c.name for c in self.cases[1:]]
        if case not in names:
            near = nearest(case, names)
            raise UsageError(
                f"'{case[:60]}' is not compared; there are {', '.join(names)}."
                + (f" Did you mean {near}?" if near else "")
            )
        return self.changes.filter(pl.col("case") == case).drop("case")

    @cached_property
    def counts(self) -> pl.DataFrame:
        """Rows that changed by case and table: case, table, added, removed, changed."""
        parts = [
            change_counts(self.why(c.name)).with_columns(pl.lit(c.name).alias("case"))
            for c in self.cases[1:]
        ]
        return pl.concat(parts).select("case", "table", "added", "removed", "changed")

    def wide(self) -> pl.DataFrame:
        """Return one row an indicator: says, unit, then each case's value and its difference."""
        keys = ["indicator", "filter", "says", "unit"]
        frame = self.rows.select(keys).unique(maintain_order=True)
        for at, case in enumerate(self.cases):
            own = self.rows.filter(pl.col("case") == case.name).select(
                "indicator", "filter", pl.col("value").alias(f"value_{at}"),
                pl.col("difference").alias(f"difference_{at}"),
            )  # fmt: skip
            frame = frame.join(own, on=["indicator", "filter"], how="left", maintain_order="left")
        return frame.drop("difference_0")

    def summary(self) -> str:
        """Return one sentence a case: what is better and worse than the base."""
        said = []
        for case in self.cases[1:]:
            own = self.rows.filter(pl.col("case") == case.name)
            counts = {v: own.filter(pl.col("verdict") == v).height for v in ("better", "worse")}
            known = own.filter(pl.col("verdict") != "").height
            rows = sum(self.counts.filter(pl.col("case") == case.name).select(
                "added", "removed", "changed").sum().row(0))  # fmt: skip
            said.append(
                f"{clean(case.name)} against {clean(self.base.name)}:"
                f" {counts['better']} of {plural(known, 'indicator')} better,"
                f" {counts['worse']} worse; {plural(int(rows), 'row')} of the tables"
                f" {'differs' if rows == 1 else 'differ'}."
            )
        return " ".join(said)

    def __repr__(self) -> str:
        """Return one line."""
        names = listing([c.name for c in self.cases], MOST)
        return f"<Compared: {names}, {plural(self.wide().height, 'indicator')}>"


def compare(
    cases: Sequence[Case],
    asked: Sequence[Asked] = (),
    *,
    year: int,
    made_at: str = "",
    progress: Callable[[str, int, int], None] | None = None,
) -> Compared:
    """Set networks side by side; the first is the base.

    Parameters
    ----------
    cases : sequence of Case
        Two to six.
    asked : sequence of Asked
        Indicators besides the usual ones.
    year : int
        The calendar year in which people are counted first.
    made_at : str
    progress : callable, optional
        Called with the stage, steps done, steps in all.

    Raises
    ------
    UsageError
        If there are too few or too many cases, or two of one name.

    Examples
    --------
    >>> from withstand.examples import tiny
    >>> net = tiny()
    >>> dear = net.tables["nodes"].with_columns(pl.col("price") * 2)
    >>> found = compare([Case(name="base", network=net),
    ...                  Case(name="dear", network=net.with_changes({"nodes": dear}))], year=2026)
    >>> found.counts.rows()
    [('dear', 'nodes', 0, 0, 3)]
    """
    _check(cases)
    say = progress or (lambda stage, done, total: None)
    measured = [Measured(c.network, year=year, plan_cost=c.plan_cost) for c in cases]
    wanted = list(dict.fromkeys([*usual(measured[0], cases), *asked]))
    steps = len(wanted) * len(cases) + len(cases)
    readings: list[list[Reading]] = []
    for at, one in enumerate(wanted):
        own = []
        for k, each in enumerate(measured):
            say(f"measuring {one.name}", at * len(cases) + k, steps)
            own.append(each.read(one))
        readings.append(own)
    changes = []
    for k, case in enumerate(cases[1:]):
        say("comparing tables", steps - len(cases) + k, steps)
        found = table_changes(cases[0].network, case.network)
        changes.append(found.with_columns(pl.lit(case.name).alias("case")))
    say("done", steps, steps)
    columns = ["case", *changes[0].columns[:-1]]
    return Compared(
        cases=tuple(cases),
        rows=_rows(cases, readings),
        changes=pl.concat(changes).select(columns),
        value=_value(cases),
        losses=_losses(cases, measured),
        notes=_notes(cases),
        made_at=made_at,
        provenance=tuple(
            provenance_of("compare", c.network, {"source": c.source, "year": year}) for c in cases
        ),
    )


def _check(cases: Sequence[Case]) -> None:
    if not 2 <= len(cases) <= MOST:
        raise UsageError(
            f"A comparison takes a base and one to {MOST - 1} others, not {len(cases)} in all."
        )
    names = [c.name for c in cases]
    if len(set(names)) < len(names):
        twice = next(n for n in names if names.count(n) > 1)
        raise UsageError(f"Two of the networks are called '{twice[:60]}'.")


def usual(base: Measured, cases: Sequence[Case]) -> list[Asked]:
    """Return the indicators that are always compared; what is lost is the base's worst region."""
    found = [Asked(n) for n in ("home_share", "tier1_home_share", "region_share")]
    try:
        away = base.exposure.shares.filter(~pl.col("region").is_in(base.home))
        found += [
            Asked("region_share", f"region={r}") for r in away["region"].head(3) if _is_plain(r)
        ]
    except (UsageError, SolverError):
        pass
    found += [Asked("single_sources", "outside=yes"), Asked("largest_hhi")]
    found.append(Asked("feasible_output"))
    found.append(Asked("feasible_output", "rule=shared"))
    try:
        worst = str(base.swept("none")["region"][0])
    except (UsageError, SolverError):
        worst = ""
    if _is_plain(worst):
        found += [
            Asked("feasible_output", f"without={worst}"),
            Asked("feasible_output", f"without={worst}; rule=shared"),
            Asked("covered", f"without={worst}"),
        ]
        if "equipment" in base.network.product_kinds:
            found.append(Asked("covered", f"without={worst}; kind=equipment"))
    found += [Asked(n) for n in ("time_to_survive", "periods_lost", "esri")]
    if any(c.plan_cost is not None for c in cases):
        found.append(Asked("plan_cost"))
    if any(has_people(c.network) for c in cases):
        found.append(Asked("missing"))
    return found


def _is_plain(label: str) -> bool:
    """Tell whether a label can stand in a filter."""
    return bool(label.strip()) and not set(label) & set(";,=")


def _rows(cases: Sequence[Case], readings: Sequence[Sequence[Reading]]) -> pl.DataFrame:
    rows = []
    for own in readings:
        indicator, base = own[0].asked.indicator, own[0]
        for case, found in zip(cases, own, strict=True):
            why = found.why
            difference = None
            if found is not base:
                difference, why = difference_of(base, found, cases[0].network, case.network)
            rows.append(
                {
                    "indicator": indicator.name,
                    "filter": found.asked.filter,
                    "says": found.asked.title,
                    "unit": indicator.unit,
                    "better": indicator.better,
                    "case": case.name,
                    "value": found.value,
                    "behind": found.behind,
                    "difference": difference,
                    "verdict": verdict(difference, indicator.better),
                    "why": why,
                }
            )
    schema = {"value": pl.Float64, "difference": pl.Float64}
    return pl.DataFrame(rows, schema_overrides=schema, infer_schema_length=None)


def difference_of(
    base: Reading, found: Reading, old: ProductionNetwork, new: ProductionNetwork
) -> tuple[float | None, str]:
    """Return found less base where the two compare; else None and why."""
    if found.value is None:
        return None, found.why
    if base.value is None:
        return None, f"The base has no number: {base.why}"
    unit, a, b = base.asked.indicator.unit, old.settings, new.settings
    if unit == "periods" and a.period != b.period:
        return None, f"Periods differ: {a.period} and {b.period}."
    if unit == "currency" and a.currency != b.currency:
        return None, f"Currencies differ: {a.currency or 'none'} and {b.currency or 'none'}."
    if math.isinf(base.value) and math.isinf(found.value):
        return 0.0, ""
    return found.value - base.value, ""


def verdict(difference: float | None, better: str) -> str:
    """Return better, worse or same; empty where there is no difference to judge.

    Examples
    --------
    >>> verdict(-0.1, "less"), verdict(-0.1, "more"), verdict(0.0, "less"), verdict(None, "less")
    ('better', 'worse', 'same', '')
    """
    if difference is None or math.isnan(difference):
        return ""
    if abs(difference) <= SAME:
        return "same"
    return "better" if (difference > 0) == (better == "more") else "worse"


def _value(cases: Sequence[Case]) -> pl.DataFrame:
    """Return where the value of each case arises, by region."""
    parts = []
    for case in cases:
        names = dict(zip(case.network.region_labels, case.network.region_names, strict=True))
        try:
            shares = value_by(case.network, "region")
        except (UsageError, SolverError):
            continue
        named = [str(names[r]) for r in shares["region"]]
        parts.append(shares.with_columns(pl.lit(case.name).alias("case"), pl.Series("name", named)))
    schema = {"case": pl.String, "region": pl.String, "name": pl.String, "share": pl.Float64}
    return pl.concat(parts).select(list(schema)) if parts else pl.DataFrame(schema=schema)


def _losses(cases: Sequence[Case], measured: Sequence[Measured]) -> pl.DataFrame:
    """Return what each case can still make without each region, one at a time."""
    parts = []
    for case, each in zip(cases, measured, strict=True):
        try:
            swept = each.swept("none")
        except (UsageError, SolverError):
            continue
        parts.append(swept.select(pl.lit(case.name).alias("case"), "region", "name",
                                  "feasible_output"))  # fmt: skip
    schema = {"case": pl.String, "region": pl.String, "name": pl.String,
              "feasible_output": pl.Float64}  # fmt: skip
    return pl.concat(parts) if parts else pl.DataFrame(schema=schema)


def _notes(cases: Sequence[Case]) -> tuple[str, ...]:
    """Say what does not compare between the base and each other network."""
    base, said = cases[0].network, [n for c in cases for n in c.notes]
    for case in cases[1:]:
        other, name = case.network, clean(case.name)
        common = len(set(base.node_labels) & set(other.node_labels))
        most = max(base.n_nodes, other.n_nodes)
        if common < FEW_COMMON * most:
            said.append(
                f"{name} shares {common:,} of {most:,} producers with the base: indicators compare,"
                " rows of the tables hardly do."
            )
        for what, a, b in (
            ("lens", base.settings.lens, other.settings.lens),
            ("period", base.settings.period, other.settings.period),
            ("currency", base.settings.currency, other.settings.currency),
            ("viewpoint", _labels(base, "viewpoint"), _labels(other, "viewpoint")),
            ("home", _labels(base, "home"), _labels(other, "home")),
        ):
            if a != b:
                said.append(f"{name} has another {what}: {b or 'none'} in place of {a or 'none'}.")
        if base.flow_table is not None or other.flow_table is not None:
            said.append(
                f"Flows of an economy are not listed one by one; where the value of {name} arises"
                " shows what they come to."
            )
    return tuple(dict.fromkeys(said))


def _labels(network: ProductionNetwork, what: str) -> str:
    if what == "home":
        return listing([str(x) for x in network.region_labels[network.is_home]], 3)
    return listing([str(x) for x in network.product_labels[network.viewpoint]], 3)
