"""A PostgreSQL server of our own: a free loopback port, an unprivileged user, stopped for certain.

Also run by `benchmarks/databases.py`. Nothing outlives the `with`.
Where this process is killed the server goes too; its folder stays.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

OWNER, PASSWORD = "owner", "s3cret with 'quotes' and \\ slashes"
NOBODY = 65534
# The role `plain` must send its password as it is: our reader refuses to.
_ACCESS = """
host all plain 127.0.0.1/32 password
host all all 127.0.0.1/32 scram-sha-256
"""


@dataclass(frozen=True, kw_only=True)
class Server:
    """A running server; `run` acts as its owner."""

    port: int

    def url(self, role: str = OWNER, database: str = "postgres") -> str:
        return f"postgresql://127.0.0.1:{self.port}/{database}?user={role}"

    @contextlib.contextmanager
    def connected(self) -> Iterator[Any]:
        from adbc_driver_postgresql import dbapi

        word = PASSWORD.replace("\\", "\\\\").replace("'", "\\'")
        text = f"host=127.0.0.1 port={self.port} user={OWNER} dbname=postgres password='{word}'"
        with dbapi.connect(text, autocommit=True) as connection, connection.cursor() as cursor:
            yield cursor

    def run(self, *statements: str) -> list[tuple[Any, ...]]:
        """Run statements, and return the rows of the last."""
        with self.connected() as cursor:
            for statement in statements:
                cursor.execute(statement)
            return list(cursor.fetchall()) if cursor.description else []


def binaries() -> Path | None:
    """Folder of initdb and pg_ctl, where PostgreSQL is installed."""
    places = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda p: int(p.parent.name))
    found = shutil.which("postgres")
    places = [Path(found).parent, *places] if found else places  # the newest stands last
    needed = ("initdb", "postgres", "pg_isready")
    return next((p for p in reversed(places) if all((p / n).exists() for n in needed)), None)


@contextlib.contextmanager
def running(*settings: str) -> Iterator[Server]:
    """Start a server with more settings (`shared_buffers=1GB`), and stop it."""
    place = Path(tempfile.mkdtemp(prefix="withstand-pg-"))
    folder, word = place / "data", place / "word"
    word.write_text(PASSWORD + "\n")
    if os.geteuid() == 0:
        os.chown(place, NOBODY, NOBODY)
        os.chown(word, NOBODY, NOBODY)
    port = _free_port()
    process = None
    try:
        _make(folder, word)
        (folder / "pg_hba.conf").write_text(_ACCESS)
        process = _start(folder, port, settings, place / "log")
        yield Server(port=port)
    finally:
        if process is not None:
            process.send_signal(signal.SIGQUIT)  # at once: there is nothing to keep
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        shutil.rmtree(place, ignore_errors=True)


def _make(folder: Path, word: Path) -> None:
    arguments = ["-D", folder, "-U", OWNER, "-A", "scram-sha-256", f"--pwfile={word}"]
    more = ["--no-sync", "--encoding=UTF8", "--locale=C"]
    command = _as_nobody("initdb", *arguments, *more)
    done = subprocess.run(
        command, env=_clean(), cwd="/", check=False, capture_output=True, text=True
    )
    if done.returncode:
        raise RuntimeError(f"initdb failed: {done.stderr[-500:]}")


def _start(
    folder: Path, port: int, settings: tuple[str, ...], log: Path
) -> subprocess.Popen[bytes]:
    ours = [f"port={port}", "listen_addresses=127.0.0.1", "unix_socket_directories=",
            "fsync=off", "max_connections=20", *settings]  # fmt: skip
    options = [word for setting in ours for word in ("-c", setting)]
    command = _as_nobody("postgres", "-D", folder, *options)
    with log.open("wb") as stream:
        process = subprocess.Popen(
            command, env=_clean(), cwd="/", stdin=subprocess.DEVNULL, stdout=stream, stderr=stream
        )
    until = time.monotonic() + 60
    ready = [str(_folder() / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(port)]
    while subprocess.run(ready, env=_clean(), check=False).returncode:
        if process.poll() is not None or time.monotonic() > until:
            process.kill()
            process.wait()
            raise RuntimeError(f"the server did not start: {log.read_text()[-500:]}")
        time.sleep(0.05)
    return process


def _as_nobody(program: str, *arguments: object) -> list[str]:
    """Return a command that runs without rights and ends when we do, however we end."""
    who = ["--pdeathsig=QUIT"]
    if os.geteuid() == 0:  # the server refuses to run as root
        who += [f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
    return ["setpriv", *who, str(_folder() / program), *map(str, arguments)]


def _folder() -> Path:
    where = binaries()
    assert where is not None
    return where


def _clean() -> dict[str, str]:
    return {**{k: v for k, v in os.environ.items() if not k.startswith("PG")}, "LC_ALL": "C"}


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
