"""The extensive form of a plan in linopy: run by `planning.py --linopy PYTHON`.

    PYTHON plan_linopy.py arrays.npz [--solve]

Prints a line of JSON: seconds and processor seconds to build the model and to hand it to HiGHS,
peak memory of the process (MB), versions, and the optimum if it was solved.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from importlib.metadata import version

import linopy
import numpy as np
import xarray as xr


def expression(model, rows, labels, values):
    """Return the sums of value x variable by row, as linopy holds them, and the rows' numbers.

    This is the quickest way in: terms of a row side by side, no labels to align.
    """
    order = np.argsort(rows, kind="stable")
    rows, labels, values = rows[order], labels[order], values[order]
    names, first, count = np.unique(rows, return_index=True, return_counts=True)
    place = np.repeat(np.arange(len(names)), count)
    term = np.arange(len(rows)) - np.repeat(first, count)
    shape = (len(names), int(count.max(initial=1)))
    coefficients, variables = np.zeros(shape), np.full(shape, -1)
    coefficients[place, term], variables[place, term] = values, labels
    both = {
        "coeffs": (("row", "_term"), coefficients),
        "vars": (("row", "_term"), variables),
        "const": (("row",), np.zeros(len(names))),
    }
    data = xr.Dataset(both, coords={"row": np.arange(len(names))})
    return linopy.LinearExpression(data, model), names


def limited(model, entries, low, high, name):
    """Add low <= sums of the entries (rows, labels, values) <= high, by kinds of rows."""
    rows, labels, values = entries
    for kind, mask, sign, right in (
        ("eq", low == high, "=", low),
        ("le", (low != high) & np.isfinite(high), "<=", high),
        ("ge", (low != high) & np.isfinite(low), ">=", low),
    ):
        chosen = mask[rows]
        if chosen.any():
            left, names = expression(model, rows[chosen], labels[chosen], values[chosen])
            limit = xr.DataArray(right[names], dims="row", coords={"row": np.arange(len(names))})
            model.add_constraints(left, sign, limit, name=f"{name}_{kind}")


def build(data):
    """Return the model."""
    model = linopy.Model()
    n = len(data["cost"])
    whole = data["integer"].astype(bool)
    z = np.empty(n, dtype=np.int64)
    costs = []
    for kind in (True, False):
        at = np.flatnonzero(whole == kind)
        if len(at):
            variable = model.add_variables(
                lower=xr.DataArray(data["lower"][at], coords={"z": at}),
                upper=xr.DataArray(data["upper"][at], coords={"z": at}),
                coords={"z": at},
                name=f"z_{kind}",
                integer=kind,
            )
            z[at] = variable.labels.values
            costs.append((xr.DataArray(data["cost"][at], coords={"z": at}) * variable).sum())
    own = (data["first_rows"], z[data["first_columns"]], data["first_values"])
    limited(model, own, data["first_low"], data["first_high"], "first")
    for s in range(int(data["n_scenarios"])):
        k = data[f"cost_{s}"]
        moved = np.unique(data[f"upper_rows_{s}"])
        upper = data[f"high_{s}"].copy()
        upper[moved] = np.inf
        at = np.arange(len(k))
        y = model.add_variables(
            lower=xr.DataArray(data[f"bottom_{s}"], dims="y"),
            upper=xr.DataArray(upper, dims="y"),
            coords={"y": at},
            name=f"y_{s}",
        )
        label = y.labels.values
        costs.append((xr.DataArray(k * data["probability"][s], coords={"y": at}) * y).sum())
        entries = (
            np.concatenate([data["rows"], data[f"on_rows_rows_{s}"]]),
            np.concatenate([label[data["columns"]], z[data[f"on_rows_columns_{s}"]]]),
            np.concatenate([data["values"], -data[f"on_rows_values_{s}"]]),
        )
        limited(model, entries, data[f"row_low_{s}"], data[f"row_high_{s}"], f"rows_{s}")
        caps = (
            np.concatenate([moved, data[f"upper_rows_{s}"]]),
            np.concatenate([label[moved], z[data[f"upper_columns_{s}"]]]),
            np.concatenate([np.ones(len(moved)), -data[f"upper_values_{s}"]]),
        )
        limited(model, caps, np.full(len(k), -np.inf), data[f"high_{s}"], f"limit_{s}")
    model.add_objective(linopy.merge(costs, cls=linopy.LinearExpression))
    return model


def main() -> None:
    data = dict(np.load(sys.argv[1]))
    start, cpu = time.perf_counter(), time.process_time()
    model = build(data)
    built, built_cpu = time.perf_counter() - start, time.process_time() - cpu
    start, cpu = time.perf_counter(), time.process_time()
    solver = linopy.io.to_highspy(model)
    handed, handed_cpu = time.perf_counter() - start, time.process_time() - cpu
    answer = {
        "build_s": built,
        "build_cpu_s": built_cpu,
        "hand_over_s": handed,
        "hand_over_cpu_s": handed_cpu,
        "columns": solver.getNumCol(),
        "rows": solver.getNumRow(),
        "memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "linopy": linopy.__version__,
        "highspy": version("highspy"),
    }
    if "--solve" in sys.argv:
        solver.setOptionValue("output_flag", False)
        solver.setOptionValue("mip_rel_gap", 1e-9)
        solver.run()
        answer["objective"] = solver.getInfo().objective_function_value
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
