"""Where a result came from: network, parameters, seed, versions."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from withstand.model.network import ProductionNetwork

_PACKAGES = ("withstand", "numpy", "scipy", "numba", "polars", "highspy")


@dataclass(frozen=True, kw_only=True)
class Provenance:
    """What was computed, on which network, with what; enough to compute it again."""

    what: str
    network: str
    fingerprint: str
    parameters: Mapping[str, Any]
    seed: int | None = None
    versions: Mapping[str, str] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {
            "what": self.what,
            "network": self.network,
            "fingerprint": self.fingerprint,
            "parameters": dict(self.parameters),
            "seed": self.seed,
            "versions": dict(self.versions),
        }


def provenance_of(
    what: str, network: ProductionNetwork, parameters: Mapping[str, Any], seed: int | None = None
) -> Provenance:
    """Return the provenance of a result computed now on a network."""
    return Provenance(
        what=what,
        network=network.name,
        fingerprint=network.fingerprint(),
        parameters=dict(parameters),
        seed=seed,
        versions=versions(),
    )


def versions() -> dict[str, str]:
    """Return the versions of Python and of the packages that numbers depend on."""
    return dict(_versions())


@cache
def _versions() -> dict[str, str]:
    found = {"python": sys.version.split()[0]}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed"
    return found
