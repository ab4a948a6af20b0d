# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Expressions are true of exactly the pixels they come with, checked on drawn scenes by an evaluator of its own."""

from __future__ import annotations

import re
from collections import Counter

import cv2
import numpy as np
import pytest

from ris_node.data.annotated import Annotated, make_objects
from ris_node.data.classes import CLASSES, class_by_name, class_id
from ris_node.data.text import wording
from ris_node.data.text.expressions import DEFAULT_MIX, generate, generate_one
from ris_node.data.text.meaning import facts_of, order_meanings
from ris_node.data.text.templates import BARE, added_is_held_out, aliens, held_out, table, wordings
from ris_node.geometry.camera import Camera
from ris_node.geometry.ground import pixels_to_ground
from ris_node.geometry.transform import camera_mount

H, W = 360, 480
RED, BLUE, WHITE, GREY = (200, 20, 20), (20, 40, 210), (230, 230, 230), (120, 120, 120)


def scene(*things, road=True, source="camvid", camera=True):
    """A drawn street: sky above row 170, road below, and things (class, x0, y0, x1, y1, colour) on it."""
    image = np.full((H, W, 3), 140, np.uint8)
    classes = np.full((H, W), class_id("sky"), np.uint8)
    image[:170] = (150, 190, 240)
    if road:
        classes[170:] = class_id("road")
    instances = np.zeros((H, W), np.uint16)
    for number, (name, x0, y0, x1, y1, colour) in enumerate(things, 1):
        image[y0:y1, x0:x1] = colour
        classes[y0:y1, x0:x1] = class_id(name)
        instances[y0:y1, x0:x1] = number
    mount = camera_mount(0.0, 0.0, 1.4, 0.0, 0.0, 0.0)
    return Annotated(
        image, classes, instances, make_objects(instances, classes), source=source, name="drawn",
        camera=Camera.pinhole(W, H, 60.0) if camera else None, camera_in_base=mount if camera else None,
    )  # fmt: skip


CARS = (
    ("car", 30, 220, 120, 290, RED),
    ("car", 200, 200, 250, 235, BLUE),
    ("car", 400, 190, 430, 212, WHITE),
    ("person", 300, 180, 325, 250, GREY),
)


def boxes_by_class(annotated):
    """The evaluator's own view: colour and box of every connected part, straight from the class map."""
    found = {}
    for cid in np.unique(annotated.class_map):
        mask = (annotated.class_map == cid).astype(np.uint8)
        n, labels = cv2.connectedComponents(mask)
        found[CLASSES[cid].name] = [labels == i for i in range(1, n)]
    return found


SECOND_LEFT = r"(second|2nd).*left|two from the left|left the second|after the leftmost"
LEFTMOST = (
    r"left ?most|far left|(furthest|way) (to|on) the left|from (the )?left|left edge|extreme left|most left"
    r"|(nearest|closest) to the left|most (to|on) the left|very left|farthest left|furthest left|left side$|left of all"
)
NEAREST = r"nearest|closest|least distance|reach first|pass first|foreground|nearby|up close|near us"
FARTHEST = r"farthest|furthest|distant|distance|reach last|background|remotest|back|far end|longest way|far away"
SMALLEST = r"smallest|tiniest|least space|tiny|littlest|little|least big|least room|small"
LARGEST = r"largest|biggest|most space|greatest|sizeable|hugest|huge|big |large |most room|fills|massive|bigger"
RULES = [
    (SECOND_LEFT, lambda ms: sorted(ms, key=cx)[1]),
    (SECOND_LEFT.replace("left", "right"), lambda ms: sorted(ms, key=cx)[-2]),
    (r"middle|cent(er|re)|the other two|either side", lambda ms: sorted(ms, key=cx)[1]),
    (LEFTMOST, lambda ms: min(ms, key=cx)),
    (LEFTMOST.replace("left", "right"), lambda ms: max(ms, key=cx)),
    (SMALLEST, lambda ms: min(ms, key=np.sum)),
    (LARGEST, lambda ms: max(ms, key=np.sum)),
    (NEAREST, lambda ms: max(ms, key=foot)),
    (FARTHEST, lambda ms: min(ms, key=foot)),
]


def ground_point(annotated, x, y):
    pixels = np.array([[x, y]], float)
    return pixels_to_ground(annotated.camera, annotated.camera_in_base, pixels)[0]


def cx(mask):
    return np.flatnonzero(mask.any(0)).mean()


def foot(mask):
    return np.flatnonzero(mask.any(1)).max()


def class_named(text):
    """The class of the first noun in a text, longest word first."""
    words = sorted(((w, c.name) for c in CLASSES for w in (*c.singular, *c.plural)), key=lambda p: -len(p[0]))
    hits = [(m.start(), -len(w), name) for w, name in words if (m := re.search(rf"\b{re.escape(w)}\b", text))]
    return min(hits)[2] if hits else None


