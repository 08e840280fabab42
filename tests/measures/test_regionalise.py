"""Regional tables: quotients and balancing against their twins, and that regions add up."""

from __future__ import annotations

import itertools

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import naive_regions as naive
from tiny_economies import economy
from withstand import measures
from withstand.errors import DataError, UsageError
from withstand.measures import balance, national_economy, regionalise
from withstand.measures.trade_quotients import simple_quotients, trade_quotients
from withstand.model.economy import build_economy
from withstand.model.national import NationalTable, as_economy
from withstand.model.settings import Settings

SEEDS = st.integers(0, 10_000)
METHODS = ("flq", "aflq", "cilq", "slq")


def people(values, regions=None, industries=None):
    """Return a region x industry table of a matrix."""
    e = np.asarray(values, dtype=float)
    regions = regions or [f"R{k}" for k in range(e.shape[0])]
    industries = industries or [f"i{k}" for k in range(e.shape[1])]
    rows = [(r, i, e[a, b]) for a, r in enumerate(regions) for b, i in enumerate(industries)]
    return pl.DataFrame(rows, schema=["region", "industry", "value"], orient="row")


def closed_nation(rng, n=4, users=2):
    """Return flows, final demand and value added of a random nation that balances."""
    z = rng.uniform(0.1, 1.0, (n, n)) * (rng.random((n, n)) < 0.8)
    y = rng.uniform(1.0, 3.0, (n, users))
    x = z.sum(axis=1) + y.sum(axis=1)
    return z, y, x - z.sum(axis=0)


def nation_of(z, y, **more):
    n = len(z)
    return economy(z, y, regions=["NAT"] * n, sectors=[f"i{k}" for k in range(n)],
                   users=["NAT"] * y.shape[1], categories=[f"f{k}" for k in range(y.shape[1])],
                   home="NAT", **more)  # fmt: skip


def codes(findings):
    return {f.code for f in findings}


# --- quotients -----------------------------------------------------------------------------------


def test_quotients_by_hand():
    # 80 of 200 people are in N. SLQ: steel (30/80)/(40/200) = 1.875, cars (40/80)/(60/200) = 5/3,
    # food (10/80)/(100/200) = 1/4; lambda = log2(1.4)^.3 = .80508.
    slq = simple_quotients(np.array([[30.0, 40.0, 10.0], [10.0, 20.0, 90.0]]))[0]
    assert slq.tolist() == pytest.approx([1.875, 5 / 3, 0.25])
    size = np.log2(1.4) ** 0.3
    assert size == pytest.approx(0.80508, abs=1e-5)
    flq = trade_quotients(slq, 0.4, delta=0.3)
    assert flq[0, 1] == pytest.approx(1.125 * size)
    assert flq[2, 0] == pytest.approx(0.25 / 1.875 * size)
    assert flq[0, 0] == pytest.approx(1.875 * size)
    assert trade_quotients(slq, 0.4, diagonal="slq")[0, 0] == pytest.approx(1.875)
    aflq = trade_quotients(slq, 0.4, method="aflq")
    assert aflq[2, 0] == pytest.approx(flq[2, 0] * np.log2(2.875))
    assert aflq[0, 2] == pytest.approx(flq[0, 2])  # food is not specialised


@given(SEEDS, st.sampled_from(METHODS), st.sampled_from(["flq", "slq"]))
@settings(max_examples=25)
def test_quotients_are_their_formulas_written_out(seed, method, diagonal):
    rng = np.random.default_rng(seed)
    e = rng.uniform(0, 10, (3, 4)) * (rng.random((3, 4)) < 0.8)
    e[0] += 0.5
    delta = float(rng.uniform(0, 0.6))
    slq = simple_quotients(e)
    for r in range(3):
        if e[r].sum() == 0:
            continue
        share = e[r].sum() / e.sum()
        q = trade_quotients(slq[r], share, method=method, delta=delta, diagonal=diagonal)
        for i, j in itertools.product(range(4), repeat=2):
            expected = naive.quotient(e.tolist(), r, i, j, method, delta, diagonal)
            assert q[i, j] == pytest.approx(expected, abs=1e-12)


