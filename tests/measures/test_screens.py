"""Screens flag what their published criteria say, by hand, by the twin and on real trade."""

from __future__ import annotations

import math
import random
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import naive_trade
from withstand.errors import UsageError
from withstand.measures.import_concentrations import INDICATORS
from withstand.measures.reporting_errors import ReportingError
from withstand.measures.screen_presets import (
    ScreenCondition,
    ScreenPreset,
    known_screens,
    read_screens,
)
from withstand.measures.screening import screens
from withstand.model.trade_blocs import bloc_name
from withstand.model.trade_cube import TradeCube
from withstand.readers.trade import read_trade

ROUNDING = 1e-12  # sums of few numbers in another order
REGIONS = ["CN", "DE", "FR", "US", "JP"]
BLOC = ["DE", "FR"]


def cube_of(rows: list[tuple]) -> TradeCube:
    columns = ["year", "exporter", "importer", "product", "value"]
    return read_trade(pl.DataFrame(rows, schema=columns, orient="row"), vintage="HS92")


def members(year: int) -> set[str]:
    return {"DE", "FR"} if year >= 2020 else {"DE"}


BY_YEAR = {year: sorted(members(year)) for year in range(2018, 2024)}

flow = st.tuples(
    st.sampled_from([2019, 2020, 2021]),
    st.sampled_from(REGIONS),
    st.sampled_from(REGIONS),
    st.sampled_from(["280530", "850511"]),
    st.integers(1, 1000).map(float),
).filter(lambda row: row[1] != row[2])
tables = st.lists(flow, min_size=1, max_size=25)


def hand_made() -> TradeCube:
    """A (DE, FR) buys from C (8) and U (2), trades 6 within, sells 5 outside."""
    return cube_of(
        [
            (2022, "CN", "DE", "280530", 8.0),
            (2022, "US", "FR", "280530", 2.0),
            (2022, "DE", "FR", "280530", 6.0),
            (2022, "FR", "US", "280530", 5.0),
        ]
    )


def test_three_regions_by_hand() -> None:
    found = screens(hand_made(), BLOC, presets="ec_2021")
    row = found.indicators.row(0, named=True)
    assert row["import_hhi"] == pytest.approx(0.68, rel=ROUNDING)  # .8^2 + .2^2
    assert row["extra_share"] == 10 / 16
    assert row["import_export_ratio"] == 10 / 11  # all exports, those to members too
    assert row["world_export_hhi"] == pytest.approx((8**2 + 2**2 + 6**2 + 5**2) / 21**2)
    assert (row["largest_supplier"], row["largest_share"], row["suppliers"]) == ("CN", 0.8, 2)
    assert (row["world_largest"], row["main_supplier_leads"]) == ("CN", 1.0)
    assert found.flagged("ec_2021").is_empty()  # imports do not exceed all exports
    outside = screens(hand_made(), BLOC, presets="ec_2021", exports="extra")
    assert outside.flagged("ec_2021")["import_export_ratio"].to_list() == [2.0]
    assert outside.conventions["exports"] == "extra"
    assert "exports to outside" in outside.summary()
    as_one = screens(hand_made(), BLOC, presets="ec_2021", world_exports="bloc_as_one")
    assert as_one.indicators["world_export_hhi"][0] == pytest.approx((64 + 4 + 25) / 15**2)


@given(tables)
@settings(max_examples=25)
def test_indicators_and_flags_equal_those_of_plain_loops(rows: list[tuple]) -> None:
    for exports, world in (("total", "countries"), ("extra", "bloc_as_one")):
        found = screens(
            cube_of(rows), _present(rows), presets=["ec_2021"], exports=exports,
            world_exports=world,
        )  # fmt: skip
        joined = found.indicators.join(found.verdicts, on=["year", "product"])
        assert joined.height == len({(y, p) for y, _, _, p, _ in rows})
        for row in joined.iter_rows(named=True):
            slow = naive_trade.indicators(
                rows, _members_of(rows), row["year"], row["product"], exports=exports, world=world
            )
            for name, value in slow.items():
                if value is None:
                    assert row[name] is None, name
                else:
                    assert row[name] == pytest.approx(value, rel=ROUNDING), name
            assert row["flagged"] == naive_trade.ec_2021(slow)


def _members_of(rows: list[tuple]):
    """Return the members that trade at all: a bloc is what the cube knows of it."""
    present = {r for row in rows for r in row[1:3]}
    return lambda year: (members(year) & present) or {min(present)}


def _present(rows: list[tuple]) -> dict[int, list[str]]:
    of = _members_of(rows)
    return {year: sorted(of(year)) for year in BY_YEAR}


