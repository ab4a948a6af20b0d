# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from domains import free_domain

from ris_node.outputs import claim

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.ros


def demo(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [
        sys.executable,
        "-m",
        "ris_node.cli",
        "demo",
        "--model-dir",
        str(ROOT / "engines" / "keyword-baseline"),
        *arguments,
    ]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)


@pytest.fixture(scope="module")
def recorded(tmp_path_factory) -> tuple[Path, dict]:
    """One demo for several tests: its folder, with the recorded drive, and its summary."""
    out = tmp_path_factory.mktemp("demo")
    domain, lock = free_domain()
    with pytest.MonkeyPatch.context() as patch, lock:
        patch.setenv("ROS_DOMAIN_ID", str(domain))
        done = demo("--out", str(out), "--seconds", "14", "--rate", "5", "--size", "320x240", "--json", "--record")
    assert done.returncode == 0, done.stderr
    return out, json.loads(done.stdout.strip().splitlines()[-1])


def test_the_demo_runs_ends_and_leaves_its_results(recorded):
    folder, summary = recorded
    rows = [json.loads(line) for line in (folder / "results.jsonl").read_text().splitlines()]
    assert len(rows) == summary["frames"] > 8
    said = {row["id"]: row["text"] for row in json.loads((folder / "commands.json").read_text())}
    assert all(said[row["query_id"]] == row["text"] for row in rows), "no answer carries another command's words"
    assert {row["query_id"] for row in rows} == {f"demo-{n}" for n in range(1, 10)}, "each was waited for"
    assert rows[-1]["time_s"] > 9.0, "the street moves from the first command on"
    elephants = [row for row in rows if row["text"] == "the elephant"]
    assert elephants and all(
        row["status"] == "ABSENT" and not row["instances"] and row["truth"]["right"] for row in elephants
    )
    assert all(row["arrival_ms"] > 0 for row in rows) and summary["latency_ms"]["arrival"][0] > 0
    assert 0 <= summary["mean_iou"] <= 1
    capture = cv2.VideoCapture(str(folder / "overlay.mp4"))
    assert capture.get(cv2.CAP_PROP_FRAME_COUNT) == len(rows)
    assert (folder / "contact_sheet.png").stat().st_size > 10_000
    assert not (folder / "frames").exists()


def test_own_footage_needs_no_truth(tmp_path):
    folder = tmp_path / "mine"
    folder.mkdir()
    for i in range(40):
        cv2.imwrite(
            str(folder / f"{i:03d}.jpg"),
            np.full((120, 200, 3), 6 * i, np.uint8),
        )
    done = demo(
        "--source",
        str(folder),
        "--command",
        "the car",
        "--seconds",
        "4",
        "--rate",
        "8",
        "--out",
        str(tmp_path / "out"),
        "--json",
    )
    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout.strip().splitlines()[-1])
    assert summary["mean_iou"] is None and summary["frames"] > 0


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")
def test_a_full_disk_ends_the_demo_with_a_reason(tmp_path):
    claim(tmp_path, ["results.jsonl"], by="ris demo")  # as an earlier demo has
    (tmp_path / "results.jsonl").symlink_to("/dev/full")
    done = demo("--out", str(tmp_path), "--seconds", "10", "--rate", "5", "--size", "320x240")
    assert done.returncode == 1
    assert "results.jsonl" in done.stderr and "space" in done.stderr


def test_the_drive_is_recorded_with_its_truth_and_can_be_shown_again(recorded, tmp_path):
    pytest.importorskip("rosbags")
    from ris_node.bags.reader import open_bag

    out, again = recorded[0], tmp_path / "again"
    rows = [json.loads(line) for line in (out / "results.jsonl").read_text().splitlines()]
    with open_bag(out / "drive") as bag:
        counts = {topic.name: topic.count for topic in bag.topics}
        latched = {t.name for t in bag.topics if t.qos.latched}
        stamps = {}
        for message in bag.messages(["/image", "/truth/mask", "/grounding_node/result"]):
            stamp = bag.deserialize(message).header.stamp
            stamps.setdefault(message.topic, set()).add(stamp.sec * 10**9 + stamp.nanosec)
    judged = {row["stamp_ns"] for row in rows if row.get("truth")}
    assert stamps["/truth/mask"] == judged
    assert judged <= stamps["/image"]
    assert {row["stamp_ns"] for row in rows} <= stamps["/grounding_node/result"]
    assert counts["/query"] >= 9
    assert counts["/camera_info"] > 0
    assert latched >= {"/tf_static", "/grounding_node/status"}
    assert not list(out.glob(".*_bag"))

    done = demo("--source", str(out / "drive"), "--seconds", "6", "--rate", "4", "--out", str(again), "--json")
    assert done.returncode == 0, done.stderr
    texts = {json.loads(line)["text"] for line in (again / "results.jsonl").read_text().splitlines()}
    assert "the red car on the left" in texts, "its own commands are given again"
