"""Partners of trade: one label for every code that trade statistics use.

The table beside this module, `trade_partners.csv`, holds what ISO 3166 does not: territories that
no longer exist, the codes of the United Nations that differ from ISO (251 is France), areas that
are no country, and totals. Compiled by us from the code lists that Comtrade and BACI publish.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from withstand.model.blocs import country_of
from withstand.model.countries import country_code, country_name

TOTAL_NAMES = frozenset(
    ("world", "total", "all", "all countries", "world total", "delete", "wld", "row total")
)


@dataclass(frozen=True)
class TradePartner:
    """A code of a source, what it is called here, and what it is.

    Parameters
    ----------
    label : str
        Alpha-2 code; several joined by `_` for a territory of several countries of today ("BE_LU");
        a word for areas that are no country; empty for totals.
    name : str
    kind : {"country", "other code", "predecessor", "not one country", "total"}
    """

    label: str
    name: str
    kind: str


def trade_partner(code: str) -> TradePartner | None:
    """Return what a code or name of a trade statistic means, or None if it is not known.

    Parameters
    ----------
    code : str
        A numeric code with or without leading zeros, alpha-2, alpha-3 or a name.

    Examples
    --------
    >>> trade_partner("842").label, trade_partner("58").label, trade_partner("DEU").label
    ('US', 'BE_LU', 'DE')
    >>> trade_partner("0").kind, trade_partner("Germny")
    ('total', None)
    """
    text = code.strip()
    if text.casefold() in TOTAL_NAMES:
        return TradePartner("", text, "total")
    key = str(int(text)) if text.isascii() and text.isdigit() else text.upper()
    special = _special().get(key)
    if special is not None:
        return special
    if key.isdigit():
        country = country_code(key.zfill(3))
    else:
        country = country_of(text) or country_code(text)
    if country is None:
        return None
    return TradePartner(country, country_name(country) or country, "country")


def parts_of(label: str) -> tuple[str, ...]:
    """Return the countries of today that a label stands for.

    Examples
    --------
    >>> parts_of("BE_LU"), parts_of("DE")
    (('BE', 'LU'), ('DE',))
    """
    return tuple(label.split("_"))


@cache
def _special() -> dict[str, TradePartner]:
    table = files("withstand.model").joinpath("trade_partners.csv").read_text(encoding="utf-8")
    found: dict[str, TradePartner] = {}
    for row in csv.DictReader(table.splitlines()):
        partner = TradePartner(row["label"], row["name"], row["kind"])
        for key in (row["numeric"], row["alpha3"]):
            if key:
                found[key] = partner
    return found
