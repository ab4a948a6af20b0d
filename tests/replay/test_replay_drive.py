# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""A drive recorded as JPEG with the packaged model; and a raw one with its exact truth."""

from __future__ import annotations

from pathlib import Path

import cv2
import drives
import numpy as np

from ris_node.bags.writer import BagWriter
from ris_node.interface import SENSOR
from ris_node.replay.options import Commands, ReplayOptions
from ris_node.replay.replay import open_model, replay
from ris_node.replay.rows import iter_rows
from ris_node.review.review import replay_and_review
from ris_node.review.scores import read_scores
from ris_node.training.inputs.rendered import training_scene
from ris_scene.bag import write_scene_bag

BASELINE = Path(__file__).resolve().parents[2] / "engines" / "keyword-baseline"


def test_a_drive_of_jpegs_is_answered_as_the_core_answers_its_frames(tmp_path: Path) -> None:
    coded = []
    with BagWriter(tmp_path / "bag", storage="sqlite3") as bag:
        bag.add_topic("/front/image_raw/compressed", "sensor_msgs/CompressedImage", SENSOR)
        for n in range(3):
            frame = cv2.resize(training_scene(n, 4).image, (480, 270))
            _, data = cv2.imencode(".jpg", frame[..., ::-1])
            at = drives.START + n * 40_000_000
            message = drives.msg(
                "sensor_msgs/CompressedImage", header=drives.header(at, "front"), format="jpeg", data=data.ravel()
            )
            bag.write("/front/image_raw/compressed", at, message)
            coded.append(np.ascontiguousarray(cv2.imdecode(data, cv2.IMREAD_COLOR)[..., ::-1]))
    options = ReplayOptions(commands=Commands("the road"), bundle=BASELINE, bag=False, video=False, report=False)
    with open_model(options) as model:
        summary = replay(tmp_path / "bag", tmp_path / "out", options, grounder=model)
        assert summary.complete
        assert summary.statuses == {"PRESENT": 3}
        for row, image in zip(iter_rows(tmp_path / "out"), coded, strict=True):
            found = model.ground(image, "the road")
            assert (row["width"], row["height"]) == (480, 270)
            assert row["presence"] == found.presence
            assert sum(row["mask_rle"][1::2]) == np.count_nonzero(found.mask)


def test_a_rendered_drive_is_scored_against_its_own_truth(tmp_path: Path) -> None:
    bag = write_scene_bag(tmp_path / "drive", frames=8, width=320, height=240, distinct=2)
    options = ReplayOptions(
        commands=Commands(recorded=True), bundle=BASELINE, bag=False, video=False, report=False,
        truth="topic:/truth/mask,/truth/region_mask",
    )  # fmt: skip
    summary = replay_and_review(bag, tmp_path / "out", options)
    assert summary.complete
    rows = list(iter_rows(tmp_path / "out"))
    assert [row["kind"] for row in rows] == ["object"] * 6 + ["region"] * 2
    assert {row["target_frame"] for row in rows[6:]} == {"base_link"}
    scores = read_scores(tmp_path / "out")
    assert all(score["truth_present"] for score in scores)
    assert all(0.0 <= score["iou"] <= 1.0 for score in scores)
    assert all((score["hit"] is None) == (row["kind"] == "object") for score, row in zip(scores, rows, strict=True))
