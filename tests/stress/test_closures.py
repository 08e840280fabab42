"""Closures of an economy: by hand, against slow twins, and in the order that is proven."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

import withstand as ws
from naive_economy import Economy
from real_economies import wiod
from tiny_economies import economy, from_twin
from withstand.errors import ScenarioError, UsageError
from withstand.model.network import ProductionNetwork
from withstand.programming.leontief import leontief_of
from withstand.stress.bounded_closures import closure_bounds
from withstand.stress.closures import closure

# Miller and Blair (2009), section 2.3: two sectors.
MILLER_BLAIR = {"flows": [[150, 500], [200, 100]], "final": [[350], [1700]]}


def _two_sectors() -> ProductionNetwork:
    return economy(**MILLER_BLAIR, regions=["R", "R"], sectors=["agriculture", "industry"])


def _random(seed: int, regions: int = 3, sectors: int = 3) -> ProductionNetwork:
    """Return an economy in which every cell adds value and final demand is positive."""
    rng = np.random.default_rng(seed)
    n = regions * sectors
    A = rng.uniform(0.0, 1.0, (n, n)) * (rng.random((n, n)) < 0.6)
    A *= rng.uniform(0.2, 0.8, n) / np.maximum(A.sum(axis=0), 1e-9)
    Y = rng.uniform(0.5, 5.0, (n, regions))
    x = np.linalg.solve(np.eye(n) - A, Y.sum(axis=1))
    names = [f"R{r}" for r in range(regions)]
    return economy(
        A * x,
        Y,
        regions=[r for r in names for _ in range(sectors)],
        sectors=[f"s{s}" for _ in names for s in range(sectors)],
        users=names,
    )


def _dense(net: ProductionNetwork) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """A, L, x = L y and y of an economy, by inversion."""
    A = net.flow_table.flows / net.output
    L = np.linalg.inv(np.eye(net.n_nodes) - A)
    y = net.flow_table.final.sum(axis=1)
    return A, L, L @ y, y


# demand


def test_less_final_demand_takes_the_output_that_miller_and_blair_compute() -> None:
    # Their change of final demand is +250 and -200 (350 -> 600, 1700 -> 1500): our losses, one by
    # one, add up to its negative, x 1000 -> 1247.52 and 2000 -> 1841.58.
    net = _two_sectors()
    gained = closure(net, product="agriculture", share=1.0).output_loss * (250 / 350)
    lost = closure(net, product="industry", share=200 / 1700).output_loss
    np.testing.assert_allclose(net.output + gained - lost, [1247.52, 1841.58], atol=5e-3)


def test_demand_of_some_users_counts_only_theirs() -> None:
    net = _random(3)
    _, L, _, _ = _dense(net)
    sold = np.where(net.node_product == 1, net.flow_table.final[:, 2], 0.0)
    found = closure(net, product="s1", to="R2", share=0.4)
    np.testing.assert_allclose(found.output_loss, 0.4 * L @ sold, rtol=1e-10)


# capacity: the mixed model


def test_mixed_model_of_miller_and_blair_by_hand() -> None:
    # Output of agriculture is given as 900 (10 % less) and final demand of industry stays 1700:
    # x2 = (0.2 * 900 + 1700) / (1 - 0.05) = 1978.947, y1 = 0.85 * 900 - 0.25 x2 = 270.263.
    found = closure(_two_sectors(), product="agriculture", share="10%", kind="capacity")
    np.testing.assert_allclose(found.after, [900, 1880 / 0.95], rtol=1e-12)
    np.testing.assert_allclose(350 - found.final_loss, [0.85 * 900 - 470 / 0.95, 350], rtol=1e-12)
    assert not found.findings


@given(st.integers(0, 10_000), st.floats(0.01, 1.0), st.integers(0, 2))
@settings(max_examples=40)
def test_mixed_model_equals_the_solution_of_its_blocks(
    seed: int, share: float, region: int
) -> None:
    net = _random(seed)
    A, _, x, y = _dense(net)
    h = net.node_region == region
    o = ~h
    given = (1 - share) * x[h]
    others = np.linalg.solve(np.eye(o.sum()) - A[np.ix_(o, o)], A[np.ix_(o, h)] @ given + y[o])
    left = given - A[np.ix_(h, h)] @ given - A[np.ix_(h, o)] @ others
    found = closure(net, region=f"R{region}", share=share, kind="capacity")
    np.testing.assert_allclose(found.after[h], given, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(found.after[o], others, rtol=1e-9)
    np.testing.assert_allclose(y[h] - found.final_loss[h], left, rtol=1e-9, atol=1e-8)
    short = (left < -1e-6).any()
    assert bool(found.findings) == short or np.abs(left).min() < 1e-6


def test_capacity_that_others_need_more_of_than_is_left_is_said() -> None:
    net = economy([[0, 9], [0, 0]], [[1], [20]], regions=["DE", "FR"], sectors=["steel", "cars"])
    found = closure(net, product="steel", share=0.5, kind="capacity")
    (finding,) = found.findings
    assert finding.code == "W305"
    assert "steel@DE would have to deliver 4 more" in finding.what


# trade ban


@pytest.mark.parametrize("seed", range(5))
def test_a_whole_ban_is_the_extraction_of_that_trade(seed: int) -> None:
    net = _random(seed)
    ban = closure(net, region="R0", product="s1", to="R2", kind="trade_ban")
    same = ws.measures.extraction(net, region="R0", product="s1", to="R2")
    np.testing.assert_allclose(ban.output_loss, same.output_loss, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(ban.value_added_loss, same.value_added_loss, rtol=1e-9, atol=1e-12)


@given(st.integers(0, 10_000), st.floats(0.05, 0.95))
@settings(max_examples=30)
def test_part_of_a_ban_equals_the_inverse_without_that_part(seed: int, share: float) -> None:
    net = _random(seed)
    A, _, x, y = _dense(net)
    h, there = np.flatnonzero(net.node_region == 1), np.flatnonzero(net.node_region == 0)
    cut = A.copy()
    cut[np.ix_(h, there)] *= 1 - share
    left = y.copy()
    left[h] -= share * net.flow_table.final[h, 0]
    after = np.linalg.solve(np.eye(len(x)) - cut, left)
    found = closure(net, region="R1", to="R0", share=share, kind="trade_ban")
    np.testing.assert_allclose(found.after, after, rtol=1e-9)


def test_sales_at_home_are_no_exports() -> None:
    net = economy(
        [[0, 4], [0, 0]], [[6, 1], [20, 0]], regions=["DE", "DE"], sectors=["steel", "cars"],
        users=["DE", "FR"], blocs={"DE": "EU", "FR": "EU"},
    )  # fmt: skip
    found = closure(net, region="DE", product="steel", to="EU", kind="trade_ban")
    np.testing.assert_allclose(found.output_loss, [1, 0], atol=1e-12)


# bounds


def _full_programme(net: ProductionNetwork, cap: np.ndarray, direct: np.ndarray) -> float:
    """The planner's programme as it is written down: over x and f, with no state left out."""
    A, _, _, y = _dense(net)
    n = len(y)
    balance = np.hstack([A - np.eye(n), np.eye(n)])
    bounds = [*((0, c) for c in cap), *((0, b) for b in y - direct)]
    cost = np.concatenate([np.zeros(n), -np.ones(n)])
    found = linprog(cost, A_ub=balance, b_ub=np.zeros(n), bounds=bounds, method="highs")
    return float(y.sum() + found.fun)


