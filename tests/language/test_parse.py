# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""The grammar against tables of commands, and against sentences as people say them."""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest

from ris_node.errors import CommandError
from ris_node.language.keywords import keyword_rule
from ris_node.language.parse import parse_command
from ris_node.types import Manoeuvre, Query, QueryKind

OBJECTS = [  # text, label, plural, stuff
    ("the red car on the left", "car", False, False),
    ("car", "car", False, False),
    ("all the pedestrians", "person", True, False),
    ("people", "person", True, False),
    ("two cars", "car", True, False),
    ("every car", "car", True, False),
    ("the road", "road", False, True),
    ("the sky", "sky", False, True),
    ("trees", "tree", True, False),
    ("the man waiting at the bus stop", "man", False, False),
    ("a car turning left", "car", False, False),
    ("the parked car", "car", False, False),
    ("stop sign", "stop sign", False, False),
    ("the bus stop", "bus stop", False, False),
    ("the person next to the car", "person", False, False),
    ("park bench", "bench", False, False),
    ("where is the cyclist?", "cyclist", False, False),
    ("show me all traffic lights", "traffic light", True, False),
    ("please find the white van", "van", False, False),
    ("the elephant", "elephant", False, False),
    ("the umbrellas", "umbrellas", True, False),
    ("the blue car, not the red one", "car", False, False),
    ("man on the left", "man", False, False),
    ("the left one", "", False, False),
]
REGIONS = [  # text, manoeuvre, label
    ("stop next to the red car on the left", Manoeuvre.STOP, "car"),
    ("Stop!", Manoeuvre.STOP, ""),
    ("park behind the white van, please", Manoeuvre.PARK, "van"),
    ("could you please pull over near that woman", Manoeuvre.STOP, "woman"),
    ("find me a parking spot", Manoeuvre.PARK, "parking spot"),
    ("follow the bus until the next stop", Manoeuvre.FOLLOW, "bus"),
    ("wait for the man to cross", Manoeuvre.WAIT, "man"),
    ("let the red truck pass", Manoeuvre.WAIT, "truck"),
    ("do not proceed until this worker has crossed", Manoeuvre.WAIT, "worker"),
    ("turn left behind the silver car", Manoeuvre.TURN_LEFT, "car"),
    ("take the next right", Manoeuvre.TURN_RIGHT, ""),
    ("turn left and park behind the bus", Manoeuvre.PARK, "bus"),
    ("once the pedestrian has crossed we can turn right", Manoeuvre.TURN_RIGHT, "pedestrian"),
    ("I see my boyfriend. Stop near him.", Manoeuvre.STOP, "boyfriend"),
    ("park the car next to the barrier", Manoeuvre.PARK, "barrier"),
    ("change lanes and get behind the blue car", Manoeuvre.NONE, "car"),
    ("don't stop here, park behind the red car", Manoeuvre.PARK, "car"),
    ("drive to the intersection", Manoeuvre.NONE, "intersection"),
    ("there is a spot there park next to the white van", Manoeuvre.PARK, "van"),
    ("swerve to not hit the cone", Manoeuvre.NONE, "cone"),
    ("be careful not to hit the white car", Manoeuvre.NONE, "car"),
]
REFUSED = [  # text, kind of refusal
    ("don't stop here", "what not to do"),
    ("Do not park behind the red car.", "what not to do"),
    ("you must not follow that bus", "what not to do"),
    ("never turn left", "what not to do"),
    ("please don\u2019t pull over", "what not to do"),
    ("not the red car", "what not to do"),
    ("hello", "names nothing"),
    ("Hi there!", "names nothing"),
    ("thank you very much", "names nothing"),
    ("how are you today", "names nothing"),
    ("what time is it", "names nothing"),
    ("turn on the radio", "names nothing"),
    ("ok", "names nothing"),
]
CANCELS = [
    "cancel",
    "Cancel that.",
    "never mind",
    "nevermind",
    "forget it",
    "please cancel the command",
    "abort mission",
]


@pytest.mark.parametrize("text, label, plural, stuff", OBJECTS)
def test_expressions(text, label, plural, stuff):
    found = parse_command(text)
    assert (found.kind, found.manoeuvre, found.groundable) == (QueryKind.OBJECT, Manoeuvre.NONE, True)
    assert (found.label, found.plural, found.stuff) == (label, plural, stuff)


@pytest.mark.parametrize("text, manoeuvre, label", REGIONS)
def test_orders(text, manoeuvre, label):
    found = parse_command(text)
    assert (found.kind, found.manoeuvre, found.label) == (QueryKind.REGION, manoeuvre, label)
    assert found.groundable and not found.negated