# --- balancing -----------------------------------------------------------------------------------


def test_gras_gives_the_numbers_of_another_program():
    """The table of Junius and Oosterhaven (2003) with one column of a single entry.

    The numbers are those that a program in R prints, good to 1e-6: it stops at that gap.
    """
    a = np.array([[7, 3, 5, -3], [2, 9, 8, 0], [-2, 0, 2, 0]], dtype=float)
    found = balance(a, np.array([15.0, 26, -1]), np.array([9.0, 16, 17, -2]))
    printed = [
        [8.424340881, 3.375237362, 5.200422021, -2.000000263],
        [3.000997078, 12.624763744, 10.374239178, 0.0],
        [-2.425339135, 0.0, 1.425339135, 0.0],
    ]
    assert found.is_balanced
    assert found.values == pytest.approx(np.array(printed), abs=2e-6)


def test_ras_on_the_textbook_coefficients():
    """Miller and Blair (2009), section 7.4.2: three sectors updated to the year 1's margins.

    The margins are met, the twin agrees, and the entries are r_i a_ij s_j.
    """
    a = np.array([[0.12, 0.10, 0.049], [0.21, 0.247, 0.265], [0.026, 0.249, 0.145]])
    x = np.array([421.0, 284.0, 283.0])
    rows, columns = np.array([245.0, 136.0, 159.0]), np.array([251.0, 107.0, 182.0])
    found = balance(a * x, rows, columns)
    assert found.values.sum(axis=1) == pytest.approx(rows, rel=1e-11)
    assert found.values.sum(axis=0) == pytest.approx(columns, rel=1e-14)
    assert found.values == pytest.approx(np.array(naive.ras(a * x, rows, columns)), rel=1e-9)
    scaled = found.row_factors[:, None] * a * x * found.column_factors
    assert found.values == pytest.approx(scaled, rel=1e-14)


@given(SEEDS)
@settings(max_examples=15)
def test_balancing_meets_margins_keeps_zeros_and_signs_and_is_the_twin(seed):
    rng = np.random.default_rng(seed)
    m, n = rng.integers(2, 6, 2)
    a = rng.uniform(0.5, 5, (m, n)) * (rng.random((m, n)) < 0.85)
    a *= np.where(rng.random((m, n)) < rng.choice([0.0, 0.2]), -1.0, 1.0)
    # margins of a matrix with the same zeros and signs: there is a solution
    other = a * rng.uniform(0.5, 2.0, (m, n))
    rows, columns = other.sum(axis=1), other.sum(axis=0)
    found = balance(a, rows, columns)
    assert found.is_balanced
    assert np.abs(found.values.sum(axis=1) - rows).max() <= 1e-9
    assert np.abs(found.values.sum(axis=0) - columns).max() <= 1e-9
    assert (np.sign(found.values) == np.sign(a)).all()
    # first-order condition of the programme: +-log(x / a) is a sum of a row and a column term
    safe = np.where(a == 0, 1.0, a)
    terms = np.where(
        a == 0, np.nan, np.sign(a) * np.log(np.where(a == 0, 1.0, found.values) / safe)
    )
    with np.errstate(divide="ignore"):  # lines of zeros
        r, s = np.log(found.row_factors), np.log(found.column_factors)
    assert np.nanmax(np.abs(terms - r[:, None] - s), initial=0.0) <= 1e-9
    again = balance(found.values, rows, columns)
    assert again.values == pytest.approx(found.values, abs=1e-9)
    bigger = balance(7.0 * a, 7.0 * rows, 7.0 * columns)
    assert bigger.values == pytest.approx(7.0 * found.values, abs=1e-8)
    order = rng.permutation(m)
    turned = balance(a[order], rows[order], columns)
    assert turned.values == pytest.approx(found.values[order], abs=1e-9)


