"""Capability of research: which technology domains a place is strong in, and what is near them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from withstand.errors import UsageError
from withstand.measures.advantages import comparative_advantage, is_present
from withstand.measures.capability_matrices import capability_matrix
from withstand.measures.proximities import colocation
from withstand.model.findings import Finding, counted, listed, make_finding, nearest

if TYPE_CHECKING:
    import pandas as pd

Array = np.ndarray
SEVERAL = ("mean", "least")


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class ResearchCapability:
    """How strong every place is in every technology domain, and in what is akin to it.

    Parameters
    ----------
    places : tuple of str, m
    domains : tuple of str, n
    patents : ndarray of float64, shape (m, n), as in the table
    rca : ndarray of float64, shape (m, n), ratio
        Share of a domain in the place's patents over that in all.
    present : ndarray of bool, shape (m, n)
        Where `rca` is `threshold` or more, and patents are `least` or more.
    proximity : ndarray of float64, shape (n, n), 0 to 1
        How often places that have the one domain have the other too.
    density : ndarray of float64, shape (m, n), 0 to 1
        How much of what is akin to a domain, itself included, a place has; NaN where nothing is
        akin.
    threshold, least : float
    findings : tuple of Finding
    """

    places: tuple[str, ...]
    domains: tuple[str, ...]
    patents: Array
    rca: Array
    present: Array
    proximity: Array
    density: Array
    threshold: float
    least: float
    findings: tuple[Finding, ...]

    def to_frame(self) -> pl.DataFrame:
        """Return place, domain, patents, rca, is_present, density; empty where not known."""
        m, n = self.rca.shape
        place, domain = np.repeat(np.arange(m), n), np.tile(np.arange(n), m)
        return pl.DataFrame(
            {
                "place": pl.Series(self.places, dtype=pl.String).gather(place),
                "domain": pl.Series(self.domains, dtype=pl.String).gather(domain),
                "patents": self.patents.ravel(),
                "rca": self.rca.ravel(),
                "is_present": self.present.ravel(),
                "density": pl.Series(self.density.ravel()).fill_nan(None),
            }
        )

    def to_pandas(self) -> pd.DataFrame:
        """Return the same as a pandas frame."""
        return self.to_frame().to_pandas()

    def why(self, place: str, domain: str, n: int = 10) -> pl.DataFrame:
        """Return other, proximity, patents, rca, is_present: the domains most akin to one.

        Raises
        ------
        UsageError
            If there is no such place or domain.
        """
        c, d = self.index_of(place, "place"), self.index_of(domain, "domain")
        frame = pl.DataFrame(
            {
                "other": list(self.domains),
                "proximity": self.proximity[d],
                "patents": self.patents[c],
                "rca": self.rca[c],
                "is_present": self.present[c],
            }
        ).filter(pl.col("proximity") > 0)
        return frame.sort(["proximity", "other"], descending=[True, False]).head(n)

    def index_of(self, label: str, kind: str) -> int:
        """Return the row of a place, or the column of a domain.

        Raises
        ------
        UsageError
            If there is no such label; the nearest one is named.
        """
        known = self.places if kind == "place" else self.domains
        if label not in known:
            near = nearest(str(label), known)
            hint = f" Did you mean {near}?" if near else ""
            raise UsageError(f"There is no {kind} '{str(label)[:60]}' here.{hint}")
        return known.index(label)

    def of_products(
        self, products: Mapping[str, str | None], place: str, *, several: str = "mean"
    ) -> tuple[pl.DataFrame, list[Finding]]:
        """Return how near the research behind each product is to a place, and what is missing.

        Parameters
        ----------
        products : mapping of str to str or None
            Product to its technology domains, separated by semicolons.
        place : str
        several : {"mean", "least"}
            What counts for a product of several domains: the mean of their densities, or the
            least (it takes all of them, and the weakest decides).

        Returns
        -------
        DataFrame
            product, domains (those known), research_density (0 to 1), research_rca and patents (of
            the weakest domain: the one of the least density), weakest_domain, unknown_domains;
            empty where no domain is known.
        list of Finding
            W661 (no domain, or one that the table lacks).
        """
        if several not in SEVERAL:
            raise UsageError(f"several = '{several}': use one of {', '.join(SEVERAL)}.")
        c = self.index_of(place, "place")
        folded = {label.strip().casefold(): i for i, label in enumerate(self.domains)}
        rows, lacking, unknown = [], [], []
        for product, text in products.items():
            names = domains_in(text)
            found = [folded[x.casefold()] for x in names if x.casefold() in folded]
            strange = [x for x in names if x.casefold() not in folded]
            known = [d for d in dict.fromkeys(found) if not np.isnan(self.density[c, d])]
            lacking += [] if names else [product]
            unknown += [(product, x) for x in strange]
            rows.append((product, *self._of(c, known, several), "; ".join(strange) or None))
        schema = {
            "product": pl.String,
            "domains": pl.String,
            "research_density": pl.Float64,
            "research_rca": pl.Float64,
            "patents": pl.Float64,
            "weakest_domain": pl.String,
            "unknown_domains": pl.String,
        }
        frame = pl.DataFrame(rows, schema=schema, orient="row")
        return frame, [*_without_domain(lacking), *_strange(unknown, self.domains)]

    def _of(
        self, c: int, domains: list[int], several: str
    ) -> tuple[str | None, float | None, float | None, float | None, str | None]:
        """Return the cells of one product."""
        if not domains:
            return None, None, None, None, None
        density = self.density[c, domains]
        weakest = domains[int(np.argmin(density))]
        number = float(density.mean() if several == "mean" else density.min())
        names = "; ".join(self.domains[d] for d in domains)
        return (
            names,
            number,
            float(self.rca[c, weakest]),
            float(self.patents[c, weakest]),
            self.domains[weakest],
        )

    def summary(self) -> str:
        """Return one sentence."""
        m, n = self.rca.shape
        return (
            f"{counted(n, 'technology domain')} in {counted(m, 'place')}: a place stands out in "
            f"{self.present.sum(axis=1).mean():.3g} of them on average."
        )

    def __repr__(self) -> str:
        """Return one line."""
        m, n = self.rca.shape
        return f"<ResearchCapability of {counted(m, 'place')} in {counted(n, 'domain')}>"


def domains_in(text: str | None) -> list[str]:
    """Return the domains that a cell names, separated by semicolons.

    Examples
    --------
    >>> domains_in("Machine tools; Materials ;"), domains_in(None)
    (['Machine tools', 'Materials'], [])
    """
    return [x.strip() for x in (text or "").split(";") if x.strip()]


def research_capability(
    patents: pl.DataFrame | pd.DataFrame,
    *,
    place: str = "place",
    domain: str = "domain",
    value: str = "patents",
    threshold: float = 1.0,
    least: float = 0.0,
) -> ResearchCapability:
    """Say which technology domains a place is strong in, and how near the others are.

    The same equations as for products: a place has a domain if its share of the place's patents is
    `threshold` times that in all patents or more (RCA); two domains are akin as far as places that
    have the one have the other too; density says how much of what is akin to a domain the place
    has. `complexity(patents, product=domain, value=value)` gives the indices of the same table.

    Parameters
    ----------
    patents : polars.DataFrame or pandas.DataFrame
        Patents (or papers) by place and technology domain, long or wide (`capability_matrix`);
        counts may be fractional.
    place, domain, value : str
        Names of the columns of a long table.
    threshold : float
        A place has a domain from this RCA on.
    least : float, patents
        And from this many patents on: in a small place one patent makes an advantage.

    Returns
    -------
    ResearchCapability

    Raises
    ------
    UsageError
        If it is no such table, or a threshold is not possible.
    DataError
        Negative or infinite counts, labels twice, fewer than two places or domains.

    References
    ----------
    Kogler, Rigby & Tucker (2013), Mapping knowledge space and technological relatedness in US
    cities, European Planning Studies 21; Hidalgo et al. (2007), Science 317, for the equations.

    Examples
    --------
    The south has nothing of optics, but all that goes with it.

    >>> counts = pl.DataFrame({"place": ["N", "S", "E"], "optics": [4.0, 0.0, 0.0],
    ...                        "chips": [4.0, 6.0, 0.0], "dyes": [0.0, 0.0, 8.0]})
    >>> found = research_capability(counts)
    >>> found.to_frame().filter(pl.col("domain") == "optics").select("place", "density").rows()
    [('N', 1.0), ('S', 0.3333333333333333), ('E', 0.0)]
    """
    for name, number, low in (("threshold", threshold, 1e-300), ("least", least, 0.0)):
        if not low <= number < np.inf:
            raise UsageError(f"{name} = {number}: a number above 0 (least: or 0) is meant.")
    read = capability_matrix(patents, place=place, product=domain, value=value)
    rca = comparative_advantage(read.values)
    present = is_present(rca, threshold) & (read.values >= least)
    has = present.astype(np.float64)
    proximity = colocation(has)
    akin = proximity.sum(axis=1)
    density = np.where(akin > 0, has @ proximity / np.where(akin > 0, akin, 1.0), np.nan)
    findings = list(read.findings)
    nobody = [x for x, n in zip(read.products, present.sum(axis=0), strict=True) if n == 0]
    if nobody:
        what = f"domain {listed(nobody)}: no place reaches the threshold, so nothing is akin to it"
        findings.append(make_finding("W653", what, value=nobody[0], count=len(nobody)))
    return ResearchCapability(
        places=read.places,
        domains=read.products,
        patents=read.values,
        rca=rca,
        present=present,
        proximity=proximity,
        density=density,
        threshold=threshold,
        least=least,
        findings=tuple(findings),
    )


def _without_domain(products: list[str]) -> list[Finding]:
    if not products:
        return []
    what = f"{counted(len(products), 'product')} without a technology domain: {listed(products)}"
    return [
        make_finding(
            "W661", what, column="technology_domain", value=products[0], count=len(products)
        )
    ]


def _strange(unknown: list[tuple[str, str]], domains: tuple[str, ...]) -> list[Finding]:
    """Tell which domains the table of patents lacks, each once."""
    names = list(dict.fromkeys(name for _, name in unknown))
    found = []
    for name in names:
        of = [p for p, x in unknown if x == name]
        what = f"the table of patents has no domain '{name[:60]}', named by {listed(of)}"
        near = nearest(name, domains)
        found.append(
            make_finding(
                "W661",
                what,
                column="technology_domain",
                value=name,
                suggestion=near,
                count=len(of),
            )
        )
    return found
