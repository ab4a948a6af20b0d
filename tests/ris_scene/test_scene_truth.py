# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest

from ris_node.config import RegionConfig
from ris_node.geometry.ground import ground_to_pixels, pixels_to_ground
from ris_node.targets.region import TargetRequest, region_target
from ris_node.types import Frame, TargetStatus
from ris_scene import CameraSpec, Placement, Scene, SceneClass, SceneSpec, render_scene
from ris_scene.truth import Place, Wanted, referents, region_mask, region_truth, truth_mask

SMALL = CameraSpec(320, 240)


def scene_with(*cast: Placement, layout: str = "terrace", seed: int = 5, weather: str = "sunny") -> Scene:
    return render_scene(SceneSpec("train", seed, layout, weather, 0.6, camera=SMALL, cast=cast))


def test_same_spec_same_bytes():
    spec = SceneSpec("val", 100_003, camera=SMALL)
    first = render_scene(spec, 0.7)
    render_scene(SceneSpec("val", 100_004, camera=SMALL), 0.0)
    again = render_scene(spec, 0.7)
    assert np.array_equal(first.image, again.image)
    assert np.array_equal(first.instance_map, again.instance_map)
    assert not np.array_equal(first.image, render_scene(spec, 1.4).image), "a moving scene changes"


@pytest.mark.parametrize("layout", ["terrace", "bend", "one way"])
def test_depth_of_the_road_is_that_of_the_ground_plane(layout):
    scene = scene_with(layout=layout)
    rows, columns = np.nonzero(np.isin(scene.class_map, [SceneClass.ROAD, SceneClass.MARKING]))
    pixels = np.column_stack([columns, rows]).astype(float)
    xy, valid = pixels_to_ground(scene.camera, scene.camera_in_base, pixels, 60.0)
    points = np.column_stack([xy[valid], np.zeros(int(valid.sum()))])
    expected = scene.camera_in_base.inverse().apply(points)[:, 2]
    measured = scene.depth[rows[valid], columns[valid]]
    assert valid.sum() > 5000
    assert np.quantile(np.abs(measured / expected - 1), 0.99) < 1e-3


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_masks_lie_where_the_poses_say(seed):
    scene = render_scene(SceneSpec("train", seed, camera=SMALL))
    checked = 0
    for thing in scene.visible:
        if thing.label not in ("car", "van", "bus", "truck", "pedestrian") or thing.pixels < 60 or thing.x < 6:
            continue
        base = thing.footprint()
        corners = np.concatenate([np.column_stack([base, np.full(4, z)]) for z in (0.0, thing.height + 0.15)])
        pixels, _ = scene.camera.project(scene.camera_in_base.inverse().apply(corners))
        low, high = pixels.min(axis=0) - 2.5, pixels.max(axis=0) + 2.5
        x, y, w, h = thing.box
        slack = 0.15 * (high - low) if thing.label == "pedestrian" else 0.02 * (high - low)
        assert x >= low[0] - slack[0] and x + w - 1 <= high[0] + slack[0], thing
        assert y >= low[1] - slack[1] and y + h - 1 <= high[1] + slack[1], thing
        checked += 1
    assert checked >= 4


def test_an_unhidden_car_fills_its_projected_box():
    scene = scene_with(Placement("car", "red", "ahead", 12.0), seed=8)
    (car,) = referents(scene, Wanted("car", "red", order="nearest"))
    corners = np.concatenate([np.column_stack([car.footprint(), np.full(4, z)]) for z in (0.0, car.height)])
    pixels, _ = scene.camera.project(scene.camera_in_base.inverse().apply(corners))
    extent = np.ptp(pixels, axis=0)
    assert abs(car.box[2] - extent[0]) < 0.12 * extent[0] + 2
    assert abs(car.box[3] - extent[1]) < 0.15 * extent[1] + 2
    assert truth_mask(scene, Wanted("car", "red", order="nearest")).sum() == car.pixels > 0.5 * np.prod(car.box[2:])


def test_depth_of_an_object_lies_within_its_body():
    scene = scene_with(Placement("car", "blue", "ahead", 14.0), seed=8)
    (car,) = referents(scene, Wanted("car", "blue", order="nearest"))
    depth = scene.depth[scene.instance_map == car.id]
    middle = scene.camera_in_base.inverse().apply(np.array([[car.x, car.y, car.height / 2]]))[0, 2]
    assert depth.min() > middle - car.length / 2 - 0.2
    assert depth.max() < middle + car.length / 2 + 0.2


def test_meanings_find_whom_they_mean():
    scene = scene_with(Placement("car", "red", "parked right", 14.0), Placement("car", "green", "parked left", 16.0))
    everything = referents(scene, Wanted("car"))
    assert [t.box[0] + t.box[2] / 2 for t in everything] == sorted(t.box[0] + t.box[2] / 2 for t in everything)
    for side in ("left", "right"):
        (nearest,) = referents(scene, Wanted("car", side=side, order="nearest"))
        rivals = [t for t in everything if (t.box[0] + t.box[2] / 2 < 160) == (side == "left")]
        assert nearest.distance == min(t.distance for t in rivals)
    (red,) = referents(scene, Wanted("car", "red", "right", "nearest"))
    assert red.colour == "red" and abs(red.x - 14) < 5
    assert referents(scene, Wanted("elephant")) == ()
    assert not truth_mask(scene, Wanted("elephant")).any()


