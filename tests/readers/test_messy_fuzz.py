"""Whatever the bytes, reading them gives blocks and findings and never raises."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from messy_files import make_files
from withstand.readers.messy import Blocks, Limits, NumberFormat, read_blocks
from withstand.readers.messy.encodings import sniff_encoding
from withstand.readers.messy.formats import sniff_format
from withstand.readers.messy.numbers import read_numbers

SMALL = Limits(unzipped_bytes=2**24, cells=2**20, rows=2**16, columns=2000)
FUZZ = settings(
    max_examples=80, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
SUFFIXES = (".csv", ".tsv", ".txt", ".xlsx", ".xls", ".ods", ".xlsb")


@pytest.fixture(scope="module")
def valid(tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    files = make_files(tmp_path_factory.mktemp("seeds"), 1)
    return [f.path.read_bytes() for f in files[::7]]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzz")


def sound(place: Path, content: bytes, suffix: str) -> Blocks:
    """Read bytes and use every column in every way."""
    path = place / f"file{suffix}"
    path.write_bytes(content)
    read = read_blocks(path, limits=SMALL)
    assert read.blocks or read.findings
    for block in read.blocks:
        assert len(block.header) == len(block.cells) == len(block.units) == block.n_columns
        assert all(len(c) == block.n_rows for c in block.cells)
        assert block.to_frame().height == (block.n_rows if block.n_columns else 0)
        for i in range(block.n_columns):
            found = block.numbers(i)
            assert not (found.values.is_not_null() & block.cells[i].is_null()).any()
            assert (found.values.is_null() | found.values.is_finite()).all()
            block.dates(i)
            block.yesno(i)
    return read


@FUZZ
@given(content=st.binary(max_size=400), suffix=st.sampled_from(SUFFIXES))
@example(content=b"\xff\xfe\x00", suffix=".csv")
@example(content=b"\xef\xbb\xbf", suffix=".csv")
@example(content=b'"', suffix=".csv")
@example(content=b"sep=", suffix=".csv")
@example(content=b"\xff\xfe\x00\x00", suffix=".csv")
def test_any_bytes(place: Path, content: bytes, suffix: str) -> None:
    sound(place, content, suffix)


CELL = st.one_of(
    st.sampled_from(
        (
            "",
            "Total",
            "1.234,5",
            "1,234",
            "12 %",
            "(3)",
            "00123",
            "1-2",
            "n/a",
            "#N/A",
            "Part",
            "Qty",
        )
    ),
    st.text(max_size=8),
    st.floats().map(repr),
    st.dates().map(str),
)


@FUZZ
@given(
    rows=st.lists(st.lists(CELL, max_size=6), max_size=14),
    separator=st.sampled_from((",", ";", "\t", "|", "   ")),
    encoding=st.sampled_from(("utf-8", "utf-16", "cp1252", "cp1251", "gb18030")),
)
def test_any_cells(place: Path, rows: list[list[str]], separator: str, encoding: str) -> None:
    text = "\n".join(separator.join(row) for row in rows)
    sound(place, text.encode(encoding, errors="replace"), ".csv")


@FUZZ
@given(data=st.data())
def test_any_change_of_a_valid_file(place: Path, valid: list[bytes], data: st.DataObject) -> None:
    content = bytearray(data.draw(st.sampled_from(valid)))
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, max(len(content) - 1, 0)))
        kind = data.draw(st.sampled_from(("set", "cut", "insert", "double")))
        if kind == "set" and content:
            content[at] = data.draw(st.integers(0, 255))
        elif kind == "cut":
            del content[at : at + data.draw(st.integers(1, 200))]
        elif kind == "insert":
            content[at:at] = data.draw(st.binary(max_size=20))
        else:
            content[at:at] = content[at : at + 100]
    suffix = ".xlsx" if content.startswith(b"PK") else ".csv"
    sound(place, bytes(content), suffix)


FORMS = [NumberFormat(d, t) for d in ".," for t in ("", ",", ".", " ", "'") if t != d]


@FUZZ
@given(
    values=st.lists(st.integers(-(10**9), 10**9).map(lambda n: n / 100), min_size=1, max_size=12),
    form=st.sampled_from(FORMS),
)
def test_numbers_written_in_a_format_read_back_in_it(
    values: list[float], form: NumberFormat
) -> None:
    text = [_written(v, form) for v in values]
    import polars as pl

    cells = pl.Series(text)
    assert read_numbers(cells, form).values.to_list() == values
    found = sniff_format(cells)
    assert found.form is not None  # two decimals always tell
    assert read_numbers(cells, found.form).values.to_list() == values


def _written(value: float, form: NumberFormat) -> str:
    text = f"{value:,.2f}" if form.thousands else f"{value:.2f}"
    return text.replace(".", "\0").replace(",", form.thousands).replace("\0", form.decimal)


@pytest.mark.parametrize(
    ("text", "encodings"),
    [
        (
            "Artikelnummer;Stückzahl;Größe;Lieferant\nA1;Müller & Söhne",
            ("cp1252", "mac_roman", "cp850"),
        ),
        ("Référence;Désignation;Délai;Coût\nA;Société Générale", ("cp1252", "mac_roman", "cp850")),
        ("Numer części;Nazwa;Ilość\nA;Łożysko kulkowe;Żywiec", ("cp1250", "iso8859-2")),
        ("Číslo dílu;Název;Množství\nA;Převodovka;šroub;hřídel", ("cp1250", "iso8859-2")),
        ("Артикул;Наименование;Количество\nA;ООО Завод", ("cp1251", "cp866", "iso8859-5")),
        ("АРТИКУЛ;ЦЕНА;СТРАНА\nЗАВОД;НИИ", ("cp1251",)),
        ("零件编号;名称;数量;供应商\nA;轴承;减速器", ("gb18030",)),
        ("品番;品名;数量;サプライヤー\nA;ベアリング", ("shift_jis", "euc_jp")),
        ("부품번호;이름;수량;공급업체", ("euc_kr",)),
        ("Parça numarası;Tedarikçi;Ülke;İstanbul;ağırlık", ("cp1254",)),
        ("Preis in €", ("cp1252",)),
    ],
)
def test_encodings_are_told_by_their_letters(text: str, encodings: tuple[str, ...]) -> None:
    for encoding in encodings:
        guess = sniff_encoding(text.encode(encoding))
        assert guess is not None
        assert text.encode(encoding).decode(guess.encoding) == text
        assert guess.sure < 1.0