@given(tables)
@settings(max_examples=20)
def test_identities_hold(rows: list[tuple]) -> None:
    bloc = _present(rows)
    base = screens(cube_of(rows), bloc).to_frame().sort("year", "product")
    for name in ("import_hhi", "world_export_hhi", "extra_share", "largest_share"):
        values = base[name].drop_nulls()
        assert ((values >= 0) & (values <= 1)).all(), name
    least = 1 / base["suppliers"]
    assert ((base["import_hhi"] >= least - ROUNDING) | base["import_hhi"].is_null()).all()

    scaled = [(*row[:4], row[4] * 8) for row in rows]  # a power of two: exact
    again = screens(cube_of(scaled), bloc).to_frame().sort("year", "product")
    amounts = ["imports", "intra_imports", "exports"]
    assert again.drop(amounts).equals(base.drop(amounts))

    names = {"CN": "XB", "US": "XC", "JP": "XA", "DE": "ZB", "FR": "ZA"}
    renamed = [(y, names[e], names[i], p, v) for y, e, i, p, v in rows]
    labels = ["largest_supplier", "world_largest"]
    theirs = {year: [names[m] for m in of] for year, of in bloc.items()}
    again = screens(cube_of(renamed), theirs).to_frame().sort("year", "product")
    for name in INDICATORS:
        for here, there in zip(again[name], base[name], strict=True):
            assert here == (there if there is None else pytest.approx(there, rel=ROUNDING))
    screened = list(known_screens())
    assert again.select(screened).equals(base.select(screened))
    assert labels[0] in again.columns


@given(tables)
@settings(max_examples=10)
def test_a_bloc_of_everyone_imports_nothing_from_outside(rows: list[tuple]) -> None:
    found = screens(cube_of(rows), "*")
    assert (found.indicators["imports"] == 0).all()
    assert found.indicators["import_hhi"].null_count() == found.indicators.height
    assert not found.verdicts["flagged"].fill_null(False).any()
    assert cube_of(rows).imports_of("*").is_empty()


@given(tables, st.floats(1.0, 1e6))
@settings(max_examples=10)
def test_trade_between_members_changes_nothing_about_where_imports_come_from(
    rows: list[tuple], value: float
) -> None:
    rows = [*rows, (2021, "DE", "FR", "280530", 1.0)]
    more = [*rows, (2021, "DE", "FR", "280530", value)]
    kept = ["year", "product", "imports", "suppliers", "import_hhi", "largest_share"]
    before, after = (screens(cube_of(r), BLOC).indicators.select(kept) for r in (rows, more))
    assert before.equals(after)


def test_nothing_exported_is_9999_and_a_larger_ratio_stays() -> None:
    rows = [(2022, "CN", "DE", "280530", 5.0), (2022, "CN", "DE", "850511", 3e6)]
    rows.append((2022, "DE", "US", "850511", 1.0))
    found = screens(cube_of(rows), "DE", presets=["merics_2024"])
    assert found.indicators["import_export_ratio"].to_list() == [9999.0, 3e6]
    assert found.flagged("merics_2024").height == 2


def test_a_threshold_itself_is_not_beyond_it() -> None:
    rows = [(2022, "CN", "DE", "280530", 2.0), (2022, "DE", "US", "280530", 1.0)]
    assert screens(cube_of(rows), "DE", presets="merics_2024").flagged("merics_2024").is_empty()
    equal = [(2022, e, "DE", "280530", 1.0) for e in ("CN", "US", "JP", "BR")]
    found = screens(cube_of(equal), "DE", presets="cbs_2021")  # an index of .25: concentrated
    assert found.flagged("cbs_2021").height == 1
    assert found.classes("cbs_2021")["import_hhi_class"].to_list() == ["concentrated"]


# --- several years ---------------------------------------------------------------------------


def _years(holding: dict[int, bool]) -> TradeCube:
    """A product whose conditions hold in some years: one supplier, or a bloc that sells more."""
    rows = []
    for year, holds in holding.items():
        rows.append((year, "CN", "DE", "280530", 10.0))
        rows.append((year, "DE", "US", "280530", 1.0 if holds else 20.0))
    return cube_of(rows)


@pytest.mark.parametrize(
    ("holding", "flagged"),
    [
        ({2020: True, 2021: False, 2022: True}, True),
        ({2020: True, 2021: False, 2022: False}, False),
        ({2021: True, 2022: True}, True),  # the year that is missing cannot change it
        ({2021: False, 2022: False}, False),
        ({2021: False, 2022: True}, None),  # it can
        ({2022: True}, None),
    ],
)
def test_two_of_three_years_are_needed_and_doubt_is_left_empty(
    holding: dict[int, bool], flagged: bool | None
) -> None:
    found = screens(_years(holding), "DE", presets="geodep_2024", years=2022)
    assert found.verdicts["flagged"].to_list() == [flagged]
    assert ("W612" in [f.code for f in found.findings]) == (len(holding) < 3)


