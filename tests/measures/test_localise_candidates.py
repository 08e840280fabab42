"""What to make at home: every factor by hand, who is on the front, what is missing."""

from __future__ import annotations

from functools import cache

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import rankdata

import withstand as ws
from candidate_cases import CODES, EXPORTS, PCI, capability, pumps, research
from withstand import measures
from withstand.errors import DataError, UsageError
from withstand.measures.product_codes import join_codes
from withstand.measures.standings import front, scores, standing

VINTAGES = measures.ProductCodes(vintage="HS92", table_vintage="HS92")
FLOWS = pl.DataFrame(
    {
        "year": 2022,
        "exporter": ["JP", "CN", "CN", "DE", "HOME", "CN", "HOME", "JP"],
        "importer": ["HOME", "HOME", "HOME", "HOME", "DE", "DE", "JP", "DE"],
        "product": ["848340", "848340", "401693", "401693", "401693", "848340", "848340", "290110"],
        "value": [90.0, 10.0, 6.0, 4.0, 100.0, 30.0, 20.0, 5.0],
    }
)


@cache
def found():
    return measures.localise_candidates(
        capability(),
        "HOME",
        network=pumps(),
        research=research(),
        codes=VINTAGES,
        pci=PCI,
        weights={"cog": 0.0},
    )


@cache
def flagged():
    cube = ws.read_trade(FLOWS, vintage="HS92")
    return measures.screens(cube, ["HOME"], presets=["ec_2021", "merics_2024"])


def codes(result):
    return [f.code for f in result.findings]


def cells(result, product):
    return result.to_frame().row(by_predicate=pl.col("product") == product, named=True)


# --- by hand -------------------------------------------------------------------------------------

BY_HAND = {  # product: factors, groups, score
    "PART": ((1.0, 1.0, 1.0, 5 / 14, 0.5, 2.0, 3.2, 100.0), (17 / 24, 3 / 8, 5 / 6), 23 / 36),
    "WIRE": ((1.0, 0.5, 0.5, 5 / 7, None, -1.0, 0.0, 30.0), (3 / 8, 5 / 6, 5 / 18), 107 / 216),
    "SEAL": ((0.8, 0.4, 0.6, 2 / 11, 1.0, 1.0, 1.6, 16.0), (5 / 24, 11 / 24, 7 / 18), 19 / 54),
    "OIL": ((1.0, 1.0, 1.0, None, None, None, None, None), (17 / 24, None, None), None),
}
FACTORS = ("outside_home", "foreign_hhi", "output_lost", "density", "research_density", "pci",
           "export_potential", "purchases")  # fmt: skip


def test_candidates_are_ranked_as_by_hand():
    frame = found().to_frame()
    assert frame["product"].to_list() == list(BY_HAND)
    assert frame["rank"].to_list() == [1, 2, 3, None]


@pytest.mark.parametrize("product", BY_HAND)
def test_every_factor_group_and_score_is_that_worked_out_by_hand(product):
    row = cells(found(), product)
    factors, groups, score = BY_HAND[product]
    for name, value in zip(FACTORS, factors, strict=True):
        assert row[name] == (None if value is None else pytest.approx(value)), name
    for name, value in zip(("dangerous", "reachable", "worth_it"), groups, strict=True):
        assert row[name] == (None if value is None else pytest.approx(value)), name
    assert row["score"] == (None if score is None else pytest.approx(score))


def test_what_is_missing_widens_the_score():
    """Wire without research: half of its reach could be the last place or the first."""
    row = cells(found(), "WIRE")
    assert row["missing"] == "research_density"
    assert row["score_low"] == pytest.approx((3 / 8 + 5 / 12 + 5 / 18) / 3)
    assert row["score_high"] == pytest.approx((3 / 8 + 11 / 12 + 5 / 18) / 3)
    whole = cells(found(), "PART")
    assert whole["missing"] is None
    assert whole["score_low"] == whole["score_high"] == pytest.approx(whole["score"])
    assert cells(found(), "OIL")["on_front"] is None


def test_everything_not_known_is_a_finding():
    """Oil has no code, no domain and no price; nobody writes of optics."""
    said = {(f.code, f.value) for f in found().findings}
    assert said == {("W662", "OIL"), ("W661", "OIL"), ("W661", "Optics"), ("W664", "OIL")}


