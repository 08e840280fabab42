"""Economic complexity with plain loops and a general eigenproblem: the slow, obvious twin."""

from __future__ import annotations

import math

import numpy as np


def complexity(values, threshold=1.0, convention="ecomplexity"):
    """Return every indicator of a table in one piece as a dictionary of arrays."""
    m, n = len(values), len(values[0])
    of_place = [sum(values[c][p] for p in range(n)) for c in range(m)]
    of_product = [sum(values[c][p] for c in range(m)) for p in range(n)]
    total = sum(of_place)
    rca = [
        [(values[c][p] / of_place[c]) / (of_product[p] / total) for p in range(n)] for c in range(m)
    ]
    least = threshold * (1 + 1e-12) if convention == "stata" else threshold * (1 - 1e-12)
    has = [[1 if rca[c][p] >= least else 0 for p in range(n)] for c in range(m)]
    diversity = [sum(has[c]) for c in range(m)]
    ubiquity = [sum(has[c][p] for c in range(m)) for p in range(n)]
    e, q = vectors(has, diversity, ubiquity)
    eci = [(x - mean(e)) / deviation(e) for x in e]
    if convention in ("ecomplexity", "stata"):
        pci = [(x - mean(e)) / deviation(e) for x in q]
        worth, scale = q, deviation(e)
    else:
        pci = [(x - mean(q)) / deviation(q) for x in q]
        worth, scale = pci, 1.0
    phi = [[proximity(has, ubiquity, p, r) for r in range(n)] for p in range(n)]
    if convention == "stata":
        phi = [[phi[p][r] if p != r else 0.0 for r in range(n)] for p in range(n)]
    density = [
        [sum(phi[p][r] * has[c][r] for r in range(n)) / sum(phi[p]) for p in range(n)]
        for c in range(m)
    ]
    coi = [outlook(has[c], density[c], worth) for c in range(m)]
    cog = [[0.0] * n for _ in range(m)]
    for c in range(m):
        for p in range(n):
            if not has[c][p]:
                cog[c][p] = gain(has[c], phi, density[c], worth, p, convention) / scale
    if convention in ("ecomplexity", "stata"):
        coi = [(x - mean(coi)) / deviation(coi) for x in coi]
    if convention == "stata":  # Stata sums up all place x product rows, and divides by one less
        smaller = math.sqrt(1 - 1 / (m * n))
        eci, pci, coi = ([x * smaller for x in v] for v in (eci, pci, coi))
        cog = [[x * smaller for x in row] for row in cog]
    return {
        k: np.array(v)
        for k, v in {
            "rca": rca,
            "present": has,
            "diversity": diversity,
            "ubiquity": ubiquity,
            "eci": eci,
            "pci": pci,
            "proximity": phi,
            "density": density,
            "coi": coi,
            "cog": cog,
        }.items()
    }


def mean(x):
    return sum(x) / len(x)


def deviation(x):
    """Return the population standard deviation."""
    return math.sqrt(sum((y - mean(x)) ** 2 for y in x) / len(x))


def vectors(has, diversity, ubiquity):
    """Return the second eigenvector of products, by who makes what who makes, and of places."""
    m, n = len(has), len(has[0])
    step = np.array(
        [
            [
                sum(has[c][p] * has[c][r] / (diversity[c] * ubiquity[p]) for c in range(m))
                for r in range(n)
            ]
            for p in range(n)
        ]
    )
    values, found = np.linalg.eig(step)
    q = np.real(found[:, np.argsort(-np.real(values))[1]])
    e = [sum(has[c][p] * q[p] for p in range(n)) / diversity[c] for c in range(m)]
    sign = np.sign(np.corrcoef(diversity, e)[0, 1])
    return [sign * x for x in e], [sign * x for x in q]


def proximity(has, ubiquity, p, r):
    """Return the smaller of two conditional chances."""
    both = sum(row[p] * row[r] for row in has)
    return min(both / ubiquity[p], both / ubiquity[r])


def outlook(has, density, worth):
    return sum(density[p] * worth[p] for p in range(len(has)) if not has[p])


def gain(has, phi, density, worth, p, convention):
    """Return what taking up product p brings, by convention."""
    n = len(has)
    paths = sum(phi[p][r] / sum(phi[r]) * worth[r] for r in range(n) if not has[r])
    if convention in ("ecomplexity", "stata"):
        return paths
    if convention == "atlas":
        return paths - density[p] * worth[p]
    after = [*has[:p], 1, *has[p + 1 :]]
    nearer = [sum(phi[r][s] * after[s] for s in range(n)) / sum(phi[r]) for r in range(n)]
    return outlook(after, nearer, worth) - outlook(has, density, worth)


def fitness(has, rounds):
    """Return fitness and quality after so many rounds."""
    m, n = len(has), len(has[0])
    f, q = [1.0] * m, [1.0] * n
    for _ in range(rounds):
        new_f = [sum(has[c][p] * q[p] for p in range(n)) for c in range(m)]
        new_q = [1.0 / sum(has[c][p] / f[c] for c in range(m)) for p in range(n)]
        f = [x / mean(new_f) for x in new_f]
        q = [x / mean(new_q) for x in new_q]
    return np.array(f), np.array(q)


def reflections(has, rounds):
    """Return the averages of the method of reflections for places after so many rounds."""
    has = np.array(has, dtype=float)
    kc, kp = has.sum(axis=1), has.sum(axis=0)
    c, p = kc.copy(), kp.copy()
    for _ in range(rounds):
        c, p = has @ p / kc, has.T @ c / kp
    return c
