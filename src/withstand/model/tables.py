"""The data dictionary: every table's columns with type, unit, default, meaning.

One place that the reader, the checks, the template and the reference page all read. A table may
also carry `source`, `as_of`, `basis`, `confidence` and `<column>_basis` columns, which are kept and
shown ("why"); columns that nobody knows are kept with a note.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

KINDS = (
    "product",
    "assembly",
    "component",
    "material",
    "equipment",
    "skill",
    "software",
    "service",
    "energy",
)
CLASSES = ("minor", "important", "essential")  # the position is the number: 0, 1, 2
USES = ("consumed", "hours", "hosted")  # the position is the number used in arrays
EVERY_BUYER = "*"
ANNOTATIONS = ("source", "as_of", "basis", "confidence")


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column of the data dictionary.

    Parameters
    ----------
    name, meaning : str
        The header, and what it says in one sentence.
    type : {"label", "text", "number", "integer", "yesno", "choice", "class"}
        A label names something and may not be blank; text is free.
    unit : str
        Unit in words, for instance "periods" or "currency per unit".
    default : str
        What an empty cell means, in words.
    required : bool
        Whether the column must be there and filled.
    choices : tuple of str
        Allowed words of a choice.
    low, high : float, optional
        Allowed range, ends included.
    refers_to : tuple of str
        Tables whose key the label must be found in (any of them).
    """

    name: str
    meaning: str
    type: str = "text"
    unit: str = ""
    default: str = "empty"
    required: bool = False
    choices: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None
    refers_to: tuple[str, ...] = ()
    example: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """One table of the data dictionary: its columns, its key and what it is for."""

    name: str
    meaning: str
    columns: tuple[Column, ...]
    key: tuple[str, ...] = ()
    names: dict[str, Column] = field(default_factory=dict, compare=False, repr=False)

    def __post_init__(self) -> None:
        """Index the columns by name."""
        self.names.update({c.name: c for c in self.columns})

    @property
    def required(self) -> tuple[str, ...]:
        """Names of the columns that must be there."""
        return tuple(c.name for c in self.columns if c.required)


def _label(name: str, meaning: str, *refers_to: str, required: bool = True, **more: Any) -> Column:
    return Column(
        name=name, meaning=meaning, type="label", required=required, refers_to=refers_to, **more
    )


def _number(
    name: str,
    meaning: str,
    unit: str,
    default: str = "empty",
    *,
    required: bool = False,
    low: float | None = 0.0,
    high: float | None = None,
    example: str = "",
) -> Column:
    return Column(
        name=name,
        meaning=meaning,
        type="number",
        unit=unit,
        default=default,
        required=required,
        low=low,
        high=high,
        example=example,
    )


def _text(name: str, meaning: str, default: str = "empty", example: str = "") -> Column:
    return Column(name=name, meaning=meaning, default=default, example=example)


def _choice(name: str, meaning: str, choices: tuple[str, ...], default: str, **more: Any) -> Column:
    return Column(
        name=name, meaning=meaning, type="choice", choices=choices, default=default, **more
    )


def _class(default: str) -> Column:
    return Column(
        name="class",
        meaning="What happens without the input: essential stops output in proportion, important"
        " lets it run down, minor never binds. Also written 2, 1, 0.",
        type="class",
        choices=CLASSES,
        default=default,
        example="essential",
    )


FLOW = "units per period"
MONEY = "currency per unit"

