"""Names that are not to be shown: suppliers, companies and sites become numbers everywhere.

A network is given other names before anything is computed, so that no page, table or message can
hold the old ones. Regions and products keep theirs, unless they are called like a producer.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import polars as pl

from withstand.model.tables import TABLES, is_annotation
from withstand.report.basis import class_of

if TYPE_CHECKING:
    from withstand.model.network import ProductionNetwork
    from withstand.report.tracking import Tracked

KINDS = {"node": "Supplier", "company": "Company", "site": "Site"}
NAME = "Project"
"""What the network itself is called: its name may be that of the company."""
_LEFT_OUT = ("sources",)
_EMPTIED = ("note",)
_KEPT = ("region", "from_region", "to_region", "bloc", "kind")
_NEW_NODES = ("node", "buyer", "from", "to")
_WORD = re.compile(r"\w+")
MOST_WORDS = 8
SHORTEST_IN_TEXT = 3
"""Names of fewer characters are replaced where they are labels, not inside longer text."""


@dataclass(kw_only=True)
class Hiding:
    """Which number stands for which name; the same for the same key and project.

    Parameters
    ----------
    key : bytes
        Kept in the project and never shown: the order of numbers says nothing about names.
    numbers : dict of kind to dict of name to number
    """

    key: bytes
    numbers: dict[str, dict[str, int]] = field(default_factory=lambda: {k: {} for k in KINDS})

    def learn(self, network: ProductionNetwork) -> bool:
        """Give numbers to the names of a network that are new; tell whether there were any."""
        is_more = False
        for kind, names in names_of(network).items():
            known = self.numbers.setdefault(kind, {})
            new = sorted(set(names) - set(known), key=lambda n: (self._draw(kind, n), n))
            last = max(known.values(), default=0)
            known.update({name: last + at for at, name in enumerate(new, 1)})
            is_more = is_more or bool(new)
        self.__dict__.pop("_words", None)
        return is_more

    def _draw(self, kind: str, name: str) -> bytes:
        return hmac.new(self.key, f"{kind}\0{name}".encode(), hashlib.sha256).digest()

    def alias(self, kind: str, name: str) -> str:
        """Return `Supplier 017`; what has no number is returned as it is."""
        number = self.numbers[kind].get(name)
        return name if number is None else f"{KINDS[kind]} {number:03d}"

    def label(self, text: str | None) -> str | None:
        """Return a label under its other name, whatever kind it is of."""
        if text is None:
            return None
        for kind in KINDS:
            if text in self.numbers[kind]:
                return self.alias(kind, text)
        return self.text(text)

    def text(self, text: str) -> str:
        """Return text in which every hidden name, as a row of whole words, is replaced."""
        words = self._known()
        found = list(_WORD.finditer(text))
        edges = [0, *(m.start() for m in found)]
        parts, at = [], 0
        for start in sorted(set(edges)):
            if start < at:
                continue
            ends = [m.end() for m in found if m.end() > start][:MOST_WORDS]
            for end in [len(text), *reversed(ends)]:
                alias = words.get(text[start:end].strip().casefold())
                if alias is not None and end > start:
                    parts += [text[at:start], alias]
                    at = end
                    break
        return "".join([*parts, text[at:]])

    def _known(self) -> dict[str, str]:
        if "_words" not in self.__dict__:
            self.__dict__["_words"] = {
                name.strip().casefold(): self.alias(kind, name)
                for kind in reversed(KINDS)
                for name in self.numbers[kind]
                if len(name.strip()) >= SHORTEST_IN_TEXT
            }
        known: dict[str, str] = self.__dict__["_words"]
        return known

    def network(self, network: ProductionNetwork) -> ProductionNetwork:
        """Return a network under other names; an economy has no names of producers to hide.

        Notes, sources and where numbers come from are left out (of the last, the class stays), and
        so are columns that the dictionary does not know.

        Examples
        --------
        >>> from withstand.examples import tiny
        >>> hiding = Hiding(key=b"1")
        >>> net = tiny()
        >>> hiding.learn(net)
        True
        >>> sorted(hiding.network(net).node_labels.tolist())
        ['Supplier 001', 'Supplier 002', 'Supplier 003']
        """
        if network.flow_table is not None:
            return network
        tables = {n: self._table(n, f) for n, f in network.tables.items() if n not in _LEFT_OUT}
        old = network.settings
        settings = replace(
            old,
            name=NAME,
            viewpoint=self._exact(old.viewpoint),
            final_demand={str(self._exact(k)): v for k, v in old.final_demand.items()},
        )
        return network.build(tables, settings, {})

    def _exact(self, label: str | None) -> str | None:
        return None if label is None else self.label(label)

    def _table(self, name: str, frame: pl.DataFrame) -> pl.DataFrame:
        known = set(TABLES[name].names)
        made = []
        for column in frame.columns:
            series = frame[column]
            if is_annotation(column):
                made.append(_mapped(series, class_of) if _is_basis(column) else None)
            elif column in known:
                made.append(self._column(name, series))
        return pl.DataFrame([s for s in made if s is not None])

    def _column(self, table: str, series: pl.Series) -> pl.Series:
        column = series.name
        if series.dtype != pl.String or column in _KEPT or table == "regions":
            return series
        if column in _EMPTIED:
            return pl.Series(column, [None] * len(series), dtype=pl.String)
        if column in ("company", "site"):
            return _mapped(series, lambda x: None if x is None else self.alias(column, x))
        if column == "filter":
            return _mapped(series, lambda x: None if x is None else self.text(x))
        return _mapped(series, self.label)


def _is_basis(column: str) -> bool:
    return column == "basis" or column.endswith("_basis")


def _mapped(series: pl.Series, rename) -> pl.Series:  # type: ignore[no-untyped-def]
    """Return a series with each of its values renamed, each looked up once."""
    values = series.cast(pl.String).unique().to_list()
    known = {v: rename(v) for v in values}
    return pl.Series(series.name, [known[v] for v in series.cast(pl.String)], dtype=pl.String)


def names_of(network: ProductionNetwork) -> dict[str, list[str]]:
    """Return the names that are hidden: producers (planned ones too), companies and sites."""
    nodes = network.tables["nodes"]
    found = {"node": [str(x) for x in network.node_labels], "company": [], "site": []}
    for kind in ("company", "site"):
        if kind in nodes.columns:
            found[kind] = _filled(nodes[kind])
    effects = network.tables.get("option_effects")
    if effects is not None:
        planned = [x for c in _NEW_NODES if c in effects.columns for x in _filled(effects[c])]
        products = set(network.product_labels.tolist())
        found["node"] += [x for x in planned if x not in products and "*" not in x]
    return {kind: list(dict.fromkeys(names)) for kind, names in found.items()}


def _filled(series: pl.Series) -> list[str]:
    return [x for x in series.cast(pl.String).unique().sort().to_list() if x and x.strip()]


def every_name(networks: Iterable[ProductionNetwork]) -> set[str]:
    """Return every name of some networks that is hidden."""
    found: set[str] = set()
    for network in networks:
        for names in names_of(network).values():
            found |= set(names)
    return found


def hidden_tracked(found: Tracked, hiding: Hiding) -> Tracked:
    """Return judged targets in which no hidden name stands."""
    from withstand.report.indicators import Asked

    judgements = []
    for one in found.judgements:
        goal = one.goal
        target = replace(
            goal.target,
            indicator=hiding.text(goal.target.indicator),
            filter=_filter(goal.target.filter, hiding),
        )
        asked = None
        if goal.asked is not None:
            asked = Asked(goal.asked.name, _filter(goal.asked.filter, hiding))
        goal = replace(goal, target=target, asked=asked, why=hiding.text(goal.why))
        points = tuple(replace(p, why=hiding.text(p.why)) for p in one.points)
        judgements.append(replace(one, goal=goal, points=points, why=hiding.text(one.why)))
    return replace(
        found,
        name=NAME,
        judgements=tuple(judgements),
        notes=tuple(hiding.text(n) for n in found.notes),
    )


def _filter(text: str, hiding: Hiding) -> str:
    """Return a filter with its labels renamed."""
    pieces = []
    for piece in text.split(";"):
        key, sign, value = piece.partition("=")
        labels = [str(hiding.label(x.strip())) for x in value.split(",")]
        pieces.append(f"{key.strip()}={', '.join(labels)}" if sign else piece.strip())
    return "; ".join(p for p in pieces if p)


def to_document(hiding: Hiding) -> dict[str, object]:
    """Return what is kept of it."""
    return {"format": 1, "key": hiding.key.hex(), "numbers": hiding.numbers}


def from_document(document: Mapping[str, object]) -> Hiding:
    """Return what was kept.

    Raises
    ------
    ValueError
        If it is not what `to_document` returns.
    """
    numbers, key = document.get("numbers"), document.get("key")
    if document.get("format") != 1 or not isinstance(numbers, dict) or not isinstance(key, str):
        raise ValueError
    found = Hiding(key=bytes.fromhex(key))
    for kind in KINDS:
        own = numbers.get(kind, {})
        whole = isinstance(own, dict) and all(
            isinstance(n, str) and type(v) is int and v > 0 for n, v in own.items()
        )
        if not whole or len(set(own.values())) < len(own):
            raise ValueError
        found.numbers[kind] = dict(own)
    return found
