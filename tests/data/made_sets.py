# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Rendered streets in the published forms of CamVid, LabelMeFacade ("streets") and COCO panoptic, for tests."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import cv2
import numpy as np

from ris_node.data.annotated import Annotated
from ris_node.data.classes import CLASSES
from ris_node.data.heldout import kept_out
from ris_node.data.registry import facts_of
from ris_node.training.inputs.rendered import training_scene

SEED = 4
STREETS = 6  # different ones
SIZE = 240, 180  # the renderings are brought to this width and height
COCO = {"car": "car", "person": "person", "truck": "truck", "bus": "bus", "tree": "tree-merged", "road": "road",
        "pavement": "pavement-merged", "sky": "sky-other-merged", "building": "building-other-merged"}  # fmt: skip


def write_sets(root: Path, train: int, val: int = 0, sources: Sequence[str] = ("camvid", "streets", "coco100")) -> Path:
    """Write `train` and `val` pictures of each source below the data root `root`; return `root`."""
    number = 0
    for source in sources:
        files = _files(root, source, train, val)
        segments = {}
        for file in files:
            file.parent.mkdir(parents=True, exist_ok=True)
            picture = _street(number % STREETS)
            number += 1
            image = cv2.resize(picture.image, SIZE, interpolation=cv2.INTER_AREA)
            cv2.imwrite(str(file.with_suffix(".jpg")), image[..., ::-1])
            labels, segments[file.name] = _labels(picture, source)
            cv2.imwrite(str(file.with_suffix(".png")), cv2.resize(labels, SIZE, interpolation=cv2.INTER_NEAREST))
        if source == "coco100":
            _write_panoptic(root / "coco100/panoptic_train2017.json", segments)
    return root


@cache
def _street(number: int) -> Annotated:
    """Render a street once for all sets of a test run: it takes a second."""
    return training_scene(number, SEED)


def _files(data: Path, source: str, train: int, val: int) -> list[Path]:
    """Paths without a suffix; those of the validation part have the names that `splits/` keeps out."""
    if source == "camvid":
        return [
            data / source / part / f"made_{i:03d}" for part, n in (("train", train), ("val", val)) for i in range(n)
        ]
    folder = data / (f"{source}/train2017" if source == "coco100" else source)
    listed = kept_out(source)  # from all of the list: a suite may take the first of it only
    held = [listed[i] for i in np.linspace(0, len(listed) - 1, val).astype(int)] if val else []
    return [folder / name for name in (*(f"made_{i:03d}" for i in range(train)), *held)]


def _labels(picture: Annotated, source: str) -> tuple[np.ndarray, dict[int, str]]:
    """The label image u8[H,W] in the set's own form and, for COCO, the category of each of its values."""
    if source != "coco100":
        names = facts_of(source).labels
        void = names.index("void")
        table = np.array([names.index(c.name) if c.name in names else void for c in CLASSES], np.uint8)
        return table[picture.class_map], {}
    labels = np.zeros(picture.class_map.shape, np.uint8)
    found: dict[int, str] = {}
    for name, category in COCO.items():
        things = [o.id for o in picture.objects if o.name == name] if "-" not in category and name != "road" else []
        masks = [picture.instance_map == i for i in things] or [picture.class_mask(_class_id(name))]
        for mask in (m for m in masks if m.any()):
            found[len(found) + 1] = category
            labels[mask] = len(found)
    return labels, found


def _class_id(name: str) -> int:
    return next(c.id for c in CLASSES if c.name == name)


def _write_panoptic(path: Path, segments: dict[str, dict[int, str]]) -> None:
    ids = {category: number for number, category in enumerate(COCO.values(), 1)}
    categories = [{"id": number, "name": name} for name, number in ids.items()]
    annotations = [
        {"file_name": f"{stem}.png", "segments_info": [
            {"png_value": value, "category_id": ids[name], "iscrowd": 0} for value, name in found.items()]}
        for stem, found in segments.items()
    ]  # fmt: skip
    path.write_text(json.dumps({"categories": categories, "annotations": annotations}), encoding="utf-8")
