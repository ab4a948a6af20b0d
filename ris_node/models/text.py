# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""The trainable part of the text side: a small transformer over the frozen encoder's word features."""

from __future__ import annotations

import torch
from torch import nn

from ris_node.models.attention import MASKED, EncoderLayer, word_bias

# The last values of a sentence: the target's place (x, y) and log area relative to all of its kind, and its place in
# the picture, each in units of its spread over training. They can be learnt from texts and masks alone.
POINTER = 5


class TextAdapter(nn.Module):  # type: ignore[misc]
    """Maps frozen word features to the width a model wants and lets the words look at each other again."""

    def __init__(self, in_width: int, width: int, layers: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.input = nn.Linear(in_width, width)
        self.norm_in, self.norm_out = nn.LayerNorm(width), nn.LayerNorm(width)
        self.dropout = nn.Dropout(dropout)
        self.pointer_in, self.pointer_out = nn.Linear(in_width, 96), nn.Linear(96, POINTER)
        self.layers = nn.ModuleList(EncoderLayer(width, heads, 2.0, dropout) for _ in range(layers))

    def forward(self, raw: torch.Tensor, token_mask: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Adapt.

        Args:
            raw: f32[B,L,in_width] features of the frozen encoder.
            token_mask: [B,L], 1 for a word piece and 0 for padding.

        Returns:
            Words [B,L,width] and the sentence [B,width], their mean over real word pieces.
        """
        keep = token_mask.to(raw.dtype)
        bias = word_bias((1.0 - keep) * MASKED)
        x = self.dropout(self.norm_in(self.input(raw)))
        for layer in self.layers:
            x = layer(x, None, bias)
        words = self.norm_out(x)
        sentence = masked_mean(words, keep)[:, : -self.pointer_out.out_features]
        return words, torch.cat([sentence, self.point(masked_mean(raw, keep))], -1)

    def point(self, mean: torch.Tensor) -> torch.Tensor:
        """From the mean frozen feature [B,in_width], say where and how large the target is, [B,5] (see `POINTER`)."""
        return self.pointer_out(torch.relu(self.pointer_in(mean)))


def masked_mean(words: torch.Tensor, keep: torch.Tensor) -> torch.Tensor:
    """Return the mean of words [B,L,C] where `keep` [B,L] is 1, as [B,C]."""
    weight = keep.unsqueeze(-1)
    return (words * weight).sum(1) / weight.sum(1).clamp_min(1.0)
