# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import drives
import numpy as np
import pytest
from drives import HEIGHT, START, STEP, WIDTH, Drive
from replay_fixtures import drive, model, tiny  # noqa: F401

from ris_node.data.masks.spec import coco_rle
from ris_node.errors import ConfigError, DataError
from ris_node.pipeline.grounder import Grounder
from ris_node.replay.options import Commands, ReplayOptions
from ris_node.replay.replay import replay
from ris_node.replay.rows import content_hash, iter_rows
from ris_node.review.compare import Comparison, broken, compare_runs, most_different
from ris_node.review.merge import merge_runs
from ris_node.review.review import score_run
from ris_node.review.score import score_rows, tabulate
from ris_node.review.scores import read_figures, read_scores
from ris_node.review.steady import jitter, simulate_live, summarise
from ris_node.review.truth import Truth, open_truth, stamp_in
from ris_node.rle import encode_rle

ABSENT = frozenset({3, 8})
ONLY = ReplayOptions(commands=Commands("the red thing"), bag=False, video=False, report=False)


def true_mask(n: int) -> np.ndarray:
    mask = np.zeros((HEIGHT, WIDTH), np.bool_)
    x, y = drives.square(n)
    mask[y : y + HEIGHT // 3, x : x + WIDTH // 4] = n not in ABSENT
    return mask


@pytest.fixture(scope="module")
def bag(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a drive in which the square is missing twice, with its truth on a topic."""
    truth = [
        ("/truth/mask", START + n * STEP, "sensor_msgs/Image",
         drives.image(true_mask(n).astype(np.uint8) * 255, START + n * STEP, "mono8"))
        for n in range(12)
    ]  # fmt: skip
    return drives.write(tmp_path_factory.mktemp("score") / "drive", Drive(absent=ABSENT, more=truth))


@pytest.fixture(scope="module")
def run(bag: Path, model: Grounder, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return that drive's replay."""
    out = tmp_path_factory.mktemp("score") / "run"
    replay(bag, out, ONLY, grounder=model)
    return out


def write_truth(kind: str, folder: Path) -> str:
    """The truth of the drive in one of its forms; returns what `--truth` is given."""
    stamps = [START + n * STEP for n in range(12)]
    if kind == "folder":
        for n, stamp in enumerate(stamps):
            name = f"{stamp}.png" if n % 2 else f"{stamp // 10**9}_{stamp % 10**9}.png"
            cv2.imwrite(str(folder / name), true_mask(n).astype(np.uint8) * 255)
        return str(folder)
    if kind == "manifest":
        lines = [
            {"id": str(n), "stamp_ns": stamp, "image": "x.png", "text": "the red thing", "size": [WIDTH, HEIGHT],
             "mask": encode_rle(true_mask(n)) if true_mask(n).any() else None, "present": n not in ABSENT}
            for n, stamp in enumerate(stamps)
        ]  # fmt: skip
        path = folder / "truth.jsonl"
        path.write_text("\n".join(json.dumps(line) for line in lines))
        return str(path)
    images = [{"id": n, "file_name": f"f_{s}.jpg", "width": WIDTH, "height": HEIGHT} for n, s in enumerate(stamps)]
    notes: list[Any] = []
    for n in range(12):
        x, y = drives.square(n)
        if n in ABSENT:
            continue
        half = true_mask(n).copy()
        half[: y + 20] = False
        right, middle = x + WIDTH // 4, y + 20
        notes.append({"image_id": n, "segmentation": [[x, y, right, y, right, middle, x, middle]]})
        notes.append({"image_id": n, "segmentation": coco_rle(half)})
    path = folder / "coco.json"
    path.write_text(json.dumps({"images": images, "annotations": notes}))
    return str(path)


def test_labels_of_16_bits_are_truth_too(bag: Path, tmp_path: Path) -> None:
    labels = drives.image(true_mask(0).astype(np.uint16), START, "16UC1")
    path = drives.write_items(tmp_path / "labels", [("/truth/mask", START, "sensor_msgs/Image", labels)])
    found, wanted = (open_truth("topic:/truth/mask", p).at(START, "") for p in (path, bag))
    assert found is not None and found == wanted


@pytest.mark.parametrize("kind", ["folder", "manifest", "coco"])
def test_every_form_of_truth_gives_the_scores_of_the_recorded_one(
    bag: Path, run: Path, tmp_path: Path, kind: str
) -> None:
    recorded = open_truth("topic:/truth/mask", bag)
    rows = list(iter_rows(run))
    wanted, found = (score_rows(rows, t) for t in (recorded, open_truth(write_truth(kind, tmp_path), bag)))
    assert [(s.item.present, s.intersection, s.union) for s in found] == [
        (s.item.present, s.intersection, s.union) for s in wanted
    ]
    table = tabulate(found)[0]
    assert (table.present, table.absent) == (10, 2)
    assert table.value("found") == table.value("refused") == 1.0
    assert table.value("miou") > 0.8
    assert table.estimates["miou"].interval is None  # twelve frames are one stretch


@pytest.mark.parametrize("kind", ["manifest", "coco"])
def test_a_byte_order_mark_is_no_part_of_the_truth(run: Path, tmp_path: Path, kind: str) -> None:
    path = Path(write_truth(kind, tmp_path))
    rows = list(iter_rows(run))
    wanted = score_rows(rows, open_truth(str(path), None))
    path.write_text(path.read_text(), encoding="utf-8-sig")
    assert score_rows(rows, open_truth(str(path), None)) == wanted


def test_truth_that_does_not_fit_is_refused(run: Path, tmp_path: Path) -> None:
    rows = list(iter_rows(run))
    with pytest.raises(DataError, match="speaks of none of the frames"):
        score_rows(rows, Truth([]))
    cv2.imwrite(str(tmp_path / f"{START}.png"), np.zeros((7, 9), np.uint8))
    with pytest.raises(DataError, match="9 x 7, the frame 160 x 120"):
        score_rows(rows, open_truth(str(tmp_path), None))
    with pytest.raises(DataError, match="holds nothing"):
        (tmp_path / "none").mkdir()
        open_truth(str(tmp_path / "none"), None)
    with pytest.raises(DataError, match="give a folder of masks"):
        open_truth("truth.xyz", None)


@pytest.mark.parametrize(
    ("name", "stamp"),
    [("1700000000100000000", 1_700_000_000_100_000_000), ("1700000000_5", 1_700_000_000_000_000_005),
     ("left-1700000000-100000000", 1_700_000_000_100_000_000), ("1700000000.1", 1_700_000_000_100_000_000),
     ("frame_000012", 12), ("mask", None)],
)  # fmt: skip
def test_stamps_in_names(name: str, stamp: int | None) -> None:
    assert stamp_in(name) == stamp


def test_the_second_look_measures_steadiness_and_leaves_its_figures(bag: Path, run: Path, tiny: Path) -> None:
    score_run(bag, run, replace(ONLY, bundle=tiny, truth="topic:/truth/mask"))
    figures, scores = read_figures(run), read_scores(run)
    assert len(scores) == 12
    assert [n for n, s in enumerate(scores) if s["truth_present"] is False] == sorted(ABSENT)
    steady = [s["steady_iou"] for s in scores]
    # a mask that follows its square is steady once the flow is taken out; one that goes or comes is not
    assert [n for n, value in enumerate(steady) if value == 0.0] == [3, 4, 8, 9]
    assert steady[0] is None
    assert min(value for n, value in enumerate(steady) if n not in (0, 3, 4, 8, 9)) > 0.75
    assert figures["steadiness"]["found"] == pytest.approx(10 / 12)
    assert figures["steadiness"]["flips"] == pytest.approx(4 / 11)
    assert figures["live"]["frames"] == 12
    assert figures["live"]["latency_ms"] > 0
    assert figures["table"][0]["metrics"]["found"]["value"] == 1.0


def test_jitter_is_the_scatter_and_not_the_motion() -> None:
    def rows(xy: np.ndarray) -> list[dict[str, Any]]:
        return [
            {"bag": "b", "frame": n, "query_id": "q", "target_status": "OK", "target_x": x, "target_y": y}
            for n, (x, y) in enumerate(xy.tolist())
        ]

    smooth = np.stack([np.linspace(30, 3, 400), np.full(400, 1.0)], axis=1)
    assert jitter(rows(smooth)) == pytest.approx(0.0, abs=1e-9)
    rng = np.random.default_rng(0)
    noisy = smooth + rng.normal(0.0, 0.2, smooth.shape)
    # the median length of a two-dimensional normal vector of 0.2 a side is 0.2 * sqrt(2 ln 2)
    assert jitter(rows(noisy)) == pytest.approx(0.2 * np.sqrt(2 * np.log(2)), rel=0.1)
    assert np.isnan(jitter(rows(smooth)[:2]))


def test_live_drops_follow_the_rule_that_the_newest_frame_wins() -> None:
    arrivals = [n * 100_000_000 for n in range(10)]
    fast = simulate_live(arrivals, [50.0])
    assert (fast.answered, fast.dropped, fast.age_ms) == (10, 0.0, 50.0)
    # 250 ms each: 0 runs to 250, then 2 (of 1, 2) to 500, then 5 to 750, 7 to 1000, and 9 is the last
    slow = simulate_live(arrivals, [250.0])
    assert slow.answered == 5
    assert slow.dropped == pytest.approx(0.5)
    assert slow.age_ms == pytest.approx(250.0, abs=51.0)


def test_a_summary_of_nothing_has_no_numbers() -> None:
    assert np.isnan(summarise([], []).found)


@pytest.fixture(scope="module")
def other(bag: Path, model: Grounder, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a run over the same drive that finds nothing from frame 6 on (its threshold is out of reach)."""
    from ris_node.replay.rows import RowWriter

    source = tmp_path_factory.mktemp("other") / "source"
    replay(bag, source, ONLY, grounder=model)
    worse = source.parent / "worse"
    worse.mkdir()
    writer = RowWriter(worse / "results.parquet")
    for row in iter_rows(source):
        if row["frame"] >= 6:
            row |= {"status": "ABSENT", "presence": 0.1, "mask_rle": [], "mask_area": 0.0, "instances": 0}
        writer.add(row)
    writer.close()
    return worse


def test_two_runs_are_told_apart_and_rules_for_ci_hold_or_not(bag: Path, run: Path, other: Path) -> None:
    found: Comparison = compare_runs(run, other, open_truth("topic:/truth/mask", bag))
    changed = [n for n in range(6, 12) if n not in ABSENT]
    assert found.flipped == pytest.approx(len(changed) / 12)
    assert found.line("found").difference == pytest.approx(-len(changed) / 12)
    assert found.line("mIoU").b == pytest.approx(found.line("mIoU").a / 2, abs=0.02)
    assert sorted(pair.a["frame"] for pair in most_different(found.pairs, 9, apart=1)) == changed
    assert broken(found, ["mIoU drops 0.6", "mIoU rises 0.01", "found drops 0.5"]) == []
    (words,) = broken(found, ["mIoU drops 0.01"])
    assert "'mIoU drops 0.01' fails" in words
    assert broken(found, ["found changes 0.4"])
    assert broken(found, ["found drops 0.01 surely"]) == []  # one stretch: nothing is sure
    for rule in ("mIoU falls 0.01", "glory drops 1", "mIoU drops"):
        with pytest.raises(ConfigError, match=r"--fail-if|there is no metric"):
            broken(found, [rule])


def test_a_run_compared_with_itself_does_not_differ(run: Path) -> None:
    found = compare_runs(run, run)
    assert found.agreement == 1.0
    assert found.flipped == 0.0
    assert all(line.difference == 0.0 or np.isnan(line.difference) for line in found.lines)
    assert most_different(found.pairs) == []


def test_runs_without_a_common_frame_are_refused(run: Path, model: Grounder, tmp_path: Path, drive: Path) -> None:
    replay(drive, tmp_path / "b", replace(ONLY, commands=Commands("the green thing")), grounder=model)
    with pytest.raises(DataError, match="no frame and command in common"):
        compare_runs(run, tmp_path / "b")


def test_merged_runs_keep_every_row_in_order(run: Path, other: Path, tmp_path: Path) -> None:
    merge_runs([run, other], tmp_path / "all", report=False)
    rows = list(iter_rows(tmp_path / "all"))
    assert rows == [*iter_rows(run), *iter_rows(other)]
    assert content_hash(tmp_path / "all") not in (content_hash(run), content_hash(other))
    assert json.loads((tmp_path / "all" / "summary.json").read_text())["frames"] >= 12
