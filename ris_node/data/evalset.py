# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""The fixed evaluation set: kept-out pictures, validation wordings, one seed, as a JSONL manifest.

Driving is `camvid/val` and 84 kept-out streets, everyday is 20 kept-out COCO pictures; the first project goals were
measured on `camvid/val` and the first 60 of the streets (suite "first").

A line is that of `ris predict --manifest` (`id`, `image`, `text`, `type`) with the truth beside it: `kind`, `set`,
`present`, `mask` and `region` as run lengths (null: none), `size` [width, height], `class`, `in_view` and `group` (the
object or picture whose true and false sentences belong together; here the picture). Of these, `id`, `image`, `text`,
`present`, `size` and the truth are needed; the rest has defaults. At most a fifth of the items are stuff, and at least
half of the present ones have two or more of their class in view: `build` checks both. The texts are of the held-out
third of the wordings; nouns, colours and determiners are shared with training.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from ris_node.data.annotated import Annotated
from ris_node.data.classes import CLASSES, class_by_name, class_id
from ris_node.data.formats.index import open_pictures
from ris_node.data.heldout import kept_out
from ris_node.data.registry import DRIVING, EVERYDAY, FIRST
from ris_node.data.text.expressions import Expression, generate_one
from ris_node.errors import DataError
from ris_node.rle import decode_rle, encode_rle
from ris_node.types import Bool

SEED = 20261122
CLASS_NAMES = frozenset(c.name for c in CLASSES)
SETS = (*DRIVING, *EVERYDAY)
# A suite is sets and, for some of them, how many of the names in `splits/*.txt` it takes (the first ones).
SUITES: Mapping[str, tuple[tuple[str, ...], Mapping[str, int]]] = {
    "full": (SETS, {}),
    "first": (DRIVING, FIRST),
}
# Expressions asked of each picture, by kind; a picture gives fewer where it offers fewer.
QUOTA: Mapping[str, int] = {
    "order": 4, "relation": 2, "class": 2, "single": 2, "colour": 1, "stuff": 1, "absent": 2, "alien": 1,
    "near_miss": 2, "region": 3,
}  # fmt: skip
_MOST_STUFF, _LEAST_SEVERAL = 0.2, 0.5


@dataclass(frozen=True, kw_only=True)
class EvalItem:
    """One line of the manifest; `mask` and `region` are run lengths of the image's size, None where there is none.

    `road_point` (x, y) of commands is the middle of the labelled road: the point to beat in *pointing*.
    """

    id: str
    image: str
    text: str
    type: str
    kind: str
    set: str
    present: bool
    width: int
    height: int
    mask: tuple[int, ...] | None = None
    region: tuple[int, ...] | None = None
    class_name: str = ""
    in_view: int = 0
    form: str = ""
    group: str = ""
    road_point: tuple[int, int] | None = None

    def mask_truth(self) -> Bool | None:
        """Return the referent bool[H,W], or None where the item defines none."""
        return None if self.mask is None else decode_rle(self.mask, self.height, self.width)

    def region_truth(self) -> Bool | None:
        """Return the region bool[H,W], or None."""
        return None if self.region is None else decode_rle(self.region, self.height, self.width)


def build(root: Path | None = None, suite: str = "full", seed: int = SEED) -> list[EvalItem]:
    """Generate an evaluation set (see `SUITES`); the same data and seed give the same items, in the same order.

    Raises:
        DataError: when the data is not there, the suite is unknown, or the set misses its own conditions.
    """
    if suite not in SUITES:
        raise DataError(f"no evaluation suite {suite!r}; there are {', '.join(SUITES)}")
    items: list[EvalItem] = []
    sets, first = SUITES[suite]
    for name in sets:
        pictures = open_pictures(name, root)
        taken = set(kept_out(pictures.format.name)[: first[name]] if name in first else pictures.names)
        for index, stem in enumerate(pictures.names):
            if stem not in taken:
                continue
            digest = hashlib.sha256(f"{seed}/{name}/{stem}".encode()).digest()
            rng = np.random.default_rng(int.from_bytes(digest[:8], "little"))
            items += _items_of(pictures[index], pictures.path_of(index), name, rng)
    check(items)
    return items


def check(items: Sequence[EvalItem]) -> None:
    """Check the composition that the quality goals are defined on.

    Raises:
        DataError: when there is too much stuff, or too few items have several of their class in view.
    """
    named = [i for i in items if i.present and i.type == "object"]
    if not named:
        raise DataError("the evaluation set has no present targets; check the data folder")
    stuff = sum(is_stuff(i) for i in named) / len(named)
    several = sum(i.in_view >= 2 for i in named) / len(named)
    if stuff > _MOST_STUFF or several < _LEAST_SEVERAL:
        raise DataError(
            f"{stuff:.0%} of present items are stuff (at most {_MOST_STUFF:.0%}) and {several:.0%} have two or more of "
            f"the class in view (at least {_LEAST_SEVERAL:.0%}); change QUOTA"
        )


