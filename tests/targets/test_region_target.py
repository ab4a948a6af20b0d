# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from ris_node.config import RegionConfig
from ris_node.geometry import Camera, Transform, camera_mount, ground_to_pixels, pixels_to_ground
from ris_node.geometry.transform import rotation_rpy
from ris_node.targets.policies import GOAL_POLICIES, YAW_POLICIES
from ris_node.targets.region import TargetRequest, region_target
from ris_node.types import Frame, RegionTarget, TargetMethod, TargetStatus

CONFIG = RegionConfig(vehicle_length_m=2.0, vehicle_width_m=1.2, clearance_m=0.2)
LENS = np.array([-0.28, 0.07, 0.001, -0.0005, 0.0])


def camera(width: int = 640, height: int = 480, distortion: np.ndarray | None = None) -> Camera:
    pin = Camera.pinhole(width, height, 75.0)
    return pin if distortion is None else Camera(width, height, pin.matrix, distortion)


def rectangle(cam: Camera, mount: Transform, middle: tuple[float, float], size: tuple[float, float], yaw: float = 0.0):
    """The true mask: every pixel whose ray meets the ground inside of the rectangle."""
    y, x = np.mgrid[: cam.height, : cam.width]
    xy, valid = pixels_to_ground(cam, mount, np.column_stack([x.ravel(), y.ravel()]).astype(float), 500.0)
    local = (xy - middle) @ np.array([[np.cos(yaw), -np.sin(yaw)], [np.sin(yaw), np.cos(yaw)]])
    with np.errstate(invalid="ignore"):
        inside = valid & (np.abs(local[:, 0]) <= size[0] / 2) & (np.abs(local[:, 1]) <= size[1] / 2)
    return inside.reshape(cam.height, cam.width)


def aim(mask, cam, mount, config=CONFIG, obstacle=None, depth=None, frame_id="base_link") -> RegionTarget:
    image = np.zeros((cam.height, cam.width, 3), np.uint8)
    frame = Frame(image, 5, "cam_optical", camera=cam, depth=depth, camera_in_target=mount, target_frame=frame_id)
    return region_target(TargetRequest(mask, mask.astype(np.float32) * 0.9, obstacle, frame), config)


CASES = {
    "straight": (camera(), camera_mount(0, 0, 1.5), (10.0, 0.0), 0.0),
    "tilted": (camera(), camera_mount(1.5, 0.3, 1.4, 3.0, 7.0, -8.0), (11.5, -1.0), 0.4),
    "lens": (camera(distortion=LENS), camera_mount(0, 0, 1.6, 0.0, 5.0, 0.0), (10.0, 1.5), -0.3),
    "odd": (camera(641, 359), camera_mount(0, 0, 1.6, -1.0, 8.0, 3.0), (10.0, 0.7), 0.2),
    "hd": (camera(1920, 1080), camera_mount(0, 0, 1.5), (10.0, -2.0), 0.0),
}


@pytest.mark.parametrize("case", CASES)
def test_goal_of_a_true_mask_is_within_a_decimetre_at_ten_metres(case: str) -> None:
    cam, mount, middle, yaw = CASES[case]
    target = aim(rectangle(cam, mount, middle, (5.0, 3.0), yaw), cam, mount)
    assert target.status is TargetStatus.OK, target.message
    assert np.hypot(*(target.position[:2] - middle)) < 0.1
    assert target.position[2] == 0.0
    assert target.yaw == pytest.approx(np.arctan2(middle[1], middle[0]), abs=0.03)
    assert target.extent[:2] == pytest.approx((5.0, 3.0), abs=0.4)
    assert target.method is TargetMethod.GROUND_PLANE
    assert target.valid_fraction == 1.0
    assert target.score == pytest.approx(0.9, abs=0.01)
    x, y = target.footprint.T
    area = 0.5 * (x @ np.roll(y, -1) - y @ np.roll(x, -1))
    assert area == pytest.approx(15.0, rel=0.08)  # counter-clockwise, so positive
    pixels, _ = ground_to_pixels(cam, mount, target.position[None, :2])
    assert target.goal_pixel == pytest.approx(pixels[0], abs=1e-6)


