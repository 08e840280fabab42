"""Check a column of codes: its form, its check digit, and whether a list has it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import polars as pl

from withstand.errors import UsageError
from withstand.model.codes.check_digits import (
    GS1_LENGTHS,
    gs1_digit,
    is_gs1,
    is_lei,
    lei_digits,
    swaps,
)
from withstand.model.codes.code_lists import (
    countries,
    former_countries,
    headings,
    industries,
    occupations,
    sections,
)
from withstand.model.findings import Finding, Origin, make_finding, nearest

if TYPE_CHECKING:
    from collections.abc import Mapping

MOST_FINDINGS = 20
"""Findings of one column; what is beyond is counted in the last of its code."""
WRONG_DIGIT, WRONG_FORM, NOT_LISTED, LOST_ZERO, FORMER = "W741", "W742", "W743", "W744", "N741"


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with one code."""

    code: str
    what: str
    suggestion: str | None = None


Check = Callable[[str], Fault | None]


def check_codes(
    data: Any, kind: str, *, column: str | None = None, origin: Origin | None = None
) -> list[Finding]:
    """Return what is wrong with a column of codes; empty cells are passed over.

    Parameters
    ----------
    data : frame, series or list
        Of a frame, `column` says which column.
    kind : str
        One of `withstand.model.codes.KINDS`: gtin (8, 12, 13 or 14 digits), gtin-8, gtin-12,
        gtin-13, gtin-14, gln, sscc, lei, iso3166 (any form), iso3166-alpha2, iso3166-alpha3,
        iso3166-numeric, hs, isic, nace, cpa, isco, bpnl, bpns, bpna.
    column : str, optional
    origin : Origin, optional
        Where the column came from, so that findings point there.

    Returns
    -------
    list of Finding
        A finding for each faulty value, with its first row, how often it stands there, and a
        suggestion where one is near: W741 check digit, W742 form, W743 not in the list, W744 a
        leading zero lost, N741 a code that was withdrawn.

    Raises
    ------
    UsageError
        If the kind or the column is not known.

    Examples
    --------
    >>> for finding in check_codes(["6291041500213", "6921041500213"], "gtin"):
    ...     print(finding.code, finding.row, finding.value, finding.suggestion)
    W741 3 6921041500213 6291041500213
    """
    if kind not in KINDS:
        near = nearest(str(kind), list(KINDS))
        hint = f" Did you mean {near}?" if near else ""
        raise UsageError(f"There are no codes '{kind}'; there are {', '.join(KINDS)}.{hint}")
    name, values = _column(data, column)
    place = origin or Origin(name or "codes")
    check = KINDS[kind]
    found: list[tuple[int, str, int, Fault]] = []
    for text, (first, count) in _distinct(values).items():
        fault = check(text)
        if fault is not None:
            found.append((first, text, count, fault))
    found.sort(key=lambda case: case[0])
    return _findings(found, place, name)


def _findings(
    found: list[tuple[int, str, int, Fault]], place: Origin, name: str | None
) -> list[Finding]:
    """Return a finding a value; beyond the most that are shown, the last of a code counts them."""
    shown: dict[str, list[tuple[int, str, int, Fault]]] = {}
    for case in found:
        shown.setdefault(case[3].code, []).append(case)
    out: list[Finding] = []
    for code, cases in shown.items():
        for k, (first, text, count, fault) in enumerate(cases[:MOST_FINDINGS]):
            beyond = cases[MOST_FINDINGS:] if k == MOST_FINDINGS - 1 else []
            more = f"; {len(beyond):,} more values like it" if beyond else ""
            out.append(
                make_finding(
                    code, f"{fault.what}{more}", origin=place, index=first, column=name,
                    value=text, suggestion=fault.suggestion,
                    count=count + sum(case[2] for case in beyond),
                )
            )  # fmt: skip
    return out


def _column(data: Any, column: str | None) -> tuple[str | None, Iterable[Any]]:
    """Return the name of the column, and its values in order."""
    if isinstance(data, pl.LazyFrame):
        data = data.collect()
    if isinstance(data, str | bytes) or not hasattr(data, "__iter__"):
        raise UsageError(f"A {type(data).__name__} is no column; give a list, series or frame.")
    names = getattr(data, "columns", None)
    if names is None:
        name = getattr(data, "name", None)
        return (str(name) if name else column), data
    known = [str(x) for x in names]
    if column is None and len(known) == 1:
        column = known[0]
    if column not in known:
        near = nearest(column, known) if column else None
        hint = f" Did you mean {near}?" if near else ""
        raise UsageError(
            f"There is no column '{column}'; there are {', '.join(known[:20])}. Name it with "
            f"column=.{hint}"
        )
    return column, data[column]


