"""Production concentration: published indices, and totals that must not pass for countries."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

import naive_trade
from withstand.errors import DataError, UsageError
from withstand.measures.production_concentrations import production_concentration


def test_published_indices_of_world_mining_data(data_dir: Path) -> None:
    file = data_dir / "crm_trade_wmd_wgi" / "world_mining_data_2018_2024.parquet"
    table = pl.read_parquet(file)
    found = production_concentration(table)
    index = {(m, y): h for m, y, h in found.to_frame().select("material", "year", "hhi").rows()}
    assert index["Gallium", 2023] == pytest.approx(0.967, abs=5e-4)  # printed digits
    assert index["Cobalt", 2022] == pytest.approx(0.492897, abs=5e-7)
    assert index["Nickel", 2022] == pytest.approx(0.267490, abs=5e-7)
    for (material, year), value in list(index.items())[::40]:
        rows = table.filter(
            pl.col("material") == material, pl.col("year") == year, ~pl.col("is_total")
        )
        slow = naive_trade.hhi(rows["production"].fill_null(0.0))
        assert value == pytest.approx(slow, rel=1e-12)  # sums in another order
    assert {"N609", "W604"} <= {f.code for f in found.findings}
    makers = set(found.why("Gold", 2022)["region"])
    assert {"GY", "GF"} <= makers  # the table gives both the code of Guyana


def test_totals_by_name_or_by_mark_are_no_country() -> None:
    frame = pl.DataFrame(
        {"material": "Ga", "region": ["CN", "JP", "Total"], "year": 2023,
         "production": [9.0, 1.0, 10.0]}
    )  # fmt: skip
    named = production_concentration(frame).to_frame()
    marked = production_concentration(
        frame.with_columns(region=pl.Series(["CN", "JP", "sum"]), is_total=pl.Series([0, 0, 1]))
    ).to_frame()
    assert named["hhi"].to_list() == marked["hhi"].to_list() == pytest.approx([0.82])
    assert named["stated_total"].to_list() == [10.0]
    assert named.row(0, named=True)["largest"] == "CN"


def test_countries_that_miss_the_total_are_told() -> None:
    frame = pl.DataFrame(
        {"material": "Ga", "region": ["CN", "World"], "year": 2023, "production": [9.0, 10.0]}
    )
    assert "W615" in [f.code for f in production_concentration(frame).findings]


def test_faults_are_refused_in_words() -> None:
    frame = pl.DataFrame({"material": "Ga", "region": ["CN"], "year": 2023, "production": [-1.0]})
    with pytest.raises(DataError, match="E602"):
        production_concentration(frame)
    with pytest.raises(UsageError, match="no column 'production'"):
        production_concentration(frame.rename({"production": "products"}))
    good = production_concentration(frame.with_columns(production=1.0))
    with pytest.raises(UsageError, match="Did you mean Ga"):
        good.why("Ga2")


@pytest.mark.parametrize(
    ("column", "values", "code"),
    [
        ("production", ["1", "much"], "E103"),
        ("production", [1.0, float("inf")], "E103"),
        ("year", ["2023", "last"], "E103"),
        ("region", ["CN", None], "E102"),
        ("material", ["Ga", None], "E102"),
    ],
)
def test_cells_that_say_nothing_are_named(column: str, values: list, code: str) -> None:
    frame = pl.DataFrame(
        {"material": ["Ga", "Ga"], "region": ["CN", "JP"], "year": [2023, 2023],
         "production": [3.0, 1.0]}
    )  # fmt: skip
    with pytest.raises(DataError, match=f"{code}.*{column}"):
        production_concentration(frame.with_columns(pl.Series(column, values)))
