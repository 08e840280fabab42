"""What a solve has learnt, kept in a folder, so that a solve that is killed goes on from there.

    manifest.json   which programme it is: a hash of the first stage and of every scenario
    learnt.npz      cuts, floors, and the first stages that were asked about with their costs

Cuts hold for the programme whatever the weight of risk and the gap, so that they are never wrong,
only few: a file from any moment before the kill is a good start. Each file is written beside its
place and renamed; a damaged one is left aside and said.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse

from withstand.errors import UsageError
from withstand.model.findings import Finding, Origin, make_finding, shorten
from withstand.programming.decomposition import CutStore
from withstand.programming.two_stage import Cut
from withstand.readers.atomic import write_atomic

if TYPE_CHECKING:
    from withstand.programming.two_stage import TwoStage

MANIFEST, LEARNT = "manifest.json", "learnt.npz"
FORMAT = 1
EVERY_SECONDS = 20.0
SHARE_OF_TIME = 0.05
"""Writing takes at most this share of the time."""


def digest_of(problem: TwoStage) -> str:
    """Return a hash of a programme: all that its cuts depend on, so not the probabilities."""
    digest = hashlib.blake2b(digest_size=16)

    def feed(*arrays: Any) -> None:
        for array in arrays:
            if array is None:
                digest.update(b"-")
            elif sparse.issparse(array):
                rows = sparse.csr_array(array).sorted_indices()
                digest.update(repr(rows.shape).encode())
                feed(rows.indptr.astype("<i8"), rows.indices.astype("<i8"), rows.data)
            else:
                digest.update(np.ascontiguousarray(array).tobytes() + b"|")

    f = problem.first
    feed(f.cost, f.lower, f.upper, f.integer, f.matrix, f.row_lower, f.row_upper)
    for s in problem.scenarios:
        digest.update(s.name.encode())
        feed(s.cost, s.lower, s.upper, s.matrix, s.row_lower, s.row_upper, s.on_rows, s.on_upper)
    return digest.hexdigest()


class KeptCuts:
    """The folder of one programme.

    Parameters
    ----------
    path : path
        New, empty, or of the same programme.
    problem : TwoStage

    Raises
    ------
    UsageError
        If the folder holds something else, or cannot be written.
    """

    def __init__(self, path: str | os.PathLike[str], problem: TwoStage) -> None:
        self.path = Path(path)
        self.findings: list[Finding] = []
        self._problem = problem
        self._written = -np.inf
        self._pause = EVERY_SECONDS
        key = {"format": FORMAT, "kind": "plan", "programme": digest_of(problem)}
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            found = sorted(p.name for p in self.path.iterdir() if not p.name.startswith("."))
        except OSError as error:
            raise self._refused(error) from error
        if MANIFEST in found:
            self._same(key)
        elif found:
            raise UsageError(
                f"{self.path} is not empty ({shorten(found[0])}) and keeps no plan; "
                "name a new folder."
            )
        else:
            self._write(MANIFEST, json.dumps(key, indent=2).encode())

    def _same(self, key: dict[str, Any]) -> None:
        file = self.path / MANIFEST
        try:
            found = json.loads(file.read_bytes())
        except (OSError, ValueError, RecursionError) as error:
            raise UsageError(f"{file} is damaged; name a new folder.") from error
        if found != key:
            raise UsageError(
                f"{self.path} keeps another plan (other options, scenarios, budget or network); "
                "name a new folder."
            )

    def load(self) -> CutStore:
        """Return what was learnt so far; a damaged file becomes a finding and is not used."""
        store = CutStore(told=self.tell)
        file = self.path / LEARNT
        try:
            with file.open("rb") as stream, np.load(stream, allow_pickle=False) as kept:
                arrays = {name: kept[name] for name in kept.files}
            self._fill(store, arrays)
        except FileNotFoundError:
            pass
        except Exception as error:  # zip, zlib, headers of arrays, sizes that do not fit
            what = f"what was kept cannot be read, so the solve begins anew: {shorten(error)}"
            self.findings.append(make_finding("W302", what, origin=Origin(file.name)))
            store = CutStore(told=self.tell)
        return store

    def _fill(self, store: CutStore, arrays: dict[str, Any]) -> None:
        n, k = self._problem.first.size, len(self._problem.scenarios)
        scenario, constant = arrays["scenario"], arrays["constant"]
        shape = (len(scenario), n)
        slopes = sparse.csr_array(
            (arrays["slope_data"], arrays["slope_indices"], arrays["slope_indptr"]), shape=shape
        ).toarray()
        points, costs, floors = arrays["points"], arrays["costs"], arrays["floors"]
        fits = points.shape == (len(costs), n) and costs.shape == (len(points), k)
        is_known = not len(scenario) or (scenario.min() >= 0 and scenario.max() < k)
        numbers = (slopes, constant, points, costs)
        if not (fits and is_known and floors.shape in ((0,), (k,))):
            raise ValueError("sizes that do not fit the programme")
        if not all(np.isfinite(x).all() for x in numbers):
            raise ValueError("numbers that are not finite")
        store.cuts = [
            Cut(scenario=int(s), constant=float(c), slope=slope, is_feasibility=bool(f))
            for s, c, slope, f in zip(
                scenario, constant, slopes, arrays["is_feasibility"], strict=True
            )
        ]
        store.points = list(zip(points, costs, strict=True))
        store.floors = floors if len(floors) else None

    def tell(self, store: CutStore) -> None:
        """Write what was learnt, if it is some time ago that it was written."""
        now = time.monotonic()
        if now - self._written >= self._pause:
            self.save(store)
            took = time.monotonic() - now
            self._pause = max(EVERY_SECONDS, took / SHARE_OF_TIME)

    def save(self, store: CutStore) -> None:
        """Write what was learnt, as one step."""
        n, k = self._problem.first.size, len(self._problem.scenarios)
        slopes = sparse.csr_array(np.array([c.slope for c in store.cuts]).reshape(-1, n))
        buffer = io.BytesIO()
        np.savez_compressed(
            buffer,
            scenario=np.array([c.scenario for c in store.cuts], dtype=np.int64),
            constant=np.array([c.constant for c in store.cuts], dtype=np.float64),
            is_feasibility=np.array([c.is_feasibility for c in store.cuts], dtype=bool),
            slope_data=slopes.data,
            slope_indices=slopes.indices,
            slope_indptr=slopes.indptr,
            points=np.array([p for p, _ in store.points]).reshape(-1, n),
            costs=np.array([c for _, c in store.points]).reshape(-1, k),
            floors=np.empty(0) if store.floors is None else store.floors,
        )
        self._write(LEARNT, buffer.getvalue())
        self._written = time.monotonic()

    def _write(self, name: str, data: bytes) -> None:
        try:
            write_atomic(self.path / name, data)
        except OSError as error:
            raise self._refused(error) from error

    def _refused(self, error: OSError) -> UsageError:
        reason = error.strerror or type(error).__name__
        return UsageError(
            f"{self.path} cannot be written: {shorten(reason)}. What was written before is whole: "
            "make room or name another folder, then solve again to go on."
        )
