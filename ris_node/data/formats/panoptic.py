# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""COCO panoptic: every pixel of an image belongs to a segment of a class; expressions are generated.

`panoptic_SPLIT2017.json` is `{"annotations": [{file_name: "NAME.png", image_id, segments_info: [{id, category_id,
iscrowd, ...}]}], "categories": [{id, name}]}`; in a PNG, R + 256 G + 65536 B is the segment's id. Copies with one
channel, whose value is a segment's `png_value`, are read too.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from ris_node.data.annotated import Annotated
from ris_node.data.formats.generated import lines_of
from ris_node.data.formats.index import Line, Request, watched
from ris_node.data.masks.pixels import read_ids, read_labels
from ris_node.data.pictures import read_rgb
from ris_node.data.plain import load_json
from ris_node.data.readers import annotate_panoptic, split_names
from ris_node.data.sampleset import Problem
from ris_node.errors import DataError
from ris_node.types import U8

# Values of a picture's label image: segments are numbered from 1 in it, 0 is none.
_MOST_SEGMENTS = 255


def inputs(request: Request) -> tuple[Path, ...]:
    """The file of segments.

    Raises:
        DataError: when it or the images are missing, saying what to download.
    """
    part = _part(request)
    request.need(part, f"images/{part}")
    return (request.need(f"panoptic_{part}.json", f"annotations/panoptic_{part}.json"),)


def read(request: Request) -> Iterator[Line | Problem]:
    """The lines of every picture of the split.

    Raises:
        DataError: when the file is not of this form.
    """
    yield from lines_of(_pictures(request), request.split)


def _part(request: Request) -> str:
    return "train2017" if request.split != "val" or request.format.options.get("values") else "val2017"


def _pictures(request: Request) -> Iterator[tuple[str, Annotated | DataError]]:
    (path,) = inputs(request)
    content = load_json(path)
    part = _part(request)
    images = request.need(part, f"images/{part}")
    try:
        names = {int(c["id"]): str(c["name"]) for c in content["categories"]}
        items = list(content["annotations"])
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(f"{path} is not a COCO panoptic file: {error!r}; download it again") from error
    for item in watched(_chosen(request, items), f"indexing {request.format.name}"):
        stem = Path(str(item.get("file_name"))).stem
        image = images / f"{stem}.jpg"
        try:
            labels, segments = _segments(request, item, names, images, path.parent)
            name = f"{request.format.name}/{stem}"
            pixels = read_rgb(image, labels.shape[1::-1])
            yield request.below(image), annotate_panoptic(pixels, labels, segments, name, request.format.name)
        except (DataError, KeyError, TypeError) as error:
            said = error if isinstance(error, DataError) else DataError(f"{stem}: {error!r} in its annotation")
            yield request.below(image), said


def _chosen(request: Request, items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The annotations of the split: of coco100, the project's own list of what is kept out."""
    if request.format.name != "coco100" or request.split == "all":
        return items
    kept_out = set(split_names("coco100"))
    return [a for a in items if (Path(str(a.get("file_name"))).stem in kept_out) == (request.split == "val")]


def _segments(
    request: Request, item: dict[str, Any], names: dict[int, str], images: Path, annotations: Path
) -> tuple[U8, dict[int, tuple[str, bool]]]:
    """Segments numbered from 1: their map u8[H,W], and the category and crowdedness of each."""
    file = str(item["file_name"])
    if request.format.options.get("values"):
        stored, key = read_labels(images / file), "png_value"
    else:
        folder = f"panoptic_{_part(request)}"
        place = next((p for p in (annotations / folder, request.root / folder) if p.is_dir()), annotations / folder)
        stored, key = read_ids(place / file), "id"
    infos = item["segments_info"]
    if len(infos) > _MOST_SEGMENTS:
        raise DataError(f"{file} has {len(infos)} segments; {_MOST_SEGMENTS} can be told apart")
    labels = np.zeros(stored.shape, np.uint8)
    about: dict[int, tuple[str, bool]] = {}
    for number, info in enumerate(infos, 1):
        where = stored == info[key]
        if not where.any():
            raise DataError(f"{file} has no pixel of its segment {info[key]}")
        labels[where] = number
        about[number] = (names[info["category_id"]], bool(info.get("iscrowd", 0)))
    return labels, about
