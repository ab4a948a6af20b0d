# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Sharing out bags: every bag once, failures again behind the others, lost workers, stopping, progress. Without Ray."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from ris_node.fleet.fleet import FleetResult, merge
from ris_node.fleet.jobs import BagRecord, FleetProgress, Job, Outcome
from ris_node.fleet.schedule import Schedule
from ris_node.replay.options import Progress, ReplayOptions, ReplaySummary


def summary(job: Job, frames: int = 10) -> ReplaySummary:
    return ReplaySummary(
        bag=job.bag.name, out=job.out, complete=True, frames=frames, seen=frames, rate_hz=5.0, seconds=2.0
    )


class ScriptedPool:
    """Each `poll` ends the job that was started first, as `script` says by (bag, attempt); None is a summary."""

    size = 2

    def __init__(self, script: Mapping[tuple[str, int], Outcome | None]) -> None:
        self.script = script
        self.running: list[Job] = []
        self.started: list[tuple[str, int]] = []
        self.stopped = False

    def idle(self) -> int:
        return self.size - len(self.running)

    def start(self, job: Job) -> None:
        assert self.idle()
        self.running.append(job)
        self.started.append((job.bag.name, job.attempt))

    def poll(self, patience_s: float) -> list[Outcome]:
        job = self.running.pop(0)
        scripted = self.script.get((job.bag.name, job.attempt))
        if scripted is None:
            return [Outcome(job, summary(job))]
        return [Outcome(job, error=scripted.error, again=scripted.again, lost=scripted.lost)]

    def progress(self) -> dict[int, Progress]:
        return {
            job.index: Progress(bag=job.bag.name, done=4, total=20, rate_hz=2.0, left_s=8.0) for job in self.running
        }

    def stop(self) -> None:
        self.stopped = True

    def close(self) -> None:
        pass


def jobs(count: int) -> list[Job]:
    return [Job(number, Path(f"bag{number}"), Path(f"out/bag{number}")) for number in range(count)]


ANY = Job(0, Path("any"), Path("any"))
LOST = Outcome(ANY, error="the worker was lost", again=True, lost=True)
BROKEN = Outcome(ANY, error="disk", again=True)
WRONG = Outcome(ANY, error="no such topic", again=False)


def test_every_bag_is_done_once_and_records_keep_their_order() -> None:
    pool = ScriptedPool({})
    told: list[FleetProgress] = []
    schedule = Schedule(pool, jobs(5), 2, told.append, threading.Event())
    records = schedule.run()
    assert pool.started == [(f"bag{n}", 1) for n in range(5)]
    assert [record.job.index for record in records] == list(range(5))
    assert all(record.summary is not None and record.attempts == 1 for record in records)
    assert told[-1].bags_done == told[-1].bags == 5
    assert told[-1].frames == told[-1].total == 50
    assert told[0].total > told[0].frames, "bags that have not begun count too"
    assert [one.frames for one in told] == sorted(one.frames for one in told)


def test_a_lost_worker_costs_an_attempt_and_the_bag_comes_behind_the_others() -> None:
    pool = ScriptedPool({("bag1", 1): LOST})
    schedule = Schedule(pool, jobs(4), 2, lambda _: None, threading.Event())
    records = schedule.run()
    assert schedule.lost_workers == 1
    assert pool.started[-1] == ("bag1", 2)
    assert (records[1].attempts, records[1].errors) == (2, ["the worker was lost"])
    assert not any(record.failed for record in records)


def test_failures_are_tried_again_as_often_as_said_and_then_listed() -> None:
    pool = ScriptedPool({("bag0", n): BROKEN for n in (1, 2, 3)} | {("bag2", 1): WRONG})
    told: list[FleetProgress] = []
    records = Schedule(pool, jobs(3), 2, told.append, threading.Event()).run()
    assert [record.failed for record in records] == [True, False, True]
    assert records[0].attempts == 3
    assert records[0].errors == ["disk"] * 3
    assert records[2].attempts == 1, "a wrong option is wrong the next time too"
    assert records[0].to_json()["complete"] is False
    assert told[-1].bags_done == 3


def test_stopping_begins_nothing_new_and_asks_the_workers_once() -> None:
    pool = ScriptedPool({})
    stop = threading.Event()
    records = Schedule(pool, jobs(6), 2, lambda _: stop.set(), stop).run()
    assert pool.stopped
    assert len(pool.started) == 2
    assert sum(record.summary is not None for record in records) == 2


def test_the_merged_run_says_which_bags_nothing_came_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told: dict[str, Any] = {}
    monkeypatch.setattr("ris_node.fleet.fleet.merge_runs", lambda folders, out, **kwargs: told.update(kwargs))
    records = [BagRecord(Job(k, Path(f"{name}.mcap"), tmp_path / name)) for k, name in enumerate("abc")]
    records[0].summary = summary(records[0].job)
    records[0].job.out.mkdir()
    (records[0].job.out / "results.parquet").write_bytes(b"")
    records[1].errors = ["the worker was lost", "b.mcap is empty"]
    merge(FleetResult(tuple(records), 1), tmp_path / "all", ReplayOptions())
    assert told["bags"] == [Path("a.mcap")]
    assert told["lost"] == ["b.mcap: b.mcap is empty", "c.mcap: not begun"]
