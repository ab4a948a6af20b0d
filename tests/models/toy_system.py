# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""The smallest system: one layer sees the picture, one makes a kernel of the text. It has no trunk."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import nn

from ris_node.models import losses
from ris_node.models.base import System, SystemConfig
from ris_node.models.batch import Batch
from ris_node.models.text import masked_mean

SETTINGS = {"height": 64, "width": 96, "text_tokens": 16, "text_width": 16, "channels": 8}


@dataclass(frozen=True, kw_only=True)
class ToyConfig(SystemConfig):
    """Sizes of a toy."""

    channels: int = 8


class ToyAdapter(nn.Module):
    """Projects word features; the sentence is their mean."""

    def __init__(self, inputs: int, width: int) -> None:
        super().__init__()
        self.linear = nn.Linear(inputs, width)

    def forward(self, raw: torch.Tensor, mask: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        words = self.linear(raw)
        return words, masked_mean(words, mask.to(words.dtype))


class Toy(System):
    """Colours of 8x8 patches against two kernels, of the mask and of the region."""

    description = "two layers, for tests"
    source = "no paper (no seed)"
    config_type = ToyConfig
    loss_weights = {"mask": 1.0, "region": 0.5, "presence": 0.2}  # noqa: RUF012
    config: ToyConfig

    def __init__(self, config: ToyConfig) -> None:
        super().__init__()
        self.config = config
        self.adapter = ToyAdapter(config.text_in, config.text_width)
        self.pixels = nn.Conv2d(3, config.channels, 8, 4, 2)
        self.kernel = nn.Linear(config.text_width, 2 * config.channels)

    @classmethod
    def rebuild(cls, config: SystemConfig, structure: str) -> Toy:
        return cls(config)

    def forward(self, image, words, word_mask, sentence):
        seen = torch.relu(self.pixels(image.float().permute(0, 3, 1, 2) / 127.5 - 1.0))
        kernels = self.kernel(sentence).unflatten(1, (2, -1))
        mask, region = (kernels @ seen.flatten(2)).unflatten(2, seen.shape[2:]).unbind(1)
        return mask, region, mask.flatten(1).amax(1)

    def losses(
        self, outputs: Mapping[str, torch.Tensor], batch: Batch, weights: Mapping[str, float]
    ) -> dict[str, torch.Tensor]:
        every = torch.ones_like(batch.presence)
        mask = losses.pixel_bce(outputs["mask_logits"], batch.masks, batch.has_mask)
        region = losses.pixel_bce(outputs["region_logits"], batch.regions, batch.has_region)
        presence = losses.binary(outputs["presence_logit"], batch.presence, every)
        terms = {"mask": mask, "region": region, "presence": presence}
        return {name: term * weights[name] for name, term in terms.items()}
