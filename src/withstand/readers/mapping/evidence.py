"""What the cells of a column speak for: numbers, shares, countries, customs codes, known labels."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from withstand.readers.mapping.region_names import region_of
from withstand.readers.mapping.vocabulary import fold, load_data, split_words
from withstand.readers.messy.units import canonical_unit

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    import polars as pl

    from withstand.readers.mapping.targets import TargetColumn
    from withstand.readers.messy.blocks import Block

MOST_VALUES = 400
LOOKS_NUMERIC = 0.9
TIMES = ("day", "week", "month", "year", "hour")
NAMES = ("name", "occupation", "company", "site")
WORDED = ("kind", "class", "use")
_NUMERIC = ("number", "share", "time", "rate", "money", "quantity", "degrees", "year")


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What the cells of one column look like; parts are shares of its filled cells.

    Parameters
    ----------
    filled : int
        Cells that are not blank.
    numeric, whole, in_unit, up_to_hundred : float
        Part that holds numbers; of these the part that is whole, lies in 0 to 1, in 0 to 100.
    different : float
        Different values to filled cells.
    regions, customs, units, known, yesno, years : float
        Part that names countries, looks like codes of the Harmonized System, names units, is a
        label that the project knows, is yes or no, is a year.
    worded : dict of str to float
        Part that is a word of each choice (kind, class, use).
    unit : str or None
        Unit in the header or on all numbers.
    """

    filled: int = 0
    numeric: float = 0.0
    whole: float = 0.0
    in_unit: float = 0.0
    up_to_hundred: float = 0.0
    different: float = 0.0
    regions: float = 0.0
    customs: float = 0.0
    units: float = 0.0
    known: float = 0.0
    yesno: float = 0.0
    years: float = 0.0
    currencies: float = 0.0
    worded: dict[str, float]
    unit: str | None = None


@cache
def choice_words() -> dict[str, dict[str, str]]:
    """Return for each choice what a folded word of it means."""
    found: dict[str, dict[str, str]] = {}
    for choice, words in load_data("choices.toml").items():
        meaning: dict[str, set[str]] = {}
        for word, others in words.items():
            for other in (word, *split_words(others)):
                meaning.setdefault(fold(other), set()).add(word)
        found[choice] = {w: next(iter(m)) for w, m in meaning.items() if len(m) == 1}
    return found


def evidence_of(block: Block, column: int, known: Collection[str] = ()) -> Evidence:
    """Return what the cells of a column (0-based) of a block look like.

    Parameters
    ----------
    block : Block
    column : int
    known : collection of str
        Labels of products that the project knows.
    """
    cells = block.cells[column]
    filled = cells.drop_nulls()
    if len(filled) == 0:
        return Evidence(worded={}, unit=block.units[column])
    counts = filled.value_counts(sort=True).head(MOST_VALUES)
    texts = counts[counts.columns[0]].to_list()
    weights = counts[counts.columns[1]].to_list()
    total = float(sum(weights))

    def part(holds: Callable[[str], bool]) -> float:
        return sum(w for t, w in zip(texts, weights, strict=True) if holds(t)) / total

    numbers = block.numbers(column)
    values = numbers.values.drop_nulls()
    number = len(values) / len(filled)
    if block.how.columns[column].kind == "number":  # though nobody can tell how they are written
        number = max(number, LOOKS_NUMERIC)
    folded = [fold(t) for t in texts]
    words = {
        choice: sum(w for t, w in zip(folded, weights, strict=True) if t in meanings) / total
        for choice, meanings in choice_words().items()
    }
    return Evidence(
        filled=len(filled),
        numeric=number,
        whole=_part(values == values.round(0)),
        in_unit=_part((values >= 0) & (values <= 1)),
        up_to_hundred=_part((values >= 0) & (values <= 100)),
        different=filled.n_unique() / len(filled),
        regions=part(lambda t: region_of(t) is not None),
        customs=part(_is_customs_code),
        units=part(lambda t: not t[:1].isdigit() and canonical_unit(t) is not None),
        known=part(lambda t: t in known) if known else 0.0,
        yesno=float(block.yesno(column).is_not_null().sum()) / len(filled),
        years=part(lambda t: len(t) == 4 and t.isdecimal() and 1900 <= int(t) <= 2199),
        currencies=part(lambda t: is_currency(canonical_unit(t))),
        worded=words,
        unit=block.units[column],
    )


