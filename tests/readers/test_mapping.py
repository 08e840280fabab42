"""Columns of files are mapped without help where it is sure, and never where it is not."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mapped_columns import mapped_columns
from withstand.model.settings import Settings
from withstand.readers.mapping.assigning import LEAST_SUGGESTED, assign, match_block
from withstand.readers.mapping.converted import Terms
from withstand.readers.mapping.converting import convert
from withstand.readers.mapping.erp import erp_names, erp_tables, find_erp
from withstand.readers.mapping.names import same_names
from withstand.readers.mapping.region_names import region_of, same_codes
from withstand.readers.mapping.targets import candidates, targets
from withstand.readers.mapping.vocabulary import ideas, load_data, nearness
from withstand.readers.messy import read_blocks

EVERY = candidates(frozenset(), "plant")
WEEKS = Settings(currency="USD", home="HOME")


@pytest.fixture
def block_of(tmp_path):
    """Return the one block of a CSV file of some lines."""

    def make(*lines, name="file.csv"):
        path = tmp_path / name
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        (block,) = read_blocks(path).blocks
        return block

    return make


def taken(match):
    return {p.header: p.target for p in match.picks if p.is_taken}


# --- the measure: every generated file, mapped without help --------------------------------------


@pytest.fixture(scope="module")
def mapped(tmp_path_factory):
    return mapped_columns(tmp_path_factory.mktemp("messy"), 1)


def test_nearly_all_columns_are_mapped_without_help(mapped):
    due = mapped.filter(pl.col("truth").is_not_null())
    assert due.height > 300
    assert due["is_right"].mean() >= 0.95


def test_no_column_is_taken_for_another(mapped):
    wrong = mapped.filter(pl.col("found").is_not_null() & ~pl.col("is_right"))
    assert wrong.is_empty(), wrong


# --- one assignment for the whole block ----------------------------------------------------------


@given(
    st.integers(1, 4).flatmap(
        lambda n: st.lists(
            st.lists(st.integers(0, 10), min_size=3, max_size=3), min_size=n, max_size=n
        )
    )
)
def test_the_assignment_is_the_best_of_all_and_its_margins_are_true(rows):
    matrix = np.array(rows, dtype=float) / 10.0
    kept = np.where(matrix >= LEAST_SUGGESTED, matrix, 0.0)

    def best(values):
        n, m = values.shape
        size = min(n, m)
        return max(
            sum(values[i, j] for i, j in zip(chosen, order, strict=True))
            for chosen in itertools.combinations(range(n), size)
            for order in itertools.permutations(range(m), size)
        )

    pairs = assign(matrix)
    assert sum(kept[i, j] for i, j, _, _ in pairs) == pytest.approx(best(kept))
    for i, j, score, margin in pairs:
        without = kept.copy()
        without[i, j] = 0.0
        assert score == matrix[i, j]
        assert margin == pytest.approx(best(kept) - best(without))


def test_two_columns_of_one_meaning_are_left_to_the_user(block_of):
    block = block_of(
        "Part No;Component;Qty;Quantity",
        "A;B;1;2", "A;C;2;3", "B;D;5;5",
        name="bom.csv",
    )  # fmt: skip
    match = match_block(block, EVERY, (), "bom")
    assert match.table == "recipes"
    assert "Qty" not in taken(match)
    assert "Quantity" not in taken(match)


def test_a_name_that_only_contains_the_word_is_a_suggestion(block_of):
    block = block_of("Item;Supplier;Country;Share;Supplier price group", "A;X;DE;1;7", "B;Y;JP;1;9")
    match = match_block(block, EVERY, (), "suppliers")
    pick = next(p for p in match.picks if p.header == "Supplier price group")
    assert (pick.target, pick.is_taken) == ("price", False)


def test_cells_that_contradict_the_name_stop_it(block_of):
    block = block_of(
        "Item;Supplier;Country;Share;Price", "A;X;DE;1;on request", "B;Y;JP;1;to be agreed"
    )
    assert "Price" not in taken(match_block(block, EVERY, (), "suppliers"))


def test_a_stock_without_a_unit_of_time_is_no_number_of_weeks(block_of):
    lines = ["Artikel;Lieferant;Land;Anteil;{}", "A;X;DE;1;7", "B;Y;JP;1;9"]
    plain = block_of(lines[0].format("Lagerbestand"), *lines[1:])
    weeks = block_of(lines[0].format("Lagerbestand (Wochen)"), *lines[1:])
    assert "Lagerbestand" not in taken(match_block(plain, EVERY, (), "lieferanten"))
    assert (
        taken(match_block(weeks, EVERY, (), "lieferanten"))["Lagerbestand (Wochen)"] == "inventory"
    )


def test_the_words_of_ideas_are_read_in_every_language():
    data = load_data("words.toml")
    assert len(data["lead_time"]) >= 10
    for language, words in data["lead_time"].items():
        for word in words.split(";"):
            assert nearness(word.strip(), "lead_time") == 1.0, (language, word)
    assert set(ideas()) == set(data)


def test_every_idea_of_the_tables_has_words():
    for target in targets().values():
        for column in target.columns:
            assert all(idea in ideas() for idea, _, _ in column.ideas), (target.name, column.name)


# --- planning systems ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("header", "erp", "table"),
    [
        (["MATNR", "WERKS", "STLNR", "IDNRK", "MENGE", "MEINS"], "sap", "recipes"),
        (["MATNR", "LIFNR", "NAME1", "LAND1", "NETPR", "WAERS", "APLFZ"], "sap", "suppliers"),
        (
            ["id", "product_tmpl_id", "bom_line_ids/product_id", "bom_line_ids/product_qty"],
            "odoo",
            "recipes",
        ),
        (["partner_id", "product_tmpl_id", "price", "currency_id", "delay"], "odoo", "suppliers"),
        (["ID", "Item", "Item Code (Items)", "Qty (Items)"], "erpnext", "recipes"),
        (["pk", "part", "sub_part", "quantity", "reference"], "inventree", "recipes"),
        (["supplier", "item", "location", "cost", "leadtime"], "frepple", "suppliers"),
    ],
)  # fmt: skip
def test_exports_of_planning_systems_are_known_by_their_header(header, erp, table):
    found = find_erp(header, EVERY)
    assert (found.erp, found.table) == (erp, table)


def test_maps_of_planning_systems_name_columns_that_there_are():
    assert erp_names() == ["erpnext", "frepple", "inventree", "odoo", "sap"]
    for known in erp_tables():
        columns = targets()[known.table].by_name
        assert set(known.columns.values()) <= set(columns), known
        assert set(known.fits) <= set(known.columns) | {"assembly", "item_group"}, known


# --- units ---------------------------------------------------------------------------------------


def converted(block, terms, name="suppliers"):
    match = match_block(block, [name], (), name)
    return convert(block, dataclasses.replace(match, is_taken=True), "file.csv", terms)


def test_times_rates_and_shares_come_into_the_units_of_the_project(block_of):
    block = block_of(
        "Item;Supplier;Country;Share [%];Lead time;Capacity per month;Price (kUSD)",
        "A;X;Germany;60;14 days;52;1.5",
        "A;Y;JP;40;3 weeks;104;2",
    )
    out = converted(block, Terms(settings=WEEKS))
    assert out.frame["share"].to_list() == [0.6, 0.4]
    assert out.frame["lead_time"].to_list() == [2.0, 3.0]
    assert out.frame["capacity"].to_list() == pytest.approx([12.0, 24.0])  # 12 months, 52 weeks
    assert out.frame["price"].to_list() == [1500.0, 2000.0]
    assert out.frame["country"].to_list() == ["DE", "JP"]
    assert {f.code for f in out.findings} == {"N722", "N723"}


def test_a_unit_that_nobody_states_is_never_guessed(block_of):
    block = block_of(
        "Item;Supplier;Country;Share;Lieferzeit;Preis", "A;X;DE;1;14;3", "B;Y;DE;1;7;2"
    )
    faults = [f for f in converted(block, Terms(settings=WEEKS)).findings if f.severity == "error"]
    assert [(f.code, f.column) for f in faults] == [("E723", "Lieferzeit"), ("E723", "Preis")]
    stated = Terms(settings=WEEKS, units={"lead_time": "days", "price": "USD"})
    assert converted(block, stated).frame["lead_time"].to_list() == [2.0, 1.0]


def test_another_currency_needs_a_rate(block_of):
    block = block_of("Item;Supplier;Country;Share;Price EUR", "A;X;DE;1;10", "B;Y;DE;1;20")
    assert [f.code for f in converted(block, Terms(settings=WEEKS)).findings] == ["E724"]
    rated = converted(block, Terms(settings=WEEKS, rates={"EUR": 1.5}))
    assert rated.frame["price"].to_list() == [15.0, 30.0]


def test_a_column_of_currencies_and_a_price_unit_hold_for_their_rows(block_of):
    block = block_of(
        "MATNR;LIFNR;LAND1;QUOTE;NETPR;PEINH;WAERS;APLFZ",
        "A;X;DE;1;300;100;USD;7",
        "B;Y;JP;1;20;1;JPY;14",
    )
    match = match_block(block, ["suppliers"], (), "EINA")
    from withstand.readers.mapping.erp import with_erp

    known = find_erp(block.header, ["suppliers"])
    terms = Terms(settings=WEEKS, rates={"JPY": 0.01}, units=known.units)
    out = convert(block, with_erp(match, block, known), "eina.csv", terms)
    assert out.frame["price"].to_list() == [3.0, 0.2]
    assert out.frame["lead_time"].to_list() == [1.0, 2.0]


def test_names_of_countries_are_known_in_ten_languages():
    names = ["Germany", "Deutschland", "Allemagne", "Alemania", "Germania", "Alemanha", "Niemcy"]
    names += ["Германия", "德国", "ドイツ", "de"]
    assert {region_of(n) for n in names} == {"DE"}
    assert same_codes({"DE": "DE", "FRA": "FRA", "日本": "JP"}) == {
        "DE": "DE",
        "FRA": "FR",
        "日本": "JP",
    }
    assert region_of("Niger") == "NE"
    assert region_of("Hauptlager") is None


# --- names of companies --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ("Müller GmbH", "MULLER GmbH & Co. KG"),
        ("ACME Intl. Ltd", "Acme International"),
        ("ООО Ромашка", "Ромашка"),
        ("株式会社安川電機", "安川電機"),
        ("Harmonic Drive Systems Inc.", "Harmonic Drive System"),
        ("Schaeffler AG", "Schaefler AG"),
        ("Nabtesco Precision", "Precision Nabtesco Corp."),
    ],
)
def test_spellings_of_one_company_are_suggested(one, two):
    (pair,) = same_names([one, two, one])
    assert (pair.name, pair.other) == (two, one)


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ("Plant 1", "Plant 2"),
        ("Alpha Industries East", "Alpha Industries West"),
        ("North Steel AG", "South Steel AG"),
        ("Toyota Motor", "Toyota Boshoku"),
        ("SERVO_H@HOME", "SERVO_L@HOME"),
    ],
)
def test_names_that_differ_in_a_word_or_number_are_two(one, two):
    assert same_names([one, two]) == []


def test_names_of_the_project_are_not_the_ones_to_change():
    (pair,) = same_names(["Bosch GmbH"] * 5, trusted=["BOSCH"])
    assert (pair.name, pair.other) == ("Bosch GmbH", "BOSCH")
