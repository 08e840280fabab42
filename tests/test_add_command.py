"""The verb add: preview, decisions, one atomic write; what was decided holds next month."""

from __future__ import annotations

import json
import shutil

import openpyxl
import polars as pl
import pytest
import xlsxwriter

from withstand import examples, readers
from withstand.cli import main
from withstand.readers.atomic import lock
from withstand.readers.mapping.kept import read_mapping, signature_of
from withstand.workbench import plan_import, write_import

SOURCE = examples.folder_of("robot_maker")
SUPPLIERS = """Artikel-Nr;Lieferant;Land;Anteil in %;Preis (USD);Lieferzeit (Tage);Bemerkung
GEAR;Müller GmbH;Deutschland;60;1.600,50;70;ok
GEAR;Foxx Ltd;Korea, South;40;1.500,00;14;
STEEL;Stahl AG;Deutschlnd;100;6,25;7;
"""
SETTINGS = 'name = "gears"\nlens = "plant"\nhome = "DE"\ncurrency = "USD"\nperiod = "week"\n'


@pytest.fixture
def call(capsys):
    """Run a command in this process; return exit code, standard output, standard error."""

    def run(*words):
        code = main([str(w) for w in words])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run


@pytest.fixture
def project(tmp_path):
    folder = tmp_path / "gears"
    folder.mkdir()
    (folder / "withstand.toml").write_text(SETTINGS, encoding="utf-8")
    return folder


@pytest.fixture
def suppliers(tmp_path):
    path = tmp_path / "Lieferanten 2026-03.csv"
    path.write_text(SUPPLIERS, encoding="cp1252")
    return path


def files_of(folder):
    return sorted(
        p.relative_to(folder).as_posix()
        for p in folder.rglob("*")
        if p.is_file() and ".withstand" not in p.parts
    )


# --- the round trip ------------------------------------------------------------------------------


def test_a_messy_copy_of_the_robot_maker_gives_the_same_network(tmp_path, call):
    folder = tmp_path / "robots"
    folder.mkdir()
    shutil.copy(SOURCE / "withstand.toml", folder)
    book = tmp_path / "Datenexport.xlsx"
    _messy_workbook(book)
    csv = tmp_path / "Stückliste März 2026.csv"
    _messy_recipes(csv)
    others = [SOURCE / f"{n}.csv" for n in ("occupations", "options", "option_effects")]
    words = ["--project", folder, "add", book, csv, *others, "--yes"]
    code, out, err = call(*words)
    assert code == 0, out + err
    network = readers.read_folder(folder)
    assert network.fingerprint() == examples.example("robot_maker").fingerprint()


def _messy_workbook(path):
    """Write items and suppliers as German sheets: titles, units in headers, names of countries."""
    from withstand.model.countries import country_name

    items = pl.read_csv(SOURCE / "items.csv", infer_schema=False)
    rows = pl.read_csv(SOURCE / "suppliers.csv", infer_schema=False)
    countries = {c: country_name(c) or c for c in rows["country"].unique().to_list()}
    countries["UK"] = "UK"  # a label of the example's own: the code of the country is GB
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet("Teilestamm")
        sheet.write(0, 0, "Teilestamm Roboterbau, vertraulich")
        heads = {"id": "Teile-Nr.", "name": "Bezeichnung", "kind": "Art", "unit": "ME"}
        heads |= {"hs_code": "Zolltarifnummer", "basis": "Grundlage"}
        for at, (name, head) in enumerate(heads.items()):
            sheet.write(3, at, head)
            for row, text in enumerate(items[name].to_list(), 4):
                if text is not None:
                    sheet.write_string(row, at, text)
        sheet = book.add_worksheet("Bezugsquellen")
        heads = {"item": "Artikel", "supplier": "Lieferant", "country": "Ursprungsland"}
        heads |= {"share": "Lieferanteil (%)", "price_usd": "Einkaufspreis (USD/Stk)"}
        heads |= {"lead_time_weeks": "Lieferzeit [Tage]", "capacity_per_year": "Kapazität pro Jahr"}
        heads |= {"inventory_weeks": "Reichweite (Wochen)"}
        numbers = {"price_usd": 1.0, "lead_time_weeks": 7.0, "capacity_per_year": 1.0}
        numbers |= {"inventory_weeks": 1.0}
        for at, (name, head) in enumerate(heads.items()):
            sheet.write(0, at, head)
            for row, text in enumerate(rows[name].to_list(), 1):
                if text is None:
                    continue
                if name == "share":
                    sheet.write_string(row, at, text.replace(".", ",") and f"{_percent(text)}")
                elif name in numbers:
                    sheet.write_number(row, at, float(text) * numbers[name])
                else:
                    sheet.write_string(row, at, countries[text] if name == "country" else text)