def test_geodep_equals_the_twin_on_random_years() -> None:
    rng = random.Random(7)
    rows = [
        (year, e, i, p, float(rng.choice([1, 1, 5, 50])))
        for year in range(2018, 2024)
        for e in REGIONS
        for i in REGIONS
        for p in ("280530", "850511", "711039")
        if e != i and rng.random() < 0.35
    ]
    found = screens(cube_of(rows), BY_YEAR, presets="geodep_2024", years=range(2020, 2024))
    seen = set()
    for row in found.verdicts.iter_rows(named=True):
        slow = naive_trade.geodep_2024(
            lambda y, p=row["product"]: naive_trade.indicators(rows, members, y, p), row["year"]
        )
        assert row["flagged"] == slow
        seen.add(slow)
    assert seen == {True, False}


def test_churn_counts_who_left_and_who_came() -> None:
    rows = []
    pattern = {"280530": (2020, 2021), "850511": (2020,), "711039": (2021,)}
    for product, flagged_in in pattern.items():
        for year in (2020, 2021):
            rows.append((year, "CN", "DE", product, 10.0))
            rows.append((year, "DE", "US", product, 1.0 if year in flagged_in else 20.0))
    found = screens(cube_of(rows), "DE", presets="ec_2021")
    assert found.churn("ec_2021").rows() == [(2021, 2, 2, 1, 1, 0.5)]


def test_a_sequence_of_filters_says_what_each_leaves() -> None:
    rows = [
        (2022, "CN", "DE", "280530", 9.0),
        (2022, "US", "DE", "280530", 1.0),
        (2022, "CN", "DE", "850511", 9.0),
        (2022, "US", "JP", "850511", 30.0),  # the world buys it elsewhere
        (2022, "CN", "DE", "711039", 1.0),
        (2022, "US", "DE", "711039", 1.0),
    ]
    found = screens(cube_of(rows), "DE", presets="pc_2021")
    assert found.funnel("pc_2021")["products"].to_list() == [3, 2, 2, 1]
    assert found.flagged("pc_2021")["product"].to_list() == ["280530"]


# --- distance, size, reasons -----------------------------------------------------------------


def test_the_margin_is_the_smallest_relative_distance() -> None:
    found = screens(hand_made(), BLOC, presets="ec_2021")
    distance = found.conditions().select("condition", "distance", "relative", "holds").rows()
    assert distance == [
        ("CDI1", pytest.approx(0.28), pytest.approx(0.7), True),
        ("CDI2", pytest.approx(0.125), pytest.approx(0.25), True),
        ("CDI3", pytest.approx(-1 / 11), pytest.approx(-1 / 11), False),
    ]
    assert found.verdicts["margin"][0] == pytest.approx(-1 / 11)
    assert found.why("280530")["words"][0] == "few suppliers outside the bloc"
    assert found.suppliers("280530", 2022).rows() == [("CN", 8.0, 0.8), ("US", 2.0, 0.2)]


def test_a_product_that_is_not_imported_has_no_margin_beyond_a_threshold() -> None:
    """Nobody imports it, and the world's exports are those of one country: 1 / .15 of the limit."""
    rows = [(2022, "CN", "US", "850511", 5.0), (2022, "CN", "DE", "280530", 1.0)]
    found = screens(cube_of(rows), "DE", presets="cbs_2021").verdicts
    assert found.select("product", "flagged", "margin").rows() == [
        ("280530", True, pytest.approx(3.0)),
        ("850511", False, None),
    ]


def test_years_of_any_kind_of_number_are_the_same() -> None:
    cube = hand_made()
    years = np.array([2022, 2022])
    for asked in (2022, np.int64(2022), years, [2022.0]):
        assert screens(cube, BLOC, presets="ec_2021", years=asked).years == (2022,)
    rows = pl.DataFrame({"year": [2021, 2022], "exporter": "CN", "importer": "DE",
                         "product": "280530", "value": 1.0})  # fmt: skip
    assert read_trade(rows, years=years[0]).years == (2022,)


def test_the_members_of_a_set_are_named_in_order() -> None:
    names = {f"{a}{b}" for a in "ABC" for b in "XYZ"}
    assert bloc_name(names) == bloc_name(sorted(names))


