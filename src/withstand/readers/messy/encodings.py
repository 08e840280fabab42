"""Guess the encoding of a text file, and say how sure the guess is.

Marks at the start and valid UTF-8 leave no doubt. Otherwise each candidate decodes the bytes beyond
ASCII, and its letters are judged by how common they are in the languages that use it: a letter
that no language knows costs much, one inside a word that changes case costs much too.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

MARKS = (
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\x00\x00\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)
SURE = 0.9
_SAMPLE = 20_000  # bytes beyond ASCII (with what stands around them) are judged
_CHUNK = 65_536
_CONTROLS = [bytes([c]) for c in range(1, 32) if c not in b"\t\n\r\x0b\x0c\x1a\x1b"]
_RARE = 1e-5
_LANGUAGES = {  # how often a letter beyond ASCII stands in a text, among those of the language
    "German": "ä30 ü35 ö18 ß10 é1 €2 §1 °1",
    "French": "é55 è12 à12 ê7 ç6 û2 ô3 î2 ù2 â2 ï1 œ1 ë1 €2 °2",
    "Spanish": "ó30 í22 á18 é15 ñ10 ú5 ü1 º2 ª1 €2 ¿1 ¡1",
    "Portuguese": "ã20 ç18 é13 á13 ó9 í10 ê6 õ6 ú4 à3 â3 ô2 º2 ª1 €1",
    "Italian": "à35 è25 ò12 ù12 é8 ì5 €2 °1",
    "Nordic": "å20 ä20 ø15 ö18 æ10 é2 €1",
    "Dutch": "ë45 é30 ï12 è5 ö3 ü3 ó2 €8",
    "Polish": "ł20 ó13 ę13 ą12 ż12 ś10 ć7 ń4 ź2 €1",
    "Czech": "í22 á17 é9 ě11 ý8 č8 š7 ř8 ž8 ů4 ú1 ó1 ň1 ť1 ď1",
    "Slovak": "á17 í11 ý10 č12 é8 š8 ž9 ú9 ľ4 ť5 ô2 ň2 ä1 ď1 ó1",
    "Hungarian": "á30 é32 ö9 ó8 ő8 í5 ü6 ú3 ű2",
    "Romanian": "ă30 î15 â8 ş15 ţ15",
    "South Slavic": "č30 š25 ž20 ć12 đ8",
    "Turkish": "ı30 ü13 ş12 ç8 ğ8 ö6 İ2",
    "Russian": "о110 е84 а80 и74 н67 т63 с55 р47 в45 л43 к35 м32 д30 п28 у26 я20 ы19 ь17 г17 з16"
    " б16 ч14"
    " й12 х10 ж9 ш7 ю6 ц5 щ4 э3 ф3 ъ1 ё1 №2",
    "Ukrainian": "о94 а83 н68 и61 і57 в55 т53 е49 р46 с41 л40 к38 у33 д33 м31 п28 я25 з23 ь18"
    " г16 ч14 б13"
    " х12 й11 ж9 ц8 ш8 ю7 є6 ї6 щ5 ф3 ґ1 №2",
    "signs": "°10 –10 ’8 “4 ”4 „4 «3 »3 ²4 ³3 µ5 ±5 ×3 ®2 ™2 €8 £5 ½1 ø2 \u00a010 •2 …2 №1 ¥2 ‘2"
    " ·1",
}
_SINGLE = {
    "cp1252": "German French Spanish Portuguese Italian Nordic Dutch signs",
    "cp1250": "Polish Czech Slovak Hungarian Romanian South_Slavic German signs",
    "cp1254": "Turkish signs",
    "cp1251": "Russian Ukrainian signs",
    "koi8-r": "Russian",
    "cp866": "Russian",
    "iso8859-2": "Polish Czech Slovak Hungarian Romanian South_Slavic",
    "iso8859-5": "Russian",
    "mac_roman": "German French Spanish Portuguese Italian Nordic",
    "cp850": "German French Spanish Portuguese Italian Nordic",
    "cp852": "Polish Czech Slovak Hungarian",
}
_DOUBLE = {  # code: (first bytes of the common characters, their number, first bytes of the others)
    "gb18030": (((0xB0, 0xD7, 3755), (0xA1, 0xA3, 250)), 5000),
    "shift_jis": (((0x82, 0x83, 170), (0x88, 0x97, 2965), (0x81, 0x81, 100)), 5000),
    "euc_jp": (((0xA4, 0xA5, 170), (0xB0, 0xCF, 2965), (0xA1, 0xA1, 90)), 5000),
    "big5": (((0xA4, 0xC6, 5401), (0xA1, 0xA3, 300)), 7000),
    "euc_kr": (((0xB0, 0xC8, 2350), (0xA1, 0xA3, 250)), 5000),
}
_PRIOR = {  # what spreadsheets write today, before a look at the letters
    "cp1252": 1.0,
    "cp1251": 1.0,
    "cp1250": 0.5,
    "gb18030": 1.0,
    "shift_jis": 1.0,
    "cp1254": 0.3,
    "big5": 0.3,
    "euc_kr": 0.3,
    "mac_roman": 0.05,
    "cp850": 0.05,
    "cp866": 0.05,
    "koi8-r": 1e-6,
    "cp852": 0.01,
    "euc_jp": 0.05,
    "iso8859-2": 0.02,
    "iso8859-5": 0.01,
}
_AROUND = re.compile(rb"[\x00-\x7f]?[\x80-\xff]+(?:[@-~\x30-\x39]?[\x80-\xff]+)*[\x00-\x7f]{0,2}")


@dataclass(frozen=True)
class Guess:
    """An encoding, how sure it is (0 to 1), and the next best one."""

    encoding: str
    sure: float
    other: str | None = None


def sniff_encoding(data: bytes) -> Guess | None:
    """Return the encoding of a text, None for what is no text.

    Examples
    --------
    >>> sniff_encoding("Größe;Stück".encode("cp1252")).encoding
    'cp1252'
    >>> sniff_encoding("Наименование;Цена".encode("cp1251")).encoding
    'cp1251'
    """
    for mark, encoding in MARKS:
        if data.startswith(mark):
            return Guess(encoding, 1.0)
    head = data[:_CHUNK]
    if b"\x00" in head:
        return _wide(head)
    if sum(head.count(c) for c in _CONTROLS) > 0.02 * len(head):
        return None
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        pass
    else:
        return Guess("utf-8", 1.0)
    return _eight_bits(data)


def _wide(head: bytes) -> Guess | None:
    even, odd = head[::2].count(0), head[1::2].count(0)
    for encoding, zeros, others in (("utf-16-le", odd, even), ("utf-16-be", even, odd)):
        if zeros > 0.2 * len(head) and others < 0.02 * len(head):
            text = head.decode(encoding, errors="replace")
            strange = sum(not c.isprintable() and c not in "\t\r\n\ufeff" for c in text)
            return Guess(encoding, 0.95) if strange <= 0.02 * len(text) else None
    return None


def _eight_bits(data: bytes) -> Guess:
    pieces: list[bytes] = []
    size = 0
    for start in range(0, len(data), _CHUNK):
        chunk = data[start : start + _CHUNK]
        if chunk.isascii():
            continue
        found = _AROUND.findall(chunk)
        pieces += found
        size += sum(map(len, found))
        if size > _SAMPLE:
            break
    sample = b"\n".join(pieces)
    scores: dict[str, float] = {}
    for encoding in (*_SINGLE, *_DOUBLE):
        score = _score(encoding, sample)
        if score is not None:
            scores[encoding] = score + math.log(_PRIOR[encoding])
    order = sorted(scores, key=lambda e: -scores[e])
    while order and not _decodes(data, order[0]):
        order.pop(0)
    if not order:
        return Guess("latin-1", 0.3)
    best = order[0]
    rivals = [e for e in order[1:] if not _same_text(best, e, sample)]
    total = sum(math.exp(max(scores[e] - scores[best], -60.0)) for e in [best, *rivals])
    return Guess(best, min(1.0 / total, 0.99), rivals[0] if rivals else None)


def _same_text(first: str, second: str, sample: bytes) -> bool:
    return sample.decode(first, errors="replace") == sample.decode(second, errors="replace")


def _decodes(data: bytes, encoding: str) -> bool:
    try:
        data.decode(encoding)
    except (UnicodeDecodeError, LookupError):
        return False
    return True


def _score(encoding: str, sample: bytes) -> float | None:
    """Return the log of how likely the bytes are, None where they cannot be decoded."""
    if encoding in _DOUBLE:
        return _score_double(encoding, sample)
    if not _decodes(sample, encoding):
        return None
    text = sample.decode(encoding, errors="replace")
    return max(_score_letters(text, _frequencies(name)) for name in _SINGLE[encoding].split())


def _frequencies(language: str) -> dict[str, float]:
    pairs = [(w[0], float(w[1:])) for w in _LANGUAGES[language.replace("_", " ")].split(" ")]
    signs = [(w[0], float(w[1:])) for w in _LANGUAGES["signs"].split(" ")]
    total = sum(n for _, n in pairs)
    every = {letter: 0.02 * n / 100.0 for letter, n in signs}
    return every | {letter: n / total for letter, n in pairs}


def _score_letters(text: str, known: dict[str, float]) -> float:
    score, before, at_latin = 0.0, "\n", False
    is_cyrillic = "о" in known
    for letter in text:
        if letter < "\x80":
            before = letter
            continue
        chance = known.get(letter)
        if chance is None:
            chance = known.get(letter.lower(), 0.0)
            if chance:
                if not before.isalpha():
                    chance *= 0.1
                else:
                    chance *= 0.6 if before.isupper() else 0.001
        if chance and letter.isalpha() != is_cyrillic and not letter.isalpha() and before.isalpha():
            chance *= 0.2
        at_latin = before < "\x80" and before.isalpha()
        if chance and is_cyrillic and at_latin and letter.isalpha():
            chance *= 0.01
        if (
            chance
            and not is_cyrillic
            and before >= "\x80"
            and before.isalpha()
            and letter.isalpha()
        ):
            chance *= 0.1  # two letters with accents in a row are rare
        score += math.log(max(chance or 0.0, _RARE))
        before = letter
    return score


def _score_double(encoding: str, sample: bytes) -> float:
    """Judge pairs of bytes by whether they are common characters."""
    zones, others = _DOUBLE[encoding]
    score, at = 0.0, 0
    while at < len(sample):
        first = sample[at]
        if first < 0x80:
            at += 1
            continue
        if encoding == "shift_jis" and 0xA1 <= first <= 0xDF:  # narrow katakana: rare today
            score += math.log(0.002)
            at += 1
            continue
        for low, high, number in zones:
            if low <= first <= high:
                score += math.log(0.3 / number * (1.0 if number > 500 else 1.5))
                break
        else:
            score += math.log(0.02 / others)
        second = sample[at + 1] if at + 1 < len(sample) else 0
        if second < 0x80 and encoding != "shift_jis":
            score += math.log(0.05)  # most common characters have a high second byte
        at += 2
    return score
