# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Checkpoints, whole or not there, the mean of several, and files of a trained network's weights alone.

Reading one runs no code of it. Weights alone (`ris export --weights`) are small, in half precision.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from ris_node.atomic import replacing
from ris_node.errors import TrainingError

SCHEMA = 1
SUFFIX = ".safetensors"  # of weights alone
_WEIGHTS_SCHEMA = "ris_node weights 1"


def save_checkpoint(path: Path, content: dict[str, Any]) -> None:
    """Write `content` (tensors, numbers, strings, nested mappings) to `path` atomically."""
    with replacing(path) as beside:
        torch.save({"schema": SCHEMA, **content}, beside)


def load_checkpoint(path: Path) -> dict[str, Any]:
    """Read what `save_checkpoint` wrote; no code in the file is run.

    Raises:
        TrainingError: the file is missing, damaged, or of another schema.
    """
    if not path.is_file():
        raise TrainingError(f"no checkpoint at {path}; train first, or name another run folder")
    try:
        content: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        raise TrainingError(f"checkpoint {path} cannot be read ({error}); use an older one") from error
    if content.get("schema") != SCHEMA:
        raise TrainingError(f"checkpoint {path} has schema {content.get('schema')}, this version reads {SCHEMA}")
    return content


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


def save_weights(path: Path, content: dict[str, Any]) -> None:
    """Write the averaged weights of a checkpoint's content in half precision, with the network's settings and trunk."""
    half = {k: (v.half() if v.is_floating_point() else v).contiguous() for k, v in content["average"].items()}
    about = {"schema": _WEIGHTS_SCHEMA, "settings": json.dumps(content["settings"]), "graph": content["graph"]}
    with replacing(path) as beside:
        save_file(half, beside, metadata=about)


def load_weights(path: Path) -> dict[str, Any]:
    """Read what `save_weights` wrote, as the part of a checkpoint's content that a new run begins with.

    Raises:
        TrainingError: the file is missing, damaged, or was written by something else.
    """
    if not path.is_file():
        raise TrainingError(f"no weights at {path}; correct `init`, or leave it out to begin with the trunk alone")
    try:
        with safe_open(str(path), "pt") as file:
            about = file.metadata() or {}
            average = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  # it is no mapping
    except (OSError, SafetensorError) as error:
        raise TrainingError(f"weights {path} cannot be read ({error}); fetch the file again") from error
    if about.get("schema") != _WEIGHTS_SCHEMA:
        raise TrainingError(f"{path} holds no weights of `ris export --weights`; name such a file, or a checkpoint")
    average = {k: v.float() if v.dtype == torch.float16 else v for k, v in average.items()}
    return {"settings": json.loads(about["settings"]), "graph": about["graph"], "average": average}
