# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""From a form and its words to a text as people write it: determiners, plurals, politeness, case and typing slips."""

from __future__ import annotations

import numpy as np

from ris_node.data.classes import BROAD_WORDS, CLASSES, ClassInfo, related
from ris_node.data.colours import COLOUR_WORDS
from ris_node.data.text.templates import DETERMINERS, ENDINGS, wordings

Rng = np.random.Generator
_SLIP_RATE = 0.05
_TRAIN_SLIPS = 2.0  # training makes this many times more of them, and starts some texts as speech does
_OPENINGS = ("hey, ", "ok, ", "okay ", "um, ", "so, ", "well, ", "hi, ", "oh, ", "alright, ", "now ", "please ")
_NEXT_KEY = dict(zip("abcdefghijklmnopqrstuvwxyz", "snxfrdhjokolnnipwtrygcwzhx", strict=True))
# On people, a colour is that of the clothes.
_CLOTHED = ("{n} in {c}", "{n} in {c}", "{n} wearing {c}", "{n} in {c} clothes", "{n} dressed in {c}")
# A slip in these would change what is meant.
_KEEP = frozenset("left right leftmost rightmost before behind front next first second third".split())  # noqa: SIM905


def pick(rng: Rng, items: tuple[str, ...]) -> str:
    """Return one of the items, evenly."""
    return items[int(rng.integers(len(items)))]


def noun(rng: Rng, info: ClassInfo, plural: bool, narrow: bool, colour: str | None = None) -> str:
    """Return a word for a class; `narrow` leaves out words that could also mean a related class in view.

    The first word, the plainest, comes up half of the time.
    """
    words = info.plural if plural else info.singular
    if narrow:
        words = tuple(w for w in words if w not in BROAD_WORDS) or words[:1]
    word = words[0] if rng.random() < 0.5 else pick(rng, words)
    if not colour:
        return word
    if info.name in ("person", "cyclist"):
        return pick(rng, _CLOTHED).format(n=word, c=COLOUR_WORDS[colour][0])
    return f"{pick(rng, COLOUR_WORDS[colour])} {word}"


def phrase(rng: Rng, form: str, split: str, singular: str, plural: str, other: str = "") -> str:
    """Return a noun phrase of a form around a noun in both numbers, with `other` as the phrase it relates to."""
    text = pick(rng, wordings(form, split)).format(the=pick(rng, DETERMINERS), n=singular, ns=plural, o=other, np="")
    return " ".join(text.split())


def sentence(rng: Rng, form: str, split: str, np_text: str = "", name: str = "") -> str:
    """Return a sentence of a form ("object", or a manoeuvre) that carries a noun phrase about a class `name`."""
    if form == "object" and rng.random() < 0.5:
        return np_text
    carrier = pick(rng, wordings(form, split, sentences=True))
    it = pick(rng, ("him", "her", "them")) if "{it}" in carrier and name in ("person", "cyclist") else "it"
    return carrier.format(np=np_text, it=it)


def humanise(rng: Rng, text: str, split: str = "val") -> str:
    """Vary case and punctuation and make the odd typing slip, never in a word that carries the direction."""
    training = split == "train"
    if training and rng.random() < 0.05 and "please" not in text:
        text = f"{pick(rng, _OPENINGS)}{text}"
    words = text.split()
    if rng.random() < _SLIP_RATE * (_TRAIN_SLIPS if training else 1.0):
        long = [i for i, w in enumerate(words) if len(w) >= 5 and w.isalpha() and w.lower() not in _KEEP]
        if long:
            i = long[int(rng.integers(len(long)))]
            words[i] = slip(rng, words[i], 4 if training else 3)
    ending = pick(rng, ENDINGS)
    text = " ".join(words) + ("" if "please" in ending and "please" in words else ending)
    case = rng.random()
    if case < 0.12:
        return text[:1].upper() + text[1:]
    return text.upper() if case > 0.985 else text


def slip(rng: Rng, word: str, ways: int = 3) -> str:
    """Make a typing slip inside a word: swap two letters, lose or double one, or (fourth way) hit the key beside it."""
    i = int(rng.integers(1, len(word) - 1))
    what = int(rng.integers(ways))
    if what == 3:
        return word[:i] + _NEXT_KEY.get(word[i].lower(), word[i]) + word[i + 1 :]
    if what == 0:
        return word[:i] + word[i + 1] + word[i] + word[i + 2 :]
    return word[:i] + word[i + 1 :] if what == 1 else word[:i] + word[i] + word[i:]


def is_narrow(name: str, present: frozenset[str]) -> bool:
    """Return whether a class shares the picture with a related one, so that broad words for it would be ambiguous."""
    return bool((related(name) - {name}) & present)


def alien_words(present: frozenset[str]) -> frozenset[str]:
    """Return every word for the classes in view: none of them may be used as an alien."""
    return frozenset(w for c in CLASSES if c.name in present for w in (*c.singular, *c.plural))
