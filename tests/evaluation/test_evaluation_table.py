# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""The table: golden values through the whole of it, agreement with `ris_node.metrics`, rows, intervals, goals."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from scored import ITEMS, LANE, LEFT, NOTHING, RIGHT, H, W, item, pixels, right, said

from ris_node.data.evalset import listening_pairs
from ris_node.evaluation.bootstrap import Estimate, Resampler, percentiles
from ris_node.evaluation.columns import make_columns, make_slices
from ris_node.evaluation.goals import FIRST, REACH, QualityGoal, format_goals, judge_goals
from ris_node.evaluation.table import differences, format_table, make_table
from ris_node.metrics import answers, segmentation
from ris_node.types import Status


def rows_of(scored, resampler=None):
    return {row.name: row for row in make_table(scored, resampler)}


def test_perfect_answers():
    rows = rows_of([right(i) for i in ITEMS])
    everything = rows["all"]
    values = {name: e.value for name, e in everything.estimates.items() if name != "ece"}
    assert len(values) > 30 and values == dict.fromkeys(values, 1.0)
    assert everything.value("ece") == pytest.approx(0.1)
    assert (everything.present, everything.absent) == (4, 2)
    assert math.isnan(rows["absent"].value("miou")) and rows["absent"].value("refused") == 1.0
    assert rows["order"].present == 2 and "mrr" not in rows["order"].estimates


def test_the_same_answer_to_everything_neither_listens_nor_refuses():
    row = rows_of([said(i, mask=LEFT, point=(0.0, 0.0), rank=-1) for i in ITEMS])["all"]
    assert row.value("listens") == row.value("apart") == 0.0
    assert row.value("miou") == pytest.approx(2 / 3)
    assert row.value("refused") == row.value("pointing") == row.value("recall_5000") == 0.0
    assert row.value("riou") == pytest.approx(112 / (56 + 112 + 56 + 2 * 56))


def test_silence_listens_only_by_the_lenient_measure():
    row = rows_of([said(i, Status.ABSENT) for i in ITEMS])["all"]
    assert row.value("listens") == row.value("apart") == 1.0
    assert row.value("listens_strict") == row.value("apart_strict") == row.value("miou") == row.value("found") == 0.0


def test_an_uncertain_mask_counts_but_is_neither_found_nor_refused():
    row = rows_of([said(i, Status.UNCERTAIN, mask=LEFT) for i in ITEMS])["all"]
    assert row.value("miou") == pytest.approx(2 / 3) and row.value("found") == row.value("refused") == 0.0
    assert rows_of([said(i, Status.UNCERTAIN) for i in ITEMS])["all"].value("refused") == 1.0, "an empty mask refuses"


def test_absent_with_a_mask_counts_as_empty_but_raw_in_gres():
    both = pixels(6), pixels(4, 2)  # 2 pixels apart from the truth, 4 inside
    row = rows_of([said(item("a", mask=both[0]), Status.ABSENT, mask=both[1])])["all"]
    assert row.value("miou") == 0.0 and row.value("t_acc") == 0.0
    assert row.value("oiou") == 0.0 and row.value("ciou_gres") == 0.0
    one = rows_of([said(item("a", mask=pixels(5)), Status.ABSENT, mask=pixels(2)),
                   said(item("b", mask=pixels(5)), mask=pixels(5))])["all"]  # fmt: skip
    assert one.value("ciou_gres") == pytest.approx(5 / 10)


def test_golden_gres():
    scored = [
        said(item("1", mask=pixels(10)), mask=pixels(8, 4)),  # I 6, U 12
        said(item("2", mask=pixels(5)), Status.ABSENT, mask=pixels(2)),  # U 5
        said(item("3"), Status.ABSENT),
        said(item("4"), mask=pixels(3)),
    ]
    row = rows_of(scored)["all"]
    found = {name: row.value(name) for name in ("giou_gres", "ciou_gres", "n_acc", "t_acc")}
    assert found == pytest.approx({"giou_gres": 0.375, "ciou_gres": 0.30, "n_acc": 0.5, "t_acc": 0.5})


def test_golden_robust():
    a, b = {"group": "A"}, {"group": "B"}
    scored = [
        said(item("a1", mask=pixels(8), **a), mask=pixels(8, 2)),  # 6 of 10
        said(item("a2", mask=pixels(6), **a), mask=pixels(6, 2)),  # 4 of 8
        said(item("a3", **a), Status.ABSENT),
        said(item("a4", **a), mask=pixels(5)),
        said(item("b1", mask=pixels(10), **b), mask=pixels(9)),  # 9 of 10
        said(item("b2", **b), Status.ABSENT),
        said(item("b3", **b), Status.ABSENT),
    ]
    row = rows_of(scored)["all"]
    assert row.value("ref_miou") == pytest.approx(0.725)
    assert row.value("mrr") == pytest.approx(0.75)
    assert row.value("ref_riou") == pytest.approx((10 / 23 + 0.9) / 2)
    assert row.value("oiou") == pytest.approx(19 / 28)


