# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Lazy readers of CamVid, streets (LabelMeFacade) and COCO panoptic into `Annotated` pictures.

The first two have class maps only: their objects are connected parts after a small closing, so two cars that touch
in the picture are one object, marked as a crowd where its shape says so.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

import cv2
import numpy as np

from ris_node.data.annotated import NOISE_FRACTION, Annotated, make_objects
from ris_node.data.classes import CLASSES, VOID, class_id
from ris_node.data.pictures import read_rgb
from ris_node.data.sets import data_root, locate
from ris_node.errors import DataError
from ris_node.geometry.camera import Camera
from ris_node.geometry.transform import Transform, camera_mount
from ris_node.types import U8, U16, Bool

SPLITS_DIR = Path(__file__).parent / "splits"
_CAMVID = ("sky", "building", "pole", "road", "pavement", "tree", "sign", "fence", "car", "person", "cyclist", "void")
_STREETS = ("void", "building", "car", "door", "pavement", "road", "sky", "tree", "window")
# The class of every index of the index masks that are known.
LABELS: dict[str, tuple[str, ...]] = {"camvid": _CAMVID, "streets": _STREETS}


def _set(names: str) -> frozenset[str]:
    return frozenset(names.split(","))


# What may stand in these pictures without a label of its own, so that its absence is never claimed.
_CAMVID_UNSURE = _set(
    "bus,truck,train,motorcycle,bicycle,traffic light,stop sign,parking meter,bench,backpack,handbag,suitcase,umbrella,"
    "dog,bird,potted plant,flower,window,door,wall,kerb,grass,dirt,light,banner,chair,clock,bollard,traffic cone,"
    "stairs,van,bin,parking bay,railway,bridge,paper,mountain,rock,water,table,gravel,tie,bottle,cup,ball"
)
_STREETS_UNSURE = _CAMVID_UNSURE | _set("person,cyclist,sign,pole,fence,curtain,boat,sand,cardboard,snow,shelf")
_COCO_NAMES = {
    "window-blind": "window", "window-other": "window", "door-stuff": "door", "floor-wood": "floor",
    "floor-other-merged": "floor", "wall-brick": "wall", "wall-stone": "wall", "wall-tile": "wall",
    "wall-wood": "wall", "wall-other-merged": "wall", "water-other": "water", "river": "water", "sea": "water",
    "house": "building", "building-other-merged": "building", "roof": "building", "sky-other-merged": "sky",
    "table-merged": "table", "dining table": "table", "sports ball": "ball", "playingfield": "playing field",
    "railroad": "railway", "mirror-stuff": "mirror",
}  # fmt: skip
_COCO_UNSURE = _set("cyclist,sign,pole,bollard,traffic cone,parking bay,kerb,ball,wall,floor,light")
# Of a facade's windows and doors, LabelMeFacade labels a few.
_PARTIAL = {"streets": _set("window,door")}
_CAMERA_HEIGHT_M = {"camvid": 1.4, "streets": 1.6}
_HFOV_DEG = {"camvid": 60.0, "streets": 55.0}


@dataclass(frozen=True)
class PictureSet(Sequence[Annotated]):
    """A lazy sequence of annotated pictures; `root` is the data root (RIS_DATA), `names` the file stems."""

    root: Path
    source: str
    folder: str
    names: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, index: int) -> Annotated:  # type: ignore[override]
        return self.read(self.names[index])

    def __iter__(self) -> Iterator[Annotated]:
        return (self.read(name) for name in self.names)

    def image_path(self, name: str) -> str:
        """Path of a picture's image below the data root, as written in manifests."""
        return f"{self.folder}/{name}.jpg"

    def read(self, name: str) -> Annotated:
        """Read one picture by its file stem.

        Raises:
            DataError: when a file is missing or cannot be decoded.
        """
        labels = _read_labels(self.root / self.folder / f"{name}.png")
        image = read_rgb(self.root / self.image_path(name), labels.shape[1::-1])
        if self.source == "coco100":
            return annotate_panoptic(image, labels, self._segments[name], f"{self.folder}/{name}", self.source)
        return annotate_classes(image, labels, LABELS[self.source], self.source, f"{self.folder}/{name}")

    @cached_property
    def _segments(self) -> dict[str, dict[int, tuple[str, bool]]]:
        path = self.root / "coco100/panoptic_train2017.json"
        content = json.loads(path.read_text(encoding="utf-8"))
        names = {c["id"]: c["name"] for c in content["categories"]}
        return {
            Path(a["file_name"]).stem: {
                s["png_value"]: (names[s["category_id"]], bool(s["iscrowd"])) for s in a["segments_info"]
            }
            for a in content["annotations"]
        }


def open_set(name: str, root: Path | None = None) -> PictureSet:
    """Open "camvid/train", "camvid/val", "streets/train", "streets/val", "coco100/train" or "coco100/val".

    `root` is the data root (None: RIS_DATA). The val parts of streets and coco100 are listed in `splits/*.txt`.

    Raises:
        DataError: for an unknown name, or when the data is not there.
    """
    source, _, part = name.partition("/")
    folders = {"camvid": f"camvid/{part}", "streets": "streets", "coco100": "coco100/train2017"}
    if source not in folders or part not in ("train", "val"):
        raise DataError(f"no picture set {name!r}; there are {', '.join(f'{s}/train, {s}/val' for s in folders)}")
    root = root or data_root()
    folder = locate(folders[source], root)
    stems = sorted(p.stem for p in folder.glob("*.jpg"))
    if not stems:
        raise DataError(f"{name} has no pictures in {folder}: 'ris data sets {source}' says how to lay it out")
    if source != "camvid":
        kept_out = set(split_names(source))
        stems = [s for s in stems if (s in kept_out) == (part == "val")]
    return PictureSet(root, source, folders[source], tuple(stems))


