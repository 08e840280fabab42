"""SDMX files: every form gives the same table, and tables become economies and trade."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import mrio_files
import standard_files as files
import withstand as ws

HEAD = "DATAFLOW,LAST UPDATE,freq,geo,TIME_PERIOD,OBS_VALUE,OBS_STATUS,UNIT_MULT\n"
FLOW = "ESTAT:JOBS(1.0)"
FORMS = {
    "1.0": HEAD + f"{FLOW},23/07/24 23:00:00,A,AT,2020,3.5,p,6\n{FLOW},x,A,DE,2020,,:,6\n",
    "1.0 with labels": "DATAFLOW,freq: Frequency,geo: Country,TIME_PERIOD: Time,OBS_VALUE: Value,"
    f"OBS_STATUS: Flag,UNIT_MULT: Power\n{FLOW}: Jobs,A: Annual,AT: Austria,2020,3.5,"
    f"p: provisional,6: Millions\n{FLOW}: Jobs,A: Annual,DE: Germany,2020,,:,6: Millions\n",
    "2.0": "STRUCTURE,STRUCTURE_ID,ACTION,freq,geo,TIME_PERIOD,OBS_VALUE,OBS_STATUS,UNIT_MULT\n"
    f"dataflow,{FLOW},I,A,AT,2020,3.5,p,6\ndataflow,{FLOW},I,A,DE,2020,NaN,:,6\n"
    f"dataflow,{FLOW},D,A,FR,2020,1,p,6\n",
    "2.0 with names": "STRUCTURE,STRUCTURE_ID,STRUCTURE_NAME,ACTION,freq,Frequency,geo,Country,"
    "TIME_PERIOD,Time,OBS_VALUE,Value,OBS_STATUS,Flag,UNIT_MULT,Power\n"
    f"dataflow,{FLOW},Jobs,I,A,Annual,AT,Austria,2020,,3.5,,p,provisional,6,Millions\n"
    f"dataflow,{FLOW},Jobs,I,A,Annual,DE,Germany,2020,,,,:,not available,6,Millions\n",
    "generic": files.generic_ml(),
    "structure specific": files.specific_ml(),
}


def write(place: Path, text: str, name: str = "data.csv") -> Path:
    file = place / name
    file.write_text(text)
    return file


@pytest.mark.parametrize("form", FORMS)
def test_every_form_gives_the_same_table(tmp_path: Path, form: str) -> None:
    table = ws.read_sdmx(write(tmp_path, FORMS[form]))
    assert table.dimensions == ("freq", "geo", "TIME_PERIOD")
    assert set(table.attributes) == {"OBS_STATUS", "UNIT_MULT"}
    assert table.structure == FLOW
    assert table.frame.select("freq", "geo", "TIME_PERIOD", "OBS_VALUE").rows() == [
        ("A", "AT", "2020", 3.5), ("A", "DE", "2020", None)]  # fmt: skip
    assert table.values().to_list() == [3.5e6, None]
    assert table.frame["OBS_STATUS"].to_list() == ["p", ":"]
    assert "N745" in {f.code for f in table.findings}
    assert repr(table).startswith("<SdmxTable 'ESTAT:JOBS(1.0)': 2 observations")


def test_packed_files_are_read_and_codes_can_be_chosen(tmp_path: Path) -> None:
    file = tmp_path / "jobs.csv.gz"
    file.write_bytes(gzip.compress(FORMS["1.0"].encode()))
    table = ws.read_sdmx(file)
    assert table.updated == "23/07/24 23:00:00"
    assert table.filter({"GEO": "AT"}).frame.height == 1
    with pytest.raises(ws.UsageError, match=r"no code 'ATT'.*mean AT"):
        table.filter({"geo": "ATT"})
    with pytest.raises(ws.UsageError, match="Did you mean geo"):
        table.filter({"go": "AT"})


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "E111"),
        ("a,b\n1,2\n", "E744"),
        ("DATAFLOW,geo,VALUE\nX,AT,1\n", "E744"),
        (HEAD, "E112"),
        (FORMS["1.0"] + "OTHER:FLOW(1.0),x,A,FR,2020,1,p,6\n", "E744"),
        (files.BOMB + "<GenericData>&b;</GenericData>", "E743"),
        (files.OUTSIDE + "<GenericData>&a;</GenericData>", "E743"),
        ("<html></html>", "E744"),
        ("<GenericData>", "E113"),
        ("<GenericData/>", "E744"),
    ],
)
def test_what_is_no_sdmx_is_refused(tmp_path: Path, text: str, code: str) -> None:
    with pytest.raises(ws.DataError) as error:
        ws.read_sdmx(write(tmp_path, text))
    assert code in {f.code for f in error.value.findings}


def test_odd_observations_are_told(tmp_path: Path) -> None:
    text = FORMS["1.0"] + f"{FLOW},x,A,FR,2020,abc,p,6\n{FLOW},x,A,AT,2020,9,p,6\n"
    table = ws.read_sdmx(write(tmp_path, text))
    assert table.frame["OBS_VALUE"].to_list() == [3.5, None, None]
    assert {"W745", "W746"} <= {f.code for f in table.findings}


# --- economies and trade --------------------------------------------------------------------------


def figaro_rows(w: mrio_files.World) -> str:
    lines = ["DATAFLOW,LAST UPDATE,freq,c_orig,ind_ava,c_dest,ind_use,unit,TIME_PERIOD,OBS_VALUE,"
             "OBS_FLAG"]  # fmt: skip
    columns = [*zip(w.cells, w.Z.T, strict=True), *zip(w.final, w.Y.T, strict=True)]
    for (buyer, use), values in columns:
        for (seller, made), value in zip(w.cells, values, strict=True):
            lines.append(f"ESTAT:F(1.0),x,A,{seller},{made},{buyer},{use},MIO_EUR,2020,"
                         f"{float(value)!r},")  # fmt: skip
    for region, _ in w.cells[:: len(w.sectors)]:
        lines.append(f"ESTAT:F(1.0),x,A,{region},TOTAL,{region},A01,MIO_EUR,2020,1,")
        lines.append(f"ESTAT:F(1.0),x,A,W2,D1,{region},A01,MIO_EUR,2020,1,")
    return "\n".join(lines) + "\n"


def test_a_table_between_countries_becomes_an_economy(tmp_path: Path) -> None:
    w = mrio_files.world(["AT", "DE"], ["A01", "C10"], ["P3_S14", "P5M"])
    table = ws.read_sdmx(write(tmp_path, figaro_rows(w)))
    network = ws.economy_of_sdmx(table, home="AT")
    assert network.node_labels.tolist() == [f"{s}@{r}" for r, s in w.cells]
    np.testing.assert_allclose(network.flow_table.flows, w.Z, rtol=1e-15)
    np.testing.assert_allclose(network.output, w.x, rtol=1e-12)
    assert network.settings.currency == "million EUR"
    assert "W745" in {f.code for f in network.findings}  # the sums


def national(year: int = 2020, country: str = "AT") -> list[str]:
    cells = {
        ("DOM", "A01", "A01"): 1, ("DOM", "A01", "C10"): 2, ("DOM", "C10", "A01"): 3,
        ("DOM", "A01", "P3_S14"): 7, ("DOM", "C10", "P3_S14"): 8, ("DOM", "C10", "P6"): 9,
        ("IMP", "C10", "A01"): 4, ("IMP", "A01", "P3_S14"): 5, ("TOTAL", "A01", "A01"): 99,
        ("DOM", "TOTAL", "A01"): 4, ("DOM", "A01", "P3"): 7, ("DOM", "A", "A01"): 1,
        ("DOM", "A01", "A"): 1, ("DOM", "B1G", "A01"): 6,
    }  # fmt: skip
    return [
        f"ESTAT:N(1.0),A,MIO_EUR,{flow},{use},{made},{country},{year},{value}"
        for (flow, made, use), value in cells.items()
    ]


NATIONAL = "DATAFLOW,freq,unit,stk_flow,ind_use,ind_ava,geo,TIME_PERIOD,OBS_VALUE"


def test_a_national_table_gets_its_imports_from_one_region(tmp_path: Path) -> None:
    table = ws.read_sdmx(write(tmp_path, "\n".join([NATIONAL, *national()]) + "\n"))
    network = ws.economy_of_sdmx(table)
    assert network.node_labels.tolist() == ["A01@AT", "C10@AT", "A01@ROW", "C10@ROW"]
    flows = [[1, 2, 0, 0], [3, 0, 0, 0], [0, 0, 0, 0], [4, 0, 0, 0]]
    assert network.flow_table.flows.tolist() == flows
    assert network.output.tolist() == [10.0, 20.0, 5.0, 4.0]
    assert network.value_added.tolist() == [2.0, 18.0, 5.0, 4.0]
    assert "N210" in {f.code for f in network.findings}


def test_several_tables_in_one_file_must_be_chosen_from(tmp_path: Path) -> None:
    lines = [NATIONAL, *national(), *national(2021), *national(2021, "DE")]
    table = ws.read_sdmx(write(tmp_path, "\n".join(lines) + "\n"))
    with pytest.raises(ws.DataError, match="several tables"):
        ws.economy_of_sdmx(table)
    network = ws.economy_of_sdmx(table, year=2021, home="DE")
    assert network.region_labels.tolist() == ["DE", "ROW"]
    with pytest.raises(ws.DataError, match="no dimension says the seller"):
        ws.economy_of_sdmx(ws.read_sdmx(write(tmp_path, FORMS["1.0"])))


def test_comext_becomes_a_cube(tmp_path: Path) -> None:
    head = (
        "DATAFLOW,LAST UPDATE,freq,reporter,partner,product,flow,indicators,TIME_PERIOD,OBS_VALUE"
    )
    rows = [
        ("DE", "CN", "85051100", "1", "VALUE_IN_EUROS", "2022-01", 100),
        ("DE", "CN", "85051100", "1", "VALUE_IN_EUROS", "2022-02", 50),
        ("DE", "CN", "85051110", "1", "VALUE_IN_EUROS", "2022-02", 5),
        ("DE", "CN", "85051100", "1", "QUANTITY_IN_100KG", "2022-01", 30),
        ("DE", "CN", "8505", "1", "VALUE_IN_EUROS", "2022-01", 100),
        ("DE", "EXTRA_EU", "85051100", "1", "VALUE_IN_EUROS", "2022-01", 100),
        ("DE", "FR", "85051100", "2", "VALUE_IN_EUROS", "2022-01", 7),
    ]
    text = "\n".join([head, *[f"ESTAT:DS(1.0),x,M,{','.join(map(str, r))}" for r in rows]]) + "\n"
    table = ws.read_sdmx(write(tmp_path, text))
    cube = ws.trade_of_sdmx(table)
    assert cube.to_frame().drop("vintage").rows() == [(2022, "CN", "DE", "850511", 155.0, 3.0)]
    assert (cube.value_unit, cube.quantity_unit) == ("EUR", "tonnes")
    out = ws.trade_of_sdmx(table, flows="exports").to_frame()
    assert out.select("exporter", "importer", "value").rows() == [("DE", "FR", 7.0)]
    assert pl.Series(["W745"]).is_in([f.code for f in cube.findings]).all()
