"""The slow twin of building a network: dictionaries and recursion, one node at a time.

It shares nothing with the package but the tables and the names of their columns.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

Row = dict[str, Any]
PERIODS = {"day": 365, "week": 52, "month": 12, "quarter": 4, "year": 1}


class NaiveNetwork:
    """Outputs, inputs, links and stocks of canonical tables (lists of rows)."""

    def __init__(
        self,
        tables: dict[str, list[Row]],
        *,
        home: str | None = None,
        assume_recipe: str = "none",
        period: str = "week",
        final_demand: dict[str, float] | None = None,
    ) -> None:
        self.tables = defaultdict(list, tables)
        self.nodes = {row["node"]: row for row in self.tables["nodes"]}
        self.homes = {r["region"] for r in self.tables["regions"] if r.get("home")} | {home} - {
            None
        }
        self.assume_recipe = assume_recipe
        self.yearly = final_demand or {}
        self.periods = PERIODS[period]
        self._output: dict[str, float] = {}

    # who needs what

    def knows_recipe(self, node: str) -> bool:
        is_home = self.nodes[node]["region"] in self.homes
        return is_home or self.assume_recipe == "shared" or not self.homes

    def recipe(self, node: str) -> dict[str, Row]:
        """Inputs of a node: its own rows, then those of its product where they are known."""
        product = self.nodes[node]["product"]
        rows = {}
        if self.knows_recipe(node):
            rows = {r["input"]: r for r in self.tables["recipes"] if r["buyer"] == product}
        return rows | {r["input"]: r for r in self.tables["recipes"] if r["buyer"] == node}

    def suppliers(self, node: str, product: str) -> dict[str, float]:
        """Shares by supplier: rows for the node, else for its product, else for every buyer."""
        for buyer in (node, self.nodes[node]["product"], "*"):
            rows = [r for r in self.links_of(product) if r["buyer"] == buyer]
            if rows:
                shares: dict[str, float] = defaultdict(float)
                for row in rows:
                    shares[row["supplier"]] += row["share"]
                return shares
        makers = {n: self.weight(n) for n in self.makers(product) if n != node}
        total = sum(makers.values())
        if not makers:
            return {}
        if total == 0:
            return {n: 1 / len(makers) for n in makers}
        return {n: weight / total for n, weight in makers.items()}

    def links_of(self, product: str) -> list[Row]:
        return [
            r
            for r in self.tables["links"]
            if (r.get("product") or self.nodes[r["supplier"]]["product"]) == product
        ]

    def makers(self, product: str) -> list[str]:
        return [n for n, row in self.nodes.items() if row["product"] == product]

    def weight(self, node: str) -> float:
        """How nodes of a product share it by default: `*` shares, else capacity, output, one."""
        row = self.nodes[node]
        stars = [r for r in self.links_of(row["product"]) if r["buyer"] == "*"]
        if stars:
            return sum(r["share"] for r in stars if r["supplier"] == node)
        for column in ("capacity", "output"):
            if row.get(column) is not None:
                return row[column]
        return 1.0

    # how much of it

    def demand(self, node: str) -> float:
        """Final demand per period: the settings, else the table, else the column."""
        product = self.nodes[node]["product"]
        if node in self.yearly:
            return self.yearly[node] / self.periods
        if product in self.yearly:
            total = sum(self.weight(n) for n in self.makers(product))
            return self.yearly[product] * self.weight(node) / total / self.periods
        rows = [r["value"] for r in self.tables["final_demand"] if r["node"] == node]
        if rows:
            return sum(rows)
        return self.nodes[node].get("final_demand") or 0.0

    def output(self, node: str) -> float:
        """Output at rest: as given, else final demand and what all buyers need."""
        if node not in self._output:
            given = self.nodes[node].get("output")
            if given is None:
                given = self.demand(node)
                for buyer in self.nodes:
                    for product, row in self.recipe(buyer).items():
                        share = self.suppliers(buyer, product).get(node, 0.0)
                        if share:
                            given += share * row["quantity"] * self.output(buyer)
            self._output[node] = given
        return self._output[node]

    def capacity(self, node: str) -> float:
        stated = self.nodes[node].get("capacity")
        return self.output(node) if stated is None else max(stated, self.output(node))

    def stock(self, node: str, product: str) -> float:
        """Stock of an input: the row for the node, else for its product, else for every buyer."""
        use = self.recipe(node)[product]["quantity"] * self.output(node)
        for holder in (node, self.nodes[node]["product"], "*"):
            for row in self.tables["stocks"]:
                if row["node"] == holder and row["product"] == product:
                    if row.get("quantity") is not None:
                        return row["quantity"]
                    return row["periods_of_use"] * use
        return 0.0
