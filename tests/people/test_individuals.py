"""People one by one: against the slow twin, expected values, and what must always hold."""

from collections import Counter
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chi2

import naive_individuals as naive
from individual_cases import pipeline_of, random_pipeline
from withstand.errors import UsageError
from withstand.kernels.individuals import new_counts, new_work, play_people
from withstand.people import individuals
from withstand.people.individual_states import played
from withstand.people.individuals import simulate_people
from withstand.people.people_runs import CELL_FLOWS, PROGRAMME_COUNTS, STOCKS

seeds = st.integers(0, 10**9)
COUNTS = (
    *STOCKS,
    *CELL_FLOWS,
    *PROGRAMME_COUNTS,
    "at_work",
    "moved_out",
    "moved_in",
    "people_at_start",
    "elsewhere_at_start",
    "training_at_start",
)


def assert_same(a, b):
    for name in COUNTS:
        np.testing.assert_array_equal(getattr(a, name), getattr(b, name), err_msg=name)


# --- against the twin -----------------------------------------------------------------------------


def play_kernel(pipeline, seed, run):
    """Return the state of every person at the end, and how many the kernel counts in each."""
    shared = played(pipeline)
    newcomers = shared.newcomers(shared.whole_people(seed, run))
    n_people = int(newcomers.group_person[-1])
    work = new_work(shared.people, n_people)
    with np.errstate(over="ignore"):
        play_people(
            shared.people,
            newcomers,
            np.uint64(seed),
            np.uint64(run),
            0,
            n_people,
            pipeline.steps_per_year,
            work,
            new_counts(shared.people, len(pipeline.years)),
        )
    return work.state, work.now


def state_of(place, pipeline, gone):
    if place[0] == "gone":
        return gone
    first = {"employed": 0, "elsewhere": pipeline.n_cells, "training": 2 * pipeline.n_cells}
    slots = pipeline.n_programmes * (place[2] - 1) if place[0] == "training" else 0
    return first[place[0]] + slots + place[1]


@given(seeds, st.integers(0, 50), st.booleans())
def test_every_person_ends_where_the_twin_says(seed, run, is_large):
    pipeline = random_pipeline(np.random.default_rng(seed), 30.0 if is_large else 3.0)
    state, now = play_kernel(pipeline, seed, run)
    story = naive.play(pipeline, seed, run)
    expected = [state_of(place, pipeline, len(now) - 1) for place in story.places[-1]]
    np.testing.assert_array_equal(state, expected)
    np.testing.assert_array_equal(now, np.bincount(state, minlength=len(now)))


NAMES = {"employed": "people", "elsewhere": "elsewhere", "training": "training"}


def tally(pipeline, stories, found):
    """Return all counts of `PeopleRuns` from the stories of the twin."""
    counts = {name: np.zeros_like(getattr(found, name)) for name in COUNTS}
    per_year = pipeline.steps_per_year
    leaving = np.repeat(np.arange(pipeline.n_cells), np.diff(pipeline.move_indptr))
    for r, story in enumerate(stories):
        for place, n in story.count(0).items():
            if place[0] != "gone":
                counts[f"{NAMES[place[0]]}_at_start"][r, place[1]] += n
        for y in range(len(pipeline.years)):
            for place, n in story.count((y + 1) * per_year).items():
                if place[0] != "gone":
                    counts[f"{NAMES[place[0]]}_end"][r, place[1], y] += n
            for step in range(y * per_year, (y + 1) * per_year):
                for place, n in story.count(step).items():
                    if place[0] == "employed":
                        counts["at_work"][r, place[1], y] += n
            flows = sum(story.flows[y * per_year : (y + 1) * per_year], Counter())
            for (what, k, *to), n in flows.items():
                if what == "moved":
                    kind = pipeline.move_kind[k]
                    counts["moved_out"][r, kind, leaving[k], y] += n
                    counts["moved_in"][r, kind, pipeline.move_to[k], y] += n
                elif what in ("placed", "to_elsewhere"):
                    counts[what][r, to[0], y] += n
                    counts["graduates"][r, k, y] += n
                else:
                    counts[what][r, k, y] += n
    return counts


