# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""A small grammar: what a command asks for, of whom, and whether it can be answered with a picture at all.

A command is cut into clauses; a clause that starts (after "please", "could you", "then" ...) with something a
vehicle can do makes it a REGION command, anything else is an OBJECT expression. English only: other languages
pass as OBJECT expressions, for a network that knows them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ris_node.language import patterns
from ris_node.language.clean import MAX_CHARS, clean_text
from ris_node.language.lexicon import LONGEST, NOUNS, PLACES, Noun
from ris_node.types import Manoeuvre, Query, QueryKind


@dataclass(frozen=True)
class ParsedCommand:
    """A command and what the grammar made of it.

    `kind` is OBJECT or REGION; `label` is the word for the thing meant ("" where none was found); `unique` is whether
    a word singles one out ("leftmost", "second"); a command that is not `groundable` never gets a mask or a target,
    and `reason` says why.
    """

    text: str
    kind: QueryKind
    manoeuvre: Manoeuvre = Manoeuvre.NONE
    negated: bool = False
    groundable: bool = True
    plural: bool = False
    stuff: bool = False
    label: str = ""
    reason: str = ""
    unique: bool = False


def parse_command(query: Query | str, max_chars: int = MAX_CHARS) -> ParsedCommand:
    """Clean and parse a command; what the query itself says (kind, manoeuvre) wins over the grammar.

    Raises:
        CommandError: the text is empty, too long or not text.
    """
    query = Query(query) if isinstance(query, str) else query
    if query.manoeuvre == Manoeuvre.CANCEL and not str(query.text).strip():
        return _cancel("cancel")
    text = clean_text(query.text, max_chars)
    lower = text.lower()
    if query.manoeuvre == Manoeuvre.CANCEL or patterns.CANCEL.match(_bare(lower)):
        return _cancel(text)
    if query.manoeuvre == Manoeuvre.NONE and _is_chat(lower):
        reason = f"'{text[:60]}' names nothing to look for"
        return ParsedCommand(text, QueryKind.OBJECT, groundable=False, reason=reason)
    manoeuvre, clause, negated = _action(lower)
    region = clause is not None or query.manoeuvre != Manoeuvre.NONE
    kind = query.kind if query.kind != QueryKind.AUTO else (QueryKind.REGION if region else QueryKind.OBJECT)
    if query.manoeuvre != Manoeuvre.NONE:
        manoeuvre = query.manoeuvre
    label, noun, plural = _referent(lower, clause)
    return ParsedCommand(
        text,
        kind,
        manoeuvre if kind == QueryKind.REGION else Manoeuvre.NONE,
        negated,
        not negated,
        plural,
        noun is not None and noun.concept.stuff,
        label,
        f"'{text[:60]}' says what not to do: say where to go instead" if negated else "",
        unique=patterns.UNIQUE.search(lower) is not None,
    )


def _cancel(text: str) -> ParsedCommand:
    return ParsedCommand(
        text, QueryKind.REGION, Manoeuvre.CANCEL, groundable=False, reason="cancelled: there is no active command"
    )


def _bare(text: str) -> str:
    return " ".join(patterns.WORD.findall(text))


def _is_chat(text: str) -> bool:
    if patterns.TALK.match(text) and not _nouns(text):
        return True
    bare = _bare(text)
    rest = patterns.GREETING.sub(" ", bare)
    return rest != bare and all(word in patterns.FILLER for word in rest.split())


def _clauses(text: str) -> list[str]:
    parts = (part for whole in patterns.SPLIT.split(text) if whole for part in patterns.BURIED.split(whole))
    return [part.strip() for part in parts if part.strip()]


