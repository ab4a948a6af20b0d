# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Plotly figures as the reports share them; Plotly is imported when a figure is made."""

from __future__ import annotations

from typing import Any

SHARE = {"range": [-0.03, 1.03]}  # an axis of shares and probabilities


def figure(title: str = "", **layout: Any) -> Any:
    """Return an empty figure with a title and Plotly's layout."""
    import plotly.graph_objects as go

    return go.Figure(layout={**({"title": title} if title else {}), **layout})
