"""Check digits of identifiers: GS1 (GTIN, GLN, SSCC) and LEI, and the slips they reveal."""

from __future__ import annotations

from collections.abc import Callable

GS1_LENGTHS = {
    "gtin-8": (8,),
    "gtin-12": (12,),
    "gtin-13": (13,),
    "gtin-14": (14,),
    "gtin": (8, 12, 13, 14),
    "gln": (13,),
    "sscc": (18,),
}
"""Digits of each GS1 identifier, the check digit included."""
LEI_LENGTH = 20


def gs1_digit(body: str) -> str:
    """Return the check digit of the digits before it.

    From the right, digits are weighted 3, 1, 3, 1 ...; the check digit fills the sum up to the next
    multiple of ten.

    References
    ----------
    GS1 General Specifications, section 7.9.

    Examples
    --------
    >>> gs1_digit("629104150021"), gs1_digit("03600024145")
    ('3', '7')
    """
    total = sum(int(digit) * (3, 1)[k % 2] for k, digit in enumerate(reversed(body)))
    return str(-total % 10)


def is_gs1(code: str) -> bool:
    """Tell whether the last digit of a GS1 identifier is its check digit."""
    return gs1_digit(code[:-1]) == code[-1]


def lei_digits(body: str) -> str:
    """Return the two check digits of the first 18 characters of an LEI.

    Letters count as 10 (A) to 35 (Z); with its check digits the number leaves 1 when divided by 97.

    References
    ----------
    ISO 17442-1 (2020) with ISO/IEC 7064, MOD 97-10.

    Examples
    --------
    >>> lei_digits("506700GE1G29325QX3")
    '63'
    """
    return f"{98 - _number(body + '00') % 97:02d}"


def is_lei(code: str) -> bool:
    """Tell whether the last two digits of an LEI are its check digits."""
    return _number(code) % 97 == 1


def _number(code: str) -> int:
    return int("".join(str(int(sign, 36)) for sign in code))


def swaps(code: str, is_right: Callable[[str], bool]) -> list[str]:
    """Return the codes that are right after two neighbours change places.

    Examples
    --------
    >>> swaps("6921041500213", is_gs1), swaps("6291041500231", is_gs1)
    (['6291041500213'], ['6219041500231', '6291041500213'])
    """
    found = {
        code[:k] + code[k + 1] + code[k] + code[k + 2 :]
        for k in range(len(code) - 1)
        if code[k] != code[k + 1]
    }
    return sorted(x for x in found if is_right(x))
