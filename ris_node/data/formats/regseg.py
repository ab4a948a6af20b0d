# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Talk2Car-RegSeg: Talk2Car's commands with the ground where the car is to go.

(Unverified against masks and the files of train and val.) `{SPLIT: {"0": {command, img}, ...}}`, or the inner object
alone; the mask of item 7 of split val is a file `gt_img_ann_val_7.png`, set where it is not zero. Where the object that
was meant has a box, it is `referred_object` [x, y, w, h] in 1600 x 900; its pixels are not annotated.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ris_node.data.formats.request import Line, Request, watched
from ris_node.data.plain import load_json
from ris_node.data.samples.jsonl import Problem
from ris_node.errors import DataError

_IMAGES = ("imgs", "images", "new_images")
_MASKS = ("val_masks_new", "mask_image_bin", "new_masks", "masks", "refined_annotations")


def inputs(request: Request) -> tuple[Path, ...]:
    """Return the file of commands, and the folder of masks.

    Raises:
        DataError: when something is missing, saying what to download.
    """
    request.need(*_IMAGES)
    found = request.need(f"talk2car_{request.split}.json", "talk2car_w_rpn_no_duplicates.json")
    return found, _mask_folder(request)


def samples(request: Request) -> Iterator[Line | Problem]:
    """Yield a line for each command with a mask, or a problem for each that cannot be used.

    Raises:
        DataError: when the file is not of this form.
    """
    path, masks = inputs(request)
    content = load_json(path)
    items = content.get(request.split, content) if isinstance(content, dict) else None
    if not isinstance(items, dict):
        raise DataError(f"{path} is not {{'{request.split}': {{'0': {{'command', 'img'}}, ...}}}}; download it again")
    images = request.below(request.need(*_IMAGES))
    for name, item in watched(items.items(), f"indexing {request.format.name}", len(items)):
        try:
            yield _line(request, name, item, images, masks)
        except (DataError, KeyError, TypeError, AttributeError) as error:
            reason = str(error) if isinstance(error, DataError) else repr(error)
            yield Problem(f"{path.name}, item {name}", reason)


def _line(request: Request, name: str, item: dict[str, Any], images: str, masks: Path) -> Line:
    mask = masks / f"gt_img_ann_{request.split}_{name}.png"
    if not mask.is_file():
        raise DataError(f"there is no mask {mask.name}")
    line: Line = {
        "id": f"{request.split}/{name}",
        "image": f"{images}/{item['img']}",
        "expression": item["command"],
        "region": request.below(mask),
        "type": "region",
    }
    return line | ({"box": item["referred_object"]} if item.get("referred_object") else {})


def _mask_folder(request: Request) -> Path:
    """The first folder, of those known and then of any, that has masks of the split."""
    pattern = f"gt_img_ann_{request.split}_*.png"
    others = sorted(path.name for path in request.root.iterdir() if path.is_dir())
    for name in (*_MASKS, *others):
        if next((request.root / name).glob(pattern), None) is not None:
            return request.root / name
    raise request.format.absent(request.root / _MASKS[0] / pattern, request.root)
