# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""The camera's stream: the rate gate, jumps of time and the watch for silence."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from ris_node.stamps import NS_PER_S

_JUMP_NS = NS_PER_S // 10  # smaller steps back are frames out of order
_SILENT_PERIODS = 10.0
_SILENT_MIN_S = 1.0


class Take(Enum):
    """Decision on a frame: `JUMP` means that it is taken after everything bound to time was forgotten."""

    YES = "yes"
    JUMP = "jump"
    NO = "no"


class RateGate:
    """Takes at most `max_rate_hz` frames a second by their stamps, and notices stamps that go back.

    Where stamps stand still or are 0, which is none, the arrival counts: a camera without a clock is not refused
    for ever.
    Not thread-safe: belongs to the executor.
    """

    def __init__(self) -> None:
        self._stamp_ns: int | None = None
        self._arrival_s = 0.0
        self._due_s = self._time_s = 0.0

    def take(self, stamp_ns: int, arrival_s: float, max_rate_hz: float) -> Take:
        """Decide on a frame with this stamp that arrived at `arrival_s` (monotonic seconds)."""
        last_ns = self._stamp_ns
        jumped = last_ns is not None and 0 < stamp_ns < last_ns - _JUMP_NS
        if last_ns is None or jumped:
            self._due_s = self._time_s = 0.0
        else:
            step_s = (stamp_ns - last_ns) / NS_PER_S if stamp_ns and last_ns else 0.0
            # a stream time that only ever moves on: by stamps, or by the clock where they do not move
            self._time_s += step_s if step_s > 0.0 else (arrival_s - self._arrival_s if step_s == 0.0 else 0.0)
        self._stamp_ns, self._arrival_s = stamp_ns or last_ns or 0, arrival_s
        if max_rate_hz <= 0.0:
            return Take.JUMP if jumped else Take.YES
        period_s = 1.0 / max_rate_hz
        # a tenth of a period of patience: jitter must not turn 10 Hz of a 30 Hz camera into 7.5 Hz
        if self._time_s < self._due_s - period_s / 10.0:
            return Take.NO
        # a frame that comes late may be followed early by up to a period, so that the average holds
        self._due_s = max(self._due_s, self._time_s - period_s) + period_s
        return Take.JUMP if jumped else Take.YES


@dataclass
class SilenceWatch:
    """Notices a camera that stops and one that returns; times are monotonic seconds. Not thread-safe."""

    _since_s: float = 0.0
    _last_s: float | None = None
    _period_s: float = 0.0

    def start(self, now_s: float) -> None:
        """Begin to wait for frames."""
        self._since_s, self._last_s, self._period_s = now_s, None, 0.0

    def frame(self, now_s: float) -> None:
        """Take note of a frame."""
        if self._last_s is not None:
            step_s = now_s - self._last_s
            if not self._period_s:
                self._period_s = step_s
            elif step_s < _SILENT_PERIODS * self._period_s:  # a gap is no period
                self._period_s += 0.1 * (step_s - self._period_s)
        self._last_s = now_s

    @property
    def fresh(self) -> bool:
        """Whether no frame has come yet."""
        return self._last_s is None

    def complaint(self, now_s: float, topic: str, publishers: Callable[[str], int]) -> str:
        """Return why frames are missing, in words; empty while they come. `publishers` counts those of a topic."""
        quiet_s = now_s - (self._since_s if self._last_s is None else self._last_s)
        if quiet_s < max(_SILENT_MIN_S, _SILENT_PERIODS * self._period_s):
            return ""
        count = publishers(topic)
        if count == 0:
            return f"nobody publishes '{topic}': start the camera, or remap the topic"
        so_far = "no frame yet" if self._last_s is None else "no more frames"
        return f"{so_far} on '{topic}' from {count} publisher(s): check the camera and the QoS"