def test_why_shows_all_that_a_rank_rests_on():
    rows = found().why("PART")
    values = dict(rows.select("factor", "value").iter_rows())
    assert values["share of JP"] == 1.0
    assert values["density of 8483"] == pytest.approx(5 / 14)
    assert (values["density of Drives"], values["density of Materials"]) == (0.0, 1.0)
    standing_of = dict(rows.select("factor", "standing").iter_rows())
    assert standing_of["outside_home"] == 0.625
    weight = dict(rows.select("factor", "weight").iter_rows())
    assert (weight["cog"], weight["pci"], weight["share of JP"]) == (0.0, 1.0, None)
    source = dict(rows.select("factor", "evidence").iter_rows())
    assert pumps().fingerprint()[:12] in source["outside_home"]
    assert source["pci"] == "given"
    with pytest.raises(UsageError, match="Did you mean PART"):
        found().why("PARTS")


def test_evidence_names_rank_factors_and_fingerprints_in_one_line():
    text = found().evidence("PART")
    assert "\n" not in text
    for said in (found().fingerprint()[:12], "rank 1 of 3", "output_lost 1",
                 pumps().fingerprint()[:12]):  # fmt: skip
        assert said in text
    assert found().provenance.fingerprint == found().fingerprint()
    assert repr(found()).startswith("<LocaliseCandidates: 4 candidates for HOME: first PART")


def test_units_and_the_order_of_tables_make_no_difference():
    order = [3, 1, 0, 2]
    table = pl.DataFrame(7 * EXPORTS[:, order], schema=[CODES[i] for i in order], orient="row")
    table = table.with_columns(place=pl.Series(["HOME", "JP", "DE", "CN"]))[[2, 0, 3, 1]]
    able = measures.complexity(table, threshold=1e-9, convention="ecomplexity")
    other = measures.localise_candidates(
        able, "HOME", network=pumps(), research=research(),
        codes=VINTAGES, pci=PCI, weights={"cog": 0.0},
    )  # fmt: skip
    columns = ["rank", "product", "on_front", "beaten_by", "missing"]
    assert other.to_frame().select(columns).equals(found().to_frame().select(columns))
    ranked = found().to_frame()["score"].drop_nulls()
    np.testing.assert_allclose(other.to_frame()["score"].drop_nulls(), ranked)


def test_other_data_have_another_fingerprint():
    same = measures.localise_candidates(capability(), "HOME", network=pumps(), codes=VINTAGES)
    again = measures.localise_candidates(capability(), "HOME", network=pumps(), codes=VINTAGES)
    other = measures.localise_candidates(
        capability(), "HOME", network=pumps("month"), codes=VINTAGES
    )
    assert same.fingerprint() == again.fingerprint() != other.fingerprint()


def test_the_gain_is_that_of_complexity_and_density_stands_among_all_products():
    row = cells(found(), "PART")
    assert row["cog"] == pytest.approx(capability().cog[0, 0])
    assert row["density_percentile"] == pytest.approx(1.5 / 4)  # 4016 is less dense, two are more
    assert (row["code"], row["join"]) == ("8483", "coarser")
    assert cells(found(), "WIRE")["share_present"] == 1.0


# --- weights and the front -----------------------------------------------------------------------


def test_a_group_of_weight_0_is_left_out():
    alone = measures.localise_candidates(
        capability(), "HOME", network=pumps(), codes=VINTAGES,
        weights={"reachable": 0.0, "worth_it": 0.0},
    )  # fmt: skip
    assert set(alone.groups) == {"dangerous"}
    assert "W664" not in codes(alone)  # oil can be ranked by its dangers
    np.testing.assert_allclose(alone.to_frame()["score"], alone.to_frame()["dangerous"])
    assert alone.front()["product"].to_list() == ["OIL", "PART"]


def test_weights_that_cannot_be_are_refused():
    for weights, said in (
        ({"densty": 1.0}, "Did you mean density"),
        ({"pci": -1.0}, "0 or more"),
        (dict.fromkeys(("dangerous", "reachable", "worth_it"), 0.0), "nothing is left"),
    ):
        with pytest.raises(UsageError, match=said):
            measures.localise_candidates(capability(), "HOME", network=pumps(), weights=weights)
    with pytest.raises(UsageError, match="Nothing says what is dangerous"):
        measures.localise_candidates(capability(), "HOME")
    with pytest.raises(UsageError, match="'screens' takes what"):
        measures.localise_candidates(capability(), "HOME", screens=FLOWS)


