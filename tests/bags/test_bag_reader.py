# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
import shutil
import sqlite3
import time
from pathlib import Path

import drives
import lz4.frame
import pytest
import yaml
import zstandard
from replay_fixtures import drive  # noqa: F401

from ris_node.bags.reader import open_bag
from ris_node.errors import BagError

KINDS = [
    ("mcap", "none"), ("mcap", "storage"), ("mcap", "message"), ("mcap", "file"),
    ("sqlite3", "none"), ("sqlite3", "message"), ("sqlite3", "file"),
]  # fmt: skip


def contents(path: Path, topics: tuple[str, ...] = ()) -> list[tuple[str, int, bytes]]:
    """What a bag gives; it must be whole."""
    with open_bag(path) as bag:
        found = [(m.topic, m.log_ns, bytes(m.data)) for m in bag.messages(topics)]
        assert bag.problems == []
    return sorted(found)


@pytest.fixture(scope="module")
def expected(drive: Path) -> list[tuple[str, int, bytes]]:
    from ris_node.bags.typestore import typestore

    return sorted(
        (topic, at, bytes(typestore().serialize_cdr(message, kind.replace("/", "/msg/"))))
        for topic, at, kind, message in drives.Drive().items()
    )


@pytest.mark.parametrize(("storage", "compression"), KINDS)
def test_every_kind_of_ros2_bag_gives_the_same_messages(
    tmp_path: Path, expected: list[tuple[str, int, bytes]], storage: str, compression: str
) -> None:
    path = drives.write(tmp_path / "bag", None, storage, compression)
    assert contents(path) == expected
    about = yaml.safe_load((path / "metadata.yaml").read_text())["rosbag2_bagfile_information"]
    assert about["version"] == 8  # what Jazzy's rosbag2 writes and Humble's reads
    assert about["message_count"] == len(expected)
    assert about["relative_file_paths"] == [entry["path"] for entry in about["files"]]


@pytest.mark.parametrize("storage", ["mcap", "sqlite3"])
def test_a_bag_without_metadata_and_a_single_file_are_read_too(
    tmp_path: Path, expected: list[tuple[str, int, bytes]], storage: str
) -> None:
    path = drives.write(tmp_path / "bag", None, storage)
    (path / "metadata.yaml").unlink()
    assert contents(path) == expected
    with open_bag(path) as bag:
        assert "metadata.yaml is missing" in bag.notes[0]
    assert contents(next(path.iterdir())) == expected


def test_damaged_metadata_does_not_hide_the_messages(tmp_path: Path, expected: list[tuple[str, int, bytes]]) -> None:
    path = drives.write(tmp_path / "bag")
    (path / "metadata.yaml").write_text("rosbag2_bagfile_information: [1, 2")
    assert contents(path) == expected


@pytest.mark.parametrize("compression", ["", "LZ4", "BZ2"])
def test_ros1_bags_come_out_as_ros2_messages(
    tmp_path: Path, expected: list[tuple[str, int, bytes]], compression: str
) -> None:
    path = drives.write_ros1(tmp_path / "drive.bag", drives.Drive(), compression)
    assert contents(path) == expected


def test_lz4_chunks_and_lz4_files(tmp_path: Path, drive: Path, expected: list[tuple[str, int, bytes]]) -> None:
    from mcap.writer import CompressionType, Writer

    path = tmp_path / "chunks.mcap"
    with path.open("wb") as file, open_bag(drive) as bag:
        writer = Writer(file, compression=CompressionType.LZ4)
        writer.start("ros2", "test")
        channels = {}
        for topic in bag.topics:
            schema = writer.register_schema(topic.type, "ros2msg", topic.definition.encode())
            channels[topic.name] = writer.register_channel(topic.name, "cdr", schema)
        for m in bag.messages():
            writer.add_message(channels[m.topic], m.log_ns, m.data, m.log_ns)
        writer.finish()
    assert contents(path) == expected
    packed = tmp_path / "whole.mcap.lz4"
    packed.write_bytes(lz4.frame.compress(path.read_bytes()))
    assert contents(packed) == expected


