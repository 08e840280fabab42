"""Numbers and names as people read them: `38.8 %`, `15.1 weeks`, `Japan and China`."""

from __future__ import annotations

import html
import math
import re
import unicodedata
from typing import TYPE_CHECKING

from withstand.model.units import PERIODS_PER_YEAR, periods_of

if TYPE_CHECKING:
    from collections.abc import Sequence

UNKNOWN = "not known"
_UNIT_NAMES = {"d": "day", "w": "week", "m": "month", "q": "quarter", "y": "year", "a": "year"}
_DIRECTIONS = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_LONGEST = 2_000
_ALIKE = 5e-10
_KINDS = {
    "assembly": "assemblies",
    "energy": "energy",
    "equipment": "equipment",
    "software": "software",
}


def clean(text: object) -> str:
    """Return text without control characters or marks that turn the reading direction.

    Examples
    --------
    >>> clean("gear" + chr(0x202E) + "box" + chr(0))
    'gear?box?'
    """
    kept = str(text)[:_LONGEST].encode("utf-8", "replace").decode("utf-8")
    return "".join(
        "?" if c in _DIRECTIONS or unicodedata.category(c) in ("Cc", "Zl", "Zp") else c
        for c in kept
    )


def clip(text: object, most: int) -> str:
    """Return text of at most so many characters, with an ellipsis where it was cut.

    Examples
    --------
    >>> clip("Precision gear grinding machine", 14)
    'Precision gea…'
    """
    kept = clean(text)
    return kept if len(kept) <= most else kept[: most - 1].rstrip() + "…"


def label(text: object, most: int = 40) -> str:
    """Return a name as a Plotly label: clipped, and with no markup that Plotly would obey.

    Plotly reads a little HTML in labels (b, i, br, sub, sup, span and a with its address) and
    turns entities back into characters, so that escaped text is shown as it was written. What
    looks like a field of a hover template is broken up.

    Examples
    --------
    >>> label("<a href='https://example.org'>gear</a>")
    "&lt;a href='https://example.org'&gt;gear&lt;/a&gt;"
    """
    return html.escape(clip(text, most), quote=False).replace("%{", "% {")


def percent(share: float | None, digits: int = 1) -> str:
    """Return a share as a percentage.

    Examples
    --------
    >>> percent(0.38796), percent(1.0), percent(0.99999), percent(0.0002), percent(None)
    ('38.8 %', '100 %', 'over 99.9 %', 'under 0.1 %', 'not known')
    """
    if share is None or not math.isfinite(share):
        return UNKNOWN
    step = 10.0**-digits
    if abs(share) < _ALIKE:
        return "0 %"
    if abs(share - 1.0) < _ALIKE:
        return "100 %"
    if 0 < share < step / 200:
        return f"under {step:.{digits}f} %"
    if 1 - step / 200 < share < 1:
        return f"over {100 - step:.{digits}f} %"
    return f"{100 * share + _ALIKE:.{digits}f} %"  # a half is rounded up, not to the even digit


def percent_range(low: float | None, high: float | None) -> str:
    """Return two shares as a range, or the one share that both are.

    Examples
    --------
    >>> percent_range(0.15, 0.267), percent_range(0.4, 0.4)
    ('15.0 to 26.7 %', '40.0 %')
    """
    first, last = percent(low), percent(high)
    if first == last or low is None:
        return last
    if high is None:
        return first
    if low > high:
        first, last = last, first
    return f"{first.removesuffix(' %')} to {last}"


def number(value: float | None, digits: int = 1) -> str:
    """Return a number with thousands marked; whole numbers without a fraction.

    Examples
    --------
    >>> number(17376.0), number(13.42), number(0.0042), number(None)
    ('17,376', '13.4', '0.0042', 'not known')
    """
    if value is None or not math.isfinite(value):
        return UNKNOWN
    if abs(value - round(value)) < 1e-9 and abs(value) < 1e15:
        return f"{round(value):,}"
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    if abs(value) < 10.0**-digits:
        return f"{value:.2g}"
    return f"{value:,.{digits}f}"


def money(value: float | None, currency: str) -> str:
    """Return an amount in words that fit a sentence.

    Examples
    --------
    >>> money(58_205_128.2, "USD"), money(620.0, "")
    ('58.2 million USD', '620')
    """
    if value is None or not math.isfinite(value):
        return UNKNOWN
    size, word = next(
        ((s, w) for s, w in ((1e12, " trillion"), (1e9, " billion"), (1e6, " million"))
         if abs(value) >= s),
        (1.0, ""),
    )  # fmt: skip
    amount = f"{value / size:.1f}" if word else number(value, 0)
    return f"{amount}{word} {clean(currency)}".strip()


def plural(count: int, one: str, many: str | None = None) -> str:
    """Return a count with its noun.

    Examples
    --------
    >>> plural(1, "supplier"), plural(3, "supplier")
    ('1 supplier', '3 suppliers')
    """
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def periods(count: float, period: str) -> str:
    """Return a time in periods.

    Examples
    --------
    >>> periods(1, "week"), periods(15.08, "week")
    ('1 week', '15.1 weeks')
    """
    shown = number(count)
    return f"{shown} {period if shown == '1' else period + 's'}"


def periods_range(low: float, high: float, period: str) -> str:
    """Return two times as a range, or the one time that both are."""
    first, last = sorted((low, high))
    if number(first) == number(last):
        return periods(last, period)
    return f"{number(first)} to {periods(last, period)}"


def after(count: int, period: str) -> str:
    """Return when something happens, counted from the first shock.

    Examples
    --------
    >>> after(0, "week"), after(1, "week")
    ('at once', 'after 1 week')
    """
    return "at once" if count <= 0 else f"after {periods(count, period)}"


def duration(value: str | float | None, period: str) -> str:
    """Return how long a shock lasts, in the unit the user wrote.

    Examples
    --------
    >>> duration("26w", "week"), duration(8, "month"), duration(None, "week")
    ('26 weeks', '8 months', 'good')
    """
    if value is None:
        return "good"
    match = re.search(r"[a-z]", value, re.IGNORECASE) if isinstance(value, str) else None
    unit = _UNIT_NAMES[match.group().lower()] if match else period
    scale = PERIODS_PER_YEAR[unit] / PERIODS_PER_YEAR[period]
    return periods(periods_of(value, period) * scale, unit)


def listing(items: Sequence[str], most: int = 5) -> str:
    """Return names as a sentence lists them.

    Examples
    --------
    >>> listing(["Japan", "China", "Germany"]), listing(["bolts, M8", "nuts"])
    ('Japan, China and Germany', 'bolts, M8; and nuts')
    """
    shown = [clean(i) for i in items[:most]]
    if len(items) > most:
        shown.append(f"{len(items) - most} more")
    has_comma = any("," in i for i in shown)
    if len(shown) < 2:
        return "".join(shown)
    return (
        ("; " if has_comma else ", ").join(shown[:-1])
        + ("; and " if has_comma else " and ")
        + shown[-1]
    )


def kinds(kind: str) -> str:
    """Return the plural of a kind of product.

    Examples
    --------
    >>> kinds("component"), kinds("equipment")
    ('components', 'equipment')
    """
    return _KINDS.get(kind, kind + "s")


def capital(sentence: str) -> str:
    """Return a sentence that starts with a capital letter."""
    return sentence[:1].upper() + sentence[1:]