TABLES = st.lists(
    st.lists(st.sampled_from([0.0, 0.5, 1.0, np.nan]), min_size=2, max_size=2),
    min_size=1, max_size=7,
)  # fmt: skip


@settings(max_examples=60)
@given(TABLES)
def test_the_front_is_that_of_comparing_everybody_with_everybody(rows):
    table = np.array(rows)
    on_front, by = front(table)
    for i, a in enumerate(rows):
        beaten = any(
            all(y >= x for x, y in zip(a, b, strict=True)) and a != b
            for b in rows
            if not np.isnan([*a, *b]).any()
        )
        assert on_front[i] == (not beaten and not np.isnan(a).any())
        assert (by[i] >= 0) == beaten


@settings(max_examples=60)
@given(st.lists(st.sampled_from([0.1 + 0.2, 0.3, 1.0, -2.0, np.nan]), min_size=1, max_size=8))
def test_standings_are_mid_ranks_and_rounding_makes_no_difference(values):
    """.1 + .2 is a tie with .3."""
    got = standing(np.array(values))
    known = [round(x, 9) for x in values if not np.isnan(x)]
    wanted = (rankdata(known) - 0.5) / max(len(known), 1)
    np.testing.assert_allclose(got[~np.isnan(values)], wanted)


@settings(max_examples=40)
@given(st.integers(0, 2**32 - 1))
def test_a_score_lies_between_its_bounds_whatever_is_missing(seed):
    rng = np.random.default_rng(seed)
    names = ("a", "b", "c", "d")
    whole = {x: standing(rng.random(6)) for x in names}
    holes = {x: np.where(rng.random(6) < 0.3, np.nan, v) for x, v in whole.items()}
    groups = {"g": ("a", "b"), "h": ("c", "d")}
    weights = dict(zip((*names, "g", "h"), rng.random(6) + 0.01, strict=True))
    full, part = scores(whole, groups, weights), scores(holes, groups, weights)
    np.testing.assert_allclose(full.low, full.high)
    known = ~np.isnan(part.score)
    for value in (full.score[known], part.score[known]):
        assert (part.low[known] <= value + 1e-12).all()
        assert (value <= part.high[known] + 1e-12).all()


# --- codes ---------------------------------------------------------------------------------------


def test_codes_are_joined_exactly_else_coarser_else_finer():
    own = {"A": ["848340"], "B": ["8483.10"], "C": ["8462"], "D": ["SOC 51-4041"], "E": ["10121"]}
    table = ["848340", "8483", "846210", "846229", "0101"]
    join = join_codes(own, table, np.array([1.0, 1.0, 3.0, 1.0, 1.0]))
    rows = join.rows.select("product", "code", "weight", "how").rows()
    assert rows == [
        ("A", "848340", 1.0, "exact"),
        ("B", "8483", 1.0, "coarser"),
        ("C", "846210", 0.75, "finer"),
        ("C", "846229", 0.25, "finer"),
        ("E", "0101", 1.0, "coarser"),
    ]
    values = np.array([1.0, 2.0, 4.0, 8.0, np.nan])
    np.testing.assert_allclose(join.mean(values), [1.0, 2.0, 5.0, np.nan, np.nan])
    np.testing.assert_allclose(join.total(values), [1.0, 2.0, 12.0, np.nan, np.nan])
    np.testing.assert_allclose(join.largest(values), [1.0, 2.0, 8.0, np.nan, np.nan])


def test_a_concordance_leads_to_the_codes_of_the_table():
    """Half of a new code is records, half is screens; the digits alone would say records."""
    lead = pl.DataFrame({"from": ["852411", "852411"], "to": ["901380", "852410"]})
    given = measures.ProductCodes(vintage="HS 2022", table_vintage="H0", concordance=lead)
    rows, findings = given.rows()
    assert [f.code for f in findings] == ["W607"]
    join = join_codes({"LCD": ["852411"], "X": ["8524"]}, ["8524", "9013"], np.ones(2), rows)
    np.testing.assert_allclose(join.weights, [[0.5, 0.5], [0.5, 0.5]])
    assert set(join.rows["how"]) == {"converted, coarser"}
    straight = join_codes({"LCD": ["852411"]}, ["8524", "9013"], np.ones(2))
    np.testing.assert_allclose(straight.weights, [[1.0, 0.0]])


