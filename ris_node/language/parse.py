# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Grammar of commands: manoeuvre, referent, and whether a picture can answer it at all.

Whatever arrives is made one plain line of text first. It is cut into clauses; a clause that starts (after "please",
"could you", "then" ...) with something a vehicle can do makes it a REGION command, anything else is an OBJECT
expression. English only: other languages pass as OBJECT expressions, for a network that knows them.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import KW_ONLY, dataclass

from ris_node.errors import CommandError
from ris_node.language import patterns
from ris_node.language.lexicon import NOUNS
from ris_node.language.referent import nouns, referent
from ris_node.language.spelling import correct
from ris_node.types import Manoeuvre, Query, QueryKind

MAX_CHARS = 512
_PLAIN = str.maketrans("\u2018\u2019\u00b4\u0060\u201c\u201d\u2013\u2014", "''''\"\"--")
# what stands where bytes could not be decoded: for ROS and bags U+FFFD, on a command line surrogates
_LOST = re.compile("[\ufffd\udc80-\udcff]")


def clean_text(text: str, max_chars: int = MAX_CHARS) -> str:
    """Return one line: Unicode NFKC, plain quotes, no control characters, emoji or symbols, single spaces.

    Text in any language and script passes through.

    Raises:
        CommandError: it is not text, held bytes that are no UTF-8, is longer than `max_chars`, or no letter or digit
            is left.
    """
    if not isinstance(text, str):
        raise CommandError(f"the command is a {type(text).__name__}, not text")
    if len(text) > max_chars:
        raise CommandError(
            f"the command has {len(text)} characters, at most {max_chars} are taken: "
            "shorten it, or raise max_query_chars"
        )
    if lost := _LOST.search(text):  # what is missing may have been "not"
        raise CommandError(f"the command is not UTF-8 at character {lost.start() + 1}: publish text in UTF-8")
    folded = unicodedata.normalize("NFKC", text).translate(_PLAIN)
    line = " ".join("".join(_keep(c) for c in folded).split())
    if not any(c.isalnum() for c in line):
        shown = "".join(c if c.isprintable() else "?" for c in text[:20])
        raise CommandError(f"the command {shown!r} has no words: say what to find or where to go")
    return line


def _keep(char: str) -> str:
    category = unicodedata.category(char)
    if category.startswith("Z") or char in "\t\n\r\v\f":
        return " "
    # C*: control, format (zero-width joiners), surrogates; S*: emoji and other symbols, less the few that mean a word
    if category.startswith("C"):
        return ""
    if category.startswith("S") and char not in "+$%&":
        return " "
    return char


@dataclass(frozen=True)
class ParsedCommand:
    """A command and what the grammar made of it.

    `kind` is OBJECT or REGION; `label` is the word for the thing meant ("" where none was found); `unique` is whether
    a word singles one out ("leftmost", "second"); a command that is not `groundable` never gets a mask or a target,
    and `reason` says why. `plain` is the text in lower case with typing slips put right: what is read, by the grammar
    and by a model's text side; `text` is what was said.
    """

    text: str
    kind: QueryKind
    _: KW_ONLY
    manoeuvre: Manoeuvre = Manoeuvre.NONE
    negated: bool = False
    groundable: bool = True
    plural: bool = False
    stuff: bool = False
    label: str = ""
    reason: str = ""
    unique: bool = False
    plain: str = ""


