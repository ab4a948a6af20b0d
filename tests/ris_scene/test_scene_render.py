# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Rendering: the same bytes in every process, at every camera, and beyond the ends of a street."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ris_scene import (
    CameraSpec,
    Placement,
    Scene,
    SceneClass,
    SceneSpec,
    World,
    build_world,
    render_scene,
    render_world,
)
from ris_scene.render import objects_of

SMALL = CameraSpec(160, 120)
IN_PROCESS = """
import sys
sys.path[:0] = sys.argv[1].split(":")
from test_scene_render import digest, render_scene, spec_of
render_scene(spec_of(4), 2.0)
print(digest(render_scene(spec_of(3), 1.5)))
"""


def spec_of(seed: int) -> SceneSpec:
    """Return a small training scene."""
    return SceneSpec("train", seed, camera=SMALL)


@cache
def world_of(seed: int) -> World:
    """Return the world of a small training scene."""
    return build_world(spec_of(seed))


def digest(scene: Scene) -> str:
    """Hash a picture and its truth."""
    maps = (scene.image, scene.instance_map, scene.class_map, scene.depth)
    return hashlib.sha256(b"".join(np.ascontiguousarray(one).tobytes() for one in maps)).hexdigest()


def test_processes_with_different_hash_seeds_render_the_same_bytes() -> None:
    folders = ":".join(path for path in (*sys.path, str(__file__).rpartition("/")[0]) if path)
    found = {
        subprocess.run(
            [sys.executable, "-c", IN_PROCESS, folders],
            env={"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for seed in ("1", "2")
    }
    assert found == {digest(render_scene(spec_of(3), 1.5))}


@settings(max_examples=25, deadline=None, derandomize=True)
@given(
    st.floats(-3.0, 3.0), st.floats(-2.0, 2.0), st.floats(0.6, 4.0), st.floats(-10.0, 30.0), st.floats(35.0, 110.0),
    st.integers(0, 3),
)  # fmt: skip
def test_every_camera_gets_a_picture_with_consistent_truth(
    x: float, y: float, z: float, pitch: float, hfov: float, seed: int
) -> None:
    camera = CameraSpec(96, 64, hfov_deg=hfov, x_m=x, y_m=y, z_m=z, pitch_deg=pitch)
    world = world_of(seed)
    scene = render_world(replace(world, spec=replace(world.spec, camera=camera)), 0.5)
    assert scene.image.shape == (64, 96, 3)
    counts = np.bincount(scene.instance_map.ravel(), minlength=1)
    pixels = {thing.id: thing.pixels for thing in scene.objects}
    assert {number: int(n) for number, n in enumerate(counts) if number and n} == {
        number: n for number, n in pixels.items() if n
    }
    sky = scene.class_map == SceneClass.SKY
    assert np.isinf(scene.depth[sky]).all()
    shown = scene.depth[~sky]
    assert np.isfinite(shown).all()
    # The centre of a pixel at an outline may lie beyond the horizon of the plane that covers most of it.
    assert (shown > 0).mean() > 0.99
    for thing in scene.visible:
        rows, columns = np.nonzero(scene.instance_map == thing.id)
        box = (columns.min(), rows.min(), np.ptp(columns) + 1, np.ptp(rows) + 1)
        assert thing.box == tuple(int(value) for value in box)
        assert set(np.unique(scene.class_map[rows, columns])) == {SceneClass[thing.label.upper().replace(" ", "_")]}


@pytest.mark.parametrize("layout", ["terrace", "bend", "suburb"])
@pytest.mark.parametrize("time_s", [-400.0, 160.0, 1000.0])
def test_a_street_can_be_left_behind(layout: str, time_s: float) -> None:
    world = build_world(SceneSpec("train", 3, layout, camera=SMALL))
    scene = render_world(world, time_s)
    assert scene.image.shape == (120, 160, 3)
    assert set(np.unique(scene.instance_map)) - {0} == {thing.id for thing in scene.visible}
    if time_s == 1000.0 and layout != "terrace":
        assert scene.objects == ()


def test_the_truth_of_a_frame_is_rebuilt_from_its_maps() -> None:
    world = world_of(6)
    scene = render_world(world, 1.0)
    again = objects_of(world, 1.0, scene.instance_map, scene.class_map)
    assert again.objects == scene.objects
    assert not again.image.any()


def emptied(world: World) -> World:
    """Return a world with its ground and nothing on it."""
    return replace(world, entities=())


def test_what_stands_in_front_hides_what_stands_behind() -> None:
    cast = (Placement("bus", "red", "ahead", 14.0, 0.0), Placement("car", "blue", "ahead", 34.0, 0.0))
    world = build_world(SceneSpec("train", 5, "terrace", "sunny", 0.0, camera=SMALL, cast=cast))
    bus = next(thing for thing in render_world(world, 0.0).objects if thing.label == "bus")
    car = next(thing for thing in render_world(world, 0.0).objects if thing.label == "car" and thing.x > 25)
    assert bus.pixels > 500
    assert car.pixels < 20
    alone = replace(world, entities=tuple(e for e in world.entities if e.kind != SceneClass.BUS))
    seen = {(thing.label, round(thing.x)): thing.pixels for thing in render_world(alone, 0.0).objects}
    assert seen["car", round(car.x)] > 2 * car.pixels + 20


def test_an_empty_world_shows_ground_sky_and_nothing_to_count() -> None:
    scene = render_world(emptied(world_of(2)), 0.0)
    assert scene.objects == ()
    assert not scene.instance_map.any()
    ground = {SceneClass.ROAD, SceneClass.MARKING, SceneClass.PAVEMENT, SceneClass.GRASS}
    backdrop = {SceneClass.SKY, SceneClass.BUILDING, SceneClass.TREE}
    assert set(np.unique(scene.class_map)) <= ground | backdrop
    assert (scene.class_map[-1] == SceneClass.ROAD).any()


def test_moving_things_move_by_their_speed() -> None:
    cast = (Placement("car", "red", "oncoming", 40.0, 4.0),)
    spec = SceneSpec("train", 5, "terrace", traffic=0.0, speed=2.0, camera=SMALL, cast=cast)
    early, late = (
        next(t for t in render_scene(spec, time_s).objects if t.label == "car" and t.speed == 4.0)
        for time_s in (0.0, 2.0)
    )
    assert late.id == early.id
    assert late.x - early.x == pytest.approx(-(4.0 + 2.0) * 2.0)
    assert late.y == pytest.approx(early.y)
