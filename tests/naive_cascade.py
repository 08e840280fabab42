"""The slow twin of the cascade kernels: dense, as published, with the state h = 1 - loss."""

import numpy as np


def shares_down(W, sector, classes, costs=None):
    """Ld: share of the essential sector, or of all purchases, or nothing."""
    n = len(W)
    bought = W.sum(axis=0)
    Ld = np.zeros((n, n))
    for i in range(n):
        for j in range(n):
            if W[i, j] == 0:
                continue
            if classes[sector[i], sector[j]] == 2:
                Ld[i, j] = W[i, j] / W[sector == sector[i], j].sum()
            elif classes[sector[i], sector[j]] == 1:
                Ld[i, j] = W[i, j] / bought[j]
    if costs is not None:
        Ld = Ld * np.where(costs > 0, bought / np.where(costs > 0, costs, 1), 1)[None, :]
    return Ld


def shares_up(W, revenue=None):
    """Lu: share of sales (or of revenue, where given)."""
    total = W.sum(axis=1) if revenue is None else np.asarray(revenue, dtype=float)
    return W / np.where(total > 0, total, 1.0)[:, None]


def replacement(size, sector, h, rule):
    """sigma: 1, or the share of what is left in the market, capped at 1."""
    sigma = np.ones(len(size))
    if rule == "off":
        return sigma
    for i in range(len(size)):
        market = sector == sector[i]
        left = (size[market] * h[market]).sum()
        if rule == "parity":
            sigma[i] = min(1.0, size[i] / (left if left > 1e-10 else 1.0))
        elif left > 1e-10 * size[market].sum():
            sigma[i] = min(1.0, size[i] / left)
    return sigma


def cascade(W, sector, classes, psi, psi_up, eps, rule, *, costs=None, revenue=None, rounds=100000):
    """Return h_d, h_u and the number of rounds: all nodes at once, until no change above eps."""
    n, size = len(W), W.sum(axis=1)
    Ld, Lu = shares_down(W, sector, classes, costs), shares_up(W, revenue)
    essential = classes[np.ix_(sector, sector)] == 2
    h_d, h_u = 1 - psi, 1 - psi_up
    for t in range(1, rounds + 1):
        sigma = replacement(size, sector, h_d, rule)
        lost = sigma[:, None] * Ld * (1 - h_d)[:, None]
        new_d = np.empty(n)
        for j in range(n):
            limits = [1 - psi[j], 1 - lost[~essential[:, j], j].sum()]
            for k in range(len(classes)):
                suppliers = essential[:, j] & (sector == k)
                limits.append(1 - lost[suppliers, j].sum())
            new_d[j] = max(0.0, min(limits))
        new_u = np.maximum(0.0, np.minimum(1 - psi_up, 1 - Lu @ (1 - h_u)))
        change = max(np.abs(new_d - h_d).max(), np.abs(new_u - h_u).max())
        h_d, h_u = new_d, new_u
        if change <= eps:
            return h_d, h_u, t
    return h_d, h_u, -1


def esri(W, sector, classes, eps, rule, *, weights=None, costs=None, revenue=None, nodes=None):
    """Return the index, its two parts and the rounds for single failures."""
    n = len(W)
    w = W.sum(axis=1) if weights is None else np.asarray(weights, dtype=float)
    rows = []
    for f in range(n) if nodes is None else nodes:
        psi = (np.arange(n) == f).astype(float)
        h_d, h_u, t = cascade(W, sector, classes, psi, psi, eps, rule, costs=costs, revenue=revenue)
        total = w.sum()
        lost = [(w * (1 - h)).sum() / total for h in (np.minimum(h_d, h_u), h_d, h_u)]
        rows.append((*lost, t))
    return np.array(rows)
