"""Payloads and files of standards, made from their published schemas.

Catena-X: required fields, patterns and units of the generated JSON schemas of
`io.catenax.single_level_bom_as_planned/3.0.0` and `io.catenax.item_stock/2.0.0` in
eclipse-tractusx/sldt-semantic-models. SDMX-CSV: field guide of sdmx-twg/sdmx-csv; headers as
Eurostat (DATAFLOW, LAST UPDATE, OBS_FLAG) and OECD (STRUCTURE, STRUCTURE_ID, ACTION) write them.
"""

from __future__ import annotations

import uuid
from typing import Any

import numpy as np

MESSAGE = "http://www.sdmx.org/resources/sdmxml/schemas/v2_1"


def part(k: int) -> str:
    return f"urn:uuid:{uuid.UUID(int=k, version=4)}"


def bare(k: int) -> str:
    return part(k).removeprefix("urn:uuid:")


def bpn(kind: str, k: int) -> str:
    return f"BPN{kind}{k:010d}ZZ"


def child(
    k: int, quantity: float, company: int, unit: str = "piece", **more: Any
) -> dict[str, Any]:
    return {
        "createdOn": "2022-02-03T14:48:54.709Z",
        "quantity": {"value": quantity, "unit": f"unit:{unit}"},
        "businessPartner": bpn("L", company),
        "catenaXId": part(k),
        **more,
    }


def bill(k: int, *children: dict[str, Any]) -> dict[str, Any]:
    return {"catenaXId": part(k), "childItems": list(children)}


def stock(
    k: int, quantity: float, unit: str = "piece", direction: str = "INBOUND", *,
    blocked: bool = False, site: int = 7,
) -> dict[str, Any]:  # fmt: skip
    return {
        "materialGlobalAssetId": part(k),
        "direction": direction,
        "positions": [
            {
                "allocatedStocks": [
                    {
                        "quantityOnAllocatedStock": {"value": quantity, "unit": f"unit:{unit}"},
                        "stockLocationBPNS": bpn("S", site),
                        "stockLocationBPNA": bpn("A", site),
                        "isBlocked": blocked,
                        "lastUpdatedOnDateTime": "2023-04-28T14:23:00.123456+14:00",
                    }
                ]
            }
        ],
    }


def random_bills(seed: int, n: int) -> list[dict[str, Any]]:
    """Bills of n parts; a part needs only parts with a higher number, so there is no cycle."""
    rng = np.random.default_rng(seed)
    bills = []
    for k in range(n - 1):
        chosen = rng.choice(np.arange(k + 1, n), size=min(n - 1 - k, 3), replace=False)
        bills.append(bill(k, *[child(int(c), float(rng.integers(1, 9)), int(c)) for c in chosen]))
    return bills


SERIES = (("AT", "3.5", "p"), ("DE", "NaN", ":"))


def generic_ml() -> str:
    body = "".join(
        f'<g:Series><g:SeriesKey><g:Value id="freq" value="A"/><g:Value id="geo" value="{geo}"/>'
        '</g:SeriesKey><g:Attributes><g:Value id="UNIT_MULT" value="6"/></g:Attributes><g:Obs>'
        f'<g:ObsDimension value="2020"/><g:ObsValue value="{value}"/><g:Attributes>'
        f'<g:Value id="OBS_STATUS" value="{flag}"/></g:Attributes></g:Obs></g:Series>'
        for geo, value, flag in SERIES
    )
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><m:GenericData xmlns:m="{MESSAGE}/message" '
        f'xmlns:g="{MESSAGE}/data/generic" xmlns:c="{MESSAGE}/common">{header()}'
        f'<m:DataSet structureRef="S">{body}</m:DataSet></m:GenericData>'
    )


def specific_ml() -> str:
    body = "".join(
        f'<Series freq="A" geo="{geo}" UNIT_MULT="6"><Obs TIME_PERIOD="2020" OBS_VALUE="{value}" '
        f'OBS_STATUS="{flag}"/></Series>'
        for geo, value, flag in SERIES
    )
    name = "urn:sdmx:org.sdmx.infomodel.datastructure.DataStructure=ESTAT:JOBS(1.0)"
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><m:StructureSpecificData '
        f'xmlns:m="{MESSAGE}/message" xmlns:s="{MESSAGE}/data/structurespecific" '
        f'xmlns:c="{MESSAGE}/common" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
        f'xmlns:n="{name}:ObsLevelDim:TIME_PERIOD">{header(name)}'
        f'<m:DataSet s:dataScope="DataStructure" xsi:type="n:DataSetType" s:structureRef="S">'
        f"{body}</m:DataSet></m:StructureSpecificData>"
    )


def header(name: str = "") -> str:
    space = f' namespace="{name}:ObsLevelDim:TIME_PERIOD"' if name else ""
    return (
        "<m:Header><m:ID>X</m:ID><m:Test>false</m:Test><m:Prepared>2024-01-01T00:00:00</m:Prepared>"
        f'<m:Sender id="ESTAT"/><m:Structure structureID="S"{space} '
        'dimensionAtObservation="TIME_PERIOD"><c:Structure><Ref agencyID="ESTAT" id="JOBS" '
        'version="1.0" class="DataStructure"/></c:Structure></m:Structure></m:Header>'
    )


BOMB = '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>'
OUTSIDE = '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/hostname">]>'
