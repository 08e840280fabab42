"""Units as they stand in headers and cells, in several languages, and their plain form."""

from __future__ import annotations

import re
from functools import cache

_WORDS = {
    "day": "d day days tag tage tagen jour jours día días dia dias giorno giorni dag dagen dager"
    " dagar dni dzień"
    " den nap gün дн день дня дней сут 天 日 workday workdays arbeitstage at werktage"
    " calendar_days",
    "week": "w wk wks week weeks woche wochen wo kw semaine semaines sem semana semanas"
    " settimana settimane"
    " weken uke uker vecka veckor tydzień tygodnie tygodni týden týdny hét hafta нед неделя"
    " недели недель 周 週 星期",
    "month": "mo mon mth month months monat monate monaten mois mes meses mese mesi maand"
    " maanden måned måneder"
    " månad månader miesiąc miesiące miesięcy měsíc hónap ay мес"
    " месяц месяца месяцев 月 个月 ヶ月",
    "year": "y yr yrs year years jahr jahre jahren p.a. an ans année années año años ano anos"
    " anno anni jaar"
    " år rok lat lata év yıl г год года лет 年",
    "hour": "h hr hrs hour hours std stunde stunden heure heures hora horas ora ore uur timer"
    " godzin час часа часов ч 小时 時間",
    "minute": "min minute minutes minuten мин minuti minutos",
    "piece": "pc pcs piece pieces ea each stk stck st stück stücke unit units pce pces nos u"
    " unidad unidades uds"
    " pz pezzi pezzo pièce pièces szt sztuk ks db adet шт штук 个 件 個 台 einheit"
    " einheiten me einh",
    "kg": "kg kgs kilogram kilograms kilogramm kilo кг 公斤 千克",
    "g": "g gram grams gramm гр 克",
    "t": "t to ton tons tonne tonnes tonnen tonelada toneladas т тонн 吨",
    "lb": "lb lbs pound pounds",
    "m": "m meter metre meters metres mètre mètres metro metros м 米",
    "mm": "mm мм",
    "cm": "cm см",
    "km": "km км",
    "m2": "m2 m² sqm qm м2 м²",
    "m3": "m3 m³ cbm м3 м³",
    "l": "l liter litre litres liters litro litros л 升",
    "kWh": "kwh квтч",
    "MWh": "mwh",
    "%": "% pct percent percentage prozent proc pourcent por_ciento percento procent проц"
    " процентов 百分比 v.h. vh ％",
    "EUR": "eur € euro euros евро 欧元 ユーロ",
    "USD": "usd $ us$ dollar dollars us-dollar 美元 米ドル долл",
    "GBP": "gbp £ sterling",
    "JPY": "jpy yen 日本円 円",
    "CNY": "cny rmb yuan 元 人民币",
    "JPY or CNY": "¥ ￥",
    "CHF": "chf sfr fr. franken",
    "RUB": "rub ₽ руб рублей рубль rur",
    "PLN": "pln zł zl złoty",
    "CZK": "czk kč",
    "HUF": "huf ft forint",
    "SEK": "sek",
    "NOK": "nok",
    "DKK": "dkk",
    "INR": "inr ₹ rs",
    "KRW": "krw ₩",
    "TRY": "try ₺",
    "BRL": "brl r$",
    "UAH": "uah ₴",
    "KZT": "kzt ₸",
    "CAD": "cad",
    "AUD": "aud",
    "MXN": "mxn",
    "ZAR": "zar",
    "SGD": "sgd",
    "TWD": "twd nt$",
    "HKD": "hkd",
    "UZS": "uzs",
    "AED": "aed",
    "SAR": "sar",
    "ILS": "ils ₪",
    "RON": "ron lei",
    "BGN": "bgn лв",
    "RSD": "rsd",
    "THB": "thb ฿",
    "IDR": "idr rp",
    "VND": "vnd ₫",
    "MYR": "myr",
    "PHP": "php ₱",
}
_TIMES = {
    "thousand": "k t tsd thousand thousands mille miles tys тыс 千 000 '000 000s",
    "million": "m mn mio mln million millions mill millionen млн 百万",
    "billion": "bn mrd billion billions млрд 十亿",
}
UNITS = {word: unit for unit, words in _WORDS.items() for word in words.split()}
FACTORS = {word: name for name, words in _TIMES.items() for word in words.split()}
TIMES = ("day", "week", "month", "year", "hour", "minute")
_PER = re.compile(r"\s*/\s*|\s+(?:per|pro|je|par|por|al|za|na|в)\s+")
_BRACKETS = re.compile(
    r"^(?P<bare>.*?)\s*[\[(（<]\s*(?P<unit>[^\[\]()（）<>]{1,30})\s*[\])）>]\s*(?P<rest>.*)$"
)
_AFTER = re.compile(
    r"^(?P<bare>.+?)\s*(?:,|\s[-–:/]|\s+in|\s+en|\s+w|\s+в)\s+(?P<unit>[^,;]{1,25})$", re.I
)
_SLASH = re.compile(r"^(?P<bare>[^/]+?)\s*/\s*(?P<unit>[^/]{1,12}(?:/[^/]{1,10})?)$")
_TAIL = re.compile(r"^(?P<bare>.*[^\W_].*?)[\s_]+(?P<unit>(?:per[\s_])?[^\s_]{1,12})$", re.I)
_SYMBOL_TAIL = re.compile(r"^(?P<bare>.+?)\s*(?P<unit>[%€$£₽₹¥])$")
_TAIL_WORDS_TEXT = (
    "days weeks months years hours week day month year tage wochen monate jahre jours"
    " semaines mois días dias semanas meses giorni settimane mesi dni недель дней мес eur"
    " usd gbp jpy cny chf rub pln czk kg pcs pct percent prozent days"
)
_TAIL_WORDS = frozenset(_TAIL_WORDS_TEXT.split())
_IN = re.compile(r"[\s_]+(?:in|en|per|pro)$", re.I)
_RATE = re.compile(r"[\s_](?:per|pro)$", re.I)
_PRICE = re.compile(
    r"price|preis|prix|precio|prezzo|preço|cost|kosten|prijs|pris|cena|ár$|цена|стоим|价|価", re.I
)
_SINGULAR_TEXT = (
    "d day tag jour día dia giorno dag wk w week woche semaine semana settimana mo month"
    " monat mois mes mese maand a yr year jahr an año ano anno jaar år rok год мес нед"
    " день h hour stunde std"
)
_SINGULAR = frozenset(_SINGULAR_TEXT.split())


