# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""TSMI, our reading of the abstract of "Referring Image Segmentation with Two-Stage Multi-Modal Interaction".

Stage one fuses text and vision in both directions and recurrently; stage two aligns the whole sentence with the whole
picture. Added: a candidate map (everything of the kind the text names) and attributes of each cell's object, so that
leftmost, nearest and largest compare objects (`batch.py`); layers of attention over all stride-16 cells; a presence
head and a navigable-region head. The trunk is only tapped: `encode_image` runs once per image, `decode` once per
expression, and all convolutions but the last are in `encode_image`.

What a vision pass may cost decided the rest (docs/model_card.md): text meets vision at stride 16 only, where strides 8
and 32 are brought to, because fusing at every level answered no better; keys of the attention are averaged two by two;
and of the trunk's classifier, which the answers hardly used, nothing is run.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812

from ris_node.models.attention import FEWER, MASKED, EncoderLayer, word_bias
from ris_node.models.base import OUTPUTS, Features, Tensors, TrunkConfig, TrunkSystem
from ris_node.models.batch import ATTRIBUTES, Batch, ObjectHead, Ranks, apart
from ris_node.models.fusion import CODES, FiLM, LevelFusion, Standing, position_codes
from ris_node.models.heads import Conditioned, KernelHead, PresenceHead, TopDown, double, to_map
from ris_node.models.systems.tsmi_losses import WEIGHTS, tsmi_losses
from ris_node.models.text import TextAdapter, masked_mean
from ris_node.models.trunk import TrunkSpec


@dataclass(frozen=True, kw_only=True)
class TsmiConfig(TrunkConfig):
    """Sizes of a TSMI network."""

    text_layers: int = 2
    fine_width: int = 64
    token_width: int = 128
    pixel_width: int = 48
    heads: int = 4
    layers: int = 3
    memory: int = 8
    dropout: float = 0.1
    presence_detached: bool = False
    books: tuple[int, ...] = (160, 64, 24)  # sizes of the text's auxiliary label sets: classes, forms, manoeuvres
    semantics: int = 160  # classes of the auxiliary semantic head


class ImageFeatures(NamedTuple):
    """Features of an image before any text: maps and tokens with the batch first."""

    pixels: torch.Tensor  # [B,P,H/4,W/4]
    eighth: torch.Tensor  # [B,N8,F] from which kinds are read
    objects: torch.Tensor  # [B,4,N8] attributes of each cell's object
    fine: torch.Tensor  # [B,N8,F]
    cells: torch.Tensor  # [B,N16,C] all levels at each stride-16 cell


