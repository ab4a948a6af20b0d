# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Batch: the pictures, texts and truths that every system learns from; its auxiliary labels, and ranks of objects.

Leftmost, nearest and largest compare objects, not pixels. Every stride-8 cell predicts the middle, the foot and the
area of the object it lies on (after the centre voting of instance segmentation); with the map of the kind that is
named, each cell is ranked by how far its object is from the first and the last of that kind.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812

UNKNOWN = -1  # a label that nothing is learnt from
ATTRIBUTES = 4  # of a cell's object: x and y of the middle, y of the foot, log area; all about [-1, 1]
AREA_CENTRE, AREA_SPREAD = -4.6, 2.3  # log of the share of the picture: 1 % is 0, 10 % is 1, 0.1 % is -1


@dataclass(frozen=True, kw_only=True)
class Batch:
    """B images with K expressions each, flattened to N = B*K rows in the order of the images.

    `images` u8[B,H,W,3]; `texts` and `names` (the kind of each expression) of N; maps f32 at strides 4 (`masks`,
    `regions`) and 8 (`kinds`: all things of the class that is named); `presence` and the weights `has_mask`,
    `has_region`, `has_kind` of each truth f32[N]. Auxiliary labels of the texts: `meanings` i64[N,3] (class, form and
    manoeuvre), `UNKNOWN` where not known; of the images: `classes` i64[B,H/4,W/4] (0: not known) and `objects`
    f32[B,4,N8] (see `ATTRIBUTES`) where `object_there` f32[B,N8] is 1.
    """

    images: torch.Tensor
    texts: tuple[str, ...]
    names: tuple[str, ...]
    masks: torch.Tensor
    regions: torch.Tensor
    kinds: torch.Tensor
    presence: torch.Tensor
    has_mask: torch.Tensor
    has_region: torch.Tensor
    has_kind: torch.Tensor
    meanings: torch.Tensor
    classes: torch.Tensor
    objects: torch.Tensor
    object_there: torch.Tensor

    @property
    def repeats(self) -> int:
        """Number of expressions of each image."""
        return len(self.texts) // len(self.images)

    def to(self, device: torch.device) -> Batch:
        """Return the batch with its tensors on `device`."""
        if device.type == "cpu":
            return self
        tensors = {f.name: getattr(self, f.name) for f in fields(self)}
        moved = {k: v.to(device, non_blocking=True) for k, v in tensors.items() if isinstance(v, torch.Tensor)}
        return replace(self, **moved)


_RANKED = (0, 2, 3)  # x, foot, area


class ObjectHead(nn.Module):  # type: ignore[misc]
    """Predicts attributes of each cell's object, f32[B,4,h,w] (see `ATTRIBUTES`), from stride-8 features."""

    def __init__(self, width: int, height8: int, width8: int) -> None:
        super().__init__()
        self.inner = nn.Conv2d(width, width, 3, padding=1)
        self.out = nn.Conv2d(width, ATTRIBUTES, 1)
        y = ((torch.arange(height8) + 0.5) / height8 * 2 - 1).view(1, -1, 1).expand(1, height8, width8)
        x = ((torch.arange(width8) + 0.5) / width8 * 2 - 1).view(1, 1, -1).expand(1, height8, width8)
        self.register_buffer("place", torch.cat([x, y, y, torch.zeros_like(x)]), persistent=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map [B,C,h,w] to attributes [B,4,h,w]; places are predicted relative to the cell's own."""
        return self.out(torch.relu(self.inner(torch.relu(x)))) + self.place


class Ranks(nn.Module):  # type: ignore[misc]
    """Ranks of each cell's object among those of the named kind: [B,N,13].

    The chance to be of the kind, three attributes (x, foot, area), their distance from the kind's lowest and highest
    value, and from its mean. A cell that is hardly of the kind pays a penalty, so that it neither is first nor last.
    """

    features = 13

    def forward(self, kind: torch.Tensor, objects: torch.Tensor) -> torch.Tensor:
        """Rank from kind logits [B,N] and attributes [B,4,N]."""
        chance = torch.sigmoid(kind).unsqueeze(1)
        value = torch.cat([objects[:, i : i + 1] for i in _RANKED], 1)
        penalty = 0.5 * F.softplus(-kind).unsqueeze(1)
        lowest = (value + penalty).amin(2, keepdim=True)
        highest = (value - penalty).amax(2, keepdim=True)
        mean = (value * chance).sum(2, keepdim=True) / (chance.sum(2, keepdim=True) + 0.5)
        parts = [chance, value, torch.relu(value - lowest), torch.relu(highest - value), value - mean]
        return torch.cat(parts, 1).clamp(-2.0, 2.0).transpose(1, 2)


def apart(objects: torch.Tensor, middle: torch.Tensor) -> torch.Tensor:
    """Return the squared distance, at most 1, of each cell's object's middle from a point [B,2], as [B,N]."""
    away = objects[:, :2] - middle.unsqueeze(2)
    return (away * away).sum(1).clamp_max(1.0)
