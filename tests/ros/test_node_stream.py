# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""What cameras and clocks do wrong, and what the node makes of it."""

from __future__ import annotations

import time
from array import array

import numpy as np
import pytest

pytest.importorskip("rclpy")
pytest.importorskip("ris_msgs")
pytestmark = pytest.mark.ros

import cv2  # noqa: E402
from harness import (  # noqa: E402
    ACTIVATE,
    CONFIGURE,
    GREEN,
    NS,
    RED,
    Client,
    Rig,
    box_of,
    header,
    image_msg,
    near,
    picture,
    rig,
    tiny,
    wait_for,
)
from rcl_interfaces.msg import Log  # noqa: E402
from rcl_interfaces.srv import DescribeParameters, SetParameters  # noqa: E402
from rclpy.parameter import Parameter  # noqa: E402
from ris_msgs.msg import Grounding, NodeStatus  # noqa: E402
from rosgraph_msgs.msg import Clock  # noqa: E402
from sensor_msgs.msg import CompressedImage  # noqa: E402

from ris_node.config import all_specs  # noqa: E402
from ris_node.interface import Qos  # noqa: E402
from ris_node.ros.outputs.publishers import qos_profile  # noqa: E402


@pytest.fixture(scope="module")
def live(tmp_path_factory):
    with rig(tiny(tmp_path_factory.mktemp("bundle"))) as found:
        yield found


def set_parameters(client: Client, **values: object) -> list:
    request = SetParameters.Request(parameters=[Parameter(n, value=v).to_parameter_msg() for n, v in values.items()])
    return client.call(SetParameters, "set_parameters", request).results


def send_raw(client: Client, **changes: object) -> Grounding:
    """Send a frame with some of its fields changed, until it is answered."""
    for _ in range(20):
        stamp_ns = client.next_stamp()
        msg = image_msg(stamp_ns)
        for name, value in changes.items():
            setattr(msg, name, value)
        client.images.publish(msg)
        deadline = time.monotonic() + 3.0
        while time.monotonic() < deadline:
            found = client.find(stamp_ns)
            if found:
                return found[0]
            time.sleep(0.005)
    raise AssertionError("the frame was never answered")


def test_bgra_over_dds_is_answered_as_rgb_is(live: Rig):
    client = live.client
    client.say("the red thing")
    result = client.ground(cv2.cvtColor(picture(), cv2.COLOR_RGB2BGRA), "bgra8")
    assert result.status == Grounding.STATUS_PRESENT and near(box_of(result), RED)
    for _ in range(2):  # what 8UC3 is taken as is said at the first
        assert near(box_of(client.ground(picture()[..., ::-1], "8UC3")), RED)
    assert client.ground(cv2.cvtColor(picture(), cv2.COLOR_RGB2GRAY), "mono8").status == Grounding.STATUS_ABSENT


@pytest.mark.parametrize("order", ["<", ">"])
def test_16_bits_over_dds_are_answered_as_8_are(live: Rig, order: str):
    live.client.say("the red thing")
    wide = (picture()[..., ::-1].astype(np.uint16) * 257).astype(f"{order}u2").view(np.uint8)
    changes = {"encoding": "bgr16", "step": 6 * 640, "is_bigendian": int(order == ">")}
    result = send_raw(live.client, **changes, data=array("B", wide.tobytes()))
    assert result.status == Grounding.STATUS_PRESENT and near(box_of(result), RED)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"encoding": "rgb16"}, "step 1920"),
        ({"encoding": "16SC1"}, "'16SC1'"),
        ({"encoding": ""}, "''"),
        ({"data": array("B", b"\0" * 1000)}, "1000 bytes"),
        ({"data": array("B")}, "0 bytes"),
        ({"width": 0}, "0 x 480"),
        ({"height": 0, "data": array("B")}, "640 x 0"),
        ({"step": 5}, "step 5"),
    ],
)
def test_a_frame_that_cannot_be_read_gives_an_error_and_the_next_is_answered(live: Rig, changes: dict, words: str):
    client = live.client
    query_id = client.say("the red thing")
    result = send_raw(client, **changes)
    assert result.status == Grounding.STATUS_ERROR and words in result.message
    assert result.query_id == query_id and not result.instances
    assert client.ground().status == Grounding.STATUS_PRESENT


def test_odd_step_and_big_endian_are_no_obstacle(live: Rig):
    client = live.client
    client.say("the green thing")
    rows = np.pad(picture().reshape(480, -1), ((0, 0), (0, 7)))
    result = send_raw(client, step=rows.shape[1], data=array("B", rows.tobytes()), is_bigendian=1)
    assert result.status == Grounding.STATUS_PRESENT and near(box_of(result), GREEN)