@pytest.mark.parametrize("seed", [1, 2])
def test_balancing_with_negative_entries_is_the_twin_that_halves_intervals(seed):
    rng = np.random.default_rng(seed)
    a = rng.uniform(0.5, 5, (3, 4)) * np.where(rng.random((3, 4)) < 0.25, -1.0, 1.0)
    assert (a < 0).any()
    other = a * rng.uniform(0.5, 2.0, a.shape)
    rows, columns = other.sum(axis=1), other.sum(axis=0)
    twin = naive.gras(a.tolist(), rows.tolist(), columns.tolist(), rounds=120)
    assert balance(a, rows, columns).values == pytest.approx(np.array(twin), abs=1e-7)


def test_margins_that_no_matrix_has_are_findings():
    a = np.array([[1.0, 0.0], [0.0, 0.0]])
    with pytest.raises(DataError, match="row b has no entry") as error:
        balance(a, np.array([1.0, 1.0]), np.array([2.0, 0.0]), row_labels=["a", "b"])
    assert codes(error.value.findings) == {"E672"}
    with pytest.raises(DataError, match="in all, the columns to 3") as error:
        balance(np.ones((2, 2)), np.array([1.0, 1.0]), np.array([1.0, 2.0]))
    assert codes(error.value.findings) == {"E671"}
    # the zero forces x_11 = 1 and x_22 = 1, which leaves -1 for x_12... no scaling gives it
    found = balance(np.array([[1.0, 0.0], [1.0, 1.0]]), np.array([3.0, 1.0]), np.array([2.0, 2.0]))
    assert not found.is_balanced
    assert codes(found.findings) == {"W671"}
    assert "NOT balanced" in repr(found)
    with pytest.raises(UsageError, match="one sum"):
        balance(np.ones((2, 2)), np.ones(3), np.ones(2))
    with pytest.raises(UsageError, match="finite"):
        balance(np.array([[np.nan]]), np.ones(1), np.ones(1))


# --- regions -------------------------------------------------------------------------------------


@given(SEEDS, st.sampled_from(METHODS))
@settings(max_examples=12)
def test_the_interregional_table_is_the_twin(seed, method):
    rng = np.random.default_rng(seed)
    z, y, v = closed_nation(rng, n=3, users=1)
    e = rng.uniform(1, 5, (3, 3))
    found = regionalise(nation_of(z, y), people(e), method=method, delta=0.25)
    if (found.split.pooled > 0).any():  # the twin does not pool
        assert "W675" in codes(found.findings)
        return
    flows, final = naive.interregional(z.tolist(), y.tolist(), v.tolist(), e.tolist(), method, 0.25)
    ours = found.flows()
    for ((s, i), (r, j)), value in flows.items():
        assert ours[s, i, r, j] == pytest.approx(value, abs=1e-8)
    for ((s, i), (r, f)), value in final.items():
        assert found.split.final[s * 3 + i, r + f] == pytest.approx(value, abs=1e-8)


@given(SEEDS, st.sampled_from(METHODS))
@settings(max_examples=20)
def test_regions_add_up_to_the_nation_exactly(seed, method):
    rng = np.random.default_rng(seed)
    n, n_regions = 4, int(rng.integers(1, 5))
    z, y, _ = closed_nation(rng, n=n)
    y[0, 1] = -0.3  # inventories fall
    e = rng.lognormal(0, 1, (n_regions, n)) * (rng.random((n_regions, n)) < 0.8)
    e[0] += 0.01
    net = nation_of(z, y, extensions={"jobs": rng.uniform(1, 2, n)})
    found = regionalise(net, people(e), method=method, delta=float(rng.uniform(0, 0.5)))
    r = len(found.regions)  # regions with nobody are left out
    flows = found.flows()
    assert np.abs(flows.sum(axis=(0, 2)) - z).max() <= 1e-12 * z.max()
    final = found.split.final.reshape(r, n, r, 2)
    assert np.abs(final.sum(axis=(0, 2)) - y).max() <= 1e-11
    made = e[e.sum(axis=1) > 0] / e.sum(axis=0)
    assert found.split.output.reshape(r, n) == pytest.approx(made * net.output, rel=1e-12)
    # what each region's industry sells is its output, what it buys of each product the nation's mix
    sold = flows.sum(axis=(2, 3)) + final.sum(axis=(2, 3))
    assert sold.ravel() == pytest.approx(found.split.output, abs=1e-9)
    assert np.abs(flows.sum(axis=0) - (z[:, None, :] * made)).max() <= 1e-12 * z.max()
    assert (flows >= 0).all()
    economy = found.economy
    assert economy.output.sum() == pytest.approx(net.output.sum(), rel=1e-12)
    assert economy.value_added.sum() == pytest.approx(net.value_added.sum(), rel=1e-12)
    jobs = economy.tables["extensions"].filter(pl.col("name") == "jobs")["value"].sum()
    assert jobs == pytest.approx(net.tables["extensions"]["value"].sum())
    # N208: industries that are not there
    assert codes(economy.findings) - {"N208"} <= codes(net.findings)


