# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Auxiliary labels: of a text, its class, form and manoeuvre; of a picture, classes and attributes of its cells."""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np

from ris_node.data.annotated import Annotated
from ris_node.data.classes import CLASSES, class_id
from ris_node.data.text.expressions import Expression
from ris_node.data.text.templates import table
from ris_node.models.batch import AREA_CENTRE, AREA_SPREAD, ATTRIBUTES, UNKNOWN
from ris_node.pipeline.letterbox import Letterbox
from ris_node.training.inputs.items import coverage
from ris_node.types import F32, I32, U8


@cache
def _numbers(name: str) -> dict[str, int]:
    return {form: number for number, form in enumerate(sorted(table(name)))}


def meaning_of(expression: Expression) -> tuple[int, int, int]:
    """Return the class named, the form of its noun phrase and the manoeuvre, each `UNKNOWN` where not known."""
    named = class_id(expression.class_name) if expression.class_name else UNKNOWN
    form = _numbers("noun_phrases").get(expression.place, UNKNOWN)
    manoeuvre = _numbers("sentences").get(expression.carrier, UNKNOWN)
    return named, form, manoeuvre


def meanings_of(expressions: list[Expression] | tuple[Expression, ...]) -> I32:
    """Return `meaning_of` each, i32[n,3]."""
    return np.asarray([meaning_of(e) for e in expressions], np.int32).reshape(-1, 3)


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
