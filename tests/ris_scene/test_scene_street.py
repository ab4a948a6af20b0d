# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Streets and worlds: the curve and its inverse, parking places, populations that follow from the seed."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ris_scene import DOMAINS, CameraSpec, Placement, SceneClass, SceneSpec, build_world
from ris_scene.ground import ground_patches
from ris_scene.light import Light
from ris_scene.street import BAY_DEPTH, PARALLEL_DEPTH, Street, parking_depth
from ris_scene.world import parking_slots

LAYOUTS = [layout for domain in DOMAINS.values() for layout in domain.layouts]


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.sampled_from(LAYOUTS), st.floats(-30, 180), st.floats(-12, 12), st.floats(0, 200), st.floats(-6, 6))
def test_the_curve_has_an_inverse(layout, s, d, ego_s, ego_d):
    street = Street(layout, ego_s, ego_d)
    back = street.from_base(street.to_base(np.array([s + ego_s]), np.array([d])))
    assert back[0] == pytest.approx([s + ego_s, d], abs=1e-6)


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.name)
def test_the_street_has_unit_speed_and_turns_by_its_curvature(layout):
    street = Street(layout, 10.0, -1.5)
    assert street.to_base(np.array(10.0), np.array(-1.5)) == pytest.approx([0.0, 0.0])
    s = np.linspace(10.0, 60.0, 51)
    line = street.to_base(s, np.zeros_like(s))
    step = np.diff(line, axis=0)
    assert np.linalg.norm(step, axis=1) == pytest.approx(np.ones(50), abs=1e-4)
    turned = np.arctan2(step[-1, 1], step[-1, 0])
    assert turned == pytest.approx(street.yaw(59.5), abs=1e-4)
    offset = street.to_base(s, np.full_like(s, 2.0)) - line
    assert np.linalg.norm(offset, axis=1) == pytest.approx(np.full(51, 2.0))


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.name)
def test_kerbs_lie_beyond_lanes_and_parking(layout):
    street = Street(layout, 0.0, 0.0)
    assert street.left_lane_edge - street.right_lane_edge == pytest.approx(
        (layout.lanes_forward + layout.lanes_back) * layout.lane
    )
    assert street.right_lane_edge - street.right_kerb == pytest.approx(parking_depth(layout.parking_right))
    assert street.left_kerb - street.left_lane_edge == pytest.approx(parking_depth(layout.parking_left))
    outline = street.strip(0.0, 20.0, street.right_kerb, street.left_kerb)
    x, y = outline.T
    area = 0.5 * abs(float(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))))
    middle = (street.left_kerb + street.right_kerb) / 2
    width = street.left_kerb - street.right_kerb
    assert area == pytest.approx(20.0 * width * (1 - layout.curvature * middle), rel=2e-3)


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.name)
def test_parking_places_are_apart_and_leave_crossings_free(layout):
    crossings = (20.0, 75.0)
    slots = parking_slots(layout, crossings, np.random.default_rng(2))
    for side, kind in (("right", layout.parking_right), ("left", layout.parking_left)):
        own = sorted((slot for slot in slots if slot.side == side), key=lambda slot: slot.s0)
        assert bool(own) == (kind != "none")
        assert all(a.s1 <= b.s0 + 1e-9 for a, b in itertools.pairwise(own))
        for slot in own:
            assert slot.d1 - slot.d0 == pytest.approx(BAY_DEPTH if kind == "bays" else PARALLEL_DEPTH)
            assert all(slot.s1 < c - 2 or slot.s0 > c + 2 for c in crossings)


@pytest.mark.parametrize("domain", list(DOMAINS))
def test_a_seed_gives_the_same_world_and_another_seed_another(domain):
    first = DOMAINS[domain].first_seed
    one, same, other = (build_world(SceneSpec(domain, seed)) for seed in (first, first, first + 1))

    def facts(world):
        return [(e.kind, e.colour, e.s, e.d, e.yaw, e.size) for e in world.entities]

    assert facts(one) == facts(same)
    assert facts(one) != facts(other)
    assert one.slots == same.slots
    assert one.layout in DOMAINS[domain].layouts


def test_parked_vehicles_stand_in_their_places_and_do_not_move():
    world = build_world(SceneSpec("train", 11, "terrace", traffic=1.5))
    parked = [entity for entity in world.entities if entity.parked]
    taken = [slot for slot in world.slots if not slot.free]
    assert len(parked) == len(taken) > 20
    for entity in parked:
        assert any(slot.s0 < entity.s < slot.s1 and slot.d0 < entity.d < slot.d1 for slot in taken)
        assert entity.at(9.0) is entity
        assert entity.kind in (SceneClass.CAR, SceneClass.VAN)


def test_the_cast_is_there_and_its_places_are_cleared():
    cast = (
        Placement("car", "red", "parked left", 21.0),
        Placement("", "", "parked right", 21.0),
        Placement("bus", "green", "oncoming", 40.0),
        Placement("pedestrian", "blue", "pavement left", 12.0, 0.0),
        Placement("cyclist", "yellow", "edge right", 9.0, 3.0),
    )
    world = build_world(SceneSpec("train", 4, "terrace", cast=cast))
    found = {(entity.kind.word, entity.colour) for entity in world.entities}
    assert found >= {("car", "red"), ("bus", "green"), ("pedestrian", "blue"), ("cyclist", "yellow")}
    nearest = min((slot for slot in world.slots if slot.side == "right"), key=lambda q: abs((q.s0 + q.s1) / 2 - 21.0))
    assert nearest.free
    cyclist = next(e for e in world.entities if (e.kind, e.s) == (SceneClass.CYCLIST, 9.0))
    assert cyclist.at(2.0).s == pytest.approx(15.0)


def test_ground_patches_cover_the_carriageway_in_order():
    world = build_world(SceneSpec("train", 1, "high street"))
    patches = ground_patches(world, world.street(0.0))
    kinds = [SceneClass(kind) for kind in patches.kinds]
    assert {SceneClass.ROAD, SceneClass.PAVEMENT, SceneClass.MARKING, SceneClass.GRASS} <= set(kinds)
    assert kinds.index(SceneClass.ROAD) < kinds.index(SceneClass.MARKING)
    assert all(points.shape[1] == 3 for points in patches.points)
    assert all(0 <= value <= 255 for colour in patches.colours for value in colour)


@pytest.mark.parametrize("domain", list(DOMAINS))
def test_the_light_of_every_weather_is_finite_and_comes_from_above(domain):
    for weather in DOMAINS[domain].palette.weather:
        spec = SceneSpec(domain, DOMAINS[domain].first_seed, weather=weather.name, camera=CameraSpec(64, 48))
        world = build_world(spec)
        assert world.weather is weather
        light = Light.of(world, world.street(0.0), spec.camera.mount().inverse())
        assert np.linalg.norm(light.sun) == pytest.approx(1.0)
        assert light.sun @ light.up == pytest.approx(np.sin(np.radians(weather.sun_elevation_deg)))
        haze = light.haze(np.array([0.0, 10.0, 100.0], np.float32))
        assert haze[0] == 0.0
        assert 0 < haze[1] < haze[2] < 1
        assert 0.3 < light.gain < 3.0
