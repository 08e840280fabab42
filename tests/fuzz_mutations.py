"""Ways to spoil the files of a project: bytes, cells, rows, columns, archives, types, nesting."""

# ruff: noqa: E501  rows of samples, which folding would hide

from __future__ import annotations

import csv
import io
import random
import zipfile
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import polars as pl

CELLS = (
    "", " ", "*", "GEAR", "STEEL", "mill", "HOME", "JP", "0", "-0", "1", "-1", "0.5", "1e15", "1e308",
    "1e309", "-1e400", "5e-324", "nan", "NaN", "inf", "-inf", "Infinity", "1,5", "1.234,56", "1_000",
    "50%", "150%", "yes", "no", "maybe", "TRUE", "null", "None", "NA", "#REF!", "#N/A", "=1+1", "=cmd()",
    "@SUM(A1)", "<script>alert(1)</script>", "'; DROP TABLE nodes; --", "x" * 300, "a\nb", "a\r\nb",
    "\u202eabc", "\u200b", "\ufeff", "\u05d0\u05d1", "e\u0301", "\U0001f600", "\u0661\u0662", "\uff11",
    "\x1b[31mred", "\x07", "\x7f", "\x85", "'", '"', '""', "\t", "\\", "../../etc/passwd", "C:\\x",
    "9" * 30, "9" * 400, "0x10", "2024-01-31", "31.12.2024", "12w", "-3w", "1e3w", "for ever", "region:JP",
    "node", "product", "share", "price", "lead_time_days", "capacity_per_day", "price_usd",
    "_duplicated_0", "essential", "shared", "none", "plant", "economy", "1" + "0" * 18, "9223372036854775808",
)  # fmt: skip
NESTS = (b"[" * 3000, b"{" * 3000, b"a." * 3000, b"x=" + b"[" * 2000 + b"]" * 2000, b'{"a":' * 3000)
TOKENS = (
    b"\x00", b"\xff", b"\xff\xfe", b"\xef\xbb\xbf", b"\xed\xa0\x80", b"\xc0\xaf", b'"', b"'", b",", b";",
    b"\n", b"\r", b"\r\n", b"\t", b"[", b"]", b"[[", b"{", b"}", b"=", b"#", b".", b"-", b"nan", b"inf",
    b"-inf", b"1e999", b"9" * 5000, b"0x", b"true", b"null", b"1979-05-27T07:32:00Z", b'"""', b"\\u0000",
    b"\\ud800", b"\x1a", b"PK\x03\x04", b"PAR1", b"\xd0\xcf\x11\xe0", b"<!DOCTYPE x [<!ENTITY a 'b'>]>",
)  # fmt: skip
ENCODINGS = ("utf-16", "utf-16-le", "utf-32", "cp1252", "cp1251", "shift_jis", "utf-7", "cp037")
Spoil = Callable[[bytes, random.Random], bytes]


# --- bytes ---------------------------------------------------------------------------------------


def flipped(data: bytes, rng: random.Random) -> bytes:
    """Change a few bytes."""
    new = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 8)) if new else 0):
        new[rng.randrange(len(new))] ^= 1 << rng.randrange(8)
    return bytes(new)


def overwritten(data: bytes, rng: random.Random) -> bytes:
    """Set a number that stands in a header, as lengths and offsets do, to an extreme."""
    new = bytearray(data)
    if len(new) < 8:
        return flipped(data, rng)
    width = rng.choice((1, 2, 4, 8))
    at = rng.randrange(len(new) - width + 1)
    new[at : at + width] = rng.choice((b"\xff", b"\x00", b"\x7f", b"\x80")) * width
    return bytes(new)


def cut(data: bytes, rng: random.Random) -> bytes:
    """Keep the beginning, or lose it."""
    at = rng.randrange(len(data) + 1)
    return data[:at] if rng.random() < 0.8 else data[at:]


