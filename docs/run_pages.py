"""Run what the pages show: every command and every Python block, page by page.

    python docs/run_pages.py                 put the real output of the commands into all pages
    python docs/run_pages.py docs/index.md   only into this one

The tests use the same functions to see that the output shown is what is printed.
"""

from __future__ import annotations

import contextlib
import dataclasses
import io
import os
import re
import shlex
import sys
import tempfile
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

DOCS = Path(__file__).resolve().parent
ROOT = DOCS.parent
DATA = ROOT.parent / "shared" / "data"  # real data beside the repository, no part of it
DATA_FOLDERS = ("wiod2013", "crm_trade_wmd_wgi", "eu_crm", "hs_codes")
WIDTH = 110  # of printed tables, whatever the terminal
_FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclasses.dataclass(frozen=True)
class Block:
    """One fenced block of a page; `line` is the line of its fence, `span` its body in the text."""

    language: str
    body: str
    line: int
    span: tuple[int, int]


@dataclasses.dataclass(frozen=True)
class Command:
    """One `$` line of a console block and the output shown below it."""

    text: str
    shown: str


def blocks_of(text: str) -> list[Block]:
    """Return the fenced blocks of a page, in order."""
    return [
        Block(m[1], m[2], text.count("\n", 0, m.start()) + 1, m.span(2))
        for m in _FENCE.finditer(text)
    ]


def commands_of(body: str) -> list[Command]:
    """Return the commands of a console block with the output shown."""
    first, *pieces = re.split(r"^\$ ", body, flags=re.MULTILINE)
    if first.strip():
        raise ValueError(f"a console block starts with '$ ', not with {first.splitlines()[0]!r}")
    commands = []
    for piece in pieces:
        command, _, shown = piece.partition("\n")
        commands.append(Command(command.strip(), shown.rstrip("\n")))
    return commands


def reads_data(text: str) -> bool:
    """Tell whether a page reads real data that lie beside the repository."""
    return any(f"{name}/" in block.body for block in blocks_of(text) for name in DATA_FOLDERS)


def bring_data(folder: Path) -> bool:
    """Let a page find the real data in its folder; return whether they are there."""
    for name in DATA_FOLDERS:
        if not (DATA / name).is_dir():
            return False
        (folder / name).symlink_to(DATA / name, target_is_directory=True)
    return True


