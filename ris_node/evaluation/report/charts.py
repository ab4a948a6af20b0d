# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""The report's charts, as Plotly figures made from report.json."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ris_node.evaluation.columns import RECALLS, SIZES
from ris_node.evaluation.goals import BASELINE
from ris_node.report.page import COLOURS, figure

Report = Mapping[str, Any]


def series(report: Report) -> list[tuple[str, Mapping[str, Any], str]]:
    """Return the systems with a colour each, the same in every chart: baselines in greys."""
    greys, colours = iter(("#9ca3af", "#d1d5db", "#6b7280")), iter(COLOURS * len(report["bundles"]))
    return [
        (name, own, next(greys, "#4b5563") if name.startswith(BASELINE) else next(colours))
        for name, own in report["bundles"].items()
    ]


def bars(report: Report, rows: Sequence[str], metric: str, title: str) -> Any:
    """Return a chart of a metric of some rows, the systems side by side, with intervals."""
    chart = figure(title, barmode="group", yaxis={"range": [0, 1]})
    for name, own, colour in series(report):
        table = {r["name"]: r for r in own["rows"]}
        values = [table.get(row, {}).get(metric) for row in rows]
        spans = [own["intervals"].get(row, {}).get(metric) for row in rows]
        up = [s[1] - v if s and v is not None else 0 for s, v in zip(spans, values, strict=True)]
        down = [v - s[0] if s and v is not None else 0 for s, v in zip(spans, values, strict=True)]
        error = {"type": "data", "array": up, "arrayminus": down, "thickness": 1, "width": 3}
        chart.add_bar(name=name, x=list(rows), y=values, error_y=error, marker_color=colour)
    return chart


def kinds_of(report: Report, metric: str) -> list[str]:
    """Return the kinds of expression that have a metric."""
    kinds = dict.fromkeys(kind for own in report["sets"].values() for kind in own["kinds"])
    first = next(iter(report["bundles"].values()))
    return [r["name"] for r in first["rows"] if r["name"] in kinds and r.get(metric) is not None]


def sizes_of(report: Report) -> list[str]:
    """Return the rows by size that are there."""
    first = next(iter(report["bundles"].values()))
    here = {r["name"] for r in first["rows"]}
    return [label for label, _, _ in SIZES if label in here]


def reliability(report: Report) -> Any:
    """Return a chart of the share that is present against the presence given, in bins."""
    chart = _with_diagonal("Reliability", "mean presence", "share that is present")
    for name, own, colour in series(report):
        row = own["rows"][0]
        n, x, y = ([b[k] for b in own["reliability"]] for k in range(3))
        label = f"{name} (ECE {row['ece']:.3f})" if row.get("ece") is not None else name
        hover = "presence %{x:.2f}, present %{y:.2f}, %{customdata} items"
        style = {"mode": "lines+markers", "marker_color": colour, "hovertemplate": hover}
        chart.add_scatter(x=x, y=y, customdata=n, name=label, **style)
    return chart


def roc(report: Report) -> Any:
    """Return a chart of true against false positives of presence."""
    chart = _with_diagonal("ROC of presence", "absent, said present", "present, said present")
    for name, own, colour in series(report):
        area = own["roc"]["area"]
        x, y = ([p[n] for p in own["roc"]["points"]] for n in (0, 1))
        label = name if area is None else f"{name} (AUC {area:.3f})"
        chart.add_scatter(x=x, y=y, name=label, mode="lines", line_color=colour)
    return chart


def recall(report: Report) -> Any | None:
    """Return a chart of recall at k of the region's map; None where no system has one."""
    title = "Region map: recall at k (k = 1: Pointing Game)"
    chart = figure(title, xaxis={"type": "log", "title": "k pixels"}, yaxis={"range": [0, 1]})
    for name, own, colour in series(report):
        row = own["rows"][0]
        known = [k for k in RECALLS if row.get(f"recall_{k}") is not None]
        if known:
            y = [row[f"recall_{k}"] for k in known]
            chart.add_scatter(x=known, y=y, name=name, mode="lines+markers", marker_color=colour)
    return chart if chart.data else None


def _with_diagonal(title: str, x: str, y: str) -> Any:
    """Return a square of shares with its diagonal, along which both axes agree."""
    axes = {"range": [-0.02, 1.02], "constrain": "domain"}
    chart = figure(title, xaxis={"title": x, **axes}, yaxis={"title": y, **axes})
    line = {"color": "#cbd5e1", "dash": "dot"}
    chart.add_scatter(x=[0, 1], y=[0, 1], mode="lines", line=line, showlegend=False, hoverinfo="skip")
    return chart
