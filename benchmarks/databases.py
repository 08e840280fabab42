"""Read millions of links from PostgreSQL, in a fresh process: time and peak memory of ours.

    python benchmarks/databases.py                        100,000 nodes, 10,000,000 links
    python benchmarks/databases.py --nodes 1000 --each 10

Starts a server of its own on a free loopback port and stops it; the links are made in the server by
generate_series. The peak is that of our process alone: the server has its own. Beside it stands the
same network read from Parquet, and that both have the same fingerprint (worked out afterwards, in
another process, so that it is not in the peak).
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "tests"))
from postgres_server import PASSWORD, Server, binaries, running  # noqa: E402

__all__ = ["binaries", "main", "measured"]
_NODES = """create unlogged table nodes as
select 'N'||i as node, 'P'||i%100 as product, 'R'||i%40 as region
from generate_series(0, {nodes} - 1) i"""
_LINKS = """create unlogged table links as
select 'N'||((b::bigint*7919 + j::bigint*j*104729 + j*13) % {nodes}) as supplier, 'N'||b as buyer,
1.0::float8 + (b::bigint*{each} + j) % 97 as value
from generate_series(0, {nodes} - 1) b, generate_series(1, {each}) j"""
_SETTINGS = """name = "links"
lens = "firms"

[database]
url = "{url}"
password_env = "WITHSTAND_BENCH_PASSWORD"

[database.queries]
nodes = "select * from nodes"
links = "select * from links"
"""
_MEASURE = """
import resource, sys, time
from withstand.readers import read_folder
start, cpu = time.perf_counter(), time.process_time()
network = read_folder(sys.argv[1])
wall, cpu = time.perf_counter() - start, time.process_time() - cpu
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9
print(network.n_nodes, network.n_links, f"{wall:.2f} {cpu:.2f} {peak:.3f}")
"""
_COPY = """
import sys
from pathlib import Path
from withstand.readers import read_folder
network = read_folder(sys.argv[1])
target = Path(sys.argv[2])
target.mkdir()
(target / "withstand.toml").write_text('name = "links"\\nlens = "firms"\\n')
for name in ("nodes", "links"):
    network.tables[name].write_parquet(target / f"{name}.parquet", row_group_size=500_000)
print(network.fingerprint())
"""
_PRINT = """
import sys
from withstand.readers import read_folder
print(read_folder(sys.argv[1]).fingerprint())
"""


def _run(code: str, *arguments: Path) -> list[str]:
    environment = {
        **os.environ,
        "PYTHONPATH": str(HERE.parent / "src"),
        "WITHSTAND_BENCH_PASSWORD": PASSWORD,
    }
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return done.stdout.split()


def measured(server: Server, nodes: int, each: int) -> list[tuple[str, list[str]]]:
    """Return of each route: nodes, links, wall and processor seconds, peak GB."""
    server.run(
        "drop table if exists nodes, links",
        _NODES.format(nodes=nodes),
        _LINKS.format(nodes=nodes, each=each),
    )
    with tempfile.TemporaryDirectory() as place:
        source, copy = Path(place) / "database", Path(place) / "parquet"
        source.mkdir()
        (source / "withstand.toml").write_text(_SETTINGS.format(url=server.url()))
        found = [("PostgreSQL", _run(_MEASURE, source))]
        prints = _run(_COPY, source, copy)
        found.append(("Parquet", _run(_MEASURE, copy)))
        assert _run(_PRINT, copy) == prints
    return found


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Time and peak memory of reading PostgreSQL.")
    parser.add_argument("--nodes", type=int, default=100_000)
    parser.add_argument("--each", type=int, default=100, help="links of a node")
    args = parser.parse_args(argv)
    print(f"{'route':<12} {'nodes':>9} {'links':>11} {'wall s':>8} {'cpu s':>8} {'peak GB':>8}")
    with running("shared_buffers=512MB", "max_wal_size=4GB") as server:
        for route, (n, links, wall, cpu, peak) in measured(server, args.nodes, args.each):
            print(f"{route:<12} {int(n):>9,} {int(links):>11,} {wall:>8} {cpu:>8} {peak:>8}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
