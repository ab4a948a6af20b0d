# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math
from dataclasses import fields, replace

import numpy as np
import pytest

pytest.importorskip("ris_msgs")
pytestmark = pytest.mark.ros

from hypothesis import given, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402
from hypothesis.extra.numpy import arrays  # noqa: E402
from ris_msgs.msg import Grounding, NodeStatus, RegionTarget  # noqa: E402
from ris_msgs.msg import Query as QueryMsg  # noqa: E402
from sensor_msgs.msg import CameraInfo  # noqa: E402
from visualization_msgs.msg import Marker  # noqa: E402

from ris_node import types  # noqa: E402
from ris_node.bags import typestore  # noqa: E402
from ris_node.errors import CommandError  # noqa: E402
from ris_node.messages import grounding as g  # noqa: E402
from ris_node.messages import target as t  # noqa: E402
from ris_node.messages.common import header_to_msg, stamp_to_msg  # noqa: E402
from ris_node.messages.grounding import query_from_msg, query_to_msg  # noqa: E402
from ris_node.messages.types import Make  # noqa: E402
from ris_node.rle import decode_rle  # noqa: E402
from ris_node.ros.convert.make import make as make_of_rclpy  # noqa: E402
from ris_node.ros.outputs.status import NodeState  # noqa: E402
from ris_node.sensing.camera import camera_from_info, is_rectified  # noqa: E402
from ris_node.stamps import stamp_to_ns  # noqa: E402

TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=40)
both = pytest.mark.parametrize("make", [typestore.make, make_of_rclpy], ids=["rosbags", "rclpy"])


@pytest.mark.parametrize(
    ("kind", "message", "prefix"),
    [
        (types.Status, Grounding, "STATUS_"),
        (types.TargetStatus, RegionTarget, "STATUS_"),
        (types.TargetMethod, RegionTarget, "METHOD_"),
        (types.QueryKind, QueryMsg, "KIND_"),
        (types.Manoeuvre, QueryMsg, "MANOEUVRE_"),
        (NodeState, NodeStatus, "STATE_"),
    ],
)
def test_the_core_counts_as_the_messages_do(kind: type, message: type, prefix: str):
    assert {m.name: m.value for m in kind} == {
        name[len(prefix) :]: getattr(message, name)
        for name in dir(message)
        if name.startswith(prefix) and not name.endswith("__DEFAULT")
    }


@both
@given(
    text=TEXT,
    kind=st.sampled_from(types.QueryKind),
    manoeuvre=st.sampled_from(types.Manoeuvre),
    confidence=st.one_of(st.just(math.nan), st.floats(0, 1, width=32)),
    ttl_ns=st.integers(0, 10**12),
    stamp_ns=st.integers(0, 2**31 * 10**9 - 1),
)
@settings(max_examples=60, deadline=None)
def test_queries_travel(make: Make, text, kind, manoeuvre, confidence, ttl_ns, stamp_ns):
    query = types.Query(
        text,
        "an-id",
        kind=kind,
        manoeuvre=manoeuvre,
        source="operator",
        confidence=confidence,
        language="en",
        ttl_s=ttl_ns / 1e9,
        stamp_ns=stamp_ns,
    )
    back = query_from_msg(query_to_msg(make, query))
    assert repr(back.confidence) == repr(query.confidence)
    assert (back.text, back.id, back.kind, back.manoeuvre) == (query.text, query.id, query.kind, query.manoeuvre)
    assert (back.source, back.language, back.stamp_ns) == (query.source, query.language, query.stamp_ns)
    assert back.ttl_s == pytest.approx(query.ttl_s, abs=1e-9)


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [("kind", 9, "kind is 9"), ("manoeuvre", 200, "manoeuvre is 200"), ("confidence", 1.5, "1.5"), ("ttl", -1, "ttl")],
)
def test_queries_that_make_no_sense_are_refused(field: str, value: float, words: str):
    msg = QueryMsg(text="the car")
    if field == "ttl":
        msg.ttl.sec = int(value)
    else:
        setattr(msg, field, value)
    with pytest.raises(CommandError, match=words):
        query_from_msg(msg)


