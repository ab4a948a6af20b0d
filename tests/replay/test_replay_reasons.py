# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Why there is no target: the replay's table, bag, pictures, notes and report say what the node would."""

from __future__ import annotations

import html
import json
import re
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import drives
import numpy as np
from drives import START, STEP, Drive
from replay_fixtures import model, tiny  # noqa: F401

from ris_node.bags.reader import open_bag
from ris_node.config import NodeConfig
from ris_node.pipeline.grounder import Grounder
from ris_node.replay.options import Commands, ReplayOptions, ReplaySummary
from ris_node.replay.replay import replay
from ris_node.replay.rows import iter_rows
from ris_node.review.merge import merge_runs
from ris_node.review.review import replay_and_review

# a vehicle that fits wherever the tiny bundle points
SMALL = {"min_region_m2": 0.0, "vehicle_length_m": 0.1, "vehicle_width_m": 0.1, "clearance_m": 0.0}


TALK = Commands("stop next to the red thing")


def run(
    bag: Path, out: Path, model: Grounder, *, report: bool = False, **values: Any
) -> tuple[ReplaySummary, list[dict[str, Any]]]:
    config = NodeConfig().with_values({**SMALL, **values})
    own = Grounder(model.bundle, model._segmenter, config.output, config.region)
    options = ReplayOptions(commands=TALK, config=config, video=False, report=report, overlays=False)
    return replay_and_review(bag, out, options, grounder=own), list(iter_rows(out))


def said(out: Path) -> list[str]:
    """The messages on `~/region` of a result bag."""
    with open_bag(out / "results") as bag:
        return [bag.deserialize(m).message for m in bag.messages(["/grounding_node/region"])]


def losing_tf(frames: int = 12, placed: int = 6) -> Drive:
    """A drive in whose second half `base_link` is no longer placed in `odom`."""
    poses = [drives.transform("odom", "base_link", START + n * STEP, (n, 0, 0), (0, 0, 0, 1)) for n in range(placed)]
    tf = [("/tf", START + n * STEP, "tf2_msgs/TFMessage", pose) for n, pose in enumerate(poses)]
    mount = drives.transform("base_link", "camera", 0, *drives.MOUNT)
    return Drive(frames, tf=False, more=[("/tf_static", START, "tf2_msgs/TFMessage", mount), *tf])


def test_frames_that_tf_lost_have_no_goal_anywhere(model: Grounder, tmp_path: Path) -> None:
    bag = drives.write(tmp_path / "bag", losing_tf())
    frames: dict[str, Any] = {"target_frame": "odom", "base_frame": "odom"}  # the camera_* parameters could stand in
    _, rows = run(bag, tmp_path / "out", model, **frames)
    assert [row["target_status"] for row in rows] == ["OK"] * 6 + ["TF_UNAVAILABLE"] * 6
    assert all(row["point"] for row in rows[:6])
    for row, words in zip(rows[6:], said(tmp_path / "out")[6:], strict=True):
        assert row["status"] == "PRESENT"
        assert row["point"] == [] and row["target_x"] is None and not row["target_confirmed"]
        assert row["message"] == words
        assert "after the last transform" in words


def test_the_reason_stands_in_notes_report_and_merged_summary_once_a_kind(model: Grounder, tmp_path: Path) -> None:
    bag = drives.write(tmp_path / "bag", losing_tf())
    out = tmp_path / "all" / "bag"
    summary, rows = run(bag, out, model, report=True, target_frame="odom", base_frame="odom")
    words = rows[6]["message"]
    assert len({row["message"] for row in rows[6:]}) == 6, "each says how far its own stamp is off"
    assert [note for note in summary.notes if words in note] == [
        f"6 frames without a target, TF_UNAVAILABLE; the first: {words}"
    ]
    assert json.loads((out / "summary.json").read_text())["notes"] == list(summary.notes)
    page = html.unescape((out / "report.html").read_text())
    assert len(re.findall(rf"<td[^>]*>{re.escape(words)}</td>", page)) == 1
    merge_runs([out], tmp_path / "all", report=False)
    assert f"bag: {summary.notes[-1]}" in json.loads((tmp_path / "all" / "summary.json").read_text())["notes"]


def test_depth_of_another_shape_is_the_rows_reason(model: Grounder, tmp_path: Path) -> None:
    more = []
    for n in range(3):
        flat = np.full((40, 160), 3.0, np.float32)
        message = drives.image(flat.view(np.uint8), START + n * STEP, "32FC1")
        message.width = 160
        more.append(("/depth/image", START + n * STEP, "sensor_msgs/Image", message))
    summary, rows = run(drives.write(tmp_path / "bag", Drive(3, more=more)), tmp_path / "out", model)
    assert [row["message"] for row in rows] == said(tmp_path / "out")
    assert all("the depth image's shape (40, 160) does not match" in row["message"] for row in rows)
    assert sum("(40, 160)" in note and note.startswith("3 ") for note in summary.notes) == 1


def test_without_a_calibration_the_row_says_what_the_region_says(model: Grounder, tmp_path: Path) -> None:
    _, rows = run(drives.write(tmp_path / "bag", Drive(2, info=False)), tmp_path / "out", model)
    assert [(row["target_status"], row["message"]) for row in rows] == [
        ("NO_CAMERA", words) for words in said(tmp_path / "out")
    ]
    assert all("no camera_info" in row["message"] for row in rows)


def test_what_is_not_in_the_picture_is_no_note(model: Grounder, tmp_path: Path) -> None:
    bag = drives.write(tmp_path / "bag", Drive(3, absent=frozenset(range(3))))
    summary, rows = run(bag, tmp_path / "out", model)
    assert {row["message"] for row in rows} == set(said(tmp_path / "out")) == {"it is not in the picture"}
    assert not any("target" in note for note in summary.notes)


def test_a_resumed_replay_counts_the_reasons_of_both_sessions(model: Grounder, tmp_path: Path) -> None:
    stop = threading.Event()
    config = NodeConfig().with_values({**SMALL, "target_frame": "map"})
    own = Grounder(model.bundle, model._segmenter, config.output, config.region)
    options = ReplayOptions(
        commands=TALK, config=config, bag=False, video=False, report=False, part_frames=2, threads=1
    )
    bag = drives.write(tmp_path / "bag", Drive())
    answer, asked = own.ground, []

    def ground(*args: Any) -> Any:
        asked.append(args)
        if len(asked) == 6:
            stop.set()
        return answer(*args)

    own.ground = ground  # type: ignore[method-assign,assignment]
    first = replay(bag, tmp_path / "out", options, grounder=own, stop=stop)
    assert first.interrupted and 0 < first.frames < 12
    own.ground = answer  # type: ignore[method-assign]
    whole = replay(bag, tmp_path / "out", replace(options, resume=True), grounder=own)
    assert whole.complete
    assert [note for note in whole.notes if note.startswith("12 frames without a target, TF_UNAVAILABLE; ")]