def _percent(text):
    """Return a share as percent with all its digits: 0.07 is 7, not 7.000000000000001."""
    from decimal import Decimal

    return str((Decimal(text) * 100).normalize().to_eng_string())


def _messy_recipes(path):
    rows = pl.read_csv(SOURCE / "recipes.csv", infer_schema=False)
    lines = [
        "Stückliste;;;",
        "Stand: 03.2026;;;",
        ";;;",
        "Oberteil;Komponente;Menge je Einheit;Verbrauchsart",
    ]
    for parent, child, quantity, _, flow in rows.iter_rows():
        lines.append(f"{parent};{child};{quantity.replace('.', ',')};{flow}")
    path.write_text("\r\n".join(lines) + "\r\n", encoding="cp1252")


# --- preview, decisions, write -------------------------------------------------------------------


def test_nothing_is_written_before_it_is_said(call, project, suppliers):
    code, out, err = call("--project", project, "add", suppliers, "--accept", "E104")
    assert code == 0, err
    assert "Lieferzeit (Tage)" in out
    assert "Nothing is written yet" in out
    assert files_of(project) == ["withstand.toml"]


def test_a_suggestion_is_taken_only_when_accepted(call, project, suppliers):
    code, _, err = call("--project", project, "add", suppliers, "--yes")
    assert code == 3
    assert "E104" in err
    assert "Deutschlnd" in err
    assert "--accept E104" in err
    assert files_of(project) == ["withstand.toml"]
    code, out, err = call("--project", project, "add", suppliers, "--yes", "--accept", "E104")
    assert code == 0, out + err
    table = pl.read_csv(project / "tables" / "suppliers.csv")
    assert table["country"].to_list() == ["DE", "KR", "DE"]
    assert table["share"].to_list() == [0.6, 0.4, 1.0]
    assert table["price"].to_list() == [1600.5, 1500.0, 6.25]
    assert table["lead_time"].to_list() == [10.0, 2.0, 1.0]
    assert (project / "data" / suppliers.name).read_bytes() == suppliers.read_bytes()


def test_the_mapping_is_used_again_next_month_with_its_decisions(
    call, project, suppliers, tmp_path
):
    call("--project", project, "add", suppliers, "--yes", "--accept", "E104")
    later = tmp_path / "Lieferanten 2026-04.csv"
    later.write_text(
        SUPPLIERS.replace("6,25", "6,75") + "STEEL2;Neu AG;FR;100;1,0;7;\n", encoding="utf-8"
    )
    code, _, err = call("--project", project, "add", later, "--yes")
    assert code == 2
    assert "--update" in err
    assert "--replace" in err
    code, out, _ = call("--project", project, "--json", "add", later, "--yes", "--update")
    assert code == 0
    answer = json.loads(out)
    assert answer["tables"][0]["by"] == "kept"
    (change,) = answer["changes"]
    assert (change["added"], change["changed"], change["removed"], change["unchanged"]) == (
        1,
        1,
        0,
        2,
    )
    table = pl.read_csv(project / "tables" / "suppliers.csv")
    assert table["price"].to_list() == [1600.5, 1500.0, 6.75, 1.0]
    assert len(list((project / "data").iterdir())) == 2


def test_replace_removes_what_the_file_does_not_hold(call, project, suppliers, tmp_path):
    call("--project", project, "add", suppliers, "--yes", "--accept", "E104")
    fewer = tmp_path / "Lieferanten 2026-05.csv"
    fewer.write_text("\n".join(SUPPLIERS.splitlines()[:3]) + "\n", encoding="utf-8")
    code, out, _ = call("--project", project, "add", fewer, "--yes", "--replace")
    assert code == 0
    assert "1 removed" in out
    assert "removed STEEL / Stahl AG" in out
    assert pl.read_csv(project / "tables" / "suppliers.csv").height == 2


def test_a_changed_header_is_a_finding_and_no_guess(call, project, suppliers, tmp_path):
    call("--project", project, "add", suppliers, "--yes", "--accept", "E104")
    other = tmp_path / "Lieferanten 2026-06.csv"
    other.write_text(SUPPLIERS.replace("Preis (USD)", "Preis (EUR)"), encoding="utf-8")
    code, _, err = call("--project", project, "add", other, "--yes", "--update")
    assert code == 3
    assert "E725" in err
    assert "new: Preis (EUR); gone: Preis (USD)" in " ".join(err.split())
    code, _, err = call(
        "--project", project, "add", other, "--yes", "--update", "--accept", "E725",
        "--rate", "EUR=2",
    )  # fmt: skip
    assert code == 0, err
    table = pl.read_csv(project / "tables" / "suppliers.csv")
    assert table["price"].to_list() == [3201.0, 3000.0, 12.5]
    mapping, fault = read_mapping(project / "mappings" / "lieferanten.toml")
    assert fault is None
    assert mapping.rates == {"EUR": 2.0}
    assert mapping.signature == signature_of(
        other.read_text(encoding="utf-8").split("\n")[0].split(";")
    )


