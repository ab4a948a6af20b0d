# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""COCO panoptic: every pixel of an image belongs to a segment of a class; expressions are generated.

`panoptic_SPLIT2017.json` is `{"annotations": [{file_name: "NAME.png", image_id, segments_info: [{id, category_id,
iscrowd, ...}]}], "categories": [{id, name}]}`; in a PNG, R + 256 G + 65536 B is the segment's id. Copies with one
channel, whose value is a segment's `png_value`, are read too.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ris_node.data.annotated import Annotated, make_objects
from ris_node.data.classes import CLASSES, class_id
from ris_node.data.formats.annotate import connected_parts
from ris_node.data.formats.request import PictureSet, Request
from ris_node.data.heldout import kept_out, of_split
from ris_node.data.masks.pixels import read_ids, read_labels
from ris_node.data.pictures import read_rgb
from ris_node.data.plain import load_json
from ris_node.data.registry import facts_of
from ris_node.errors import DataError
from ris_node.types import U8

# Values of a picture's label image: segments are numbered from 1 in it, 0 is none.
_MOST_SEGMENTS = 255
# The classes of COCO's categories that have another name here.
_COCO_NAMES = {
    "window-blind": "window", "window-other": "window", "door-stuff": "door", "floor-wood": "floor",
    "floor-other-merged": "floor", "wall-brick": "wall", "wall-stone": "wall", "wall-tile": "wall",
    "wall-wood": "wall", "wall-other-merged": "wall", "water-other": "water", "river": "water", "sea": "water",
    "house": "building", "building-other-merged": "building", "roof": "building", "sky-other-merged": "sky",
    "table-merged": "table", "dining table": "table", "sports ball": "ball", "playingfield": "playing field",
    "railroad": "railway", "mirror-stuff": "mirror",
}  # fmt: skip


def inputs(request: Request) -> tuple[Path, ...]:
    """Return the file of segments.

    Raises:
        DataError: when it or the images are missing, saying what to download.
    """
    part = _part(request)
    request.need(part, f"images/{part}")
    return (request.need(f"panoptic_{part}.json", f"annotations/panoptic_{part}.json"),)


def annotated(request: Request) -> PictureSet:
    """Return the pictures of the split, in the order of their annotations.

    Raises:
        DataError: when the file is not of this form.
    """
    (path,) = inputs(request)
    images = request.need(_part(request), f"images/{_part(request)}")
    content = load_json(path)
    try:
        categories = {int(c["id"]): str(c["name"]) for c in content["categories"]}
        items = {Path(str(item["file_name"])).stem: item for item in content["annotations"]}
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(f"{path} is not a COCO panoptic file: {error!r}; download it again") from error
    if kept_out(request.format.name):
        chosen = of_split(request.format.name, request.split, items)
        items = {stem: item for stem, item in items.items() if stem in chosen}
    files = [images / f"{stem}.jpg" for stem in items]

    def read(index: int) -> Annotated:
        try:
            item = items[files[index].stem]
            labels, segments = _segments(request, item, categories, images, path.parent)
        except (KeyError, TypeError) as error:
            raise DataError(f"{files[index].stem}: {error!r} in its annotation") from error
        pixels, name = read_rgb(files[index], labels.shape[1::-1]), request.picture_name(files[index])
        return annotate_panoptic(pixels, labels, segments, name, request.format.name)

    return PictureSet(request.format, tuple(items), tuple(request.below(file) for file in files), read)


def _part(request: Request) -> str:
    return "train2017" if request.split != "val" or request.format.options.get("values") else "val2017"


def _segments(
    request: Request, item: dict[str, Any], names: dict[int, str], images: Path, annotations: Path
) -> tuple[U8, dict[int, tuple[str, bool]]]:
    """The map u8[H,W] of segments (by their values, or numbered from 1), and each one's category and crowdedness."""
    file = str(item["file_name"])
    key = request.format.options.get("values", "id")
    if key != "id":
        stored = read_labels(images / file)
    else:
        folder = f"panoptic_{_part(request)}"
        place = next((p for p in (annotations / folder, request.root / folder) if p.is_dir()), annotations / folder)
        stored = read_ids(place / file)
    infos = item["segments_info"]
    if len(infos) > _MOST_SEGMENTS:
        raise DataError(f"{file} has {len(infos)} segments; {_MOST_SEGMENTS} can be told apart")
    labels = np.zeros(stored.shape, np.uint8)
    about: dict[int, tuple[str, bool]] = {}
    for number, info in enumerate(infos, 1):
        where = stored == info[key]
        if not where.any():
            raise DataError(f"{file} has no pixel of its segment {info[key]}")
        value = number if key == "id" else int(info[key])
        labels[where] = value
        about[value] = (names[info["category_id"]], bool(info.get("iscrowd", 0)))
    return labels, about


def annotate_panoptic(
    image: U8, labels: U8, segments: dict[int, tuple[str, bool]], name: str, source: str
) -> Annotated:
    """Return a picture of COCO panoptic as `Annotated`; `labels` u8[H,W] are `segments`: (category, crowd) by value.

    Raises:
        DataError: when a category has no class here, or the labels are of another size.
    """
    table = np.zeros(256, np.uint8)
    instance = np.zeros(256, np.uint16)
    crowds: set[int] = set()
    known = {c.name for c in CLASSES}
    merged: set[int] = set()
    for value, (category, crowd) in segments.items():
        label = _COCO_NAMES.get(category, category.removesuffix("-merged").removesuffix("-other"))
        if label not in known:
            raise DataError(f"{name}: COCO category {category!r} has no class; add it to ris_node/data/classes.py")
        table[value] = class_id(label)
        if category.endswith(("-merged", "-other", "-stuff", "-blind")) or CLASSES[class_id(label)].nature != "thing":
            merged.add(class_id(label))
        else:
            instance[value] = value
            if crowd:
                crowds.add(value)
    classes, instances = table[labels], instance[labels]
    parts, more = connected_parts(classes, sorted(merged), first=256)
    instances = np.where(instances > 0, instances, parts).astype(np.uint16)
    crowds |= set(more)
    objects = make_objects(instances, classes, frozenset(crowds))
    return Annotated(
        image, classes, instances, objects, source=source, name=name, unsure=facts_of(source).unsure or frozenset()
    )
