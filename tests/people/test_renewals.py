"""Manpower models of Bartholomew: steady states, paths, what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from withstand import people
from withstand.errors import UsageError

P = [[0.70, 0.15, 0], [0, 0.75, 0.12], [0, 0, 0.85]]
R = [0.8, 0.15, 0.05]
STEADY = [266.66667, 220, 209.33333]


def test_steady_state_of_a_push_model_is_the_published_one() -> None:
    """n = R r (I - P)^-1: 80 / .3; (15 + .15 x 266.667) / .25; (5 + .12 x 220) / .15."""
    found = people.push_model(P, R, 100, steps=300)
    assert found.steady == pytest.approx(STEADY, abs=1e-4)
    assert found.path[-1] == pytest.approx(found.steady)
    assert found.path[1] == pytest.approx([80, 15, 5])


def test_renewal_matrix_brings_everybody_back() -> None:
    found = people.renewal_model(P, R, [300.0, 200.0, 196.0], steps=400)
    assert found.transitions.sum(axis=1) == pytest.approx([1, 1, 1])
    assert found.transitions[0] == pytest.approx([0.70 + 0.15 * 0.8, 0.15 + 0.15 * 0.15, 0.0075])
    assert found.path.sum(axis=1) == pytest.approx(np.full(401, 696.0))
    assert found.path[-1] == pytest.approx(found.steady)
    assert found.steady == pytest.approx(STEADY, abs=1e-3)  # 696 people recruit 100 a step


@given(
    st.integers(1, 5).flatmap(
        lambda n: st.tuples(
            st.lists(st.lists(st.floats(0, 1), min_size=n, max_size=n), min_size=n, max_size=n),
            st.lists(st.floats(0.01, 1), min_size=n, max_size=n),
        )
    )
)
def test_a_steady_state_stays(case: tuple[list[list[float]], list[float]]) -> None:
    rows = np.array(case[0]) + 1e-3
    transitions = 0.9 * rows / np.maximum(rows.sum(axis=1, keepdims=True), 1.0)
    recruits = np.array(case[1]) / np.sum(case[1])
    push = people.push_model(transitions, recruits, 10)
    again = people.push_model(transitions, recruits, 10, start=push.steady, steps=1)
    assert again.path[1] == pytest.approx(push.steady, rel=1e-9)
    kept = people.renewal_model(transitions, recruits, push.steady, steps=1)
    assert kept.path[1] == pytest.approx(push.steady, rel=1e-9)
    assert kept.recruits.sum() == pytest.approx(10, rel=1e-9)


@pytest.mark.parametrize(
    ("transitions", "recruits"),
    [
        ([[0.5, 0.6], [0, 0.5]], [1, 0]),
        ([[-0.1, 0.6], [0, 0.5]], [1, 0]),
        ([[float("nan"), 0.6], [0, 0.5]], [1, 0]),
        ([[0.5, 0.1]], [1, 0]),
        ([[0.5, 0.1], [0.1, 0.5]], [0.5, 0.4]),
        ([[0.5, 0.1], [0.1, 0.5]], [1.0]),
        ("P", "r"),
    ],
)
def test_what_are_no_shares_is_refused(transitions: object, recruits: object) -> None:
    with pytest.raises(UsageError):
        people.push_model(transitions, recruits, 1.0)  # type: ignore[arg-type]
    with pytest.raises(UsageError):
        people.renewal_model(transitions, recruits, [1.0, 1.0])  # type: ignore[arg-type]


def test_grades_that_nobody_leaves_have_no_steady_state() -> None:
    with pytest.raises(UsageError, match="leaves"):
        people.push_model([[0.5, 0.5], [0, 1.0]], [1, 0], 1.0)
    with pytest.raises(UsageError, match="exchange"):
        people.renewal_model([[1.0, 0], [0, 1.0]], [1, 0], [1.0, 1.0])


@pytest.mark.parametrize("more", [{"entrants": -1}, {"start": [1.0]}, {"steps": -1}])
def test_impossible_people_and_steps_are_refused(more: dict[str, object]) -> None:
    with pytest.raises(UsageError):
        people.push_model(P, R, **{"entrants": 1.0, **more})  # type: ignore[arg-type]