@pytest.mark.parametrize("text, why", REFUSED)
def test_what_cannot_be_answered_says_why(text, why):
    found = parse_command(text)
    assert not found.groundable
    assert why in found.reason
    assert found.negated == (why == "what not to do")


@pytest.mark.parametrize("text", CANCELS)
def test_cancel(text):
    found = parse_command(text)
    assert (found.manoeuvre, found.groundable) == (Manoeuvre.CANCEL, False)


def test_what_cannot_be_answered_cannot_whatever_the_kind():
    for kind in QueryKind:
        assert not parse_command(Query("hello", kind=kind)).groundable
        assert not parse_command(Query("don't stop here", kind=kind)).groundable


UNIQUE = [
    "the leftmost car", "the second car on the right", "the car furthest from us", "the 2nd car from the right",
    "vehicle number three from the left", "the car farthesst off", "stop short of the one pedestrian here",
    "the car all the way to the right", "person all the way in back", "the middle tree", "the house in the centre",
    "the left hand car", "left-hand window", "the man wearing a hat", "the woman dressed in red", "the tiny sign",
    "the big truck", "the far car", "the car closest to us", "the car in front of us", "second from left bike",
    "the person on the very left", "the bus in the distance", "the bike in the foreground", "the next car on the left",
    "the person smaller than the others", "the car left of all the others", "the one with one on either side",
    "the car straight ahead", "the tree between the houses", "park next to the last car on the right",
]  # fmt: skip
MANY = [
    "the car on the left", "the red car by the forest", "a person", "the person next to the car", "that man",
    "the left car", "stop next to the pedestrian", "the car closest to the tree",
]  # fmt: skip


@pytest.mark.parametrize("text", UNIQUE)
def test_one_of_a_kind(text):
    assert parse_command(text).unique


@pytest.mark.parametrize("text", MANY)
def test_not_told_which(text):
    assert not parse_command(text).unique


@pytest.mark.parametrize("text", ["la voiture rouge", "左の赤い車", "das Auto links", "красная машина"])
def test_other_languages_pass(text):
    found = parse_command(text)
    assert (found.kind, found.groundable, found.text) == (QueryKind.OBJECT, True, text)


def test_the_query_wins_over_the_grammar():
    assert parse_command(Query("the red car", kind=QueryKind.REGION)).kind == QueryKind.REGION
    assert parse_command(Query("stop next to the car", kind=QueryKind.OBJECT)).kind == QueryKind.OBJECT
    parked = parse_command(Query("the red car", manoeuvre=Manoeuvre.PARK))
    assert (parked.kind, parked.manoeuvre) == (QueryKind.REGION, Manoeuvre.PARK)
    assert parse_command(Query("the car", manoeuvre=Manoeuvre.CANCEL)).manoeuvre == Manoeuvre.CANCEL
    assert parse_command(Query("", manoeuvre=Manoeuvre.CANCEL)).manoeuvre == Manoeuvre.CANCEL


def test_orders_are_orders_and_expressions_are_not():
    folder = Path(__file__).resolve().parents[1] / "data" / "texts"
    orders, things = ((folder / name).read_text().splitlines() for name in ("orders.txt", "expressions.txt"))
    assert len(orders) == 40 and len(things) == 50
    wrong = [text for text in orders if (p := parse_command(text)).kind != QueryKind.REGION or not p.groundable]
    wrong += [text for text in things if (p := parse_command(text)).kind != QueryKind.OBJECT or not p.groundable]
    assert len(wrong) <= 1, wrong


def test_no_text_breaks_the_grammar_or_holds_it_up():
    rng = random.Random(0)
    words = [
        "please",
        "could",
        "you",
        "left",
        "right",
        "turn",
        "all",
        "each",
        "of",
        "not",
        "don't",
        "never",
        "stop",
        "park",
        "next",
        "to",
        "car",
        "bus",
        ",",
        ".",
        "and",
        "hi",
    ]
    texts = [" ".join(rng.choices(words, k=1500)) for _ in range(20)]
    texts += ["".join(chr(rng.randrange(1, 0x11000)) for _ in range(200)) for _ in range(100)]
    texts += [
        word * (9000 // len(word))
        for word in ("please ", "left ", "turn left, ", "no ", "next to ", "a", "-", "to the ")
    ]
    begin = time.process_time()
    for text in texts:
        try:
            found = parse_command(text, 10_000)
        except CommandError:
            continue
        assert found.groundable or found.reason
        keyword_rule(found)
    assert time.process_time() - begin < 10.0
