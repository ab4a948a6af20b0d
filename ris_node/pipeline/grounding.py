# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Answer to a command for one frame; its images are computed when somebody asks for them, and as they are published.

Probability planes are at the image's size: logits are interpolated, as for masks, and a table does the rest.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import cv2
import numpy as np

from ris_node.pipeline.instances import Pieces
from ris_node.pipeline.letterbox import Letterbox
from ris_node.pipeline.segmenter import sigmoid
from ris_node.types import F32, U8, U16, Bool, Frame, Instance, Query, RegionTarget, Status, Timing

_REACH = 12.0  # logits beyond are as good as certain
_SHARES = sigmoid(np.linspace(-_REACH, _REACH, 256, dtype=np.float32))
_BYTES = np.rint(_SHARES * 255.0).astype(np.uint8)


def probability_bytes(box: Letterbox, logits: F32) -> U8:
    """Probability in 1/255 of a logit plane f32[H/4,W/4], u8[height,width] at the source's size."""
    return np.asarray(cv2.LUT(_steps(box.restore(logits)), _BYTES), np.uint8)


def probability(restored: F32) -> F32:
    """Probability of logits f32[H,W], f32[H,W]; good to 0.015."""
    return np.asarray(cv2.LUT(_steps(restored), _SHARES), np.float32)


def _steps(restored: F32) -> U8:
    raised = np.maximum(restored, -_REACH)
    return np.asarray(cv2.convertScaleAbs(raised, alpha=127.5 / _REACH, beta=127.5), np.uint8)  # saturates above


@dataclass(frozen=True)
class Planes:
    """What the masks are made of: logits f32[H/4,W/4] and the letterbox that leads back to the image."""

    box: Letterbox
    mask_logits: F32
    pieces: Pieces = field(default_factory=Pieces)
    region_logits: F32 | None = None
    region_pieces: Pieces = field(default_factory=Pieces)


@dataclass(frozen=True)
class Grounding:
    """Where a command's referent is in one image, and where the vehicle should go.

    Masks have the size of the input image and are empty unless something was found. `point` (x, y) in pixels is the
    goal that would be published (region queries) or the referent's most interior pixel (object queries); it and
    `target` are None unless the status is PRESENT.
    """

    query: Query
    status: Status
    presence: float
    instances: tuple[Instance, ...]
    width: int
    height: int
    stamp_ns: int = 0
    frame_id: str = ""
    timing: Timing = field(default_factory=Timing)
    model_id: str = ""
    message: str = ""
    target: RegionTarget | None = None
    point: tuple[float, float] | None = None
    planes: Planes | None = field(default=None, repr=False, compare=False)

    @classmethod
    def blank(cls, frame: Frame, query: Query, model_id: str) -> Grounding:
        """Return the grounding of a frame before anything was looked for; `dataclasses.replace` fills it in."""
        return cls(
            query=query,
            status=Status.NO_QUERY,
            presence=0.0,
            instances=(),
            width=frame.width,
            height=frame.height,
            stamp_ns=frame.stamp_ns,
            frame_id=frame.frame_id,
            model_id=model_id,
        )

    @property
    def found(self) -> bool:
        """Whether something that fits is in the picture: PRESENT or AMBIGUOUS."""
        return self.status in (Status.PRESENT, Status.AMBIGUOUS)

    @cached_property
    def instance_map(self) -> U16:
        """`Instance.instance_id` of each pixel, u16[H,W]; 0 where there is none."""
        pieces = self.planes.pieces if self.planes else Pieces()
        return pieces.paste(self.height, self.width).astype(np.uint16)

    @cached_property
    def mask(self) -> Bool:
        """The referent's pixels, bool[H,W]."""
        pieces = self.planes.pieces if self.planes else Pieces()
        return pieces.paste(self.height, self.width) > 0

    @cached_property
    def confidence(self) -> U8:
        """The referent's probability in each pixel, u8[H,W], 255 = certain; 0 everywhere where nothing was found."""
        return self._probability(self.planes.mask_logits if self.planes else None, bool(self.instances))

    @cached_property
    def region_mask(self) -> Bool:
        """Where the vehicle should go, bool[H,W]; empty for object queries."""
        pieces = self.planes.region_pieces if self.planes else Pieces()
        return pieces.paste(self.height, self.width) > 0

    @cached_property
    def region_confidence(self) -> U8:
        """The region's probability in each pixel, u8[H,W]; 0 everywhere where there is no region."""
        planes = self.planes
        found = planes is not None and bool(planes.region_pieces.instances)
        return self._probability(planes.region_logits if planes else None, found)

    def _probability(self, logits: F32 | None, found: bool) -> U8:
        if logits is None or not found or self.planes is None:
            return np.zeros((self.height, self.width), np.uint8)
        return probability_bytes(self.planes.box, logits)


def label_mask(grounding: Grounding) -> U8:
    """Class ids u8[H,W] as in `ris_node.interface.LABELS`: 0 none, 1 the referent, 2 the region beside it."""
    labels: U8 = grounding.mask.astype(np.uint8)
    labels[grounding.region_mask & (labels == 0)] = 2
    return labels


def binary(mask: Any) -> U8:
    """A mask bool[H,W] as u8[H,W] of 0 and 255."""
    out: U8 = np.asarray(mask, np.bool_).view(np.uint8) * np.uint8(255)
    return out


def instance_mask(grounding: Grounding) -> U16:
    """Instance ids u16[H,W], 0 none."""
    return grounding.instance_map
