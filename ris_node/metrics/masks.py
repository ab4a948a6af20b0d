# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Two masks beside each other, where no counts over samples are wanted."""

from __future__ import annotations

import numpy as np

from ris_node.types import Bool


def mask_iou(first: Bool, second: Bool) -> float:
    """Intersection over union of two masks bool[H,W]; 1 where both are empty."""
    union = int(np.count_nonzero(first | second))
    return float(np.count_nonzero(first & second)) / union if union else 1.0
