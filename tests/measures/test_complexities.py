"""What places can do: indices, outlooks, fitness, ranks, and what is within reach."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.stats import spearmanr

import naive_complexity as naive
from withstand import measures
from withstand.errors import DataError, UsageError
from withstand.measures.complexities import CONVENTIONS
from withstand.measures.complexity_vectors import complexity_vectors, components
from withstand.measures.fitnesses import fitness_complexity
from withstand.measures.proximities import colocation

SEEDS = st.integers(0, 2**32 - 1)
SEED = 5  # of a table in one piece with a clear second eigenvector
FIELDS = ("rca", "present", "diversity", "ubiquity", "eci", "pci", "density", "coi", "cog")
DATA = Path(__file__).parents[1] / "data"
GOLDEN, STATA = DATA / "ecomplexity_small.csv", DATA / "stata_sample.csv"


def made(seed, places=6, products=9):
    """Return a table of chance values and what is said of it."""
    rng = np.random.default_rng(seed)
    some = rng.random((places, products)) < 0.8
    values = rng.lognormal(sigma=1.5, size=(places, products)) * some
    return values, measures.complexity(values)


def drawn(seed, places=6, products=9):
    """Return the same, where nothing is empty and the second eigenvector is well determined."""
    values, found = made(seed, places, products)
    first, second, third = found.eigenvalues
    assume(second - third > 0.02 and first - second > 0.02)
    assume(not {"W652", "W654", "W655", "W657"} & codes(found))
    return values, found


def nested(n):
    """Return a table in which place i has the first n - i products, in equal parts."""
    return np.array([[1.0 if p < n - c else 0.0 for p in range(n)] for c in range(n)])


def codes(result):
    return {f.code for f in result.findings}


# --- against the twin ----------------------------------------------------------------------------


@pytest.mark.parametrize("convention", sorted(CONVENTIONS))
@settings(max_examples=15)
@given(seed=SEEDS)
def test_every_indicator_is_that_of_plain_loops(convention, seed):
    """1e-8: the twin's eigenproblem is not symmetric and a gap of .02 costs two digits."""
    values, _ = drawn(seed)
    found = measures.complexity(values, convention=convention)
    twin = naive.complexity(values.tolist(), convention=convention)
    for name in (*FIELDS, "proximity"):
        np.testing.assert_allclose(getattr(found, name), twin[name], atol=1e-8, err_msg=name)


@settings(max_examples=20)
@given(SEEDS)
def test_more_places_than_products_make_no_difference(seed):
    values, _ = drawn(seed, places=9, products=5)
    found = measures.complexity(values, convention="ecomplexity")
    twin = naive.complexity(values.tolist())
    for name in FIELDS:
        np.testing.assert_allclose(getattr(found, name), twin[name], atol=1e-8, err_msg=name)


def test_the_package_ecomplexity_gives_the_same():
    golden = pl.read_csv(GOLDEN)
    table = golden.select("place", "product", "value")
    found = measures.complexity(table, convention="ecomplexity")
    rows = golden.join(found.to_frame(), on=["place", "product"], suffix="_ours")
    assert rows.height == 7 * 12  # one place is empty
    assert found.findings[0].code == "W652"
    assert rows["mcp"].cast(pl.Boolean).to_list() == rows["is_present"].to_list()
    for name in ("rca", "density", "eci", "pci", "coi", "cog"):
        gap = (rows[name] - rows[name + "_ours"]).abs().max()
        assert gap < 1e-9, name


def test_the_stata_program_gives_the_same():
    """Ten places, thirty products, 1995: what Stata printed."""
    golden = pl.read_csv(STATA, schema_overrides={"product": pl.String})
    found = measures.complexity(golden.select("place", "product", "value"), convention="stata")
    rows = golden.join(found.to_frame(), on=["place", "product"], suffix="_ours")
    for name, known in {"eci": 150, "coi": 150, "density": 6, "pci": 6, "cog": 6}.items():
        gaps = (rows[name] - rows[name + "_ours"]).abs().drop_nulls()
        assert len(gaps) == known
        assert gaps.max() < 1e-13, name


