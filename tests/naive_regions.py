"""The slow twins of regions and clusters: plain loops over dictionaries and lists.

They share nothing with the package.
"""

from __future__ import annotations

import math


def quotient(e, r, i, j, method, delta, diagonal="flq"):
    """Return how much of what industry j needs of i region r has: e[region][industry]."""
    nation = sum(sum(row) for row in e)
    size = sum(e[r]) / nation

    def slq(k):
        national = sum(row[k] for row in e) / nation
        return (e[r][k] / sum(e[r])) / national if national else 0.0

    if e[r][j] == 0:
        return 0.0
    if method == "slq":
        return slq(i)
    value = slq(i) if i == j else slq(i) / slq(j)
    if method == "cilq":
        return value
    if i != j or diagonal == "flq":
        value *= math.log2(1 + size) ** delta
    if method == "aflq" and slq(j) > 1:
        value *= math.log2(1 + slq(j))
    return value


def ras(matrix, rows, columns, rounds=20_000):
    """Return the matrix balanced by plain scaling, rows then columns."""
    x = [list(map(float, row)) for row in matrix]
    for _ in range(rounds):
        for i, target in enumerate(rows):
            total = sum(x[i])
            x[i] = [v * target / total if total else 0.0 for v in x[i]]
        worst = 0.0
        for j, target in enumerate(columns):
            total = sum(row[j] for row in x)
            worst = max(worst, abs(total - target))
            for row in x:
                row[j] = row[j] * target / total if total else 0.0
        if worst < 1e-14:
            break
    return x


def gras(matrix, rows, columns, rounds=400):
    """Return the matrix balanced by factors that are found by halving intervals."""
    m, n = len(matrix), len(matrix[0])
    r, s = [1.0] * m, [1.0] * n

    def entry(a, factor):
        return a * factor if a > 0 else a / factor

    def solve(line, others, target):
        low, high = 1e-9, 1e9
        for _ in range(110):
            middle = math.sqrt(low * high)
            if sum(entry(a, middle * f) for a, f in zip(line, others, strict=True)) < target:
                low = middle
            else:
                high = middle
        return math.sqrt(low * high)

    for _ in range(rounds):
        r = [solve(matrix[i], s, rows[i]) for i in range(m)]
        s = [solve([row[j] for row in matrix], r, columns[j]) for j in range(n)]
    return [[entry(matrix[i][j], r[i] * s[j]) for j in range(n)] for i in range(m)]


def interregional(z, y, v, e, method, delta):
    """Return flows[(s, i)][(r, j)] and final[(s, i)][(r, f)] of a closed nation."""
    regions, n, users = range(len(e)), range(len(z)), range(len(y[0]))
    made = {(r, i): e[r][i] / sum(row[i] for row in e) for r in regions for i in n}
    income = [sum(made[r, i] * max(v[i], 0.0) for i in n) for r in regions]
    used = [x / sum(income) for x in income]
    size = [sum(row) / sum(map(sum, e)) for row in e]
    flows, final = {}, {}
    for i in n:
        buyers = [("z", r, j) for r in regions for j in n] + [
            ("y", r, f) for r in regions for f in users
        ]
        columns, seed = [], [[] for _ in regions]
        for kind, r, k in buyers:
            if kind == "z":
                amount = made[r, k] * z[i][k]
                share = quotient(e, r, i, k, method, delta)
            else:
                amount = used[r] * y[i][k]
                share = quotient(e, r, i, i, "slq", delta)
                if method in ("flq", "aflq"):
                    share *= math.log2(1 + size[r]) ** delta
            others = sum(made[s, i] for s in regions if s != r)
            kept = min(1.0, share) * amount if others else amount
            columns.append(amount)
            for s in regions:
                seed[s].append(kept if s == r else (amount - kept) * made[s, i] / others)
        rows = [made[s, i] * sum(columns) for s in regions]
        done = ras(seed, rows, columns)
        for s in regions:
            for (kind, r, k), x in zip(buyers, done[s], strict=True):
                (flows if kind == "z" else final)[(s, i), (r, k)] = x
    return flows, final


# --- clusters ------------------------------------------------------------------------------------


def modularity(a, community, resolution=1.0):
    """Return directed modularity as a double sum over all pairs."""
    n = len(a)
    total = sum(a[i][j] for i in range(n) for j in range(n) if i != j)
    out = [sum(a[i][j] for j in range(n) if j != i) for i in range(n)]
    into = [sum(a[j][i] for j in range(n) if j != i) for i in range(n)]
    q = 0.0
    for i in range(n):
        for j in range(n):
            if community[i] == community[j]:
                link = a[i][j] if i != j else 0.0
                q += link / total - resolution * out[i] * into[j] / total**2
    return q


def divisions(n):
    """Yield every division of n nodes into groups."""

    def grow(labels, groups):
        if len(labels) == n:
            yield list(labels)
            return
        for c in range(groups + 1):
            yield from grow([*labels, c], max(groups, c + 1))

    yield from grow([], 0)


def best_division(a, resolution=1.0):
    """Return the highest modularity of all divisions."""
    return max(modularity(a, c, resolution) for c in divisions(len(a)))


def _gain(w, out, into, i, group, resolution, total):
    """Return what node i gains by joining a group of other nodes."""
    link = sum(w[i][j] for j in group)
    chance = out[i] * sum(into[j] for j in group) + into[i] * sum(out[j] for j in group)
    return link - resolution * chance / total


def move_nodes(w, out, into, resolution, total, order, community):
    """Return communities as sets after moving nodes one by one from a queue."""
    community = list(community)
    queue = list(order)
    while queue:
        i = queue.pop(0)
        rest = [j for j in range(len(w)) if j != i]
        groups = {community[j]: [k for k in rest if community[k] == community[j]] for j in rest}
        own = groups.get(community[i], [])
        best, most = community[i], _gain(w, out, into, i, own, resolution, total)
        seen = dict.fromkeys(community[j] for j in rest if w[i][j] > 0)
        for c in seen:
            gain = _gain(w, out, into, i, groups[c], resolution, total)
            if gain > most + 1e-12 * total:
                best, most = c, gain
        if most < -1e-12 * total and own:
            best = max(community) + 1
        if best != community[i]:
            community[i] = best
            for j in rest:
                if w[i][j] > 0 and community[j] != best and j not in queue:
                    queue.append(j)
    return community


def refine_communities(w, out, into, resolution, total, order, community):
    """Return the part of each node: single nodes join parts of their community, well tied ones."""
    n = len(w)
    part = list(range(n))

    def tied(group, whole):
        rest = [j for j in whole if j not in group]
        link = sum(w[i][j] for i in group for j in rest)
        chance = sum(out[i] * into[j] + into[i] * out[j] for i in group for j in rest)
        return link >= resolution * chance / total - 1e-12 * total

    for i in order:
        if [k for k in range(n) if part[k] == part[i]] != [i]:
            continue
        whole = [j for j in range(n) if community[j] == community[i]]
        if not tied([i], whole):
            continue
        best, most = part[i], 1e-12 * total
        for p in dict.fromkeys(part[j] for j in range(n) if w[i][j] > 0 and j in whole):
            group = [k for k in range(n) if part[k] == p]
            gain = _gain(w, out, into, i, group, resolution, total)
            if tied(group, whole) and gain > most:
                best, most = p, gain
        part[i] = best
    return part


def same_division(one, other):
    """Tell whether two lists of labels group alike."""
    return len(set(zip(one, other, strict=True))) == len(set(one)) == len(set(other))
