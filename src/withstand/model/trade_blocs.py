"""Blocs of trade by year: a bloc, a country, a list, or blocs added and taken away."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Set

from withstand.errors import UsageError
from withstand.model.blocs import AS_OF, bloc_members, country_of, known_blocs
from withstand.model.countries import suggest_region
from withstand.model.findings import nearest, shorten
from withstand.model.trade_partners import parts_of

BlocLike = str | Iterable[str] | Mapping[int, Iterable[str]]
"""A name or sum ("EU27", "DE", "EU+CH-HU"), labels of regions, or labels by year."""

_TERM = re.compile(r"([+-]?)\s*([^+\-\s][^+-]*)")


def members_in(bloc: BlocLike, year: int, labels: Iterable[str]) -> frozenset[str]:
    """Return which labels of a cube belong to a bloc at the end of a year.

    Parameters
    ----------
    bloc : str, iterable of str, or mapping of int to iterable of str
        A bloc of `withstand.model.blocs.bloc_members` or a country, several joined by + and - from
        left to right ("EU+CH-HU"); "*" for everyone. Or labels; or labels by year.
    year : int
    labels : iterable of str
        The labels there are. One that stands for several countries ("BE_LU") belongs if all do.

    Raises
    ------
    UsageError
        If a name is not known, or a mapping lacks the year.

    Examples
    --------
    >>> sorted(members_in("EU", 2019, ["DE", "GB", "BE_LU", "US"]))
    ['BE_LU', 'DE', 'GB']
    >>> sorted(members_in("EU+CH-DE", 2020, ["DE", "FR", "GB", "CH"]))
    ['CH', 'FR']
    """
    present = list(labels)
    countries = _countries(bloc, year, present)
    return frozenset(
        label
        for label in present
        if label in countries or all(part in countries for part in parts_of(label))
    )


def bloc_name(bloc: BlocLike) -> str:
    """Return a bloc in a few words, for titles and provenance.

    Examples
    --------
    >>> bloc_name("EU27"), bloc_name(["DE", "FR"])
    ('EU27', 'DE+FR')
    """
    if isinstance(bloc, str):
        return bloc
    if isinstance(bloc, Mapping):
        return f"members by year ({min(bloc)}-{max(bloc)})" if bloc else "no members"
    members = sorted(bloc) if isinstance(bloc, Set) else bloc  # a set has no order of its own
    return shorten("+".join(str(x) for x in members))


def _countries(bloc: BlocLike, year: int, labels: list[str]) -> frozenset[str]:
    if isinstance(bloc, Mapping):
        if year not in bloc:
            raise UsageError(f"The members of the bloc are not given for {year}.")
        return _given(bloc[year], labels)
    if not isinstance(bloc, str):
        return _given(bloc, labels)
    text = bloc.strip()
    if text in labels:
        return frozenset((text,))
    found: frozenset[str] = frozenset()
    terms = list(_TERM.finditer(text))
    if not terms or "".join(t.group(0) for t in terms).strip() != text:
        raise UsageError(
            f"The bloc '{shorten(bloc)}' cannot be read; write blocs and countries joined by "
            "+ and -, such as EU27+CH."
        )
    for term in terms:
        members = _named(term.group(2).strip(), year, labels)
        found = found - members if term.group(1) == "-" else found | members
    return found


def _given(members: Iterable[str], labels: list[str]) -> frozenset[str]:
    found: set[str] = set()
    for member in members:
        found.add(member if member in labels else (country_of(str(member)) or str(member)))
    unknown = sorted(m for m in found if m not in labels and country_of(m) is None)
    if unknown:
        raise _unknown(unknown[0], labels)
    return frozenset(found)


def _named(name: str, year: int, labels: list[str]) -> frozenset[str]:
    if name == "*":
        return frozenset(labels)
    if name in known_blocs():
        return bloc_members(name, min(year, AS_OF))
    if name in labels:
        return frozenset((name,))
    country = country_of(name)
    if country is None:
        raise _unknown(name, labels)
    return frozenset((country,))


def _unknown(name: str, labels: list[str]) -> UsageError:
    near = nearest(name, known_blocs()) or suggest_region(name) or nearest(name, labels)
    hint = f" Did you mean {near}?" if near else ""
    blocs = ", ".join(known_blocs())
    return UsageError(f"There is no bloc or country '{shorten(name)}'; blocs are {blocs}.{hint}")
