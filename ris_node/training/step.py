# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""One step of training: a batch through the network, and the sum of the losses."""

from __future__ import annotations

from typing import Any

import torch
from torch.nn import functional as F  # noqa: N812

from ris_node.models import losses
from ris_node.models.attention import MASKED
from ris_node.training.batches import Batch
from ris_node.training.config import LossConfig
from ris_node.training.words import WordFeatures


def run_batch(model: Any, batch: Batch, features: WordFeatures, bf16: bool) -> tuple[Any, torch.Tensor]:
    """Return the model's answers (one a row of the batch) and the sentence features f32[N,T]."""
    device = batch.images.device
    raw, mask = (part.to(device) for part in features(batch.texts))
    repeats = len(batch.texts) // len(batch.images)
    with torch.autocast(device.type, torch.bfloat16, enabled=bf16):
        seen = model.see(batch.images)
        seen = type(seen)(*(part.repeat_interleave(repeats, 0) for part in seen))
        words, sentence = model.adapter(raw, mask)
        answer = model.answer(seen, words, (1 - mask).to(words.dtype) * MASKED, sentence)
    return type(answer)(*(part.float() for part in answer)), sentence.float()


def batch_losses(answer: Any, sentence: torch.Tensor, batch: Batch, weight: LossConfig) -> dict[str, torch.Tensor]:
    """Return every weighted loss term by name.

    Masks are learnt from every row that has one, empty ones included; Dice only where there is something to overlap.
    """
    shown = batch.has_mask * (batch.masks.amax((1, 2)) > 0.5)
    placed = batch.has_region * (batch.regions.amax((1, 2)) > 0.5)
    coarse = F.avg_pool2d(batch.masks.unsqueeze(1), 4).squeeze(1)
    region = losses.pixel_bce(answer.region_logits, batch.regions, batch.has_region) * weight.bce
    region = region + losses.dice(answer.region_logits, batch.regions, placed) * weight.dice
    region = region + losses.pixel_bce(answer.region_aligned, batch.regions, batch.has_region) * weight.aligned
    return {
        "bce": losses.pixel_bce(answer.mask_logits, batch.masks, batch.has_mask) * weight.bce,
        "dice": losses.dice(answer.mask_logits, batch.masks, shown) * weight.dice,
        "aligned": losses.pixel_bce(answer.mask_aligned, batch.masks, batch.has_mask) * weight.aligned,
        "kind": losses.pixel_bce(answer.candidates, batch.kinds, torch.ones_like(shown)) * weight.kind,
        "coarse": losses.pixel_bce(answer.coarse, coarse, batch.has_mask) * weight.coarse,
        "region": region * weight.region,
        "presence": losses.binary(answer.presence_logit, batch.presence, torch.ones_like(shown)) * weight.presence,
        "contrast": losses.contrast(answer.pooled, sentence, batch.masks, shown) * weight.contrast,
    }
