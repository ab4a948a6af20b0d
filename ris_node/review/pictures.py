# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Pictures of a run's frames: fetched again from the bag, with the answer drawn over them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from ris_node.bags.reader import open_bag
from ris_node.errors import RisError
from ris_node.pipeline.grounding import Grounding, Planes
from ris_node.pipeline.instances import Pieces
from ris_node.pipeline.letterbox import Letterbox
from ris_node.pipeline.overlay import draw_overlay
from ris_node.rle import decode_rle
from ris_node.sensing.images import decode
from ris_node.types import F32, U8, Instance, Query, QueryKind, Status


def images_of(
    path: Path, topic: str, rows: Iterator[Mapping[str, Any]]
) -> Iterator[tuple[Mapping[str, Any], U8 | None]]:
    """Yield each row of a run with its image, in one pass over the bag; None where the image cannot be read.

    Raises:
        BagError: the bag cannot be opened.
    """
    with open_bag(path) as bag:
        index, row = -1, next(rows, None)
        messages = bag.messages([topic])
        for message in messages:
            index += 1
            if row is None:
                break
            if index < row["source_index"]:
                continue
            try:
                yield row, decode(bag.deserialize(message))
            except RisError:
                yield row, None
            row = next(rows, None)


def fetch(path: Path, topic: str, rows: Sequence[Mapping[str, Any]]) -> dict[int, U8]:
    """Return the images of a few rows by their `frame`, each looked up in the bag by when it was recorded.

    Frames that cannot be found again are left out.

    Raises:
        BagError: the bag cannot be opened.
    """
    found: dict[int, U8] = {}
    with open_bag(path) as bag:
        for row in sorted(rows, key=lambda r: int(r["log_ns"])):
            messages = bag.messages([topic], start_ns=row["log_ns"])
            try:
                for message in messages:
                    if message.log_ns != row["log_ns"]:
                        break
                    image = decode(bag.deserialize(message))
                    if not row["width"] or image.shape[:2] == (row["height"], row["width"]):
                        found[int(row["frame"])] = image
                        break
            except RisError:
                continue
            finally:
                messages.close()  # type: ignore[attr-defined]
    return found


def drawn(image: U8, row: Mapping[str, Any], width: int = 420) -> U8:
    """Return a row's answer drawn over its image u8[H,W,3], made `width` pixels wide."""
    picture = draw_overlay(image, grounding_of(row))
    height = max(1, round(picture.shape[0] * width / picture.shape[1]))
    how = cv2.INTER_AREA if picture.shape[1] > width else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(picture, (width, height), interpolation=how), np.uint8)


def grounding_of(row: Mapping[str, Any]) -> Grounding:
    """Return a row as an answer, as far as it can be drawn; several referents are drawn as one."""
    width, height = int(row["width"]), int(row["height"])
    kind = QueryKind.REGION if row["kind"] == "region" else QueryKind.OBJECT
    pieces = _pieces(row["mask_rle"], height, width, row["label"], row["score"])
    region = _pieces(row["region_rle"], height, width, "region", 1.0)
    nothing: F32 = np.zeros((0, 0), np.float32)
    point = row["point"]
    return Grounding(
        query=Query(row["command"], row["query_id"], kind=kind),
        status=Status[row["status"]],
        presence=float(row["presence"]),
        instances=pieces.instances,
        width=width,
        height=height,
        stamp_ns=int(row["stamp_ns"]),
        message=row["message"],
        point=(point[0], point[1]) if point else None,
        planes=Planes(Letterbox(max(width, 1), max(height, 1)), nothing, pieces, None, region),
    )


def _pieces(runs: Sequence[int], height: int, width: int, label: str, score: float) -> Pieces:
    if not runs:
        return Pieces()
    ids = decode_rle(runs, height, width).astype(np.uint8)
    contours, _ = cv2.findContours(ids, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    if not contours:
        return Pieces()
    largest = max(contours, key=cv2.contourArea)
    x, y, w, h = (int(v) for v in cv2.boundingRect(largest))
    outline = largest[:, 0].astype(np.float32)
    share = float(ids.mean())
    instance = Instance(
        instance_id=1,
        label=label,
        score=score,
        box=(x, y, w, h),
        centroid=(x + w / 2.0, y + h / 2.0),
        area_fraction=share,
        outline=outline,
    )
    return Pieces((instance,), ids)