def random_answers(seed=3, pictures=7, each=9):
    rng = np.random.default_rng(seed)
    made = []
    for p in range(pictures):
        for n in range(each):
            x, y = rng.integers(0, 20, 2)
            truth = NOTHING.copy()
            truth[y : y + rng.integers(3, 10), x : x + rng.integers(3, 15)] = True
            command, present = rng.random() < 0.3, rng.random() < 0.6
            of = item(f"{p}/{n}", rng.choice(["order", "class"]) if present else "absent",
                      truth if present and not command else None, truth if present and command else None,
                      type="region" if command else "object", image=f"{p}.png", group=f"{p}.png",
                      class_name=rng.choice(["car", "person"]))  # fmt: skip
            status = Status(int(rng.choice([1, 2, 3, 4])))
            guess = np.roll(truth, int(rng.integers(-3, 4)), 1) if rng.random() < 0.9 else None
            made.append(said(of, status, guess, guess if command else None, float(rng.random()),
                             (float(x), float(y)), int(rng.integers(0, 300)) if command else None))  # fmt: skip
    return made


def test_the_columns_agree_with_the_metrics():
    scored = random_answers()
    row = rows_of(scored)["all"]
    named = [s for s in scored if s.item.present and s.item.type == "object"]
    phrases = [s for s in scored if s.item.type == "object"]
    absent = [s for s in scored if not s.item.present]
    regions = [s for s in scored if s.hit is not None]
    inter, union = [s.intersection for s in named], [s.union for s in named]
    gres = segmentation.gres_scores(
        [segmentation.GresSample(s.truth_area, s.raw_area, s.raw_intersection, s.refused) for s in phrases]
    )
    refs = {}
    for s in phrases:
        refs.setdefault(s.item.group, []).append(s)
    counts = [
        segmentation.RefCounts(tuple((s.intersection, s.union) for s in r if s.item.present),
                    tuple(s.area for s in r if not s.item.present))
        for r in refs.values() if any(s.item.present for s in r)
    ]  # fmt: skip
    robust = segmentation.robust_scores(counts)
    by_id = {s.item.id: s for s in scored}
    pairs = [(by_id[a.id], by_id[b.id]) for a, b in listening_pairs([s.item for s in scored])]
    overlaps = [float(segmentation.iou(*([v] for v in segmentation.counts(a.mask(), b.mask())))[0]) for a, b in pairs]
    wanted = {
        "miou": segmentation.mean_iou(inter, union), "oiou": segmentation.overall_iou(inter, union),
        "p70": segmentation.precision_at(inter, union, 0.7),
        "found": answers.found_rate([s.found for s in scored if s.item.present]),
        "refused": answers.refused_rate([s.refused for s in absent], [s.area for s in absent]),
        "riou": answers.robust_iou_table(inter, union, [s.area for s in absent]),
        "pointing": answers.pointing_rate([bool(s.hit) for s in regions]),
        "inside": answers.inside([s.region_intersection for s in regions], [s.region_area for s in regions]),
        "giou_gres": gres.giou_gres, "ciou_gres": gres.ciou_gres, "n_acc": gres.n_acc, "t_acc": gres.t_acc,
        "giou_lisa": segmentation.giou_lisa([s.intersection for s in phrases], [s.union for s in phrases]),
        "ciou_lisa": segmentation.ciou_lisa([s.intersection for s in phrases], [s.union for s in phrases]),
        "ref_miou": robust.miou, "mrr": robust.mrr, "ref_riou": robust.riou,
        "listens": answers.listens_rate(overlaps),
        "listens_strict": answers.listens_strict_rate(overlaps, [(a.area, b.area) for a, b in pairs]),
        "recall_100": float(np.mean([s.answer.rank < 100 for s in regions])),
        "ece": answers.expected_calibration_error(
            [s.answer.presence for s in scored], [s.item.present for s in scored]),
        "auc": answers.roc([s.answer.presence for s in scored], [s.item.present for s in scored]).area,
    }  # fmt: skip
    assert {name: row.value(name) for name in wanted} == pytest.approx(wanted)
    assert len(pairs) > 20 and len(regions) > 5, "the draw above must exercise everything"


def test_rows_take_what_their_names_say():
    items = [
        *ITEMS,
        item("sky", "stuff", pixels(900), class_name="sky", set="coco100/val", image="b.png"),
        item("speck", "single", pixels(5), set="streets/val", image="c.png", class_name="gizmo"),
    ]
    found = {s.name: np.flatnonzero(s.taken).tolist() for s in make_slices(items)}
    assert found["all"] == list(range(8)) and found["driving"] == [0, 1, 2, 3, 4, 5, 7] and found["everyday"] == [6]
    assert found["driving: noun phrases"] == [0, 1, 2, 3, 4, 7] and found["driving: objects"] == [0, 1, 2, 7]
    assert found["all: stuff"] == found["stuff"] == [6] and found["all: commands"] == [5]
    assert found["small (< 1 %)"] == [7] and found["large (> 6 %)"] == [6]
    assert 2 not in found["two or more in view"]
    assert "everyday: commands" not in found, "no row without items"


