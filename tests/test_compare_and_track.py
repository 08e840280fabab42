"""Compare and track: differences and paths by hand, a twin of changed rows, safe snapshots."""

from __future__ import annotations

import json
import os
import zipfile
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from withstand import examples, measures, readers, workbench
from withstand.cli import main
from withstand.cli.compare_command import limits_of
from withstand.errors import UsageError
from withstand.model.option import apply, read_options
from withstand.people import Target
from withstand.readers import atomic
from withstand.report.comparisons import Case, compare
from withstand.report.indicator_values import Measured
from withstand.report.indicators import INDICATORS, Asked, asked_of
from withstand.report.table_changes import table_changes
from withstand.report.tracking import Goal, Point, judge, path
from withstand.workbench.snapshots import read_snapshot, safe_name

TARGETS = pl.DataFrame(
    {
        "indicator": ["home_share", "region_share", "home_share", "hom_share"],
        "filter": ["", "region=JP", "", ""],
        "direction": ["at_least", "at_most", "at_least", "at_least"],
        "year": [2028, 2028, 2025, 2028],
        "value": [0.95, 0.05, 0.90, 0.5],
    }
)
BY_HAND = {0.8: 1 - 0.8 * 7.2 / 35, 0.5: 1 - 0.5 * 7.2 / 35, 0.2: 1 - 0.2 * 7.2 / 35}
"""Home share of the tiny plant by the share of steel from Japan: 1.2 kg at 6 in a gear of 35."""


def plant(from_japan: float):
    """The tiny plant with another share of steel from Japan."""
    net = examples.tiny()
    shares = pl.Series([from_japan, round(1 - from_japan, 9)])
    links = net.tables["links"].with_columns(share=shares)
    return net.with_changes({"links": links, "targets": TARGETS})


