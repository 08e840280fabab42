"""The intake programme once more: one dictionary of variables, scipy's solver, no shared code.

A case is plain data: occupations, moves, programmes as lists of dictionaries, needs as
needs[scenario][occupation][year]. Missing keys mean what empty cells mean.
"""

from __future__ import annotations

import math

import numpy as np
import polars as pl
from scipy.optimize import Bounds, LinearConstraint, milp

INF = math.inf


class Naive:
    """One linear programme, written out variable by variable."""

    def __init__(self):
        self.index, self.cost, self.upper, self.integer = {}, [], [], []
        self.equal, self.most = [], []

    def new(self, key, cost=0.0, upper=INF, *, integer=False):
        self.index[key] = len(self.cost)
        self.cost.append(cost)
        self.upper.append(upper)
        self.integer.append(integer)

    def row(self, terms):
        row = np.zeros(len(self.cost))
        for key, weight in terms:
            if key in self.index:
                row[self.index[key]] += weight
        return row

    def solve(self):
        rows = [(self.row(t), v, v) for t, v in self.equal]
        rows += [(self.row(t), -INF, v) for t, v in self.most]
        matrix, low, high = (np.array(x) for x in zip(*rows, strict=True))
        found = milp(
            np.array(self.cost),
            constraints=LinearConstraint(matrix, low, high),
            bounds=Bounds(0, np.array(self.upper)),
            integrality=np.array(self.integer, dtype=int),
            options={"mip_rel_gap": 0.0},
        )
        return found.fun if found.status == 0 else None, found.x


def twin(case, *, aim="cost", whole=False, risk="expected"):
    """Return the least value, None if there is none."""
    lp = build(case, aim, whole=whole, risk=risk)
    return lp.solve()[0]


def build(case, aim="cost", *, whole=False, risk="expected"):
    lp = Naive()
    occupations, moves = case["occupations"], case.get("moves", [])
    programmes, needs = case.get("programmes", []), case["needs"]
    chance = case.get("probability", [1.0 / len(needs)] * len(needs))
    n_years = len(needs[0][0])
    place = {o["occupation"]: c for c, o in enumerate(occupations)}
    if risk == "worst":
        lp.new("worst", 1.0)
    paid = {"cost": 1.0}.get(aim, 0.0)
    in_scenario = {s: [] for s in range(len(needs))}

    def second(s, key, money, head=0.0, **more):
        weight = money * paid + head
        lp.new(key, chance[s] * weight if risk == "expected" else 0.0, **more)
        in_scenario[s].append((key, weight))

    for t in range(n_years):
        for p, x in enumerate(programmes):
            top = x.get("seats", INF) * (1.0 + x.get("seat_growth", 0.0)) ** t
            lp.new(("I", p, t), paid * x.get("cost", 0.0), top, integer=whole)
        for c, o in enumerate(occupations):
            if "recruit_limit" in o or "recruit_cost" in o:
                money = paid * o.get("recruit_cost", 0.0)
                lp.new(("R", c, t), money, o.get("recruit_limit", INF), integer=whole)
    for s, need in enumerate(needs):
        for t in range(n_years):
            for c, o in enumerate(occupations):
                second(s, ("N", s, c, t), o.get("staff_cost", 0.0))
                second(s, ("E", s, c, t), o.get("overmanning_cost", 0.0),
                       upper=o.get("overmanning_limit", INF))  # fmt: skip
                if "redundancy_cost" in o or "redundancy_limit" in o:
                    second(s, ("D", s, c, t), o.get("redundancy_cost", 0.0),
                           float(aim == "redundancy"), upper=o.get("redundancy_limit", INF),
                           integer=whole)  # fmt: skip
                if "short_time_limit" in o:
                    second(s, ("S", s, c, t), o.get("short_time_cost", 0.0),
                           upper=o["short_time_limit"], integer=whole)  # fmt: skip
                    lp.most.append(([(("S", s, c, t), 1), (("N", s, c, t), -1)], 0.0))
                if "overtime_limit" in o:
                    second(s, ("O", s, c, t), o.get("overtime_cost", 0.0))
                    share = o["overtime_limit"]
                    lp.most.append(([(("O", s, c, t), 1), (("N", s, c, t), -share)], 0.0))
                if "unmet_cost" in o or aim == "unmet":
                    second(s, ("U", s, c, t), o.get("unmet_cost", 0.0), float(aim == "unmet"))
            for m, x in enumerate(moves):
                second(s, ("V", s, m, t), x.get("cost", 0.0), upper=x.get("limit", INF),
                       integer=whole)  # fmt: skip
                if "limit_share" in x:
                    there = ("N", s, place[x["to"]], t)
                    lp.most.append(([(("V", s, m, t), 1), (there, -x["limit_share"])], 0.0))
            for c, o in enumerate(occupations):
                balance(lp, case, place, s, c, t, o)
                work = [(("N", s, c, t), 1.0), (("O", s, c, t), 1.0), (("U", s, c, t), 1.0)]
                work += [(("E", s, c, t), -1.0)]
                work += [(("S", s, c, t), -(1.0 - o.get("short_time_output", 0.5)))]
                for p, x in enumerate(programmes):
                    if place[x.get("trainer", x["occupation"])] == c:
                        work += [
                            (("I", p, t - k), -x.get("trainers_per_seat", 0.0))
                            for k in range(x["duration"])
                        ]
                lp.equal.append((work, need[c][t]))
            if "all_overmanning" in case:
                over = [(("E", s, c, t), 1.0) for c in range(len(occupations))]
                lp.most.append((over, case["all_overmanning"]))
        if risk == "worst":
            lp.most.append(([("worst", -1.0), *in_scenario[s]], 0.0))
    return lp


