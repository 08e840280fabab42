"""The same shock as in BoARIO, curve by curve; its curves are stored (see tests/data/README.md)."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from withstand.kernels.dynamics_memory import new_record
from withstand.model.economy import build_economy
from withstand.model.hits import resolve
from withstand.model.scenario import Scenario, Shock
from withstand.model.settings import Settings
from withstand.stress.dense_arrays import prepare
from withstand.stress.dense_blocks import DensePlayer
from withstand.stress.rules import PRESETS

DATA = Path(__file__).parents[1] / "data"


@pytest.fixture(scope="module")
def boario():
    """Return the economy of the run, its settings, and what each cell made, period by period."""
    told = json.loads((DATA / "boario_settings.json").read_text())
    frame = pl.read_csv(DATA / "boario_economy.csv")
    cells = frame["cell"].to_list()
    finals = [name for name in frame.columns if name.startswith("final@")]
    labels = [cell.split("@") for cell in cells]
    network = build_economy(
        frame.select(cells).to_numpy() / 365.0,
        frame.select(finals).to_numpy() / 365.0,
        {
            "nodes": pl.DataFrame(
                {"product": [p for p, _ in labels], "region": [r for _, r in labels]}
            ),
            "stocks": pl.DataFrame(
                {
                    "node": "*",
                    "product": sorted({p for p, _ in labels}),
                    "periods_of_use": told["stock"] - 1.0,
                }
            ),
        },
        pl.DataFrame({"region": [name[6:] for name in finals], "category": "final"}),
        Settings(lens="economy", period="day"),
    )
    made = pl.read_csv(DATA / "boario_production.csv").select(network.node_labels.tolist())
    return network, told, made.to_numpy()


def play(network, told, **words):
    """Return our output under the preset, with BoARIO's times and stocks in our words."""
    rules = replace(
        PRESETS["ario"],
        psi=told["psi"] * told["stock"] / (told["stock"] - 1),
        stock_adjustment=float(told["adjustment"]),
        alpha_periods=float(told["alpha_tau"]),
    )
    shocks = [
        Shock(
            region=region, product=product, share=share,
            start=told["occurrence"] + 1, duration=told["duration"] + 2,
        )
        for region, product, share in told["impact"]
    ]  # fmt: skip
    record = new_record(network, told["periods"], ("output",))
    hits = resolve(Scenario(name="lost", shocks=tuple(shocks)), network, told["periods"])
    ready = prepare(network, rules, **words)
    DensePlayer(network, ready, hits, told["periods"]).play(record, 0, told["periods"])
    return record.output


def test_with_its_targets_and_its_overtime_the_curves_are_boarios(boario):
    network, told, made = boario
    output = play(network, told, targets="wanted", overtime="orders")
    # stored with 12 digits after the point of the mantissa
    np.testing.assert_allclose(output, made, rtol=1e-11)


def test_the_preset_differs_from_boario_by_as_much_as_the_page_says(boario):
    network, told, made = boario
    at_rest = (play(network, told, targets="rest") - made) / network.output
    assert np.abs(at_rest).max() == pytest.approx(0.032, abs=0.001)
    gap = (play(network, told) - made) / network.output
    assert np.abs(gap).max() == pytest.approx(0.0019, abs=0.0001)
    first = told["occurrence"] + 1
    np.testing.assert_allclose(gap[: first + 1], 0.0, atol=1e-12)  # until orders have fallen
