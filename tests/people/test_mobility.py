"""Relatedness of occupations, and the cheapest ways from one into another."""

from __future__ import annotations

import itertools

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from withstand.errors import DataError, UsageError
from withstand.people.cheapest_paths import cheapest_paths, graph_of
from withstand.people.related_occupations import relatedness
from withstand.people.reskilling import reskilling_paths
from withstand.people.skill_vectors import skill_vectors
from withstand.people.upskilling import ZONE_YEARS, MoveTerms, upskilling_moves

SEEDS = st.integers(0, 2**32 - 1)
ONET = {"occupation": "O*NET-SOC Code", "skill": "Element ID", "importance": "IM"}


def wide(importance, labels=None):
    """Return a wide frame; occupations a, b, c ..., skills s0, s1 ..."""
    values = np.asarray(importance, dtype=float)
    labels = labels or [chr(97 + i) for i in range(len(values))]
    skills = {f"s{k}": values[:, k] for k in range(values.shape[1])}
    return pl.DataFrame({"occupation": labels, **skills})


def long(frame):
    return frame.unpivot(index="occupation", variable_name="skill", value_name="importance")


def codes(error):
    return {f.code for f in error.value.findings}


# --- relatedness ---------------------------------------------------------------------------------


def test_relatedness_by_hand():
    # Means are (2, 2, 3). From there a is (1, -1, 0), b (-1, 1, 0), c (0, 0, 0) + ...
    result = relatedness(wide([[3, 1, 2], [1, 3, 2], [2, 2, 5]]))
    a, b, c = np.array([[1, -1, -1], [-1, 1, -1], [0, 0, 2]])
    assert result.between("a", "b") == pytest.approx(a @ b / 3)
    assert result.between("a", "c") == pytest.approx(a @ c / (np.sqrt(3) * 2))
    assert result.between("b", "b") == 1.0


@pytest.mark.parametrize("metric", ["centred_cosine", "cosine", "correlation"])
def test_relatedness_is_the_formula_written_out(metric):
    rng = np.random.default_rng(4)
    x = rng.uniform(0, 5, (7, 4))
    result = relatedness(wide(x), metric=metric)
    for i, j in itertools.product(range(7), repeat=2):
        if metric == "correlation":
            expected = np.corrcoef(x[i], x[j])[0, 1]
        else:
            centre = x.mean(axis=0) if metric == "centred_cosine" else 0.0
            p, q = x[i] - centre, x[j] - centre
            expected = sum(p * q) / (sum(p**2) * sum(q**2)) ** 0.5
        assert result.matrix[i, j] == pytest.approx(expected, abs=1e-12)


@given(SEEDS)
def test_relatedness_does_not_depend_on_form_order_or_scale(seed):
    rng = np.random.default_rng(seed)
    frame = wide(rng.uniform(0.5, 5, (6, 5)))
    first = relatedness(frame)
    rows = long(frame).sample(fraction=1, shuffle=True, seed=seed % 1000)
    second = relatedness(rows.with_columns(pl.col("importance") * 3))
    for one, other in itertools.combinations("abcdef", 2):
        assert second.between(one, other) == pytest.approx(first.between(one, other), abs=1e-9)
    assert np.array_equal(first.matrix, first.matrix.T)
    assert (abs(first.matrix) <= 1).all()


def test_nearest_are_in_order_and_leave_out_the_occupation_itself():
    result = relatedness(wide(np.random.default_rng(1).uniform(0, 5, (9, 4))))
    near = result.nearest("c", 20)
    assert near.height == 8
    assert "c" not in near["occupation"].to_list()
    assert near["relatedness"].is_sorted(descending=True)
    assert near["relatedness"][0] == max(result.between("c", x) for x in "abdefghi")


def test_the_frame_has_every_ordered_pair_once():
    result = relatedness(wide(np.random.default_rng(1).uniform(0, 5, (5, 3))))
    frame = result.to_frame()
    assert frame.select("occupation", "other").n_unique() == frame.height == 20
    row = frame.row(13, named=True)
    assert row["relatedness"] == result.between(row["occupation"], row["other"])


def test_gaps_name_what_must_rise_and_by_how_much():
    result = relatedness(wide([[3, 1, 2], [1, 3, 4], [2, 2, 5]]))
    assert result.gaps("a", "b").rows() == [("s1", 1.0, 3.0, 2.0), ("s2", 2.0, 4.0, 2.0)]


