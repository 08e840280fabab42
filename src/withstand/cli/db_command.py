"""The verb db: try the queries of a project, push results back."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from withstand.cli import output
from withstand.errors import UsageError


def db(
    action: Annotated[str, typer.Argument(help="check or push.")],
    run: Annotated[
        str | None, typer.Argument(help="The run to push: its folder, or its name in runs/.")
    ] = None,
    tables: Annotated[
        bool, typer.Option("--tables", help="Push the checked tables of the network.")
    ] = False,
    url: Annotated[
        str | None, typer.Option(help="Push to: postgresql://host:port/db?user=..., duckdb:FILE.")
    ] = None,
    schema: Annotated[str | None, typer.Option(help="Schema of results.")] = None,
    password_env: Annotated[
        str | None, typer.Option(help="Environment variable that holds the password.")
    ] = None,
) -> int:
    """Try the database of a project (check), or write results into a schema of ours (push)."""
    if action == "check":
        if run is not None or tables or url or schema or password_env:
            raise UsageError("db check takes the database of the project, and nothing else.")
        return _check()
    if action != "push":
        raise UsageError(f"db does check or push, not '{action[:40]}'.")
    if (run is None) == (not tables):
        raise UsageError("db push takes a run, or --tables.")
    return _push(run, url=url, schema=schema, password_env=password_env)


def _check() -> int:
    from withstand import workbench
    from withstand.cli import FAULTS, FINE
    from withstand.model.findings import counted

    checks, findings = workbench.check_database(output.settings.project)
    everything = [*findings, *(f for c in checks for f in c.findings)]
    failed = any(f.severity == "error" for f in everything)
    if output.settings.json:
        output.say_json(
            {
                "status": "error" if failed else "ok",
                "queries": [_document(c) for c in checks],
                "findings": [f.to_dict() for f in everything],
            }
        )
    else:
        for c in checks:
            bad = any(f.severity == "error" for f in c.findings)
            gives = "fails" if bad else f"gives {', '.join(c.columns)}"
            tried = "" if bad else f" ({counted(c.rows.height, 'row')} tried)"
            output.say(f"{c.table}: {gives}{tried}")
        if everything:
            output.say_findings(everything, failed=failed)
        elif checks:
            output.say("Every query works.")
    return FAULTS if failed else FINE


def _document(check: Any) -> dict[str, Any]:
    return {
        "table": check.table,
        "columns": list(check.columns),
        "rows": check.rows.height,
        "seconds": check.seconds,
    }


def _push(run: str | None, *, url: str | None, schema: str | None, password_env: str | None) -> int:
    from withstand import workbench
    from withstand.model.findings import counted

    project = output.settings.project
    if run is None:
        done = workbench.push_tables(project, url=url, schema=schema, password_env=password_env)
    else:
        done = workbench.push_run(project, run, url=url, schema=schema, password_env=password_env)
    if output.settings.json:
        output.say_json(
            {"status": "ok", "run": done.run, "schema": done.schema, "rows": dict(done.rows)}
        )
    for name, rows in done.rows.items():
        output.say(f"{done.schema}.{name}: {counted(rows, 'row')}")
    output.say(f"Run {done.run} is in the database, whole.")
    return 0
