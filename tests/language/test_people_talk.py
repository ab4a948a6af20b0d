# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Commands as people give them: polite, hesitant, in two sentences, with slips, names and pronouns."""

from __future__ import annotations

import pytest

from ris_node.data.text.templates import table
from ris_node.language.parse import parse_command
from ris_node.types import Manoeuvre, QueryKind

PEOPLE = [  # as people say it: text, manoeuvre, label
    ("pleaase stop the car here", Manoeuvre.STOP, ""),
    ("Could you please park behind the bus?", Manoeuvre.PARK, "bus"),
    ("would you mind stopping next to the van", Manoeuvre.STOP, "van"),
    ("EXCUSE ME, COULD YOU STOP AT THE CORNER BY THE TREE", Manoeuvre.STOP, "tree"),
    ("I'd like you to follow that truck", Manoeuvre.FOLLOW, "truck"),
    ("um so turn left here", Manoeuvre.TURN_LEFT, ""),
    ("there is a green van. park behind it", Manoeuvre.PARK, "van"),
    ("that is my friend. stop next to him", Manoeuvre.STOP, "friend"),
    ("that is jim over there, pick him up", Manoeuvre.STOP, "person"),
    ("pull over near jim, he is wearing a hat", Manoeuvre.STOP, "person"),
    ("my wife is at the taxi, stop next to it", Manoeuvre.STOP, "taxi"),
    ("that is my friend's car. stop behind it", Manoeuvre.STOP, "car"),
    ("that is my bosses car, follow it", Manoeuvre.FOLLOW, "car"),
    ("there is my bike pull over so I can get out", Manoeuvre.STOP, "bike"),
    ("i see a free spot park next to the white van", Manoeuvre.PARK, "van"),
    ("follow this car", Manoeuvre.FOLLOW, "car"),
    ("pull the car over next to those people", Manoeuvre.STOP, "person"),
    ("stop the car on the left, behind the black car", Manoeuvre.STOP, "car"),
    ("stop the car, and let this person cross", Manoeuvre.STOP, "person"),
    ("turn left here. i mean right sorry", Manoeuvre.TURN_RIGHT, ""),
    ("change lanes to follow the car ahead on the right", Manoeuvre.FOLLOW, "car"),
    ("go around the truck parked on your left", Manoeuvre.NONE, "truck"),
    ("switch to the left lane", Manoeuvre.NONE, "lane"),
    ("merge into the right lane behind the bus", Manoeuvre.NONE, "bus"),
    ("head towards the motorbike", Manoeuvre.NONE, "motorbike"),
    ("slow right down for the cyclist", Manoeuvre.NONE, "cyclist"),
    ("let me get off near the church", Manoeuvre.STOP, "church"),
    ("use the empty parking spot", Manoeuvre.PARK, "parking spot"),
    ("next left please", Manoeuvre.TURN_LEFT, ""),
    ("that bus is where we need to go", Manoeuvre.NONE, "bus"),
    ("keep behind the forklift", Manoeuvre.FOLLOW, "forklift"),
    ("do you see the bench? wait behind it", Manoeuvre.WAIT, "bench"),
    ("go straight and stop under the bridge", Manoeuvre.STOP, "bridge"),
    ("wait for the signal to turn green and then turn left", Manoeuvre.TURN_LEFT, "signal"),
    ("drive towards the bus stop and park after crossing it", Manoeuvre.PARK, "bus stop"),
]


@pytest.mark.parametrize("text, manoeuvre, label", PEOPLE)
def test_people(text, manoeuvre, label):
    found = parse_command(text)
    assert (found.kind, found.manoeuvre, found.groundable) == (QueryKind.REGION, manoeuvre, True)
    assert found.label == label


ASKED = [  # questions and remarks about what is seen order nothing
    ("which car is closest?", "car"), ("can you see the bus", "bus"), ("could you find the red van", "van"),
    ("is that a traffic light?", "traffic light"), ("keep an eye on the dog", "dog"), ("get me the cyclist", "cyclist"),
    ("help me find the bench", "bench"),
    ("would you mind finding the door", "door"), ("tell me where the tree is", "tree"),
    ("head of the man on the left", "head"), ("a car about to turn left", "car"), ("the man who will stop here", "man"),
    ("woman waiting to pick up her kid", "woman"), ("the bus stop near the tree", "bus stop"),
    ("people that wait for the bus", "person"), ("circle thing on the wall", "thing"), ("bear on left", "bear"),
]  # fmt: skip


@pytest.mark.parametrize("text, label", ASKED)
def test_what_only_asks_to_see(text, label):
    found = parse_command(text)
    assert (found.kind, found.groundable) == (QueryKind.OBJECT, True)
    assert found.label == label


GENERATED = {
    "next_to": {Manoeuvre.STOP, Manoeuvre.PARK, Manoeuvre.WAIT},
    "before": {Manoeuvre.STOP, Manoeuvre.PARK, Manoeuvre.WAIT},
    "behind": {Manoeuvre.STOP, Manoeuvre.PARK, Manoeuvre.WAIT, Manoeuvre.FOLLOW}, "park_bay": {Manoeuvre.PARK},
    "in_front_of": {Manoeuvre.STOP, Manoeuvre.PARK}, "follow": {Manoeuvre.FOLLOW, Manoeuvre.NONE},
    "pull_over_left": {Manoeuvre.STOP, Manoeuvre.PARK}, "pull_over_right": {Manoeuvre.STOP, Manoeuvre.PARK},
    "here": {Manoeuvre.STOP, Manoeuvre.PARK, Manoeuvre.WAIT}, "turn_left": {Manoeuvre.TURN_LEFT},
    "turn_right": {Manoeuvre.TURN_RIGHT},
}  # fmt: skip


@pytest.mark.parametrize("form", ["object", *GENERATED])
def test_the_sentences_that_training_uses_are_read_as_meant(form):
    for text in table("sentences")[form]:
        found = parse_command(text.format(np="the red car", it="it"))
        assert found.groundable, text
        if form == "object":
            assert (found.kind, found.label) == (QueryKind.OBJECT, "car") or "friend" in text, text
        else:
            assert (found.kind, found.manoeuvre in GENERATED[form]) == (QueryKind.REGION, True), text
            assert "{np}" not in text or found.label in ("car", "colleague"), text
