# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""One run of the bench: rounds in which every part has its turn, so that noise hits all alike."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from ris_node.bench.inprocess import BareNetwork, Core, CoreSeries, Passes, bundle_of
from ris_node.bench.live import Live, Load, live
from ris_node.bench.networks import Network, find_networks, floors, run_networks
from ris_node.bench.pictures import Pictures, render_pictures
from ris_node.bench.series import Series
from ris_node.config import ModelConfig
from ris_node.runtime.ort import cores

SATURATED_HZ = 60.0
Say = Callable[[str], None]


@dataclass(frozen=True)
class Plan:
    """What to measure: `passes` of each part a round, `rounds` rounds, for every size."""

    config: ModelConfig
    text: str
    sizes: tuple[str, ...]
    rounds: int
    passes: int
    starts: int
    with_node: bool
    rivals: Path | None = None  # the folder of other networks; None: no network against network


@dataclass
class Outcome:
    """Everything measured; `rate_hz` is the pace of the paced loads, chosen so that no frame has to wait."""

    plan: Plan
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
    echo: dict[str, Series] = field(default_factory=dict)  # a bare answer to the same frame over DDS


def measure(plan: Plan, say: Say) -> Outcome:
    """Run the bench.

    Raises:
        RisError: a bundle, a runtime or a process of the bench does not work.
    """
    say(f"rendering {len(plan.sizes)} x 6 pictures")
    pictures = [render_pictures(size) for size in plan.sizes]
    outcome = Outcome(plan)
    core = Core(plan.config, plan.text)
    outcome.device, outcome.precision = core.grounder.info.device, core.grounder.info.precision
    bundle = bundle_of(plan.config)
    feeds = [core.feeds(one) for one in pictures]
    bare = BareNetwork(bundle, plan.config, feeds[0], spinning=False)
    spinning = BareNetwork(bundle, plan.config, feeds[0], spinning=True)
    for network in (bare, spinning):
        network.run(3, Passes())
    warm = CoreSeries()
    core.run(pictures[0], 5, warm)
    outcome.rate_hz = max(0.5, min(30.0, 500.0 / warm.total.p50))
    with ExitStack() as stack:
        processes = None
        if plan.with_node:
            processes = stack.enter_context(live(plan.config, pictures))
            for k in range(plan.starts):
                say(f"starting the node, {k + 1} of {plan.starts}")
                outcome.starts_s.append(processes.start_node())
            processes.connect(plan.text)
        for k in range(plan.rounds):
            for one, feed in zip(pictures, feeds):  # noqa: B905  # of one length by construction
                say(f"round {k + 1} of {plan.rounds}, {one.size}")
                bare.feeds = feed
                bare.run(plan.passes, outcome.bare.setdefault(one.size, Passes()))
                core.run(one, plan.passes, outcome.core.setdefault(one.size, CoreSeries()))
                if processes is not None:
                    _live_round(processes, one, outcome)
            spinning.run(plan.passes, outcome.spinning)
        if processes is not None:
            for one in pictures:
                outcome.echo[one.size] = processes.echo(one.size, outcome.rate_hz, plan.passes)
    core.grounder.close()
    _networks(outcome, say)
    return outcome


def _networks(outcome: Outcome, say: Say) -> None:
    """Ours against the others, where wanted."""
    plan = outcome.plan
    if plan.rivals is None:
        return
    threads = plan.config.num_threads or cores()
    outcome.networks = find_networks(bundle_of(plan.config), plan.rivals)
    outcome.best = floors(threads)
    run_networks(outcome.networks, threads, plan.rounds, plan.passes, say)
    outcome.best = {name: max(value, outcome.best[name]) for name, value in floors(threads).items()}


def _live_round(processes: Live, pictures: Pictures, outcome: Outcome) -> None:
    """Give the node its turn: paced for latency, then at 60 Hz for throughput."""
    plan, size = outcome.plan, pictures.size
    time.sleep(0.2)
    processes.run(size, outcome.rate_hz, plan.passes, outcome.paced.setdefault(size, Load()))
    count = int(SATURATED_HZ * max(1.0, plan.passes / outcome.rate_hz / 2.0))
    processes.run(size, SATURATED_HZ, count, outcome.saturated.setdefault(size, Load()))
