# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Meshes: sizes in metres, outward normals, closed solids, and fewer faces the farther away."""

from __future__ import annotations

import itertools
from collections import Counter

import numpy as np
import pytest

from ris_scene.domains import DOMAINS
from ris_scene.meshes import furniture, heavy, houses, people, vehicles
from ris_scene.meshes.mesh import FAR, MID, NEAR, Mesh, MeshBuilder, mix, scaled
from ris_scene.raster import planes_of

RED = (200.0, 20.0, 30.0)
FIGURE = people.Figure(top=RED, legs=(40, 40, 60), hair=(30, 20, 10), skin=(220, 180, 150))


def box(low: tuple[float, float, float], high: tuple[float, float, float], *, bottom: bool = True) -> Mesh:
    """Return a box alone."""
    builder = MeshBuilder()
    builder.box(low, high, RED, bottom=bottom)
    return builder.build()


def extent(mesh: Mesh) -> np.ndarray:
    """Return the size of a mesh along x, y and z."""
    return np.ptp(mesh.points, axis=0)


def edges(mesh: Mesh) -> Counter:
    """Count the directed edges between corners."""
    found: Counter = Counter()
    for first, end in zip(mesh.start[:-1], mesh.start[1:], strict=True):
        corners = [tuple(np.round(point, 4).tolist()) for point in mesh.points[first:end]]
        found.update(zip(corners, corners[1:] + corners[:1], strict=True))
    return found


def volume(mesh: Mesh) -> float:
    """Return the volume of a closed mesh: a sum of signed tetrahedra over fans of its faces."""
    total = 0.0
    for first, end in zip(mesh.start[:-1], mesh.start[1:], strict=True):
        corner, *rest = mesh.points[first:end].astype(float)
        total += sum(float(np.dot(corner, np.cross(a, b))) for a, b in itertools.pairwise(rest)) / 6
    return total


def test_a_box_is_closed_and_its_normals_point_outward() -> None:
    mesh = box((-1.0, -2.0, 0.0), (2.0, 1.0, 0.5))
    assert mesh.faces == 6
    assert extent(mesh) == pytest.approx([3.0, 3.0, 0.5])
    count = edges(mesh)
    assert set(count.values()) == {1}
    assert all((b, a) in count for a, b in count), "each edge runs once in each direction"
    assert volume(mesh) == pytest.approx(3.0 * 3.0 * 0.5)
    normal, offset, centre = planes_of(mesh.points, mesh.start)
    assert (np.einsum("ij,ij->i", normal, centre - mesh.points.mean(axis=0)) > 0).all()
    assert offset == pytest.approx(np.einsum("ij,ij->i", normal, centre))
    assert box((0, 0, 0), (1, 1, 1), bottom=False).faces == 5


@pytest.mark.parametrize("to", [(0.0, 0.0, 2.0), (1.5, 0.0, 0.0), (0.4, -0.8, 1.1)])
def test_a_limb_points_outward_and_is_open_only_where_it_begins(to: tuple[float, float, float]) -> None:
    builder = MeshBuilder()
    builder.limb((0.0, 0.0, 0.0), to, 0.2, 0.1, RED, sides=7)
    mesh = builder.build()
    assert mesh.faces == 8
    count = edges(mesh)
    open_edges = [edge for edge in count if (edge[1], edge[0]) not in count]
    assert len(open_edges) == 7
    assert all(np.hypot(*np.linalg.norm(edge, axis=1)) < 0.3 for edge in open_edges)
    normal, _, centre = planes_of(mesh.points, mesh.start)
    assert (np.einsum("ij,ij->i", normal, centre - np.asarray(to) / 2) > 0).all()


@pytest.mark.parametrize("name", list(vehicles.CARS))
def test_a_car_has_the_size_of_its_shape(name: str) -> None:
    shape = vehicles.CARS[name]
    mesh = vehicles.car(shape, RED)
    length, width, _ = extent(mesh)
    assert shape.length <= length < shape.length + 0.15
    assert shape.width - 0.02 <= width < shape.width + 0.4, "mirrors stand out"
    assert mesh.points[:, 2].max() == pytest.approx(shape.height, abs=0.02)
    assert mesh.points[:, 2].min() == pytest.approx(0.0, abs=0.02)
    painted = (np.abs(mesh.colour - RED) < 1).all(axis=1).mean()
    assert painted > 0.15, "a red car is red"


@pytest.mark.parametrize("name", list(vehicles.CARS))
def test_the_culled_faces_of_a_car_point_outward(name: str) -> None:
    mesh = vehicles.car(vehicles.CARS[name], RED)
    normal, _, centre = planes_of(mesh.points, mesh.start)
    body = (mesh.facing == 1) & (mesh.rank >= 0) & (np.abs(centre[:, 1]) > 0.6)
    assert (normal[body, 1] * centre[body, 1] > -1e-3).mean() > 0.85, "flanks face away from the middle"


