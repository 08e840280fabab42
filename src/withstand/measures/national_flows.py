"""The nation inside an economy: its own flows, what it imports and exports, as plain arrays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from withstand.errors import DataError, UsageError
from withstand.model.checked_frames import checked_frame
from withstand.model.economy import build_economy
from withstand.model.encoding import encode
from withstand.model.findings import Finding, listed, make_finding, nearest
from withstand.model.settings import Settings
from withstand.model.tables import Column, Table

if TYPE_CHECKING:
    from withstand.model.network import ProductionNetwork

Array = np.ndarray

_FLOWS = Table(
    name="flows",
    meaning="What industries of the nation sell to each other.",
    columns=(
        Column(name="supplier", meaning="Industry that sells.", type="label", required=True),
        Column(name="buyer", meaning="Industry that buys.", type="label", required=True),
        Column(name="value", meaning="Currency, or per unit.", type="number", required=True),
    ),
    key=("supplier", "buyer"),
)
_FINAL = Table(
    name="final",
    meaning="What they sell to final users.",
    columns=(
        Column(name="supplier", meaning="Industry that sells.", type="label", required=True),
        Column(name="category", meaning="Who buys.", type="label"),
        Column(name="value", meaning="Currency.", type="number", required=True),
    ),
    key=("supplier", "category"),
)
_TOTALS = Table(
    name="totals",
    meaning="Output and value added of each industry.",
    columns=(
        Column(name="industry", meaning="The industry.", type="label", required=True),
        Column(name="output", meaning="Currency.", type="number", low=0.0),
        Column(name="value_added", meaning="Currency.", type="number"),
    ),
    key=("industry",),
)
EXPORTS = "exports"
ABROAD = "ABROAD"
"""Region of the final users whose category is called exports, in a table given as frames."""


@dataclass(frozen=True, kw_only=True, eq=False)
class NationalFlows:
    """One region of an economy, apart from the others; all in currency per period.

    Parameters
    ----------
    label : str
        Region of the economy that is the nation.
    industries : tuple of str, n
        Products of its nodes.
    nodes, others : ndarray of int64, shape (n,), (m,)
        Its nodes, and those of all other regions.
    final_home, final_abroad : ndarray of int64
        Columns of final demand of users in the nation, and elsewhere.
    flows : ndarray of float64, shape (n, n)
    final : ndarray of float64, shape (n, n_final_home)
    exports : ndarray of float64, shape (n, m + n_final_abroad)
    imports : ndarray of float64, shape (m, n)
    final_imports : ndarray of float64, shape (m, n_final_home)
    output, value_added : ndarray of float64, shape (n,)
    network : ProductionNetwork
    """

    label: str
    industries: tuple[str, ...]
    nodes: Array
    others: Array
    final_home: Array
    final_abroad: Array
    flows: Array
    final: Array
    exports: Array
    imports: Array
    final_imports: Array
    output: Array
    value_added: Array
    network: ProductionNetwork


def national_flows(network: ProductionNetwork, nation: str | None = None) -> NationalFlows:
    """Return the nation inside an economy.

    Parameters
    ----------
    network : ProductionNetwork
        An economy.
    nation : str, optional
        Label of a region. Without it home, or the only region that buys anything.

    Raises
    ------
    UsageError
        If the network is no economy, or the nation is not known or has a product twice.
    """
    table = network.flow_table
    if table is None:
        raise UsageError(
            "Only an economy can be split over regions: this network is one of links. Read a "
            "national table, or make one with measures.national_economy."
        )
    region = _nation_of(network, nation)
    is_inside = network.node_region == region
    nodes, others = np.flatnonzero(is_inside), np.flatnonzero(~is_inside)
    labels = network.product_labels[network.node_product[nodes]]
    if len(set(labels.tolist())) < len(labels):
        raise UsageError(
            f"A product of {network.region_labels[region]} is made by several nodes; add them up "
            "first (withstand.aggregate)."
        )
    inside = table.final_region == region
    home, abroad = np.flatnonzero(inside), np.flatnonzero(~inside)
    value_added = network.value_added[nodes]
    purchases = table.flows[:, nodes].sum(axis=0)
    return NationalFlows(
        label=str(network.region_labels[region]),
        industries=tuple(str(x) for x in labels),
        nodes=nodes,
        others=others,
        final_home=home,
        final_abroad=abroad,
        flows=table.flows[np.ix_(nodes, nodes)],
        final=table.final[np.ix_(nodes, home)],
        exports=np.hstack([table.flows[np.ix_(nodes, others)], table.final[np.ix_(nodes, abroad)]]),
        imports=table.flows[np.ix_(others, nodes)],
        final_imports=table.final[np.ix_(others, home)],
        output=network.output[nodes],
        value_added=np.where(np.isnan(value_added), network.output[nodes] - purchases, value_added),
        network=network,
    )


def _nation_of(network: ProductionNetwork, nation: str | None) -> int:
    known = network.index("regions")
    if nation is None and network.settings.home is not None:
        nation = network.settings.home
    if nation is not None:
        if nation not in known:
            near = nearest(str(nation), list(known))
            hint = f" Did you mean {near}?" if near else ""
            raise UsageError(f"There is no region '{str(nation)[:60]}' in the economy.{hint}")
        region = known[nation]
        if not (network.node_region == region).any():
            raise UsageError(f"No industry stands in {nation}; name the region that produces.")
        return region
    assert network.flow_table is not None
    buys = network.flow_table.flows.sum(axis=0) > 0
    regions = np.unique(network.node_region[buys])
    if len(regions) != 1:
        names = [str(x) for x in network.region_labels[regions]]
        raise UsageError(f"Say which region is the nation (nation=): {listed(names)} buy inputs.")
    return int(regions[0])


def national_economy(
    flows: pl.DataFrame,
    final: pl.DataFrame,
    totals: pl.DataFrame | None = None,
    *,
    coefficients: bool = False,
    nation: str = "NATION",
    period: str = "year",
    currency: str = "",
) -> ProductionNetwork:
    """Return the economy of one nation from frames, to be split over regions or measured.

    Parameters
    ----------
    flows : polars.DataFrame
        supplier, buyer, value: what industries sell to each other, at home.
    final : polars.DataFrame
        supplier, category (default "final"), value. The category "exports" is sold abroad.
    totals : polars.DataFrame, optional
        industry, output, value_added. Without it output is what is sold, and value added what
        output leaves after purchases.
    coefficients : bool
        The values of `flows` are per unit of the buyer's output (`totals` must say it).
    nation : str
        Label of its region.
    period, currency : str

    Raises
    ------
    DataError
        Rows that stand twice, negative flows, industries that sell and buy nothing known.
    UsageError
        Coefficients without output.

    Examples
    --------
    >>> flows = pl.DataFrame({"supplier": ["steel"], "buyer": ["cars"], "value": [4.0]})
    >>> final = pl.DataFrame({"supplier": ["cars", "cars"], "category": ["homes", "exports"],
    ...                       "value": [7.0, 3.0]})
    >>> net = national_economy(flows, final)
    >>> net.node_labels.tolist(), net.output.tolist(), net.value_added.tolist()
    (['steel@NATION', 'cars@NATION'], [4.0, 10.0], [4.0, 6.0])
    """
    z, found = checked_frame(flows, _FLOWS)
    y, more = checked_frame(final, _FINAL)
    found += more
    if "category" not in y.columns:
        y = y.with_columns(category=pl.lit("final"))
    y = y.with_columns(pl.col("category").fill_null("final"))
    names = [z["supplier"], z["buyer"].rename("supplier"), y["supplier"]]
    known = pl.concat(names).unique(maintain_order=True)
    nodes = pl.DataFrame({"product": known, "region": nation})
    if totals is not None:
        t, more = checked_frame(totals, _TOTALS)
        found += more
        strangers = t.filter(~pl.col("industry").is_in(known.to_list()))["industry"].to_list()
        if strangers:
            known = pl.concat([known, pl.Series("supplier", strangers)])
            nodes = pl.DataFrame({"product": known, "region": nation})
        nodes = nodes.join(
            t.rename({"industry": "product"}), on="product", how="left", maintain_order="left"
        )
    at = encode(known, z["supplier"]), encode(known, z["buyer"])
    matrix = np.zeros((len(known), len(known)))
    matrix[at] = z["value"].cast(pl.Float64).to_numpy()
    if coefficients:
        if "output" not in nodes.columns or nodes["output"].null_count():
            raise UsageError("Coefficients need the output of every industry: totals=, output.")
        matrix *= nodes["output"].cast(pl.Float64).to_numpy()[None, :]
    users = y["category"].unique(maintain_order=True)
    sold = np.zeros((len(known), len(users)))
    sold[encode(known, y["supplier"]), encode(users, y["category"])] = (
        y["value"].cast(pl.Float64).to_numpy()
    )
    columns = pl.DataFrame(
        {
            "region": [ABROAD if c.casefold() == EXPORTS else nation for c in users],
            "category": users,
        }
    )
    return build_economy(
        matrix,
        sold,
        {"nodes": nodes},
        columns,
        Settings(name=nation, lens="economy", period=period, currency=currency, home=nation),
        findings=found,
    )


def employment_of(
    rows: pl.DataFrame, nation: NationalFlows, regions: pl.Series
) -> tuple[Array, list[Finding]]:
    """Return the values of a region x industry table in the nation's order, and what is missing.

    Parameters
    ----------
    rows : polars.DataFrame
        region, activity, value; what is empty counts as 0.
    nation : NationalFlows
    regions : polars.Series
        The labels, in order.

    Returns
    -------
    values : ndarray of float64, shape (n_regions, n)
        An industry with output and nobody in it is split like all the others together.
    findings : list of Finding

    Raises
    ------
    DataError
        If no industry of the nation is in the table.
    """
    industries = pl.Series(nation.industries, dtype=pl.String)
    i, r = encode(industries, rows["activity"]), encode(regions, rows["region"])
    known = i >= 0
    found = []
    strangers = rows.filter(pl.Series(~known))["activity"].unique(maintain_order=True).to_list()
    if not known.any():
        near = nearest(strangers[0], list(nation.industries)) if strangers else None
        what = "'employment' names no industry of the nation"
        value = strangers[0] if strangers else None
        raise DataError([make_finding("E104", what, value=value, suggestion=near)])
    if strangers:
        what = f"industries {listed(strangers)} are not in the national table and are left out"
        found.append(make_finding("W672", what, value=strangers[0], count=len(strangers)))
    values = np.zeros((len(regions), len(industries)))
    values[r[known], i[known]] = rows["value"].fill_null(0.0).to_numpy()[known]
    empty = (values.sum(axis=0) <= 0) & (nation.output > 0)
    if empty.any():
        names = [nation.industries[k] for k in np.flatnonzero(empty)]
        what = f"nobody works in {listed(names)}, which have output"
        found.append(make_finding("W673", what, value=names[0], count=len(names)))
    return values, found
