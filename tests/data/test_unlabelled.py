# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""What is labelled only in part is never spoken of."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
from made_sets import write_sets
from onnx import TensorProto, helper, numpy_helper

from ris_node.data.annotated import Annotated, make_objects
from ris_node.data.classes import class_id
from ris_node.data.formats.annotate import annotate_classes
from ris_node.data.formats.index import open_pictures
from ris_node.data.heldout import partly_labelled
from ris_node.data.registry import facts_of
from ris_node.data.text.expressions import generate
from ris_node.data.unlabelled import Teacher, partly_labelled_in
from ris_node.language.lexicon import CITYSCAPES

CAR, PERSON = class_id("car"), class_id("person")


def _two_cars() -> Annotated:
    classes = np.full((120, 160), class_id("road"), np.uint8)
    instances = np.zeros(classes.shape, np.uint16)
    for number, x in ((1, 10), (2, 110)):
        classes[60:90, x : x + 30], instances[60:90, x : x + 30] = CAR, number
    image = np.full((120, 160, 3), 120, np.uint8)
    return Annotated(image, classes, instances, make_objects(instances, classes), source="streets", name="drawn")


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


def test_a_teacher_in_onnx_looks_at_several_scales_and_in_a_mirror(tmp_path) -> None:
    """Its network says "car" where a pixel is red: whatever the view, the map comes back upright and in its place."""
    teacher = Teacher(_sees_red(tmp_path / "teacher.onnx"))
    picture = _two_cars()
    image = picture.image.copy()
    image[60:90, 10:40] = (255, 0, 0)
    chances = teacher.chances(image)
    assert chances.shape == (120, 160, len(CITYSCAPES)) and np.allclose(chances.sum(2), 1.0, atol=1e-4)
    seen = chances[..., CITYSCAPES.index("car")] > 0.9
    assert seen[64:86, 14:36].all() and not seen[:, 48:].any() and not seen[:52].any()
    assert partly_labelled_in(picture, chances) == ()
    picture.class_map[60:90, 10:40] = 0
    assert partly_labelled_in(replace(picture), chances) == ("car",)


def test_a_picture_that_the_list_names_says_nothing_of_those_classes(tmp_path) -> None:
    pictures = open_pictures("streets/val", write_sets(tmp_path, train=0, val=84, sources=("streets",)))
    kept = partly_labelled("streets")
    named = (i for i, n in enumerate(pictures.names) if "car" in kept.get(n, ()))
    index = next(i for i in named if pictures[i].class_areas.get("car", 0))
    name, picture = pictures.names[index], pictures[index]
    assert picture.partial >= kept[name] | {"window", "door"}
    assert _about(picture, "car") == 0 < _about(replace(picture, partial=frozenset()), "car")


def test_windows_and_doors_of_facades_are_not_spoken_of() -> None:
    picture = _two_cars()
    classes, instances = picture.class_map, picture.instance_map
    for number, (name, x) in enumerate((("window", 10), ("window", 60), ("door", 110)), 3):
        classes[20:50, x : x + 20], instances[20:50, x : x + 20] = class_id(name), number
    labels = np.zeros(classes.shape, np.uint8)
    names = facts_of("streets").labels
    for index, name in enumerate(names):
        labels[classes == class_id(name)] = index
    facade = annotate_classes(picture.image, labels, names, "streets", "drawn")
    assert {"window", "door"} <= set(facade.class_areas)
    assert _about(facade, "window") == 0 and _about(facade, "door") == 0
    other = replace(facade, partial=frozenset())
    assert _about(other, "window") > 0


def _sees_red(path: Path) -> Path:
    """Write a network for images of any size that gives a large logit of "car" for red, at stride 1."""
    weights = np.zeros((len(CITYSCAPES), 3, 1, 1), np.float32)
    weights[CITYSCAPES.index("car"), :, 0, 0] = (10.0, -10.0, -10.0)
    size = ["n", 3, "h", "w"]
    graph = helper.make_graph(
        [helper.make_node("Conv", ["image", "w"], ["out"])],
        "red",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, size)],
        [helper.make_tensor_value_info("out", TensorProto.FLOAT, ["n", len(CITYSCAPES), "h", "w"])],
        [numpy_helper.from_array(weights, "w")],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9), path)
    return path
