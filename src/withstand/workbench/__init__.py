"""The use cases: load, check, measure, stress, report. Called by every door, holds no formula."""

from __future__ import annotations

from withstand.workbench.capability import (
    capability_targets,
    find_capability,
    read_capability,
    read_names,
    write_capability,
)
from withstand.workbench.comparing import (
    compare,
    compared_targets,
    write_compared,
)
from withstand.workbench.databases import (
    check_database,
    push_run,
    push_tables,
)
from withstand.workbench.imports import (
    plan_import,
    write_import,
    write_marked,
)
from withstand.workbench.lines import (
    line_targets,
    read_line,
    work_out_line,
    write_line,
    write_line_template,
)
from withstand.workbench.naming import (
    hiding_for,
    with_hidden_names,
)
from withstand.workbench.partners import (
    candidates_of,
    find_partners,
    partner_indicators,
    partner_targets,
    read_flows,
    read_reliability,
    write_partners,
)
from withstand.workbench.plans import (
    NO_OPTIONS,
    PLAN_ENDINGS,
    gather_plan,
    plan,
    plan_targets,
    write_plan,
)
from withstand.workbench.progress import (
    Progress,
    silent,
)
from withstand.workbench.projects import (
    check,
    load,
    new_economy,
    new_project,
    write_template,
)
from withstand.workbench.reports import (
    MOST_RUNS,
    gather,
    gather_economy,
    write_economy,
    write_report,
)
from withstand.workbench.runs import (
    best_of,
    cascade_of,
    go_on,
    play,
    play_many,
    region_losses,
    save_run,
    systemic_risk,
    worst_run,
)
from withstand.workbench.scenarios import (
    DEFAULT_DURATION,
    DEFAULT_RECOVERY,
    DEFAULT_SHARE,
    each_of,
    lossable,
    scenario_of,
    scenarios_of,
    without_time,
    years_of,
)
from withstand.workbench.snapshots import (
    Snapshot,
    snapshots_of,
    take_snapshot,
)
from withstand.workbench.staffing import (
    NO_OCCUPATIONS,
    people,
    people_targets,
    write_people,
)
from withstand.workbench.tables import (
    read_table,
)
from withstand.workbench.targets import (
    REPORT_ENDINGS,
    report_targets,
)
from withstand.workbench.tracking import (
    HashesCompared,
    track_diff,
    track_targets,
    write_tracked,
)
from withstand.workbench.trade import (
    read_cube,
    screen_trade,
    screens_of,
    trade_targets,
    write_trade,
)

__all__ = [
    "DEFAULT_DURATION",
    "DEFAULT_RECOVERY",
    "DEFAULT_SHARE",
    "MOST_RUNS",
    "NO_OCCUPATIONS",
    "NO_OPTIONS",
    "PLAN_ENDINGS",
    "REPORT_ENDINGS",
    "HashesCompared",
    "Progress",
    "Snapshot",
    "best_of",
    "candidates_of",
    "capability_targets",
    "cascade_of",
    "check",
    "check_database",
    "compare",
    "compared_targets",
    "each_of",
    "find_capability",
    "find_partners",
    "gather",
    "gather_economy",
    "gather_plan",
    "go_on",
    "hiding_for",
    "line_targets",
    "load",
    "lossable",
    "new_economy",
    "new_project",
    "partner_indicators",
    "partner_targets",
    "people",
    "people_targets",
    "plan",
    "plan_import",
    "plan_targets",
    "play",
    "play_many",
    "push_run",
    "push_tables",
    "read_capability",
    "read_cube",
    "read_flows",
    "read_line",
    "read_names",
    "read_reliability",
    "read_table",
    "region_losses",
    "report_targets",
    "save_run",
    "scenario_of",
    "scenarios_of",
    "screen_trade",
    "screens_of",
    "silent",
    "snapshots_of",
    "systemic_risk",
    "take_snapshot",
    "track_diff",
    "track_targets",
    "trade_targets",
    "with_hidden_names",
    "without_time",
    "work_out_line",
    "worst_run",
    "write_capability",
    "write_compared",
    "write_economy",
    "write_import",
    "write_line",
    "write_line_template",
    "write_marked",
    "write_partners",
    "write_people",
    "write_plan",
    "write_report",
    "write_template",
    "write_tracked",
    "write_trade",
    "years_of",
]
