# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""The rasteriser: areas against geometry and OpenCV, clipping at the near plane, drawing order."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ris_scene import CameraSpec
from ris_scene.ground import Patches
from ris_scene.meshes.mesh import MeshBuilder
from ris_scene.raster import (
    NEAR_M,
    Canvas,
    Faces,
    MeshPose,
    clip_near,
    majority,
    pack,
    painter_order,
    pixels_of,
    planes_of,
    visible_order,
)  # fmt: skip
from ris_scene.spec import SceneClass

CAMERA = CameraSpec(160, 120, x_m=0.0, z_m=1.5, pitch_deg=0.0)
MATRIX, TO_CAMERA = CAMERA.camera().matrix, CAMERA.mount().inverse()
SKY = np.zeros((120, 160, 3), np.uint8)


def wall(x: float, width: float, height: float, z: float = 1.5) -> np.ndarray:
    """Return an upright rectangle across the view at x metres, its middle at height z."""
    y, up = width / 2, height / 2
    return np.array([(x, y, z - up), (x, -y, z - up), (x, -y, z + up), (x, y, z + up)])


def draw(*outlines: np.ndarray) -> tuple[Canvas, np.ndarray]:
    """Fill outlines of `base_link` in turn; return the canvas and their planes."""
    patches, canvas = Patches(), Canvas.on(SKY)
    for outline in outlines:
        patches.add_upright(outline, SceneClass.ROAD, (200, 0, 0))
    colours = [(10 + i, 20, 30) for i in range(len(outlines))]
    return canvas, canvas.patches(patches, colours, TO_CAMERA, MATRIX)


@settings(max_examples=25, deadline=None, derandomize=True)
@given(st.floats(4.0, 20.0), st.floats(0.5, 3.0), st.floats(0.5, 2.5))
def test_a_wall_fills_its_projected_area(x: float, width: float, height: float) -> None:
    canvas, planes = draw(wall(x, width, height))
    focal = MATRIX[0, 0]
    across, up = 2 * focal * width / x, 2 * focal * height / x
    # OpenCV fills the pixels that an outline touches too.
    assert (across - 1) * (up - 1) <= int((canvas.face == 1).sum()) <= (across + 3) * (up + 3)
    assert (canvas.colour[canvas.face == 1] == (10, 20, 30)).all()
    assert not canvas.colour[canvas.face == 0].any()
    assert np.abs(planes[0, :3]) == pytest.approx([0, 0, 1], abs=1e-6)
    assert abs(planes[0, 3]) == pytest.approx(x, rel=1e-5)


def test_the_filled_pixels_are_those_of_opencv() -> None:
    outline = np.array([(8.0, 1.2, 0.4), (7.0, -1.4, 0.8), (9.0, -0.8, 2.6)])
    canvas, _ = draw(outline)
    pixels, _ = CAMERA.camera().project(TO_CAMERA.apply(outline))
    expected = np.zeros((240, 320), np.uint8)
    cv2.fillConvexPoly(expected, ((pixels * 2 + 0.5) * 16).round().astype(np.int32), 1, cv2.LINE_8, 4)
    assert np.count_nonzero((canvas.face > 0) != (expected > 0)) <= 2


def test_what_is_filled_later_covers_what_came_before() -> None:
    canvas, _ = draw(wall(10.0, 4.0, 2.0), wall(5.0, 0.5, 0.5))
    assert canvas.face[120, 160] == 2
    assert (canvas.face == 1).any()


def test_a_ground_patch_under_the_camera_is_clipped_at_the_near_plane() -> None:
    road = np.array([(-5.0, 2.0, 0.0), (40.0, 2.0, 0.0), (40.0, -2.0, 0.0), (-5.0, -2.0, 0.0)])
    canvas, _ = draw(road)
    assert (canvas.face[-1, 20:300] == 1).all(), "it reaches the lower edge of the picture"
    assert not (canvas.face[:118] == 1).any(), "and nothing above the horizon"
    behind, _ = draw(road - [50.0, 0.0, 0.0])
    assert not behind.face.any()


