# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import time

import numpy as np
import pytest

pytest.importorskip("rclpy")
pytest.importorskip("ris_msgs")
pytestmark = pytest.mark.ros

import cv2  # noqa: E402
from harness import (  # noqa: E402
    BLUES,
    GREEN,
    NODE,
    RED,
    SIZE,
    Rig,
    box_of,
    camera_info,
    header,
    near,
    picture,
    rig,
    tiny,
    wait_for,
)
from ris_msgs.msg import Grounding, Query  # noqa: E402
from std_msgs.msg import String  # noqa: E402

from ris_node.interface import PUBLISHERS, SERVICES, SUBSCRIPTIONS, Qos  # noqa: E402
from ris_node.messages.grounding import rle_from_msg  # noqa: E402


@pytest.fixture(scope="module")
def live(tmp_path_factory):
    with rig(tiny(tmp_path_factory.mktemp("bundle"))) as found:
        yield found


def test_a_present_target_is_found_where_it_is(live: Rig):
    client = live.client
    query_id = client.say("the red thing")
    result = client.ground()
    assert result.status == Grounding.STATUS_PRESENT and result.query_id == query_id
    assert (result.width, result.height) == SIZE and result.text == "the red thing"
    assert len(result.instances) == 1 and near(box_of(result), RED)
    mask = rle_from_msg(result.instances[0].mask)
    assert mask.shape == SIZE[::-1] and mask[240, 160] and not mask[240, 480]
    assert result.model_id.startswith("tiny")
    assert result.timing.inference > 0 and result.timing.total >= result.timing.inference


def test_the_header_of_the_frame_comes_back_with_the_result(live: Rig):
    client = live.client
    client.say("the green thing")
    for stamp_ns in (client.next_stamp(), client.next_stamp() + 123456789):
        client.send(stamp_ns=stamp_ns)
        result = client.result_of(stamp_ns)
        assert result.header == header(stamp_ns)
        assert near(box_of(result), GREEN)


def test_an_absent_target_gives_an_empty_answer(live: Rig):
    client = live.client
    client.say("the green thing")
    grey = np.full((480, 640, 3), 120, np.uint8)
    result = client.ground(grey)
    assert result.status == Grounding.STATUS_ABSENT and not result.instances
    assert result.presence < 0.5 and result.message


def test_several_that_fit_are_all_given(live: Rig):
    client = live.client
    client.say("the blue car")
    result = client.ground()
    assert result.status == Grounding.STATUS_AMBIGUOUS and len(result.instances) == 2
    boxes = sorted(box_of(result, number) for number in (0, 1))
    assert all(near(box, truth) for box, truth in zip(boxes, BLUES, strict=True))
    assert {i.instance_id for i in result.instances} == {1, 2}


@pytest.mark.parametrize("text", ["don't stop next to the red car", "hello"])
def test_what_cannot_be_grounded_yields_nothing(live: Rig, text: str):
    client = live.client
    regions: list[object] = []
    poses: list[object] = []
    subscriptions = [client.listen("~/region", regions), client.listen("~/target_pose", poses)]
    query_id = client.say(text)
    for _ in range(3):
        result = client.ground()
        assert result.query_id == query_id and result.status == Grounding.STATUS_ABSENT
        assert not result.instances and result.message
    assert not poses and all(region.status != region.STATUS_OK for region in regions)
    for subscription in subscriptions:
        client.node.destroy_subscription(subscription)


def test_frames_without_a_query_are_answered_too(live: Rig):
    client = live.client
    client.say("the red thing")
    client.commands.publish(String(data="cancel"))
    wait_for(lambda: client.active_id() == "", "the cancellation")
    result = client.ground()
    assert result.status == Grounding.STATUS_NO_QUERY and not result.query_id and not result.instances
    assert (result.width, result.height) == SIZE and "no query" in result.message


def test_one_result_for_every_processed_frame_and_all_frames_accounted_for(live: Rig):
    client, node = live.client, live.node
    client.say("the red thing")
    client.ground()
    before, answered = node.worker.counters, len(client.results)
    first_index = client.results[-1].frame_index
    sent = [client.send() for _ in range(100)]
    wait_for(lambda: client.find(sent[-1]), "the newest frame's answer")
    wait_for(lambda: node.worker.counters.waiting == 0, "the worker to be idle")
    after, results = node.worker.counters, client.results[answered:]
    assert after.received == after.processed + after.dropped
    assert after.processed - before.processed == len(results) == len({str(r.header.stamp) for r in results})
    assert after.received - before.received == len(results) + sum(r.dropped_since_last for r in results)
    assert [r.frame_index for r in results] == list(range(first_index + 1, first_index + 1 + len(results)))


@pytest.mark.parametrize("size", [(333, 217), (1920, 1080), (97, 480), (4096, 2304)])
def test_any_size_and_aspect_comes_back_in_its_own_pixels(live: Rig, size: tuple[int, int]):
    client = live.client
    masks: list[object] = []
    subscription = client.listen("~/mask", masks)
    client.say("the red thing")
    across, down = size[0] / SIZE[0], size[1] / SIZE[1]
    result = client.ground(picture(*size))
    assert (result.width, result.height) == size and result.status == Grounding.STATUS_PRESENT
    x, y, w, h = RED
    truth = (round(x * across), round(y * down), round(w * across), round(h * down))
    assert near(box_of(result), truth, round(0.03 * max(size)) + 2)
    wait_for(lambda: masks and (masks[-1].width, masks[-1].height) == size, "a mask of the picture's size")
    client.node.destroy_subscription(subscription)


