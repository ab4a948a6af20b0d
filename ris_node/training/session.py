# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Session: work of the first process beside learning (saving, checking, logging)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from ris_node.models.base import TextReader
from ris_node.training.check import answers, summary
from ris_node.training.checkpoint import save_checkpoint
from ris_node.training.config import TrainConfig
from ris_node.training.grid import draw_grid, pick
from ris_node.training.inputs.items import TrainingItem
from ris_node.training.log import Log, Means

if TYPE_CHECKING:
    from ris_node.training.loop import Trainer

_LOG_EVERY = 20


def moment_steps(config: TrainConfig) -> frozenset[int]:
    """Return the steps after which a run keeps its running average: `moments` of them, evenly in its second half."""
    steps, count = config.optim.steps, config.moments
    return frozenset(round(steps * (0.5 + 0.5 * (k + 1) / count)) for k in range(count))


class Session:
    """Work of the first process between steps: it saves, checks and logs, and holds the best score so far."""

    def __init__(
        self, trainer: Trainer, check: Sequence[TrainingItem], reader: TextReader, out: Path, clock: Callable[[], float]
    ) -> None:
        self.trainer, self.check, self.reader, self.out, self.clock = trainer, check, reader, out, clock
        self.log = Log(out, trainer.step, trainer.config.optim.steps)
        self.means = Means(**trainer.progress.get("means", {}))
        self.best = float(trainer.progress.get("best", -1.0))
        self.stale = int(trainer.progress.get("stale", 0))
        self._saved = self._checked = self._logged = clock()
        self._steps = 0
        self._moments = moment_steps(trainer.config)

    def after(self, values: dict[str, float]) -> None:
        """Do what is due after a step."""
        config, step = self.trainer.config, self.trainer.step
        self.means.add(values)
        self.log.step(values["loss"])
        self._steps += 1
        if step in self._moments:
            self._keep_average()
        if step % _LOG_EVERY == 0:
            now = self.clock()
            self.log.write("step", {"step": step, "s": (now - self._logged) / self._steps, **self.means.take()})
            self._logged, self._steps = now, 0
        if self._check_is_due(step):
            self.run_check(14)
            self._checked = self._logged = self.clock()
            self._steps = 0
        if self.clock() - self._saved > 60 * config.save_minutes:
            self.save()

    def _keep_average(self) -> None:
        """Write the averaged weights and the settings, which is all that `ris export` needs."""
        state = {k: v for k, v in self.trainer.state().items() if k not in ("model", "optimiser", "progress")}
        folder = self.out / "moments"
        folder.mkdir(exist_ok=True)
        save_checkpoint(folder / f"{self.trainer.step:06d}.pt", state)

    def _check_is_due(self, step: int) -> bool:
        config = self.trainer.config
        if config.check_steps:
            return step % config.check_steps == 0 and step < config.optim.steps
        return self.clock() - self._checked > 60 * config.check_minutes

    def run_check(self, limit: int, event: str = "check") -> dict[str, float]:
        """Run the check on `limit` expressions a picture; keep the weights if none were better; draw a grid."""
        trainer = self.trainer
        records = answers(trainer.averaged(), self.check, self.reader, limit, trainer.config.optim.bf16)
        values = summary(records)
        self.log.write(event, {"step": trainer.step, **values})
        score = _score(values) if records else float(trainer.step)  # nothing to check on: the latest is the best
        self.stale = 0 if score > self.best else self.stale + 1
        if score > self.best:
            self.best = score
            self.save("best.pt")
        if records and trainer.config.grid:
            self.log.grid(draw_grid(pick(records, trainer.config.grid), self.check), trainer.step)
        return values

    def enough(self) -> bool:
        """Whether `patience` checks have passed without a better one."""
        return 0 < self.trainer.config.patience <= self.stale

    def close(self) -> None:
        """Take the progress bar away and flush the curves."""
        self.log.close()

    def save(self, name: str = "last.pt") -> None:
        """Write a checkpoint."""
        self.trainer.progress = {"best": self.best, "stale": self.stale, "means": asdict(self.means)}
        save_checkpoint(self.out / name, self.trainer.state())
        if name == "last.pt":
            self._saved = self.clock()


def _score(values: dict[str, float]) -> float:
    """Return the score that the best checkpoint is kept by: masks first, then pointing, then refusals."""
    refused = [v for k, v in values.items() if k.startswith("refused_")]
    mean_refused = sum(refused) / len(refused) if refused else 0.0
    return values.get("miou", 0.0) + 0.3 * values.get("pointing", 0.0) + 0.3 * mean_refused
