# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ris_node.errors import GeometryError
from ris_node.geometry.tf_tree import Pose, TfTree
from ris_node.geometry.transform import Transform, rotation_rpy

S = 1_000_000_000
NO_TURN = (0.0, 0.0, 0.0, 1.0)


def yawed(x: float, degrees: float) -> Pose:
    half = np.radians(degrees) / 2
    return Pose.of((x, 0.0, 0.0), (0.0, 0.0, float(np.sin(half)), float(np.cos(half))))


def test_a_link_is_interpolated_in_place_and_along_the_arc() -> None:
    tree = TfTree()
    tree.add("odom", "base", 10 * S, yawed(0.0, 170.0))
    tree.add("odom", "base", 12 * S, yawed(4.0, -170.0))  # 20 degrees on, through 180
    found = tree.lookup("odom", "base", 11 * S)
    assert np.allclose(found.translation, (2.0, 0.0, 0.0))
    assert np.allclose(found.rotation, rotation_rpy(0.0, 0.0, 180.0), atol=1e-9)
    quarter = tree.lookup("odom", "base", int(10.5 * S))
    assert np.allclose(quarter.rotation, rotation_rpy(0.0, 0.0, 175.0), atol=1e-9)


def test_chains_go_up_and_down_and_static_links_hold_for_ever() -> None:
    tree = TfTree()
    tree.add("map", "odom", 0, Pose.of((100.0, 0.0, 0.0), NO_TURN), static=True)
    tree.add("odom", "base", 5 * S, Pose.of((1.0, 0.0, 0.0), NO_TURN))
    tree.add("base", "camera", 0, Pose.of((0.0, 0.0, 1.5), (-0.5, 0.5, -0.5, 0.5)), static=True)
    tree.add("odom", "beacon", 5 * S, Pose.of((0.0, 7.0, 0.0), NO_TURN))
    assert np.allclose(tree.lookup("map", "camera", 5 * S).translation, (101.0, 0.0, 1.5))
    across = tree.lookup("beacon", "camera", 5 * S)
    assert np.allclose(across.apply(np.array([[0.0, 0.0, 10.0]])), [[11.0, -7.0, 1.5]])  # 10 m ahead of the camera
    there, back = tree.lookup("camera", "beacon", 5 * S), tree.lookup("beacon", "camera", 5 * S)
    assert np.allclose((there @ back).rotation, np.eye(3))
    assert np.allclose((there @ back).translation, 0.0)


@settings(deadline=None)
@given(st.lists(st.integers(0, 50), min_size=2, max_size=12, unique=True), st.randoms())
def test_the_order_in_which_transforms_come_does_not_matter(stamps: list[int], random: object) -> None:
    ordered, mixed = TfTree(), TfTree()
    shuffled = list(stamps)
    random.shuffle(shuffled)
    unit = S // 100  # within the two seconds after which a step back is another drive
    for tree, order in ((ordered, sorted(stamps)), (mixed, shuffled)):
        for stamp in order:
            tree.add("a", "b", stamp * unit, Pose.of((float(stamp), 0.0, 0.0), NO_TURN))
    middle = (min(stamps) + max(stamps)) * unit // 2
    for tree in (ordered, mixed):
        assert tree.lookup("a", "b", middle).translation[0] == pytest.approx(middle / unit)


def test_what_is_not_known_is_said() -> None:
    tree = TfTree()
    tree.add("odom", "base", 10 * S, Pose.of((0.0, 0.0, 0.0), NO_TURN))
    tree.add("odom", "base", 11 * S, Pose.of((1.0, 0.0, 0.0), NO_TURN))
    tree.add("other", "island", 0, Pose.of((0.0, 0.0, 0.0), NO_TURN), static=True)
    with pytest.raises(GeometryError, match=r"2\.500 s before the first"):
        tree.lookup("odom", "base", int(7.5 * S))
    with pytest.raises(GeometryError, match=r"1\.000 s after the last"):
        tree.lookup("odom", "base", 12 * S)
    with pytest.raises(GeometryError, match="no frame 'camera'"):
        tree.lookup("odom", "camera", 10 * S)
    with pytest.raises(GeometryError, match="does not connect"):
        tree.lookup("odom", "island", 10 * S)
    tree.add("base", "odom", 0, Pose.of((0.0, 0.0, 0.0), NO_TURN), static=True)
    with pytest.raises(GeometryError, match="loop"):
        tree.lookup("island", "base", 10 * S)
    with pytest.raises(GeometryError, match="cannot be used"):
        Pose.of((0.0, 0.0, 0.0), (0.0, 0.0, 0.0, 0.0))


def test_a_drive_that_begins_anew_forgets_the_one_before() -> None:
    tree = TfTree()
    for start in (100, 50):
        for step in range(5):
            tree.add("odom", "base", (start + step) * S, Pose.of((float(start), 0.0, 0.0), NO_TURN))
    assert tree.lookup("odom", "base", 52 * S).translation[0] == 50.0
    with pytest.raises(GeometryError, match="after the last"):
        tree.lookup("odom", "base", 101 * S)


def test_memory_is_bounded_in_time() -> None:
    tree = TfTree(kept_s=1.0)
    for n in range(5000):
        tree.add("odom", "base", n * S // 100, Pose.of((float(n), 0.0, 0.0), NO_TURN))
    assert len(tree._edges["base"].stamps) < 300
    assert isinstance(tree.lookup("odom", "base", 4990 * S // 100), Transform)
