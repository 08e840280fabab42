"""Words of several languages: yes and no, nothing known, total."""

from __future__ import annotations

import polars as pl

_YES = (
    "yes y true t x ja j wahr oui vrai sí si verdadero sim sì vero да д истина tak t ano igen"
    " evet 是 はい 예 ✓ ✔ 1 1.0"
)
YES = _YES.split()
_NO = (
    "no n false f nein falsch non faux falso não nao нет н ложь nie ne nem hayır hayir 否 いいえ"
    " 아니요 ✗ ✘ 0 0.0"
)
NO = _NO.split()


def read_yesno(cells: pl.Series) -> pl.Series:
    """Return yes and no in any language and case as booleans, null for anything else.

    Examples
    --------
    >>> read_yesno(pl.Series(["Ja", "НЕТ", "perhaps", None])).to_list()
    [True, False, None, None]
    """
    words = dict.fromkeys(YES, True) | dict.fromkeys(NO, False)
    folded = cells.str.strip_chars().str.to_lowercase()
    return folded.replace_strict(words, default=None, return_dtype=pl.Boolean)


NOTHING = frozenset(
    "- -- --- – — . .. ... ? ?? n/a na n.a. n.a #n/a nan null none nil tbd tba tbc k.a. k. a."
    " unbekannt"
    " unknown s/d n/d nd н/д нет_данных 不明 未知 未定 *".replace("_", " ").split(" ")
) | {"нет данных", "k. a.", "not available", "not known", "keine angabe", "sans objet", "sin datos"}
"""What people write into a cell to say that nothing is known."""

TOTAL = (
    r"(?i)^[\s(=*Σ∑]*(?:(?:grand|sub|gross|net|overall|zwischen|gesamt|sous|gran|общий|"
    r"общая)[\s-]*)?"
    r"(?:total(?:e|s|es|ler|en|t|sumå)?|totaal|totalt|sum(?:me|ma|s)?|somme|suma|soma|somma|"
    r"subtotal|sous-total|gesamt(?:summe|"
    r"betrag|ergebnis|menge)?|zwischensumme|insgesamt|итого|всего|итог|сумма|подытог|разом|"
    r"усього|razem|"
    r"ogółem|łącznie|celkem|součet|mezisoučet|összesen|summa|yhteensä|i alt|toplam|"
    r"合计|总计|小计|合計|総計|小計|계|합계|총계|소계|المجموع|الإجمالي|jumla|σύνολο)"
    r"(?:$|[\s:.,=()/\-].{0,60}$)"
)
"""A cell that names a sum."""

ERRORS = (
    r"^#(?:N/A|REF!|VALUE!|DIV/0!|NAME\?|NUM!|NULL!|SPILL!|CALC!|GETTING_DATA|BEZUG!|WERT!|"
    r"NV|ZAHL!|NOM\?|VALEUR!|ССЫЛКА!|ЗНАЧ!|Н/Д|ДЕЛ/0!|ИМЯ\?|¡VALOR!|¡REF!)"
)
"""What a spreadsheet shows in place of a value that it cannot find."""

_HEADER_WORDS_TEXT = (
    "id code number no nr num key name description item items part parts product material"
    " article sku supplier vendor customer buyer seller company firm country region city"
    " site plant location address price cost value amount currency quantity qty unit uom"
    " share percent date time lead delivery capacity stock inventory class type kind"
    " category group status remark remarks note notes comment comments parent child"
    " component assembly level revision weight email phone contact sector industry output"
    " source origin destination year month week total hs nummer artikel artikelnummer teil"
    " teilenummer bezeichnung benennung lieferant kunde firma land werk standort ort preis"
    " kosten wert betrag währung menge einheit anteil datum lieferzeit kapazität bestand"
    " klasse typ gruppe bemerkung stück materialnummer komponente baugruppe stückzahl"
    " anzahl hersteller référence article désignation libellé fournisseur client société"
    " pays ville prix coût valeur montant devise quantité unité part délai capacité stock"
    " classe remarque composant código artículo descripción proveedor cliente empresa país"
    " ciudad precio coste valor importe cantidad unidad cuota plazo capacidad existencias"
    " observaciones componente nombre fecha codice articolo descrizione fornitore cliente"
    " azienda paese città prezzo costo quantità unità quota capacità giacenza numer części"
    " nazwa dostawca odbiorca kraj cena ilość jednostka udział indeks uwagi wartość číslo"
    " dílu název dodavatel země množství jednotka podíl poznámka hodnota артикул код"
    " наименование название поставщик покупатель страна регион город цена стоимость сумма"
    " количество единица доля срок мощность остаток примечание дата изделие деталь"
    " компонент сборка"
    " 编号 编码 名称 供应商 客户 公司 国家 地区 单价 价格 金额 数量 单位 份额 交货期"
    " 产能 库存 备注 物料 零件 产品"
    " 品番 品名 品目 部品 仕入先 得意先 会社 国 単価 価格 金額 数量 単位 在庫 備考 製品 顧客"
)
HEADER_WORDS = frozenset(_HEADER_WORDS_TEXT.split())
"""Words that stand in headers and rarely in cells."""


def is_header_word(cell: str) -> bool:
    """Tell whether a cell holds a word that headers hold.

    Examples
    --------
    >>> is_header_word("Part No."), is_header_word("供应商编号"), is_header_word("Paris")
    (True, True, False)
    """
    folded = cell.casefold()
    if any(
        w.strip(".:#()[]") in HEADER_WORDS
        for w in folded.replace("_", " ").replace("/", " ").split()
    ):
        return True
    return any(ord(c) > 0x2E7F for c in folded) and any(w in folded for w in _WIDE_WORDS)


_WIDE_WORDS = tuple(w for w in HEADER_WORDS if ord(w[0]) > 0x2E7F)
