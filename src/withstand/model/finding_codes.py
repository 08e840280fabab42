"""Every rule that can speak: code, severity, title, why it matters, how to mend it.

Codes are never reused. E codes stop the work, W codes warn, N codes only tell. 1xx are about
files and cells, 2xx about the network, 3xx about scenarios, 4xx about options, 5xx about people,
regions and plants, 6xx about measures.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: its severity, a title, why it matters and how to mend what it found."""

    severity: str
    title: str
    why: str
    fix: str


def _error(title: str, why: str, fix: str) -> Rule:
    return Rule("error", title, why, fix)


def _warning(title: str, why: str, fix: str) -> Rule:
    return Rule("warning", title, why, fix)


def _note(title: str, why: str, fix: str = "") -> Rule:
    return Rule("note", title, why, fix)


CODES: dict[str, Rule] = {
    # files
    "E101": _error(
        "missing column",
        "The table cannot be used without this column.",
        "Add the column, or rename the column that holds it.",
    ),
    "E102": _error(
        "value missing",
        "This cell may not be empty.",
        "Fill the cell, or delete the row.",
    ),
    "E103": _error(
        "wrong type",
        "The column holds numbers (or dates, or yes/no) and this value is none.",
        "Write the value in the form the column asks for.",
    ),
    "E104": _error(
        "unknown label",
        "The row names something that its own table does not list.",
        "Correct the spelling, or add the missing row to the table it refers to.",
    ),
    "E105": _error(
        "decimal comma",
        "Numbers are written with a point; a comma could mean thousands.",
        "Write 1.5 instead of 1,5 (in a spreadsheet: export with English number format).",
    ),
    "E106": _error(
        "duplicate key",
        "Two rows describe the same thing; it is not clear which one holds.",
        "Merge the rows, or give one of them another label.",
    ),
    "E107": _error(
        "number out of range",
        "The value cannot be true for this column.",
        "Correct the value; the range stands in the data dictionary.",
    ),
    "E108": _error(
        "not a finite number",
        "NaN, infinity and numbers beyond 1e15 in size are no measurements.",
        "Leave the cell empty if the number is not known.",
    ),
    "E109": _error(
        "not a valid choice",
        "The column takes one of a few words.",
        "Use one of the words listed.",
    ),
    "E110": _error(
        "spreadsheet error cell",
        "The cell holds an error of the spreadsheet, not a value.",
        "Mend the formula in the workbook, or paste the value.",
    ),
    "E111": _error(
        "empty file",
        "The file holds no table.",
        "Put a header row and data into it, or remove the file.",
    ),
    "E112": _error(
        "no rows",
        "The file has a header and nothing below it.",
        "Add the rows, or remove the file if the table is not needed.",
    ),
    "E113": _error(
        "not a text table",
        "The file looks like binary data or another format under a wrong name.",
        "Export the table again as CSV (UTF-8), XLSX or Parquet.",
    ),
    "E114": _error(
        "text encoding",
        "The file is not UTF-8 text.",
        "Save it as 'CSV UTF-8' (in an editor: encoding UTF-8).",
    ),
    "E115": _error(
        "cell too long",
        "A label has at most 200 characters, a cell 32,767: more is a broken quote or no table.",
        "Shorten the text, or look for a missing closing quotation mark at this row.",
    ),
    "E116": _error(
        "file cannot be read",
        "The file or folder is not there, or may not be opened.",
        "Check the path and its permissions.",
    ),
    "E117": _error(
        "broken row",
        "The row has more cells than the header.",
        "Put text that contains a comma in quotation marks.",
    ),
    "E118": _error(
        "settings",
        "withstand.toml tells how the tables are to be read.",
        "Correct withstand.toml; the reference page 'Project settings' lists every key.",
    ),
    "E119": _error(
        "no table found",
        "There is nothing here that can be read as a network.",
        "Name a folder with nodes, recipes and links (or items, recipes and suppliers).",
    ),
    "E120": _error(
        "duplicate column",
        "Two columns have the same name; it is not clear which one holds.",
        "Rename or delete one of them.",
    ),
    "E121": _error(
        "unsafe text",
        "Names travel into spreadsheets and web pages, where this text could run as a command.",
        "Use a plain name: no control characters, no web markup, no = + - @ at the start.",
    ),
    "E122": _error(
        "file too large",
        "The file would not fit in the memory that is free.",
        "Split the file, or convert it to Parquet.",
    ),
    "E123": _error(
        "matrix of the wrong size",
        "The rows and columns of a matrix must be the nodes of the economy, in their order.",
        "Check that no row or column is missing, and that no total is left in.",
    ),
    "E124": _error(
        "negative flow between nodes",
        "A sale cannot be negative; inventories and corrections belong to final demand.",
        "Move the negative entries to a column of final demand.",
    ),
    "E125": _error(
        "layout of a world table",
        "A table read in the wrong layout gives wrong numbers without a word.",
        "Name the layout, or download the table again from its provider; the how-to 'Read a world "
        "table' shows each layout.",
    ),
    "E126": _error(
        "which table is meant",
        "The file or folder holds several years or countries, or not the one asked for.",
        "Name one of those listed.",
    ),
    "W101": _warning(
        "file not used",
        "The file is not named after a table, so it was not read.",
        "Rename it after a table of the data dictionary if it should count.",
    ),
    "W102": _warning(
        "blanks trimmed",
        "Labels had blanks before or after them, which would make two labels of one.",
        "Remove the blanks in the file.",
    ),
    "N101": _note(
        "column kept, not used",
        "The data dictionary does not know this column; it is kept with the table.",
        "Nothing to do.",
    ),
    "N102": _note(
        "tier column ignored",
        "Tiers are counted from the viewpoint as the shortest path, so a column cannot go stale.",
        "Nothing to do.",
    ),
    "N103": _note(
        "column not needed",
        "The number follows from the other tables.",
        "Nothing to do.",
    ),
    "N104": _note(
        "project of an older format",
        "It is read as if it were written today; its files are as they were.",
        "Nothing to do, or write it in today's format: withstand.readers.upgrade_project(folder).",
    ),
    # the network
    "E201": _error(
        "recipe cycle",
        "A plant cannot need its own product to make it; the recipe would never end.",
        "Remove one of the recipe rows on the path shown.",
    ),
    "E202": _error(
        "shares do not sum to 1",
        "The suppliers of a buyer must cover all it buys of a product, and no more.",
        "Add the missing supplier, or correct the shares.",
    ),
    "E203": _error(
        "supplier is the buyer",
        "A node cannot supply itself in a plant.",
        "Name another supplier, or remove the row.",
    ),
    "E204": _error(
        "supplier does not make the product",
        "A node makes one product, and this row buys another one from it.",
        "Correct the product, or add a node that makes it.",
    ),
    "E205": _error(
        "unit clash",
        "The recipe counts the input in another unit than the products table.",
        "Convert the quantity, or correct the unit.",
    ),
    "E207": _error(
        "unknown home or viewpoint",
        "Measures are taken from a viewpoint; the settings name one that is not there.",
        "Correct home or viewpoint in withstand.toml.",
    ),
    "E208": _error(
        "output does not settle",
        "The links need more of a product than they make of it: no output satisfies them.",
        "Check quantities and values on the largest cycle, or state the output of the nodes.",
    ),
    "E209": _error(
        "stock of nothing",
        "The stocks row names neither a quantity nor periods of use.",
        "Fill one of the two columns.",
    ),
    "E210": _error(
        "share or value missing",
        "A link needs a share of the buyer's purchases, or a value.",
        "Fill one of the two columns for this input's links.",
    ),
    "W201": _warning(
        "input without a supplier",
        "Nobody is named who makes this product: it is taken as always available.",
        "Add a node that makes it, and links to its buyers.",
    ),
    "W202": _warning(
        "shares rescaled",
        "The shares missed 1 by a rounding error and were rescaled.",
        "Write the shares with more digits.",
    ),
    "W203": _warning(
        "capacity below use",
        "The node is asked for more than it can make; its capacity was taken as its use.",
        "Correct the capacity or the demand.",
    ),
    "W204": _warning(
        "inputs cost more than the output",
        "Value added would be negative, so value shares mislead here.",
        "Check the price and the quantities of this product.",
    ),
    "W205": _warning(
        "not connected to demand",
        "The node serves no final demand, so it cannot matter to any result.",
        "Add the missing link or recipe row, or remove the node.",
    ),
    "W206": _warning(
        "looks like a totals row",
        "A totals row read as data counts everything twice.",
        "Delete the row if it is a total.",
    ),
    "W207": _warning(
        "supplier the law does not allow",
        "The regions table says that this region may not supply.",
        "Name another supplier; the planner will never use this one.",
    ),
    "W208": _warning(
        "hours and goods mixed",
        "Skills and machines supply hours, which cannot be stored; goods are used up.",
        "Set the column use to hours for skills and equipment, consumed for goods.",
    ),
    "W209": _warning(
        "unmet demand cheaper than the product",
        "A plan would rather lose the sale than make the product.",
        "Raise unmet_value to at least the price.",
    ),
    "W210": _warning(
        "output below sales",
        "The node sells more than its stated output.",
        "Correct the output; it was taken as the larger of sales and purchases.",
    ),
    "W211": _warning(
        "class not given",
        "How badly an input is missed decides what a shock does; unknown ones count as important.",
        "Give the class of each pair in the classes table, or in the recipes.",
    ),
    "W212": _warning(
        "no final demand",
        "Without final demand nothing is needed, and nothing can be lost.",
        "State final_demand in nodes, in its own table, or in withstand.toml.",
    ),
    "W213": _warning(
        "rows and columns do not balance",
        "What a node sells differs from its output by more than rounding.",
        "Check the largest gaps listed.",
    ),
    "W214": _warning(
        "absurd time",
        "A lead time of more than ten years is probably in another unit.",
        "Check the unit: lead times are in periods of the network.",
    ),
    "W215": _warning(
        "product that nobody makes or uses",
        "The product appears in no node and no recipe.",
        "Remove the row, or add what is missing.",
    ),
    "W216": _warning(
        "link that no recipe needs",
        "The buyer's recipe does not name what the link delivers, so the link carries nothing.",
        "Add the recipe row, or remove the link.",
    ),
    "W217": _warning(
        "final demand stated twice",
        "Two places state the final demand of a node, and they differ.",
        "State it in one place only.",
    ),
    "N201": _note(
        "output taken from the links",
        "No output was given, so it is the larger of sales and purchases.",
        "Add a column output to the nodes if it is known.",
    ),
    "N202": _note(
        "recipe unknown abroad",
        "Producers outside home are taken to deliver always; rule shared gives the other bound.",
        "Nothing to do: both bounds are reported.",
    ),
    "N203": _note(
        "stock outside the network",
        "Stock of a final product is held by its customers, who are not in the network.",
        "Nothing to do.",
    ),
    "N204": _note(
        "class taken as important",
        "No classes were given; every input counts as important.",
        "Give a table of classes to say which inputs stop a buyer.",
    ),
    "N205": _note(
        "parallel links added",
        "Several rows named the same supplier and buyer; their values were added.",
        "Nothing to do.",
    ),
    "N206": _note(
        "skill given a home node",
        "A skill without a supplier is supplied at home, up to the larger of use and stated hours.",
        "Add a supplier row if the hours come from elsewhere.",
    ),
    "W218": _warning(
        "imports above use",
        "Two tables of one source disagree, so that some cell would use more imports than it uses.",
        "Nothing to do if the amount is small; else look for tables of the same treatment.",
    ),
    "N207": _note(
        "negative flows moved to final demand",
        "A sale between nodes cannot be negative; what the row sells in all stays the same.",
        "Nothing to do; the column is called negative_flows.",
    ),
    "N208": _note(
        "no output",
        "A node without output has no recipe; nothing can hit it, and it can hit nobody.",
        "Nothing to do.",
    ),
    "N209": _note(
        "made into industry by industry",
        "Make and use tables name products and industries; the flows follow from an assumption.",
        "Nothing to do; the assumption stands in the table of sources.",
    ),
    "N210": _note(
        "recipe of imports not known",
        "The source has no inputs of foreign producers: shocks abroad stop at the border.",
        "Take a world table if what happens abroad matters.",
    ),
    "N211": _note(
        "not carried over",
        "Nodes were added together, and this cannot be added.",
        "State it again for the new nodes if it matters.",
    ),
    "W230": _warning(
        "purchases without output",
        "Purchases of a node that makes nothing belong to no product; measures leave them out.",
        "Correct its output, or move what it buys to final demand.",
    ),
    "N230": _note(
        "no column of inventories",
        "Positions are corrected for inventories, and no category of final demand is named so.",
        "Name the categories (inventories=...), or say inventories=False.",
    ),
    # scenarios
    "E301": _error(
        "unknown target",
        "The scenario hits something that is not in the network.",
        "Correct the label.",
    ),
    "E302": _error(
        "impossible shock",
        "A share lies between 0 and 1, and times are not negative.",
        "Correct the number.",
    ),
    "E303": _error(
        "nothing is hit",
        "The conditions of the shock hold for no node at once.",
        "Widen the conditions: all of them must hold together.",
    ),
    "E304": _error(
        "scenario file",
        "The file cannot be read as a scenario.",
        "See the how-to 'Write a scenario' for the keys.",
    ),
    "W301": _warning(
        "suspicious zero",
        "The shock changed nothing: what it hits may not feed the viewpoint, or stocks covered it.",
        "Check the target, or run for longer.",
    ),
    "W302": _warning(
        "damaged part of a run",
        "A file of results could not be read back as it was written, for instance after a crash.",
        "Nothing to do: its scenarios were played again and the file was replaced.",
    ),
    "W303": _warning(
        "closed class of sellers",
        "Losses that reach nodes that sell only to each other never leave: in the end all of them "
        "lose everything, and where the stop rule ends before that depends on eps.",
        "State sales to final buyers (revenue=... above link sales), or read the index with "
        "bounds=True.",
    ),
    "W304": _warning(
        "losses do not settle",
        "In parity mode a market that dies makes its losses replaceable again, so that losses may "
        "go round for ever; the numbers are left empty.",
        "Use mode='default', which settles always.",
    ),
    "W305": _warning(
        "more taken than made",
        "With all other final demand met, others take more of a node that lost capacity than it "
        "makes, so that somebody must stop for want of it; this closure cannot say who.",
        "Read closure_bounds, which has closures that ration, or lose a smaller share.",
    ),
    "W306": _warning(
        "bounds out of order",
        "The order of the bounds is proven for tables in which every node adds value and no final "
        "demand is negative; this table has some that is, and there the order fails.",
        "Read the least and the most of all of them.",
    ),
    # options
    "E401": _error(
        "unknown target of an option",
        "The effect names something that is not in the network.",
        "Correct the label.",
    ),
    "E402": _error(
        "effect incomplete",
        "The effect lacks a column that it needs.",
        "Fill the columns named.",
    ),
    "E403": _error(
        "options require each other in a circle",
        "None of them could ever start.",
        "Remove one of the requirements on the path shown.",
    ),
    "E404": _error(
        "options exclude or miss each other",
        "A chosen option requires another one that was not chosen, or excludes one that was.",
        "Choose the required option as well, or drop one of the two.",
    ),
    "E405": _error(
        "effect impossible",
        "The effect asks for something that the network cannot give.",
        "Correct the amount or the label; the reference page 'Options' says what each effect does.",
    ),
    "E406": _error(
        "option impossible",
        "Costs, times and chances are numbers of at least 0; a chance is at most 1.",
        "Correct the number.",
    ),
    "W401": _warning(
        "option without cost",
        "A plan takes whatever costs nothing and helps.",
        "Fill cost_once or cost_per_period.",
    ),
    "W402": _warning(
        "option without effect",
        "It changes nothing, so no plan will choose it unless another option requires it.",
        "Give it rows in option_effects.",
    ),
    # plans
    "W411": _warning(
        "options too late for every scenario",
        "They are ready only after the last scenario of the plan is over, so they save nothing.",
        "Let scenarios strike later (onsets), plan over more years, or start them for another "
        "reason.",
    ),
    "W412": _warning(
        "shock on links seen in part",
        "The programme pools who buys from whom: a closed link counts only where every link of its "
        "supplier is hit.",
        "Compare with the simulation: verify() plays the links as they are.",
    ),
    "W413": _warning(
        "options that the law rules out",
        "They would let a region supply that the regions table does not allow.",
        "Set allowed to true for the region, or drop the option.",
    ),
    "W414": _warning(
        "demand unmet though nothing happens",
        "The programme cannot meet final demand even without a shock: outputs at rest do not cover "
        "what the recipes need, or a region that supplies is not allowed.",
        "Correct outputs and recipes; only differences between losses before and after mean "
        "something.",
    ),
    "W415": _warning(
        "option of any size with an amount that is set",
        "A part of an option moves an amount in proportion; set gives all of it at any size.",
        "Use mode add or scale in its effects.",
    ),
    "W416": _warning(
        "new maker without a recipe",
        "No recipe is known for the product, so the plan takes that its inputs are at hand: the "
        "option looks better than it is.",
        "Fill the recipe, or add what it takes to option_uses.",
    ),
    "W417": _warning(
        "nobody at home buys it",
        "Only suppliers outside home use the product: made at home it helps nobody until they are "
        "at home too.",
        "Let the option require those that bring its buyers home.",
    ),
    "W418": _warning(
        "evidence of another network",
        "The candidates were found in a network that differs from this one.",
        "Find them again in this network.",
    ),
    "N411": _note(
        "probabilities scaled",
        "The chances of all scenarios in all years sum to more than 1; they were scaled to 1, so "
        "losses are those of the case that one of them strikes.",
        "Lower the probabilities if losses are to be expected values.",
    ),
    # people
    "E501": _error(
        "more leave than are there",
        "Exits, transfers, moves to other regions and growing older are shares of the same people, "
        "so that together they cannot exceed 1 a year; nor can exits and returns of those "
        "elsewhere.",
        "Lower one of the rates; check that they are per year, and that a separation rate does not "
        "count the transfers that are stated apart.",
    ),
    "E502": _error(
        "no duration",
        "A programme takes time: whoever enters is in training for at least a step.",
        "Write the length of the programme in periods of the network, above 0.",
    ),
    "E503": _error(
        "age bands",
        "People grow from one band into the next, so bands may not run backwards or overlap.",
        "Write bands as 25-34, 35-44, 65+, each age in one of them.",
    ),
    "E504": _error(
        "more graduates placed than there are",
        "The shares of one programme's graduates sum to more than 1.",
        "Lower the shares in placements; what is missing to 1 is qualified, but elsewhere.",
    ),
    "E505": _error(
        "transfer to where they are",
        "The row moves people from an occupation and region to the same ones.",
        "Name another occupation, or another region.",
    ),
    "E506": _error(
        "transfers above the transfer rate",
        "The transfers listed sum to more than the occupation's transfer rate.",
        "Lower the shares, or raise transfer_rate: it counts the transfers listed, too.",
    ),
    "W501": _warning(
        "duration rounded",
        "Time runs in steps, and the duration of the programme is no whole number of them.",
        "Ask for more steps a year (steps_per_year) if the difference matters.",
    ),
    "W502": _warning(
        "more entrants than places",
        "The planned intake is above the places, even with their growth.",
        "Lower the intake, or raise seats or seat_growth.",
    ),
    "W503": _warning(
        "people not known",
        "The occupation states no people, and was taken to have none.",
        "Fill people in occupations, or add rows to the table of people.",
    ),
    "W504": _warning(
        "people stated twice",
        "The rows of the table of people do not sum to the people of the occupation.",
        "Correct one of the two; the table of people was taken.",
    ),
    "W505": _warning(
        "an occupation supplies no skill",
        "People are counted in hours of work; units of another product are no hours.",
        "Name the product of kind skill that the occupation supplies, or correct its kind.",
    ),
    "N501": _note(
        "hours a person works assumed",
        "The occupation states no hours_per_period.",
        "Fill hours_per_period in occupations.",
    ),
    # intake of people
    "E521": _error(
        "no intake meets the needs",
        "The limits contradict each other: nothing that is allowed brings enough people in time.",
        "Raise one of the limits named, start earlier, or allow work to stay undone (unmet_cost in "
        "the table of occupations).",
    ),
    "N521": _note(
        "occupation without needs",
        "It is planned with, as if nobody of it were needed.",
        "Add its rows to the table of needs, or delete it.",
    ),
    "N522": _note(
        "worth of limits not known",
        "With whole persons one unit more has no price: the best plan may change in jumps.",
        "Solve without whole=True for the worth of one unit.",
    ),
    # people and regions
    "E531": _error(
        "occupation without skills",
        "An occupation that is 0 in every skill cannot be compared with any other.",
        "Give its importances, or leave it out.",
    ),
    "W531": _warning(
        "skill values missing",
        "They were taken as the mean of the skill over the occupations that have it.",
        "Fill them in, or leave out occupations of which little is known.",
    ),
    "W532": _warning(
        "occupation like the average",
        "It stands out by no skill, so its relatedness to all others was set to 0.",
        "Add skills that tell it apart, or take another metric.",
    ),
    "W533": _warning(
        "no way out of an occupation",
        "Nobody was seen to leave it, so all its people stay in the transition network.",
        "Add flows from it, or leave it out.",
    ),
    "W534": _warning(
        "no total to compare with",
        "The quotient needs the total of the region and of the activity in the whole.",
        "Add the rows of totals, or the missing activity to the table of the whole.",
    ),
    "W535": _warning(
        "seats that nobody needs",
        "Their graduates cover no need; a label may be misspelt.",
        "Correct the label, or add the need.",
    ),
    "W536": _warning(
        "activity without proximities",
        "Nothing is known to be akin to it, so it has no density.",
        "Add its rows to the table of proximities, or leave proximities out.",
    ),
    "W537": _warning(
        "total without what is not published",
        "It was added up from the cells that are published, so it is too low and quotients that "
        "divide by it are off.",
        "Give the rows of totals (total=) and the whole (whole=), or leave these cells out.",
    ),
    "N531": _note(
        "values not published",
        "Suppressed cells give no quotient; they are not 0.",
    ),
    # targets of people
    "E541": _error(
        "filter of a target",
        "The filter says which part counts; a filter that is not understood would count all.",
        "Write it as occupation=WELDER; region=NORTH, SOUTH; code=15-; since=2025.",
    ),
    "E542": _error(
        "year of a target",
        "Nothing is known of years that are not played.",
        "Play more years (years= of the projection), or correct the year.",
    ),
    "E543": _error(
        "no need to compare with",
        "Shares of a need, or of vacancies, take a need that is known.",
        "Give needs= (occupation, year, people) to the projection, or fill people_needed.",
    ),
    "E544": _error(
        "targets out of reach",
        "No intake that the places allow from that year on meets the targets, whatever it costs.",
        "Start earlier, add places, shorten programmes or upskill: people.what_mends says how far "
        "each would go.",
    ),
    "W541": _warning(
        "target of nobody",
        "The labels are known, but nothing fits all of them at once, so the indicator is empty.",
        "Correct the filter, or add the people or programmes.",
    ),
    "W542": _warning(
        "programme without cost",
        "The cheapest intake takes whatever costs nothing.",
        "Fill cost in the table of programmes.",
    ),
    "N541": _note(
        "target not about people",
        "The table of targets serves other questions, too.",
    ),
    # production lines
    "E581": _error(
        "time without a unit",
        "Times between failures and of repair are told in any unit, so the unit must be said.",
        "Write 12h, 30 min, 90s, 2d, or 500 cycles.",
    ),
    "E582": _error(
        "how a machine fails is not clear",
        "A machine needs its time between failures and its time of repair, or both chances per "
        "cycle.",
        "Fill mtbf and mttr, or failure and repair; write 0 in failure if it never fails.",
    ),
    "E583": _error(
        "no line",
        "A line has two machines or more, one after the other, with places between them.",
        "Write one row a machine, in the order of the line.",
    ),
    "W581": _warning(
        "time shorter than a cycle",
        "Machines fail and are mended from cycle to cycle; a shorter time was counted as a whole "
        "cycle, and as often rarer, so that the machine is up for the same share of time.",
        "Nothing to do if the cycle is short against the shift.",
    ),
    "N581": _note(
        "cycle not stated",
        "Chances per cycle were given without the length of a cycle: 60 seconds were taken, which "
        "sets the parts per hour and nothing else.",
        "Fill cycle_seconds.",
    ),
    "N582": _note(
        "nothing behind the last machine",
        "Finished parts leave the line at once, so the last buffer is not used.",
        "Nothing to do.",
    ),
    # capability
    "E651": _error(
        "too little to compare",
        "Complexity compares places by what they make: it needs two places and two products.",
        "Add places or products, lower the threshold, or choose finer groups.",
    ),
    "W651": _warning(
        "values not known",
        "Cells without a number were taken as 0, as if the place had nothing of the product.",
        "Fill them, or leave the place or product out.",
    ),
    "W652": _warning(
        "empty row or column",
        "A place or product with nothing above 0 says nothing about the others.",
        "Nothing to do if it is truly empty.",
    ),
    "W653": _warning(
        "nothing above the threshold",
        "A place without advantage, or a product in which nobody has one, has no average.",
        "Lower the threshold to keep it.",
    ),
    "W654": _warning(
        "table falls apart",
        "Between pieces that share no product there is no comparison: an index over all of them "
        "would only tell who is in which piece.",
        "Work with the largest piece, or add what joins them (coarser products, lower threshold).",
    ),
    "W655": _warning(
        "nothing to tell places apart",
        "The second eigenvalue is 0.",
        "Use finer products, or another threshold.",
    ),
    "W656": _warning(
        "index not well determined",
        "When the second and the third eigenvalue lie close together, a small change of the data "
        "turns the index into a mixture of the two vectors.",
        "Look at the rank intervals before ranking; use coarser or cleaner data.",
    ),
    "W657": _warning(
        "sign of the index rests on little",
        "ECI has no sign of its own: it is chosen to rise with diversity.",
        "Check a place and a product that you know.",
    ),
    "W658": _warning(
        "fitness not at rest",
        "Its last digits depend on when the rounds stopped.",
        "Allow more rounds (most_rounds).",
    ),
    "W659": _warning(
        "draws not used",
        "A draw without the products that join two pieces has no common index.",
        "Draw more, or read the intervals as too narrow.",
    ),
    "N651": _note(
        "fitness goes to 0",
        "For some tables the fitness of the least able falls towards 0 (Pugliese, Zaccaria and "
        "Pietronero 2016); the value depends on the number of rounds, the rank hardly.",
        "Compare ranks, not values, of these places.",
    ),
    "W661": _warning(
        "technology domain not known",
        "Research behind the product cannot be looked up, so its reach rests on the other factors "
        "alone.",
        "Fill technology_domain in the products table (several separated by semicolons), in the "
        "words of the table of patents.",
    ),
    "W662": _warning(
        "product without a match",
        "No code there stands for it, so nothing is known of it from that side.",
        "Correct the code in the column hs, or give a table that has it; services and skills have "
        "no code of goods.",
    ),
    "W663": _warning(
        "vintages of codes differ or are not known",
        "The same digits mean different goods in different vintages of the Harmonized System.",
        "State both vintages (ProductCodes), give a concordance, or convert the cube.",
    ),
    "W664": _warning(
        "candidate without a rank",
        "Where nothing is known of a whole group of factors, a score would compare unlike things.",
        "Fill what is missing (column missing), or set the weight of the group to 0.",
    ),
    "N661": _note(
        "products share a code",
        "The table is coarser than the products: what it says is of all goods under the code.",
        "Use a finer table if they should be told apart.",
    ),
    "N662": _note(
        "flagged, but not bought in the network",
        "They are dangerous for the bloc, and this network does not buy them from outside.",
    ),
    # trade
    "E602": _error(
        "negative flow",
        "A flow of trade is 0 or more; corrections booked as negative flows cannot be told apart "
        "from errors.",
        "Correct the value, or net corrections out before reading.",
    ),
    "E603": _error(
        "wrong vintage",
        "The same six digits mean different products in different vintages.",
        "Use one of HS92, HS96, HS02, HS07, HS12, HS17, HS22, the one the codes are really in.",
    ),
    "E604": _error(
        "weights of a concordance",
        "Flows that are split must add up to what they were.",
        "Give weights of 0 or more that add up to 1 for each code.",
    ),
    "W601": _warning(
        "rows of totals",
        "They hold the sum of other rows: left in, every flow would count twice.",
        "Nothing to do; they are left out.",
    ),
    "W602": _warning(
        "territories of the past",
        "Before and after the change the same label does not hold the same territory.",
        "Compare years on one side of the change only, or group the successors.",
    ),
    "W603": _warning(
        "unknown code of a region",
        "It belongs to no bloc, so its flows count as foreign.",
        "Correct the code, or give country_codes= with a label for it.",
    ),
    "W604": _warning(
        "several codes for one region",
        "Their flows are added; if one holds the other, they count twice.",
        "If one is a total of the others, leave its rows out.",
    ),
    "W605": _warning(
        "several levels of codes",
        "Chapters and headings hold what their six-digit codes hold: left in, it counts twice.",
        "Nothing to do; the finest level is kept.",
    ),
    "W606": _warning(
        "codes not in the concordance",
        "They keep their code, which may mean something else in the new vintage.",
        "Complete the concordance.",
    ),
    "W607": _warning(
        "split without weights",
        "How much of a code goes where is not known; equal parts are an assumption.",
        "Give a concordance with a column weight.",
    ),
    "W608": _warning(
        "mixed vintages",
        "The same six digits mean different products in different vintages, and codes that were "
        "split or joined look like products that vanish.",
        "Read each vintage on its own, convert it, and compare within one vintage.",
    ),
    "W609": _warning(
        "repeated flows",
        "The same flow twice may be a true detail left out, or the same file read twice.",
        "See whether the source tells them apart by a column that is not read.",
    ),
    "W610": _warning(
        "flows without a value",
        "What is not known cannot count.",
        "Fill the value.",
    ),
    "W611": _warning(
        "no flows",
        "Nothing can be asked of an empty cube.",
        "See whether the years and the codes are those of the source.",
    ),
    "W612": _warning(
        "years missing in the window",
        "A screen that looks at several years can only be judged where they are all there.",
        "Read the earlier years too.",
    ),
    "W613": _warning(
        "elasticity near one",
        "Close to 1 the price factor grows without bound and says nothing.",
        "Read it as: not substitutable within a year, or give a better estimate.",
    ),
    "W614": _warning(
        "governance not known",
        "A supplier without an indicator cannot be weighed.",
        "Give a value for it; until then the mean of the others, weighted by share, is taken.",
    ),
    "W615": _warning(
        "shares do not add up",
        "Shares of supply must add up to 1; printed ones are rounded.",
        "Check the source where the gap is large; shares are used as they are.",
    ),
    "N601": _note(
        "areas that are no country",
        "Statistics keep secret or cannot place where these flows come from.",
    ),
    "N602": _note(
        "Other Asia",
        "The United Nations do not list Taiwan; its trade stands under this code, in practice "
        "alone.",
    ),
    "N603": _note(
        "lost zeros",
        "Codes of the first nine chapters lose their zero when they are read as numbers.",
    ),
    "N604": _note(
        "flows of a region with itself",
        "They are goods that come back, and no dependence on others.",
    ),
    "N605": _note(
        "quantities missing",
        "Measures in tonnes miss these flows; values do not.",
        "Prefer values where the share is large.",
    ),
    "N606": _note(
        "vintage not stated",
        "Without it codes cannot be converted or joined with other tables.",
        "Say it with vintage='HS92' (or the one it is).",
    ),
    "N607": _note(
        "rows that do not count",
        "They are parts or mirrors of rows that do: counted together, flows would double.",
    ),
    "N608": _note(
        "exporters that may be hubs",
        "Goods that pass through count as theirs: the source behind a hub is not seen.",
        "Where it matters, look through the hub with its own imports.",
    ),
    "N609": _note(
        "rows of totals in a production table",
        "The world total as a country of its own halves every concentration.",
    ),
    # messy files
    "W701": _warning(
        "number format undecided",
        "1,234 may be a thousand or little more than one; a wrong guess is a factor of a thousand.",
        "Say which mark parts decimals, for the file or for the column.",
    ),
    "W702": _warning(
        "order of day and month undecided",
        "03/04 may be in March or in April.",
        "Say the format of the dates, or write them as 2026-04-03.",
    ),
    "W703": _warning(
        "encoding guessed",
        "Letters beyond a to z may come out wrong.",
        "Look at names with accents; name the encoding, or save the file as UTF-8.",
    ),
    "W704": _warning(
        "error cells",
        "A spreadsheet shows these where a formula fails: there is no value to read.",
        "Mend the formula, or clear the cell.",
    ),
    "W705": _warning(
        "formula without a value",
        "A program wrote the formula and never worked it out.",
        "Open the workbook in a spreadsheet, recalculate and save it.",
    ),
    "W706": _warning(
        "dates among other values",
        "Spreadsheets turn text such as 1-2 or 3/4 into dates.",
        "Write what was meant, in a cell formatted as text.",
    ),
    "W707": _warning(
        "leading zeros lost",
        "Spreadsheets drop the zeros of a code that they take for a number.",
        "Restore the zeros, or accept the suggestion.",
    ),
    "W708": _warning(
        "codes in scientific notation",
        "Only the first digits of such a code are left.",
        "Take the codes from where they came from, in cells formatted as text.",
    ),
    "W709": _warning(
        "row that reads like a total",
        "Left in, a total would count twice; left out, a true row would be lost.",
        "Delete the row if it is a total; else nothing is to do.",
    ),
    "W710": _warning(
        "blank cells below a value",
        "In grouped lists only the first row of a group names it.",
        "Fill the cells, or say that blanks take the value above.",
    ),
    "W711": _warning(
        "hidden rows, columns or sheets",
        "What nobody sees may be old or meant to be left out.",
        "Show or delete it.",
    ),
    "W712": _warning(
        "table that runs across",
        "Records are read from rows.",
        "Transpose the table, or say that it is transposed.",
    ),
    "W713": _warning(
        "repeated column names",
        "It is not clear which of the columns is meant.",
        "Give each column its own name.",
    ),
    "W714": _warning(
        "column without a name",
        "Nothing says what it holds.",
        "Name the column, or map it by its letter.",
    ),
    "W715": _warning(
        "mixed units",
        "Numbers of different units cannot stand in one column without conversion.",
        "Write all in one unit.",
    ),
    "W716": _warning(
        "no header",
        "Columns can be told only by what they hold.",
        "Add a row of names above the table, or say which row it is.",
    ),
    "W717": _warning(
        "broken quotation marks",
        "Text after a quotation mark that is never closed would all be one cell.",
        "Close the quotation mark; write a quotation mark inside text twice.",
    ),
    "W718": _warning(
        "mixed number formats",
        "Numbers of one column contradict each other about the decimal mark.",
        "Write all numbers of the column in one way.",
    ),
    "W719": _warning(
        "file under a wrong name",
        "Its content is of another kind than its name says.",
        "Rename the file.",
    ),
    "W720": _warning(
        "section rows left out",
        "A row of one cell inside a table is read as the title of what follows.",
        "Put what it says into a column of its own, if it matters.",
    ),
    "N701": _note(
        "encoding guessed",
        "Nothing in the file states its encoding; the letters leave little doubt.",
    ),
    "N702": _note("header further down", "Lines above it are kept as notes."),
    "N703": _note("totals left out", "They hold the sum of other rows."),
    "N704": _note("rows left out", "They hold no data: notes, titles, the header once more."),
    "N705": _note("merged cells filled", "A merged cell holds for all the rows it spans."),
    "N706": _note("several tables", "Each is read on its own."),
    "N707": _note("empty columns", "They have a name and no values."),
    "N708": _note("invisible characters", "They make equal names differ; they are gone."),
    "N709": _note("numbers stored as text", "They are read like the others."),
    "N710": _note("units in cells", "The unit is read apart from the number."),
    "N711": _note(
        "number format taken from the file",
        "The column alone does not tell; the other columns do.",
        "Say which mark parts decimals, if this is wrong.",
    ),
    "W781": _warning(
        "several values for one region",
        "Two rows of the same year and region contradict each other.",
        "Keep one of them.",
    ),
    "W782": _warning(
        "material without a counterpart",
        "A material is joined to its production by its name, and to trade by codes of products.",
        "Write the name as the table of production does, and the codes as the trade data do.",
    ),
    # regions and clusters
    "E671": _error(
        "sums that differ",
        "The sums of rows and of columns are the same cells: no matrix has both.",
        "Correct them, or scale one side to the other.",
    ),
    "E672": _error(
        "sum that no entry can make",
        "Balancing scales entries: zeros stay zero and signs stay.",
        "Correct the sum, or give the row or column an entry of that sign.",
    ),
    "E673": _error(
        "more than the whole",
        "The regions cannot have more of an industry than the nation.",
        "Correct the values, or the table of the whole.",
    ),
    "W671": _warning(
        "not balanced",
        "The sums are not met: zeros or signs do not allow them, or it goes slowly.",
        "Look at the row named; give more rounds, or entries where there can be some.",
    ),
    "W672": _warning(
        "industry that the table lacks",
        "Its people do not count, in the size of the region neither.",
        "Correct the label, or leave it out.",
    ),
    "W673": _warning(
        "industry or region without people",
        "An industry without people is split as all the others together are; a region is left out.",
        "Fill in its rows.",
    ),
    "W674": _warning(
        "regional output scaled",
        "Regions must add up to the nation.",
        "Give output that does, or leave it out.",
    ),
    "W675": _warning(
        "supply pooled",
        "Where a region keeps to itself by its quotients, others could not sell what they make.",
        "Look at these products; a higher delta lets regions trade more.",
    ),
    "W676": _warning(
        "clusters that hang on the seed",
        "Other seeds find clusters almost as good that differ much: no one division stands out.",
        "Try another resolution, or read only what all runs share.",
    ),
    "N671": _note(
        "nodes without links",
        "They are in no cluster.",
    ),
    # files that nobody designed: columns, units, names
    "E721": _error(
        "which table is meant",
        "The columns fit no table, or two tables equally well.",
        "Name the table: --table suppliers.",
    ),
    "E722": _error(
        "required column not mapped",
        "The table cannot be used without it, and no column of the file is surely the one.",
        "Say which column it is: --column 'Header=name'.",
    ),
    "E723": _error(
        "unit not stated",
        "Days read as weeks, or dollars as euros, make every number wrong without a word.",
        "Say the unit: --unit lead_time=days.",
    ),
    "E724": _error(
        "another currency",
        "Prices in two currencies cannot be added, and rates are not guessed.",
        "State the rate: --rate EUR=1.08.",
    ),
    "E725": _error(
        "header changed since last time",
        "The mapping that was kept holds for other columns; a guess could put one into another.",
        "Look at the new columns, then map them anew: --accept E725.",
    ),
    "E726": _error(
        "mapping cannot be read",
        "Mappings are kept as TOML, so that next month's file is read as this one.",
        "Correct the file, or delete it so that the columns are mapped anew.",
    ),
    "W721": _warning(
        "column left out that may fit",
        "Its name is near one of ours, but not surely the same; only sure columns are taken.",
        "Say --column 'Header=name', or take all that are suggested: --accept W721.",
    ),
    "W722": _warning(
        "shares read as percent",
        "They add up to 100, and a share above 1 cannot be.",
        "Nothing to do if they are percent.",
    ),
    "W723": _warning(
        "names that may be one",
        "Two spellings count as two companies: shares look spread that are not.",
        "Correct the spelling in the file, or put them together: --accept W723.",
    ),
    "W724": _warning(
        "code that may have lost its zero",
        "Spreadsheets turn codes into numbers, and drop the zeros they begin with.",
        "Correct the code in the file, or take the suggestions: --accept W724.",
    ),
    "W726": _warning(
        "formulas made harmless",
        "A workbook from a stranger can start programs or send data away.",
        "Take the values from the original, if you trust it.",
    ),
    "W727": _warning(
        "table of the file left out",
        "Its columns fit no table of the project.",
        "Name the table if it should count: --table suppliers.",
    ),
    "N721": _note(
        "column not taken over",
        "No table has a place for it; the file itself is kept in data/.",
    ),
    "N722": _note(
        "names of countries became codes",
        "One country under two names would count as two.",
    ),
    "N723": _note(
        "units converted",
        "Tables of the project have one unit a column.",
    ),
    "N724": _note(
        "what the marked copy lacks",
        "It is written anew; not everything a spreadsheet program makes can be kept.",
        "Work on the original, and use the copy to find the cells.",
    ),
    # databases
    "E731": _error(
        "password written down",
        "A project is copied, mailed and kept for years: whoever has it could read the database.",
        "Delete it here and change it at the server. Put the new one into an environment variable"
        ' and name that: password_env = "PLANT_DB_PASSWORD"; or use PGPASSWORD or ~/.pgpass.',
    ),
    "E732": _error(
        "address of the database not understood",
        "Without it nothing can be read.",
        'Write url = "postgresql://host:5432/database?user=name", "duckdb:FILE" or "sqlite:FILE".',
    ),
    "E733": _error(
        "database cannot be opened",
        "The tables of the project stand in it.",
        "Check address, user and password, and that the server runs: withstand db check.",
    ),
    "E734": _error(
        "query refused",
        "Queries only read: a project from a stranger must not change or send out anything.",
        "Write one select; for more than one step make a view in the database.",
    ),
    "E735": _error(
        "query failed",
        "The database could not do it; the other queries were tried all the same.",
        "Correct the query; withstand db check tries each on a few rows.",
    ),
    "E736": _error(
        "query took too long",
        "A query that does not end keeps a server busy.",
        "Make it simpler, add an index, or raise timeout_seconds in [database].",
    ),
    "E737": _error(
        "type of a column not taken",
        "Tables hold text, numbers, dates, yes and no.",
        "Cast the column in the query: column::text as column.",
    ),
    "E738": _error(
        "schema is not ours",
        "It holds tables that withstand did not write, and those are never touched.",
        "Name another schema: withstand db push --schema NAME.",
    ),
    "E739": _error(
        "results not written",
        "The database refused a step, or was lost on the way; it is as it was before.",
        "See what it said, mend that, and push again: nothing is written twice.",
    ),
    "W731": _warning(
        "query without rows",
        "A table that is empty by mistake makes a network look simpler than it is.",
        "Look at the conditions of the query, or delete it.",
    ),
    "W732": _warning(
        "role with all rights",
        "Reading needs few rights; a superuser's session can do more than a read-only transaction"
        " holds back.",
        "Make a role that may only read: create role reader login; grant pg_read_all_data to"
        " reader.",
    ),
    # codes and files of standards
    "E741": _error(
        "payload not understood",
        "Fields that the aspect model requires are missing or of another type.",
        "Export the aspect again; SingleLevelBomAsPlanned and ItemStock are read.",
    ),
    "E742": _error(
        "part made of itself",
        "A bill of materials that comes back to its start never ends.",
        "Delete one of these links, or correct the id of a part.",
    ),
    "E743": _error(
        "unsafe XML",
        "Entities and document types can fill memory or read other files.",
        "Export the file again without a DOCTYPE; do not open files of strangers that need one.",
    ),
    "E744": _error(
        "not an SDMX data file",
        "Its columns or elements are not those of SDMX-CSV or SDMX-ML.",
        "Download it again as SDMX-CSV, or as SDMX-ML 2.1 data.",
    ),
    "E745": _error(
        "not a graph",
        "The file holds no nodes and edges of GraphML or GEXF.",
        "Export the graph again as GraphML or GEXF.",
    ),
    "E746": _error(
        "dimensions do not fit",
        "These dimensions do not say who sells what to whom.",
        "Name the dimensions, or take the frame as it is: table.to_frame().",
    ),
    "W741": _warning(
        "check digit wrong",
        "A digit was mistyped: the code means another thing, or none.",
        "Correct the code; where two neighbours changed places the right one is suggested.",
    ),
    "W742": _warning(
        "not in the form of its standard",
        "Other programs will not find it.",
        "Write the code as the standard does.",
    ),
    "W743": _warning(
        "code not in the list",
        "It cannot be matched with data of others.",
        "Correct the code, or look whether it is of another edition.",
    ),
    "W744": _warning(
        "zeros in front lost",
        "A spreadsheet took the code for a number.",
        "Write the code as text, with its zeros.",
    ),
    "W745": _warning(
        "values left out",
        "They cannot be used as they are; the rest is read.",
        "Look at them in the file, and correct them if they matter.",
    ),
    "W746": _warning(
        "entries that contradict each other",
        "The first one counts.",
        "Correct one of the entries.",
    ),
    "W747": _warning(
        "weights missing",
        "Links without a value count as 1.",
        "Name the attribute that holds the value, or fill it in.",
    ),
    "W748": _warning(
        "links without direction",
        "A supply link has a seller and a buyer; here the first named is taken for the seller.",
        "Export a directed graph.",
    ),
    "W749": _warning(
        "units that do not convert",
        "A part counted in pieces here and in kilograms there cannot be added.",
        "Use one kind of unit for the part in all payloads.",
    ),
    "N741": _note("withdrawn code", "The country is divided, joined or renamed since."),
    "N742": _note("stated by default", "The file does not say it."),
    "N743": _note("parts without a bill", "They are taken as bought, with nothing below them."),
    "N744": _note("units converted", "One part was counted in several units of one kind."),
    "N745": _note("missing observations", "The file marks them as not available."),
    "N746": _note("drawn links", "They only draw what tables say, and are not read back."),
}
