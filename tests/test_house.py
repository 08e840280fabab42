"""The rules of the house that a machine can keep, besides lint, types and import layers."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import pkgutil
import re
import shutil
import subprocess
import sys
import types
from pathlib import Path

import pytest

import withstand
from kernel_signatures import signatures_of, with_several

REPOSITORY = Path(__file__).resolve().parent.parent
FACADES = (
    "withstand",
    "withstand.model",
    "withstand.measures",
    "withstand.stress",
    "withstand.people",
    "withstand.plants",
    "withstand.plan",
)

# One letter of each stands in brackets so that this file does not find itself.
MACHINE_PATHS = r"(?<![\w.])/(?:w[o]rk|r[o]ot|t[m]p|h[o]me/\w+)/"
INDEX_ADDRESSES = r"--(?:extra-)?i[n]dex-url|https?://\S+/s[i]mple\b|p[y]thonhosted\.org"


def _submodules() -> list[str]:
    """Return every module of the package that can be imported here."""
    have_dash = importlib.util.find_spec("dash") is not None
    found = pkgutil.walk_packages(
        withstand.__path__, "withstand.", onerror=lambda name: pytest.fail(f"cannot import {name}")
    )
    names = [module.name for module in found]
    return [
        name
        for name in names
        if not name.endswith(".__main__") and (have_dash or not name.startswith("withstand.app"))
    ]


@pytest.fixture(scope="module", autouse=True)
def everything_imported() -> None:
    """Import all submodules, because a module may hide a public function of the same name."""
    for name in _submodules():
        importlib.import_module(name)


def _public(facade: str) -> dict[str, object]:
    """Return what a package offers by name, dunders such as __version__ left out."""
    module = importlib.import_module(facade)
    return {name: getattr(module, name) for name in module.__all__ if not name.startswith("__")}


def _modules_loaded_by(statement: str) -> set[str]:
    """Return the top-level modules that a fresh interpreter holds after one statement."""
    code = f"{statement}\nimport sys\nprint(*{{m.partition('.')[0] for m in sys.modules}})"
    done = subprocess.run(  # -I: neither this folder nor the environment may add anything
        [sys.executable, "-I", "-c", code], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


@pytest.mark.parametrize(
    ("statement", "too_heavy"),
    [
        (
            "import withstand",
            {"numpy", "scipy", "numba", "polars", "plotly", "duckdb", "pyarrow", "highspy"},
        ),
        ("import withstand.readers", {"numba", "highspy", "plotly", "dash"}),
        ("import withstand.cli", {"numba", "polars", "plotly", "highspy", "dash"}),
    ],
)
def test_an_import_does_not_load_what_it_does_not_need(statement: str, too_heavy: set[str]) -> None:
    assert not _modules_loaded_by(statement) & too_heavy


@pytest.mark.parametrize("facade", FACADES)
def test_every_public_name_leads_to_something_to_use(facade: str) -> None:
    for name, thing in _public(facade).items():
        assert callable(thing) or isinstance(thing, types.ModuleType), name


@pytest.mark.parametrize("facade", FACADES)
def test_every_public_function_and_class_says_what_it_is_for(facade: str) -> None:
    things = _public(facade).items()
    silent = [name for name, thing in things if callable(thing) and not inspect.getdoc(thing)]
    assert not silent


@pytest.mark.parametrize("facade", FACADES)
def test_no_module_bears_the_name_of_a_public_function_of_its_package(facade: str) -> None:
    # A lazy package would hand out the function first and the module later.
    submodules = set(_submodules())
    clashes = [
        name
        for name, thing in _public(facade).items()
        if f"{facade}.{name}" in submodules and thing is not sys.modules[f"{facade}.{name}"]
    ]
    assert not clashes


def test_a_kernel_compiled_for_two_types_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    numba = pytest.importorskip("numba")
    if numba.config.DISABLE_JIT:
        pytest.skip("compilation is switched off")

    def double(x):
        return x + x

    double.__module__ = "some_kernels"
    module = types.ModuleType("some_kernels")
    module.double = numba.njit(double)
    monkeypatch.setitem(sys.modules, "some_kernels", module)

    module.double(1.5)
    assert list(signatures_of("some_kernels")) == ["some_kernels.double"]
    assert not with_several(signatures_of("some_kernels"))
    module.double(1)
    assert list(with_several(signatures_of("some_kernels"))) == ["some_kernels.double"]


def _files_of_the_repository() -> list[Path]:
    """Return what git tracks, and what it would take in."""
    if shutil.which("git") is None:
        pytest.skip("git is not installed")
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode != 0:
        pytest.skip("not a git checkout")
    files = [REPOSITORY / name for name in listed.stdout.split("\0") if name]
    return [file for file in files if file.is_file()]


@pytest.mark.parametrize("pattern", [MACHINE_PATHS, INDEX_ADDRESSES], ids=["path", "index"])
def test_no_file_names_a_path_of_one_machine_or_a_package_index(pattern: str) -> None:
    wanted = re.compile(pattern.encode())
    found = []
    for file in _files_of_the_repository():
        content = file.read_bytes()
        if b"\0" in content[:4096]:  # not text
            continue
        found += [
            f"{file.relative_to(REPOSITORY)}:{number}"
            for number, line in enumerate(content.splitlines(), 1)
            if wanted.search(line)
        ]
    assert not found
