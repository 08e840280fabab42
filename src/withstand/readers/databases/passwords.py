"""Passwords: out of the environment into the connection, and nowhere else."""

from __future__ import annotations

import os
from dataclasses import dataclass

_HIDDEN = "(hidden)"


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Password:
    """A password that shows itself to nobody: not in a repr, a log or a traceback."""

    text: str

    def __repr__(self) -> str:
        return _HIDDEN

    __str__ = __repr__

    def __reduce__(self) -> tuple[type[Password], tuple[str]]:
        """Refuse to travel: a pickle would carry the text."""
        raise TypeError("a password is not to be stored")

    def hidden_in(self, message: str) -> str:
        """Return a message without the password, should a driver repeat it."""
        return message.replace(self.text, _HIDDEN) if self.text else message


def password_from(name: str | None) -> Password | None:
    """Return the password of an environment variable; None where the driver looks itself.

    Raises
    ------
    KeyError
        If the variable is not set, or empty.
    """
    if name is None:
        return None
    text = os.environ.get(name, "")
    if not text:
        raise KeyError(name)
    return Password(text)
