# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""One step of training: a batch through the network, and the sum of the losses."""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

import torch
from torch.nn import functional as F  # noqa: N812

from ris_node.models import losses
from ris_node.models.attention import MASKED
from ris_node.training.config import LossConfig
from ris_node.training.inputs.batches import Batch
from ris_node.training.inputs.labels import UNKNOWN, things
from ris_node.training.inputs.words import WordFeatures


class Understood(NamedTuple):
    """What was made of the texts (N rows) and of the pictures (B), beside the answers; only for the losses."""

    sentence: torch.Tensor  # [N,T]
    meanings: tuple[torch.Tensor, ...]  # logits [N,...] of each book
    semantics: torch.Tensor  # logits [B,classes,H/4,W/4]
    objects: torch.Tensor  # [B,4,N8]


def run_batch(model: Any, batch: Batch, features: WordFeatures, bf16: bool) -> tuple[Any, Understood]:
    """Return the model's answers (one a row of the batch) and what else it understood."""
    device = batch.images.device
    raw, mask = (part.to(device) for part in features(batch.texts))
    repeats = len(batch.texts) // len(batch.images)
    with torch.autocast(device.type, torch.bfloat16, enabled=bf16):
        seen = model.see(batch.images)
        read = model.adapter.read(raw, mask)
        semantics = model.semantics(seen)
        objects = seen.objects
        seen = type(seen)(*(part.repeat_interleave(repeats, 0) for part in seen))
        answer = model.answer(seen, read.words, (1 - mask).to(read.words.dtype) * MASKED, read.sentence)
    meanings = tuple(logits.float() for logits in read.meanings)
    understood = Understood(read.sentence.float(), meanings, semantics.float(), objects.float())
    return type(answer)(*(part.float() for part in answer)), understood


def batch_losses(answer: Any, understood: Understood, batch: Batch, weight: LossConfig) -> dict[str, torch.Tensor]:
    """Return every weighted loss term by name.

    Masks are learnt from every row that has one, empty ones included; Dice only where there is something to overlap.
    """
    shown = batch.has_mask * (batch.masks.amax((1, 2)) > 0.5)
    placed = batch.has_region * (batch.regions.amax((1, 2)) > 0.5)
    every = torch.ones_like(shown)
    coarse = F.avg_pool2d(batch.masks.unsqueeze(1), 2).squeeze(1)
    named = (batch.kinds.amax((1, 2)) > 0.5).float()
    region = losses.pixel_bce(answer.region_logits, batch.regions, batch.has_region) * weight.bce
    region = region + losses.dice(answer.region_logits, batch.regions, placed) * weight.dice
    region = region + losses.pixel_bce(answer.region_aligned, batch.regions, batch.has_region) * weight.aligned
    kind = losses.pixel_bce(answer.candidates, batch.kinds, batch.has_kind) + 0.3 * losses.dice(
        answer.candidates, batch.kinds, named
    )
    where = losses.pixel_bce(answer.coarse, coarse, batch.has_mask) + 0.5 * losses.dice(answer.coarse, coarse, shown)
    return {
        "bce": losses.pixel_bce(answer.mask_logits, batch.masks, batch.has_mask) * weight.bce,
        "dice": losses.dice(answer.mask_logits, batch.masks, shown) * weight.dice,
        "aligned": losses.pixel_bce(answer.mask_aligned, batch.masks, batch.has_mask) * weight.aligned,
        "kind": kind * weight.kind,
        "coarse": where * weight.coarse,
        "region": region * weight.region,
        "pointing": losses.pointing(answer.region_logits, batch.regions, placed) * weight.pointing,
        "presence": losses.binary(answer.presence_logit, batch.presence, every) * weight.presence,
        "contrast": losses.contrast(answer.pooled, understood.sentence, batch.masks, shown) * weight.contrast,
        "meaning": _meaning(understood.meanings, batch.meanings) * weight.meaning,
        "semantic": _semantic(understood.semantics, batch.classes) * weight.semantic,
        "objects": _objects(understood.objects, batch) * weight.objects,
    }


def _meaning(logits: tuple[torch.Tensor, ...], truth: torch.Tensor) -> torch.Tensor:
    """Cross-entropy of each book's choice, summed; rows whose entry is unknown do not count."""
    total = logits[0].new_zeros(())
    for number, book in enumerate(logits):
        own = truth[:, number]
        each = F.cross_entropy(book, own.clamp_min(0), reduction="none")
        total = total + losses.weighted_mean(each, (own != UNKNOWN).float())
    return total


@cache
def _class_weights(count: int) -> torch.Tensor:
    """Things, which are small, count four times as much as stuff; void counts nothing."""
    known = [4.0 if thing else 1.0 for thing in things()[:count]]
    weights = torch.tensor(known + [1.0] * (count - len(known)))
    weights[0] = 0.0
    return weights


def _semantic(logits: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
    weights = _class_weights(logits.shape[1]).to(logits.device)
    each = F.cross_entropy(logits, truth, weight=weights, reduction="sum")
    return each / weights[truth].sum().clamp_min(1.0)


def _objects(said: torch.Tensor, batch: Batch) -> torch.Tensor:
    """Mean distance of what cells say of their object from how it is, over cells that lie on one."""
    each = F.smooth_l1_loss(said, batch.objects, reduction="none", beta=0.1).sum(1)
    return (each * batch.object_there).sum() / batch.object_there.sum().clamp_min(1.0)
