# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Table and JSON of the bench: measurements, the machine, and whether the goals were reached."""

from __future__ import annotations

import os
import platform
from importlib import metadata
from typing import Any

import cv2
import numpy as np

from ris_node.bench import profile
from ris_node.bench.float32 import Leg
from ris_node.bench.goals import goals
from ris_node.bench.inprocess import Passes, bundle_of
from ris_node.bench.live import Load, summary
from ris_node.bench.measure import SATURATED_HZ, BenchPlan, Measurements
from ris_node.bench.series import Series
from ris_node.bundle.bundle import MANIFEST
from ris_node.hashing import hash_files
from ris_node.report.values import finite, shown
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
- *in float32*: the same again in that precision, where the rest ran in another. The goal for node / bare network was
  set in float32 and is judged there; INT8 makes the network faster and nothing else, so its ratio is larger.
- Ratios are of medians of the same round, then the median over rounds."""


def machine(plan: BenchPlan, device: str) -> dict[str, Any]:
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
        "manifest_sha256": hash_files(bundle.path / MANIFEST),
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


def to_json(outcome: Measurements, about: dict[str, Any]) -> dict[str, Any]:
    """Return everything measured as JSON."""
    ratios: dict[str, dict[str, float | None]] = {}
    for size, bare in outcome.bare.items():
        core = outcome.core[size]
        ratios[size] = {"core/network": finite(core.total.ratio(bare.total))}
        ratios[size]["core/network, CPU"] = finite(core.cpu.ratio(bare.cpu))
        paced = outcome.paced.get(size)
        if paced:
            ratios[size]["node/core"] = finite(paced.end_to_end.ratio(core.total))
            ratios[size]["node/network"] = finite(paced.end_to_end.ratio(bare.total))
            ratios[size]["in node/network"] = finite(paced.stages["total"].ratio(bare.total))
            ratios[size]["node/network, CPU"] = finite(paced.cpu_ms.ratio(bare.cpu))
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
        "gpu": outcome.gpu.to_json(),
        "float32": outcome.float32.to_json() if outcome.float32 else None,
        "goals": [goal.to_json() for goal in goals(outcome)],
    }


def to_markdown(outcome: Measurements, about: dict[str, Any]) -> str:
    """Return the report for people."""
    cells = [_head(about), *_latency_rows(outcome)]
    lines = ["# Bench", "", *cells, "", "| ratio of medians | " + " | ".join(outcome.bare) + " |"]
    lines.append("|---|" + "---:|" * len(outcome.bare))
    ratios = to_json(outcome, about)["ratios"]
    for name in RATIOS:
        row = [shown(ratios[size].get(name), 2) for size in outcome.bare]
        lines.append(f"| {name} | " + " | ".join(row) + " |")
    lines += ["", "| goal | measured | at most | |", "|---|---:|---:|---|"]
    for goal in goals(outcome):
        limit = "" if goal.limit is None else f"{goal.limit:g}"
        lines.append(f"| {goal.name} | {shown(goal.value, 2)} | {limit} | {goal.verdict} |")
    lines += [*profile.lines(outcome), *outcome.gpu.lines()]
    starts = ", ".join(f"{value:.2f}" for value in outcome.starts_s) or "not measured"
    lines += ["", f"Start to READY in s: {starts}. Pace: {outcome.rate_hz:.1f} Hz.", "", LEGEND, ""]
    return "\n".join(lines)


def _passes(passes: Passes) -> dict[str, Any]:
    return {**passes.total.to_json(), "cpu_ms": finite(passes.cpu.p50)}


def _head(about: dict[str, Any]) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in about["versions"].items())
    return (
        f"{about['model']} (`{about['vision_graph']['file']}`, {about['vision_graph']['sha256'][:12]}) on "
        f'{about["device"]}, {about["cores"]} cores; {versions}; command "{about["command"]}"; load average when it '
        f"began {about['load_average']}, scheduling {about['scheduling']}.\n"
    )


def _latency_rows(outcome: Measurements) -> list[str]:
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
    if outcome.float32:
        rows += _float32_rows(outcome.float32)
    rows.append(_in_process("", "bare network, ONNX Runtime's spinning threads", outcome.spinning))
    return rows


def _float32_rows(leg: Leg) -> list[str]:
    """Return the leg that the goal for the ratio is judged by."""
    load = leg.paced
    node = _row(leg.size, "node in float32, stamp to result", load.end_to_end, load.rate_hz, load.cpu_ms.p50, load)
    return [_in_process(leg.size, "bare network in float32", leg.bare), node]


def _in_process(size: str, part: str, passes: Passes) -> str:
    total = passes.total
    return _row(size, part, total, 1e3 / total.p50, passes.cpu.p50)


def _row(size: str, part: str, series: Series, rate: float, cpu_ms: float, load: Load | None = None) -> str:
    numbers = (series.p50, series.p99, rate, cpu_ms)
    cells = [size, part, *(shown(value, 1) for value in numbers)]
    for name in ("node", "camera", "client"):
        shares = load.cpu.get(name, []) if load else []
        cells.append(f"{np.mean(shares):.2f}" if shares else "")
    cells.append(f"{load.rss_mb:.0f}" if load else "")
    return "| " + " | ".join(cells) + " |"