def inserted(data: bytes, rng: random.Random) -> bytes:
    """Put a word of trouble in."""
    at = rng.randrange(len(data) + 1)
    word = rng.choice(NESTS) if rng.random() < 0.1 else rng.choice(TOKENS)
    return data[:at] + word + data[at:]


def moved(data: bytes, rng: random.Random) -> bytes:
    """Drop, repeat or move a piece."""
    a, b = sorted((rng.randrange(len(data) + 1), rng.randrange(len(data) + 1)))
    b = min(b, a + rng.choice((1, 4, 64, 1024)))
    piece, rest = data[a:b], data[:a] + data[b:]
    kind = rng.randrange(3)
    if kind == 0:
        return rest
    at = rng.randrange(len(rest) + 1)
    return (
        data[:a] + piece * rng.choice((2, 50)) + data[b:]
        if kind == 1
        else rest[:at] + piece + rest[at:]
    )


def otherwise_encoded(data: bytes, rng: random.Random) -> bytes:
    """Write text in an encoding that is not expected, or with other line ends."""
    text = data.decode("utf-8", errors="replace")
    kind = rng.randrange(4)
    if kind == 0:
        return text.replace("\n", rng.choice(("\r", "\r\n", "\n\n", "\u2028"))).encode()
    if kind == 1:
        return rng.choice((b"\xef\xbb\xbf", b"\xff\xfe", b"\x00")) + data
    return text.encode(rng.choice(ENCODINGS), errors="replace")


BYTES: tuple[Spoil, ...] = (flipped, overwritten, cut, inserted, moved)


# --- tables of text ------------------------------------------------------------------------------


def cell_of(rng: random.Random) -> str:
    """Return a cell that makes trouble; a giant one now and then."""
    kind = rng.random()
    if kind < 0.02:
        return rng.choice(("x", "9", "é", "\u202e")) * rng.choice((33_000, 200_000))
    if kind < 0.15:
        return "".join(chr(rng.choice((rng.randrange(0x80), rng.randrange(0xD800), 0xE000, 0x10FFFF)))
                       for _ in range(rng.randrange(1, 9)))  # fmt: skip
    if kind < 0.3:
        return repr(rng.choice((-1, 1)) * 10 ** rng.uniform(-330, 308))
    return rng.choice(CELLS)


def _grid(rows: list[list[str]], rng: random.Random) -> list[list[str]]:
    """Change the cells, rows or columns of a table in one way."""
    width, height = len(rows[0]), len(rows)
    kind = rng.randrange(13)
    i, j, other = rng.randrange(height), rng.randrange(width), rng.randrange(width)
    if kind <= 4:
        row = rows[rng.randrange(1, height)] if height > 1 else rows[0]
        row += [""] * (j + 1 - len(row))
        row[j] = cell_of(rng)
    elif kind == 5:
        rows[0][j] = cell_of(rng) if rng.random() < 0.5 else rows[0][other]
    elif kind == 6:
        rows.insert(rng.randrange(height + 1), list(rows[i]))
    elif kind == 7:
        del rows[i]
    elif kind == 8:
        body = rows[1:]
        rng.shuffle(body)
        rows[1:] = body
    elif kind == 9:
        rows = [r[:j] + r[j + 1 :] for r in rows]
    elif kind == 10:
        order = [rng.randrange(width) for _ in range(width)]  # shuffled, some twice
        rows = [[r[k] if k < len(r) else "" for k in order] for r in rows]
    elif kind == 11:  # one type of cells for another
        for row in rows[1:]:
            row[j : j + 1] = [rng.choice(CELLS)]
    else:
        for row in rows[1:]:  # labels of one column in another
            if max(j, other) < len(row):
                row[j] = row[other]
    return rows


