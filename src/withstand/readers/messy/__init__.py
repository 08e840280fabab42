"""Files that nobody designed: from any table file to clean blocks, nothing dropped unsaid."""

from __future__ import annotations

from withstand.readers.messy.blocks import Block, Blocks, DroppedRow
from withstand.readers.messy.how import BlockHow, ColumnHow, How, NumberFormat
from withstand.readers.messy.limits import Limits
from withstand.readers.messy.reading import read_blocks

__all__ = [
    "Block",
    "BlockHow",
    "Blocks",
    "ColumnHow",
    "DroppedRow",
    "How",
    "Limits",
    "NumberFormat",
    "read_blocks",
]
