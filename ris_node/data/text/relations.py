# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Relations between objects, and of objects to the stuff they stand on, as predicates in three values."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from ris_node.data.annotated import Object
from ris_node.data.classes import class_id
from ris_node.data.colours import MIXED_COLOURS
from ris_node.data.text.meaning import Facts, Group, Meaning, side_of

_GROUNDS = ("road", "pavement", "grass", "parking bay", "table", "bed", "sand", "snow")
MOST_MEMBERS = 16
Predicate = Callable[[Facts, Object, Object], int]


def left_of(facts: Facts, x: Object, y: Object) -> int:
    """Judge whether X lies left of Y: clear of its middle, and not just the other way up."""
    margin = 0.02 * facts.width
    if x.box[2] <= y.box[0] + margin and x.cx + 2 * margin < y.cx:
        return 1
    return -1 if x.cx > y.cx + margin else 0


def right_of(facts: Facts, x: Object, y: Object) -> int:
    """Judge whether X lies right of Y."""
    margin = 0.02 * facts.width
    if x.box[0] >= y.box[2] - margin and x.cx - 2 * margin > y.cx:
        return 1
    return -1 if x.cx < y.cx - margin else 0


def next_to(facts: Facts, x: Object, y: Object) -> int:
    """Judge whether X stands beside Y: a small gap sideways, at about the same depth (feet) or height."""
    gap = max(x.box[0] - y.box[2], y.box[0] - x.box[2], 0)
    wide = max(x.box[2] - x.box[0], y.box[2] - y.box[0])
    tall = max(x.box[3] - x.box[1], y.box[3] - y.box[1])
    apart = abs(x.foot - y.foot) / tall
    if gap <= 0.5 * wide and apart <= 0.3 and _overlap(x, y, 0) < 0.6:
        return 1
    return -1 if gap > wide + 0.02 * facts.width or apart > 0.6 else 0


def in_front_of(facts: Facts, x: Object, y: Object) -> int:
    """Judge whether X is nearer than Y and before it in the picture, both standing on the ground."""
    if x.foot - y.foot >= 0.03 * facts.height and _overlap(x, y, 0) >= 0.5:
        return 1
    return -1 if x.foot <= y.foot or _gap(x, y) > 0 else 0


def behind(facts: Facts, x: Object, y: Object) -> int:
    """Judge whether X is farther than Y and behind it in the picture."""
    return in_front_of(facts, y, x)


def above(facts: Facts, x: Object, y: Object) -> int:
    """Judge whether X is higher in the picture than Y, over it."""
    if x.box[3] <= y.box[1] + 0.01 * facts.height and _overlap(x, y, 0) >= 0.5:
        return 1
    middle = 0.5 * (x.box[1] + x.box[3]) - 0.5 * (y.box[1] + y.box[3])
    return -1 if middle > 0 or _gap(x, y) > 0.04 * facts.width else 0


def below(facts: Facts, x: Object, y: Object) -> int:
    """Judge whether X is lower in the picture than Y, under it."""
    return above(facts, y, x)


_RELATIONS: dict[str, Predicate] = {
    "left_of": left_of, "right_of": right_of, "next_to": next_to, "in_front_of": in_front_of, "behind": behind,
    "above": above, "below": below,
}  # fmt: skip