def table_changed(data: bytes, rng: random.Random) -> bytes:
    """Change cells, rows or columns of a CSV file."""
    text = data.decode("utf-8", errors="replace")
    head = text.split("\n", 1)[0]
    separator = max(",;\t", key=head.count)
    try:
        rows = [r for r in csv.reader(io.StringIO(text), delimiter=separator) if r]
    except csv.Error:
        return flipped(data, rng)
    if not rows:
        return inserted(data, rng)
    for _ in range(rng.choice((1, 1, 2, 4))):
        if rows and rows[0]:
            rows = _grid(rows, rng)
    stream = io.StringIO()
    csv.writer(stream, delimiter=separator, lineterminator="\n", escapechar="\\").writerows(rows)
    return stream.getvalue().encode(
        "utf-8", errors="surrogatepass" if rng.random() < 0.5 else "replace"
    )


# --- Parquet -------------------------------------------------------------------------------------

_ODD: tuple[Callable[[int], Any], ...] = (
    lambda n: pl.Series([float("nan")] * n),
    lambda n: pl.Series([float("inf")] * n),
    lambda n: pl.Series([None] * n),
    lambda n: pl.Series([None] * n, dtype=pl.Float64),
    lambda n: pl.Series([2**63] * n, dtype=pl.UInt64),
    lambda n: pl.Series([-(2**63)] * n, dtype=pl.Int64),
    lambda n: pl.Series([True] * n),
    lambda n: pl.Series([date(2024, 1, 31)] * n),
    lambda n: pl.Series([datetime(2024, 1, 31)] * n),
    lambda n: pl.Series([b"\xff\x00"] * n),
    lambda n: pl.Series([[1, 2]] * n),
    lambda n: pl.Series([{"a": 1}] * n),
    lambda n: pl.Series([Decimal("1.5")] * n),
    lambda n: pl.Series(["GEAR"] * n, dtype=pl.Categorical),
    lambda n: pl.Series([1e308] * n),
    lambda n: pl.Series([-1.0] * n, dtype=pl.Float32),
    lambda n: pl.Series(["1"] * n),
    lambda n: pl.Series([3] * n, dtype=pl.Int8),
)


def columns_retyped(data: bytes, rng: random.Random) -> bytes:
    """Give columns of a Parquet file another type, name or number of rows."""
    try:
        frame = pl.read_parquet(io.BytesIO(data))
    except BaseException:  # an earlier change has broken it: polars may even panic
        return flipped(data, rng)
    for _ in range(rng.choice((1, 1, 2))):
        if frame.width == 0:
            break
        name = rng.choice(frame.columns)
        kind = rng.randrange(6)
        if kind <= 2:
            frame = frame.with_columns(rng.choice(_ODD)(frame.height).alias(name))
        elif kind == 3:
            new = cell_of(rng)[:500]
            frame = frame if new in frame.columns else frame.rename({name: new})
        elif kind == 4:
            frame = frame.drop(name)
        else:
            frame = rng.choice(
                (frame.clear(), pl.concat([frame, frame]), frame.head(1), frame.reverse())
            )
    stream = io.BytesIO()
    frame.write_parquet(stream)
    return stream.getvalue()


# --- archives and workbooks ----------------------------------------------------------------------


