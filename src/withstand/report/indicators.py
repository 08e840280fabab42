"""The indicators that are compared and tracked, as data: what each says, of which part, how.

A filter names the part that counts, `without=JP; kind=equipment`: a key, an equals sign and
labels, which are separated by commas.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from withstand.errors import UsageError
from withstand.model.findings import nearest
from withstand.people.target_tables import INDICATORS as OF_PEOPLE
from withstand.people.target_tables import KEYS as PEOPLE_KEYS
from withstand.people.target_tables import WITH_NEEDS

if TYPE_CHECKING:
    from collections.abc import Mapping

UNITS = ("share", "count", "index", "periods", "currency", "persons")
_ASKED = re.compile(r"\s*([A-Za-z0-9_]+)\s*(?:[\[(](.*)[\])])?\s*\Z", re.DOTALL)


@dataclass(frozen=True, kw_only=True)
class Indicator:
    """One number that a network is judged by.

    Parameters
    ----------
    name : str
        As targets, thresholds and the command line call it.
    says : str
        What it is called for people.
    unit : {"share", "count", "index", "periods", "currency", "persons"}
    better : {"more", "less"}
        Which side is good.
    keys : tuple of str
        What a filter may name.
    how : str
        How it is computed, in a sentence or two.
    by_year : bool
        Whether it is a projection of a calendar year rather than of the network as it stands.
    """

    name: str
    says: str
    unit: str
    better: str
    keys: tuple[str, ...] = ()
    how: str
    by_year: bool = False


_RULES = "rule=none: makers outside home deliver whatever they need; rule=shared: they need the"\
    " same recipe."  # fmt: skip
_NETWORK = (
    Indicator(
        name="home_share",
        says="Value that arises at home, all tiers",
        unit="share",
        better="more",
        how="Value content v'(I - A)^-1 of final demand at home (measures.exposure).",
    ),
    Indicator(
        name="tier1_home_share",
        says="Direct purchases from home",
        unit="share",
        better="more",
        how="Value of the direct purchases of priced goods from home over all of them"
        " (measures.exposure).",
    ),
    Indicator(
        name="region_share",
        says="Value from one region outside home",
        unit="share",
        better="less",
        keys=("region",),
        how="Share of the value, all tiers, that arises in the regions named, or in the largest"
        " outside home (measures.exposure).",
    ),
    Indicator(
        name="single_sources",
        says="Products with a single supplier",
        unit="count",
        better="less",
        keys=("kind", "product", "outside"),
        how="Products bought from one producer only; outside=yes counts those whose producer is"
        " outside home (measures.concentration by node).",
    ),
    Indicator(
        name="largest_source",
        says="Largest share of one supplier in a product",
        unit="share",
        better="less",
        keys=("kind", "product", "by", "outside"),
        how="Over the products, the largest share that one producer (by=node) or region (by=region)"
        " has in what is bought of it; outside=yes looks at sources outside home only"
        " (measures.concentration).",
    ),
    Indicator(
        name="largest_hhi",
        says="Highest concentration of a product bought abroad",
        unit="index",
        better="less",
        keys=("kind", "product"),
        how="Over products that are bought outside home at all, the highest sum of squared shares"
        " of regions (measures.concentration).",
    ),
    Indicator(
        name="feasible_output",
        says="Output left without a region",
        unit="share",
        better="more",
        keys=("without", "rule"),
        how="Largest share of final demand that can be met without the regions named, or without"
        f" the one region outside home that is missed most (measures.coverage). {_RULES}",
    ),
    Indicator(
        name="covered",
        says="Need that is covered without a region",
        unit="share",
        better="more",
        keys=("without", "kind", "product", "rule"),
        how="Mean over the products (of a kind) of the share of their need that the producers left"
        " can supply, without the regions named, or without the one outside home that is missed"
        f" most (measures.coverage). {_RULES}",
    ),
    Indicator(
        name="time_to_survive",
        says="Time that final demand lasts without a region",
        unit="periods",
        better="more",
        keys=("region",),
        how="Shortest time to survive of the regions named, or of all outside home, with the best"
        " use of stocks (stress.survival).",
    ),
    Indicator(
        name="periods_lost",
        says="Demand lost when a region fails",
        unit="periods",
        better="less",
        keys=("region", "for"),
        how="Periods of final demand lost when a region outside home (the worst, or the one named)"
        " loses all its output for 26 weeks (or `for`) and recovers in 8 (stress.simulate).",
    ),
    Indicator(
        name="esri",
        says="Systemic risk of the riskiest node",
        unit="share",
        better="less",
        keys=("node",),
        how="Largest share of the whole that the failure of one node takes along (stress.esri); in"
        " a plant, makers of the final product are left out.",
    ),
    Indicator(
        name="plan_cost",
        says="Cost of the plan",
        unit="currency",
        better="less",
        how="What a plan costs, as its file states; nothing where no plan is applied.",
    ),
    Indicator(
        name="missing",
        says="People missing in the worst year",
        unit="persons",
        better="less",
        how="Most people missing to the need in any of the next ten years (people.project).",
    ),
)  # fmt: skip
_PEOPLE = tuple(
    Indicator(
        name=name,
        says=says[:1].upper() + says[1:],
        unit="share" if name in WITH_NEEDS else "persons",
        better="more",
        keys=PEOPLE_KEYS,
        how=f"{says[:1].upper() + says[1:]}, as projected (people.attainment).",
        by_year=True,
    )
    for name, says in OF_PEOPLE.items()
)
INDICATORS: Mapping[str, Indicator] = {i.name: i for i in (*_NETWORK, *_PEOPLE)}
"""Every indicator by its name."""


def indicator_of(name: str) -> Indicator:
    """Return an indicator by its name.

    Raises
    ------
    UsageError
        If there is none (with the nearest one).

    Examples
    --------
    >>> indicator_of("home_share").unit
    'share'
    """
    found = INDICATORS.get(name.strip())
    if found is None:
        near = nearest(name, list(INDICATORS))
        raise UsageError(
            f"There is no indicator '{name[:60]}'."
            + (f" Did you mean {near}?" if near else f" There are {', '.join(INDICATORS)}.")
        )
    return found


@dataclass(frozen=True)
class Asked:
    """An indicator and the part of the network that it is asked of.

    Parameters
    ----------
    name, filter : str

    Raises
    ------
    UsageError
        If the indicator is unknown, or the filter names what it does not know.

    Examples
    --------
    >>> Asked("covered", "kind=equipment;  without=JP,CN")
    Asked(name='covered', filter='kind=equipment; without=JP, CN')
    """

    name: str
    filter: str = ""

    def __post_init__(self) -> None:
        """Check the names, and write the filter in one way."""
        indicator = indicator_of(self.name)
        parts = parts_of(self.filter, indicator)
        said = "; ".join(f"{key}={', '.join(parts[key])}" for key in sorted(parts))
        object.__setattr__(self, "name", indicator.name)
        object.__setattr__(self, "filter", said)

    @property
    def indicator(self) -> Indicator:
        """The indicator."""
        return INDICATORS[self.name]

    @property
    def parts(self) -> dict[str, tuple[str, ...]]:
        """What the filter names, by key."""
        return parts_of(self.filter, self.indicator)

    @property
    def title(self) -> str:
        """What it is called for people, with its filter."""
        words = [_in_words(key, ", ".join(labels)) for key, labels in self.parts.items()]
        return self.indicator.says + (f" ({'; '.join(words)})" if words else "")

    def __str__(self) -> str:
        """Return `covered(without=JP)`."""
        return self.name + (f"({self.filter})" if self.filter else "")


def _in_words(key: str, labels: str) -> str:
    """Return one part of a filter as a title says it."""
    if key == "rule":
        return "recipes shared" if labels == "shared" else "makers abroad deliver"
    if key in ("without", "by", "since"):
        return f"{key} {labels}"
    return {"outside": "outside home" if labels == "yes" else "home too"}.get(key, labels)


def parts_of(text: str, indicator: Indicator) -> dict[str, tuple[str, ...]]:
    """Return what a filter names by key.

    Raises
    ------
    UsageError
        If it is not of the form `key=label, label; key=label`, or the indicator lacks a key.
    """
    found: dict[str, tuple[str, ...]] = {}
    for piece in text.split(";"):
        if not piece.strip():
            continue
        key, sign, value = piece.partition("=")
        key = key.strip()
        labels = tuple(x.strip() for x in value.split(",") if x.strip())
        if not sign or not labels:
            raise UsageError(
                f"Filter '{piece.strip()[:60]}' of {indicator.name}: write a key, an equals sign"
                " and labels, as in without=JP; kind=equipment."
            )
        if key not in indicator.keys:
            near = nearest(key, indicator.keys)
            known = ", ".join(indicator.keys) or "no key at all"
            raise UsageError(
                f"{indicator.name} is not filtered by '{key[:40]}', but by {known}."
                + (f" Did you mean {near}?" if near else "")
            )
        if key in found:
            raise UsageError(f"The filter of {indicator.name} names {key} twice.")
        found[key] = labels
    return found


def asked_of(text: str) -> Asked:
    """Return what `covered(without=JP; kind=equipment)` or `covered[...]` asks.

    Raises
    ------
    UsageError
        If the text is not of this form, or a name is unknown.

    Examples
    --------
    >>> str(asked_of("feasible_output[without=JP]"))
    'feasible_output(without=JP)'
    """
    match = _ASKED.match(text)
    if match is None:
        raise UsageError(
            f"'{text[:60]}' asks for no indicator; write home_share, or"
            " 'covered(without=JP; kind=equipment)'."
        )
    return Asked(match[1], match[2] or "")


def registry() -> pl.DataFrame:
    """Return every indicator as a row: indicator, says, unit, better, filters, how.

    Examples
    --------
    >>> registry().filter(pl.col("indicator") == "covered")["filters"].item()
    'without, kind, product, rule'
    """
    return pl.DataFrame(
        {
            "indicator": [i.name for i in INDICATORS.values()],
            "says": [i.says for i in INDICATORS.values()],
            "unit": [i.unit for i in INDICATORS.values()],
            "better": [i.better for i in INDICATORS.values()],
            "filters": [", ".join(i.keys) for i in INDICATORS.values()],
            "how": [i.how for i in INDICATORS.values()],
        }
    )
