"""Regionalisation: a national table split over its regions by location quotients and balancing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from withstand.errors import DataError, UsageError
from withstand.measures.interregional_flows import GAP, interregional_flows
from withstand.measures.national_flows import NationalFlows, employment_of, national_flows
from withstand.measures.regional_economies import interregional_economy
from withstand.measures.regional_results import Regionalisation
from withstand.measures.regional_tables import regional_table
from withstand.measures.trade_quotients import (
    check_method,
    region_size,
    simple_quotients,
    trade_quotients,
)
from withstand.model.checked_frames import checked_frame
from withstand.model.encoding import encode
from withstand.model.findings import Finding, listed, make_finding, nearest
from withstand.model.provenance import provenance_of
from withstand.model.tables import Column, Table

if TYPE_CHECKING:
    from withstand.model.network import ProductionNetwork

Array = np.ndarray
REST = "REST"
_OFF = 1e-6  # relative: what regions miss of the nation by rounding
_DEMAND = Table(
    name="demand",
    meaning="How final demand is spread over regions.",
    columns=(
        Column(name="region", meaning="The region.", type="label", required=True),
        Column(name="value", meaning="People, income ...", type="number", low=0.0, required=True),
    ),
    key=("region",),
)
_NEARNESS = Table(
    name="nearness",
    meaning="How readily one region sells to another.",
    columns=(
        Column(name="region", meaning="That sells.", type="label", required=True),
        Column(name="other", meaning="That buys.", type="label", required=True),
        Column(name="nearness", meaning="A weight.", type="number", low=0.0, required=True),
    ),
    key=("region", "other"),
)


def regionalise(
    network: ProductionNetwork,
    employment: pl.DataFrame,
    *,
    nation: str | None = None,
    region: str = "region",
    industry: str = "industry",
    value: str = "value",
    whole: pl.DataFrame | str | None = None,
    rest: str = REST,
    output: pl.DataFrame | None = None,
    demand: pl.DataFrame | None = None,
    nearness: pl.DataFrame | None = None,
    method: str = "flq",
    delta: float = 0.3,
    diagonal: str = "flq",
) -> Regionalisation:
    """Split a national table over its regions: what each makes, buys of its own and of the others.

        FLQ_ij = (SLQ_i / SLQ_j) [log2(1 + E_r / E)]^delta, on the diagonal SLQ_i in place of the
        ratio;  A_r = min(1, FLQ) A

    and what a region does not buy of its own it buys from the others. Regions add up to the nation
    exactly: every flow between industries, final demand, imports, exports, output, value added.

    Parameters
    ----------
    network : ProductionNetwork
        An economy, of the nation alone or with others (which keep all they have); made from frames
        by `national_economy`.
    employment : polars.DataFrame
        A row for each region and industry (the product of the nation's node); people, or output.
    nation : str, optional
        Region of the economy that is split. Default home, or the only one that buys inputs.
    region, industry, value : str
        Names of the columns.
    whole : polars.DataFrame or str, optional
        industry and value of the nation, or the label in column region of its rows. What the
        regions lack of it becomes one more region: so one region alone can be told from the rest.
        Without it the regions given are the whole nation.
    rest : str
        Label of that region.
    output : polars.DataFrame, optional, currency per period
        Columns as in `employment`: what each region makes. Scaled to the nation's output industry
        by industry (warning W674 if by more than rounding). Without it output goes with employment.
    demand : polars.DataFrame, optional
        region, value: final demand is split in these proportions. Default: regional value added
        (of industries that add any).
    nearness : polars.DataFrame, optional
        region, other, nearness [0 or more, default 1]: weights of the trade from one region to
        another, such as 1 / distance.
    method : {"flq", "aflq", "cilq", "slq"}
    delta : float, 0 to 1
        The higher, the more small regions buy from others.
    diagonal : {"flq", "slq"}
        "flq": lambda is on the diagonal too, as published; "slq": SLQ_i alone.

    Returns
    -------
    Regionalisation
        `economy`, a ProductionNetwork for every other measure; `coefficients`, `trade`, `of`.

    Raises
    ------
    UsageError
        If the network is no economy; labels or choices that are not known.
    DataError
        Faults in the tables; regions that have more than the whole (E673).

    Notes
    -----
    Trade between regions, for each product: what is left to buy comes from the other regions in
    proportion to their output of it times nearness, exports go out in proportion to output; the
    whole is then balanced (RAS; GRAS where inventories fall), rows to the output of each region,
    columns to what each buyer takes of the product. So coefficients move: compare `coefficients`.
    Where zeros leave no balanced table, part of the supply is pooled (everybody buys everywhere in
    proportion to output), the least of 1, 5, 20 and 100% that does, with warning W675. Imports,
    value added and extensions follow output: technology is the nation's. Rows that miss output in
    the nation miss it in every region in proportion. Final users buy of their own region
    min(1, SLQ_i lambda) (without lambda for "slq" and "cilq").

    References
    ----------
    Flegg and Webber (1997), Regional Studies 31(8); Flegg and Webber (2000), Regional Studies
    34(6); Flegg and Tohmo (2013), Regional input-output tables and the FLQ formula, Regional
    Studies 47(5). Jahn (2017), Extending the FLQ formula: a location quotient-based interregional
    input-output framework, Regional Studies 51(10): trade allocated to meet national flows. Miller
    and Blair (2009), Input-Output Analysis, sections 7.4 and 8.2.

    Examples
    --------
    Two equal halves: lambda = log2(1.5)^.3 = .851 of the purchases stay at home.

    >>> from withstand.measures.national_flows import national_economy
    >>> flows = pl.DataFrame({"supplier": ["steel"], "buyer": ["cars"], "value": [40.0]})
    >>> final = pl.DataFrame({"supplier": ["cars"], "value": [100.0]})
    >>> halves = pl.DataFrame({"region": ["N", "N", "S", "S"], "industry": ["steel", "cars"] * 2,
    ...                        "value": [20.0, 80.0, 20.0, 80.0]})
    >>> result = regionalise(national_economy(flows, final), halves)
    >>> result.coefficients("N").select("supplier", "buyer", "national", "regional").rows()
    [('steel', 'cars', 0.4, 0.340563...)]
    >>> result.economy.output.tolist()
    [20.0, 50.0, 20.0, 50.0]
    """
    check_method(method, delta, diagonal)
    read_nation = national_flows(network, nation)
    names = {"region": region, "industry": industry, "value": value}
    people, labels, findings = _people(read_nation, employment, names, whole, rest)
    made, more = _made(read_nation, people, labels, output, names)
    findings += more
    used = _used(read_nation, made, labels, demand)
    weights = _nearness(labels, nearness)
    # what nobody works in is split as all the rest is: everywhere as much as in the nation
    slq = np.where(people.sum(axis=0) > 0, simple_quotients(people), 1.0)
    size = people.sum(axis=1) / people.sum()
    quotients = np.stack(
        [
            trade_quotients(s, float(e), method=method, delta=delta, diagonal=diagonal)
            for s, e in zip(slq, size, strict=True)
        ]
    )
    grown = region_size(size, delta) if method in ("flq", "aflq") else np.ones(len(labels))
    final_quotients = slq * np.asarray(grown)[:, None]
    split = interregional_flows(read_nation, made, used, quotients, final_quotients, weights)
    findings += _about_balance(read_nation, split.pooled, split.gap)
    economy = interregional_economy(read_nation, labels, made, split)
    parameters = {"nation": read_nation.label, "method": method, "delta": delta,
                  "diagonal": diagonal, "regions": len(labels)}  # fmt: skip
    return Regionalisation(
        nation=read_nation,
        regions=tuple(labels),
        employment=people,
        slq=slq,
        quotients=quotients,
        split=split,
        economy=economy,
        method=method,
        delta=delta,
        findings=(*findings, *economy.findings),
        provenance=provenance_of("regionalise", network, parameters),
    )


def _people(
    nation: NationalFlows,
    employment: pl.DataFrame,
    names: dict[str, str],
    whole: pl.DataFrame | str | None,
    rest: str,
) -> tuple[Array, list[str], list[Finding]]:
    """Return employment by region and industry, the rest of the nation last if there is one."""
    read = regional_table(
        employment,
        region=names["region"],
        activity=names["industry"],
        value=names["value"],
        whole=whole,
    )
    # regional_table speaks of quotients without totals; here only the faults of rows matter
    findings = [f for f in read.findings if f.code not in ("W534", "W537")]
    regions = read.regions["region"]
    values, more = employment_of(read.rows, nation, regions)
    labels = regions.to_list()
    if whole is not None:
        totals = read.activities.select(
            pl.lit(rest).alias("region"), "activity", pl.col("total").alias("value")
        )
        of_nation, _ = employment_of(totals, nation, pl.Series([rest]))
        left = of_nation[0] - values.sum(axis=0)
        over = left < -_OFF * np.maximum(of_nation[0], 1e-300)
        if over.any():
            k = int(np.flatnonzero(over)[0])
            what = (
                f"the regions have {values[:, k].sum():,.6g} in {nation.industries[k]}, the whole "
                f"{of_nation[0, k]:,.6g}"
            )
            raise DataError(
                [make_finding("E673", what, value=nation.industries[k], count=int(over.sum()))]
            )
        left = np.where(left > _OFF * of_nation[0], left, 0.0)
        if left.any():
            if rest in labels:
                raise UsageError(f"A region is called {rest} already; say rest='...'.")
            values, labels = np.vstack([values, left]), [*labels, rest]
    if values.sum() <= 0:
        raise UsageError("Nobody works in any industry of the nation: nothing can be split.")
    idle = values.sum(axis=1) <= 0
    if idle.any():
        gone = [labels[k] for k in np.flatnonzero(idle)]
        what = f"region {listed(gone)} has nobody in any industry of the nation"
        more.append(make_finding("W673", what, value=gone[0], count=len(gone)))
        values = values[~idle]
        labels = [x for x, out in zip(labels, idle, strict=True) if not out]
    return values, labels, findings + more


def _made(
    nation: NationalFlows,
    people: Array,
    labels: list[str],
    output: pl.DataFrame | None,
    names: dict[str, str],
) -> tuple[Array, list[Finding]]:
    """Return each region's part of every industry; those with nobody go as all the others do."""
    values = people
    findings: list[Finding] = []
    if output is not None:
        read = regional_table(
            output, region=names["region"], activity=names["industry"], value=names["value"]
        )
        at = encode(pl.Series(labels), read.regions["region"])
        if (at < 0).any() or len(at) < len(labels):
            theirs = set(read.regions["region"].to_list())
            odd = sorted(theirs.symmetric_difference(labels))
            raise UsageError(f"'output' and 'employment' differ in the regions {listed(odd)}.")
        values, findings = employment_of(read.rows, nation, pl.Series(labels))
        given, expected = values.sum(axis=0), nation.output
        off = np.abs(given - expected) > _OFF * np.maximum(expected, expected.max() * 1e-9)
        if off.any():
            k = int(np.argmax(np.abs(given - expected)))
            what = (
                f"regional output of {int(off.sum())} industries does not sum to the nation's and "
                f"was scaled; {nation.industries[k]}: {given[k]:,.6g}, not {expected[k]:,.6g}"
            )
            findings.append(
                make_finding("W674", what, value=nation.industries[k], count=int(off.sum()))
            )
    total = values.sum(axis=0)
    alike = values.sum(axis=1) / values.sum()
    shares = np.divide(values, total, out=np.repeat(alike[:, None], len(total), 1), where=total > 0)
    return shares, findings


def _used(
    nation: NationalFlows, made: Array, labels: list[str], demand: pl.DataFrame | None
) -> Array:
    """Return each region's part of final demand."""
    if demand is None:
        income = made @ np.maximum(nation.value_added, 0.0)
        income = income if income.sum() > 0 else made @ nation.output
    else:
        given, _ = checked_frame(demand, _DEMAND)
        at = encode(given["region"], pl.Series(labels))
        if (at < 0).any() or given.height > len(labels):
            odd = sorted(set(given["region"].to_list()).symmetric_difference(labels))
            raise UsageError(f"'demand' and 'employment' differ in the regions {listed(odd)}.")
        income = given["value"].cast(pl.Float64).to_numpy()[at]
    if not income.sum() > 0:
        raise UsageError("Final demand cannot be split: no region has any. Give demand= above 0.")
    share: Array = income / income.sum()
    return share


def _nearness(labels: list[str], nearness: pl.DataFrame | None) -> Array:
    weights = np.ones((len(labels), len(labels)))
    if nearness is None:
        return weights
    given, _ = checked_frame(nearness, _NEARNESS)
    known = pl.Series(labels)
    at = encode(known, given["region"]), encode(known, given["other"])
    for name, index in zip(("region", "other"), at, strict=True):
        if (index < 0).any():
            label = str(given[name][int(np.flatnonzero(index < 0)[0])])
            near = nearest(label, labels)
            hint = f" Did you mean {near}?" if near else ""
            raise UsageError(f"'nearness' names a region '{label[:60]}' that is not there.{hint}")
    weights[at] = given["nearness"].cast(pl.Float64).to_numpy()
    return weights


def _about_balance(nation: NationalFlows, pooled: Array, gap: float) -> list[Finding]:
    found = []
    if (pooled > 0).any():
        worst = int(np.argmax(pooled))
        what = (
            f"the quotients leave no balanced table for {int((pooled > 0).sum())} products; up to "
            f"{pooled[worst]:.0%} of supply was pooled ({nation.industries[worst]})"
        )
        found.append(
            make_finding(
                "W675", what, value=nation.industries[worst], count=int((pooled > 0).sum())
            )
        )
    if gap > GAP:
        what = f"sales of a region's industry miss its output by {gap:.1e} of it"
        found.append(make_finding("W671", what))
    return found
