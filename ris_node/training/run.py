# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Training run: the sample cache is filled, then one process or a team of them trains."""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from types import FrameType

import torch
from accelerate import Accelerator

from ris_node.errors import RisError, TrainingError
from ris_node.models.registry import model_config
from ris_node.outputs import claim, remove, sign
from ris_node.training.begin import start
from ris_node.training.checkpoint import load_checkpoint
from ris_node.training.config import TrainConfig
from ris_node.training.inputs.batches import Batches
from ris_node.training.inputs.items import TrainingItem
from ris_node.training.inputs.pools import load_pool, plan, prepare
from ris_node.training.interrupt import RunStoppedError
from ris_node.training.loop import train
from ris_node.training.team import join_on_cpu, launched, leave, open_team

STOPPED = 130
FILES = ("last.pt", "best.pt", "log.jsonl", "meeting")
FOLDERS = ("moments", "grids", "tensorboard")


@dataclass(frozen=True)
class Plan:
    """Settings of a run, its folder, the sample cache and how many processes fill that.

    `resume` is the checkpoint to go on from (None: start anew).
    """

    config: TrainConfig
    out: Path
    cache: Path
    workers: int = 2
    resume: Path | None = None


@dataclass(frozen=True)
class Pools:
    """Training items by picture with the pictures' weights, and the items of the running check."""

    pictures: list[list[TrainingItem]]
    weights: list[float]
    check: list[TrainingItem]


def load_data(run: Plan, team: Accelerator | None = None) -> Pools:
    """Fill the sample cache, in one process of each machine, and load it."""
    config = run.config
    size = model_config(config.model, config.settings)
    jobs, held = plan(config.data, size.height, size.width, run.cache)
    if team is None or team.is_local_main_process:
        begun = time.monotonic()
        made = prepare([*jobs, *held], run.workers)
        print(f"drew {made} variants in {time.monotonic() - begun:.0f} s", flush=True)
    if team is not None:
        team.wait_for_everyone()
    found = [(load_pool(job), config.data.repeat.get(job.source, 1.0)) for job in jobs]
    found = [(pool, weight) for pool, weight in found if pool]
    if not found:
        raise TrainingError(f"{config.data.variants} offers no picture to train on; name sources, or hold out fewer")
    check = [item for job in held for item in load_pool(job)]
    return Pools([pool for pool, _ in found], [weight for _, weight in found], check)


def run_training(run: Plan) -> int:
    """Train as the plan says; return 0, or 130 when the run was stopped and saved.

    Under a launcher this is one process of its team. Alone, it uses a GPU where there is one, and otherwise starts
    `optim.processes` processes on the CPU, forked so that they share the pools.

    Raises:
        RisError: the data, the trunk or the checkpoint cannot be used, the loss is not a number, or a process failed.
    """
    _claim(run)
    count = run.config.optim.processes
    if launched() or count == 1 or torch.cuda.is_available():
        team = open_team()
        return _learn(run, load_data(run, team), team)
    data = load_data(run)
    meeting = run.out / "meeting"
    remove(run.out, meeting.name, by="ris train")
    fork = multiprocessing.get_context("fork")
    team_of = [fork.Process(target=_member, args=(number, run, data, meeting)) for number in range(count)]
    gc.collect()
    gc.freeze()  # no member collects what is this process's, a session with threads, or unshares a pool's pages
    for member in team_of:
        member.start()
    gc.unfreeze()
    return _await(team_of, run)


def _claim(run: Plan) -> None:
    """Refuse a folder that holds another run, or anything that no run wrote."""
    last = run.out / "last.pt"
    if run.resume is None and last.exists():
        raise TrainingError(f"{run.out} holds a run already: add --resume to go on with it, or name another --out")
    # a checkpoint of ours says that the folder is a run's, also where it was copied without the marker
    known = (*FILES, *FOLDERS) if run.resume == last and load_checkpoint(last) else ()
    claim(run.out, (*FILES, *FOLDERS), by="ris train", known=known)
    for name in FOLDERS:
        sign(run.out / name, by="ris train")


def _learn(run: Plan, data: Pools, team: Accelerator) -> int:
    """Train as one process of the team; return the exit code."""
    config, share = run.config, (team.process_index, team.num_processes)
    optim = config.optim
    try:
        batches = Batches(
            data.pictures, data.weights, images=optim.images, expressions=optim.expressions,
            kinds=dict(config.data.kinds), seed=config.seed, share=share,
        )  # fmt: skip
        trainer = start(config, run.resume, team)
        train(trainer, batches, data.check, run.out)
    except RunStoppedError as error:
        print(f"{error}; go on with the same command and --resume", flush=True)
        return STOPPED
    finally:
        leave()
    return 0


def _member(number: int, run: Plan, data: Pools, meeting: Path) -> None:
    """Run forked process `number`."""
    optim = run.config.optim
    try:
        sys.exit(_learn(run, data, join_on_cpu(number, optim.processes, meeting, optim.threads)))
    except RisError as error:
        if number == 0:
            print(f"error: {error}", file=sys.stderr, flush=True)
        sys.exit(1)


def _await(team: Sequence[BaseProcess], run: Plan) -> int:
    """Wait for all processes; where one fails, end the others, which would wait for it for ever.

    SIGTERM is passed on to them; Ctrl-C on a terminal reaches them by itself.
    """

    def pass_on(number: int, _frame: FrameType | None) -> None:
        for member in team:
            if member.pid is not None and member.is_alive():
                os.kill(member.pid, number)

    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, pass_on)
    running = list(team)
    while running:
        try:
            wait([member.sentinel for member in running])
        except KeyboardInterrupt:
            continue  # they got it too: they save and end
        running = [member for member in running if member.exitcode is None]
        if any(member.exitcode not in (None, 0, STOPPED) for member in team):
            for member in running:
                member.join(10.0)
                member.terminate()
    codes = [member.exitcode for member in team]
    if any(code not in (0, STOPPED) for code in codes):
        raise TrainingError(f"a training process failed (exit codes {codes}); go on with --resume from {run.out}")
    return STOPPED if STOPPED in codes else 0
