# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import threading
import time

import pytest

from ris_node.ros.node.worker import Worker
from ris_node.sensing.stream import RateGate, SilenceWatch, Take

NS = 1_000_000_000


def until(condition, timeout_s: float = 10.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.002)


class Held:
    """A worker whose frames wait until they are let go."""

    def __init__(self, **options) -> None:
        self.go = threading.Semaphore(0)
        self.seen: list[tuple[int, int]] = []
        self.errors: list[Exception] = []
        self.worker: Worker[int] = Worker(self.process, self.errors.append, **options)

    def process(self, job: int, dropped: int) -> bool:
        self.go.acquire()
        self.seen.append((job, dropped))
        if job < 0:
            raise ValueError("negative")
        return job % 2 == 0

    def identity(self) -> None:
        c = self.worker.counters
        assert c.received == c.processed + c.dropped + c.waiting

    def busy(self) -> None:
        until(lambda: self.worker.counters.waiting == 1 and not self.worker._frames)


def test_the_newest_frame_wins_and_the_drops_are_told():
    held = Held()
    held.worker.offer(0)
    held.busy()
    for job in (2, 4, 6, 8):
        held.worker.offer(job)
        held.identity()
    held.go.release(2)
    until(lambda: len(held.seen) == 2)
    assert held.seen == [(0, 0), (8, 3)]
    until(lambda: held.worker.counters.waiting == 0)
    held.identity()
    assert held.worker.counters.dropped == 3
    assert held.worker.stop()


def test_a_queue_keeps_all_up_to_its_capacity():
    held = Held(capacity=3)
    held.worker.offer(0)
    held.busy()
    for job in (2, 4, 6, 8):
        held.worker.offer(job)
    held.go.release(10)
    until(lambda: len(held.seen) == 4)
    assert held.seen == [(0, 0), (4, 1), (6, 0), (8, 0)]
    held.worker.stop()


def test_unanswered_refused_and_failing_frames_are_counted():
    held = Held()
    held.go.release(100)
    held.worker.offer(1)  # process says that it left it unanswered
    until(lambda: held.worker.counters.waiting == 0)
    held.worker.refuse()
    held.worker.offer(-2)
    until(lambda: held.errors)
    until(lambda: held.worker.counters.waiting == 0)
    counters = held.worker.counters
    assert (counters.received, counters.processed, counters.dropped) == (3, 1, 2)
    assert held.seen[-1] == (-2, 2) and isinstance(held.errors[0], ValueError)
    held.worker.stop()


def test_tasks_run_on_the_worker_between_frames():
    held = Held()
    held.worker.offer(0)
    held.busy()
    held.worker.offer(2)
    order: list[object] = []
    done = held.worker.submit(lambda: order.append((threading.current_thread().name, len(held.seen))) or "value")
    wrong = held.worker.submit(lambda: 1 / 0)
    held.go.release(2)
    assert done.result(5) == "value" and order == [("grounding", 1)]
    assert isinstance(wrong.exception(5), ZeroDivisionError)
    held.worker.stop()


def test_a_stopped_worker_takes_no_more_and_its_thread_is_gone():
    held = Held()
    held.go.release(10)
    held.worker.offer(0)
    until(lambda: held.worker.counters.waiting == 0)
    assert held.worker.stop()
    held.worker.offer(2)
    held.identity()
    assert isinstance(held.worker.submit(lambda: 1).exception(1), RuntimeError)
    assert not held.worker._thread.is_alive()


def test_counters_add_up_at_every_moment_under_load():
    worker: Worker[int] = Worker(lambda job, dropped: job % 3 != 0, lambda error: None)
    wrong: list[object] = []
    stop = threading.Event()

    def watch() -> None:
        while not stop.is_set():
            c = worker.counters
            if c.received != c.processed + c.dropped + c.waiting:
                wrong.append(c)

    watcher = threading.Thread(target=watch)
    watcher.start()
    senders = [threading.Thread(target=lambda: [worker.offer(i) for i in range(3000)]) for _ in range(3)]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    until(lambda: worker.counters.waiting == 0)
    stop.set()
    watcher.join()
    assert not wrong and worker.counters.received == 9000
    assert worker.stop()


@pytest.mark.parametrize(("camera_hz", "limit_hz", "want_hz"), [(30, 10, 10), (30, 20, 20), (30, 0, 30), (30, 60, 30)])
def test_the_rate_is_kept_by_stamp_in_spite_of_jitter(camera_hz: float, limit_hz: float, want_hz: float):
    gate = RateGate()
    jitter = [0.0, 1.5e6, -2e6, 0.5e6, -0.7e6]
    taken = [
        gate.take(int(i * NS / camera_hz + jitter[i % 5]) + NS, i * 1e-4, limit_hz) is Take.YES
        for i in range(camera_hz * 20)
    ]
    assert sum(taken) / 20 == pytest.approx(want_hz, rel=0.02)


def test_stamps_that_stand_still_are_rated_by_their_arrival():
    gate = RateGate()
    taken = [gate.take(NS, i / 30, 10.0) is Take.YES for i in range(300)]
    assert sum(taken) / 10 == pytest.approx(10, abs=0.5)


def test_stamps_that_go_back_are_noticed_and_never_starve():
    gate = RateGate()
    assert gate.take(100 * NS, 0.0, 10.0) is Take.YES
    assert gate.take(5 * NS, 0.01, 10.0) is Take.JUMP
    assert gate.take(5 * NS + NS // 30, 0.04, 10.0) is Take.NO
    assert gate.take(5 * NS + NS // 9, 0.12, 10.0) is Take.YES
    # a stamp of 0 among others is none, and no jump in time
    assert gate.take(0, 0.25, 10.0) is Take.YES and gate.take(0, 0.26, 10.0) is Take.NO
    assert gate.take(5 * NS + NS // 3, 0.36, 10.0) is Take.YES
    # out of order by a little is no jump in time either
    assert gate.take(5 * NS + NS // 3 - NS // 50, 0.37, 0.0) is Take.YES


def test_a_camera_that_stops_and_returns():
    watch = SilenceWatch()
    watch.start(0.0)
    assert watch.complaint(0.5, "image", lambda _: 0) == ""
    assert "nobody publishes 'image'" in watch.complaint(1.5, "image", lambda _: 0)
    assert "no frame yet" in watch.complaint(1.5, "image", lambda _: 1)
    for i in range(30):
        watch.frame(2.0 + i / 30)
    assert watch.complaint(3.5, "image", lambda _: 1) == ""
    assert "no more frames on 'image'" in watch.complaint(4.5, "image", lambda _: 1)
    watch.frame(5.0)
    assert watch.complaint(5.5, "image", lambda _: 1) == ""


def test_a_slow_camera_is_not_called_silent():
    watch = SilenceWatch()
    watch.start(0.0)
    for i in range(5):
        watch.frame(2.0 * i)
    assert watch.complaint(13.0, "image", lambda _: 1) == "" and watch.complaint(30.0, "image", lambda _: 1)
