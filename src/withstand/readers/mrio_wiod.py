"""WIOD world tables, 2013 and 2016 releases: workbooks (xlsx, xlsb), and CSV made from them.

A sheet has two rows of titles, four rows of headers (code, name, country, number: c1, c2 ...) above
the numbers and four columns of the same to the left. Below the industries stand totals: purchases,
taxes less subsidies, adjustments, value added, international transport margins, output; at the
right final demand (numbers c37 to c42, or c57 to c61) and output. The CSV may be the sheet itself,
or the table of the R release (IndustryCode, IndustryDescription, Country, RNr, Year, AUS1 ...).
"""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from withstand.errors import DataError
from withstand.model.findings import has_errors, listed, make_finding, shorten
from withstand.readers.mrio_draft import Draft, Wanted, refuse
from withstand.readers.workbooks import read_sheets

Array = np.ndarray
N_LABELS = 4
MOST_TITLES = 10
LARGEST_CSV = 2**30
CATEGORIES = {37: "CONS_h", 38: "CONS_np", 39: "CONS_g", 41: "GFCF", 42: "INVEN",
              57: "CONS_h", 58: "CONS_np", 59: "CONS_g", 60: "GFCF", 61: "INVEN"}  # fmt: skip
"""Final demand by number, of the 2013 (35 industries) and the 2016 release (56)."""
FIRST_FINAL_OF_2016 = 57
TOTALS = {
    "totalintermediateconsumption": "purchases",
    "taxeslesssubsidiesonproducts": "taxes",
    "ciffobadjustmentsonexports": "adjustment",
    "directpurchasesabroadbyresidents": "abroad",
    "purchasesonthedomesticterritorybynonresidents": "visitors",
    "valueaddedatbasicprices": "value added",
    "internationaltransportmargins": "margins",
    "outputatbasicprices": "output",
}
"""Rows below the industries by their names, letters only."""
COSTS = ("taxes", "adjustment", "abroad", "visitors", "value added", "margins")
KEPT = {
    "value added": "value added at basic prices",
    "taxes": "taxes less subsidies on products",
    "margins": "international transport margins",
}
_R_HEADER = ("IndustryCode", "IndustryDescription", "Country", "RNr")
_R_COLUMN = re.compile(r"([A-Za-z]{3})(\d{1,2})")
_NUMBER = re.compile(r"[cr]?(\d{1,2})")


@dataclass(frozen=True, kw_only=True, eq=False)
class _Sheet:
    """A table in four rows of headers, four columns of labels and numbers.

    Parameters
    ----------
    rows, columns : list of tuple
        Code, name, country, number of each row and column.
    values : ndarray of float64
    titles : str
        What stands above.
    first_row : int
        Row in the file of the first numbers.
    """

    rows: list[tuple[str, str, str, str]]
    columns: list[tuple[str, str, str, str]]
    values: Array
    titles: str
    first_row: int


def read_wiod(wanted: Wanted) -> Draft:
    """Read the table of one year."""
    sheet = _sheet(wanted)
    codes = [row[0] for row in sheet.rows]
    n = next((k for k, row in enumerate(sheet.rows) if _total_of(row) is not None), len(codes))
    totals = {_total_of(row): k for k, row in enumerate(sheet.rows) if k >= n}
    missing = [name for name in (*COSTS, "output") if name not in totals]
    if missing or n == 0:
        names = [name for name, key in TOTALS.items() if key in missing]
        what = f"rows of totals are missing: {listed(missing, 10)} ({listed(names, 10)})"
        raise refuse(wanted, "E101", what, column=names[0] if names else None, count=len(missing))
    nodes = [(row[2], _number(row[3])) for row in sheet.rows[:n]]
    places = [(column[2], _number(column[3])) for column in sheet.columns]
    _check(nodes, places, wanted)
    last = len(places) - 1
    final = list(range(n, last))
    values = sheet.values
    release = 2016 if places[n][1] >= FIRST_FINAL_OF_2016 else 2013
    products = [f"c{row[3][1:]}" if release == 2013 else row[0] for row in sheet.rows[:n]]
    regions = [row[2] for row in sheet.rows[:n]]
    added = np.sum([values[totals[name], :n] for name in COSTS], axis=0)
    labels = [f"{p}@{r}" for p, r in zip(products, regions, strict=True)]
    titles = {p: _name(row, release) for p, row in zip(products, sheet.rows[:n], strict=True)}
    return Draft(
        flows=np.ascontiguousarray(values[:n, :n]),
        final=values[:n, final],
        nodes=pl.DataFrame(
            {
                "product": products,
                "region": regions,
                "output": values[:n, last],
                "value_added": added,
            }
        ),
        final_columns=pl.DataFrame(
            {
                "region": [places[k][0] for k in final],
                "category": [CATEGORIES[places[k][1]] for k in final],
            }
        ),
        currency="million USD",
        year=_year(sheet.titles),
        product_names=titles,
        extensions=pl.concat(
            pl.DataFrame(
                {
                    "node": labels,
                    "name": name,
                    "value": values[totals[key], :n],
                    "unit": "million USD",
                }
            )
            for key, name in KEPT.items()
        ),
        sources=[
            ("layout", f"{wanted.path.name}: WIOD world table, {release} release"),
            (
                "valuation",
                "basic prices, current million USD; value added of a node holds taxes less "
                "subsidies on products and international transport margins, so that purchases "
                "and value added make up output",
            ),
        ],
    )  # fmt: skip


