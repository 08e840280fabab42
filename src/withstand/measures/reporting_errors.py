"""How sure a screen is: the chance that a product is flagged, given errors in what is reported."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from withstand.errors import UsageError
from withstand.measures.import_concentrations import indicators_of

if TYPE_CHECKING:
    from withstand.measures.import_concentrations import SupplyBlock
    from withstand.measures.screen_presets import ScreenPreset

Array = np.ndarray


@dataclass(frozen=True, kw_only=True)
class ReportingError:
    """Errors in reported trade: factors, log-normal with mean 1, each on its own.

    What an exporter sells of a product in a year to the bloc and to the rest of the world is each
    multiplied by exp(spread z - spread^2 / 2) with z standard normal. All members buy with the
    same error from one exporter: errors do not cancel within the bloc, which is cautious.

    Parameters
    ----------
    spread : float
        Standard deviation of the logarithm. .2: two of three reports are within 20 %. An
        assumption: set it from mirror statistics where you have them.
    draws : int
        Number of draws; the chance is known to within .5 / sqrt(draws), one standard error.
    seed : int
    """

    spread: float = 0.2
    draws: int = 200
    seed: int = 0

    def __post_init__(self) -> None:
        """Check what was given."""
        if not (0 <= self.spread < 5 and np.isfinite(self.spread)):
            raise UsageError("spread must be between 0 and 5 (log points).")
        if not (isinstance(self.draws, int | np.integer) and 1 <= self.draws <= 100_000):
            raise UsageError("draws must be a whole number between 1 and 100,000.")


def disturbed_holds(
    block: SupplyBlock,
    presets: Sequence[ScreenPreset],
    error: ReportingError,
    least: float,
    exports: str,
    world_exports: str,
) -> dict[str, Array]:
    """Return, for each preset, whether its conditions hold: ndarray(bool), draws x groups.

    The draws of a year depend on the seed, the year and the order of products and exporters, not
    on which other years are looked at.
    """
    to_bloc, to_rest = block.frame["to_bloc"].to_numpy(), block.frame["to_rest"].to_numpy()
    years = block.frame["year"].to_numpy()
    found = {p.name: np.zeros((error.draws, len(block.starts)), bool) for p in presets}
    streams = {int(y): np.random.default_rng([error.seed, int(y)]) for y in np.unique(years)}
    sizes = {int(y): int((years == y).sum()) for y in streams}
    for draw in range(error.draws):
        z = np.concatenate([streams[y].standard_normal((2, sizes[y])) for y in streams], axis=1)
        factors = np.exp(error.spread * z - error.spread**2 / 2)
        numbers = indicators_of(
            block,
            to_bloc * factors[0],
            to_rest * factors[1],
            exports=exports,
            world_exports=world_exports,
        )
        for preset in presets:
            found[preset.name][draw] = holds(preset, numbers, least)
    return found


def holds(preset: ScreenPreset, numbers: dict[str, Array], least: float) -> Array:
    """Return whether all conditions of a preset hold; what is not defined does not."""
    result = numbers["imports"] >= least
    result &= numbers["imports"] > 0
    for condition in preset.conditions:
        value = numbers[condition.indicator]  # comparisons with NaN are false
        passed = value > condition.threshold
        if condition.sign == ">=":
            passed |= value == condition.threshold
        result &= passed
    return result
