"""From candidates to options of a plan: effects by hand, assumptions said, evidence kept."""

from __future__ import annotations

from functools import cache

import polars as pl
import pytest

import withstand as ws
from candidate_cases import PCI, capability, pumps
from withstand import measures
from withstand.errors import DataError, UsageError
from withstand.model.option import Effect, Option, Use, read_options
from withstand.plan.option_rows import option_tables

JAPAN = ws.Scenario.lose(region="JP", duration="12w", name="Japan")


@cache
def candidates():
    return measures.localise_candidates(
        capability(),
        "HOME",
        network=pumps(),
        codes=measures.ProductCodes(vintage="HS92", table_vintage="HS92"),
        pci=PCI,
    )


def assumptions(**more):
    columns = {"product": ["PART", "SEAL"], "cost_once": [5000.0, 800.0], "basis": ["quote", "us"]}
    return pl.DataFrame({**columns, **more})


def made(**more):
    return ws.plan.localise_options(candidates(), pumps(), assumptions(), ready="4w", cover=0.5,
                                    **more)  # fmt: skip


def codes(result):
    return [f.code for f in result.findings]


# --- by hand -------------------------------------------------------------------------------------


def test_a_product_that_nobody_makes_at_home_gets_a_new_node():
    """20 parts a week, all from Japan: half of them, 10, move home."""
    option = made().options[0]
    assert (option.label, option.kind, option.cost_once) == ("LOCALISE_PART", "localise", 5000.0)
    assert option.ready_periods == 4.0
    assert option.effects == (
        Effect(effect="add_node", product="PART", region="HOME", amount=10.0,
               option="LOCALISE_PART"),
        Effect(effect="shift_share", product="PART", from_="JP", to="PART@HOME", amount=0.5,
               mode="scale", option="LOCALISE_PART"),
    )  # fmt: skip
    after = ws.apply(pumps(), [option]).suppliers_of("plant")
    parts = after.filter(pl.col("input") == "PART").select("supplier", "share")
    assert dict(parts.iter_rows()) == {"PART@JP": 0.5, "PART@HOME": 0.5}


def test_a_maker_at_home_grows_and_every_region_gives_up_the_same_part():
    """8 of 10 seals come from outside: 4 more are made at home; DE .6 to .3, CN .2 to .1."""
    option = made().options[1]
    assert option.effects[0] == Effect(
        effect="add_capacity", node="SEAL@HOME", amount=4.0, option="LOCALISE_SEAL"
    )
    after = ws.apply(pumps(), [option])
    shares = after.suppliers_of("plant").filter(pl.col("input") == "SEAL")
    assert dict(shares.select("supplier", "share").iter_rows()) == pytest.approx(
        {"SEAL@DE": 0.3, "SEAL@CN": 0.1, "SEAL@HOME": 0.6}
    )


def test_cost_can_be_a_ratio_to_a_years_output():
    """Ten parts a week at 5, 52 weeks, twice over."""
    table = pl.DataFrame({"product": ["PART"]})
    found = ws.plan.localise_options(
        candidates(), pumps(), table, cost_ratio=2.0, ready=0, cover=0.5, basis="industry mean"
    )
    assert found.options[0].cost_once == pytest.approx(2 * 10 * 5 * 52)
    table = table.with_columns(capacity=pl.lit(5.0), price=pl.lit(8.0))
    found = ws.plan.localise_options(
        candidates(), pumps(), table, cost_ratio=2.0, ready=0, basis="industry mean"
    )
    assert found.options[0].cost_once == pytest.approx(2 * 5 * 8 * 52)
    assert found.to_frame()["cover"].item() == 0.25
    assert found.options[0].effects[0].price == 8.0


def test_all_columns_of_the_table_reach_the_option():
    table = pl.DataFrame(
        {
            "product": ["PART"], "basis": ["a"], "cost_once": [1.0], "ready_periods": [2.0],
            "cover": [1.0], "cost_per_period": [3.0], "success_probability": [0.5],
            "requires": ["A; B"], "excludes": ["C"], "option": ["MINE"], "name": ["Own parts"],
        }
    )  # fmt: skip
    option = ws.plan.localise_options(candidates(), pumps(), table, cover=0.1).options[0]
    assert (option.label, option.name, option.requires) == ("MINE", "Own parts", ("A", "B"))
    assert (option.excludes, option.success_probability) == (("C",), 0.5)
    assert (option.cost_per_period, option.effects[0].amount) == (3.0, 20.0)


# --- nothing is made up --------------------------------------------------------------------------


@pytest.mark.parametrize("lacking", ["cost_ratio", "ready", "cover", "basis"])
def test_what_is_not_assumed_is_asked_for(lacking):
    given = {"cost_ratio": 1.0, "ready": 1.0, "cover": 0.5, "basis": "us"}
    del given[lacking]
    with pytest.raises(DataError, match="is not given") as caught:
        ws.plan.localise_options(candidates(), pumps(), products=["PART", "SEAL"], **given)
    assert [f.value for f in caught.value.findings] == ["PART", "SEAL"]


