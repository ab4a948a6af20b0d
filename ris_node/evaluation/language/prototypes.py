# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Classification by a model's text side: the sentence feature of a text against those of plain phrases."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ris_node.bundle.bundle import open_bundle
from ris_node.config import ModelConfig
from ris_node.evaluation.language.people import ANNOTATED, Utterance, concepts_of
from ris_node.language.parse import parse_command
from ris_node.language.tokenizer import WordPieces
from ris_node.runtime.select import open_network
from ris_node.types import F32

PHRASES = ("the {}", "a {}", "{}", "that {}", "the {} over there", "the {} on the left", "the {} on the right")
ORDERS = ("stop next to the {}", "park behind the {}", "follow the {}", "stop near that {}", "wait for the {}")


class TextSide:
    """The text graph of a bundle, alone."""

    def __init__(self, path: Path) -> None:
        """Open the text graph and the tokenizer.

        Raises:
            RisError: the bundle cannot be read or run.
        """
        bundle = open_bundle(path)
        text = bundle.manifest.text
        self._pieces = WordPieces(bundle.path / "tokenizer.json", text.max_tokens, text.tokenizer_sha256)
        self._session = open_network(bundle, "text", ModelConfig()).session

    def sentences(self, texts: Sequence[str]) -> F32:
        """Return sentence features f32[n,D] of unit length, of the texts as the pipeline would encode them."""
        out = []
        for text in texts:
            tokens, mask = self._pieces.encode(parse_command(text).plain)
            out.append(self._session.run({"tokens": tokens, "token_mask": mask})["sentence"][0])
        features = np.stack(out).astype(np.float32)
        return np.asarray(features / np.linalg.norm(features, axis=1, keepdims=True), np.float32)


def classes() -> tuple[str, ...]:
    """Return the classes told apart: the first concept of each annotated class, and person."""
    return ("person", *dict.fromkeys(names[0] for names in ANNOTATED.values()))


def prototypes(side: TextSide, templates: Sequence[str]) -> F32:
    """Return a feature f32[classes,D] per class: the mean over templates, less that over classes, of unit length."""
    means = np.stack([side.sentences([t.format(name) for t in templates]).mean(0) for name in classes()])
    return np.asarray(means, np.float32)


def nearest(features: F32, marks: F32) -> list[str]:
    """Return the class of the nearest prototype by cosine, each side less its own mean over all it holds."""
    a, b = features - marks.mean(0), marks - marks.mean(0)
    b = b / np.linalg.norm(b, axis=1, keepdims=True)
    return [classes()[i] for i in (a @ b.T).argmax(1)]


def text_side_agreement(
    path: Path, commands: Sequence[Utterance], names: Sequence[Utterance], step: int = 4
) -> dict[str, float]:
    """Return how often the nearest prototype is the annotated class: commands, and every `step`-th noun phrase.

    Where several concepts name a class rightly (`people.ANNOTATED`), any of them counts, as for the grammar.
    """
    side = TextSide(path)
    out: dict[str, float] = {"texts": len(commands) + len(names[::step])}
    for label, said, templates in (("commands", commands, ORDERS), ("expressions", names[::step], PHRASES)):
        kept = [s for s in said if concepts_of(s.target)]
        found = nearest(side.sentences([s.text for s in kept]), prototypes(side, templates))
        out[label] = float(np.mean([f in concepts_of(s.target) for f, s in zip(found, kept, strict=True)]))
    return out