def test_vintages_that_differ_or_are_not_said_are_told():
    for vintages, said in (
        (None, "unknown and unknown"),
        (measures.ProductCodes(vintage="HS22", table_vintage="HS92"), "HS22"),
    ):
        result = measures.localise_candidates(capability(), "HOME", network=pumps(), codes=vintages)
        (finding,) = [f for f in result.findings if f.code == "W663"]
        assert said in finding.what
    assert "W663" not in codes(found())
    with pytest.raises(UsageError, match="no vintage"):
        measures.ProductCodes(vintage="HS93")


def test_an_index_of_products_by_others_needs_codes_of_the_table():
    frame = pl.DataFrame({"product": ["84.83", "0000"], "pci": [7.0, 1.0]})
    result = measures.localise_candidates(
        capability(), "HOME", network=pumps(), codes=VINTAGES, pci=frame
    )
    assert cells(result, "PART")["pci"] == 7.0
    assert "pci" in cells(result, "SEAL")["missing"]
    with pytest.raises(DataError, match="no code of the table"):
        measures.localise_candidates(capability(), "HOME", network=pumps(), pci={"0000": 1.0})


# --- from screens --------------------------------------------------------------------------------


def test_flagged_codes_are_candidates_by_themselves():
    """848340: 100 from outside against exports of 20, shares .9 and .1; 401693 is exported."""
    result = measures.localise_candidates(
        capability(), "HOME", screens=flagged(), research=research(),
        domains={"8483": "Drives"}, codes=measures.ProductCodes(table_vintage="HS92"),
    )  # fmt: skip
    row = cells(result, "848340")
    assert result.to_frame().height == 1
    assert row["flags"] == 1.0
    assert row["import_hhi"] == pytest.approx(0.82)
    assert (row["extra_share"], row["imports"]) == (1.0, 100.0)
    assert (row["research_density"], row["domains"]) == (0.0, "Drives")
    assert not result.findings
    conditions = result.why("848340").filter(pl.col("threshold").is_not_null())
    assert dict(conditions.select("factor", "threshold").iter_rows()) == {
        "ec_2021: import_hhi of 848340": 0.4,
        "ec_2021: extra_share of 848340": 0.5,
        "ec_2021: import_export_ratio of 848340": 1.0,
        "merics_2024: import_export_ratio of 848340": 2.0,
    }
    assert "ec_2021 (import_hhi > 0.4" in result.evidence("848340")
    assert result.network_fingerprint is None


def test_a_network_has_the_screens_beside_it():
    result = measures.localise_candidates(
        capability(), "HOME", network=pumps(), screens=flagged(), codes=VINTAGES
    )
    assert (cells(result, "PART")["flags"], cells(result, "SEAL")["flags"]) == (1.0, 0.0)
    assert cells(result, "SEAL")["imports"] == 10.0
    assert cells(result, "WIRE")["missing"] == "flags; import_hhi; extra_share; imports"
    unmatched = [f.value for f in result.findings if f.code == "W662"]
    assert unmatched == ["OIL", "WIRE"]


def test_flagged_codes_that_the_network_does_not_buy_are_told():
    flows = FLOWS.with_columns(pl.col("product").replace("848340", "850511"))
    screens = measures.screens(ws.read_trade(flows, vintage="HS92"), ["HOME"], presets="ec_2021")
    result = measures.localise_candidates(
        capability(), "HOME", network=pumps(), screens=screens, codes=VINTAGES
    )
    (note,) = [f for f in result.findings if f.code == "N662"]
    assert note.value == "850511"
    with pytest.raises(UsageError, match="was not screened"):
        measures.localise_candidates(capability(), "HOME", screens=screens, year=2021)


# --- intervals -----------------------------------------------------------------------------------