@settings(max_examples=20)
@given(SEEDS)
def test_fitness_is_that_of_plain_loops(seed):
    values, found = drawn(seed)
    has = found.present.astype(float)
    result = fitness_complexity(has, most_rounds=40)
    fitness, quality = naive.fitness(has.tolist(), result.rounds)
    np.testing.assert_allclose(result.fitness, fitness, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(result.quality, quality, rtol=1e-9, atol=1e-12)
    assert values.shape == has.shape


# --- against what must hold ----------------------------------------------------------------------


@settings(max_examples=20)
@given(SEEDS)
def test_the_unit_of_the_values_does_not_matter(seed):
    values, found = drawn(seed)
    other = measures.complexity(values * 7.3)
    for name in (*FIELDS, "fitness", "quality"):
        np.testing.assert_allclose(getattr(other, name), getattr(found, name), atol=1e-8)


@settings(max_examples=20)
@given(SEEDS)
def test_labels_and_order_do_not_matter(seed):
    values, found = drawn(seed)
    rng = np.random.default_rng(seed)
    rows, columns = rng.permutation(values.shape[0]), rng.permutation(values.shape[1])
    other = measures.complexity(values[np.ix_(rows, columns)])
    for name in ("eci", "coi", "fitness"):
        np.testing.assert_allclose(getattr(other, name), getattr(found, name)[rows], atol=1e-8)
    np.testing.assert_allclose(other.pci, found.pci[columns], atol=1e-8)
    np.testing.assert_allclose(other.cog, found.cog[np.ix_(rows, columns)], atol=1e-8)


@settings(max_examples=20)
@given(SEEDS)
def test_eci_is_the_mean_pci_of_what_a_place_has(seed):
    _, found = drawn(seed)
    mean = (found.present * found.pci).sum(axis=1) / found.diversity
    np.testing.assert_allclose(mean, found.eci, atol=1e-9)


@settings(max_examples=20)
@given(SEEDS)
def test_shares_of_advantage_average_to_one(seed):
    values, found = drawn(seed)
    share = values.sum(axis=0) / values.sum()
    np.testing.assert_allclose(found.rca @ share, 1.0)


@settings(max_examples=20)
@given(SEEDS)
def test_the_other_side_of_the_eigenproblem_agrees(seed):
    """The eigenvalue equation itself, on both sides."""
    _, found = drawn(seed)
    has = found.present.astype(float)
    v = complexity_vectors(has)
    places = has @ v.products / has.sum(axis=1)
    np.testing.assert_allclose(places, v.places, atol=1e-10)
    products = has.T @ v.places / has.sum(axis=0)
    np.testing.assert_allclose(products, v.eigenvalues[1] * v.products, atol=1e-10)


@pytest.mark.parametrize("seed", [3, 5, 8, 10])
def test_reflections_end_in_the_order_of_the_eigenvector(seed):
    """After 60 rounds what is left of the third vector is (third / second) ** 30 of the second."""
    _, found = made(seed)
    assert (found.eigenvalues[2] / found.eigenvalues[1]) ** 30 < 1e-5
    assert np.diff(np.sort(found.eci)).min() > 1e-3
    values = naive.reflections(found.present, 60)
    assert abs(spearmanr(values, found.eci).statistic) == pytest.approx(1.0)


@pytest.mark.parametrize("n", [3, 6, 12])
def test_a_nested_table_is_ranked_by_diversity_and_rarity(n):
    found = measures.complexity(nested(n), threshold=1e-9)
    assert found.diversity.tolist() == list(range(n, 0, -1))
    assert (np.diff(found.eci) < 0).all()
    assert (np.diff(found.pci) > 0).all()
    assert (np.diff(found.fitness) < 0).all()
    assert (np.diff(found.quality) > 0).all()


def test_exact_gains_are_what_the_outlook_rises_by():
    values, _ = made(SEED)
    found = measures.complexity(values, convention="textbook")
    near = found.proximity.sum(axis=1)
    for c, p in np.argwhere(~found.present):
        after = found.present[c].copy()
        after[p] = True
        density = found.proximity @ after / near
        rise = (density * ~after * found.pci).sum() - found.coi[c]
        assert found.cog[c, p] == pytest.approx(rise, abs=1e-12)


def test_a_tie_at_the_threshold_counts_whatever_the_unit():
    """Every RCA is 1; thirds and sevenths round to either side of it."""
    for unit in (1.0, 1 / 3, 1 / 7, 1e-9):
        values = np.outer([1.0, 3.0, 7.0], [0.1, 0.3, 0.7]) * unit
        with_all = measures.complexity(values, convention="ecomplexity")
        assert with_all.present.all()
        assert codes(with_all) == {"W655"}
        assert np.isnan(with_all.eci).all()
        assert np.isnan(with_all.cog).all()


def test_the_stata_program_leaves_a_product_out_of_what_is_near_it():
    """C has x only; phi_xy = 2/3, phi_xz = 1/3, phi_yz = 1/2. Nine rows: deviations of a sample."""
    ours = measures.complexity(nested(3), threshold=1e-9, convention="ecomplexity")
    stata = measures.complexity(nested(3), threshold=1e-9, convention="stata")
    assert ours.density[2, 1:].tolist() == pytest.approx([4 / 13, 2 / 11])
    assert stata.density[2, 1:].tolist() == pytest.approx([4 / 7, 2 / 5])
    assert np.diag(stata.proximity).tolist() == [0.0] * 3
    for name in ("eci", "pci"):
        ratio = getattr(stata, name) / getattr(ours, name)
        np.testing.assert_allclose(ratio, np.sqrt(8 / 9), rtol=1e-12)
    # Stata: each place stands in three rows; summarize divides by one row less.
    assert np.std(np.repeat(stata.eci, 3), ddof=1) == pytest.approx(1.0, rel=1e-12)
    assert np.std(np.repeat(stata.coi, 3), ddof=1) == pytest.approx(1.0, rel=1e-12)


def test_at_the_threshold_the_stata_program_sees_nothing():
    """The fourth place is the whole in small: its shares are those of all, every quotient is 1."""
    values = np.array([[2.0, 1.0, 1.0], [1.0, 2.0, 1.0], [1.0, 1.0, 2.0], [1.0, 1.0, 1.0]])
    assert measures.complexity(values, convention="ecomplexity").present[3].all()
    assert measures.complexity(values, convention="stata").places == (
        "place 1",
        "place 2",
        "place 3",
    )
    with pytest.raises(DataError, match="two of each"):
        measures.complexity(np.ones((3, 3)), convention="stata")


# --- published and real --------------------------------------------------------------------------


def test_japan_switzerland_and_germany_lead_in_2012(data_dir):
    frame = pl.read_parquet(data_dir / "globe_hs4_2012" / "exports_country_hs4.parquet")
    found = measures.complexity(frame, place="country", product="hs4", value="export_usd")
    assert found.top(3)["place"].to_list() == ["Japan", "Switzerland", "Germany"]
    assert found.rca.shape == (124, 1238)
    assert codes(found) == {"N651"}
    assert "highest economic complexity in Japan, Switzerland, Germany" in found.summary()


# --- fitness -------------------------------------------------------------------------------------


def test_fitness_that_goes_to_zero_is_told():
    """Fewer products than the number of those above it allows: Pugliese et al. 2016, figure 1."""
    has = np.zeros((6, 8))
    has[0] = 1
    has[1:, :2] = 1
    values = np.where(has > 0, 1.0, 0.0)
    found = measures.complexity(values, threshold=1e-9)
    note = next(f for f in found.findings if f.code == "N651")
    assert note.count == 5
    assert found.fitness[1:].max() < 1e-2
    assert found.fitness[0] == pytest.approx(6.0, abs=0.05)


def test_too_few_rounds_are_told():
    values, _ = made(SEED)
    assert "W658" in codes(measures.complexity(values, most_rounds=3))


# --- tables that tell little ---------------------------------------------------------------------


def test_only_the_largest_piece_has_an_index():
    values = np.zeros((7, 9))
    values[:5, :6], _ = made(SEED, 5, 6)
    values[5:, 6:] = [[1.0, 2.0, 0.0], [0.0, 1.0, 3.0]]
    alone = measures.complexity(values[:5, :6], threshold=0.5)
    found = measures.complexity(values, threshold=0.5)
    piece = components(found.present)[0]
    assert piece[5:].min() >= 1
    assert np.isnan(found.eci[5:]).all()
    assert np.isnan(found.pci[6:]).all()
    assert np.isnan(found.coi[5:]).all()
    assert np.isnan(found.cog[5:]).all()
    assert np.isnan(found.cog[:, 6:]).all()
    assert "W654" in codes(found)
    assert not np.isnan(found.density).any()
    same = found.present[:5, :6] == alone.present
    if same.all():  # another whole shifts RCA; the index follows M alone
        np.testing.assert_allclose(found.eci[:5], alone.eci)
    frame = found.to_frame("places")
    assert frame["eci"].null_count() == 2
    assert frame["rank"].null_count() == 2


def test_pieces_are_ordered_by_size():
    present = np.array([[1, 0, 0], [0, 1, 1], [0, 1, 0]])
    places, products = components(present)
    assert places.tolist() == [1, 0, 0]
    assert products.tolist() == [1, 0, 0]


def test_a_nearly_degenerate_index_is_told():
    """A ring: every place shares one product with each neighbour, so that no end is first."""
    ring = np.eye(6) + np.roll(np.eye(6), 1, axis=1)
    found = measures.complexity(ring, threshold=1e-9)
    assert {"W656", "W657"} <= codes(found)
    assert found.eigenvalues[1] == pytest.approx(found.eigenvalues[2])


def test_the_sign_follows_diversity():
    values, found = made(SEED)
    assert np.corrcoef(found.diversity, found.eci)[0, 1] > 0
    assert values.shape == found.rca.shape


def test_empty_rows_and_columns_are_left_out_with_a_word():
    values, found = made(SEED)
    wider = np.zeros((8, 11))
    wider[1:7, 1:10] = values
    other = measures.complexity(wider)
    np.testing.assert_array_equal(other.eci, found.eci)
    assert [f.code for f in other.findings if f.code == "W652"] == ["W652", "W652"]
    assert other.places == tuple(f"place {i}" for i in range(2, 8))


def test_what_never_reaches_the_threshold_is_left_out():
    values, found = made(SEED)
    level = float(np.sort(found.rca.max(axis=1))[0]) * 1.01
    other = measures.complexity(values, threshold=level)
    assert "W653" in codes(other)
    assert len(other.places) == 5


# --- reading -------------------------------------------------------------------------------------


def test_long_wide_array_and_pandas_are_the_same():
    values, found = made(SEED)
    places, products = [f"c{i}" for i in range(6)], [f"p{i}" for i in range(9)]
    wide = pl.DataFrame({"country": places} | {p: values[:, j] for j, p in enumerate(products)})
    long = wide.unpivot(index="country", variable_name="good", value_name="usd")
    names = {"place": "country", "product": "good", "value": "usd"}
    pandas = wide.to_pandas().set_index("country")
    read = [
        measures.complexity(values, places=places, products=products),
        measures.complexity(wide),
        measures.complexity(long, **names),
        measures.complexity(long.filter(pl.col("usd") > 0), **names),
        measures.complexity(pandas),
        measures.complexity(long.to_pandas(), **names),
    ]
    for other in read:
        assert set(other.places) == set(places)
        assert set(other.products) == set(products)
        order = [other.places.index(c) for c in places]
        np.testing.assert_allclose(other.eci[order], found.eci, atol=1e-9)


def test_frames_hold_what_the_arrays_hold():
    _, found = made(SEED)
    pairs = found.to_frame()
    assert pairs.height == found.rca.size
    assert pairs["cog"].to_numpy().reshape(found.cog.shape).tolist() == found.cog.tolist()
    row = pairs.row(10, named=True)  # place 2, product 2
    assert (row["place"], row["product"]) == ("place 2", "product 2")
    assert (row["eci"], row["pci"]) == (found.eci[1], found.pci[1])
    assert found.to_frame("places")["fitness"].to_list() == found.fitness.tolist()
    assert found.to_frame("products")["quality"].to_list() == found.quality.tolist()
    assert found.top(2, of="products")["rank"].to_list() == [1, 2]
    assert found.to_pandas("places").shape == (6, 6)
    near = found.nearest("product 1", 3)
    assert near["proximity"].to_list() == sorted(np.delete(found.proximity[0], 0))[:-4:-1]
    assert repr(found) == "<Complexity of 6 places and 9 products, convention stata>"


def test_proximity_of_what_nobody_has_is_zero():
    assert colocation(np.array([[1.0, 0.0], [1.0, 0.0]])).tolist() == [[1.0, 0.0], [0.0, 0.0]]


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        ({"place": ["a", "a"], "product": ["x", "x"], "value": [1.0, 2.0]}, "E106"),
        ({"place": ["a", "b"], "product": ["x", "x"], "value": [1.0, -2.0]}, "E107"),
        ({"place": ["a", "b"], "product": ["x", "x"], "value": [1.0, np.inf]}, "E108"),
        ({"place": ["a", "b"], "product": ["x", "y"], "value": [0.0, 0.0]}, "E651"),
        ({"place": ["a", "a"], "product": ["x", "y"], "value": [1.0, 2.0]}, "E651"),
        ({"place": ["a", None], "product": ["x", "y"], "value": [1.0, 2.0]}, "E102"),
        ({"place": ["a", "a"], "x": [1.0, 2.0], "y": [1.0, 1.0]}, "E106"),
        ({"place": ["a", "b"], "x": [1.0, -2.0], "y": [1.0, 1.0]}, "E107"),
        ({"place": ["a", "b"], "x": [1.0, np.inf], "y": [1.0, 1.0]}, "E108"),
        ({"place": ["a", None], "x": [1.0, 2.0], "y": [1.0, 1.0]}, "E102"),
        ({"place": ["a", "b"], "x": [1.0, 2.0], "y": [0.0, 0.0]}, "E651"),
    ],
)
def test_faults_of_a_table_are_named(frame, code):
    with pytest.raises(DataError) as fault:
        measures.complexity(pl.DataFrame(frame))
    assert code in {f.code for f in fault.value.findings}


