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

from ris_node.language.clean import MAX_CHARS, clean_text
from ris_node.language.lexicon import LONGEST, NOUNS, Noun
from ris_node.types import Manoeuvre, Query, QueryKind

_SPLIT = re.compile(r"[.!?;,:]+|\b(?:and|then|but|so that|so|before you|instead)\b")
_PREFIX = re.compile(
    r"^(?:(?:please|pleas|pls|hey|hi|hello|ok|okay|oh|ah|wow|well|now|next|just|also|actually|maybe|right|great|quickly"
    r"|slowly|carefully|safely|immediately|always|car|robot|man|dude|no|yes|yeah|kindly|go ahead|go and|try to|start to"
    r"|be ready to|get ready to|prepare to|feel free to|make sure to|be sure to|remember to"
    r"|(?:can|could|would|will|should) (?:you|we|u)(?: please| kindly| just)?|you (?:should|must|can|may|need to|have to)"
    r"|(?:i|we) (?:would like|want|need|would love|wish|'d like)(?: you)? to|i'd like(?: you)? to|we (?:should|must|can|"
    r"need to|have to|could)|let's|lets|let us|do you mind|would you mind)\b[ ,]*)+"
)
_NEGATION = re.compile(
    r"^(?:do not|don't|dont|do n't|never|not|no|please don't|you (?:must|should|can) ?(?:not|n't)|you mustn't|mustn't|"
    r"there is no need to|no need to|stop from|avoid|refrain from)\b"
)
_LEFT = r"(?:turn|take|make|go|steer|swerve|veer|bear|head|hang|switch|change|merge|move|pull)\b.*\bleft\b"
_RIGHT = _LEFT.replace("left", "right")
# What a vehicle can do, in order of preference where a command asks for several.
_ACTIONS: tuple[tuple[Manoeuvre, re.Pattern[str]], ...] = tuple(
    (manoeuvre, re.compile(rf"^(?:{pattern})(?:\b|$)"))
    for manoeuvre, pattern in (
        (Manoeuvre.PARK, r"(?:re)?park(?! bench)|find (?:me |us )?(?:a|the|some) (?:\w+ )?(?:parking|place|spot|space)|"
                         r"back (?:in|up)\b|reverse into|pull into (?:a|the|that|this) (?:\w+ )?(?:parking|bay|spot)"),
        (Manoeuvre.STOP, r"stop(?! (?:sign|light|line|lamp|signal)s?\b)|halt|brake|pull (?:over|up|in|aside|to|near|next|"
                         r"along|behind|close|beside)|drop (?:me|us|him|her|them|off)|let (?:me|us) (?:out|off)|"
                         r"pick (?:me|us|him|her|them|up|my|the|that)|pause|come to a (?:stop|halt)|stand|freeze"),
        (Manoeuvre.FOLLOW, r"follow|keep (?:following|behind)|tail|stay (?:behind|with)|go after|chase|catch up|"
                           r"drive behind|track"),
        (Manoeuvre.TURN_LEFT, rf"(?:{_LEFT})(?!.*\bright\b)"),
        (Manoeuvre.TURN_RIGHT, rf"(?:{_RIGHT})(?!.*\bleft\b)"),
        (Manoeuvre.WAIT, r"wait(?:e)?|hold (?:on|up|back)|yield|give way|give \w+ (?:\w+ )?way|(?:let|allow) (?!me|us)|"
                         r"remain|stay (?:here|there|still|put|where)|hang on"),
        (Manoeuvre.NONE, r"turn|go(?!ing)|drive|head|move|proceed|continue|carry on|keep|stay|slow|speed|accelerate|"
                         r"decelerate|decrease|increase|pass|overtake|merge|switch|change|shift|take (?!a look)|make|"
                         r"get|enter|exit|leave|approach|cross|steer|swerve|veer|avoid|evade|back|reverse|bring|"
                         r"come|pull|roll|advance|return|navigate|u-turn|you-turn|do a|dodge|honk|beep|watch (?:out|for)"
                         r"|be careful|look out|close (?:in|up)|set off|start|use the|ride|race|cut|circle|run"),
    )
)  # fmt: skip
_FIND = re.compile(
    r"^(?:show|find|locate|highlight|segment|point (?:at|to|out)|look (?:at|for)|select|mark|detect|identify|see|give me|"
    r"where(?:'s| is| are)|which(?: one)? is|is there|are there|do you see|can you see|there(?:'s| is| are)|"
    r"i (?:see|mean|meant)|what about)\b\s*(?:me|us|out)?\s*(?:the location of|where)?\s*"
)
_CANCEL = re.compile(
    r"^(?:(?:please|ok|okay|oh|actually|no) )*(?:cancel|abort|clear|reset|disregard|undo|never ?mind|forget|scrap|ignore)"
    r"(?: (?:it|that|this|all|everything|about|the|my|last|previous|current|order|command|query|request|target|mission|"
    r"goal|please|again|now|i|what|said))*$"
)
_CHAT = re.compile(
    r"^(?:(?:hello|hi|hey|hiya|howdy|greetings|good (?:morning|afternoon|evening|night|day|bye)|goodbye|bye|thanks?(?: you)?|"
    r"cheers|sorry|welcome|yes|yeah|yep|no|nope|ok|okay|sure|fine|great|cool|nice|wow|um+|uh+|hm+|haha|well done|please|"
    r"test(?:ing)?|how are you(?: doing)?|how is it going|what's up|what is up|who are you|what are you|what can you do|"
    r"what is your name|what's your name|what time is it|tell me (?:a joke|something)|how old are you|are you (?:there|ok|"
    r"okay|ready|listening)|can you hear me|do you hear me|i love you|so much|very much|there|everyone|all|robot|car|"
    r"today|again|one two(?: three)?|check|nice to meet you|see you(?: later)?|you|a lot|buddy|friend|my friend)\s*)+$"
)
_TALK = re.compile(
    r"^(?:what(?:'s| is) the (?:weather|time|date|news|speed|temperature)|how (?:fast|far|long|much|many|old)|why|"
    r"play |sing |call |turn (?:on|off|up|down) (?:the )?(?:radio|music|light|heat|ac|air|volume)|tell me )"
)
_QUANTIFIER = re.compile(r"\b(?:all|every|both|each|several|many|two|three|four|five|six|any)\b")
_WORD = re.compile(r"[^\W_]+(?:['-][^\W_]+)*", re.UNICODE)
_BOUNDARY = frozenset(
    [
        "on",
        "in",
        "at",
        "of",
        "next",
        "near",
        "behind",
        "beside",
        "besides",
        "with",
        "by",
        "to",
        "from",
        "that",
        "which",
        "who",
        "whose",
        "where",
        "standing",
        "walking",
        "parked",
        "driving",
        "riding",
        "sitting",
        "waiting",
        "turning",
        "crossing",
        "coming",
        "moving",
        "stopped",
        "under",
        "over",
        "above",
        "below",
        "before",
        "after",
        "between",
        "against",
        "along",
        "across",
        "ahead",
        "closest",
        "nearest",
        "farthest",
        "furthest",
        "is",
        "are",
        "was",
        "beyond",
        "opposite",
        "past",
        "without",
        "facing",
        "wearing",
        "holding",
        "and",
        "or",
        "until",
        "until",
        "towards",
        "toward",
        "into",
        "through",
        "around",
        "for",
        "as",
        "while",
        "when",
        "once",
    ]
)
_NOT_NOUNS = frozenset(
    [
        "the",
        "a",
        "an",
        "this",
        "that",
        "these",
        "those",
        "my",
        "our",
        "your",
        "his",
        "her",
        "its",
        "their",
        "some",
        "one",
        "ones",
        "us",
        "me",
        "him",
        "it",
        "them",
        "here",
        "there",
        "first",
        "second",
        "third",
        "last",
        "other",
        "left",
        "right",
        "front",
        "middle",
        "leftmost",
        "rightmost",
        "nearest",
        "closest",
        "farthest",
        "side",
        "far",
        "big",
        "large",
        "small",
        "tiny",
        "little",
        "tall",
        "short",
        "red",
        "blue",
        "green",
        "white",
        "black",
        "yellow",
        "orange",
        "grey",
        "gray",
        "silver",
        "brown",
        "purple",
        "pink",
        "dark",
        "light",
        "old",
        "new",
        "only",
        "any",
        "all",
        "every",
        "both",
        "each",
        "two",
        "three",
        "four",
        "five",
        "please",
        "not",
        "largest",
        "biggest",
        "smallest",
    ]
)


