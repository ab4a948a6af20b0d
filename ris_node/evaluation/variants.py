# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Systems to evaluate: bundles by folder, and the keyword baseline without its rules (`FOLDER:no-rules`)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ris_node.bundle.bundle import Bundle, open_bundle
from ris_node.config import ModelConfig
from ris_node.errors import ConfigError
from ris_node.pipeline.families import open_segmenter
from ris_node.pipeline.grounder import Grounder
from ris_node.pipeline.keyword.segmenter import KeywordSegmenter
from ris_node.pipeline.segmenter import RawAnswer, Segmenter, TextFeatures
from ris_node.types import F32, U8

NO_RULES = "no-rules"
Maps = dict[bytes, tuple[F32, F32]]


@dataclass(frozen=True)
class Entry:
    """A bundle to evaluate: its folder, the variant ("" for the bundle as it is), and maps shared between passes."""

    folder: Path
    variant: str = ""
    maps: Maps = field(default_factory=dict, compare=False, repr=False)

    @property
    def name(self) -> str:
        """The folder's name, and the variant's after a colon."""
        return self.folder.name + (f":{self.variant}" if self.variant else "")

    def open(self, config: ModelConfig) -> Grounder:
        """Load the bundle for one thread.

        Raises:
            BundleError: the bundle is missing or damaged.
            BackendError: no runtime takes it.
            ConfigError: the variant does not fit the bundle's family.
        """
        bundle = open_bundle(self.folder)
        keyword = bundle.manifest.family == "keyword"
        if self.variant and not keyword:
            raise ConfigError(f"{self.folder} is of family {bundle.manifest.family!r}: only keyword bundles have rules")
        segmenter: Segmenter = (
            SharedClasses(bundle, config, self.maps, rules=not self.variant)
            if keyword
            else open_segmenter(bundle, config)
        )
        return Grounder(bundle, segmenter)


def parse_entries(texts: list[str]) -> list[Entry]:
    """Parse the entries of `--bundles`: folders, each with `:no-rules` where the keyword rules are left out.

    Raises:
        ConfigError: an unknown variant, or two entries of one name.
    """
    entries = []
    maps: dict[Path, Maps] = {}
    for text in texts:
        folder, colon, variant = text.rpartition(":")
        path = Path(folder if colon else text)
        if colon and variant != NO_RULES:
            raise ConfigError(f"--bundles '{text}': there is no variant '{variant}', only '{NO_RULES}'")
        entries.append(Entry(path, variant if colon else "", maps.setdefault(path, {})))
    names = [entry.name for entry in entries]
    if len(set(names)) < len(names):
        raise ConfigError(f"--bundles names {names}: give each once, and folders of different names")
    return entries


class SharedClasses(KeywordSegmenter):
    """The keyword family, with its network run once for each picture and set of classes, and its rules or without.

    Without rules, an answer is everything of the classes named, and where to go is all of the road.
    """

    def __init__(self, bundle: Bundle, config: ModelConfig, maps: Maps, rules: bool) -> None:
        """Load the network; `maps` may be shared with other instances of the same bundle."""
        super().__init__(bundle, config)
        self._maps = maps
        self._rules = rules

    def class_logits(self, image: U8, features: TextFeatures) -> tuple[F32, F32]:
        """Return the base class's logits, from memory where they were computed before."""
        key = hashlib.blake2b(image.tobytes() + features.sentence.tobytes(), digest_size=16).digest()
        if key not in self._maps:
            self._maps[key] = super().class_logits(image, features)
        return self._maps[key]

    def segment(self, image: U8, features: TextFeatures) -> RawAnswer:
        """Answer with rules, or with the whole class."""
        if self._rules:
            return super().segment(image, features)
        mask, road = self.class_logits(image, features)
        shown = road if features.rule.region and not features.rule.thing else mask
        strongest = np.partition(shown.ravel(), shown.size - 8)[-8:]
        return RawAnswer(mask, road, float(strongest.mean()))
