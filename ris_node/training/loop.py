# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""The training loop: deterministic by step, saved often, checked while it runs."""

from __future__ import annotations

import json
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
from ris_node.models.registry import build_model, model_config
from ris_node.models.trunk import TrunkSpec, import_graph
from ris_node.training.begin import begins_with, find_trunk
from ris_node.training.checkpoint import load_checkpoint
from ris_node.training.config import OptimConfig, TrainConfig, to_mapping
from ris_node.training.inputs.batches import Batches
from ris_node.training.inputs.items import TrainingItem
from ris_node.training.inputs.words import WordFeatures
from ris_node.training.interrupt import RunStoppedError, StopRequest
from ris_node.training.session import Session
from ris_node.training.step import batch_losses, run_batch
from ris_node.training.team import fast_in_bf16, open_team, same_start, share_gradients, to_device
from ris_node.training.weights import SUFFIX, load_weights


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
    """A model with its optimiser and averaged weights; `state` and `restore` are the checkpoint.

    `team` are the processes that train together (None: those that a launcher started, or this one alone).
    """

    def __init__(self, config: TrainConfig, graph: TrunkSpec, team: Accelerator | None = None) -> None:
        torch.manual_seed(config.seed)
        self.team = team or open_team()
        bf16 = config.optim.bf16 and fast_in_bf16(self.team.device)
        optim = replace(config.optim, processes=self.team.num_processes, bf16=bf16)
        self.config, self.graph, self.step = replace(config, optim=optim), graph, 0
        self.settings = model_config(config.model, config.settings)
        self.model = build_model(config.model, self.settings, graph).to(memory_format=torch.channels_last)
        self.model.to(self.team.device)
        if optim.freeze_before:
            self.model.trunk.freeze_before(optim.freeze_before)
        self._learnt = [p for p in self.model.parameters() if p.requires_grad]
        self.optimiser = _optimiser(self.model, optim)
        self.average = {k: v.detach().clone() for k, v in self.model.state_dict().items()}
        self.stopping = False
        self.progress: dict[str, Any] = {}

    def load_trunk(self, weights: dict[str, torch.Tensor]) -> None:
        """Start from pretrained trunk weights."""
        own = self.model.trunk.state_dict()
        self.model.trunk.load_state_dict({k: v for k, v in weights.items() if k in own})
        same_start(self.model)
        self.average = {k: v.detach().clone() for k, v in self.model.state_dict().items()}

    def begin_with(self, content: dict[str, Any]) -> None:
        """Start a new run from the averaged weights of a checkpoint's content."""
        self.model.load_state_dict(content["average"])
        self.average = {k: v.detach().clone() for k, v in self.model.state_dict().items()}

    def learn(self, batch: Any, features: WordFeatures, stop: bool = False) -> dict[str, float]:
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
        batch = to_device(batch, self.team.device)
        answer, sentence = run_batch(self.model, batch, features, optim.bf16)
        terms = batch_losses(answer, sentence, batch, self.config.loss)
        stacked = torch.stack(list(terms.values()))
        total = stacked.sum()
        self.optimiser.zero_grad(set_to_none=True)
        total.backward()
        told = torch.cat([total.detach().view(1), stacked.detach(), total.new_tensor([float(stop)])])
        loss, *parts, stops = share_gradients(self.team, self._learnt, told).tolist()
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

    def averaged(self) -> Any:
        """Return a copy of the model with the averaged weights, in evaluation mode."""
        model = build_model(self.config.model, self.settings, self.graph).to(memory_format=torch.channels_last)
        model.load_state_dict(self.average)
        return model.to(self.team.device).eval()

    def state(self) -> dict[str, Any]:
        """Return everything a resumed run needs."""
        return {
            "config": to_mapping(self.config),
            "settings": asdict(self.settings),
            "graph": json.dumps(self.graph.to_json()),
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


def _optimiser(model: Any, optim: OptimConfig) -> torch.optim.Optimizer:
    groups: dict[tuple[float, float], list[torch.nn.Parameter]] = defaultdict(list)
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            base = optim.trunk_rate if name.startswith("trunk.") else optim.rate
            decay = optim.weight_decay if parameter.ndim > 1 and name != "memory" else 0.0
            groups[base, decay].append(parameter)
    chosen = [{"params": p, "lr": base, "base": base, "weight_decay": wd} for (base, wd), p in groups.items()]
    return torch.optim.AdamW(chosen, betas=(0.9, 0.98))


def _not_a_number(step: int, terms: dict[str, float]) -> str:
    bad = sorted(name for name, value in terms.items() if not math.isfinite(value))
    return (
        f"the loss of step {step} is not a finite number (terms: {', '.join(bad) or 'their sum'}); no checkpoint was "
        "written since. Go on with --resume and a lower optim.rate, or look at the data of this step"
    )


def start(config: TrainConfig, resume: Path | None = None, team: Accelerator | None = None) -> Trainer:
    """Make a trainer: from the checkpoint to resume, from that or the weights of `config.init`, or from the trunk.

    Raises:
        TrainingError: the checkpoint or the trunk cannot be used.
    """
    begun = None if resume or not config.init else begins_with(config)
    source = resume or begun
    if source is not None:
        content = load_weights(source) if source == begun and source.suffix == SUFFIX else load_checkpoint(source)
        trainer = Trainer(config, TrunkSpec.from_json(json.loads(content["graph"])), team)
        try:
            trainer.restore(content) if resume else trainer.begin_with(content)
        except (RuntimeError, ValueError) as error:
            raise TrainingError(f"{source} is of a network with other settings ({error}); use its own") from error
        return trainer
    graph, weights = import_graph(find_trunk(config))
    trainer = Trainer(config, graph, team)
    trainer.load_trunk(weights)
    return trainer


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
    features = WordFeatures(trainer.settings.text_tokens, bf16=optim.bf16, device=trainer.team.device)
    if not trainer.team.is_main_process:
        _steps(trainer, batches, features, None)
        return {}
    session = Session(trainer, check, features, out, clock)
    try:
        _steps(trainer, batches, features, session)
        session.save()
        if trainer.stopping and not session.enough() and trainer.step < optim.steps:
            raise RunStoppedError(f"stopped after step {trainer.step} of {optim.steps}, saved in {out / 'last.pt'}")
        return session.look(24, "final")
    finally:
        session.close()


def _steps(trainer: Trainer, batches: Batches, features: WordFeatures, session: Session | None) -> None:
    """Learn until the steps are done or a process of the team has to stop."""
    with StopRequest() as request:
        for batch in batches.between(trainer.step, trainer.config.optim.steps):
            values = trainer.learn(batch, features, request.received or (session is not None and session.enough()))
            if session is not None:
                session.after(values)
            if trainer.stopping:
                break
