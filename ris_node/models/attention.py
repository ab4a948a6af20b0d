# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Attention from plain matrix products, so that every exporter and runtime sees MatMul, Softmax, MatMul."""

from __future__ import annotations

import math

import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812

FEWER = 4  # cells that one key of an `EncoderLayer` with a grid stands for
MASKED = -1e4  # additive; small enough for fp16, large enough to leave no weight


def word_bias(word_mask: torch.Tensor) -> torch.Tensor:
    """Turn a word mask f32[B,L] (0 = word, -1e4 = padding) into a bias over keys, f32[B,1,1,L]."""
    return word_mask[:, None, None, :]


class MaskedAttention(nn.Module):  # type: ignore[misc]
    """Multi-head attention of `queries` over `keys`, with an additive mask over the keys.

    Widths of queries, keys and output may differ; `width` is the inner one and a multiple of 8 times `heads`.
    """

    def __init__(self, query_width: int, key_width: int, width: int, heads: int, out_width: int | None = None) -> None:
        super().__init__()
        if width % (8 * heads):
            raise ValueError(f"attention width {width} must be a multiple of 8 x {heads} heads")
        self.heads = heads
        self.query = nn.Linear(query_width, width)
        self.key = nn.Linear(key_width, width)
        self.value = nn.Linear(key_width, width)
        self.out = nn.Linear(width, query_width if out_width is None else out_width)

    def forward(
        self,
        queries: torch.Tensor,
        keys: torch.Tensor,
        values: torch.Tensor | None = None,
        bias: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """Attend.

        Args:
            queries: [B,N,Cq].
            keys: [B,M,Ck]; also the values unless `values` is given.
            values: [B,M,Ck].
            bias: added to the scores, broadcastable to [B,heads,N,M].

        Returns:
            [B,N,out_width].
        """
        q, k = self._split(self.query(queries)), self._split(self.key(keys))
        v = self._split(self.value(keys if values is None else values))
        mixed = attend(q, k, v, bias)
        return self.out(mixed.transpose(1, 2).flatten(2))

    def _split(self, x: torch.Tensor) -> torch.Tensor:
        return x.unflatten(-1, (self.heads, -1)).transpose(1, 2)


def attend(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, bias: torch.Tensor | None) -> torch.Tensor:
    """Return scaled dot-product attention over [B,heads,N,d] with an additive bias.

    Three plain operations rather than torch's fused one: exporters want them, and on a CPU the backward pass of the
    fused one takes several times as long.
    """
    scores = (q * (1.0 / math.sqrt(q.shape[-1]))) @ k.transpose(-1, -2)
    if bias is not None:
        scores = scores + bias.to(scores.dtype)
    return scores.softmax(-1) @ v


class Feedforward(nn.Module):  # type: ignore[misc]
    """Two linear layers with a ReLU between, `ratio` times as wide inside."""

    def __init__(self, width: int, ratio: float) -> None:
        super().__init__()
        self.inner = nn.Linear(width, int(width * ratio))
        self.outer = nn.Linear(int(width * ratio), width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Apply to the last axis."""
        return self.outer(torch.relu(self.inner(x)))


class EncoderLayer(nn.Module):  # type: ignore[misc]
    """A pre-norm transformer layer whose queries and keys see a position code and whose values do not.

    With a `grid` (rows, columns, both even), the first tokens are that map's cells, and as keys and values they are
    averaged two by two (after the spatial reduction of PVT, arXiv 2102.12122); every query still gets its own answer.
    """

    def __init__(
        self, width: int, heads: int, ratio: float = 2.0, dropout: float = 0.0, grid: tuple[int, int] | None = None
    ) -> None:
        super().__init__()
        self.grid = grid
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attention = MaskedAttention(width, width, width, heads)
        self.feedforward = Feedforward(width, ratio)
        self.dropout = nn.Dropout(dropout)

    def forward(
        self, x: torch.Tensor, position: torch.Tensor | None = None, bias: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Mix the tokens x [B,N,C]; `position` is broadcastable to x, `bias` to [B,heads,N,keys]."""
        value = self.norm1(x)
        place = value if position is None else value + position
        x = x + self.dropout(self.attention(place, self._fewer(place), self._fewer(value), bias))
        return x + self.dropout(self.feedforward(self.norm2(x)))

    def _fewer(self, tokens: torch.Tensor) -> torch.Tensor:
        if self.grid is None:
            return tokens
        cells = self.grid[0] * self.grid[1]
        grid = F.avg_pool2d(tokens[:, :cells].transpose(1, 2).unflatten(2, self.grid), 2)
        return torch.cat([grid.flatten(2).transpose(1, 2), tokens[:, cells:]], 1)
