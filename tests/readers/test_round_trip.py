"""What is written reads back the same: tables, numbers to the last digit, fingerprint."""

from __future__ import annotations

import math
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import openpyxl
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from breaking import tiny_project
from withstand.errors import UsageError
from withstand.examples import example
from withstand.model.building import build_network
from withstand.model.network import ProductionNetwork
from withstand.model.settings import Settings
from withstand.readers import read_folder, write_folder

FORMATS = ("csv", "parquet", "xlsx")
AWKWARD = [
    "with \"quotes\", commas; and 'apostrophes'",
    "two\nlines",
    "a tab\tinside",
    "+5V supply",
    "-12 V rail",
    "'=quoted formula",
    "''+two apostrophes",
    "Größe Ж 工厂 🏭",
    "https://example.org/?a=1&b=2",
    "007",
    "1e5",
    "yes",
    "NaN",
    "#1 supplier",
    "_x000D_ and _x0041_",
    "a < b > c & d",
    "{=curly}",
    "x" * 32_767,
]
NUMBERS = [1 / 3, 0.1 + 0.2, 1e-300, 5e-324, 123456.789012345678, 999999999999999.9, 0.0, 2.0**-40]


def with_all_tables() -> ProductionNetwork:
    """A network that fills every table, with `*` rows, node-level recipes and awkward text."""
    n = len(AWKWARD)
    tables = {
        "products": pl.DataFrame(
            {
                "product": [f"P{i}" for i in range(n)],
                "name": AWKWARD,
                "kind": ["product", "skill", *["component"] * (n - 2)],
                "hs": ["010121", *[None] * (n - 1)],
            }
        ),
        "nodes": pl.DataFrame(
            {
                "node": [f"n{i}" for i in range(n)],
                "product": [f"P{i}" for i in range(n)],
                "region": ["HOME", "FAR"] * (n // 2),
                "company": AWKWARD[::-1],
                "final_demand": [10.0, *[0.0] * (n - 1)],
                "price": (NUMBERS * 3)[:n],
                "latitude": [-33.5, *[None] * (n - 1)],
                "price_basis": [None, *AWKWARD[1:]],
            }
        ),
        "regions": pl.DataFrame(
            {"region": ["HOME", "FAR"], "home": [True, False], "allowed": [None, True],
             "bloc": ["EU;OECD", None]}
        ),
        "final_demand": pl.DataFrame(
            {"node": ["n0", "n0"], "region": ["HOME", "FAR"], "category": ["sales", "export, net"],
             "value": [4.0, 6.0]}
        ),
        "extensions": pl.DataFrame({"node": ["n0"], "name": ["jobs"], "value": [-1 / 3]}),
        "recipes": pl.DataFrame(
            {"buyer": ["P0", "n0", "n2"], "input": ["P1", "P2", "P3"], "quantity": NUMBERS[:3],
             "class": ["essential", None, "minor"], "use": [None, "hosted", "consumed"],
             "lag": [None, 1.5, 0.0]}
        ),
        "links": pl.DataFrame(
            {"supplier": ["n1", "n2", "n3"], "buyer": ["*", "n0", "P2"],
             "product": [None, "P2", "P3"], "share": [1.0, 1.0, 1.0],
             "lead_time": [0.5, None, 52.0], "route": ["Suez, north", None, "Öresund"]}
        ),
        "stocks": pl.DataFrame(
            {"node": ["*", "n0"], "product": ["P3", "P2"], "quantity": [None, 1 / 7],
             "periods_of_use": [4.0, None]}
        ),
        "classes": pl.DataFrame(
            {"supplier_product": ["P1"], "buyer_product": ["P0"], "class": ["important"]}
        ),
        "occupations": pl.DataFrame(
            {"occupation": ["o"], "name": ["Grinder"], "product": ["P1"], "people": [3.0],
             "training_weeks": ["26.50"]}
        ),
        "programmes": pl.DataFrame(
            {"programme": ["p"], "occupation": ["o"], "duration": [26.0], "completion": [0.7]}
        ),
        "options": pl.DataFrame(
            {"option": ["second"], "kind": ["second_source"], "cost_once": [1e6 / 3],
             "note": ["-"], "requires": [None]}, schema_overrides={"requires": pl.String}
        ),
        "option_effects": pl.DataFrame(
            {"option": ["second"], "effect": ["shift_share"], "product": ["P2"], "from": ["n2"],
             "to": ["n4"], "amount": [0.25]}
        ),
        "option_uses": pl.DataFrame({"option": ["second"], "product": ["P1"], "quantity": [9.0]}),
        "targets": pl.DataFrame(
            {"indicator": ["coverage"], "direction": ["at_least"], "year": [2028], "value": [0.5]}
        ),
        "sources": pl.DataFrame({"source": ["S01"], "statement": [AWKWARD[0]], "url": ["x"]}),
    }  # fmt: skip
    stated = Settings(
        name='A "name" with \\ and \u2028', home="HOME", currency="EUR", period="month",
        viewpoint="P0", thresholds={'odd "key" = 1': 0.1 + 0.2},
    )  # fmt: skip
    return build_network(tables, stated)


def assert_same(one: ProductionNetwork, other: ProductionNetwork) -> None:
    assert set(one.tables) == set(other.tables)
    for name, frame in one.tables.items():
        columns = sorted(frame.columns)
        left, right = frame.select(columns), other.tables[name].select(columns)
        assert left.schema == right.schema, name
        assert left.equals(right, null_equal=True), name
    assert one.settings == other.settings
    assert one.fingerprint() == other.fingerprint()


@pytest.mark.parametrize("format", FORMATS)
def test_the_robot_maker_reads_back_the_same(tmp_path: Path, format: str) -> None:
    net = example("robot_maker")
    assert_same(net, read_folder(write_folder(net, tmp_path / "plant", format=format)))


@pytest.mark.parametrize("format", FORMATS)
def test_every_table_and_awkward_text_reads_back_the_same(tmp_path: Path, format: str) -> None:
    net = with_all_tables()
    assert_same(net, read_folder(write_folder(net, tmp_path / "all [1] *?", format=format)))


@pytest.mark.parametrize("format", FORMATS)
def test_a_second_trip_changes_no_byte(tmp_path: Path, format: str) -> None:
    once = write_folder(with_all_tables(), tmp_path / "once", format=format)
    twice = write_folder(read_folder(once), tmp_path / "twice", format=format)
    for file in (p for p in once.rglob("*") if p.is_file() and p.suffix != ".xlsx"):
        assert file.read_bytes() == (twice / file.relative_to(once)).read_bytes(), file.name


def test_a_format_replaces_the_files_of_another_and_nothing_else(tmp_path: Path) -> None:
    net = read_folder(tiny_project(tmp_path / "p"))
    for extra in ("data/given.csv", "scenarios/loss.toml", "tables/notes.md"):
        (tmp_path / "p" / extra).parent.mkdir(exist_ok=True)
        (tmp_path / "p" / extra).write_text("mine")
    for format in ("parquet", "xlsx", "csv", "xlsx"):
        assert_same(net, read_folder(write_folder(net, tmp_path / "p", format=format)))
    assert sorted(p.name for p in (tmp_path / "p" / "tables").iterdir()) == [
        "notes.md",
        "tables.xlsx",
    ]
    assert (tmp_path / "p" / "data" / "given.csv").read_text() == "mine"


def test_text_that_a_spreadsheet_would_run_is_defused_in_csv(tmp_path: Path) -> None:
    folder = write_folder(with_all_tables(), tmp_path / "p")
    for file in (folder / "tables").glob("*.csv"):
        for series in pl.read_csv(file, infer_schema=False):
            for cell in series.drop_nulls():
                is_number = cell.lstrip("-").replace(".", "").replace("e-", "").isdigit()
                assert is_number or cell[0] not in "=+-@", (file.name, cell)


def test_text_is_written_as_text_into_workbooks(tmp_path: Path) -> None:
    folder = write_folder(with_all_tables(), tmp_path / "p", format="xlsx")
    book = openpyxl.load_workbook(folder / "tables" / "tables.xlsx")
    kinds = {c.data_type for sheet in book for row in sheet for c in row if c.value is not None}
    assert kinds == {"s", "n"}
    assert all(c.hyperlink is None for sheet in book for row in sheet for c in row)


def test_a_column_name_that_looks_like_a_formula_is_defused_and_reads_back(tmp_path: Path) -> None:
    net = read_folder(tiny_project(tmp_path / "t"))
    nodes = net.tables["nodes"].with_columns(pl.lit("x").alias("=cmd()"))
    net = net.with_changes({"nodes": nodes})
    folder = write_folder(net, tmp_path / "p")
    assert "'=cmd()" in (folder / "tables" / "nodes.csv").read_text().splitlines()[0]
    assert_same(net, read_folder(folder))


def test_text_too_long_for_a_sheet_is_refused_and_nothing_is_written(tmp_path: Path) -> None:
    net = read_folder(tiny_project(tmp_path / "t"))
    nodes = net.tables["nodes"].with_columns(pl.lit("x" * 40_000).alias("remark"))
    with pytest.raises(UsageError, match="use parquet"):
        write_folder(net.with_changes({"nodes": nodes}), tmp_path / "p", format="xlsx")
    assert not (tmp_path / "p").exists()


def test_an_unknown_format_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="csv, parquet, xlsx"):
        write_folder(example("robot_maker"), tmp_path / "p", format="ods")


