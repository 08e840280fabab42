"""How makers, buyers and shippers behave in a simulation: the rules, as named values."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

from withstand.errors import UsageError
from withstand.model.findings import nearest
from withstand.model.units import periods_of

INPUT_RULES = ("classes", "leontief", "linear")
ORDER_RULES = ("wanted", "made")
TARGET_RULES = ("rest", "wanted")
RATIONING_RULES = ("proportional", "final_first", "final_last")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """Rules of a simulation; the page "mechanisms" says where in a period each one acts.

    Parameters
    ----------
    inputs : {"classes", "leontief", "linear"}
        How inputs at hand limit output: essential, important and minor ones as Pichler et al.
        (2022) say; all of them as essential; or all of them together, as perfect substitutes.
    psi : float, 0 to 1, or None
        Rule of the ARIO models: a stock below `psi` times the target at wanted output limits
        output in proportion. None: stock limits only by what is at hand.
    orders : {"wanted", "made"}
        What orders replace: the input that wanted output needs, or what was used.
    targets : {"rest", "wanted"}
        Stock and goods under way that orders aim at: as at rest; or in proportion to wanted output,
        where what is above that is not set against orders.
    stock_adjustment : float, periods, at least 1
        Time over which orders close the gap to target stocks.
    rationing : {"proportional", "final_first", "final_last"}
        Who is served when output falls short of demand: all alike, final demand before other
        buyers, or after them.
    priority : tuple of str
        Labels of buyers that are served before all others, in this order.
    alpha_max : float, at least 1
        Most that capacity can grow to by overtime, as a multiple of capacity.
    alpha_periods : float, periods, above 0
        Time in which overcapacity grows towards `alpha_max` under scarcity, and goes back after.
    reroute : bool
        Whether orders move from suppliers that fail to suppliers of the same input that have
        spare capacity, once the time to switch of the link (`switch_periods`) has passed.
    switch_periods : float, periods, at least 0
        Time to switch on links that do not state one.

    Raises
    ------
    UsageError
        For a word or a number that cannot be.
    """

    inputs: str = "classes"
    psi: float | None = None
    orders: str = "wanted"
    targets: str = "rest"
    stock_adjustment: float = 1.0
    rationing: str = "proportional"
    priority: tuple[str, ...] = ()
    alpha_max: float = 1.0
    alpha_periods: float = 1.0
    reroute: bool = False
    switch_periods: float = 0.0

    def __post_init__(self) -> None:
        """Refuse words and numbers that cannot be."""
        object.__setattr__(self, "priority", tuple(self.priority))
        for name, known in (
            ("inputs", INPUT_RULES),
            ("orders", ORDER_RULES),
            ("targets", TARGET_RULES),
            ("rationing", RATIONING_RULES),
        ):
            value = getattr(self, name)
            if value not in known:
                near = nearest(str(value), known)
                raise UsageError(
                    f"{name} must be one of {', '.join(known)}, not '{str(value)[:40]}'."
                    + (f" Did you mean {near}?" if near else "")
                )
        for name, low, high in (
            ("stock_adjustment", 1.0, 1e6),
            ("alpha_max", 1.0, 1e6),
            ("alpha_periods", 1e-9, 1e6),
            ("switch_periods", 0.0, 1e6),
        ):
            self._in_range(name, low, high)
        if self.psi is not None:
            self._in_range("psi", 0.0, 1.0)

    def _in_range(self, name: str, low: float, high: float) -> None:
        value = getattr(self, name)
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if not is_number or not low <= value <= high:
            raise UsageError(f"{name} must be a number from {low:g} to {high:g}, not {value!r}.")


PRESETS: dict[str, Rules] = {
    "default": Rules(),
    "ario": Rules(
        inputs="leontief",
        psi=0.8,
        orders="made",
        targets="wanted",
        stock_adjustment=60.0,
        alpha_max=1.25,
        alpha_periods=365.0,
    ),
    "inoue_todo": Rules(inputs="leontief", orders="wanted", stock_adjustment=6.0),
    "pichler": Rules(inputs="classes", orders="wanted", stock_adjustment=10.0),
}
"""Rules of published models, times in days: Hallegatte (2013), Inoue and Todo (2019), Pichler et
al. (2022). The page "mechanisms" says how they differ from the models themselves."""


def rules_of(rules: Rules | str, period: str = "day") -> Rules:
    """Return rules as they are, or the preset of that name with its times in periods.

    Parameters
    ----------
    rules : Rules or str
    period : {"day", "week", "month", "quarter", "year"}
        Period of the network. Stocks cannot be refilled in less than one.

    Raises
    ------
    UsageError
        If there is no preset of that name.

    Examples
    --------
    >>> rules_of("ario").stock_adjustment, round(rules_of("ario", "week").stock_adjustment, 3)
    (60.0, 8.571)
    """
    if isinstance(rules, Rules):
        return rules
    if not isinstance(rules, str) or rules not in PRESETS:
        near = nearest(str(rules), list(PRESETS))
        raise UsageError(
            f"There are no rules '{str(rules)[:40]}'; use one of {', '.join(PRESETS)}."
            + (f" Did you mean {near}?" if near else "")
        )
    preset = PRESETS[rules]
    if rules == "default":
        return preset
    overtime = preset.alpha_periods
    if preset.alpha_max > 1.0:
        overtime = periods_of(f"{overtime} days", period)
    refill = max(1.0, periods_of(f"{preset.stock_adjustment} days", period))
    return replace(preset, stock_adjustment=refill, alpha_periods=overtime)


def rules_to_dict(rules: Rules) -> dict[str, Any]:
    """Return the rules that differ from the default, as plain values."""
    default = Rules()
    return {
        f.name: getattr(rules, f.name)
        for f in fields(Rules)
        if getattr(rules, f.name) != getattr(default, f.name)
    }


def with_rules(rules: Rules | str, values: dict[str, Any], period: str = "day") -> Rules:
    """Return rules with some values replaced; an unknown name is an error."""
    known = [f.name for f in fields(Rules)]
    for name in values:
        if name not in known:
            near = nearest(name, known)
            raise UsageError(
                f"There is no rule '{name[:40]}'." + (f" Did you mean {near}?" if near else "")
            )
    return replace(rules_of(rules, period), **values)