def test_stamps_that_stand_still_or_go_back_are_answered(live: Rig):
    client = live.client
    client.say("the red thing")
    for stamp_ns in (7 * NS, 7 * NS, 7 * NS, 3 * NS, 3 * NS + 1, 0, 0):
        before = len(client.find(stamp_ns))

        def answered(stamp_ns=stamp_ns, before=before) -> bool:
            client.send(stamp_ns=stamp_ns)
            time.sleep(0.05)
            return len(client.find(stamp_ns)) > before

        wait_for(answered, f"an answer to stamp {stamp_ns}")
        assert client.find(stamp_ns)[-1].status == Grounding.STATUS_PRESENT
        assert client.find(stamp_ns)[-1].header == header(stamp_ns)
    assert np.isnan(client.find(0)[-1].timing.age_at_start), "a frame without a stamp has no age"


def test_stamps_that_run_backwards_are_counted_and_logged_once_a_second(live: Rig):
    client = live.client
    heard, subscription = diagnostics(client)
    logs: list[Log] = []
    listening = client.node.create_subscription(Log, "/rosout", logs.append, qos_profile(Qos(depth=1000, latched=True)))
    wait_for(lambda: client.ground() and heard, "diagnostics")
    wait_for(lambda: any(log.name.endswith("grounding_node") for log in logs), "what the node has logged so far")
    before, begin, said = values(heard[-1]), time.monotonic(), len(logs)

    def counted(key: str) -> int:
        return int(values(heard[-1])[key]) - int(before[key])

    def often_enough() -> bool:
        for seconds in (50_000, 40_000, 0):  # two publishers on one topic, and one without a clock
            client.send(stamp_ns=seconds * NS)
            time.sleep(0.01)
        return counted("stamps_back") > 10 and counted("stamps_zero") > 10

    wait_for(often_enough, "the counts on /diagnostics")
    lasted_s = time.monotonic() - begin
    back = [log for log in logs[said:] if "time went back" in log.msg]
    assert 1 <= len(back) <= 1 + lasted_s, f"{len(back)} lines in {lasted_s:.1f} s"
    assert len([log for log in logs if "stamped 0" in log.msg]) == 1
    for ended in (subscription, listening):
        client.node.destroy_subscription(ended)


def test_going_back_in_time_forgets_what_was_smoothed(live: Rig):
    client = live.client
    assert set_parameters(client, temporal_smoothing=0.9)[0].successful
    try:
        client.say("the red thing")
        for _ in range(3):
            client.ground()
        grey = np.full((480, 640, 3), 120, np.uint8)
        assert client.ground(grey).presence > 0.5, "what was seen still counts"
        stamp_ns = 2 * NS
        wait_for(lambda: client.send(grey, stamp_ns=stamp_ns) and client.find(stamp_ns), "the answer", 10)
        assert client.find(stamp_ns)[0].status == Grounding.STATUS_ABSENT
    finally:
        set_parameters(client, temporal_smoothing=0.0)


def diagnostics(client: Client) -> tuple[list, object]:
    heard: list = []
    return heard, client.listen("/diagnostics", heard)


def test_a_camera_that_stops_is_reported_and_one_that_returns_is_fine(live: Rig):
    client = live.client
    heard, subscription = diagnostics(client)
    logs: list[Log] = []
    listening = client.node.create_subscription(Log, "/rosout", logs.append, qos_profile(Qos(depth=1000)))
    for _ in range(5):
        client.ground()
    client.wait_state(NodeStatus.STATE_READY)
    degraded = client.wait_state(NodeStatus.STATE_DEGRADED)
    assert "no more frames" in degraded.message
    wait_for(lambda: heard and heard[-1].status[0].level == b"\x01", "a warning on /diagnostics")
    assert "no more frames" in heard[-1].status[0].message
    client.ground()
    wait_for(lambda: client.ground() and client.statuses[-1].state == NodeStatus.STATE_READY, "READY again")
    wait_for(lambda: any(log.msg == "frames come again" for log in logs), "a line that says so")
    lost = [log for log in logs if "no more frames" in log.msg and log.level == 30]  # WARN
    assert 1 <= len(lost) <= 2, "one a silence; the test before may have left one"
    for ended in (subscription, listening):
        client.node.destroy_subscription(ended)


def test_diagnostics_say_what_runs_and_how_fast(live: Rig):
    client = live.client
    client.say("the red thing")
    heard, subscription = diagnostics(client)

    def complete() -> bool:
        client.ground()
        return bool(heard) and float(values(heard[-1])["rate_hz"]) > 0

    wait_for(complete, "/diagnostics with a rate")
    told = values(heard[-1])
    assert told["backend"] == "onnxruntime" and told["precision"] == "fp32" and told["model"].startswith("tiny")
    assert told["query"] == "the red thing" and told["state"] in ("READY", "DEGRADED")
    for stage in ("preprocess", "inference", "postprocess", "total", "age_at_start", "publish"):
        assert "p50" in told[f"{stage}_ms"] and "nan" not in told[f"{stage}_ms"]
    counted = [int(told[name]) for name in ("received", "processed", "dropped", "waiting")]
    assert counted[0] == sum(counted[1:])
    client.node.destroy_subscription(subscription)


