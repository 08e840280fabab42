"""The address of a database: where it is, and that no password stands in it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from withstand.model.findings import nearest

POSTGRESQL, DUCKDB, SQLITE = "postgresql", "duckdb", "sqlite"
KINDS = (POSTGRESQL, DUCKDB, SQLITE)
FORMS = "postgresql://host:port/database?user=name, duckdb:FILE or sqlite:FILE"
_SCHEMES = {"postgres": POSTGRESQL, **{kind: kind for kind in KINDS}}
_KEYS = (
    "host",
    "user",
    "sslmode",
    "sslrootcert",
    "sslcert",
    "sslkey",
    "sslcrl",
    "channel_binding",
    "connect_timeout",
    "target_session_attrs",
    "gssencmode",
    "krbsrvname",
    "passfile",
)
_CONNECT_SECONDS = "20"
_FILES = ("sslrootcert", "sslcert", "sslkey", "sslcrl", "passfile")


class AddressError(ValueError):
    """An address cannot be understood; the text never repeats what could be a password."""


class WrittenPasswordError(AddressError):
    """A password stands where everybody can read it."""


@dataclass(frozen=True, kw_only=True)
class Address:
    """Where a database is.

    Parameters
    ----------
    kind : {"postgresql", "duckdb", "sqlite"}
    file : Path, optional
        File of a DuckDB or SQLite database.
    connection : dict of str to str
        Keywords of a PostgreSQL connection, without a password.
    """

    kind: str
    file: Path | None = None
    connection: dict[str, str] = field(default_factory=dict)

    @property
    def shown(self) -> str:
        """The address for people: never a path, a user or anything secret."""
        if self.file is not None:
            return f"{self.kind}:{self.file.name}"
        host, port = self.connection.get("host", "localhost"), self.connection.get("port", "5432")
        return f"{self.kind}://{host}:{port}/{self.connection.get('dbname', '')}"


def smells_of_password(name: str) -> bool:
    """Tell whether a key would hold a password."""
    return re.search(r"pas+(?!s*file)|pwd|secret", name.casefold()) is not None


def read_address(url: str, folder: Path) -> Address:
    """Return the address that a URL is.

    Parameters
    ----------
    url : str
        `postgresql://host:port/database?user=name`, `duckdb:FILE` or `sqlite:FILE`.
    folder : Path
        What relative files are relative to.

    Raises
    ------
    WrittenPasswordError
        If there is a password in it.
    AddressError
        If it cannot be understood.

    Examples
    --------
    >>> read_address("postgresql://db.plant.example:5433/erp?user=reader", Path()).shown
    'postgresql://db.plant.example:5433/erp'
    >>> read_address("sqlite:stock.db", Path("plant")).file.name
    'stock.db'
    """
    scheme, colon, rest = url.strip().partition(":")
    kind = _SCHEMES.get(scheme.casefold())
    if not colon or kind is None:
        raise AddressError(f"the address must be one of {FORMS}")
    if kind == POSTGRESQL:
        return _server(rest)
    rest = rest.removeprefix("///")
    if not rest or rest.startswith("//") or ":memory:" in rest or "\0" in rest or "?" in rest:
        raise AddressError(f"name the file of the database: {kind}:FILE")
    return Address(kind=kind, file=folder / Path(rest).expanduser())


def _server(rest: str) -> Address:
    try:
        parts = urlsplit("postgresql:" + rest)
        host, port = parts.hostname, parts.port
        pairs = parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query))
    except ValueError:
        raise AddressError(f"host or port cannot be read; write {FORMS}") from None
    if parts.password is not None or any(smells_of_password(key) for key, _ in pairs):
        raise WrittenPasswordError("a password stands in the address")
    database = unquote(parts.path.removeprefix("/"))
    if not rest.startswith("//") or not database or parts.fragment:
        raise AddressError(f"the name of the database is missing; write {FORMS}")
    known: dict[str, str] = {}
    for key, value in pairs:
        if key not in _KEYS:
            near = nearest(key, _KEYS)
            hint = f"; did you mean {near}?" if near else f"; known are {', '.join(_KEYS)}"
            raise AddressError(f"'{key[:40]}' cannot stand in the address{hint}")
        known[key] = str(Path(value).expanduser()) if key in _FILES else value
    if parts.username:
        known["user"] = unquote(parts.username)
    named = {"host": unquote(host or "localhost"), "port": str(port or 5432), "dbname": database}
    if any("\0" in text or "\n" in text for text in (*named.values(), *known.values())):
        raise AddressError(f"the address holds control characters; write {FORMS}")
    return Address(
        kind=POSTGRESQL, connection={"connect_timeout": _CONNECT_SECONDS, **named, **known}
    )
