# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""What the node measures about itself, and how it says so on `/diagnostics`."""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue

from ris_node.errors import printable
from ris_node.pipeline.grounding import Grounding
from ris_node.ros.node.worker import Counters
from ris_node.ros.outputs.status import NodeState, Report
from ris_node.types import Timing

_WINDOW = 120  # frames


@dataclass(frozen=True)
class Reading:
    """The meter at one moment: per-stage (p50, p99) in ms, answered frames a second, and what went wrong last."""

    stages: Mapping[str, tuple[float, float]]
    rate_hz: float
    errors: int
    last_error: str
    too_old: int
    back: int
    zero: int
    statuses: Mapping[str, int]


class Meter:
    """Collects timings and verdicts of the frames since the model was configured. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._begin()

    def restart(self) -> None:
        """Forget all, as the worker's counters do: another model may answer from now on."""
        with self._lock:
            self._begin()

    def _begin(self) -> None:
        self._timings: deque[Timing] = deque(maxlen=_WINDOW)
        self._moments: deque[float] = deque(maxlen=_WINDOW)
        self._publish_ms: deque[float] = deque(maxlen=_WINDOW)
        self._statuses: dict[str, int] = {}
        self._errors = self._too_old = self._back = self._zero = 0
        self._last_error = ""

    def answered(self, grounding: Grounding) -> None:
        """Take a frame that was answered."""
        with self._lock:
            self._timings.append(grounding.timing)
            self._moments.append(time.monotonic())
            name = grounding.status.name
            self._statuses[name] = self._statuses.get(name, 0) + 1

    def publish_ms(self, milliseconds: float) -> None:
        """Take the time that publishing an answer took."""
        with self._lock:
            self._publish_ms.append(milliseconds)

    def failed(self, message: str) -> None:
        """Take a frame that could not be used."""
        with self._lock:
            self._errors += 1
            self._last_error = message

    def too_old(self, age_ms: float) -> None:
        """Take a frame that was left alone because of its age."""
        with self._lock:
            self._too_old += 1
            self._last_error = f"a frame was {age_ms / 1e3:.2f} s old, more than max_frame_age_s"

    def went_back(self) -> None:
        """Take a frame whose stamp lies before that of the frame before it."""
        with self._lock:
            self._back += 1

    def unstamped(self) -> None:
        """Take a frame whose stamp is 0."""
        with self._lock:
            self._zero += 1

    def read(self) -> Reading:
        """Summarise the last frames."""
        with self._lock:
            timings, moments = list(self._timings), list(self._moments)
            publish_ms = list(self._publish_ms)
            errors, last_error, too_old = self._errors, self._last_error, self._too_old
            back, zero = self._back, self._zero
            statuses = dict(self._statuses)
        columns = {f.name: [getattr(t, f.name) for t in timings] for f in fields(Timing)}
        columns["publish"] = publish_ms
        stages = {name: _percentiles(values) for name, values in columns.items()}
        recent = [moment for moment in moments if moment > time.monotonic() - 5.0]
        span = recent[-1] - recent[0] if len(recent) > 1 else 0.0
        rate_hz = (len(recent) - 1) / span if span > 0.0 else 0.0
        return Reading(stages, rate_hz, errors, last_error, too_old, back=back, zero=zero, statuses=statuses)


def _percentiles(values: list[float]) -> tuple[float, float]:
    known = np.array([value for value in values if not math.isnan(value)])
    if not known.size:
        return float("nan"), float("nan")
    p50, p99 = np.percentile(known, (50, 99))
    return float(p50), float(p99)


_LEVELS = {
    NodeState.READY: DiagnosticStatus.OK,
    NodeState.FAULT: DiagnosticStatus.ERROR,
    NodeState.DEGRADED: DiagnosticStatus.WARN,
}


def diagnostic_array(
    name: str, stamp: Any, report: Report, counters: Counters, reading: Reading, extra: Mapping[str, str]
) -> Any:
    """A `diagnostic_msgs/DiagnosticArray` with one status for the node.

    Args:
        name: the node's full name.
        stamp: of the message.
        report: state, model and what is degraded.
        counters: of frames.
        reading: latency and verdicts.
        extra: further keys, such as what is not installed.
    """
    state = report.shown
    values = {"state": state.name, **_model_values(report), **_frame_values(counters, reading), **extra}
    status = DiagnosticStatus(
        level=DiagnosticStatus.WARN if report.waiting else _LEVELS.get(state, DiagnosticStatus.OK),
        name=f"{name.lstrip('/')}: grounding",
        message=printable(report.shortfall or report.waiting or report.message or report.state.name.lower()),
        hardware_id=report.info.device if report.info else "",
        values=[KeyValue(key=key, value=printable(value)) for key, value in values.items()],
    )
    array = DiagnosticArray(status=[status])
    array.header.stamp = stamp
    return array


def _model_values(report: Report) -> dict[str, str]:
    info, query = report.info, report.query
    return {
        "model": report.model_id,
        "backend": info.backend if info else "",
        "provider": info.provider if info else "",
        "precision": info.precision if info else "",
        "engine_key": info.engine_key if info else "",
        "query": query.query.text if query else "",
        "query_id": query.query.id if query else "",
    }


def _frame_values(counters: Counters, reading: Reading) -> dict[str, str]:
    return {
        "received": str(counters.received),
        "processed": str(counters.processed),
        "dropped": str(counters.dropped),
        "waiting": str(counters.waiting),
        "rate_hz": f"{reading.rate_hz:.1f}",
        **{f"{stage}_ms": f"p50 {p50:.1f} p99 {p99:.1f}" for stage, (p50, p99) in reading.stages.items()},
        **{f"answers_{status}": str(count) for status, count in sorted(reading.statuses.items())},
        "bad_frames": str(reading.errors),
        "too_old": str(reading.too_old),
        "stamps_back": str(reading.back),
        "stamps_zero": str(reading.zero),
        "last_problem": reading.last_error,
    }
