# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Referent of a command: the head of an expression, the object of an order, the antecedent of "him"."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ris_node.language import patterns
from ris_node.language.lexicon import LONGEST, NOUNS, PLACES, Noun


@dataclass(frozen=True)
class Named:
    """A noun in a phrase: its place among the words, its form, and what the lexicon knows of it."""

    at: int
    form: str
    noun: Noun
    ends_in_s: bool = False


def nouns(text: str) -> list[Named]:
    """Return the nouns of a text that the lexicon knows, the longest form at each place."""
    words, at = patterns.WORD.findall(text), 0
    found: list[Named] = []
    while at < len(words):
        for count in range(min(LONGEST, len(words) - at), 0, -1):
            form = " ".join(words[at : at + count]).removesuffix("'s")
            if form in NOUNS:
                found.append(Named(at, form, NOUNS[form], words[at + count - 1].endswith("s") and count == 1))
                at += count - 1
                break
        at += 1
    return [named for i, named in enumerate(found) if not _is_owner(named, found[i + 1 : i + 2], words)]


def _is_owner(named: Named, after: list[Named], words: list[str]) -> bool:
    """Return whether a noun is the owner of the next: "my friend's white car", or "friends car" as people type it."""
    if not after or not named.ends_in_s or named.noun.concept.label != "person":
        return False
    return all(word in patterns.NOT_HEADS for word in words[named.at + 1 : after[0].at])


def things(text: str) -> list[Named]:
    """Return the nouns that stand for a thing beside which one can stop, not for a place to go."""
    return [named for named in nouns(text) if named.noun.concept.label not in PLACES]


def referent(text: str, clause: str | None) -> tuple[str, Noun | None, bool]:
    """Return the label of the thing meant, its noun where it is known, and whether several are meant.

    `clause` is the part of `text` that orders something, None for an expression. An order that names no thing itself
    ("stop next to it") is about the first one named beside it.
    """
    own = patterns.OWN_CAR.sub(r"\1", clause or "")
    phrase = (
        own if things(own) else patterns.FIND.sub("", patterns.PREFIX.sub("", text.replace(clause or " ", own or " ")))
    )
    phrase = patterns.ALL_OF.sub(r"\1", patterns.PART_OF.sub("", phrase))
    known = nouns(phrase)
    if clause is not None:
        chosen = next(iter(things(phrase)), None)
        person = _person_meant(text, clause)
        if person is not None:
            return person
        if patterns.IT.search(own) and not things(own):  # "my wife waits by the car, stop next to it"
            chosen = next((named for named in things(phrase) if named.noun.concept.label != "person"), chosen)
        if chosen is None and (unknown := _unknown_thing(phrase)):
            return unknown, None, _looks_plural(unknown, phrase)
        chosen = chosen or next(iter(known), None)
    else:
        head = _head(phrase)
        in_head = [named for named in known if named.at < len(head)]
        unknown_words = [word for word in head if word not in patterns.NOT_HEADS]
        statement = bool(head) and head[0] in patterns.SPEAKERS and bool(known)
        if not in_head and unknown_words and not statement:
            return unknown_words[-1], None, _looks_plural(unknown_words[-1], phrase)
        chosen = in_head[-1] if in_head else next(iter(known), None)
    if chosen is None:
        return "", None, False
    before = patterns.WORD.findall(phrase)[max(0, chosen.at - 4) : chosen.at]
    counted = patterns.QUANTIFIER.search(" ".join(before)) is not None
    label = chosen.noun.concept.label if chosen.noun.plural else chosen.form
    return label, chosen.noun, chosen.noun.plural or counted


def _person_meant(text: str, clause: str) -> tuple[str, Noun, bool] | None:
    """Who "him" or "her" in an order is, or a name of whom "he" or "she" is said; None where no person is meant so.

    "that is jim. stop next to him", "pull over near jim, he wears a hat": a person. "I see my friend, stop near him."
    """
    if things(patterns.OWN_CAR.sub(r"\1", clause)) or patterns.PERSONAL.search(text) is None:
        return None
    if patterns.PERSONAL.search(clause) is None and not _unknown_thing(clause):
        return None
    people = [named for named in nouns(text) if named.noun.concept.label == "person"]
    named = people[0] if people else None
    return (named.form, named.noun, named.noun.plural) if named else ("person", NOUNS["person"], False)


def _head(phrase: str) -> list[str]:
    """Return the words of a phrase up to where its head ends: "the old man | with a dog"."""
    words = patterns.WORD.findall(phrase)
    return words[: next((i for i, word in enumerate(words) if word in patterns.BOUNDARY and i > 0), len(words))]


def _unknown_thing(phrase: str) -> str:
    """What an order is about where the lexicon does not know it: "stop near the old snowman" -> snowman."""
    for found in patterns.BESIDE.finditer(phrase):
        rest = [w for w in _head(phrase[found.end() :]) if w not in patterns.NOT_HEADS and w not in patterns.VAGUE]
        if rest and rest[-1] not in patterns.BOUNDARY and rest[-1] not in NOUNS and not rest[-1].isdigit():
            return rest[-1]
    return ""


def _looks_plural(word: str, phrase: str) -> bool:
    ends = len(word) > 3 and re.search(r"[^sui]s$", word) is not None
    return ends or patterns.QUANTIFIER.search(phrase) is not None
