# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from array import array

import cv2
import numpy as np
import pytest

pytest.importorskip("rclpy")
pytest.importorskip("ris_msgs")
pytestmark = pytest.mark.ros

from harness import SIZE, Rig, camera_info, diagnostics, header, rig, tiny, wait_for  # noqa: E402
from ris_msgs.msg import Grounding, RegionTarget  # noqa: E402
from sensor_msgs.msg import CompressedImage, Image  # noqa: E402
from std_msgs.msg import String  # noqa: E402
from std_srvs.srv import Trigger  # noqa: E402

from ris_node.geometry.tf_tree import Pose, TfTree  # noqa: E402
from ris_node.interface import Qos  # noqa: E402
from ris_node.messages.common import image_to_msg  # noqa: E402
from ris_node.replay.frames import RecordedTf  # noqa: E402
from ris_node.ros.convert.make import make  # noqa: E402

COMMAND = "stop next to the red car"
TOPICS = ("~/region", "~/region_polygon", "~/target_pose", "~/region_grid", "~/markers")
GREY = np.full((480, 640, 3), 120, np.uint8)


class Heard:
    """The target topics of one rig."""

    def __init__(self, live: Rig) -> None:
        self.live, self.client = live, live.client
        self.lists: dict[str, list] = {name: [] for name in TOPICS}
        for name, into in self.lists.items():
            live.client.listen(name, into)
        self.client.infos.publish(camera_info())
        wait_for(lambda: live.node.camera.camera is not None or self.client.infos.publish(camera_info()), "camera_info")
        wait_for(lambda: all(live.node.outputs.wanted(name) for name in TOPICS), "the subscriptions")

    def clear(self) -> None:
        for into in self.lists.values():
            into.clear()

    def region_of(self, result: Grounding) -> RegionTarget:
        found = self.lists["~/region"]
        wait_for(lambda: [m for m in found if m.header.stamp == result.header.stamp], "the frame's ~/region")
        return next(m for m in found if m.header.stamp == result.header.stamp)

    def until_target(self) -> RegionTarget:
        region = self.region_of(self.client.ground())
        assert region.status == RegionTarget.STATUS_OK, region.message
        wait_for(lambda: all(self.lists[name] for name in TOPICS), "all target topics")
        return region


@pytest.fixture(scope="module")
def heard(tmp_path_factory):
    with rig(tiny(tmp_path_factory.mktemp("bundle"))) as live:
        yield Heard(live)


@pytest.fixture(autouse=True)
def fresh(heard: Heard):
    heard.client.call(Trigger, "clear_query", Trigger.Request())
    heard.client.ground()
    heard.clear()


def test_a_region_query_gives_a_target_in_metres_on_every_topic(heard: Heard):
    query_id = heard.client.say(COMMAND)
    region = heard.until_target()
    assert region.query_id == query_id and region.method == RegionTarget.METHOD_GROUND_PLANE
    assert region.header.frame_id == "base_link" and region.header.stamp == heard.client.results[-1].header.stamp
    goal = region.pose.pose.position
    # the red square and what lies 48 pixels under it are left of the middle, some metres ahead
    assert 2.0 < goal.x < 12.0 and 0.2 < goal.y < 4.0
    assert region.pose.covariance[0] > 0 and len(region.footprint.points) >= 3 and 0 < region.valid_fraction <= 1
    pose, polygon = heard.lists["~/target_pose"][-1], heard.lists["~/region_polygon"][-1]
    assert pose.header == region.header and pose.pose == region.pose.pose
    assert polygon.polygon == region.footprint
    grid = heard.lists["~/region_grid"][-1]
    cells = np.array(grid.data, np.int8).reshape(grid.info.height, grid.info.width)
    column = int((goal.x - grid.info.origin.position.x) / grid.info.resolution)
    row = int((goal.y - grid.info.origin.position.y) / grid.info.resolution)
    assert cells[row, column] == 0 and (cells == -1).any()
    assert {m.action for m in heard.lists["~/markers"][-1].markers} == {0}
    assert {m.lifetime.sec for m in heard.lists["~/markers"][-1].markers} == {2}, "none outlives a killed node"


def test_every_region_result_says_why_there_is_no_target(heard: Heard):
    heard.client.say(COMMAND)
    result = heard.client.ground(GREY)
    assert result.status == Grounding.STATUS_ABSENT
    region = heard.region_of(result)
    assert region.status != RegionTarget.STATUS_OK and region.message and not region.footprint.points
    assert not heard.lists["~/target_pose"] and not heard.lists["~/region_polygon"]


def withdrawn(heard: Heard) -> bool:
    grids, markers = heard.lists["~/region_grid"], heard.lists["~/markers"]
    return bool(grids and markers and not len(grids[-1].data) and markers[-1].markers[0].action == 3)