@pytest.mark.parametrize("convention", ["ecomplexity", "stata"])
def test_without_a_draw_the_densities_are_those_of_the_table(convention):
    """Where a product is not near itself (stata), it is not so in the draws either."""
    own = capability(convention)
    result = measures.localise_candidates(own, "HOME", network=pumps(), codes=VINTAGES)
    frame = result.density_intervals(draws=1, seed=1).drop_nulls("rank")
    home = dict(zip(own.products, own.density[0], strict=True))
    wanted = {"PART": home["8483"], "SEAL": home["4016"], "WIRE": home["8544"]}
    np.testing.assert_allclose(frame["density"], [wanted[p] for p in frame["product"]])
    assert frame["rank"].to_list() == rankdata(-frame["density"].to_numpy(), "min").tolist()


def test_density_intervals_enclose_the_rank_at_rest_and_repeat():
    first = found().density_intervals(draws=50, seed=3)
    assert first.equals(found().density_intervals(draws=50, seed=3))
    known = first.drop_nulls("rank")
    assert known["product"].to_list() == ["WIRE", "PART", "SEAL"]
    np.testing.assert_allclose(known["density"], [5 / 7, 5 / 14, 2 / 11])
    assert (known["low"] <= known["high"]).all()
    assert first.filter(pl.col("product") == "OIL").row(0)[1:] == (None,) * 4
    with pytest.raises(UsageError, match="at least one"):
        found().density_intervals(draws=0)


def test_ranks_of_products_stand_beside_their_index():
    rng = np.random.default_rng(5)
    table = pl.DataFrame(EXPORTS + rng.random(EXPORTS.shape), schema=CODES, orient="row")
    table = table.with_columns(place=pl.Series(["HOME", "JP", "DE", "CN"]))
    own = measures.complexity(table)
    ranks = measures.rank_intervals(own, by="noise", draws=20, seed=1)
    result = measures.localise_candidates(own, "HOME", network=pumps(), codes=VINTAGES, ranks=ranks)
    row = cells(result, "PART")
    wanted = ranks.to_frame().filter(pl.col("label") == "8483").row(0, named=True)
    assert row["pci_rank_low"] == wanted["low"]
    assert row["pci_rank"] == wanted["rank"]
    assert "rank of pci, high" in result.why("PART")["factor"]
    places = measures.rank_intervals(own, by="products", draws=5, seed=1)
    with pytest.raises(UsageError, match="ranks of places only"):
        measures.localise_candidates(own, "HOME", network=pumps(), ranks=places)
    with pytest.raises(UsageError, match="'ranks' or 'pci'"):
        measures.localise_candidates(own, "HOME", network=pumps(), ranks=ranks, pci=PCI)


# --- real ----------------------------------------------------------------------------------------


def test_the_robot_maker_in_germany_finds_gears_by_the_exports_of_2012(data_dir):
    """Codes of 2022 are led to those of 1992: a flat panel is no gramophone record."""
    exports = pl.read_parquet(data_dir / "globe_hs4_2012" / "exports_country_hs4.parquet")
    lead = pl.read_parquet(data_dir / "concordances" / "hs6_hs0.parquet")
    own = measures.complexity(exports, place="country", product="hs4", value="export_usd")
    given = measures.ProductCodes(vintage="HS22", table_vintage="HS92", concordance=lead)
    network = ws.examples.example("robot_maker")
    result = measures.localise_candidates(own, "Germany", network=network, codes=given)
    frame = result.to_frame()
    assert frame.height == 104
    assert cells(result, "LCD")["code"] != "8524"
    gear = cells(result, "RV")
    assert gear["code"] == "8483"
    assert gear["density"] == pytest.approx(
        own.density[own.places.index("Germany"), own.products.index("8483")]
    )
    assert gear["output_lost"] == pytest.approx(0.733)  # Japan lost: the published anchor is .267
    shares = measures.concentration(network).why("FPGA").filter(pl.col("source") != "HOME")
    hhi = cells(result, "FPGA")["foreign_hhi"]
    assert hhi == pytest.approx((shares["share"] ** 2).sum())
    assert hhi >= 0.64  # Taiwan alone has .8
    assert gear["on_front"]
    lost = {"SWMOT", "SEMIPKG"}  # a licence and a service have no code of goods
    assert set(frame.filter(pl.col("rank").is_null())["product"]) == lost
    assert "W663" not in codes(result)
