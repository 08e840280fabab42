"""FIGARO and EXIOBASE read to the numbers that their files were written from."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import mrio_files as files
import mrio_more_files as more
import withstand as ws
from withstand.model.economy import residuals
from withstand.model.network import ProductionNetwork

FIGARO = (["AT", "DE", "FIGW1"], ["A01", "C10T12", "P85"], more.FIGARO_CATEGORIES)
EXIOBASE = (["AT", "WA"], ["Cultivation of wheat", "Mining, other"], more.EXIOBASE_CATEGORIES)
JOBS = "Employment people: Low-skilled male"


def assert_is(network: ProductionNetwork, w: files.World) -> None:
    table = network.flow_table
    assert table is not None
    assert network.node_labels.tolist() == [f"{p}@{r}" for r in w.regions for p in w.sectors]
    np.testing.assert_allclose(table.flows, w.Z, rtol=1e-13, atol=0)
    np.testing.assert_allclose(table.final, w.Y, rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(network.output, w.x, rtol=1e-12)
    np.testing.assert_allclose(network.value_added, w.va + w.taxes, rtol=1e-10)
    columns = zip(network.region_labels[table.final_region], table.final_category, strict=True)
    assert [tuple(map(str, c)) for c in columns] == w.final
    assert not residuals(network)["is_beyond"].any()
    assert network.settings.currency == "million EUR"


def extension(network: ProductionNetwork, name: str) -> np.ndarray:
    return network.tables["extensions"].filter(pl.col("name") == name)["value"].to_numpy()


@pytest.mark.parametrize("prefix", ["", "CPA_"], ids=["industries", "products"])
@pytest.mark.parametrize("form", ["matrix", "flat", "zip"])
def test_figaro_is_read_in_every_form(tmp_path: Path, form: str, prefix: str) -> None:
    w = files.world(*FIGARO)
    kind = "prod-by-prod" if prefix else "ind-by-ind"
    if form == "matrix":
        file = tmp_path / f"matrix_eu-ic-io_{kind}_24ed_2022.csv"
        more.write_figaro_matrix(w, file, prefix)
    else:
        file = tmp_path / f"flatfile_eu-ic-io_{kind}_24ed_2022.{'zip' if form == 'zip' else 'csv'}"
        more.write_figaro_flat(w, file, prefix, is_zipped=form == "zip")
    network = ws.read_mrio(file, home="DEU")
    assert_is(network, w)
    assert network.settings.home == "DE"
    assert network.region_names.tolist() == ["Austria", "Germany", "Rest of the world"]
    np.testing.assert_allclose(extension(network, "taxes less subsidies on products"), w.taxes)
    np.testing.assert_allclose(extension(network, "value added at basic prices"), w.va)
    facts = dict(network.tables["sources"].select("source", "statement").iter_rows())
    assert facts["year"] == "2022"


def test_cells_that_a_flat_file_leaves_out_are_zero_and_order_does_not_matter(
    tmp_path: Path,
) -> None:
    w = files.world(*FIGARO)
    file = tmp_path / "flatfile_eu-ic-io_ind-by-ind_26ed_2024.csv"
    more.write_figaro_flat(w, file)
    frame = pl.read_csv(file, infer_schema=False)
    whole = ws.read_mrio(file)
    frame = frame.filter(pl.col("obsValue").cast(pl.Float64) != 0)
    frame.write_csv(file)
    assert ws.read_mrio(file).fingerprint() == whole.fingerprint()
    frame.reverse().write_csv(file)
    back = ws.read_mrio(file)
    order = [back.index("nodes")[label] for label in whole.node_labels.tolist()]
    np.testing.assert_array_equal(back.flow_table.flows[np.ix_(order, order)], w.Z)
    np.testing.assert_allclose(back.output[order], w.x, rtol=1e-12)


@pytest.mark.parametrize(
    ("change", "code", "said"),
    [
        (lambda t: t.replace("W2_D1,", "W2_D2,"), "E101", "W2_D1"),
        (lambda t: t.replace("W2_D1,", "W2_D2,"), "E125", "W2_D2"),
        (lambda t: t.replace("AT_P5M", "AT_P9X"), "E101", "AT_P5M"),
        (lambda t: t.replace(",DE_A01", ",DE_A99", 1), "E101", "DE_A01"),
        (lambda t: t.replace("\nDE_A01", "\nAT_A01"), "E106", "AT_A01"),
        (lambda t: t.replace("AT_C10T12", "C10T12"), "E125", "C10T12"),
    ],
)
def test_a_figaro_matrix_that_is_not_as_published_is_refused_by_name(
    tmp_path: Path, change: object, code: str, said: str
) -> None:
    file = tmp_path / "matrix_eu-ic-io_ind-by-ind_24ed_2022.csv"
    more.write_figaro_matrix(files.world(*FIGARO), file)
    file.write_text(change(file.read_text()))  # type: ignore[operator]
    with pytest.raises(ws.DataError) as error:
        ws.read_mrio(file, "figaro")
    assert any(f.code == code and said in f.what for f in error.value.findings)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda t: t.replace("refArea", "refarea2"), "E101"),
        (lambda t: t + t.splitlines()[5] + "\n", "E106"),
        (lambda t: t + "AT_A01,AT_A01,AT,A01,AT,X,abc\n", "E103"),
        (lambda t: t + "AT_A01,AT_A01,AT,,AT,X,1\n", "E102"),
        (lambda t: t.splitlines()[0] + "\n", "E112"),
    ],
)
def test_a_flat_file_with_faults_is_refused(tmp_path: Path, change: object, code: str) -> None:
    file = tmp_path / "flatfile_eu-ic-io_ind-by-ind_24ed_2022.csv"
    more.write_figaro_flat(files.world(*FIGARO), file)
    file.write_text(change(file.read_text()))  # type: ignore[operator]
    with pytest.raises(ws.DataError) as error:
        ws.read_mrio(file, "figaro")
    assert code in {f.code for f in error.value.findings}


# --- EXIOBASE -------------------------------------------------------------------------------------


def exiobase() -> tuple[files.World, dict[str, np.ndarray]]:
    w = files.world(*EXIOBASE)
    rng = np.random.default_rng(7)
    return w, {JOBS: rng.random(4), "CO2 - combustion - air": rng.random(4)}


@pytest.mark.parametrize("is_zipped", [False, True], ids=["folder", "zip"])
def test_exiobase_is_read_from_folder_and_archive(tmp_path: Path, *, is_zipped: bool) -> None:
    w, satellite = exiobase()
    place = more.write_exiobase(more.exiobase_texts(w, satellite), tmp_path, is_zipped=is_zipped)
    network = ws.read_mrio(place)
    assert_is(network, w)
    assert network.name == "IOT_2019_ixi"
    assert network.region_names.tolist() == ["Austria", "Rest of Asia and Pacific"]
    np.testing.assert_allclose(extension(network, JOBS), satellite[JOBS])
    assert set(network.tables["extensions"]["unit"]) == {"1000 p."}
    by_year = ws.read_mrio_years(tmp_path)
    assert by_year[2019].fingerprint() == network.fingerprint()


def test_flows_come_from_coefficients_where_there_is_no_matrix_of_flows(tmp_path: Path) -> None:
    w, satellite = exiobase()
    texts = more.exiobase_texts(w, satellite)
    del texts["Z.txt"]
    network = ws.read_mrio(more.write_exiobase(texts, tmp_path))
    np.testing.assert_allclose(network.flow_table.flows, w.Z, rtol=1e-12)
    del texts["x.txt"]
    texts["x.txt"] = "region\tsector\tindout\n"
    with pytest.raises(ws.DataError):
        ws.read_mrio(more.write_exiobase(texts, tmp_path))


def test_headers_without_the_row_of_names_are_read_too(tmp_path: Path) -> None:
    w, satellite = exiobase()
    texts = more.exiobase_texts(w, satellite)
    for name in ("Z.txt", "Y.txt"):
        lines = texts[name].splitlines()
        texts[name] = "\n".join(lines[:2] + lines[3:]) + "\n"
    assert_is(ws.read_mrio(more.write_exiobase(texts, tmp_path)), w)


def test_stressors_beyond_the_limit_are_left_out_and_people_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    w, satellite = exiobase()
    backwards = dict(reversed(satellite.items()))  # the stressor that counts most stands last
    monkeypatch.setattr("withstand.readers.mrio_exiobase.MOST_EXTENSION_ROWS", 4)
    network = ws.read_mrio(more.write_exiobase(more.exiobase_texts(w, backwards), tmp_path))
    assert set(network.tables["extensions"]["name"]) == {JOBS}
    assert "N211" in {f.code for f in network.findings}


@pytest.mark.parametrize(
    ("name", "change", "code"),
    [
        ("Z.txt", lambda t: t.replace("Mining, other", "Mining"), "E123"),
        ("Y.txt", lambda t: t.replace("\nWA\tCult", "\nAT\tCult"), "E106"),
        ("x.txt", lambda t: "\n".join(t.splitlines()[:-1]) + "\n", "E101"),
        ("satellite/F.txt", lambda t: t.replace("AT", "DE", 1), "E123"),
        ("Z.txt", lambda t: t.replace("0.", "zero.", 1), "E103"),
    ],
)
def test_exiobase_with_faults_is_refused(
    tmp_path: Path, name: str, change: object, code: str
) -> None:
    texts = more.exiobase_texts(*exiobase())
    texts[name] = change(texts[name])  # type: ignore[operator]
    with pytest.raises(ws.DataError) as error:
        ws.read_mrio(more.write_exiobase(texts, tmp_path))
    assert code in {f.code for f in error.value.findings}


@pytest.mark.parametrize("name", ["Z.txt", "Y.txt"])
def test_an_archive_that_unpacks_to_far_more_is_refused(tmp_path: Path, name: str) -> None:
    file = tmp_path / "IOT_2019_ixi.zip"
    texts = more.exiobase_texts(*exiobase())
    texts[name] = "0" * 30_000_000
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for member, text in texts.items():
            archive.writestr(member, text)
    with pytest.raises(ws.DataError) as error:
        ws.read_mrio(file)
    assert [f.code for f in error.value.findings] == ["E122"]


def test_a_member_that_leads_out_of_the_archive_stays_in_its_own_folder(tmp_path: Path) -> None:
    w = files.world(*FIGARO)
    inner = tmp_path / "inner.csv"
    more.write_figaro_matrix(w, inner)
    file = tmp_path / "a" / "matrix_eu-ic-io_ind-by-ind_24ed_2022.zip"
    file.parent.mkdir()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("../../matrix_eu-ic-io_2022.csv", inner.read_text())
    assert_is(ws.read_mrio(file), w)
    assert {p.name for p in tmp_path.rglob("*")} == {"a", "inner.csv", file.name}
