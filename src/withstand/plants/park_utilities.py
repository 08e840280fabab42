"""A utility that the plants of a park share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from withstand.errors import UsageError
from withstand.model.units import periods_of, share_of
from withstand.plants.number_checks import number, word

KINDS = ("energy", "service", "material")


@dataclass(frozen=True, kw_only=True)
class Utility:
    """What the plants of a park share: power, water, steam, logistics. It cannot be stored.

    Parameters
    ----------
    product : str
        Its label, new to the network.
    per_unit : float or mapping of node to float, utility units per unit of output
        What the plants need; a mapping names those that need it.
    capacity : float, optional, utility units per period
        Of the shared supply; default what the plants need at rest.
    kind : {"energy", "service", "material"}
    unit : str
    price : float, optional, currency per utility unit
    failures_per_year : float
        Of one supply: the shared one, or each plant's own.
    outage : str or float, text with a unit ("3d") or periods
        How long a failure lasts.
    lost : float, 0 to 1
        Share of the supply that a failure takes.
    cost_shared, cost_own : float, currency per year
        Cost of the shared supply, and of all plants' own ones together, as the user knows them.
    """

    product: str
    per_unit: float | Mapping[str, float]
    capacity: float | None = None
    kind: str = "energy"
    unit: str = "unit"
    price: float | None = None
    failures_per_year: float = 0.0
    outage: str | float = 1.0
    lost: float = 1.0
    cost_shared: float = 0.0
    cost_own: float = 0.0

    def __post_init__(self) -> None:
        """Refuse numbers that cannot be."""
        if not isinstance(self.product, str) or not self.product.strip():
            raise UsageError("A utility needs a product label.")
        word("kind", self.kind, KINDS)
        needs = self.per_unit if isinstance(self.per_unit, Mapping) else {"all": self.per_unit}
        for node, value in needs.items():
            number(f"per_unit of {self.product} ({node})", value)
        for name in ("failures_per_year", "cost_shared", "cost_own"):
            number(f"{name} of {self.product}", getattr(self, name))
        for name in ("capacity", "price"):
            if getattr(self, name) is not None:
                number(f"{name} of {self.product}", getattr(self, name))
        if periods_of(self.outage, "week") <= 0:
            raise UsageError(f"outage of {self.product} must be longer than nothing.")
        share_of(self.lost)

    def need_of(self, node: str) -> float:
        """Return what a unit of a node's output needs, 0 for none."""
        if isinstance(self.per_unit, Mapping):
            return float(self.per_unit.get(node, 0.0))
        return float(self.per_unit)
