# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Meanings: true statements about a picture, with the objects they mean, before any words are chosen.

Every predicate answers 1 (true), -1 (clearly false) or 0 (people would differ). A meaning is only made when nothing is
in doubt: each object of the class either clearly belongs or clearly does not. Parts too small to be checked still
count as objects that exist, so they can make an ordering doubtful but are never themselves what is meant.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import KW_ONLY, dataclass
from functools import cached_property

from ris_node.data.annotated import TARGET_FRACTION, Annotated, Object
from ris_node.data.classes import CLASSES, ClassInfo, class_by_name
from ris_node.data.colours import COLOUR_NAMES, colour_verdict

_STUFF_FRACTION = 0.01
# Colours that skin takes: not judged on people close by, whose faces and arms count.
_SKIN = ("orange", "yellow", "brown", "pink")


@dataclass(frozen=True)
class Meaning:
    """One thing to say: `form` names the noun-phrase wordings; `ids` the objects meant (empty: nothing fits).

    `whole` means every pixel of the class. `colour` narrows the class, `other` is the class of the object or stuff it
    is related to, told from others of its class by `other_form` and `other_colour`. `true` is False for a near-miss.
    `in_view` counts the objects of the class in the picture.
    """

    kind: str
    form: str
    class_name: str
    ids: tuple[int, ...] = ()
    _: KW_ONLY
    whole: bool = False
    colour: str | None = None
    other: str = ""
    true: bool = True
    in_view: int = 1
    other_form: str = ""
    other_colour: str | None = None


@dataclass(frozen=True)
class Group:
    """Objects of one class, or of one class and colour; `members` are all that exist, left to right."""

    info: ClassInfo
    members: tuple[Object, ...]
    in_view: int
    colour: str | None = None

    @property
    def only(self) -> Object | None:
        """Its one object, if it is one and is not several in one blob."""
        return self.members[0] if len(self.members) == 1 and not self.members[0].crowd else None


class Facts:
    """The groups of a picture, made once per `Annotated` (see `facts_of`)."""

    def __init__(self, annotated: Annotated) -> None:
        self.annotated = annotated
        self.height, self.width = annotated.class_map.shape
        self.smallest = TARGET_FRACTION * annotated.class_map.size
        self.present = frozenset(annotated.class_areas) - {"void"}

    @cached_property
    def groups(self) -> tuple[Group, ...]:
        """One group per class of things or masses in view, if all of them are labelled."""
        by_class: dict[int, list[Object]] = {}
        for item in self.annotated.objects:
            by_class.setdefault(item.class_id, []).append(item)
        out = []
        for cid, items in sorted(by_class.items()):
            known = cid and CLASSES[cid].name not in self.annotated.partial
            if known and max(o.area for o in items) >= self.smallest:
                out.append(Group(CLASSES[cid], tuple(sorted(items, key=lambda o: o.cx)), len(items)))
        return tuple(out)

    @cached_property
    def colour_groups(self) -> tuple[Group, ...]:
        """Groups by class and colour, where every object large enough to judge is decided either way."""
        out = []
        for group in self.groups:
            if group.info.nature != "thing" or not group.info.colourable:
                continue
            for colour in COLOUR_NAMES:
                verdicts = [(o, self.colour_of(o, colour)) for o in group.members if o.area >= self.smallest]
                chosen = tuple(o for o, v in verdicts if v == 1)
                if chosen and all(v != 0 for _, v in verdicts) and not any(o.crowd for o in chosen):
                    out.append(Group(group.info, chosen, group.in_view, colour))
        return tuple(out)

    @cached_property
    def stuff(self) -> tuple[str, ...]:
        """Names of stuff and masses that cover enough to be worth asking for."""
        least, partial = _STUFF_FRACTION * self.annotated.class_map.size, self.annotated.partial
        return tuple(
            name
            for name, area in self.annotated.class_areas.items()
            if name != "void" and area >= least and class_by_name(name).nature != "thing" and name not in partial
        )

    def colour_of(self, item: Object, colour: str) -> int:
        """Return the verdict on an object's colour: from its source, else from its pixels; 0 when too small."""
        if item.colour is not None:
            return 1 if item.colour == colour else -1
        shares = self.annotated.colours.get(item.id)
        if shares is None or (item.name == "person" and colour in _SKIN and item.area > 6 * self.smallest):
            return 0
        return colour_verdict(shares, colour)

    def large(self, item: Object) -> bool:
        """Return whether an object is large enough to be what an expression means."""
        return item.area >= self.smallest and not item.crowd


def facts_of(annotated: Annotated) -> Facts:
    """Return the facts of a picture, kept with it so that they are made once."""
    facts = annotated.__dict__.get("_facts")
    if not isinstance(facts, Facts):
        facts = Facts(annotated)
        annotated.__dict__["_facts"] = facts
    return facts