@pytest.mark.parametrize("kind", ["van", "truck", "bus"])
def test_boxy_vehicles_have_the_size_they_say(kind: str) -> None:
    mesh, size = heavy.box_vehicle(kind, RED)
    assert (extent(mesh) > np.array(size) - 0.1).all()
    assert (extent(mesh) < np.add(size, (0.6, 0.2, 0.2))).all(), "the last window of the bus passes its front"
    assert size[0] > 5 and 1.9 < size[1] < 2.6 and 2.3 < size[2] < 3.5


@pytest.mark.parametrize("phase", [-1, *range(0, people.PHASES, 3)])
def test_people_are_as_tall_as_their_figure(phase: int) -> None:
    for height in (1.58, 1.88):
        mesh = people.pedestrian(people.Figure(top=RED, legs=RED, hair=RED, skin=RED, height=height), phase)
        top = mesh.points[:, 2] + mesh.spread[:, 1]
        assert top.max() == pytest.approx(height, abs=0.12)
        assert -0.05 < mesh.points[:, 2].min() < 0.12


def test_steps_of_a_walk_differ_and_return() -> None:
    steps = [people.pedestrian(FIGURE, phase).points for phase in range(people.PHASES)]
    assert all(not np.array_equal(a, b) for a, b in itertools.pairwise(steps))
    assert np.array_equal(steps[0], people.pedestrian(FIGURE, 0).points)
    assert np.abs(people.pedestrian(FIGURE, people.PHASES).points - steps[0]).max() < 1e-5


def test_a_cyclist_fits_the_size_that_is_told() -> None:
    mesh = people.cyclist(FIGURE, RED, 4)
    length, width, height = people.CYCLIST_SIZE
    assert extent(mesh)[:2] == pytest.approx([length, width], abs=0.15)
    assert mesh.points[:, 2].max() == pytest.approx(height, abs=0.15)


@pytest.mark.parametrize("height", [5.2, 8.0])
def test_trees_and_posts_have_their_height(height: float) -> None:
    tree = furniture.tree((70, 110, 50), height, np.random.default_rng(1))
    crown = tree.points[:, 2] + tree.spread[:, 1]
    assert crown.max() == pytest.approx(height, rel=0.15)
    assert furniture.lamp_post(height).points[:, 2].max() == pytest.approx(height + 0.4, abs=0.02)


@pytest.mark.parametrize("kind", ["stop", "limit", "yield", "parking", "crossing"])
def test_signs_face_the_traffic(kind: str) -> None:
    mesh = furniture.sign(kind)
    normal, _, centre = planes_of(mesh.points, mesh.start)
    front = centre[:, 0] < -0.045
    assert front.any()
    assert (normal[front, 0] < 0).all()
    assert 2.6 < mesh.points[:, 2].max() < 2.9


@pytest.mark.parametrize("lit", ["red", "yellow", "green"])
def test_one_lamp_of_a_traffic_light_glows_in_its_colour(lit: str) -> None:
    mesh = furniture.traffic_light(lit)
    (glowing,) = np.flatnonzero(mesh.glow == 1.0)
    red, green, _ = mesh.colour[glowing]
    assert {"red": red > 2 * green, "green": green > 2 * red, "yellow": min(red, green) > 150}[lit]


def test_a_house_stands_behind_its_front() -> None:
    plan = houses.House(
        width=8.0, depth=9.0, storeys=3, wall=RED, roof=RED, accent=RED, shop=True, gable=False
    )  # fmt: skip
    mesh = houses.house(plan, np.random.default_rng(3))
    low, high = mesh.points.min(axis=0), mesh.points.max(axis=0)
    assert high[0] - low[0] == pytest.approx(plan.width, abs=0.8)
    assert low[1] == pytest.approx(-plan.depth, abs=0.8)
    assert high[1] < 1.3, "only an awning stands out"
    assert plan.storeys * 3.0 < high[2] < plan.storeys * 3.0 + 5.0


def test_far_meshes_have_fewer_faces_and_the_same_colours() -> None:
    mesh = furniture.tree((70, 110, 50), 6.0, np.random.default_rng(1))
    near, middle, far = (mesh.at_distance(distance) for distance in (5.0, 60.0, 150.0))
    assert near.faces > middle.faces > far.faces > 5
    for part, band in ((near, NEAR), (middle, MID), (far, FAR)):
        assert (part.bands & band).all()
        assert part.start[-1] == len(part.points) == len(part.spread)
    assert mesh.at_distance(5.0) is near, "made once"


def test_an_empty_builder_gives_an_empty_mesh() -> None:
    mesh = MeshBuilder().build()
    assert mesh.faces == 0
    assert mesh.points.shape == (0, 3)
    assert mesh.at_distance(10.0).faces == 0


def test_colours_blend_and_stay_in_range() -> None:
    assert mix((0, 0, 0), (100, 50, 10), 0.5) == (50, 25, 5)
    assert scaled((200, 100, 0), 2.0) == (255.0, 200, 0)


def test_every_palette_gives_every_domain_its_paint() -> None:
    for domain in DOMAINS.values():
        for tones in domain.palette.paints.values():
            mesh, _ = heavy.box_vehicle("van", tones[0])
            assert (np.abs(mesh.colour - tones[0]) < 1).all(axis=1).any()
