# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Rows of the table as the items each takes, and every metric that is a ratio of sums as two columns.

So a row and its bootstrap are sums. The conventions are those of `ris_node.metrics` (a test holds the two against each
other): this form makes the resampling of pictures a matrix product.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ris_node.data.evalset import EvalItem, is_stuff, listening_pairs
from ris_node.data.registry import DRIVING, EVERYDAY
from ris_node.evaluation.answers import Scored
from ris_node.types import F64, I64, Bool

APART = 0.3  # IoU of two answers below which they are different answers
RECALLS = (1, 5, 10, 50, 100, 500, 1000, 5000)
PRECISIONS = (0.5, 0.6, 0.7, 0.8, 0.9)
Terms = dict[str, tuple[F64, F64]]


@dataclass(frozen=True)
class Unit:
    """Terms of one kind of thing counted (items, pairs of items, refs): f64[N] each, and what they belong to.

    `picture` i64[N] numbers the pictures; `members` i64[N,2] are the items: a thing is in a row when both are.
    `whole` says that they are made of all of a picture's items, so that only rows of whole pictures have them.
    """

    terms: Terms
    picture: I64
    members: I64
    whole: bool = False


@dataclass(frozen=True)
class Columns:
    """Terms of one system over all items, with the presence it gave f64[N] and the truth bool[N]."""

    units: tuple[Unit, ...]
    pictures: int
    presence: F64
    present: Bool
    picture: I64

    @property
    def metrics(self) -> list[str]:
        """Names of the metrics that are ratios of sums."""
        return [name for unit in self.units for name in unit.terms]


def make_columns(scored: Sequence[Scored]) -> Columns:
    """Count everything that the metrics need, once."""
    names = {name: n for n, name in enumerate(dict.fromkeys(s.item.image for s in scored))}
    picture = np.array([names[s.item.image] for s in scored], np.int64)
    own = np.arange(len(scored))
    items = Unit(item_terms(scored), picture, np.stack([own, own], 1))
    return Columns(
        (items, pair_unit(scored, picture), ref_unit(scored, picture)),
        len(names),
        np.array([s.answer.presence for s in scored], np.float64),
        np.array([s.item.present for s in scored], np.bool_),
        picture,
    )


def item_terms(scored: Sequence[Scored]) -> Terms:
    """Return terms of the metrics that are over items."""

    def of(value: Callable[[Scored], Any]) -> F64:
        return np.array([value(s) for s in scored], np.float64)

    present, phrase = of(lambda s: s.item.present), of(lambda s: s.item.type == "object")
    named, absent = present * phrase, 1.0 - present
    region = present * of(lambda s: s.hit is not None)
    inter, union = of(lambda s: s.intersection), of(lambda s: s.union)
    area, iou = of(lambda s: s.area), of(lambda s: s.iou)
    terms: Terms = {"miou": (iou * named, named), "oiou": (inter * named, union * named)}
    terms |= {f"p{int(100 * x)}": ((iou >= x) * named, named) for x in PRECISIONS}
    terms |= {
        "found": (of(lambda s: s.found) * present, present),
        "refused": (of(lambda s: s.refused or s.area == 0) * absent, absent),
        "riou": (inter * named, union * named + area * absent),
        "pointing": (of(lambda s: bool(s.hit)) * region, region),
        "inside": (of(lambda s: s.region_intersection / s.region_area if s.region_area else 0.0) * region, region),
        "region_miou": (_divide(of(lambda s: s.region_intersection), of(lambda s: s.region_union)) * region, region),
        "region_oiou": (of(lambda s: s.region_intersection) * region, of(lambda s: s.region_union) * region),
    }
    mapped = region * of(lambda s: s.answer.rank is not None)
    rank = of(lambda s: np.inf if s.answer.rank is None or s.answer.rank < 0 else s.answer.rank)
    terms |= {f"recall_{k}": ((rank < k) * mapped, mapped) for k in RECALLS}
    return terms | generalised_terms(scored, phrase, named)