def parse_command(query: Query | str, max_chars: int = MAX_CHARS) -> ParsedCommand:
    """Clean and parse a command; what the query itself says (kind, manoeuvre) wins over the grammar.

    Raises:
        CommandError: the text is empty, too long or not text.
    """
    query = Query(query) if isinstance(query, str) else query
    if query.manoeuvre == Manoeuvre.CANCEL and not str(query.text).strip():
        return _cancel("cancel")
    text = clean_text(query.text, max_chars)
    lower = correct(text.lower())
    if query.manoeuvre == Manoeuvre.CANCEL or patterns.CANCEL.match(_bare(lower)):
        return _cancel(text)
    if query.manoeuvre == Manoeuvre.NONE and _is_chat(lower):
        reason = f"'{text[:60]}' names nothing to look for"
        return ParsedCommand(text, QueryKind.OBJECT, groundable=False, reason=reason, plain=lower)
    manoeuvre, clause, negated = _action(lower)
    region = clause is not None or query.manoeuvre != Manoeuvre.NONE
    kind = query.kind if query.kind != QueryKind.AUTO else (QueryKind.REGION if region else QueryKind.OBJECT)
    if query.manoeuvre != Manoeuvre.NONE:
        manoeuvre = query.manoeuvre
    label, noun, plural = referent(lower, clause)
    return ParsedCommand(
        text,
        kind,
        manoeuvre=manoeuvre if kind == QueryKind.REGION else Manoeuvre.NONE,
        negated=negated,
        groundable=not negated,
        plural=plural,
        stuff=noun is not None and noun.concept.stuff,
        label=label,
        reason=f"'{text[:60]}' says what not to do: say where to go instead" if negated else "",
        unique=patterns.UNIQUE.search(lower) is not None,
        plain=lower,
    )


def _cancel(text: str) -> ParsedCommand:
    return ParsedCommand(
        text,
        QueryKind.REGION,
        manoeuvre=Manoeuvre.CANCEL,
        groundable=False,
        reason="cancelled: there is no active command",
        plain=text.lower(),
    )


def _bare(text: str) -> str:
    return " ".join(patterns.WORD.findall(text))


def _is_chat(text: str) -> bool:
    if patterns.TALK.match(text) and not nouns(text):
        return True
    bare = _bare(text)
    rest = patterns.GREETING.sub(" ", bare)
    return rest != bare and all(word in patterns.FILLER for word in rest.split())


def _clauses(text: str) -> list[str]:
    parts = (part for whole in patterns.SPLIT.split(text) if whole for part in _unburied(whole))
    return [part.strip() for part in parts if part.strip()]


def _unburied(clause: str) -> list[str]:
    """Return a clause cut where an order begins inside it, unless the word before says that it is none."""
    out, begin = [], 0
    for found in patterns.BURIED.finditer(clause):
        before = clause[begin : found.start()].rsplit(None, 1)
        tells = found.group(1) == "turn" and bool(before) and before[-1] in NOUNS  # "a trailer turn left in front"
        if before and before[-1] not in patterns.NO_ORDER_AFTER and not tells:
            out.append(clause[begin : found.start()])
            begin = found.end()
    return [*out, clause[begin:]]


def _action(text: str) -> tuple[Manoeuvre, str | None, bool]:
    """Return the manoeuvre, the clause that asks for it (None: none does), and whether all is negated."""
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
        return _meant_side(manoeuvre, text), clause, False
    if denials < len(clauses) and patterns.GOAL.search(text):
        return Manoeuvre.NONE, text, False
    return Manoeuvre.NONE, None, bool(clauses) and denials >= len(clauses)


def _meant_side(manoeuvre: Manoeuvre, text: str) -> Manoeuvre:
    """Return the turn meant where somebody takes the first word back: "turn left. i mean right"."""
    turns = {"left": Manoeuvre.TURN_LEFT, "right": Manoeuvre.TURN_RIGHT}
    meant = patterns.CORRECTED.search(text) if manoeuvre in turns.values() else None
    return turns[meant.group(1)] if meant else manoeuvre


def _match(clause: str) -> tuple[int, Manoeuvre]:
    for rank, (manoeuvre, pattern) in enumerate(patterns.ACTIONS):
        if pattern.match(clause):
            return rank, manoeuvre
    return len(patterns.ACTIONS), Manoeuvre.NONE


def _rank_of(manoeuvre: Manoeuvre) -> int:
    return next(rank for rank, (action, _) in enumerate(patterns.ACTIONS) if action == manoeuvre)
