"""Who the candidates to make at home are, under which codes, and in which technology domains."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import polars as pl

from withstand.errors import UsageError
from withstand.measures.candidate_evidence import (
    Factors,
    network_products,
    screen_dangers,
    screen_rows,
)
from withstand.measures.product_codes import (
    CodeJoin,
    ProductCodes,
    code_findings,
    join_codes,
    plain,
    vintage_findings,
)
from withstand.model.findings import Finding, counted, listed, make_finding

if TYPE_CHECKING:
    from withstand.measures.screening import Screens
    from withstand.model.network import ProductionNetwork

Domains = pl.DataFrame | Mapping[str, str]


@dataclass(eq=False)
class Candidates:
    """Who the candidates are, under which codes, and how screens know them."""

    codes: ProductCodes
    network: ProductionNetwork | None
    screens: Screens | None
    year: int | None
    own: dict[str, tuple[str, ...]] = field(init=False)
    names: dict[str, str] = field(init=False)
    vintage: str | None = field(init=False)
    screen_join: CodeJoin | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        """Find the candidates."""
        self.vintage = self.codes.vintage
        self._rows = pl.DataFrame()
        if self.screens is not None:
            self._rows, self.year = screen_rows(self.screens, self.year)
        if self.network is not None:
            self._of_network(self.network)
            return
        assert self.screens is not None
        self.vintage = self.vintage or self.screens._cube.vintage
        flagged = self._rows.filter(pl.col("flags") > 0)["product"].to_list()
        if not flagged:
            raise UsageError(f"No screen flags a product of {self.screens.bloc} in {self.year}.")
        self.own = {code: (code,) for code in flagged}
        self.names = {}

    def _of_network(self, network: ProductionNetwork) -> None:
        bought = network_products(network)["product"].to_list()
        if not bought:
            raise UsageError("Nothing in this network is bought outside home: no candidates.")
        products = network.tables["products"]["product"].to_list()
        hs = dict(zip(products, network.column("products", "hs").to_list(), strict=True))
        self.own = {
            p: tuple(x.strip() for x in str(hs.get(p) or p).split(";") if x.strip()) for p in bought
        }
        names = network.product_names
        self.names = {p: str(names[network.index("products")[p]]) for p in bought}

    def screen_factors(self, leads: pl.DataFrame | None) -> tuple[Factors, list[Finding]]:
        """Return what the screens know of each candidate, and what is worth a word."""
        assert self.screens is not None
        table = self._rows["product"].to_list()
        sizes = self._rows["imports"].cast(pl.Float64).fill_null(0.0).to_numpy()
        theirs = self.screens._cube.vintage
        through = leads if leads is not None and theirs == self.codes.table_vintage else None
        self.screen_join = join = join_codes(self.own, table, sizes, through)
        findings: list[Finding] = []
        if self.network is not None:
            findings += code_findings(join, self.own, "the screens")
            findings += vintage_findings(
                join, self.vintage, theirs, "the screens", is_converted=through is not None
            )
            findings += self._not_in_network(join)
        return screen_dangers(self.screens, self._rows, join), findings

    def _not_in_network(self, join: CodeJoin) -> list[Finding]:
        used = set(join.rows["code"].to_list())
        flagged = self._rows.filter(pl.col("flags") > 0)["product"].to_list()
        lost = [c for c in flagged if c not in used]
        if not lost:
            return []
        what = (
            f"{counted(len(lost), 'code')} of {len(flagged):,} that screens flag are no product "
            f"bought outside home in the network: {listed(lost)}"
        )
        return [make_finding("N662", what, value=lost[0], count=len(lost))]


def domain_texts(
    network: ProductionNetwork | None, given: Domains | None, own: Mapping[str, tuple[str, ...]]
) -> dict[str, str | None]:
    """Return the technology domains of each candidate: those given, else the network's.

    Without a network a domain given for the beginning of a code counts for it; the longest wins.
    """
    texts: dict[str, str | None] = {}
    if network is not None:
        products = network.tables["products"]["product"].to_list()
        column = network.column("products", "technology_domain").to_list()
        texts = dict(zip(products, column, strict=True))
    if isinstance(given, pl.DataFrame):
        lacking = [c for c in ("product", "technology_domain") if c not in given.columns]
        if lacking:
            raise UsageError(f"'domains' needs the columns product and {lacking[-1]}.")
        pairs = given.select("product", "technology_domain").cast(pl.String).iter_rows()
        given = {p: text for p, text in pairs if p is not None and text is not None}
    by_code = {plain(k): text for k, text in (given or {}).items()}
    found = {}
    for product, codes in own.items():
        heads = [c[:n] for c in map(plain, codes) for n in range(len(c), 1, -1) if c.isdigit()]
        keys = [plain(product), *heads]
        found[product] = next((by_code[k] for k in keys if k in by_code), texts.get(product))
    return found
