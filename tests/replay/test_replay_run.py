# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import errno
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import drives
import numpy as np
import pytest
from drives import START, STEP, Drive
from replay_fixtures import drive, model, tiny  # noqa: F401

from ris_node.bags.reader import open_bag
from ris_node.bags.writer import BagWriter
from ris_node.config import NodeConfig
from ris_node.errors import BagError, ConfigError
from ris_node.pipeline.grounder import Grounder
from ris_node.replay.options import Commands, Progress, ReplayOptions
from ris_node.replay.replay import open_model, replay
from ris_node.replay.rows import COLUMNS, content_hash, iter_rows
from ris_node.types import Frame

ONLY = ReplayOptions(commands=Commands("the red thing"), bag=False, video=False, report=False)

# a vehicle that fits wherever the tiny bundle points
SMALL = NodeConfig().with_values(
    {"min_region_m2": 0.0, "vehicle_length_m": 0.1, "vehicle_width_m": 0.1, "clearance_m": 0.0}
)


def rows_of(out: Path) -> list[dict[str, Any]]:
    return list(iter_rows(out))


def test_every_frame_is_answered_as_the_core_answers_it(drive: Path, model: Grounder, tmp_path: Path) -> None:
    summary = replay(drive, tmp_path, ONLY, grounder=model)
    assert summary.complete
    assert summary.frames == summary.seen == 12
    rows = rows_of(tmp_path)
    assert [row["stamp_ns"] for row in rows] == [START + n * STEP for n in range(12)]
    for n, row in enumerate(rows):
        found = model.ground(Frame(drives.picture(n), START + n * STEP, "camera"), "the red thing")
        assert row["status"] == found.status.name == "PRESENT"
        assert row["presence"] == found.presence
        assert row["box"] == list(found.instances[0].box)
        assert row["point"] == list(found.point)
        x, y = drives.square(n)
        assert abs(row["box"][0] - x) <= 3
        assert abs(row["box"][1] - y) <= 3
    assert set(rows[0]) == set(COLUMNS)
    assert not any("/" in str(value) for row in rows for value in row.values())


def test_two_runs_are_the_same_whatever_the_threads_and_parts(drive: Path, model: Grounder, tmp_path: Path) -> None:
    hashes = set()
    for number, changes in enumerate(({}, {"threads": 1}, {"threads": 5, "part_frames": 5}, {"bag": True})):
        replay(drive, tmp_path / str(number), replace(ONLY, **changes), grounder=model)
        hashes.add(content_hash(tmp_path / str(number)))
    assert len(hashes) == 1
    replay(drive, tmp_path / "other", replace(ONLY, commands=Commands("the green thing")), grounder=model)
    assert content_hash(tmp_path / "other") not in hashes


def test_a_stopped_replay_goes_on_and_comes_to_the_same(drive: Path, model: Grounder, tmp_path: Path) -> None:
    config = NodeConfig().with_values({"stable_frames": 3})
    options = replace(ONLY, commands=Commands("stop next to the red thing"), config=config, bag=True, video=True)
    replay(drive, tmp_path / "whole", options, grounder=model)
    stop = threading.Event()
    answered = 0

    def count(*_: object) -> None:
        nonlocal answered
        answered += 1
        if answered == 5:
            stop.set()

    watched = Watched(model, count)
    half = tmp_path / "half"
    first = replay(drive, half, replace(options, part_frames=2), grounder=watched, stop=stop)
    assert first.interrupted
    assert not first.complete
    assert 0 < first.frames < 12
    assert len(rows_of(half)) == first.frames  # what there is can be read
    with pytest.raises(ConfigError, match="--resume"):
        replay(drive, half, options, grounder=model)
    with pytest.raises(ConfigError, match="another replay"):
        replay(drive, half, replace(ONLY, resume=True), grounder=model)
    steps: list[Progress] = []
    second = replay(drive, half, replace(options, part_frames=2, resume=True), grounder=model, progress=steps.append)
    assert second.complete
    assert second.frames == 12
    assert steps[-1].resumed == first.frames
    assert content_hash(half) == content_hash(tmp_path / "whole")
    assert not (half / "parts").exists()
    assert bag_contents(half / "results") == bag_contents(tmp_path / "whole" / "results")
    assert film_length(half / "overlay.mp4") == film_length(tmp_path / "whole" / "overlay.mp4") == 12
    again = replay(drive, half, replace(options, resume=True), grounder=model)
    assert again.complete
    assert "complete already" in again.notes[-1]


