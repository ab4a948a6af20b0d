# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""A phone's picture is upright everywhere, unless its masks were drawn on it as it is stored."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from phone import phone_picture

from ris_node.data.masks.spec import coco_rle
from ris_node.data.pictures import read_rgb
from ris_node.data.samples.jsonl import open_jsonl
from ris_node.demo.sources import open_source
from ris_node.errors import DataError
from ris_node.evaluation.datasets import read_items
from ris_node.training.inputs.own import given, open_own
from ris_node.types import U8, Bool
from ris_scene.spec import demo_spec

UPRIGHT = np.zeros((48, 32, 3), np.uint8)
UPRIGHT[:16] = (255, 0, 0)  # what is meant lies at the top
STORED = np.ascontiguousarray(np.rot90(UPRIGHT))  # orientation 6: turned to the right, it is upright


def meant(image: U8) -> Bool:
    return np.asarray(image[..., 0] > 128)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    phone_picture(tmp_path / "a.jpg", STORED, 6)
    for name, image in (("upright", UPRIGHT), ("stored", STORED)):
        cv2.imwrite(str(tmp_path / f"{name}.png"), meant(image).astype(np.uint8) * 255)
    return tmp_path


def forms(folder: Path, image: U8) -> dict[str, object]:
    """A mask of the picture as each form of mask that says which size it is for."""
    mask, name = meant(image), "upright.png" if image is UPRIGHT else "stored.png"
    height, width = mask.shape
    about = {
        "images": [{"id": 1, "file_name": "a.jpg", "height": height, "width": width}],
        "annotations": [{"id": 7, "image_id": 1, "segmentation": coco_rle(mask), "category_id": 1, "iscrowd": 0,
                         "bbox": [0, 0, 1, 1], "area": 1}],
        "categories": [{"id": 1, "name": "car"}],
    }  # fmt: skip
    (folder / f"{name}.json").write_text(json.dumps(about))
    return {
        "path": name, "index": {"png": name, "value": 255}, "run lengths": coco_rle(mask),
        "COCO": {"coco": f"{name}.json", "id": 7}, "union": {"any": [name]},
    }  # fmt: skip


@pytest.mark.parametrize("form", ["path", "index", "run lengths", "COCO", "union"])
@pytest.mark.parametrize("image", [UPRIGHT, STORED], ids=["upright", "stored"])
def test_the_masks_size_decides(folder: Path, image: U8, form: str) -> None:
    line = {"image": "a.jpg", "expression": "the red part", "mask": forms(folder, image)[form]}
    (folder / "own.jsonl").write_text(json.dumps(line))
    (sample,) = open_jsonl(folder / "own.jsonl")
    assert sample.mask is not None and sample.image.shape == image.shape
    assert np.array_equal(meant(sample.image), sample.mask)
    picture, (expression,) = given(open_own("own", folder / "own.jsonl", mirror=False), 0)
    assert np.array_equal(meant(picture.image), expression.mask)
    (item,) = read_items("jsonl", folder / "own.jsonl")
    assert np.array_equal(meant(read_rgb(folder / item.image, (item.width, item.height))), item.mask_truth())


def test_without_a_mask_it_is_upright_as_in_a_folder_that_the_demo_shows(folder: Path) -> None:
    (folder / "own.jsonl").write_text(json.dumps({"image": "a.jpg", "expression": "the elephant", "mask": None}))
    (sample,) = open_jsonl(folder / "own.jsonl")
    for name in ("upright.png", "stored.png"):
        (folder / name).unlink()
    frame = open_source(str(folder), demo_spec(640, 480), 10.0).frame(0.0)
    assert frame is not None
    for image in (sample.image, frame.image):
        assert np.array_equal(meant(image), meant(UPRIGHT))


def test_texts_without_a_mask_take_the_picture_of_those_with_one(folder: Path) -> None:
    absent = {"image": "a.jpg", "expression": "the elephant", "mask": None}
    there = {"image": "a.jpg", "expression": "the red part", "mask": "stored.png"}
    (folder / "own.jsonl").write_text("\n".join(map(json.dumps, (absent, there))))
    picture, _ = given(open_own("own", folder / "own.jsonl", mirror=False), 0)
    assert picture.image.shape == STORED.shape
    (folder / "own.jsonl").write_text("\n".join(map(json.dumps, (there, {**there, "mask": "upright.png"}))))
    with pytest.raises(DataError, match="one way round"):
        given(open_own("own", folder / "own.jsonl", mirror=False), 0)
