"""Transition networks, and the labour market that is played on them."""

from __future__ import annotations

import math

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from withstand.errors import DataError, UsageError
from withstand.people.demand_paths import demand_path, reallocated_demand
from withstand.people.labour_markets import MarketRates, labour_market
from withstand.people.related_occupations import relatedness
from withstand.people.transitions import TransitionNetwork, transition_network

SEEDS = st.integers(0, 2**32 - 1)


def flows(rows):
    return pl.DataFrame(rows, schema=["from", "to", "people"], orient="row")


def people(**columns):
    n = len(next(iter(columns.values())))
    return pl.DataFrame({"occupation": [f"o{i}" for i in range(n)], **columns})


def network_of(matrix):
    labels = tuple(f"o{i}" for i in range(len(matrix)))
    return TransitionNetwork(occupations=labels, matrix=np.asarray(matrix, float), findings=())


def random_network(rng, n, share=0.6):
    """Return a network with holes; every row has its own share that stays."""
    weight = rng.random((n, n)) * (rng.random((n, n)) < share)
    np.fill_diagonal(weight, rng.uniform(0.2, 1.0, n))
    return network_of(weight / weight.sum(axis=1, keepdims=True))


# --- transition networks -------------------------------------------------------------------------


def test_shares_of_observed_flows_by_hand():
    seen = flows([("a", "a", 6.0), ("a", "b", 3.0), ("a", "c", 1.0), ("b", "b", 1.0),
                  ("b", "c", 3.0), ("c", "a", 5.0)])  # fmt: skip
    as_seen = transition_network(seen, stay=None)
    assert as_seen.matrix.tolist() == [
        pytest.approx([0.6, 0.3, 0.1]), pytest.approx([0, 0.25, 0.75]), pytest.approx([1, 0, 0]),
    ]  # fmt: skip
    fixed = transition_network(seen, stay=0.55)
    assert fixed.matrix[0].tolist() == pytest.approx([0.55, 0.45 * 3 / 4, 0.45 / 4])
    assert fixed.leads_to("b").rows() == [("b", 0.55), ("c", pytest.approx(0.45))]
    assert fixed.to_frame().height == 3 + 2 + 2


@given(SEEDS)
def test_rows_of_a_network_from_relatedness_sum_to_one(seed):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(3, 9))
    frame = pl.DataFrame(rng.uniform(0, 5, (n, 4)), schema=list("wxyz"))
    related = relatedness(frame.with_columns(occupation=pl.Series([f"o{i}" for i in range(n)])))
    network = transition_network(related, stay=0.4, neighbours=2)
    assert network.matrix.sum(axis=1) == pytest.approx(np.ones(n))
    assert (network.matrix >= 0).all()
    assert (np.count_nonzero(network.matrix, axis=1) <= 3).all()
    for i, j in zip(*np.nonzero(network.matrix), strict=True):
        assert i == j or related.matrix[i, j] > 0


def test_who_cannot_leave_stays_and_is_named():
    network = transition_network(flows([("a", "b", 1.0), ("b", "b", 4.0)]))
    assert network.matrix[1].tolist() == [0.0, 1.0]
    assert [f.code for f in network.findings] == ["W533"]
    assert "b" in network.findings[0].what


@pytest.mark.parametrize(
    ("rows", "code"),
    [
        ([("a", "b", -1.0)], "E107"),
        ([("a", "b", 1.0), ("a", "b", 2.0)], "E106"),
        ([("a", None, 1.0)], "E102"),
        ([("a", "b", math.inf)], "E108"),
    ],
)
def test_faults_in_flows_are_findings(rows, code):
    with pytest.raises(DataError) as error:
        transition_network(flows(rows))
    assert code in {f.code for f in error.value.findings}


def test_wrong_questions_about_transitions_say_what_to_do():
    seen = flows([("turner", "grinder", 1.0)])
    with pytest.raises(UsageError, match="0 to 1"):
        transition_network(seen, stay=1.2)
    with pytest.raises(UsageError, match="Did you mean turner"):
        transition_network(seen, occupations=["turners", "grinder"])
    related = relatedness(
        pl.DataFrame({"occupation": ["a", "b"], "x": [1.0, 2.0], "y": [2.0, 1.0]})
    )
    with pytest.raises(UsageError, match="who stays"):
        transition_network(related, stay=None)


# --- the labour market, against what it must reduce to -------------------------------------------


