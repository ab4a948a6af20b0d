# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""System: the contract of every network. Training, export, bundles and evaluation know nothing else of it.

A system is a file under `systems/` and a line in `registry.py`. It gives its config, its network, its losses and two
graphs for export; its trunk and text encoder are its own affair. `TrunkSystem` adds the shared convolutional trunk.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import torch
from torch import nn

from ris_node.models.attention import MASKED
from ris_node.models.batch import Batch
from ris_node.models.minilm import OUT_WIDTH, MiniLM, load_minilm, minilm_folder
from ris_node.models.trunk import ConvGraph, TrunkSpec, import_graph
from ris_node.models.words import WordFeatures

Tensors = tuple[torch.Tensor, ...]
Features = tuple[torch.Tensor, torch.Tensor]  # of texts: f32[N,L,C] and their mask i64[N,L], 1 for a word piece
TextReader = Callable[[Sequence[str]], Features]  # a frozen encoder; pads to the longest text
OUTPUTS = ("mask_logits", "region_logits", "presence_logit")


@dataclass(frozen=True, kw_only=True)
class SystemConfig:
    """Sizes that every system has; the input is height x width, both multiples of 32."""

    height: int = 256
    width: int = 320
    text_tokens: int = 32
    text_in: int = OUT_WIDTH
    text_width: int = 128


@dataclass(frozen=True)
class ParameterGroup:
    """Parameters that learn alike: at the trunk's rate if they are `pretrained`, with weight decay or without."""

    parameters: tuple[nn.Parameter, ...]
    pretrained: bool = False
    decay: bool = True


class ExportGraph(nn.Module):  # type: ignore[misc]
    """A module to export; `inputs` and `outputs` name its tensors in order, their shapes are the bundle's contract."""

    inputs: ClassVar[tuple[str, ...]]
    outputs: ClassVar[tuple[str, ...]]


class TextGraph(ExportGraph):
    """The bundle's text graph: the frozen encoder and the system's adapter."""

    inputs, outputs = ("tokens", "token_mask"), ("words", "sentence")

    def __init__(self, encoder: MiniLM, adapter: nn.Module) -> None:
        super().__init__()
        self.encoder, self.adapter = encoder, adapter

    def forward(self, tokens: torch.Tensor, token_mask: torch.Tensor) -> Tensors:
        """Map tokens i64[1,L] and their mask i64[1,L] to words f32[1,L,D] and the sentence f32[1,D]."""
        words, sentence = self.adapter(self.encoder(tokens, token_mask), token_mask)
        return words, sentence


class VisionGraph(ExportGraph):
    """The bundle's vision graph: a system without its text side."""

    inputs, outputs = ("image", "words", "word_mask", "sentence"), OUTPUTS

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(
        self, image: torch.Tensor, words: torch.Tensor, word_mask: torch.Tensor, sentence: torch.Tensor
    ) -> Tensors:
        """Map image u8[1,H,W,3] and text features to the three `OUTPUTS`."""
        mask, region, presence = self.model(image, words, word_mask, sentence)
        return mask, region, presence


class System(nn.Module, ABC):  # type: ignore[misc]
    """A network for referring segmentation.

    A subclass sets the class attributes and `adapter`, the trained part of its text side: a module from `Features` to
    words f32[N,L,D] and sentences f32[N,D]. Children named `trunk` are pretrained and learn at the trunk's rate.
    """

    description: ClassVar[str]  # one line, for the manifest
    source: ClassVar[str]  # the paper, and the system's number among the seeds
    terms: ClassVar[str] = "The text encoder is all-MiniLM-L6-v2 (Apache-2.0)."  # of the pretrained parts
    encoder: ClassVar[str] = "all-MiniLM-L6-v2, int8 weights, with a trained adapter"
    config_type: ClassVar[type[SystemConfig]] = SystemConfig
    loss_weights: ClassVar[Mapping[str, float]] = {}  # of the terms of `losses`; the YAML's `loss` changes them
    no_decay: ClassVar[frozenset[str]] = frozenset()  # parameters without weight decay, besides vectors

    config: SystemConfig
    adapter: nn.Module

    @classmethod
    def begin(cls, config: SystemConfig, find_trunk: Callable[[], Path]) -> System:  # noqa: ARG003 (for trunks)
        """Return the untrained system of a new run; `find_trunk` locates the pretrained trunk if it wants one."""
        return cls.rebuild(config, "")

    @classmethod
    @abstractmethod
    def rebuild(cls, config: SystemConfig, structure: str) -> System:
        """Return the untrained system that `config` and `structure` of a checkpoint describe."""

    @property
    def structure(self) -> str:
        """Text that a checkpoint keeps beside the config, for `rebuild`."""
        return ""

    @abstractmethod
    def forward(
        self, image: torch.Tensor, words: torch.Tensor, word_mask: torch.Tensor, sentence: torch.Tensor
    ) -> Tensors:
        """Segment one expression per image.

        Args:
            image: letterboxed RGB u8[N,H,W,3].
            words: f32[N,L,D] from the adapter.
            word_mask: f32[N,L], 0 for a word and -1e4 for padding.
            sentence: f32[N,D] from the adapter.

        Returns:
            The three `OUTPUTS`: mask and region logits [N,H/4,W/4], presence logits [N].
        """

    def outputs(self, batch: Batch, features: Features) -> dict[str, torch.Tensor]:
        """Return the three `OUTPUTS` of a batch's N rows by name, and whatever else `losses` wants.

        A system that shares work among the expressions of an image overrides this.
        """
        raw, mask = features
        words, sentence = self.adapter(raw, mask)
        images = batch.images.repeat_interleave(batch.repeats, 0)
        found = self(images, words, (1 - mask).to(words.dtype) * MASKED, sentence)
        return dict(zip(OUTPUTS, found, strict=True))

    @abstractmethod
    def losses(
        self, outputs: Mapping[str, torch.Tensor], batch: Batch, weights: Mapping[str, float]
    ) -> dict[str, torch.Tensor]:
        """Return every weighted loss term by name, from `outputs` in float32."""

    def run(self, batch: Batch, reader: TextReader, bf16: bool = False) -> dict[str, torch.Tensor]:
        """Return `outputs` in float32 on the batch's device, the network computed in bfloat16 if asked for."""
        device = batch.images.device
        raw, mask = reader(batch.texts)
        with torch.autocast(device.type, torch.bfloat16, enabled=bf16):
            found = self.outputs(batch, (raw.to(device), mask.to(device)))
        return {name: value.float() for name, value in found.items()}

    def text_reader(self, bf16: bool = False, device: torch.device | None = None) -> TextReader:
        """Return the frozen encoder of texts."""
        return WordFeatures(self.config.text_tokens, bf16=bf16, device=device)

    def tokenizer(self) -> Path:
        """Return the tokenizer's file, which the bundle gets."""
        return minilm_folder() / "tokenizer.json"

    def text_graph(self) -> ExportGraph:
        """Return the graph from word pieces to words and sentence."""
        return TextGraph(load_minilm(), self.adapter)

    def vision_graph(self) -> ExportGraph:
        """Return the graph from image, words and sentence to `OUTPUTS`."""
        return VisionGraph(self)

    def parameter_groups(self) -> list[ParameterGroup]:
        """Return all parameters that learn, each in one group."""
        groups: dict[tuple[bool, bool], list[nn.Parameter]] = {}
        for name, parameter in self.named_parameters():
            if parameter.requires_grad:
                key = name.startswith("trunk."), parameter.ndim > 1 and name not in self.no_decay
                groups.setdefault(key, []).append(parameter)
        return [ParameterGroup(tuple(group), *key) for key, group in groups.items()]

    def freeze_before(self, value: str) -> None:
        """Stop the gradient for all of the trunk that comes before its inner value `value`, if there is a trunk."""


