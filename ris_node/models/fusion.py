# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Fusion of text and vision, and position codes."""

from __future__ import annotations

import math

import torch
from torch import nn

from ris_node.models.attention import MaskedAttention

CODES = 18  # values `position_codes` gives a cell
AXIS_CODES = 9  # values `axis_codes` gives a cell
_OCTAVES = (1, 2, 4, 8)


def axis_codes(size: int) -> torch.Tensor:
    """Return f32[size, 9]: the place of cell centres on one axis in [-1, 1], and its sines and cosines."""
    place = (torch.arange(size) + 0.5) / size * 2 - 1
    waves = [f(place * math.pi * octave) for octave in _OCTAVES for f in (torch.sin, torch.cos)]
    return torch.stack([place, *waves], -1)


def position_codes(height: int, width: int) -> torch.Tensor:
    """Return f32[height*width, 18]: x, y in [-1, 1] at cell centres, then sines and cosines of four octaves."""
    y = ((torch.arange(height) + 0.5) / height * 2 - 1).view(-1, 1).expand(height, width)
    x = ((torch.arange(width) + 0.5) / width * 2 - 1).view(1, -1).expand(height, width)
    codes = [x, y]
    for octave in _OCTAVES:
        for axis in (x, y):
            codes += [torch.sin(axis * math.pi * octave), torch.cos(axis * math.pi * octave)]
    return torch.stack(codes, -1).reshape(height * width, CODES)


class LevelFusion(nn.Module):  # type: ignore[misc]
    """Fusion of one level in both directions: words into pixels through a gate, then pixels back into words.

    `V' = V + tanh(MLP(F)) * F` with `F = attention(V -> T)`, and `T' = norm(T + attention(T -> V'))`. The gate starts
    at zero, so that an untrained level passes its pixels through unchanged.
    """

    def __init__(self, width: int, text_width: int, heads: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.read_words = MaskedAttention(width, text_width, width, heads)
        self.read_pixels = MaskedAttention(text_width, width, width, heads)
        self.gate_in, self.gate_out = nn.Linear(width, width), nn.Linear(width, width)
        nn.init.zeros_(self.gate_out.weight)
        nn.init.zeros_(self.gate_out.bias)
        self.norm_words = nn.LayerNorm(text_width)

    def forward(
        self, pixels: torch.Tensor, position: torch.Tensor, words: torch.Tensor, bias: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Fuse pixels [B,N,C] (with their position code, broadcastable) and words [B,L,T]; `bias` masks padding."""
        read = self.read_words(self.norm(pixels) + position, words, None, bias)
        gate = torch.tanh(self.gate_out(torch.relu(self.gate_in(read))))
        pixels = pixels + gate * read
        words = self.norm_words(words + self.read_pixels(words, pixels + position, pixels))
        return pixels, words


class Standing(nn.Module):  # type: ignore[misc]
    """Shares of a kind that lie left and right of, above and below every cell, for texts such as leftmost and nearest.

    For a map of probabilities it gives the map itself and, in each of four directions, the share of occupied columns or
    rows that lie beyond each of two `shifts` in cells (the larger skips the object's own width).
    """

    features = 9

    def __init__(self, height: int, width: int, shifts: tuple[int, int] = (1, 4)) -> None:
        super().__init__()
        self._shifts = shifts
        self.register_buffer("across", self._sums(width), persistent=False)
        self.register_buffer("along", self._sums(height), persistent=False)

    def _sums(self, size: int) -> torch.Tensor:
        """Return f32[size, 4*size]: sums over what comes before and after, by either shift."""
        ones = torch.ones(size, size)
        before = [torch.triu(ones, shift) for shift in self._shifts]
        return torch.cat([*before, *(m.T for m in before)], 1)

    def forward(self, chance: torch.Tensor) -> torch.Tensor:
        """Map chances [B,H,W] to [B,H*W,9]."""
        height, width = chance.shape[1], chance.shape[2]
        columns, rows = chance.amax(1), chance.amax(2)
        beside = (columns @ self.across) / (columns.sum(1, keepdim=True) + 0.1)
        beyond = (rows @ self.along) / (rows.sum(1, keepdim=True) + 0.1)
        beside = beside.unflatten(1, (4, 1, width)).expand(-1, -1, height, -1)
        beyond = beyond.unflatten(1, (4, height, 1)).expand(-1, -1, -1, width)
        maps = torch.cat([chance.unsqueeze(1), 4.0 * beside, 4.0 * beyond], 1)
        return maps.flatten(2).transpose(1, 2)


class FiLM(nn.Module):  # type: ignore[misc]
    """Scales and shifts tokens by the sentence; starts as the identity."""

    def __init__(self, width: int, text_width: int) -> None:
        super().__init__()
        self.linear = nn.Linear(text_width, 2 * width)
        nn.init.zeros_(self.linear.weight)
        nn.init.zeros_(self.linear.bias)

    def forward(self, tokens: torch.Tensor, sentence: torch.Tensor) -> torch.Tensor:
        """Modulate tokens [B,N,C] by sentence [B,T]."""
        scale, shift = self.linear(sentence).unsqueeze(1).chunk(2, -1)
        return tokens * (1 + scale) + shift