def test_missing_values_are_filled_with_the_mean_of_the_skill_and_counted():
    frame = long(wide([[3, 1], [1, 3], [2, 2]])).filter(
        ~((pl.col("occupation") == "c") & (pl.col("skill") == "s1"))
    )
    read = skill_vectors(frame)
    assert read.importance[2, 1] == 2.0
    assert [f.code for f in read.findings] == ["W531"]
    assert "c: s1" in read.findings[0].what
    suppressed = wide([[3, 1], [1, 3], [2, np.nan]])
    assert skill_vectors(suppressed).importance[2, 1] == 2.0


def test_an_average_occupation_is_related_to_none_and_named():
    result = relatedness(wide([[3, 1], [1, 3], [2, 2]]))
    assert result.matrix[2].tolist() == [0.0, 0.0, 1.0]
    assert "c" in result.findings[0].what
    assert result.findings[0].code == "W532"


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        (wide([[3, 1], [0, 0], [2, 2]]), "E531"),
        (wide([[3, 1], [1, -3], [2, 2]]), "E107"),
        (wide([[3, 1], [1, 3], [2, 2]], ["a", "b", "b"]), "E106"),
        (pl.concat([long(wide([[3, 1], [1, 3]]))] * 2), "E106"),
        (wide([[3, 1], [1, np.inf]]), "E108"),
        (long(wide([[3, 1], [1, 3]])).rename({"occupation": "occupations"}), "E101"),
    ],
)
def test_faults_in_vectors_are_findings(frame, code):
    with pytest.raises(DataError) as error:
        relatedness(frame)
    assert code in codes(error)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: relatedness(wide([[1, 2]])), "at least two"),
        (lambda: relatedness(wide([[1, 2], [2, 1]]), metric="cosin"), "centred_cosine"),
        (lambda: relatedness(wide([[1, 2], [2, 1]]).with_columns(t=pl.lit("x"))), "t does not"),
        (lambda: relatedness({"a": 1}), "must be a polars DataFrame, not dict"),
        (lambda: relatedness(wide([[1, 2], [2, 1]])).nearest(None), "no occupation 'None'"),
        (lambda: relatedness(wide([[1, 2], [2, 1]])).between("a", "bb"), "no occupation 'bb'"),
        (lambda: relatedness(wide([[1, 2], [2, 1]], ["turner", "x"])).nearest("trner"), "turner"),
        (lambda: relatedness(wide([[1, 2], [2, 1]])).nearest("a", 0), "at least one"),
    ],
)
def test_wrong_calls_say_what_to_do(call, words):
    with pytest.raises(UsageError, match=words):
        call()


# --- O*NET's own related pairs -------------------------------------------------------------------


def plain_auc(positive, negative):
    """Return the chance that a positive beats a negative, a tie counting half: pair by pair."""
    wins = 0.0
    for x in positive:
        wins += np.count_nonzero(x > negative) + 0.5 * np.count_nonzero(x == negative)
    return wins / (len(positive) * len(negative))


def rank_auc(positive, negative):
    """Return the same by the sum of the ranks of the positives (Mann-Whitney)."""
    ranks = pl.Series(np.concatenate([positive, negative])).rank("average").to_numpy()
    n, m = len(positive), len(negative)
    return (ranks[:n].sum() - n * (n + 1) / 2) / (n * m)


def onet_auc(data_dir, *tables, metric="centred_cosine", seed=0, pairs=20_000):
    folder = data_dir / "onet_29_3"
    frame = pl.concat([pl.read_parquet(folder / f"{t}.parquet") for t in tables])
    result = relatedness(frame, metric=metric, **ONET)
    assert not result.findings
    at = {label: i for i, label in enumerate(result.occupations)}
    listed = pl.read_parquet(folder / "related_occupations.parquet")
    listed = listed.select("O*NET-SOC Code", "Related O*NET-SOC Code").rows()
    related = np.array([(at[a], at[b]) for a, b in listed if a in at and b in at])
    n = len(at)
    drawn = np.random.default_rng(seed).integers(0, n, (pairs, 2))
    is_listed = np.zeros((n, n), dtype=bool)
    is_listed[related[:, 0], related[:, 1]] = True
    drawn = drawn[(drawn[:, 0] != drawn[:, 1]) & ~is_listed[drawn[:, 0], drawn[:, 1]]]
    return result.matrix[tuple(related.T)], result.matrix[tuple(drawn.T)]


