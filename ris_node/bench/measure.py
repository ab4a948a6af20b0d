# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Rounds of the bench in which every part has its turn, so that noise hits all alike."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import KW_ONLY, dataclass, field
from pathlib import Path

from ris_node.bench.float32 import PRECISION, Leg, Turn, float32_leg
from ris_node.bench.gpu import GpuTable, measure_gpu
from ris_node.bench.inprocess import BareNetwork, Core, CoreSeries, Passes, bundle_of
from ris_node.bench.live import Live, Load, live
from ris_node.bench.networks import Network, find_networks, floors, run_networks
from ris_node.bench.pictures import Pictures, render_pictures
from ris_node.bench.series import Series
from ris_node.bundle.bundle import VISION_FILES
from ris_node.config import ModelConfig
from ris_node.runtime.ort import cores

SATURATED_HZ = 60.0
GOAL_SIZE = "640x480"
Say = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class BenchPlan:
    """Settings of a run: `passes` of each part a round, `rounds` rounds, for every size."""

    config: ModelConfig
    text: str
    sizes: tuple[str, ...]
    rounds: int
    passes: int
    starts: int
    with_node: bool
    rivals: Path | None = None  # the folder of other networks; None: no network against network


@dataclass
class Measurements:
    """Measurements of a run; `rate_hz` is the pace of the paced loads, chosen so that no frame has to wait."""

    plan: BenchPlan
    _: KW_ONLY
    bare: dict[str, Passes] = field(default_factory=dict)
    spinning: Passes = field(default_factory=Passes)
    core: dict[str, CoreSeries] = field(default_factory=dict)
    paced: dict[str, Load] = field(default_factory=dict)
    saturated: dict[str, Load] = field(default_factory=dict)
    starts_s: list[float] = field(default_factory=list)
    rate_hz: float = 0.0
    device: str = ""
    precision: str = ""
    networks: list[Network] = field(default_factory=list)
    best: dict[str, float] = field(default_factory=dict)  # what the machine does at best, see `floors`
    float32: Leg | None = None  # where the rest runs in another precision
    gpu: GpuTable = field(default_factory=GpuTable)
    echo: dict[str, Series] = field(default_factory=dict)  # a bare answer to the same frame over DDS


def measure(plan: BenchPlan, say: Say) -> Measurements:
    """Run the bench.

    Raises:
        RisError: a bundle, a runtime or a process of the bench does not work.
    """
    say(f"rendering {len(plan.sizes)} x 6 pictures")
    parts = _Parts(plan, [render_pictures(size) for size in plan.sizes])
    outcome = Measurements(plan)
    info = parts.core.grounder.info
    outcome.device, outcome.precision = info.device, info.precision
    outcome.rate_hz = parts.warm_up()
    with ExitStack() as stack:
        processes = stack.enter_context(live(plan.config, parts.pictures)) if plan.with_node else None
        if processes is not None:
            _start(processes, outcome, say)
        for k in range(plan.rounds):
            for index, one in enumerate(parts.pictures):
                say(f"round {k + 1} of {plan.rounds}, {one.size}")
                parts.run(index, outcome)
                if processes is not None:
                    _live_round(processes, one, outcome)
            parts.spinning.run(plan.passes, outcome.spinning)
        if processes is not None:
            _after(processes, parts, outcome, say)
    parts.core.grounder.close()
    _networks(outcome, say)
    outcome.gpu = measure_gpu(parts.bundle, plan.config, parts.feeds[0], plan.rounds, plan.passes, say)
    return outcome


class _Parts:
    """What runs in this process: the core, and its network with and without spinning threads."""

    def __init__(self, plan: BenchPlan, pictures: list[Pictures]) -> None:
        self.pictures = pictures
        self.core = Core(plan.config, plan.text)
        self.bundle = bundle_of(plan.config)
        self.feeds = [self.core.feeds(one) for one in pictures]
        self.bare = BareNetwork(self.bundle, plan.config, self.feeds[0], spinning=False)
        self.spinning = BareNetwork(self.bundle, plan.config, self.feeds[0], spinning=True)

    def warm_up(self) -> float:
        """Run everything a few times; the pace in Hz at which the node need not let a frame wait."""
        for network in (self.bare, self.spinning):
            network.run(3, Passes())
        warm = CoreSeries()
        self.core.run(self.pictures[0], 5, warm)
        return max(0.5, min(30.0, 500.0 / warm.total.p50))

    def run(self, index: int, outcome: Measurements) -> None:
        """Give the bare network and the core their turn with the pictures of one size."""
        one, passes = self.pictures[index], outcome.plan.passes
        self.bare.feeds = self.feeds[index]
        self.bare.run(passes, outcome.bare.setdefault(one.size, Passes()))
        self.core.run(one, passes, outcome.core.setdefault(one.size, CoreSeries()))


def _start(processes: Live, outcome: Measurements, say: Say) -> None:
    """Start the node as often as planned and give it its command."""
    for k in range(outcome.plan.starts):
        say(f"starting the node, {k + 1} of {outcome.plan.starts}")
        outcome.starts_s.append(processes.start_node())
    processes.connect(outcome.plan.text)


def _after(processes: Live, parts: _Parts, outcome: Measurements, say: Say) -> None:
    """What takes the node's place once its rounds are done: itself in float32, and the echo."""
    plan = outcome.plan
    if outcome.precision != PRECISION and GOAL_SIZE in plan.sizes and parts.bundle.file(VISION_FILES[PRECISION]):
        index = plan.sizes.index(GOAL_SIZE)
        turn = Turn(plan.config, plan.text, plan.rounds, plan.passes, say)
        outcome.float32 = float32_leg(turn, processes, parts.bundle, parts.pictures[index], parts.feeds[index])
    for one in parts.pictures:
        outcome.echo[one.size] = processes.echo(one.size, outcome.rate_hz, plan.passes)


def _networks(outcome: Measurements, say: Say) -> None:
    """Ours against the others, where wanted."""
    plan = outcome.plan
    if plan.rivals is None:
        return
    threads = plan.config.num_threads or cores()
    outcome.networks = find_networks(bundle_of(plan.config), plan.rivals)
    outcome.best = floors(threads)
    run_networks(outcome.networks, threads, plan.rounds, plan.passes, say)
    outcome.best = {name: max(value, outcome.best[name]) for name, value in floors(threads).items()}


def _live_round(processes: Live, pictures: Pictures, outcome: Measurements) -> None:
    """Give the node its turn: paced for latency, then at 60 Hz for throughput."""
    plan, size = outcome.plan, pictures.size
    time.sleep(0.2)
    processes.run(size, outcome.rate_hz, plan.passes, outcome.paced.setdefault(size, Load()))
    count = int(SATURATED_HZ * max(1.0, plan.passes / outcome.rate_hz / 2.0))
    processes.run(size, SATURATED_HZ, count, outcome.saturated.setdefault(size, Load()))