def test_a_lost_target_is_taken_back(heard: Heard):
    heard.client.say(COMMAND)
    heard.until_target()
    lost = heard.region_of(heard.client.ground(GREY))
    assert lost.status == RegionTarget.STATUS_STALE and "do not drive" in lost.message
    wait_for(lambda: withdrawn(heard), "the empty grid and the deletion")


@pytest.mark.parametrize("newer", ["cancel", "the green thing", "don't stop here"])
def test_a_newer_command_takes_the_target_back_before_any_frame(heard: Heard, newer: str):
    query_id = heard.client.say(COMMAND)
    heard.until_target()
    heard.client.commands.publish(String(data=newer))
    wait_for(lambda: heard.lists["~/region"][-1].status == RegionTarget.STATUS_STALE, "STALE on ~/region")
    assert heard.lists["~/region"][-1].query_id == query_id
    wait_for(lambda: withdrawn(heard), "the empty grid and the deletion")
    heard.lists["~/target_pose"].clear()
    for _ in range(3):
        heard.client.ground()
    assert not heard.lists["~/target_pose"]
    late: list = []
    heard.client.listen("~/region_grid", late)
    wait_for(lambda: late, "the latched grid")
    assert not len(late[-1].data)


def test_an_answer_in_flight_brings_no_target_back(heard: Heard):
    """The model is held while the command is cancelled: its late answer must not publish a goal."""
    import threading

    client, grounder = heard.client, heard.live.node.engine.grounder
    client.say(COMMAND)
    heard.until_target()
    entered, go = threading.Event(), threading.Event()
    inner = grounder._segmenter.segment

    def held(image, features):
        entered.set()
        assert go.wait(20)
        return inner(image, features)

    grounder._segmenter.segment = held
    try:
        stamp_ns = client.send()
        assert entered.wait(20)
        client.commands.publish(String(data="cancel"))
        wait_for(lambda: client.active_id() == "", "the cancellation")
        heard.clear()
    finally:
        grounder._segmenter.segment = inner
        go.set()
    result = client.result_of(stamp_ns)
    assert result.status == Grounding.STATUS_PRESENT
    assert heard.region_of(result).status == RegionTarget.STATUS_STALE
    assert not any(heard.lists[name] for name in TOPICS[1:])


def test_without_usable_camera_info_the_reason_is_given(heard: Heard):
    client, camera = heard.client, heard.live.node.camera
    client.say(COMMAND)
    broken = camera_info()
    broken.k = [float("nan")] * 9
    good = camera.camera
    try:
        wait_for(lambda: camera.camera is not good or client.infos.publish(broken), "the broken camera_info")
        region = heard.region_of(client.ground())
        assert region.status == RegionTarget.STATUS_NO_CAMERA and "not finite" in region.message
        camera._camera = None
        region = heard.region_of(client.ground())
        assert region.status == RegionTarget.STATUS_NO_CAMERA and "camera_info" in region.message
        assert client.ground().status == Grounding.STATUS_PRESENT
    finally:
        camera._camera = good


def test_what_tf_lost_while_running_is_a_goal_nowhere(heard: Heard):
    """TF falls silent: region, pose, markers, overlay and result agree, though default camera_* could stand in."""
    client, camera = heard.client, heard.live.node.camera
    before, tree = camera._tf, TfTree()
    pose = Pose.of((0.0, 0.0, 1.5), (-0.560986, 0.560986, -0.430459, 0.430459))  # 15 degrees down
    first_ns = client.next_stamp()
    for n in range(40):
        tree.add("base_link", header(0).frame_id, first_ns + n * 50_000_000, pose)
    camera._tf = RecordedTf(tree)
    pictures: list = []
    listening = client.listen("~/overlay", pictures)
    try:
        wait_for(lambda: heard.live.node.outputs.wanted("~/overlay"), "the overlay's subscription")
        client.say(COMMAND)
        assert heard.until_target().header.frame_id == "base_link"
        client.next_stamp(5 * 10**9)
        heard.lists["~/target_pose"].clear()
        result = client.ground()
        region = heard.region_of(result)
        assert region.status == RegionTarget.STATUS_TF_UNAVAILABLE and "after the last transform" in region.message
        assert result.status == Grounding.STATUS_PRESENT and result.message == region.message
        wait_for(lambda: withdrawn(heard), "the empty grid and the deletion")
        wait_for(lambda: pictures and pictures[-1].header.stamp == result.header.stamp, "the overlay")
        lost = below_banner(pictures[-1])
        assert not heard.lists["~/target_pose"]
        camera._tf = RecordedTf(with_pose_at(tree, client.next_stamp() + 10**9, pose))
        again = client.ground()
        assert heard.region_of(again).status == RegionTarget.STATUS_OK
        wait_for(lambda: pictures[-1].header.stamp == again.header.stamp, "the overlay")
        placed = below_banner(pictures[-1])
        ring = (placed != lost).any(axis=2)  # the goal is all that tells the two pictures apart
        assert (placed[ring] > 250).all(axis=1).sum() > 20 and not (lost[ring] > 250).all(axis=1).any()
    finally:
        camera._tf = before
        client.node.destroy_subscription(listening)