def test_a_nation_among_others_leaves_them_as_they_were():
    # Two countries with three sectors each that buy from one another; NAT is split, one of its
    # regions is called as the other country is.
    rng = np.random.default_rng(12)
    z, y = rng.uniform(0, 1, (6, 6)), rng.uniform(2, 3, (6, 2))
    net = economy(z, y, regions=["NAT"] * 3 + ["FAR"] * 3, sectors=["i0", "i1", "i2"] * 2,
                  users=["NAT", "FAR"], home="NAT", blocs={"NAT": "EU"})  # fmt: skip
    e = people(rng.lognormal(0, 1, (3, 3)), regions=["N", "FAR", "S"])
    found = regionalise(net, e)
    flows, final = found.economy.flow_table.flows, found.economy.flow_table.final
    fold = np.zeros((6, 12))
    fold[np.tile([0, 1, 2], 3), np.arange(9)] = 1.0
    fold[[3, 4, 5], [9, 10, 11]] = 1.0
    users = np.array([[1.0, 0], [1, 0], [1, 0], [0, 1]])
    assert fold @ flows @ fold.T == pytest.approx(z, rel=1e-12)
    assert fold @ final @ users == pytest.approx(y, rel=1e-12)
    assert fold @ found.economy.output == pytest.approx(net.output, rel=1e-12)
    sales = flows.sum(axis=1) + final.sum(axis=1)
    assert sales == pytest.approx(found.economy.output, rel=1e-9)
    assert found.economy.region_labels.tolist() == ["N", "NAT:FAR", "S", "FAR"]
    rows = found.economy.tables["regions"].select("region", "home", "bloc").rows()
    assert rows[1] == ("NAT:FAR", True, "EU;NAT")
    assert found.of("FAR").output[:3] == pytest.approx(found.split.output[3:6])


@pytest.mark.parametrize("method", METHODS)
def test_one_region_that_is_the_nation_has_its_coefficients(method):
    rng = np.random.default_rng(3)
    z, y, _ = closed_nation(rng)
    net = nation_of(z, y)
    found = regionalise(net, people(rng.uniform(1, 5, (1, 4))), method=method)
    frame = found.coefficients("R0")
    assert frame["regional"].to_list() == pytest.approx(frame["national"].to_list(), rel=1e-12)
    assert frame["balanced"].to_list() == pytest.approx(frame["national"].to_list(), rel=1e-12)
    assert np.array(found.economy.flow_table.flows) == pytest.approx(z, rel=1e-12)


def test_labels_and_scale_change_nothing_but_themselves():
    rng = np.random.default_rng(4)
    z, y, _ = closed_nation(rng)
    e = rng.lognormal(0, 1, (3, 4))
    one = regionalise(nation_of(z, y), people(e))
    scaled = regionalise(nation_of(100 * z, 100 * y), people(7 * e))
    assert scaled.flows() == pytest.approx(100 * one.flows(), rel=1e-8)
    order, turn = [2, 0, 3, 1], [1, 2, 0]
    other = regionalise(
        nation_of(z[np.ix_(order, order)], y[order]),
        people(e[np.ix_(turn, order)], industries=[f"i{k}" for k in range(4)]),
    )
    expected = one.flows()[np.ix_(turn, order, turn, order)]
    assert other.flows() == pytest.approx(expected, rel=1e-8)


