# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""The rows of the table: which items each takes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from ris_node.data.evalset import EvalItem, is_stuff
from ris_node.data.registry import DRIVING, EVERYDAY
from ris_node.types import Bool

SIZES = (("small (< 1 %)", 0.0, 0.01), ("medium", 0.01, 0.06), ("large (> 6 %)", 0.06, 1.01))
SCOPES = (("driving", DRIVING), ("everyday", EVERYDAY))
LEAST = 15  # items of a class that make a row


@dataclass(frozen=True)
class Slice:
    """Row's name, its items bool[N], and whether it takes all items of the pictures that it touches."""

    name: str
    taken: Bool
    whole: bool = False


def make_slices(items: Sequence[EvalItem]) -> list[Slice]:
    """Return all rows that have items: all, driving and everyday, each set, parts of these, kinds, sizes, classes."""

    def of(test: Callable[[EvalItem], bool]) -> Bool:
        return np.array([test(i) for i in items], np.bool_)

    every = np.ones(len(items), np.bool_)
    set_of, kind_of = np.array([i.set for i in items]), np.array([i.kind for i in items])
    scopes = [(name, np.isin(set_of, members)) for name, members in SCOPES]
    sets = [(name, set_of == name) for name in _ordered(set_of.tolist())]
    rows = [Slice("all", every, True), *(Slice(name, taken, True) for name, taken in [*scopes, *sets])]
    phrase = of(lambda i: i.type == "object")
    stuff, absent = of(is_stuff), ~of(lambda i: i.present)
    parts = (
        ("noun phrases", phrase),
        ("objects", phrase & ~stuff & ~absent),
        ("stuff", phrase & stuff & ~absent),
        ("commands", ~phrase),
    )
    for scope, taken in [("", every), *scopes]:
        rows += [Slice(f"{scope}: {part}" if scope else f"all: {part}", taken & own) for part, own in parts]
    rows += [Slice(kind, kind_of == kind) for kind in _ordered(kind_of.tolist())]
    named = phrase & ~absent
    cover = np.array([sum((i.mask or ())[1::2]) / max(i.width * i.height, 1) for i in items])
    rows += [Slice(label, named & (low <= cover) & (cover < high)) for label, low, high in SIZES]
    rows.append(Slice("two or more in view", named & of(lambda i: i.in_view >= 2)))
    rows += _classes(items, named)
    return [row for row in rows if row.taken.any()]


def _classes(items: Sequence[EvalItem], named: Bool) -> list[Slice]:
    """Return a row for each class that is named often enough, the most frequent first."""
    names = np.array([i.class_name for i in items])
    found = [(name, named & (names == name)) for name in _ordered(names[named].tolist())]
    found = [(name, taken) for name, taken in found if name and taken.sum() >= LEAST]
    return [Slice(f"of class {name}", taken) for name, taken in sorted(found, key=lambda pair: -int(pair[1].sum()))]


def _ordered(names: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(names))
