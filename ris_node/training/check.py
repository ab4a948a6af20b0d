# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Running check: the model on held-out training pictures, at network scale, every few minutes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from ris_node.metrics.segmentation import mask_iou
from ris_node.models.base import OUTPUTS, System, TextReader
from ris_node.training.inputs.batches import collate
from ris_node.training.inputs.items import TrainingItem
from ris_node.types import F32, Bool


@dataclass(frozen=True, kw_only=True, eq=False)
class Record:
    """Answer to one expression of picture number `picture`, and the truth (None: unknown), maps [H/4,W/4]."""

    picture: int
    text: str
    kind: str
    present: bool
    presence: float  # and `mask`, `region`: probabilities
    mask: F32
    region: F32
    true_mask: Bool | None
    true_region: Bool | None

    @property
    def is_command(self) -> bool:
        """Whether it is a command to the vehicle: those have a region, if only an empty one."""
        return self.true_region is not None

    @property
    def mask_truth(self) -> Bool | None:
        """Mask to measure by: of a target that is there; a command is measured by its region."""
        return None if self.is_command or not self.present or self.true_mask is None else _filled(self.true_mask)

    @property
    def region_truth(self) -> Bool | None:
        """Region to measure by, of a command that can be followed."""
        return None if not self.present or self.true_region is None else _filled(self.true_region)


def answers(
    model: System, pictures: Sequence[TrainingItem], reader: TextReader, limit: int, bf16: bool
) -> list[Record]:
    """Run up to `limit` expressions of each picture; return a record of each."""
    was_training = model.training
    model.eval()
    device = next(model.parameters()).device
    records: list[Record] = []
    for number, picture in enumerate(pictures):
        rows = np.random.default_rng(number).permutation(len(picture.texts))[:limit]
        batch = collate([picture], [rows.tolist()], [picture.image])
        with torch.no_grad():
            outputs = model.run(batch.to(device), reader, bf16)
        mask, region, presence = (torch.sigmoid(outputs[name].cpu()) for name in OUTPUTS)
        for i in range(len(rows)):
            records.append(
                Record(
                    picture=number,
                    text=batch.texts[i],
                    kind=batch.names[i],
                    present=bool(batch.presence[i]),
                    presence=float(presence[i]),
                    mask=mask[i].numpy(),
                    region=region[i].numpy(),
                    true_mask=(batch.masks[i] >= 0.5).numpy() if batch.has_mask[i] else None,
                    true_region=(batch.regions[i] >= 0.5).numpy() if batch.has_region[i] else None,
                )
            )
    model.train(was_training)
    return records


def summary(records: Sequence[Record], mask_at: float = 0.5, presence_at: float = 0.5) -> dict[str, float]:
    """Return mean IoU by kind, shares found and refused, whether texts make a difference, and the region's pointing."""
    out: dict[str, list[float]] = {}
    for record in records:
        found = record.presence >= presence_at
        if record.present:
            out.setdefault("found", []).append(float(found))
        else:
            out.setdefault(f"refused_{record.kind}", []).append(float(not found))
        if (truth := record.mask_truth) is not None:
            value = mask_iou(record.mask >= mask_at, truth) if found else 0.0
            out.setdefault(f"miou_{record.kind}", []).append(value)
            out.setdefault("miou", []).append(value)
        if (region := record.region_truth) is not None:
            out.setdefault("pointing", []).append(float(region.flat[int(record.region.argmax())]))
            out.setdefault("region_iou", []).append(mask_iou(record.region >= mask_at, region))
    result = {name: float(np.mean(values)) for name, values in sorted(out.items())}
    result["listens"] = _listens(records, mask_at)
    return result


def _filled(truth: Bool) -> Bool | None:
    return truth if truth.any() else None


def _listens(records: Sequence[Record], mask_at: float) -> float:
    by_picture: dict[int, list[tuple[Bool, Bool]]] = {}
    for record in records:
        if record.present and record.true_mask is not None and not record.is_command:
            by_picture.setdefault(record.picture, []).append((record.true_mask, record.mask >= mask_at))
    good = total = 0
    for pairs in by_picture.values():
        for i, (truth, given) in enumerate(pairs):
            for other_truth, other_given in pairs[:i]:
                if mask_iou(truth, other_truth) < 0.1:
                    total += 1
                    good += mask_iou(given, other_given) < 0.3
    return good / total if total else float("nan")
