"""Every rule about the network speaks when it should, at the right place, and else is silent."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from breaking import (
    Fault,
    added,
    all_of,
    cell,
    find,
    header,
    settings,
    tiny_project,
    tiny_shorthand,
)
from withstand.errors import DataError
from withstand.examples import example
from withstand.model.finding_codes import CODES
from withstand.model.findings import Finding
from withstand.model.network import ProductionNetwork
from withstand.readers import network_from_links, read_folder

NODES, LINKS, RECIPES, STOCKS, PRODUCTS, REGIONS = (
    f"{name}.csv" for name in ("nodes", "links", "recipes", "stocks", "products", "regions")
)
TOML = "withstand.toml"


def with_table(name: str, text: str):
    return lambda folder: (folder / "tables" / f"{name}.csv").write_text(text)


ECONOMY = settings('lens = "plant"', 'lens = "economy"')
NO_VIEWPOINT = settings('viewpoint = "GEAR"\n', "")
CASES = [
    Fault("a product needs itself", added(RECIPES, "ORE", "GEAR", "1"), "E201", RECIPES, None,
          "input", "GEAR needs STEEL needs ORE needs GEAR"),
    Fault("a node supplies itself through others",
          all_of(added(RECIPES, "mine", "STEEL", "0.1"), added(LINKS, "mill", "mine", "", "1")),
          "E201", RECIPES, 3, "input", "mill buys from mine buys from mill"),
    Fault("shares do not sum to 1", cell(LINKS, 2, "share", "0.7"), "E202", LINKS, 2, "share",
          "sum to 0.9, expected 1 (rows 2, 3)"),
    Fault("shares of what nobody buys", added(LINKS, "plant", "*", "GEAR", "0.5"), "E202", LINKS,
          5, "share", "GEAR sum to 0.5"),
    Fault("supplier is the buyer", added(LINKS, "plant", "plant", "GEAR", "1"), "E203", LINKS, 5,
          "supplier"),
    Fault("supplier of another product", cell(LINKS, 4, "product", "STEEL"), "E204", LINKS, 4,
          "product", suggests="ORE"),
    Fault("unit clash", all_of(header(RECIPES, "class", "unit"), cell(RECIPES, 2, "unit", "t"),
                               cell(RECIPES, 3, "unit", " KG ")),
          "E205", RECIPES, 2, "unit", suggests="kg"),
    Fault("home", settings('home = "HOME"', 'home = "HOMES"'), "E207", TOML, None, "home",
          suggests="HOME"),
    Fault("viewpoint", settings('viewpoint = "GEAR"', 'viewpoint = "GEARS"'), "E207", TOML, None,
          "viewpoint", suggests="GEAR"),
    Fault("demand",
          settings('period = "week"\n', 'period = "week"\n[final_demand]\nGEAS = 1\n'),
          "E207", TOML, None, "final_demand.GEAS", "Correct final_demand.GEAS", suggests="GEAR"),
    Fault("output grows for ever", all_of(ECONOMY, added(RECIPES, "ORE", "GEAR", "1")), "E208",
          LINKS),
    Fault("stock of nothing", cell(STOCKS, 2, "periods_of_use", ""), "E209", STOCKS, 2,
          "quantity"),
    Fault("neither share nor value", cell(LINKS, 3, "share", ""), "E210", LINKS, 3, "share"),
    Fault("a mix of shares and values",
          all_of(header(LINKS, "lead_time", "value"), cell(LINKS, 3, "share", "")), "E210", LINKS,
          3, "share", "links with shares and links with values"),
    Fault("nobody makes an input", all_of(added(PRODUCTS, "OIL"),
                                          added(RECIPES, "GEAR", "OIL", "0.1")),
          "W201", RECIPES, 4, "input", "nobody supplies OIL"),
    Fault("shares miss 1 by rounding", cell(LINKS, 2, "share", "0.8001"), "W202", LINKS, 2,
          "share", "1.0001"),
    Fault("capacity below use", cell(NODES, 3, "capacity", "10"), "W203", NODES, 3, "capacity",
          "mill"),
    Fault("inputs cost more", cell(NODES, 2, "price", "1"), "W204", NODES, 2, "price"),
    Fault("not connected", all_of(added(PRODUCTS, "OIL"), added(NODES, "well", "OIL", "HOME"),
                                  added(PRODUCTS, "FUEL"), added(RECIPES, "FUEL", "OIL", "1"),
                                  added(NODES, "refinery", "FUEL", "HOME")),
          "W205", NODES, 6, "node", "well, refinery"),
    Fault("totals row", added(NODES, "Total", "STEEL", "HOME"), "W206", NODES, 6, "node"),
    Fault("totals region", added(REGIONS, "Всего"), "W206", REGIONS, 4, "region"),
    Fault("law", all_of(header(REGIONS, "name", "allowed"), cell(REGIONS, 2, "allowed", "yes"),
                        cell(REGIONS, 3, "allowed", "no")),
          "W207", NODES, 4, "region", "far mill, mine may not supply"),
    Fault("hours used like goods",
          all_of(cell(PRODUCTS, 4, "kind", "skill"), header(RECIPES, "class", "use"),
                 cell(RECIPES, 2, "use", "consumed"), cell(RECIPES, 3, "use", "consumed")),
          "W208", RECIPES, 3, "use", "ORE is of the kind skill"),
    Fault("goods used like hours",
          all_of(header(RECIPES, "class", "use"), cell(RECIPES, 2, "use", "hours"),
                 cell(RECIPES, 3, "use", "")), "W208", RECIPES, 2, "use", "its use is 'hours'"),
    Fault("cheap unmet demand", all_of(header(NODES, "company", "unmet_value"),
                                       cell(NODES, 2, "unmet_value", "40")),
          "W209", NODES, 2, "unmet_value"),
    Fault("no final demand", cell(NODES, 2, "final_demand", "0"), "W212", NODES, None,
          "final_demand"),
    Fault("does not balance", all_of(header(NODES, "company", "output"),
                                     cell(NODES, 2, "output", "100"),
                                     cell(NODES, 3, "output", "50")),
          "W213", NODES, 3, "output", "mill sells"),
    Fault("absurd time", cell(LINKS, 3, "lead_time", "521"), "W214", LINKS, 3, "lead_time",
          "521 weeks is more than 10 years"),
    Fault("unused product", added(PRODUCTS, "OIL"), "W215", PRODUCTS, 5, "product"),
    Fault("link to a node that does not need it", added(LINKS, "mine", "plant", "ORE", "1"),
          "W216", LINKS, 5, "buyer", "no recipe says that plant needs ORE"),
    Fault("link to a product that does not need it", added(LINKS, "mine", "GEAR", "ORE", "1"),
          "W216", LINKS, 5, "buyer", "no recipe says that GEAR needs ORE"),
    Fault("demand in the settings too",
          settings('period = "week"\n', 'period = "week"\n[final_demand]\nGEAR = 520\n'), "W217",
          NODES, 2, "final_demand", "of 10 in withstand.toml"),
    Fault("demand in its table too",
          with_table("final_demand", "node,region,category,value\nplant,JP,sales,99\n"), "W217",
          NODES, 2, "final_demand", "of 99 in the table final_demand"),
    Fault("recipe unknown abroad", settings('"shared"', '"none"'), "N202", NODES, says="1 produc"),
    Fault("stock that nobody uses", added(STOCKS, "*", "GEAR", "1"), "N203", STOCKS, 4,
          "product", "no buyer needs GEAR"),
    Fault("stock of another's input", added(STOCKS, "plant", "ORE", "1"), "N203", STOCKS, 4,
          "product", "plant does not need ORE"),
]  # fmt: skip


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    folder = tiny_project(tmp_path / "tiny")
    settings("period =", 'assume_recipe = "shared"\nperiod =')(folder)
    return folder


def findings_of(folder: Path) -> tuple[Finding, ...]:
    try:
        return read_folder(folder).findings
    except DataError as error:
        return error.findings


def test_no_rule_speaks_without_a_reason(tiny: Path) -> None:
    assert findings_of(tiny) == ()


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_rule_speaks_at_the_right_place(tiny: Path, case: Fault) -> None:
    case.breaks(tiny)
    found = findings_of(tiny)
    assert any(case.is_told_by(f) for f in found), "\n".join(map(str, found))
    assert {f.severity for f in found if f.code == case.code} == {CODES[case.code].severity}


def test_every_rule_about_networks_has_a_case() -> None:
    of_firms = {"W210", "W211", "N201", "N204", "N205"}
    of_the_shorthand = {"N206"}
    of_economies = {"W218", "N207", "N208", "N209", "N210", "N211"}
    of_measures = {"W230", "N230"}  # their tests stand with the measures
    of_readers = of_firms | of_the_shorthand | of_economies | of_measures
    spoken = {case.code for case in CASES} | of_readers
    assert {code for code in CODES if code[1] == "2"} == spoken


def test_every_rule_about_files_is_expected_by_a_test_of_the_readers() -> None:
    files = (Path(__file__).parent.parent / "readers").glob("test_*.py")
    text = "".join(file.read_text(encoding="utf-8") for file in files)
    assert [code for code in CODES if code[1] == "1" and f'"{code}"' not in text] == []


# --- rules about firms ---------------------------------------------------------------------------


def firms(output: float | None = None, value: float = 4.0, **more: object) -> ProductionNetwork:
    made = pl.Series("output", [output, 20.0], dtype=pl.Float64)
    nodes = pl.DataFrame({"id": ["mill", "plant"], "sector": ["steel", "gears"], "output": made})
    links = pl.DataFrame({"supplier": ["mill"], "buyer": ["plant"], "value": [value]})
    return network_from_links(nodes, links, **more)  # type: ignore[arg-type]


CLASSES = {"supplier_sector": ["steel"], "buyer_sector": ["gears"], "class": [2]}


def codes(net: ProductionNetwork) -> set[str]:
    return {f.code for f in net.findings}


def test_output_below_sales_is_told() -> None:
    (found,) = [f for f in firms(output=3.0).findings if f.code == "W210"]
    assert (found.row, found.column, found.value) == (2, "output", "3.0")
    assert "W210" not in codes(firms(output=4.0))


def test_output_taken_from_links_is_told() -> None:
    assert "N201" in codes(firms())
    assert "N201" not in codes(firms(output=4.0))


def test_classes_that_are_not_given_are_told() -> None:
    assert "N204" in codes(firms())
    assert "N204" not in codes(firms(essential=CLASSES))
    other = {**CLASSES, "buyer_sector": ["steel"]}
    assert "W211" in codes(firms(essential=other))
    assert "W211" not in codes(firms(essential=CLASSES))


def test_parallel_links_that_were_added_are_told() -> None:
    nodes = {"id": [1, 2], "sector": ["a", "b"]}
    links = {"supplier": [2, 2], "buyer": [1, 1], "value": [1.0, 2.0]}
    assert "N205" in codes(network_from_links(nodes, links))
    assert "N205" not in codes(firms())


@pytest.mark.parametrize("lens", ["firms", "economy"])
def test_circles_and_self_links_are_allowed_outside_plants(lens: str) -> None:
    nodes = {"id": [1, 2], "sector": ["a", "b"]}
    links = {"supplier": [1, 2, 1], "buyer": [2, 1, 1], "value": [1.0, 2.0, 0.5]}
    assert not codes(network_from_links(nodes, links, lens=lens)) & {"E201", "E203"}


# --- rules about the shorthand -------------------------------------------------------------------


def test_skills_that_got_a_node_are_told(tmp_path: Path) -> None:
    folder = tiny_shorthand(tmp_path / "p")
    net = read_folder(folder)
    (found,) = [f for f in net.findings if f.code == "N206"]
    assert (found.file, found.what) == ("items.csv", "SK_GRIND are supplied at home")
    assert net.capacity[net.index("nodes")["SK_GRIND@HOME"]] == 60.0
    added("suppliers.csv", "SK_GRIND", "school", "HOME", "1")(folder)
    assert "N206" not in codes(read_folder(folder))


def test_the_example_brings_notes_and_no_warning() -> None:
    assert {f.severity for f in example("robot_maker").findings} == {"note"}


# --- many of a kind ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("file", "row", "code"),
    [
        (LINKS, ["n{i}", "n{i}", "ORE", "1"], "E203"),
        (LINKS, ["n{i}", "mill", "STEEL", "1"], "E204"),
        (LINKS, ["mine", "n{i}", "ORE", "0.5"], "E202"),
        (LINKS, ["mine", "plant", "ORE", "1", "", "route {i}"], "W216"),
    ],
)
def test_many_cases_of_a_kind_are_counted(tiny: Path, file: str, row: list[str], code: str) -> None:
    header(LINKS, "lead_time", "lead_time")(tiny)
    text = find(tiny, LINKS).read_text().splitlines()
    lines = [text[0] + ",route", *[f"{line}," for line in text[1:]]]
    if code == "E202":  # the new nodes must need ore for it
        nodes = [f"n{i},STEEL,HOME,,,," for i in range(50)]
    else:
        nodes = [f"n{i},ORE,HOME,,,," for i in range(50)]
    place = find(tiny, NODES)
    place.write_text("\n".join([*place.read_text().splitlines(), *nodes]))
    new = [[c.format(i=i) for c in row] for i in range(50)]
    lines += [",".join(cells + [""] * (6 - len(cells))) for cells in new]
    find(tiny, file).write_text("\n".join(lines))
    found = [f for f in findings_of(tiny) if f.code == code]
    assert len(found) == 11
    assert sum(f.count for f in found) >= 50
    assert [f.row for f in found] == sorted(f.row or 0 for f in found)


def test_a_large_circle_is_shown_in_short(tiny: Path) -> None:
    products = [f"C{i}" for i in range(300)]
    all_of(
        *(added(PRODUCTS, p) for p in products[:1]),
        with_table("products", "product\nGEAR\nSTEEL\nORE\n" + "\n".join(products)),
        with_table(
            "recipes",
            "buyer,input,quantity\nGEAR,STEEL,1\nSTEEL,ORE,1\n"
            + "\n".join(
                f"{a},{b},1" for a, b in zip(products, products[1:] + products[:1], strict=True)
            ),
        ),
    )(tiny)
    (found,) = [f for f in findings_of(tiny) if f.code == "E201"]
    assert "(300 steps)" in found.what
    assert len(found.what) < 300