def test_small_imports_are_not_flagged() -> None:
    rows = [(2022, "CN", "DE", "280530", 5.0)]
    assert screens(cube_of(rows), "DE", presets="ec_2021").flagged("ec_2021").height == 1
    found = screens(cube_of(rows), "DE", presets="ec_2021", minimum_imports=6.0)
    assert found.flagged("ec_2021").is_empty()


def test_quantities_may_be_screened_instead_of_values() -> None:
    frame = pl.DataFrame(
        {"year": 2022, "exporter": ["CN", "US"], "importer": "DE", "product": "280530",
         "value": [1.0, 1.0], "quantity": [9.0, 1.0]}
    )  # fmt: skip
    cube = read_trade(frame, vintage="HS92")
    assert screens(cube, "DE", measure="quantity").indicators["import_hhi"][0] == 0.82
    assert screens(cube, "DE").indicators["import_hhi"][0] == 0.5


def test_own_screens_come_from_a_file_or_as_values(tmp_path: Path) -> None:
    file = tmp_path / "own.toml"
    text = '[strict]\ntitle = "Ours"\n[[strict.conditions]]\nname = "A"\n'
    file.write_text(text + 'indicator = "import_hhi"\nabove = 0.7\n')
    strict = read_screens(file)["strict"]
    assert screens(hand_made(), BLOC, presets=[strict]).flagged("strict").is_empty()
    condition = ScreenCondition(name="A", indicator="import_hhi", above=0.6)
    lax = ScreenPreset(name="lax", title="", conditions=(condition,))
    assert screens(hand_made(), BLOC, presets=[lax]).flagged("lax").height == 1
    file.write_text(text + 'indicator = "import_hi"\nabove = 0.7\n')
    with pytest.raises(UsageError, match="import_hhi"):
        read_screens(file)
    file.write_text(text + 'indicator = "import_hhi"\nabvoe = 0.7\n')
    with pytest.raises(UsageError, match="Did you mean above"):
        read_screens(file)


def test_what_is_not_known_is_refused_with_the_nearest() -> None:
    cube = hand_made()
    for wrong, words in (
        ({"bloc": "EU72"}, "EU27"),
        ({"bloc": "DE", "presets": "ec_2012"}, "ec_2021"),
        ({"bloc": "DE", "years": 1900}, "1900"),
        ({"bloc": "DE", "years": "2022"}, "whole number"),
        ({"bloc": "DE", "years": []}, "No year"),
        ({"bloc": "DE", "years": 2021.5}, "2021.5"),
        ({"bloc": "DE", "minimum_imports": float("nan")}, "minimum_imports"),
        ({"bloc": []}, "Nobody"),
        ({"bloc": "DE", "exports": "all"}, "total, extra"),
        ({"bloc": "BR"}, "Nobody"),
        ({"bloc": "Germny"}, "Did you mean DE"),
        ({"bloc": "DE++FR"}, "cannot be read"),
    ):
        with pytest.raises(UsageError, match=words):
            screens(cube, wrong.pop("bloc"), **wrong)
    with pytest.raises(UsageError, match="read_trade"):
        screens(cube.to_frame(), "DE")
    with pytest.raises(UsageError, match="ReportingError"):
        screens(cube, "DE", error=0.2)
    with pytest.raises(UsageError, match="No product"):
        cube.filter(products=[])
    empty = cube_of([(2022, "DE", "DE", "280530", 1.0)])
    with pytest.raises(UsageError, match="nothing to screen"):
        screens(empty, "DE")
    found = screens(cube, "DE", presets="ec_2021")
    with pytest.raises(UsageError, match="280530"):
        found.why("280531")
    with pytest.raises(UsageError, match="It is known"):
        found.flagged("cbs_2021")


def test_every_preset_states_its_source_and_the_published_thresholds() -> None:
    known = known_screens()
    assert all(p.source and p.title for p in known.values())
    limits = {name: [c.threshold for c in p.conditions] for name, p in known.items()}
    assert limits["ec_2021"] == [0.4, 0.5, 1.0]
    assert limits["geodep_2024"] == [0.4, 0.4, 1.0]
    assert (known["geodep_2024"].needed, known["geodep_2024"].window) == (2, 3)
    assert limits["merics_2024"] == [2.0]
    assert {c.basis for p in known.values() for c in p.conditions} == {"published", "our reading"}


# --- reporting errors ------------------------------------------------------------------------


def test_without_errors_the_chance_is_the_verdict() -> None:
    found = screens(hand_made(), BLOC, error=ReportingError(spread=0.0, draws=3))
    rows = found.verdicts.filter(pl.col("flagged").is_not_null())
    assert (rows["probability"] == rows["flagged"].cast(pl.Float64)).all()


