"""The tables on stress: risk of nodes, rounds of a cascade, losses, brackets, times to survive."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from withstand.report.chokepoints import region_name
from withstand.report.gathering import replay_rounds
from withstand.report.runs import who_is_hit
from withstand.report.tables import Spec, Table, make_table

if TYPE_CHECKING:
    from withstand.model.network import ProductionNetwork
    from withstand.report.contents import Bracketed, Contents, StressContents
    from withstand.stress.ensembles import Ensemble

Array = np.ndarray
WHOLE = {"plant": "output, by value", "firms": "sales to other firms",
         "economy": "output, by value"}  # fmt: skip
MOST_IN_ROUND = 12
FLAGGED, LASTS, UNKNOWN_TIME = "longer than the rest lasts", "the rest lasts", "recovery not known"


def node_name(network: ProductionNetwork, at: int) -> str:
    """Return the name for people of a node: a firm's label, else product and region.

    Examples
    --------
    >>> from withstand.examples import tiny, tiny_firms
    >>> node_name(tiny(), 1), node_name(tiny_firms(), 1)
    ('Gear steel (Japan)', 'foundry')
    """
    if network.settings.lens == "firms":
        return str(network.node_labels[at])
    product = str(network.product_names[network.node_product[at]])
    return f"{product} ({network.region_names[network.node_region[at]]})"


def _about(network: ProductionNetwork, nodes: Array) -> dict[str, object]:
    """Return number, label, name for a sentence, name of the product and of the region."""
    return {
        "at": nodes,
        "node": network.node_labels[nodes],
        "who": [node_name(network, int(at)) for at in nodes],
        "name": [str(x) for x in network.product_names[network.node_product[nodes]]],
        "region": [str(x) for x in network.region_names[network.node_region[nodes]]],
    }


def shown_as(contents: Contents) -> str:
    """Return the column that names a node in a short table: a firm's label, or the product."""
    return "node" if contents.network.settings.lens == "firms" else "name"


def rho(first: Array, second: Array) -> float:
    """Return Spearman's rank correlation (ties share the mean rank); NaN where one is constant.

    Examples
    --------
    >>> round(rho([1.0, 2.0, 2.0, 9.0], [0.1, 0.3, 0.2, 0.2]), 3)
    0.5
    """
    ranks = [pl.Series(np.asarray(x, np.float64)).rank("average") for x in (first, second)]
    if any(r.n_unique() < 2 for r in ranks):
        return float("nan")
    return float(np.corrcoef(ranks[0].to_numpy(), ranks[1].to_numpy())[0, 1])


def risk_frame(found: StressContents, network: ProductionNetwork) -> pl.DataFrame:
    """Return one row a node whose failure was played, the one that takes most along first.

    Returns
    -------
    polars.DataFrame
        rank, at (number of the node), node, who, name (of the product), region, esri, own (share of
        the whole the node is itself), rank_by_size, times_own (null where own is 0), down and up (0
        to 1), low and high (null where not computed or not certified), rounds (null where it does
        not settle).
    """
    risk = found.risk
    assert risk is not None
    nodes = risk.nodes
    own = found.own[nodes]
    frame = pl.DataFrame(
        {
            **_about(network, nodes),
            "esri": risk.esri,
            "own": own,
            "rank_by_size": pl.Series(own).rank("min", descending=True).cast(pl.Int64),
            "times_own": np.divide(risk.esri, own, out=np.full(len(own), np.nan), where=own > 0),
            "down": risk.down,
            "up": risk.up,
            "rounds": pl.Series(risk.iterations).replace(-1, None),
        }
    ).with_columns(pl.col("times_own", "esri", "down", "up").fill_nan(None))
    bounds = pl.DataFrame(schema={"node": pl.String, "low": pl.Float64, "high": pl.Float64})
    if found.enclosed is not None:
        bounds = found.enclosed.to_frame().select("node", "low", "high")
    joined = frame.join(bounds, on="node", how="left", maintain_order="left")
    ordered = joined.sort(["esri", "node"], descending=[True, False], nulls_last=True)
    return ordered.with_row_index("rank", offset=1).with_columns(pl.col("rank").cast(pl.Int64))


def risk_table(contents: Contents) -> Table | None:
    """Return the risk of every node, the one that takes most along first."""
    found = contents.stress
    if found is None or found.risk is None:
        return None
    network = contents.network
    whole = WHOLE[network.settings.lens]
    return make_table(
        "Systemic risk",
        f"What share of the whole ({whole}) is lost when one node fails completely; the one that"
        " takes most along first.",
        risk_frame(found, network),
        {
            "rank": ("Rank", "count", ""),
            "node": ("Node", "text", ""),
            "name": ("Product", "text", ""),
            "region": ("Region", "text", ""),
            "esri": ("Lost of the whole", "share", ""),
            "own": ("Its own part of the whole", "share", ""),
            "rank_by_size": ("Rank by own part", "count", ""),
            "times_own": ("Lost, as a multiple of its own part", "number", "times"),
            "down": ("Lost for want of inputs", "share", ""),
            "up": ("Lost for want of buyers", "share", ""),
            "low": ("At least, when fully settled", "share", ""),
            "high": ("At most, when fully settled", "share", ""),
            "rounds": ("Rounds", "count", ""),
        },
    )


