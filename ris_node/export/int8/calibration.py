# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Real inputs of the vision graph to calibrate on: training pictures with varied commands, or one's own pictures."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from ris_node.data.formats.index import open_pictures
from ris_node.data.pictures import read_rgb
from ris_node.data.registry import DRIVING_TRAINED
from ris_node.data.text.expressions import generate_one
from ris_node.errors import CommandError, DataError, ExportError
from ris_node.export.onnx_edit import Array
from ris_node.pipeline.grounder import Grounder
from ris_node.pipeline.letterbox import Letterbox
from ris_node.pipeline.segmenter import vision_feeds
from ris_node.types import U8, Query, QueryKind

KINDS = ("order", "relation", "class", "single", "colour", "stuff", "absent", "alien", "near_miss", "region", "region")
COMMANDS = (
    "the car",
    "the pedestrian on the left",
    "stop next to the red car",
    "the road",
    "pull over on the right",
    "the tree behind the second car",
    "the building",
    "park behind the van",
    "the elephant",
)
SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp")
SEED = 5
log = logging.getLogger(__name__)


def calibration_feeds(grounder: Grounder, count: int, images: Path | None = None) -> list[dict[str, Array]]:
    """Return inputs of a grounder's vision graph.

    Args:
        grounder: of the bundle to calibrate; its text graph makes the features.
        count: how many, spread evenly over the pictures.
        images: a folder of pictures; None: training pictures of the public sets, with expressions of theirs.

    Raises:
        ExportError: the folder has no pictures.
        DataError: RIS_DATA is not set, or lacks them.
    """
    pairs = _own(images, count) if images is not None else _public(count)
    feeds = []
    for image, query in pairs:
        try:
            feeds.append(feed(grounder, image, query))
        except CommandError:
            continue
    return feeds


def feed(grounder: Grounder, image: U8, query: Query | str) -> dict[str, Array]:
    """Return one input of the vision graph: a picture u8[H,W,3] and a command."""
    contract = grounder.bundle.manifest.input
    height, width = image.shape[:2]
    box = Letterbox.fit(width, height, contract.width, contract.height, contract.pad_value)
    return vision_feeds(box.image(np.ascontiguousarray(image)), grounder.prepare(query).features)


def _own(folder: Path, count: int) -> Iterator[tuple[U8, str]]:
    files = sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES)
    if not files:
        raise ExportError(f"{folder} has no pictures ({', '.join(SUFFIXES)}): give a folder of camera frames")
    given = 0
    for number, index in enumerate(_spread(len(files), count)):
        try:
            yield read_rgb(files[index]), COMMANDS[number % len(COMMANDS)]
            given += 1
        except DataError as error:
            log.warning("left out: %s", error)
    if not given:
        raise ExportError(f"none of the {len(files)} pictures in {folder} can be read: give a folder of camera frames")


def _public(count: int) -> Iterator[tuple[U8, Query]]:
    rng = np.random.default_rng(SEED)
    for name, share in zip(DRIVING_TRAINED, (count - count // 3, count // 3), strict=True):
        pictures = open_pictures(name)
        for number, index in enumerate(_spread(len(pictures), share)):
            picture = pictures[index]
            for offset in range(len(KINDS)):  # the first kind that this picture offers
                said = generate_one(picture, rng, "train", KINDS[(number + offset) % len(KINDS)])
                if said is not None:
                    kind = QueryKind.REGION if said.type == "region" else QueryKind.OBJECT
                    yield picture.image, Query(said.text, kind=kind)
                    break


def _spread(total: int, count: int) -> Sequence[int]:
    return [int(i) for i in np.linspace(0, total - 1, min(count, total)).round()]