def test_goal_is_the_same_place_in_another_target_frame() -> None:
    cam, mount = camera(), camera_mount(1.0, 0, 1.5, 0, 6.0, 0)
    mask = rectangle(cam, mount, (10.0, 1.0), (5.0, 3.0))
    base_in_map = Transform(rotation_rpy(0, 0, 120.0), np.array([50.0, -20.0, 0.0]))
    config = dataclasses.replace(CONFIG, camera_x_m=1.0, camera_pitch_deg=6.0)
    here = aim(mask, cam, mount, config)
    there = aim(mask, cam, base_in_map @ mount, config, frame_id="map")
    assert there.frame_id == "map"
    assert np.allclose(there.position, base_in_map.apply(here.position[None])[0], atol=0.02)
    assert there.yaw == pytest.approx(here.yaw + np.radians(120.0), abs=0.02)
    turn = base_in_map.rotation
    assert np.allclose(there.covariance[:3, :3], turn @ here.covariance[:3, :3] @ turn.T, rtol=0.1, atol=1e-3)


def test_covariance_covers_a_degree_of_pitch() -> None:
    cam = camera()
    for distance in (6.0, 10.0, 25.0):
        mount = camera_mount(0, 0, 1.5, 0, 4.0, 0)
        target = aim(rectangle(cam, mount, (distance, 0.0), (6.0, 4.0)), cam, mount)
        pixel = np.array([target.goal_pixel])
        moved, _ = pixels_to_ground(cam, camera_mount(0, 0, 1.5, 0, 3.0, 0), pixel)
        assert target.covariance[0, 0] >= (moved[0, 0] - target.position[0]) ** 2
        assert np.linalg.eigvalsh(target.covariance).min() > 0


def noisy_depth(cam: Camera, mount: Transform, slope: float) -> np.ndarray:
    """Depth of the plane z = slope * x, with 1 % noise, a third missing and a tenth of it wild."""
    rng = np.random.default_rng(3)
    y, x = np.mgrid[: cam.height, : cam.width]
    rays = cam.rays(np.column_stack([x.ravel(), y.ravel()]).astype(float)) @ mount.rotation.T
    eye = mount.translation
    depth = (slope * eye[0] - eye[2]) / (rays[:, 2] - slope * rays[:, 0])
    depth = np.where(depth > 0, depth, np.nan) * (1 + 0.01 * rng.normal(size=depth.size))
    depth[rng.random(depth.size) < 0.33] = np.nan
    wild = rng.random(depth.size) < 0.1
    depth[wild] = rng.uniform(0.3, 40.0, int(wild.sum()))
    return depth.reshape(cam.height, cam.width).astype(np.float32)


def test_depth_places_a_region_on_a_slope_that_the_plane_would_miss() -> None:
    cam, mount, slope = camera(), camera_mount(0, 0, 1.5, 0, 5.0, 0), 0.06
    y, x = np.mgrid[:480, :640]
    rays = cam.rays(np.column_stack([x.ravel(), y.ravel()]).astype(float)) @ mount.rotation.T
    xy = rays[:, :2] * (-1.5 / (rays[:, 2] - slope * rays[:, 0]))[:, None]
    mask = ((np.abs(xy[:, 0] - 10) < 2.5) & (np.abs(xy[:, 1] - 1) < 1.5)).reshape(480, 640)
    depth = noisy_depth(cam, mount, slope)
    target = aim(mask, cam, mount, depth=depth)
    assert target.status is TargetStatus.OK, target.message
    assert target.method is TargetMethod.DEPTH
    assert np.abs(target.position - [10.0, 1.0, 0.6]).max() < 0.1
    assert 0.4 < target.valid_fraction < 0.65
    assert aim(mask, cam, mount).position[0] > 12.0
    assert target.covariance[0, 0] < aim(mask, cam, mount).covariance[0, 0]
    small = aim(mask, cam, mount, depth=depth[::2, ::2])
    assert small.method is TargetMethod.DEPTH
    assert np.abs(small.position - target.position).max() < 0.15


def test_depth_sees_a_box_that_the_masks_do_not() -> None:
    cam, mount = camera(), camera_mount(0, 0, 1.5, 0, 5.0, 0)
    mask = rectangle(cam, mount, (10.0, 0.0), (3.2, 2.4))
    depth = noisy_depth(cam, mount, 0.0)
    assert aim(mask, cam, mount, depth=depth).status is TargetStatus.OK
    depth[rectangle(cam, mount, (10.0, 0.0), (0.8, 0.8))] = 8.0
    assert aim(mask, cam, mount, depth=depth).status is TargetStatus.TOO_SMALL


