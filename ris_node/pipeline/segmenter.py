# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""The interface of model families: encode a command once, answer it for each image, and steady answers over frames."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from ris_node.bundle.bundle import Bundle
from ris_node.config import ModelConfig
from ris_node.language.parse import ParsedCommand
from ris_node.runtime.base import Array, BackendInfo, Session
from ris_node.runtime.select import Opened, open_network
from ris_node.types import F32, U8, Frame

PADDING = -1e4  # additive attention mask where there is no word


@dataclass(frozen=True)
class TextFeatures:
    """A command as the vision graph takes it.

    `words` f32[1,L,D]; `word_mask` f32[1,L], 0 for a word and -1e4 for padding; `sentence` f32[1,D]; `rule` is what
    the keyword family made of the command.
    """

    words: F32
    word_mask: F32
    sentence: F32
    rule: Any = field(default=None, compare=False)


@dataclass(frozen=True)
class RawAnswer:
    """What a model says of one image: logits f32[H/4,W/4] of the referent and of where to go, and of its presence."""

    mask_logits: F32
    region_logits: F32
    presence_logit: float


class Segmenter(Protocol):
    """One loaded model; used by one thread at a time."""

    vision: Opened

    @property
    def info(self) -> BackendInfo:
        """What the vision graph runs on."""

    def replace_vision(self, opened: Opened) -> Session:
        """Run the vision graph on another session from now on; returns the one before, still open."""

    def encode(self, command: ParsedCommand) -> TextFeatures:
        """Turn a command into what `segment` takes."""

    def segment(self, image: U8, features: TextFeatures) -> RawAnswer:
        """Answer a command for a letterboxed image u8[H,W,3]."""

    def close(self) -> None:
        """Free the model's networks; closing twice is harmless."""


class VisionHolder:
    """The part of every family that holds the vision graph's session, which may change between two frames."""

    def __init__(self, bundle: Bundle, config: ModelConfig) -> None:
        """Load the vision graph.

        Raises:
            BackendError: no runtime takes it.
            BundleError: the loaded graph is not what the manifest says.
        """
        self.vision = open_network(bundle, "vision", config)

    @property
    def info(self) -> BackendInfo:
        """What the vision graph runs on."""
        return self.vision.session.info

    def replace_vision(self, opened: Opened) -> Session:
        """Run the vision graph on another session from now on; returns the one before, still open."""
        before, self.vision = self.vision.session, opened
        return before


def vision_feeds(image: U8, features: TextFeatures) -> dict[str, Array]:
    """The inputs of the vision graph, which are the same for every family, from a letterboxed image u8[H,W,3]."""
    return {
        "image": image[None],
        "words": features.words,
        "word_mask": features.word_mask,
        "sentence": features.sentence,
    }


def sigmoid(logits: F32) -> F32:
    """Probability of a logit, in f32, without overflow."""
    return np.asarray(0.5 * (1.0 + np.tanh(0.5 * logits)), np.float32)


def logit(probability: float) -> float:
    """The logit of a probability; -inf for 0 and inf for 1."""
    if probability <= 0.0 or probability >= 1.0:
        return float("-inf") if probability <= 0.0 else float("inf")
    return float(np.log(probability) - np.log1p(-probability))


class Smoother:
    """An exponential average of the logits; it starts afresh when the query, the size or the course of time changes."""

    def __init__(self) -> None:
        """Start with nothing seen."""
        self._key: tuple[str, int, int] | None = None
        self._stamp_ns = 0
        self._last: RawAnswer | None = None

    def reset(self) -> None:
        """Forget what was seen."""
        self._last = None

    def smooth(self, raw: RawAnswer, query_id: str, frame: Frame, weight: float) -> RawAnswer:
        """Mix an answer with the average so far, of which `weight` (0..1) is kept; 0 switches smoothing off."""
        key = (query_id, frame.width, frame.height)
        fits = key == self._key and frame.stamp_ns >= self._stamp_ns
        last = self._last if fits and weight > 0.0 else None
        if last is not None:

            def mix(new: F32, old: F32) -> F32:
                return new + weight * (old - new)

            presence = raw.presence_logit + weight * (last.presence_logit - raw.presence_logit)
            masks = mix(raw.mask_logits, last.mask_logits), mix(raw.region_logits, last.region_logits)
            raw = RawAnswer(*masks, presence)
        self._key, self._stamp_ns, self._last = key, frame.stamp_ns, raw
        return raw