def replay_frame(found: StressContents, network: ProductionNetwork) -> pl.DataFrame:
    """Return the nodes hit by the failure that is replayed, in order of round and weight.

    Returns
    -------
    polars.DataFrame
        round (0 the failed node), at, node, who, name, region, channel (want of inputs, of buyers,
        both), loss (0 to 1), weighted (its part of the loss of the whole), because (the input or
        the buyers it lacks).
    """
    cascade = found.worst
    assert cascade is not None
    first = replay_rounds(cascade)
    hit = np.flatnonzero(first >= 0)
    about = cascade.to_frame().select("node", "input", "loss", "weighted")
    by_want = cascade.round_down[hit] >= 0
    by_sales = cascade.round_up[hit] >= 0
    channel = np.where(by_want & by_sales, "both", np.where(by_want, "inputs", "buyers"))
    frame = pl.DataFrame(
        {
            "round": first[hit],
            **_about(network, hit),
            "channel": np.where(first[hit] == 0, "the failure itself", channel),
        }
    ).join(about, on="node", how="left", maintain_order="left")
    names = dict(zip(network.product_labels.tolist(), network.product_names, strict=True))
    lacks = [None if x is None else str(names[x]) for x in frame["input"]]
    return (
        frame.with_columns(pl.Series("because", lacks, dtype=pl.String))
        .drop("input")
        .sort(["round", "weighted", "loss", "node"], descending=[False, True, True, False])
    )


def replay_table(contents: Contents) -> Table | None:
    """Return who is hit in which round."""
    found = contents.stress
    if found is None or found.worst is None:
        return None
    return make_table(
        "Cascade",
        f"Who is hit in which round when {found.worst_node} fails, and what is lost in the end.",
        replay_frame(found, contents.network),
        {
            "round": ("Round", "count", ""),
            "node": ("Node", "text", ""),
            "name": ("Product", "text", ""),
            "region": ("Region", "text", ""),
            "channel": ("Hit for want of", "text", ""),
            "loss": ("Output lost in the end", "share", ""),
            "weighted": ("Lost of the whole", "share", ""),
            "because": ("Input it lacks most", "text", ""),
        },
    )


def rounds_table(contents: Contents) -> Table | None:
    """Return how many nodes each round hits first, and what is lost after it."""
    found = contents.stress
    if found is None or found.worst is None:
        return None
    hit = replay_frame(found, contents.network).group_by("round").agg(pl.len().alias("nodes"))
    start = pl.DataFrame(
        {"round": [0], "loss": [float(found.own @ (replay_rounds(found.worst) == 0))]}
    )
    path = found.worst.path.select("round", "loss")
    frame = (
        pl.concat([start, path])
        .join(hit.with_columns(pl.col("round").cast(pl.Int64)), on="round", how="left",
              maintain_order="left")
        .with_columns(pl.col("nodes").fill_null(0).cast(pl.Int64))
    )  # fmt: skip
    return make_table(
        "Cascade by round",
        f"How far the failure of {found.worst_node} has come after each round.",
        frame,
        {
            "round": ("Round", "count", ""),
            "nodes": ("Nodes hit first in it", "count", ""),
            "loss": ("Lost of the whole so far", "share", ""),
        },
    )


def losses_frame(losses: Ensemble, network: ProductionNetwork) -> pl.DataFrame:
    """Return one row a scenario, the largest loss first: what is hit, probability, what is lost."""
    named = []
    for targets, scenario in zip(losses.targets, losses.outcomes["scenario"], strict=True):
        region = targets[0].removeprefix("region ") if len(targets) == 1 else ""
        known = region and region in network.index("regions")
        named.append(region_name(network, region) if known else str(scenario))
    return losses.outcomes.with_columns(
        pl.Series("hit", named, dtype=pl.String),
        pl.Series("probability", losses.weights),
    ).sort([losses.loss_column, "number"], descending=[True, False])


def unit_of(losses: Ensemble, period: str) -> tuple[str, str]:
    """Return what the losses of a set are called, and their unit; shares are in %."""
    if losses.loss_column == "share_lost":
        return "Lost of the whole", "%"
    return f"{period.capitalize()}s of final demand lost", f"{period}s"


