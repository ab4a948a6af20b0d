# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""The packaged baseline on rendered streets, and its script on a network of the published form."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from ris_node.bundle import open_bundle, packaged_bundles
from ris_node.config import ModelConfig
from ris_node.data.classes import CLASSES
from ris_node.export.keyword_baseline import HEIGHT, WIDTH, WORDS, make_bundle
from ris_node.language.lexicon import CITYSCAPES
from ris_node.pipeline.grounder import Grounder
from ris_node.training.inputs.rendered import training_scene
from ris_node.types import Status

ROAD = next(c.id for c in CLASSES if c.name == "road")


@pytest.fixture(scope="module")
def grounder():
    with Grounder.open(packaged_bundles()["keyword-baseline"], model=ModelConfig(num_threads=1)) as opened:
        yield opened


@pytest.fixture(scope="module")
def streets():
    return [training_scene(number, 7) for number in range(5)]


def test_its_unused_inputs_are_still_there(grounder):
    names = {spec.name for spec in grounder.vision.session.inputs}
    assert names == {"image", "words", "word_mask", "sentence"}
    assert grounder.info.precision == "fp32"


def test_grey_is_nothing(grounder):
    found = grounder.ground(np.full((480, 640, 3), 114, np.uint8), "the bus")
    assert found.status == Status.ABSENT and not found.mask.any()


def test_it_knows_its_classes(grounder, streets):
    scores = []
    for street in streets:
        mask, road = grounder.ground(street.image, "the road").mask, street.class_map == ROAD
        scores.append((mask & road).sum() / (mask | road).sum())
    assert np.mean(scores) > 0.85


def test_it_refuses_what_it_does_not_know(grounder, streets):
    for street in streets:
        for text in ("the elephant", "stop next to the snowman", "hello"):
            assert grounder.ground(street.image, text).status == Status.ABSENT


def test_left_and_right_are_told_apart(grounder, streets):
    seen = 0
    for street in streets:
        left, right = (grounder.ground(street.image, f"the {side}most building") for side in ("left", "right"))
        if left.found and right.found and len(grounder.ground(street.image, "the buildings").instances) > 1:
            seen += 1
            assert left.instances[0].centroid[0] < right.instances[0].centroid[0]
    assert seen > 0


def test_regions_lie_on_the_road(grounder, streets):
    shares = []
    for street in streets:
        found = grounder.ground(street.image, "pull over on the left")
        if found.status == Status.PRESENT:
            x, y = (round(v) for v in found.point)
            shares.append(street.class_map[y, x] == ROAD)
    assert len(shares) > 2 and np.mean(shares) > 0.6


def trunk() -> onnx.ModelProto:
    """A small network of the published form: stride 16, 19 classes, a pooled branch whose size is read at run time."""
    rng = np.random.default_rng(0)
    weights = {
        "patch": rng.normal(0, 0.1, (8, 3, 16, 16)).astype(np.float32),
        "head": rng.normal(0, 1, (len(CITYSCAPES), 16, 1, 1)).astype(np.float32),
        "from": np.array([2], np.int64),
        "to": np.array([4], np.int64),
        "ones": np.array([1, 8], np.int64),
    }
    nodes = [
        helper.make_node("Conv", ["picture", "patch"], ["features"], strides=[16, 16]),
        helper.make_node("GlobalAveragePool", ["features"], ["mean"]),
        helper.make_node("Shape", ["features"], ["shape"]),
        helper.make_node("Slice", ["shape", "from", "to"], ["size"]),
        helper.make_node("Concat", ["ones", "size"], ["whole"], axis=0),
        helper.make_node("Expand", ["mean", "whole"], ["pooled"]),
        helper.make_node("Concat", ["features", "pooled"], ["both"], axis=1),
        helper.make_node("Conv", ["both", "head"], ["logits"]),
    ]
    graph = helper.make_graph(
        nodes,
        "trunk",
        [helper.make_tensor_value_info("picture", TensorProto.FLOAT, [1, 3, "h", "w"])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, [1, len(CITYSCAPES), "y", "x"])],
        [numpy_helper.from_array(value, name) for name, value in weights.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)


def test_the_script_wraps_a_network_and_says_what_the_packaged_bundle_says(tmp_path):
    network = trunk()
    onnx.save(network, tmp_path / "trunk.onnx")
    made = make_bundle(tmp_path / "trunk.onnx", tmp_path / "bundle")
    opened = open_bundle(tmp_path / "bundle")
    packaged = open_bundle(packaged_bundles()["keyword-baseline"]).manifest
    assert made == opened.manifest
    assert replace(made, files=packaged.files, quality=packaged.quality) == packaged

    image = np.random.default_rng(1).integers(0, 256, (1, HEIGHT, WIDTH, 3), np.uint8)
    car = np.zeros((1, len(CITYSCAPES)), np.float32)
    car[0, CITYSCAPES.index("car")] = 1.0
    feeds = {
        "image": image,
        "words": np.zeros((1, WORDS, len(CITYSCAPES)), np.float32),
        "word_mask": np.zeros((1, WORDS), np.float32),
        "sentence": car,
    }
    plain, wrapped = (
        onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
        for path in (tmp_path / "trunk.onnx", tmp_path / "bundle" / "vision.fp32.onnx")
    )
    scaled = image.transpose(0, 3, 1, 2).astype(np.float32) / 127.5 - 1
    logits = plain.run(None, {"picture": scaled})[0][0]
    mask = wrapped.run(["mask_logits"], feeds)[0][0]
    others = np.delete(logits, CITYSCAPES.index("car"), axis=0)
    expected = logits[CITYSCAPES.index("car")] - np.log(np.exp(others - others.max(0)).sum(0)) - others.max(0)
    # every fourth cell of the wide plane lies on a cell of the trunk
    np.testing.assert_allclose(mask[::4, ::4], expected, atol=2e-3)
