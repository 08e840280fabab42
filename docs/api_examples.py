"""Where each public name is shown at work: its own example, a page that runs it, or what makes it.

The reference prints this below each name (docs/conf.py), and a test asks it of every name.
"""

from __future__ import annotations

import functools
import importlib
import inspect
import re
import types
from pathlib import Path
from typing import Any

DOCS = Path(__file__).resolve().parent
PACKAGES = (
    "withstand",
    "withstand.readers",
    "withstand.model",
    "withstand.measures",
    "withstand.stress",
    "withstand.plan",
    "withstand.people",
    "withstand.plants",
    "withstand.examples",
    "withstand.workbench",
)
MOST_PAGES = 3
_PYTHON = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_IMPORTED = re.compile(r"^from (withstand[\w.]*) import (.+)$", re.MULTILINE)


def public(package: str) -> dict[str, Any]:
    """Return what a package offers by name; packages below it have pages of their own."""
    module = importlib.import_module(package)
    things = {name: getattr(module, name) for name in module.__all__}
    return {n: t for n, t in things.items() if not isinstance(t, types.ModuleType)}


def first_name(full: str, thing: Any) -> str:
    """Return under which name a thing is described: errors together, else where it stands first."""
    if inspect.isclass(thing) and issubclass(thing, Exception):
        return f"withstand.errors.{thing.__name__}"
    if not (inspect.isroutine(thing) or inspect.isclass(thing)):
        return full
    for package in PACKAGES:
        for name, other in public(package).items():
            if other is thing:
                return f"{package}.{name}"
    return full


def has_example(thing: Any) -> bool:
    """Tell whether a docstring, or that of a method or property, holds an example that runs."""
    texts = [inspect.getdoc(thing) or ""]
    if inspect.isclass(thing):
        members = (getattr(m, "func", m) for m in vars(thing).values())
        texts += [getattr(m, "__doc__", None) or "" for m in members]
    return any(">>> " in text for text in texts)


@functools.cache
def pages_using() -> dict[str, list[str]]:
    """Return, by full name, the pages whose Python blocks name a public thing."""
    found: dict[str, list[str]] = {}
    for path in sorted(DOCS.rglob("*.md")):
        page = path.relative_to(DOCS).with_suffix("").as_posix()
        if page.startswith(("reference/", "_build/")):
            continue
        named = _named_in("\n".join(_PYTHON.findall(path.read_text(encoding="utf-8"))))
        for full in (f"{package}.{name}" for package in PACKAGES for name in public(package)):
            if full in named:
                found.setdefault(full, []).append(page)
    return found


def _named_in(code: str) -> set[str]:
    """Return the full names that a page's code uses: `ws.plan.solve`, and what it imports."""
    named = {f"withstand{x}" for x in re.findall(r"\bws((?:\.\w+)+)", code)}
    named |= set(re.findall(r"\bwithstand(?:\.\w+)+", code))
    for package, names in _IMPORTED.findall(code):
        for name in re.findall(r"\w+", names):
            named.add(f"{package}.{name}")
            named |= {f"{package}.{x}" for x in re.findall(rf"\b({name}\.\w+)", code)}
    return named


@functools.cache
def _makers() -> dict[str, list[str]]:
    """Return the full names of the functions whose annotation says they return a class."""
    found: dict[str, list[str]] = {}
    seen: set[int] = set()
    for package in PACKAGES:
        for name, thing in public(package).items():
            if inspect.isfunction(thing) and id(thing) not in seen:  # the first place that has it
                seen.add(id(thing))
                returned = str(thing.__annotations__.get("return", ""))
                for word in re.findall(r"\w+", returned):
                    found.setdefault(word, []).append(f"{package}.{name}")
    return found


def makers_of(thing: Any) -> list[str]:
    """Return the public functions that return a class and are themselves shown at work."""
    if not inspect.isclass(thing):
        return []
    makers = dict.fromkeys(_makers().get(thing.__name__, []))
    return [full for full in makers if has_example(_thing(full)) or full in pages_using()]


@functools.cache
def _examples() -> dict[str, str]:
    """Return the code of the examples in the docstrings of public functions."""
    found = {}
    for package in PACKAGES:
        for name, thing in public(package).items():
            lines = (inspect.getdoc(thing) or "").splitlines()
            code = "\n".join(x for x in lines if x.lstrip().startswith((">>> ", "... ")))
            if code and first_name(f"{package}.{name}", thing) == f"{package}.{name}":
                found[f"{package}.{name}"] = code
    return found


def examples_naming(thing: Any) -> list[str]:
    """Return the public names in whose examples a class is made or a function called."""
    if not hasattr(thing, "__name__"):
        return []
    call = re.compile(rf"\b{thing.__name__}[.(]")
    return [full for full, code in _examples().items() if call.search(code)]


def raisers_of(thing: Any) -> list[str]:
    """Return the public names whose docstring says that they raise an error."""
    if not (inspect.isclass(thing) and issubclass(thing, Exception)):
        return []
    named = re.compile(rf"^{thing.__name__}$", re.MULTILINE)
    return [
        f"{package}.{name}"
        for package in PACKAGES
        for name, other in public(package).items()
        if other is not thing
        and first_name(f"{package}.{name}", other) == f"{package}.{name}"
        and named.search(inspect.getdoc(other) or "")
    ]


def _thing(full: str) -> Any:
    package, _, name = full.rpartition(".")
    return public(package)[name]


def is_shown(package: str, name: str) -> bool:
    """Tell whether a reader finds a public name at work somewhere."""
    thing, full = public(package)[name], f"{package}.{name}"
    if has_example(thing) or {full, first_name(full, thing)} & set(pages_using()):
        return True
    return bool(makers_of(thing) or examples_naming(thing) or raisers_of(thing))


def pointers(full: str, thing: Any) -> list[str]:
    """Return the lines of reStructuredText that lead from a name to where it is shown at work."""
    said = []
    makers = makers_of(thing)
    if makers:
        said.append("Returned by " + ", ".join(f":func:`{m}`" for m in makers[:MOST_PAGES]) + ".")
    others = [] if has_example(thing) else [x for x in examples_naming(thing) if x not in makers]
    if others:
        named = ", ".join(f":obj:`{x}`" for x in others[:MOST_PAGES])
        said.append(f"In the example of {named}.")
    if raisers := raisers_of(thing):
        said.append("Raised by " + ", ".join(f":obj:`{x}`" for x in raisers[:MOST_PAGES]) + ".")
    if pages := pages_using().get(full):
        said.append("At work in " + ", ".join(f":doc:`/{p}`" for p in pages[:MOST_PAGES]) + ".")
    return ["", ".. rubric:: See also", "", " ".join(said), ""] if said else []
