# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""The rendered drive as a bag: read back with `rosbags`, its truth held against the renderer's, both storages."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ris_node.bags.typestore import typestore
from ris_node.bags.writer import BagWriter
from ris_node.errors import ConfigError
from ris_node.geometry.transform import Transform
from ris_node.interface import RELIABLE_10
from ris_scene import render_scene
from ris_scene.bag import SAID, START_NS, Drive, write_scene_bag
from ris_scene.truth import truth_mask

ROOT = Path(__file__).resolve().parents[2]
SMALL: dict[str, Any] = {"width": 160, "height": 120}


def read(path: Path) -> list[tuple[str, int, Any]]:
    """Return (topic, time, message) of a bag, in order."""
    from rosbags.rosbag2 import Reader

    with Reader(path) as reader:
        return [
            (link.topic, time_ns, typestore().deserialize_cdr(data, link.msgtype))
            for link, time_ns, data in reader.messages()
        ]


@pytest.fixture(scope="module")
def bag(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_scene_bag(tmp_path_factory.mktemp("bag") / "drive", frames=8, depth=True, **SMALL)


def test_frames_are_the_renderers_and_the_truth_is_exact(bag: Path) -> None:
    found = read(bag)
    drive = Drive(**SMALL)
    images = [message for topic, _, message in found if topic == "/image"]
    masks = [message for topic, _, message in found if topic == "/truth/mask"]
    regions = [message for topic, _, message in found if topic == "/truth/region_mask"]
    assert len(images) == len(masks) == len(regions) == 8
    for number in (0, 7):
        scene = render_scene(drive.scene, number / drive.rate)
        stamp = images[number].header.stamp
        assert stamp.sec * 10**9 + stamp.nanosec == START_NS + number * 10**8
        assert np.array_equal(images[number].data.reshape(120, 160, 3), scene.image)
        wanted = SAID[0].wanted
        assert wanted is not None
        truth = truth_mask(scene, wanted)
        assert truth.any()
        assert np.array_equal(masks[number].data.reshape(120, 160) > 0, truth)
    assert not regions[0].data.any()
    assert regions[7].data.any(), "the second command asks to stop somewhere"


def test_commands_come_at_their_times_and_depth_and_tf_are_true(bag: Path) -> None:
    found = read(bag)
    said = [(time_ns - START_NS, message.data) for topic, time_ns, message in found if topic == "/command"]
    assert said == [(0, SAID[0].text), (6 * 10**8, SAID[1].text)]
    depth = next(message for topic, _, message in found if topic == "/depth/image")
    scene = render_scene(Drive(**SMALL).scene, 0.0)
    metres = depth.data.view(np.float32).reshape(120, 160)
    assert depth.step == 160 * 4
    assert np.allclose(metres, np.where(np.isfinite(scene.depth), scene.depth, 0))
    static = next(message for topic, _, message in found if topic == "/tf_static").transforms[0]
    turn, shift = static.transform.rotation, static.transform.translation
    pose = Transform.from_quaternion(turn.x, turn.y, turn.z, turn.w, np.array([shift.x, shift.y, shift.z]))
    mount = Drive(**SMALL).scene.camera.mount()
    assert np.allclose(pose.rotation, mount.rotation)
    assert np.allclose(pose.translation, mount.translation)


@pytest.mark.parametrize(
    ("storage", "compression", "encoding"),
    [
        ("sqlite3", "none", "bgr8"),
        ("sqlite3", "message", "jpeg"),
        ("mcap", "storage", "mono8"),
        ("mcap", "file", "png"),
    ],
)
def test_every_storage_and_encoding_reads_back(storage: str, compression: str, encoding: str, tmp_path: Path) -> None:
    path = write_scene_bag(
        tmp_path / "bag", 3, storage, compression, encoding=encoding, distinct=1, truth=False, **SMALL
    )
    topic = "/image/compressed" if encoding in ("jpeg", "png") else "/image"
    assert len([entry for entry in read(path) if entry[0] == topic]) == 3


def test_the_same_arguments_give_the_same_messages(tmp_path: Path) -> None:
    a, b = (write_scene_bag(tmp_path / name, 2, **SMALL) for name in "ab")
    assert (a / "a.mcap").stat().st_size == (b / "b.mcap").stat().st_size
    assert repr(read(a)) == repr(read(b))


def test_what_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="exists already"):
        write_scene_bag(tmp_path)
    with pytest.raises(ConfigError, match="'yuv'"):
        write_scene_bag(tmp_path / "bag", encoding="yuv")
    with pytest.raises(ConfigError, match="'storage' is for mcap"):
        BagWriter(tmp_path / "bag", storage="sqlite3", compression="storage")
    with BagWriter(tmp_path / "bag") as bag, pytest.raises(ConfigError, match="no definition of 'my_msgs/msg/Thing'"):
        bag.add_topic("/thing", "my_msgs/Thing", RELIABLE_10)


@pytest.mark.parametrize("storage", ["mcap", "sqlite3"])
def test_the_qos_of_latched_topics_is_kept(storage: str, tmp_path: Path) -> None:
    from rosbags.interfaces import QosDurability, QosReliability
    from rosbags.rosbag2 import Reader

    path = write_scene_bag(tmp_path / "bag", 1, storage, **SMALL)
    with Reader(path) as reader:
        offered: dict[str, Any] = {link.topic: link.ext for link in reader.connections}
    qos = {topic: ext.offered_qos_profiles[0] for topic, ext in offered.items()}
    assert qos["/tf_static"].durability == QosDurability.TRANSIENT_LOCAL
    assert qos["/tf"].durability == QosDurability.VOLATILE
    assert qos["/image"].reliability == QosReliability.BEST_EFFORT


KILLED = """
import sys, time
from ris_node.bags.writer import BagWriter
from ris_node.interface import RELIABLE_10
from ris_node.bags.typestore import typestore
bag = BagWriter(sys.argv[1], storage=sys.argv[2])
bag.add_topic("/command", "std_msgs/String", RELIABLE_10)
text = typestore().types["std_msgs/msg/String"]
for number in range(20):
    bag.write("/command", number, text(data=f"command {number}"))
bag.sync()
bag.write("/command", 20, text(data="lost"))
print("ready", flush=True)
time.sleep(60)
"""


@pytest.mark.parametrize("storage", ["mcap", "sqlite3"])
def test_a_killed_writer_leaves_all_up_to_its_last_sync(storage: str, tmp_path: Path) -> None:
    path = tmp_path / "bag"
    child = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(path), storage], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "ready\n"
    child.send_signal(signal.SIGKILL)
    child.wait()
    if storage == "mcap":
        from mcap.reader import NonSeekingReader

        with (path / "bag.mcap").open("rb") as file:
            times = []
            with pytest.raises(Exception, match=r".*"):  # the end is missing
                for _, _, message in NonSeekingReader(file).iter_messages(log_time_order=False):
                    times.append(message.log_time)
    else:
        import sqlite3

        times = [row[0] for row in sqlite3.connect(path / "bag.db3").execute("SELECT timestamp FROM messages")]
    assert times == list(range(20))
