"""Every door through which files come in: good files for it, and how it is opened.

A target's `make` writes good files below a folder; `read` opens them. `judge` says what may come of
it: a result, or an error on purpose whose findings name a place and a mend. Nothing else.
"""

# ruff: noqa: E501  rows of samples, which folding would hide

from __future__ import annotations

import csv
import functools
import json
import tempfile
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

import mrio_files
from breaking import TABLES, tiny_project, tiny_shorthand, tiny_workbook
from withstand.errors import FindingsError, SolverError, UsageError, WithstandError
from withstand.model.network import ProductionNetwork

LONGEST_MESSAGE = 20_000
ALLOWED_SIGNS = "\n"


@dataclass(frozen=True)
class Target:
    """One door: its good files, and how they are read."""

    name: str
    make: Callable[[Path], object]
    read: Callable[[Path], object]
    pace: float = 1.0
    """Share of the cases asked for: below 1 where a reading takes long."""


# --- the projects --------------------------------------------------------------------------------


def _folder(place: Path) -> object:
    from withstand.readers import read_folder

    return read_folder(place / "p")


def _csv(place: Path) -> None:
    tiny_project(place / "p")


def _shorthand(place: Path) -> None:
    tiny_shorthand(place / "p")


def _parquet(place: Path) -> None:
    tiny_project(place / "p")
    for file in (place / "p" / "tables").glob("*.csv"):
        pl.read_csv(file).write_parquet(file.with_suffix(".parquet"))
        file.unlink()


def _workbook(place: Path) -> None:
    tiny_workbook(place / "p")


def _ods(place: Path) -> None:
    from messy_files import _Sheet, save_ods

    folder = place / "p"
    folder.mkdir(parents=True)
    for name, text in TABLES.items():  # one file a table: the maker writes one sheet
        rows: list[list[Any]] = [list(r) for r in csv.reader(text.splitlines())]
        save_ods(folder / f"{name}.ods", name, _Sheet(rows))


def _settings(place: Path) -> object:
    import tomllib

    from withstand.model.findings import Origin
    from withstand.model.settings import read_settings, settings_to_dict
    from withstand.readers.folder import _Collected, _settings

    found = _Collected(settings=read_settings({}, Origin("x"))[0])
    settings = _settings(place / "withstand.toml", found)
    if not found.findings:
        assert read_settings(settings_to_dict(settings), Origin("x"))[0] == settings
        assert tomllib
    return None


def _make_settings(place: Path) -> None:
    (place / "withstand.toml").write_text(
        'name = "Gears"\nformat = 1\nlens = "plant"\nhome = "HOME"\nviewpoint = "GEAR"\n'
        'currency = "EUR"\nperiod = "week"\nassume_recipe = "shared"\n\n[final_demand]\nGEAR = 5200\n'
        'mill = 1.5\n\n[thresholds]\ncoverage = 0.5\n\n[database]\nurl = "sqlite:data.sqlite"\n'
        '[database.queries]\nnodes = "select * from nodes"\n',
        encoding="utf-8",
    )


def _journal(place: Path) -> None:
    tiny_project(place / "p")
    state = place / "p" / ".withstand"
    (state / "pending" / "tables").mkdir(parents=True)
    new = TABLES["stocks"].replace("4", "5")
    (state / "pending" / "tables" / "stocks.csv").write_text(new, encoding="utf-8")
    journal = {"move": ["tables/stocks.csv"], "remove": ["tables/nothing.csv"]}
    (state / "commit.json").write_text(json.dumps(journal, indent=1), encoding="utf-8")


