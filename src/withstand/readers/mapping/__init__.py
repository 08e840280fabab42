"""From the blocks of a messy file to tables of ours: which table, which column, which unit."""

from __future__ import annotations
