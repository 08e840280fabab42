"""What regions have more of than the whole, how unevenly, and what is akin to what they have."""

from __future__ import annotations

import itertools

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiny_networks import link, need, network, node
from withstand.errors import DataError, UsageError
from withstand.measures.localisations import localisation
from withstand.measures.location_quotients import location_quotient
from withstand.measures.related_densities import related_density

SEEDS = st.integers(0, 2**32 - 1)
OEWS = {"region": "area_code", "activity": "occupation_code", "value": "emp", "total": "000000"}


def table(values, regions=None, activities=None):
    """Return a long frame of values by region (rows) and activity (columns)."""
    values = np.asarray(values, dtype=float)
    regions = regions or [f"r{i}" for i in range(values.shape[0])]
    activities = activities or [f"a{i}" for i in range(values.shape[1])]
    rows = [(r, a, values[i, j]) for i, r in enumerate(regions) for j, a in enumerate(activities)]
    return pl.DataFrame(rows, schema=["region", "activity", "value"], orient="row")


def codes(findings):
    return {f.code for f in findings}


# --- location quotients --------------------------------------------------------------------------


@given(SEEDS)
def test_quotients_are_the_formula_written_out(seed):
    rng = np.random.default_rng(seed)
    e = rng.uniform(0.1, 100, (4, 3))
    result = location_quotient(table(e)).to_frame()
    lq = result["lq"].to_numpy().reshape(e.shape)
    for r, i in itertools.product(range(4), range(3)):
        expected = (e[r, i] / e[r].sum()) / (e[:, i].sum() / e.sum())
        assert lq[r, i] == pytest.approx(expected, rel=1e-12)


@given(SEEDS)
def test_quotients_weighted_by_the_whole_average_to_one(seed):
    rng = np.random.default_rng(seed)
    e = rng.uniform(0, 100, (5, 4)) * (rng.random((5, 4)) < 0.7) + 1e-3
    frame = location_quotient(table(e)).to_frame()
    share = frame.with_columns(pl.col("activity_total") / e.sum())
    mean = share.group_by("region").agg((pl.col("lq") * pl.col("activity_total")).sum())
    assert mean["lq"].to_list() == pytest.approx([1.0] * 5)


def test_the_row_of_totals_is_the_denominator():
    # Region N has 100 jobs, of which only 30 are published by activity.
    values = [("N", "all", 100.0), ("N", "gears", 30.0), ("S", "all", 300.0), ("S", "gears", 10.0)]
    frame = pl.DataFrame(values, schema=["region", "activity", "value"], orient="row")
    lq = location_quotient(frame, total="all").to_frame()["lq"].to_list()
    assert lq == pytest.approx([0.3 / 0.1, (10 / 300) / 0.1])
    # Taken as an activity like the others, it is doubted and distorts.
    doubtful = location_quotient(
        frame.with_columns(activity=pl.col("activity").replace("all", "Total"))
    )
    assert codes(doubtful.findings) == {"W206"}
    assert "total='Total'" in doubtful.findings[0].fix


def test_the_whole_may_be_a_frame_or_a_region_of_the_table():
    frame = table([[20, 80], [30, 70], [100, 900]], regions=["N", "S", "nation"])
    named = location_quotient(frame, whole="nation").to_frame()
    assert named["region"].unique().sort().to_list() == ["N", "S"]
    assert named["lq"].to_list() == pytest.approx([2.0, 80 / 90, 3.0, 70 / 90])
    reference = pl.DataFrame({"activity": ["a0", "a1"], "value": [100.0, 900.0]})
    given_frame = location_quotient(frame.filter(pl.col("region") != "nation"), whole=reference)
    assert given_frame.to_frame()["lq"].to_list() == named["lq"].to_list()