@given(st.integers(0, 10_000), st.floats(0.01, 1.0), st.integers(0, 2))
@settings(max_examples=30)
def test_planned_loss_is_that_of_the_whole_programme(seed: int, share: float, region: int) -> None:
    net = _random(seed)
    _, _, x, _ = _dense(net)
    cap = np.where(net.node_region == region, (1 - share) * x, x)
    found = closure_bounds(net, region=f"R{region}", share=share)["planned"]
    slow = _full_programme(net, cap, np.zeros(len(x)))
    assert found.total_final_loss == pytest.approx(slow, rel=1e-6, abs=1e-6)
    assert (found.after <= cap * (1 + 1e-7) + 1e-7).all()


@given(st.integers(0, 10_000), st.floats(0.01, 1.0))
@settings(max_examples=30)
def test_planned_loss_of_a_ban_is_that_of_the_whole_programme(seed: int, share: float) -> None:
    net = _random(seed)
    A, _, x, _ = _dense(net)
    h = (net.node_region == 0) & (net.node_product == 2)
    stops = (net.node_region == 1) & (A[h].sum(axis=0) > 0)
    direct = np.where(h, share * net.flow_table.final[:, 1], 0.0)
    found = closure_bounds(net, region="R0", product="s2", to="R1", share=share)["planned"]
    slow = _full_programme(net, np.where(stops, (1 - share) * x, x), direct)
    assert found.total_final_loss == pytest.approx(slow, rel=1e-6, abs=1e-6)


