# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Running check: the model on held-out training pictures, at network scale, every few minutes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from ris_node.metrics.masks import mask_iou
from ris_node.models.base import OUTPUTS, System, TextReader
from ris_node.training.inputs.batches import collate
from ris_node.training.inputs.items import TrainingItem
from ris_node.types import F32, Bool


def answers(
    model: System, pictures: Sequence[TrainingItem], reader: TextReader, limit: int, bf16: bool
) -> list[dict[str, Any]]:
    """Run up to `limit` expressions of each picture; one record each with truth and probabilities at stride 4."""
    was_training = model.training
    model.eval()
    device = next(model.parameters()).device
    records: list[dict[str, Any]] = []
    for number, picture in enumerate(pictures):
        rows = np.random.default_rng(number).permutation(len(picture.texts))[:limit]
        batch = collate([picture], [rows.tolist()], [picture.image])
        with torch.no_grad():
            outputs = model.run(batch.to(device), reader, bf16)
        mask, region, presence = (torch.sigmoid(outputs[name].cpu()) for name in OUTPUTS)
        for i in range(len(rows)):
            records.append(
                {
                    "picture": number,
                    "text": batch.texts[i],
                    "kind": batch.names[i],
                    "presence": float(presence[i]),
                    "mask": mask[i].numpy(),
                    "region": region[i].numpy(),
                    "true_mask": (batch.masks[i] >= 0.5).numpy() if batch.has_mask[i] else None,
                    "true_region": (batch.regions[i] >= 0.5).numpy() if batch.has_region[i] else None,
                    "present": bool(batch.presence[i]),
                }
            )
    model.train(was_training)
    return records


def summary(records: list[dict[str, Any]], mask_at: float = 0.5, presence_at: float = 0.5) -> dict[str, float]:
    """Return mean IoU by kind, shares found and refused, whether texts make a difference, and the region's pointing."""
    out: dict[str, list[float]] = {}
    for record in records:
        said = record["presence"] >= presence_at
        if record["present"]:
            out.setdefault("found", []).append(float(said))
        else:
            out.setdefault(f"refused_{record['kind']}", []).append(float(not said))
        true = record["true_mask"]
        if record["present"] and true is not None and true.any() and record["true_region"] is None:
            value = mask_iou(record["mask"] >= mask_at, true) if said else 0.0
            out.setdefault(f"miou_{record['kind']}", []).append(value)
            out.setdefault("miou", []).append(value)
        region = record["true_region"]
        if record["present"] and region is not None and region.any():
            out.setdefault("pointing", []).append(float(region.flat[int(record["region"].argmax())]))
            out.setdefault("region_iou", []).append(mask_iou(record["region"] >= mask_at, region))
    result = {name: float(np.mean(values)) for name, values in sorted(out.items())}
    result["listens"] = _listens(records, mask_at)
    return result


def _listens(records: list[dict[str, Any]], mask_at: float) -> float:
    by_picture: dict[int, list[tuple[Bool, F32]]] = {}
    for record in records:
        if record["present"] and record["true_mask"] is not None and record["true_region"] is None:
            by_picture.setdefault(record["picture"], []).append((record["true_mask"], record["mask"] >= mask_at))
    good = total = 0
    for pairs in by_picture.values():
        for i, (truth, given) in enumerate(pairs):
            for other_truth, other_given in pairs[:i]:
                if mask_iou(truth, other_truth) < 0.1:
                    total += 1
                    good += mask_iou(given, other_given) < 0.3  # type: ignore[arg-type]
    return good / total if total else float("nan")
