"""Regional tables and clusters at a tenth of the size."""

import sys
from pathlib import Path

import numpy as np

sys.path.append(str(Path(__file__).parent))  # benchmarks are no package
from regions import employment, grouped_links, nation

from withstand import measures
from withstand.measures.leiden import adjusted_rand


def test_regionalise(benchmark):
    found = benchmark(measures.regionalise, nation(20), employment(6, 20))
    assert np.abs(found.flows().sum(axis=(0, 2)) - found.nation.flows).max() < 1e-12


def test_clusters(benchmark):
    frame, group = grouped_links(4_000, 60_000)
    found = benchmark(measures.clusters, frame, runs=2)
    theirs = group[np.array(found.labels).astype(int)]
    assert adjusted_rand(found.membership, theirs) > 0.95
