"""The slow twins of the measures: dictionaries, recursion, one plain linear programme.

They start from rows as a person would read them (or straight from CSV files), and share nothing
with the package.
"""

from __future__ import annotations

import csv
import math
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from scipy.optimize import linprog


@dataclass
class Plant:
    """A plant in dictionaries.

    `nodes`: label -> (product, region); `recipes`: product -> input -> (quantity, class);
    `shares`: (buyer node or "*", product) -> supplier node -> share; `demand`: product -> quantity;
    `capacity`, `price`: by node; `home`: region. Quantities are per period.
    """

    nodes: dict
    recipes: dict
    shares: dict
    demand: dict
    home: str
    capacity: dict = field(default_factory=dict)
    price: dict = field(default_factory=dict)
    kinds: dict = field(default_factory=dict)
    made: dict = field(default_factory=dict)  # rule -> outputs, kept because they take long

    def makers(self, product):
        return [n for n, (p, _) in self.nodes.items() if p == product]

    def recipe(self, node, rule):
        """What the node needs per unit: nothing if it stands abroad and its recipe is unknown."""
        product, region = self.nodes[node]
        return self.recipes.get(product, {}) if rule == "shared" or region == self.home else {}

    def suppliers(self, buyer, product):
        """Who serves a buyer with what share; by capacity where no row says so."""
        for key in ((buyer, product), (self.nodes[buyer][0], product), ("*", product)):
            if key in self.shares:
                return self.shares[key]
        makers = [m for m in self.makers(product) if m != buyer]
        total = sum(self.capacity.get(m, 1.0) for m in makers)
        return {m: self.capacity.get(m, 1.0) / total for m in makers}

    def stated(self):
        return {product for _, product in self.shares} | set(self.demand)


def read_plant(folder, demand=None):
    """Read items, recipes and suppliers straight from their files."""

    def rows(name):
        with (Path(folder) / name).open(encoding="utf-8") as file:
            return list(csv.DictReader(file))

    plant = Plant({}, {}, {}, demand or {"ROBOT": 10_000 / 52}, "HOME")
    for row in rows("items.csv"):
        plant.kinds[row["id"]] = row["kind"]
    for row in rows("recipes.csv"):
        recipe = plant.recipes.setdefault(row["parent"], {})
        recipe[row["child"]] = (float(row["qty_per_unit"]), "essential")
    for row in rows("suppliers.csv"):
        label = row["supplier"]
        plant.nodes[label] = (row["item"], row["country"])
        plant.shares.setdefault(("*", row["item"]), {})[label] = float(row["share"])
        plant.price[label] = float(row["price_usd"])
    for product, kind in plant.kinds.items():  # skills have one node at home
        if kind == "skill" and not plant.makers(product):
            plant.nodes[f"{product}@HOME"] = (product, "HOME")
    return plant


def outputs(plant, rule):
    """Return the output at rest of every node: its final demand and what its buyers need."""
    if rule in plant.made:
        return plant.made[rule]
    made = plant.made[rule] = {}

    def output(node):
        if node not in made:
            product = plant.nodes[node][0]
            own = _final(plant, product).get(node, 0.0)
            for buyer in plant.nodes:
                quantity, _ = plant.recipe(buyer, rule).get(product, (0.0, ""))
                if quantity:
                    own += output(buyer) * quantity * plant.suppliers(buyer, product).get(node, 0)
            made[node] = own
        return made[node]

    for node in plant.nodes:
        output(node)
    return made


def _final(plant, product):
    """Final demand on each maker of a product: by its share for every buyer, else by capacity."""
    if product not in plant.demand:
        return {}
    makers = plant.makers(product)
    shares = plant.shares.get(("*", product), {m: plant.capacity.get(m, 1.0) for m in makers})
    total = sum(shares.values())
    return {m: plant.demand[product] * s / total for m, s in shares.items()}


def slack_by_product(plant, slack):
    """Return the slack of each product: its own, its kind's, or 1."""
    products = {p for p, _ in plant.nodes.values()}
    if not isinstance(slack, dict):
        return dict.fromkeys(products, slack)
    return {p: slack.get(p, slack.get(plant.kinds.get(p), 1.0)) for p in products}


def limits(plant, lost, rule, slack=1.0, limit="share"):
    """Return the most each node can give; infinite where nobody states who supplies."""
    made, factor = outputs(plant, rule), slack_by_product(plant, slack)
    result = {}
    for node, (product, region) in plant.nodes.items():
        if region in lost:
            result[node] = 0.0
        elif limit == "capacity":
            result[node] = max(plant.capacity.get(node, made[node]), made[node])
        elif product in plant.stated():
            result[node] = factor[product] * made[node]
        else:
            result[node] = math.inf
    return result


