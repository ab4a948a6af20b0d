# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""`ris evaluate` with a real bundle whose answers are known, with predictions, with a cache, and what it writes."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from scored import runs
from tiny_bundle import make_tiny_bundle

from ris_node.cli.__main__ import main
from ris_node.config import ModelConfig
from ris_node.data.evalset import EvalItem, read_manifest, write_manifest
from ris_node.errors import ConfigError, DataError
from ris_node.evaluation.answers import Prediction, Scored, score
from ris_node.evaluation.report.pictures import choose, draw
from ris_node.evaluation.systems import read_predictions
from ris_node.evaluation.variants import parse_entries
from ris_node.pipeline.keyword.segmenter import KeywordSegmenter
from ris_node.types import Status

ROOT = Path(__file__).resolve().parents[2]
H, W = 128, 160
COLOURS = {"red": (255, 0, 0), "green": (0, 255, 0), "blue": (0, 0, 255)}


def rectangle(x0, y0, x1, y1):
    mask = np.zeros((H, W), bool)
    mask[y0:y1, x0:x1] = True
    return mask


PLACES = {"red": rectangle(16, 16, 64, 56), "green": rectangle(96, 16, 144, 72)}


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Two pictures with a red and a green box each (none is blue), their items, and the bundle that finds them."""
    folder = tmp_path_factory.mktemp("evaluate")
    image = np.full((H, W, 3), 114, np.uint8)
    for name, mask in PLACES.items():
        image[mask] = COLOURS[name]
    items = []
    for n in range(2):
        cv2.imwrite(str(folder / f"{n}.png"), image[..., ::-1])
        for name in COLOURS:
            mask = PLACES.get(name)
            items.append(EvalItem(
                id=f"{n}/{name}", image=f"{n}.png", text=f"the {name} thing", type="object", set="mine", width=W,
                kind="single" if name in PLACES else "absent", present=name in PLACES, height=H, mask=runs(mask),
                class_name="thing",
            ))  # fmt: skip
        below = np.roll(PLACES["red"], 12, axis=0)
        items.append(replace(items[-3], id=f"{n}/stop", text="stop next to the red thing", type="region", kind="region",
                             mask=None, region=runs(below)))  # fmt: skip
    write_manifest(folder / "truth.jsonl", items)
    make_tiny_bundle(folder / "tiny")
    return folder


def evaluate(place, out, *more, code=0):
    command = ["evaluate", "--manifest", str(place / "truth.jsonl"), "--out", str(out), "--quiet", *map(str, more)]
    assert main(command) == code
    return json.loads((out / "report.json").read_text()) if code == 0 else None


@pytest.fixture(scope="module")
def first(place, tmp_path_factory):
    """The report of the tiny bundle, with the folder that it lies in."""
    out = tmp_path_factory.mktemp("first")
    return evaluate(place, out, "--bundles", place / "tiny", "--threads", 2), out


def test_a_bundle_is_measured_end_to_end(first, place):
    report, _ = first
    assert (report["items"], report["pictures"]) == (8, 2)
    row = report["bundles"]["tiny"]["rows"][0]
    assert row["name"] == "all" and (row["present"], row["absent"]) == (6, 2)
    assert row["miou"] > 0.85 and row["p50"] == row["found"] == row["refused"] == row["listens_strict"] == 1.0
    assert row["region_miou"] > 0.3 and row["pointing"] == 1.0 and row["recall_1"] == 1.0
    assert report["bundles"]["tiny"]["about"]["bytes"] > 1000
    assert report["bundles"]["tiny"]["intervals"]["all"]["miou"][0] <= row["miou"]


def test_the_html_report_stands_alone(first):
    text = (first[1] / "report.html").read_text(encoding="utf-8")
    outside = [s for s in re.findall(r'(?:src|href)="([^"]*)"', text.split("</script>")[-1]) if not s.startswith("#")]
    assert all(s.startswith("data:image/jpeg") for s in outside)
    for part in ("Reliability", "ROC of presence", "the best", "the worst", "R-RIS", "GRES", "the red thing"):
        assert part in text, part
    assert text.count("data:image/jpeg") >= 8


def test_its_answers_as_predictions_give_the_same_report(first, place, tmp_path):
    report, out = first
    again = evaluate(place, tmp_path, "--predictions", out / "answers" / "tiny.jsonl", "--no-html")
    assert again["bundles"]["tiny"]["rows"] == report["bundles"]["tiny"]["rows"]
    assert again["bundles"]["tiny"]["intervals"] == report["bundles"]["tiny"]["intervals"]


def test_what_ris_predict_writes_can_be_scored(first, place, tmp_path):
    theirs = tmp_path / "preds.jsonl"
    assert main(["predict", "--manifest", str(place / "truth.jsonl"), "--bundle", str(place / "tiny"), "--out",
                 str(theirs)]) == 0  # fmt: skip
    rows = evaluate(place, tmp_path, "--predictions", theirs, "--no-html")["bundles"]["preds"]["rows"]
    known = first[0]["bundles"]["tiny"]["rows"]
    for mine, row in zip(known, rows, strict=True):
        assert {k: v for k, v in mine.items() if not k.startswith("recall_")} == row, "no map of the region, no recall"


def test_a_second_run_takes_its_answers_from_the_first(first, place):
    _, out = first
    cache = out / "answers" / "tiny.jsonl"
    lines = cache.read_text().splitlines()
    forged = json.loads(lines[0]) | {"presence": 0.123}
    cache.write_text("\n".join([json.dumps(forged), *lines[1:-1], lines[-1][:20]]))  # and the last one was cut off
    evaluate(place, out, "--bundles", place / "tiny", "--no-html")
    made = {v["id"]: v for v in map(json.loads, cache.read_text().splitlines())}
    assert len(made) == 8 and made[forged["id"]]["presence"] == 0.123
    evaluate(place, out, "--bundles", place / "tiny", "--no-html", "--every", 2)
    made = {v["id"]: v for v in map(json.loads, cache.read_text().splitlines())}
    assert len(made) == 4 and made["0/red"]["presence"] != 0.123, "other items: begun anew"


def test_the_baseline_without_rules_answers_with_the_whole_class(monkeypatch):
    classes = np.full((64, 80), -5.0, np.float32)
    classes[30:40, 10:20] = classes[30:40, 50:60] = 5.0
    asked = []

    def class_logits(self, image, features):
        asked.append(features.rule)
        return classes, np.full((64, 80), -5.0, np.float32)

    monkeypatch.setattr(KeywordSegmenter, "class_logits", class_logits)
    folder = str(ROOT / "engines/keyword-baseline")
    image = np.full((256, 320, 3), 90, np.uint8)
    areas = []
    for entry in parse_entries([folder, f"{folder}:no-rules"]):
        with entry.open(ModelConfig(num_threads=1, warmup_iterations=0)) as grounder:
            masks = [grounder.ground(image, text).mask for text in ("the leftmost car", "the car on the right")]
            areas.append([int(mask[:, :160].sum() > 0) + 2 * int(mask[:, 160:].sum() > 0) for mask in masks])
    assert areas == [[1, 2], [3, 3]], "with rules one side each, without always both"
    assert len(asked) == 1, "one picture and one class: the network runs once for both texts and both variants"


def test_entries_are_named_and_checked(place):
    entries = parse_entries(["engines/keyword-baseline", "engines/keyword-baseline:no-rules"])
    assert [e.name for e in entries] == ["keyword-baseline", "keyword-baseline:no-rules"]
    assert entries[0].maps is entries[1].maps
    with pytest.raises(ConfigError, match="no-rules"):
        parse_entries(["engines/keyword-baseline:rules"])
    with pytest.raises(ConfigError, match="once"):
        parse_entries(["a/default", "b/default"])


def test_wrong_use_is_said(place, tmp_path, capsys):
    evaluate(place, tmp_path, code=2)
    evaluate(place, tmp_path, "--bundles", place / "none", "--no-html", code=1)
    evaluate(place, tmp_path, "--bundles", f"{place / 'tiny'}:no-rules", "--no-html", code=2)
    assert main(["evaluate", "--predictions", "x.jsonl"]) == 2
    assert main(["evaluate", "--bundles", "x", "--every", "0"]) == 2
    said = capsys.readouterr().err
    assert "nothing to measure" in said and "only keyword bundles have rules" in said and "--manifest" in said


LINE = {"id": "0/red", "present": True, "presence": 0.9, "mask": [H * W], "region": None, "point": None}


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["{"], "line 1"),
        ([json.dumps(LINE), json.dumps(LINE)], "twice"),
        ([json.dumps({"id": "0/red"})], "present"),
        ([json.dumps(LINE | {"presence": 1.5})], "0 to 1"),
        ([json.dumps(LINE | {"status": "MAYBE"})], "MAYBE"),
        ([json.dumps(LINE | {"id": "elsewhere"})], "another manifest"),
    ],
)
def test_bad_predictions_are_named(place, tmp_path, lines, message):
    path = tmp_path / "p.jsonl"
    path.write_text("\n".join(lines))
    with pytest.raises(DataError, match=message):
        read_predictions(path, read_manifest(place / "truth.jsonl"))


def test_pictures_that_cannot_be_measured_on_are_named_and_the_rest_is_measured(place, tmp_path, capsys):
    items = read_manifest(place / "truth.jsonl")
    lost = [replace(items[0], id="gone", image="gone.png"), replace(items[0], id="other", image="other.png")]
    cv2.imwrite(str(tmp_path / "other.png"), np.zeros((H, 2 * W, 3), np.uint8))
    (tmp_path / "bad.png").write_bytes((place / "0.png").read_bytes()[:40])
    lost.append(replace(items[0], id="bad", image="bad.png"))
    for name in ("0.png", "1.png", "tiny"):
        (tmp_path / name).symlink_to(place / name)
    write_manifest(tmp_path / "truth.jsonl", [*lost, *items])
    evaluate(tmp_path, tmp_path / "out", "--bundles", tmp_path / "tiny", "--no-html", code=1)
    assert json.loads((tmp_path / "out/report.json").read_text())["items"] == len(items)
    shown = capsys.readouterr().err
    for words in (
        "cannot read the image",
        "gone.png",
        "bad.png",
        f"other.png is {2 * W} x {H} pixels, its truth {W} x {H}",
    ):
        assert words in shown
    write_manifest(tmp_path / "truth.jsonl", lost)
    evaluate(tmp_path, tmp_path / "none", "--bundles", tmp_path / "tiny", "--no-html", code=1)
    assert "no picture can be measured on" in capsys.readouterr().err


def test_a_manifest_may_begin_with_a_mark_and_have_blank_lines(place, tmp_path):
    path = tmp_path / "truth.jsonl"
    path.write_text((place / "truth.jsonl").read_text().replace("\n", "\n\n"), encoding="utf-8-sig")
    assert read_manifest(path) == read_manifest(place / "truth.jsonl")


def test_missing_predictions_are_absent_and_wrong_sizes_are_named(place, tmp_path):
    items = read_manifest(place / "truth.jsonl")
    path = tmp_path / "p.jsonl"
    path.write_text(json.dumps(LINE | {"mask": [5, 5]}) + "\n\n", encoding="utf-8-sig")
    answers, missing = read_predictions(path, items)
    assert missing == 7 and answers[1].status == Status.ABSENT
    with pytest.raises(DataError, match="0/red"):
        score(items[0], answers[0])


def test_what_present_means_in_a_line_of_predictions():
    def status(**changes):
        return Prediction.from_line(LINE | changes).status

    assert status() == Status.PRESENT
    assert status(present=False) == Status.UNCERTAIN, "as ris predict writes it"
    assert status(present=False, mask=None) == Status.ABSENT
    assert status(present=True, status="AMBIGUOUS") == Status.AMBIGUOUS
    assert Prediction.from_line({"id": "x", "present": True}).presence == 1.0
    back = Prediction("x", Status.AMBIGUOUS, 0.5, mask=(3, 4), point=(1.0, 2.0), rank=7)
    assert Prediction.from_line(json.loads(json.dumps(back.to_line()))) == back


def test_a_picture_shows_answer_truth_and_goal(place):
    items = {i.id: i for i in read_manifest(place / "truth.jsonl")}
    image = np.full((H, W, 3), 100, np.uint8)
    scored = score(items["0/red"], Prediction("0/red", Status.PRESENT, 0.9, mask=runs(PLACES["green"])))
    drawn = draw(scored, image)
    assert drawn.shape == image.shape and not np.shares_memory(drawn, image)
    assert drawn[40, 120, 0] > drawn[40, 120, 2] + 60, "orange where it was answered"
    assert tuple(drawn[16, 40]) == (0, 230, 118), "a green outline where it is"
    assert (drawn[100, 150] == 100).all()
    goal = score(
        items["0/stop"], Prediction("0/stop", Status.PRESENT, 0.9, region=runs(PLACES["red"]), point=(30.0, 100.0))
    )
    assert (draw(goal, image)[100, 30] == 255).all()


def test_no_picture_is_chosen_twice(place):
    made: list[Scored] = [score(i, Prediction(i.id, Status.ABSENT, 0.0)) for i in read_manifest(place / "truth.jsonl")]
    assert [s.item.image for s in choose(made)] == ["0.png", "1.png"]


def test_a_manifest_needs_only_the_truth(tmp_path):
    path = tmp_path / "m.jsonl"
    path.write_text(json.dumps({"id": 7, "image": "a.png", "text": "the car", "present": True, "size": [4, 2],
                                "mask": [3, 5], "extra": 1}) + "\n")  # fmt: skip
    (found,) = read_manifest(path)
    assert (found.id, found.kind, found.type, found.group) == ("7", "any", "object", "a.png")
    assert found.mask_truth().sum() == 5
    path.write_text(json.dumps({"id": 7, "image": "a.png", "text": "the car", "present": True, "size": [4, 2]}))
    with pytest.raises(DataError, match="present"):
        read_manifest(path)


def test_a_data_set_is_measured_on(place, tmp_path):
    cv2.imwrite(str(place / "red.png"), PLACES["red"].astype(np.uint8) * 255)
    lines = [
        {"image": "0.png", "expression": "the red thing", "mask": "red.png"},
        {"image": "1.png", "expression": "the blue thing", "mask": None},
        {"image": "0.png", "expression": "the blue thing", "mask": None},
    ]
    (place / "mine.jsonl").write_text("\n".join(map(json.dumps, lines)))
    assert main(["evaluate", "--data", "jsonl", str(place / "mine.jsonl"), "--bundles", str(place / "tiny"), "--out",
                 str(tmp_path), "--no-html", "--quiet"]) == 0  # fmt: skip
    report = json.loads((tmp_path / "report.json").read_text())
    row = report["bundles"]["tiny"]["rows"][0]
    assert (row["present"], row["absent"], report["pictures"]) == (1, 2, 2)
    assert row["miou"] > 0.85 and row["refused"] == 1.0
    assert main(["evaluate", "--data", "atlantis", str(place), "--bundles", "x", "--no-html"]) == 1
