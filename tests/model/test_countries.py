"""The country table and the questions asked of it."""

from __future__ import annotations

import csv
from importlib.resources import files

import pytest

from withstand.model.countries import (
    country_code,
    country_name,
    is_region_code,
    suggest_region,
)

TRIPLES = [
    ("AF", "AFG", "004"),
    ("AU", "AUS", "036"),
    ("BR", "BRA", "076"),
    ("CH", "CHE", "756"),
    ("CN", "CHN", "156"),
    ("DE", "DEU", "276"),
    ("GB", "GBR", "826"),
    ("IN", "IND", "356"),
    ("JP", "JPN", "392"),
    ("KR", "KOR", "410"),
    ("RO", "ROU", "642"),
    ("RS", "SRB", "688"),
    ("TW", "TWN", "158"),
    ("US", "USA", "840"),
    ("ZA", "ZAF", "710"),
]
HOSTILE = {
    "empty": "",
    "blank": " \t\n",
    "punctuation": "...---",
    "very long": "Germany" * 100_000,
    "NUL": "\0",
    "NUL in a name": "Ger\0many",
    "NUL after a code": "DE\0",
    "emoji": "🏭🚢",
    "flag": "🇩🇪",
    "lone surrogate": "\ud800",
    "sharp s": "ß",  # its upper case is SS, South Sudan
    "ligature": "\ufb01",  # its upper case is FI, Finland
    "number": "2.76",
    "short number": "4",
}


def _table() -> list[dict[str, str]]:
    text = files("withstand.model").joinpath("countries.csv").read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))


def _aliases(row: dict[str, str]) -> list[str]:
    return row["aliases"].split(";") if row["aliases"] else []


def test_the_table_holds_every_country_once_and_in_order() -> None:
    codes = [row["alpha2"] for row in _table()]
    assert len(codes) == 249
    assert codes == sorted(codes)


@pytest.mark.parametrize("column", ["alpha2", "alpha3", "numeric", "name"])
def test_no_code_and_no_name_is_given_twice(column: str) -> None:
    values = [row[column] for row in _table()]
    assert len(set(values)) == len(values)


def test_every_code_has_the_form_of_its_kind() -> None:
    for row in _table():
        assert len(row["alpha2"]) == 2
        assert len(row["alpha3"]) == 3
        assert (row["alpha2"] + row["alpha3"]).isalpha()
        assert (row["alpha2"] + row["alpha3"]).isupper()
        assert len(row["numeric"]) == 3
        assert row["numeric"].isdecimal()


def test_no_cell_is_padded_and_no_alias_is_empty() -> None:
    for row in _table():
        for text in (row["name"], *_aliases(row)):
            assert text
            assert text == text.strip()


def test_every_code_name_and_alias_leads_to_its_own_country() -> None:
    """So no alias belongs to two countries, nor is it the code of another one."""
    for row in _table():
        for text in (row["alpha2"], row["alpha3"], row["numeric"], row["name"], *_aliases(row)):
            assert country_code(text) == row["alpha2"], text


def test_every_country_is_named_and_is_a_region() -> None:
    for row in _table():
        assert country_name(row["alpha2"]) == row["name"]
        assert is_region_code(row["alpha2"])
        assert is_region_code(row["alpha3"])


@pytest.mark.parametrize(("alpha2", "alpha3", "numeric"), TRIPLES)
def test_known_codes_belong_together(alpha2: str, alpha3: str, numeric: str) -> None:
    assert country_code(alpha2) == country_code(alpha3) == country_code(numeric) == alpha2


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("germany", "DE"),
        (" SOUTH  KOREA ", "KR"),
        ("Korea, Republic of", "KR"),
        ("Korea, Democratic People's Republic of", "KP"),
        ("U.K.", "GB"),
        ("U.S.A.", "US"),
        ("Turkey", "TR"),
        ("Turkiye", "TR"),
        ("TÜRKİYE", "TR"),
        ("Viet Nam", "VN"),
        ("cote d'ivoire", "CI"),
        ("Cote d\u2019Ivoire", "CI"),
        ("Curacao", "CW"),
        ("Trinidad & Tobago", "TT"),
        ("Czech Republic", "CZ"),
        ("Russian Federation", "RU"),
        ("ROM", "RO"),
        ("Congo", "CG"),
        ("DR Congo", "CD"),
        ("Niger", "NE"),
        ("Nigeria", "NG"),
    ],
)
def test_case_accents_and_punctuation_do_not_hide_a_name(text: str, code: str) -> None:
    assert country_code(text) == code


def test_a_name_is_plain_english() -> None:
    assert country_name("KR") == "South Korea"
    assert country_name("GBR") == country_name("UK") == "United Kingdom"
    assert country_name("XX") is None


@pytest.mark.parametrize(
    "label",
    ["DE", "DEU", "UK", "EU", "EU27", "EU28", "EA", "ROW", "RoW", "WLD", "OTHER", "HOME"],
)
def test_countries_and_aggregates_are_regions(label: str) -> None:
    assert is_region_code(label)


@pytest.mark.parametrize("label", ["AU_MM", "CH_US_IT", "IT_CH_TW", "DEU_FR", "EU27_UK"])
def test_codes_joined_by_an_underscore_are_a_region(label: str) -> None:
    assert is_region_code(label)


@pytest.mark.parametrize(
    "label",
    ["de", "Germany", "276", "XX", "ROM", "row", "_", "AU_", "_MM", "AU__MM", "AU_XX", "AU-MM"],
)
def test_other_labels_are_no_regions(label: str) -> None:
    assert not is_region_code(label)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Germany", "DE"),
        ("Deutschland", "DE"),
        ("Korea, South", "KR"),
        ("de", "DE"),
        ("Germny", "DE"),
        ("Untied States", "US"),
        ("Switzerlnd", "CH"),
        ("Nigera", "NG"),
        ("Mexico City", "MX"),
    ],
)
def test_a_region_is_suggested_for_a_name_or_nearly_one(text: str, code: str) -> None:
    assert suggest_region(text) == code


@pytest.mark.parametrize("text", ["plant 7", "Atlantis", "XYZ", "Nig", "Africa", "Asia"])
def test_nothing_is_suggested_where_no_name_is_near(text: str) -> None:
    assert suggest_region(text) is None


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_text_names_no_country(text: str) -> None:
    assert country_code(text) is None
    assert country_name(text) is None
    assert not is_region_code(text)


@pytest.mark.parametrize(
    "text",
    [text for case, text in HOSTILE.items() if case != "NUL in a name"],
    ids=[case for case in HOSTILE if case != "NUL in a name"],
)
def test_hostile_text_brings_no_suggestion(text: str) -> None:
    assert suggest_region(text) is None
