# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""The keyword family: a network of 19 fixed classes, and rules on the command's words. The baseline to beat."""

from __future__ import annotations

import numpy as np

from ris_node.bundle.bundle import Bundle
from ris_node.config import ModelConfig
from ris_node.language.keywords import KeywordRule, keyword_rule
from ris_node.language.parse import ParsedCommand
from ris_node.pipeline.keyword.regions import place_region
from ris_node.pipeline.keyword.rules import find_grid_pieces, pick
from ris_node.pipeline.segmenter import PADDING, RawAnswer, TextFeatures, VisionHolder, vision_feeds
from ris_node.types import F32, U8, Bool

NOTHING = -20.0  # logit of what the rules rule out


class KeywordSegmenter(VisionHolder):
    """Classes by network, everything else by rule."""

    def __init__(self, bundle: Bundle, config: ModelConfig) -> None:
        """Load the vision graph.

        Raises:
            BackendError: no runtime takes it.
            BundleError: the loaded graph is not what the manifest says.
        """
        super().__init__(bundle, config)
        self._pad = bundle.manifest.input.pad_value
        self._words = np.zeros((1, bundle.manifest.text.max_tokens, bundle.manifest.text.dim), np.float32)

    def encode(self, command: ParsedCommand) -> TextFeatures:
        """Read the command's keywords; the sentence is the multi-hot class vector f32[1,19]."""
        rule = keyword_rule(command)
        word_mask = np.full((1, self._words.shape[1]), PADDING, np.float32)
        return TextFeatures(self._words, word_mask, rule.multi_hot(), rule)

    def segment(self, image: U8, features: TextFeatures) -> RawAnswer:
        """Run the network on a letterboxed image u8[H,W,3] and apply the rules to its classes."""
        rule: KeywordRule = features.rule
        mask, road = self.class_logits(image, features)
        if rule.region and not rule.thing:  # "pull over on the right": only a place is meant
            region = place_region(rule, road, [])
            return RawAnswer(np.full_like(mask, NOTHING), region, _strength(region))
        labels, pieces = find_grid_pieces(mask > 0.0)
        chosen = pick(rule, pieces, labels, image)
        keep = np.isin(labels, [piece.number for piece in chosen])
        # the cells around what is kept keep their logits too, so that the outline stays where the network drew it
        mask = np.where(keep | (mask <= 0.0), mask, NOTHING).astype(np.float32)
        region = place_region(rule, road, chosen) if rule.region else road
        presence = _strength(mask) if chosen else NOTHING
        return RawAnswer(mask, region, presence)

    def class_logits(self, image: U8, features: TextFeatures) -> tuple[F32, F32]:
        """Run the network: logits f32[H/4,W/4] of the classes named, and of road; borders hold nothing."""
        out = self.vision.session.run(vision_feeds(image, features))
        content = _content(image, self._pad)
        mask = np.where(content, out["mask_logits"][0], NOTHING).astype(np.float32)
        return mask, np.where(content, out["region_logits"][0], NOTHING).astype(np.float32)

    def close(self) -> None:
        """Free the network."""
        self.vision.session.close()


def _content(image: U8, pad: int) -> Bool:
    """Cells bool[H/4,W/4] that show the picture: rows and columns that are not all of the pad value."""
    shown = image[1::4, 1::4, 1] != pad
    inside: Bool = shown.any(axis=1)[:, None] & shown.any(axis=0)[None]
    return inside


def _strength(logits: F32, cells: int = 8) -> float:
    """Mean of the strongest cells' logits."""
    flat = logits.ravel()
    return float(np.partition(flat, flat.size - cells)[-cells:].mean())
