# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Expressions generated from annotated pictures, as lines: for sets that have masks and no texts."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from ris_node.data.annotated import Annotated
from ris_node.data.formats.request import ImageSpec, Line, PictureSet, watched
from ris_node.data.samples.jsonl import Problem
from ris_node.data.text.expressions import Expression, generate
from ris_node.errors import DataError
from ris_node.rle import encode_rle
from ris_node.types import Bool

PER_PICTURE = 12


def lines_of(pictures: PictureSet, split: str) -> Iterator[Line | Problem]:
    """Yield the lines of the expressions of pictures, or a problem for each that cannot be read.

    The split "val" uses the wordings that are kept out of training, any other those of training. The same picture
    always gives the same expressions.
    """
    source = pictures.format.name
    for index, image in enumerate(watched(pictures.images, f"indexing {source}")):
        try:
            picture = pictures[index]
        except DataError as error:
            yield Problem(str(image), str(error))
            continue
        if isinstance(image, str):
            picture = replace(picture, name=f"{source}/{pictures.names[index]}")
        name = picture.name
        digest = hashlib.sha256(f"{split}/{name}".encode()).digest()
        rng = np.random.default_rng(int.from_bytes(digest[:8], "little"))
        made = generate(picture, rng, "val" if split == "val" else "train", PER_PICTURE)
        if not made:
            yield Problem(name, "nothing can be said of it beyond doubt")
        for number, expression in enumerate(made):
            yield line_of_expression(expression, picture, image, f"{name}/{number:02d}")


def line_of_expression(expression: Expression, picture: Annotated, image: ImageSpec, name: str) -> Line:
    """Return a generated expression as a line; `image` is what the line has as "image"."""
    line: Line = {
        "id": name,
        "image": image,
        "size": [picture.width, picture.height],
        "expression": expression.text,
        "type": expression.type,
        "mask": _runs(expression.mask),
        "region": _runs(expression.region),
        "present": expression.positive,
        "kind": expression.kind,
        "class": expression.class_name,
        "group": picture.name,
    }
    if picture.camera is not None and picture.camera_in_base is not None:
        line["camera"] = camera_line(picture)
    return line


def camera_line(picture: Annotated) -> dict[str, Any]:
    """Return a picture's camera as lines write it: K, and the pose of the optical frame in the vehicle's (metres)."""
    camera, pose = picture.camera, picture.camera_in_base
    assert camera is not None and pose is not None
    return {
        "matrix": np.round(camera.matrix, 6).tolist(),
        "distortion": camera.distortion.tolist(),
        "rotation": np.round(pose.rotation, 9).tolist(),
        "translation": np.round(pose.translation, 6).tolist(),
    }


def _runs(mask: Bool | None) -> list[int] | None:
    return None if mask is None else encode_rle(mask)
