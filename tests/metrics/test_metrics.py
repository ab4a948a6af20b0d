# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Golden values computed by hand, and what must hold of every metric."""

from __future__ import annotations

import numpy as np
import pytest

from ris_node.errors import DataError
from ris_node.metrics import answers, segmentation


def test_plain_golden():
    inter, union = [6, 0, 5], [10, 4, 5]
    assert segmentation.overall_iou(inter, union) == pytest.approx(11 / 19)
    assert segmentation.mean_iou(inter, union) == pytest.approx(0.533333, abs=1e-6)
    assert segmentation.precision_at(inter, union, 0.6) == pytest.approx(2 / 3)
    assert segmentation.precision_at(inter, union, 0.6, strict=True) == pytest.approx(1 / 3)


def test_two_masks_beside_each_other():
    first, second = np.zeros((2, 4), bool), np.zeros((2, 4), bool)
    assert segmentation.mask_iou(first, second) == 1.0
    first[0], second[0, 2:] = True, True
    assert segmentation.mask_iou(first, second) == 0.5 and segmentation.mask_iou(first, ~first) == 0.0


def test_gres_golden():
    samples = [
        segmentation.GresSample(10, 8, 6, no_target=False),
        segmentation.GresSample(5, 2, 2, no_target=True),
        segmentation.GresSample(0, 0, 0, no_target=True),
        segmentation.GresSample(0, 3, 0, no_target=False),
    ]
    scores = segmentation.gres_scores(samples)
    assert scores.giou_gres == pytest.approx(0.375)
    assert scores.ciou_gres == pytest.approx(0.30)
    assert (scores.n_acc, scores.t_acc) == (0.5, 0.5)
    assert scores.precision[0.7] == 0.0
    assert segmentation.gres_scores(samples, thresholds=(0.5,)).precision[0.5] == 0.5


def test_robust_golden():
    refs = [segmentation.RefCounts(((6, 10), (4, 8)), (0, 5)), segmentation.RefCounts(((9, 10),), (0, 0))]
    scores = segmentation.robust_scores(refs)
    assert scores.miou == pytest.approx(0.725)
    assert scores.mrr == pytest.approx(0.75)
    assert scores.riou == pytest.approx((10 / 23 + 0.9) / 2)
    assert scores.oiou == pytest.approx(19 / 28)


def test_a_ref_without_negatives_is_left_out_of_mrr():
    scores = segmentation.robust_scores([segmentation.RefCounts(((1, 2),)), segmentation.RefCounts(((1, 2),), (3,))])
    assert scores.mrr == 0.0
    with pytest.raises(DataError, match="no true sentence"):
        segmentation.robust_scores([segmentation.RefCounts(())])


def test_navigable_golden():
    probability = np.array([[0.9, 0.8], [0.1, 0.2]])
    truth = np.array([[False, True], [False, False]])
    assert not segmentation.pointing_game(probability, truth)
    assert not segmentation.recall_at_k(probability, truth, 1)
    assert segmentation.recall_at_k(probability, truth, 2)
    predicted = probability > 0.3
    assert segmentation.mean_iou(*[[c] for c in segmentation.counts(predicted, truth)]) == 0.5
    assert segmentation.intersection_at(predicted, truth, 0.4)
    assert not segmentation.intersection_at(predicted, truth, 0.5)
    assert not segmentation.intersection_at(np.zeros((2, 2), bool), truth, 0.0)


def test_ties_go_to_the_smaller_index():
    flat = np.ones((1, 4))
    assert segmentation.recall_at_k(flat, np.array([[True, False, False, False]]), 1)
    assert not segmentation.recall_at_k(flat, np.array([[False, True, False, False]]), 1)


def test_dice_and_iou_of_masks_agree():
    rng = np.random.default_rng(0)
    for _ in range(20):
        p, g = rng.random((2, 9, 7)) > 0.6
        i, u = segmentation.counts(p, g)
        d = segmentation.dice(i, int(p.sum()), int(g.sum()))
        assert 0 <= d <= 1
        assert d == pytest.approx(2 * (i / u) / (1 + i / u))


def test_lisa_scores_empty_against_empty():
    assert segmentation.giou_lisa([0, 1], [0, 2]) == 0.75
    assert segmentation.mean_iou([0, 1], [0, 2]) == 0.25
    assert segmentation.ciou_lisa([0, 1], [0, 2]) == 0.5


