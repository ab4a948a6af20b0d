# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Pieces of a mask: boxes, outlines, areas and scores at the size of the input image."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from ris_node.pipeline.instances import find_pieces, several_fit
from ris_node.pipeline.letterbox import Letterbox

SIZES = [(640, 480), (1920, 1080), (333, 501), (320, 256)]


def plane(*boxes, inside=4.0):
    logits = np.full((64, 80), -6.0, np.float32)
    for left, top, width, height in boxes:
        logits[top : top + height, left : left + width] = inside
    return logits


def pieces_of(box, logits, **kwargs):
    options = {"min_area_fraction": 0.0, "max_instances": 16, "label": "car"} | kwargs
    return find_pieces(box, logits, 0.0, **options)


@pytest.mark.parametrize("width, height", SIZES)
def test_every_number_agrees_with_the_pixels(width, height):
    box = Letterbox.fit(width, height, 320, 256)
    middle = (box.left + box.content_width // 2) // 4
    found = pieces_of(box, plane((middle - 8, 22, 6, 10), (middle + 4, 26, 3, 4)))
    ids = found.paste(height, width)
    assert ids.shape == (height, width)
    assert np.array_equal(ids > 0, box.restore(plane((middle - 8, 22, 6, 10), (middle + 4, 26, 3, 4))) > 0)
    assert [i.instance_id for i in found.instances] == [1, 2]
    for instance in found.instances:
        mask = ids == instance.instance_id
        rows, columns = np.nonzero(mask)
        left, top, wide, high = instance.box
        assert (left, top) == (columns.min(), rows.min())
        assert (left + wide - 1, top + high - 1) == (columns.max(), rows.max())
        assert instance.centroid == pytest.approx((columns.mean(), rows.mean()), abs=1e-3)
        assert instance.area_fraction == pytest.approx(mask.mean())
        drawn = np.zeros((height, width), np.uint8)
        cv2.fillPoly(drawn, [np.rint(instance.outline).astype(np.int32)], 1)
        assert ((drawn > 0) & mask).sum() / ((drawn > 0) | mask).sum() > 0.95
        assert 0.5 < instance.score <= 1.0
    assert found.instances[0].area_fraction > found.instances[1].area_fraction


def test_crumbs_and_too_many_are_left_out():
    box = Letterbox.fit(640, 480, 320, 256)
    logits = plane(*((4 + 9 * i, 20, 3 + i, 6) for i in range(7)), (70, 40, 1, 1))
    assert len(pieces_of(box, logits).instances) == 8
    kept = pieces_of(box, logits, min_area_fraction=0.002)
    assert len(kept.instances) == 7
    few = pieces_of(box, logits, max_instances=3)
    assert len(few.instances) == 3 and few.ids.max() == 3
    assert not pieces_of(box, logits, min_area_fraction=0.9).instances
    assert not pieces_of(box, plane()).ids.any()


def test_several_fit_only_when_they_are_comparable_and_apart():
    box = Letterbox.fit(640, 480, 320, 256)

    def several(*boxes):
        return several_fit(pieces_of(box, plane(*boxes)).instances, 640)

    assert several((10, 20, 8, 8), (40, 20, 8, 8))
    assert not several((10, 20, 8, 8))
    assert not several((10, 20, 12, 12), (40, 20, 3, 3))  # a crumb
    assert not several((10, 20, 8, 12), (19, 20, 8, 12))  # one thing behind a pole
    faint = plane((10, 20, 8, 8))
    faint[20:28, 40:48] = 0.3
    assert not several_fit(pieces_of(box, faint).instances, 640)
