# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Classes of the bundle families, and the referring family: a text graph run per command, a vision graph per frame."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ris_node.bundle.bundle import Bundle
from ris_node.config import ModelConfig
from ris_node.language.parse import ParsedCommand
from ris_node.language.tokenizer import WordPieces
from ris_node.pipeline.keyword.segmenter import KeywordSegmenter
from ris_node.pipeline.segmenter import PADDING, RawAnswer, Segmenter, TextFeatures, VisionHolder, vision_feeds
from ris_node.runtime.select import open_network
from ris_node.types import U8


class ReferringSegmenter(VisionHolder):
    """A trained network that reads the command itself."""

    def __init__(self, bundle: Bundle, config: ModelConfig) -> None:
        """Load both graphs and the tokenizer.

        Raises:
            BackendError: no runtime takes a graph.
            BundleError: a loaded graph or the tokenizer is not what the manifest says.
        """
        text = bundle.manifest.text
        self._pieces = WordPieces(bundle.path / "tokenizer.json", text.max_tokens, text.tokenizer_sha256)
        self._text = open_network(bundle, "text", config).session
        super().__init__(bundle, config)

    def encode(self, command: ParsedCommand) -> TextFeatures:
        """Run the text graph on a command, with typing slips put right."""
        tokens, mask = self._pieces.encode(command.plain or command.text.lower())
        out = self._text.run({"tokens": tokens, "token_mask": mask})
        word_mask = np.where(mask > 0, 0.0, PADDING).astype(np.float32)
        return TextFeatures(out["words"], word_mask, out["sentence"])

    def segment(self, image: U8, features: TextFeatures) -> RawAnswer:
        """Run the vision graph on a letterboxed image u8[H,W,3]."""
        out = self.vision.session.run(vision_feeds(image, features))
        return RawAnswer(out["mask_logits"][0], out["region_logits"][0], float(out["presence_logit"][0]))

    def close(self) -> None:
        """Free both networks."""
        self._text.close()
        self.vision.session.close()


SEGMENTERS: dict[str, Callable[[Bundle, ModelConfig], Segmenter]] = {
    "referring": ReferringSegmenter,
    "keyword": KeywordSegmenter,
}


def open_segmenter(bundle: Bundle, config: ModelConfig) -> Segmenter:
    """Load a bundle's networks with the class of its family.

    Raises:
        BackendError: no runtime takes a graph.
        BundleError: a loaded graph is not what the manifest says.
    """
    return SEGMENTERS[bundle.manifest.family](bundle, config)
