# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""The training loop: deterministic by step, saved often, checked while it runs."""

from __future__ import annotations

import copy
import math
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator

from ris_node.errors import TrainingError
from ris_node.models.base import System, TextReader
from ris_node.models.batch import Batch
from ris_node.models.registry import loss_weights
from ris_node.training.config import OptimConfig, TrainConfig, to_mapping
from ris_node.training.inputs.batches import Batches
from ris_node.training.inputs.items import TrainingItem
from ris_node.training.interrupt import RunStoppedError, StopRequest
from ris_node.training.session import Session
from ris_node.training.team import fast_in_bf16, open_team, same_start, share_gradients


def rate_at(step: int, optim: OptimConfig) -> float:
    """Return the learning rate's factor at a step: warm-up, constant, then a cosine down to a hundredth."""
    if step < optim.warmup:
        return (step + 1) / optim.warmup
    start = optim.steps * (1.0 - optim.decay)
    if step <= start:
        return 1.0
    place = min(1.0, (step - start) / max(1.0, optim.steps - start))
    return 0.01 + 0.99 * 0.5 * (1.0 + math.cos(math.pi * place))


class Trainer:
    """A system with its optimiser and averaged weights; `state` and `restore` are the checkpoint.

    `team` are the processes that train together (None: those that a launcher started, or this one alone).
    """

    def __init__(self, config: TrainConfig, model: System, team: Accelerator | None = None) -> None:
        self.team = team or open_team()
        bf16 = config.optim.bf16 and fast_in_bf16(self.team.device)
        optim = replace(config.optim, processes=self.team.num_processes, bf16=bf16)
        weights = loss_weights(config.model, config.loss)
        self.config, self.step = replace(config, optim=optim, loss=weights), 0
        self.model = model.to(memory_format=torch.channels_last).to(self.team.device)
        if optim.freeze_before:
            self.model.freeze_before(optim.freeze_before)
        same_start(self.model)
        self._learnt = [p for p in self.model.parameters() if p.requires_grad]
        self.optimiser = _optimiser(self.model, optim)
        self.average = _copy(self.model)
        self.stopping = False
        self.progress: dict[str, Any] = {}

    def begin_with(self, content: dict[str, Any]) -> None:
        """Start a new run from the averaged weights of a checkpoint's content."""
        self.model.load_state_dict(content["average"])
        self.average = _copy(self.model)

    def learn(self, batch: Batch, reader: TextReader, stop: bool = False) -> dict[str, float]:
        """Take one step; return the loss terms, averaged over the team.

        With `stop`, `stopping` is set afterwards in every process of the team: all end at the same step.

        Raises:
            TrainingError: the loss is not a number.
        """
        optim = self.config.optim
        seed = (self.config.seed * 1_000_003 + self.step) * 64 + self.team.process_index
        torch.manual_seed(seed)  # dropout depends on the step only
        for group in self.optimiser.param_groups:
            group["lr"] = group["base"] * rate_at(self.step, optim)
        batch = batch.to(self.team.device)
        terms = self.model.losses(self.model.run(batch, reader, optim.bf16), batch, self.config.loss)
        stacked = torch.stack(list(terms.values()))
        total = stacked.sum()
        self.optimiser.zero_grad(set_to_none=True)
        total.backward()
        shared = torch.cat([total.detach().view(1), stacked.detach(), total.new_tensor([float(stop)])])
        loss, *parts, stops = share_gradients(self.team, self._learnt, shared).tolist()
        if not math.isfinite(loss):
            raise TrainingError(_not_a_number(self.step, dict(zip(terms, parts, strict=True))))
        torch.nn.utils.clip_grad_norm_(self._learnt, optim.clip)
        self.optimiser.step()
        self._follow()
        self.step += 1
        self.stopping = stops > 0
        return {"loss": loss, **dict(zip(terms, parts, strict=True))}

    def _follow(self) -> None:
        keep = min(self.config.optim.ema, (1.0 + self.step) / (10.0 + self.step))
        for name, value in self.model.state_dict().items():  # state_dict gives detached tensors
            if value.is_floating_point():
                self.average[name].lerp_(value, 1.0 - keep)

    def averaged(self) -> System:
        """Return a copy of the model with the averaged weights, in evaluation mode."""
        model: System = copy.deepcopy(self.model).eval()
        model.load_state_dict(self.average)
        return model

    def state(self) -> dict[str, Any]:
        """Return everything a resumed run needs."""
        return {
            "config": to_mapping(self.config),
            "settings": asdict(self.model.config),
            "graph": self.model.structure,
            "step": self.step,
            "model": self.model.state_dict(),
            "average": self.average,
            "optimiser": self.optimiser.state_dict(),
            "progress": self.progress,
        }

    def restore(self, content: dict[str, Any]) -> None:
        """Continue from a checkpoint's content; rates are the config's, which may differ from the checkpoint's."""
        self.model.load_state_dict(content["model"])
        self.average = {name: value.to(self.team.device) for name, value in content["average"].items()}
        rates = [group["base"] for group in self.optimiser.param_groups]
        self.optimiser.load_state_dict(content["optimiser"])
        for group, base in zip(self.optimiser.param_groups, rates, strict=True):
            group["base"] = base
        self.step = int(content["step"])
        self.progress = dict(content.get("progress", {}))


