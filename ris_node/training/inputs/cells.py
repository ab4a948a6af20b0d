# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Auxiliary labels of a picture, whatever the text: every pixel's class, and attributes of every cell's object."""

from __future__ import annotations

import cv2
import numpy as np

from ris_node.data.annotated import Annotated
from ris_node.data.classes import CLASSES
from ris_node.models.batch import AREA_CENTRE, AREA_SPREAD, ATTRIBUTES
from ris_node.pipeline.letterbox import Letterbox
from ris_node.training.inputs.items import coverage
from ris_node.types import F32, U8

_LEAST_COVER = 60  # of 255: a cell that an object covers less has no label


def class_cells(picture: Annotated, letterbox: Letterbox) -> U8:
    """Return the class id at the middle of every stride-4 cell, u8[H/4,W/4]; 0 on the padding and where unknown."""
    box = letterbox
    full = np.zeros((box.height, box.width), np.uint8)
    content = cv2.resize(picture.class_map, (box.content_width, box.content_height), interpolation=cv2.INTER_NEAREST)
    full[box.top : box.top + box.content_height, box.left : box.left + box.content_width] = content
    return full[2::4, 2::4]


def object_cells(picture: Annotated, letterbox: Letterbox) -> tuple[F32, U8]:
    """Return attributes of the thing on every stride-8 cell, f32[4,H/8,W/8] (`models/batch.py`), and where one is.

    A cell belongs to the thing that covers most of it, if that is a quarter at least.
    """
    height, width = letterbox.height // 8, letterbox.width // 8
    values, best = np.zeros((ATTRIBUTES, height, width), np.float32), np.full((height, width), _LEAST_COVER, np.uint8)
    scale = letterbox.content_width / picture.width
    for item in picture.objects:
        if CLASSES[item.class_id].nature != "thing" or item.crowd or item.area * scale * scale < 24:
            continue
        cover = coverage(letterbox, picture.object_mask((item.id,)), 8)
        taken = cover > best
        if not taken.any():
            continue
        best[taken] = cover[taken]
        x0, y0, x1, y1 = item.box
        x = (letterbox.left + 0.5 * (x0 + x1) * scale) / letterbox.width * 2 - 1
        y = (letterbox.top + 0.5 * (y0 + y1) * scale) / letterbox.height * 2 - 1
        foot = (letterbox.top + y1 * scale) / letterbox.height * 2 - 1
        share = item.area * scale * scale / (letterbox.width * letterbox.height)
        size = (np.log(share) - AREA_CENTRE) / AREA_SPREAD
        values[:, taken] = np.array([x, y, foot, size], np.float32)[:, None]
    return values, (best > _LEAST_COVER).astype(np.uint8)
