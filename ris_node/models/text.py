# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""The trainable part of the text side: a small transformer over the frozen encoder's word features."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import nn

from ris_node.models.attention import MASKED, EncoderLayer, word_bias


class TextFeatures(NamedTuple):
    """Features of a text: words [B,L,T], the sentence [B,T], and logits over each auxiliary label set."""

    words: torch.Tensor
    sentence: torch.Tensor
    meanings: tuple[torch.Tensor, ...]


class TextAdapter(nn.Module):  # type: ignore[misc]
    """Maps frozen word features to the width a model wants and lets the words look at each other again.

    The sentence is the mean of the words plus a learned vector from each auxiliary label set (classes, places in a row,
    manoeuvres), mixed by the text's logits over its labels. The labels are supervised, so that a few thousand texts
    suffice for left and right never to be confused. (`books`, the sets, is a name in released checkpoints.)
    """

    def __init__(
        self, in_width: int, width: int, layers: int, heads: int, dropout: float, books: tuple[int, ...] = ()
    ) -> None:
        super().__init__()
        self.input = nn.Linear(in_width, width)
        self.norm_in, self.norm_out = nn.LayerNorm(width), nn.LayerNorm(width)
        self.dropout = nn.Dropout(dropout)
        self.layers = nn.ModuleList(EncoderLayer(width, heads, 2.0, dropout) for _ in range(layers))
        self.choose = nn.ModuleList(nn.Linear(2 * width, size) for size in books)
        self.books = nn.ModuleList(nn.Linear(size, width, bias=False) for size in books)
        self.norm_sentence = nn.LayerNorm(width)

    def forward(self, raw: torch.Tensor, token_mask: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Adapt.

        Args:
            raw: f32[B,L,in_width] features of the frozen encoder.
            token_mask: [B,L], 1 for a word piece and 0 for padding.

        Returns:
            Words [B,L,width] and the sentence [B,width].
        """
        features = self.encode(raw, token_mask)
        return features.words, features.sentence

    def encode(self, raw: torch.Tensor, token_mask: torch.Tensor) -> TextFeatures:
        """Adapt, with the logits of the auxiliary label sets (see `forward`)."""
        keep = token_mask.to(raw.dtype)
        bias = word_bias((1.0 - keep) * MASKED)
        x = self.dropout(self.norm_in(self.input(raw)))
        for layer in self.layers:
            x = layer(x, None, bias)
        words = self.norm_out(x)
        mean = masked_mean(words, keep)
        peak = (words + ((1.0 - keep) * MASKED).unsqueeze(-1)).amax(1)  # one word can decide
        both = torch.cat([mean, peak], -1)
        meanings = tuple(choose(both) for choose in self.choose)
        sentence = mean
        for logits, book in zip(meanings, self.books, strict=True):
            sentence = sentence + book(logits.softmax(-1))
        return TextFeatures(words, self.norm_sentence(sentence), meanings)


def masked_mean(words: torch.Tensor, keep: torch.Tensor) -> torch.Tensor:
    """Return the mean of words [B,L,C] where `keep` [B,L] is 1, as [B,C]."""
    weight = keep.unsqueeze(-1)
    return (words * weight).sum(1) / weight.sum(1).clamp_min(1.0)
