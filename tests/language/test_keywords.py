# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""What the baseline reads out of a command."""

from __future__ import annotations

import pytest

from ris_node.language.keywords import keyword_rule
from ris_node.language.lexicon import CITYSCAPES, CONCEPTS
from ris_node.language.parse import parse_command

RULES = [  # text, classes, other fields
    ("the red car on the left", ("car",), {"side": "left", "colour": "red"}),
    ("the leftmost car", ("car",), {"order": "leftmost", "side": ""}),
    ("the car farthest to the right", ("car",), {"order": "rightmost"}),
    ("the nearest pedestrian", ("person",), {"order": "nearest"}),
    ("the second car from the left", ("car",), {"order": "leftmost", "ordinal": 2}),
    ("the first truck on the right", ("truck",), {"ordinal": 1, "side": "right"}),
    ("the biggest building", ("building",), {"order": "largest"}),
    ("a silver car", ("car",), {"colour": "grey"}),
    ("all the bicycles", ("bicycle",), {"every": True}),
    ("the road", ("road",), {"every": True}),
    ("the car in the middle", ("car",), {"side": "middle"}),
    ("turn left behind the silver car", ("car",), {"side": "", "place": "short", "region": True}),
    ("stop right here next to the bus", ("bus",), {"side": "", "place": "beside"}),
    ("pull over after the tree on the right", ("vegetation",), {"side": "right", "place": "beyond"}),
    ("wait until the light is green at the traffic light", ("traffic light",), {"colour": ""}),
    ("the elephant", (), {"thing": True}),
    ("pull over at the left kerb", ("sidewalk",), {"thing": False, "side": "left"}),
    ("pull over next to the submarine", (), {"thing": True}),
    ("the car nearest the right edge", ("car",), {"order": "rightmost"}),
    ("pull over", (), {"thing": False, "region": True}),
]


@pytest.mark.parametrize("text, classes, fields", RULES)
def test_rules(text, classes, fields):
    rule = keyword_rule(parse_command(text))
    assert rule.classes == classes
    assert {name: getattr(rule, name) for name in fields} == fields


def test_the_sentence_is_the_classes():
    hot = keyword_rule(parse_command("the vehicle")).multi_hot()
    assert hot.shape == (1, 19)
    assert {CITYSCAPES[i] for i in hot[0].nonzero()[0]} == {"car", "truck", "bus"}


def test_the_lexicon_names_no_class_that_is_not_one():
    assert {name for concept in CONCEPTS for name in concept.classes} <= set(CITYSCAPES)
    assert set(CITYSCAPES) == {name for concept in CONCEPTS for name in concept.classes}
