"""Options: possible measures, their checks, and the network that results from choosing some.

The planner, the simulator and the user all change a network by the one function `apply`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from withstand.errors import DataError, OptionError, UsageError
from withstand.model.findings import Finding, has_errors, make_finding, nearest, sort_findings
from withstand.model.option_checks import (
    conflicts,
    effects_of_nothing,
    idle_options,
    impossible_amounts,
    option_faults,
    unknown_partners,
)
from withstand.model.option_draft import EFFECTS, MODES, Draft, Effect, Use, filled_rows
from withstand.model.option_effects import FIRST, THEN, Change
from withstand.model.option_flows import hold_output
from withstand.model.tables import TABLES
from withstand.model.units import PERIODS_PER_YEAR

if TYPE_CHECKING:
    from withstand.model.network import ProductionNetwork

__all__ = [
    "Effect",
    "Option",
    "Use",
    "apply",
    "check_options",
    "read_options",
]

_PER = re.compile(r"(?:\bper|/)\s*(day|week|month|quarter|year)s?\Z", re.IGNORECASE)
_TIME = re.compile(r"(day|week|month|quarter|year)s?\Z", re.IGNORECASE)
_RATES = ("add_node", "add_capacity")
_TIMES = ("add_stock", "change_lead_time")


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One possible measure.

    Parameters
    ----------
    label, name, kind : str
        Short label, name for people, kind of measure (second_source, stockpile, localise ...).
    cost_once : float, currency
    cost_per_period : float, currency per period
    ready_periods : float, periods from start to effect
    size : str
        "binary", or "continuous" with its limit.
    success_probability : float, 0 to 1
        Chance that it works; `apply` shows the network where it did.
    requires, excludes : tuple of str
        Options that must, or cannot, be chosen too.
    note : str
    effects : tuple of Effect
    uses : tuple of Use
    row : int, optional
        Row of the table, for findings.

    Examples
    --------
    >>> more = Effect(effect="add_capacity", node="mill", amount=5.0)
    >>> Option(label="M2", kind="expand_capacity", effects=(more,)).effects[0].option
    'M2'
    """

    label: str
    name: str = ""
    kind: str = ""
    cost_once: float = 0.0
    cost_per_period: float = 0.0
    ready_periods: float = 0.0
    size: str = "binary"
    success_probability: float = 1.0
    requires: tuple[str, ...] = ()
    excludes: tuple[str, ...] = ()
    note: str = ""
    effects: tuple[Effect, ...] = ()
    uses: tuple[Use, ...] = ()
    row: int | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        """Name the option by its label where it has no name, and in each of its effects."""
        object.__setattr__(self, "name", self.name or self.label)
        effects = tuple(replace(e, option=self.label) for e in self.effects)
        object.__setattr__(self, "effects", effects)


# --- reading --------------------------------------------------------------------------------------


def read_options(network: ProductionNetwork) -> tuple[Option, ...]:
    """Return the options in the tables of a network, in the order of the table.

    Amounts per day, week, month, quarter or year (unit of add_node, add_capacity) become amounts
    per period; times (unit of add_stock, change_lead_time) become periods.

    Examples
    --------
    >>> from withstand.examples import example
    >>> [o.label for o in read_options(example("robot_maker"))][:3]
    ['M01', 'M02', 'M03']
    """
    tables, period = network.tables, network.settings.period
    effects: dict[str, list[Effect]] = {}
    uses: dict[str, list[dict[str, Any]]] = {}
    for row, cells in enumerate(filled_rows(tables, "option_effects")):
        effects.setdefault(cells["option"], []).append(_effect(cells, row, period))
    for cells in filled_rows(tables, "option_uses"):
        uses.setdefault(cells["option"], []).append(cells)
    return tuple(
        _option(cells, row, effects.get(cells["option"], []), uses.get(cells["option"], []))
        for row, cells in enumerate(filled_rows(tables, "options"))
    )


