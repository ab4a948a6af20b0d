# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""The charts of a replay's report, with Plotly."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ris_node.report.page import SHARE, figure

Rows = Sequence[Mapping[str, Any]]
STATUS_COLOURS = {
    "PRESENT": "#2ea05a", "ABSENT": "#6e7480", "UNCERTAIN": "#d69614", "AMBIGUOUS": "#965ad6", "NO_QUERY": "#b8bcc4",
    "ERROR": "#c83232",
}  # fmt: skip
STAGES = ("decode_ms", "preprocess_ms", "inference_ms", "postprocess_ms")
_MOST_POINTS = 4000  # a longer drive is thinned, or its report takes long to open
_OUTLINES = 12


def timelines(rows: Rows, scores: Rows) -> Iterator[tuple[Any, int]]:
    """Yield figures over time with their heights: presence, areas, agreement, latency."""
    step = -(-len(rows) // _MOST_POINTS)
    own = list(rows)[::step]
    own_scores = list(scores)[::step]
    times = _times(rows)[::step]
    yield _presence(own, times), 340
    yield _areas(own, times), 280
    if own_scores:
        yield _agreement(own_scores, times), 300
    yield _latency(own, times), 300


def _times(rows: Rows) -> list[float]:
    """Return seconds from each drive's first frame; drives follow each other with a gap."""
    start: dict[str, int] = {}
    offset, last, times = 0.0, 0.0, []
    for row in rows:
        if row["bag"] not in start:
            offset = last + 1.0 if start else 0.0
            start[row["bag"]] = int(row["log_ns"])
        last = offset + (int(row["log_ns"]) - start[row["bag"]]) / 1e9
        times.append(last)
    return times


def _presence(rows: Rows, times: Sequence[float]) -> Any:
    chart = figure("presence and verdict", xaxis_title="s", yaxis=SHARE)
    chart.add_scatter(
        x=times, y=[row["presence"] for row in rows], mode="lines", line={"color": "#c9ced6", "width": 1},
        showlegend=False, hoverinfo="skip",
    )  # fmt: skip
    for status, colour in STATUS_COLOURS.items():
        own = [n for n, row in enumerate(rows) if row["status"] == status]
        if own:
            chart.add_scatter(
                x=[times[n] for n in own], y=[rows[n]["presence"] for n in own], mode="markers", name=status,
                marker={"color": colour, "size": 5}, text=[rows[n]["command"] for n in own],
            )  # fmt: skip
    _mark_commands(chart, rows, times)
    return chart


def _mark_commands(chart: Any, rows: Rows, times: Sequence[float]) -> None:
    """Mark where another command comes into force."""
    before = ""
    changes = 0
    for row, time_s in zip(rows, times, strict=True):
        if row["query_id"] != before and row["command"] and changes < 40:
            changes += 1
            words = row["command"] if len(row["command"]) <= 44 else row["command"][:42] + "…"
            chart.add_vline(
                x=time_s, line={"color": "#2563eb", "dash": "dot", "width": 1}, annotation_text=words,
                annotation={"font": {"size": 10}, "textangle": -90, "yanchor": "top", "xanchor": "left"},
            )  # fmt: skip
        before = row["query_id"]


def _areas(rows: Rows, times: Sequence[float]) -> Any:
    chart = figure("area, % of the picture", xaxis_title="s")
    for name, title in (("mask_area", "referent"), ("region_area", "region")):
        chart.add_scatter(x=times, y=[100.0 * row[name] for row in rows], mode="lines", name=title)
    return chart


def _agreement(scores: Rows, times: Sequence[float]) -> Any:
    chart = figure("IoU of the mask", xaxis_title="s", yaxis=SHARE)
    named = (("steady_iou", "with the frame before, after flow"), ("iou", "with the truth"))
    for name, title in named:
        values = [score[name] for score in scores]
        if any(value is not None for value in values):
            chart.add_scatter(x=times[: len(values)], y=values, mode="lines+markers", name=title, marker={"size": 3})
    return chart


def _latency(rows: Rows, times: Sequence[float]) -> Any:
    chart = figure("time for a frame, ms", xaxis_title="s")
    for name in STAGES:
        values = [row[name] for row in rows]
        chart.add_scatter(x=times, y=values, mode="lines", stackgroup="stages", name=name[:-3], line={"width": 0.5})
    return chart


def top_down(rows: Rows) -> Any | None:
    """Goals and some outlines seen from above, x up and y left; None where there are none."""
    good = [row for row in rows if row["target_status"] == "OK"]
    if not good:
        return None
    chart = figure(
        "goals, m", xaxis={"title": "right of the vehicle", "zeroline": True},
        yaxis={"title": "ahead", "scaleanchor": "x", "zeroline": True}, legend={"orientation": "h", "y": -0.15},
    )  # fmt: skip
    for row in good[:: max(1, len(good) // _OUTLINES)][:_OUTLINES]:
        xy = list(zip(row["footprint"][0::2], row["footprint"][1::2], strict=True))
        if len(xy) > 2:
            closed = [*xy, xy[0]]
            chart.add_scatter(
                x=[-y for _, y in closed], y=[x for x, _ in closed], mode="lines", fill="toself", opacity=0.25,
                line={"color": "#059669", "width": 1}, showlegend=False, hoverinfo="skip",
            )  # fmt: skip
    for command in list(dict.fromkeys(row["command"] for row in good))[:8]:
        own = [row for row in good if row["command"] == command]
        chart.add_scatter(
            x=[-row["target_y"] for row in own], y=[row["target_x"] for row in own], mode="lines+markers",
            name=command if len(command) < 60 else command[:58] + "…", line={"width": 1},
            marker={"size": [8 if row["target_confirmed"] else 4 for row in own]},
            text=[f"frame {row['frame']}" for row in own],
        )  # fmt: skip
    chart.add_scatter(
        x=[0], y=[0], mode="markers", name="vehicle", marker={"symbol": "triangle-up", "size": 16, "color": "#111827"}
    )
    return chart
