# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Attention: masks, positions, fewer keys."""

from __future__ import annotations

import math

import pytest

torch = pytest.importorskip("torch")

from ris_node.models.attention import FEWER, MASKED, EncoderLayer, MaskedAttention, attend, word_bias  # noqa: E402

pytestmark = pytest.mark.torch


def test_keys_two_by_two_change_nothing_where_four_cells_are_alike():
    torch.manual_seed(0)
    full, fewer = EncoderLayer(16, 2).eval(), EncoderLayer(16, 2, grid=(4, 6)).eval()
    fewer.load_state_dict(full.state_dict())
    alike = torch.randn(2, 2, 3, 16).repeat_interleave(2, 1).repeat_interleave(2, 2).flatten(1, 2)
    x = torch.cat([alike, torch.randn(2, 5, 16)], 1)
    said = torch.zeros(2, 1, 1, 29)
    said[..., 27:] = MASKED
    fourfold = torch.cat([torch.full((2, 1, 1, 6), math.log(FEWER)), said[..., 24:]], -1)
    with torch.no_grad():
        one, other = full(x, None, said), fewer(x, None, fourfold)
        assert (one - other).abs().max() < 1e-5
        assert (full(x.flip(1), None, said) - fewer(x.flip(1), None, fourfold)).abs().max() > 1e-3


def test_attention_is_that_of_torch_and_masked_keys_weigh_nothing():
    torch.manual_seed(0)
    q, k, v = torch.randn(2, 4, 3, 8), torch.randn(2, 4, 5, 8), torch.randn(2, 4, 5, 8)
    bias = word_bias(torch.tensor([[0.0, 0, 0, MASKED, MASKED], [0.0, 0, 0, 0, 0]]))
    wanted = torch.nn.functional.scaled_dot_product_attention(q, k, v, bias.expand(2, 4, 3, 5))
    assert (attend(q, k, v, bias) - wanted).abs().max() < 1e-5
    k[0, :, 3:], v[0, :, 3:] = 7.0, 100.0
    assert torch.equal(attend(q, k, v, bias)[0], attend(q[:1], k[:1, :, :3], v[:1, :, :3], None)[0])
    half = attend(q.half(), k.half(), v.half(), bias)
    assert half.isfinite().all() and half.dtype == torch.float16


def test_two_keys_by_hand():
    q, k = torch.tensor([[[[2.0]]]]), torch.tensor([[[[0.0], [math.log(3) / 2]]]])
    v = torch.tensor([[[[0.0], [1.0]]]])
    assert attend(q, k, v, None).item() == pytest.approx(0.75)  # softmax of 0 and log 3
    assert attend(q, k, v, torch.tensor([[[[math.log(3), 0.0]]]])).item() == pytest.approx(0.5)


def test_widths_may_differ_and_have_to_fit_the_heads():
    layer = MaskedAttention(10, 6, 16, 2, out_width=3)
    assert layer(torch.randn(2, 4, 10), torch.randn(2, 5, 6)).shape == (2, 4, 3)
    assert MaskedAttention(10, 6, 16, 2)(torch.randn(2, 4, 10), torch.randn(2, 5, 6)).shape == (2, 4, 10)
    with pytest.raises(ValueError, match="multiple of 8 x 4"):
        MaskedAttention(10, 6, 24, 4)


def test_values_do_not_see_the_position():
    torch.manual_seed(0)
    layer = EncoderLayer(16, 2).eval()
    one, several, place = torch.randn(1, 1, 16), torch.randn(1, 4, 16), torch.randn(4, 16)
    assert torch.equal(layer(one, place[:1]), layer(one))  # a token alone attends to itself wherever it is
    assert (layer(several, place) - layer(several)).abs().max() > 1e-3
