# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""The time of a bag that is played: runs at a rate, stands still, jumps back; safe to use from several threads."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable

from ris_node.stamps import NS_PER_S


class Pace:
    """Maps the steady clock to a bag's time in nanoseconds.

    Args:
        start_ns: the bag's time to begin with.
        rate: seconds of the bag in a second.
        now: the steady clock in seconds.
    """

    def __init__(self, start_ns: int, rate: float = 1.0, now: Callable[[], float] = time.monotonic) -> None:
        self._rate, self._now = rate, now
        self._changed = threading.Condition()
        self._from_ns, self._from_s = start_ns, now()
        self._paused = self._stopped = False

    @property
    def paused(self) -> bool:
        """Whether time stands still."""
        return self._paused

    def time_ns(self) -> int:
        """Return the bag's time now."""
        with self._changed:
            return self._time_ns()

    def restart(self, at_ns: int) -> None:
        """Go to a time of the bag, also back; standing still, it stays so."""
        with self._changed:
            self._from_ns, self._from_s = at_ns, self._now()
            self._changed.notify_all()

    def pause(self, on: bool = True) -> None:
        """Let time stand still, or go on from where it stood."""
        with self._changed:
            self._from_ns, self._from_s = self._time_ns(), self._now()
            self._paused = on
            self._changed.notify_all()

    def toggle(self) -> bool:
        """Pause, or go on; returns whether time stands still now."""
        self.pause(not self._paused)
        return self._paused

    def stop(self) -> None:
        """End every wait at once and for good."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()

    @property
    def stopped(self) -> bool:
        """Whether `stop` was called."""
        return self._stopped

    def wait(self, until_ns: int, patience_s: float = math.inf) -> bool:
        """Wait until the bag's time is `until_ns`, for at most `patience_s` seconds; whether it is."""
        end = self._now() + patience_s
        with self._changed:
            while not self._stopped:
                due = math.inf if self._paused else (until_ns - self._time_ns()) / NS_PER_S / self._rate
                left = min(due, end - self._now())
                if left <= 0:
                    break
                # as long as a condition can wait; what is longer is waited for again
                self._changed.wait(min(left, threading.TIMEOUT_MAX))
            return not self._paused and self._time_ns() >= until_ns

    def late_ms(self, at_ns: int) -> float:
        """Return by how many real milliseconds a time of the bag is overdue."""
        with self._changed:
            return 0.0 if self._paused else max(0.0, (self._time_ns() - at_ns) / 1e6 / self._rate)

    def _time_ns(self) -> int:
        if self._paused:
            return self._from_ns
        return self._from_ns + round((self._now() - self._from_s) * self._rate * NS_PER_S)