def values(array_msg) -> dict[str, str]:
    return {pair.key: pair.value for pair in array_msg.status[0].values}


def test_dynamic_parameters_count_from_the_next_frame(live: Rig):
    client = live.client
    client.say("the red thing")
    try:
        assert set_parameters(client, presence_threshold=1.0, uncertain_band=0.0)[0].successful
        wait_for(lambda: client.ground().status == Grounding.STATUS_ABSENT, "the new threshold")
    finally:
        assert set_parameters(client, presence_threshold=-1.0, uncertain_band=-1.0)[0].successful
    wait_for(lambda: client.ground().status == Grounding.STATUS_PRESENT, "the old threshold")


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("mask_threshold", 2.0, "mask_threshold"),
        ("mask_threshold", float("nan"), "mask_threshold"),
        ("max_rate_hz", -1.0, "max_rate_hz"),
        ("vehicle_width_m", 2.5, "cleanup"),
        ("goal_point", "middle", "cleanup"),
        ("backend", "magic", "choose one of auto, tensorrt, onnxruntime"),
        ("autostart", False, ""),
        ("mask_threshold", "high", ""),
        ("no_such_parameter", 1, ""),
    ],
)
def test_parameters_that_cannot_change_are_refused_with_a_reason(live: Rig, name: str, value: object, words: str):
    before = live.node.parameters.config
    result = set_parameters(live.client, **{name: value})[0]
    assert not result.successful and result.reason and words in result.reason
    assert live.node.parameters.config == before


def test_parameters_are_described(live: Rig):
    names = [spec.name for spec in all_specs()]
    answer = live.client.call(DescribeParameters, "describe_parameters", DescribeParameters.Request(names=names))
    assert len(answer.descriptors) == len(names)
    for spec, descriptor in zip(all_specs(), answer.descriptors, strict=True):
        assert descriptor.description == spec.doc and descriptor.additional_constraints
        ranged = spec.low is not None and spec.type in (int, float)
        assert bool(descriptor.integer_range or descriptor.floating_point_range) == ranged


def test_max_rate_is_by_stamp_and_drops_are_counted(live: Rig):
    client = live.client
    client.say("the red thing")
    client.ground()
    assert set_parameters(client, max_rate_hz=10.0)[0].successful
    before, answered = live.node.worker.counters, len(client.results)
    try:
        for _ in range(60):  # two seconds of stamps
            client.send()
            time.sleep(0.012)
        wait_for(lambda: live.node.worker.counters.waiting == 0, "the worker to be idle")
    finally:
        set_parameters(client, max_rate_hz=0.0)
    after = live.node.worker.counters
    received = after.received - before.received
    assert received > 30 and len(client.results) - answered <= 22
    assert received == after.processed - before.processed + after.dropped - before.dropped


def test_frames_that_are_too_old_are_dropped_and_counted(live: Rig):
    client = live.client
    client.say("the red thing")
    assert set_parameters(client, max_frame_age_s=5.0)[0].successful  # the harness's stamps are of 1970
    try:
        before, answered = live.node.worker.counters, len(client.results)

        def dropped() -> bool:
            client.send()
            time.sleep(0.02)
            return live.node.worker.counters.dropped >= before.dropped + 3

        wait_for(dropped, "dropped frames")
        assert len(client.results) == answered
        now_ns = live.node.now_ns()
        wait_for(lambda: client.send(stamp_ns=now_ns) and client.find(now_ns), "a fresh frame's answer")
        assert 0 <= client.find(now_ns)[0].timing.age_at_start < 5000
    finally:
        set_parameters(client, max_frame_age_s=0.0)
    c = live.node.worker.counters
    assert c.received == c.processed + c.dropped + c.waiting