def test_a_threshold_that_nobody_reaches_is_named():
    values, _ = made(SEED)
    with pytest.raises(DataError, match="E651"):
        measures.complexity(values, threshold=1e6)


def test_values_that_are_not_known_count_as_none_with_a_word():
    values, found = made(SEED)
    hidden = np.where(values == 0, np.nan, values)
    other = measures.complexity(hidden)
    np.testing.assert_array_equal(other.eci, found.eci)
    unknown = next(f for f in other.findings if f.code == "W651")
    assert unknown.count == (values == 0).sum()
    frame = pl.DataFrame(hidden.T, schema=[f"p{i}" for i in range(9)][:6]).with_columns(
        place=pl.Series([f"c{i}" for i in range(9)])
    )
    assert "W651" in codes(measures.complexity(frame))


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda v: measures.complexity(v, convention="stats"), "convention = 'stats'"),
        (lambda v: measures.complexity(v, threshold=0), "threshold = 0"),
        (lambda v: measures.complexity(v, places=["a"]), "has 1 labels for 6 places"),
        (lambda v: measures.complexity(v[0]), "by place and product"),
        (lambda v: measures.complexity(v.tolist()), "not list"),
        (lambda v: measures.complexity(pl.DataFrame({"x": ["a"], "y": ["b"]})), "neither long"),
        (lambda v: measures.complexity(pl.DataFrame({"a": [1.0], "b": [2.0]})), "neither long"),
        (lambda v: measures.complexity(pl.DataFrame({"place": ["a"]}), places=["a"]), "its own"),
        (lambda v: measures.complexity(v).to_frame("all"), "not 'all'"),
        (lambda v: measures.complexity(v).top(of="pairs"), "not 'pairs'"),
        (lambda v: measures.complexity(v).nearest("product 11"), "Did you mean product 1"),
        (lambda v: measures.within_reach(measures.complexity(v), "place 9"), "Did you mean place"),
        (lambda v: measures.rank_intervals(measures.complexity(v), by="luck"), "by = 'luck'"),
        (lambda v: measures.rank_intervals(measures.complexity(v), draws=0), "draws = 0"),
        (lambda v: measures.rank_intervals(measures.complexity(v), draws=2.5), "whole number"),
        (lambda v: measures.rank_intervals(measures.complexity(v), level=90), "level = 90"),
        (
            lambda v: measures.rank_intervals(measures.complexity(v), by="noise", noise=0),
            "noise = 0",
        ),
        (
            lambda v: measures.within_reach(
                measures.complexity(v), "place 1", weights={"densty": 1}
            ),
            "Did you mean density",
        ),
        (
            lambda v: measures.within_reach(measures.complexity(v), "place 1", weights={"pci": -1}),
            "0 or more",
        ),
    ],
)
def test_wrong_calls_say_what_to_write(call, says):
    values, _ = made(SEED)
    with pytest.raises(UsageError, match=says):
        call(values)


