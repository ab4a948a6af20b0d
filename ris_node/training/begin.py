# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Beginning of a run: from a checkpoint, from weights that are named or packaged, or from a bare trunk."""

from __future__ import annotations

from pathlib import Path

import torch
from accelerate import Accelerator

from ris_node.data.location import locate
from ris_node.errors import DataError, TrainingError
from ris_node.models.registry import find_system, model_config
from ris_node.share import share_folders
from ris_node.training.checkpoint import SUFFIX, load_checkpoint, load_weights
from ris_node.training.config import PACKAGED, TrainConfig
from ris_node.training.loop import Trainer

_WEIGHTS = Path("train/default.safetensors")


def start(config: TrainConfig, resume: Path | None = None, team: Accelerator | None = None) -> Trainer:
    """Make a trainer: from the checkpoint to resume, from that or the weights of `config.init`, or from the trunk.

    Raises:
        TrainingError: the checkpoint or the trunk cannot be used.
    """
    kind, settings = find_system(config.model), model_config(config.model, config.settings)
    begun = None if resume or not config.init else begins_with(config)
    source = resume or begun
    torch.manual_seed(config.seed)
    if source is None:
        return Trainer(config, kind.begin(settings, lambda: find_trunk(config)), team)
    content = load_weights(source) if source == begun and source.suffix == SUFFIX else load_checkpoint(source)
    try:
        trainer = Trainer(config, kind.rebuild(settings, content["graph"]), team)
        trainer.restore(content) if resume else trainer.begin_with(content)
    except (RuntimeError, ValueError) as error:
        raise TrainingError(f"{source} is of a network with other settings ({error}); use its own") from error
    return trainer


def begins_with(config: TrainConfig) -> Path:
    """Return the file that `init` names.

    Raises:
        TrainingError: the packaged weights are wanted and this installation has none.
    """
    return packaged_weights() if config.init == PACKAGED else Path(config.init)


def packaged_weights() -> Path:
    """Return the file of the packaged network's weights.

    Raises:
        TrainingError: this installation has none.
    """
    folders = share_folders("config")
    found = next((folder / _WEIGHTS for folder in folders if (folder / _WEIGHTS).is_file()), None)
    if found is None:
        looked = ", ".join(str(folder / _WEIGHTS) for folder in folders) or "there is no configuration folder"
        raise TrainingError(f"no packaged weights ({looked}): install ris_node again, or let `init` name a file")
    return found


def find_trunk(config: TrainConfig) -> Path:
    """Return the file of the network that `trunk` names: a path, or a file of a public set.

    Raises:
        TrainingError: it is not there.
    """
    if Path(config.trunk).is_file():
        return Path(config.trunk)
    hint = f"write `init: {PACKAGED}` to begin with the packaged weights instead"
    try:
        return locate(config.trunk)
    except DataError as error:
        raise TrainingError(f"trunk {config.trunk!r}: {error}; or {hint}") from error
