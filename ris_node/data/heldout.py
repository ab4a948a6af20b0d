# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""The project's own lists in `splits/`: pictures kept out of training, and classes that pictures label in part."""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import cache
from pathlib import Path

SPLITS_DIR = Path(__file__).parent / "splits"


@cache
def kept_out(source: str) -> tuple[str, ...]:
    """Return the file stems of a set that are kept out of training, in the list's order; none without a list."""
    path = SPLITS_DIR / f"{source}_val.txt"
    return tuple(path.read_text(encoding="utf-8").split()) if path.is_file() else ()


def of_split(source: str, split: str, stems: Iterable[str]) -> frozenset[str]:
    """Return those of the stems of a set with a list that belong to the split "train", "val" or "all"."""
    listed = frozenset(kept_out(source))
    return frozenset(stem for stem in stems if split == "all" or (stem in listed) == (split == "val"))


@cache
def partly_labelled(source: str) -> dict[str, frozenset[str]]:
    """Return the names of the classes that pictures of a set show unlabelled too, by file stem.

    `python -m ris_node.data.unlabelled` makes the list.
    """
    path = SPLITS_DIR / f"{source}_partial.json"
    if not path.is_file():
        return {}
    return {stem: frozenset(names) for stem, names in json.loads(path.read_text(encoding="utf-8")).items()}
