"""Make, use and import tables of the US Bureau of Economic Analysis, into industry by industry.

Three files of one name lie side by side: `NAME_use`, `NAME_make` and, where imports are to be told
from home products, `NAME_import`. The use table has a row a product, then totals (T005 ...) and
value added (V001 ...); its columns are industries, totals and final demand (F010 ...). Rows are
named by a column without a name (or `__index_level_0__`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import polars as pl

from withstand.model.balances import rounding_of
from withstand.model.findings import Finding, listed, make_finding
from withstand.model.national import (
    IMPORT_ADJUSTMENT,
    REST,
    NationalTable,
    as_economy,
    fixed_product_sales,
    without_imports,
)
from withstand.readers.mrio_draft import Draft, Wanted, numbers_of, refuse
from withstand.readers.mrio_frames import read_frame

Array = np.ndarray
COUNTRY = "USA"
LABELS = ("__index_level_0__", "", "code", "Code", "Unnamed: 0")
EXPORTS, IMPORTS = "F04", "F05"
_TOTAL = re.compile(r"T\d{3}$|Total")
_FINAL = re.compile(r"F\d")
_VALUE = re.compile(r"V\d{3}")


@dataclass(frozen=True, kw_only=True)
class _Table:
    """A frame whose rows have labels."""

    rows: list[str]
    frame: pl.DataFrame

    def block(self, rows: list[str], columns: list[str], wanted: Wanted) -> Array:
        at = {label: k for k, label in enumerate(self.rows)}
        missing = [r for r in rows if r not in at]
        if missing:
            what = f"rows are missing: {listed(missing)}"
            raise refuse(wanted, "E101", what, column=missing[0], count=len(missing))
        missing = [c for c in columns if c not in self.frame.columns]
        if missing:
            what = f"columns are missing: {listed(missing)}"
            raise refuse(wanted, "E101", what, column=missing[0], count=len(missing))
        return numbers_of(self.frame[[at[r] for r in rows]].select(columns), wanted)


def read_bea(wanted: Wanted) -> Draft:
    """Read the tables of which `path` names the use table."""
    of_make, of_import = _beside(wanted, "make"), _beside(wanted, "import")
    if of_make is None:
        name = _name_of(wanted.path, "make")
        raise refuse(wanted, "E116", f"the make table {name} is not beside it", value=name)
    use_table, make_table = _labelled(wanted), _labelled(of_make)
    industries = [r for r in make_table.rows if not _TOTAL.match(r)]
    products = [
        c for c in make_table.frame.columns if not _TOTAL.match(c) and not c.startswith("__")
    ]
    final = [c for c in use_table.frame.columns if _FINAL.match(c) and c not in industries]
    bought = [c for c in final if not c.startswith(IMPORTS)]
    at_border = [c for c in final if c.startswith(IMPORTS)]
    if not at_border or not any(c.startswith(EXPORTS) for c in bought):
        what = "the use table needs columns of exports (F04...) and imports (F05...)"
        raise refuse(wanted, "E101", what, column=IMPORTS)
    make = make_table.block(industries, products, of_make)
    use = use_table.block(products, [*industries, *bought], wanted)
    stated = -use_table.block(products, at_border, wanted).sum(axis=1)
    value_rows = [r for r in use_table.rows if _VALUE.match(r)]
    value_added = use_table.block(value_rows, industries, wanted).sum(axis=0)
    findings: list[Finding] = []
    if of_import is None:
        table, comes_in = _undivided(make, use, stated, len(industries))
        fix = f"Put {_name_of(wanted.path, 'import')} beside the use table."
        what = "there is no table of imports: home and foreign products are not told apart"
        findings.append(make_finding("N209", what, origin=wanted.origin, fix=fix))
    else:
        imports = _labelled(of_import).block(products, [*industries, *bought], of_import)
        table, comes_in, cut = _divided(make, use, imports, stated, len(industries))
        if cut[0]:
            what = (
                f"imports exceed use in {cut[0]} cells by {cut[1]:,.6g} in all (tables before and "
                f"after redefinitions differ); they were cut, and the difference to the imports "
                f"of the use table stands in final demand '{IMPORT_ADJUSTMENT}'"
            )
            findings.append(make_finding("W218", what, origin=of_import.origin, count=cut[0]))
    imported = [p for p, enters in zip(products, comes_in, strict=True) if enters]
    n = len(industries)
    return _draft(
        wanted,
        table,
        (industries, imported, bought),
        value_added,
        findings,
        rounding_of(use[:, :n], use[:, n:], make),
        is_divided=of_import is not None,
    )


def _undivided(make: Array, use: Array, stated: Array, n: int) -> tuple[NationalTable, Array]:
    """Everything as if made at home, imports a negative column; and what nobody at home makes."""
    made = make.sum(axis=0)
    nowhere = made <= 0
    home = np.where(nowhere[:, None], 0.0, use)
    final = np.column_stack([home[:, n:], np.where(nowhere, 0.0, -stated)])
    flows, by_industry = fixed_product_sales(make, home[:, :n], final, made)
    table = NationalTable(
        flows=flows,
        final=by_industry,
        imports=use[nowhere, :n],
        final_imports=np.column_stack([use[nowhere, n:], np.zeros(int(nowhere.sum()))]),
        output=make.sum(axis=1),
    )
    return table, nowhere


def _divided(
    make: Array, use: Array, imports: Array, stated: Array, n: int
) -> tuple[NationalTable, Array, tuple[int, float]]:
    """Home and foreign products apart, by the table of imports; and which products come in."""
    is_final = np.arange(use.shape[1]) >= n
    home, abroad, adjustment, n_cut = without_imports(use, imports, is_final, stated)
    amount = float(np.clip(imports - np.maximum(use, 0.0), 0.0, None).sum())
    made = make.sum(axis=0)
    nowhere = made <= 0  # nobody at home makes it: all of it comes from abroad
    home[nowhere], abroad[nowhere], adjustment[nowhere] = 0.0, use[nowhere], 0.0
    final = np.column_stack([home[:, n:], adjustment])
    flows, by_industry = fixed_product_sales(make, home[:, :n], final, made)
    comes_in = np.asarray(abroad.any(axis=1))
    foreign = np.column_stack([abroad[:, n:], np.zeros(len(use))])[comes_in]
    table = NationalTable(
        flows=flows,
        final=by_industry,
        imports=abroad[comes_in, :n],
        final_imports=foreign,
        output=make.sum(axis=1),
    )
    return table, comes_in, (n_cut, amount)


def _draft(
    wanted: Wanted,
    table: NationalTable,
    labels: tuple[list[str], list[str], list[str]],
    value_added: Array,
    findings: list[Finding],
    tolerance: float,
    *,
    is_divided: bool,
) -> Draft:
    industries, imported, bought = labels
    n_abroad = len(imported)
    flows, final, output, added = as_economy(table)
    added[: len(industries)] = value_added
    if n_abroad:
        what = f"the {n_abroad} nodes of {REST} supply imported products and buy nothing"
        findings.append(make_finding("N210", what, origin=wanted.origin, count=n_abroad))
    what = "flows are industry by industry under fixed product sales (model D)"
    findings.append(make_finding("N209", what, origin=wanted.origin))
    regions = [REST if c.startswith(EXPORTS) else COUNTRY for c in bought]
    last = IMPORT_ADJUSTMENT if is_divided else "imports"
    return Draft(
        flows=flows,
        final=final,
        nodes=pl.DataFrame(
            {
                "product": industries + imported,
                "region": [COUNTRY] * len(industries) + [REST] * n_abroad,
                "output": output,
                "value_added": added,
            }
        ),
        final_columns=pl.DataFrame(
            {"region": [*regions, COUNTRY], "category": [*bought, last]}
        ),
        currency="million USD",
        home=COUNTRY,
        tolerance=tolerance,
        product_names=_names_beside(wanted.path),
        region_names={REST: "Rest of the world (imports and exports)"},
        sources=[
            ("layout", f"{wanted.path.name} and the make and import tables beside it: US BEA"),
            (
                "assumption",
                "industry by industry under fixed product sales: every buyer of a product buys "
                "from the industries that make it in the shares of the make table (Eurostat "
                "Manual 2008, model D); scrap and used goods are sold like other products",
            ),
            (
                "valuation",
                "producer prices, million USD; value added of an industry is the sum of its rows "
                "V...; imported products stand at the value of the table of imports",
            ),
            ("imports", f"one region {REST} with a node a product; its own inputs are not known"),
        ],
        findings=findings,
    )  # fmt: skip


def _name_of(path: Path, part: str) -> str:
    return re.sub(r"_use(?=_|\.|$)", f"_{part}", path.name, count=1, flags=re.IGNORECASE)


def _beside(wanted: Wanted, part: str) -> Wanted | None:
    """Return the table of the same name beside the use table."""
    name = _name_of(wanted.path, part)
    if name == wanted.path.name:
        what = "the name of the use table has the part '_use', as detail2017_use.parquet"
        raise refuse(wanted, "E125", what, value=wanted.path.name)
    file = wanted.path.with_name(name)
    return replace(wanted, path=file) if file.is_file() else None


def _labelled(wanted: Wanted) -> _Table:
    frame = read_frame(wanted)
    column = next((c for c in LABELS if c in frame.columns), None)
    if column is None:
        column = next((c for c, kind in frame.schema.items() if kind == pl.String), None)
    if column is None:
        raise refuse(wanted, "E101", "no column holds the labels of the rows", column=LABELS[0])
    rows = frame[column].cast(pl.String).fill_null("").to_list()
    if len(set(rows)) < len(rows):
        twice = next(r for r in rows if rows.count(r) > 1)
        raise refuse(wanted, "E106", "a row stands twice", column=column, value=twice)
    return _Table(rows=rows, frame=frame.drop(column))


def _names_beside(path: Path) -> dict[str, str]:
    """Return names of industries and products from BEA's lists beside the table, if there."""
    year = re.search(r"\d{4}", path.stem)
    found: dict[str, str] = {}
    for kind in ("Commodity", "Industry"):
        file = path.with_name(f"Detail_{kind}CodeName_{year[0] if year else ''}.csv")
        try:
            frame = pl.read_csv(file, infer_schema=False)
        except (OSError, pl.exceptions.PolarsError, UnicodeDecodeError):
            continue
        if frame.width >= 2:
            found |= dict(frame[:, :2].drop_nulls().iter_rows())
    return found
