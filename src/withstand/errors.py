"""The errors a user can mend, named for what has to be mended."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from withstand.model.findings import Finding


class WithstandError(Exception):
    """Base of every error that withstand raises on purpose.

    Examples
    --------
    >>> import withstand as ws
    >>> try:
    ...     ws.example("robot_makr")
    ... except ws.WithstandError as error:
    ...     print(error)
    There is no example 'robot_makr'; there are: robot_maker, nation. Did you mean robot_maker?
    """


class FindingsError(WithstandError, ValueError):
    """An error that carries every finding of one pass.

    Parameters
    ----------
    findings : sequence of Finding
        All faults (and the warnings found on the way), worst first.
    """

    def __init__(self, findings: Sequence[Finding]) -> None:
        self.findings = tuple(findings)
        errors = [f for f in self.findings if f.severity == "error"]
        shown = [str(f) for f in errors[:10]]
        if len(errors) > 10:
            shown.append(f"... and {len(errors) - 10} more")
        super().__init__("\n".join(shown) or "no finding given")

    def __reduce__(self) -> tuple[type[FindingsError], tuple[tuple[Finding, ...]]]:
        """Travel between processes with the findings, not with their text."""
        return type(self), (self.findings,)


class DataError(FindingsError):
    """Input tables have faults; `findings` names each place and its mend."""


class ScenarioError(FindingsError):
    """A scenario names something that the network lacks, or cannot happen."""


class OptionError(FindingsError):
    """An option names something that the network lacks, or cannot be applied."""


class SolverError(WithstandError, RuntimeError):
    """The solver gave no answer where one must exist."""


class ProjectLockedError(WithstandError, RuntimeError):
    """Another process is writing to the project."""


class UsageError(WithstandError, ValueError):
    """The call itself is wrong: an argument, an unknown name, a missing file."""


class MissingExtraError(WithstandError, ImportError):
    """An optional extra has to be installed first."""