def _sqlite(place: Path) -> None:
    import sqlite3

    folder = place / "p"
    folder.mkdir()
    queries = "\n".join(f'{name} = "select * from {name}"' for name in TABLES)
    (folder / "withstand.toml").write_text(
        f'name = "Gears"\nhome = "HOME"\nviewpoint = "GEAR"\n[database]\nurl = "sqlite:data.sqlite"\n[database.queries]\n{queries}\n',
        encoding="utf-8",
    )
    with closing(sqlite3.connect(folder / "data.sqlite")) as base:
        for name, text in TABLES.items():
            head, *rows = csv.reader(text.splitlines())
            columns = ", ".join(f'"{h}"' for h in head)
            base.execute(f"create table {name} ({columns})")
            places = ", ".join("?" * len(head))
            base.executemany(f"insert into {name} values ({places})", rows)
        base.commit()


# --- scenarios, hazards, options -----------------------------------------------------------------


@functools.cache
def _net() -> ProductionNetwork:
    from withstand.readers import read_folder

    with tempfile.TemporaryDirectory() as place:
        return read_folder(tiny_project(Path(place) / "p"))


def _make_scenarios(place: Path) -> None:
    (place / "one.toml").write_text(
        'name = "Japan"\nprobability = 0.05\n\n[[shock]]\nregion = "JP"\nshare = 0.5\nstart = "2w"\n'
        'duration = "12w"\nrecovery = "8w"\ncurve = "linear"\n\n[[shock]]\nproduct = "ORE"\nshare = 1\n',
        encoding="utf-8",
    )
    (place / "many.toml").write_text(
        '[[scenario]]\nname = "a"\n[[scenario.shock]]\nnode = "mine"\nduration = "4w"\n\n'
        '[[all]]\nof = "regions"\nshare = 0.5\nduration = "12w"\nprobability = 0.1\n',
        encoding="utf-8",
    )


def _scenarios(place: Path) -> object:
    from withstand.model.hits import resolve
    from withstand.model.scenario_files import read_scenarios

    found = read_scenarios([place], _net())
    for scenario in found[:5]:
        resolve(scenario, _net(), 26)
    return None


HAZARDS = {
    "label": ["quake", "fire"],
    "region": ["JP", None],
    "node": [None, "mine"],
    "probability": [0.05, 0.2],
    "share": [0.8, 1.0],
    "duration": ["12w", "3"],
    "duration_spread": [0.5, None],
    "recovery": ["1 month", None],
    "curve": ["s-shaped", None],
}


def _make_hazards(place: Path) -> None:
    pl.DataFrame(HAZARDS).write_csv(place / "hazards.csv")


def _hazards(place: Path) -> object:
    from withstand.model.scenario_sets import draw_years
    from withstand.readers.hazards import read_hazards

    hazards, _ = read_hazards(place / "hazards.csv", _net())
    for scenario in draw_years(hazards, 5, period="week", seed=0):
        assert 0.0 <= (scenario.probability or 0.0) <= 1.0
    return None


def _make_options(place: Path) -> None:
    _csv(place)
    tables = place / "p" / "tables"
    (tables / "options.csv").write_text(
        "option,name,kind,cost_once,cost_per_period,ready_periods,requires\n"
        "M1,More steel,stockpile,20000,10,4,\nM2,A second mill,build,50000,,52,M1\n",
        encoding="utf-8",
    )
    (tables / "option_effects.csv").write_text(
        "option,effect,product,node,amount,unit\nM1,add_stock,STEEL,,8,weeks\n"
        "M2,add_capacity,,mill,100,\n",
        encoding="utf-8",
    )


def _options(place: Path) -> object:
    from withstand.model.option import apply, read_options
    from withstand.readers import read_folder

    network = read_folder(place / "p")
    return apply(network, read_options(network))


# --- trade ---------------------------------------------------------------------------------------

