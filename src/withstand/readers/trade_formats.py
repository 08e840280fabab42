"""The layouts of trade files: which column means what, in which unit, and which rows count."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from withstand.errors import DataError
from withstand.model.findings import Finding, Origin, make_finding, nearest

REQUIRED = ("year", "exporter", "importer", "product", "value")
FLOWS = ("imports", "exports")


@dataclass(frozen=True, kw_only=True)
class TradeFormat:
    """How a layout is read.

    Parameters
    ----------
    name : str
    columns : mapping of str to str
        Our column to its column in the file; quantity and vintage may be missing.
    value_unit, quantity_unit : str
    wanted : mapping of str to tuple of str
        Column to the values that a row must have to count (upper case): totals over what this
        cube does not tell apart.
    left_out : mapping of str to str
        Column to the words for what is left out.
    """

    name: str
    columns: Mapping[str, str]
    value_unit: str
    quantity_unit: str
    wanted: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    left_out: Mapping[str, str] = field(default_factory=dict)


def trade_format(
    header: Sequence[str],
    columns: Mapping[str, str] | None,
    flows: str,
    origin: Origin,
) -> TradeFormat:
    """Return the layout that a header shows.

    Parameters
    ----------
    header : sequence of str
        Names of the columns.
    columns : mapping of str to str, optional
        Our column to theirs, where the layout is none that is known.
    flows : {"imports", "exports"}
        Whose declarations count where both sides declare (Comtrade).
    origin : Origin

    Raises
    ------
    DataError
        If a column is missing.
    """
    given = {name.strip().casefold(): name for name in header}
    if columns is None:
        if {"t", "i", "j", "k", "v"} <= given.keys():
            return _baci(given)
        if "flowcode" in given and "cmdcode" in given:
            return _comtrade(given, flows, origin)
    return _own(given, columns or {}, origin)


def _baci(given: Mapping[str, str]) -> TradeFormat:
    theirs = {"year": "t", "exporter": "i", "importer": "j", "product": "k", "value": "v"}
    found = {ours: given[their] for ours, their in theirs.items()}
    if "q" in given:
        found["quantity"] = given["q"]
    return TradeFormat(
        name="BACI", columns=found, value_unit="thousand USD", quantity_unit="tonnes"
    )


def _comtrade(given: Mapping[str, str], flows: str, origin: Origin) -> TradeFormat:
    """Return the layout of the Comtrade interface (v1), for the declarations of one side."""
    reporter = _first(given, ("reporteriso", "reportercode"))
    partner = _first(given, ("partneriso", "partnercode"))
    ours = {
        "year": _first(given, ("refyear", "period")),
        "exporter": partner if flows == "imports" else reporter,
        "importer": reporter if flows == "imports" else partner,
        "product": given["cmdcode"],
        "value": _first(given, ("primaryvalue", "tradevalue")),
    }
    names = {
        "year": "refYear",
        "exporter": "partnerISO" if flows == "imports" else "reporterISO",
        "importer": "reporterISO" if flows == "imports" else "partnerISO",
        "value": "primaryValue",
    }
    _complain({k: names.get(k, k) for k, v in ours.items() if v is None}, given, origin)
    found = {k: v for k, v in ours.items() if v is not None}
    for name, theirs in (("quantity", "netwgt"), ("vintage", "classificationcode")):
        if theirs in given:
            found[name] = given[theirs]
    side = ("M",) if flows == "imports" else ("X",)
    totals = {
        "flowcode": side,
        "partner2code": ("0", "W00", ""),
        "customscode": ("C00", ""),
        "motcode": ("0", ""),
        "moscode": ("0", ""),
    }
    words = {
        "flowcode": "declarations of the other side, re-imports and re-exports",
        "partner2code": "rows by second partner",
        "customscode": "rows by customs procedure",
        "motcode": "rows by mode of transport",
        "moscode": "rows by mode of supply",
    }
    present = [column for column in totals if column in given]
    return TradeFormat(
        name=f"Comtrade, declared {flows}",
        columns=found,
        value_unit="USD",
        quantity_unit="kg",
        wanted={given[c]: totals[c] for c in present},
        left_out={given[c]: words[c] for c in present},
    )


def _own(given: Mapping[str, str], columns: Mapping[str, str], origin: Origin) -> TradeFormat:
    found: dict[str, str] = {}
    missing: dict[str, str] = {}
    for ours in (*REQUIRED, "quantity", "vintage"):
        theirs = columns.get(ours, ours)
        name = given.get(theirs.strip().casefold())
        if name is not None:
            found[ours] = name
        elif ours in REQUIRED or ours in columns:
            missing[ours] = theirs
    unknown = [k for k in columns if k not in (*REQUIRED, "quantity", "vintage")]
    missing.update({k: k for k in unknown})
    _complain(missing, given, origin, unknown)
    return TradeFormat(
        name="columns", columns=found, value_unit="not stated", quantity_unit="not stated"
    )


def _first(given: Mapping[str, str], names: Sequence[str]) -> str | None:
    return next((given[name] for name in names if name in given), None)


def _complain(
    missing: Mapping[str, str],
    given: Mapping[str, str],
    origin: Origin,
    unknown: Sequence[str] = (),
) -> None:
    """Raise with every column that is missing, or asked for and not known."""
    found: list[Finding] = []
    for ours, theirs in missing.items():
        if ours in unknown:
            valid = [*REQUIRED, "quantity", "vintage"]
            what = f"columns= knows {', '.join(valid)}, not '{ours}'"
            hint = nearest(ours, valid)
        else:
            what = f"there is no column '{theirs}' ({ours})"
            hint = nearest(theirs, list(given.values()))
        found.append(make_finding("E101", what, origin=origin, column=theirs, suggestion=hint))
    if found:
        raise DataError(found)