def written_out(matrix, e, u, v, target, rates):
    """Play the market with loops over every pair of occupations, as the equations stand."""
    n = len(e)
    e, u, v = list(e), list(u), list(v)
    history = [(e[:], u[:], v[:])]
    for wanted in target:
        lost, opened = [0.0] * n, [0.0] * n
        for i in range(n):
            above = e[i] + v[i] - wanted[i]
            lost[i] = rates.separation * e[i] + (1 - rates.separation) * min(
                e[i], rates.closing * max(0.0, above)
            )
            opened[i] = rates.opening * e[i] + (1 - rates.opening) * min(
                e[i], rates.creating * max(0.0, -above)
            )
        applies = [[0.0] * n for _ in range(n)]
        for i in range(n):
            reach = sum(matrix[i][k] * v[k] for k in range(n))
            for j in range(n):
                applies[i][j] = u[i] * matrix[i][j] * v[j] / reach if reach > 0 else 0.0
        hired = [[0.0] * n for _ in range(n)]
        for j in range(n):
            s = sum(applies[i][j] for i in range(n))
            for i in range(n):
                if s > 0 and v[j] > 0:
                    hired[i][j] = applies[i][j] * v[j] / s * (1 - math.exp(-s / v[j]))
        for i in range(n):
            into = sum(hired[k][i] for k in range(n))
            e[i] += into - lost[i]
            u[i] += lost[i] - sum(hired[i])
            v[i] += opened[i] - into
        history.append((e[:], u[:], v[:]))
    return np.array(history)


@given(SEEDS)
def test_the_market_is_its_equations_written_out(seed):
    rng = np.random.default_rng(seed)
    n, periods = int(rng.integers(1, 6)), 12
    network = random_network(rng, n)
    e, u, v = (rng.uniform(0, top, n) for top in (1000, 100, 100))
    v[rng.random(n) < 0.3] = 0.0
    u[rng.random(n) < 0.2] = 0.0
    target = (e + v) * rng.uniform(0.5, 1.6, (periods, n))
    rates = MarketRates(separation=rng.uniform(0, 0.1), opening=rng.uniform(0, 0.1),
                        closing=rng.uniform(0, 1), creating=rng.uniform(0, 1))  # fmt: skip
    result = labour_market(network, people(employed=e, unemployed=u, vacancies=v), target=target,
                           periods=periods, rates=rates)  # fmt: skip
    expected = written_out(network.matrix, e, u, v, target, rates)
    assert result.employed == pytest.approx(expected[:, 0], rel=1e-9, abs=1e-7)
    assert result.unemployed == pytest.approx(expected[:, 1], rel=1e-9, abs=1e-7)
    assert result.vacancies == pytest.approx(expected[:, 2], rel=1e-9, abs=1e-7)


@given(SEEDS)
def test_nobody_is_lost_and_nothing_is_negative(seed):
    rng = np.random.default_rng(seed)
    n, periods = int(rng.integers(1, 7)), 40
    e = rng.uniform(0, 1000, n)
    network = random_network(rng, n)
    target = demand_path(e, e * rng.uniform(0, 3, n), periods, halfway=15, speed=0.5)
    result = labour_market(network, people(employed=e), target=target, periods=periods)
    force = (result.employed + result.unemployed).sum(axis=1)
    assert force == pytest.approx(np.full(periods + 1, force[0]), rel=1e-12)
    for stock in (result.employed, result.unemployed, result.vacancies, result.long_unemployed):
        assert (stock >= 0).all()
    assert (result.long_unemployed <= result.unemployed + 1e-9).all()
    assert result.hired == pytest.approx(
        np.diff(result.employed, axis=0) + result.separated, abs=1e-7
    )


def test_equal_occupations_on_a_complete_network_are_one_market():
    n, periods, rates = 5, 60, MarketRates()
    e, u, v, wanted = 1000.0, 40.0, 25.0, 1060.0
    network = network_of(np.full((n, n), 1 / n))
    start = people(employed=[e] * n, unemployed=[u] * n, vacancies=[v] * n)
    result = labour_market(network, start, target=np.full(n, wanted), periods=periods)
    for t in range(1, periods + 1):
        distance = e + v - wanted
        lost = 0.016 * e + 0.984 * 0.16 * max(0.0, distance)
        opened = 0.012 * e + 0.988 * 0.16 * max(0.0, -distance)
        hired = v * (1 - math.exp(-u / v))
        e, u, v = e - lost + hired, u + lost - hired, v + opened - hired
        assert result.employed[t] == pytest.approx([e] * n, rel=1e-10)
        assert result.unemployed[t] == pytest.approx([u] * n, rel=1e-10)
        assert result.vacancies[t] == pytest.approx([v] * n, rel=1e-10)
    assert rates.weeks == 6.75