def test_useless_depth_falls_back_to_the_plane_and_says_so() -> None:
    cam, mount = camera(), camera_mount(0, 0, 1.5, 0, 5.0, 0)
    mask = rectangle(cam, mount, (10.0, 0.0), (5.0, 3.0))
    for shape, value in (((480, 640), np.nan), ((480, 640), 0.0), ((5, 640), 8.0)):
        depth = np.full(shape, value, np.float32)
        target = aim(mask, cam, mount, depth=depth)
        assert (target.status, target.method) == (TargetStatus.OK, TargetMethod.GROUND_PLANE)
        assert "depth" in target.message
    up = camera_mount(0, 0, 1.5, 0, -60.0, 0)
    refused = aim(mask, cam, up, depth=np.zeros((480, 640), np.float32))
    assert refused.status is TargetStatus.NO_DEPTH
    assert "horizon" in refused.message


def test_vehicle_must_fit_with_clearance_at_its_heading() -> None:
    cam, mount = camera(), camera_mount(0, 0, 1.5, 0, 8.0, 0)

    def verdict(size: tuple[float, float], **changes: object) -> RegionTarget:
        mask = rectangle(cam, mount, (8.0, 0.0), size)
        return aim(mask, cam, mount, dataclasses.replace(CONFIG, **{"min_region_m2": 1.0, **changes}))

    assert verdict((2.8, 2.0)).status is TargetStatus.OK
    exact = verdict((2.4, 1.6))  # what the vehicle and its clearance take, to the mask's own precision
    assert exact.status is TargetStatus.OK
    assert np.hypot(*(exact.position[:2] - [8.0, 0.0])) < 0.1
    assert verdict((2.4, 1.35)).status is TargetStatus.TOO_SMALL
    narrow = verdict((4.0, 1.4))
    assert narrow.status is TargetStatus.TOO_SMALL
    assert "does not fit" in narrow.message
    assert narrow.footprint.shape == (0, 2)
    sideways = verdict((2.0, 3.0))
    assert sideways.status is TargetStatus.OK
    assert abs(sideways.yaw) == pytest.approx(np.pi / 2, abs=0.05)
    assert "'axis'" in sideways.message
    assert verdict((3.0, 3.0), min_region_m2=10.0).status is TargetStatus.TOO_SMALL


def test_obstacles_push_the_goal_away_or_refuse_it() -> None:
    cam, mount = camera(), camera_mount(0, 0, 1.5, 0, 6.0, 0)
    mask = rectangle(cam, mount, (9.0, 0.0), (6.0, 6.0))
    obstacle = rectangle(cam, mount, (9.0, -1.0), (1.0, 1.0))
    target = aim(mask, cam, mount, obstacle=obstacle)
    assert target.status is TargetStatus.OK
    corners = np.array([[x, y] for x in (-1.2, 0, 1.2) for y in (-0.8, 0, 0.8)])
    turn = np.array([[np.cos(target.yaw), -np.sin(target.yaw)], [np.sin(target.yaw), np.cos(target.yaw)]])
    body = corners @ turn.T + target.position[:2]
    assert not ((np.abs(body[:, 0] - 9.0) < 0.45) & (np.abs(body[:, 1] + 1.0) < 0.45)).any()
    everywhere = np.zeros_like(mask)
    everywhere[:, ::12] = True
    everywhere[:, 1::12] = True
    assert aim(mask, cam, mount, obstacle=everywhere).status is TargetStatus.TOO_SMALL


def test_range_and_horizon() -> None:
    cam, mount = camera(), camera_mount(0, 0, 1.5)
    config = dataclasses.replace(CONFIG, max_range_m=15.0)
    far = aim(rectangle(cam, mount, (30.0, 0.0), (8.0, 6.0)), cam, mount, config)
    assert far.status is TargetStatus.OUT_OF_RANGE
    assert "15 m" in far.message
    sky = np.zeros((480, 640), bool)
    sky[:200] = True
    assert aim(sky, cam, mount).status is TargetStatus.OUT_OF_RANGE
    everything = aim(np.ones((480, 640), bool), cam, mount, config)
    assert everything.status is TargetStatus.OK
    assert np.hypot(*everything.footprint.T).max() < 15.2
    assert 0.1 < everything.valid_fraction < 0.5
    deep = aim(np.ones((480, 640), bool), cam, camera_mount(0, 0, -1.0))
    assert deep.status is TargetStatus.NO_CAMERA
    assert "below the ground" in deep.message


