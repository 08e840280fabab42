"""Read input-output tables of any known layout into an economy.

A layout is a name, a function that tells whether a file looks like it, and a function that reads
it. A new one is a file of its own beside this one and one line in `LAYOUTS`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from stat import S_ISREG
from typing import TYPE_CHECKING

from withstand.errors import DataError
from withstand.model.findings import Origin, listed, make_finding, nearest, shorten
from withstand.readers.mrio_accounts import add_accounts
from withstand.readers.mrio_bea import read_bea
from withstand.readers.mrio_draft import Draft, Wanted, finish, refuse
from withstand.readers.mrio_exiobase import looks_like_exiobase, read_exiobase
from withstand.readers.mrio_figaro import looks_like_figaro, read_figaro
from withstand.readers.mrio_niot import read_niot
from withstand.readers.mrio_oecd import read_oecd
from withstand.readers.mrio_own import read_npz, read_own
from withstand.readers.mrio_pymrio import read_pymrio
from withstand.readers.mrio_wiod import read_wiod

if TYPE_CHECKING:
    from withstand.model.network import ProductionNetwork

FIRST_YEAR, LAST_YEAR = 1900, 2200
BLOCS = ("EU", "OECD")
_HEAD = 65_536
_YEAR = re.compile(r"(?<!\d)(\d{4})(?!\d)")


@dataclass(frozen=True, kw_only=True)
class Layout:
    """One layout of input-output tables.

    Parameters
    ----------
    name, title : str
        What `layout=` takes, and what it is, in words.
    looks_like : callable
        Takes the path, the first bytes (empty for a folder) and the column names of a Parquet
        file; tells whether it is of this layout. Called in the order of the registry.
    read : callable
        Returns the draft of the economy, or raises DataError.
    """

    name: str
    title: str
    looks_like: Callable[[Path, bytes, frozenset[str]], bool]
    read: Callable[[Wanted], Draft]


def _is_exiobase(path: Path, head: bytes, columns: frozenset[str]) -> bool:
    return looks_like_exiobase(path)


def _is_figaro(path: Path, head: bytes, columns: frozenset[str]) -> bool:
    return looks_like_figaro(path, head)


def _is_pymrio(path: Path, head: bytes, columns: frozenset[str]) -> bool:
    return path.is_dir() and (path / "file_parameters.json").exists()


def _is_own(path: Path, head: bytes, columns: frozenset[str]) -> bool:
    return "cell" in columns


def _is_npz(path: Path, head: bytes, columns: frozenset[str]) -> bool:
    return path.suffix.lower() == ".npz" and head.startswith(b"PK")


def _is_niot(path: Path, head: bytes, columns: frozenset[str]) -> bool:
    return {"Code", "Origin", "GO"} <= columns


def _is_bea(path: Path, head: bytes, columns: frozenset[str]) -> bool:
    return bool(columns) and re.search(r"_use(_|\.|$)", path.name.lower()) is not None


def _is_oecd(path: Path, head: bytes, columns: frozenset[str]) -> bool:
    is_text = path.suffix.lower() == ".csv" and not head.startswith(b"PK")
    return is_text and b"_HFCE" in _first_line(path)


def _is_wiod(path: Path, head: bytes, columns: frozenset[str]) -> bool:
    suffix = path.suffix.lower()
    if suffix in (".xlsx", ".xlsb", ".xlsm"):
        return head.startswith(b"PK")
    starts = (b"IndustryCode", b"Input-Output", b"Input-output", b"(industry-by-industry)")
    return suffix == ".csv" and any(start in head for start in starts)


LAYOUTS: dict[str, Layout] = {
    layout.name: layout
    for layout in (
        Layout(
            name="exiobase",
            title="EXIOBASE 3 as published, folder or zip (IOT_2019_ixi)",
            looks_like=_is_exiobase,
            read=read_exiobase,
        ),
        Layout(
            name="pymrio",
            title="a folder that pymrio saved (text or Parquet)",
            looks_like=_is_pymrio,
            read=read_pymrio,
        ),
        Layout(
            name="withstand",
            title="one wide Parquet file with cell, x and va (write_mrio)",
            looks_like=_is_own,
            read=read_own,
        ),
        Layout(
            name="arrays",
            title="an NPZ file with the arrays Z, Y, region, sector",
            looks_like=_is_npz,
            read=read_npz,
        ),
        Layout(
            name="niot",
            title="national tables of the WIOD 2016 release, domestic and imports",
            looks_like=_is_niot,
            read=read_niot,
        ),
        Layout(
            name="bea",
            title="make, use and import tables of the US BEA",
            looks_like=_is_bea,
            read=read_bea,
        ),
        Layout(
            name="oecd",
            title="OECD inter-country tables (ICIO), CSV of the 2023 and 2025 editions",
            looks_like=_is_oecd,
            read=read_oecd,
        ),
        Layout(
            name="figaro",
            title="Eurostat FIGARO, flat and matrix CSV, also zipped",
            looks_like=_is_figaro,
            read=read_figaro,
        ),
        Layout(
            name="wiod",
            title="WIOD world tables, 2013 and 2016 releases (xlsx, xlsb, csv)",
            looks_like=_is_wiod,
            read=read_wiod,
        ),
    )
}


def read_mrio(
    path: str | os.PathLike[str],
    layout: str | None = None,
    *,
    year: int | None = None,
    home: str | None = None,
    blocs: Iterable[str] = BLOCS,
    accounts: str | os.PathLike[str] | None = None,
) -> ProductionNetwork:
    """Read an input-output table, of the world or of one country, into an economy.

    Parameters
    ----------
    path : str or path
        File, or folder: one that pymrio saved, or one of yearly files of which `year` names one.
    layout : str, optional
        One of `withstand.readers.mrio.LAYOUTS`: withstand, arrays, pymrio, oecd, figaro, exiobase,
        wiod, niot, bea. Default: found out.
    year : int, optional
        Year of the table where a file or folder holds several, and for blocs and accounts.
    home : str, optional
        Home region; in a file of national tables the country that is read.
    blocs : iterable of str
        Blocs of `withstand.model.blocs` to note in the table of regions, as of the year.
    accounts : str or path, optional
        File of socio-economic accounts (country, code, year and a column a count: EMP ...), put
        into the table of extensions.

    Returns
    -------
    ProductionNetwork
        With the lens "economy"; its `sources` table says what the values are, and
        `withstand.model.economy.residuals` how well it balances.

    Raises
    ------
    DataError
        With every finding: a missing or unknown column is named.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> with tempfile.TemporaryDirectory() as place:
    ...     np.savez(place + "/tiny.npz", Z=[[0.0, 4.0], [0.0, 0.0]], Y=[[0.0], [10.0]],
    ...         region=["DEU", "DEU"], sector=["steel", "cars"])
    ...     net = read_mrio(place + "/tiny.npz")
    >>> net.node_labels.tolist(), net.value_added.tolist(), net.region_names.tolist()
    (['steel@DEU', 'cars@DEU'], [4.0, 6.0], ['Germany'])
    """
    wanted = Wanted(path=_path(path), year=year, home=home, blocs=tuple(blocs))
    if layout is not None and layout not in LAYOUTS:
        raise refuse(
            wanted, "E125", f"there is no layout '{shorten(layout)}'; there are {_layouts()}",
            value=layout, suggestion=nearest(layout, list(LAYOUTS)),
        )  # fmt: skip
    wanted = _one_file(wanted)
    head, columns = _look(wanted)
    chosen = LAYOUTS[layout] if layout else _sniffed(wanted, head, columns)
    draft = chosen.read(wanted)
    if draft.year is None:
        draft.year = year or _year_in(wanted.path.stem)
    if accounts is not None:
        add_accounts(draft, _path(accounts), wanted.year or draft.year)
    return finish(draft, wanted)


@dataclass(frozen=True)
class YearlyEconomies(Mapping[int, "ProductionNetwork"]):
    """Economies by year, each read when it is asked for and not kept.

    Parameters
    ----------
    files : dict of int to Path
        The file of each year, in order.
    layout, home, blocs, accounts
        As in `read_mrio`.
    """

    files: dict[int, Path]
    layout: str | None = None
    home: str | None = None
    blocs: tuple[str, ...] = BLOCS
    accounts: str | os.PathLike[str] | None = None

    def __getitem__(self, year: int) -> ProductionNetwork:
        """Read the economy of a year."""
        return read_mrio(
            self.files[year],
            self.layout,
            year=year,
            home=self.home,
            blocs=self.blocs,
            accounts=self.accounts,
        )

    def __iter__(self) -> Iterator[int]:
        """Yield the years in order."""
        return iter(self.files)

    def __len__(self) -> int:
        """Return the number of years."""
        return len(self.files)


def read_mrio_years(
    folder: str | os.PathLike[str],
    years: Iterable[int] | None = None,
    layout: str | None = None,
    *,
    home: str | None = None,
    blocs: Iterable[str] = BLOCS,
    accounts: str | os.PathLike[str] | None = None,
) -> YearlyEconomies:
    """Return the economies of a folder of yearly files, by year, each read when asked for.

    Parameters
    ----------
    folder : str or path
        Folder whose files have the year in their names (`wiot_1995.parquet`).
    years : iterable of int, optional
        Default: all that are there.
    layout, home, blocs, accounts
        As in `read_mrio`.

    Raises
    ------
    DataError
        If a year is missing, or two files have it.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> with tempfile.TemporaryDirectory() as place:
    ...     for year in (2000, 2001):
    ...         np.savez(f"{place}/tiny_{year}.npz", Z=[[1.0]], Y=[[year]], region=["DEU"],
    ...             sector=["all"])
    ...     tables = read_mrio_years(place)
    ...     {year: float(net.output[0]) for year, net in tables.items()}
    {2000: 2001.0, 2001: 2002.0}
    """
    wanted = Wanted(path=_path(folder))
    found = _files_by_year(wanted)
    chosen = sorted(found) if years is None else list(years)
    missing = [year for year in chosen if year not in found]
    if missing:
        what = f"no table of {listed(missing)}; there are {listed(sorted(found), 60)}"
        raise refuse(wanted, "E126", what, value=missing[0])
    for year in chosen:
        _only_one(wanted, year, found[year])
    return YearlyEconomies(
        {year: found[year][0] for year in chosen}, layout, home, tuple(blocs), accounts
    )


# --- which file, which layout --------------------------------------------------------------------


def _layouts() -> str:
    return "; ".join(f"{name} ({layout.title})" for name, layout in LAYOUTS.items())


def _path(path: str | os.PathLike[str]) -> Path:
    file = Path(path)
    try:
        mode = file.stat().st_mode
    except (OSError, ValueError) as error:  # ValueError: a zero byte in the name
        reason = getattr(error, "strerror", None) or "no such name can be"
        finding = make_finding(
            "E116", f"cannot be opened: {reason}", origin=Origin(shorten(file.name))
        )
        raise DataError([finding]) from error
    if not file.is_dir() and not S_ISREG(mode):
        finding = make_finding("E116", "this is no ordinary file", origin=Origin(file.name))
        raise DataError([finding])
    return file


def _year_in(stem: str) -> int | None:
    """Return the one year that a name holds, the last of several; `wiot95` is 1995."""
    years = [int(y) for y in _YEAR.findall(re.sub(r"[_\-.]", " ", stem))]
    years += [int(y) for y in re.findall(r"[A-Za-z](\d{4})(?!\d)", stem) if int(y) not in years]
    valid = [y for y in years if FIRST_YEAR <= y <= LAST_YEAR]
    if valid:
        return valid[-1]
    short = re.match(r"(?i)wiot(\d{2})(?!\d)", stem)
    if short is None:
        return None
    return int(short[1]) + (1900 if int(short[1]) > 50 else 2000)


def _files_by_year(wanted: Wanted) -> dict[int, list[Path]]:
    if not wanted.path.is_dir():
        raise refuse(wanted, "E116", "a folder of yearly files is expected, this is a file")
    found: dict[int, list[Path]] = {}
    kinds = (".parquet", ".npz", ".csv", ".xlsx", ".xlsb", ".xlsm", ".zip")
    for file in sorted(wanted.path.iterdir()):
        year = _year_in(file.stem)
        is_folder = (file / "file_parameters.json").exists() or looks_like_exiobase(file)
        is_table = file.suffix.lower() in kinds or is_folder
        is_part = re.search(r"_(make|import)(_|$)", file.stem.lower())  # a use table stands beside
        if year is not None and is_table and not is_part and not file.name.startswith((".", "~")):
            found.setdefault(year, []).append(file)
    return {year: _unpacked(files) for year, files in found.items()}


def _unpacked(files: list[Path]) -> list[Path]:
    """Return files without the archives that they may have come from."""
    plain = [file for file in files if file.suffix.lower() != ".zip"]
    return plain or files


def _only_one(wanted: Wanted, year: int, files: list[Path]) -> None:
    if len(files) > 1:
        what = f"{len(files)} files of {year}: {listed([f.name for f in files])}"
        raise refuse(wanted, "E126", what, value=year, fix="Name the file itself.")


def _one_file(wanted: Wanted) -> Wanted:
    """Return the file of the year where a folder of yearly files was named."""
    path = wanted.path
    if not path.is_dir() or (path / "file_parameters.json").exists() or looks_like_exiobase(path):
        return wanted
    if (path / "withstand.toml").exists():
        what = "this is a project folder"
        raise refuse(wanted, "E125", what, fix="Read it with withstand.read_folder.")
    found = _files_by_year(wanted)
    if not found:
        raise refuse(wanted, "E125", "the folder holds no table with a year in its name")
    if wanted.year not in found:
        what = f"tables of {listed(sorted(found), 60)} are there"
        said = "no year was given" if wanted.year is None else f"there is none of {wanted.year}"
        raise refuse(wanted, "E126", f"{said}; {what}", column="year", value=wanted.year)
    _only_one(wanted, wanted.year, found[wanted.year])
    return replace(wanted, path=found[wanted.year][0])


def _look(wanted: Wanted) -> tuple[bytes, frozenset[str]]:
    """Return the first bytes of a file, and the columns if it is Parquet."""
    if wanted.path.is_dir():
        return b"", frozenset()
    try:
        with wanted.path.open("rb") as stream:
            head = stream.read(_HEAD)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise refuse(wanted, "E116", f"cannot be opened: {reason}") from error
    if not head:
        raise refuse(wanted, "E111", "the file is empty (0 bytes)")
    if not head.startswith(b"PAR1"):
        if wanted.path.suffix.lower() == ".parquet":
            raise refuse(wanted, "E113", "the file is not Parquet")
        return head, frozenset()
    from pyarrow import ArrowException, parquet

    try:
        with parquet.ParquetFile(wanted.path) as file:
            return head, frozenset(str(name) for name in file.schema_arrow.names)
    except (ArrowException, OSError, ValueError) as error:
        raise refuse(wanted, "E113", f"damaged Parquet: {shorten(error)}") from error


def _first_line(path: Path) -> bytes:
    """Return the first line of a text file: a header may be longer than the first bytes."""
    with path.open("rb") as stream:
        return stream.readline(2**22)


def _sniffed(wanted: Wanted, head: bytes, columns: frozenset[str]) -> Layout:
    for layout in LAYOUTS.values():
        if layout.looks_like(wanted.path, head, columns):
            return layout
    what = f"the layout is not known; known are {_layouts()}"
    fix = None
    if columns:
        what += f". The file has the columns {listed(sorted(columns))}"
    elif wanted.path.suffix.lower() == ".zip":
        fix = "Unpack the archive, and name the file of one year."
    raise refuse(wanted, "E125", what, fix=fix)
