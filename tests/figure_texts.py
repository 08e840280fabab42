"""Every text inside a figure, wherever it stands."""

from __future__ import annotations

import plotly.graph_objects as go


def strings(value: object) -> list[str]:
    """Return every text inside a figure."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, go.Figure):
        return strings(value.to_plotly_json())
    if isinstance(value, dict):
        return [t for v in value.values() for t in strings(v)]
    if isinstance(value, list | tuple):
        return [t for v in value for t in strings(v)]
    return []