@pytest.mark.parametrize("hidden", [None, float("nan")])
def test_what_is_not_published_gives_no_quotient_and_is_counted(hidden):
    frame = pl.DataFrame(
        {"region": ["N"] * 3 + ["S"] * 3, "activity": ["all", "x", "y"] * 2,
         "value": [100.0, hidden, 60.0, 100.0, 50.0, 0.0]}
    )  # fmt: skip
    result = location_quotient(frame, total="all")
    rows = {(r["region"], r["activity"]): r["lq"] for r in result.to_frame().iter_rows(named=True)}
    assert rows["N", "x"] is None
    assert rows["S", "y"] == 0.0
    assert rows["S", "x"] == pytest.approx(0.5 / (50 / 200))
    # x was added up from what S publishes: too low, and said so. The whole mends it.
    assert [f.code for f in result.findings] == ["N531", "W537"]
    assert "activity x" in result.findings[1].what
    assert result.to_frame()["lq"].is_nan().sum() == 0
    whole = pl.DataFrame({"activity": ["all", "x", "y"], "value": [200.0, 80.0, 60.0]})
    mended = location_quotient(frame, total="all", whole=whole)
    assert codes(mended.findings) == {"N531"}
    assert mended.to_frame()["lq"].to_list()[2] == pytest.approx(0.5 / (80 / 200))
    bare = location_quotient(frame.filter(pl.col("activity") != "all"))
    assert [f.code for f in bare.findings] == ["N531", "W537", "W537"]


def test_a_region_or_activity_without_a_total_gives_no_quotient_and_is_named():
    frame = pl.DataFrame(
        {"region": ["N", "N", "S", "W", "W"], "activity": ["all", "x", "x", "all", "z"],
         "value": [100.0, 10.0, 5.0, 100.0, 4.0]}
    )  # fmt: skip
    whole = pl.DataFrame({"activity": ["all", "x"], "value": [1000.0, 50.0]})
    result = location_quotient(frame, total="all", whole=whole)
    assert result.to_frame()["lq"].to_list() == [pytest.approx(2.0), None, None]
    assert [f.code for f in result.findings] == ["W534", "W534"]
    assert "S" in result.findings[0].what
    assert "z" in result.findings[1].what


def test_quotients_of_a_network_are_by_product_and_region():
    # Steel worth 20 in A and 10 in B, a car worth 60 in B: 90 in all.
    net = network(
        [
            node("MILL_A", "STEEL", "A", price=2.0),
            node("MILL_B", "STEEL", "B", price=2.0),
            node("CARS", "CAR", "B", price=60.0, final_demand=1.0),
        ],
        [need("CAR", "STEEL", 15.0)],
        [link("MILL_A", "CARS", 2 / 3), link("MILL_B", "CARS", 1 / 3)],
        home="B",
    )
    rows = location_quotient(net).to_frame()
    found = {(r["region"], r["activity"]): r["lq"] for r in rows.iter_rows(named=True)}
    assert found == {
        ("A", "STEEL"): pytest.approx(1.0 / (30 / 90)),
        ("B", "STEEL"): pytest.approx((10 / 70) / (30 / 90)),
        ("B", "CAR"): pytest.approx((60 / 70) / (60 / 90)),
    }


def test_one_region_and_the_matrix_for_a_heat_map():
    result = location_quotient(table([[20, 80], [30, 70]], regions=["S", "N"]))
    assert result.of("N")["activity"].to_list() == ["a0", "a1"]
    assert result.matrix().columns == ["activity", "N", "S"]
    assert "a0 in N" in result.summary()
    with pytest.raises(UsageError, match="no region 'M'"):
        result.of("M")


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        (table([[20, -80], [30, 70]]), "E107"),
        (pl.concat([table([[20, 80]]), table([[20, 80]])]), "E106"),
        (table([[20, np.inf]]), "E108"),
        (table([[20, 80]]).with_columns(region=pl.lit(None, dtype=pl.String)), "E102"),
        (table([[20, 80]]).rename({"activity": "activties"}), "E101"),
    ],
)
def test_faults_in_a_table_are_findings(frame, code):
    with pytest.raises(DataError) as error:
        location_quotient(frame)
    assert code in codes(error.value.findings)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: location_quotient(table([[1, 2]]), total="a00"), "Did you mean a0"),
        (lambda: location_quotient(table([[1, 2]]), whole="r00"), "Did you mean r0"),
        (lambda: location_quotient(table([[0, 0]])), "nothing to compare"),
        (lambda: location_quotient(table([[1, 2]]), value="values"), "no column 'values'"),
    ],
)
def test_wrong_calls_say_what_to_do(call, words):
    with pytest.raises(UsageError, match=words):
        call()