def test_related_pairs_of_onet_rank_above_random_pairs(data_dir):
    positive, negative = onet_auc(data_dir, "skills")
    assert len(positive) > 16_000
    auc = plain_auc(positive, negative)
    assert auc == pytest.approx(rank_auc(positive, negative), abs=1e-12)
    assert auc >= 0.85


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_ranking_does_not_hang_on_the_pairs_drawn(data_dir, seed):
    assert rank_auc(*onet_auc(data_dir, "skills", seed=seed)) >= 0.85


def test_knowledge_beside_skills_ranks_better(data_dir):
    both = rank_auc(*onet_auc(data_dir, "skills", "knowledge"))
    assert both > rank_auc(*onet_auc(data_dir, "skills")) + 0.05
    assert both >= 0.92


# --- moves ---------------------------------------------------------------------------------------


def test_a_move_takes_the_longer_of_gap_and_preparation():
    related = relatedness(wide([[3, 2, 0], [4, 1, 0], [5, 1, 0], [0, 4, 4]]))
    terms = MoveTerms(years_per_point=0.5, cost_per_year=1000, cost_per_move=10, success=0.8)
    years = pl.DataFrame({"occupation": list("abcdz"), "years": [1.0, 1.2, 3.0, 0.0, 9.0]})
    moves = upskilling_moves(related, preparation=years, terms=terms, neighbours=None, least=-1)
    rows = {(r["from"], r["to"]): r for r in moves.iter_rows(named=True)}
    assert len(rows) == 12
    up = rows["a", "b"]  # the gap (1 point) takes longer than the preparation (.2 years)
    assert (up["gap"], up["duration"], up["cost"], up["success"]) == (1.0, 0.5, 510.0, 0.8)
    assert rows["b", "c"]["duration"] == pytest.approx(1.8)  # here the preparation does
    assert rows["c", "b"]["gap"] == 0.0
    assert rows["c", "b"]["duration"] == 0.0
    assert rows["c", "b"]["cost"] == 10.0


def test_job_zones_are_read_as_years_of_preparation():
    related = relatedness(wide([[3, 2], [4, 1], [5, 1]]))
    zones = pl.DataFrame({"occupation": list("abc"), "zone": [1, 3, 4]})
    moves = upskilling_moves(related, preparation=zones, terms=MoveTerms(years_per_point=0.0),
                             neighbours=None, least=-1)  # fmt: skip
    found = moves.filter((pl.col("from") == "a") & (pl.col("to") == "c"))["duration"][0]
    assert found == ZONE_YEARS[4] - ZONE_YEARS[1]


def test_moves_join_those_of_whom_one_is_among_the_nearest_of_the_other():
    related = relatedness(wide(np.random.default_rng(3).uniform(0, 5, (12, 5))))
    near = {label: set(related.nearest(label, 3)["occupation"]) for label in related.occupations}
    expected = {
        (one, other)
        for one, other in itertools.permutations(related.occupations, 2)
        if (other in near[one] or one in near[other]) and related.between(one, other) >= 0
    }
    moves = upskilling_moves(related, neighbours=3)
    assert set(moves.select("from", "to").iter_rows()) == expected
    assert moves.height == len(expected)


def test_moves_are_a_table_for_the_intake_programme():
    moves = upskilling_moves(relatedness(wide([[3, 2], [4, 1], [5, 1]])))
    assert {"from", "to", "cost", "duration", "success"} <= set(moves.columns)


@pytest.mark.parametrize(
    ("preparation", "code"),
    [
        (pl.DataFrame({"occupation": ["a", "b"], "years": [1.0, 2.0]}), "E102"),
        (pl.DataFrame({"occupation": ["a", "b", "c"], "zone": [1, 2, 6]}), "E107"),
        (pl.DataFrame({"occupation": ["a", "b", "c"], "years": [1.0, 2.0, -1.0]}), "E107"),
        (pl.DataFrame({"occupation": ["a", "b", "b"], "years": [1.0, 2.0, 1.0]}), "E106"),
    ],
)
def test_faults_in_preparation_are_findings(preparation, code):
    related = relatedness(wide([[3, 2], [4, 1], [5, 1]]))
    with pytest.raises(DataError) as error:
        upskilling_moves(related, preparation=preparation)
    assert code in codes(error)