def test_every_region_has_the_output_multipliers_of_the_nation():
    # Each region buys the nation's mix of products, wherever they come from.
    rng = np.random.default_rng(5)
    z, y, _ = closed_nation(rng)
    net = nation_of(z, y)
    found = regionalise(net, people(rng.lognormal(0, 1, (3, 4))))
    leontief = np.linalg.inv(np.eye(4) - z / net.output)
    regional = measures.multipliers(found.economy).to_frame()
    column = next(c for c in regional.columns if "output" in c and "multiplier" in c)
    assert regional[column].to_list() == pytest.approx([*leontief.sum(axis=0)] * 3, rel=1e-9)


def test_what_the_whole_has_more_is_a_region_of_its_own():
    e = np.array([[30.0, 40.0, 10.0]])
    whole = pl.DataFrame({"industry": ["i0", "i1", "i2"], "value": [40.0, 60.0, 100.0]})
    rng = np.random.default_rng(6)
    z, y, _ = closed_nation(rng, n=3)
    net = nation_of(z, y)
    found = regionalise(net, people(e, regions=["N"]), whole=whole)
    both = people([[30.0, 40.0, 10.0], [10.0, 20.0, 90.0]], regions=["N", "REST"])
    stated = regionalise(net, both)
    assert found.regions == ("N", "REST")
    assert found.flows() == pytest.approx(stated.flows(), rel=1e-12)
    row = found.coefficients("N").row(1, named=True)
    assert row["quotient"] == pytest.approx(1.125 * np.log2(1.4) ** 0.3)
    assert row["regional"] == pytest.approx(row["national"] * row["quotient"])
    with pytest.raises(DataError, match="the whole 40") as error:
        regionalise(net, people([[50.0, 40, 10]], regions=["N"]), whole=whole)
    assert codes(error.value.findings) == {"E673"}


def test_one_region_alone_sells_to_and_buys_from_elsewhere():
    rng = np.random.default_rng(7)
    z, y, _ = closed_nation(rng)
    found = regionalise(nation_of(z, y), people(rng.lognormal(0, 1, (3, 4))))
    alone = found.of("R1")
    assert alone.output[:4] == pytest.approx(found.split.output[4:8])
    rows = found.to_frame().filter(pl.col("region") == "R1")
    exports = alone.flow_table.final[:4, -1]
    assert exports == pytest.approx((rows["sold_regions"] + rows["sold_abroad"]).to_numpy())
    imports = alone.flow_table.flows[4:].sum()
    assert imports == pytest.approx((rows["bought_regions"] + rows["bought_abroad"]).sum())
    assert np.array(alone.flow_table.flows)[:4, :4] == pytest.approx(found.flows()[1, :, 1])
    why = found.why("R1", "i2")
    bought = rows.filter(pl.col("industry") == "i2").row(0, named=True)
    assert why["own"].sum() == pytest.approx(bought["bought_own"])
    assert why["value"].sum() == pytest.approx(bought["bought_own"] + bought["bought_regions"])
    assert repr(found).startswith("<Regionalisation: NAT in 3 regions and 4 industries by FLQ")
    assert found.trade()["value"].sum() == pytest.approx(z.sum() + y.sum())


def test_a_region_is_balanced_to_totals_that_are_known_of_it():
    rng = np.random.default_rng(8)
    z, y, _ = closed_nation(rng)
    found = regionalise(nation_of(z, y), people(rng.lognormal(0, 1, (2, 4))))
    start = found.split.own_before[0]
    known = start * rng.uniform(0.8, 1.2, start.shape)
    done = found.balanced("R0", known.sum(axis=1), known.sum(axis=0))
    assert done.values.sum(axis=1) == pytest.approx(known.sum(axis=1), rel=1e-9)
    assert done.values.sum(axis=0) == pytest.approx(known.sum(axis=0), rel=1e-9)
    assert done.row_labels == ("i0", "i1", "i2", "i3")


