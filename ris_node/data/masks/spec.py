# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Masks as JSON writes them: their forms, without a pixel read.

A mask is one of: a path of an image file (set where it is not zero) | `{"png": path, "value": v}` (where an index mask
is v) | `{"png": path, "id": i}` (where R + 256 G + 65536 B of a panoptic PNG is i) | `{"coco": path, "id": i}` with
one id or several (annotations of a COCO `instances.json`) | run lengths, row by row from zeros, `[n0, n1, ...]`
(`ris_node.rle`) | COCO run lengths `{"size": [H, W], "counts": [...] or "..."}`, column by column | polygons
`[[x0, y0, x1, y1, ...], ...]` in pixels | `{"any": [mask, ...]}`, their union. Polygons and packed counts are read by
pycocotools, the reference for what their pixels are.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ris_node.errors import DataError
from ris_node.rle import encode_rle
from ris_node.types import Bool

# What json.loads makes of a mask.
MaskSpec = Any


def check_mask(spec: MaskSpec) -> None:
    """Check the form of a mask without reading its file or drawing it.

    Raises:
        DataError: naming what is wrong with it.
    """
    if isinstance(spec, str):
        if not spec.strip():
            raise DataError("a mask's path is empty; write null where there is no mask")
    elif isinstance(spec, list):
        _check_list(spec)
    elif isinstance(spec, dict):
        _check_dict(spec)
    else:
        raise DataError(f"a mask is a path, a list or an object, not {spec!r}")


def mask_files(spec: MaskSpec) -> tuple[str, ...]:
    """Return the image files that a mask is read from, as written in it."""
    if isinstance(spec, str):
        return (spec,)
    if isinstance(spec, dict):
        if "png" in spec or "coco" in spec:
            return (str(spec.get("png", spec.get("coco"))),)
        return tuple(name for part in spec.get("any", ()) for name in mask_files(part))
    return ()


def known_empty(spec: MaskSpec) -> bool:
    """Return whether a mask has no pixel, as far as its text says (files and packed counts are not opened)."""
    if isinstance(spec, list):
        return not isinstance(spec[0], list) and not any(spec[1::2])
    if isinstance(spec, dict):
        if "any" in spec:
            return all(known_empty(part) for part in spec["any"])
        return isinstance(spec.get("counts"), list) and not any(spec["counts"][1::2])
    return False


def annotations_in(spec: MaskSpec) -> list[dict[str, Any]]:
    """Return the masks of this form among the parts of a mask of any form."""
    if not isinstance(spec, dict):
        return []
    return [spec] if "coco" in spec else [found for part in spec.get("any", ()) for found in annotations_in(part)]


def coco_ids(spec: dict[str, Any]) -> list[int]:
    """Return the annotations that `{"coco": path, "id": ...}` names; none where one is no whole number."""
    given = spec.get("id")
    ids: list[Any] = given if isinstance(given, list) else [given]
    return [] if any(isinstance(n, bool) or not isinstance(n, int) for n in ids) else ids


def coco_rle(mask: Bool) -> dict[str, Any]:
    """Return a mask bool[H,W] as COCO's unpacked run lengths, column by column from zeros."""
    return {"size": [int(n) for n in mask.shape], "counts": encode_rle(np.asarray(mask).T)}


def _check_coco(spec: dict[str, Any]) -> None:
    if not isinstance(spec["coco"], str) or not spec["coco"].strip() or not coco_ids(spec):
        raise DataError(f"a mask of COCO's JSON is {{'coco': path, 'id': number or [numbers]}}, not {spec!r}")


def _check_list(spec: list[Any]) -> None:
    if not spec:
        raise DataError("a mask is an empty list; write null where there is no mask")
    if all(isinstance(part, list) for part in spec):
        for part in spec:
            if len(part) < 6 or len(part) % 2 or not all(_is_number(v) for v in part):
                raise DataError(f"a polygon is [x0, y0, x1, y1, ...] of three points or more, not {part[:8]!r}")
    elif not all(isinstance(v, int) and not isinstance(v, bool) and v >= 0 for v in spec):
        raise DataError(f"run lengths are whole numbers >= 0 (polygons: a list of lists), not {spec[:8]!r}")


def _check_dict(spec: dict[str, Any]) -> None:
    if "any" in spec:
        if not isinstance(spec["any"], list) or not spec["any"]:
            raise DataError("'any' of a mask is a list of masks")
        for part in spec["any"]:
            check_mask(part)
    elif "coco" in spec:
        _check_coco(spec)
    elif "png" in spec:
        which = [key for key in ("id", "value") if key in spec]
        if len(which) != 1 or not isinstance(spec["png"], str) or not isinstance(spec[which[0]], int):
            raise DataError(f"a mask in a file is {{'png': path, 'id' or 'value': number}}, not {spec!r}")
    else:
        size, counts = spec.get("size"), spec.get("counts")
        if not (isinstance(size, list) and len(size) == 2 and all(isinstance(n, int) and n > 0 for n in size)):
            raise DataError(f"COCO run lengths need 'size': [height, width], got {size!r}")
        if isinstance(counts, list):
            _check_list(counts)
        elif not isinstance(counts, str) or not counts.isascii():
            raise DataError("COCO run lengths need 'counts', a list of numbers or the packed ASCII string")


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < 1e7