@given(seeds, st.sampled_from([1, 2, 4]))
@settings(max_examples=40)
def test_stocks_and_flows_of_each_year_are_those_of_the_twin(seed, per_year):
    rng = np.random.default_rng(seed)
    pipeline = random_pipeline(rng, steps_per_year=per_year, years=3)
    found = simulate_people(pipeline, seed=seed, runs=2)
    expected = tally(pipeline, [naive.play(pipeline, seed, run) for run in range(2)], found)
    for name in COUNTS:
        np.testing.assert_array_equal(getattr(found, name), expected[name], err_msg=name)


# --- what must always hold ------------------------------------------------------------------------


@given(seeds)
def test_nobody_is_lost_and_nobody_is_invented_in_any_step(seed):
    # a step a year: what holds at the end of every year holds after every step
    pipeline = random_pipeline(np.random.default_rng(seed), years=6)
    found = simulate_people(pipeline, seed=seed, runs=3)
    came = np.cumsum(found.arrivals.sum(1) + found.entrants.sum(1) - found.drawn.sum(1), axis=1) + (
        found.people_at_start.sum(1)
        + found.elsewhere_at_start.sum(1)
        + found.training_at_start.sum(1)
    ).reshape(-1, 1)
    here = found.people_end.sum(1) + found.elsewhere_end.sum(1) + found.training_end.sum(1)
    np.testing.assert_array_equal(here + found.gone, came)
    np.testing.assert_array_equal(came[:, -1], found.people_per_run)
    assert all(getattr(found, name).min(initial=0) >= 0 for name in COUNTS)


@given(seeds, st.sampled_from([1, 3]))
def test_stocks_change_by_their_flows_cell_by_cell(seed, per_year):
    pipeline = random_pipeline(np.random.default_rng(seed), steps_per_year=per_year)
    f = simulate_people(pipeline, seed=seed, runs=2)

    def change(stock, start):
        return np.diff(np.concatenate([start[..., None], stock], axis=2), axis=2)

    np.testing.assert_array_equal(
        change(f.people_end, f.people_at_start),
        f.arrivals + f.placed + f.comeback + f.moved_in.sum(1)
        - f.exits - f.drift - f.moved_out.sum(1) - f.drawn,
    )  # fmt: skip
    np.testing.assert_array_equal(
        change(f.elsewhere_end, f.elsewhere_at_start),
        f.to_elsewhere + f.drift - f.comeback - f.exits_elsewhere,
    )
    np.testing.assert_array_equal(
        change(f.training_end, f.training_at_start), f.entrants - f.graduates - f.dropouts
    )
    np.testing.assert_array_equal(f.moved_out.sum(2), f.moved_in.sum(2))
    np.testing.assert_array_equal(f.graduates.sum(1), f.placed.sum(1) + f.to_elsewhere.sum(1))


@given(seeds, st.sampled_from([1, 7, 64]))
@settings(max_examples=30)
def test_the_size_of_blocks_changes_nothing(seed, block):
    pipeline = random_pipeline(np.random.default_rng(seed), 12.0, with_sources=False)
    whole = simulate_people(pipeline, seed=seed, runs=2)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(individuals, "BLOCK", block)
        assert_same(simulate_people(pipeline, seed=seed, runs=2), whole)


@given(seeds)
@settings(max_examples=30)
def test_quarters_of_a_year_are_steps_added_up(seed):
    quarters = random_pipeline(np.random.default_rng(seed), steps_per_year=4, years=3)
    steps = replace(quarters, steps_per_year=1)
    by_year, by_step = (simulate_people(p, seed=seed) for p in (quarters, steps))
    np.testing.assert_array_equal(by_year.people_end, by_step.people_end[:, :, 3::4])
    np.testing.assert_array_equal(by_year.exits, by_step.exits.reshape(1, -1, 3, 4).sum(3))


def test_more_runs_and_more_years_go_on_where_fewer_end():
    longer = random_pipeline(np.random.default_rng(3), 40.0, years=6)
    shorter = replace(longer, steps=4, arrivals=longer.arrivals[:, :4], intake=longer.intake[:, :4])
    long, short = simulate_people(longer, seed=8, runs=5), simulate_people(shorter, seed=8, runs=2)
    np.testing.assert_array_equal(long.people_end[:2, :, :4], short.people_end)
    assert not np.array_equal(long.people_end[0], long.people_end[1])
    assert not np.array_equal(simulate_people(longer, seed=9).people_end, long.people_end[:1])