@given(st.integers(0, 10_000), st.floats(0.0, 1.0), st.booleans(), st.integers(0, 2))
@settings(max_examples=60)
def test_bounds_keep_their_order(seed: int, share: float, is_ban: bool, sector: int) -> None:
    net = _random(seed)
    bounds = closure_bounds(
        net, region="R0", product=f"s{sector}", share=share, to="R2" if is_ban else None
    )
    lost = {c.kind: c.total_final_loss for c in bounds.closures}
    slack = 1e-6 * net.final_demand.sum()
    assert lost["pooled"] <= lost["planned"] + slack
    assert lost["planned"] <= lost["rationed"] + slack
    if is_ban:
        assert lost["trade_ban"] <= lost["planned"] + slack
    else:
        assert lost["capacity"] <= lost["rationed"] + slack
        if not bounds["capacity"].findings:  # one cell: the planner does no better
            assert lost["planned"] == pytest.approx(lost["capacity"], rel=1e-5, abs=slack)
    assert not [f for f in bounds.findings if f.code == "W306"]
    assert bounds.least <= bounds.most


@pytest.mark.parametrize("seed", range(4))
def test_rationing_by_the_worst_supplier_is_a_fixed_point(seed: int) -> None:
    net = _random(seed)
    A, _, x, y = _dense(net)
    cap = np.where((net.node_region == 1) & (net.node_product == 0), 0.7, 1.0)
    rate = np.ones(len(x))
    for _ in range(50):  # what each cell can make of its orders at rest, by its worst supplier
        rate = np.array([min(cap[j], *rate[A[:, j] > 0], 1.0) for j in range(len(x))])
    found = closure_bounds(net, region="R1", product="s0", share=0.3)["rationed"]
    np.testing.assert_allclose(found.after, rate * x, rtol=1e-9)
    np.testing.assert_allclose(found.final_loss, (1 - rate) * y, rtol=1e-9, atol=1e-12)


def test_pooled_makers_replace_each_other_up_to_capacity() -> None:
    # 10 of steel in DE and in ES, all for cars; ES could make 12. Half of DE's steel is lost: 5
    # are missing, ES makes 2 of them, and cars need 0.5 of steel a unit: 6 of 40 cars go unmade.
    nodes = {"regions": ["DE", "ES", "FR"], "sectors": ["steel", "steel", "cars"]}
    plain = economy([[0, 0, 10], [0, 0, 10], [0, 0, 0]], [[0], [0], [40]], **nodes)
    spare = plain.tables["nodes"].with_columns(capacity=np.array([10.0, 12.0, 40.0]))
    bounds = closure_bounds(plain.with_changes({"nodes": spare}), node="steel@DE", share=0.5)
    assert bounds["pooled"].total_final_loss == pytest.approx(6.0, rel=1e-6)
    assert bounds["planned"].total_final_loss == pytest.approx(20.0, rel=1e-6)
    assert bounds["rationed"].total_final_loss == pytest.approx(20.0, rel=1e-6)


@pytest.mark.parametrize(("share", "lost"), [(1.0, 30.0), (0.5, 15.0), (0.0, 0.0)])
def test_pooled_makers_cannot_replace_what_nobody_else_makes(share: float, lost: float) -> None:
    # Only DE makes steel; 6 of it go into the 30 of cars of US, and 3 to its final users.
    net = economy(
        [[0, 4, 6], [0, 0, 0], [0, 0, 0]],
        [[1, 3], [20, 0], [0, 30]],
        regions=["DE", "DE", "US"],
        sectors=["steel", "cars", "cars"],
        users=["DE", "US"],
    )
    bounds = closure_bounds(net, product="steel", to="US", share=share)
    # a planner gives the steel let in to cars: 5 of output per unit of steel
    let_in = (1.0 - share) * 9.0
    unmade = max(0.0, 6.0 - let_in) * 5.0
    unserved = min(3.0, 9.0 - let_in)
    assert bounds["pooled"].total_final_loss == pytest.approx(unmade + unserved, abs=1e-5)
    assert bounds["planned"].total_final_loss == pytest.approx(lost + share * 3.0, abs=1e-5)


def test_order_that_negative_final_demand_breaks_is_said_or_kept() -> None:
    net = economy(
        [[0, 6, 1], [0, 0, 2], [1, 0, 0]],
        [[-2], [10], [5]],
        regions=["DE", "DE", "FR"],
        sectors=["steel", "cars", "food"],
    )
    bounds = closure_bounds(net, region="DE", share=0.2)
    lost = {c.kind: c.total_final_loss for c in bounds.closures}
    is_kept = lost["pooled"] <= lost["planned"] + 1e-6 <= lost["rationed"] + 2e-6
    is_kept &= bool(bounds["capacity"].findings) or lost["planned"] <= lost["capacity"] + 1e-6
    assert is_kept != any(f.code == "W306" for f in bounds.findings)


# what people read


@given(st.integers(0, 10_000), st.sampled_from(["demand", "capacity", "trade_ban"]))
@settings(max_examples=20)
def test_why_sums_to_the_loss_of_the_node(seed: int, kind: str) -> None:
    net = _random(seed)
    found = closure(
        net, region="R0", share=0.3, kind=kind, to="R1" if kind == "trade_ban" else None
    )
    for at in (0, 5):
        parts = found.why(str(net.node_labels[at]))["output_loss"].sum()
        assert parts == pytest.approx(found.output_loss[at], rel=1e-9, abs=1e-9)


