# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Damaged and impossible messages of every subscribed type: the node lives, says each kind once, and loses nothing."""

from __future__ import annotations

import re
import time
from array import array
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

pytest.importorskip("rclpy")
pytest.importorskip("ris_msgs")
pytestmark = pytest.mark.ros

from builtin_interfaces.msg import Duration, Time  # noqa: E402
from harness import camera_info, diagnostics, header, image_msg, picture, rig, tiny, wait_for  # noqa: E402
from rclpy.serialization import serialize_message  # noqa: E402
from ris_msgs.msg import Grounding, NodeStatus, Query  # noqa: E402
from sensor_msgs.msg import CameraInfo, CompressedImage, Image, RegionOfInterest  # noqa: E402
from std_msgs.msg import Header, String  # noqa: E402

from ris_node.interface import Qos  # noqa: E402
from ris_node.messages.common import image_to_msg  # noqa: E402
from ris_node.ros.convert.make import make  # noqa: E402

ROUNDS = 20
MOST, LEAST = 2**32 - 1, -(2**31)
REGION = "stop next to the red thing"


@pytest.fixture(scope="module")
def bundle(tmp_path_factory) -> Path:
    return tiny(tmp_path_factory.mktemp("bundle"))


def packed(extension: str, pixels: np.ndarray) -> array:
    return array("B", cv2.imencode(extension, pixels)[1].tobytes())


def specimens(compressed: bool) -> dict[str, Any]:
    """A whole message for each topic that is subscribed to."""
    stamp, small = header(5 * 10**9), picture(64, 48)
    found: dict[str, Any] = {
        "camera_info": camera_info(),
        "command": String(data="the red thing"),
        "query": Query(text=REGION, id="q"),
    }
    if compressed:
        png = array("B", bytes(12)) + packed(".png", np.ones((48, 64), np.uint16))
        return found | {
            "image/compressed": CompressedImage(header=stamp, format="jpeg", data=packed(".jpg", small)),
            "depth/image/compressedDepth": CompressedImage(header=stamp, format="16UC1; compressedDepth png", data=png),
        }
    depth = image_to_msg(make, np.ones((48, 64), np.float32), "32FC1", stamp)
    return found | {"image": image_msg(5 * 10**9, small), "depth/image": depth}


def impossible(whole: Any) -> Iterator[Any]:
    """Messages of the type that can be read and cannot be right."""
    odd = (Header(stamp=Time(sec=LEAST, nanosec=MOST), frame_id="/" * 300), Header(stamp=Time(sec=2**31 - 1)))
    kind = type(whole)
    if kind is Image:
        for head in odd:
            yield Image(header=head, height=48, width=64, step=192, encoding=whole.encoding, data=whole.data)
        yield Image(height=MOST, width=MOST, step=MOST, encoding="rgb8")
        yield Image(height=1, width=1, step=1, encoding="32FC1", data=array("B", b"\0"))
        yield Image(height=2, width=2, step=MOST, encoding="bayer_rggb16", data=array("B", bytes(16)))
    elif kind is CompressedImage:
        for head in odd:
            yield CompressedImage(header=head, format=whole.format, data=whole.data)
        yield CompressedImage(format=";" * 99, data=array("B", b"\x89PNG\r\n\x1a\n" * 9))
    elif kind is CameraInfo:
        region = RegionOfInterest(width=MOST, height=1, x_offset=MOST)
        for values in (
            {"k": [float("nan")] * 9},
            {"k": [0.0] * 9, "d": [float("inf")] * 200},
            {"k": [1e308] * 9, "binning_x": MOST, "distortion_model": "unheard of"},
            {"k": [1.0] * 9, "d": [1.0], "roi": region},
        ):
            yield CameraInfo(header=odd[0], height=480, width=640, **values)
    elif kind is String:
        yield from (String(data=text) for text in ("", "\0", "\ufffd" * 600, "stop next to " * 30, "\u202e" + "a" * 99))
    else:
        yield Query(text=REGION, kind=255)
        yield Query(text=REGION, manoeuvre=255, confidence=float("nan"))
        yield Query(text=REGION, confidence=float("-inf"), ttl=Duration(sec=LEAST, nanosec=MOST))
        yield Query(text=REGION, id="i" * 9000, ttl=Duration(sec=2**31 - 1, nanosec=MOST))


