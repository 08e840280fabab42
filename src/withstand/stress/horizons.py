"""How long to play a scenario."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from withstand.model.hits import last_period
from withstand.model.units import PERIODS_PER_YEAR
from withstand.stress.arrays import lead_times
from withstand.stress.dense_arrays import slowest_path

if TYPE_CHECKING:
    from withstand.model.network import ProductionNetwork
    from withstand.model.scenario import Scenario
    from withstand.stress.rules import Rules

ENDLESS_YEARS = 2.0
LONGEST_YEARS = 10.0
MOST_TIERS = 30


def horizon(network: ProductionNetwork, scenario: Scenario, rules: Rules | None = None) -> int:
    """Return how many periods show all of a scenario.

    That is until the last recovery, and then until the last gap has come down every tier. Where
    orders close the gap slowly, three times that time is added: 5 % of the gap is left by then.
    """
    per_year = PERIODS_PER_YEAR[network.settings.period]
    end = last_period(scenario, network)
    if any(s.duration is None for s in scenario.shocks):
        end = max(end, ENDLESS_YEARS * per_year)
    if network.flow_table is None:
        longest = float(network.link_lead_time.max(initial=1.0))
        tail = max(2.0 * longest, _slowest_path(network))
    else:  # an economy makes its links only where an engine needs them
        tail = max(2.0, slowest_path(network))
    tail += 3.0 * (rules.stock_adjustment - 1.0) if rules is not None else 0.0
    return int(np.ceil(end + min(tail, LONGEST_YEARS * per_year))) + 2


def _slowest_path(network: ProductionNetwork) -> float:
    """Return the most periods a missing delivery takes to be felt: lead times and stocks, added.

    On networks with circles the walk ends after as many steps as supply chains are deep.
    """
    use = network.input_coefficient * network.output[network.input_buyer]
    with np.errstate(invalid="ignore", divide="ignore"):
        cover = np.where(use > 0, network.input_stock / use, 0.0)
    delay = np.maximum(lead_times(network), 1) + cover[network.link_input]
    buyer = network.input_buyer[network.link_input]
    slowest = np.zeros(network.n_nodes)
    for _ in range(MOST_TIERS):
        following = slowest.copy()
        np.maximum.at(following, network.link_supplier, slowest[buyer] + delay)
        if np.array_equal(following, slowest):
            break
        slowest = following
    return float(slowest.max(initial=0.0))
