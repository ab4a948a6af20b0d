# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""TSMI, our reading of the abstract of "Referring Image Segmentation with Two-Stage Multi-Modal Interaction".

Stage one fuses text and vision level by level, in both directions and recurrently; stage two aligns the whole
sentence with the whole picture. Added: layers of attention over all stride-16 cells (leftmost, nearest, largest are
comparisons), a candidate map (everything of the kind the text names), a presence head and a navigable-region head.
The trunk is only tapped: `see` runs once per image, `answer` once per expression.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812

from ris_node.models.attention import EncoderLayer, word_bias
from ris_node.models.fusion import CODES, FiLM, LevelFusion, Standing, position_codes
from ris_node.models.heads import KernelHead, PresenceHead, TopDown, to_map
from ris_node.models.text import POINTER, TextAdapter, masked_mean
from ris_node.models.trunk import ConvGraph, GraphSpec


@dataclass(frozen=True)
class TsmiConfig:
    """Sizes of a TSMI network; the input is height x width, both multiples of 32."""

    height: int = 256
    width: int = 320
    text_tokens: int = 32
    text_in: int = 768
    text_width: int = 128
    text_layers: int = 2
    fine_width: int = 64
    token_width: int = 128
    pixel_width: int = 48
    heads: int = 4
    layers: int = 3
    memory: int = 8
    dropout: float = 0.1
    presence_detached: bool = False
    tap4: str = "add12"
    tap8: str = "add23"
    tap16: str = "add53"
    deep: tuple[str, ...] = ("add68", "act79")
    classes: str = "conv80"
    tap_scales: tuple[float, ...] = (40.0, 25.0, 8.0, 6.0, 1.5, 4.0)  # of tap4, tap8, tap16, deep..., classes


class Seen(NamedTuple):
    """What an image gives before any text: maps and tokens with the batch first."""

    low: torch.Tensor  # [B,P,H/4,W/4]
    fine: torch.Tensor  # [B,N8,F]
    middle: torch.Tensor  # [B,N16,C]
    deep: torch.Tensor  # [B,N16,C]


class Answer(NamedTuple):
    """What the network says of one expression; the last five only serve training."""

    mask_logits: torch.Tensor  # [B,H/4,W/4]
    region_logits: torch.Tensor  # [B,H/4,W/4]
    presence_logit: torch.Tensor  # [B]
    mask_aligned: torch.Tensor  # A of the mask head
    region_aligned: torch.Tensor  # A of the region head
    candidates: torch.Tensor  # [B,H/16,W/16] everything of the kind that is named
    coarse: torch.Tensor  # [B,H/16,W/16] the target
    pooled: torch.Tensor  # [B,T] pixels under the alignment map, to be near `meant`


