# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Lost messages: counted by their publisher's numbers, and against `camera_info`."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Mapping
from typing import Any

_SECONDS, _FEWEST_S, _FEWEST_INFOS = 10, 3, 10
_ENOUGH = 0.7  # of the frames; a busy machine loses some


class Gaps:
    """Counts the numbers that a topic's only publisher gave to messages that never came. Not thread-safe.

    Numbers of several publishers cannot be told apart: while there is more than one, and where the middleware gives no
    numbers, nothing is known to be lost.
    """

    def __init__(self) -> None:
        self.lost = 0
        self.numbered = False
        self._last = 0
        self._publishers: Collection[Any] = ()

    def take(self, info: Mapping[str, Any], publishers: Collection[Any]) -> None:
        """Take note of a message by rclpy's information on it and the publishers on its topic now."""
        number = int(info.get("publication_sequence_number") or 0)
        self.numbered = number > 0 and len(publishers) == 1
        if self.numbered and publishers == self._publishers and number > self._last > 0:
            self.lost += number - self._last - 1
        self._last, self._publishers = number, publishers


class FrameLoss:
    """Compares the frames of the last seconds with the `camera_info` beside them. Not thread-safe."""

    def __init__(self) -> None:
        self.infos = self.frames = 0
        self.heard = False  # a camera_info has come since the restart
        self._gaps = Gaps()
        self._publishers: Collection[Any] = ()
        self._seconds: deque[tuple[int, int, int]] = deque(maxlen=_SECONDS + 1)

    @property
    def lost(self) -> int:
        """Number of frames known to be lost."""
        return self._gaps.lost

    def restart(self) -> None:
        """Begin anew to compare; the counts go on."""
        self.heard = False
        self._gaps.take({}, ())
        self._seconds.clear()

    def info(self, _: Mapping[str, Any] | None = None) -> None:
        """Take note of a camera_info."""
        self.infos += 1
        self.heard = True

    def frame(self, info: Mapping[str, Any]) -> None:
        """Take note of a frame by rclpy's information on it."""
        self.frames += 1
        self._gaps.take(info, self._publishers)

    def second(self, publishers: Collection[Any]) -> None:
        """Take note that a second has gone, and of the publishers of frames now."""
        self._publishers = publishers
        self._seconds.append((self.infos, self.frames, self.lost))

    def complaint(self, topic: str) -> str:
        """Return how many frames are missing, in words; empty where they come, or come seldom by intention."""
        if len(self._seconds) <= _FEWEST_S or not self._publishers:
            return ""
        infos, frames, lost = (new - old for old, new in zip(self._seconds[0], self._seconds[-1], strict=True))
        intended = frames and self._gaps.numbered and not lost  # a camera that sends fewer frames than camera_info
        if infos < _FEWEST_INFOS or frames > _ENOUGH * infos or intended:
            return ""
        seconds = len(self._seconds) - 1
        return f"{frames} frames on '{topic}' beside {infos} camera_info in {seconds} s: big messages get lost"