def balance(lp, case, place, s, c, t, o):
    """Who was there and stayed, who came, who went."""
    gone, gone_new = o.get("exit_rate", 0.0), o.get("new_exit_rate", 0.0)
    terms = [(("N", s, c, t), 1.0), (("D", s, c, t), 1.0), (("R", c, t), -(1.0 - gone_new))]
    terms += [(("N", s, c, t - 1), -(1.0 - gone))]
    for p, x in enumerate(case.get("programmes", [])):
        if x["occupation"] == o["occupation"]:
            grow = x.get("completion", 1.0) * x.get("retention", 1.0)
            terms += [(("I", p, t - x["duration"]), -grow * (1.0 - gone_new))]
        if x.get("from_occupation") == o["occupation"]:
            terms += [(("I", p, t), 1.0)]
    for m, x in enumerate(case.get("moves", [])):
        length, success = x.get("duration", 0), x.get("success", 1.0)
        if x["to"] == o["occupation"]:
            leave = x.get("leave", gone)
            terms += [(("V", s, m, t - length), -success * (1.0 - leave))]
        if x["from"] == o["occupation"]:
            terms += [(("V", s, m, t), 1.0), (("V", s, m, t - length), -(1.0 - success))]
    lp.equal.append((terms, (1.0 - gone) * o.get("people", 0.0) if t == 0 else 0.0))


def tables(case, first_year=2026):
    """Return the arguments of `optimise_intake` for a case."""
    labels = [o["occupation"] for o in case["occupations"]]
    chance = case.get("probability", [1.0 / len(case["needs"])] * len(case["needs"]))
    rows = [
        {"occupation": labels[c], "year": first_year + t, "people": float(x)}
        | ({"scenario": f"s{s}", "probability": chance[s]} if len(case["needs"]) > 1 else {})
        for s, need in enumerate(case["needs"])
        for c, path in enumerate(need)
        for t, x in enumerate(path)
    ]
    given = {"needs": pl.DataFrame(rows), "occupations": frame(case["occupations"])}
    for name in ("moves", "programmes"):
        if case.get(name):
            given[name] = frame(case[name])
    if "all_overmanning" in case:
        given["limits"] = pl.DataFrame(
            {"what": ["overmanning"], "limit": [float(case["all_overmanning"])]}
        )
    return given


