"""Hide names of suppliers, companies and sites: the same numbers in every report of a project."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from withstand.errors import UsageError
from withstand.readers.atomic import lock, write_atomic
from withstand.readers.folder import SETTINGS_FILE

if TYPE_CHECKING:
    from withstand.model.network import ProductionNetwork
    from withstand.report.hidden_names import Hiding

KEPT = "hidden_names.json"
"""Who is who, kept in the project and nowhere else."""


def hiding_for(project: str | os.PathLike[str], networks: Sequence[ProductionNetwork]) -> Hiding:
    """Return the numbers that stand for the names of networks; those of a project are kept in it.

    A name keeps its number in later reports, and new names get new ones. Outside a project folder
    (a workbook, an example) they are drawn anew each time.

    Raises
    ------
    UsageError
        If the file that keeps them is damaged.
    ProjectLockedError
        If another process is writing to the project.
    """
    from withstand.report.hidden_names import Hiding, to_document

    folder = Path(project)
    if not is_project(folder):
        hiding = Hiding(key=secrets.token_bytes(32))
        for network in networks:
            hiding.learn(network)
        return hiding
    with lock(folder):
        hiding = _kept(folder / KEPT) or Hiding(key=secrets.token_bytes(32))
        is_more = [hiding.learn(network) for network in networks]
        if any(is_more):
            text = json.dumps(to_document(hiding), ensure_ascii=False, indent=1)
            write_atomic(folder / KEPT, text.encode())
    return hiding


def is_project(folder: Path) -> bool:
    """Tell whether a folder is a project, in which something may be kept."""
    return folder.is_dir() and ((folder / SETTINGS_FILE).is_file() or (folder / "tables").is_dir())


def with_hidden_names(
    network: ProductionNetwork, project: str | os.PathLike[str]
) -> ProductionNetwork:
    """Return a network in which suppliers, companies and sites are numbers."""
    return hiding_for(project, [network]).network(network)


def _kept(file: Path) -> Hiding | None:
    from withstand.report.hidden_names import from_document

    if not file.exists():
        return None
    try:
        return from_document(json.loads(file.read_bytes()))
    except (OSError, ValueError, AttributeError, RecursionError) as error:
        raise UsageError(
            f"{KEPT} cannot be read, so names would get other numbers than in earlier reports."
            " Bring it back from a copy, or delete it to begin anew."
        ) from error
