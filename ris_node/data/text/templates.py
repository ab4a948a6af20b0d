# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""The wordings: noun phrases by form, sentences that carry them, and what is to be refused; a third is held out.

The texts are in `wordings/*.txt`: `{n}` is a noun in the singular ("car", "red car"), `{ns}` in the plural, `{the}` a
determiner, `{o}` another noun phrase, `{np}` a finished one, `{it}` its pronoun. Of every list, the third with the
smallest hashes is for validation only and the rest for training only, so the split depends on nothing but the texts.
What was added later stands below a line "+" and is split one by one, by its own hash: adding more never moves a text
from one half to the other.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cache
from pathlib import Path

_DIR = Path(__file__).parent / "wordings"
DETERMINERS = ("the", "the", "the", "the", "the", "the", "that", "", "")
ENDINGS = ("", "", "", "", "", "", "", ".", "!", " please", ", please", "?")
BARE = "{np}"


@cache
def _sections(name: str) -> dict[str, tuple[tuple[str, ...], tuple[str, ...]]]:
    """Form -> the texts of a file's section: the first list, and what was added below a "+"."""
    out: dict[str, tuple[list[str], list[str]]] = {}
    form, later = "", 0
    for line in (_DIR / f"{name}.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            form, later = line.strip("[]"), 0
            out[form] = ([], [])
        elif line == "+":
            later = 1
        elif line.strip():
            out[form][later].append(line.strip())
    return {key: (tuple(first), tuple(added)) for key, (first, added) in out.items()}


@cache
def table(name: str) -> dict[str, tuple[str, ...]]:
    """Return the wordings of a file of sections, "noun_phrases" or "sentences": form -> texts in the file's order."""
    return {form: first + later for form, (first, later) in _sections(name).items()}


def added_is_held_out(text: str) -> bool:
    """Return whether a text added later is for validation: its own hash is in the lowest third."""
    return hashlib.sha256(text.encode()).digest()[0] < 85


def held_out(texts: Sequence[str]) -> frozenset[str]:
    """Return the third of a list (at least one) that only validation uses: those with the smallest hashes.

    The bare phrase "{np}" is nobody's wording and belongs to both halves.
    """
    own = sorted({t for t in texts if t != BARE}, key=lambda t: hashlib.sha256(t.encode()).digest())
    return frozenset(own[: max(1, round(len(own) / 3))])


def _of_split(texts: Sequence[str], split: str) -> tuple[str, ...]:
    kept = held_out(texts)
    return tuple(t for t in texts if t == BARE or (t in kept) == (split == "val"))


@cache
def wordings(form: str, split: str, sentences: bool = False) -> tuple[str, ...]:
    """Return the noun phrases (or sentences) of a form in a split "train" or "val"."""
    first, later = _sections("sentences" if sentences else "noun_phrases")[form]
    added = tuple(text for text in later if added_is_held_out(text) == (split == "val"))
    return (_of_split(first, split) if first else ()) + added


@cache
def aliens(kind: str, split: str) -> tuple[str, ...]:
    """Return nouns of what never is in a street picture, or sentences that name nothing to ground, by split."""
    return _of_split((_DIR / f"alien_{kind}.txt").read_text(encoding="utf-8").splitlines(), split)
