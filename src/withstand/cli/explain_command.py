"""The verb explain: what the code of a finding means, an example, and how to mend it."""

from __future__ import annotations

from typing import Annotated

import typer

from withstand.cli import output
from withstand.errors import UsageError


def explain(
    code: Annotated[str, typer.Argument(help="Code of a finding: E104, W203 ...")],
) -> int:
    """Say what the code of a finding means, with an example, and how to mend it."""
    from withstand.model.finding_codes import CODES
    from withstand.model.finding_examples import example_of, page_of
    from withstand.model.findings import nearest

    key = code.strip().upper()
    if key not in CODES:
        near = nearest(key, tuple(CODES))
        hint = f" Did you mean {near}?" if near else ""
        raise UsageError(
            f"No finding has the code '{code[:40]}'.{hint} "
            "A code is a letter and three digits: E104."
        )
    rule, example = CODES[key], example_of(key)
    if output.settings.json:
        output.say_json(
            {
                "status": "ok",
                "code": key,
                "severity": rule.severity,
                "title": rule.title,
                "why": rule.why,
                "fix": rule.fix,
                "example": example.to_dict() if example else None,
                "page": page_of(key),
            }
        )
        return 0
    output.say(f"{key} {rule.title} ({rule.severity})")
    output.say(rule.why)
    if example is not None:
        output.say(f"\nFor example:\n  {str(example).removeprefix(key).strip()}")
    if rule.fix:
        output.say(f"\nTo mend it: {rule.fix}")
    output.say(f"\nPage: docs/{page_of(key)}")
    return 0