def _option(
    cells: dict[str, Any], row: int, effects: list[Effect], uses: list[dict[str, Any]]
) -> Option:
    same = {c.name for c in TABLES["options"].columns} - {"option", "requires", "excludes"}
    ready = cells.get("ready_periods", 0.0)
    return Option(
        label=cells["option"],
        **{k: v for k, v in cells.items() if k in same},
        requires=_labels(cells.get("requires", "")),
        excludes=_labels(cells.get("excludes", "")),
        effects=tuple(effects),
        uses=tuple(
            Use(product=u["product"], quantity=u["quantity"], periods=u.get("periods", ready))
            for u in uses
        ),
        row=row,
    )


def _labels(text: str) -> tuple[str, ...]:
    return tuple(x.strip() for x in text.split(";") if x.strip())


def _effect(cells: dict[str, Any], row: int, period: str) -> Effect:
    same = {c.name for c in TABLES["option_effects"].columns} - {"from"}
    values = {k: v for k, v in cells.items() if k in same}
    effect = Effect(**values, from_=cells.get("from"), row=row)
    unit = (effect.unit or "").strip()
    if effect.mode == "scale":
        return effect
    if effect.effect in _RATES and (match := _PER.search(unit)):
        factor = PERIODS_PER_YEAR[match[1].lower()] / PERIODS_PER_YEAR[period]
        unit = unit[: match.start()] + "per period"
    elif effect.effect in _TIMES and (match := _TIME.match(unit)):
        factor = PERIODS_PER_YEAR[period] / PERIODS_PER_YEAR[match[1].lower()]
        unit = "periods"
    else:
        return effect
    return replace(
        effect, amount=effect.amount * factor, per_period=effect.per_period * factor, unit=unit
    )


# --- checks ---------------------------------------------------------------------------------------


def check_options(
    network: ProductionNetwork, options: Sequence[Option] | None = None
) -> list[Finding]:
    """Check options without applying them: labels, columns, amounts, circles of requirements.

    Parameters
    ----------
    network : ProductionNetwork
    options : sequence of Option, optional
        Default: those in the tables of the network.

    Returns
    -------
    list of Finding
        E401 unknown label, E402 column missing, E403 circle, E405 impossible amount, E406
        impossible number; of tables also W401 no cost, W402 no effect.

    Examples
    --------
    >>> from withstand.examples import example
    >>> lacking = Effect(effect="add_capacity", amount=1.0)
    >>> wrong = Option(label="A", cost_once=1.0, effects=(lacking,))
    >>> [f.code for f in check_options(example("robot_maker"), [wrong])]
    ['E402']
    """
    findings: list[Finding] = []
    if options is None:
        options = read_options(network)
        findings += [*effects_of_nothing(network, options), *idle_options(network, options)]
    findings += [*unknown_partners(network, options), *option_faults(network, options)]
    return sort_findings(findings)


# --- applying -------------------------------------------------------------------------------------


