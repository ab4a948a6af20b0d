# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np
import pytest

from ris_node.cli import demo
from ris_node.demo.judge import answer_mask, judge, truth_of
from ris_node.demo.picture import compose
from ris_node.demo.recording import FrameWriter, JsonLines, read_frames, read_lines
from ris_node.demo.script import own_script, scene_script
from ris_node.demo.sources import FolderSource, SceneSource, fitted, open_source
from ris_node.errors import DemoError
from ris_node.media.film import Film, contact_sheet
from ris_node.rle import encode_rle
from ris_scene.spec import demo_spec
from ris_scene.truth import Place

SIZE = (320, 240)


@pytest.fixture(scope="module")
def source():
    return SceneSource(demo_spec(*SIZE))


def answer(mask, status="PRESENT", target=None):
    instance = {"label": "car", "score": 0.8, "box": [1, 2, 3, 4], "rle": [int(n) for n in encode_rle(mask)]}
    row = {"stamp_ns": 5, "query_id": "demo-1", "text": "stop next to it", "status": status, "presence": 0.9}
    row |= {"height": SIZE[1], "width": SIZE[0], "message": "", "dropped": 0, "timing": {"end_to_end": 50.0}}
    return row | {"target": target, "instances": [instance] if mask.any() else []}


def test_a_perfect_answer_scores_perfectly_and_a_wrong_one_does_not(source):
    script = scene_script(48.0)
    step = next(step for step in script.steps if step.place is Place.BESIDE)
    scene = source.frame(script.steps[0].seconds + 1.0).scene
    truth = truth_of(scene, step)
    assert truth.region is not None and truth.mask is not None
    x, y, yaw = truth.region.goal
    target = {"status": "OK", "x": x, "y": y, "yaw": yaw, "footprint": truth.region.outline.tolist(), "message": ""}
    row = answer(truth.mask, target=target)
    assert np.array_equal(answer_mask(row), truth.mask)
    best = judge(truth, row)
    assert (best.right, best.iou, best.goal_error_m, best.goal_inside) == (True, 1.0, 0.0, True)
    off = judge(truth, answer(np.roll(truth.mask, 40, axis=1), target={**target, "x": x + 3.0, "y": y - 4.0}))
    assert off.iou < 0.5 and 3.0 < off.goal_error_m <= 5.0 and off.goal_inside is False
    assert not judge(truth, answer(truth.mask & False, "ABSENT")).right


def test_the_script_has_an_absent_thing_and_a_change_in_mid_flight(source):
    script = scene_script(48.0)
    assert script.seconds == pytest.approx(48.0)
    verdicts, begin = {}, 0.0
    for step in script.steps:
        verdicts[step.text] = truth_of(source.frame(begin + step.seconds / 2).scene, step).verdicts
        begin += step.seconds
    assert verdicts["the elephant"] == ("ABSENT",) and verdicts["the yellow bus"] == ("ABSENT",)
    assert sum(found == ("PRESENT",) for found in verdicts.values()) >= 6, verdicts
    assert min(step.seconds for step in script.steps) < 2.0
    assert [row["id"] for row in script.spoken()] == list(script.by_id)


def test_kept_frames_come_back_with_their_truth(source, tmp_path):
    kept = tmp_path / "frames"
    writer = FrameWriter(kept)
    frames = [source.frame(t) for t in (0.0, 2.0, 4.0)]
    for i, frame in enumerate(frames):
        writer.add(frame, 1000 + i)
    back = list(read_frames(kept, source.world, {1000, 1002}))
    assert [frame.stamp_ns for frame in back] == [1000, 1002]
    assert back[1].scene.objects == frames[2].scene.objects
    assert np.array_equal(back[1].scene.instance_map, frames[2].scene.instance_map)
    assert np.array_equal(back[1].scene.class_map, frames[2].scene.class_map)
    assert np.abs(back[1].image.astype(int) - frames[2].image).mean() < 4.0


