# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Does the vehicle fit? Where in a patch of free cells its rectangle can stand."""

from __future__ import annotations

import cv2
import numpy as np

from ris_node.types import Bool


def vehicle_fits(free: Bool, yaw: float, length_cells: float, width_cells: float) -> Bool:
    """Return the cells Bool[R,C] on which the vehicle can be centred with all of it on free cells.

    The cells are turned so that the vehicle's sides run along rows and columns, eroded by its rectangle, and
    turned back; what lies outside of the patch is not free.

    Args:
        free: Bool[R,C].
        yaw: heading in radians from the direction of the rows (+row) towards that of the columns (+column).
        length_cells: length of the rectangle in cells.
        width_cells: its width in cells.
    """
    rows, columns = free.shape
    side = int(np.ceil(np.hypot(rows, columns))) + 2
    c, s = np.cos(yaw), np.sin(yaw)
    back = np.array([[c, s, 0.0], [-s, c, 0.0]])  # (column, row) turned -> (column, row) of the patch
    middle = (side - 1) / 2.0
    back[:, 2] = np.array([(columns - 1) / 2.0, (rows - 1) / 2.0]) - back[:, :2] @ [middle, middle]
    turned = cv2.warpAffine(
        free.astype(np.uint8), back, (side, side), flags=cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP, borderValue=0
    )
    kernel = np.ones((_covered(length_cells), _covered(width_cells)), dtype=np.uint8)
    eroded = cv2.erode(turned, kernel, borderType=cv2.BORDER_CONSTANT, borderValue=0)
    fits = cv2.warpAffine(eroded, back, (columns, rows), flags=cv2.INTER_NEAREST, borderValue=0)
    return np.asarray((fits > 0) & free, dtype=np.bool_)


def _covered(cells: float) -> int:
    """Return how many cells a side of so many cells touches when its middle is on a cell's centre."""
    return 2 * int(np.ceil(cells / 2.0 + 0.5 - 1e-6) - 1) + 1
