"""The slow twins of the export decompositions, paths and criticality: loops over regions and cells.

Koopman-Wang-Wei and Wang-Wei-Zhu are written sum by sum from the papers. Borin-Mancini is written
from its meaning: value is followed border by border, and counts the first or the last time. They
start from the plain matrices of a twin economy and share nothing with the package.
"""

from __future__ import annotations

import itertools

import numpy as np


class Parts:
    """An economy cut into regions: A, v, B by rounds, L by rounds, final demand and exports."""

    def __init__(self, e):
        self.regions = e.regions
        self.n, self.G = e.n, len(e.regions)
        self.of = [e.regions.index(r) for r in e.region]
        self.cells = [[i for i in range(e.n) if self.of[i] == r] for r in range(self.G)]
        self.A = np.array(
            [[e.Z[i, j] / e.x[j] if e.x[j] > 0 else 0.0 for j in range(e.n)] for i in range(e.n)]
        )
        self.v = np.array([1.0 - sum(self.A[:, j]) for j in range(e.n)])
        self.B = rounds(self.A)
        self.Y = np.zeros((e.n, self.G))
        for column, user in enumerate(e.user):
            self.Y[:, e.regions.index(user)] += e.Y[:, column]
        self.L = rounds(self.only(lambda s, r: s == r))
        self.Z_to = np.zeros((e.n, self.G))
        for i in range(e.n):
            for j in range(e.n):
                self.Z_to[i, self.of[j]] += e.Z[i, j]
        self.E = np.zeros((e.n, self.G))
        for i in range(e.n):
            for r in range(self.G):
                if r != self.of[i]:
                    self.E[i, r] = self.Z_to[i, r] + self.Y[i, r]

    def only(self, keeps):
        """A with the sales from region s to region r that `keeps(s, r)` allows."""
        return np.array(
            [
                [self.A[i, j] if keeps(self.of[i], self.of[j]) else 0.0 for j in range(self.n)]
                for i in range(self.n)
            ]
        )

    def block(self, M, s, r):
        return M[np.ix_(self.cells[s], self.cells[r])]

    def part(self, vector, s):
        return vector[self.cells[s]]

    def others(self, *without):
        return [t for t in range(self.G) if t not in without and self.cells[t]]


def rounds(A):
    """I + A + A A + ..., added until a round adds nothing."""
    total, step = np.eye(len(A)), np.eye(len(A))
    while np.abs(step).max() > 1e-18:
        step = A @ step
        total = total + step
    return total


def kww(e):
    """The nine terms of each region with cells, equation 36: region -> nine numbers."""
    p = Parts(e)
    found = {}
    for s in p.others():
        t = np.zeros(10)
        vs = p.part(p.v, s)
        Bss, Lss = p.block(p.B, s, s), p.block(p.L, s, s)
        Es = p.part(p.E, s).sum(axis=1)
        for r in range(p.G):
            if r == s:
                continue
            Ysr = p.Y[p.cells[s], r]
            t[1] += vs @ Bss @ Ysr
            t[7] += sum(p.part(p.v, q) @ p.block(p.B, q, s) @ Ysr for q in p.others(s))
            if not p.cells[r]:
                continue
            Bsr, Ars = p.block(p.B, s, r), p.block(p.A, r, s)
            Asr, Lrr = p.block(p.A, s, r), p.block(p.L, r, r)
            t[2] += vs @ Bsr @ p.Y[p.cells[r], r]
            t[3] += sum(vs @ Bsr @ p.Y[p.cells[r], q] for q in range(p.G) if q not in (s, r))
            t[4] += vs @ Bsr @ p.Y[p.cells[r], s]
            t[5] += vs @ Bsr @ Ars @ Lss @ p.Y[p.cells[s], s]
            t[6] += vs @ Bsr @ Ars @ Lss @ Es
            for q in p.others(s):
                through = p.part(p.v, q) @ p.block(p.B, q, s) @ Asr @ Lrr
                t[8] += through @ p.Y[p.cells[r], r]
                t[9] += through @ p.part(p.E, r).sum(axis=1)
        found[p.regions[s]] = t[1:]
    return found


