# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Probability planes at the image's size: logits are interpolated, as for masks, and a table does the rest."""

from __future__ import annotations

import cv2
import numpy as np

from ris_node.pipeline.letterbox import Letterbox
from ris_node.pipeline.segmenter import sigmoid
from ris_node.types import F32, U8

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
