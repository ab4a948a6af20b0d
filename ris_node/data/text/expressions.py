# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Expressions generated from an annotated picture, each with exactly the pixels it means.

`generate` draws kinds by weight, a meaning that is beyond doubt, and a wording of the split asked for. For mirrored
pictures, mirror the `Annotated` first (`flipped`) and generate from that: left and right stay true.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, replace
from itertools import chain

import numpy as np

from ris_node.data.annotated import Annotated, Object
from ris_node.data.classes import CLASSES, ClassInfo, class_by_name, class_id
from ris_node.data.colours import COLOUR_NAMES
from ris_node.data.text import regions
from ris_node.data.text.compound import anchored_meanings, sided_meanings
from ris_node.data.text.meaning import Facts, Meaning, facts_of, order_meanings, plain_meanings
from ris_node.data.text.refusals import absent_names, alien_text
from ris_node.data.text.relations import colour_misses, relation_meanings, side_misses
from ris_node.data.text.wording import humanise, is_narrow, noun, phrase, pick, sentence
from ris_node.types import Bool

Rng = np.random.Generator
DEFAULT_MIX: Mapping[str, float] = {
    "class": 0.11, "stuff": 0.06, "single": 0.11, "order": 0.2, "relation": 0.1, "colour": 0.07, "absent": 0.08,
    "alien": 0.04, "near_miss": 0.07, "region": 0.16,
}  # fmt: skip
# Share of commands to the vehicle among refusals: "stop next to the elephant" is refused like "the elephant".
COMMAND_SHARE = 0.3
_CLASS_WEIGHTS = {"car": 4.0, "person": 4.0, "cyclist": 4.0, "sign": 2.0, "pole": 0.7, "window": 0.7}
# Weights of relations and near-misses in training: pictures offer "on the road" fifty times for one "behind the van".
_FORM_WEIGHTS = {
    "next_to": 7.0, "in_front_of": 8.0, "behind": 8.0, "left_of": 1.5, "right_of": 1.5, "above": 1.5, "below": 1.5,
}  # fmt: skip
_MISS_WEIGHTS = {"single": 5.0, "all": 3.0, "left": 3.0, "right": 3.0, "lefts": 1.5, "rights": 1.5, "on_stuff": 1.5}
_ORDER_WEIGHTS = {
    f"{what}_{side}": 0.6 for what in ("nearest", "farthest", "largest", "smallest") for side in ("left", "right")
}
_MISS_COLOURS = tuple(c for c in COLOUR_NAMES if c not in ("brown", "grey"))
_MANOEUVRES = {
    "next_to": regions.beside, "behind": regions.behind, "before": regions.behind, "in_front_of": regions.ahead_of,
    "follow": regions.following,
}  # fmt: skip


@dataclass(frozen=True)
class Expression:
    """A text and what it means in one picture.

    `kind` is "class", "stuff", "single", "order", "relation", "colour", "absent", "alien", "near_miss" or "region";
    `type` is "object" for noun phrases and "region" for commands to the vehicle (refused commands keep the kind of
    their refusal). `mask` bool[H,W] is the referent and `region` bool[H,W] where to go. Supervise like this:

    * positive False: the answer is absent; mask and region are None and mean "empty".
    * positive, type "object": mask is set; region is None and means "empty".
    * positive, type "region": region is set; mask is the object referred to, or None where the command names none
      ("pull over on the left"): then the mask is *undefined*, not empty.

    `class_name` is the class named ("" for none), `in_view` how many objects of it are in the picture.
    """

    text: str
    kind: str
    mask: Bool | None
    region: Bool | None
    _: KW_ONLY
    positive: bool
    type: str = "object"
    class_name: str = ""
    in_view: int = 0
    form: str = ""
    place: str = ""  # the form of the noun phrase, whatever carries it
    carrier: str = ""  # the manoeuvre that carries it, for commands


def generate(
    annotated: Annotated, rng: Rng, split: str = "train", count: int = 8, mix: Mapping[str, float] | None = None
) -> list[Expression]:
    """Generate up to `count` different expressions of a picture, kinds drawn by the weights of `mix` (left out: never).

    The same generator state gives the same expressions. `split` "train" or "val" chooses the wordings; training also
    hears relations to one of several ("behind the red car"), rare relations more often, and more typing slips.
    """
    weights = dict(mix or DEFAULT_MIX)
    out: list[Expression] = []
    seen: set[str] = set()
    for _ in range(4 * count):
        if len(out) >= count or not weights:
            break
        kinds = list(weights)
        chances = np.array([weights[k] for k in kinds])
        kind = kinds[int(rng.choice(len(kinds), p=chances / chances.sum()))]
        made = generate_one(annotated, rng, split, kind)
        if made is None:
            if kind != "region" or not view_of(annotated).possible:
                del weights[kind]
        elif made.text not in seen:
            seen.add(made.text)
            out.append(made)
    return out