def _distinct(values: Iterable[Any]) -> Mapping[str, tuple[int, int]]:
    """Return each text with the row it first stands in and how often it does."""
    seen: dict[str, list[int]] = {}
    for row, value in enumerate(values):
        text = _text(value)
        if text:
            if text in seen:
                seen[text][1] += 1
            else:
                seen[text] = [row, 1]
    return {text: (first, count) for text, (first, count) in seen.items()}


def _text(value: Any) -> str:
    if value is None or value != value:  # NaN of pandas is empty
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()


# --- one check a kind ----------------------------------------------------------------------------


def _gs1(lengths: tuple[int, ...], text: str) -> Fault | None:
    code = re.sub(r"[\s.-]", "", text)
    said = " or ".join(map(str, lengths))
    if not (code.isascii() and code.isdigit()):
        return Fault(WRONG_FORM, f"{said} digits are expected")
    if len(code) not in lengths:
        longer = [n for n in lengths if 0 < n - len(code) <= 3]
        full = next((code.zfill(n) for n in longer if is_gs1(code.zfill(n))), None)
        if full is not None:
            return Fault(LOST_ZERO, f"{said} digits are expected, zeros in front are lost", full)
        return Fault(WRONG_FORM, f"{said} digits are expected, there are {len(code)}")
    if is_gs1(code):
        return None
    what = f"the check digit of these digits is {gs1_digit(code[:-1])}, not {code[-1]}"
    return _digit_fault(what, swaps(code, is_gs1))


def _digit_fault(what: str, right: list[str]) -> Fault:
    """Suggest the one code that a swap of neighbours makes right; name them where they are few."""
    if 1 < len(right) <= 3:
        what += f"; with two neighbours swapped {' or '.join(right)} would be right"
    return Fault(WRONG_DIGIT, what, right[0] if len(right) == 1 else None)


def _lei(text: str) -> Fault | None:
    code = text.replace(" ", "").upper()
    if not re.fullmatch(r"[A-Z0-9]{18}[0-9]{2}", code):
        return Fault(WRONG_FORM, "18 letters or digits and 2 check digits are expected")
    if is_lei(code):
        return None
    what = f"the check digits of this LEI are {lei_digits(code[:18])}, not {code[18:]}"
    return _digit_fault(what, swaps(code, _is_swapped_lei))


def _is_swapped_lei(code: str) -> bool:
    return code[18:].isdigit() and is_lei(code)


_COUNTRY_FORMS = {"alpha2": r"[A-Z]{2}", "alpha3": r"[A-Z]{3}", "numeric": r"[0-9]{3}"}


def _country(form: str | None, text: str) -> Fault | None:
    code = text.upper()
    if form in (None, "numeric") and re.fullmatch(r"[0-9]{1,2}", code) and code.zfill(3) in (
        countries()
    ):  # fmt: skip
        return Fault(LOST_ZERO, "three digits are expected, zeros in front are lost", code.zfill(3))
    forms = [_COUNTRY_FORMS[form]] if form else list(_COUNTRY_FORMS.values())
    known = countries().get(code) if code.isascii() else None
    if not any(re.fullmatch(pattern, code) for pattern in forms):
        said = {"alpha2": "two letters", "alpha3": "three letters", "numeric": "three digits"}
        near = known[form] if known and form else None
        return Fault(WRONG_FORM, f"{said.get(form or '', 'a code of ISO 3166-1')} expected", near)
    if known is not None:
        return None
    former = former_countries().get(code)
    if former is not None:
        successors = former["now"].split(";")
        at = {"alpha3": "alpha3", "numeric": "numeric"}.get(
            form or ("numeric" if code.isdigit() else f"alpha{len(code)}"), "alpha2"
        )
        labels = [countries()[x][at] for x in successors]
        what = f"{former['name']}: withdrawn in {former['until']}, now {', '.join(labels)}"
        return Fault(FORMER, what, labels[0] if len(labels) == 1 else None)
    same = [x for x in countries() if len(x) == len(code) and x.isdigit() == code.isdigit()]
    swap = code[::-1] if len(code) == 2 else None
    near = swap if swap in countries() else _near(code, same)
    return Fault(NOT_LISTED, "no country has this code", near)


def _near(code: str, known: Iterable[str]) -> str | None:
    """Return the one code that differs in a swap of neighbours, or in one sign if only one does."""
    swaps = {code[:k] + code[k + 1] + code[k] + code[k + 2 :] for k in range(len(code) - 1)}
    codes = set(known)
    for near in (
        sorted((swaps & codes) - {code}),
        sorted(x for x in codes if sum(a != b for a, b in zip(x, code, strict=True)) == 1),
    ):
        if near:
            return near[0] if len(near) == 1 else None
    return None


