# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import cv2
import numpy as np
import pytest

from ris_node.errors import GeometryError
from ris_node.geometry import Camera, Transform, camera_mount, ground_to_pixels, pixels_to_ground
from ris_node.geometry.transform import rotation_rpy

LENSES = {
    "none": ("plumb_bob", []),
    "plumb_bob": ("plumb_bob", [-0.28, 0.07, 0.001, -0.0005, 0.0]),
    "rational": ("rational_polynomial", [0.5, 0.02, 0.0002, -0.0001, 0.001, 0.85, 0.1, 0.004]),
    "equidistant": ("equidistant", [0.02, -0.006, 0.002, -0.0004]),
}


def lens_camera(name: str, width: int = 641, height: int = 479) -> Camera:
    model, distortion = LENSES[name]
    pin = Camera.pinhole(width, height, 80.0)
    return Camera(width, height, pin.matrix, np.array(distortion), model)


@pytest.mark.parametrize("lens", LENSES)
def test_project_undoes_rays_over_the_whole_image(lens: str) -> None:
    camera = lens_camera(lens)
    camera.validate()
    x, y = np.meshgrid(np.linspace(0, 640, 23), np.linspace(0, 478, 17))
    pixels = np.column_stack([x.ravel(), y.ravel()])
    back, valid = camera.project(camera.rays(pixels) * 7.3)
    assert valid.all()
    assert np.abs(back - pixels).max() < 1e-4
    quick, valid = camera.project(camera.rays(pixels, quick=True) * 7.3, quick=True)
    assert valid.all()
    assert np.abs(quick - pixels).max() < 0.2


def test_projection_is_that_of_opencv() -> None:
    points = np.array([[1.0, 0.4, 5.0], [-1.2, 0.9, 4.0], [0.0, 0.0, 9.0]])
    for lens in ("plumb_bob", "rational"):
        camera = lens_camera(lens)
        expected, _ = cv2.projectPoints(points, np.zeros(3), np.zeros(3), camera.matrix, camera.distortion)
        assert np.abs(camera.project(points)[0] - expected.reshape(-1, 2)).max() < 1e-9
    theta = np.arctan(np.hypot(*(points[0, :2] / 5.0)))
    k = LENSES["equidistant"][1]
    bent = theta * (1 + k[0] * theta**2 + k[1] * theta**4 + k[2] * theta**6 + k[3] * theta**8)
    camera = lens_camera("equidistant")
    pixel = camera.project(points[:1])[0][0] - camera.matrix[:2, 2]
    assert np.hypot(*pixel) / camera.matrix[0, 0] == pytest.approx(bent, abs=1e-9)


def test_points_behind_beside_and_beyond_the_lens_are_not_valid() -> None:
    camera = lens_camera("plumb_bob")
    pixels, valid = camera.project(np.array([[0, 0, -3.0], [0, 0, 0.0], [9.0, 0, 1.0], [np.nan, 0, 1.0], [0, 0, 3.0]]))
    assert valid.tolist() == [False, False, False, False, True]
    assert np.isfinite(pixels[4]).all()
    assert np.isnan(pixels[0]).all()


def test_transform_chains_and_inverts() -> None:
    a = Transform(rotation_rpy(10, -20, 30), np.array([1.0, 2.0, 3.0]))
    b = camera_mount(0.5, -0.2, 1.4, 1.0, 8.0, -3.0)
    points = np.random.default_rng(0).normal(size=(5, 3))
    assert np.allclose((a @ b).apply(points), a.apply(b.apply(points)))
    assert np.allclose((a @ a.inverse()).apply(points), points)
    half = np.sin(np.radians(15.0))
    turned = Transform.from_quaternion(0.0, 0.0, half * 3, np.cos(np.radians(15.0)) * 3, np.zeros(3))
    assert np.allclose(turned.rotation, rotation_rpy(0, 0, 30))


def test_camera_mount_has_rep103_signs() -> None:
    def looks(**angles: float) -> tuple[np.ndarray, np.ndarray]:
        mount = camera_mount(0, 0, 1.5, **angles)
        return mount.rotation @ [0, 0, 1.0], mount.rotation @ [1.0, 0, 0]

    forward, right = looks()
    assert np.allclose(forward, [1, 0, 0])
    assert np.allclose(right, [0, -1, 0])
    assert looks(pitch_deg=10.0)[0][2] < 0  # down
    assert looks(yaw_deg=10.0)[0][1] > 0  # left
    assert looks(roll_deg=10.0)[1][2] < 0  # its right side goes down


@pytest.mark.parametrize("lens", LENSES)
def test_ground_round_trip(lens: str) -> None:
    camera, mount = lens_camera(lens), camera_mount(1.2, 0.1, 1.5, 2.0, 8.0, -5.0)
    xy = np.array([[8.0, 0.0], [15.0, 2.0], [12.0, -3.0], [30.0, 1.0]])
    pixels, seen = ground_to_pixels(camera, mount, xy)
    back, valid = pixels_to_ground(camera, mount, pixels, 40.0)
    assert seen.all()
    assert valid.all()
    assert np.abs(back - xy).max() < 1e-3


def test_horizon_range_and_buried_camera_give_nothing() -> None:
    camera = Camera.pinhole(640, 480, 70.0)
    mount = camera_mount(0, 0, 1.5)
    middle = (480 - 1) / 2
    pixels = np.array([[320, middle], [320, middle - 50], [320, middle + 1], [320, 479.0]])
    xy, valid = pixels_to_ground(camera, mount, pixels, 60.0)
    assert valid.tolist() == [False, False, False, True]
    assert np.isnan(xy[:3]).all()
    assert xy[3, 0] == pytest.approx(1.5 * camera.matrix[1, 1] / (479 - middle))
    assert not pixels_to_ground(camera, camera_mount(0, 0, -0.1), pixels, 60.0)[1].any()


def test_a_resized_image_keeps_its_rays_and_a_cropped_one_is_refused() -> None:
    camera = lens_camera("plumb_bob", 640, 480)
    half = camera.fitted_to(320, 240)
    # The corner shared by four pixels sits at (x + 0.5) / 2 - 0.5.
    assert np.allclose(camera.rays(np.array([[100.5, 50.5]])), half.rays(np.array([[50.0, 25.0]])), atol=1e-6)
    with pytest.raises(GeometryError, match="aspect"):
        camera.fitted_to(640, 360)


@pytest.mark.parametrize(
    ("matrix", "distortion", "model", "word"),
    [
        (np.full((3, 3), np.nan), [], "plumb_bob", "finite"),
        (np.diag([0.0, 500.0, 1.0]), [], "plumb_bob", "focal"),
        (np.eye(3), [0.1, 0.2, 0.3], "plumb_bob", "coefficients"),
        (np.eye(3), [0.1, 0.2, 0.3, 0.4], "kannala", "unknown"),
        (np.eye(3), [np.nan] * 5, "plumb_bob", "finite"),
    ],
)
def test_bad_intrinsics_are_refused(matrix: np.ndarray, distortion: list[float], model: str, word: str) -> None:
    with pytest.raises(GeometryError, match=word):
        Camera(640, 480, matrix, np.array(distortion), model).validate()
    with pytest.raises(GeometryError, match="image is"):
        Camera.pinhole(640, 480, 60.0).validate(320, 240)
