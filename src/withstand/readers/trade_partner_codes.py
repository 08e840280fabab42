"""Codes of partners to labels, with a word on those that are not what they seem."""

from __future__ import annotations

from typing import Any

import polars as pl

from withstand.errors import DataError
from withstand.model.countries import suggest_region
from withstand.model.findings import Finding, Origin, counted, listed, make_finding, nearest
from withstand.model.trade_partners import TradePartner, trade_partner

_CODE = ("country_code", "code")
_LABEL = ("country_iso2", "iso_2digit_alpha", "country_iso3", "iso_3digit_alpha", "iso2", "iso3")
_NAME = ("country_name", "country_name_full", "name")


class PartnerCodes:
    """The codes met so far and what they mean.

    Parameters
    ----------
    source : path or polars.DataFrame, optional
        A file country_codes; it serves where a code is not known without.
    """

    def __init__(self, source: Any = None) -> None:
        self._given = {} if source is None else _given_codes(source)
        self._met: dict[str, TradePartner] = {}
        self._rows: dict[str, int] = {}
        self._unknown: set[str] = set()

    def resolve(self, codes: dict[str, int]) -> pl.DataFrame:
        """Return code and label of codes (with their number of rows); empty label for totals."""
        for code, count in codes.items():
            self._rows[code] = self._rows.get(code, 0) + count
            if code not in self._met:
                self._met[code] = self._partner(code)
        pairs = [(code, self._met[code].label) for code in codes]
        return pl.DataFrame(pairs, schema={"code": pl.String, "label": pl.String}, orient="row")

    def frame(self) -> pl.DataFrame:
        """Return region, name, kind of every label."""
        rows = {p.label: (p.label, p.name, p.kind) for p in self._met.values() if p.label}
        return pl.DataFrame(
            sorted(rows.values()),
            schema={"region": pl.String, "name": pl.String, "kind": pl.String},
            orient="row",
        )

    def findings(self) -> list[Finding]:
        """Return what there is to say about the codes."""
        found = self._of_kind("total", "W601", "rows are totals over countries and are left out")
        found += self._of_kind(
            "predecessor", "W602", "stand for territories of the past: series break there"
        )
        found += self._of_kind("not one country", "N601", "are no country and belong to no bloc")
        if "490" in self._met or "S19" in self._met:
            found.append(make_finding("N602", "code 490 (Other Asia, nes) is labelled TW"))
        found += self._doubled()
        for code in sorted(self._unknown):
            known = [p.label for p in self._met.values() if p.kind == "country"]
            hint = suggest_region(code) or nearest(code, sorted(set(known)))
            found.append(
                make_finding(
                    "W603",
                    f"'{code}' is no code that is known; it is kept as a region of its own",
                    value=code,
                    suggestion=hint,
                    count=self._rows[code],
                )
            )
        return _few(found)

    def _of_kind(self, kind: str, rule: str, words: str) -> list[Finding]:
        codes = sorted(c for c, p in self._met.items() if p.kind == kind)
        if not codes:
            return []
        named = listed([f"{c} ({self._met[c].name})" for c in codes])
        total = sum(self._rows[c] for c in codes)
        return [make_finding(rule, f"{named}: {counted(total, 'row')} {words}", count=total)]

    def _doubled(self) -> list[Finding]:
        """Find labels that several codes of this source lead to, such as DEU 276 and 280."""
        by_label: dict[str, list[str]] = {}
        for code, partner in self._met.items():
            if partner.label:
                by_label.setdefault(partner.label, []).append(code)
        several = {label: codes for label, codes in by_label.items() if len(codes) > 1}
        return [
            make_finding(
                "W604", f"codes {', '.join(sorted(codes))} are all {label} and are added together"
            )
            for label, codes in sorted(several.items())
        ]

    def _partner(self, code: str) -> TradePartner:
        text = code.removesuffix(".0")
        known = trade_partner(text)
        if known is not None:
            return known
        given = self._given.get(text.lstrip("0") or "0")
        if given is not None:
            return given
        self._unknown.add(code)
        return TradePartner(text, text, "unknown")


def _few(findings: list[Finding], most: int = 12) -> list[Finding]:
    """Return at most a dozen unknown codes one by one, the rest in one finding."""
    unknown = [f for f in findings if f.code == "W603"]
    if len(unknown) <= most:
        return findings
    rest = unknown[most:]
    what = f"{len(rest):,} more codes are not known: {listed([f.value for f in rest])}"
    others = [f for f in findings if f.code != "W603"]
    return [*others, *unknown[:most], make_finding("W603", what, count=sum(f.count for f in rest))]


def _given_codes(source: Any) -> dict[str, TradePartner]:
    """Return the codes of a file country_codes."""
    from withstand.readers.trade_sources import trade_sources

    (place,) = trade_sources(source)
    frame = place.frame
    if frame is None:
        assert place.path is not None
        read = pl.read_csv if place.is_text else pl.read_parquet
        frame = read(place.path)
    lower = {c.casefold(): c for c in frame.columns}
    code = next((lower[c] for c in _CODE if c in lower), None)
    labels = [lower[c] for c in _LABEL if c in lower]
    if code is None or not labels:
        what = "country codes need a column country_code and country_iso2 or country_iso3"
        raise DataError([make_finding("E101", what, origin=Origin("country_codes"))])
    names = [lower[c] for c in _NAME if c in lower]
    text = frame.select(pl.col(code, *labels, *names).cast(pl.String)).fill_null("")
    found: dict[str, TradePartner] = {}
    for row in text.iter_rows(named=True):
        label = next((row[c].strip() for c in labels if row[c].strip() not in ("", "NA")), "")
        known = trade_partner(label) if label else None
        name = row[names[0]] if names else label
        key = row[code].strip().removesuffix(".0").lstrip("0") or "0"
        found[key] = known or TradePartner(label or row[code], name, "given")
    return found