@pytest.mark.slow
@pytest.mark.parametrize("with_sources", [True, False])
def test_any_number_of_workers_gives_the_same_bits(with_sources):
    rng = np.random.default_rng(12)
    scale = 200_000.0 if not with_sources else 2_000.0  # several blocks of a run, or many runs
    pipeline = random_pipeline(rng, scale, with_sources=with_sources)
    runs = 2 if not with_sources else 6
    one = simulate_people(pipeline, seed=4, runs=runs, jobs=1)
    assert with_sources or one.people_per_run.min() > 2 * individuals.BLOCK
    for jobs in (2, 3):
        assert_same(simulate_people(pipeline, seed=4, runs=runs, jobs=jobs), one)


# --- in the mean ----------------------------------------------------------------------------------


def test_expected_values_are_those_of_the_expectation():
    from withstand.people.expectation import play

    for seed in range(40):
        pipeline = random_pipeline(np.random.default_rng(seed), steps_per_year=2)
        mine, theirs = naive.expected(pipeline), play(pipeline)
        for name, values in (("employed", theirs.stock), ("elsewhere", theirs.elsewhere)):
            np.testing.assert_allclose(mine[name], values[1:].T, rtol=1e-9, atol=1e-9)


@pytest.fixture(scope="module")
def means():
    """Return mean, its standard error and expected value of one stock of each of 50 pipelines."""
    found = []
    for seed in range(50):
        rng = np.random.default_rng(1000 + seed)
        pipeline = random_pipeline(rng, 60.0)
        # seats out of a cell are few, so that none is emptied: there a mean of minima is less
        intake = np.where(pipeline.source[:, None] >= 0, pipeline.intake / 30, pipeline.intake)
        pipeline = replace(pipeline, intake=intake)
        runs = simulate_people(pipeline, seed=seed, runs=200)
        expected = naive.expected(pipeline)["employed"]
        mean, error = runs.mean("people_end"), runs.people_end.std(0, ddof=1) / np.sqrt(200)
        places = np.argwhere(error > 0.1)
        c, t = places[rng.integers(len(places))]
        found.append((mean[c, t], error[c, t], expected[c, t]))
    return np.array(found).T


def test_means_scatter_about_expected_values_as_means_do(means):
    mean, error, expected = means
    z = (mean - expected) / error  # of independent pipelines, so that their squares add up
    assert np.abs(z).max() < 4.5
    assert 1e-3 < chi2.sf((z**2).sum(), len(z)) < 1 - 1e-3


def test_the_test_of_means_finds_three_per_cent(means):
    mean, error, expected = means
    z = (mean - 1.03 * expected) / error
    assert chi2.sf((z**2).sum(), len(z)) < 1e-6


def test_outcomes_of_one_step_are_multinomial():
    pipeline = pipeline_of(
        3,
        steps=1,
        stock=np.array([200_000.0, 0, 0]),
        leave=np.array([0.05, 0, 0]),
        drift=np.array([0.1, 0, 0]),
        move_indptr=np.array([0, 2, 2, 2]),
        move_to=np.array([1, 2]),
        move_share=np.array([0.02, 0.3]),
        move_kind=np.array([0, 1]),
    )
    found = simulate_people(pipeline, seed=21, runs=40)
    counts = np.stack(
        [found.exits[:, 0, 0], found.drift[:, 0, 0], found.people_end[:, 1, 0],
         found.people_end[:, 2, 0], found.people_end[:, 0, 0]], axis=1
    )  # fmt: skip

    def p_value(chances):
        expected = 200_000 * np.array(chances)
        return chi2.sf(((counts - expected) ** 2 / expected).sum(), 4 * len(counts))

    assert 1e-4 < p_value([0.05, 0.1, 0.02, 0.3, 0.53]) < 1 - 1e-4
    assert p_value([0.051, 0.1, 0.02, 0.3, 0.529]) < 1e-4  # a thousandth more would be seen