def test_occupations_that_nobody_can_reach_keep_their_vacancies():
    network = network_of(np.eye(2))
    start = people(employed=[100.0, 100.0], unemployed=[50.0, 0.0], vacancies=[0.0, 50.0])
    still = MarketRates(separation=0.0, opening=0.0)
    result = labour_market(network, start, target=np.array([100.0, 150.0]), periods=5, rates=still)
    assert result.hired.sum() == 0.0
    assert result.unemployed[-1].tolist() == [50.0, 0.0]
    assert result.vacancies[-1].tolist() == [0.0, 50.0]


def individuals(matrix, e, u, v, target, rates, rng):
    """Play the market person by person: who applies where, which vacancy takes whom."""
    n = len(e)
    e, u, v = (np.array(x, dtype=np.int64) for x in (e, u, v))
    history = [(e.copy(), u.copy(), v.copy())]
    for wanted in target:
        above = e + v - wanted
        size = np.maximum(e, 1)
        ends = rates.separation + (1 - rates.separation) * np.minimum(
            1, rates.closing * np.maximum(0, above) / size
        )
        opens = rates.opening + (1 - rates.opening) * np.minimum(
            1, rates.creating * np.maximum(0, -above) / size
        )
        lost, opened = rng.binomial(e, ends), rng.binomial(e, opens)
        into, out = np.zeros(n, dtype=np.int64), np.zeros(n, dtype=np.int64)
        applications = [[] for _ in range(n)]
        for i in range(n):
            weight = matrix[i] * v
            if u[i] and weight.sum() > 0:
                for j in rng.choice(n, size=u[i], p=weight / weight.sum()):
                    applications[j].append(i)
        for j in range(n):
            if applications[j]:
                applicants = rng.permutation(applications[j])
                _, first = np.unique(rng.integers(0, v[j], len(applicants)), return_index=True)
                into[j] += len(first)
                np.add.at(out, applicants[first], 1)
        e, u, v = e - lost + into, u + lost - out, v + opened - into
        history.append((e.copy(), u.copy(), v.copy()))
    return np.array(history, dtype=float)


def test_the_mean_of_individuals_agrees_with_the_expectation():
    matrix = np.array([[0.6, 0.3, 0.1], [0.2, 0.5, 0.3], [0.0, 0.4, 0.6]])
    e, u, v = [4000.0, 3000.0, 2000.0], [200.0, 150.0, 120.0], [150.0, 120.0, 60.0]
    periods, seeds = 25, 40
    target = demand_path(np.array([4150.0, 3120.0, 2060.0]), np.array([3000.0, 3600.0, 2700.0]),
                         periods, halfway=10, speed=0.5)  # fmt: skip
    start = people(employed=e, unemployed=u, vacancies=v)
    result = labour_market(network_of(matrix), start, target=target, periods=periods)
    expected = np.stack([result.employed, result.unemployed, result.vacancies], axis=1)
    runs = np.array([
        individuals(matrix, e, u, v, target, MarketRates(), np.random.default_rng(seed))
        for seed in range(seeds)
    ])  # fmt: skip
    mean, error = runs.mean(axis=0), runs.std(axis=0, ddof=1) / math.sqrt(seeds)
    # 4.5 standard errors (225 numbers are compared), and 1 % for what the expectation leaves out:
    # vacancies are whole and few, of the order of 1 / 60 in the smallest occupation.
    assert (np.abs(mean - expected) <= 4.5 * error + 0.01 * expected).all()
    assert (runs.sum(axis=3)[:, :, :2].sum(axis=2) == 9470).all()


def test_who_is_without_work_for_27_weeks_is_counted_by_spells():
    # Nobody is hired (no vacancies), 10 lose work each period: after 4 periods the first are long.
    still = MarketRates(separation=0.1, opening=0.0)
    start = people(employed=[100.0], unemployed=[7.0], vacancies=[0.0])
    result = labour_market(network_of([[1.0]]), start, target=np.array([0.0]), periods=6,
                           rates=MarketRates(separation=0.1, opening=0.0, closing=0.0))  # fmt: skip
    assert result.separated[:2, 0].tolist() == pytest.approx([10.0, 9.0])
    assert result.long_unemployed[:, 0].tolist() == pytest.approx([0, 0, 0, 7.0, 17.0, 26.0, 34.1])
    assert still.weeks * 4 == 27.0


