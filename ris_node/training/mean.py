# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""The mean of the running averages that a run kept at several moments: it answers better than the last of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from ris_node.errors import TrainingError
from ris_node.training.checkpoint import load_checkpoint
from ris_node.training.config import TrainConfig


def moment_steps(config: TrainConfig) -> frozenset[int]:
    """Return the steps after which a run keeps its running average: `moments` of them, evenly in its second half."""
    steps, count = config.optim.steps, config.moments
    return frozenset(round(steps * (0.5 + 0.5 * (k + 1) / count)) for k in range(count))


def checkpoints_in(paths: Sequence[Path]) -> list[Path]:
    """Return the files among `paths`, and those of the folders among them.

    Raises:
        TrainingError: a folder has no checkpoint.
    """
    found: list[Path] = []
    for path in paths:
        inside = sorted(path.glob("*.pt")) if path.is_dir() else [path]
        if not inside:
            raise TrainingError(f"{path} has no checkpoint (*.pt); name one, or set `moments` and train")
        found += inside
    return found


def load_mean(paths: Sequence[Path]) -> dict[str, Any]:
    """Read checkpoints of one network as one content: the latest's, with the mean of all running averages.

    Raises:
        TrainingError: one cannot be read, or is of another network.
    """
    contents = [(path, load_checkpoint(path)) for path in checkpoints_in(paths)]
    contents.sort(key=lambda pair: int(pair[1]["step"]))
    last = dict(contents[-1][1])
    for path, content in contents:
        if content["graph"] != last["graph"] or content["settings"] != last["settings"]:
            raise TrainingError(f"{path} is of a network with other settings than {contents[-1][0]}: name one run's")
    averages = [content["average"] for _, content in contents]
    last["average"] = {name: _mean([average[name] for average in averages]) for name in averages[-1]}
    last["mean_of"] = [int(content["step"]) for _, content in contents]
    return last


def _mean(values: Sequence[torch.Tensor]) -> torch.Tensor:
    if len(values) == 1 or not values[-1].is_floating_point():
        return values[-1]
    return torch.stack([value.double() for value in values]).mean(0).to(values[-1].dtype)
