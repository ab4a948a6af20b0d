# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""The trainable part of the text side: a small transformer over the frozen encoder's word features."""

from __future__ import annotations

import torch
from torch import nn

from ris_node.models.attention import MASKED, EncoderLayer, word_bias


class TextAdapter(nn.Module):  # type: ignore[misc]
    """Maps frozen word features to the width a model wants and lets the words look at each other again."""

    def __init__(self, in_width: int, width: int, layers: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.input = nn.Linear(in_width, width)
        self.norm_in, self.norm_out = nn.LayerNorm(width), nn.LayerNorm(width)
        self.dropout = nn.Dropout(dropout)
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
        return words, masked_mean(words, keep)


def masked_mean(words: torch.Tensor, keep: torch.Tensor) -> torch.Tensor:
    """Return the mean of words [B,L,C] where `keep` [B,L] is 1, as [B,C]."""
    weight = keep.unsqueeze(-1)
    return (words * weight).sum(1) / weight.sum(1).clamp_min(1.0)
