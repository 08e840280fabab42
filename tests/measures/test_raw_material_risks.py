"""Critical raw materials: the formulas by hand, and near the published results of 2023."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from withstand.errors import DataError, UsageError
from withstand.measures.raw_material_risks import import_reliance, raw_material_risk
from withstand.model.trade_partners import trade_partner

ROUNDING = 1e-12
SUPPLY = pl.DataFrame(
    {
        "material": ["Ga"] * 5,
        "stage": ["E", "E", "P", "P", "P"],
        "source": ["global", "global", "global", "bloc", "bloc"],
        "region": ["CN", "DE", "CN", "CN", "DE"],
        "share": [0.5, 0.5, 1.0, 0.7, 0.3],
        "trade": [1.0, 1.0, 1.1, 1.1, 0.8],
    }
)
WGI = {"CN": 0.0, "DE": 1.5}  # on the scale of 0 to 10: 5 and 2


def test_supply_risk_by_hand_takes_the_worst_stage() -> None:
    facts = pl.DataFrame(
        {"material": ["Ga"], "import_reliance": [0.6], "recycling": [0.1],
         "substitution_sr": [0.9], "substitution_ei": [0.95]}
    )  # fmt: skip
    uses = pl.DataFrame(
        {"material": ["Ga", "Ga", "Zn"], "share": [0.4, 0.6, 1.0],
         "value_added": [100.0, 50.0, 200.0]}
    )  # fmt: skip
    found = raw_material_risk(SUPPLY, WGI, materials=facts, uses=uses)
    extraction = (0.25 * 5 + 0.25 * 2) * 0.9 * 0.9  # no supply to the bloc: the world's stands in
    world, bloc = 5 * 1.1, 0.49 * 5 * 1.1 + 0.09 * 2 * 0.8
    processing = (world * 0.3 + bloc * 0.7) * 0.9 * 0.9
    rows = found.of_stages().select("stage", "sr").rows()
    assert rows == [
        ("E", pytest.approx(extraction, rel=ROUNDING)),
        ("P", pytest.approx(processing, rel=ROUNDING)),
    ]
    (material,) = found.to_frame().rows(named=True)
    assert (material["stage"], material["critical"]) == ("P", True)
    assert material["ei"] == pytest.approx((40 + 30) * 10 / 200 * 0.95, rel=ROUNDING)
    assert material["sr"] == material["sr_low"] == material["sr_high"]
    assert found.why("Ga").filter(pl.col("stage") == "E")["term"].to_list() == [1.25, 0.5]


def test_without_import_reliance_both_ends_are_given() -> None:
    (row,) = raw_material_risk(SUPPLY, WGI).to_frame().rows(named=True)
    world, bloc = 5.5, 0.49 * 5.5 + 0.09 * 1.6
    assert row["sr_low"] == pytest.approx(bloc, rel=ROUNDING)
    assert row["sr"] == row["sr_high"] == pytest.approx((world + bloc) / 2, rel=ROUNDING)
    assert row["critical"] is None  # nothing is known of its importance


def test_one_supplier_of_the_worst_kind_has_the_whole_scale() -> None:
    one = pl.DataFrame({"material": ["X"], "region": ["AA"], "share": [1.0]})
    assert raw_material_risk(one, {"AA": -2.5}).to_frame()["sr"].to_list() == [10.0]
    assert raw_material_risk(one, {"AA": 2.5}).to_frame()["sr"].to_list() == [0.0]


def test_thresholds_count_from_the_number_itself() -> None:
    one = pl.DataFrame({"material": ["X"], "region": ["AA"], "share": [1.0]})
    uses = pl.DataFrame({"material": ["X"], "share": [1.0], "value_added": [28.0]})
    found = raw_material_risk(
        one, {"AA": 1.0}, governance_scale="0-10", uses=uses, largest_value_added=100.0
    )
    row = found.to_frame().row(0, named=True)
    assert (row["sr"], row["ei"], row["critical"]) == (1.0, pytest.approx(2.8), True)


@pytest.mark.parametrize(
    ("made", "bought", "sold", "reliance"),
    [
        (2.0, 9.0, 1.0, 0.8),
        (1.0, 0.0, 3.0, 0.0),  # sold more than was made: out of stocks
        (0.0, 1.0, 2.0, 0.0),
        (5.0, 1.0, 1.0, 0.0),
        (0.0, 4.0, 1.0, 1.0),
        (0.0, 0.0, 0.0, None),
        (None, 2.0, 1.0, None),
    ],
)
def test_import_reliance_is_net_imports_over_use(made, bought, sold, reliance) -> None:
    columns = {"made": made, "bought": bought, "sold": sold}
    frame = pl.DataFrame({k: [v] for k, v in columns.items()}, schema=dict.fromkeys(columns, float))
    assert frame.select(import_reliance(*map(pl.col, columns))).item() == reliance


def test_without_governance_of_anybody_the_risk_is_not_known() -> None:
    found = raw_material_risk(SUPPLY, {"FR": 1.0})
    (row,) = found.to_frame().rows(named=True)
    assert [row[c] for c in ("sr", "sr_low", "sr_high", "critical")] == [None] * 4
    assert [f.code for f in found.findings] == ["W614"]
    # Who processes it is known, who extracts it is not: a floor, and no ceiling.
    half = SUPPLY.with_columns(
        region=pl.when(pl.col("stage") == "E").then(pl.col("region") + "?").otherwise("region")
    )
    row = raw_material_risk(half, WGI).to_frame().row(0, named=True)
    assert (row["stage"], row["sr_high"]) == ("P", None)
    assert row["sr"] == raw_material_risk(SUPPLY, WGI).to_frame()["sr"][0]


def test_what_is_not_known_is_told_and_wrong_numbers_are_refused() -> None:
    found = raw_material_risk(SUPPLY, {"CN": 0.0})
    assert [f.code for f in found.findings] == ["W614"]
    with pytest.raises(DataError, match="E109"):
        raw_material_risk(
            SUPPLY.with_columns(source=pl.col("source").replace("bloc", "block")), WGI
        )
    with pytest.raises(DataError, match="E107"):
        raw_material_risk(SUPPLY.with_columns(share=pl.lit(1.5)), WGI)
    with pytest.raises(DataError, match=r"between -2\.5 and 2\.5"):
        raw_material_risk(SUPPLY, {"CN": 60.0, "DE": 70.0})
    with pytest.raises(UsageError, match="governance_scale"):
        raw_material_risk(SUPPLY, WGI, governance_scale="percent")
    with pytest.raises(UsageError, match="Did you mean Ga"):
        raw_material_risk(SUPPLY, WGI).why("Gallium"[:3])


def test_published_results_of_2023_are_near(data_dir: Path) -> None:
    # Import reliance, substitution and recycling are not in the data set, and governance here is
    # political stability alone. So the published supply risk can only lie below what is computed
    # without recycling and substitution, but for the governance; economic importance only below
    # what is computed without its index of substitution, but for rounding of shares to a percent.
    folder = data_dir / "eu_crm"
    spelt = {"Congo, D.R.": "CD", "Turkyie": "TR", "Brasilia": "BR", "Libanon": "LB"}
    share = pl.col("Share").str.strip_chars("<% ").cast(pl.Float64, strict=False) / 100
    parts = []
    for source, name in (("global", "GlobalSupplyShares"), ("bloc", "EUSupplyShares")):
        table = pl.read_parquet(folder / f"fact_{name}_t.parquet")
        parts.append(
            table.select(
                pl.col("Material").alias("material"),
                pl.col("Stage").alias("stage"),
                pl.lit(source).alias("source"),
                pl.col("Country").alias("region"),
                share.alias("share"),
                pl.col("t").cast(pl.Float64, strict=False).alias("trade"),
            ).drop_nulls("share")
        )
    supply = pl.concat(parts)
    for name in supply["region"].unique():
        partner = trade_partner(name)
        spelt.setdefault(name, partner.label if partner else name)
    keys = ["material", "stage", "source", "region"]
    supply = supply.with_columns(pl.col("region").replace(spelt))
    supply = supply.group_by(keys).agg(pl.col("share").sum(), pl.col("trade").max())
    wgi = pl.read_parquet(
        data_dir / "crm_trade_wmd_wgi" / "wgi_political_stability_1996_2024.parquet"
    ).filter(pl.col("stat") == "Estimate", pl.col("year") == 2020)
    governance = {
        partner.label: value
        for code, value in wgi.select("Code", "value").drop_nulls().iter_rows()
        if (partner := trade_partner(code)) is not None
    }
    uses = pl.read_parquet(folder / "fact_MaterialUseShares.parquet").select(
        pl.col("Material").alias("material"),
        share.alias("share"),
        pl.col("VA in million €").cast(pl.Float64, strict=False).alias("value_added"),
    )
    found = raw_material_risk(supply, governance, uses=uses.drop_nulls("share"))
    published = (
        pl.read_parquet(folder / "dimension_CRMsOverTime.parquet")
        .filter(pl.col("Year").cast(pl.String) == "2023")
        .select(
            pl.col("Material").alias("material"),
            pl.col("SR").cast(pl.Float64, strict=False).alias("their_sr"),
            pl.col("EI").cast(pl.Float64, strict=False).alias("their_ei"),
        )
    )
    both = found.to_frame().join(published, on="material")
    importance = both.drop_nulls(["ei", "their_ei"])
    assert importance.height >= 35
    assert importance.select(pl.corr("ei", "their_ei")).item() > 0.95
    ratio = importance["their_ei"] / importance["ei"]
    assert 0.93 < ratio.median() <= 1.0  # the index of substitution is 0.7 to 1
    assert ratio.max() < 1.06
    assert importance.filter(pl.col("material") == "Aggregates")["ei"].item() == pytest.approx(
        3.2, abs=0.05
    )  # one use, one sector, nothing to substitute: the printed digits
    risk = both.drop_nulls(["sr", "their_sr"])
    assert risk.height >= 60
    assert risk.select(pl.corr("sr", "their_sr", method="spearman")).item() > 0.8
    assert (risk["their_sr"] > risk["sr_high"] + 0.05).sum() <= 3
