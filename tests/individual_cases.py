"""Pipelines of people for tests: at random and small, and by hand."""

from __future__ import annotations

import numpy as np
import polars as pl

from withstand.people.pipelines import Pipeline

NONE = np.zeros(0, np.int64)


def pipeline_of(n_cells=1, n_programmes=0, steps=3, **arrays):
    """Return a pipeline in which nothing happens but what is given."""
    c, p = n_cells, n_programmes
    given = {
        "cells": pl.DataFrame(
            {
                "occupation": [f"occupation {k // 2}" for k in range(c)],
                "region": [("north", "south")[k % 2] for k in range(c)],
                "age_band": ["all"] * c,
                "qualification": ["all"] * c,
            }
        ),
        "programmes": pl.DataFrame(
            {
                "programme": [f"programme {k}" for k in range(p)],
                "occupation": ["occupation 0"] * p,
                "region": ["north"] * p,
            },
            schema=dict.fromkeys(("programme", "occupation", "region"), pl.String),
        ),
        "first_year": 2026,
        "steps_per_year": 1,
        "steps": steps,
        **{n: np.zeros(c) for n in ("stock", "elsewhere", "leave", "drift", "comeback")},
        "move_indptr": np.zeros(c + 1, np.int64),
        "move_to": NONE,
        "move_share": np.zeros(0),
        "move_kind": NONE,
        "arrivals": np.zeros((c, steps)),
        "intake": np.zeros((p, steps)),
        "length": np.ones(p, np.int64),
        "completion": np.ones(p),
        "source": np.full(p, -1),
        "place_indptr": np.arange(p + 1),
        "place_cell": np.zeros(p, np.int64),
        "place_share": np.ones(p),
    }
    given |= arrays
    given.setdefault("training", np.zeros((p, int(given["length"].max(initial=1)))))
    return Pipeline(**given)


def random_pipeline(rng, scale=6.0, *, with_sources=True, steps_per_year=1, years=4):
    """Return a small pipeline with everything in it; `scale` is people in a cell."""
    c, p = int(rng.integers(1, 6)), int(rng.integers(0, 5))
    steps = steps_per_year * years
    moves = rng.integers(0, 4, c)
    places = rng.integers(1, 4, p)
    n_moves, n_places = int(moves.sum()), int(places.sum())
    # shares of a cell that stays, leaves, drifts or moves; those who stay are some by construction
    shares = [rng.dirichlet(np.ones(3 + k)) for k in moves]
    shares = [s * rng.choice([1.0, 0.3]) for s in shares]
    leave = np.array([s[0] for s in shares])
    length = rng.integers(1, 4, p)
    source = np.where(rng.random(p) < 0.5, rng.integers(0, c, p), -1)
    return pipeline_of(
        c,
        p,
        steps,
        steps_per_year=steps_per_year,
        stock=rng.random(c) * 2 * scale,
        elsewhere=rng.random(c) * scale,
        leave=leave,
        drift=np.array([s[1] for s in shares]),
        comeback=(1.0 - leave) * rng.choice([0.0, 0.4, 1.0], c),
        move_indptr=np.concatenate([[0], np.cumsum(moves)]),
        move_to=rng.integers(0, c, n_moves),
        move_share=np.concatenate([s[3:] for s in shares]),
        move_kind=rng.integers(0, 3, n_moves),
        arrivals=rng.random((c, steps)) * scale / 4 * (rng.random((c, steps)) < 0.5),
        intake=rng.random((p, steps)) * scale * (rng.random((p, steps)) < 0.7),
        length=length,
        completion=rng.choice([0.0, 0.5, 0.8, 1.0], p),
        source=source if with_sources else np.full(p, -1),
        place_indptr=np.concatenate([[0], np.cumsum(places)]),
        place_cell=rng.integers(0, c, n_places),
        place_share=np.concatenate([*(rng.dirichlet(np.ones(k)) for k in places), NONE])
        * rng.choice([1.0, 0.6], n_places),
        training=rng.random((p, int(length.max(initial=1)))) * scale / 2,
    )