def test_a_killed_replay_loses_only_its_open_part(drive: Path, model: Grounder, tmp_path: Path) -> None:
    class KilledError(BaseException):
        pass

    answered = 0

    def die(*_: object) -> None:
        nonlocal answered
        answered += 1
        if answered > 9:
            raise KilledError

    options = replace(ONLY, part_frames=4, threads=1)
    with pytest.raises(KilledError):
        replay(drive, tmp_path / "out", options, grounder=Watched(model, die))
    sealed = sorted(path.parent.name for path in (tmp_path / "out" / "parts").glob("*/seal.json"))
    assert sealed in (["000000"], ["000000", "000001"])
    summary = replay(drive, tmp_path / "out", replace(options, resume=True), grounder=model)
    assert summary.complete
    replay(drive, tmp_path / "whole", ONLY, grounder=model)
    assert content_hash(tmp_path / "out") == content_hash(tmp_path / "whole")


class Watched:
    """A model that tells of every answer it is asked for."""

    def __init__(self, model: Grounder, tell: Any) -> None:
        self._model, self._tell = model, tell

    def __getattr__(self, name: str) -> Any:
        return getattr(self._model, name)

    def ground(self, *args: Any) -> Any:
        self._tell()
        return self._model.ground(*args)


def bag_contents(path: Path) -> list[tuple[str, int, bytes]]:
    """A result bag's messages, those with timings left out."""
    with open_bag(path) as bag:
        return sorted((m.topic, m.log_ns, bytes(m.data)) for m in bag.messages() if not m.topic.endswith("/result"))


def film_length(path: Path) -> int:
    capture = cv2.VideoCapture(str(path))
    count = 0
    while capture.grab():
        count += 1
    return count


def test_the_result_bag_has_the_nodes_topics_at_the_recorded_stamps(
    drive: Path, model: Grounder, tmp_path: Path
) -> None:
    options = replace(ONLY, commands=Commands("stop next to the red thing"), bag=True, config=SMALL)
    replay(drive, tmp_path, options, grounder=with_region(model, SMALL))
    rows = rows_of(tmp_path)
    with open_bag(tmp_path / "results") as bag:
        counts = {topic.name: topic.count for topic in bag.topics}
        assert counts["/grounding_node/result"] == counts["/grounding_node/label_mask"] == 12
        assert counts["/grounding_node/overlay/compressed"] == counts["/grounding_node/region"] == 12
        confirmed = sum(row["target_confirmed"] for row in rows)
        assert counts["/grounding_node/target_pose"] == counts["/grounding_node/region_polygon"] == confirmed > 0
        results = [bag.deserialize(m) for m in bag.messages(["/grounding_node/result"])]
        targets = [bag.deserialize(m) for m in bag.messages(["/grounding_node/region"])]
        mask = bag.deserialize(next(iter(bag.messages(["/grounding_node/label_mask"]))))
    for n, (row, result, target) in enumerate(zip(rows, results, targets, strict=True)):
        stamp = result.header.stamp
        assert stamp.sec * 10**9 + stamp.nanosec == START + n * STEP == row["log_ns"]
        assert result.header.frame_id == "camera"
        assert result.frame_index == n
        assert result.query_id == row["query_id"]
        assert result.presence == pytest.approx(row["presence"])
        assert target.header.frame_id == "base_link"
        assert target.pose.pose.position.x == pytest.approx(row["target_x"])
    labels = mask.data.reshape(mask.height, mask.width)
    runs = rows[0]["mask_rle"]
    assert np.count_nonzero(labels == 1) == sum(runs[1::2])
    assert set(np.unique(labels)) == {0, 1, 2}


@pytest.mark.parametrize("change", ["compressed", "bgr8", "8UC3", "bgr16"])
def test_other_encodings_give_the_same_answers(drive: Path, model: Grounder, tmp_path: Path, change: str) -> None:
    other = Drive(compressed=True) if change == "compressed" else Drive(encoding=change)
    replay(drive, tmp_path / "rgb", ONLY, grounder=model)
    replay(drives.write(tmp_path / "drive", other), tmp_path / "other", ONLY, grounder=model)
    assert content_hash(tmp_path / "rgb") == content_hash(tmp_path / "other")


