"""Databases: the same network by every route, only reading, one moment, no password shown."""

from __future__ import annotations

import json
import logging
import pickle
import sqlite3
import threading
import traceback
from collections.abc import Iterator
from pathlib import Path

import duckdb
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from database_cases import (
    VARIABLE,
    fill_duckdb,
    fill_postgresql,
    fill_sqlite,
    firms,
    project,
)
from postgres_server import OWNER, PASSWORD, Server, binaries, running
from withstand import workbench
from withstand.cli import main
from withstand.errors import DataError, MissingExtraError, UsageError
from withstand.examples import example
from withstand.model.findings import Finding
from withstand.model.network import ProductionNetwork
from withstand.readers import read_folder, write_folder
from withstand.readers.databases.addresses import AddressError, read_address
from withstand.readers.databases.database_settings import DatabaseSettings
from withstand.readers.databases.passwords import Password
from withstand.readers.databases.reading import address_of, read_tables
from withstand.readers.databases.results import write_results
from withstand.readers.databases.sources import QueryError
from withstand.readers.databases.statements import fault_of

KINDS = ("sqlite", "duckdb", "postgresql")
READER = "reads only"
NODES = pl.DataFrame(
    {
        "node": ["mill", "plant"],
        "product": ["STEEL", "GEAR"],
        "region": ["JP", "HOME"],
        "final_demand": [0.0, 10.0],
    }
)
RECIPES = pl.DataFrame({"buyer": ["GEAR"], "input": ["STEEL"], "quantity": [2.0]})
TINY = {"nodes": NODES, "recipes": RECIPES}


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    if binaries() is None:
        pytest.skip("PostgreSQL is not installed (Debian: apt-get install postgresql)")
    pytest.importorskip("adbc_driver_postgresql", reason="the extra [db] is not installed")
    with running() as found:
        word = READER.replace("'", "''")
        found.run(
            f"create role reader login password '{word}'",
            f"create role plain login password '{word}'",
        )
        yield found


@pytest.fixture(scope="module")
def tiny_server(server: Server) -> Server:
    fill_postgresql(server, "tiny", TINY)
    return server


@pytest.fixture(autouse=True)
def password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, READER)
    monkeypatch.delenv("PGPASSWORD", raising=False)


def tiny(kind: str, folder: Path, request: pytest.FixtureRequest) -> tuple[str, str]:
    """A database with the tiny tables: its address, and what stands before their names."""
    if kind == "postgresql":
        return request.getfixturevalue("tiny_server").url("reader"), "tiny."
    fill = fill_sqlite if kind == "sqlite" else fill_duckdb
    return fill(folder / f"tiny.{kind}", TINY), ""


def faults(folder: Path) -> tuple[Finding, ...]:
    with pytest.raises(DataError) as caught:
        read_folder(folder)
    return caught.value.findings


def codes(folder: Path) -> list[str]:
    return [f.code for f in faults(folder)]


# --- routes --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["robot_maker", "firms"])
def test_every_route_gives_the_same_network(name: str, server: Server, tmp_path: Path) -> None:
    network = example("robot_maker") if name == "robot_maker" else firms()
    tables = dict(network.tables)
    fill_postgresql(server, name, tables)
    urls = {
        fill_sqlite(tmp_path / "x.db", tables): "",
        fill_duckdb(tmp_path / "x.duckdb", tables): "",
        server.url("reader"): f"{name}.",
    }
    found = {}
    for url, before in urls.items():
        queries = {n: f"select * from {before}{n}" for n in tables}
        found[url] = read_folder(project(tmp_path / "p", url, queries, network.settings))
    for form in ("csv", "parquet", "xlsx"):
        found[form] = read_folder(write_folder(network, tmp_path / form, format=form))
    assert {n.fingerprint() for n in found.values()} == {network.fingerprint()}
    told = {tuple(f.code for f in n.findings) for n in found.values()}
    assert len(told) == 1


def test_plant_shorthand_comes_by_queries_too(tmp_path: Path) -> None:
    from withstand.examples import folder_of

    names = ("items", "recipes", "suppliers")
    source = folder_of("robot_maker")
    tables = {n: pl.read_csv(source / f"{n}.csv", infer_schema_length=None) for n in names}
    url = fill_sqlite(tmp_path / "x.db", tables)
    queries = {n: f"select * from {n}" for n in names}
    (tmp_path / "files").mkdir()
    for name, frame in tables.items():
        frame.write_csv(tmp_path / "files" / f"{name}.csv")
    settings = example("robot_maker").settings
    there = project(tmp_path / "p", url, queries, settings)
    toml = (there / "withstand.toml").read_text().split("[database]")[0]
    (tmp_path / "files" / "withstand.toml").write_text(toml)
    assert read_folder(there).fingerprint() == read_folder(tmp_path / "files").fingerprint()


