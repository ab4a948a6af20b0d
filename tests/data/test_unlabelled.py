# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""What is labelled only in part is never spoken of."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ris_node.data.annotated import Annotated, make_objects
from ris_node.data.classes import class_id
from ris_node.data.expressions import generate
from ris_node.data.readers import open_set, partly_labelled, shared_dir
from ris_node.data.unlabelled import Teacher, partly_labelled_in
from ris_node.language.lexicon import CITYSCAPES

CAR, PERSON = class_id("car"), class_id("person")


def _two_cars() -> Annotated:
    classes = np.full((120, 160), class_id("road"), np.uint8)
    instances = np.zeros(classes.shape, np.uint16)
    for number, x in ((1, 10), (2, 110)):
        classes[60:90, x : x + 30], instances[60:90, x : x + 30] = CAR, number
    image = np.full((120, 160, 3), 120, np.uint8)
    return Annotated(image, classes, instances, make_objects(instances, classes), "streets", "drawn")


def _about(picture: Annotated, name: str) -> int:
    rng = np.random.default_rng(1)
    return sum(e.class_name == name for e in generate(picture, rng, "train", 60))


def test_a_class_that_is_labelled_in_part_is_neither_named_nor_missed() -> None:
    picture = _two_cars()
    assert _about(picture, "car") > 0
    assert _about(replace(picture, partial=frozenset({"car"})), "car") == 0


def test_the_absence_of_a_class_that_is_seen_unlabelled_is_not_claimed() -> None:
    picture = _two_cars()
    names = {e.class_name for e in generate(picture, np.random.default_rng(3), "train", 60) if e.kind == "absent"}
    assert "pavement" in names
    hidden = replace(picture, partial=frozenset({"pavement"}))
    again = {e.class_name for e in generate(hidden, np.random.default_rng(3), "train", 60) if e.kind == "absent"}
    assert "pavement" not in again


def test_a_car_that_the_teacher_sees_in_the_void_makes_cars_partial() -> None:
    picture = _two_cars()
    chances = np.zeros((120, 160, len(CITYSCAPES)), np.float32)
    chances[60:90, 110:140, CITYSCAPES.index("car")] = 0.9
    assert partly_labelled_in(picture, chances) == ()  # it is labelled
    picture.class_map[60:90, 110:140] = 0
    fresh = replace(picture)
    assert partly_labelled_in(fresh, chances) == ("car",)
    assert partly_labelled_in(fresh, 0.5 * chances) == ()  # not sure enough
    seam = np.zeros_like(chances)
    seam[60:90, 110:115, CITYSCAPES.index("car")] = 0.9
    assert partly_labelled_in(fresh, seam) == ()  # the border between two labels


@pytest.mark.shared
def test_the_kept_list_is_what_the_teacher_finds() -> None:
    kept = partly_labelled("streets")
    pictures = open_set("streets/val")
    named = [n for n in pictures.names if "car" in kept.get(n, ())][:1]
    clear = [n for n in pictures.names if n not in kept][:1]
    teacher = Teacher(shared_dir() / "pretrained/deeplab_cityscapes.onnx")
    for name in named + clear:
        picture = pictures.read(name)
        assert frozenset(partly_labelled_in(picture, teacher.chances(picture.image))) == kept.get(name, frozenset())


@pytest.mark.shared
def test_windows_and_doors_of_facades_are_not_spoken_of() -> None:
    picture = next(p for p in open_set("streets/val") if "window" in p.class_areas)
    assert _about(picture, "window") == 0 and _about(picture, "door") == 0
