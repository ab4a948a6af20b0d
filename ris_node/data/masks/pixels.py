# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Pixels of masks: from image files, run lengths, polygons and COCO's annotations."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from ris_node.data.masks.coco import outline
from ris_node.data.masks.spec import MaskSpec, check_mask
from ris_node.data.pictures import stamp
from ris_node.errors import DataError
from ris_node.media.images import is_cut_off
from ris_node.rle import decode_rle
from ris_node.types import I32, Bool

PYCOCOTOOLS_HINT = "pip install pycocotools (or ris_node's extra 'data': pip install 'ris_node[data]')"


def read_mask(spec: MaskSpec, root: Path, height: int, width: int) -> Bool:
    """Read the pixels bool[H,W] of a mask; paths are below `root`, and `height` and `width` are the image's.

    Raises:
        DataError: when its size is not the image's, a file is missing or not an image, or pycocotools is needed and
            not installed.
    """
    check_mask(spec)
    if isinstance(spec, str):
        mask = read_binary(root / spec)
    elif isinstance(spec, list):
        mask = _from_polygons(spec, height, width) if isinstance(spec[0], list) else decode_rle(spec, height, width)
    elif "any" in spec:
        mask = np.zeros((height, width), np.bool_)
        for part in spec["any"]:
            mask |= read_mask(part, root, height, width)
    elif "coco" in spec:
        parts, size = outline(spec, root)
        if size != (height, width):
            raise DataError(
                f"{root / spec['coco']} is for an image of {size[1]} x {size[0]} pixels, not {width} x {height}"
            )
        mask = read_mask(parts, root, height, width)
    elif "png" in spec:
        wanted = spec["id"] if "id" in spec else spec["value"]
        labels = read_ids(root / spec["png"]) if "id" in spec else read_labels(root / spec["png"])
        mask = np.asarray(labels == wanted, np.bool_)
    else:
        mask = _from_coco(spec)
    if mask.shape != (height, width):
        raise DataError(
            f"the mask is {mask.shape[1]} x {mask.shape[0]} and its image {width} x {height} pixels; they must agree"
        )
    return mask


def mask_size(spec: MaskSpec, root: Path) -> tuple[int, int] | None:
    """Return the (width, height) that a mask is for, of whatever image; None where it does not say.

    Raises:
        DataError: its file is missing or cannot be read.
    """
    if isinstance(spec, list):
        return None
    if isinstance(spec, dict) and "any" in spec:
        return next(filter(None, (mask_size(part, root) for part in spec["any"])), None)
    if isinstance(spec, dict) and "coco" in spec:
        height, width = outline(spec, root)[1]
    elif isinstance(spec, dict) and "size" in spec:
        height, width = spec["size"]
    else:
        height, width = _imread(root / (spec["png"] if isinstance(spec, dict) else spec)).shape[:2]
    return width, height


def read_binary(path: Path) -> Bool:
    """Read a mask bool[H,W] from an image: set where any channel (but alpha) is not zero.

    Raises:
        DataError: when the file is missing, or shows more than two colours and so is no mask.
    """
    stored = _imread(path)
    if stored.ndim == 2:
        return np.asarray(stored != 0, np.bool_)
    mask = np.asarray((stored[..., :3] != 0).any(-1), np.bool_)
    inside = stored[mask]
    if inside.size and not (inside == inside[0]).all():
        raise DataError(f"{path} has several colours: it is no mask; write one channel, 0 outside and 255 inside")
    return mask


def read_labels(path: Path) -> np.ndarray[Any, Any]:
    """Read an index mask as integers [H,W]; of an image with several equal channels, one of them.

    Raises:
        DataError: when the file is missing, no image, or a colour image, whose colours mean nothing here.
    """
    stored = _imread(path)
    if stored.ndim == 2:
        return stored
    colour = stored[..., :3]
    if not (np.array_equal(colour[..., 0], colour[..., 1]) and np.array_equal(colour[..., 0], colour[..., 2])):
        raise DataError(
            f"{path} is a colour image where a mask or index image (one channel) is expected; "
            "for panoptic ids write {'png': path, 'id': number}"
        )
    return colour[..., 0]


def read_ids(path: Path) -> I32:
    """Read the segment ids i32[H,W] of a COCO panoptic PNG, R + 256 G + 65536 B; the last two files are kept.

    Raises:
        DataError: when the file is missing or not a colour image.
    """
    return _read_ids(path, stamp(path))


@lru_cache(maxsize=2)
def _read_ids(path: Path, version: tuple[int, int]) -> I32:  # noqa: ARG001
    stored = _imread(path)
    if stored.ndim != 3:
        raise DataError(f"{path} has one channel; a panoptic PNG has three, whose R + 256 G + 65536 B is the segment")
    blue, green, red = (stored[..., i].astype(np.int32) for i in range(3))
    ids = np.asarray(red + 256 * green + 65536 * blue, np.int32)
    ids.setflags(write=False)
    return ids


def _imread(path: Path) -> np.ndarray[Any, Any]:
    try:
        data = np.frombuffer(path.read_bytes(), np.uint8)
        stored = cv2.imdecode(data, cv2.IMREAD_UNCHANGED) if data.size else None
    except (OSError, ValueError, cv2.error) as error:
        raise DataError(f"cannot read the mask {path}: {getattr(error, 'strerror', None) or error}") from error
    if stored is None or is_cut_off(data):
        raise DataError(f"cannot read the mask {path}: it is not an image, or damaged; write masks as PNG")
    if stored.dtype.kind not in "iu":
        raise DataError(f"the mask {path} holds {stored.dtype} values; write masks as PNG of 8 or 16 bit")
    return np.asarray(stored)


def _from_coco(spec: dict[str, Any]) -> Bool:
    height, width = spec["size"]
    counts = spec["counts"]
    if isinstance(counts, list):
        return np.ascontiguousarray(decode_rle(counts, width, height).T)
    tools = _pycocotools("packed COCO run lengths")
    try:
        packed = tools.decode({"size": [height, width], "counts": counts.encode("ascii")})
    except (ValueError, TypeError) as error:
        raise DataError(f"packed COCO run lengths that pycocotools cannot read: {error}") from error
    return np.asarray(packed, np.bool_)


def _from_polygons(polygons: list[list[float]], height: int, width: int) -> Bool:
    tools = _pycocotools("polygons")
    drawn = tools.decode(tools.merge(tools.frPyObjects(polygons, height, width)))
    return np.asarray(drawn != 0, np.bool_)


def _pycocotools(what: str) -> Any:
    try:
        from pycocotools import mask as tools
    except ImportError as error:
        raise DataError(f"{what} are read by pycocotools, which is not installed: {PYCOCOTOOLS_HINT}") from error
    return tools
