# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""The packaged baseline on real pictures, and that its script makes the very bundle that is packaged."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from ris_node.bundle import open_bundle, packaged_bundles
from ris_node.config import ModelConfig
from ris_node.export.keyword_baseline import make_bundle
from ris_node.pipeline.grounder import Grounder
from ris_node.types import Status

ROAD, CAR = 3, 8  # CamVid's indices


@pytest.fixture(scope="module")
def grounder():
    with Grounder.open(packaged_bundles()["keyword-baseline"], model=ModelConfig(num_threads=1)) as opened:
        yield opened


@pytest.fixture(scope="module")
def pictures(shared):
    paths = sorted((shared / "data/camvid/val").glob("*.jpg"))[::20]
    return [
        (cv2.imread(str(p))[..., ::-1], cv2.imread(str(p.with_suffix(".png")), cv2.IMREAD_UNCHANGED)) for p in paths
    ]


def test_its_unused_inputs_are_still_there(grounder):
    names = {spec.name for spec in grounder.vision.session.inputs}
    assert names == {"image", "words", "word_mask", "sentence"}
    assert grounder.info.precision == "fp32"


def test_grey_is_nothing(grounder):
    found = grounder.ground(np.full((480, 640, 3), 114, np.uint8), "the bus")
    assert found.status == Status.ABSENT and not found.mask.any()


@pytest.mark.shared
def test_it_knows_its_classes_on_real_pictures(grounder, pictures):
    scores = []
    for image, truth in pictures:
        road = grounder.ground(image, "the road").mask & (truth != 11)
        scores.append((road & (truth == ROAD)).sum() / (road | (truth == ROAD)).sum())
    assert np.mean(scores) > 0.75


@pytest.mark.shared
def test_it_refuses_what_it_does_not_know(grounder, pictures):
    for image, _ in pictures:
        for text in ("the elephant", "stop next to the snowman", "hello"):
            assert grounder.ground(image, text).status == Status.ABSENT


@pytest.mark.shared
def test_left_and_right_are_told_apart(grounder, pictures):
    seen = 0
    for image, _ in pictures:
        left, right = (grounder.ground(image, f"the {side}most building") for side in ("left", "right"))
        if left.found and right.found and len(grounder.ground(image, "the buildings").instances) > 1:
            seen += 1
            assert left.instances[0].centroid[0] < right.instances[0].centroid[0]
    assert seen > 0


@pytest.mark.shared
def test_regions_lie_on_the_road(grounder, pictures):
    shares = []
    for image, truth in pictures:
        found = grounder.ground(image, "pull over on the left")
        if found.status == Status.PRESENT:
            x, y = (round(v) for v in found.point)
            shares.append(truth[y, x] == ROAD)
    assert len(shares) > 2 and np.mean(shares) > 0.6


@pytest.mark.shared
def test_the_script_makes_the_packaged_bundle(shared, tmp_path):
    made = make_bundle(shared / "pretrained/deeplab_cityscapes.onnx", tmp_path)
    packaged = open_bundle(packaged_bundles()["keyword-baseline"]).manifest
    assert made.files == packaged.files
    assert made == open_bundle(tmp_path).manifest
