# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""The bench's table and JSON: what was measured, on what, and whether the goals were reached."""

from __future__ import annotations

import hashlib
import os
import platform
from dataclasses import dataclass
from importlib import metadata
from typing import Any

import cv2
import numpy as np

from ris_node.bench import profile
from ris_node.bench.inprocess import Passes, bundle_of
from ris_node.bench.live import Load, summary
from ris_node.bench.measure import SATURATED_HZ, Outcome, Plan
from ris_node.bench.series import Series, clean
from ris_node.bundle.bundle import MANIFEST
from ris_node.runtime.select import graph_file

RATIOS = (
    "core/network",
    "node/core",
    "node/network",
    "in node/network",
    "core/network, CPU",
    "node/network, CPU",
)
STAGES = ("total", "cpu", "preprocess", "inference", "postprocess")
GOAL_SIZE = "640x480"
GOAL_RATIO, GOAL_RSS_MB, GOAL_READY_S = 1.6, 700.0, 5.0
GOAL_FRAME_MS, GOAL_P99_MS, GOAL_INT8, GOAL_CLIPSEG = 40.0, 80.0, 2.2, 6.0

LEGEND = """What is measured:
- *bare network*: the bundle's vision graph on ONNX Runtime with the node's own session options, back to back.
- *core*: `Grounder.ground` of a frame with a known camera and a command that was encoded before, back to back.
- *node, in the node*: from the start of work on a frame (decode) to its answer, by the node's own clock.
- *node, stamp to result*: from the camera's stamp, taken as it publishes, to the result's arrival at the client: two
  ways over DDS and everything in between. Frames come at a pace at which none waits for another. **This is the one that
  is compared with the bare network.** The client also takes the label mask of every frame.
- *node at 60 Hz*: frames faster than they can be answered; the newest wins. Latency then includes waiting.
- CPU ms is processor time for each answer, all threads; it hardly depends on what else the machine does.
- CPU of node, camera and client is in cores (1.0: one core busy
  all the time); RSS is the node's largest resident memory, shared memory included.
- Ratios are of medians of the same round, then the median over rounds."""


@dataclass(frozen=True)
class Goal:
    """One number to reach: `value` at most `limit`; NaN was not measured."""

    name: str
    value: float
    limit: float

    @property
    def reached(self) -> bool | None:
        """Whether it was reached; None where nothing was measured."""
        return None if np.isnan(self.value) else self.value <= self.limit


def goals(outcome: Outcome) -> tuple[Goal, ...]:
    """Return the project's goals at 640x480 with what was measured."""
    nothing = float("nan")
    paced, bare = outcome.paced.get(GOAL_SIZE), outcome.bare.get(GOAL_SIZE)
    ratio = paced.end_to_end.ratio(bare.total) if paced and bare else nothing
    rss = max((load.rss_mb for load in (*outcome.paced.values(), *outcome.saturated.values())), default=nothing)
    return (
        Goal(f"node / bare network, p50, {GOAL_SIZE}", ratio, GOAL_RATIO),
        Goal("node's RSS in MB, all sizes", rss, GOAL_RSS_MB),
        Goal("start to READY in s, slowest", max(outcome.starts_s, default=nothing), GOAL_READY_S),
        *_speed_goals(outcome),
    )


def _speed_goals(outcome: Outcome) -> tuple[Goal, ...]:
    """What INT8 is for; only where it runs, or networks were compared."""
    found = []
    paced, full = outcome.paced.get(GOAL_SIZE), outcome.saturated.get(GOAL_SIZE)
    if outcome.precision == "int8" and paced and full:
        found.append(Goal(f"ms a frame through the whole node, {GOAL_SIZE}", 1e3 / full.rate_hz, GOAL_FRAME_MS))
        found.append(Goal(f"stamp to result, p99 in ms, {GOAL_SIZE}", paced.end_to_end.p99, GOAL_P99_MS))
    if outcome.networks:
        own = "int8" if any(one.name == "int8" and not one.failed for one in outcome.networks) else "fp32"
        int8 = profile.ratio(outcome, "int8", "fp32")
        found.append(Goal("INT8's share of float32's time", int8, 1 / GOAL_INT8))
        found.append(Goal("share of CLIPSeg's time", profile.ratio(outcome, own, "clipseg"), 1 / GOAL_CLIPSEG))
    return tuple(found)


def machine(plan: Plan, device: str) -> dict[str, Any]:
    """Return what the numbers depend on: processor, versions, threads, bundle."""
    bundle = bundle_of(plan.config)
    file = graph_file(bundle, "vision", plan.config.precision)
    versions = {"python": platform.python_version(), "numpy": np.__version__, "opencv": cv2.__version__}
    for name in ("onnxruntime", "psutil", "ros-rclpy"):
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return {
        "device": device,
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "kernel": platform.release(),
        "ros": os.environ.get("ROS_DISTRO", "wheels" if "ros-rclpy" in versions else ""),
        "dds_profile": bool(os.environ.get("FASTRTPS_DEFAULT_PROFILES_FILE")),
        "versions": versions,
        "num_threads": plan.config.num_threads,
        "model": bundle.manifest.model_id,
        "vision_graph": {"file": file, "sha256": bundle.manifest.files[file].sha256},
        "manifest_sha256": hashlib.sha256((bundle.path / MANIFEST).read_bytes()).hexdigest(),
        "command": plan.text,
        "scheduling": _scheduling(),
        "load_average": [round(value, 2) for value in os.getloadavg()] if hasattr(os, "getloadavg") else None,
    }


def _scheduling() -> str:
    """Return how the bench's processes are scheduled: real time keeps other programs out of the latencies."""
    if not hasattr(os, "sched_getscheduler"):
        return "unknown"
    policy = os.sched_getscheduler(0)
    if policy in (os.SCHED_RR, os.SCHED_FIFO):
        return "real time"
    return f"normal, nice {os.nice(0)}"


