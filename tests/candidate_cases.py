"""A plant whose candidates to make at home can be worked out by hand."""

from __future__ import annotations

import numpy as np
import polars as pl

from withstand import measures
from withstand.model.building import build_network
from withstand.model.network import ProductionNetwork
from withstand.model.settings import Settings

PLACES = ["HOME", "JP", "DE", "CN"]
CODES = ["8483", "4016", "8544", "9999"]
EXPORTS = np.array(
    [
        [0.0, 0.0, 2.0, 6.0],
        [12.0, 0.0, 2.0, 2.0],
        [4.0, 4.0, 0.0, 0.0],
        [0.0, 4.0, 4.0, 0.0],
    ]
)
PCI = {"8483": 2.0, "4016": 1.0, "8544": -1.0, "9999": 0.0}


def pumps(period: str = "week") -> ProductionNetwork:
    """Ten pumps a week from 20 parts (JP), 10 seals (DE, CN, home), 10 wires (CN, KR), oil (KR).

    Oil has neither code nor price.
    """
    supply = {
        "PART": {"JP": 1.0},
        "SEAL": {"DE": 0.6, "CN": 0.2, "HOME": 0.2},
        "WIRE": {"CN": 0.5, "KR": 0.5},
        "OIL": {"KR": 1.0},
    }
    price = {"PART": 5.0, "SEAL": 2.0, "WIRE": 3.0, "OIL": None}
    pairs = [(p, r, share) for p, of in supply.items() for r, share in of.items()]
    nodes = [
        {"node": f"{p}@{r}", "product": p, "region": r, "final_demand": 0.0, "price": price[p]}
        for p, r, _ in pairs
    ]
    plant = {"node": "plant", "product": "PUMP", "region": "HOME", "final_demand": 10.0,
             "price": 100.0}  # fmt: skip
    return build_network(
        {
            "products": pl.DataFrame(
                {
                    "product": ["PUMP", *supply],
                    "name": ["Pump", "Gear part", "Seal", "Wire", "Oil"],
                    "hs": [None, "848340", "4016.93", "854411", None],
                    "technology_domain": [None, "Drives; materials", "Materials", "Optics", None],
                }
            ),
            "nodes": pl.DataFrame([plant, *nodes]),
            "recipes": pl.DataFrame(
                {
                    "buyer": ["PUMP"] * 4,
                    "input": list(supply),
                    "quantity": [2.0, 1.0, 1.0, 0.1],
                }
            ),
            "links": pl.DataFrame(
                {
                    "supplier": [f"{p}@{r}" for p, r, _ in pairs],
                    "buyer": ["plant"] * len(pairs),
                    "share": [share for _, _, share in pairs],
                }
            ),
        },
        Settings(name="pumps", home="HOME", viewpoint="PUMP", currency="EUR", period=period),
    )


def capability(convention: str = "ecomplexity") -> measures.Complexity:
    """Return the exports of four places as they stand: what is not 0 is there."""
    frame = pl.DataFrame(EXPORTS, schema=CODES, orient="row")
    frame = frame.with_columns(place=pl.Series(PLACES))
    return measures.complexity(frame, convention=convention, threshold=1e-9)


def research() -> measures.ResearchCapability:
    """Home stands out in materials, Japan in drives and chips, which go together."""
    patents = pl.DataFrame(
        {
            "place": ["HOME", "JP"],
            "Drives": [1.0, 3.0],
            "Materials": [3.0, 1.0],
            "Chips": [0.0, 4.0],
        }
    )
    return measures.research_capability(patents)
