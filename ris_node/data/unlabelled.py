# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Which classes a picture shows without a label, as a teacher network sees it: `python -m ris_node.data.unlabelled`.

LabelMeFacade leaves a third of some pictures unlabelled, parked cars among it. "The leftmost car" is then true of
another car than the one it is paired with, and "the car on the right" is no near-miss. A Cityscapes network, looking
two and a quarter times as closely as the trunk does, finds where that is so; `splits/<source>_partial.json` keeps what
it found, and expressions say nothing about such classes (`Annotated.partial`).
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from tqdm import tqdm

from ris_node.atomic import write_atomic
from ris_node.data.annotated import Annotated
from ris_node.data.classes import class_by_name
from ris_node.data.formats.index import open_pictures
from ris_node.data.heldout import SPLITS_DIR
from ris_node.data.location import locate
from ris_node.data.registry import PRETRAINED, PUBLIC
from ris_node.entry import start
from ris_node.language.lexicon import CITYSCAPES
from ris_node.types import F32, U8

_SCALES = (1.5, 2.25)
_SURE = 0.6
_SEAM = 7  # pixels: thinner than this, it is the border between two labels
_LEAST_THING, _LEAST_STUFF, _LEAST_SHARE = 0.002, 0.01, 0.1
_NAMES = {
    "car": ("car",), "tree": ("vegetation",), "building": ("building",), "road": ("road",),
    "pavement": ("sidewalk",), "sky": ("sky",), "person": ("person", "rider"),
}  # fmt: skip


class Teacher:
    """A semantic network in ONNX (RGB in [-1, 1] of any size, logits of Cityscapes' classes), run at several scales."""

    def __init__(self, path: Path) -> None:
        import onnxruntime

        self._session: Any = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])

    def chances(self, image: U8) -> F32:
        """Return chances f32[H,W,classes] of an image RGB u8[H,W,3]: the mean over scales and a mirror at the last."""
        height, width = image.shape[:2]
        views = [(scale, False) for scale in _SCALES] + [(_SCALES[-1], True)]
        total = np.zeros((height, width, len(CITYSCAPES)), np.float32)
        for scale, mirrored in views:
            size = tuple(32 * round(n * scale / 32) for n in (width, height))
            x = cv2.resize(image, size).astype(np.float32) / 127.5 - 1.0
            x = x[:, ::-1] if mirrored else x
            (logits,) = self._session.run(None, {"image": np.ascontiguousarray(x.transpose(2, 0, 1)[None])})
            logits = logits[0, :, :, ::-1] if mirrored else logits[0]
            logits = cv2.resize(np.ascontiguousarray(logits.transpose(1, 2, 0)), (width, height))
            chance = np.exp(logits - logits.max(2, keepdims=True))
            total += chance / chance.sum(2, keepdims=True)
        return np.asarray(total / len(views), np.float32)


def partly_labelled_in(picture: Annotated, chances: F32) -> tuple[str, ...]:
    """Return names of the classes that a picture clearly shows more of than is labelled.

    Things count from 0.2 % of the picture on, which is about what an expression may mean; stuff and masses from 1 %
    and a tenth of what is labelled.
    """
    best, size = chances.argmax(2), float(picture.class_map.size)
    unlabelled = (picture.class_map == 0) & (chances.max(2) > _SURE)
    kernel = np.ones((_SEAM, _SEAM), np.uint8)
    found = []
    for name, teachers in _NAMES.items():
        seen = np.isin(best, [CITYSCAPES.index(t) for t in teachers]) & unlabelled
        more = cv2.morphologyEx(seen.astype(np.uint8), cv2.MORPH_OPEN, kernel).sum() / size
        own = picture.class_areas.get(name, 0) / size
        thing = class_by_name(name).nature == "thing"
        if more >= (_LEAST_THING if thing else max(_LEAST_STUFF, _LEAST_SHARE * own)):
            found.append(name)
    return tuple(found)


def main() -> None:
    """Look through all pictures of a source and write what was found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--source",
        default=next(one.name for one in PUBLIC if one.partial),
        help="a picture set with index masks (default: %(default)s)",
    )
    parser.add_argument(
        "--teacher", default=f"{PRETRAINED}/deeplab_cityscapes.onnx", help="file of a public set (default: %(default)s)"
    )
    args = parser.parse_args()
    teacher = Teacher(locate(args.teacher))
    found: dict[str, list[str]] = {}
    for part in ("train", "val"):
        pictures = open_pictures(f"{args.source}/{part}")
        for index, name in enumerate(tqdm(pictures.names, desc=part, unit="picture")):
            picture = pictures[index]
            partial = partly_labelled_in(picture, teacher.chances(picture.image))
            if partial:
                found[name] = sorted(partial)
    out = SPLITS_DIR / f"{args.source}_partial.json"
    lines = ",\n".join(f"{json.dumps(name)}: {json.dumps(found[name])}" for name in sorted(found))
    write_atomic(out, f"{{\n{lines}\n}}\n")
    print(f"{len(found)} pictures with classes that are labelled in part: {out}")


if __name__ == "__main__":
    start(main)
