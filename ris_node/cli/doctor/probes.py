# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Doctor's probes: processes of their own that use rclpy and answer with one JSON object."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

PROBE, LOOK = "ris_node.ros.tools.doctor_probe", "ris_node.ros.tools.doctor_look"


@dataclass(frozen=True)
class LiveResult:
    """Frames sent and received, their median way in milliseconds (NaN without any), and what went wrong."""

    sent: int = 0
    received: int = 0
    median_ms: float = float("nan")
    error: str = ""


def measure(width: int, height: int, frames: int = 30, rate_hz: float = 15.0, timeout_s: float = 40.0) -> LiveResult:
    """Send `frames` raw RGB frames of this size, best effort, and count what a second process gets."""
    options = [f"/ris_doctor_{os.getpid()}", str(width), str(height), str(frames), str(rate_hz)]
    answers = _run([[PROBE, "receive", *options], [PROBE, "send", *options]], timeout_s)
    error = next((answer["error"] for answer in answers if "error" in answer), "")
    if error:
        return LiveResult(error=error)
    received, sent = answers
    return LiveResult(sent["sent"], received["received"], received["median_ms"] or float("nan"))


def look_at_camera(topic: str, info_topic: str, seconds: float) -> dict[str, Any]:
    """Return what `ris_node.ros.tools.doctor_look` received of a camera; with "error" when it failed."""
    return _run([[LOOK, topic, info_topic, str(seconds)]], 3 * seconds + 20.0)[0]


def _run(modules: Sequence[Sequence[str]], timeout_s: float) -> list[dict[str, Any]]:
    """Run modules beside each other and return their answers; none is left running."""
    probes = [
        subprocess.Popen([sys.executable, "-m", *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for words in modules
    ]
    try:
        return [_finish(probe, timeout_s) for probe in probes]
    finally:
        for probe in probes:
            if probe.poll() is None:
                probe.kill()
                probe.wait()


def _finish(probe: subprocess.Popen[str], timeout_s: float) -> dict[str, Any]:
    """The JSON object that a probe prints last, or what it complained of."""
    try:
        out, err = probe.communicate(timeout=timeout_s)
    except subprocess.TimeoutExpired:
        return {"error": f"no end after {timeout_s:g} s"}
    try:
        answer = json.loads(out.strip().splitlines()[-1])
    except (ValueError, IndexError):
        return {"error": (err.strip().splitlines() or [f"exit code {probe.returncode}"])[-1]}
    return answer if isinstance(answer, dict) else {"error": f"unexpected answer {answer!r}"}
