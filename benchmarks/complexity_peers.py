"""Other programs on the same place x product matrix, in an environment of their own.

    PYTHON benchmarks/complexity_peers.py PACKAGE values.npy found.npz

PACKAGE is ecomplexity, economic_complexity or econcomplex. Writes every indicator it has and prints
one line of JSON: version, seconds.
"""

from __future__ import annotations

import contextlib
import importlib.metadata
import io
import json
import sys
import time
import warnings

import numpy as np


def long(values: np.ndarray):
    """Return place, product, value as a pandas frame; labels sort as they stand."""
    import pandas as pd

    m, n = values.shape
    return pd.DataFrame(
        {
            "place": np.repeat([f"c{i:05d}" for i in range(m)], n),
            "product": np.tile([f"p{i:05d}" for i in range(n)], m),
            "value": values.ravel(),
        }
    )


def wide(values: np.ndarray):
    """Return a pandas frame by place and product."""
    import pandas as pd

    m, n = values.shape
    return pd.DataFrame(
        values, [f"c{i:05d}" for i in range(m)], [f"p{i:05d}" for i in range(n)]
    ).rename_axis(index="place", columns="product")


def ecomplexity(values: np.ndarray) -> dict[str, np.ndarray]:
    """Its check for log-supermodularity is off: it is no indicator and takes time."""
    from ecomplexity import ecomplexity as run

    frame = long(values).assign(time=1)
    names = {"time": "time", "loc": "place", "prod": "product", "val": "value"}
    found = run(frame, names, check_logsupermodularity=False, verbose=False)
    found = found.sort_values(["place", "product"])
    read = {k: found[k].to_numpy().reshape(values.shape) for k in ("rca", "density", "cog")}
    read["eci"] = found["eci"].to_numpy().reshape(values.shape)[:, 0]
    read["coi"] = found["coi"].to_numpy().reshape(values.shape)[:, 0]
    read["pci"] = found["pci"].to_numpy().reshape(values.shape)[0]
    return read


def economic_complexity(values: np.ndarray) -> dict[str, np.ndarray]:
    import economic_complexity as ec

    rca = ec.rca(wide(values))
    eci, pci = ec.complexity(rca)
    proximity = ec.proximity(rca)
    return {
        "rca": rca.to_numpy(),
        "eci": eci.reindex(rca.index).to_numpy(),
        "pci": pci.reindex(rca.columns).to_numpy(),
        "density": ec.relatedness(rca, proximities=proximity).to_numpy(),
        "cog": ec.opportunity_gain(rca, pci=pci, proximities=proximity).to_numpy(),
    }


def econcomplex(values: np.ndarray) -> dict[str, np.ndarray]:
    import econcomplex as ec

    names = {"loc": "place", "act": "product", "val": "value"}
    found = ec.compute_complexity(long(values), names).sort_values(["place", "product"])
    shape = values.shape
    read = {k: found[k].to_numpy().reshape(shape) for k in ("rca", "density", "cog")}
    read["eci"] = found["eci"].to_numpy().reshape(shape)[:, 0]
    read["coi"] = found["coi"].to_numpy().reshape(shape)[:, 0]
    read["pci"] = found["pci"].to_numpy().reshape(shape)[0]
    return read


RUNS = {
    "ecomplexity": ecomplexity,
    "economic_complexity": economic_complexity,
    "econcomplex": econcomplex,
}


def main(package: str, values_at: str, found_at: str) -> None:
    warnings.simplefilter("ignore")
    values = np.load(values_at)
    __import__(package)  # imports are not timed
    wall, cpu = time.perf_counter(), time.process_time()
    with contextlib.redirect_stdout(io.StringIO()):
        found = RUNS[package](values)
    spent = {"wall_s": time.perf_counter() - wall, "cpu_s": time.process_time() - cpu}
    np.savez(found_at, **found)
    version = importlib.metadata.version(package.replace("_", "-"))
    print(json.dumps({"package": package, "version": version} | spent))


if __name__ == "__main__":
    main(*sys.argv[1:])
