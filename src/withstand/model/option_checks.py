"""Rules about options: labels, columns, amounts, circles of requirements, conflicts."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from withstand.model.findings import Finding, Origin, make_finding, nearest
from withstand.model.option_draft import Effect, effect_finding, filled_rows
from withstand.model.tables import EVERY_BUYER

if TYPE_CHECKING:
    from withstand.model.network import ProductionNetwork
    from withstand.model.option import Option

LONGEST = 1e6
"""Periods; no time is longer."""
NEEDS: dict[str, tuple[tuple[str, ...], ...]] = {
    "add_node": (("product",), ("region",), ("amount",)),
    "add_capacity": (("node",), ("amount",)),
    "shift_share": (("product",), ("from",), ("to",), ("amount",)),
    "add_stock": (("product",), ("amount",)),
    "change_recipe": (("buyer",), ("input",), ("amount",)),
    "change_price": (("node", "product"), ("amount",)),
    "change_lead_time": (("node", "product"), ("amount",)),
    "change_reliability": (("region",), ("amount",)),
}
"""Columns each effect needs, each group by any one of its names."""
_TABLES_OF = {
    "node": ("nodes",),
    "product": ("products",),
    "region": ("regions",),
    "buyer": ("nodes", "products"),
    "input": ("products",),
    "from": ("nodes", "regions"),
    "to": ("nodes",),
}


def unknown_partners(network: ProductionNetwork, options: Sequence[Option]) -> list[Finding]:
    """Find options that require or exclude one that is not there."""
    findings: list[Finding] = []
    labels = [o.label for o in options]
    for option in options:
        for column in ("requires", "excludes"):
            findings += [
                _finding(
                    "E401",
                    network,
                    option,
                    f"{column} an unknown option",
                    column,
                    x,
                    nearest(x, labels),
                )
                for x in getattr(option, column)
                if x not in labels
            ]
    return findings


def option_faults(network: ProductionNetwork, options: Sequence[Option]) -> list[Finding]:
    """Find what is wrong with options whatever else is chosen."""
    new = {e.new_node: e.product for o in options for e in o.effects if e.effect == "add_node"}
    findings = _circles(network, options)
    for option in options:
        findings += _impossible_numbers(network, option)
        findings += [
            _finding(
                "E401",
                network,
                option,
                "takes an unknown product",
                None,
                use.product,
                nearest(use.product, list(network.index("products"))),
            )
            for use in option.uses
            if use.product not in network.index("products")
        ]
        for effect in option.effects:
            lacking = _lacking(network, effect)
            findings += lacking or [
                *_unknown_labels(network, effect, new),
                *impossible_amounts(network, effect),
            ]
    return findings


def _impossible_numbers(network: ProductionNetwork, option: Option) -> list[Finding]:
    """Find costs, times and chances that cannot be, of the option and of its effects and uses."""
    limits = {
        "cost_once": (option.cost_once, math.inf),
        "cost_per_period": (option.cost_per_period, math.inf),
        "ready_periods": (option.ready_periods, LONGEST),
        "success_probability": (option.success_probability, 1.0 + 1e-9),
    }
    for use in option.uses:
        limits |= {f"quantity of {use.product}": (use.quantity, math.inf)}
        limits |= {f"periods of {use.product}": (use.periods, LONGEST)}
    findings = [
        _finding("E406", network, option, f"has {name} {value}", name.split()[0], str(value))
        for name, (value, most) in limits.items()
        if not (isinstance(value, int | float) and 0 <= value < most)
    ]
    for e in option.effects:
        if not (math.isfinite(e.per_period) and 0 <= e.from_period < LONGEST):
            what = f"per_period {e.per_period} or from_period {e.from_period} cannot be"
            findings.append(effect_finding("E405", network, e, what, "from_period"))
        elif math.isinf(e.amount):
            findings.append(effect_finding("E405", network, e, "the amount is endless", "amount"))
    return findings


def idle_options(network: ProductionNetwork, options: Sequence[Option]) -> list[Finding]:
    """Find options that cost nothing, and options that do nothing."""
    findings = []
    required = {r for o in options for r in o.requires}
    for option in options:
        if option.cost_once == 0 and option.cost_per_period == 0:
            findings.append(_finding("W401", network, option, "costs nothing", "cost_once"))
        if not option.effects and option.label not in required:
            findings.append(_finding("W402", network, option, "has no effect", "option"))
    return findings


def _finding(
    code: str,
    network: ProductionNetwork,
    option: Option,
    what: str,
    column: str | None,
    value: str | None = None,
    near: str | None = None,
) -> Finding:
    origin = network.origins.get("options", Origin("options"))
    return make_finding(
        code,
        f"option {option.label} {what}",
        origin=origin,
        index=option.row,
        column=column,
        value=value or option.label,
        suggestion=near,
    )


def effects_of_nothing(network: ProductionNetwork, options: Sequence[Option]) -> list[Finding]:
    """Find effects and uses whose option has no row."""
    labels = {o.label for o in options}
    findings = []
    for table in ("option_effects", "option_uses"):
        for row, cells in enumerate(filled_rows(network.tables, table)):
            if cells["option"] not in labels:
                findings.append(
                    make_finding(
                        "E401",
                        "the option has no row in the table of options",
                        origin=network.origins.get(table, Origin(table)),
                        index=row,
                        column="option",
                        value=cells["option"],
                        suggestion=nearest(cells["option"], list(labels)),
                    )
                )
    return findings


def _lacking(network: ProductionNetwork, effect: Effect) -> list[Finding]:
    missing = [
        " or ".join(names)
        for names in NEEDS[effect.effect]
        if all(effect.cell(name) is None for name in names)
    ]
    what = f"needs {', '.join(missing)}"
    first = missing[0].split()[0] if missing else ""
    return [effect_finding("E402", network, effect, what, first)] if missing else []


def _unknown_labels(
    network: ProductionNetwork, effect: Effect, new: Mapping[str, str | None]
) -> list[Finding]:
    """Find labels that are not there, and nodes that make another product."""
    findings = []
    for column, tables in _TABLES_OF.items():
        label = effect.cell(column)
        is_new = column == "node" and effect.effect == "add_node"
        is_every = label == EVERY_BUYER and effect.effect in ("shift_share", "add_stock")
        if label is None or is_new or (column == "buyer" and is_every):
            continue
        known = [network.index(t) for t in tables]
        if not any(label in k for k in known) and not ("nodes" in tables and label in new):
            near = nearest(str(label), [x for k in known for x in k])
            what = f"{column} is not in the table of {' or '.join(tables)}"
            findings.append(effect_finding("E401", network, effect, what, column, near))
        elif effect.effect == "shift_share" and column in ("from", "to"):
            findings += _does_not_make(network, effect, column, str(label), new)
    return findings


def _does_not_make(
    network: ProductionNetwork,
    effect: Effect,
    column: str,
    label: str,
    new: Mapping[str, str | None],
) -> list[Finding]:
    at = network.index("nodes").get(label)
    if at is not None or label in new:
        made = new[label] if at is None else network.product_labels[network.node_product[at]]
        if made == effect.product:
            return []
        what = f"{label} makes {made}, not {effect.product}"
    else:
        p = network.index("products").get(str(effect.product))
        here = network.node_region == network.index("regions")[label]
        if p is None or (here & (network.node_product == p)).any():
            return []
        what = f"nobody in {label} makes {effect.product}"
    return [effect_finding("E401", network, effect, what, column)]


def impossible_amounts(network: ProductionNetwork, effect: Effect) -> list[Finding]:
    """Find amounts that no network could take."""
    what = None
    if effect.effect == "shift_share" and not 0 <= effect.amount <= 1:
        what = "a share lies between 0 and 1"
    elif effect.effect == "add_node" and effect.amount < 0:
        what = "capacity may not be negative"
    elif effect.effect == "add_stock" and effect.mode != "add":
        return [effect_finding("E405", network, effect, "stock is only added", "mode")]
    return [effect_finding("E405", network, effect, what, "amount")] if what else []


def _circles(network: ProductionNetwork, options: Sequence[Option]) -> list[Finding]:
    """Find options that require themselves, through others or at once; each circle once."""
    by_label = {o.label: o for o in options}
    findings, inside = [], set[str]()
    for option in options:
        paths = [[option.label]]
        seen = {option.label} | inside
        while paths and option.label not in inside:
            path = paths.pop(0)
            for label in by_label[path[-1]].requires:
                if label == option.label:
                    inside |= set(path)
                    shown = " requires ".join([*path, label])
                    findings.append(
                        _finding("E403", network, option, f"requires itself: {shown}", "requires")
                    )
                    break
                if label in by_label and label not in seen:
                    seen.add(label)
                    paths.append([*path, label])
    return findings


def conflicts(network: ProductionNetwork, chosen: Mapping[str, Option]) -> list[Finding]:
    """Find chosen options that require one not chosen, or exclude one that is."""
    findings = []
    for option in chosen.values():
        for label in option.requires:
            if label not in chosen:
                what = f"requires {label}, which was not chosen"
                findings.append(_finding("E404", network, option, what, "requires", label))
        for label in option.excludes:
            if label in chosen:
                what = f"excludes {label}, which was chosen too"
                findings.append(_finding("E404", network, option, what, "excludes", label))
    return findings
