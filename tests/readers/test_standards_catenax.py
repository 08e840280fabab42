"""Catena-X payloads: the bill explodes as by hand, and every fault is named."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import standard_files as files
import withstand as ws
from standard_files import bare, bill, bpn, child, part, stock


def write(place: Path, *payloads: Any, name: str = "bill.json") -> Path:
    file = place / name
    file.write_text(json.dumps(payloads[0] if len(payloads) == 1 else list(payloads)))
    return file


def codes(network: ws.ProductionNetwork) -> set[str]:
    return {f.code for f in network.findings}


GEARBOX = (
    bill(0, child(1, 2, 10), child(2, 500, 11, "gram")),
    bill(1, child(2, 1.5, 11, "kilogram")),
)


def test_a_bill_explodes_as_by_hand(tmp_path: Path) -> None:
    network = ws.read_catenax(write(tmp_path, *GEARBOX), demand=10, regions={bpn("L", 10): "DE"})
    need = dict(zip(network.product_labels[network.node_product].tolist(), network.output.tolist(),
                    strict=True))  # fmt: skip
    # 10 x (500 g + 2 x 1.5 kg); the first bill counts in grams, so the steel does
    assert need == {bare(0): 10.0, bare(1): 20.0, bare(2): 10 * (500 + 2 * 1500.0)}
    nodes = network.tables["nodes"]
    assert nodes["company"].to_list() == [None, bpn("L", 10), bpn("L", 11)]
    assert nodes["region"].to_list() == ["unstated", "DE", "unstated"]
    assert network.tables["products"]["kind"].to_list() == ["product", "assembly", "component"]
    assert "N744" in codes(network)


def test_every_wrapping_of_the_same_payloads_gives_the_same_network(tmp_path: Path) -> None:
    plain = ws.read_catenax(write(tmp_path, *GEARBOX), name="x").fingerprint()
    lines = tmp_path / "bill.jsonl"
    lines.write_text("\n".join(json.dumps(x) for x in GEARBOX) + "\n")
    folder = tmp_path / "folder"
    folder.mkdir()
    for k, payload in enumerate(GEARBOX):
        write(folder, payload, name=f"{k}.json")
    wrapped = {"job": {"id": 1}, "submodels": [{"aspectType": "x", "payload": x} for x in GEARBOX]}
    relations = [{"catenaXId": part(k), "urn:samm:x": [x]} for k, x in enumerate(GEARBOX)]
    for source in (lines, folder, write(tmp_path, wrapped, name="w.json"),
                   write(tmp_path, relations, name="r.json")):  # fmt: skip
        assert ws.read_catenax(source, name="x").fingerprint() == plain


@pytest.mark.parametrize("seed", range(3))
def test_random_bills_explode_as_the_inverse_says(tmp_path: Path, seed: int) -> None:
    bills = files.random_bills(seed, 8)
    network = ws.read_catenax(write(tmp_path, *bills), demand={bare(0): 3.0})
    needs = np.zeros((8, 8))
    for k, payload in enumerate(bills):
        for c in payload["childItems"]:
            needs[[part(j) for j in range(8)].index(c["catenaXId"]), k] += c["quantity"]["value"]
    output = np.linalg.solve(np.eye(8) - needs, np.eye(8)[0] * 3.0)
    order = [network.index("products")[bare(k)] for k in range(8)]
    made = np.bincount(network.node_product, network.output, network.n_products)[order]
    np.testing.assert_allclose(made, output, rtol=1e-9, atol=1e-9)  # zeros of the inverse


def test_several_suppliers_share_a_child_and_equal_entries_count_once(tmp_path: Path) -> None:
    twice = child(1, 4, 10)
    network = ws.read_catenax(write(tmp_path, bill(0, twice, twice, child(1, 4, 11))))
    links = network.tables["links"]
    assert links["share"].to_list() == [0.5, 0.5]
    assert network.tables["recipes"]["quantity"].to_list() == [4.0]
    assert {"W746", "N742"} <= codes(network)


def test_positions_of_one_part_are_added(tmp_path: Path) -> None:
    more = child(1, 3, 10) | {"createdOn": "2023-01-01"}
    network = ws.read_catenax(write(tmp_path, bill(0, child(1, 4, 10), more)))
    assert network.tables["recipes"]["quantity"].to_list() == [7.0]
    assert "N205" in codes(network)


def test_validity_chooses_the_lines(tmp_path: Path) -> None:
    old = child(1, 4, 10, validityPeriod={"validTo": "2023-12-31"})
    new = child(1, 6, 10, validityPeriod={"validFrom": "2024-01-01T00:00:00Z"})
    file = write(tmp_path, bill(0, old, new))
    assert ws.read_catenax(file).tables["recipes"]["quantity"].to_list() == [6.0]
    day = ws.read_catenax(file, on="2023-12-31")
    assert day.tables["recipes"]["quantity"].to_list() == [4.0]
    with pytest.raises(ws.UsageError, match="no day"):
        ws.read_catenax(file, on="yesterday")


def test_stocks_of_the_customer_go_to_the_users_by_use(tmp_path: Path) -> None:
    bills = (bill(0, child(1, 1, 10), child(3, 1, 11)), bill(1, child(3, 3, 11)))
    payloads = (*bills, stock(3, 8), stock(3, 4, blocked=True), stock(1, 5, direction="OUTBOUND"))
    network = ws.read_catenax(write(tmp_path, *payloads))
    held = network.tables["stocks"].sort("quantity")
    assert held["quantity"].to_list() == [2.0, 6.0]
    assert held["as_of"].to_list() == ["2023-04-28"] * 2
    sites = dict(network.tables["nodes"].select("product", "site").iter_rows())
    assert sites == {bare(0): None, bare(1): bpn("S", 7), bare(3): None}
    assert sum(f.code == "W745" for f in network.findings) == 2


def test_units_that_do_not_convert_make_two_parts(tmp_path: Path) -> None:
    network = ws.read_catenax(
        write(
            tmp_path,
            bill(0, child(1, 1, 10), child(2, 2, 11)),
            bill(1, child(2, 3, 11, "kilogram")),
        )
    )
    assert {bare(2), f"{bare(2)} [kilogram]"} <= set(network.product_labels.tolist())
    assert "W749" in codes(network)


def test_a_cycle_is_named(tmp_path: Path) -> None:
    ring = [bill(k, child((k + 1) % 3, 1, 10)) for k in range(3)]
    with pytest.raises(ws.DataError) as error:
        ws.read_catenax(write(tmp_path, bill(9, child(0, 1, 10)), *ring))
    found = [f for f in error.value.findings if f.code == "E742"]
    assert len(found) == 1
    assert all(bare(k) in found[0].what for k in range(3))


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        (bill(0, child(1, 1, 10) | {"businessPartner": "BPNL123"}), "W742"),
        (bill(0, child(1, 1, 10) | {"catenaXId": "urn:uuid:12"}), "W742"),
        (bill(0, child(1, 1, 10, "barrel")), "W742"),
        (bill(0, child(1, 0, 10), child(2, 1, 10)), "W745"),
    ],
)
def test_what_can_be_read_all_the_same_is_told(tmp_path: Path, payload: Any, code: str) -> None:
    assert code in codes(ws.read_catenax(write(tmp_path, payload)))


@pytest.mark.parametrize(
    "payload",
    [
        {},
        [],
        3,
        {"catenaXId": part(0), "childItems": 4},
        bill(0, {"catenaXId": part(1)}),
        bill(0, child(1, 1, 10) | {"quantity": {"value": "1", "unit": "unit:piece"}}),
        bill(0, child(1, -1, 10)),
        bill(0, child(1, 1, 10) | {"quantity": {"value": 1}}),
        bill(0, child(1, 1, 10) | {"catenaXId": None}),
        stock(1, 4) | {"direction": "UP"},
        stock(1, 4) | {"positions": [{"allocatedStocks": [{"isBlocked": False}]}]},
        bill(0),
    ],
)
def test_a_payload_that_lacks_what_the_aspect_requires_is_refused(
    tmp_path: Path, payload: Any
) -> None:
    with pytest.raises(ws.DataError) as error:
        ws.read_catenax(write(tmp_path, payload))
    assert {f.code for f in error.value.findings if f.severity == "error"} == {"E741"}


@pytest.mark.parametrize(
    ("text", "code"), [("", "E111"), ("{", "E113"), ('{"a": NaN}', "E113"), ("[" * 9999, "E113")]
)
def test_a_file_that_is_no_json_is_refused(tmp_path: Path, text: str, code: str) -> None:
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(ws.DataError) as error:
        ws.read_catenax(tmp_path / "a.json")
    assert [f.code for f in error.value.findings] == [code]


def test_the_demo_bill_of_the_project_is_read(tmp_path: Path, data_dir: Path) -> None:
    edges = pl.read_parquet(data_dir / "catenax_bom/pt_edges.parquet")
    names = pl.read_parquet(data_dir / "catenax_bom/pt_nodes.parquet").drop_nulls("name")
    payloads: list[Any] = [
        {
            "catenaXId": parent,
            "childItems": [
                {"catenaXId": c, "quantity": {"value": q, "unit": u}, "businessPartner": s,
                 "createdOn": "2022-02-03"}
                for c, q, u, s in rows.select("child", "qty", "unit", "supplier_bpn").iter_rows()
            ],
        }
        for (parent,), rows in edges.group_by("parent", maintain_order=True)
    ]  # fmt: skip
    payloads += [
        {"catenaXId": x, "partTypeInformation": {"nameAtManufacturer": n}}
        for x, n in names.select("id", "name").iter_rows()
    ]
    network = ws.read_catenax(write(tmp_path, *payloads))
    bought = edges.select("child", "supplier_bpn").unique().height
    roots = len(set(edges["parent"]) - set(edges["child"]))
    split = len([x for x in network.product_labels.tolist() if "[" in x])
    assert network.n_nodes == bought + roots + split
    assert "Vehicle Model A" in network.product_names.tolist()
    assert {"W749", "N743"} <= codes(network)