def feasible_output(plant, lost, rule, slack=1.0, limit="share", raised=None, by=0.1):
    """Return the largest share of final demand that can be met, by a linear programme.

    `raised` names products whose limits rise by a share of need: of those who can still give
    something in proportion, else by a source from outside. Every quantity is in units of its
    product's need.
    """
    most = limits(plant, lost, rule, slack, limit)
    made = outputs(plant, rule)
    need = {}
    for node, (product, _) in plant.nodes.items():
        need[product] = need.get(product, 0.0) + made[node]
    products = [p for p in need if need[p] > 0]
    nodes = [n for n, (p, _) in plant.nodes.items() if p in products]
    outside = dict.fromkeys(products, 0.0)
    for product in raised or ():
        alive = [n for n in plant.makers(product) if most[n] > 0]
        total = sum(most[n] for n in alive)
        for n in alive:
            most[n] += by * need[product] * most[n] / total if total < math.inf else 0.0
        if not alive:
            outside[product] = by
    row_of = {p: i for i, p in enumerate(products)}
    use = np.zeros((len(products), len(nodes) + 1 + len(products)))  # use - supply <= 0
    for k, n in enumerate(nodes):
        product = plant.nodes[n][0]
        use[row_of[product], k] -= 1.0
        for needed, (quantity, kind) in plant.recipe(n, rule).items():
            if needed in row_of and kind != "minor":
                use[row_of[needed], k] += quantity * need[product] / need[needed]
    for product, quantity in plant.demand.items():
        use[row_of[product], len(nodes)] += quantity / need[product]
    for i in range(len(products)):
        use[i, len(nodes) + 1 + i] = -1.0
    cost = np.zeros(use.shape[1])
    cost[len(nodes)] = -1.0
    bounds = [(0, most[n] / need[plant.nodes[n][0]]) for n in nodes]
    bounds += [(0, 1)] + [(0, outside[p]) for p in products]
    tolerance = {"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10}
    done = linprog(cost, A_ub=use, b_ub=np.zeros(len(products)), bounds=bounds, options=tolerance)
    assert done.status == 0, done.message
    return -done.fun


def proportional(plant, lost, rule, slack=1.0, limit="share"):
    """Return what is left of final demand when every loss is passed on in proportion."""
    most = limits(plant, lost, rule, slack, limit)
    made = outputs(plant, rule)
    known = {}

    def available(product):
        if product not in known:
            makers = plant.makers(product)
            need = sum(made[m] for m in makers)
            if not makers or need <= 0:
                known[product] = 1.0
            elif any(math.isinf(most[m]) for m in makers):  # those who are left share it
                left = {m: made[m] for m in makers if plant.nodes[m][1] not in lost}
                total = sum(left.values())
                known[product] = sum(
                    (share / total if total > 0 else 1 / len(left)) * able(m)
                    for m, share in left.items()
                )
            else:
                best = max(able(m) if most[m] > 0 else 0.0 for m in makers)
                known[product] = min(best, sum(most[m] / need * able(m) for m in makers))
        return known[product]

    def able(node):
        recipe = plant.recipe(node, rule)
        return min([available(p) for p, (_, kind) in recipe.items() if kind != "minor"] + [1.0])

    return min(available(p) for p in plant.demand)


def domestic_content(plant, product):
    """Return the share of a product's value that arises at home, all tiers, by recursion."""
    makers = plant.shares[("*", product)]
    value = sum(share * plant.price[m] for m, share in makers.items())
    at_home = sum(
        share * _home_value(plant, m)
        for m, share in makers.items()
        if plant.nodes[m][1] == plant.home
    )
    return at_home / value


def _home_value(plant, node):
    """Return the value at home in one unit that a home node makes: its own, and its inputs'."""
    product = plant.nodes[node][0]
    value = plant.price[node]
    for needed, (quantity, _) in plant.recipes.get(product, {}).items():
        makers = plant.shares.get(("*", needed))
        if makers and all(m in plant.price for m in makers):
            price = sum(share * plant.price[m] for m, share in makers.items())
            value -= quantity * price * (1.0 - domestic_content(plant, needed))
    return value


def random_plant(rng):
    """Return a small plant without circles: products need only products of a higher number."""
    n_products = int(rng.integers(3, 8))
    regions = ["HOME", "A", "B", "C"][: int(rng.integers(2, 5))]
    plant = Plant({}, {}, {}, {}, "HOME")
    for p in range(n_products):
        product = f"P{p}"
        plant.kinds[product] = str(rng.choice(["component", "material", "equipment"]))
        n_makers = int(rng.integers(1, 4))
        for k in range(n_makers):
            region = str(rng.choice(regions)) if p or k else "HOME"
            plant.nodes[f"{product}.{k}"] = (product, region)
    for p in range(n_products - 1):
        later = np.arange(p + 1, n_products)
        size = int(rng.integers(0 if p else 1, min(3, len(later)) + 1))
        inputs = {
            f"P{q}": (
                round(float(rng.uniform(0.1, 3)), 3),
                str(rng.choice(["essential", "important", "minor"], p=[0.7, 0.15, 0.15])),
            )
            for q in rng.choice(later, size, replace=False)
        }
        if inputs:
            plant.recipes[f"P{p}"] = inputs
    for q in range(n_products):
        product = f"P{q}"
        makers = plant.makers(product)
        if rng.random() < 0.8:  # else nobody states who supplies it
            plant.shares["*", product] = _random_shares(rng, makers)
        buyers = [n for n in plant.nodes if product in plant.recipe(n, "shared")]
        for buyer in buyers:
            if rng.random() < 0.3 and ("*", product) in plant.shares:
                plant.shares[buyer, product] = _random_shares(rng, makers)
    for p in range(n_products):
        if p == 0 or rng.random() < 0.15:
            plant.demand[f"P{p}"] = round(float(rng.uniform(1, 20)), 2)
    made = outputs(plant, "none")
    for n in plant.nodes:
        if rng.random() < 0.7:
            plant.capacity[n] = round(float(made[n] * rng.uniform(0.8, 2.5) + 0.1), 4)
    plant.made.clear()  # where nobody states shares, they follow capacity
    return plant


def _random_shares(rng, makers):
    chosen = [m for m in makers if rng.random() < 0.8] or makers[:1]
    weight = rng.integers(1, 10, len(chosen)).astype(float)
    return {m: float(w / weight.sum()) for m, w in zip(chosen, weight, strict=True)}
