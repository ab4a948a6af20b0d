# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""The training loop: deterministic by step, saved often, checked while it runs."""

from __future__ import annotations

import json
import math
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import distributed

from ris_node.errors import TrainingError
from ris_node.models.registry import build_model, model_config
from ris_node.models.trunk import GraphSpec, import_graph
from ris_node.training.batches import Batches
from ris_node.training.check import answers, summary
from ris_node.training.checkpoint import load_checkpoint, save_checkpoint
from ris_node.training.config import OptimConfig, TrainConfig, to_mapping
from ris_node.training.items import Drawn
from ris_node.training.step import batch_losses, run_batch
from ris_node.training.words import WordFeatures

_SAY_EVERY = 20


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
    """A model with its optimiser and averaged weights; `state` and `restore` are the checkpoint."""

    def __init__(self, config: TrainConfig, graph: GraphSpec) -> None:
        torch.manual_seed(config.seed)
        self.config, self.graph, self.step = config, graph, 0
        self.settings = model_config(config.model, config.settings)
        self.model = build_model(config.model, self.settings, graph).to(memory_format=torch.channels_last)
        if config.optim.freeze_before:
            self.model.trunk.freeze_before(config.optim.freeze_before)
        self._learnt = [p for p in self.model.parameters() if p.requires_grad]
        self.optimiser = _optimiser(self.model, config.optim)
        self.average = {k: v.detach().clone() for k, v in self.model.state_dict().items()}

    def load_trunk(self, weights: dict[str, torch.Tensor]) -> None:
        """Start from pretrained trunk weights."""
        own = self.model.trunk.state_dict()
        self.model.trunk.load_state_dict({k: v for k, v in weights.items() if k in own})
        self.average = {k: v.detach().clone() for k, v in self.model.state_dict().items()}

    def learn(self, batch: Any, features: WordFeatures) -> dict[str, float]:
        """Take one step; return the loss terms.

        Raises:
            TrainingError: the loss is not a number.
        """
        optim = self.config.optim
        torch.manual_seed((self.config.seed * 1_000_003 + self.step) * 64 + rank())  # dropout depends on the step only
        for group in self.optimiser.param_groups:
            group["lr"] = group["base"] * rate_at(self.step, optim)
        answer, sentence = run_batch(self.model, batch, features, optim.bf16)
        terms = batch_losses(answer, sentence, batch, self.config.loss)
        total = torch.stack(list(terms.values())).sum()
        if not torch.isfinite(total):
            raise TrainingError(f"the loss at step {self.step} is {float(total)}; resume with a lower rate")
        self.optimiser.zero_grad(set_to_none=True)
        total.backward()
        share_gradients(self._learnt)
        torch.nn.utils.clip_grad_norm_(self._learnt, optim.clip)
        self.optimiser.step()
        self._follow()
        self.step += 1
        return {"loss": float(total.detach()), **{name: float(value.detach()) for name, value in terms.items()}}

    def _follow(self) -> None:
        keep = min(self.config.optim.ema, (1.0 + self.step) / (10.0 + self.step))
        for name, value in self.model.state_dict().items():  # state_dict gives detached tensors
            if value.is_floating_point():
                self.average[name].lerp_(value, 1.0 - keep)

    def averaged(self) -> Any:
        """Return a copy of the model with the averaged weights, in evaluation mode."""
        model = build_model(self.config.model, self.settings, self.graph).to(memory_format=torch.channels_last)
        model.load_state_dict(self.average)
        return model.eval()

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
        }

    def restore(self, content: dict[str, Any]) -> None:
        """Continue from a checkpoint's content; rates are the config's, which may differ from the checkpoint's."""
        self.model.load_state_dict(content["model"])
        self.average = content["average"]
        rates = [group["base"] for group in self.optimiser.param_groups]
        self.optimiser.load_state_dict(content["optimiser"])
        for group, base in zip(self.optimiser.param_groups, rates, strict=True):
            group["base"] = base
        self.step = int(content["step"])


def _optimiser(model: Any, optim: OptimConfig) -> torch.optim.Optimizer:
    groups: dict[tuple[float, float], list[torch.nn.Parameter]] = defaultdict(list)
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            base = optim.trunk_rate if name.startswith("trunk.") else optim.rate
            decay = optim.weight_decay if parameter.ndim > 1 and name != "memory" else 0.0
            groups[base, decay].append(parameter)
    chosen = [{"params": p, "lr": base, "base": base, "weight_decay": wd} for (base, wd), p in groups.items()]
    return torch.optim.AdamW(chosen, betas=(0.9, 0.98))