class Tsmi(TrunkSystem):
    """The default system."""

    description = (
        "TSMI, our reading of its abstract, over a MobileNet-EdgeTPU DeepLab trunk, with a presence head and a region "
        "head"
    )
    source = "Referring Image Segmentation with Two-Stage Multi-Modal Interaction (seed 1)"
    config_type = TsmiConfig
    loss_weights = WEIGHTS
    no_decay = frozenset({"memory"})
    config: TsmiConfig

    def __init__(self, config: TsmiConfig, spec: TrunkSpec) -> None:
        super().__init__(config, spec)
        c, widths = config, self.tap_widths()
        self.adapter = TextAdapter(c.text_in, c.text_width, c.text_layers, c.heads, dropout=c.dropout, books=c.books)
        self.project8 = nn.Linear(widths[c.tap8] + 3, c.fine_width)
        self.project16 = nn.Linear(widths[c.tap16], c.token_width)
        self.project_deep = nn.Linear(sum(widths[name] for name in c.deep), c.token_width)
        self.norm8, self.norm16, self.norm_deep = (
            nn.LayerNorm(w) for w in (c.fine_width, c.token_width, c.token_width)
        )
        self.decoder = TopDown(c.token_width, c.fine_width, widths[c.tap4] + 3, c.pixel_width)
        self.object_head = ObjectHead(c.fine_width, c.height // 8, c.width // 8)
        self.semantic = nn.Conv2d(c.pixel_width, c.semantics, 1)  # auxiliary, in training only
        self._build_fusion()
        self._build_choice()
        self._build_answers()

    def _build_fusion(self) -> None:
        c = self.config
        self.fuse = LevelFusion(c.token_width, c.text_width, c.heads)
        self.place16 = nn.Linear(CODES, c.token_width)
        self.down8, self.across16 = nn.Linear(c.fine_width, c.token_width), nn.Linear(c.token_width, c.token_width)
        self.film = FiLM(c.token_width, c.text_width)
        self.words_in = nn.Linear(c.text_width, c.token_width)
        self.sentence_in = nn.Linear(c.text_width, c.token_width)
        self.memory = nn.Parameter(torch.randn(c.memory, c.token_width) * 0.5)
        grid = c.height // 16, c.width // 16
        self.layers = nn.ModuleList(EncoderLayer(c.token_width, c.heads, 2.0, c.dropout, grid) for _ in range(c.layers))
        self.norm_out = nn.LayerNorm(c.token_width)
        self.register_buffer("codes8", position_codes(c.height // 8, c.width // 8), persistent=False)
        self.register_buffer("codes16", position_codes(c.height // 16, c.width // 16), persistent=False)

    def _build_choice(self) -> None:
        c = self.config
        self.kind_kernel = nn.Linear(c.text_width, c.fine_width + 1)
        self.standing = Standing(c.height // 8, c.width // 8, (2, 7))
        self.ranks = Ranks()
        self.choice_width = Ranks.features + Standing.features - 1 + CODES
        self.choose = nn.Linear(c.text_width, self.choice_width + 1)  # how much the text cares for each of them
        nn.init.zeros_(self.choose.weight)
        nn.init.zeros_(self.choose.bias)
        self.choice_back = nn.Linear(self.choice_width, c.token_width)
        self.coarse_kernel = nn.Linear(c.token_width, c.token_width + 1)
        self.coarse_fine = nn.Linear(c.token_width, c.fine_width)

    def _build_answers(self) -> None:
        c = self.config
        size = c.height // 4, c.width // 4
        self.found = nn.Linear(c.fine_width + c.token_width + CODES + ATTRIBUTES, c.token_width)
        self.condition = Conditioned(c.token_width, c.fine_width, c.pixel_width)
        self.mask_head = KernelHead(3 * c.token_width, c.pixel_width, size)
        self.region_head = KernelHead(3 * c.token_width, c.pixel_width, size)
        self.reach = nn.Linear(3 * c.token_width, 2)  # cost of leaving the object, weight of the coarse map
        nn.init.zeros_(self.reach.weight)
        with torch.no_grad():
            self.reach.bias.copy_(torch.tensor([-2.0, 0.5]))
        self.presence_head = PresenceHead(c.token_width, c.heads, 2, c.presence_detached)
        self.contrast = nn.Linear(c.pixel_width, c.text_width)

    def encode_image(self, image: torch.Tensor) -> ImageFeatures:
        """Run the trunk and everything else that needs no text on letterboxed RGB u8[B,H,W,3]."""
        c = self.config
        pixels, tap = self.run_trunk(image)
        rgb4 = F.avg_pool2d(pixels, 4)
        rgb8 = F.avg_pool2d(rgb4, 2)
        fine = self.norm8(self.project8(_tokens(torch.cat([tap[c.tap8], rgb8], 1))))
        middle = self.norm16(self.project16(_tokens(tap[c.tap16])))
        deep = self.norm_deep(self.project_deep(_tokens(torch.cat([tap[name] for name in c.deep], 1))))
        x16 = to_map(deep + middle, c.height // 16, c.width // 16)
        x8 = to_map(fine, c.height // 8, c.width // 8)
        eighth, quarter = self.decoder(x16, x8, torch.cat([tap[c.tap4], rgb4], 1))
        cells = deep + self.across16(middle) + self.down8(_halve(fine, (c.height // 8, c.width // 8)))
        return ImageFeatures(quarter, _tokens(eighth), self.object_head(eighth).flatten(2), fine, cells)

    def decode(
        self, image: ImageFeatures, words: torch.Tensor, word_mask: torch.Tensor, sentence: torch.Tensor
    ) -> dict[str, torch.Tensor]:
        """Ground one expression per row.

        Args:
            image: of the same batch size as the text.
            words: f32[B,L,T] from the adapter.
            word_mask: f32[B,L], 0 for a word and -1e4 for padding.
            sentence: f32[B,T] from the adapter.

        Returns:
            The three `OUTPUTS`; for the losses, the alignment maps `mask_aligned` and `region_aligned`, `candidates`
            [B,H/8,W/8] (everything of the kind that is named), `coarse` [B,H/8,W/8] (the target), and `pooled` [B,T]
            (pixels under the alignment map, to be near the sentence).
        """
        c = self.config
        grid8, grid16 = (c.height // 8, c.width // 8), (c.height // 16, c.width // 16)
        bias = word_bias(word_mask)
        place16, fine = self.place16(self.codes16), image.fine
        tokens, words = self.fuse(image.cells, place16, words, bias)
        kind = _score(self.kind_kernel(sentence), image.eighth)
        standing = self._standing(kind, image.objects, grid8)
        tokens = self.film(tokens + self.choice_back(_halve(standing, grid8)), sentence)
        tokens, memory, meant = self._compare(tokens, place16, words, word_mask, sentence)
        coarse = self._coarse(kind, standing, sentence, tokens, memory[:, 0], fine)
        found, middle_of = self._found(coarse, fine, tokens, image.objects)
        pixels = self.condition(image.pixels, tokens, fine, grid16)
        aim = torch.cat([memory[:, 0], meant, found], -1)
        mask_a, mask = self.mask_head(aim, pixels)
        region_a, region = self.region_head(torch.cat([memory[:, 1], meant, found], -1), pixels)
        mask = mask + self._reached(aim, coarse, apart(image.objects, middle_of), grid8)
        evidence = torch.stack([kind.amax(1), coarse.amax(1)], -1)
        presence = self.presence_head(tokens, memory, memory[:, 2], evidence)
        pooled = self.contrast((pixels.flatten(2) @ mask_a.flatten(1).softmax(1).unsqueeze(-1)).squeeze(-1))
        outputs = dict(zip(OUTPUTS, (mask, region, presence), strict=True))
        maps = {"candidates": kind.unflatten(1, grid8), "coarse": coarse.unflatten(1, grid8)}
        return {**outputs, **maps, "mask_aligned": mask_a, "region_aligned": region_a, "pooled": pooled}

    def _standing(self, kind: torch.Tensor, objects: torch.Tensor, grid: tuple[int, int]) -> torch.Tensor:
        """Return features of each cell's place among the others, [B,N8,choice_width]."""
        ranks = self.ranks(kind, objects)
        beside = self.standing(torch.sigmoid(kind).unflatten(1, grid))[..., 1:]
        codes = self.codes8.to(ranks.dtype).expand(len(kind), -1, -1)
        return torch.cat([3.0 * ranks, beside, codes], -1)

    def _coarse(
        self,
        kind: torch.Tensor,
        standing: torch.Tensor,
        sentence: torch.Tensor,
        tokens: torch.Tensor,
        memory: torch.Tensor,
        fine: torch.Tensor,
    ) -> torch.Tensor:
        """Return logits [B,N8] of the target: of the kind, standing where and looking as the text says."""
        c = self.config
        grid16 = c.height // 16, c.width // 16
        cared = self.choose(sentence)
        by_place = (standing @ cared[:, :-1].unsqueeze(-1)).squeeze(-1) + cared[:, -1:]
        by_look = double(_score(self.coarse_kernel(memory), tokens).unflatten(1, grid16).unsqueeze(1)).flatten(1)
        by_look = by_look + (fine @ self.coarse_fine(memory).unsqueeze(-1)).squeeze(-1) * c.fine_width**-0.5
        return 4.0 * torch.tanh(0.25 * kind) + by_place + by_look

    def _found(
        self, coarse: torch.Tensor, fine: torch.Tensor, tokens: torch.Tensor, objects: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return features [B,C] of the chosen cells and the middle (x, y) of the chosen object, [B,2]."""
        c = self.config
        weight = coarse.softmax(1).unsqueeze(1)
        sixteenth = F.avg_pool2d(weight.unflatten(2, (c.height // 8, c.width // 8)), 2).flatten(2) * 4.0
        like = (objects * weight).sum(2)
        parts = [weight @ fine, sixteenth @ tokens, weight @ self.codes8.to(fine.dtype), like.unsqueeze(1)]
        return self.found(torch.cat(parts, -1).squeeze(1)), like[:, :2]

    def _reached(
        self, aim: torch.Tensor, coarse: torch.Tensor, away: torch.Tensor, grid: tuple[int, int]
    ) -> torch.Tensor:
        """Return the part of the mask's logits from the coarse map and the distance from the chosen object."""
        cost, count = self.reach(aim).chunk(2, -1)
        both = count * coarse - 20.0 * F.softplus(cost) * away
        return double(both.unflatten(1, grid).unsqueeze(1)).squeeze(1)

    def outputs(self, batch: Batch, features: Features) -> dict[str, torch.Tensor]:
        """Return those of `decode` and the auxiliary ones: `sentence`, `semantics`, `objects`, `meanings0`..."""
        raw, mask = features
        image = self.encode_image(batch.images)
        text = self.adapter.encode(raw, mask)
        semantics = self.semantic(torch.relu(image.pixels))
        rows = ImageFeatures(*(part.repeat_interleave(batch.repeats, 0) for part in image))
        decoded = self.decode(rows, text.words, (1 - mask).to(text.words.dtype) * MASKED, text.sentence)
        meanings = {f"meanings{number}": logits for number, logits in enumerate(text.meanings)}
        others = {"sentence": text.sentence, "semantics": semantics, "objects": image.objects}
        return {**decoded, **others, **meanings}

    def losses(
        self, outputs: Mapping[str, torch.Tensor], batch: Batch, weights: Mapping[str, float]
    ) -> dict[str, torch.Tensor]:
        """Return every weighted loss term by name (see `tsmi_losses`)."""
        return tsmi_losses(outputs, batch, weights)

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
        fourfold = word_mask.new_full((len(word_mask), cells // FEWER), math.log(FEWER))  # a key for four cells
        bias = word_bias(torch.cat([fourfold, F.pad(word_mask, (0, rest - length))], 1))
        for layer in self.layers:
            x = layer(x, position, bias)
        x = self.norm_out(x)
        keep = torch.exp(word_mask)
        return x[:, :cells], x[:, cells + length :], masked_mean(x[:, cells : cells + length], keep)

    def forward(
        self, image: torch.Tensor, words: torch.Tensor, word_mask: torch.Tensor, sentence: torch.Tensor
    ) -> Tensors:
        """Return mask logits, region logits and the presence logit."""
        decoded = self.decode(self.encode_image(image), words, word_mask, sentence)
        return tuple(decoded[name] for name in OUTPUTS)


def _halve(cells: torch.Tensor, grid: tuple[int, int]) -> torch.Tensor:
    """Average stride-8 cells [B,N8,C] to stride 16, [B,N16,C]."""
    return _tokens(F.avg_pool2d(to_map(cells, *grid), 2))


def _tokens(x: torch.Tensor) -> torch.Tensor:
    return x.flatten(2).transpose(1, 2)


def _score(kernel: torch.Tensor, tokens: torch.Tensor) -> torch.Tensor:
    scaled = kernel[:, :-1].unsqueeze(-1) * tokens.shape[-1] ** -0.5
    return (tokens @ scaled).squeeze(-1) + kernel[:, -1:]