def part_changed(data: bytes, rng: random.Random) -> bytes:
    """Change one part of an archive and pack it again; or play a trick with the archive."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            parts = [(i.filename, archive.read(i)) for i in archive.infolist()]
    except Exception:  # an earlier change has broken it, in whichever way
        return flipped(data, rng)
    if not parts:
        return flipped(data, rng)
    k = rng.randrange(len(parts))
    name, content = parts[k]
    trick = rng.randrange(12)
    if trick == 0:
        del parts[k]
    elif trick == 1:
        parts[k] = (rng.choice(("../../x", "/etc/x", name.upper(), "x" * 300)), content)
    elif trick == 2:
        parts.append((name + "2", b"\x00" * 3_000_000))
    elif trick == 3:
        parts[k] = (name, b"")
    else:
        spoil = rng.choice((*BYTES, _xml_value, _xml_value, _xml_value))
        parts[k] = (name, spoil(content, rng))
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for one, inside in parts:
            archive.writestr(one, inside)
    new = stream.getvalue()
    return flipped(new, rng) if rng.random() < 0.1 else new


_XML_WORDS = (
    b"NaN", b"1E+999", b"-1", b"99999999999999999999", b"", b"x", b"&amp;#0;", b"&bomb;", b"&#0;", b"&#xD800;",
    b"1048577", b"A1048577", b"XFE1", b"A0", b"s", b"e", b"b", b"d", b"inlineStr", b"\xff", b"2024-01-31",
)  # fmt: skip


def _xml_value(data: bytes, rng: random.Random) -> bytes:
    """Replace one value in XML, between tags or in quotation marks."""
    opening, closing = rng.choice(((b">", b"<"), (b'"', b'"')))
    starts = [i for i, byte in enumerate(data) if data[i : i + 1] == opening] if data else []
    if not starts:
        return flipped(data, rng)
    a = rng.choice(starts) + 1
    b = data.find(closing, a)
    return data[:a] + rng.choice(_XML_WORDS) + data[b if b >= 0 else len(data) :]


# --- TOML and JSON -------------------------------------------------------------------------------

_VALUES = (
    "nan", "inf", "-inf", "1e400", "-1", "0", "99999999999999999999999", '""', '"x"', "true", "[]", "[1]",
    "{}", "{a=1}", "[[[]]]", "1979-05-27", "07:32:00", '"\\u0000"', '"\\u202e"', "'''a\nb'''", '"12w"',
    '"-12w"', '"1e99w"', "0x7fffffffffffffff", '"' + "y" * 500 + '"', "null", '{"a":1}', "1.5", '"JP"',
)  # fmt: skip


def value_changed(data: bytes, rng: random.Random) -> bytes:
    """Replace the value of a line `key = value` or `"key": value`, or a key."""
    lines = data.decode("utf-8", errors="replace").split("\n")
    for _ in range(rng.choice((1, 1, 2))):
        i = rng.randrange(len(lines))
        sign = "=" if "=" in lines[i] else ":"
        key, found, rest = lines[i].partition(sign)
        kind = rng.randrange(6)
        if kind == 0:
            lines.insert(rng.randrange(len(lines) + 1), lines[i])
        elif kind == 1:
            del lines[i]
            lines = lines or [""]
        elif kind == 2 and found:
            lines[i] = f"{rng.choice(CELLS)[:50]}{sign}{rest}"
        elif found:
            end = "," if rest.rstrip().endswith(",") else ""
            lines[i] = f"{key}{sign} {rng.choice(_VALUES)}{end}"
        else:
            lines[i] = rng.choice(("[x]", "[[x]]", "[[shock]]", "[final_demand]", "{", "]", ""))
    return "\n".join(lines).encode("utf-8", errors="replace")


# --- which for what ------------------------------------------------------------------------------


def spoilers(name: str) -> tuple[Spoil, ...]:
    """Return the ways that suit a file by its ending; those listed twice come more often."""
    ending = name.rpartition(".")[2].lower()
    if ending in ("csv", "tsv", "txt", "tab"):
        return (*(table_changed,) * 8, otherwise_encoded, *BYTES)
    if ending in ("toml", "json"):
        return (*(value_changed,) * 6, otherwise_encoded, *BYTES)
    if ending == "parquet":
        return (*(columns_retyped,) * 5, *BYTES)
    if ending in ("xlsx", "xlsm", "xlsb", "ods", "zip", "npz"):
        return (*(part_changed,) * 7, *BYTES)
    return BYTES


def spoil(files: dict[str, bytes], steps: list[tuple[str, int]]) -> dict[str, bytes]:
    """Apply steps, each a file and a seed, to a copy of the files."""
    new = dict(files)
    for name, seed in steps:
        rng = random.Random(seed)
        new[name] = rng.choice(spoilers(name))(new[name], rng)
    return new