def test_every_nth_frame_and_frames_at_a_rate(drive: Path, model: Grounder, tmp_path: Path) -> None:
    def indices(name: str, **changes: Any) -> list[int]:
        replay(drive, tmp_path / name, replace(ONLY, **changes), grounder=model)
        return [row["source_index"] for row in rows_of(tmp_path / name)]

    assert indices("a", every=5) == [0, 5, 10]
    assert indices("b", rate_hz=5.0) == [0, 2, 4, 6, 8, 10]
    assert indices("c", max_frames=3) == [0, 1, 2]
    with pytest.raises(ConfigError, match="at once"):
        replace(ONLY, every=2, rate_hz=1.0)


def test_answers_that_depend_on_the_one_before_stay_in_order(drive: Path, tiny: Path, tmp_path: Path) -> None:
    config = NodeConfig().with_values({"temporal_smoothing": 0.5})
    options = replace(ONLY, config=config, bundle=tiny, threads=4, part_frames=3)
    replay(drive, tmp_path / "whole", options)
    with open_model(options) as model:
        replay(drive, tmp_path / "half", replace(options, max_frames=7), grounder=model)
        for n, row in enumerate(rows_of(tmp_path / "whole")[:7]):
            assert row["mask_rle"] == rows_of(tmp_path / "half")[n]["mask_rle"]


def test_stamps_out_of_order_and_equal_are_answered_and_noted(model: Grounder, tmp_path: Path) -> None:
    stamps = [START + n * STEP for n in (0, 1, 1, 3, 2, 4, 9, 0, 1)]
    bag = drives.write(tmp_path / "bag", Drive(frames=9, stamps=stamps, tf=False))
    summary = replay(bag, tmp_path / "out", ONLY, grounder=model)
    assert summary.complete
    assert [row["stamp_ns"] for row in rows_of(tmp_path / "out")] == stamps
    assert any("2 went back and 1 repeated" in note for note in summary.notes)


