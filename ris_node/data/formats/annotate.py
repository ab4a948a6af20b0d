# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Class maps as `Annotated` pictures: objects as connected parts, and a guessed camera.

Where a set has class maps only, its objects are connected parts after a small closing, so two cars that touch in the
picture are one object, marked as a crowd where its shape says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from ris_node.data.annotated import NOISE_FRACTION, Annotated, make_objects
from ris_node.data.classes import CLASSES, VOID, class_id
from ris_node.data.heldout import partly_labelled
from ris_node.data.registry import facts_of
from ris_node.errors import DataError
from ris_node.geometry.camera import Camera
from ris_node.geometry.transform import Transform, camera_mount
from ris_node.types import U8, U16, Bool


def annotate_classes(image: U8, labels: U8, names: Sequence[str], source: str, name: str) -> Annotated:
    """Return a picture with an index mask u8[H,W] as `Annotated`; `names` are the project's classes of its indexes.

    Raises:
        DataError: when an index has no class, or the mask is of another size.
    """
    if int(labels.max(initial=0)) >= len(names):
        raise DataError(f"{name}: label {int(labels.max())} is not one of the {len(names)} labels of {source}")
    table = np.array([class_id(n) for n in names], np.uint8)
    classes = table[labels]
    instances, crowds = connected_parts(classes)
    camera, mount = guess_camera(classes, source)
    facts = facts_of(source)
    unsure = frozenset(c.name for c in CLASSES) - set(names) if facts.unsure is None else facts.unsure
    return Annotated(
        image,
        classes,
        instances,
        make_objects(instances, classes, crowds),
        source=source,
        name=name,
        unsure=unsure,
        camera=camera,
        camera_in_base=mount,
        partial=facts.partial | partly_labelled(source).get(Path(name).stem, frozenset()),
    )


def connected_parts(classes: U8, only: Sequence[int] | None = None, first: int = 1) -> tuple[U16, frozenset[int]]:
    """Return the instances u16[H,W] of things and masses as connected parts, and which are probably several in one."""
    out = np.zeros(classes.shape, np.uint16)
    crowds: set[int] = set()
    number, smallest = first, NOISE_FRACTION * classes.size
    kernel = np.ones((5, 5), np.uint8)
    for cid in only if only is not None else np.unique(classes).tolist():
        if cid == VOID or CLASSES[cid].nature == "stuff":
            continue
        mask = (classes == cid).astype(np.uint8)
        closed = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, kernel)
        count, parts, stats, _ = cv2.connectedComponentsWithStats(closed, connectivity=8)
        for part in range(1, count):
            x, y, w, h, area = (int(v) for v in stats[part])
            if area < smallest:
                continue
            window = np.s_[y : y + h, x : x + w]
            where = (parts[window] == part) & (mask[window] > 0)
            if int(where.sum()) < smallest:
                continue
            out[window][where] = number
            if _looks_like_several(where, CLASSES[cid].name):
                crowds.add(number)
            number += 1
    return out, frozenset(crowds)


def _looks_like_several(mask: Bool, name: str) -> bool:
    """Return whether a blob is wider than one of its class can be (cars from the side: under three heights)."""
    widest = {"car": 3.2, "person": 0.65, "cyclist": 1.25, "pole": 1.5, "door": 2.0}.get(name)
    if widest is None:
        return False
    columns, rows = np.flatnonzero(mask.any(0)), np.flatnonzero(mask.any(1))
    return float(np.ptp(columns) + 1) > widest * float(np.ptp(rows) + 1)


def guess_camera(classes: U8, source: str) -> tuple[Camera | None, Transform | None]:
    """Return a plausible camera for a street picture without calibration; None where too little road is in view.

    The horizon lies a little above the highest rows that hold road (road at 50 m is f * h / 50 below it), within
    what each source's camera allows; the field of view and the camera's height are guesses of its `Format`.
    """
    height, width = classes.shape
    road, facts = classes == class_id("road"), facts_of(source)
    if facts.hfov_deg is None or road.mean() < 0.04:
        return None, None
    camera = Camera.pinhole(width, height, facts.hfov_deg)
    focal, h_m = float(camera.matrix[0, 0]), facts.camera_height_m
    rows = np.flatnonzero(road.sum(1) >= 0.01 * width)
    if rows.size == 0:
        return None, None
    horizon = float(np.clip(rows[0] - focal * h_m / 50.0, 0.3 * height, 0.68 * height))
    pitch = float(np.degrees(np.arctan((float(camera.matrix[1, 2]) - horizon) / focal)))
    return camera, camera_mount(0.0, 0.0, h_m, 0.0, pitch, 0.0)
