"""Run BoARIO on a table of flows, as a black box; a script for the interpreter that has BoARIO.

    python benchmarks/boario_run.py IN.npz OUT.npz

IN holds `Z` (n x n), `Y` (n x m), `region`, `sector` (n labels), `final_region` (m labels), all per
year, and `settings`, a text of JSON: periods, occurrence, duration, recovery (BoARIO's words),
stock (periods of use), psi, adjustment, alpha_max, alpha_tau, order_type, and `impact`, a list of
[region, sector, share of capacity lost]. With `"economy": "test"` the test economy that comes with
pymrio is taken instead of the tables in IN.

OUT holds the tables as they were used and, in their order and per period: `production`,
`capacity`, `overproduction`, `unmet`; `seconds` of wall and processor time for the periods, and
`versions`. Nothing of withstand is imported here.
"""

from __future__ import annotations

import json
import sys
import time
import warnings
from importlib.metadata import version

import numpy as np


def economy_of(given, settings):
    """Return a pymrio system."""
    import pandas as pd
    import pymrio

    if settings.get("economy") == "test":
        return pymrio.load_test().calc_all()
    cells = pd.MultiIndex.from_arrays(
        [given["region"], given["sector"]], names=["region", "sector"]
    )
    finals = pd.MultiIndex.from_arrays(
        [given["final_region"], np.full(len(given["final_region"]), "final demand")],
        names=["region", "category"],
    )
    system = pymrio.IOSystem(
        Z=pd.DataFrame(given["Z"], index=cells, columns=cells),
        Y=pd.DataFrame(given["Y"], index=cells, columns=finals),
    )
    return system.calc_all()


def main(argv: list[str]) -> int:
    warnings.filterwarnings("ignore")
    import pandas as pd
    from boario import event
    from boario.extended_models import ARIOPsiModel
    from boario.simulation import Simulation

    given = np.load(argv[0], allow_pickle=False)
    settings = json.loads(str(given["settings"]))
    system = economy_of(given, settings)
    cells = system.Z.index
    model = ARIOPsiModel(
        system,
        order_type=settings["order_type"],
        main_inv_dur=settings["stock"],
        psi_param=settings["psi"],
        inventory_restoration_tau=settings["adjustment"],
        alpha_max=settings["alpha_max"],
        alpha_tau=settings["alpha_tau"],
    )
    run = Simulation(model, n_temporal_units_to_sim=settings["periods"])
    if settings["impact"]:
        impact = pd.Series(
            [share for _, _, share in settings["impact"]],
            index=pd.MultiIndex.from_tuples(
                [(region, sector) for region, sector, _ in settings["impact"]],
                names=["region", "sector"],
            ),
        )
        run.add_event(
            event.from_series(
                impact,
                event_type="arbitrary",
                occurrence=settings["occurrence"],
                duration=settings["duration"],
                recovery_tau=settings["recovery"],
            )
        )
    wall, cpu = time.perf_counter(), time.process_time()
    run.loop()
    seconds = [time.perf_counter() - wall, time.process_time() - cpu]

    def of_cells(frame: pd.DataFrame) -> np.ndarray:
        return frame[cells].to_numpy(dtype=float)

    np.savez_compressed(
        argv[1],
        Z=system.Z.to_numpy(dtype=float),
        Y=system.Y.to_numpy(dtype=float),
        region=np.array(cells.get_level_values(0), dtype=str),
        sector=np.array(cells.get_level_values(1), dtype=str),
        final_region=np.array(system.Y.columns.get_level_values(0), dtype=str),
        production=of_cells(run.production_realised),
        capacity=of_cells(run.production_capacity),
        unmet=of_cells(run.final_demand_unmet),
        seconds=np.array(seconds),
        versions=np.array(
            [f"{name} {version(name)}" for name in ("boario", "pymrio", "numpy", "pandas")]
        ),
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
