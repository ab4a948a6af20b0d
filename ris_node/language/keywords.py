# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Keyword rules of the baseline: a class, and words of side, order, size and colour. No relations."""

from __future__ import annotations

import re
from dataclasses import KW_ONLY, dataclass

import numpy as np

from ris_node.language.lexicon import CITYSCAPES, NOUNS, PLACES
from ris_node.language.parse import ParsedCommand
from ris_node.types import F32, Manoeuvre, QueryKind

COLOURS = ("red", "orange", "yellow", "green", "blue", "purple", "white", "black", "grey", "brown")
_COLOUR_WORDS = {
    **{colour: colour for colour in COLOURS},
    "gray": "grey",
    "silver": "grey",
    "pink": "purple",
    "golden": "yellow",
    "maroon": "red",
}
_ORDINALS = {"first": 1, "second": 2, "third": 3, "fourth": 4, "fifth": 5}
_MOST = (
    r"{0} ?-?most|(?:far|extreme|furthest|farthest) (?:to the )?{0}|(?:nearest|closest)(?: to)? the {0}(?: edge)?"
    r"|(?:{1}) (?:\w+ )?(?:to|from) (?:the )?{0}|all the way (?:to|on) the {0}|very {0}"
)
_COUNT = "farthest|furthest|first|second|third|fourth|fifth"
_ORDERS = (  # the first pattern that fits decides
    ("leftmost", _MOST.format("left", _COUNT)),
    ("rightmost", _MOST.format("right", _COUNT)),
    (
        "farthest",
        "farthest|furthest|(?:most|greatest) (?:distant|distance|remote)|distant|far (?:away|off)|last|"
        "in the (?:distance|background)",
    ),
    ("largest", "largest|biggest|tallest|widest|longest|greatest|most sizeable|most space|big|large|huge"),
    ("smallest", "smallest|tiniest|shortest|least (?:space|sizeable|large|big|area)|small|little|tiny"),
    ("nearest", "nearest|closest|least (?:distance|far)|in the foreground|immediate"),
)
_NOT_A_SIDE = re.compile(
    r"\b(?:turn|go|take a|make a|take|make|keep|bear|switch|change)(?: to the| towards the)? (?:left|right)\b"
    r"|\bright (?:here|there|in|behind|next|now|after|before|away|ahead|beside|at|by|down|under|above|below)\b"
    r"|\b(?:left|right)(?: hand)? lane\b|\b(?:turning|going|before|after|than) (?:left|right)\b|\bha(?:s|ve) left\b"
    r"|\b(?:the|his|her) (?:left|right) turn\b"
    r"|\b(?:left|right)(?: hand)?(?: side)? of (?!us|me|the (?:road|street|picture|image|photo))"
)
_LEFT, _RIGHT = re.compile(r"\bleft\b"), re.compile(r"\bright\b")
_MIDDLE = re.compile(r"\b(?:middle|cent(?:er|re)|ahead|(?:in )?front of (?:us|me)|in front$|directly)\b")
_BEYOND = re.compile(r"\b(?:after|past|beyond|in front of|ahead of)\b(?! (?:us|me|the (?:light|signal)))")
_SHORT_OF = re.compile(r"\b(?:behind|before)\b")


@dataclass(frozen=True)
class KeywordRule:
    """Attributes that the baseline looks for; "" and 0 where the command does not say.

    `side` is left, right or middle; `order` is one of leftmost, rightmost, nearest, farthest, largest, smallest;
    `ordinal` counts from 1; `every` asks for all of a kind or for stuff; `place` is where a region lies from the
    object as the driver sees it: short of it, beyond it, or beside it. `thing` is whether a thing is named at all,
    known or not, rather than just a place; `region` and `manoeuvre` are the command's.
    """

    classes: tuple[str, ...]
    _: KW_ONLY
    thing: bool = True
    region: bool = False
    manoeuvre: Manoeuvre = Manoeuvre.NONE
    side: str = ""
    order: str = ""
    ordinal: int = 0
    colour: str = ""
    every: bool = False
    place: str = "beside"

    def multi_hot(self) -> F32:
        """Return the classes as the vision graph's `sentence`, f32[1,19]."""
        return np.array([[float(name in self.classes) for name in CITYSCAPES]], np.float32)


def keyword_rule(command: ParsedCommand) -> KeywordRule:
    """Read a parsed command."""
    text = command.plain or command.text.lower()
    noun = NOUNS.get(command.label)
    sides = _NOT_A_SIDE.sub(" ", text)
    order = next((name for name, pattern in _ORDERS if re.search(rf"\b(?:{pattern})\b", text)), "")
    words = re.findall(r"[a-z]+", text)
    ordinal = next((_ORDINALS[word] for word in words if word in _ORDINALS), 0)
    colour = next((_COLOUR_WORDS[word] for word in words if word in _COLOUR_WORDS), "")
    light = noun is not None and noun.concept.label == "traffic light"  # "the light turns green" is not paint
    return KeywordRule(
        classes=noun.concept.classes if noun else (),
        thing=bool(command.label) and (noun is None or noun.concept.label not in PLACES),
        region=command.kind == QueryKind.REGION,
        manoeuvre=command.manoeuvre,
        side="" if order in ("leftmost", "rightmost") else _side(sides),
        order=order,
        ordinal=ordinal,
        colour="" if light else colour,
        every=command.plural or command.stuff,
        place=_place(text) if command.kind == QueryKind.REGION else "beside",
    )


def _side(text: str) -> str:
    if bool(_LEFT.search(text)) != bool(_RIGHT.search(text)):
        return "left" if _LEFT.search(text) else "right"
    return "middle" if _MIDDLE.search(text) else ""


def _place(text: str) -> str:
    if _SHORT_OF.search(text):
        return "short"
    return "beyond" if _BEYOND.search(text) else "beside"
