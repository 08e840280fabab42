"""TradeCube: who sold how much of which product to whom, by year."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from importlib.metadata import version
from typing import Any

import polars as pl

from withstand.errors import UsageError
from withstand.model.findings import Finding, counted, nearest, shorten
from withstand.model.provenance import Provenance, versions
from withstand.model.trade_blocs import BlocLike, bloc_name, members_in
from withstand.model.trade_conversion import converted
from withstand.model.trade_rows import FEW, TradeRows
from withstand.model.trade_vintages import UNKNOWN, vintage_name
from withstand.model.trade_years import asked_years

SIDES = ("exporter", "importer")


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class TradeCube:
    """Trade flows by year, exporter, importer and product; built once, never changed.

    Made by `withstand.read_trade`. The rows stay on disk where they are many; every question is
    answered by streaming them.

    Parameters
    ----------
    name : str
    rows : TradeRows
    vintage : str
        Vintage of the product codes: "HS92" ... "HS22", "mixed" or "unknown".
    value_unit, quantity_unit : str
        "thousand USD" and "tonnes" of BACI, "USD" and "kg" of Comtrade.
    partners : polars.DataFrame
        region, name, kind of every label that was read.
    findings : tuple of Finding
        What the reader had to say.
    history : mapping
        How the rows came about: source, conversions, filters.
    """

    name: str
    rows: TradeRows
    vintage: str
    value_unit: str
    quantity_unit: str
    partners: pl.DataFrame
    findings: tuple[Finding, ...] = ()
    history: Mapping[str, Any] = field(default_factory=dict)

    def __repr__(self) -> str:
        """Return one line."""
        years = f"{self.years[0]}-{self.years[-1]}" if self.years else "no years"
        return (
            f"<TradeCube {self.name!r}: {self.n_rows:,} flows, {years}, "
            f"{counted(len(self.products), 'product')} ({self.vintage}), "
            f"{counted(len(self.regions), 'region')}, {self.value_unit}>"
        )

    @cached_property
    def years(self) -> tuple[int, ...]:
        """Return the years, in order."""
        return tuple(self._extent["year"].to_list())

    @cached_property
    def regions(self) -> tuple[str, ...]:
        """Return the labels of all exporters and importers, in order."""
        sql = "SELECT exporter AS region FROM rows UNION SELECT importer FROM rows ORDER BY region"
        return tuple(self.rows.ask(sql)["region"].to_list())

    @cached_property
    def products(self) -> tuple[str, ...]:
        """Return the codes of the products, in order."""
        sql = "SELECT DISTINCT product FROM rows ORDER BY product"
        return tuple(self.rows.ask(sql)["product"].to_list())

    @property
    def n_rows(self) -> int:
        """Return the number of flows."""
        return int(self._extent["flows"].sum())

    def summary(self) -> pl.DataFrame:
        """Return year, flows, value (value_unit), quantity (quantity_unit), without_quantity.

        `without_quantity` is the share of flows that state no quantity (0 to 1).
        """
        return self._extent

    @cached_property
    def _extent(self) -> pl.DataFrame:
        return self.rows.ask(
            "SELECT year, count(*) AS flows, sum(value) AS value, sum(quantity) AS quantity, "
            "avg(CASE WHEN quantity IS NULL THEN 1.0 ELSE 0.0 END) AS without_quantity "
            "FROM rows GROUP BY year ORDER BY year"
        )

    def to_frame(self) -> pl.DataFrame:
        """Return all flows: year, exporter, importer, product, value, quantity, vintage; sorted.

        Raises
        ------
        UsageError
            If there are too many to hold; filter first.
        """
        if self.n_rows > 10 * FEW:
            raise UsageError(
                f"{self.n_rows:,} flows are too many for one frame; use filter(years=..., "
                "products=...) first."
            )
        frame = self.rows.ask("SELECT * FROM rows")
        return frame.sort("year", "product", "exporter", "importer").with_columns(
            vintage=pl.lit(self.vintage)
        )

    def filter(
        self,
        *,
        years: int | Iterable[int] | None = None,
        products: str | Iterable[str] | None = None,
        exporters: BlocLike | None = None,
        importers: BlocLike | None = None,
    ) -> TradeCube:
        """Return the cube of some years, products, exporters or importers.

        Parameters
        ----------
        years : int or iterable of int, optional
        products : str or iterable of str, optional
        exporters, importers : str or iterable of str, optional
            A bloc or labels. A bloc whose members change is taken as of its latest year here.

        Raises
        ------
        UsageError
            If a year, product or region is not there.
        """
        kept: dict[str, tuple[Any, ...]] = dict(self.rows.kept)
        if years is not None:
            kept["year"] = self.checked_years(years)
        if products is not None:
            chosen = (products,) if isinstance(products, str) else tuple(products)
            if not chosen:
                raise UsageError("No product is named; leave products= out for all of them.")
            self._check_products(chosen)
            kept["product"] = chosen
        year = max(kept.get("year", self.years), default=0)
        for side, bloc in zip(SIDES, (exporters, importers), strict=True):
            if bloc is not None:
                members = self.members(bloc, year)
                kept[side] = tuple(sorted(members & set(kept.get(side, members))))
        history = {**self.history, "filter": {k: list(v) for k, v in kept.items()}}
        return replace(self, rows=replace(self.rows, kept=kept), history=history)

    def with_findings(self, findings: Iterable[Finding]) -> TradeCube:
        """Return the same flows with other findings; what was asked of them is not asked again."""
        same = replace(self, findings=tuple(findings))
        for name in ("_extent", "regions", "products"):
            if name in self.__dict__:
                same.__dict__[name] = self.__dict__[name]
        return same

    def members(self, bloc: BlocLike, year: int) -> frozenset[str]:
        """Return the regions of this cube that belong to a bloc in a year.

        Raises
        ------
        UsageError
            If the bloc is not known or none of its members is here.
        """
        found = members_in(bloc, year, self.regions)
        if not found:
            raise UsageError(f"Nobody of '{bloc_name(bloc)}' trades in this cube in {year}.")
        return found

    def membership(self, bloc: BlocLike, years: Iterable[int]) -> pl.DataFrame:
        """Return year and region for the members of a bloc, year by year."""
        pairs = [(y, r) for y in years for r in sorted(self.members(bloc, y))]
        return pl.DataFrame(pairs, schema={"year": pl.Int32, "region": pl.String}, orient="row")

    def imports_of(
        self, bloc: BlocLike, years: int | Iterable[int] | None = None, *, intra: bool = False
    ) -> pl.DataFrame:
        """Return what a bloc imports, by year, product and exporter.

        Parameters
        ----------
        bloc : str, iterable of str, or mapping of int to iterable of str
            See `withstand.model.trade_blocs.members_in`. Membership is that of the year.
        years : int or iterable of int, optional
            Default: all.
        intra : bool
            Whether to keep flows between members.

        Returns
        -------
        DataFrame
            year, product, exporter, value (value_unit), quantity (quantity_unit; empty where no
            flow states one); sorted.
        """
        return self._side(bloc, years, "importer", "exporter", intra)

    def exports_of(
        self, bloc: BlocLike, years: int | Iterable[int] | None = None, *, intra: bool = False
    ) -> pl.DataFrame:
        """Return what a bloc exports, by year, product and importer; otherwise as `imports_of`."""
        return self._side(bloc, years, "exporter", "importer", intra)

    def convert(
        self, vintage: str, concordance: pl.DataFrame, *, start: str | None = None
    ) -> TradeCube:
        """Return the cube in another vintage of product codes.

        Flows of a code that leads to several are split by the weights of the concordance (equally
        where it has none; finding W607 says so). Codes that it does not know keep their code and
        are named in finding W606. Totals by year, exporter and importer do not change.

        Parameters
        ----------
        vintage : str
            "HS92" ... "HS22".
        concordance : polars.DataFrame
            Columns `from`, `to`, and `weight` (adds up to 1 for each `from`) if known; or columns
            named after the vintages, such as "HS4_6d", "HS0_6d".
        start : str, optional
            Vintage of the codes here; needed if the cube does not know it.

        Raises
        ------
        UsageError
            If a vintage is not known, or `start` contradicts the cube.
        DataError
            If the concordance has faults.
        """
        target = vintage_name(vintage)
        source = self.vintage
        if start is not None:
            source = vintage_name(start)
            if self.vintage not in (source, UNKNOWN):
                raise UsageError(
                    f"The codes here are {self.vintage}, not {source}: leave start= out, or read "
                    f"the source again with vintage='{source}'."
                )
        rows, findings, story = converted(self.rows, source, target, concordance, self.n_rows)
        history = {**self.history, "conversions": [*self.history.get("conversions", []), story]}
        return replace(
            self,
            rows=rows,
            vintage=target,
            findings=(*self.findings, *findings),
            history=history,
        )

    def fingerprint(self) -> str:
        """Return a hash of all flows, the same for any order of rows; reads every row once."""
        return self._fingerprint

    @cached_property
    def _fingerprint(self) -> str:
        numbers = self.rows.ask(
            "WITH h AS (SELECT md5_number_lower(concat_ws('|', year, exporter, importer, product, "
            "value, coalesce(CAST(quantity AS VARCHAR), ''))) AS h FROM rows) "
            "SELECT count(*) AS n, CAST(bit_xor(h) AS VARCHAR) AS x, "
            "CAST(sum(h % 1000000007) AS VARCHAR) AS s FROM h"
        ).row(0)
        import hashlib

        text = repr((numbers, self.vintage, self.value_unit, self.quantity_unit))
        return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()

    @property
    def provenance(self) -> Provenance:
        """Return where the cube came from."""
        return self.provenance_of("trade cube", self.history)

    def provenance_of(
        self, what: str, parameters: Mapping[str, Any], seed: int | None = None
    ) -> Provenance:
        """Return the provenance of a result computed now on this cube."""
        return Provenance(
            what=what,
            network=self.name,
            fingerprint=self.fingerprint(),
            parameters=dict(parameters),
            seed=seed,
            versions={**versions(), "duckdb": version("duckdb")},
        )

    def checked_years(self, years: int | Iterable[int] | None) -> tuple[int, ...]:
        """Return years in order, or raise if one is not here; None means all."""
        if years is None:
            return self.years
        chosen = asked_years(years)
        unknown = [y for y in chosen if y not in self.years]
        if unknown:
            have = f"{self.years[0]}-{self.years[-1]}" if self.years else "none"
            raise UsageError(f"Year {unknown[0]} is not here; there are {have}.")
        return chosen

    def _check_products(self, chosen: tuple[str, ...]) -> None:
        have = set(self.products)
        for product in chosen:
            if product not in have:
                near = nearest(str(product), self.products)
                hint = f" Did you mean {near}?" if near else ""
                raise UsageError(f"There is no product '{shorten(product)}' here.{hint}")

    def _side(
        self,
        bloc: BlocLike,
        years: int | Iterable[int] | None,
        side: str,
        other: str,
        intra: bool,
    ) -> pl.DataFrame:
        chosen = self.checked_years(years)
        members = self.membership(bloc, chosen)
        outside = "" if intra else "AND o.region IS NULL"
        return self.rows.ask(
            f"SELECT r.year, r.product, r.{other}, sum(r.value) AS value, "
            f"sum(r.quantity) AS quantity FROM rows r "
            f"JOIN members m ON r.year = m.year AND r.{side} = m.region "
            f"LEFT JOIN members o ON r.year = o.year AND r.{other} = o.region "
            f"WHERE true {outside} GROUP BY ALL ORDER BY ALL",
            {"members": members},
        )
