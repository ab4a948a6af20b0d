# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Folders of photos with index masks: CamVid, LabelMeFacade, and one's own; expressions are generated.

A mask is a PNG of one channel whose value is the index of a class, or for LabelMeFacade as published the colour of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from ris_node.data.annotated import Annotated
from ris_node.data.classes import CLASSES
from ris_node.data.formats.generated import lines_of
from ris_node.data.formats.index import Line, Request, watched
from ris_node.data.masks.pixels import read_labels
from ris_node.data.pictures import read_rgb
from ris_node.data.readers import LABELS, annotate_classes, split_names
from ris_node.data.sampleset import Problem
from ris_node.errors import DataError
from ris_node.types import U8

_IMAGES = (".jpg", ".jpeg", ".png", ".bmp", ".webp")
# LabelMeFacade's colours (R, G, B) in the order of its classes.
_FACADE = (
    (0, 0, 0), (128, 0, 0), (128, 0, 128), (128, 128, 0), (128, 128, 128), (128, 64, 0), (0, 128, 128), (0, 128, 0),
    (0, 0, 128),
)  # fmt: skip


def inputs(request: Request) -> tuple[Path, ...]:
    """The folder of masks and the lists that the index depends on.

    Raises:
        DataError: when there are no pictures with masks, saying what to download.
    """
    lists = [request.root / name for name in ("labels.txt", f"{request.split}.txt")]
    masks = _pairs(request)[0][1].parent
    return (masks, *(path for path in lists if path.is_file()))


def read(request: Request) -> Iterator[Line | Problem]:
    """The lines of every picture of the split.

    Raises:
        DataError: when the classes are unknown.
    """
    names = class_names(request)
    yield from lines_of(_pictures(request, names), request.split)


def class_names(request: Request) -> tuple[str, ...]:
    """The project's class of every index of the set.

    Raises:
        DataError: when labels.txt is missing, or names a class that expressions cannot be made for.
    """
    known = request.format.options.get("labels")
    if known:
        return LABELS[known]
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


def _pictures(request: Request, names: Sequence[str]) -> Iterator[tuple[str, Annotated | DataError]]:
    source = request.format.options.get("labels", request.format.name)
    for image_path, mask_path in watched(_pairs(request), f"indexing {request.format.name}"):
        image = request.below(image_path)
        try:
            labels = read_facade(mask_path) if source == "streets" else _as_u8(read_labels(mask_path), mask_path)
            name = f"{source}/{image_path.stem}"
            yield image, annotate_classes(read_rgb(image_path, labels.shape[1::-1]), labels, names, source, name)
        except DataError as error:
            yield image, error


def read_facade(path: Path) -> U8:
    """LabelMeFacade's classes u8[H,W] by index, from its colours (8 or 16 bit) or from an index mask.

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
            found = _in_folders(root / images, root / masks)
            if found:
                return _selected(request, found) if select else found
    raise request.format.missing(root / divided[0][0], root)


def _in_folders(images: Path, masks: Path) -> list[tuple[Path, Path]]:
    if not images.is_dir() or not masks.is_dir():
        return []
    endings = tuple(e for e in _IMAGES if images != masks or e != ".png")
    found = sorted(path for path in images.iterdir() if path.suffix.lower() in endings)
    return [(path, masks / f"{path.stem}.png") for path in found if (masks / f"{path.stem}.png").is_file()]


def _selected(request: Request, found: list[tuple[Path, Path]]) -> list[tuple[Path, Path]]:
    """Those of an undivided folder that belong to the split: by SPLIT.txt, or the project's own list of streets."""
    split = request.split
    if split == "all":
        return found
    listed = request.root / f"{split}.txt"
    if request.format.name == "streets":
        kept_out = set(split_names("streets"))
        chosen = [pair for pair in found if (pair[0].stem in kept_out) == (split == "val")]
    elif listed.is_file():
        names = {Path(word).stem for word in listed.read_text(encoding="utf-8-sig").split()}
        chosen = [pair for pair in found if pair[0].stem in names]
    else:
        raise DataError(
            f"{request.format.name}: {request.root} is not divided into splits: write the names of {split!r} "
            f"into {listed}, or ask for the split 'all'"
        )
    if not chosen:
        raise DataError(f"{request.format.name}: none of the {len(found)} pictures in {request.root} is of {split!r}")
    return chosen
