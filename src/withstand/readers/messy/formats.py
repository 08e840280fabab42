"""Which decimal and thousands marks a column of numbers uses, judged by the column as a whole."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from withstand.readers.messy.how import NumberFormat
from withstand.readers.messy.numbers import APOSTROPHES, SPACES, take_apart

if TYPE_CHECKING:
    from collections.abc import Iterable

    import polars as pl

_MARKS = re.compile(r"[.,' ]")
_OTHER = {".": ",", ",": "."}
_ENOUGH = 3


@dataclass(frozen=True, kw_only=True)
class Sniffed:
    """What the numbers of a column tell about their format.

    Parameters
    ----------
    form : NumberFormat or None
        None if nobody can tell.
    decimal : str
        The decimal mark that is proven, "" for none.
    open_mark : str
        The mark that may be decimal or thousands, "" for none.
    is_mixed : bool
        Whether some numbers contradict others.
    """

    form: NumberFormat | None
    decimal: str = ""
    open_mark: str = ""
    thousands: str = ""
    is_mixed: bool = False


def sniff_format(cells: pl.Series) -> Sniffed:
    """Return the format of a column of numbers written as text.

    Examples
    --------
    >>> import polars as pl
    >>> sniff_format(pl.Series(["1.234", "7,5"])).form
    NumberFormat(decimal=',', thousands='.')
    >>> sniff_format(pl.Series(["1.234", "2.345"])).form is None
    True
    >>> sniff_format(pl.Series(["1,234", "0,500"])).form
    NumberFormat(decimal=',', thousands='')
    """
    core = take_apart(cells.drop_nulls())["core"].drop_nulls()
    for space in SPACES[1:]:
        core = core.str.replace_all(space, " ", literal=True)
    core = core.str.replace_all(APOSTROPHES[1], "'", literal=True)
    counts = core.value_counts()
    return _judge(dict(zip(counts[core.name], counts["count"], strict=True)))


@dataclass
class _Evidence:
    """How many numbers of a column say what about its marks."""

    decimals: Counter[str] = field(default_factory=Counter)
    thousands: Counter[str] = field(default_factory=Counter)
    is_open: Counter[str] = field(default_factory=Counter)
    small: int = 0
    large: int = 0
    padded: int = 0

    def take(self, core: str, n: int) -> None:
        """Count what one number says, that stands n times."""
        decimal, group, mark = classify(core)
        self.decimals[decimal] += n
        self.thousands[group] += n
        self.is_open[mark] += n
        if mark:
            self.padded += n * core.endswith("0")
        elif not decimal and not group:
            self.small += n * (len(core) < 4)
            self.large += n * (len(core) > 3)


def _judge(cores: dict[str, int]) -> Sniffed:
    seen = _Evidence()
    for core, n in cores.items():
        seen.take(core, n)
    for counts in (seen.decimals, seen.thousands, seen.is_open):
        del counts[""]
    decimals, thousands, is_open = seen.decimals, seen.thousands, seen.is_open
    for mark, other in _OTHER.items():  # a thousands mark is no decimal mark
        decimals[other] += thousands[mark]
    proven = [d for d in ".," if decimals[d]]
    if len(proven) == 2:
        most, least = (d for d, _ in decimals.most_common(2))
        if decimals[least] > 0.05 * decimals[most]:
            return Sniffed(form=None, is_mixed=True)
        return _settled(most, thousands, is_open, is_mixed=True)
    if proven:
        return _settled(proven[0], thousands, is_open)
    return _without_proof(seen)


def _without_proof(seen: _Evidence) -> Sniffed:
    """Judge a column in which no number alone tells what its marks mean."""
    marks = [m for m in ".," if seen.is_open[m]]
    groups = [t for t, n in seen.thousands.most_common() if n]
    if not marks:
        group = groups[0] if groups else ""
        return Sniffed(form=NumberFormat(".", group), thousands=group)
    if len(marks) == 2:
        return Sniffed(form=None, open_mark=marks[0], is_mixed=True)
    mark = marks[0]
    if groups or seen.large:  # thousands are parted otherwise or not at all, so the mark is decimal
        return _settled(mark, seen.thousands, seen.is_open)
    if seen.small and seen.padded and seen.is_open[mark] >= _ENOUGH:
        # decimals would be written on all numbers or, without the zeros at their ends, on none
        return _settled(_OTHER[mark], seen.thousands, seen.is_open)
    return Sniffed(form=None, open_mark=mark)


def _settled(
    decimal: str, thousands: Counter[str], is_open: Counter[str], *, is_mixed: bool = False
) -> Sniffed:
    group = next((t for t, n in thousands.most_common() if n and t != decimal), "")
    if not group and is_open[_OTHER[decimal]]:
        group = _OTHER[decimal]
    return Sniffed(
        form=NumberFormat(decimal, group), decimal=decimal, thousands=group, is_mixed=is_mixed
    )


def classify(core: str) -> tuple[str, str, str]:
    """Return the decimal mark, the thousands mark and the mark that may be either of one number.

    Examples
    --------
    >>> classify("1.234,56"), classify("1,234"), classify("1.234.567"), classify("0.123")
    ((',', '.', ''), ('', '', ','), ('', '.', ''), ('.', '', ''))
    """
    text = re.split("[eE]", core)[0]
    marks = _MARKS.findall(text)
    kinds = set(marks)
    if not marks or len(kinds) > 2:
        return "", "", ""
    last = marks[-1]
    if len(kinds) == 2:
        other = next(iter(kinds - {last}))
        is_sound = last in ".," and marks.count(last) == 1
        return (last, other, "") if is_sound else ("", "", "")
    if last in "' " or len(marks) > 1:
        return "", last, ""
    before, after = text.split(last)
    if len(after) != 3 or text != core or not 1 <= len(before) <= 3 or before.startswith("0"):
        return last, "", ""
    return "", "", last


def settle_by_file(sniffed: Iterable[Sniffed]) -> str:
    """Return the decimal mark that all decided columns of a file share, "" if there is none."""
    proven = {s.decimal for s in sniffed if s.decimal}
    return proven.pop() if len(proven) == 1 else ""


def in_file(sniffed: Sniffed, decimal: str) -> NumberFormat | None:
    """Return the format of an undecided column, given the decimal mark of its file."""
    if sniffed.form is not None or sniffed.is_mixed or not decimal or not sniffed.open_mark:
        return sniffed.form
    if decimal == sniffed.open_mark:
        return NumberFormat(decimal, "")
    return NumberFormat(decimal, sniffed.open_mark)
