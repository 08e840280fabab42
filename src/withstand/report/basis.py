"""What the numbers rest on: public facts, derived from them, proxies, or assumptions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    from withstand.model.network import ProductionNetwork

PUBLIC, DERIVED, PROXY, ASSUMED = "public fact", "derived", "proxy", "assumption"
UNSTATED = "not stated"
CLASSES = (PUBLIC, DERIVED, PROXY, ASSUMED, UNSTATED)
_ENDING = "_basis"


def class_of(text: str | None) -> str:
    """Return the class of one statement of basis, by the words it begins with.

    Examples
    --------
    >>> class_of("public fact (S12)"), class_of("see notes"), class_of(None)
    ('public fact', 'assumption', 'not stated')
    """
    words = (text or "").strip().lower()
    if not words:
        return UNSTATED
    return next((c for c in (PUBLIC, DERIVED, PROXY) if words.startswith(c)), ASSUMED)


def basis_counts(network: ProductionNetwork) -> pl.DataFrame:
    """Count the numbers of each table by what they rest on.

    A column `price_basis` speaks for the filled cells of `price`, a column `basis` for the rows.

    Returns
    -------
    polars.DataFrame
        table, column, then one count for each of `CLASSES`, and numbers (their sum).

    Examples
    --------
    >>> from withstand.examples import example
    >>> basis_counts(example()).filter(pl.col("column") == "share").row(0)
    ('links', 'share', 13, 15, 16, 314, 0, 358)
    """
    rows = []
    for table, frame in network.tables.items():
        for name in frame.columns:
            if name != "basis" and not name.endswith(_ENDING):
                continue
            number = name.removesuffix(_ENDING)
            texts = frame[name].cast(pl.String)
            if number != name and number in frame.columns:
                texts = texts.filter(frame[number].is_not_null())
            counts = dict.fromkeys(CLASSES, 0)
            for text, count in texts.value_counts().iter_rows():
                counts[class_of(text)] += count
            shown = "rows" if name == "basis" else number
            rows.append((table, shown, *counts.values(), sum(counts.values())))
    schema = {"table": pl.String, "column": pl.String}
    counted = dict.fromkeys((*CLASSES, "numbers"), pl.Int64)
    return pl.DataFrame(rows, schema={**schema, **counted}, orient="row")
