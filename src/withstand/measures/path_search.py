"""The largest structural paths: through which chains of suppliers a demand is met, best first."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from withstand.errors import UsageError
from withstand.measures.best_first import BestFirst
from withstand.measures.selections import final_value, select_regions, unknown_label
from withstand.model.encoding import encode, numbers
from withstand.model.provenance import Provenance, provenance_of
from withstand.programming.leontief import leontief_of

if TYPE_CHECKING:
    import pandas as pd

    from withstand.model.network import ProductionNetwork
    from withstand.programming.leontief import LeontiefSystem

Array = np.ndarray
Progress = Callable[[int, int, float], None]


@dataclass(frozen=True, kw_only=True, eq=False)
class StructuralPaths:
    """The largest paths by which a final demand draws on its suppliers, and what they leave out.

    Parameters
    ----------
    target : str
    extension : str or None
        What is counted at the end of a path: "value_added", the name of an extension, or None for
        output.
    total : float
        What the whole demand draws, through all paths.
    paths : tuple of tuple of int
        Nodes of each path, from the product demanded to the supplier at the end.
    values : ndarray of float64, shape (n_paths,), currency (or unit of the extension) per period
        What arises at the end of each path; largest by absolute value first.
    covered : float
        Share of the total that these paths hold.
    largest_left : float
        No path outside the list (with at most `max_depth` links) is larger than this, in absolute
        value.
    is_complete : bool
        The list holds the largest paths there are, as many as were asked for; False if the time
        ran out before.
    stopped_by : {"count", "share", "end", "time"}
        As many as asked for; the next one is below `min_share`; there are no more; time.
    provenance : Provenance
    """

    target: str
    extension: str | None
    total: float
    paths: tuple[tuple[int, ...], ...]
    values: Array
    covered: float
    largest_left: float
    is_complete: bool
    stopped_by: str
    provenance: Provenance
    _labels: Array = field(repr=False)
    _flows: tuple[tuple[float, ...], ...] = field(repr=False)

    def to_frame(self) -> pl.DataFrame:
        """Return one row for each path, largest first, written from the product to the supplier."""
        share = self._shares()
        return pl.DataFrame(
            {
                "path": [self._text(path) for path in self.paths],
                "depth": [len(path) - 1 for path in self.paths],
                "source": [str(self._labels[path[-1]]) for path in self.paths],
                "value": self.values,
                "share": share,
                "covered": np.cumsum(share),
            },
            schema_overrides={"path": pl.String, "depth": pl.Int64, "source": pl.String},
        )

    def to_pandas(self) -> pd.DataFrame:
        """Return the same as a pandas frame."""
        return self.to_frame().to_pandas()

    def tree(self) -> pl.DataFrame:
        """Return the paths as a tree: each supplier below its buyer, the larger branch first.

        `below` is the share of all listed paths that end in a node or further down its branch.
        Nodes that are only passed have no value of their own.
        """
        own = dict(zip(self.paths, self._shares().tolist(), strict=True))
        value = dict(zip(self.paths, self.values.tolist(), strict=True))
        below: dict[tuple[int, ...], float] = {}
        children: dict[tuple[int, ...], list[tuple[int, ...]]] = {}
        for path in self.paths:
            for end in range(1, len(path) + 1):
                part = path[:end]
                if part not in below:
                    children.setdefault(part[:-1], []).append(part)
                below[part] = below.get(part, 0.0) + own[path]
        rows: list[tuple[str, int, float | None, float | None, float]] = []
        waiting = sorted(children.get((), []), key=lambda p: below[p])
        while waiting:
            part = waiting.pop()
            text = "  " * (len(part) - 1) + str(self._labels[part[-1]])
            rows.append((text, len(part) - 1, value.get(part), own.get(part), below[part]))
            waiting += sorted(children.get(part, []), key=lambda p: below[p])
        schema = {
            "path": pl.String,
            "depth": pl.Int64,
            "value": pl.Float64,
            "share": pl.Float64,
            "below": pl.Float64,
        }
        return pl.DataFrame(rows, schema=schema, orient="row")

    def why(self, rank: int = 1) -> pl.DataFrame:
        """Return the steps of one path (1: the largest) with what flows at each."""
        if not 1 <= rank <= len(self.paths):
            raise UsageError(f"There is no path {rank}; there are {len(self.paths)}, from 1.")
        path = self.paths[rank - 1]
        return pl.DataFrame(
            {
                "step": np.arange(len(path)),
                "node": self._labels[list(path)],
                "flow": self._flows[rank - 1],
            }
        )

    def summary(self) -> str:
        """Return one sentence."""
        what = "output" if self.extension is None else self.extension.replace("_", " ")
        if not self.paths:
            return f"No path carries any {what} for {self.target}."
        left = abs(self.largest_left / self.total) if self.total else 0.0
        proof = (
            "no other holds more than" if self.is_complete else "time ran out; others hold at most"
        )
        return (
            f"{len(self.paths)} paths hold {self.covered:.1%} of the {what} behind {self.target}; "
            f"{proof} {left:.3%}."
        )

    def __repr__(self) -> str:
        """Return what was found, not the paths."""
        return (
            f"StructuralPaths({self.target}, {len(self.paths)} paths, {self.covered:.1%} covered, "
            f"stopped by {self.stopped_by})"
        )

    def _shares(self) -> Array:
        return self.values / self.total if self.total else np.zeros(len(self.values))

    def _text(self, path: tuple[int, ...]) -> str:
        return " <- ".join(str(self._labels[node]) for node in path)


def structural_paths(
    network: ProductionNetwork,
    target: str,
    *,
    n: int = 20,
    extension: str | None = "value_added",
    max_depth: int | None = None,
    min_share: float = 0.0,
    time_limit: float | None = None,
    progress: Progress | None = None,
) -> StructuralPaths:
    """Find the chains of suppliers through which most of a final demand's value arises.

    A path j < i < ... < k starts at a product demanded and goes to ever earlier suppliers; its
    value is e_k A_k. ... A_ij y_j, and all paths together make e' (I - A)^-1 y. The search is best
    first. The best that any longer path can give from node i is
    m_i = max(e_i, largest of A_ki m_k over its suppliers k), found beforehand by going round until
    nothing changes; a branch is opened only when its flow times m is the largest left, so that
    paths come out in order and the first n are the n largest.

    Parameters
    ----------
    network : ProductionNetwork
        An economy, or a network of links whose nodes have prices.
    target : str
        A node ("c15@DEU": final demand for what it makes), a product (for all its nodes), or a
        region or bloc of an economy (all that its final users buy). In a network of links, a
        region stands for the final demand met by its nodes.
    n : int
        How many paths.
    extension : "value_added", str or None
        What is counted at the end of a path: value added (all that is not bought, net taxes
        included), an extension of the network by its name, or None for output.
    max_depth : int, optional
        Most links of a path; 1,000 if not given.
    min_share : float
        Leave out paths below this share of the total.
    time_limit : float, seconds, optional
        Stop after this time and say what can be said.
    progress : callable, optional
        Called as progress(found, n, covered) after every path.

    Returns
    -------
    StructuralPaths

    Raises
    ------
    UsageError
        If a label is unknown, the target has no final demand, or purchases around a cycle cost as
        much as the output.

    Notes
    -----
    Takes no factor and no matrix; the search keeps about n x n_paths numbers at most. Values below
    zero (a cut of stocks, a negative value added) count by their absolute size.

    References
    ----------
    Defourny and Thorbecke (1984), Economic Journal 94; Lenzen (2002), Ecological Economics 43, for
    trees pruned by a threshold. The bound and the exact order are ours.

    Examples
    --------
    >>> import withstand as ws
    >>> result = structural_paths(ws.examples.tiny(), "GEAR", n=2)
    >>> result.to_frame().select("path", "depth", "share").rows()[0][:2]
    ('GEAR@HOME', 0)
    """
    started = time.monotonic()
    _check_arguments(n, max_depth, min_share, time_limit)
    system = leontief_of(network)
    demand = _demand(network, target)
    ends = _ends(network, system, extension)
    total = float(ends @ system.solve_once(demand))
    search = BestFirst(system, demand, ends, max_depth, keep=n + 2)
    deadline = np.inf if time_limit is None else started + time_limit
    paths: list[tuple[int, ...]] = []
    flows: list[tuple[float, ...]] = []
    values: list[float] = []
    covered, stopped_by = 0.0, "count"
    for path, flow, value in search.paths(deadline):
        if abs(value) < min_share * abs(total):
            stopped_by = "share"
            break
        if len(paths) == n:
            break
        paths.append(path)
        flows.append(flow)
        values.append(value)
        covered += value / total if total else 0.0
        if progress is not None:
            progress(len(paths), n, covered)
    else:
        stopped_by = search.stopped_by
    parameters = {
        "target": target,
        "n": n,
        "extension": extension,
        "max_depth": max_depth,
        "min_share": min_share,
        "time_limit": time_limit,
    }
    return StructuralPaths(
        target=target,
        extension=extension,
        total=total,
        paths=tuple(paths),
        values=np.array(values),
        covered=covered,
        largest_left=search.largest_left,
        is_complete=stopped_by != "time",
        stopped_by=stopped_by,
        provenance=provenance_of("measures.structural_paths", network, parameters),
        _labels=network.node_labels,
        _flows=tuple(flows),
    )


def _check_arguments(
    n: int, max_depth: int | None, min_share: float, time_limit: float | None
) -> None:
    if n < 1:
        raise UsageError(f"n={n} paths are no paths; ask for one or more.")
    if max_depth is not None and max_depth < 0:
        raise UsageError(f"max_depth={max_depth} is negative; 0 looks at the demand itself only.")
    if not 0 <= min_share <= 1:
        raise UsageError(f"min_share={min_share} is not a share; give 0 to 1.")
    if time_limit is not None and not time_limit >= 0:
        raise UsageError(f"time_limit={time_limit} must be 0 or more seconds.")


def _demand(network: ProductionNetwork, target: str) -> Array:
    """Return the final demand that the target stands for, by node, in currency per period."""
    kinds = [k for k in ("nodes", "products", "regions") if target in network.index(k)]
    blocs = network.column("regions", "bloc").to_list()
    members = np.array([target in [b.strip() for b in (x or "").split(";")] for x in blocs])
    if members.any():
        kinds.append("blocs")
    if not kinds:
        valid = [*network.index("nodes"), *network.index("products"), *network.index("regions")]
        raise unknown_label("node, product or region", target, valid)
    if len(kinds) > 1:
        raise UsageError(
            f"'{target}' is a label in {' and in '.join(kinds)}; name a node, or rename one."
        )
    demand = final_value(network)
    if kinds[0] == "nodes":
        counts = np.arange(network.n_nodes) == network.index("nodes")[target]
    elif kinds[0] == "products":
        counts = network.node_product == network.index("products")[target]
    else:
        users = select_regions(network, target)
        table = network.flow_table
        if table is not None:
            demand = table.final[:, np.isin(table.final_region, users)].sum(axis=1)
            counts = np.ones(network.n_nodes, dtype=bool)
        else:
            counts = np.isin(network.node_region, users)
    demand = np.where(counts, demand, 0.0)
    if not demand.any():
        raise UsageError(
            f"'{target}' has no final demand with a price, so no path starts there. Choose a "
            "target that is sold to final users."
        )
    return demand


def _ends(network: ProductionNetwork, system: LeontiefSystem, extension: str | None) -> Array:
    """Return what arises per unit of each node's output."""
    if extension is None:
        return np.ones(network.n_nodes)
    if extension == "value_added":
        return system.value_shares
    frame = network.tables.get("extensions")
    names = [] if frame is None else frame["name"].unique(maintain_order=True).to_list()
    if frame is None or extension not in names:
        raise unknown_label("extension", extension, ["value_added", *names])
    mine = frame.filter(pl.col("name") == extension)
    node = encode(pl.Series(network.node_labels), mine["node"])
    amount = np.bincount(node, numbers(mine, "value", 0.0), network.n_nodes)
    return amount * system.per_output
