"""Catena-X payloads as tables: bills as planned, stocks, names of parts.

Aspect models read: `urn:samm:io.catenax.single_level_bom_as_planned` 3.0.0 (and 2.0.0, whose
fields are the same, and the older names childParts, quantityNumber, measurementUnit),
`urn:samm:io.catenax.item_stock:2.0.0`, and of `part_as_planned` and `part_type_information` the
names of parts. A payload may stand alone, in a list, or inside a wrapper (an answer of the Item
Relationship Service, a file of test data): whatever has the fields of an aspect is one.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl

from withstand.errors import DataError
from withstand.model.codes.code_checks import KINDS
from withstand.model.findings import (
    Finding,
    Origin,
    has_errors,
    make_finding,
    shorten,
    sort_findings,
)
from withstand.readers.standards.catenax_units import UNITS
from withstand.readers.standards.json_files import Document, read_documents

DEEPEST = 12
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_CHILDREN = ("childItems", "childParts")
_TIME = pl.Datetime("us", "UTC")
BILL: dict[str, Any] = {
    "parent": pl.String, "child": pl.String, "quantity": pl.Float64, "unit": pl.String,
    "supplier": pl.String, "valid_from": _TIME, "valid_to": _TIME, "file": pl.String,
}  # fmt: skip
STOCKS: dict[str, Any] = {
    "item": pl.String, "direction": pl.String, "quantity": pl.Float64, "unit": pl.String,
    "blocked": pl.Boolean, "site": pl.String, "address": pl.String, "updated": _TIME,
    "customer_order": pl.String, "customer_position": pl.String, "supplier_order": pl.String,
    "file": pl.String,
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class CatenaxTables:
    """What Catena-X payloads say, a row an entry.

    Parameters
    ----------
    items : polars.DataFrame
        `item` (id without urn:uuid:), `name`, `has_bill`.
    bill : polars.DataFrame
        `parent`, `child`, `quantity` of the child in one parent, `unit`, `supplier` (BPNL),
        `valid_from`, `valid_to`, `file`.
    stocks : polars.DataFrame
        `item`, `direction`, `quantity`, `unit`, `blocked`, `site` (BPNS), `address` (BPNA),
        `updated`, `customer_order`, `customer_position`, `supplier_order`, `file`.
    findings : tuple of Finding
    """

    items: pl.DataFrame
    bill: pl.DataFrame
    stocks: pl.DataFrame
    findings: tuple[Finding, ...] = ()

    def __repr__(self) -> str:
        """Return one line."""
        return (
            f"<CatenaxTables: {self.items.height:,} items, {self.bill.height:,} lines of bills, "
            f"{self.stocks.height:,} stocks>"
        )


def catenax_tables(path: str | os.PathLike[str]) -> CatenaxTables:
    """Return bills as planned, stocks and names of parts of a file or folder of payloads.

    Parameters
    ----------
    path : str or path
        JSON file (one payload, a list, or a wrapper), JSON lines, or a folder of such files.

    Raises
    ------
    UsageError
        If there is no such file.
    DataError
        With every payload that lacks a required field.
    """
    documents, findings = read_documents(Path(path))
    reading = _Reading(findings)
    for document in documents:
        before = reading.n_found
        reading.take(document.value, document, 0)
        if reading.n_found == before:
            what = "no field of SingleLevelBomAsPlanned or ItemStock is there"
            reading.fault(document, what)
    if not has_errors(findings) and not (reading.bills or reading.stocks):
        what = "there is no bill and no stock"
        findings.append(make_finding("E741", what, origin=Origin(shorten(Path(path).name))))
    if has_errors(findings):
        raise DataError(sort_findings(findings))
    return reading.tables()


class _Reading:
    """What was read so far."""

    def __init__(self, findings: list[Finding]) -> None:
        self.findings = findings
        self.bills: dict[str, tuple[list[dict[str, Any]], Document]] = {}
        self.stocks: list[dict[str, Any]] = []
        self.names: dict[str, str] = {}
        self.n_found = 0
        self._told: set[tuple[str, str]] = set()

    def fault(self, document: Document, what: str, value: object = None) -> None:
        """Note a payload that cannot be used."""
        index = None if document.line is None else document.line - 2
        self.findings.append(
            make_finding("E741", what, origin=document.origin, index=index, value=value)
        )

    def take(self, value: Any, document: Document, depth: int) -> None:
        """Take every payload in a value, however it is wrapped."""
        if depth > DEEPEST:
            return
        if isinstance(value, list):
            for part in value:
                self.take(part, document, depth + 1)
        elif isinstance(value, dict):
            if any(key in value for key in _CHILDREN) and _id_of(value) is not None:
                self._bill(value, document)
            elif "positions" in value and "materialGlobalAssetId" in value:
                self._stock(value, document)
            elif isinstance(value.get("partTypeInformation"), dict):
                self._name(value)
            else:
                for part in value.values():
                    if isinstance(part, dict | list):
                        self.take(part, document, depth + 1)

    def tables(self) -> CatenaxTables:
        """Return the tables of all that was read."""
        rows = [row for lines, _ in self.bills.values() for row in lines]
        bill = pl.DataFrame(rows, schema=BILL, orient="row")
        stocks = pl.DataFrame(self.stocks, schema=STOCKS, orient="row")
        seen = [*self.bills, *bill["child"].to_list(), *stocks["item"].to_list()]
        labels = list(dict.fromkeys(seen))
        items = pl.DataFrame(
            {
                "item": labels,
                "name": [self.names.get(x) for x in labels],
                "has_bill": [bool(self.bills.get(x, ((), None))[0]) for x in labels],
            },
            schema={"item": pl.String, "name": pl.String, "has_bill": pl.Boolean},
        )
        return CatenaxTables(items, bill, stocks, tuple(sort_findings(self.findings)))

    # --- one aspect each

    def _bill(self, payload: Mapping[str, Any], document: Document) -> None:
        self.n_found += 1
        parent = self._checked_id(_id_of(payload), document)
        children = next(payload[key] for key in _CHILDREN if key in payload)
        if parent is None:
            return
        if not isinstance(children, list) or not all(isinstance(x, dict) for x in children):
            self.fault(document, "childItems is no list of parts", parent)
            return
        once = list({json.dumps(child, sort_keys=True): child for child in children}.values())
        if len(once) < len(children):
            n = len(children) - len(once)
            what = f"{n:,} equal entries: childItems is a set, so each counts once"
            self.findings.append(
                make_finding("W746", what, origin=document.origin, value=parent, count=n)
            )
        lines = [self._line(parent, child, document) for child in once]
        kept = [line for line in lines if line is not None]
        known = self.bills.get(parent)
        if known is None:
            self.bills[parent] = kept, document
        elif _content(known[0]) != _content(kept):
            what = f"two different bills of one part; that of {known[1].file} counts"
            self.findings.append(make_finding("W746", what, origin=document.origin, value=parent))

    def _line(
        self, parent: str, child: Mapping[str, Any], document: Document
    ) -> dict[str, Any] | None:
        item = self._checked_id(_id_of(child), document)
        amount = self._quantity(child.get("quantity"), document, f"part {parent}")
        if item is None or amount is None:
            return None
        supplier = child.get("businessPartner")
        if supplier is not None:
            supplier = self._partner(supplier, "bpnl", document)
        period = child.get("validityPeriod")
        period = period if isinstance(period, dict) else {}
        return {
            "parent": parent,
            "child": item,
            "quantity": amount[0],
            "unit": amount[1],
            "supplier": supplier,
            "valid_from": self._time(period.get("validFrom"), document),
            "valid_to": self._time(period.get("validTo"), document, is_end=True),
            "file": document.file,
        }

    def _stock(self, payload: Mapping[str, Any], document: Document) -> None:
        self.n_found += 1
        item = self._checked_id(payload.get("materialGlobalAssetId"), document)
        direction, positions = payload.get("direction"), payload.get("positions")
        if item is None:
            return
        if direction not in ("INBOUND", "OUTBOUND"):
            self.fault(document, "direction is INBOUND or OUTBOUND", direction)
            return
        if not isinstance(positions, list) or not all(isinstance(x, dict) for x in positions):
            self.fault(document, "positions is no list of positions", item)
            return
        for position in positions:
            order = position.get("orderPositionReference")
            order = order if isinstance(order, dict) else {}
            stocks = position.get("allocatedStocks")
            if not isinstance(stocks, list) or not all(isinstance(x, dict) for x in stocks):
                self.fault(document, "allocatedStocks is no list of stocks", item)
                continue
            for stock in stocks:
                self._stock_row(item, direction, stock, order, document)

    def _stock_row(
        self, item: str, direction: str, stock: Mapping[str, Any], order: Mapping[str, Any],
        document: Document,
    ) -> None:  # fmt: skip
        amount = self._quantity(stock.get("quantityOnAllocatedStock"), document, f"stock of {item}")
        blocked = stock.get("isBlocked")
        if not isinstance(blocked, bool):
            self.fault(document, "isBlocked is true or false", blocked)
        elif amount is not None:
            self.stocks.append(
                {
                    "item": item,
                    "direction": direction,
                    "quantity": amount[0],
                    "unit": amount[1],
                    "blocked": blocked,
                    "site": self._partner(stock.get("stockLocationBPNS"), "bpns", document),
                    "address": self._partner(stock.get("stockLocationBPNA"), "bpna", document),
                    "updated": self._time(stock.get("lastUpdatedOnDateTime"), document),
                    "customer_order": _text(order.get("customerOrderId")),
                    "customer_position": _text(order.get("customerOrderPositionId")),
                    "supplier_order": _text(order.get("supplierOrderId")),
                    "file": document.file,
                }
            )

    def _name(self, payload: Mapping[str, Any]) -> None:
        item = _plain_id(_id_of(payload))
        facts = payload["partTypeInformation"]
        name = facts.get("nameAtManufacturer") or facts.get("manufacturerPartId")
        if item is not None:
            self.n_found += 1
            if isinstance(name, str) and name.strip():
                self.names.setdefault(item, name.strip())

    # --- one field each

    def _checked_id(self, value: object, document: Document) -> str | None:
        item = _plain_id(value)
        if item is None:
            self.fault(document, "the id of a part is missing", value)
        elif not _UUID.fullmatch(item):
            self._tell("W742", "a UUID is expected as catenaXId", item, document)
        return item

    def _quantity(self, value: object, document: Document, of: str) -> tuple[float, str] | None:
        number, unit = None, None
        if isinstance(value, dict):
            number = value.get("value", value.get("quantityNumber"))
            unit = value.get("unit", value.get("measurementUnit"))
            if isinstance(unit, dict):
                unit = unit.get("lexicalValue")
        if isinstance(number, bool) or not isinstance(number, int | float):
            self.fault(document, f"{of}: quantity needs a value, a number", number)
        elif not isinstance(unit, str) or not unit.strip():
            self.fault(document, f"{of}: quantity needs a unit such as unit:piece", unit)
        elif not 0 <= number < 1e15:
            self.fault(document, f"{of}: a quantity is 0 or more", number)
        else:
            name = unit.strip().partition(":")[2] or unit.strip()
            if name not in UNITS:
                self._tell("W742", "not in the list of units of items", unit, document)
            return float(number), name
        return None

    def _partner(self, value: object, kind: str, document: Document) -> str | None:
        text = _text(value)
        if text is None:
            return None
        wrong = KINDS[kind](text)
        if wrong is not None:
            self._tell(wrong.code, wrong.what, text, document, wrong.suggestion)
        return text

    def _time(self, value: object, document: Document, *, is_end: bool = False) -> datetime | None:
        text = _text(value)
        if text is None:
            return None
        try:
            time = moment(text, is_end=is_end)
        except ValueError:
            self._tell(
                "W742", "a time is written 2024-05-31 or 2024-05-31T14:00:00Z", text, document
            )
            return None
        return time

    def _tell(
        self, code: str, what: str, value: str, document: Document, near: str | None = None
    ) -> None:
        """Note a value once, however often it stands."""
        if (code, value) not in self._told:
            self._told.add((code, value))
            self.findings.append(
                make_finding(code, what, origin=document.origin, value=value, suggestion=near)
            )


def moment(text: str, *, is_end: bool = False) -> datetime:
    """Return a time in UTC; a day alone means its start, or as an end its last moment.

    Examples
    --------
    >>> moment("2024-05-31").isoformat(), moment("2024-05-31T01:00:00+02:00").isoformat()
    ('2024-05-31T00:00:00+00:00', '2024-05-30T23:00:00+00:00')
    """
    if is_end and len(text) == 10:
        text += "T23:59:59.999999"
    time = datetime.fromisoformat(text)
    return (time if time.tzinfo else time.replace(tzinfo=UTC)).astimezone(UTC)


def _id_of(value: Mapping[str, Any]) -> object:
    return value.get("catenaXId", value.get("globalAssetId", value.get("childCatenaXId")))


def _plain_id(value: object) -> str | None:
    if not isinstance(value, str) or not value.strip():
        return None
    return re.sub(r"^urn:uuid:", "", value.strip(), flags=re.IGNORECASE).lower()


def _text(value: object) -> str | None:
    return value.strip() or None if isinstance(value, str) else None


def _content(lines: list[dict[str, Any]]) -> list[str]:
    return sorted(repr({k: v for k, v in line.items() if k != "file"}) for line in lines)