def generate_one(annotated: Annotated, rng: Rng, split: str, kind: str) -> Expression | None:
    """Generate an expression of a kind; None where the picture offers none ("region": or this draw found none)."""
    facts = facts_of(annotated)
    command = rng.random() < COMMAND_SHARE
    if kind == "alien":
        text, form = alien_text(facts, rng, split, command)
        text = humanise(rng, text, split)
        expression = Expression(text, kind, None, None, positive=False, type="region" if form else "object")
        return replace(expression, form=form, carrier=form)
    if kind == "absent":
        return _absent(facts, rng, split, command)
    if kind == "region":
        return _command(facts, rng, split)
    meanings = meanings_of(facts, split).get(kind, ())
    if not meanings:
        return None
    meaning = _weighted(rng, meanings, split)
    np_text = realise(facts, meaning, rng, split)
    if not meaning.true:
        form = str(rng.choice(["next_to", "behind", "in_front_of"])) if command else "object"
        text = humanise(rng, sentence(rng, form, split, np_text, meaning.class_name), split)
        expression = Expression(
            text, kind, None, None, positive=False, type="region" if command else "object", carrier=form
        )
        return _about_class(expression, meaning, meaning.form)
    text = humanise(rng, sentence(rng, "object", split, np_text), split)
    expression = Expression(text, kind, mask_of(annotated, meaning), None, positive=True, carrier="object")
    return _about_class(expression, meaning, meaning.form)


def _about_class(expression: Expression, meaning: Meaning, form: str) -> Expression:
    return replace(expression, class_name=meaning.class_name, in_view=meaning.in_view, form=form, place=meaning.form)


def meanings_of(facts: Facts, split: str = "val") -> dict[str, tuple[Meaning, ...]]:
    """Return all meanings of a picture by kind, kept with its facts; "train" has relations to one of several."""
    key = f"_meanings_{split}"
    kept = facts.__dict__.get(key)
    if isinstance(kept, dict):
        return kept
    found: dict[str, list[Meaning]] = {}
    plain = plain_meanings(facts), order_meanings(facts), relation_meanings(facts), side_misses(facts)
    compound = (anchored_meanings(facts), sided_meanings(facts)) if split == "train" else ()
    for meaning in chain(*plain, colour_misses(facts, _MISS_COLOURS), *compound):
        found.setdefault(meaning.kind, []).append(meaning)
    made = {kind: tuple(items) for kind, items in found.items()}
    facts.__dict__[key] = made
    return made


def mask_of(annotated: Annotated, meaning: Meaning) -> Bool:
    """Return the pixels bool[H,W] that a true meaning means."""
    if meaning.whole:
        return annotated.class_mask(class_id(meaning.class_name))
    return annotated.object_mask(meaning.ids)


def realise(facts: Facts, meaning: Meaning, rng: Rng, split: str) -> str:
    """Return a noun phrase for a meaning."""
    info = class_by_name(meaning.class_name)
    narrow = is_narrow(info.name, facts.present)
    singular = noun(rng, info, False, narrow, meaning.colour)
    plural = noun(rng, info, True, narrow, meaning.colour)
    other = ""
    if meaning.other:
        about = class_by_name(meaning.other)
        word = noun(rng, about, False, is_narrow(about.name, facts.present), meaning.other_colour)
        other = f"the {word}"
        if meaning.other_form not in ("", "single"):
            other = phrase(rng, meaning.other_form, split, word, word)
    return phrase(rng, meaning.form, split, singular, plural, other)


def view_of(annotated: Annotated) -> regions.GroundView:
    """Return the ground view of a picture, kept with it."""
    view = annotated.__dict__.get("_view")
    if not isinstance(view, regions.GroundView):
        view = regions.GroundView(annotated)
        annotated.__dict__["_view"] = view
    return view


def _weighted(rng: Rng, meanings: tuple[Meaning, ...], split: str) -> Meaning:
    """Draw a meaning, by class first (road users more often), so that a picture of forty windows is not about windows.

    Training draws the form of relations and near-misses before the class, the rare ones more often.
    """
    if split == "train" and meanings[0].kind in ("relation", "near_miss"):
        table = _FORM_WEIGHTS if meanings[0].kind == "relation" else _MISS_WEIGHTS
        drawn = _drawn(rng, sorted({m.form for m in meanings}), table)
        meanings = tuple(m for m in meanings if m.form == drawn)
    names = sorted({m.class_name for m in meanings})
    weights = np.array([_CLASS_WEIGHTS.get(n, 1.0) for n in names])
    name = names[int(rng.choice(len(names), p=weights / weights.sum()))]
    own = [m for m in meanings if m.class_name == name]
    forms = sorted({m.form for m in own})
    form = forms[int(rng.integers(len(forms)))] if split != "train" else _drawn(rng, forms, _ORDER_WEIGHTS)
    fitting = [m for m in own if m.form == form]
    return fitting[int(rng.integers(len(fitting)))]


