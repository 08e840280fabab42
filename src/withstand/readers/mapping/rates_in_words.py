"""Rates that the words of a header state: "per year", "Jahreskapazität", "年产能"."""

from __future__ import annotations

import re

from withstand.readers.mapping.vocabulary import fold, words_of

_TIMES = {
    "day": "day tag jour día dia giorno dzień dzien den день 日 天",
    "week": "week woche semaine semana settimana tydzień tydzien týden tyden неделю 周 週",
    "month": "month monat mois mes mês mese miesiąc miesiac měsíc mesic месяц 月",
    "year": "year jahr annum an année annee año ano anno rok год 年",
}
_ADJECTIVES = {
    "day": "daily täglich tages journalier journalière diaria diario giornaliera dzienna denní"
    " суточная дневная 日产",
    "week": "weekly wöchentlich wochen hebdomadaire semanal settimanale tygodniowa týdenní"
    " недельная 周产 週間",
    "month": "monthly monatlich monats mensuel mensuelle mensual mensal mensile miesięczna měsíční"
    " месячная 月产 月間",
    "year": "annual yearly jährlich jahres annuel annuelle anual annua annuale roczna roční годовая"
    " 年产 年间 年間",
}
_STARTS = ("tages", "wochen", "monats", "jahres")
"""Words that stand before others without a blank."""
_CJK = 0x2E80
_ALL_TIMES = "|".join(" ".join(_TIMES.values()).split())
_PER = re.compile(
    r"[\s_]*(?:\b(?:per|pro|je|par|por|al|all|na|za|в|на)\b|/|每)[\s_]*"
    rf"(?P<time>{_ALL_TIMES})\s*$",
    re.IGNORECASE,
)


def without_rate(header: str) -> str:
    """Return a header without "per year" at its end.

    Examples
    --------
    >>> without_rate("Kapazität pro Jahr"), without_rate("Capacity"), without_rate("per year")
    ('Kapazität', 'Capacity', 'per year')
    """
    bare = _PER.sub("", header).strip()
    return bare or header


def rate_in_words(header: str) -> str | None:
    """Return the unit that the words of a header state for a rate: `1/year` for "Annual capacity".

    Examples
    --------
    >>> rate_in_words("Kapazität pro Jahr"), rate_in_words("Jahreskapazität")
    ('1/year', '1/year')
    """
    match = _PER.search(header)
    if match is not None:
        word = match["time"].casefold()
        return next((f"1/{unit}" for unit, words in _TIMES.items() if word in words.split()), None)
    words = words_of(header)
    text = "".join(words)
    for unit, adjectives in _ADJECTIVES.items():
        for adjective in adjectives.split():
            key = fold(adjective)
            is_start = adjective in _STARTS or ord(key[0]) > _CJK
            if key in words or (is_start and text.startswith(key) and text != key):
                return f"1/{unit}"
    return None