def test_flows_of_a_period_sum_to_who_was_hired():
    rng = np.random.default_rng(5)
    e = rng.uniform(100, 1000, 4)
    result = labour_market(random_network(rng, 4), people(employed=e), periods=3)
    for period in (1, 3):
        moved = result.flows(period).group_by("to").agg(pl.col("people").sum()).sort("to")
        assert moved["people"].to_list() == pytest.approx(result.hired[period - 1].tolist())
    with pytest.raises(UsageError, match="1 to 3"):
        result.flows(4)


def test_a_bottleneck_in_the_network_keeps_people_out_of_work():
    # The same shift of demand; in one network everybody can move, in the other few can.
    start = people(employed=[1000.0, 1000.0])
    target = demand_path(np.array([1012.0, 1012.0]), np.array([700.0, 1324.0]), 150,
                         halfway=40, speed=0.2)  # fmt: skip
    rates = [
        labour_market(network_of([[1 - x, x], [x, 1 - x]]), start, target=target, periods=150)
        .total["unemployment_rate"].max()
        for x in (0.5, 0.02)
    ]  # fmt: skip
    assert rates[1] > 1.2 * rates[0]


def test_the_frames_say_what_the_arrays_hold():
    result = labour_market(network_of(np.eye(2)), people(employed=[100.0, 300.0]), periods=2)
    frame = result.to_frame()
    assert frame.height == 6
    row = frame.row(3, named=True)
    assert (row["period"], row["occupation"]) == (1, "o1")
    assert row["employed"] == result.employed[1, 1]
    assert row["unemployment_rate"] == pytest.approx(
        result.unemployed[1, 1] / (result.unemployed[1, 1] + result.employed[1, 1])
    )
    total = result.total.row(2, named=True)
    assert total["vacancy_rate"] == pytest.approx(
        result.vacancies[2].sum() / (result.vacancies[2] + result.employed[2]).sum()
    )


def test_work_that_machines_take_over_moves_demand_but_does_not_lower_it():
    after = reallocated_demand(np.array([100.0, 300.0, 50.0]), np.array([0.4, 0.1, 0.0]))
    assert after.sum() == pytest.approx(450.0)
    # Hours 60, 270 and 50 of 380.
    assert after.tolist() == pytest.approx([60 * 450 / 380, 270 * 450 / 380, 50 * 450 / 380])


@pytest.mark.parametrize(
    ("table", "code"),
    [
        (people(employed=[1.0, -1.0]), "E107"),
        (people(employed=[1.0]), "E102"),
        (people(employed=[1.0, None]), "E102"),
        (people(employed=[1.0, 2.0]).with_columns(occupation=pl.lit("o1")), "E106"),
    ],
)
def test_faults_in_people_are_findings(table, code):
    with pytest.raises(DataError) as error:
        labour_market(network_of(np.eye(2)), table)
    assert code in {f.code for f in error.value.findings}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"target": np.ones(3)}, "expected"),
        ({"target": np.array([1.0, -1.0])}, "at least 0"),
        ({"target": np.array([1.0, np.nan])}, "finite"),
        ({"periods": 0}, "at least 1"),
    ],
)
def test_impossible_markets_are_refused(change, words):
    with pytest.raises(UsageError, match=words):
        labour_market(network_of(np.eye(2)), people(employed=[1.0, 2.0]), **change)


def test_unknown_people_and_impossible_rates_are_refused():
    table = people(employed=[1.0, 2.0]).with_columns(occupation=pl.Series(["o0", "o11"]))
    with pytest.raises(UsageError, match="o11"):
        labour_market(network_of(np.eye(2)), table)
    with pytest.raises(UsageError, match="no people"):
        labour_market(network_of(np.eye(2)), people(employed=[0.0, 0.0]))
    with pytest.raises(UsageError, match="separation"):
        MarketRates(separation=1.5)
    with pytest.raises(UsageError, match="weeks"):
        MarketRates(weeks=0.0)
    with pytest.raises(UsageError, match="no demand left"):
        reallocated_demand(np.array([1.0]), np.array([1.0]))


def test_demand_that_is_not_known_is_refused():
    # NaN would pass through every formula and come out as demand.
    with pytest.raises(UsageError, match="known everywhere"):
        demand_path(np.array([1.0, math.nan]), np.array([2.0, 1.0]), 10, halfway=5, speed=1)
    with pytest.raises(UsageError, match="halfway"):
        demand_path(np.ones(2), np.ones(2), 10, halfway=math.nan, speed=1)
    with pytest.raises(UsageError, match="employed"):
        reallocated_demand(np.array([1.0, math.nan]), np.array([0.5, 0.5]))