def split(tmp_path: Path) -> Path:
    """A bag in three files, of which the names sort otherwise than the numbers."""
    whole = drives.Drive(frames=30).items()
    folder = tmp_path / "split"
    folder.mkdir()
    names, about = [], None
    for n, items in zip((8, 9, 10), (whole[:25], whole[25:50], whole[50:]), strict=True):
        part = drives.write_items(tmp_path / f"part{n}", items)
        names.append(f"drive_{n}.mcap")
        (part / f"part{n}.mcap").rename(folder / names[-1])
        about = about or yaml.safe_load((part / "metadata.yaml").read_text())
    about["rosbag2_bagfile_information"]["relative_file_paths"] = names
    (folder / "metadata.yaml").write_text(yaml.safe_dump(about))
    return folder


def test_split_bags_in_order_with_and_without_metadata(tmp_path: Path) -> None:
    folder = split(tmp_path)
    for _ in range(2):
        with open_bag(folder) as bag:
            times = [m.log_ns for m in bag.messages(["/camera/image"])]
        assert times == [drives.START + n * drives.STEP for n in range(30)]
        (folder / "metadata.yaml").unlink(missing_ok=True)


def test_a_damaged_file_of_a_split_bag_costs_only_itself(tmp_path: Path) -> None:
    folder = split(tmp_path)
    middle = folder / "drive_9.mcap"
    middle.write_bytes(middle.read_bytes()[:200])
    with open_bag(folder) as bag:
        seen = sum(1 for _ in bag.messages(["/camera/image"]))
        assert 15 < seen < 30
        assert len(bag.problems) == 1
        assert "drive_9.mcap" in bag.problems[0]


@pytest.mark.parametrize("share", [0.35, 0.7, 0.95])
def test_a_cut_mcap_gives_its_good_part_and_says_where_it_ends(tmp_path: Path, share: float) -> None:
    whole = drives.write_flushed(tmp_path / "bag", drives.Drive(frames=40)).read_bytes()
    cut = tmp_path / "cut.mcap"
    cut.write_bytes(whole[: int(len(whole) * share)])
    with open_bag(cut) as opened:
        times = [m.log_ns for m in opened.messages(["/camera/image"])]
        assert times == [drives.START + n * drives.STEP for n in range(len(times))]
        assert abs(len(times) - 40 * share) < 4
        (problem,) = opened.problems
    assert str(cut) in problem
    good = int(problem.split("good up to byte ")[1].split()[0])
    assert 0 < good <= int(len(whole) * share)


def test_a_damaged_chunk_in_a_whole_mcap_is_located(tmp_path: Path) -> None:
    path = drives.write(tmp_path / "bag", drives.Drive(frames=60), "mcap", "storage")
    file = path / "bag.mcap"
    data = bytearray(file.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 64] = b"\xff" * 64
    file.write_bytes(data)
    with open_bag(path) as bag:
        seen = sum(1 for _ in bag.messages(["/camera/image"]))
        assert seen < 60
        assert "good up to byte" in bag.problems[0]


