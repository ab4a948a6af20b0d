# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Fusion of text and vision: gates that start closed, and shares beyond each cell."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from ris_node.models.fusion import CODES, FiLM, LevelFusion, Standing, axis_codes, position_codes  # noqa: E402

pytestmark = pytest.mark.torch


def test_untrained_fusion_passes_pixels_through():
    torch.manual_seed(0)
    fusion, film = LevelFusion(16, 32, 2), FiLM(16, 32)
    pixels, words = torch.randn(2, 12, 16), torch.randn(2, 5, 32)
    fused, new_words = fusion(pixels, torch.randn(12, 16), words, torch.zeros(2, 1, 1, 5))
    assert torch.equal(fused, pixels) and not torch.equal(new_words, words)
    assert torch.equal(film(pixels, torch.randn(2, 32)), pixels)
    assert fusion.gate_out.weight.grad is None
    fused.square().sum().backward()
    assert fusion.gate_out.weight.grad.abs().sum() > 0  # closed, but it can learn to open


def test_standing_counts_what_lies_beyond():
    chance = torch.zeros(1, 8, 10)
    chance[0, 3, 1] = chance[0, 6, 8] = 1.0
    maps = Standing(8, 10, (1, 4))(chance)[0].T.reshape(9, 8, 10)
    assert torch.equal(maps[0], chance[0])
    left, far_left, right, far_right = maps[1:5, 0]
    assert left[1] == 0 and left[2] > 1 and left[9] == 2 * left[2]  # nothing left of the leftmost, both left of the end
    assert far_left[4] == 0 and far_left[5] > 1 and right[8] == 0 and right[0] == left[9] and far_right[4] > 1
    above, below = maps[5, :, 0], maps[7, :, 0]
    assert above[3] == 0 and above[4] > 1 and below[6] == 0 and below[0] == left[9]


def test_position_codes_are_cell_centres_and_waves():
    codes = position_codes(2, 4)
    assert codes.shape == (8, CODES)
    assert codes[:, 0].tolist() == [-0.75, -0.25, 0.25, 0.75] * 2 and codes[:, 1].tolist() == [-0.5] * 4 + [0.5] * 4
    assert codes[0, 2].item() == pytest.approx(-(0.5**0.5)) and codes[0, 5].item() == pytest.approx(0, abs=1e-6)
    assert torch.equal(axis_codes(4)[:, 0], codes[:4, 0]) and axis_codes(4).shape == (4, 9)


def test_film_scales_and_shifts_by_the_sentence():
    film = FiLM(2, 1)
    with torch.no_grad():
        film.linear.weight.copy_(torch.tensor([[1.0], [0.0], [0.0], [5.0]]))
    out = film(torch.tensor([[[1.0, 2.0]]]), torch.tensor([[3.0]]))
    assert out.tolist() == [[[4.0, 17.0]]]