def test_unusable_cameras_answer_and_do_not_raise() -> None:
    cam, mount = camera(), camera_mount(0, 0, 1.5, 0, 5.0, 0)
    mask = rectangle(cam, mount, (10.0, 0.0), (5.0, 3.0))
    image = np.zeros((480, 640, 3), np.uint8)

    def ask(frame: Frame) -> RegionTarget:
        return region_target(TargetRequest(mask, mask.astype(np.float32), None, frame), CONFIG)

    bad = [Camera(640, 480, np.full((3, 3), np.nan)), Camera(640, 480, np.zeros((3, 3))), camera(640, 360), None]
    for given in bad:
        answer = ask(Frame(image, camera=given, camera_in_target=mount))
        assert answer.status is TargetStatus.NO_CAMERA
        assert answer.message
    half = ask(Frame(image, camera=camera(320, 240), camera_in_target=mount))
    assert half.status is TargetStatus.OK
    assert np.hypot(*(half.position[:2] - [10.0, 0.0])) < 0.1
    own = ask(Frame(image, 0, "optical", camera=cam, camera_in_target=mount, target_frame="optical"))
    assert own.status is TargetStatus.TF_UNAVAILABLE
    lost = Frame(image, 0, "optical", camera=cam, target_frame="map")
    assert ask(lost).status is TargetStatus.TF_UNAVAILABLE
    lost = ask(Frame(image, camera=cam, target_frame=CONFIG.base_frame, pose_problem="no transform at 7.0 s"))
    assert (lost.status, lost.message) == (TargetStatus.TF_UNAVAILABLE, "no transform at 7.0 s")
    empty = region_target(TargetRequest(mask & False, mask * np.float32(0), None, Frame(image, camera=cam)), CONFIG)
    assert empty.status is TargetStatus.TOO_SMALL
    odd = region_target(TargetRequest(mask, np.zeros((3, 3), np.float32), None, Frame(image, camera=cam)), CONFIG)
    assert odd.status is TargetStatus.NO_CAMERA


def test_pose_parameters_stand_in_for_tf() -> None:
    cam, mount = camera(), camera_mount(1.0, 0.2, 1.7, 1.0, 6.0, 2.0)
    config = dataclasses.replace(
        CONFIG,
        camera_x_m=1.0,
        camera_y_m=0.2,
        camera_z_m=1.7,
        camera_roll_deg=1.0,
        camera_pitch_deg=6.0,
        camera_yaw_deg=2.0,
    )
    target = aim(rectangle(cam, mount, (10.0, 0.5), (5.0, 3.0)), cam, None, config, frame_id="")
    assert target.frame_id == "base_link"
    assert np.hypot(*(target.position[:2] - [10.0, 0.5])) < 0.1


def test_policies_are_those_of_the_parameters_and_differ() -> None:
    specs = {spec.name: spec.choices for spec in RegionConfig.specs()}
    assert set(specs["goal_point"]) == set(GOAL_POLICIES)
    assert set(specs["goal_yaw"]) == set(YAW_POLICIES)
    cam, mount = camera(), camera_mount(0, 0, 1.5, 0, 8.0, 0)
    mask = rectangle(cam, mount, (10.0, 2.0), (7.0, 3.0), 0.5)
    goals = {name: aim(mask, cam, mount, dataclasses.replace(CONFIG, goal_point=name)) for name in GOAL_POLICIES}
    assert np.hypot(*goals["centroid"].position[:2] - [10.0, 2.0]) < 0.1
    assert np.hypot(*goals["nearest"].position[:2]) < np.hypot(*goals["inscribed"].position[:2]) - 1.0
    yaws = {name: aim(mask, cam, mount, dataclasses.replace(CONFIG, goal_yaw=name)).yaw for name in YAW_POLICIES}
    assert yaws["axis"] == pytest.approx(0.5, abs=0.05)
    assert yaws["keep"] == pytest.approx(0.0, abs=1e-9)
    assert yaws["approach"] == pytest.approx(np.arctan2(2.0, 10.0), abs=0.03)


def test_the_likelier_piece_wins() -> None:
    cam, mount = camera(), camera_mount(0, 0, 1.5, 0, 8.0, 0)
    left, right = (rectangle(cam, mount, (9.0, y), (4.0, 3.0)) for y in (2.5, -2.5))
    belief = left * np.float32(0.6) + right * np.float32(0.95)
    frame = Frame(np.zeros((480, 640, 3), np.uint8), camera=cam, camera_in_target=mount)
    target = region_target(TargetRequest(left | right, belief, None, frame), CONFIG)
    assert target.position[1] == pytest.approx(-2.5, abs=0.15)
    assert target.score == pytest.approx(0.95, abs=0.02)