def test_every_topic_carries_what_the_table_says(live: Rig):
    client, node = live.client, live.node
    heard: dict[str, list[object]] = {topic.name: [] for topic in PUBLISHERS if node.outputs.has(topic.name)}
    subscriptions = [client.listen(name, into) for name, into in heard.items()]
    client.infos.publish(camera_info())
    client.say("stop next to the red car")

    def all_heard() -> bool:
        client.infos.publish(camera_info())
        client.ground()
        return all(heard.values())

    try:
        wait_for(all_heard, f"every topic; silent: {[n for n, v in heard.items() if not v]}", 30.0)
    finally:
        silent = [name for name, messages in heard.items() if not messages]
        assert not silent
    frame = heard["~/result"][-1].header
    for name in ("~/label_mask", "~/instance_mask", "~/mask", "~/confidence", "~/region_mask", "~/overlay"):
        assert heard[name][-1].header.frame_id == frame.frame_id
        assert (heard[name][-1].width, heard[name][-1].height) == SIZE
    assert {np.unique(np.frombuffer(m.data, np.uint8)).size for m in heard["~/mask"][-1:]} == {2}
    labels = np.frombuffer(heard["~/label_mask"][-1].data, np.uint8).reshape(SIZE[::-1])
    assert labels[240, 160] == 1 and labels[345, 160] == 2 and labels[10, 10] == 0
    assert heard["~/instance_mask"][-1].encoding == "16UC1"
    assert cv2.imdecode(np.frombuffer(heard["~/overlay/compressed"][-1].data, np.uint8), 1).shape == (480, 640, 3)
    assert heard["~/region"][-1].header.frame_id == "base_link"
    for subscription in subscriptions:
        client.node.destroy_subscription(subscription)


def test_outputs_nobody_listens_to_are_not_made(live: Rig):
    client = live.client
    client.say("the red thing")
    client.ground()
    made: list[str] = []
    publish = live.node.outputs.publish
    live.node.outputs.publish = lambda name, msg: (made.append(name), publish(name, msg))
    try:
        client.ground()
    finally:
        live.node.outputs.publish = publish
    assert set(made) - {"/diagnostics", "~/status"} == {"~/result"}


def test_the_tables_match_what_the_node_offers(live: Rig):
    node, prefix = live.node, live.namespace
    topics = dict(node.get_publisher_names_and_types_by_node(NODE, prefix))
    for topic in PUBLISHERS:
        if node.outputs.has(topic.name):
            full = topic.name.replace("~", f"{prefix}/{NODE}")
            assert topics[full] == [topic.type.replace("/", "/msg/")]
    inputs = dict(node.get_subscriber_names_and_types_by_node(NODE, prefix))
    for topic in SUBSCRIPTIONS:
        if topic.condition.find("ompressed") < 0:
            assert inputs[f"{prefix}/{topic.name}"] == [topic.type.replace("/", "/msg/")]
    services = dict(node.get_service_names_and_types_by_node(NODE, prefix))
    for service in SERVICES:
        assert services[service.name.replace("~", f"{prefix}/{NODE}")] == [service.type.replace("/", "/srv/")]


def test_best_effort_and_reliable_cameras_both_connect(live: Rig):
    client = live.client
    client.say("the red thing")
    from sensor_msgs.msg import Image

    for reliable in (True, False):
        usual, client.images = client.images, client.publisher(Image, "image", Qos(depth=5, reliable=reliable))
        wait_for(client.images.get_subscription_count, "the camera to connect")
        assert client.ground().status == Grounding.STATUS_PRESENT
        client.node.destroy_publisher(client.images)
        client.images = usual


@pytest.mark.parametrize("name", ["~/overlay", "~/overlay/compressed"])
def test_reliable_and_best_effort_viewers_both_get_the_overlay(live: Rig, name: str):
    client = live.client
    heard: dict[bool, list[object]] = {True: [], False: []}  # RViz asks for reliable delivery by default
    viewers = [client.listen(name, into, Qos(depth=1, reliable=reliable)) for reliable, into in heard.items()]
    topic_name = f"{live.namespace}/{NODE}/{name[2:]}"
    wait_for(lambda: live.node.count_subscribers(topic_name) == 2, "the viewers")
    client.say("the red thing")
    deadline = time.monotonic() + 5.0
    while not all(heard.values()) and time.monotonic() < deadline:
        client.ground()
    assert all(heard.values()), {reliable: len(got) for reliable, got in heard.items()}
    for viewer in viewers:
        client.node.destroy_subscription(viewer)


def test_a_late_subscriber_gets_the_status(live: Rig):
    client = live.client
    query_id = client.say("the red thing")
    late: list[object] = []
    subscription = client.listen("~/status", late)
    wait_for(lambda: late, "the latched status")
    status = late[-1]
    assert status.active_query.id == query_id and status.backend == "onnxruntime"
    assert status.precision == "fp32" and status.provider == "CPUExecutionProvider" and status.device
    client.node.destroy_subscription(subscription)


def test_a_full_query_is_kept_as_it_was_said(live: Rig):
    client = live.client
    message = Query(id="operator-7", text="the green thing", kind=Query.KIND_OBJECT, source="operator", language="en")
    message.confidence = 0.75
    client.queries.publish(message)
    wait_for(lambda: client.active_id() == "operator-7", "the query")
    assert client.statuses[-1].active_query.source == "operator"
    assert client.statuses[-1].active_query.confidence == pytest.approx(0.75)
    assert client.ground().query_id == "operator-7"