def _optimiser(model: System, optim: OptimConfig) -> torch.optim.Optimizer:
    kinds: dict[torch.nn.Parameter, tuple[float, float]] = {}
    for group in model.parameter_groups():
        rate = optim.trunk_rate if group.pretrained else optim.rate
        kinds |= dict.fromkeys(group.parameters, (rate, optim.weight_decay if group.decay else 0.0))
    merged: dict[tuple[float, float], list[torch.nn.Parameter]] = defaultdict(list)  # in an order that --resume knows
    for parameter in model.parameters():
        if parameter.requires_grad:
            merged[kinds[parameter]].append(parameter)
    chosen = [{"params": p, "lr": base, "base": base, "weight_decay": decay} for (base, decay), p in merged.items()]
    return torch.optim.AdamW(chosen, betas=(0.9, 0.98))


def _copy(model: System) -> dict[str, torch.Tensor]:
    return {name: value.detach().clone() for name, value in model.state_dict().items()}


def _not_a_number(step: int, terms: dict[str, float]) -> str:
    bad = sorted(name for name, value in terms.items() if not math.isfinite(value))
    return (
        f"the loss of step {step} is not a finite number (terms: {', '.join(bad) or 'their sum'}); no checkpoint was "
        "written since. Go on with --resume and a lower optim.rate, or look at the data of this step"
    )


def train(
    trainer: Trainer,
    batches: Batches,
    check: Sequence[TrainingItem],
    out: Path,
    clock: Callable[[], float] = time.monotonic,
) -> dict[str, float]:
    """Run to the configured number of steps, or until no check was better for `patience` checks.

    Writes `last.pt`, `best.pt`, `log.jsonl`, `grids/` and `tensorboard/`; returns the last check, in the first process
    of the team only.

    Raises:
        RunStoppedError: Ctrl-C or SIGTERM came; the run is saved.
    """
    optim = trainer.config.optim
    torch.set_num_threads(optim.threads)
    reader = trainer.model.text_reader(optim.bf16, trainer.team.device)
    if not trainer.team.is_main_process:
        _steps(trainer, batches, reader, None)
        return {}
    session = Session(trainer, check, reader, out, clock)
    try:
        _steps(trainer, batches, reader, session)
        session.save()
        if trainer.stopping and not session.enough() and trainer.step < optim.steps:
            raise RunStoppedError(f"stopped after step {trainer.step} of {optim.steps}, saved in {out / 'last.pt'}")
        return session.run_check(24, "final")
    finally:
        session.close()


def _steps(trainer: Trainer, batches: Batches, reader: TextReader, session: Session | None) -> None:
    """Learn until the steps are done or a process of the team has to stop."""
    with StopRequest() as request:
        for batch in batches.between(trainer.step, trainer.config.optim.steps):
            values = trainer.learn(batch, reader, request.received or (session is not None and session.enough()))
            if session is not None:
                session.after(values)
            if trainer.stopping:
                break
