"""Networks in and out: load, check, new projects, the input workbook."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from withstand import examples, readers
from withstand.errors import DataError, UsageError
from withstand.readers.atomic import write_atomic

if TYPE_CHECKING:
    from withstand.model.findings import Finding
    from withstand.model.network import ProductionNetwork


def load(path: str | os.PathLike[str]) -> ProductionNetwork:
    """Return the network of a project folder, a workbook, or `example:NAME`."""
    text = os.fspath(path)
    if text.startswith("example:"):
        return examples.example(text.removeprefix("example:"))
    return readers.read_folder(path)


def check(path: str | os.PathLike[str]) -> tuple[ProductionNetwork | None, tuple[Finding, ...]]:
    """Return the network (None where it has errors) and every finding."""
    try:
        network = load(path)
    except DataError as error:
        return None, error.findings
    return network, network.findings


def new_project(
    path: str | os.PathLike[str],
    *,
    lens: str = "plant",
    example: str | None = None,
    name: str | None = None,
) -> Path:
    """Make a project folder: a copy of an example, or the tables of a tiny network to replace."""
    folder = _new_folder(path)
    blank = examples.tiny if lens == "plant" else examples.tiny_firms
    network = examples.example(example) if example else blank()
    called = name or (network.name if example else folder.name)
    settings = replace(
        network.settings, name=called, lens=network.settings.lens if example else lens
    )
    return readers.write_folder(replace(network, settings=settings), folder)


def new_economy(
    path: str | os.PathLike[str],
    table: str | os.PathLike[str],
    *,
    layout: str | None = None,
    year: int | None = None,
    home: str | None = None,
    accounts: str | os.PathLike[str] | None = None,
    name: str | None = None,
) -> ProductionNetwork:
    """Make a project folder of an input-output table, and return its economy.

    Arguments as in `withstand.read_mrio`.

    Raises
    ------
    UsageError
        If the folder is there already and not empty.
    DataError
        With every fault of the table.
    """
    folder = _new_folder(path)
    network = readers.read_mrio(table, layout, year=year, home=home, accounts=accounts)
    if name is not None:
        network = replace(network, settings=replace(network.settings, name=name))
    readers.write_folder(network, folder)
    return network


def _new_folder(path: str | os.PathLike[str]) -> Path:
    folder = Path(path)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(f"{folder} is there already and not empty; name a new folder.")
    return folder


def write_template(path: str | os.PathLike[str], *, force: bool = False) -> Path:
    """Write the input workbook: a read-me sheet, drop-downs, example rows.

    Raises
    ------
    UsageError
        If the file is there already and `force` is not set, or its name does not end in .xlsx.
    """
    from withstand.readers.template import template_bytes

    target = Path(path)
    if target.suffix.lower() != ".xlsx":
        raise UsageError(f"{target.name}: a template is a workbook; end its name in .xlsx.")
    if target.exists() and not force:
        raise UsageError(f"{target} is there already; name another file, or use --force.")
    write_atomic(target, template_bytes())
    return target