@settings(max_examples=50, deadline=None, derandomize=True)
@given(st.lists(st.tuples(st.floats(-5, 5), st.floats(-5, 5), st.floats(-2, 8)), min_size=3, max_size=3, unique=True))
def test_clipping_keeps_the_plane_and_only_what_lies_in_front(corners: list[tuple[float, float, float]]) -> None:
    points = np.array(corners)
    kept = clip_near(points)
    assert (kept[:, 2] >= NEAR_M - 1e-9).all()
    inside = points[:, 2] >= NEAR_M
    if inside.all():
        assert np.array_equal(kept, points)
    elif not inside.any():
        assert len(kept) == 0
    else:
        assert len(kept) in (3, 4)
        normal = np.cross(points[1] - points[0], points[2] - points[0])
        assert np.abs((kept - points[0]) @ normal).max() < 1e-6 * max(1.0, float(np.abs(normal).max()))


def test_planes_are_those_of_numpy() -> None:
    rng = np.random.default_rng(0)
    triangles = rng.normal(size=(20, 3, 3))
    normal, offset, centre = planes_of(triangles.reshape(-1, 3), np.arange(0, 61, 3))
    expected = np.cross(triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0])
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    assert normal == pytest.approx(expected, abs=1e-5)
    assert centre == pytest.approx(triangles.mean(axis=1), abs=1e-5)
    assert offset == pytest.approx((expected * triangles[:, 0]).sum(axis=1), abs=1e-5)


def packed(*xs: float) -> tuple[Faces, np.ndarray]:
    """Return cubes of one metre at distances ahead and their points on the canvas."""
    builder = MeshBuilder()
    builder.box((-0.5, -0.5, 0.0), (0.5, 0.5, 1.0), (9, 9, 9), bottom=True)
    faces = pack([builder.build()] * len(xs), [MeshPose(x, 0.0, 0.0, 0.3) for x in xs], TO_CAMERA)
    return faces, pixels_of(faces.points, MATRIX)


def test_faces_seen_from_behind_or_out_of_view_are_dropped() -> None:
    faces, flat = packed(6.0, -8.0)
    order = visible_order(faces, flat, np.array([0, 1]), 160, 120)
    assert set(faces.owner[order]) == {0}
    assert len(order) == 3, "of a cube below the eye: the top and two sides"
    assert (faces.offset[order] < 0).all()


def test_owners_of_a_higher_rank_are_drawn_later() -> None:
    faces, flat = packed(6.0, 12.0, 20.0)
    order = visible_order(faces, flat, np.array([2, 1, 0]), 160, 120)
    owners = faces.owner[order].tolist()
    assert owners == sorted(owners, reverse=True)


def test_packing_nothing_gives_no_faces() -> None:
    faces, flat = packed()
    assert faces.points.shape == (0, 3)
    assert faces.owner.dtype == np.int32
    assert len(visible_order(faces, flat, np.zeros(0, np.int64), 160, 120)) == 0


def test_painters_draw_far_boxes_first() -> None:
    boxes = np.array([(5.0, 8.0, -1.0, 1.0), (20.0, 24.0, -1.0, 1.0), (10.0, 13.0, -1.0, 1.0)])
    assert painter_order(boxes, boxes[:, 0]).tolist() == [2, 0, 1]
    assert painter_order(np.zeros((0, 4)), np.zeros(0)).tolist() == []


@settings(max_examples=30, deadline=None, derandomize=True)
@given(st.lists(st.tuples(st.floats(1, 90), st.floats(-9, 9)), min_size=1, max_size=9))
def test_painters_rank_every_box_once(places: list[tuple[float, float]]) -> None:
    boxes = np.array([(x, x + 4.0, y - 1.0, y + 1.0) for x, y in places])
    distance = np.hypot(boxes[:, 0], boxes[:, 2])
    rank = painter_order(boxes, distance)
    assert sorted(rank.tolist()) == list(range(len(places)))
    for a, first in enumerate(boxes):
        for b, second in enumerate(boxes):
            if first[0] > second[1] + 0.05 and len(boxes) == 2:
                assert rank[a] < rank[b]


def test_a_pixel_shows_the_owner_of_most_of_its_four() -> None:
    owner = np.array([0, 1, 1, 2], np.int32)
    face = np.array([[1, 3, 0, 3], [2, 3, 3, 0], [0, 1, 1, 2], [2, 3, 3, 0]], np.int32)
    found = majority(face, owner)
    assert found.shape == (2, 2)
    assert owner[found].tolist() == [[1, 0], [1, 1]]
