"""What is kept of a simulation: choices, sums that need nothing else, folders of Parquet."""

from __future__ import annotations

import json

import numpy as np
import polars as pl
import pytest

import naive_response as naive
from tiny_networks import link, need, network, node, stock
from withstand.errors import UsageError
from withstand.model.scenario import Scenario
from withstand.stress import simulate
from withstand.stress.rules import Rules

LOSS = Scenario.lose(region="JP", duration=6)


def mill_and_plant():
    """A mill in JP makes 10 of steel for the plant, which holds four weeks of it."""
    return network(
        [
            node("MILL", "STEEL", "JP", capacity=15.0, price=6.0),
            node("PLANT", "GEAR", capacity=15.0, final_demand=10.0, price=50.0),
        ],
        [need("GEAR", "STEEL")],
        [link("MILL")],
        stocks=[stock("PLANT", "STEEL", 4.0)],
    )


def headlines(run):
    """Everything that a run says without its arrays."""
    return (
        run.loss,
        run.loss_in_periods,
        run.time_to_survive,
        run.time_to_recover,
        run.met.tolist(),
        run.to_frame().rows(),
        run.summary(),
        [f.code for f in run.findings],
    )


@pytest.fixture
def small_blocks(monkeypatch):
    """Let a block hold a few periods only."""
    monkeypatch.setattr("withstand.stress.simulation.BLOCK", 500)


# --- in memory ---------------------------------------------------------------------------------


@pytest.mark.parametrize("record", [["output"], ["stock"], [], "unmet", None])
@pytest.mark.parametrize("nodes", [None, ["PLANT"]])
def test_losses_and_times_do_not_depend_on_what_is_kept(record, nodes, small_blocks):
    full = simulate(mill_and_plant(), LOSS)
    some = simulate(mill_and_plant(), LOSS, record=record, nodes=nodes)
    assert headlines(some) == headlines(full)


def test_what_is_kept_is_what_was_asked_for(small_blocks):
    full = simulate(mill_and_plant(), LOSS)
    some = simulate(mill_and_plant(), LOSS, record=["stock", "output"], nodes=["PLANT"])
    assert np.array_equal(some.output, full.output[:, [1]])
    assert np.array_equal(some.stock, full.stock)
    assert some.unmet.shape == (0, 1)
    assert some.node_frame()["node"].to_list() == ["PLANT"]
    assert some.node_frame().rows() == full.node_frame().filter(pl.col("node") == "PLANT").rows()
    assert some.stocks_run_out().rows() == full.stocks_run_out().rows()
    assert np.array_equal(some.demand, full.demand[:, [1]])
    assert some.residual < 1e-12


@pytest.mark.parametrize("seed", range(6))
def test_blocks_change_nothing(seed, monkeypatch):
    rng = np.random.default_rng(seed)
    net = naive.random_network(rng)
    scenario = naive.random_scenario(rng, net)
    rules = Rules(alpha_max=1.2, reroute=True, rationing="final_first")
    full = simulate(net, scenario, periods=25, rules=rules)
    monkeypatch.setattr("withstand.stress.simulation.BLOCK", 3 * 8 * 8 * net.n_nodes)
    every = [str(x) for x in net.node_labels]
    blocks = simulate(net, scenario, periods=25, rules=rules, nodes=every)
    for name in ("output", "unmet", "limited_by", "stock", "alpha"):
        assert np.array_equal(getattr(blocks, name), getattr(full, name))
    assert blocks.residual == pytest.approx(full.residual, abs=1e-15)
    assert blocks.loss == pytest.approx(full.loss, rel=1e-14)


def test_questions_about_what_was_not_kept_say_what_to_keep():
    run = simulate(mill_and_plant(), LOSS, record=["unmet"])
    with pytest.raises(UsageError, match="output were not recorded: name them in record"):
        run.node_frame()
    with pytest.raises(UsageError, match="output and limited_by were not recorded"):
        run.why("PLANT")
    with pytest.raises(UsageError, match="Stocks were not recorded"):
        run.stocks_run_out()
    some = simulate(mill_and_plant(), LOSS, nodes=["PLANT"])
    with pytest.raises(UsageError, match="Only some nodes were recorded"):
        some.why("PLANT")
    with pytest.raises(UsageError, match="kept in memory"):
        run.recorded()


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"record": ["outputs"]}, "record names 'outputs'.*Did you mean output"),
        ({"nodes": ["PLNAT"]}, "'PLNAT', which is no node. Did you mean PLANT"),
    ],
)
def test_what_cannot_be_kept_is_refused(values, message):
    with pytest.raises(UsageError, match=message):
        simulate(mill_and_plant(), LOSS, **values)


