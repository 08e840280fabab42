"""The same measure over several years of networks, in one frame."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import polars as pl

from withstand.errors import UsageError

if TYPE_CHECKING:
    from withstand.model.network import ProductionNetwork

Networks = Mapping[int, "ProductionNetwork | Callable[[], ProductionNetwork]"]


def over_time(
    networks: Networks,
    measure: Callable[[ProductionNetwork], Any],
    column: str = "year",
) -> pl.DataFrame:
    """Take the same measure of a network for every year.

    Parameters
    ----------
    networks : mapping of int to ProductionNetwork, or to a function that returns one
        By year. A function is called when its year is due and its network is let go after it, so
        that many large tables need the memory of one.
    measure : callable
        network -> a result with `to_frame`, a polars frame, a number, or a mapping of names to
        numbers.
    column : str
        Name of the first column of the answer.

    Returns
    -------
    polars.DataFrame
        The frames below each other, in the order of the years; a number stands in `value`. Values
        in current prices of different years are not comparable; shares and positions are.

    Raises
    ------
    UsageError
        If there is no year, or the measure returns something else.

    Examples
    --------
    >>> import withstand as ws
    >>> net = ws.examples.tiny()
    >>> def home_share(network):
    ...     return ws.measures.exposure(network).home_share
    >>> share = over_time({2020: net, 2021: lambda: net}, home_share)
    >>> share.columns, share["year"].to_list()
    (['year', 'value'], [2020, 2021])
    """
    if not networks:
        raise UsageError("There is no year to measure; give {year: network}.")
    frames = []
    for year in sorted(networks):
        given = networks[year]
        frame = _as_frame(measure(given() if callable(given) else given))
        if column in frame.columns:
            raise UsageError(
                f"The measure has a column '{column}' of its own; name another one (column=...)."
            )
        frames.append(frame.select(pl.lit(year).alias(column), pl.all()))
    return pl.concat(frames, how="diagonal_relaxed")


def _as_frame(result: Any) -> pl.DataFrame:
    if isinstance(result, pl.DataFrame):
        return result
    if hasattr(result, "to_frame"):
        return result.to_frame()
    if isinstance(result, Mapping):
        return pl.DataFrame({k: [v] for k, v in result.items()})
    try:
        return pl.DataFrame({"value": [float(result)]})
    except (TypeError, ValueError):
        kind = type(result).__name__
        raise UsageError(
            f"The measure returned a {kind}; it must return a result with to_frame, a frame, a "
            "number, or a mapping of names to numbers."
        ) from None
