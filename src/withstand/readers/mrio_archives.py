"""Tables that are still zipped: single members are unpacked, up to a size, and gone afterwards."""

from __future__ import annotations

import tempfile
import zipfile
import zlib
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from withstand.model.findings import shorten
from withstand.readers.mrio_draft import refuse

if TYPE_CHECKING:
    from types import TracebackType

    from withstand.readers.mrio_draft import Wanted

MOST_MEMBERS = 10_000
LARGEST_IN_ALL = 2**34
LARGEST_RATIO = 1_000
"""Text of numbers packs to a tenth or, mostly zeros, to a few hundredths; beyond it is a bomb."""
_FREE = 2**20  # a small member may pack as well as it likes
_BLOCK = 2**20
_FAULTS = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError)


def archive_names(path: Path) -> list[str]:
    """Return the names of the files in an archive, none if it is none or holds too many."""
    try:
        with zipfile.ZipFile(path) as file:
            infos = file.infolist()
    except (*_FAULTS, ValueError):
        return []
    return [i.filename for i in infos if not i.is_dir()] if len(infos) <= MOST_MEMBERS else []


class Archive:
    """A ZIP file whose members become ordinary files for a while: use it in a `with`.

    Parameters
    ----------
    wanted : Wanted
        Its path is the archive.
    """

    def __init__(self, wanted: Wanted) -> None:
        self._wanted = wanted
        self._taken = 0

    def __enter__(self) -> Archive:
        """Open the archive and make a folder for its members."""
        try:
            self._file = zipfile.ZipFile(self._wanted.path)
        except (*_FAULTS, ValueError) as error:
            what = f"the archive cannot be opened: {shorten(error)}"
            raise refuse(self._wanted, "E113", what) from error
        if len(self._file.infolist()) > MOST_MEMBERS:
            self._file.close()
            raise refuse(
                self._wanted, "E122", f"the archive holds more than {MOST_MEMBERS:,} files"
            )
        self._place = tempfile.TemporaryDirectory(prefix="withstand-")
        self.names = [i.filename for i in self._file.infolist() if not i.is_dir()]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:  # fmt: skip
        """Close the archive and delete what was unpacked."""
        self._file.close()
        self._place.cleanup()

    def wanted(self, name: str, largest: int) -> Wanted:
        """Return a member as a file of its own.

        Parameters
        ----------
        name : str
        largest : int, bytes
            More than that is refused, whatever the archive says of its size.

        Raises
        ------
        DataError
            If it is too large, packed as only a trap is, locked or damaged.
        """
        info = self._file.getinfo(name)
        shown = shorten(PurePosixPath(name).name)
        room = min(largest, LARGEST_IN_ALL - self._taken)
        packed_well = info.file_size > max(_FREE, LARGEST_RATIO * info.compress_size)
        if info.file_size > room or packed_well:
            what = f"'{shown}' of the archive unpacks to {info.file_size:,} bytes"
            raise refuse(self._wanted, "E122", what, value=shown)
        target = Path(self._place.name) / f"{self._taken}" / PurePosixPath(name).name
        target.parent.mkdir(exist_ok=True)
        written = 0
        try:
            with self._file.open(info) as source, target.open("wb") as sink:
                while block := source.read(_BLOCK):
                    written += len(block)
                    if written > room:
                        what = f"'{shown}' of the archive is larger than it says"
                        raise refuse(self._wanted, "E122", what, value=shown)
                    sink.write(block)
        except _FAULTS as error:
            what = f"'{shown}' of the archive cannot be unpacked: {shorten(error)}"
            raise refuse(self._wanted, "E113", what, value=shown) from error
        self._taken += written
        return replace(self._wanted, path=target)
