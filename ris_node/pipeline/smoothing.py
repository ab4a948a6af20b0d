# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Steadier masks from one frame to the next, for the same query only."""

from __future__ import annotations

from ris_node.pipeline.segmenter import RawAnswer
from ris_node.types import F32, Frame


class Smoother:
    """An exponential average of the logits; it starts afresh when the query, the size or the course of time changes."""

    def __init__(self) -> None:
        """Start with nothing seen."""
        self._key: tuple[str, int, int] | None = None
        self._stamp_ns = 0
        self._last: RawAnswer | None = None

    def reset(self) -> None:
        """Forget what was seen."""
        self._last = None

    def smooth(self, raw: RawAnswer, query_id: str, frame: Frame, weight: float) -> RawAnswer:
        """Mix an answer with the average so far, of which `weight` (0..1) is kept; 0 switches smoothing off."""
        key = (query_id, frame.width, frame.height)
        fits = key == self._key and frame.stamp_ns >= self._stamp_ns
        last = self._last if fits and weight > 0.0 else None
        if last is not None:

            def mix(new: F32, old: F32) -> F32:
                return new + weight * (old - new)

            presence = raw.presence_logit + weight * (last.presence_logit - raw.presence_logit)
            masks = mix(raw.mask_logits, last.mask_logits), mix(raw.region_logits, last.region_logits)
            raw = RawAnswer(*masks, presence)
        self._key, self._stamp_ns, self._last = key, frame.stamp_ns, raw
        return raw
