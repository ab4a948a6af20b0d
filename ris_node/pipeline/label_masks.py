# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""An answer's masks in the forms in which they are published."""

from __future__ import annotations

from typing import Any

import numpy as np

from ris_node.pipeline.grounding import Grounding
from ris_node.types import U8, U16


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
