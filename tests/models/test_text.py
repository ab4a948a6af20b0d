# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""The adapter: masked means and auxiliary label sets."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from ris_node.models.text import TextAdapter, masked_mean  # noqa: E402

pytestmark = pytest.mark.torch


def test_the_mean_is_of_words_only():
    words = torch.tensor([[[1.0, 2.0], [3.0, 4.0], [99.0, 99.0]]])
    assert masked_mean(words, torch.tensor([[1.0, 1.0, 0.0]])).tolist() == [[2.0, 3.0]]
    assert masked_mean(words, torch.zeros(1, 3)).tolist() == [[0.0, 0.0]]


def test_padding_is_not_read():
    torch.manual_seed(0)
    adapter = TextAdapter(12, 16, 1, 2, 0.0, (4, 3)).eval()
    raw, mask = torch.randn(1, 6, 12), torch.tensor([[1, 1, 1, 1, 0, 0]])
    whole, short = adapter.encode(raw, mask), adapter.encode(raw[:, :4], mask[:, :4])
    assert (whole.sentence - short.sentence).abs().max() < 1e-5
    assert (whole.words[:, :4] - short.words).abs().max() < 1e-5
    assert [logits.shape for logits in whole.meanings] == [(1, 4), (1, 3)]


def test_the_label_that_a_text_chooses_is_added_to_its_sentence():
    torch.manual_seed(0)
    adapter = TextAdapter(12, 16, 1, 2, 0.0, (4,)).eval()
    raw, mask = torch.randn(2, 5, 12), torch.ones(2, 5, dtype=torch.int64)
    with torch.no_grad():
        adapter.choose[0].weight.zero_()
        adapter.choose[0].bias.copy_(torch.tensor([-50.0, 50.0, -50.0, -50.0]))
        found = adapter.encode(raw, mask)
        wanted = adapter.norm_sentence(found.words.mean(1) + adapter.books[0].weight[:, 1])
    assert (found.sentence - wanted).abs().max() < 1e-5