# --- rank intervals ------------------------------------------------------------------------------


def test_products_drawn_again_weigh_as_often_as_they_were_drawn():
    """Weights are the same as columns that stand several times."""
    _, found = made(SEED)
    has = found.present.astype(float)
    times = np.array([2, 1, 0, 3, 1, 1, 1, 2, 1])
    several = np.repeat(has, times, axis=1)
    weighted = complexity_vectors(has[:, times > 0], times[times > 0].astype(float))
    repeated = complexity_vectors(several)
    np.testing.assert_allclose(weighted.places, repeated.places, atol=1e-10)
    np.testing.assert_allclose(
        np.repeat(weighted.products, times[times > 0]), repeated.products, atol=1e-10
    )


@pytest.mark.parametrize(("by", "kinds"), [("products", 1), ("places", 1), ("noise", 2)])
def test_intervals_enclose_most_ranks_and_repeat_with_the_seed(by, kinds):
    rng = np.random.default_rng(3)
    ability = np.linspace(-1, 1, 12)
    values = np.exp(3 * np.outer(ability, np.linspace(-1, 1, 60)) + rng.normal(size=(12, 60)))
    values *= rng.random((12, 60)) < 0.5 + 0.3 * ability[:, None]
    found = measures.complexity(values)
    result = measures.rank_intervals(found, by=by, draws=60, seed=4)
    rows = result.to_frame()
    assert rows["kind"].n_unique() == kinds
    assert (rows["low"] <= rows["high"]).all()
    inside = rows.filter(pl.col("rank").is_between("low", "high")).height
    assert inside >= 0.8 * rows.height
    again = measures.rank_intervals(found, by=by, draws=60, seed=4)
    assert rows.equals(again.to_frame())
    assert not rows.equals(measures.rank_intervals(found, by=by, draws=60, seed=5).to_frame())
    assert f"draws of {by}" in result.summary()
    assert repr(result).endswith(f"60 draws of {by}>")