@pytest.mark.parametrize(
    "terms",
    [{"success": 0.0}, {"success": 1.2}, {"cost_per_year": -1.0}, {"years_per_point": np.nan}],
)
def test_impossible_terms_are_refused(terms):
    with pytest.raises(UsageError):
        MoveTerms(**terms)


# --- paths ---------------------------------------------------------------------------------------


def random_graph(rng, n, share=0.5, largest=6):
    """Return edges of a random graph; small whole lengths, some 0, so that many paths tie."""
    one, other = np.nonzero((rng.random((n, n)) < share) & ~np.eye(n, dtype=bool))
    return one, other, rng.integers(0, largest, len(one)).astype(float)


def all_paths(n, edges, source, target):
    """Return (length, steps) of every way without a place twice, by trying every order."""
    length = {(a, b): w for a, b, w in zip(*edges, strict=True)}
    between = [i for i in range(n) if i not in (source, target)]
    found = []
    for k in range(len(between) + 1):
        for order in itertools.permutations(between, k):
            way = (source, *order, target)
            steps = list(itertools.pairwise(way))
            if all(step in length for step in steps):
                found.append((sum(length[step] for step in steps), len(steps), way))
    return sorted(found)


@given(SEEDS)
def test_the_k_cheapest_paths_are_those_of_all_paths_written_out(seed):
    rng = np.random.default_rng(seed)
    n, k = int(rng.integers(2, 7)), int(rng.integers(1, 8))
    edges = random_graph(rng, n)
    expected = all_paths(n, edges, 0, n - 1)
    found = cheapest_paths(graph_of(n, *edges), 0, n - 1, k)
    length = {way: (total, steps) for total, steps, way in expected}
    assert len(set(found)) == len(found) == min(k, len(expected))
    assert [length[way] for way in found] == [row[:2] for row in expected[:k]]


@pytest.mark.parametrize("seed", range(10))
def test_the_cheapest_path_is_as_short_as_that_of_scipy(seed):
    rng = np.random.default_rng(seed)
    n = 60
    one, other, _ = random_graph(rng, n, share=0.08)
    length = rng.uniform(0.1, 5, len(one))
    graph = graph_of(n, one, other, length)
    shortest = dijkstra(csr_array((length, (one, other)), shape=(n, n)))
    row = {(a, b): w for a, b, w in zip(one, other, length, strict=True)}
    for target in range(1, n, 7):
        found = cheapest_paths(graph, 0, target, 1)
        if np.isinf(shortest[0, target]):
            assert not found
        else:
            total = sum(row[step] for step in itertools.pairwise(found[0]))
            assert total == pytest.approx(shortest[0, target], rel=1e-9)


def moves_frame(rows):
    return pl.DataFrame(rows, schema=["from", "to", "cost", "duration", "success"], orient="row")


def test_paths_carry_cost_time_and_success_along():
    related = relatedness(wide([[3, 0, 1], [4, 1, 1], [5, 1, 3]]))
    moves = moves_frame([("a", "b", 4.0, 1.0, 0.5), ("b", "c", 3.0, 2.0, 0.8),
                         ("a", "c", 8.0, 1.5, 0.9)])  # fmt: skip
    result = reskilling_paths(related, "a", "c", moves=moves)
    assert result.paths == (("a", "b", "c"), ("a", "c"))
    assert result.cost == (7.0, 8.0)
    assert result.duration == (3.0, 1.5)
    assert result.success == pytest.approx((0.4, 0.9))
    steps = result.to_frame()
    assert steps["cost_so_far"].to_list() == [4.0, 7.0, 8.0]
    assert steps["gap"].to_list() == [2.0, 3.0, 5.0]
    assert steps["relatedness"][0] == related.between("a", "b")
    assert result.gaps(1).select("step", "skill", "rise").rows() == [
        (1, "s0", 1.0), (1, "s1", 1.0), (2, "s2", 2.0), (2, "s0", 1.0),
    ]  # fmt: skip
    assert reskilling_paths(related, "a", "c", moves=moves, by="duration").paths[0] == ("a", "c")


