"""What the pages say is what the program does: code runs, output is real, links lead somewhere."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from withstand.model.finding_codes import CODES
from withstand.model.finding_examples import example_of, page_of

REPOSITORY = Path(__file__).resolve().parent.parent
DOCS = REPOSITORY / "docs"
ROOT_PAGES = ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "benchmarks/README.md")
LINK = re.compile(r"(?<!`)\[[^\]]*\]\(([^)\s]+)\)")
FENCED = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


def _script(name: str) -> ModuleType:
    """Return a script of the docs folder, which is no package."""
    spec = importlib.util.spec_from_file_location(f"docs_{name}", DOCS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


generate, run_pages = _script("generate"), _script("run_pages")
PAGES = sorted(
    [*(REPOSITORY / p for p in ROOT_PAGES), *DOCS.rglob("*.md")],
)


def _id(path: Path) -> str:
    return path.relative_to(REPOSITORY).as_posix()


def _pages_that_run() -> list[Any]:
    """Return the pages with code; those that draw a report take longer."""
    found = []
    for path in PAGES:
        text = path.read_text(encoding="utf-8")
        if any(b.language in ("python", "console") for b in run_pages.blocks_of(text)):
            is_slow = any(
                x in text
                for x in (
                    "$ withstand demo",
                    "$ withstand plan --project example:",
                    "write_report(",
                    "plan.staffing(",
                )
            ) or run_pages.reads_data(text)
            marks = [pytest.mark.slow] if is_slow else []
            found.append(pytest.param(path, marks=marks, id=_id(path)))
    return found


@pytest.mark.parametrize("path", _pages_that_run())
def test_code_on_a_page_runs_and_prints_what_is_shown(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        monkeypatch.delenv(name, raising=False)
    text = path.read_text(encoding="utf-8")
    if run_pages.reads_data(text) and not run_pages.bring_data(tmp_path):
        pytest.skip("shared data not present")
    page = run_pages.Page(tmp_path)
    for block in run_pages.blocks_of(text):
        for shown, printed in page.run(block, path.name):
            assert run_pages.is_shown(shown, printed), (
                f"{_id(path)}:{block.line} shows\n{shown}\nand this is printed\n{printed}"
            )


@pytest.mark.parametrize(
    ("shown", "printed", "same"),
    [
        ("a b\nc", "a  b c\n", True),
        ("a", "a b", False),
        ("a\n...", "a b c", True),
        ("...\nc", "a b c", True),
        ("a\n...\nc", "a b c", True),
        ("b\n...\nc", "a b c", False),
        ("a\n...\nb", "a b c", False),
        ("...\nc\n...\nb\n...", "a b c", False),
    ],
)
def test_shown_output_may_leave_lines_out_but_not_change_them(
    shown: str, printed: str, same: bool
) -> None:
    assert run_pages.is_shown(shown, printed) is same


@pytest.mark.parametrize("name", generate.NAMES)
def test_a_generated_page_is_up_to_date(name: str) -> None:
    # Mend it with: python docs/generate.py
    page = DOCS / "reference" / f"{name}.md"
    assert page.read_text(encoding="utf-8") == generate.generated(name)


def _anchors(path: Path) -> set[str]:
    """Return the anchors of a page's headings, as Markdown renderers make them."""
    text = FENCED.sub("", path.read_text(encoding="utf-8"))
    plain = (re.sub(r"[^\w\- ]", "", h.lower()) for h in HEADING.findall(text))
    return {h.strip().replace(" ", "-") for h in plain}


def _links(path: Path) -> list[str]:
    text = FENCED.sub("", path.read_text(encoding="utf-8"))
    return [x for x in LINK.findall(text) if not x.startswith(("https://", "http://", "mailto:"))]


@pytest.mark.parametrize("path", PAGES, ids=_id)
def test_every_relative_link_leads_to_a_file_and_a_heading(path: Path) -> None:
    broken = []
    for link in _links(path):
        target, _, anchor = link.partition("#")
        place = (path.parent / target).resolve() if target else path
        if not place.exists() or (
            anchor and place.suffix == ".md" and anchor not in _anchors(place)
        ):
            broken.append(link)
    assert not broken


def test_every_page_can_be_reached_from_the_index() -> None:
    index = DOCS / "index.md"
    linked = {(DOCS / link.partition("#")[0]).resolve() for link in _links(index)}
    missing = [_id(p) for p in DOCS.rglob("*.md") if p != index and p.resolve() not in linked]
    assert not missing


def test_pages_name_only_findings_that_exist() -> None:
    named = {
        (code, _id(path))
        for path in PAGES
        for code in re.findall(r"\b[EWN][1-7]\d\d\b", path.read_text(encoding="utf-8"))
    }
    assert not {(code, page) for code, page in named if code not in CODES}


def test_every_finding_is_documented() -> None:
    missing = []
    for code in CODES:
        page, _, anchor = page_of(code).partition("#")
        if anchor not in _anchors(DOCS / page):
            missing.append(code)
    assert not missing


def test_every_finding_has_an_example_of_its_own() -> None:
    # A real one, as the program printed it: src/withstand/model/finding_examples.toml.
    assert not [code for code in CODES if example_of(code) is None]


def test_every_public_name_is_documented() -> None:
    import withstand

    text = (DOCS / "reference" / "python.md").read_text(encoding="utf-8")
    assert not [name for name in withstand.__all__ if f"ws.{name}" not in text]


def test_every_change_to_come_in_the_readme_is_marked_as_such() -> None:
    rows = re.findall(r"^\| (.+) \| (.+) \|$", (REPOSITORY / "README.md").read_text(), re.MULTILINE)
    states = {state for _, state in rows if state not in ("state", "---")}
    assert states <= {"done", "from Python", "to come"}
