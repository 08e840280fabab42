"""Presets of screens: named sets of conditions, as data in `screen_presets.toml`."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from withstand.errors import UsageError
from withstand.measures.import_concentrations import INDICATORS
from withstand.model.findings import nearest, shorten


@dataclass(frozen=True, kw_only=True)
class ScreenCondition:
    """One condition of a screen.

    Parameters
    ----------
    name, words : str
        Short name and meaning.
    indicator : str
        Key of `withstand.measures.import_concentrations.INDICATORS`.
    above, at_least : float, optional
        The threshold: one of the two, > or >=. Unit of the indicator.
    basis : str
        "published" or "our reading".
    classes, class_names : tuple
        Bounds between classes of the indicator and one name more than bounds, if it has classes.

    Examples
    --------
    >>> ScreenCondition(name="one supplier", indicator="import_hhi", above=0.4).basis
    'own'
    """

    name: str
    indicator: str
    above: float | None = None
    at_least: float | None = None
    words: str = ""
    basis: str = "own"
    classes: tuple[float, ...] = ()
    class_names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Check what was given."""
        if self.indicator not in INDICATORS:
            near = nearest(self.indicator, list(INDICATORS))
            raise UsageError(
                f"There is no indicator '{shorten(self.indicator)}'; use one of "
                f"{', '.join(INDICATORS)}." + (f" Did you mean {near}?" if near else "")
            )
        if (self.above is None) == (self.at_least is None):
            raise UsageError(f"Condition '{self.name}' needs one of above and at_least.")
        if self.classes and len(self.class_names) != len(self.classes) + 1:
            raise UsageError(f"Condition '{self.name}' needs one class name more than bounds.")

    @property
    def threshold(self) -> float:
        """The threshold, in the unit of the indicator."""
        return float(self.above if self.above is not None else self.at_least or 0.0)

    @property
    def sign(self) -> str:
        """How the indicator is compared with the threshold."""
        return ">" if self.above is not None else ">="


@dataclass(frozen=True, kw_only=True)
class ScreenPreset:
    """A screen: all its conditions must hold, in `needed` of the last `window` years.

    Parameters
    ----------
    name, title, source : str
    conditions : tuple of ScreenCondition
        In order; a sequence counts what is left after each.
    window, needed : int
        Years looked at, up to the year judged, and years needed.
    sequence : bool
    """

    name: str
    title: str
    source: str = ""
    conditions: tuple[ScreenCondition, ...]
    window: int = 1
    needed: int = 1
    sequence: bool = False

    def __post_init__(self) -> None:
        """Check what was given."""
        if not self.conditions:
            raise UsageError(f"The screen '{self.name}' has no conditions.")
        if not 1 <= self.needed <= self.window:
            raise UsageError(f"The screen '{self.name}' needs 1 <= needed <= window.")


def known_screens() -> dict[str, ScreenPreset]:
    """Return the presets that come with the package, by name.

    Examples
    --------
    >>> [c.threshold for c in known_screens()["ec_2021"].conditions]
    [0.4, 0.5, 1.0]
    """
    return dict(_bundled())


def read_screens(path: str | os.PathLike[str]) -> dict[str, ScreenPreset]:
    """Return the presets of a TOML file of the same form as `screen_presets.toml`.

    Raises
    ------
    UsageError
        If the file cannot be read or a field is unknown.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     file = Path(folder) / "own.toml"
    ...     _ = file.write_text('''
    ... [few]
    ... [[few.conditions]]
    ... name = "C"
    ... indicator = "import_hhi"
    ... above = 0.5
    ... ''')
    ...     list(read_screens(file))
    ['few']
    """
    file = Path(path)
    try:
        text = file.read_text(encoding="utf-8")
        return _presets(tomllib.loads(text))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"{shorten(file.name)} cannot be read: {error}") from None


def chosen_screens(presets: Sequence[str | ScreenPreset] | str) -> tuple[ScreenPreset, ...]:
    """Return presets by name, or as they are.

    Raises
    ------
    UsageError
        If a name is not known or stands twice.
    """
    wanted = [presets] if isinstance(presets, str) else list(presets)
    found: list[ScreenPreset] = []
    for one in wanted:
        if isinstance(one, ScreenPreset):
            found.append(one)
            continue
        if one not in _bundled():
            near = nearest(str(one), list(_bundled()))
            hint = f" Did you mean {near}?" if near else ""
            raise UsageError(
                f"There is no screen '{shorten(one)}'; there are {', '.join(_bundled())}.{hint}"
            )
        found.append(_bundled()[one])
    names = [p.name for p in found]
    if not names or len(set(names)) < len(names):
        raise UsageError("Name each screen once, and at least one.")
    return tuple(found)


@cache
def _bundled() -> dict[str, ScreenPreset]:
    text = files("withstand.measures").joinpath("screen_presets.toml").read_text(encoding="utf-8")
    return _presets(tomllib.loads(text))


def _presets(data: Mapping[str, Any]) -> dict[str, ScreenPreset]:
    found: dict[str, ScreenPreset] = {}
    for name, raw in data.items():
        if not isinstance(raw, Mapping):
            raise UsageError(f"'{shorten(name)}' must be a table of a screen.")
        given = {**raw, "name": name}
        given.setdefault("title", name)
        given["conditions"] = tuple(
            ScreenCondition(**_known(c, ScreenCondition, f"a condition of {name}"))
            for c in raw.get("conditions", ())
        )
        found[name] = ScreenPreset(**_known(given, ScreenPreset, name))
    return found


def _known(given: Mapping[str, Any], form: type, place: str) -> dict[str, Any]:
    """Return the fields of a table with lists as tuples; unknown ones are refused."""
    names = [f.name for f in fields(form)]
    for key in given:
        if key not in names:
            near = nearest(key, names)
            hint = f" Did you mean {near}?" if near else ""
            raise UsageError(f"Unknown field '{shorten(key)}' in {shorten(place)}.{hint}")
    return {k: tuple(v) if isinstance(v, list) else v for k, v in given.items()}