def test_more_noise_widens_the_intervals():
    rng = np.random.default_rng(3)
    found = measures.complexity(rng.lognormal(sigma=1.5, size=(10, 40)))

    def width(noise):
        rows = measures.rank_intervals(found, by="noise", draws=60, noise=noise).to_frame()
        return float((rows["high"] - rows["low"]).mean())

    assert width(1e-6) == 0.0
    assert 0.0 < width(0.1) < width(1.0)


def test_draws_that_fall_apart_are_told():
    """Two halves that one product joins: a draw without it has no common index."""
    has = np.zeros((6, 7))
    has[:3, :3], has[3:, 3:6] = nested(3), nested(3)
    has[2, 6] = has[3, 6] = 1
    has[0, 6] = 0
    found = measures.complexity(has, threshold=1e-9)
    result = measures.rank_intervals(found, draws=100, seed=1)
    assert codes(result) == {"W659"}
    assert result.draws < 100


def test_no_ranks_without_an_index():
    found = measures.complexity(np.ones((3, 3)), convention="ecomplexity")
    with pytest.raises(UsageError, match="not defined"):
        measures.rank_intervals(found)


# --- within reach --------------------------------------------------------------------------------


def test_what_is_within_reach_is_what_the_place_lacks_best_first():
    _, found = made(SEED)
    reach = measures.within_reach(found, "place 2")
    lacking = [p for p, has in zip(found.products, found.present[1], strict=True) if not has]
    assert sorted(reach["product"].to_list()) == sorted(lacking)
    assert reach["score"].is_sorted(descending=True)
    assert reach["rank"][0] == 1
    row = reach.row(0, named=True)
    p = found.products.index(row["product"])
    assert (row["density"], row["cog"]) == (found.density[1, p], found.cog[1, p])