def wwz(e):
    """The sixteen terms of each cell and importer, equation 22: array (16, n, n_regions)."""
    p = Parts(e)
    found = np.zeros((17, p.n, p.G))
    for s in p.others():
        vs, cells = p.part(p.v, s), p.cells[s]
        home, pure = vs @ p.block(p.B, s, s), vs @ p.block(p.L, s, s)

        def B_Y(r, t, u):
            return p.block(p.B, r, t) @ p.Y[p.cells[t], u]

        for r in range(p.G):
            if r == s:
                continue
            Ysr = p.Y[cells, r]
            mva = p.part(p.v, r) @ p.block(p.B, r, s) if p.cells[r] else np.zeros(len(cells))
            ova = sum((p.part(p.v, t) @ p.block(p.B, t, s) for t in p.others(s, r)), 0 * home)
            t = {k: np.zeros(len(cells)) for k in range(1, 17)}
            t[1], t[11], t[14] = home * Ysr, mva * Ysr, ova * Ysr
            if p.cells[r]:
                Asr, Lrr = p.block(p.A, s, r), p.block(p.L, r, r)
                t[2] = pure * (Asr @ B_Y(r, r, r))
                for q in p.others(s, r):
                    t[3] += pure * (Asr @ B_Y(r, q, q))
                    t[7] += pure * (Asr @ B_Y(r, q, s))
                    for u in range(p.G):
                        if u not in (s, q):
                            t[5] += pure * (Asr @ B_Y(r, q, u))
                for q in range(p.G):
                    if q not in (s, r):
                        t[4] += pure * (Asr @ B_Y(r, r, q))
                    if q != s:
                        t[9] += pure * (Asr @ B_Y(r, s, q))
                t[6] = pure * (Asr @ B_Y(r, r, s))
                t[8] = pure * (Asr @ B_Y(r, s, s))
                t[10] = (home - pure) * p.Z_to[cells, r]
                used = Asr @ Lrr @ p.Y[p.cells[r], r]
                again = Asr @ Lrr @ p.part(p.E, r).sum(axis=1)
                t[12], t[13], t[15], t[16] = mva * used, mva * again, ova * used, ova * again
            for k in range(1, 17):
                found[k, cells, r] = t[k]
    return found[1:]


def borin_mancini(e, approach, perspective):
    """Value followed border by border: name of the term -> array (n, n_regions).

    Upstream: how the value in a unit of a cell came there. Downstream: what a unit of output of a
    foreign cell is used for.
    """
    p = Parts(e)
    names = ["VAX1", "VAX2", "VAX3", "VAX4", "REF1", "REF2", "DDC"]
    names += (
        ["FVA1", "FVA2", "FVA3", "FVA4", "FDC"] if perspective == "exporter" else ["FVA", "FDC"]
    )
    found = {name: np.zeros((p.n, p.G)) for name in names}
    for s in p.others():
        never_out = rounds(p.only(lambda a, b, s=s: a != s or b == s))  # s sells no inputs abroad
        first = source_content(p, s, rounds(p.only(lambda a, b: a == b)))
        no_return = source_content(p, s, never_out)
        content = source_content(p, s, p.B)
        for i in p.cells[s]:
            home, pure = content[s][i], first[s][i]
            foreign = sum(content[t][i] for t in p.others(s))
            new_foreign = sum(no_return[t][i] for t in p.others(s))
            for r in range(p.G):
                if r == s:
                    continue
                if approach == "source":
                    uses = downstream(p, s, r, i, lambda a, b: True)
                    own, abroad = pure, new_foreign
                    ddc, fdc = (home - pure) * p.E[i, r], (foreign - new_foreign) * p.E[i, r]
                else:
                    uses = downstream(p, s, r, i, lambda a, b, s=s: a != s or b == s)
                    own, abroad = home, foreign
                    last = sum(uses.values())
                    ddc, fdc = home * (p.E[i, r] - last), foreign * (p.E[i, r] - last)
                for name in ("VAX1", "VAX2", "VAX3", "VAX4", "REF1", "REF2"):
                    found[name][i, r] = own * uses[name]
                found["DDC"][i, r] = ddc
                if perspective == "exporter":
                    found["FVA1"][i, r] = abroad * uses["VAX1"]
                    found["FVA2"][i, r] = abroad * uses["VAX2"]
                    found["FVA3"][i, r] = abroad * (uses["VAX3"] + uses["REF1"])
                    found["FVA4"][i, r] = abroad * (uses["VAX4"] + uses["REF2"])
                    found["FDC"][i, r] = fdc
                else:
                    once = counted_once(p, s, r, i, approach)
                    found["FVA"][i, r] = once
                    found["FDC"][i, r] = foreign * p.E[i, r] - once
    return found


