# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import drives
import pytest
from drives import Drive
from replay_fixtures import drive, tiny  # noqa: F401

from ris_node.cli.__main__ import main
from ris_node.cli.bags.replay import bag_list
from ris_node.errors import BagError
from ris_node.replay.options import ReplayOptions
from ris_node.replay.replay import replay
from ris_node.replay.rows import content_hash, iter_rows

pytest.importorskip("pyarrow", reason="replays need the extra `replay`, which `make pythons` leaves out")


def test_a_bag_a_list_of_bags_and_their_exit_codes(
    drive: Path, tiny: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    common = ["--command", "the red thing", "--results-only", "--bundle", str(tiny)]
    assert main(["replay", str(drive), *common, "--out", str(tmp_path / "one"), "--json"]) == 0
    said = capsys.readouterr()
    (summary,) = json.loads(said.out)
    assert summary["complete"]
    assert summary["frames"] == 12
    assert "12 frames" in said.err
    cut = tmp_path / "cut.mcap"
    data = drives.write_flushed(tmp_path / "whole", Drive()).read_bytes()
    cut.write_bytes(data[: len(data) * 2 // 3])
    listing = tmp_path / "bags.txt"
    listing.write_text(f"# two drives\n{drive}\ncut.mcap\nmissing\n")
    assert main(["replay", "--bags", str(listing), *common, "--out", str(tmp_path / "all")]) == 1
    said = capsys.readouterr()
    assert "good up to byte" in said.err
    assert "there is no bag at" in said.err
    rows = [(row["bag"], row["frame"]) for row in iter_rows(tmp_path / "all")]
    assert rows[:12] == [("drive", n) for n in range(12)]
    assert 4 <= len(rows) - 12 <= 10
    assert {name for name, _ in rows[12:]} == {"cut"}
    assert content_hash(tmp_path / "all" / "drive") == content_hash(tmp_path / "one")
    state = json.loads((tmp_path / "all" / "summary.json").read_text())
    assert state["complete"] is False
    assert [run["complete"] for run in state["runs"]] == [True, False]
    assert "missing: there is no bag at" in state["problems"][0]


def test_the_old_name_of_executor_is_taken_with_a_warning(
    drive: Path, tiny: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["replay", str(drive), "--command", "the red thing", "--bundle", str(tiny), "--results-only"]
    assert main([*words, "--out", str(tmp_path / "o"), "--engine", "here"]) == 0
    assert "--engine is named --executor now: give --executor here" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["--command", "x"], "no bag is named"),
        (["BAG", "--command", "the van", "--recorded"], "at once"),
        (["BAG", "--every", "0"], "give 1 or more for every"),
        (["BAG", "--script", "nothing.csv"], "cannot read the script"),
        (["BAG", "--command", "the van", "--set", "nonsense=1"], "unknown parameter"),
    ],
)
def test_wrong_usage_is_code_2(
    drive: Path, tiny: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str], hint: str
) -> None:
    words = [str(drive) if word == "BAG" else word for word in words]
    assert main(["replay", *words, "--bundle", str(tiny), "--results-only", "--out", str(tmp_path / "o")]) == 2
    assert hint in capsys.readouterr().err


