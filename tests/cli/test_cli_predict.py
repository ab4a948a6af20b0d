# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""`ris predict`: one by one and from a manifest, with good and bad pictures and lines."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from ris_node.cli.predict.batch import Tally, _answer_lines, parse_line
from ris_node.errors import DataError, ImageError
from ris_node.media.images import read_image, write_png
from ris_node.pipeline.grounder import Grounder
from ris_node.rle import decode_rle
from ris_node.types import U8, Query, QueryKind
from ris_scene import CameraSpec, SceneSpec, render_scene

BASELINE = str(Path(__file__).resolve().parents[2] / "engines" / "keyword-baseline")
FIELDS = ["id", "present", "presence", "mask", "region", "point", "size"]


def ris(*args: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "ris_node.cli", "predict", *map(str, args), "--bundle", BASELINE, "--threads", "1"]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


@pytest.fixture(scope="module")
def street() -> U8:
    """A rendered street, 427x240: an odd size."""
    return render_scene(SceneSpec("train", seed=3, camera=CameraSpec(427, 240)), 1.0).image


@pytest.fixture(scope="module")
def pictures(street: U8, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pictures")
    write_png(folder / "street.png", street)
    write_png(folder / "dot.png", street[:1, :1])
    write_png(folder / "wide.png", np.tile(street[120:123], (1, 7, 1)))
    cv2.imwrite(str(folder / "grey.jpg"), cv2.cvtColor(street, cv2.COLOR_RGB2GRAY))
    (folder / "torn.png").write_bytes((folder / "street.png").read_bytes()[:200])
    (folder / "empty.png").write_bytes(b"")
    return folder


def write_manifest(path: Path, lines: list[dict[str, Any] | bytes]) -> Path:
    raw = [line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines]
    path.write_bytes(b"\n".join(raw) + b"\n")
    return path


def test_pictures_and_commands_give_overlays_masks_and_json(pictures: Path, street: U8, tmp_path: Path) -> None:
    image = pictures / "street.png"
    answer = ris("--image", image, "--command", "the road", "the elephant", "--out", tmp_path / "new" / "out", "--json")
    assert answer.returncode == 0, answer.stderr
    assert "use: " in answer.stderr, "the model's terms are not said"
    road, elephant = json.loads(answer.stdout)
    assert (road["status"], elephant["status"]) == ("PRESENT", "ABSENT")
    mask = cv2.imread(road["files"]["mask"], cv2.IMREAD_UNCHANGED)
    assert mask.shape == street.shape[:2]
    assert set(np.unique(mask)) == {0, 255}
    overlay = read_image(Path(road["files"]["overlay"]))
    assert overlay.shape == street.shape
    assert (overlay != street).any(axis=2)[mask > 0].mean() > 0.9, "the overlay does not show the mask"
    assert not cv2.imread(elephant["files"]["mask"], cv2.IMREAD_UNCHANGED).any()
    assert json.loads((tmp_path / "new/out/street.the-road.json").read_text()) == road


def test_what_cannot_be_answered_is_named_and_does_not_stop_the_rest(pictures: Path, tmp_path: Path) -> None:
    images = [pictures / name for name in ("torn.png", "none.png", "street.png")]
    answer = ris("--image", *images, "--command", "the road", "\u200b", "--out", tmp_path)
    assert answer.returncode == 1
    assert "torn.png' is not a picture" in answer.stderr
    assert "none.png': No such file" in answer.stderr
    assert "'the road' PRESENT" in answer.stdout
    assert len(answer.stdout.strip().splitlines()) == 1
    assert "Traceback" not in answer.stderr


def test_equal_names_do_not_overwrite_each_other(pictures: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    write_png(other / "street.png", np.zeros((20, 30, 3), np.uint8))
    answer = ris(
        "--image", pictures / "street.png", other / "street.png", "--command", "hello", "--out", tmp_path / "o"
    )
    assert answer.returncode == 0
    sizes = {
        (entry["width"], entry["height"])
        for entry in map(json.loads, (p.read_text() for p in tmp_path.glob("o/*.json")))
    }
    assert sizes == {(427, 240), (30, 20)}


def test_a_view_angle_gives_a_goal_in_metres(pictures: Path, tmp_path: Path) -> None:
    values = {"camera_z_m": 1.55, "camera_pitch_deg": 4, "min_region_m2": 0.5, "clearance_m": 0.05}
    values |= {"vehicle_length_m": 0.5, "vehicle_width_m": 0.4}
    setting = [word for name, value in values.items() for word in ("--set", f"{name}={value}")]
    where = ("--image", pictures / "street.png", "--command", "drive along the road", "--out", tmp_path, "--json")
    answer = ris(*where, "--hfov", 66, *setting)
    assert answer.returncode == 0, answer.stderr
    (entry,) = json.loads(answer.stdout)
    assert entry["status"] == "PRESENT"
    target = entry["target"]
    assert target["status"] == "OK", target["message"]
    assert 2 < target["position_m"][0] < 40
    assert Path(entry["files"]["region"]).is_file()
    (plain,) = json.loads(ris(*where).stdout)
    assert plain["target"] is None


def test_batch_lines_have_the_stated_form_and_agree_with_the_core(pictures: Path, street: U8, tmp_path: Path) -> None:
    lines = [
        {"id": 1, "image": "street.png", "text": "the road"},
        {"id": "b", "image": "street.png", "text": "stop next to the car", "type": "region"},
        {"id": 3, "image": "street.png", "text": "the elephant", "type": "object"},
        {"id": 4, "image": "dot.png", "text": "the road"},
        {"id": 5, "image": "wide.png", "text": "the road", "type": "region"},
        {"id": 6, "image": "grey.jpg", "text": "stop next to the car", "type": "object"},
    ]
    manifest = write_manifest(tmp_path / "in.jsonl", list(lines))
    out = tmp_path / "deep" / "preds.jsonl"
    answer = ris("--manifest", manifest, "--root", pictures, "--out", out)
    assert answer.returncode == 0, answer.stderr
    assert "6/6" in answer.stderr, "no progress bar"
    predictions = [json.loads(line) for line in out.read_text().splitlines()]
    assert [p["id"] for p in predictions] == [line["id"] for line in lines]
    assert all(list(p) == FIELDS for p in predictions)
    with Grounder.open(BASELINE) as grounder:
        for line, prediction in zip(lines, predictions, strict=True):
            kind = QueryKind.REGION if line.get("type") == "region" else QueryKind.OBJECT
            image = read_image(pictures / str(line["image"]))
            truth = grounder.ground(image, Query(str(line["text"]), kind=kind))
            height, width = image.shape[:2]
            for name, mask in (("mask", truth.mask), ("region", truth.region_mask)):
                runs = prediction[name]
                assert (runs is None) == (not mask.any())
                if runs is not None:
                    assert np.array_equal(decode_rle(runs, height, width), mask)
            assert prediction["present"] == truth.found
            assert prediction["presence"] == pytest.approx(truth.presence, abs=1e-4)
            assert (prediction["point"] is None) == (truth.point is None)
    assert predictions[0]["present"]
    assert predictions[0]["mask"] is not None
    assert not predictions[2]["present"]
    assert [p["region"] for p in (predictions[0], predictions[5])] == [None, None]


def test_a_dash_writes_predictions_to_stdout_and_nothing_else(pictures: Path, tmp_path: Path) -> None:
    manifest = write_manifest(pictures / "in.jsonl", [{"id": 7, "image": "dot.png", "text": "the road"}])
    answer = ris("--manifest", manifest, "--out", "-")  # without --root: the manifest's own folder
    assert answer.returncode == 0, answer.stderr
    assert json.loads(answer.stdout)["id"] == 7


def test_bad_lines_are_named_by_number_and_the_rest_is_answered(pictures: Path, tmp_path: Path) -> None:
    good = {"id": "good", "image": "street.png", "text": "the road"}
    bad: list[dict[str, Any] | bytes] = [
        b"{not json",
        b'["a list"]',
        b'{"id": 1, "image": "street.png", "text": "\xff\xfe"}',
        {"image": "street.png", "text": "the road"},
        {**good, "image": "none.png"},
        {**good, "image": "torn.png"},
        {**good, "image": "empty.png"},
        {**good, "image": "."},
        {**good, "image": "nul\0byte.png"},
        {**good, "type": "sphere"},
        {**good, "text": ["the", "road"]},
        {**good, "text": "  "},
        {**good, "text": "road " * 2000},
        {**good, "id": None},
        {**good, "id": float("nan")},
        b"[" * 100000,
    ]
    manifest = write_manifest(tmp_path / "in.jsonl", [good, b"", *bad, {**good, "text": "la voiture \U0001f697"}, good])
    out = tmp_path / "preds.jsonl"
    answer = ris("--manifest", manifest, "--root", pictures, "--out", out, "--json")
    assert answer.returncode == 1
    summary = json.loads(answer.stdout)
    assert [entry["line"] for entry in summary["bad"]] == list(range(3, 3 + len(bad)))
    for entry in summary["bad"]:
        assert f"line {entry['line']}: {entry['error']}" in answer.stderr
    predictions = [json.loads(line) for line in out.read_text().splitlines()]
    assert [p["id"] for p in predictions] == ["good"] * 3
    assert predictions[0] == predictions[2]
    assert summary["answers"] == 3
    assert "Traceback" not in answer.stderr


def test_stopping_keeps_what_was_answered_and_says_so(pictures: Path, tmp_path: Path) -> None:
    lines: list[dict[str, Any] | bytes] = [{"id": i, "image": "street.png", "text": "the road"} for i in range(5000)]
    manifest, out = write_manifest(tmp_path / "in.jsonl", lines), tmp_path / "preds.jsonl"
    options = ["--manifest", str(manifest), "--root", str(pictures), "--out", str(out), "--bundle", BASELINE]
    command = [sys.executable, "-m", "ris_node.cli", "predict", *options]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        deadline = time.monotonic() + 60
        while process.poll() is None and time.monotonic() < deadline:
            if out.exists() and out.read_bytes().count(b"\n") >= 3:
                break
            time.sleep(0.02)
        os.kill(process.pid, signal.SIGINT)
        _, shown = process.communicate(timeout=60)
    assert process.returncode == 130
    kept = [json.loads(line) for line in out.read_text().splitlines()]
    assert [p["id"] for p in kept] == list(range(len(kept)))
    assert f"{len(kept)} answers of 5000 lines" in shown
    assert "Traceback" not in shown


class Stopped(io.StringIO):
    """A file at whose n-th line Ctrl-C comes, right after it was written."""

    def __init__(self, lines: int) -> None:
        super().__init__()
        self.lines = lines

    def flush(self) -> None:
        if self.getvalue().count("\n") == self.lines:
            signal.raise_signal(signal.SIGINT)


def test_ctrl_c_between_writing_and_counting_counts_what_was_written() -> None:
    out, tally = Stopped(3), Tally(9, 0, [])
    with pytest.raises(KeyboardInterrupt):
        _answer_lines([(n, b"") for n in range(9)], lambda _: {"id": 1}, out, tally)
    assert tally.answers == out.getvalue().count("\n") == 3
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


@pytest.mark.parametrize(
    "args",
    [
        ["--out", "x"],
        ["--image", "a.png", "--out", "x"],
        ["--image", "a.png", "--command", "b", "--manifest", "c", "--out", "x"],
        ["--manifest", __file__, "--out", __file__],
        ["--manifest", __file__, "--out", str(Path(__file__).parent)],
        ["--image", "a.png", "--command", "b", "--out", __file__],
        ["--image", "a.png", "--command", "b", "--out", "x", "--set", "mask_threshold=7"],
    ],
)
def test_wrong_usage_is_exit_code_2_and_touches_nothing(args: list[str]) -> None:
    before = Path(__file__).read_bytes()
    answer = ris(*args)
    assert answer.returncode == 2, answer.stderr
    assert "Traceback" not in answer.stderr
    assert Path(__file__).read_bytes() == before


@pytest.mark.parametrize("content", [None, b"", b"\n \n"])
def test_a_manifest_without_lines_is_a_failure(content: bytes | None, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / "in.jsonl").write_bytes(content)
    answer = ris("--manifest", tmp_path / "in.jsonl", "--out", tmp_path / "out.jsonl")
    assert answer.returncode == 1
    assert "in.jsonl" in answer.stderr
    assert not (tmp_path / "out.jsonl").exists()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")
def test_a_full_disk_is_said_in_one_line(pictures: Path, tmp_path: Path) -> None:
    manifest = write_manifest(tmp_path / "in.jsonl", [{"id": 1, "image": "street.png", "text": "the road"}])
    answer = ris("--manifest", manifest, "--root", pictures, "--out", "/dev/full")
    assert answer.returncode == 1
    assert "No space left" in answer.stderr
    assert "Traceback" not in answer.stderr


def test_lines_and_pictures_by_themselves(tmp_path: Path) -> None:
    item = parse_line(b'{"id": 1.5, "image": "a/b.png", "text": "x", "extra": 0}', tmp_path)
    assert (item.id, item.image, item.kind) == (1.5, tmp_path / "a/b.png", QueryKind.OBJECT)
    with pytest.raises(DataError, match="'id'"):
        parse_line(b'{"id": true, "image": "a", "text": "x"}', tmp_path)
    deep = np.arange(12, dtype=np.uint16).reshape(3, 4) * 5000
    cv2.imwrite(str(tmp_path / "deep.png"), deep)
    assert read_image(tmp_path / "deep.png").shape == (3, 4, 3)
    cv2.imwrite(str(tmp_path / "alpha.png"), np.zeros((5, 2, 4), np.uint8))
    assert read_image(tmp_path / "alpha.png").shape == (5, 2, 3)
    with pytest.raises(ImageError, match="directory"):
        read_image(tmp_path)
