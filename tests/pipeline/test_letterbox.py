# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""The letterbox and its inverse, for sizes and aspects that cameras do and do not have."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from ris_node.errors import ImageError
from ris_node.pipeline.letterbox import Letterbox

SIZES = [(640, 480), (1920, 1080), (641, 479), (101, 333), (320, 256), (1, 1), (5000, 40), (40, 3000), (80, 64)]


@pytest.mark.parametrize("width, height", SIZES)
def test_points_come_back(width, height):
    box = Letterbox.fit(width, height, 320, 256)
    points = np.random.default_rng(0).uniform((-0.5, -0.5), (width - 0.5, height - 0.5), (50, 2))
    inside = box.to_input(points)
    assert np.allclose(box.to_source(inside), points)
    assert (inside >= -0.5).all() and (inside <= (319.5, 255.5)).all()


@pytest.mark.parametrize("width, height", SIZES)
def test_content_lies_on_the_mask_grid_and_keeps_the_aspect(width, height):
    box = Letterbox.fit(width, height, 320, 256)
    assert all(v % 4 == 0 for v in (box.left, box.top, box.content_width, box.content_height))
    assert box.content_width == 320 or box.content_height == 256
    ideal = min(320 / width, 256 / height)
    assert abs(box.content_width - max(4, width * ideal)) <= 2
    assert abs(box.content_height - max(4, height * ideal)) <= 2


@pytest.mark.parametrize("width, height", [(640, 480), (1920, 1080), (641, 479), (333, 501)])
def test_a_disc_drawn_in_the_source_comes_back_in_its_place(width, height):
    image = np.zeros((height, width, 3), np.uint8)
    centre, radius = (int(width * 0.7), int(height * 0.3)), int(min(width, height) * 0.15)
    cv2.circle(image, centre, radius, (255, 255, 255), -1)
    box = Letterbox.fit(width, height, 320, 256)
    small = box.image(image)
    assert small.shape == (256, 320, 3)
    plane = cv2.resize(small[..., 0].astype(np.float32), (80, 64), interpolation=cv2.INTER_AREA)
    back = box.restore(plane) > 127
    truth = image[..., 0] > 0
    assert back.shape == truth.shape
    assert (back & truth).sum() / (back | truth).sum() > 0.93


@pytest.mark.parametrize("width, height", [(640, 480), (1920, 1080), (641, 479), (101, 333), (7, 5)])
def test_the_partial_restore_is_the_whole_one(width, height):
    box = Letterbox.fit(width, height, 320, 256)
    rng = np.random.default_rng(1)
    plane = np.full((64, 80), -3.0, np.float32)
    rows, columns = box.cells
    content = plane[rows, columns]
    r, c = rng.integers(0, content.shape[0]), rng.integers(0, content.shape[1])
    content[r : r + 9, c : c + 7] = rng.normal(1, 2, content[r : r + 9, c : c + 7].shape)
    content[r, c] = 3.0
    whole = box.restore(plane) > 0
    part, (x, y) = box.restore_above(plane, 0.0)
    pasted = np.zeros_like(whole)
    pasted[y : y + part.shape[0], x : x + part.shape[1]] = part > 0
    assert whole.any() or width < 80
    assert np.array_equal(whole, pasted)


def test_nothing_above_the_threshold_is_an_empty_part():
    part, _ = Letterbox.fit(640, 480, 320, 256).restore_above(np.full((64, 80), -1, np.float32), 0.0)
    assert part.size == 0


def test_borders_are_the_pad_value_and_labels_are_not_mixed():
    box = Letterbox.fit(640, 360, 320, 256)
    padded = box.image(np.full((360, 640, 3), 200, np.uint8))
    assert (padded[0] == 114).all() and (padded[-1] == 114).all() and (padded[128] == 200).all()
    labels = np.where(np.arange(640) < 320, 3, 9).astype(np.uint8)[None].repeat(360, 0)
    assert set(np.unique(box.labels(labels, fill=255))) == {3, 9, 255}


def test_sizes_that_cannot_be_are_refused():
    with pytest.raises(ImageError, match="0x480"):
        Letterbox.fit(0, 480, 320, 256)
    with pytest.raises(ImageError, match="multiple of 4"):
        Letterbox.fit(640, 480, 322, 256)
    with pytest.raises(ImageError, match="10x20"):
        Letterbox.fit(640, 480, 320, 256).image(np.zeros((20, 10, 3), np.uint8))
