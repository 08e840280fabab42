"""Tables of machines: units, chances, and every fault with its place and its mend."""

from __future__ import annotations

import polars as pl
import pytest

from withstand import plants
from withstand.errors import DataError
from withstand.plants.line_tables import (
    EXAMPLE,
    line_of,
    machine_frame,
    per_cycle,
    read_line_toml,
    seconds_of,
)
from withstand.workbench import read_line

GOOD = """machine,mtbf,mttr,cycle_seconds,buffer_after
hob,6000 s,10 min,60,10
grind,100 cycles,600s,60,10
wash,100 min,10 cycles,60,
"""


def write(tmp_path, text, name="line.csv"):
    file = tmp_path / name
    file.write_text(text, encoding="utf-8")
    return file


def faults(tmp_path, text, name="line.csv"):
    with pytest.raises(DataError) as caught:
        read_line(write(tmp_path, text, name))
    return {(f.code, f.row, f.column) for f in caught.value.findings if f.severity == "error"}


def test_times_in_any_unit_are_the_known_line(tmp_path):
    """r = .1 and p = .01 for all three, ten places: .819137."""
    table = read_line(write(tmp_path, GOOD))
    assert table.repair == pytest.approx([0.1] * 3)
    assert table.failure == pytest.approx([0.01] * 3)
    assert table.work_out().throughput == pytest.approx(0.819137, abs=6e-7)


def test_chances_and_times_say_the_same(tmp_path):
    text = "machine,failure,repair,buffer_after\na,.01,.1,10\nb,.01,.1,10\nc,.01,.1,\n"
    table = read_line(write(tmp_path, text))
    made = table.work_out()
    assert made.throughput == read_line(write(tmp_path, GOOD, "other.csv")).work_out().throughput
    assert {f.code for f in table.findings} == {"N581"}
    assert made.per_hour == pytest.approx(60 * made.throughput)


def test_a_machine_that_never_fails_needs_no_repair(tmp_path):
    text = "machine,failure,repair,cycle_seconds,buffer_after\na,0,,60,5\nb,.01,.1,60,\n"
    made = read_line(write(tmp_path, text)).work_out()
    assert made.throughput == pytest.approx(0.1 / 0.11)


@pytest.mark.parametrize("suffix", ["xlsx", "parquet"])
def test_workbooks_and_parquet_read_the_same(tmp_path, suffix):
    frame = pl.read_csv(write(tmp_path, GOOD))
    file = tmp_path / f"line.{suffix}"
    frame.write_excel(file) if suffix == "xlsx" else frame.write_parquet(file)
    assert read_line(file).work_out().throughput == pytest.approx(0.819137, abs=6e-7)


def test_toml_reads_the_same_and_shared_keys_hold_for_all(tmp_path):
    machines = "".join(
        f'[[machine]]\nmachine = "{n}"\nmtbf = "6000s"\nbuffer_after = 10\n' for n in "abc"
    )
    file = write(tmp_path, 'cycle_seconds = 60\nmttr = "10 min"\n\n' + machines, "line.toml")
    table = read_line(file)
    assert table.work_out().throughput == pytest.approx(0.819137, abs=6e-7)
    assert {f.code for f in table.findings} == {"N582"}  # the last machine has a buffer, too
    assert table.findings[0].row == 12


def test_short_times_keep_the_share_of_time_up():
    for mtbf, mttr in ((30.0, 600.0), (600.0, 30.0), (20.0, 10.0)):
        failure, repair = per_cycle(mtbf, mttr, 60.0)
        assert 0 < failure <= 1
        assert 0 < repair <= 1
        assert repair / (repair + failure) == pytest.approx(mtbf / (mtbf + mttr))


