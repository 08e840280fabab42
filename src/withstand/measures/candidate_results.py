"""The answer about what to make at home: ranks, every factor, and the evidence behind each."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from withstand.errors import UsageError
from withstand.measures.density_draws import density_ranks
from withstand.model.findings import Finding, counted, listed, nearest
from withstand.model.provenance import Provenance, versions

if TYPE_CHECKING:
    import pandas as pd

    from withstand.measures.complexities import Complexity
    from withstand.measures.product_codes import CodeJoin
    from withstand.measures.research_capabilities import ResearchCapability
    from withstand.measures.screening import Screens
    from withstand.model.network import ProductionNetwork

GROUPS = {
    "dangerous": (
        "flags",
        "import_hhi",
        "extra_share",
        "probability",
        "outside_home",
        "foreign_hhi",
        "output_lost",
    ),
    "reachable": ("density", "research_density"),
    "worth_it": ("pci", "cog", "export_potential", "imports", "purchases"),
}
"""Group to its factors; each factor is the higher the more it speaks for making the product."""
WEIGHTS = {name: 1.0 for names in GROUPS.values() for name in names}
WORDS = {
    "flags": "share of the screens run that flag it",
    "import_hhi": "concentration of imports from outside the bloc, 0 to 1",
    "extra_share": "imports from outside the bloc in all imports of members, 0 to 1",
    "probability": "highest chance of being flagged by a screen, 0 to 1",
    "outside_home": "share of purchases from outside home, 0 to 1",
    "foreign_hhi": "sum of squared shares of the regions outside home, 0 to 1",
    "output_lost": "share of final demand lost with one region, where the product binds, 0 to 1",
    "density": "how much of what is akin to it home has, 0 to 1",
    "research_density": "how much of what is akin to its technology domains home has, 0 to 1",
    "pci": "how hard it is",
    "cog": "what it would open: gain of the outlook index",
    "export_potential": "exports to gain at home's average share, unit of the capability table",
    "imports": "imports from outside the bloc in the year, unit of the cube",
    "purchases": "bought outside home, currency of the network per period",
}
_ROW = {
    "group": pl.String,
    "factor": pl.String,
    "value": pl.Float64,
    "threshold": pl.Float64,
    "standing": pl.Float64,
    "weight": pl.Float64,
    "meaning": pl.String,
    "evidence": pl.String,
}


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class LocaliseCandidates:
    """What home could make itself, ranked, with every factor and what is missing.

    Parameters
    ----------
    place : str
    rows : polars.DataFrame
        As `to_frame` returns it.
    weights : mapping of str to float
        Of the factors and groups that are there.
    groups : mapping of str to tuple of str
        Group to its factors that count.
    findings : tuple of Finding
    """

    place: str
    rows: pl.DataFrame
    weights: Mapping[str, float]
    groups: Mapping[str, tuple[str, ...]]
    findings: tuple[Finding, ...]
    _standings: pl.DataFrame
    _capability: Complexity
    _join: CodeJoin
    _network: ProductionNetwork | None
    _screens: Screens | None
    _year: int | None
    _screen_join: CodeJoin | None
    _research: ResearchCapability | None
    _research_place: str
    _vintage: str | None
    _table_vintage: str | None
    _pci_given: bool
    _several: str

    def to_frame(self) -> pl.DataFrame:
        """Return a row for each candidate, best first; those without a score last.

        rank, product, name, score, score_low, score_high (0 to 1; the last two if what is missing
        stood last, or first), on_front, beaten_by (a candidate as good in every group and better in
        one), the groups (0 to 1), missing (factors not known), the factors as they are, code and
        join (in the table of capability, and how it matched), density_percentile (among all
        products of the table), rca, share_present (1: home has advantage in it already), and where
        given domains, weakest_domain, unknown_domains, research_rca, pci_rank, pci_rank_low,
        pci_rank_high.
        """
        return self.rows

    def to_pandas(self) -> pd.DataFrame:
        """Return the same as a pandas frame."""
        return self.rows.to_pandas()

    @property
    def products(self) -> tuple[str, ...]:
        """Return the candidates with a rank, best first."""
        return tuple(self.rows.filter(pl.col("rank").is_not_null())["product"].to_list())

    def top(self, n: int = 10) -> pl.DataFrame:
        """Return rank, product, score, on_front and the groups of the best n."""
        return self.rows.select("rank", "product", "score", "on_front", *self.groups).head(n)

    def front(self) -> pl.DataFrame:
        """Return the rows of the front: nobody is as good in every group and better in one."""
        return self.rows.filter(pl.col("on_front").fill_null(value=False))

    def why(self, product: str) -> pl.DataFrame:
        """Return everything behind one candidate: a row a factor, and below it what explains it.

        group, factor, value, threshold (of screens), standing (among candidates, 0 to 1), weight
        (empty where the row explains another), meaning, evidence (which data).
        """
        row = self._row(product)
        place = self._standings.row(by_predicate=pl.col("product") == product, named=True)
        found: list[tuple[Any, ...]] = []
        for group, names in GROUPS.items():
            for name in names:
                if name not in place:
                    continue
                weight = self.weights.get(name, 0.0) if group in self.groups else 0.0
                found.append((group, name, row[name], None, place[name], weight, WORDS[name],
                              self._source(name)))  # fmt: skip
                found += self._below(group, name, product, row)
        return pl.DataFrame(found, schema=_ROW, orient="row")

    def _below(
        self, group: str, name: str, product: str, row: Mapping[str, Any]
    ) -> list[tuple[Any, ...]]:
        """Return the rows that explain a factor: codes, conditions of screens, sources, domains."""
        if name == "density":
            rows = self._join.rows.filter(pl.col("product") == product)
            density = dict(zip(self._capability.products, self._density(), strict=True))
            return [
                (group, f"density of {code}", density[code], None, None, None,
                 f"code {own} is {how}, weight {weight:.3g}", self._source(name))
                for own, code, weight, how in rows.select("own", "code", "weight", "how").rows()
            ]  # fmt: skip
        if name == "research_density" and self._research is not None:
            research = self._research
            c = research.index_of(self._research_place, "place")
            names = (row.get("domains") or "").split("; ") if row.get("domains") else []
            found: list[tuple[Any, ...]] = []
            for x in names:
                d = research.index_of(x, "domain")
                text = f"RCA {research.rca[c, d]:.3g}, {research.patents[c, d]:,.6g} patents"
                found.append((group, f"density of {x}", float(research.density[c, d]), None, None,
                              None, text, self._source(name)))  # fmt: skip
            return found
        if name == "pci" and row.get("pci_rank") is not None:
            text = f"rank {row['pci_rank']} moves between these two"
            return [
                (group, f"rank of pci, {side}", row[f"pci_rank_{side}"], None, None, None, text,
                 "rank_intervals")
                for side in ("low", "high")
            ]  # fmt: skip
        if name == "flags":
            return self._conditions(group, product)
        if name == "outside_home" and self._network is not None:
            from withstand.measures.concentrations import concentration

            shares = concentration(self._network).why(product)
            return [
                (group, f"share of {source}", share, None, None, None, "part of purchases",
                 self._source(name))
                for source, share in shares.select("source", "share").rows()
            ]  # fmt: skip
        return []

    def _conditions(self, group: str, product: str) -> list[tuple[Any, ...]]:
        """Return the conditions of the screens on the codes of a product."""
        if self._screens is None or self._screen_join is None:
            return []
        codes = self._screen_join.rows.filter(pl.col("product") == product)["code"].unique().sort()
        found: list[tuple[Any, ...]] = []
        for code in codes:
            for r in self._screens.why(code, self._year).iter_rows(named=True):
                said = "holds" if r["holds"] else "does not hold"
                text = f"{r['words']}; {said}" if r["words"] else said
                name = f"{r['preset']}: {r['indicator']} of {code}"
                found.append((group, name, r["value"], r["threshold"], None, None, text,
                              self._source("flags")))  # fmt: skip
        return found

    def _density(self) -> list[float]:
        c = self._capability.index_of(self.place, "place")
        return [float(x) for x in self._capability.density[c]]

    def _source(self, factor: str) -> str:
        """Return in words which data a factor is from."""
        if factor in ("outside_home", "foreign_hhi", "output_lost", "purchases"):
            return self._sources["network"]
        if factor in ("flags", "import_hhi", "extra_share", "probability", "imports"):
            return self._sources["screens"]
        if factor == "research_density":
            return self._sources["research"]
        if factor == "pci" and self._pci_given:
            return "given"
        return self._sources["capability"]

    @cached_property
    def _sources(self) -> dict[str, str]:
        """Return each set of data in words, with its fingerprint."""
        own = self._capability
        found = {
            "capability": f"complexity of {self.place} ({own.convention}, threshold "
            f"{own.threshold:g}), {_short(_table_hash(own))}"
        }
        if self._network is not None:
            found["network"] = (
                f"network {self._network.name}, {_short(self._network.fingerprint())}"
            )
        if self._screens is not None:
            rules = []
            for p in self._screens.presets:
                parts = [f"{c.indicator} {c.sign} {c.threshold:g}" for c in p.conditions]
                rules.append(f"{p.name} ({', '.join(parts)})")
            origin = self._screens.provenance
            found["screens"] = (
                f"screens of {self._screens.bloc} in {self._year}: {'; '.join(rules)}; cube "
                f"{origin.network}, {_short(origin.fingerprint)}"
            )
        if self._research is not None:
            found["research"] = (
                f"research of {self._research_place}, {self._several} of domains, "
                f"{_short(_research_hash(self._research))}"
            )
        if self._pci_given:
            found["pci"] = "pci given"
        return found

    def evidence(self, product: str) -> str:
        """Return in one line why a product is a candidate, with the fingerprints of all data."""
        row = self._row(product)
        parts = []
        for group, names in self.groups.items():
            cells = [f"{x} {_number(row[x])}" for x in names]
            parts.append(f"{group} {_number(row[group])} ({', '.join(cells)})")
        rank = "no rank" if row["rank"] is None else f"rank {row['rank']} of {len(self.products)}"
        front = {True: ", on the front", False: f", beaten by {row['beaten_by']}", None: ""}
        sources = "; ".join(self._sources.values())
        return (
            f"localise_candidates {_short(self.fingerprint())}: {product} {rank}, score "
            f"{_number(row['score'])}{front[row['on_front']]}: {'; '.join(parts)}. From {sources}."
        )

    def fingerprint(self) -> str:
        """Return a hash of what was put in and what came out."""
        return self._fingerprint

    @cached_property
    def _fingerprint(self) -> str:
        digest = hashlib.blake2b(digest_size=16)
        digest.update(json.dumps([self._sources, dict(self.weights)], sort_keys=True).encode())
        shown = self.rows.sort("product").with_columns(pl.col(pl.Float64).round(12))
        digest.update(shown.write_csv(float_precision=12).encode())
        return digest.hexdigest()

    @cached_property
    def provenance(self) -> Provenance:
        """Return what was computed on what; reads every flow of a cube once."""
        parameters: dict[str, Any] = {
            "place": self.place,
            "sources": self._sources,
            "weights": dict(self.weights),
            "vintages": [self._vintage, self._table_vintage],
        }
        if self._screens is not None:
            parameters["screens"] = self._screens.provenance.to_dict()
        return Provenance(
            what="measures.localise_candidates",
            network="" if self._network is None else self._network.name,
            fingerprint=self.fingerprint(),
            parameters=parameters,
            seed=None if self._screens is None else self._screens.provenance.seed,
            versions=versions(),
        )

    @property
    def network_fingerprint(self) -> str | None:
        """Return the fingerprint of the network they were found in, if there was one."""
        return None if self._network is None else self._network.fingerprint()

    def density_intervals(
        self, *, draws: int = 200, level: float = 0.9, seed: int = 0
    ) -> pl.DataFrame:
        """Say between which ranks among the candidates the density moves with other places.

        Places are drawn with replacement, and what is akin to what is computed anew; what home has
        is held. Columns: product, density, rank (1 for the densest), low, high (the middle `level`
        of the draws); by rank.
        """
        return density_ranks(
            self._capability, self.place, self._join, draws=draws, level=level, seed=seed
        )

    def _row(self, product: str) -> dict[str, Any]:
        known: Sequence[str] = self.rows["product"].to_list()
        if product not in known:
            near = nearest(str(product), known)
            hint = f" Did you mean {near}?" if near else ""
            raise UsageError(f"'{str(product)[:60]}' is no candidate here.{hint}")
        return self.rows.row(by_predicate=pl.col("product") == product, named=True)

    def summary(self) -> str:
        """Return one sentence: how many, and who is first."""
        first = listed(list(self.products[:3]))
        n = self.front().height
        best = f"first {first}; " if first else "none with a rank; "
        return (
            f"{counted(self.rows.height, 'candidate')} for {self.place}: {best}{n} on the front of "
            f"{', '.join(self.groups)}."
        )

    def __repr__(self) -> str:
        """Return one line."""
        return f"<LocaliseCandidates: {self.summary()}>"


def _number(value: float | None) -> str:
    return "not known" if value is None else f"{value:.3g}"


def _short(fingerprint: str) -> str:
    return fingerprint[:12]


def _table_hash(found: Complexity) -> str:
    """Return a hash of a table of capability and of how it was read."""
    digest = hashlib.blake2b(digest_size=16)
    digest.update(repr((found.places, found.products, found.convention, found.threshold)).encode())
    digest.update(np.ascontiguousarray(found.values, dtype="<f8").tobytes())
    return digest.hexdigest()


def _research_hash(found: ResearchCapability) -> str:
    digest = hashlib.blake2b(digest_size=16)
    digest.update(repr((found.places, found.domains, found.threshold, found.least)).encode())
    digest.update(np.ascontiguousarray(found.patents, dtype="<f8").tobytes())
    return digest.hexdigest()
