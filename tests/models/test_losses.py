# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Losses against values worked by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from ris_node.models import losses  # noqa: E402

pytestmark = pytest.mark.torch


def test_losses_on_known_maps():
    truth = torch.zeros(2, 4, 4)
    truth[0, :2] = 1
    sure = (truth * 2 - 1) * 30
    each = torch.ones(2)
    assert losses.pixel_bce(sure, truth, each) < 1e-6 and losses.dice(sure, truth, each) < 1e-6
    assert losses.dice(-sure, truth, torch.tensor([1.0, 0.0])) == pytest.approx(1 - 1 / 17, abs=1e-4)
    assert losses.pixel_bce(-sure, truth, torch.tensor([0.0, 0.0])) == 0
    near = torch.eye(3)
    same = torch.zeros(3, 2, 2)
    same[:2, 0], same[2, 1] = 1, 1
    low = losses.contrast(near, near, same, torch.ones(3))
    wrong = losses.contrast(near[[2, 1, 0]], near, same, torch.ones(3))
    assert low < 1e-4 and wrong > 5  # rows 0 and 1 mean the same mask and do not push each other away


def test_pointing_asks_for_the_peak_whatever_the_size():
    small, large = torch.zeros(1, 4, 4), torch.zeros(1, 4, 4)
    small[0, 1, 2], large[0, :2] = 1, 1
    flat = torch.zeros(1, 4, 4)
    assert losses.pointing(flat, small, torch.ones(1)) == pytest.approx(np.log(16), abs=1e-4)
    assert losses.pointing(flat, large, torch.ones(1)) == pytest.approx(np.log(2), abs=1e-4)
    peak = flat.clone()
    peak[0, 1, 2] = 20.0
    assert losses.pointing(peak, small, torch.ones(1)) < 1e-4 and losses.pointing(peak, large, torch.ones(1)) < 1e-4
    peak[0, 3, 3] = 30.0
    assert losses.pointing(peak, small, torch.ones(1)) == pytest.approx(10, abs=0.05)
    assert losses.pointing(peak, small, torch.zeros(1)) == 0


def test_values_by_hand():
    logits = torch.tensor([[[0.0, math.log(3)]], [[5.0, 5.0]]])
    target, first = torch.tensor([[[1.0, 0.0]], [[0.0, 0.0]]]), torch.tensor([1.0, 0.0])
    assert losses.pixel_bce(logits, target, first).item() == pytest.approx((math.log(2) + math.log(4)) / 2)
    flat, one = torch.zeros(1, 2, 2), torch.tensor([[[1.0, 0.0], [0.0, 0.0]]])
    assert losses.dice(flat, one, torch.ones(1)).item() == pytest.approx(1 - (1 + 1) / (2 + 1))
    assert losses.binary(torch.tensor([math.log(3)]), torch.ones(1), torch.ones(1)).item() == pytest.approx(
        -math.log(0.75)
    )
    masks = torch.tensor([[[1.0, 1, 0, 0]], [[0.0, 1, 1, 0]], [[0.0, 0, 0, 1]]])
    assert losses.overlap(masks)[0].tolist() == pytest.approx([1.0, 1 / 3, 0.0])
    assert losses.weighted_mean(torch.tensor([2.0, 4.0]), torch.tensor([1.0, 3.0])).item() == 3.5
    assert losses.weighted_mean(torch.tensor([2.0, 4.0]), torch.zeros(2)) == 0


def test_contrast_by_hand():
    pooled, masks, both = torch.eye(2), torch.eye(2).view(2, 1, 2), torch.ones(2)
    right = losses.contrast(pooled, pooled, masks, both, temperature=1.0)
    assert right.item() == pytest.approx(math.log(1 + math.exp(-1)))
    wrong = losses.contrast(pooled.flip(0), pooled, masks, both, temperature=1.0)
    assert wrong.item() == pytest.approx(1 + math.log(1 + math.exp(-1)))
    alone = losses.contrast(pooled.flip(0), pooled, masks, torch.tensor([1.0, 0.0]), temperature=1.0)
    assert alone.item() == pytest.approx(0, abs=1e-6)  # an absent target is no negative
