# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Expressions generated from annotated pictures, as lines: for sets that have masks and no texts."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from ris_node.data.annotated import Annotated
from ris_node.data.formats.index import Line
from ris_node.data.sampleset import Problem
from ris_node.data.text.expressions import Expression, generate
from ris_node.errors import DataError
from ris_node.rle import encode_rle
from ris_node.types import Bool

PER_PICTURE = 12


def lines_of(pictures: Iterable[tuple[Any, Annotated | DataError]], split: str) -> Iterator[Line | Problem]:
    """Lines of the expressions of pictures, each given as what lines write as "image" and the picture (or its error).

    The split "val" uses the wordings that are kept out of training, any other those of training. The same picture
    always gives the same expressions.
    """
    for image, picture in pictures:
        if isinstance(picture, DataError):
            yield Problem(str(image), str(picture))
            continue
        name = picture.name
        digest = hashlib.sha256(f"{split}/{name}".encode()).digest()
        rng = np.random.default_rng(int.from_bytes(digest[:8], "little"))
        made = generate(picture, rng, "val" if split == "val" else "train", PER_PICTURE)
        if not made:
            yield Problem(name, "nothing can be said of it beyond doubt")
        for number, expression in enumerate(made):
            yield line_of_expression(expression, picture, image, f"{name}/{number:02d}")


def line_of_expression(expression: Expression, picture: Annotated, image: Any, name: str) -> Line:
    """One generated expression as a line; `image` is what the line has as "image"."""
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
    """A picture's camera as lines write it: K, and the pose of the optical frame in the vehicle's (metres)."""
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
