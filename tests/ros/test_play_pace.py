# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""The time of a played bag: rate, pause, jumps and waits."""

from __future__ import annotations

import threading
import time

import pytest

from ris_node.ros.bag.pace import Pace

NS = 1_000_000_000


class Clock:
    """A steady clock that goes on only when told."""

    def __init__(self) -> None:
        self.now = 50.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_time_runs_at_its_rate_and_stands_still_while_paused(clock: Clock) -> None:
    pace = Pace(100 * NS, 2.0, clock)
    clock.now += 1.5
    assert pace.time_ns() == 103 * NS
    pace.pause()
    clock.now += 10
    assert pace.time_ns() == 103 * NS
    assert pace.late_ms(100 * NS) == 0
    assert not pace.toggle()
    clock.now += 0.5
    assert pace.time_ns() == 104 * NS
    assert pace.late_ms(102 * NS) == pytest.approx(1000.0)


def test_restart_jumps_back_and_keeps_the_pause(clock: Clock) -> None:
    pace = Pace(100 * NS, 1.0, clock)
    clock.now += 5
    pace.restart(100 * NS)
    clock.now += 1
    assert pace.time_ns() == 101 * NS
    pace.pause()
    pace.restart(100 * NS)
    clock.now += 1
    assert pace.time_ns() == 100 * NS
    assert not pace.wait(101 * NS, 0.0)


def test_wait_ends_at_its_time_when_its_patience_ends_and_when_stopped() -> None:
    pace = Pace(0, 10.0)
    begin = time.monotonic()
    assert pace.wait(NS)
    assert time.monotonic() - begin >= 0.099
    assert not pace.wait(1000 * NS, 0.01)
    pace.pause()
    threading.Timer(0.05, pace.stop).start()
    assert not pace.wait(0)
    assert pace.stopped


def test_a_wait_notices_that_time_goes_on() -> None:
    pace = Pace(0, 100.0)
    pace.pause()
    threading.Timer(0.05, pace.pause, [False]).start()
    assert pace.wait(NS, 10.0)
