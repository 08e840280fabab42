"""What people call columns and tables: words in several languages, and how near a header is."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

DATA = "withstand.readers.mapping.data"
EXACT = 1.0
WITH_FILLING = 0.95
BILINGUAL = 0.93
ABBREVIATED = 0.88
CONTAINED = 0.72
SHORTEST_FUZZY = 5
LEAST_FUZZY = 0.8
LONGEST_HEADER = 120

_NO_DECOMPOSITION = str.maketrans({"ø": "o", "đ": "d", "ł": "l", "ı": "i", "æ": "ae", "œ": "oe"})
_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue"})
_VOICED = "\u3099\u309a"
_FILLING = frozenset(
    [
        "the",
        "of",
        "a",
        "an",
        "de",
        "du",
        "des",
        "d",
        "la",
        "le",
        "les",
        "l",
        "el",
        "los",
        "del",
        "della",
        "dello",
        "dei",
        "di",
        "do",
        "da",
        "dos",
        "der",
        "die",
        "das",
        "des",
        "average",
        "avg",
        "approx",
        "ca",
        "estimated",
        "est",
        "current",
        "our",
        "your",
        "main",
        "planned",
        "standard",
        "std",
        "normal",
        "typical",
        "effective",
        "actual",
        "usual",
        "per",
        "to",
        "for",
        "for",
        "in",
        "nr",
        "no",
        "durchschnittliche",
        "geplante",
        "aktuelle",
        "mittlere",
        "moyen",
        "prévu",
        "medio",
        "previsto",
        "média",
        "planowany",
        "средний",
        "плановый",
        "平均",
        "標準",
        "标准",
        "当前",
        "現在",
    ]
)
_PARTS = re.compile(r"\s*[/|()\[\]（）;\n:]\s*|\s+[-–]\s+")
_WORDS = re.compile(r"[^\W_]+")


def fold(text: str) -> str:
    """Return text without case, accents, blanks and punctuation: `leadtime` of any spelling.

    Examples
    --------
    >>> fold("Délai d'approvisionnement"), fold("Art.-Nr."), fold("LEAD_TIME")
    ('delaidapprovisionnement', 'artnr', 'leadtime')
    """
    return "".join(words_of(text))


def words_of(text: str) -> list[str]:
    """Return the words of a text, without case and accents."""
    if text.isascii():
        return _WORDS.findall(text[:LONGEST_HEADER].lower())
    plain = unicodedata.normalize("NFKD", text[:LONGEST_HEADER]).casefold()
    plain = "".join(c for c in plain if not unicodedata.category(c).startswith("M") or c in _VOICED)
    return _WORDS.findall(unicodedata.normalize("NFC", plain.translate(_NO_DECOMPOSITION)))


@dataclass(frozen=True)
class Idea:
    """What a column can be: its words folded, and the words each is made of."""

    name: str
    keys: frozenset[str]
    phrases: tuple[tuple[str, ...], ...]


@cache
def load_data(name: str) -> dict[str, Any]:
    """Return one of the TOML files of this package."""
    text = files(DATA).joinpath(name).read_text(encoding="utf-8")
    return tomllib.loads(text)


def split_words(text: str) -> list[str]:
    """Return the words of a list that are separated by semicolons."""
    return [w.strip() for w in text.split(";") if w.strip()]


@cache
def ideas() -> dict[str, Idea]:
    """Return every idea by name."""
    return {name: _idea(name, list(by.values())) for name, by in load_data("words.toml").items()}


def _idea(name: str, lists: list[str]) -> Idea:
    words = [name.replace("_", " ")] if name not in ("from", "to", "use") else []
    words += [w for text in lists for w in split_words(text)]
    words += [w.casefold().translate(_UMLAUTS) for w in words]
    phrases = tuple(dict.fromkeys(tuple(words_of(w)) for w in words))
    return Idea(name, frozenset("".join(p) for p in phrases), phrases)


@cache
def nearness(header: str, idea: str) -> float:
    """Return how near a header is to an idea, 0 to 1.

    1 is one of its words; less is a word with a filling word, in two languages, shortened,
    mistyped, or among others.

    Examples
    --------
    >>> nearness("Lieferzeit", "lead_time"), nearness("Average lead time", "lead_time")
    (1.0, 0.95)
    >>> nearness("Colour", "lead_time")
    0.0
    """
    known = ideas()[idea]
    words = words_of(header)
    if not words:
        return 0.0
    if "".join(words) in known.keys:
        return EXACT
    found = [_in_parts(header, known), _with_filling(words, known), _shortened(words, known)]
    found += [_mistyped(words, known), _contained(words, known)]
    return max(found)


def _in_parts(header: str, known: Idea) -> float:
    """Judge a header of several parts: "Artikel / Item", "Delivery / Lead time"."""
    parts = [p for p in _PARTS.split(header) if p and words_of(p)]
    if len(parts) < 2:
        return 0.0
    hits = [fold(p) in known.keys for p in parts]
    if all(hits):
        return EXACT
    if not any(hits):
        return 0.0
    others = [p for p, hit in zip(parts, hits, strict=True) if not hit]
    is_named = any(fold(p) in other.keys for p in others for other in ideas().values())
    if hits[-1]:
        return BILINGUAL if not is_named else ABBREVIATED
    return ABBREVIATED if not is_named else CONTAINED


def _with_filling(words: list[str], known: Idea) -> float:
    rest = [w for w in words if w not in _FILLING]
    return WITH_FILLING if rest and len(rest) < len(words) and "".join(rest) in known.keys else 0.0


def _shortened(words: list[str], known: Idea) -> float:
    """Judge words cut short: "Lief. Zeit", "purch price"."""
    if len(words) < 2:
        return 0.0
    for phrase in known.phrases:
        if len(phrase) == len(words) and phrase != tuple(words):
            pairs = list(zip(words, phrase, strict=True))
            if all(w == p or (len(w) >= 3 and p.startswith(w)) for w, p in pairs):
                return ABBREVIATED
    return 0.0


def _mistyped(words: list[str], known: Idea) -> float:
    from rapidfuzz import fuzz, process

    text = "".join(words)
    if len(text) < SHORTEST_FUZZY:
        return 0.0
    near = [k for k in known.keys if len(k) >= SHORTEST_FUZZY]
    best = process.extractOne(text, near, scorer=fuzz.ratio, score_cutoff=100 * LEAST_FUZZY)
    if best is None or _digits(best[0]) != _digits(text):
        return 0.0
    return 0.97 * best[1] / 100.0


def _digits(text: str) -> str:
    return "".join(c for c in text if c.isdigit())


def _contained(words: list[str], known: Idea) -> float:
    """Judge a header that has the words of the idea among others: only ever a suggestion."""
    given = set(words)
    for phrase in known.phrases:
        if phrase and len("".join(phrase)) > 2 and given.issuperset(phrase):
            return CONTAINED
    text = "".join(words)
    if any(ord(c) > 0x3000 for c in text):  # no blanks between words
        return CONTAINED if any(len(k) > 1 and k in text for k in known.keys) else 0.0
    return 0.0