def _part(holds: pl.Series) -> float:
    return int(holds.sum()) / len(holds) if len(holds) else 0.0


def _is_customs_code(text: str) -> bool:
    digits = text.replace(".", "").replace(" ", "")
    is_long = digits.isascii() and digits.isdecimal() and 5 <= len(digits) <= 10
    return is_long and 1 <= int(digits.zfill(len(digits) + len(digits) % 2)[:2]) <= 97


def is_currency(unit: str | None) -> bool:
    """Tell whether a plain unit is a currency code: `EUR` is, `kg` is not."""
    return unit is not None and len(unit) == 3 and unit.isupper() and unit.isalpha()


def unit_kind(unit: str) -> str:
    """Return what a plain unit measures: time, rate, money, share, or amount."""
    first, _, rest = unit.partition("/")
    name = first.split()[-1] if first else first
    if is_currency(name):
        return "money"
    if unit == "%":
        return "share"
    if rest in TIMES:
        return "rate"
    return "time" if name in TIMES and not rest else "amount"


def fit(found: Evidence, column: TargetColumn) -> float:
    """Return how well cells suit a column: 1 neither for nor against, 0 impossible.

    Parameters
    ----------
    found : Evidence
    column : TargetColumn
    """
    kind = column.kind
    if found.filled == 0:
        return 0.95
    factor = _fit_unit(found, kind)
    if kind in _NUMERIC:
        factor *= 1.0 if found.numeric >= 0.8 else 0.9 if found.numeric >= 0.5 else 0.3
        return factor * _fit_numbers(found, kind)
    if kind in WORDED:
        part = found.worded.get(kind, 0.0)
        return factor * (1.04 if part >= 0.6 else 0.95 if part >= 0.3 else 0.6)
    if kind == "region":
        return factor * (1.04 if found.regions >= 0.6 else 0.95 if found.regions >= 0.3 else 0.7)
    if kind == "hs":
        return factor * (1.04 if found.customs >= 0.6 else 0.9 if found.numeric >= 0.8 else 0.5)
    if kind == "yesno":
        return factor * (1.02 if found.yesno >= 0.8 else 0.5)
    if kind == "unit":
        return factor * (1.03 if found.units >= 0.6 else 0.85 if found.numeric < 0.5 else 0.3)
    if kind == "currency":
        return factor * (1.04 if found.currencies >= 0.8 else 0.4)
    if kind == "label":
        return factor * _fit_label(found)
    return factor * (0.55 if found.numeric > 0.9 and column.name in NAMES else 1.0)


def _fit_unit(found: Evidence, kind: str) -> float:
    """Judge the unit in the header against what a column measures."""
    if found.unit is None:
        return 1.0
    measured = unit_kind(found.unit)
    if kind in _NUMERIC:
        if measured == "amount":
            return 0.4 if kind in ("time", "share", "degrees", "year") else 1.0
        if kind == "number":
            return 0.95
        return 1.03 if measured == kind else 0.4
    return 0.5 if measured in ("time", "rate", "money", "share") else 1.0


def _fit_numbers(found: Evidence, kind: str) -> float:
    if kind == "share":
        if found.in_unit >= 0.98:
            return 1.02
        return 1.0 if found.up_to_hundred >= 0.98 else 0.5
    if kind == "year":
        return 1.02 if found.years >= 0.9 else 0.4
    return 1.0


def _fit_label(found: Evidence) -> float:
    if found.numeric > 0.9 and found.whole < 0.9:
        return 0.4
    if found.known >= 0.8:
        return 1.03
    return 1.0