@dataclass(frozen=True)
class ParsedCommand:
    """A command and what the grammar made of it.

    `kind` is OBJECT or REGION; `label` is the word for the thing meant ("" where none was found); a command that is
    not `groundable` never gets a mask or a target, and `reason` says why.
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
    if query.manoeuvre == Manoeuvre.CANCEL or _CANCEL.match(_bare(lower)):
        return _cancel(text)
    chat = _CHAT.match(_bare(lower)) or (_TALK.match(lower) and not _nouns(lower))
    if chat and query.kind == QueryKind.AUTO:
        return ParsedCommand(
            text, QueryKind.OBJECT, groundable=False, reason=f"'{text[:60]}' names nothing to look for"
        )
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
    )


def _cancel(text: str) -> ParsedCommand:
    return ParsedCommand(
        text, QueryKind.REGION, Manoeuvre.CANCEL, groundable=False, reason="cancelled: there is no active command"
    )


def _bare(text: str) -> str:
    return " ".join(_WORD.findall(text))


def _clauses(text: str) -> list[str]:
    return [part.strip() for part in _SPLIT.split(text) if part and part.strip()]


def _action(text: str) -> tuple[Manoeuvre, str | None, bool]:
    """The manoeuvre asked for, the clause that asks for it (None: none does), and whether all are forbidden."""
    found: list[tuple[int, Manoeuvre, str]] = []
    forbidden: str | None = None
    for clause in _clauses(text):
        body = _PREFIX.sub("", clause)
        denied = _NEGATION.match(body)
        rank, manoeuvre = _match(_PREFIX.sub("", body[denied.end() :].strip()) if denied else body)
        if denied and "until" in body and rank < len(_ACTIONS):  # "do not go until he has crossed" asks to wait
            found.append((_rank_of(Manoeuvre.WAIT), Manoeuvre.WAIT, body))
        elif denied and not (body.startswith("avoid") and rank == len(_ACTIONS)):
            forbidden = forbidden or body
        elif rank < len(_ACTIONS):
            found.append((rank, manoeuvre, body))
    if found:
        _, manoeuvre, clause = min(found, key=lambda item: item[0])
        return manoeuvre, clause, False
    return Manoeuvre.NONE, None, forbidden is not None


def _match(clause: str) -> tuple[int, Manoeuvre]:
    for rank, (manoeuvre, pattern) in enumerate(_ACTIONS):
        if pattern.match(clause):
            return rank, manoeuvre
    return len(_ACTIONS), Manoeuvre.NONE


def _rank_of(manoeuvre: Manoeuvre) -> int:
    return next(rank for rank, (action, _) in enumerate(_ACTIONS) if action == manoeuvre)


def _nouns(text: str) -> list[tuple[int, int, str, Noun]]:
    """Known nouns in a text, longest first at each place: (word index, words, form, noun)."""
    words, found, at = _WORD.findall(text), [], 0
    while at < len(words):
        for count in range(min(LONGEST, len(words) - at), 0, -1):
            form = " ".join(words[at : at + count])
            if form in NOUNS:
                found.append((at, count, form, NOUNS[form]))
                at += count - 1
                break
        at += 1
    return found


def _referent(text: str, clause: str | None) -> tuple[str, Noun | None, bool]:
    """The label of the thing meant, its noun where it is known, and whether several are meant."""
    phrase = clause if clause is not None and _nouns(clause) else text
    phrase = _FIND.sub("", _PREFIX.sub("", phrase))
    words, nouns = _WORD.findall(phrase), _nouns(phrase)
    if clause is not None:
        chosen = next((n for n in nouns), None)
    else:
        end = next((i for i, word in enumerate(words) if word in _BOUNDARY and i > 0), len(words))
        head = [n for n in nouns if n[0] < end]
        chosen = head[-1] if head else None
        if chosen is None:
            rest = [word for word in words[:end] if word not in _NOT_NOUNS]
            if rest:  # a noun that the lexicon does not have
                word = rest[-1]
                plural = bool(_QUANTIFIER.search(phrase)) or (len(word) > 3 and bool(re.search(r"[^sui]s$", word)))
                return word, None, plural
            chosen = nouns[0] if nouns else None
    if chosen is None:
        return "", None, False
    at, _, form, noun = chosen
    before = " ".join(words[max(0, at - 4) : at])
    return form if not noun.plural else noun.concept.label, noun, noun.plural or bool(_QUANTIFIER.search(before))