def test_a_cut_sqlite_file_gives_its_good_part(tmp_path: Path) -> None:
    path = drives.write(tmp_path / "bag", drives.Drive(frames=40), "sqlite3")
    file = path / "bag.db3"
    data = file.read_bytes()
    file.write_bytes(data[: len(data) // 2])
    with open_bag(path) as bag:
        times = [m.log_ns for m in bag.messages(["/camera/image"])]
        assert 5 < len(times) < 40
        assert times == sorted(times)
        assert any(str(file) in problem and "breaks off after message" in problem for problem in bag.problems)


def test_a_cut_compressed_file_gives_its_good_part(tmp_path: Path) -> None:
    path = drives.write(tmp_path / "bag", drives.Drive(frames=60))
    packed = tmp_path / "drive.mcap.zstd"
    data = zstandard.ZstdCompressor().compress((path / "bag.mcap").read_bytes())
    packed.write_bytes(data[: len(data) * 3 // 4])
    with open_bag(packed) as bag:
        seen = sum(1 for _ in bag.messages(["/camera/image"]))
        assert 0 < seen < 60
        assert any("ends in the middle of its compressed data" in problem for problem in bag.problems)


def test_a_ros1_bag_without_index_is_read_from_its_chunks(tmp_path: Path) -> None:
    path = drives.write_ros1(tmp_path / "drive.bag", drives.Drive(frames=60))
    data = path.read_bytes()
    cut = tmp_path / "cut.bag"
    cut.write_bytes(data[: len(data) * 2 // 3])
    with open_bag(cut) as bag:
        times = [m.log_ns for m in bag.messages(["/camera/image"])]
        assert 5 < len(times) < 60
        assert times == sorted(times)
        assert any("good up to byte" in problem for problem in bag.problems)


def test_a_sqlite_bag_that_is_being_written_shows_what_is_there(tmp_path: Path) -> None:
    path = drives.write(tmp_path / "bag", drives.Drive(frames=10), "sqlite3")
    (path / "metadata.yaml").unlink()
    writer = sqlite3.connect(path / "bag.db3", isolation_level=None)
    writer.execute("PRAGMA journal_mode=WAL")
    writer.execute(
        "INSERT INTO messages(topic_id, timestamp, data)"
        " SELECT topic_id, timestamp + 5000000000, data FROM messages"
        " WHERE topic_id = (SELECT id FROM topics WHERE name = '/camera/image')"
    )
    assert (path / "bag.db3-wal").stat().st_size
    with open_bag(path) as bag:
        assert sum(1 for _ in bag.messages(["/camera/image"])) == 20
    writer.close()


def test_an_mcap_that_is_being_written_shows_what_is_there(tmp_path: Path) -> None:
    from ris_node.bags.writer import BagWriter

    bag = BagWriter(tmp_path / "bag")
    bag.add_topic("/camera/image", "sensor_msgs/Image", drives.SENSOR)
    for n in range(10):
        bag.write("/camera/image", drives.START + n, drives.image(drives.picture(n), drives.START + n))
    bag.sync()
    with open_bag(tmp_path / "bag") as opened:
        assert sum(1 for _ in opened.messages()) == 10
        assert "is it still being written?" in opened.problems[0]
    bag.close()


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda p: None, "there is no bag at"),
        (lambda p: p.mkdir(), "holds no .mcap, .db3 or .bag file"),
        (lambda p: p.with_suffix(".txt").write_text("hello"), "is no bag"),
        (lambda p: p.with_suffix(".mcap").write_bytes(b""), "is empty"),
        (lambda p: p.with_suffix(".mcap").write_bytes(b"no mcap at all" * 40), "breaks off"),
        (lambda p: p.with_suffix(".db3").write_bytes(b"no sqlite at all" * 400), "cannot be read"),
        (lambda p: p.with_suffix(".bag").write_bytes(b"no bag at all" * 40), "#ROSBAG V2.0"),
    ],
)
def test_what_is_no_bag_is_refused_by_name(tmp_path: Path, make: object, words: str) -> None:
    make(tmp_path / "it")
    path = next((p for p in tmp_path.iterdir()), tmp_path / "it")
    with pytest.raises(BagError, match=words) as caught:
        open_bag(path)
    assert str(path) in str(caught.value)


def test_a_file_without_permission_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = drives.write(tmp_path / "bag") / "bag.mcap"
    path.chmod(0)
    if os.geteuid() == 0:  # root may read everything, so the system's answer is played

        def refuse(self: Path, *args: object, **kwargs: object) -> object:
            if self == path:
                raise PermissionError(13, "Permission denied", str(self))
            return plain(self, *args, **kwargs)

        plain = Path.open
        monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(BagError, match=r"bag\.mcap: Permission denied; change its permissions"):
        open_bag(tmp_path / "bag")


def test_the_index_of_a_large_bag_opens_at_once(tmp_path: Path) -> None:
    """2 GB, most of it a hole in the file: opening reads the index at the end, not the messages."""
    path = drives.write(tmp_path / "bag", drives.Drive(frames=200))
    file = path / "bag.mcap"
    if shutil.disk_usage(tmp_path).free < 3 << 30:
        pytest.skip("no room for a sparse file")
    from ris_node.replay.rates import widen

    widen(file, 2 << 30)
    begin = time.perf_counter()
    with open_bag(path) as bag:
        spent = time.perf_counter() - begin
        assert sum(1 for _ in bag.messages(["/camera/image"])) == 200
    assert file.stat().st_size > 2 << 30
    assert spent < 2.0