BACI = "t,i,j,k,v,q\n2019,156,276,010111,9.000,1.5\n2019,842,276,010111,1.0,NA\n2019,276,251,280530,2,0.25\n"
COMTRADE = (
    "typeCode,refYear,reporterISO,partnerISO,flowCode,classificationCode,cmdCode,primaryValue,netWgt\n"
    "C,2019,DEU,CHN,M,H5,010111,9000,1500\nC,2019,DEU,USA,M,H5,010111,1000,\n"
    "C,2019,CHN,DEU,X,H5,010111,8800,1500\nC,2019,FRA,DEU,M,H5,280530,2000,250\n"
)
PLAIN = "year;exporter;importer;product;value\n2022;CN;DE;280530;9\n2022;FR;DE;280530;1\n"


def _text(name: str, content: str) -> Callable[[Path], object]:
    return lambda place: (place / name).write_text(content, encoding="utf-8")


def _trade(name: str) -> Callable[[Path], object]:
    def read(place: Path) -> object:
        from withstand.readers import read_trade

        cube = read_trade(place / name)
        frame = cube.to_frame()
        assert frame["value"].is_finite().all()
        return None

    return read


def _make_trade_parquet(place: Path) -> None:
    pl.read_csv(BACI.encode(), null_values="NA").write_parquet(place / "baci.parquet")


# --- economies -----------------------------------------------------------------------------------


def _world(place: Path) -> mrio_files.World:
    return mrio_files.world(["DEU", "FRA"], ["c1", "c2"], ["final", "stocks"])


def _mrio(name: str, layout: str | None = None, **how: Any) -> Callable[[Path], object]:
    def read(place: Path) -> object:
        from withstand.readers import read_mrio

        return read_mrio(place / name, layout, **how)

    return read


def _make_wide(place: Path) -> None:
    mrio_files.write_wide(_world(place), place / "wiot_2011.parquet")


def _make_oecd(place: Path) -> None:
    w = mrio_files.world(["DEU", "USA"], ["01", "02"], ["HFCE", "INVNT"])
    mrio_files.write_oecd(w, place / "DEU2011ttl.csv")


def _make_wiod(place: Path) -> None:
    w = mrio_files.world(["DEU", "USA"], mrio_files.SECTORS[2016], mrio_files.WIOD_CATEGORIES)
    rows = mrio_files.wiod_rows(w, 2016, 2014)
    mrio_files.write_xlsb(rows, place / "WIOT2014_Nov16_ROW.xlsb", "2014")


def _make_wiod_xlsx(place: Path) -> None:
    w = mrio_files.world(["DEU", "USA"], mrio_files.SECTORS[2013], mrio_files.WIOD_CATEGORIES)
    rows = mrio_files.wiod_rows(w, 2013, 2009)
    mrio_files.write_xlsx(rows, place / "WIOT09_ROW_Apr12.xlsx", "WIOT_2009")


def _make_pymrio(place: Path) -> None:
    mrio_files.write_pymrio(_world(place), place / "p", "txt")


def _make_arrays(place: Path) -> None:
    w = _world(place)
    np.savez(
        place / "table.npz",
        Z=w.Z,
        Y=w.Y,
        x=w.x,
        region=np.array([r for r, _ in w.cells]),
        sector=np.array([s for _, s in w.cells]),
        final_region=np.array([r for r, _ in w.final]),
        category=np.array([c for _, c in w.final]),
    )


def _make_economy(place: Path) -> None:
    from withstand.readers import read_mrio, write_folder

    _make_wide(place)
    write_folder(read_mrio(place / "wiot_2011.parquet"), place / "p")
    (place / "wiot_2011.parquet").unlink()


def _criticality(place: Path) -> object:
    from withstand.readers import read_criticality

    return read_criticality(place / "ratings.csv")


def _accounts(place: Path) -> object:
    from withstand.readers import read_mrio

    return read_mrio(place / "wiot_2011.parquet", accounts=place / "accounts.csv")


def _make_accounts(place: Path) -> None:
    _make_wide(place)
    _text(
        "accounts.csv",
        "country,code,year,EMP,COMP\nDEU,c1,2011,7,3\nDEU,c2,2011,8,4\nFRA,c1,2011,1,2\nFRA,c2,2011,5,6\n",
    )(place)


