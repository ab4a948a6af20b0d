# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Meanings made of two: relations to one of several, and the nearest or largest on one side. Training hears them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from ris_node.data.text.meaning import Facts, Meaning, extremes, order_meanings, plain_meanings, side_of
from ris_node.data.text.relations import MOST_MEMBERS, applicable, decide

# Forms that tell an anchor from others of its class, with wordings in front of the noun: nothing attaches wrongly.
_ANCHOR_FORMS = {
    "leftmost": "leftmost_anchor", "rightmost": "rightmost_anchor", "nearest": "nearest_anchor",
    "farthest": "farthest_anchor", "largest": "largest_anchor", "smallest": "smallest_anchor",
}  # fmt: skip
_CLOTHED = ("person", "cyclist")


def anchored_meanings(facts: Facts) -> Iterator[Meaning]:
    """Yield relations to one of several: "behind the red car"; also within one class."""
    by_id = {item.id: item for item in facts.annotated.objects}
    groups = {g.info.name: g for g in facts.groups if g.info.nature == "thing" and len(g.members) <= MOST_MEMBERS}
    for referent in _anchors(facts):
        anchor = by_id[referent.ids[0]]
        about = groups.get(referent.class_name)
        for group in groups.values() if about is not None else ():
            if referent.colour and referent.class_name in _CLOTHED and group.info.name in _CLOTHED:
                continue  # "the man next to the cyclist in red": who is in red?
            members = tuple(o for o in group.members if o.id != anchor.id)
            for name, predicate in applicable(group, about) if members and about is not None else ():
                verdicts = [predicate(facts, x, anchor) for x in members]
                for made in decide(facts, replace(group, members=members), name, referent.class_name, verdicts):
                    form = "single" if referent.colour else _ANCHOR_FORMS[referent.form]
                    yield replace(made, other_form=form, other_colour=referent.colour)


def _anchors(facts: Facts) -> Iterator[Meaning]:
    """Yield what singles out one of several of a class: a colour, or a place in front of the noun."""
    by_id = {item.id: item for item in facts.annotated.objects}
    for made in (*plain_meanings(facts), *order_meanings(facts)):
        only = made.in_view > 1 and len(made.ids) == 1 and facts.large(by_id[made.ids[0]])
        if only and (made.form == "single" if made.colour else made.form in _ANCHOR_FORMS):
            yield made


def sided_meanings(facts: Facts) -> Iterator[Meaning]:
    """Yield the nearest, farthest, largest or smallest of those on one side: "first car on the left"."""
    for group in (*facts.groups, *facts.colour_groups):
        sides = [side_of(facts, o) for o in group.members]
        if group.info.nature != "thing" or 0 in sides:
            continue
        for side, name in ((-1, "left"), (1, "right")):
            chosen = tuple(o for o, s in zip(group.members, sides, strict=True) if s == side)
            if len(chosen) < 2:
                continue
            for form, items in extremes(facts, replace(group, members=chosen)):
                ids = tuple(o.id for o in items)
                yield Meaning(
                    "order", f"{form}_{name}", group.info.name, ids, colour=group.colour, in_view=group.in_view
                )
