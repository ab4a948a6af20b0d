# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Losses of TSMI: masks and regions, their alignment maps, the coarse maps, presence, contrast, auxiliary labels."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import torch
from torch.nn import functional as F  # noqa: N812

from ris_node.data.classes import CLASSES
from ris_node.models import losses
from ris_node.models.batch import UNKNOWN, Batch

# aligned: the alignment map A; kind and coarse: the stride-8 maps; meaning: the text's auxiliary labels; semantic and
# objects: those of pixels and cells. bce, dice and aligned weigh the parts of region, too.
WEIGHTS: Mapping[str, float] = {
    "bce": 3.0,
    "dice": 1.0,
    "aligned": 1.5,
    "kind": 1.0,
    "coarse": 1.0,
    "region": 1.0,
    "pointing": 0.5,
    "presence": 0.7,
    "contrast": 0.05,
    "meaning": 0.2,
    "semantic": 0.3,
    "objects": 1.0,
}


def tsmi_losses(
    outputs: Mapping[str, torch.Tensor], batch: Batch, weight: Mapping[str, float]
) -> dict[str, torch.Tensor]:
    """Return every weighted loss term by name.

    Masks are learnt from every row that has one, empty ones included; Dice only where there is something to overlap.
    """
    shown = batch.has_mask * (batch.masks.amax((1, 2)) > 0.5)
    placed = batch.has_region * (batch.regions.amax((1, 2)) > 0.5)
    every = torch.ones_like(shown)
    coarse = F.avg_pool2d(batch.masks.unsqueeze(1), 2).squeeze(1)
    named = (batch.kinds.amax((1, 2)) > 0.5).float()
    region = losses.pixel_bce(outputs["region_logits"], batch.regions, batch.has_region) * weight["bce"]
    region = region + losses.dice(outputs["region_logits"], batch.regions, placed) * weight["dice"]
    region = region + losses.pixel_bce(outputs["region_aligned"], batch.regions, batch.has_region) * weight["aligned"]
    kind = losses.pixel_bce(outputs["candidates"], batch.kinds, batch.has_kind) + 0.3 * losses.dice(
        outputs["candidates"], batch.kinds, named
    )
    where = losses.pixel_bce(outputs["coarse"], coarse, batch.has_mask)
    where = where + 0.5 * losses.dice(outputs["coarse"], coarse, shown)
    return {
        "bce": losses.pixel_bce(outputs["mask_logits"], batch.masks, batch.has_mask) * weight["bce"],
        "dice": losses.dice(outputs["mask_logits"], batch.masks, shown) * weight["dice"],
        "aligned": losses.pixel_bce(outputs["mask_aligned"], batch.masks, batch.has_mask) * weight["aligned"],
        "kind": kind * weight["kind"],
        "coarse": where * weight["coarse"],
        "region": region * weight["region"],
        "pointing": losses.pointing(outputs["region_logits"], batch.regions, placed) * weight["pointing"],
        "presence": losses.binary(outputs["presence_logit"], batch.presence, every) * weight["presence"],
        "contrast": losses.contrast(outputs["pooled"], outputs["sentence"], batch.masks, shown) * weight["contrast"],
        "meaning": _meaning(outputs, batch.meanings) * weight["meaning"],
        "semantic": _semantic(outputs["semantics"], batch.classes) * weight["semantic"],
        "objects": _objects(outputs["objects"], batch) * weight["objects"],
    }


def _meaning(outputs: Mapping[str, torch.Tensor], truth: torch.Tensor) -> torch.Tensor:
    """Return the cross-entropy over each auxiliary label set, summed; rows of unknown labels do not count."""
    total = outputs["sentence"].new_zeros(())
    for number, name in enumerate(sorted(name for name in outputs if name.startswith("meanings"))):
        own = truth[:, number]
        each = F.cross_entropy(outputs[name], own.clamp_min(0), reduction="none")
        total = total + losses.weighted_mean(each, (own != UNKNOWN).float())
    return total


@cache
def _class_weights(count: int) -> torch.Tensor:
    """Return a weight per class: things, which are small, count four times as much as stuff, void not at all."""
    known = [4.0 if each.nature == "thing" else 1.0 for each in CLASSES[:count]]
    weights = torch.tensor(known + [1.0] * (count - len(known)))
    weights[0] = 0.0
    return weights


def _semantic(logits: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
    weights = _class_weights(logits.shape[1]).to(logits.device)
    each = F.cross_entropy(logits, truth, weight=weights, reduction="sum")
    return each / weights[truth].sum().clamp_min(1.0)


def _objects(found: torch.Tensor, batch: Batch) -> torch.Tensor:
    """Return the mean distance of the cells' object attributes from the true ones, over cells that lie on an object."""
    each = F.smooth_l1_loss(found, batch.objects, reduction="none", beta=0.1).sum(1)
    return (each * batch.object_there).sum() / batch.object_there.sum().clamp_min(1.0)