def source_content(p, s, chains):
    """Value of each region in a unit of each cell, along the chains allowed."""
    return {
        t: np.array([sum(p.v[k] * chains[k, i] for k in p.cells[t]) for i in range(p.n)])
        for t in p.others()
    }


def downstream(p, s, r, i, allowed):
    """What exports of cell i of s to r are used for, when inputs go only where allowed.

    Final goods of s itself are sold abroad only if s may sell abroad at all.
    """
    may_leave = allowed(s, -1)
    chains = rounds(p.only(allowed))
    uses = dict.fromkeys(("VAX1", "VAX2", "VAX3", "VAX4", "REF1", "REF2"), 0.0)
    uses["VAX1"] = p.Y[i, r]
    for j in p.cells[r]:
        for k in range(p.n):
            for user in range(p.G):
                if p.of[k] == s and user != s and not may_leave:
                    continue
                all_ways = p.A[i, j] * chains[j, k] * p.Y[k, user]
                within = p.A[i, j] * p.L[j, k] * p.Y[k, user] if p.of[k] == r else 0.0
                if user == r:
                    uses["VAX2"] += within
                    uses["VAX4"] += all_ways - within
                elif user == s:
                    uses["REF1"] += within
                    uses["REF2"] += all_ways - within
                else:
                    uses["VAX3"] += within
                    uses["VAX4"] += all_ways - within
    return uses


def counted_once(p, s, r, i, approach):
    """Foreign value in exports of cell i of s to r that no other foreign region's exports count."""
    total = 0.0
    for t in p.others(s):
        if approach == "source":  # made in t, sold straight to s, worked on in s, exported
            for k, j, h in itertools.product(p.cells[t], p.cells[t], p.cells[s]):
                total += p.v[k] * p.L[k, j] * p.A[j, h] * p.L[h, i] * p.E[i, r]
            continue
        content = sum(p.v[k] * p.B[k, i] for k in p.cells[t])
        chains = rounds(p.only(lambda a, b, t=t: a in (b, t)))  # only t may export from now on
        onward = p.Y[i, r]
        for j in p.cells[r]:
            for k in range(p.n):
                for user in range(p.G):
                    if user == p.of[k] or p.of[k] == t:
                        onward += p.A[i, j] * chains[j, k] * p.Y[k, user]
        total += content * onward
    return total


def vax(e):
    """Value added of each region that other regions use up (Johnson and Noguera 2012)."""
    p = Parts(e)
    found = {}
    for s in p.others():
        total = 0.0
        for k, j in itertools.product(p.cells[s], range(p.n)):
            total += sum(p.v[k] * p.B[k, j] * p.Y[j, u] for u in range(p.G) if u != s)
        found[p.regions[s]] = total
    return found


def paths(A, demand, ends, depth):
    """Every path with at most `depth` links: (nodes, value), the largest first."""
    n = len(demand)
    found = []
    for length in range(depth + 1):
        for nodes in itertools.product(range(n), repeat=length + 1):
            flow = demand[nodes[0]]
            for buyer, supplier in itertools.pairwise(nodes):
                flow *= A[supplier, buyer]
            if flow * ends[nodes[-1]] != 0:
                found.append((nodes, flow * ends[nodes[-1]]))
    return sorted(found, key=lambda path: -abs(path[1]))


def criticality(e, weight_of):
    """Weighted share of purchases by buyer and source region; weight_of(seller sector, buyer)."""
    regions = e.regions
    found = np.full((e.n, len(regions)), np.nan)
    for j in range(e.n):
        weighted = [0.0] * len(regions)
        for i in range(e.n):
            weighted[regions.index(e.region[i])] += weight_of(e.sector[i], e.sector[j]) * e.Z[i, j]
        if sum(weighted) > 0:
            found[j] = [w / sum(weighted) for w in weighted]
    return found