# --- runs, lines, mappings, messy files ----------------------------------------------------------


def _make_run(place: Path) -> None:
    from withstand.model.scenario_sets import single_failures
    from withstand.stress.ensembles import ensemble

    ensemble(_net(), single_failures(_net(), duration="4w"), engine="cascade", out=place / "run")


def _run(place: Path) -> object:
    from withstand.stress.ensembles import resume

    found = resume(_net(), place / "run")
    assert found.outcomes.height == len(found.outcomes["scenario"])
    return None


def _line(place: Path) -> object:
    from withstand.workbench import read_line

    return read_line(place / "line.csv")


def _line_toml(place: Path) -> object:
    from withstand.workbench import read_line

    return read_line(place / "line.toml")


LINE = "machine,cycle_seconds,mtbf,mttr,buffer_after\nM1,60,2h,10 min,5\nM2,70,80 min,500s,3\nM3,60,99 min,5 min,\n"
LINE_TOML = (
    'name = "Gears"\n[[machine]]\nmachine = "M1"\ncycle_seconds = 1\nmtbf = "90 min"\nmttr = "600s"\n'
    'buffer_after = 5\n[[machine]]\nmachine = "M2"\ncycle_seconds = 1.2\nmtbf = "80 min"\nmttr = "1h"\n'
)
SUPPLIERS = (
    "Lieferliste;;;;\n;;;;\nTeil;Lieferant;Land;Anteil;Preis (EUR)\nSTEEL;Mill GmbH;Deutschland;1;1.234,50\n"
    "ORE;Mine AG;JP;1;0,5\nSumme;;;;1.235,00\n"
)


def _import(place: Path) -> object:
    from withstand.workbench import plan_import

    return plan_import(place / "p", [place / "suppliers.csv"], mode="update")


def _make_import(place: Path) -> None:
    _shorthand(place)
    (place / "suppliers.csv").write_text(SUPPLIERS, encoding="utf-8")


def _make_import_sheet(place: Path) -> None:
    import openpyxl

    _shorthand(place)
    book = openpyxl.Workbook()
    for row in csv.reader(SUPPLIERS.splitlines(), delimiter=";"):
        book.active.append(row)
    book.save(place / "suppliers.xlsx")


def _import_sheet(place: Path) -> object:
    from withstand.workbench import plan_import

    return plan_import(place / "p", [place / "suppliers.xlsx"], mode="update")


def _mapping(place: Path) -> object:
    from withstand.readers.mapping.kept import read_mappings

    read_mappings(place / "p")
    return None


def _make_mapping(place: Path) -> None:
    from withstand.workbench import plan_import, write_import

    _make_import(place)
    plan = plan_import(place / "p", [place / "suppliers.csv"], mode="update", decimal=",")
    write_import(plan)
    for file in [p for p in place.rglob("*") if p.is_file() and p.parent.name != "mappings"]:
        file.unlink()


