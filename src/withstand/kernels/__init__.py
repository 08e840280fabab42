"""Numba functions on plain arrays; they know nothing of labels, tables or units."""
