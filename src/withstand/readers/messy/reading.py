"""Read any messy file into blocks: the whole way from bytes to clean tables."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path
from stat import S_ISREG
from typing import TYPE_CHECKING

import numpy as np

from withstand.model.findings import Finding, Origin, make_finding, shorten, sort_findings
from withstand.readers.messy.areas import Area, find_areas
from withstand.readers.messy.blocks import Block, Blocks, DroppedRow
from withstand.readers.messy.formats import in_file, settle_by_file
from withstand.readers.messy.how import BlockHow, ColumnHow, How
from withstand.readers.messy.limits import Limits
from withstand.readers.messy.sheets import COMPOUND, read_sheets
from withstand.readers.messy.tables import Draft, draft_table, transposed
from withstand.readers.messy.telling import about_blocks, about_grid
from withstand.readers.messy.texts import read_text
from withstand.readers.messy.units import split_unit

if TYPE_CHECKING:
    import os

    from withstand.readers.messy.columns import Judged
    from withstand.readers.messy.grid import Grid

_HEAD = 65_536
_MARKUP = (b"<!doctype html", b"<html", b"<table", b"<?xml", b"<head", b"<meta", b"mime-version")
_OTHERS = {
    b"PAR1": "Parquet",
    b"%PDF": "a PDF document",
    b"\x1f\x8b": "packed (gzip)",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
    b"Rar!": "an archive",
    b"7z\xbc\xaf": "an archive",
    b"SQLite format 3": "a database",
}


def read_blocks(
    path: str | os.PathLike[str], *, limits: Limits | None = None, how: How | None = None
) -> Blocks:
    r"""Return the tables of a text file or workbook that nobody designed.

    Nothing is raised for what stands in the file: what cannot be read gives findings and no blocks.

    Parameters
    ----------
    path : str or path
        CSV, TSV, text in any encoding, XLSX, XLSM, XLSB, XLS, ODS. What the file is, is told by its
        first bytes and not by its name.
    limits : Limits, optional
        Sizes beyond which a file is refused.
    how : How, optional
        How an earlier file was read, or what the user says about this one; the rest is sniffed.

    Returns
    -------
    Blocks

    Examples
    --------
    >>> import tempfile, pathlib
    >>> file = pathlib.Path(tempfile.mkdtemp()) / "parts.csv"
    >>> _ = file.write_text("Stock list;;\n\nPart;Price (EUR);Qty\nA1;1.234,50;3\nTotal;;3\n")
    >>> block, = read_blocks(file).blocks
    >>> block.header, block.units, block.numbers(1).values.to_list()
    (('Part', 'Price (EUR)', 'Qty'), (None, 'EUR', None), [1234.5])
    """
    file = Path(path)
    limits, how = limits or Limits(), how or How()
    origin = Origin(shorten(file.name))
    try:
        grids, read, findings = _grids(file, origin, limits, how)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        finding = make_finding("E116", f"the file cannot be opened: {reason}", origin=origin)
        return Blocks(file=origin.file, blocks=(), findings=(finding,), how=how)
    except ValueError:  # a null character in the path
        finding = make_finding("E116", "the name is no file name", origin=origin)
        return Blocks(file=origin.file, blocks=(), findings=(finding,), how=how)
    except MemoryError:
        finding = make_finding("E122", "the file does not fit in memory", origin=origin)
        return Blocks(file=origin.file, blocks=(), findings=(finding,), how=how)
    drafts: list[Draft] = []
    for grid in grids:
        findings += about_grid(grid, origin.file)
        drafts += _drafts(grid, how)
    if not drafts and (grids or not findings):
        findings.append(make_finding("E111", "the file holds no table", origin=origin))
    blocks = _blocks(drafts, how, origin.file)
    findings += about_blocks(drafts, blocks, origin.file)
    read = replace(read, blocks=tuple(b.how for b in blocks))
    return Blocks(
        file=origin.file, blocks=tuple(blocks), findings=tuple(sort_findings(findings)), how=read
    )


def _grids(
    file: Path, origin: Origin, limits: Limits, how: How
) -> tuple[list[Grid], How, list[Finding]]:
    """Return the grids of a file by what its first bytes say it is."""
    state = file.stat()
    if not S_ISREG(state.st_mode):
        what = "is a folder" if file.is_dir() else "is no ordinary file"
        return [], how, [make_finding("E116", f"the file {what}", origin=origin)]
    if state.st_size == 0:
        return [], how, [make_finding("E111", "the file is empty (0 bytes)", origin=origin)]
    with file.open("rb") as stream:
        head = stream.read(_HEAD)
    suffix = file.suffix.lower()
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06", COMPOUND)):
        if state.st_size > limits.unzipped_bytes:
            what = f"the workbook has {state.st_size / 2**20:,.0f} MB"
            return [], how, [make_finding("E122", what, origin=origin)]
        grids, findings = read_sheets(file, head, origin, limits)
        return grids, replace(how, encoding=None, separator=None, sure=1.0, blocks=()), findings
    for mark, kind in _OTHERS.items():
        if head.startswith(mark):
            what = f"the file is {kind} and no table of text or workbook"
            return [], how, [make_finding("E113", what, origin=origin)]
    if state.st_size > limits.text_bytes:
        what = f"{state.st_size / 2**30:.1f} GB of text"
        return [], how, [make_finding("E122", what, origin=origin)]
    if head.removeprefix(b"\xef\xbb\xbf").lstrip()[:20].lower().startswith(_MARKUP):
        what = "the file is a web page or XML, whatever its name says"
        fix = "Open it in a spreadsheet and save it as XLSX or CSV."
        return [], how, [make_finding("E113", what, origin=origin, fix=fix)]
    findings = []
    if suffix in (".xls", ".xlsx", ".xlsm", ".xlsb", ".ods"):
        what = f"the file is text under the name of a workbook ({suffix})"
        findings.append(make_finding("W719", what, origin=origin))
    grid, read, faults = read_text(file.read_bytes(), file.stem, suffix, origin, limits, how)
    return ([grid] if grid is not None else []), read, findings + faults


def _drafts(grid: Grid, how: How) -> list[Draft]:
    """Return the tables of a grid, as sniffed and as given."""
    filled = grid.filled()
    drafts = []
    for area in find_areas(grid, filled):
        given = _given(area, grid, how)
        if given is not None and given.transposed:
            turned = transposed(grid, area)
            inner = Area(0, turned.n_rows, 0, len(turned.columns), list(area.notes))
            draft = draft_table(turned, turned.filled(), inner, None)
            draft.is_transposed = True
            draft.rows = draft.rows + area.left
            draft.columns = [c + area.top for c in draft.columns]
            draft.header_rows = tuple(r + area.left for r in draft.header_rows)
        else:
            draft = draft_table(grid, filled, area, given)
        drafts.append(draft)
    return drafts


def _given(area: Area, grid: Grid, how: How) -> BlockHow | None:
    """Return what was given for the table of an area."""
    same = [b for b in how.blocks if b.sheet in (None, grid.sheet)]
    for block in same:
        rows_fit = any(area.top < r <= area.bottom for r in block.header_rows)
        first, last = block.first_column or 1, block.last_column or area.right
        if rows_fit and first <= area.right and last > area.left:
            return block
    return same[0] if len(same) == 1 else None


def _blocks(drafts: list[Draft], how: How, file: str) -> list[Block]:
    decimal = settle_by_file([j.sniffed for d in drafts for j in d.judged if j.sniffed])
    if not decimal and any(_is_east_asian(h) for d in drafts for h in d.header):
        decimal = "."  # in Chinese, Japanese and Korean a comma parts thousands
    per_sheet = Counter(d.grid.name for d in drafts)
    seen: Counter[str] = Counter()
    blocks = []
    for draft in drafts:
        seen[draft.grid.name] += 1
        name = draft.grid.name
        if per_sheet[name] > 1:
            name = f"{name} ({seen[draft.grid.name]})"
        split = [split_unit(h) for h in draft.header]
        given = _given(draft.area, draft.grid, how)
        columns = tuple(
            _column_how(header, judged, decimal, how, given)
            for header, judged in zip(draft.header, draft.judged, strict=True)
        )
        block_how = BlockHow(
            sheet=draft.grid.sheet,
            header_rows=draft.header_rows,
            first_column=draft.columns[0] if draft.columns else 0,
            last_column=draft.columns[-1] if draft.columns else 0,
            transposed=draft.is_transposed,
            columns=columns,
        )
        blocks.append(
            Block(
                name=name,
                sheet=draft.grid.sheet,
                header=tuple(draft.header),
                bare=tuple(s[0] for s in split),
                header_rows=draft.header_rows,
                units=tuple(
                    s[1] or (j.unit if j.unit != "%" else None)
                    for s, j in zip(split, draft.judged, strict=True)
                ),
                cells=tuple(draft.cells),
                native=tuple(draft.native),
                rows=draft.rows,
                columns=np.array(draft.columns, dtype=np.int64),
                dropped=tuple(DroppedRow(*d) for d in draft.dropped),
                notes=tuple(draft.notes),
                how=block_how,
            )
        )
    return blocks


def _is_east_asian(text: str) -> bool:
    return any(0x2E80 <= ord(c) <= 0x9FFF or 0xAC00 <= ord(c) <= 0xD7AF for c in text)


def _column_how(
    header: str, judged: Judged, decimal: str, how: How, given: BlockHow | None
) -> ColumnHow:
    """Return how a column is to be read: as given, else as it shows, else as its file."""
    stated = given.column(header) if given else None
    if stated is not None and (stated.number or stated.date):
        return replace(stated, undecided=False)
    fill_down = stated.fill_down if stated else False
    form, is_open = None, judged.is_open_date
    if judged.sniffed is not None:
        form = how.number or in_file(judged.sniffed, decimal)
        is_open = form is None
    return ColumnHow(
        header=header,
        kind=judged.kind,
        number=form,
        date=judged.date,
        undecided=is_open,
        fill_down=fill_down,
    )
