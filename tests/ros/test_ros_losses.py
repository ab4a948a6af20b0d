# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""What is lost between processes is counted, and the camera's missing Fast DDS profile named."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ris_node.sensing.losses import FrameLoss, Gaps

ALONE, BOTH = frozenset({b"a"}), frozenset({b"a", b"b"})


def numbered(*numbers: int, publishers: frozenset[bytes] = ALONE) -> int:
    gaps = Gaps()
    for number in numbers:
        gaps.take({"publication_sequence_number": number}, publishers)
    return gaps.lost


def test_numbers_that_a_publisher_skips_are_lost():
    assert numbered(9, 10, 14) == 3, "what came before the first is not known"
    assert numbered(9, 10, 1, 2) == 0, "a publisher that starts anew"
    assert numbered(9, 14, publishers=BOTH) == 0, "of two publishers nothing is known"
    gaps = Gaps()
    gaps.take({"publication_sequence_number": 3}, ALONE)
    gaps.take({"publication_sequence_number": 90}, frozenset({b"b"}))
    gaps.take({}, ALONE)  # Humble gives no numbers
    assert gaps.lost == 0 and not gaps.numbered


@pytest.mark.parametrize(
    ("every", "skipped", "complains"),
    [(1, 0, False), (3, 0, False), (3, 2, True), (1000, 0, True)],
    ids=["all", "seldom by intention", "lost", "none"],
)
def test_frames_are_compared_with_camera_info(every: int, skipped: int, complains: bool):
    loss, number = FrameLoss(), 0
    for moment in range(1, 151):
        loss.info()
        if moment % every == 0:
            number += 1 + skipped
            loss.frame({"publication_sequence_number": number})
        if moment % 30 == 0:
            loss.second(ALONE)
    assert bool(loss.complaint("image")) is complains
    loss.second(frozenset())
    assert not loss.complaint("image"), "nobody publishes: that is another complaint"


@pytest.fixture(scope="module")
def bundle(tmp_path_factory) -> Path:
    pytest.importorskip("rclpy")
    from harness import tiny

    return tiny(tmp_path_factory.mktemp("bundle"))


@pytest.mark.ros
def test_commands_that_are_lost_are_counted(bundle: Path, monkeypatch):
    from harness import diagnostics, rig, wait_for
    from std_msgs.msg import String

    with rig(bundle) as live:
        client, commands, taken = live.client, live.node.commands, []
        client.say("the red thing")
        inner = commands.say
        monkeypatch.setattr(commands, "say", lambda query: taken.append(query.text) or inner(query))
        for number in range(200):
            client.commands.publish(String(data=f"the red thing {number}"))
        wait_for(lambda: taken and taken[-1].endswith(" 199"), "the last command, which is never lost")
        assert commands.lost == 200 - len(taken) > 0
        values = {pair.key: pair.value for pair in diagnostics(client).values}
        assert values["commands_lost"] == str(commands.lost)


CAMERA = """
import sys, time
from array import array
import rclpy
from sensor_msgs.msg import CameraInfo, Image
from ris_node.interface import SENSOR
from ris_node.ros.outputs.publishers import qos_profile
rclpy.init()
node = rclpy.create_node("camera", namespace=sys.argv[1])
images = node.create_publisher(Image, "image", qos_profile(SENSOR))
infos = node.create_publisher(CameraInfo, "camera_info", qos_profile(SENSOR))
image = Image(height=1080, width=1920, step=5760, encoding="rgb8", data=array("B", bytes(1080 * 5760)))
info = CameraInfo(height=1080, width=1920, k=[1e3, 0.0, 960.0, 0.0, 1e3, 540.0, 0.0, 0.0, 1.0])
while True:
    image.header.stamp = info.header.stamp = node.get_clock().now().to_msg()
    infos.publish(info)
    images.publish(image)
    time.sleep(1 / 30)
"""


@pytest.mark.ros
def test_a_camera_without_the_profile_is_told_of_it(bundle: Path):
    from harness import diagnostics, rig, wait_for
    from ris_msgs.msg import NodeStatus

    with rig(bundle, own_process=True, active=False, autostart=True) as live:
        client = live.client
        client.wait_state(NodeStatus.STATE_READY)
        client.node.destroy_publisher(client.images)  # of two publishers nothing would be known
        environment = {k: v for k, v in os.environ.items() if not k.endswith("DEFAULT_PROFILES_FILE")}
        camera = subprocess.Popen(
            [sys.executable, "-c", CAMERA, live.namespace],
            env={**environment, "ROS_DOMAIN_ID": str(live.domain)},
        )

        def counted() -> bool:
            values = {pair.key: pair.value for pair in diagnostics(client).values}
            received, infos, lost = (int(values[name]) for name in ("received", "camera_infos", "frames_lost"))
            return infos > received and (lost > 0 or received < 2)  # only gaps between frames are known

        try:
            wait_for(lambda: "launch/fastdds.xml" in client.statuses[-1].message, "the remedy on ~/status")
            assert client.statuses[-1].state == NodeStatus.STATE_DEGRADED
            wait_for(counted, "the count of lost frames")
        finally:
            camera.kill()
            camera.wait()
