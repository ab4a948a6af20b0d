# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""The files that a run begins with: weights that are named or came with the package, or a bare trunk."""

from __future__ import annotations

from pathlib import Path

from ris_node.data.sets import locate
from ris_node.errors import DataError, TrainingError
from ris_node.share import share_folders
from ris_node.training.config import PACKAGED, TrainConfig

_WEIGHTS = Path("train/default.safetensors")


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