@both
@given(st.integers(0, 2**31 * 10**9 - 1))
@settings(deadline=None)
def test_stamps_travel_to_the_nanosecond(make: Make, stamp_ns: int):
    assert stamp_to_ns(stamp_to_msg(make, stamp_ns)) == stamp_ns


@both
@given(st.integers(1, 9), st.integers(1, 9), st.integers(0, 2**32))
@settings(deadline=None)
def test_masks_travel(make: Make, height: int, width: int, seed: int):
    mask = np.random.default_rng(seed).random((height, width)) < 0.5
    assert np.array_equal(g.rle_from_msg(g.rle_to_msg(make, mask)), mask)


@both
@given(st.integers(0, 2**32))
@settings(deadline=None)
def test_an_instance_is_cut_from_the_map_within_its_box(make: Make, seed: int):
    random = np.random.default_rng(seed)
    height, width = random.integers(1, 12, 2)
    ids = random.integers(0, 3, (height, width)).astype(np.uint16)
    rows = np.flatnonzero((ids == 2).any(axis=1))
    if not rows.size:
        return
    box = (0, int(rows[0]), int(width), int(rows[-1] - rows[0] + 1))
    instance = types.Instance(
        instance_id=2,
        label="car",
        score=0.5,
        box=box,
        centroid=(0.0, 0.0),
        area_fraction=0.1,
        outline=np.zeros((0, 2), np.float32),
    )
    msg = g.instance_to_msg(make, instance, ids).mask
    assert np.array_equal(decode_rle(list(msg.counts), msg.height, msg.width), ids == 2)


def number(width: int = 32, least: float = -1e6, most: float = 1e6):
    return st.floats(least, most, width=width)


def points(count: int, dtype: type):
    return arrays(dtype, st.tuples(st.integers(0, 6), st.just(count)), elements=number())


def same(one: object, other: object) -> bool:
    """Whether two dataclasses hold the same values and arrays."""
    pairs = ((getattr(one, f.name), getattr(other, f.name)) for f in fields(one))
    return all(np.array_equal(a, b) if isinstance(a, np.ndarray) else a == b for a, b in pairs)


@both
@given(
    st.builds(
        types.Instance,
        instance_id=st.integers(1, 65535),
        label=TEXT,
        score=number(least=0, most=1),
        box=st.tuples(*[st.integers(0, 9)] * 4),
        centroid=st.tuples(number(), number()),
        area_fraction=number(least=0, most=1),
        outline=points(2, np.float32),
        track_id=TEXT,
    )
)
@settings(max_examples=60, deadline=None)
def test_instances_travel(make: Make, instance: types.Instance):
    assert same(g.instance_from_msg(g.instance_to_msg(make, instance, np.zeros((20, 10), np.uint16))), instance)


@both
def test_timings_travel(make: Make):
    timing = types.Timing(
        **dict(zip((f.name for f in fields(types.Timing)), (*map(float, range(1, 8)), math.nan), strict=True))
    )
    assert repr(g.timing_from_msg(g.timing_to_msg(make, timing))) == repr(timing)


def target(**changes) -> types.RegionTarget:
    values = {
        "status": types.TargetStatus.OK,
        "frame_id": "base_link",
        "footprint": np.array([[2.0, -1.0], [6.0, -1.0], [6.0, 1.5], [2.0, 1.5]]),
        "position": np.array([4.0, 0.25, 0.5]),
        "yaw": 0.75,
        "covariance": np.arange(36.0).reshape(6, 6),
        "extent": (4.0, 2.5, 0.0),
        "method": types.TargetMethod.GROUND_PLANE,
        "score": 0.75,
        "valid_fraction": 0.5,
        "message": "a word",
    }
    return types.RegionTarget(**{**values, **changes})


@both
@given(
    st.builds(
        types.RegionTarget,
        status=st.sampled_from(types.TargetStatus),
        frame_id=TEXT,
        footprint=points(2, np.float64),
        position=arrays(np.float64, 3, elements=number(64)),
        yaw=number(64, -3.1, 3.1),
        covariance=arrays(np.float64, (6, 6), elements=number(64)),
        extent=st.tuples(number(64), number(64), st.just(0.0)),
        method=st.sampled_from(types.TargetMethod),
        score=number(least=0, most=1),
        valid_fraction=number(least=0, most=1),
        message=TEXT,
    )
)
@settings(max_examples=60, deadline=None)
def test_targets_travel(make: Make, target: types.RegionTarget):
    msg = t.target_to_msg(make, target, "query-1", 1_500_000_000)
    assert msg.query_id == "query-1" and stamp_to_ns(msg.header.stamp) == 1_500_000_000
    back = t.target_from_msg(msg)
    assert back.yaw == pytest.approx(target.yaw)
    assert same(replace(back, yaw=target.yaw), target)