def losses_table(contents: Contents) -> Table | None:
    """Return the outcomes of the set of scenarios."""
    found = contents.stress
    if found is None or found.losses is None:
        return None
    s = contents.network.settings
    frame = losses_frame(found.losses, contents.network)
    spec: Spec = {
        "hit": ("Hit", "text", ""),
        "scenario": ("Scenario", "text", ""),
        "probability": ("Weight", "share", ""),
        "share_lost": ("Lost of the whole", "share", ""),
        "periods_lost": ("Final demand lost", "number", f"{s.period}s"),
        "best_periods_lost": ("Final demand lost at best", "number", f"{s.period}s"),
        "loss": ("Lost, by value", "number", s.currency or "currency"),
        "time_to_survive": ("First missed after", "count", f"{s.period}s"),
        "time_to_recover": ("Met again after", "count", f"{s.period}s"),
    }
    given = {
        c: v for c, v in spec.items() if c in frame.columns and frame[c].null_count() < frame.height
    }
    return make_table("Losses", found.losses_are, frame, given)


def why_not(item: Bracketed) -> str:
    """Return in two words what is missing where there is no bracket."""
    return "not computed" if item.bracket is None else "not comparable"


def bracket_table(contents: Contents) -> Table | None:
    """Return the loss of each scenario between the best answer and the simulation."""
    found = contents.stress
    if found is None or not found.brackets:
        return None
    s = contents.network.settings
    rows = []
    for item in found.brackets:
        both = item.bracket
        usable = both is not None and both.is_comparable
        rows.append(
            (
                who_is_hit(item.run),
                item.run.n_periods,
                None if both is None else both.best,
                item.run.loss_in_periods,
                both.value_of_coordination if both is not None and usable else None,
                None if usable else f"{why_not(item)}: {item.reason}",
            )
        )
    spec: Spec = {
        "hit": ("Lost", "text", ""),
        "periods": ("Window", "count", f"{s.period}s"),
        "best": ("Lost at best", "number", f"{s.period}s of final demand"),
        "simulated": ("Lost in the simulation", "number", f"{s.period}s of final demand"),
        "worth": ("Worth of coordination", "number", f"{s.period}s of final demand"),
        "note": ("Note", "prose", ""),
    }
    schema = dict(zip(spec, (pl.String, pl.Int64, pl.Float64, pl.Float64, pl.Float64, pl.String),
                      strict=True))  # fmt: skip
    return make_table(
        "Best answer",
        "What a scenario costs between the best possible answer and orders placed by habit.",
        pl.DataFrame(rows, schema=schema, orient="row"),
        spec,
    )


def survival_frame(found: StressContents, network: ProductionNetwork) -> pl.DataFrame:
    """Return one row a node that final demand needs, exposed ones first, then shortest times.

    Returns
    -------
    polars.DataFrame
        at, node, who, name, region, verdict, tts (null: lasts for ever), ttr, lag, gap (periods),
        pi (currency), rei (0 to 1).
    """
    survival = found.survival
    assert survival is not None
    nodes = np.array([m[0] for m in survival.members], dtype=np.int64)
    known = ~np.isnan(survival.ttr)
    verdict = np.where(known, np.where(survival.is_exposed, FLAGGED, LASTS), UNKNOWN_TIME)
    frame = pl.DataFrame(
        {
            **_about(network, nodes),
            "verdict": verdict,
            "exposed": survival.is_exposed,
            "tts": np.where(np.isinf(survival.tts), np.nan, survival.tts),
            "ttr": survival.ttr,
            "lag": survival.lag,
            "gap": survival.gap,
            "pi": survival.pi,
            "rei": survival.rei,
        }
    ).with_columns(pl.col("tts", "ttr", "gap", "pi", "rei").fill_nan(None))
    return frame.sort(
        ["exposed", "pi", "tts", "node"], descending=[True, True, False, False], nulls_last=True
    )


def survival_table(contents: Contents) -> Table | None:
    """Return time to survive against time to recover of every node, flagged ones first."""
    found = contents.stress
    if found is None or found.survival is None:
        return None
    s = contents.network.settings
    return make_table(
        "Time to survive",
        "How long final demand lasts without each node, against how long the node is out;"
        " those that are out for longer come first.",
        survival_frame(found, contents.network),
        {
            "node": ("Node", "text", ""),
            "name": ("Product", "text", ""),
            "region": ("Region", "text", ""),
            "verdict": ("Out for", "text", ""),
            "tts": ("Time to survive", "number", f"{s.period}s"),
            "ttr": ("Time to recover", "number", f"{s.period}s"),
            "lag": ("On the way to final demand", "number", f"{s.period}s"),
            "gap": ("Final demand suffers", "number", f"{s.period}s"),
            "pi": ("Lost at best", "number", s.currency or "currency"),
            "rei": ("Lost, against the worst node", "share", ""),
        },
    )


def stress_tables(contents: Contents) -> list[Table | None]:
    """Return every table on stress, in the order of the page."""
    return [
        risk_table(contents),
        rounds_table(contents),
        replay_table(contents),
        losses_table(contents),
        bracket_table(contents),
        survival_table(contents),
    ]
