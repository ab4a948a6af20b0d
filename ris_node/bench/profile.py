# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Breakdown of the time from a frame's stamp to its result, each part beside its best possible time."""

from __future__ import annotations

from typing import Any

from ris_node.bench.measure import Measurements
from ris_node.bench.networks import rows, table
from ris_node.report.values import finite, shown

CHANNELS = 3


def where_time_goes(outcome: Measurements, size: str) -> list[dict[str, Any]]:
    """Return the parts of a paced frame's way with medians and floors in milliseconds; [] without a measurement.

    Floors: a bare echo for DDS and Python, bytes over memory bandwidth for the resize, multiplications over the best
    rate plus weights over bandwidth for the network.
    """
    load = outcome.paced.get(size)
    if load is None or not load.end_to_end.values:
        return []
    stage = {name: series.p50 for name, series in load.stages.items()}
    echo = outcome.echo[size].p50 if size in outcome.echo else float("nan")
    whole = load.end_to_end.p50
    inside = sum(stage[name] for name in ("preprocess", "inference", "postprocess"))
    width, _, height = size.partition("x")
    bandwidth = outcome.best.get("bytes_per_s", float("nan"))
    resize = int(width) * int(height) * CHANNELS / bandwidth * 1e3
    parts = (
        ("network", stage["inference"], _network_floor(outcome)),
        ("decode, resize, border", stage["preprocess"], resize),
        ("masks, instances, goal", stage["postprocess"], float("nan")),
        ("DDS, queues, messages and Python", whole - inside, echo),
    )
    return [
        {"part": name, "ms": finite(value), "share": finite(value / whole), "floor_ms": finite(floor)}
        for name, value, floor in parts
    ]


def lines(outcome: Measurements) -> list[str]:
    """Return both tables as Markdown; empty where neither was measured."""
    found: list[str] = []
    for size in outcome.paced:
        parts = where_time_goes(outcome, size)
        if parts:
            title = (
                f"Where the time goes at {size}, from stamp to result (medians; the floor is what this machine does at "
                "best: bytes over bandwidth, multiplications over peak, a bare echo of the frame):"
            )
            found += ["", title, "", "| part | ms | share | floor ms |", "|---|---:|---:|---:|"]
            for part in parts:
                cells = (shown(part["ms"], 2), shown(part["share"], 2), shown(part["floor_ms"], 2))
                found.append(f"| {part['part']} | " + " | ".join(cells) + " |")
    if outcome.networks:
        best = ", ".join(f"{name.split('_per')[0]} {value / 1e9:.0f} G/s" for name, value in outcome.best.items())
        title = (
            "Network against network, in turn, on the same runtime with the same threads, each at its own input size, "
            f"text encoded before (machine at best: {best}):"
        )
        found += ["", title, ""]
        found += table(rows(outcome.networks, outcome.best))
    return found


def to_json(outcome: Measurements) -> dict[str, Any]:
    """Return both tables as JSON."""
    return {
        "networks": rows(outcome.networks, outcome.best) if outcome.networks else [],
        "machine_at_best": {name: finite(value, 0) for name, value in outcome.best.items()},
        "echo": {size: series.to_json() for size, series in outcome.echo.items()},
        "where_time_goes": {size: where_time_goes(outcome, size) for size in outcome.paced},
    }


def ratio(outcome: Measurements, slower: str, faster: str) -> float:
    """Return the ratio of two networks' times in the same rounds; NaN where either is missing."""
    found = {one.name: one for one in outcome.networks if not one.failed and one.series.values}
    if slower not in found or faster not in found:
        return float("nan")
    return found[slower].series.ratio(found[faster].series)


def _network_floor(outcome: Measurements) -> float:
    name = "int8" if outcome.precision == "int8" else "fp32"
    found = [row for one, row in zip(outcome.networks, rows(outcome.networks, outcome.best), strict=True)
             if one.name == name and not one.failed]  # fmt: skip
    value = found[0]["floor_ms"] if found else None
    return float("nan") if value is None else float(value)
