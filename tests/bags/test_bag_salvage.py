# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Damaged files give all that lies whole in them, before and after the damage, and say what is missing."""

from __future__ import annotations

import random
import struct
from pathlib import Path

import drives
import lz4.frame
import numpy as np
import pytest
from drives import START, STEP

from ris_node.bags.reader import open_bag
from ris_node.bags.typestore import typestore
from ris_node.bags.writer import BagWriter
from ris_node.interface import RELIABLE_10

IMAGE = "/camera/image"
Seen = tuple[list[int], list[str]]


def noise(n: int) -> np.ndarray:
    """A picture that does not compress."""
    return np.random.default_rng(n).integers(0, 255, (60, 80, 3), np.uint8)


def frames(count: int) -> list[drives.Item]:
    return [
        (IMAGE, START + n * STEP, "sensor_msgs/Image", drives.image(noise(n), START + n * STEP)) for n in range(count)
    ]


def numbers(path: Path) -> Seen:
    """Which frames a bag gives, each of them whole, and its problems."""
    found = []
    with open_bag(path) as bag:
        for message in bag.messages([IMAGE]):
            n = (message.log_ns - START) // STEP
            assert np.array_equal(bag.deserialize(message).data, noise(n).ravel())
            found.append(n)
        return found, bag.problems


def mcap(path: Path, count: int, compression: str) -> bytes:
    """An MCAP of chunks of several frames each, as rosbag2 and others write it."""
    from mcap.writer import CompressionType, Writer

    kind = "sensor_msgs/msg/Image"
    with path.open("wb") as file:
        writer = Writer(file, compression=CompressionType[compression], chunk_size=100_000)
        writer.start("ros2", "test")
        definition = typestore().generate_msgdef(kind, ros_version=2)[0]
        schema = writer.register_schema(kind, "ros2msg", definition.encode())
        channel = writer.register_channel(IMAGE, "cdr", schema)
        for _, at, _, message in frames(count):
            writer.add_message(channel, at, bytes(typestore().serialize_cdr(message, kind)), at)
        writer.finish()
    return path.read_bytes()


def test_a_single_chunk_that_is_cut_off_gives_its_whole_messages(tmp_path: Path) -> None:
    """What `ris record` and `ros2 bag record` leave of a short drive when the power goes."""
    whole = (drives.write_items(tmp_path / "bag", frames(12)) / "bag.mcap").read_bytes()
    size = len(frames(1)[0][3].data)
    path = tmp_path / "cut.mcap"
    for wanted in (1, 8, 11):
        begin = whole.index(noise(wanted).tobytes())
        path.write_bytes(whole[: begin + size - 1])
        found, (problem,) = numbers(path)
        assert found == list(range(wanted))
        assert "then it breaks off" in problem
        good = int(problem.split("good up to byte ")[1].split()[0])
        assert begin - 200 < good < begin, "the place after the last whole message"