def test_intervals_come_from_pictures_not_items():
    """Ten pictures of ten equal items each: the spread is that of ten draws, not of a hundred."""
    scored = []
    for p in range(10):
        of = [item(f"{p}/{n}", mask=LEFT, image=f"{p}.png") for n in range(10)]
        scored += [said(i, mask=LEFT if p < 5 else RIGHT) for i in of]
    estimate = rows_of(scored, Resampler.draw(10))["all"].estimates["miou"]
    assert estimate.value == 0.5
    assert estimate.draws.std() == pytest.approx(math.sqrt(0.25 / 10), rel=0.1)
    low, high = estimate.interval
    assert 0.1 <= low <= 0.3 and 0.7 <= high <= 0.9
    again = rows_of(scored, Resampler.draw(10))["all"].estimates["miou"]
    assert again.interval == (low, high), "a fixed seed"


def test_ece_and_auc_have_intervals_too():
    scored = random_answers()
    row = rows_of(scored, Resampler.draw(7))["all"]
    for name in ("ece", "auc"):
        low, high = row.estimates[name].interval
        assert low < high and low - 0.1 <= row.value(name) <= high + 0.1
    assert percentiles(np.full(10, np.nan)) is None and percentiles(np.zeros(0)) is None


def test_differences_are_paired():
    scored, resampler = random_answers(), Resampler.draw(7)
    rows = make_table(scored, resampler)
    same = differences(rows, make_table(scored, resampler))
    assert same["all"]["miou"].value == 0.0 and not same["all"]["miou"].draws.any()
    perfect = make_table([right(s.item) for s in scored], resampler)
    better = differences(perfect, rows)["all"]["miou"]
    assert better.value == pytest.approx(1 - rows[0].value("miou"))
    assert better.interval[0] > 0


def test_goals_say_what_was_reached_and_what_is_below_the_floor():
    good = make_table([right(i) for i in ITEMS], Resampler.draw(1))
    poor = make_table([said(i, Status.ABSENT) for i in ITEMS], Resampler.draw(1))
    facts = {"mean_region_cover": 0.05, "trunk_ratio": 1.6, "megabytes": None}
    found = {g["name"]: g for g in judge_goals(REACH, good, differences(good, poor), facts)}
    assert found["driving: mIoU"]["reached"] and found["mIoU over the keyword baseline, order"]["value"] == 1.0
    assert found["true regions' mean share of the picture"]["reached"]
    assert not found["vision network / bare trunk, time at 256x320"]["reached"], "1.6 is over 1.5"
    assert not found["bundle, MB"]["reached"], "not measured is not reached"
    assert not found["everyday: mIoU"]["reached"]
    lazy = {g["name"]: g for g in judge_goals(REACH, poor, {}, facts)}
    assert lazy["driving: mIoU"]["below_floor"] and not lazy["driving: P@0.5"]["below_floor"]
    assert math.isnan(lazy["mIoU over the keyword baseline, order"]["value"]), "no baseline, no difference"
    text = format_goals([*found.values()])
    assert "MISSED" in text and "not measured" in text and "at most 1.5" in text
    first = {g["name"]: g["reached"] for g in judge_goals(FIRST, good, differences(good, poor), {})}
    assert first["listens"] and not first["mIoU over the keyword baseline, relation"]
    assert not QualityGoal("x", "fact", "x", most=1.0).reached(math.nan)


def test_the_text_table_shows_every_row():
    rows = make_table([right(i) for i in ITEMS])
    text = format_table(rows)
    assert len(text.splitlines()) == len(rows) + 1 and "driving: commands" in text


def test_estimates_subtract_over_the_draws_that_both_have():
    found = Estimate(0.5, np.array([0.4, 0.6])).minus(Estimate(0.2, np.array([0.1, 0.3, 0.5])))
    assert found.value == pytest.approx(0.3) and found.draws.tolist() == pytest.approx([0.3, 0.3])


def test_pairs_and_refs_know_their_pictures():
    scored = [right(replace(i, image=f"{p}.png", group=f"{p}.png", id=f"{p}{i.id}")) for p in range(3) for i in ITEMS]
    columns = make_columns(scored)
    assert columns.pictures == 3 and LANE.shape == (H, W)
    _, pairs, refs = columns.units
    assert pairs.picture.tolist() == [0, 0, 1, 1, 2, 2] and refs.picture.tolist() == [0, 1, 2]
