# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Refusals, about what a picture clearly does not show: classes that are not in it, and things that never are."""

from __future__ import annotations

import numpy as np

from ris_node.data.classes import CLASSES, related
from ris_node.data.registry import facts_of
from ris_node.data.text.meaning import Facts
from ris_node.data.text.templates import aliens
from ris_node.data.text.wording import alien_words, phrase, pick, sentence

Rng = np.random.Generator
_INDOORS = frozenset(
    {
        "void",
        "light",
        "paper",
        "food",
        "wall",
        "floor",
        "ceiling",
        "cabinet",
        "table",
        "rock",
        "water",
        "net",
        "cardboard",
    }
)


def absent_names(facts: Facts, rng: Rng) -> tuple[str, ...]:
    """Return classes that the picture clearly shows none of: half of the time those its source always labels."""
    a = facts.annotated
    own = tuple(sorted(facts_of(a.source).always - facts.present - a.partial))
    if own and rng.random() < 0.55:
        return own
    hidden = a.unsure | a.partial | facts.present
    return tuple(
        c.name
        for c in CLASSES
        if c.name not in hidden and c.name not in _INDOORS and not related(c.name) & facts.present
    )


def alien_text(facts: Facts, rng: Rng, split: str, command: bool) -> tuple[str, str]:
    """Return a text about what never is, and the manoeuvre it asks for ("" for a noun phrase or chatter)."""
    if rng.random() < 0.15:
        return pick(rng, aliens("sentences", split)), ""
    taken = alien_words(facts.present)
    thing = pick(rng, tuple(n for n in aliens("nouns", split) if n not in taken))
    form = str(rng.choice(["single", "single", "single", "all", "leftmost", "right", "left", "nearest", "largest"]))
    np_text = phrase(rng, form, split, thing, thing if thing.endswith("s") else f"{thing}s")
    if not command:
        return sentence(rng, "object", split, np_text), ""
    carrier = str(rng.choice(["next_to", "next_to", "behind", "in_front_of", "follow"]))
    return sentence(rng, carrier, split, np_text), carrier
