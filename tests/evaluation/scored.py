# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Items and answers for the tests of the evaluation: boxes in a small picture, and any mask one likes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ris_node.data.evalset import EvalItem
from ris_node.evaluation.answers import Prediction, score
from ris_node.rle import encode_rle
from ris_node.types import Status

H, W = 30, 40
NOTHING = np.zeros((H, W), bool)


def box(x0, y0, x1, y1):
    """A rectangle of pixels, bool[H,W]."""
    mask = NOTHING.copy()
    mask[y0:y1, x0:x1] = True
    return mask


def pixels(number, start=0):
    """The first so many pixels from `start` on, bool[H,W]."""
    mask = NOTHING.copy()
    mask.ravel()[start : start + number] = True
    return mask


LEFT, RIGHT, LANE = box(2, 5, 10, 12), box(25, 5, 33, 12), box(10, 18, 30, 28)


def runs(mask):
    """Run lengths, None of nothing."""
    return tuple(encode_rle(mask)) if mask is not None and mask.any() else None


def item(name, kind="single", mask=None, region=None, **more):
    """An evaluation item; present where it has a mask or a region."""
    present = mask is not None or region is not None
    base = EvalItem(
        id=name, image="a.png", text=name, type="object", kind=kind, set="camvid/val", present=present, width=W,
        height=H, mask=runs(mask), region=runs(region), class_name="car", in_view=2, group="a.png", road_point=(20, 23),
    )  # fmt: skip
    return replace(base, **more)


ITEMS = [
    item("the left car", "order", LEFT),
    item("the right car", "order", RIGHT),
    item("the car", "single", LEFT, in_view=1),
    item("the bus", "absent"),
    item("the owl", "alien"),
    item("stop here", "region", None, LANE, type="region"),
]


def said(of, status=Status.PRESENT, mask=None, region=None, presence=None, point=None, rank=None):
    """A scored answer to an item."""
    value = presence if presence is not None else (0.9 if status == Status.PRESENT else 0.1)
    return score(of, Prediction(of.id, status, value, mask=runs(mask), region=runs(region), point=point, rank=rank))


def right(of):
    """The perfect answer."""
    if not of.present:
        return said(of, Status.ABSENT)
    region = of.region_truth()
    return said(of, mask=of.mask_truth(), region=region, point=(20.0, 23.0) if region is not None else None, rank=0)