def frame(rows):
    names = list(dict.fromkeys(k for row in rows for k in row))
    return pl.DataFrame({n: [row.get(n) for row in rows] for n in names}, strict=False)


def random_case(rng, n_scenarios=1):
    """Return a case of one to three occupations, one to four years, with any of the levers."""
    n, years = int(rng.integers(1, 4)), int(rng.integers(1, 5))

    def some(chance, value):
        return {} if rng.random() > chance else value()

    def amount(most, digits=0):
        return round(float(rng.uniform(0, most)), digits)

    occupations = []
    for c in range(n):
        o = {"occupation": f"O{c}", "people": amount(100), "exit_rate": amount(0.4, 2)}
        o |= some(0.7, lambda: {"new_exit_rate": amount(0.5, 2)})
        o |= some(0.6, lambda: {"recruit_limit": amount(40), "recruit_cost": amount(9, 1)})
        o |= some(0.6, lambda: {"redundancy_cost": amount(5, 1)})
        o |= some(0.3, lambda: {"redundancy_limit": amount(30)})
        o |= some(0.5, lambda: {"overmanning_cost": amount(20, 1)})
        o |= some(0.2, lambda: {"overmanning_limit": amount(50)})
        o |= some(0.5, lambda: {"short_time_limit": amount(20), "short_time_cost": amount(6, 1)})
        o |= some(0.3, lambda: {"short_time_output": amount(1, 2)})
        o |= some(0.5, lambda: {"overtime_limit": amount(0.3, 2), "overtime_cost": amount(15, 1)})
        o |= some(0.8, lambda: {"unmet_cost": amount(60, 1)})
        o |= some(0.3, lambda: {"staff_cost": amount(4, 1)})
        occupations.append(o)
    pairs = [(a, b) for a in range(n) for b in range(n) if a != b]
    moves = []
    for a, b in pairs:
        if rng.random() < 0.6:
            move = {"from": f"O{a}", "to": f"O{b}", "cost": amount(8, 1)}
            move |= some(0.5, lambda: {"limit": amount(25)})
            move |= some(0.3, lambda: {"limit_share": amount(0.5, 2)})
            move |= some(0.5, lambda: {"success": amount(1, 2)})
            move |= some(0.5, lambda: {"leave": amount(1, 2)})
            move |= some(0.5, lambda: {"duration": int(rng.integers(0, 3))})
            moves.append(move)
    programmes = []
    for p in range(int(rng.integers(0, 3))):
        x = {"programme": f"P{p}", "occupation": f"O{rng.integers(n)}"}
        x |= {"duration": int(rng.integers(1, 4)), "seats": amount(30), "cost": amount(10, 1)}
        x |= some(0.7, lambda: {"completion": amount(1, 2), "retention": amount(1, 2)})
        x |= some(0.5, lambda: {"seat_growth": amount(0.8, 2)})
        x |= some(0.4, lambda: {"trainers_per_seat": amount(0.4, 2)})
        x |= some(0.4, lambda: {"trainer": f"O{rng.integers(n)}"})
        x |= some(0.3, lambda: {"from_occupation": f"O{rng.integers(n)}"})
        programmes.append(x)
    needs = [[[amount(150) for _ in range(years)] for _ in range(n)] for _ in range(n_scenarios)]
    case = {"occupations": occupations, "moves": moves, "programmes": programmes, "needs": needs}
    if n_scenarios > 1:
        weights = rng.dirichlet(np.ones(n_scenarios))
        case["probability"] = [float(x) for x in weights]
    return case | some(0.3, lambda: {"all_overmanning": amount(60)})
