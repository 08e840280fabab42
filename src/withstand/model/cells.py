"""Make one column obey its line of the data dictionary: numbers, words, choices.

Works on text (as read from CSV) and on typed columns (Parquet, pandas, Excel) alike, in whole
columns, so that a million rows take well under a second.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import polars as pl

from withstand.model.findings import Finding, Origin, make_finding, nearest
from withstand.model.tables import CLASSES, Column

LONGEST_CELL = 32_767
LONGEST_LABEL = 200
LARGEST_NUMBER = 1e15
MOST_VALUES = 10

_YES = ("yes", "true", "y", "1", "1.0")
_NO = ("no", "false", "n", "0", "0.0")
_NUMBER = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$"
_COMMA = r"^[+-]?\d{1,3}([. ]\d{3})*,\d+$|^[+-]?\d+,\d+$"
_THOUSANDS = r"^[+-]?\d{1,3}(,\d{3})+(\.\d+)?$"
_PERCENT = r"^[+-]?(\d+\.?\d*|\.\d+)\s*%$"
_SHEET_ERROR = r"^#(N/A|REF!|VALUE!|DIV/0!|NAME\?|NUM!|NULL!|SPILL!|CALC!|GETTING_DATA)"
_CONTROL = r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ufffe\uffff]"
_LABEL_CONTROL = (
    r"[\x00-\x1f\x7f-\x9f\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufffe\uffff]"
)
_MARKUP = r"(?i)<[/!?]?[a-z]|<!--"
_FORMULA_LABEL = r"^[=+\-@]"
_FORMULA_TEXT = r"^[=@]"
# A cell without any of these needs no closer look; one pass in place of six.
_NOT_PLAIN = (
    r"^$|^[\s=+\-@#]|\s$"
    r"|[\x00-\x1f<\x7f-\x9f\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufffe\uffff]"
)

Explain = Callable[[str], tuple[str, str | None, str | None]]
"""From a value to what is wrong with it, a suggestion, and a mend of its own."""


@dataclass
class ColumnReport:
    """What was found in one column: the findings, and which rows have a fault."""

    column: Column
    origin: Origin
    findings: list[Finding] = field(default_factory=list)
    is_bad: pl.Series | None = None

    @property
    def name(self) -> str:
        """The column as its user calls it."""
        return (self.origin.names or {}).get(self.column.name, self.column.name)

    def mark(self, where: pl.Series) -> None:
        """Remember rows with a fault."""
        where = where.fill_null(value=False)
        self.is_bad = where if self.is_bad is None else self.is_bad | where

    def first(
        self, code: str, shown: pl.Series, where: pl.Series, what: str, fix: str | None = None
    ) -> None:
        """Report the first row of one kind of fault, and the count of all."""
        where = where.fill_null(value=False)
        if not where.any():
            return
        rows = where.arg_true()
        at = int(rows[0])
        self.findings.append(
            make_finding(
                code,
                what,
                origin=self.origin,
                index=at,
                column=self.column.name,
                value=shown[at],
                fix=fix,
                count=len(rows),
            )
        )
        if not code.startswith("W"):
            self.mark(where)

    def each(self, code: str, values: pl.Series, where: pl.Series, explain: Explain) -> None:
        """Report each bad value once, with its first row and count, and the rest together."""
        where = where.fill_null(value=False)
        if not where.any():
            return
        self.mark(where)
        groups = by_value(values, where)
        for value, row, count in groups.head(MOST_VALUES).iter_rows():
            what, suggestion, fix = explain(value)
            self.findings.append(
                make_finding(
                    code,
                    what,
                    origin=self.origin,
                    index=row,
                    column=self.column.name,
                    value=value,
                    suggestion=suggestion,
                    fix=fix,
                    count=count,
                )
            )
        rest = groups.slice(MOST_VALUES)
        if rest.height:
            what = explain(rest["value"][0])[0]
            self.findings.append(
                make_finding(
                    code,
                    f"{rest.height:,} more values: {what}",
                    origin=self.origin,
                    index=rest["row"][0],
                    column=self.column.name,
                    value=rest["value"][0],
                    count=int(rest["count"].sum()),
                )
            )


def by_value(values: pl.Series, where: pl.Series) -> pl.DataFrame:
    """Return the different values of some rows: value, first row, count, in order of first row."""
    picked = pl.DataFrame({"value": values.filter(where), "row": where.arg_true()})
    return picked.group_by("value", maintain_order=True).agg(
        pl.col("row").first(), pl.len().alias("count")
    )


def conform_column(
    series: pl.Series, column: Column, origin: Origin
) -> tuple[pl.Series, ColumnReport]:
    """Return the column in its type, empty cells null, and what was found in it."""
    report = ColumnReport(column, origin)
    if series.dtype.is_nested() or series.dtype == pl.Object:
        report.first(
            "E103",
            series,
            series.is_not_null(),
            f"{report.name} holds lists or records; {expected(column)}",
        )
        dtypes = {"number": pl.Float64, "integer": pl.Float64, "yesno": pl.Boolean}
        dtype = dtypes.get(column.type, pl.String)
        return pl.Series(column.name, [None] * len(series), dtype=dtype), report
    if column.type in ("number", "integer"):
        result = _numbers(series, report)
    else:
        result = _words(series, report)
    if column.required:
        empty = series.is_null()
        if series.dtype == pl.String and series.dtype == result.dtype:
            empty = result.is_null()
        elif series.dtype == pl.String:
            empty |= series.str.strip_chars() == ""
        if empty.any():
            if report.is_bad is not None:
                empty &= ~report.is_bad
            report.first("E102", series, empty, f"{report.name} is empty; {expected(column)}")
    return result, report


def expected(column: Column) -> str:
    """Say what a column takes, for messages."""
    if column.choices:
        return f"expected one of {', '.join(column.choices)}"
    if column.type in ("number", "integer"):
        unit = f" ({column.unit})" if column.unit else ""
        return f"expected a number{unit}"
    if column.type == "yesno":
        return "expected yes or no"
    return "expected a label" if column.type == "label" else "expected text"


def as_text(series: pl.Series) -> pl.Series:
    """Return a column as text; whole floats lose their `.0` (labels like 2020)."""
    if series.dtype == pl.String:
        return series
    if series.dtype.is_float():
        whole = series.round(0).cast(pl.Int64, strict=False).cast(pl.String)
        is_whole = (series == series.round(0)) & (series.abs() < LARGEST_NUMBER)
        both = pl.DataFrame({"whole": whole, "text": series.cast(pl.String), "is_whole": is_whole})
        return both.select(
            pl.when("is_whole").then("whole").otherwise("text").alias(series.name)
        ).to_series()
    if series.dtype == pl.Binary:  # polars refuses bytes that are no text
        texts = [None if x is None else x.decode("utf-8", errors="replace") for x in series]
        return pl.Series(series.name, texts, pl.String)
    if series.dtype.is_nested() or series.dtype == pl.Object:
        return pl.Series(series.name, [None if x is None else str(x) for x in series.to_list()])
    return series.cast(pl.String, strict=False)


# --- numbers -------------------------------------------------------------------------------------


def _numbers(series: pl.Series, report: ColumnReport) -> pl.Series:
    column = report.column
    if series.dtype.is_numeric():
        numbers = series.cast(pl.Float64)
    else:
        text = as_text(series).str.strip_chars()
        text = text.set(text == "", None)
        numbers = text.cast(pl.Float64, strict=False)
        bad = numbers.is_null() & text.is_not_null()
        if bad.any():
            _bad_numbers(text, bad, report)
    name = report.name
    fix = "Write a number; this column may not be left empty." if column.required else None
    infinite = numbers.is_nan() | numbers.is_infinite()
    huge = ~infinite & (numbers.abs() > LARGEST_NUMBER)
    if infinite.any() or huge.any():
        report.first("E108", series, infinite, f"{name} is not a finite number", fix)
        report.first("E108", series, huge, f"{name} is beyond 1e15 in size", fix)
    low = -LARGEST_NUMBER if column.low is None else column.low
    high = LARGEST_NUMBER if column.high is None else column.high
    outside = (numbers < low) | (numbers > high)
    if column.type == "integer":
        outside |= numbers != numbers.round(0)
    outside &= ~(infinite | huge)
    if outside.any():
        report.first("E107", series, outside, f"{name} must be {_bounds(column)}")
    if column.type == "integer":
        return numbers.cast(pl.Int64, strict=False)
    return numbers


def _bounds(column: Column) -> str:
    if column.low is None or column.high is None:
        bounds = f"at least {column.low:g}" if column.low is not None else "in range"
    else:
        bounds = f"between {column.low:g} and {column.high:g}"
    whole = " and a whole number" if column.type == "integer" else ""
    unit = "" if column.unit[:1].isdigit() else column.unit  # "0 to 1" is said already
    return f"{bounds}{whole}" + (f" ({unit})" if unit else "")


def _bad_numbers(text: pl.Series, bad: pl.Series, report: ColumnReport) -> None:
    """Report text that is no number, by what is wrong with it."""
    wanted = expected(report.column)
    short = text.str.head(100)
    comma = bad & (short.str.contains(_COMMA) | short.str.contains(_THOUSANDS))
    error = bad & short.str.contains(_SHEET_ERROR)

    def explain_comma(value: str) -> tuple[str, str | None, str | None]:
        if pl.Series([value[:100]]).str.contains(_THOUSANDS)[0]:  # 1,234: nobody can tell
            what = "comma in a number, for thousands or for decimals"
            return f"{what}; {wanted}", None, "Write 1234 for thousands, 1.234 for decimals."
        plain = value.replace(".", "").replace(" ", "").replace(",", ".")
        return f"decimal comma; {wanted}", plain, None

    def explain_error(value: str) -> tuple[str, str | None, str | None]:
        return f"spreadsheet error in the cell; {wanted}", None, None

    def explain_other(value: str) -> tuple[str, str | None, str | None]:
        if pl.Series([value[:100]]).str.contains(_PERCENT)[0]:
            share = float(value[:-1]) / 100
            fix = f"Write {share:g} in place of {value}: shares are written as parts of 1."
            return f"a percentage; {wanted}", f"{share:g}", fix
        return f"not a number; {wanted}", None, None

    report.each("E105", text, comma, explain_comma)
    report.each("E110", text, error, explain_error)
    report.each("E103", text, bad & ~comma & ~error, explain_other)


# --- words ---------------------------------------------------------------------------------------


def _words(series: pl.Series, report: ColumnReport) -> pl.Series:
    column = report.column
    if series.dtype == pl.Boolean and column.type == "yesno":
        return series
    raw = as_text(series)
    is_label = column.type == "label"
    most = LONGEST_LABEL if is_label else LONGEST_CELL
    longest = raw.str.len_bytes().max()
    is_short = longest is None or int(longest) <= most  # type: ignore[arg-type]
    if column.type in ("label", "text") and is_short and not raw.str.contains(_NOT_PLAIN).any():
        return raw
    text = raw.str.replace_all("\r\n", "\n").str.replace_all("\r", "\n") if not is_label else raw
    text = text.str.strip_chars()
    text = text.set(text == "", None)
    if not is_short:
        too_long = text.str.len_chars() > most
        what = f"a cell of {report.name} holds more than {most:,} characters"
        report.first("E115", text, too_long, what)
        text = text.set(too_long.fill_null(value=False), None)
    report.first("E110", text, text.str.contains(_SHEET_ERROR), "spreadsheet error in the cell")
    if column.type in ("yesno", "choice", "class"):
        return _choice(text, report)
    if is_label:
        trimmed = (raw != text) & text.is_not_null()
        what = f"blanks around labels of {report.name} were trimmed"
        report.first("W102", raw, trimmed, what)
    _unsafe(text, report)
    return text


def _unsafe(text: pl.Series, report: ColumnReport) -> None:
    """Refuse markup, spreadsheet formulas and control characters: labels travel into reports."""
    is_label = report.column.type == "label"
    name = report.name
    report.first(
        "E121",
        text,
        text.str.contains(_LABEL_CONTROL if is_label else _CONTROL),
        f"{name} holds line breaks, control or invisible characters"
        if is_label
        else f"{name} holds control characters",
    )
    report.first(
        "E121", text, text.str.contains(_MARKUP), f"{name} looks like markup of a web page"
    )
    report.first(
        "E121",
        text,
        text.str.contains(_FORMULA_LABEL if is_label else _FORMULA_TEXT),
        f"{name} starts like a spreadsheet formula",
    )


def _choice(text: pl.Series, report: ColumnReport) -> pl.Series:
    column = report.column
    folded = text.str.to_lowercase()
    if column.type == "yesno":
        valid = {**dict.fromkeys(_YES, True), **dict.fromkeys(_NO, False)}
        result = folded.replace_strict(valid, default=None, return_dtype=pl.Boolean)
    else:
        words = {w: w for w in column.choices}
        if column.type == "class":
            words |= {str(i): w for i, w in enumerate(CLASSES)}
        result = folded.replace_strict(words, default=None, return_dtype=pl.String)
    bad = result.is_null() & text.is_not_null()
    if report.is_bad is not None:
        bad &= ~report.is_bad
    options = list(column.choices) or ["yes", "no"]
    report.each("E109", text, bad, lambda value: (expected(column), nearest(value, options), None))
    return result
