"""Whether the arrays of a pipeline can be played at all: shapes, chances, places."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from withstand.errors import UsageError

if TYPE_CHECKING:
    from withstand.people.pipelines import Pipeline

Array = np.ndarray
ROUNDING = 1e-9
"""By so much may chances add up to more than 1."""
MOST_SHOWN = 10


def check_arrays(pipeline: Pipeline) -> None:
    """Refuse a pipeline that cannot be played.

    Raises
    ------
    UsageError
        With up to ten faults: the array, where, what was found and what was expected.
    """
    faults = _shapes(pipeline)
    if not faults:
        faults = _numbers(pipeline) + _places(pipeline)
    if not faults:
        faults = _sums(pipeline)
    if faults:
        more = [f"... and {len(faults) - MOST_SHOWN} more"] if len(faults) > MOST_SHOWN else []
        raise UsageError("\n".join(faults[:MOST_SHOWN] + more))


def _shapes(pipeline: Pipeline) -> list[str]:
    """Compare the shapes with those of the docstring."""
    c, p, t = pipeline.n_cells, pipeline.n_programmes, pipeline.steps
    if t < 1 or pipeline.steps_per_year < 1 or t % pipeline.steps_per_year:
        return [
            f"Pipeline: steps is {t} and steps_per_year {pipeline.steps_per_year}; both must be at "
            "least 1, and steps a multiple of steps_per_year."
        ]
    moves, places = len(pipeline.move_to), len(pipeline.place_cell)
    expected: dict[str, tuple[int, ...]] = {
        **dict.fromkeys(("stock", "elsewhere", "leave", "drift", "comeback"), (c,)),
        **dict.fromkeys(("move_to", "move_share", "move_kind"), (moves,)),
        **dict.fromkeys(("length", "completion", "source"), (p,)),
        **dict.fromkeys(("place_cell", "place_share"), (places,)),
        "move_indptr": (c + 1,),
        "place_indptr": (p + 1,),
        "arrivals": (c, t),
        "intake": (p, t),
    }
    faults = [
        f"Pipeline: {name} has shape {np.shape(getattr(pipeline, name))}, expected {shape}."
        for name, shape in expected.items()
        if np.shape(getattr(pipeline, name)) != shape
    ]
    if np.ndim(pipeline.training) != 2 or len(pipeline.training) != p:
        faults.append(
            f"Pipeline: training has shape {np.shape(pipeline.training)}, expected ({p}, slots)."
        )
    faults += [
        f"Pipeline: {name} has {frame.height} rows, expected {rows}."
        for name, frame, rows in (
            ("cells", pipeline.cells, c),
            ("programmes", pipeline.programmes, p),
        )
        if frame.height != rows
    ]
    return faults


def _numbers(pipeline: Pipeline) -> list[str]:
    """Find numbers of people below 0 and chances outside 0 to 1."""
    faults = []
    for name in ("stock", "elsewhere", "arrivals", "intake", "training"):
        faults += _outside(name, getattr(pipeline, name), np.inf, "people, not negative")
    for name in ("leave", "drift", "comeback", "move_share", "completion", "place_share"):
        faults += _outside(name, getattr(pipeline, name), 1.0, "a chance from 0 to 1")
    return faults


def _outside(name: str, values: Array, most: float, expected: str) -> list[str]:
    is_wrong = ~((values >= 0.0) & (values <= most) & np.isfinite(values))
    return [
        f"Pipeline: {name}{[int(k) for k in place]} is {values[tuple(place)]}, expected {expected}."
        for place in np.argwhere(is_wrong)
    ]


def _places(pipeline: Pipeline) -> list[str]:
    """Find places that are not there."""
    c = pipeline.n_cells
    faults = []
    for name, low, high in (
        ("move_to", 0, c - 1),
        ("place_cell", 0, c - 1),
        ("source", -1, c - 1),
        ("move_kind", 0, 2),
        ("length", 1, pipeline.steps + max(pipeline.training.shape[1], 10_000)),
    ):
        values = getattr(pipeline, name)
        faults += [
            f"Pipeline: {name}[{int(k)}] is {values[k]}, expected a whole number from {low} to "
            f"{high}."
            for k in np.flatnonzero(~((values >= low) & (values <= high)))
        ]
    for name, least, n in (
        ("move_indptr", 0, len(pipeline.move_to)),
        ("place_indptr", 1, len(pipeline.place_cell)),
    ):
        indptr = getattr(pipeline, name)
        if indptr[0] != 0 or indptr[-1] != n or np.any(np.diff(indptr) < least):
            faults.append(
                f"Pipeline: {name} must rise from 0 to {n}, by at least {least} a row"
                + (" (every programme names a cell)." if least else ".")
            )
    return faults


def _sums(pipeline: Pipeline) -> list[str]:
    """Find cells and programmes whose chances add up to more than 1."""
    c, p = pipeline.n_cells, pipeline.n_programmes
    moving = np.repeat(np.arange(c), np.diff(pipeline.move_indptr))
    placing = np.repeat(np.arange(p), np.diff(pipeline.place_indptr))
    moved = np.bincount(moving, pipeline.move_share, c)
    sums = (
        ("cell", "leave + drift + moves", pipeline.leave + pipeline.drift + moved),
        ("cell", "leave + comeback", pipeline.leave + pipeline.comeback),
        ("programme", "place_share", np.bincount(placing, pipeline.place_share, p)),
    )
    return [
        f"Pipeline: {what} of {kind} {int(k)} is {total[k]:.6g}, expected at most 1."
        for kind, what, total in sums
        for k in np.flatnonzero(total > 1.0 + ROUNDING)
    ]