@both
def test_the_grid_is_free_inside_the_footprint_and_unknown_outside(make: Make):
    grid = t.region_grid(make, target(), 0, 0.1)
    cells = np.array(grid.data, np.int8).reshape(grid.info.height, grid.info.width)
    y, x = np.mgrid[: grid.info.height, : grid.info.width]
    x = grid.info.origin.position.x + (x + 0.5) * grid.info.resolution
    y = grid.info.origin.position.y + (y + 0.5) * grid.info.resolution
    inside = (x > 2.1) & (x < 5.9) & (y > -0.9) & (y < 1.4)
    outside = (x < 1.9) | (x > 6.1) | (y < -1.1) | (y > 1.6)
    assert (cells[inside] == 0).all() and (cells[outside] == -1).all()
    assert grid.info.resolution == pytest.approx(0.1) and grid.header.frame_id == "base_link"
    assert (cells == 0).sum() * 0.01 == pytest.approx(10.0, rel=0.06)


@both
def test_a_huge_grid_is_made_coarser_and_an_empty_one_stays_empty(make: Make):
    huge = t.region_grid(make, target(footprint=np.array([[0.0, 0], [400, 0], [400, 400], [0, 400]])), 0, 0.02)
    assert len(huge.data) <= 4_100_000 and huge.info.resolution > 0.02
    assert len(t.region_grid(make, target(footprint=np.zeros((0, 2))), 0, 0.1).data) == 0


@both
def test_markers_show_and_delete(make: Make):
    markers = t.target_markers(make, target(), 0, "stop here", 1.5).markers
    assert len({m.id for m in markers}) == 3 and {m.header.frame_id for m in markers} == {"base_link"}
    assert len(markers[0].points) == 5 and markers[0].points[0] == markers[0].points[-1]
    assert markers[2].text == "stop here"
    assert {(m.lifetime.sec, m.lifetime.nanosec) for m in markers} == {(1, 500_000_000)}
    gone = t.delete_markers(make, "base_link", 0).markers
    assert gone[0].action == Marker.DELETEALL and markers[1].type == Marker.ARROW


@both
def test_pose_and_polygon_stamped_carry_the_target_frame(make: Make):
    assert t.pose_stamped(make, target(), 5).header == header_to_msg(make, 5, "base_link")
    assert len(t.polygon_stamped(make, target(), 5).polygon.points) == 4


def info() -> CameraInfo:
    msg = CameraInfo(width=640, height=480, distortion_model="plumb_bob", d=[0.1, 0.0, 0.0, 0.0, 0.0])
    msg.k = [500.0, 0.0, 320.0, 0.0, 510.0, 240.0, 0.0, 0.0, 1.0]
    msg.p = [490.0, 0.0, 310.0, 0.0, 0.0, 495.0, 235.0, 0.0, 0.0, 0.0, 1.0, 0.0]
    return msg


def test_camera_info_raw_and_rectified():
    raw, rectified = camera_from_info(info()), camera_from_info(info(), rectified=True)
    assert raw.matrix[0, 0] == 500.0 and raw.distortion[0] == 0.1
    assert rectified.matrix[0, 0] == 490.0 and rectified.matrix[1, 2] == 235.0 and rectified.distortion.size == 0
    assert is_rectified("/camera/image_rect_color") and not is_rectified("/camera/image_raw")


def test_camera_info_with_a_cut_and_binning():
    msg = info()
    msg.roi.x_offset, msg.roi.y_offset, msg.roi.width, msg.roi.height = 100, 40, 400, 300
    msg.binning_x = msg.binning_y = 2
    camera = camera_from_info(msg)
    assert (camera.width, camera.height) == (200, 150)
    assert camera.matrix[0, 0] == 250.0 and camera.matrix[0, 2] == 110.0 and camera.matrix[1, 2] == 100.0