def test_a_wrong_path_is_said_before_a_missing_package_and_before_a_model_is_loaded(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    words = [
        "replay",
        str(tmp_path / "nothing"),
        "--command",
        "x",
        "--bundle",
        str(tmp_path),
        "--out",
        str(tmp_path / "o"),
    ]
    assert main(words) == 1
    assert "there is no bag at" in capsys.readouterr().err
    with pytest.raises(BagError, match="there is no bag at"):
        replay(tmp_path / "nothing", tmp_path / "o", ReplayOptions())
    monkeypatch.setitem(sys.modules, "rclpy", None)
    monkeypatch.delitem(sys.modules, "ris_node.ros.bag.player", raising=False)
    assert main(["play", str(tmp_path / "nothing")]) == 1
    assert "there is no bag at" in capsys.readouterr().err
    assert main(["compare", str(tmp_path / "a"), str(tmp_path / "b")]) == 1
    assert "there are no results at" in capsys.readouterr().err


def test_the_extras_for_bags_and_replay_are_the_same() -> None:
    text = (Path(__file__).resolve().parents[2] / "setup.py").read_text(encoding="utf-8")
    assert re.findall(r'"(bags|replay)": (\w+),', text) == [("bags", "BAGS"), ("replay", "BAGS")]


def test_a_list_with_a_byte_order_mark_names_the_same_bags(tmp_path: Path) -> None:
    listing = tmp_path / "bags.txt"
    listing.write_text("drive\n", encoding="utf-8-sig")
    assert bag_list([], listing) == [tmp_path / "drive"]


def test_two_models_are_compared_on_one_bag_with_an_exit_code_for_ci(
    tiny: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bag = drives.write(tmp_path / "drive", Drive(frames=6))
    words = ["compare", str(tiny), str(tiny), "--bag", str(bag), "--command", "the red thing"]
    out = tmp_path / "diff.html"
    assert main([*words, "--out", str(out), "--fail-if", "found drops 0.01", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["agreement"] == 1.0
    assert out.stat().st_size > 1_000_000  # the chart library is in it
    a = out.with_suffix("") / "a"
    assert main(["compare", str(a), str(a), "--fail-if", "found rises 0"]) == 1
    assert "FAILED: found" in capsys.readouterr().err
    assert main(["compare", str(a), str(tiny)]) == 2


def test_ctrl_c_seals_what_there_is_and_resume_ends_it(tiny: Path, tmp_path: Path) -> None:
    bag = drives.write(tmp_path / "drive", Drive(frames=400, tf=False, info=False))
    words = ["replay", str(bag), "--command", "the red thing", "--bundle", str(tiny), "--no-video", "--no-report"]
    command = [sys.executable, "-m", "ris_node.cli", *words, "--out", str(tmp_path / "out")]
    env = {**os.environ, "OMP_NUM_THREADS": "1"}
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=env)
    part = tmp_path / "out" / "parts" / "000000"
    deadline = time.monotonic() + 120
    while not part.exists() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(0.3)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=120)
    assert process.returncode == 130, said
    assert "stopping: what has been answered is being sealed" in said
    state = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert state["interrupted"]
    assert not state["complete"]
    assert len(list(iter_rows(tmp_path / "out"))) == state["frames"] < 400
    assert main([*words, "--out", str(tmp_path / "out"), "--resume"]) == 0
    assert [row["frame"] for row in iter_rows(tmp_path / "out")] == list(range(400))


@pytest.mark.parametrize("more", [[], ["--overwrite"], ["--resume"]])
def test_a_recording_named_as_our_output_is_not_touched(
    drive: Path, tiny: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], more: list[str]
) -> None:
    recording = tmp_path / "results"
    shutil.copytree(drive, recording)
    before = {path: path.read_bytes() for path in recording.rglob("*") if path.is_file()}
    common = ["--command", "the red thing", "--bundle", str(tiny), "--no-video", "--no-report", *more]
    assert main(["replay", str(recording), *common, "--out", str(tmp_path)]) == 2
    assert "results" in capsys.readouterr().err
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_a_replay_removes_what_a_replay_made_and_nothing_else(
    drive: Path, tiny: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    common = ["replay", str(drive), "--command", "the red thing", "--bundle", str(tiny), "--no-video", "--out"]
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    (theirs / "report.html").write_text("mine")
    assert main([*common, str(theirs), "--overwrite"]) == 2
    assert [path.name for path in theirs.iterdir()] == ["report.html"]
    assert main([*common, str(theirs), "--no-report"]) == 0
    (theirs / "scores.json").write_text("mine")
    assert main([*common, str(theirs), "--no-report", "--overwrite"]) == 0
    assert (theirs / "report.html").read_text() == (theirs / "scores.json").read_text() == "mine"
    capsys.readouterr()