@cache
def canonical_unit(text: str) -> str | None:
    """Return the plain form of a unit, None for what is none.

    Examples
    --------
    >>> [canonical_unit(u) for u in ("Wochen", "€/Stk.", "TEUR", "foo")]
    ['week', 'EUR/piece', 'thousand EUR', None]
    """
    folded = " ".join(text.casefold().replace("_", " ").split()).strip(" ()[]{}")
    if not folded or len(folded) > 40:
        return None
    parts = [_one(part) for part in _PER.split(folded)]
    if all(parts) and parts:
        return "/".join(p for p in parts if p)
    if folded.startswith("per ") and (after := _one(folded[4:])):
        return "1/" + after
    return None


def is_money(text: str) -> bool:
    """Tell whether a unit is a currency, as stands before a number: "EUR", "$", "T€"."""
    unit = canonical_unit(text)
    return unit is not None and unit.split(" ")[-1][:3].isupper() and "/" not in unit


def _one(text: str) -> str | None:
    """Return the plain form of one part of a unit."""
    for word in (text, text.rstrip("."), text.replace(" ", "_")):
        if word in UNITS:
            return UNITS[word]
    words = [w.rstrip(".") or w for w in text.split()]
    if len(words) == 2:
        if words[0] in FACTORS and words[1] in UNITS:
            return f"{FACTORS[words[0]]} {UNITS[words[1]]}"
        if words[1] in FACTORS and words[0] in UNITS:
            return f"{FACTORS[words[1]]} {UNITS[words[0]]}"
        if words[0] in UNITS and UNITS[words[0]] == UNITS.get(words[1]):
            return UNITS[words[0]]
    for factor in ("t", "k", "m", "mio", "mn", "tsd", "mrd"):
        rest = text.removeprefix(factor)
        if rest != text and rest in UNITS and len(UNITS[rest]) == 3 and UNITS[rest].isupper():
            return f"{FACTORS[factor]} {UNITS[rest]}"
    if text.isdigit() and text in ("1", "100", "1000"):
        return text
    return None


def split_unit(header: str) -> tuple[str, str | None]:
    """Return a header without its unit, and the unit in its plain form.

    Examples
    --------
    >>> split_unit("Price (EUR)"), split_unit("lead time [days]"), split_unit("Срок поставки, нед.")
    (('Price', 'EUR'), ('lead time', 'day'), ('Срок поставки', 'week'))
    >>> split_unit("lead_time_weeks"), split_unit("Supplier (name)"), split_unit("Anteil %")
    (('lead_time', 'week'), ('Supplier (name)', None), ('Anteil', '%'))
    """
    if len(header) > 200:
        return header, None
    match = _BRACKETS.match(header)
    if match and match["bare"].strip():
        unit = canonical_unit(match["unit"])
        if unit is not None:
            return f"{match['bare']} {match['rest']}".strip(), unit
    return _at_the_end(header) or (header, None)


def _at_the_end(header: str) -> tuple[str, str | None] | None:
    """Find a unit without brackets at the end of a header."""
    match = _TAIL.match(header)
    if match:
        text = match["unit"].casefold().strip(".")
        unit = canonical_unit(text)
        is_known = text in _TAIL_WORDS or "/" in (unit or "") or " " in (unit or "")
        bare = _IN.sub("", match["bare"]).strip(" ,/:-–")
        if unit is not None and is_known and bare:
            is_rate = _RATE.search(match["bare"]) is not None
            return bare, f"1/{unit}" if is_rate else unit
    for pattern in (_SYMBOL_TAIL, _AFTER, _SLASH):
        match = pattern.match(header)
        if match is None:
            continue
        text = match["unit"].strip()
        unit = canonical_unit(text)
        is_initial = pattern is _SLASH and len(text) < 2 and text.isalpha()
        if unit is not None and not is_initial:
            bare = _IN.sub("", match["bare"]).strip(" ,/:-–")
            is_rate = pattern is _SLASH and _is_rate(bare, text.casefold(), unit)
            return bare, f"1/{unit}" if is_rate else unit
    return None


def _is_rate(bare: str, text: str, unit: str) -> bool:
    """Tell whether what follows a slash divides: "Price/kg" and "Capacity/year" do."""
    if unit in TIMES:
        return text.strip(".") in _SINGULAR
    return "/" not in unit and not unit.isupper() and _PRICE.search(bare) is not None