def test_counts_are_checked():
    with pytest.raises(DataError, match="size"):
        segmentation.counts(np.zeros((2, 2), bool), np.zeros((2, 3), bool))
    with pytest.raises(DataError, match="order"):
        segmentation.overall_iou([4], [2])


def test_refused_counts_an_empty_mask_as_a_refusal():
    assert answers.refused_rate([True, False, False], [50, 0, 7]) == pytest.approx(2 / 3)
    assert answers.found_rate([True, False]) == 0.5
    assert np.isnan(answers.found_rate([]))


def test_robust_iou_of_the_table():
    assert answers.robust_iou_table([6, 4], [10, 8], [0, 7]) == pytest.approx(10 / 25)


def test_inside_listens_pointing():
    assert answers.inside([3, 0], [4, 0]) == pytest.approx(0.375)
    assert answers.listens_rate([0.0, 0.29, 0.3, 0.9]) == 0.5
    assert answers.pointing_rate([True, True, False, False]) == 0.5


def test_calibration():
    rng = np.random.default_rng(0)
    confidence = rng.random(20000)
    honest = rng.random(20000) < confidence
    assert answers.expected_calibration_error(confidence, honest) < 0.02
    assert answers.expected_calibration_error([0.9] * 10, [False] * 10) == pytest.approx(0.9)
    assert answers.expected_calibration_error([0.5, 0.5], [True, False], bins=1) == 0.0


def test_two_empty_answers_listen_only_by_the_lenient_measure():
    ious, areas = [0.0, 0.0, 0.5, 0.1], [(0, 0), (0, 9), (8, 8), (5, 7)]
    assert answers.listens_rate(ious) == 0.75
    assert answers.listens_strict_rate(ious, areas) == 0.25
    assert np.isnan(answers.listens_strict_rate([], []))
    with pytest.raises(DataError):
        answers.listens_strict_rate([0.1], [])


def test_roc_golden():
    found = answers.roc([0.9, 0.8, 0.7, 0.6], [True, False, True, False])
    assert found.area == pytest.approx(0.75)
    assert found.false_positive.tolist() == [0, 0, 0.5, 0.5, 1]
    assert found.true_positive.tolist() == [0, 0.5, 0.5, 1, 1]
    assert found.thresholds.tolist() == [np.inf, 0.9, 0.8, 0.7, 0.6]
    assert answers.roc([0.5] * 5, [True, False, True, False, False]).area == 0.5, "ties are one step"
    assert np.isnan(answers.roc([0.5], [True]).area) and np.isnan(answers.roc([], []).area)


def test_roc_area_is_the_chance_that_a_present_one_scores_higher():
    rng = np.random.default_rng(4)
    scores, present = rng.integers(0, 12, 80) / 12, rng.random(80) < 0.4
    pairs = [(a > b) + 0.5 * (a == b) for a in scores[present] for b in scores[~present]]
    assert answers.roc(scores, present).area == pytest.approx(np.mean(pairs))
    assert answers.roc(-scores, present).area == pytest.approx(1 - np.mean(pairs))


def test_reliability_golden():
    found = answers.reliability([0.9, 0.1, 0.2, 0.8], [True, False, True, True], bins=2)
    assert found == [answers.Bin(2, pytest.approx(0.15), 0.5), answers.Bin(2, pytest.approx(0.85), 1.0)]
    assert answers.expected_calibration_error([0.9, 0.1, 0.2, 0.8], [True, False, True, True], 2) == pytest.approx(0.25)


def test_best_rank_is_where_sorting_puts_it():
    rng = np.random.default_rng(5)
    for _ in range(50):
        values, truth = rng.integers(0, 4, (5, 6)) / 4, rng.random((5, 6)) < 0.1
        order = np.argsort(-values.ravel(), kind="stable")
        places = np.flatnonzero(truth.ravel()[order])
        assert segmentation.best_rank(values, truth) == (int(places[0]) if places.size else None)
        for k in (1, 3, 30):
            assert segmentation.recall_at_k(values, truth, k) == bool(truth.ravel()[order][:k].any())
    with pytest.raises(DataError, match="differ in size"):
        segmentation.best_rank(np.zeros((2, 2)), np.zeros((2, 3), bool))