def test_assumptions_that_cannot_be_are_refused():
    rule = {"cost_ratio": 1.0, "ready": 1.0, "cover": 0.5, "basis": "us"}
    for more, said in (
        ({"cover": 0.0}, "cover must be above 0"),
        ({"products": ["OIL"]}, "no price"),
    ):
        with pytest.raises(DataError, match=said):
            ws.plan.localise_options(
                candidates(), pumps(), **{"products": ["PART"], **rule, **more}
            )
    for products, said in (
        (["PARTS"], "Did you mean PART"),
        (None, "No product is named"),
    ):
        with pytest.raises(UsageError, match=said):
            ws.plan.localise_options(candidates(), pumps(), products=products, **rule)
    for region, said in (("JP", "is not home"), ("HOM", "Did you mean HOME")):
        with pytest.raises(UsageError, match=said):
            ws.plan.localise_options(candidates(), pumps(), products=1, region=region, **rule)
    with pytest.raises(DataError, match="E106"):
        ws.plan.localise_options(
            candidates(), pumps(), pl.DataFrame({"product": ["PART", "PART"]}), **rule
        )


def test_what_makes_an_option_look_better_than_it_is_is_told():
    assert codes(made()) == ["W416"]  # neither has a recipe
    other = pumps("month")
    found = ws.plan.localise_options(candidates(), other, assumptions(), ready=1, cover=0.5)
    assert codes(found) == ["W418", "W416"]
    net = ws.examples.example("robot_maker")
    table = pl.DataFrame({"place": ["A", "HOME"], "280530": [1.0, 0.0], "848340": [1.0, 2.0]})
    own = measures.localise_candidates(
        measures.complexity(table, threshold=1e-9), "HOME", network=net
    )
    found = ws.plan.localise_options(
        own, net, products=["NDPR", "RV"], cost_ratio=1.0, ready=1, cover=0.5, basis="us"
    )
    assert [(f.code, f.value, f.count) for f in found.findings] == [("W417", "NDPR", 1)]


# --- the way back --------------------------------------------------------------------------------


def test_tables_give_the_same_options_when_read_again():
    use = Option(label="X", kind="train", effects=(Effect(effect="add_stock", product="PART",
                 amount=2.0, unit="periods"),), uses=(Use(product="WIRE", quantity=3.0,
                 periods=2.0),))  # fmt: skip
    options = (*made().options, use)
    again = read_options(pumps().with_changes(tables=option_tables(options)))
    assert again == options
    net = made().add_to(pumps())
    assert read_options(net) == made().options
    assert net.tables["options"]["basis"].to_list() == ["quote", "us"]
    assert candidates().fingerprint() in net.tables["options"]["source"][0]
    with pytest.raises(UsageError, match="LOCALISE_PART"):
        made().add_to(net)


def test_the_note_of_an_option_holds_evidence_and_assumptions():
    option = made().options[0]
    for said in (candidates().evidence("PART"), "quote: 5,000 to start", "usual price",
                 "works for sure", "no running cost"):  # fmt: skip
        assert said in option.note


def test_a_plan_takes_them_and_leads_back_to_the_evidence():
    """Twelve weeks without parts: 10 pumps of 100 a week; half of it is worth more than 5,000."""
    found = made()
    net = pumps()
    plan = ws.plan.solve(net, found.options, [JAPAN], horizon=1, onsets=[0.5], step=1, periods=20)
    assert plan.chosen == ("LOCALISE_PART",)
    row = found.chosen_in(plan).row(0, named=True)
    assert (row["product"], row["rank"], row["basis"]) == ("PART", 1, "quote")
    assert row["saved"] == pytest.approx(plan.expected_loss_before - plan.expected_loss)
    assert row["saved"] == pytest.approx(12 * 5 * 100)
    assert row["candidates"] == candidates().fingerprint()
    kept = {o.label: o.note for o in plan.problem.chain.options}
    assert candidates().fingerprint()[:12] in kept["LOCALISE_PART"]
    assert found.why("LOCALISE_PART").equals(candidates().why("PART"))
    other = ws.plan.localise_options(candidates(), net, assumptions(), ready="8w", cover=0.5)
    with pytest.raises(UsageError, match="other evidence"):
        other.chosen_in(plan)
    with pytest.raises(UsageError, match="Did you mean LOCALISE_PART"):
        found.why("LOCALISE_PARTS")


def test_options_are_one_line_at_the_prompt():
    assert repr(made()) == (
        "<LocaliseOptions: 2 options (LOCALISE_PART, LOCALISE_SEAL), 5,800 to start them all.>"
    )


def test_the_robot_maker_makes_its_assembly_cells_against_a_loss_of_germany(data_dir):
    """Germany sells the cells that assemble robots; of three candidates these alone help."""
    exports = pl.read_parquet(data_dir / "globe_hs4_2012" / "exports_country_hs4.parquet")
    own = measures.complexity(exports, place="country", product="hs4", value="export_usd")
    net = ws.examples.example("robot_maker")
    best = measures.localise_candidates(own, "Italy", network=net)
    found = ws.plan.localise_options(
        best, net, products=["EQ_ASSY", "EQ_CMM", "RV"], cost_ratio=1.5, ready="1y", cover=0.9,
        basis="rule of thumb",
    )  # fmt: skip
    germany = ws.Scenario.lose(region="DE", duration="26w", probability=0.1)
    plan = ws.plan.solve(net, found.options, [germany], horizon=3, onsets=[2.0], step=4)
    chosen = found.chosen_in(plan).row(0, named=True)
    assert plan.chosen == ("LOCALISE_EQ_ASSY",)
    assert chosen["candidates"] == best.fingerprint()
    assert chosen["saved"] == pytest.approx(plan.expected_loss_before - plan.expected_loss)
    assert chosen["saved"] > chosen["cost_once"]
    assert chosen["rank"] == best.products.index("EQ_ASSY") + 1