@pytest.fixture
def call(capsys):
    """Run a command in this process; return exit code, standard output, standard error."""

    def run(*words):
        code = main([str(w) for w in words])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A project with snapshots of the ends of 2024 (80 % from Japan) and 2025 (50 %); now 20 %."""
    folder = tmp_path_factory.mktemp("track") / "shop"
    for year, share in ((2024, 0.8), (2025, 0.5)):
        readers.write_folder(plant(share), folder)
        workbench.take_snapshot(folder, f"end-{year}", on=date(year, 12, 31))
    readers.write_folder(plant(0.2), folder)
    return folder


# --- comparing -----------------------------------------------------------------------------------


def test_differences_are_those_worked_out_by_hand():
    found = compare(
        [Case(name="base", network=plant(0.8)), Case(name="less", network=plant(0.5))], year=2026
    )
    row = found.rows.filter((pl.col("indicator") == "home_share") & (pl.col("case") == "less")).row(
        0, named=True
    )
    assert row["value"] == pytest.approx(BY_HAND[0.5], abs=1e-12)
    assert row["difference"] == pytest.approx(0.3 * 7.2 / 35, abs=1e-12)
    assert row["verdict"] == "better"
    left = found.rows.filter(
        (pl.col("indicator") == "feasible_output") & (pl.col("filter") == "without=JP")
    )
    assert left["value"].to_list() == pytest.approx([0.2, 0.5])  # what the mill at home delivers
    changed = found.why("less").sort("key")
    assert changed.select("key", "column", "before", "after").rows() == [
        ("STEEL@HOME | *", "share", "0.2", "0.5"),
        ("STEEL@JP | *", "share", "0.8", "0.5"),
    ]
    assert changed["effect"].to_list() == pytest.approx([0.3 * 7.2 / 35] * 2)


def test_a_network_differs_from_itself_in_nothing():
    found = compare(
        [Case(name="base", network=plant(0.8)), Case(name="twin", network=plant(0.8))], year=2026
    )
    assert set(found.rows.filter(pl.col("case") == "twin")["verdict"]) <= {"same", ""}
    assert found.changes.height == 0
    assert repr(found).startswith("<Compared: base and twin")


def twin_changes(old, new, key):
    """Rows by key in two dictionaries: what was added, removed, and which cells differ."""
    a = {tuple(r[k] for k in key): r for r in old.iter_rows(named=True)}
    b = {tuple(r[k] for k in key): r for r in new.iter_rows(named=True)}
    said = {("added", k, None) for k in b.keys() - a.keys()}
    said |= {("removed", k, None) for k in a.keys() - b.keys()}
    for k in a.keys() & b.keys():
        said |= {("changed", k, c) for c in old.columns if c not in key and a[k][c] != b[k][c]}
    return said


rows_of_stocks = st.dictionaries(
    st.sampled_from(["GEAR@HOME", "STEEL@JP", "STEEL@HOME", "*"]),
    st.tuples(st.sampled_from([None, 1.0, 2.5]), st.sampled_from([3.0, 4.0])),
    min_size=1,
)


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(old=rows_of_stocks, new=rows_of_stocks)
def test_changed_rows_are_those_of_the_twin(old, new):
    net = examples.tiny()
    frames = [
        pl.DataFrame(
            [(k, "STEEL", *v) for k, v in rows.items()],
            schema={"node": pl.String, "product": pl.String, "target": pl.Float64,
                    "periods_of_use": pl.Float64},
            orient="row",
        )
        for rows in (old, new)
    ]  # fmt: skip
    a, b = (net.build({**net.tables, "stocks": f}, net.settings, {}) for f in frames)
    found = table_changes(a, b)
    said = {
        (change, tuple(key.split(" | ")), column)
        for change, key, column in found.select("change", "key", "column").rows()
    }
    assert said == twin_changes(*frames, ["node", "product"])


def test_rows_without_a_key_are_counted():
    a, b = plant(0.8), plant(0.8)
    more = pl.concat([TARGETS, TARGETS.head(2)])[1:]
    found = table_changes(a, b.with_changes({"targets": more}))
    assert found["change"].to_list() == ["added"]  # one row twice; the first is there again
    assert found["key"][0].startswith("region_share")


def test_a_plan_is_applied_as_the_planner_applies_it(tmp_path):
    net = examples.example("robot_maker")
    options = read_options(net)[:2]
    calendar = [{"option": o.label, "size": 1.0, "start_year": 1} for o in options]
    file = tmp_path / "plan-1.json"
    file.write_text(json.dumps({"calendar": calendar, "cost": 5e6}))
    case = workbench.comparing.case_of(str(file), ".", net)
    assert case.network.fingerprint() == apply(net, options).fingerprint()
    assert case.plan_cost == 5e6
    file.write_text(json.dumps({"calendar": [{"option": "M0l"}]}))
    with pytest.raises(UsageError, match="which the base has not"):
        workbench.comparing.case_of(str(file), ".", net)


def test_what_does_not_compare_is_said(tmp_path):
    net = plant(0.8)
    monthly = net.with_changes(settings=_with(net.settings, period="month", currency="EUR"))
    found = compare([Case(name="a", network=net), Case(name="b", network=monthly)], year=2026)
    row = found.rows.filter((pl.col("indicator") == "periods_lost") & (pl.col("case") == "b")).row(
        0, named=True
    )
    assert row["difference"] is None
    assert "week and month" in row["why"]
    assert any("another currency" in n for n in found.notes)
    with pytest.raises(UsageError, match="base and one to 5 others"):
        workbench.compare(["example:robot_maker"])


def _with(old, **changes):
    from dataclasses import replace

    return replace(old, **changes)


def test_indicators_are_the_numbers_of_the_measures():
    net = examples.example("robot_maker")
    read = Measured(net, year=2026).read
    assert read(Asked("home_share")).value == measures.exposure(net).home_share
    covered = measures.coverage(net, ["JP"], "shared").by_kind
    wanted = covered.filter(pl.col("kind") == "equipment")["coverage"].item()
    asked = asked_of("covered[kind=equipment; rule=shared; without=JP]")
    assert read(asked).value == pytest.approx(wanted, abs=1e-12)
    unknown = read(Asked("feasible_output", "without=JPX"))
    assert unknown.value is None
    assert "There is no region 'JPX'" in unknown.why


def test_filters_and_thresholds_refuse_what_they_do_not_know():
    for text in ("nothing", "covered(of=JP)", "covered(without)", "covered(rule=none; rule=none)"):
        with pytest.raises(UsageError):
            asked_of(text)
    assert [str(x) for x in limits_of("covered(without=JP,CN)<80%,esri.rise>0.05")] == [
        "covered(without=JP, CN)<0.8",
        "esri.rise>0.05",
    ]
    with pytest.raises(UsageError, match="is no threshold"):
        limits_of("home_share=0.5")
    assert all(i.how and i.says for i in INDICATORS.values())


def test_compare_on_the_command_line_fails_on_a_fall(project, call, tmp_path):
    page, book, data = (tmp_path / f"c.{x}" for x in ("html", "xlsx", "json"))
    words = ["compare", "base", "end-2024", "--project", project, "--out", page, "--out", book,
             "--out", data]  # fmt: skip
    code, said, _ = call(*words, "--fail-on", "home_share.fall>5%")
    assert code == 5
    assert "home_share.fall>0.05 in end-2024" in said
    assert all(f.stat().st_size for f in (page, book, data))
    code, said, _ = call(*words, "--json")
    assert code == 0
    document = json.loads(said)
    assert document["indicators"] == json.loads(data.read_text())["indicators"]


# --- tracking ------------------------------------------------------------------------------------


def test_two_snapshots_and_now_are_judged_by_hand(project):
    found = workbench.track_targets(project, today=date(2026, 12, 31))
    home, japan, past, wrong = found.judgements
    assert [p.value for p in home.points] == pytest.approx([BY_HAND[x] for x in (0.8, 0.5, 0.2)])
    days = (date(2026, 12, 31) - date(2024, 12, 31)).days
    whole = (date(2028, 12, 31) - date(2024, 12, 31)).days
    due = BY_HAND[0.8] + (0.95 - BY_HAND[0.8]) * days / whole
    assert home.due_now == pytest.approx(due)
    assert home.due_this_year == pytest.approx(due)  # today is its last day
    assert home.status == "met"  # 0.959 against 0.95
    assert (japan.status, japan.met_on) == ("met", date(2026, 12, 31))
    assert past.status == "missed"  # 0.897 at the end of 2025 against 0.90
    assert past.behind == pytest.approx(0.90 - BY_HAND[0.5])
    assert past.why == "Reached since, on 2026-12-31."
    assert wrong.status == "not known"
    assert "Did you mean home_share" in wrong.why
    assert found.snapshots == ("end-2024", "end-2025")
    assert repr(found) == "<Tracked: Of 4 targets: 2 met, 1 not known, 1 missed.>"


@pytest.mark.parametrize(
    ("values", "year", "today", "status"),
    [
        ([0.2, 0.41], 2028, date(2026, 12, 31), "on course"),
        ([0.2, 0.39], 2028, date(2026, 12, 31), "late"),
        ([0.2, 0.6], 2028, date(2026, 12, 31), "met"),
        ([0.3], 2028, date(2024, 12, 31), "open"),
        ([0.2, 0.59], 2026, date(2027, 1, 1), "missed"),
        ([0.2, 0.6], 2026, date(2027, 1, 1), "met"),
        ([], 2028, date(2024, 12, 31), "not known"),
    ],
)
def test_the_state_of_a_target_by_hand(values, year, today, status):
    goal = Goal(number=1, target=Target("home_share", year, 0.6), asked=Asked("home_share"))
    days = [date(2024, 12, 31), date(2026, 12, 31)]
    points = [Point(when=d, value=v) for d, v in zip(days, values, strict=False)]
    assert judge(goal, points, today).status == status


@given(first=st.floats(0, 1), value=st.floats(0, 1), part=st.integers(0, 1460))
def test_a_path_runs_from_the_first_value_to_the_target(first, value, part):
    start = Point(when=date(2024, 12, 31), value=first)
    target = Target("home_share", 2028, value)
    day = date.fromordinal(start.when.toordinal() + part)
    low, high = sorted((first, value))
    found = path(start, target, day)
    assert low - 1e-12 <= found <= high + 1e-12
    assert path(start, target, date(2028, 12, 31)) == pytest.approx(value)


def test_a_projection_is_judged_by_what_is_expected_of_its_year(tmp_path):
    people = {
        "occupations": pl.DataFrame({"occupation": ["NURSE"], "people": [100.0]}),
        "programmes": pl.DataFrame({"programme": ["SCHOOL"], "occupation": ["NURSE"],
                                    "duration": [104.0], "seats": [10.0], "intake": [10.0]}),
        "targets": pl.DataFrame({"indicator": ["people"] * 2, "year": [2028] * 2,
                                 "value": [110.0, 130.0], "filter": ["", ""],
                                 "direction": ["at_least"] * 2}),
    }  # fmt: skip
    folder = readers.write_folder(examples.tiny().with_changes(people), tmp_path / "school")
    found = workbench.track_targets(folder, today=date(2026, 6, 1))
    # Ten enter each year and need two years: the first ten are at work at the end of 2028.
    assert [j.expected for j in found.judgements] == pytest.approx([110.0, 110.0])
    assert [j.status for j in found.judgements] == ["on course", "late"]


def test_targets_fail_in_ci_and_are_written(project, call, tmp_path):
    page, book, data = (tmp_path / f"t.{x}" for x in ("html", "xlsx", "json"))
    words = ["track", "targets", "--project", project, "--on", "2026-12-31"]
    code, said, _ = call(*words, "--fail-on", "missed", "--out", page, "--out", book, "--out", data)
    assert code == 5
    assert "Threshold broken" in said
    assert "track-1" not in said
    assert json.loads(data.read_text())["summary"] == "Of 4 targets: 2 met, 1 not known, 1 missed."
    assert b'id="year-2028"' in page.read_bytes()
    with zipfile.ZipFile(book) as inside:
        assert any("worksheets" in n for n in inside.namelist())
    assert call(*words)[0] == 0
    assert call(*words, "--fail-on", "sometimes")[0] == 2


def test_diff_of_a_snapshot_is_that_of_its_tables(project):
    found = workbench.track_diff(project, "end-2024", "end-2025")
    assert found.why("end-2025")["table"].unique().to_list() == ["links"]
    again = compare(
        [Case(name="x", network=plant(0.8)), Case(name="y", network=plant(0.5))], year=2026
    )
    assert found.rows["value"].to_list() == again.rows["value"].to_list()


def test_hashes_only_tell_which_tables_differ(tmp_path):
    folder = readers.write_folder(plant(0.8), tmp_path / "shop")
    workbench.take_snapshot(folder, "a", keeps_tables=False)
    readers.write_folder(plant(0.5), folder)
    workbench.take_snapshot(folder, "b")
    found = workbench.track_diff(folder, "a", "b")
    assert found.tables.filter(~pl.col("is_same"))["table"].to_list() == ["links"]
    home = found.rows.filter(pl.col("indicator") == "home_share")
    assert home["difference"][0] == pytest.approx(0.3 * 7.2 / 35)
    with pytest.raises(UsageError, match="hashes"):
        workbench.track_diff(folder, "a")


def test_a_snapshot_is_never_overwritten_and_its_tables_are_checked(tmp_path):
    folder = readers.write_folder(plant(0.8), tmp_path / "shop")
    made = workbench.take_snapshot(folder, "Q1")
    before = {p.name: p.read_bytes() for p in made.folder.rglob("*") if p.is_file()}
    with pytest.raises(UsageError, match="there already"):
        workbench.take_snapshot(folder, "Q1")
    with pytest.raises(UsageError, match="there already"):
        atomic.write_new_folder(made.folder, lambda target: (target / "x").touch())
    assert before == {p.name: p.read_bytes() for p in made.folder.rglob("*") if p.is_file()}
    other = readers.write_folder(plant(0.5), tmp_path / "other", format="parquet")
    (made.folder / "tables" / "links.parquet").write_bytes(
        (other / "tables" / "links.parquet").read_bytes()
    )
    with pytest.raises(UsageError, match="fingerprint differs"):
        read_snapshot(made.folder).load()


@pytest.mark.parametrize("cut", range(6))
def test_a_cut_leaves_no_snapshot_or_a_whole_one(tmp_path, monkeypatch, cut):
    folder = readers.write_folder(plant(0.8), tmp_path / "shop")
    left = [cut]

    def breaking(real):
        def broken(*words, **more):
            left[0] -= 1
            if left[0] < 0:
                raise KeyboardInterrupt
            return real(*words, **more)

        return broken

    monkeypatch.setattr(os, "fsync", breaking(os.fsync))
    monkeypatch.setattr(Path, "rename", breaking(Path.rename))
    with pytest.raises(KeyboardInterrupt):
        workbench.take_snapshot(folder, "Q1")
    monkeypatch.undo()
    assert all(s.load().n_nodes == 3 for s in workbench.snapshots_of(folder))
    if not workbench.snapshots_of(folder):
        assert workbench.take_snapshot(folder, "Q1").load().n_nodes == 3


@pytest.mark.parametrize(
    "name", ["../x", "a/b", "..", ".hidden", "", "a\\b", "CON", "nul.txt", "a\n", "x" * 65,
             "end.", "now", "ü", "a b"],
)  # fmt: skip
def test_names_that_are_no_folder_are_refused(name):
    with pytest.raises(UsageError):
        safe_name(name)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"format": 1}', '{"format": 99}', "\x00"])
def test_a_damaged_manifest_is_told(tmp_path, text, call):
    folder = readers.write_folder(plant(0.8), tmp_path / "shop")
    place = folder / "snapshots" / "Q1"
    place.mkdir(parents=True)
    (place / "manifest.json").write_text(text)
    code, _, said = call("track", "targets", "--project", folder)
    assert code == 2
    assert "Q1" in said
    assert "Traceback" not in said