def test_regions_are_free_fit_the_vehicle_and_project_onto_road():
    cast = (Placement("car", "red", "parked right", 14.0), Placement("", "", "parked right", 21.0),
            Placement("", "", "ahead", 14.0))  # fmt: skip
    scene = scene_with(*cast)
    (red,) = referents(scene, Wanted("car", "red", "right", "nearest"))
    for place, anchor in ((Place.BESIDE, red), (Place.FREE_BAY_RIGHT, None), (Place.HERE, None)):
        truth = region_truth(scene, place, anchor)
        assert truth is not None, place
        assert np.isin(scene.class_map[truth.mask], [SceneClass.ROAD, SceneClass.MARKING]).all()
        assert (scene.instance_map[truth.mask] == 0).all()
        _, valid = ground_to_pixels(scene.camera, scene.camera_in_base, np.array([truth.goal[:2]]))
        assert valid[0]
        sides = np.linalg.norm(truth.outline - np.roll(truth.outline, 1, axis=0), axis=1)
        assert sides.max() >= 4.5 and sides.min() >= 1.9
    beside = region_truth(scene, Place.BESIDE, red)
    assert beside is not None
    assert abs(beside.goal[0] - red.x) < 3 and 1.5 < abs(beside.goal[1] - red.y) < 5


@pytest.mark.parametrize("place", [Place.HERE, Place.BESIDE])
def test_the_true_region_leads_the_target_code_to_the_true_goal(place):
    cast = (Placement("car", "red", "parked right", 14.0), Placement("", "", "ahead", 14.0))
    spec = SceneSpec("train", 5, "terrace", "sunny", 0.6, camera=CameraSpec(640, 480), cast=cast)
    scene = render_scene(spec)
    (red,) = referents(scene, Wanted("car", "red", "right", "nearest"))
    truth = region_truth(scene, place, red if place is Place.BESIDE else None)
    assert truth is not None
    middle = truth.outline.mean(axis=0)
    room = middle + (truth.outline - middle) * (np.linalg.norm(truth.outline[0] - middle) + 0.5) / np.linalg.norm(
        truth.outline[0] - middle
    )
    mask = region_mask(scene, room)
    frame = Frame(
        scene.image,
        0,
        "camera",
        camera=scene.camera,
        camera_in_target=scene.camera_in_base,
        target_frame="base_link",
    )
    target = region_target(TargetRequest(mask, mask.astype(np.float32), scene.instance_map > 0, frame), RegionConfig())
    assert target.status is TargetStatus.OK, target.message
    assert truth.error(target.position[0], target.position[1]) < 0.4


def test_what_is_hidden_or_out_of_view_has_no_pixels_and_is_not_meant():
    cast = (Placement("bus", "yellow", "ahead", 12.0, 0.0), Placement("car", "green", "ahead", 30.0, 0.0))
    scene = scene_with(*cast)
    hidden = next(thing for thing in scene.objects if (thing.label, thing.colour) == ("car", "green") and thing.x > 20)
    assert hidden.pixels < 20
    assert hidden not in referents(scene, Wanted("car", "green"))
    (bus,) = referents(scene, Wanted("bus", "yellow"))
    assert np.array_equal(truth_mask(scene, Wanted("bus", "yellow")), scene.instance_map == bus.id)


@pytest.mark.parametrize(("relation", "fits"), [("left of", True), ("right of", False), ("behind", False)])
def test_relations_hold_between_who_is_meant(relation, fits):
    cast = (Placement("car", "red", "parked left", 20.0), Placement("", "", "ahead", 14.0),
            Placement("car", "blue", "ahead", 20.0, 0.0))  # fmt: skip
    scene = scene_with(*cast)
    (red,) = referents(scene, Wanted("car", "red", order="nearest"))
    meant = referents(scene, Wanted("car", "red", relation=relation, other=Wanted("car", "blue", order="nearest")))
    assert (red in meant) == fits


@pytest.mark.parametrize(("order", "least"), [("farthest", False), ("nearest", True)])
def test_orders_are_of_distance(order, least):
    scene = scene_with(seed=9)
    cars = referents(scene, Wanted("car"))
    assert len(cars) > 2
    (found,) = referents(scene, Wanted("car", order=order))
    distances = [thing.distance for thing in cars]
    assert found.distance == (min(distances) if least else max(distances))


@pytest.mark.parametrize(("order", "least"), [("smallest", True), ("largest", False)])
def test_orders_are_of_visible_pixels(order, least):
    scene = scene_with(seed=9)
    (found,) = referents(scene, Wanted("car", order=order))
    pixels = [thing.pixels for thing in referents(scene, Wanted("car"))]
    assert found.pixels == (min(pixels) if least else max(pixels))


@pytest.mark.parametrize("place", [Place.KERB_LEFT, Place.KERB_RIGHT])
@pytest.mark.parametrize("layout", ["suburb", "bend"])
def test_at_a_kerb_the_vehicle_stands_close_to_it(place, layout):
    scene = scene_with(layout=layout, seed=7)
    truth = region_truth(scene, place)
    if truth is None:
        assert layout == "bend", "a side that is parked full"
        return
    kerb = scene.street.left_kerb if place is Place.KERB_LEFT else scene.street.right_kerb
    sd = scene.street.from_base(truth.outline)
    gap = kerb - sd[:, 1].max() if place is Place.KERB_LEFT else sd[:, 1].min() - kerb
    assert -0.1 < gap < 0.3
    assert truth.error(*truth.goal[:2]) == 0.0
    assert truth.error(truth.goal[0], truth.goal[1] + 2.0) > 1.5


def test_a_patch_outside_of_the_picture_has_no_pixels():
    scene = scene_with()
    behind = np.array([(-9.0, 1.0), (-5.0, 1.0), (-5.0, -1.0), (-9.0, -1.0)])
    assert region_mask(scene, behind).sum() < 0.02 * scene.instance_map.size
    far_left = np.add(behind, (18.0, 60.0))
    assert not region_mask(scene, far_left).any()