def _action(text: str) -> tuple[Manoeuvre, str | None, bool]:
    """The manoeuvre asked for, the clause that asks for it (None: none does), and whether all that is said is a no."""
    found: list[tuple[int, Manoeuvre, str]] = []
    clauses = [patterns.PREFIX.sub("", clause).strip() for clause in _clauses(text)]
    denials = 0
    for body in clauses:
        denied = patterns.NEGATION.match(body)
        rank, manoeuvre = _match(patterns.PREFIX.sub("", body[denied.end() :])) if denied else _match(body)
        if denied and "until" in body and rank < len(patterns.ACTIONS):  # "do not go until he has crossed"
            found.append((_rank_of(Manoeuvre.WAIT), Manoeuvre.WAIT, body))
        elif denied:
            # "not the red one" beside "the blue one" only narrows it down; "don't stop" forbids whatever surrounds it
            denials += 1 if rank == len(patterns.ACTIONS) else len(clauses)
        elif rank < len(patterns.ACTIONS):
            found.append((rank, manoeuvre, body))
    if found:
        _, manoeuvre, clause = min(found, key=lambda item: item[0])
        return manoeuvre, clause, False
    return Manoeuvre.NONE, None, bool(clauses) and denials >= len(clauses)


def _match(clause: str) -> tuple[int, Manoeuvre]:
    for rank, (manoeuvre, pattern) in enumerate(patterns.ACTIONS):
        if pattern.match(clause):
            return rank, manoeuvre
    return len(patterns.ACTIONS), Manoeuvre.NONE


def _rank_of(manoeuvre: Manoeuvre) -> int:
    return next(rank for rank, (action, _) in enumerate(patterns.ACTIONS) if action == manoeuvre)


@dataclass(frozen=True)
class _Named:
    """A noun in a phrase: its place among the words, its form, and what the lexicon knows of it."""

    at: int
    form: str
    noun: Noun


def _nouns(text: str) -> list[_Named]:
    """The nouns of a text that the lexicon knows, the longest form at each place."""
    words, found, at = patterns.WORD.findall(text), [], 0
    while at < len(words):
        for count in range(min(LONGEST, len(words) - at), 0, -1):
            form = " ".join(words[at : at + count])
            if form in NOUNS:
                found.append(_Named(at, form, NOUNS[form]))
                at += count - 1
                break
        at += 1
    return found


def _things(text: str) -> list[_Named]:
    """The nouns that stand for a thing beside which one can stop, not for a place to go."""
    return [named for named in _nouns(text) if named.noun.concept.label not in PLACES]


def _referent(text: str, clause: str | None) -> tuple[str, Noun | None, bool]:
    """The label of the thing meant, its noun where it is known, and whether several are meant."""
    phrase = clause if clause is not None and _things(clause) else text
    phrase = patterns.OWN_CAR.sub(r"\1", patterns.FIND.sub("", patterns.PREFIX.sub("", phrase)))
    phrase = patterns.ALL_OF.sub(r"\1", patterns.PART_OF.sub("", phrase))
    nouns = _nouns(phrase)
    if clause is not None:
        chosen = next(iter(_things(phrase)), None)
        if chosen is None and (unknown := _unknown_thing(phrase)):
            return unknown, None, _looks_plural(unknown, phrase)
        chosen = chosen or next(iter(nouns), None)
    else:
        head = _head(phrase)
        known = [named for named in nouns if named.at < len(head)]
        unknown_words = [word for word in head if word not in patterns.NOT_HEADS]
        if not known and unknown_words:
            return unknown_words[-1], None, _looks_plural(unknown_words[-1], phrase)
        chosen = known[-1] if known else next(iter(nouns), None)
    if chosen is None:
        return "", None, False
    before = patterns.WORD.findall(phrase)[max(0, chosen.at - 4) : chosen.at]
    counted = patterns.QUANTIFIER.search(" ".join(before)) is not None
    label = chosen.noun.concept.label if chosen.noun.plural else chosen.form
    return label, chosen.noun, chosen.noun.plural or counted


def _head(phrase: str) -> list[str]:
    """The words of a phrase up to where its head ends: "the old man | with a dog"."""
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
