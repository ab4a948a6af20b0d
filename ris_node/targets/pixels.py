# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""A goal in pixels, for when no camera is known."""

from __future__ import annotations

import cv2
import numpy as np

from ris_node.types import F32, Bool

_RIDGE = 0.9


def interior_point(mask: Bool | F32, level: float = 0.5) -> tuple[float, float] | None:
    """Return the most interior point (x, y) in pixels of a mask's most probable component.

    Args:
        mask: Bool[H,W], or probability f32[H,W]: then a place counts by how far inside and how probable it is.
        level: what exceeds it belongs to the mask.

    Returns:
        The middle of the ridge farthest from the component's edge (the image's border is an edge too), always on
        the component itself; None for an empty mask.
    """
    weight = np.asarray(mask, dtype=np.float32)
    inside = (weight > level).astype(np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(inside, connectivity=8)
    if count < 2:
        return None
    if count == 2:
        best = 1
    else:
        mass = np.bincount(labels.ravel(), weights=weight.ravel(), minlength=count)
        best = int(mass[1:].argmax()) + 1
    left, top, width, height = (int(n) for n in stats[best, :4])
    piece = labels[top : top + height, left : left + width] == best
    depth = cv2.distanceTransform(np.pad(piece, 1).astype(np.uint8), cv2.DIST_L2, 5)[1:-1, 1:-1]
    worth = depth * weight[top : top + height, left : left + width]
    ridge = np.argwhere(worth >= _RIDGE * worth.max())
    middle = ridge.mean(axis=0)
    y, x = ridge[np.hypot(*(ridge - middle).T).argmin()]
    return float(x + left), float(y + top)