def test_a_record_that_would_not_fit_may_be_thinned_out(monkeypatch):
    monkeypatch.setattr("withstand.stress.simulation.LARGEST_RECORD", 1000)
    with pytest.raises(UsageError, match=r"do not fit in memory.*record=, nodes=.*out="):
        simulate(mill_and_plant(), LOSS, periods=40)
    assert simulate(mill_and_plant(), LOSS, periods=40, record=["output"]).n_periods == 40


# --- in a folder -------------------------------------------------------------------------------


def test_a_run_in_a_folder_reads_back_as_it_was(tmp_path, small_blocks):
    full = simulate(mill_and_plant(), LOSS)
    run = simulate(mill_and_plant(), LOSS, out=tmp_path / "run")
    assert headlines(run) == headlines(full)
    files = sorted(p.name for p in (tmp_path / "run").iterdir())
    assert len([f for f in files if f.startswith("nodes-")]) > 1
    assert files[0] == "inputs-000000.parquet"
    assert {"manifest.json", "totals.parquet"} < set(files)
    nodes = run.recorded().collect()
    for name in ("output", "unmet", "limited_by"):
        assert np.array_equal(nodes[name].to_numpy().reshape(-1, 2), getattr(full, name))
    assert nodes.filter(pl.col("period") == 5)["node"].to_list() == ["MILL", "PLANT"]
    stocks = run.recorded("inputs").collect()
    assert stocks.columns == ["period", "buyer", "input", "stock"]
    assert np.array_equal(stocks["stock"].to_numpy(), full.stock[:, 0])
    with pytest.raises(UsageError, match="read them with recorded"):
        run.node_frame()
    with pytest.raises(UsageError, match="no table 'links'"):
        run.recorded("links")


def test_a_complete_folder_is_not_played_again(tmp_path, monkeypatch):
    run = simulate(mill_and_plant(), LOSS, out=tmp_path)
    monkeypatch.setattr("withstand.stress.simulation.Player", None)
    again = simulate(mill_and_plant(), LOSS, out=tmp_path)
    assert headlines(again) == headlines(run)
    assert again.recorded().collect().equals(run.recorded().collect())


def test_a_run_that_was_cut_off_leaves_whole_parts_and_is_played_again(
    tmp_path, monkeypatch, small_blocks
):
    from withstand.stress.recordings import Folder

    whole, write, done = simulate(mill_and_plant(), LOSS), Folder.write, []

    def stop(self, *args):
        if len(done) == 2:
            raise KeyboardInterrupt
        done.append(write(self, *args))

    monkeypatch.setattr(Folder, "write", stop)
    with pytest.raises(KeyboardInterrupt):
        simulate(mill_and_plant(), LOSS, out=tmp_path)
    assert not (tmp_path / "totals.parquet").exists()
    part = pl.read_parquet(sorted(tmp_path.glob("nodes-*.parquet")))
    assert np.array_equal(
        part["output"].to_numpy().reshape(-1, 2), whole.output[: part.height // 2]
    )
    assert not list(tmp_path.glob(".*"))
    monkeypatch.setattr(Folder, "write", write)
    run = simulate(mill_and_plant(), LOSS, out=tmp_path)
    assert headlines(run) == headlines(whole)
    assert run.recorded().collect().height == 2 * whole.n_periods


def test_a_folder_of_something_else_is_refused(tmp_path):
    simulate(mill_and_plant(), LOSS, out=tmp_path / "run")
    with pytest.raises(UsageError, match=r"holds another run \(different: rules\)"):
        simulate(mill_and_plant(), LOSS, out=tmp_path / "run", rules=Rules(psi=0.5), periods=None)
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "letter.txt").write_text("dear")
    with pytest.raises(UsageError, match=r"not empty .letter\.txt."):
        simulate(mill_and_plant(), LOSS, out=tmp_path / "own")
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "manifest.json").write_text("{")
    with pytest.raises(UsageError, match="cannot be used"):
        simulate(mill_and_plant(), LOSS, out=tmp_path / "bad")
    manifest = json.loads((tmp_path / "run" / "manifest.json").read_bytes())
    assert manifest["scenario"]["name"] == LOSS.name
