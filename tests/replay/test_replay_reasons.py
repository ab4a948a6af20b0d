# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Why there is no target: the replay's table, bag, pictures, notes and report say what the node would."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import drives
from drives import START, STEP, Drive
from replay_fixtures import model, tiny  # noqa: F401

from ris_node.config import NodeConfig
from ris_node.pipeline.grounder import Grounder
from ris_node.replay.bag import open_bag
from ris_node.replay.options import Commands, ReplayOptions, ReplaySummary
from ris_node.replay.rows import iter_rows
from ris_node.replay.run import replay

# a vehicle that fits wherever the tiny bundle points
SMALL = {"min_region_m2": 0.0, "vehicle_length_m": 0.1, "vehicle_width_m": 0.1, "clearance_m": 0.0}


def run(bag: Path, out: Path, model: Grounder, **values: Any) -> tuple[ReplaySummary, list[dict[str, Any]]]:
    config = NodeConfig().with_values({**SMALL, **values})
    own = Grounder(model.bundle, model._segmenter, config.output, config.region)
    options = ReplayOptions(
        commands=Commands("stop next to the red thing"), config=config, video=False, report=False, overlays=False
    )
    return replay(bag, out, options, grounder=own), list(iter_rows(out))


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
    frames = {"target_frame": "odom", "base_frame": "odom"}  # the camera_* parameters could stand in
    _, rows = run(bag, tmp_path / "out", model, **frames)
    assert [row["target_status"] for row in rows] == ["OK"] * 6 + ["TF_UNAVAILABLE"] * 6
    assert all(row["point"] for row in rows[:6])
    for row, words in zip(rows[6:], said(tmp_path / "out")[6:], strict=True):
        assert row["status"] == "PRESENT"
        assert row["point"] == [] and row["target_x"] is None and not row["target_confirmed"]
        assert row["message"] == words
        assert "after the last transform" in words