def test_nearness_draws_trade_and_demand_draws_final_sales():
    rng = np.random.default_rng(9)
    z, y, _ = closed_nation(rng)
    e = people(rng.uniform(1, 2, (3, 4)))
    net = nation_of(z, y)
    near = pl.DataFrame({"region": ["R0", "R1"], "other": ["R1", "R0"], "nearness": [9.0, 9.0]})
    even, drawn = regionalise(net, e).trade(), regionalise(net, e, nearness=near).trade()
    pair = (pl.col("seller") == "R0") & (pl.col("buyer") == "R1")
    assert drawn.filter(pair)["value"][0] > 1.5 * even.filter(pair)["value"][0]
    demand = pl.DataFrame({"region": ["R0", "R1", "R2"], "value": [2.0, 1.0, 1.0]})
    bought = regionalise(net, e, demand=demand).trade().group_by("buyer").agg(pl.col("final").sum())
    assert dict(bought.rows())["R0"] == pytest.approx(y.sum() / 2)


def test_supply_is_pooled_where_quotients_leave_no_table():
    # By SLQ both regions keep to themselves with i0 (SLQ 1), but all its users are in R1.
    z, y = np.array([[0.0, 8.0], [0.0, 0.0]]), np.array([[0.0], [20.0]])
    e = people([[50.0, 50.0], [50.0, 50.0]])
    out = people([[4.0, 2.0], [4.0, 18.0]])
    found = regionalise(nation_of(z, y), e, output=out, method="slq")
    assert "W675" in codes(found.findings)
    assert 0 < found.split.pooled[0] <= 0.05
    assert found.flows()[:, 0].sum(axis=(1, 2)).tolist() == pytest.approx([4.0, 4.0], rel=1e-9)


def test_regional_output_is_scaled_to_the_nation_and_says_so():
    rng = np.random.default_rng(10)
    z, y, _ = closed_nation(rng)
    net = nation_of(z, y)
    e = rng.uniform(1, 2, (2, 4))
    found = regionalise(net, people(e), output=people(3 * e))
    assert "W674" in codes(found.findings)
    assert found.split.output == pytest.approx(regionalise(net, people(e)).split.output)
    exact = people(e / e.sum(axis=0) * net.output)
    assert "W674" not in codes(regionalise(net, people(e), output=exact).findings)


def test_faults_say_what_to_do():
    rng = np.random.default_rng(11)
    z, y, _ = closed_nation(rng)
    net, e = nation_of(z, y), people(rng.uniform(1, 2, (2, 4)))
    for call, words in (
        (lambda: regionalise(net, e, method="fql"), "Did you mean 'flq'"),
        (lambda: regionalise(net, e, delta=-1.0), "usual are .25"),
        (lambda: regionalise(net, e, nation="NATT"), "Did you mean NAT"),
        (lambda: regionalise(measures_plant(), e), "network is one of links"),
        (lambda: regionalise(net, e).coefficients("R11"), "Did you mean R1"),
        (
            lambda: regionalise(net, e, demand=pl.DataFrame({"region": ["R0"], "value": [1.0]})),
            "R1",
        ),
        (
            lambda: regionalise(
                net,
                e,
                nearness=pl.DataFrame({"region": ["R0"], "other": ["R7"], "nearness": [1.0]}),
            ),
            "R7",
        ),
        (lambda: regionalise(net, e.with_columns(value=0.0)), "nothing to compare"),
    ):
        with pytest.raises(UsageError, match=words):
            call()
    with pytest.raises(DataError, match="names no industry") as error:
        regionalise(net, e.with_columns(industry=pl.lit("x")).unique("region"))
    assert codes(error.value.findings) == {"E104"}
    odd = pl.concat([e, people([[5.0], [5.0]], industries=["unknown"])])
    assert "W672" in codes(regionalise(net, odd).findings)
    silent = regionalise(net, e.filter(pl.col("industry") != "i1"))
    assert "W673" in codes(silent.findings)
    assert silent.slq[:, 1].tolist() == [1.0, 1.0]


def measures_plant():
    from withstand.examples import example

    return example("robot_maker")


