"""The tables that a block may become, with the kind of value that each column holds."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from withstand.model.tables import TABLES, Column, Table
from withstand.readers.mapping.vocabulary import fold, load_data, split_words
from withstand.readers.plant_tables import ITEMS, OCCUPATIONS, RECIPES, SUPPLIERS

CURRENCY = "currency"
PRICE_PER = "price_per"
HELPERS = {CURRENCY: "currency", PRICE_PER: "price_per"}
"""Columns that say how others are to be read, and are not kept themselves."""
PLANT = {t.name: t for t in (ITEMS, RECIPES, SUPPLIERS, OCCUPATIONS)}
TO_CANONICAL = {
    "items": ("products", {"id": "product", "hs_code": "hs"}),
    "recipes": (
        "recipes",
        {"parent": "buyer", "child": "input", "qty_per_unit": "quantity", "flow_type": "use"},
    ),
}
"""What the plant shorthand calls differently from the tables of the data dictionary."""
COMMON = ("items", "recipes", "suppliers", "nodes", "links", "stocks", "regions")

_KINDS = {  # columns whose kind their line in the dictionary does not say
    "country": "region",
    "region": "region",
    "hs": "hs",
    "hs_code": "hs",
    "lead_time": "time",
    "inventory": "time",
    "training": "time",
    "capacity": "rate",
    "price": "money",
    "share": "share",
    "kind": "kind",
    "flow_type": "use",
    "use": "use",
    "class": "class",
    "qty_per_unit": "quantity",
    "unit": "unit",
    "year": "year",
    "us_mean_wage_usd": "money",
}
_UNITS = {
    "periods": "time",
    "units per period": "rate",
    "currency per unit": "money",
    "currency per period": "money",
    "currency per year": "money",
    "currency": "money",
    "currency per place": "money",
    "0 to 1": "share",
    "share per year": "share",
    "degrees": "degrees",
    "units per unit": "quantity",
}


@dataclass(frozen=True)
class TargetColumn:
    """A column that a block may give: its kind of value, and the ideas it goes by.

    An idea has its name, its weight, and what the column must measure for it to count fully.
    """

    name: str
    kind: str
    is_required: bool
    ideas: tuple[tuple[str, float, str], ...]
    rule: Column


@dataclass(frozen=True)
class Target:
    """A table that a block may become."""

    name: str
    table: Table
    columns: tuple[TargetColumn, ...]
    titles: frozenset[str]

    @property
    def by_name(self) -> dict[str, TargetColumn]:
        """Columns by name."""
        return {c.name: c for c in self.columns}


@cache
def targets() -> dict[str, Target]:
    """Return every table that a block may become, by name."""
    found = {}
    for name, data in load_data("tables.toml").items():
        table = PLANT.get(name) or TABLES[name]
        columns = [_column(table, c, words, name) for c, words in data["columns"].items()]
        columns += [_helper(h, i) for h, i in HELPERS.items() if _has_money(columns)]
        columns += [_annotation(a) for a in ("source", "as_of", "basis", "confidence")
                    if a not in data["columns"]]  # fmt: skip
        titles = frozenset(fold(w) for w in [name, *split_words(data["names"])])
        found[name] = Target(name, table, tuple(columns), titles)
    return found


def _column(table: Table, name: str, words: list[str], of: str) -> TargetColumn:
    rule = table.names.get(name) or Column(name=name, meaning=name, type="number", low=0.0)
    ideas = []
    for word in words:
        idea, weight, measured = (
            [*word.split(), "1.0", ""][:3] if " " in word else (word, "1.0", "")
        )
        ideas.append((idea, float(weight), measured if measured != "1.0" else ""))
    is_required = rule.required
    return TargetColumn(name, _kind(rule, of), is_required, tuple(ideas), rule)


def _kind(rule: Column, table: str) -> str:
    if rule.name == "region" and table == "regions":
        return "region"
    if rule.name in _KINDS and not (rule.name == "kind" and rule.type != "choice"):
        return _KINDS[rule.name]
    if rule.type in ("number", "integer"):
        return _UNITS.get(rule.unit, "number")
    return {"yesno": "yesno", "label": "label", "choice": "choice"}.get(rule.type, "text")


def _has_money(columns: list[TargetColumn]) -> bool:
    return any(c.kind == "money" for c in columns)


def _helper(name: str, idea: str) -> TargetColumn:
    kind = "currency" if name == CURRENCY else "number"
    rule = Column(name=name, meaning="How the prices are to be read.")
    return TargetColumn(name, kind, False, ((idea, 1.0, ""),), rule)


def _annotation(name: str) -> TargetColumn:
    rule = Column(name=name, meaning="Where it comes from.")
    return TargetColumn(name, "text", False, ((name, 1.0, ""),), rule)


def candidates(names: frozenset[str], lens: str) -> list[str]:
    """Return the tables that a block may become beside those that a project holds.

    Parameters
    ----------
    names : frozenset of str
        Tables that the project holds.
    lens : str
        plant, firms or economy.
    """
    shut: set[str] = set()
    if "nodes" in names or lens != "plant":
        shut |= {"suppliers"}
    elif "suppliers" in names:
        shut |= {"nodes", "links"}
    return [name for name in targets() if name not in shut]
