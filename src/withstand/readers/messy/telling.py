"""What there is to say about a grid and its blocks, one finding for each thing to know."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from withstand.model.findings import Finding, Origin, counted, listed, make_finding, shorten
from withstand.readers.messy.looks import BLANK, NOTHING_KNOWN, look
from withstand.readers.messy.places import letter_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from withstand.readers.messy.blocks import Block
    from withstand.readers.messy.grid import Grid
    from withstand.readers.messy.tables import Draft

_WIDEST_TURNED = 60


def about_grid(grid: Grid, file: str) -> list[Finding]:
    """Say what is hidden in a sheet and which cells held invisible characters."""
    origin = Origin(file, None if grid.sheet is None else shorten(grid.sheet))
    found = []
    if grid.is_hidden:
        found.append(
            make_finding("W711", "the sheet is hidden; it is read all the same", origin=origin)
        )
    rows = [r + 1 for r in sorted(grid.hidden_rows) if r < grid.n_rows]
    columns = [letter_of(c + 1) for c in sorted(grid.hidden_columns) if c < len(grid.columns)]
    if rows:
        what = f"rows {listed(rows)} are hidden; they are read all the same"
        found.append(make_finding("W711", what, origin=origin, count=len(rows)))
    if columns:
        what = f"columns {listed(columns)} are hidden; they are read all the same"
        found.append(make_finding("W711", what, origin=origin, count=len(columns)))
    if grid.cleaned:
        what = "cells held invisible characters (no-break or zero-width blanks), now plain ones"
        found.append(make_finding("N708", what, origin=origin, count=grid.cleaned))
    return found


def about_blocks(drafts: Sequence[Draft], blocks: Sequence[Block], file: str) -> list[Finding]:
    """Say what was done to each table, and what about it needs an eye."""
    found: list[Finding] = []
    sheets = Counter(b.sheet for b in blocks)
    for sheet, n in sheets.items():
        if n > 1:
            origin = Origin(file, None if sheet is None else shorten(sheet))
            places = listed(
                [
                    f"row {b.header_rows[0]}" if b.header_rows else b.name
                    for b in blocks
                    if b.sheet == sheet
                ]
            )
            what = f"{n} tables stand here ({places}); each is read on its own"
            found.append(make_finding("N706", what, origin=origin, count=n))
    for draft, block in zip(drafts, blocks, strict=True):
        origin = block.origin(file)
        found += _header(draft, block, origin)
        found += _rows(draft, block, origin)
        found += _columns(draft, block, origin)
        if not draft.is_transposed and _looks_turned(draft):
            what = "records seem to run across the columns, with their names down the side"
            found.append(make_finding("W712", what, origin=origin, suggestion="transposed"))
    return found


def _header(draft: Draft, block: Block, origin: Origin) -> list[Finding]:
    found = []
    if not block.header_rows:
        what = "no row of names was found above the table"
        found.append(make_finding("W716", what, origin=origin))
    elif block.header_rows != (1,):
        rows = listed([str(r) for r in block.header_rows])
        what = f"the header stands in row {rows}"
        found.append(make_finding("N702", what, origin=origin, index=None))
    for name, n in Counter(h.casefold() for h in block.header if h).items():
        if n > 1:
            shown = next(h for h in block.header if h.casefold() == name)
            what = f"{n} columns are called '{shorten(shown)}'"
            found.append(make_finding("W713", what, origin=origin, column=shown, count=n))
    nameless = sum(not h for h in block.header) if block.header_rows else 0
    if nameless:
        what = f"{counted(nameless, 'column')} without a name in the header"
        found.append(make_finding("W714", what, origin=origin, count=nameless))
    return found


def _rows(draft: Draft, block: Block, origin: Origin) -> list[Finding]:
    found = []
    totals = [d for d in block.dropped if d.reason == "total"]
    if totals:
        what = f"rows of totals are left out: row {listed([d.row for d in totals])}"
        found.append(
            make_finding("N703", what, origin=origin, value=totals[0].text, count=len(totals))
        )
    others = [d for d in block.dropped if d.reason not in ("total", "blank")]
    for reason in dict.fromkeys(d.reason for d in others):
        some = [d for d in others if d.reason == reason]
        what = f"no data and left out ({reason}): row {listed([d.row for d in some])}"
        code = "W720" if reason == "section" else "N704"
        found.append(make_finding(code, what, origin=origin, value=some[0].text, count=len(some)))
    for row, text in draft.suspects:
        what = f"row {row} reads like a total, but does not add up, and is kept"
        found.append(make_finding("W709", what, origin=origin, value=text))
    if draft.n_filled_down:
        what = "cells merged downwards hold their value in each row"
        found.append(make_finding("N705", what, origin=origin, count=draft.n_filled_down))
    return found


def _columns(draft: Draft, block: Block, origin: Origin) -> list[Finding]:
    found = []
    if draft.empty:
        names = [
            h for h, c in zip(block.header, block.columns, strict=True) if int(c) in draft.empty
        ]
        what = f"columns without any value: {listed(names)}"
        found.append(make_finding("N707", what, origin=origin, column=names[0], count=len(names)))
    for i, (judged, how) in enumerate(zip(draft.judged, block.how.columns, strict=True)):
        header = block.header[i] or letter_of(int(block.columns[i]))
        found += [
            make_finding(
                s.code,
                s.what,
                origin=origin,
                index=s.index,
                column=header,
                value=s.value,
                suggestion=s.suggestion,
                count=s.count,
            )
            for s in judged.suspicions
        ]
        if how.undecided:
            is_mixed = judged.sniffed is not None and judged.sniffed.is_mixed
            found.append(_undecided(block, i, header, origin, is_mixed=is_mixed))
        elif judged.sniffed is not None and judged.sniffed.form is None and how.number is not None:
            what = f"decimal mark '{how.number.decimal}' taken from the other columns or the"
            " language of the file"
            found.append(make_finding("N711", what, origin=origin, column=header))
        if judged.sniffed is not None and judged.sniffed.is_mixed and not how.undecided:
            bad = block.numbers(i).is_bad
            at = int(bad.arg_true()[0]) if bad.any() else None
            what = "numbers are written in two formats; the rarer ones are not read"
            found.append(
                make_finding(
                    "W718", what, origin=origin, index=at, column=header, count=int(bad.sum())
                )
            )
        if not how.fill_down and _has_groups(block, draft, i):
            what = "blank cells below a value may mean the same value (a group)"
            found.append(
                make_finding("W710", what, origin=origin, column=header, suggestion="fill_down")
            )
    return found


def _undecided(block: Block, i: int, header: str, origin: Origin, *, is_mixed: bool) -> Finding:
    cells = block.cells[i]
    if block.how.columns[i].kind == "date":
        what = "day and month can be either way round in every date of the column"
        return make_finding("W702", what, origin=origin, column=header, value=cells.drop_nulls()[0])
    marked = cells.str.contains(r"\d[.,]\d").fill_null(value=False)
    at = int(marked.arg_true()[0]) if marked.any() else None
    what = "the marks in these numbers can part decimals or thousands, and nothing tells which"
    if is_mixed:
        what = "numbers are written in two formats, and neither is the rule"
    return make_finding(
        "W718" if is_mixed else "W701",
        what,
        origin=origin,
        index=at,
        column=header,
        value=None if at is None else cells[at],
    )


def _has_groups(block: Block, draft: Draft, i: int) -> bool:
    """Tell whether a leading column has blanks below its values where other columns are full."""
    if i > 1 or draft.judged[i].kind not in ("text", "code") or block.n_rows < 4:
        return False
    cells = block.cells[i]
    n_blank = cells.null_count()
    if not 0.3 * block.n_rows <= n_blank <= 0.95 * block.n_rows or cells[0] is None:
        return False
    if i == 1 and not _has_groups(block, draft, 0):
        return False
    full = sum(c.null_count() < 0.1 * block.n_rows for c in block.cells)
    filled = cells.drop_nulls()
    return full >= 2 and filled.n_unique() >= 0.2 * len(filled)


def _looks_turned(draft: Draft) -> bool:
    """Tell whether kinds of cells agree along rows and not along columns, as in a turned table."""
    n_rows, n_columns = len(draft.rows), len(draft.cells)
    if not 2 <= n_rows <= _WIDEST_TURNED or not 3 <= n_columns <= 200:
        return False
    looks = [[look(c) for c in column] for column in draft.cells]
    across = [[looks[k][r] for k in range(1, n_columns)] for r in range(n_rows)]
    down = looks[1:]
    by_row, by_column = _agreement(across), _agreement(down)
    kinds = {kind for row in across for kind in row} - {BLANK, NOTHING_KNOWN}
    return len(kinds) > 1 and by_row > 0.95 and by_column < 0.8


def _agreement(lines: list[list[str]]) -> float:
    shares = []
    for line in lines:
        known = [k for k in line if k not in (BLANK, NOTHING_KNOWN)]
        if known:
            shares.append(Counter(known).most_common(1)[0][1] / len(known))
    return sum(shares) / len(shares) if shares else 1.0