@pytest.mark.parametrize("kind", KINDS)
def test_faults_name_query_row_and_column(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    url, before = tiny(kind, tmp_path, request)
    links = "select 'mill' as supplier, 'plant' as buyer, 1.0 as share"
    queries = {
        "nodes": f"select * from {before}nodes",
        "recipes": f"select * from {before}recipes;",
        "links": f"{links} union all select 'mlil', 'plant', 0.5 order by 3 desc",
    }
    (fault,) = [f for f in faults(project(tmp_path / "p", url, queries)) if f.code == "E104"]
    assert fault.place == "query links row 2, column supplier"
    assert (fault.value, fault.suggestion) == ("mlil", "mill")


def test_one_broken_query_leaves_the_others_read(server: Server, tmp_path: Path) -> None:
    queries = {
        "links": "select * from nowhere",
        "nodes": "select 'a' as node, 'P' as product",
        "stocks": "select 1/0 as node",
        "regions": "select 'R' as region where false",
    }
    found = faults(project(tmp_path, server.url("reader"), queries))
    assert [(f.code, f.file) for f in found] == [
        ("E735", "query links"),
        ("E101", "query nodes"),
        ("E735", "query stocks"),
        ("W731", "query regions"),
    ]
    assert "division by zero" in found[2].what


def test_tables_in_files_stand_beside_queries_but_not_twice(tmp_path: Path) -> None:
    url = fill_sqlite(tmp_path / "x.db", TINY)
    folder = project(tmp_path / "p", url, {n: f"select * from {n}" for n in TINY})
    (folder / "tables").mkdir()
    pl.DataFrame({"region": ["HOME", "JP"], "home": ["yes", "no"]}).write_csv(
        folder / "tables" / "regions.csv"
    )
    assert read_folder(folder).tables["regions"]["home"].to_list() == [True, False]
    NODES.write_csv(folder / "tables" / "nodes.csv")
    assert "E106" in codes(folder)


# --- types ---------------------------------------------------------------------------------------


def test_types_of_postgresql_become_the_numbers_and_words_that_they_show(
    server: Server, tmp_path: Path
) -> None:
    server.run("drop type if exists kind", "create type kind as enum ('component', 'skill')")
    query = """select 'P'::char(4) as product, 'skill'::kind as kind, 10121.50::numeric(9,2) as hs,
        '1'::varchar as unit, gen_random_uuid() as uuid, '{"a":1}'::jsonb as note,
        date '2020-02-29' as as_of, null as name"""
    queries = {
        "products": query,
        "nodes": """select 'n'::name as node, 'P' as product, 7 as region,
            0.1::numeric as price, 12345678901234.5678901::numeric as output,
            2::int2 as capacity""",
    }
    network = read_folder(project(tmp_path, server.url("reader"), queries))
    (row,) = network.tables["products"].rows(named=True)
    assert (row["product"], row["kind"], row["hs"], row["name"]) == ("P", "skill", "10121.50", None)
    assert row["as_of"] == "2020-02-29"
    assert len(row["uuid"]) == 36
    (node,) = network.tables["nodes"].rows(named=True)
    assert (node["region"], node["price"], node["capacity"]) == ("7", 0.1, 2.0)
    assert node["output"] == float("12345678901234.5678901")


@pytest.mark.parametrize(
    "value",
    ["array[1, 2]", "'x'::bytea", "'1 day'::interval", "5::money", "inet '1.2.3.4'", "row(1, 2)"],
)
def test_types_that_no_table_takes_are_refused(value: str, server: Server, tmp_path: Path) -> None:
    folder = project(tmp_path, server.url("reader"), {"nodes": f"select {value} as node"})
    (fault,) = faults(folder)
    assert (fault.code, fault.file, fault.column) == ("E737", "query nodes", "node")


@pytest.mark.parametrize("kind", KINDS)
def test_columns_without_a_name_or_with_two_are_refused(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    url, _ = tiny(kind, tmp_path, request)
    queries = {"nodes": "select 1 as node, 2 as node"}
    assert codes(project(tmp_path / "p", url, queries)) == ["E120"]


def test_cells_of_sqlite_may_mix_types(tmp_path: Path) -> None:
    file = tmp_path / "x.db"
    with sqlite3.connect(file) as connection:
        connection.execute("create table nodes (node, product, region, price)")
        rows = [(i, 1.0 if i % 2 else "P", "R", i) for i in range(70_000)]
        connection.executemany(
            "insert into nodes values (?, ?, ?, ?)", [*rows, ("last", 2, "R", 0.5)]
        )
    connection.close()
    network = read_folder(
        project(tmp_path / "p", f"sqlite:{file}", {"nodes": "select * from nodes"})
    )
    assert network.n_nodes == 70_001
    assert set(network.product_labels) == {"1", "2", "P"}
    assert network.tables["nodes"]["node"].to_list()[-2:] == ["69999", "last"]
    assert network.price[-2:].tolist() == [69999.0, 0.5]


def test_binary_cells_of_sqlite_are_refused(tmp_path: Path) -> None:
    url = fill_sqlite(tmp_path / "x.db", TINY)
    folder = project(tmp_path / "p", url, {"nodes": "select x'00' as node"})
    assert codes(folder) == ["E737"]


# --- one moment ----------------------------------------------------------------------------------


def test_all_tables_are_of_one_moment(server: Server) -> None:
    from withstand.readers.databases import postgresql

    server.run("drop table if exists clock", "create table clock as select 1 as tick",
               "grant select on clock to reader")  # fmt: skip
    address = read_address(server.url("reader"), Path())
    with postgresql.opened(address, 10.0, Password(READER)) as source:
        first = pl.concat(source.frames("select tick from clock"))
        server.run("update clock set tick = 2")
        second = pl.concat(source.frames("select tick from clock"))
    assert first.item() == second.item() == 1
    assert server.run("select tick from clock") == [(2,)]


@pytest.mark.parametrize("kind", KINDS)
def test_a_query_that_takes_too_long_is_stopped(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    url, _ = tiny(kind, tmp_path, request)
    endless = {
        "sqlite": "with recursive a(n) as (select 1 union all select n + 1 from a)"
        " select max(n) as node from a",
        "duckdb": "select sum(sin(a.range * b.range)) as node"
        " from range(1000000) a, range(1000000) b",
        "postgresql": "select sum(sin(a * b)) as node"
        " from generate_series(1, 1000000) a, generate_series(1, 1000000) b",
    }
    more = f'password_env = "{VARIABLE}"\ntimeout_seconds = 0.2'
    assert codes(project(tmp_path / "p", url, {"nodes": endless[kind]}, more=more)) == ["E736"]


# --- hostile queries -----------------------------------------------------------------------------

HOSTILE = [
    "insert into nodes values ('x', 'x', 'x', 1)",
    "update nodes set node = 'x'",
    "delete from nodes",
    "drop table nodes",
    "create table mine (a int)",
    "select 1; drop table nodes",
    "select 1) to program 'touch pwned' --",
    "copy nodes to 'pwned'",
    "copy (select 1) to program 'touch pwned'",
    "attach 'pwned.db' as other",
    "attach database 'pwned.db' as other",
    "pragma user_version = 7",
    "set enable_external_access = true",
    "install httpfs",
    "vacuum into 'pwned.db'",
    "with gone as (delete from nodes returning node) select * from gone",
    "select * from read_csv('/etc/passwd')",
    "select * from read_text('/etc/passwd')",
    "select load_extension('pwned')",
    "select pg_read_file('/etc/passwd') as node",
    "select lo_import('/etc/passwd') as node",
    "select \"lo_import\"('/etc/passwd') as node",
    "select dblink_exec('host=evil', 'drop table nodes') as node",
    "select set_config('transaction_read_only', 'off', false) as node",
    "select query_to_xml('delete from nodes', true, true, '') as node",
    "select nextval('counter') as node",
    "select write_something() as node",
    "select * into mine from nodes",
    "call write_something()",
    "do $$ begin delete from nodes; end $$",
    "explain analyze delete from nodes",
    "/* select */ delete from nodes",
    "begin; delete from nodes; commit",
    "rollback",
]


@pytest.fixture(scope="module")
def owned(server: Server) -> Server:
    """A database whose own role may change it, and a function that does."""
    fill_postgresql(server, "public", TINY)
    server.run(
        "create sequence counter",
        "create function write_something() returns int language sql volatile as"
        " 'delete from nodes; select 1'",
    )
    return server


@pytest.mark.parametrize("kind", KINDS)
def test_hostile_queries_are_refused_and_change_nothing(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    if kind == "postgresql":  # as the owner: rights do not help
        monkeypatch.setenv(VARIABLE, PASSWORD)
        url, file = request.getfixturevalue("owned").url(OWNER), None
    else:
        url, _ = tiny(kind, tmp_path, request)
        file = tmp_path / f"tiny.{kind}"
    before = file.read_bytes() if file else None
    for query in HOSTILE:
        settings = DatabaseSettings(url=url, password_env=VARIABLE, queries={"nodes": query})
        tables, findings, _ = read_tables(settings, tmp_path)
        assert not tables, query
        assert {f.code for f in findings} & {"E734", "E735"}, query
    assert not list(tmp_path.glob("pwned*"))
    if file:
        assert file.read_bytes() == before
    else:
        server = request.getfixturevalue("owned")
        assert server.run("select count(*) from nodes") == [(2,)]
        assert server.run("select is_called from counter") == [(False,)]
        assert server.run("select count(*) from pg_tables where tablename = 'mine'") == [(0,)]


@pytest.mark.parametrize("kind", KINDS)
def test_the_database_itself_refuses_to_write(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """The second wall alone: what the look at the text would have let through."""
    from withstand.readers.databases import duckdb_files, postgresql, sqlite_files

    if kind == "postgresql":
        owned = request.getfixturevalue("owned")
        opened = postgresql.opened(read_address(owned.url(), Path()), 10.0, Password(PASSWORD))
        beyond = ["select write_something()", "select nextval('counter')"]
    else:
        address = address_of(tiny(kind, tmp_path, request)[0], tmp_path)
        module = sqlite_files if kind == "sqlite" else duckdb_files
        opened = module.opened(address, 10.0)
        beyond = ["attach 'pwned.db' as o", "select load_extension('x')", "pragma user_version = 7",
                  "copy nodes to 'pwned'", "set lock_configuration = false",
                  "select * from glob('/*')"]  # fmt: skip
    first = [
        "insert into nodes select * from nodes",
        "create table mine (a int)",
        "select 1; select 2",
    ]
    with opened as source:
        for query in [*first, *beyond]:
            with pytest.raises(QueryError):
                list(source.frames(query))
        assert len(list(source.frames("select 1 as a"))) >= 1
    assert not list(tmp_path.glob("pwned*"))


@pytest.mark.parametrize(
    "query",
    [
        "select ';' as a, \"b;c\" from t -- ; drop",
        "SELECT 1;",
        "(select 1) union (select 2)",
        "with a as (select 1) select * from a /* ; */",
        "values (1, 'it''s')",
        "select $$ ; delete $$ as a",
        "select e'it\\'s ; fine' as a",
        "from parts",
        "select größe from t",
        "select insert_date, deleted from t where note = 'drop table'",
    ],
)
def test_reading_queries_pass(query: str) -> None:
    assert fault_of(query) is None


@pytest.mark.parametrize(
    "query",
    ["", ";", "-- only", "select 'open", "select /* open", "select 1 /* a /* b */ */", "select (1",
     "select 1)", "select U&'x'", "select 1\0", "select '\\'; drop table t --'"],
)  # fmt: skip
def test_queries_that_cannot_be_told_are_refused(query: str) -> None:
    assert fault_of(query) is not None


@given(st.text(max_size=30))
def test_what_stands_in_quotes_is_never_a_statement(text: str) -> None:
    text = text.replace("\0", "")
    literal = "'" + text.replace("'", "''") + "'"
    name = '"' + text.replace('"', '""') + '"'
    assert fault_of(f"select {literal} as {name} from t") is None
    assert fault_of(f"select {literal} as a; delete from {name}") == "more than one statement"


# --- passwords -----------------------------------------------------------------------------------

SECRET = "hunter2-%-Zürich"


@pytest.mark.parametrize(
    "section",
    [
        'url = "postgresql://reader:hunter2-%-Zürich@localhost/erp"',
        'url = "postgresql://localhost/erp?user=reader&password=hunter2-%-Zürich"',
        'url = "postgresql://localhost/erp?sslpassword=hunter2-%-Zürich"',
        'url = "postgresql://localhost/erp"\npassword = "hunter2-%-Zürich"',
        'url = "postgresql://localhost/erp"\nPGPASSWORD = "hunter2-%-Zürich"',
        'url = "postgresql://localhost/erp"\npassword_env = "hunter2-%-Zürich"',
        'url = "postgresql://localhost/erp"\npasword = ["hunter2-%-Zürich"]',
    ],
)
def test_a_password_written_down_is_refused_and_not_repeated(
    section: str,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "withstand.toml").write_text(
        f'name = "x"\n[database]\n{section}\n[database.queries]\nnodes = "select 1 as node"\n'
    )
    caplog.set_level(logging.DEBUG)
    with pytest.raises(DataError) as caught:
        read_folder(tmp_path)
    assert [f.code for f in caught.value.findings] == ["E731"]
    assert "environment variable" in caught.value.findings[0].fix
    assert main(["check", "--json", "--project", str(tmp_path)]) == 3
    assert main(["db", "check", "--project", str(tmp_path)]) == 3
    assert main(["db", "push", "--tables", "--project", str(tmp_path)]) == 3
    said = "".join(traceback.format_exception(caught.value)) + caplog.text
    said += "".join(capsys.readouterr()) + repr([f.to_dict() for f in caught.value.findings])
    assert "hunter2" not in said


def test_a_password_at_the_head_of_the_file_is_not_repeated(tmp_path: Path) -> None:
    (tmp_path / "withstand.toml").write_text(f'db_password = "{SECRET}"\n')
    NODES.write_csv(tmp_path / "nodes.csv")
    (fault,) = faults(tmp_path)
    assert (fault.code, fault.column) == ("E118", "db_password")
    assert "hunter2" not in str(fault) + repr(fault)


def test_the_password_of_the_environment_shows_nowhere(
    server: Server,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    queries = {"nodes": "select 'n' as node, 'P' as product, 'R' as region"}
    folder = project(tmp_path / "p", server.url("reader"), queries)
    network = read_folder(folder)
    out = write_folder(network, tmp_path / "out")
    kept = b"".join(f.read_bytes() for f in out.rglob("*") if f.is_file()).decode()
    assert READER not in kept + repr(network) + repr(network.settings) + caplog.text
    assert "127.0.0.1" not in kept
    monkeypatch.setenv(VARIABLE, SECRET)  # a wrong one
    with pytest.raises(DataError) as caught:
        read_folder(folder)
    error: BaseException | None = caught.value
    assert [f.code for f in caught.value.findings] == ["E733"]
    assert "password authentication failed" in str(error)
    said = "".join(traceback.format_exception(caught.value)) + caplog.text
    while error is not None:  # nor in what a debugger finds in the frames
        for frame, _ in traceback.walk_tb(error.__traceback__):
            said += repr({k: v for k, v in frame.f_locals.items() if k != "said"})
        error = error.__context__
    assert "hunter2" not in said.replace(repr(SECRET), "")


def test_a_password_does_not_travel() -> None:
    word = Password(SECRET)
    assert (repr(word), str(word), f"{word}") == ("(hidden)",) * 3
    with pytest.raises(TypeError):
        pickle.dumps(word)
    assert word.hidden_in(f"user said {SECRET}!") == "user said (hidden)!"


def test_a_missing_variable_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE)
    folder = project(tmp_path, "postgresql://127.0.0.1:1/x", {"nodes": "select 1 as node"})
    (fault,) = faults(folder)
    assert fault.code == "E733"
    assert VARIABLE in fault.what


def test_pgpassword_is_used_where_no_variable_is_named(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGPASSWORD", READER)
    queries = {"nodes": "select 'n' as node, 'P' as product, 'R' as region"}
    assert read_folder(project(tmp_path, server.url("reader"), queries, more="")).n_nodes == 1


def test_a_server_that_asks_for_the_password_itself_does_not_get_it(
    server: Server, tmp_path: Path
) -> None:
    """A project from a stranger may name a stranger's server."""
    folder = project(tmp_path, server.url("plain"), {"nodes": "select 1 as node"})
    (fault,) = faults(folder)
    assert fault.code == "E733"
    assert "authentication method" in fault.what


def test_a_role_with_all_rights_is_pointed_at(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    queries = {"nodes": "select 'n' as node, 'P' as product, 'R' as region"}
    reader = read_folder(project(tmp_path / "a", server.url("reader"), queries))
    assert "W732" not in {f.code for f in reader.findings}
    monkeypatch.setenv(VARIABLE, PASSWORD)
    network = read_folder(project(tmp_path / "b", server.url(), queries))
    assert "W732" in {f.code for f in network.findings}


# --- addresses and settings ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    ["", "mysql://x/y", "postgresql:", "postgresql://host", "postgresql://host:99999/x",
     "postgresql://h/x?options=-c%20x", "postgresql://h/x?usr=me", "postgresql://h/x?user",
     "postgresql://h/x#f", "sqlite:", "sqlite::memory:", "duckdb:", "duckdb:x?access_mode=rw",
     "/etc/passwd", "postgresql://[::1/x", "postgresql://h/x?user=a%0Ab"],
)  # fmt: skip
def test_addresses_that_cannot_be_understood_are_refused(url: str) -> None:
    with pytest.raises(AddressError):
        read_address(url, Path())


def test_a_wrong_address_is_told_with_the_right_forms(tmp_path: Path) -> None:
    (fault,) = faults(project(tmp_path, "mysql://erp.example/erp", {"nodes": "select 1 as node"}))
    assert (fault.code, fault.file, fault.column) == ("E732", "withstand.toml", "url")
    assert "duckdb:FILE" in fault.what


def test_addresses_keep_their_parts() -> None:
    found = read_address("postgres://me%40x@[::1]:5433/a%20b?sslmode=verify-full", Path())
    parts = {
        "host": "::1",
        "port": "5433",
        "dbname": "a b",
        "user": "me@x",
        "sslmode": "verify-full",
    }
    assert {k: found.connection[k] for k in parts} == parts
    assert "me" not in found.shown
    socket = read_address("postgresql:///erp?host=/run/postgresql", Path())
    assert socket.connection["host"] == "/run/postgresql"
    assert read_address("sqlite:///x.db", Path("p")).file == Path("p/x.db")
    assert read_address("duckdb:/a/x.db", Path("p")).file == Path("/a/x.db")


@pytest.mark.parametrize(
    ("section", "column"),
    [
        ("database = 3", "database.url"),
        ("[database]", "database.url"),
        ("[database]\nurl = 3", "database.url"),
        ('[database]\nurl = "sqlite:x"\nquerys = 3', "database.querys"),
        ('[database]\nurl = "sqlite:x"\nqueries = 3', "database.queries"),
        ('[database]\nurl = "sqlite:x"\n[database.queries]\nnode = "x"', "database.queries.node"),
        ('[database]\nurl = "sqlite:x"\n[database.queries]\nnodes = 1', "database.queries.nodes"),
        ('[database]\nurl = "sqlite:x"\ntimeout_seconds = -1', "database.timeout_seconds"),
        ('[database]\nurl = "sqlite:x"', "database.queries"),
    ],
)
def test_a_wrong_section_is_named(section: str, column: str, tmp_path: Path) -> None:
    (tmp_path / "withstand.toml").write_text(section)
    found = [f for f in faults(tmp_path) if f.code == "E118"]
    assert [f.column for f in found] == [column]


@pytest.mark.parametrize("kind", ["sqlite", "duckdb"])
def test_a_file_that_is_not_there_or_no_database_is_told(kind: str, tmp_path: Path) -> None:
    folder = project(tmp_path / "p", f"{kind}:gone.db", {"nodes": "select 1 as node"})
    assert codes(folder) == ["E733"]
    assert not (folder / "gone.db").exists()
    (folder / "gone.db").write_bytes(b"this is no database, whatever it is called" * 100)
    (fault,) = faults(folder)
    assert fault.code == "E733"
    assert str(tmp_path) not in str(fault)


def test_without_the_extra_it_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "adbc_driver_postgresql", None)
    folder = project(tmp_path, "postgresql://127.0.0.1:1/x", {"nodes": "select 1 as node"})
    with pytest.raises(MissingExtraError, match=r"withstand\[db\]"):
        read_folder(folder)


# --- results -------------------------------------------------------------------------------------

ROWS = pl.DataFrame({"node": ["a", None], "loss": [0.5, 1 / 3], "hit": [True, None], "n": [1, 2]})
ABOUT = {"what": "simulation", "network": "net", "fingerprint": "f00", "seed": 3, "versions": {}}


def target(kind: str, folder: Path, request: pytest.FixtureRequest) -> str:
    if kind == "postgresql":
        server = request.getfixturevalue("server")
        for schema in ("withstand", "results"):
            server.run(f"drop schema if exists {schema} cascade")
        return server.url()
    return f"{kind}:{folder / ('out.' + kind)}"


def rows_in(kind: str, folder: Path, request: pytest.FixtureRequest, table: str) -> list[tuple]:
    """All rows of a table of the schema `withstand`, read past our own code."""
    order = "order by 1, 2"
    if kind == "postgresql":
        return request.getfixturevalue("server").run(f"select * from withstand.{table} {order}")
    if kind == "duckdb":
        with duckdb.connect(str(folder / "out.duckdb"), read_only=True) as connection:
            return connection.execute(f"select * from withstand.{table} {order}").fetchall()
    connection = sqlite3.connect(folder / "out.sqlite")
    try:
        return connection.execute(f"select * from withstand_{table} {order}").fetchall()
    finally:
        connection.close()


@pytest.fixture
def as_owner(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, PASSWORD)


def push(url: str, tables: object, run: str = "r1"):
    return write_results(url, "withstand", tables, ABOUT, run=run, password_env=VARIABLE)  # type: ignore[arg-type]


@pytest.mark.usefixtures("as_owner")
@pytest.mark.parametrize("kind", KINDS)
def test_results_are_replaced_run_by_run(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    url = target(kind, tmp_path, request)
    push(url, {"nodes": ROWS, "extra": ROWS})
    push(url, {"nodes": ROWS}, run="r2")
    done = push(url, {"nodes": ROWS.head(1).with_columns(more=pl.lit("x"))})
    assert (done.run, dict(done.rows)) == ("r1", {"nodes": 1})
    found = rows_in(kind, tmp_path, request, "nodes")
    assert sorted(found, key=str) == sorted(
        [
            ("r1", "a", 0.5, True, 1, "x"),
            ("r2", "a", 0.5, True, 1, None),
            ("r2", None, 1 / 3, None, 2, None),
        ],
        key=str,
    )
    assert rows_in(kind, tmp_path, request, "extra") == []
    manifest = rows_in(kind, tmp_path, request, "manifest")
    assert [m[:5] for m in manifest] == [
        ("r1", "simulation", "net", "f00", 3),
        ("r2", "simulation", "net", "f00", 3),
    ]


class Cut(dict):
    """Tables of which the second one makes something happen while they are written."""

    def __init__(self, happens) -> None:
        super().__init__(nodes=ROWS.head(1), timeline=ROWS)
        self.happens = happens

    def items(self):
        if not getattr(self, "is_checked", False):  # names are looked at before anything is opened
            self.is_checked = True
            yield from super().items()
            return
        for k, item in enumerate(super().items()):
            if k == 1:
                self.happens()
            yield item


@pytest.mark.usefixtures("as_owner")
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("is_first", [True, False])
def test_a_write_cut_off_leaves_the_earlier_state(
    kind: str, is_first: bool, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    url = target(kind, tmp_path, request)
    if not is_first:
        push(url, {"nodes": ROWS})

    def killed() -> None:
        if kind != "postgresql":
            raise KeyboardInterrupt
        server = request.getfixturevalue("server")
        (ended,) = server.run(
            "select count(pg_terminate_backend(pid)) from pg_stat_activity"
            " where application_name = 'withstand'"
        )
        assert ended == (1,)

    expected = DataError if kind == "postgresql" else KeyboardInterrupt
    with pytest.raises(expected) as caught:
        push(url, Cut(killed))
    if kind == "postgresql":
        assert [f.code for f in caught.value.findings] == ["E739"]
    if is_first:
        with pytest.raises(Exception, match=r"(?i)not exist|no such table"):
            rows_in(kind, tmp_path, request, "nodes")
    else:
        assert len(rows_in(kind, tmp_path, request, "nodes")) == 2
        assert len(rows_in(kind, tmp_path, request, "manifest")) == 1
    push(url, {"nodes": ROWS})
    assert len(rows_in(kind, tmp_path, request, "nodes")) == 2


@pytest.mark.usefixtures("as_owner")
def test_two_writers_at_once_both_succeed(server: Server, tmp_path: Path, request) -> None:
    url = target("postgresql", tmp_path, request)
    failed: list[BaseException] = []

    def write(run: str) -> None:
        try:
            push(url, {"nodes": ROWS}, run=run)
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=write, args=(f"r{k}",)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not failed
    assert len(rows_in("postgresql", tmp_path, request, "manifest")) == 4
    assert len(rows_in("postgresql", tmp_path, request, "nodes")) == 8


@pytest.mark.usefixtures("as_owner")
@pytest.mark.parametrize("kind", KINDS)
def test_tables_of_others_are_never_touched(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    url = target(kind, tmp_path, request)
    theirs = "withstand_stock" if kind == "sqlite" else "withstand.stock"
    make = [f"create table {theirs} (a int)", f"insert into {theirs} values (7)"]
    if kind != "sqlite":
        make.insert(0, "create schema withstand")
    if kind == "postgresql":
        request.getfixturevalue("server").run(*make)
    else:
        connect = sqlite3.connect if kind == "sqlite" else duckdb.connect
        connection = connect(str(tmp_path / f"out.{kind}"))
        for statement in make:
            connection.execute(statement)
        connection.commit()
        connection.close()
    with pytest.raises(DataError) as caught:
        push(url, {"stock": ROWS})
    assert [f.code for f in caught.value.findings] == ["E738"]
    assert "stock" in caught.value.findings[0].what
    if kind == "postgresql":
        assert request.getfixturevalue("server").run(f"select * from {theirs}") == [(7,)]
    else:
        connection = connect(str(tmp_path / f"out.{kind}"))
        assert connection.execute(f"select * from {theirs}").fetchall() == [(7,)]
        connection.close()
    done = write_results(url, "results", {"stock": ROWS}, ABOUT, run="r", password_env=VARIABLE)
    assert dict(done.rows) == {"stock": 2}


@pytest.mark.parametrize(
    ("schema", "table", "column", "run"),
    [
        ("public", "t", "a", "r"),
        ("pg_x", "t", "a", "r"),
        ("Upper", "t", "a", "r"),
        ('x"; drop schema y; --', "t", "a", "r"),
        ("withstand", "manifest", "a", "r"),
        ("withstand", 't"', "a", "r"),
        ("withstand", "t", "withstand_run", "r"),
        ("withstand", "t", "x" * 64, "r"),
        ("withstand", "t", "", "r"),
        ("withstand", "t", "a", ""),
        ("withstand", "t", "a", "two\nlines"),
    ],
)
def test_names_that_cannot_be_are_refused(
    schema: str, table: str, column: str, run: str, tmp_path: Path
) -> None:
    frame = pl.DataFrame({column: [1]})
    with pytest.raises(UsageError):
        write_results(f"sqlite:{tmp_path}/x.db", schema, {table: frame}, ABOUT, run=run)
    assert not (tmp_path / "x.db").exists()


@pytest.mark.usefixtures("as_owner")
@pytest.mark.parametrize("kind", KINDS)
def test_awkward_columns_and_types_are_written(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    from datetime import date, datetime

    url = target(kind, tmp_path, request)
    frame = pl.DataFrame(
        {
            'a"b; drop table x; --': ["'; drop table x; --"],
            "list": [[1, 2]],
            "day": [date(2024, 2, 29)],
            "when": [datetime(2024, 2, 29, 12)],
            "big": pl.Series([2**63], dtype=pl.UInt64),
            "word": pl.Series(["x"], dtype=pl.Categorical),
        }
    )
    push(url, {"nodes": frame})
    push(url, {"nodes": frame})
    ((run, text, listed, day, when, big, word),) = rows_in(kind, tmp_path, request, "nodes")
    assert (run, text, listed, big, word) == ("r1", "'; drop table x; --", "[1, 2]", 2.0**63, "x")
    assert str(day) == "2024-02-29"
    assert str(when).startswith("2024-02-29 12:00:00")


# --- the use case and the command ----------------------------------------------------------------


def test_the_command_tries_queries_and_pushes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    network: ProductionNetwork = example("robot_maker")
    fill_sqlite(tmp_path / "erp.db", network.tables)
    queries = {n: f"select * from {n}" for n in network.tables}
    folder = project(tmp_path / "p", "sqlite:../erp.db", queries, network.settings, more="")
    assert main(["db", "check", "--project", str(folder)]) == 0
    assert "nodes: gives node, product, region" in capsys.readouterr().out
    from withstand import stress
    from withstand.model.scenario import Scenario

    read = workbench.load(folder)
    run = stress.simulate(read, Scenario.lose(region="JP", share=0.5, duration="4w"), periods=8)
    place = workbench.save_run(folder, run)
    arguments = ["--url", "duckdb:results.duckdb", "--json", "--project", str(folder)]
    assert main(["db", "push", place.name, *arguments]) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["run"], said["schema"]) == (place.name, "withstand")
    with duckdb.connect(str(folder / "results.duckdb"), read_only=True) as connection:
        cursor = connection.execute("select * exclude withstand_run from withstand.run_timeline")
        kept = cursor.fetchall()
        (print_,) = connection.execute("select fingerprint from withstand.manifest").fetchone()
    assert kept == run.to_frame().rows()
    assert print_ == network.fingerprint()
    assert main(["db", "push", "--tables", *arguments]) == 0
    with duckdb.connect(str(folder / "results.duckdb"), read_only=True) as connection:
        assert connection.execute("select count(*) from withstand.network_nodes").fetchone() == (
            network.n_nodes,
        )


def test_the_command_says_which_query_fails(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    url = fill_sqlite(tmp_path / "x.db", TINY)
    queries = {"nodes": "select node, product from nodes", "links": "select * from gone"}
    folder = project(tmp_path / "p", url, queries)
    assert main(["db", "check", "--json", "--project", str(folder)]) == 3
    said = json.loads(capsys.readouterr().out)
    assert [(f["code"], f["file"]) for f in said["findings"]] == [
        ("E101", "query nodes"),
        ("E735", "query links"),
    ]
    assert [q["table"] for q in said["queries"]] == ["nodes", "links"]


@pytest.mark.parametrize(
    "arguments",
    [
        ["db"],
        ["db", "dance"],
        ["db", "push"],
        ["db", "push", "x", "--tables"],
        ["db", "push", "gone"],
        ["db", "check"],
        ["db", "check", "x"],
        ["db", "push", "--tables", "--schema", "x"],
    ],
    ids=" ".join,
)
def test_wrong_use_is_told(arguments: list[str], tmp_path: Path) -> None:
    (tmp_path / "withstand.toml").write_text('name = "x"\n')
    assert main([*arguments, "--project", str(tmp_path)]) == 2