@pytest.mark.parametrize("packed", [False, True])
def test_depth_and_moving_tf_recorded_after_their_image_still_count(
    model: Grounder, tmp_path: Path, packed: bool
) -> None:
    more = []
    for n in range(12):
        at = START + n * STEP
        down = np.maximum(np.arange(drives.HEIGHT) - drives.HEIGHT / 2, 0.5)  # rows below the horizon
        depth = np.repeat((1.5 * drives.WIDTH / down)[:, None], drives.WIDTH, axis=1).astype(np.float32)
        if packed:
            message = drives.compressed_depth(depth, at)
            more.append(("/depth/compressedDepth", at + 30_000_000, "sensor_msgs/CompressedImage", message))
            continue
        message = drives.image(depth.view(np.uint8), at, "32FC1")
        message.width = drives.WIDTH
        more.append(("/depth/image", at + 30_000_000, "sensor_msgs/Image", message))
    for n in range(13):
        stamp = START + n * STEP - STEP // 2
        pose = drives.transform("odom", "base_link", stamp, (float(n), 0.0, 0.0), (0.0, 0.0, 0.0, 1.0))
        more.append(("/tf", stamp + STEP // 2 + 1, "tf2_msgs/TFMessage", pose))
    bag = drives.write(tmp_path / "bag", Drive(more=more))
    config = SMALL.with_values({"target_frame": "odom"})
    options = replace(ONLY, commands=Commands("stop next to the red thing"), config=config)
    assert replay(bag, tmp_path / "out", options, grounder=with_region(model, config)).complete
    rows = rows_of(tmp_path / "out")
    assert {row["target_frame"] for row in rows} == {"odom"}
    placed = [row for row in rows if row["target_status"] == "OK"]
    assert len(placed) >= 10, [row["message"] for row in rows]
    assert {row["target_method"] for row in placed} == {"DEPTH"}
    steps = np.diff([row["target_x"] for row in placed])
    assert np.median(steps) == pytest.approx(1.0, abs=0.05)  # a metre a frame, as the vehicle


def with_region(model: Grounder, config: NodeConfig) -> Grounder:
    return Grounder(model.bundle, model._segmenter, config.output, config.region)


def test_a_damaged_bag_is_answered_as_far_as_it_goes(model: Grounder, tmp_path: Path) -> None:
    file = tmp_path / "cut.mcap"
    data = drives.write_flushed(tmp_path / "bag", Drive(frames=30)).read_bytes()
    file.write_bytes(data[: len(data) // 2])
    summary = replay(file, tmp_path / "out", ONLY, grounder=model)
    assert not summary.complete
    assert "good up to byte" in summary.problems[0]
    assert 10 < summary.frames < 20
    assert len(rows_of(tmp_path / "out")) == summary.frames
    assert not (tmp_path / "out" / "parts").exists()


def test_frames_that_cannot_be_read_are_named_and_cost_only_themselves(model: Grounder, tmp_path: Path) -> None:
    items = Drive().items()
    bad = next(n for n, item in enumerate(items) if item[0] == "/camera/image" and item[1] == START + 4 * STEP)
    broken = drives.image(drives.picture(4)[:10], START + 4 * STEP)
    broken.height = drives.HEIGHT
    items[bad] = (*items[bad][:3], broken)
    bag = drives.write_items(tmp_path / "bag", items)
    summary = replay(bag, tmp_path / "out", ONLY, grounder=model)
    assert not summary.complete
    assert "frame 4 at" in summary.problems[0]
    assert "bytes of data" in summary.problems[0]
    assert summary.statuses == {"PRESENT": 11, "ERROR": 1}


def test_what_opencv_refuses_costs_only_its_frame(model: Grounder, tmp_path: Path) -> None:
    items = Drive(compressed=True).items()
    next(i[3] for i in items if i[0].endswith("compressed")).data = np.frombuffer(b"P6 100000 100000 255\n..", np.uint8)
    summary = replay(drives.write_items(tmp_path / "bag", items), tmp_path / "out", ONLY, grounder=model)
    assert summary.statuses == {"PRESENT": 11, "ERROR": 1}
    assert "cannot be decoded" in summary.problems[0]


def test_a_picture_of_fifty_megapixels_is_answered_or_refused_in_words(model: Grounder, tmp_path: Path) -> None:
    with BagWriter(tmp_path / "bag") as bag:
        bag.add_topic("/camera/image", "sensor_msgs/Image", drives.SENSOR)
        pixels = np.full((6000, 8400, 3), 90, np.uint8)
        pixels[2000:3500, 3000:6000] = (230, 20, 20)
        bag.write("/camera/image", START, drives.image(pixels, START))
        bag.write("/camera/image", START + 1, drives.image(np.zeros((2, 20_000, 3), np.uint8), START + 1))
    summary = replay(tmp_path / "bag", tmp_path / "out", ONLY, grounder=model)
    first, second = rows_of(tmp_path / "out")
    assert first["status"] == "PRESENT"
    assert abs(first["mask_area"] - 1500 * 3000 / pixels[..., 0].size) < 0.01
    assert second["status"] == "ERROR"
    assert "20000x2" in second["message"]
    assert not summary.complete


def test_a_full_disk_keeps_what_was_written(drive: Path, model: Grounder, tmp_path: Path,
                                            monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    written = 0
    plain = BagWriter.write

    def full(self: BagWriter, topic: str, at: int, data: Any) -> None:
        nonlocal written
        written += 1
        if written > 20:
            raise OSError(errno.ENOSPC, "No space left on device", str(self.path))
        plain(self, topic, at, data)

    monkeypatch.setattr(BagWriter, "write", full)
    options = replace(ONLY, bag=True, part_frames=3)
    summary = replay(drive, tmp_path / "out", options, grounder=model)
    assert not summary.complete
    assert "No space left on device" in " ".join(summary.problems)
    assert "--resume" in summary.problems[0]
    assert summary.frames == 3 * (20 // 4 // 3)
    assert len(rows_of(tmp_path / "out")) >= summary.frames
    monkeypatch.undo()
    again = replay(drive, tmp_path / "out", replace(options, resume=True), grounder=model)
    assert again.complete
    assert again.frames == 12


def test_a_topic_without_images_is_refused(model: Grounder, tmp_path: Path) -> None:
    with BagWriter(tmp_path / "bag") as bag:
        bag.add_topic("/camera/image", "sensor_msgs/Image", drives.SENSOR)
        bag.add_topic("/camera/camera_info", "sensor_msgs/CameraInfo", drives.SENSOR)
        bag.write("/camera/camera_info", START, drives.camera_info(START))
    with pytest.raises(BagError, match="no camera topic with images"):
        replay(tmp_path / "bag", tmp_path / "out", ONLY, grounder=model)
