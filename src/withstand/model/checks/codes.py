"""Rules about columns that hold codes of standards: of goods, and numbers of companies."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from withstand.model.codes import check_codes

if TYPE_CHECKING:
    from withstand.model.findings import Finding
    from withstand.model.network import ProductionNetwork

MOST = 0.5
"""Share of the cells of a column that must look like a number of a kind for all to be checked."""
_COMPANY_NUMBERS = {"gln": r"^[0-9]{13}$", "bpnl": r"^BPNL", "lei": r"^[A-Z0-9]{18}[0-9]{2}$"}


def check_code_columns(network: ProductionNetwork) -> list[Finding]:
    """Find codes of the Harmonized System and numbers of companies that cannot be right."""
    return [*_hs(network), *_companies(network)]


def _hs(network: ProductionNetwork) -> list[Finding]:
    products = network.tables["products"]
    if "hs" not in products.columns:
        return []
    codes = products["hs"].cast(pl.String)
    is_one = codes.str.contains(r"^\s*[0-9][0-9.\s]*$").fill_null(
        value=False
    )  # others: SOC 17-2141
    return check_codes(codes.set(~is_one, None), "hs", origin=network.origins.get("products"))


def _companies(network: ProductionNetwork) -> list[Finding]:
    nodes = network.tables["nodes"]
    if "company" not in nodes.columns:
        return []
    companies = nodes["company"].cast(pl.String)
    filled = companies.drop_nulls()
    for kind, pattern in _COMPANY_NUMBERS.items():
        if filled.str.contains(pattern).sum() > MOST * len(filled):
            return check_codes(companies, kind, origin=network.origins.get("nodes"))
    return []
