"""See whether an old workbook (a compound file) is sound before its parser follows its chains.

A compound file is a small file system: chains of sectors linked by a table. A damaged or hostile
table can link a chain to itself, which a parser would follow until the memory is full.

References
----------
Microsoft, [MS-CFB] Compound File Binary File Format, sections 2.2 (header), 2.3 (FAT), 2.6
(directory).
"""

from __future__ import annotations

import struct
from collections.abc import Iterable

_LAST = 0xFFFFFFFA  # sector numbers from here on mean something else than a sector
_IN_HEADER = 109
_ENTRY = 128


def damage(data: bytes) -> str | None:
    """Return what is wrong with the chains of a compound file, None if nothing is.

    Examples
    --------
    >>> damage(b"too short")
    'it is cut off'
    """
    if len(data) < 512:
        return "it is cut off"
    shift, mini_shift = struct.unpack_from("<HH", data, 30)
    if shift not in (9, 12) or mini_shift != 6:
        return "its sectors have an impossible size"
    (directory,) = struct.unpack_from("<I", data, 48)
    cutoff, mini_start = struct.unpack_from("<II", data, 56)
    size = 1 << shift
    fat = _table(data, size)
    if fat is None:
        return "its table of sectors is broken"
    chains = [_chain(fat, s) for s in (directory, mini_start)]
    if chains[0] is None or chains[1] is None:
        return "a chain of sectors has no end"
    mini_fat = _words(data, size, chains[1])
    entries = b"".join(_sector(data, size, s) for s in chains[0])
    if not entries or len(entries) % _ENTRY:
        return "it is cut off"
    for at in range(0, len(entries), _ENTRY):
        kind = entries[at + 66]
        start, length = struct.unpack_from("<II", entries, at + 116)
        if kind not in (2, 5):
            continue
        is_mini = kind == 2 and length < cutoff
        if length and _chain(mini_fat if is_mini else fat, start) is None:
            return "a chain of sectors has no end"
    return None


def _table(data: bytes, size: int) -> list[int] | None:
    """Return the links of all sectors, None where the list of the table's own sectors is broken."""
    places = list(struct.unpack_from(f"<{_IN_HEADER}I", data, 76))
    more, _ = struct.unpack_from("<II", data, 68)
    seen: set[int] = set()
    while more < _LAST:
        words = _words(data, size, [more])
        if more in seen or not words:
            return None
        seen.add(more)
        places += words[:-1]
        more = words[-1]
    places = [p for p in places if p < _LAST]
    if len(set(places)) != len(places):
        return None
    return _words(data, size, places)


def _chain(links: list[int], start: int) -> list[int] | None:
    """Return the sectors of a chain, None for one that runs in a circle or out of the table."""
    sectors: list[int] = []
    while start < _LAST:
        if start >= len(links) or len(sectors) > len(links):
            return None
        sectors.append(start)
        start = links[start]
    return sectors


def _sector(data: bytes, size: int, number: int) -> bytes:
    return data[(number + 1) * size : (number + 2) * size]


def _words(data: bytes, size: int, sectors: Iterable[int]) -> list[int]:
    words: list[int] = []
    for number in sectors:
        content = _sector(data, size, number)
        words += struct.unpack(f"<{len(content) // 4}I", content[: len(content) // 4 * 4])
    return words