def to_json(outcome: Outcome, about: dict[str, Any]) -> dict[str, Any]:
    """Return everything measured as JSON."""
    ratios: dict[str, dict[str, float | None]] = {}
    for size, bare in outcome.bare.items():
        core = outcome.core[size]
        ratios[size] = {"core/network": clean(core.total.ratio(bare.total))}
        ratios[size]["core/network, CPU"] = clean(core.cpu.ratio(bare.cpu))
        paced = outcome.paced.get(size)
        if paced:
            ratios[size]["node/core"] = clean(paced.end_to_end.ratio(core.total))
            ratios[size]["node/network"] = clean(paced.end_to_end.ratio(bare.total))
            ratios[size]["in node/network"] = clean(paced.stages["total"].ratio(bare.total))
            ratios[size]["node/network, CPU"] = clean(paced.cpu_ms.ratio(bare.cpu))
    return {
        "machine": about,
        "bare_network": {size: _passes(series) for size, series in outcome.bare.items()},
        "bare_network_spinning": _passes(outcome.spinning),
        "core": {
            size: {
                **{
                    name: getattr(core, name).to_json()
                    for name in ("total", "cpu", "preprocess", "inference", "postprocess")
                },
                "statuses": core.statuses,
            }
            for size, core in outcome.core.items()
        },
        "pace_hz": round(outcome.rate_hz, 2),
        "node_paced": {size: summary(load) for size, load in outcome.paced.items()},
        "node_at_60_hz": {size: summary(load) for size, load in outcome.saturated.items()},
        "ratios": ratios,
        **profile.to_json(outcome),
        "start_to_ready_s": [round(value, 2) for value in outcome.starts_s],
        "goals": [
            {"goal": g.name, "measured": clean(g.value), "at_most": g.limit, "reached": g.reached}
            for g in goals(outcome)
        ],
    }


def to_markdown(outcome: Outcome, about: dict[str, Any]) -> str:
    """Return the report for people."""
    cells = [_head(about), *_latency_rows(outcome)]
    lines = ["# Bench", "", *cells, "", "| ratio of medians | " + " | ".join(outcome.bare) + " |"]
    lines.append("|---|" + "---:|" * len(outcome.bare))
    ratios = to_json(outcome, about)["ratios"]
    for name in RATIOS:
        row = [_number(ratios[size].get(name), 2) for size in outcome.bare]
        lines.append(f"| {name} | " + " | ".join(row) + " |")
    lines += ["", "| goal | measured | at most | |", "|---|---:|---:|---|"]
    for goal in goals(outcome):
        word = {True: "reached", False: "**missed**", None: "not measured"}[goal.reached]
        lines.append(f"| {goal.name} | {_number(clean(goal.value), 2)} | {goal.limit:g} | {word} |")
    lines += profile.lines(outcome)
    starts = ", ".join(f"{value:.2f}" for value in outcome.starts_s) or "not measured"
    lines += ["", f"Start to READY in s: {starts}. Pace: {outcome.rate_hz:.1f} Hz.", "", LEGEND, ""]
    return "\n".join(lines)


def _passes(passes: Passes) -> dict[str, Any]:
    return {**passes.total.to_json(), "cpu_ms": clean(passes.cpu.p50)}


def _head(about: dict[str, Any]) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in about["versions"].items())
    return (
        f"{about['model']} (`{about['vision_graph']['file']}`, {about['vision_graph']['sha256'][:12]}) on "
        f'{about["device"]}, {about["cores"]} cores; {versions}; command "{about["command"]}"; load average when it '
        f"began {about['load_average']}, scheduling {about['scheduling']}.\n"
    )


def _latency_rows(outcome: Outcome) -> list[str]:
    head = "| size | part | p50 ms | p99 ms | frames/s | CPU ms | CPU node | CPU camera | CPU client | RSS MB |"
    rows = [head, "|---|---|" + "---:|" * 8]
    for size, bare in outcome.bare.items():
        rows.append(_in_process(size, "bare network", bare))
        rows.append(_in_process(size, "core", outcome.core[size]))
        paced, full = outcome.paced.get(size), outcome.saturated.get(size)
        if paced and full:
            nothing = float("nan")
            rows.append(_row(size, "node, in the node", paced.stages["total"], paced.rate_hz, nothing))
            rows.append(_row(size, "node, stamp to result", paced.end_to_end, paced.rate_hz, paced.cpu_ms.p50, paced))
            rows.append(_row(size, "node, stamp to label mask", paced.mask, paced.rate_hz, nothing))
            name = f"node at {SATURATED_HZ:g} Hz"
            rows.append(_row(size, name, full.end_to_end, full.rate_hz, full.cpu_ms.p50, full))
    rows.append(_in_process("", "bare network, ONNX Runtime's spinning threads", outcome.spinning))
    return rows


def _in_process(size: str, part: str, passes: Passes) -> str:
    total = passes.total
    return _row(size, part, total, 1e3 / total.p50, passes.cpu.p50)


def _row(size: str, part: str, series: Series, rate: float, cpu_ms: float, load: Load | None = None) -> str:
    numbers = (series.p50, series.p99, rate, cpu_ms)
    cells = [size, part, *(_number(clean(value), 1) for value in numbers)]
    for name in ("node", "camera", "client"):
        shares = load.cpu.get(name, []) if load else []
        cells.append(f"{np.mean(shares):.2f}" if shares else "")
    cells.append(f"{load.rss_mb:.0f}" if load else "")
    return "| " + " | ".join(cells) + " |"


def _number(value: float | None, digits: int) -> str:
    return "-" if value is None else f"{value:.{digits}f}"