def plain_meanings(facts: Facts) -> Iterator[Meaning]:
    """Yield stuff, all of a kind, the only one of a kind, and colours."""
    for name in facts.stuff:
        yield Meaning("stuff", "stuff" if class_by_name(name).nature == "stuff" else "all", name, whole=True)
    for group in facts.groups:
        if group.info.nature != "thing":
            continue
        ids = tuple(o.id for o in group.members)
        only = group.only
        if only is not None and facts.large(only):
            yield Meaning("single", "single", group.info.name, ids)
        elif only is None:
            yield Meaning("class", "all", group.info.name, ids, whole=True, in_view=max(group.in_view, 2))
    for group in facts.colour_groups:
        form = "single" if group.only is not None else "all"
        ids = tuple(o.id for o in group.members)
        yield Meaning("colour", form, group.info.name, ids, colour=group.colour, in_view=group.in_view)


def order_meanings(facts: Facts) -> Iterator[Meaning]:
    """Yield places in a row, nearness, size and sides, over classes and over colours of a class."""
    for group in (*facts.groups, *facts.colour_groups):
        found: list[tuple[str, tuple[Object, ...]]] = list(_sides(facts, group))
        if group.info.nature == "thing" and 2 <= len(group.members) <= 24:
            found += _rows(facts, group)
            found += extremes(facts, group)
        for form, items in found:
            ids = tuple(o.id for o in items)
            yield Meaning(_kind_of(group), form, group.info.name, ids, colour=group.colour, in_view=group.in_view)


def _kind_of(group: Group) -> str:
    if group.info.nature == "mass":
        return "stuff"
    if group.only is None:
        return "order"
    return "colour" if group.colour else "single"


def side_of(facts: Facts, item: Object) -> int:
    """Judge the side of the picture: -1 clearly left, 1 clearly right, 0 about the middle."""
    x0, _, x1, _ = (v / facts.width for v in item.box)
    cx = item.cx / facts.width
    if cx < 0.42 and x1 < 0.56:
        return -1
    return 1 if cx > 0.58 and x0 > 0.44 else 0


def _sides(facts: Facts, group: Group) -> Iterator[tuple[str, tuple[Object, ...]]]:
    sides = [side_of(facts, o) for o in group.members]
    if 0 in sides:
        return
    for side, name in ((-1, "left"), (1, "right")):
        chosen = tuple(o for o, s in zip(group.members, sides, strict=True) if s == side)
        if len(chosen) == 1 and facts.large(chosen[0]) and group.info.nature == "thing":
            yield name, chosen
        elif len(chosen) > 1 or (chosen and (chosen[0].crowd or group.info.nature == "mass")):
            yield from ((f"{name}s", chosen),) * (sum(o.area for o in chosen) >= facts.smallest)


def _left_of_all(facts: Facts, item: Object, others: tuple[Object, ...]) -> bool:
    """Return whether an object is left of all these by a margin that nobody doubts."""
    margin = 0.03 * facts.width + 0.15 * (item.box[2] - item.box[0])
    return all(item.cx + margin < (o.box[0] if o.crowd else o.cx) and item.box[0] <= o.box[0] for o in others)


def _right_of_all(facts: Facts, item: Object, others: tuple[Object, ...]) -> bool:
    margin = 0.03 * facts.width + 0.15 * (item.box[2] - item.box[0])
    return all(item.cx - margin > (o.box[2] if o.crowd else o.cx) and item.box[2] >= o.box[2] for o in others)


def _rows(facts: Facts, group: Group) -> Iterator[tuple[str, tuple[Object, ...]]]:
    """Counted from either end, as far as every step on the way is clear."""
    items = group.members
    countable = all(o.area >= 0.4 * facts.smallest and not o.crowd for o in items)
    for names, row, first in (
        (("leftmost", "second_left", "third_left"), items, _left_of_all),
        (("rightmost", "second_right", "third_right"), items[::-1], _right_of_all),
    ):
        for i, name in enumerate(names[: len(row) - 1]):
            if not first(facts, row[i], row[i + 1 :]) or (i > 0 and not countable):
                break
            if facts.large(row[i]):
                yield name, (row[i],)
    steps = (_left_of_all(facts, items[i], items[i + 1 :]) for i in (0, 1))
    if len(items) == 3 and countable and facts.large(items[1]) and group.colour is None and all(steps):
        yield "middle", (items[1],)


def extremes(facts: Facts, group: Group) -> Iterator[tuple[str, tuple[Object, ...]]]:
    """Find nearest and farthest by the foot on the ground (and the size must agree), largest and smallest by area."""
    by_area = sorted(group.members, key=lambda o: -o.area)
    if facts.large(by_area[0]) and by_area[0].area >= 1.5 * by_area[1].area:
        yield "largest", (by_area[0],)
    if facts.large(by_area[-1]) and by_area[-2].area >= 1.5 * by_area[-1].area:
        yield "smallest", (by_area[-1],)
    if not group.info.on_ground:
        return
    by_foot = sorted(group.members, key=lambda o: -o.foot)
    near, far = by_foot[0], by_foot[-1]
    nearer = near.foot - by_foot[1].foot >= 0.03 * facts.height
    if nearer and facts.large(near) and all(_tall(near) > 1.1 * _tall(o) for o in by_foot[1:]):
        yield "nearest", (near,)
    farther = by_foot[-2].foot - far.foot >= 0.02 * facts.height
    if farther and facts.large(far) and all(_tall(far) < 0.9 * _tall(o) for o in by_foot[:-1]):
        yield "farthest", (far,)


def _tall(item: Object) -> int:
    return item.box[3] - item.box[1]