def test_a_short_time_is_said(tmp_path):
    table = read_line(write(tmp_path, GOOD.replace("10 min", "20s")))
    assert [(f.code, f.row, f.column) for f in table.findings] == [("W581", 2, "mttr")]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("6000 s", "6000", ("E581", 2, "mtbf")),
        ("6000 s", "6000 m", ("E581", 2, "mtbf")),
        ("6000 s", "6000 parsecs", ("E581", 2, "mtbf")),
        ("6000 s", "long", ("E103", 2, "mtbf")),
        ("6000 s", "0h", ("E107", 2, "mtbf")),
        ("6000 s", "1e30h", ("E107", 2, "mtbf")),
        ("6000 s", "", ("E582", 2, "mtbf")),
        ("10 min,60", "10 min,", ("E102", 2, "cycle_seconds")),
        ("10 min,60", "10 min,-1", ("E107", 2, "cycle_seconds")),
        ("10 min,60", "10 min,nan", ("E108", 2, "cycle_seconds")),
        ("60,10\ngrind", "60,\ngrind", ("E102", 2, "buffer_after")),
        ("60,10\ngrind", "60,0\ngrind", ("E107", 2, "buffer_after")),
        ("60,10\ngrind", "60,2.5\ngrind", ("E107", 2, "buffer_after")),
        ("grind,", "hob,", ("E106", 3, "machine")),
        ("grind,", "=cmd(),", ("E121", 3, "machine")),
        ("grind,", "<script>x</script>,", ("E121", 3, "machine")),
    ],
)
def test_every_fault_names_its_cell(tmp_path, old, new, expected):
    assert expected in faults(tmp_path, GOOD.replace(old, new, 1))


def test_all_faults_come_in_one_pass_also_two_of_a_row(tmp_path):
    text = GOOD.replace("6000 s", "12").replace("600s,60,10", "3 ages,60,0")
    found = faults(tmp_path, text)
    assert {("E581", 2, "mtbf"), ("E581", 3, "mttr"), ("E107", 3, "buffer_after")} <= found


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("machine,mtbf\n", "E112"),
        ("name,mtbf\na,1h\n", "E101"),
        ("machine,failure,repair\na,.1,.1\n", "E583"),
        ("machine,failure,repair,buffer_after\na,.1,0,3\nb,.1,.1,\n", "E107"),
        ("machine,failure,repair,buffer_after\na,,.1,3\nb,.1,.1,\n", "E582"),
        ("machine,failure,repair,buffer_after\na,2,.1,3\nb,.1,.1,\n", "E107"),
        ("machine,failure,mtbf,buffer_after\na,.1,2h,3\nb,.1,,\n", "E582"),
        ("", "E111"),
    ],
)
def test_tables_that_are_no_line(tmp_path, text, code):
    assert code in {c for c, _, _ in faults(tmp_path, text)}


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("machine = 3", "E583"),
        ("[[machine", "E113"),
        ("x = 1", "E583"),
        ('[[machine]]\nmachine = "a"\nmtbf = [1]\n', "E583"),
    ],
)
def test_toml_that_is_no_line(tmp_path, text, code):
    assert code in {c for c, _, _ in faults(tmp_path, text, "line.toml")}


@pytest.mark.parametrize("name", ["nothing.csv", "nothing.toml", "nothing.xlsx"])
def test_a_file_that_is_not_there(tmp_path, name):
    with pytest.raises(DataError) as caught:
        read_line(tmp_path / name)
    assert [f.code for f in caught.value.findings] == ["E116"]


def test_a_file_of_another_kind_is_refused_with_what_is_read(tmp_path):
    with pytest.raises(DataError, match=r"\.toml"):
        read_line(write(tmp_path, GOOD, "line.docx"))


def test_toml_that_is_not_text(tmp_path):
    file = tmp_path / "line.toml"
    file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DataError):
        read_line_toml(file)


def test_the_example_is_a_line_and_its_frame_adds_up(tmp_path):
    table = read_line(write(tmp_path, EXAMPLE))
    made = table.work_out()
    assert table.findings == ()
    assert made.run.method == "exact"
    assert made.quality == pytest.approx(0.995 * 0.99 * 0.985)
    frame = machine_frame(table, made)
    hob = frame.row(1, named=True)
    assert hob["oee"] == pytest.approx(plants.oee(16 / 18, 0.95, 0.99))
    sums = frame.select(pl.sum_horizontal("working", "starved", "blocked", "down")).to_series()
    assert sums.to_list() == pytest.approx([1.0] * 3)


def test_times_are_read_exactly():
    assert seconds_of("2 d", 60.0) == 172_800.0
    assert seconds_of(".5h", 60.0) == 1800.0
    assert seconds_of("1e3 cycles", 36.0) == 36_000.0


def test_frames_are_taken_without_a_file():
    frame = pl.DataFrame(
        {"machine": ["a", "b"], "failure": [0.01, 0.01], "repair": [0.1, 0.1],
         "cycle_seconds": [60.0, 60.0], "buffer_after": [10, None]}
    )  # fmt: skip
    assert line_of(frame).work_out().throughput == pytest.approx(0.85617493, abs=5e-9)