def test_several_sources_are_ranked_together_and_who_cannot_is_named():
    related = relatedness(wide(np.random.default_rng(3).uniform(1, 5, (5, 4))))
    moves = moves_frame([("a", "d", 4.0, 1.0, 1.0), ("b", "a", 1.0, 1.0, 1.0),
                         ("d", "c", 9.0, 1.0, 1.0)])  # fmt: skip
    result = reskilling_paths(related, ["b", "a", "c", "b"], "d", moves=moves, paths=2)
    assert result.paths == (("a", "d"), ("b", "a", "d"))
    assert result.unreachable == ("c",)
    none = reskilling_paths(related, "c", "d", moves=moves)
    assert none.paths == ()
    assert none.to_frame().height == 0
    assert "No chain" in none.summary()


@given(SEEDS)
def test_no_path_is_cheaper_than_the_first_and_none_repeats_an_occupation(seed):
    rng = np.random.default_rng(seed)
    related = relatedness(wide(rng.uniform(0, 5, (8, 4))))
    result = reskilling_paths(related, "a", "h", moves=upskilling_moves(related, neighbours=3),
                              paths=4)  # fmt: skip
    assert list(result.cost) == sorted(result.cost)
    for way in result.paths:
        assert len(set(way)) == len(way)
        assert (way[0], way[-1]) == ("a", "h")


def test_only_allowed_moves_are_made_and_free_detours_are_not():
    related = relatedness(wide(np.random.default_rng(3).uniform(1, 5, (4, 4))))
    moves = moves_frame([("a", "b", 0.0, 0.0, 1.0), ("b", "c", 0.0, 0.0, 1.0),
                         ("a", "c", 0.0, 0.0, 1.0)])  # fmt: skip
    assert reskilling_paths(related, "a", "c", moves=moves).paths == (("a", "c"), ("a", "b", "c"))


@pytest.mark.parametrize(
    ("moves", "code"),
    [
        (moves_frame([("a", "b", 1.0, 1.0, 1.0), ("a", "b", 2.0, 1.0, 1.0)]), "E106"),
        (moves_frame([("a", "b", -1.0, 1.0, 1.0)]), "E107"),
        (moves_frame([("a", "b", 1.0, 1.0, 1.5)]), "E107"),
        (moves_frame([("a", "q", 1.0, 1.0, 1.0)]), "E104"),
        (moves_frame([("a", "b", None, 1.0, 1.0)]), "E102"),
        (moves_frame([("a", "b", 1.0, 1.0, 1.0)]).drop("duration"), "E101"),
    ],
)
def test_faults_in_moves_are_findings(moves, code):
    related = relatedness(wide([[3, 2], [4, 1], [5, 1]]))
    with pytest.raises(DataError) as error:
        reskilling_paths(related, "a", "c", moves=moves)
    assert code in codes(error)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("a", "a", {}), "source at once"),
        (("a", "x", {}), "no occupation 'x'"),
        ((["q"], "a", {}), "no occupation 'q'"),
        (([], "a", {}), "at least one"),
        (("a", "b", {"paths": 0}), "at least one"),
        (("a", "b", {"by": "speed"}), "duration"),
    ],
)
def test_wrong_questions_say_what_to_do(arguments, words):
    source, target, more = arguments
    related = relatedness(wide([[3, 2], [4, 1], [5, 1]]))
    with pytest.raises(UsageError, match=words):
        reskilling_paths(related, source, target, **more)


def test_onet_has_ways_into_machining(data_dir):
    folder = data_dir / "onet_29_3"
    related = relatedness(pl.read_parquet(folder / "skills.parquet"), **ONET)
    zones = pl.read_parquet(folder / "job_zones.parquet").select(
        occupation="O*NET-SOC Code", zone="Job Zone"
    )
    moves = upskilling_moves(related, preparation=zones)
    # From cashiers (zone 2) to machinists (zone 3): no path can be shorter than the zones say.
    result = reskilling_paths(related, "41-2011.00", "51-4041.00", moves=moves, by="duration")
    assert len(result.paths) == 3
    assert all(years >= ZONE_YEARS[3] - ZONE_YEARS[2] - 1e-9 for years in result.duration)
    listed = set(moves.select("from", "to").iter_rows())
    assert all(step in listed for way in result.paths for step in itertools.pairwise(way))


def test_a_least_relatedness_that_is_no_number_is_refused():
    related = relatedness(wide([[3, 1, 2], [1, 3, 2], [2, 2, 5]]))
    with pytest.raises(UsageError, match="least"):
        upskilling_moves(related, least=float("nan"))
