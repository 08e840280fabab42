"""The tables of the data dictionary that describe a network: products, nodes, links, stocks."""

from __future__ import annotations

from withstand.model.columns import (
    FLOW,
    KINDS,
    MONEY,
    USES,
    Column,
    Table,
    choice_column,
    class_column,
    label_column,
    number_column,
    text_column,
)

NETWORK = (
    Table(
        name="products",
        meaning="What is made and bought. Skilled hours, machine hours and software are products.",
        key=("product",),
        columns=(
            label_column("product", "Short label of the product.", example="GEAR"),
            text_column("name", "Name for people.", "the label", "Precision gear"),
            choice_column(
                "kind", "What sort of product it is.", KINDS, "component", example="component"
            ),
            text_column("unit", "Unit in which it is counted.", "unit", "piece"),
            text_column("hs", "Code of the Harmonized System.", example="848340"),
            text_column("technology_domain", "Technology domain, for research options."),
        ),
    ),
    Table(
        name="nodes",
        meaning="Who makes what, where. A firm that makes three products is three nodes of a site.",
        key=("node",),
        columns=(
            label_column("node", "Short label of the node.", example="GEAR@HOME"),
            label_column("product", "The one product it makes.", "products", example="GEAR"),
            label_column("region", "Where it makes it.", "regions", example="HOME"),
            text_column("site", "Site that several nodes share."),
            text_column("company", "Company that several nodes share."),
            number_column(
                "output", "Output at rest.", FLOW, "what its buyers and final demand need"
            ),
            number_column("capacity", "Most it can make.", FLOW, "its output", example="120"),
            number_column(
                "final_demand",
                "Sold outside the network; the sum of its rows in final_demand.",
                FLOW,
                "0",
                low=None,
            ),
            number_column("price", "Price of one unit.", MONEY, "not known", example="35"),
            number_column(
                "value_added",
                "Value added at rest.",
                "currency per period",
                "output value less inputs",
                low=None,
            ),
            number_column(
                "unmet_value", "Loss for one unit of unmet final demand.", MONEY, "the price"
            ),
            number_column(
                "recovery_periods", "Time to be back after a failure.", "periods", "as the shock"
            ),
            number_column("latitude", "Latitude.", "degrees", low=-90, high=90),
            number_column("longitude", "Longitude.", "degrees", low=-180, high=180),
        ),
    ),
    Table(
        name="final_demand",
        meaning="Sales to final users by region and category.",
        key=("node", "region", "category"),
        columns=(
            label_column("node", "Who sells.", "nodes", example="GEAR@HOME"),
            label_column("region", "Where the final user is.", "regions", example="HOME"),
            label_column(
                "category", "Households, government, investment, export ...", example="sales"
            ),
            number_column(
                "value", "Sold per period.", FLOW, required=True, low=None, example="100"
            ),
        ),
    ),
    Table(
        name="extensions",
        meaning="Other totals of a node: employment, hours, emissions.",
        key=("node", "name"),
        columns=(
            label_column("node", "The node.", "nodes"),
            label_column("name", "What is counted."),
            number_column(
                "value", "How much per period.", "as the column unit", required=True, low=None
            ),
            text_column("unit", "Unit of the value."),
        ),
    ),
    Table(
        name="recipes",
        meaning="What one unit of output needs. A row for a product holds for all its nodes whose"
        " recipe is known; a row for a node holds for that node.",
        key=("buyer", "input"),
        columns=(
            label_column(
                "buyer", "Node or product that needs it.", "nodes", "products", example="GEAR"
            ),
            label_column("input", "Product that is needed.", "products", example="STEEL"),
            number_column(
                "quantity",
                "Needed per unit of output.",
                "units per unit",
                required=True,
                example="1.2",
            ),
            class_column("essential"),
            choice_column(
                "use",
                "Consumed goods are used up; hours are fresh every period and cannot be stored;"
                " hosted by-products follow the host's activity.",
                USES,
                "hours for skills and equipment, else consumed",
                example="consumed",
            ),
            number_column("lag", "From use of the input to output.", "periods", "0"),
        ),
    ),
    Table(
        name="links",
        meaning="Which supplier serves which buyer, with what share of its purchases.",
        key=("supplier", "buyer", "product", "route"),
        columns=(
            label_column("supplier", "Node that sells.", "nodes", example="STEEL@HOME"),
            label_column(
                "buyer",
                "Node that buys; a product means all its nodes, * every buyer.",
                "nodes",
                "products",
                example="*",
            ),
            label_column(
                "product",
                "What is bought.",
                "products",
                required=False,
                default="the supplier's product",
                example="STEEL",
            ),
            number_column(
                "share",
                "Share of the buyer's purchases of this product.",
                "0 to 1",
                "from value",
                high=1.0,
                example="1",
            ),
            number_column(
                "value", "Value sold per period, in place of a share.", "currency per period"
            ),
            number_column(
                "lead_time", "From shipping to arrival.", "periods", "1; hours 0", example="4"
            ),
            number_column("lead_time_spread", "Standard deviation of it.", "periods", "0"),
            text_column("route", "Strait, port, pipeline: something a scenario can close."),
            number_column("minimum_lot", "Smallest delivery.", "units", "0"),
            number_column("capacity", "Most that can pass.", FLOW, "no limit"),
            number_column("price", "Price on this link.", MONEY, "the supplier's price"),
            number_column("switch_periods", "Time to switch to this supplier.", "periods", "0"),
        ),
    ),
    Table(
        name="stocks",
        meaning="Stock of an input that a buyer holds at rest.",
        key=("node", "product"),
        columns=(
            label_column(
                "node",
                "Who holds it; a product means all its nodes, * every buyer.",
                "nodes",
                "products",
                example="*",
            ),
            label_column("product", "What is held.", "products", example="STEEL"),
            number_column(
                "quantity",
                "How much is held; in a row for * or a product, each buyer holds that much.",
                "units",
                "periods_of_use x use",
            ),
            number_column(
                "periods_of_use",
                "How long it lasts at rest.",
                "periods",
                "quantity / use",
                example="4",
            ),
            number_column(
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
            label_column("region", "Short label.", example="HOME"),
            text_column("name", "Name for people.", "the label", "Home"),
            Column(
                name="home",
                meaning="Whether it is home.",
                type="yesno",
                default="no",
                example="yes",
            ),
            text_column(
                "bloc", "Blocs it belongs to, separated by a semicolon.", example="EU;OECD"
            ),
            number_column("reliability", "How far it can be relied upon.", "0 to 1", "1", high=1.0),
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
            label_column("supplier_product", "Product that is bought.", "products"),
            label_column("buyer_product", "Product of the buyer.", "products"),
            class_column("important"),
        ),
    ),
)