def split_names(source: str) -> tuple[str, ...]:
    """File stems of a source that are kept out of training, from `splits/<source>_val.txt`."""
    path = SPLITS_DIR / f"{source}_val.txt"
    return tuple(path.read_text(encoding="utf-8").split())


def _read_labels(path: Path) -> U8:
    labels = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if labels is None:
        raise DataError(f"cannot read the label image {path}; check that it exists and is a PNG")
    return np.asarray(labels if labels.ndim == 2 else labels[..., -1], np.uint8)


def annotate_classes(image: U8, labels: U8, names: Sequence[str], source: str, name: str) -> Annotated:
    """A picture with an index mask u8[H,W] as `Annotated`; `names` are the project's classes of its indexes.

    Raises:
        DataError: when an index has no class, or the mask is of another size.
    """
    if int(labels.max(initial=0)) >= len(names):
        raise DataError(f"{name}: label {int(labels.max())} is not one of the {len(names)} labels of {source}")
    table = np.array([class_id(n) for n in names], np.uint8)
    classes = table[labels]
    instances, crowds = connected_parts(classes)
    camera, mount = guess_camera(classes, source)
    return Annotated(
        image,
        classes,
        instances,
        make_objects(instances, classes, crowds),
        source,
        name,
        unsure=_unlabelled(source, names),
        camera=camera,
        camera_in_base=mount,
        partial=_PARTIAL.get(source, frozenset()) | partly_labelled(source).get(Path(name).stem, frozenset()),
    )


@cache
def partly_labelled(source: str) -> dict[str, frozenset[str]]:
    """Names of the classes that pictures of a source show unlabelled too, by file stem: `splits/<source>_partial.json`.

    `python -m ris_node.data.unlabelled` makes the file.
    """
    path = SPLITS_DIR / f"{source}_partial.json"
    if not path.is_file():
        return {}
    return {stem: frozenset(names) for stem, names in json.loads(path.read_text(encoding="utf-8")).items()}


def _unlabelled(source: str, names: Sequence[str]) -> frozenset[str]:
    """What a set may show without a label: of unknown sets, everything that it has no label for."""
    known = {"camvid": _CAMVID_UNSURE, "streets": _STREETS_UNSURE}.get(source)
    return frozenset(c.name for c in CLASSES) - set(names) if known is None else known


def connected_parts(classes: U8, only: Sequence[int] | None = None, first: int = 1) -> tuple[U16, frozenset[int]]:
    """Instances u16[H,W] of things and masses as connected parts, and which are probably several in one."""
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
    """Whether a blob is wider than one of its class can be (cars from the side: under three times their height)."""
    widest = {"car": 3.2, "person": 0.65, "cyclist": 1.25, "pole": 1.5, "door": 2.0}.get(name)
    if widest is None:
        return False
    columns, rows = np.flatnonzero(mask.any(0)), np.flatnonzero(mask.any(1))
    return float(np.ptp(columns) + 1) > widest * float(np.ptp(rows) + 1)


def guess_camera(classes: U8, source: str) -> tuple[Camera | None, Transform | None]:
    """A plausible camera for a street picture without calibration; None where too little road is in view.

    The horizon lies a little above the highest rows that hold road (road at 50 m is f * h / 50 below it), within
    what each source's camera allows; the field of view and the camera's height are guesses per source.
    """
    height, width = classes.shape
    road = classes == class_id("road")
    if source not in _HFOV_DEG or road.mean() < 0.04:
        return None, None
    camera = Camera.pinhole(width, height, _HFOV_DEG[source])
    focal, h_m = float(camera.matrix[0, 0]), _CAMERA_HEIGHT_M[source]
    rows = np.flatnonzero(road.sum(1) >= 0.01 * width)
    if rows.size == 0:
        return None, None
    horizon = float(np.clip(rows[0] - focal * h_m / 50.0, 0.3 * height, 0.68 * height))
    pitch = float(np.degrees(np.arctan((float(camera.matrix[1, 2]) - horizon) / focal)))
    return camera, camera_mount(0.0, 0.0, h_m, 0.0, pitch, 0.0)


def annotate_panoptic(
    image: U8, labels: U8, segments: dict[int, tuple[str, bool]], name: str, source: str
) -> Annotated:
    """A picture of COCO panoptic as `Annotated`: `labels` u8[H,W] by segment, with each one's category and crowdedness.

    Raises:
        DataError: when a category has no class here, or the labels are of another size.
    """
    table = np.zeros(256, np.uint8)
    instance = np.zeros(256, np.uint16)
    crowds: set[int] = set()
    known = {c.name for c in CLASSES}
    merged: set[int] = set()
    for value, (category, crowd) in segments.items():
        label = _COCO_NAMES.get(category, category.removesuffix("-merged").removesuffix("-other"))
        if label not in known:
            raise DataError(f"{name}: COCO category {category!r} has no class; add it to ris_node/data/classes.py")
        table[value] = class_id(label)
        if category.endswith(("-merged", "-other", "-stuff", "-blind")) or CLASSES[class_id(label)].nature != "thing":
            merged.add(class_id(label))
        else:
            instance[value] = value
            if crowd:
                crowds.add(value)
    classes, instances = table[labels], instance[labels]
    parts, more = connected_parts(classes, sorted(merged), first=256)
    instances = np.where(instances > 0, instances, parts).astype(np.uint16)
    crowds |= set(more)
    objects = make_objects(instances, classes, frozenset(crowds))
    return Annotated(image, classes, instances, objects, source, name, _COCO_UNSURE)
