"""Options to make things at home: what is assumed of each, and the evidence that leads back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from withstand.errors import UsageError
from withstand.model.findings import Finding, counted, listed, nearest
from withstand.plan.option_rows import option_tables

if TYPE_CHECKING:
    import pandas as pd

    from withstand.measures.candidate_results import LocaliseCandidates
    from withstand.model.network import ProductionNetwork
    from withstand.model.option import Option
    from withstand.plan.solved import SolvedPlan


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class LocaliseOptions:
    """Options of kind `localise`, and where each came from.

    Parameters
    ----------
    options : tuple of Option
        As `plan.solve` takes them.
    rows : polars.DataFrame
        As `to_frame` returns it.
    findings : tuple of Finding
    """

    options: tuple[Option, ...]
    rows: pl.DataFrame
    findings: tuple[Finding, ...]
    _candidates: LocaliseCandidates

    def to_frame(self) -> pl.DataFrame:
        """Return a row for each option: what is assumed, who says so, and the evidence.

        option, product, node, capacity (units per period), cover (share of what home buys outside
        that moves home), cost_once, cost_per_period, ready_periods, success_probability, basis,
        rank, score, on_front, the groups (0 to 1), missing, candidates (fingerprint).
        """
        return self.rows

    def to_pandas(self) -> pd.DataFrame:
        """Return the same as a pandas frame."""
        return self.rows.to_pandas()

    def tables(self) -> dict[str, pl.DataFrame]:
        """Return the rows of the tables `options` and `option_effects`.

        The evidence stands in `note`, who says so in `basis`, the measure in `source`.
        """
        found = option_tables(self.options)
        basis = dict(self.rows.select("option", "basis").iter_rows())
        source = f"localise_candidates {self._candidates.fingerprint()}"
        found["options"] = found["options"].with_columns(
            basis=pl.col("option").replace_strict(basis, return_dtype=pl.String),
            source=pl.lit(source),
        )
        return found

    def add_to(self, network: ProductionNetwork) -> ProductionNetwork:
        """Return the network with these options in its tables, beside those that are there.

        Raises
        ------
        UsageError
            If an option of the same label is there already.
        """
        own = self.tables()
        there = network.tables.get("options")
        if there is not None:
            twice = sorted(set(there["option"]) & set(own["options"]["option"]))
            if twice:
                raise UsageError(
                    f"The network has options of these labels already: {listed(twice)}. Give "
                    "others in the column 'option' of the assumptions."
                )
        merged = {
            name: pl.concat([network.tables[name], frame], how="diagonal_relaxed")
            if name in network.tables
            else frame
            for name, frame in own.items()
        }
        return network.with_changes(tables=merged)

    def why(self, option: str) -> pl.DataFrame:
        """Return everything behind the candidate that an option makes; see the candidates' `why`.

        Raises
        ------
        UsageError
            If there is no such option.
        """
        return self._candidates.why(self._product(option))

    def chosen_in(self, plan: SolvedPlan) -> pl.DataFrame:
        """Return the rows of those that a plan starts, with start_year, size and saved.

        saved is the loss that would come back without the option, over all scenarios in expectation
        (currency; `contributions`). Options are known by their label and by the evidence in their
        note.

        Raises
        ------
        UsageError
            If an option of the same label in the plan has other evidence.
        """
        notes = {o.label: o.note for o in plan.problem.chain.options}
        other = [o.label for o in self.options if notes.get(o.label, o.note) != o.note]
        if other:
            raise UsageError(
                f"The plan has options of these labels with other evidence: {listed(other)}."
            )
        calendar = plan.calendar().select("option", "start_year", "size")
        saved = (
            plan.contributions()
            .group_by("option")
            .agg(saved=(pl.col("probability") * pl.col("saved")).sum())
        )
        chosen = self.rows.join(calendar, on="option", how="inner", maintain_order="left")
        chosen = chosen.join(saved, on="option", how="left", maintain_order="left")
        first = ["option", "product", "start_year", "size", "saved"]
        chosen = chosen.with_columns(pl.col("saved").fill_null(0.0))
        return chosen.select(*first, pl.exclude(first)).sort("start_year", "option")

    def _product(self, option: str) -> str:
        known = dict(self.rows.select("option", "product").iter_rows())
        if option not in known:
            near = nearest(str(option), list(known))
            hint = f" Did you mean {near}?" if near else ""
            raise UsageError(f"There is no option '{str(option)[:60]}' here.{hint}")
        return str(known[option])

    def summary(self) -> str:
        """Return one sentence."""
        cost = sum(o.cost_once for o in self.options)
        labels = listed([o.label for o in self.options], 3)
        return f"{counted(len(self.options), 'option')} ({labels}), {cost:,.0f} to start them all."

    def __repr__(self) -> str:
        """Return one line."""
        return f"<LocaliseOptions: {self.summary()}>"
