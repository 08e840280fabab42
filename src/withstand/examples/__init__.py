"""Named networks that ship with the package."""

from __future__ import annotations

from functools import cache
from importlib.resources import as_file, files
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from withstand.errors import UsageError
from withstand.examples.nation import nation_of_firms
from withstand.model.building import build_network
from withstand.model.findings import nearest
from withstand.model.settings import Settings
from withstand.readers.firms import network_from_links
from withstand.readers.folder import read_folder

if TYPE_CHECKING:
    from withstand.model.network import ProductionNetwork

FOLDERS = ("robot_maker",)
NAMES = (*FOLDERS, "nation")


def folder_of(name: str) -> Path:
    """Return the folder of an example that ships with the package as tables.

    Raises
    ------
    UsageError
        If there is no example of that name, or it is made by a program and has no folder.

    Examples
    --------
    >>> (folder_of("robot_maker") / "items.csv").exists()
    True
    """
    _check(name)
    if name not in FOLDERS:
        raise UsageError(
            f"The example '{name}' is made by a program and has no folder; "
            f"withstand new firms --example {name} writes one."
        )
    with as_file(files("withstand.examples") / name) as folder:
        return Path(folder)


def _check(name: str) -> None:
    if name not in NAMES:
        near = nearest(name, NAMES)
        hint = f" Did you mean {near}?" if near else ""
        raise UsageError(f"There is no example '{name[:40]}'; there are: {', '.join(NAMES)}.{hint}")


@cache
def example(name: str = "robot_maker") -> ProductionNetwork:
    """Return a network that ships with the package.

    Parameters
    ----------
    name : {"robot_maker", "nation"}
        A plant with sources for its numbers, or a made-up nation of firms (`nation_of_firms`).

    Examples
    --------
    >>> net = example("robot_maker")
    >>> net.n_nodes, net.n_products, net.n_links, net.n_regions
    (372, 127, 849, 28)
    """
    _check(name)
    return nation_of_firms() if name == "nation" else read_folder(folder_of(name))


def tiny() -> ProductionNetwork:
    """Return the smallest network that shows every verb: three nodes, checked by hand in the docs.

    A plant at home makes gears from steel; two mills supply it, one at home and one in Japan.

    Examples
    --------
    >>> tiny().output.tolist()
    [100.0, 96.0, 24.0]
    """
    return build_network(
        {
            "products": pl.DataFrame(
                {
                    "product": ["GEAR", "STEEL"],
                    "name": ["Precision gear", "Gear steel"],
                    "kind": ["product", "material"],
                    "unit": ["piece", "kg"],
                }
            ),
            "nodes": pl.DataFrame(
                {
                    "node": ["GEAR@HOME", "STEEL@JP", "STEEL@HOME"],
                    "product": ["GEAR", "STEEL", "STEEL"],
                    "region": ["HOME", "JP", "HOME"],
                    "capacity": [125.0, 120.0, 36.0],
                    "final_demand": [100.0, 0.0, 0.0],
                    "price": [35.0, 6.0, 6.0],
                }
            ),
            "recipes": pl.DataFrame({"buyer": ["GEAR"], "input": ["STEEL"], "quantity": [1.2]}),
            "links": pl.DataFrame(
                {
                    "supplier": ["STEEL@JP", "STEEL@HOME"],
                    "buyer": ["*", "*"],
                    "share": [0.8, 0.2],
                    "lead_time": [4.0, 1.0],
                }
            ),
            "stocks": pl.DataFrame({"node": ["*"], "product": ["STEEL"], "periods_of_use": [3.0]}),
            "regions": pl.DataFrame(
                {"region": ["HOME", "JP"], "name": ["Home", "Japan"], "home": [True, False]}
            ),
        },
        Settings(name="Tiny", home="HOME", viewpoint="GEAR", currency="USD"),
    )


def tiny_firms() -> ProductionNetwork:
    """Return three firms with links by value, to be replaced by one's own.

    Examples
    --------
    >>> tiny_firms().output.tolist()
    [50.0, 30.0, 60.0]
    """
    return network_from_links(
        pl.DataFrame(
            {
                "node": ["mill", "foundry", "plant"],
                "product": ["steel", "castings", "machines"],
                "region": ["JP", "HOME", "HOME"],
            }
        ),
        pl.DataFrame(
            {
                "supplier": ["mill", "mill", "foundry"],
                "buyer": ["foundry", "plant", "plant"],
                "value": [20.0, 30.0, 30.0],
            }
        ),
        pl.DataFrame(
            {
                "supplier_product": ["steel", "steel", "castings"],
                "buyer_product": ["castings", "machines", "machines"],
                "class": ["essential", "important", "essential"],
            }
        ),
        name="Tiny firms",
        home="HOME",
    )


__all__ = ["example", "folder_of", "nation_of_firms", "tiny", "tiny_firms"]