@pytest.fixture(autouse=True)
def no_slips(monkeypatch):
    """Typing slips would hide words from the readers here; they have a test of their own."""
    monkeypatch.setattr(wording, "_SLIP_RATE", 0.0)


def test_slips_spare_directions(monkeypatch):
    monkeypatch.setattr(wording, "_SLIP_RATE", 1.0)
    rng = np.random.default_rng(0)
    texts = [wording.humanise(rng, "the second cyclist from the left") for _ in range(60)]
    assert all("second" in t.lower() and "left" in t.lower() for t in texts)
    assert sum("cyclist" in t.lower() for t in texts) == 0


@pytest.mark.parametrize("split", ["train", "val"])
@pytest.mark.parametrize("mirrored", [False, True])
def test_orders_are_true_of_what_they_say(split, mirrored):
    annotated = scene(*CARS)
    annotated = annotated.flipped() if mirrored else annotated
    parts, checked, rng = boxes_by_class(annotated), Counter(), np.random.default_rng(0)
    unread = []
    for _ in range(600):
        e = generate_one(annotated, rng, split, "order")
        text = e.text.lower().rstrip(".!?").replace(", please", "").replace(" please", "")
        if e.form in ("left", "right", "lefts", "rights") or class_named(text) != "car":
            continue
        rule = next(
            (f for pattern, f in RULES if re.search(pattern, f"{text} ".rstrip() + ("" if "$" in pattern else " "))),
            None,
        )
        if rule is None:  # a typing slip in the word that matters to this reader
            unread.append(text)
            continue
        np.testing.assert_array_equal(e.mask, rule(parts["car"]), err_msg=e.text)
        checked[e.form] += 1
    assert not unread, unread
    assert {"leftmost", "rightmost", "nearest", "farthest", "largest", "smallest"} <= set(checked)


@pytest.mark.parametrize("split", ["train", "val"])
def test_sides_are_true(split):
    annotated = scene(*CARS[:1], ("car", 380, 190, 430, 230, WHITE), ("car", 300, 185, 340, 210, BLUE))
    rng, seen = np.random.default_rng(1), Counter()
    for _ in range(200):
        e = generate_one(annotated, rng, split, "order")
        if e.form in ("left", "right", "lefts", "rights"):
            side = "left" if "left" in e.text.lower() else "right"
            assert ("right" in e.text.lower()) != (side == "left")
            columns = np.flatnonzero(e.mask.any(0))
            assert columns.max() < 0.56 * W if side == "left" else columns.min() > 0.44 * W
            seen[e.form] += 1
    assert seen["left"] and seen["rights"]
    assert not seen["right"], "two cars are on the right: the singular is ambiguous"


def test_colours_are_those_of_the_paint():
    annotated = scene(*CARS)
    rng, seen = np.random.default_rng(2), Counter()
    for _ in range(100):
        e = generate_one(annotated, rng, "train", "colour")
        if e.class_name != "car":
            continue
        shades = {"red": RED, "blue": BLUE, "white": WHITE}
        said = next((c for w, c in shades.items() if w in e.text.lower()), None)
        if said is not None:
            assert (annotated.image[e.mask] == said).all(), e.text
            seen[said] += 1
    assert set(seen) == {RED, BLUE, WHITE}


RELATIONS = ("left_of", "right_of", "next_to", "in_front_of", "behind")


def test_near_misses_fit_nothing():
    annotated = scene(*CARS[:1], ("car", 60, 190, 110, 212, RED))
    rng = np.random.default_rng(3)
    shades = {"yellow", "green", "blue", "purple", "violet", "pink", "white", "black"}
    for _ in range(200):
        e = generate_one(annotated, rng, "train", "near_miss")
        assert not e.positive and e.mask is None and e.region is None
        if e.form.removesuffix("s") in RELATIONS:
            continue  # tests/data/test_compound.py reads these
        words = set(re.findall(r"[a-z]+", e.text.lower()))
        assert "right" in words or words & shades, e.text


def test_absent_classes_are_absent_and_aliens_too():
    annotated, rng = scene(*CARS), np.random.default_rng(4)
    present = {"car", "person", "road", "sky"}
    for kind in ("absent", "alien"):
        for _ in range(200):
            e = generate_one(annotated, rng, "train", kind)
            assert not e.positive and e.class_name not in present
            text = e.text.lower().replace("of the street", "")
            text = re.sub(r"the (car|vehicle) (?=next to|behind|beside|in front)", "", text)
            assert class_named(text) not in present, e.text


def test_almost_equal_things_are_not_ordered():
    annotated = scene(("car", 100, 220, 160, 260, RED), ("car", 105, 280, 165, 320, RED))
    forms = {m.form for m in order_meanings(facts_of(annotated))}
    assert not forms & {"leftmost", "rightmost", "largest", "smallest"}


