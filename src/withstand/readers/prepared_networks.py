"""Open a prepared network: its links stay on disk and are mapped into memory."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from withstand.errors import UsageError
from withstand.model.findings import Origin, make_finding
from withstand.model.link_arrays import LinkArrays
from withstand.readers.prepared_links import FORMAT, MANIFEST, skeleton_of

if TYPE_CHECKING:
    from withstand.model.network import ProductionNetwork

Array = np.ndarray


def open_prepared(path: str | os.PathLike[str]) -> ProductionNetwork:
    """Open what `prepare_links` wrote; its links stay on disk, mapped into memory.

    Arrays per link and per input are files: the system loads what is read and lets go of it when
    memory is short. Those per node are in memory. There is no table of links (their values follow
    from shares and outputs, to the last digits), and the network cannot be changed.

    Raises
    ------
    UsageError
        If the folder was not written by `prepare_links`.
    """
    folder = Path(path)
    told = _manifest(folder)
    nodes = pl.read_parquet(folder / "nodes.parquet")
    has_classes = (folder / "essential.parquet").exists()
    classes = pl.read_parquet(folder / "essential.parquet") if has_classes else None
    skeleton = skeleton_of(nodes, classes, told["settings"])
    n_links, n_inputs = int(told["n_links"]), int(told["n_inputs"])
    sales, bought = _map(folder, "sales", float), _map(folder, "bought", float)
    supplier_indptr, inputs_indptr = _map(folder, "supplier_indptr"), _map(folder, "inputs_indptr")
    buyer, supplier = _map(folder, "input_buyer"), _map(folder, "supplier")
    if len(buyer) != n_inputs or len(supplier) != n_links or len(sales) != skeleton.n_nodes:
        raise UsageError(f"{folder} is damaged: prepare it again in a new folder.")
    output = np.maximum(sales, bought)
    is_value = (np.diff(inputs_indptr) > 0) | (np.diff(supplier_indptr) > 0)
    is_stated = np.zeros(skeleton.n_products, dtype=bool)
    is_stated[skeleton.node_product[np.diff(supplier_indptr) > 0]] = True
    finding = make_finding(
        "N201",
        f"output of {int(is_value.sum()):,} nodes is the larger of sales and purchases, final "
        "demand what is not sold to others",
        origin=Origin("nodes"),
        column="output",
        count=int(is_value.sum()),
    )
    network = replace(
        skeleton,
        output=output,
        capacity=output.copy(),
        final_demand=np.maximum(output - sales, 0.0),
        price=np.where(np.isnan(skeleton.price) & is_value, 1.0, skeleton.price),
        inputs_indptr=np.array(inputs_indptr),
        input_buyer=buyer,
        input_product=_map(folder, "input_product"),
        input_coefficient=_map(folder, "coefficient", float),
        input_class=_map(folder, "class"),
        input_use=_map(folder, "use"),
        input_stock=_map(folder, "stock", float),
        input_target=_map(folder, "stock", float),
        input_lag=_map(folder, "stock", float),
        links=LinkArrays(
            indptr=_map(folder, "links_indptr"),
            supplier=supplier,
            share=_map(folder, "share", float),
            lead_time=_map(folder, "lead_time", float),
            row=_map(folder, "row"),
            supplier_indptr=supplier_indptr,
            supplier_link=_map(folder, "supplier_link"),
        ),
        is_stated=is_stated,
        findings=(*skeleton.findings, finding),
        build=_refuse,
    )
    network.__dict__["_fingerprint"] = told["fingerprint"]
    return network


def _manifest(folder: Path) -> dict[str, Any]:
    try:
        told = json.loads((folder / MANIFEST).read_bytes())
    except (OSError, ValueError) as error:
        raise UsageError(
            f"{folder} holds no prepared network; make one with prepare_links."
        ) from error
    if not isinstance(told, dict) or told.get("format") != FORMAT:
        raise UsageError(f"{folder} was prepared by another version: prepare it again.")
    return told


def _map(folder: Path, name: str, dtype: type = np.int64) -> Array:
    """Return an array of the folder, mapped into memory, read-only."""
    file = folder / f"{name}.raw"
    if not file.exists():
        raise UsageError(f"{folder} is damaged ({file.name} is missing): prepare it again.")
    if file.stat().st_size == 0:
        return np.empty(0, dtype)
    return np.memmap(file, dtype, "r")


def _refuse(*_: Any) -> ProductionNetwork:
    """Say why a prepared network cannot be built again."""
    raise UsageError(
        "A prepared network cannot be changed: its table of links is not in memory. Change the "
        "tables and prepare them again."
    )