TARGETS = (
    Target("csv", _csv, _folder),
    Target("parquet", _parquet, _folder),
    Target("xlsx", _workbook, _folder),
    Target("ods", _ods, _folder),
    Target("shorthand", _shorthand, _folder),
    Target("settings", _make_settings, _settings),
    Target("journal", _journal, _folder),
    Target("sqlite", _sqlite, _folder),
    Target("scenarios", _make_scenarios, _scenarios),
    Target("hazards", _make_hazards, _hazards),
    Target("options", _make_options, _options),
    Target("baci", _text("BACI_HS17_Y2019_V202401.csv", BACI), _trade("BACI_HS17_Y2019_V202401.csv"), 0.5),
    Target("comtrade", _text("comtrade.csv", COMTRADE), _trade("comtrade.csv"), 0.5),
    Target("trade", _text("flows.csv", PLAIN), _trade("flows.csv"), 0.5),
    Target("trade_parquet", _make_trade_parquet, _trade("baci.parquet"), 0.5),
    Target("mrio_wide", _make_wide, _mrio("wiot_2011.parquet")),
    Target("mrio_oecd", _make_oecd, _mrio("DEU2011ttl.csv")),
    Target("mrio_wiod_xlsb", _make_wiod, _mrio("WIOT2014_Nov16_ROW.xlsb")),
    Target("mrio_wiod_xlsx", _make_wiod_xlsx, _mrio("WIOT09_ROW_Apr12.xlsx")),
    Target("mrio_pymrio", _make_pymrio, _mrio("p")),
    Target("mrio_arrays", _make_arrays, _mrio("table.npz")),
    Target("economy", _make_economy, _folder),
    Target("accounts", _make_accounts, _accounts),
    Target("criticality", _text("ratings.csv", ",a,b\na,1,0.5\nb,0,NA\n"), _criticality),
    Target("run", _make_run, _run),
    Target("line", _text("line.csv", LINE), _line),
    Target("line_toml", _text("line.toml", LINE_TOML), _line_toml),
    Target("import_csv", _make_import, _import, 0.3),
    Target("import_xlsx", _make_import_sheet, _import_sheet, 0.3),
    Target("mapping", _make_mapping, _mapping),
)  # fmt: skip
BY_NAME = {t.name: t for t in TARGETS}


@functools.cache
def good_files(name: str) -> dict[str, bytes]:
    """Return the good files of a target by their place."""
    with tempfile.TemporaryDirectory() as folder:
        BY_NAME[name].make(Path(folder))
        return {
            p.relative_to(folder).as_posix(): p.read_bytes()
            for p in sorted(Path(folder).rglob("*"))
            if p.is_file() and p.name != "lock"
        }


# --- judging -------------------------------------------------------------------------------------


class JudgedError(AssertionError):
    """What came of a reading may not come."""


def judge(target: Target, place: Path, *, is_deep: bool = False) -> str:
    """Read what stands in a folder; return "read" or "refused".

    Parameters
    ----------
    is_deep : bool
        Write a network that was read and read it again: it must be the same.

    Raises
    ------
    Exception
        Whatever may not come: another exception, a message without a mend, a network that cannot be
        written and read again.
    """
    try:
        found = target.read(place)
    except FindingsError as error:
        faults = [f for f in error.findings if f.severity == "error"]
        if not faults:
            raise JudgedError("refused without an error") from error
        for f in error.findings:
            if f.severity == "error" and not (f.what and f.why and f.fix):
                raise JudgedError(f"{f.code} says not what, why and how to mend it") from error
            _in_words(str(f))
        return "refused"
    except UsageError as error:
        _in_words(str(error))
        return "refused"
    except SolverError as error:
        raise JudgedError(f"the solver: {error}") from error
    except WithstandError as error:
        _in_words(str(error))
        return "refused"
    if isinstance(found, ProductionNetwork):
        for f in found.findings:
            _in_words(str(f))
        if is_deep:
            _again(found, place)
    return "read"


def _in_words(text: str) -> None:
    """Refuse messages that are empty, endless, or would play tricks with a terminal."""
    if not text.strip():
        raise JudgedError("an empty message")
    if len(text) > LONGEST_MESSAGE:
        raise JudgedError(f"a message of {len(text)} characters")
    tricks = sorted({c for c in text if not c.isprintable() and c not in ALLOWED_SIGNS})
    if tricks:
        raise JudgedError(f"a message with {tricks[0]!r}: {text[:80]!r}")


def _again(network: ProductionNetwork, place: Path) -> None:
    from withstand.readers import read_folder, write_folder

    for form in ("csv", "parquet"):
        again = read_folder(write_folder(network, place / f"again-{form}", format=form))
        if again.fingerprint() != network.fingerprint():
            raise JudgedError(f"written as {form} and read again, it is another network")