def test_the_score_is_the_mean_standing_written_out():
    _, found = made(SEED)
    reach = measures.within_reach(found, "place 2", weights={"cog": 0.0})
    n = reach.height
    for row in reach.rows(named=True):
        standing = {
            k: ((reach[k] < row[k]).sum() + ((reach[k] == row[k]).sum()) / 2) / n
            for k in ("density", "pci")
        }
        assert row["score"] == pytest.approx((standing["density"] + 0.5 * standing["pci"]) / 1.5)


def test_only_dangerous_products_are_chosen_where_they_are_named():
    _, found = made(SEED)
    lacking = [p for p, has in zip(found.products, found.present[1], strict=True) if not has]
    danger = {lacking[0]: 0.9, lacking[1]: 0.1, "unheard of": 0.5}
    reach = measures.within_reach(found, "place 2", dependent=danger)
    assert reach["product"].to_list()[-1] == "unheard of"
    assert reach["rank"].to_list()[-1] is None
    assert set(reach["product"]) == set(danger)
    only = measures.within_reach(
        found, "place 2", dependent=danger, weights={"density": 0, "pci": 0, "cog": 0}
    )
    assert only["product"].to_list()[0] == "unheard of" or only["product"][0] == lacking[0]
    frame = pl.DataFrame({"product": list(danger), "dependence": list(danger.values())})
    assert measures.within_reach(found, "place 2", dependent=frame).equals(reach)
    labels = measures.within_reach(found, "place 2", dependent=list(danger))
    assert labels["dependence"].to_list() == [1.0] * 3
