# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Single messages that are damaged cost themselves: they are counted and named, and the drive goes on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import drives
import numpy as np
import pytest
from drives import START, STEP, Drive, msg
from replay_fixtures import model, tiny  # noqa: F401

from ris_node.bags.typestore import typestore
from ris_node.config import NodeConfig
from ris_node.demo.recorded import recorded_script
from ris_node.demo.sources import BagSource
from ris_node.pipeline.grounder import Grounder
from ris_node.replay.options import Commands, ReplayOptions, ReplaySummary
from ris_node.replay.replay import replay
from ris_node.replay.rows import iter_rows

ONLY = ReplayOptions(commands=Commands(recorded=True), bag=False, video=False, report=False)
SMALL = NodeConfig().with_values(
    {"min_region_m2": 0.0, "vehicle_length_m": 0.1, "vehicle_width_m": 0.1, "clearance_m": 0.0}
)


def raw(kind: str, message: object) -> bytes:
    return bytes(typestore().serialize_cdr(message, kind.replace("/", "/msg/")))


def ground_depth() -> np.ndarray:
    """Depth f32[H,W] in metres of flat ground 1.5 m below a camera that looks ahead; far at and over the horizon."""
    below = np.arange(drives.HEIGHT) - drives.HEIGHT / 2
    depth = np.where(below > 0, 1.5 * drives.WIDTH / np.maximum(below, 1), 100.0)
    return np.repeat(depth[:, None], drives.WIDTH, axis=1).astype(np.float32)


def damaged(path: Path, items: list[drives.Item], topic: str, numbers: tuple[int, ...], kept: int) -> Path:
    """A bag in which some messages of a topic, by number, have only their first bytes."""
    count, out = 0, []
    for name, at, kind, message in items:
        cut = name == topic and count in numbers
        count += name == topic
        out.append((name, at, kind, raw(kind, message)[:kept] if cut else message))
    return drives.write_items(path, out)


def answered(bag: Path, out: Path, model: Grounder, **changes: object) -> tuple[ReplaySummary, list[str]]:
    summary = replay(bag, out, replace(ONLY, **changes), grounder=model)
    return summary, [row["status"] for row in iter_rows(out)]


@pytest.mark.parametrize("number", [0, 5])
@pytest.mark.parametrize("encoding", ["rgb8", "png"])
def test_a_damaged_image_is_one_error(tmp_path: Path, model: Grounder, number: int, encoding: str) -> None:
    items = Drive(compressed=encoding == "png").items()
    topic = next(name for name, _, _, _ in items if "image" in name)
    bag = damaged(tmp_path / "bag", items, topic, (number,), 500)
    summary, statuses = answered(bag, tmp_path / "out", model)
    assert statuses == ["PRESENT"] * number + ["ERROR"] + ["PRESENT"] * (11 - number)
    assert not summary.complete
    assert f"frame {number} at" in summary.problems[0]


def test_images_without_a_header_are_counted(tmp_path: Path, model: Grounder) -> None:
    bag = damaged(tmp_path / "bag", Drive().items(), "/camera/image", (0, 3), 10)
    options = {"commands": Commands("the red thing"), "video": True, "report": True}
    summary, statuses = answered(bag, tmp_path / "out", model, **options)
    assert statuses == ["PRESENT"] * 10
    (problem,) = summary.problems
    assert problem.startswith("/camera/image: 2 damaged, left out; the first: ")
    assert [row["source_index"] for row in iter_rows(tmp_path / "out")] == [1, 2, 4, 5, 6, 7, 8, 9, 10, 11]


@pytest.mark.parametrize("topic", ["/camera/camera_info", "/camera/depth", "/tf", "/tf_static", "/command"])
def test_a_damaged_message_beside_the_images_costs_itself(tmp_path: Path, model: Grounder, topic: str) -> None:
    items = Drive(command="").items()
    for n in range(12):
        at = START + n * STEP
        depth = drives.image(ground_depth(), at, "32FC1")
        items.append(("/camera/depth", at, "sensor_msgs/Image", depth))
        moved = drives.transform("map", "odom", at, (n, 0.0, 0.0), (0.0, 0.0, 0.0, 1.0))
        items.append(("/tf", at, "tf2_msgs/TFMessage", moved))
        words = msg("std_msgs/String", data="stop next to the red thing")
        items.append(("/command", at - 1, "std_msgs/String", words))
    items.insert(0, ("/tf_static", START, "tf2_msgs/TFMessage", drives.transform("a", "b", 0, *drives.MOUNT)))
    items.sort(key=lambda item: item[1])
    bag = damaged(tmp_path / "bag", items, topic, (0,), 30 if topic != "/command" else 10)
    whole = drives.write_items(tmp_path / "whole", items)
    model = Grounder(model.bundle, model._segmenter, SMALL.output, SMALL.region)
    summary, statuses = answered(bag, tmp_path / "out", model, config=SMALL)
    missing = int(topic == "/command")  # until the next one comes
    assert statuses == ["NO_QUERY"] * missing + ["PRESENT"] * (12 - missing)
    (problem,) = summary.problems
    assert problem.startswith(f"{topic}: 1 damaged, left out; the first: ")
    assert answered(whole, tmp_path / "all", model, config=SMALL)[0].complete
    found = [[row["target_x"] for row in iter_rows(tmp_path / name)] for name in ("out", "all")]
    assert None not in found[0][missing:]
    assert found[0][missing:] == pytest.approx(found[1][missing:], abs=0.1)  # depth and the ground plane agree


def test_a_garbled_encoding_of_the_first_image_is_one_error(tmp_path: Path, model: Grounder) -> None:
    items = Drive().items()
    number = next(n for n, item in enumerate(items) if item[0] == "/camera/image")
    topic, at, kind, message = items[number]
    items[number] = (topic, at, kind, raw(kind, message).replace(b"rgb8", b"rfb8", 1))
    summary, statuses = answered(drives.write_items(tmp_path / "bag", items), tmp_path / "out", model)
    assert statuses == ["ERROR"] + ["PRESENT"] * 11
    assert "rfb8" in summary.problems[0]


def test_a_topic_without_a_whole_image_is_no_second_camera(tmp_path: Path, model: Grounder) -> None:
    items = Drive().items()
    items += [("/back/image", at, kind, raw(kind, m)[:300]) for topic, at, kind, m in items if topic.endswith("/image")]
    summary, statuses = answered(drives.write_items(tmp_path / "bag", items), tmp_path / "out", model)
    assert summary.complete
    assert statuses == ["PRESENT"] * 12


def test_the_demo_passes_over_damaged_messages(tmp_path: Path) -> None:
    items = Drive().items()
    bag = damaged(tmp_path / "images", items, "/camera/image", (0, 2), 10)
    source = BagSource(bag, 160, 120)
    shown = [source.frame(n / 10) for n in range(11)]
    assert np.array_equal(shown[0].image, drives.picture(1))
    assert shown[0].camera is not None
    late = msg("std_msgs/String", data="the van")
    items.append(("/command", START + 4 * STEP, "std_msgs/String", late))
    script = recorded_script(damaged(tmp_path / "commands", items, "/command", (0,), 10), 20.0)
    assert script is not None
    assert [step.text for step in script.steps] == ["the van"]
