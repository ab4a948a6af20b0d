# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import drives
import numpy as np
import pytest
from drives import START, Drive

from ris_node.bags.reader import open_bag
from ris_node.bags.topics import Chosen, Topics, choose
from ris_node.errors import BagError, ConfigError


def chosen(path: Path, commands: bool = False, **names: str) -> Chosen:
    with open_bag(path) as bag:
        return choose(bag, Topics(**names), commands=commands)


def extra(topic: str, encoding: str = "rgb8") -> drives.Item:
    pixels = np.zeros((drives.HEIGHT, drives.WIDTH, 3 if encoding == "rgb8" else 1), np.uint8)
    if encoding == "32FC1":
        pixels = np.zeros((drives.HEIGHT, drives.WIDTH, 4), np.uint8)
    return (topic, START, "sensor_msgs/Image", drives.image(pixels, START, encoding))


def test_topics_are_found_by_type_among_depth_masks_and_a_nodes_own(tmp_path: Path) -> None:
    from ris_node.bags.typestore import make
    from ris_node.messages.target import target_to_msg
    from ris_node.types import RegionTarget, TargetStatus

    target = target_to_msg(make, RegionTarget(status=TargetStatus.OK), "q", START)
    more = [
        extra("/depth", "32FC1"),
        extra("/truth/mask", "mono8"),
        ("/node/region", START, "ris_msgs/RegionTarget", target),
    ]
    path = drives.write(tmp_path / "bag", Drive(more=more))
    found = chosen(path, commands=True)
    assert found.image.name == "/camera/image"
    assert (found.camera_info, found.depth, found.command) == ("/camera/camera_info", "/depth", "/command")
    assert found.tf_static == ("/tf_static",)
    assert chosen(path, depth="none").depth == ""
    assert chosen(path, image="/truth/mask").image.name == "/truth/mask"


def test_a_raw_image_is_taken_before_its_compressed_form(tmp_path: Path) -> None:
    packed = ("/camera/image/compressed", START, "sensor_msgs/CompressedImage", drives.jpeg(drives.picture(0), START))
    assert chosen(drives.write(tmp_path / "bag", Drive(more=[packed]))).image.name == "/camera/image"
    assert chosen(drives.write(tmp_path / "two", Drive(compressed=True))).image.name == "/camera/image/compressed"


def test_several_cameras_are_listed_and_one_has_to_be_named(tmp_path: Path) -> None:
    path = drives.write(tmp_path / "bag", Drive(more=[extra("/rear/image")]))
    with pytest.raises(ConfigError, match="several cameras: name one with --image") as caught:
        chosen(path)
    assert "/camera/image (sensor_msgs/msg/Image, 12, rgb8)" in str(caught.value)
    assert "/rear/image" in str(caught.value)
    assert chosen(path, image="/rear/image").image.name == "/rear/image"
    with pytest.raises(BagError, match="there is no topic /front"):
        chosen(path, image="/front")
    with pytest.raises(BagError, match="is of type std_msgs"):
        chosen(path, image="/command")


def test_the_calibration_beside_the_image_is_taken(tmp_path: Path) -> None:
    more = [(f"/{name}/camera_info", START, "sensor_msgs/CameraInfo", drives.camera_info(START)) for name in ("a", "b")]
    assert chosen(drives.write(tmp_path / "bag", Drive(more=more))).camera_info == "/camera/camera_info"
    path = drives.write(tmp_path / "two", Drive(more=more, info=False))
    with pytest.raises(ConfigError, match=r"several topics for camera_info: /a/camera_info, /b/camera_info"):
        chosen(path)
    assert chosen(path, camera_info="/b/camera_info").camera_info == "/b/camera_info"
    assert chosen(path, camera_info="none").camera_info == ""


def test_a_bag_without_a_camera_says_what_it_has(tmp_path: Path) -> None:
    items = [item for item in Drive().items() if "image" not in item[0]]
    with pytest.raises(BagError, match="no camera topic") as caught:
        chosen(drives.write_items(tmp_path / "bag", items))
    assert "/camera/camera_info (sensor_msgs/msg/CameraInfo, 12)" in str(caught.value)


def test_an_unknown_encoding_is_refused_with_those_that_are_read(tmp_path: Path) -> None:
    drive = Drive(encoding="16SC3")
    with pytest.raises(BagError, match="encoding '16SC3', which is not read; known are rgb8"):
        chosen(drives.write(tmp_path / "bag", drive))


@pytest.mark.parametrize("mask", ["mono8", "8UC1", "mono16"])
def test_16_bits_and_opencvs_names_are_a_camera(tmp_path: Path, mask: str) -> None:
    path = drives.write(tmp_path / "bag", Drive(encoding="8UC3", more=[extra("/mask", mask), extra("/d", "16UC1")]))
    with open_bag(path) as bag:
        found = choose(bag, Topics(), commands=False)
        assert bag.notes == ["/camera/image: images of encoding 8UC3 are taken as bgr8"]
    assert (found.image.name, found.depth) == ("/camera/image", "/d")
    thermal = chosen(path, image="/d")
    assert (thermal.image.name, thermal.depth) == ("/d", "")


def test_recorded_commands_need_a_topic(tmp_path: Path) -> None:
    path = drives.write(tmp_path / "bag", Drive(command=""))
    with pytest.raises(BagError, match="no command topic"):
        chosen(path, commands=True)
    words = [
        (name, START, "std_msgs/String", drives.msg("std_msgs/String", data="x")) for name in ("/speech", "/chatter")
    ]
    with pytest.raises(ConfigError, match="several topics for command: /speech, /chatter"):
        chosen(drives.write(tmp_path / "two", Drive(command="", more=words)), commands=True)


@pytest.mark.parametrize("codec", ["png", "rvl"])
def test_compressed_depth_is_found_or_left_out_with_a_word(tmp_path: Path, codec: str) -> None:
    packed = drives.compressed_depth(np.zeros((drives.HEIGHT, drives.WIDTH)), START, codec)
    item = ("/depth/compressedDepth", START, "sensor_msgs/CompressedImage", packed)
    with open_bag(drives.write(tmp_path / "bag", Drive(more=[item]))) as bag:
        found = choose(bag, Topics(), commands=False)
        assert found.image.name == "/camera/image"
        if codec == "png":
            assert found.depth == "/depth/compressedDepth" and not bag.notes
        else:
            assert not found.depth and "compressedDepth.format to png" in bag.notes[0]
    both = drives.write(tmp_path / "both", Drive(more=[item, extra("/depth", "16UC1")]))
    assert chosen(both).depth == "/depth"
    assert chosen(both, depth="/depth/compressedDepth").depth == "/depth/compressedDepth"
