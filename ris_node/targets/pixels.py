# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""A goal in pixels, for when no camera is known."""

from __future__ import annotations

import cv2
import numpy as np

from ris_node.types import F32, Bool

_RIDGE = 0.9
_AROUND = 1 / 16, 1 / 53  # of the plane's width: how far to the sides and up and down a place's surroundings count


def interior_point(mask: Bool | F32) -> tuple[float, float] | None:
    """Return the most interior point (x, y) in pixels of a mask's most probable component.

    Args:
        mask: Bool[H,W], or probability f32[H,W], of which what exceeds 0.5 counts.

    Returns:
        The middle of the ridge farthest from the component's edge (the image's border is an edge too), always on
        the component itself; None for an empty mask.
    """
    weight = np.asarray(mask, dtype=np.float32)
    inside = (weight > 0.5).astype(np.uint8)
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
    ridge = np.argwhere(depth >= _RIDGE * depth.max())
    middle = ridge.mean(axis=0)
    y, x = ridge[np.hypot(*(ridge - middle).T).argmin()]
    return float(x + left), float(y + top)


def likeliest_point(probability: F32, level: float) -> tuple[float, float] | None:
    """Return the point (x, y) of a region around which the most probability lies.

    On held-out pictures it lay in the true region more often than the most interior point and the highest pixel, and
    with surroundings that are three times as wide as high, as ground is seen, more often than with round ones.

    Args:
        probability: f32[H,W].
        level: what exceeds it belongs to the region.

    Returns:
        Where the probability, blurred by a Gaussian of a 16th of the width across and a 53rd up and down, is highest on
        the region, between pixels too (regions far away are a pixel high here); None where there is none.
    """
    inside = probability > level
    if not inside.any():
        return None
    across, down = (share * probability.shape[1] for share in _AROUND)
    blurred = cv2.GaussianBlur(probability, (0, 0), sigmaX=across, sigmaY=down, borderType=cv2.BORDER_CONSTANT)
    around: F32 = np.asarray(blurred, dtype=np.float32)
    y, x = (int(n) for n in np.unravel_index(int(np.where(inside, around, -1.0).argmax()), probability.shape))
    return x + _summit(around[y, max(0, x - 1) : x + 2]), y + _summit(around[max(0, y - 1) : y + 2, x])


def _summit(three: F32) -> float:
    """Where the parabola through three neighbours is highest, from the middle one, at most half a step away."""
    if len(three) < 3:
        return 0.0
    before, here, after = (float(v) for v in three)
    bend = before - 2.0 * here + after
    return float(np.clip(0.5 * (before - after) / bend, -0.5, 0.5)) if bend < 0.0 else 0.0