def damaged(data: bytes, rng: np.random.Generator) -> bytes:
    """Cut off, some bits turned, a length that is too large, or noise; mostly near the front, where the fields are."""
    near = min(len(data), 150)
    kind = rng.integers(4)
    if kind == 0:
        return data[: rng.integers(near)]
    changed = bytearray(data)
    if kind == 1:
        for at in rng.integers(near, size=3):
            changed[at] ^= 1 << rng.integers(8)
    elif kind == 2:
        at = 4 * int(rng.integers(1, near // 4))
        changed[at : at + 4] = b"\xff\xff\xff\xff"
    else:
        changed[4:] = rng.bytes(int(rng.integers(300)))
    return bytes(changed)


@pytest.mark.parametrize("compressed", [False, True], ids=["raw", "compressed"])
def test_no_message_ends_the_node_or_floods_its_log(bundle: Path, compressed: bool):
    rng, wholes = np.random.default_rng(7), specimens(compressed)
    transports = {"image_transport": "compressed", "depth_transport": "compressedDepth"} if compressed else {}
    with rig(bundle, own_process=True, active=False, autostart=True, **transports) as live:
        client, begin = live.client, time.monotonic()
        client.wait_state(NodeStatus.STATE_READY)
        publishers = {n: client.publisher(type(whole), n, Qos(depth=50)) for n, whole in wholes.items()}
        for name, publisher in publishers.items():
            wait_for(publisher.get_subscription_count, f"the subscription to {name}")

        def spoil() -> None:
            for name, whole in wholes.items():
                for message in impossible(whole):
                    publishers[name].publish(message)
                for _ in range(3):
                    publishers[name].publish(damaged(serialize_message(whole), rng))
                    time.sleep(0.002)  # image topics keep one

        for _ in range(ROUNDS):
            spoil()
        unread = [f"a message on '{name}' is no {type(whole).__name__}," for name, whole in wholes.items()]
        wait_for(lambda: spoil() or all(words in plain(live.server.output) for words in unread), "a word on each topic")

        camera = publishers["image/compressed" if compressed else "image"]
        query_id = client.say("the green thing")
        good = CompressedImage(format="png", data=packed(".png", picture()[..., ::-1])) if compressed else image_msg(0)

        def answered() -> Any:
            good.header.stamp = header(client.next_stamp()).stamp
            camera.publish(good)
            time.sleep(0.02)
            return next((r for r in client.results if r.query_id == query_id and r.status != 5), None)

        assert wait_for(answered, "the answer to a good frame").status == Grounding.STATUS_PRESENT
        output, seconds = live.server.output, time.monotonic() - begin
        assert live.server.process.poll() is None
        for words in ("Traceback", "callback failed", "rcutils", "internal error"):
            assert words not in output, output[-3000:]
        lines = [line.partition("grounding_node]: ")[2] for line in output.splitlines() if line.startswith("[WARN]")]
        kinds = Counter(re.sub(r"\d+|'[^']*'", "#", line) for line in lines)
        assert all(count <= 2 + seconds for count in kinds.values()), kinds.most_common(3)
        told = {pair.key: pair.value for pair in diagnostics(client).values}
        assert int(told["received"]) == sum(int(told[name]) for name in ("processed", "dropped", "waiting"))
        assert int(told["bad_frames"]) > 0


def plain(output: str) -> str:
    """The log with resolved topics as they are called here."""
    return re.sub(r"(?<=on ')/t[0-9_]+/", "", output)
