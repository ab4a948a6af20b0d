# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""One thread that does the heavy work: the newest frame wins, and every frame is accounted for."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

Job = TypeVar("Job")
Result = TypeVar("Result")


@dataclass(frozen=True)
class Counters:
    """Frames so far; `received == processed + dropped + waiting` at every moment."""

    received: int = 0
    processed: int = 0
    dropped: int = 0
    waiting: int = 0


class Worker(Generic[Job]):
    """A thread with a slot for the newest frame (or a queue for all) and a lane for other tasks.

    `process(job, dropped)` is called for each frame with the number of frames dropped since the one before; it
    returns False when it left the frame unanswered (it then counts as dropped); what it raises goes to `on_error`
    and counts as processed. Tasks given to `submit` run between frames, in order.

    Args:
        process: the work on a frame.
        on_error: told of an exception that `process` let through.
        capacity: how many frames may wait; of more the oldest is dropped.
        name: of the thread.
    """

    def __init__(
        self,
        process: Callable[[Job, int], bool],
        on_error: Callable[[Exception], None],
        *,
        capacity: int = 1,
        name: str = "grounding",
    ) -> None:
        self._process = process
        self._on_error = on_error
        self._capacity = capacity
        self._ready = threading.Condition()
        self._frames: deque[Job] = deque()
        self._tasks: deque[tuple[Callable[[], Any], Future[Any]]] = deque()
        self._received = self._processed = self._dropped = self._busy = self._dropped_since = 0
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def offer(self, job: Job) -> None:
        """Take a frame; where no more may wait, the oldest is dropped. Never blocks."""
        with self._ready:
            self._received += 1
            if self._stopping:
                self._drop(1)
                return
            if len(self._frames) >= self._capacity:
                self._frames.popleft()
                self._drop(1)
            self._frames.append(job)
            self._ready.notify()

    def refuse(self) -> None:
        """Count a frame that came in and is left alone, for example because of a rate limit."""
        with self._ready:
            self._received += 1
            self._drop(1)

    def submit(self, task: Callable[[], Result]) -> Future[Result]:
        """Run `task` on the worker's thread before the next frame; the future carries its value or error."""
        future: Future[Result] = Future()
        with self._ready:
            if self._stopping:
                future.set_exception(RuntimeError("the worker has stopped"))
                return future
            self._tasks.append((task, future))
            self._ready.notify()
        return future

    @property
    def counters(self) -> Counters:
        """A consistent snapshot of the counters."""
        with self._ready:
            waiting = len(self._frames) + self._busy
            return Counters(self._received, self._processed, self._dropped, waiting)

    def clear(self) -> None:
        """Drop every frame that waits."""
        with self._ready:
            self._drop(len(self._frames))
            self._frames.clear()

    def stop(self, timeout_s: float = 5.0) -> bool:
        """Finish the frame in hand, drop the rest and end the thread; False when it did not end in time."""
        with self._ready:
            self._stopping = True
            self._drop(len(self._frames))
            self._frames.clear()
            for _, future in self._tasks:
                future.set_exception(RuntimeError("the worker has stopped"))
            self._tasks.clear()
            self._ready.notify()
        if threading.current_thread() is not self._thread:
            self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _drop(self, count: int) -> None:
        self._dropped += count
        self._dropped_since += count

    def _run(self) -> None:
        while True:
            with self._ready:
                while not (self._stopping or self._tasks or self._frames):
                    self._ready.wait()
                if self._stopping:
                    return
                task = self._tasks.popleft() if self._tasks else None
                if task is None:
                    job, dropped = self._frames.popleft(), self._dropped_since
                    self._busy, self._dropped_since = 1, 0
            if task is not None:
                _do(*task)
            else:
                self._finish(self._answer(job, dropped), dropped)
                del job  # an image must not stay alive until the next one comes

    def _answer(self, job: Job, dropped: int) -> bool:
        try:
            return self._process(job, dropped)
        except Exception as error:
            self._on_error(error)
            return True

    def _finish(self, answered: bool, dropped: int) -> None:
        with self._ready:
            self._busy = 0
            if answered:
                self._processed += 1
            else:
                self._dropped_since += dropped
                self._drop(1)


def _do(task: Callable[[], Any], future: Future[Any]) -> None:
    if not future.set_running_or_notify_cancel():
        return
    try:
        future.set_result(task())
    except BaseException as error:
        future.set_exception(error)
