"""The tables of the data dictionary about what could be done, what for, and who says so."""

from __future__ import annotations

from withstand.model.columns import (
    MONEY,
    Column,
    Table,
    choice_column,
    label_column,
    number_column,
    text_column,
)

OPTIONS = (
    Table(
        name="options",
        meaning="Possible measures, one row each.",
        key=("option",),
        columns=(
            label_column("option", "Short label.", example="SECOND_MILL"),
            text_column("name", "Name for people.", "the label", "Qualify a second steel mill"),
            label_column("kind", "Kind of measure.", example="second_source"),
            number_column("cost_once", "Cost to start.", "currency", "0", example="500000"),
            number_column("cost_per_period", "Running cost.", "currency per period", "0"),
            number_column("ready_periods", "From start to effect.", "periods", "0", example="26"),
            text_column("size", "binary, or continuous with its limit.", "binary"),
            number_column("success_probability", "Chance that it works.", "0 to 1", "1", high=1.0),
            text_column("requires", "Options that must be chosen too, separated by a semicolon."),
            text_column("excludes", "Options that cannot be chosen too, separated by a semicolon."),
            text_column("note", "Anything else."),
        ),
    ),
    Table(
        name="option_effects",
        meaning="What an option changes in the network.",
        key=(),
        columns=(
            label_column("option", "The option.", "options", example="SECOND_MILL"),
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
            label_column("node", "Node it acts on, or its new label.", required=False),
            label_column(
                "product", "Product it acts on.", "products", required=False, example="STEEL"
            ),
            label_column("region", "Region it acts on.", "regions", required=False),
            label_column("buyer", "Buyer whose recipe or shares change.", required=False),
            label_column("input", "Input whose quantity changes.", "products", required=False),
            label_column("from", "Supplier that loses share.", required=False, example="STEEL@FAR"),
            label_column("to", "Supplier that gains share.", required=False, example="STEEL@HOME"),
            number_column(
                "amount",
                "How much. For add_stock: units in all, split among the buyers by their use, or"
                " periods of use for each of them. For shift_share: 0 to 1, see mode.",
                "as the column unit",
                required=True,
                low=None,
                example="0.3",
            ),
            text_column(
                "unit",
                "Unit of the amount. Capacity (add_node, add_capacity) may end in per day, week,"
                " month, quarter or year (t per year, t/year). Lead times and stocks may be in"
                " periods, days, weeks, months, quarters or years; any other unit of a stock means"
                " units in all.",
                "units, per period for capacity; periods for lead times",
            ),
            choice_column(
                "mode",
                "How the amount acts: set puts it in place of what was, add adds it, scale"
                " multiplies by it. For shift_share, add moves a share of the buyer's purchases,"
                " scale moves a part of what `from` delivers, set is the share `from` is left"
                " with. Stock is only added.",
                ("set", "add", "scale"),
                "add",
            ),
            number_column("price", "Price of what a new node makes.", MONEY, "the product's price"),
            number_column("from_period", "First period after the option is ready.", "periods", "0"),
            number_column("per_period", "Growth of the amount.", "per period", "0", low=None),
        ),
    ),
    Table(
        name="option_uses",
        meaning="What building an option takes from the network: machines, skilled hours, robots.",
        key=("option", "product"),
        columns=(
            label_column("option", "The option.", "options"),
            label_column("product", "What it takes.", "products"),
            number_column("quantity", "How much in all.", "units", required=True),
            number_column("periods", "Over how long.", "periods", "ready_periods of the option"),
        ),
    ),
    Table(
        name="targets",
        meaning="What is to be reached, by year.",
        key=(),
        columns=(
            label_column(
                "indicator",
                "What is measured: of people graduates, people, coverage, needs_met or"
                " vacancies_filled; of the network what `withstand track indicators` lists.",
                example="graduates",
            ),
            text_column(
                "filter",
                "For which part; of people, parts separated by a semicolon: occupation=A, B*;"
                " region=N; code=15-; programme=P; since=2025 (graduates are counted from then).",
                example="code=15-; since=2025",
            ),
            choice_column("direction", "Which side is good.", ("at_least", "at_most"), "at_least"),
            Column(
                name="year", meaning="By when.", type="integer", required=True, low=1900, high=2200
            ),
            number_column("value", "How much.", "as the indicator", required=True, low=None),
        ),
    ),
    Table(
        name="sources",
        meaning="Where facts were read; basis columns name them by their label.",
        key=("source",),
        columns=(
            label_column("source", "Short label, for instance S01."),
            text_column("statement", "What it says."),
            text_column("url", "Where it was read."),
        ),
    ),
)
