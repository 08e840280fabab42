"""Names that may be two spellings of one company or site: suggestions only, never silent.

Names are compared without legal form, case, accents and usual abbreviations. Equal cores are found
by grouping; near ones by the sorted neighbourhood (Hernández and Stolfo, 1995): names that stand
near each other in one of three orders are compared, so that time grows as n log n.

References
----------
Hernández and Stolfo (1995), The merge/purge problem for large databases, section 2.2. We compare by
the similarity of Indel distance (rapidfuzz) in place of rules.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from withstand.readers.mapping.vocabulary import fold, load_data, split_words, words_of

if TYPE_CHECKING:
    from collections.abc import Iterable

LEAST_LIKE = 90.0
WINDOW = 12
SHORTEST = 5
_DOTTED = re.compile(r"\b(?:\w\.\s?){2,}\w?(?!\w)")
_CJK_FORMS = (
    "股份有限公司",
    "有限责任公司",
    "有限公司",
    "株式会社",
    "有限会社",
    "合同会社",
    "(株)",
    "（株）",
    "㈱",
    "㈲",
)
_NO_DIGITS = re.compile(r"\D+")
_CODE = re.compile(r"[A-Z0-9_@./\-]+")


@dataclass(frozen=True)
class SameName:
    """A name that may be another spelling of a second one; how alike they are, 0 to 100."""

    name: str
    other: str
    likeness: float


@cache
def _forms() -> tuple[frozenset[str], dict[str, str]]:
    data = load_data("legal_forms.toml")
    return frozenset(fold(f) for f in split_words(data["forms"])), data["abbreviations"]


def core_words(name: str) -> list[str]:
    """Return the words of a name that say which company it is.

    Examples
    --------
    >>> core_words("Müller Masch. GmbH & Co. KG"), core_words("ACME Intl. Ltd")
    (['muller', 'maschinen'], ['acme', 'international'])
    """
    for form in _CJK_FORMS:
        name = name.replace(form, " ")
    plain = _DOTTED.sub(lambda m: m[0].replace(".", "").replace(" ", "") + " ", name)
    forms, short = _forms()
    words = words_of(plain)
    kept = [short.get(w, w) for w in words if w not in forms]
    return kept or words


def same_names(given: Iterable[str], trusted: Iterable[str] = ()) -> list[SameName]:
    """Return names that may be other spellings of more usual ones.

    Parameters
    ----------
    given : iterable of str
        Names, as often as they occur.
    trusted : iterable of str
        Names that the project has already; they are never the ones to change.

    Returns
    -------
    list of SameName
        Each name at most once, with the spelling it may stand for: a trusted one if there is one,
        else the most frequent, else the first.

    Examples
    --------
    >>> same_names(["Bosch GmbH", "BOSCH", "Bosch GmbH", "Siemens AG"])
    [SameName(name='BOSCH', other='Bosch GmbH', likeness=100.0)]
    """
    counts = Counter(n for n in given if n)
    fixed = {n for n in trusted if n}
    order = {n: i for i, n in enumerate([*fixed, *counts])}
    groups: dict[str, list[str]] = defaultdict(list)
    cores: dict[str, list[str]] = {}
    for name in order:
        words = core_words(name)
        key = "".join(words)
        groups[key].append(name)
        cores.setdefault(key, words)

    def best(names: list[str]) -> str:
        return min(names, key=lambda n: (n not in fixed, -counts[n], order[n]))

    found = {}
    for names in groups.values():
        first = best(names)
        for name in names:
            if name != first and name not in fixed:
                found[name] = SameName(name, first, 100.0)
    for one, two, likeness in _near(cores):
        a, b = best(groups[one]), best(groups[two])
        keep = best([a, b])
        drop = b if keep == a else a
        if drop not in fixed and drop not in found and not _CODE.fullmatch(drop):
            found[drop] = SameName(drop, keep, likeness)
    return sorted(found.values(), key=lambda s: order[s.name])


def _near(cores: dict[str, list[str]]) -> list[tuple[str, str, float]]:
    """Return pairs of cores that are alike, the most alike first."""
    import numpy as np
    from rapidfuzz import fuzz, process

    keys = [k for k in cores if len(k) >= SHORTEST]
    orders = (
        sorted(keys),
        sorted(keys, key=lambda k: k[::-1]),
        sorted(keys, key=lambda k: "".join(sorted(cores[k]))),
    )
    digits = {k: _NO_DIGITS.sub("", k) for k in keys}
    seen: dict[tuple[str, str], float] = {}
    for ordered in orders:
        for step in range(1, min(WINDOW, len(ordered))):
            left, right = ordered[:-step], ordered[step:]
            likeness = process.cpdist(left, right, scorer=fuzz.ratio, score_cutoff=LEAST_LIKE)
            for at in np.flatnonzero(likeness).tolist():
                if digits[left[at]] == digits[right[at]]:
                    one, two = sorted((left[at], right[at]))
                    seen[one, two] = float(likeness[at])
        if not ordered:
            return []
    for key in keys:  # the same words in another order
        turned = "".join(sorted(cores[key]))
        if turned != key and turned in cores and len(cores[key]) > 1:
            one, two = sorted((key, turned))
            seen[one, two] = 100.0
    pairs = [(a, b, s) for (a, b), s in seen.items() if _may_be_same(cores[a], cores[b])]
    return sorted(pairs, key=lambda p: (-p[2], p[0], p[1]))


def _may_be_same(one: list[str], two: list[str]) -> bool:
    """Refuse names that differ in a number, or in a whole word: East and West, Plant 1 and 2."""
    from rapidfuzz import fuzz

    numbers = [[c for w in words for c in w if c.isdigit()] for words in (one, two)]
    if numbers[0] != numbers[1]:
        return False
    only_one = [w for w in one if w not in two]
    only_two = [w for w in two if w not in one]
    if len(only_one) != len(only_two):
        return True  # split or joined words: the likeness of the whole decides
    return all(
        max(fuzz.ratio(a, b) for b in only_two) > 80.0 for a in only_one if len(a) > 1
    ) and all(len(a) > 1 for a in only_one + only_two)
