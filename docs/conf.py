"""How `make docs` builds the site: sphinx, MyST, furo; offline, and nothing is executed twice.

The blocks of the pages are run, and their output compared, by docs/run_pages.py and the tests; here
they are only set. The order of the pages is that of docs/index.md, which stays readable by itself.
"""

from __future__ import annotations

import inspect
import re
import sys
from importlib.metadata import version as version_of
from pathlib import Path
from typing import Any

from pygments.lexers.special import TextLexer
from sphinx.ext.napoleon.docstring import GoogleDocstring

DOCS = Path(__file__).resolve().parent
sys.path.insert(0, str(DOCS))

import api_examples  # noqa: E402  (beside this file, which is no package)

project = "withstand"
author = "The withstand contributors"
project_copyright = author
release = version = version_of("withstand")
extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["_build"]
nitpicky = True
nitpick_ignore = [("py:class", "collections.abc.Callable")]  # Python is no part of the site
language = "en_GB"

# --- pages ---------------------------------------------------------------------------------------

nb_execution_mode = "off"
myst_heading_anchors = 4
myst_enable_extensions: list[str] = []  # no maths: a dollar is a dollar, and MathJax stays out
suppress_warnings = ["config.cache"]

# --- the reference of the code -------------------------------------------------------------------

autodoc_typehints = "none"  # types, shapes and units stand in the docstrings
autodoc_member_order = "alphabetical"
napoleon_google_docstring = False
napoleon_use_param = False
napoleon_use_rtype = False
napoleon_use_admonition_for_references = False
default_role = "code"  # single backquotes in docstrings are code

# --- looks ---------------------------------------------------------------------------------------

html_theme = "furo"
html_title = "withstand"
html_static_path = ["assets"]
html_css_files = ["site.css"]
html_copy_source = html_show_sourcelink = False
html_show_sphinx = False
pygments_style, pygments_dark_style = "friendly", "github-dark"
html_theme_options = {
    "light_css_variables": {
        "color-brand-primary": "#005f99",
        "color-brand-content": "#005f99",
        "color-brand-visited": "#005f99",
    },
    "dark_css_variables": {
        "color-brand-primary": "#6cb8ec",
        "color-brand-content": "#6cb8ec",
        "color-brand-visited": "#6cb8ec",
    },
}

# --- hooks ---------------------------------------------------------------------------------------

_SECTION = re.compile(r"^## (.+)$", re.MULTILINE)
_ENTRY = re.compile(r"^(?:- )?\[[^\]]+\]\(([\w/.-]+)\.(?:md|rst)\)", re.MULTILINE)
_LINK = re.compile(r"\[[^\]]+\]\(([\w/.-]+)\.(?:md|rst)(?:#[\w-]+)?\)")
_OUTSIDE = re.compile(r"\[([^\]]+)\]\((?:\.\./){2}([^)]+)\)")
_BELOW = {"reference/findings": "findings/", "reference/python": "api/"}


def add_toctrees(_app: Any, name: str, source: list[str]) -> None:
    """Give a page hidden tables of contents from its own links, in their order.

    For index.md one for each section, of the links that begin a line; for a page with pages below
    it, one of the links to those.
    """
    if name in _BELOW:
        pages = [p for p in _LINK.findall(source[0]) if p.startswith(_BELOW[name])]
        source[0] += _toctree(pages)
    elif name == "index":
        _, *pieces = _SECTION.split(source[0])
        for title, body in zip(pieces[::2], pieces[1::2], strict=True):
            source[0] += _toctree(_ENTRY.findall(body), title)


def _toctree(pages: list[str], caption: str = "") -> str:
    named = [f":caption: {caption}"] if caption else []
    return "\n".join(["", "```{toctree}", ":hidden:", *named, "", *dict.fromkeys(pages), "```", ""])


def name_files_outside(_app: Any, _name: str, source: list[str]) -> None:
    """Name a file of the repository that is no page of the site, where a page links to it."""
    source[0] = _OUTSIDE.sub(r"\1 (`\2` in the repository)", source[0])


def list_public_names(_app: Any, name: str, source: list[str]) -> None:
    """Give the page of a package its functions, then its classes, each where it is first public."""
    package = name.replace("reference/api/", "withstand.").replace(".withstand", "")
    if not name.startswith("reference/api/") or package not in api_examples.PACKAGES:
        return
    kinds: dict[str, list[str]] = {"Functions": [], "Classes": [], "Values": []}
    elsewhere = []
    for thing_name, thing in sorted(api_examples.public(package).items()):
        full = f"{package}.{thing_name}"
        first = api_examples.first_name(full, thing)
        if first != full:
            elsewhere.append(f":py:obj:`{first}`")
        elif inspect.isclass(thing):
            kinds["Classes"].append(f".. autoclass:: {full}\n   :members:")
        elif inspect.isroutine(thing):
            kinds["Functions"].append(f".. autofunction:: {full}")
        else:
            kinds["Values"].append(f".. autodata:: {full}")
    parts = [source[0]]
    if elsewhere:
        parts.append("Described elsewhere: " + ", ".join(elsewhere) + ".")
    for title, entries in kinds.items():
        if entries:
            parts += [f"{title}\n{'-' * len(title)}", *entries]
    source[0] = "\n\n".join(parts) + "\n"


def lead_to_examples(
    _app: Any, _what: str, name: str, thing: Any, _options: Any, lines: list[str]
) -> None:
    """Add to a public name where it is shown at work."""
    if inspect.isroutine(thing) or inspect.isclass(thing):
        lines += api_examples.pointers(name, thing)


def leave_out_private(
    _app: Any, what: str, _name: str, thing: Any, _options: Any, _given: str | None, returned: Any
) -> tuple[str, Any] | None:
    """Show no signature of a class that functions return: its fields are listed below it."""
    if what == "class" and api_examples.makers_of(thing):
        return "", returned
    return None


def _whole_text(parsed: GoogleDocstring) -> list[str]:
    """Return the docstring of a property as it is: a colon in its first line names no type."""
    return list(parsed._consume_to_end())


GoogleDocstring._parse_attribute_docstring = _whole_text  # napoleon has no setting for it


def setup(app: Any) -> None:
    """Connect the hooks."""
    app.add_lexer("csv", TextLexer)
    app.connect("source-read", add_toctrees)
    app.connect("source-read", name_files_outside)
    app.connect("source-read", list_public_names)
    app.connect("autodoc-process-signature", leave_out_private)
    app.connect("autodoc-process-docstring", lead_to_examples)
