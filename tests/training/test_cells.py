# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Auxiliary labels of a picture lie where its objects lie in the letterbox."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch")

from ris_node.data.annotated import Annotated, make_objects
from ris_node.data.classes import class_id
from ris_node.models.batch import AREA_CENTRE, AREA_SPREAD
from ris_node.pipeline.letterbox import Letterbox
from ris_node.training.inputs.labels import class_cells, object_cells

pytestmark = pytest.mark.torch


def picture() -> Annotated:
    """A car of 32 x 32 on a road, and one of 4 x 4, in 64 x 128 pixels."""
    classes = np.full((64, 128), class_id("road"), np.uint8)
    instances = np.zeros((64, 128), np.uint16)
    for number, (x, y, size) in enumerate(((64, 16, 32), (4, 4, 4)), 1):
        window = np.s_[y : y + size, x : x + size]
        classes[window], instances[window] = class_id("car"), number
    image = np.zeros((64, 128, 3), np.uint8)
    return Annotated(image, classes, instances, make_objects(instances, classes), source="test", name="p")


def test_classes_are_those_at_the_middle_of_cells_and_void_on_the_padding():
    cells = class_cells(picture(), Letterbox.fit(128, 64, 128, 128))
    assert cells.shape == (32, 32) and not cells[:8].any() and not cells[24:].any()
    assert (cells[12:20, 16:24] == class_id("car")).all() and cells[12, 15] == cells[11, 16] == class_id("road")


def test_objects_say_their_middle_foot_and_area_in_every_cell_they_cover():
    values, there = object_cells(picture(), Letterbox.fit(128, 64, 128, 128))
    assert values.shape == (4, 16, 16) and there.sum() == 16 and there[6:10, 8:12].all()  # the small one is left out
    x, y, foot, area = values[:, 7, 9]
    assert x == pytest.approx(80 / 128 * 2 - 1) and y == pytest.approx(64 / 128 * 2 - 1)
    assert foot == pytest.approx(80 / 128 * 2 - 1)
    assert area * AREA_SPREAD + AREA_CENTRE == pytest.approx(np.log(32 * 32 / (128 * 128)), rel=1e-5)
    assert (values[:, 6:10, 8:12] == values[:, 7:8, 9:10]).all() and not values[:, there == 0].any()