def generalised_terms(scored: Sequence[Scored], phrase: F64, named: F64) -> Terms:
    """Return terms of the conventions for several targets or none (GRES, LISA), over noun phrases."""
    silent = np.array([s.refused for s in scored], np.float64)
    inter, raw_inter, raw_area, truth, union = (
        np.array([getattr(s, n) for s in scored], np.float64)
        for n in ("intersection", "raw_intersection", "raw_area", "truth_area", "union")
    )
    absent = phrase - named
    right = np.where(named > 0, (1 - silent) * _divide(raw_inter, truth + raw_area - raw_inter), silent) * phrase
    raw_union = (truth + raw_area - raw_inter) * np.where(named > 0, 1.0, 1.0 - silent)
    lisa = np.where(union > 0, _divide(inter, union), 1.0)
    return {
        "giou_gres": (right, phrase),
        "ciou_gres": (raw_inter * (1 - silent) * named, raw_union * phrase),
        "n_acc": (silent * absent, absent),
        "t_acc": ((1 - silent) * named, named),
        "giou_lisa": (lisa * phrase, phrase),
        "ciou_lisa": (inter * named, union * phrase),
    }


def pair_unit(scored: Sequence[Scored], picture: I64) -> Unit:
    """Return terms over pairs of true noun phrases of one picture with different pixels: does the answer differ?

    `listens` lets two empty answers count as different, as the definition has it; `listens_strict` asks both for
    pixels; `apart` and `apart_strict` are the same over pairs of one class.
    """
    at = {s.item.id: n for n, s in enumerate(scored)}
    found = [(at[a.id], at[b.id]) for a, b in listening_pairs([s.item for s in scored])]
    overlap, both = np.zeros(len(found)), np.zeros(len(found))
    masks: dict[int, Bool] = {}
    for n, (a, b) in enumerate(found):
        if masks and picture[next(iter(masks))] != picture[a]:
            masks.clear()
        one, other = (masks.setdefault(k, scored[k].mask()) for k in (a, b))
        both[n] = scored[a].area > 0 and scored[b].area > 0
        if both[n]:
            overlap[n] = np.count_nonzero(one & other) / np.count_nonzero(one | other)
    differ = (overlap < APART).astype(np.float64)
    same = np.array([scored[a].item.class_name == scored[b].item.class_name for a, b in found], np.float64)
    every = np.ones(len(found))
    terms = {
        "listens": (differ, every),
        "listens_strict": (differ * both, every),
        "apart": (differ * same, same),
        "apart_strict": (differ * both * same, same),
    }
    members = np.array(found, np.int64).reshape(-1, 2)
    return Unit(terms, picture[members[:, 0]], members)


def ref_unit(scored: Sequence[Scored], picture: I64) -> Unit:
    """Return R-RIS terms over refs (`EvalItem.group`; a picture, in our own set), true and false noun phrases."""
    groups: dict[str, list[int]] = {}
    for n, s in enumerate(scored):
        if s.item.type == "object":
            groups.setdefault(s.item.group or s.item.image, []).append(n)
    rows, at = [], []
    for members in groups.values():
        true = [scored[n] for n in members if scored[n].item.present]
        false = [scored[n].area for n in members if not scored[n].item.present]
        if not true:
            continue
        inter, union = sum(s.intersection for s in true), sum(s.union for s in true) + sum(false)
        quiet = sum(a == 0 for a in false) / len(false) if false else 0.0
        rows.append((np.mean([s.iou for s in true]), quiet, float(bool(false)), inter / union if union else 0.0))
        at.append(members[0])
    v = np.array(rows, np.float64).reshape(-1, 4)
    every = np.ones(len(rows))
    first = np.array(at, np.int64)
    terms = {"ref_miou": (v[:, 0], every), "mrr": (v[:, 1], v[:, 2]), "ref_riou": (v[:, 3], every)}
    return Unit(terms, picture[first], np.stack([first, first], 1).reshape(-1, 2), whole=True)


def _divide(a: F64, b: F64) -> F64:
    return np.where(b > 0, a / np.maximum(b, 1.0), 0.0)


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
