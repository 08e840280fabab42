"""ProductionNetwork: labelled tables and the arrays built from them; a value that never changes."""

from __future__ import annotations

import html
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from withstand.errors import UsageError
from withstand.model.findings import Finding, Origin, counted
from withstand.model.fingerprints import fingerprint
from withstand.model.link_arrays import LinkArrays
from withstand.model.settings import RULES, Settings
from withstand.model.settling import settle

if TYPE_CHECKING:
    from withstand.model.flow_table import FlowTable

Array = np.ndarray
Builder = Callable[
    [Mapping[str, pl.DataFrame], Settings, Mapping[str, Origin]], "ProductionNetwork"
]


@dataclass(frozen=True, kw_only=True, eq=False)
class ProductionNetwork:
    """One production network: who makes what from what, where, for whom.

    Build it with `withstand.read_folder`, `withstand.network_from_links` or
    `withstand.model.building.build_network`; change it with `with_changes`. All arrays are
    read-only, float64 or int64, C-contiguous.

    Parameters
    ----------
    settings : Settings
        Name, lens, home, viewpoint, currency, period, recipe rule.
    tables : mapping of str to polars.DataFrame
        The canonical tables, the single source of the arrays below.
    origins : mapping of str to Origin
        File (and sheet) each table came from, for findings.
    findings : tuple of Finding
        Warnings and notes found while reading and building.
    node_labels, product_labels, region_labels : ndarray of str
        Labels by index.
    node_product, node_region : ndarray of int64, shape (n_nodes,)
        Index of the product a node makes and of the region it stands in.
    output, capacity, final_demand : ndarray of float64, shape (n_nodes,), units per period
        Output at rest; most it can make; final demand.
    price, value_added, unmet_value, recovery : ndarray of float64, shape (n_nodes,)
        Currency per unit; currency per period; currency per unit; periods. NaN where not known.
    inputs_indptr : ndarray of int64, shape (n_nodes + 1,)
        Groups the inputs by buyer. One input is one product that one buyer needs.
    input_buyer, input_product : ndarray of int64, shape (n_inputs,)
    input_coefficient : ndarray of float64, shape (n_inputs,), input units per unit of output
    input_class, input_use : ndarray of int64, shape (n_inputs,)
        2 essential, 1 important, 0 minor; 0 consumed, 1 hours, 2 hosted.
    input_stock, input_target : ndarray of float64, shape (n_inputs,), input units
    input_lag : ndarray of float64, shape (n_inputs,), periods
    links : LinkArrays, or callable that returns them
        Its arrays are read as `links_indptr`, `link_supplier`, `link_share`, `link_lead_time`,
        `link_row`, `supplier_indptr` and `supplier_link`. An economy makes them when they are
        first asked for: its flows stand in `flow_table`.
    flow_table : FlowTable, optional
        The flows of an economy as one matrix; None for networks of links.
    is_stated : ndarray of bool, shape (n_products,)
        Products whose suppliers are stated by links; the others are not limited by shares.
    build : callable
        Builds a network from tables, settings and origins: how `with_changes` makes a new one.
    """

    settings: Settings
    tables: Mapping[str, pl.DataFrame]
    origins: Mapping[str, Origin]
    findings: tuple[Finding, ...]
    node_labels: Array
    product_labels: Array
    region_labels: Array
    node_product: Array
    node_region: Array
    output: Array
    capacity: Array
    final_demand: Array
    price: Array
    value_added: Array
    unmet_value: Array
    recovery: Array
    inputs_indptr: Array
    input_buyer: Array
    input_product: Array
    input_coefficient: Array
    input_class: Array
    input_use: Array
    input_stock: Array
    input_target: Array
    input_lag: Array
    links: LinkArrays | Callable[[], LinkArrays] = field(repr=False)
    is_stated: Array
    flow_table: FlowTable | None = field(default=None, repr=False)
    build: Builder = field(repr=False)
    _index: dict[str, dict[str, int]] = field(default_factory=dict, init=False, repr=False)
    _rules: dict[str, ProductionNetwork] = field(default_factory=dict, init=False, repr=False)

    def __post_init__(self) -> None:
        """Freeze the arrays and the mappings."""
        for f in fields(self):
            value = getattr(self, f.name)
            if isinstance(value, np.ndarray):
                value.setflags(write=False)
        object.__setattr__(self, "tables", MappingProxyType(dict(self.tables)))
        object.__setattr__(self, "origins", MappingProxyType(dict(self.origins)))

    def __getstate__(self) -> dict[str, Any]:
        """Return what travels to another process: fields and facts, not the other recipe rule."""
        state = dict(self.__dict__)
        state.update(tables=dict(self.tables), origins=dict(self.origins), _rules={})
        state.pop("settled", None)
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Take the fields back and freeze them again."""
        self.__dict__.update(state)
        self.__post_init__()

    # counts

    @property
    def n_nodes(self) -> int:
        """Number of nodes."""
        return len(self.node_labels)

    @property
    def n_products(self) -> int:
        """Number of products."""
        return len(self.product_labels)

    @property
    def n_regions(self) -> int:
        """Number of regions."""
        return len(self.region_labels)

    @property
    def n_inputs(self) -> int:
        """Number of inputs: pairs of a buyer and a product it needs."""
        return len(self.input_product)

    @property
    def n_links(self) -> int:
        """Number of supply links; in an economy, of positive flows."""
        return len(self.link_supplier) if self.flow_table is None else self.flow_table.n_flows

    @property
    def name(self) -> str:
        """Name of the network."""
        return self.settings.name

    # labels to indices

    def index(self, what: str) -> dict[str, int]:
        """Return label to index for "nodes", "products" or "regions" (made once, kept)."""
        if what not in self._index:
            labels = {
                "nodes": self.node_labels,
                "products": self.product_labels,
                "regions": self.region_labels,
            }[what]
            self._index[what] = {str(label): i for i, label in enumerate(labels)}
        return self._index[what]

    def column(self, table: str, name: str) -> pl.Series:
        """Return a column of a table, all null when the table lacks it."""
        frame = self.tables[table]
        if name in frame.columns:
            return frame[name]
        return pl.Series(name, [None] * frame.height, dtype=pl.String)

    # links

    @cached_property
    def _links(self) -> LinkArrays:
        return self.links if isinstance(self.links, LinkArrays) else self.links()

    @property
    def links_indptr(self) -> Array:
        """Where the links of each input begin: ndarray of int64, shape (n_inputs + 1,)."""
        return self._links.indptr

    @property
    def link_supplier(self) -> Array:
        """Supplier of each link: ndarray of int64, shape (n_links,)."""
        return self._links.supplier

    @property
    def link_share(self) -> Array:
        """Share of each link in its input: ndarray of float64, shape (n_links,), 0 to 1."""
        return self._links.share

    @property
    def link_lead_time(self) -> Array:
        """Lead time of each link: ndarray of float64, shape (n_links,), periods."""
        return self._links.lead_time

    @property
    def link_row(self) -> Array:
        """Row of the links table behind each link, -1 for none: ndarray of int64."""
        return self._links.row

    @property
    def supplier_indptr(self) -> Array:
        """Where the links of each supplier begin in `supplier_link`: shape (n_nodes + 1,)."""
        return self._links.supplier_indptr

    @property
    def supplier_link(self) -> Array:
        """The links in the order of their suppliers: ndarray of int64, shape (n_links,)."""
        return self._links.supplier_link

    # facts about the network

    @cached_property
    def is_home(self) -> Array:
        """Which regions are home: ndarray of bool, shape (n_regions,)."""
        flags = np.zeros(self.n_regions, dtype=bool)
        if "home" in self.tables["regions"].columns:
            flags |= self.tables["regions"]["home"].fill_null(value=False).to_numpy()
        if self.settings.home is not None:
            flags[self.index("regions")[self.settings.home]] = True
        return flags

    @cached_property
    def is_allowed(self) -> Array:
        """Which regions the law lets supply: ndarray of bool, shape (n_regions,)."""
        if "allowed" in self.tables["regions"].columns:
            return self.tables["regions"]["allowed"].fill_null(value=True).to_numpy()
        return np.ones(self.n_regions, dtype=bool)

    @cached_property
    def product_kinds(self) -> Array:
        """Kind of each product: ndarray of str, shape (n_products,)."""
        frame = self.tables["products"]
        if "kind" in frame.columns:
            return frame["kind"].fill_null("component").to_numpy().astype(str)
        return np.full(self.n_products, "component")

    @cached_property
    def product_names(self) -> Array:
        """Name for people of each product: ndarray of str, shape (n_products,)."""
        return self._names("products", self.product_labels)

    @cached_property
    def region_names(self) -> Array:
        """Name for people of each region: ndarray of str, shape (n_regions,)."""
        return self._names("regions", self.region_labels)

    def _names(self, table: str, labels: Array) -> Array:
        frame = self.tables[table]
        if "name" not in frame.columns:
            return labels
        return frame["name"].fill_null(pl.Series(labels)).to_numpy().astype(str)

    @cached_property
    def product_price(self) -> Array:
        """Mean price of each product over its nodes, weighted by output; NaN if not known."""
        known = ~np.isnan(self.price)
        weight = np.where(known, np.maximum(self.output, 1e-12), 0.0)
        total = np.bincount(self.node_product, weight, self.n_products)
        value = np.bincount(
            self.node_product, weight * np.where(known, self.price, 0.0), self.n_products
        )
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where(total > 0, value / total, np.nan)

    @cached_property
    def viewpoint(self) -> Array:
        """Indices of the products looked at: the stated one, or all with final demand."""
        wanted = self.settings.viewpoint
        if wanted is not None:
            if wanted in self.index("products"):
                return np.array([self.index("products")[wanted]], dtype=np.int64)
            return self.node_product[[self.index("nodes")[wanted]]]
        return np.unique(self.node_product[self.final_demand > 0])

    @cached_property
    def link_input(self) -> Array:
        """Input each link serves: ndarray of int64, shape (n_links,)."""
        return np.repeat(np.arange(self.n_inputs), np.diff(self.links_indptr))

    @cached_property
    def link_flow(self) -> Array:
        """Flow at rest on each link: ndarray of float64, shape (n_links,), units per period."""
        use = self.input_coefficient * self.output[self.input_buyer]
        return use[self.link_input] * self.link_share

    @cached_property
    def settled(self) -> ProductionNetwork:
        """The same economy with output that is sold: the state that simulations start from.

        Networks of links, and economies that balance, are settled as they are.
        """
        return settle(self)

    def suppliers_of(self, node: str) -> pl.DataFrame:
        """Return the suppliers of one node: input, supplier, region, share, flow at rest."""
        i = self.index("nodes")[node]
        links = np.arange(
            self.links_indptr[self.inputs_indptr[i]], self.links_indptr[self.inputs_indptr[i + 1]]
        )
        supplier = self.link_supplier[links]
        return pl.DataFrame(
            {
                "input": self.product_labels[self.input_product[self.link_input[links]]],
                "supplier": self.node_labels[supplier],
                "region": self.region_labels[self.node_region[supplier]],
                "share": self.link_share[links],
                "flow": self.link_flow[links],
            }
        )

    def buyers_of(self, node: str) -> pl.DataFrame:
        """Return the buyers of one node: buyer, product, share of its purchases, flow at rest."""
        i = self.index("nodes")[node]
        links = self.supplier_link[self.supplier_indptr[i] : self.supplier_indptr[i + 1]]
        inputs = self.link_input[links]
        return pl.DataFrame(
            {
                "buyer": self.node_labels[self.input_buyer[inputs]],
                "product": self.product_labels[self.input_product[inputs]],
                "share": self.link_share[links],
                "flow": self.link_flow[links],
            }
        )

    # a value

    def with_changes(
        self,
        tables: Mapping[str, pl.DataFrame] | None = None,
        settings: Settings | None = None,
    ) -> ProductionNetwork:
        """Return a new network with some tables or settings replaced.

        Parameters
        ----------
        tables : mapping of str to polars.DataFrame, optional
            Whole tables that replace those of the same name.
        settings : Settings, optional
            New settings (make them with `dataclasses.replace(network.settings, ...)`).

        Raises
        ------
        DataError
            If the changed tables break a rule.
        """
        origins = {k: v for k, v in self.origins.items() if not tables or k not in tables}
        return self.build({**self.tables, **(tables or {})}, settings or self.settings, origins)

    def under_rule(self, assume_recipe: str) -> ProductionNetwork:
        """Return the same network under a recipe rule, "none" or "shared" (built once, kept)."""
        if assume_recipe == self.settings.assume_recipe:
            return self
        if assume_recipe not in RULES:
            raise UsageError(
                f"assume_recipe '{assume_recipe}' is unknown; use one of {', '.join(RULES)}."
            )
        if assume_recipe not in self._rules:
            settings = replace(self.settings, assume_recipe=assume_recipe)
            self._rules[assume_recipe] = self.with_changes(settings=settings)
        return self._rules[assume_recipe]

    def fingerprint(self) -> str:
        """Return a hash of the canonical tables, the same on every machine and in any row order."""
        return self._fingerprint

    @cached_property
    def _fingerprint(self) -> str:
        return fingerprint(
            self.settings, self.tables, self.flow_table, self.node_labels, self.region_labels
        )

    def __repr__(self) -> str:
        """Return one line: name, lens and counts."""
        s = self.settings
        return (
            f"<ProductionNetwork {s.name!r}: {s.lens}, {counted(self.n_nodes, 'node')}, "
            f"{counted(self.n_products, 'product')}, {counted(self.n_links, 'link')}, "
            f"{counted(self.n_regions, 'region')}, per {s.period}>"
        )

    def _repr_html_(self) -> str:
        """Return the same for notebooks, with the first nodes as a table."""
        s = self.settings
        facts = {
            "lens": s.lens,
            "home": s.home or "not stated",
            "viewpoint": ", ".join(self.product_labels[self.viewpoint][:5]),
            "period": s.period,
            "currency": s.currency or "not stated",
            "nodes": f"{self.n_nodes:,}",
            "products": f"{self.n_products:,}",
            "inputs": f"{self.n_inputs:,}",
            "links": f"{self.n_links:,}",
            "regions": f"{self.n_regions:,}",
            "fingerprint": self.fingerprint() if self.n_links <= 1_000_000 else "not computed",
        }
        rows = "".join(
            f"<tr><th style='text-align:left'>{k}</th><td style='text-align:left'>"
            f"{html.escape(str(v))}</td></tr>"
            for k, v in facts.items()
        )
        return f"<b>{html.escape(s.name)}</b><table>{rows}</table>"