def _hs(text: str) -> Fault | None:
    code = re.sub(r"[\s.]", "", text)
    if not (code.isascii() and code.isdigit()):
        return Fault(WRONG_FORM, "2, 4, 6, 8 or 10 digits are expected")
    if len(code) in (1, 3, 5, 7, 9):
        full = f"0{code}"
        if full[: min(len(full), 4)] in headings():
            return Fault(LOST_ZERO, "the zero in front is lost", full)
    if len(code) not in (2, 4, 6, 8, 10):
        return Fault(WRONG_FORM, f"2, 4, 6, 8 or 10 digits are expected, there are {len(code)}")
    if code[:2] in ("98", "99"):  # for national use
        return None
    if code[:2] not in headings():
        return Fault(NOT_LISTED, f"there is no chapter {code[:2]}")
    if len(code) > 2 and code[:4] not in headings():
        swap = _near(code[:4], [x for x in headings() if len(x) == 4 and x[:2] == code[:2]])
        what = f"HS 2022 has no heading {code[:4]} (another edition may have)"
        return Fault(NOT_LISTED, what, swap + code[4:] if swap else None)
    return None


def _industry(digits: str, said: str, text: str) -> Fault | None:
    """Check a code of ISIC, NACE or CPA: a section, or a division and what follows."""
    code = re.sub(r"^(NACE|ISIC|CPA)[ _]?", "", text.upper())
    found = re.fullmatch(rf"([A-U])?({digits})?", code)
    if found is None or not code:
        lost = re.fullmatch(r"[0-9](\.[0-9.]+)?", code)
        if lost and f"0{code[0]}" in sections():
            return Fault(LOST_ZERO, "the zero in front is lost", f"0{code}")
        return Fault(WRONG_FORM, said)
    section, rest = found[1], found[2]
    if not rest:
        return None
    division = rest[:2]
    if division not in industries():
        near = _near(division, sections())
        what = f"there is no division {division}"
        return Fault(NOT_LISTED, what, (section or "") + near + rest[2:] if near else None)
    if section and sections()[division] != section:
        right = sections()[division]
        what = f"division {division} belongs to section {right}, not {section}"
        return Fault(NOT_LISTED, what, right + rest)
    return None


def _isco(text: str) -> Fault | None:
    code = re.sub(r"^(ISCO|OC|C)[ _-]?", "", text.upper())
    if not re.fullmatch(r"[0-9]{1,4}", code):
        return Fault(WRONG_FORM, "1 to 4 digits are expected")
    group = code[:3]
    if group in occupations():
        return None
    same = [x for x in occupations() if len(x) == len(group)]
    near = _near(group, same)
    known = next((group[:k] for k in (2, 1) if group[:k] in occupations()), None)
    what = f"ISCO-08 has no group {group}" + (f" in {known}" if known else "")
    return Fault(NOT_LISTED, what, near + code[3:] if near else None)


def _bpn(letter: str, text: str) -> Fault | None:
    start = f"BPN{letter}"
    if re.fullmatch(rf"{start}[a-zA-Z0-9]{{12}}", text):
        return None
    what = f"{start} and 12 letters or digits are expected"
    if text[:4].upper() == start and len(text) != 16:
        what += f", there are {max(len(text) - 4, 0)}"
    elif re.fullmatch(r"BPN[LSA][a-zA-Z0-9]{12}", text):
        kinds = {"L": "a legal entity", "S": "a site", "A": "an address"}
        what += f"; this is the number of {kinds[text[3]]}"
    near = f"{start}{text[4:]}" if re.fullmatch(r"(?i)BPN[LSA][a-z0-9]{12}", text) and (
        text[3].upper() == letter
    ) else None  # fmt: skip
    return Fault(WRONG_FORM, what, near)


_SECTION = "a section (A to U), or"
KINDS: dict[str, Check] = {
    **{kind: partial(_gs1, lengths) for kind, lengths in GS1_LENGTHS.items()},
    "lei": _lei,
    "iso3166": partial(_country, None),
    "iso3166-alpha2": partial(_country, "alpha2"),
    "iso3166-alpha3": partial(_country, "alpha3"),
    "iso3166-numeric": partial(_country, "numeric"),
    "hs": _hs,
    "isic": partial(_industry, r"[0-9]{2,4}", f"{_SECTION} 2 to 4 digits, are expected"),
    "nace": partial(
        _industry,
        r"[0-9]{2}(?:\.[0-9]{1,2}|[0-9]{1,2})?",
        f"{_SECTION} 2 digits, 2.1 or 2.2 digits, are expected",
    ),
    "cpa": partial(
        _industry,
        r"[0-9]{2}(?:\.[0-9](?:[0-9](?:\.[0-9]{1,2})?)?)?",
        f"{_SECTION} digits as 26.11.30, are expected",
    ),
    "isco": _isco,
    "bpnl": partial(_bpn, "L"),
    "bpns": partial(_bpn, "S"),
    "bpna": partial(_bpn, "A"),
}
"""What `check_codes` can check, by name."""
