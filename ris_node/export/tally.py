# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""What another precision of the vision graph costs: its answers beside float32's, and both beside the truth."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ris_node.bundle import Thresholds
from ris_node.data.evalset import EvalItem
from ris_node.export.onnx_edit import Array
from ris_node.metrics.segmentation import mask_iou
from ris_node.pipeline.letterbox import Letterbox
from ris_node.pipeline.segmenter import sigmoid
from ris_node.types import F32

NAMES = ("fp32", "int8")


class Tally:
    """Counts pairs of raw answers (of float32, of the other) to evaluation items."""

    def __init__(self, thresholds: Thresholds, size: tuple[int, int]) -> None:
        """Count with a bundle's thresholds; `size` is the input's width and height."""
        self._at, self._size = thresholds, size
        self._ious: dict[str, list[float]] = {name: [] for name in NAMES}
        self._hits: dict[str, list[bool]] = {name: [] for name in NAMES}
        self._alike: list[float] = []
        self._found_alike: list[float] = []
        self._same: list[bool] = []

    def add(self, item: EvalItem, exact: Mapping[str, Array], other: Mapping[str, Array]) -> None:
        """Count one item; an answer below the presence threshold is an empty mask, and two of these agree."""
        present = [_chance(out["presence_logit"]) >= self._at.presence for out in (exact, other)]
        which, level = ("region_logits", self._at.region) if item.type == "region" else ("mask_logits", self._at.mask)
        masks = [_map(out[which]) > level for out in (exact, other)]
        shown = [mask & there for mask, there in zip(masks, present, strict=True)]
        self._same.append(present[0] == present[1])
        self._alike.append(mask_iou(*shown))
        if present[0]:
            self._found_alike.append(self._alike[-1])
        box = Letterbox.fit(item.width, item.height, *self._size)
        truth, region = item.mask_truth(), item.region_truth()
        for name, out, there in zip(NAMES, (exact, other), present, strict=True):
            if item.present and item.type == "object" and truth is not None:
                whole = box.restore(_map(out["mask_logits"])) > self._at.mask
                self._ious[name].append(mask_iou(whole, truth) if there else 0.0)
            if item.present and region is not None:
                whole_region = box.restore(_map(out["region_logits"]))
                best = np.unravel_index(int(whole_region.argmax()), whole_region.shape)
                self._hits[name].append(bool(there and region[best]))

    def result(self) -> dict[str, Any]:
        """Return the JSON-ready numbers; `pointing`: whether the likeliest pixel lies in the true region."""
        return {
            "items": len(self._same),
            "miou": {name: _mean(values) for name, values in self._ious.items()},
            "pointing": {name: _mean(values) for name, values in self._hits.items()},
            "mask_iou": _mean(self._alike),
            "mask_iou_where_found": _mean(self._found_alike),
            "same_presence": _mean(self._same),
        }


def _map(logits: Array) -> F32:
    return sigmoid(np.asarray(logits[0], np.float32))


def _chance(logit: Array) -> float:
    return float(sigmoid(np.asarray(logit, np.float32).ravel())[0])


def _mean(values: Any) -> float:
    return round(float(np.mean(values)), 4) if len(values) else 0.0