# --- random networks -----------------------------------------------------------------------------

LABELS = st.text(
    st.characters(codec="utf-8", categories=("L", "N"), include_characters="@_. ()'\"&,;é工"),
    min_size=1,
    max_size=12,
).map(str.strip)
TEXT = st.text(
    st.characters(codec="utf-8", exclude_categories=("C", "Zl", "Zp"), include_characters="\n\t"),
    max_size=30,
).filter(lambda text: "<" not in text and text.strip()[:1] not in ("=", "@", "#"))
SIZES = st.floats(0, 1e15, allow_subnormal=True)


@st.composite
def networks(draw: st.DrawFn) -> ProductionNetwork:
    """A network of a few tiers: each node needs the products of the nodes after it."""
    labels = draw(st.lists(LABELS.filter(_is_plain), min_size=2, max_size=7, unique_by=lambda x: x))
    n = len(labels)
    nodes: dict[str, Any] = {
        "node": labels,
        "product": [f"{x}!" for x in labels],
        "region": [draw(st.sampled_from(["HOME", "FAR"])) for _ in labels],
        "site": [draw(TEXT) for _ in labels],
        "final_demand": [draw(st.floats(0, 1e6)) for _ in labels],
        "price": [draw(st.none() | SIZES) for _ in labels],
    }
    pairs = [(i, j) for i in range(n) for j in range(i + 1, n) if draw(st.booleans())]
    tables = {
        "nodes": pl.DataFrame(nodes, schema_overrides={"price": pl.Float64}),
        "recipes": pl.DataFrame(
            {
                "buyer": [labels[i] for i, _ in pairs],
                "input": [f"{labels[j]}!" for _, j in pairs],
                "quantity": [draw(st.floats(0, 3)) for _ in pairs],
                "class": [draw(st.sampled_from(["essential", "minor", None])) for _ in pairs],
            },
            schema={
                "buyer": pl.String,
                "input": pl.String,
                "quantity": pl.Float64,
                "class": pl.String,
            },
        ),
    }
    return build_network(tables, Settings(name=draw(TEXT), assume_recipe="shared"))