def test_only_one_is_single_and_several_are_a_class():
    rng = np.random.default_rng(5)
    annotated = scene(*CARS)
    assert {generate_one(annotated, rng, "train", "single").class_name for _ in range(40)} == {"person"}
    every = generate_one(annotated, rng, "train", "class")
    np.testing.assert_array_equal(every.mask, annotated.class_map == class_id("car"))
    assert every.in_view == 3


def test_a_mirror_swaps_the_words_and_twice_is_the_same():
    annotated = scene(*CARS)
    twin = annotated.flipped()
    back = twin.flipped()
    np.testing.assert_array_equal(back.image, annotated.image)
    assert back.objects == annotated.objects
    assert make_objects(twin.instance_map, twin.class_map) == twin.objects
    np.testing.assert_allclose(back.camera_in_base.rotation, annotated.camera_in_base.rotation)
    for item, other in zip(annotated.objects, twin.objects, strict=True):
        foot_a = pixels_to_ground(
            annotated.camera, annotated.camera_in_base, np.array([[item.box[0], item.foot]], float)
        )[0]
        foot_b = pixels_to_ground(twin.camera, twin.camera_in_base, np.array([[other.box[2] - 1, other.foot]], float))[
            0
        ]
        np.testing.assert_allclose(foot_a * [1, -1], foot_b, atol=1e-9)


def test_crops_keep_what_they_say():
    part = scene(*CARS).cropped(20, 100, 220, 360)
    assert part.image.shape == (260, 200, 3)
    names = Counter(o.name for o in part.objects)
    assert names["car"] == 2 and part.objects[0].box == (10, 120, 100, 190)
    assert part.objects[1].cut
    sliver = scene(*CARS).cropped(110, 100, 480, 360)
    assert Counter(o.name for o in sliver.objects)["car"] == 2, "a ninth of a car is void"


def test_the_same_seed_gives_the_same_expressions():
    annotated = scene(*CARS)
    one = generate(annotated, np.random.default_rng(7), "train", 12)
    two = generate(scene(*CARS), np.random.default_rng(7), "train", 12)
    assert [(e.text, e.kind) for e in one] == [(e.text, e.kind) for e in two]
    assert len({e.text for e in one}) == len(one) >= 10
    assert all((e.kind in DEFAULT_MIX) and (e.positive or e.mask is None) for e in one)


def test_regions_lie_on_free_road_where_they_should():
    annotated, rng, forms = scene(*CARS), np.random.default_rng(8), Counter()
    for _ in range(60):
        e = generate_one(annotated, rng, "train", "region")
        if e is None:
            continue
        forms[e.form] += 1
        assert e.type == "region" and e.region.any()
        assert (annotated.class_map[e.region] == class_id("road")).all()
        rows, cols = np.nonzero(e.region)
        xy, valid = pixels_to_ground(
            annotated.camera, annotated.camera_in_base, np.column_stack([cols, rows]).astype(float)
        )
        assert valid.all()
        assert np.ptp(xy[:, 0]) < 9.0 or e.form.startswith(("pull", "turn"))
        if e.form in ("behind", "before", "follow"):
            assert rows.mean() > np.flatnonzero(e.mask.any(1)).max() - 2
    assert len(forms) >= 4


def test_wordings_are_held_out():
    for name, sentences in (("noun_phrases", False), ("sentences", True)):
        for form, texts in table(name).items():
            train, val = set(wordings(form, "train", sentences)), set(wordings(form, "val", sentences))
            assert not (train & val) - {BARE}
            assert train | val == set(texts) and train and val - {BARE}, form
    for kind in ("nouns", "sentences"):
        assert not set(aliens(kind, "train")) & set(aliens(kind, "val"))
        assert 0.25 < len(aliens(kind, "val")) / (len(aliens(kind, "val")) + len(aliens(kind, "train"))) < 0.42
    assert held_out(["a", "b", "c"]) == held_out(["c", "a", "b"])


def test_classes_have_words_and_stable_ids():
    assert [c.id for c in CLASSES] == list(range(len(CLASSES)))
    assert class_id("person") == 1 and class_id("car") == 3 and class_id("road") == 8
    assert class_by_name("knife").plural == ("knives",)
    assert all(c.singular and c.plural for c in CLASSES[1:])


def test_what_was_added_later_is_split_by_its_own_hash():
    assert sum(added_is_held_out(f"wording {i}") for i in range(600)) == pytest.approx(200, abs=40)
    assert "stop next to {np}" in table("sentences")["next_to"]
    for name, sentences in (("noun_phrases", False), ("sentences", True)):
        for form, texts in table(name).items():
            assert len(set(texts) - {BARE}) == len([t for t in texts if t != BARE]) or form == "single", form
            assert not any(t.startswith(("+", "[")) for t in texts)
            assert all(set(re.findall(r"{(\w+)}", t)) <= {"n", "ns", "the", "o", "np", "it"} for t in texts)
            assert len(wordings(form, "train", sentences)) >= len(wordings(form, "val", sentences)), form
