"""A small cube of trade made by hand, in the layouts that files come in, and tables beside it."""

from __future__ import annotations

from pathlib import Path

import polars as pl

CODES = {"CN": 156, "US": 842, "DE": 276, "FR": 251, "JP": 392, "BR": 76, "IN": 699}
M49 = CODES | {"FR": 250, "US": 840, "IN": 356}
BLOC = "DE+FR"
MAGNETS, METALS, GEARS = "850511", "280530", "848340"
NAMES = {MAGNETS: "Permanent magnets of metal", METALS: "Rare earth metals", GEARS: "Gears"}

_2022 = [
    ("CN", "DE", MAGNETS, 9.0), ("US", "DE", MAGNETS, 1.0), ("DE", "US", MAGNETS, 2.0),
    ("CN", "DE", METALS, 8.0), ("US", "FR", METALS, 2.0), ("DE", "FR", METALS, 6.0),
    ("FR", "US", METALS, 5.0),
    ("JP", "DE", GEARS, 2.0), ("CN", "FR", GEARS, 2.0), ("US", "FR", GEARS, 2.0),
    ("BR", "FR", GEARS, 2.0), ("DE", "CN", GEARS, 40.0),
]  # fmt: skip
"""Magnets: HHI .82, all from outside, 5 times what is sold: flagged. Metals: HHI .68, 10/16 from
outside, 10/11 of exports: not flagged unless exports to members are left out (2). Gears: .25."""
_2021 = [
    *(flow for flow in _2022 if flow[2] != MAGNETS),
    *((seller, "DE", MAGNETS, 2.0) for seller in ("CN", "US", "JP", "BR", "IN")),
    ("DE", "US", MAGNETS, 2.0),
]
"""Magnets from five in equal parts: HHI .2, not flagged."""
FLOWS = [
    (year, *flow) for year, flows in ((2020, _2022), (2021, _2021), (2022, _2022)) for flow in flows
]


def baci(folder: Path) -> Path:
    """Write the flows as BACI has them: numeric codes, thousand USD, tonnes."""
    rows = [(y, CODES[e], CODES[m], k, v, None if k == GEARS else v / 2) for y, e, m, k, v in FLOWS]
    frame = pl.DataFrame(rows, schema=["t", "i", "j", "k", "v", "q"], orient="row")
    file = folder / "BACI_HS92_made.csv"
    frame.write_csv(file)
    return file


def comtrade(folder: Path) -> Path:
    """Write the same flows as Comtrade has them, with a mirror of each and a row for the world."""
    rows = []
    for year, exporter, importer, product, value in FLOWS:
        usd = 1000.0 * value
        rows += [
            (year, M49[importer], M49[exporter], "M", product, usd, 500.0 * value),
            (year, M49[exporter], M49[importer], "X", product, 0.9 * usd, 450.0 * value),
            (year, M49[importer], 0, "M", product, usd, 500.0 * value),
        ]
    names = ["refYear", "reporterCode", "partnerCode", "flowCode", "cmdCode", "primaryValue",
             "netWgt"]  # fmt: skip
    file = folder / "comtrade.csv"
    pl.DataFrame(rows, schema=names, orient="row").write_csv(file)
    return file


def names(folder: Path) -> Path:
    """Write the names of the products."""
    file = folder / "names.csv"
    pl.DataFrame({"code": list(NAMES), "description": list(NAMES.values())}).write_csv(file)
    return file


def materials(folder: Path) -> dict[str, Path]:
    """Write production, governance, materials and uses.

    The world's neodymium: 80 % CN, 20 % US; the bloc's metals in 2022: 80 % CN, 20 % US too.
    Governance 5 and 1 of 10, half recycled: SR .5 (.64 x 5 + .04 x 1) = 1.62, whatever the import
    reliance. Tin is not traded here: half BR (2), half IN (4): .25 x 2 + .25 x 4 = 1.5.
    """
    tables = {
        "production": pl.DataFrame(
            {
                "material": ["Nd", "Nd", "Nd", "Tin", "Tin", "Tin"],
                "region": ["CHN", "USA", "World", "BRA", "IND", "BRA"],
                "year": [2022, 2022, 2022, 2019, 2019, 2023],
                "production": [80.0, 20.0, 100.0, 3.0, 3.0, 9.0],
            }
        ),
        "governance": pl.DataFrame(
            {
                "Code": ["CHN", "CHN", "USA", "BRA", "IND"],
                "year": [2022, 2023, 2022, 2020, 2022],
                "value": [5.0, 9.0, 1.0, 2.0, 4.0],
            }
        ),
        "materials": pl.DataFrame(
            {"material": ["Nd", "Gold"], "product": [METALS, "710812"], "recycling": [0.5, 0.1]}
        ),
        "uses": pl.DataFrame(
            {"material": ["Nd", "Tin"], "share": [1.0, 1.0], "value_added": [100.0, 10.0]}
        ),
    }
    files = {}
    for name, frame in tables.items():
        files[name] = folder / f"{name}.csv"
        frame.write_csv(files[name])
    return files