def million(steps_per_year):
    """Return a million people in twenty occupations by two regions, with programmes."""
    rng = np.random.default_rng(7)
    c, p, steps = 40, 10, 10 * steps_per_year
    q = steps_per_year
    return pipeline_of(
        c,
        p,
        steps,
        steps_per_year=q,
        stock=1e6 * rng.dirichlet(np.full(c, 3.0)),
        elsewhere=np.full(c, 2_000.0),
        leave=rng.uniform(0.02, 0.06, c) / q,
        drift=rng.uniform(0.01, 0.03, c) / q,
        comeback=rng.uniform(0.1, 0.3, c) / q,
        move_indptr=2 * np.arange(c + 1),
        move_to=rng.integers(0, c, 2 * c),
        move_share=rng.uniform(0.0, 0.02, 2 * c) / q,
        move_kind=rng.integers(0, 3, 2 * c),
        intake=np.full((p, steps), 4_000.3 / q),
        length=np.full(p, 3 * q),
        completion=rng.uniform(0.6, 0.9, p),
        source=np.where(np.arange(p) < 3, np.arange(p), -1),
        place_indptr=2 * np.arange(p + 1),
        place_cell=rng.integers(0, c, 2 * p),
        place_share=np.full(2 * p, 0.45),
    )


@pytest.mark.parametrize("per_year", [1, pytest.param(4, marks=pytest.mark.slow)])
def test_the_mean_of_a_million_people_is_the_expected_value(per_year):
    pipeline = million(per_year)
    found, expected = simulate_people(pipeline, seed=5, runs=12), naive.expected(pipeline)
    at = slice(per_year - 1, None, per_year)
    compared = 0
    for name in ("employed", "elsewhere", "training"):
        mean, wanted = found.mean(f"{NAMES[name]}_end"), expected[name][:, at]
        large = wanted > 10_000  # the root of 10,000 over the root of 12 runs: 0.3 % at the most
        compared += large.sum()
        assert np.abs(mean / np.where(large, wanted, 1) - 1)[large].max(initial=0) < 0.005
    assert compared > 200


def test_flows_of_each_year_are_those_of_the_expectation():
    from withstand.people.expectation import OF_CELLS, OF_PROGRAMMES, play
    from withstand.people.projection_results import people_of_years

    pipeline = million(2)
    found, expected = simulate_people(pipeline, seed=15), play(pipeline)
    for name in (*OF_CELLS, *OF_PROGRAMMES):
        wanted = getattr(expected, name).sum(1)
        seen = getattr(found, name)[0].sum(0)
        # counts of independent people vary by no more than Poisson's; five of its errors
        assert np.all(np.abs(seen - wanted) <= 5 * np.sqrt(wanted)), name
    for name in ("moved_in", "moved_out"):
        wanted = getattr(expected, name).sum(2)
        assert np.all(np.abs(getattr(found, name)[0].sum(1) - wanted) <= 5 * np.sqrt(wanted))
    people = people_of_years(pipeline, expected.stock).T
    assert np.all(np.abs(found.people[0] - people) <= 5 * np.sqrt(people))


def test_tables_are_projected_and_played_alike():
    from withstand import people

    tables = {
        "occupations": pl.DataFrame(
            {"occupation": ["GRINDER"], "people": [90_000.0], "exit_rate": [0.08]}
        ),
        "programmes": pl.DataFrame(
            {
                "programme": ["grinding"],
                "occupation": ["GRINDER"],
                "duration": [2.0],
                "completion": [0.8],
                "intake": [9_000.0],
            }
        ),
    }
    years = range(2026, 2036)
    found = people.simulate_people(people.pipeline_of(tables, years=years), seed=1, runs=4)
    projected = people.project(tables, years=years).to_frame()["people_end"].to_numpy()
    np.testing.assert_allclose(found.mean("people_end")[0], projected, rtol=0.005)
    assert projected[-1] > 80_000  # 42,000 without graduates


