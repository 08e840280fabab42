"""The headline: sentences from the results, in words for the case at hand."""

from __future__ import annotations

from dataclasses import replace

import polars as pl
import pytest

from withstand import examples
from withstand.model.scenario import Scenario
from withstand.report.blocks import cost_blocks
from withstand.report.contents import Contents
from withstand.report.headline import headline
from withstand.report.runs import what_happens
from withstand.stress import simulate
from withstand.workbench import gather


def test_the_plant_is_told_in_the_words_of_the_anchor(robots: Contents) -> None:
    """The anchors of the example: 99.1 %, 38.8 %, 72.1 %, Japan 26.7 % and 15.0 %."""
    text = " ".join(headline(robots).sentences)
    assert "99.1 % of what the plant buys directly is made at home." in text
    assert "Looked at through every tier, 38.8 % of the value is." in text
    assert "The five largest blocks make up 72.1 % of the purchase cost" in text
    assert (
        "Without Japan, 26.7 % of output could go on (15.0 % if makers abroad need the same inputs)"
        in text
    )
    assert len(headline(robots).cards) == 4


def test_blocks_of_the_purchase_cost_add_up_to_all_of_it(robots: Contents) -> None:
    blocks = cost_blocks(robots.network)
    assert blocks["share"].sum() == pytest.approx(1.0, abs=1e-9)  # rounding of a few sums
    assert blocks.height == blocks.select("product", "is_work").n_unique()


def test_one_block_and_one_product_are_told_in_the_singular(tiny: Contents) -> None:
    text = " ".join(headline(tiny).sentences)
    assert "Gear steel (100 %) is what the purchase cost is made of." in text
    assert "The one product that is bought, Gear steel, gets 80.0 % from Japan." in text


def test_a_range_becomes_one_number_where_both_rules_agree(tiny: Contents) -> None:
    sentence = next(s for s in headline(tiny).sentences if s.startswith("Without"))
    assert sentence == "Without Japan, 20.0 % of output could go on."


def test_without_home_nothing_is_said_to_be_made_there() -> None:
    plain = examples.tiny()
    regions = plain.tables["regions"].with_columns(home=pl.lit(value=False))
    network = plain.with_changes({"regions": regions}, replace(plain.settings, home=None))
    found = headline(gather(network))
    assert found.sentences[0].startswith("No region is marked as home")
    assert len(found.cards) == 2


@pytest.mark.parametrize(
    ("scenario", "words"),
    [
        (Scenario.lose(region="JP", duration="26w"), "If Japan stopped for 26 weeks"),
        (
            Scenario.lose(region="JP", share=0.5, duration="3 months"),
            "If Japan lost 50.0 % of its capacity for 3 months",
        ),
        (Scenario.lose(region="JP"), "If Japan stopped for good"),
        (Scenario.lose(node="STEEL@JP", duration=4, name="fire"), "In the scenario “fire”"),
    ],
)
def test_a_scenario_is_told_in_words(scenario: Scenario, words: str) -> None:
    assert what_happens(simulate(examples.tiny(), scenario, periods=60)) == words


def test_no_loss_is_told_as_such(tiny: Contents) -> None:
    calm = simulate(tiny.network, Scenario.lose(region="JP", share=0.01, duration="1w"))
    text = " ".join(headline(replace(tiny, runs=(calm,), shared_run=calm)).sentences)
    assert "all deliveries could still be met" in text
