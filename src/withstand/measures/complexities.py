"""Economic complexity: what places can do, how hard products are, and what is within reach."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from withstand.errors import UsageError
from withstand.measures.advantages import comparative_advantage, is_present
from withstand.measures.capability_matrices import CapabilityMatrix, capability_matrix
from withstand.measures.complexity_findings import (
    about_fitness,
    about_pieces,
    about_vectors,
    without_absent,
)
from withstand.measures.complexity_vectors import Vectors, complexity_vectors, components
from withstand.measures.fitnesses import MOST_ROUNDS, TOLERANCE, fitness_complexity
from withstand.measures.outlooks import outlook
from withstand.measures.proximities import colocation
from withstand.model.findings import Finding, listed, nearest

if TYPE_CHECKING:
    import pandas as pd

Array = np.ndarray

# How the gain is counted (`outlooks.outlook`), by convention.
CONVENTIONS = {"stata": "paths", "ecomplexity": "paths", "atlas": "net", "textbook": "exact"}
# In these the index of products is in units of that of places, and the outlook is standardised.
ONE_SCALE = ("stata", "ecomplexity")
KINDS = ("pairs", "places", "products")


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Complexity:
    """What places can do and how hard products are.

    Parameters
    ----------
    places, products : tuple of str
        Labels of the arrays, in the order of the table.
    values : ndarray of float64, shape (n_places, n_products)
        The table.
    rca : ndarray of float64, shape (n_places, n_products), ratio
        Revealed comparative advantage.
    present : ndarray of bool, shape (n_places, n_products)
        Where `rca` is `threshold` or more: M.
    diversity, ubiquity : ndarray of int64, shape (n_places,), (n_products,)
        Products of a place; places of a product.
    eci, pci : ndarray of float64, shape (n_places,), (n_products,), standard deviations
        Economic complexity index, product complexity index. NaN outside the largest piece of a
        table that falls apart.
    proximity : ndarray of float64, shape (n_products, n_products), 0 to 1
        1 on the diagonal; 0 there by convention stata.
    density : ndarray of float64, shape (n_places, n_products), 0 to 1
        How much of what is akin to a product a place has; 1 less it is the distance.
    coi : ndarray of float64, shape (n_places,)
        Complexity outlook index: standard deviations by conventions stata and ecomplexity, else in
        those of `pci`.
    cog : ndarray of float64, shape (n_places, n_products)
        Complexity outlook gain of a product that the place lacks, 0 for what it has.
    fitness, quality : ndarray of float64, shape (n_places,), (n_products,), mean 1
        Fitness of places, complexity of products by Tacchella et al.
    eigenvalues : ndarray of float64, shape (3,)
        1, the one that the indices belong to, and the next.
    convention : str
    threshold : float
    rounds : int
        Of the fitness.
    findings : tuple of Finding
    """

    places: tuple[str, ...]
    products: tuple[str, ...]
    values: Array
    rca: Array
    present: Array
    diversity: Array
    ubiquity: Array
    eci: Array
    pci: Array
    proximity: Array
    density: Array
    coi: Array
    cog: Array
    fitness: Array
    quality: Array
    eigenvalues: Array
    convention: str
    threshold: float
    rounds: int
    findings: tuple[Finding, ...]

    def to_frame(self, of: str = "pairs") -> pl.DataFrame:
        """Return a table; what is not known is empty.

        Parameters
        ----------
        of : {"pairs", "places", "products"}
            "pairs": place, product, value, rca, is_present, density, cog, and beside them eci, coi
            of the place and pci of the product. "places": place, diversity, eci, coi, fitness,
            rank (by eci). "products": product, ubiquity, pci, quality, rank (by pci).

        Raises
        ------
        UsageError
            If it is none of the three.
        """
        if of not in KINDS:
            raise UsageError(f"to_frame knows {listed(KINDS)}, not '{of}'.")
        if of == "places":
            columns = {"diversity": self.diversity, "eci": self.eci, "coi": self.coi}
            return _ranked("place", self.places, columns | {"fitness": self.fitness}, by="eci")
        if of == "products":
            columns = {"ubiquity": self.ubiquity, "pci": self.pci, "quality": self.quality}
            return _ranked("product", self.products, columns, by="pci")
        m, n = self.rca.shape
        place, product = np.repeat(np.arange(m), n), np.tile(np.arange(n), m)
        return pl.DataFrame(
            {
                "place": pl.Series(self.places, dtype=pl.String).gather(place),
                "product": pl.Series(self.products, dtype=pl.String).gather(product),
                "value": self.values.ravel(),
                "rca": self.rca.ravel(),
                "is_present": self.present.ravel(),
                "density": self.density.ravel(),
                "cog": self.cog.ravel(),
                "eci": self.eci[place],
                "coi": self.coi[place],
                "pci": self.pci[product],
            }
        ).with_columns(pl.col(pl.Float64).fill_nan(None))

    def to_pandas(self, of: str = "pairs") -> pd.DataFrame:
        """Return the same as a pandas frame."""
        return self.to_frame(of).to_pandas()

    def top(self, n: int = 10, of: str = "places") -> pl.DataFrame:
        """Return the places, or the products, of the highest index, the highest first."""
        if of not in ("places", "products"):
            raise UsageError(f"top knows places and products, not '{of}'.")
        return self.to_frame(of).sort("rank", nulls_last=True, maintain_order=True).head(n)

    def nearest(self, product: str, n: int = 10) -> pl.DataFrame:
        """Return other, proximity, pci: what those who have a product have too, nearest first.

        Raises
        ------
        UsageError
            If there is no such product.
        """
        j = self.index_of(product, "product")
        frame = pl.DataFrame(
            {"other": list(self.products), "proximity": self.proximity[j], "pci": self.pci}
        ).with_columns(pl.col("pci").fill_nan(None))
        others = frame.filter((pl.col("other") != product) & (pl.col("proximity") > 0))
        return others.sort(["proximity", "other"], descending=[True, False]).head(n)

    def index_of(self, label: str, kind: str) -> int:
        """Return the row of a place, or the column of a product.

        Raises
        ------
        UsageError
            If there is no such label; the nearest one is named.
        """
        known = self.places if kind == "place" else self.products
        if label not in known:
            near = nearest(str(label), known)
            hint = f" Did you mean {near}?" if near else ""
            raise UsageError(f"There is no {kind} '{str(label)[:60]}' here.{hint}")
        return known.index(label)

    def summary(self) -> str:
        """Return one sentence: who is on top."""
        m, n = self.rca.shape
        leaders = listed(self.top(3)["place"].to_list())
        return (
            f"{n:,} products in {m:,} places: highest economic complexity in {leaders} "
            f"(convention {self.convention})."
        )

    def __repr__(self) -> str:
        """Return one line."""
        m, n = self.rca.shape
        return f"<Complexity of {m:,} places and {n:,} products, convention {self.convention}>"


def complexity(
    matrix: pl.DataFrame | pd.DataFrame | Array,
    *,
    convention: str = "stata",
    threshold: float = 1.0,
    place: str = "place",
    product: str = "product",
    value: str = "value",
    places: Sequence[str] | None = None,
    products: Sequence[str] | None = None,
    tolerance: float = TOLERANCE,
    most_rounds: int = MOST_ROUNDS,
) -> Complexity:
    """Say what places can do, how hard products are, and how near each product is to each place.

    A place has a product (M_cp = 1) if its share of it is `threshold` times that in the whole or
    more (RCA). ECI and PCI are the second eigenvectors of the averages over M
    (`complexity_vectors`); proximity, density, outlook index and gain say what is near and what it
    would open (`colocation`, `outlook`); fitness and quality are the other school's
    (`fitness_complexity`). Places may be countries or regions, products industries.

    Parameters
    ----------
    matrix : polars.DataFrame, pandas.DataFrame or ndarray
        Exports, output or employment by place and product, long or wide (`capability_matrix`).
    convention : {"stata", "ecomplexity", "atlas", "textbook"}
        How vectors become indices, and what the gain is; see the notes.
    threshold : float
        A place has a product from this RCA on; exact ties count, whatever the rounding. Just above
        0 (1e-9) it has whatever is not 0, so that a table of 0 and 1 is taken as it stands.
    place, product, value : str
        Names of the columns of a long table.
    places, products : sequence of str, optional
        Labels of an array.
    tolerance, most_rounds : float, int
        When the rounds of fitness end.

    Returns
    -------
    Complexity

    Raises
    ------
    UsageError
        If the convention, the threshold or the table is no such thing.
    DataError
        Negative or infinite values, labels twice, fewer than two places or products.

    Notes
    -----
    The conventions, with e and q the vectors of `complexity_vectors` and population deviations:

    - stata: ECI = (e - mean e) / sd e and PCI = (q - mean e) / sd e, so that the ECI of a place is
      the mean PCI of what it has; COI of q, then standardised; COG = paths of q / sd e. A product
      is not near itself (0 on the diagonal of the proximity), deviations are those of a sample of
      all place x product rows, and a place has a product above the threshold only, not at it.
      These are the numbers of the Stata program ecomplexity.
    - ecomplexity: the numbers of the Python package of that name (to 0.5.3). As stata, but a
      product is near itself (1), deviations are those of the population, and ties count.
    - atlas: ECI and PCI each by mean and deviation of its own; COI of PCI, not standardised; COG =
      paths of PCI less density times PCI, as the Atlas prints it (technical boxes 2.1 and 5.4).
    - textbook: as atlas, but COG is exactly what COI rises by when the place has the product too.

    References
    ----------
    Hidalgo & Hausmann (2009), PNAS 106; Hausmann et al. (2014), The Atlas of Economic Complexity;
    Tacchella et al. (2012), Scientific Reports 2:723.

    Examples
    --------
    Each place can do what those below it can, and one thing more.

    >>> nested = np.array([[3.0, 2.0, 1.0], [2.0, 1.0, 0.0], [1.0, 0.0, 0.0]])
    >>> found = complexity(nested, places=["A", "B", "C"], products=["x", "y", "z"], threshold=0.1)
    >>> found.top()["place"].to_list(), found.top(of="products")["product"].to_list()
    (['A', 'B', 'C'], ['z', 'y', 'x'])
    """
    if convention not in CONVENTIONS:
        raise UsageError(f"convention = '{convention}': known are {listed(list(CONVENTIONS))}.")
    if not 0 < threshold < np.inf:
        raise UsageError(f"threshold = {threshold}: a place has a product from an RCA above 0 on.")
    read = capability_matrix(
        matrix, place=place, product=product, value=value, places=places, products=products
    )
    rca = comparative_advantage(read.values)
    present = is_present(rca, threshold, at_it=convention != "stata")
    read, rca, present, findings = without_absent(read, rca, present)
    return _of_presence(read, rca, present, findings, convention, threshold, tolerance, most_rounds)


def _of_presence(
    read: CapabilityMatrix,
    rca: Array,
    present: Array,
    findings: list[Finding],
    convention: str,
    threshold: float,
    tolerance: float,
    most_rounds: int,
) -> Complexity:
    """Compute every indicator of a matrix without empty rows and columns."""
    has = present.astype(np.float64)
    in_place, in_product = (piece == 0 for piece in components(has))
    findings += about_pieces(read, in_place, in_product)
    vectors = complexity_vectors(has[np.ix_(in_place, in_product)])
    findings += about_vectors(vectors)
    eci, pci, raw, deviation = _indices(vectors, in_place, in_product, convention)
    proximity = colocation(has)
    if convention == "stata":
        np.fill_diagonal(proximity, 0.0)
    near = outlook(has, proximity, raw, gain=CONVENTIONS[convention])
    coi = np.where(np.isnan(eci), np.nan, near.coi)
    if convention in ONE_SCALE and np.isfinite(coi).any():
        coi = (coi - np.nanmean(coi)) / (np.nanstd(coi) * _widening(has.size, convention))
    unknown = np.isnan(eci)[:, None] | np.isnan(pci)[None, :]
    cog = np.where(unknown, np.nan, near.cog / deviation)
    other = fitness_complexity(has, tolerance=tolerance, most_rounds=most_rounds)
    findings += about_fitness(other, read.places)
    return Complexity(
        places=read.places,
        products=read.products,
        values=read.values,
        rca=rca,
        present=present,
        diversity=present.sum(axis=1),
        ubiquity=present.sum(axis=0),
        eci=eci,
        pci=pci,
        proximity=proximity,
        density=near.density,
        coi=coi,
        cog=cog,
        fitness=other.fitness,
        quality=other.quality,
        eigenvalues=vectors.eigenvalues,
        convention=convention,
        threshold=threshold,
        rounds=other.rounds,
        findings=tuple(findings),
    )


def _indices(
    vectors: Vectors, in_place: Array, in_product: Array, convention: str
) -> tuple[Array, Array, Array, float]:
    """Return eci, pci, the values of products that outlooks are made of, and what to divide by."""
    eci, pci = np.full(len(in_place), np.nan), np.full(len(in_product), np.nan)
    e, q = vectors.places, vectors.products
    if not np.any(e):
        return eci, pci, pci, 1.0
    deviation = float(e.std()) * _widening(len(in_place) * len(in_product), convention)
    eci[in_place] = (e - e.mean()) / deviation
    if convention not in ONE_SCALE:
        pci[in_product] = (q - q.mean()) / q.std()
        return eci, pci, pci, 1.0
    pci[in_product] = (q - e.mean()) / deviation
    raw = np.full(len(in_product), np.nan)
    raw[in_product] = q
    return eci, pci, raw, deviation


def _widening(rows: int, convention: str) -> float:
    """Return the deviation of a sample of so many rows over that of the population."""
    return float(np.sqrt(rows / (rows - 1))) if convention == "stata" else 1.0


def _ranked(name: str, labels: tuple[str, ...], columns: dict[str, Array], by: str) -> pl.DataFrame:
    """Return labels beside their values, with the rank by one of them, 1 for the highest."""
    frame = pl.DataFrame({name: pl.Series(labels, dtype=pl.String), **columns})
    frame = frame.with_columns(pl.col(pl.Float64).fill_nan(None))
    return frame.with_columns(rank=pl.col(by).rank("min", descending=True).cast(pl.Int64))
