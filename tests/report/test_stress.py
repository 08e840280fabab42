"""The sections on stress: numbers are those of the engines, limits are said, nothing breaks out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from scipy.stats import spearmanr

from figure_texts import strings
from withstand import stress
from withstand.errors import UsageError
from withstand.model.scenario import Scenario
from withstand.model.scenario_sets import single_failures
from withstand.report import figures as house
from withstand.report import gathering
from withstand.report import stress_figures as figures
from withstand.report.contents import Bracketed, Contents, StressContents
from withstand.report.markup import rounds
from withstand.report.page import page
from withstand.report.stress_sections import size_sentence, stress_sections
from withstand.report.stress_tables import (
    bracket_table,
    losses_frame,
    replay_frame,
    rho,
    risk_frame,
    rounds_table,
    stress_tables,
    survival_frame,
)
from withstand.workbench import gather

NETWORKS = ("robots", "tiny", "firms", "hostile")


def found_in(contents: Contents) -> StressContents:
    assert contents.stress is not None
    return contents.stress


@pytest.fixture(params=NETWORKS)
def contents(request: pytest.FixtureRequest) -> Contents:
    return request.getfixturevalue(request.param)


def with_stress(contents: Contents, **changes: object) -> Contents:
    return replace(contents, stress=replace(found_in(contents), **changes))  # type: ignore[arg-type]


def bodies(contents: Contents) -> dict[str, str]:
    return {s.anchor: f"{s.title} {s.body}" for s in stress_sections(contents)}


# --- risk against size ---------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(20))
def test_the_rank_correlation_is_that_of_scipy_with_ties(seed: int) -> None:
    random = np.random.default_rng(seed)
    first, second = (
        random.integers(0, 6, 30),
        random.integers(0, 6, 30) + random.random(30).round(1),
    )
    assert rho(first, second) == pytest.approx(spearmanr(first, second).statistic, abs=1e-12)


def test_the_rank_correlation_of_equal_values_is_not_known() -> None:
    assert np.isnan(rho(np.ones(4), np.arange(4)))


def test_the_ranking_holds_the_numbers_of_the_engine_and_never_less_than_the_node_itself(
    contents: Contents,
) -> None:
    found = found_in(contents)
    assert found.risk is not None
    frame = risk_frame(found, contents.network)
    again = stress.esri(contents.network)
    assert np.array_equal(np.sort(frame["at"].to_numpy()), again.nodes)
    assert np.array_equal(frame["esri"].to_numpy(), again.esri[frame["at"].to_numpy()])
    assert frame["esri"].is_sorted(descending=True)
    assert frame["own"].sum() == pytest.approx(1.0, abs=1e-12)
    assert (frame["esri"] >= frame["own"] - 1e-12).all()
    enclosed = frame.filter(pl.col("low").is_not_null())
    assert enclosed.height == min(gathering.MOST_ENCLOSED, frame.height)
    assert (enclosed["high"].fill_null(1.0) >= enclosed["low"] - 1e-12).all()


def _ranked(own: list[float]) -> pl.DataFrame:
    """Nodes whose risk falls from row to row, with the sizes given."""
    n = len(own)
    return pl.DataFrame(
        {
            "rank": range(1, n + 1),
            "esri": [1.0 - i / n for i in range(n)],
            "own": own,
            "rank_by_size": pl.Series(own).rank("min", descending=True).cast(pl.Int64),
        }
    )


def test_size_is_said_to_tell_only_where_ranks_and_lists_agree() -> None:
    falling = [1.0 - i / 60 for i in range(60)]
    assert size_sentence(_ranked(falling)).startswith(
        "Size tells who is risky: 20 of the 20 riskiest are among the 20 largest"
    )
    swapped = falling[20:40] + falling[:20] + falling[40:]
    assert size_sentence(_ranked(swapped)).startswith("Size does not tell who is risky: 0 of the")
    pairs = [x for a, b in zip(falling[::2], falling[1::2], strict=True) for x in (b, a)]
    assert size_sentence(_ranked(pairs)).startswith("Size tells who is risky: 20 of the 20")
    assert size_sentence(_ranked([1.0] * 60)) == "All nodes are of one size or take the same along"


def test_many_points_are_thinned_evenly_and_the_riskiest_all_stay() -> None:
    n = 4 * figures.MOST_POINTS
    frame = _ranked([1.0] * n)
    drawn = figures.thinned(frame)
    assert figures.MOST_POINTS / 2 < drawn.height <= figures.MOST_POINTS
    assert drawn["rank"].head(1_000).to_list() == list(range(1, 1_001))
    assert drawn["rank"].max() > 0.99 * n


# --- the replay ----------------------------------------------------------------------------------


def test_every_node_is_hit_one_round_after_a_neighbour(contents: Contents) -> None:
    """The rounds as a slow reader would check them: look at every link."""
    network, cascade = contents.network, found_in(contents).worst
    assert cascade is not None
    buyer = network.input_buyer[network.link_input]
    for node in np.flatnonzero(cascade.round_down > 0):
        before = cascade.round_down[network.link_supplier[buyer == node]]
        assert cascade.round_down[node] - 1 in before
    for node in np.flatnonzero(cascade.round_up > 0):
        before = cascade.round_up[buyer[network.link_supplier == node]]
        assert cascade.round_up[node] - 1 in before


def test_the_rounds_count_every_node_that_is_hit_once(contents: Contents) -> None:
    found = found_in(contents)
    assert found.worst is not None
    frame = replay_frame(found, contents.network)
    assert frame["at"].n_unique() == frame.height
    assert frame.filter(pl.col("round") == 0)["node"].to_list() == [found.worst_node]
    by_round = rounds_table(contents)
    assert by_round is not None
    assert by_round.frame["nodes"].sum() == frame.height
    assert by_round.frame["loss"].to_list()[-1] == pytest.approx(found.worst.loss, abs=1e-12)
    assert frame["weighted"].sum() == pytest.approx(found.worst.loss, abs=1e-9)


def test_a_plant_replays_the_worst_node_that_is_not_its_own_product(robots: Contents) -> None:
    found = found_in(robots)
    network = robots.network
    frame = risk_frame(found, network)
    final = network.node_labels[network.final_demand > 0].tolist()
    others = frame.filter(~pl.col("node").is_in(final))
    assert found.worst_node == others["node"][0]


def test_without_scripts_every_round_stands_in_the_page(tiny: Contents) -> None:
    body = bodies(tiny)["replay"]
    assert body.count("<h4>") == 2
    assert "Round 0: Gear steel (Japan) fails" in body
    assert "Round 1: 1 first hit" in body
    assert "lacks Gear steel" in body


def test_rounds_escape_who_is_hit() -> None:
    text = rounds([(0, 1, [("<b>", "<i>", "<u>")])], "<s>")
    for tag in ("<b>", "<i>", "<u>", "<s>"):
        assert tag not in text
        assert tag.replace("<", "&lt;").replace(">", "&gt;") in text


# --- losses, brackets ----------------------------------------------------------------------------


def test_the_losses_are_those_of_the_runs_where_both_look_at_one_region(robots: Contents) -> None:
    losses = found_in(robots).losses
    assert losses is not None
    frame = losses_frame(losses, robots.network)
    assert frame.height == robots.losses.height
    assert frame["probability"].to_list() == pytest.approx([1 / frame.height] * frame.height)
    for run in robots.runs:
        name = run.network.region_names[run.network.index("regions")[run.scenario.shocks[0].region]]
        lost = frame.filter(pl.col("hit") == name)["periods_lost"].to_list()
        assert lost == pytest.approx([run.loss_in_periods], abs=1e-9)


def test_few_regions_make_no_curve(tiny: Contents) -> None:
    assert found_in(tiny).losses is None
    assert "exceedance" not in bodies(tiny)["losses-range"]


def test_a_set_of_scenarios_that_is_given_is_shown_in_its_own_unit(tiny: Contents) -> None:
    network = tiny.network
    scenarios = single_failures(network, "nodes")
    played = stress.ensemble(network, scenarios, engine="cascade")
    made = gathering.gather_stress(network, tiny.runs, duration="26w", losses=played)
    body = bodies(replace(tiny, stress=made))["losses-range"]
    mean = played.risk(0.9).mean
    assert f"3 scenarios: {100 * mean:.1f} % of the whole lost on average" in body
    assert "those of the set that was given" in body


def test_the_best_answer_never_loses_more_than_the_simulation(contents: Contents) -> None:
    brackets = found_in(contents).brackets
    assert brackets
    usable = [b.bracket for b in brackets if b.bracket is not None and b.bracket.is_comparable]
    assert usable
    for both in usable:
        assert both.best <= both.simulated + 1e-7


def test_the_window_of_a_bracket_holds_all_that_the_run_loses(robots: Contents) -> None:
    for item, run in zip(found_in(robots).brackets, robots.runs, strict=False):
        assert item.run.loss_in_periods == pytest.approx(run.loss_in_periods, abs=1e-6)


def test_what_cannot_be_compared_is_named_with_its_reason(tiny: Contents) -> None:
    network = tiny.network
    hit = Scenario.lose(region="JP", duration="12w")
    short, long = (
        stress.respond(network, hit, periods=12),
        stress.simulate(network, hit, periods=20),
    )
    both = stress.bracket(short, long)
    assert not both.is_comparable
    item = Bracketed(run=long, bracket=both, reason=both.reason)
    changed = with_stress(tiny, brackets=(item,))
    assert f"not comparable, because {both.reason}" in bodies(changed)["losses-range"]
    table = bracket_table(changed)
    assert table is not None
    assert table.frame["worth"].to_list() == [None]
    assert table.frame["note"][0] == f"not comparable: {both.reason}"


# --- times to survive ----------------------------------------------------------------------------


def test_flagged_nodes_come_first_and_their_gap_adds_up(contents: Contents) -> None:
    frame = survival_frame(found_in(contents), contents.network)
    assert frame["exposed"].to_list() == sorted(frame["exposed"].to_list(), reverse=True)
    flagged = frame.filter("exposed")
    gap = flagged["ttr"] + flagged["lag"] - flagged["tts"]
    assert flagged["gap"].to_list() == pytest.approx(gap.to_list(), abs=1e-9)
    assert (flagged["gap"] > 0).all()


def test_the_three_nodes_by_hand(tiny: Contents) -> None:
    """120 t = 360 + 4 x 96 + 24 + 36 (t - 1) at t = 8.71, as in the docs of `survival`."""
    frame = survival_frame(found_in(tiny), tiny.network)
    steel = frame.filter(pl.col("node") == "STEEL@JP").row(0, named=True)
    assert steel["tts"] == pytest.approx(732 / 84, abs=1e-6)
    assert steel["ttr"] == 26.0
    assert steel["exposed"]


# --- limits --------------------------------------------------------------------------------------


def test_large_networks_get_the_largest_parts_and_a_sentence_on_the_rest(
    robots: Contents, monkeypatch: pytest.MonkeyPatch
) -> None:
    network = robots.network
    monkeypatch.setattr(gathering, "MOST_RANKED", 100)
    monkeypatch.setattr(gathering, "LARGEST_RANKED", 50)
    monkeypatch.setattr(gathering, "LINK_PERIODS", 0)
    monkeypatch.setattr(gathering, "MOST_LINK_PERIODS", 10)
    monkeypatch.setattr(gathering, "MOST_LINKS_SURVIVED", 10)
    found = gathering.gather_stress(network, robots.runs, duration="26w")
    assert found.risk is not None
    assert found.losses is not None
    assert len(found.risk.nodes) == 50
    assert found.losses.outcomes.height == gathering.FEWEST_REGIONS
    assert [b.bracket for b in found.brackets] == [None] * gathering.BRACKETED
    assert found.survival is None
    text = page(replace(robots, stress=found)).decode()
    for said in (
        "computed for the 50 nodes that sell most of 372",
        "The set of losses holds the 3 regions that make most of 27.",
        "not computed, because the programme of 849 links over",
        "Times to survive were not computed",
    ):
        assert said in text


def test_a_network_too_large_for_a_report_is_refused_with_what_to_do_instead(
    robots: Contents, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gathering, "MOST_LINKS_REPORTED", 848)
    with pytest.raises(UsageError, match="849 links; a report covers at most 848"):
        gather(robots.network)


def test_a_large_network_is_covered_under_one_rule_and_by_direct_purchases(
    robots: Contents, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gathering, "MOST_LINKS_THROUGH", 800)
    monkeypatch.setattr(gathering, "MOST_LINKS_SURVIVED", 10)
    monkeypatch.setattr(gathering, "MOST_LINK_PERIODS", 10)
    monkeypatch.setattr(gathering, "LINK_PERIODS", 0)
    monkeypatch.setattr(gathering, "LINK_LOSSES", 1)
    found = gather(robots.network)
    assert found.functional is found.concentration
    assert found.losses["none"].to_list() == found.losses["shared"].to_list()
    assert "what stops through all tiers was not followed" in page(found).decode()


def test_the_regions_kept_are_those_that_make_most(robots: Contents) -> None:
    network = robots.network
    made = network.output * np.nan_to_num(network.price)
    totals = np.bincount(network.node_region, made, network.n_regions)
    kept, left_out = gathering.regions_to_lose(network, cost=1, most=5)
    away = [str(r) for r in network.region_labels[np.argsort(-totals)] if r != "HOME"]
    assert kept == away[:5]
    assert left_out == 22
    assert "Only the 5 regions that make most" in gathering.left_out_of(network, left_out)[0]


def test_without_results_on_stress_the_page_has_no_such_sections(tiny: Contents) -> None:
    bare = replace(tiny, stress=None)
    assert stress_sections(bare) == []
    assert b'id="risk"' not in page(bare)
    assert stress_tables(bare) == [None] * 6


def test_parts_that_were_not_computed_say_so(tiny: Contents) -> None:
    empty = with_stress(
        tiny, risk=None, enclosed=None, worst=None, losses=None, brackets=(), survival=None
    )
    found = bodies(empty)
    assert "Systemic risk was not computed" in found["risk"]
    assert "No cascade was played" in found["replay"]
    assert "No scenario of this report loses final demand" in found["losses-range"]
    assert "was not computed" in found["survival"]


# --- figures -------------------------------------------------------------------------------------


def drawn(contents: Contents) -> list[object]:
    found = found_in(contents)
    network = contents.network
    by_round = rounds_table(contents)
    assert by_round is not None
    made: list[object] = [
        figures.risk_against_size(risk_frame(found, network)),
        figures.loss_by_round(by_round.frame),
        figures.rounds_by_region({str(r): [1, 2] for r in network.region_names}, [0, 1]),
        figures.dumbbells(network.product_names.tolist(), ("a", [1.0] * network.n_products),
                          ("b", [None] * network.n_products), "Weeks", "weeks"),
    ]  # fmt: skip
    if found.losses is not None:
        curve, risk = found.losses.exceedance(), found.losses.risk(0.9)
        made.append(figures.exceedance(curve, risk, "Weeks lost", "weeks"))
    return made


def test_stress_figures_of_hostile_names_hold_no_markup(hostile: Contents) -> None:
    for figure in drawn(hostile):
        texts = [t.replace("<extra>", "").replace("</extra>", "") for t in strings(figure)]
        assert [t for t in texts if "<" in t] == []


def test_every_colour_of_a_stress_figure_has_a_dark_twin(robots: Contents) -> None:
    known = set(house.dark_colours()) | {house.CLEAR}
    used = {t for f in drawn(robots) for t in strings(f) if t.startswith(("#", "rgb"))}
    assert used
    assert used <= known


def test_the_scatter_lies_on_or_above_the_line_of_ones_own_part(contents: Contents) -> None:
    figure = figures.risk_against_size(risk_frame(found_in(contents), contents.network))
    for trace in figure.data[1:]:
        if trace.name.startswith("no own"):
            continue
        x, y = np.array(trace.x, float), np.array(trace.y, float)
        assert (y >= x * (1 - 1e-3) - 1e-4).all()  # shares are rounded to 4 digits of a percent
