"""The documentation site builds offline without a warning, and leads everywhere it says."""

from __future__ import annotations

import importlib.util
import inspect
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from types import ModuleType
from urllib.parse import unquote, urlsplit

import pytest

from withstand.model.finding_codes import CODES
from withstand.model.finding_examples import page_of

NAVIGATION = ("index", "search", "next", "prev", "canonical")
DOCS = Path(__file__).resolve().parent.parent / "docs"


def _script(name: str) -> ModuleType:
    """Return a script of the docs folder, which is no package."""
    spec = importlib.util.spec_from_file_location(f"docs_{name}", DOCS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


api_examples = _script("api_examples")


# --- every public name ---------------------------------------------------------------------------


@pytest.mark.parametrize("package", api_examples.PACKAGES)
def test_every_public_name_is_shown_at_work(package: str) -> None:
    # By an example of its own, on a page whose code runs, or in the example of another name.
    if package == "withstand.workbench":
        pytest.skip("the use cases behind the command line, shown by its commands")
    names = api_examples.public(package)
    assert not [name for name in names if not api_examples.is_shown(package, name)]


@pytest.mark.parametrize("package", api_examples.PACKAGES)
def test_every_public_name_has_a_text(package: str) -> None:
    things = api_examples.public(package).items()
    assert not [n for n, t in things if inspect.isroutine(t) and not inspect.getdoc(t)]


# --- the site ------------------------------------------------------------------------------------


class _Read(HTMLParser):
    """What a page asks for, where it leads, and the anchors it has."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.assets: list[str] = []
        self.links: list[str] = []
        self.anchors: set[str] = set()
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.anchors |= {given[k] for k in ("id", "name") if k in given}
        if tag == "a" or (tag == "link" and given.get("rel") in NAVIGATION):
            self.links.append(given.get("href", ""))
        else:
            asked = [given[k] for k in ("src", "href", "data", "poster") if k in given]
            asked += re.findall(r"\S+", given.get("srcset", ""))[::2]
            asked += re.findall(r"url\(([^)]+)\)", given.get("style", ""))
            self.assets += asked


def _built(folder: Path) -> Path:
    """Build the site in a process of its own: sphinx changes the state of whoever calls it."""
    pytest.importorskip("sphinx")
    pytest.importorskip("furo")
    done = subprocess.run(
        [sys.executable, DOCS / "build.py", folder], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return folder / "html"


@pytest.mark.slow
def test_the_site_is_whole_and_asks_nothing_of_the_internet(tmp_path: Path) -> None:
    # One test, so that one worker builds it once.
    site = _built(tmp_path)
    pages = {path: _Read(path) for path in site.rglob("*.html")}
    _no_page_asks_anything_of_the_internet(site, pages)
    _every_link_within_the_site_leads_to_a_page_and_an_anchor(site, pages)
    _every_page_of_the_documentation_is_in_the_site_and_in_its_menu(site)
    _every_finding_code_has_its_anchor(site, pages)
    _every_public_name_is_in_the_reference(pages)


def _no_page_asks_anything_of_the_internet(site: Path, pages: dict[Path, _Read]) -> None:
    asked = {
        (path.name, asset)
        for path, page in pages.items()
        for asset in page.assets
        if urlsplit(asset).netloc or urlsplit(asset).scheme not in ("", "data")
    }
    asked |= {
        (path.name, found)
        for path in site.rglob("*.css")
        for found in re.findall(r"(?:@import|url\()\s*[\"']?((?:https?:)?//[^\"')]+)", _text(path))
    }
    assert not asked
    assert not [p for p in pages if "mathjax" in _text(p).lower()]


def _every_link_within_the_site_leads_to_a_page_and_an_anchor(
    site: Path, pages: dict[Path, _Read]
) -> None:
    broken = []
    for path, page in pages.items():
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            anchors = pages[target].anchors if target in pages else {""}
            is_there = target.is_file() and unquote(parts.fragment) in anchors | {""}
            if not is_there:
                broken.append((path.relative_to(site).as_posix(), link))
    assert not broken


def _every_page_of_the_documentation_is_in_the_site_and_in_its_menu(site: Path) -> None:
    sources = [p.relative_to(DOCS) for p in DOCS.rglob("*.md") if "_build" not in p.parts]
    assert not [p for p in sources if not (site / p.with_suffix(".html")).is_file()]
    menu = _text(site / "genindex.html")  # holds the whole tree of pages
    assert not [p for p in sources if f'href="{p.with_suffix(".html").as_posix()}"' not in menu]


def _every_finding_code_has_its_anchor(site: Path, pages: dict[Path, _Read]) -> None:
    missing = []
    for code in CODES:
        page, _, anchor = page_of(code).partition("#")
        if anchor not in pages[(site / page).with_suffix(".html")].anchors:
            missing.append(code)
    assert not missing


def _every_public_name_is_in_the_reference(pages: dict[Path, _Read]) -> None:
    anchors = set().union(*(page.anchors for page in pages.values()))
    shown = {id(thing) for full, thing in _public().items() if full in anchors}
    assert not [full for full, thing in _public().items() if id(thing) not in shown]


def _public() -> dict[str, object]:
    """Return functions and classes by full name; an error is on the page of errors."""
    found = {
        f"{package}.{name}": thing
        for package in api_examples.PACKAGES
        for name, thing in api_examples.public(package).items()
        if inspect.isroutine(thing) or inspect.isclass(thing)
    }
    errors = {f"withstand.errors.{t.__name__}": t for t in found.values() if _is_error(t)}
    return found | errors


def _is_error(thing: object) -> bool:
    return inspect.isclass(thing) and issubclass(thing, Exception)


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8")