def test_compressed_frames_every_frame_kept_and_a_reliable_camera(tmp_path_factory):
    values_ = {"image_transport": "compressed", "drop_policy": "all", "input_reliability": "reliable"}
    with rig(tiny(tmp_path_factory.mktemp("bundle")), active=False, default_query="the red thing", **values_) as live:
        client = live.client
        assert client.change(CONFIGURE) and client.change(ACTIVATE)
        camera = client.publisher(CompressedImage, "image/compressed", Qos(depth=100))
        wait_for(camera.get_subscription_count, "the compressed subscription")
        wait_for(lambda: client.statuses[-1].active_query.text == "the red thing", "the default query")
        data = array("B", cv2.imencode(".jpg", cv2.cvtColor(picture(), cv2.COLOR_RGB2BGR))[1].tobytes())
        stamps = [client.next_stamp() for _ in range(40)]
        for stamp_ns in stamps:
            camera.publish(CompressedImage(header=header(stamp_ns), format="jpeg", data=data))
        wait_for(lambda: client.results and client.results[-1].header == header(stamps[-1]), "the last answer")
        # what came before the two ends had found each other may be missing; from then on all are there, in order
        first = next(i for i, s in enumerate(stamps) if client.results[0].header == header(s))
        assert [r.header.stamp for r in client.results] == [header(s).stamp for s in stamps[first:]]
        assert {r.status for r in client.results} == {Grounding.STATUS_PRESENT} and len(client.results) > 20
        for rubbish, words in ((b"rubbish", "no picture"), (b"P6 100000 100000 255\n..", "cannot be decoded")):
            stamp_ns = client.next_stamp()
            camera.publish(CompressedImage(header=header(stamp_ns), format="jpeg", data=array("B", rubbish)))
            result = client.result_of(stamp_ns)
            assert result.status == Grounding.STATUS_ERROR and words in result.message
            assert "internal error" not in result.message


@pytest.mark.parametrize(
    ("remaps", "expected"),
    [
        ([], "{ns}/image/compressed"),
        (["image:=/front/image_raw"], "/front/image_raw/compressed"),
        # a launch file remaps every topic, most to themselves
        (["image:=front/image_raw", "image/compressed:=image/compressed"], "{ns}/front/image_raw/compressed"),
        (["image:=/front/image_raw", "image/compressed:=/jpeg"], "/jpeg"),
        (["image/compressed:=/front/image_rect/compressed"], "/front/image_rect/compressed"),
    ],
)
def test_compressed_frames_are_sought_beside_the_remapped_image(tmp_path_factory, remaps: list[str], expected: str):
    arguments = ["--ros-args", *(word for remap in remaps for word in ("-r", remap))]
    options, values_ = {"cli_args": arguments}, {"image_transport": "compressed", "default_query": "the red thing"}
    with rig(tiny(tmp_path_factory.mktemp("bundle")), active=False, options=options, **values_) as live:
        client = live.client
        assert client.change(CONFIGURE) and client.change(ACTIVATE)
        found = [name for name, types in live.node.get_topic_names_and_types() if types[0].endswith("CompressedImage")]
        wanted = expected.format(ns=live.namespace)
        assert [name for name in found if "overlay" not in name] == [wanted]
        camera = client.publisher(CompressedImage, wanted, Qos(depth=5))
        wait_for(camera.get_subscription_count, "the compressed subscription")
        data = array("B", cv2.imencode(".jpg", cv2.cvtColor(picture(), cv2.COLOR_RGB2BGR))[1].tobytes())

        def answered() -> bool:
            camera.publish(CompressedImage(header=header(client.next_stamp()), format="jpeg", data=data))
            time.sleep(0.02)
            return bool(client.results)

        wait_for(answered, "an answer")
        assert live.node.camera.rectified is ("image_rect" in wanted)


def test_simulated_time(tmp_path_factory):
    with rig(tiny(tmp_path_factory.mktemp("bundle")), active=False, use_sim_time=True, max_frame_age_s=0.5) as live:
        client, node = live.client, live.node
        assert client.change(CONFIGURE) and client.change(ACTIVATE)
        clock = client.node.create_publisher(Clock, "/clock", 10)
        wait_for(client.images.get_subscription_count, "the image subscription")
        client.ground()  # no age check, and an answer, before the first /clock
        assert node.now_ns() == 0 and np.isnan(client.results[-1].timing.age_at_start)
        client.say("the red thing")

        def tick(seconds: float) -> None:
            def heard() -> bool:
                clock.publish(Clock(clock=header(int(seconds * NS)).stamp))
                return abs(node.now_ns() - seconds * NS) < 1e6

            wait_for(heard, f"/clock {seconds}")

        tick(500.0)
        wait_for(lambda: client.send(stamp_ns=500 * NS - 1) and client.find(500 * NS - 1), "an answer in time")
        age_ms = client.find(500 * NS - 1)[0].timing.age_at_start
        assert 0 <= age_ms < 500
        jumped: list[int] = []
        inner = node.time_jumped
        node.time_jumped = lambda: (jumped.append(1), inner())
        tick(100.0)
        assert jumped and client.active_id(), "the query survives, what hangs on time does not"
        wait_for(lambda: client.send(stamp_ns=100 * NS) and client.find(100 * NS), "an answer after the jump")