def test_the_user_can_name_columns_units_and_tables(call, project, tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("Zeug,Wer,Wo,Wieviel,Dauer\nA,X,DE,1,4\nB,Y,JP,1,8\n", encoding="utf-8")
    code, _, err = call("--project", project, "add", path, "--table", "suppliers")
    assert code == 3
    assert "E722" in err
    columns = {
        "Zeug": "item",
        "Wer": "supplier",
        "Wo": "country",
        "Wieviel": "share",
        "Dauer": "lead_time",
    }
    words = [w for h, c in columns.items() for w in ("--column", f"{h}={c}")]
    code, _, err = call(
        "--project", project, "add", path, "--table", "suppliers", *words,
        "--unit", "lead_time=months", "--yes",
    )  # fmt: skip
    assert code == 0, err
    table = pl.read_csv(project / "tables" / "suppliers.csv")
    assert table["lead_time"].to_list() == pytest.approx([4 * 52 / 12, 8 * 52 / 12])


def test_an_interrupted_write_leaves_the_project_as_it_was(project, suppliers, monkeypatch):
    plan = plan_import(project, [suppliers], accept=["E104"])
    from withstand.readers.mapping import writing

    def broken(frame):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(writing, "csv_bytes", broken)
    with pytest.raises(Exception, match="No space left"):
        write_import(plan)
    assert files_of(project) == ["withstand.toml"]


def test_two_writers_do_not_mix(project, suppliers):
    plan = plan_import(project, [suppliers], accept=["E104"])
    with lock(project), pytest.raises(Exception, match="is being written by"):
        write_import(plan)
    assert files_of(project) == ["withstand.toml"]


def test_spellings_of_a_company_are_put_together_with_leave_only(call, project, tmp_path):
    path = tmp_path / "suppliers.csv"
    path.write_text(
        "Item;Supplier;Country;Share\nA;Müller GmbH;DE;1\nB;MULLER;DE;1\nC;Müller GmbH;DE;1\n",
        encoding="utf-8",
    )
    code, out, _ = call("--project", project, "add", path, "--yes")
    assert code == 0
    assert "W723" in out
    assert pl.read_csv(project / "tables" / "suppliers.csv")["supplier"].n_unique() == 2
    code, _, _ = call("--project", project, "add", path, "--yes", "--replace", "--accept", "W723")
    assert code == 0
    assert pl.read_csv(project / "tables" / "suppliers.csv")["supplier"].n_unique() == 1
    mapping, _ = read_mapping(project / "mappings" / "suppliers.toml")
    assert mapping.codes["supplier"] == {"MULLER": "Müller GmbH"}


def test_unknown_products_are_suggested_a_lost_zero_among_them(call, project, tmp_path):
    items, bom = tmp_path / "items.csv", tmp_path / "bom.csv"
    items.write_text("Item no;Name\n00123;Gear\nSTEEL-X;Steel\n", encoding="utf-8")
    bom.write_text("Parent;Component;Qty\n123;STEEL-X;2\n00123;STEELX;1\n", encoding="utf-8")
    code, _, err = call("--project", project, "add", items, bom, "--yes")
    assert code == 3
    assert "Did you mean 00123?" in " ".join(err.split())
    assert "Did you mean STEEL-X?" in " ".join(err.split())
    code, _, err = call("--project", project, "add", items, bom, "--yes", "--accept", "E104")
    assert code == 3  # both rows say the same now: which quantity holds, nobody can tell
    assert "E106" in err


def test_quantities_come_into_the_unit_of_their_item(call, project, tmp_path):
    items, bom = tmp_path / "items.csv", tmp_path / "bom.csv"
    items.write_text("Item no;Name;Unit\nGEAR;Gear;pcs\nSTEEL;Steel;t\n", encoding="utf-8")
    bom.write_text("Parent;Component;Qty;Unit\nGEAR;STEEL;250;kg\n", encoding="utf-8")
    code, out, err = call("--project", project, "add", items, bom, "--yes")
    assert code == 0, out + err
    assert pl.read_csv(project / "tables" / "recipes.csv")["qty_per_unit"].to_list() == [0.25]
    bom.write_text("Parent;Component;Qty;Unit\nGEAR;STEEL;250;pcs\n", encoding="utf-8")
    code, _, err = call("--project", project, "add", bom, "--yes", "--update")
    assert code == 3
    assert "E205" in err


# --- the marked copy -----------------------------------------------------------------------------


def test_a_marked_copy_shows_the_cells_and_keeps_the_original(call, project, tmp_path):
    path, copy = tmp_path / "supply.xlsx", tmp_path / "marked.xlsx"
    with xlsxwriter.Workbook(path, {"strings_to_formulas": False}) as book:
        sheet = book.add_worksheet("Supply")
        money = book.add_format({"num_format": "#,##0.00"})
        for at, head in enumerate(
            ("Item", "Supplier", "Country", "Share", "Price (USD)", "Remark")
        ):
            sheet.write_string(0, at, head)
        for row, (item, country) in enumerate(
            (("A", "Germany"), ("B", "Japon1"), ("C", "Japon1")), 1
        ):
            sheet.write_row(row, 0, [item, "X", country, 1])
            sheet.write_formula(row, 4, "=2*3", money, 6)
        sheet.write_string(1, 5, '=HYPERLINK("http://evil")')
        sheet.write_formula(2, 5, "=cmd|'/c calc'!A1", None, 0)
        book.add_worksheet("Notes").write_string(0, 0, "keep me")
    before = path.read_bytes()
    code, _out, err = call("--project", project, "add", path, "--marked", copy)
    assert code == 3
    assert path.read_bytes() == before
    assert "W726" in err
    marked = openpyxl.load_workbook(copy)
    sheet = marked["Supply"]
    for cell in ("C3", "C4"):
        assert sheet[cell].fill.start_color.rgb == "FFFFC7CE"
        assert "E104" in sheet[cell].comment.text
    assert sheet["C2"].comment is None
    assert sheet["E2"].value == "=2*3"
    assert sheet["E2"].number_format == "#,##0.00"
    assert marked["Notes"]["A1"].value == "keep me"
    assert sheet["F2"].data_type == "s"
    assert sheet["F3"].data_type == "s"


def test_the_marked_copy_of_a_text_file_runs_nothing(call, project, tmp_path):
    path, copy = tmp_path / "s.csv", tmp_path / "marked.xlsx"
    path.write_text(
        "Item;Supplier;Country;Share\nA;=1+1;Frannce;1\nB;Y;DE;x\nC;Z;DE;1\n", encoding="utf-8"
    )
    code, _, _ = call("--project", project, "add", path, "--table", "suppliers", "--marked", copy)
    assert code == 3
    sheet = openpyxl.load_workbook(copy).active
    assert (sheet["B2"].value, sheet["B2"].data_type) == ("=1+1", "s")
    assert "Did you mean FR?" in sheet["C2"].comment.text
    assert "E103" in sheet["D3"].comment.text


# --- wrong use -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--table", "supplier"], "did you mean suppliers?"),
        (["--map", "sapp"], "did you mean sap?"),
        (["--update", "--replace"], "do not go together"),
        (["--accept", "E999"], "no finding of that code"),
        (["--rate", "EUR=-1"], "a rate is a positive number"),
        (["--unit", "lead_time"], "cannot be read"),
        (["--column", "Artikl-Nr=item"], "did you mean 'Artikel-Nr'?"),
        (["--column", "Artikel-Nr=itm"], "did you mean item?"),
    ],
)
def test_wrong_use_says_what_is_meant(call, project, suppliers, words, said):
    code, _, err = call("--project", project, "add", suppliers, *words)
    assert code == 2
    assert said in " ".join(err.split())


def test_a_file_that_is_not_there_or_no_table_is_a_finding(call, project, tmp_path):
    code, _, err = call("--project", project, "add", tmp_path / "none.csv")
    assert code == 3
    assert "E116" in err
    path = tmp_path / "letter.csv"
    path.write_text("Dear all;\nplease find;the list\nbelow;thanks\n", encoding="utf-8")
    code, _, err = call("--project", project, "add", path)
    assert code == 3
    assert "E721" in err


def test_a_damaged_mapping_is_named(call, project, suppliers):
    (project / "mappings").mkdir()
    (project / "mappings" / "x.toml").write_text('table = "nonsense"\nheader = []\n[columns]\n')
    code, _, err = call("--project", project, "add", suppliers)
    assert code == 3
    assert "E726" in err
    assert "mappings/x.toml" in err


def test_items_and_suppliers_do_not_slip_beside_nodes(call, tmp_path, suppliers):
    call("new", "plant", tmp_path / "other")
    code, _, _err = call(
        "--project", tmp_path / "other", "add", suppliers, "--accept", "E104", "--yes"
    )
    assert code in (2, 3)
    assert not (tmp_path / "other" / "data").exists()
