# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""A trained network's weights to begin another run with: small, and read without running code."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from ris_node.atomic import replacing
from ris_node.errors import TrainingError

SUFFIX = ".safetensors"
_SCHEMA = "ris_node weights 1"


def save_weights(path: Path, content: dict[str, Any]) -> None:
    """Write the averaged weights of a checkpoint's content in half precision, with the network's settings and trunk."""
    half = {k: (v.half() if v.is_floating_point() else v).contiguous() for k, v in content["average"].items()}
    about = {"schema": _SCHEMA, "settings": json.dumps(content["settings"]), "graph": content["graph"]}
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
    if about.get("schema") != _SCHEMA:
        raise TrainingError(f"{path} holds no weights of `ris export --weights`; name such a file, or a checkpoint")
    average = {k: v.float() if v.dtype == torch.float16 else v for k, v in average.items()}
    return {"settings": json.loads(about["settings"]), "graph": about["graph"], "average": average}
