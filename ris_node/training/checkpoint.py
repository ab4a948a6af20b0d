# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Checkpoints that are whole or not there: written beside, synced, then renamed over the old one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from ris_node.atomic import replacing
from ris_node.errors import TrainingError

SCHEMA = 1


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
