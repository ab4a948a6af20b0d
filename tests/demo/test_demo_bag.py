# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""A bag as the demo's source: frames at their times, the camera as shrunk, its place, and the recorded commands."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("rosbags")

from ris_node.bags.files import is_bag
from ris_node.bags.reader import open_bag
from ris_node.demo import drive_bag
from ris_node.demo.judge import FrameTruth
from ris_node.demo.recorded import mount_parameters, recorded_mount, recorded_script, script_of
from ris_node.demo.sources import BagSource, open_source
from ris_node.errors import DemoError
from ris_node.geometry.transform import camera_mount
from ris_node.outputs import claim, sign
from ris_scene import render_scene
from ris_scene.bag import SAID, START_NS, Drive, write_scene_bag
from ris_scene.spec import demo_spec


@pytest.fixture(scope="module")
def bag(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_scene_bag(tmp_path_factory.mktemp("demo_bag") / "drive", 8, width=320, height=240)


def test_frames_come_at_their_times_and_again_where_the_demo_is_faster(bag: Path) -> None:
    source = open_source(str(bag), demo_spec(640, 480), 10.0)
    assert isinstance(source, BagSource)
    times = []
    for t in (0.0, 0.05, 0.1, 0.35, 0.69, 0.7):
        frame = source.frame(t)
        assert frame is not None
        times.append(frame.time_s)
        scene = render_scene(Drive(width=320, height=240).scene, frame.time_s)
        assert np.array_equal(frame.image, scene.image)
    assert times == pytest.approx([0.0, 0.0, 0.1, 0.3, 0.6, 0.7])
    assert source.frame(0.9) is None


def test_the_camera_shrinks_with_the_picture(bag: Path) -> None:
    frame = BagSource(bag, 160, 160).frame(0.0)
    assert frame is not None
    assert frame.image.shape == (120, 160, 3)
    assert frame.camera is not None
    full = Drive(width=320, height=240).scene.camera.camera()
    rays = full.rays(np.array([[0.5, 0.5], [200.5, 100.5]]))
    assert np.allclose(frame.camera.rays(np.array([[0.0, 0.0], [100.0, 50.0]])), rays)


def test_the_mount_comes_from_tf(bag: Path) -> None:
    mount = Drive().scene.camera
    found = recorded_mount(bag)
    assert found["camera_z_m"] == pytest.approx(mount.z_m, abs=1e-5)
    assert found["camera_pitch_deg"] == pytest.approx(mount.pitch_deg, abs=1e-3)
    there = mount_parameters(camera_mount(1.0, -0.2, 1.6, 3.0, 12.0, -30.0))
    assert list(there.values()) == pytest.approx([1.0, -0.2, 1.6, 3.0, 12.0, -30.0])


def test_commands_are_the_recorded_ones_unless_some_are_given(bag: Path, tmp_path: Path) -> None:
    script = recorded_script(bag, 20.0)
    assert script is not None
    assert [step.text for step in script.steps] == [said.text for said in SAID]
    assert [step.seconds for step in script.steps] == pytest.approx([0.6, 19.4])
    assert [step.text for step in script_of(str(bag), ["the van"], 0.0)[0].steps] == ["the van"]
    silent = write_scene_bag(tmp_path / "silent", 2, width=64, height=48, said=())
    assert recorded_script(silent, 20.0) is None
    assert len(script_of(str(silent), [], 0.0)[0].steps) == 4


def test_what_is_a_bag_and_what_is_not(bag: Path, tmp_path: Path) -> None:
    assert is_bag(bag)
    assert is_bag(bag / "drive.mcap")
    assert not is_bag(tmp_path)
    broken = tmp_path / "broken.mcap"
    broken.write_bytes(b"no bag")
    with pytest.raises(DemoError, match="broken"):
        open_source(str(broken), demo_spec(640, 480), 10.0)


def test_the_drive_is_joined_in_the_order_of_time_with_truth_and_tf(tmp_path: Path) -> None:
    mask = np.zeros((240, 320), np.bool_)
    mask[10:20, 30:40] = True
    target = drive_bag.record_path("", tmp_path)
    assert target == tmp_path / "drive"
    live = write_scene_bag(tmp_path / "quiet", 8, width=320, height=240, tf=False, truth=False)
    claim(tmp_path, drive_bag.MADE, by="ris demo")
    sign(tmp_path / drive_bag.HALVES, by="ris demo")
    live.rename(tmp_path / drive_bag.LIVE)
    with drive_bag.truths(tmp_path, target) as truths:
        truths.add(START_NS + 300_000_000, FrameTruth(("PRESENT",), mask, None), mask.shape)
    count = drive_bag.write_drive(tmp_path, target, Drive().scene.camera.mount())
    with open_bag(target) as joined:
        messages = list(joined.messages())
        found = [joined.deserialize(message) for message in messages if message.topic == "/truth/mask"]
    assert count == len(messages) == 8 + 8 + 2 + 2 + 1
    assert [message.log_ns for message in messages] == sorted(message.log_ns for message in messages)
    assert np.array_equal(found[0].data.reshape(240, 320) > 0, mask)
    assert recorded_mount(target)["camera_z_m"] == pytest.approx(1.55, abs=1e-5)
    assert not (tmp_path / drive_bag.TRUTH).exists()
    with pytest.raises(DemoError, match="exists already"):
        drive_bag.record_path(str(target), tmp_path)
