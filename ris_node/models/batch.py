# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Batch: the pictures, texts and truths that every system learns from, and the encoding of the auxiliary labels."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import torch

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
