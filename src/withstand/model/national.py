"""National tables: make and use tables into industry by industry, and imports as a region.

A national table does not know what foreign producers buy: they stand in one region that supplies
and has no recipes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

Array = np.ndarray
REST = "ROW"
"""Label of the region that imports come from and exports go to."""
NEGATIVE_FLOWS = "negative_flows"
"""Category of final demand that negative flows between nodes are moved to."""
IMPORT_ADJUSTMENT = "import_adjustment"
"""Category of final demand that holds what the table of imports cannot place."""


@dataclass(frozen=True, kw_only=True, eq=False)
class NationalTable:
    """A national table of industries with its imports by product.

    Parameters
    ----------
    flows : ndarray of float64, shape (n_industries, n_industries)
        Home industry to home industry.
    final : ndarray of float64, shape (n_industries, n_final)
    imports : ndarray of float64, shape (n_imports, n_industries)
        Imported products to home industries.
    final_imports : ndarray of float64, shape (n_imports, n_final)
    output : ndarray of float64, shape (n_industries,)
    """

    flows: Array
    final: Array
    imports: Array
    final_imports: Array
    output: Array


def fixed_product_sales(
    make: Array, use: Array, final: Array, output_by_product: Array
) -> tuple[Array, Array]:
    """Return flows and final demand by industry, under fixed product sales (model D of Eurostat).

    Each product is bought from the industries that make it in proportion to what they make,
    whoever buys it: with the shares D = V' / q of the make table V (industry x product),
    Z = D U and Y = D F. No entry turns negative that was not so before.

    Parameters
    ----------
    make : ndarray of float64, shape (n_industries, n_products)
    use : ndarray of float64, shape (n_products, n_industries)
    final : ndarray of float64, shape (n_products, n_final)
    output_by_product : ndarray of float64, shape (n_products,)
        q: what is made of each product in all.

    References
    ----------
    Eurostat Manual of Supply, Use and Input-Output Tables (2008), chapter 11, model D.

    Examples
    --------
    >>> make = np.array([[9.0, 1.0], [0.0, 4.0]])  # the first industry makes a fifth of product 2
    >>> z, y = fixed_product_sales(make, np.array([[0.0, 2.0], [3.0, 0.0]]),
    ...     np.array([[7.0], [2.0]]), make.sum(axis=0))
    >>> z.round(9).tolist(), y.round(9).ravel().tolist()
    ([[0.6, 2.0], [2.4, 0.0]], [7.4, 1.6])
    >>> (z.sum(axis=1) + y.sum(axis=1)).round(9).tolist(), make.sum(axis=1).tolist()
    ([10.0, 4.0], [10.0, 4.0])
    """
    made = output_by_product > 0
    shares = np.divide(make, output_by_product, out=np.zeros_like(make), where=made)
    return shares @ use, shares @ final


def without_imports(
    use: Array, imports: Array, is_final: Array, stated_imports: Array
) -> tuple[Array, Array, Array, int]:
    """Split a use table at home and abroad; what cannot be so is told and kept in one column.

    Imports of a cell that exceed its use, or have the other sign, are cut to it: tables of use and
    of imports may differ in treatment. What is cut from a product is kept in a column, so that the
    product still sells what is made of it.

    Parameters
    ----------
    use : ndarray of float64, shape (n_products, n_columns)
        All purchases of industries and final users, without the (negative) column of imports.
    imports : ndarray of float64, shape (n_products, n_columns)
        The imported part of them.
    is_final : ndarray of bool, shape (n_columns,)
        Final users may hold negative entries (inventories); these stay at home.
    stated_imports : ndarray of float64, shape (n_products,)
        Imports of each product in all, from the use table.

    Returns
    -------
    home, abroad : ndarray of float64, shape (n_products, n_columns)
    adjustment : ndarray of float64, shape (n_products,)
        What the home part sells too much because imports could not be placed (negative: the
        column that takes it away again).
    n_cut : int
        Cells in which imports were cut by more than half a unit.

    Examples
    --------
    >>> home, abroad, adjustment, n_cut = without_imports(np.array([[5.0, 3.0]]),
    ...     np.array([[6.0, 1.0]]), np.array([False, True]), np.array([7.0]))
    >>> home.tolist(), abroad.tolist(), adjustment.tolist(), n_cut
    ([[0.0, 2.0]], [[5.0, 1.0]], [-1.0], 1)
    """
    abroad = np.clip(imports, 0.0, np.maximum(use, 0.0))
    n_cut = int((np.abs(imports - abroad)[:, ~is_final] > 0.5).sum())
    n_cut += int(((imports - abroad)[:, is_final] > 0.5).sum())
    adjustment = abroad.sum(axis=1) - stated_imports
    return use - abroad, abroad, adjustment, n_cut


def as_economy(table: NationalTable) -> tuple[Array, Array, Array, Array]:
    """Return flows, final demand, output and value added of home and of the region of imports.

    Nodes are the home industries, then one foreign node for each imported product; these buy
    nothing, sell what is imported, and what they sell counts as their value added.

    Examples
    --------
    >>> table = NationalTable(flows=np.array([[1.0]]), final=np.array([[9.0]]),
    ...     imports=np.array([[4.0]]), final_imports=np.array([[2.0]]), output=np.array([10.0]))
    >>> flows, final, output, value_added = as_economy(table)
    >>> flows.tolist(), output.tolist(), value_added.tolist()
    ([[1.0, 0.0], [4.0, 0.0]], [10.0, 6.0], [5.0, 6.0])
    """
    n_home = len(table.flows)
    n = n_home + len(table.imports)
    flows = np.zeros((n, n))
    flows[:n_home, :n_home] = table.flows
    flows[n_home:, :n_home] = table.imports
    final = np.vstack([table.final, table.final_imports])
    imported = table.imports.sum(axis=1) + table.final_imports.sum(axis=1)
    output = np.concatenate([table.output, np.maximum(imported, 0.0)])
    value_added = output - flows.sum(axis=0)
    return flows, final, output, value_added
