# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Folders of photos with index masks: CamVid, LabelMeFacade, and one's own; expressions are generated.

A mask is a PNG of one channel whose value is the index of a class, or for LabelMeFacade as published the colour of it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np

from ris_node.data.annotated import Annotated
from ris_node.data.classes import CLASSES
from ris_node.data.formats.annotate import annotate_classes
from ris_node.data.formats.request import PictureSet, Request
from ris_node.data.heldout import kept_out, of_split
from ris_node.data.masks.pixels import read_labels
from ris_node.data.pictures import read_rgb
from ris_node.errors import DataError
from ris_node.types import U8

_IMAGES = (".jpg", ".jpeg", ".png", ".bmp", ".webp")
# LabelMeFacade's colours (R, G, B) in the order of its classes.
_FACADE = (
    (0, 0, 0), (128, 0, 0), (128, 0, 128), (128, 128, 0), (128, 128, 128), (128, 64, 0), (0, 128, 128), (0, 128, 0),
    (0, 0, 128),
)  # fmt: skip


def inputs(request: Request) -> tuple[Path, ...]:
    """Return the folder of masks and the lists that the index depends on.

    Raises:
        DataError: when there are no pictures with masks, saying what to download.
    """
    lists = [request.root / name for name in ("labels.txt", f"{request.split}.txt")]
    masks = _pairs(request)[0][1].parent
    return (masks, *(path for path in lists if path.is_file()))


def annotated(request: Request) -> PictureSet:
    """Return the pictures of the split, in the order of their file stems.

    Raises:
        DataError: when there are none, or the classes are unknown.
    """
    source, names, pairs = request.format.name, class_names(request), _pairs(request)
    in_colours = request.format.options.get("colours") == "facade"

    def read(index: int) -> Annotated:
        image, mask = pairs[index]
        labels = read_facade(mask) if in_colours else _as_u8(read_labels(mask), mask)
        name = request.picture_name(image)
        return annotate_classes(read_rgb(image, labels.shape[1::-1]), labels, names, source, name)

    images = tuple(request.below(image) for image, _ in pairs)
    return PictureSet(request.format, tuple(image.stem for image, _ in pairs), images, read)


def class_names(request: Request) -> tuple[str, ...]:
    """Return the project's class of every index of the set.

    Raises:
        DataError: when labels.txt is missing, or names a class that expressions cannot be made for.
    """
    if request.format.labels:
        return request.format.labels
    path = request.need("labels.txt")
    try:
        names = tuple(line.strip() or "void" for line in path.read_text(encoding="utf-8-sig").splitlines())
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"cannot read {path}: {error}") from error
    usable = [entry.name for entry in CLASSES]
    for number, name in enumerate(names):
        if name not in usable:
            raise DataError(f"{path}, line {number + 1}: no class {name!r}; write 'void' or one of {', '.join(usable)}")
    return names


def read_facade(path: Path) -> U8:
    """Read LabelMeFacade's classes u8[H,W] by index, from its colours (8 or 16 bit) or from an index mask.

    Raises:
        DataError: when the file is missing, or more than a thousandth of it has a colour that means nothing.
    """
    stored = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if stored is None:
        raise DataError(f"cannot read the label image {path}; check that it exists and is a PNG")
    if stored.ndim == 2:
        return _as_u8(stored, path)
    shift = 8 if stored.dtype == np.uint16 else 0
    colours = (stored[..., 2::-1].astype(np.int64) >> shift) @ np.array([65536, 256, 1])
    table = {65536 * r + 256 * g + b: index for index, (r, g, b) in enumerate(_FACADE)}
    values, inverse = np.unique(colours, return_inverse=True)
    unknown = np.isin(colours, [v for v in values.tolist() if v not in table])
    if unknown.mean() > 0.001:
        raise DataError(f"{path}: {unknown.mean():.1%} of it has colours that are no class of LabelMeFacade")
    known = np.array([table.get(v, 0) for v in values.tolist()], np.uint8)
    return np.asarray(known[inverse.reshape(colours.shape)], np.uint8)


def _as_u8(labels: np.ndarray[Any, Any], path: Path) -> U8:
    if int(labels.max(initial=0)) > 255:
        raise DataError(f"{path}: index {int(labels.max())} is larger than 255")
    return np.asarray(labels, np.uint8)


def _pairs(request: Request) -> list[tuple[Path, Path]]:
    """The images of the split with their masks, sorted by name.

    Raises:
        DataError: when there are none.
    """
    split, root = request.split, request.root
    divided = (
        (split, f"{split}annot"), (split, f"{split}_masks"), (f"images/{split}", f"masks/{split}"), (split, split),
    )  # fmt: skip
    whole = (("images", "masks"), ("images", "labels"), (".", "."))
    for choices, select in ((divided, False), (whole, True)):
        for images, masks in choices:
            found = _in_folders(root / images, root / masks, all_of_them=bool(request.format.labels))
            if found:
                return _selected(request, found) if select else found
    raise request.format.absent(root / divided[0][0], root)


def _in_folders(images: Path, masks: Path, all_of_them: bool) -> list[tuple[Path, Path]]:
    """Images with their masks; those without one too with `all_of_them`, so that reading names what a set lacks."""
    if not images.is_dir() or not masks.is_dir():
        return []
    endings = tuple(e for e in _IMAGES if images != masks or e != ".png")
    found = sorted((path for path in images.iterdir() if path.suffix.lower() in endings), key=lambda path: path.stem)
    pairs = [(path, masks / f"{path.stem}.png") for path in found]
    there = [pair for pair in pairs if pair[1].is_file()]
    return pairs if there and all_of_them else there


def _selected(request: Request, found: list[tuple[Path, Path]]) -> list[tuple[Path, Path]]:
    """Those of an undivided folder that belong to the split: by SPLIT.txt, or the project's own list."""
    split = request.split
    if split == "all":
        return found
    listed = request.root / f"{split}.txt"
    if kept_out(request.format.name):
        names = of_split(request.format.name, split, (image.stem for image, _ in found))
    elif listed.is_file():
        names = frozenset(Path(word).stem for word in listed.read_text(encoding="utf-8-sig").split())
    else:
        raise DataError(
            f"{request.format.name}: {request.root} is not divided into splits: write the names of {split!r} "
            f"into {listed}, or ask for the split 'all'"
        )
    chosen = [pair for pair in found if pair[0].stem in names]
    if not chosen:
        raise DataError(f"{request.format.name}: none of the {len(found)} pictures in {request.root} is of {split!r}")
    return chosen
