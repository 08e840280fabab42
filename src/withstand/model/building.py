"""Build a ProductionNetwork from canonical tables: labels become integers, once.

The order is: conform every table to the dictionary, check keys and references, lay out inputs and
links, check the structure, work out the baseline. Faults are collected over all steps that can
still run (the structure is checked on the rows without faults) and raised together as one
DataError.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from withstand.errors import DataError
from withstand.model import checks
from withstand.model.baseline import Baseline, baseline_of
from withstand.model.conforming import conform_rows
from withstand.model.encoding import numbers
from withstand.model.findings import Finding, Origin, has_errors, make_finding, sort_findings
from withstand.model.layout import Layout, lay_out
from withstand.model.link_arrays import LinkArrays
from withstand.model.network import ProductionNetwork
from withstand.model.returning import return_unused
from withstand.model.salvaging import check_sound_rows
from withstand.model.tables import TABLES

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from withstand.model.settings import Settings


def build_network(
    tables: Mapping[str, pl.DataFrame],
    settings: Settings,
    *,
    origins: Mapping[str, Origin] | None = None,
    findings: Sequence[Finding] = (),
    unread: Collection[str] = (),
) -> ProductionNetwork:
    """Return the network that the tables describe.

    Parameters
    ----------
    tables : mapping of str to polars.DataFrame
        Tables of the data dictionary by name; `nodes` is needed, `products` and `regions` are
        derived from it where missing.
    settings : Settings
        Name, lens, home, viewpoint, currency, period, recipe rule.
    origins : mapping of str to Origin, optional
        Where each table came from, so that findings can point there.
    findings : sequence of Finding
        What the reader found already; raised or kept together with what is found here.
    unread : collection of str, optional
        Tables that are there but could not be read; what may stand in them is not missed.

    Raises
    ------
    DataError
        With every finding, if any is an error.

    Examples
    --------
    >>> import polars as pl
    >>> from withstand.model.settings import Settings
    >>> nodes = pl.DataFrame({"node": ["mill", "plant"], "product": ["STEEL", "GEAR"],
    ...                       "region": ["JP", "HOME"], "final_demand": [0.0, 10.0]})
    >>> recipes = pl.DataFrame({"buyer": ["GEAR"], "input": ["STEEL"], "quantity": [2.0]})
    >>> links = pl.DataFrame({"supplier": ["mill"], "buyer": ["plant"], "share": [1.0]})
    >>> net = build_network({"nodes": nodes, "recipes": recipes, "links": links},
    ...                     Settings(name="gears", home="HOME"))
    >>> net.output
    array([20., 10.])
    """
    found = list(findings)
    places = {name: (origins or {}).get(name, Origin(name)) for name in TABLES}
    conformed = {
        name: conform_rows(frame, TABLES[name], places[name])
        for name, frame in tables.items()
        if name in TABLES and (frame.height or name == "nodes")
    }
    for done in conformed.values():
        found += done.findings
    broken = {*unread, *(n for n, done in conformed.items() if not done.is_usable)}
    if "nodes" not in conformed and "nodes" not in broken:
        found.append(make_finding("E119", "there is no table of nodes"))
    ready = {n: done.frame for n, done in conformed.items() if n not in broken}
    if "nodes" not in ready or ready["nodes"].height == 0:
        raise DataError(_unique(found))
    ready = _derive(ready)
    found += checks.check_references(ready, places, broken)
    found += checks.check_people(ready, places)
    if not broken & {"products", "regions"}:
        found += checks.check_settings(ready, settings, is_complete=not has_errors(found))
    if has_errors(found):
        found += check_sound_rows(ready, conformed, settings, places)
    _stop_on_errors(found)
    del conformed
    layout = lay_out(ready, settings)
    found += checks.check_structure(layout, ready, settings, places)
    _stop_on_errors(found)
    layout.link_rows.forget()  # 40 bytes a row of links that the baseline need not carry
    return_unused()
    baseline = baseline_of(ready, settings, layout, places)
    found += baseline.findings
    _stop_on_errors(found)
    network = _assemble(ready, settings, places, layout, baseline)
    del layout, baseline  # 100 bytes a link that the checks below need not carry
    return_unused()
    found += checks.check_economics(network)
    return_unused()
    return replace(network, findings=tuple(_unique(found)))


def _rebuild(
    tables: Mapping[str, pl.DataFrame], settings: Settings, origins: Mapping[str, Origin]
) -> ProductionNetwork:
    """Build again from changed tables: what a network carries for `with_changes`."""
    return build_network(tables, settings, origins=origins)


def _stop_on_errors(findings: list[Finding]) -> None:
    if has_errors(findings):
        raise DataError(_unique(findings))


def _unique(findings: list[Finding]) -> list[Finding]:
    """Sort findings, each place once: a cell may fill several tables, and is at fault only once."""
    kept: dict[tuple[object, ...], Finding] = {}
    for f in findings:
        place = (f.code, f.file, f.sheet, f.row, f.column, f.value, None if f.row else f.what)
        if place not in kept or kept[place].count < f.count:
            kept[place] = f
    return sort_findings(kept.values())


def _derive(tables: dict[str, pl.DataFrame]) -> dict[str, pl.DataFrame]:
    """Add the tables of products and regions where they were not given."""
    nodes = tables["nodes"]
    if "products" not in tables:
        used = [nodes["product"]]
        if "recipes" in tables:
            used.append(tables["recipes"]["input"].rename("product"))
        tables["products"] = pl.DataFrame(pl.concat(used).drop_nulls().unique(maintain_order=True))
    if "regions" not in tables:
        seen = [nodes["region"]]
        if "final_demand" in tables:
            seen.append(tables["final_demand"]["region"])
        tables["regions"] = pl.DataFrame(pl.concat(seen).drop_nulls().unique(maintain_order=True))
    return {name: tables[name] for name in TABLES if name in tables}


def _assemble(
    tables: dict[str, pl.DataFrame],
    settings: Settings,
    places: Mapping[str, Origin],
    layout: Layout,
    baseline: Baseline,
) -> ProductionNetwork:
    nodes = tables["nodes"]
    price = numbers(nodes, "price")
    unmet = numbers(nodes, "unmet_value")
    return ProductionNetwork(
        build=_rebuild,
        settings=settings,
        tables=tables,
        origins={name: places[name] for name in tables},
        findings=(),
        node_labels=layout.node_labels,
        product_labels=layout.product_labels,
        region_labels=layout.region_labels,
        node_product=layout.node_product,
        node_region=layout.node_region,
        output=baseline.output,
        capacity=baseline.capacity,
        final_demand=baseline.final_demand,
        price=np.where(np.isnan(price) & baseline.is_value, 1.0, price),
        value_added=numbers(nodes, "value_added"),
        unmet_value=np.where(np.isnan(unmet), price, unmet),
        recovery=numbers(nodes, "recovery_periods"),
        inputs_indptr=layout.inputs_indptr,
        input_buyer=layout.input_buyer,
        input_product=layout.input_product,
        input_coefficient=baseline.coefficient,
        input_class=layout.input_class,
        input_use=layout.input_use,
        input_stock=baseline.stock,
        input_target=baseline.target,
        input_lag=layout.input_lag,
        links=LinkArrays(
            indptr=layout.links_indptr,
            supplier=layout.links.link_supplier,
            share=baseline.share,
            lead_time=layout.link_lead_time,
            row=layout.links.row,
            supplier_indptr=layout.supplier_indptr,
            supplier_link=layout.supplier_link,
        ),
        is_stated=layout.is_stated,
    )
