# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Soak test: the node under 60 Hz for minutes, then through its lifecycle; memory must not grow, counters add up."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass, field
from typing import Any

import numpy as np

from ris_node.bench.live import Live, live
from ris_node.bench.pictures import render_pictures
from ris_node.bench.processes import rss_mb
from ris_node.config import ModelConfig

SIZE, RATE_HZ = "640x480", 60.0
COMMANDS = (
    "stop next to the red car on the left",
    "the cyclist",
    "the elephant",
    "pedestrians",
    "pull over on the right",
)
GROWTH_MB = 4.0  # noise of the allocator; one frame leaked a second would be 200 MB between the two fifths compared
ROUNDS, ROUND_GROWTH_MB = 6, 60.0  # a model that is not freed would be 150 MB a round
_SLICE_S, _ROUND_S = 5.0, 60.0


@dataclass
class Soak:
    """Measurements of a soak: the node's memory over time, and every count of frames there is.

    `memory` is (seconds since the start, MB), `rounds` MB after each round through the lifecycle.
    """

    seconds: float
    _: KW_ONLY
    memory: list[tuple[float, float]] = field(default_factory=list)
    rounds: list[float] = field(default_factory=list)
    published: int = 0
    results: int = 0
    dropped_told: int = 0
    counters: dict[str, int] = field(default_factory=dict)
    statuses: dict[str, int] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)

    @property
    def growth_mb(self) -> float:
        """Mean memory of the last fifth less that of the third; before, caches and shared memory fill."""
        moments, values = np.array(self.memory).T
        part = (moments[-1] - moments[0]) / 5.0
        early = values[(moments >= 2 * part) & (moments < 3 * part)]
        late = values[moments >= moments[-1] - part]
        return float(late.mean() - early.mean())

    def to_json(self) -> dict[str, Any]:
        """Return everything as JSON, memory every tenth second."""
        return {
            "seconds": round(self.seconds, 1),
            "growth_mb": round(self.growth_mb, 2),
            "rss_mb": [round(value, 1) for _, value in self.memory[::10]],
            "rounds_mb": [round(value, 1) for value in self.rounds],
            "published": self.published,
            "results": self.results,
            "dropped_told": self.dropped_told,
            "counters": self.counters,
            "statuses": self.statuses,
            "faults": self.faults,
        }


def soak(config: ModelConfig, seconds: float, say: Callable[[str], None]) -> Soak:
    """Run the soak and judge it; what is wrong is in `faults`.

    Raises:
        RisError: it could not be run, or the node died.
    """
    outcome = Soak(seconds)
    with live(config, [render_pictures(SIZE)]) as processes:
        processes.start_node()
        processes.connect(COMMANDS[0])
        before = _settled(processes)
        begin, turn, next_index = time.monotonic(), 0, None
        while time.monotonic() - begin < seconds:
            processes.client.ask({"say": COMMANDS[turn % len(COMMANDS)], "id": f"soak-{turn}"}, 10.0)
            turn += 1
            processes.camera.tell({"size": SIZE, "rate": RATE_HZ, "count": int(RATE_HZ * _SLICE_S)})
            _watch(processes, outcome, begin)
            outcome.published += int(processes.camera.answer(60.0)["published"])
            next_index = _take(processes.client.ask({"collect": True}, 10.0), outcome, next_index)
            say(f"{time.monotonic() - begin:5.0f} s, {outcome.memory[-1][1]:.0f} MB, {outcome.results} results")
        time.sleep(1.0)
        _take(processes.client.ask({"collect": True}, 10.0), outcome, next_index)
        after = _settled(processes)
        _go_round(processes, outcome, say)
    outcome.counters = {name: after[name] - before[name] for name in after}
    _judge(outcome)
    return outcome


def _watch(processes: Live, outcome: Soak, begin: float) -> None:
    """Note the node's memory each second while the camera is on."""
    for _ in range(int(_SLICE_S)):
        time.sleep(1.0)
        processes.check()
        outcome.memory.append((time.monotonic() - begin, rss_mb(processes.pids["node"])))


def _go_round(processes: Live, outcome: Soak, say: Callable[[str], None]) -> None:
    """Take the node through its lifecycle again and again, with a few frames in each round."""
    for number in range(ROUNDS):
        failed = processes.client.ask({"round": _ROUND_S}, _ROUND_S + 10.0).get("failed")
        processes.check()
        if failed:
            outcome.faults.append(f"round {number} of the lifecycle: the node does not {failed}")
            return
        processes.connect(COMMANDS[0])
        outcome.rounds.append(rss_mb(processes.pids["node"]))
        say(f"round {number} of the lifecycle, {outcome.rounds[-1]:.0f} MB")


def _settled(processes: Live) -> dict[str, int]:
    """Return the node's counters once no frame is under way (they are published each second)."""
    time.sleep(2.5)
    counters = processes.client.ask({"collect": True}, 10.0)["counters"]
    return {str(name): int(value) for name, value in counters.items()}


def _take(got: dict[str, Any], outcome: Soak, expected: int | None) -> int | None:
    """Count results and check their numbers; returns the next one expected."""
    for _, status, query_id, index, dropped, _ in got.get("results", []):
        outcome.results += 1
        outcome.dropped_told += int(dropped)
        outcome.statuses[status] = outcome.statuses.get(status, 0) + 1
        if expected is not None and index != expected:
            outcome.faults.append(f"result {index} came where {expected} was due")
        if not query_id.startswith("soak-"):
            outcome.faults.append(f"result {index} is of query {query_id!r}, which nobody asked")
        expected = int(index) + 1
    return expected


def _judge(outcome: Soak) -> None:
    """Add to the faults what does not add up."""
    count = outcome.counters
    if outcome.growth_mb > GROWTH_MB:
        outcome.faults.append(f"memory grew by {outcome.growth_mb:.1f} MB, more than {GROWTH_MB:g}")
    grown = max(outcome.rounds, default=0.0) - min(outcome.rounds[:1], default=0.0)
    if grown > ROUND_GROWTH_MB:
        outcome.faults.append(f"memory grew by {grown:.0f} MB over the lifecycle, more than {ROUND_GROWTH_MB:g}")
    if count["received"] != count["processed"] + count["dropped"] + count["waiting"]:
        outcome.faults.append(f"received is not processed + dropped + waiting: {count}")
    if outcome.results != count["processed"]:
        outcome.faults.append(f"{outcome.results} results came of {count['processed']} processed frames")
    if count["received"] > outcome.published:
        outcome.faults.append(f"{count['received']} frames received of {outcome.published} published")
    if outcome.results == 0:
        outcome.faults.append("no result came at all")
