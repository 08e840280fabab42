"""What is kept of a simulation: arrays in memory, or a folder of Parquet files, block by block.

A folder holds

    manifest.json          what is played: network, scenario, rules, periods, what is kept
    nodes-000000.parquet   period, node and what is kept of nodes, for the first block of periods
    inputs-000000.parquet  period, buyer, input, stock
    totals.parquet         one row a period, written last: with it the run is complete

Files are written beside their place and renamed, so that a cut leaves whole files only.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from withstand.errors import UsageError
from withstand.model.findings import nearest, shorten
from withstand.stress.chains import FALL
from withstand.stress.run_folders import synced

if TYPE_CHECKING:
    from withstand.kernels.dynamics_memory import SimulationRecord
    from withstand.model.network import ProductionNetwork

Array = np.ndarray
OF_NODES = ("output", "unmet", "limited_by", "finished", "alpha")
OF_INPUTS = ("stock",)
RECORDABLE = (*OF_NODES, *OF_INPUTS)
BLOCK = 2**28
"""Bytes that a block of periods may take before it is written, or thinned out."""
MANIFEST, TOTALS = "manifest.json", "totals.parquet"


def recorded_names(record: Sequence[str] | None, default: Sequence[str]) -> tuple[str, ...]:
    """Return what is kept, in the order of RECORDABLE.

    Raises
    ------
    UsageError
        If there is no such thing to keep.
    """
    if record is None:
        return tuple(default)
    names = (record,) if isinstance(record, str) else tuple(record)
    for name in names:
        if name not in RECORDABLE:
            near = nearest(str(name), RECORDABLE)
            raise UsageError(
                f"record names '{str(name)[:40]}'; choose among {', '.join(RECORDABLE)}."
                + (f" Did you mean {near}?" if near else "")
            )
    return tuple(name for name in RECORDABLE if name in names)


def recorded_nodes(network: ProductionNetwork, labels: Sequence[str] | None) -> Array | None:
    """Return the indices of the nodes kept, ascending; None for all.

    Raises
    ------
    UsageError
        If a label is no node.
    """
    if labels is None:
        return None
    index = network.index("nodes")
    names = (labels,) if isinstance(labels, str) else tuple(labels)
    for label in names:
        if label not in index:
            near = nearest(str(label), list(index))
            raise UsageError(
                f"nodes names '{str(label)[:60]}', which is no node."
                + (f" Did you mean {near}?" if near else "")
            )
    return np.unique(np.array([index[label] for label in names], dtype=np.int64))


def inputs_of(network: ProductionNetwork, nodes: Array | None) -> Array | None:
    """Return the indices of the inputs of some nodes; None for all."""
    if nodes is None:
        return None
    return np.flatnonzero(np.isin(network.input_buyer, nodes))


@dataclass(kw_only=True, eq=False)
class Totals:
    """Sums over all nodes, period by period; kept whatever else is.

    Parameters
    ----------
    lost, asked : ndarray of float64, shape (n_periods,)
        Unmet final demand and final demand, weighted (by value where prices are known).
    loss : ndarray of float64, shape (n_periods,), currency
    unmet : ndarray of float64, shape (n_periods,), units
    mean_output : ndarray of float64, shape (n_periods,), share of rest
    worst : ndarray of int64, shape (n_periods,)
        What limited the node that misses most; -3 where none misses any.
    is_short, is_moved : ndarray of bool, shape (n_periods,)
        Whether some node misses final demand; whether anything at all differs from rest.
    residual : ndarray of float64, shape (n_periods,)
        Largest violation of conservation, as a share of the input's flow; NaN: not checked.
    """

    lost: Array
    asked: Array
    loss: Array
    unmet: Array
    mean_output: Array
    worst: Array
    is_short: Array
    is_moved: Array
    residual: Array

    @classmethod
    def of_block(
        cls,
        network: ProductionNetwork,
        weight: Array,
        demand: Array,
        record: SimulationRecord,
        residual: Array,
    ) -> Totals:
        """Sum up a block of which output, unmet demand and limits of all nodes are recorded."""
        rest, final = network.output, np.maximum(network.final_demand, 0.0)
        active = rest > 0
        with np.errstate(invalid="ignore", divide="ignore"):
            relative = record.output[:, active] / rest[active]
        n_periods = len(record.output)
        short = record.unmet > FALL * demand
        is_short = short.any(axis=1)
        worst = np.full(n_periods, -3)
        for t in np.flatnonzero(is_short):
            node = int(np.where(short[t], record.unmet[t] * weight, -1.0).argmax())
            worst[t] = record.limited_by[t, node]
        moved = (np.abs(record.output - rest) > FALL * rest).any(axis=1)
        return cls(
            lost=record.unmet @ weight,
            asked=demand @ weight,
            loss=record.unmet @ np.nan_to_num(network.unmet_value),
            unmet=record.unmet.sum(axis=1),
            mean_output=relative.mean(axis=1) if active.any() else np.ones(n_periods),
            worst=worst,
            is_short=np.asarray(is_short),
            is_moved=moved | (record.unmet > FALL * final).any(axis=1),
            residual=residual,
        )

    @classmethod
    def together(cls, blocks: Sequence[Totals]) -> Totals:
        """Return the totals of blocks, one after the other."""
        return cls(
            **{
                name: np.concatenate([getattr(block, name) for block in blocks])
                for name in cls.__dataclass_fields__
            }
        )


class Folder:
    """A folder that a run is written to.

    Parameters
    ----------
    path : path
        New, empty, or of the same run.
    key : mapping
        What makes the run this run; plain values.

    Raises
    ------
    UsageError
        If it holds something else, or cannot be written.
    """

    def __init__(self, path: str | os.PathLike[str], key: Mapping[str, Any]) -> None:
        self.path = Path(path)
        plain = json.loads(json.dumps(dict(key)))
        known = self._known()
        if known is None:
            text = json.dumps(plain, indent=2, ensure_ascii=False).encode()
            self._replace(MANIFEST, lambda file: file.write_bytes(text))
            return
        other = [name for name in plain if known.get(name) != plain[name]]
        if other:
            raise UsageError(
                f"{self.path} holds another run (different: {', '.join(other)}); name a new folder."
            )

    def _known(self) -> dict[str, Any] | None:
        """Return the manifest of a run that is here; None if the folder is new or empty."""
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            found = sorted(p.name for p in self.path.iterdir() if p.suffix != ".writing")
            known = json.loads((self.path / MANIFEST).read_bytes()) if MANIFEST in found else {}
        except (OSError, ValueError) as error:
            raise UsageError(f"{self.path} cannot be used: {shorten(error)}.") from error
        if found and not (known and isinstance(known, dict)):
            raise UsageError(
                f"{self.path} is not empty ({shorten(found[0])}) and holds no run; "
                "name a new folder."
            )
        return known or None

    def clear(self) -> None:
        """Remove the parts of a run that was cut off."""
        for table in ("nodes", "inputs"):
            for part in self.path.glob(f"{table}-*.parquet"):
                part.unlink()

    def read_totals(self) -> Totals | None:
        """Return the totals of a run that is complete."""
        file = self.path / TOTALS
        if not file.exists():
            return None
        frame = pl.read_parquet(file)
        return Totals(**{name: frame[name].to_numpy() for name in frame.columns})

    def write_totals(self, totals: Totals) -> None:
        """Write the totals: the run is complete."""
        frame = pl.DataFrame({k: getattr(totals, k) for k in Totals.__dataclass_fields__})
        self._replace(TOTALS, frame.write_parquet)

    def write(
        self,
        network: ProductionNetwork,
        number: int,
        start: int,
        block: SimulationRecord,
        keep: Sequence[str],
        nodes: Array | None,
    ) -> None:
        """Write what is kept of a block of periods."""
        n_periods = len(block.output)
        periods = np.arange(start, start + n_periods)
        which = np.arange(network.n_nodes) if nodes is None else nodes
        of_nodes = [name for name in OF_NODES if name in keep]
        if of_nodes:
            frame = pl.DataFrame(
                {
                    "period": np.repeat(periods, len(which)),
                    "node": pl.Series(network.node_labels)[np.tile(which, n_periods)],
                    **{name: getattr(block, name)[:, which].ravel() for name in of_nodes},
                }
            )
            self._replace(f"nodes-{number:06d}.parquet", frame.write_parquet)
        if "stock" in keep:
            inputs = inputs_of(network, nodes)
            inputs = np.arange(network.n_inputs) if inputs is None else inputs
            buyer, product = network.input_buyer[inputs], network.input_product[inputs]
            frame = pl.DataFrame(
                {
                    "period": np.repeat(periods, len(inputs)),
                    "buyer": pl.Series(network.node_labels)[np.tile(buyer, n_periods)],
                    "input": pl.Series(network.product_labels)[np.tile(product, n_periods)],
                    "stock": block.stock[:, inputs].ravel(),
                }
            )
            self._replace(f"inputs-{number:06d}.parquet", frame.write_parquet)

    def _replace(self, name: str, save: Any) -> None:
        building = self.path / f".{name}.writing"
        try:
            save(building)
            synced(building)
            building.replace(self.path / name)
        except OSError as error:
            building.unlink(missing_ok=True)
            reason = error.strerror or type(error).__name__
            raise UsageError(
                f"{self.path} cannot be written: {shorten(reason)}. What was written before is "
                "whole; make room or name another folder."
            ) from error