def test_a_million_graduates_need_their_intake_three_years_before():
    # three years, 0.703 complete: 355,619.2 a year from 2022 make one million in 2025 to 2028;
    # begun in 2025, a quarter of it
    def graduates(first):
        years = np.arange(2022, 2029)
        pipeline = pipeline_of(
            1, 1, 7, first_year=2022,
            intake=np.where((years >= first) & (years < first + 4), 355_619.2, 0.0)[None],
            length=np.array([3]), completion=np.array([0.703]),
        )  # fmt: skip
        return simulate_people(pipeline, seed=1, runs=4).mean("graduates")[0]

    # the root of 1.42 million x .703 x .297 is 545; a mean of four runs, four times its error
    begun_in_time = graduates(2022)
    np.testing.assert_array_equal(begun_in_time[:3], 0)
    assert begun_in_time[3:].sum() == pytest.approx(1e6, abs=1100)
    assert graduates(2025).sum() == pytest.approx(250_000, abs=550)


# --- entrants out of a cell -----------------------------------------------------------------------


def upskilling(stock, seats, n_programmes=1):
    return pipeline_of(
        1,
        n_programmes,
        1,
        stock=np.array([float(stock)]),
        intake=np.array(seats, float).reshape(n_programmes, 1),
        source=np.zeros(n_programmes, np.int64),
    )


@pytest.mark.parametrize(("stock", "seats", "enter"), [(3, 5, 3), (9, 5, 5), (5, 5, 5), (0, 5, 0)])
def test_exactly_so_many_enter_as_there_are_seats_and_people(stock, seats, enter):
    found = simulate_people(upskilling(stock, [seats]), seed=2, runs=50)
    assert np.all(found.entrants == enter)
    assert np.all(found.drawn == enter)
    assert np.all(found.people_end == stock - enter)


def test_programmes_are_served_in_their_order():
    found = simulate_people(upskilling(9, [5, 3, 4], 3), seed=2, runs=50)
    np.testing.assert_array_equal(found.entrants[:, :, 0], np.tile([5, 3, 1], (50, 1)))


def test_everybody_in_the_cell_enters_with_the_same_chance():
    pipeline, runs = upskilling(10, [3, 2], 2), 3000
    chosen = np.zeros((3, 10))
    pairs = np.zeros((10, 10))
    for run in range(runs):
        state, _ = play_kernel(pipeline, 6, run)
        for k in range(2):
            chosen[k] += state == 2 + k
        entered = np.flatnonzero(state >= 2)
        pairs[np.ix_(entered, entered)] += 1
    for k, seats in enumerate((3, 2)):
        expected = runs * seats / 10
        # drawn without replacement: a person's count varies by (1 - seats / 10) of expected
        score = ((chosen[k] - expected) ** 2).sum() / (expected * (1 - seats / 10)) * 9 / 10
        assert 1e-4 < chi2.sf(score, 9) < 1 - 1e-4
    together = pairs[np.triu_indices(10, 1)]
    expected = runs * 5 * 4 / 90
    assert np.abs(together - expected).max() < 4.5 * np.sqrt(expected)


def test_who_came_in_this_step_does_not_enter_in_it():
    # ten are elsewhere and all come back, ten arrive: nobody was at work at the start of the step
    pipeline = replace(
        upskilling(0, [50]), elsewhere=np.array([10.0]), comeback=np.ones(1),
        arrivals=np.array([[10.0]]),
    )  # fmt: skip
    found = simulate_people(pipeline, seed=1)
    assert found.entrants.sum() == 0
    assert found.people_end.sum() == 20


# --- results and arguments ------------------------------------------------------------------------


def test_ranges_are_quantiles_of_sums_within_each_run():
    found = simulate_people(million(1), seed=5, runs=3)
    frame = found.ranges(levels=(0.0, 0.5, 1.0), by=("region",), what="people_end")
    assert frame.columns == ["region", "year", "mean", "p0", "p50", "p100"]
    assert frame.height == 2 * 10
    in_north = np.array([r == "north" for r in found.cells["region"]])
    sums = np.sort(found.people_end[:, in_north].sum(1), axis=0)
    north = frame.filter(region="north")
    np.testing.assert_array_equal(north["year"], found.years)
    np.testing.assert_array_equal(north.select("p0", "p50", "p100").to_numpy(), sums.T)
    np.testing.assert_allclose(north["mean"], sums.mean(0))
    everybody = found.ranges(by=(), levels=[0.5], what="exits")
    np.testing.assert_array_equal(everybody["p50"], np.median(found.exits.sum(1), axis=0))