def test_film_and_sheet_can_be_read_back(source, tmp_path):
    frame = source.frame(1.0)
    FrameWriter(tmp_path / "frames").add(frame, 5)
    (kept,) = read_frames(tmp_path / "frames", source.world, {5})
    mask = frame.scene.instance_map > 0
    picture = compose(kept, answer(mask), None)
    assert picture.shape[0] == 720 and picture.shape[1] % 2 == 0
    with Film(tmp_path / "overlay.mp4", 8.0) as film:
        for _ in range(5):
            film.add(picture)
    capture = cv2.VideoCapture(str(tmp_path / "overlay.mp4"))
    assert capture.get(cv2.CAP_PROP_FRAME_COUNT) == 5
    contact_sheet(tmp_path / "sheet.png", [picture] * 4)
    assert cv2.imread(str(tmp_path / "sheet.png")) is not None


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")
@pytest.mark.parametrize("what", ["lines", "frames"])
def test_a_full_disk_is_said_with_what_to_do(source, tmp_path, what):
    with pytest.raises(DemoError, match=r"No space left .*; free some space or choose --out"):
        if what == "lines":
            JsonLines(Path("/dev/full")).write({"a": 1})
        else:
            writer = FrameWriter(tmp_path / "frames")
            (writer.folder / "000000.jpg").symlink_to("/dev/full")
            writer.add(source.frame(0.0), 5)


def test_own_footage(tmp_path):
    cv2.imwrite(str(tmp_path / "b.png"), np.full((100, 200, 3), (255, 0, 0), np.uint8))
    (tmp_path / "a.png").write_bytes(b"no image")
    folder = open_source(str(tmp_path), demo_spec(*SIZE), 4.0)
    assert isinstance(folder, FolderSource)
    first = folder.frame(0.0)
    assert first.scene is None and first.image.shape == (100, 200, 3) and tuple(first.image[0, 0]) == (0, 0, 255)
    assert folder.frame(60.0) is None
    cv2.imwrite(str(tmp_path / "b.jpg"), np.full((100, 200, 3), (0, 0, 255), np.uint8))
    photo = open_source(str(tmp_path), demo_spec(*SIZE), 4.0).frame(0.0)
    assert photo.image[0, 0, 0] > 200, "a PNG beside a JPEG of the same name is its annotation"
    (tmp_path / "b.jpg").unlink()
    assert fitted(np.zeros((1000, 500, 3), np.uint8), 640, 480).shape == (480, 240, 3)
    assert own_script(["a", "b"], 8.0).seconds == 8.0
    with Film(tmp_path / "own.mp4", 10.0) as film:
        for value in range(0, 250, 10):
            film.add(np.full((48, 64, 3), value, np.uint8))
    video = open_source(str(tmp_path / "own.mp4"), demo_spec(*SIZE), 4.0)
    tones = [int(video.frame(t).image.mean()) for t in (0.0, 1.0, 2.0)]
    assert np.allclose(tones, [0, 100, 200], atol=12), "frames are skipped to keep the time"
    assert video.frame(9.0) is None


@pytest.mark.parametrize("source_name", ["nowhere.mp4", "camera:first", "empty"])
def test_a_source_that_cannot_be_opened_is_named(tmp_path, source_name, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    with pytest.raises(DemoError, match=source_name.split(":", maxsplit=1)[0]):
        open_source(source_name, demo_spec(*SIZE), 4.0)


@pytest.mark.parametrize("change", [{"size": "640"}, {"size": "9x9"}, {"rate": 0.0}])
def test_bad_arguments_are_refused_before_anything_starts(tmp_path, change, capsys):
    parser = argparse.ArgumentParser()
    demo.add_arguments(parser)
    args = parser.parse_args(["--out", str(tmp_path / "out")])
    assert demo.run(argparse.Namespace(**{**vars(args), **change})) == 1
    assert f"--{next(iter(change))}" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_lines_cut_off_by_a_full_disk_do_not_hide_the_rest(tmp_path):
    (tmp_path / "results.jsonl").write_text('{"a": 1}\n{"a": 2}\n{"a": ')
    assert read_lines(tmp_path / "results.jsonl") == [{"a": 1}, {"a": 2}]
    assert read_lines(tmp_path / "none.jsonl") == []


@pytest.mark.ros
@pytest.mark.parametrize("more", [["--source", "frames", "--command", "the van"], ["--record"]])
def test_nothing_of_the_users_is_removed(tmp_path, monkeypatch, capsys, more):
    pytest.importorskip("rclpy")
    pytest.importorskip("ris_msgs")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "frames").mkdir()
    cv2.imwrite("frames/0.png", np.zeros((48, 64, 3), np.uint8))
    (tmp_path / "drive").mkdir()
    (tmp_path / "drive/drive.mcap").write_text("recorded")
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    parser = argparse.ArgumentParser()
    demo.add_arguments(parser)
    assert demo.run(parser.parse_args(["--out", ".", *more])) == 2
    assert "choose another --out" in capsys.readouterr().err
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before