def stands_on(facts: Facts, item: Object, ground: str) -> int:
    """Return whether what lies around and below the object's foot is this stuff."""
    x0, _, x1, foot = item.box
    reach = max(3, (foot - item.box[1]) // 12)
    classes = facts.annotated.class_map[max(foot - reach, 0) : foot + reach, max(x0 - 2, 0) : x1 + 2]
    if foot + reach > facts.height:
        return 0
    others = classes[(classes != item.class_id) & (classes != 0)]
    if others.size < 12:
        return 0
    share = float(np.mean(others == class_id(ground)))
    return 1 if share >= 0.75 else (-1 if share <= 0.08 else 0)


def relation_meanings(facts: Facts) -> Iterator[Meaning]:
    """Yield true relations, and near-misses: relations that no object of the class fulfils."""
    for group in facts.groups:
        if group.info.nature != "thing" or len(group.members) > MOST_MEMBERS:
            continue
        for other in facts.groups:
            anchor = other.only
            if other.info.name == group.info.name or anchor is None or not facts.large(anchor):
                continue
            if other.info.nature == "thing":
                for name, predicate in applicable(group, other):
                    verdicts = [predicate(facts, x, anchor) for x in group.members]
                    yield from decide(facts, group, name, other.info.name, verdicts)
        if group.info.on_ground:
            for ground in _GROUNDS:
                if ground in facts.present and ground != group.info.name:
                    verdicts = [stands_on(facts, x, ground) for x in group.members]
                    yield from decide(facts, group, "on_stuff", ground, verdicts)


def side_misses(facts: Facts) -> Iterator[Meaning]:
    """Yield near-misses by side: every object of the class is clearly on the other one."""
    for group in (*facts.groups, *facts.colour_groups):
        if group.info.nature == "thing":
            sides = {side_of(facts, o) for o in group.members}
            if sides in ({-1}, {1}):
                form = "right" if -1 in sides else "left"
                for wording in (form, f"{form}s"):
                    yield Meaning(
                        "near_miss", wording, group.info.name, colour=group.colour, true=False, in_view=group.in_view
                    )


def colour_misses(facts: Facts, names: tuple[str, ...]) -> Iterator[Meaning]:
    """Yield near-misses by colour: all of the class are large enough to judge and clearly not of this colour."""
    for group in facts.groups:
        if group.info.nature == "thing" and group.info.colourable:
            seen = [o for o in group.members if o.area >= facts.smallest]
            if sum(o.area for o in seen) < 0.8 * sum(o.area for o in group.members):
                continue
            for colour in names:
                known = {o.colour for o in group.members if o.colour}
                if any(colour in MIXED_COLOURS[k] for k in known):
                    continue
                if all(facts.colour_of(o, colour) == -1 for o in seen):
                    for form in ("single", "all"):
                        yield Meaning(
                            "near_miss", form, group.info.name, colour=colour, true=False, in_view=group.in_view
                        )


def applicable(group: Group, other: Group) -> Iterator[tuple[str, Predicate]]:
    """Yield the relations that can be said of two classes: in front and behind of what stands on the ground, etc."""
    for name, predicate in _RELATIONS.items():
        if name in ("in_front_of", "behind") and not (group.info.on_ground and other.info.on_ground):
            continue
        if name in ("above", "below") and group.info.on_ground and other.info.on_ground:
            continue
        yield name, predicate


def decide(facts: Facts, group: Group, name: str, other: str, verdicts: list[int]) -> Iterator[Meaning]:
    """Yield the meaning of a relation by its verdicts on each member: one, several, none; in doubt, nothing."""
    if 0 in verdicts:
        return
    chosen = tuple(x for x, v in zip(group.members, verdicts, strict=True) if v == 1)
    ids = tuple(x.id for x in chosen)
    if not chosen:
        yield Meaning("near_miss", name, group.info.name, other=other, true=False, in_view=group.in_view)
    elif len(chosen) == 1 and facts.large(chosen[0]):
        yield Meaning("relation", name, group.info.name, ids, other=other, in_view=group.in_view)
    elif sum(x.area for x in chosen) >= facts.smallest and (len(chosen) > 1 or chosen[0].crowd):
        yield Meaning("relation", f"{name}s", group.info.name, ids, other=other, in_view=group.in_view)


def _overlap(x: Object, y: Object, axis: int) -> float:
    """Shared length of two boxes along an axis, over the shorter of the two."""
    low, high = max(x.box[axis], y.box[axis]), min(x.box[axis + 2], y.box[axis + 2])
    return max(high - low, 0) / max(min(x.box[axis + 2] - x.box[axis], y.box[axis + 2] - y.box[axis]), 1)


def _gap(x: Object, y: Object) -> int:
    return max(x.box[0] - y.box[2], y.box[0] - x.box[2], 0)