def _drawn(rng: Rng, forms: list[str], weights: Mapping[str, float]) -> str:
    """A form by weight; plural forms ("behinds") count as their singular, others as 1."""
    chances = np.array([weights.get(f, weights.get(f.removesuffix("s"), 1.0)) for f in forms])
    return forms[int(rng.choice(len(forms), p=chances / chances.sum()))]


def _absent(facts: Facts, rng: Rng, split: str, command: bool) -> Expression | None:
    names = absent_names(facts, rng)
    if not names:
        return None
    name = pick(rng, names)
    info = class_by_name(name)
    forms = ["single", "single", "all"] if info.nature != "stuff" else ["stuff"]
    if info.nature == "thing":
        forms += ["leftmost", "rightmost", "left", "right", "nearest", "largest", "lefts", "rights"]
    form = str(rng.choice(forms))
    colour = pick(rng, _MISS_COLOURS) if info.colourable and rng.random() < 0.2 else None
    narrow = is_narrow(name, facts.present | facts.annotated.unsure | facts.annotated.partial)
    np_text = phrase(rng, form, split, noun(rng, info, False, narrow, colour), noun(rng, info, True, narrow, colour))
    command = command and info.nature == "thing"
    carrier = str(rng.choice(["next_to", "next_to", "behind", "in_front_of", "follow"])) if command else "object"
    text = humanise(rng, sentence(rng, carrier, split, np_text, name), split)
    expression = Expression(text, "absent", None, None, positive=False, type="region" if command else "object")
    return replace(expression, class_name=name, form=form, place=form, carrier=carrier)


def _command(facts: Facts, rng: Rng, split: str) -> Expression | None:
    view = view_of(facts.annotated)
    if not view.possible:
        return None
    for _ in range(6):
        made = _plain_manoeuvre(facts, view, rng, split) if rng.random() < 0.25 else _about(facts, view, rng, split)
        if made is not None:
            return made
    return None


def _plain_manoeuvre(facts: Facts, view: regions.GroundView, rng: Rng, split: str) -> Expression | None:
    """A manoeuvre that names no object: here, at a kerb, round a corner, or into a bay that a renderer drew."""
    own = [k for k in ("park_bay",) if k in facts.annotated.manoeuvre_regions]
    forms = ["here", *("pull_over_left", "pull_over_right") * 2, "turn_left", "turn_right"]
    form = pick(rng, tuple(forms + own * 3))
    sign = 1 if form.endswith("left") else -1
    if form in facts.annotated.manoeuvre_regions:
        region: Bool | None = facts.annotated.manoeuvre_regions[form]
    elif form == "here":
        region = regions.here(view)
    else:
        region = regions.kerb_side(view, sign) if form.startswith("pull") else regions.side_road(view, sign)
    if region is None:
        return None
    text = humanise(rng, sentence(rng, form, split), split)
    return Expression(text, "region", None, region, positive=True, type="region", form=form, carrier=form)


def _about(facts: Facts, view: regions.GroundView, rng: Rng, split: str) -> Expression | None:
    """A manoeuvre about one object, named by any expression that means it alone."""
    by_id: dict[int, Object] = {o.id: o for o in facts.annotated.objects}
    known = meanings_of(facts, split)
    kinds = [k for k in ("single", "order", "order", "colour", "relation") if k in known]
    if not kinds:
        return None
    meaning = _weighted(rng, known[str(rng.choice(kinds))], split)
    if len(meaning.ids) != 1 or meaning.form.endswith("s") or not facts.large(by_id[meaning.ids[0]]):
        return None
    item = by_id[meaning.ids[0]]
    info = CLASSES[item.class_id]
    if not info.on_ground and info.name not in ("sign", "door", "traffic light", "stop sign", "fire hydrant"):
        return None
    form = pick(rng, _manoeuvres_about(item, info))
    region = _MANOEUVRES[form](view, item)
    if region is None:
        return None
    text = humanise(rng, sentence(rng, form, split, realise(facts, meaning, rng, split), info.name), split)
    mask = facts.annotated.object_mask(meaning.ids)
    expression = Expression(text, "region", mask, region, positive=True, type="region", carrier=form)
    return _about_class(expression, meaning, form)


def _manoeuvres_about(item: Object, info: ClassInfo) -> tuple[str, ...]:
    """Return manoeuvres about an object; a vehicle seen from its side has no clear behind and in front."""
    forms = ["next_to", "next_to", "next_to", "before"]
    if not info.on_ground:
        return (*forms, "in_front_of")
    if info.followable and item.box[2] - item.box[0] > 1.7 * (item.box[3] - item.box[1]):
        return tuple(forms)
    return (*forms, "behind", "behind", "in_front_of", *("follow",) * (2 * info.followable))
