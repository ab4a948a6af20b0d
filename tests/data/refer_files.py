# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""A small RefCOCO, gRefCOCO and R-RefCOCO in the layout of the published ones, with known masks."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from pycocotools import mask as tools

from ris_node.data.masks.spec import coco_rle
from ris_node.types import Bool

W, H = 64, 48
IMAGES = (9, 581857, 30)
# Image 30 has no annotation that a reference means; annotation 15 has an outline of two points only.
POLYGONS = {
    11: [[4.0, 4.0, 20.0, 4.0, 20.0, 30.0, 4.0, 30.0]],
    12: [[30.5, 8.0, 44.0, 8.0, 44.0, 20.0, 30.5, 20.0], [46, 22, 60, 22, 53, 40], [1.0, 2.0, 3.0, 4.0]],
    15: [[1.0, 2.0, 3.0, 4.0]],
}


def ellipse(cx: int, cy: int) -> Bool:
    mask = np.zeros((H, W), np.uint8)
    cv2.ellipse(mask, (cx, cy), (9, 6), 20, 0, 360, 1, -1)
    return mask.astype(bool)


CROWD, PACKED = ellipse(20, 20), ellipse(40, 30)


def truth(number: int) -> Bool:
    """The mask of an annotation, by the reference implementation."""
    if number in (13, 14):
        return CROWD if number == 13 else PACKED
    parts = [part for part in POLYGONS[number] if len(part) >= 6]
    drawn: Bool = tools.decode(tools.merge(tools.frPyObjects(parts, H, W))).astype(bool)
    return drawn


def instances() -> dict[str, Any]:
    packed = tools.encode(np.asfortranarray(PACKED.astype(np.uint8)))
    outlines: dict[int, Any] = {
        **POLYGONS, 13: coco_rle(CROWD), 14: {"size": packed["size"], "counts": packed["counts"].decode()},
    }  # fmt: skip
    owners = {11: 9, 12: 9, 13: 581857, 14: 581857, 15: 9}
    return {
        "info": {}, "licenses": [],
        "images": [{"id": i, "file_name": f"COCO_train2014_{i:012d}.jpg", "width": W, "height": H} for i in IMAGES],
        "annotations": [
            {"id": number, "image_id": owners[number], "category_id": 1 + (number == 12), "iscrowd": int(number == 13),
             "bbox": [float(number), 1.0, 10.0, 5.0], "segmentation": outlines[number]}
            for number in outlines
        ],
        "categories": [{"id": 1, "name": "person"}, {"id": 2, "name": "bicycle"}],
    }  # fmt: skip


def ref(number: int, ann: Any, image: int, split: str, *texts: str, **more: Any) -> dict[str, Any]:
    ids = [10 * number + i for i in range(len(texts))]
    return {
        "ref_id": number, "ann_id": ann, "category_id": 1, "image_id": image, "split": split, "sent_ids": ids,
        "file_name": f"COCO_train2014_{image:012d}_{ann}.jpg",
        "sentences": [
            {"tokens": t.split(), "raw": t, "sent": t.lower(), "sent_id": i} for i, t in zip(ids, texts, strict=True)
        ],
        **more,
    }  # fmt: skip


def write_refer(root: Path, folder: str, refs: list[dict[str, Any]], name: str = "refs(unc).p") -> Path:
    """Write annotations and images; returns the file of references."""
    images = root / "images/mscoco/images/train2014"
    images.mkdir(parents=True, exist_ok=True)
    for number in IMAGES:
        picture = np.random.default_rng(number).integers(0, 255, (H, W, 3), dtype=np.uint8)
        cv2.imwrite(str(images / f"COCO_train2014_{number:012d}.jpg"), picture)
    (root / folder).mkdir(exist_ok=True)
    (root / folder / "instances.json").write_text(json.dumps(instances()))
    path = root / folder / name
    path.write_bytes(json.dumps(refs).encode() if name.endswith("json") else pickle.dumps(refs, 2))
    return path
