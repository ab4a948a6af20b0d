# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Put right one typing slip in a word that the grammar needs: "pleaase stpo bheind the trcuk".

A word is replaced only when it is no ordinary English word (`assets/ordinary.txt` lists those that lie one letter from
the vocabulary), begins as the vocabulary's word does, and one word alone is a single slip away: a letter lost, added or
replaced, or two swapped. Everything else, names and other languages with it, stays as it was said.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache
from pathlib import Path

from ris_node.language.lexicon import NOUNS
from ris_node.language.patterns import words

_WORD = re.compile(r"[a-z]{3,}")
_VERBS = words(
    """
    stop stopping park parking follow following wait waiting turn turning halt brake pause drive driving move moving
    proceed continue change switch merge overtake pass passing approach cross crossing enter leave reverse accelerate
    start allow catch slow speed pull drop pick yield keep stay find show locate highlight select outline point segment
    cancel forget head steer swerve avoid circle return standing walking parked riding sitting wearing holding
    """
)
_PLACES = words(
    """
    left right middle center centre leftmost rightmost nearest closest farthest furthest largest biggest smallest
    tallest first second third fourth fifth last behind front before after next beside near close along alongside
    opposite between above below across around towards toward ahead side corner distance there here hand space spot
    please could would should through into over back white black yellow green blue orange purple brown silver grey gray
    that this with from when where you're you've
    """
)
# Too short to guess at: a word becomes one of these only by two letters swapped or one typed twice.
_SHORT = words("car bus van man red bin the and")
_ORDERS = words("stop park pull follow turn keep")  # where in doubt, rather one of these
_VOWEL = re.compile("[aeiouy]")


@cache
def _vocabulary() -> frozenset[str]:
    nouns = {word for noun in NOUNS for word in noun.split()}
    return frozenset(word for word in nouns | _VERBS | _PLACES | _SHORT if len(word) >= 3)


@cache
def _ordinary() -> frozenset[str]:
    return words((Path(__file__).parent / "assets/ordinary.txt").read_text(encoding="utf-8"))


@cache
def _shortened() -> dict[str, tuple[str, ...]]:
    """Return the vocabulary by what is left of each word with one letter dropped, and by itself."""
    out: dict[str, list[str]] = {}
    for word in sorted(_vocabulary()):
        for key in {word, *_drops(word)}:
            out.setdefault(key, []).append(word)
    return {key: tuple(found) for key, found in out.items()}


def correct(text: str) -> str:
    """Return a text in lower case with single slips put right; the text itself where there are none."""
    return _WORD.sub(lambda found: corrected_word(found.group()), text)


@lru_cache(maxsize=4096)
def corrected_word(word: str) -> str:
    """Return the vocabulary's word that this one is a slip of, or the word itself."""
    if word in _vocabulary() or word in _ordinary():
        return word
    index = _shortened()
    near = {w for key in (word, *_drops(word)) for w in index.get(key, ()) if is_slip(word, w)}
    swapped = {w for w in near if len(w) == len(word) and sorted(w) == sorted(word)}
    if len(word) == 3 and _VOWEL.search(word):  # too many short words are good English: only "pul" and "acr"
        near &= _ORDERS | swapped
    for choice in (swapped, near, near & _ORDERS):  # "syop" is rather an order than a shop
        if len(choice) == 1:
            return next(iter(choice))
    return word


def is_slip(word: str, meant: str) -> bool:
    """Return whether a word is one slip away from what was meant."""
    if len(word) == len(meant):
        differ = [i for i, (a, b) in enumerate(zip(word, meant, strict=True)) if a != b]
        if len(differ) == 2 and differ[1] == differ[0] + 1:
            i, j = differ
            return word[i] == meant[j] and word[j] == meant[i]
        return len(differ) == 1 and differ[0] > 0 and len(meant) > 3
    if abs(len(word) - len(meant)) != 1 or word[0] != meant[0]:
        return False
    longer, shorter = (word, meant) if len(word) > len(meant) else (meant, word)
    if len(meant) <= 3 and not any(longer[i] == longer[i + 1] for i in range(len(longer) - 1)):
        return False
    return len(word) >= len(meant) - (len(meant) > 3) and shorter in _drops(longer)


def _drops(word: str) -> list[str]:
    return [word[:i] + word[i + 1 :] for i in range(len(word))]
