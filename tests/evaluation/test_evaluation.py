# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""The evaluation: perfect answers score 1, silent ones score as silence should, and a real bundle runs end to end."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import cv2
import numpy as np
import pytest
from tiny_bundle import make_tiny_bundle

from ris_node.data.evalset import EvalItem, listening_pairs, write_manifest
from ris_node.evaluation.__main__ import every_nth_picture, main
from ris_node.evaluation.answers import road_centre_hits, score
from ris_node.evaluation.table import Goal, format_goals, format_table, goals, make_table
from ris_node.rle import encode_rle
from ris_node.types import Status

H, W = 30, 40


def box(x0, y0, x1, y1):
    mask = np.zeros((H, W), bool)
    mask[y0:y1, x0:x1] = True
    return mask


LEFT, RIGHT, LANE = box(2, 5, 10, 12), box(25, 5, 33, 12), box(10, 18, 30, 28)
NOTHING = np.zeros((H, W), bool)


def item(name, kind, mask=None, region=None, **more):
    runs = [None if m is None else tuple(encode_rle(m)) for m in (mask, region)]
    base = EvalItem(name, "a.png", name, "object", kind, "set", mask is not None or region is not None, W, H, *runs,
                    class_name="car", in_view=2, group="a.png", road_point=(20, 23))  # fmt: skip
    return replace(base, **more)


ITEMS = [
    item("the left car", "order", LEFT),
    item("the right car", "order", RIGHT),
    item("the car", "single", LEFT, in_view=1),
    item("the bus", "absent"),
    item("the owl", "alien"),
    item("stop here", "region", None, LANE, type="region"),
]


def answers(mask_of, region_of, status_of, point=(20.0, 23.0)):
    return [
        score(i, status_of(i), 0.9 if status_of(i) == Status.PRESENT else 0.1, mask_of(i), region_of(i), point)
        for i in ITEMS
    ]


def honest(i):
    return Status.PRESENT if i.present else Status.ABSENT


def or_nothing(mask):
    return NOTHING if mask is None else mask


def test_perfect_answers():
    made = answers(lambda i: or_nothing(i.mask_truth()), lambda i: or_nothing(i.region_truth()), honest)
    rows = {r.name: r for r in make_table(made, list(listening_pairs(ITEMS)))}
    everything = rows["all"]
    for value in (everything.miou, everything.oiou, everything.p50, everything.found, everything.refused,
                  everything.riou, everything.pointing, everything.inside, everything.region_miou):  # fmt: skip
        assert value == 1.0
    assert everything.listens == 1.0
    assert everything.ece == pytest.approx(0.1)
    assert (everything.present, everything.absent) == (4, 2)
    assert math.isnan(rows["absent"].miou) and rows["absent"].refused == 1.0
    assert rows["order"].present == 2


def test_the_same_answer_to_everything_does_not_listen():
    made = answers(lambda i: LEFT, lambda i: NOTHING, lambda i: Status.PRESENT, point=None)
    row = make_table(made, list(listening_pairs(ITEMS)))[0]
    assert row.listens == 0.0
    assert row.miou == pytest.approx(2 / 3)
    assert row.refused == 0.0 and row.pointing == 0.0
    assert row.riou == pytest.approx(112 / (56 + 112 + 56 + 2 * 56))


def test_an_uncertain_mask_counts_but_is_not_found():
    made = answers(lambda i: or_nothing(i.mask_truth()), lambda i: NOTHING, lambda i: Status.UNCERTAIN)
    row = make_table(made, [])[0]
    assert row.miou == 1.0 and row.found == 0.0
    assert row.refused == 1.0, "an empty mask refuses, whatever the status"


def test_goals_are_judged_against_the_baseline_of_the_run():
    right = answers(lambda i: or_nothing(i.mask_truth()), lambda i: or_nothing(i.region_truth()), honest)
    good = make_table(right, [])
    poor = make_table(answers(lambda i: NOTHING, lambda i: NOTHING, lambda i: Status.ABSENT, None), [])
    reached = {g.name: g.reached for g in goals(good, poor)}
    assert reached["mIoU over the baseline, all"] and reached["mIoU over the baseline, order"]
    assert not reached["listens"], "not measured is not reached"
    assert not any(g.reached for g in goals(poor, good) if "mIoU" in g.name or "found" in g.name)
    assert "MISSED" in format_goals([Goal("x", 0.1, 0.2)])
    assert "order" in format_table(good)


def test_road_centre_and_picture_step():
    assert road_centre_hits(ITEMS) == [True]
    other = [replace(i, group="b.png", road_point=(0, 0)) for i in ITEMS]
    assert road_centre_hits(other) == [False]
    assert every_nth_picture(ITEMS + other, 2) == ITEMS


@pytest.fixture
def tiny_folder(tmp_path):
    return make_tiny_bundle(tmp_path / "tiny")


def test_a_bundle_is_measured_end_to_end(tmp_path, monkeypatch, tiny_folder, capsys):
    (tmp_path / "data").mkdir()
    monkeypatch.setenv("RIS_SHARED", str(tmp_path))
    cv2.imwrite(str(tmp_path / "a.png"), np.full((H, W, 3), 90, np.uint8))
    write_manifest(tmp_path / "eval.jsonl", ITEMS)
    out = tmp_path / "eval.json"
    manifest = str(tmp_path / "eval.jsonl")
    code = main(["--bundles", str(tiny_folder), "--manifest", manifest, "--out", str(out), "--quiet",
                 "--answers", str(tmp_path / "answers")])  # fmt: skip
    assert code == 0, capsys.readouterr().err
    report = json.loads(out.read_text())
    assert report["items"] == len(ITEMS) and report["pictures"] == 1
    rows = report["bundles"][tiny_folder.name]["rows"]
    assert rows[0]["name"] == "all" and rows[0]["present"] == 4
    lines = (tmp_path / "answers" / f"{tiny_folder.name}.jsonl").read_text().splitlines()
    assert [json.loads(x)["id"] for x in lines] == [i.id for i in ITEMS]


def test_a_missing_bundle_is_an_error_not_a_crash(tmp_path, monkeypatch, capsys):
    (tmp_path / "data").mkdir()
    monkeypatch.setenv("RIS_SHARED", str(tmp_path))
    write_manifest(tmp_path / "eval.jsonl", ITEMS)
    assert main(["--bundles", str(tmp_path / "none"), "--manifest", str(tmp_path / "eval.jsonl"), "--quiet"]) == 1
    assert "error:" in capsys.readouterr().err