def start(config: TrainConfig, trunk: Path, resume: Path | None) -> Trainer:
    """Make a trainer, from the pretrained trunk or from a checkpoint.

    Raises:
        TrainingError: the checkpoint cannot be used.
    """
    if resume is not None:
        content = load_checkpoint(resume)
        trainer = Trainer(config, GraphSpec.from_json(json.loads(content["graph"])))
        trainer.restore(content)
        return trainer
    graph, weights = import_graph(trunk)
    trainer = Trainer(config, graph)
    trainer.load_trunk(weights)
    return trainer


class Log:
    """Lines of JSON in `log.jsonl`, and short lines on the screen."""

    def __init__(self, out: Path) -> None:
        out.mkdir(parents=True, exist_ok=True)
        self._path = out / "log.jsonl"

    def write(self, kind: str, values: dict[str, Any]) -> None:
        """Append one line."""
        with self._path.open("a") as file:
            file.write(json.dumps({"event": kind, **values}) + "\n")
        shown = " ".join(f"{k}={v:.3f}" if isinstance(v, float) else f"{k}={v}" for k, v in values.items())
        print(f"[{time.strftime('%H:%M:%S')}] {kind} {shown}", flush=True)


def rank() -> int:
    """Return this process's number among those that train together."""
    return int(distributed.get_rank()) if distributed.is_initialized() else 0


def share_gradients(parameters: Sequence[torch.nn.Parameter]) -> None:
    """Average the gradients over all training processes; nothing to do for one."""
    if not distributed.is_initialized():
        return
    grads = [torch.zeros_like(p) if p.grad is None else p.grad for p in parameters]
    flat = torch.cat([g.reshape(-1) for g in grads])
    distributed.all_reduce(flat)
    flat /= distributed.get_world_size()
    for parameter, part, grad in zip(parameters, flat.split([g.numel() for g in grads]), grads, strict=True):
        parameter.grad = part.view_as(grad)


def train(
    trainer: Trainer, batches: Batches, check: Sequence[Drawn], out: Path, clock: Callable[[], float] = time.monotonic
) -> dict[str, float]:
    """Run to the configured number of steps; write `last.pt`, `best.pt` and `log.jsonl`; return the last check."""
    config, log = trainer.config, Log(out)
    torch.set_num_threads(config.optim.threads)
    features = WordFeatures(trainer.settings.text_tokens, bf16=config.optim.bf16)
    sums: dict[str, float] = defaultdict(float)
    saved = checked = said = clock()
    best = -1.0
    for batch in batches.between(trainer.step, config.optim.steps):
        for name, value in trainer.learn(batch, features).items():
            sums[name] += value
        if rank() > 0:
            continue
        now = clock()
        if trainer.step % _SAY_EVERY == 0:
            means = {name: value / _SAY_EVERY for name, value in sums.items()}
            log.write("step", {"step": trainer.step, "s": (now - said) / _SAY_EVERY, **means})
            sums.clear()
            said = now
        if now - saved > 60 * config.save_minutes:
            save_checkpoint(out / "last.pt", trainer.state())
            saved = clock()
        if now - checked > 60 * config.check_minutes:
            best = max(best, _check(trainer, check, features, out, log, best))
            checked = said = clock()
    if rank() > 0:
        return {}
    save_checkpoint(out / "last.pt", trainer.state())
    return _finish(trainer, check, features, out, log, best)


def _check(trainer: Trainer, check: Sequence[Drawn], features: WordFeatures, out: Path, log: Log, best: float) -> float:
    values = summary(answers(trainer.averaged(), check, features, 14, trainer.config.optim.bf16))
    log.write("check", {"step": trainer.step, **values})
    score = _score(values)
    if score > best:
        save_checkpoint(out / "best.pt", trainer.state())
    return score


def _finish(
    trainer: Trainer, check: Sequence[Drawn], features: WordFeatures, out: Path, log: Log, best: float
) -> dict[str, float]:
    values = summary(answers(trainer.averaged(), check, features, 24, trainer.config.optim.bf16))
    log.write("final", {"step": trainer.step, **values})
    if _score(values) > best:
        save_checkpoint(out / "best.pt", trainer.state())
    return values


def _score(values: dict[str, float]) -> float:
    """One number to keep the best by: masks first, then pointing, then refusals."""
    refused = [v for k, v in values.items() if k.startswith("refused_")]
    mean_refused = sum(refused) / len(refused) if refused else 0.0
    return values.get("miou", 0.0) + 0.3 * values.get("pointing", 0.0) + 0.3 * mean_refused