def test_the_chance_of_a_trade_deficit_follows_its_closed_form() -> None:
    # One supplier, exports to one country: the ratio is log-normal around imports over exports,
    # each disturbed on its own, so P(ratio > 2) = Phi(ln(r / 2) / (spread sqrt 2)).
    rows = [(2022, "CN", "DE", "280530", 2.6), (2022, "DE", "US", "280530", 1.0)]
    error = ReportingError(spread=0.3, draws=4000, seed=5)
    found = screens(cube_of(rows), "DE", presets="merics_2024", error=error)
    row = found.verdicts.row(0, named=True)
    z = math.log(2.6 / 2) / (0.3 * math.sqrt(2))
    exact = 0.5 * (1 + math.erf(z / math.sqrt(2)))
    assert abs(row["probability"] - exact) < 4 * row["standard_error"]
    assert row["standard_error"] < 0.01
    again = screens(cube_of(rows), "DE", presets="merics_2024", error=error)
    assert again.verdicts.equals(found.verdicts)
    assert found.provenance.seed == 5


def test_draws_of_a_year_do_not_depend_on_the_other_years() -> None:
    cube = _years({2020: True, 2021: True, 2022: True})
    error = ReportingError(spread=1.5, draws=50, seed=1)
    whole = screens(cube, "DE", presets="ec_2021", error=error)
    alone = screens(cube, "DE", presets="ec_2021", years=2021, error=error)
    chance = whole.verdicts.filter(pl.col("year") == 2021)["probability"]
    assert chance.to_list() == alone.verdicts["probability"].to_list()
    assert 0 < chance[0] < 1


def test_errors_out_of_range_are_refused() -> None:
    for wrong in ({"spread": -1.0}, {"draws": 0}, {"draws": 2.5}, {"spread": math.nan}):
        with pytest.raises(UsageError):
            ReportingError(**wrong)


# --- on disk, and real trade -----------------------------------------------------------------


def test_a_cube_on_disk_in_batches_screens_as_one_in_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rng = random.Random(3)
    rows = [
        (year, e, i, "280530", float(rng.randint(1, 99)))
        for year in range(2018, 2024)
        for e in REGIONS
        for i in REGIONS
        if e != i
    ]
    whole = screens(cube_of(rows), BY_YEAR).to_frame()
    monkeypatch.setattr("withstand.readers.trade.FEW", 10)
    monkeypatch.setattr("withstand.measures.import_concentrations.FEW", 30)
    cube = cube_of(rows)
    assert cube.rows.files
    assert screens(cube, BY_YEAR).to_frame().equals(whole)


EU27 = (40, 56, 58, 100, 191, 196, 203, 208, 233, 246, 251, 276, 280, 300, 348, 372, 380, 428, 440,
        442, 470, 528, 616, 620, 642, 703, 705, 724, 752)  # fmt: skip


def test_the_criteria_of_the_commission_on_raw_materials_2019_to_2022(data_dir: Path) -> None:
    file = data_dir / "crm_trade_wmd_wgi" / "baci_raw_materials_hs92_1995_2024.parquet"
    found = screens(read_trade(file), "EU27", presets="ec_2021", years=range(2019, 2023))
    raw = pl.read_parquet(file).with_columns(pl.col("k").cast(pl.String))
    inside, buys = pl.col("i").is_in(EU27), pl.col("j").is_in(EU27)
    for year in range(2019, 2023):  # the same from the numeric codes, another way
        one = raw.filter(pl.col("t") == year)
        extra = one.filter(~inside, buys).group_by("k", "i").agg(pl.col("v").sum())
        hhi = extra.group_by("k").agg(
            m=pl.col("v").sum(), hhi=(pl.col("v") / pl.col("v").sum()).pow(2).sum()
        )
        intra = one.filter(inside, buys).group_by("k").agg(intra=pl.col("v").sum())
        sold = one.filter(inside).group_by("k").agg(x=pl.col("v").sum())
        table = hhi.join(intra, on="k", how="left").join(sold, on="k", how="left").fill_null(0.0)
        dependent = table.filter(
            pl.col("hhi") > 0.4,
            pl.col("m") / (pl.col("m") + pl.col("intra")) > 0.5,
            pl.col("m") > pl.col("x"),
        )
        assert found.flagged("ec_2021", year)["product"].to_list() == sorted(dependent["k"])
    counts = [found.flagged("ec_2021", year).height for year in range(2019, 2023)]
    assert counts == [11, 14, 14, 9]
    left = found.churn("ec_2021")["share_left"].mean()
    assert isinstance(left, float)
    assert 0.1 < left < 0.5  # one in five in the literature, over all products