def apply(
    network: ProductionNetwork,
    options: Iterable[Option | str],
    *,
    at_period: float | None = None,
) -> ProductionNetwork:
    """Return the network that results from carrying out options; the one given stays as it is.

    The order of the options does not matter: effects are carried out by kind (nodes, recipes,
    shares, capacity, then stocks, prices, lead times, reliability), within a kind by mode (set,
    scale, add), then by label of the option.

    Parameters
    ----------
    network : ProductionNetwork
    options : iterable of Option or str
        Options, or labels of options in the tables of the network.
    at_period : float, optional, periods after all options were started
        Only effects in place by then (ready_periods + from_period), with the growth that
        per_period has brought since; an effect on a node that an option adds waits for it.
        Default: everything in place, without growth.

    Returns
    -------
    ProductionNetwork

    Raises
    ------
    OptionError
        With every finding: unknown labels, missing columns, circles, conflicts, impossible
        amounts, or what the changed tables break.
    UsageError
        If two different options have the same label.

    Notes
    -----
    Where outputs are stated or links carry values, outputs at rest do not follow from needs; a
    shift of shares or a changed recipe then moves them by the difference it makes, x = M x + f + r
    with r = what needs did not explain before. Values become shares and recipes of each buyer. A
    node new to such a network has no recipe: add its inputs with change_recipe.

    Examples
    --------
    >>> from withstand.examples import example
    >>> net = example("robot_maker")
    >>> chips = Option(label="CHIPS", effects=(
    ...     Effect(effect="add_node", product="FPGA", region="HOME", amount=150.0),
    ...     Effect(effect="shift_share", product="FPGA", from_="TW", to="FPGA@HOME", amount=0.4)))
    >>> apply(net, [chips]).buyers_of("FPGA@HOME")["share"].to_list()
    [0.4]
    """
    chosen = _chosen(network, options)
    findings = [*option_faults(network, list(chosen.values())), *conflicts(network, chosen)]
    _stop_on_errors(findings)
    effects = _in_place(list(chosen.values()), at_period)
    _stop_on_errors([f for e in effects for f in impossible_amounts(network, e)])
    labels: dict[tuple[str, str], str] = {}
    redesigned = frozenset(e.input for e in effects if e.effect == "change_recipe")
    for rules in (FIRST, THEN):
        own = [e for e in effects if e.effect in rules]
        network = _carried_out(network, own, rules, labels, redesigned)
    return network


def _chosen(network: ProductionNetwork, options: Iterable[Option | str]) -> dict[str, Option]:
    """Return the options by label, in the order of their labels."""
    if isinstance(options, str | Option):
        raise UsageError("options takes a list: apply(network, [option]).")
    own = {o.label: o for o in read_options(network)}
    chosen: dict[str, Option] = {}
    findings = []
    for given in options:
        option = own.get(given) if isinstance(given, str) else given
        if option is None:
            what = "there is no option of this label in the tables of the network"
            findings.append(
                make_finding(
                    "E401",
                    what,
                    column="option",
                    value=given,
                    suggestion=nearest(str(given), list(own)),
                )
            )
        elif chosen.setdefault(option.label, option) != option:
            raise UsageError(f"Two different options have the label '{option.label[:40]}'.")
    _stop_on_errors(findings)
    return dict(sorted(chosen.items()))


def _in_place(options: Sequence[Option], at_period: float | None) -> list[Effect]:
    """Return the effects that are in place at a period, with their growth."""
    effects = [(o.ready_periods + e.from_period, e) for o in options for e in o.effects]
    if at_period is None:
        return [e for _, e in effects]
    there: dict[str | None, float] = {}
    for start, e in effects:
        if e.effect == "add_node":
            there[e.new_node] = min(start, there.get(e.new_node, math.inf))
    grown = []
    for ready, e in effects:
        start = max(ready, *(there.get(x, 0.0) for x in (e.node, e.buyer, e.from_, e.to)))
        if start <= at_period:
            grown.append(replace(e, amount=e.amount + e.per_period * (at_period - start)))
    return grown


def _carried_out(
    network: ProductionNetwork,
    effects: Sequence[Effect],
    rules: Mapping[str, Change],
    labels: dict[tuple[str, str], str],
    redesigned: frozenset[str | None],
) -> ProductionNetwork:
    """Return the network after the effects of one round."""
    if not effects:
        return network
    draft = Draft(network, labels, redesigned)
    if any(e.effect in ("shift_share", "change_recipe") for e in effects):
        hold_output(draft)
    for effect in sorted(effects, key=lambda e: (EFFECTS.index(e.effect), MODES.index(e.mode))):
        rules[effect.effect](draft, effect)
    _stop_on_errors(draft.faults)
    try:
        new = draft.finish()
    except DataError as error:
        raise OptionError(error.findings) from error
    _stop_on_errors(draft.faults)
    return new


def _stop_on_errors(findings: Sequence[Finding]) -> None:
    if has_errors(findings):
        raise OptionError(sort_findings(findings))
