# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Make whatever arrives as a command into one plain line of text, or say why it cannot be."""

from __future__ import annotations

import re
import unicodedata

from ris_node.errors import CommandError

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
