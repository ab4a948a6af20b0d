# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Which class runs which family of bundles."""

from __future__ import annotations

from collections.abc import Callable

from ris_node.bundle.bundle import Bundle
from ris_node.config import ModelConfig
from ris_node.pipeline.keyword.segmenter import KeywordSegmenter
from ris_node.pipeline.referring_segmenter import ReferringSegmenter
from ris_node.pipeline.segmenter import Segmenter

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
