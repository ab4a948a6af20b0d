# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Relations, to one of several too, and the nearest on a side: what is said holds of what is meant alone."""

from __future__ import annotations

import re
from collections import Counter

import numpy as np
import pytest

from ris_node.data.annotated import Annotated, make_objects
from ris_node.data.classes import class_id
from ris_node.data.text import wording
from ris_node.data.text.compound import sided_meanings
from ris_node.data.text.expressions import meanings_of, realise
from ris_node.data.text.meaning import facts_of
from ris_node.data.text.templates import wordings

H, W = 360, 480
RED, BLUE, WHITE, GREY = (200, 20, 20), (20, 40, 210), (230, 230, 230), (120, 120, 120)


def street(*things):
    """A drawn street: sky above row 170, road below, and things (class, x0, y0, x1, y1, colour) on it."""
    image = np.full((H, W, 3), 140, np.uint8)
    classes = np.full((H, W), class_id("road"), np.uint8)
    classes[:170] = class_id("sky")
    instances = np.zeros((H, W), np.uint16)
    for number, (name, x0, y0, x1, y1, colour) in enumerate(things, 1):
        image[y0:y1, x0:x1] = colour
        classes[y0:y1, x0:x1] = class_id(name)
        instances[y0:y1, x0:x1] = number
    return Annotated(image, classes, instances, make_objects(instances, classes), source="camvid", name="drawn")


READINGS = {  # whether box x can stand so to box y: looser than what the generator wants before it speaks
    "left_of": lambda x, y: x[2] < y[0] + 0.03 * W,
    "right_of": lambda x, y: x[0] > y[2] - 0.03 * W,
    "in_front_of": lambda x, y: x[3] > y[3] and x[0] < y[2] and y[0] < x[2],
    "behind": lambda x, y: x[3] < y[3] and x[0] < y[2] and y[0] < x[2],
    "next_to": lambda x, y: max(x[0] - y[2], y[0] - x[2]) < W / 5,
}
LANE = (
    ("car", 30, 220, 120, 290, RED), ("car", 150, 215, 240, 285, BLUE), ("car", 300, 180, 350, 215, WHITE),
    ("person", 315, 200, 335, 270, GREY), ("person", 250, 195, 275, 275, RED), ("car", 420, 176, 450, 196, BLUE),
    ("cyclist", 60, 200, 90, 320, WHITE), ("truck", 345, 178, 390, 220, GREY),
)  # fmt: skip


@pytest.mark.parametrize("split", ["train", "val"])
@pytest.mark.parametrize("mirrored", [False, True])
def test_relations_are_true_of_what_they_say(split, mirrored):
    """Read back from the meaning: who is told from whom, where they stand, and that nobody else stands so."""
    annotated = street(*LANE)
    annotated = annotated.flipped() if mirrored else annotated
    by_id = {o.id: o for o in annotated.objects}
    seen, rng = Counter(), np.random.default_rng(0)
    for meaning in meanings_of(facts_of(annotated), split)["relation"]:
        form = meaning.form if meaning.form in READINGS else meaning.form.removesuffix("s")
        if form == "on_stuff":
            continue
        anchors = anchors_told(annotated, meaning)
        assert len(anchors) == 1, meaning
        members = [o for o in annotated.objects if o.name == meaning.class_name and o.id != anchors[0].id]
        assert set(meaning.ids) <= {o.id for o in members}
        assert all(READINGS[form](by_id[i].box, anchors[0].box) for i in meaning.ids), meaning
        text = realise(facts_of(annotated), meaning, rng, split)
        assert text.count("{") == 0 and len(text.split()) >= 3
        if meaning.other_colour:
            assert meaning.other_colour in text, text
        seen[form, meaning.other_form not in ("", "single") or bool(meaning.other_colour)] += 1
    assert {form for form, _ in seen} >= {"left_of", "right_of", "behind"}
    assert split == "val" or {form for form, _ in seen} >= {"next_to", "in_front_of"}
    assert any(told for _, told in seen) == (split == "train")


def test_relations_that_miss_fit_nothing():
    annotated = street(*LANE)
    missed = Counter()
    for meaning in meanings_of(facts_of(annotated), "train")["near_miss"]:
        if meaning.form not in ("left_of", "right_of", "in_front_of", "behind"):
            continue
        (anchor,) = anchors_told(annotated, meaning)
        others = [o for o in annotated.objects if o.name == meaning.class_name and o.id != anchor.id]
        x_of = {"left_of": lambda o: o.cx < anchor.cx, "right_of": lambda o: o.cx > anchor.cx}  # noqa: B023
        holds = x_of.get(meaning.form, lambda o: READINGS[meaning.form](o.box, anchor.box))  # noqa: B023
        assert not meaning.ids and not any(holds(o) for o in others), meaning
        missed[meaning.form] += 1
    assert set(missed) == {"left_of", "right_of", "in_front_of", "behind"}


def anchors_told(annotated, meaning):
    """The objects that the description of an anchor fits, by a reader of its own."""
    own = [o for o in annotated.objects if o.name == meaning.other]
    if meaning.other_colour:
        shade = {"red": RED, "blue": BLUE, "white": WHITE, "grey": GREY}[meaning.other_colour]
        return [o for o in own if (annotated.image[annotated.instance_map == o.id] == shade).all()]
    keys = {
        "leftmost_anchor": lambda o: o.cx, "rightmost_anchor": lambda o: -o.cx, "nearest_anchor": lambda o: -o.foot,
        "farthest_anchor": lambda o: o.foot, "largest_anchor": lambda o: -o.area, "smallest_anchor": lambda o: o.area,
    }  # fmt: skip
    return [min(own, key=keys[meaning.other_form])] if meaning.other_form in keys else own


@pytest.mark.parametrize("mirrored", [False, True])
def test_the_nearest_on_a_side_is_that(mirrored):
    annotated = street(
        ("car", 30, 220, 120, 290, RED), ("car", 380, 190, 440, 240, WHITE), ("car", 300, 185, 340, 210, BLUE)
    )
    annotated = annotated.flipped() if mirrored else annotated
    side = "left" if mirrored else "right"
    own = [o for o in annotated.objects if o.name == "car" and (o.cx < W / 2) == mirrored]
    wanted = {
        "nearest": max(own, key=lambda o: o.foot), "farthest": min(own, key=lambda o: o.foot),
        "largest": max(own, key=lambda o: o.area), "smallest": min(own, key=lambda o: o.area),
    }  # fmt: skip
    found = {m.form: m.ids for m in sided_meanings(facts_of(annotated)) if m.colour is None}
    assert found == {f"{what}_{side}": (o.id,) for what, o in wanted.items()}
    for form in found:
        assert all(side in t for t in (*wordings(form, "train"), *wordings(form, "val")))


def test_pronouns_fit_who_is_meant():
    rng = np.random.default_rng(0)
    texts = {name: [wording.sentence(rng, "next_to", "train", "NP", name) for _ in range(300)] for name in NAMES}
    assert any(re.search(r"NP.*\bit\b", t) for t in texts["car"])
    assert any(re.search(r"\b(him|her|them)\b", t.split("NP")[1]) for t in texts["person"])
    assert not any(re.search(r"\b(him|her)\b", t) for t in texts["car"])
    assert not any(re.search(r"\bit\b", t) for t in texts["person"])


NAMES = ("car", "person")