def oews(data_dir):
    """Return states, their published quotients, and the nation."""
    folder = data_dir / "oews_2025"
    states = pl.read_parquet(folder / "state_occupation.parquet")
    national = pl.read_parquet(folder / "national_industry_occupation.parquet")
    nation = national.filter(pl.col("industry_code") == "000000").select("occupation_code", "emp")
    return states, nation


def test_published_quotients_of_machinists_within_a_hundredth(data_dir):
    states, nation = oews(data_dir)
    found = location_quotient(states, whole=nation, **OEWS).to_frame()
    both = found.join(states.rename({"lq": "published"}).fill_nan(None),
                      left_on=["region", "activity"],
                      right_on=["area_code", "occupation_code"])  # fmt: skip
    machinists = both.filter((pl.col("activity") == "514041") & pl.col("published").is_not_null())
    assert machinists.height > 45
    assert ((machinists["lq"] - machinists["published"]).abs() <= 0.01).all()


def test_every_published_quotient_lies_where_rounding_allows(data_dir):
    """All occupations: employment is published in tens and quotients in hundredths.

    So the quotient of the published numbers differs from the published quotient by up to .005 and
    by what ten jobs more or less make of it, which is much for an occupation with 40 jobs.
    """
    states, nation = oews(data_dir)
    found = location_quotient(states, whole=nation, **OEWS).to_frame()
    published = states.select(
        region="area_code", activity="occupation_code",
        published=pl.col("lq").cast(pl.Float64).fill_nan(None),
    )  # fmt: skip
    both = found.join(published, on=["region", "activity"], how="left", maintain_order="left")
    both = both.filter(pl.col("activity") != "000000")
    # Suppressed cells stay empty: exactly those that have no published quotient.
    assert both.filter(pl.col("lq").is_null() != pl.col("published").is_null()).height == 0
    both = both.filter(pl.col("lq").is_not_null())
    assert both.height > 36_000
    assert both["region"].n_unique() == 54
    error = (pl.col("lq") - pl.col("published")).abs()
    rounding = pl.col("lq") * (5 / pl.col("value") + 5 / pl.col("activity_total"))
    beyond = both.filter(error > 0.005 + 1.02 * rounding + 1e-4)
    assert beyond.height == 0
    # Where ten jobs are too few to matter, all agree within .01.
    clear = both.filter(rounding < 0.005)
    assert clear.height > 16_500
    assert clear.select(error.max()).item() <= 0.01


# --- localisation --------------------------------------------------------------------------------


def gini_by_pairs(s, x):
    """Return half the mean absolute difference of s/x, regions weighted by x: the Gini by its
    other definition."""
    total = 0.0
    for i, j in itertools.product(range(len(s)), repeat=2):
        total += x[i] * x[j] * abs(s[i] / x[i] - s[j] / x[j])
    return total / 2


@given(SEEDS)
def test_gini_g_and_gamma_are_their_formulas_written_out(seed):
    rng = np.random.default_rng(seed)
    e = np.round(rng.uniform(0, 10, (5, 3)) * (rng.random((5, 3)) < 0.7)) + 0.0
    e[:, 2] += 5  # so that every region has something
    plants = rng.uniform(0, 0.9, 3)
    frame = pl.DataFrame({"activity": ["a0", "a1", "a2"], "herfindahl": plants})
    # Rows with 0 may be left out: the same result.
    rows = table(e)
    sparse = rows.filter((pl.col("value") > 0) | (rng.random(15) < 0.5))
    result = {
        r["activity"]: r
        for r in localisation(sparse, plants=frame).to_frame().iter_rows(named=True)
    }
    x = e.sum(axis=1) / e.sum()
    for i in range(3):
        if e[:, i].sum() == 0:
            assert f"a{i}" not in result
            continue
        s, row = e[:, i] / e[:, i].sum(), result[f"a{i}"]
        g, room = ((s - x) ** 2).sum(), 1 - (x**2).sum()
        assert row["gini"] == pytest.approx(gini_by_pairs(s, x), abs=1e-12)
        assert row["g"] == pytest.approx(g, abs=1e-12)
        assert row["hhi"] == pytest.approx((s**2).sum())
        gamma = (g - room * plants[i]) / (room * (1 - plants[i]))
        assert row["ellison_glaeser"] == pytest.approx(gamma, abs=1e-9)
        assert row["largest_share"] == pytest.approx(s.max())
        assert row["regions"] == np.count_nonzero(s)


