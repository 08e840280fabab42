"""What a user must know before trusting a complexity index."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from withstand.errors import DataError
from withstand.measures.capability_matrices import CapabilityMatrix
from withstand.model.findings import Finding, listed, make_finding

if TYPE_CHECKING:
    from withstand.measures.complexity_vectors import Vectors
    from withstand.measures.fitnesses import Fitness

Array = np.ndarray

NEAR = 0.05  # the second and third eigenvalue are near if they differ by less of the second
WEAK = 0.1  # a correlation with diversity below it lets the sign hang on little


def without_absent(
    read: CapabilityMatrix, rca: Array, present: Array
) -> tuple[CapabilityMatrix, Array, Array, list[Finding]]:
    """Leave out places that reach the threshold nowhere, and products nobody reaches it in."""
    findings = list(read.findings)
    rows, columns = present.sum(axis=1) > 0, present.sum(axis=0) > 0
    for name, labels, is_used in (
        ("place", read.places, rows),
        ("product", read.products, columns),
    ):
        idle = [x for x, used in zip(labels, is_used, strict=True) if not used]
        if idle:
            what = f"{name} {listed(idle)} never reaches the threshold and is left out"
            findings.append(make_finding("W653", what, value=idle[0], count=len(idle)))
    if rows.sum() < 2 or columns.sum() < 2:
        what = (
            f"only {int(rows.sum())} places and {int(columns.sum())} products reach the "
            "threshold; two of each are needed"
        )
        raise DataError([make_finding("E651", what), *findings])
    if rows.all() and columns.all():
        return read, rca, present, findings
    both = np.ix_(rows, columns)
    kept = CapabilityMatrix(
        places=tuple(x for x, used in zip(read.places, rows, strict=True) if used),
        products=tuple(x for x, used in zip(read.products, columns, strict=True) if used),
        values=read.values[both],
        findings=read.findings,
    )
    return kept, rca[both], present[both], findings


def about_pieces(read: CapabilityMatrix, in_place: Array, in_product: Array) -> list[Finding]:
    """Tell that the table falls apart, and who is outside the largest piece."""
    if in_place.all() and in_product.all():
        return []
    outside = [x for x, inside in zip(read.places, in_place, strict=True) if not inside]
    what = (
        f"{len(outside):,} places ({listed(outside)}) and {int((~in_product).sum()):,} products "
        "share nothing with the rest; ECI, PCI, COI and COG are of the largest piece only"
    )
    return [make_finding("W654", what, value=outside[0], count=len(outside))]


def about_vectors(vectors: Vectors) -> list[Finding]:
    """Tell if the second eigenvector is none, or not well determined, or has no clear sign."""
    if not np.any(vectors.places):
        what = "every place has the same products, so that ECI and PCI are not defined"
        return [make_finding("W655", what)]
    findings = []
    _, second, third = vectors.eigenvalues
    if second - third < NEAR * second:
        what = f"the second eigenvalue is {second:.4f} and the third {third:.4f}"
        findings.append(make_finding("W656", what))
    if not abs(vectors.correlation) >= WEAK:
        known = np.isfinite(vectors.correlation)
        size = f"{vectors.correlation:.3f}" if known else "not defined"
        what = f"the correlation of ECI with diversity, which sets the sign, is {size}"
        findings.append(make_finding("W657", what))
    return findings


def about_fitness(found: Fitness, places: tuple[str, ...]) -> list[Finding]:
    """Tell whose fitness goes to 0, and whether the rounds came to rest."""
    findings = []
    if found.vanishing.any():
        gone = [places[i] for i in np.flatnonzero(found.vanishing)]
        what = f"the fitness of {listed(gone)} goes to 0 with the rounds ({found.rounds:,} done)"
        findings.append(make_finding("N651", what, value=gone[0], count=len(gone)))
    elif not found.is_settled:
        what = f"fitness still moved after {found.rounds:,} rounds"
        findings.append(make_finding("W658", what))
    return findings
