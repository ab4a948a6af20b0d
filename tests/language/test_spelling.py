# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Single slips are put right; good English, names and other languages are left alone."""

from __future__ import annotations

import re

import numpy as np
import pytest

from ris_node.data.classes import CLASSES
from ris_node.data.text.templates import aliens, table
from ris_node.data.text.wording import slip
from ris_node.language.parse import parse_command
from ris_node.language.spelling import correct, corrected_word, is_slip
from ris_node.types import Manoeuvre

SLIPS = [
    ("pleaase", "please"), ("stpo", "stop"), ("stopp", "stop"), ("prak", "park"), ("folow", "follow"),
    ("trcuk", "truck"), ("pedestrain", "pedestrian"), ("cyclsit", "cyclist"), ("vehicel", "vehicle"),
    ("lft", "left"), ("rigth", "right"), ("rihgt", "right"), ("behnid", "behind"), ("nearset", "nearest"),
    ("leftmsot", "leftmost"), ("secnod", "second"), ("yelow", "yellow"), ("balck", "black"), ("buidling", "building"),
    ("wiht", "with"), ("bsu", "bus"), ("pul", "pull"),
]  # fmt: skip
KEPT = (
    "for get care cart cat cap cab cars card park bark dark mark part step shop wall ball call tall fall bride "
    "whole while write light fight night sight might eight bright rights turn torn tune burn wait wail want tree three "
    "free trees true sing sigh sign signs signal planes lake land lanes line lines flute boat coat goat road toad "
    "pls plz broad roar rod rode women woman man men van ban vane bus bush busy bins bike like hike biked bile"
)


@pytest.mark.parametrize("typed, meant", SLIPS)
def test_a_slip_is_put_right(typed, meant):
    assert corrected_word(typed) == meant


def test_good_words_stay():
    assert correct(KEPT) == KEPT


def test_the_words_of_every_class_and_wording_stay():
    texts = [w for c in CLASSES for w in (*c.singular, *c.plural)]
    texts += [t for name in ("noun_phrases", "sentences") for ts in table(name).values() for t in ts]
    texts += [t for kind in ("nouns", "sentences") for split in ("train", "val") for t in aliens(kind, split)]
    words = {w for t in texts for w in re.findall(r"[a-z]+", re.sub(r"{\w+}", "", t))}
    assert len(words) > 600
    assert {w: corrected_word(w) for w in words if corrected_word(w) != w} == {}


@pytest.mark.parametrize("text", ["la voiture rouge à gauche", "das rote auto links", "левая машина", "左の赤い車"])
def test_other_languages_stay(text):
    assert correct(text) == text


def test_what_was_said_is_kept_beside_what_is_read():
    found = parse_command("Pleaase STPO behnid the trcuk")
    assert found.text == "Pleaase STPO behnid the trcuk"
    assert (found.plain, found.manoeuvre, found.label) == ("please stop behind the truck", Manoeuvre.STOP, "truck")


@pytest.mark.parametrize("word", ["pedestrian", "motorcycle", "building", "leftmost", "between", "follow"])
def test_most_slips_of_a_long_word_come_back(word):
    rng = np.random.default_rng(0)
    slips = {slip(rng, word, 4) for _ in range(60)} - {word}
    back = [s for s in slips if corrected_word(s) == word]
    assert len(back) >= 0.9 * len(slips), slips - set(back)


def test_a_slip_is_one_step_and_never_in_the_first_letter():
    assert is_slip("stpo", "stop") and is_slip("sto", "stop") and is_slip("stoop", "stop") and is_slip("stip", "stop")
    assert not is_slip("tsops", "stop") and not is_slip("xtop", "stop") and not is_slip("cat", "car")