def with_pose_at(tree: TfTree, stamp_ns: int, pose: Pose) -> TfTree:
    tree.add("base_link", header(0).frame_id, stamp_ns, pose)
    return tree


def below_banner(overlay: Image) -> np.ndarray:
    pixels = np.frombuffer(bytes(overlay.data), np.uint8).reshape(overlay.height, overlay.width, 3)
    return pixels[overlay.height // 8 :]


def test_depth_of_the_same_moment_is_used(heard: Heard):
    client = heard.client
    depths = client.publisher(Image, "depth/image", Qos(depth=5, reliable=False))
    wait_for(depths.get_subscription_count, "the depth subscription")
    client.say(COMMAND)
    ground = flat_ground()
    try:
        for encoding, plane in (("32FC1", ground), ("16UC1", (np.nan_to_num(ground) * 1000).astype(np.uint16))):

            def measured(encoding=encoding, plane=plane) -> bool:
                stamp_ns = client.next_stamp()
                depths.publish(image_to_msg(make, plane, encoding, header(stamp_ns)))
                wait_for(lambda: heard.live.node.camera._depths and 1, "the depth image")
                client.send(stamp_ns=stamp_ns)
                region = heard.region_of(client.result_of(stamp_ns))
                return region.method == RegionTarget.METHOD_DEPTH and region.status == RegionTarget.STATUS_OK

            wait_for(measured, f"a target from {encoding} depth", 20.0)
        client.next_stamp(10**9)
        result = client.ground()  # no depth near this one
        assert heard.region_of(result).method == RegionTarget.METHOD_GROUND_PLANE
    finally:
        client.node.destroy_publisher(depths)


PACKED = "depth/image/compressedDepth"


def test_compressed_depth_is_used_and_what_is_not_read_is_said(tmp_path_factory):
    with rig(tiny(tmp_path_factory.mktemp("bundle")), depth_transport="compressedDepth") as live:
        heard, client = Heard(live), live.client
        depths = client.publisher(CompressedImage, PACKED, Qos(depth=5, reliable=False))
        wait_for(depths.get_subscription_count, "the depth subscription")
        client.say(COMMAND)
        millimetres = (np.nan_to_num(flat_ground()) * 1000).astype(np.uint16)
        data = array("B", bytes(12) + cv2.imencode(".png", millimetres)[1].tobytes())
        for codec, method, words in (
            ("png", RegionTarget.METHOD_DEPTH, ""),
            ("rvl", RegionTarget.METHOD_GROUND_PLANE, "depth is ignored: depth of format '16UC1; compressedDepth rvl'"),
        ):
            stamp_ns, form = client.next_stamp(), f"16UC1; compressedDepth {codec}"
            depths.publish(CompressedImage(header=header(stamp_ns), format=form, data=data))
            wait_for(lambda at=stamp_ns: at in [d[0] for d in list(live.node.camera._depths)], "the depth image")
            region = heard.region_of(client.result_of(client.send(stamp_ns=stamp_ns)))
            assert region.method == method and region.message.startswith(words), region


def test_compressed_depth_that_nobody_asked_for_is_named_once(tmp_path_factory, monkeypatch):
    with rig(tiny(tmp_path_factory.mktemp("bundle"))) as live:
        said: list[str] = []
        monkeypatch.setattr(live.node.log._logger, "warning", said.append)
        live.client.publisher(CompressedImage, PACKED, Qos(depth=5, reliable=False))
        wait_for(lambda: any("set depth_transport to compressedDepth" in text for text in said), "the warning")
        diagnostics(live.client), diagnostics(live.client)
        assert sum("depth_transport" in text for text in said) == 1


def flat_ground() -> np.ndarray:
    """Depth f32[H,W] in metres of the ground under the harness's camera (1.5 m up, 15 degrees down)."""
    rows = (np.arange(SIZE[1]) - (SIZE[1] - 1) / 2) / (0.8 * SIZE[0])
    down = np.sin(np.radians(15.0)) + rows * np.cos(np.radians(15.0))
    with np.errstate(divide="ignore"):
        depth = np.where(down > 0.01, 1.5 / down, np.nan)
    return np.repeat(depth[:, None], SIZE[0], 1).astype(np.float32)


def test_only_steady_targets_are_published(tmp_path_factory):
    with rig(tiny(tmp_path_factory.mktemp("bundle")), stable_frames=3) as live:
        heard, client = Heard(live), live.client
        client.say(COMMAND)
        for _ in range(2):
            assert heard.region_of(client.ground()).status == RegionTarget.STATUS_OK
        assert heard.region_of(client.ground(GREY)).status != RegionTarget.STATUS_OK
        for _ in range(3):
            assert not heard.lists["~/target_pose"]
            heard.region_of(client.ground())
        wait_for(lambda: heard.lists["~/target_pose"], "a pose after three frames")
        assert len(heard.lists["~/target_pose"]) == 1
