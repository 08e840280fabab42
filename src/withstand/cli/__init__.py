"""The command line: arguments in, exit code and text out. No formula stands here.

Exit codes: 0 fine, 1 our bug, 2 wrong use, 3 faults in the data, 4 infeasible, 5 a threshold that
the user set is broken, 130 stopped.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Any

FINE, BUG, WRONG_USE, FAULTS, INFEASIBLE, THRESHOLD, STOPPED = 0, 1, 2, 3, 4, 5, 130

_FLAGS = ("--json", "--quiet", "--no-progress")
_VALUED = ("--project", "--seed", "--jobs")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code (the console script exits with it)."""
    import typer

    from withstand.cli.commands import app
    from withstand.cli.output import say_error, say_findings, settings
    from withstand.errors import FindingsError, SolverError, WithstandError

    # typer carries its own click or the real one, by version; its public error leads to the base.
    bases = typer.BadParameter.__mro__
    wrong_use: Any = next(c for c in bases if c.__name__ == "ClickException")
    given = list(sys.argv[1:] if arguments is None else arguments)
    settings.reset(json="--json" in given)
    try:
        result = app(args=global_first(given), prog_name="withstand", standalone_mode=False)
        sys.stdout.flush()
        if result == STOPPED:  # typer makes this of Ctrl-C
            say_error("Stopped.")
        return int(result or FINE)
    except typer.Exit as stop:
        return int(stop.exit_code)
    except wrong_use as error:
        say_error(error.format_message() or str(error), hint="withstand --help shows the commands.")
        return WRONG_USE
    except FindingsError as error:
        say_findings(error.findings)
        return FAULTS
    except SolverError as error:
        say_error(str(error))
        return BUG
    except WithstandError as error:
        say_error(str(error))
        return WRONG_USE
    except BrokenPipeError:  # the reader of our output has gone, for instance `| head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FINE
    except (KeyboardInterrupt, typer.Abort):
        say_error("Stopped.")
        return STOPPED


def global_first(arguments: Sequence[str]) -> list[str]:
    """Move global options before the command, so that they may stand anywhere.

    Examples
    --------
    >>> global_first(["check", "plant", "--json", "--project", "p"])
    ['--json', '--project', 'p', 'check', 'plant']
    """
    front: list[str] = []
    rest: list[str] = []
    waiting = iter(arguments)
    for word in waiting:
        name = word.split("=", 1)[0]
        if word == "--":
            rest += [word, *waiting]
        elif word in _FLAGS or (name in _VALUED and "=" in word):
            front.append(word)
        elif name in _VALUED:
            front += [word, *([value] if (value := next(waiting, None)) is not None else [])]
        else:
            rest.append(word)
    return front + rest