def test_a_nation_from_frames_of_flows_or_coefficients():
    flows = pl.DataFrame({"supplier": ["steel"], "buyer": ["cars"], "value": [4.0]})
    final = pl.DataFrame({"supplier": ["cars", "cars"], "category": ["homes", "exports"],
                          "value": [7.0, 3.0]})  # fmt: skip
    net = national_economy(flows, final)
    totals = pl.DataFrame({"industry": ["steel", "cars"], "output": [4.0, 10.0]})
    per_unit = national_economy(flows.with_columns(value=0.4), final, totals, coefficients=True)
    assert np.array(per_unit.flow_table.flows).tolist() == [[0.0, 4.0], [0.0, 0.0]]
    assert per_unit.value_added.tolist() == net.value_added.tolist() == [4.0, 6.0]
    found = regionalise(net, people([[1.0, 1.0], [1.0, 3.0]], industries=["steel", "cars"]))
    sold = found.to_frame()["sold_abroad"]
    assert sold.sum() == pytest.approx(3.0)
    with pytest.raises(UsageError, match="need the output"):
        national_economy(flows, final, coefficients=True)
    with pytest.raises(DataError):
        national_economy(flows.with_columns(value=-4.0), final)


def test_germany_2014_in_twenty_regions_adds_up(data_dir):
    """WIOD's national table with its imports; the split of employment is drawn, not real."""
    frame = pl.read_parquet(data_dir / "wiod2016_niot" / "niot_2014.parquet")
    frame = frame.filter(pl.col("country") == "DEU")
    home, abroad = (frame.filter(pl.col("Origin") == o) for o in ("Domestic", "Imports"))
    codes_ = home["Code"].to_list()
    users = ["CONS_h", "CONS_np", "CONS_g", "GFCF", "INVEN", "EXP"]
    numbers = [f.select(codes_).to_numpy().astype(float) for f in (home, abroad)]
    used = [f.select(users).to_numpy().astype(float) for f in (home, abroad)]
    table = NationalTable(flows=np.maximum(numbers[0], 0), final=used[0],
                          imports=np.maximum(numbers[1], 0), final_imports=used[1],
                          output=home["GO"].to_numpy().astype(float))  # fmt: skip
    flows, final, output, value_added = as_economy(table)
    nodes = pl.DataFrame({"product": codes_ * 2, "region": ["DEU"] * 56 + ["ROW"] * 56,
                          "output": output, "value_added": value_added})  # fmt: skip
    columns = pl.DataFrame({"region": ["DEU"] * 5 + ["ROW"], "category": users})
    said = Settings(name="DEU", lens="economy", period="year", home="DEU")
    net = build_economy(flows, final, {"nodes": nodes}, columns, said)
    rng = np.random.default_rng(2014)
    e = (
        rng.lognormal(0, 1, (20, 1))
        * rng.lognormal(0, 0.8, (20, 56))
        * (rng.random((20, 56)) < 0.9)
    )
    found = regionalise(net, people(e, industries=codes_))
    assert "W671" not in codes(found.findings)
    z = table.flows
    assert np.abs(found.flows().sum(axis=(0, 2)) - z).max() <= 1e-9 * z.max()
    total = np.array(found.economy.flow_table.final).sum()
    assert total == pytest.approx(final.sum(), rel=1e-12)
    back = found.split.flows[1120:, :1120].reshape(56, 20, 56).sum(axis=1)
    assert np.abs(back - table.imports).max() <= 1e-9 * table.imports.max()
    gap = found.economy.flow_table.flows.sum(axis=1) + found.economy.flow_table.final.sum(axis=1)
    national_gap = flows.sum(axis=1) + final.sum(axis=1) - output
    assert np.abs((gap - found.economy.output)[:1120]).max() <= 1e-6 + np.abs(national_gap).max()
    # a region keeps less of its own the smaller it is
    own = (
        found.to_frame()
        .group_by("region")
        .agg(pl.col("bought_own", "bought_regions").sum(), pl.col("employment").sum())
    )
    share = own["bought_own"] / (own["bought_own"] + own["bought_regions"])
    assert np.corrcoef(share, own["employment"].log())[0, 1] > 0.6
