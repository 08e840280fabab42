"""What a place could take up next: density, complexity outlook index and outlook gain."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

Array = np.ndarray


class Outlook(NamedTuple):
    """Density (n_places, n_products), outlook index (n_places,), gain (n_places, n_products)."""

    density: Array
    coi: Array
    cog: Array


def outlook(present: Array, proximity: Array, pci: Array, *, gain: str) -> Outlook:
    """Return how near every product is, and what it is worth to get there.

        density_cp = sum_q phi_pq M_cq / sum_q phi_pq
        COI_c      = sum_p density_cp (1 - M_cp) PCI_p
        paths_cp   = sum_q phi_pq (1 - M_cq) PCI_q / sum_r phi_qr

    and for a product that the place lacks (0 for what it has) the gain COG_cp by name:

    - "paths": paths_cp;
    - "net": paths_cp - density_cp PCI_p: what becomes nearer, less what p itself was worth;
    - "exact": the same without q = p in the sum: COI of the place with p, less COI without.

    Parameters
    ----------
    present : ndarray of float64, shape (n_places, n_products), 0 or 1
    proximity : ndarray of float64, shape (n_products, n_products)
    pci : ndarray of float64, shape (n_products,)
        A product whose complexity is not known (NaN) counts nothing.
    gain : {"paths", "net", "exact"}

    Examples
    --------
    A place with the first of two products, half as near to the second, which is worth 3.

    >>> phi = np.array([[1.0, 0.5], [0.5, 1.0]])
    >>> found = outlook(np.array([[1.0, 0.0]]), phi, np.array([1.0, 3.0]), gain="paths")
    >>> found.density.round(3).tolist(), found.coi.tolist(), found.cog.tolist()
    ([[0.667, 0.333]], [1.0], [[0.0, 2.0]])
    """
    worth = np.nan_to_num(pci)
    lacking = 1.0 - present
    near = proximity.sum(axis=1)
    per_unit = np.where(near > 0, worth / np.where(near > 0, near, 1.0), 0.0)
    # One product of matrices for both sums: the proximity is read once.
    both = np.concatenate([present, lacking * per_unit]) @ proximity
    density = both[: len(present)] / np.where(near > 0, near, 1.0)
    paths = both[len(present) :]
    coi = (density * lacking) @ worth
    if gain == "net":
        paths = paths - density * worth
    elif gain == "exact":
        paths = paths - np.diag(proximity) * per_unit - density * worth
    return Outlook(density, coi, lacking * paths)
