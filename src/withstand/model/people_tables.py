"""The tables of the data dictionary about people: occupations, cells, transfers, programmes."""

from __future__ import annotations

from withstand.model.columns import Column, Table, label_column, number_column, text_column

LONGEST_TRAINING = 36_600.0
"""Periods: a hundred years of days. A slip of the pen, above; and each takes memory."""

PEOPLE = (
    Table(
        name="occupations",
        meaning="Skilled people behind the products of kind skill.",
        key=("occupation",),
        columns=(
            label_column("occupation", "Short label.", example="GRINDER"),
            text_column("name", "Name for people.", "the label", "Gear grinder"),
            label_column(
                "product",
                "The skill it supplies.",
                "products",
                required=False,
                default="none",
                example="SK_GRIND",
            ),
            text_column("code", "Code in a national list of occupations.", example="51-4041"),
            number_column("people", "People now.", "people", "not known"),
            number_column("people_needed", "People needed at rest.", "people", "not known"),
            number_column(
                "hours_per_period",
                "Hours one person works.",
                "hours per period",
                "1650 hours a year",
            ),
            number_column(
                "exit_rate",
                "Leave the labour force. A separation rate stated in its place counts transfers"
                " too: state those apart where they are known.",
                "share per year",
                "0",
                high=1.0,
            ),
            number_column(
                "transfer_rate",
                "Move to other occupations. What the table of transfers does not name goes to"
                " occupations that are not listed: these people are qualified, but elsewhere.",
                "share per year",
                "the sum of the transfers",
                high=1.0,
            ),
            number_column("wage", "Mean wage.", "currency per year"),
        ),
    ),
    Table(
        name="people",
        meaning="People now, by occupation, region, age band and qualification. Occupations"
        " without a row here have their people in one group at home.",
        key=("occupation", "region", "age_band", "qualification"),
        columns=(
            label_column("occupation", "What they work as.", "occupations", example="GRINDER"),
            label_column("region", "Where they work.", "regions", example="HOME"),
            text_column(
                "age_band",
                "Ages from and to, as 25-34 or 65+: a band of ten years loses a tenth of its"
                " people a year to the next band. Any other word does not grow older.",
                "no age",
                "25-34",
            ),
            text_column("qualification", "What they are qualified for.", "none", "apprenticeship"),
            number_column("people", "People at work now.", "people", required=True, example="33"),
            number_column(
                "exit_rate",
                "Leave the labour force.",
                "share per year",
                "as the occupation",
                high=1.0,
            ),
            number_column(
                "transfer_rate",
                "Move to other occupations.",
                "share per year",
                "as the occupation",
                high=1.0,
            ),
            number_column("elsewhere", "Qualified, but at work elsewhere.", "people", "0"),
            number_column(
                "return_rate", "Of those elsewhere, come back.", "share per year", "0", high=1.0
            ),
            number_column("arrivals", "Join from outside, all year.", "people per year", "0"),
        ),
    ),
    Table(
        name="transfers",
        meaning="Moves from one occupation (or region) to another.",
        key=("from", "to", "from_region", "to_region"),
        columns=(
            label_column("from", "Occupation they leave.", "occupations"),
            label_column(
                "to", "Occupation they take up; the same one to change region.", "occupations"
            ),
            number_column("share", "Share that moves.", "share per year", required=True, high=1.0),
            label_column(
                "from_region", "Region they leave.", "regions", required=False, default="every one"
            ),
            label_column(
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
            label_column("programme", "Short label."),
            label_column("occupation", "The occupation it feeds.", "occupations"),
            number_column(
                "duration", "Length; above 0.", "periods", required=True, high=LONGEST_TRAINING
            ),
            number_column(
                "completion", "Share that completes; the rest is gone.", "0 to 1", "1", high=1.0
            ),
            number_column("seats", "Places for new entrants.", "people per year", "no limit"),
            number_column("seat_growth", "Most that places can grow.", "share per year", "0"),
            number_column(
                "trainers_per_seat", "Trainers one place needs.", "people per place", "0"
            ),
            number_column("cost", "Cost of one place, paid on entry.", "currency per place", "0"),
            number_column("retention", "Graduates who take up the work.", "0 to 1", "1", high=1.0),
            label_column(
                "region", "Where its graduates work.", "regions", required=False, default="home"
            ),
            label_column(
                "from_occupation",
                "Occupation that its entrants leave, for upskilling.",
                "occupations",
                required=False,
                default="from outside",
            ),
            number_column(
                "intake", "Planned entrants.", "people per year", "seats; without seats none"
            ),
            Column(
                name="first_year",
                meaning="First year with entrants; if it lies before the first year played, those"
                " who entered since then are in training.",
                type="integer",
                default="the first year played",
                low=0,
                high=9999,
            ),
            text_column("age_band", "Age band of its graduates.", "that of the first group there"),
            text_column(
                "qualification", "Qualification of its graduates.", "as the first group there"
            ),
        ),
    ),
    Table(
        name="intakes",
        meaning="Entrants of a programme in single years, in place of its intake. Entrants of years"
        " before the first year played are in training.",
        key=("programme", "year"),
        columns=(
            label_column("programme", "The programme.", "programmes"),
            Column(
                name="year",
                meaning="Year of entry.",
                type="integer",
                required=True,
                low=0,
                high=9999,
            ),
            number_column("people", "Entrants, over the whole year.", "people", required=True),
        ),
    ),
    Table(
        name="placements",
        meaning="Where graduates of a programme take up work, if not all in its own occupation.",
        key=("programme", "occupation", "region"),
        columns=(
            label_column("programme", "The programme.", "programmes"),
            label_column("occupation", "What they work as.", "occupations"),
            number_column(
                "share",
                "Share of those who take up the work.",
                "0 to 1",
                required=True,
                high=1.0,
            ),
            label_column(
                "region",
                "Where they work.",
                "regions",
                required=False,
                default="that of the programme",
            ),
        ),
    ),
)