def _name(row: tuple[str, str, str, str], release: int) -> str:
    return f"{row[1]} ({row[0]})" if release == 2013 else row[1]


def _total_of(row: tuple[str, str, str, str]) -> str | None:
    """Return which total a row holds, None for an industry."""
    return TOTALS.get(re.sub(r"[^a-z]", "", row[1].lower()))


def _number(text: str) -> int:
    found = _NUMBER.fullmatch(text.strip())
    return int(found[1]) if found else -1


def _year(titles: str) -> int | None:
    found = re.findall(r"(?<!\d)(19\d\d|20\d\d)(?!\d)", titles)
    return int(found[-1]) if found else None


def _check(nodes: list[tuple[str, int]], places: list[tuple[str, int]], wanted: Wanted) -> None:
    """Refuse rows and columns that are not the same industries, and unknown final demand."""
    n = len(nodes)
    faults = []
    if nodes != places[:n]:
        at = next((k for k in range(n) if k >= len(places) or nodes[k] != places[k]), 0)
        expected = f"{nodes[at][0]} c{nodes[at][1]}"
        found = f"{places[at][0]} c{places[at][1]}" if at < len(places) else "nothing"
        what = f"column {at + 1} of the numbers must be {expected} as the row is, it is {found}"
        faults.append(make_finding("E101", what, origin=wanted.origin, column=expected))
    if len(set(nodes)) < n:
        twice = next(x for k, x in enumerate(nodes) if x in nodes[:k])
        what = f"the row of {twice[0]} c{twice[1]} stands twice"
        faults.append(make_finding("E106", what, origin=wanted.origin))
    final = places[n:-1]
    odd = [f"{country} c{number}" for country, number in final if number not in CATEGORIES]
    if odd or not final:
        names = listed(odd or ["none there"])
        what = f"columns that are no final demand of a release: {names}"
        faults.append(make_finding("E125", what, origin=wanted.origin, count=max(len(odd), 1)))
    wanted_numbers = [k for k in CATEGORIES if k in {number for _, number in final}]
    regions = dict.fromkeys(country for country, _ in nodes)
    lost = [f"{r} c{k}" for r in regions for k in wanted_numbers if (r, k) not in set(final)]
    if lost:
        what = f"columns of final demand are missing: {listed(lost)}"
        faults.append(make_finding("E101", what, origin=wanted.origin, column=lost[0],
                                   count=len(lost)))  # fmt: skip
    if faults:
        raise DataError(faults)


# --- workbooks and CSV ---------------------------------------------------------------------------


def _sheet(wanted: Wanted) -> _Sheet:
    if wanted.path.suffix.lower() == ".csv":
        return _from_csv(wanted)
    try:
        with wanted.path.open("rb") as stream:
            head = stream.read(4096)
        sheets, findings = read_sheets(wanted.path, wanted.origin, head)
    except OSError as error:  # of the file, or of a workbook that ends too early
        raise refuse(wanted, "E113", f"damaged workbook: {shorten(error)}") from error
    if has_errors(findings):
        raise DataError(findings)
    for name, rows in sheets:
        start = _start(rows)
        if start is not None:
            body = [list(row) for row in rows[start:]]
            return _made(rows[:start], body, wanted, start, name)
    what = (
        "no sheet has the four rows of headers of WIOD (code, name, country, c1 ...), of which "
        "the fifth cell of the last is c1"
    )
    raise refuse(wanted, "E125", what)


