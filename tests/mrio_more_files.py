"""Files of a small world table in the layouts of FIGARO and EXIOBASE 3.

Where the layouts were read: FIGARO from public readers of the files (MARIO's tests of its FIGARO
parser for the flat files of both kinds: columns, their names by kind, rows of W2; a Stata script
and an R function for the matrix of the 23rd edition, `rowLabels` first, FIGW1; row and column codes
of the 26th). EXIOBASE from the folder that pymrio 0.7 writes, which made the published archives
(3.8.2: three rows of headers with the row of names, one column of labels in satellite/F.txt).
"""

from __future__ import annotations

import csv
import json
import zipfile
from pathlib import Path

import numpy as np

from mrio_files import World

FIGARO_CATEGORIES = ["P3_S13", "P3_S14", "P3_S15", "P51G", "P5M"]
FIGARO_COSTS = ["D21X31", "OP_RES", "OP_NRES", "D1", "D29X39", "B2A3G"]
EXIOBASE_CATEGORIES = [
    "Final consumption expenditure by households",
    "Final consumption expenditure by non-profit organisations serving households (NPISH)",
    "Final consumption expenditure by government",
    "Gross fixed capital formation",
    "Changes in inventories",
    "Changes in valuables",
    "Exports: Total (fob)",
]
PARTS = {"D1": 0.6, "D29X39": 0.1, "B2A3G": 0.3}
"""How value added at basic prices is cut up in the rows of W2."""


def costs(w: World, code: str) -> np.ndarray:
    if code == "D21X31":
        return w.taxes
    return w.va * PARTS.get(code, 0.0)


def write_figaro_matrix(w: World, file: Path, prefix: str = "") -> None:
    cells = [f"{r}_{prefix}{s}" for r, s in w.cells]
    final = [f"{r}_{c}" for r, c in w.final]
    of_region = len(w.sectors)
    order: list[tuple[str, np.ndarray]] = []
    for k in range(len(w.regions)):  # all industries first, then all final demand
        order += [(cells[j], w.Z[:, j]) for j in range(k * of_region, (k + 1) * of_region)]
    order += [(name, w.Y[:, j]) for j, name in enumerate(final)]
    rows = [["rowLabels", *[name for name, _ in order]]]
    for i, cell in enumerate(cells):
        rows.append([cell, *[repr(float(column[i])) for _, column in order]])
    for code in FIGARO_COSTS:
        of_final = [repr(2.0 if code == "D21X31" else 0.0)] * len(final)
        rows.append([f"W2_{code}", *[repr(float(x)) for x in costs(w, code)], *of_final])
    with file.open("w", newline="") as stream:
        csv.writer(stream, lineterminator="\n").writerows(rows)


def write_figaro_flat(w: World, file: Path, prefix: str = "", *, is_zipped: bool = False) -> None:
    kind = ("iciop", "Pp") if prefix else ("icioi", "Ii")
    rows = [[f"{kind[0]}Row", f"{kind[0]}Col", "refArea", f"row{kind[1]}", "counterpartArea",
             f"col{kind[1]}", "obsValue"]]  # fmt: skip
    sides = [(r, f"{prefix}{s}") for r, s in w.cells]
    columns = [*zip(sides, w.Z.T, strict=True), *zip(w.final, w.Y.T, strict=True)]
    for (buyer, code), values in columns:
        for (seller, product), value in zip(sides, values, strict=True):
            rows.append([f"{seller}_{product}", f"{buyer}_{code}", seller, product, buyer, code,
                         repr(float(value))])  # fmt: skip
    for cost in FIGARO_COSTS:
        for (buyer, code), value in zip(sides, costs(w, cost), strict=True):
            rows.append([f"W2_{cost}", f"{buyer}_{code}", "W2", cost, buyer, code,
                         repr(float(value))])  # fmt: skip
        for buyer, code in w.final:
            rows.append([f"W2_{cost}", f"{buyer}_{code}", "W2", cost, buyer, code, "0"])
    text = "\n".join(",".join(row) for row in rows) + "\n"
    if is_zipped:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(f"{file.stem}.csv", text)
    else:
        file.write_text(text)


def _table(
    names: list[str], head: list[str], rows: list[tuple[str, ...]],
    columns: list[tuple[str, ...]], values: np.ndarray,
) -> str:  # fmt: skip
    pad = [""] * (len(names) - 1)
    lines = [[head[k], *pad, *[c[k] for c in columns]] for k in range(len(head))]
    lines = [*lines, [*names, *[""] * len(columns)]] if len(head) > 1 else [[*names, *head]]
    lines += [[*row, *[repr(float(v)) for v in values[i]]] for i, row in enumerate(rows)]
    return "\n".join("\t".join(line) for line in lines) + "\n"


def exiobase_texts(w: World, satellite: dict[str, np.ndarray]) -> dict[str, str]:
    """The files of IOT_2019_ixi by their names."""
    two = ["region", "sector"]
    units = "\n".join(["region\tsector\tunit", *["\t".join([*c, "M.EUR"]) for c in w.cells]])
    stressors = "\n".join(["\tunit", *[f"{name}\t1000 p." for name in satellite]])
    inputs = np.divide(w.Z, w.x, out=np.zeros_like(w.Z), where=w.x > 0)
    return {
        "A.txt": _table(two, two, w.cells, w.cells, inputs),
        "Z.txt": _table(two, two, w.cells, w.cells, w.Z),
        "Y.txt": _table(two, ["region", "category"], w.cells, w.final, w.Y),
        "x.txt": _table(two, ["indout"], w.cells, [("indout",)], w.x[:, None]),
        "unit.txt": units + "\n",
        "metadata.json": json.dumps({"name": "EXIO3", "system": "ixi", "version": "3.8.2"}),
        "file_parameters.json": json.dumps({"files": {}, "systemtype": "IOSystem"}),
        "satellite/F.txt": _table(
            ["stressor"], two, [(name,) for name in satellite], w.cells,
            np.array(list(satellite.values())),
        ),
        "satellite/unit.txt": stressors + "\n",
    }  # fmt: skip


def write_exiobase(texts: dict[str, str], place: Path, *, is_zipped: bool = False) -> Path:
    """Write a folder IOT_2019_ixi, or the archive that holds such a folder."""
    if is_zipped:
        file = place / "IOT_2019_ixi.zip"
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, text in texts.items():
                archive.writestr(f"IOT_2019_ixi/{name}", text)
        return file
    folder = place / "IOT_2019_ixi"
    for name, text in texts.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return folder