def test_plants_thrown_at_random_have_a_gamma_of_zero_on_average():
    # Twelve plants of unequal size fall on regions in proportion to x: G is not 0, gamma is.
    rng = np.random.default_rng(11)
    x = np.array([0.4, 0.3, 0.2, 0.1])
    size = rng.uniform(0.2, 1.0, 12)
    size /= size.sum()
    n = 4000
    where = rng.choice(4, size=(n, 12), p=x)
    shares = np.stack([np.where(where == r, size, 0.0).sum(axis=1) for r in range(4)])
    # One table for all throws: the rest is so large that x holds.
    names = [f"a{k}" for k in range(n)]
    frame = pl.concat([table(shares, activities=names),
                       table(1e9 * x[:, None], activities=["rest"])])  # fmt: skip
    plants = pl.DataFrame({"activity": names, "herfindahl": [float((size**2).sum())] * n})
    rows = localisation(frame, plants=plants).to_frame().filter(pl.col("activity") != "rest")
    error = rows["ellison_glaeser"].std() / n**0.5
    assert abs(rows["ellison_glaeser"].mean()) <= 4 * error
    assert rows["g"].mean() > 10 * error


def test_an_activity_spread_like_everything_is_not_localised():
    row = localisation(table([[10, 90], [20, 180]])).to_frame().row(0, named=True)
    assert row["gini"] == pytest.approx(0.0, abs=1e-12)
    assert row["g"] == pytest.approx(0.0, abs=1e-12)
    assert row["ellison_glaeser"] is None  # nothing is known about plants


def test_activities_without_a_published_value_are_left_out():
    rows = [("N", "all", 10.0), ("S", "all", 30.0), ("N", "x", None), ("S", "x", None)]
    frame = pl.DataFrame(rows, schema=["region", "activity", "value"], orient="row")
    result = localisation(frame, total="all")
    assert result.to_frame().height == 0
    assert "No activity" in result.summary()


def test_faults_in_plants_are_findings():
    for plants, code in (
        (pl.DataFrame({"activity": ["a0"], "herfindahl": [1.5]}), "E107"),
        (pl.DataFrame({"activity": ["b0"], "herfindahl": [0.5]}), "E104"),
    ):
        with pytest.raises(DataError) as error:
            localisation(table([[1, 2], [3, 4]]), plants=plants)
        assert code in codes(error.value.findings)


def test_metro_areas_show_where_gambling_and_petroleum_are(data_dir):
    folder = data_dir / "oews_2025"
    metro = pl.read_parquet(folder / "metro_occupation.parquet")
    detail = pl.read_parquet(folder / "occupation.parquet").filter(pl.col("display_level") == 3)
    wanted = [*detail["occupation_code"], "000000"]
    result = localisation(metro.filter(pl.col("occupation_code").is_in(wanted)), **OEWS)
    rows = {r["activity"]: r for r in result.to_frame().iter_rows(named=True)}
    assert len(rows) > 700
    assert all(0 <= r["gini"] <= 1 for r in rows.values())
    # 39-3011 gambling dealers, 17-2171 petroleum engineers; 41-2031 retail salespersons.
    assert rows["393011"]["largest_region"] == "0029820"  # Las Vegas
    assert rows["172171"]["largest_region"] == "0026420"  # Houston
    assert rows["412031"]["gini"] < 0.2 < rows["172171"]["gini"]


# --- what is akin --------------------------------------------------------------------------------


