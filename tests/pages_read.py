"""Pages as a reader takes them: every element, the text, and what a browser makes of them."""

from __future__ import annotations

import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

LOADS = {"src", "href", "srcset", "data", "action", "formaction", "poster", "background", "ping"}
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")


class Parsed(HTMLParser):
    """Every element of a page with its attributes, and the text of its scripts."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[tuple[dict[str, str | None], str]] = []
        self._in: tuple[str, dict[str, str | None]] | None = None
        self.text = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self._in = (tag, dict(attrs))

    def handle_endtag(self, tag: str) -> None:
        self._in = None

    def handle_data(self, data: str) -> None:
        if self._in and self._in[0] == "script":
            self.scripts.append((self._in[1], data))
        elif not (self._in and self._in[0] == "style"):
            self.text += data


def browse(file: Path, profile: Path) -> subprocess.CompletedProcess[str]:
    """Return the page after its scripts ran, with what they said; nothing can be reached."""
    assert CHROMIUM is not None
    flags = [
        *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
        *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
        *("--disable-dev-shm-usage", "--enable-logging=stderr", "--virtual-time-budget=8000"),
        "--dump-dom",
    ]
    command = [CHROMIUM, *flags, f"--user-data-dir={profile}",
               "--host-resolver-rules=MAP * ~NOTFOUND", file.as_uri()]  # fmt: skip
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