def is_stuff(item: EvalItem) -> bool:
    """Return whether an item is about something uncountable: road, sky, buildings, trees."""
    known = item.class_name in CLASS_NAMES
    return class_by_name(item.class_name).nature != "thing" if known else item.kind == "stuff"


def write_manifest(path: Path, items: Iterable[EvalItem]) -> None:
    """Write items as JSON lines."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8") as file:
        for item in items:
            file.write(json.dumps(_to_line(item), separators=(",", ":")) + "\n")


def read_manifest(path: Path) -> list[EvalItem]:
    """Read what `write_manifest` wrote.

    Raises:
        DataError: naming the first line that cannot be used.
    """
    items = []
    with path.open(encoding="utf-8-sig") as file:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            try:
                items.append(_from_line(json.loads(line)))
            except (ValueError, KeyError, TypeError) as error:
                raise DataError(f"{path}, line {number}: {error!r}; make it again with `write_manifest`") from error
    return items


def listening_pairs(items: Sequence[EvalItem], most_overlap: float = 0.1) -> Iterator[tuple[EvalItem, EvalItem]]:
    """Yield pairs of true object expressions of one picture whose true masks overlap less than `most_overlap` IoU."""
    groups: dict[str, list[tuple[EvalItem, Bool]]] = {}
    for item in items:
        truth = item.mask_truth()
        if item.present and item.type == "object" and truth is not None:
            groups.setdefault(item.image, []).append((item, truth))
    for members in groups.values():
        for i, (first, a) in enumerate(members):
            for second, b in members[i + 1 :]:
                union = int(np.count_nonzero(a | b))
                if np.count_nonzero(a & b) < most_overlap * union:
                    yield first, second


def _items_of(picture: Annotated, image: str, name: str, rng: np.random.Generator) -> list[EvalItem]:
    out: list[EvalItem] = []
    seen: set[tuple[str, ...]] = set()
    for kind, wanted in QUOTA.items():
        made = 0
        for _ in range(4 * wanted):
            expression = generate_one(picture, rng, "val", kind) if made < wanted else None
            if expression is None:
                continue
            key = (kind, expression.form, expression.class_name, _mask_key(expression))
            if key not in seen:
                seen.add(key)
                out.append(_item(expression, picture, image, name, len(out)))
                made += 1
    return out


def _mask_key(expression: Expression) -> str:
    """Return what tells two expressions of a picture apart: the pixels meant, or the text where none are."""
    if expression.mask is None:
        return expression.text if expression.region is None else str(int(expression.region.sum()))
    return hashlib.sha256(np.packbits(expression.mask).tobytes()).hexdigest()


def _item(expression: Expression, picture: Annotated, image: str, name: str, number: int) -> EvalItem:
    return EvalItem(
        id=f"{picture.name}/{number:02d}",
        image=image,
        text=expression.text,
        type=expression.type,
        kind=expression.kind,
        set=name,
        present=expression.positive,
        width=picture.width,
        height=picture.height,
        mask=None if expression.mask is None else tuple(encode_rle(expression.mask)),
        region=None if expression.region is None else tuple(encode_rle(expression.region)),
        class_name=expression.class_name,
        in_view=expression.in_view,
        form=expression.form,
        group=image,
        road_point=_road_point(picture) if expression.region is not None else None,
    )


def _road_point(picture: Annotated) -> tuple[int, int] | None:
    """The pixel of the labelled road that is farthest from its border."""
    road = picture.class_mask(class_id("road")).astype(np.uint8)
    if not road.any():
        return None
    depth = cv2.distanceTransform(np.pad(road, 1), cv2.DIST_L2, 3)[1:-1, 1:-1]
    y, x = divmod(int(depth.argmax()), picture.width)
    return x, y


def _to_line(item: EvalItem) -> dict[str, Any]:
    line = asdict(item)
    line["size"] = [line.pop("width"), line.pop("height")]
    line["class"] = line.pop("class_name")
    return line


def _from_line(line: dict[str, Any]) -> EvalItem:
    width, height = line.pop("size")
    image = str(line["image"])
    known = {f.name for f in fields(EvalItem)}
    runs = {key: None if line.get(key) is None else tuple(line[key]) for key in ("mask", "region")}
    present = line["present"]
    if not isinstance(present, bool) or present != any(r is not None for r in runs.values()):
        raise ValueError(f"'present' is {present!r}: give true with a mask or a region, and false with neither")
    point = line.get("road_point")
    values = {"type": "object", "kind": "any", "set": "all", "group": image, **line, **runs}
    values |= {"id": str(line["id"]), "class_name": values.pop("class", ""), "width": int(width), "height": int(height)}
    values["road_point"] = None if point is None else tuple(point)
    return EvalItem(**{k: v for k, v in values.items() if k in known})
