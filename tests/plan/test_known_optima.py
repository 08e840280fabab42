"""Two-stage programmes whose optimum is published, through our own programme and cuts."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

from smps import read_location, read_smps
from thoroughness import THOROUGH
from withstand.programming.decomposition import CutStore
from withstand.programming.information import values_of
from withstand.programming.objective import Objective
from withstand.programming.solving import solve_two_stage
from withstand.programming.two_stage import FirstStage, Recourse, TwoStage

METHODS = ("extensive", "decomposition")


def farmer(yields=(0.8, 1.0, 1.2)) -> TwoStage:
    """Birge and Louveaux (2011), section 1.1: wheat, corn, beets on 500 acres."""
    first = FirstStage(
        cost=np.array([150.0, 230.0, 260.0]),
        lower=np.zeros(3),
        upper=np.full(3, np.inf),
        integer=np.zeros(3, dtype=bool),
        matrix=sparse.csr_array(np.ones((1, 3))),
        row_lower=np.array([-np.inf]),
        row_upper=np.array([500.0]),
        columns=("wheat", "corn", "beets"),
        rows=("land",),
    )
    scenarios = []
    for factor in yields:
        # buy wheat, sell wheat, buy corn, sell corn, sell beets dear (up to 6000), sell cheap
        scenarios.append(
            Recourse(
                name=f"yield_{factor:g}",
                probability=1.0 / len(yields),
                cost=np.array([238.0, -170.0, 210.0, -150.0, -36.0, -10.0]),
                lower=np.zeros(6),
                upper=np.array([np.inf, np.inf, np.inf, np.inf, 6000.0, np.inf]),
                matrix=sparse.csr_array(
                    np.array(
                        [
                            [1.0, -1.0, 0.0, 0.0, 0.0, 0.0],
                            [0.0, 0.0, 1.0, -1.0, 0.0, 0.0],
                            [0.0, 0.0, 0.0, 0.0, -1.0, -1.0],
                        ]
                    )
                ),
                row_lower=np.array([200.0, 240.0, 0.0]),
                row_upper=np.full(3, np.inf),
                on_rows=sparse.csr_array(-factor * np.diag([2.5, 3.0, 20.0])),
                on_upper=sparse.csr_array((6, 3)),
            )
        )
    return TwoStage(first=first, scenarios=tuple(scenarios))


@pytest.mark.parametrize("method", METHODS)
def test_the_farmer_earns_108390(method):
    found = solve_two_stage(farmer(), method=method, gap=1e-9)
    assert found.objective == pytest.approx(-108390.0, abs=1e-3)
    assert found.bound == pytest.approx(-108390.0, abs=1e-3)
    assert found.first == pytest.approx([170.0, 80.0, 250.0], abs=1e-5)


def test_the_farmer_with_perfect_information_and_with_mean_yields():
    waits = [solve_two_stage(farmer((f,))).objective for f in (0.8, 1.0, 1.2)]
    assert np.mean(waits) == pytest.approx(-115405.56, abs=5e-3)
    expected = solve_two_stage(farmer((1.0,)))
    fixed = farmer()
    first = FirstStage(**{**fixed.first.__dict__, "lower": expected.first, "upper": expected.first})
    held = solve_two_stage(TwoStage(first=first, scenarios=fixed.scenarios))
    assert held.objective == pytest.approx(-107240.0, abs=1e-2)


def test_the_farmer_has_his_published_values_of_information():
    values = values_of(farmer(), gap=1e-9)
    assert values.here_and_now == pytest.approx(-108390.0, abs=1e-2)
    assert values.of_stochastic_solution == pytest.approx(1150.0, abs=1e-2)
    assert values.of_perfect_information == pytest.approx(7015.56, abs=1e-2)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("alpha", [0.7, 0.9])
def test_the_careful_farmer_looks_at_the_worst_year_alone(method, alpha):
    """With alpha of at least 2/3 the tail is the worst of three years: -59950."""
    worst_only = Objective(cost_weight=1.0, mean_weight=0.0, risk_weight=1.0, alpha=alpha)
    found = solve_two_stage(farmer(), worst_only, method=method, gap=1e-9)
    assert found.objective == pytest.approx(-59950.0, abs=1e-2)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    ("folder", "stem", "stoch", "optimum"),
    [
        ("lands", "lands", "lands.sto", 381.853333),
        ("airlift", "airl", "airl-first.sto", 249101.672072),
        ("airlift", "airl", "airl-second.sto", 269665.498390),
        ("phone", "phone", "phone1.sto", 36.9),
    ],
)
def test_a_public_programme_has_its_published_optimum(
    data_dir, folder, stem, stoch, optimum, method
):
    problem = read_smps(data_dir / "smps" / folder, stem, stoch)
    found = solve_two_stage(problem, method=method, gap=1e-9)
    assert found.status == "optimal"
    assert found.objective == pytest.approx(optimum, rel=1e-7)
    assert found.bound == pytest.approx(optimum, rel=1e-7)


def test_lands_builds_the_published_plants(data_dir):
    problem = read_smps(data_dir / "smps" / "lands", "lands", "lands.sto")
    found = solve_two_stage(problem, method="decomposition", gap=1e-9)
    assert found.first == pytest.approx([2.6667, 4.0, 3.3333, 2.0], abs=1e-4)


@pytest.mark.slow
@pytest.mark.skipif(not THOROUGH, reason="a minute; make test-thorough plays it")
def test_dcap_with_whole_recourse_reaches_its_optimum(data_dir):
    problem = read_smps(data_dir / "smps" / "dcap233-200", "dcap233-200", "dcap233-200.sto")
    found = solve_two_stage(problem, gap=1e-3, time_limit=120.0)
    assert found.objective == pytest.approx(1834.565, rel=1e-3)
    assert found.bound <= 1834.57


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    ("name", "optimum"), [("cap71", 932615.750), ("cap101", 796648.437), ("cap51", 1025208.225)]
)
def test_a_warehouse_location_has_its_published_optimum(data_dir, name, optimum, method):
    found = solve_two_stage(
        read_location(data_dir / "orlib" / f"{name}.txt"), method=method, gap=1e-9
    )
    assert found.objective == pytest.approx(optimum, abs=1e-2)


def test_cuts_of_one_solve_serve_the_next():
    """Risk is taken on the whole cost of an answer, so cuts hold for every weight of it."""
    store = CutStore()
    first = solve_two_stage(farmer(), method="decomposition", gap=1e-9, store=store)
    again = solve_two_stage(farmer(), method="decomposition", gap=1e-9, store=store)
    careful = Objective(risk_weight=0.5, alpha=0.7)
    with_store = solve_two_stage(farmer(), careful, method="decomposition", gap=1e-9, store=store)
    without = solve_two_stage(farmer(), careful, method="extensive")
    assert again.objective == pytest.approx(first.objective)
    assert again.cuts <= 1 < first.cuts
    assert with_store.objective == pytest.approx(without.objective, rel=1e-9)