_TABLES = (
    Table(
        name="products",
        meaning="What is made and bought. Skilled hours, machine hours and software are products.",
        key=("product",),
        columns=(
            _label("product", "Short label of the product.", example="GEAR"),
            _text("name", "Name for people.", "the label", "Precision gear"),
            _choice("kind", "What sort of product it is.", KINDS, "component", example="component"),
            _text("unit", "Unit in which it is counted.", "unit", "piece"),
            _text("hs", "Code of the Harmonized System.", example="848340"),
            _text("technology_domain", "Technology domain, for research options."),
        ),
    ),
    Table(
        name="nodes",
        meaning="Who makes what, where. A firm that makes three products is three nodes of a site.",
        key=("node",),
        columns=(
            _label("node", "Short label of the node.", example="GEAR@HOME"),
            _label("product", "The one product it makes.", "products", example="GEAR"),
            _label("region", "Where it makes it.", "regions", example="HOME"),
            _text("site", "Site that several nodes share."),
            _text("company", "Company that several nodes share."),
            _number("output", "Output at rest.", FLOW, "what its buyers and final demand need"),
            _number("capacity", "Most it can make.", FLOW, "its output", example="120"),
            _number(
                "final_demand",
                "Sold outside the network; the sum of its rows in final_demand.",
                FLOW,
                "0",
                low=None,
            ),
            _number("price", "Price of one unit.", MONEY, "not known", example="35"),
            _number(
                "value_added",
                "Value added at rest.",
                "currency per period",
                "output value less inputs",
                low=None,
            ),
            _number("unmet_value", "Loss for one unit of unmet final demand.", MONEY, "the price"),
            _number(
                "recovery_periods", "Time to be back after a failure.", "periods", "as the shock"
            ),
            _number("latitude", "Latitude.", "degrees", low=-90, high=90),
            _number("longitude", "Longitude.", "degrees", low=-180, high=180),
        ),
    ),
    Table(
        name="final_demand",
        meaning="Sales to final users by region and category.",
        key=("node", "region", "category"),
        columns=(
            _label("node", "Who sells.", "nodes", example="GEAR@HOME"),
            _label("region", "Where the final user is.", "regions", example="HOME"),
            _label("category", "Households, government, investment, export ...", example="sales"),
            _number("value", "Sold per period.", FLOW, required=True, low=None, example="100"),
        ),
    ),
    Table(
        name="extensions",
        meaning="Other totals of a node: employment, hours, emissions.",
        key=("node", "name"),
        columns=(
            _label("node", "The node.", "nodes"),
            _label("name", "What is counted."),
            _number("value", "How much per period.", "as the column unit", required=True, low=None),
            _text("unit", "Unit of the value."),
        ),
    ),
    Table(
        name="recipes",
        meaning="What one unit of output needs. A row for a product holds for all its nodes whose"
        " recipe is known; a row for a node holds for that node.",
        key=("buyer", "input"),
        columns=(
            _label("buyer", "Node or product that needs it.", "nodes", "products", example="GEAR"),
            _label("input", "Product that is needed.", "products", example="STEEL"),
            _number(
                "quantity",
                "Needed per unit of output.",
                "units per unit",
                required=True,
                example="1.2",
            ),
            _class("essential"),
            _choice(
                "use",
                "Consumed goods are used up; hours are fresh every period and cannot be stored;"
                " hosted by-products follow the host's activity.",
                USES,
                "hours for skills and equipment, else consumed",
                example="consumed",
            ),
            _number("lag", "From use of the input to output.", "periods", "0"),
        ),
    ),
    Table(
        name="links",
        meaning="Which supplier serves which buyer, with what share of its purchases.",
        key=("supplier", "buyer", "product", "route"),
        columns=(
            _label("supplier", "Node that sells.", "nodes", example="STEEL@HOME"),
            _label(
                "buyer",
                "Node that buys; a product means all its nodes, * every buyer.",
                "nodes",
                "products",
                example="*",
            ),
            _label(
                "product",
                "What is bought.",
                "products",
                required=False,
                default="the supplier's product",
                example="STEEL",
            ),
            _number(
                "share",
                "Share of the buyer's purchases of this product.",
                "0 to 1",
                "from value",
                high=1.0,
                example="1",
            ),
            _number("value", "Value sold per period, in place of a share.", "currency per period"),
            _number("lead_time", "From shipping to arrival.", "periods", "1; hours 0", example="4"),
            _number("lead_time_spread", "Standard deviation of it.", "periods", "0"),
            _text("route", "Strait, port, pipeline: something a scenario can close."),
            _number("minimum_lot", "Smallest delivery.", "units", "0"),
            _number("capacity", "Most that can pass.", FLOW, "no limit"),
            _number("price", "Price on this link.", MONEY, "the supplier's price"),
            _number("switch_periods", "Time to switch to this supplier.", "periods", "0"),
        ),
    ),
    Table(
        name="stocks",
        meaning="Stock of an input that a buyer holds at rest.",
        key=("node", "product"),
        columns=(
            _label(
                "node",
                "Who holds it; a product means all its nodes, * every buyer.",
                "nodes",
                "products",
                example="*",
            ),
            _label("product", "What is held.", "products", example="STEEL"),
            _number(
                "quantity",
                "How much is held; in a row for * or a product, each buyer holds that much.",
                "units",
                "periods_of_use x use",
            ),
            _number(
                "periods_of_use",
                "How long it lasts at rest.",
                "periods",
                "quantity / use",
                example="4",
            ),
            _number(
                "target",
                "What the buyer tries to hold; in a row for * or a product, each buyer.",
                "units",
                "the stock at rest",
            ),
        ),
    ),
    Table(
        name="regions",
        meaning="Countries, provinces, blocs of unknown detail.",
        key=("region",),
        columns=(
            _label("region", "Short label.", example="HOME"),
            _text("name", "Name for people.", "the label", "Home"),
            Column(
                name="home",
                meaning="Whether it is home.",
                type="yesno",
                default="no",
                example="yes",
            ),
            _text("bloc", "Blocs it belongs to, separated by a semicolon.", example="EU;OECD"),
            _number("reliability", "How far it can be relied upon.", "0 to 1", "1", high=1.0),
            Column(
                name="allowed",
                meaning="Whether the law lets it supply.",
                type="yesno",
                default="yes",
            ),
        ),
    ),
    Table(
        name="classes",
        meaning="How badly each sector misses each input, for networks of firms.",
        key=("supplier_product", "buyer_product"),
        columns=(
            _label("supplier_product", "Product that is bought.", "products"),
            _label("buyer_product", "Product of the buyer.", "products"),
            _class("important"),
        ),
    ),
    Table(
        name="occupations",
        meaning="Skilled people behind the products of kind skill.",
        key=("occupation",),
        columns=(
            _label("occupation", "Short label.", example="GRINDER"),
            _text("name", "Name for people.", "the label", "Gear grinder"),
            _label(
                "product",
                "The skill it supplies.",
                "products",
                required=False,
                default="none",
                example="SK_GRIND",
            ),
            _text("code", "Code in a national list of occupations.", example="51-4041"),
            _number("people", "People now.", "people", "not known"),
            _number("people_needed", "People needed at rest.", "people", "not known"),
            _number(
                "hours_per_period",
                "Hours one person works.",
                "hours per period",
                "1650 hours a year",
            ),
            _number(
                "exit_rate",
                "Leave the labour force. A separation rate stated in its place counts transfers"
                " too: state those apart where they are known.",
                "share per year",
                "0",
                high=1.0,
            ),
            _number(
                "transfer_rate",
                "Move to other occupations. What the table of transfers does not name goes to"
                " occupations that are not listed: these people are qualified, but elsewhere.",
                "share per year",
                "the sum of the transfers",
                high=1.0,
            ),
            _number("wage", "Mean wage.", "currency per year"),
        ),
    ),
    Table(
        name="people",
        meaning="People now, by occupation, region, age band and qualification. Occupations"
        " without a row here have their people in one group at home.",
        key=("occupation", "region", "age_band", "qualification"),
        columns=(
            _label("occupation", "What they work as.", "occupations", example="GRINDER"),
            _label("region", "Where they work.", "regions", example="HOME"),
            _text(
                "age_band",
                "Ages from and to, as 25-34 or 65+: a band of ten years loses a tenth of its"
                " people a year to the next band. Any other word does not grow older.",
                "no age",
                "25-34",
            ),
            _text("qualification", "What they are qualified for.", "none", "apprenticeship"),
            _number("people", "People at work now.", "people", required=True, example="33"),
            _number(
                "exit_rate",
                "Leave the labour force.",
                "share per year",
                "as the occupation",
                high=1.0,
            ),
            _number(
                "transfer_rate",
                "Move to other occupations.",
                "share per year",
                "as the occupation",
                high=1.0,
            ),
            _number("elsewhere", "Qualified, but at work elsewhere.", "people", "0"),
            _number(
                "return_rate", "Of those elsewhere, come back.", "share per year", "0", high=1.0
            ),
            _number("arrivals", "Join from outside, all year.", "people per year", "0"),
        ),
    ),
    Table(
        name="transfers",
        meaning="Moves from one occupation (or region) to another.",
        key=("from", "to", "from_region", "to_region"),
        columns=(
            _label("from", "Occupation they leave.", "occupations"),
            _label("to", "Occupation they take up; the same one to change region.", "occupations"),
            _number("share", "Share that moves.", "share per year", required=True, high=1.0),
            _label(
                "from_region", "Region they leave.", "regions", required=False, default="every one"
            ),
            _label(
                "to_region",
                "Region they move to.",
                "regions",
                required=False,
                default="the same region",
            ),
        ),
    ),
    Table(
        name="programmes",
        meaning="Training programmes that add people to an occupation.",
        key=("programme",),
        columns=(
            _label("programme", "Short label."),
            _label("occupation", "The occupation it feeds.", "occupations"),
            _number("duration", "Length; above 0.", "periods", required=True),
            _number(
                "completion", "Share that completes; the rest is gone.", "0 to 1", "1", high=1.0
            ),
            _number("seats", "Places for new entrants.", "people per year", "no limit"),
            _number("seat_growth", "Most that places can grow.", "share per year", "0"),
            _number("trainers_per_seat", "Trainers one place needs.", "people per place", "0"),
            _number("cost", "Cost of one place, paid on entry.", "currency per place", "0"),
            _number("retention", "Graduates who take up the work.", "0 to 1", "1", high=1.0),
            _label(
                "region", "Where its graduates work.", "regions", required=False, default="home"
            ),
            _label(
                "from_occupation",
                "Occupation that its entrants leave, for upskilling.",
                "occupations",
                required=False,
                default="from outside",
            ),
            _number("intake", "Planned entrants.", "people per year", "seats; without seats none"),
            Column(
                name="first_year",
                meaning="First year with entrants; if it lies before the first year played, those"
                " who entered since then are in training.",
                type="integer",
                default="the first year played",
                low=0,
                high=9999,
            ),
            _text("age_band", "Age band of its graduates.", "that of the first group there"),
            _text("qualification", "Qualification of its graduates.", "as the first group there"),
        ),
    ),
    Table(
        name="intakes",
        meaning="Entrants of a programme in single years, in place of its intake. Entrants of years"
        " before the first year played are in training.",
        key=("programme", "year"),
        columns=(
            _label("programme", "The programme.", "programmes"),
            Column(
                name="year",
                meaning="Year of entry.",
                type="integer",
                required=True,
                low=0,
                high=9999,
            ),
            _number("people", "Entrants, over the whole year.", "people", required=True),
        ),
    ),
    Table(
        name="placements",
        meaning="Where graduates of a programme take up work, if not all in its own occupation.",
        key=("programme", "occupation", "region"),
        columns=(
            _label("programme", "The programme.", "programmes"),
            _label("occupation", "What they work as.", "occupations"),
            _number(
                "share",
                "Share of those who take up the work.",
                "0 to 1",
                required=True,
                high=1.0,
            ),
            _label(
                "region",
                "Where they work.",
                "regions",
                required=False,
                default="that of the programme",
            ),
        ),
    ),
    Table(
        name="options",
        meaning="Possible measures, one row each.",
        key=("option",),
        columns=(
            _label("option", "Short label.", example="SECOND_MILL"),
            _text("name", "Name for people.", "the label", "Qualify a second steel mill"),
            _label("kind", "Kind of measure.", example="second_source"),
            _number("cost_once", "Cost to start.", "currency", "0", example="500000"),
            _number("cost_per_period", "Running cost.", "currency per period", "0"),
            _number("ready_periods", "From start to effect.", "periods", "0", example="26"),
            _text("size", "binary, or continuous with its limit.", "binary"),
            _number("success_probability", "Chance that it works.", "0 to 1", "1", high=1.0),
            _text("requires", "Options that must be chosen too, separated by a semicolon."),
            _text("excludes", "Options that cannot be chosen too, separated by a semicolon."),
            _text("note", "Anything else."),
        ),
    ),
    Table(
        name="option_effects",
        meaning="What an option changes in the network.",
        key=(),
        columns=(
            _label("option", "The option.", "options", example="SECOND_MILL"),
            Column(
                name="effect",
                meaning="What is changed.",
                type="choice",
                required=True,
                choices=(
                    "add_node",
                    "add_capacity",
                    "shift_share",
                    "add_stock",
                    "change_recipe",
                    "change_price",
                    "change_lead_time",
                    "change_reliability",
                ),
                example="shift_share",
            ),
            _label("node", "Node it acts on, or its new label.", required=False),
            _label("product", "Product it acts on.", "products", required=False, example="STEEL"),
            _label("region", "Region it acts on.", "regions", required=False),
            _label("buyer", "Buyer whose recipe or shares change.", required=False),
            _label("input", "Input whose quantity changes.", "products", required=False),
            _label("from", "Supplier that loses share.", required=False, example="STEEL@FAR"),
            _label("to", "Supplier that gains share.", required=False, example="STEEL@HOME"),
            _number(
                "amount",
                "How much. For add_stock: units in all, split among the buyers by their use, or"
                " periods of use for each of them. For shift_share: 0 to 1, see mode.",
                "as the column unit",
                required=True,
                low=None,
                example="0.3",
            ),
            _text(
                "unit",
                "Unit of the amount. Capacity (add_node, add_capacity) may end in per day, week,"
                " month, quarter or year (t per year, t/year). Lead times and stocks may be in"
                " periods, days, weeks, months, quarters or years; any other unit of a stock means"
                " units in all.",
                "units, per period for capacity; periods for lead times",
            ),
            _choice(
                "mode",
                "How the amount acts: set puts it in place of what was, add adds it, scale"
                " multiplies by it. For shift_share, add moves a share of the buyer's purchases,"
                " scale moves a part of what `from` delivers, set is the share `from` is left"
                " with. Stock is only added.",
                ("set", "add", "scale"),
                "add",
            ),
            _number("price", "Price of what a new node makes.", MONEY, "the product's price"),
            _number("from_period", "First period after the option is ready.", "periods", "0"),
            _number("per_period", "Growth of the amount.", "per period", "0", low=None),
        ),
    ),
    Table(
        name="option_uses",
        meaning="What building an option takes from the network: machines, skilled hours, robots.",
        key=("option", "product"),
        columns=(
            _label("option", "The option.", "options"),
            _label("product", "What it takes.", "products"),
            _number("quantity", "How much in all.", "units", required=True),
            _number("periods", "Over how long.", "periods", "ready_periods of the option"),
        ),
    ),
    Table(
        name="targets",
        meaning="What is to be reached, by year.",
        key=(),
        columns=(
            _label("indicator", "What is measured."),
            _text("filter", "For which part of the network."),
            _choice("direction", "Which side is good.", ("at_least", "at_most"), "at_least"),
            Column(
                name="year", meaning="By when.", type="integer", required=True, low=1900, high=2200
            ),
            _number("value", "How much.", "as the indicator", required=True, low=None),
        ),
    ),
    Table(
        name="sources",
        meaning="Where facts were read; basis columns name them by their label.",
        key=("source",),
        columns=(
            _label("source", "Short label, for instance S01."),
            _text("statement", "What it says."),
            _text("url", "Where it was read."),
        ),
    ),
)

TABLES: dict[str, Table] = {t.name: t for t in _TABLES}
NETWORK_TABLES = (
    "products",
    "nodes",
    "final_demand",
    "extensions",
    "recipes",
    "links",
    "stocks",
    "regions",
    "classes",
)
"""Tables that define a network (and so its fingerprint); the others hang on it."""


def is_annotation(column: str) -> bool:
    """Tell whether a column says where a number comes from rather than being one."""
    return column in ANNOTATIONS or column.endswith("_basis")
