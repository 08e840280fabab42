"""Options as rows of the tables `options`, `option_effects` and `option_uses`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import polars as pl

from withstand.model.tables import TABLES

if TYPE_CHECKING:
    from withstand.model.option import Option


def option_tables(options: Sequence[Option]) -> dict[str, pl.DataFrame]:
    """Return the tables of the data dictionary that hold some options; those empty are left out.

    Parameters
    ----------
    options : sequence of Option

    Returns
    -------
    dict of str to polars.DataFrame
        `options`, `option_effects`, `option_uses`. Read again, they give the same options.

    Examples
    --------
    >>> from withstand.model.option import Effect, Option
    >>> more = Effect(effect="add_capacity", node="mill", amount=5.0)
    >>> frames = option_tables([Option(label="MILL", kind="expand_capacity", effects=(more,))])
    >>> frames["option_effects"].select("option", "effect", "node", "amount").rows()
    [('MILL', 'add_capacity', 'mill', 5.0)]
    """
    rows: dict[str, list[dict[str, Any]]] = {
        "options": [
            {
                "option": o.label,
                "name": o.name,
                "kind": o.kind,
                "cost_once": o.cost_once,
                "cost_per_period": o.cost_per_period,
                "ready_periods": o.ready_periods,
                "size": o.size,
                "success_probability": o.success_probability,
                "requires": "; ".join(o.requires) or None,
                "excludes": "; ".join(o.excludes) or None,
                "note": o.note or None,
            }
            for o in options
        ],
        "option_effects": [
            {c.name: e.cell(c.name) for c in TABLES["option_effects"].columns}
            for o in options
            for e in o.effects
        ],
        "option_uses": [
            {
                "option": o.label,
                "product": u.product,
                "quantity": u.quantity,
                "periods": None if math.isnan(u.periods) else u.periods,
            }
            for o in options
            for u in o.uses
        ],
    }
    return {
        name: pl.DataFrame(
            own,
            schema={
                c.name: pl.Float64 if c.type == "number" else pl.String
                for c in TABLES[name].columns
            },
        )
        for name, own in rows.items()
        if own
    }