@given(SEEDS)
def test_density_is_the_formula_written_out(seed):
    rng = np.random.default_rng(seed)
    e = rng.uniform(0, 10, (6, 5)) * (rng.random((6, 5)) < 0.7) + 0.01
    result = related_density(location_quotient(table(e)))
    lq = (e / e.sum(axis=1, keepdims=True)) / (e.sum(axis=0) / e.sum())
    has = lq >= 1
    for r, j in itertools.product(range(6), range(5)):
        above = below = 0.0
        for i in range(5):
            if i == j:
                continue
            most = max(has[:, i].sum(), has[:, j].sum())
            phi = (has[:, i] & has[:, j]).sum() / most if most else 0.0
            above += phi * has[r, i]
            below += phi
        if below == 0:
            assert np.isnan(result.density[r, j])
        else:
            assert result.density[r, j] == pytest.approx(above / below, abs=1e-12)


def test_given_proximities_hold_in_both_directions_and_below_zero_is_zero():
    quotients = location_quotient(table([[9, 1, 5], [1, 9, 5]]))
    akin = pl.DataFrame({"activity": ["a0", "a2", "a1"], "other": ["a1", "a1", "a2"],
                         "proximity": [-0.5, 0.4, 0.8]})  # fmt: skip
    result = related_density(quotients, akin)
    assert result.proximity.tolist() == [[0, 0, 0], [0, 0, pytest.approx(0.6)],
                                         [0, pytest.approx(0.6), 0]]  # fmt: skip
    assert result.density[:, 2].tolist() == [0.0, 1.0]  # only a1 is akin to a2
    assert np.isnan(result.density[:, 0]).all()
    assert result.why("r1", "a2").rows() == [("a1", pytest.approx(0.6), 1.8, True)]


def test_what_is_not_known_counts_neither_as_there_nor_as_missing():
    frame = table([[10, 10, 10], [10, 10, 10]])
    akin = pl.DataFrame({"activity": ["a0", "a0"], "other": ["a1", "a2"], "proximity": [1.0, 1.0]})
    hidden = frame.with_columns(
        value=pl.when((pl.col("region") == "r0") & (pl.col("activity") == "a1"))
        .then(None).otherwise(pl.col("value"))
    )  # fmt: skip
    whole = pl.DataFrame({"activity": ["a0", "a1", "a2"], "value": [20.0, 20.0, 20.0]})
    result = related_density(location_quotient(hidden, whole=whole), akin)
    assert result.density[0, 0] == 1.0  # a2 is there (10 of 20), a1 is not known
    assert result.density[1, 0] == 1.0


def test_within_reach_is_what_a_region_lacks_and_has_much_akin_to():
    e = np.array([[9, 9, 9, 1], [9, 9, 1, 1], [1, 1, 1, 30], [9, 9, 9, 1]], dtype=float)
    result = related_density(location_quotient(table(e)))
    reach = result.within_reach("r1")
    # a2 stands with a0 and a1, which r1 has; nothing is akin to a3.
    assert reach.select("activity", "density").rows() == [("a2", 1.0)]
    with pytest.raises(UsageError, match="Did you mean r1"):
        result.within_reach("r11")


def test_faults_in_proximities_are_findings():
    quotients = location_quotient(table([[9, 1, 5], [1, 9, 5]]))
    for rows, code in (
        ([("a0", "a1", None)], "E102"),
        ([("a0", "a1", 1.0), ("a0", "a1", 0.5)], "E106"),
        ([("x0", "x1", 1.0)], "E104"),
    ):
        akin = pl.DataFrame(rows, schema={"activity": pl.String, "other": pl.String,
                                          "proximity": pl.Float64}, orient="row")  # fmt: skip
        with pytest.raises(DataError) as error:
            related_density(quotients, akin)
        assert code in codes(error.value.findings)
    part = pl.DataFrame({"activity": ["a0"], "other": ["a1"], "proximity": [1.0]})
    assert "W536" in codes(related_density(quotients, part).findings)
    with pytest.raises(UsageError, match="what location_quotient returns"):
        related_density(table([[9, 1, 5]]))
    with pytest.raises(UsageError, match="least"):
        related_density(quotients, least=0.0)
