# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Rendered scenes as annotated pictures: instances, colours and regions agree with the renderer's own truth."""

from __future__ import annotations

import numpy as np
import pytest

from ris_node.data.classes import class_id
from ris_node.data.colours import COLOUR_WORDS
from ris_node.data.formats.rendered import annotate_scene
from ris_node.data.text import wording
from ris_node.data.text.expressions import generate_one
from ris_node.geometry.ground import pixels_to_ground
from ris_scene import CameraSpec, SceneSpec, render_scene


@pytest.fixture(scope="module")
def rendered():
    scene = render_scene(SceneSpec("train", seed=41, camera=CameraSpec(320, 240)))
    return scene, annotate_scene(scene)


def test_things_keep_their_pixels_and_paint(rendered):
    scene, picture = rendered
    by_id = {o.id: o for o in picture.objects}
    large = [t for t in scene.visible if t.pixels > 100]
    assert large
    for thing in large:
        assert by_id[thing.id].area == thing.pixels
        assert by_id[thing.id].colour == (thing.colour or None)
    assert picture.class_map.max() > 0
    assert (picture.class_map == class_id("road")).mean() > 0.1


def test_colours_come_from_the_renderer(rendered, monkeypatch):
    monkeypatch.setattr(wording, "_SLIP_RATE", 0.0)
    scene, picture = rendered
    paint = {t.id: t.colour for t in scene.objects}
    rng = np.random.default_rng(0)
    for _ in range(30):
        e = generate_one(picture, rng, "train", "colour")
        assert e is not None
        said = {paint[i] for i in np.unique(picture.instance_map[e.mask]).tolist()}
        assert len(said) == 1
        word = said.pop()
        assert any(w in e.text.lower() for w in COLOUR_WORDS[word])


def test_regions_are_ahead_and_on_the_road(rendered):
    _, picture = rendered
    rng, seen = np.random.default_rng(1), 0
    for _ in range(20):
        e = generate_one(picture, rng, "train", "region")
        if e is not None and e.form != "park_bay":
            rows, columns = np.nonzero(e.region)
            pixels = np.column_stack([columns, rows]).astype(float)
            xy, valid = pixels_to_ground(picture.camera, picture.camera_in_base, pixels)
            assert valid.all() and xy[:, 0].min() > 2.0
            assert (picture.class_map[e.region] == class_id("road")).all()
            seen += 1
    assert seen