def _is_plain(label: str) -> bool:
    return bool(label) and label[0] not in "=+-@'" and label != "*"


@settings(max_examples=30, suppress_health_check=[HealthCheck.too_slow])
@given(net=networks(), format=st.sampled_from(FORMATS))
def test_random_networks_read_back_the_same(
    net: ProductionNetwork, format: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("trip") / "p"
    assert_same(net, read_folder(write_folder(net, folder, format=format)))


# --- the fingerprint -----------------------------------------------------------------------------


def test_the_fingerprint_does_not_see_the_order_of_rows_and_columns() -> None:
    net = with_all_tables()
    mixed = {
        name: frame.select(sorted(frame.columns)).sample(fraction=1, shuffle=True, seed=7)
        for name, frame in net.tables.items()
    }
    assert net.with_changes(mixed).fingerprint() == net.fingerprint()


def test_the_fingerprint_sees_every_number_and_every_label(tmp_path: Path) -> None:
    net = read_folder(tiny_project(tmp_path / "t"))
    seen = {net.fingerprint()}
    changed = 1
    for name, frame in net.tables.items():
        for column, dtype in frame.schema.items():
            for row in range(frame.height if dtype.is_float() else 0):
                value = frame[row, column]
                if value is None or column == "share":
                    continue
                other = frame.clone()
                other[row, column] = math.nextafter(value, 2 * value + 1)
                seen.add(net.with_changes({name: other}).fingerprint())
                changed += 1
    assert changed > 12
    assert len(seen) == changed


def test_the_fingerprint_sees_the_settings_that_matter() -> None:
    net = with_all_tables()
    others = [
        {"home": "FAR"}, {"period": "week"}, {"currency": "USD"}, {"viewpoint": "P1"},
        {"assume_recipe": "shared"}, {"lens": "firms"}, {"final_demand": {"P0": 1.0}},
    ]  # fmt: skip
    prints = {net.with_changes(settings=replace(net.settings, **o)).fingerprint() for o in others}
    assert len(prints | {net.fingerprint()}) == len(others) + 1


def test_an_empty_column_is_no_column(tmp_path: Path) -> None:
    net = read_folder(tiny_project(tmp_path / "t"))
    nodes = net.tables["nodes"].with_columns(pl.lit(None, pl.Float64).alias("output"))
    assert net.with_changes({"nodes": nodes}).fingerprint() == net.fingerprint()


def test_the_fingerprint_is_the_same_in_every_process(tmp_path: Path) -> None:
    folder = write_folder(with_all_tables(), tmp_path / "p")
    code = "import sys; from withstand.readers import read_folder; "
    code += "print(read_folder(sys.argv[1]).fingerprint())"
    told = set()
    for seed in ("0", "1", "4294967295"):
        done = subprocess.run(
            [sys.executable, "-c", code, str(folder)], capture_output=True, text=True, check=True,
            env={**os.environ, "PYTHONHASHSEED": seed},
        )  # fmt: skip
        told.add(done.stdout.strip())
    assert told == {with_all_tables().fingerprint()}
