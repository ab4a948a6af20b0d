# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Doctor's live check: two processes, one sends camera-sized frames over the middleware, one counts them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from typing import Any

PROBE = "ris_node.ros.doctor_probe"


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
    probes = [_start(role, options) for role in ("receive", "send")]
    try:
        answers = [_finish(probe, timeout_s) for probe in probes]
    finally:
        for probe in probes:
            if probe.poll() is None:
                probe.kill()
                probe.wait()
    error = next((answer["error"] for answer in answers if "error" in answer), "")
    if error:
        return LiveResult(error=error)
    received, sent = answers
    return LiveResult(sent["sent"], received["received"], received["median_ms"] or float("nan"))


def _start(role: str, options: list[str]) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", PROBE, role, *options]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


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
