# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""The same frames and command through the live node and through replay come to the same messages."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("rclpy")
pytest.importorskip("rosbags")
pytest.importorskip("pyarrow")
pytestmark = pytest.mark.ros

import drives  # noqa: E402
from harness import SMALL_CAR, rig, tiny, wait_for  # noqa: E402
from rclpy.serialization import deserialize_message, serialize_message  # noqa: E402
from ris_msgs.msg import Query  # noqa: E402
from sensor_msgs.msg import CameraInfo, Image  # noqa: E402

from ris_node.bags.reader import open_bag  # noqa: E402
from ris_node.bags.typestore import encoded, typestore  # noqa: E402
from ris_node.config import NodeConfig  # noqa: E402
from ris_node.pipeline.grounder import Grounder  # noqa: E402
from ris_node.replay.options import Commands, ReplayOptions  # noqa: E402
from ris_node.replay.replay import replay  # noqa: E402

FRAMES = 4
TYPES = {"result": "ris_msgs/Grounding", "region": "ris_msgs/RegionTarget"}


def comparable(data: bytes, name: str) -> bytes:
    """The bytes of a message without what differs between two runs of anything: its times and its place in them."""
    message: Any = typestore().deserialize_cdr(data, TYPES[name].replace("/", "/msg/"))
    if name == "result":
        blank = type(message.timing)(**{key: 0.0 for key in vars(message.timing) if not key.startswith("__")})
        message = replace(message, timing=blank, frame_index=0, dropped_since_last=0)
    return encoded(TYPES[name], message)


def recorded(bag: Path, type_name: str) -> list[bytes]:
    with open_bag(bag) as opened:
        names = [topic.name for topic in opened.topics if topic.type.replace("/msg/", "/") == type_name]
        return [bytes(message.data) for message in opened.messages(names)]


@pytest.mark.parametrize("text", ["the red thing", "stop next to the red thing"])
def test_node_and_replay_give_the_same_messages(tmp_path: Path, text: str) -> None:
    bundle = tiny(tmp_path)
    bag = drives.write(tmp_path / "bag", drives.Drive(FRAMES, tf=False))
    config = NodeConfig().with_values(SMALL_CAR)
    options = ReplayOptions(commands=Commands(text), config=config, bag=True, video=False, overlays=False)
    with Grounder.open(bundle, model=config.model, output=config.output, region=config.region) as grounder:
        replay(bag, tmp_path / "out", options, grounder=grounder)
    replayed = {name: recorded(tmp_path / "out" / "results", kind) for name, kind in TYPES.items()}
    query_id = typestore().deserialize_cdr(replayed["result"][0], "ris_msgs/msg/Grounding").query_id
    with rig(bundle) as live:
        client = live.client
        regions: list[Any] = []
        client.listen("~/region", regions)
        client.queries.publish(Query(text=text, id=query_id))
        wait_for(lambda: client.active_id() == query_id, "the query to be in force")
        for info in recorded(bag, "sensor_msgs/CameraInfo")[:1]:
            client.infos.publish(deserialize_message(info, CameraInfo))
        wait_for(lambda: live.node.camera.camera, "camera_info")
        results = []
        for data in recorded(bag, "sensor_msgs/Image"):
            image = deserialize_message(data, Image)
            client.images.publish(image)
            stamp = image.header.stamp
            found = wait_for(lambda at=stamp: [m for m in client.results if m.header.stamp == at], "the result")
            results.append(found[0])
        wait_for(lambda: len(regions) >= len(replayed["region"]), "regions")
    answered = {"result": results, "region": regions}
    for name, messages in answered.items():
        assert [comparable(serialize_message(message), name) for message in messages] == [
            comparable(data, name) for data in replayed[name]
        ]
    assert len(results) == FRAMES and (len(regions) == FRAMES) == text.startswith("stop")
