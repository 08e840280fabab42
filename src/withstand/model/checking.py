"""What every check has to say about a network."""

from __future__ import annotations

from typing import TYPE_CHECKING

from withstand.model.option import check_options

if TYPE_CHECKING:
    from collections.abc import Sequence

    from withstand.model.findings import Finding
    from withstand.model.network import ProductionNetwork


def check(network: ProductionNetwork) -> Sequence[Finding]:
    """Return the findings about a network, errors first: its data, its structure, its options.

    Parameters
    ----------
    network : ProductionNetwork

    Returns
    -------
    sequence of Finding
        A network that was built has no errors in its tables; its options may have some.

    Examples
    --------
    >>> from withstand.examples import example
    >>> [f.severity for f in check(example("robot_maker")) if f.severity != "note"]
    []
    """
    return (*network.findings, *check_options(network))