def _start(rows: list[list[Any]]) -> int | None:
    """Return the row of the first numbers: the one after that whose fifth cell is c1."""
    for k, row in enumerate(rows[:MOST_TITLES]):
        if len(row) > N_LABELS and str(row[N_LABELS]).strip() == "c1" and k >= 3:
            return k + 1
    return None


def _made(
    above: list[list[Any]], body: list[list[Any]], wanted: Wanted, start: int, sheet: str
) -> _Sheet:
    headers = [[str(cell).strip() for cell in row] for row in above[-N_LABELS:]]
    width = max((k + 1 for k, text in enumerate(headers[3]) if text), default=0)
    width = max(width, max((k + 1 for k, text in enumerate(headers[2]) if text), default=0))
    body = [row for row in body if any(str(cell).strip() for cell in row[:N_LABELS])]
    titles = " ".join(str(c) for row in above[:-N_LABELS] for c in row if str(c).strip())
    # the titles stand in the same rows as the headers, in the first column
    titles += " " + " ".join(row[0] for row in headers)
    values = np.empty((len(body), width - N_LABELS))
    for k, row in enumerate(body):
        cells = row[N_LABELS:width] + [""] * (width - len(row))
        try:
            values[k] = [0.0 if cell == "" or cell is None else cell for cell in cells]
        except (TypeError, ValueError):
            at = next(j for j, cell in enumerate(cells) if not _is_number(cell))
            raise refuse(
                wanted, "E103", f"this is no number (sheet {sheet})" if sheet else
                "this is no number", index=start - 1 + k, column=f"{headers[2][at + N_LABELS]} "
                f"{headers[3][at + N_LABELS]}", value=cells[at],
            ) from None  # fmt: skip
    columns = [tuple(headers[j][k] for j in range(N_LABELS)) for k in range(N_LABELS, width)]
    padded = [[*row[:N_LABELS], *[""] * N_LABELS][:N_LABELS] for row in body]
    rows = [tuple(_text(cell) for cell in row) for row in padded]
    return _Sheet(rows=rows, columns=columns, values=values, titles=titles, first_row=start + 1)  # type: ignore[arg-type]


def _text(cell: object) -> str:
    return str(cell if cell is not None else "").strip()


def _is_number(cell: object) -> bool:
    try:
        float(cell if cell not in ("", None) else 0.0)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return False
    return True


def _from_csv(wanted: Wanted) -> _Sheet:
    try:
        if wanted.path.stat().st_size > LARGEST_CSV:
            raise refuse(wanted, "E122", "the file is larger than any table of WIOD")
        with wanted.path.open(encoding="utf-8-sig", newline="") as stream:
            rows = list(csv.reader(stream))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        code = "E114" if isinstance(error, UnicodeDecodeError) else "E113"
        raise refuse(wanted, code, f"the file is no CSV: {shorten(error)}") from error
    if not rows:
        raise refuse(wanted, "E111", "the file holds nothing")
    if tuple(rows[0][:4]) == _R_HEADER:
        return _from_r(rows, wanted)
    start = _start(rows)  # type: ignore[arg-type]
    if start is None:
        what = "neither the headers of a WIOD sheet nor those of the R release are there"
        raise refuse(wanted, "E125", what)
    return _made(rows[:start], rows[start:], wanted, start, "")  # type: ignore[arg-type]


def _from_r(rows: list[list[str]], wanted: Wanted) -> _Sheet:
    """Turn the table of the R release into the form of a sheet."""
    header = rows[0]
    first = 5 if len(header) > 4 and header[4] == "Year" else 4
    codes: dict[int, tuple[str, str]] = {}
    for row in rows[1:]:
        if len(row) > 4 and row[3].isdigit():
            codes.setdefault(int(row[3]), (row[0], row[1]))
    columns = []
    for name in header[first:]:
        found = _R_COLUMN.fullmatch(name.strip())
        if found:
            code, text = codes.get(int(found[2]), ("", ""))
            columns.append((code, text, found[1], f"c{int(found[2])}"))
        else:
            columns.append((name, "output", name, ""))
    above = [[""] * N_LABELS + [c[j] for c in columns] for j in range(N_LABELS)]
    body = [[row[0], row[1], row[2], f"r{row[3]}", *row[first:]] for row in rows[1:] if row]
    if first == 5 and len(rows) > 1:
        above.insert(0, [rows[1][4]])
    return _made(above, body, wanted, 1, "")  # type: ignore[arg-type]
