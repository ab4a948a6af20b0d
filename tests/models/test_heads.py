# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Heads: the dynamic kernel, the decoder, presence."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from ris_node.models.heads import Aim, Conditioned, KernelHead, PresenceHead, TopDown, double, to_map  # noqa: E402

pytestmark = pytest.mark.torch


def test_a_text_can_point_at_a_side():
    aim = Aim(4, 6, 9)
    text = torch.randn(2, 4)
    assert not aim(text).any()  # at first it points nowhere
    optimiser = torch.optim.Adam(aim.parameters(), 0.1)
    want = torch.zeros(2, 6, 9)
    want[0, :, :4] = want[1, :3] = 1.0  # the left half; the upper half
    for _ in range(60):
        optimiser.zero_grad()
        torch.nn.functional.binary_cross_entropy_with_logits(aim(text), want).backward()
        optimiser.step()
    assert ((aim(text) > 0) == want.bool()).float().mean() > 0.9


def test_the_kernel_of_a_text_by_hand():
    head = KernelHead(3, 4, (2, 5))
    with torch.no_grad():
        head.kernel.weight.zero_()
        head.kernel.bias.copy_(torch.tensor([2.0, 0.0, 0.0, -2.0, 0.25]))
        head.refine.weight.zero_()
    pixels = torch.arange(40.0).view(1, 4, 2, 5)
    aligned, logits = head(torch.randn(1, 3), pixels)
    wanted = 0.5 * (2 * pixels[:, 0] - 2 * pixels[:, 3]) + 0.25
    assert torch.allclose(aligned, wanted) and torch.equal(logits, aligned)  # refine adds nothing yet
    with torch.no_grad():
        head.refine.weight[0, 1, 1, 1] = 1.0  # the middle of channel 1
    _, logits = head(torch.randn(1, 3), pixels)
    assert torch.allclose(logits, aligned + pixels[:, 1] * (1 + torch.sigmoid(aligned)))


def test_cells_and_maps_and_twofold_size():
    tokens = torch.arange(12.0).view(1, 6, 2)
    assert to_map(tokens, 2, 3)[0, 0].tolist() == [[0, 2, 4], [6, 8, 10]]
    assert double(torch.tensor([[[[0.0, 4.0]]]]))[0, 0].tolist() == [[0, 1, 3, 4]] * 2


def test_the_decoder_keeps_strides_and_its_last_mix_starts_at_zero():
    torch.manual_seed(0)
    decoder = TopDown(6, 4, 3, 5)
    eighth, quarter = decoder(torch.randn(1, 6, 2, 3), torch.randn(1, 4, 4, 6), torch.randn(1, 3, 8, 12))
    assert eighth.shape == (1, 4, 4, 6) and quarter.shape == (1, 5, 8, 12)
    assert (quarter >= 0).all() and not decoder.mix4(quarter).any()


def test_pixels_of_an_expression_add_both_strides():
    layer = Conditioned(6, 4, 5)
    with torch.no_grad():
        for linear in (layer.from16, layer.from8):
            linear.weight.zero_()
            linear.bias.fill_(1.0)
    pixels = torch.full((1, 5, 8, 12), -1.5)
    out = layer(pixels, torch.randn(1, 6, 6), torch.randn(1, 24, 4), (2, 3))
    assert torch.allclose(out, torch.full_like(pixels, 0.5))


def test_presence_reads_pixels_memory_and_evidence():
    torch.manual_seed(0)
    for detached in (True, False):
        head = PresenceHead(16, 2, 2, detached)
        parts = [torch.randn(3, *shape, requires_grad=True) for shape in ((6, 16), (4, 16), (16,), (2,))]
        logits = head(*parts)
        logits.sum().backward()
        assert logits.shape == (3,) and all((part.grad is None) == detached for part in parts)
