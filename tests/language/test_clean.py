# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Commands of every sort, made into one plain line or refused with a reason."""

from __future__ import annotations

import pytest

from ris_node.errors import CommandError
from ris_node.language.parse import clean_text


@pytest.mark.parametrize(
    "given, expected",
    [
        ("  the \t red\n car ", "the red car"),
        ("the\x00 red\x07 car\x1b", "the red car"),
        ("stop 🚗 next to the bus 🛑!!", "stop next to the bus !!"),
        ("don\u2019t stop here", "don't stop here"),
        ("\ufb01nd the car", "find the car"),  # a ligature
        ("the\u200b car\u202e", "the car"),  # zero-width space, right-to-left override
        ("la voiture rouge à gauche", "la voiture rouge à gauche"),
        ("左の赤い車", "左の赤い車"),
        ("السيارة الحمراء", "السيارة الحمراء"),
        ("park at 10 m", "park at 10 m"),
    ],
)
def test_cleaned(given, expected):
    assert clean_text(given) == expected
    assert clean_text(expected) == expected


@pytest.mark.parametrize("given", ["", "   ", "\n\t", "🚗🚗", "?!", "\x00\x01", "\u200b"])
def test_nothing_to_go_by_is_refused(given):
    with pytest.raises(CommandError, match="no words"):
        clean_text(given)


def test_too_long_is_refused_with_both_numbers():
    with pytest.raises(CommandError, match=r"10000 characters, at most 512"):
        clean_text("a" * 10_000)
    assert clean_text("a" * 10_000, max_chars=10_000) == "a" * 10_000


@pytest.mark.parametrize("given", [None, 3, b"the car", ["the car"]])
def test_what_is_not_text_is_refused(given):
    with pytest.raises(CommandError, match="not text"):
        clean_text(given)


@pytest.mark.parametrize("given", [b"do\xff not turn", "the caf\u00e9".encode("latin-1")])
@pytest.mark.parametrize("errors", ["replace", "surrogateescape"])  # as ROS decodes, and a command line
def test_what_held_bytes_that_are_no_utf8_is_refused(given, errors):
    with pytest.raises(CommandError, match=r"not UTF-8 at character \d"):
        clean_text(given.decode("utf-8", errors))


def test_lone_surrogates_do_not_survive():
    assert clean_text("the \ud83d car") == "the car"
    clean_text("the \ud83d car").encode("utf-8")
