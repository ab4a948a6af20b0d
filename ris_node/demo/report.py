# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Summary of the demo: latency, and the scores of the answers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ris_node.demo.judge import CommandStats, command_stats, latency
from ris_node.demo.script import Script
from ris_node.report.values import shown


def summary(script: Script, rows: list[dict[str, Any]], rate: float) -> dict[str, Any]:
    """Sum up a run as plain values: per command, overall, and latencies in milliseconds as (p50, p99)."""
    stats = [
        command_stats(step.text, [row for row in rows if row["query_id"] == name])
        for name, step in script.by_id.items()
    ]
    judged = [row["truth"] for row in rows if row.get("truth")]
    ious = [truth["iou"] for truth in judged if truth["iou"] is not None]
    return {
        "model": rows[-1]["model_id"],
        "frames": len(rows),
        "dropped": sum(row["dropped"] for row in rows),
        "rate_hz": round(rate, 2),
        "latency_ms": {key: latency(rows, key) for key in ("inference", "total", "end_to_end")}
        | {"arrival": _arrival(rows)},
        "status_right": sum(truth["right"] for truth in judged) / len(judged) if judged else None,
        "mean_iou": sum(ious) / len(ious) if ious else None,
        "commands": [item.as_row() for item in stats],
    }


def best_row(rows: list[dict[str, Any]], query_id: str) -> dict[str, Any]:
    """Return the answer that stands for a command on the contact sheet: the one at two thirds of its time."""
    own = [row for row in rows if row["query_id"] == query_id]
    return own[len(own) * 2 // 3]


def text(result: dict[str, Any], out: Path) -> str:
    """Set the summary in a table of plain text."""
    lines = ["", f"{'command':44s} {'frames':>6s} {'status right':>12s} {'IoU':>6s} {'off p50 / p90':>14s}  answered"]
    lines += [_line(CommandStats(**row)) for row in result["commands"]]
    times = result["latency_ms"]
    lines += [
        "",
        f"model {result['model']}; {result['frames']} frames at {result['rate_hz']:.1f} Hz, "
        f"{result['dropped']} replaced by newer ones",
        f"latency p50 / p99 in ms: network {_pair(times['inference'])}, node {_pair(times['total'])}, "
        f"from the image's stamp to the answer received {_pair(times['arrival'])}",
    ]
    if result["status_right"] is not None:
        right, iou = _share(result["status_right"]), shown(result["mean_iou"], 2)
        lines.append(f"against the truth: status right {right}, mean mask IoU {iou}")
    files = ", ".join(str(out / name) for name in ("overlay.mp4", "contact_sheet.png", "results.jsonl"))
    lines.append(f"see {files} ({result['seconds']:.0f} s in all)")
    return "\n".join(lines)


def _line(item: CommandStats) -> str:
    """Return one command's row of the table."""
    said = ", ".join(f"{name} {count}" for name, count in sorted(item.statuses.items(), key=lambda pair: -pair[1]))
    goal = "none" if item.goals_wanted else "-"
    if item.goal_error_m is not None and item.goal_error_p90_m is not None:
        goal = f"{item.goal_error_m:.1f} / {item.goal_error_p90_m:.1f} m"
    right, iou = _share(item.right), shown(item.iou, 2)
    return f"{item.text[:44]:44s} {item.frames:6d} {right:>12s} {iou:>6s} {goal:>14s}  {said}"


def _arrival(rows: list[dict[str, Any]]) -> tuple[float, float]:
    return latency([{"timing": {"arrival": row["arrival_ms"]}} for row in rows], "arrival")


def _share(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:.0f} %"


def _pair(times: tuple[float, float]) -> str:
    return f"{times[0]:.0f} / {times[1]:.0f}"
