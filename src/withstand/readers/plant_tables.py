"""The tables of the plant shorthand: what their columns are called and hold.

Headers may carry a unit (`lead_time_weeks`, `capacity_per_year`, `price_usd`), which is folded out
of them on reading.
"""

from __future__ import annotations

from withstand.model.tables import CLASSES, KINDS, Column, Table


def _text(name: str, meaning: str) -> Column:
    return Column(name=name, meaning=meaning)


def _label(name: str, meaning: str) -> Column:
    return Column(name=name, meaning=meaning, type="label", required=True)


def _number(
    name: str, meaning: str, *, high: float | None = None, required: bool = False
) -> Column:
    return Column(name=name, meaning=meaning, type="number", low=0.0, high=high, required=required)


ITEMS = Table(
    name="items",
    meaning="What is made and bought.",
    key=("id",),
    columns=(
        _label("id", "Short label of the item."),
        _text("name", "Name for people."),
        Column(name="kind", meaning="What sort of product it is.", type="choice", choices=KINDS),
        _text("unit", "Unit in which it is counted."),
        _text("hs_code", "Code of the Harmonized System."),
        _text("technology_domain", "Technology domain, for research options."),
    ),
)
RECIPES = Table(
    name="recipes",
    meaning="What one unit of an item needs.",
    key=("parent", "child"),
    columns=(
        _label("parent", "Item that is made."),
        _label("child", "Item that is needed."),
        _number("qty_per_unit", "Needed per unit made.", required=True),
        _text("flow_type", "consumed, machine-hours or person-hours."),
        Column(name="class", meaning="What happens without it.", type="class", choices=CLASSES),
        _text("unit", "Unit in which the quantity is counted."),
    ),
)
SUPPLIERS = Table(
    name="suppliers",
    meaning="One row per item and supplier.",
    key=("item", "supplier"),
    columns=(
        _label("item", "Item that is supplied."),
        _label("supplier", "Who supplies it."),
        _label("country", "Where it is made."),
        _number("share", "Share of all purchases of the item.", required=True, high=1.0),
        _number("price", "Price of one unit."),
        _number("lead_time", "From shipping to arrival."),
        _number("capacity", "Most the supplier can make."),
        _number("inventory", "Stock of its deliveries held by buyers."),
        _text("company", "Company."),
        _text("site", "Site."),
        _text("route", "Strait, port, pipeline."),
    ),
)
OCCUPATIONS = Table(
    name="occupations",
    meaning="Skilled people behind the skills.",
    key=("id",),
    columns=(
        _label("id", "Skill that is supplied."),
        _text("occupation", "Name of the occupation."),
        _text("soc", "Code in a national list of occupations."),
        _number("person_hours_per_robot", "Hours stated per final product."),
        _number("fte_initial", "People now."),
        _number("annual_separation_rate", "Share that leaves in a year.", high=1.0),
        _number("us_mean_wage_usd", "Mean wage."),
    ),
)
