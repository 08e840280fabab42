"""Product codes as they stand in files: lost zeros mended, totals and upper levels left out."""

from __future__ import annotations

import polars as pl

from withstand.model.findings import Finding, Origin, counted, listed, make_finding

TOTALS = frozenset(("TOTAL", "ALL", "AG1", "AG2", "AG3", "AG4", "AG5", "AG6", "AG", "WORLD"))
DIGITS = (5, 6)
"""Lengths that tell six-digit codes of the Harmonized System, the first zero lost or not."""
FINER = (8, 10)
"""Lengths of the finer codes of customs; those one digit shorter beside them lost their zero."""


def product_table(codes: dict[str, int], origin: Origin) -> tuple[pl.DataFrame, list[Finding]]:
    """Return code and product for the codes that count, with what is worth a word.

    Parameters
    ----------
    codes : dict of str to int
        Code to its number of rows.
    origin : Origin

    Examples
    --------
    >>> table, found = product_table({"10111": 3, "280530": 2, "2805": 1}, Origin("t.csv"))
    >>> table.rows(), [f.code for f in found]
    ([('10111', '010111'), ('280530', '280530')], ['N603', 'W605'])
    """
    findings: list[Finding] = []
    totals = [code for code in codes if code.upper() in TOTALS]
    if totals:
        rows = sum(codes[code] for code in totals)
        what = f"{', '.join(sorted(totals))}: {counted(rows, 'row')} are totals over products"
        findings.append(
            make_finding("W601", f"{what} and are left out", origin=origin, column="product")
        )
    plain = {code: code.removesuffix(".0") for code in codes if code.upper() not in TOTALS}
    numbers = [p for p in plain.values() if p.isascii() and p.isdigit()]
    if numbers and max(map(len, numbers)) in DIGITS:
        plain, found = _six_digits(plain, codes, origin)
        findings += found
    elif numbers and (longest := max(map(len, numbers))) in FINER:
        short = [c for c, p in plain.items() if p.isdigit() and len(p) == longest - 1]
        findings += _lost_zeros(short, origin)
        plain |= {c: plain[c].zfill(longest) for c in short}
    pairs = sorted(plain.items())
    frame = pl.DataFrame(pairs, schema={"code": pl.String, "product": pl.String}, orient="row")
    return frame, findings


def _six_digits(
    plain: dict[str, str], codes: dict[str, int], origin: Origin
) -> tuple[dict[str, str], list[Finding]]:
    """Give lost zeros back and leave the upper levels (chapters, headings) out."""
    short = [c for c, p in plain.items() if p.isdigit() and len(p) % 2]
    findings = _lost_zeros(short, origin)
    padded = {c: p.zfill(len(p) + len(p) % 2) if p.isdigit() else p for c, p in plain.items()}
    upper = [c for c, p in padded.items() if p.isdigit() and len(p) < 6]
    if upper and len(upper) < len(padded):
        rows = sum(codes[c] for c in upper)
        what = (
            f"{counted(rows, 'row')} of chapters and headings ({listed(sorted(upper))}) hold what "
            "the six-digit codes hold, and are left out"
        )
        findings.append(make_finding("W605", what, origin=origin, column="product"))
        padded = {c: p for c, p in padded.items() if c not in set(upper)}
    return padded, findings


def _lost_zeros(short: list[str], origin: Origin) -> list[Finding]:
    """Tell which codes lost their first zero."""
    if not short:
        return []
    what = f"{len(short):,} codes lost their first zero and got it back: {listed(sorted(short))}"
    return [make_finding("N603", what, origin=origin, column="product")]