@pytest.mark.parametrize("compression", ["ZSTD", "LZ4"])
def test_a_compressed_chunk_gives_what_can_be_decompressed(tmp_path: Path, compression: str) -> None:
    whole = mcap(tmp_path / "whole.mcap", 40, compression)
    path = tmp_path / "cut.mcap"
    most = 0
    for end in range(len(whole) // 4, len(whole) // 2, 9973):
        path.write_bytes(whole[:end])
        found, (problem,) = numbers(path)
        assert found == list(range(len(found)))
        assert str(path) in problem
        most = max(most, len(found) % 7)  # seven frames in a chunk
    assert most > 0, "some of a chunk that is not whole"


@pytest.mark.parametrize("compression", ["NONE", "ZSTD", "LZ4"])
def test_damage_in_the_middle_costs_only_its_surroundings(tmp_path: Path, compression: str) -> None:
    whole = mcap(tmp_path / "whole.mcap", 40, compression)
    path = tmp_path / "damaged.mcap"
    rng = random.Random(5)
    for share in (0.1, 0.3, 0.5, 0.8):
        data = bytearray(whole)
        at = int(len(data) * share)
        data[at : at + 64] = rng.randbytes(64)
        path.write_bytes(data)
        with open_bag(path) as bag:
            times = [(m.log_ns - START) // STEP for m in bag.messages()]
            assert len(times) >= 32
            assert times == sorted(set(times))
            assert {0, 39} <= set(times) or compression != "NONE"
            assert "good up to byte" in bag.problems[0]


@pytest.mark.parametrize("where", ["length", "opcode", "channel"])
@pytest.mark.parametrize("indexed", [True, False])
def test_a_damaged_record_is_stepped_over(tmp_path: Path, where: str, indexed: bool) -> None:
    whole = (drives.write_items(tmp_path / "bag", frames(12)) / "bag.mcap").read_bytes()
    head = struct.pack("<QQ", START + 5 * STEP, START + 5 * STEP)
    at = whole.index(head, whole.index(noise(4).tobytes())) - 15  # where the record begins
    data = bytearray(whole if indexed else whole[: whole.index(noise(11).tobytes()) + noise(11).size])
    data[{"length": at + 4, "opcode": at, "channel": at + 10}[where]] ^= 0x40
    path = tmp_path / "damaged.mcap"
    path.write_bytes(data)
    found, problems = numbers(path)
    assert found == [0, 1, 2, 3, 4, 6, 7, 8, 9, 10, 11]
    assert problems


def test_a_message_that_does_not_decompress_costs_itself(tmp_path: Path) -> None:
    path = drives.write_items(tmp_path / "bag", frames(6), "mcap", "message")
    file = path / "bag.mcap"
    data = file.read_bytes()
    third = [at for at in range(len(data)) if data.startswith(b"\x28\xb5\x2f\xfd", at)][2]
    damaged = bytearray(data)
    damaged[third + 4 : third + 12] = b"\xff" * 8
    file.write_bytes(damaged)
    found, (problem,) = numbers(path)
    assert found == [0, 1, 3, 4, 5]
    assert problem.startswith(f"{IMAGE}: 1 damaged, left out; the first: ")


@pytest.mark.parametrize("cut", [False, True])
def test_damaged_pages_of_a_sqlite_file_cost_their_messages(tmp_path: Path, cut: bool) -> None:
    path = drives.write_items(tmp_path / "bag", frames(30), "sqlite3")
    file = path / "bag.db3"
    data = bytearray(file.read_bytes())
    for n in (7, 19):
        inside = (data.index(noise(n).tobytes()[9000:9100]) // 4096) * 4096  # one of its pages: begins with the next's
        data[inside : inside + 4] = b"\x7f\xff\xff\xff"
    file.write_bytes(data[: data.index(noise(28).tobytes()[9000:9100])] if cut else data)
    found, problems = numbers(path)
    assert found == [n for n in range(28 if cut else 30) if n not in (7, 19)]
    assert "damaged messages are left out, the first after message 7" in problems[-1]


@pytest.mark.parametrize("compression", ["", "LZ4", "BZ2"])
def test_a_damaged_chunk_of_a_ros1_bag_costs_only_itself(tmp_path: Path, compression: str) -> None:
    path = drives.write_ros1(tmp_path / "drive.bag", frames(200), compression)  # 1 MB a chunk
    data = path.read_bytes()
    for share in (0.4, 0.55):
        damaged = bytearray(data)
        at = int(len(data) * share)
        damaged[at : at + 300] = random.Random(1).randbytes(300)
        path.write_bytes(damaged)
        with open_bag(path) as bag:
            times = [(m.log_ns - START) // STEP for m in bag.messages([IMAGE])]
            assert {0, 199} & set(times)  # bz2 goes by blocks of 900 kB
            assert len(times) > 120
            assert bag.problems or compression != "BZ2"  # the others have no checksum
        cut = tmp_path / "cut.bag"
        cut.write_bytes(data[:at])
        with open_bag(cut) as bag:
            times = [(m.log_ns - START) // STEP for m in bag.messages([IMAGE])]
            assert times == list(range(len(times)))
            assert len(times) > 200 * share - 75
            assert "breaks off" in bag.problems[0]


def test_a_file_in_lz4_that_is_cut_off_gives_its_messages(tmp_path: Path) -> None:
    whole = (drives.write_items(tmp_path / "bag", frames(20)) / "bag.mcap").read_bytes()
    packed = lz4.frame.compress(whole)
    path = tmp_path / "bag.mcap.lz4"
    path.write_bytes(packed[: len(packed) * 3 // 4])
    found, problems = numbers(path)
    assert found == list(range(len(found)))
    assert 8 < len(found) < 20
    assert problems


def test_topics_that_begin_later_are_known_to_a_bag_that_is_being_written(tmp_path: Path) -> None:
    bag = BagWriter(tmp_path / "bag")
    for number in range(3):
        bag.add_topic(f"/camera{number}", "sensor_msgs/Image", RELIABLE_10)
        bag.write(f"/camera{number}", START + number, drives.image(noise(number), START))
        bag.sync()
        with open_bag(tmp_path / "bag") as opened:
            assert [topic.name for topic in opened.topics] == [f"/camera{n}" for n in range(number + 1)]
            assert "is it still being written?" in opened.problems[0]
    bag.close()
