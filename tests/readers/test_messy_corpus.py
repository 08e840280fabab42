"""The generated messy files: every header, cell and finding as the generator meant them."""

from __future__ import annotations

from pathlib import Path

import pytest

from messy_files import MessyFile, Table, make_files
from withstand.readers.messy import Block, Blocks, read_blocks

SEED = 1


def differences(file: MessyFile, read: Blocks) -> list[str]:
    """Return in words where blocks are not what the generator wrote."""
    said = {f.code for f in read.findings}
    out = [f"finding {code} is missing" for code in sorted(file.codes - said)]
    out += [f"finding {f}" for f in read.findings if f.severity == "error"]
    if "transposed" in file.faults:
        return out
    if len(read.blocks) != len(file.tables):
        return [*out, f"{len(read.blocks)} blocks, expected {len(file.tables)}"]
    left = list(read.blocks)
    for table in file.tables:
        block = min(left, key=lambda b: _distance(b, table))
        left.remove(block)
        out += _differences(table, block)
    return out


def _distance(block: Block, table: Table) -> int:
    return -len(set(block.header) & {c.header for c in table.columns})


def _differences(table: Table, block: Block) -> list[str]:
    expected = tuple(c.header for c in table.columns)
    if block.header != expected:
        return [f"header {block.header}, expected {expected}"]
    if block.header_rows != table.header_rows:
        return [f"header rows {block.header_rows}, expected {table.header_rows}"]
    if block.n_rows != table.n_rows:
        return [f"{block.n_rows} rows, expected {table.n_rows}; dropped {block.dropped[:5]}"]
    out = []
    for i, column in enumerate(table.columns):
        if column.canonical is None and column.kind != "empty":
            continue
        if column.unit is not None and block.units[i] != column.unit:
            out.append(f"unit of {column.header} is {block.units[i]}, expected {column.unit}")
        if column.is_undecided:
            if not block.how.columns[i].undecided:
                out.append(f"{column.header} should be undecided")
            continue
        if column.kind == "number":
            got = block.numbers(i).values.to_list()
            same = [_same(a, b) for a, b in zip(got, column.values, strict=True)]
        elif column.kind == "yesno":
            got = block.yesno(i).to_list()
            same = [a is b for a, b in zip(got, column.values, strict=True)]
        else:
            got = block.cells[i].to_list()
            wanted = [None if v is None else " ".join(str(v).split()) for v in column.values]
            same = [a == b for a, b in zip(got, wanted, strict=True)]
        if not all(same):
            at = same.index(False)
            out.append(f"{column.header} row {at}: {got[at]!r}, expected {column.values[at]!r}")
    return out


def _same(got: float | None, expected: object) -> bool:
    if got is None or expected is None:
        return got is None and expected is None
    return abs(got - float(str(expected))) <= 1e-9 * max(1.0, abs(got))


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[MessyFile]:
    return make_files(tmp_path_factory.mktemp("messy"), SEED)


def test_sixty_messy_files_give_their_headers_cells_and_findings(files: list[MessyFile]) -> None:
    assert len(files) >= 60
    wrong = {}
    for file in files:
        found = differences(file, read_blocks(file.path))
        if found:
            wrong[file.path.name] = found
    assert not wrong, "\n".join(f"{name}: {what}" for name, what in wrong.items())


if __name__ == "__main__":
    import sys

    for f in make_files(Path(sys.argv[1]), int(sys.argv[2])):
        for line in differences(f, read_blocks(f.path)):
            print(f.path.name, f.faults, line)