class Page:
    """Runs the blocks of one page in order, in the folder it is given.

    python      runs; a text block right below shows what it prints
    console     runs `withstand ...`, `cd FOLDER` and `echo $?`; the exit code must be 0 unless the
                next command is `echo $?`
    toml, csv   with `# path` as first line: written to that file
    diff        with `--- path` as first line: each `-` line of the file becomes the `+` lines below
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.names: dict[str, Any] = {"__name__": "page"}
        self.code = 0
        self.printed = ""

    def run(self, block: Block, name: str) -> list[tuple[str, str]]:
        """Run one block; return (shown, printed) of everything that can be compared."""
        before, self.printed = self.printed, ""
        if block.language == "python":
            self._python(block, name)
        elif block.language == "text" and before:
            return [(block.body, before)]
        elif block.language == "console":
            return self._console(block.body)
        elif block.language in ("toml", "csv") and block.body.startswith("# "):
            path, _, body = block.body.removeprefix("# ").partition("\n")
            self._write(path, body)
        elif block.language == "diff":
            self._patch(block.body)
        return []

    def _write(self, path: str, body: str) -> None:
        target = self.folder / path.strip()
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(body, encoding="utf-8")

    def _patch(self, body: str) -> None:
        head, *lines = body.splitlines()
        path = head.removeprefix("--- ")
        text = (self.folder / path).read_text(encoding="utf-8")
        old = "".join(f"{x[1:]}\n" for x in lines if x.startswith("-"))
        new = "".join(f"{x[1:]}\n" for x in lines if x.startswith("+"))
        if text.count(old) != 1:
            raise ValueError(f"the lines to change stand {text.count(old)} times in {path}")
        self._write(path, text.replace(old, new))

    def _python(self, block: Block, name: str) -> None:
        import polars as pl

        code = compile("\n" * block.line + block.body, name, "exec", dont_inherit=True)
        with _inside(self.folder) as printed, pl.Config(tbl_width_chars=WIDTH):
            exec(code, self.names)  # our own pages, nobody else's
        self.printed = printed.getvalue()

    def _console(self, body: str) -> list[tuple[str, str]]:
        pairs = []
        commands = commands_of(body)
        for at, command in enumerate(commands):
            if command.text == "echo $?":
                pairs.append((command.shown, str(self.code)))
                continue
            printed = self._command(command.text)
            following = commands[at + 1].text if at + 1 < len(commands) else ""
            if self.code != 0 and following != "echo $?":
                raise RuntimeError(f"{command.text}: exit code {self.code}\n{printed}")
            pairs.append((command.shown, printed))
        return pairs

    def _command(self, text: str) -> str:
        from withstand.cli import main

        text, _, target = text.partition(" > ")
        program, *arguments = shlex.split(text)
        if program == "cd":
            self.folder = self.folder / arguments[0]
            return ""
        if program != "withstand":
            raise ValueError(f"'{program}' is not run from a page; show it in a sh block")
        with _inside(self.folder) as printed:
            self.code = main(arguments)
        if target:
            self._write(target, printed.getvalue())
            return ""
        return printed.getvalue()


@contextlib.contextmanager
def _inside(folder: Path) -> Iterator[io.StringIO]:
    """Work in a folder, and catch what is printed."""
    before = Path.cwd()
    printed = io.StringIO()
    os.chdir(folder)
    try:
        with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
            yield printed
    finally:
        os.chdir(before)


def is_shown(shown: str, printed: str) -> bool:
    """Tell whether the output shown is what was printed; a line `...` stands for any lines.

    Blanks and line ends count alike, because long lines are wrapped.
    """
    pieces = [" ".join(p.split()) for p in re.split(r"^\.\.\.$", shown, flags=re.MULTILINE)]
    rest = " ".join(printed.split())
    if len(pieces) == 1:
        return pieces[0] == rest
    at = 0
    for number, piece in enumerate(pieces):
        found = rest.find(piece, at)
        is_first, is_last = number == 0, number == len(pieces) - 1
        if found < 0 or (is_first and piece and found > 0):
            return False
        at = found + len(piece)
        if is_last and piece and not rest.endswith(piece):
            return False
    return True


def pages() -> list[Path]:
    """Return every page: the README and all below docs, index first."""
    below = sorted(p for p in DOCS.rglob("*.md"))
    return [ROOT / "README.md", *below]


def refreshed(path: Path) -> str:
    """Return a page with the output of its commands put in, where none of it is left out."""
    text = path.read_text(encoding="utf-8")
    edits: list[tuple[tuple[int, int], str]] = []
    with tempfile.TemporaryDirectory() as place:
        if reads_data(text) and not bring_data(Path(place)):
            print(f"{path.relative_to(ROOT)}: left as it is, its data are not here")
            return text
        page = Page(Path(place))
        for block in blocks_of(text):
            pairs = page.run(block, path.name)
            if all(is_shown(shown, printed) for shown, printed in pairs):
                continue
            if any("..." in shown.splitlines() for shown, _ in pairs):
                print(f"{path.relative_to(ROOT)}:{block.line}: differs; change it by hand")
                for _, printed in pairs:
                    print(textwrap.indent(printed, "    "))
            elif block.language == "console":
                commands = [c.text for c in commands_of(block.body)]
                outputs = [_tidy(printed) for _, printed in pairs]
                body = "".join(f"$ {c}\n{o}" for c, o in zip(commands, outputs, strict=True))
                edits.append((block.span, body))
            else:
                edits.append((block.span, _tidy(pairs[0][1])))
    for (start, end), body in reversed(edits):
        text = text[:start] + body + text[end:]
    return text


def _tidy(printed: str) -> str:
    lines = [line.rstrip() for line in printed.rstrip().splitlines()]
    return "".join(f"{line}\n" for line in lines)


def main() -> None:
    named = [Path(a).resolve() for a in sys.argv[1:]]
    for path in named or pages():
        new = refreshed(path)
        if new != path.read_text(encoding="utf-8"):
            path.write_text(new, encoding="utf-8")
            print(f"refreshed {path.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