def test_frames_have_a_row_for_each_run_cell_and_year():
    found = simulate_people(million(1), seed=5, runs=2)
    frame, programmes = found.to_frame(), found.programmes_to_frame()
    assert frame.height == 2 * 40 * 10
    assert programmes.height == 2 * 10 * 10
    row = frame.filter(run=1, occupation="occupation 3", region="south", year=2030)
    assert row["people_end"].to_list() == [found.people_end[1, 7, 4]]
    row = programmes.filter(run=0, programme="programme 2", year=2031)
    assert row["graduates"].to_list() == [found.graduates[0, 2, 5]]
    assert repr(found).startswith("PeopleRuns(2 runs of 40 cells and 10 programmes, 2026 to 2035")


def test_progress_and_provenance_tell_what_was_played():
    calls = []
    pipeline = pipeline_of(stock=np.array([5.0]))
    found = simulate_people(pipeline, seed=3, runs=4, progress=lambda k, n: calls.append((k, n)))
    assert calls == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert found.provenance.seed == 3
    other = simulate_people(replace(pipeline, stock=np.array([6.0])), seed=3)
    assert other.provenance.fingerprint != found.provenance.fingerprint


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"seed": -1}, "seed must be"),
        ({"seed": 2**64}, "seed must be"),
        ({"seed": 1.5}, "seed must be"),
        ({"seed": 1, "runs": 0}, "runs must be"),
        ({"seed": 1, "jobs": 0}, "jobs must be"),
        ({"seed": 1, "jobs": True}, "jobs must be"),
    ],
)
def test_arguments_that_cannot_be_are_refused(arguments, message):
    with pytest.raises(UsageError, match=message):
        simulate_people(pipeline_of(), **arguments)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"stock": np.array([-1.0])}, r"stock\[0\] is -1.0, expected people, not negative"),
        ({"stock": np.array([np.nan])}, r"stock\[0\] is nan"),
        ({"leave": np.array([1.2])}, r"leave\[0\] is 1.2, expected a chance from 0 to 1"),
        ({"leave": np.array([0.6]), "drift": np.array([0.5])}, "of cell 0 is 1.1, expected at"),
        ({"stock": np.zeros(2)}, "expected"),
        ({"steps_per_year": 2}, "a multiple of steps_per_year"),
        ({"length": np.array([0]), "training": np.zeros((1, 1))}, r"length\[0\] is 0"),
        ({"source": np.array([3])}, r"source\[0\] is 3, expected a whole number from -1 to 0"),
        ({"place_indptr": np.array([0, 0]), "place_cell": np.zeros(0, int),
          "place_share": np.zeros(0)}, "names a cell"),
    ],
)  # fmt: skip
def test_pipelines_that_cannot_be_played_are_refused(arrays, message):
    with pytest.raises(UsageError, match=message):
        simulate_people(pipeline_of(1, 1, 3, **arrays), seed=1)


def test_what_does_not_fit_is_refused_beforehand(monkeypatch):
    monkeypatch.setattr("withstand.programming.memory.free_memory", lambda: 10**6)
    with pytest.raises(UsageError, match="Use fewer runs"):
        simulate_people(pipeline_of(stock=np.array([10.0])), seed=1, runs=100_000)
    with pytest.raises(UsageError, match="Use fewer runs"):  # before the runs are even listed
        simulate_people(pipeline_of(stock=np.array([10.0])), seed=1, runs=10**12)
    # people out of a cell must be in memory together; others are played in blocks
    many = upskilling(10**6, [5])
    with pytest.raises(UsageError, match=r"1 runs of 1,000,000 people in 1 cells would take"):
        simulate_people(many, seed=1)


def test_what_would_never_end_is_refused_beforehand():
    with pytest.raises(UsageError, match="too many to play one by one"):
        simulate_people(pipeline_of(stock=np.array([1e15])), seed=1)