class Tsmi(nn.Module):  # type: ignore[misc]
    """The default model; `forward` is the vision graph of the bundle, `adapter` the trained part of its text graph."""

    def __init__(self, config: TsmiConfig, graph: GraphSpec) -> None:
        super().__init__()
        self.config = c = config
        taps = (c.tap4, c.tap8, c.tap16, *c.deep, c.classes)
        self.trunk = ConvGraph(graph, taps)
        widths = {name: int(self.trunk.convs[name].weight.shape[0]) for name in taps if name in self.trunk.convs}
        widths.update(_tap_widths(self.trunk, taps))
        self.adapter = TextAdapter(c.text_in, c.text_width, c.text_layers, c.heads, c.dropout)
        self.project8 = nn.Linear(widths[c.tap8] + 3, c.fine_width)
        self.project16 = nn.Linear(widths[c.tap16], c.token_width)
        deep = sum(widths[name] for name in c.deep) + 2 * widths[c.classes]
        self.project_deep = nn.Linear(deep, c.token_width)
        self.norm8, self.norm16, self.norm_deep = (
            nn.LayerNorm(w) for w in (c.fine_width, c.token_width, c.token_width)
        )
        self._build_fusion()
        self.decoder = TopDown(c.token_width, c.fine_width, widths[c.tap4] + 3, c.pixel_width)
        size = c.height // 4, c.width // 4
        self.mask_head = KernelHead(2 * c.token_width, c.pixel_width, size)
        self.region_head = KernelHead(2 * c.token_width, c.pixel_width, size)
        self.presence_head = PresenceHead(c.token_width, c.heads, 2, c.presence_detached)
        self.contrast = nn.Linear(c.pixel_width, c.text_width)

    def _build_fusion(self) -> None:
        c = self.config
        self.fuse8 = LevelFusion(c.fine_width, c.text_width, 2)
        self.fuse16 = LevelFusion(c.token_width, c.text_width, c.heads)
        self.fuse_deep = LevelFusion(c.token_width, c.text_width, c.heads)
        self.place8, self.place16 = nn.Linear(CODES, c.fine_width), nn.Linear(CODES, c.token_width)
        self.down8, self.across16 = nn.Linear(c.fine_width, c.token_width), nn.Linear(c.token_width, c.token_width)
        self.spot16 = nn.Linear(CODES, c.token_width)  # cells know where they are, for the sentence to weigh
        nn.init.zeros_(self.spot16.weight)
        nn.init.zeros_(self.spot16.bias)
        self.film = FiLM(c.token_width, c.text_width)
        self.kind_kernel = nn.Linear(c.text_width, c.token_width + 1)
        self.standing = Standing(c.height // 16, c.width // 16)
        self.choose = nn.Parameter(torch.zeros(2, 3))  # how much a pointing text counts, for masks and for regions
        self.kind_back = nn.Linear(Standing.features, c.token_width)
        self.coarse_kernel = nn.Linear(c.token_width, c.token_width + 1)
        self.words_in = nn.Linear(c.text_width, c.token_width)
        self.sentence_in = nn.Linear(c.text_width, c.token_width)
        self.memory = nn.Parameter(torch.randn(c.memory, c.token_width) * 0.5)
        self.layers = nn.ModuleList(EncoderLayer(c.token_width, c.heads, 2.0, c.dropout) for _ in range(c.layers))
        self.norm_out = nn.LayerNorm(c.token_width)
        self.register_buffer("codes8", position_codes(c.height // 8, c.width // 8), persistent=False)
        self.register_buffer("codes16", position_codes(c.height // 16, c.width // 16), persistent=False)

    def see(self, image: torch.Tensor) -> Seen:
        """Run the trunk and everything else that needs no text on letterboxed RGB u8[B,H,W,3]."""
        c = self.config
        pixels = image.float().permute(0, 3, 1, 2) * (1.0 / 127.5) - 1.0  # TensorRT does not transpose uint8
        taps = self.trunk(pixels)
        tap = {name: taps[name] * (1.0 / scale) for name, scale in zip(self.trunk.taps, c.tap_scales, strict=True)}
        rgb4 = F.avg_pool2d(pixels, 4)
        rgb8 = F.avg_pool2d(rgb4, 2)
        low = self.decoder.project_low(torch.cat([tap[c.tap4], rgb4], 1))
        fine = self.norm8(self.project8(_tokens(torch.cat([tap[c.tap8], rgb8], 1))))
        middle = self.norm16(self.project16(_tokens(tap[c.tap16])))
        chance = taps[c.classes].float().softmax(1)
        deep = torch.cat([*(tap[name] for name in c.deep), tap[c.classes], chance], 1)
        return Seen(low, fine, middle, self.norm_deep(self.project_deep(_tokens(deep))))

    def answer(self, seen: Seen, words: torch.Tensor, word_mask: torch.Tensor, sentence: torch.Tensor) -> Answer:
        """Ground one expression per row.

        Args:
            seen: of the same batch size as the text.
            words: f32[B,L,T] from the adapter.
            word_mask: f32[B,L], 0 for a word and -1e4 for padding.
            sentence: f32[B,T] from the adapter.
        """
        c = self.config
        h16, w16 = c.height // 16, c.width // 16
        bias = word_bias(word_mask)
        place8, place16 = self.place8(self.codes8), self.place16(self.codes16)
        fine, words = self.fuse8(seen.fine, place8, words, bias)
        middle, words = self.fuse16(seen.middle, place16, words, bias)
        deep, words = self.fuse_deep(seen.deep, place16, words, bias)
        map8 = to_map(fine, c.height // 8, c.width // 8)
        tokens = deep + self.across16(middle) + self.down8(_tokens(F.avg_pool2d(map8, 2)))
        tokens = self.film(tokens + self.spot16(3.0 * self.codes16), sentence)
        kind = _score(self.kind_kernel(sentence), tokens)
        standing = self.standing(torch.sigmoid(kind).unflatten(1, (h16, w16)))
        tokens = tokens + self.kind_back(standing)
        tokens, memory, meant = self._compare(tokens, place16, words, word_mask, sentence)
        coarse = _score(self.coarse_kernel(memory[:, 0]), tokens)
        pixels = self.decoder(to_map(tokens, h16, w16), map8, seen.low)
        mask_a, mask = self.mask_head(torch.cat([memory[:, 0], meant], -1), pixels)
        region_a, region = self.region_head(torch.cat([memory[:, 1], meant], -1), pixels)
        chosen = self._pointed(standing, sentence)
        mask, region = mask + chosen[:, 0], region + chosen[:, 1]
        evidence = torch.stack([kind.amax(1), coarse.amax(1)], -1)
        presence = self.presence_head(tokens, memory, memory[:, 2], evidence)
        pooled = self.contrast((pixels.flatten(2) @ mask_a.flatten(1).softmax(1).unsqueeze(-1)).squeeze(-1))
        grid = (h16, w16)
        return Answer(
            mask, region, presence, mask_a, region_a, kind.unflatten(1, grid), coarse.unflatten(1, grid), pooled
        )

    def _pointed(self, standing: torch.Tensor, sentence: torch.Tensor) -> torch.Tensor:
        """Favour what stands where the text points: maps [B,2,H/4,W/4] to add to the logits of mask and region."""
        c = self.config
        point = sentence[:, -POINTER:]
        side = (standing[..., 2] - standing[..., 4]) * point[:, :1]
        depth = (standing[..., 5] - standing[..., 7]) * point[:, 1:2]
        place = self.codes16[:, 0] * point[:, 3:4]
        maps = self.choose @ torch.stack([side, depth, place], 1)
        maps = maps.unflatten(2, (c.height // 16, c.width // 16))
        return F.interpolate(maps, scale_factor=4.0, mode="bilinear", align_corners=False)

    def _compare(
        self,
        tokens: torch.Tensor,
        place: torch.Tensor,
        words: torch.Tensor,
        word_mask: torch.Tensor,
        sentence: torch.Tensor,
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Let cells, words and memory tokens attend to each other; return cells, memory and the mean word."""
        cells, length = tokens.shape[1], words.shape[1]
        memory = self.memory + self.sentence_in(sentence).unsqueeze(1)
        x = torch.cat([tokens, self.words_in(words), memory], 1)
        rest = x.shape[1] - cells
        position = F.pad(place, (0, 0, 0, rest))
        bias = word_bias(F.pad(word_mask, (cells, rest - length)))
        for layer in self.layers:
            x = layer(x, position, bias)
        x = self.norm_out(x)
        keep = torch.exp(word_mask)
        return x[:, :cells], x[:, cells + length :], masked_mean(x[:, cells : cells + length], keep)

    def forward(
        self, image: torch.Tensor, words: torch.Tensor, word_mask: torch.Tensor, sentence: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Return mask logits, region logits and the presence logit: the bundle's vision graph."""
        answer = self.answer(self.see(image), words, word_mask, sentence)
        return answer.mask_logits, answer.region_logits, answer.presence_logit


def _tokens(x: torch.Tensor) -> torch.Tensor:
    return x.flatten(2).transpose(1, 2)


def _score(kernel: torch.Tensor, tokens: torch.Tensor) -> torch.Tensor:
    scaled = kernel[:, :-1].unsqueeze(-1) * tokens.shape[-1] ** -0.5
    return (tokens @ scaled).squeeze(-1) + kernel[:, -1:]


def _tap_widths(trunk: ConvGraph, taps: tuple[str, ...]) -> dict[str, int]:
    with torch.no_grad():
        values = trunk(torch.zeros(1, 3, 64, 64))
    return {name: int(values[name].shape[1]) for name in taps}
