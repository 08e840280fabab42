"""The slow twins of the measures of economies: dense inverses and loops over cells.

They start from plain matrices Z, Y and x, and share nothing with the package. A cell without
output is taken to buy nothing and to add all its value itself.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass
class Economy:
    """Flows Z (n, n), final demand Y (n, m), output x (n,), and where cells and users stand."""

    Z: np.ndarray
    Y: np.ndarray
    x: np.ndarray
    region: list  # of each cell
    sector: list  # of each cell
    user: list  # region of each column of Y
    category: list  # of each column of Y

    @property
    def n(self):
        return len(self.x)

    @property
    def regions(self):
        return list(dict.fromkeys([*self.region, *self.user]))

    @property
    def labels(self):
        return [f"{s}@{r}" for s, r in zip(self.sector, self.region, strict=True)]


def random_economy(rng, *, n_regions=3, n_sectors=3, density=0.7, inventories=True, empty=0):
    """Draw a table whose rows and columns balance exactly; `empty` cells make and buy nothing."""
    n = n_regions * n_sectors
    Z = rng.lognormal(0, 1, (n, n)) * (rng.random((n, n)) < density)
    categories = ["households", "investment"] + (["inventories"] if inventories else [])
    Y = rng.lognormal(1.5, 1, (n, n_regions * len(categories)))
    category = categories * n_regions
    is_inventory = np.array([c == "inventories" for c in category])
    if inventories:
        Y[:, is_inventory] *= 0.05 * rng.choice([-1.0, 1.0], (n, is_inventory.sum()))
    gone = rng.permutation(n)[:empty]
    Z[gone] = 0.0
    Z[:, gone] = 0.0
    Y[gone] = 0.0
    x = Z.sum(axis=1) + Y.sum(axis=1)
    # Make value added positive: scale the purchases of cells that spend too much, then sell the
    # rest to the first kind of final user so that the rows balance again.
    spend = Z.sum(axis=0)
    most = rng.uniform(0.3, 0.9, n) * x
    factor = np.where(spend > most, most / np.where(spend > 0, spend, 1.0), 1.0)
    lost = (Z * (1 - factor)).sum(axis=1)
    Z = Z * factor
    Y[:, 0] += lost
    return Economy(
        Z=Z, Y=Y, x=x,
        region=[f"R{r}" for r in range(n_regions) for _ in range(n_sectors)],
        sector=[f"s{s}" for _ in range(n_regions) for s in range(n_sectors)],
        user=[f"R{r}" for r in range(n_regions) for _ in categories],
        category=category,
    )  # fmt: skip


def halved(e):
    """Split the first cell into two equal halves, the first of them in a new sector."""
    at = [0, *range(e.n)]
    half = np.array([0.5, 0.5, *[1.0] * (e.n - 1)])
    return Economy(
        Z=e.Z[np.ix_(at, at)] * half[:, None] * half,
        Y=e.Y[at] * half[:, None],
        x=e.x[at] * half,
        region=[e.region[i] for i in at],
        sector=["half", *e.sector],
        user=e.user,
        category=e.category,
    )


def coefficients(e):
    A = np.zeros((e.n, e.n))
    for i in range(e.n):
        for j in range(e.n):
            if e.x[j] > 0:
                A[i, j] = e.Z[i, j] / e.x[j]
    return A


def leontief(e):
    return np.linalg.inv(np.eye(e.n) - coefficients(e))


def ghosh(e):
    B = np.zeros((e.n, e.n))
    for i in range(e.n):
        if e.x[i] > 0:
            B[i] = e.Z[i] / e.x[i]
    return np.linalg.inv(np.eye(e.n) - B)


def value_shares(e):
    return np.array([1.0 - coefficients(e)[:, j].sum() for j in range(e.n)])


def output_multipliers(e):
    return leontief(e).sum(axis=0)


def supply_multipliers(e):
    return ghosh(e).sum(axis=1)


def footprint(e, per_output):
    """Origin region x user region -> what arises."""
    L = leontief(e)
    found = {}
    for origin in e.regions:
        for user in dict.fromkeys(e.user):
            y = sum(e.Y[:, k] for k in range(len(e.user)) if e.user[k] == user)
            made = L @ y
            found[origin, user] = sum(
                per_output[i] * made[i] for i in range(e.n) if e.region[i] == origin
            )
    return found


def corrected(e, inventories=("inventories",)):
    """Sales and sales without the change of inventories."""
    sales = e.Z.sum(axis=1) + e.Y.sum(axis=1)
    change = sum(
        (e.Y[:, k] for k in range(len(e.user)) if e.category[k] in inventories), np.zeros(e.n)
    )
    return sales, sales - change


def upstreamness(e, inventories=("inventories",)):
    _, used = corrected(e, inventories)
    B = np.zeros((e.n, e.n))
    for i in range(e.n):
        if used[i] > 0:
            B[i] = e.Z[i] / used[i]
    return np.linalg.inv(np.eye(e.n) - B).sum(axis=1)


def downstreamness(e, inventories=("inventories",)):
    sales, used = corrected(e, inventories)
    A = np.zeros((e.n, e.n))
    for i in range(e.n):
        for j in range(e.n):
            if used[i] > 0 and sales[j] > 0:
                A[i, j] = e.Z[i, j] * sales[i] / used[i] / sales[j]
    return np.linalg.inv(np.eye(e.n) - A).sum(axis=0)


def value_content(e, cells):
    """Region -> share of the value of the final sales of some cells."""
    L, v = leontief(e), value_shares(e)
    y = np.array([e.Y[i].sum() if i in cells else 0.0 for i in range(e.n)])
    arises = v * (L @ y) / y.sum()
    return {r: sum(arises[i] for i in range(e.n) if e.region[i] == r) for r in e.regions}


def reliance(e, j):
    """Region -> (face, gross, value) share of the inputs of cell j."""
    A, L, v = coefficients(e), leontief(e), value_shares(e)
    column = {
        "face": A[:, j],
        "gross": L[:, j] - np.eye(e.n)[:, j],
        "value": v * L[:, j],
    }
    return {
        r: tuple(
            sum(c[i] for i in range(e.n) if e.region[i] == r) / c.sum() for c in column.values()
        )
        for r in e.regions
    }


def without_cells(e, cells):
    """Output of the economy that is left when rows, columns and final demand are deleted."""
    left = [i for i in range(e.n) if i not in cells]
    A = coefficients(e)[np.ix_(left, left)]
    made = np.linalg.inv(np.eye(len(left)) - A) @ e.Y[left].sum(axis=1)
    after = np.zeros(e.n)
    after[left] = made
    return after


def without_purchases(e, cells):
    A = coefficients(e)
    A[:, cells] = 0.0
    return np.linalg.inv(np.eye(e.n) - A) @ e.Y.sum(axis=1)


def without_sales(e, cells):
    """The Ghosh model: x' = v' (I - B)^-1 with some rows of B deleted."""
    B = np.zeros((e.n, e.n))
    for i in range(e.n):
        if e.x[i] > 0 and i not in cells:
            B[i] = e.Z[i] / e.x[i]
    return (e.x - e.Z.sum(axis=0)) @ np.linalg.inv(np.eye(e.n) - B)


def without_trade(e, cells, to):
    A = coefficients(e)
    Y = e.Y.copy()
    for i in cells:
        for j in range(e.n):
            if e.region[j] in to:
                A[i, j] = 0.0
        for k in range(len(e.user)):
            if e.user[k] in to:
                Y[i, k] = 0.0
    return np.linalg.inv(np.eye(e.n) - A) @ Y.sum(axis=1)
