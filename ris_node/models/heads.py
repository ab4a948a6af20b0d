# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Heads over fused tokens: the top-down decoder, the kernel generated from text, the presence head."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812

from ris_node.models.attention import MaskedAttention
from ris_node.models.fusion import AXIS_CODES, axis_codes


def to_map(tokens: torch.Tensor, height: int, width: int) -> torch.Tensor:
    """Lay tokens [B,H*W,C] out as a map [B,C,H,W]."""
    return tokens.transpose(1, 2).unflatten(2, (height, width))


def double(x: torch.Tensor) -> torch.Tensor:
    """Enlarge a map twofold, bilinear, `align_corners=False`."""
    return F.interpolate(x, scale_factor=2.0, mode="bilinear", align_corners=False)


class Separable(nn.Sequential):  # type: ignore[misc]
    """A 3x3 convolution as one per channel and one across channels, at about a sixth of the cost; at first zero."""

    def __init__(self, width: int) -> None:
        super().__init__(nn.Conv2d(width, width, 3, padding=1, groups=width), nn.Conv2d(width, width, 1))
        nn.init.zeros_(self[1].weight)
        nn.init.zeros_(self[1].bias)


class TopDown(nn.Module):  # type: ignore[misc]
    """A feature pyramid from stride 16 over 8 to 4; the last map gets its text per expression (see `Conditioned`)."""

    def __init__(self, token_width: int, fine_width: int, low_width: int, out_width: int) -> None:
        super().__init__()
        self.from16 = nn.Conv2d(token_width, fine_width, 1)
        self.mix8a = nn.Conv2d(fine_width, fine_width, 3, padding=1)
        self.mix8b = nn.Conv2d(fine_width, fine_width, 3, padding=1)
        self.from8 = nn.Conv2d(fine_width, out_width, 1)
        self.low = nn.Conv2d(low_width, out_width, 1)
        self.mix4 = Separable(out_width)

    def forward(self, x16: torch.Tensor, x8: torch.Tensor, x4: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Merge maps of strides 16, 8 and 4 into one of stride 8 [B,fine,..] and one of stride 4 [B,out,..]."""
        x = double(self.from16(x16)) + x8
        eighth = x + self.mix8b(torch.relu(self.mix8a(torch.relu(x))))
        x = torch.relu(double(self.from8(eighth)) + self.low(x4))
        return eighth, x + self.mix4(x)


class Conditioned(nn.Module):  # type: ignore[misc]
    """Pixels of stride 4 for one expression: the picture's own plus the fused cells of strides 16 and 8."""

    def __init__(self, token_width: int, fine_width: int, out_width: int) -> None:
        super().__init__()
        self.from16, self.from8 = nn.Linear(token_width, out_width), nn.Linear(fine_width, out_width)

    def forward(
        self, pixels: torch.Tensor, tokens: torch.Tensor, fine: torch.Tensor, size: tuple[int, int]
    ) -> torch.Tensor:
        """Add tokens [B,N16,C] and fine cells [B,N8,F] to pixels [B,P,H/4,W/4]; `size` is (H/16, W/16)."""
        height, width = size
        coarse = to_map(self.from16(tokens), height, width)
        return torch.relu(pixels + double(double(coarse) + to_map(self.from8(fine), 2 * height, 2 * width)))


class Aim(nn.Module):  # type: ignore[misc]
    """Prior of a text over places, whatever the picture: a smooth map over x plus one over y, at first flat."""

    def __init__(self, text_width: int, height: int, width: int) -> None:
        super().__init__()
        self.linear = nn.Linear(text_width, 2 * AXIS_CODES)
        nn.init.zeros_(self.linear.weight)
        nn.init.zeros_(self.linear.bias)
        self.register_buffer("over_x", 3.0 * axis_codes(width).T, persistent=False)
        self.register_buffer("over_y", 3.0 * axis_codes(height).T, persistent=False)

    def forward(self, text: torch.Tensor) -> torch.Tensor:
        """Return the map [B,H,W] of text [B,T]."""
        x, y = self.linear(text).chunk(2, -1)
        return (x @ self.over_x).unsqueeze(1) + (y @ self.over_y).unsqueeze(2)


class KernelHead(nn.Module):  # type: ignore[misc]
    """Dynamic kernel: a 1x1 kernel generated from text gives the alignment map A; `logits = A + conv(P(1 + s(A)))`."""

    def __init__(self, text_width: int, width: int, size: tuple[int, int]) -> None:
        super().__init__()
        self.aim = Aim(text_width, *size)
        self.hidden, self.kernel = nn.Linear(text_width, 4 * width), nn.Linear(4 * width, width + 1)
        self.refine = nn.Conv2d(width, 1, 3, padding=1)
        self.scale = width**-0.5
        nn.init.zeros_(self.refine.bias)

    def forward(self, text: torch.Tensor, pixels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return A and the logits, each [B,H,W], for text [B,T] and P [B,C,H,W]."""
        made = self.kernel(torch.relu(self.hidden(text)))
        height, width = pixels.shape[2], pixels.shape[3]
        aligned = (made[:, None, :-1] * self.scale) @ pixels.flatten(2) + made[:, None, -1:]
        aligned = aligned.unflatten(2, (height, width)) + self.aim(text).unsqueeze(1)
        logits = aligned + self.refine(pixels * (1 + torch.sigmoid(aligned)))
        return aligned.squeeze(1), logits.squeeze(1)


class PresenceHead(nn.Module):  # type: ignore[misc]
    """Presence of the text's target, from pixels that attend to the memory tokens and from the best evidence.

    After RefSegformer's existence head; `evidence` are the largest values of coarse score maps. With `detached` the
    head passes no gradient on.
    """

    def __init__(self, width: int, heads: int, evidence: int, detached: bool) -> None:
        super().__init__()
        self.detached = detached
        self.read = MaskedAttention(width, width, width, heads)
        self.hidden, self.out = nn.Linear(2 * width + evidence, width), nn.Linear(width, 1)

    def forward(
        self, pixels: torch.Tensor, memory: torch.Tensor, summary: torch.Tensor, evidence: torch.Tensor
    ) -> torch.Tensor:
        """Return logits [B] for pixels [B,N,C], memory [B,M,C], summary [B,C] and evidence [B,E]."""
        if self.detached:
            pixels, memory, summary, evidence = (x.detach() for x in (pixels, memory, summary, evidence))
        read = self.read(pixels, memory).mean(1)
        return self.out(torch.relu(self.hidden(torch.cat([read, summary, evidence], -1)))).squeeze(-1)
