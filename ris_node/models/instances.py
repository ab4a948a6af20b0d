# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Object attributes of each cell (place and size), and their ranks among the objects of one kind.

Leftmost, nearest and largest compare objects, not pixels. Every stride-8 cell predicts the middle, the foot and the
area of the object it lies on (after the centre voting of instance segmentation); with the map of the kind that is
named, each cell is ranked by how far its object is from the first and the last of that kind.
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812

from ris_node.models.batch import ATTRIBUTES

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
