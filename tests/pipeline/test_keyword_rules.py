# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""The baseline's rules on drawn pieces and roads, where the right answer can be seen."""

from __future__ import annotations

import numpy as np
import pytest

from ris_node.language.keywords import keyword_rule
from ris_node.language.parse import parse_command
from ris_node.pipeline.keyword.regions import place_region
from ris_node.pipeline.keyword.rules import find_grid_pieces, pick

# name: left, top, width, height in cells, colour
CARS = {
    "far left": (4, 30, 4, 3, (30, 60, 220)),
    "near left": (14, 36, 12, 8, (230, 30, 30)),
    "far right": (50, 31, 6, 4, (240, 240, 240)),
    "near right": (62, 38, 10, 7, (20, 20, 20)),
}


@pytest.fixture(scope="module")
def street():
    mask, image = np.zeros((64, 80), bool), np.full((256, 320, 3), 120, np.uint8)
    for left, top, width, height, colour in CARS.values():
        mask[top : top + height, left : left + width] = True
        image[top * 4 : (top + height) * 4, left * 4 : (left + width) * 4] = colour
    labels, pieces = find_grid_pieces(mask)
    return image, labels, pieces


def chosen(street, text):
    image, labels, pieces = street
    rule = keyword_rule(parse_command(text))
    boxes = {box[:2]: name for name, box in CARS.items()}
    return {boxes[piece.left, piece.top] for piece in pick(rule, pieces, labels, image)}


@pytest.mark.parametrize(
    "text, names",
    [
        ("the cars", set(CARS)),
        ("the car", set(CARS)),
        ("the car on the left", {"far left", "near left"}),
        ("the leftmost car", {"far left"}),
        ("the car furthest to the right", {"near right"}),
        ("the nearest car", {"near right"}),
        ("the nearest car on the left", {"near left"}),
        ("the farthest car", {"far left"}),
        ("the biggest car", {"near left"}),
        ("the smallest car on the right", {"far right"}),
        ("the second car from the left", {"near left"}),
        ("the fifth car from the left", set()),
        ("the second car on the right", {"far right"}),
        ("the red car", {"near left"}),
        ("the red car on the right", set()),
        ("the white car", {"far right"}),
        ("the black car", {"near right"}),
        ("the blue cars", {"far left"}),
        ("the green car", set()),
    ],
)
def test_words_pick_pieces(street, text, names):
    assert chosen(street, text) == names


def region(text, cars=()):
    """The region's pixels for a command, on a straight road, with boxes (left, top, width, height) as referents."""
    road = np.full((64, 80), -5.0, np.float32)
    for row in range(30, 62):
        half = int((row - 27) * 1.6)
        road[row, max(0, 40 - half) : 40 + half] = 5.0
    mask = np.zeros((64, 80), bool)
    for left, top, width, height in cars:
        mask[top : top + height, left : left + width] = True
        road[top : top + height, left : left + width] = -5.0
    rule = keyword_rule(parse_command(text))
    found = place_region(rule, road, find_grid_pieces(mask)[1]) > 0
    assert found.any() and not (found & (road < 0)).any()
    rows, columns = np.nonzero(found)
    return columns.mean(), rows.mean(), found.mean()


def test_regions_lie_where_they_are_asked_for():
    car = [(44, 33, 5, 4)]
    beside, behind = region("stop next to the car", car), region("stop behind the car", car)
    beyond = region("pull over past the car", car)
    assert beside[0] < 44  # on the side towards our own axis
    assert behind[1] > beside[1] > beyond[1]
    assert abs(behind[0] - 46) < 4
    assert max(beside[2], behind[2], beyond[2]) < 0.15


def test_regions_without_a_thing():
    here = region("stop here")
    left, right = region("pull over on the left"), region("pull over on the right")
    assert left[0] < here[0] - 4 < here[0] + 4 < right[0]
    assert region("turn left")[0] < 40 < region("turn right")[0]
    assert abs(here[0] - 40) < 2


def test_no_road_no_region():
    nothing = np.full((64, 80), -5.0, np.float32)
    assert not (place_region(keyword_rule(parse_command("stop here")), nothing, []) > 0).any()