@given(st.integers(0, 10_000), st.floats(1e-3, 1e3))
@settings(max_examples=20)
def test_order_of_cells_and_currency_change_nothing(seed: int, scale: float) -> None:
    rng = np.random.default_rng(seed)
    net = _random(seed)
    table = net.flow_table
    twin = Economy(
        table.flows, table.final, net.output,
        [str(net.region_labels[r]) for r in net.node_region],
        [str(net.product_labels[p]) for p in net.node_product],
        [str(net.region_labels[r]) for r in table.final_region],
        table.final_category.tolist(),
    )  # fmt: skip
    order = rng.permutation(net.n_nodes)
    other = from_twin(twin, order, scale)
    for kind in ("demand", "capacity"):
        one = closure(net, region="R1", share=0.3, kind=kind)
        two = closure(other, region="R1", share=0.3, kind=kind)
        np.testing.assert_allclose(two.output_loss, scale * one.output_loss[order], rtol=1e-8)


def test_result_says_what_is_lost_where_and_under_which_assumption() -> None:
    found = closure(_two_sectors(), product="agriculture", share=0.1)
    assert found.summary().startswith("agriculture loses 10% of its final demand: output falls by ")
    assert found.assumption in found.summary().lower()
    frame = found.to_frame()
    assert frame["output_loss"].sum() == pytest.approx(found.total_output_loss)
    assert found.by_region()["output_loss"].to_list() == [pytest.approx(found.total_output_loss)]
    bounds = closure_bounds(_two_sectors(), product="agriculture", share=0.1)
    assert "between" in bounds.summary()
    assert bounds.to_frame()["closure"].to_list() == ["pooled", "planned", "capacity", "rationed"]
    with pytest.raises(UsageError, match="find no buyer"):
        bounds["rationed"].why("industry@R")


def test_what_cannot_be_is_refused_with_advice() -> None:
    net = _random(1)
    with pytest.raises(UsageError, match="Did you mean capacity"):
        closure(net, region="R0", kind="capacty")
    with pytest.raises(UsageError, match="needs the buyers"):
        closure(net, region="R0", kind="trade_ban")
    with pytest.raises(UsageError, match="Use kind='trade_ban'"):
        closure(net, region="R0", kind="capacity", to="R1")
    with pytest.raises(UsageError, match="no region or bloc 'R9'"):
        closure(net, region="R0", kind="trade_ban", to="R9")
    with pytest.raises(ScenarioError, match="R7"):
        closure(net, region="R7")
    with pytest.raises(ScenarioError, match="share"):
        closure(net, region="R0", share=1.5)
    with pytest.raises(ScenarioError, match="target"):
        closure(net)


def test_nothing_lost_is_said() -> None:
    assert [f.code for f in closure(_two_sectors(), product="industry", share=0).findings] == [
        "W301"
    ]


def test_a_firm_network_takes_closures_too() -> None:
    net = ws.examples.tiny()
    node = str(net.node_labels[int(np.argmax(net.output))])
    found = closure(net, node=node, share=0.5, kind="capacity")
    A = leontief_of(net).coefficients().toarray()
    h = np.arange(net.n_nodes) == net.index("nodes")[node]
    loss = np.linalg.solve(np.eye(len(h)) - A * ~h[:, None], 0.5 * np.where(h, found.before, 0.0))
    np.testing.assert_allclose(found.output_loss, loss, rtol=1e-9)


@pytest.mark.slow
def test_closures_of_a_world_table(data_dir: Path) -> None:
    net = wiod(data_dir, 2011)
    _, L, x, _ = _dense_with_idle(net)
    h = np.flatnonzero(net.node_region == net.index("regions")["DEU"])
    found = closure(net, region="DEU", share=0.1, kind="capacity")
    extra = np.linalg.solve(L[np.ix_(h, h)], 0.1 * x[h])
    np.testing.assert_allclose(found.output_loss, L[:, h] @ extra, rtol=1e-6, atol=1e-4)
    bounds = closure_bounds(net, region="DEU", share=0.1)
    lost = [c.total_final_loss for c in bounds.closures]
    assert lost == sorted(lost)
    assert not bounds.findings


def _dense_with_idle(net: ProductionNetwork) -> tuple[np.ndarray, ...]:
    per = np.where(net.output > 0, 1 / np.where(net.output > 0, net.output, 1.0), 0.0)
    A = net.flow_table.flows * per
    L = np.linalg.inv(np.eye(net.n_nodes) - A)
    y = net.flow_table.final.sum(axis=1)
    return A, L, L @ y, y
