"""The verb upgrade: a project of an older version is written anew, and the old one is kept."""

from __future__ import annotations

from withstand.cli import output


def upgrade() -> int:
    """Write a project of an older version in today's format; the old files are kept beside it."""
    from withstand.readers.upgrading import upgrade_project

    had, kept, changes = upgrade_project(output.settings.project)
    if output.settings.json:
        output.say_json(
            {
                "status": "ok",
                "had_format": had,
                "kept": str(kept) if kept else None,
                "changes": changes,
            }
        )
        return 0
    if kept is None:
        output.say(f"The project has today's format, {had}; nothing had to be done.")
        return 0
    for change in changes:
        output.say(change)
    output.say(f"The old files are kept in {kept}.")
    return 0