@dataclass(frozen=True, kw_only=True)
class TrunkConfig(SystemConfig):
    """Sizes of a system over the shared trunk: the values tapped at strides 4, 8 and 16, and their scales."""

    tap4: str = "add12"
    tap8: str = "add23"
    tap16: str = "add53"
    deep: tuple[str, ...] = ("add68", "conv71")  # of stride 16, too
    tap_scales: tuple[float, ...] = (40.0, 25.0, 8.0, 6.0, 4.0)  # of tap4, tap8, tap16, deep...

    @property
    def taps(self) -> tuple[str, ...]:
        """Names of all tapped values."""
        return (self.tap4, self.tap8, self.tap16, *self.deep)


class TrunkSystem(System):
    """A system over a pretrained convolutional trunk, by default the shared one; called with a config and its spec."""

    terms = (
        "The trunk started from a Cityscapes network by Google Coral (Apache-2.0; Cityscapes itself is "
        "non-commercial), the text encoder is all-MiniLM-L6-v2 (Apache-2.0)."
    )
    config_type = TrunkConfig
    config: TrunkConfig

    def __init__(self, config: TrunkConfig, spec: TrunkSpec) -> None:
        super().__init__()
        self.config, self.spec = config, spec
        self.trunk = ConvGraph(spec, config.taps)

    @classmethod
    def begin(cls, config: SystemConfig, find_trunk: Callable[[], Path]) -> System:
        """Return the system over the trunk that `find_trunk` locates, with its weights."""
        spec, weights = import_graph(find_trunk())
        system = cls._over(config, spec)
        own = system.trunk.state_dict()
        system.trunk.load_state_dict({name: value for name, value in weights.items() if name in own})
        return system

    @classmethod
    def rebuild(cls, config: SystemConfig, structure: str) -> System:
        """Return the untrained system over a trunk of this `structure`, a spec as JSON."""
        return cls._over(config, TrunkSpec.from_json(json.loads(structure)))

    @classmethod
    def _over(cls, config: SystemConfig, spec: TrunkSpec) -> TrunkSystem:
        assert isinstance(config, cls.config_type) and isinstance(config, TrunkConfig)
        return cls(config, spec)

    @property
    def structure(self) -> str:
        """The trunk's spec as JSON."""
        return json.dumps(self.spec.to_json())

    def tap_widths(self) -> dict[str, int]:
        """Return the channels of each tapped value."""
        with torch.no_grad():
            values = self.trunk(torch.zeros(1, 3, 64, 64))
        return {name: int(values[name].shape[1]) for name in self.config.taps}

    def run_trunk(self, image: torch.Tensor) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        """Return RGB u8[B,H,W,3] as pixels f32[B,3,H,W] in [-1, 1], and the trunk's tapped values, scaled, by name."""
        pixels = image.float().permute(0, 3, 1, 2) * (1.0 / 127.5) - 1.0
        taps = self.trunk(pixels)
        scales = zip(self.trunk.taps, self.config.tap_scales, strict=True)
        return pixels, {name: taps[name] * (1.0 / scale) for name, scale in scales}

    def freeze_before(self, value: str) -> None:
        """Stop the gradient for every convolution that the trunk's inner value `value` depends on."""
        self.trunk.freeze_before(value)
