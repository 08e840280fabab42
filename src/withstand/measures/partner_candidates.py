"""Who could be a partner: regions or blocs, those ruled out with the reason, and home."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from withstand.errors import UsageError
from withstand.measures.selections import Labels, select_regions

if TYPE_CHECKING:
    from withstand.model.network import ProductionNetwork

Array = np.ndarray
Candidates = Sequence[str] | Mapping[str, Sequence[str]]
MOST_CANDIDATES = 500


@dataclass(frozen=True, kw_only=True, eq=False)
class Side:
    """Home and the candidates: who is always there, and who may be added.

    Parameters
    ----------
    home : ndarray of int64
        Regions that always supply.
    labels : tuple of str
        Candidates, in the order given, or by label.
    regions : tuple of ndarray of int64
        Regions of each candidate: one, or those of its bloc.
    excluded : polars.DataFrame
        candidate, region, reason: regions that are in no set, whatever it covers.
    """

    home: Array
    labels: tuple[str, ...]
    regions: tuple[Array, ...]
    excluded: pl.DataFrame

    @property
    def n(self) -> int:
        """Number of candidates."""
        return len(self.labels)


def home_of(network: ProductionNetwork, home: Labels) -> Array:
    """Return the regions that are home: ndarray of int64.

    Raises
    ------
    UsageError
        If a label is unknown, or nothing says where home is.
    """
    found = np.flatnonzero(network.is_home) if home is None else select_regions(network, home)
    if len(found) == 0:
        raise UsageError(
            "Nothing says which region is home, so nobody is a partner. Give home='DE' (a region "
            "or a bloc), or set home in withstand.toml."
        )
    return found


def candidates_of(network: ProductionNetwork, candidates: Candidates | None, home: Array) -> Side:
    """Return home and the candidates; regions that the law rules out are never among them.

    Raises
    ------
    UsageError
        If a label is unknown, a region stands in two candidates, or nobody is left.
    """
    has_nodes = np.bincount(network.node_region, minlength=network.n_regions) > 0
    is_home = np.zeros(network.n_regions, dtype=bool)
    is_home[home] = True
    taken: dict[int, str] = {}
    labels: list[str] = []
    regions: list[Array] = []
    excluded: list[tuple[str, str, str]] = []
    for label, members in _asked(network, candidates, is_home):
        kept = []
        for r in members:
            if r in taken:
                raise UsageError(
                    f"{network.region_labels[r]} stands in two candidates, {taken[r]} and {label}; "
                    "leave one of them out."
                )
            taken[r] = label
            why = _reason(network, r, is_home, has_nodes)
            if why is None:
                kept.append(r)
            else:
                excluded.append((label, str(network.region_labels[r]), why))
        if kept:
            labels.append(label)
            regions.append(np.array(kept, dtype=np.int64))
    if not labels:
        raise UsageError(
            "No candidate is left: every one is home, not allowed, or makes nothing here."
        )
    if len(labels) > MOST_CANDIDATES:
        raise UsageError(
            f"There are {len(labels):,} candidates; name at most {MOST_CANDIDATES}, or put "
            "regions together: candidates={'name': ['region', 'region']}."
        )
    return Side(
        home=home,
        labels=tuple(labels),
        regions=tuple(regions),
        excluded=pl.DataFrame(
            excluded,
            schema={"candidate": pl.String, "region": pl.String, "reason": pl.String},
            orient="row",
        ),
    )


def _asked(
    network: ProductionNetwork, candidates: Candidates | None, is_home: Array
) -> list[tuple[str, list[int]]]:
    """Return the label of each candidate and its regions."""
    if candidates is None:
        at = np.flatnonzero(~is_home)
        asked = sorted((str(network.region_labels[r]), [int(r)]) for r in at)
    elif isinstance(candidates, str):
        raise UsageError(f"candidates takes a list of regions: candidates=['{candidates[:40]}'].")
    elif isinstance(candidates, Mapping):
        asked = [
            (str(name), select_regions(network, members).tolist())
            for name, members in candidates.items()
        ]
    else:
        given = dict.fromkeys(str(x) for x in candidates)
        asked = [(label, select_regions(network, label).tolist()) for label in given]
    return asked


def _reason(network: ProductionNetwork, r: int, is_home: Array, has_nodes: Array) -> str | None:
    """Return why a region cannot be a partner, or None."""
    if is_home[r]:
        why = "is home"
    elif not network.is_allowed[r]:
        why = "not allowed to supply (column allowed of the table regions)"
    elif not has_nodes[r]:
        why = "makes nothing in this network"
    else:
        return None
    return why
