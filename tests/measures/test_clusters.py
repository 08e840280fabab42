"""Clusters: the best division where all can be tried, planted ones, and what clusters say."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

import naive_regions as naive
from tiny_economies import economy
from tiny_networks import link, need, network, node
from withstand import measures
from withstand.errors import DataError, UsageError
from withstand.examples import example
from withstand.kernels.communities import move_nodes, refine_communities
from withstand.measures import clusters, national_economy, regional_clusters
from withstand.measures.leiden import adjusted_rand, graph_of, leiden, modularity

SEEDS = st.integers(0, 10_000)
# Zachary (1977), An information flow model for conflict and fission in small groups: who of 34
# members of a karate club met whom outside it; the higher-numbered neighbours of 0, 1, 2 ...
KARATE = {
    0: (1, 2, 3, 4, 5, 6, 7, 8, 10, 11, 12, 13, 17, 19, 21, 31), 1: (2, 3, 7, 13, 17, 19, 21, 30),
    2: (3, 7, 8, 9, 13, 27, 28, 32), 3: (7, 12, 13), 4: (6, 10), 5: (6, 10, 16), 6: (16,),
    8: (30, 32, 33), 9: (33,), 13: (33,), 14: (32, 33), 15: (32, 33), 18: (32, 33), 19: (33,),
    20: (32, 33), 22: (32, 33), 23: (25, 27, 29, 32, 33), 24: (25, 27, 31), 25: (31,),
    26: (29, 33), 27: (33,), 28: (31, 33), 29: (32, 33), 30: (32, 33), 31: (32, 33), 32: (33,),
}  # fmt: skip


def links_of(a, labels=None):
    """Return a frame of links of a matrix."""
    a = np.asarray(a, dtype=float)
    labels = labels or [f"n{k}" for k in range(len(a))]
    i, j = np.nonzero(a)
    return pl.DataFrame({"supplier": [labels[k] for k in i], "buyer": [labels[k] for k in j],
                         "value": a[i, j]})  # fmt: skip


def random_links(rng, n, density=0.5):
    a = rng.uniform(0.1, 1.0, (n, n)) * (rng.random((n, n)) < density)
    np.fill_diagonal(a, 0.0)
    a[0, 1] = 0.5
    return a


def codes(findings):
    return {f.code for f in findings}


# --- the search ----------------------------------------------------------------------------------


def test_karate_club_has_its_best_modularity():
    """0.4198 with four groups: proved optimal by Brandes et al. (2008), On modularity clustering,
    IEEE Transactions on Knowledge and Data Engineering 20."""
    pairs = [(i, j) for i, others in KARATE.items() for j in others]
    assert len(pairs) == 78
    frame = pl.DataFrame(pairs, schema=["supplier", "buyer"], orient="row").cast(pl.String)
    found = clusters(frame, directed=False, runs=10)
    assert found.modularity == pytest.approx(0.4197896, abs=1e-7)
    assert found.n_clusters == 4
    assert found.stability > 0.95
    # one link each way: the directed modularity of a symmetric graph is the same
    both = pl.concat([frame, frame.select(supplier="buyer", buyer="supplier")])
    assert clusters(both).modularity == pytest.approx(0.4197896, abs=1e-7)


@pytest.mark.parametrize("resolution", [0.7, 1.0, 1.5])
@pytest.mark.parametrize("directed", [True, False])
def test_small_graphs_get_the_best_of_all_divisions(resolution, directed):
    rng = np.random.default_rng(int(10 * resolution))
    for _ in range(6):
        a = random_links(rng, int(rng.integers(2, 7)))
        known = a if directed else (a + a.T) / 2
        found = clusters(links_of(a), directed=directed, resolution=resolution, runs=8)
        best = naive.best_division(known.tolist(), resolution)
        assert found.modularity == pytest.approx(best, abs=1e-12)


@given(SEEDS)
@settings(max_examples=25)
def test_modularity_is_the_double_sum(seed):
    rng = np.random.default_rng(seed)
    a = random_links(rng, 6)
    community = rng.integers(0, 3, 6)
    resolution = float(rng.uniform(0.5, 2))
    ours = modularity(graph_of(sparse.csr_array(a)), community, resolution)
    assert ours == pytest.approx(naive.modularity(a.tolist(), community, resolution), abs=1e-12)


def prepared(rng, n):
    """Return a random graph and a random start as the kernels take them."""
    a = random_links(rng, n, 0.4)
    graph = graph_of(sparse.csr_array(a))
    csr = (graph.indptr, graph.indices, graph.weights, graph.sent, graph.taken)
    order = rng.permutation(n).astype(np.int64)
    start = rng.integers(0, n, n).astype(np.int64)
    return a, graph, csr, order, start


def sums(graph, start, n):
    sent, taken = np.bincount(start, graph.sent, n), np.bincount(start, graph.taken, n)
    return sent, taken, np.bincount(start, minlength=n).astype(np.int64)


@given(SEEDS)
@settings(max_examples=30)
def test_moving_nodes_is_the_twin_and_never_lowers_modularity(seed):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(2, 10))
    a, graph, csr, order, start = prepared(rng, n)
    community = start.copy()
    work = [np.zeros(n, dtype=np.int64) for _ in range(3)]
    move_nodes(
        *csr, 1.1, graph.total, order, community, *sums(graph, start, n), work[0],
        np.zeros(n, dtype=np.bool_), np.zeros(n), work[1], work[2],
    )  # fmt: skip
    twin = naive.move_nodes(
        (a + a.T).tolist(), a.sum(axis=1), a.sum(axis=0), 1.1, a.sum(), order, start
    )
    assert naive.same_division(community.tolist(), twin)
    before, after = modularity(graph, start, 1.1), modularity(graph, community, 1.1)
    assert after >= before - 1e-12


@given(SEEDS)
@settings(max_examples=30)
def test_refining_is_the_twin_and_stays_within_communities(seed):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(2, 10))
    a, graph, csr, order, start = prepared(rng, n)
    start = start % 3
    sent, taken, _ = sums(graph, start, n)
    parts, sizes = np.zeros(n, dtype=np.int64), np.zeros(n, dtype=np.int64)
    refine_communities(
        *csr, 0.9, graph.total, order, start, sent, taken, parts, np.zeros(n), np.zeros(n), sizes,
        np.zeros(n), np.zeros(n), np.zeros(n, dtype=np.int64),
    )  # fmt: skip
    twin = naive.refine_communities(
        (a + a.T).tolist(), a.sum(axis=1), a.sum(axis=0), 0.9, a.sum(), order, start
    )
    assert naive.same_division(parts.tolist(), twin)
    assert all(len(set(start[parts == p])) == 1 for p in set(parts.tolist()))


def planted(rng, groups=8, size=25, inside=0.4, outside=0.01):
    """Return a directed graph of groups and the group of each node, nodes shuffled."""
    of = rng.permutation(np.repeat(np.arange(groups), size))
    chance = np.where(of[:, None] == of[None, :], inside, outside)
    a = rng.uniform(0.5, 1.5, chance.shape) * (rng.random(chance.shape) < chance)
    np.fill_diagonal(a, 0.0)
    return a, of


def test_planted_groups_are_found_whatever_their_labels():
    rng = np.random.default_rng(5)
    a, of = planted(rng)
    names = [f"x{k}" for k in rng.permutation(len(a))]
    found = clusters(links_of(a, names).sample(fraction=1.0, shuffle=True, seed=5))
    of_label = dict(zip(names, of.tolist(), strict=True))
    theirs = np.array([of_label[x] for x in found.labels])
    assert adjusted_rand(found.membership, theirs) == 1.0
    graph = graph_of(sparse.csr_array(a))
    assert adjusted_rand(leiden(graph, 1.0, 0), of) == 1.0
    assert found.stability == pytest.approx(1.0)
    assert found.modularity == pytest.approx(modularity(graph, of), abs=1e-12)
    assert found.to_frame()["members"].to_list() == [25] * 8


def test_every_cluster_hangs_together_and_seeds_repeat():
    rng = np.random.default_rng(6)
    a, _ = planted(rng, groups=20, size=15, inside=0.15, outside=0.02)
    graph = graph_of(sparse.csr_array(a))
    found = leiden(graph, 1.0, 3)
    assert (leiden(graph, 1.0, 3) == found).all()
    for c in range(found.max() + 1):
        at = np.flatnonzero(found == c)
        pieces, _ = sparse.csgraph.connected_components(sparse.csr_array(a[np.ix_(at, at)]))
        assert pieces == 1


def test_a_network_without_groups_is_said_to_hang_on_the_seed():
    rng = np.random.default_rng(7)
    a, _ = planted(rng, groups=1, size=120, inside=0.05)
    found = clusters(links_of(a))
    assert found.stability < 0.5
    assert "W676" in codes(found.findings)
    assert found.modularity > 0.2  # chance alone makes groups


@given(SEEDS)
@settings(max_examples=20)
def test_adjusted_rand_counts_pairs(seed):
    rng = np.random.default_rng(seed)
    one, other = rng.integers(0, 3, 9), rng.integers(0, 4, 9)
    pairs = [(i, j) for i in range(9) for j in range(i)]
    same = [(one[i] == one[j], other[i] == other[j]) for i, j in pairs]
    a, b = sum(x for x, _ in same), sum(y for _, y in same)
    both, expected = sum(x and y for x, y in same), a * b / 36
    if (a + b) / 2 == expected:
        return
    assert adjusted_rand(one, other) == pytest.approx((both - expected) / ((a + b) / 2 - expected))


# --- what clusters say ---------------------------------------------------------------------------


def test_a_cluster_of_plants_by_hand():
    # N: mill 4 -> press 1; S: mine -> mill. The other pair stands apart, in two regions.
    net = network(
        [
            node("MINE", "ORE", "S", price=1.0), node("MILL", "STEEL", "N", price=2.0),
            node("PRESS", "PART", "N", price=10.0, final_demand=1.0),
            node("FARM", "SEED", "S", price=1.0),
            node("BAKER", "BREAD", "N", price=30.0, final_demand=1.0),
        ],
        [need("PART", "STEEL", 4.0), need("STEEL", "ORE", 0.5), need("BREAD", "SEED", 20.0)],
        [link("MILL", "PRESS", 1.0), link("MINE", "MILL", 1.0), link("FARM", "BAKER", 1.0)],
        home="N",
    )  # fmt: skip
    found = clusters(net)
    # outputs in value: ore 2, steel 8, part 10; seed 20, bread 30
    frame = found.to_frame()
    assert frame["size"].to_list() == [50.0, 20.0]
    assert frame["main"].to_list() == ["BAKER", "PRESS"]
    small = frame.row(1, named=True)
    assert small["internal"] == pytest.approx(10.0)  # 8 of steel, 2 of ore
    assert small["internal_share"] == pytest.approx(1.0)
    assert small["bought_outside"] == pytest.approx(0.0)
    assert small["gain"] == pytest.approx(0.8)  # the steel stays in N
    # N strikes 18 together, S 2; apart 2, 8 and 10
    assert small["risk"] == pytest.approx(np.sqrt((18**2 + 2**2) / (2**2 + 8**2 + 10**2)))
    assert small["at_stake"] == pytest.approx(18 / 70)
    assert small["main_region"] == "N"
    assert found.nodes_of(2, "N") == ["MILL", "PRESS"]
    assert found.why("MILL").select("partner", "bought", "sold").rows() == [
        ("PRESS", 0.0, 8.0), ("MINE", 2.0, 0.0),
    ]  # fmt: skip
    # m = 30: links inside 10/30 + 20/30, chance (10/30)^2 + (20/30)^2
    assert found.modularity == pytest.approx(1 - (1 / 9 + 4 / 9))


def test_shares_of_links_add_up():
    rng = np.random.default_rng(8)
    a, _ = planted(rng, groups=4, size=10, inside=0.5, outside=0.1)
    found = clusters(links_of(a))
    frame = found.to_frame()
    c = found.membership
    order = [int(x[1:]) for x in found.labels]
    a = a[np.ix_(order, order)]
    for row in frame.iter_rows(named=True):
        inside = c == row["cluster"]
        internal = a[np.ix_(inside, inside)].sum()
        assert row["internal"] == pytest.approx(internal)
        assert row["bought_outside"] == pytest.approx(1 - internal / a[:, inside].sum())
        assert row["sold_outside"] == pytest.approx(1 - internal / a[inside].sum())
        touch = a[inside].sum() + a[:, inside].sum() - internal
        assert row["internal_share"] == pytest.approx(internal / touch)
    assert frame["risk"].null_count() == 4  # a frame of links has no regions


def test_clusters_of_a_plant_of_firms_and_of_an_economy():
    plant = clusters(example("robot_maker"))
    assert plant.n_clusters > 1
    assert "N671" in codes(plant.findings)
    assert plant.members().filter(pl.col("cluster") == 0).height == 78
    products = clusters(example("robot_maker"), of="products")
    assert products.n_clusters > 1
    rng = np.random.default_rng(9)
    z = np.kron(np.eye(2), rng.uniform(1, 2, (3, 3))) + 0.05
    net = economy(
        z, rng.uniform(1, 2, 6), regions=["A"] * 3 + ["B"] * 3, sectors=["x", "y", "z"] * 2
    )
    found = clusters(net)
    assert sorted(found.nodes_of(1) + found.nodes_of(2)) == sorted(net.node_labels.tolist())
    assert {x[-1] for x in found.nodes_of(1)} in ({"A"}, {"B"})
    assert found.to_frame()["risk"].min() > 1.5  # three equal members that fall together: sqrt 3
    whole = clusters(net, weight="share")
    assert adjusted_rand(whole.membership, found.membership) == 1.0
    firms = clusters(measures_firms())
    assert firms.n_clusters == 2


def measures_firms():
    import withstand as ws

    nodes = pl.DataFrame({"node": ["a", "b", "c", "d"], "product": ["s1", "s2", "s1", "s2"]})
    links = pl.DataFrame({"supplier": ["a", "b", "c", "d", "a"], "buyer": ["b", "a", "d", "c", "c"],
                          "value": [9.0, 9.0, 9.0, 9.0, 1.0]})  # fmt: skip
    return ws.network_from_links(nodes, links)


def test_small_links_are_left_out_before_anything_is_added_up():
    a = np.array([[0, 90, 9], [50, 0, 0], [0.5, 0, 0]])
    found = clusters(links_of(a), least=0.2)
    # 9 is a tenth of what n0 sells, but all that n2 buys; 0.5 is all that n2 sells
    assert found.to_frame()["internal"].sum() == pytest.approx(149.5)
    b = np.array([[0, 90, 9, 0], [50, 0, 0, 0], [0, 0, 0, 40], [0, 0, 60, 0.0]])
    assert clusters(links_of(b), least=0.2).why("n0")["partner"].to_list() == ["n1"]
    net = economy(b, np.ones(4), regions=["A"] * 4, sectors=["n0", "n1", "n2", "n3"])
    assert clusters(net, least=0.2).why("n0@A")["partner"].to_list() == ["n1@A"]
    assert clusters(net).why("n0@A").height == 2


def test_wrong_calls_say_what_to_do():
    frame = links_of([[0, 1], [1, 0]])
    for call, words in (
        (lambda: clusters(frame, weight="values"), "Did you mean 'value'"),
        (lambda: clusters(frame, of="node"), "Did you mean 'nodes'"),
        (lambda: clusters(frame, resolution=0.0), "1 is usual"),
        (lambda: clusters(frame, least=1.0), "such as 0.001"),
        (lambda: clusters(frame, runs=0), "at least one run"),
        (lambda: clusters(links_of([[1.0]])), "No node has a link"),
        (lambda: clusters(frame).why("n11"), "Did you mean n1"),
        (lambda: clusters(frame).nodes_of(9), "from 1 to 1"),
    ):
        with pytest.raises(UsageError, match=words):
            call()
    with pytest.raises(DataError):
        clusters(frame.with_columns(value=-1.0))


def test_results_are_one_line_at_the_prompt():
    found = clusters(links_of([[0, 1], [1, 0]]))
    assert repr(found).startswith("<Clusters: 2 nodes in 1 cluster, modularity 0.000")
    assert found.to_pandas().shape[0] == 1
    assert "\n" not in repr(found)


# --- clusters in space ---------------------------------------------------------------------------


def table(values):
    e = np.asarray(values, dtype=float)
    rows = [(f"R{a}", f"i{b}", e[a, b]) for a in range(e.shape[0]) for b in range(e.shape[1])]
    return pl.DataFrame(rows, schema=["region", "industry", "value"], orient="row")


@given(SEEDS)
@settings(max_examples=15)
def test_regional_clusters_are_what_ties_hold_together(seed):
    rng = np.random.default_rng(seed)
    e = rng.lognormal(0, 1, (4, 6))
    z = rng.uniform(0, 1, (6, 6)) * (rng.random((6, 6)) < 0.4)
    net = economy(z, rng.uniform(3, 4, 6), regions=["NAT"] * 6, sectors=[f"i{k}" for k in range(6)])
    found = regional_clusters(table(e), net, relatedness=0.3, least_quotient=1.1)
    lq = (e / e.sum(axis=1, keepdims=True)) / (e.sum(axis=0) / e.sum())
    off = z.copy()
    np.fill_diagonal(off, 0.0)
    bought, sold = off.sum(axis=0), off.sum(axis=1)

    def tie(i, j):
        parts = [
            off[i, j] / bought[j] if bought[j] else 0,
            off[i, j] / sold[i] if sold[i] else 0,
            off[j, i] / bought[i] if bought[i] else 0,
            off[j, i] / sold[j] if sold[j] else 0,
        ]
        return max(parts)  # fmt: skip

    for r in range(4):
        left = {i for i in range(6) if lq[r, i] >= 1.1}
        groups = []
        while left:
            group, edge = set(), {left.pop()}
            while edge:
                i = edge.pop()
                group.add(i)
                new = {j for j in left if tie(i, j) >= 0.3}
                left -= new
                edge |= new
            groups += [group] if len(group) >= 2 else []
        ours = found.members().filter(pl.col("region") == f"R{r}")
        theirs = {frozenset(f"i{i}" for i in g) for g in groups}
        mine = {frozenset(part["industry"]) for _, part in ours.group_by("cluster")}
        assert mine == theirs
    for row in found.to_frame().iter_rows(named=True):
        part = found.members().filter(
            (pl.col("region") == row["region"]) & (pl.col("cluster") == row["cluster"])
        )
        x = part["value"].to_numpy()
        assert row["size"] == pytest.approx(x.sum())
        assert row["risk"] == pytest.approx(x.sum() / np.sqrt((x**2).sum()))
        assert 0 <= row["gain"] <= row["internal_share"] <= 1 + 1e-12
        assert row["gain"] <= 1 - row["outside_share"] + 1e-12


def test_without_an_economy_relatedness_is_standing_out_together():
    e = [[9, 9, 1, 1], [9, 9, 1, 1], [1, 1, 9, 9], [1, 1, 9, 9]]
    found = regional_clusters(table(e))
    assert found.basis == "proximity"
    assert found.members()["industry"].to_list() == ["i0", "i1"] * 2 + ["i2", "i3"] * 2
    assert found.to_frame()["gain"].null_count() == 4
    assert found.why("R0").rows() == [("i0", "i1", 1.0)]
    assert found.to_frame()["risk"].to_list() == pytest.approx([2**0.5] * 4)
    assert found.to_frame()["share_of_nation"].to_list() == pytest.approx([18 / 40] * 4)
    with pytest.raises(UsageError, match="no cluster in"):
        found.why("R9")
    assert repr(found).startswith("<RegionalClusters: 4 from quotients of 1.25")
    none = regional_clusters(table(np.ones((2, 2))))
    assert none.to_frame().height == 0
    assert "No region" in none.summary()


def test_faults_of_regional_clusters():
    e = table([[9, 1], [1, 9]])
    for call, words in (
        (lambda: regional_clusters(e, least_quotient=0), "1.25 is usual"),
        (lambda: regional_clusters(e, least_share=1.0), "least_share"),
        (lambda: regional_clusters(e, relatedness=0.0), "everything is tied"),
        (lambda: regional_clusters(e, least_members=0), "1 or more"),
        (lambda: regional_clusters(e, example("robot_maker")), "one of links"),
    ):
        with pytest.raises(UsageError, match=words):
            call()
    net = national_economy(
        pl.DataFrame({"supplier": ["p"], "buyer": ["q"], "value": [1.0]}),
        pl.DataFrame({"supplier": ["q"], "value": [3.0]}),
    )
    with pytest.raises(UsageError, match="none of the industries"):
        regional_clusters(e, net)


def test_american_states_have_the_clusters_one_expects(data_dir):
    """Occupations that stand out together over the states: oil in the south, fishing in Alaska."""
    states = pl.read_parquet(data_dir / "oews_2025" / "state_occupation.parquet")
    found = measures.regional_clusters(
        states.filter(pl.col("occupation_code") != "000000"),
        region="area_code", industry="occupation_code", value="emp", least_quotient=3.0,
        relatedness=0.5,
    )  # fmt: skip
    assert found.to_frame().height > 20
    oil = found.members().filter(pl.col("industry") == "475011")  # derrick operators
    assert oil.height > 0
    assert oil["lq"].min() >= 3.0
