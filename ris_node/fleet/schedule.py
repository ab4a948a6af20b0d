# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Schedule of bags over a pool of workers, whatever the pool is, until every bag is done or given up."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace

from ris_node.fleet.jobs import BagRecord, FleetProgress, Job, Outcome, Pool
from ris_node.replay.options import Progress

_POLL_S = 0.5


class Schedule:
    """The bags of one fleet run.

    Args:
        pool: the workers.
        jobs: the bags, in order.
        retries: how often a bag is tried again whose worker was lost or failed.
        progress: called about twice a second, and at the end.
        stop: when set, the workers seal what they have, and no further bag is begun.
    """

    def __init__(
        self,
        pool: Pool,
        jobs: Sequence[Job],
        retries: int,
        progress: Callable[[FleetProgress], None],
        stop: threading.Event,
    ) -> None:
        self._pool, self._retries, self._tell, self._stop = pool, retries, progress, stop
        self._waiting: deque[Job] = deque(jobs)
        self._running: dict[int, Job] = {}
        self.records = [BagRecord(job) for job in jobs]
        self.lost_workers = 0
        self._known: dict[int, int] = {}
        self._begin = time.monotonic()
        self._resumed: dict[int, int] = {}

    def run(self) -> list[BagRecord]:
        """Work until nothing is left to do; the records keep the order of the jobs."""
        told = False
        while self._running or (self._waiting and not self._stop.is_set()):
            while self._waiting and self._pool.idle() and not self._stop.is_set():
                self._start(self._waiting.popleft())
            if self._stop.is_set() and not told:
                told = True
                self._pool.stop()
            for outcome in self._pool.poll(_POLL_S):
                self._take(outcome)
            self._tell(self._look())
        return self.records

    def _start(self, job: Job) -> None:
        self._running[job.index] = job
        self.records[job.index].attempts += 1
        self._pool.start(job)

    def _take(self, outcome: Outcome) -> None:
        job = self._running.pop(outcome.job.index)
        record = self.records[job.index]
        self.lost_workers += outcome.lost
        if outcome.summary is not None:
            record.summary = outcome.summary
            return
        record.errors.append(outcome.error)
        if outcome.again and job.attempt <= self._retries:
            # behind the others: where one bag kills every worker, the rest is done first
            self._waiting.append(replace(job, attempt=job.attempt + 1))

    def _look(self) -> FleetProgress:
        """Add up the workers' progress; bags that have not begun are taken to be as long as the others."""
        running = self._pool.progress()
        done = 0
        for record in self.records:
            index = record.job.index
            if record.summary is not None:
                done += record.summary.frames
                self._known[index] = record.summary.frames
            elif index in running:
                self._note(index, running[index])
                done += running[index].done
        mean = sum(self._known.values()) / len(self._known) if self._known else 0.0
        over = [r for r in self.records if r.summary is None and r.job.index not in self._running]
        given_up = [r for r in over if r.job.index not in {job.index for job in self._waiting}]
        unknown = len(self.records) - len(self._known) - len([r for r in given_up if r.job.index not in self._known])
        total = max(done, round(sum(self._known.values()) + mean * max(0, unknown)))
        fresh = done - sum(self._resumed.values())
        rate = fresh / max(time.monotonic() - self._begin, 1e-3)
        left = (total - done) / rate if rate > 0 else None
        finished = sum(record.summary is not None for record in self.records) + len(given_up)
        return FleetProgress(
            bags_done=finished, bags=len(self.records), frames=done, total=total, rate_hz=rate, left_s=left,
            workers=self._pool.size,
        )  # fmt: skip

    def _note(self, index: int, progress: Progress) -> None:
        if progress.total:
            self._known[index] = progress.total
        self._resumed[index] = progress.resumed
